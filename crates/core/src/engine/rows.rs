//! Rows: their index, what type each has, which aliases they hold, and what differs from the document.
//!
//! Owns mapping a row, duplicates, alias resolution and cycles, and which rows an edit reaches. Must not know when a
//! plan may be applied or how it is written.

use super::identity::id_key;
use super::merge::Merging;
use super::structure::CollectionEntry;
use super::{CellProblem, Engine, NONE, ROWS_A_STEP, SLOTS_A_STEP, Stage};
use crate::apply::RETRIES_MAX;
use crate::document::base::Field;
use crate::document::index::hash;
use crate::document::{KEY_SEPARATOR, Link, Scopes, VariableSlot};
use crate::mapping::grid::{Cells, cell, shown};
use crate::mapping::view::Reach;
use crate::mapping::{self, HEADER_SEARCH_ROWS, Layout, ModeColumn, name_trouble, switch_of};
use crate::owned;
use crate::plan::{RowChange, Target, Write};
use crate::protocol::panel::{Column, Role, Source};
use crate::sheet::{CellReference, CellView, Kind, cell_reference};
use crate::sorted::BitSet;
use crate::value::{self, AliasRef, Reading, Value, VariableType, parse_scopes, parse_type};

/// Longest chain of aliases followed to find a type where no type column says it.
const TYPE_CHAIN_MAX: u32 = 32;

/// Why a row can't be a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// No name, or a name without anything else: a blank or section row.
    Blank,
    /// What tells its variable is in error or still loading.
    Garbled,
    /// Figma refuses the name.
    Name,
    /// Another row has the same collection and name.
    Duplicate,
    /// Another row has the same id.
    DuplicateId,
    /// The variable with the row's id is in another collection.
    Moved,
    /// The collection extends another one.
    Extended,
    /// The type cell names no type.
    TypeWord,
    /// The variable exists with another type.
    Retype,
    /// The cells are of different types.
    Disagree,
    /// No cell tells a type.
    Untyped,
}

/// What a row was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not looked at since something changed.
    Unknown,
    /// Being looked at: met again only through a circle of aliases.
    Pending,
    /// No variable.
    Bad(Reason),
    /// A variable of that type.
    Kind(VariableType),
}

/// What the engine keeps of each row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Place in the engine's collections, or `NONE` for a row without a name.
    pub collection: u32,
    /// The variable's slot, or `NONE`.
    pub slot: u32,
    /// Whether the variable was looked for.
    pub matched: bool,
    /// No mode cell is filled.
    pub bare: bool,
    /// Where in the row's text its name stands as it is shown; `None` where that has to be made first.
    pub name: Option<(u32, u32)>,
    /// What its type cell says.
    pub typed: Typed,
    /// What it is.
    pub verdict: Verdict,
    /// Whether it counts as a variable of the sheet.
    pub sound: bool,
    /// Rows that its aliases point at.
    pub targets: Vec<u32>,
}

impl Row {
    const EMPTY: Row = Row {
        collection: NONE,
        slot: NONE,
        matched: false,
        bare: true,
        name: None,
        typed: Typed::Nothing,
        verdict: Verdict::Unknown,
        sound: false,
        targets: Vec::new(),
    };
}

/// What a row's type cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// It is empty, or there is none.
    Nothing,
    /// A type.
    Kind(VariableType),
    /// A word that is no type.
    Word,
}

/// A row taken out of the index because it is changing, and what it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifted {
    row: u32,
    hash: Option<u32>,
    id_hash: Option<u32>,
    collection: u32,
    slot: u32,
    bare: bool,
    verdict: Verdict,
    /// See [`Engine::filled`].
    filled: u64,
}

/// What a cell's formula points at.
enum Pointed {
    /// Nothing that could be an alias; or there is no formula.
    Nowhere,
    /// A cell of which nothing is known at present.
    Unread,
    /// Another variable.
    At(AliasRef),
}

pub(super) enum Unresolved {
    Missing,
    /// A row has the name, and no values that are used.
    Valueless,
    Ambiguous,
    Library,
}

impl Engine {
    pub(super) fn forget_rows(&mut self, rows: u32) {
        self.rows.clear();
        self.rows.resize(rows as usize, Row::EMPTY);
        self.changes.clear();
        self.changes.resize_with(rows as usize, RowChange::default);
        self.names.reset(rows as usize);
        self.ids.reset(0);
        self.collections.clear();
        self.references.clear();
        self.cyclic.clear();
        self.garbled.clear();
        self.foreign_rows.clear();
        self.touched.clear();
        self.dirty.clear();
        self.lifted.clear();
        self.unfinished.clear();
        self.problems.clear();
        self.write_problems.clear();
        self.limit_problems.clear();
        self.loose_problems.clear();
        self.plan_problems.clear();
        self.orphans.clear();
        self.row_of_slot.clear();
        self.kept.clear();
        self.chosen.clear();
        self.leaving.clear();
        self.guessed.clear();
        self.retypes.rows.clear();
        self.paired = false;
        self.kept_changed = true;
        self.sound = 0;
        self.planned = super::Planned::default();
        self.missing = false;
        self.fed_anew = false;
        self.whole = true;
    }

    /// Puts rows from `next` on into the index; the first call begins anew.
    pub(super) fn index_rows(&mut self, next: u32) {
        if next == 0 {
            self.forget_rows(self.grid.rows());
            let lost = (0..self.grid.tabs().len()).find(|at| {
                self.grid.tabs()[*at].is_loaded()
                    && self.is_confirmed(*at)
                    && !self.locate_header(*at)
            });
            if let Some(lost) = lost {
                let approved = self
                    .connection
                    .as_ref()
                    .is_some_and(|connection| connection.approved);
                self.missing = true;
                self.stage = if approved {
                    Stage::Judging
                } else {
                    Stage::Inferring(Some(lost))
                };
                return;
            }
            if let Err(at) = self.arrange() {
                self.stage = Stage::Inferring(Some(at));
                return;
            }
            self.forget_rows(self.grid.rows());
            self.tell_partial();
        }
        let end = (next + ROWS_A_STEP).min(self.grid.rows());
        for row in next..end {
            self.index_row(row);
        }
        self.stage = if end < self.grid.rows() {
            Stage::Indexing { next: end }
        } else {
            Stage::ReadingAll
        };
    }

