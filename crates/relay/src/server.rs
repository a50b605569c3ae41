//! The server: every part put together, and the layers around them.
//!
//! Owns start and stop, what every request passes (limits, CORS, logs), and where each route is. Must not know what a
//! route does.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use sheetwire_core::protocol::relay::{ErrorCode, RedeemRequest, SignInRequest, WRITE_BYTES_MAX};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use url::Url;

use crate::callers::Callers;
use crate::config::Config;
use crate::error::Refusal;
use crate::flags::FlagsError;
use crate::google_read::GoogleRead;
use crate::live::Live;
use crate::people::{People, client};
use crate::secret::random_name;
use crate::signin::{self, SignIn};
use crate::spreadsheets::{self, Spreadsheets};
use crate::store::{Store, StoreError};
use crate::writes::{self, Writes};

/// Longest body of a request outside the live half, in bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Longest answer of a request that does not wait for something to happen.
const REQUEST_WAIT: Duration = Duration::from_secs(90);
/// How many accounts' requests one address may make: an office goes out by one.
const ACCOUNTS_AN_ADDRESS: u32 = 20;
/// Longest wait for a connection to Google.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Longest wait for the whole of a token request.
const TOKEN_WAIT: Duration = Duration::from_secs(20);

/// Why the server can't run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The flag document can't be used.
    #[error(transparent)]
    Flags(#[from] FlagsError),
    /// An address of the configuration is none.
    #[error("an address of the configuration can't be used: {0}")]
    Address(#[from] url::ParseError),
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made: {0}")]
    Client(#[from] reqwest::Error),
    /// Listening failed.
    #[error("listening failed: {0}")]
    Listen(#[from] std::io::Error),
}

/// The addresses that ask, and how often.
struct Addresses {
    trust_proxy: bool,
    callers: Callers<IpAddr>,
}

impl Addresses {
    /// Whose request it is. Behind a proxy of our own its last entry is the client's address; in front of none, the
    /// header is whatever the client likes.
    fn address(&self, headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
        let forwarded = || {
            headers
                .get_all("x-forwarded-for")
                .iter()
                .next_back()?
                .to_str()
                .ok()?
                .rsplit(',')
                .next()?
                .trim()
                .parse()
                .ok()
        };
        self.trust_proxy
            .then(forwarded)
            .flatten()
            .unwrap_or_else(|| peer.ip())
    }
}

/// Serves until `shutdown` is done and everybody has left, or until the time that the limits give for that.
///
/// # Errors
/// [`RunError`] when a part can't be started, or when listening fails.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RunError> {
    let port = listener.local_addr()?.port();
    let public_url = match config.public_url.clone() {
        Some(url) => url,
        None => Url::parse(&format!("http://localhost:{port}"))?,
    };
    let store = {
        let (path, key) = (config.store.clone(), config.store_key.clone());
        tokio::task::spawn_blocking(move || Store::open(&path, &key))
            .await
            .map_err(|_| StoreError::Busy)??
    };
    let mut redirect = public_url.clone();
    redirect.set_path("/oauth/callback");
    let tokens = reqwest::Client::builder()
        // A redirect of the token endpoint would carry secrets elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WAIT)
        .timeout(TOKEN_WAIT)
        .build()?;
    let reads = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WAIT)
        .build()?;
    let people = Arc::new(People::new(
        &config,
        store,
        client(&config.google, redirect.to_string())?,
        tokens,
    ));
    let live = Live::new(&config, reads.clone(), people.clone()).await?;
    let signin = Arc::new(SignIn::new(
        config.google.clone(),
        config.limits.clone(),
        public_url,
        people.clone(),
    ));
    let spreadsheets = Arc::new(Spreadsheets::new(
        people.clone(),
        GoogleRead::new(&config.google, reads.clone(), people.clone()),
    ));
    let writes = Arc::new(Writes::new(
        &config,
        people.clone(),
        live.rooms().clone(),
        GoogleRead::new(&config.google, reads, people.clone()),
    ));
    let per_minute = config.limits.requests_per_minute;
    let addresses = Arc::new(Addresses {
        trust_proxy: config.trust_proxy,
        callers: Callers::new(per_minute.saturating_mul(ACCOUNTS_AN_ADDRESS)),
    });

    let routes = routes(
        &live,
        signin.clone(),
        spreadsheets,
        writes.clone(),
        addresses.clone(),
    );

    let (stop, mut stopped) = watch::channel(false);
    let sign_outs = people.sign_outs();
    let following = tokio::spawn({
        let live = live.clone();
        async move { live.run(sign_outs).await }
    });
    let sweeping = tokio::spawn({
        let mut every = tokio::time::interval(config.limits.sweep);
        async move {
            loop {
                every.tick().await;
                signin.sweep();
                writes.sweep();
                addresses.callers.sweep(Instant::now());
                people.sweep().await;
            }
        }
    });
    let draining = tokio::spawn({
        let live = live.clone();
        async move {
            shutdown.await;
            tracing::info!("going down");
            live.drain().await;
            let _ = stop.send(true);
        }
    });
    tracing::info!(port, "listening");
    // A frame leaves at once, instead of waiting for the last one's acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let served = axum::serve(
        listener,
        routes.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown({
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    });
    let served = served.into_future();
    tokio::pin!(served);
    let result = tokio::select! {
        result = &mut served => result,
        // Whoever has not left by now is cut off.
        () = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(config.limits.drain).await;
        } => Ok(()),
    };
    following.abort();
    sweeping.abort();
    draining.abort();
    Ok(result?)
}

