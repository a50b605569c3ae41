//! The session's hands: makes its requests, holds its socket and its timers, and shows its state.
//!
//! Owns the one [`Session`] of the page and what each of its effects does in a browser. Must not know what follows from
//! an event: the session says.

use crate::relay::{Call, call};
use crate::{Panel, evaluation, sandbox};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use gloo_net::http::Method;
use gloo_net::websocket::Message;
use gloo_net::websocket::futures::WebSocket;
use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sheetwire_core::protocol::panel::ToPanel;
use sheetwire_core::protocol::relay::{
    ClientFrame, PollReply, PollRequest, RedeemRequest, SheetRef, SignInRequest, TicketReply,
    decode, encode,
};
use sheetwire_core::session::{
    Action, Effect, Event, Failure, Session, SessionReplyBox, SocketEvent, Timer,
};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How many kinds of timer there are; a new one takes the place of the last of its kind.
const TIMERS: usize = 10;

/// The socket that is open, and whose it is.
struct Socket {
    turn: u32,
    write: Rc<RefCell<Option<SplitSink<WebSocket, Message>>>>,
}

struct Shell {
    panel: Panel,
    session: Session,
    /// The secret of the sign-in under way, as base64url.
    secret: Option<String>,
    socket: Option<Socket>,
    timers: [Option<Timeout>; TIMERS],
}

thread_local! {
    static SHELL: RefCell<Option<Shell>> = const { RefCell::new(None) };
}

/// Begins: nothing is asked of the relay before the sandbox says that the feature is on.
pub fn begin(panel: Panel) {
    let seed = u32::from_str_radix(&sandbox::entropy()[..8], 16).unwrap_or(1);
    SHELL.with_borrow_mut(|shell| {
        *shell = Some(Shell {
            panel,
            session: Session::new(seed),
            secret: None,
            socket: None,
            timers: Default::default(),
        });
    });
    let online = Closure::<dyn FnMut()>::new(|| take(Event::Online));
    if let Some(window) = leptos::web_sys::window() {
        let _ = window.add_event_listener_with_callback("online", online.as_ref().unchecked_ref());
    }
    // A click on Figma's canvas takes the focus away, and one into the panel brings it back.
    let focus = Closure::<dyn FnMut()>::new(|| take(Event::Focus));
    if let Some(window) = leptos::web_sys::window() {
        let _ = window.add_event_listener_with_callback("focus", focus.as_ref().unchecked_ref());
    }
    // They are heard for as long as the page lives.
    online.forget();
    focus.forget();
}

/// Takes what the designer did.
pub fn act(action: Action) {
    take(Event::Act(action));
}

/// Takes what the sandbox said.
pub fn hear(message: ToPanel) {
    take(Event::Sandbox(message));
}

fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

fn take(event: Event) {
    let effects = SHELL.with_borrow_mut(|shell| {
        let Some(shell) = shell else {
            return Vec::new();
        };
        let effects = shell.session.take(event, now_ms());
        let panel = shell.panel;
        let (state, session) = (shell.session.state(), &shell.session);
        if panel.session.with_untracked(|shown| shown != state) {
            panel.session.set(state.clone());
        }
        if panel
            .left_out
            .with_untracked(|shown| shown != session.left_out())
        {
            panel.left_out.set(session.left_out().to_vec());
        }
        let account = session.account().map(str::to_owned);
        if panel.account.with_untracked(|shown| *shown != account) {
            panel.account.set(account);
        }
        let notice = session.notice().cloned();
        if panel
            .session_notice
            .with_untracked(|shown| *shown != notice)
        {
            panel.session_notice.set(notice);
        }
        effects
    });
    for effect in effects {
        perform(effect);
    }
}

/// With the shell, if it has begun.
fn with<T>(work: impl FnOnce(&mut Shell) -> T) -> Option<T> {
    SHELL.with_borrow_mut(|shell| shell.as_mut().map(work))
}

fn token() -> Option<String> {
    with(|shell| shell.session.token().map(str::to_owned)).flatten()
}

