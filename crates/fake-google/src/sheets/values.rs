//! Writing values: `values.update`, `values.batchUpdate`, `values.append`, `values.clear`.
//!
//! Owns what these methods do to a spreadsheet. Must not know HTTP or accounts.

use serde_json::{Value, json};

use super::a1::{self, Rectangle};
use super::formula::Dimension;
use super::reply::{self, Rendering};
use super::spreadsheet::{Input, Place, Spreadsheet};
use crate::error::ApiError;

/// How values are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    /// `USER_ENTERED`: texts are taken as if typed. Otherwise they stay texts.
    pub(crate) as_typed: bool,
    /// Answer the written values too, so rendered.
    pub(crate) answer: Option<Rendering>,
    /// The year for dates without one.
    pub(crate) year: i64,
}

impl Writing {
    /// From the options' names. `valueInputOption` has no default.
    pub(crate) fn from_options(
        input: Option<&str>,
        answer: bool,
        rendering: Rendering,
        year: i64,
    ) -> Result<Self, ApiError> {
        let as_typed = match input {
            Some("USER_ENTERED") => true,
            Some("RAW") => false,
            None | Some("" | "INPUT_VALUE_OPTION_UNSPECIFIED") => {
                return Err(ApiError::invalid(
                    "'valueInputOption' is required but not specified",
                ));
            }
            Some(other) => {
                return Err(ApiError::invalid(format!(
                    "Invalid value at 'value_input_option': {other}"
                )));
            }
        };
        Ok(Writing {
            as_typed,
            answer: answer.then_some(rendering),
            year,
        })
    }

    /// What a JSON value puts into a cell; `None` for null, which leaves the cell alone.
    fn input(&self, value: &Value) -> Result<Option<Input>, ApiError> {
        Ok(match value {
            Value::Null => None,
            Value::Bool(value) => Some(Input::Bool(*value)),
            Value::Number(value) => Some(Input::Number(value.as_f64().unwrap_or_default())),
            Value::String(text) if text.is_empty() => Some(Input::Clear),
            Value::String(text) if self.as_typed => Some(Input::Typed(text.clone())),
            Value::String(text) => Some(Input::Text(text.clone())),
            Value::Array(_) => {
                return Err(ApiError::invalid(
                    "Invalid values: list_value is not a cell value",
                ));
            }
            Value::Object(_) => {
                return Err(ApiError::invalid(
                    "Invalid values: struct_value is not a cell value",
                ));
            }
        })
    }
}

/// Which cells a method touched.
pub(crate) type Touched = Vec<Place>;

/// Rows of values as rows, whatever their major dimension was.
fn lines(body: &Value) -> Result<(Vec<Vec<Value>>, bool), ApiError> {
    let by_columns = match body.get("majorDimension").and_then(Value::as_str) {
        None | Some("ROWS" | "DIMENSION_UNSPECIFIED") => false,
        Some("COLUMNS") => true,
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "Invalid value at 'major_dimension': {other}"
            )));
        }
    };
    let lines = body
        .get("values")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let lines = lines
        .iter()
        .map(|line| line.as_array().cloned().unwrap_or_default())
        .collect();
    Ok((lines, by_columns))
}

/// Writes one `ValueRange` and answers its `UpdateValuesResponse`.
pub(crate) fn update(
    spreadsheet: &mut Spreadsheet,
    range: &str,
    body: &Value,
    writing: Writing,
    touched: &mut Touched,
) -> Result<Value, ApiError> {
    let (index, area) = reply::range(spreadsheet, range)?;
    if let Some(named) = body
        .get("range")
        .and_then(Value::as_str)
        .filter(|named| !named.is_empty())
        && reply::range(spreadsheet, named)? != (index, area)
    {
        return Err(ApiError::invalid(format!(
            "Requested writing within range [{range}], but the body names range [{named}]"
        )));
    }
    let sheet = &spreadsheet.sheets[index];
    let (lines, by_columns) = lines(body)?;
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let count = lines.len() as u32;
    let (rows, columns) = if by_columns {
        (longest, count)
    } else {
        (count, longest)
    };
    // A single cell is a starting point; a larger range is a limit.
    let limit = if area.is_cell() {
        sheet.grid()
    } else {
        area.within(sheet.rows, sheet.columns)
    };
    if area.row + rows > limit.row_end || area.column + columns > limit.column_end {
        let within = a1::written(&sheet.title, &area.within(sheet.rows, sheet.columns));
        return Err(ApiError::invalid(if area.row + rows > limit.row_end {
            format!(
                "Requested writing within range [{within}], but tried writing to row [{}]",
                limit.row_end + 1
            )
        } else {
            format!(
                "Requested writing within range [{within}], but tried writing to column [{}]",
                a1::letters(limit.column_end)
            )
        }));
    }
    let written = Rectangle {
        row: area.row,
        column: area.column,
        row_end: (area.row + rows).max(area.row + 1),
        column_end: (area.column + columns).max(area.column + 1),
    };
    write_lines(
        spreadsheet,
        index,
        written,
        &lines,
        by_columns,
        writing,
        touched,
    )
}

