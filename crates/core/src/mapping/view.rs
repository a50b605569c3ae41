//! The sheet as rows of one variable each, whatever way it lies.
//!
//! Owns the sheet's packed cells, the rows made of them, and the way back from a made row's cell to the sheet's. Must
//! not know what Figma holds.
//!
//! A sheet of one row a variable is read as it stands, and costs nothing here. Names that are put together from several
//! cells, headings and rules are written into rows that stand where the sheet's do (*composed*). Records, the long
//! layout and collections of brands are *turned*: each made row lists the places its cells come from, under a header
//! row of its own, and a change of a cell finds the rows that show it. A change of what the rows themselves hang on (a
//! header, a name in a turned sheet) has the view made anew.

use std::borrow::Cow;

use super::grid::{Cells, Grid, cell, named, shown, with_cell};
use super::header::{BETWEEN, Header, pairs};
use super::inference::role_of_header;
use super::{Layout, LayoutProblem, MODES_MAX, ModeColumn, Rule, mode_trouble, rem_px};
use crate::document::index::{Index, hash};
use crate::owned;
use crate::protocol::panel::{Brands, Column, Role, Sections, Shape, SheetLayout};
use crate::sheet::{Cell, Content, a1, push_cell};

/// Columns of a turned row; the modes follow.
pub(super) mod turned {
    pub const NAME: u32 = 0;
    pub const COLLECTION: u32 = 1;
    pub const KIND: u32 = 2;
    pub const DESCRIPTION: u32 = 3;
    pub const SCOPES: u32 = 4;
    pub const CODE: u32 = 5;
    pub const HIDDEN: u32 = 8;
    pub const ID: u32 = 9;
    pub const MODES: u32 = 10;
}

/// A place of a turned row's cell: zero-based row and column of the sheet.
type Place = (u32, u32);
/// No place: the cell is empty, and stays so until the view is made anew.
const NOWHERE: Place = (u32::MAX, u32::MAX);

/// Something wrong with how the sheet lies, at a place of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewProblem {
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
    /// One sentence.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

/// How rows are made.
#[derive(Debug, Clone, Default)]
enum Way {
    /// As they stand.
    #[default]
    Plain,
    /// Row for row, with names put together.
    Composed,
    /// From places all over the sheet.
    Turned {
        /// `width` places a row, the first row (the header) included.
        places: Vec<Place>,
        width: u32,
    },
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct View {
    way: Way,
    /// The rows as made; with [`Way::Plain`] the sheet itself.
    grid: Grid,
    /// The sheet, unless the way is plain.
    source: Grid,
    /// Where each role stands in the sheet.
    layout: Layout,
    lies: SheetLayout,
    tab: String,
    problems: Vec<ViewProblem>,
}

/// What a change of a cell reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// These rows, with their new text; they are to be put back with [`View::put`].
    Rows(Vec<(u32, String)>),
    /// What all rows hang on: the view is to be made anew with [`View::arrange`].
    All,
}

impl View {
    /// Forgets all cells and makes room for a packed sheet of `bytes`.
    pub fn clear(&mut self, bytes: usize) {
        self.way = Way::Plain;
        self.source = Grid::default();
        self.grid.clear(bytes);
        self.problems.clear();
    }

    /// Adds packed rows of the sheet, before it is arranged.
    pub fn push(&mut self, chunk: &str) {
        self.grid.push(chunk);
    }

    /// The sheet itself.
    pub fn sheet(&self) -> &Grid {
        match self.way {
            Way::Plain => &self.grid,
            Way::Composed | Way::Turned { .. } => &self.source,
        }
    }

    /// Rows as made.
    pub fn rows(&self) -> u32 {
        self.grid.rows()
    }

    /// A row as made, packed.
    pub fn row(&self, row: u32) -> &str {
        self.grid.row(row)
    }

