//! What the panel is told: previews, problems with addresses, and reports of runs.
//!
//! Owns turning the engine's state into words for people. Must not know how the state came about.

use super::{CellProblem, Engine, NONE};
use crate::apply::Totals;
use crate::decimal;
use crate::document::{Document, Foreign, Held, Platform, VariableSlot};
use crate::mapping::grid::{cell, shown};
use crate::owned;
use crate::plan::{Target, Write};
use crate::protocol::panel::{
    Counts, FieldChange, PREVIEW_ROWS_MAX, PROBLEMS_MAX, Preview, PreviewKind, PreviewRow, Problem,
    RunReport,
};
use crate::value::{self, Rgba, Value};

impl Engine {
    /// What the planned changes add up to.
    pub(super) fn planned_counts(&self) -> Counts {
        let mut counts = Counts {
            created: self.planned.created,
            changed: self.planned.changed,
            ..Counts::default()
        };
        for entry in &self.collections {
            if entry.blocked {
                counts.created -= entry.creates;
                continue;
            }
            counts.collections += u32::from(entry.slot.is_none() && entry.creates > 0);
            let new = (0..entry.needed.len()).filter(|mode| {
                entry.needed[*mode] > 0 && entry.modes[*mode].is_none() && !entry.refused[*mode]
            });
            counts.modes += new.count() as u32;
        }
        counts.removed = self.open_orphans().count() as u32;
        counts.retyped = self.retypes.offered.len() as u32;
        counts.unchanged = self
            .sound
            .saturating_sub(self.planned.created + self.planned.changed);
        counts
    }

    /// Variables that Sheetwire made for this sheet, those of gone rows included.
    pub(super) fn known_variables(&self) -> u32 {
        let slots = (0..self.document.slots()).map(VariableSlot);
        slots
            .filter(|slot| {
                self.document
                    .variable(*slot)
                    .is_some_and(|variable| variable.link.is_own())
            })
            .count() as u32
    }

    /// Adds the next row of the preview at or after the place `at`, if there is one, and tells the place after it;
    /// `None` at the end. Places count the changes of structure, the sheet's rows, and then the file's variables, so that
    /// looking for the next row of a long plan takes no longer than for the first.
    pub(super) fn push_preview_row(&self, at: u32, rows: &mut Vec<PreviewRow>) -> Option<u32> {
        let layout = self.layout.as_ref()?;
        let structure = self.structure_rows() as u32;
        if at < structure {
            rows.extend(self.structure_row(at as usize));
            return Some(at + 1);
        }
        let at = at - structure;
        let sheet_rows = self.rows.len() as u32;
        let offered = self.retypes.offered.iter().find(|row| **row >= at).copied();
        let touched = self.touched.next(at).filter(|row| *row < sheet_rows);
        if let Some(row) = offered.filter(|row| touched.is_none_or(|touched| *row <= touched)) {
            rows.extend(self.retype_row(row));
            return Some(structure + row + 1);
        }
        if let Some(row) = touched {
            let change = &self.changes[row as usize];
            let entry = &self.rows[row as usize];
            if let Some(collection) = self.collections.get(entry.collection as usize)
                && !change.is_silent()
            {
                let fields = change
                    .writes
                    .iter()
                    .filter_map(|write| self.field_change(row, write));
                rows.push(PreviewRow {
                    kind: if change.create {
                        PreviewKind::Create
                    } else if change.writes.contains(&Write::Name) {
                        PreviewKind::Rename
                    } else {
                        PreviewKind::Change
                    },
                    collection: collection.name.clone(),
                    name: self.name_of(row).into_owned(),
                    address: self.at(row, layout.name),
                    fields: fields.collect(),
                    uses: None,
                });
            }
            return Some(structure + row + 1);
        }
        let slot = VariableSlot(self.orphans.next(at.saturating_sub(sheet_rows))?);
        if let Some(variable) = self.document.variable(slot)
            && self.is_open_orphan(slot)
        {
            let owner = self.document.collection(variable.collection);
            rows.push(PreviewRow {
                kind: PreviewKind::Remove,
                collection: owner.map_or_else(String::new, |owner| owner.name.clone()),
                name: variable.name.clone(),
                address: String::new(),
                fields: Vec::new(),
                uses: None,
            });
        }
        Some(structure + sheet_rows + slot.0 + 1)
    }

