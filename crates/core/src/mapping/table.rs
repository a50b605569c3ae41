//! The rows of all tabs that feed a file, in one space.
//!
//! Owns the tabs, in what order their rows stand, which rows of tabs of one mode each are one variable, and the way back
//! from a row's cell to its tab. Must not know what Figma holds, or how a tab's own rows are made (`view`'s).
//!
//! The rows of one tab alone are read as its view has them, and cost nothing here. Rows of several tabs are written
//! again under columns that all of them share: tab after tab, each with some empty rows for what is added, and at the
//! end the rows of tabs that hold one mode each. Every row knows the rows of tabs that it is made of, its *parts*. A
//! changed cell has the rows made anew of which its row is a part; where rows come, go or join others, all are.

use std::ops::Range;

use super::grid::{Grid, cell, shown};
use super::view::{Reach, View, ViewProblem, push_text, turned};
use super::{Layout, LayoutProblem, ModeColumn, Names};
use crate::document::index::{Index, hash};
use crate::protocol::panel::{Column, SheetLayout, TabMode};
use crate::protocol::relay::{Position, SheetInfo};
use crate::sheet::a1;
use crate::value::ReadContext;

/// Empty rows after each tab's own, so that a row added to a tab moves no other.
const ROWS_SPARE: u32 = 64;
/// No row.
const NONE: u32 = u32::MAX;

/// A row of a tab as its view made it: the tab's place, the row.
type Part = (usize, u32);

/// A tab that feeds the file.
#[derive(Debug, Clone)]
pub struct Tab {
    view: View,
    info: SheetInfo,
    context: ReadContext,
    position: Position,
    is_loaded: bool,
    /// What it is called in addresses.
    name: String,
    header_row: u32,
    made: Option<Made>,
}

/// How a tab's rows stand in the table.
#[derive(Debug, Clone)]
struct Made {
    layout: Layout,
    tab_mode: Option<TabMode>,
    /// Whether formulas that point at other variables' cells are aliases.
    formulas: bool,
    /// The table's columns and the view's.
    columns: Vec<(u32, u32)>,
    /// The first of its rows in the table, and how many there is room for; nothing of a tab of one mode.
    first: u32,
    room: u32,
    /// For a tab of one mode, where each row of it went; `NONE` for none.
    joined: Vec<u32>,
}

/// The rows of several tabs.
#[derive(Debug, Clone, Default)]
struct Many {
    grid: Grid,
    /// The first row of tabs of one mode each.
    joined_from: u32,
    /// What each of these is made of.
    parts: Vec<Vec<Part>>,
    /// For each mode, the tabs with a column of it, one bit a tab.
    feeds: Vec<u32>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Table {
    tabs: Vec<Tab>,
    /// `None` while the rows of one tab are the table's.
    many: Option<Many>,
    /// That one.
    alone: usize,
}

impl Tab {
    fn new(locale: &str) -> Tab {
        Tab {
            view: View::default(),
            info: SheetInfo {
                spreadsheet_title: String::new(),
                sheet_title: String::new(),
                locale: locale.to_owned(),
            },
            context: ReadContext::for_locale(locale),
            position: Position {
                epoch: String::new(),
                revision: 0,
            },
            is_loaded: false,
            name: String::new(),
            header_row: 0,
            made: None,
        }
    }

    /// Titles and locale.
    pub fn info(&self) -> &SheetInfo {
        &self.info
    }

    /// How its cells are read.
    pub fn context(&self) -> &ReadContext {
        &self.context
    }

    /// Up to where its cells are here.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Notes that cells up to a position are here.
    pub fn advance(&mut self, position: Position) {
        self.position = position;
    }

    /// Whether all of its cells are here.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// All of its cells are here.
    pub fn loaded(&mut self) {
        self.is_loaded = true;
    }

    /// Its cells.
    pub fn sheet(&self) -> &Grid {
        self.view.sheet()
    }

    /// See [`View::guards`].
    pub fn guards(&self, place: (u32, u32), most: usize) -> Vec<(u32, u32)> {
        self.view.guards(place, most)
    }

    /// Adds packed rows of the tab.
    pub fn push(&mut self, chunk: &str) {
        self.view.push(chunk);
    }

    /// The last header row that its columns were arranged under.
    pub fn header_row(&self) -> u32 {
        self.header_row
    }