    /// Where in the sheet a made row's cell stands.
    pub fn place(&self, row: u32, column: u32) -> (u32, u32) {
        let Way::Turned { places, width } = &self.way else {
            return (row, column);
        };
        let at = |column: u32| places.get((row * width + column) as usize).copied();
        at(column)
            .filter(|place| *place != NOWHERE)
            .or_else(|| at(turned::NAME))
            .filter(|place| *place != NOWHERE)
            .unwrap_or((self.layout.header_row, self.layout.name))
    }

    /// Which cell of the sheet a made row's cell shows; `None` where it shows none, or one that other rows show, too.
    pub fn origin(&self, row: u32, column: u32) -> Option<(u32, u32)> {
        let Way::Turned { places, width } = &self.way else {
            return Some((row, column));
        };
        let place = places.get((row * width + column) as usize)?;
        let is_shared = self.lies.brands == Brands::Collections && column < turned::MODES;
        (*place != NOWHERE && !is_shared).then_some(*place)
    }

    /// The cells of the sheet that tell whether a cell of it is still where it was: those with the name or id of its row, and the
    /// header of its column; at most `most`, those that tell most first.
    pub fn guards(&self, (row, column): (u32, u32), most: usize) -> Vec<(u32, u32)> {
        let layout = &self.layout;
        let has_id = |id: &u32| !cell(self.sheet().row(row), *id).is_empty();
        let mut columns: Vec<u32> = layout.id.filter(has_id).into_iter().collect();
        if columns.is_empty() {
            columns.push(layout.name);
            columns.extend(layout.mode_name);
            columns.extend(layout.groups.iter().rev());
        }
        let mut places = vec![(layout.header_row, column)];
        places.extend(columns.into_iter().map(|column| (row, column)));
        places.truncate(most);
        places
    }

    /// Whether its rows are made from places all over the sheet.
    pub fn is_turned(&self) -> bool {
        matches!(self.way, Way::Turned { .. })
    }

    /// What is wrong with how the sheet lies.
    pub fn problems(&self) -> &[ViewProblem] {
        &self.problems
    }

    /// Makes the rows. Returns where the roles stand in them.
    ///
    /// # Errors
    /// As [`Layout::of`].
    pub fn arrange(
        &mut self,
        columns: &[Column],
        header_row: u32,
        lies: &SheetLayout,
        tab: &str,
    ) -> Result<Layout, Vec<LayoutProblem>> {
        let layout = Layout::of(columns, header_row, lies)?;
        if !matches!(self.way, Way::Plain) {
            self.grid = std::mem::take(&mut self.source);
            self.way = Way::Plain;
        }
        self.problems.clear();
        self.layout = layout;
        self.lies.clone_from(lies);
        tab.clone_into(&mut self.tab);
        let is_turned = lies.shape != Shape::Tokens || lies.brands == Brands::Collections;
        let is_composed = !self.layout.groups.is_empty()
            || lies.sections != Sections::Ignore
            || lies.names != super::Names::Keep
            || (lies.same_collection && self.layout.collection.is_some())
            || lies.skip_rows > 0
            || self.layout.only.is_some()
            || self.layout.ignore.is_some();
        if is_turned {
            self.source = std::mem::take(&mut self.grid);
            return Ok(self.turn(columns));
        }
        if is_composed {
            self.source = std::mem::take(&mut self.grid);
            self.way = Way::Composed;
            if lies.sections == Sections::Collections && self.layout.collection.is_none() {
                // The headings' names need a column; the one after all others is read by nobody else.
                let after = columns.iter().map(|column| column.index + 1).max();
                self.layout.last = after.unwrap_or_default().max(self.layout.last);
                self.layout.collection = Some(self.layout.last);
            }
            self.grid.set_rows(self.source.rows());
            for (row, text) in self.compose() {
                self.grid.set_row(row, text);
            }
        }
        Ok(self.layout.clone())
    }

