//! Figma's limits, before the first write.
//!
//! Owns what a plan needs of Figma's limits: modes and variables in a collection, names that two collections would share;
//! and what the file's own limit was found to be. Must not know how a write is performed. Names are judged where they
//! are read, aliases that go in a circle where rows are.
//!
//! A plugin can't ask which plan a file is on. What its collections hold already tells the least that it allows, a
//! refusal tells its limit, and until then the designer reads what the sheet needs and which plan allows that.

use super::{CellProblem, Engine};
use crate::decimal;
use crate::mapping::{MODES_MAX, VARIABLES_MAX};
use crate::owned;
use crate::protocol::panel::Problem;

/// Modes in a collection by plan, as Figma's pricing page has them; the last is also Figma's own limit.
const PLANS: [(usize, &str); 4] = [
    (1, "Starter"),
    (10, "Professional"),
    (20, "Organization"),
    (MODES_MAX, "Enterprise"),
];

/// A number of modes in words.
pub(super) fn modes(count: usize) -> String {
    let noun = if count == 1 { " mode" } else { " modes" };
    [&decimal::write(count as f64), noun].concat()
}

/// Which plans allow more than `certain` modes, or the nearest that does not, up to the first that allows `wanted`.
pub(crate) fn plans(certain: usize, wanted: usize) -> String {
    let from = PLANS
        .iter()
        .rposition(|(limit, _)| *limit <= certain)
        .unwrap_or_default();
    let mut text = String::new();
    for (at, (limit, plan)) in PLANS.iter().enumerate().skip(from) {
        if text.is_empty() {
            text = [
                "Figma's ",
                plan,
                " plan allows ",
                &modes(*limit),
                " in a collection",
            ]
            .concat();
        } else {
            text = [&text, ", ", plan, " ", &decimal::write(*limit as f64)].concat();
        }
        if at > from && *limit >= wanted {
            break;
        }
    }
    text.push('.');
    text
}

impl Engine {
    /// Checks Figma's limits before anything is written. What does not fit for certain is left out of the plan and
    /// said; what fits on some plans only is told as what the sheet needs.
    pub(super) fn check_limits(&mut self) {
        self.plan_problems.clear();
        self.needs.clear();
        self.half_fits = false;
        self.check_shared_names();
        let held = self.document.collections().iter();
        let proven = held.map(|held| held.modes.len()).max().unwrap_or_default();
        self.forget_old_limit(proven);
        for place in 0..self.collections.len() {
            self.check_variables(place);
            self.check_modes(place, proven);
        }
    }

    fn at_mode(&self, mode: usize) -> u32 {
        let layout = self.layout.as_ref();
        layout.map_or(0, |layout| {
            layout
                .modes
                .get(mode)
                .map_or(layout.name, |mode| mode.column)
        })
    }

    fn plan_problem(&mut self, column: u32, message: String, remedy: &str) {
        let row = self.layout.as_ref().map_or(0, |layout| layout.header_row);
        let remedy = owned(remedy);
        self.plan_problems.push((
            row,
            CellProblem {
                column,
                message,
                remedy,
            },
        ));
    }

    /// Variables in a collection.
    fn check_variables(&mut self, place: usize) {
        let Some(layout) = &self.layout else { return };
        let column = layout.collection.unwrap_or(layout.name);
        let entry = &mut self.collections[place];
        let held = entry.slot.and_then(|slot| self.document.collection(slot));
        let variables = held.map_or(0, |held| held.variables) + entry.creates;
        entry.blocked = variables > VARIABLES_MAX;
        if entry.blocked {
            let name = entry.name.clone();
            let message = format!(
                "“{name}” would hold {variables} variables; Figma allows {VARIABLES_MAX} in a collection. Nothing new is made in it."
            );
            self.plan_problem(column, message, "Split it into several collections.");
        }
    }

