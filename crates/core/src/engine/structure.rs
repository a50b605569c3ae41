//! Collections and modes: which of Figma's each name of the sheet stands for, and what becomes of their names.
//!
//! Owns recognising them, the merge of their names, and making, renaming and linking them. Must not know rows' values.
//!
//! A collection is recognised by its link, then by its name; a mode by its collection's link, then by its name. Where the
//! sheet has renamed one, the link still tells the old name: a collection is known by the variables in it, a mode by its
//! column (the connection's `renamed_modes`). Names are merged as values are, with the link as the base.

use super::running::Outcome;
use super::{CellProblem, Engine, NONE};
use crate::apply::{Figma, Op, Refusal, Run};
use crate::decimal;
use crate::document::base::{Decision, code_of_text, decide};
use crate::document::index::hash;
use crate::document::{
    Collection, CollectionLink, CollectionSlot, KEY_SEPARATOR, Link, Mode, ModeSlot, VariableSlot,
};
use crate::engine::identity::{id_key, name_key};
use crate::history::{Part, Past};
use crate::owned;
use crate::protocol::panel::{
    Choice, Difference, DifferenceKind, FieldChange, MergePolicy, PreviewKind, PreviewRow, Unsent,
};

/// What becomes of a name that sheet and Figma do not have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// It is the same, or there is nothing in Figma yet.
    Same,
    /// Figma is to take the sheet's.
    Rename,
    /// Figma keeps its own.
    Kept(DifferenceKind),
    /// Figma did not take the sheet's; it is tried again when everything is done anew.
    Refused,
}

/// A collection that rows name.
#[derive(Debug, Clone)]
pub(super) struct CollectionEntry {
    /// Its name in the sheet.
    pub name: String,
    /// The sources that its rows are of, one bit a source.
    pub feeds: u32,
    /// What the links of its variables call it, where that is another name.
    pub was: Option<String>,
    pub slot: Option<CollectionSlot>,
    /// What becomes of its name.
    pub naming: Naming,
    /// Whether it was taken for a collection under another name of which only most variables fit.
    pub guessed: bool,
    /// Whether its link is to be written though it says what is known of it: the designer chose what it says.
    pub relinks: bool,
    /// For each mode of the layout, how many planned writes go to it.
    pub needed: Vec<u32>,
    /// How many variables are to be made in it.
    pub creates: u32,
    /// For each mode of the layout, the mode in Figma.
    pub modes: Vec<Option<ModeSlot>>,
    /// For each mode of the layout, what becomes of its name.
    pub namings: Vec<Naming>,
    /// Modes that Figma refused, until everything is done anew.
    pub refused: Vec<bool>,
    /// Why nothing new can be made in it.
    pub blocked: bool,
}

/// Rows of a collection that are looked at to see whether its variables are those of its rows.
const ROWS_OF_ITS_OWN: u32 = 8;

/// One name that differs: of the collection at a place, or of one of its modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamePlace {
    collection: usize,
    mode: Option<usize>,
}

impl CollectionEntry {
    pub(super) fn of(name: &str, modes: usize) -> CollectionEntry {
        CollectionEntry {
            name: name.to_owned(),
            feeds: 0,
            was: None,
            slot: None,
            naming: Naming::Same,
            guessed: false,
            relinks: false,
            needed: vec![0; modes],
            creates: 0,
            modes: vec![None; modes],
            namings: vec![Naming::Same; modes],
            refused: vec![false; modes],
            blocked: false,
        }
    }
}

fn naming(base: &str, sheet: &str, figma: &str, policy: MergePolicy) -> Naming {
    if sheet == figma {
        return Naming::Same;
    }
    let base = if base.is_empty() {
        0.0
    } else {
        code_of_text(base)
    };
    match decide(base, code_of_text(sheet), code_of_text(figma), policy) {
        Decision::Write => Naming::Rename,
        Decision::Drift | Decision::Push => Naming::Kept(DifferenceKind::Drift),
        Decision::Conflict => Naming::Kept(DifferenceKind::Conflict),
    }
}

impl Engine {
    /// Finds the collections' and modes' slots after the document was read.
    pub(super) fn meet_document(&mut self) {
        for place in 0..self.collections.len() {
            self.meet(place);
        }
        self.pair_collections();
    }

