//! The methods of the Sheets API over the world's files.
//!
//! Owns who may call what on which file, and turning parameters into calls of the model. Must not know HTTP.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::a1::Area;
use super::locale;
use super::protection::{Editor, REFUSED};
use super::reply::{self, Rendering};
use super::requests::{self, Effects, integer};
use super::spreadsheet::{COLUMNS_DEFAULT, ROWS_DEFAULT, Sheet, Spreadsheet};
use super::values::{self, Touched, Writing};
use crate::clock;
use crate::discovery::Found;
use crate::error::ApiError;
use crate::field_mask::FieldMask;
use crate::oauth::random_text;
use crate::quota::Use;
use crate::world::{Caller, File, GridEvent, Role, World};

/// Whether a method counts as a read or a write; `None` for methods of other APIs.
pub(crate) fn quota_use(method_id: &str) -> Option<Use> {
    match method_id {
        "sheets.spreadsheets.get"
        | "sheets.spreadsheets.getByDataFilter"
        | "sheets.spreadsheets.values.get"
        | "sheets.spreadsheets.values.batchGet" => Some(Use::Read),
        other if other.starts_with("sheets.") => Some(Use::Write),
        _ => None,
    }
}

/// A call of a method.
pub(crate) struct Call<'a> {
    pub(crate) found: &'a Found,
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: Option<&'a Value>,
    pub(crate) caller: &'a Caller,
    pub(crate) base_url: &'a str,
    pub(crate) mask: &'a FieldMask,
    /// Whether `fields` was given.
    pub(crate) masked: bool,
}

impl Call<'_> {
    /// A query parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    fn path(&self, name: &str) -> &str {
        self.found.path.get(name).map_or("", String::as_str)
    }

    fn body(&self) -> Result<&Value, ApiError> {
        self.body
            .ok_or_else(|| ApiError::invalid("Request body is missing."))
    }

    fn rendering(&self) -> Result<Rendering, ApiError> {
        Rendering::from_options(
            self.get("valueRenderOption"),
            self.get("dateTimeRenderOption"),
        )
    }
}

/// Answers a method of the Sheets API.
pub(crate) fn answer(
    world: &mut World,
    call: &Call<'_>,
    events: &mut Vec<GridEvent>,
) -> Result<Value, ApiError> {
    if call.found.id == "sheets.spreadsheets.create" {
        return create(world, call);
    }
    let id = call.path("spreadsheetId").to_owned();
    let role = world.role(call.caller, &id).ok_or_else(|| {
        // Google does not tell a stranger apart from a file that was not shared, except by the code.
        if world.files.contains_key(&id) {
            ApiError::no_permission()
        } else {
            ApiError::entity_not_found()
        }
    })?;
    let reads = quota_use(call.found.id) == Some(Use::Read);
    if !reads && role < Role::Writer {
        return Err(ApiError::no_permission());
    }
    let year = clock::year_of(world.now_ms());
    let Some(file) = world.files.get(&id) else {
        return Err(ApiError::entity_not_found());
    };
    let editor = Editor {
        account: &call.caller.account,
        is_owner: role == Role::Owner,
    };
    if reads {
        return read(&file.spreadsheet, call, editor);
    }
    let mut next = file.spreadsheet.clone();
    let mut effects = Effects::default();
    let reply = write(&mut next, call, (editor, year), &mut effects)?;
    // The requests of a batch look for themselves.
    if call.found.id != "sheets.spreadsheets.batchUpdate"
        && effects
            .touched
            .iter()
            .any(|(index, row, column)| next.sheets[*index].is_protected(editor, *row, *column))
    {
        return Err(ApiError::invalid(REFUSED));
    }
    events.extend(commit(world, &id, next, effects));
    Ok(reply)
}

/// Puts the changed spreadsheet in its place, and tells who must know.
pub(crate) fn commit(
    world: &mut World,
    id: &str,
    mut next: Spreadsheet,
    effects: Effects,
) -> Vec<GridEvent> {
    let mut cells: BTreeSet<(usize, u32, u32)> = effects.touched.into_iter().collect();
    cells.extend(next.recalculate());
    let Some(file) = world.files.get_mut(id) else {
        return Vec::new();
    };
    if !effects.structure && cells.is_empty() {
        return Vec::new();
    }
    file.spreadsheet = next;
    world.file_changed(id);
    let Some(file) = world.files.get(id) else {
        return Vec::new();
    };
    let revision = file.revision;
    let spreadsheet = &file.spreadsheet;
    /// More changed cells than this are told as a change of the whole.
    const CELLS_TOLD_MAX: usize = 2_000;
    if effects.structure || cells.len() > CELLS_TOLD_MAX {
        return vec![GridEvent::Structure {
            spreadsheet_id: id.to_owned(),
            revision,
        }];
    }
    let mut out: Vec<GridEvent> = Vec::new();
    for (index, row, column) in cells {
        let sheet = &spreadsheet.sheets[index];
        let shown = reply::grid_cell(spreadsheet, sheet.cell(row, column));
        match out.last_mut() {
            Some(GridEvent::Cells {
                sheet_id, cells, ..
            }) if *sheet_id == sheet.sheet_id => {
                cells.push((row, column, shown));
            }
            Some(GridEvent::Cells { .. } | GridEvent::Structure { .. }) | None => {
                out.push(GridEvent::Cells {
                    spreadsheet_id: id.to_owned(),
                    sheet_id: sheet.sheet_id,
                    revision,
                    cells: vec![(row, column, shown)],
                })
            }
        }
    }
    out
}

