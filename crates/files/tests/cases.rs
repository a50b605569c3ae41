//! Runs the case files of `tests/cases/files/`, one folder a runner.
//!
//! Owns the list of folders and their runners. Must not know how a case file is written (the core's `cases/file.rs`).

#[path = "../../core/tests/cases/cells.rs"]
mod cells;
#[path = "../../core/tests/cases/file.rs"]
#[allow(dead_code)] // The core's runners use the rest.
mod file;
#[path = "cases/tables.rs"]
mod tables;
#[path = "cases/tokens.rs"]
mod tokens;

/// Each folder of `tests/cases/files/` and what turns one of its cases into the text that its `expect` block holds.
const RUNNERS: &[(&str, file::Runner)] = &[
    ("separated", tables::separated),
    ("workbook", tables::workbook),
    ("tokens", tokens::read),
    ("export", tokens::export),
];

#[test]
fn cases() {
    file::run_all("tests/cases/files", &[], RUNNERS);
}