    /// Finds a collection and its modes in Figma.
    pub(super) fn meet(&mut self, place: usize) {
        let name = &self.collections[place].name;
        let linked =
            |held: &Collection| matches!(&held.link, CollectionLink::Name(of) if of == name);
        let called = |held: &Collection| {
            held.name == *name
                && match &held.link {
                    // Another collection of the sheet has it, under whatever name.
                    CollectionLink::Name(of) => {
                        self.collections.iter().all(|entry| entry.name != *of)
                    }
                    CollectionLink::None | CollectionLink::Other => true,
                }
        };
        let found = self.document.find_collection(linked);
        let found = found.or_else(|| self.document.find_collection(called));
        self.stand_for(place, found);
    }

    /// Notes which collection an entry stands for, and finds its modes.
    fn stand_for(&mut self, place: usize, slot: Option<CollectionSlot>) {
        let Some(layout) = &self.layout else { return };
        let (policy, renamed) = match &self.connection {
            Some(connection) => (connection.policy, connection.renamed_modes.as_slice()),
            None => (MergePolicy::default(), &[][..]),
        };
        let entry = &mut self.collections[place];
        entry.slot = slot;
        entry.was = None;
        entry.guessed = false;
        entry.naming = Naming::Same;
        entry.modes.fill(None);
        entry.namings.fill(Naming::Same);
        let Some(held) = slot.and_then(|slot| self.document.collection(slot)) else {
            return;
        };
        if let CollectionLink::Name(of) = &held.link {
            entry.was = Some(of).filter(|of| **of != entry.name).cloned();
            entry.naming = naming(of, &entry.name, &held.name, policy);
        }
        // A mode of other sources alone is none of this collection's.
        let feeds = entry.feeds;
        let modes = || {
            let modes = layout.modes.iter().enumerate();
            modes.filter(|(at, _)| self.grid.mode_feeds(*at) & feeds != 0)
        };
        let is_column = |link: &str| modes().any(|(_, mode)| mode.name == link);
        for (at, mode) in modes() {
            let find = |test: &dyn Fn(&Mode) -> bool| held.modes.iter().position(test);
            let old = renamed
                .iter()
                .filter_map(|pair| pair.split_once(KEY_SEPARATOR))
                .find(|(_, new)| *new == mode.name)
                .map(|(old, _)| old);
            let free = |held: &Mode| held.link.is_empty() || !is_column(&held.link);
            let found = find(&|held| held.link == mode.name)
                .or_else(|| find(&|held| old.is_some_and(|old| held.link == old)))
                .or_else(|| find(&|held| held.name == mode.name && free(held)))
                .or_else(|| find(&|held| Some(held.name.as_str()) == old && free(held)));
            let Some(found) = found else { continue };
            let mode_held = &held.modes[found];
            let base = match mode_held.link.as_str() {
                "" => old.unwrap_or_default(),
                link => link,
            };
            entry.modes[at] = Some(ModeSlot(found as u32));
            entry.namings[at] = naming(base, &mode.name, &mode_held.name, policy);
        }
    }

    /// Finds out which collections without rows go on under another name of the sheet: those of which most variables
    /// have a row there.
    pub(super) fn pair_collections(&mut self) {
        let mut rows = vec![0_u32; self.collections.len()];
        for row in &self.rows {
            if let Some(count) = rows.get_mut(row.collection as usize) {
                *count += 1;
            }
        }
        self.pair_swapped(&rows);
        let has_rows = |slot: CollectionSlot, entries: &[CollectionEntry]| {
            let entries = entries.iter().zip(&rows);
            entries
                .filter(|(_, rows)| **rows > 0)
                .any(|(entry, _)| entry.slot == Some(slot) && entry.was.is_none())
        };
        let gone: Vec<(CollectionSlot, String)> = (0u32..)
            .map(CollectionSlot)
            .zip(self.document.collections())
            .filter_map(|(slot, held)| match &held.link {
                CollectionLink::Name(of)
                    if !has_rows(slot, &self.collections)
                        && !self.apart_collections.contains(&slot) =>
                {
                    Some((slot, of.clone()))
                }
                CollectionLink::Name(_) | CollectionLink::None | CollectionLink::Other => None,
            })
            .collect();
        if gone.is_empty() {
            return;
        }
        for place in 0..self.collections.len() {
            let entry = &self.collections[place];
            let linked = entry
                .slot
                .and_then(|slot| self.document.collection(slot))
                .is_some_and(
                    |held| matches!(&held.link, CollectionLink::Name(of) if *of == entry.name),
                );
            if rows[place] == 0 || linked || entry.guessed {
                continue;
            }
            let found =
                gone.iter().find_map(|(slot, was)| {
                    let taken = self.collections.iter().zip(&rows).enumerate().any(
                        |(at, (entry, rows))| at != place && *rows > 0 && entry.slot == Some(*slot),
                    );
                    let fit = if taken {
                        0
                    } else {
                        self.rows_that_fit(place, *slot, was)
                    };
                    let own = self.variables_of(*slot);
                    (fit * 2 > rows[place] && fit * 2 > own)
                        .then_some((*slot, fit < rows[place] || fit < own))
                });
            let Some((slot, guessed)) = found else {
                continue;
            };
            // Its old entry has no rows left.
            for other in 0..self.collections.len() {
                if self.collections[other].slot == Some(slot) {
                    self.stand_for(other, None);
                }
            }
            self.stand_for(place, Some(slot));
            self.collections[place].guessed = guessed;
        }
    }

