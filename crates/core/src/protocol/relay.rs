//! The wire between the relay and the UI program: HTTP bodies, and the text frames of the live WebSocket.
//!
//! Owns the types, their version and their limits. Must not know tokio, axum, browsers, or what a cell means.

use serde::{Deserialize, Serialize};

/// The version every live frame carries. A receiver answers another version with [`CloseReason::Version`].
pub const VERSION: u32 = 1;

/// Longest text frame a client may send, in bytes. The relay's own snapshots may be as long as
/// [`SNAPSHOT_BYTES_MAX`].
pub const CLIENT_FRAME_BYTES_MAX: usize = 4 * 1024;
/// Longest packed sheet that the relay sends, in bytes; a larger sheet is [`ErrorCode::SheetTooLarge`].
pub const SNAPSHOT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Time a new WebSocket has for its `join` frame, in milliseconds.
pub const JOIN_DEADLINE_MS: u64 = 5_000;
/// Time between the relay's heartbeats, in milliseconds. A client that has heard nothing for twice as long
/// takes the socket for dead.
pub const HEARTBEAT_MS: u64 = 15_000;
/// Life of a ticket, in milliseconds; it is good for one join.
pub const TICKET_LIFE_MS: u64 = 60_000;
/// How long the relay keeps a room's changes for resuming clients, in milliseconds.
pub const RESUME_WINDOW_MS: u64 = 120_000;
/// Most tabs that one client may follow over one socket or poll.
pub const SOURCES_MAX: usize = 16;
/// Most cells of one [`WriteRequest`].
pub const WRITE_CELLS_MAX: usize = 500;
/// Longest body of a [`WriteRequest`], in bytes.
pub const WRITE_BYTES_MAX: usize = 256 * 1024;
/// Most [`CellWrite::guards`] of a cell.
pub const WRITE_GUARDS_MAX: usize = 8;

/// Where a reader stands in a room: `revision` rises by one with every change the relay sees in the sheet,
/// `epoch` changes when the relay lost its memory of the room (a restart).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Opaque; only equality matters.
    pub epoch: String,
    /// Rises by one a change within an epoch.
    pub revision: u64,
}

/// One sheet (tab) of one spreadsheet, as Google names them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SheetRef {
    /// Google's spreadsheet id.
    pub spreadsheet_id: String,
    /// Google's `sheetId` (the `gid` of a link). It survives renaming and reordering of tabs.
    pub sheet_id: i64,
}

/// A further tab to follow over the same socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinSource {
    /// As [`ClientFrame::Join`]'s.
    pub ticket: String,
    /// Where the client stands in this tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
}

/// A further tab to follow by the same polls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollSource {
    /// The tab.
    pub sheet: SheetRef,
    /// Where the client stands in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
}

/// A panel's wish to write a file from this sheet. Of all who bid for one file and sheet, one is the writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bid {
    /// The random id that is kept in the file; at most 64 bytes.
    pub file: String,
    /// A random id of this run of the plugin, which finds its place again after a lost connection; at most 64 bytes.
    pub panel: String,
    /// The designer chose to take over from whoever writes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub take_over: bool,
    /// The grant that the client was told last, 0 for none. A poll that has another to tell is not held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
}

/// What a client sends on the live WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame, within [`JOIN_DEADLINE_MS`]. Nothing is subscribed before it.
    Join {
        /// [`VERSION`].
        v: u32,
        /// From `POST /v1/tickets`; it names the user and the sheet.
        ticket: String,
        /// Where the client stands, if it has seen this sheet before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Position>,
        /// For whom the client would write, answered by [`RelayFrame::Writer`] before any cells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bid: Option<Bid>,
        /// Further tabs, at most [`SOURCES_MAX`] with the first, in whose room the writer is elected.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<JoinSource>,
    },
    /// Bids later, for another file, or to take over. Answered by [`RelayFrame::Writer`].
    Bid {
        /// [`VERSION`].
        v: u32,
        /// It takes the place of the client's earlier bid.
        bid: Bid,
    },
    /// Asks the relay to read the sheet now instead of at the next interval (bounded by the relay).
    Refresh {
        /// [`VERSION`].
        v: u32,
    },
}

