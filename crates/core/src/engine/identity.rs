//! Which variable a row stands for.
//!
//! Owns the one order in which a variable is recognised: by its link (the row's id, else collection and name at its
//! making), else by its present collection and name. Must not know what differs.

use super::rows::Typed;
use super::{Engine, NONE};
use crate::document::index::hash;
use crate::document::{KEY_SEPARATOR, Link, VariableSlot};
use crate::mapping::grid::{cell, shown};
use crate::value::VariableType;

/// The link's key of a row with an id.
pub(super) fn id_key(id: &str) -> String {
    ["i", id].concat()
}

/// The link's key of a row without an id.
pub(super) fn name_key(collection: &str, name: &str) -> String {
    let mut key = String::with_capacity(collection.len() + name.len() + 2);
    key.push('n');
    key.push_str(collection);
    key.push(KEY_SEPARATOR);
    key.push_str(name);
    key
}

impl Engine {
    /// The row's id; empty where there is none.
    pub(super) fn id_of(&self, row: u32) -> std::borrow::Cow<'_, str> {
        match self.layout.as_ref().and_then(|layout| layout.id) {
            Some(column) => shown(cell(self.grid.row(row), column)),
            None => "".into(),
        }
    }

    /// The name in a row's name cell.
    pub(super) fn name_of(&self, row: u32) -> std::borrow::Cow<'_, str> {
        let known = self.rows.get(row as usize).and_then(|entry| entry.name);
        if let Some((from, to)) = known
            && let Some(name) = self.grid.row(row).get(from as usize..to as usize)
        {
            return name.into();
        }
        match &self.layout {
            Some(layout) => shown(cell(self.grid.row(row), layout.name)),
            None => "".into(),
        }
    }

    /// Finds and claims the variable of a row, once.
    pub(super) fn attach(&mut self, row: u32) -> Option<VariableSlot> {
        let entry = &self.rows[row as usize];
        if entry.matched {
            return (entry.slot != NONE).then_some(VariableSlot(entry.slot));
        }
        let found = self.find(row);
        let entry = &mut self.rows[row as usize];
        entry.matched = true;
        entry.slot = found.map_or(NONE, |slot| slot.0);
        if let Some(slot) = found {
            self.claim(slot, row);
        }
        found
    }

    /// Notes that `row` stands for the variable.
    pub(super) fn claim(&mut self, slot: VariableSlot, row: u32) {
        let at = slot.0 as usize;
        if self.row_of_slot.len() <= at {
            self.row_of_slot.resize(at + 1, NONE);
        }
        self.row_of_slot[at] = row;
        self.orphans.remove(slot.0);
        self.declined.remove(slot.0);
    }

    /// The row stands for no variable any longer; a variable of ours that loses its row is an orphan.
    pub(super) fn detach(&mut self, row: u32) {
        let Some(entry) = self.rows.get_mut(row as usize) else {
            return;
        };
        let slot = std::mem::replace(&mut entry.slot, NONE);
        entry.matched = false;
        if slot != NONE && self.row_of_slot.get(slot as usize) == Some(&row) {
            self.row_of_slot[slot as usize] = NONE;
            let slot = VariableSlot(slot);
            if self
                .document
                .variable(slot)
                .is_some_and(|variable| variable.link.is_own())
            {
                self.orphans.insert(slot.0);
            }
        }
    }

    /// Figma has no such variable any longer.
    pub(super) fn let_go(&mut self, slot: VariableSlot) {
        self.document.put(slot, None);
        self.orphans.remove(slot.0);
        if let Some(row) = self
            .row_of_slot
            .get(slot.0 as usize)
            .copied()
            .filter(|row| *row != NONE)
        {
            self.row_of_slot[slot.0 as usize] = NONE;
            if let Some(entry) = self.rows.get_mut(row as usize) {
                entry.slot = NONE;
                entry.matched = false;
                entry.verdict = super::rows::Verdict::Unknown;
            }
        }
    }

    fn is_free(&self, slot: VariableSlot, row: u32) -> bool {
        self.row_of_slot
            .get(slot.0 as usize)
            .is_none_or(|owner| *owner == NONE || *owner == row)
    }

    /// The type that a row's type cell names.
    pub(super) fn typed(&self, row: u32) -> Option<VariableType> {
        match self.rows.get(row as usize)?.typed {
            Typed::Kind(kind) => Some(kind),
            Typed::Nothing | Typed::Word => None,
        }
    }

    /// A row that stood for `slot` has another name now: the variable is renamed, unless a row still has its name, the
    /// new name has a variable, or nothing else of the row stayed.
    pub(super) fn follow_rename(&mut self, row: u32, slot: VariableSlot) {
        let entry = &self.rows[row as usize];
        let owner = self
            .collections
            .get(entry.collection as usize)
            .and_then(|entry| entry.slot);
        let Some(held) = self.document.variable(slot) else {
            return;
        };
        let follows = owner == Some(held.collection)
            && !matches!(held.link, Link::None | Link::Other)
            && self.id_of(row).is_empty()
            && self.is_free(slot, row)
            && !self.is_named(slot)
            && self.find(row).is_none()
            && self.typed(row).is_none_or(|kind| kind == held.kind)
            && self.shares_a_value(row, slot);
        if follows {
            let entry = &mut self.rows[row as usize];
            entry.matched = true;
            entry.slot = slot.0;
            self.claim(slot, row);
        }
    }

    fn find(&self, row: u32) -> Option<VariableSlot> {
        let entry = &self.rows[row as usize];
        let collection = self.collections.get(entry.collection as usize)?;
        let name = self.name_of(row);
        let id = self.id_of(row);
        let linked = if id.is_empty() {
            None
        } else {
            self.document.linked(&id_key(&id))
        };
        if let Some(slot) = linked.filter(|slot| self.is_free(*slot, row)) {
            return Some(slot);
        }
        if id.is_empty() && collection.slot.is_some() {
            // The variable may have been renamed in Figma.
            let was = collection.was.iter().map(String::as_str);
            for called in std::iter::once(collection.name.as_str()).chain(was) {
                let linked = self.document.linked(&name_key(called, &name));
                if let Some(slot) = linked.filter(|slot| {
                    let held = self.document.variable(*slot);
                    self.is_free(*slot, row)
                        && held.map(|variable| variable.collection) == collection.slot
                }) {
                    return Some(slot);
                }
            }
        }
        let owner = collection.slot?;
        let (slot, variable) = self
            .document
            .named(&name, hash(&name))
            .find(|(_, variable)| variable.collection == owner)?;
        let spoken_for = variable
            .link
            .key()
            .is_some_and(|key| self.has_row_with_key(key, row));
        (self.is_free(slot, row) && !spoken_for).then_some(slot)
    }

    /// Whether another row is the one that the link's key names.
    pub(super) fn has_row_with_key(&self, key: &str, except: u32) -> bool {
        if let Some(id) = key.strip_prefix('i') {
            return self
                .ids
                .under(hash(id))
                .any(|row| row != except && self.id_of(row) == id);
        }
        let Some((collection, name)) = key
            .strip_prefix('n')
            .and_then(|rest| rest.split_once(KEY_SEPARATOR))
        else {
            return false;
        };
        self.names.under(hash(name)).any(|row| {
            row != except
                && self.name_of(row) == name
                && self
                    .collections
                    .get(self.rows[row as usize].collection as usize)
                    .is_some_and(|entry| {
                        entry.name == collection || entry.was.as_deref() == Some(collection)
                    })
        })
    }
}
