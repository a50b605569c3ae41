//! The engine against a file in memory: what a sync writes, what it leaves alone, and that an edit leads to the same
//! document as mapping everything anew.

#[path = "sync/file.rs"]
mod file;
#[path = "sync/history.rs"]
mod history;
#[path = "sync/import.rs"]
mod import;
#[path = "sync/layouts.rs"]
mod layouts;
#[path = "sync/panels.rs"]
mod panels;
#[path = "sync/properties.rs"]
mod properties;
#[path = "sync/pushing.rs"]
mod pushing;
#[path = "sync/resuming.rs"]
mod resuming;
#[path = "sync/retypes.rs"]
mod retypes;
#[path = "sync/safety.rs"]
mod safety;
#[path = "sync/sheet.rs"]
mod sheet;
#[path = "sync/stories.rs"]
mod stories;
#[path = "sync/structure.rs"]
mod structure;
#[path = "sync/tabs.rs"]
mod tabs;
