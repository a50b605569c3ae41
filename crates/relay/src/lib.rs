//! The relay: between Google's spreadsheets and the plugins that follow them.
//!
//! Owns, so far, the configuration, secrets and the errors it answers with. Must not know what a sheet means.

pub mod config;
pub mod error;
pub mod flags;
pub mod google_read;
pub mod live;
pub mod ofrep;
pub mod pace;
pub mod poll;
pub mod room;
pub mod secret;
pub mod sheet_read;
pub mod telemetry;
pub mod tickets;
pub mod watch;
pub mod webhook;
