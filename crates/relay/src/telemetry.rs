//! The plugins' health reports: counters in, sums in memory.
//!
//! Owns the report's schema, its bounds and the sums. Must not know users, sheets or variables: there is no field a
//! name or a content could stand in, and an unknown field refuses the report.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use crate::error::Refusal;

/// Longest report, in bytes.
pub const REPORT_BYTES_MAX: usize = 2 * 1024;
/// Largest value of any counter of one report; a report covers minutes.
pub const COUNT_MAX: u32 = 10_000;
/// Upper bounds of the latency buckets, in milliseconds; the last bucket is for all above.
pub const LATENCY_BOUNDS_MS: [u32; 7] = [100, 300, 1_000, 3_000, 5_000, 10_000, 30_000];
/// The report's version.
pub const VERSION: u32 = 1;

/// What went wrong first in a session; one a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstError {
    /// None did.
    None,
    /// The sign-in failed.
    SignIn,
    /// The relay could not be reached.
    Network,
    /// The relay or Google refused.
    Refused,
    /// The sheet could not be read as a table.
    Sheet,
    /// A variable could not be written.
    Write,
    /// The plugin itself failed.
    Crash,
}

/// Whether Real-Time Sync was on in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// It was on.
    Treatment,
    /// It was off.
    Control,
}

/// `POST /v1/telemetry`: one session's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`VERSION`].
    pub v: u32,
    /// Whether the feature was on.
    pub group: Group,
    /// Whether this is the session's first report.
    pub opened: bool,
    /// The session's first error since its last report.
    pub first_error: FirstError,
    /// Edits that reached a variable, by the time it took: one counter a bucket.
    pub latency: [u32; LATENCY_BOUNDS_MS.len() + 1],
    /// Connections that were lost and made again.
    pub reconnects: u32,
}

/// The sums of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Sessions.
    pub sessions: u64,
    /// Sessions' first errors, in the order of [`FirstError`] without `None`.
    pub first_errors: [u64; 6],
    /// Edits by latency bucket.
    pub latency: [u64; LATENCY_BOUNDS_MS.len() + 1],
    /// Reconnects.
    pub reconnects: u64,
}

/// The sums of both groups since the relay started.
#[derive(Debug, Default)]
pub struct Telemetry(Mutex<[Sums; 2]>);

impl Telemetry {
    /// The sums of a group.
    pub fn sums(&self, group: Group) -> Sums {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[index(group)]
    }

    /// Adds a report that was checked.
    fn add(&self, report: &Report) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = &mut sums[index(report.group)];
        sums.sessions += u64::from(report.opened);
        let error = match report.first_error {
            FirstError::None => None,
            FirstError::SignIn => Some(0),
            FirstError::Network => Some(1),
            FirstError::Refused => Some(2),
            FirstError::Sheet => Some(3),
            FirstError::Write => Some(4),
            FirstError::Crash => Some(5),
        };
        if let Some(error) = error {
            sums.first_errors[error] += 1;
        }
        for (sum, count) in sums.latency.iter_mut().zip(report.latency) {
            *sum += u64::from(count);
        }
        sums.reconnects += u64::from(report.reconnects);
    }
}

fn index(group: Group) -> usize {
    match group {
        Group::Control => 0,
        Group::Treatment => 1,
    }
}

impl Report {
    /// Reads a report; `None` for anything that is not exactly one.
    fn read(body: &[u8]) -> Option<Self> {
        let report: Self = serde_json::from_slice(body).ok()?;
        let mut counts = report.latency.into_iter().chain([report.reconnects]);
        let bounded = counts.all(|count| count <= COUNT_MAX);
        (report.v == VERSION && bounded).then_some(report)
    }
}

/// The route.
pub fn routes(telemetry: Arc<Telemetry>) -> Router {
    Router::new()
        .route("/v1/telemetry", post(report))
        .layer(DefaultBodyLimit::max(REPORT_BYTES_MAX))
        .with_state(telemetry)
}

async fn report(
    State(telemetry): State<Arc<Telemetry>>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let report = Report::read(&body).ok_or_else(|| Refusal::bad_request("That is no report."))?;
    telemetry.add(&report);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({"v": 1, "group": "treatment", "opened": true, "first_error": "network",
            "latency": [1, 2, 0, 0, 0, 0, 0, 3], "reconnects": 4})
    }

    #[test]
    fn reports_are_summed_by_group() {
        let telemetry = Telemetry::default();
        let report = Report::read(good().to_string().as_bytes()).expect("a good report");
        telemetry.add(&report);
        telemetry.add(&Report {
            opened: false,
            first_error: FirstError::None,
            ..report
        });
        let sums = telemetry.sums(Group::Treatment);
        assert_eq!((sums.sessions, sums.reconnects), (1, 8));
        assert_eq!(sums.first_errors, [0, 1, 0, 0, 0, 0]);
        assert_eq!(sums.latency, [2, 4, 0, 0, 0, 0, 0, 6]);
        assert_eq!(telemetry.sums(Group::Control), Sums::default());
    }

    #[test]
    fn anything_else_is_refused() {
        let with = |name: &str, value: Value| {
            let mut report = good();
            report[name] = value;
            report.to_string()
        };
        let cases = [
            with("v", json!(2)),
            with("group", json!("ana@example.com")),
            with("first_error", json!("Cell C14 says no")),
            with("latency", json!([1])),
            with("reconnects", json!(-1)),
            with("reconnects", json!(10_001)),
            with("sheet", json!("Tokens")),
            String::new(),
            "[]".to_owned(),
        ];
        for case in cases {
            assert_eq!(Report::read(case.as_bytes()), None, "{case}");
        }
    }
}
