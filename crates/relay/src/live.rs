//! The live half: everything between a signed-in user and a sheet's changes.
//!
//! Owns the parts (rooms, tickets, flags), the routes over them, and the WebSocket `GET /v1/live`. Must not know how
//! anybody signs in; [`Accounts`] answers for that. The frames are `sheetwire_core::protocol::relay`'s.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sheetwire_core::protocol::relay::{
    Bid, CLIENT_FRAME_BYTES_MAX, ClientFrame, CloseReason, ErrorCode, FrameError, JoinSource,
    Position, RelayFrame, SOURCES_MAX, VERSION, decode, encode,
};
use tokio::sync::{Semaphore, broadcast};
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use crate::config::Config;
use crate::error::Refusal;
use crate::flags::{Flags, FlagsError};
use crate::followed::Followed;
use crate::google_read::{Accounts, Caller, GoogleRead};
use crate::room::{Delivery, trouble};
use crate::telemetry::Telemetry;
use crate::tickets::{self, Tickets};
use crate::watch::{Membership, Rooms};
use crate::{ofrep, poll, telemetry, webhook};

/// Bytes of a socket's read buffer: a usual client frame; a longer one is gathered. The library's own default is 128 KiB
/// a socket.
const READ_BUFFER_BYTES: usize = 1024;
/// Longest body of a request, in bytes.
const REQUEST_BYTES_MAX: usize = 4 * 1024;

/// The parts of the live half.
pub struct Live {
    accounts: Arc<dyn Accounts>,
    rooms: Arc<Rooms>,
    tickets: Tickets,
    flags: Arc<Flags>,
    telemetry: Arc<Telemetry>,
    /// Sockets that have not joined yet.
    pending: Arc<Semaphore>,
}

impl Live {
    /// Reads the flag document and makes the parts; nothing runs yet.
    ///
    /// # Errors
    /// [`FlagsError`] when the flag document can't be used.
    pub async fn new(
        config: &Config,
        http: reqwest::Client,
        accounts: Arc<dyn Accounts>,
    ) -> Result<Arc<Self>, FlagsError> {
        let google = GoogleRead::new(&config.google, http, accounts.clone());
        Ok(Arc::new(Self {
            rooms: Rooms::new(config, google),
            tickets: Tickets::default(),
            flags: Arc::new(Flags::open(config.flags.as_deref()).await?),
            telemetry: Arc::default(),
            pending: Arc::new(Semaphore::new(config.limits.pending_sockets)),
            accounts,
        }))
    }

    pub(crate) fn accounts(&self) -> &dyn Accounts {
        &*self.accounts
    }

    pub(crate) fn rooms(&self) -> &Arc<Rooms> {
        &self.rooms
    }

    pub(crate) fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    /// What was counted of the plugins' reports.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// The routes whose answers take as long as they take: `GET /v1/live` and `POST /v1/poll`. No request time-out
    /// may stand over them.
    pub fn long_routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/live", get(upgrade))
            .route("/v1/poll", post(poll::poll))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .with_state(self.clone())
    }

    /// All other routes of the live half.
    pub fn short_routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/tickets", post(tickets::issue))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .with_state(self.clone())
            .merge(webhook::routes(self.rooms.clone()))
            .merge(ofrep::routes(self.flags.clone()))
            .merge(telemetry::routes(self.telemetry.clone()))
    }

    /// Follows the flag document and the sign-outs, for as long as it is polled.
    pub async fn run(&self, mut signed_out: broadcast::Receiver<i64>) {
        let limits = self.rooms.limits();
        let mut flags = self.flags.changes();
        let mut sweep = tokio::time::interval(limits.sweep);
        let mut leases = tokio::time::interval(limits.lease_sweep);
        leases.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let follow = self.flags.follow(limits.flags_poll);
        let tell = async {
            loop {
                tokio::select! {
                    changed = flags.changed() => match changed {
                        Ok(()) => self.rooms.flags_changed(),
                        // The sender lives in `self`.
                        Err(_) => return,
                    },
                    user = signed_out.recv() => match user {
                        Ok(user) => {
                            self.tickets.forget(user);
                            self.rooms.sign_out(user);
                        }
                        // Somebody's sign-out was missed: all come back and prove themselves.
                        Err(broadcast::error::RecvError::Lagged(_)) => self.rooms.send_all_away(),
                        Err(broadcast::error::RecvError::Closed) => return,
                    },
                    _ = leases.tick() => self.rooms.sweep_leases(),
                    _ = sweep.tick() => self.tickets.sweep(Instant::now()),
                }
            }
        };
        tokio::join!(follow, tell);
    }

    /// Sends everybody away and waits for them, within the time that the limits give.
    pub async fn drain(&self) {
        self.rooms.drain().await;
    }
}

