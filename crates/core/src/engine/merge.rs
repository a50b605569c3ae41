//! The merge: where sheet and Figma differ, what of it is written, what is kept, and what the designer decides.
//!
//! Owns gathering a row's differences against its base, the list of those that are not written, and choices about
//! them. Must not know how a cell was read or how a write is performed.

use super::identity::{id_key, name_key};
use super::pushing::Trace;
use super::structure::NamePlace;
use super::{Engine, NONE, Stage};
use crate::document::base::{
    Base, Decision, UNMADE, code_of_alias, code_of_bits, code_of_held, code_of_text, code_of_value,
    decide, mode_place,
};
use crate::document::{Held, KEY_SEPARATOR, Link, ModeSlot, VariableSlot};
use crate::plan::{RowChange, Target, Write};
use crate::protocol::panel::{
    Choice, DIFFERENCES_MAX, Difference, DifferenceKind, Differences, LEFT_OUT_MAX, MergePolicy,
    ToPanel,
};
use crate::value::{AliasRef, Reading, Value, VariableType};

/// A difference that is not written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    kind: DifferenceKind,
    /// Its place in the base.
    place: usize,
    /// The codes of what the two sides hold.
    sheet: f64,
    figma: f64,
    /// What would be written.
    pub write: Write,
    /// Whether it is sent to the sheet without being asked for.
    pub pushes: bool,
}

/// Where a listed difference stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// The name of a collection or a mode.
    Name(NamePlace),
    /// Of a row: its place among those that are kept of it.
    Row(u32, usize),
}

/// What has been found of one row so far.
pub(super) struct Merging {
    /// The row's variable, unless it is still to be made.
    pub slot: Option<VariableSlot>,
    /// What is to be written.
    pub writes: Vec<Write>,
    kept: Vec<Kept>,
    /// Places that agree otherwise than the base says.
    agreed: Vec<(usize, f64)>,
    /// What the base says, empty for a variable to be made or of another sheet.
    base: Base,
    policy: MergePolicy,
    /// Whether changes made in Figma may be sent to the sheet.
    two_way: bool,
    /// The row's columns that were sent to the sheet, and what of it the sheet shows.
    traces: Vec<(u32, Trace)>,
    /// Whether Figma keeps what it holds, whoever changed it.
    leaves: bool,
}

impl Merging {
    pub(super) fn of(row: u32, slot: Option<VariableSlot>, engine: &Engine) -> Merging {
        let held = slot.and_then(|slot| engine.document.variable(slot));
        let mut base = held.map_or_else(Base::default, |held| held.base.clone());
        // Before there was a base, the link told the name at the last sync.
        if base.at(0) == 0.0
            && let Some((_, name)) = held
                .and_then(|held| held.link.key())
                .unwrap_or_default()
                .strip_prefix('n')
                .and_then(|rest| rest.split_once(KEY_SEPARATOR))
        {
            base.agree(0, code_of_text(name));
        }
        let connection = engine.connection.as_ref();
        let policy = connection.map_or_else(MergePolicy::default, |connection| connection.policy);
        Merging {
            slot,
            writes: Vec::new(),
            kept: Vec::new(),
            agreed: Vec::new(),
            base,
            policy,
            two_way: connection.is_some_and(|connection| connection.two_way),
            traces: engine.traces_of(row),
            leaves: engine.leaving.contains(row),
        }
    }

    /// What of a place's cell was sent to the sheet and shows there.
    fn trace(&self, write: &Write, engine: &Engine) -> Option<Trace> {
        if self.traces.is_empty() {
            return None;
        }
        let column = engine.column_of(write)?;
        let found = self.traces.iter().find(|(sent, _)| *sent == column);
        found.map(|(_, trace)| *trace)
    }

