//! Rows whose type is no longer their variable's.
//!
//! Owns which of them are offered a new variable in the place of the old one, what keeps one from being offered, what
//! uses the old ones, and the exchange itself. Must not know how layers are looked through.
//!
//! Figma can't change a variable's type: the old one is removed and a new one made with its name, link, description,
//! code syntax and those scopes that fit. Layers that use the old one lose it, in this file and in every file that has
//! it from a library, so that each exchange is asked for by itself and is never part of a run that nobody confirmed.
//! Nothing else is left pointing at what is gone: while another variable refers to the old one, it is not offered.

use super::rows::{Reason, Verdict};
use super::{CellProblem, Confirmed, Engine, NONE, Previewing, Stage};
use crate::apply::{Figma, Op};
use crate::document::{Held, Platform, RECORD_END, Scopes, TEXT_SEPARATOR, Variable, VariableSlot};
use crate::history::{Part, Past};
use crate::owned;
use crate::plan::Target;
use crate::protocol::panel::{Counts, FieldChange, PreviewKind, PreviewRow, Uses, WaitReason};
use crate::sorted::SortedMap;
use crate::value::{Reading, VariableType};

/// Layers named of those that use a variable; the others are counted.
pub const LAYERS_NAMED_MAX: usize = 5;

/// What is known of rows with another type than their variables.
#[derive(Debug, Default)]
pub(super) struct Retypes {
    /// Those rows.
    pub rows: crate::sorted::BitSet,
    /// Those of them that the plan offers, in order.
    pub offered: Vec<u32>,
    /// Links' keys and types that the designer does not want.
    kept: Vec<(String, VariableType)>,
    /// Links' keys of rows where Figma did not take the exchange, and what it said.
    refused: Vec<(String, String)>,
    /// What uses the variables, by slot.
    uses: SortedMap<u32, Uses>,
}

impl Retypes {
    /// Everything is asked and looked through anew.
    pub fn ask_again(&mut self) {
        self.kept.clear();
        self.refused.clear();
        self.uses.clear();
    }
}

impl Engine {
    /// Decides which rows are offered a new variable, and says of the others why they are not.
    pub(super) fn offer_retypes(&mut self) {
        self.retypes.offered.clear();
        let rows: Vec<u32> = self.retypes.rows.iter().collect();
        let keys: Vec<String> = rows.iter().map(|row| self.link_key(*row)).collect();
        let is_there = |key: &String| keys.contains(key);
        self.retypes.kept.retain(|(key, _)| is_there(key));
        self.retypes.refused.retain(|(key, _)| is_there(key));
        let keeps = |row: u32, key: &String| {
            let kind = self.typed(row);
            let mut kept = self.retypes.kept.iter();
            kept.any(|(kept, of)| kept == key && Some(*of) == kind)
        };
        let (kept, open): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .zip(keys)
            .partition(|(row, key)| keeps(*row, key));
        for (row, _) in kept {
            self.explain(row, Reason::Retype);
        }
        let rows: Vec<u32> = open.iter().map(|(row, _)| *row).collect();
        for (row, key) in &open {
            let kind = self.typed(*row);
            let trouble = match kind {
                Some(kind) => self.retype_troubles(*row, kind, key, &rows),
                None => Vec::new(),
            };
            if !trouble.is_empty() {
                self.problems.put(*row, trouble);
            } else if self.is_ours(*row) {
                self.problems.remove(*row);
                self.retypes.offered.push(*row);
            }
        }
    }

    /// Whether Sheetwire made a row's variable. No other is removed.
    fn is_ours(&self, row: u32) -> bool {
        self.old_variable(row)
            .is_some_and(|(_, held)| held.link.is_own())
    }

    fn old_variable(&self, row: u32) -> Option<(VariableSlot, &Variable)> {
        let slot = Some(self.rows.get(row as usize)?.slot).filter(|slot| *slot != NONE)?;
        let slot = VariableSlot(slot);
        Some((slot, self.document.variable(slot)?))
    }