    /// Forgets the cells; a whole sheet comes.
    pub fn begin(&mut self, position: Position, info: SheetInfo) {
        self.forget();
        self.context = ReadContext::for_locale(&info.locale);
        self.position = position;
        self.info = info;
    }

    /// Forgets the cells.
    pub fn forget(&mut self) {
        self.view.clear(0);
        self.is_loaded = false;
        self.made = None;
    }

    /// Leaves the table; its cells stay.
    pub fn leave(&mut self) {
        self.made = None;
    }

    /// Makes the tab's own rows. `name` is what it is called in addresses.
    ///
    /// # Errors
    /// As [`Layout::of`]; the tab is no part of the table then.
    pub fn arrange(
        &mut self,
        columns: &[Column],
        header_row: u32,
        lies: &SheetLayout,
        name: &str,
    ) -> Result<(), Vec<LayoutProblem>> {
        self.made = None;
        self.header_row = header_row;
        name.clone_into(&mut self.name);
        let layout = self.view.arrange(columns, header_row, lies, name)?;
        self.made = Some(Made {
            layout,
            tab_mode: lies.tab_mode.clone(),
            formulas: lies.formulas && !self.view.is_turned(),
            columns: Vec::new(),
            first: 0,
            room: 0,
            joined: Vec::new(),
        });
        Ok(())
    }

    fn is_of_one_mode(&self) -> bool {
        self.made
            .as_ref()
            .is_some_and(|made| made.tab_mode.is_some())
    }

    /// The view's column that stands in one of the table's.
    fn column(&self, column: u32) -> Option<u32> {
        let mut columns = self.made.as_ref()?.columns.iter();
        columns.find(|(of, _)| *of == column).map(|(_, own)| *own)
    }

    /// Packed cell of a row, by the table's column.
    fn cell(&self, row: u32, column: u32) -> &str {
        let own = self.column(column);
        own.map_or("", |own| cell(self.view.row(row), own))
    }

    /// The collection of rows that name none.
    fn collection(&self) -> &str {
        match self.made.as_ref().and_then(|made| made.tab_mode.as_ref()) {
            Some(tab_mode) => &tab_mode.collection,
            None => &self.info.sheet_title,
        }
    }

    /// What makes a row of a tab of one mode the same as another tab's: id, collection, name. `None` for no variable.
    fn identity(&self, row: u32) -> Option<(String, String, String)> {
        if row <= self.made.as_ref()?.layout.header_row {
            return None;
        }
        let text = |column: u32| shown(self.cell(row, column)).into_owned();
        let name = text(turned::NAME);
        let mut collection = text(turned::COLLECTION);
        if collection.is_empty() {
            self.collection().clone_into(&mut collection);
        }
        (!self.view.row(row).is_empty()).then(|| (text(turned::ID), collection, name))
    }
}

impl Table {
    /// The tabs, in order.
    pub fn tabs(&self) -> &[Tab] {
        &self.tabs
    }

    /// One tab.
    pub fn tab_mut(&mut self, at: usize) -> Option<&mut Tab> {
        self.tabs.get_mut(at)
    }

    /// Makes the table have exactly `count` tabs. `locale` is that of new ones until their cells come.
    pub fn set_tabs(&mut self, count: usize, locale: &str) {
        self.tabs.resize_with(count, || Tab::new(locale));
    }

    /// Takes a tab out.
    pub fn remove_tab(&mut self, at: usize) {
        if at < self.tabs.len() {
            self.tabs.remove(at);
        }
        self.many = None;
        self.alone = 0;
    }

    /// Forgets all cells.
    pub fn forget(&mut self) {
        for tab in &mut self.tabs {
            tab.forget();
        }
        self.many = None;
        self.alone = 0;
    }