/// `GET /v1/live`.
async fn upgrade(State(live): State<Arc<Live>>, upgrade: WebSocketUpgrade) -> Response {
    let Ok(pending) = live.pending.clone().try_acquire_owned() else {
        return Refusal::unavailable("Too many are connecting at once.").into_response();
    };
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(CLIENT_FRAME_BYTES_MAX)
        .max_frame_size(CLIENT_FRAME_BYTES_MAX)
        .on_upgrade(async move |mut socket| {
            let joined = join(&live, &mut socket).await;
            drop(pending);
            let reason = match joined {
                Ok(membership) => follow(&live, &mut socket, membership).await,
                Err(reason) => reason,
            };
            if let Some(reason) = reason {
                close(&live, &mut socket, reason).await;
            }
        })
}

/// Waits for the join frame and takes the client in. An error is the reason to close with, if the socket is still
/// there.
async fn join(live: &Live, socket: &mut WebSocket) -> Result<Followed, Option<CloseReason>> {
    let frame = timeout(live.rooms.limits().join_deadline, receive(socket))
        .await
        .map_err(|_| Some(CloseReason::Protocol))??;
    let (first, bid, more) = match frame {
        ClientFrame::Join {
            ticket,
            resume,
            bid,
            more,
            ..
        } => (JoinSource { ticket, resume }, bid, more),
        ClientFrame::Refresh { .. } | ClientFrame::Bid { .. } => {
            return Err(Some(CloseReason::Protocol));
        }
    };
    if more.len() >= SOURCES_MAX {
        return Err(Some(CloseReason::Protocol));
    }
    let mut places = Vec::with_capacity(1 + more.len());
    let mut bid = bid.as_ref();
    for JoinSource { ticket, resume } in std::iter::once(first).chain(more) {
        let Some((caller, sheet)) = live.tickets.redeem(&ticket, Instant::now()) else {
            return Err(Some(CloseReason::Ticket));
        };
        // One file has one writer, elected among those who follow its first tab.
        let taken_in = take_in(live, &caller, &sheet, resume.as_ref(), bid.take()).await;
        match taken_in {
            Ok(membership) => places.push(membership),
            Err(refusal) => {
                // Told as far as the socket goes along; the close is what counts.
                let _ = send(live, socket, trouble(&refusal.error)).await;
                return Err(Some(match refusal.error.code {
                    ErrorCode::SignedOut => CloseReason::SignedOut,
                    // Come back after a wait.
                    ErrorCode::Unavailable | ErrorCode::TooMany => CloseReason::Draining,
                    _ => CloseReason::Ticket,
                }));
            }
        }
    }
    Ok(Followed::new(places))
}

async fn take_in(
    live: &Live,
    caller: &Caller,
    sheet: &sheetwire_core::protocol::relay::SheetRef,
    resume: Option<&Position>,
    bid: Option<&Bid>,
) -> Result<Membership, Refusal> {
    live.rooms
        .check_access(caller.user, &sheet.spreadsheet_id)
        .await?;
    live.rooms.join(caller, sheet, resume, bid)
}