fn read(spreadsheet: &Spreadsheet, call: &Call<'_>, editor: Editor<'_>) -> Result<Value, ApiError> {
    let ranges: Vec<&str> = call
        .query
        .iter()
        .filter(|(key, _)| key == "ranges")
        .map(|(_, value)| value.as_str())
        .collect();
    let seen = |ranges: &[(usize, Area)], grid: bool| {
        let mask = (call.mask, editor);
        reply::spreadsheet(spreadsheet, call.base_url, ranges, grid, mask)
    };
    match call.found.id {
        "sheets.spreadsheets.get" => {
            let ranges = ranges
                .iter()
                .map(|text| reply::range(spreadsheet, text))
                .collect::<Result<Vec<_>, _>>()?;
            // A field mask decides alone whether there are cells.
            let grid = call.masked || call.is_true("includeGridData");
            Ok(seen(&ranges, grid))
        }
        "sheets.spreadsheets.getByDataFilter" => {
            let body = call.body()?;
            let filters = body["dataFilters"].as_array().filter(|all| !all.is_empty());
            let filters = filters
                .ok_or_else(|| ApiError::invalid("Must specify at least one dataFilter."))?;
            let ranges = filters
                .iter()
                .map(
                    |filter| match (filter.get("gridRange"), filter["a1Range"].as_str()) {
                        (Some(range), None) => reply::grid_area(spreadsheet, range),
                        (None, Some(text)) => reply::range(spreadsheet, text),
                        _ => Err(ApiError::not_faked("a data filter without a range")),
                    },
                )
                .collect::<Result<Vec<_>, _>>()?;
            let grid = call.masked || body["includeGridData"].as_bool() == Some(true);
            Ok(seen(&ranges, grid))
        }
        "sheets.spreadsheets.values.get" => value_range(spreadsheet, call.path("range"), call),
        "sheets.spreadsheets.values.batchGet" => {
            let mut out = json!({"spreadsheetId": spreadsheet.id});
            if !ranges.is_empty() {
                let ranges: Result<Vec<Value>, ApiError> = ranges
                    .iter()
                    .map(|text| value_range(spreadsheet, text, call))
                    .collect();
                out["valueRanges"] = Value::Array(ranges?);
            }
            Ok(out)
        }
        other => Err(ApiError::not_faked(other)),
    }
}

fn value_range(spreadsheet: &Spreadsheet, text: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    let (index, area) = reply::range(spreadsheet, text)?;
    let sheet = &spreadsheet.sheets[index];
    let by_columns = call.get("majorDimension") == Some("COLUMNS");
    Ok(reply::value_range(
        spreadsheet,
        index,
        area.within(sheet.rows, sheet.columns),
        by_columns,
        call.rendering()?,
    ))
}

/// `responseValueRenderOption` and its like, from the query or the body.
fn answered<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Rendering, ApiError> {
    Rendering::from_options(
        get("responseValueRenderOption"),
        get("responseDateTimeRenderOption"),
    )
}