    /// Puts the rows of all arranged tabs together. Returns where the roles stand in them; `None` without any.
    pub fn join(&mut self) -> Option<Layout> {
        self.many = None;
        let arranged = self.tabs.iter().enumerate();
        let arranged: Vec<usize> = arranged
            .filter(|(_, tab)| tab.made.is_some())
            .map(|(at, _)| at)
            .collect();
        self.alone = *arranged.first()?;
        if let [one] = arranged[..]
            && !self.tabs[one].is_of_one_mode()
        {
            return self.tabs[one].made.as_ref().map(|made| made.layout.clone());
        }
        let mut many = Many::default();
        let layout = self.share_columns(&mut many.feeds);
        // Above all rows is a header's place.
        let mut next = 1;
        for tab in &mut self.tabs {
            let joins = tab.is_of_one_mode();
            let rows = tab.view.rows();
            let Some(made) = &mut tab.made else { continue };
            if joins {
                made.joined = vec![NONE; rows as usize];
            } else {
                made.first = next;
                made.room = rows + ROWS_SPARE;
                next += made.room;
            }
        }
        many.joined_from = next;
        self.join_rows(&mut many);
        many.grid.set_rows(next + many.parts.len() as u32);
        for (at, tab) in self.tabs.iter().enumerate() {
            let Some(made) = tab.made.as_ref().filter(|made| made.room > 0) else {
                continue;
            };
            for row in 0..tab.view.rows() {
                let text = self.text(&[(at, row)]);
                if !text.is_empty() {
                    many.grid.set_row(made.first + row, text);
                }
            }
        }
        for (at, parts) in many.parts.iter().enumerate() {
            many.grid.set_row(next + at as u32, self.text(parts));
        }
        self.many = Some(many);
        Some(layout)
    }

    /// Gives every tab's columns a place among the table's.
    fn share_columns(&mut self, feeds: &mut Vec<u32>) -> Layout {
        let mut shared = Layout {
            header_row: 0,
            name: turned::NAME,
            collection: Some(turned::COLLECTION),
            ..Layout::default()
        };
        for (at, tab) in self.tabs.iter_mut().enumerate() {
            let Some(made) = &mut tab.made else { continue };
            let own = &made.layout;
            let mut columns = vec![(turned::NAME, own.name)];
            let mut share = |place: Option<&mut Option<u32>>, column: u32, own: Option<u32>| {
                if let Some(own) = own {
                    columns.push((column, own));
                    if let Some(place) = place {
                        *place = Some(column);
                    }
                }
            };
            share(None, turned::COLLECTION, own.collection);
            share(Some(&mut shared.kind), turned::KIND, own.kind);
            share(
                Some(&mut shared.description),
                turned::DESCRIPTION,
                own.description,
            );
            share(Some(&mut shared.scopes), turned::SCOPES, own.scopes);
            for (platform, place) in shared.code.iter_mut().enumerate() {
                let column = turned::CODE + platform as u32;
                share(Some(place), column, own.code[platform]);
            }
            share(Some(&mut shared.hidden), turned::HIDDEN, own.hidden);
            share(Some(&mut shared.id), turned::ID, own.id);
            for mode in &own.modes {
                let known = shared
                    .modes
                    .iter()
                    .position(|other| other.name == mode.name);
                let place = known.unwrap_or_else(|| {
                    shared.modes.push(ModeColumn {
                        column: turned::MODES + shared.modes.len() as u32,
                        name: mode.name.clone(),
                        rem_px: None,
                    });
                    feeds.push(0);
                    shared.modes.len() - 1
                });
                feeds[place] |= 1 << at;
                columns.push((turned::MODES + place as u32, mode.column));
            }
            made.columns = columns;
        }
        shared.last = turned::MODES + shared.modes.len() as u32;
        shared
    }

    /// Finds out which rows of tabs of one mode each are one variable: by id, else by collection and name. A row whose
    /// variable has a row of the same tab already stands for itself, and is found to be a duplicate.
    fn join_rows(&mut self, many: &mut Many) {
        let count = self.tabs.iter().filter(|tab| tab.is_of_one_mode());
        let count = count.map(|tab| tab.view.rows() as usize).sum();
        let (mut ids, mut names) = (Index::default(), Index::default());
        ids.reset(count);
        names.reset(count);
        let mut known: Vec<(String, String, String)> = Vec::new();
        for at in 0..self.tabs.len() {
            if !self.tabs[at].is_of_one_mode() {
                continue;
            }
            for row in 0..self.tabs[at].view.rows() {
                let Some((id, collection, name)) = self.tabs[at].identity(row) else {
                    continue;
                };
                let is_free = |other: u32| {
                    let mut parts = many.parts[other as usize].iter();
                    parts.all(|(tab, _)| *tab != at)
                };
                let (id_hash, name_hash) = (hash(&id), hash(&name));
                let by_id = (!id.is_empty()).then(|| {
                    let mut same = ids.under(id_hash);
                    same.find(|other| known[*other as usize].0 == id && is_free(*other))
                });
                let by_name = || {
                    let mut same = names.under(name_hash);
                    same.find(|other| {
                        let (other_id, of, called) = &known[*other as usize];
                        *called == name
                            && *of == collection
                            && (id.is_empty() || other_id.is_empty())
                            && is_free(*other)
                    })
                };
                let found = by_id
                    .flatten()
                    .or_else(|| by_name().filter(|_| !name.is_empty()));
                let place = found.unwrap_or_else(|| {
                    let place = known.len() as u32;
                    names.insert(place, name_hash);
                    known.push((String::new(), collection, name));
                    many.parts.push(Vec::new());
                    place
                });
                if !id.is_empty() && known[place as usize].0.is_empty() {
                    ids.insert(place, id_hash);
                    known[place as usize].0 = id;
                }
                many.parts[place as usize].push((at, row));
                if let Some(made) = &mut self.tabs[at].made {
                    made.joined[row as usize] = place;
                }
            }
        }
    }

