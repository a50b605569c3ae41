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
use futures_util::future::join_all;
use sheetwire_core::protocol::relay::{
    CloseReason, PollRequest, PollSource, RelayFrame, SOURCES_MAX, VERSION, decode, encode,
};
use tokio::time::{Duration, Instant, timeout_at};

use crate::error::{Refusal, versioned};
use crate::followed::Followed;
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
    if request.more.len() >= SOURCES_MAX {
        return Err(Refusal::bad_request("The poll names too many tabs."));
    }
    let first = PollSource {
        sheet: request.sheet,
        resume: request.resume,
    };
    let mut places = Vec::with_capacity(1 + request.more.len());
    // One file has one writer, elected among those who follow its first tab.
    let mut bid = request.bid.as_ref();
    for PollSource { sheet, resume } in std::iter::once(first).chain(request.more) {
        rooms
            .check_access(caller.user, &sheet.spreadsheet_id)
            .await?;
        places.push(rooms.join(&caller, &sheet, resume.as_ref(), bid.take())?);
    }
    let heartbeat = rooms.limits().heartbeat;
    let wait = Duration::from_millis(request.wait_ms).min(heartbeat);
    let known = request.bid.as_ref().and_then(|bid| bid.fence);
    let frames = collect_all(Followed::new(places), wait, heartbeat, known).await;
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

/// The frames of one poll, tab after tab: of several tabs, what was missed of all of them, else the first thing to say
/// of any within `wait`.
async fn collect_all(
    mut followed: Followed,
    wait: Duration,
    read_max: Duration,
    known: Option<u64>,
) -> Vec<Utf8Bytes> {
    let until = Instant::now() + wait;
    if let [only] = followed.places_mut() {
        return collect(only, wait, read_max, known).await;
    }
    let places = followed.places_mut().iter_mut();
    let looks = places.map(|place| collect(place, Duration::ZERO, read_max, known));
    let mut told: Vec<Vec<Utf8Bytes>> = join_all(looks).await;
    let quiet = |frame: &Utf8Bytes| {
        frame.starts_with("{\"type\":\"resumed\"")
            || tells_of_trouble(frame)
            || tells_of_writer(frame)
    };
    let tells = told
        .iter()
        .flatten()
        .any(|frame| tells_another(frame, known));
    if !tells
        && told.iter().flatten().all(quiet)
        && let Ok((at, delivery)) = timeout_at(until, followed.next()).await
    {
        let mut frames = Vec::new();
        take(&mut frames, delivery);
        while let Some(delivery) = followed.places_mut()[at].try_next() {
            let ended = matches!(delivery, Delivery::End(_));
            take(&mut frames, delivery);
            if ended {
                break;
            }
        }
        if !frames.is_empty() {
            told[at].retain(tells_of_writer);
            told[at].extend(frames);
        }
    }
    let mut reply = Vec::new();
    for (at, frames) in told.into_iter().enumerate() {
        reply.extend(followed.turn_to(at));
        reply.extend(frames);
    }
    reply
}

/// The frames of one poll of one tab: what was missed, else the first thing to say within `wait`. A sheet that nobody followed
/// is read before the answer, within `read_max`. Who was told last of the grant `known` is told of another at once.
async fn collect(
    membership: &mut Membership,
    wait: Duration,
    read_max: Duration,
    known: Option<u64>,
) -> Vec<Utf8Bytes> {
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
        let tells = writer.iter().any(|frame| tells_another(frame, known));
        let until = now
            + match (unknown, tells) {
                (true, _) => wait.max(read_max),
                (false, true) => Duration::ZERO,
                (false, false) => wait,
            };
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

/// Whether a `writer` frame tells of another grant than the client knows; an older client does not say.
fn tells_another(frame: &Utf8Bytes, known: Option<u64>) -> bool {
    match (decode::<RelayFrame>(frame.as_str()), known) {
        (Ok(RelayFrame::Writer { fence, .. }), Some(known)) => fence != known,
        (_, _) => false,
    }
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
