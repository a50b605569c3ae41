//! The spreadsheet: its sheets, their cells, and what an edit does to them.
//!
//! Owns the model and its recalculation. Must not know the API's JSON, accounts or time.

use std::collections::{HashMap, HashSet};

use super::a1::{Area, Rectangle};
use super::entry::{self, Entered};
use super::formula::{self, CellError, Dimension, Outcome, Shift, Source};
use super::locale::Locale;
use super::number_format::{NumberFormat, formatted};
use super::protection::{Editor, Protection};

/// The most cells that a spreadsheet may have, from Google's "Files you can store in Google Drive".
pub(crate) const CELLS_MAX: u64 = 10_000_000;
/// Rows of a new sheet.
pub(crate) const ROWS_DEFAULT: u32 = 1_000;
/// Columns of a new sheet.
pub(crate) const COLUMNS_DEFAULT: u32 = 26;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    pub(crate) entered: Option<Entered>,
    /// What the cell comes to; for a formula, its result.
    pub(crate) outcome: Outcome,
    /// The number format that was set.
    pub(crate) format: Option<NumberFormat>,
    /// The number format of the cell that a bare reference points at.
    pub(crate) inherited_format: Option<NumberFormat>,
}

/// A cell that holds nothing.
pub(crate) static EMPTY: Cell = Cell {
    entered: None,
    outcome: Outcome::Empty,
    format: None,
    inherited_format: None,
};

impl Cell {
    /// The number format that the cell shows its number in.
    pub(crate) fn effective_format(&self) -> Option<&NumberFormat> {
        self.format.as_ref().or(self.inherited_format.as_ref())
    }

    /// What the cell shows.
    pub(crate) fn shown(&self, locale: &Locale) -> String {
        match &self.outcome {
            Outcome::Empty => String::new(),
            Outcome::Number(value) => formatted(*value, self.effective_format(), locale),
            Outcome::Text(text) => text.clone(),
            Outcome::Bool(value) => locale.words[usize::from(*value)].to_owned(),
            Outcome::Error(error) => error.shown().to_owned(),
        }
    }

    /// Whether it holds nothing (a format may still be set).
    pub(crate) fn is_empty(&self) -> bool {
        self.entered.is_none()
    }
}

/// What is put into a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// As a person types it.
    Typed(String),
    /// A text, as it is.
    Text(String),
    /// A text in a cell formatted as plain text.
    PlainText(String),
    Number(f64),
    Bool(bool),
    /// Nothing.
    Clear,
}

/// A tab.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) sheet_id: i64,
    pub(crate) title: String,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) frozen_rows: u32,
    pub(crate) hidden: bool,
    pub(crate) merges: Vec<Rectangle>,
    pub(crate) protections: Vec<Protection>,
    /// Rows and their cells; both may be shorter than the grid.
    cells: Vec<Vec<Cell>>,
}

