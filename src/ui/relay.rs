//! The panel's requests at the relay.
//!
//! Owns addresses, the bearer token on them, time-outs and bounds, and how a failure is told. Must not know when a
//! request is made. No error text repeats what was sent or received.

use crate::evaluation::relay_origin;
use gloo_net::http::{Method, RequestBuilder};
use gloo_timers::callback::Timeout;
use leptos::web_sys::AbortController;
use serde::de::DeserializeOwned;
use sheetwire_core::protocol::relay::{ApiError, SNAPSHOT_BYTES_MAX};
use sheetwire_core::session::Failure;

/// Longest wait for an answer, in milliseconds.
const WAIT_MS: u32 = 15_000;
/// Longest body that is read, in UTF-16 units: a snapshot, with room for its escapes.
const REPLY_UNITS_MAX: usize = 2 * SNAPSHOT_BYTES_MAX;

/// One request.
pub struct Call<'a> {
    /// GET, POST, PUT or DELETE.
    pub method: Method,
    /// Its path, with a leading slash.
    pub path: &'a str,
    /// The session, where there is one.
    pub token: Option<&'a str>,
    /// The body, as JSON.
    pub body: Option<String>,
    /// How long the relay may hold it beyond the usual, in milliseconds.
    pub held_ms: u32,
}

/// An answer's status and text.
pub struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    /// 202: there is nothing yet.
    pub fn is_pending(&self) -> bool {
        self.status == 202
    }

    /// The body as a type of the wire.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|_| Failure::Unreadable)
    }
}

/// Makes one request; anything but a 2xx is a failure.
pub async fn call(call: Call<'_>) -> Result<Answer, Failure> {
    let address = relay_origin().ok_or(Failure::Network)? + call.path;
    let controller = AbortController::new().map_err(|_| Failure::Network)?;
    let mut request = RequestBuilder::new(&address)
        .method(call.method)
        .abort_signal(Some(&controller.signal()));
    if let Some(token) = call.token {
        request = request.header("authorization", &["Bearer ", token].concat());
    }
    let request = match call.body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body),
        None => request.build(),
    }
    .map_err(|_| Failure::Network)?;
    // Dropped with the answer, and then it calls nothing off.
    let _deadline = Timeout::new(WAIT_MS + call.held_ms, move || controller.abort());
    let reply = request.send().await.map_err(|_| Failure::Network)?;
    let text = reply.text().await.map_err(|_| Failure::Network)?;
    if text.len() > REPLY_UNITS_MAX {
        return Err(Failure::Unreadable);
    }
    if reply.ok() {
        return Ok(Answer {
            status: reply.status(),
            text,
        });
    }
    Err(serde_json::from_str::<ApiError>(&text).map_or(Failure::Unreadable, Failure::Api))
}
