//! The steps of the session.
//!
//! Owns what each event does to the state, and what it asks for. Must not know how any of that is done. Requests, sockets
//! and timers carry a token; what comes back with an old token is ignored, so that nothing has to be called off.

mod sending;

use super::{Action, Connected, Link, NamedTab, Notice, Sending, State, StopReason};
use crate::flags::Decision;
use crate::protocol::panel::{
    Column, Connection, Differences, Problem, SavedSession, SheetLayout, ToPanel, ToSandbox,
    WaitReason,
};
use crate::protocol::relay::{
    ApiError, Bid, ClientFrame, CloseReason, ErrorCode, HEARTBEAT_MS, JoinSource, PollReply,
    PollRequest, PollSource, Position, RelayFrame, SNAPSHOT_BYTES_MAX, SessionReply, SheetRef,
    SignInReply, Spreadsheet, SpreadsheetList, TwoWayReply, TwoWayRequest, VERSION, WriteReply,
    WriteRequest,
};
use crate::sheet::parse_link;
use sending::Outgoing;
pub use sending::{LOOK_MS, LOOK_MS_MIN, WRITE_TRIES_MAX};

/// Between two questions whether the browser part of a sign-in is done, in milliseconds.
const REDEEM_MS: u64 = 2_000;
/// Between two renewals of a session, in milliseconds: a day. A session that lives less than twice as long is renewed at
/// half its life.
pub const RENEW_MS: u64 = 24 * 60 * 60 * 1000;
/// Shortest time between two renewals, in milliseconds, and the time until a failed one is tried again.
pub const RENEW_MS_MIN: u64 = 10 * 60 * 1000;
/// A socket that has said nothing for so long is dead, in milliseconds.
pub const SILENCE_MS: u64 = 2 * HEARTBEAT_MS;
/// Sockets in a row that may fail before they said anything, until polling takes over.
pub const SOCKET_FAILURES_MAX: u32 = 3;
/// How often polling tries whether the WebSocket works by now, in milliseconds.
pub const TRY_SOCKET_MS: u64 = 5 * 60 * 1000;
/// Between two polls, in milliseconds, on top of the time that the relay holds them.
pub const POLL_PAUSE_MS: u64 = 1_000;
/// Cap of the first wait before another try, in milliseconds; it doubles.
pub const RETRY_MS_MIN: u64 = 1_000;
/// Longest wait before another try, in milliseconds.
pub const RETRY_MS_MAX: u64 = 60_000;
/// Between two evaluations of the flags that the relay asks for, in milliseconds.
pub const FLAGS_MS: u64 = 5_000;
/// Most messages with cells that the sandbox is given before it has answered. What comes beyond is not passed on; once
/// the sandbox has answered, the relay is asked for all that came after the last message.
pub const CELL_MESSAGES_MAX: u32 = 32;
/// Most cells that the sandbox is given on top of the last whole sheet before it has answered, in bytes.
pub const CELL_BYTES_MAX: usize = SNAPSHOT_BYTES_MAX / 4;

/// How long the relay has to say who writes, from its first frame on, in milliseconds. An older relay never says.
pub const WORD_MS: u64 = 5_000;
/// Between two looks for the writer's nonce in the file, in milliseconds.
pub const NONCE_MS: u64 = 2_000;
/// Looks for the nonce until the file is taken for a copy. Longer than the relay takes to notice a writer that has left.
pub const NONCE_LOOKS_MAX: u32 = 6;

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The relay was not reached, or did not answer in time.
    Network,
    /// The relay said no.
    Api(ApiError),
    /// The answer could not be read.
    Unreadable,
}

/// What a socket tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A frame.
    Frame(RelayFrame),
    /// Something that is no frame of this version.
    Unreadable,
    /// It is closed, or could not be opened.
    Closed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The designer did something.
    Act(Action),
    /// The sandbox said something.
    Sandbox(ToPanel),
    /// To [`Effect::BeginSignIn`].
    Begun(u32, Result<SignInReply, Failure>),
    /// To [`Effect::Redeem`]; `None` while the browser part is unfinished.
    Redeemed(u32, Result<Option<SessionReplyBox>, Failure>),
    /// To [`Effect::Renew`].
    Renewed(u32, Result<SessionReplyBox, Failure>),
    /// To [`Effect::List`].
    Listed(u32, Result<SpreadsheetList, Failure>),
    /// To [`Effect::Tabs`].
    Tabs(u32, Result<Spreadsheet, Failure>),
    /// To [`Effect::Ticket`].
    Ticket(u32, Result<String, Failure>),
    /// From the socket of [`Effect::OpenSocket`].
    Socket(u32, SocketEvent),
    /// To [`Effect::Poll`].
    Polled(u32, Result<PollReply, Failure>),
    /// To [`Effect::SetTwoWay`].
    TwoWay(u32, Result<TwoWayReply, Failure>),
    /// To [`Effect::Write`].
    Wrote(u32, Result<WriteReply, Failure>),
    /// A timer of [`Effect::StartTimer`] is over.
    Timer(Timer, u32),
    /// The browser says that there is a network again.
    Online,
    /// The panel has got the focus: whoever comes from Figma's canvas may have changed something there.
    Focus,
}

/// A session as it came from the relay. It has no `Debug` of its own: it is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionReplyBox(pub Box<SessionReply>);

/// The link to a cell of a sheet, as Google's own “Get link to this cell” writes it. Of the address only the part after
/// the tab's title is used, and only when it is a cell's.
fn cell_url(sheet: &SheetRef, address: &str) -> String {
    let range = address.rsplit('!').next().unwrap_or_default();
    let gid = sheet.sheet_id.to_string();
    let mut url = [
        "https://docs.google.com/spreadsheets/d/",
        &sheet.spreadsheet_id,
        "/edit#gid=",
        &gid,
    ]
    .concat();
    if !range.is_empty() && range.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        url += "&range=";
        url += range;
    }
    url
}

impl std::fmt::Debug for SessionReplyBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionReply { .. }")
    }
}

/// What timers are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Asks again whether the sign-in is done.
    Redeem,
    /// Renews the session.
    Renew,
    /// Tries the relay again.
    Retry,
    /// Finds a dead socket.
    Silence,
    /// Polls again.
    Poll,
    /// Tries the WebSocket while polling.
    TrySocket,
    /// Evaluates the flags again.
    Flags,
    /// The relay has not said who writes.
    Word,
    /// Looks again for the writer's nonce in the file.
    Nonce,
    /// Gives cells for the sheet to the relay again.
    Write,
}

/// Who writes this file, as the relay has said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    Unknown,
    Writer,
    Following { name: String },
}

/// What the shell is to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell the sandbox; the text travels beside the message.
    Say(ToSandbox, Option<String>),
    /// Make a secret, keep it, and begin a sign-in with its hash.
    BeginSignIn(u32),
    /// Ask for the session of the sign-in, with the secret.
    Redeem(u32, String),
    /// Renew the session.
    Renew(u32),
    /// Sign out at the relay; nobody waits for the answer. The token is no longer [`Session::token`].
    SignOut(String),
    /// List the spreadsheets.
    List(u32),
    /// Read the tabs of a spreadsheet.
    Tabs(u32, String),
    /// Get a ticket for a sheet.
    Ticket(u32, SheetRef),
    /// Open the WebSocket and send this frame first. There is at most one socket.
    OpenSocket(u32, ClientFrame),
    /// Send a frame on the socket.
    Send(ClientFrame),
    /// Close the socket.
    CloseSocket,
    /// Poll.
    Poll(u32, PollRequest),
    /// Ask the relay to write to a sheet for this user from now on, or no longer.
    SetTwoWay(u32, TwoWayRequest),
    /// Write cells to the sheet.
    Write(u32, WriteRequest),
    /// Open a page in the browser, now: a browser opens none later than the click.
    OpenWindow(String),
    /// Start a timer, in milliseconds.
    StartTimer(Timer, u32, u64),
    /// Evaluate the flags and tell the sandbox.
    EvaluateFlags,
}

/// The way to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Closed,
    /// Waits before another try.
    Waiting,
    /// Asked for a ticket.
    Asking,
    /// A socket that has said nothing yet.
    Opening,
    /// A socket that speaks.
    Open,
    /// Polling.
    Polling,
}

/// A source's columns as the sandbox inferred them.
#[derive(Debug, Clone)]
struct Inferred {
    /// Whose; `None` for the only source.
    sheet: Option<SheetRef>,
    columns: Vec<Column>,
    header_row: u32,
    sample: Vec<Vec<String>>,
    problems: Vec<Problem>,
    layout: Option<SheetLayout>,
    /// Whether the designer has confirmed them since.
    is_confirmed: bool,
}

