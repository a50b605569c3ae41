//! The wire between the UI program and the sandbox program, over `postMessage`.
//!
//! Owns the types, their version and the envelope's shape. Must not know Figma, browsers or views.
//!
//! A message is the object `{v, body, bulk}`: `v` is [`VERSION`], `body` is the JSON of one [`ToSandbox`] or
//! [`ToPanel`], and `bulk` is a long text that travels beside it and is never put through JSON, because parsing
//! a sheet as JSON inside the sandbox costs more than mapping it.

pub mod import;
pub mod json;
pub mod manage;

use serde::{Deserialize, Serialize};

pub use super::relay::SOURCES_MAX;
use super::relay::{CellWrite, Position, SheetInfo, SheetRef, WriteResult};
use crate::plan::THRESHOLD_VARIABLES;
use crate::session::StopReason;
use crate::sheet::a1;

/// The version every envelope carries.
pub const VERSION: u32 = 1;
/// Most rows listed in one [`Preview`]; the counts are always whole. Twice the variables of a collection in Figma.
pub const PREVIEW_ROWS_MAX: usize = 10_000;
/// Most problems listed in one message; `problems_total` is always whole.
pub const PROBLEMS_MAX: usize = 200;
/// Most rows that can be left out of a file's sync; a connection has to fit into 100 kB of plugin data.
pub const LEFT_OUT_MAX: usize = 500;
/// Most differences listed; more are counted.
pub const DIFFERENCES_MAX: usize = 200;