fn write(
    next: &mut Spreadsheet,
    call: &Call<'_>,
    (editor, year): (Editor<'_>, i64),
    effects: &mut Effects,
) -> Result<Value, ApiError> {
    let touched = &mut effects.touched;
    let of_query = || {
        let rendering = answered(|name| call.get(name))?;
        Writing::from_options(
            call.get("valueInputOption"),
            call.is_true("includeValuesInResponse"),
            rendering,
            year,
        )
    };
    match call.found.id {
        "sheets.spreadsheets.values.update" => {
            values::update(next, call.path("range"), call.body()?, of_query()?, touched)
        }
        "sheets.spreadsheets.values.append" => {
            let insert_rows = call.get("insertDataOption") == Some("INSERT_ROWS");
            effects.structure = true;
            values::append(
                next,
                call.path("range"),
                call.body()?,
                insert_rows,
                of_query()?,
                touched,
            )
        }
        "sheets.spreadsheets.values.clear" => {
            let range = values::clear(next, call.path("range"), touched)?;
            Ok(json!({"spreadsheetId": next.id, "clearedRange": range}))
        }
        "sheets.spreadsheets.values.batchClear" => {
            let ranges = call.body()?["ranges"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let cleared = ranges
                .iter()
                .map(|range| values::clear(next, range.as_str().unwrap_or(""), touched))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(json!({"spreadsheetId": next.id, "clearedRanges": cleared}))
        }
        "sheets.spreadsheets.values.batchUpdate" => {
            batch_update_values(next, call.body()?, year, touched)
        }
        "sheets.spreadsheets.batchUpdate" => {
            let body = call.body()?;
            let requests = body["requests"]
                .as_array()
                .filter(|requests| !requests.is_empty());
            let requests =
                requests.ok_or_else(|| ApiError::invalid("Must specify at least one request."))?;
            let replies = requests
                .iter()
                .enumerate()
                .map(|(number, request)| {
                    requests::apply(next, number, request, (editor, year), effects)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let mut out = json!({"spreadsheetId": next.id, "replies": replies});
            if body["includeSpreadsheetInResponse"].as_bool() == Some(true) {
                next.recalculate();
                let grid = body["responseIncludeGridData"].as_bool() == Some(true);
                let everything = (&FieldMask::everything(), editor);
                out["updatedSpreadsheet"] =
                    reply::spreadsheet(next, call.base_url, &[], grid, everything);
            }
            Ok(out)
        }
        other => Err(ApiError::not_faked(other)),
    }
}

fn batch_update_values(
    next: &mut Spreadsheet,
    body: &Value,
    year: i64,
    touched: &mut Touched,
) -> Result<Value, ApiError> {
    let get = |name: &str| body.get(name).and_then(Value::as_str);
    let answer = body["includeValuesInResponse"].as_bool() == Some(true);
    let writing = Writing::from_options(get("valueInputOption"), answer, answered(get)?, year)?;
    let mut responses = Vec::new();
    let (mut cells, mut sheets) = (0, BTreeSet::new());
    let (mut rows, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for data in body["data"].as_array().map_or(&[][..], Vec::as_slice) {
        let range = data["range"].as_str().unwrap_or("");
        let from = touched.len();
        responses.push(values::update(next, range, data, writing, touched)?);
        cells += touched.len() - from;
        for (sheet, row, column) in &touched[from..] {
            sheets.insert(*sheet);
            rows.insert((*sheet, *row));
            columns.insert((*sheet, *column));
        }
    }
    Ok(json!({
        "spreadsheetId": next.id,
        "totalUpdatedRows": rows.len(),
        "totalUpdatedColumns": columns.len(),
        "totalUpdatedCells": cells,
        "totalUpdatedSheets": sheets.len(),
        "responses": responses,
    }))
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Value, ApiError> {
    let empty = json!({});
    let body = call.body.unwrap_or(&empty);
    let properties = &body["properties"];
    let name = properties["locale"].as_str().unwrap_or("en_US");
    let mut spreadsheet = Spreadsheet {
        id: new_spreadsheet_id(),
        title: properties["title"]
            .as_str()
            .unwrap_or("Untitled spreadsheet")
            .to_owned(),
        locale: locale::locale(name)
            .ok_or_else(|| ApiError::invalid(format!("Unsupported locale: {name}")))?,
        time_zone: properties["timeZone"]
            .as_str()
            .unwrap_or("Etc/GMT")
            .to_owned(),
        sheets: Vec::new(),
    };
    let year = clock::year_of(world.now_ms());
    let editor = Editor {
        account: &call.caller.account,
        is_owner: true,
    };
    let sheets = body["sheets"].as_array().map_or(&[][..], Vec::as_slice);
    for (number, sheet) in sheets.iter().enumerate() {
        let request = json!({"addSheet": {"properties": sheet["properties"]}});
        let mut effects = Effects::default();
        let by = (editor, year);
        requests::apply(&mut spreadsheet, number, &request, by, &mut effects)?;
        let sheet_id = spreadsheet.sheets[number].sheet_id;
        for data in sheet["data"].as_array().map_or(&[][..], Vec::as_slice) {
            let start = json!({
                "sheetId": sheet_id,
                "rowIndex": integer(&data["startRow"]).unwrap_or(0),
                "columnIndex": integer(&data["startColumn"]).unwrap_or(0),
            });
            let rows = data.get("rowData").cloned().unwrap_or_else(|| json!([]));
            let request = json!({"updateCells": {
                "start": start,
                "rows": rows,
                "fields": "userEnteredValue,userEnteredFormat.numberFormat",
            }});
            requests::apply(&mut spreadsheet, number, &request, by, &mut effects)?;
        }
    }
    if spreadsheet.sheets.is_empty() {
        spreadsheet.sheets.push(Sheet::new(0, "Sheet1"));
        debug_assert_eq!(
            (spreadsheet.sheets[0].rows, spreadsheet.sheets[0].columns),
            (ROWS_DEFAULT, COLUMNS_DEFAULT)
        );
    }
    spreadsheet.recalculate();
    let seen = (call.mask, editor);
    let out = reply::spreadsheet(&spreadsheet, call.base_url, &[], call.masked, seen);
    let id = spreadsheet.id.clone();
    let now_ms = world.now_ms();
    // What an app creates, `drive.file` opens for it.
    world.picked.insert((
        call.caller.project.clone(),
        call.caller.account.clone(),
        id.clone(),
    ));
    world
        .files
        .insert(id, File::new(spreadsheet, &call.caller.account, now_ms));
    Ok(out)
}

/// An id of the length and letters that Google's have.
pub(crate) fn new_spreadsheet_id() -> String {
    format!("1{}", random_text(43))
}
