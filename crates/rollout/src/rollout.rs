//! A rollout between two decisions of a person: what it has seen in its stage, and what follows.
//!
//! Owns the counting, the bounds on what one user can do to it, the verdict and the latch. Must not know where sessions come
//! from; what is told of them is believed within those bounds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::evidence::{ALPHA, First, Mixture};
use crate::silence::{Silence, Silent};
use crate::stage::{Promotion, STAGES, Stage, Wanting};

/// Most users that are told apart in one stage. Sessions of more are counted, but not what went wrong in them: a flood of
/// invented users can then slow a decision and not make one.
pub const USERS_MAX: usize = 200_000;
/// Most sessions of one user that count in one stage, so that nobody's many openings hide everybody else's trouble.
pub const SESSIONS_PER_USER_MAX: u16 = 50;
/// Sessions that are assumed before the first, split as the stage's percentage says: the share of the treatment has to be
/// something when the first session goes wrong.
const SESSIONS_ASSUMED: f64 = 100.0;

/// What can go wrong in a session. Each is watched by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// An error.
    Error,
    /// A cell took longer to its variable than the budget allows.
    Latency,
    /// The sandbox took more memory than the budget allows.
    Memory,
}

/// All of them.
pub const METRICS: [Metric; 3] = [Metric::Error, Metric::Latency, Metric::Memory];

/// One session, when it is over or something has gone wrong in it for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// A hash of the user.
    pub user: u64,
    /// Whether the feature was on.
    pub treated: bool,
    /// Whether this is the session's first word.
    pub opened: bool,
    /// What has gone wrong since its last word, in the order of [`METRICS`].
    pub wrong: [bool; METRICS.len()],
}

/// Why a rollout was rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// Sessions with the feature go wrong more often than those without.
    Worse {
        /// What goes wrong.
        metric: Metric,
        /// The evidence E.
        evidence: f64,
        /// What it had to reach.
        threshold: f64,
    },
    /// The first sessions with the feature went wrong.
    Broken {
        /// The likelihood ratio of broken to fine.
        ratio: f64,
        /// What it had to reach.
        threshold: f64,
    },
    /// The feature is used and nothing is heard of it.
    Silent,
}

/// What follows now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It was rolled back, and stays off until a person clears it.
    Latched(Why),
    /// It must be rolled back now.
    RollBack(Why),
    /// Nothing is heard: no promotion.
    Hold,
    /// It goes on as it is; this is missing before the next stage.
    Dwell(Wanting),
    /// It may go to the next stage, of this percentage.
    MayPromote(u8),
    /// Everybody has the feature.
    Whole,
}

/// The latch that a rollback falls into.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latch {
    /// Why.
    pub why: Why,
    /// When, in Unix milliseconds.
    pub at_unix_ms: u64,
    /// The percentage it was at.
    pub percent: u8,
}

/// A step that can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It was rolled back and not cleared.
    Latched,
    /// There is no next stage.
    Whole,
    /// The stage still needs something.
    TooEarly,
}

/// What is remembered of a user in one stage.
#[derive(Debug, Clone, Copy, Default)]
struct User {
    sessions: u16,
    treated: bool,
    wrong: [bool; METRICS.len()],
    first_wrong: bool,
}

/// A rollout in one of its stages.
#[derive(Debug, Clone)]
pub struct Rollout {
    stage: usize,
    since_unix_ms: u64,
    promotion: Promotion,
    /// Sessions of control and treatment in this stage.
    sessions: [u64; 2],
    users: HashMap<u64, User>,
    /// Users with the feature.
    treated_users: u32,
    mixtures: [Mixture; METRICS.len()],
    first: First,
    silence: Silence,
    latch: Option<Latch>,
}

impl Rollout {
    /// The first stage begins.
    pub fn begin(promotion: Promotion, now_unix_ms: u64) -> Rollout {
        Rollout {
            stage: 0,
            since_unix_ms: now_unix_ms,
            promotion,
            sessions: [0, 0],
            users: HashMap::new(),
            treated_users: 0,
            mixtures: [Mixture::default(); METRICS.len()],
            first: First::default(),
            silence: Silence::default(),
            latch: None,
        }
    }

    /// The stage it is in.
    pub fn stage(&self) -> Stage {
        STAGES[self.stage]
    }

    /// Users with the feature now, of a hundred: none while it is latched.
    pub fn percent(&self) -> u8 {
        if self.latch.is_some() {
            0
        } else {
            self.stage().percent
        }
    }

    /// The latch, if it fell.
    pub fn latch(&self) -> Option<Latch> {
        self.latch
    }

    /// Who moves it on.
    pub fn promotion(&self) -> Promotion {
        self.promotion
    }

    /// Sessions of control and treatment in this stage.
    pub fn sessions(&self) -> [u64; 2] {
        self.sessions
    }

    /// The evidence of each metric, in the order of [`METRICS`].
    pub fn evidence(&self) -> [f64; METRICS.len()] {
        self.mixtures.map(|mixture| mixture.evidence())
    }