    /// What keeps a row from being offered: Figma's refusal, cells that are none of the new type, or variables that refer
    /// to the old one and are not to be exchanged themselves.
    fn retype_troubles(
        &self,
        row: u32,
        kind: VariableType,
        key: &str,
        rows: &[u32],
    ) -> Vec<CellProblem> {
        let column = self
            .layout
            .as_ref()
            .map_or(0, |layout| layout.kind.unwrap_or(layout.name));
        let problem = |column: u32, message: String, remedy: &str| CellProblem {
            column,
            message,
            remedy: owned(remedy),
        };
        if let Some((_, text)) = self.retypes.refused.iter().find(|(of, _)| of == key) {
            let message = ["Figma did not change this variable's type: ", text].concat();
            return vec![problem(
                column,
                message,
                "Press Sync now to be asked again.",
            )];
        }
        let mut troubles = Vec::new();
        let mut filled = false;
        for (_, at, reading) in self.readings(row, Some(kind)) {
            match reading {
                Ok(Reading::Empty | Reading::Hold) => {}
                Ok(Reading::Value(_)) => filled = true,
                Ok(Reading::Alias(alias) | Reading::Composed { alias, .. }) => {
                    filled = true;
                    let target = self.resolve(&alias, row).ok();
                    if target.and_then(|target| self.kind_to_be(target)) != Some(kind) {
                        let message =
                            ["“", &alias.name, "” will not be a ", kind.name(), "."].concat();
                        let remedy = "Refer to a variable of the same type.";
                        troubles.push(problem(at, message, remedy));
                    }
                }
                Err(error) => {
                    troubles.push(problem(at, owned(error.message()), error.remedy()));
                }
            }
        }
        if !filled && troubles.is_empty() {
            let message = ["The row has no value for a ", kind.name(), "."].concat();
            troubles.push(problem(
                column,
                message,
                "Fill in a value, or write the old type again.",
            ));
        }
        if let Some(other) = self.referrer(row, rows) {
            let message = [
                &other,
                " refers to this variable and would refer to nothing if its type changed.",
            ];
            let remedy = "Give that one a value of its own first, or change its type as well.";
            troubles.push(problem(column, message.concat(), remedy));
        }
        troubles
    }

    /// The type that an alias's target has when everything offered is done.
    fn kind_to_be(&self, target: Target) -> Option<VariableType> {
        match target {
            Target::Variable(slot) => self.document.kind_of(slot),
            Target::Row(row) if self.retypes.rows.contains(row) => self.typed(row),
            Target::Row(row) => match self.rows[row as usize].verdict {
                Verdict::Kind(kind) => Some(kind),
                Verdict::Unknown | Verdict::Pending | Verdict::Bad(_) => None,
            },
        }
    }

    /// A variable that refers to a row's and is none of `rows`': its address in the sheet, or its name.
    fn referrer(&self, row: u32, rows: &[u32]) -> Option<String> {
        let (old, _) = self.old_variable(row)?;
        (0..self.document.slots())
            .map(VariableSlot)
            .find_map(|slot| {
                let held = self.document.variable(slot)?;
                let mut targets = held.values.iter().filter_map(Held::target);
                let refers = targets.any(|target| target == old);
                if !refers {
                    return None;
                }
                let own = self.row_of_slot.get(slot.0 as usize).copied();
                match own.filter(|own| *own != NONE) {
                    Some(own) if rows.contains(&own) => None,
                    Some(own) => {
                        let column = self.layout.as_ref().map_or(0, |layout| layout.name);
                        Some(["“", &held.name, "” (", &self.at(own, column), ")"].concat())
                    }
                    None => Some(["“", &held.name, "” in this file"].concat()),
                }
            })
    }