impl Sheet {
    /// An empty tab of the usual size.
    pub(crate) fn new(sheet_id: i64, title: impl Into<String>) -> Self {
        Sheet {
            sheet_id,
            title: title.into(),
            rows: ROWS_DEFAULT,
            columns: COLUMNS_DEFAULT,
            frozen_rows: 0,
            hidden: false,
            merges: Vec::new(),
            protections: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// The cell at that place; empty when nothing was ever put there.
    pub(crate) fn cell(&self, row: u32, column: u32) -> &Cell {
        self.cells
            .get(row as usize)
            .and_then(|cells| cells.get(column as usize))
            .unwrap_or(&EMPTY)
    }

    /// The cell at that place, made if need be. The caller has checked the grid's limits.
    pub(crate) fn cell_mut(&mut self, row: u32, column: u32) -> &mut Cell {
        let (row, column) = (row as usize, column as usize);
        if self.cells.len() <= row {
            self.cells.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.cells[row];
        if cells.len() <= column {
            cells.resize(column + 1, EMPTY.clone());
        }
        &mut cells[column]
    }

    /// The whole grid.
    pub(crate) fn grid(&self) -> Rectangle {
        Rectangle {
            row: 0,
            column: 0,
            row_end: self.rows,
            column_end: self.columns,
        }
    }

    /// One more than the last column of a row that `holds`.
    pub(crate) fn row_length(&self, row: u32, holds: impl Fn(&Cell) -> bool) -> u32 {
        let cells = self.cells.get(row as usize).map_or(&[][..], Vec::as_slice);
        cells
            .iter()
            .rposition(holds)
            .map_or(0, |column| column as u32 + 1)
    }

    /// Rows that were ever touched; no cell lies below.
    pub(crate) fn touched_rows(&self) -> u32 {
        self.cells.len() as u32
    }

    /// Gives the grid another size; cells outside are lost.
    pub(crate) fn resize(&mut self, rows: u32, columns: u32) {
        (self.rows, self.columns) = (rows, columns);
        self.cells.truncate(rows as usize);
        for cells in &mut self.cells {
            cells.truncate(columns as usize);
        }
    }

    fn insert(&mut self, dimension: Dimension, at: u32, count: u32, inherit_before: bool) {
        match dimension {
            Dimension::Rows => {
                self.rows += count;
                if (at as usize) < self.cells.len() {
                    let model = if inherit_before {
                        at.checked_sub(1)
                    } else {
                        Some(at)
                    };
                    let formats: Vec<Cell> = model
                        .and_then(|row| self.cells.get(row as usize))
                        .map_or_else(Vec::new, |cells| {
                            cells
                                .iter()
                                .map(|cell| Cell {
                                    format: cell.format.clone(),
                                    ..EMPTY.clone()
                                })
                                .collect()
                        });
                    let at = at as usize;
                    self.cells
                        .splice(at..at, std::iter::repeat_n(formats, count as usize));
                }
            }
            Dimension::Columns => {
                self.columns += count;
                for cells in &mut self.cells {
                    let at = at as usize;
                    if at < cells.len() {
                        cells.splice(at..at, std::iter::repeat_n(EMPTY.clone(), count as usize));
                    }
                }
            }
        }
    }

    fn delete(&mut self, dimension: Dimension, at: u32, count: u32) {
        let cut = |length: usize| (at as usize).min(length)..((at + count) as usize).min(length);
        match dimension {
            Dimension::Rows => {
                self.rows -= count;
                self.cells.drain(cut(self.cells.len()));
            }
            Dimension::Columns => {
                self.columns -= count;
                for cells in &mut self.cells {
                    cells.drain(cut(cells.len()));
                }
            }
        }
    }

    /// Merged and protected areas after rows or columns came or went.
    fn shift_areas(&mut self, dimension: Dimension, at: u32, by: i64) {
        let count = u32::try_from(by.unsigned_abs()).unwrap_or(0);
        let edge = |edge: &mut u32, is_end: bool| {
            if by >= 0 {
                if *edge > at || (*edge == at && !is_end) {
                    *edge += count;
                }
            } else if *edge >= at + count {
                *edge -= count;
            } else if *edge > at {
                *edge = at;
            }
        };
        for merge in &mut self.merges {
            match dimension {
                Dimension::Rows => {
                    edge(&mut merge.row, false);
                    edge(&mut merge.row_end, true);
                }
                Dimension::Columns => {
                    edge(&mut merge.column, false);
                    edge(&mut merge.column_end, true);
                }
            }
        }
        self.merges
            .retain(|merge| merge.row < merge.row_end && merge.column < merge.column_end);
        let shift = |area: &mut Area| {
            let (start, end) = match dimension {
                Dimension::Rows => (&mut area.row, &mut area.row_end),
                Dimension::Columns => (&mut area.column, &mut area.column_end),
            };
            // Whole rows and whole columns stay whole.
            if *start > 0 || end.is_some() {
                edge(start, false);
            }
            if let Some(end) = end {
                edge(end, true);
            }
        };
        for protection in &mut self.protections {
            shift(&mut protection.area);
            protection.unprotected.iter_mut().for_each(shift);
        }
        let is_left = |area: &Area| {
            area.row_end.is_none_or(|end| area.row < end)
                && area.column_end.is_none_or(|end| area.column < end)
        };
        self.protections
            .retain(|protection| is_left(&protection.area));
        for protection in &mut self.protections {
            protection.unprotected.retain(is_left);
        }
    }

    /// Whether a protected range keeps that account from editing that cell.
    pub(crate) fn is_protected(&self, editor: Editor<'_>, row: u32, column: u32) -> bool {
        let mut protections = self.protections.iter();
        protections.any(|protection| protection.keeps(editor, row, column))
    }
}

/// A spreadsheet.
#[derive(Debug, Clone)]
pub(crate) struct Spreadsheet {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) locale: &'static Locale,
    pub(crate) time_zone: String,
    pub(crate) sheets: Vec<Sheet>,
}

/// A cell's place: number of the sheet, row, column.
pub(crate) type Place = (usize, u32, u32);

impl Spreadsheet {
    /// The number of the sheet with that id.
    pub(crate) fn index_of(&self, sheet_id: i64) -> Option<usize> {
        self.sheets
            .iter()
            .position(|sheet| sheet.sheet_id == sheet_id)
    }

    /// The number of the sheet with that title, letters' case aside.
    pub(crate) fn index_of_title(&self, title: &str) -> Option<usize> {
        self.sheets
            .iter()
            .position(|sheet| sheet.title.to_lowercase() == title.to_lowercase())
    }

    /// Cells of all sheets' grids.
    pub(crate) fn grid_cells(&self) -> u64 {
        self.sheets
            .iter()
            .map(|sheet| u64::from(sheet.rows) * u64::from(sheet.columns))
            .sum()
    }

    /// Puts something into a cell, without recalculating.
    pub(crate) fn put(&mut self, (sheet, row, column): Place, input: Input, year: i64) {
        let locale = self.locale;
        let cell = self.sheets[sheet].cell_mut(row, column);
        let entered = match input {
            Input::Typed(text) => {
                let typed = entry::typed(&text, cell.format.as_ref(), locale, year);
                if let Some(format) = typed.format {
                    cell.format = Some(format);
                }
                typed.entered
            }
            Input::Text(text) if text.is_empty() => None,
            Input::Text(text) => Some(Entered::Text(text)),
            Input::PlainText(text) => {
                cell.format = Some(NumberFormat::plain_text());
                if text.is_empty() {
                    None
                } else {
                    Some(Entered::Text(text))
                }
            }
            Input::Number(value) => Some(Entered::Number(value)),
            Input::Bool(value) => Some(Entered::Bool(value)),
            Input::Clear => None,
        };
        cell.inherited_format = None;
        cell.outcome = match &entered {
            None => Outcome::Empty,
            Some(Entered::Number(value)) => Outcome::Number(*value),
            Some(Entered::Text(text)) => Outcome::Text(text.clone()),
            Some(Entered::Bool(value)) => Outcome::Bool(*value),
            // Until it is calculated.
            Some(Entered::Formula(_)) => Outcome::Error(CellError::Loading),
        };
        cell.entered = entered;
    }

    /// Calculates every formula and returns the places of those whose outcome changed.
    pub(crate) fn recalculate(&mut self) -> Vec<Place> {
        let mut calculation = Calculation {
            spreadsheet: self,
            known: HashMap::new(),
            open: HashSet::new(),
            cut_short: false,
        };
        let mut formulas = Vec::new();
        for (index, sheet) in calculation.spreadsheet.sheets.iter().enumerate() {
            for (row, cells) in sheet.cells.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    if matches!(cell.entered, Some(Entered::Formula(_))) {
                        formulas.push((index, row as u32, column as u32));
                    }
                }
            }
        }
        // A chain longer than the depth allowed is calculated from its far end, a piece in every pass.
        let mut waiting = formulas.clone();
        loop {
            let before = waiting.len();
            waiting.retain(|place| {
                calculation.cut_short = false;
                calculation.outcome(*place);
                calculation.cut_short
            });
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        let known = calculation.known;
        let mut changed = Vec::new();
        for place in formulas {
            let Some((outcome, format)) = known.get(&place) else {
                continue;
            };
            let cell = self.sheets[place.0].cell_mut(place.1, place.2);
            if cell.outcome != *outcome || cell.inherited_format != *format {
                cell.outcome = outcome.clone();
                cell.inherited_format.clone_from(format);
                changed.push(place);
            }
        }
        changed
    }

    /// Puts in empty rows or columns before `at`; formulas follow.
    pub(crate) fn insert(
        &mut self,
        sheet: usize,
        dimension: Dimension,
        at: u32,
        count: u32,
        inherit_before: bool,
    ) {
        self.sheets[sheet].insert(dimension, at, count, inherit_before);
        self.sheets[sheet].shift_areas(dimension, at, i64::from(count));
        let title = self.sheets[sheet].title.clone();
        self.rewrite_formulas(
            &title,
            Shift::Inserted {
                dimension,
                at,
                count,
            },
        );
    }

    /// Takes out rows or columns from `at`; formulas follow. The caller has checked that they are there and
    /// that some are left.
    pub(crate) fn delete(&mut self, sheet: usize, dimension: Dimension, at: u32, count: u32) {
        self.sheets[sheet].delete(dimension, at, count);
        self.sheets[sheet].shift_areas(dimension, at, -i64::from(count));
        let title = self.sheets[sheet].title.clone();
        self.rewrite_formulas(
            &title,
            Shift::Deleted {
                dimension,
                at,
                count,
            },
        );
    }

    /// Gives a sheet another title; formulas follow.
    pub(crate) fn rename(&mut self, sheet: usize, title: &str) {
        let old = std::mem::replace(&mut self.sheets[sheet].title, title.to_owned());
        self.rewrite_formulas(&old, Shift::Renamed { to: title });
    }

    /// Takes a sheet out; formulas that point at it break.
    pub(crate) fn remove(&mut self, sheet: usize) {
        let gone = self.sheets.remove(sheet);
        self.rewrite_formulas(&gone.title, Shift::Gone);
    }

    fn rewrite_formulas(&mut self, title: &str, shift: Shift<'_>) {
        let locale = self.locale;
        for sheet in &mut self.sheets {
            let home = match shift {
                // The sheet has its new title already, its own formulas still mean it.
                Shift::Renamed { to } if sheet.title == to => title.to_owned(),
                Shift::Renamed { .. }
                | Shift::Inserted { .. }
                | Shift::Deleted { .. }
                | Shift::Gone => sheet.title.clone(),
            };
            for cell in sheet.cells.iter_mut().flatten() {
                if let Some(Entered::Formula(formula)) = &mut cell.entered
                    && let Some(new) = formula::shifted(formula, &home, title, shift, locale)
                {
                    *formula = new;
                }
            }
        }
    }
}

/// How deep one formula is followed into the next in one pass: it bounds the stack, not the spreadsheet.
const CHAIN_MAX: usize = 32;

struct Calculation<'a> {
    spreadsheet: &'a Spreadsheet,
    known: HashMap<Place, (Outcome, Option<NumberFormat>)>,
    /// Formulas that are being calculated: one that meets itself is a circle.
    open: HashSet<Place>,
    /// Whether the chain was longer than [`CHAIN_MAX`], so that what came out is not to be kept.
    cut_short: bool,
}

