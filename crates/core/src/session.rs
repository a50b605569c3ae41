//! The session: what the Real-Time Sync tab is doing, and the steps between its states.
//!
//! Owns the states, the events that move them and the effects they ask for. Must not know sockets, HTTP, timers,
//! randomness or views: a shell hands in events, and performs the effects in order.

use serde::{Deserialize, Serialize};

use crate::flags::Decision;
use crate::protocol::panel::{
    Choice, Column, Connection, Differences, MergePolicy, Preview, Problem, RunEntry, RunReport,
    SheetLayout, WaitReason,
};
use crate::protocol::relay::{SheetRef, Spreadsheet, SpreadsheetEntry};

/// Why sync was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The designer stopped it for this file.
    Toggled,
    /// The designer disconnected the sheet.
    Disconnected,
    /// The sign-in ended.
    SignedOut,
    /// The flag went off.
    SwitchedOff,
    /// Three runs failed in a row on this machine.
    Breaker,
    /// The file can't be edited.
    ReadOnly,
}

/// Something the designer is told beside the state: an error with a way out, or what was just done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// One plain sentence.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What the tab shows. The views draw exactly this, and nothing else decides what they draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Off for this user. Nothing of the feature runs.
    Off(Decision),
    /// The file can't be edited.
    ReadOnly,
    /// Nobody is signed in.
    SignedOut,
    /// A sign-in waits for the browser.
    SigningIn {
        /// The short code to compare; empty while the relay is asked for it.
        code: String,
        /// The page in the browser; empty while the relay is asked for it.
        url: String,
    },
    /// Signed in, no sheet connected: choosing a spreadsheet.
    ChoosingSpreadsheet {
        /// What may be connected; `None` while it is fetched.
        entries: Option<Vec<SpreadsheetEntry>>,
        /// Whether what is chosen feeds the file beside the tabs that do already.
        #[serde(default)]
        adds: bool,
    },
    /// A spreadsheet was chosen: choosing the tab.
    ChoosingSheet {
        /// Its tabs; `None` while they are fetched.
        spreadsheet: Option<Spreadsheet>,
    },
    /// A tab was chosen; its cells are on the way, or are being read.
    Reading,
    /// The columns are there to be confirmed.
    ConfirmingColumns {
        /// One for each column of the sheet.
        columns: Vec<Column>,
        /// Zero-based.
        header_row: u32,
        /// The first rows under the header.
        sample: Vec<Vec<String>>,
        /// What keeps the sheet from being read.
        problems: Vec<Problem>,
        /// How the sheet seems to lie.
        layout: Option<SheetLayout>,
        /// Whose columns they are, where several tabs feed the file.
        tab: Option<Box<NamedTab>>,
        /// The columns were confirmed; the preview is being made.
        busy: bool,
    },
    /// The first plan is there to be looked at.
    Previewing(Box<Preview>),
    /// A sheet is connected and was approved once.
    Connected(Box<Connected>),
    /// The sandbox program has died; the plugin must be run again.
    Dead {
        /// What it said.
        message: String,
    },
}

/// One tab of several that feed a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTab {
    /// The tab.
    pub sheet: SheetRef,
    /// What it is called in addresses.
    pub name: String,
}

/// A file that follows a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// How the sheet reaches us.
    pub link: Link,
    /// What the sandbox is doing: operations done and in all.
    pub progress: Option<(u32, u32)>,
    /// The last run that ended.
    pub last: Option<RunReport>,
    /// A plan that waits for the designer.
    pub waiting: Option<(WaitReason, Preview)>,
    /// Where sheet and Figma differ and nothing is written.
    pub differences: Differences,
    /// The file's history, newest first; `None` until it was asked for.
    #[serde(default)]
    pub runs: Option<Vec<RunEntry>>,
    /// Why sync stands still, while it does.
    pub stopped: Option<StopReason>,
    /// Who writes this file instead of this panel, by the account's address; `None` when it is this panel.
    pub writer: Option<String>,
    /// What is wrong at the relay or at Google, while it is.
    pub trouble: Option<Notice>,
    /// What is wrong with single tabs of several, while it is.
    #[serde(default)]
    pub troubles: Vec<(SheetRef, Notice)>,
    /// What becomes of changes made in Figma, with two-way sync.
    #[serde(default)]
    pub sending: Sending,
    /// Tabs to which nothing is sent for now, and why.
    #[serde(default)]
    pub held: Vec<(SheetRef, Hold)>,
}

/// What becomes of changes made in Figma that are for the sheet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sending {
    /// There are none on their way.
    #[default]
    Idle,
    /// The relay is asked whether it may write to the sheet.
    Switching,
    /// So many cells are on their way.
    Cells(u32),
}

/// Why nothing is sent to a tab until the designer does something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The file sends changes, and this user has not allowed it for their account yet.
    NotAllowed,
    /// This user may only read the spreadsheet.
    ReadOnly,
    /// The relay did not take them, and would not if it were asked again.
    Failed,
}

