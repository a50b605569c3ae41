//! Whose turn it is at Google: one queue in front of a budget that all sheets share.
//!
//! Owns the waiting. Must not know what is read or written. Somebody who just opened a sheet looks at an empty panel until its
//! first read, so first reads go before those that only look for changes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::pace::Budget;

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it.
    First,
    /// It looks for changes.
    Again,
}

/// See the module. Every room and every access check has at most one turn waiting, so that the members bound it.
#[derive(Debug)]
pub struct Turns {
    waiting: Mutex<Waiting>,
    wake: Arc<Notify>,
}

#[derive(Debug)]
struct Waiting {
    budget: Budget,
    first: VecDeque<oneshot::Sender<()>>,
    again: VecDeque<oneshot::Sender<()>>,
}

impl Drop for Turns {
    fn drop(&mut self) {
        // The task that gives turns looks up and ends.
        self.wake.notify_one();
    }
}

impl Turns {
    /// Starts giving turns; it ends with the queue. Needs a running runtime.
    pub fn start(budget: Budget) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        let queue = Arc::new(Self {
            waiting: Mutex::new(Waiting {
                budget,
                first: VecDeque::new(),
                again: VecDeque::new(),
            }),
            wake: wake.clone(),
        });
        let weak = Arc::downgrade(&queue);
        tokio::spawn(async move {
            loop {
                wake.notified().await;
                while let Some(wait) = weak.upgrade().and_then(|queue| queue.give()) {
                    tokio::time::sleep(wait).await;
                }
                if weak.strong_count() == 0 {
                    return;
                }
            }
        });
        queue
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, and takes it.
    pub async fn turn(&self, urgency: Urgency) {
        let turn = {
            let mut waiting = self.lock();
            let now = Instant::now();
            let nobody = waiting.first.is_empty() && waiting.again.is_empty();
            if nobody && waiting.budget.wait(now).is_zero() {
                waiting.budget.take(now);
                return;
            }
            let (give, turn) = oneshot::channel();
            match urgency {
                Urgency::First => waiting.first.push_back(give),
                Urgency::Again => waiting.again.push_back(give),
            }
            turn
        };
        self.wake.notify_one();
        // The sender is kept until it is used, as long as there is a queue.
        let _ = turn.await;
    }

    /// Waits for a turn that somebody waits for, and takes it, unless that would be longer than `wait_max`.
    ///
    /// # Errors
    /// How long it would be, about.
    pub async fn turn_within(&self, wait_max: Duration) -> Result<(), Duration> {
        let wait = self.wait();
        if wait > wait_max {
            return Err(wait);
        }
        self.turn(Urgency::First).await;
        Ok(())
    }

    /// How long a first read that was asked for now would wait, about.
    fn wait(&self) -> Duration {
        let waiting = self.lock();
        let ahead = u32::try_from(waiting.first.len()).unwrap_or(u32::MAX);
        let wait = waiting.budget.wait(Instant::now());
        wait.saturating_add(waiting.budget.per_read().saturating_mul(ahead))
    }

    /// Gives the turns that there are; the time until the next one, if somebody still waits.
    fn give(&self) -> Option<Duration> {
        let mut waiting = self.lock();
        loop {
            if waiting.first.is_empty() && waiting.again.is_empty() {
                return None;
            }
            let now = Instant::now();
            let wait = waiting.budget.wait(now);
            if !wait.is_zero() {
                return Some(wait);
            }
            let next = waiting.first.pop_front();
            let next = next.or_else(|| waiting.again.pop_front());
            // Who no longer waits takes no turn.
            if next.is_some_and(|give| give.send(()).is_ok()) {
                waiting.budget.take(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn first_reads_go_before_the_others_and_nobody_is_forgotten() {
        let pace = Duration::from_millis(2);
        let queue = Turns::start(Budget::of(pace, pace, Instant::now()));
        queue.turn(Urgency::Again).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let turn = |name: &'static str, urgency| {
            let (queue, order) = (queue.clone(), order.clone());
            async move {
                queue.turn(urgency).await;
                order.lock().expect("whole").push(name);
            }
        };
        // They are polled, and so begin to wait, from left to right.
        tokio::join!(
            turn("again 1", Urgency::Again),
            turn("again 2", Urgency::Again),
            turn("first 1", Urgency::First),
            turn("first 2", Urgency::First),
        );
        let order = order.lock().expect("whole").clone();
        assert_eq!(order, ["first 1", "first 2", "again 1", "again 2"]);
    }

    #[tokio::test]
    async fn who_gave_up_takes_no_turn() {
        let pace = Duration::from_millis(2);
        let queue = Turns::start(Budget::of(pace, pace, Instant::now()));
        queue.turn(Urgency::First).await;
        let gave_up = tokio::time::timeout(Duration::ZERO, queue.turn(Urgency::First)).await;
        assert!(gave_up.is_err());
        queue.turn(Urgency::Again).await;
        assert!(queue.lock().first.is_empty());
    }
}