/// From the UI program to the sandbox program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToSandbox {
    /// The panel can hear. `entropy` is 32 random bytes in hex: the sandbox has no randomness of its own.
    Ready {
        /// 64 hex digits.
        entropy: String,
    },
    /// The relay's OFREP bulk reply, as text; `None` when it could not be had.
    FlagsEvaluated {
        /// The reply's body.
        body: Option<String>,
        /// Unix time, in milliseconds.
        now_unix_ms: u64,
    },
    /// Asks for [`ToPanel::Variables`].
    ListVariables,
    /// Something of the variable manager.
    Manage {
        /// What.
        ask: manage::Ask,
    },
    /// Keeps the session token with the user (`None`: signed out).
    SaveSession {
        /// The bearer token and who it belongs to.
        session: Option<SavedSession>,
    },
    /// Connects a sheet to this file. Answered by [`ToPanel::Inferred`] once its snapshot is there.
    Connect {
        /// The sheet.
        sheet: SheetRef,
    },
    /// One more tab is to feed this file. Answered by [`ToPanel::Inferred`] once its snapshot is there.
    AddSource {
        /// The tab.
        sheet: SheetRef,
    },
    /// A tab feeds this file no longer. Its variables stay, and a plan asks what becomes of them.
    RemoveSource {
        /// The tab.
        sheet: SheetRef,
    },
    /// The whole sheet; `bulk` holds the packed cells.
    Snapshot {
        /// Which sheet.
        sheet: SheetRef,
        /// Where the session stands after it.
        position: Position,
        /// What stands around the cells.
        info: SheetInfo,
    },
    /// Changed cells; `bulk` holds them packed.
    Changes {
        /// Which sheet.
        sheet: SheetRef,
        /// Where the session stands after it.
        position: Position,
        /// Rows in the sheet after the change.
        rows: u32,
    },
    /// The designer has looked at the columns. Answered by [`ToPanel::Preview`].
    ConfirmColumns {
        /// A role for every column.
        columns: Vec<Column>,
        /// Zero-based row of the header; of two header rows, the lower one.
        header_row: u32,
        /// How the sheet lies, where it is not one row a variable under one header row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout: Option<SheetLayout>,
        /// Whose columns; `None` for the first source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<SheetRef>,
    },
    /// Applies the plan that was previewed or is waiting. `include_removals` only after the designer said so.
    Approve {
        /// The number of the preview or waiting plan that the designer saw; another plan is not applied.
        plan: u32,
        /// Whether removals are part of it.
        include_removals: bool,
        /// Places in the preview's rows: the variables whose type is to change.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        retypes: Vec<u32>,
    },
    /// The designer keeps the variables whose rows are gone; they are not asked about again.
    KeepRemoved {
        /// The number of the waiting plan that the designer saw.
        plan: u32,
    },
    /// Chooses whose values stand where sheet and Figma differ.
    Resolve {
        /// The number of the list that the designer saw; another list is not resolved.
        list: u32,
        /// Places in the list's items; empty for all differences, the unlisted ones too.
        items: Vec<u32>,
        /// Whose values.
        choice: Choice,
    },
    /// Sets what becomes of changes made in Figma, for this file.
    SetPolicy {
        /// From now on.
        policy: MergePolicy,
    },
    /// Sets how many variables a later plan of this file may touch before it waits.
    SetThreshold {
        /// From now on; 0: every plan waits; `None`: what [`Connection::threshold_variables`] says by itself.
        variables: Option<u32>,
    },
    /// Whether changes made in Figma are sent to the sheet, after the relay has said yes.
    SetTwoWay {
        /// From now on.
        on: bool,
    },
    /// Compares what Figma holds with what it held, because Figma tells nobody of changes. Answered when something did.
    Look,
    /// The answer to [`ToPanel::Push`].
    Pushed {
        /// The batch's number.
        push: u32,
        /// What became of each cell, in order; empty when it is not known.
        results: Vec<WriteResult>,
    },
    /// Leaves the file as it is, where an undone run would be done again: what Figma holds counts as changed in Figma,
    /// and rows whose variables would be made are left out from now on.
    KeepFile {
        /// The number of the waiting plan that the designer saw.
        plan: u32,
    },
    /// What the plan takes for renames are other variables: new ones are made, and the old ones have no row.
    KeepApart {
        /// The number of the waiting plan that the designer saw.
        plan: u32,
    },
    /// Leaves rows of a plan out of the sync from now on. Answered by the plan without them.
    LeaveOut {
        /// The number of the preview or waiting plan that the designer saw.
        plan: u32,
        /// Places in the preview's rows; removals are passed over.
        rows: Vec<u32>,
    },
    /// Takes rows in again that were left out.
    TakeIn {
        /// Entries of [`Connection::left_out`]; empty for all of them.
        keys: Vec<String>,
    },
    /// Asks for the file's history. Answered by [`ToPanel::Runs`].
    ListRuns,
    /// Asks to go back to before a run. Answered by a plan that waits.
    Restore {
        /// The run's [`RunEntry::run`].
        run: String,
    },
    /// Stops the run after the current slice.
    Cancel,
    /// Switches sync on or off for this file; the mapping stays.
    Toggle {
        /// On or off.
        on: bool,
    },
    /// Forgets the connection of this file; variables stay.
    Disconnect,
    /// Maps and compares everything again.
    SyncNow,
    /// Whether this plugin writes the file, as the relay elected. Answered by [`ToPanel::File`].
    Writer {
        /// Whether it is this one.
        yes: bool,
        /// To be left in the file by the writer; empty when the relay has given none.
        nonce: String,
        /// The file is a copy: it gets an id of its own.
        renew: bool,
    },
    /// Gives the panel another size.
    Resize {
        /// CSS pixels.
        width: u32,
        /// CSS pixels.
        height: u32,
        /// Whether the next opening is to have it too: the designer has let go.
        keep: bool,
    },
    /// A word of the Import tab.
    Import(import::ToSandbox),
    /// Hides the panel; the plugin runs on.
    Hide,
    /// Closes the plugin.
    Close,
    /// Shows a layer or says something with Figma's own toast.
    Notify {
        /// The text.
        message: String,
    },
}

/// What a designer opened the plugin for, from Figma's menu, its quick actions or a relaunch button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "view", rename_all = "snake_case")]
pub enum Opening {
    /// The file's variables.
    Variables {
        /// What is searched for; empty for all.
        search: String,
    },
    /// What is read from a file.
    Import,
    /// What is written to one.
    Export,
    /// Real-Time Sync.
    Sync {
        /// Whether everything is to be read and compared at once.
        now: bool,
    },
}

