//! The requests of `spreadsheets:batchUpdate` that fake Google knows.
//!
//! Owns what they do to a spreadsheet. Must not know HTTP or accounts.

use serde_json::{Map, Value, json};

use super::a1::{Area, Rectangle};
use super::formula::Dimension;
use super::locale;
use super::number_format::{FormatKind, NumberFormat};
use super::protection::{Editor, Protection, REFUSED};
use super::reply;
use super::spreadsheet::{CELLS_MAX, Input, Sheet, Spreadsheet};
use super::values::Touched;
use crate::error::ApiError;
use crate::field_mask::FieldMask;

/// What a batch did, for those who watch the grid.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Cells that were written.
    pub(crate) touched: Touched,
    /// Whether rows, columns, sheets or titles changed.
    pub(crate) structure: bool,
}

/// Applies one request. An error leaves the spreadsheet half changed: the caller works on a copy.
pub(crate) fn apply(
    spreadsheet: &mut Spreadsheet,
    number: usize,
    request: &Value,
    (editor, year): (Editor<'_>, i64),
    effects: &mut Effects,
) -> Result<Value, ApiError> {
    let fields = request
        .as_object()
        .filter(|fields| fields.len() == 1)
        .ok_or_else(|| {
            ApiError::invalid(format!(
                "Invalid requests[{number}]: Must specify exactly one kind of request."
            ))
        })?;
    let Some((kind, body)) = fields.iter().next() else {
        return Err(ApiError::invalid("Must specify at least one request."));
    };
    let request = Request {
        number,
        kind,
        body,
        editor,
    };
    effects.structure |= !matches!(kind.as_str(), "updateCells" | "repeatCell");
    match kind.as_str() {
        "addSheet" => request.add_sheet(spreadsheet),
        "deleteSheet" => request.delete_sheet(spreadsheet),
        "updateSheetProperties" => request.update_sheet_properties(spreadsheet),
        "updateSpreadsheetProperties" => request.update_spreadsheet_properties(spreadsheet),
        "insertDimension" => request.insert_dimension(spreadsheet),
        "deleteDimension" => request.delete_dimension(spreadsheet),
        "appendDimension" => request.append_dimension(spreadsheet),
        "updateCells" => request.update_cells(spreadsheet, year, effects),
        "repeatCell" => request.repeat_cell(spreadsheet, year, effects),
        "mergeCells" => request.merge_cells(spreadsheet),
        "unmergeCells" => request.unmerge_cells(spreadsheet),
        "addProtectedRange" => request.add_protected_range(spreadsheet),
        "deleteProtectedRange" => request.delete_protected_range(spreadsheet),
        other => Err(ApiError::not_faked(&format!(
            "the request {other} of spreadsheets.batchUpdate"
        ))),
    }
}

struct Request<'a> {
    number: usize,
    kind: &'a str,
    body: &'a Value,
    editor: Editor<'a>,
}

