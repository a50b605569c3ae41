//! The plan: what differs between the sheet and the document, row by row, and whether it may go ahead.
//!
//! Owns the parts of a plan, the gate and the thresholds behind it. Must not know how a difference was found or how
//! it is written.

use crate::document::{Scopes, VariableSlot};
use crate::protocol::panel::{Counts, WaitReason};
use crate::value::Value;

/// A later plan that touches more variables than this waits for the designer, where the file says nothing else.
pub const THRESHOLD_VARIABLES: u32 = 250;
/// A plan that changes this many variables or fewer may change most of a sheet's and does not wait for that.
pub const MOST_CHANGED_MIN: u32 = 10;

/// What an alias points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The variable of another row, which may still have to be made.
    Row(u32),
    /// A variable of the file that no row stands for.
    Variable(VariableSlot),
}

/// One difference of a row. Texts stay in the sheet and are read when they are written.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A value; `mode` is a place in the layout's modes.
    Value {
        /// Place in the layout's modes.
        mode: u32,
        /// The value.
        value: Value,
    },
    /// An alias, or an alias with an opacity of its own (0 to 1).
    Alias {
        /// Place in the layout's modes.
        mode: u32,
        /// What it points at.
        target: Target,
        /// For a composed colour.
        opacity: Option<f64>,
    },
    /// The name.
    Name,
    /// The description.
    Description,
    /// The scopes.
    Scopes(Scopes),
    /// Code syntax; a place in [`crate::document::Platform::ALL`].
    Code(u8),
    /// Hidden from publishing.
    Hidden(bool),
    /// The link to the row's id.
    Link,
    /// The link and what the two sides agree on; nothing that a designer sees.
    Remember,
}

/// Everything that differs for one row; nothing differs by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowChange {
    /// Whether the variable must be made first.
    pub create: bool,
    /// Whether it was made by a run that did not finish the row.
    pub made: bool,
    /// What to write after that.
    pub writes: Vec<Write>,
    /// Of a variable to be made: places of the base, with their codes, that agree as soon as it is there.
    pub agreed: Vec<(usize, f64)>,
}

impl RowChange {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        !self.create && self.writes.is_empty()
    }

    /// Whether a designer sees nothing of it.
    pub fn is_silent(&self) -> bool {
        !self.create && matches!(self.writes.as_slice(), [] | [Write::Remember])
    }
}

/// What a plan is measured against.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Variables that Sheetwire made for this sheet, those of gone rows included.
    pub known: u32,
    /// Rows of the sheet that can be variables.
    pub rows: u32,
    /// Of those, how many have a variable whose name or values the plan writes over.
    pub overwritten: u32,
    /// A plan that touches more variables waits.
    pub threshold: u32,
}

/// Decides whether a plan of an approved mapping waits.
pub fn gate(counts: &Counts, measure: Measure) -> Option<WaitReason> {
    let Measure {
        known,
        rows,
        overwritten,
        threshold,
    } = measure;
    let touched = counts.created + counts.changed;
    if known > 0 && counts.removed > 0 && (rows == 0 || counts.removed * 2 > known) {
        Some(WaitReason::Shrunken)
    } else if counts.removed > 0 {
        Some(WaitReason::Removes)
    } else if overwritten > MOST_CHANGED_MIN
        && overwritten * 2 > rows.saturating_sub(counts.created)
    {
        Some(WaitReason::Most)
    } else if threshold == 0 && touched + counts.collections + counts.modes > 0 {
        Some(WaitReason::Every)
    } else if touched > threshold {
        Some(WaitReason::Large)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_CHANGED_MIN, Measure, THRESHOLD_VARIABLES, gate};
    use crate::protocol::panel::{Counts, WaitReason};

    fn measure(known: u32, rows: u32) -> Measure {
        Measure {
            known,
            rows,
            overwritten: 0,
            threshold: THRESHOLD_VARIABLES,
        }
    }

    #[test]
    fn removals_wait_and_most_gone_is_shrunken() {
        let removed = |removed| Counts {
            removed,
            ..Counts::default()
        };
        assert_eq!(gate(&removed(0), measure(100, 100)), None);
        assert_eq!(
            gate(&removed(40), measure(100, 60)),
            Some(WaitReason::Removes)
        );
        assert_eq!(
            gate(&removed(51), measure(100, 49)),
            Some(WaitReason::Shrunken)
        );
        assert_eq!(gate(&removed(1), measure(2, 0)), Some(WaitReason::Shrunken));
    }

    #[test]
    fn large_plans_wait_and_every_plan_where_the_file_says_so() {
        let counts = Counts {
            created: 1,
            changed: THRESHOLD_VARIABLES,
            ..Counts::default()
        };
        assert_eq!(gate(&counts, measure(0, 1_000)), Some(WaitReason::Large));
        let every = |changed| {
            let counts = Counts {
                changed,
                ..Counts::default()
            };
            let threshold = 0;
            gate(
                &counts,
                Measure {
                    threshold,
                    ..measure(9, 9)
                },
            )
        };
        assert_eq!(every(0), None);
        assert_eq!(every(1), Some(WaitReason::Every));
    }

    #[test]
    fn most_of_a_sheet_written_over_waits() {
        let most = |overwritten, rows| {
            let counts = Counts {
                changed: overwritten,
                ..Counts::default()
            };
            gate(
                &counts,
                Measure {
                    overwritten,
                    ..measure(rows, rows)
                },
            )
        };
        assert_eq!(most(MOST_CHANGED_MIN, MOST_CHANGED_MIN), None);
        assert_eq!(most(11, 22), None);
        assert_eq!(most(11, 21), Some(WaitReason::Most));
    }
}
