//! One batch of cells: what Google is asked about them, what becomes of each, and what is written.
//!
//! Owns the bodies, the replies' shape and the decision. Must not know who writes, how a request travels or what a cell
//! means.
//!
//! Both bodies name the sheet by its id, which a renamed tab keeps, and the cells by ranges in the body, where five hundred
//! find room. A text is written as `stringValue`, which Sheets stores as it is; only the value of a cell is written, so
//! that its format stays. Sources:
//! <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/getByDataFilter>,
//! <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/request#updatecellsrequest>.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};
use sheetwire_core::protocol::relay::{
    CellWrite, WRITE_CELLS_MAX, WRITE_GUARDS_MAX, WriteRequest, WriteResult, WriteValue,
};
use sheetwire_core::sheet::{COLUMNS_MAX, Cell, CellView, Content, ROWS_MAX, push_cell};

use crate::sheet_read::{self, CellData, EMPTY, ReadError};

/// Most characters of a cell: Google's limit.
const TEXT_CHARS_MAX: usize = 50_000;

/// A cell by column and row, so that a column's cells are in order.
pub type Spot = (u32, u32);

/// The fields of the read before a write.
pub const READ_FIELDS: &str = "sheets(properties(sheetId,gridProperties(rowCount,columnCount)),\
    protectedRanges(range,unprotectedRanges,warningOnly,requestingUserCanEdit),\
    data(startRow,startColumn,rowData(values(userEnteredValue/formulaValue,effectiveValue,formattedValue,\
    effectiveFormat/numberFormat/type))))";
/// The fields that tell the sizes of the grids.
const GRID_FIELDS: &str = "sheets(properties(sheetId,gridProperties(rowCount,columnCount)))";

/// What Google says about a sheet and some of its cells.
pub struct Found {
    rows: u32,
    columns: u32,
    protected: Vec<ProtectedRange>,
    cells: HashMap<Spot, Cell>,
}

