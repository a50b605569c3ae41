//! Fake Google, the whole relay on a free port, a person at the browser, and clients.
//!
//! Owns starting and stopping them.

use std::time::Duration;

use fake_google::{Consent, FakeGoogle, NewSpreadsheet, QuotaLimits, Settings, Share};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use sheetwire_core::protocol::relay::{
    Bid, ClientFrame, CloseReason, PollReply, PollRequest, Position, RedeemRequest, RelayFrame,
    SessionReply, SheetRef, SignInReply, SignInRequest, TicketReply, VERSION, decode, encode,
};
use sheetwire_relay::config::{Config, Limits};
use sheetwire_relay::secret::{Hash, bytes_from_base64url, random_token};
use sheetwire_relay::server::{self, RunError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longest wait for anything; only a broken program comes near.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const ANA: &str = "ana@example.com";
pub const BEN: &str = "ben@example.com";

/// A running relay.
struct Relay {
    port: u16,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

/// Everything that runs.
pub struct World {
    pub google: FakeGoogle,
    relay: Option<Relay>,
    limits: Limits,
    /// Where the relay is seen from outside, if not where it listens.
    public_url: Option<&'static str>,
    /// The scopes that it asks for, if not the usual ones.
    scopes: &'static str,
    pub http: reqwest::Client,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::limited(|_| {}).await
    }

    /// With other limits.
    pub async fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::built(change, None, "").await
    }

    /// Seen from outside under another address.
    pub async fn seen_as(public_url: &'static str) -> Self {
        Self::built(|_| {}, Some(public_url), "").await
    }

    /// Asking for other scopes.
    pub async fn scoped(scopes: &'static str) -> Self {
        Self::built(|_| {}, None, scopes).await
    }

    async fn built(
        change: impl FnOnce(&mut Limits),
        public_url: Option<&'static str>,
        scopes: &'static str,
    ) -> Self {
        let mut limits = Limits {
            requests_per_minute: 10_000,
            ..Limits::default()
        };
        change(&mut limits);
        let quota = QuotaLimits {
            reads_per_project: 100_000,
            reads_per_user: 100_000,
            ..QuotaLimits::default()
        };
        let settings = Settings {
            quota,
            ..Settings::default()
        };
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let mut world = World {
            google: FakeGoogle::start_with(settings).await.expect("a free port"),
            relay: None,
            limits,
            public_url,
            scopes,
            http: http.build().expect("a client"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        world.start_relay().await;
        world
    }

    async fn start_relay(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let google = self.google.base_url();
        let store = self.folder.path().join("relay.db");
        let set = |name: &str, value: String| (name.to_owned(), value);
        let mut config = Config::load([
            set("SHEETWIRE_STORE", store.to_str().expect("UTF-8").to_owned()),
            set(
                "SHEETWIRE_STORE_KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
            ),
            set(
                "SHEETWIRE_GOOGLE_CLIENT_ID",
                fake_google::DEFAULT_CLIENT_ID.to_owned(),
            ),
            set(
                "SHEETWIRE_GOOGLE_CLIENT_SECRET",
                fake_google::DEFAULT_CLIENT_SECRET.to_owned(),
            ),
            set(
                "SHEETWIRE_GOOGLE_AUTH_URL",
                format!("{google}/o/oauth2/v2/auth"),
            ),
            set("SHEETWIRE_GOOGLE_TOKEN_URL", format!("{google}/token")),
            set("SHEETWIRE_GOOGLE_REVOKE_URL", format!("{google}/revoke")),
            set(
                "SHEETWIRE_PUBLIC_URL",
                self.public_url.unwrap_or_default().to_owned(),
            ),
            set("SHEETWIRE_GOOGLE_SCOPES", self.scopes.to_owned()),
            set("SHEETWIRE_SHEETS_URL", google.to_owned()),
            set("SHEETWIRE_DRIVE_URL", google.to_owned()),
            // Sheets are read when somebody asks.
            set("SHEETWIRE_POLL_ACTIVE_MS", "600000".to_owned()),
            set("SHEETWIRE_POLL_REFRESH_MIN_MS", "0".to_owned()),
        ])
        .expect("a good configuration");
        config.limits = self.limits.clone();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server::run(listener, config, async {
            let _ = stopped.await;
        }));
        self.relay = Some(Relay { port, stop, task });
    }

    /// Stops the relay as a signal would, and starts it again on the same store.
    pub async fn restart(&mut self) {
        let Relay { stop, task, .. } = self.relay.take().expect("runs");
        stop.send(()).expect("the relay waits for it");
        let ended = timeout(PATIENCE, task)
            .await
            .expect("in time")
            .expect("no panic");
        ended.expect("a graceful end");
        self.start_relay().await;
    }

    /// The bytes of the store, with what SQLite keeps beside it.
    pub fn store_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).expect("a folder") {
            bytes.extend(std::fs::read(entry.expect("an entry").path()).expect("readable"));
        }
        bytes
    }

    pub fn at(&self, path: &str) -> String {
        format!(
            "http://localhost:{}{path}",
            self.relay.as_ref().expect("runs").port
        )
    }

    /// Ana's spreadsheet, which Ben may read.
    pub fn spreadsheet(&self) -> SheetRef {
        let made = NewSpreadsheet::of_texts("Brand", &[&["name", "light"], &["blue", "#00f"]]);
        let made = self.google.create_spreadsheet(made).expect("made");
        self.google
            .share(Share {
                spreadsheet_id: made.spreadsheet_id.clone(),
                account: BEN.to_owned(),
                role: Some(fake_google::Role::Reader),
            })
            .expect("shared");
        SheetRef {
            spreadsheet_id: made.spreadsheet_id,
            sheet_id: made.sheets[0].sheet_id,
        }
    }

    pub fn edit(&self, sheet: &SheetRef, value: &str) {
        self.google
            .edit_cell(&sheet.spreadsheet_id, sheet.sheet_id, 1, 1, value)
            .expect("edited");
    }

    /// Begins a sign-in as the plugin does.
    pub async fn begin(&self) -> Flow {
        let secret = random_token();
        let bytes = bytes_from_base64url(secret.expose()).expect("32 bytes");
        let challenge = Hash::of(&bytes).to_base64url();
        let body = encode(&SignInRequest { challenge });
        let (status, reply) = self.request("POST", "/v1/signin", "", body).await;
        assert_eq!(status, 200, "{reply}");
        Flow {
            reply: serde_json::from_str(&reply).expect("a flow"),
            secret: secret.expose().to_owned(),
        }
    }

    /// Opens the page with the code, as a browser without cookies.
    pub async fn open(&self, flow: &Flow) -> Page {
        let page = self.http.get(&flow.reply.url).send().await.expect("a page");
        let headers = page.headers().clone();
        let cookie = headers[SET_COOKIE].to_str().expect("a text");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let html = page.text().await.expect("a text");
        let proof = html
            .split("name=\"proof\" value=\"")
            .nth(1)
            .expect("a proof");
        let proof = proof.split('"').next().expect("quoted").to_owned();
        Page {
            headers,
            html,
            cookie,
            proof,
        }
    }

    /// Sends the page's form; the address of Google's page, or the status of what is shown instead.
    pub async fn decide(&self, flow: &Flow, page: &Page, decision: &str) -> Result<String, u16> {
        let form = [("proof", page.proof.as_str()), ("decision", decision)];
        let sent = self
            .http
            .post(&flow.reply.url)
            .header(COOKIE, &page.cookie)
            .form(&form);
        let sent = sent.send().await.expect("sent");
        match sent.headers().get(LOCATION) {
            Some(location) => Ok(location.to_str().expect("a text").to_owned()),
            None => Err(sent.status().as_u16()),
        }
    }

    /// The browser comes back from Google.
    pub async fn come_back(&self, cookie: &str, address: &str) -> (u16, String) {
        let back = self
            .http
            .get(address)
            .header(COOKIE, cookie)
            .send()
            .await
            .expect("sent");
        (back.status().as_u16(), back.text().await.expect("a text"))
    }

    /// What the plugin gets for its secret.
    pub async fn redeem(&self, flow: &Flow) -> Result<SessionReply, (u16, String)> {
        let path = format!("/v1/signin/{}/redeem", flow.reply.flow);
        let body = encode(&RedeemRequest {
            secret: flow.secret.clone(),
        });
        let (status, reply) = self.request("POST", &path, "", body).await;
        if status == 200 {
            return Ok(serde_json::from_str(&reply).expect("a session"));
        }
        Err((status, reply))
    }

    /// Why the plugin gets nothing for its secret.
    pub async fn refused(&self, flow: &Flow) -> (u16, String) {
        match self.redeem(flow).await {
            Ok(session) => panic!("a session for {}", session.account),
            Err(refused) => refused,
        }
    }

    /// Everything up to the return from Google.
    pub async fn consent(&self, flow: &Flow, consent: &Consent) -> (u16, String) {
        let page = self.open(flow).await;
        assert!(
            page.html.contains(&flow.reply.code),
            "the page shows the code"
        );
        let to_google = self
            .decide(flow, &page, "continue")
            .await
            .expect("to Google");
        let back = self
            .google
            .sign_in(&to_google, consent)
            .await
            .expect("sent back");
        self.come_back(&page.cookie, &back).await
    }

    /// The whole sign-in; gives the session's token.
    pub async fn sign_in(&self, consent: &Consent) -> String {
        let flow = self.begin().await;
        let (status, html) = self.consent(&flow, consent).await;
        assert_eq!(status, 200, "{html}");
        let session = self.redeem(&flow).await.expect("a session");
        assert_eq!(session.account, consent.account);
        session.session
    }

    /// A request of the panel's; an empty session is nobody's.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        session: &str,
        body: String,
    ) -> (u16, String) {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, self.at(path)).body(body);
        request = request.header("content-type", "application/json");
        if !session.is_empty() {
            request = request.bearer_auth(session);
        }
        let reply = timeout(PATIENCE, request.send())
            .await
            .expect("in time")
            .expect("sent");
        (reply.status().as_u16(), reply.text().await.expect("a text"))
    }

    /// What a browser asks before a request of the panel's.
    pub async fn preflight(&self, path: &str) -> HeaderMap {
        let request = self
            .http
            .request(reqwest::Method::OPTIONS, self.at(path))
            .header("origin", "null")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,if-none-match",
            );
        let reply = request.send().await.expect("sent");
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
        reply.headers().clone()
    }

    pub async fn ticket(&self, session: &str, sheet: &SheetRef) -> Result<String, (u16, String)> {
        let (status, body) = self
            .request("POST", "/v1/tickets", session, encode(sheet))
            .await;
        if status == 200 {
            let reply: TicketReply = serde_json::from_str(&body).expect("a ticket");
            return Ok(reply.ticket);
        }
        Err((status, body))
    }

    pub async fn poll(
        &self,
        session: &str,
        sheet: &SheetRef,
        resume: Option<&Position>,
    ) -> Vec<RelayFrame> {
        let request = PollRequest {
            v: VERSION,
            sheet: sheet.clone(),
            resume: resume.cloned(),
            wait_ms: 0,
            bid: None,
            more: Vec::new(),
        };
        let (status, body) = self
            .request("POST", "/v1/poll", session, encode(&request))
            .await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<PollReply>(&body)
            .expect("frames")
            .frames
    }

    pub async fn join(&self, session: &str, sheet: &SheetRef, resume: Option<&Position>) -> Socket {
        self.join_to_write(session, sheet, resume, None).await
    }

    /// Joins and bids.
    pub async fn join_to_write(
        &self,
        session: &str,
        sheet: &SheetRef,
        resume: Option<&Position>,
        bid: Option<Bid>,
    ) -> Socket {
        let ticket = self.ticket(session, sheet).await.expect("a ticket");
        let url = self.at("/v1/live").replace("http:", "ws:");
        let (socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("upgraded");
        let mut socket = Socket(socket);
        let resume = resume.cloned();
        socket
            .say(&ClientFrame::Join {
                v: VERSION,
                ticket,
                resume,
                bid,
                more: Vec::new(),
            })
            .await;
        socket
    }
}