fn write_lines(
    spreadsheet: &mut Spreadsheet,
    index: usize,
    written: Rectangle,
    lines: &[Vec<Value>],
    by_columns: bool,
    writing: Writing,
    touched: &mut Touched,
) -> Result<Value, ApiError> {
    let mut cells = Vec::new();
    for (outer, line) in lines.iter().enumerate() {
        for (inner, value) in line.iter().enumerate() {
            let (row, column) = if by_columns {
                (inner, outer)
            } else {
                (outer, inner)
            };
            let place = (
                index,
                written.row + row as u32,
                written.column + column as u32,
            );
            if let Some(input) = writing.input(value)? {
                cells.push((place, input));
            }
        }
    }
    let rows: std::collections::BTreeSet<u32> = cells.iter().map(|((_, row, _), _)| *row).collect();
    let columns: std::collections::BTreeSet<u32> =
        cells.iter().map(|((_, _, column), _)| *column).collect();
    let count = cells.len();
    for (place, input) in cells {
        spreadsheet.put(place, input, writing.year);
        touched.push(place);
    }
    let mut out = json!({
        "spreadsheetId": spreadsheet.id,
        "updatedRange": a1::written(&spreadsheet.sheets[index].title, &written),
    });
    if count > 0 {
        out["updatedRows"] = json!(rows.len());
        out["updatedColumns"] = json!(columns.len());
        out["updatedCells"] = json!(count);
    }
    if let Some(rendering) = writing.answer {
        spreadsheet.recalculate();
        out["updatedData"] = reply::value_range(spreadsheet, index, written, by_columns, rendering);
    }
    Ok(out)
}

/// Writes below the table that the range touches and answers `AppendValuesResponse`.
pub(crate) fn append(
    spreadsheet: &mut Spreadsheet,
    range: &str,
    body: &Value,
    insert_rows: bool,
    writing: Writing,
    touched: &mut Touched,
) -> Result<Value, ApiError> {
    let (index, area) = reply::range(spreadsheet, range)?;
    let sheet = &spreadsheet.sheets[index];
    let table = table(sheet, area.within(sheet.rows, sheet.columns));
    let (lines, by_columns) = lines(body)?;
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let count = lines.len() as u32;
    let (rows, columns) = if by_columns {
        (longest, count)
    } else {
        (count, longest)
    };
    let (row, column) = table.map_or((area.row, area.column), |table| {
        (table.row_end, table.column)
    });
    if insert_rows && row < sheet.rows {
        spreadsheet.insert(index, Dimension::Rows, row, rows, true);
    }
    let sheet = &mut spreadsheet.sheets[index];
    sheet.rows = sheet.rows.max(row + rows);
    sheet.columns = sheet.columns.max(column + columns);
    let written = Rectangle {
        row,
        column,
        row_end: row + rows.max(1),
        column_end: column + columns.max(1),
    };
    let mut out = json!({"spreadsheetId": spreadsheet.id});
    if let Some(table) = table {
        out["tableRange"] = json!(a1::written(&spreadsheet.sheets[index].title, &table));
    }
    out["updates"] = write_lines(
        spreadsheet,
        index,
        written,
        &lines,
        by_columns,
        writing,
        touched,
    )?;
    Ok(out)
}

/// The table around an area: filled cells that touch each other, as
/// <https://developers.google.com/workspace/sheets/api/guides/values#append_values> describes it.
fn table(sheet: &super::spreadsheet::Sheet, area: Rectangle) -> Option<Rectangle> {
    let filled = |row: u32, column: u32| !sheet.cell(row, column).is_empty();
    let rows = sheet.touched_rows();
    let first = (area.row..area.row_end.min(rows)).find_map(|row| {
        (area.column..area.column_end)
            .find(|column| filled(row, *column))
            .map(|column| (row, column))
    })?;
    let mut table = Rectangle {
        row: first.0,
        column: first.1,
        row_end: first.0 + 1,
        column_end: first.1 + 1,
    };
    loop {
        let before = table;
        let columns = table.column.saturating_sub(1)..(table.column_end + 1).min(sheet.columns);
        let touched_row = |row: u32| columns.clone().any(|column| filled(row, column));
        if table.row > 0 && touched_row(table.row - 1) {
            table.row -= 1;
        }
        if table.row_end < rows && touched_row(table.row_end) {
            table.row_end += 1;
        }
        let rows_around = table.row.saturating_sub(1)..(table.row_end + 1).min(rows);
        let touched_column = |column: u32| rows_around.clone().any(|row| filled(row, column));
        if table.column > 0 && touched_column(table.column - 1) {
            table.column -= 1;
        }
        if table.column_end < sheet.columns && touched_column(table.column_end) {
            table.column_end += 1;
        }
        if table == before {
            return Some(table);
        }
    }
}

/// Empties an area, formats kept, and answers the range that was emptied.
pub(crate) fn clear(
    spreadsheet: &mut Spreadsheet,
    range: &str,
    touched: &mut Touched,
) -> Result<String, ApiError> {
    let (index, area) = reply::range(spreadsheet, range)?;
    let sheet = &spreadsheet.sheets[index];
    let area = area.within(sheet.rows, sheet.columns);
    let title = sheet.title.clone();
    for row in area.row..area.row_end.min(sheet.touched_rows()) {
        for column in area.column..area.column_end {
            if !spreadsheet.sheets[index].cell(row, column).is_empty() {
                spreadsheet.put((index, row, column), Input::Clear, 0);
                touched.push((index, row, column));
            }
        }
    }
    Ok(a1::written(&title, &area))
}
