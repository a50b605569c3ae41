//! Renames that happened out of sight: rows without a variable beside variables without a row.
//!
//! Owns guessing which of them belong together. Must not apply a guess: a plan with one waits for the designer.
//!
//! While the sheet is followed, a changed name cell tells a rename (identity.rs). After an absence only the outcome is
//! seen: some names are new and some are gone. A row and a variable of one collection and type whose values agree
//! everywhere are taken for one another when nothing else fits as well; where several fit, by the last part of the name,
//! and what is left in the order of both, when as many are new as are gone.

use super::{Engine, NONE, Stage};
use crate::document::base::mode_place;
use crate::document::index::hash;
use crate::document::{Link, VariableSlot};
use crate::engine::rows::Verdict;
use crate::sorted::BitSet;

/// A row or a variable that looks for the other.
struct Loose {
    /// Of collection, type and values; those that fit have the same.
    signature: u32,
    row: Option<u32>,
    slot: Option<VariableSlot>,
    /// The name after its last `/`.
    leaf: String,
}

fn leaf(name: &str) -> String {
    let at = name.rfind('/').map_or(0, |at| at + 1);
    name[at..].to_owned()
}

/// FNV-1a's step over a number; an alias counts as such, since its target may be renamed as well.
fn mix(hash: u32, code: f64) -> u32 {
    let word = if code < 0.0 || code.is_nan() {
        1
    } else {
        code as u32
    };
    let hash = (hash ^ (word & 0xffff)).wrapping_mul(0x0100_0193);
    (hash ^ (word >> 16)).wrapping_mul(0x0100_0193)
}

impl Engine {
    /// Pairs rows with variables; rows of a pair, and those that refer to one, are mapped again.
    pub(super) fn pair_renames(&mut self) {
        self.stage = Stage::Judging;
        if self.planned.created == 0 || self.paired {
            return;
        }
        self.paired = true;
        let mut loose = self.loose_variables();
        if loose.is_empty() {
            return;
        }
        loose.extend(self.loose_rows());
        // Variables before rows, each in its own order.
        loose.sort_by_key(|entry| (entry.signature, entry.row.is_some(), entry.row));
        let mut pairs: Vec<(u32, VariableSlot)> = Vec::new();
        for group in loose.chunk_by(|one, other| one.signature == other.signature) {
            let (slots, rows): (Vec<&Loose>, Vec<&Loose>) =
                group.iter().partition(|entry| entry.slot.is_some());
            pair_group(&slots, &rows, &mut pairs);
        }
        if pairs.is_empty() {
            return;
        }
        let mut dirty: BitSet = BitSet::default();
        for (row, slot) in pairs {
            // Rows that refer to the old name find nothing under it any more.
            if let Some(held) = self.document.variable(slot) {
                let name = hash(&held.name);
                let referring = self.references.iter().filter(|(other, _)| *other == name);
                dirty.extend(referring.map(|(_, row)| *row));
            }
            let entry = &mut self.rows[row as usize];
            entry.matched = true;
            entry.slot = slot.0;
            entry.verdict = Verdict::Unknown;
            self.claim(slot, row);
            self.guessed.insert(row);
            dirty.insert(row);
        }
        for (row, entry) in self.rows.iter().enumerate() {
            if entry.targets.iter().any(|target| dirty.contains(*target)) {
                self.dirty.push(row as u32);
            }
        }
        let referring = std::mem::take(&mut self.dirty);
        dirty.extend(referring);
        let rows: Vec<u32> = dirty.iter().collect();
        for row in &rows {
            self.forget_row(*row);
        }
        self.dirty = rows;
        self.whole = false;
        self.stage = Stage::Mapping { at: 0 };
    }

