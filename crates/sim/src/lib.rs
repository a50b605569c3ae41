//! A world from one seed: a spreadsheet that people edit, the relay that reads it, a network that fails, and plugins, each
//! with a session, an engine and a Figma file that others edit too.
//!
//! Owns the model of everything around the core, the virtual clock, and the statements that must hold at every step and at
//! the end. Must not know how the core does it: what the file should hold is worked out anew by [`oracle`], in another way.
//!
//! Everything is decided by the seed: there is no thread, no clock and no other randomness, so that a seed that fails once
//! fails for ever, as long as neither the core nor this crate changes.

#[allow(dead_code, missing_docs)]
#[path = "../../core/tests/sync/file.rs"]
mod file;
mod oracle;
mod plugin;
mod random;
mod relay;
mod sheet;
mod world;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// How many of the last events a failure shows.
const TRACE_EVENTS: usize = 40;

/// The last events of a world.
pub(crate) type Trace = Rc<RefCell<VecDeque<(u64, String)>>>;

pub(crate) fn note(trace: &Trace, now: u64, event: String) {
    let mut trace = trace.borrow_mut();
    if trace.len() == TRACE_EVENTS {
        trace.pop_front();
    }
    trace.push_back((now, event));
}

/// What a seed went through, so that a run can show that it tested something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events of the world.
    pub events: u64,
    /// Changes of the sheet.
    pub edits: u64,
    /// What other people did in the files.
    pub user_edits: u64,
    /// Writes that the files took from the plugins.
    pub writes: u64,
    /// Plugins that were closed without warning.
    pub crashes: u64,
    /// Relays that lost their memory.
    pub restarts: u64,
    /// Connections that the network broke.
    pub breaks: u64,
    /// Plugins that end on polling, since their network refuses sockets.
    pub polling: u64,
    /// Values that the sheet demands at the end.
    pub claims: u64,
    /// Those among them that the file does not hold, with the reason shown to the designer.
    pub explained: u64,
}

impl Tally {
    /// Adds another seed's.
    pub fn add(&mut self, other: Tally) {
        self.events += other.events;
        self.edits += other.edits;
        self.user_edits += other.user_edits;
        self.writes += other.writes;
        self.crashes += other.crashes;
        self.restarts += other.restarts;
        self.breaks += other.breaks;
        self.polling += other.polling;
        self.claims += other.claims;
        self.explained += other.explained;
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
    let trace = Trace::default();
    let result = catch_unwind(AssertUnwindSafe(|| {
        world::World::new(seed, Rc::clone(&trace)).run()
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
    let trace = trace.borrow().iter().cloned().collect();
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