impl Calculation<'_> {
    fn outcome(&mut self, place: Place) -> Outcome {
        if let Some((outcome, _)) = self.known.get(&place) {
            return outcome.clone();
        }
        let spreadsheet = self.spreadsheet;
        let cell = spreadsheet.sheets[place.0].cell(place.1, place.2);
        let Some(Entered::Formula(formula)) = &cell.entered else {
            return cell.outcome.clone();
        };
        if self.open.contains(&place) {
            return Outcome::Error(CellError::Ref);
        }
        if self.open.len() >= CHAIN_MAX {
            self.cut_short = true;
            return Outcome::Error(CellError::Loading);
        }
        self.open.insert(place);
        let (outcome, bare) = formula::evaluate(formula, place.0, spreadsheet.locale, self);
        self.open.remove(&place);
        if self.cut_short {
            return outcome;
        }
        let format = bare.and_then(|target| match self.known.get(&target) {
            Some((_, format)) => {
                let own = &spreadsheet.sheets[target.0].cell(target.1, target.2).format;
                own.clone().or_else(|| format.clone())
            }
            None => spreadsheet.sheets[target.0]
                .cell(target.1, target.2)
                .format
                .clone(),
        });
        self.known.insert(place, (outcome.clone(), format));
        outcome
    }
}