    /// A row of the table, packed: each cell is that of the first part that fills it.
    fn text(&self, parts: &[Part]) -> String {
        let mut cells: Vec<&str> = Vec::new();
        let mut own = Vec::new();
        for (at, row) in parts {
            let tab = &self.tabs[*at];
            let Some(made) = tab
                .made
                .as_ref()
                .filter(|made| *row > made.layout.header_row)
            else {
                continue;
            };
            made.layout.split(tab.view.row(*row), &mut own);
            for (column, from) in &made.columns {
                let packed = own.get(*from as usize).copied().unwrap_or_default();
                if packed.is_empty() {
                    continue;
                }
                let column = *column as usize;
                if cells.len() <= column {
                    cells.resize(column + 1, "");
                }
                if cells[column].is_empty() {
                    cells[column] = packed;
                }
            }
        }
        let mut collection = String::new();
        let named = cells.first().is_some_and(|name| !name.is_empty());
        if named {
            let place = turned::COLLECTION as usize;
            if cells.len() <= place {
                cells.resize(place + 1, "");
            }
            if let Some((at, _)) = parts.first()
                && shown(cells[place]).is_empty()
            {
                push_text(&mut collection, self.tabs[*at].collection());
                cells[place] = &collection;
            }
        }
        let mut text = String::with_capacity(cells.iter().map(|cell| cell.len() + 1).sum());
        for (at, packed) in cells.iter().enumerate() {
            if at > 0 {
                text.push('\u{1f}');
            }
            text.push_str(packed);
        }
        text
    }

    /// How many rows there are.
    pub fn rows(&self) -> u32 {
        match (&self.many, self.tabs.get(self.alone)) {
            (Some(many), _) => many.grid.rows(),
            (None, Some(tab)) => tab.view.rows(),
            (None, None) => 0,
        }
    }

    /// A row, packed.
    pub fn row(&self, row: u32) -> &str {
        match (&self.many, self.tabs.get(self.alone)) {
            (Some(many), _) => many.grid.row(row),
            (None, Some(tab)) => tab.view.row(row),
            (None, None) => "",
        }
    }

    /// Puts a row that [`Table::edit`] gave.
    pub fn put(&mut self, row: u32, text: String) {
        match (&mut self.many, self.tabs.get_mut(self.alone)) {
            (Some(many), _) => many.grid.set_row(row, text),
            (None, Some(tab)) => tab.view.put(row, text),
            (None, None) => {}
        }
    }

    /// The row of a tab that stands in a row below those of tabs of one mode.
    fn single(&self, row: u32) -> Option<Part> {
        let mut tabs = self.tabs.iter().enumerate();
        tabs.find_map(|(at, tab)| {
            let made = tab.made.as_ref()?;
            let own = row.checked_sub(made.first)?;
            (own < made.room).then_some((at, own))
        })
    }

    /// The part of a row that a column's cell is of: the first that fills it, else the first that has the column.
    fn part(&self, many: &Many, row: u32, column: u32) -> Option<Part> {
        let Some(joined) = row.checked_sub(many.joined_from) else {
            return self.single(row);
        };
        let parts = many.parts.get(joined as usize)?;
        let has = |(at, _): &&Part| self.tabs[*at].column(column).is_some();
        let fills = |(at, row): &&Part| !self.tabs[*at].cell(*row, column).is_empty();
        let found = parts.iter().find(fills).or_else(|| parts.iter().find(has));
        found.or_else(|| parts.first()).copied()
    }