    fn note(
        &mut self,
        place: usize,
        same: bool,
        sheet: f64,
        figma: f64,
        write: Write,
        engine: &Engine,
    ) {
        if same {
            if self.base.at(place) != sheet {
                self.agreed.push((place, sheet));
            }
            return;
        }
        if self.leaves && !sheet.is_nan() {
            self.agreed.push((place, sheet));
            self.kept.push(Kept {
                kind: DifferenceKind::Drift,
                place,
                sheet,
                figma,
                write,
                pushes: false,
            });
            return;
        }
        let trace = self.trace(&write, engine).filter(|_| !sheet.is_nan());
        if trace.is_some() {
            // What the sheet shows came from here, or is older than what was sent: what Figma holds is newer.
            self.base.agree(place, sheet);
            self.agreed.push((place, sheet));
        }
        let decision = decide(self.base.at(place), sheet, figma, self.policy);
        let kind = match decision {
            Decision::Write => {
                self.writes.push(write);
                return;
            }
            Decision::Drift | Decision::Push => DifferenceKind::Drift,
            Decision::Conflict => DifferenceKind::Conflict,
        };
        let pushes = self.two_way && decision == Decision::Push && !matches!(write, Write::Name);
        self.kept.push(Kept {
            kind,
            place,
            sheet,
            figma,
            write,
            pushes,
        });
    }

    fn held<'a>(&self, mode: Option<ModeSlot>, engine: &'a Engine) -> Option<&'a Held> {
        let variable = engine.document.variable(self.slot?)?;
        variable.values.get(mode?.0 as usize)
    }

    /// A mode's value.
    pub(super) fn value(
        &mut self,
        mode: u32,
        slot: Option<ModeSlot>,
        value: Value,
        engine: &Engine,
    ) {
        let (Some(held), Some(slot)) = (self.held(slot, engine), slot) else {
            self.writes.push(Write::Value { mode, value });
            return;
        };
        let same = held.is(&value);
        let sheet = code_of_value(&value);
        let figma = if same { sheet } else { code_of_held(held) };
        let place = mode_place(slot.0);
        let write = Write::Value { mode, value };
        self.note(place, same, sheet, figma, write, engine);
    }

    /// A mode's alias. `found` is its target's slot, where that exists already.
    pub(super) fn alias(
        &mut self,
        mode: u32,
        slot: Option<ModeSlot>,
        target: Target,
        found: Option<VariableSlot>,
        opacity: Option<f64>,
        engine: &Engine,
    ) {
        let write = Write::Alias {
            mode,
            target,
            opacity,
        };
        let (Some(held), Some(slot)) = (self.held(slot, engine), slot) else {
            self.writes.push(write);
            return;
        };
        let percent = opacity.map(|opacity| super::running::percent(opacity) as f32);
        let same = found.is_some()
            && match held {
                Held::Alias(held) => *held == found && percent.is_none(),
                Held::Composed(held, held_percent) => {
                    *held == found && Some(*held_percent) == percent
                }
                _ => false,
            };
        let sheet = found.map_or(UNMADE, |found| code_of_alias(Some(found), percent));
        let place = mode_place(slot.0);
        self.note(place, same, sheet, code_of_held(held), write, engine);
    }

    /// A text field.
    pub(super) fn text(
        &mut self,
        place: usize,
        want: &str,
        have: &str,
        write: Write,
        engine: &Engine,
    ) {
        let same = want == have;
        let sheet = code_of_text(want);
        let figma = if same { sheet } else { code_of_text(have) };
        self.field(place, same, sheet, figma, write, engine);
    }

    /// A field of bits.
    pub(super) fn bits(
        &mut self,
        place: usize,
        want: u32,
        have: u32,
        write: Write,
        engine: &Engine,
    ) {
        let (sheet, figma) = (code_of_bits(want), code_of_bits(have));
        self.field(place, want == have, sheet, figma, write, engine);
    }

    fn field(
        &mut self,
        place: usize,
        same: bool,
        sheet: f64,
        figma: f64,
        write: Write,
        engine: &Engine,
    ) {
        if self.slot.is_some() {
            self.note(place, same, sheet, figma, write, engine);
        } else if same {
            self.agreed.push((place, sheet));
        } else {
            self.writes.push(write);
        }
    }
}