impl Source for Calculation<'_> {
    fn sheet(&self, title: &str) -> Option<usize> {
        self.spreadsheet.index_of_title(title)
    }

    fn size(&self, sheet: usize) -> (u32, u32) {
        // Below the last touched row there is nothing to read, but a cell there exists.
        let sheet = &self.spreadsheet.sheets[sheet];
        (sheet.rows, sheet.columns)
    }

    fn cell(&mut self, sheet: usize, row: u32, column: u32) -> Outcome {
        self.outcome((sheet, row, column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheets::locale::default_locale;

    fn spreadsheet(rows: &[&[&str]]) -> Spreadsheet {
        let mut spreadsheet = Spreadsheet {
            id: "s".to_owned(),
            title: "S".to_owned(),
            locale: default_locale(),
            time_zone: "Etc/GMT".to_owned(),
            sheets: vec![Sheet::new(0, "Tab")],
        };
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                spreadsheet.put(
                    (0, row as u32, column as u32),
                    Input::Typed((*text).to_owned()),
                    2026,
                );
            }
        }
        spreadsheet.recalculate();
        spreadsheet
    }

    fn shown(spreadsheet: &Spreadsheet, row: u32, column: u32) -> String {
        spreadsheet.sheets[0]
            .cell(row, column)
            .shown(spreadsheet.locale)
    }

    #[test]
    fn formulas_follow_the_cells_they_name() {
        let mut s = spreadsheet(&[&["50%", "=A1", "=B1"], &["=A2"], &["=A4"], &["=A3"]]);
        assert_eq!(shown(&s, 0, 2), "50%");
        assert_eq!(shown(&s, 1, 0), "#REF!", "a formula that names itself");
        assert_eq!(
            shown(&s, 2, 0),
            "#REF!",
            "two formulas that name each other"
        );
        s.put((0, 0, 0), Input::Typed("25%".to_owned()), 2026);
        assert_eq!(s.recalculate(), vec![(0, 0, 1), (0, 0, 2)]);
        assert_eq!(shown(&s, 0, 2), "25%");
    }

    #[test]
    fn a_long_chain_is_followed_to_its_end() {
        let rows: Vec<String> = (0..300)
            .map(|row| format!("=A{}+1", row + 2))
            .chain(["5".to_owned()])
            .collect();
        let cells: Vec<[&str; 1]> = rows.iter().map(|text| [text.as_str()]).collect();
        let rows: Vec<&[&str]> = cells.iter().map(|row| &row[..]).collect();
        assert_eq!(shown(&spreadsheet(&rows), 0, 0), "305");
    }

    #[test]
    fn rows_move_with_their_formulas() {
        let mut s = spreadsheet(&[&["1"], &["2"], &["=A2*10"]]);
        s.insert(0, Dimension::Rows, 1, 2, true);
        s.recalculate();
        assert_eq!(shown(&s, 4, 0), "20");
        assert_eq!(
            s.sheets[0].cell(4, 0).entered,
            Some(Entered::Formula("=A4*10".to_owned()))
        );
        s.delete(0, Dimension::Rows, 3, 1);
        s.recalculate();
        assert_eq!(shown(&s, 3, 0), "#REF!");
        assert_eq!(s.sheets[0].rows, ROWS_DEFAULT + 1);
    }

    #[test]
    fn merges_move_with_their_rows() {
        let mut s = spreadsheet(&[]);
        s.sheets[0].merges.push(Rectangle {
            row: 2,
            column: 0,
            row_end: 5,
            column_end: 1,
        });
        s.insert(0, Dimension::Rows, 0, 1, false);
        assert_eq!(
            (s.sheets[0].merges[0].row, s.sheets[0].merges[0].row_end),
            (3, 6)
        );
        s.delete(0, Dimension::Rows, 4, 1);
        assert_eq!(
            (s.sheets[0].merges[0].row, s.sheets[0].merges[0].row_end),
            (3, 5)
        );
        s.delete(0, Dimension::Rows, 0, 10);
        assert!(s.sheets[0].merges.is_empty());
    }
}