/// From the sandbox program to the UI program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPanel {
    /// The answer to `Ready`.
    Hello {
        /// The plugin's version.
        version: String,
        /// The file's name.
        file_name: String,
        /// Dev Mode, or a file the user may not edit.
        read_only: bool,
        /// The targeting key for the flag evaluation.
        targeting_key: String,
        /// Width and height the panel was given, in CSS pixels.
        size: (u32, u32),
        /// What the panel was opened for; `None` when nothing was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opening: Option<Opening>,
    },
    /// Whether Real-Time Sync is on for this user, as the sandbox decided.
    Flags {
        /// The decision.
        realtime_sync: crate::flags::Decision,
    },
    /// Only with the flag on: what this file and this user have kept.
    Kept {
        /// The saved sign-in.
        session: Option<SavedSession>,
        /// This file's connection.
        connection: Option<Box<Connection>>,
    },
    /// The file's variables; `bulk` holds them, as [`crate::listing::Listing`] reads them.
    Variables,
    /// Something of the variable manager.
    Manage {
        /// What.
        told: manage::Told,
    },
    /// How the sandbox reads the sheet's columns.
    Inferred {
        /// One for each column of the sheet.
        columns: Vec<Column>,
        /// Zero-based row of the header.
        header_row: u32,
        /// The first rows under the header as text, at most 5, for the designer to recognise.
        sample: Vec<Vec<String>>,
        /// What keeps the sheet from being read at all.
        problems: Vec<Problem>,
        /// How the sheet seems to lie, where it is not one row a variable under one header row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout: Option<SheetLayout>,
        /// Whose columns; `None` for the first source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<SheetRef>,
    },
    /// What a first run would do; nothing is written yet.
    Preview(Preview),
    /// A later plan that waits for the designer; nothing of it is written yet.
    Waiting {
        /// Why it waits.
        reason: WaitReason,
        /// The plan.
        preview: Preview,
    },
    /// Where sheet and Figma differ and nothing is written; told whenever that changes.
    Differences(Differences),
    /// Cells for the sheet, at most [`super::relay::WRITE_CELLS_MAX`]. The next batch comes after its answer.
    Push {
        /// The batch's number.
        push: u32,
        /// The sheet.
        sheet: SheetRef,
        /// The cells.
        cells: Vec<CellWrite>,
    },
    /// What marks this file and this run of the plugin for the election of a writer.
    File {
        /// The random id that is kept in the file.
        id: String,
        /// The random id of this run.
        panel: String,
        /// The nonce that stands in the file; empty when none does.
        nonce: String,
    },
    /// Cells were taken while somebody else writes the file; no run follows.
    Taken {
        /// Up to where.
        position: Position,
        /// The same of further sources.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<Position>,
    },
    /// The file's history, newest first, at most [`crate::history::RUNS_MAX`].
    Runs {
        /// The runs.
        runs: Vec<RunEntry>,
    },
    /// A run's progress, at most one a slice.
    Progress {
        /// Operations done.
        done: u32,
        /// Operations in all.
        total: u32,
    },
    /// A run has ended. An empty run (nothing differed) is told too.
    Applied(RunReport),
    /// The connection of this file changed.
    ConnectionChanged {
        /// The connection now.
        connection: Option<Box<Connection>>,
    },
    /// A message could not be taken; nothing was done.
    Refused {
        /// One sentence.
        message: String,
        /// What to do.
        remedy: Option<String>,
    },
    /// The sandbox program failed at something it should not have. It is the last message of a panic.
    Failed {
        /// One sentence, no contents.
        message: String,
        /// Whether the program is dead and the plugin must be reopened.
        fatal: bool,
    },
    /// A word for the Import tab.
    Import(import::ToPanel),
    /// Sync was stopped by the sandbox.
    Stopped {
        /// Why.
        reason: StopReason,
    },
}

/// One run in the file's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEntry {
    /// Its name in the file, to be sent back.
    pub run: String,
    /// The Figma user who made it, as the file's people see them; empty where Figma does not say.
    pub author: String,
    /// When it ended, in Unix milliseconds.
    pub unix_ms: u64,
    /// What it did.
    pub counts: Counts,
    /// Whether it took the file back to before other runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restores: bool,
    /// Whether what was before it is kept.
    pub restorable: bool,
}

