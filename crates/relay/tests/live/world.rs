//! What the cases share: fake Google, the live half on a free port, and clients.
//!
//! Owns starting and stopping them. Accounts are users by name: the token of a session is the account's address, and
//! fake Google gives the access token.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use fake_google::{CreatedSpreadsheet, FakeGoogle, NewSpreadsheet, QuotaLimits, Settings};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use sheetwire_core::protocol::relay::{
    Bid, ClientFrame, CloseReason, PollReply, PollRequest, Position, RelayFrame, SheetRef,
    TicketReply, VERSION, decode, encode,
};
use sheetwire_relay::config::{Config, Limits};
use sheetwire_relay::error::Refusal;
use sheetwire_relay::google_read::{Accounts, Caller};
use sheetwire_relay::live::Live;
use sheetwire_relay::secret::Secret;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Longest wait for anything; only a broken program comes near.
const PATIENCE: Duration = Duration::from_secs(30);
/// The scope of the tests' tokens.
const SCOPE: &str = "https://www.googleapis.com/auth/drive";
pub const ANA: &str = "ana@example.com";
pub const BEN: &str = "ben@example.com";

/// What a case sets.
pub struct Setup {
    pub settings: Vec<(&'static str, String)>,
    pub limits: Limits,
    pub google: Settings,
}

impl Default for Setup {
    /// Sheets are read when somebody asks and hardly ever else, so that reads can be counted.
    fn default() -> Self {
        let set = |name, value: &str| (name, value.to_owned());
        Setup {
            settings: vec![
                set("SHEETWIRE_POLL_ACTIVE_MS", "600000"),
                set("SHEETWIRE_POLL_REFRESH_MIN_MS", "0"),
                set("SHEETWIRE_POLL_READS_PER_MINUTE", "60000"),
            ],
            limits: Limits {
                retry_min: Duration::from_millis(5),
                retry_max: Duration::from_millis(20),
                flags_poll: Duration::from_millis(10),
                drain: Duration::from_secs(2),
                ..Limits::default()
            },
            google: Settings {
                quota: QuotaLimits {
                    reads_per_project: 100_000,
                    reads_per_user: 100_000,
                    ..QuotaLimits::default()
                },
                notice_delay_ms: 0,
                version_delay_ms: 0,
                ..Settings::default()
            },
        }
    }
}

impl Setup {
    /// Reads all the time.
    pub fn reading() -> Self {
        Self::default().with("SHEETWIRE_POLL_ACTIVE_MS", "10")
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
        self
    }

    pub fn limited(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }
}

/// Users by their addresses; those who signed out are users no more.
pub struct People {
    google: Arc<FakeGoogle>,
    gone: Mutex<HashSet<i64>>,
    signed_out: broadcast::Sender<i64>,
}

impl People {
    fn number(account: &str) -> Option<i64> {
        [ANA, BEN]
            .iter()
            .position(|known| *known == account)
            .map(|index| index as i64 + 1)
    }

    pub fn sign_out(&self, account: &str) {
        let user = Self::number(account).expect("an account of the tests");
        self.gone.lock().expect("whole").insert(user);
        self.signed_out.send(user).expect("the live half listens");
    }
}

impl Accounts for People {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> BoxFuture<'a, Result<Caller, Refusal>> {
        let user = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .and_then(Self::number)
            .filter(|user| !self.gone.lock().expect("whole").contains(user));
        async move {
            let user = user.ok_or_else(Refusal::signed_out)?;
            Ok(Caller {
                user,
                account: [ANA, BEN][user as usize - 1].to_owned(),
            })
        }
        .boxed()
    }

    fn access_token(&self, user: i64) -> BoxFuture<'_, Result<Secret, Refusal>> {
        async move {
            if self.gone.lock().expect("whole").contains(&user) {
                return Err(Refusal::signed_out());
            }
            let account = [ANA, BEN][user as usize - 1];
            let token = self.google.access_token(account, &[SCOPE]);
            Ok(Secret::new(token.expect("the default accounts exist")))
        }
        .boxed()
    }

    fn discard(&self, _: i64, _: &Secret) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

/// Everything that runs.
pub struct World {
    pub google: Arc<FakeGoogle>,
    pub people: Arc<People>,
    pub live: Arc<Live>,
    pub port: u16,
    http: reqwest::Client,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Self {
        let google = FakeGoogle::start_with(setup.google.clone())
            .await
            .expect("a free port");
        Self::beside(Arc::new(google), setup).await
    }

