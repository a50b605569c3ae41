//! Rows of cells: what comes of CSV, workbooks and pasted cells, and how variables are laid out in rows.
//!
//! Owns the table, its limits and the layout that is written (docs/sheet-format.md, tokens layout). Must not know which
//! columns of a table mean what: that is the core's to infer.

use sheetwire_core::mapping::{self, EXPORT_BEFORE, EXPORT_BEHIND};
use sheetwire_core::sheet::{Cell, Content, a1};
use sheetwire_core::value::{AliasRef, Scope, Value, write};

use crate::{Assigned, Collection, Problems, Variables, Written, decimal};

/// Most rows of a table.
pub const ROWS_MAX: usize = 50_000;
/// Most cells of a table, empty ones in between included.
pub const CELLS_MAX: usize = 1_000_000;
/// Longest cell, in bytes: Google's limit is 50,000 characters.
pub const CELL_BYTES_MAX: usize = 50_000;

/// Rows of cells, as the relay would send them.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The tab's title, or the file's name.
    pub title: String,
    /// The rows, top to bottom; a row may be shorter than another.
    pub rows: Vec<Vec<Cell>>,
    /// How its numbers are written, as Google names locales.
    pub locale: &'static str,
}

impl Table {
    pub(crate) fn new(title: &str) -> Table {
        Table {
            title: String::from(title),
            rows: Vec::new(),
            locale: "en_US",
        }
    }
}

/// Puts cells into a table within its limits.
pub(crate) struct Filling<'a> {
    pub table: &'a mut Table,
    cells: usize,
    full: bool,
}

impl<'a> Filling<'a> {
    pub(crate) fn new(table: &'a mut Table) -> Filling<'a> {
        Filling {
            table,
            cells: 0,
            full: false,
        }
    }

    /// Whether no more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Puts a cell in its place; cells before it come into being. Columns beyond those that are read are left out.
    pub(crate) fn put(&mut self, row: u32, column: u32, content: Content, problems: &mut Problems) {
        if self.full || column >= mapping::COLUMNS_MAX {
            return;
        }
        let (row_at, column_at) = (row as usize, column as usize);
        let known = self.table.rows.get(row_at).map_or(0, Vec::len);
        let more = (column_at + 1).saturating_sub(known);
        if row_at >= ROWS_MAX || self.cells + more > CELLS_MAX {
            self.full = true;
            problems.tell(
                a1(&self.table.title, row, column),
                format!(
                    "A table may have {ROWS_MAX} rows and {CELLS_MAX} cells; the rest was not read."
                ),
                "Split the table.",
            );
            return;
        }
        let content = match content {
            Content::Text(text) if text.len() > CELL_BYTES_MAX => {
                problems.tell(
                    a1(&self.table.title, row, column),
                    format!("This cell has more than {CELL_BYTES_MAX} bytes; perhaps a quotation mark is never closed."),
                    "Shorten the text, or close the quotation mark.",
                );
                Content::Empty
            }
            content @ (Content::Empty
            | Content::Text(_)
            | Content::Number { .. }
            | Content::Percent { .. }
            | Content::Date { .. }
            | Content::Bool(_)
            | Content::Error(_)) => content,
        };
        self.cells += more;
        if self.table.rows.len() <= row_at {
            self.table.rows.resize(row_at + 1, Vec::new());
        }
        let cells = &mut self.table.rows[row_at];
        if cells.len() <= column_at {
            cells.resize(column_at + 1, EMPTY);
        }
        cells[column_at].content = content;
    }
}

/// The empty cell.
pub(crate) const EMPTY: Cell = Cell {
    content: Content::Empty,
    formula: None,
};

/// Variables as rows of texts in the tokens layout, a header above: what is read back gives the same variables. The
/// core knows this header, so that a mode may have any name.
///
/// A text that no cell can hold, and a name or description with spaces around it, are problems.
pub fn sheet_of(variables: &Variables) -> Written<Vec<Vec<String>>> {
    let mut problems = Problems::default();
    let mut modes: Vec<&str> = Vec::new();
    for collection in &variables.collections {
        for mode in &collection.modes {
            if !modes.contains(&mode.as_str()) {
                modes.push(mode);
            }
        }
    }
    let header = EXPORT_BEFORE.iter().chain(&modes).chain(&EXPORT_BEHIND);
    let mut rows = vec![
        header
            .map(|text| String::from(*text))
            .collect::<Vec<String>>(),
    ];
    for collection in &variables.collections {
        for variable in &collection.variables {
            let mut row = vec![
                collection.name.clone(),
                variable.name.clone(),
                String::from(variable.kind.name()),
            ];
            for mode in &modes {
                let at = collection.modes.iter().position(|known| known == mode);
                let assigned = at.and_then(|at| variable.values.get(at)?.as_ref());
                row.push(
                    assigned.map_or_else(String::new, |assigned| cell_of(assigned, collection)),
                );
            }
            row.push(variable.description.clone());
            row.push(
                variable
                    .scopes
                    .as_deref()
                    .map_or_else(String::new, scopes_of),
            );
            row.extend(
                variable
                    .code
                    .iter()
                    .map(|code| code.clone().unwrap_or_default()),
            );
            row.push(String::from(match variable.hidden {
                Some(true) => "TRUE",
                Some(false) => "FALSE",
                None => "",
            }));
            let trimmed = [&collection.name, &variable.name, &variable.description];
            let code = variable.code.iter().flatten();
            if trimmed
                .into_iter()
                .chain(code)
                .any(|text| text.trim() != text)
            {
                problems.tell(
                    variable.name.as_str(),
                    "Spaces around a name, a description or code syntax are not kept.",
                    "Remove them in Figma.",
                );
            }
            if row.iter().any(|cell| cell.len() > CELL_BYTES_MAX) {
                problems.tell(
                    variable.name.as_str(),
                    format!("One of its texts has more than {CELL_BYTES_MAX} bytes."),
                    "Shorten the text.",
                );
            }
            rows.push(row);
        }
    }
    Written {
        file: rows,
        problems: problems.told,
    }
}

/// What a cell says, so that the core reads it as that.
fn cell_of(assigned: &Assigned, collection: &Collection) -> String {
    // A reference is looked for in the row's own collection first; where another is meant it is named.
    let reference = |alias: &AliasRef| {
        let own = alias.library.is_none() && alias.collection.as_deref() == Some(&collection.name);
        if own {
            let alias = AliasRef {
                collection: None,
                ..alias.clone()
            };
            alias.to_string()
        } else {
            alias.to_string()
        }
    };
    match assigned {
        Assigned::Value(value) => text_of(value),
        Assigned::Alias(alias) => reference(alias),
        Assigned::Composed { alias, opacity } => {
            [&reference(alias), " / ", &decimal::text(*opacity)].concat()
        }
    }
}

/// A value as a cell holds it, and a style sheet.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Float(number) => decimal::text(*number),
        Value::Timing(ms) => [&decimal::text(*ms), "ms"].concat(),
        Value::Easing(points) => {
            let points = points.map(decimal::text);
            ["cubic-bezier(", &points.join(", "), ")"].concat()
        }
        Value::Color(_) | Value::String(_) | Value::Boolean(_) => write(value),
    }
}

/// A list of scopes as a cell holds it.
fn scopes_of(scopes: &[Scope]) -> String {
    if scopes.is_empty() {
        return String::from("none");
    }
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    names.join(", ")
}
