//! Variables of libraries that the sheet refers to.
//!
//! Owns which ones are asked for and taking what the shell found. Must not know how a library is read: the shell lists
//! them, and the engine knows them by slots, as it knows the file's own.

use super::{Engine, NONE};
use crate::document::{Foreign, RECORD_END, TEXT_SEPARATOR, VariableSlot, type_of_code};
use crate::plan::Target;
use crate::value::{AliasRef, Reading};

/// Most variables of libraries that a sheet may refer to; each is a call to Figma's servers.
pub const FOREIGN_MAX: usize = 500;
/// What a reference into a library has between the library and the collection.
pub(super) const SIGN: char = '›';

impl Engine {
    /// The library variables that cells refer to, for the shell to find before it hands over the document's variables:
    /// records of library, collection and name, separated by U+001F and ended by U+001E. Empty when there are none.
    pub fn wanted_of_libraries(&self) -> String {
        let mut wanted: Vec<AliasRef> = Vec::new();
        for row in &self.foreign_rows {
            if self.rows[*row as usize].collection == NONE {
                continue;
            }
            for (_, _, reading) in self.readings(*row, None) {
                if let Ok(Reading::Alias(alias) | Reading::Composed { alias, .. }) = reading
                    && alias.library.is_some()
                    && wanted.len() < FOREIGN_MAX
                    && !wanted.contains(&alias)
                {
                    wanted.push(alias);
                }
            }
        }
        let mut text = String::new();
        for alias in wanted {
            text.push_str(&alias.library.unwrap_or_default());
            text.push(TEXT_SEPARATOR);
            text.push_str(&alias.collection.unwrap_or_default());
            text.push(TEXT_SEPARATOR);
            text.push_str(&alias.name);
            text.push(RECORD_END);
        }
        text
    }

    /// Hands over the library variables that were found, after the file's own and before [`Engine::read_end`]: records of
    /// library, collection, name and type code. Each gets the slot after the last.
    pub fn read_libraries(&mut self, found: &str) {
        for record in found.split_terminator(RECORD_END) {
            let mut texts = record.split(TEXT_SEPARATOR);
            let mut next = || texts.next().unwrap_or_default();
            let (library, collection, name, code) = (next(), next(), next(), next());
            // The slot is given even where the type is none of ours, so that those after it stay right.
            let kind = code.parse().ok().and_then(type_of_code);
            self.document.add_foreign(Foreign {
                library: library.to_owned(),
                collection: collection.to_owned(),
                name: name.to_owned(),
                kind,
            });
        }
    }

    /// What a reference into a library points at.
    pub(super) fn resolve_foreign(&self, alias: &AliasRef) -> Option<Target> {
        let slot: Option<VariableSlot> = self.document.foreign_named(alias);
        slot.map(Target::Variable)
    }
}
