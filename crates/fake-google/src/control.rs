//! The control of fake Google: what tests, the demo and the grid page set and see, in Rust and over HTTP.
//!
//! Owns `/control/…` and the methods of [`Google`] behind it. Needs no sign-in: fake Google listens on loopback.

use std::collections::BTreeMap;

use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;
use crate::fault::{FAULTS_MAX, Fault};
use crate::journal::JournalEntry;
use crate::oauth;
use crate::quota::QuotaCounts;
use crate::server::Google;
use crate::sheets::api::{commit, new_spreadsheet_id};
use crate::sheets::formula::Dimension;
use crate::sheets::locale;
use crate::sheets::requests::{Effects, new_sheet_id};
use crate::sheets::spreadsheet::{CELLS_MAX, Input, Sheet, Spreadsheet};
use crate::watch::ChannelState;
use crate::world::{Account, Client, DEFAULT_CLIENT_ID, File, Role, Settings, World};

/// Why a control call was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No spreadsheet with that id.
    #[error("there is no spreadsheet {0}")]
    NoSpreadsheet(String),
    /// No sheet with that id in the spreadsheet.
    #[error("spreadsheet {spreadsheet_id} has no sheet {sheet_id}")]
    NoSheet {
        /// The spreadsheet.
        spreadsheet_id: String,
        /// The sheet that it does not have.
        sheet_id: i64,
    },
    /// A cell or row outside of the grid, or more cells than a spreadsheet may have.
    #[error("row {row}, column {column} lies outside of the grid or of Sheets' limits")]
    OutsideGrid {
        /// Zero-based.
        row: u32,
        /// Zero-based.
        column: u32,
    },
    /// A locale that fake Google does not know.
    #[error("fake Google does not know the locale {0}")]
    NoLocale(String),
    /// No such account.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// An account, client or scope that is not known.
    #[error("account, client or scope is not known")]
    NoToken,
    /// Too many of something.
    #[error("there are too many {0}")]
    TooMany(&'static str),
}

/// What is put into a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CellInput {
    /// As a person types it: `4/8` becomes a date, `=A1` a formula, the empty text clears the cell.
    Typed(String),
    /// A number.
    Number(f64),
    /// TRUE or FALSE.
    Bool(bool),
    /// A text in a cell formatted as plain text.
    PlainText {
        /// The text.
        text: String,
    },
    /// Nothing: the cell is cleared.
    Clear(()),
}

impl From<&str> for CellInput {
    fn from(text: &str) -> Self {
        CellInput::Typed(text.to_owned())
    }
}

impl From<f64> for CellInput {
    fn from(value: f64) -> Self {
        CellInput::Number(value)
    }
}

impl From<bool> for CellInput {
    fn from(value: bool) -> Self {
        CellInput::Bool(value)
    }
}

impl CellInput {
    fn into_input(self) -> Input {
        match self {
            CellInput::Typed(text) => Input::Typed(text),
            CellInput::Number(value) => Input::Number(value),
            CellInput::Bool(value) => Input::Bool(value),
            CellInput::PlainText { text } => Input::PlainText(text),
            CellInput::Clear(()) => Input::Clear,
        }
    }
}

/// A sheet to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSheet {
    /// The title.
    pub title: String,
    /// Rows of cells; they may differ in length.
    #[serde(default)]
    pub rows: Vec<Vec<CellInput>>,
}

/// A spreadsheet to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewSpreadsheet {
    /// The title.
    pub title: String,
    /// The locale; `en_US` if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The owner's address; `ana@example.com` if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The id; made if not said. A spreadsheet of that id is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spreadsheet_id: Option<String>,
    /// The sheets; the first has id 0. One empty sheet if there are none.
    #[serde(default)]
    pub sheets: Vec<NewSheet>,
}

impl NewSpreadsheet {
    /// A spreadsheet with one sheet, `Tokens`, of typed texts.
    pub fn of_texts(title: &str, rows: &[&[&str]]) -> Self {
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|text| CellInput::from(*text)).collect())
            .collect();
        NewSpreadsheet {
            title: title.to_owned(),
            locale: None,
            owner: None,
            spreadsheet_id: None,
            sheets: vec![NewSheet {
                title: "Tokens".to_owned(),
                rows,
            }],
        }
    }
}

