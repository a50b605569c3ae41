//! The relay: between Google's spreadsheets and the plugins that follow them.
//!
//! Owns sign-in, sessions, the reading of sheets, rooms, flags and what is counted. Must not know what a sheet means.

pub mod callers;
pub mod config;
pub mod error;
pub mod flags;
pub mod followed;
pub mod google_read;
pub mod live;
pub mod ofrep;
pub mod pace;
pub mod people;
pub mod poll;
pub mod room;
pub mod secret;
pub mod server;
pub mod sheet_read;
pub mod signin;
pub mod spreadsheets;
pub mod store;
pub mod telemetry;
pub mod tickets;
pub mod turns;
pub mod watch;
pub mod webhook;
pub mod workbook;
pub mod writes;