    /// Takes a changed cell of the sheet in. Rows that show it are given back, not put.
    pub fn edit(&mut self, row: u32, column: u32, packed: &str) -> Reach {
        match &self.way {
            Way::Plain => {
                let text = with_cell(self.grid.row(row), column, packed);
                Reach::Rows(vec![(row, text)])
            }
            Way::Composed => {
                let before = self.shape(row);
                self.source.set_cell(row, column, packed);
                if row <= self.layout.header_row {
                    return Reach::Rows(vec![(row, self.source.row(row).to_owned())]);
                }
                let after = self.shape(row);
                let hangs = self.carries(column) || before != after || after.1;
                if self.grid.rows() < self.source.rows() {
                    self.grid.set_rows(self.source.rows());
                }
                Reach::Rows(if hangs {
                    let mut rows = self.compose();
                    rows.retain(|(at, text)| *at == row || self.grid.row(*at) != text);
                    rows
                } else {
                    self.compose_one(row, column)
                })
            }
            Way::Turned { places, width } => {
                let before = self.shape(row);
                self.source.set_cell(row, column, packed);
                if before != self.shape(row) || self.makes_rows(row, column) {
                    return Reach::All;
                }
                let shows = places.iter().enumerate();
                let mut rows: Vec<(u32, String)> = Vec::new();
                for (at, _) in shows.filter(|(_, place)| **place == (row, column)) {
                    let (made, at) = (at as u32 / width, at as u32 % width);
                    rows.push((made, with_cell(self.grid.row(made), at, packed)));
                }
                if rows.is_empty() && self.is_read(column) {
                    return Reach::All;
                }
                Reach::Rows(rows)
            }
        }
    }

    /// Puts a row that [`View::edit`] gave.
    pub fn put(&mut self, row: u32, text: String) {
        self.grid.set_row(row, text);
    }

    /// Makes the sheet have exactly `rows`. `false` when the view is to be made anew.
    pub fn set_rows(&mut self, rows: u32) -> bool {
        match self.way {
            Way::Plain => self.grid.set_rows(rows),
            Way::Composed => {
                self.source.set_rows(rows);
                self.grid.set_rows(rows);
            }
            Way::Turned { .. } => {
                if rows == self.source.rows() {
                    return true;
                }
                self.source.set_rows(rows);
                return false;
            }
        }
        true
    }

    /// Whether a row is empty and whether it is a heading, where headings mean something: a heading changes the rows
    /// below, and an empty row makes the next one a heading, or no longer.
    fn shape(&self, row: u32) -> (bool, bool) {
        let row = self.source.row(row);
        let counts = self.lies.sections != Sections::Ignore;
        (
            counts && is_blank(row),
            counts && is_heading(&self.layout, row),
        )
    }

    /// Whether other rows hang on a cell of this column.
    fn carries(&self, column: u32) -> bool {
        let layout = &self.layout;
        let joined = !layout.groups.is_empty() || self.lies.sections != Sections::Ignore;
        layout.groups.contains(&column)
            || (layout.collection == Some(column) && (joined || self.lies.same_collection))
            || (column == layout.name && joined)
    }

    /// Whether made rows come and go with a cell.
    fn makes_rows(&self, row: u32, column: u32) -> bool {
        let layout = &self.layout;
        let ruled = [&layout.only, &layout.ignore]
            .into_iter()
            .flatten()
            .any(|rule| rule.column == column);
        let field = match self.lies.shape {
            Shape::Tokens => layout.collection == Some(column) || layout.id == Some(column),
            Shape::Records => false,
            Shape::Long => !layout.modes.iter().any(|mode| mode.column == column),
        };
        row <= layout.header_row
            || column == layout.name
            || layout.groups.contains(&column)
            || layout.mode_name == Some(column)
            || ruled
            || (field && self.is_read(column))
    }