    /// Shows a plan; what uses the variables that it offers to exchange is counted first.
    pub(super) fn begin_preview(&mut self, reason: Option<WaitReason>, counts: Counts) {
        let is_counted = |row: &u32| {
            let slot = self.rows[*row as usize].slot;
            self.retypes.uses.contains(slot)
        };
        self.stage = if self.retypes.offered.iter().all(is_counted) {
            Stage::Previewing(Box::new(Previewing {
                reason,
                counts,
                at: 0,
                rows: Vec::new(),
            }))
        } else {
            Stage::CountingUses { reason, counts }
        };
    }

    /// The variables whose uses are to be counted.
    pub(super) fn slots_to_count(&self) -> Vec<VariableSlot> {
        let offered = self.retypes.offered.iter();
        offered
            .map(|row| VariableSlot(self.rows[*row as usize].slot))
            .collect()
    }

    /// Takes what uses the variables that [`super::Step::CountUses`] named, one record each and in their order: how many
    /// layers, then the first [`LAYERS_NAMED_MAX`] names. `partial`: not everything was looked at.
    pub fn uses_counted(&mut self, partial: bool, text: &str) {
        let Stage::CountingUses { reason, counts } = self.stage.clone() else {
            return;
        };
        let mut records = text.split(RECORD_END);
        for slot in self.slots_to_count() {
            let mut words = records.next().unwrap_or_default().split(TEXT_SEPARATOR);
            let layers = words.next().and_then(|count| count.parse().ok());
            let uses = Uses {
                layers: layers.unwrap_or_default(),
                names: words.take(LAYERS_NAMED_MAX).map(str::to_owned).collect(),
                partial: partial || layers.is_none(),
            };
            self.retypes.uses.put(slot.0, uses);
        }
        self.begin_preview(reason, counts);
    }

    /// An offer as a preview's row.
    pub(super) fn retype_row(&self, row: u32) -> Option<PreviewRow> {
        let layout = self.layout.as_ref()?;
        let kind = self.typed(row)?;
        let (slot, held) = self.old_variable(row)?;
        let entry = self
            .collections
            .get(self.rows[row as usize].collection as usize)?;
        let mut fields = vec![FieldChange {
            field: owned("type"),
            before: Some(owned(held.kind.name())),
            after: owned(kind.name()),
        }];
        for (mode, column, _) in self.readings(row, Some(kind)) {
            let before = entry.modes[mode as usize]
                .and_then(|mode| held.values.get(mode.0 as usize))
                .map(|value| super::report::held_text(&self.document, value));
            let cell = crate::mapping::grid::cell(self.grid.row(row), column);
            fields.push(FieldChange {
                field: layout.modes[mode as usize].name.clone(),
                before: before.filter(|text| !text.is_empty()),
                after: crate::mapping::grid::shown(cell).into_owned(),
            });
        }
        Some(PreviewRow {
            kind: PreviewKind::Retype,
            collection: entry.name.clone(),
            name: self.name_of(row).into_owned(),
            address: self.at(row, layout.kind.unwrap_or(layout.name)),
            fields,
            uses: self.retypes.uses.get(slot.0).cloned(),
        })
    }

    /// The designer has seen the offers and chose some: the others keep their types.
    pub(super) fn choose_retypes(&mut self, chosen: &[u32]) -> Vec<String> {
        let mut keys = Vec::new();
        for row in std::mem::take(&mut self.retypes.offered) {
            let key = self.link_key(row);
            match self.typed(row) {
                Some(_) if chosen.contains(&row) => keys.push(key),
                Some(kind) => self.retypes.kept.push((key, kind)),
                None => {}
            }
        }
        keys
    }

    /// Of what the designer chose, the rows that are still offered and that nothing else refers to.
    pub(super) fn rows_to_retype(&self, keys: &[String]) -> Vec<u32> {
        let offered = self.retypes.offered.iter().copied();
        let mut rows: Vec<u32> = offered
            .filter(|row| keys.contains(&self.link_key(*row)))
            .collect();
        loop {
            let sound: Vec<u32> = rows
                .iter()
                .copied()
                .filter(|row| self.referrer(*row, &rows).is_none())
                .collect();
            if sound.len() == rows.len() {
                return sound;
            }
            rows = sound;
        }
    }

