//! The stages of a rollout, and what must have passed before the next.
//!
//! Owns the percentages, dwell and exposure. Must not know how users are drawn into a percentage.

use serde::{Deserialize, Serialize};

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// One stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Users with the feature, of a hundred.
    pub percent: u8,
    /// Least time in this stage, in milliseconds.
    pub dwell_ms: u64,
    /// Least sessions with the feature in this stage.
    pub sessions: u32,
    /// Least users with the feature seen in this stage.
    pub users: u32,
}

/// The stages, each of which holds those of the one before. The dwell of the first three covers a working day, a few of
/// them, and a week with its Monday; the exposure of the first is what shows a feature that fails for one session in ten.
pub const STAGES: [Stage; 4] = [
    Stage {
        percent: 5,
        dwell_ms: 24 * HOUR_MS,
        sessions: 30,
        users: 5,
    },
    Stage {
        percent: 25,
        dwell_ms: 72 * HOUR_MS,
        sessions: 150,
        users: 20,
    },
    Stage {
        percent: 50,
        dwell_ms: 168 * HOUR_MS,
        sessions: 300,
        users: 40,
    },
    // The last has nowhere to go.
    Stage {
        percent: 100,
        dwell_ms: 0,
        sessions: 0,
        users: 0,
    },
];

/// Who moves a rollout on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promotion {
    /// A person, when the verdict allows it.
    #[default]
    Manual,
    /// The relay, as soon as the verdict allows it.
    Automatic,
}

/// What a stage still needs before the next. No alarm is not yet evidence of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wanting {
    /// Milliseconds.
    pub dwell_ms: u64,
    /// Sessions with the feature.
    pub sessions: u32,
    /// Users with the feature.
    pub users: u32,
}

impl Wanting {
    /// What is left of a stage.
    pub fn of(stage: Stage, dwelt_ms: u64, sessions: u32, users: u32) -> Option<Wanting> {
        let wanting = Wanting {
            dwell_ms: stage.dwell_ms.saturating_sub(dwelt_ms),
            sessions: stage.sessions.saturating_sub(sessions),
            users: stage.users.saturating_sub(users),
        };
        let nothing = Wanting {
            dwell_ms: 0,
            sessions: 0,
            users: 0,
        };
        (wanting != nothing).then_some(wanting)
    }
}
