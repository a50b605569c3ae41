//! What the panel says, in one place.
//!
//! Owns the sentences, and how counts, times and dates are written in them. Must not know when they are said.

mod import;
mod listing;

pub use import::*;
pub use listing::*;

use sheetwire_core::document::KEY_SEPARATOR;
use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{
    Brands, ConflictPolicy, Counts, DriftPolicy, Names, PreviewKind, Role, RunEntry, RunReport,
    Sections, Shape, Unsent, Uses, WaitReason,
};
use sheetwire_core::session::{Hold, Link, StopReason};

pub const TAB_VARIABLES: &str = "Variables";
pub const TAB_SYNC: &str = "Real-Time Sync";
pub const GRIP: &str = "Resize the panel: drag, or use the arrow keys";
pub const LOADING: &str = "Reading the file's variables…";
pub const NO_VARIABLES: &str = "This file has no variables yet.";
pub const NOTHING_FOUND: &str =
    "Nothing in this file has that in its name, value, description or code syntax.";
pub const SEARCH: &str = "Search variables";
pub const READ_ONLY: &str = "You can view this file, not edit it.";

pub const BACK: &str = "Back";
pub const CANCEL: &str = "Cancel";
pub const DISMISS: &str = "Dismiss";
pub const SIGN_OUT: &str = "Sign out";

pub const OFF: &str = "Real-Time Sync is off";
pub const SYNC_READ_ONLY: &str = "This file can't be edited";
pub const SYNC_READ_ONLY_REMEDY: &str = "Real-Time Sync changes variables, so it needs a file that you may edit, outside Dev Mode. Ask the file's owner for edit access, then run the plugin again.";
pub const DEAD: &str = "Sheetwire has stopped";
pub const DEAD_REMEDY: &str =
    "Close the plugin and run it again. What was written stays, and the sync goes on from there.";
pub const READING: &str = "Reading the sheet";
pub const READING_WHAT: &str = "A large sheet takes a few seconds.";

pub const SIGNED_OUT: &str = "Keep your variables in step with a sheet";
pub const SIGNED_OUT_WHAT: &str = "Connect a Google sheet, look at what it would change, and from then on a cell edited in the sheet becomes a changed variable in this file.";
pub const SIGN_IN_WITH_GOOGLE: &str = "Sign in with Google";
pub const SIGNED_OUT_KEPT: &str = "Google's keys stay at your team's relay and never reach Figma. Only the sheets you pick are read. This file keeps which sheet it follows and what its columns mean.";

pub const SIGNING_IN: &str = "Sign in in your browser";
pub const COMPARE_CODE: &str =
    "Compare this code with the page in your browser. Go on only if both are the same.";
pub const CODE: &str = "Code";
pub const CODE_COMING: &str = "Asking for a code…";
pub const OPEN_SIGN_IN: &str = "Open the sign-in page";
pub const WAITING_FOR_BROWSER: &str = "This panel goes on by itself when you are signed in.";

pub const CHOOSE_SPREADSHEET: &str = "Choose a spreadsheet";
pub const SEARCH_SPREADSHEETS: &str = "Search spreadsheets";
pub const REFRESH: &str = "Refresh";
pub const SPREADSHEETS_LOADING: &str = "Looking for your spreadsheets…";
pub const SPREADSHEETS_EMPTY: &str = "Sheetwire sees only the spreadsheets you pick. Sign in again to pick one, or paste a link below.";
pub const SPREADSHEETS_NOT_FOUND: &str = "No spreadsheet has that in its title.";
pub const PASTE_LINK: &str = "Or paste a link";
pub const PASTE_LINK_EXAMPLE: &str = "https://docs.google.com/spreadsheets/d/…";
pub const CONNECT: &str = "Connect";
pub const CHOOSE_SHEET: &str = "Choose a tab";
pub const SEVERAL_TABS: &str = "Press one, or tick several that feed this file together.";
pub const SHEETS_LOADING: &str = "Looking at its tabs…";
pub const SHEETS_EMPTY: &str = "This spreadsheet has no tab with cells.";