/// A tab that feeds the file, as the relay tells of it.
#[derive(Debug, Clone)]
struct Followed {
    sheet: SheetRef,
    /// Where the relay is asked to go on from.
    position: Option<Position>,
    /// The position of the last cells that the sandbox was given.
    given: Option<Position>,
}

impl Followed {
    fn of(sheet: SheetRef) -> Followed {
        Followed {
            sheet,
            position: None,
            given: None,
        }
    }
}

/// See the module.
pub struct Session {
    state: State,
    notice: Option<Notice>,
    account: Option<String>,
    token: Option<String>,
    flag_is_on: bool,
    read_only: bool,
    connection: Option<Connection>,
    /// Of every source whose columns were inferred since the file was connected.
    inferred: Vec<Inferred>,
    /// Choosing adds to the sources that there are.
    adds: bool,
    /// Where sheet and Figma differ and nothing is written, as last told.
    differences: Differences,

    /// The file's id and this run's, once the sandbox has told them.
    file: Option<(String, String)>,
    role: Role,
    /// Of the relay's last word on the writer.
    fence: u64,
    nonce: String,
    /// How often the nonce was looked for in vain.
    looks: u32,
    look: u32,
    /// What this socket was told of the file.
    has_bid: bool,
    /// The next poll takes over.
    takes_over: bool,

    outgoing: Outgoing,

    flow: Option<(String, u64)>,
    wanted_sheet: Option<i64>,
    /// Answers to requests outside the link carry this.
    ask: u32,
    renewal: u32,

    /// The file's sources, in order.
    sources: Vec<Followed>,
    /// Which of them the present way to the relay follows, in the order of its join, with their tickets as long as these
    /// are gathered.
    joined: Vec<(usize, String)>,
    /// Of which of these the relay's frames are.
    at: usize,
    /// The source that a ticket is asked for.
    asked: usize,
    /// What is wrong with sources of several, while it is.
    troubles: Vec<(SheetRef, Notice)>,
    /// Messages with cells that the sandbox has not answered, and the bytes of changes among them.
    unanswered: u32,
    unanswered_bytes: usize,
    /// Cells came that were not passed on: the sandbox is too slow.
    behind: bool,
    link: Link,
    channel: Channel,
    /// What belongs to the present way to the relay carries this.
    turn: u32,
    silence: u32,
    failures: u32,
    attempt: u32,
    /// When the present socket said something first.
    open_since_ms: u64,
    /// When the WebSocket is tried again while polling.
    try_socket_ms: u64,
    read_unix_ms: u64,
    flags_asked_ms: u64,
    /// The flags are to be evaluated when this timer is over.
    flags_timer: Option<u32>,
    flags: u32,
    seed: u32,
}

impl Session {
    /// Nothing known yet. `seed` spreads the waits; any number.
    pub fn new(seed: u32) -> Session {
        Session {
            state: State::Off(Decision::Unknown),
            notice: None,
            account: None,
            token: None,
            flag_is_on: false,
            read_only: false,
            connection: None,
            inferred: Vec::new(),
            adds: false,
            differences: Differences::default(),
            file: None,
            role: Role::Unknown,
            fence: 0,
            nonce: String::new(),
            looks: 0,
            look: 0,
            has_bid: false,
            takes_over: false,
            outgoing: Outgoing::default(),
            flow: None,
            wanted_sheet: None,
            ask: 0,
            renewal: 0,
            sources: Vec::new(),
            joined: Vec::new(),
            at: 0,
            asked: 0,
            troubles: Vec::new(),
            unanswered: 0,
            unanswered_bytes: 0,
            behind: false,
            link: Link::Down,
            channel: Channel::Closed,
            turn: 0,
            silence: 0,
            failures: 0,
            attempt: 0,
            open_since_ms: 0,
            try_socket_ms: 0,
            read_unix_ms: 0,
            flags_asked_ms: 0,
            flags_timer: None,
            flags: 0,
            seed: seed | 1,
        }
    }

    /// What the tab shows.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the designer is told beside it.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Whose sign-in it is.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Rows that the designer left out of this file's sync.
    pub fn left_out(&self) -> &[String] {
        self.connection
            .as_ref()
            .map_or(&[], |connection| &connection.left_out)
    }

    /// The bearer token for requests at the relay.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The position of the first source that the sandbox was given last.
    pub fn position(&self) -> Option<&Position> {
        self.sources.first()?.given.as_ref()
    }

