//! The service: reading requests, carrying out faults, finding methods, keeping the journal, sending notices.
//!
//! Owns HTTP. Must not know what the methods do, nor the rules of OAuth.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, broadcast, oneshot, watch};
use tower_http::cors::CorsLayer;

use crate::discovery::{self, Found, Route};
use crate::error::ApiError;
use crate::fault::{self, FaultKind};
use crate::field_mask::FieldMask;
use crate::journal::JournalEntry;
use crate::oauth::{self, TokenError, endpoints};
use crate::sheets::api::{self, Call};
use crate::watch::{Delivery, NOTICES_MAX};
use crate::world::{Caller, GridEvent, Settings, World};
use crate::{control, drive, grid};

/// The longest body of a request; Google recommends 2 MB and refuses far larger ones.
const REQUEST_BYTES_MAX: usize = 10 * 1024 * 1024;
/// How long a hanging request hangs at most, in milliseconds; the API's own time-out is 180 s.
const HANG_MS_MAX: u64 = 180_000;
/// Grid events that a slow reader may lag behind before it reads everything again.
const GRID_EVENTS_MAX: usize = 256;
/// How long a notice's receiver has for its answer, in milliseconds.
const NOTICE_TIMEOUT_MS: u64 = 10_000;
/// How long open connections have after the stop, in milliseconds.
const STOP_MS_MAX: u64 = 500;

/// What stands behind every handle.
pub(crate) struct Shared {
    world: Mutex<World>,
    base_url: String,
    events: broadcast::Sender<GridEvent>,
    /// Something may be due: a notice was queued, or the clock was set.
    wake: Notify,
    stop: watch::Sender<bool>,
    http: reqwest::Client,
}

/// A handle on fake Google's state. All handles share it; it needs no running server.
#[derive(Clone)]
pub struct Google(pub(crate) Arc<Shared>);

impl std::fmt::Debug for Google {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Google({})", self.0.base_url)
    }
}

