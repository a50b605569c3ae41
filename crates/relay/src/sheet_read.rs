//! Reading one sheet: what is asked of `spreadsheets.get`, and cells out of its reply.
//!
//! Owns the queries, the reply's shape and the packed result. Must not know how a request travels, who asks or what
//! a cell means; docs/adr/0002-cells-carry-value-and-appearance.md says why each field is asked for.
//!
//! Source: <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets>.

use std::collections::HashMap;

use serde::Deserialize;
use sheetwire_core::protocol::relay::{SNAPSHOT_BYTES_MAX, SheetInfo};
use sheetwire_core::sheet::{COLUMNS_MAX, Cell, Content, pack};

/// Longest reply that is taken, in bytes. A packed cell of ten bytes takes up to about a hundred in Google's JSON.
pub const REPLY_BYTES_MAX: usize = 12 * SNAPSHOT_BYTES_MAX;

/// The fields of a whole sheet.
const CELL_FIELDS: &str = "properties(title,locale),sheets(properties(sheetId,title),\
    data(startRow,startColumn,rowData(values(userEnteredValue/formulaValue,effectiveValue,formattedValue,\
    effectiveFormat/numberFormat/type))))";
/// The fields that name the sheets.
const TITLE_FIELDS: &str = "sheets(properties(sheetId,title))";

/// A reply without the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not a reply of Google's.
    #[error("Google's reply could not be read")]
    Unreadable,
    /// The spreadsheet has no sheet of that id, or the range named another one.
    #[error("the reply does not hold the sheet")]
    Absent,
    /// More than the relay passes on.
    #[error("the sheet is larger than {SNAPSHOT_BYTES_MAX} bytes")]
    TooLarge,
}

/// A sheet as it was read.
#[derive(Clone, PartialEq)]
pub struct SheetRead {
    /// What stands around the cells.
    pub info: SheetInfo,
    /// The cells, packed; trailing empty rows and cells left out.
    pub packed: String,
}

impl std::fmt::Debug for SheetRead {
    /// Its size alone: cells and titles are nobody's but the sheet's readers'.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SheetRead({} bytes)", self.packed.len())
    }
}

/// The query of a read of sheets' cells, by their titles.
pub fn cells_query(sheet_titles: &[&str]) -> Vec<(&'static str, String)> {
    // Always quoted, so that a sheet named `A1` is no range.
    let range = |title: &&str| ("ranges", format!("'{}'", title.replace('\'', "''")));
    let mut query: Vec<_> = sheet_titles.iter().map(range).collect();
    query.push(("fields", CELL_FIELDS.to_owned()));
    query.push(("prettyPrint", "false".to_owned()));
    query
}