    /// Where a cell stands: the tab's place, and row and column of its sheet.
    pub fn place(&self, row: u32, column: u32) -> (usize, u32, u32) {
        let Some(many) = &self.many else {
            let tab = self.tabs.get(self.alone);
            let (row, column) = tab.map_or((row, column), |tab| tab.view.place(row, column));
            return (self.alone, row, column);
        };
        let header = || {
            let tabs = self.tabs.iter().enumerate();
            let mut of = tabs.filter(|(_, tab)| tab.column(column).is_some());
            let (at, tab) = of.next()?;
            Some((at, tab.made.as_ref()?.layout.header_row))
        };
        let part = self.part(many, row, column).or_else(header);
        let Some((at, row)) = part else {
            return (self.alone, row, 0);
        };
        let tab = &self.tabs[at];
        let column = tab.column(column).or_else(|| tab.column(turned::NAME));
        let (row, column) = tab.view.place(row, column.unwrap_or_default());
        (at, row, column)
    }

    /// Which cell of a tab a row's cell shows: the tab's place, and row and column of its sheet; `None` as
    /// [`View::origin`] has it.
    pub fn origin(&self, row: u32, column: u32) -> Option<(usize, u32, u32)> {
        let (at, row, column) = match &self.many {
            None => (self.alone, row, column),
            Some(many) => {
                let (at, row) = self.part(many, row, column)?;
                (at, row, self.tabs[at].column(column)?)
            }
        };
        let (row, column) = self.tabs.get(at)?.view.origin(row, column)?;
        Some((at, row, column))
    }

    /// Whether formulas of a tab are taken for aliases; of any tab, without one.
    pub fn takes_formulas(&self, at: Option<usize>) -> bool {
        let takes = |tab: &Tab| tab.made.as_ref().is_some_and(|made| made.formulas);
        match at {
            Some(at) => self.tabs.get(at).is_some_and(takes),
            None => self.tabs.iter().any(takes),
        }
    }

    /// Which of the table's cells shows a cell of a tab in which a row is a variable.
    pub fn shown_at(&self, at: usize, row: u32, column: u32) -> Option<(u32, u32)> {
        let tab = self.tabs.get(at).filter(|tab| !tab.view.is_turned())?;
        let made = tab.made.as_ref()?;
        if row <= made.layout.header_row || row >= tab.view.rows() {
            return None;
        }
        let Some(many) = &self.many else {
            return (at == self.alone).then_some((row, column));
        };
        let mut columns = made.columns.iter();
        let (shared, _) = columns.find(|(_, own)| *own == column)?;
        let row = if made.room > 0 {
            made.first + row
        } else {
            let joined = made.joined.get(row as usize);
            many.joined_from + joined.filter(|place| **place != NONE)?
        };
        Some((row, *shared))
    }

    /// A1 notation of a cell, where it stands.
    pub fn address(&self, row: u32, column: u32) -> String {
        let (at, row, column) = self.place(row, column);
        self.tabs
            .get(at)
            .map_or_else(String::new, |tab| a1(&tab.name, row, column))
    }

    /// How a cell in a mode's column is read.
    pub fn context(&self, row: u32, mode: &ModeColumn) -> ReadContext {
        let (at, rem_px) = match &self.many {
            None => (self.alone, mode.rem_px),
            Some(many) => {
                let at = self.part(many, row, mode.column).map_or(0, |part| part.0);
                let tab = self.tabs.get(at);
                let own = tab.and_then(|tab| tab.made.as_ref()).and_then(|made| {
                    let mut modes = made.layout.modes.iter();
                    modes.find(|own| own.name == mode.name)
                });
                (at, own.and_then(|own| own.rem_px))
            }
        };
        let Some(tab) = self.tabs.get(at) else {
            return ReadContext::for_locale("");
        };
        let mut context = tab.context;
        if let Some(px) = rem_px {
            context.rem_base_px = f64::from(px);
        }
        context
    }

    /// What the signs in a name that a cell refers to stand for.
    pub fn names(&self, row: u32, column: u32) -> Names {
        let at = match &self.many {
            None => self.alone,
            Some(many) => self.part(many, row, column).map_or(0, |part| part.0),
        };
        let made = self.tabs.get(at).and_then(|tab| tab.made.as_ref());
        made.map_or(Names::Keep, |made| made.layout.names)
    }

    /// The collection of a row that names none.
    pub fn collection(&self, row: u32) -> &str {
        let at = match &self.many {
            None => self.alone,
            Some(many) => self.part(many, row, turned::NAME).map_or(0, |part| part.0),
        };
        self.tabs.get(at).map_or("", Tab::collection)
    }