/// How the sheet reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Not wanted: sync is off for this file or stopped.
    Down,
    /// On its way, for the first time.
    Connecting,
    /// Over the WebSocket.
    Live,
    /// Over HTTP, because this network refuses the WebSocket.
    Polling,
    /// Neither; trying again.
    Offline {
        /// Counts from 1.
        attempt: u32,
        /// Unix time of the next try, in milliseconds.
        retry_unix_ms: u64,
    },
}

/// What the designer does in the tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Begins a sign-in.
    SignIn,
    /// Opens the sign-in's page again.
    OpenSignIn,
    /// Opens the connected sheet at a cell.
    OpenCell {
        /// A problem's or a plan row's address, such as `Tokens!C14`.
        address: String,
    },
    /// Gives a sign-in up.
    CancelSignIn,
    /// Signs out: the relay revokes and forgets.
    SignOut,
    /// Fetches the list of spreadsheets again.
    Refresh,
    /// Chooses a spreadsheet of the list.
    ChooseSpreadsheet {
        /// Google's id.
        id: String,
    },
    /// Pastes a link to a spreadsheet (its `gid` names the tab).
    PasteLink {
        /// As pasted.
        link: String,
    },
    /// Chooses tabs of the chosen spreadsheet: to connect the file to, or beside those that feed it.
    ChooseSheets {
        /// Google's numbers of them.
        sheet_ids: Vec<i64>,
    },
    /// Goes to choose tabs that feed the file beside those that do.
    AddSource,
    /// A tab feeds the file no longer.
    RemoveSource {
        /// The tab.
        sheet: SheetRef,
    },
    /// Goes one step back while connecting.
    Back,
    /// The columns are right.
    ConfirmColumns {
        /// One for each column of the sheet.
        columns: Vec<Column>,
        /// Zero-based.
        header_row: u32,
        /// How the sheet lies, where it is not one row a variable under one header row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout: Option<SheetLayout>,
    },
    /// Looks at the columns again, from the preview.
    EditColumns,
    /// Applies the plan that is shown.
    Approve {
        /// Its number.
        plan: u32,
        /// Whether removals are part of it.
        include_removals: bool,
        /// Places in the preview's rows: the variables whose type is to change.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        retypes: Vec<u32>,
    },
    /// Keeps the variables whose rows are gone.
    KeepRemoved {
        /// The plan's number.
        plan: u32,
    },
    /// Chooses whose values stand where sheet and Figma differ.
    Resolve {
        /// The list's number.
        list: u32,
        /// Places in the list; empty for all.
        items: Vec<u32>,
        /// Whose values.
        choice: Choice,
    },
    /// Sets what becomes of changes made in Figma.
    SetPolicy {
        /// From now on.
        policy: MergePolicy,
    },
    /// Sets how many variables a later plan may touch before it waits.
    SetThreshold {
        /// From now on; `None`: the usual.
        variables: Option<u32>,
    },
    /// Switches on or off that changes made in Figma go to the sheet.
    SetTwoWay {
        /// From now on.
        on: bool,
    },
    /// Leaves the file as it is instead of doing an undone run again.
    KeepFile {
        /// The plan's number.
        plan: u32,
    },
    /// What the plan takes for renames are other variables.
    KeepApart {
        /// The plan's number.
        plan: u32,
    },
    /// Leaves rows of a plan out of the sync from now on.
    LeaveOut {
        /// The plan's number.
        plan: u32,
        /// Places in the preview's rows.
        rows: Vec<u32>,
    },
    /// Takes rows in again that were left out.
    TakeIn {
        /// Entries of the connection's `left_out`; empty for all of them.
        keys: Vec<String>,
    },
    /// Shows the file's history.
    ListRuns,
    /// Asks to go back to before a run.
    Restore {
        /// The run's name in the history.
        run: String,
    },
    /// Stops the run.
    Cancel,
    /// Switches sync on or off for this file.
    Toggle {
        /// On or off.
        on: bool,
    },
    /// Reads and compares everything again.
    SyncNow,
    /// Tries to reach the relay now instead of waiting.
    RetryNow,
    /// Writes this file from here on, instead of whoever does.
    TakeOver,
    /// Forgets the connection of this file.
    Disconnect,
    /// Hides the panel; sync goes on.
    Hide,
    /// Puts the notice away.
    DismissNotice,
}

mod machine;

pub use machine::{
    CELL_BYTES_MAX, CELL_MESSAGES_MAX, Effect, Event, FLAGS_MS, Failure, LOOK_MS, LOOK_MS_MIN,
    NONCE_LOOKS_MAX, NONCE_MS, POLL_PAUSE_MS, RENEW_MS, RENEW_MS_MIN, RETRY_MS_MAX, RETRY_MS_MIN,
    SILENCE_MS, SOCKET_FAILURES_MAX, Session, SessionReplyBox, SocketEvent, TRY_SOCKET_MS, Timer,
    WORD_MS, WRITE_TRIES_MAX,
};
