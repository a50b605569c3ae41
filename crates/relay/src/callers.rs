//! Who asks how often: requests counted by caller and minute.
//!
//! Owns the counts and their bound. Must not know requests, nor what a caller is.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Callers that are counted at once; beyond that counting starts anew.
pub const CALLERS_MAX: usize = 100_000;
/// What requests are counted by.
const MINUTE: Duration = Duration::from_secs(60);

/// How many requests each caller made in its present minute.
#[derive(Debug)]
pub struct Callers<K> {
    per_minute: u32,
    counts: Mutex<HashMap<K, (Instant, u32)>>,
}

impl<K: Eq + Hash> Callers<K> {
    /// Lets each caller make so many requests a minute.
    pub fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            counts: Mutex::default(),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The wait until the caller's next minute, when there were too many in this one.
    pub fn count(&self, caller: K, now: Instant) -> Result<(), Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= CALLERS_MAX {
            counts.clear();
        }
        let (began, count) = counts.entry(caller).or_insert((now, 0));
        if now.duration_since(*began) >= MINUTE {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count > self.per_minute {
            Err(MINUTE.saturating_sub(now.duration_since(*began)))
        } else {
            Ok(())
        }
    }

    /// Forgets whose minute is over.
    pub fn sweep(&self, now: Instant) {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, (began, _)| now.duration_since(*began) < MINUTE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_minute_of_its_own() {
        let (callers, start) = (Callers::new(2), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(callers.count("a", at(0)), Ok(()));
        assert_eq!(callers.count("a", at(10)), Ok(()));
        assert_eq!(callers.count("a", at(20)), Err(Duration::from_secs(40)));
        assert_eq!(callers.count("b", at(20)), Ok(()));
        assert_eq!(callers.count("a", at(60)), Ok(()));
        callers.sweep(at(80));
        assert_eq!(callers.counts.lock().expect("whole").len(), 1);
    }
}