/// A sign-in as kept in the user's clientStorage.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSession {
    /// The bearer token.
    pub token: String,
    /// The account's address, shown to its owner.
    pub account: String,
}

impl std::fmt::Debug for SavedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SavedSession { .. }")
    }
}

/// A file's connection, kept in the file. What is of a tab stands here for the first source, so that a connection to one
/// tab is what it always was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The first source's tab.
    pub sheet: SheetRef,
    /// Titles as last seen, for people.
    pub spreadsheet_title: String,
    /// See `spreadsheet_title`.
    pub sheet_title: String,
    /// The per-file toggle.
    pub on: bool,
    /// The confirmed columns; empty until confirmed.
    pub columns: Vec<Column>,
    /// Zero-based row of the header.
    pub header_row: u32,
    /// Whether a first run was approved: later harmless runs apply by themselves.
    pub approved: bool,
    /// How the sheet lies; `None` for one row a variable under one header row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<SheetLayout>,
    /// What becomes of changes made in Figma.
    #[serde(default, skip_serializing_if = "MergePolicy::is_default")]
    pub policy: MergePolicy,
    /// Rows that the designer left out, by their link's key; at most [`LEFT_OUT_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Mode columns whose headers were changed in the sheet and whose modes are not renamed yet: the old name, a line feed,
    /// the new one; at most one a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed_modes: Vec<String>,
    /// How many variables a later plan may touch before it waits, where somebody has chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// Whether a collection of the file was published in a library when the file was last read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
    /// How many modes Figma was found to allow in a collection of this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode_limit: Option<u32>,
    /// Further tabs that feed this file, at most [`SOURCES_MAX`] with the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Source>,
    /// The tab whose name the links of this file's variables bear, where it is the first source no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<SheetRef>,
    /// Whether changes made in Figma may be sent to the tabs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub two_way: bool,
}

/// A tab that feeds a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The tab.
    pub sheet: SheetRef,
    /// Titles as last seen, for people.
    pub spreadsheet_title: String,
    /// See `spreadsheet_title`.
    pub sheet_title: String,
    /// The confirmed columns; empty until confirmed.
    pub columns: Vec<Column>,
    /// Zero-based row of the header.
    pub header_row: u32,
    /// How the tab lies; `None` for one row a variable under one header row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<SheetLayout>,
}

impl Source {
    /// A tab of which nothing is known yet.
    pub fn of(sheet: SheetRef) -> Source {
        Source {
            sheet,
            spreadsheet_title: String::new(),
            sheet_title: String::new(),
            columns: Vec::new(),
            header_row: 0,
            layout: None,
        }
    }
}

impl Connection {
    /// A later plan that touches more variables than this waits. In a file published as a library every plan does,
    /// unless somebody has chosen otherwise.
    pub fn threshold_variables(&self) -> u32 {
        let usual = if self.published {
            0
        } else {
            THRESHOLD_VARIABLES
        };
        self.threshold.unwrap_or(usual)
    }

    /// Every tab that feeds the file, in order.
    pub fn sources(&self) -> Vec<Source> {
        let mut sources = vec![Source {
            sheet: self.sheet.clone(),
            spreadsheet_title: self.spreadsheet_title.clone(),
            sheet_title: self.sheet_title.clone(),
            columns: self.columns.clone(),
            header_row: self.header_row,
            layout: self.layout.clone(),
        }];
        sources.extend_from_slice(&self.more);
        sources
    }

    /// Replaces what is known of a source by its place; a place that is not there is passed over.
    pub fn put_source(&mut self, at: usize, source: Source) {
        let Some(later) = at.checked_sub(1) else {
            self.sheet = source.sheet;
            self.spreadsheet_title = source.spreadsheet_title;
            self.sheet_title = source.sheet_title;
            self.columns = source.columns;
            self.header_row = source.header_row;
            self.layout = source.layout;
            return;
        };
        if let Some(place) = self.more.get_mut(later) {
            *place = source;
        }
    }

    /// The tabs, in order.
    pub fn sheets(&self) -> impl Iterator<Item = &SheetRef> {
        std::iter::once(&self.sheet).chain(self.more.iter().map(|source| &source.sheet))
    }