impl Engine {
    /// What a row's differences come to.
    pub(super) fn close_merge(&mut self, row: u32, mut merging: Merging) -> RowChange {
        let held = merging.slot.and_then(|slot| self.document.variable(slot));
        // A variable that another sheet made keeps that sheet's link and has no base for this one; an import leaves none.
        let tracked = held.is_none_or(|held| held.link != Link::Other) && self.import.is_none();
        if let Some(slot) = merging.slot.filter(|_| tracked) {
            for (place, code) in std::mem::take(&mut merging.agreed) {
                self.document.agree(slot, place, code);
            }
        }
        let unsaved = merging
            .slot
            .and_then(|slot| self.document.variable(slot))
            .is_none_or(|held| held.base.unsaved);
        if tracked
            && self.is_relinked(row)
            && let Some(slot) = merging.slot
        {
            self.document.unsave(slot);
        }
        let linked = merging.writes.contains(&Write::Link);
        if tracked && !linked && (unsaved || !merging.writes.is_empty()) {
            merging.writes.push(Write::Remember);
        }
        if !merging.kept.is_empty() {
            self.kept.put(row, merging.kept);
            self.kept_changed = true;
        }
        RowChange {
            create: merging.slot.is_none(),
            made: false,
            writes: merging.writes,
            agreed: merging.agreed,
        }
    }

    /// Everything planned counts as changed in Figma; rows whose variables would be made are left out.
    pub(super) fn leave_planned(&mut self) {
        let rows: Vec<u32> = self.touched.iter().collect();
        let made = rows
            .iter()
            .filter(|row| self.rows[**row as usize].slot == NONE);
        let keys: Vec<String> = made.map(|row| self.link_key(*row)).collect();
        let Some(connection) = &mut self.connection else {
            return;
        };
        if connection.left_out.len() + keys.len() > LEFT_OUT_MAX {
            // Nearly nothing of the sheet is wanted: that is what switching off is for.
            self.toggle(false);
            return;
        }
        if !keys.is_empty() {
            connection.left_out.extend(keys);
            self.keep();
        }
        self.leaving.extend(rows.iter().copied());
        self.map_again(rows);
    }

    /// Whether the designer left a row out.
    pub(super) fn is_left_out(&self, row: u32) -> bool {
        if self.leaves_existing(row) {
            return true;
        }
        let connection = self.connection.as_ref();
        if connection.is_none_or(|connection| connection.left_out.is_empty()) {
            return false;
        }
        let entry = self
            .collections
            .get(self.rows[row as usize].collection as usize);
        self.leaves_out(&self.link_key(row))
            || entry
                .and_then(|entry| entry.was.as_deref())
                .is_some_and(|was| {
                    self.id_of(row).is_empty()
                        && self.leaves_out(&name_key(was, &self.name_of(row)))
                })
    }