#[derive(Deserialize)]
struct Reply {
    /// Needed: every spreadsheet has a sheet, so a reply without the field is somebody else's.
    sheets: Vec<Sheet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sheet {
    properties: Properties,
    #[serde(default)]
    protected_ranges: Vec<ProtectedRange>,
    #[serde(default)]
    data: Vec<GridData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    sheet_id: i64,
    /// Absent in sheets of charts, which have no cells.
    #[serde(default)]
    grid_properties: GridProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GridProperties {
    row_count: u32,
    column_count: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProtectedRange {
    range: GridRange,
    unprotected_ranges: Vec<GridRange>,
    warning_only: bool,
    /// Left out when it is false.
    requesting_user_can_edit: bool,
}

/// An edge that is left out is the sheet's.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GridRange {
    start_row_index: u32,
    end_row_index: Option<u32>,
    start_column_index: u32,
    end_column_index: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GridData {
    start_row: u32,
    start_column: u32,
    row_data: Vec<RowData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RowData {
    values: Vec<CellData>,
}

impl GridRange {
    fn holds(&self, row: u32, column: u32) -> bool {
        row >= self.start_row_index
            && column >= self.start_column_index
            && self.end_row_index.is_none_or(|end| row < end)
            && self.end_column_index.is_none_or(|end| column < end)
    }
}

impl Found {
    /// Whether a cell lies in the grid.
    pub fn has(&self, (column, row): Spot) -> bool {
        row < self.rows && column < self.columns
    }

    fn cell(&self, column: u32, row: u32) -> &Cell {
        self.cells.get(&(column, row)).unwrap_or(&EMPTY)
    }

    /// Whether a cell holds what was packed.
    fn holds(&self, column: u32, row: u32, packed: &str) -> bool {
        let mut now = String::new();
        push_cell(&mut now, self.cell(column, row));
        now == packed
    }

    fn is_protected(&self, cell: &CellWrite) -> bool {
        self.protected.iter().any(|protected| {
            !protected.warning_only
                && !protected.requesting_user_can_edit
                && protected.range.holds(cell.row, cell.column)
                && !protected
                    .unprotected_ranges
                    .iter()
                    .any(|open| open.holds(cell.row, cell.column))
        })
    }
}

/// Whether a write can be taken; if not, the sentence that says why.
pub fn check(request: &WriteRequest) -> Result<(), &'static str> {
    let cells = &request.cells;
    if cells.is_empty() || cells.len() > WRITE_CELLS_MAX {
        return Err("A write has 1 to 500 cells.");
    }
    let mut named = HashSet::with_capacity(cells.len());
    for cell in cells {
        if cell.row >= ROWS_MAX || cell.column >= COLUMNS_MAX {
            return Err("A cell of the write is beyond what a sheet can hold.");
        }
        if !named.insert((cell.row, cell.column)) {
            return Err("A cell of the write is named twice.");
        }
        if CellView::parse(&cell.before).is_err() {
            return Err("A cell of the write does not say what it held before.");
        }
        if cell.guards.len() > WRITE_GUARDS_MAX {
            return Err("A cell of the write has more than 8 guards.");
        }
        for guard in &cell.guards {
            let is_beyond = guard.row >= ROWS_MAX || guard.column >= COLUMNS_MAX;
            if is_beyond || CellView::parse(&guard.holds).is_err() {
                return Err("A guard of the write is no cell of a sheet.");
            }
        }
        match &cell.value {
            WriteValue::Text(text) if text.chars().count() > TEXT_CHARS_MAX => {
                return Err("A text of the write is longer than the 50,000 characters of a cell.");
            }
            WriteValue::Text(_) | WriteValue::Number(_) | WriteValue::Boolean(_) => {}
        }
    }
    Ok(())
}

/// Whether a cell stands right under another: a write goes mostly down a column.
fn is_under(above: Spot, below: Spot) -> bool {
    above.0 == below.0 && above.1 + 1 == below.1
}

/// The cells that are to be written and those that guard them.
pub fn spots(cells: &[CellWrite]) -> BTreeSet<Spot> {
    let guards = cells.iter().flat_map(|cell| &cell.guards);
    let guards = guards.map(|guard| (guard.column, guard.row));
    let cells = cells.iter().map(|cell| (cell.column, cell.row));
    cells.chain(guards).collect()
}

/// The body of a read of these cells.
pub fn read_body(sheet_id: i64, spots: &BTreeSet<Spot>) -> Value {
    let spots: Vec<Spot> = spots.iter().copied().collect();
    let runs = spots.chunk_by(|above, below| is_under(*above, *below));
    let filters = runs.filter_map(|run| {
        let ((column, first), (_, last)) = (run.first()?, run.last()?);
        Some(json!({"gridRange": {
            "sheetId": sheet_id,
            "startRowIndex": first,
            "endRowIndex": last + 1,
            "startColumnIndex": column,
            "endColumnIndex": column + 1,
        }}))
    });
    json!({"dataFilters": filters.collect::<Vec<_>>()})
}

/// The query of a read that tells the sizes of the grids.
pub fn grid_query() -> Vec<(&'static str, String)> {
    vec![
        ("fields", GRID_FIELDS.to_owned()),
        ("prettyPrint", "false".to_owned()),
    ]
}

/// What a reply says about the sheet with that id; without cells, if the reply has none.
///
/// # Errors
/// [`ReadError::Absent`] when the reply does not hold the sheet.
pub fn found(reply: &[u8], sheet_id: i64) -> Result<Found, ReadError> {
    let Reply { sheets } = serde_json::from_slice(reply).map_err(|_| ReadError::Unreadable)?;
    let sheet = sheets
        .into_iter()
        .find(|sheet| sheet.properties.sheet_id == sheet_id)
        .ok_or(ReadError::Absent)?;
    let mut cells = HashMap::new();
    for grid in sheet.data {
        for (row, data) in (grid.start_row..).zip(grid.row_data) {
            for (column, data) in (grid.start_column..).zip(data.values) {
                cells.insert((column, row), sheet_read::cell(data));
            }
        }
    }
    let GridProperties {
        row_count,
        column_count,
    } = sheet.properties.grid_properties;
    Ok(Found {
        rows: row_count,
        columns: column_count,
        protected: sheet.protected_ranges,
        cells,
    })
}

/// What becomes of each cell; nothing is decided of those that are to be written.
pub fn decide(cells: &[CellWrite], found: &Found) -> Vec<Option<WriteResult>> {
    let decide = |cell: &CellWrite| {
        if !found.has((cell.column, cell.row)) {
            return Some(WriteResult::Outside);
        }
        let mut guards = cell.guards.iter();
        if !guards.all(|guard| found.holds(guard.column, guard.row, &guard.holds)) {
            return Some(WriteResult::Moved);
        }
        let now = found.cell(cell.column, cell.row);
        if now.formula.is_some() {
            return Some(WriteResult::Formula);
        }
        if holds(now, &cell.value) {
            return Some(WriteResult::Written);
        }
        if found.is_protected(cell) {
            return Some(WriteResult::Protected);
        }
        let is_as_before = found.holds(cell.column, cell.row, &cell.before);
        (!is_as_before).then_some(WriteResult::Changed)
    };
    cells.iter().map(decide).collect()
}

/// Whether the cell holds the value already, in whatever format.
fn holds(cell: &Cell, value: &WriteValue) -> bool {
    match (&cell.content, value) {
        (Content::Empty, WriteValue::Text(text)) => text.is_empty(),
        (Content::Text(now), WriteValue::Text(text)) => now == text,
        (
            Content::Number { value: now, .. }
            | Content::Percent { value: now, .. }
            | Content::Date { value: now, .. },
            WriteValue::Number(value),
        ) => now == value,
        (Content::Bool(now), WriteValue::Boolean(value)) => now == value,
        (
            Content::Empty
            | Content::Text(_)
            | Content::Number { .. }
            | Content::Percent { .. }
            | Content::Date { .. }
            | Content::Bool(_)
            | Content::Error(_),
            WriteValue::Text(_) | WriteValue::Number(_) | WriteValue::Boolean(_),
        ) => false,
    }
}

/// The body that writes these cells, all or none.
pub fn write_body(sheet_id: i64, cells: &[&CellWrite]) -> Value {
    let mut cells = cells.to_vec();
    let place = |cell: &CellWrite| (cell.column, cell.row);
    cells.sort_unstable_by_key(|cell| place(cell));
    let runs = cells.chunk_by(|above, below| is_under(place(above), place(below)));
    let requests = runs.filter_map(|run| {
        let first = run.first()?;
        let rows = run.iter().map(|cell| {
            let value = match &cell.value {
                // A cell of which nothing is said loses what it holds.
                WriteValue::Text(text) if text.is_empty() => json!({}),
                WriteValue::Text(text) => json!({"userEnteredValue": {"stringValue": text}}),
                WriteValue::Number(number) => json!({"userEnteredValue": {"numberValue": number}}),
                WriteValue::Boolean(value) => json!({"userEnteredValue": {"boolValue": value}}),
            };
            json!({"values": [value]})
        });
        Some(json!({"updateCells": {
            "start": {"sheetId": sheet_id, "rowIndex": first.row, "columnIndex": first.column},
            "rows": rows.collect::<Vec<_>>(),
            "fields": "userEnteredValue",
        }}))
    });
    json!({"requests": requests.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use sheetwire_core::protocol::relay::{CellGuard, SheetRef, VERSION};

    fn cell(row: u32, column: u32, before: &str, value: WriteValue) -> CellWrite {
        CellWrite {
            row,
            column,
            before: before.to_owned(),
            value,
            guards: Vec::new(),
        }
    }

    /// A text whose row is told by what the first column holds.
    fn guarded(row: u32, before: &str, value: &str, holds: &str) -> CellWrite {
        let guard = CellGuard {
            row,
            column: 0,
            holds: holds.to_owned(),
        };
        CellWrite {
            guards: vec![guard],
            ..text(row, 1, before, value)
        }
    }

    fn text(row: u32, column: u32, before: &str, value: &str) -> CellWrite {
        cell(row, column, before, WriteValue::Text(value.to_owned()))
    }

    #[test]
    fn each_cell_is_decided_by_what_it_holds_now() {
        let shown = |kind: &str, value: Value, shown: &str| json!({"effectiveValue": {kind: value}, "formattedValue": shown});
        let percent = json!({"effectiveValue": {"numberValue": 0.5}, "formattedValue": "50%",
            "effectiveFormat": {"numberFormat": {"type": "PERCENT"}}});
        let formula = json!({"userEnteredValue": {"formulaValue": "=A1"}, "effectiveValue": {"stringValue": "a"}});
        let rows: Vec<Value> = [
            shown("stringValue", json!("a"), "a"),
            percent,
            formula,
            shown("boolValue", json!(true), "TRUE"),
            shown("stringValue", json!("fixed"), "fixed"),
        ]
        .map(|cell| json!({"values": [cell]}))
        .to_vec();
        let open = json!({"startRowIndex": 11, "endRowIndex": 12});
        let reply = json!({"sheets": [{
            "properties": {"sheetId": 7, "gridProperties": {"rowCount": 20, "columnCount": 2}},
            "protectedRanges": [
                {"range": {"sheetId": 7, "startRowIndex": 4, "endRowIndex": 5}},
                {"range": {"startRowIndex": 10}, "unprotectedRanges": [open], "warningOnly": false},
                {"range": {}, "warningOnly": true},
                {"range": {}, "requestingUserCanEdit": true},
            ],
            "data": [{"rowData": rows}, {"startRow": 11}],
        }]});
        let found = found(reply.to_string().as_bytes(), 7).expect("there");
        let number = WriteValue::Number;
        for (cell, expected) in [
            (text(0, 0, "ta", "b"), None),
            (text(0, 0, "tb", "c"), Some(WriteResult::Changed)),
            // Done before, as after a lost answer.
            (text(0, 0, "told", "a"), Some(WriteResult::Written)),
            (cell(0, 0, "ta", number(1.0)), None),
            (cell(1, 0, "p0.5\u{1d}50%", number(0.25)), None),
            (cell(1, 0, "", number(0.5)), Some(WriteResult::Written)),
            (cell(1, 0, "n0.5", number(0.25)), Some(WriteResult::Changed)),
            (text(1, 0, "p0.5\u{1d}50%", "0.5"), None),
            (text(2, 0, "f=A1\u{1d}ta", "b"), Some(WriteResult::Formula)),
            (text(2, 0, "ta", "a"), Some(WriteResult::Formula)),
            (cell(3, 0, "b1", WriteValue::Boolean(false)), None),
            (
                cell(3, 0, "b0", WriteValue::Boolean(true)),
                Some(WriteResult::Written),
            ),
            (text(4, 0, "tfixed", "b"), Some(WriteResult::Protected)),
            (text(4, 0, "", "b"), Some(WriteResult::Protected)),
            (text(4, 0, "", "fixed"), Some(WriteResult::Written)),
            (text(10, 1, "", "b"), Some(WriteResult::Protected)),
            (text(11, 1, "", "b"), None),
            (text(5, 1, "", "b"), None),
            (text(5, 1, "", ""), Some(WriteResult::Written)),
            (text(0, 0, "ta", ""), None),
            (guarded(0, "", "b", "ta"), None),
            (guarded(0, "", "b", "tb"), Some(WriteResult::Moved)),
            (guarded(0, "", "b", ""), Some(WriteResult::Moved)),
            // What it holds, and whether it may be written, is another cell's.
            (guarded(0, "told", "", "tb"), Some(WriteResult::Moved)),
            (guarded(10, "", "b", "ta"), Some(WriteResult::Moved)),
            (guarded(5, "", "b", ""), None),
            (guarded(2, "", "b", "f=A1\u{1d}ta"), None),
            (text(20, 0, "", "b"), Some(WriteResult::Outside)),
            (text(0, 2, "", ""), Some(WriteResult::Outside)),
        ] {
            let described = (cell.row, cell.before.clone());
            assert_eq!(decide(&[cell], &found), [expected], "{described:?}");
        }
    }

    #[test]
    fn runs_go_down_a_column() {
        let cells = [
            text(3, 1, "", "d"),
            text(1, 1, "", ""),
            cell(2, 1, "", WriteValue::Number(0.5)),
            cell(2, 0, "", WriteValue::Boolean(true)),
            text(5, 1, "", "=B2"),
        ];
        let range = |rows: (u32, u32), column: u32| {
            json!({"gridRange": {"sheetId": 7, "startRowIndex": rows.0, "endRowIndex": rows.1,
                "startColumnIndex": column, "endColumnIndex": column + 1}})
        };
        assert_eq!(
            read_body(7, &spots(&cells)),
            json!({"dataFilters": [range((2, 3), 0), range((1, 4), 1), range((5, 6), 1)]})
        );
        // A guard is read once for all the cells that it guards.
        let guards = [guarded(2, "", "a", "tn"), guarded(3, "", "a", "tm")];
        assert_eq!(
            read_body(7, &spots(&[&cells[..], &guards].concat())),
            json!({"dataFilters": [range((2, 4), 0), range((1, 4), 1), range((5, 6), 1)]})
        );
        let cells: Vec<&CellWrite> = cells.iter().collect();
        let update = |row: u32, column: u32, values: &[Value]| {
            let rows = values.iter().map(|value| json!({"values": [value]}));
            json!({"updateCells": {
                "start": {"sheetId": 7, "rowIndex": row, "columnIndex": column},
                "rows": rows.collect::<Vec<_>>(),
                "fields": "userEnteredValue",
            }})
        };
        let value = |kind: &str, value: Value| json!({"userEnteredValue": {kind: value}});
        assert_eq!(
            write_body(7, &cells),
            json!({"requests": [
                update(2, 0, &[value("boolValue", json!(true))]),
                update(1, 1, &[json!({}), value("numberValue", json!(0.5)), value("stringValue", json!("d"))]),
                update(5, 1, &[value("stringValue", json!("=B2"))]),
            ]})
        );
    }

    #[test]
    fn what_can_not_be_taken_is_refused_with_a_sentence() {
        let check = |cells: Vec<CellWrite>| {
            check(&WriteRequest {
                v: VERSION,
                sheet: SheetRef {
                    spreadsheet_id: "s".to_owned(),
                    sheet_id: 0,
                },
                file: "f".to_owned(),
                panel: "p".to_owned(),
                fence: 1,
                cells,
            })
        };
        let many = |count: u32| (0..count).map(|row| text(row, 0, "", "a")).collect();
        let long = "é".repeat(TEXT_CHARS_MAX);
        for good in [many(1), many(500), vec![text(0, 0, "ta", &long)]] {
            assert_eq!(check(good), Ok(()));
        }
        for bad in [
            many(0),
            many(501),
            vec![text(ROWS_MAX, 0, "", "a")],
            vec![text(0, COLUMNS_MAX, "", "a")],
            vec![text(1, 1, "", "a"), text(1, 1, "", "b")],
            vec![text(0, 0, "a", "b")],
            vec![text(0, 0, "", &format!("{long}é"))],
            vec![guarded(0, "", "a", "no cell")],
            vec![CellWrite {
                guards: vec![guarded(0, "", "a", "").guards[0].clone(); WRITE_GUARDS_MAX + 1],
                ..text(0, 1, "", "a")
            }],
        ] {
            assert!(check(bad).is_err());
        }
    }

    #[test]
    fn a_reply_without_the_sheet_is_none() {
        let is = |reply: &str, error| assert_eq!(found(reply.as_bytes(), 7).err(), Some(error));
        is("{\"sheets\": []}", ReadError::Absent);
        is("{\"sheets\": [{\"properties\": {}}]}", ReadError::Absent);
        is("{}", ReadError::Unreadable);
        is("<html>", ReadError::Unreadable);
    }
}
