//! The feature flags as the plugin sees them: read an OFREP reply, decide, default off.
//!
//! Owns the flag's key, the decision and its reasons. Must not know who hashed the user into the rollout (the
//! relay does, alone) or how the reply travelled.

use serde::{Deserialize, Serialize};

/// The key of the one flag of the rollout, in the flagd document and over OFREP.
pub const REALTIME_SYNC: &str = "realtime-sync";
/// How long a cached "on" may be used without a fresh evaluation, in milliseconds: 15 minutes.
pub const CACHED_ON_LIFE_MS: u64 = 15 * 60 * 1000;

/// Whether a feature is on, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The relay said so.
    On,
    /// The relay said that this user is not in the rollout.
    NotYet,
    /// The flag is switched off for everybody.
    SwitchedOff,
    /// No readable answer: off by default.
    Unknown,
}

/// One flag's entry in an OFREP bulk reply (`POST /ofrep/v1/evaluate/flags`), as far as the decision needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluation<'a> {
    /// `value`, when it is TRUE or FALSE.
    pub value: Option<bool>,
    /// `reason`; empty when there is none.
    pub reason: &'a str,
    /// Whether there is an `errorCode`.
    pub failed: bool,
}

/// Decides from the entry of [`REALTIME_SYNC`]; `None` when the reply is absent, unreadable or has no such flag. A flag
/// that is missing, failed or of the wrong type is [`Decision::Unknown`], which is off.
pub fn decide(evaluation: Option<Evaluation<'_>>) -> Decision {
    match evaluation {
        Some(Evaluation {
            value: Some(value),
            reason,
            failed: false,
        }) => match (value, reason) {
            (true, _) => Decision::On,
            (false, "DISABLED") => Decision::SwitchedOff,
            (false, _) => Decision::NotYet,
        },
        Some(_) | None => Decision::Unknown,
    }
}