impl Google {
    /// A fresh world that will be served by `listener`.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn new(listener: &TcpListener, settings: Settings) -> io::Result<Self> {
        let base_url = format!("http://localhost:{}", listener.local_addr()?.port());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(NOTICE_TIMEOUT_MS))
            .build()
            .map_err(io::Error::other)?;
        Ok(Google(Arc::new(Shared {
            world: Mutex::new(World::new(settings)),
            base_url,
            events: broadcast::channel(GRID_EVENTS_MAX).0,
            wake: Notify::new(),
            stop: watch::channel(false).0,
            http,
        })))
    }

    /// The origin of every address, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The world, locked.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the grid's readers, and looks whether a notice is due.
    pub(crate) fn tell(&self, events: Vec<GridEvent>) {
        for event in events {
            // Without readers there is nobody to tell.
            let _ = self.0.events.send(event);
        }
        self.0.wake.notify_one();
    }

    /// The grid's events from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<GridEvent> {
        self.0.events.subscribe()
    }

    /// Becomes true when the server is to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    /// The client for fake Google's own requests; it follows no redirect.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    async fn deliver_due(&self) {
        let due = {
            let mut world = self.world();
            let now_ms = world.now_ms();
            world.channels.due(now_ms)
        };
        debug_assert!(due.len() <= NOTICES_MAX);
        for delivery in due {
            self.deliver(delivery).await;
        }
    }

    async fn deliver(&self, delivery: Delivery) {
        let mut request = self
            .0
            .http
            .post(&delivery.address)
            .header(header::CONTENT_LENGTH, "0")
            .header(
                header::USER_AGENT,
                "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
            );
        for (name, value) in &delivery.headers {
            request = request.header(*name, value);
        }
        let answered = request.send().await.map(|reply| reply.status());
        // Only these are tried again; an address that can't be reached is as good as a 503.
        let again = match answered {
            Ok(status) => matches!(status.as_u16(), 500 | 502 | 503 | 504),
            Err(_) => true,
        };
        if again {
            let mut world = self.world();
            let now_ms = world.now_ms();
            world.channels.retry(delivery.notice, now_ms);
            drop(world);
            self.0.wake.notify_one();
        }
    }

    /// Sends notices when they are due, until the server stops.
    async fn send_notices(self) {
        let mut stopping = self.stopping();
        loop {
            self.deliver_due().await;
            let wait = {
                let world = self.world();
                let now_ms = world.now_ms();
                // A standing clock moves only by being set, which wakes this loop.
                world
                    .channels
                    .next_due_ms()
                    .filter(|_| world.clock.runs())
                    .map(|due| due.saturating_sub(now_ms))
            };
            let due = async {
                match wait {
                    Some(wait_ms) => tokio::time::sleep(Duration::from_millis(wait_ms)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = due => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }
}

/// Serves until `shutdown` is ready. The caller owns the port and the stopping.
///
/// # Errors
/// When the listener fails.
pub async fn run(
    listener: TcpListener,
    google: Google,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let notices = tokio::spawn(google.clone().send_notices());
    let app = Router::new()
        .merge(control::routes())
        .merge(grid::routes())
        .fallback(google_request)
        .layer(CorsLayer::permissive())
        .with_state(google.clone());
    let stop = google.0.stop.clone();
    let mut stopped = google.stopping();
    let graceful = async move {
        shutdown.await;
        stop.send_replace(true);
    };
    let service = app.into_make_service_with_connect_info::<Cut>();
    let server = axum::serve(Doors(listener), service).with_graceful_shutdown(graceful);
    let result = tokio::select! {
        result = async { server.await } => result,
        () = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(Duration::from_millis(STOP_MS_MAX)).await;
        } => Ok(()),
    };
    notices.abort();
    result
}

/// A running fake Google for tests: it serves on a free port and stops when dropped.
#[derive(Debug)]
pub struct FakeGoogle {
    google: Google,
    stop: Option<oneshot::Sender<()>>,
}

impl FakeGoogle {
    /// Starts with settings that suit tests: versions and notices follow an edit at once.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Settings {
            version_delay_ms: 0,
            notice_delay_ms: 0,
            ..Settings::default()
        })
        .await
    }

    /// Starts with these settings; [`Settings::default`] is as slow as real Google.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let google = Google::new(&listener, settings)?;
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(run(listener, google.clone(), async move {
            // An error means that the handle was dropped, which is the sign to stop.
            let _ = stopped.await;
        }));
        Ok(FakeGoogle {
            google,
            stop: Some(stop),
        })
    }
}

impl std::ops::Deref for FakeGoogle {
    type Target = Google;

    fn deref(&self) -> &Google {
        &self.google
    }
}

impl Drop for FakeGoogle {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended already.
            let _ = stop.send(());
        }
    }
}

/// The listener, whose connections can be reset.
struct Doors(TcpListener);

/// A connection, and the sign that it is to be reset.
struct Connection {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

/// The sign, as a handler sees it.
#[derive(Clone)]
struct Cut(Arc<AtomicBool>);

impl Connected<IncomingStream<'_, Doors>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        Cut(stream.io().cut.clone())
    }
}

