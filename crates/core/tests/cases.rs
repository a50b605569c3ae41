//! Runs the case files of `tests/cases/`, one folder a runner.
//!
//! Owns the list of folders and their runners. Must not know how a case file is written (`cases/file.rs`).

#[path = "cases/cells.rs"]
mod cells;
#[path = "sync/file.rs"]
#[allow(dead_code)] // The stories of sync use the rest.
mod figma;
#[path = "cases/file.rs"]
mod file;
#[path = "cases/layout.rs"]
mod layout;
#[path = "cases/links.rs"]
mod links;
#[path = "cases/listing.rs"]
mod listing;
#[path = "cases/merge.rs"]
mod merge;
#[path = "cases/push.rs"]
mod push;
#[path = "cases/row.rs"]
mod row;
#[path = "cases/scopes.rs"]
mod scopes;
#[path = "cases/tabs.rs"]
mod tabs;
#[path = "cases/value.rs"]
mod value;

/// Each folder of `tests/cases/` and what turns one of its cases into the text that its `expect` block holds.
const RUNNERS: &[(&str, file::Runner)] = &[
    ("value", value::run),
    ("row", row::run),
    ("link", links::run),
    ("scopes", scopes::run),
    ("layout", layout::run),
    ("merge", merge::run),
    ("tabs", tabs::run),
    ("listing", listing::run),
    ("push", push::run),
];

#[test]
fn cases() {
    file::run_all("tests/cases", &["files"], RUNNERS);
}