pub const COLUMNS: &str = "What are the columns for?";
pub const HEADER_ROW: &str = "Header row";
pub const MODE_NAME: &str = "Mode name";
pub const NO_HEADER: &str = "No header";
pub const NO_COLUMNS: &str = "The sheet has no columns.";
/// Names of the tree of a plan, its search and its filter.
pub const PREVIEW_TREE: &str = "What the plan does";
pub const PREVIEW_SEARCH: &str = "Search names and values";
pub const PREVIEW_FILTER: &str = "What is listed";
pub const NOTHING_LISTED: &str = "Nothing in this plan has that in its name or values.";
pub const PREVIEW_KEYS: &str =
    "Arrow keys move and fold, Enter opens the sheet at the cell, Delete leaves the row out.";
pub const PREVIEW_CHANGES: &str = "Preview changes";
pub const PREVIEW_COMING: &str = "Comparing with this file…";

pub const PREVIEW: &str = "What will change";
pub const PREVIEW_NOTHING: &str = "The file already equals the sheet.";
pub const EDIT_COLUMNS: &str = "Edit columns";
pub const START_SYNC: &str = "Start syncing";
pub const EMPTY_TEXT: &str = "empty";
pub const BECOMES: &str = "becomes";
pub const NO_COLLECTION: &str = "No collection";

pub const OPEN_CELL: &str = "Open the sheet at this cell";
pub const LEAVE_OUT: &str = "Leave out";
pub const HISTORY: &str = "History";
pub const READING_HISTORY: &str = "Reading the history…";
pub const NO_HISTORY: &str = "Nothing was synced yet.";
pub const GO_BACK: &str = "Go back…";
pub const TAKE_IN: &str = "Take in";
pub const TAKE_ALL_IN: &str = "Take all in again";

pub const SYNC_THIS_FILE: &str = "Sync this file";
pub const SYNC_NOW: &str = "Sync now";
pub const TAKE_OVER: &str = "Take over";
pub const TAKE_OVER_WHAT: &str =
    "Edits reach the variables from their panel. Take over to sync from yours.";
pub const RETRY_NOW: &str = "Retry now";
pub const SIGN_IN: &str = "Sign in";
pub const SWITCH_ON: &str = "Switch on";
pub const DISCONNECT: &str = "Disconnect";
pub const SOURCES: &str = "Tabs that feed this file";
pub const ADD_SOURCE: &str = "Add a tab";
pub const REMOVE_SOURCE: &str = "Remove";
pub const DISCONNECT_ASK: &str = "Disconnect this sheet? Your variables stay as they are.";
pub const HIDE: &str = "Keep running in the background";
pub const KEEP_THEM: &str = "Keep them";
pub const KEEP_APART: &str = "They are different variables";
pub const RENAME_THEM: &str = "Rename them";
pub const KEEP_FILE: &str = "Keep the file as it is";
pub const TYPES: &str = "Types that would change";
pub const TYPES_WHAT: &str = "Figma can’t change a variable’s type. A new variable of the same name takes its place, and layers that use the old one lose it. Other files that use this variable can’t be checked.";
pub const KEEP_TYPES: &str = "Keep the types";
pub const NEEDS: &str = "What this needs of Figma";
pub const THRESHOLD: &str = "Wait for me when a sync touches";
/// How many variables a sync may touch before it waits, and how that is said.
pub const THRESHOLDS: [(u32, &str); 5] = [
    (0, "anything at all"),
    (10, "more than 10 variables"),
    (50, "more than 50 variables"),
    (250, "more than 250 variables"),
    (1_000, "more than 1,000 variables"),
];
pub const PUBLISHED: &str = "This file is published as a library. Other files get what is synced here when somebody publishes it.";
pub const APPLY_AGAIN: &str = "Apply again";
pub const NEVER_SYNCED: &str = "Nothing has been synced yet.";
pub const WAITS: &str = "Waiting for you";
pub const WHILE_OFF: &str = "Paused";

pub const CHANGED_IN_FIGMA: &str = "Changed in Figma";
pub const CHANGED_IN_BOTH: &str = "Changed in both";
pub const USE_SHEETS: &str = "Use the sheet’s";
pub const KEEP_FIGMAS: &str = "Keep Figma’s";
pub const USE_SHEETS_FOR_ALL: &str = "Use the sheet’s for all";
pub const KEEP_FIGMAS_FOR_ALL: &str = "Keep Figma’s for all";
pub const TWO_WAY: &str = "Also send changes from Figma to the sheet";
pub const TWO_WAY_WHAT: &str = "Values, descriptions, scopes, code syntax and hiding, under your Google account. Names, new variables and removals are never sent, and formulas are never overwritten.";
pub const TWO_WAY_ASKING: &str = "Asking whether you may edit the spreadsheet…";
pub const NOT_ALLOWED_WHAT: &str = "This file sends changes to the sheet, but you have not allowed it for your Google account yet.";
pub const ALLOW: &str = "Allow sending";
pub const SHEET_READ_ONLY_WHAT: &str =
    "Ask its owner for edit access. Until then nothing is sent to it.";