    /// Makes the rows of all sources anew, as the connection says that their tabs lie.
    ///
    /// # Errors
    /// The place of a source whose columns are good no longer, as after a mode was taken away.
    fn arrange(&mut self) -> Result<(), usize> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        let names = connection.tab_names();
        for (at, source) in connection.sources().into_iter().enumerate() {
            let Some(tab) = self.grid.tab_mut(at) else {
                continue;
            };
            if !tab.is_loaded() || source.columns.is_empty() {
                tab.leave();
                continue;
            }
            let lies = source.layout.unwrap_or_default();
            let made = tab.arrange(&source.columns, source.header_row, &lies, &names[at]);
            made.map_err(|_| at)?;
        }
        self.layout = self.grid.join();
        Ok(())
    }

    /// Says which sources are not read yet.
    fn tell_partial(&mut self) {
        let Some(connection) = self.connection.as_ref().filter(|_| self.is_partial()) else {
            return;
        };
        let tabs = self.grid.tabs().iter().zip(connection.tab_names());
        let late = tabs.enumerate().filter_map(|(at, (tab, name))| {
            (!tab.is_loaded() && self.is_confirmed(at)).then_some(name)
        });
        let late: Vec<String> = late.collect();
        self.loose_problems.push(CellProblem {
            column: 0,
            message: [
                "Not read yet: “",
                &late.join("”, “"),
                "”. Until then values of the other tabs are synced, and nothing is made, renamed or removed.",
            ]
            .concat(),
            remedy: owned("If it stays, see what its spreadsheet says, or remove the tab from this file's sources."),
        });
    }

    /// A1 notation of a row's cell, where it stands in its tab.
    pub(super) fn at(&self, row: u32, column: u32) -> String {
        self.grid.address(row, column)
    }

    /// Finds a source's confirmed columns again by their headers. Where one is gone, says so.
    fn locate_header(&mut self, at: usize) -> bool {
        let Some(whole) = &self.connection else {
            return false;
        };
        let several = !whole.more.is_empty();
        let name = whole.tab_names().swap_remove(at);
        let mut connection = whole.sources().swap_remove(at);
        // The headers of records are the variables' names, which may change.
        let used = |column: &&Column| !matches!(column.role, Role::Ignore | Role::Variable);
        let lies = connection.layout.clone().unwrap_or_default();
        let sheet = self.grid.tabs()[at].sheet();
        let header = mapping::headers(sheet, connection.header_row, lies.brands);
        let text = |column: u32| header.get(column as usize).map_or("", String::as_str);
        let in_place = connection
            .columns
            .iter()
            .filter(used)
            .all(|column| text(column.index) == column.header);
        if in_place && sheet.rows() > connection.header_row {
            return true;
        }
        let rows = sheet
            .rows()
            .min(HEADER_SEARCH_ROWS.max(connection.header_row + 1));
        // First where every header still stands, then where some have other words.
        let mut bad = None;
        let found = [false, true].into_iter().find_map(|renamed| {
            (0..rows).find_map(|row| {
                let headers = mapping::headers(sheet, row, lies.brands);
                let places = places_of(&connection.columns, &headers, renamed)?;
                let columns: Vec<Column> = headers
                    .into_iter()
                    .enumerate()
                    .map(|(at, header)| Column {
                        index: at as u32,
                        role: role_at(&connection.columns, &places, at, &header),
                        header,
                    })
                    .collect();
                match Layout::of(&columns, row, &lies) {
                    Ok(_) => Some((row, columns, places)),
                    Err(problems) => {
                        let first = problems.into_iter().next();
                        bad = bad.take().or_else(|| Some((row, first?)));
                        None
                    }
                }
            })
        });
        if let Some((row, columns, places)) = found {
            let renamed = renamed_columns(&connection, &places, &columns);
            connection.columns = columns;
            connection.header_row = row;
            if let Some(whole) = &mut self.connection {
                for (old, new) in renamed {
                    note_renamed(&mut whole.renamed_modes, &old, &new);
                }
                whole.put_source(at, connection);
            }
            self.keep();
            return true;
        }
        let gone = |is_there: &dyn Fn(&Column) -> bool| -> Vec<String> {
            let columns = connection.columns.iter().filter(used);
            columns
                .filter(|column| !is_there(column))
                .map(|column| format!("“{}”", column.header))
                .collect()
        };
        // Those that stand nowhere, else those that don't stand in their places.
        let mut gone_columns = gone(&|column| header.contains(&column.header));
        if gone_columns.is_empty() {
            gone_columns = gone(&|column| text(column.index) == column.header);
        }
        let is_empty = (0..sheet.rows()).all(|row| Cells::new(sheet.row(row)).all(str::is_empty));
        if let Some((row, problem)) = bad {
            let problem = CellProblem {
                column: problem.column.unwrap_or_default(),
                message: problem.message,
                remedy: problem.remedy,
            };
            if several {
                // The row is the tab's, and the table has others.
                self.loose_problems.push(problem);
            } else {
                self.limit_problems.push((row, problem));
            }
        }
        let sheet_words = if several {
            ["The tab “", &name, "”"].concat()
        } else {
            owned("The sheet")
        };
        self.loose_problems.push(CellProblem {
            column: 0,
            message: if is_empty {
                [&sheet_words, " is empty."].concat()
            } else {
                [
                    &sheet_words,
                    " no longer has the columns it was connected with: ",
                    &gone_columns.join(", "),
                    ".",
                ]
                .concat()
            },
            remedy: owned(
                "Restore the sheet from its version history, or choose the columns again.",
            ),
        });
        false
    }

    #[inline(never)]
    fn index_row(&mut self, row: u32) {
        let Some(layout) = &self.layout else { return };
        self.rows[row as usize] = Row::EMPTY;
        if row <= layout.header_row {
            return;
        }
        let text = self.grid.row(row);
        if text.is_empty() {
            return;
        }
        let mut cells = Vec::with_capacity(16);
        layout.split(text, &mut cells);
        let at = |column: u32| cells.get(column as usize).copied().unwrap_or_default();
        let name = shown(at(layout.name));
        if self.is_garbled(layout, &cells) {
            self.garbled.insert(row);
            return;
        }
        if name.is_empty() {
            return;
        }
        let mut bare = true;
        for column in &layout.modes {
            bare &= at(column.column).is_empty();
        }
        let collection = layout
            .collection
            .map(|column| shown(at(column)))
            .filter(|name| !name.is_empty());
        let collection = collection
            .as_deref()
            .unwrap_or_else(|| self.grid.collection(row));
        let place = match self
            .collections
            .iter()
            .position(|entry| entry.name == collection)
        {
            Some(place) => place,
            None => {
                let entry = CollectionEntry::of(collection, layout.modes.len());
                self.collections.push(entry);
                self.collections.len() - 1
            }
        };
        let feeds = self.grid.feeds(row);
        let fed = &mut self.collections[place].feeds;
        // Which modes the collection has may be another matter now.
        self.fed_anew |= *fed | feeds != *fed && *fed != 0;
        *fed |= feeds;
        self.names.insert(row, hash(&name));
        let name = match &name {
            std::borrow::Cow::Borrowed(name) => {
                let from = name.as_ptr() as usize - text.as_ptr() as usize;
                Some((from as u32, (from + name.len()) as u32))
            }
            std::borrow::Cow::Owned(_) => None,
        };
        let typed = match layout.kind.map(|column| parse_type(&shown(at(column)))) {
            None | Some(Ok(None)) => Typed::Nothing,
            Some(Ok(Some(kind))) => Typed::Kind(kind),
            Some(Err(_)) => Typed::Word,
        };
        if let Some(column) = layout.id {
            let id = shown(at(column));
            if !id.is_empty() {
                self.ids.insert(row, hash(&id));
            }
        }
        if self.libraries && text.contains(super::library::SIGN) {
            self.foreign_rows.push(row);
        }
        let entry = &mut self.rows[row as usize];
        entry.collection = place as u32;
        entry.bare = bare;
        entry.name = name;
        entry.typed = typed;
    }

    /// Takes a changed cell in. Only the first change of a row takes it out of the index.
    pub(super) fn patch(&mut self, at: usize, row: u32, column: u32, packed: &str) {
        let tab = self.grid.tabs().get(at);
        if tab.is_some_and(|tab| row <= tab.header_row()) {
            self.whole = true;
        }
        match self.grid.edit(at, row, column, packed) {
            Reach::All => self.whole = true,
            Reach::Rows(rows) => {
                for (row, text) in rows {
                    self.lift(row);
                    self.grid.put(row, text);
                    if let Some(entry) = self.rows.get_mut(row as usize) {
                        // Until the row is put into the index again.
                        entry.name = None;
                    }
                }
            }
        }
    }

    /// Drops a source's rows beyond its new end.
    pub(super) fn shrink(&mut self, at: usize, rows: u32) {
        for row in self.grid.lost(at, rows) {
            self.lift(row);
        }
        if !self.grid.cut(at, rows) {
            self.whole = true;
        }
    }

    fn lift(&mut self, row: u32) {
        if self.whole || self.lifted.iter().any(|lifted| lifted.row == row) {
            return;
        }
        if self.lifted.len() > super::INCREMENTAL_ROWS_MAX {
            // The whole sheet will be mapped; there is no need to follow each row.
            self.whole = true;
            return;
        }
        let hash = self.names.hash_of(row);
        let id_hash = self.ids.hash_of(row);
        let mut lifted = Lifted {
            row,
            hash,
            id_hash,
            collection: NONE,
            slot: NONE,
            bare: true,
            verdict: Verdict::Unknown,
            filled: self.filled(row),
        };
        if let Some(entry) = self.rows.get(row as usize) {
            lifted.slot = entry.slot;
            lifted.collection = entry.collection;
            lifted.bare = entry.bare;
            lifted.verdict = entry.verdict;
        }
        self.names.remove(row);
        self.ids.remove(row);
        self.garbled.remove(row);
        self.forget_row(row);
        self.detach(row);
        self.lifted.push(lifted);
    }

    /// Which of a row's mode cells hold something, one bit each and the last one for all beyond; 0 where no formula is taken
    /// for an alias.
    fn filled(&self, row: u32) -> u64 {
        let Some(layout) = self.layout.as_ref() else {
            return 0;
        };
        if row >= self.grid.rows() || !self.grid.takes_formulas(None) {
            return 0;
        }
        let text = self.grid.row(row);
        let filled = layout.modes.iter().enumerate();
        let filled = filled.filter(|(_, mode)| !cell(text, mode.column).is_empty());
        filled.fold(0, |filled, (at, _)| filled | 1 << at.min(63))
    }

    /// Forgets what mapping a row gave.
    pub(super) fn forget_row(&mut self, row: u32) {
        self.problems.remove(row);
        self.write_problems.remove(row);
        self.cyclic.remove(row);
        self.retypes.rows.remove(row);
        self.kept_changed |= self.kept.remove(row);
        self.set_change(row, RowChange::default());
        if let Some(entry) = self.rows.get_mut(row as usize) {
            if std::mem::take(&mut entry.sound) {
                self.sound -= 1;
            }
            entry.targets = Vec::new();
        }
    }

    /// Puts lifted rows back and finds every other row that the change reaches.
    pub(super) fn settle(&mut self) {
        let lifted = std::mem::take(&mut self.lifted);
        let rows = self.grid.rows();
        let collections = self.collections.len();
        self.rows.resize(rows as usize, Row::EMPTY);
        self.changes.resize_with(rows as usize, RowChange::default);
        self.limit_problems.clear();
        let mut reached: BitSet = BitSet::default();
        let mut before: Vec<(u32, Verdict)> = Vec::new();
        let mut moved: Vec<u32> = Vec::new();
        let mut is_filled_anew = false;
        let mut moved_ids: Vec<u32> = Vec::new();
        for was in &lifted {
            if was.row < rows {
                self.index_row(was.row);
                reached.insert(was.row);
            }
            let now = self
                .rows
                .get(was.row as usize)
                .map_or((NONE, true), |entry| (entry.collection, entry.bare));
            is_filled_anew |= self.filled(was.row) != was.filled;
            let hash = self.names.hash_of(was.row);
            let id_hash = self.ids.hash_of(was.row);
            if (hash, now, id_hash) != (was.hash, (was.collection, was.bare), was.id_hash) {
                moved.extend(was.hash);
                moved.extend(hash);
                // By its id the row may rename a variable that other rows know by the old name.
                moved.extend(self.name_held_by_id(was.row));
                moved_ids.extend(was.id_hash);
                moved_ids.extend(id_hash);
            } else {
                before.push((was.row, was.verdict));
            }
        }
        if std::mem::take(&mut self.fed_anew) {
            self.start_over();
            return;
        }
        if self.collections.len() > collections && self.document_known {
            for place in collections..self.collections.len() {
                self.meet(place);
            }
            self.pair_collections();
        }
        let partial = self.is_partial();
        for was in &lifted {
            if !partial
                && was.row < rows
                && was.slot != NONE
                && self.names.hash_of(was.row) != was.hash
            {
                self.follow_rename(was.row, VariableSlot(was.slot));
            }
        }
        for hash in &moved {
            reached.extend(self.names.under(*hash));
            reached.extend(
                self.references
                    .iter()
                    .filter(|(name, row)| name == hash && *row < rows)
                    .map(|(_, row)| *row),
            );
        }
        // What a formula points at may be another variable now, or one for the first time.
        if (is_filled_anew || !moved.is_empty()) && self.grid.takes_formulas(None) {
            let has_formula = |row: &u32| {
                let mut cells = Cells::new(self.grid.row(*row));
                cells.any(|packed| packed.starts_with('f'))
            };
            reached.extend((0..rows).filter(has_formula));
        }
        for hash in &moved_ids {
            reached.extend(self.ids.under(*hash));
        }
        reached.extend(self.cyclic.iter().filter(|row| *row < rows));
        reached.extend(
            self.unfinished
                .iter()
                .filter(|(row, tries)| *row < rows && **tries < RETRIES_MAX)
                .map(|(row, _)| row),
        );
        // A row whose type changes reaches the rows that refer to it.
        let mut fresh: Vec<u32> = reached.iter().collect();
        while let Some(row) = fresh.pop() {
            let known = before
                .iter()
                .find(|(other, _)| *other == row)
                .map(|(_, verdict)| *verdict);
            let old = known.or_else(|| {
                Some(self.rows[row as usize].verdict).filter(|verdict| *verdict != Verdict::Unknown)
            });
            self.detach_if_moved(row);
            self.rows[row as usize].verdict = Verdict::Unknown;
            let new = self.verdict(row, 0);
            if old == Some(new) || self.rows[row as usize].collection == NONE {
                continue;
            }
            if let Some(hash) = self.names.hash_of(row) {
                for at in 0..self.references.len() {
                    let (name, other) = self.references[at];
                    if name == hash && other < rows && reached.insert(other) {
                        fresh.push(other);
                    }
                }
            }
        }
        for row in reached.iter() {
            self.forget_row(row);
        }
        self.dirty = reached.iter().collect();
        self.whole = false;
        self.stage = if self
            .dirty
            .iter()
            .any(|row| self.rows[*row as usize].slot != NONE)
        {
            Stage::ReadingSome
        } else {
            Stage::Mapping { at: 0 }
        };
    }

    /// What the variable with a row's id is called in the file, hashed.
    fn name_held_by_id(&self, row: u32) -> Option<u32> {
        let id = (row < self.grid.rows()).then(|| self.id_of(row))?;
        if id.is_empty() {
            return None;
        }
        let slot = self.document.linked(&id_key(&id))?;
        self.document
            .variable(slot)
            .map(|variable| hash(&variable.name))
    }

    fn detach_if_moved(&mut self, row: u32) {
        // A row keeps its variable through a change of its values; after a change of names the search begins anew.
        if !self.rows[row as usize].matched {
            return;
        }
        let slot = self.rows[row as usize].slot;
        if slot == NONE {
            self.rows[row as usize].matched = false;
        }
    }

    pub(super) fn slots_to_read(&self) -> Vec<VariableSlot> {
        self.dirty
            .iter()
            .map(|row| self.rows[*row as usize].slot)
            .filter(|slot| *slot != NONE)
            .map(VariableSlot)
            .collect()
    }

    /// Maps rows from place `at` of the list on.
    pub(super) fn map_rows(&mut self, at: usize) {
        let count = if self.whole {
            self.grid.rows() as usize
        } else {
            self.dirty.len()
        };
        let end = (at + ROWS_A_STEP as usize).min(count);
        for place in at..end {
            let row = if self.whole {
                place as u32
            } else {
                self.dirty[place]
            };
            self.map_row(row);
        }
        self.stage = if end < count {
            Stage::Mapping { at: end }
        } else {
            Stage::Untangling { alive: None }
        };
    }

    /// What a row is; looks once.
    fn verdict(&mut self, row: u32, depth: u32) -> Verdict {
        match self.rows[row as usize].verdict {
            Verdict::Unknown => {}
            Verdict::Pending => return Verdict::Bad(Reason::Untyped),
            known @ (Verdict::Bad(_) | Verdict::Kind(_)) => return known,
        }
        self.rows[row as usize].verdict = Verdict::Pending;
        let verdict = match self.work_out(row, depth) {
            Ok(kind) => Verdict::Kind(kind),
            Err(reason) => Verdict::Bad(reason),
        };
        self.rows[row as usize].verdict = verdict;
        verdict
    }

    fn work_out(&mut self, row: u32, depth: u32) -> Result<VariableType, Reason> {
        let entry = &self.rows[row as usize];
        if self.garbled.contains(row) {
            return Err(Reason::Garbled);
        }
        if self.layout.is_none() || entry.collection == NONE {
            return Err(Reason::Blank);
        }
        let bare = entry.bare;
        let typed = entry.typed;
        let name = self.name_of(row);
        let twin = self.twin(row, &name);
        if bare && twin.is_some() {
            return Err(Reason::Blank);
        }
        let trouble = name_trouble(&name).is_some();
        if !bare {
            if trouble {
                return Err(Reason::Name);
            }
            if twin.is_some() {
                return Err(Reason::Duplicate);
            }
            if self.id_twin(row).is_some() {
                return Err(Reason::DuplicateId);
            }
            if typed == Typed::Word {
                return Err(Reason::TypeWord);
            }
        }
        let owner = self
            .collections
            .get(self.rows[row as usize].collection as usize)
            .and_then(|entry| entry.slot);
        let held = owner.and_then(|slot| self.document.collection(slot));
        if !bare && held.is_some_and(|owner| owner.extended) {
            return Err(Reason::Extended);
        }
        let existing = self
            .attach(row)
            .and_then(|slot| self.document.variable(slot))
            .map(|variable| (variable.kind, variable.collection));
        if !bare && existing.is_some_and(|(_, collection)| Some(collection) != owner) {
            return Err(Reason::Moved);
        }
        let existing = existing.map(|(kind, _)| kind);
        match (typed, existing) {
            (Typed::Kind(typed), Some(existing)) if typed != existing => Err(Reason::Retype),
            (_, Some(existing)) => Ok(existing),
            _ if bare => Err(Reason::Blank),
            (Typed::Kind(typed), None) => Ok(typed),
            (Typed::Nothing | Typed::Word, None) => self.kind_of_cells(row, depth),
        }
    }

    fn kind_of_cells(&mut self, row: u32, depth: u32) -> Result<VariableType, Reason> {
        if depth >= TYPE_CHAIN_MAX {
            return Err(Reason::Untyped);
        }
        let mut agreed: Option<VariableType> = None;
        for (_, _, reading) in self.readings(row, None) {
            let kind = match reading {
                Ok(Reading::Value(value)) => Some(value.variable_type()),
                Ok(Reading::Composed { .. }) => Some(VariableType::Color),
                Ok(Reading::Alias(alias)) => match self.resolve(&alias, row) {
                    Ok(Target::Variable(slot)) => self.document.kind_of(slot),
                    Ok(Target::Row(target)) => match self.verdict(target, depth + 1) {
                        Verdict::Kind(kind) => Some(kind),
                        Verdict::Unknown | Verdict::Pending | Verdict::Bad(_) => None,
                    },
                    Err(_) => None,
                },
                Ok(Reading::Empty | Reading::Hold) | Err(_) => None,
            };
            match (agreed, kind) {
                (Some(agreed), Some(kind)) if agreed != kind => return Err(Reason::Disagree),
                (None, Some(kind)) => agreed = Some(kind),
                _ => {}
            }
        }
        agreed.ok_or(Reason::Untyped)
    }

    /// Whether a row's cells agree on a colour but for numbers that Sheets made of hex digits: `000000` is 0.
    fn is_mangled_color(&self, row: u32) -> bool {
        let readings = self.readings(row, Some(VariableType::Color));
        readings.iter().all(|(_, _, reading)| match reading {
            Ok(_) | Err(value::ValueError::Mangled { .. }) => true,
            Err(_) => false,
        })
    }

    /// Reads a row's filled mode cells: place in the layout's modes, column, reading.
    pub(super) fn readings(
        &self,
        row: u32,
        kind: Option<VariableType>,
    ) -> Vec<(u32, u32, Result<Reading, value::ValueError>)> {
        let Some(layout) = &self.layout else {
            return Vec::new();
        };
        let mut cells = Vec::with_capacity(16);
        layout.split(self.grid.row(row), &mut cells);
        let mut readings = Vec::with_capacity(layout.modes.len());
        for (mode, column) in layout.modes.iter().enumerate() {
            let packed = cells
                .get(column.column as usize)
                .copied()
                .unwrap_or_default();
            if packed.is_empty() {
                continue;
            }
            let context = self.grid.context(row, column);
            let view = CellView::new(packed);
            let mut reading = match self.pointed_at(row, column, view) {
                Pointed::Nowhere => value::read(view, kind, &context),
                Pointed::Unread => Ok(Reading::Hold),
                Pointed::At(alias) => {
                    readings.push((mode as u32, column.column, Ok(Reading::Alias(alias))));
                    continue;
                }
            };
            if let Ok(Reading::Alias(alias) | Reading::Composed { alias, .. }) = &mut reading {
                let names = self.grid.names(row, column.column);
                alias.name = names.variable_name(std::mem::take(&mut alias.name));
            }
            readings.push((mode as u32, column.column, reading));
        }
        readings
    }

    /// The variable at whose cell a formula points, where formulas are taken for aliases. The value that the alias leads to has
    /// to be that of the cell: it is of the same mode, or the only one of a variable of another collection.
    fn pointed_at(&self, row: u32, mode: &ModeColumn, view: CellView<'_>) -> Pointed {
        let (Some(formula), Some(layout)) = (view.formula(), &self.layout) else {
            return Pointed::Nowhere;
        };
        let origin = self.grid.origin(row, mode.column);
        let Some((at, ..)) = origin.filter(|(at, ..)| self.grid.takes_formulas(Some(*at))) else {
            return Pointed::Nowhere;
        };
        let reference = cell_reference(&formula).filter(|_| view.kind() != Kind::Error);
        let Some(CellReference {
            tab,
            row: cell_row,
            column,
        }) = reference
        else {
            return Pointed::Nowhere;
        };
        let tab = match tab {
            None => Some(at),
            Some(title) => self.followed_beside(at, &title),
        };
        let Some(tab) = tab else {
            return Pointed::Nowhere;
        };
        if !self.grid.tabs()[tab].is_loaded() {
            return Pointed::Unread;
        }
        let Some((other, column)) = self.grid.shown_at(tab, cell_row, column) else {
            return Pointed::Nowhere;
        };
        if self.garbled.contains(other) {
            return Pointed::Unread;
        }
        let text = self.grid.row(other);
        let mut modes = layout.modes.iter();
        let is_mode = modes.any(|mode| mode.column == column) && !cell(text, column).is_empty();
        let Some(entry) = self
            .rows
            .get(other as usize)
            .filter(|entry| is_mode && other != row && entry.collection != NONE && !entry.bare)
        else {
            return Pointed::Nowhere;
        };
        let own = self.rows[row as usize].collection;
        let is_only = || {
            let mut modes = layout.modes.iter();
            modes.all(|mode| mode.column == column || cell(text, mode.column).is_empty())
        };
        if column != mode.column && (entry.collection == own || !is_only()) {
            return Pointed::Nowhere;
        }
        Pointed::At(AliasRef {
            library: None,
            collection: Some(self.collections[entry.collection as usize].name.clone()),
            name: self.name_of(other).into_owned(),
        })
    }

    /// The source whose tab has a title, in the spreadsheet of another source. Capitals make no difference, as in Sheets.
    fn followed_beside(&self, at: usize, title: &str) -> Option<usize> {
        let sheets: Vec<_> = self.connection.as_ref()?.sheets().collect();
        let title = title.to_lowercase();
        let sources = self.connection.as_ref()?.sources();
        sheets.iter().enumerate().position(|(other, sheet)| {
            let tab = &self.grid.tabs()[other];
            let known = match tab.is_loaded() {
                true => &tab.info().sheet_title,
                false => &sources[other].sheet_title,
            };
            sheet.spreadsheet_id == sheets[at].spreadsheet_id && known.to_lowercase() == title
        })
    }

    /// Another row with the same collection and name and with values.
    fn twin(&self, row: u32, name: &str) -> Option<u32> {
        let collection = self.rows[row as usize].collection;
        let hash = self.names.hash_of(row)?;
        let mut twins = self.names.under(hash).filter(|other| {
            let entry = &self.rows[*other as usize];
            *other != row
                && !entry.bare
                && entry.collection == collection
                && self.name_of(*other) == name
        });
        twins.next().map(|first| twins.fold(first, u32::min))
    }

    fn id_twin(&self, row: u32) -> Option<u32> {
        let hash = self.ids.hash_of(row)?;
        let id = self.id_of(row);
        let mut twins = self.ids.under(hash).filter(|other| {
            *other != row && !self.rows[*other as usize].bare && self.id_of(*other) == id
        });
        twins.next().map(|first| twins.fold(first, u32::min))
    }

    /// What an alias in `row` points at: a row first, then a variable of the file that has none.
    pub(super) fn resolve(&self, alias: &AliasRef, row: u32) -> Result<Target, Unresolved> {
        if alias.library.is_some() {
            return self.resolve_foreign(alias).ok_or(Unresolved::Library);
        }
        match self.resolve_name(&alias.name, alias.collection.as_deref(), row) {
            Err(Unresolved::Missing) if alias.name.contains('.') => self.resolve_name(
                &alias.name.replace('.', "/"),
                alias.collection.as_deref(),
                row,
            ),
            other => other,
        }
    }

    /// A reference that finds nothing, though a row has the name: that row gives no value.
    fn known(&self, alias: &AliasRef, why: Unresolved) -> Unresolved {
        let mut rows = self.names.under(hash(&alias.name));
        match why {
            Unresolved::Missing if rows.any(|row| self.name_of(row) == alias.name) => {
                Unresolved::Valueless
            }
            other => other,
        }
    }

    fn resolve_name(
        &self,
        name: &str,
        collection: Option<&str>,
        row: u32,
    ) -> Result<Target, Unresolved> {
        let own = self.rows[row as usize].collection;
        let name_hash = hash(name);
        let mut first: Option<(u32, u32)> = None;
        let mut ambiguous = false;
        for other in self.names.under(name_hash) {
            let entry = &self.rows[other as usize];
            if entry.bare || self.name_of(other) != name {
                continue;
            }
            match collection {
                Some(wanted) => {
                    if self.collections[entry.collection as usize].name == wanted {
                        return Ok(Target::Row(other));
                    }
                }
                None if entry.collection == own => return Ok(Target::Row(other)),
                None => match first {
                    None => first = Some((other, entry.collection)),
                    Some((_, seen)) => ambiguous |= seen != entry.collection,
                },
            }
        }
        if ambiguous {
            return Err(Unresolved::Ambiguous);
        }
        let own_slot = self
            .collections
            .get(own as usize)
            .and_then(|entry| entry.slot);
        let mut held: Option<VariableSlot> = None;
        for (slot, variable) in self.document.named(name, name_hash) {
            // One that a row of another name stands for is about to be renamed.
            if let Some(key) = variable.link.key()
                && self.has_row_with_key(key, NONE)
            {
                continue;
            }
            let renames = self.row_of_slot.get(slot.0 as usize);
            if renames.is_some_and(|row| *row != NONE && self.name_of(*row) != name) {
                continue;
            }
            let owner = self
                .document
                .collection(variable.collection)
                .map(|owner| owner.name.as_str());
            match collection {
                Some(wanted) if owner == Some(wanted) => return Ok(Target::Variable(slot)),
                Some(_) => {}
                None if Some(variable.collection) == own_slot && first.is_none() => {
                    return Ok(Target::Variable(slot));
                }
                None => {
                    // A variable that a found row stands for is no second candidate.
                    let stands =
                        first.is_some_and(|(other, _)| self.rows[other as usize].slot == slot.0);
                    if !stands && first.is_none() {
                        ambiguous |= held.is_some();
                        held = Some(slot);
                    }
                }
            }
        }
        match (first, held) {
            (Some((other, _)), _) => Ok(Target::Row(other)),
            (None, Some(_)) if ambiguous => Err(Unresolved::Ambiguous),
            (None, Some(slot)) => Ok(Target::Variable(slot)),
            (None, None) => Err(Unresolved::Missing),
        }
    }

    #[inline(never)]
    fn map_row(&mut self, row: u32) {
        let verdict = self.verdict(row, 0);
        let kind = match verdict {
            Verdict::Kind(kind) => kind,
            Verdict::Bad(reason) => {
                if reason == Reason::Retype {
                    if self.is_left_out(row) {
                        return;
                    }
                    self.retypes.rows.insert(row);
                }
                self.explain(row, reason);
                return;
            }
            Verdict::Unknown | Verdict::Pending => return,
        };
        let collection = self.rows[row as usize].collection;
        let slot = self.attach(row);
        if self.is_left_out(row) {
            self.rows[row as usize].sound = true;
            self.sound += 1;
            return;
        }
        if slot.is_none() && self.is_partial() {
            return;
        }
        let mut merging = Merging::of(row, slot, self);
        let mut problems: Vec<CellProblem> = Vec::new();
        let mut targets: Vec<u32> = Vec::new();
        let mut filled = false;
        for (mode, column, reading) in self.readings(row, Some(kind)) {
            let mode_slot = self.collections[collection as usize].modes[mode as usize];
            if self.collections[collection as usize].refused[mode as usize] {
                continue;
            }
            let (alias, opacity) = match reading {
                Ok(Reading::Empty | Reading::Hold) => continue,
                Ok(Reading::Value(value)) => {
                    filled = true;
                    merging.value(mode, mode_slot, value, self);
                    continue;
                }
                Ok(Reading::Alias(alias)) => (alias, None),
                Ok(Reading::Composed { alias, opacity }) => (alias, Some(opacity)),
                Err(error) => {
                    problems.push(CellProblem {
                        column,
                        message: owned(error.message()),
                        remedy: owned(error.remedy()),
                    });
                    continue;
                }
            };
            let name_hash = hash(&alias.name);
            self.references.push((name_hash, row));
            if alias.name.contains('.') {
                self.references
                    .push((hash(&alias.name.replace('.', "/")), row));
            }
            let target = match self.resolve(&alias, row) {
                Ok(target) => target,
                // What it refers to may stand in the tab that is not read yet.
                Err(Unresolved::Missing) if self.is_partial() => continue,
                Err(Unresolved::Missing) if kind == VariableType::String && opacity.is_none() => {
                    // Only a reference that resolves is an alias; in a text variable anything else is text.
                    filled = true;
                    let text = CellView::new(cell(self.grid.row(row), column)).text();
                    merging.value(mode, mode_slot, Value::String(text.into_owned()), self);
                    continue;
                }
                Err(why) => {
                    problems.push(unresolved(column, &alias, &self.known(&alias, why)));
                    continue;
                }
            };
            let target_kind = match target {
                Target::Variable(slot) => self.document.kind_of(slot),
                Target::Row(other) => match self.verdict(other, 0) {
                    Verdict::Kind(kind) => Some(kind),
                    Verdict::Unknown | Verdict::Pending | Verdict::Bad(_) => None,
                },
            };
            match target_kind {
                None => {
                    problems.push(CellProblem {
                        column,
                        message: format!(
                            "“{}” is not a variable yet: its own row has a problem.",
                            alias.name
                        ),
                        remedy: owned("Mend that row first."),
                    });
                    continue;
                }
                Some(other) if other != kind => {
                    problems.push(CellProblem {
                        column,
                        message: format!(
                            "“{}” is a {} and this variable is a {}.",
                            alias.name,
                            other.name(),
                            kind.name()
                        ),
                        remedy: owned("Refer to a variable of the same type."),
                    });
                    continue;
                }
                Some(_) => {}
            }
            if let Target::Row(other) = target
                && self.is_left_out(other)
                && self.attach(other).is_none()
            {
                problems.push(CellProblem {
                    column,
                    message: format!("“{}” is left out of the sync.", alias.name),
                    remedy: owned("Take its row in again, or refer to another variable."),
                });
                continue;
            }
            let target_slot = match target {
                Target::Variable(slot) => Some(slot),
                Target::Row(other) => {
                    if !targets.contains(&other) {
                        targets.push(other);
                    }
                    Some(self.rows[other as usize].slot)
                        .filter(|slot| *slot != NONE)
                        .map(VariableSlot)
                }
            };
            filled = true;
            merging.alias(mode, mode_slot, target, target_slot, opacity, self);
        }
        let mut change = RowChange::default();
        if slot.is_some() || filled {
            self.compare_fields(row, &mut merging, &mut problems);
            self.rows[row as usize].sound = true;
            self.sound += 1;
            change = self.close_merge(row, merging);
        }
        if !problems.is_empty() {
            self.problems.put(row, problems);
        }
        self.rows[row as usize].targets = targets;
        self.set_change(row, change);
    }

    /// Replaces what is planned for a row, and keeps the sums right.
    pub(super) fn set_change(&mut self, row: u32, change: RowChange) {
        let Some(place) = self.changes.get_mut(row as usize) else {
            return;
        };
        if place.is_empty() && change.is_empty() {
            return;
        }
        let before = std::mem::replace(place, change);
        let Self {
            changes,
            rows,
            collections,
            planned,
            ..
        } = self;
        let after = &changes[row as usize];
        let Some(entry) = collections.get_mut(rows[row as usize].collection as usize) else {
            return;
        };
        for (change, sign) in [(&before, -1_i32), (after, 1)] {
            if change.is_empty() {
                continue;
            }
            let add = |sum: &mut u32| *sum = sum.wrapping_add_signed(sign);
            if change.create {
                add(&mut planned.created);
                add(&mut entry.creates);
            } else if !change.made && !change.is_silent() {
                add(&mut planned.changed);
            }
            planned.writes = planned.writes.wrapping_add_signed(
                sign * (change.writes.len() as i32 + i32::from(change.create)),
            );
            for write in &change.writes {
                match write {
                    Write::Value { mode, .. } | Write::Alias { mode, .. } => {
                        add(&mut entry.needed[*mode as usize])
                    }
                    Write::Name => add(&mut planned.names),
                    Write::Description
                    | Write::Scopes(_)
                    | Write::Code(_)
                    | Write::Hidden(_)
                    | Write::Link
                    | Write::Remember => {}
                }
            }
        }
        if after.is_empty() {
            self.touched.remove(row);
        } else {
            self.touched.insert(row);
        }
    }

    fn compare_fields(&self, row: u32, merging: &mut Merging, problems: &mut Vec<CellProblem>) {
        let Some(layout) = &self.layout else { return };
        let held = merging.slot.and_then(|slot| self.document.variable(slot));
        let text = self.grid.row(row);
        let filled = |column: Option<u32>| {
            column
                .map(|column| (column, shown(cell(text, column))))
                .filter(|(_, shown)| !shown.is_empty())
        };
        if let Some(held) = held {
            let name = self.name_of(row);
            let place = Field::Name as usize;
            merging.text(place, &name, &held.name, Write::Name, self);
            let id = self.id_of(row);
            let key_differs = match &held.link {
                Link::Own => !id.is_empty(),
                Link::OwnKey(key) => **key != *id_key(&id) && !id.is_empty(),
                Link::None | Link::Used(_) | Link::Other => false,
            };
            if key_differs {
                merging.writes.push(Write::Link);
            }
        }
        if let Some((_, description)) = filled(layout.description) {
            let held = held.map_or("", |held| held.description.as_str());
            merging.text(
                Field::Description as usize,
                &description,
                held,
                Write::Description,
                self,
            );
        }
        if let Some((column, words)) = filled(layout.scopes) {
            match parse_scopes(&words).map(|scopes| scopes.map(|scopes| Scopes::of(&scopes))) {
                Ok(Some(scopes)) => {
                    let held = held.map_or(Scopes::ALL, |held| held.scopes);
                    let place = Field::Scopes as usize;
                    merging.bits(place, scopes.0, held.0, Write::Scopes(scopes), self);
                }
                Ok(None) => {}
                Err(error) => problems.push(CellProblem {
                    column,
                    message: error.to_string(),
                    remedy: owned(error.remedy()),
                }),
            }
        }
        for (platform, column) in layout.code.iter().enumerate() {
            if let Some((_, code)) = filled(*column) {
                let held = held.map_or("", |held| held.code[platform].as_str());
                let place = Field::Code as usize + platform;
                merging.text(place, &code, held, Write::Code(platform as u8), self);
            }
        }
        if let Some((column, word)) = filled(layout.hidden) {
            match switch_of(&word) {
                Some(hidden) => {
                    let held = held.is_some_and(|held| held.hidden);
                    let place = Field::Hidden as usize;
                    let (want, have) = (u32::from(hidden), u32::from(held));
                    merging.bits(place, want, have, Write::Hidden(hidden), self);
                }
                None => problems.push(CellProblem {
                    column,
                    message: format!("“{word}” is neither TRUE nor FALSE."),
                    remedy: owned(
                        "Write TRUE to hide the variable from publishing, FALSE to show it.",
                    ),
                }),
            }
        }
    }

    /// Notes that the variable planned for a row was made; what [`Engine::set_change`] would find, without going
    /// through the row's writes.
    pub(super) fn note_made(&mut self, row: u32) {
        let change = &mut self.changes[row as usize];
        change.create = false;
        change.made = true;
        if change.is_empty() {
            self.touched.remove(row);
        }
        self.planned.created -= 1;
        self.planned.writes -= 1;
        let place = self.rows[row as usize].collection;
        self.collections[place as usize].creates -= 1;
    }

    /// Says why a row is no variable.
    pub(super) fn explain(&mut self, row: u32, reason: Reason) {
        let Some(layout) = &self.layout else { return };
        let text = self.grid.row(row);
        let name = self.name_of(row);
        let problem = |column: u32, message: String, remedy: &str| CellProblem {
            column,
            message,
            remedy: owned(remedy),
        };
        let problem = match reason {
            Reason::Blank => {
                let stray = layout
                    .modes
                    .iter()
                    .find(|mode| !cell(text, mode.column).is_empty());
                match stray {
                    Some(_) if row > layout.header_row && name.is_empty() => Some(problem(
                        layout.name,
                        owned("This row has values but no name."),
                        "Write the variable's name, or clear the row.",
                    )),
                    _ => None,
                }
            }
            Reason::Garbled => Some(problem(
                layout.name,
                owned(
                    "The sheet shows an error here, or is still loading, so which variable this row is for can't be told.",
                ),
                "Mend the formula, or restore the sheet from its version history. Until then this row changes nothing, and no variable counts as gone.",
            )),
            Reason::Name => {
                name_trouble(&name).map(|(message, remedy)| problem(layout.name, message, remedy))
            }
            Reason::Duplicate => self.twin(row, &name).map(|twin| {
                let message = format!(
                    "{} names the same variable “{name}”; neither row is used.",
                    self.at(twin, layout.name)
                );
                problem(
                    layout.name,
                    message,
                    "Remove or rename one of the two rows.",
                )
            }),
            Reason::DuplicateId => self.id_twin(row).map(|twin| {
                let column = layout.id.unwrap_or(layout.name);
                let message = format!(
                    "{} has the same id; neither row is used.",
                    self.at(twin, column)
                );
                problem(
                    column,
                    message,
                    "Give one of the two rows an id of its own, or clear it.",
                )
            }),
            Reason::Moved => {
                let column = layout.collection.unwrap_or(layout.name);
                let held = Some(self.rows[row as usize].slot)
                    .filter(|slot| *slot != NONE)
                    .and_then(|slot| self.document.variable(VariableSlot(slot)))
                    .and_then(|variable| self.document.collection(variable.collection));
                let held = held.map_or("another", |owner| owner.name.as_str());
                let message = format!(
                    "The variable of this row is in the collection “{held}”, and Figma can't move a variable to another one."
                );
                Some(problem(
                    column,
                    message,
                    "Write the old collection again, or give the row a new id so that a new variable is made.",
                ))
            }
            Reason::Extended => {
                let column = layout.collection.unwrap_or(layout.name);
                let entry = self.rows[row as usize].collection;
                let entry = self.collections.get(entry as usize);
                let message = [
                    "“",
                    entry.map_or("", |entry| entry.name.as_str()),
                    "” is an extended collection, and Sheetwire leaves these alone.",
                ];
                Some(problem(
                    column,
                    message.concat(),
                    "Name the collection that it extends, or another one.",
                ))
            }
            Reason::TypeWord => {
                let column = layout.kind.unwrap_or(layout.name);
                let message = format!("“{}” is no type.", shown(cell(text, column)));
                Some(problem(
                    column,
                    message,
                    "Write COLOR, FLOAT, STRING, BOOLEAN, EASING or TIMING.",
                ))
            }
            Reason::Retype => {
                let column = layout.kind.unwrap_or(layout.name);
                let existing = Some(self.rows[row as usize].slot)
                    .filter(|slot| *slot != NONE)
                    .and_then(|slot| self.document.variable(VariableSlot(slot)));
                let existing = existing.map_or("of another type", |variable| variable.kind.name());
                let message = format!(
                    "In Figma “{name}” is {existing}, and Figma can't change a variable's type."
                );
                Some(problem(
                    column,
                    message,
                    "Write the old type again, or remove the variable in Figma so that it is made anew.",
                ))
            }
            Reason::Disagree if self.is_mangled_color(row) => {
                let changed = self.readings(row, Some(VariableType::Color)).into_iter();
                let changed = changed.filter_map(|(_, column, reading)| {
                    reading.err().map(|error| CellProblem {
                        column,
                        message: owned(error.message()),
                        remedy: owned(error.remedy()),
                    })
                });
                self.problems.put(row, changed.collect());
                None
            }
            Reason::Disagree => {
                let first = layout
                    .modes
                    .iter()
                    .find(|mode| !cell(text, mode.column).is_empty())
                    .map_or(layout.name, |mode| mode.column);
                Some(problem(
                    first,
                    format!("The values of “{name}” are of different types."),
                    "Make them agree, or add a type column that says which is meant.",
                ))
            }
            Reason::Untyped => {
                let mut problems: Vec<CellProblem> = Vec::new();
                for (_, column, reading) in self.readings(row, None) {
                    match reading {
                        Err(error) => problems.push(CellProblem {
                            column,
                            message: owned(error.message()),
                            remedy: owned(error.remedy()),
                        }),
                        Ok(Reading::Alias(alias)) => match self.resolve(&alias, row) {
                            Err(why) => {
                                problems.push(unresolved(column, &alias, &self.known(&alias, why)));
                            }
                            Ok(_) => problems.push(CellProblem {
                                column,
                                message: format!(
                                    "“{}” is not a variable yet: its own row has a problem.",
                                    alias.name
                                ),
                                remedy: owned("Mend that row first."),
                            }),
                        },
                        Ok(_) => {}
                    }
                }
                if !problems.is_empty() {
                    self.problems.put(row, problems);
                }
                None
            }
        };
        if reason == Reason::Untyped {
            // Whatever these cells refer to may appear later.
            for (_, _, reading) in self.readings(row, None) {
                if let Ok(Reading::Alias(alias)) = reading {
                    self.references.push((hash(&alias.name), row));
                    if alias.name.contains('.') {
                        self.references
                            .push((hash(&alias.name.replace('.', "/")), row));
                    }
                }
            }
        }
        if let Some(problem) = problem {
            self.problems.put(row, vec![problem]);
        }
    }

    /// Finds aliases that go in a circle. `alive` are the rows whose aliases may still end in one.
    pub(super) fn untangle(&mut self, alive: Option<Vec<u32>>) {
        let next = if self.whole {
            Stage::Orphaning { next: 0 }
        } else {
            Stage::Judging
        };
        let Some(alive) = alive else {
            let suspect = if self.whole {
                true
            } else {
                !self.cyclic.is_empty() || self.dirty.iter().any(|row| self.reaches(*row, *row))
            };
            self.stage = if suspect {
                let rows = (0..self.rows.len() as u32)
                    .filter(|row| !self.rows[*row as usize].targets.is_empty())
                    .collect();
                Stage::Untangling { alive: Some(rows) }
            } else {
                next
            };
            return;
        };
        let mut lives = vec![false; self.rows.len()];
        for row in &alive {
            lives[*row as usize] = true;
        }
        let mut left = Vec::with_capacity(alive.len());
        for row in alive.iter().rev() {
            if self.rows[*row as usize]
                .targets
                .iter()
                .any(|target| lives[*target as usize])
            {
                left.push(*row);
            } else {
                lives[*row as usize] = false;
            }
        }
        left.reverse();
        if !left.is_empty() && left.len() < alive.len() {
            self.stage = Stage::Untangling { alive: Some(left) };
            return;
        }
        for row in left {
            let circular: Vec<u32> = self.rows[row as usize]
                .targets
                .iter()
                .copied()
                .filter(|target| self.reaches(*target, row))
                .collect();
            if !circular.is_empty() {
                self.cut(row, &circular);
            }
        }
        self.stage = next;
    }

    /// Whether aliases lead from `from` to `to` (itself included only through an alias, when they are the same).
    fn reaches(&self, from: u32, to: u32) -> bool {
        let mut seen: BitSet = BitSet::default();
        let mut open = vec![from];
        let mut first = from == to;
        while let Some(row) = open.pop() {
            if row == to && !std::mem::take(&mut first) {
                return true;
            }
            for target in &self.rows[row as usize].targets {
                if *target == to {
                    return true;
                }
                if seen.insert(*target) {
                    open.push(*target);
                }
            }
        }
        false
    }

    fn cut(&mut self, row: u32, circular: &[u32]) {
        let name_column = self.layout.as_ref().map_or(0, |layout| layout.name);
        self.cyclic.insert(row);
        let mut problems = Vec::new();
        for (mode, column, reading) in self.readings(row, None) {
            let (Ok(Reading::Alias(alias)) | Ok(Reading::Composed { alias, .. })) = reading else {
                continue;
            };
            let Ok(Target::Row(target)) = self.resolve(&alias, row) else {
                continue;
            };
            if circular.contains(&target) {
                let mut change = self.changes[row as usize].clone();
                change.writes.retain(|write| !matches!(write, Write::Alias { mode: written, .. } if *written == mode));
                self.set_change(row, change);
                problems.push(CellProblem {
                    column,
                    message: format!(
                        "“{}” leads back to this variable; aliases can't go in a circle.",
                        alias.name
                    ),
                    remedy: format!(
                        "Give one of them a value of its own, starting at {}.",
                        self.at(target, name_column)
                    ),
                });
            }
        }
        self.problems.get_or_default(row).extend(problems);
    }

    /// Looks for variables of ours that no row stands for. Rows that are not read yet are not missed.
    pub(super) fn find_orphans(&mut self, next: u32) {
        if self.is_partial() {
            self.stage = Stage::Judging;
            return;
        }
        let end = (next + SLOTS_A_STEP).min(self.document.slots());
        for slot in next..end {
            if self
                .row_of_slot
                .get(slot as usize)
                .is_some_and(|row| *row != NONE)
            {
                continue;
            }
            let slot = VariableSlot(slot);
            if self
                .document
                .variable(slot)
                .is_some_and(|variable| variable.link.is_own())
            {
                self.orphans.insert(slot.0);
            }
        }
        if end < self.document.slots() {
            self.stage = Stage::Orphaning { next: end };
            return;
        }
        self.tell_twins();
        self.stage = Stage::Pairing;
    }

    /// Whether some row, even one that can't be used, names the variable: then its row is not gone.
    pub(super) fn is_named(&self, slot: VariableSlot) -> bool {
        let Some(variable) = self.document.variable(slot) else {
            return false;
        };
        // A collection of the same name may be there twice, and the row's be the other one.
        let is_twin =
            || variable.link == Link::Own && self.has_row_with_key(&self.present_key(slot), NONE);
        let by_name = self.names.under(hash(&variable.name)).any(|row| {
            let entry = &self.rows[row as usize];
            self.collections
                .get(entry.collection as usize)
                .and_then(|entry| entry.slot)
                == Some(variable.collection)
                && self.name_of(row) == variable.name
        });
        by_name
            || variable
                .link
                .key()
                .is_some_and(|key| self.has_row_with_key(key, NONE))
            || is_twin()
    }
}