/// A spreadsheet that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSpreadsheet {
    /// Google's spreadsheet id.
    pub spreadsheet_id: String,
    /// Its sheets, in order.
    pub sheets: Vec<CreatedSheet>,
}

/// A sheet that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSheet {
    /// Google's `sheetId`.
    pub sheet_id: i64,
    /// The title.
    pub title: String,
}

/// Cells to be edited, as a person in the browser would.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Edit {
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The sheet.
    #[serde(default)]
    pub sheet_id: i64,
    /// The cells.
    pub cells: Vec<CellEdit>,
}

/// One edited cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellEdit {
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
    /// What is put in.
    pub value: CellInput,
}

/// Rows to be put in or taken out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rows {
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The sheet.
    #[serde(default)]
    pub sheet_id: i64,
    /// Rows to be put in, before any are taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insert: Option<RowsAt>,
    /// Rows to be taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<RowsAt>,
}

/// Which rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsAt {
    /// The first row, zero-based.
    pub at: u32,
    /// How many rows; when putting in, as many as there are `rows` if not said.
    #[serde(default)]
    pub count: u32,
    /// What is typed into new rows.
    #[serde(default)]
    pub rows: Vec<Vec<CellInput>>,
}

/// Gives an account a role in a spreadsheet, or takes it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Share {
    /// The spreadsheet.
    pub spreadsheet_id: String,
    /// The account.
    pub account: String,
    /// The role; none takes the account's access away.
    #[serde(default)]
    pub role: Option<Role>,
}

/// Sets the clock. Everything that is given is done, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ClockChange {
    /// Whether the clock runs or stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<bool>,
    /// The time to show; Unix time in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix_ms: Option<u64>,
    /// How far to move forward, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advance_ms: Option<u64>,
}

/// What fake Google knows, for tests. No contents, no tokens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The clock; Unix time in milliseconds.
    pub unix_ms: u64,
    /// Whether the clock runs.
    pub clock_runs: bool,
    /// The settings.
    pub settings: Settings,
    /// Requests that were counted.
    pub quota: QuotaCounts,
    /// Open channels.
    pub channels: Vec<ChannelState>,
    /// Faults that wait.
    pub faults: Vec<Fault>,
    /// The accounts' addresses.
    pub accounts: Vec<String>,
    /// The registered redirect URIs by client id.
    pub clients: BTreeMap<String, Vec<String>>,
    /// Live refresh tokens by account, of the client that is registered from the start.
    pub refresh_tokens: BTreeMap<String, usize>,
    /// The spreadsheets: id and title.
    pub spreadsheets: BTreeMap<String, String>,
    /// The number that the next entry of the journal will have.
    pub next_journal_number: u64,
}

fn find<'a>(
    world: &'a World,
    id: &str,
    sheet_id: i64,
) -> Result<(&'a Spreadsheet, usize), ControlError> {
    let file = world
        .files
        .get(id)
        .ok_or_else(|| ControlError::NoSpreadsheet(id.to_owned()))?;
    let index = file
        .spreadsheet
        .index_of(sheet_id)
        .ok_or_else(|| ControlError::NoSheet {
            spreadsheet_id: id.to_owned(),
            sheet_id,
        })?;
    Ok((&file.spreadsheet, index))
}

/// Types rows into a sheet from a row on; the grid grows as far as it must.
fn type_rows(
    spreadsheet: &mut Spreadsheet,
    index: usize,
    from: u32,
    rows: Vec<Vec<CellInput>>,
    year: i64,
) -> Result<(), ControlError> {
    let sheet = &mut spreadsheet.sheets[index];
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let outside = || ControlError::OutsideGrid {
        row: from,
        column: 0,
    };
    let count = u32::try_from(rows.len()).map_err(|_| outside())?;
    sheet.rows = sheet.rows.max(from.checked_add(count).ok_or_else(outside)?);
    sheet.columns = sheet
        .columns
        .max(u32::try_from(widest).map_err(|_| outside())?);
    if spreadsheet.grid_cells() > CELLS_MAX {
        return Err(outside());
    }
    for (row, cells) in (from..).zip(rows) {
        for (column, input) in (0..).zip(cells) {
            match input.into_input() {
                Input::Clear => {}
                Input::Typed(text) if text.is_empty() => {}
                input => spreadsheet.put((index, row, column), input, year),
            }
        }
    }
    Ok(())
}