fn perform(effect: Effect) {
    match effect {
        Effect::Say(message, bulk) => sandbox::say_with(&message, bulk.as_deref()),
        Effect::BeginSignIn(ask) => begin_sign_in(ask),
        Effect::Redeem(ask, flow) => {
            let secret = with(|shell| shell.secret.clone())
                .flatten()
                .unwrap_or_default();
            spawn_local(async move {
                let path = ["/v1/signin/", &flow, "/redeem"].concat();
                let body = serde_json::to_string(&RedeemRequest { secret }).ok();
                let answer = post(&path, None, body, 0).await.and_then(|answer| {
                    if answer.is_pending() {
                        Ok(None)
                    } else {
                        answer
                            .read()
                            .map(|reply| Some(SessionReplyBox(Box::new(reply))))
                    }
                });
                take(Event::Redeemed(ask, answer));
            });
        }
        Effect::Renew(ask) => spawn_local(async move {
            let answer = post("/v1/session/renew", token(), None, 0)
                .await
                .and_then(|answer| answer.read())
                .map(|reply| SessionReplyBox(Box::new(reply)));
            take(Event::Renewed(ask, answer));
        }),
        Effect::SignOut(token) => spawn_local(async move {
            let _ = call(Call {
                method: Method::DELETE,
                path: "/v1/session",
                token: Some(&token),
                body: None,
                held_ms: 0,
            })
            .await;
        }),
        Effect::List(ask) => spawn_local(async move {
            let answer = get("/v1/spreadsheets").await;
            take(Event::Listed(ask, answer.and_then(|answer| answer.read())));
        }),
        Effect::Tabs(ask, id) => spawn_local(async move {
            let id = String::from(js_sys::encode_uri_component(&id));
            let answer = get(&["/v1/spreadsheets/", &id].concat()).await;
            take(Event::Tabs(ask, answer.and_then(|answer| answer.read())));
        }),
        Effect::Ticket(turn, sheet) => ticket(turn, sheet),
        Effect::OpenSocket(turn, join) => open_socket(turn, join),
        Effect::Send(frame) => send(frame),
        Effect::CloseSocket => close_socket(),
        Effect::Poll(turn, request) => poll(turn, request),
        Effect::SetTwoWay(token, request) => spawn_local(async move {
            let answer = send_body(Method::PUT, "/v1/two-way", &request).await;
            take(Event::TwoWay(token, answer));
        }),
        Effect::Write(token, request) => spawn_local(async move {
            let answer = send_body(Method::POST, "/v1/write", &request).await;
            take(Event::Wrote(token, answer));
        }),
        Effect::OpenWindow(url) => {
            if let Some(window) = leptos::web_sys::window() {
                let _ = window.open_with_url_and_target(&url, "_blank");
            }
        }
        Effect::StartTimer(timer, token, ms) => start_timer(timer, token, ms),
        Effect::EvaluateFlags => {
            let key = with(|shell| shell.panel.targeting_key.get_value()).flatten();
            if let Some(key) = key {
                evaluation::evaluate(key);
            }
        }
    }
}

async fn get(path: &str) -> Result<crate::relay::Answer, Failure> {
    call(Call {
        method: Method::GET,
        path,
        token: token().as_deref(),
        body: None,
        held_ms: 0,
    })
    .await
}

async fn post(
    path: &str,
    token: Option<String>,
    body: Option<String>,
    held_ms: u32,
) -> Result<crate::relay::Answer, Failure> {
    call(Call {
        method: Method::POST,
        path,
        token: token.as_deref(),
        body,
        held_ms,
    })
    .await
}

/// Sends a body with the session and reads the answer.
async fn send_body<T: DeserializeOwned>(
    method: Method,
    path: &str,
    body: &impl Serialize,
) -> Result<T, Failure> {
    let answer = call(Call {
        method,
        path,
        token: token().as_deref(),
        body: serde_json::to_string(body).ok(),
        held_ms: 0,
    })
    .await;
    answer.and_then(|answer| answer.read())
}

/// Bytes as base64url without padding, by the browser.
fn base64url(bytes: &[u8]) -> Option<String> {
    let binary: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = leptos::web_sys::window()?.btoa(&binary).ok()?;
    Some(text.replace('+', "-").replace('/', "_").replace('=', ""))
}

fn begin_sign_in(ask: u32) {
    let mut secret = [0_u8; 32];
    let filled = leptos::web_sys::window()
        .and_then(|window| window.crypto().ok())
        .is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut secret).is_ok());
    // The browser's own digest is missing in a page without an origin, which the panel is.
    let challenge = base64url(&Sha256::digest(secret));
    let (true, Some(kept), Some(challenge)) = (filled, base64url(&secret), challenge) else {
        take_later(Event::Begun(ask, Err(Failure::Unreadable)));
        return;
    };
    with(|shell| shell.secret = Some(kept));
    spawn_local(async move {
        let body = serde_json::to_string(&SignInRequest { challenge }).ok();
        let answer = post("/v1/signin", None, body, 0).await;
        take(Event::Begun(ask, answer.and_then(|answer| answer.read())));
    });
}

