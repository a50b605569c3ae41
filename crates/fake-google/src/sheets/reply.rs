//! A spreadsheet as `spreadsheets.get` answers it.
//!
//! Owns the JSON of spreadsheets, sheets and cells. Must not know how the request came.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::a1::{self, Area, Rectangle};
use super::entry::Entered;
use super::formula::Outcome;
use super::number_format::{NumberFormat, automatic};
use super::protection::Editor;
use super::requests::integer;
use super::spreadsheet::{Cell, Sheet, Spreadsheet};
use crate::error::ApiError;
use crate::field_mask::FieldMask;

/// Finds a range as the API takes it: `Tokens!A1:C`, `Tokens`, or `A1:C` on the first sheet.
pub(crate) fn range(spreadsheet: &Spreadsheet, text: &str) -> Result<(usize, Area), ApiError> {
    let unreadable = || ApiError::invalid(format!("Unable to parse range: {text}"));
    let (index, area) = match a1::split(text).ok_or_else(unreadable)? {
        (Some(title), None) => (
            spreadsheet.index_of_title(&title).ok_or_else(unreadable)?,
            Area::default(),
        ),
        (Some(title), Some(range)) => (
            spreadsheet.index_of_title(&title).ok_or_else(unreadable)?,
            a1::area(range).ok_or_else(unreadable)?,
        ),
        (None, Some(range)) => match (a1::area(range), spreadsheet.index_of_title(range)) {
            (Some(area), _) => (0, area),
            (None, Some(index)) => (index, Area::default()),
            (None, None) => return Err(unreadable()),
        },
        (None, None) => return Err(unreadable()),
    };
    check_grid(&spreadsheet.sheets[index], &area)?;
    Ok((index, area))
}

/// Finds a `GridRange`; an absent edge is the sheet's.
pub(crate) fn grid_area(
    spreadsheet: &Spreadsheet,
    range: &Value,
) -> Result<(usize, Area), ApiError> {
    // An absent sheetId is 0, as in every proto3 message.
    let id = integer(&range["sheetId"]).unwrap_or(0);
    let index = spreadsheet
        .index_of(id)
        .ok_or_else(|| ApiError::invalid(format!("No grid with id: {id}")))?;
    let edge = |name: &str| integer(&range[name]).and_then(|edge| u32::try_from(edge).ok());
    let area = Area {
        row: edge("startRowIndex").unwrap_or(0),
        column: edge("startColumnIndex").unwrap_or(0),
        row_end: edge("endRowIndex"),
        column_end: edge("endColumnIndex"),
    };
    check_grid(&spreadsheet.sheets[index], &area)?;
    Ok((index, area))
}

fn check_grid(sheet: &Sheet, area: &Area) -> Result<(), ApiError> {
    if area.row >= sheet.rows || area.column >= sheet.columns {
        return Err(ApiError::invalid(format!(
            "Range ({}) exceeds grid limits. Max rows: {}, max columns: {}",
            a1::written(&sheet.title, &area.within(u32::MAX, u32::MAX)),
            sheet.rows,
            sheet.columns
        )));
    }
    Ok(())
}