fn routes(
    live: &Arc<Live>,
    signin: Arc<SignIn>,
    spreadsheets: Arc<Spreadsheets>,
    writes: Arc<Writes>,
    addresses: Arc<Addresses>,
) -> Router {
    // The panel's page has no origin of its own: browsers send `Origin: null`. It never sends cookies, so that any
    // origin may be let in without lending it anybody's sign-in.
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
        ])
        .expose_headers([header::RETRY_AFTER, header::ETAG, REQUEST_ID])
        .max_age(Duration::from_secs(2 * 60 * 60));

    let begin = Router::new()
        .route("/v1/signin", post(begin))
        .with_state((signin.clone(), addresses.clone()));
    let accounts = Router::new()
        .route("/v1/signin/{flow}/redeem", post(redeem))
        .route("/v1/session/renew", post(signin::renew))
        .route("/v1/session", delete(signin::sign_out))
        .with_state(signin.clone());
    let sheets = Router::new()
        .route("/v1/spreadsheets", get(spreadsheets::list))
        .route("/v1/spreadsheets/{id}", get(spreadsheets::tabs))
        .with_state(spreadsheets);
    let writing = Router::new()
        .route("/v1/two-way", put(writes::switch))
        .route("/v1/write", post(writes::write))
        .layer(DefaultBodyLimit::max(WRITE_BYTES_MAX))
        .with_state(writes);
    let short = begin
        .merge(accounts)
        .merge(sheets)
        .merge(writing)
        .merge(live.short_routes())
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_WAIT,
        ));
    let api = short
        .merge(live.long_routes())
        .layer(middleware::from_fn_with_state(addresses.clone(), count))
        .layer(middleware::map_response(worded))
        .layer(cors);
    let pages = Router::new()
        .route("/signin/{flow}", get(signin::show).post(signin::confirm))
        .route("/oauth/callback", get(signin::callback))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_WAIT,
        ))
        .layer(middleware::from_fn_with_state(addresses, count))
        .with_state(signin);
    let trace = TraceLayer::new_for_http().make_span_with(|request: &Request| {
        // The route as it is written: a path may hold an id, a query a code.
        let route = request
            .extensions()
            .get::<axum::extract::MatchedPath>()
            .map_or("-", axum::extract::MatchedPath::as_str);
        let id = request
            .extensions()
            .get::<RequestId>()
            .and_then(|id| id.header_value().to_str().ok())
            .unwrap_or("-");
        tracing::info_span!("request", id, method = %request.method(), route)
    });
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .merge(api)
        .merge(pages)
        .fallback(async || nothing())
        .layer(middleware::map_response(named))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(trace)
        .layer(SetRequestIdLayer::new(REQUEST_ID, Numbered))
        .layer(middleware::map_request(nameless))
}

