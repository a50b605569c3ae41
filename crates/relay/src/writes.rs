//! Writing to a sheet: `PUT /v1/two-way` and `POST /v1/write`.
//!
//! Owns who may write and when: the switch, the grant, the turns, the bounds and the repeats. Must not know what a cell
//! means; which cells are written is decided in `batch`, by what Google says they hold at that moment.
//!
//! A repeat looks at the cells again, so that a write whose answer was lost is seen to have been done.

mod batch;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use sheetwire_core::protocol::relay::{
    Bid, CellWrite, ErrorCode, SheetRef, TwoWayReply, TwoWayRequest, WriteReply, WriteRequest,
    WriteResult,
};
use tokio::time::{sleep, timeout_at};

use crate::callers::Callers;
use crate::config::{Config, Limits};
use crate::error::{Refusal, versioned};
use crate::google_read::{Failure, GoogleRead, absent_tab, is_spreadsheet_id, no_spreadsheet};
use crate::pace::{Backoff, Budget};
use crate::people::{People, google_failed};
use crate::sheet_read::ReadError;
use crate::turns::Turns;
use crate::watch::Rooms;
use batch::{Found, Spot};

/// How often one write is tried.
const ATTEMPTS_MAX: u32 = 4;
/// Writes to one sheet that are under way or wait for their turn; more are turned away.
const A_SHEET_MAX: usize = 8;
/// Longest wait for the budget of writes; who would wait longer comes back by itself.
const BUDGET_WAIT_MAX: Duration = Duration::from_secs(5);

/// See the module.
pub struct Writes {
    people: Arc<People>,
    rooms: Arc<Rooms>,
    google: GoogleRead,
    /// Whether the relay's scopes allow it.
    may_write: bool,
    limits: Limits,
    budget: Arc<Turns>,
    batches: Callers<i64>,
    sheets: Mutex<HashMap<SheetRef, Turn>>,
}

/// Who has it writes to the sheet.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// A place in the queue of a sheet; dropping it gives it up.
struct Place<'a> {
    writes: &'a Writes,
    sheet: &'a SheetRef,
    turn: Turn,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut sheets = self.writes.sheets();
        // This place's and the table's own.
        if Arc::strong_count(&self.turn) == 2 {
            sheets.remove(self.sheet);
        }
    }
}

/// Has the sheet read when it is dropped: a write that is under way may take effect even if nobody waits for it any
/// more.
struct Wake<'a>(&'a Rooms, &'a SheetRef);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        self.0.refresh(self.1);
    }
}

/// Why an attempt did not write.
enum Hindrance {
    /// Trying again would not help.
    Refused(Refusal),
    /// It may go well the next time.
    Failed(Failure),
}

impl From<Refusal> for Hindrance {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Hindrance {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::User(ref error) if error.code == ErrorCode::Declined => {
                Self::Refused(scope_lacking())
            }
            Failure::User(_) => Self::Refused(failure.refusal()),
            Failure::Range | Failure::Google { .. } => Self::Failed(failure),
        }
    }
}

fn two_way_off() -> Refusal {
    Refusal::new(
        ErrorCode::TwoWayOff,
        "Two-way sync is off for this sheet.",
        "Turn on two-way sync to write to the sheet.",
    )
}

fn not_writer() -> Refusal {
    Refusal::new(
        ErrorCode::NotWriter,
        "This panel does not write the file at present.",
        "Nothing is lost. Sheetwire asks again who writes.",
    )
}

fn read_only() -> Refusal {
    Refusal::new(
        ErrorCode::NoWrite,
        "Your Google account may read this spreadsheet, but not edit it.",
        "Ask its owner to let you edit it.",
    )
}

fn scope_lacking() -> Refusal {
    Refusal::new(
        ErrorCode::NoWrite,
        "Your sign-in does not include editing spreadsheets.",
        "Sign in again and leave the permission ticked.",
    )
}

impl Writes {
    /// Over Google's endpoints. Needs a running runtime.
    pub fn new(
        config: &Config,
        people: Arc<People>,
        rooms: Arc<Rooms>,
        google: GoogleRead,
    ) -> Self {
        Self {
            people,
            rooms,
            google,
            may_write: config.google.may_write(),
            limits: config.limits.clone(),
            budget: Turns::start(Budget::new(config.writes_per_minute, Instant::now())),
            batches: Callers::new(config.limits.writes_per_account),
            sheets: Mutex::default(),
        }
    }