fn ticket(turn: u32, sheet: SheetRef) {
    spawn_local(async move {
        let body = serde_json::to_string(&sheet).ok();
        let answer = post("/v1/tickets", token(), body, 0).await;
        let ticket = answer
            .and_then(|answer| answer.read::<TicketReply>())
            .map(|reply| reply.ticket);
        take(Event::Ticket(turn, ticket));
    });
}

fn poll(turn: u32, request: PollRequest) {
    spawn_local(async move {
        let held_ms = u32::try_from(request.wait_ms).unwrap_or(u32::MAX / 2);
        let body = serde_json::to_string(&request).ok();
        let answer = post("/v1/poll", token(), body, held_ms).await;
        let reply = answer.and_then(|answer| answer.read::<PollReply>());
        take(Event::Polled(turn, reply));
    });
}

fn open_socket(turn: u32, join: ClientFrame) {
    // `http://…` becomes `ws://…`, `https://…` becomes `wss://…`.
    let opened = evaluation::relay_origin()
        .and_then(|origin| Some(["ws", origin.strip_prefix("http")?, "/v1/live"].concat()))
        .and_then(|address| WebSocket::open(&address).ok());
    let Some(socket) = opened else {
        take_later(Event::Socket(turn, SocketEvent::Closed));
        return;
    };
    let (mut write, mut read) = socket.split();
    let slot = Rc::new(RefCell::new(None));
    with(|shell| {
        shell.socket = Some(Socket {
            turn,
            write: Rc::clone(&slot),
        });
    });
    spawn_local(async move {
        if write.send(Message::Text(encode(&join))).await.is_err() {
            take(Event::Socket(turn, SocketEvent::Closed));
            return;
        }
        *slot.borrow_mut() = Some(write);
        loop {
            let event = match read.next().await {
                Some(Ok(Message::Text(text))) => {
                    decode(&text).map_or(SocketEvent::Unreadable, SocketEvent::Frame)
                }
                Some(Ok(Message::Bytes(_))) => SocketEvent::Unreadable,
                Some(Err(_)) | None => SocketEvent::Closed,
            };
            let ended = event == SocketEvent::Closed;
            take(Event::Socket(turn, event));
            let is_current = with(|shell| {
                shell
                    .socket
                    .as_ref()
                    .is_some_and(|socket| socket.turn == turn)
            });
            if ended || is_current != Some(true) {
                // Dropping both halves closes it.
                slot.borrow_mut().take();
                return;
            }
        }
    });
}

fn send(frame: ClientFrame) {
    let slot = with(|shell| shell.socket.as_ref().map(|socket| Rc::clone(&socket.write))).flatten();
    let Some(slot) = slot else {
        return;
    };
    spawn_local(async move {
        let write = slot.borrow_mut().take();
        if let Some(mut write) = write {
            let sent = write.send(Message::Text(encode(&frame))).await.is_ok();
            if sent {
                *slot.borrow_mut() = Some(write);
            }
        }
    });
}

fn close_socket() {
    let socket = with(|shell| shell.socket.take()).flatten();
    if let Some(socket) = socket {
        spawn_local(async move {
            let write = socket.write.borrow_mut().take();
            if let Some(mut write) = write {
                let _ = write.close().await;
            }
        });
    }
}

/// Hands an event over once the present one is done with.
fn take_later(event: Event) {
    spawn_local(async move { take(event) });
}

fn start_timer(timer: Timer, token: u32, ms: u64) {
    let place = match timer {
        Timer::Redeem => 0,
        Timer::Renew => 1,
        Timer::Retry => 2,
        Timer::Silence => 3,
        Timer::Poll => 4,
        Timer::TrySocket => 5,
        Timer::Flags => 6,
        Timer::Word => 7,
        Timer::Nonce => 8,
        Timer::Write => 9,
    };
    let ms = u32::try_from(ms).unwrap_or(u32::MAX).min(i32::MAX as u32);
    let timeout = Timeout::new(ms, move || take(Event::Timer(timer, token)));
    // Replacing the last of its kind calls that one off; its token is out of date.
    with(|shell| shell.timers[place] = Some(timeout));
}