impl axum::serve::Listener for Doors {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        (
            Connection {
                stream,
                cut: Arc::new(AtomicBool::new(false)),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.load(Ordering::Relaxed) {
            // No lingering: closing then sends RST instead of FIN.
            let _ = self.stream.set_zero_linger();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What is answered, before any fault.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
    location: Option<String>,
    challenge: Option<&'static str>,
}

impl Answer {
    /// A JSON body, in the spacing that Google uses.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Answer::spaced(status, body, true)
    }

    fn spaced(status: u16, body: &Value, pretty: bool) -> Self {
        let body = if pretty {
            format!("{body:#}\n")
        } else {
            body.to_string()
        };
        Answer {
            status,
            content_type: "application/json; charset=UTF-8",
            body,
            location: None,
            challenge: None,
        }
    }

    /// A page.
    pub(crate) fn html(status: u16, body: String) -> Self {
        Answer {
            status,
            content_type: "text/html; charset=utf-8",
            body,
            location: None,
            challenge: None,
        }
    }

    /// Sends the browser elsewhere.
    pub(crate) fn redirect(to: &str) -> Self {
        Answer {
            location: Some(to.to_owned()),
            ..Answer::html(302, String::new())
        }
    }

    fn empty() -> Self {
        Answer::html(204, String::new())
    }

    fn error(error: &ApiError, of_drive: bool) -> Self {
        Answer {
            challenge: error.challenge,
            ..Answer::json(error.status.as_u16(), &error.body(of_drive))
        }
    }

    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(Ok(location)) = self
            .location
            .map(|location| HeaderValue::from_str(&location))
        {
            headers.insert(header::LOCATION, location);
        }
        if let Some(challenge) = self.challenge {
            let value = format!("Bearer realm=\"https://accounts.google.com/\"{challenge}");
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(header::WWW_AUTHENTICATE, value);
            }
        }
        response
    }
}

/// A request to one of Google's addresses, read.
struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body)
            .into_owned()
            .collect()
    }
}

/// What handling came to, for the journal and those who must be told.
#[derive(Default)]
struct Told {
    method_id: Option<&'static str>,
    caller: Option<Caller>,
    events: Vec<GridEvent>,
}