    /// Forgets what has expired.
    pub fn sweep(&self) {
        self.batches.sweep(Instant::now());
    }

    fn sheets(&self) -> MutexGuard<'_, HashMap<SheetRef, Turn>> {
        self.sheets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the user may edit the spreadsheet, as far as Google can be asked.
    async fn check_edit(&self, user: i64, spreadsheet_id: &str) -> Result<(), Refusal> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct File {
            capabilities: Capabilities,
        }
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Capabilities {
            can_edit: bool,
        }

        if !is_spreadsheet_id(spreadsheet_id) {
            return Err(Refusal::bad_request("That is no spreadsheet's id."));
        }
        if !self.may_write {
            return Err(Refusal::new(
                ErrorCode::NoWrite,
                "This relay asks Google for reading spreadsheets only.",
                "Tell whoever runs the relay: two-way sync needs the scope drive.file or spreadsheets.",
            ));
        }
        if !self.google.has_drive() {
            return self.rooms.check_access(user, spreadsheet_id).await;
        }
        let query = [
            ("fields", "capabilities(canEdit)".to_owned()),
            ("supportsAllDrives", "true".to_owned()),
        ];
        let path = ["drive", "v3", "files", spreadsheet_id];
        let reply = self.google.drive_get(user, &path, &query).await;
        let reply = reply.map_err(Failure::refusal)?;
        let file: File = serde_json::from_slice(&reply).map_err(|_| google_failed())?;
        if file.capabilities.can_edit {
            Ok(())
        } else {
            Err(read_only())
        }
    }

    /// A place in the queue of the sheet.
    fn place<'a>(&'a self, sheet: &'a SheetRef) -> Result<Place<'a>, Refusal> {
        let turn = {
            let mut sheets = self.sheets();
            let turn = sheets.entry(sheet.clone()).or_default();
            if Arc::strong_count(turn) > A_SHEET_MAX {
                return Err(Refusal::too_many(self.limits.retry_min));
            }
            turn.clone()
        };
        Ok(Place {
            writes: self,
            sheet,
            turn,
        })
    }

    /// Makes sure that the switch is on and that the grant is the present one.
    async fn check_right(&self, user: i64, request: &WriteRequest) -> Result<(), Refusal> {
        if !self.people.two_way(user, &request.sheet).await? {
            return Err(two_way_off());
        }
        let bid = Bid {
            file: request.file.clone(),
            panel: request.panel.clone(),
            take_over: false,
            fence: None,
        };
        if !self.rooms.holds_grant(user, &bid, request.fence) {
            return Err(not_writer());
        }
        Ok(())
    }

    /// Writes, as often as it takes and the bounds allow.
    async fn write(&self, user: i64, request: &WriteRequest) -> Result<WriteReply, Refusal> {
        batch::check(request).map_err(Refusal::bad_request)?;
        self.check_right(user, request).await?;
        let until = (Instant::now() + self.limits.write_wait).into();
        let place = self.place(&request.sheet)?;
        let _turn = timeout_at(until, place.turn.lock())
            .await
            .map_err(|_| Refusal::too_many(self.limits.retry_min))?;
        let mut backoff = Backoff::default();
        loop {
            let attempt = timeout_at(until, self.attempt(user, request)).await;
            let failure = match attempt.unwrap_or_else(|_| Err(Failure::broken().into())) {
                Ok(results) => return Ok(WriteReply { results }),
                Err(Hindrance::Refused(refusal)) => return Err(refusal),
                // Google did not take the batch itself: a range was protected or taken out since the look at it.
                Err(Hindrance::Failed(Failure::Range)) => Failure::broken(),
                Err(Hindrance::Failed(failure)) => failure,
            };
            let bounds = (self.limits.retry_min, self.limits.retry_max);
            let refusal = failure.refusal();
            let wait = backoff.after_failure(bounds, refusal.retry_after, rand::random());
            let code = refusal.error.code;
            tracing::warn!(
                ?code,
                wait_ms = wait.as_millis(),
                "cells could not be written"
            );
            if backoff.failures() >= ATTEMPTS_MAX || tokio::time::Instant::now() + wait >= until {
                return Err(refusal);
            }
            sleep(wait).await;
        }
    }

    /// Looks at the cells and writes those that may be written.
    async fn attempt(
        &self,
        user: i64,
        request: &WriteRequest,
    ) -> Result<Vec<WriteResult>, Hindrance> {
        let found = self.look(user, request).await?;
        let decided = batch::decide(&request.cells, &found);
        let chosen: Vec<&CellWrite> = request
            .cells
            .iter()
            .zip(&decided)
            .filter_map(|(cell, decided)| decided.is_none().then_some(cell))
            .collect();
        if !chosen.is_empty() {
            self.batches
                .count(user, Instant::now())
                .map_err(Refusal::too_many)?;
            let turn = self.budget.turn_within(BUDGET_WAIT_MAX).await;
            turn.map_err(Refusal::too_many)?;
            // It may have been lost while the write waited.
            self.check_right(user, request).await?;
            let _wake = Wake(&self.rooms, &request.sheet);
            let SheetRef {
                spreadsheet_id,
                sheet_id,
            } = &request.sheet;
            let body = batch::write_body(*sheet_id, &chosen);
            self.google
                .spreadsheet_post(user, spreadsheet_id, "batchUpdate", "spreadsheetId", &body)
                .await
                .map_err(|failure| match failure {
                    // The read went well.
                    Failure::User(error) if error.code == ErrorCode::NoAccess => read_only().into(),
                    other => Hindrance::from(other),
                })?;
        }
        let written = |decided: Option<WriteResult>| decided.unwrap_or(WriteResult::Written);
        Ok(decided.into_iter().map(written).collect())
    }

    /// What the cells hold now. Google refuses ranges beyond the grid, which is asked for only then.
    async fn look(&self, user: i64, request: &WriteRequest) -> Result<Found, Hindrance> {
        let SheetRef {
            spreadsheet_id,
            sheet_id,
        } = &request.sheet;
        let all = batch::spots(&request.cells);
        match self.read(user, &request.sheet, &all).await? {
            Ok(found) => return Ok(found),
            Err(ReadError::Absent) => {}
            Err(other) => return Err(Failure::from(other).into()),
        }
        self.rooms.read_turn().await?;
        let grid = self
            .google
            .spreadsheet(user, spreadsheet_id, &batch::grid_query())
            .await
            .map_err(|failure| match failure {
                // This query has no range that could be wrong.
                Failure::Range => Hindrance::Refused(no_spreadsheet().refusal()),
                other => other.into(),
            })?;
        let grid = batch::found(&grid, *sheet_id).map_err(|error| match error {
            ReadError::Absent => Hindrance::Refused(Refusal {
                error: absent_tab(),
                retry_after: None,
            }),
            other => Failure::from(other).into(),
        })?;
        let inside: BTreeSet<Spot> = all.into_iter().filter(|spot| grid.has(*spot)).collect();
        if inside.is_empty() {
            return Ok(grid);
        }
        let found = self.read(user, &request.sheet, &inside).await?;
        found.map_err(|error| Failure::from(error).into())
    }

    /// One read of these cells; [`ReadError::Absent`] when Google knows no such ranges.
    async fn read(
        &self,
        user: i64,
        sheet: &SheetRef,
        spots: &BTreeSet<Spot>,
    ) -> Result<Result<Found, ReadError>, Hindrance> {
        self.rooms.read_turn().await?;
        let (verb, body) = ("getByDataFilter", batch::read_body(sheet.sheet_id, spots));
        let reply = self
            .google
            .spreadsheet_post(user, &sheet.spreadsheet_id, verb, batch::READ_FIELDS, &body)
            .await;
        match reply {
            Ok(reply) => Ok(batch::found(&reply, sheet.sheet_id)),
            Err(Failure::Range) => Ok(Err(ReadError::Absent)),
            Err(other) => Err(other.into()),
        }
    }
}

/// `PUT /v1/two-way`.
///
/// # Errors
/// [`Refusal`].
pub async fn switch(
    State(writes): State<Arc<Writes>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<TwoWayReply>, Refusal> {
    let user = writes.people.user(&headers).await?.id;
    let TwoWayRequest { sheet, on, .. } = versioned(&body, "The switch can't be read.")?;
    if on {
        writes.check_edit(user, &sheet.spreadsheet_id).await?;
    }
    writes.people.set_two_way(user, &sheet, on).await?;
    Ok(Json(TwoWayReply { on }))
}

/// `POST /v1/write`.
///
/// # Errors
/// [`Refusal`].
pub async fn write(
    State(writes): State<Arc<Writes>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<WriteReply>, Refusal> {
    let user = writes.people.user(&headers).await?.id;
    let request: WriteRequest = versioned(&body, "The write can't be read.")?;
    writes.write(user, &request).await.map(Json)
}