    /// What each metric's evidence must reach: with several watched, each gets its part of α.
    pub fn threshold() -> f64 {
        METRICS.len() as f64 / ALPHA
    }

    /// The relay told a plugin that the feature is on.
    pub fn opened(&mut self, now_unix_ms: u64) {
        if self.latch.is_none() {
            self.silence.opened(now_unix_ms);
        }
    }

    /// Takes what was told of a session.
    pub fn observe(&mut self, observed: Observed) {
        if self.latch.is_some() {
            return;
        }
        if observed.treated {
            self.silence.heard();
        }
        let is_new = !self.users.contains_key(&observed.user);
        if is_new && self.users.len() >= USERS_MAX {
            self.sessions[usize::from(observed.treated)] += u64::from(observed.opened);
            return;
        }
        let share = self.share();
        let user = self.users.entry(observed.user).or_default();
        // Who changes groups within a stage, by an invite or a pilot link, belongs to neither for the rest of it.
        if is_new {
            user.treated = observed.treated;
            self.treated_users += u32::from(observed.treated);
        } else if user.treated != observed.treated {
            return;
        }
        if observed.opened {
            if user.sessions >= SESSIONS_PER_USER_MAX {
                return;
            }
            user.sessions += 1;
            self.sessions[usize::from(observed.treated)] += 1;
        }
        let wrong = observed.wrong[Metric::Error as usize];
        if observed.treated && (observed.opened || wrong) && !user.first_wrong {
            // A session is told of twice when it opens well and goes wrong later: the test then sees one fine and one wrong,
            // which only makes it slower to stop.
            self.first.observe(wrong);
            user.first_wrong = wrong;
        }
        for ((mixture, was), is) in self
            .mixtures
            .iter_mut()
            .zip(&mut user.wrong)
            .zip(observed.wrong)
        {
            if is && !*was {
                *was = true;
                mixture.observe(observed.treated, share);
            }
        }
    }

    /// The treatment's share of sessions in this stage.
    fn share(&self) -> f64 {
        let assumed = f64::from(self.stage().percent) / 100.0 * SESSIONS_ASSUMED;
        let [control, treated] = self.sessions.map(|sessions| sessions as f64);
        (treated + assumed) / (control + treated + SESSIONS_ASSUMED)
    }

    /// What follows from all that was seen.
    pub fn verdict(&self, now_unix_ms: u64) -> Verdict {
        if let Some(latch) = self.latch {
            return Verdict::Latched(latch.why);
        }
        if self.first.is_broken() {
            return Verdict::RollBack(Why::Broken {
                ratio: self.first.ratio(),
                threshold: First::THRESHOLD,
            });
        }
        let threshold = Rollout::threshold();
        for (metric, evidence) in METRICS.into_iter().zip(self.evidence()) {
            if evidence >= threshold {
                return Verdict::RollBack(Why::Worse {
                    metric,
                    evidence,
                    threshold,
                });
            }
        }
        match self.silence.meaning(now_unix_ms) {
            Silent::Off => return Verdict::RollBack(Why::Silent),
            Silent::Hold => return Verdict::Hold,
            Silent::No => {}
        }
        let Some(next) = STAGES.get(self.stage + 1) else {
            return Verdict::Whole;
        };
        let dwelt_ms = now_unix_ms.saturating_sub(self.since_unix_ms);
        let sessions = u32::try_from(self.sessions[1]).unwrap_or(u32::MAX);
        match Wanting::of(self.stage(), dwelt_ms, sessions, self.treated_users) {
            Some(wanting) => Verdict::Dwell(wanting),
            None => Verdict::MayPromote(next.percent),
        }
    }

    /// Rolls back: the feature is off until [`Rollout::clear`].
    pub fn roll_back(&mut self, why: Why, now_unix_ms: u64) {
        if self.latch.is_none() {
            self.latch = Some(Latch {
                why,
                at_unix_ms: now_unix_ms,
                percent: self.stage().percent,
            });
        }
    }

    /// Goes to the next stage. Each stage counts from nothing: another share of users is another comparison.
    ///
    /// # Errors
    /// [`Refused`] unless the verdict is [`Verdict::MayPromote`].
    pub fn promote(&mut self, now_unix_ms: u64) -> Result<(), Refused> {
        match self.verdict(now_unix_ms) {
            Verdict::MayPromote(_) => {
                self.enter(self.stage + 1, now_unix_ms);
                Ok(())
            }
            Verdict::Latched(_) | Verdict::RollBack(_) => Err(Refused::Latched),
            Verdict::Whole => Err(Refused::Whole),
            Verdict::Hold | Verdict::Dwell(_) => Err(Refused::TooEarly),
        }
    }

    /// A person clears the latch: the rollout begins again with the first stage.
    pub fn clear(&mut self, now_unix_ms: u64) {
        if self.latch.take().is_some() {
            self.enter(0, now_unix_ms);
        }
    }

    fn enter(&mut self, stage: usize, now_unix_ms: u64) {
        *self = Rollout {
            stage,
            ..Rollout::begin(self.promotion, now_unix_ms)
        };
    }
}