/// Where the columns in use stand among the headers of a row: place before, place now. Every header is to stand there
/// once; with `renamed`, a header that is gone may have given way to a new one between the same neighbours, as long as
/// half of the columns keep their own, and two at least.
fn places_of(columns: &[Column], headers: &[String], renamed: bool) -> Option<Vec<(usize, usize)>> {
    // The headers of records are the variables' names, which may change.
    let used = |column: &Column| !matches!(column.role, Role::Ignore | Role::Variable);
    let place = |wanted: &str| {
        let mut places = headers
            .iter()
            .enumerate()
            .filter(|(_, header)| !wanted.is_empty() && *header == wanted);
        match (places.next(), places.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    };
    let mut found: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, column) in columns
        .iter()
        .enumerate()
        .filter(|(_, column)| used(column))
    {
        found.push((at, place(&column.header)));
    }
    let known = found.iter().filter(|(_, now)| now.is_some()).count();
    // A row of data may hold one of the words, too.
    let is_header = known > 1 && known * 2 >= found.len();
    if known < found.len() && !(renamed && is_header) {
        return None;
    }
    let is_new = |at: usize| {
        let header = &headers[at];
        !header.is_empty() && columns.iter().all(|column| column.header != *header)
    };
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (before, now) in &found {
        let now = match now {
            Some(now) => *now,
            None => {
                // Right after the nearest column to the left that is still there, or where it was.
                let left = (0..*before).rev().find_map(|at| {
                    let now = place(&columns[at].header)?;
                    Some(now + (*before - at))
                });
                let at = left.unwrap_or(*before);
                if at >= headers.len() || !is_new(at) {
                    return None;
                }
                at
            }
        };
        places.push((*before, now));
    }
    // Which of two new columns side by side is the old one would be a guess.
    let taken = |at: usize| places.iter().any(|(_, now)| *now == at);
    let beside = |at: usize| at < headers.len() && is_new(at) && !taken(at);
    let ambiguous = places
        .iter()
        .any(|(_, now)| is_new(*now) && (beside(now.wrapping_sub(1)) || beside(now + 1)));
    (!ambiguous).then_some(places)
}

