//! The relay: between Google's spreadsheets and the plugins that follow them.
//!
//! Owns, so far, the configuration, secrets and the errors it answers with. Must not know what a sheet means.

pub mod config;
pub mod error;
pub mod flags;
pub mod ofrep;
pub mod secret;
