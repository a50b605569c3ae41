//! Writing: the operations a host performs, what Figma's refusals mean, and the steps of one run.
//!
//! Owns the operations, the order in which a run performs them and what it counts. Must not know how an operation is
//! performed, or why it was planned.

use crate::document::{CollectionSlot, ModeSlot, Platform, Scopes, VariableSlot};
use crate::history::Part;
use crate::protocol::panel::{Counts, RunEntry};
use crate::sorted::BitSet;
use crate::value::{Value, VariableType};

/// How often a write that failed is tried again by later runs on its own; an edit of its row or "Sync now" begins anew.
pub const RETRIES_MAX: u8 = 3;
/// Runs that fail in a row before the sync pauses itself on this machine.
pub const FAILED_RUNS_MAX: u32 = 3;

/// One write. New collections, modes and variables take the slot the operation names; a host keeps its handle there.
#[derive(Debug, Clone, PartialEq)]
pub enum Op<'a> {
    /// Makes a collection. It is born with one mode, slot 0.
    CreateCollection {
        /// The slot it takes.
        collection: CollectionSlot,
        /// Its name.
        name: &'a str,
    },
    /// Renames a collection.
    RenameCollection {
        /// The collection.
        collection: CollectionSlot,
        /// The new name.
        name: &'a str,
    },
    /// Writes what a collection and its modes stand for.
    SetCollectionLink {
        /// The collection.
        collection: CollectionSlot,
        /// Its name in the sheet, then for each mode its name there, empty for a mode that stands for none.
        names: &'a [&'a str],
    },
    /// Renames a mode.
    RenameMode {
        /// The collection.
        collection: CollectionSlot,
        /// The mode.
        mode: ModeSlot,
        /// The new name.
        name: &'a str,
    },
    /// Adds a mode.
    AddMode {
        /// The collection.
        collection: CollectionSlot,
        /// The slot it takes.
        mode: ModeSlot,
        /// Its name.
        name: &'a str,
    },
    /// Makes a variable.
    CreateVariable {
        /// The slot it takes.
        variable: VariableSlot,
        /// Its collection.
        collection: CollectionSlot,
        /// Its name.
        name: &'a str,
        /// Its type.
        kind: VariableType,
        /// The link's key, where it is to be linked at once; else [`Op::SetLink`] follows within the same step.
        key: Option<&'a str>,
    },
    /// Sets a plain value.
    SetValue {
        /// The variable.
        variable: VariableSlot,
        /// The mode.
        mode: ModeSlot,
        /// The value.
        value: &'a Value,
    },
    /// Sets an alias, or with an opacity a composed colour.
    SetAlias {
        /// The variable.
        variable: VariableSlot,
        /// The mode.
        mode: ModeSlot,
        /// What it points at.
        target: VariableSlot,
        /// In percent, 0 to 100.
        opacity: Option<f64>,
    },
    /// Renames a variable.
    Rename {
        /// The variable.
        variable: VariableSlot,
        /// The new name.
        name: &'a str,
    },
    /// Sets the description.
    SetDescription {
        /// The variable.
        variable: VariableSlot,
        /// The text.
        text: &'a str,
    },
    /// Sets the scopes.
    SetScopes {
        /// The variable.
        variable: VariableSlot,
        /// The scopes.
        scopes: Scopes,
    },
    /// Sets one platform's code syntax.
    SetCode {
        /// The variable.
        variable: VariableSlot,
        /// The platform.
        platform: Platform,
        /// The text.
        text: &'a str,
    },
    /// Hides from publishing, or shows again.
    SetHidden {
        /// The variable.
        variable: VariableSlot,
        /// Hidden or not.
        hidden: bool,
    },
    /// Writes the link's key and the base, or takes both away.
    SetLink {
        /// The variable.
        variable: VariableSlot,
        /// The key, after an `a` for a variable that Sheetwire did not make; `None`: no longer the variable of a row.
        key: Option<&'a str>,
        /// What sheet and Figma agree on: [`crate::document::base::Base::places`].
        base: &'a [f64],
    },
    /// Removes a variable.
    Remove {
        /// The variable.
        variable: VariableSlot,
    },
    /// Removes a mode, with its values.
    RemoveMode {
        /// The collection.
        collection: CollectionSlot,
        /// The mode.
        mode: ModeSlot,
    },
    /// Removes a collection, with everything in it.
    RemoveCollection {
        /// The collection.
        collection: CollectionSlot,
    },
}

