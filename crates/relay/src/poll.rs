//! `POST /v1/poll`: the frames of the live WebSocket for networks that refuse it.
//!
//! Owns the request, the wait and the reply. Must not know more of rooms than a socket does: a poll is a short
//! membership, so that a sheet is read once for both.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::Utf8Bytes;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use sheetwire_core::protocol::relay::{CloseReason, PollRequest, RelayFrame, VERSION, encode};
use tokio::time::{Duration, Instant, timeout_at};

use crate::error::{Refusal, versioned};
use crate::live::Live;
use crate::room::{Delivery, trouble};
use crate::watch::Membership;

pub(crate) async fn poll(
    State(live): State<Arc<Live>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let caller = live.accounts().authenticate(&headers).await?;
    let request: PollRequest = versioned(&body, "The poll can't be read.")?;
    let rooms = live.rooms();
    rooms
        .check_access(caller.user, &request.sheet.spreadsheet_id)
        .await?;
    let membership = rooms.join(
        &caller,
        &request.sheet,
        request.resume.as_ref(),
        request.bid.as_ref(),
    )?;
    let heartbeat = rooms.limits().heartbeat;
    let wait = Duration::from_millis(request.wait_ms).min(heartbeat);
    let frames = collect(membership, wait, heartbeat).await;
    let mut reply = String::from("{\"frames\":[");
    for (index, frame) in frames.iter().enumerate() {
        if index > 0 {
            reply.push(',');
        }
        reply.push_str(frame.as_str());
    }
    reply.push_str("]}");
    Ok(([(header::CONTENT_TYPE, "application/json")], reply).into_response())
}

/// The frames of one poll: what was missed, else the first thing to say within `wait`. A sheet that nobody followed
/// is read before the answer, within `read_max`.
async fn collect(mut membership: Membership, wait: Duration, read_max: Duration) -> Vec<Utf8Bytes> {
    let now = Instant::now();
    if membership.stale {
        let _ = timeout_at(now + read_max, membership.settled()).await;
    }
    // Standing still or in trouble is no news: it is told when the wait brought nothing else.
    let is_news =
        |frame: &Utf8Bytes| !frame.starts_with("{\"type\":\"resumed\"") && !tells_of_trouble(frame);
    // Who writes is told first, but a poll does not end for it while it stands.
    let (writer, first): (Vec<_>, Vec<_>) = std::mem::take(&mut membership.first)
        .into_iter()
        .partition(tells_of_writer);
    let (mut frames, state): (Vec<_>, Vec<_>) = first.into_iter().partition(is_news);
    if frames.is_empty() {
        // Without its first read nothing is known of the sheet, and nothing else is an answer.
        let unknown = state.is_empty() && membership.resumed().is_none();
        let until = now + if unknown { wait.max(read_max) } else { wait };
        while let Ok(delivery) = timeout_at(until, membership.next()).await {
            // The next poll is the sign of life.
            let ended = matches!(delivery, Delivery::End(_) | Delivery::Ping);
            take(&mut frames, delivery);
            let answers = |frame: &Utf8Bytes| tells_of_sheet(frame) || tells_of_trouble(frame);
            if ended || !unknown || frames.iter().any(answers) {
                break;
            }
        }
    } else {
        frames.extend(state.iter().cloned());
    }
    while let Some(delivery) = membership.try_next() {
        let ended = matches!(delivery, Delivery::End(_));
        take(&mut frames, delivery);
        if ended {
            break;
        }
    }
    if frames.is_empty() {
        frames = state;
    }
    if frames.is_empty() {
        frames.push(membership.resumed().unwrap_or_else(|| {
            trouble(&Refusal::unavailable("The sheet is still being read.").error)
        }));
    }
    [writer, frames].concat()
}

// The frames are the relay's own texts, which begin with their type; nothing that a cell holds can look so.

fn tells_of_sheet(frame: &Utf8Bytes) -> bool {
    frame.starts_with("{\"type\":\"snapshot\"") || frame.starts_with("{\"type\":\"changes\"")
}

fn tells_of_writer(frame: &Utf8Bytes) -> bool {
    frame.starts_with("{\"type\":\"writer\"")
}

fn tells_of_trouble(frame: &Utf8Bytes) -> bool {
    frame.starts_with("{\"type\":\"trouble\"")
}

fn take(frames: &mut Vec<Utf8Bytes>, delivery: Delivery) {
    match delivery {
        Delivery::Frame(frame) => frames.push(frame),
        Delivery::End(reason) => frames.push(closing(reason)),
        Delivery::Ping => {}
    }
}

fn closing(reason: CloseReason) -> Utf8Bytes {
    Utf8Bytes::from(encode(&RelayFrame::Closing { v: VERSION, reason }))
}