    /// Whether anything is read of a column.
    fn is_read(&self, column: u32) -> bool {
        let layout = &self.layout;
        let fields = [
            Some(layout.name),
            layout.collection,
            layout.kind,
            layout.mode_name,
            layout.description,
            layout.scopes,
            layout.code[0],
            layout.code[1],
            layout.code[2],
            layout.hidden,
            layout.id,
        ];
        fields.contains(&Some(column))
            || layout.groups.contains(&column)
            || layout.variables.contains(&column)
            || layout.modes.iter().any(|mode| mode.column == column)
    }

    /// The texts of all rows, in order. Above the header they stand as they are.
    fn compose(&self) -> Vec<(u32, String)> {
        let mut composer = Composer::new(&self.layout, &self.lies);
        let rows = 0..self.source.rows();
        rows.map(|row| {
            let text = self.source.row(row);
            let said = composer.next(row, text);
            (row, composer.row(text, said))
        })
        .collect()
    }

    /// The text of one row on which no other hangs, after a change in `column`. What it has from the rows above is in the row as made before.
    fn compose_one(&self, row: u32, column: u32) -> Vec<(u32, String)> {
        let layout = &self.layout;
        let inherits = !layout.groups.is_empty()
            || self.lies.sections != Sections::Ignore
            || self.lies.same_collection;
        let text = self.source.row(row);
        let mut composer = Composer::new(layout, &self.lies);
        if !inherits {
            let said = composer.next(row, text);
            return vec![(row, composer.row(text, said))];
        }
        let made = self.grid.row(row);
        let name = shown(cell(made, layout.name));
        // A row that has its name from the rows above alone is one only while it has a value.
        let unnamed = named(cell(text, layout.name)).is_empty();
        if name.is_empty() || unnamed || column == layout.name || composer.is_ignored(text) {
            let mut all = self.compose();
            all.retain(|(at, _)| *at == row);
            return all;
        }
        if let Some(column) = layout.collection {
            composer.collection = shown(cell(made, column)).into_owned();
        }
        let said = Said::Variable {
            name: name.into_owned(),
            bare: composer.is_left_out(text),
        };
        vec![(row, composer.row(text, said))]
    }

    fn problem(&mut self, (row, column): Place, message: String, remedy: &str) {
        self.problems.push(ViewProblem {
            row,
            column,
            message,
            remedy: owned(remedy),
        });
    }

    /// Makes rows of places.
    fn turn(&mut self, columns: &[Column]) -> Layout {
        let mut turning = match (self.lies.shape, self.lies.brands) {
            (Shape::Records, _) => self.turn_records(columns),
            (Shape::Long, _) => self.turn_long(),
            (Shape::Tokens, _) => self.turn_brands(),
        };
        let width = turned::MODES + turning.modes.len() as u32;
        let mut places = vec![NOWHERE; width as usize];
        places[turned::NAME as usize] = (self.layout.header_row, self.layout.name);
        self.grid = Grid::default();
        self.grid.set_rows(1);
        for (at, made) in turning.made.iter_mut().enumerate() {
            made.places.resize(width as usize, NOWHERE);
            let mut text = String::new();
            for column in 0..width {
                if column > 0 {
                    text.push('\u{1f}');
                }
                let own = match column {
                    turned::NAME => Some(&made.name),
                    turned::COLLECTION => Some(&made.collection),
                    turned::ID => Some(&made.id),
                    _ => None,
                };
                match own {
                    Some(own) => push_text(&mut text, own),
                    None => {
                        let (row, column) = made.places[column as usize];
                        text.push_str(cell(self.source.row(row), column));
                    }
                }
            }
            places.extend_from_slice(&made.places);
            self.grid.set_row(at as u32 + 1, text);
        }
        let held = |column: u32| {
            let mut rows = turning.made.iter();
            rows.any(|made| made.places[column as usize] != NOWHERE)
                .then_some(column)
        };
        let collected = turning.made.iter().any(|made| !made.collection.is_empty());
        let identified = turning.made.iter().any(|made| !made.id.is_empty());
        let modes = turning.modes.iter().enumerate();
        let layout = Layout {
            header_row: 0,
            name: turned::NAME,
            names: self.lies.names,
            collection: collected.then_some(turned::COLLECTION),
            kind: held(turned::KIND),
            modes: modes
                .map(|(at, name)| ModeColumn {
                    column: turned::MODES + at as u32,
                    name: name.clone(),
                    rem_px: rem_px(&self.lies, name),
                })
                .collect(),
            description: held(turned::DESCRIPTION),
            scopes: held(turned::SCOPES),
            code: [0, 1, 2].map(|platform| held(turned::CODE + platform)),
            hidden: held(turned::HIDDEN),
            id: identified.then_some(turned::ID),
            last: width - 1,
            ..Layout::default()
        };
        self.way = Way::Turned { places, width };
        layout
    }

