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

#[derive(Deserialize)]
struct Bulk {
    flags: Vec<Evaluation>,
}

#[derive(Deserialize)]
struct Evaluation {
    key: String,
    #[serde(default)]
    value: serde_json::Value,
    #[serde(default)]
    reason: String,
    #[serde(default, rename = "errorCode")]
    error_code: Option<String>,
}

/// Decides from the text of an OFREP bulk reply (`POST /ofrep/v1/evaluate/flags`); anything unreadable,
/// missing or of the wrong type is [`Decision::Unknown`], which is off.
pub fn decide(body: Option<&str>) -> Decision {
    let Some(bulk) = body.and_then(|text| serde_json::from_str::<Bulk>(text).ok()) else {
        return Decision::Unknown;
    };
    let Some(flag) = bulk.flags.iter().find(|flag| flag.key == REALTIME_SYNC) else {
        return Decision::Unknown;
    };
    match (&flag.error_code, &flag.value, flag.reason.as_str()) {
        (None, serde_json::Value::Bool(true), _) => Decision::On,
        (None, serde_json::Value::Bool(false), "DISABLED") => Decision::SwitchedOff,
        (None, serde_json::Value::Bool(false), _) => Decision::NotYet,
        _ => Decision::Unknown,
    }
}
