//! What a signed-in user may connect: the list of spreadsheets, and the tabs of one.
//!
//! Owns both requests at Google and their replies here. Must not know cells.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use sheetwire_core::protocol::relay::{SheetEntry, Spreadsheet, SpreadsheetEntry, SpreadsheetList};

use crate::error::Refusal;
use crate::google_read::{Failure, GoogleRead, is_spreadsheet_id, no_spreadsheet};
use crate::people::People;

/// Most spreadsheets in a list.
const LISTED_MAX: usize = 100;

/// Both requests.
pub struct Spreadsheets {
    people: Arc<People>,
    google: GoogleRead,
}

#[derive(Deserialize)]
struct FileList {
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    id: String,
    name: String,
    #[serde(default)]
    modified_time: String,
}

#[derive(Deserialize)]
struct Titled {
    #[serde(default)]
    properties: SpreadsheetProperties,
    #[serde(default)]
    sheets: Vec<Sheet>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SpreadsheetProperties {
    title: String,
    locale: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sheet {
    properties: SheetProperties,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SheetProperties {
    sheet_id: i64,
    title: String,
    /// `OBJECT` for charts and data sources, which have no cells.
    sheet_type: String,
    grid_properties: GridProperties,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct GridProperties {
    row_count: u32,
    column_count: u32,
}

fn unreadable() -> Refusal {
    crate::people::google_failed()
}

impl Spreadsheets {
    /// Over Google's endpoints.
    pub fn new(people: Arc<People>, google: GoogleRead) -> Self {
        Self { people, google }
    }

    async fn list(&self, user: i64) -> Result<SpreadsheetList, Refusal> {
        // Without a drive scope Google lists nothing; such users paste links.
        if !self.google.has_drive() {
            return Ok(SpreadsheetList {
                spreadsheets: Vec::new(),
            });
        }
        let query = [
            (
                "q",
                "mimeType = 'application/vnd.google-apps.spreadsheet' and trashed = false"
                    .to_owned(),
            ),
            ("orderBy", "modifiedTime desc".to_owned()),
            ("pageSize", LISTED_MAX.to_string()),
            ("fields", "files(id,name,modifiedTime)".to_owned()),
            ("supportsAllDrives", "true".to_owned()),
            ("includeItemsFromAllDrives", "true".to_owned()),
        ];
        let body = self
            .google
            .drive_get(user, &["drive", "v3", "files"], &query)
            .await
            .map_err(Failure::refusal)?;
        let list: FileList = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        Ok(SpreadsheetList {
            spreadsheets: list
                .files
                .into_iter()
                .take(LISTED_MAX)
                .map(|file| SpreadsheetEntry {
                    id: file.id,
                    title: file.name,
                    modified: file.modified_time,
                })
                .collect(),
        })
    }

    async fn tabs(&self, user: i64, id: String) -> Result<Spreadsheet, Refusal> {
        if !is_spreadsheet_id(&id) {
            return Err(Refusal::bad_request("That is no id of a spreadsheet."));
        }
        let query = [
            (
                "fields",
                "properties(title,locale),sheets(properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount)))"
                    .to_owned(),
            ),
            ("prettyPrint", "false".to_owned()),
        ];
        let body = self
            .google
            .spreadsheet(user, &id, &query)
            .await
            // This query has no range that could be wrong.
            .map_err(|failure| match failure {
                Failure::Range => no_spreadsheet().refusal(),
                other => other.refusal(),
            })?;
        let found: Titled = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        Ok(Spreadsheet {
            id,
            title: found.properties.title,
            locale: found.properties.locale,
            sheets: found
                .sheets
                .into_iter()
                .map(|sheet| sheet.properties)
                .filter(|sheet| matches!(sheet.sheet_type.as_str(), "" | "GRID"))
                .map(|sheet| SheetEntry {
                    sheet_id: sheet.sheet_id,
                    title: sheet.title,
                    rows: sheet.grid_properties.row_count,
                    columns: sheet.grid_properties.column_count,
                })
                .collect(),
        })
    }
}

/// `GET /v1/spreadsheets`.
///
/// # Errors
/// [`Refusal`].
pub async fn list(
    State(spreadsheets): State<Arc<Spreadsheets>>,
    headers: HeaderMap,
) -> Result<Json<SpreadsheetList>, Refusal> {
    let user = spreadsheets.people.user(&headers).await?.id;
    spreadsheets.list(user).await.map(Json)
}

/// `GET /v1/spreadsheets/{id}`.
///
/// # Errors
/// [`Refusal`].
pub async fn tabs(
    State(spreadsheets): State<Arc<Spreadsheets>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Spreadsheet>, Refusal> {
    let user = spreadsheets.people.user(&headers).await?.id;
    spreadsheets.tabs(user, id).await.map(Json)
}
