//! What a plan is measured against before it may apply by itself.
//!
//! Owns the measures behind [`crate::plan::gate`], names that can't be read at present, and the file's threshold. Must
//! not know how a plan was made or how it is written.

use super::{Engine, NONE};
use crate::mapping::Layout;
use crate::mapping::grid::named;
use crate::plan::{MOST_CHANGED_MIN, Measure, Write, gate};
use crate::protocol::panel::{Counts, WaitReason};
use crate::value::is_in_error;

impl Engine {
    /// Why a plan of an approved mapping waits; `None` where it may apply by itself.
    pub(super) fn reason_to_wait(&self, counts: &Counts) -> Option<WaitReason> {
        if self.missing {
            return Some(WaitReason::Shrunken);
        }
        let known = if counts.removed > 0 {
            self.known_variables()
        } else {
            0
        };
        let overwritten = if counts.changed > MOST_CHANGED_MIN {
            self.overwritten()
        } else {
            0
        };
        let threshold = self
            .connection
            .as_ref()
            .map_or(0, |connection| connection.threshold_variables());
        let reason = gate(
            counts,
            Measure {
                known,
                rows: self.sound,
                overwritten,
                threshold,
            },
        );
        let reason = reason.or(self.half_fits.then_some(WaitReason::Limits));
        // Names of collections and modes are no variables, and yet a change.
        reason.or((threshold == 0 && self.renames_structure()).then_some(WaitReason::Every))
    }

    /// How many variables a plan writes over: their names, or values in modes that they have.
    fn overwritten(&self) -> u32 {
        let rows = self.touched.iter().filter(|row| {
            let entry = &self.rows[*row as usize];
            let Some(collection) = self.collections.get(entry.collection as usize) else {
                return false;
            };
            entry.slot != NONE
                && self.changes[*row as usize]
                    .writes
                    .iter()
                    .any(|write| match write {
                        Write::Value { mode, .. } | Write::Alias { mode, .. } => {
                            collection.modes[*mode as usize].is_some()
                        }
                        Write::Name => true,
                        Write::Description
                        | Write::Scopes(_)
                        | Write::Code(_)
                        | Write::Hidden(_)
                        | Write::Link
                        | Write::Remember => false,
                    })
        });
        rows.count() as u32
    }

    /// Whether what tells a row's variable is in error or still loading: then the row may be of any variable.
    pub(super) fn is_garbled(&self, layout: &Layout, cells: &[&str]) -> bool {
        let tells = [Some(layout.name), layout.collection, layout.id];
        tells.into_iter().flatten().any(|column| {
            let text = named(cells.get(column as usize).copied().unwrap_or_default());
            // Two errors have a slash in them, as the parts of a name have between them.
            let is_split = ["#N/A", "#DIV/0!"].iter().any(|error| text.contains(error));
            is_split || text.split('/').any(|part| is_in_error(part.trim()))
        })
    }

    /// What Figma says of the file's collections: whether one is published in a library.
    pub fn found_published(&mut self, published: bool) {
        if let Some(connection) = &mut self.connection
            && connection.published != published
        {
            connection.published = published;
            self.keep();
        }
    }

    /// How many variables a later plan of this file may touch before it waits.
    pub fn set_threshold(&mut self, variables: Option<u32>) {
        let Some(connection) = &mut self.connection else {
            self.refuse(
                "No sheet is connected to this file.",
                "Choose a sheet first.",
            );
            return;
        };
        if connection.threshold == variables {
            return;
        }
        connection.threshold = variables;
        self.keep();
        // What waits may not have to any longer.
        let waits = self.waiting.and_then(|waiting| waiting.reason);
        if matches!(waits, Some(WaitReason::Large | WaitReason::Every)) {
            self.waiting = None;
            self.sync_now();
        }
    }
}