/// Who performs the operations.
pub trait Figma {
    /// Performs one write at once.
    ///
    /// # Errors
    /// The text of Figma's error.
    fn write(&mut self, op: &Op<'_>) -> Result<(), String>;

    /// A run is about to write: marks it in the file, within its undo step, and remembers the mark outside.
    fn begin_run(&mut self);

    /// Whether the file was taken back to before a run of this user: [`crate::marks`].
    fn is_undone(&mut self) -> bool;

    /// The mark in the document, which is another after every run, whoever's it was.
    fn mark(&mut self) -> String;

    /// Figma's id of something that was read or made.
    fn id(&self, part: Part) -> String;

    /// The slot of a variable with an id; `None` where the file has none.
    fn variable_of(&self, id: &str) -> Option<VariableSlot>;

    /// The slot of a collection with an id.
    fn collection_of(&self, id: &str) -> Option<CollectionSlot>;

    /// The slot of a collection's mode with an id.
    fn mode_of(&self, collection: CollectionSlot, id: &str) -> Option<ModeSlot>;

    /// Everything of one variable, packed as in [`crate::document::Document::take`].
    fn whole(&mut self, variable: VariableSlot) -> (Vec<f64>, String);

    /// Keeps a run in the file's history, within its undo step: what it has come to so far, and with `ended` for the last
    /// time. A later text of a run's past begins with the earlier one. The host says who and when; `past` is empty for a
    /// run that can't be gone back to.
    fn keep_run(&mut self, run: RunEntry, past: &str, ended: bool);

    /// Whether anything can be written to this file at all; asked only after a write failed for an unknown reason.
    fn is_writable(&mut self) -> bool;
}

/// What a refusal means. Prefixes as in Figma's documentation and reports; the rest is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The plan's limit of modes.
    ModeLimit(u32),
    /// A mode's name is too long.
    ModeName,
    /// Somebody made a variable of that name meanwhile.
    DuplicateName,
    /// The name has characters that Figma refuses.
    InvalidName,
    /// The value's type is not the variable's.
    TypeMismatch,
    /// Anything else, such as a removed variable, an alias cycle or a file that can't be edited.
    Other,
}

impl Refusal {
    /// Reads Figma's error text.
    pub fn of(text: &str) -> Refusal {
        let number_after = |marker: &str| {
            text.split_once(marker).and_then(|(_, rest)| {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                digits.parse::<u32>().ok()
            })
        };
        if let Some(limit) =
            number_after("Limited to ").or_else(|| number_after("modes beyond limit of "))
        {
            Refusal::ModeLimit(limit)
        } else if text.contains("Name cannot exceed") {
            Refusal::ModeName
        } else if text.contains("duplicate variable name") {
            Refusal::DuplicateName
        } else if text.contains("invalid variable name") {
            Refusal::InvalidName
        } else if text.contains("Mismatched variable resolved type") {
            Refusal::TypeMismatch
        } else {
            Refusal::Other
        }
    }
}

/// The order of a run. Aliases come after everything they could point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Collections and modes.
    Structure,
    /// Renames, so that a freed name can be taken.
    Names,
    /// New variables, plain values and fields.
    Values,
    /// Aliases.
    Aliases,
    /// Confirmed removals.
    Removals,
    /// What collections and modes stand for, when everything in them does.
    Links,
}

impl Phase {
    /// The phase after this one.
    pub fn next(self) -> Option<Phase> {
        match self {
            Phase::Structure => Some(Phase::Names),
            Phase::Names => Some(Phase::Values),
            Phase::Values => Some(Phase::Aliases),
            Phase::Aliases => Some(Phase::Removals),
            Phase::Removals => Some(Phase::Links),
            Phase::Links => None,
        }
    }
}

/// Where a run stands, and what it has done so far.
#[derive(Debug, Clone)]
pub struct Run {
    /// What it is at.
    pub phase: Phase,
    /// Place in the phase's list.
    pub at: usize,
    /// Place in a row's writes; 0 is the making of the variable.
    pub write: usize,
    /// The rows it is about, in order.
    pub rows: Vec<u32>,
    /// The variables it removes.
    pub removals: Vec<VariableSlot>,
    /// Operations done or failed.
    pub done: u32,
    /// Operations in all.
    pub total: u32,
    /// Rows of which something was refused.
    pub failed: BitSet,
    /// Whether the designer asked it to stop.
    pub cancelled: bool,
    /// Whether it has begun to write.
    pub begun: bool,
    /// Whether it is a step that can be undone: one that notes nothing but what sheet and file agree on is none.
    pub is_step: bool,
}

impl Run {
    /// Begins a phase.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.at = 0;
        self.write = 0;
    }
}

/// What one or several runs for one message have done.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// What was really done.
    pub counts: Counts,
    /// Writes that Figma took.
    pub writes: u32,
    /// Writes that Figma refused.
    pub refused: u32,
    /// Whether a refusal hints that the document is not as it was read, or a removal took what rows refer to.
    pub stale: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether the file can't be written to.
    pub read_only: bool,
    /// Rereadings of the document because of that, at most one a message.
    pub rereadings: u32,
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn figmas_words_are_understood() {
        assert_eq!(
            Refusal::of("in addMode: Limited to 4 modes only"),
            Refusal::ModeLimit(4)
        );
        assert_eq!(
            Refusal::of("in setValueForMode: cannot modify modes beyond limit of 1"),
            Refusal::ModeLimit(1)
        );
        assert_eq!(
            Refusal::of("in createVariable: duplicate variable name"),
            Refusal::DuplicateName
        );
        assert_eq!(
            Refusal::of("Mismatched variable resolved type for mode 1:0"),
            Refusal::TypeMismatch
        );
        assert_eq!(Refusal::of("something new"), Refusal::Other);
    }
}