/// Passes frames on until one side ends it; the reason to close with, if the socket is still there.
async fn follow(
    live: &Live,
    socket: &mut WebSocket,
    mut followed: Followed,
) -> Option<CloseReason> {
    for frame in followed.first() {
        send(live, socket, frame).await.ok()?;
    }
    let every = live.rooms.limits().heartbeat;
    let mut heartbeat = interval_at(tokio::time::Instant::now() + every, every);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            (at, delivery) = followed.next() => match delivery {
                Delivery::Frame(frame) => {
                    if let Some(source) = followed.turn_to(at) {
                        send(live, socket, source).await.ok()?;
                    }
                    send(live, socket, frame).await.ok()?;
                }
                Delivery::Ping => ping(live, socket).await.ok()?,
                Delivery::End(reason) => return Some(reason),
            },
            frame = hear(socket) => match frame {
                Ok(Heard::Pong) => followed.writing().heard(),
                Ok(Heard::Frame(ClientFrame::Refresh { .. })) => followed.refresh(),
                Ok(Heard::Frame(ClientFrame::Bid { bid, .. })) => followed.writing().bid(&bid),
                Ok(Heard::Frame(ClientFrame::Join { .. })) => return Some(CloseReason::Protocol),
                Err(reason) => return reason,
            },
            _ = heartbeat.tick() => {
                if let Some(source) = followed.turn_to(0) {
                    send(live, socket, source).await.ok()?;
                }
                send(live, socket, followed.writing().heartbeat()).await.ok()?;
            }
        }
    }
}

/// What a client says.
enum Heard {
    Frame(ClientFrame),
    /// The answer to a ping: its browser gives it, also while the panel is in the background.
    Pong,
}

/// The next frame of the client; `Err(None)` when it is gone. Cancelling loses nothing.
async fn receive(socket: &mut WebSocket) -> Result<ClientFrame, Option<CloseReason>> {
    loop {
        match hear(socket).await? {
            Heard::Frame(frame) => return Ok(frame),
            Heard::Pong => {}
        }
    }
}

/// As [`receive`], with the answers to pings.
async fn hear(socket: &mut WebSocket) -> Result<Heard, Option<CloseReason>> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                return decode(text.as_str()).map(Heard::Frame).map_err(|error| {
                    Some(match error {
                        FrameError::Version { .. } => CloseReason::Version,
                        FrameError::Unreadable { .. } => CloseReason::Protocol,
                    })
                });
            }
            // The library answers pings by itself.
            Some(Ok(Message::Ping(_))) => {}
            Some(Ok(Message::Pong(_))) => return Ok(Heard::Pong),
            Some(Ok(Message::Binary(_))) => return Err(Some(CloseReason::Protocol)),
            Some(Ok(Message::Close(_))) | None => return Err(None),
            // Too long a message is the client's fault, and it can still be told; a broken connection can't.
            Some(Err(_)) => return Err(Some(CloseReason::Protocol)),
        }
    }
}

/// The socket is gone, or takes nothing any more.
struct Gone;

async fn ping(live: &Live, socket: &mut WebSocket) -> Result<(), Gone> {
    let message = Message::Ping(Bytes::new());
    match timeout(live.rooms.limits().send, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

async fn send(live: &Live, socket: &mut WebSocket, frame: Utf8Bytes) -> Result<(), Gone> {
    match timeout(live.rooms.limits().send, socket.send(Message::Text(frame))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

/// Says why, in a frame and in the close code, as far as the socket still goes along.
async fn close(live: &Live, socket: &mut WebSocket, reason: CloseReason) {
    let frame = Utf8Bytes::from(encode(&RelayFrame::Closing { v: VERSION, reason }));
    if send(live, socket, frame).await.is_err() {
        return;
    }
    let code = match reason {
        CloseReason::Draining => close_code::RESTART,
        CloseReason::SlowConsumer => close_code::AGAIN,
        CloseReason::Ticket | CloseReason::SignedOut | CloseReason::SwitchedOff => {
            close_code::POLICY
        }
        CloseReason::Protocol | CloseReason::Version => close_code::PROTOCOL,
    };
    let message = Message::Close(Some(CloseFrame {
        code,
        reason: Utf8Bytes::default(),
    }));
    let _ = timeout(live.rooms.limits().send, socket.send(message)).await;
}