    /// The place of a tab among the sources.
    pub fn place_of(&self, sheet: &SheetRef) -> Option<usize> {
        self.sheets().position(|other| other == sheet)
    }

    /// A source's columns.
    pub fn columns_of(&self, at: usize) -> &[Column] {
        match at.checked_sub(1) {
            None => &self.columns,
            Some(later) => self.more.get(later).map_or(&[], |source| &source.columns),
        }
    }

    /// The tab whose name the links of this file's variables bear.
    pub fn link_sheet(&self) -> &SheetRef {
        self.origin.as_ref().unwrap_or(&self.sheet)
    }

    /// The tab that an address such as `Tokens!C14` is in.
    pub fn source_of(&self, address: &str) -> &SheetRef {
        let tabs = self.sheets().zip(self.tab_names());
        let mut tabs = tabs.filter(|(_, name)| {
            let cell = a1(name, 0, 0);
            let tab = cell.rfind('!').map_or("", |at| &cell[..=at]);
            !tab.is_empty() && address.starts_with(tab)
        });
        tabs.next().map_or(&self.sheet, |(sheet, _)| sheet)
    }

    /// What each source's tab is called in addresses, in order: its title, and the spreadsheet's where two tabs have the
    /// same; a number, where these have the same, too.
    pub fn tab_names(&self) -> Vec<String> {
        let titles: Vec<(&str, &str)> =
            std::iter::once((&*self.spreadsheet_title, &*self.sheet_title))
                .chain(
                    self.more
                        .iter()
                        .map(|source| (&*source.spreadsheet_title, &*source.sheet_title)),
                )
                .collect();
        let mut names: Vec<String> = Vec::new();
        for (at, (spreadsheet, tab)) in titles.iter().enumerate() {
            let is_twin = |(other, (_, title)): (usize, &(&str, &str))| other != at && title == tab;
            let mut name = if titles.iter().enumerate().any(is_twin) {
                [spreadsheet, " › ", tab].concat()
            } else {
                String::from(*tab)
            };
            if names.contains(&name) {
                name = [&name, " ", &(at + 1).to_string()].concat();
            }
            names.push(name);
        }
        names
    }
}

/// What becomes of cells that were changed in Figma since they last agreed with the sheet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MergePolicy {
    /// Changed in Figma alone.
    pub drift: DriftPolicy,
    /// Changed in both.
    pub conflict: ConflictPolicy,
}

impl MergePolicy {
    /// Whether it is what a new connection has.
    pub fn is_default(&self) -> bool {
        *self == MergePolicy::default()
    }
}

/// What becomes of a cell that was changed in Figma alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftPolicy {
    /// Figma keeps it, and it is shown.
    #[default]
    Keep,
    /// The sheet's value is written again.
    Overwrite,
    /// It is written to the sheet; only with two-way sync.
    Push,
}

/// What becomes of a cell that was changed in the sheet and in Figma.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictPolicy {
    /// It waits, and is shown.
    #[default]
    Ask,
    /// The sheet's value stands.
    Sheet,
    /// Figma's value stands.
    Figma,
}

/// Cells in which sheet and Figma differ and nothing is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// The list's number, to be sent back with a choice.
    pub list: u32,
    /// At most [`DIFFERENCES_MAX`], conflicts first.
    pub items: Vec<Difference>,
    /// All that were changed in Figma alone.
    pub drifts: u32,
    /// All that were changed in both.
    pub conflicts: u32,
}

/// One such cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which kind.
    pub kind: DifferenceKind,
    /// The collection's name.
    pub collection: String,
    /// The variable's name in the sheet.
    pub name: String,
    /// Where in the sheet, such as `Tokens!C14`.
    pub address: String,
    /// `before` is what Figma holds, `after` what the sheet says.
    pub values: FieldChange,
    /// With two-way sync: why Figma's is not sent to the sheet; `None` where it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<Unsent>,
}

