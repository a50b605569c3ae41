//! What follows when the feature is used and nothing is heard of it.
//!
//! Owns the rule for missing reports. Must not know clocks; a time is told in Unix milliseconds.

use serde::{Deserialize, Serialize};

/// Openings with the feature on, without a report, after which silence is no chance: the report goes out with the first
/// session, so five openings should have brought some.
pub const OPENINGS_HOLD: u32 = 5;
/// The same, after which the feature goes off.
pub const OPENINGS_OFF: u32 = 20;
/// Silence after which the rollout holds, in milliseconds.
pub const SILENT_HOLD_MS: u64 = 60 * 60 * 1_000;
/// Silence after which the feature goes off, in milliseconds.
pub const SILENT_OFF_MS: u64 = 24 * 60 * 60 * 1_000;

/// How long the treatment has been silent, and how much was to be heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Silence {
    /// Openings with the feature on since the last report.
    openings: u32,
    /// When the first of them was.
    since_unix_ms: u64,
}

/// What silence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// Reports come, or nobody uses the feature.
    No,
    /// No promotion until reports come.
    Hold,
    /// Nobody knows how the feature does: it goes off.
    Off,
}

impl Silence {
    /// The relay told a plugin that the feature is on.
    pub fn opened(&mut self, now_unix_ms: u64) {
        if self.openings == 0 {
            self.since_unix_ms = now_unix_ms;
        }
        self.openings = self.openings.saturating_add(1);
    }

    /// A report of the treatment came.
    pub fn heard(&mut self) {
        *self = Silence::default();
    }

    /// What it means now. Both the openings and the time must have passed: a busy minute is no silence, and a quiet
    /// weekend neither.
    pub fn meaning(&self, now_unix_ms: u64) -> Silent {
        let silent_ms = now_unix_ms.saturating_sub(self.since_unix_ms);
        if self.openings >= OPENINGS_OFF && silent_ms >= SILENT_OFF_MS {
            Silent::Off
        } else if self.openings >= OPENINGS_HOLD && silent_ms >= SILENT_HOLD_MS {
            Silent::Hold
        } else {
            Silent::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_minute_and_a_quiet_weekend_are_no_silence() {
        let mut silence = Silence::default();
        for _ in 0..100 {
            silence.opened(1_000);
        }
        assert_eq!(silence.meaning(2_000), Silent::No);
        let mut silence = Silence::default();
        silence.opened(1_000);
        assert_eq!(silence.meaning(1_000 + 3 * SILENT_OFF_MS), Silent::No);
    }

    #[test]
    fn silence_holds_then_switches_off_and_a_report_ends_it() {
        let mut silence = Silence::default();
        for at in 0..u64::from(OPENINGS_OFF) {
            silence.opened(at);
        }
        assert_eq!(silence.meaning(SILENT_HOLD_MS), Silent::Hold);
        assert_eq!(silence.meaning(SILENT_OFF_MS), Silent::Off);
        silence.heard();
        assert_eq!(silence.meaning(SILENT_OFF_MS), Silent::No);
    }
}