    /// Whether the row of a key was left out.
    pub(super) fn leaves_out(&self, key: &str) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.left_out.iter().any(|left| left == key))
    }

    /// The link's key that belongs to a row's variable.
    pub(super) fn link_key(&self, row: u32) -> String {
        let id = self.id_of(row);
        if !id.is_empty() {
            return id_key(&id);
        }
        let entry = &self.rows[row as usize];
        let collection = self.collections.get(entry.collection as usize);
        name_key(
            collection.map_or("", |entry| entry.name.as_str()),
            &self.name_of(row),
        )
    }

    /// The codes of a row's filled cells, by place in the base; an alias whose target is not made yet has none.
    pub(super) fn codes_of(&self, row: u32, kind: VariableType) -> Vec<(usize, f64)> {
        let Some(entry) = self
            .collections
            .get(self.rows[row as usize].collection as usize)
        else {
            return Vec::new();
        };
        let mut codes = Vec::new();
        for (mode, _, reading) in self.readings(row, Some(kind)) {
            let Some(slot) = entry.modes[mode as usize] else {
                continue;
            };
            let code = match reading {
                Ok(Reading::Value(value)) => code_of_value(&value),
                Ok(Reading::Alias(alias)) => self.code_of_target(&alias, None, row),
                Ok(Reading::Composed { alias, opacity }) => {
                    let percent = super::running::percent(opacity) as f32;
                    self.code_of_target(&alias, Some(percent), row)
                }
                Ok(Reading::Empty | Reading::Hold) | Err(_) => continue,
            };
            codes.push((mode_place(slot.0), code));
        }
        codes
    }

    fn code_of_target(&self, alias: &AliasRef, percent: Option<f32>, row: u32) -> f64 {
        let slot = match self.resolve(alias, row) {
            Ok(Target::Variable(slot)) => Some(slot),
            Ok(Target::Row(target)) => Some(self.rows[target as usize].slot)
                .filter(|slot| *slot != NONE)
                .map(VariableSlot),
            Err(_) => None,
        };
        slot.map_or(UNMADE, |slot| code_of_alias(Some(slot), percent))
    }

    /// Whether one of a row's cells says what it and the variable last agreed on.
    pub(super) fn shares_a_value(&self, row: u32, slot: VariableSlot) -> bool {
        let Some(held) = self.document.variable(slot) else {
            return false;
        };
        let codes = self.codes_of(row, held.kind);
        codes
            .iter()
            .any(|(place, code)| held.base.at(*place) == *code)
    }

    /// The key that a link has when it names the variable's present collection and name.
    pub(super) fn present_key(&self, variable: VariableSlot) -> String {
        let held = self.document.variable(variable);
        let owner = held.and_then(|held| self.document.collection(held.collection));
        name_key(
            owner.map_or("", |owner| owner.name.as_str()),
            held.map_or("", |held| held.name.as_str()),
        )
    }

    /// Tells the differences that are not written, when they are not those told last.
    pub(super) fn tell_differences(&mut self) {
        if !std::mem::take(&mut self.kept_changed) {
            return;
        }
        let mut listed: Vec<Listed> = Vec::new();
        let mut differences = Differences::default();
        for kind in [DifferenceKind::Conflict, DifferenceKind::Drift] {
            let names = self.kept_names(kind);
            let mut total = names.len() as u32;
            for at in names {
                if listed.len() < DIFFERENCES_MAX
                    && let Some(difference) = self.name_difference(at, kind)
                {
                    listed.push(Listed::Name(at));
                    differences.items.push(difference);
                }
            }
            for row in self.kept.keys() {
                let kept = self.kept.get(row).map_or(&[][..], Vec::as_slice);
                for (at, entry) in kept.iter().enumerate() {
                    if entry.kind != kind {
                        continue;
                    }
                    if self.is_on_its_way(row, entry) {
                        continue;
                    }
                    total += 1;
                    if listed.len() < DIFFERENCES_MAX
                        && let Some(difference) = self.difference(row, entry)
                    {
                        listed.push(Listed::Row(row, at));
                        differences.items.push(difference);
                    }
                }
            }
            match kind {
                DifferenceKind::Conflict => differences.conflicts = total,
                DifferenceKind::Drift => differences.drifts = total,
            }
        }
        if listed.is_empty() && self.listed.is_empty() {
            return;
        }
        self.list_number += 1;
        self.listed = listed;
        differences.list = self.list_number;
        self.post(ToPanel::Differences(differences));
    }

    fn difference(&self, row: u32, kept: &Kept) -> Option<Difference> {
        let layout = self.layout.as_ref()?;
        let column = self.column_of(&kept.write);
        let entry = &self.rows[row as usize];
        let collection = self.collections.get(entry.collection as usize)?;
        Some(Difference {
            kind: kept.kind,
            collection: collection.name.clone(),
            name: self.name_of(row).into_owned(),
            address: self.at(row, column.unwrap_or(layout.name)),
            values: self.field_change(row, &kept.write)?,
            unsent: self.unsent(row, kept),
        })
    }

    /// The column of the cell that a write comes from; none for a name, which may be put together from several.
    pub(super) fn column_of(&self, write: &Write) -> Option<u32> {
        let layout = self.layout.as_ref()?;
        match write {
            Write::Value { mode, .. } | Write::Alias { mode, .. } => {
                Some(layout.modes[*mode as usize].column)
            }
            Write::Name | Write::Link | Write::Remember => None,
            Write::Description => layout.description,
            Write::Scopes(_) => layout.scopes,
            Write::Code(platform) => layout.code[usize::from(*platform)],
            Write::Hidden(_) => layout.hidden,
        }
    }

    /// The designer's choice about listed differences; no places mean all, the unlisted ones too.
    pub fn choose(&mut self, list: u32, items: &[u32], choice: Choice) {
        if self.is_out_of_date() {
            return;
        }
        let is_settled = matches!(self.stage, Stage::Rest) && self.document_known;
        if list != self.list_number || !is_settled || !self.may_sync() {
            self.kept_changed = true;
            self.refuse(
                "These differences have changed since.",
                "Look at the new list and choose again.",
            );
            self.tell_differences();
            return;
        }
        let chosen: Vec<Listed> = if items.is_empty() {
            let all = self.kept.keys().flat_map(|row| {
                let count = self.kept.get(row).map_or(0, Vec::len);
                (0..count).map(move |at| Listed::Row(row, at))
            });
            let kinds = [DifferenceKind::Conflict, DifferenceKind::Drift];
            let names = kinds.into_iter().flat_map(|kind| self.kept_names(kind));
            names.map(Listed::Name).chain(all).collect()
        } else {
            let listed = items.iter().filter_map(|at| self.listed.get(*at as usize));
            listed.copied().collect()
        };
        let mut rows: Vec<u32> = Vec::new();
        let mut names = false;
        for place in chosen {
            let (row, at) = match place {
                Listed::Row(row, at) => (row, at),
                Listed::Name(at) => {
                    self.choose_name(at, choice);
                    names = true;
                    continue;
                }
            };
            let kept = self.kept.get(row).and_then(|kept| kept.get(at));
            let slot = self.rows.get(row as usize).map_or(NONE, |entry| entry.slot);
            let (Some(kept), true) = (kept, slot != NONE) else {
                continue;
            };
            let (place, sheet, figma) = (kept.place, kept.sheet, kept.figma);
            let is_conflict = kept.kind == DifferenceKind::Conflict;
            if choice == Choice::Send && !self.can_be_sent(row, kept) {
                continue;
            }
            if choice == Choice::Send || (choice == Choice::Figma && is_conflict) {
                self.want_sent(row, at);
            }
            let code = match choice {
                // As if Figma's value were what was agreed: then the sheet alone has changed.
                Choice::Sheet => figma,
                // As if the sheet's value were: then Figma alone has changed, and keeps it.
                Choice::Figma | Choice::Send if sheet.is_nan() => continue,
                Choice::Figma | Choice::Send => sheet,
            };
            self.chosen.push((slot, place, code));
            if rows.last() != Some(&row) {
                rows.push(row);
            }
        }
        if rows.is_empty() && !names {
            return;
        }
        self.kept_changed |= names;
        rows.sort_unstable();
        rows.dedup();
        self.map_again(rows);
    }

    /// Reads the variables of some rows again and maps the rows.
    fn map_again(&mut self, rows: Vec<u32>) {
        self.waiting = None;
        if !self.document_known {
            // What the rows stand for is to be read first.
            self.start_over();
            return;
        }
        for row in &rows {
            self.forget_row(*row);
        }
        self.stage = if rows.is_empty() {
            Stage::Mapping { at: 0 }
        } else {
            Stage::ReadingSome
        };
        self.dirty = rows;
    }

    /// What was chosen becomes the base, after the variables were read again: what changed since is a difference anew.
    pub(super) fn take_choices(&mut self) {
        for (slot, place, code) in std::mem::take(&mut self.chosen) {
            self.document.agree(VariableSlot(slot), place, code);
        }
    }

    /// What becomes of changes made in Figma from now on.
    pub fn set_policy(&mut self, policy: MergePolicy) {
        let Some(connection) = &mut self.connection else {
            self.refuse(
                "No sheet is connected to this file.",
                "Choose a sheet first.",
            );
            return;
        };
        if connection.policy == policy {
            return;
        }
        connection.policy = policy;
        self.keep();
        self.merge_anew();
    }

    /// Merges what is kept once more, under another policy.
    pub(super) fn merge_anew(&mut self) {
        let keeps_some = !self.kept.is_empty() || self.keeps_names();
        if !keeps_some || !matches!(self.stage, Stage::Rest) || !self.may_sync() {
            return;
        }
        self.merge_all_names();
        self.kept_changed = true;
        let rows = self.kept.keys().collect();
        self.map_again(rows);
    }
}