    /// Variables whose rows are gone, with what they last agreed on.
    fn loose_variables(&self) -> Vec<Loose> {
        let mut loose = Vec::new();
        for slot in (0..self.document.slots()).map(VariableSlot) {
            let Some(held) = self.document.variable(slot) else {
                continue;
            };
            let linked = match &held.link {
                Link::Own | Link::OwnKey(_) | Link::Used(_) => true,
                Link::None | Link::Other => false,
            };
            let has_row = self
                .row_of_slot
                .get(slot.0 as usize)
                .is_some_and(|row| *row != NONE);
            let by_id = held.link.key().is_some_and(|key| key.starts_with('i'));
            if !linked || has_row || by_id || self.apart.contains(slot.0) || self.is_named(slot) {
                continue;
            }
            let Some(entry) = self
                .collections
                .iter()
                .find(|entry| entry.slot == Some(held.collection))
            else {
                continue;
            };
            let mut signature = mix(
                mix(0, f64::from(held.collection.0)),
                held.kind as u32 as f64,
            );
            let mut agreed = false;
            for mode in &entry.modes {
                let code = mode.map_or(0.0, |mode| held.base.at(mode_place(mode.0)));
                agreed |= code != 0.0;
                signature = mix(signature, code);
            }
            if agreed {
                loose.push(Loose {
                    signature,
                    row: None,
                    slot: Some(slot),
                    leaf: leaf(&held.name),
                });
            }
        }
        loose
    }

    /// Rows whose variables would be made.
    fn loose_rows(&self) -> Vec<Loose> {
        let mut loose = Vec::new();
        for row in self.touched.iter() {
            let entry = &self.rows[row as usize];
            let Verdict::Kind(kind) = entry.verdict else {
                continue;
            };
            if !self.changes[row as usize].create || !self.id_of(row).is_empty() {
                continue;
            }
            let Some(collection) = self.collections.get(entry.collection as usize) else {
                continue;
            };
            let Some(owner) = collection.slot else {
                continue;
            };
            let codes = self.codes_of(row, kind);
            let mut signature = mix(mix(0, f64::from(owner.0)), kind as u32 as f64);
            for mode in &collection.modes {
                let code = mode.map_or(0.0, |mode| {
                    let place = mode_place(mode.0);
                    let found = codes.iter().find(|(at, _)| *at == place);
                    found.map_or(0.0, |(_, code)| *code)
                });
                signature = mix(signature, code);
            }
            loose.push(Loose {
                signature,
                row: Some(row),
                slot: None,
                leaf: leaf(&self.name_of(row)),
            });
        }
        loose
    }

    /// The designer says that guessed renames are none: new variables are made, and the old ones are without rows.
    pub fn keep_apart(&mut self, plan: u32) {
        if self.is_out_of_date() || self.take_waiting(plan).is_none() {
            return;
        }
        for row in self.guessed.iter() {
            let slot = self.rows.get(row as usize).map_or(NONE, |entry| entry.slot);
            if slot != NONE {
                self.apart.insert(slot);
            }
        }
        self.keep_structure_apart();
        self.start_over();
    }
}

fn pair_group(slots: &[&Loose], rows: &[&Loose], pairs: &mut Vec<(u32, VariableSlot)>) {
    let mut free_slots: Vec<&Loose> = slots.to_vec();
    let mut free_rows: Vec<&Loose> = Vec::new();
    let alone = |all: &[&Loose], leaf: &str| all.iter().filter(|one| one.leaf == leaf).count() == 1;
    for row in rows {
        let same = free_slots
            .iter()
            .position(|slot| slot.leaf == row.leaf)
            .filter(|_| alone(slots, &row.leaf) && alone(rows, &row.leaf));
        match (same, row.row) {
            (Some(at), Some(place)) => {
                pairs.extend(free_slots.remove(at).slot.map(|slot| (place, slot)));
            }
            _ => free_rows.push(row),
        }
    }
    if free_slots.len() == free_rows.len() {
        let both = free_rows.iter().zip(&free_slots);
        pairs.extend(both.filter_map(|(row, slot)| Some((row.row?, slot.slot?))));
    }
}