    /// Modes in a collection: Figma's own limit, the file's where it is known, and else what the sheet needs.
    fn check_modes(&mut self, place: usize, proven: usize) {
        let entry = &self.collections[place];
        let new: Vec<usize> = (0..entry.needed.len())
            .filter(|mode| {
                entry.needed[*mode] > 0 && entry.modes[*mode].is_none() && !entry.refused[*mode]
            })
            .collect();
        if new.is_empty() || entry.blocked && entry.slot.is_none() {
            return;
        }
        let name = entry.name.clone();
        let held = entry.slot.and_then(|slot| self.document.collection(slot));
        let before = held.map_or(0, |held| {
            if held.variables == 0 && held.modes.len() == 1 {
                0
            } else {
                held.modes.len()
            }
        });
        let wanted = before + new.len();
        let first = self.at_mode(new[0]);
        if wanted > MODES_MAX {
            for mode in new {
                self.collections[place].refused[mode] = true;
            }
            let message = format!(
                "“{name}” would have {wanted} modes; Figma allows {MODES_MAX} in a collection. No mode is added to it."
            );
            let remedy = "Remove modes in Figma, or ignore some of the columns.";
            self.plan_problem(first, message, remedy);
            return;
        }
        let known = self
            .connection
            .as_ref()
            .and_then(|connection| connection.mode_limit);
        if let Some(limit) = known {
            let fit = (limit as usize).saturating_sub(before);
            self.half_fits |= fit > 0 && fit < new.len();
            for mode in new.into_iter().skip(fit) {
                self.refuse_mode_beyond(place, mode, limit);
            }
            return;
        }
        let certain = PLANS.iter().find(|(limit, _)| *limit >= proven.max(1));
        let certain = certain.map_or(MODES_MAX, |(limit, _)| *limit);
        if wanted <= certain {
            return;
        }
        // One mode more is made or is not; of several, or of a new collection, a part could be.
        self.half_fits |= new.len() > 1 || before == 0;
        let needs = ["“", &name, "” needs ", &modes(wanted), ". "].concat();
        let address = match &self.layout {
            Some(layout) => self.at(layout.header_row, first),
            None => String::new(),
        };
        self.needs.push(Problem {
            address,
            message: [needs, plans(certain, wanted)].concat(),
            remedy: owned(
                "Modes that this file's plan does not allow are left out and said; their values are not written.",
            ),
        });
    }

    /// A mode does not fit into what Figma was found to allow in this file.
    fn refuse_mode_beyond(&mut self, place: usize, mode: usize, limit: u32) {
        self.collections[place].refused[mode] = true;
        let Some(layout) = &self.layout else { return };
        let message = [
            "This file's plan allows ",
            &modes(limit as usize),
            " in a collection, so “",
            &layout.modes[mode].name,
            "” is not added to “",
            &self.collections[place].name,
            "”.",
        ];
        let message = message.concat();
        let column = self.at_mode(mode);
        let remedy = [
            "Ignore the column, remove a mode in Figma, or move the file to a plan with more modes (",
            &plans(limit as usize, limit as usize + 1),
            ") and press Sync now.",
        ];
        let remedy = remedy.concat().replace(".)", ")");
        self.plan_problem(column, message, &remedy);
    }

    /// Two collections of one name are told apart by nobody: a collection that is to take another one's name waits.
    fn check_shared_names(&mut self) {
        let column = self
            .layout
            .as_ref()
            .map_or(0, |layout| layout.collection.unwrap_or(layout.name));
        let swapped = self.swapped_names().into_iter();
        let swapped: Vec<String> = swapped
            .map(|(was, name)| {
                [
                    "“", name, "” has the rows that “", was,
                    "” had, as after two tabs or their titles were swapped. Their collections swap names, too.",
                ]
                .concat()
            })
            .collect();
        for message in swapped {
            self.plan_problem(
                column,
                message,
                "If it was a slip, swap them back in the sheet before anything is renamed.",
            );
        }
        let shared: Vec<String> = self
            .collections
            .iter()
            .filter(|entry| self.takes_anothers_name(entry))
            .map(|entry| entry.name.clone())
            .collect();
        for name in shared {
            let message = [
                "This file has another collection “",
                &name,
                "”. If two tabs or their titles were swapped, swap them back.",
            ];
            self.plan_problem(
                column,
                message.concat(),
                "Rename only when two collections of one name are meant.",
            );
        }
    }

    /// Figma refused a mode: what it allows is remembered with the file.
    pub(super) fn remember_mode_limit(&mut self, limit: u32) {
        if let Some(connection) = &mut self.connection
            && connection.mode_limit != Some(limit)
        {
            connection.mode_limit = Some(limit);
            self.keep();
        }
    }

    /// A collection with more modes than the limit, or `usize::MAX` at the designer's word: the plan has changed.
    pub(super) fn forget_old_limit(&mut self, proven: usize) {
        if let Some(connection) = &mut self.connection
            && connection
                .mode_limit
                .is_some_and(|limit| proven > limit as usize)
        {
            connection.mode_limit = None;
            self.keep();
        }
    }
}