    /// Places of a row's fields, in the order of turned columns up to the modes.
    fn fields_of(&self, row: u32) -> Vec<Place> {
        let layout = &self.layout;
        let place = |column: Option<u32>| column.map_or(NOWHERE, |column| (row, column));
        vec![
            (row, layout.name),
            place(layout.collection),
            place(layout.kind),
            place(layout.description),
            place(layout.scopes),
            place(layout.code[0]),
            place(layout.code[1]),
            place(layout.code[2]),
            place(layout.hidden),
            place(layout.id),
        ]
    }

    /// A mode's place in `modes`, which it joins; `None` for one that Figma would refuse.
    fn mode(&mut self, modes: &mut Vec<String>, name: &str, place: Place) -> Option<usize> {
        if let Some(at) = modes.iter().position(|mode| mode == name) {
            return Some(at);
        }
        if let Some((message, remedy)) = mode_trouble(name) {
            self.problem(place, message, remedy);
            return None;
        }
        if modes.len() == MODES_MAX {
            let message = format!(
                "This is mode {}; Figma allows {MODES_MAX} in a collection.",
                MODES_MAX + 1
            );
            self.problem(place, message, "Remove some of the modes.");
            return None;
        }
        modes.push(name.to_owned());
        Some(modes.len() - 1)
    }

    /// A row for each brand.
    fn turn_brands(&mut self) -> Turning {
        let mut turning = Turning::default();
        let mut brands: Vec<String> = Vec::new();
        let mut cells: Vec<(usize, usize, u32)> = Vec::new();
        for column in self.layout.modes.clone() {
            let (brand, mode) = split_brand(&column.name);
            let place = (self.layout.header_row, column.column);
            let Some(mode) = self.mode(&mut turning.modes, mode, place) else {
                continue;
            };
            let brand = match brands.iter().position(|known| known == brand) {
                Some(at) => at,
                None => {
                    brands.push(brand.to_owned());
                    brands.len() - 1
                }
            };
            cells.push((brand, mode, column.column));
        }
        let mut composer = Composer::new(&self.layout, &self.lies);
        for row in 0..self.source.rows() {
            let text = self.source.row(row);
            let Said::Variable { name, bare } = composer.next(row, text) else {
                continue;
            };
            let collection = composer.collection_of(text);
            let id = self.layout.id.map(|column| shown(cell(text, column)));
            for (at, brand) in brands.iter().enumerate() {
                let mut places = self.fields_of(row);
                places.resize(turned::MODES as usize + turning.modes.len(), NOWHERE);
                for (_, mode, column) in cells.iter().filter(|cell| cell.0 == at && !bare) {
                    places[turned::MODES as usize + mode] = (row, *column);
                }
                let id = id.as_deref().filter(|id| !id.is_empty());
                turning.made.push(Made {
                    name: name.clone(),
                    collection: match (&*collection, &**brand) {
                        (collection, "") => collection.to_owned(),
                        ("", brand) => brand.to_owned(),
                        (collection, brand) => [collection, BETWEEN, brand].concat(),
                    },
                    id: id.map_or_else(String::new, |id| [id, BETWEEN, brand].concat()),
                    places,
                });
            }
        }
        turning
    }

