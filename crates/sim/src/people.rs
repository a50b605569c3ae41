//! What designers do in the panel.
//!
//! Owns their decisions, which depend on what the panel shows them and on chance. Must not know the network, or what the
//! engine makes of a decision.

use crate::random::Random;
use crate::relay::sheet_ref;
use crate::sheet::{ID, Sheet};
use crate::world::{What, World};
use sheetwire_core::protocol::panel::{
    Choice, Column, ConflictPolicy, DriftPolicy, MergePolicy, PreviewKind, PreviewRow, Role,
    WaitReason,
};
use sheetwire_core::session::{Action, State, StopReason};

/// The columns as somebody tells them who made the sheet.
fn columns_by_hand(sheet: &Sheet) -> Vec<Column> {
    let headers = sheet.rows[0].iter().zip(0..);
    let columns = headers.map(|(header, index)| Column {
        index,
        header: header.clone(),
        role: match header.as_str() {
            "Collection" => Role::Collection,
            "Name" => Role::Name,
            "Type" => Role::Type,
            "Description" => Role::Description,
            ID => Role::Id,
            mode if sheet.modes.iter().any(|known| known == mode) => Role::Mode {
                name: header.clone(),
            },
            _ => Role::Ignore,
        },
    });
    columns.collect()
}

/// The places of the new types that a designer agrees to, row by row.
fn ticked(rows: &[PreviewRow], random: &mut Random) -> Vec<u32> {
    let rows = rows.iter().zip(0..);
    rows.filter(|(row, _)| row.kind == PreviewKind::Retype && random.chance(700))
        .map(|(_, place)| place)
        .collect()
}

impl World {
    /// What the designer at a panel does now, if anything.
    pub(crate) fn designer(&mut self, plugin: usize) -> Option<Action> {
        let here = &self.plugins[plugin];
        if !here.is_open {
            return None;
        }
        let state = here.session.state().clone();
        if !self.healed
            && let Some(action) = self.whim(&state)
        {
            return Some(action);
        }
        let calm = self.healed;
        let here = &mut self.plugins[plugin];
        let random = &mut self.random;
        match state {
            State::Off(_) | State::Dead { .. } => {
                // Off for want of an answer: the plugin is run again some time.
                if calm || random.chance(100) {
                    self.close(plugin);
                    self.put(500, plugin, None, What::Open);
                }
                None
            }
            State::ReadOnly | State::Reading => None,
            State::SignedOut => {
                here.redeems_left = random.below(4);
                Some(Action::SignIn)
            }
            State::SigningIn { .. } => Some(Action::OpenSignIn),
            State::ChoosingSpreadsheet { entries, .. } => {
                entries.map(|_| Action::ChooseSpreadsheet {
                    id: sheet_ref().spreadsheet_id,
                })
            }
            State::ChoosingSheet { spreadsheet } => spreadsheet.map(|_| Action::ChooseSheets {
                sheet_ids: vec![sheet_ref().sheet_id],
            }),
            // A sheet that lost its header, or has few rows, may look as if it lay in another way; the designer knows
            // better, and points at the columns by hand.
            State::ConfirmingColumns {
                layout: Some(_),
                busy,
                ..
            } => (!busy && self.sheet.is_whole()).then(|| Action::ConfirmColumns {
                columns: columns_by_hand(&self.sheet),
                header_row: 0,
                layout: None,
            }),
            State::ConfirmingColumns {
                columns,
                header_row,
                busy,
                problems,
                ..
            } => (!busy
                // A guess made while the header was gone may be on the screen when it is back already.
                && columns.iter().any(|column| column.header == "Name")
                && (problems.is_empty() || self.sheet.is_whole()))
            .then(|| {
                // A column of people's names may look like one of values, and few values like notes; the designer
                // knows better.
                let columns = columns.into_iter().map(|mut column| {
                    if column.header == "Owner" {
                        column.role = Role::Ignore;
                    } else if self.sheet.modes.contains(&column.header) {
                        let name = column.header.clone();
                        column.role = Role::Mode { name };
                    }
                    column
                });
                Action::ConfirmColumns {
                    columns: columns.collect(),
                    header_row,
                    layout: None,
                }
            }),
            State::Previewing(preview) => {
                // What somebody else writes can be looked at; to apply it, the designer takes over.
                if here.sandbox.is_writer || random.chance(500) {
                    Some(Action::Approve {
                        plan: preview.plan,
                        include_removals: random.chance(300),
                        retypes: ticked(&preview.rows, random),
                    })
                } else {
                    Some(Action::TakeOver)
                }
            }
            State::Connected(connected) => {
                if let Some((reason, preview)) = connected.waiting {
                    // Where columns can't be told any more, or another is taken for one, they are pointed out again.
                    let mistaken = |row: &PreviewRow| {
                        row.kind == PreviewKind::Rename
                            && row.fields.iter().any(|change| {
                                change.field == "mode" && !self.sheet.modes.contains(&change.after)
                            })
                    };
                    let is_lost = reason == WaitReason::Shrunken && self.sheet.is_whole();
                    if is_lost && random.chance(500) || preview.rows.iter().any(mistaken) {
                        return Some(Action::EditColumns);
                    }
                    return Some(if random.chance(850) {
                        Action::Approve {
                            plan: preview.plan,
                            include_removals: random.chance(500),
                            retypes: ticked(&preview.rows, random),
                        }
                    } else {
                        Action::KeepRemoved { plan: preview.plan }
                    });
                }
                match connected.stopped {
                    Some(StopReason::Toggled) => Some(Action::Toggle { on: true }),
                    Some(_) => Some(Action::SyncNow),
                    None => None,
                }
            }
        }
    }