    /// Another relay in front of the same Google.
    pub async fn beside(google: Arc<FakeGoogle>, setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut settings = vec![
            set(
                "SHEETWIRE_STORE_KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ),
            set("SHEETWIRE_GOOGLE_CLIENT_ID", "sheetwire-demo.apps.example"),
            set("SHEETWIRE_GOOGLE_CLIENT_SECRET", "demo-client-secret"),
            set("SHEETWIRE_SHEETS_URL", google.base_url()),
            set("SHEETWIRE_DRIVE_URL", google.base_url()),
        ];
        for (name, value) in &setup.settings {
            settings.push(set(name, &value.replace("{port}", &port.to_string())));
        }
        let mut config = Config::load(settings).expect("a good configuration");
        config.limits = setup.limits;
        let (signed_out, listens) = broadcast::channel(16);
        let people = Arc::new(People {
            google: google.clone(),
            gone: Mutex::default(),
            signed_out,
        });
        let http = reqwest::Client::new();
        let live = Live::new(&config, http.clone(), people.clone())
            .await
            .expect("a good flag document");
        let routes = live.long_routes().merge(live.short_routes());
        let run = live.clone();
        let tasks = vec![
            tokio::spawn(async move { run.run(listens).await }),
            tokio::spawn(async move { axum::serve(listener, routes).await.expect("serves") }),
        ];
        World {
            google,
            people,
            live,
            port,
            http,
            tasks,
        }
    }

    /// A spreadsheet of Ana's with one sheet, which Ben may read.
    pub fn spreadsheet(&self, rows: &[&[&str]]) -> Sheet {
        let made = self
            .google
            .create_spreadsheet(NewSpreadsheet::of_texts("Brand", rows))
            .expect("made");
        let sheet = Sheet::first(&made);
        self.google
            .share(fake_google::Share {
                spreadsheet_id: sheet.0.spreadsheet_id.clone(),
                account: BEN.to_owned(),
                role: Some(fake_google::Role::Reader),
            })
            .expect("shared");
        sheet
    }

    /// Takes everybody's right but the owner's.
    pub fn unshare(&self, sheet: &Sheet, account: &str) {
        self.google
            .share(fake_google::Share {
                spreadsheet_id: sheet.0.spreadsheet_id.clone(),
                account: account.to_owned(),
                role: None,
            })
            .expect("unshared");
    }

    pub fn edit(&self, sheet: &Sheet, row: u32, column: u32, value: &str) {
        self.google
            .edit_cell(
                &sheet.0.spreadsheet_id,
                sheet.0.sheet_id,
                row,
                column,
                value,
            )
            .expect("edited");
    }

    /// How often cells were read, and titles.
    pub fn reads(&self) -> (usize, usize) {
        let journal = self.google.journal(0);
        let of_sheets = journal
            .iter()
            .filter(|entry| entry.path.starts_with("/v4/"));
        let (cells, titles): (Vec<_>, Vec<_>) =
            of_sheets.partition(|entry| entry.query.iter().any(|(name, _)| name == "ranges"));
        (cells.len(), titles.len())
    }

    /// A request; an empty account is nobody.
    pub async fn post(
        &self,
        path: &str,
        account: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> (u16, HeaderMap, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = self.http.post(url).body(body);
        if !account.is_empty() {
            request = request.bearer_auth(account);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = timeout(PATIENCE, request.send())
            .await
            .expect("in time")
            .expect("sent");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.text().await.expect("a text"))
    }

    pub async fn ticket(&self, account: &str, sheet: &Sheet) -> Result<String, (u16, String)> {
        let (status, _, body) = self
            .post("/v1/tickets", account, &[], encode(&sheet.0))
            .await;
        if status == 200 {
            let reply: TicketReply = serde_json::from_str(&body).expect("a ticket");
            return Ok(reply.ticket);
        }
        Err((status, body))
    }

    pub async fn poll(
        &self,
        account: &str,
        sheet: &Sheet,
        resume: Option<&Position>,
        wait_ms: u64,
    ) -> Vec<RelayFrame> {
        let request = PollRequest {
            v: VERSION,
            sheet: sheet.0.clone(),
            resume: resume.cloned(),
            wait_ms,
            bid: None,
            more: Vec::new(),
        };
        let (status, _, body) = self.post("/v1/poll", account, &[], encode(&request)).await;
        assert_eq!(status, 200, "{body}");
        let reply: PollReply = serde_json::from_str(&body).expect("frames");
        reply.frames
    }

    pub async fn connect(&self) -> Client {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Small, so that a client that does not read is slow at once.
        socket.set_recv_buffer_size(4 * 1024).expect("settable");
        let address = ([127, 0, 0, 1], self.port).into();
        let stream = socket.connect(address).await.expect("connected");
        let url = format!("ws://127.0.0.1:{}/v1/live", self.port);
        let (socket, _) = tokio_tungstenite::client_async(url, stream)
            .await
            .expect("upgraded");
        Client(socket)
    }

    /// The frames of a poll that bids, and is not held.
    pub async fn poll_to_write(
        &self,
        account: &str,
        sheet: &Sheet,
        resume: Option<&Position>,
        bid: Bid,
    ) -> Vec<RelayFrame> {
        self.hold_to_write(account, sheet, resume, bid, 0).await
    }

    /// The frames of a poll that bids, and may be held for `wait_ms`.
    pub async fn hold_to_write(
        &self,
        account: &str,
        sheet: &Sheet,
        resume: Option<&Position>,
        bid: Bid,
        wait_ms: u64,
    ) -> Vec<RelayFrame> {
        let request = PollRequest {
            v: VERSION,
            sheet: sheet.0.clone(),
            resume: resume.cloned(),
            wait_ms,
            bid: Some(bid),
            more: Vec::new(),
        };
        let (status, _, body) = self.post("/v1/poll", account, &[], encode(&request)).await;
        assert_eq!(status, 200, "{body}");
        let reply: PollReply = serde_json::from_str(&body).expect("frames");
        reply.frames
    }

    /// A client that has joined.
    pub async fn join(&self, account: &str, sheet: &Sheet, resume: Option<&Position>) -> Client {
        self.join_to_write(account, sheet, resume, None).await
    }

    /// A client that has joined, and bids.
    pub async fn join_to_write(
        &self,
        account: &str,
        sheet: &Sheet,
        resume: Option<&Position>,
        bid: Option<Bid>,
    ) -> Client {
        let ticket = self.ticket(account, sheet).await.expect("a ticket");
        let mut client = self.connect().await;
        client
            .say(&ClientFrame::Join {
                v: VERSION,
                ticket,
                resume: resume.cloned(),
                bid,
                more: Vec::new(),
            })
            .await;
        client
    }
}

/// One sheet.
#[derive(Clone)]
pub struct Sheet(pub SheetRef);

impl Sheet {
    pub fn first(made: &CreatedSpreadsheet) -> Self {
        Sheet(SheetRef {
            spreadsheet_id: made.spreadsheet_id.clone(),
            sheet_id: made.sheets[0].sheet_id,
        })
    }
}

/// A WebSocket client.
pub struct Client(WebSocketStream<TcpStream>);

impl Client {
    pub async fn say(&mut self, frame: &ClientFrame) {
        self.say_text(&encode(frame)).await;
    }

    pub async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("sent");
    }

    pub async fn refresh(&mut self) {
        self.say(&ClientFrame::Refresh { v: VERSION }).await;
    }

    /// The next frame; `None` when the relay has closed.
    pub async fn frame(&mut self) -> Option<RelayFrame> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("in time") {
                Some(Ok(Message::Text(text))) => {
                    return Some(decode(&text).expect("a frame of the relay"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub async fn expect(&mut self) -> RelayFrame {
        self.frame().await.expect("the relay is still there")
    }

    /// Who writes: whether it is this client, by what name, with which fence and nonce. Other frames are passed over.
    pub async fn writer(&mut self) -> (bool, String, u64, String) {
        loop {
            if let RelayFrame::Writer {
                you,
                name,
                fence,
                nonce,
                ..
            } = self.expect().await
            {
                return (you, name, fence, nonce);
            }
        }
    }

    pub async fn snapshot(&mut self) -> (Position, String) {
        match self.expect().await {
            RelayFrame::Snapshot {
                position, cells, ..
            } => (position, cells),
            other => panic!("no snapshot: {other:?}"),
        }
    }

    /// The next changes. A slow machine may come to a heartbeat before.
    pub async fn changes(&mut self) -> (u64, Position, String) {
        loop {
            match self.expect().await {
                RelayFrame::Changes {
                    since,
                    position,
                    cells,
                    ..
                } => return (since, position, cells),
                RelayFrame::Heartbeat { .. } => {}
                other => panic!("no changes: {other:?}"),
            }
        }
    }

    /// Everything up to the reason of closing; nothing comes after it.
    pub async fn closing(&mut self) -> (Vec<RelayFrame>, CloseReason) {
        let mut before = Vec::new();
        loop {
            match self.expect().await {
                RelayFrame::Closing { reason, .. } => {
                    assert_eq!(self.frame().await, None);
                    return (before, reason);
                }
                frame => before.push(frame),
            }
        }
    }
}
