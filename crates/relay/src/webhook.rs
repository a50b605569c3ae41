//! Drive's change notices: the channels that are open, and the address at which they arrive.
//!
//! Owns channels, their tokens and renewal. Must not know what a notice leads to, except that a sheet is read soon:
//! notices for spreadsheets come up to minutes late, so they only wake a quiet sheet.
//!
//! Source: <https://developers.google.com/workspace/drive/api/guides/push>.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use sheetwire_core::protocol::relay::SheetRef;
use url::Url;

use crate::google_read::GoogleRead;
use crate::secret::{Hash, random_name, random_token};
use crate::watch::Rooms;

/// Life that is asked for; Google gives at most a day.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Share of a channel's life after which the next one is opened, so that both overlap.
const RENEW_AFTER: f64 = 0.9;
/// Shortest and longest time between two attempts to open a channel.
const ATTEMPT_MIN: Duration = Duration::from_secs(30);
/// Longest wait after failures.
const ATTEMPT_MAX: Duration = Duration::from_secs(60 * 60);
/// Most channels that are known at a time.
const CHANNELS_MAX: usize = 20_000;
/// Longest body of a notice; Google's are empty.
const BODY_BYTES_MAX: usize = 4 * 1024;

/// The open channels.
pub struct Channels {
    address: Url,
    open: Mutex<HashMap<String, Channel>>,
}

struct Channel {
    sheet: SheetRef,
    token: Hash,
    resource: Option<String>,
    user: i64,
    ends: Instant,
}

/// The reply to `files.watch`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    resource_id: String,
    /// Unix time in milliseconds, as text.
    #[serde(default)]
    expiration: Option<String>,
}

impl Channels {
    /// For notices to that address.
    pub fn new(address: Url) -> Self {
        Self {
            address,
            open: Mutex::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Channel>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a channel by the user's right and tells when to open the next.
    pub async fn open(&self, google: &GoogleRead, user: i64, sheet: &SheetRef) -> Duration {
        let (id, token) = (random_name(), random_token());
        {
            let mut open = self.lock();
            open.retain(|_, channel| channel.ends > Instant::now());
            if open.len() >= CHANNELS_MAX {
                return ATTEMPT_MAX;
            }
            // Known before Google is asked: its first notice may come before its reply.
            let channel = Channel {
                sheet: sheet.clone(),
                token: Hash::of(token.expose().as_bytes()),
                resource: None,
                user,
                ends: Instant::now() + LIFE,
            };
            open.insert(id.clone(), channel);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = now.map_or(0, |now| now.as_millis());
        let body = json!({
            "id": id, "type": "web_hook", "address": self.address.as_str(), "token": token.expose(),
            "expiration": (now_ms + LIFE.as_millis()).to_string(),
        });
        let path = ["drive", "v3", "files", &sheet.spreadsheet_id, "watch"];
        let reply = google.drive_post(user, &path, &body).await;
        let opened = reply
            .ok()
            .and_then(|reply| serde_json::from_slice::<Opened>(&reply).ok());
        let mut open = self.lock();
        let Some(opened) = opened else {
            open.remove(&id);
            tracing::warn!(
                "Drive opened no channel for change notices; the sheet is polled all the same"
            );
            return ATTEMPT_MIN
                .mul_f64(1.0 + rand::random::<f64>())
                .min(ATTEMPT_MAX);
        };
        let life = opened
            .expiration
            .and_then(|at| at.parse::<u128>().ok())
            .and_then(|at| u64::try_from(at.saturating_sub(now_ms)).ok())
            .map_or(Duration::from_secs(60 * 60), Duration::from_millis)
            .min(LIFE);
        if let Some(channel) = open.get_mut(&id) {
            channel.resource = Some(opened.resource_id);
            channel.ends = Instant::now() + life;
        }
        life.mul_f64(RENEW_AFTER).max(ATTEMPT_MIN)
    }

    /// Ends the channels of a sheet that nobody follows any more, as far as Google lets us.
    pub async fn close(&self, google: &GoogleRead, sheet: &SheetRef) {
        let ended: Vec<(String, Channel)> = self
            .lock()
            .extract_if(|_, channel| channel.sheet == *sheet)
            .collect();
        for (id, channel) in ended {
            let Some(resource) = channel.resource else {
                continue;
            };
            let body = json!({"id": id, "resourceId": resource});
            let path = ["drive", "v3", "channels", "stop"];
            // A channel that can't be stopped ends by itself; its notices find nothing.
            let _ = google.drive_post(channel.user, &path, &body).await;
        }
    }

    /// The sheet of a notice whose token is right.
    fn sheet_of(&self, id: &str, token: &str) -> Option<SheetRef> {
        let open = self.lock();
        let channel = open
            .get(id)
            .filter(|channel| channel.ends > Instant::now())?;
        // Only hashes are compared, and in constant time.
        channel
            .token
            .matches(&Hash::of(token.as_bytes()))
            .then(|| channel.sheet.clone())
    }
}

/// The route.
pub fn routes(rooms: Arc<Rooms>) -> Router {
    Router::new()
        .route("/v1/hooks/drive", post(notice))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(rooms)
}

/// 204 for a notice of an open channel, 404 for any other: Google tries neither again.
async fn notice(State(rooms): State<Arc<Rooms>>, headers: HeaderMap) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(state)) = (header("x-goog-channel-id"), header("x-goog-resource-state"))
    else {
        return StatusCode::BAD_REQUEST;
    };
    let token = header("x-goog-channel-token").unwrap_or_default();
    let Some(sheet) = rooms
        .channels()
        .and_then(|channels| channels.sheet_of(id, token))
    else {
        return StatusCode::NOT_FOUND;
    };
    // `sync` only says that the channel is open.
    if state != "sync" {
        rooms.refresh(&sheet);
    }
    StatusCode::NO_CONTENT
}
