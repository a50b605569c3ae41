//! What the panel says, in one place.
//!
//! Owns the sentences. Must not know when they are said.

use sheetwire_core::flags::Decision;

pub const TAB_VARIABLES: &str = "Variables";
pub const TAB_SYNC: &str = "Real-Time Sync";
pub const LOADING: &str = "Reading the file's variables…";
pub const NO_VARIABLES: &str = "This file has no variables yet.";
pub const NOTHING_FOUND: &str = "No variable has that in its name.";
pub const SEARCH: &str = "Search variables";
pub const READ_ONLY: &str = "You can look at this file's variables but not change them.";

/// Why the Real-Time Sync tab is disabled; empty when it is not.
pub fn disabled(decision: Decision) -> &'static str {
    match decision {
        Decision::On => "",
        Decision::NotYet => "Not switched on for you yet. Your team is rolling it out gradually.",
        Decision::SwitchedOff => {
            "Your admin has switched Real-Time Sync off for everybody. Your variables stay as they are."
        }
        Decision::Unknown => "Not switched on for you yet.",
    }
}