/// Why a difference is not sent to the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsent {
    /// It is a name, which references in the sheet lead to.
    Name,
    /// The cell has a formula.
    Formula,
    /// The cell is in a protected range.
    Protected,
    /// The cell was changed meanwhile.
    Changed,
    /// The sheet has no such cell any longer.
    Outside,
    /// Figma holds nothing there, and an empty cell says nothing.
    Empty,
    /// A text with spaces around it, which a cell of this column does not keep.
    Spaces,
    /// An alias to a variable that the sheet can't name.
    Foreign,
    /// Something that no cell can say.
    Unwritable,
    /// Several variables show the cell.
    Shared,
    /// Longer than a cell may be.
    Long,
}

/// Why a cell is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Changed in Figma alone.
    Drift,
    /// Changed in both.
    Conflict,
}

/// Whose value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The sheet's.
    Sheet,
    /// Figma's.
    Figma,
    /// Figma's, and the sheet is to say so; only with two-way sync.
    Send,
}

/// How a sheet lies and which of its rows are read. The default is one row a variable under one header row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SheetLayout {
    /// What a row and a column stand for.
    pub shape: Shape,
    /// What the upper one of two header rows stands for.
    pub brands: Brands,
    /// What a heading between the rows stands for.
    pub sections: Sections,
    /// What `.`, `--` and `$` in names stand for.
    pub names: Names,
    /// An empty collection cell means the collection above, as merged cells do.
    pub same_collection: bool,
    /// So many rows under the header are not read.
    pub skip_rows: u32,
    /// Only rows that the rule fits give values; a variable whose row no longer fits is left alone.
    pub only: Option<RowRule>,
    /// Rows that the rule fits are not read.
    pub ignore: Option<RowRule>,
    /// Pixels in one rem, where it is not 16.
    pub rem: Vec<RemBase>,
    /// The tab holds the values of one mode of a collection, and other tabs those of others: rows of one name are one
    /// variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tab_mode: Option<TabMode>,
    /// A formula that is nothing but a reference to another variable's cell of the same mode is an alias to that variable; only
    /// where a row is a variable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub formulas: bool,
}

/// Which mode a tab holds the values of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabMode {
    /// The collection of rows that name none.
    pub collection: String,
    /// The mode's name. Where the tab has several mode columns, it stands before each one's own: `Acme / Light`.
    pub mode: String,
}

/// What a row and a column stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A row is a variable, a column a mode.
    #[default]
    Tokens,
    /// A row is a mode, a column a variable.
    Records,
    /// A row is one value: token, mode, value.
    Long,
}

/// What the upper one of two header rows stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brands {
    /// There is one header row.
    #[default]
    None,
    /// Acme over Light is the mode `Acme / Light`.
    Modes,
    /// Acme over Light is the mode Light of a collection Acme.
    Collections,
}

/// What a heading stands for: a row with one cell, the name's, under an empty row, the header or another heading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sections {
    /// Nothing.
    #[default]
    Ignore,
    /// The group of the rows below.
    Groups,
    /// The collection of the rows below.
    Collections,
}

/// What `.`, `--` and `$` in names stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// Themselves.
    #[default]
    Keep,
    /// `.` and `--` separate groups as `/` does; `$` and `--` in front are left out.
    Groups,
    /// Names have such signs, and the designer has not said yet. Only inference says so; nothing is synced with it.
    Ask,
}

/// A rule about rows: the cell under a header is one of some words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRule {
    /// The column's header.
    pub header: String,
    /// The words, in any case.
    pub words: Vec<String>,
}

/// Pixels in one rem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemBase {
    /// The mode's name; empty for every mode that has none of its own.
    pub mode: String,
    /// CSS pixels.
    pub px: u32,
}

/// One column of the sheet and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Zero-based.
    pub index: u32,
    /// The header cell's text.
    pub header: String,
    /// What it is for.
    pub role: Role,
}