    /// Messages with cells that the sandbox has not answered, at most [`CELL_MESSAGES_MAX`].
    pub fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// Takes one event and gives what is to be done.
    pub fn take(&mut self, event: Event, now_unix_ms: u64) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            Event::Act(action) => self.act(action, now_unix_ms, &mut out),
            Event::Sandbox(message) => self.hear(message, now_unix_ms, &mut out),
            Event::Begun(token, result) if token == self.ask => {
                self.begun(result, now_unix_ms, &mut out);
            }
            Event::Redeemed(token, result) if token == self.ask => {
                self.redeemed(result, now_unix_ms, &mut out);
            }
            Event::Renewed(token, result) if token == self.renewal && self.token.is_some() => {
                match result {
                    Ok(SessionReplyBox(reply)) => self.keep_session(*reply, &mut out),
                    Err(failure) if is_signed_out(&failure) => {
                        self.sign_in_ended(failure, &mut out);
                    }
                    Err(_) => self.renew_in(RENEW_MS_MIN, &mut out),
                }
            }
            Event::Listed(token, result) if token == self.ask => self.listed(result, &mut out),
            Event::Tabs(token, result) if token == self.ask => {
                self.tabs(result, now_unix_ms, &mut out);
            }
            Event::Ticket(token, result)
                if token == self.turn && self.channel == Channel::Asking =>
            {
                self.ticket(result, now_unix_ms, &mut out);
            }
            Event::Socket(token, event)
                if token == self.turn
                    && matches!(self.channel, Channel::Opening | Channel::Open) =>
            {
                self.socket(event, now_unix_ms, &mut out);
            }
            Event::Polled(token, result)
                if token == self.turn && self.channel == Channel::Polling =>
            {
                self.polled(result, now_unix_ms, &mut out);
            }
            Event::TwoWay(token, result) => self.two_way_is(token, result, &mut out),
            Event::Wrote(token, result) => self.wrote(token, result, &mut out),
            Event::Focus => self.look(LOOK_MS_MIN, now_unix_ms, &mut out),
            Event::Timer(timer, token) => self.timer(timer, token, now_unix_ms, &mut out),
            Event::Online => {
                if self.channel == Channel::Waiting {
                    // Another network may well let the WebSocket through.
                    self.failures = 0;
                }
                self.retry_now(now_unix_ms, &mut out);
            }
            // Answers to what is no longer asked.
            Event::Begun(..)
            | Event::Redeemed(..)
            | Event::Renewed(..)
            | Event::Listed(..)
            | Event::Tabs(..)
            | Event::Ticket(..)
            | Event::Socket(..)
            | Event::Polled(..) => {}
        }
        out
    }

    fn is_off(&self) -> bool {
        matches!(self.state, State::Off(_) | State::Dead { .. })
    }

    fn tell(&mut self, message: &str, remedy: &str) {
        self.notice = Some(Notice {
            message: message.to_owned(),
            remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
        });
    }

    fn tell_failure(&mut self, failure: Failure) {
        self.notice = Some(notice_of(failure));
    }

    fn next_ask(&mut self) -> u32 {
        self.ask = self.ask.wrapping_add(1);
        self.ask
    }

    fn connected(&mut self) -> Option<&mut Connected> {
        match &mut self.state {
            State::Connected(connected) => Some(connected),
            _ => None,
        }
    }

    fn set_link(&mut self, link: Link) {
        self.link = link;
        if let Some(connected) = self.connected() {
            connected.link = link;
        }
    }

    fn set_trouble(&mut self, trouble: Option<Notice>) {
        match self.connected() {
            Some(connected) => connected.trouble = trouble,
            None => {
                if trouble.is_some() {
                    self.notice = trouble;
                }
            }
        }
    }

    // The designer.

    fn act(&mut self, action: Action, now: u64, out: &mut Vec<Effect>) {
        if self.is_off() || matches!(self.state, State::ReadOnly) {
            return;
        }
        if !matches!(action, Action::OpenSignIn | Action::Hide) {
            self.notice = None;
        }
        let writes = matches!(
            action,
            Action::Approve { .. }
                | Action::KeepRemoved { .. }
                | Action::KeepFile { .. }
                | Action::KeepApart { .. }
                | Action::LeaveOut { .. }
                | Action::TakeIn { .. }
                | Action::Restore { .. }
                | Action::Resolve { .. }
                | Action::SetTwoWay { .. }
                | Action::EditColumns
                | Action::AddSource
                | Action::RemoveSource { .. }
                | Action::SyncNow
        );
        if writes && self.is_following() {
            return;
        }
        self.lift_hold(&action);
        match action {
            Action::SignIn if self.token.is_some() => {}
            Action::SignIn => {
                self.flow = None;
                self.state = State::SigningIn {
                    code: String::new(),
                    url: String::new(),
                };
                let ask = self.next_ask();
                out.push(Effect::BeginSignIn(ask));
            }
            Action::OpenSignIn => {
                if let State::SigningIn { url, .. } = &self.state
                    && !url.is_empty()
                {
                    out.push(Effect::OpenWindow(url.clone()));
                }
            }
            Action::OpenCell { address } => {
                if let Some(connection) = &self.connection {
                    let sheet = connection.source_of(&address);
                    out.push(Effect::OpenWindow(cell_url(sheet, &address)));
                }
            }
            Action::CancelSignIn => {
                if matches!(self.state, State::SigningIn { .. }) {
                    self.flow = None;
                    self.next_ask();
                    self.state = State::SignedOut;
                }
            }
            Action::SignOut => {
                if let Some(token) = self.token.take() {
                    out.push(Effect::SignOut(token));
                    self.forget_sign_in(out);
                    self.state = State::SignedOut;
                }
            }
            Action::Refresh => {
                if matches!(self.state, State::ChoosingSpreadsheet { .. }) {
                    self.choose_spreadsheet(out);
                }
            }
            Action::ChooseSpreadsheet { id } => {
                if self.is_choosing() {
                    self.choose_sheet(id, None, out);
                }
            }
            Action::PasteLink { link } if self.is_choosing() => match parse_link(&link) {
                Ok(found) => self.choose_sheet(found.spreadsheet_id, found.sheet_id, out),
                Err(error) => {
                    let message = error.to_string();
                    self.tell(&message, error.remedy());
                }
            },
            Action::PasteLink { .. } => {}
            Action::ChooseSheets { sheet_ids } => {
                if let State::ChoosingSheet {
                    spreadsheet: Some(found),
                } = &self.state
                {
                    let sheets = sheet_ids.into_iter().map(|sheet_id| SheetRef {
                        spreadsheet_id: found.id.clone(),
                        sheet_id,
                    });
                    let sheets = sheets.collect();
                    self.take_sheets(sheets, now, out);
                }
            }
            Action::AddSource => {
                if self.is_at_a_sheet() {
                    self.adds = true;
                    self.choose_spreadsheet(out);
                }
            }
            Action::RemoveSource { sheet } => {
                if self.is_at_a_sheet() {
                    out.push(Effect::Say(ToSandbox::RemoveSource { sheet }, None));
                }
            }
            Action::Back => match &self.state {
                State::ChoosingSheet { .. } => self.choose_spreadsheet(out),
                State::ChoosingSpreadsheet { .. } if self.adds => self.stop_adding(now, out),
                State::ConfirmingColumns { tab: Some(tab), .. }
                    if self
                        .sources
                        .first()
                        .is_none_or(|first| first.sheet != tab.sheet) =>
                {
                    // The others stay.
                    let sheet = tab.sheet.clone();
                    self.inferred
                        .retain(|inferred| inferred.sheet.as_ref() != Some(&sheet));
                    self.state = State::Reading;
                    self.show_columns();
                    out.push(Effect::Say(ToSandbox::RemoveSource { sheet }, None));
                }
                State::Previewing(_) if self.sources.len() > 1 => self.look_at_columns(),
                State::Reading | State::ConfirmingColumns { .. } | State::Previewing(_) => {
                    self.link_down(out);
                    out.push(Effect::Say(ToSandbox::Disconnect, None));
                }
                _ => {}
            },
            Action::ConfirmColumns {
                columns,
                header_row,
                layout,
            } => {
                if let State::ConfirmingColumns {
                    columns: shown,
                    header_row: row,
                    layout: shown_layout,
                    tab,
                    busy,
                    ..
                } = &mut self.state
                {
                    shown_layout.clone_from(&layout);
                    shown.clone_from(&columns);
                    *row = header_row;
                    *busy = true;
                    let sheet = tab.as_ref().map(|tab| tab.sheet.clone());
                    let mut known = self.inferred.iter_mut();
                    if let Some(known) = known.find(|known| known.sheet == sheet) {
                        known.columns.clone_from(&columns);
                        known.layout.clone_from(&layout);
                        known.is_confirmed = true;
                    }
                    out.push(Effect::Say(
                        ToSandbox::ConfirmColumns {
                            columns,
                            header_row,
                            layout,
                            sheet,
                        },
                        None,
                    ));
                    self.show_columns();
                }
            }
            Action::EditColumns => match &self.state {
                State::Connected(_) => {
                    let sheets = self.sources.iter().map(|source| source.sheet.clone());
                    let sheets = sheets.collect();
                    self.connect(sheets, now, out);
                }
                State::Previewing(_) => self.look_at_columns(),
                _ => {}
            },
            Action::Approve {
                plan,
                include_removals,
                retypes,
            } => out.push(Effect::Say(
                ToSandbox::Approve {
                    plan,
                    include_removals,
                    retypes,
                },
                None,
            )),
            Action::KeepFile { plan } => {
                out.push(Effect::Say(ToSandbox::KeepFile { plan }, None));
            }
            Action::KeepApart { plan } => {
                out.push(Effect::Say(ToSandbox::KeepApart { plan }, None));
            }
            Action::LeaveOut { plan, rows } => {
                out.push(Effect::Say(ToSandbox::LeaveOut { plan, rows }, None));
            }
            Action::ListRuns => out.push(Effect::Say(ToSandbox::ListRuns, None)),
            Action::Restore { run } => out.push(Effect::Say(ToSandbox::Restore { run }, None)),
            Action::TakeIn { keys } => {
                out.push(Effect::Say(ToSandbox::TakeIn { keys }, None));
            }
            Action::KeepRemoved { plan } => {
                out.push(Effect::Say(ToSandbox::KeepRemoved { plan }, None));
            }
            Action::Resolve {
                list,
                items,
                choice,
            } => {
                if self.connected().is_some() {
                    let resolve = ToSandbox::Resolve {
                        list,
                        items,
                        choice,
                    };
                    out.push(Effect::Say(resolve, None));
                }
            }
            Action::SetTwoWay { on } => self.set_two_way(on, out),
            Action::SetPolicy { policy } => {
                out.push(Effect::Say(ToSandbox::SetPolicy { policy }, None));
            }
            Action::SetThreshold { variables } => {
                out.push(Effect::Say(ToSandbox::SetThreshold { variables }, None));
            }
            Action::Cancel => out.push(Effect::Say(ToSandbox::Cancel, None)),
            // What was never approved has nothing to switch.
            Action::Toggle { on } => {
                if self.connected().is_some() {
                    out.push(Effect::Say(ToSandbox::Toggle { on }, None));
                }
            }
            Action::SyncNow => {
                if let Some(connected) = self.connected()
                    && connected.connection.on
                {
                    connected.stopped = None;
                }
                out.push(Effect::Say(ToSandbox::SyncNow, None));
                if self.channel == Channel::Open {
                    out.push(Effect::Send(ClientFrame::Refresh { v: VERSION }));
                } else {
                    self.retry_now(now, out);
                }
            }
            Action::TakeOver => self.take_over(now, out),
            Action::RetryNow => self.retry_now(now, out),
            Action::Disconnect => {
                self.link_down(out);
                out.push(Effect::Say(ToSandbox::Disconnect, None));
            }
            Action::Hide => out.push(Effect::Say(ToSandbox::Hide, None)),
            Action::DismissNotice => {}
        }
    }

    // The sandbox.

    fn hear(&mut self, message: ToPanel, now: u64, out: &mut Vec<Effect>) {
        if matches!(self.state, State::Dead { .. }) {
            return;
        }
        match message {
            ToPanel::Hello { read_only, .. } => self.read_only = read_only,
            ToPanel::Flags { realtime_sync } => match realtime_sync {
                // What is kept comes next and decides what is shown.
                Decision::On => self.flag_is_on = true,
                decision @ (Decision::NotYet | Decision::SwitchedOff | Decision::Unknown) => {
                    self.flag_is_on = false;
                    self.stop_everything(out);
                    self.token = None;
                    self.account = None;
                    self.notice = None;
                    self.connection = None;
                    self.inferred.clear();
                    self.adds = false;
                    self.forget_cells();
                    self.state = State::Off(decision);
                }
            },
            // It was said before the flag went off.
            ToPanel::Kept { .. } if !self.flag_is_on => {}
            ToPanel::Kept {
                session,
                connection,
            } => {
                (self.token, self.account) = match session {
                    Some(SavedSession { token, account }) => (Some(token), Some(account)),
                    None => (None, None),
                };
                self.stop_everything(out);
                self.connection = connection.map(|kept| *kept);
                self.state = State::SignedOut;
                if self.token.is_some() && !self.read_only {
                    self.renew(out);
                }
                self.settle(now, out);
            }
            _ if self.is_off() => {}
            ToPanel::Inferred {
                columns,
                header_row,
                sample,
                problems,
                layout,
                sheet,
            } => {
                self.answered(&[], now, out);
                let inferred = Inferred {
                    sheet,
                    columns,
                    header_row,
                    sample,
                    problems,
                    layout,
                    is_confirmed: false,
                };
                let mut known = self.inferred.iter_mut();
                match known.find(|known| known.sheet == inferred.sheet) {
                    Some(known) => *known = inferred,
                    None => self.inferred.push(inferred),
                }
                if self.is_at_a_sheet() {
                    self.show_columns();
                }
            }
            ToPanel::Preview(preview) => {
                self.answered(&[], now, out);
                // There is none before all columns are confirmed; a header that came back needs no look.
                for inferred in &mut self.inferred {
                    inferred.is_confirmed = true;
                }
                if self.is_at_a_sheet() {
                    self.state = State::Previewing(Box::new(preview));
                }
            }
            ToPanel::Runs { runs } => {
                if let Some(connected) = self.connected() {
                    connected.runs = Some(runs);
                }
            }
            ToPanel::Waiting { reason, preview } => {
                // A plan to go back has nothing to do with cells, and types are asked about after the run of theirs.
                if !matches!(reason, WaitReason::Restore | WaitReason::Retypes) {
                    self.answered(&[], now, out);
                }
                if let Some(connected) = self.connected() {
                    connected.progress = None;
                    connected.waiting = Some((reason, preview));
                }
            }
            ToPanel::Differences(differences) => {
                if let Some(connected) = self.connected() {
                    connected.differences = differences.clone();
                }
                self.differences = differences;
            }
            ToPanel::File { id, panel, nonce } => self.file_is(id, panel, &nonce, now, out),
            ToPanel::Push { push, sheet, cells } => self.send_cells(push, sheet, cells, out),
            ToPanel::Taken { position, more } => {
                let positions = [&[position][..], &more].concat();
                self.answered(&positions, now, out);
            }
            ToPanel::Progress { done, total } => {
                if let Some(connected) = self.connected() {
                    connected.progress = Some((done, total));
                }
            }
            ToPanel::Applied(report) => {
                let positions = [&[report.position.clone()][..], &report.more].concat();
                self.answered(&positions, now, out);
                if let Some(connected) = self.connected() {
                    connected.progress = None;
                    connected.waiting = None;
                    let lists = report.writes > 0 && connected.runs.is_some();
                    connected.last = Some(report);
                    if lists {
                        out.push(Effect::Say(ToSandbox::ListRuns, None));
                    }
                }
            }
            ToPanel::ConnectionChanged { connection } => {
                self.connection_changed(connection.map(|now| *now), now, out);
            }
            ToPanel::Refused { message, remedy } => {
                if let State::ConfirmingColumns { busy, .. } = &mut self.state {
                    *busy = false;
                }
                self.notice = Some(Notice { message, remedy });
            }
            ToPanel::Failed { message, fatal } => {
                if fatal {
                    self.state = State::Dead { message };
                    self.stop_everything(out);
                } else {
                    self.tell(&message, "");
                }
            }
            ToPanel::Stopped { reason } => self.stopped(reason, out),
            ToPanel::Variables | ToPanel::Manage { .. } | ToPanel::Import(_) => {}
        }
    }

    fn stopped(&mut self, reason: StopReason, out: &mut Vec<Effect>) {
        match reason {
            StopReason::ReadOnly => {
                self.stop_everything(out);
                self.read_only = true;
                self.state = State::ReadOnly;
            }
            StopReason::Toggled
            | StopReason::SignedOut
            | StopReason::SwitchedOff
            | StopReason::Breaker => {
                if let Some(connected) = self.connected() {
                    connected.progress = None;
                    connected.stopped = Some(reason);
                }
            }
            // The connection's change tells it.
            StopReason::Disconnected => {}
        }
    }

    fn connection_changed(
        &mut self,
        connection: Option<Connection>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        self.connection = connection;
        if self.connection.is_none() {
            self.link_down(out);
            self.sources.clear();
            self.inferred.clear();
            self.adds = false;
            self.forget_cells();
        }
        self.follow_connection(now, out);
        // Without a sign-in, and in a file that can't be edited, it is only kept in mind.
        if self.token.is_none() || self.read_only {
            return;
        }
        let Some(connection) = self.connection.clone() else {
            self.choose_spreadsheet(out);
            return;
        };
        if !connection.approved {
            // Another panel sets the sheet up anew, while this one had sync switched off.
            if self.channel == Channel::Closed && self.is_at_a_sheet() {
                self.go_live(now, out);
            }
            return;
        }
        let on = connection.on;
        // Somebody is still choosing what else feeds the file, or looks at its columns.
        if self.adds {
            return;
        }
        match self.connected() {
            Some(connected) => {
                connected.connection = connection;
                if on {
                    connected.stopped = None;
                } else {
                    // What waited is planned again when it is switched on.
                    connected.waiting = None;
                    connected.progress = None;
                }
            }
            None => {
                self.show_connected(connection);
                if let (Some(connected), false) = (self.connected(), on) {
                    connected.stopped = Some(StopReason::Toggled);
                }
            }
        }
        match (on, self.channel) {
            (true, Channel::Closed) => self.go_live(now, out),
            (false, _) => self.link_down(out),
            (true, _) => {}
        }
    }

    /// Whether the tab shows a sheet, or waits for one that was chosen: then it is told about what the sandbox makes of it.
    fn is_at_a_sheet(&self) -> bool {
        matches!(
            self.state,
            State::Reading
                | State::ConfirmingColumns { .. }
                | State::Previewing(_)
                | State::Connected(_)
        )
    }

    fn is_choosing(&self) -> bool {
        matches!(
            self.state,
            State::ChoosingSpreadsheet { .. } | State::ChoosingSheet { .. }
        )
    }

    /// Gives up whatever is under way; the answers will find nobody.
    fn stop_everything(&mut self, out: &mut Vec<Effect>) {
        self.flow = None;
        self.adds = false;
        self.next_ask();
        self.renewal = self.renewal.wrapping_add(1);
        self.flags_timer = None;
        self.link_down(out);
    }

    /// The sandbox holds no cells, or none of the sheet that comes next.
    fn forget_cells(&mut self) {
        for source in &mut self.sources {
            source.position = None;
            source.given = None;
        }
        self.unanswered = 0;
        self.unanswered_bytes = 0;
        self.behind = false;
    }

    /// Follows the tabs that feed the file, where these have changed.
    fn follow_connection(&mut self, now: u64, out: &mut Vec<Effect>) {
        let Some(connection) = &self.connection else {
            return;
        };
        let sheets = || connection.sheets();
        if self.sources.is_empty() || sheets().eq(self.sources.iter().map(|source| &source.sheet)) {
            return;
        }
        let known = std::mem::take(&mut self.sources);
        let sources = sheets().map(|sheet| {
            let mut known = known.iter();
            let known = known.find(|source| source.sheet == *sheet).cloned();
            known.unwrap_or_else(|| Followed::of(sheet.clone()))
        });
        self.sources = sources.collect();
        let sources = &self.sources;
        let several = sources.len() > 1;
        self.troubles
            .retain(|(of, _)| sources.iter().any(|source| source.sheet == *of));
        self.inferred.retain(|inferred| {
            let mut sheets = sources.iter().map(|source| &source.sheet);
            inferred
                .sheet
                .as_ref()
                .map_or(!several, |of| sheets.any(|sheet| sheet == of))
        });
        match self.channel {
            Channel::Closed => {}
            Channel::Waiting
            | Channel::Asking
            | Channel::Opening
            | Channel::Open
            | Channel::Polling => self.join_again(now, out),
        }
    }

    /// Shows the columns of all sources again, one after the other.
    fn look_at_columns(&mut self) {
        if let (true, Some(connection)) = (self.inferred.is_empty(), &self.connection) {
            let several = !connection.more.is_empty();
            let sources = connection.sources().into_iter();
            self.inferred = sources
                .map(|source| Inferred {
                    sheet: several.then_some(source.sheet),
                    columns: source.columns,
                    header_row: source.header_row,
                    sample: Vec::new(),
                    problems: Vec::new(),
                    layout: source.layout,
                    is_confirmed: false,
                })
                .collect();
        }
        for inferred in &mut self.inferred {
            inferred.is_confirmed = false;
        }
        self.show_columns();
    }

    /// Shows the columns of the first source that the designer has not looked at.
    fn show_columns(&mut self) {
        let mut open = self
            .inferred
            .iter()
            .filter(|inferred| !inferred.is_confirmed);
        let Some(next) = open.next() else {
            return;
        };
        let connection = self.connection.as_ref();
        let tab = next.sheet.as_ref().map(|sheet| {
            let name = connection.and_then(|connection| {
                let place = connection.place_of(sheet)?;
                connection.tab_names().into_iter().nth(place)
            });
            Box::new(NamedTab {
                sheet: sheet.clone(),
                name: name.unwrap_or_default(),
            })
        });
        self.state = State::ConfirmingColumns {
            columns: next.columns.clone(),
            header_row: next.header_row,
            sample: next.sample.clone(),
            problems: next.problems.clone(),
            layout: next.layout.clone(),
            tab,
            busy: false,
        };
    }

    /// The sandbox has worked off what it was given: all of it, or all up to a position of each source.
    fn answered(&mut self, positions: &[Position], now: u64, out: &mut Vec<Effect>) {
        let sources = self.sources.iter().zip(positions);
        let left: u64 = sources
            .filter_map(|(source, done)| {
                let given = source.given.as_ref()?;
                (done.epoch == given.epoch).then(|| given.revision.saturating_sub(done.revision))
            })
            .sum();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        self.unanswered = self.unanswered.min(left);
        if self.unanswered == 0 {
            self.unanswered_bytes = 0;
        }
        if self.behind && self.has_room(0) {
            self.behind = false;
            match self.channel {
                Channel::Open | Channel::Polling => self.join_again(now, out),
                Channel::Closed | Channel::Waiting | Channel::Asking | Channel::Opening => {}
            }
        }
    }

    /// Whether the sandbox may be given another message of so many bytes.
    fn has_room(&self, bytes: usize) -> bool {
        self.unanswered < CELL_MESSAGES_MAX
            && (self.unanswered == 0
                || self.unanswered_bytes.saturating_add(bytes) <= CELL_BYTES_MAX)
    }

    fn show_connected(&mut self, connection: Connection) {
        self.state = State::Connected(Box::new(Connected {
            connection,
            link: self.link,
            progress: None,
            last: None,
            waiting: None,
            differences: self.differences.clone(),
            runs: None,
            stopped: None,
            writer: match &self.role {
                Role::Following { name } => Some(name.clone()),
                Role::Unknown | Role::Writer => None,
            },
            trouble: None,
            troubles: self.troubles.clone(),
            sending: Sending::default(),
            held: Vec::new(),
        }));
        self.show_sending();
    }

    /// Shows what follows from what is known.
    fn settle(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.read_only {
            self.state = State::ReadOnly;
            return;
        }
        if self.token.is_none() {
            self.state = State::SignedOut;
            return;
        }
        let Some(connection) = self.connection.clone() else {
            self.choose_spreadsheet(out);
            return;
        };
        self.sources = connection.sheets().cloned().map(Followed::of).collect();
        // The sandbox has just begun, or was without a sign-in for a while: the whole sheet, please.
        self.forget_cells();
        if connection.approved {
            let on = connection.on;
            self.show_connected(connection);
            if on {
                self.go_live(now, out);
            } else if let Some(connected) = self.connected() {
                connected.stopped = Some(StopReason::Toggled);
            }
        } else {
            self.state = State::Reading;
            self.go_live(now, out);
        }
    }

    // Sign-in.

    fn begun(&mut self, result: Result<SignInReply, Failure>, now: u64, out: &mut Vec<Effect>) {
        if !matches!(self.state, State::SigningIn { .. }) {
            return;
        }
        match result {
            Ok(SignInReply {
                flow,
                code,
                url,
                expires_in_s,
            }) => {
                self.flow = Some((flow, now + u64::from(expires_in_s) * 1000));
                self.state = State::SigningIn { code, url };
                out.push(Effect::StartTimer(Timer::Redeem, self.ask, REDEEM_MS));
            }
            Err(failure) => {
                self.state = State::SignedOut;
                self.tell_failure(failure);
            }
        }
    }

    fn redeemed(
        &mut self,
        result: Result<Option<SessionReplyBox>, Failure>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some((_, deadline)) = self.flow else {
            return;
        };
        match result {
            Ok(Some(SessionReplyBox(reply))) => {
                self.flow = None;
                let picked = reply.picked.clone();
                self.keep_session(*reply, out);
                match picked.into_iter().next() {
                    Some(id) if self.connection.is_none() => self.choose_sheet(id, None, out),
                    Some(_) | None => self.settle(now, out),
                }
            }
            // The browser part is unfinished, or the relay is away for a moment.
            result if now < deadline && may_pass(&result) => {
                out.push(Effect::StartTimer(Timer::Redeem, self.ask, REDEEM_MS));
            }
            Ok(None) => {
                self.flow = None;
                self.state = State::SignedOut;
                self.tell("The sign-in took too long.", "Begin again with Sign in.");
            }
            Err(failure) => {
                self.flow = None;
                self.state = State::SignedOut;
                self.tell_failure(failure);
            }
        }
    }

    fn keep_session(&mut self, reply: SessionReply, out: &mut Vec<Effect>) {
        self.token = Some(reply.session.clone());
        self.account = Some(reply.account.clone());
        let half_life = u64::from(reply.expires_in_s) * 1000 / 2;
        self.renew_in(half_life.clamp(RENEW_MS_MIN, RENEW_MS), out);
        out.push(Effect::Say(
            ToSandbox::SaveSession {
                session: Some(SavedSession {
                    token: reply.session,
                    account: reply.account,
                }),
            },
            None,
        ));
    }

    fn renew(&mut self, out: &mut Vec<Effect>) {
        self.renewal = self.renewal.wrapping_add(1);
        out.push(Effect::Renew(self.renewal));
    }

    fn renew_in(&mut self, ms: u64, out: &mut Vec<Effect>) {
        self.renewal = self.renewal.wrapping_add(1);
        out.push(Effect::StartTimer(Timer::Renew, self.renewal, ms));
    }

    fn forget_sign_in(&mut self, out: &mut Vec<Effect>) {
        self.token = None;
        self.account = None;
        self.stop_everything(out);
        out.push(Effect::Say(ToSandbox::SaveSession { session: None }, None));
    }

    /// The relay takes the session no more.
    fn sign_in_ended(&mut self, failure: Failure, out: &mut Vec<Effect>) {
        self.forget_sign_in(out);
        self.state = State::SignedOut;
        self.tell_failure(failure);
    }

    // Choosing.

    fn choose_spreadsheet(&mut self, out: &mut Vec<Effect>) {
        self.state = State::ChoosingSpreadsheet {
            entries: None,
            adds: self.adds,
        };
        let ask = self.next_ask();
        out.push(Effect::List(ask));
    }

    fn listed(&mut self, result: Result<SpreadsheetList, Failure>, out: &mut Vec<Effect>) {
        if !matches!(self.state, State::ChoosingSpreadsheet { .. }) {
            return;
        }
        match result {
            Ok(list) => {
                self.state = State::ChoosingSpreadsheet {
                    entries: Some(list.spreadsheets),
                    adds: self.adds,
                };
            }
            Err(failure) if is_signed_out(&failure) => self.sign_in_ended(failure, out),
            Err(failure) => {
                self.state = State::ChoosingSpreadsheet {
                    entries: Some(Vec::new()),
                    adds: self.adds,
                };
                self.tell_failure(failure);
            }
        }
    }

    fn choose_sheet(&mut self, id: String, wanted: Option<i64>, out: &mut Vec<Effect>) {
        if self.token.is_none() {
            return;
        }
        self.wanted_sheet = wanted;
        self.state = State::ChoosingSheet { spreadsheet: None };
        let ask = self.next_ask();
        out.push(Effect::Tabs(ask, id));
    }

    fn tabs(&mut self, result: Result<Spreadsheet, Failure>, now: u64, out: &mut Vec<Effect>) {
        if !matches!(self.state, State::ChoosingSheet { .. }) {
            return;
        }
        match result {
            Ok(found) => {
                let wanted = self.wanted_sheet.take();
                let chosen = match &found.sheets[..] {
                    [only] => Some(only.sheet_id),
                    several => wanted
                        .filter(|wanted| several.iter().any(|sheet| sheet.sheet_id == *wanted)),
                };
                match chosen {
                    Some(sheet_id) => {
                        let sheet = SheetRef {
                            spreadsheet_id: found.id,
                            sheet_id,
                        };
                        self.take_sheets(vec![sheet], now, out);
                    }
                    None => {
                        self.state = State::ChoosingSheet {
                            spreadsheet: Some(found),
                        };
                    }
                }
            }
            Err(failure) if is_signed_out(&failure) => self.sign_in_ended(failure, out),
            Err(failure) => {
                self.choose_spreadsheet(out);
                self.tell_failure(failure);
            }
        }
    }

    /// Tabs were chosen: for a file that has none, or beside those that it has.
    fn take_sheets(&mut self, sheets: Vec<SheetRef>, now: u64, out: &mut Vec<Effect>) {
        if !std::mem::take(&mut self.adds) {
            self.connect(sheets, now, out);
            return;
        }
        let new: Vec<SheetRef> = sheets
            .into_iter()
            .filter(|sheet| self.sources.iter().all(|source| source.sheet != *sheet))
            .collect();
        if new.is_empty() {
            self.stop_adding(now, out);
            self.tell("These tabs feed this file already.", "");
            return;
        }
        // What was inferred of the only source did not say whose it was.
        let first = self.sources.first().map(|source| source.sheet.clone());
        for inferred in &mut self.inferred {
            inferred.sheet = inferred.sheet.take().or_else(|| first.clone());
        }
        self.state = State::Reading;
        for sheet in new {
            out.push(Effect::Say(ToSandbox::AddSource { sheet }, None));
        }
    }

    /// Nothing is added after all.
    fn stop_adding(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.adds = false;
        self.next_ask();
        match self.connection.clone() {
            Some(connection) if connection.approved => self.show_connected(connection),
            Some(_) => {
                self.state = State::Reading;
                self.show_columns();
                if matches!(self.state, State::Reading) {
                    out.push(Effect::Say(ToSandbox::SyncNow, None));
                }
            }
            None => self.settle(now, out),
        }
    }

    fn connect(&mut self, sheets: Vec<SheetRef>, now: u64, out: &mut Vec<Effect>) {
        self.link_down(out);
        self.sources = sheets.iter().cloned().map(Followed::of).collect();
        self.forget_cells();
        self.inferred.clear();
        self.state = State::Reading;
        for (at, sheet) in sheets.into_iter().enumerate() {
            let message = if at == 0 {
                ToSandbox::Connect { sheet }
            } else {
                ToSandbox::AddSource { sheet }
            };
            out.push(Effect::Say(message, None));
        }
        self.go_live(now, out);
    }

    // The way to the relay.

    fn go_live(&mut self, now: u64, out: &mut Vec<Effect>) {
        if let Some(connection) = &self.connection
            && self.sources.is_empty()
        {
            self.sources = connection.sheets().cloned().map(Followed::of).collect();
        }
        self.failures = 0;
        self.attempt = 0;
        self.try_socket_ms = now;
        self.set_link(Link::Connecting);
        // Nothing is written before it is known who writes.
        self.role = Role::Unknown;
        self.fence = 0;
        self.nonce.clear();
        self.show_writer();
        self.tell_role(false, out);
        self.ask_ticket(out);
    }

    /// Asks for a ticket for every source, one after the other; then the socket opens.
    fn ask_ticket(&mut self, out: &mut Vec<Effect>) {
        self.end_channel(out);
        self.joined.clear();
        if let (Some(first), true) = (self.sources.first(), self.token.is_some()) {
            let sheet = first.sheet.clone();
            self.channel = Channel::Asking;
            self.asked = 0;
            out.push(Effect::Ticket(self.turn, sheet));
        }
    }

    /// The answer for the source that a ticket was asked for. The first is the one among whose followers the writer is
    /// elected: nothing goes on without it. Another that can't be had is told, and the others are followed.
    fn ticket(&mut self, result: Result<String, Failure>, now: u64, out: &mut Vec<Effect>) {
        match result {
            Ok(ticket) => self.joined.push((self.asked, ticket)),
            Err(failure @ Failure::Api(_)) if self.asked > 0 && !is_signed_out(&failure) => {
                self.source_trouble(self.asked, Some(notice_of(failure)));
            }
            Err(failure) => {
                self.way_failed(failure, now, out);
                return;
            }
        }
        self.asked += 1;
        if let Some(next) = self.sources.get(self.asked) {
            out.push(Effect::Ticket(self.turn, next.sheet.clone()));
            return;
        }
        self.channel = Channel::Opening;
        self.has_bid = self.file.is_some();
        self.at = 0;
        let bid = self.bid(false);
        let mut sources = self.joined.iter_mut().map(|(at, ticket)| JoinSource {
            ticket: std::mem::take(ticket),
            resume: self.sources[*at].position.clone(),
        });
        let Some(JoinSource { ticket, resume }) = sources.next() else {
            return;
        };
        let more = sources.collect();
        out.push(Effect::OpenSocket(
            self.turn,
            ClientFrame::Join {
                v: VERSION,
                ticket,
                resume,
                bid,
                more,
            },
        ));
        self.listen_for_silence(out);
    }

    /// The source that the relay's frames are of at present.
    fn source(&mut self) -> Option<&mut Followed> {
        let place = match self.joined.get(self.at) {
            Some((place, _)) => *place,
            None => 0,
        };
        self.sources.get_mut(place)
    }

    /// What is wrong with a source, while it is.
    fn source_trouble(&mut self, place: usize, trouble: Option<Notice>) {
        let Some(sheet) = self.sources.get(place).map(|source| source.sheet.clone()) else {
            return;
        };
        if self.sources.len() == 1 {
            self.set_trouble(trouble);
            return;
        }
        self.troubles.retain(|(of, _)| *of != sheet);
        self.troubles
            .extend(trouble.map(|trouble| (sheet, trouble)));
        self.show_troubles();
    }

    fn show_troubles(&mut self) {
        let troubles = self.troubles.clone();
        if let Some(connected) = self.connected() {
            connected.troubles = troubles;
        }
    }

    /// Leaves the present way; whatever it still says is ignored.
    fn end_channel(&mut self, out: &mut Vec<Effect>) {
        if matches!(self.channel, Channel::Opening | Channel::Open) {
            out.push(Effect::CloseSocket);
        }
        self.channel = Channel::Closed;
        self.turn = self.turn.wrapping_add(1);
        self.silence = self.silence.wrapping_add(1);
    }

    fn link_down(&mut self, out: &mut Vec<Effect>) {
        self.stop_sending(out);
        self.end_channel(out);
        self.set_link(Link::Down);
    }

    fn listen_for_silence(&mut self, out: &mut Vec<Effect>) {
        self.silence = self.silence.wrapping_add(1);
        out.push(Effect::StartTimer(Timer::Silence, self.silence, SILENCE_MS));
    }

    /// A number below `below`: xorshift (G. Marsaglia, "Xorshift RNGs", 2003).
    fn random(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        u64::from(self.seed) % below.max(1)
    }

    /// Tries again later: exponential backoff with full jitter
    /// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
    fn wait(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.end_channel(out);
        self.channel = Channel::Waiting;
        self.attempt = self.attempt.saturating_add(1);
        let doublings = self.attempt.saturating_sub(1).min(10);
        let cap = RETRY_MS_MIN
            .saturating_mul(1 << doublings)
            .min(RETRY_MS_MAX);
        let ms = self.random(cap);
        self.set_link(Link::Offline {
            attempt: self.attempt,
            retry_unix_ms: now + ms,
        });
        out.push(Effect::StartTimer(Timer::Retry, self.turn, ms));
    }

    fn try_again(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.failures < SOCKET_FAILURES_MAX {
            self.ask_ticket(out);
        } else if now < self.try_socket_ms {
            self.start_polling(now, out);
        } else {
            self.try_socket(out);
        }
    }

    /// One more chance for the WebSocket; should it fail, polling goes on.
    fn try_socket(&mut self, out: &mut Vec<Effect>) {
        self.failures = SOCKET_FAILURES_MAX - 1;
        self.ask_ticket(out);
    }

    fn retry_now(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.channel == Channel::Waiting {
            self.attempt = 0;
            self.try_again(now, out);
        }
    }

    /// The WebSocket does not get through.
    fn give_up_sockets(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.try_socket_ms = now + TRY_SOCKET_MS;
        self.start_polling(now, out);
    }

    fn start_polling(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.end_channel(out);
        self.channel = Channel::Polling;
        self.poll(out);
        self.wait_for_word(out);
        out.push(Effect::StartTimer(
            Timer::TrySocket,
            self.turn,
            self.try_socket_ms.saturating_sub(now),
        ));
    }

    /// Asks for what was missed, over the way that works.
    fn join_again(&mut self, now: u64, out: &mut Vec<Effect>) {
        match self.channel {
            Channel::Polling => self.start_polling(now, out),
            Channel::Closed
            | Channel::Waiting
            | Channel::Asking
            | Channel::Opening
            | Channel::Open => self.ask_ticket(out),
        }
    }

    /// What this panel bids for, once the sandbox has told the file's id.
    fn bid(&self, take_over: bool) -> Option<Bid> {
        let (file, panel) = self.file.clone()?;
        Some(Bid {
            file,
            panel,
            take_over,
            fence: Some(self.fence),
        })
    }

    /// Bids on a socket that has joined without it.
    fn offer_bid(&mut self, out: &mut Vec<Effect>) {
        if self.channel == Channel::Open
            && !self.has_bid
            && let Some(bid) = self.bid(false)
        {
            self.has_bid = true;
            out.push(Effect::Send(ClientFrame::Bid { v: VERSION, bid }));
        }
    }

    fn wait_for_word(&mut self, out: &mut Vec<Effect>) {
        if self.role == Role::Unknown {
            out.push(Effect::StartTimer(Timer::Word, self.turn, WORD_MS));
        }
    }

    /// The relay says who writes.
    fn writer_is(
        &mut self,
        you: bool,
        name: String,
        fence: u64,
        nonce: String,
        out: &mut Vec<Effect>,
    ) {
        if fence < self.fence {
            return;
        }
        self.fence = fence;
        if self.nonce != nonce {
            self.nonce = nonce;
            self.looks = 0;
        }
        self.role = if you {
            Role::Writer
        } else {
            Role::Following { name }
        };
        self.show_writer();
        self.tell_role(false, out);
    }

    fn show_writer(&mut self) {
        let writer = match &self.role {
            Role::Following { name } => Some(name.clone()),
            Role::Unknown | Role::Writer => None,
        };
        if let Some(connected) = self.connected() {
            if writer.is_some() {
                connected.waiting = None;
            }
            connected.writer = writer;
        }
    }

    /// Tells the sandbox whether it writes; it answers with what stands in the file.
    fn tell_role(&self, renew: bool, out: &mut Vec<Effect>) {
        out.push(Effect::Say(
            ToSandbox::Writer {
                yes: self.role == Role::Writer,
                nonce: self.nonce.clone(),
                renew,
            },
            None,
        ));
    }

    /// What stands in the file.
    fn file_is(&mut self, id: String, panel: String, nonce: &str, now: u64, out: &mut Vec<Effect>) {
        let file = Some((id, panel));
        if self.file != file {
            self.file = file;
            self.fence = 0;
            self.looks = 0;
            self.has_bid = false;
            self.offer_bid(out);
            if self.channel == Channel::Polling {
                // What the poll under way is told is about the file's id before.
                self.start_polling(now, out);
            }
            return;
        }
        let follows = matches!(self.role, Role::Following { .. }) && !self.nonce.is_empty();
        if !follows || nonce == self.nonce {
            self.looks = 0;
            return;
        }
        // The writer has the nonce as soon as this panel has: only in another document it never comes.
        self.looks += 1;
        if self.looks >= NONCE_LOOKS_MAX {
            self.looks = 0;
            self.tell_role(true, out);
        } else {
            self.look = self.look.wrapping_add(1);
            out.push(Effect::StartTimer(Timer::Nonce, self.look, NONCE_MS));
        }
    }

    /// The designer wants to write from here on.
    fn take_over(&mut self, now: u64, out: &mut Vec<Effect>) {
        match (self.channel, self.bid(true)) {
            (Channel::Open, Some(bid)) => {
                out.push(Effect::Send(ClientFrame::Bid { v: VERSION, bid }));
            }
            (Channel::Polling, Some(_)) => {
                self.takes_over = true;
                self.start_polling(now, out);
            }
            (
                Channel::Closed
                | Channel::Waiting
                | Channel::Asking
                | Channel::Opening
                | Channel::Open
                | Channel::Polling,
                _,
            ) => self.tell_failure(Failure::Network),
        }
    }

    /// Whether somebody else writes; the designer is told what to do about it.
    fn is_following(&mut self) -> bool {
        let Role::Following { name } = &self.role else {
            return false;
        };
        let message = [name.as_str(), " is syncing this file."].concat();
        self.tell(&message, "Take over to do it yourself.");
        true
    }

    fn poll(&mut self, out: &mut Vec<Effect>) {
        let mut sources = self.sources.iter().map(|source| PollSource {
            sheet: source.sheet.clone(),
            resume: source.position.clone(),
        });
        let Some(PollSource { sheet, resume }) = sources.next() else {
            return;
        };
        let more = sources.collect();
        self.joined = (0..self.sources.len())
            .map(|at| (at, String::new()))
            .collect();
        let take_over = std::mem::take(&mut self.takes_over);
        let bid = self.bid(take_over);
        out.push(Effect::Poll(
            self.turn,
            PollRequest {
                v: VERSION,
                sheet,
                resume,
                wait_ms: HEARTBEAT_MS,
                bid,
                more,
            },
        ));
    }

    /// A request of the way failed.
    fn way_failed(&mut self, failure: Failure, now: u64, out: &mut Vec<Effect>) {
        if is_signed_out(&failure) {
            self.sign_in_ended(failure, out);
            return;
        }
        if let Failure::Api(_) = failure {
            self.set_trouble(Some(notice_of(failure)));
        }
        self.wait(now, out);
    }

    fn socket(&mut self, event: SocketEvent, now: u64, out: &mut Vec<Effect>) {
        match event {
            SocketEvent::Frame(frame) => {
                if self.channel == Channel::Opening {
                    self.channel = Channel::Open;
                    self.open_since_ms = now;
                    self.offer_bid(out);
                    self.wait_for_word(out);
                }
                self.failures = 0;
                // Only a socket that lasts ends the growing of the waits.
                if now.saturating_sub(self.open_since_ms) >= HEARTBEAT_MS {
                    self.attempt = 0;
                }
                self.listen_for_silence(out);
                // A closing relay is not a way that works.
                if !matches!(frame, RelayFrame::Closing { .. }) {
                    self.set_link(Link::Live);
                }
                self.frame(frame, now, out);
            }
            SocketEvent::Unreadable | SocketEvent::Closed => {
                if self.channel == Channel::Opening {
                    self.failures += 1;
                }
                if self.failures >= SOCKET_FAILURES_MAX {
                    self.give_up_sockets(now, out);
                } else {
                    self.wait(now, out);
                }
            }
        }
    }

    fn polled(&mut self, result: Result<PollReply, Failure>, now: u64, out: &mut Vec<Effect>) {
        match result {
            Ok(reply) => {
                if !reply
                    .frames
                    .iter()
                    .any(|frame| matches!(frame, RelayFrame::Closing { .. }))
                {
                    self.attempt = 0;
                    self.set_link(Link::Polling);
                }
                let turn = self.turn;
                self.at = 0;
                for frame in reply.frames {
                    self.frame(frame, now, out);
                    if self.turn != turn {
                        return;
                    }
                }
                // Who is behind polls again when the sandbox has answered.
                if !self.behind {
                    out.push(Effect::StartTimer(Timer::Poll, turn, POLL_PAUSE_MS));
                }
            }
            Err(failure) => self.way_failed(failure, now, out),
        }
    }

    /// Something was missed: the whole sheet, please. Whoever still gets none after having asked for it waits.
    fn ask_for_all(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self
            .source()
            .is_some_and(|source| source.position.take().is_some())
        {
            self.join_again(now, out);
        } else {
            self.wait(now, out);
        }
    }

    /// The relay could serve the source that its frames are of.
    fn source_is_well(&mut self) {
        if let Some((place, _)) = self.joined.get(self.at)
            && !self.troubles.is_empty()
        {
            self.source_trouble(*place, None);
        }
    }

    /// Passes cells on to the sandbox, as long as it keeps up.
    fn give(
        &mut self,
        message: ToSandbox,
        position: Position,
        cells: String,
        out: &mut Vec<Effect>,
    ) {
        if let Some(source) = self.source() {
            source.position = Some(position.clone());
            source.given = Some(position);
        }
        self.unanswered += 1;
        self.set_trouble(None);
        self.source_is_well();
        out.push(Effect::Say(message, Some(cells)));
    }

    fn frame(&mut self, frame: RelayFrame, now: u64, out: &mut Vec<Effect>) {
        let Some(source) = self.source() else {
            return;
        };
        let Followed {
            sheet,
            position: held,
            given,
        } = source.clone();
        match frame {
            RelayFrame::Source { at, .. } => {
                if at < self.joined.len() {
                    self.at = at;
                } else {
                    self.wait(now, out);
                }
            }
            RelayFrame::Snapshot {
                position,
                sheet: info,
                cells,
                ..
            } => {
                let is_older = given.as_ref().is_some_and(|given| {
                    given.epoch == position.epoch && given.revision > position.revision
                });
                if is_older {
                    // A relay that has not caught up with what was shown already.
                    self.wait(now, out);
                } else if !self.has_room(0) {
                    self.behind = true;
                } else {
                    // It makes everything before it out of date, for the sandbox too.
                    if self.sources.len() == 1 {
                        self.unanswered_bytes = 0;
                        self.behind = false;
                    }
                    let message = ToSandbox::Snapshot {
                        sheet,
                        position: position.clone(),
                        info,
                    };
                    self.give(message, position, cells, out);
                }
            }
            RelayFrame::Changes {
                since,
                position,
                rows,
                cells,
                ..
            } => {
                let fits = held.as_ref().is_some_and(|held| {
                    held.epoch == position.epoch
                        && held.revision == since
                        && position.revision > since
                });
                if self.behind {
                    // They are asked for again when the sandbox has answered.
                } else if !fits {
                    self.ask_for_all(now, out);
                } else if !self.has_room(cells.len()) {
                    self.behind = true;
                } else {
                    self.unanswered_bytes += cells.len();
                    let message = ToSandbox::Changes {
                        sheet,
                        position: position.clone(),
                        rows,
                    };
                    self.give(message, position, cells, out);
                }
            }
            RelayFrame::Resumed { position, .. } => {
                self.look(LOOK_MS, now, out);
                if held.as_ref() != Some(&position) {
                    self.ask_for_all(now, out);
                } else {
                    self.source_is_well();
                }
            }
            RelayFrame::Heartbeat { read_unix_ms, .. } => {
                // Somebody may have given the file another id meanwhile.
                self.tell_role(false, out);
                self.look(LOOK_MS, now, out);
                if read_unix_ms > self.read_unix_ms {
                    self.read_unix_ms = read_unix_ms;
                    self.set_trouble(None);
                    self.source_is_well();
                }
            }
            RelayFrame::Trouble { error, .. } => {
                let place = self.joined.get(self.at).map_or(0, |(place, _)| *place);
                self.source_trouble(place, Some(notice_of(Failure::Api(error))));
            }
            RelayFrame::Writer {
                you,
                name,
                fence,
                nonce,
                ..
            } => self.writer_is(you, name, fence, nonce, out),
            RelayFrame::FlagsChanged { .. } => self.evaluate_flags(now, out),
            RelayFrame::Closing { reason, .. } => self.closing(reason, now, out),
        }
    }

    /// Has the flags evaluated, now or as soon as [`FLAGS_MS`] have passed since the last time.
    fn evaluate_flags(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.flags_timer.is_some() {
            return;
        }
        let passed = now.saturating_sub(self.flags_asked_ms);
        if passed >= FLAGS_MS {
            self.flags_asked_ms = now;
            out.push(Effect::EvaluateFlags);
        } else {
            self.flags = self.flags.wrapping_add(1);
            self.flags_timer = Some(self.flags);
            out.push(Effect::StartTimer(
                Timer::Flags,
                self.flags,
                FLAGS_MS - passed,
            ));
        }
    }

    fn closing(&mut self, reason: CloseReason, now: u64, out: &mut Vec<Effect>) {
        match reason {
            CloseReason::Draining | CloseReason::SlowConsumer | CloseReason::Ticket => {
                self.wait(now, out);
            }
            CloseReason::SignedOut => {
                let error = ApiError {
                    code: ErrorCode::SignedOut,
                    message: String::from("Your sign-in has ended."),
                    remedy: Some(String::from("Sign in again; the sheet stays connected.")),
                };
                self.sign_in_ended(Failure::Api(error), out);
            }
            CloseReason::SwitchedOff => {
                self.wait(now, out);
                self.evaluate_flags(now, out);
            }
            CloseReason::Protocol | CloseReason::Version => {
                self.set_trouble(Some(Notice {
                    message: String::from(
                        "The plugin and your team's relay are of different versions.",
                    ),
                    remedy: Some(String::from(
                        "Update the plugin, or ask the person who runs the relay.",
                    )),
                }));
                self.attempt = self.attempt.max(5);
                self.wait(now, out);
            }
        }
    }

    fn timer(&mut self, timer: Timer, token: u32, now: u64, out: &mut Vec<Effect>) {
        match timer {
            Timer::Redeem => {
                if let (true, Some((flow, _))) = (token == self.ask, &self.flow) {
                    out.push(Effect::Redeem(self.ask, flow.clone()));
                }
            }
            Timer::Renew => {
                if token == self.renewal && self.token.is_some() && !self.is_off() {
                    self.renew(out);
                }
            }
            Timer::Retry => {
                if token == self.turn && self.channel == Channel::Waiting {
                    self.try_again(now, out);
                }
            }
            Timer::Silence => {
                if token == self.silence && matches!(self.channel, Channel::Opening | Channel::Open)
                {
                    self.socket(SocketEvent::Closed, now, out);
                }
            }
            Timer::Poll => {
                if token == self.turn && self.channel == Channel::Polling {
                    self.poll(out);
                }
            }
            Timer::TrySocket => {
                if token == self.turn && self.channel == Channel::Polling {
                    self.try_socket(out);
                }
            }
            Timer::Word => {
                let is_waiting = matches!(self.channel, Channel::Open | Channel::Polling);
                if token == self.turn && is_waiting && self.role == Role::Unknown {
                    self.role = Role::Writer;
                    self.tell_role(false, out);
                }
            }
            Timer::Nonce => {
                let follows = matches!(self.role, Role::Following { .. });
                if token == self.look && follows && !self.is_off() {
                    self.tell_role(false, out);
                }
            }
            Timer::Write => self.write_again(token, out),
            Timer::Flags => {
                if self.flags_timer == Some(token) && !self.is_off() {
                    self.flags_timer = None;
                    self.flags_asked_ms = now;
                    out.push(Effect::EvaluateFlags);
                }
            }
        }
    }
}

/// Whether a sign-in that is not finished may still be.
fn may_pass(result: &Result<Option<SessionReplyBox>, Failure>) -> bool {
    match result {
        Ok(None) | Err(Failure::Network) => true,
        Ok(Some(_)) | Err(Failure::Unreadable) => false,
        Err(Failure::Api(error)) => matches!(
            error.code,
            ErrorCode::TooMany | ErrorCode::Unavailable | ErrorCode::Google
        ),
    }
}

fn is_signed_out(failure: &Failure) -> bool {
    matches!(failure, Failure::Api(error) if error.code == ErrorCode::SignedOut)
}

fn notice_of(failure: Failure) -> Notice {
    match failure {
        Failure::Network => Notice {
            message: String::from("Your team's relay can't be reached."),
            remedy: Some(String::from("Check the network and try again.")),
        },
        Failure::Api(error) => Notice {
            message: error.message,
            remedy: error.remedy,
        },
        Failure::Unreadable => Notice {
            message: String::from("Your team's relay gave an answer that could not be read."),
            remedy: Some(String::from(
                "Try again; if it stays, tell the person who runs the relay.",
            )),
        },
    }
}
