//! A staged rollout, judged from what sessions report: when it may go on, when it must stop, and why.
//!
//! Owns the statistics, the rule for silence, the stages with what each asks for, and the verdict. Must not know clocks,
//! stores, HTTP, flags' documents or who a user is: times are told, users are hashes, and what follows from a verdict is the
//! relay's.
//!
//! # How it is judged
//! Users with the feature (treatment) are compared with users without it (control) over the same time, so that a bad day of
//! the relay or of Figma, which hits both, is no evidence. What is counted is the session; of a session whether it went
//! wrong, and of a user at most one such session a stage. The evidence ([`Mixture`]) may be looked at after every session,
//! which is what a relay does: it is a martingale where the groups are alike, and by Ville's inequality it passes `1 / α`
//! with a probability of at most `α`, however often one looks.

mod evidence;
mod rollout;
mod silence;
mod stage;

pub use evidence::{ALPHA, First, Mixture, RATIOS};
pub use rollout::{
    Latch, METRICS, Metric, Observed, Refused, Rollout, SESSIONS_PER_USER_MAX, USERS_MAX, Verdict,
    Why,
};
pub use silence::{SILENT_HOLD_MS, SILENT_OFF_MS, Silence, Silent};
pub use stage::{Promotion, STAGES, Stage, Wanting};