    /// Finds out which collections have each other's names, as after two tabs or their titles were swapped: most rows of each
    /// have the variables of another one that is found so, too. It costs a look at a few rows of each where there are none.
    fn pair_swapped(&mut self, rows: &[u32]) {
        let is_called = |slot: CollectionSlot, name: &str| {
            let held = self.document.collection(slot);
            held.is_some_and(|held| matches!(&held.link, CollectionLink::Name(of) if of == name))
        };
        let own: Vec<Option<CollectionSlot>> = self
            .collections
            .iter()
            .zip(rows)
            .map(|(entry, rows)| {
                let slot = entry.slot.filter(|slot| is_called(*slot, &entry.name))?;
                (*rows > 0 && !self.apart_collections.contains(&slot)).then_some(slot)
            })
            .collect();
        let mut looked_at = vec![0_u32; own.len()];
        let mut is_strange: Vec<bool> = own.iter().map(Option::is_some).collect();
        for (row, entry) in self.rows.iter().enumerate() {
            let place = entry.collection as usize;
            let Some(Some(slot)) = own.get(place) else {
                continue;
            };
            if is_strange[place] && looked_at[place] < ROWS_OF_ITS_OWN {
                looked_at[place] += 1;
                is_strange[place] = !self.fits(row as u32, *slot, &self.collections[place].name);
            }
        }
        let strange: Vec<(usize, CollectionSlot)> = own
            .iter()
            .enumerate()
            .filter(|(place, _)| is_strange[*place])
            .filter_map(|(place, slot)| Some((place, (*slot)?)))
            .collect();
        let mut found: Vec<(usize, CollectionSlot)> = Vec::new();
        for (place, _) in &strange {
            let of = strange.iter().find(|(other, slot)| {
                let fit = || self.rows_that_fit(*place, *slot, &self.collections[*other].name);
                other != place && {
                    let fit = fit();
                    fit * 2 > rows[*place] && fit * 2 > self.variables_of(*slot)
                }
            });
            found.extend(of.map(|(_, slot)| (*place, *slot)));
        }
        // Whoever gets another's name gives its own to one of them.
        let gives = |found: &[(usize, CollectionSlot)], place: usize| {
            found
                .iter()
                .filter(|(_, slot)| own[place] == Some(*slot))
                .count()
                == 1
        };
        while let Some(at) = (0..found.len()).find(|at| {
            let (place, slot) = found[*at];
            let takes = strange.iter().find(|(_, other)| *other == slot);
            let takes = takes.is_some_and(|(from, _)| found.iter().any(|(place, _)| place == from));
            !takes || !gives(&found, place)
        }) {
            found.remove(at);
        }
        for (place, slot) in found {
            self.stand_for(place, Some(slot));
            self.collections[place].guessed = true;
        }
    }

    /// What entries were called whose names other entries have now, and which are to be renamed in turn.
    pub(super) fn swapped_names(&self) -> Vec<(&str, &str)> {
        let renamed = |entry: &&CollectionEntry| entry.guessed && entry.naming == Naming::Rename;
        let renamed: Vec<&CollectionEntry> = self.collections.iter().filter(renamed).collect();
        let pairs = renamed.iter().filter_map(|entry| {
            let was = entry.was.as_deref()?;
            let is_given = renamed
                .iter()
                .any(|other| other.was.as_ref() == Some(&entry.name));
            let is_taken = renamed.iter().any(|other| other.name == was);
            (is_given && is_taken).then_some((was, entry.name.as_str()))
        });
        pairs.collect()
    }