    /// Exchanges the next variable, and lets the run go on when all are.
    pub(super) fn retype_step(
        &mut self,
        rows: Vec<u32>,
        at: usize,
        confirmed: Box<Confirmed>,
        figma: &mut impl Figma,
    ) {
        if at == 0 {
            self.begin_marked_run(figma);
        }
        let Some(row) = rows.get(at).copied() else {
            self.confirmed = Some(*confirmed);
            self.document_known = false;
            self.start_over();
            return;
        };
        if let Err(text) = self.exchange(row, figma) {
            self.totals.refused += 1;
            let key = self.link_key(row);
            self.retypes.refused.push((key, text));
        }
        self.stage = Stage::Retyping {
            rows,
            at: at + 1,
            confirmed,
        };
    }

    /// Makes a variable of the row's type in the place of the old one. All of it happens in one step, so that a plugin
    /// which ends in between leaves the one or the other; its values are the run's.
    fn exchange(&mut self, row: u32, figma: &mut impl Figma) -> Result<(), String> {
        let (Some(kind), Some((old, _))) = (self.typed(row), self.old_variable(row)) else {
            return Ok(());
        };
        let past = self.whole_variable(old, figma);
        let Some(held) = self.document.variable(old).cloned() else {
            return Err(owned("it is not in this file any more"));
        };
        let name = held.name.as_str();
        let aside = [name, " (old type)"].concat();
        figma.write(&Op::Rename {
            variable: old,
            name: &aside,
        })?;
        let new = self.document.next_variable();
        let key = self.link_key(row);
        let made = figma.write(&Op::CreateVariable {
            variable: new,
            collection: held.collection,
            name,
            kind,
            key: Some(&key),
        });
        let removed = made.and_then(|()| {
            // It takes a slot, whatever comes of it.
            let mut variable = held.clone();
            variable.kind = kind;
            self.document.put(new, Some(variable));
            self.dress(new, &held, kind, figma);
            let removed = figma.write(&Op::Remove { variable: old });
            if removed.is_err() && figma.write(&Op::Remove { variable: new }).is_ok() {
                self.document.put(new, None);
            }
            removed
        });
        if let Err(text) = removed {
            // As it was; a name that is not taken back either is told by the next comparison.
            let back = figma.write(&Op::Rename {
                variable: old,
                name,
            });
            if back.is_err() {
                self.totals.stale = true;
            }
            return Err(text);
        }
        match past {
            Some(past) => self.journal.add(&past),
            None => self.journal.is_lossy = true,
        }
        let id = figma.id(Part::Variable(new));
        self.journal.add(&Past::NoVariable { id });
        self.let_go(old);
        self.totals.writes += 1;
        self.totals.counts.retyped += 1;
        Ok(())
    }

    /// Gives the new variable what the old one had beside its values. What Figma does not take is not worth giving the
    /// exchange up for: the sheet's columns write it again.
    fn dress(
        &mut self,
        new: VariableSlot,
        held: &Variable,
        kind: VariableType,
        figma: &mut impl Figma,
    ) {
        let mut refused = 0;
        let mut write = |op: &Op<'_>| refused += u32::from(figma.write(op).is_err());
        if !held.description.is_empty() {
            write(&Op::SetDescription {
                variable: new,
                text: &held.description,
            });
        }
        let scopes = held.scopes.fitting(kind);
        if scopes != Scopes::ALL {
            write(&Op::SetScopes {
                variable: new,
                scopes,
            });
        }
        for (platform, text) in Platform::ALL.into_iter().zip(&held.code) {
            if !text.is_empty() {
                write(&Op::SetCode {
                    variable: new,
                    platform,
                    text,
                });
            }
        }
        if held.hidden {
            write(&Op::SetHidden {
                variable: new,
                hidden: true,
            });
        }
        self.totals.refused += refused;
    }
}