pub const TRY_AGAIN: &str = "Try again";
pub const NOT_SENT_WHAT: &str = "They are kept in Figma and listed here.";
pub const SEND: &str = "Send to sheet";
pub const SEND_ALL: &str = "Send all to sheet";
pub const FIGMA_HOLDS: &str = "Figma";
pub const SHEET_SAYS: &str = "Sheet";
pub const POLICY_DRIFT: &str = "When only Figma changed";
pub const POLICY_CONFLICT: &str = "When both changed";
pub const POLICIES_DRIFT: [(DriftPolicy, &str); 3] = [
    (DriftPolicy::Push, "send Figma’s to the sheet"),
    (DriftPolicy::Keep, "keep Figma’s and show it"),
    (DriftPolicy::Overwrite, "write the sheet’s again"),
];
pub const POLICIES_CONFLICT: [(ConflictPolicy, &str); 3] = [
    (ConflictPolicy::Ask, "ask"),
    (ConflictPolicy::Sheet, "use the sheet’s"),
    (ConflictPolicy::Figma, "keep Figma’s"),
];

/// That cells are on their way to the sheet.
pub fn sending(cells: u32) -> String {
    ["Sending ", &several(cells, "cell"), "…"].concat()
}

/// That nothing is sent to the sheet, or to these tabs of several.
pub fn held(hold: Hold, tabs: &[String]) -> String {
    let names: Vec<String> = tabs.iter().map(|tab| ["“", tab, "”"].concat()).collect();
    let names = names.join(", ");
    match (hold, tabs.is_empty()) {
        (Hold::NotAllowed, true) => String::from("Changes from Figma wait for you."),
        (Hold::NotAllowed, false) => ["Changes from Figma for ", &names, " wait for you."].concat(),
        (Hold::ReadOnly, true) => String::from("You may only read this spreadsheet."),
        (Hold::ReadOnly, false) => ["You may only read ", &names, "."].concat(),
        (Hold::Failed, true) => String::from("Changes from Figma could not be sent."),
        (Hold::Failed, false) => ["Changes from Figma could not be sent to ", &names, "."].concat(),
    }
}

/// Why a difference is not sent to the sheet, and what to do.
pub fn unsent(unsent: Unsent) -> &'static str {
    match unsent {
        Unsent::Name => {
            "Names are not sent, because references in the sheet lead to them. Rename it in the sheet."
        }
        Unsent::Formula => "This cell has a formula. Change the formula, or keep Figma’s value.",
        Unsent::Protected => "This cell is protected. Ask the sheet’s owner, then send it again.",
        Unsent::Changed => {
            "Somebody changed this cell meanwhile. Send it again if Figma’s is still right."
        }
        Unsent::Outside => "The sheet no longer has this cell. Press Sync now to read it again.",
        Unsent::Empty => {
            "An empty cell changes nothing, so this can’t be sent. Clear the cell in the sheet by hand."
        }
        Unsent::Spaces => {
            "A cell does not keep the spaces around this text. Take them away in Figma."
        }
        Unsent::Foreign => "The sheet has no name for the variable that this alias leads to.",
        Unsent::Unwritable => "No cell can say this value.",
        Unsent::Shared => "Several variables show this cell. Change it in the sheet.",
        Unsent::Long => "This text is too long for a cell.",
    }
}

/// How many values differ, and why nothing is written.
pub fn differences(conflicts: u32, drifts: u32) -> String {
    let values = |count| several(count, "value");
    match (conflicts, drifts) {
        (0, drifts) => [&values(drifts), " changed in Figma and kept"].concat(),
        (conflicts, 0) => [&values(conflicts), " changed in both places: choose"].concat(),
        (conflicts, drifts) => [
            &values(conflicts),
            " changed in both places: choose. ",
            &values(drifts),
            " changed in Figma and kept",
        ]
        .concat(),
    }
}

/// That a list of differences goes on.
pub fn differences_truncated(listed: usize) -> String {
    ["The first ", &listed.to_string(), " are listed."].concat()
}