/// Where a request's id stands, in its reply and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives requests random ids.
#[derive(Clone)]
struct Numbered;

impl MakeRequestId for Numbered {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&random_name())
            .ok()
            .map(RequestId::new)
    }
}

/// Takes no id from outside: it would stand in the log as it was sent.
async fn nameless(mut request: Request) -> Request {
    request.headers_mut().remove(REQUEST_ID);
    request
}

/// Gives every refusal of the API its body: those of the layers and of axum's own readers come without.
async fn worded(bare: Response) -> Response {
    let status = bare.status();
    let is_json = bare
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return bare;
    }
    let refusal = match status {
        StatusCode::NOT_FOUND => nothing(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Refusal::bad_request("This address takes no such request.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
            ErrorCode::SheetTooLarge,
            "The request is too large.",
            "Update the plugin.",
        ),
        _ if status.is_client_error() => Refusal::bad_request("The request could not be read."),
        _ => Refusal::unavailable("The relay did not answer in time."),
    };
    let mut worded = refusal.into_response();
    *worded.status_mut() = status;
    for (name, value) in bare.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            worded.headers_mut().insert(name, value.clone());
        }
    }
    worded
}

fn nothing() -> Refusal {
    Refusal::new(
        ErrorCode::NotFound,
        "There is nothing at this address.",
        "Check the address of the relay.",
    )
}

/// Says what the server is not to be taken for.
async fn named(mut response: Response) -> Response {
    response.headers_mut().insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Turns addresses away that ask too often; accounts are counted where they are recognised.
async fn count(
    State(addresses): State<Arc<Addresses>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let address = addresses.address(request.headers(), peer);
    match addresses.callers.count(address, Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(wait) => Refusal::too_many(wait).into_response(),
    }
}

/// `POST /v1/signin`.
async fn begin(
    State((signin, addresses)): State<(Arc<SignIn>, Arc<Addresses>)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<SignInRequest>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let Ok(Json(request)) = body else {
        return Refusal::bad_request("The sign-in could not be read.").into_response();
    };
    match signin.begin(&request, addresses.address(&headers, peer)) {
        Ok(reply) => signin::no_store(Json(reply).into_response()),
        Err(refusal) => refusal.into_response(),
    }
}

/// `POST /v1/signin/{flow}/redeem`.
async fn redeem(
    State(signin): State<Arc<SignIn>>,
    Path(name): Path<String>,
    body: Result<Json<RedeemRequest>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let Ok(Json(request)) = body else {
        return Refusal::bad_request("The secret could not be read.").into_response();
    };
    match signin.redeem(&name, &request).await {
        Ok(Some(reply)) => signin::no_store(Json(reply).into_response()),
        Ok(None) => StatusCode::ACCEPTED.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_forwarded_address_counts_and_only_behind_a_proxy() {
        let peer = SocketAddr::from(([10, 0, 0, 1], 1));
        let cases: &[(bool, &[&str], &str)] = &[
            (false, &["192.0.2.1"], "10.0.0.1"),
            (true, &[], "10.0.0.1"),
            (true, &["192.0.2.1"], "192.0.2.1"),
            // What stands before the proxy's own entry is the client's invention.
            (true, &["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
            (true, &["198.51.100.7", "2001:db8::1"], "2001:db8::1"),
            (true, &["192.0.2.1, nonsense"], "10.0.0.1"),
        ];
        for (trust_proxy, lines, expected) in cases {
            let addresses = Addresses {
                trust_proxy: *trust_proxy,
                callers: Callers::new(1),
            };
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            let address = addresses.address(&headers, peer);
            assert_eq!(address.to_string(), *expected, "{trust_proxy} {lines:?}");
        }
    }
}