/// What the relay sends, over the live WebSocket as frames and over `POST /v1/poll` as a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RelayFrame {
    /// The frames that follow are of that tab, until the next of these. Before the first one they are of the first tab.
    Source {
        /// [`VERSION`].
        v: u32,
        /// Its place in the join or poll, from 0.
        at: usize,
    },
    /// The whole sheet: first join, lost epoch, or a gap longer than [`RESUME_WINDOW_MS`].
    Snapshot {
        /// [`VERSION`].
        v: u32,
        /// The reader's position after taking this frame.
        position: Position,
        /// What stands around the cells.
        sheet: SheetInfo,
        /// Every cell, packed ([`crate::sheet::pack`]).
        cells: String,
    },
    /// Only the cells that changed since `since`.
    Changes {
        /// [`VERSION`].
        v: u32,
        /// The revision that the reader must stand at; otherwise it has a gap and asks for a snapshot by
        /// joining again without `resume`.
        since: u64,
        /// The reader's position after taking this frame.
        position: Position,
        /// Unix time when the relay first knew of the change, in milliseconds.
        seen_unix_ms: u64,
        /// Rows in the sheet after the change (trailing empty rows not counted).
        rows: u32,
        /// The changed cells, packed ([`crate::sheet::pack_changes`]).
        cells: String,
    },
    /// The client's resume position is current; nothing was missed.
    Resumed {
        /// [`VERSION`].
        v: u32,
        /// The reader's position, unchanged.
        position: Position,
    },
    /// Who writes the file that the client has bid for: the answer to a bid, and sent again whenever it changes.
    Writer {
        /// [`VERSION`].
        v: u32,
        /// Whether it is this client. Everybody else follows and writes nothing.
        you: bool,
        /// The writer's account, as its Google sign-in names it; shown to those who follow in the same file.
        name: String,
        /// Rises with every grant; what carries a lower one is out of date.
        fence: u64,
        /// The writer leaves it in the document. Who follows and does not find it there has a copy of the file, and
        /// gives that an id of its own.
        nonce: String,
    },
    /// Every [`HEARTBEAT_MS`].
    Heartbeat {
        /// [`VERSION`].
        v: u32,
        /// Unix time of the relay's last successful read of the sheet, in milliseconds.
        read_unix_ms: u64,
    },
    /// The relay can't serve the sheet at present. The session stays; later frames tell when it is over.
    Trouble {
        /// [`VERSION`].
        v: u32,
        /// What is wrong.
        error: ApiError,
    },
    /// The flags of this user changed; the panel evaluates again.
    FlagsChanged {
        /// [`VERSION`].
        v: u32,
    },
    /// The last frame before the relay closes.
    Closing {
        /// [`VERSION`].
        v: u32,
        /// Why, and so whether to come back.
        reason: CloseReason,
    },
}

/// Why the relay closes a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The relay is going down or moving its clients; come back after a jittered wait.
    Draining,
    /// The client reads too slowly; come back and resume.
    SlowConsumer,
    /// The ticket is unknown, used or expired; get a new one.
    Ticket,
    /// No join frame in time, or one that can't be read.
    Protocol,
    /// The other side speaks another version; the plugin must be updated.
    Version,
    /// The sign-in was revoked or ended; sign in again.
    SignedOut,
    /// The feature was switched off for this user.
    SwitchedOff,
}

/// What stands around the cells of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetInfo {
    /// The spreadsheet's title.
    pub spreadsheet_title: String,
    /// The tab's title, used in addresses such as `Tokens!C14`.
    pub sheet_title: String,
    /// Google's locale of the spreadsheet, such as `en_US` or `de_DE`; numbers typed as text follow it.
    pub locale: String,
}