    /// One difference of a row in words; nothing for what a designer does not see.
    pub(super) fn field_change(&self, row: u32, write: &Write) -> Option<FieldChange> {
        let layout = self.layout.as_ref()?;
        let entry = &self.rows[row as usize];
        let collection = self.collections.get(entry.collection as usize)?;
        let held = Some(entry.slot)
            .filter(|slot| *slot != NONE)
            .and_then(|slot| self.document.variable(VariableSlot(slot)));
        let text = self.grid.row(row);
        let words =
            |column: Option<u32>| shown(cell(text, column.unwrap_or(u32::MAX))).into_owned();
        let before_value = |mode: u32| {
            let slot = collection.modes[mode as usize]?;
            let held = held?.values.get(slot.0 as usize)?;
            Some(held_text(&self.document, held)).filter(|text| !text.is_empty())
        };
        Some(match write {
            Write::Value { mode, value } => FieldChange {
                field: layout.modes[*mode as usize].name.clone(),
                before: before_value(*mode),
                after: value_text(value),
            },
            Write::Alias {
                mode,
                target,
                opacity,
            } => FieldChange {
                field: layout.modes[*mode as usize].name.clone(),
                before: before_value(*mode),
                after: alias_text(&self.target_text(*target), *opacity),
            },
            Write::Name => field(
                "name",
                held.map(|held| held.name.clone()),
                self.name_of(row).into_owned(),
            ),
            Write::Description => field(
                "description",
                held.map(|held| held.description.clone()),
                words(layout.description),
            ),
            Write::Scopes(scopes) => field(
                "scopes",
                held.map(|held| held.scopes.names()),
                scopes.names(),
            ),
            Write::Code(platform) => {
                let place = usize::from(*platform);
                let name = match Platform::ALL[place] {
                    Platform::Web => "code:web",
                    Platform::Android => "code:android",
                    Platform::Ios => "code:ios",
                };
                field(
                    name,
                    held.map(|held| held.code[place].clone()),
                    words(layout.code[place]),
                )
            }
            Write::Hidden(hidden) => field(
                "hidden",
                held.map(|held| switch_text(held.hidden)),
                switch_text(*hidden),
            ),
            Write::Link => field("id", None, self.id_of(row).into_owned()),
            Write::Remember => return None,
        })
    }

    fn target_text(&self, target: Target) -> String {
        match target {
            Target::Variable(slot) => variable_text(&self.document, Some(slot)),
            Target::Row(row) => {
                let entry = self
                    .collections
                    .get(self.rows[row as usize].collection as usize);
                let owner = entry.map_or("", |entry| entry.name.as_str());
                ["{", owner, ":", &self.name_of(row), "}"].concat()
            }
        }
    }

    /// A preview of what is planned.
    pub(super) fn preview(&self, plan: u32, counts: Counts, rows: Vec<PreviewRow>) -> Preview {
        debug_assert!(rows.len() <= PREVIEW_ROWS_MAX);
        let (problems, problems_total) = self.problem_list();
        Preview {
            plan,
            counts,
            rows,
            problems,
            problems_total,
            needs: self.needs.clone(),
        }
    }

    /// A report; the shell adds the times.
    pub(super) fn run_report(&self, totals: &Totals) -> RunReport {
        let (problems, problems_total) = self.problem_list();
        let mut counts = totals.counts;
        counts.unchanged = self.sound.saturating_sub(counts.created + counts.changed);
        RunReport {
            counts,
            writes: totals.writes,
            cancelled: totals.cancelled,
            position: self.position(),
            more: self.more_positions(),
            ended_unix_ms: 0,
            duration_ms: 0,
            slice_ms_max: 0,
            problems,
            problems_total,
        }
    }