    /// A row for each column.
    fn turn_records(&mut self, columns: &[Column]) -> Turning {
        let header_row = self.layout.header_row;
        let mut turning = Turning::default();
        // Rows that are no mode, and the turned column that they fill.
        let mut fields: Vec<(u32, u32)> = Vec::new();
        let mut collection_row = None;
        let mut modes: Vec<(usize, u32)> = Vec::new();
        let first = header_row + 1 + self.lies.skip_rows;
        for row in first..self.source.rows() {
            let text = self.source.row(row);
            let composer = Composer::new(&self.layout, &self.lies);
            let name = shown(cell(text, self.layout.name)).into_owned();
            if name.is_empty() || composer.is_ignored(text) || composer.is_left_out(text) {
                continue;
            }
            match role_of_header(&name) {
                Some(Role::Type) => fields.push((row, turned::KIND)),
                Some(Role::Description) => fields.push((row, turned::DESCRIPTION)),
                Some(Role::Scopes) => fields.push((row, turned::SCOPES)),
                Some(Role::Collection) => collection_row = Some(row),
                _ => {
                    let place = (row, self.layout.name);
                    if turning.modes.contains(&name) {
                        let message =
                            format!("Two rows are the mode “{name}”; this one is not used.");
                        self.problem(place, message, "Rename or remove one of them.");
                    } else if let Some(mode) = self.mode(&mut turning.modes, &name, place) {
                        modes.push((mode, row));
                    }
                }
            }
        }
        let headers = pairs(&self.source, header_row, self.lies.brands);
        for (column, Header { upper, lower }) in headers.into_iter().enumerate() {
            let column = column as u32;
            let known = columns.iter().find(|known| known.index == column);
            let is_variable = known.is_none_or(|known| known.role == Role::Variable);
            if !is_variable || lower.is_empty() {
                continue;
            }
            let mut places = vec![NOWHERE; turned::MODES as usize + turning.modes.len()];
            places[turned::NAME as usize] = (header_row, column);
            for (row, field) in &fields {
                places[*field as usize] = (*row, column);
            }
            for (mode, row) in &modes {
                places[turned::MODES as usize + mode] = (*row, column);
            }
            let said = collection_row.map_or_else(String::new, |row| {
                shown(cell(self.source.row(row), column)).into_owned()
            });
            let grouped = self.lies.brands == Brands::Modes && !upper.is_empty();
            let name = if grouped {
                [&upper, "/", &lower].concat()
            } else {
                lower
            };
            turning.made.push(Made {
                name: self.layout.variable_name(name),
                collection: if self.lies.brands == Brands::Collections && said.is_empty() {
                    upper
                } else {
                    said
                },
                id: String::new(),
                places,
            });
        }
        turning
    }

