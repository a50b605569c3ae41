//! What the Import tab says.
//!
//! Owns its sentences. Must not know when they are said.

use super::number;
use sheetwire_core::protocol::panel::{Counts, RunReport};

pub const TAB_IMPORT: &str = "Import";
pub const IMPORT: &str = "Import variables";
pub const IMPORT_READ_ONLY: &str = "An import makes and changes variables, so it needs a file that you may edit, outside Dev Mode.";
pub const IMPORT_DROP: &str = "Drop files here, or choose them";
pub const IMPORT_KINDS: &str = "CSV, Excel (.xlsx), or design tokens (.json): one file for each mode can be chosen together. Up to 16 MB and 50,000 rows.";
pub const IMPORT_PASTE: &str = "Or paste cells from a spreadsheet";
pub const IMPORT_PASTE_HERE: &str = "Click here and paste";
pub const PASTED: &str = "Pasted cells";
pub const IMPORT_READING: &str = "Reading the file";
pub const IMPORT_TOO_MANY: &str = "That is more than can be imported together.";
pub const IMPORT_TOO_MANY_REMEDY: &str = "Choose up to 64 files, with up to 16 sheets in all.";
pub const IMPORT_TOO_LARGE: &str = "A table is larger than the plugin can read at once.";
pub const IMPORT_TOO_LARGE_REMEDY: &str = "Split it into several files. Nothing was imported.";
pub const IMPORT_UNREADABLE: &str = "The browser could not read this file.";
pub const IMPORT_UNREADABLE_REMEDY: &str = "See if it still exists, and choose it again.";
pub const ANOTHER_FILE: &str = "Choose another file";
pub const IMPORT_TABLE: &str = "Sheet";
pub const IMPORT_INCLUDED: &str = "Import this sheet";
pub const IMPORT_COLLECTION: &str = "Collection";
pub const IMPORT_EXISTING: &str = "Variables this file has already";
pub const IMPORT_EXISTINGS: [&str; 2] = ["Update them", "Leave them as they are"];
pub const IMPORT_REMEMBERED: &str = "The columns are read as the last time in this file.";
pub const IMPORT_GRID: &str = "The table";
pub const IMPORT_GRID_KEYS: &str =
    "Arrow keys move from cell to cell. A cell with a problem says what is wrong below the table.";
pub const IMPORT_COMPARING: &str = "Comparing with this file…";
pub const IMPORT_NOTHING: &str = "This file has all of it already.";
pub const IMPORT_NEXT_PROBLEM: &str = "Next problem";
pub const IMPORT_REVIEW: &str = "Review";
pub const IMPORT_PLAN: &str = "What will be imported";
pub const IMPORT_BACK: &str = "Back to the table";
pub const IMPORT_RUNNING: &str = "Importing";
pub const IMPORT_STOPPING: &str = "Stopping…";
pub const IMPORT_DONE: &str = "Imported";
pub const IMPORT_STOPPED: &str = "Import stopped";
pub const IMPORT_UNDO: &str = "It is one step of undo.";
pub const IMPORT_CONNECTED: &str = "A sheet feeds this file. What was imported counts as changed in Figma: the sheet keeps its own values, and Real-Time Sync shows where they differ.";
pub const IMPORT_SKIPPED: &str = "Skipped";
pub const IMPORT_MORE: &str = "Import more";
pub const SHOW_VARIABLES: &str = "Show variables";

/// What a table comes to so far.
pub fn import_outlook(counts: &Counts, problems: u32) -> String {
    let mut parts = Vec::new();
    for (count, word) in [(counts.created, "new"), (counts.changed, "changed")] {
        if count > 0 {
            parts.push([&number(count), " ", word].concat());
        }
    }
    if counts.unchanged > 0 {
        parts.push([&number(counts.unchanged), " as they are"].concat());
    }
    if problems > 0 {
        parts.push(super::problems(problems));
    }
    parts.join(" · ")
}

/// The button that imports.
pub fn import_button(counts: &Counts) -> String {
    let total = counts.created + counts.changed;
    match total {
        0 => String::from("Import"),
        1 => String::from("Import 1 variable"),
        _ => ["Import ", &number(total), " variables"].concat(),
    }
}

/// Rows of the summary: how many, and what became of them.
pub fn import_counts(report: &RunReport) -> [(u32, &'static str); 4] {
    let counts = &report.counts;
    [
        (counts.created, "Created"),
        (counts.changed, "Updated"),
        (counts.unchanged, "As they were"),
        (report.problems_total, IMPORT_SKIPPED),
    ]
}

/// How many cells were skipped, over the list of why.
pub fn import_skipped(total: u32) -> String {
    match total {
        1 => String::from("1 thing was skipped"),
        _ => [&number(total), " things were skipped"].concat(),
    }
}

/// Where the active cell is, and what stands in it.
pub fn import_cell(address: &str, text: &str) -> String {
    [address, ": ", text].concat()
}

/// The files' name: the first one's, and how many more there are.
pub fn import_files(count: usize, first: &str) -> String {
    match count {
        0 | 1 => String::from(first),
        _ => [
            first,
            " and ",
            &number(u32::try_from(count - 1).unwrap_or(u32::MAX)),
            " more",
        ]
        .concat(),
    }
}
