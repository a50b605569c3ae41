//! The session's states and the steps between them.
//!
//! Owns the states and what each event does to them. Must not know sockets, timers or views: a shell receives,
//! calls [`step`], and performs the effects.

use serde::{Deserialize, Serialize};

/// Why sync was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The designer stopped it for this file.
    Toggled,
    /// The designer disconnected the sheet.
    Disconnected,
    /// The sign-in ended.
    SignedOut,
    /// The flag went off.
    SwitchedOff,
    /// Three runs failed in a row on this machine.
    Breaker,
    /// The file can't be edited.
    ReadOnly,
}
