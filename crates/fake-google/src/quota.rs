//! The Sheets API's quotas: 300 reads and 300 writes a minute and project, 60 a user.
//!
//! Owns counting. Must not know the API or the clock. Source: <https://developers.google.com/workspace/sheets/api/limits>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many requests a minute are allowed. A batch counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QuotaLimits {
    /// Reads a minute and project.
    pub reads_per_project: u32,
    /// Writes a minute and project.
    pub writes_per_project: u32,
    /// Reads a minute, project and user.
    pub reads_per_user: u32,
    /// Writes a minute, project and user.
    pub writes_per_user: u32,
}

impl Default for QuotaLimits {
    fn default() -> Self {
        QuotaLimits {
            reads_per_project: 300,
            writes_per_project: 300,
            reads_per_user: 60,
            writes_per_user: 60,
        }
    }
}

/// Requests counted since fake Google was started or reset, and in the present minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaCounts {
    /// Reads in all, refused ones not counted.
    pub reads: u64,
    /// Writes in all, refused ones not counted.
    pub writes: u64,
    /// Requests that were refused with 429.
    pub refused: u64,
    /// Reads of the present minute by project.
    pub minute_reads: BTreeMap<String, u32>,
    /// Writes of the present minute by project.
    pub minute_writes: BTreeMap<String, u32>,
}

/// Reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
}

/// Which quota is used up, as Google names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) metric: &'static str,
    pub(crate) limit: &'static str,
}

/// The counters. A minute is a minute of the clock, not a sliding one.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    minute: u64,
    /// By project, then user; the user `""` is the whole project.
    used: BTreeMap<(bool, String, String), u32>,
    counts: QuotaCounts,
}

impl Quota {
    /// Counts a request or says which limit refuses it.
    pub(crate) fn count(
        &mut self,
        limits: &QuotaLimits,
        used: Use,
        project: &str,
        user: &str,
        now_ms: u64,
    ) -> Result<(), Exceeded> {
        self.turn(now_ms);
        let (per_project, per_user, metric, project_limit, user_limit, write) = match used {
            Use::Read => (
                limits.reads_per_project,
                limits.reads_per_user,
                "Read requests",
                "Read requests per minute",
                "Read requests per minute per user",
                false,
            ),
            Use::Write => (
                limits.writes_per_project,
                limits.writes_per_user,
                "Write requests",
                "Write requests per minute",
                "Write requests per minute per user",
                true,
            ),
        };
        let of_project = (write, project.to_owned(), String::new());
        let of_user = (write, project.to_owned(), user.to_owned());
        let so_far = |key: &(bool, String, String)| self.used.get(key).copied().unwrap_or(0);
        let exceeded = if so_far(&of_user) >= per_user {
            Some(user_limit)
        } else if so_far(&of_project) >= per_project {
            Some(project_limit)
        } else {
            None
        };
        if let Some(limit) = exceeded {
            self.counts.refused += 1;
            return Err(Exceeded { metric, limit });
        }
        *self.used.entry(of_project).or_default() += 1;
        *self.used.entry(of_user).or_default() += 1;
        match used {
            Use::Read => self.counts.reads += 1,
            Use::Write => self.counts.writes += 1,
        }
        Ok(())
    }

    fn turn(&mut self, now_ms: u64) {
        let minute = now_ms / 60_000;
        if minute != self.minute {
            self.minute = minute;
            self.used.clear();
        }
    }

    /// What was counted.
    pub(crate) fn counts(&mut self, now_ms: u64) -> QuotaCounts {
        self.turn(now_ms);
        let mut counts = self.counts.clone();
        for ((write, project, user), used) in &self.used {
            if user.is_empty() {
                let table = if *write {
                    &mut counts.minute_writes
                } else {
                    &mut counts.minute_reads
                };
                table.insert(project.clone(), *used);
            }
        }
        counts
    }
}
