//! What a seed went through, so that a run can show that it tested something.
//!
//! Owns the kinds of things that are counted. Must not know where they happen.

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Events of the world.
    Events,
    /// Changes of the sheet.
    SheetEdits,
    /// Values that people set by hand in a file.
    HandEdits,
    /// Variables that people renamed.
    HandRenames,
    /// Variables that people removed.
    HandRemovals,
    /// Runs that a designer took back.
    RunsUndone,
    /// Runs that a designer took back while they were going on.
    HalfRunsUndone,
    /// Files that somebody copied to work in the copy.
    FilesCopied,
    /// Plugins that were closed without warning while they did nothing.
    Crashes,
    /// Plugins that were closed between two awaits of their work.
    CrashesAtWork,
    /// Relays that lost their memory.
    RelayRestarts,
    /// Panels that the network cut off for a while.
    PanelsCutOff,
    /// Sockets that the network broke.
    SocketsBroken,
    /// Frames of a socket that were lost, which breaks it.
    FramesLost,
    /// Frames that came twice.
    FramesRepeated,
    /// Frames that overtook others.
    FramesReordered,
    /// Requests that did not reach the relay.
    RequestsLost,
    /// Answers of the relay that were lost.
    AnswersLost,
    /// Messages that took seconds, and so met a session that was elsewhere.
    LateMessages,
    /// Sign-ins that ended at the relay.
    SignInsExpired,
    /// Answers 429 of the relay.
    TooManyRequests,
    /// Answers 5xx of the relay.
    ServerErrors,
    /// Reads that Google refused, by 429 or 5xx.
    GoogleRefusals,
    /// Times that Google was out of the relay's reach for a while.
    GoogleOutages,
    /// Writes that files took from the plugins.
    Writes,
    /// Writes that Figma refused in the middle of a run.
    WritesRefused,
    /// Variables that were exchanged for ones of another type.
    Retypes,
    /// Slices that wrote under a grant that was not the newest one, or under none: the panel was cut off.
    WritesWithoutGrant,
    /// Panels that were closed, crashed or were cut off while they wrote.
    WritersLeft,
    /// Panels that took over within the time from a writer that left.
    Takeovers,
    /// Panels that end on polling, since their network refuses sockets.
    PanelsPolling,
    /// Panels that end following another.
    PanelsFollowing,
    /// Edits by hand that stand at the end.
    HandEditsStand,
    /// Edits by hand that are gone, and were shown.
    HandEditsTold,
    /// Edits by hand that fell between a panel's reading and its writing.
    HandEditsRaced,
    /// Values that the sheet demands at the end.
    Claims,
    /// Those among them that the file does not hold, with the reason shown to the designer.
    ClaimsExplained,
}

impl Count {
    /// All of them, in order.
    pub const ALL: [Count; 37] = [
        Count::Events,
        Count::SheetEdits,
        Count::HandEdits,
        Count::HandRenames,
        Count::HandRemovals,
        Count::RunsUndone,
        Count::HalfRunsUndone,
        Count::FilesCopied,
        Count::Crashes,
        Count::CrashesAtWork,
        Count::RelayRestarts,
        Count::PanelsCutOff,
        Count::SocketsBroken,
        Count::FramesLost,
        Count::FramesRepeated,
        Count::FramesReordered,
        Count::RequestsLost,
        Count::AnswersLost,
        Count::LateMessages,
        Count::SignInsExpired,
        Count::TooManyRequests,
        Count::ServerErrors,
        Count::GoogleRefusals,
        Count::GoogleOutages,
        Count::Writes,
        Count::WritesRefused,
        Count::Retypes,
        Count::WritesWithoutGrant,
        Count::WritersLeft,
        Count::Takeovers,
        Count::PanelsPolling,
        Count::PanelsFollowing,
        Count::HandEditsStand,
        Count::HandEditsTold,
        Count::HandEditsRaced,
        Count::Claims,
        Count::ClaimsExplained,
    ];
}

/// How often each happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally([u64; Count::ALL.len()]);

impl Default for Tally {
    fn default() -> Tally {
        Tally([0; Count::ALL.len()])
    }
}

impl Tally {
    /// How often it happened.
    pub fn of(&self, what: Count) -> u64 {
        self.0[what as usize]
    }

    /// It happened once more.
    pub(crate) fn count(&mut self, what: Count) {
        self.0[what as usize] += 1;
    }

    /// It happened so many times more.
    pub(crate) fn add_to(&mut self, what: Count, times: u64) {
        self.0[what as usize] += times;
    }

    /// Adds another seed's.
    pub fn add(&mut self, other: Tally) {
        for (sum, times) in self.0.iter_mut().zip(other.0) {
            *sum += times;
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for what in Count::ALL {
            writeln!(f, "{:>12} {what:?}", self.of(what))?;
        }
        Ok(())
    }
}