/// A sign-in under way.
pub struct Flow {
    pub reply: SignInReply,
    pub secret: String,
}

/// The page with the code.
pub struct Page {
    pub headers: HeaderMap,
    pub html: String,
    pub cookie: String,
    pub proof: String,
}

/// A WebSocket client.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn say(&mut self, frame: &ClientFrame) {
        self.0
            .send(Message::text(encode(frame)))
            .await
            .expect("sent");
    }

    pub async fn refresh(&mut self) {
        self.say(&ClientFrame::Refresh { v: VERSION }).await;
    }

    pub async fn expect(&mut self) -> RelayFrame {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("in time") {
                Some(Ok(Message::Text(text))) => return decode(&text).expect("a frame"),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the relay is gone: {other:?}"),
            }
        }
    }

    /// The fence of the next word about who writes, and whether it is this client.
    pub async fn writer(&mut self) -> (bool, u64) {
        loop {
            if let RelayFrame::Writer { you, fence, .. } = self.expect().await {
                return (you, fence);
            }
        }
    }

    /// The cells of the next changes. Heartbeats do not make the wait longer.
    pub async fn changes(&mut self) -> String {
        let changes = async {
            loop {
                if let RelayFrame::Changes { cells, .. } = self.expect().await {
                    return cells;
                }
            }
        };
        timeout(PATIENCE, changes).await.expect("in time")
    }

    pub async fn snapshot(&mut self) -> (Position, String) {
        match self.expect().await {
            RelayFrame::Snapshot {
                position, cells, ..
            } => (position, cells),
            other => panic!("no snapshot: {other:?}"),
        }
    }

    /// Everything up to the reason of closing.
    pub async fn closing(&mut self) -> (Vec<RelayFrame>, CloseReason) {
        let mut before = Vec::new();
        loop {
            match self.expect().await {
                RelayFrame::Closing { reason, .. } => return (before, reason),
                frame => before.push(frame),
            }
        }
    }
}
