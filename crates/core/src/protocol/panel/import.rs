//! The words of the Import tab, nested in the wire between the two programs as one variant each way.
//!
//! Owns what is said about a table that is imported once. Must not know where the table comes from. What is like a
//! sync's (columns, plans, problems, reports) is told in the sync's types.

use super::{Column, Preview, Problem, RunReport, SheetLayout};
use crate::protocol::relay::SheetInfo;
use serde::{Deserialize, Serialize};

/// Most tables that are imported together: the sheets of a workbook.
pub const TABLES_MAX: u32 = 16;
/// Most ways of reading a table that a file remembers; the oldest is forgotten.
pub const REMEMBERED_MAX: usize = 8;

/// From the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum ToSandbox {
    /// So many tables follow, each in a [`ToSandbox::Table`]; what was imported before is put away.
    Begin {
        /// From one to [`TABLES_MAX`].
        tables: u32,
    },
    /// One table; `bulk` holds its packed cells. Answered by [`ToPanel::Inferred`].
    Table {
        /// Its place, from zero.
        at: u32,
        /// What it is called, and how its numbers are written.
        info: SheetInfo,
    },
    /// How all tables are read. Answered by [`ToPanel::Preview`], as often as it is sent.
    Read {
        /// One for each table, in order.
        tables: Vec<Reading>,
        /// What becomes of variables that the file has already.
        existing: Existing,
    },
    /// Leaves rows of the plan out of this import. Answered by the plan without them.
    LeaveOut {
        /// The number of the preview that the designer saw.
        plan: u32,
        /// Places in the preview's rows.
        rows: Vec<u32>,
    },
    /// Takes rows in again that were left out.
    TakeIn {
        /// Entries of the preview's list; empty for all of them.
        keys: Vec<String>,
    },
    /// Imports what was previewed. Answered by [`ToPanel::Done`].
    Approve {
        /// The number of the preview that the designer saw; another plan is not applied.
        plan: u32,
    },
    /// Stops the import after the current slice.
    Cancel,
    /// Puts the tables away.
    End,
}

/// How a table is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// A role for every column.
    pub columns: Vec<Column>,
    /// Zero-based row of the header; of two header rows, the lower one.
    pub header_row: u32,
    /// How the table lies, where it is not one row a variable under one header row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<SheetLayout>,
}

/// What becomes of variables that the file has already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// They get the table's values.
    #[default]
    Update,
    /// They stay as they are; only new ones are made.
    Leave,
}

/// From the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum ToPanel {
    /// How a table seems to be meant.
    Inferred {
        /// Its place.
        at: u32,
        /// How it would be read.
        reading: Reading,
        /// What keeps it from being read at all.
        problems: Vec<Problem>,
        /// Whether the file remembers that a table with these headers was read so.
        remembered: bool,
    },
    /// What the import would do; nothing is written yet.
    Preview {
        /// The plan.
        preview: Preview,
        /// Rows under the headers that give no variable.
        unread: Vec<Unread>,
        /// Rows that were left out of this import, by their keys.
        left_out: Vec<String>,
    },
    /// At most one a slice.
    Progress {
        /// Operations done.
        done: u32,
        /// Operations in all.
        total: u32,
    },
    /// The import has ended.
    Done {
        /// What was done, and what was not and why.
        report: RunReport,
        /// Whether a sheet feeds the file: what was imported counts as changed in Figma then.
        connected: bool,
    },
    /// Something was not done.
    Refused {
        /// One sentence.
        message: String,
        /// What to do.
        remedy: Option<String>,
    },
}

/// Rows of a table that give no variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The table's place.
    pub at: u32,
    /// The first row, zero-based.
    pub from: u32,
    /// The row after the last.
    pub to: u32,
}