/// The modes whose columns have another name than before: old and new. A tab of one mode names it itself.
fn renamed_columns(
    before: &Source,
    places: &[(usize, usize)],
    columns: &[Column],
) -> Vec<(String, String)> {
    let lies = before.layout.as_ref();
    if lies.is_some_and(|lies| lies.tab_mode.is_some()) {
        return Vec::new();
    }
    let modes = places.iter().filter_map(|(was, now)| {
        match (&before.columns.get(*was)?.role, &columns.get(*now)?.role) {
            (Role::Mode { name: old }, Role::Mode { name: new }) if old != new => {
                Some((old.clone(), new.clone()))
            }
            _ => None,
        }
    });
    modes.collect()
}

/// The role of the column that now stands at a place.
fn role_at(columns: &[Column], places: &[(usize, usize)], at: usize, header: &str) -> Role {
    let before = places.iter().find(|(_, now)| *now == at);
    match before.map(|(before, _)| &columns[*before]) {
        None => Role::Ignore,
        // A mode that is called by its header goes on to be.
        Some(Column {
            role: Role::Mode { name },
            header: old,
            ..
        }) if name == old => Role::Mode {
            name: header.to_owned(),
        },
        Some(column) => column.role.clone(),
    }
}

/// Adds a rename of a mode to those that wait, joining it to an earlier one of the same mode.
fn note_renamed(renamed: &mut Vec<String>, old: &str, new: &str) {
    let pair = |old: &str, new: &str| [old, "\n", new].concat();
    let earlier = renamed.iter_mut().find(|waits| {
        waits
            .split_once(KEY_SEPARATOR)
            .is_some_and(|(_, now)| now == old)
    });
    match earlier {
        Some(waits) => {
            let first = waits
                .split_once(KEY_SEPARATOR)
                .map_or("", |(first, _)| first);
            *waits = pair(first, new);
        }
        None => renamed.push(pair(old, new)),
    }
    renamed.retain(|waits| {
        waits
            .split_once(KEY_SEPARATOR)
            .is_some_and(|(old, new)| old != new)
    });
}

fn unresolved(column: u32, alias: &AliasRef, why: &Unresolved) -> CellProblem {
    let name = match &alias.collection {
        Some(collection) => format!("{collection}:{}", alias.name),
        None => alias.name.clone(),
    };
    let (message, remedy) = match why {
        Unresolved::Missing => (
            format!("Nothing is called “{name}”, in the sheet or in this file."),
            "Check the spelling, or add a row of that name.",
        ),
        Unresolved::Valueless => (
            format!("The row called “{name}” has no value, or is left out by a rule."),
            "Give that row a value, or refer to another variable.",
        ),
        Unresolved::Ambiguous => (
            format!("Several collections have a variable “{name}”."),
            "Say which is meant, as in {Collection:group/name}.",
        ),
        Unresolved::Library => (
            [
                "No library that this file may use has “",
                alias.library.as_deref().unwrap_or_default(),
                " › ",
                &name,
                "”.",
            ]
            .concat(),
            "Check the spelling, or enable the library in Figma (Assets, Libraries) and press Sync now.",
        ),
    };
    CellProblem {
        column,
        message,
        remedy: owned(remedy),
    }
}
