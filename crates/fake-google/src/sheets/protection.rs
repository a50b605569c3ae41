//! Protected ranges: which cells only some people may edit.
//!
//! Owns the model and its JSON (`ProtectedRange`). Must not know cells, HTTP or who has which role in the file.
//! Source: <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/sheets#protectedrange>.

use serde_json::{Value, json};

use super::a1::Area;

/// Google's sentence for a write into a protected range.
pub(crate) const REFUSED: &str = "You are trying to edit a protected cell or object. Please contact the spreadsheet \
                                  owner to remove protection if you need to edit.";

/// Who edits: an account, and whether the file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Editor<'a> {
    pub(crate) account: &'a str,
    pub(crate) is_owner: bool,
}

/// A protected range of one sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protection {
    pub(crate) id: i64,
    pub(crate) area: Area,
    /// Areas within it that everybody may edit.
    pub(crate) unprotected: Vec<Area>,
    /// Whether people are only asked if they mean it; the API never is.
    pub(crate) warning_only: bool,
    /// The accounts that may edit it, besides the file's owner.
    pub(crate) editors: Vec<String>,
    pub(crate) description: String,
}

impl Protection {
    /// Whether that account may edit the protected cells.
    pub(crate) fn allows(&self, editor: Editor<'_>) -> bool {
        editor.is_owner || self.editors.iter().any(|known| known == editor.account)
    }

    /// Whether it keeps that account from editing that cell.
    pub(crate) fn keeps(&self, editor: Editor<'_>, row: u32, column: u32) -> bool {
        !self.warning_only
            && !self.allows(editor)
            && self.area.holds(row, column)
            && !self.unprotected.iter().any(|area| area.holds(row, column))
    }

    /// As `ProtectedRange`, as that account sees it.
    pub(crate) fn json(&self, sheet_id: i64, editor: Editor<'_>) -> Value {
        let mut out =
            json!({"protectedRangeId": self.id, "range": grid_range(sheet_id, &self.area)});
        if !self.description.is_empty() {
            out["description"] = json!(self.description);
        }
        if !self.unprotected.is_empty() {
            let areas = self.unprotected.iter();
            out["unprotectedRanges"] = areas.map(|area| grid_range(sheet_id, area)).collect();
        }
        if self.warning_only {
            out["warningOnly"] = json!(true);
        }
        // What is false is left out, and who may not edit is not told who may.
        if self.allows(editor) {
            out["requestingUserCanEdit"] = json!(true);
            out["editors"] = json!({"users": self.editors});
        }
        out
    }
}

/// `GridRange` of an area: what has no edge of its own is left out.
pub(crate) fn grid_range(sheet_id: i64, area: &Area) -> Value {
    let mut out = json!({"sheetId": sheet_id});
    let edges = [
        ("startRowIndex", Some(area.row).filter(|edge| *edge > 0)),
        ("endRowIndex", area.row_end),
        (
            "startColumnIndex",
            Some(area.column).filter(|edge| *edge > 0),
        ),
        ("endColumnIndex", area.column_end),
    ];
    for (name, edge) in edges {
        if let Some(edge) = edge {
            out[name] = json!(edge);
        }
    }
    out
}