impl Google {
    /// Makes a spreadsheet.
    ///
    /// # Errors
    /// When the locale or the owner is not known, or the sheets are too large.
    pub fn create_spreadsheet(
        &self,
        new: NewSpreadsheet,
    ) -> Result<CreatedSpreadsheet, ControlError> {
        let mut world = self.world();
        let year = clock::year_of(world.now_ms());
        let locale = match &new.locale {
            Some(name) => {
                locale::locale(name).ok_or_else(|| ControlError::NoLocale(name.clone()))?
            }
            None => locale::default_locale(),
        };
        let owner = new.owner.unwrap_or_else(|| "ana@example.com".to_owned());
        if !world.accounts.contains_key(&owner) {
            return Err(ControlError::NoAccount(owner));
        }
        let id = new.spreadsheet_id.unwrap_or_else(new_spreadsheet_id);
        let mut spreadsheet = Spreadsheet {
            id: id.clone(),
            title: new.title,
            locale,
            time_zone: "Etc/GMT".to_owned(),
            sheets: Vec::new(),
        };
        let empty = NewSheet {
            title: "Sheet1".to_owned(),
            rows: Vec::new(),
        };
        let sheets = if new.sheets.is_empty() {
            vec![empty]
        } else {
            new.sheets
        };
        for (index, sheet) in sheets.into_iter().enumerate() {
            let sheet_id = if index == 0 {
                0
            } else {
                new_sheet_id(&spreadsheet)
            };
            spreadsheet.sheets.push(Sheet::new(sheet_id, sheet.title));
            type_rows(&mut spreadsheet, index, 0, sheet.rows, year)?;
        }
        spreadsheet.recalculate();
        let sheets = spreadsheet
            .sheets
            .iter()
            .map(|sheet| CreatedSheet {
                sheet_id: sheet.sheet_id,
                title: sheet.title.clone(),
            })
            .collect();
        let now_ms = world.now_ms();
        world
            .files
            .insert(id.clone(), File::new(spreadsheet, &owner, now_ms));
        Ok(CreatedSpreadsheet {
            spreadsheet_id: id,
            sheets,
        })
    }

    /// Edits cells, all or none.
    ///
    /// # Errors
    /// When the spreadsheet, sheet or a cell is not there.
    pub fn edit(&self, edit: Edit) -> Result<(), ControlError> {
        let mut world = self.world();
        let year = clock::year_of(world.now_ms());
        let (spreadsheet, index) = find(&world, &edit.spreadsheet_id, edit.sheet_id)?;
        let sheet = &spreadsheet.sheets[index];
        if let Some(outside) = edit
            .cells
            .iter()
            .find(|cell| cell.row >= sheet.rows || cell.column >= sheet.columns)
        {
            return Err(ControlError::OutsideGrid {
                row: outside.row,
                column: outside.column,
            });
        }
        let mut next = spreadsheet.clone();
        let mut effects = Effects::default();
        for cell in edit.cells {
            let place = (index, cell.row, cell.column);
            next.put(place, cell.value.into_input(), year);
            effects.touched.push(place);
        }
        let events = commit(&mut world, &edit.spreadsheet_id, next, effects);
        drop(world);
        self.tell(events);
        Ok(())
    }

    /// Edits one cell; row and column are zero-based.
    ///
    /// # Errors
    /// As [`Google::edit`].
    pub fn edit_cell(
        &self,
        spreadsheet_id: &str,
        sheet_id: i64,
        row: u32,
        column: u32,
        value: impl Into<CellInput>,
    ) -> Result<(), ControlError> {
        let cells = vec![CellEdit {
            row,
            column,
            value: value.into(),
        }];
        self.edit(Edit {
            spreadsheet_id: spreadsheet_id.to_owned(),
            sheet_id,
            cells,
        })
    }