/// Why the Real-Time Sync tab is disabled; empty when it is not.
pub fn disabled(decision: Decision) -> &'static str {
    match decision {
        Decision::On => "",
        Decision::NotYet => "Not switched on for you yet. Your team is rolling it out gradually.",
        Decision::SwitchedOff => {
            "Your admin has switched Real-Time Sync off for everybody. Your variables stay as they are."
        }
        Decision::Unknown => "Not switched on for you yet.",
    }
}

/// A count with its thousands apart: `1,744`.
pub fn number(count: u32) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 variable`, `1,744 variables`.
fn several(count: u32, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    [&number(count), " ", noun, plural].concat()
}

/// `12 s`, `3 min`, `5 h`, `2 days`.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, " s"),
        60..3_600 => (seconds / 60, " min"),
        3_600..172_800 => (seconds / 3_600, " h"),
        172_800.. => (seconds / 86_400, " days"),
    };
    [&count.to_string(), unit].concat()
}

/// When a moment of the past was: `just now`, `5 min ago`.
pub fn ago(now_unix_ms: u64, then_unix_ms: u64) -> String {
    match now_unix_ms.saturating_sub(then_unix_ms) / 1_000 {
        0..5 => String::from("just now"),
        seconds => [&span(seconds), " ago"].concat(),
    }
}

/// An RFC 3339 time as a day: `2026-11-23T…` is `23 Nov 2026`. What is none stays as it is.
pub fn day(time: &str) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let part = |from: usize, to: usize| time.get(from..to).unwrap_or_default();
    let month = part(5, 7)
        .parse::<usize>()
        .ok()
        .and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    match month {
        Some(month) => [
            part(8, 10).trim_start_matches('0'),
            " ",
            month,
            " ",
            part(0, 4),
        ]
        .concat(),
        None => String::from(time),
    }
}

/// The size of a tab.
pub fn size(rows: u32, columns: u32) -> String {
    [&number(rows), " × ", &number(columns)].concat()
}

/// The button for the tabs that are ticked.
pub fn connect_tabs(count: usize) -> String {
    if count == 1 {
        String::from("Connect 1 tab")
    } else {
        format!("Connect {count} tabs")
    }
}

/// The box beside a tab.
pub fn tick_tab(title: &str) -> String {
    format!("Connect “{title}” with others")
}

/// The button that takes a tab away, for who does not see beside what it stands.
pub fn remove_source(tab: &str) -> String {
    format!("Remove “{tab}”")
}

/// The size of a tab, read aloud.
pub fn size_aloud(rows: u32, columns: u32) -> String {
    [&several(rows, "row"), ", ", &several(columns, "column")].concat()
}

/// Who is signed in.
pub fn signed_in_as(account: &str) -> String {
    ["Signed in as ", account].concat()
}

/// What a role is called.
pub fn role(role: &Role) -> &'static str {
    match role {
        Role::Ignore => "Ignore",
        Role::Collection => "Collection",
        Role::Group => "Group, before the name",
        Role::Name => "Name",
        Role::Type => "Type",
        Role::Mode { .. } => "Mode",
        Role::ModeName => "Mode’s name",
        Role::Variable => "Variable",
        Role::Description => "Description",
        Role::Scopes => "Scopes",
        Role::CodeWeb => "Code syntax: Web",
        Role::CodeAndroid => "Code syntax: Android",
        Role::CodeIos => "Code syntax: iOS",
        Role::Hidden => "Hidden",
        Role::Id => "ID",
    }
}

/// What the choice of a column's role is called, read aloud.
pub fn role_of(letters: &str, header: &str) -> String {
    ["What column ", letters, " is for: ", header].concat()
}

pub const TAB_MODE: &str = "This tab holds the values of one mode";
pub const TAB_COLLECTION: &str = "Collection that such tabs feed together";
pub const TAB_COLLECTION_USUAL: &str = "Tokens";
pub const TAB_MODE_NAME: &str = "Name of the mode";
pub const LIES: &str = "How the sheet is laid out";
pub const SHAPE: &str = "Each row is";
pub const SHAPES: [(Shape, &str); 3] = [
    (Shape::Tokens, "a variable, with a column for each mode"),
    (Shape::Records, "a mode, with a column for each variable"),
    (Shape::Long, "one value: variable, mode, value"),
];
pub const BRANDS: &str = "Above the header row";
pub const BRAND_ROWS: [(Brands, &str); 3] = [
    (Brands::None, "nothing belongs to the header"),
    (Brands::Modes, "stands a brand; it is part of the mode"),
    (Brands::Collections, "stands a brand; it is the collection"),
];
pub const SECTIONS: &str = "Headings between the rows";
pub const HEADINGS: [(Sections, &str); 3] = [
    (Sections::Ignore, "mean nothing"),
    (Sections::Groups, "are the group of the rows below"),
    (
        Sections::Collections,
        "are the collection of the rows below",
    ),
];
pub const SIGNS: &str = "“.”, “--” and “$” in names";
pub const NAMES_ASKED: &str = "Names here have “.”, “--” or “$” in them. These signs";
pub const NAMES: [(Names, &str); 3] = [
    (Names::Ask, "Choose…"),
    (Names::Groups, "make groups, as / does"),
    (Names::Keep, "stay as they are"),
];
pub const SAME_COLLECTION: &str = "An empty collection cell means the one above";
pub const FORMULAS: &str =
    "A formula that points at another variable’s value, such as =B4, is an alias to it";
pub const SKIP_ROWS: &str = "Rows to skip under the header";
pub const RULE_ONLY: &str = "Sync only rows where";
pub const RULE_IGNORE: &str = "Never read rows where";
pub const RULE_NONE: &str = "no rule";
pub const RULE_COLUMN: &str = ", column";
pub const RULE_WORDS: &str = ", words";
pub const RULE_WORDS_EXAMPLE: &str = "approved, ready";
pub const REM: &str = "Pixels in 1 rem";
pub const REM_USUAL: &str = "16";

/// What the field for a mode's own rem is called.
pub fn rem_of(mode: &str) -> String {
    ["Pixels in 1 rem, ", mode].concat()
}

/// What the field for a mode's name is called, read aloud.
pub fn mode_name_of(letters: &str) -> String {
    ["Mode name of column ", letters].concat()
}

/// What happens to a variable, on its badge.
pub fn kind(kind: PreviewKind) -> &'static str {
    match kind {
        PreviewKind::Create => "New",
        PreviewKind::Change => "Change",
        PreviewKind::Rename => "Rename",
        PreviewKind::Remove => "Remove",
        PreviewKind::Retype => "Type",
    }
}

/// A choice of what a plan's tree lists.
pub fn filter(name: &str, count: usize) -> String {
    let word = match name {
        "create" => "New",
        "change" => "Changes",
        "rename" => "Renames",
        "remove" => "Removals",
        "retype" => "Types",
        "problems" => "Problems",
        _ => "All",
    };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    [word, " (", &number(count), ")"].concat()
}

/// The counts of a plan: a number and its word for each that is told.
pub fn counts(counts: &Counts) -> Vec<(u32, &'static str)> {
    let mut told = vec![
        (counts.created, "create"),
        (counts.changed, "change"),
        (counts.unchanged, "unchanged"),
        (counts.removed, "remove"),
    ];
    if counts.retyped > 0 {
        told.push((counts.retyped, "new type"));
    }
    told
}

/// What a plan does around its variables; empty when nothing.
pub fn collections_and_modes(counts: &Counts) -> String {
    let mut parts = Vec::new();
    if counts.collections > 0 {
        parts.push(several(counts.collections, "new collection"));
    }
    if counts.modes > 0 {
        parts.push(several(counts.modes, "new mode"));
    }
    parts.join(", ")
}

/// The button that applies a plan without its removals.
pub fn apply(counts: &Counts) -> String {
    match (counts.created, counts.changed) {
        (0, 0) => String::from(START_SYNC),
        (created, 0) => ["Create ", &several(created, "variable")].concat(),
        (0, changed) => ["Change ", &several(changed, "variable")].concat(),
        (created, changed) => ["Create ", &number(created), ", change ", &number(changed)].concat(),
    }
}

/// The button that applies a plan with its removals.
pub fn remove(counts: &Counts) -> String {
    ["Remove ", &several(counts.removed, "variable")].concat()
}

/// Which type becomes which.
pub fn type_change(before: &str, after: &str) -> String {
    [before, " → ", after].concat()
}

/// The button that changes the types that were chosen.
pub fn change_types(count: usize) -> String {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    match count {
        0 => String::from("Change types"),
        1 => String::from("Change 1 type"),
        count => ["Change ", &number(count), " types"].concat(),
    }
}

/// Which layers of this file lose a variable.
pub fn uses(uses: &Uses) -> String {
    let found = match uses.layers {
        0 => String::from("No layer of this file uses it."),
        1 => String::from("1 layer of this file uses it"),
        layers => [&number(layers), " layers of this file use it"].concat(),
    };
    let named = match uses.layers as usize {
        0 => String::new(),
        layers if layers > uses.names.len() => {
            [": ", &uses.names.join(", "), " and others."].concat()
        }
        _ => [": ", &uses.names.join(", "), "."].concat(),
    };
    let partial = if uses.partial {
        " Not all of its layers could be looked at, so there may be more."
    } else {
        ""
    };
    [&found, &named, partial].concat()
}

/// The button that leaves a row out, read aloud.
pub fn leave_out_of(name: &str) -> String {
    ["Leave out ", name].concat()
}

/// The heading of the rows that were left out.
pub fn left_out(rows: usize) -> String {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    [&several(rows, "row"), " left out of the sync"].concat()
}

/// What a row that was left out is called: its collection and name, or its ID.
pub fn left_out_row(key: &str) -> String {
    match key.strip_prefix('n') {
        Some(name) => name.replace(KEY_SEPARATOR, ": "),
        None => ["ID ", key.strip_prefix('i').unwrap_or(key)].concat(),
    }
}

/// The button that takes a row in again, read aloud.
pub fn take_in_row(row: &str) -> String {
    ["Take in ", row].concat()
}

/// What becomes of removals in a plan that is applied without them.
pub fn removals_kept(removed: u32) -> String {
    let verb = if removed == 1 { " has" } else { " have" };
    [
        &several(removed, "variable"),
        verb,
        " no row in the sheet any more. Nothing is removed now.",
    ]
    .concat()
}

/// That a list shows its first rows only.
pub fn truncated(shown: usize, total: u32) -> String {
    let shown = u32::try_from(shown).unwrap_or(u32::MAX);
    [
        "The first ",
        &number(shown),
        " of ",
        &number(total),
        " are listed. All of them are applied.",
    ]
    .concat()
}

/// The heading of a list of problems.
pub fn problems(total: u32) -> String {
    [&several(total, "problem"), " to mend"].concat()
}

/// That more problems are there than are listed.
pub fn problems_truncated(shown: usize) -> String {
    let shown = u32::try_from(shown).unwrap_or(u32::MAX);
    ["The first ", &number(shown), " are listed."].concat()
}

/// Who writes the file.
pub fn is_syncing(writer: &str) -> String {
    format!("{writer} is syncing this file.")
}

/// How the sheet reaches the file. It does not change from second to second, so that it can be read aloud.
pub fn link(link: Link) -> &'static str {
    match link {
        Link::Down => WHILE_OFF,
        Link::Connecting => "Connecting…",
        Link::Live => "Live",
        Link::Polling => "Every few seconds",
        Link::Offline { .. } => "Offline",
    }
}

/// What there is to know about it.
pub fn link_details(link: Link, now_unix_ms: u64) -> String {
    match link {
        Link::Down | Link::Connecting => String::new(),
        Link::Live => String::from("Edits in the sheet arrive within seconds."),
        Link::Polling => String::from("This network blocks live connections."),
        Link::Offline { retry_unix_ms, .. } => {
            match retry_unix_ms.saturating_sub(now_unix_ms).div_ceil(1_000) {
                0 => String::from("Trying again now."),
                seconds => ["Trying again in ", &span(seconds), "."].concat(),
            }
        }
    }
}

/// Why sync stands still, and what to do about it.
pub fn stopped(reason: StopReason) -> (&'static str, &'static str) {
    match reason {
        StopReason::Toggled => (
            "Sync is off for this file.",
            "Edits in the sheet change nothing here until you switch it on.",
        ),
        StopReason::Disconnected => (
            "The sheet was disconnected from this file.",
            "Your variables stay as they are. Run the plugin again to connect a sheet.",
        ),
        StopReason::SignedOut => (
            "Your sign-in has ended.",
            "Sign in again; the sync goes on from where it was.",
        ),
        StopReason::SwitchedOff => (
            "Your admin has switched Real-Time Sync off.",
            "Your variables stay as they are.",
        ),
        StopReason::Breaker => (
            "Three syncs in a row failed, so Sheetwire has paused on this machine.",
            "Look at the problems below, then try once more.",
        ),
        StopReason::ReadOnly => (
            "This file can't be edited any more.",
            "Ask its owner for edit access, then run the plugin again.",
        ),
    }
}

/// Why a plan waits.
pub fn waiting(reason: WaitReason, counts: &Counts) -> String {
    let touched = counts.created + counts.changed;
    match reason {
        WaitReason::Removes => [
            several(counts.removed, "variable").as_str(),
            if counts.removed == 1 { " has" } else { " have" },
            " no row in the sheet any more. Remove what is gone, or keep it without the sheet.",
        ]
        .concat(),
        WaitReason::Retypes => [
            "The sheet gives ",
            &several(counts.retyped, "variable"),
            " another type. Everything else is synced. Choose which of them to change.",
        ]
        .concat(),
        WaitReason::Large => [
            "This changes ",
            &several(touched, "variable"),
            " at once. Look whether that is meant.",
        ]
        .concat(),
        WaitReason::Most => [
            "This writes over most of what the sheet holds: ",
            &several(counts.changed, "variable"),
            ". Nothing was changed. If something was pasted over the sheet, undo it there and the sync goes on by itself.",
        ]
        .concat(),
        WaitReason::Every => [
            "In this file every sync waits for you. This one touches ",
            &several(touched, "variable"),
            ".",
        ]
        .concat(),
        WaitReason::Limits => String::from(
            "A collection may not fit into what this file's Figma plan allows. Nothing was changed. Look at what would be made of it.",
        ),
        WaitReason::Renames => String::from(
            "Names changed while nobody was looking. These variables seem to be the same under new names.",
        ),
        WaitReason::Restore => String::from(
            "This takes the file back to before that run. What was changed since, by hand too, is among it. The sheet stays as it is; rows that it then says otherwise are kept as changed in Figma.",
        ),
        WaitReason::Undone => {
            String::from("You undid the last sync. Apply it again, or keep the file as it is.")
        }
        WaitReason::Shrunken => String::from(
            "Most rows are gone from the sheet, or their column is. Nothing was changed. If that is a slip, undo it in the sheet and it goes on by itself.",
        ),
    }
}

/// How far a run is.
pub fn progress(done: u32, total: u32) -> String {
    ["Writing ", &number(done), " of ", &number(total)].concat()
}

/// When the last run was and what it did.
pub fn last_run(report: &RunReport, now_unix_ms: u64) -> String {
    let verb = if report.cancelled {
        "Cancelled "
    } else {
        "Last sync "
    };
    [verb, &ago(now_unix_ms, report.ended_unix_ms)].concat()
}

/// Who made a run.
pub fn run_author(run: &RunEntry) -> String {
    if run.author.is_empty() {
        String::from("Somebody")
    } else {
        run.author.clone()
    }
}

/// What a run of the history did.
pub fn run_did(run: &RunEntry) -> String {
    let counts = &run.counts;
    let did = [
        (counts.created, " created"),
        (counts.changed, " changed"),
        (counts.removed, " removed"),
        (counts.retyped, " of another type"),
        (counts.collections, " collections made"),
        (counts.modes, " modes made"),
    ];
    let mut parts: Vec<String> = did
        .into_iter()
        .filter(|(count, _)| *count > 0 && !run.restores)
        .map(|(count, word)| [number(count).as_str(), word].concat())
        .collect();
    if run.restores {
        parts.push(String::from("Went back"));
    } else if parts.is_empty() {
        parts.push(String::from("Names changed"));
    }
    parts.join(" · ")
}

/// The button's full name beside a run.
pub fn go_back_before(who: &str, what: &str) -> String {
    ["Go back to before ", who, "’s run: ", what].concat()
}

/// The button that goes back.
pub fn go_back(counts: &Counts) -> String {
    let touched = counts.created + counts.changed + counts.removed;
    ["Take back ", &several(touched, "variable")].concat()
}

/// What a run did.
pub fn run_counts(report: &RunReport) -> String {
    let counts = &report.counts;
    let mut parts = Vec::new();
    for (count, word) in [
        (counts.created, " created"),
        (counts.changed, " changed"),
        (counts.removed, " removed"),
        (counts.retyped, " of another type"),
    ] {
        if count > 0 {
            parts.push([&number(count), word].concat());
        }
    }
    if parts.is_empty() {
        parts.push(String::from("Nothing differed"));
    }
    parts.push([&number(report.duration_ms), " ms"].concat());
    parts.join(" · ")
}