async fn google_request(
    State(google): State<Google>,
    ConnectInfo(Cut(cut)): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await else {
        let message = "Request payload size exceeds the limit.";
        return (StatusCode::PAYLOAD_TOO_LARGE, message).into_response();
    };
    let query = parts.uri.query().unwrap_or("");
    let asked = Asked {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers: parts.headers,
        body,
    };
    let fault = fault::take(&mut google.world().faults, &asked.method, &asked.path);
    if let Some(FaultKind::Slow { delay_ms }) = fault {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    match &fault {
        Some(FaultKind::Hang) => {
            keep(&google, &asked, &Told::default(), 0, "", true);
            let mut stopping = google.stopping();
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(HANG_MS_MAX)) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
            cut.store(true, Ordering::Relaxed);
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Some(FaultKind::Reset) => {
            keep(&google, &asked, &Told::default(), 0, "", true);
            cut.store(true, Ordering::Relaxed);
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Some(
            FaultKind::Slow { .. }
            | FaultKind::Truncate
            | FaultKind::Lost
            | FaultKind::Status { .. }
            | FaultKind::RateLimitExceeded
            | FaultKind::Nonsense
            | FaultKind::Foreign
            | FaultKind::OauthError { .. }
            | FaultKind::OauthRedirect { .. },
        )
        | None => {}
    }
    let mut told = Told::default();
    let (answer, faulty) = match fault.as_ref().and_then(|fault| instead(fault, &asked)) {
        Some(answer) => (answer, true),
        None => {
            let forced = match &fault {
                Some(FaultKind::OauthRedirect { error }) => Some(error.clone()),
                Some(_) | None => None,
            };
            let mut world = google.world();
            (
                handled(&mut world, &google, &asked, forced, &mut told),
                false,
            )
        }
    };
    let truncated = fault == Some(FaultKind::Truncate);
    let lost = fault == Some(FaultKind::Lost);
    keep(
        &google,
        &asked,
        &told,
        answer.status,
        &answer.body,
        faulty || truncated || lost,
    );
    if told.method_id == Some("drive.files.watch") && google.world().settings.sync_before_reply {
        google.deliver_due().await;
    }
    google.tell(std::mem::take(&mut told.events));
    if lost {
        cut.store(true, Ordering::Relaxed);
    }
    if truncated {
        halved(answer)
    } else {
        answer.into_response()
    }
}

/// What a fault answers in place of Google, if it does.
fn instead(fault: &FaultKind, asked: &Asked) -> Option<Answer> {
    let of_drive = asked.path.starts_with("/drive/");
    match fault {
        FaultKind::Status { status } => {
            let error = match status {
                401 => ApiError::unauthenticated(),
                403 => ApiError::no_permission(),
                404 => ApiError::entity_not_found(),
                429 => ApiError::too_many_requests(),
                503 => ApiError::unavailable(),
                _ => ApiError {
                    status: StatusCode::from_u16(*status)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    ..ApiError::internal()
                },
            };
            Some(Answer::error(&error, of_drive))
        }
        FaultKind::RateLimitExceeded => Some(Answer::error(&ApiError::rate_limit_exceeded(), true)),
        FaultKind::Nonsense => Some(Answer {
            content_type: "application/json; charset=UTF-8",
            ..Answer::html(200, "<!doctype html><title>{\"error\": [".to_owned())
        }),
        FaultKind::Foreign => Some(Answer::json(
            200,
            &json!({"kind": "nobody#knows", "sheets": "none", "values": 7}),
        )),
        FaultKind::OauthError { error } => {
            let status = if error == "invalid_client" || error == "deleted_client" {
                401
            } else {
                400
            };
            Some(endpoints::token_error(&TokenError::new(
                status,
                error,
                "Bad Request",
            )))
        }
        FaultKind::Hang
        | FaultKind::Slow { .. }
        | FaultKind::Truncate
        | FaultKind::Lost
        | FaultKind::Reset
        | FaultKind::OauthRedirect { .. } => None,
    }
}

/// The first half of an answer that promised to be whole.
fn halved(answer: Answer) -> Response {
    let full = Bytes::from(answer.body.clone());
    let mut response = answer.into_response();
    let half = full.slice(..full.len() / 2);
    let pieces = [
        Ok(half),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ];
    *response.body_mut() = Body::from_stream(futures_util::stream::iter(pieces));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(full.len()));
    response
}

fn keep(
    google: &Google,
    asked: &Asked,
    told: &Told,
    status: u16,
    response_body: &str,
    fault: bool,
) {
    let mut world = google.world();
    let at_unix_ms = world.now_ms();
    world.journal.keep(JournalEntry {
        number: 0,
        at_unix_ms,
        method: asked.method.clone(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        method_id: told.method_id.map(str::to_owned),
        account: told.caller.as_ref().map(|caller| caller.account.clone()),
        scopes: told
            .caller
            .as_ref()
            .map_or_else(Vec::new, |caller| caller.scopes.iter().cloned().collect()),
        request_body: String::from_utf8_lossy(&asked.body).into_owned(),
        status,
        response_body: response_body.to_owned(),
        fault,
    });
}

fn handled(
    world: &mut World,
    google: &Google,
    asked: &Asked,
    forced: Option<String>,
    told: &mut Told,
) -> Answer {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/o/oauth2/v2/auth") => {
            let user_agent = asked.header(header::USER_AGENT).unwrap_or("");
            return endpoints::authorize(world, &asked.query, user_agent, forced);
        }
        ("POST", "/o/oauth2/v2/auth/continue") => return endpoints::proceed(world, &asked.form()),
        ("POST", "/token") => {
            return endpoints::token(world, &asked.form(), asked.header(header::AUTHORIZATION));
        }
        ("POST", "/revoke") => {
            let mut fields = asked.query.clone();
            fields.extend(asked.form());
            return endpoints::revoke(world, &fields);
        }
        _ => {}
    }
    let of_drive = asked.path.starts_with("/drive/");
    let found = match discovery::route(&asked.method, &asked.path) {
        Route::Method(found) => found,
        Route::Unanswered(id) => return Answer::error(&ApiError::not_faked(id), of_drive),
        Route::Unknown => {
            let body = format!(
                "Fake Google has nothing at {} {}.",
                asked.method,
                pages_path(&asked.path)
            );
            return Answer::html(404, body);
        }
    };
    told.method_id = Some(found.id);
    if found.id == "oauth2.tokeninfo" {
        return endpoints::tokeninfo(world, &asked.query);
    }
    match method(world, google, asked, &found, told) {
        Ok(Value::Null) => Answer::empty(),
        Ok(body) => {
            let compact =
                |(name, value): &(String, String)| name == "prettyPrint" && value == "false";
            Answer::spaced(200, &body, !asked.query.iter().any(compact))
        }
        Err(error) => Answer::error(&error, of_drive),
    }
}