    fn problem_list(&self) -> (Vec<Problem>, u32) {
        let at = |row: u32, problem: &CellProblem| Problem {
            address: self.at(row, problem.column),
            message: problem.message.clone(),
            remedy: problem.remedy.clone(),
        };
        let loose = self.loose_problems.iter().map(|problem| Problem {
            address: String::new(),
            message: problem.message.clone(),
            remedy: problem.remedy.clone(),
        });
        let lies = self.grid.problems().map(|(address, problem)| Problem {
            address,
            message: problem.message.clone(),
            remedy: problem.remedy.clone(),
        });
        let limits = self
            .plan_problems
            .iter()
            .chain(&self.limit_problems)
            .map(|(row, problem)| at(*row, problem));
        let total = self.loose_problems.len()
            + self.grid.problems().count()
            + self.plan_problems.len()
            + self.limit_problems.len()
            + self
                .problems
                .values()
                .chain(self.write_problems.values())
                .map(Vec::len)
                .sum::<usize>();
        let mut rows: Vec<u32> = self
            .problems
            .keys()
            .chain(self.write_problems.keys())
            .collect();
        rows.sort_unstable();
        rows.dedup();
        let cells = rows.into_iter().flat_map(|row| {
            let both = [self.problems.get(row), self.write_problems.get(row)];
            both.into_iter()
                .flatten()
                .flatten()
                .map(move |problem| (row, problem))
                .collect::<Vec<_>>()
        });
        let list = loose
            .chain(lies)
            .chain(limits)
            .chain(cells.map(|(row, problem)| at(row, problem)))
            .take(PROBLEMS_MAX)
            .collect();
        (list, total as u32)
    }
}

fn field(name: &str, before: Option<String>, after: String) -> FieldChange {
    FieldChange {
        field: owned(name),
        before: before.filter(|text| !text.is_empty()),
        after,
    }
}

fn switch_text(on: bool) -> String {
    owned(if on { "TRUE" } else { "FALSE" })
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A value as text for people; colours as hex.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Color(Rgba { r, g, b, a }) => {
            let byte = |channel: f64| (channel * 255.0).round().clamp(0.0, 255.0) as u8;
            let bytes = [byte(*r), byte(*g), byte(*b), byte(*a)];
            let shown = if bytes[3] == 255 { 3 } else { 4 };
            let mut text = String::with_capacity(9);
            text.push('#');
            for byte in &bytes[..shown] {
                for nibble in [byte >> 4, byte & 15] {
                    text.push(char::from(HEX_DIGITS[usize::from(nibble)]));
                }
            }
            text
        }
        Value::Float(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Easing(_)
        | Value::Timing(_) => value::write(value),
    }
}

fn alias_text(target: &str, opacity: Option<f64>) -> String {
    match opacity {
        Some(opacity) => {
            let percent = decimal::write((opacity * 10_000.0).round() / 100.0);
            [target, " / ", &percent, "%"].concat()
        }
        None => target.to_owned(),
    }
}

fn variable_text(document: &Document, slot: Option<VariableSlot>) -> String {
    match slot.and_then(|slot| document.variable(slot)) {
        Some(variable) => {
            let owner = document
                .collection(variable.collection)
                .map_or("", |owner| owner.name.as_str());
            ["{", owner, ":", &variable.name, "}"].concat()
        }
        None => match slot.and_then(|slot| document.foreign(slot)) {
            Some(foreign) => {
                let Foreign {
                    library,
                    collection,
                    name,
                    ..
                } = foreign;
                ["{", library, " › ", collection, ":", name, "}"].concat()
            }
            None => owned("a variable of another file"),
        },
    }
}

/// What Figma holds as text for people; empty where there is no value.
pub fn held_text(document: &Document, held: &Held) -> String {
    match held {
        Held::Missing => String::new(),
        Held::Color([r, g, b, a]) => {
            let [r, g, b, a] = [*r, *g, *b, *a].map(f64::from);
            value_text(&Value::Color(Rgba { r, g, b, a }))
        }
        Held::Float(value) => decimal::write_32(*value),
        Held::Timing(value) => [&decimal::write_32(*value), "ms"].concat(),
        Held::Boolean(value) => switch_text(*value),
        Held::Text(text) => text.to_string(),
        Held::Alias(target) => variable_text(document, *target),
        Held::Composed(target, opacity) => alias_text(
            &variable_text(document, *target),
            Some(f64::from(*opacity) / 100.0),
        ),
        Held::Easing(points) => value::write(&Value::Easing(points.map(f64::from))),
        Held::Other => owned("something this version does not know"),
    }
}