    /// What designers do without need, while things go wrong anyway.
    fn whim(&mut self, state: &State) -> Option<Action> {
        let random = &mut self.random;
        let connected = match state {
            State::Connected(connected) => Some(connected),
            _ => None,
        };
        match random.below(200) {
            0 => Some(Action::SignOut),
            1 => Some(Action::Disconnect),
            2 | 3 => Some(Action::Toggle { on: false }),
            4 => Some(Action::Back),
            5 => Some(Action::EditColumns),
            6 => Some(Action::CancelSignIn),
            7..12 => Some(Action::SyncNow),
            12..15 => Some(Action::Cancel),
            15..18 => Some(Action::RetryNow),
            18 => Some(Action::Refresh),
            19 => {
                let drift = [DriftPolicy::Keep, DriftPolicy::Overwrite];
                let conflict = [
                    ConflictPolicy::Ask,
                    ConflictPolicy::Sheet,
                    ConflictPolicy::Figma,
                ];
                Some(Action::SetPolicy {
                    policy: MergePolicy {
                        drift: drift[random.below(2) as usize],
                        conflict: conflict[random.below(3) as usize],
                    },
                })
            }
            20..28 => {
                let differences = &connected?.differences;
                let count = differences.items.len() as u64;
                if count == 0 {
                    return None;
                }
                let one = vec![random.below(count) as u32];
                Some(Action::Resolve {
                    list: differences.list,
                    items: if random.chance(300) { Vec::new() } else { one },
                    choice: if random.chance(500) {
                        Choice::Sheet
                    } else {
                        Choice::Figma
                    },
                })
            }
            28..31 if !self.hands_off => Some(Action::ListRuns),
            31..35 if !self.hands_off => {
                let runs = connected?.runs.as_ref()?;
                let at = random.place(runs.len())?;
                runs[..=at]
                    .iter()
                    .all(|run| run.restorable)
                    .then(|| Action::Restore {
                        run: runs[at].run.clone(),
                    })
            }
            35..39 if connected.is_some_and(|connected| connected.writer.is_some()) => {
                Some(Action::TakeOver)
            }
            _ => None,
        }
    }
}