    /// The tabs that a row is of, one bit a tab.
    pub fn feeds(&self, row: u32) -> u32 {
        let Some(many) = &self.many else { return 1 };
        let parts = match row.checked_sub(many.joined_from) {
            None => return self.single(row).map_or(0, |(at, _)| 1 << at),
            Some(joined) => many.parts.get(joined as usize),
        };
        let parts = parts.into_iter().flatten();
        parts.fold(0, |feeds, (at, _)| feeds | 1 << at)
    }

    /// The tabs with a column of the mode at a place of the layout's, one bit a tab.
    pub fn mode_feeds(&self, mode: usize) -> u32 {
        let Some(many) = &self.many else { return 1 };
        many.feeds.get(mode).copied().unwrap_or_default()
    }

    /// What is wrong with how the tabs lie, with addresses.
    pub fn problems(&self) -> impl Iterator<Item = (String, &ViewProblem)> {
        let arranged = self.tabs.iter().filter(|tab| tab.made.is_some());
        arranged.flat_map(|tab| {
            let problems = tab.view.problems().iter();
            problems.map(|problem| (a1(&tab.name, problem.row, problem.column), problem))
        })
    }

    /// Takes a changed cell of a tab in. Rows of the table that show it are given back, not put.
    pub fn edit(&mut self, at: usize, row: u32, column: u32, packed: &str) -> Reach {
        let is_alone = self.many.is_none() && at == self.alone;
        let Some(tab) = self.tabs.get_mut(at) else {
            return Reach::Rows(Vec::new());
        };
        let rows = match tab.view.edit(row, column, packed) {
            Reach::Rows(rows) if is_alone && tab.made.is_some() => return Reach::Rows(rows),
            Reach::Rows(rows) => rows,
            Reach::All if tab.made.is_some() => return Reach::All,
            Reach::All => return Reach::Rows(Vec::new()),
        };
        let mut own_rows = Vec::with_capacity(rows.len());
        for (own, text) in rows {
            let was = tab.is_of_one_mode().then(|| tab.identity(own)).flatten();
            tab.view.put(own, text);
            if tab.is_of_one_mode() && was != tab.identity(own) {
                return Reach::All;
            }
            own_rows.push(own);
        }
        let Some(many) = &self.many else {
            return Reach::Rows(Vec::new());
        };
        let Some(made) = &self.tabs[at].made else {
            return Reach::Rows(Vec::new());
        };
        let mut reached = Vec::with_capacity(own_rows.len());
        for own in own_rows {
            if made.room > 0 {
                if own >= made.room {
                    return Reach::All;
                }
                reached.push((made.first + own, self.text(&[(at, own)])));
                continue;
            }
            match made.joined.get(own as usize) {
                Some(place) if *place != NONE => {
                    let text = self.text(&many.parts[*place as usize]);
                    reached.push((many.joined_from + place, text));
                }
                Some(_) => {}
                None => return Reach::All,
            }
        }
        Reach::Rows(reached)
    }

    /// Rows of the table that go when a tab has only `rows` left.
    pub fn lost(&self, at: usize, rows: u32) -> Range<u32> {
        let Some(tab) = self.tabs.get(at) else {
            return 0..0;
        };
        if self.many.is_none() {
            let is_alone = at == self.alone && rows < tab.sheet().rows();
            return if is_alone {
                rows..tab.view.rows()
            } else {
                0..0
            };
        }
        let made = tab.made.as_ref().filter(|made| made.room > 0);
        made.filter(|_| rows < tab.sheet().rows())
            .map_or(0..0, |made| {
                made.first + rows.min(made.room)..made.first + tab.view.rows().min(made.room)
            })
    }

    /// Cuts a tab off after `rows`. `false` when the rows are to be made anew.
    pub fn cut(&mut self, at: usize, rows: u32) -> bool {
        let lost = self.lost(at, rows);
        let Some(tab) = self.tabs.get_mut(at) else {
            return true;
        };
        if rows >= tab.sheet().rows() {
            return true;
        }
        let joins = tab.is_of_one_mode();
        let stands = tab.view.set_rows(rows) || tab.made.is_none();
        if let Some(many) = &mut self.many {
            for row in lost {
                many.grid.set_row(row, String::new());
            }
        }
        stands && !joins
    }
}
