//! When to read: the pace of one sheet, how long to wait after a failure, and the budget over all of them.
//!
//! Owns the arithmetic. Must not know clocks, Google or rooms: times and chances are given.

use std::time::{Duration, Instant};

use crate::config::Poll;

/// Longest `Retry-After` that is honoured as it stands.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(10 * 60);

/// The pace of one sheet's reads.
#[derive(Debug, Clone)]
pub struct Pace {
    active_until: Instant,
    quiet: Duration,
    backoff: Backoff,
}

/// How long to wait after failures in a row.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after one more failure: the bound doubles from `min` to `max` with every failure in a row,
    /// and `chance` (0 to 1) picks from its upper half, so that relays and sheets do not come back in step. What
    /// Google asked for is waited out in full.
    pub fn after_failure(
        &mut self,
        (min, max): (Duration, Duration),
        asked: Option<Duration>,
        chance: f64,
    ) -> Duration {
        let bound = min.saturating_mul(1_u32 << self.failures.min(16)).min(max);
        self.failures = self.failures.saturating_add(1);
        let own = bound.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
        match asked {
            Some(asked) => asked.min(RETRY_AFTER_MAX) + min.mul_f64(chance.clamp(0.0, 1.0)),
            None => own,
        }
    }

    /// How many failures there were in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

impl Pace {
    /// Of a sheet that somebody just opened.
    pub fn new(poll: &Poll, now: Instant) -> Self {
        Self {
            active_until: now + poll.active_window,
            quiet: poll.idle_min,
            backoff: Backoff::default(),
        }
    }

    /// Somebody joined or something changed: the sheet is active from now on.
    pub fn stir(&mut self, poll: &Poll, now: Instant) {
        self.active_until = now + poll.active_window;
        self.quiet = poll.idle_min;
    }

    /// How long to wait after a read that went well.
    pub fn after_read(&mut self, poll: &Poll, now: Instant) -> Duration {
        self.backoff = Backoff::default();
        if now < self.active_until {
            return poll.active;
        }
        let wait = self.quiet;
        self.quiet = wait.mul_f64(1.5).min(poll.idle_max);
        wait
    }

    /// How long to wait after one that failed; see [`Backoff::after_failure`].
    pub fn after_failure(
        &mut self,
        bounds: (Duration, Duration),
        asked: Option<Duration>,
        chance: f64,
    ) -> Duration {
        self.backoff.after_failure(bounds, asked, chance)
    }

    /// Whether the last read failed.
    pub fn is_failing(&self) -> bool {
        self.backoff.failures() > 0
    }
}

/// Reads, or writes, a minute over all sheets: a bucket of tokens in which a quarter of a minute's can gather.
///
/// With Google's default quota of 300 a minute and 240 here, even a full bucket spent at once stays within the quota.
#[derive(Debug, Clone)]
pub struct Budget {
    per_read: Duration,
    /// Most that can gather, as time.
    depth: Duration,
    /// When the bucket would be full; earlier than now when it is.
    full_at: Instant,
}

impl Budget {
    /// A full bucket.
    pub fn new(reads_per_minute: u32, now: Instant) -> Self {
        let reads_per_minute = reads_per_minute.max(1);
        let per_read = Duration::from_secs(60) / reads_per_minute;
        Self::of(per_read, per_read * (reads_per_minute / 4).max(1), now)
    }

    /// A full bucket that gains a read every `per_read` and holds as many as gather in `depth`.
    pub fn of(per_read: Duration, depth: Duration, now: Instant) -> Self {
        Self {
            per_read,
            depth,
            full_at: now,
        }
    }

    /// Time in which one read is gained.
    pub fn per_read(&self) -> Duration {
        self.per_read
    }

    /// Takes one read and tells how long to wait before doing it. Whoever asks earlier waits less.
    pub fn take(&mut self, now: Instant) -> Duration {
        self.full_at = self.full_at.max(now) + self.per_read;
        (self.full_at - now).saturating_sub(self.depth)
    }

    /// How long a read that was asked for now would wait.
    pub fn wait(&self, now: Instant) -> Duration {
        (self.full_at.max(now) + self.per_read - now).saturating_sub(self.depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Poll = Poll {
        active: Duration::from_secs(5),
        active_window: Duration::from_secs(120),
        idle_min: Duration::from_secs(15),
        idle_max: Duration::from_secs(60),
        refresh_min: Duration::from_secs(1),
        linger: Duration::from_secs(60),
        reads_per_minute: 240,
    };

    #[test]
    fn a_sheet_quiets_down_and_wakes_up() {
        let start = Instant::now();
        let mut pace = Pace::new(&POLL, start);
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(pace.after_read(&POLL, at(119)).as_millis(), 5_000);
        let waits: Vec<u128> = (120..125)
            .map(|s| pace.after_read(&POLL, at(s)).as_millis())
            .collect();
        assert_eq!(waits, [15_000, 22_500, 33_750, 50_625, 60_000]);
        pace.stir(&POLL, at(200));
        assert_eq!(pace.after_read(&POLL, at(201)).as_millis(), 5_000);
        assert_eq!(pace.after_read(&POLL, at(320)).as_millis(), 15_000);
    }

    #[test]
    fn an_idle_sheet_stays_below_240_reads_an_hour() {
        let start = Instant::now();
        let mut pace = Pace::new(&POLL, start);
        let mut now = start + POLL.active_window;
        let mut reads = 0;
        while now < start + POLL.active_window + Duration::from_secs(3_600) {
            now += pace.after_read(&POLL, now);
            reads += 1;
        }
        assert!(reads <= 240, "{reads}");
    }

    #[test]
    fn failures_wait_longer_up_to_the_bound() {
        let mut pace = Pace::new(&POLL, Instant::now());
        let bounds = (Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<u64> = (0..8)
            .map(|_| pace.after_failure(bounds, None, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pace.after_failure(bounds, None, 0.0).as_secs(), 30);
        let asked = Some(Duration::from_secs(90));
        assert_eq!(pace.after_failure(bounds, asked, 0.0).as_secs(), 90);
        let forever = Some(Duration::from_secs(1 << 40));
        assert_eq!(pace.after_failure(bounds, forever, 0.0), RETRY_AFTER_MAX);
        for _ in 0..100 {
            pace.after_failure(bounds, None, 1.0);
        }
        assert_eq!(pace.after_failure(bounds, None, 1.0).as_secs(), 60);
        pace.after_read(&POLL, Instant::now());
        assert_eq!(pace.after_failure(bounds, None, 1.0).as_secs(), 1);
    }

    #[test]
    fn the_budget_is_kept_over_every_minute() {
        let start = Instant::now();
        let mut budget = Budget::new(240, start);
        let mut times = Vec::new();
        // 1,000 reads are wanted at once.
        for _ in 0..1_000 {
            times.push(budget.take(start));
        }
        assert!(times.is_sorted());
        for (index, from) in times.iter().enumerate() {
            let within = times[index..]
                .iter()
                .take_while(|time| **time < *from + Duration::from_secs(60))
                .count();
            assert!(within <= 300, "{within} reads in a minute");
        }
        let later = start + Duration::from_secs(3_600);
        assert_eq!(budget.wait(later), Duration::ZERO);
        assert_eq!(budget.take(later), Duration::ZERO);
    }
}