    /// Puts rows in or takes rows out.
    ///
    /// # Errors
    /// When the spreadsheet, the sheet or a row is not there, or no row would be left.
    pub fn rows(&self, change: Rows) -> Result<(), ControlError> {
        let mut world = self.world();
        let year = clock::year_of(world.now_ms());
        let (spreadsheet, index) = find(&world, &change.spreadsheet_id, change.sheet_id)?;
        let mut next = spreadsheet.clone();
        if let Some(RowsAt { at, count, rows }) = change.insert {
            let count = count.max(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let outside = ControlError::OutsideGrid { row: at, column: 0 };
            let grown =
                u64::from(count) * u64::from(next.sheets[index].columns) + next.grid_cells();
            if at > next.sheets[index].rows || grown > CELLS_MAX {
                return Err(outside);
            }
            next.insert(index, Dimension::Rows, at, count, at > 0);
            type_rows(&mut next, index, at, rows, year)?;
        }
        if let Some(RowsAt { at, count, .. }) = change.delete {
            let rows = next.sheets[index].rows;
            if at >= rows || (at == 0 && count >= rows) {
                return Err(ControlError::OutsideGrid { row: at, column: 0 });
            }
            next.delete(index, Dimension::Rows, at, count.min(rows - at));
        }
        let effects = Effects {
            structure: true,
            ..Effects::default()
        };
        let events = commit(&mut world, &change.spreadsheet_id, next, effects);
        drop(world);
        self.tell(events);
        Ok(())
    }

    /// Takes a spreadsheet away, as if it had been deleted for ever.
    ///
    /// # Errors
    /// When there is no such spreadsheet.
    pub fn delete_spreadsheet(&self, spreadsheet_id: &str) -> Result<(), ControlError> {
        let gone = self.world().files.remove(spreadsheet_id);
        gone.map(|_| ())
            .ok_or_else(|| ControlError::NoSpreadsheet(spreadsheet_id.to_owned()))
    }

    /// Gives an account a role in a spreadsheet, or takes it away.
    ///
    /// # Errors
    /// When there is no such spreadsheet or account.
    pub fn share(&self, share: Share) -> Result<(), ControlError> {
        let mut world = self.world();
        if !world.accounts.contains_key(&share.account) {
            return Err(ControlError::NoAccount(share.account));
        }
        let file = world
            .files
            .get_mut(&share.spreadsheet_id)
            .ok_or_else(|| ControlError::NoSpreadsheet(share.spreadsheet_id.clone()))?;
        match share.role {
            Some(role) => file.roles.insert(share.account, role),
            None => file.roles.remove(&share.account),
        };
        Ok(())
    }

    /// Registers a client, or changes the one of that id.
    pub fn register_client(&self, client: Client) {
        self.world()
            .clients
            .insert(client.client_id.clone(), client);
    }

    /// Registers a redirect URI with the client that is registered from the start.
    pub fn register_redirect_uri(&self, uri: &str) {
        if let Some(client) = self.world().clients.get_mut(DEFAULT_CLIENT_ID)
            && !client.redirect_uris.iter().any(|known| known == uri)
        {
            client.redirect_uris.push(uri.to_owned());
        }
    }

    /// The client of that id.
    pub fn client(&self, client_id: &str) -> Option<Client> {
        self.world().clients.get(client_id).cloned()
    }

    /// Adds an account, or changes the one of that address.
    pub fn put_account(&self, account: Account) {
        self.world().accounts.insert(account.email.clone(), account);
    }

    /// The account of that address.
    pub fn account(&self, email: &str) -> Option<Account> {
        self.world().accounts.get(email).cloned()
    }

    /// Revokes what an account has granted to a client, as on its page of connected apps.
    pub fn revoke(&self, account: &str, client_id: &str) {
        self.world().tokens.revoke_grant(account, client_id);
    }

    /// Ends every access token at once.
    pub fn expire_access_tokens(&self) {
        self.world().tokens.expire_access_tokens();
    }

    /// An access token of the client that is registered from the start, without any page.
    ///
    /// # Errors
    /// When the account or a scope is not known.
    pub fn access_token(&self, account: &str, scopes: &[&str]) -> Result<String, ControlError> {
        oauth::issue(&mut self.world(), account, DEFAULT_CLIENT_ID, scopes)
            .ok_or(ControlError::NoToken)
    }

    /// Asks for a fault.
    ///
    /// # Errors
    /// When too many wait.
    pub fn fault(&self, fault: Fault) -> Result<(), ControlError> {
        let mut world = self.world();
        if world.faults.len() >= FAULTS_MAX {
            return Err(ControlError::TooMany("faults"));
        }
        world.faults.push(fault);
        Ok(())
    }

    /// Forgets the faults that wait.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Sets the clock and returns what it shows.
    pub fn set_clock(&self, change: &ClockChange) -> u64 {
        let mut world = self.world();
        if let Some(runs) = change.runs {
            world.clock.run(runs);
        }
        if let Some(unix_ms) = change.unix_ms {
            world.clock.set(unix_ms);
        }
        if let Some(by_ms) = change.advance_ms {
            world.clock.advance(by_ms);
        }
        let now_ms = world.now_ms();
        drop(world);
        self.tell(Vec::new());
        now_ms
    }

    /// Moves the clock forward.
    pub fn advance_clock(&self, by_ms: u64) -> u64 {
        self.set_clock(&ClockChange {
            advance_ms: Some(by_ms),
            ..ClockChange::default()
        })
    }

    /// Changes the settings.
    pub fn set_settings(&self, settings: Settings) {
        self.world().settings = settings;
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// What fake Google knows.
    pub fn state(&self) -> State {
        let mut world = self.world();
        let now_ms = world.now_ms();
        let refresh_tokens = world
            .accounts
            .keys()
            .map(|account| {
                (
                    account.clone(),
                    world
                        .tokens
                        .live_refresh_tokens(account, DEFAULT_CLIENT_ID, now_ms),
                )
            })
            .collect();
        State {
            unix_ms: now_ms,
            clock_runs: world.clock.runs(),
            settings: world.settings.clone(),
            quota: world.quota.counts(now_ms),
            channels: world.channels.states(now_ms),
            faults: world.faults.clone(),
            accounts: world.accounts.keys().cloned().collect(),
            clients: world
                .clients
                .iter()
                .map(|(id, client)| (id.clone(), client.redirect_uris.clone()))
                .collect(),
            refresh_tokens,
            spreadsheets: world
                .files
                .iter()
                .map(|(id, file)| (id.clone(), file.spreadsheet.title.clone()))
                .collect(),
            next_journal_number: world.journal.next(),
        }
    }

    /// The journal from an entry's number on.
    pub fn journal(&self, since: u64) -> Vec<JournalEntry> {
        self.world().journal.since(since)
    }

    /// Forgets everything but the settings: two accounts, one client, no files, the machine's time.
    pub fn reset(&self) {
        let mut world = self.world();
        let settings = world.settings.clone();
        *world = World::new(settings);
    }
}

/// `/control/…`
pub(crate) fn routes() -> Router<Google> {
    Router::new()
        .route("/control/spreadsheets", post(post_spreadsheets))
        .route("/control/edit", post(post_edit))
        .route("/control/rows", post(post_rows))
        .route("/control/share", post(post_share))
        .route("/control/delete", post(post_delete))
        .route("/control/clients", post(post_clients))
        .route("/control/accounts", post(post_accounts))
        .route("/control/revoke", post(post_revoke))
        .route("/control/tokens", post(post_tokens))
        .route("/control/expire", post(post_expire))
        .route("/control/faults", post(post_faults).delete(delete_faults))
        .route("/control/clock", post(post_clock))
        .route("/control/settings", post(post_settings))
        .route("/control/reset", post(post_reset))
        .route("/control/state", get(get_state))
        .route("/control/journal", get(get_journal))
        .layer(axum::extract::DefaultBodyLimit::max(CONTROL_BYTES_MAX))
}

/// The longest body of a control call: a sheet of 100,000 cells.
const CONTROL_BYTES_MAX: usize = 64 * 1024 * 1024;

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self {
            ControlError::NoSpreadsheet(_) | ControlError::NoSheet { .. } => StatusCode::NOT_FOUND,
            ControlError::OutsideGrid { .. }
            | ControlError::NoLocale(_)
            | ControlError::NoAccount(_)
            | ControlError::NoToken
            | ControlError::TooMany(_) => StatusCode::BAD_REQUEST,
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}

fn done() -> Json<Value> {
    Json(json!({}))
}

async fn post_spreadsheets(
    Shared(google): Shared<Google>,
    Json(new): Json<NewSpreadsheet>,
) -> Result<Json<CreatedSpreadsheet>, ControlError> {
    google.create_spreadsheet(new).map(Json)
}

async fn post_edit(
    Shared(google): Shared<Google>,
    Json(edit): Json<Edit>,
) -> Result<Json<Value>, ControlError> {
    google.edit(edit).map(|()| done())
}

async fn post_rows(
    Shared(google): Shared<Google>,
    Json(rows): Json<Rows>,
) -> Result<Json<Value>, ControlError> {
    google.rows(rows).map(|()| done())
}

async fn post_share(
    Shared(google): Shared<Google>,
    Json(share): Json<Share>,
) -> Result<Json<Value>, ControlError> {
    google.share(share).map(|()| done())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    spreadsheet_id: String,
}

async fn post_delete(
    Shared(google): Shared<Google>,
    Json(named): Json<Named>,
) -> Result<Json<Value>, ControlError> {
    google
        .delete_spreadsheet(&named.spreadsheet_id)
        .map(|()| done())
}

async fn post_clients(Shared(google): Shared<Google>, Json(client): Json<Client>) -> Json<Value> {
    google.register_client(client);
    done()
}

async fn post_accounts(
    Shared(google): Shared<Google>,
    Json(account): Json<Account>,
) -> Json<Value> {
    google.put_account(account);
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Granted {
    account: String,
    #[serde(default = "default_client_id")]
    client_id: String,
    #[serde(default)]
    scopes: Vec<String>,
}

fn default_client_id() -> String {
    DEFAULT_CLIENT_ID.to_owned()
}

async fn post_revoke(Shared(google): Shared<Google>, Json(granted): Json<Granted>) -> Json<Value> {
    google.revoke(&granted.account, &granted.client_id);
    done()
}

async fn post_tokens(
    Shared(google): Shared<Google>,
    Json(granted): Json<Granted>,
) -> Result<Json<Value>, ControlError> {
    let scopes: Vec<&str> = granted.scopes.iter().map(String::as_str).collect();
    let token = oauth::issue(
        &mut google.world(),
        &granted.account,
        &granted.client_id,
        &scopes,
    );
    Ok(Json(
        json!({"accessToken": token.ok_or(ControlError::NoToken)?}),
    ))
}

async fn post_expire(Shared(google): Shared<Google>) -> Json<Value> {
    google.expire_access_tokens();
    done()
}

async fn post_faults(
    Shared(google): Shared<Google>,
    Json(fault): Json<Fault>,
) -> Result<Json<Value>, ControlError> {
    google.fault(fault).map(|()| done())
}

async fn delete_faults(Shared(google): Shared<Google>) -> Json<Value> {
    google.clear_faults();
    done()
}

async fn post_clock(
    Shared(google): Shared<Google>,
    Json(change): Json<ClockChange>,
) -> Json<Value> {
    Json(json!({"unixMs": google.set_clock(&change)}))
}

/// Settings that are not named stay as they are.
async fn post_settings(Shared(google): Shared<Google>, Json(change): Json<Value>) -> Response {
    let mut settings = serde_json::to_value(google.settings()).unwrap_or_default();
    merge(&mut settings, change);
    match serde_json::from_value::<Settings>(settings) {
        Ok(settings) => {
            google.set_settings(settings);
            done().into_response()
        }
        Err(error) => (
            StatusCode::BAD_REQUEST,
            Json(json!({"error": error.to_string()})),
        )
            .into_response(),
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

async fn post_reset(Shared(google): Shared<Google>) -> Json<Value> {
    google.reset();
    done()
}

async fn get_state(Shared(google): Shared<Google>) -> Json<State> {
    Json(google.state())
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn get_journal(
    Shared(google): Shared<Google>,
    Query(query): Query<Since>,
) -> Json<Vec<JournalEntry>> {
    Json(google.journal(query.since))
}