/// The spreadsheet, only with the sheets that the ranges touch if there are ranges, and with cells if `grid`.
/// The mask saves work; the caller cuts the reply to it.
pub(crate) fn spreadsheet(
    spreadsheet: &Spreadsheet,
    base_url: &str,
    ranges: &[(usize, Area)],
    grid: bool,
    (mask, editor): (&FieldMask, Editor<'_>),
) -> Value {
    let mut out = Map::new();
    out.insert("spreadsheetId".to_owned(), json!(spreadsheet.id));
    if mask.wants("properties") {
        out.insert(
            "properties".to_owned(),
            json!({
                "title": spreadsheet.title,
                "locale": spreadsheet.locale.name,
                "autoRecalc": "ON_CHANGE",
                "timeZone": spreadsheet.time_zone,
                "defaultFormat": default_format(),
            }),
        );
    }
    if let Some(mask) = mask.below("sheets") {
        let touched =
            |index: &usize| ranges.is_empty() || ranges.iter().any(|(sheet, _)| sheet == index);
        let sheets: Vec<Value> = (0..spreadsheet.sheets.len())
            .filter(touched)
            .map(|index| sheet(spreadsheet, index, ranges, grid, (mask, editor)))
            .collect();
        out.insert("sheets".to_owned(), Value::Array(sheets));
    }
    out.insert(
        "spreadsheetUrl".to_owned(),
        json!(format!("{base_url}/grid/{}", spreadsheet.id)),
    );
    Value::Object(out)
}

/// `SheetProperties`.
pub(crate) fn sheet_properties(sheet: &Sheet, index: usize) -> Value {
    let mut grid = json!({"rowCount": sheet.rows, "columnCount": sheet.columns});
    if sheet.frozen_rows > 0 {
        grid["frozenRowCount"] = json!(sheet.frozen_rows);
    }
    let mut out = json!({
        "sheetId": sheet.sheet_id,
        "title": sheet.title,
        "index": index,
        "sheetType": "GRID",
        "gridProperties": grid,
    });
    if sheet.hidden {
        out["hidden"] = json!(true);
    }
    out
}

fn sheet(
    spreadsheet: &Spreadsheet,
    index: usize,
    ranges: &[(usize, Area)],
    grid: bool,
    (mask, editor): (&FieldMask, Editor<'_>),
) -> Value {
    let sheet = &spreadsheet.sheets[index];
    let mut out = Map::new();
    out.insert("properties".to_owned(), sheet_properties(sheet, index));
    if !sheet.merges.is_empty() {
        let merges: Vec<Value> = sheet
            .merges
            .iter()
            .map(|merge| grid_range(sheet, merge))
            .collect();
        out.insert("merges".to_owned(), Value::Array(merges));
    }
    if !sheet.protections.is_empty() {
        let protections = sheet.protections.iter();
        let shown = protections.map(|protection| protection.json(sheet.sheet_id, editor));
        out.insert("protectedRanges".to_owned(), shown.collect());
    }
    if let Some(mask) = mask.below("data").filter(|_| grid) {
        let whole = [(index, Area::default())];
        let ranges = if ranges.is_empty() {
            &whole[..]
        } else {
            ranges
        };
        let data: Vec<Value> = ranges
            .iter()
            .filter(|(of, _)| *of == index)
            .map(|(_, area)| {
                grid_data(
                    spreadsheet,
                    sheet,
                    area.within(sheet.rows, sheet.columns),
                    mask,
                )
            })
            .collect();
        out.insert("data".to_owned(), Value::Array(data));
    }
    Value::Object(out)
}

/// `GridRange`.
pub(crate) fn grid_range(sheet: &Sheet, area: &Rectangle) -> Value {
    json!({
        "sheetId": sheet.sheet_id,
        "startRowIndex": area.row,
        "endRowIndex": area.row_end,
        "startColumnIndex": area.column,
        "endColumnIndex": area.column_end,
    })
}

fn grid_data(spreadsheet: &Spreadsheet, sheet: &Sheet, area: Rectangle, mask: &FieldMask) -> Value {
    let mut out = Map::new();
    if area.row > 0 {
        out.insert("startRow".to_owned(), json!(area.row));
    }
    if area.column > 0 {
        out.insert("startColumn".to_owned(), json!(area.column));
    }
    let holds = |cell: &Cell| !cell.is_empty() || cell.format.is_some();
    if let Some(mask) = mask.below("rowData").and_then(|mask| mask.below("values")) {
        let mut rows: Vec<Value> = (area.row..area.row_end.min(sheet.touched_rows()))
            .map(|row| {
                let end = sheet.row_length(row, holds).min(area.column_end);
                if end <= area.column {
                    return json!({});
                }
                let values: Vec<Value> = (area.column..end)
                    .map(|column| cell_data(spreadsheet, sheet.cell(row, column), mask))
                    .collect();
                json!({"values": values})
            })
            .collect();
        let filled = rows
            .iter()
            .rposition(|row| row.get("values").is_some())
            .map_or(0, |last| last + 1);
        rows.truncate(filled);
        if !rows.is_empty() {
            out.insert("rowData".to_owned(), Value::Array(rows));
        }
    }
    for (name, from, to, pixels) in [
        ("rowMetadata", area.row, area.row_end, 21),
        ("columnMetadata", area.column, area.column_end, 100),
    ] {
        if mask.wants(name) {
            let metadata = vec![json!({"pixelSize": pixels}); (to - from) as usize];
            out.insert(name.to_owned(), Value::Array(metadata));
        }
    }
    Value::Object(out)
}

/// `CellData`, with the fields that the mask wants.
fn cell_data(spreadsheet: &Spreadsheet, cell: &Cell, mask: &FieldMask) -> Value {
    let mut out = Map::new();
    if let Some(entered) = cell
        .entered
        .as_ref()
        .filter(|_| mask.wants("userEnteredValue"))
    {
        let value = match entered {
            Entered::Number(value) => json!({"numberValue": value}),
            Entered::Text(text) => json!({"stringValue": text}),
            Entered::Bool(value) => json!({"boolValue": value}),
            Entered::Formula(formula) => json!({"formulaValue": formula}),
        };
        out.insert("userEnteredValue".to_owned(), value);
    }
    if !cell.is_empty() && mask.wants("effectiveValue") {
        let value = match &cell.outcome {
            // A formula that comes to nothing.
            Outcome::Empty => None,
            Outcome::Number(value) => Some(json!({"numberValue": value})),
            Outcome::Text(text) => Some(json!({"stringValue": text})),
            Outcome::Bool(value) => Some(json!({"boolValue": value})),
            Outcome::Error(error) => {
                Some(json!({"errorValue": {"type": error.kind(), "message": error.message()}}))
            }
        };
        if let Some(value) = value {
            out.insert("effectiveValue".to_owned(), value);
        }
    }
    if !cell.is_empty() && mask.wants("formattedValue") {
        out.insert(
            "formattedValue".to_owned(),
            json!(cell.shown(spreadsheet.locale)),
        );
    }
    if let Some(format) = cell
        .format
        .as_ref()
        .filter(|_| mask.wants("userEnteredFormat"))
    {
        out.insert(
            "userEnteredFormat".to_owned(),
            json!({"numberFormat": number_format(format)}),
        );
    }
    if let Some(mask) = mask
        .below("effectiveFormat")
        .filter(|_| !cell.is_empty() || cell.format.is_some())
    {
        out.insert("effectiveFormat".to_owned(), effective_format(cell, mask));
    }
    Value::Object(out)
}

/// `CellFormat` as it takes effect; only what the mask wants is made, as sheets have many cells.
fn effective_format(cell: &Cell, mask: &FieldMask) -> Value {
    static DEFAULT: LazyLock<Value> = LazyLock::new(default_format);
    let mut out = Map::new();
    if let Some(number) = cell
        .effective_format()
        .filter(|_| mask.wants("numberFormat"))
    {
        out.insert("numberFormat".to_owned(), number_format(number));
    }
    if mask.wants("horizontalAlignment") {
        let alignment = match &cell.outcome {
            Outcome::Number(_) => "RIGHT",
            Outcome::Bool(_) | Outcome::Error(_) => "CENTER",
            Outcome::Text(_) | Outcome::Empty => "LEFT",
        };
        out.insert("horizontalAlignment".to_owned(), json!(alignment));
    }
    for (name, value) in DEFAULT.as_object().into_iter().flatten() {
        if mask.wants(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    Value::Object(out)
}

/// `NumberFormat`.
pub(crate) fn number_format(format: &NumberFormat) -> Value {
    json!({"type": format.kind.name(), "pattern": format.pattern})
}

fn default_format() -> Value {
    let white = json!({"red": 1, "green": 1, "blue": 1});
    json!({
        "backgroundColor": white,
        "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
        "verticalAlignment": "BOTTOM",
        "wrapStrategy": "OVERFLOW_CELL",
        "textFormat": {
            "foregroundColor": {},
            "fontFamily": "arial,sans,sans-serif",
            "fontSize": 10,
            "bold": false,
            "italic": false,
            "strikethrough": false,
            "underline": false
        },
        "backgroundColorStyle": {"rgbColor": white},
    })
}

/// `valueRenderOption` and `dateTimeRenderOption` together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rendering {
    pub(crate) values: ValueRendering,
    /// Whether unformatted dates are numbers; otherwise they are given as shown.
    pub(crate) serial_dates: bool,
}

/// `valueRenderOption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueRendering {
    Formatted,
    Unformatted,
    Formula,
}

impl Rendering {
    /// From the two options' names; absent ones have Google's defaults.
    pub(crate) fn from_options(
        value: Option<&str>,
        date_time: Option<&str>,
    ) -> Result<Self, ApiError> {
        let values = match value {
            None | Some("" | "FORMATTED_VALUE") => ValueRendering::Formatted,
            Some("UNFORMATTED_VALUE") => ValueRendering::Unformatted,
            Some("FORMULA") => ValueRendering::Formula,
            Some(other) => {
                return Err(ApiError::invalid(format!(
                    "Invalid value at 'value_render_option': {other}"
                )));
            }
        };
        let serial_dates = match date_time {
            None | Some("" | "SERIAL_NUMBER") => true,
            Some("FORMATTED_STRING") => false,
            Some(other) => {
                return Err(ApiError::invalid(format!(
                    "Invalid value at 'date_time_render_option': {other}"
                )));
            }
        };
        Ok(Rendering {
            values,
            serial_dates,
        })
    }
}

/// A cell as `ValueRange` holds it. An empty cell is an empty text.
pub(crate) fn cell_value(spreadsheet: &Spreadsheet, cell: &Cell, rendering: Rendering) -> Value {
    if let (ValueRendering::Formula, Some(Entered::Formula(formula))) =
        (rendering.values, &cell.entered)
    {
        return json!(formula);
    }
    let is_date = cell
        .effective_format()
        .is_some_and(NumberFormat::is_date_or_time);
    let as_shown =
        rendering.values == ValueRendering::Formatted || (is_date && !rendering.serial_dates);
    match &cell.outcome {
        Outcome::Number(value) if !as_shown => json!(value),
        Outcome::Bool(value) if !as_shown => json!(value),
        _ => json!(cell.shown(spreadsheet.locale)),
    }
}

/// `ValueRange` of an area: trailing empty rows and cells are left out.
pub(crate) fn value_range(
    spreadsheet: &Spreadsheet,
    index: usize,
    area: Rectangle,
    by_columns: bool,
    rendering: Rendering,
) -> Value {
    let sheet = &spreadsheet.sheets[index];
    let row_end = area.row_end.min(sheet.touched_rows()).max(area.row);
    let empty = json!("");
    let (outer, inner) = if by_columns {
        (area.column..area.column_end, area.row..row_end)
    } else {
        (area.row..row_end, area.column..area.column_end)
    };
    let mut values: Vec<Vec<Value>> = outer
        .map(|first| {
            let mut line: Vec<Value> = inner
                .clone()
                .map(|second| {
                    let (row, column) = if by_columns {
                        (second, first)
                    } else {
                        (first, second)
                    };
                    cell_value(spreadsheet, sheet.cell(row, column), rendering)
                })
                .collect();
            let filled = line
                .iter()
                .rposition(|value| *value != empty)
                .map_or(0, |last| last + 1);
            line.truncate(filled);
            line
        })
        .collect();
    let filled = values
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    values.truncate(filled);
    let mut out = json!({
        "range": a1::written(&sheet.title, &area),
        "majorDimension": if by_columns { "COLUMNS" } else { "ROWS" },
    });
    if !values.is_empty() {
        out["values"] = json!(values);
    }
    out
}

/// How the grid page shows a cell: the shown text, what editing starts with when that differs, and the kind.
pub(crate) fn grid_cell(spreadsheet: &Spreadsheet, cell: &Cell) -> Value {
    if cell.is_empty() {
        return json!(null);
    }
    let shown = cell.shown(spreadsheet.locale);
    let kind = match &cell.outcome {
        Outcome::Number(_) => "n",
        Outcome::Bool(_) => "b",
        Outcome::Error(_) => "e",
        Outcome::Text(_) | Outcome::Empty => "t",
    };
    let mut out = json!({"s": shown, "k": kind});
    let typed = match &cell.entered {
        // A text that would become something else when typed again keeps its apostrophe.
        Some(Entered::Text(text)) if cell.format.as_ref() != Some(&NumberFormat::plain_text()) => {
            let again =
                super::entry::typed(text, cell.format.as_ref(), spreadsheet.locale, 2000).entered;
            if again == cell.entered {
                text.clone()
            } else {
                format!("'{text}")
            }
        }
        Some(Entered::Number(value)) if cell.effective_format().is_none() => {
            let precise = super::number_format::plain(*value);
            let precise = precise.replace('.', &spreadsheet.locale.decimal.to_string());
            if automatic(*value, spreadsheet.locale) == shown {
                precise
            } else {
                shown.clone()
            }
        }
        Some(Entered::Formula(formula)) => formula.clone(),
        Some(Entered::Text(_) | Entered::Number(_) | Entered::Bool(_)) | None => shown.clone(),
    };
    if typed != shown {
        out["e"] = json!(typed);
    }
    out
}
