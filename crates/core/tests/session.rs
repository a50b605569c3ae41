//! The session's steps: what each turn of events shows and asks for, and what no order of events may bring about.

#[path = "session/properties.rs"]
mod properties;
#[path = "session/sending.rs"]
mod sending;
#[path = "session/stories.rs"]
mod stories;
#[path = "session/tabs.rs"]
mod tabs;
#[path = "session/world.rs"]
mod world;