fn pages_path(path: &str) -> String {
    oauth::pages::escaped(path)
}

/// The service and method as Google names them in an error of scopes.
fn rpc_name(id: &str) -> (&'static str, String) {
    let service = if id.starts_with("sheets.") {
        "sheets.googleapis.com"
    } else {
        "www.googleapis.com"
    };
    (service, id.to_owned())
}

fn method(
    world: &mut World,
    google: &Google,
    asked: &Asked,
    found: &Found,
    told: &mut Told,
) -> Result<Value, ApiError> {
    let authorization = asked
        .header(header::AUTHORIZATION)
        .ok_or_else(ApiError::unregistered_caller)?;
    let token = authorization
        .strip_prefix("Bearer ")
        .ok_or_else(ApiError::unauthenticated)?;
    let (caller, _, _) =
        oauth::caller(world, token.trim()).ok_or_else(ApiError::unauthenticated)?;
    told.caller = Some(caller.clone());
    if !found
        .method
        .scopes
        .iter()
        .any(|scope| caller.scopes.contains(scope))
    {
        let (service, name) = rpc_name(found.id);
        return Err(ApiError::insufficient_scopes(service, &name));
    }
    if let Some(used) = api::quota_use(found.id) {
        let (limits, now_ms) = (world.settings.quota, world.now_ms());
        world
            .quota
            .count(&limits, used, &caller.project, &caller.account, now_ms)
            .map_err(|exceeded| {
                ApiError::quota(exceeded.metric, exceeded.limit, &caller.project)
            })?;
    }
    let body =
        if asked.body.is_empty() {
            None
        } else {
            let read = serde_json::from_slice(&asked.body);
            Some(read.map_err(|_| {
                ApiError::invalid("Invalid JSON payload received. Unexpected token.")
            })?)
        };
    found
        .check(&asked.query, body.as_ref())
        .map_err(ApiError::invalid)?;
    let asked_mask = asked
        .query
        .iter()
        .find(|(name, _)| name == "fields")
        .map(|(_, mask)| mask.as_str());
    let default_mask = drive::default_fields(found.id);
    let mask = match asked_mask.or(default_mask) {
        Some(text) => FieldMask::read(text).map_err(|_| invalid_selection(text))?,
        None => FieldMask::everything(),
    };
    if let Some(unknown) = found
        .response()
        .and_then(|schema| mask.unknown_field(found.api, schema))
    {
        return Err(invalid_selection(&unknown));
    }
    let call = Call {
        found,
        query: &asked.query,
        body: body.as_ref(),
        caller: &caller,
        base_url: google.base_url(),
        mask: &mask,
        masked: asked_mask.is_some(),
    };
    let mut reply = if found.id.starts_with("sheets.") {
        api::answer(world, &call, &mut told.events)?
    } else if found.id.starts_with("drive.") {
        drive::answer(world, &call)?
    } else {
        let scopes: &BTreeSet<String> = &caller.scopes;
        endpoints::userinfo(world, &caller.account, scopes)
    };
    mask.cut(&mut reply);
    Ok(reply)
}

fn invalid_selection(field: &str) -> ApiError {
    ApiError {
        reason: "invalidParameter",
        ..ApiError::invalid(format!("Invalid field selection {field}"))
    }
}