/// The body of every reply that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// One plain sentence for the designer; never a secret or a cell's content.
    pub message: String,
    /// What the designer can do about it, where there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// What went wrong, for programs. The HTTP status of each is in docs/protocol.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 400: the request can't be read.
    BadRequest,
    /// 401: no session, or one that has ended.
    SignedOut,
    /// 403: Google says that this user may not read the spreadsheet.
    NoAccess,
    /// 404: no such spreadsheet, tab, flow or path.
    NotFound,
    /// 409: the sign-in was not finished in the browser yet, or was used already.
    Conflict,
    /// 410: the sign-in took too long; begin again.
    Expired,
    /// 413: body or sheet over the limit.
    SheetTooLarge,
    /// 426: another version of the wire.
    Version,
    /// 429: too many requests; `Retry-After` tells the wait.
    TooMany,
    /// 502: Google answered with an error.
    Google,
    /// 503: the relay is starting, draining or overloaded.
    Unavailable,
    /// 403: the designer declined, or left a needed permission unticked.
    Declined,
    /// 403: the Google Workspace administrator does not allow the app.
    AdminPolicy,
    /// 403: two-way sync is not on for this sheet and user; nothing is written until it is.
    TwoWayOff,
    /// 409: the file, panel and fence are not the present grant, or the relay knows none since it restarted. The client
    /// bids again and, when it is told that it writes, repeats its write with the new fence.
    NotWriter,
    /// 403: this user may only read the spreadsheet, or the permission that the relay asks for only reads.
    NoWrite,
}

/// `POST /v1/signin`: begins a sign-in. The plugin keeps a 256-bit secret and sends its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRequest {
    /// base64url without padding of SHA-256 of the secret's 32 bytes.
    pub challenge: String,
}

/// The reply to [`SignInRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInReply {
    /// Names this sign-in in later calls; no secret.
    pub flow: String,
    /// The short code that the person compares, such as `KQ4-7TM`.
    pub code: String,
    /// The page to open in the browser.
    pub url: String,
    /// Seconds until the flow ends.
    pub expires_in_s: u32,
}

/// `POST /v1/signin/{flow}/redeem`: exchanges the secret for a session, once. 202 with an empty body while the
/// browser part is unfinished.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemRequest {
    /// base64url without padding of the 32 bytes whose hash was the challenge.
    pub secret: String,
}

/// A session: the reply to a redeem and to `POST /v1/session/renew`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionReply {
    /// Bearer token for every later call; the relay keeps only its hash.
    pub session: String,
    /// Seconds until it must have been renewed.
    pub expires_in_s: u32,
    /// The signed-in account's address, shown to its owner.
    pub account: String,
    /// Spreadsheets picked during the sign-in, if the picker was part of it.
    #[serde(default)]
    pub picked: Vec<String>,
}

/// `GET /v1/spreadsheets`: what the signed-in user may connect, latest change first, at most 100.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadsheetList {
    /// The spreadsheets.
    pub spreadsheets: Vec<SpreadsheetEntry>,
}

/// One line of [`SpreadsheetList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadsheetEntry {
    /// Google's spreadsheet id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// RFC 3339, as Drive gives it.
    pub modified: String,
}

/// `GET /v1/spreadsheets/{id}`: the tabs of one spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spreadsheet {
    /// Google's spreadsheet id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Google's locale, such as `en_US`.
    pub locale: String,
    /// Its tabs, in order.
    pub sheets: Vec<SheetEntry>,
}

/// One tab of a [`Spreadsheet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetEntry {
    /// Google's `sheetId`.
    pub sheet_id: i64,
    /// Its title.
    pub title: String,
    /// Rows of its grid.
    pub rows: u32,
    /// Columns of its grid.
    pub columns: u32,
}

/// `POST /v1/tickets`, body [`SheetRef`]: the reply.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketReply {
    /// Good for one join within [`TICKET_LIFE_MS`].
    pub ticket: String,
}

/// `POST /v1/poll`: the same frames as the WebSocket's, for networks that refuse it. The relay holds the
/// request until there is something to say or `wait_ms` has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollRequest {
    /// [`VERSION`].
    pub v: u32,
    /// The sheet to read.
    pub sheet: SheetRef,
    /// Where the client stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
    /// Longest wait, in milliseconds; the relay caps it at [`HEARTBEAT_MS`].
    #[serde(default)]
    pub wait_ms: u64,
    /// For whom the client would write; the answer is among the frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Bid>,
    /// Further tabs, at most [`SOURCES_MAX`] with the first, in whose room the writer is elected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<PollSource>,
}

/// The reply to [`PollRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollReply {
    /// In order; empty only never: a quiet sheet answers with `resumed`.
    pub frames: Vec<RelayFrame>,
}

/// `PUT /v1/two-way`: lets the relay write to a sheet for this user, or no longer. Off until it is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoWayRequest {
    /// [`VERSION`].
    pub v: u32,
    /// The sheet.
    pub sheet: SheetRef,
    /// Whether writes are taken from now on.
    pub on: bool,
}

