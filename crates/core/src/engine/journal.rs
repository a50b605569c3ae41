//! What each run keeps of the file as it found it.
//!
//! Owns the journal of a run: what a variable, a collection or a mode was before the run's first write to it. Must not
//! know where pasts are kept, or how one goes back.

use super::{Engine, Stage};
use crate::apply::{Figma, Totals};
use crate::document::{ModeSlot, Variable, VariableSlot};
use crate::history::{PAST_BYTES_MAX, Part, Past, Was, value_text};
use crate::owned;
use crate::plan::Write;
use crate::protocol::panel::{Counts, RunEntry};
use crate::value::VariableType;

/// What a run has found so far where it wrote. A run that is cut off leaves it to the next of the session.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Pasts in the order they happened.
    text: String,
    /// How much of it the file has.
    kept_bytes: usize,
    /// More than is kept.
    is_too_long: bool,
    /// Something was taken away that can't be made again as it was.
    pub is_lossy: bool,
}

impl Journal {
    /// Adds what something was.
    pub fn add(&mut self, past: &Past) {
        if self.text.len() > PAST_BYTES_MAX {
            self.is_too_long = true;
            self.text = String::new();
            self.kept_bytes = 0;
        }
        if !self.is_too_long {
            past.write(&mut self.text);
        }
    }

    fn entry(&self, counts: Counts, restores: bool) -> RunEntry {
        RunEntry {
            run: String::new(),
            author: String::new(),
            unix_ms: 0,
            counts,
            restores,
            restorable: !self.is_too_long && !self.is_lossy,
        }
    }

    /// What is kept of it: nothing, where it could not be gone back to.
    fn kept_text(&self) -> &str {
        if self.is_too_long || self.is_lossy {
            ""
        } else {
            &self.text
        }
    }

    /// Adds what a field of a variable was, if that could be written again.
    pub fn add_field(&mut self, id: String, field: String, text: Option<String>) {
        match text {
            Some(text) => self.add(&Past::Variable {
                id,
                was: vec![Was { field, text }],
            }),
            None => self.is_lossy = true,
        }
    }
}

/// A field of a variable as it is kept; `None` where it could not be written again.
pub(super) fn kept_field(
    variable: &Variable,
    field: &str,
    mode: Option<ModeSlot>,
    figma: &impl Figma,
) -> Option<String> {
    Some(match field {
        "n" => variable.name.clone(),
        "d" => variable.description.clone(),
        "s" => variable.scopes.0.to_string(),
        "0" | "1" | "2" => variable.code[place_of(field)].clone(),
        "h" => owned(if variable.hidden { "1" } else { "0" }),
        _ => {
            let held = variable.values.get(mode?.0 as usize)?;
            return value_text(held, |slot| figma.id(Part::Variable(slot)));
        }
    })
}

pub(super) fn place_of(field: &str) -> usize {
    match field {
        "1" => 1,
        "2" => 2,
        _ => 0,
    }
}

impl Engine {
    /// A row's next write as a field of its variable, and what the variable holds there; nothing for what was made in
    /// this run.
    pub(super) fn field_before(
        &self,
        row: u32,
        at: usize,
        figma: &impl Figma,
    ) -> Option<(String, Option<String>)> {
        let change = &self.changes[row as usize];
        if change.made {
            return None;
        }
        let held = self
            .document
            .variable(VariableSlot(self.rows[row as usize].slot))?;
        let mut mode = None;
        let field = match change.writes.get(at)? {
            Write::Name => owned("n"),
            Write::Description => owned("d"),
            Write::Scopes(_) => owned("s"),
            Write::Code(platform) => owned(["0", "1", "2"][usize::from(*platform)]),
            Write::Hidden(_) => owned("h"),
            Write::Value { mode: of, .. } | Write::Alias { mode: of, .. } => {
                let entry = &self.collections[self.rows[row as usize].collection as usize];
                mode = entry.modes[*of as usize];
                if mode.is_some_and(|mode| mode.0 as usize >= held.values.len()) {
                    // Added in this run, and taken back with the mode.
                    return None;
                }
                ["m", &figma.id(Part::Mode(held.collection, mode?))].concat()
            }
            Write::Link | Write::Remember => return None,
        };
        let text = kept_field(held, &field, mode, figma);
        Some((field, text))
    }

    /// Reads everything of a variable before it is removed: columns that the sheet lacks were not read.
    pub(super) fn whole_variable(
        &mut self,
        slot: VariableSlot,
        figma: &mut impl Figma,
    ) -> Option<Past> {
        let (numbers, text) = figma.whole(slot);
        self.document.take([slot], &numbers, &text).ok()?;
        self.gone(slot, figma)
    }

    /// The same, of what was read just now.
    pub(super) fn gone(&mut self, slot: VariableSlot, figma: &impl Figma) -> Option<Past> {
        let variable = self.document.variable(slot)?;
        let collection = variable.collection;
        let mut was = Vec::new();
        for field in ["n", "d", "s", "0", "1", "2", "h"] {
            was.push(Was {
                field: owned(field),
                text: kept_field(variable, field, None, figma)?,
            });
        }
        for place in 0..variable.values.len() {
            let mode = ModeSlot(place as u32);
            let field = ["m", &figma.id(Part::Mode(collection, mode))].concat();
            match kept_field(variable, &field, Some(mode), figma) {
                Some(text) => was.push(Was { field, text }),
                None => self.journal.is_lossy = true,
            }
        }
        let kind = VariableType::ALL
            .iter()
            .position(|kind| *kind == variable.kind)?;
        Some(Past::Gone {
            id: figma.id(Part::Variable(slot)),
            collection: figma.id(Part::Collection(collection)),
            kind: kind as u32,
            was,
        })
    }

    /// Keeps what the run did, where it did anything.
    pub(super) fn keep_past(&mut self, totals: &Totals, restores: bool, figma: &mut impl Figma) {
        let journal = std::mem::take(&mut self.journal);
        if journal.text.is_empty() && !journal.is_too_long {
            return;
        }
        let entry = journal.entry(totals.counts, restores);
        figma.keep_run(entry, journal.kept_text(), true);
    }

    /// Keeps what the run that goes on did so far. A plugin may end whenever its host has a turn, so a shell calls this
    /// before each: then the file knows of everything that was written, and the run can be gone back to.
    pub fn keep_journal(&mut self, figma: &mut impl Figma) {
        let journal = &self.journal;
        if journal.text.len() <= journal.kept_bytes {
            return;
        }
        let restores = matches!(self.stage, Stage::Restoring(_));
        let entry = journal.entry(self.totals.counts, restores);
        figma.keep_run(entry, journal.kept_text(), false);
        self.journal.kept_bytes = self.journal.text.len();
    }
}