impl Request<'_> {
    fn wrong(&self, what: impl std::fmt::Display) -> ApiError {
        ApiError::invalid(format!(
            "Invalid requests[{}].{}: {what}",
            self.number, self.kind
        ))
    }

    fn sheet(&self, spreadsheet: &Spreadsheet, id: &Value) -> Result<usize, ApiError> {
        // An absent sheetId is 0, as in every proto3 message.
        let id = integer(id).unwrap_or(0);
        spreadsheet
            .index_of(id)
            .ok_or_else(|| self.wrong(format_args!("No sheet with id: {id}")))
    }

    fn mask(&self) -> Result<FieldMask, ApiError> {
        let text = self
            .body
            .get("fields")
            .and_then(Value::as_str)
            .unwrap_or("");
        if text.is_empty() {
            return Err(self.wrong(
                "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)",
            ));
        }
        FieldMask::read(text)
            .map_err(|piece| self.wrong(format_args!("Invalid field mask at '{piece}'")))
    }

    fn check_title(
        &self,
        spreadsheet: &Spreadsheet,
        title: &str,
        but: Option<usize>,
    ) -> Result<(), ApiError> {
        if title.is_empty() || title.chars().count() > 100 {
            return Err(self.wrong("A sheet's title must have 1 to 100 characters."));
        }
        if spreadsheet
            .index_of_title(title)
            .is_some_and(|index| Some(index) != but)
        {
            return Err(self.wrong(format_args!(
                "A sheet with the name \"{title}\" already exists. Please enter another name."
            )));
        }
        Ok(())
    }

    fn check_cells(&self, spreadsheet: &Spreadsheet, more: u64) -> Result<(), ApiError> {
        if spreadsheet.grid_cells() + more > CELLS_MAX {
            return Err(self.wrong(format_args!(
                "This action would increase the number of cells in the workbook above the limit of {CELLS_MAX} cells."
            )));
        }
        Ok(())
    }

    fn add_sheet(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let properties = self
            .body
            .get("properties")
            .cloned()
            .unwrap_or_else(|| json!({}));
        let taken = |id: i64| spreadsheet.index_of(id).is_some();
        let sheet_id = match integer(&properties["sheetId"]) {
            Some(id) if taken(id) => {
                return Err(self.wrong(format_args!("Sheet with id {id} already exists.")));
            }
            Some(id) => id,
            None => new_sheet_id(spreadsheet),
        };
        let title = match properties.get("title").and_then(Value::as_str) {
            Some(title) => title.to_owned(),
            None => (spreadsheet.sheets.len() + 1..)
                .map(|number| format!("Sheet{number}"))
                .find(|title| spreadsheet.index_of_title(title).is_none())
                .unwrap_or_default(),
        };
        self.check_title(spreadsheet, &title, None)?;
        let mut sheet = Sheet::new(sheet_id, title);
        set_grid(&mut sheet, &properties, &FieldMask::everything());
        self.check_cells(
            spreadsheet,
            u64::from(sheet.rows) * u64::from(sheet.columns),
        )?;
        let last = spreadsheet.sheets.len();
        let index =
            integer(&properties["index"]).map_or(last, |index| (index.max(0) as usize).min(last));
        spreadsheet.sheets.insert(index, sheet);
        let properties = reply::sheet_properties(&spreadsheet.sheets[index], index);
        Ok(json!({"addSheet": {"properties": properties}}))
    }

    fn delete_sheet(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let index = self.sheet(spreadsheet, &self.body["sheetId"])?;
        if spreadsheet.sheets.len() == 1 {
            return Err(self.wrong("You can't remove all the sheets in a document."));
        }
        spreadsheet.remove(index);
        Ok(json!({}))
    }

    fn update_sheet_properties(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let properties = &self.body["properties"];
        let index = self.sheet(spreadsheet, &properties["sheetId"])?;
        let mask = self.mask()?;
        if mask.wants("title") {
            let title = properties["title"].as_str().unwrap_or_default();
            self.check_title(spreadsheet, title, Some(index))?;
            spreadsheet.rename(index, title);
        }
        if mask.wants("hidden") {
            spreadsheet.sheets[index].hidden = properties["hidden"].as_bool().unwrap_or(false);
        }
        if let Some(mask) = mask.below("gridProperties") {
            set_grid(&mut spreadsheet.sheets[index], properties, mask);
            self.check_cells(spreadsheet, 0)?;
        }
        if let Some(to) = integer(&properties["index"]).filter(|_| mask.wants("index")) {
            // The index counts the sheet itself: moving to the right, it is the place after the move plus one.
            let to = to.max(0) as usize;
            let to = if to > index { to - 1 } else { to }.min(spreadsheet.sheets.len() - 1);
            let sheet = spreadsheet.sheets.remove(index);
            spreadsheet.sheets.insert(to, sheet);
        }
        Ok(json!({}))
    }

    fn update_spreadsheet_properties(
        &self,
        spreadsheet: &mut Spreadsheet,
    ) -> Result<Value, ApiError> {
        let properties = &self.body["properties"];
        let mask = self.mask()?;
        if mask.wants("title") {
            spreadsheet.title = properties["title"].as_str().unwrap_or_default().to_owned();
        }
        if let Some(name) = properties["locale"]
            .as_str()
            .filter(|_| mask.wants("locale"))
        {
            spreadsheet.locale = locale::locale(name)
                .ok_or_else(|| self.wrong(format_args!("Unsupported locale: {name}")))?;
        }
        Ok(json!({}))
    }

    /// `dimension` and the span of a `DimensionRange`.
    fn dimension(&self, range: &Value) -> Result<(Dimension, u32, u32), ApiError> {
        let dimension = self.dimension_name(&range["dimension"])?;
        let edge = |name: &str| integer(&range[name]).and_then(|edge| u32::try_from(edge).ok());
        let start = edge("startIndex").unwrap_or(0);
        let end = edge("endIndex").ok_or_else(|| self.wrong("No endIndex specified."))?;
        if end <= start {
            return Err(self.wrong("endIndex must be larger than startIndex."));
        }
        Ok((dimension, start, end))
    }

    fn dimension_name(&self, name: &Value) -> Result<Dimension, ApiError> {
        match name.as_str() {
            Some("ROWS") => Ok(Dimension::Rows),
            Some("COLUMNS") => Ok(Dimension::Columns),
            Some(_) | None => {
                Err(self.wrong("dimension must be specified and not DIMENSION_UNSPECIFIED."))
            }
        }
    }

    fn insert_dimension(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let range = &self.body["range"];
        let index = self.sheet(spreadsheet, &range["sheetId"])?;
        let (dimension, start, end) = self.dimension(range)?;
        let sheet = &spreadsheet.sheets[index];
        let (length, other) = match dimension {
            Dimension::Rows => (sheet.rows, sheet.columns),
            Dimension::Columns => (sheet.columns, sheet.rows),
        };
        if start > length {
            return Err(self.wrong(format_args!(
                "range.startIndex[{start}] must be less than the grid size[{length}]."
            )));
        }
        let inherit_before = self.body["inheritFromBefore"].as_bool().unwrap_or(false);
        if inherit_before && start == 0 {
            return Err(self.wrong(
                "inheritFromBefore cannot be true if inserting at the first row or column.",
            ));
        }
        self.check_cells(spreadsheet, u64::from(end - start) * u64::from(other))?;
        spreadsheet.insert(index, dimension, start, end - start, inherit_before);
        Ok(json!({}))
    }

    fn delete_dimension(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let range = &self.body["range"];
        let index = self.sheet(spreadsheet, &range["sheetId"])?;
        let (dimension, start, end) = self.dimension(range)?;
        let sheet = &spreadsheet.sheets[index];
        let length = match dimension {
            Dimension::Rows => sheet.rows,
            Dimension::Columns => sheet.columns,
        };
        if start >= length {
            return Err(self.wrong(format_args!(
                "Cannot delete a row or column that doesn't exist. Tried to delete index {start} but there are only \
                 {length}."
            )));
        }
        let end = end.min(length);
        if end - start == length {
            return Err(self.wrong("You can't delete all the rows or columns on the sheet."));
        }
        spreadsheet.delete(index, dimension, start, end - start);
        Ok(json!({}))
    }

    fn append_dimension(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let index = self.sheet(spreadsheet, &self.body["sheetId"])?;
        let dimension = self.dimension_name(&self.body["dimension"])?;
        let count = integer(&self.body["length"])
            .and_then(|count| u32::try_from(count).ok())
            .filter(|c| *c > 0);
        let count = count.ok_or_else(|| self.wrong("length must be larger than 0."))?;
        let sheet = &mut spreadsheet.sheets[index];
        match dimension {
            Dimension::Rows => sheet.rows = sheet.rows.saturating_add(count),
            Dimension::Columns => sheet.columns = sheet.columns.saturating_add(count),
        }
        self.check_cells(spreadsheet, 0)?;
        Ok(json!({}))
    }

    /// A `GridRange` cut to its sheet.
    fn grid_range(
        &self,
        spreadsheet: &Spreadsheet,
        range: &Value,
    ) -> Result<(usize, Rectangle), ApiError> {
        let index = self.sheet(spreadsheet, &range["sheetId"])?;
        let sheet = &spreadsheet.sheets[index];
        let edge = |name: &str| integer(&range[name]).and_then(|edge| u32::try_from(edge).ok());
        let area = Rectangle {
            row: edge("startRowIndex").unwrap_or(0),
            column: edge("startColumnIndex").unwrap_or(0),
            row_end: edge("endRowIndex").unwrap_or(sheet.rows),
            column_end: edge("endColumnIndex").unwrap_or(sheet.columns),
        };
        if area.row >= area.row_end
            || area.column >= area.column_end
            || area.row_end > sheet.rows
            || area.column_end > sheet.columns
        {
            return Err(self.wrong("The range lies outside of the grid or is empty."));
        }
        Ok((index, area))
    }

    fn update_cells(
        &self,
        spreadsheet: &mut Spreadsheet,
        year: i64,
        effects: &mut Effects,
    ) -> Result<Value, ApiError> {
        let mask = self.mask()?;
        let rows = self.body["rows"].as_array().map_or(&[][..], Vec::as_slice);
        let (index, area, bounded) = match (self.body.get("range"), self.body.get("start")) {
            (Some(range), None) => {
                let (index, area) = self.grid_range(spreadsheet, range)?;
                (index, area, true)
            }
            (None, Some(start)) => {
                let index = self.sheet(spreadsheet, &start["sheetId"])?;
                let edge = |name: &str| {
                    integer(&start[name])
                        .and_then(|edge| u32::try_from(edge).ok())
                        .unwrap_or(0)
                };
                let grid = spreadsheet.sheets[index].grid();
                (
                    index,
                    Rectangle {
                        row: edge("rowIndex"),
                        column: edge("columnIndex"),
                        ..grid
                    },
                    false,
                )
            }
            _ => return Err(self.wrong("Exactly one of start and range must be set.")),
        };
        for (at, row) in rows.iter().enumerate() {
            let values = row["values"].as_array().map_or(&[][..], Vec::as_slice);
            for (column, cell) in values.iter().enumerate() {
                let place = (index, area.row + at as u32, area.column + column as u32);
                if place.1 >= area.row_end || place.2 >= area.column_end {
                    return Err(self.wrong("Attempting to write outside of the range or grid."));
                }
                self.write_cell(spreadsheet, place, cell, &mask, year, effects)?;
            }
        }
        if bounded {
            // Cells of the range for which nothing is given lose the masked fields.
            for row in area.row..area.row_end {
                let given = rows
                    .get((row - area.row) as usize)
                    .and_then(|row| row["values"].as_array())
                    .map_or(0, |values| values.len() as u32);
                for column in (area.column + given)..area.column_end {
                    self.write_cell(
                        spreadsheet,
                        (index, row, column),
                        &json!({}),
                        &mask,
                        year,
                        effects,
                    )?;
                }
            }
        }
        Ok(json!({}))
    }

    fn repeat_cell(
        &self,
        spreadsheet: &mut Spreadsheet,
        year: i64,
        effects: &mut Effects,
    ) -> Result<Value, ApiError> {
        let mask = self.mask()?;
        let (index, area) = self.grid_range(spreadsheet, &self.body["range"])?;
        let cell = self.body.get("cell").cloned().unwrap_or_else(|| json!({}));
        for row in area.row..area.row_end {
            for column in area.column..area.column_end {
                self.write_cell(
                    spreadsheet,
                    (index, row, column),
                    &cell,
                    &mask,
                    year,
                    effects,
                )?;
            }
        }
        Ok(json!({}))
    }

    fn write_cell(
        &self,
        spreadsheet: &mut Spreadsheet,
        place: (usize, u32, u32),
        cell: &Value,
        mask: &FieldMask,
        year: i64,
        effects: &mut Effects,
    ) -> Result<(), ApiError> {
        if spreadsheet.sheets[place.0].is_protected(self.editor, place.1, place.2) {
            return Err(self.wrong(REFUSED));
        }
        let locale = spreadsheet.locale;
        if let Some(mask) = mask.below("userEnteredFormat")
            && mask.wants("numberFormat")
        {
            let given = &cell["userEnteredFormat"]["numberFormat"];
            let format = match given["type"].as_str() {
                None => None,
                Some(name) => {
                    let kind = FormatKind::from_name(name).ok_or_else(|| {
                        self.wrong(format_args!("Invalid number format type: {name}"))
                    })?;
                    let pattern = given["pattern"].as_str().map(str::to_owned);
                    Some(NumberFormat {
                        kind,
                        pattern: pattern.unwrap_or_else(|| kind.default_pattern(locale)),
                    })
                }
            };
            if format.is_some()
                || spreadsheet.sheets[place.0]
                    .cell(place.1, place.2)
                    .format
                    .is_some()
            {
                spreadsheet.sheets[place.0]
                    .cell_mut(place.1, place.2)
                    .format = format;
            }
            effects.touched.push(place);
        }
        if mask.wants("userEnteredValue") {
            let value = &cell["userEnteredValue"];
            let input = match value.as_object().and_then(|fields| fields.iter().next()) {
                None => Input::Clear,
                Some((kind, value)) => match (kind.as_str(), value) {
                    ("numberValue", Value::Number(number)) => {
                        Input::Number(number.as_f64().unwrap_or_default())
                    }
                    ("stringValue", Value::String(text)) => Input::Text(text.clone()),
                    ("boolValue", Value::Bool(value)) => Input::Bool(*value),
                    ("formulaValue", Value::String(text)) if text.starts_with('=') => {
                        Input::Typed(text.clone())
                    }
                    _ => return Err(self.wrong(format_args!("Invalid {kind}."))),
                },
            };
            if input != Input::Clear
                || !spreadsheet.sheets[place.0]
                    .cell(place.1, place.2)
                    .is_empty()
            {
                spreadsheet.put(place, input, year);
            }
            effects.touched.push(place);
        }
        Ok(())
    }

    fn merge_cells(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let (index, area) = self.grid_range(spreadsheet, &self.body["range"])?;
        let merges: Vec<Rectangle> = match self.body["mergeType"].as_str().unwrap_or("MERGE_ALL") {
            "MERGE_ROWS" => (area.row..area.row_end)
                .map(|row| Rectangle {
                    row,
                    row_end: row + 1,
                    ..area
                })
                .collect(),
            "MERGE_COLUMNS" => (area.column..area.column_end)
                .map(|column| Rectangle {
                    column,
                    column_end: column + 1,
                    ..area
                })
                .collect(),
            _ => vec![area],
        };
        let sheet = &mut spreadsheet.sheets[index];
        for merge in merges {
            sheet.merges.retain(|old| {
                old.row < merge.row
                    || old.column < merge.column
                    || old.row_end > merge.row_end
                    || old.column_end > merge.column_end
            });
            if sheet.merges.iter().any(|old| old.meets(&merge)) {
                return Err(self.wrong(
                    "You must select all cells in a merged range to merge or unmerge them.",
                ));
            }
            sheet.merges.push(merge);
        }
        // A merge keeps the upper left value and drops the others.
        let merges = spreadsheet.sheets[index].merges.clone();
        for merge in merges {
            for row in merge.row..merge.row_end {
                for column in merge.column..merge.column_end {
                    let first = row == merge.row && column == merge.column;
                    if !first && !spreadsheet.sheets[index].cell(row, column).is_empty() {
                        spreadsheet.put((index, row, column), Input::Clear, 0);
                    }
                }
            }
        }
        Ok(json!({}))
    }

    /// Everybody but the editors is kept out; who adds it is one of them.
    fn add_protected_range(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let given = &self.body["protectedRange"];
        if given.get("range").is_none() {
            return Err(self.wrong("fake Google protects ranges alone, not named ranges or tables"));
        }
        let area = |range: &Value| -> Result<(usize, Area), ApiError> {
            reply::grid_area(spreadsheet, range).map_err(|error| self.wrong(error))
        };
        let (index, protected) = area(&given["range"])?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let unprotected = list(&given["unprotectedRanges"])
            .iter()
            .map(|range| area(range).map(|(_, area)| area))
            .collect::<Result<Vec<_>, _>>()?;
        let mut editors: Vec<String> = list(&given["editors"]["users"])
            .iter()
            .filter_map(|user| user.as_str().map(str::to_owned))
            .collect();
        if !editors.iter().any(|known| known == self.editor.account) {
            editors.push(self.editor.account.to_owned());
        }
        let protection = Protection {
            id: integer(&given["protectedRangeId"])
                .unwrap_or_else(|| i64::from(rand::random::<u32>() >> 1)),
            area: protected,
            unprotected,
            warning_only: given["warningOnly"].as_bool().unwrap_or(false),
            editors,
            description: given["description"].as_str().unwrap_or_default().to_owned(),
        };
        let sheet = &mut spreadsheet.sheets[index];
        let shown = protection.json(sheet.sheet_id, self.editor);
        sheet.protections.push(protection);
        Ok(json!({"addProtectedRange": {"protectedRange": shown}}))
    }

    fn delete_protected_range(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let id = integer(&self.body["protectedRangeId"]).unwrap_or(0);
        for sheet in &mut spreadsheet.sheets {
            if let Some(at) = sheet.protections.iter().position(|known| known.id == id) {
                if !sheet.protections[at].allows(self.editor) {
                    return Err(self.wrong(REFUSED));
                }
                sheet.protections.remove(at);
                return Ok(json!({}));
            }
        }
        Err(self.wrong(format_args!("No protected range with id: {id}")))
    }

    fn unmerge_cells(&self, spreadsheet: &mut Spreadsheet) -> Result<Value, ApiError> {
        let (index, area) = self.grid_range(spreadsheet, &self.body["range"])?;
        spreadsheet.sheets[index]
            .merges
            .retain(|merge| !merge.meets(&area));
        Ok(json!({}))
    }
}

/// A number that may be written as text, as Google's JSON reader takes it.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// An id that no sheet of the spreadsheet has.
pub(crate) fn new_sheet_id(spreadsheet: &Spreadsheet) -> i64 {
    loop {
        let id = i64::from(rand::random::<u32>() >> 1);
        if spreadsheet.index_of(id).is_none() {
            return id;
        }
    }
}

fn set_grid(sheet: &mut Sheet, properties: &Value, mask: &FieldMask) {
    let grid = properties
        .get("gridProperties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_else(Map::new);
    let number = |name: &str| {
        grid.get(name)
            .and_then(integer)
            .and_then(|n| u32::try_from(n).ok())
    };
    let rows = number("rowCount")
        .filter(|rows| mask.wants("rowCount") && *rows > 0)
        .unwrap_or(sheet.rows);
    let columns = number("columnCount").filter(|columns| mask.wants("columnCount") && *columns > 0);
    sheet.resize(rows, columns.unwrap_or(sheet.columns));
    if let Some(frozen) = number("frozenRowCount").filter(|_| mask.wants("frozenRowCount")) {
        sheet.frozen_rows = frozen.min(sheet.rows.saturating_sub(1));
    }
}