/// The reply to [`TwoWayRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoWayReply {
    /// As it is now.
    pub on: bool,
}

/// `POST /v1/write`: writes cells of one sheet, in one batch. Only for a sheet whose two-way sync is on for the user, and
/// only from the elected writer of the file.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteRequest {
    /// [`VERSION`].
    pub v: u32,
    /// The sheet.
    pub sheet: SheetRef,
    /// The file of the [`Bid`].
    pub file: String,
    /// The panel of the [`Bid`].
    pub panel: String,
    /// The fence of the [`RelayFrame::Writer`] that made this panel the writer.
    pub fence: u64,
    /// At least one, at most [`WRITE_CELLS_MAX`], no cell twice.
    pub cells: Vec<CellWrite>,
}

/// One cell of a [`WriteRequest`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CellWrite {
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
    /// The packed cell ([`crate::sheet::push_cell`]) that the writer decided on; an empty text for an empty cell. A cell
    /// that holds anything else by now is not written.
    pub before: String,
    /// What the cell is to hold.
    pub value: WriteValue,
    /// Cells that tell whether it is still the cell that the writer saw, at most [`WRITE_GUARDS_MAX`]: those with its row's
    /// name, and its column's header. While one of them holds something else, the cell is not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<CellGuard>,
}

/// A cell of the same sheet as a [`CellWrite`], and what it held when the writer decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellGuard {
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
    /// The packed cell, as [`CellWrite::before`].
    pub holds: String,
}

/// What a cell is to hold. The cell keeps its format: 0.5 in a cell of percents is shown as `50%`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteValue {
    /// This text exactly; Sheets takes it for nothing else. An empty text empties the cell.
    Text(String),
    /// A finite number.
    Number(f64),
    /// TRUE or FALSE.
    Boolean(bool),
}

/// The reply to [`WriteRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteReply {
    /// What became of each cell, in the request's order.
    pub results: Vec<WriteResult>,
}

/// What became of a cell of a [`WriteRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteResult {
    /// The cell holds the value now, by this write or already.
    Written,
    /// The cell holds a formula, which is never overwritten.
    Formula,
    /// The cell no longer holds `before`.
    Changed,
    /// The cell is in a protected range that this user may not edit.
    Protected,
    /// The cell is beyond the sheet's grid.
    Outside,
    /// A guard of the cell holds something else: a row or column was inserted, removed, sorted or renamed, and the cell is
    /// elsewhere by now. The writer writes it again when it has seen where.
    Moved,
}

impl std::fmt::Debug for WriteRequest {
    /// Without the cells: their contents are nobody's but the sheet's readers'.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WriteRequest({} cells)", self.cells.len())
    }
}

impl std::fmt::Debug for CellWrite {
    /// Its place alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CellWrite({}, {})", self.row, self.column)
    }
}

impl std::fmt::Debug for CellGuard {
    /// Its place alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CellGuard({}, {})", self.row, self.column)
    }
}

impl std::fmt::Debug for WriteValue {
    /// Its kind alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            WriteValue::Text(_) => "Text",
            WriteValue::Number(_) => "Number",
            WriteValue::Boolean(_) => "Boolean",
        })
    }
}

/// A frame that can't be taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// Another version of this wire.
    #[error("the other side speaks version {found} of the live wire, this side {VERSION}")]
    Version {
        /// What the frame said.
        found: u64,
    },
    /// Not a frame of this version. The text is not repeated: it may hold a cell.
    #[error("a message on the live wire could not be read ({bytes} bytes)")]
    Unreadable {
        /// Its length.
        bytes: usize,
    },
}

/// Reads one frame, telling another version from nonsense.
///
/// # Errors
/// [`FrameError::Version`] when the frame has a readable `v` that is not [`VERSION`], else
/// [`FrameError::Unreadable`].
pub fn decode<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, FrameError> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    let unreadable = FrameError::Unreadable { bytes: text.len() };
    match serde_json::from_str::<Versioned>(text) {
        Ok(Versioned { v }) if v != u64::from(VERSION) => Err(FrameError::Version { found: v }),
        Ok(_) => serde_json::from_str(text).map_err(|_| unreadable),
        Err(_) => Err(unreadable),
    }
}

/// Writes one frame as text.
pub fn encode<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).expect("wire types have string keys and finite numbers")
}