/// What a column of the tokens layout is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Role {
    /// Not read.
    Ignore,
    /// The collection's name.
    Collection,
    /// A part of the name that stands before the name's own column; empty means the same as above.
    Group,
    /// The variable's name, groups by `/`; in the records layout, the mode's.
    Name,
    /// The variable's type.
    Type,
    /// Values of one mode.
    Mode {
        /// The mode's name in Figma.
        name: String,
    },
    /// The name of the mode that the row's value is for; long layout only.
    ModeName,
    /// Values of one variable, which the header names; records layout only.
    Variable,
    /// The description.
    Description,
    /// Figma's scopes, comma-separated.
    Scopes,
    /// Code syntax for the web.
    CodeWeb,
    /// Code syntax for Android.
    CodeAndroid,
    /// Code syntax for iOS.
    CodeIos,
    /// Hidden from publishing.
    Hidden,
    /// A stable id of the row.
    Id,
}

/// What a plan would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The plan's number, to be sent back with `Approve`.
    pub plan: u32,
    /// Counts of variables.
    pub counts: Counts,
    /// At most [`PREVIEW_ROWS_MAX`].
    pub rows: Vec<PreviewRow>,
    /// At most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// All of them.
    pub problems_total: u32,
    /// What the sheet needs that not every plan of Figma's allows, one a collection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Problem>,
}

/// How many variables a plan or run creates, changes, leaves alone or removes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Collections made.
    pub collections: u32,
    /// Modes made or renamed.
    pub modes: u32,
    /// Variables made.
    pub created: u32,
    /// Variables with at least one difference.
    pub changed: u32,
    /// Variables that are as the sheet says.
    pub unchanged: u32,
    /// Variables made by Sheetwire whose rows are gone.
    pub removed: u32,
    /// Variables in whose place one of another type is made.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retyped: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// One variable of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRow {
    /// What happens to it.
    pub kind: PreviewKind,
    /// The collection's name.
    pub collection: String,
    /// The variable's name.
    pub name: String,
    /// Where in the sheet, such as `Tokens!A14`; empty for a removal.
    pub address: String,
    /// What differs, one a field or mode.
    pub fields: Vec<FieldChange>,
    /// Of a variable whose type would change: which layers lose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<Uses>,
}

/// Which layers of this file use a variable. Other files can't be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    /// How many were found.
    pub layers: u32,
    /// The first names, at most [`crate::engine::retyping::LAYERS_NAMED_MAX`].
    pub names: Vec<String>,
    /// Whether a part of the file was not looked at.
    pub partial: bool,
}

/// What happens to a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// It is made.
    Create,
    /// Something about it changes.
    Change,
    /// It gets another name, and may change otherwise.
    Rename,
    /// It is removed, if the designer says so.
    Remove,
    /// A variable of another type takes its place, if the designer says so.
    Retype,
}

/// One difference, as text for people. Colours are `#rrggbb` or `#rrggbbaa`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The mode's name, or `description`, `scopes`, `code:web`, …
    pub field: String,
    /// What Figma holds; `None` when new.
    pub before: Option<String>,
    /// What the sheet says.
    pub after: String,
}

/// Why a plan waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// It removes variables.
    Removes,
    /// It changes types, which means removing and making anew.
    Retypes,
    /// It touches more variables than the threshold.
    Large,
    /// It writes over most of the sheet's variables.
    Most,
    /// Every plan of this file waits.
    Every,
    /// A collection needs more than some of Figma's plans allow, and a part of it might not fit.
    Limits,
    /// The sheet came back empty or without its columns.
    Shrunken,
    /// The designer undid the last run; the plan would do it again.
    Undone,
    /// Names changed while nobody looked, and which became which is a guess.
    Renames,
    /// The designer asked to go back to before a run.
    Restore,
}

/// A user's mistake or a limit, with its place and a way to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A1 notation, such as `Tokens!C14`; empty when it has no place in the sheet.
    pub address: String,
    /// What is wrong and what was expected, one sentence.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// What was really done.
    pub counts: Counts,
    /// Writes that Figma took.
    pub writes: u32,
    /// Whether the designer cancelled it.
    pub cancelled: bool,
    /// The position of the sheet that the file now equals.
    pub position: Position,
    /// The same of further sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Position>,
    /// Unix time of its end, in milliseconds.
    pub ended_unix_ms: u64,
    /// From taking the message to the last write, in milliseconds.
    pub duration_ms: u32,
    /// Longest slice, in milliseconds.
    pub slice_ms_max: u32,
    /// At most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// All of them.
    pub problems_total: u32,
}
