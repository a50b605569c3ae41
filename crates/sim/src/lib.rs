//! A world from one seed: a spreadsheet that people edit, the relay that reads it, a network that fails, Figma files that
//! people edit too, and one to four plugins at each of them, each with a session and an engine.
//!
//! Owns the model of everything around the core, the virtual clock, and the statements that must hold at every step and at
//! the end. Must not know how the core does it: what the file should hold is worked out anew by [`oracle`], in another way.
//!
//! Everything is decided by the seed: there is no thread, no clock and no other randomness, so that a seed that fails once
//! fails for ever, as long as neither the core nor this crate changes.

mod document;
#[allow(dead_code, missing_docs)]
#[path = "../../core/tests/sync/file.rs"]
mod file;
mod network;
mod oracle;
mod people;
mod plugin;
mod random;
mod relay;
mod sandbox;
mod sheet;
mod tally;
mod world;

pub use tally::{Count, Tally};

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// How many of the last events a failure shows, unless told otherwise.
pub const TRACE_EVENTS: usize = 40;

/// The last events of a world, and how many they may be.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    most: usize,
    events: Rc<RefCell<VecDeque<(u64, String)>>>,
}

impl Trace {
    pub(crate) fn note(&self, now: u64, event: impl FnOnce() -> String) {
        if self.most == 0 {
            return;
        }
        let event = event();
        let mut events = self.events.borrow_mut();
        if events.len() == self.most {
            events.pop_front();
        }
        events.push_back((now, event));
    }
}

/// A seed whose world broke a statement.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The seed.
    pub seed: u64,
    /// What did not hold.
    pub message: String,
    /// The last events, oldest first: milliseconds since the world began, and what happened.
    pub trace: Vec<(u64, String)>,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (now, event) in &self.trace {
            writeln!(f, "{now:>9} ms  {event}")?;
        }
        writeln!(f, "seed {}: {}", self.seed, self.message)?;
        write!(
            f,
            "again with: cargo xtask sim --from {} --seeds 1",
            self.seed
        )
    }
}

/// Runs the world of one seed to its end.
///
/// # Errors
/// [`Broken`] when a statement does not hold, or when the core or the model panics.
pub fn run(seed: u64) -> Result<Tally, Broken> {
    run_traced(seed, TRACE_EVENTS)
}

/// As [`run`], with more or fewer of the last events in a failure.
///
/// # Errors
/// As [`run`].
pub fn run_traced(seed: u64, events: usize) -> Result<Tally, Broken> {
    // Putting every event into words takes longer than the world itself: only one that fails is told, the second time.
    run_once(seed, 0).or_else(|_| run_once(seed, events))
}

fn run_once(seed: u64, events: usize) -> Result<Tally, Broken> {
    let trace = Trace {
        most: events,
        events: Rc::default(),
    };
    let result = catch_unwind(AssertUnwindSafe(|| {
        world::World::new(seed, trace.clone()).run()
    }));
    let message = match result {
        Ok(Ok(tally)) => return Ok(tally),
        Ok(Err(message)) => message,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            format!("panicked: {}", text.unwrap_or("without a word"))
        }
    };
    let trace = trace.events.borrow().iter().cloned().collect();
    Err(Broken {
        seed,
        message,
        trace,
    })
}

/// Reads the kept seeds.
pub fn kept_seeds(text: &str) -> Vec<u64> {
    text.lines()
        .filter_map(|line| line.split('#').next()?.trim().parse().ok())
        .collect()
}