    /// A row for each token of the long layout.
    fn turn_long(&mut self) -> Turning {
        let mut turning = Turning::default();
        let (Some(mode_column), Some(value)) = (
            self.layout.mode_name,
            self.layout.modes.first().map(|mode| mode.column),
        ) else {
            return turning;
        };
        let mut said: Vec<(u32, String, String)> = Vec::new();
        let mut composer = Composer::new(&self.layout, &self.lies);
        for row in 0..self.source.rows() {
            let text = self.source.row(row);
            if let Said::Variable { name, bare: false } = composer.next(row, text) {
                said.push((row, composer.collection_of(text).into_owned(), name));
            }
        }
        // Which token's which value stands in the sheet more than once.
        let mut clashes: Vec<(usize, usize)> = Vec::new();
        let mut known = Index::default();
        known.reset(said.len());
        for (row, collection, name) in said {
            let text = self.source.row(row);
            let mode = shown(cell(text, mode_column)).into_owned();
            let filled = !cell(text, value).is_empty();
            if mode.is_empty() && filled {
                self.problem(
                    (row, mode_column),
                    owned("This row does not say which mode its value is for."),
                    "Write the mode's name.",
                );
            }
            let name_hash = hash(&name);
            let found = known.under(name_hash).find(|at| {
                let made: &Made = &turning.made[*at as usize];
                made.name == name && made.collection == collection
            });
            let at = match found {
                Some(at) => at as usize,
                None => {
                    known.insert(turning.made.len() as u32, name_hash);
                    let mut places = self.fields_of(row);
                    places.resize(turned::MODES as usize, NOWHERE);
                    turning.made.push(Made {
                        name,
                        collection,
                        id: self.layout.id.map_or_else(String::new, |column| {
                            shown(cell(self.source.row(row), column)).into_owned()
                        }),
                        places,
                    });
                    turning.made.len() - 1
                }
            };
            // A field is taken from the token's first row that fills it.
            for (field, place) in self.fields_of(row).into_iter().enumerate() {
                let kept = turning.made[at].places[field];
                let is_empty = |(row, column): Place| cell(self.source.row(row), column).is_empty();
                if is_empty(kept) && !is_empty(place) {
                    turning.made[at].places[field] = place;
                }
            }
            if mode.is_empty() {
                continue;
            }
            let Some(mode) = self.mode(&mut turning.modes, &mode, (row, mode_column)) else {
                continue;
            };
            let places = &mut turning.made[at].places;
            let slot = turned::MODES as usize + mode;
            if places.len() <= slot {
                places.resize(slot + 1, NOWHERE);
            }
            if places[slot] != NOWHERE {
                // Neither is used: nothing says which one is meant.
                let first = places[slot].0;
                let told = clashes.contains(&(at, slot));
                if !told {
                    clashes.push((at, slot));
                }
                let pair = [(first, row), (row, first)];
                for (row, other) in pair.into_iter().skip(usize::from(told)) {
                    let message = [
                        &*a1(&self.tab, other, value),
                        " is for the same token and mode; neither value is used.",
                    ]
                    .concat();
                    self.problem(
                        (row, value),
                        message,
                        "Remove one of the two rows, or change its mode.",
                    );
                }
                continue;
            }
            places[slot] = (row, value);
        }
        for (at, slot) in clashes {
            turning.made[at].places[slot] = NOWHERE;
        }
        turning
    }
}

/// `Acme / Light` as brand and mode.
fn split_brand(name: &str) -> (&str, &str) {
    name.split_once(BETWEEN).unwrap_or(("", name))
}

pub(super) fn push_text(out: &mut String, text: &str) {
    if !text.is_empty() {
        push_cell(
            out,
            &Cell {
                content: Content::Text(text.to_owned()),
                formula: None,
            },
        );
    }
}

/// What turning found.
#[derive(Default)]
struct Turning {
    modes: Vec<String>,
    made: Vec<Made>,
}

/// A row as made.
struct Made {
    name: String,
    /// Empty for the tab's own.
    collection: String,
    id: String,
    places: Vec<Place>,
}

/// What a row of the sheet is.
enum Said {
    /// Above the rows that are read.
    AsIs,
    /// Not read.
    Skip,
    /// A variable; `bare` when its values are left alone.
    Variable { name: String, bare: bool },
}

/// Goes down the rows and remembers what blank cells mean.
struct Composer<'a> {
    layout: &'a Layout,
    lies: &'a SheetLayout,
    groups: Vec<String>,
    section: String,
    collection: String,
    /// The row above is empty, the header or a heading.
    gap: bool,
}