    /// Tells collections that are there twice, as after a branch was merged that made what its file made as well: their
    /// variables stand for rows that stand for others. Nothing of them is written or removed.
    pub(super) fn tell_twins(&mut self) {
        let mut twins: Vec<(CollectionSlot, u32)> = Vec::new();
        for slot in self.orphans.iter().map(VariableSlot) {
            let Some(held) = self.document.variable(slot) else {
                continue;
            };
            if held.link != Link::Own || self.is_open_orphan(slot) {
                continue;
            }
            match twins
                .iter_mut()
                .find(|(owner, _)| *owner == held.collection)
            {
                Some((_, count)) => *count += 1,
                None => twins.push((held.collection, 1)),
            }
        }
        for (owner, count) in twins {
            let name = self.document.collection(owner).map(|owner| &owner.name);
            let entry = self.collections.iter().find(|entry| {
                Some(&entry.name) == name && entry.slot.is_some_and(|slot| slot != owner)
            });
            if let Some(entry) = entry {
                let count = decimal::write(f64::from(count));
                self.loose_problems.push(CellProblem {
                    column: 0,
                    message: [
                        "This file has two collections “", &entry.name, "”, as after merging a branch. The sheet feeds the first; in the second, ",
                        &count, " variables stand for the same rows and are left alone.",
                    ]
                    .concat(),
                    remedy: owned("Bind what uses the second one to the first, then delete the second in Figma."),
                });
            }
        }
    }

    /// How many rows of an entry have their variable in a collection that the sheet called `was`.
    fn rows_that_fit(&self, place: usize, slot: CollectionSlot, was: &str) -> u32 {
        let rows = (0u32..).zip(&self.rows);
        let own = rows.filter(|(_, entry)| entry.collection as usize == place);
        own.filter(|(row, _)| self.fits(*row, slot, was)).count() as u32
    }

    /// Whether a row has its variable in a collection that the sheet called `was`.
    fn fits(&self, row: u32, slot: CollectionSlot, was: &str) -> bool {
        let is_in = |variable: VariableSlot| {
            self.document
                .variable(variable)
                .is_some_and(|held| held.collection == slot)
        };
        let (id, name) = (self.id_of(row), self.name_of(row));
        !id.is_empty() && self.document.linked(&id_key(&id)).is_some_and(is_in)
            || self
                .document
                .linked(&name_key(was, &name))
                .is_some_and(is_in)
            || self
                .document
                .named(&name, hash(&name))
                .any(|(_, held)| held.collection == slot)
            || id.is_empty() && self.leaves_out(&name_key(was, &name))
    }

    /// How many variables of a collection have or had a row.
    fn variables_of(&self, slot: CollectionSlot) -> u32 {
        let slots = (0..self.document.slots()).map(VariableSlot);
        let own = slots.filter(|variable| {
            self.document.variable(*variable).is_some_and(|held| {
                held.collection == slot && !matches!(held.link, Link::None | Link::Other)
            })
        });
        own.count() as u32
    }

    /// What the sheet calls an entry's name or one of its modes, and what Figma does.
    fn names_at(&self, at: NamePlace) -> Option<(&str, &str)> {
        let entry = self.collections.get(at.collection)?;
        let held = self.document.collection(entry.slot?)?;
        match at.mode {
            None => Some((&entry.name, &held.name)),
            Some(mode) => {
                let mode_held = held.modes.get(entry.modes[mode]?.0 as usize)?;
                Some((&self.layout.as_ref()?.modes[mode].name, &mode_held.name))
            }
        }
    }