/// The query that finds a sheet's title; it costs a read as well.
pub fn titles_query() -> Vec<(&'static str, String)> {
    vec![
        ("fields", TITLE_FIELDS.to_owned()),
        ("prettyPrint", "false".to_owned()),
    ]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    #[serde(default)]
    properties: SpreadsheetProperties,
    /// Needed: every spreadsheet has a sheet, so a reply without the field is somebody else's.
    sheets: Vec<Sheet>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SpreadsheetProperties {
    title: String,
    locale: String,
}

#[derive(Deserialize)]
struct Sheet {
    properties: SheetProperties,
    #[serde(default)]
    data: Vec<GridData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SheetProperties {
    #[serde(default)]
    sheet_id: i64,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct GridData {
    start_row: usize,
    start_column: usize,
    row_data: Vec<RowData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RowData {
    values: Vec<CellData>,
}

/// One cell of Google's.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CellData {
    user_entered_value: Option<EnteredValue>,
    effective_value: Option<EffectiveValue>,
    formatted_value: Option<String>,
    effective_format: Option<CellFormat>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EnteredValue {
    formula_value: Option<String>,
}

/// A union in Google's JSON: one of the fields is there.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EffectiveValue {
    number_value: Option<f64>,
    string_value: Option<String>,
    bool_value: Option<bool>,
    error_value: Option<ErrorValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorValue {
    r#type: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CellFormat {
    number_format: NumberFormat,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NumberFormat {
    r#type: String,
}

/// The sheets' titles by their ids, from a reply to [`titles_query`].
///
/// # Errors
/// [`ReadError::Unreadable`].
pub fn titles(reply: &[u8]) -> Result<HashMap<i64, String>, ReadError> {
    let reply: Reply = serde_json::from_slice(reply).map_err(|_| ReadError::Unreadable)?;
    let sheets = reply.sheets.into_iter().map(|sheet| sheet.properties);
    Ok(sheets.map(|sheet| (sheet.sheet_id, sheet.title)).collect())
}

/// The sheets with these ids, in their order, from a reply to [`cells_query`]. A sheet is [`ReadError::Absent`] also when its
/// title belongs to another one by now.
///
/// # Errors
/// [`ReadError::Unreadable`] when the reply is none.
pub fn read(
    reply: &[u8],
    sheet_ids: &[i64],
) -> Result<Vec<Result<SheetRead, ReadError>>, ReadError> {
    let Reply {
        properties,
        mut sheets,
    } = serde_json::from_slice(reply).map_err(|_| ReadError::Unreadable)?;
    let mut one = |sheet_id: &i64| {
        let mut found = sheets.iter();
        let at = found.position(|sheet| sheet.properties.sheet_id == *sheet_id);
        let sheet = sheets.swap_remove(at.ok_or(ReadError::Absent)?);
        let packed = pack(&cells(sheet.data)?);
        if packed.len() > SNAPSHOT_BYTES_MAX {
            return Err(ReadError::TooLarge);
        }
        let info = SheetInfo {
            spreadsheet_title: properties.title.clone(),
            sheet_title: sheet.properties.title,
            locale: properties.locale.clone(),
        };
        Ok(SheetRead { info, packed })
    };
    Ok(sheet_ids.iter().map(&mut one).collect())
}

fn cells(data: Vec<GridData>) -> Result<Vec<Vec<Cell>>, ReadError> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for grid in data {
        // Every packed row has at least its end, so more rows than bytes can't be packed.
        if grid.start_row.saturating_add(grid.row_data.len()) > SNAPSHOT_BYTES_MAX {
            return Err(ReadError::TooLarge);
        }
        for (row, data) in (grid.start_row..).zip(grid.row_data) {
            if grid.start_column.saturating_add(data.values.len()) > COLUMNS_MAX as usize {
                return Err(ReadError::Unreadable);
            }
            if data.values.is_empty() {
                continue;
            }
            if rows.len() <= row {
                rows.resize_with(row + 1, Vec::new);
            }
            let cells = &mut rows[row];
            cells.resize(cells.len().max(grid.start_column), EMPTY);
            cells.truncate(grid.start_column);
            cells.extend(data.values.into_iter().map(cell));
        }
    }
    let is_empty = |cell: &Cell| cell.content == Content::Empty && cell.formula.is_none();
    while rows.last().is_some_and(|row| row.iter().all(is_empty)) {
        rows.pop();
    }
    Ok(rows)
}

/// A cell that holds nothing.
pub(crate) const EMPTY: Cell = Cell {
    content: Content::Empty,
    formula: None,
};

/// The cell that Google's cell is.
pub(crate) fn cell(data: CellData) -> Cell {
    let CellData {
        user_entered_value,
        effective_value,
        formatted_value,
        effective_format,
    } = data;
    let formula = user_entered_value.and_then(|value| value.formula_value);
    let Some(value) = effective_value else {
        return Cell {
            content: Content::Empty,
            formula,
        };
    };
    let content = match value {
        EffectiveValue {
            number_value: Some(value),
            ..
        } => {
            let shown = formatted_value.unwrap_or_else(|| value.to_string());
            let format = effective_format.map(|format| format.number_format.r#type);
            match format.as_deref() {
                Some("PERCENT") => Content::Percent { value, shown },
                Some("DATE" | "TIME" | "DATE_TIME") => Content::Date { value, shown },
                _ => Content::Number { value, shown },
            }
        }
        EffectiveValue {
            bool_value: Some(value),
            ..
        } => Content::Bool(value),
        EffectiveValue {
            error_value: Some(error),
            ..
        } => Content::Error(formatted_value.unwrap_or_else(|| format!("#{}", error.r#type))),
        // A formula that comes to an empty text shows nothing, and is read as its owner sees it.
        EffectiveValue {
            string_value: Some(text),
            ..
        } if !text.is_empty() => Content::Text(text),
        EffectiveValue { .. } => Content::Empty,
    };
    Cell { content, formula }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn reply(data: Value) -> Vec<u8> {
        json!({
            "properties": {"title": "Brand", "locale": "de_DE"},
            "sheets": [{"properties": {"sheetId": 7, "title": "Tokens"}, "data": data}],
        })
        .to_string()
        .into_bytes()
    }

    fn one(reply: &[u8], sheet_id: i64) -> Result<SheetRead, ReadError> {
        read(reply, &[sheet_id])?.remove(0)
    }

    fn packed(data: Value) -> String {
        one(&reply(data), 7).expect("a good reply").packed
    }

    #[test]
    fn every_kind_of_cell_is_packed_with_value_and_appearance() {
        let number = |value: f64, shown: &str, format: &str| {
            json!({
                "effectiveValue": {"numberValue": value}, "formattedValue": shown,
                "effectiveFormat": {"numberFormat": {"type": format}},
            })
        };
        let cases = [
            (
                json!({"effectiveValue": {"stringValue": "Größe"}, "formattedValue": "Größe"}),
                "tGröße",
            ),
            (number(16.0, "16", "NUMBER"), "n16"),
            (number(0.123456, "0,12", "NUMBER"), "n0.123456\u{1d}0,12"),
            (json!({"effectiveValue": {"numberValue": 3}}), "n3"),
            (number(0.5, "50%", "PERCENT"), "p0.5\u{1d}50%"),
            (number(46120.0, "4/8", "DATE"), "d46120\u{1d}4/8"),
            (number(0.25, "6:00", "TIME"), "d0.25\u{1d}6:00"),
            (number(1.5, "1 12:00", "DATE_TIME"), "d1.5\u{1d}1 12:00"),
            (
                json!({"effectiveValue": {"boolValue": false}, "formattedValue": "FALSE"}),
                "b0",
            ),
            (
                json!({"userEnteredValue": {"formulaValue": "=A0"},
                    "effectiveValue": {"errorValue": {"type": "REF", "message": "…"}}, "formattedValue": "#REF!"}),
                "f=A0\u{1d}e#REF!",
            ),
            (
                json!({"effectiveValue": {"errorValue": {"type": "LOADING"}}}),
                "e#LOADING",
            ),
            (
                json!({"userEnteredValue": {"formulaValue": "=B2"},
                    "effectiveValue": {"numberValue": 2}, "formattedValue": "2"}),
                "f=B2\u{1d}n2",
            ),
            (
                json!({"userEnteredValue": {"formulaValue": "=\"\""},
                    "effectiveValue": {"stringValue": ""}, "formattedValue": ""}),
                "f=\"\"\u{1d}",
            ),
            (
                json!({"userEnteredValue": {"formulaValue": "=IF(FALSE,1,)"}}),
                "f=IF(FALSE,1,)\u{1d}",
            ),
        ];
        for (cell, expected) in cases {
            let text = packed(json!([{"rowData": [{"values": [cell]}]}]));
            assert_eq!(text, format!("{expected}\u{1e}"), "{cell}");
        }
    }

    #[test]
    fn empty_objects_and_trailing_empties_are_nothing() {
        let text = json!({"effectiveValue": {"stringValue": "x"}, "formattedValue": "x"});
        let rows = json!([
            {}, {"values": [{}, text, {}, {"effectiveFormat": {"numberFormat": {"type": "TEXT"}}}]},
            {"values": [{}]}, {}
        ]);
        assert_eq!(packed(json!([{"rowData": rows}])), "\u{1e}\u{1f}tx\u{1e}");
        for empty in [
            json!([]),
            json!([{}]),
            json!([{"rowData": [{}, {"values": [{}]}]}]),
        ] {
            assert_eq!(packed(empty), "");
        }
        let placed = json!([{"startRow": 1, "startColumn": 2, "rowData": [{"values": [text]}]}]);
        assert_eq!(packed(placed), "\u{1e}\u{1f}\u{1f}tx\u{1e}");
    }

    #[test]
    fn the_sheet_is_found_by_its_id_alone() {
        let whole = reply(json!([]));
        let titles = titles(&whole).expect("a good reply");
        assert_eq!(titles, HashMap::from([(7, "Tokens".to_owned())]));
        assert_eq!(one(&whole, 8), Err(ReadError::Absent));
        let info = one(&whole, 7).expect("there").info;
        assert_eq!(
            (info.spreadsheet_title.as_str(), info.locale.as_str()),
            ("Brand", "de_DE")
        );
        assert_eq!(cells_query(&["It's"])[0].1, "'It''s'");
    }

    #[test]
    fn several_sheets_come_out_of_one_reply() {
        let sheet = |id: i64, text: &str| {
            json!({
                "properties": {"sheetId": id, "title": format!("tab {id}")},
                "data": [{"rowData": [{"values": [{"effectiveValue": {"stringValue": text}}]}]}],
            })
        };
        let mut large = sheet(3, "");
        large["data"][0]["startRow"] = json!(SNAPSHOT_BYTES_MAX);
        let reply = json!({
            "properties": {"title": "Brand", "locale": "de_DE"},
            "sheets": [sheet(0, "a"), sheet(7, "b"), large, sheet(5, "c")],
        });
        let reads = read(reply.to_string().as_bytes(), &[7, 4, 3, 0]).expect("a good reply");
        let told = reads.into_iter().map(|read| {
            let SheetRead { info, packed } = read?;
            assert_eq!(
                (&*info.spreadsheet_title, &*info.locale),
                ("Brand", "de_DE")
            );
            Ok((info.sheet_title, packed))
        });
        let expected = [
            Ok(("tab 7".to_owned(), "tb\u{1e}".to_owned())),
            Err(ReadError::Absent),
            Err(ReadError::TooLarge),
            Ok(("tab 0".to_owned(), "ta\u{1e}".to_owned())),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nonsense_and_too_much_are_errors() {
        for text in [
            "",
            "<html>",
            "[]",
            "{\"kind\": \"x\"}",
            "{\"sheets\": 1}",
            "{\"sheets\": [{}]}",
        ] {
            assert_eq!(
                one(text.as_bytes(), 7),
                Err(ReadError::Unreadable),
                "{text}"
            );
        }
        assert_eq!(one(b"{\"sheets\": []}", 7), Err(ReadError::Absent));
        let far = reply(json!([{"startRow": SNAPSHOT_BYTES_MAX, "rowData": [{"values": [{}]}]}]));
        assert_eq!(one(&far, 7), Err(ReadError::TooLarge));
        let wide = reply(json!([{"startColumn": u64::MAX, "rowData": [{"values": [{}]}]}]));
        assert_eq!(one(&wide, 7), Err(ReadError::Unreadable));
        let long = "x".repeat(SNAPSHOT_BYTES_MAX);
        let large =
            reply(json!([{"rowData": [{"values": [{"effectiveValue": {"stringValue": long}}]}]}]));
        assert_eq!(one(&large, 7), Err(ReadError::TooLarge));
    }
}