impl<'a> Composer<'a> {
    fn new(layout: &'a Layout, lies: &'a SheetLayout) -> Composer<'a> {
        Composer {
            layout,
            lies,
            groups: vec![String::new(); layout.groups.len()],
            section: String::new(),
            collection: String::new(),
            gap: true,
        }
    }

    fn is_ignored(&self, text: &str) -> bool {
        let rule = self.layout.ignore.as_ref();
        rule.is_some_and(|rule| fits(rule, text))
    }

    fn is_left_out(&self, text: &str) -> bool {
        let rule = self.layout.only.as_ref();
        rule.is_some_and(|rule| !fits(rule, text))
    }

    /// Looks at the next row.
    fn next(&mut self, row: u32, text: &str) -> Said {
        let layout = self.layout;
        if row <= layout.header_row {
            return Said::AsIs;
        }
        if row <= layout.header_row + self.lies.skip_rows {
            return Said::Skip;
        }
        if is_blank(text) {
            self.gap = true;
            return Said::Skip;
        }
        if self.gap && self.lies.sections != Sections::Ignore && is_heading(layout, text) {
            let mut cells = Cells::new(text).filter(|packed| !packed.is_empty());
            self.section = shown(cells.next().unwrap_or_default()).into_owned();
            self.groups.fill(String::new());
            return Said::Skip;
        }
        self.gap = false;
        let own = named(cell(text, layout.name));
        let mut begins = false;
        for (at, column) in layout.groups.iter().enumerate() {
            let group = named(cell(text, *column));
            if !group.is_empty() {
                self.groups[at] = group.into_owned();
                self.groups[at + 1..].fill(String::new());
                begins = true;
            }
        }
        if let Some(column) = layout.collection {
            let collection = named(cell(text, column));
            if !collection.is_empty() || !self.lies.same_collection {
                self.collection = collection.into_owned();
            }
        }
        if self.is_ignored(text) {
            return Said::Skip;
        }
        let valued = layout
            .modes
            .iter()
            .any(|mode| !cell(text, mode.column).is_empty());
        if own.is_empty() && !valued {
            return Said::Skip;
        }
        let mut name = String::new();
        if !own.is_empty() || begins {
            if self.lies.sections == Sections::Groups {
                push_part(&mut name, &self.section);
            }
            for group in &self.groups {
                push_part(&mut name, group);
            }
            push_part(&mut name, &own);
        }
        Said::Variable {
            name: layout.variable_name(name),
            bare: self.is_left_out(text),
        }
    }

    /// The collection of the row last looked at; empty for the tab's own.
    fn collection_of(&self, _: &str) -> Cow<'_, str> {
        if self.collection.is_empty() && self.lies.sections == Sections::Collections {
            Cow::Borrowed(&self.section)
        } else {
            Cow::Borrowed(&self.collection)
        }
    }

    /// The row as made.
    fn row(&self, text: &str, said: Said) -> String {
        let (name, bare) = match said {
            Said::AsIs => return text.to_owned(),
            Said::Skip => return String::new(),
            Said::Variable { name, bare } => (name, bare),
        };
        let packed = |text: &str| {
            let mut cell = String::new();
            push_text(&mut cell, text);
            cell
        };
        let from = if bare { "" } else { text };
        let mut row = with_cell(from, self.layout.name, &packed(&name));
        if let Some(column) = self.layout.collection {
            row = with_cell(&row, column, &packed(&self.collection_of(text)));
        }
        row
    }
}

fn push_part(name: &mut String, part: &str) {
    if !part.is_empty() {
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(part);
    }
}

fn fits(rule: &Rule, text: &str) -> bool {
    let found = shown(cell(text, rule.column)).to_lowercase();
    rule.words.contains(&found)
}

fn is_blank(text: &str) -> bool {
    Cells::new(text).all(str::is_empty)
}

/// Whether a row holds one cell, the first of its name's.
fn is_heading(layout: &Layout, text: &str) -> bool {
    let column = layout.groups.first().copied().unwrap_or(layout.name);
    let mut filled = Cells::new(text)
        .enumerate()
        .filter(|(_, packed)| !packed.is_empty());
    filled.next().is_some_and(|(at, _)| at as u32 == column) && filled.next().is_none()
}