    /// Every name, and what becomes of it.
    fn namings(&self) -> impl Iterator<Item = (NamePlace, Naming)> + '_ {
        self.collections
            .iter()
            .enumerate()
            .flat_map(|(collection, entry)| {
                let modes = entry.namings.iter().enumerate();
                let modes = modes.map(move |(mode, naming)| {
                    let mode = Some(mode);
                    (NamePlace { collection, mode }, *naming)
                });
                let mode = None;
                std::iter::once((NamePlace { collection, mode }, entry.naming)).chain(modes)
            })
    }

    /// The names that Figma is to take.
    fn renames(&self) -> impl Iterator<Item = NamePlace> + '_ {
        let renames = self
            .namings()
            .filter(|(_, naming)| *naming == Naming::Rename);
        renames.map(|(at, _)| at)
    }

    /// How many collections and modes are to be renamed or linked.
    pub(super) fn structure_writes(&self) -> u32 {
        let links = (0..self.collections.len()).filter(|place| self.link_of(*place).is_some());
        self.renames().count() as u32 + links.count() as u32
    }

    /// Whether names of collections or modes are to change.
    pub(super) fn renames_structure(&self) -> bool {
        self.renames().next().is_some()
    }

    /// Whether a name to be changed was guessed and something speaks against it: of a collection, that not everything
    /// in it fits; of a mode, that most of its values change too or can't be read.
    pub(super) fn doubts_structure(&self) -> bool {
        self.renames().any(|at| {
            let entry = &self.collections[at.collection];
            match at.mode {
                None => entry.guessed || self.takes_anothers_name(entry),
                Some(mode) => self.is_replaced(at.collection, mode),
            }
        })
    }

    /// Whether a collection is to get a name that another one of the file has.
    pub(super) fn takes_anothers_name(&self, entry: &CollectionEntry) -> bool {
        let others = (0u32..)
            .map(CollectionSlot)
            .zip(self.document.collections());
        let gives_it = |slot: CollectionSlot| {
            let mut entries = self.collections.iter();
            entries.any(|other| other.slot == Some(slot) && other.naming == Naming::Rename)
        };
        entry.naming == Naming::Rename
            && others
                .filter(|(slot, _)| entry.slot != Some(*slot))
                .any(|(slot, held)| held.name == entry.name && !gives_it(slot))
    }

    /// Whether most rows of a collection say something else in a mode's column than the mode holds.
    fn is_replaced(&self, place: usize, mode: usize) -> bool {
        let column = self.layout.as_ref().map(|layout| layout.modes[mode].column);
        let (mut rows, mut others) = (0, self.collections[place].needed[mode]);
        for (row, entry) in self.rows.iter().enumerate() {
            if entry.collection as usize == place {
                rows += 1;
                let problems = self.problems.get(row as u32).map_or(&[][..], Vec::as_slice);
                others += u32::from(
                    problems
                        .iter()
                        .any(|problem| Some(problem.column) == column),
                );
            }
        }
        others > 0 && others * 2 > rows
    }

    /// The designer says that renamed collections and modes are others.
    pub(super) fn keep_structure_apart(&mut self) {
        let guessed = self.collections.iter().filter(|entry| entry.guessed);
        self.apart_collections
            .extend(guessed.filter_map(|entry| entry.slot));
        if let Some(connection) = &mut self.connection
            && !connection.renamed_modes.is_empty()
        {
            connection.renamed_modes.clear();
            self.keep();
        }
    }

    /// How many of a preview's rows are renamed collections and modes; they come first.
    pub(super) fn structure_rows(&self) -> usize {
        self.renames().count()
    }

    /// A renamed collection or mode as a preview's row.
    pub(super) fn structure_row(&self, place: usize) -> Option<PreviewRow> {
        let at = self.renames().nth(place)?;
        Some(PreviewRow {
            kind: PreviewKind::Rename,
            collection: self.collections[at.collection].name.clone(),
            name: self.collections[at.collection].name.clone(),
            address: self.address_of(at),
            fields: vec![self.name_change(at)?],
            uses: None,
        })
    }

    fn address_of(&self, at: NamePlace) -> String {
        let Some(layout) = &self.layout else {
            return String::new();
        };
        match at.mode {
            Some(mode) => self.at(layout.header_row, layout.modes[mode].column),
            None => {
                let rows = self.rows.iter();
                let row = rows
                    .enumerate()
                    .find(|(_, row)| row.collection as usize == at.collection);
                match (row, layout.collection) {
                    (Some((row, _)), Some(column)) => self.at(row as u32, column),
                    (_, _) => String::new(),
                }
            }
        }
    }

    fn name_change(&self, at: NamePlace) -> Option<FieldChange> {
        let (sheet, figma) = self.names_at(at)?;
        Some(FieldChange {
            field: owned(match at.mode {
                None => "collection",
                Some(_) => "mode",
            }),
            before: Some(figma.to_owned()),
            after: sheet.to_owned(),
        })
    }

    /// Names that differ and stay so.
    pub(super) fn kept_names(&self, kind: DifferenceKind) -> Vec<NamePlace> {
        let kept = self
            .namings()
            .filter(|(_, naming)| *naming == Naming::Kept(kind));
        kept.map(|(at, _)| at).collect()
    }

    /// Whether there are such names.
    pub(super) fn keeps_names(&self) -> bool {
        self.layout.is_some()
            && self
                .namings()
                .any(|(_, naming)| matches!(naming, Naming::Kept(_) | Naming::Refused))
    }

    /// One of them in words.
    pub(super) fn name_difference(
        &self,
        at: NamePlace,
        kind: DifferenceKind,
    ) -> Option<Difference> {
        let name = &self.collections[at.collection].name;
        Some(Difference {
            kind,
            collection: name.clone(),
            name: name.clone(),
            address: self.address_of(at),
            values: self.name_change(at)?,
            unsent: self.is_two_way().then_some(Unsent::Name),
        })
    }

    /// The designer's choice about one of them.
    pub(super) fn choose_name(&mut self, at: NamePlace, choice: Choice) {
        let Some((sheet, _)) = self.names_at(at) else {
            return;
        };
        let sheet = sheet.to_owned();
        let entry = &mut self.collections[at.collection];
        let held = entry
            .slot
            .and_then(|slot| self.document.collection_mut(slot));
        match (choice, at.mode) {
            (Choice::Sheet, None) => entry.naming = Naming::Rename,
            (Choice::Sheet, Some(mode)) => entry.namings[mode] = Naming::Rename,
            // As if the sheet's were what was agreed on: then Figma alone has changed it, and keeps it.
            // The names of collections and modes are not sent.
            (Choice::Send, _) => {}
            (Choice::Figma, mode) => {
                let Some(held) = held else { return };
                match mode.map(|mode| entry.modes[mode]) {
                    None => held.link = CollectionLink::Name(sheet),
                    Some(Some(mode)) => held.modes[mode.0 as usize].link = sheet,
                    Some(None) => {}
                }
                entry.relinks = true;
                self.merge_names(at.collection);
            }
        }
    }

    /// Merges the names of an entry again.
    fn merge_names(&mut self, place: usize) {
        let guessed = self.collections[place].guessed;
        self.stand_for(place, self.collections[place].slot);
        self.collections[place].guessed = guessed;
    }

    /// Merges all names again.
    pub(super) fn merge_all_names(&mut self) {
        for place in 0..self.collections.len() {
            self.merge_names(place);
        }
    }

    /// The names that an entry's collection and modes are to be linked under; `None` where the link says so already.
    fn link_of(&self, place: usize) -> Option<Vec<&str>> {
        let entry = &self.collections[place];
        let layout = self.layout.as_ref()?;
        let held = self.document.collection(entry.slot?)?;
        if held.extended || self.import.is_some() {
            return None;
        }
        let was = match &held.link {
            CollectionLink::None => "",
            CollectionLink::Name(of) => of,
            CollectionLink::Other => return None,
        };
        let mut names = Vec::with_capacity(held.modes.len() + 1);
        names.push(match entry.naming {
            Naming::Kept(_) | Naming::Refused if !was.is_empty() => was,
            Naming::Same | Naming::Rename | Naming::Kept(_) | Naming::Refused => &entry.name,
        });
        let mut differs = entry.relinks || names[0] != was;
        for (at, mode) in held.modes.iter().enumerate() {
            let own = entry
                .modes
                .iter()
                .position(|slot| slot.is_some_and(|slot| slot.0 as usize == at));
            let name = match own {
                Some(own)
                    if mode.link.is_empty()
                        || matches!(entry.namings[own], Naming::Same | Naming::Rename) =>
                {
                    layout.modes[own].name.as_str()
                }
                Some(_) | None => mode.link.as_str(),
            };
            differs |= name != mode.link;
            names.push(name);
        }
        differs.then_some(names)
    }

    /// Writes the next link of a collection, when everything in it is as the link will say.
    pub(super) fn link_step(&mut self, run: &mut Run, figma: &mut impl Figma) -> Option<Outcome> {
        let place = run.at;
        let slot = self.collections.get(place)?.slot;
        run.at += 1;
        let (Some(collection), Some(names)) = (slot, self.link_of(place)) else {
            return Some(Outcome::Nothing);
        };
        let op = Op::SetCollectionLink {
            collection,
            names: &names,
        };
        if figma.write(&op).is_err() {
            // It is found by its name, and linked by the next run.
            return Some(Outcome::Refused);
        }
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        if let Some(held) = self.document.collection_mut(collection) {
            let mut names = names.into_iter();
            held.link = names
                .next()
                .map_or(CollectionLink::None, CollectionLink::Name);
            for (mode, link) in held.modes.iter_mut().zip(names) {
                mode.link = link;
            }
        }
        self.collections[place].relinks = false;
        if let Some(was) = self.collections[place].was.take() {
            self.carry_left_out(&was, place);
        }
        Some(Outcome::Written)
    }

    /// Rows that were left out under their collection's old name are so under its new one.
    fn carry_left_out(&mut self, was: &str, place: usize) {
        let (old, new) = (
            name_key(was, ""),
            name_key(&self.collections[place].name, ""),
        );
        let Some(connection) = &mut self.connection else {
            return;
        };
        let mut changed = false;
        for key in &mut connection.left_out {
            if let Some(name) = key.strip_prefix(&old) {
                *key = [new.as_str(), name].concat();
                changed = true;
            }
        }
        if changed {
            self.keep();
        }
    }

    /// Forgets renames of modes that every link tells.
    pub(super) fn forget_renamed_modes(&mut self) {
        let kept = self
            .namings()
            .any(|(at, naming)| at.mode.is_some() && naming != Naming::Same);
        if let Some(connection) = &mut self.connection
            && !kept
            && !connection.renamed_modes.is_empty()
        {
            connection.renamed_modes.clear();
            self.keep();
        }
    }

    /// Makes or renames the next collection or mode.
    pub(super) fn structure_step(
        &mut self,
        run: &mut Run,
        figma: &mut impl Figma,
    ) -> Option<Outcome> {
        let width = self.layout.as_ref()?.modes.len() + 1;
        let (place, part) = (run.at / width, run.at % width);
        if place >= self.collections.len() {
            return None;
        }
        run.at += 1;
        Some(match part {
            0 => self.collection_step(place, figma),
            mode => self.mode_step(place, mode - 1, figma),
        })
    }

    fn collection_step(&mut self, place: usize, figma: &mut impl Figma) -> Outcome {
        let (Some(layout), Some(entry)) = (&self.layout, self.collections.get_mut(place)) else {
            return Outcome::Nothing;
        };
        let name = &entry.name;
        let result = match entry.slot {
            Some(slot) => {
                if entry.naming != Naming::Rename {
                    return Outcome::Nothing;
                }
                entry.naming = Naming::Same;
                figma
                    .write(&Op::RenameCollection {
                        collection: slot,
                        name,
                    })
                    .map(|()| {
                        let held = self.document.collection_mut(slot);
                        let was = held.map(|held| std::mem::replace(&mut held.name, name.clone()));
                        Past::CollectionName {
                            id: figma.id(Part::Collection(slot)),
                            name: was.unwrap_or_default(),
                        }
                    })
            }
            None if entry.creates == 0 || entry.blocked => return Outcome::Nothing,
            None => {
                let slot = self.document.next_collection();
                let op = Op::CreateCollection {
                    collection: slot,
                    name,
                };
                figma.write(&op).map(|()| {
                    self.document.add_collection(name);
                    entry.slot = Some(slot);
                    self.totals.counts.collections += 1;
                    Past::NoCollection {
                        id: figma.id(Part::Collection(slot)),
                    }
                })
            }
        };
        let text = match result {
            Ok(past) => {
                self.totals.writes += 1;
                self.journal.add(&past);
                return Outcome::Written;
            }
            Err(text) => text,
        };
        let was_there = entry.slot.is_some();
        if was_there {
            entry.naming = Naming::Refused;
        } else {
            entry.blocked = true;
        }
        let done = if was_there { "rename" } else { "make" };
        let message = format!(
            "Figma did not {done} the collection “{}”: {text}",
            entry.name
        );
        let problem = CellProblem {
            column: layout.collection.unwrap_or(layout.name),
            message,
            remedy: owned("Change its name in the sheet, or sync again."),
        };
        self.limit_problems.push((layout.header_row, problem));
        self.note_refusal(&text, figma);
        Outcome::Refused
    }

    fn mode_step(&mut self, place: usize, mode: usize, figma: &mut impl Figma) -> Outcome {
        let (Some(layout), Some(entry)) = (&self.layout, self.collections.get_mut(place)) else {
            return Outcome::Nothing;
        };
        let Some(slot) = entry.slot else {
            return Outcome::Nothing;
        };
        let name = &layout.modes[mode].name;
        let renames = entry.namings[mode] == Naming::Rename;
        if renames {
            entry.namings[mode] = Naming::Same;
        }
        let held = self.document.collection(slot);
        let count = held.map_or(0, |held| held.modes.len());
        let (mode_slot, added) = match entry.modes[mode] {
            Some(there) if renames => (there, false),
            Some(_) => return Outcome::Nothing,
            None if entry.needed[mode] == 0 || entry.refused[mode] => return Outcome::Nothing,
            None => {
                let born = held.is_some_and(|held| held.variables == 0 && held.modes.len() == 1)
                    && entry.modes.iter().all(Option::is_none);
                if born && entry.blocked {
                    return Outcome::Nothing;
                }
                let at = if born { 0 } else { count as u32 };
                (ModeSlot(at), true)
            }
        };
        let collection = slot;
        let op = if (mode_slot.0 as usize) < count {
            Op::RenameMode {
                collection,
                mode: mode_slot,
                name,
            }
        } else {
            Op::AddMode {
                collection,
                mode: mode_slot,
                name,
            }
        };
        match figma.write(&op) {
            Ok(()) => {
                let mut was = None;
                if let Some(held) = self.document.collection_mut(slot) {
                    match held.modes.get_mut(mode_slot.0 as usize) {
                        Some(mode) => was = Some(std::mem::replace(&mut mode.name, name.clone())),
                        None => held.modes.push(Mode {
                            name: name.clone(),
                            link: String::new(),
                        }),
                    }
                }
                let collection_id = figma.id(Part::Collection(slot));
                let id = figma.id(Part::Mode(slot, mode_slot));
                let past = match was {
                    Some(name) => Past::ModeName {
                        collection: collection_id,
                        id,
                        name,
                    },
                    None => Past::NoMode {
                        collection: collection_id,
                        id,
                    },
                };
                entry.modes[mode] = Some(mode_slot);
                self.totals.writes += 1;
                self.totals.counts.modes += u32::from(added);
                self.journal.add(&past);
                Outcome::Written
            }
            Err(text) => {
                if added {
                    // The mode that a collection is born with stays free for its own name, and nothing is made in the
                    // collection without it.
                    entry.blocked |= mode_slot.0 == 0 && Refusal::of(&text) == Refusal::Other;
                    self.refuse_mode(place, mode, &text);
                } else {
                    entry.namings[mode] = Naming::Refused;
                    self.explain_mode(place, mode, &text);
                }
                self.note_refusal(&text, figma);
                Outcome::Refused
            }
        }
    }

    /// Figma refuses a mode: say so once at its header, and leave its values alone until everything is done anew.
    pub(super) fn refuse_mode(&mut self, place: usize, mode: usize, text: &str) {
        let refused = self
            .collections
            .get_mut(place)
            .is_none_or(|entry| std::mem::replace(&mut entry.refused[mode], true));
        if !refused {
            self.explain_mode(place, mode, text);
        }
        if let Refusal::ModeLimit(limit) = Refusal::of(text) {
            self.remember_mode_limit(limit);
        }
    }

    fn explain_mode(&mut self, place: usize, mode: usize, text: &str) {
        let (Some(layout), Some(entry)) = (&self.layout, self.collections.get(place)) else {
            return;
        };
        let name = &layout.modes[mode].name;
        let (message, remedy) = match Refusal::of(text) {
            Refusal::ModeLimit(limit) => (
                [
                    "This file's plan allows ",
                    &super::limits::modes(limit as usize),
                    " in a collection, so “",
                    name,
                    "” was not added to “",
                    &entry.name,
                    "”.",
                ]
                .concat(),
                owned(
                    "Ignore the column, remove a mode in Figma, or move the file to a plan with more modes (Professional 10, Organization 20).",
                ),
            ),
            Refusal::ModeName => (
                format!("Figma refuses “{name}” as a mode's name."),
                owned("Shorten the header to 40 characters."),
            ),
            Refusal::DuplicateName
            | Refusal::InvalidName
            | Refusal::TypeMismatch
            | Refusal::Other => (
                format!(
                    "Figma did not take the mode “{name}” in “{}”: {text}",
                    entry.name
                ),
                owned("Sync again; if it stays, ignore the column."),
            ),
        };
        let problem = CellProblem {
            column: layout.modes[mode].column,
            message,
            remedy,
        };
        self.limit_problems.push((layout.header_row, problem));
    }

    /// Whether a row's collection goes by another name in its variables' links.
    pub(super) fn is_relinked(&self, row: u32) -> bool {
        let place = self.rows[row as usize].collection;
        place != NONE && self.collections[place as usize].was.is_some()
    }
}
