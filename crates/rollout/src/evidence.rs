//! What a run of sessions says about whether the feature makes things worse.
//!
//! Owns two sequential tests and their bounds. Must not know what went wrong in a session.

use serde::{Deserialize, Serialize};

/// Probability of a rollback where the feature changes nothing, over all metrics and the whole life of a stage.
pub const ALPHA: f64 = 0.01;
/// How many times as often the feature might make sessions go wrong: what the mixture weighs, each alike.
pub const RATIOS: [f64; 5] = [1.5, 2.0, 3.0, 5.0, 10.0];
/// A share of the treatment below this, or as far from the whole, says nothing about the group of a session.
const SHARE_MIN: f64 = 1e-4;

/// The mixture sequential probability ratio test on sessions that went wrong.
///
/// With ρ the treatment's share of sessions when the i-th session goes wrong, x = 1 where that session was of the treatment,
/// and θ = ρ·r / (ρ·r + 1 − ρ) the share it would have if the treatment went wrong r times as often:
///
/// E = (1/5) · Σ_r Π_i (θ/ρ)^x · ((1−θ)/(1−ρ))^(1−x)
///
/// Mixtures of likelihood ratios: H. Robbins, "Statistical methods related to the law of the iterated logarithm", 1970;
/// as an always valid test: R. Johari, L. Pekelis, D. Walsh, "Always valid inference", 2015.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mixture {
    /// The logarithm of the product, for each of [`RATIOS`].
    logs: [f64; RATIOS.len()],
    /// Sessions that went wrong.
    wrong: u32,
}

impl Mixture {
    /// A session went wrong. `share` is the treatment's share of all sessions now, 0 to 1; without both groups nothing is
    /// learned.
    pub fn observe(&mut self, treated: bool, share: f64) {
        self.wrong = self.wrong.saturating_add(1);
        if !(SHARE_MIN..=1.0 - SHARE_MIN).contains(&share) {
            return;
        }
        for (log, ratio) in self.logs.iter_mut().zip(RATIOS) {
            let would = share * ratio / (share * ratio + 1.0 - share);
            *log += if treated {
                (would / share).ln()
            } else {
                ((1.0 - would) / (1.0 - share)).ln()
            };
        }
    }

    /// The evidence E: 1 where nothing is known, above where the treatment is worse.
    pub fn evidence(&self) -> f64 {
        self.logs.iter().map(|log| log.exp()).sum::<f64>() / RATIOS.len() as f64
    }

    /// Sessions that went wrong, of both groups.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }
}

/// Rate of sessions that go wrong in a feature that works.
const RATE_FINE: f64 = 0.01;
/// Rate in one that is broken.
const RATE_BROKEN: f64 = 0.1;

/// Wald's test on the treatment's first sessions, for a team so small that the control tells nothing for weeks.
///
/// A rate of 1 % against one of 10 %. It looks at the first [`First::SESSIONS_MAX`] sessions of a stage alone: after them the
/// ratio is so far down that a later failure would not be seen here, and the comparison sees it.
/// Source: A. Wald, "Sequential tests of statistical hypotheses", 1945.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct First {
    log: f64,
    sessions: u32,
}

impl First {
    /// Sessions of a stage that are looked at.
    pub const SESSIONS_MAX: u32 = 60;
    /// The likelihood ratio at which the stage stops.
    pub const THRESHOLD: f64 = 100.0;

    /// A session of the treatment ended, or went wrong.
    pub fn observe(&mut self, wrong: bool) {
        if self.sessions >= Self::SESSIONS_MAX {
            return;
        }
        self.sessions += 1;
        self.log += if wrong {
            (RATE_BROKEN / RATE_FINE).ln()
        } else {
            ((1.0 - RATE_BROKEN) / (1.0 - RATE_FINE)).ln()
        };
    }

    /// The likelihood ratio of broken to fine.
    pub fn ratio(&self) -> f64 {
        self.log.exp()
    }

    /// Whether it has reached [`First::THRESHOLD`]; the slack is for the rounding of logarithms.
    pub fn is_broken(&self) -> bool {
        self.log >= Self::THRESHOLD.ln() - 1e-9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_session_of_the_treatment_weighs_by_how_rare_the_treatment_is() {
        let mut rare = Mixture::default();
        rare.observe(true, 0.05);
        let mut half = Mixture::default();
        half.observe(true, 0.5);
        assert!(rare.evidence() > half.evidence() && half.evidence() > 1.0);
        let mut control = Mixture::default();
        control.observe(false, 0.5);
        assert!(control.evidence() < 1.0);
    }

    #[test]
    fn the_evidence_is_a_martingale_where_the_groups_are_alike() {
        // The expectation after one more wrong session, over its group, is the evidence before it.
        for share in [0.01, 0.05, 0.25, 0.5, 0.9] {
            let mut before = Mixture::default();
            for treated in [true, false, false, true] {
                before.observe(treated, share);
            }
            let after = |treated| {
                let mut next = before;
                next.observe(treated, share);
                next.evidence()
            };
            let expected = share * after(true) + (1.0 - share) * after(false);
            assert!((expected - before.evidence()).abs() < 1e-9 * before.evidence());
        }
    }

    #[test]
    fn without_both_groups_nothing_is_learned() {
        let mut mixture = Mixture::default();
        for share in [0.0, 1.0, f64::NAN] {
            mixture.observe(true, share);
        }
        assert_eq!((mixture.evidence(), mixture.wrong()), (1.0, 3));
    }

    #[test]
    fn total_failure_stops_in_two_sessions() {
        let mut first = First::default();
        first.observe(true);
        assert!(!first.is_broken());
        first.observe(true);
        assert!(first.is_broken());
    }

    #[test]
    fn only_the_first_sessions_are_looked_at() {
        let mut first = First::default();
        for _ in 0..First::SESSIONS_MAX {
            first.observe(false);
        }
        let ratio = first.ratio();
        first.observe(true);
        assert_eq!(first.ratio(), ratio);
    }
}
