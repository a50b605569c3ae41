//! One plugin: the panel's session and the sandbox's engine, for one user at one document.
//!
//! Owns what the sandbox does with the panel's messages and what outlives the plugin with its user. Must not know the
//! relay or the network.

use std::collections::BTreeMap;

use crate::document::Document;
use crate::random::Random;
use crate::sandbox::Sandbox;
use crate::{Count, Tally};
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{Difference, Problem, SavedSession, ToPanel, ToSandbox};
use sheetwire_core::protocol::relay::{Position, RelayFrame};
use sheetwire_core::session::{CELL_MESSAGES_MAX, Link, Session, State};

/// A person, and what is kept with them outside any file.
#[derive(Debug, Default)]
pub struct User {
    pub session: Option<SavedSession>,
    pub marks: Marks,
}

/// What the relay said last about who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub fence: u64,
    pub you: bool,
}

pub struct Plugin {
    number: usize,
    /// Its document and its user, by place.
    pub document: usize,
    pub user: usize,
    pub is_open: bool,
    /// Counts the openings; what was meant for an earlier one is dropped.
    pub life: u32,
    pub session: Session,
    pub sandbox: Sandbox,
    /// Whether the sandbox runs Real-Time Sync.
    pub is_running: bool,
    pub is_stepping: bool,
    pub word: Option<Word>,
    pub socket: Option<u32>,
    /// One a kind: the number of the timer that counts.
    pub timers: BTreeMap<u8, u64>,
    pub is_cut_off: bool,
    /// Until when words may not reach it, and since when all have.
    deaf_until: u64,
    pub reached_since: Option<u64>,
    /// A proxy in between refuses every WebSocket.
    pub has_no_sockets: bool,
    pub redeems_left: u64,
    /// What the designer was told last.
    pub problems: Vec<Problem>,
    /// Where sheet and file differ and nothing is written, as told last.
    pub differences: Vec<Difference>,
    /// Where the sheet stood that the file was last made equal to, if nothing was left out.
    pub applied: Option<Position>,
    /// When the last message between the two programs arrives.
    pub panel_ms: u64,
    pub sandbox_ms: u64,
    may_remove: bool,
    /// Whether the designer has agreed to a new type, for which a variable is exchanged.
    may_exchange: bool,
    /// Whether the designer has confirmed going back to before a run, which is as if they did it by hand.
    goes_back: bool,
    position: Option<Position>,
    file_ids: u32,
}

impl Plugin {
    pub fn new(number: usize, document: usize, user: usize, random: &mut Random) -> Plugin {
        Plugin {
            number,
            document,
            user,
            is_open: false,
            life: 0,
            session: Session::new(random.next() as u32),
            sandbox: Sandbox::new(),
            is_running: false,
            is_stepping: false,
            word: None,
            socket: None,
            timers: BTreeMap::new(),
            is_cut_off: false,
            deaf_until: 0,
            reached_since: None,
            has_no_sockets: random.chance(150),
            redeems_left: 0,
            problems: Vec::new(),
            differences: Vec::new(),
            applied: None,
            panel_ms: 0,
            sandbox_ms: 0,
            may_remove: false,
            may_exchange: false,
            goes_back: false,
            position: None,
            file_ids: 0,
        }
    }

    /// Forgets everything but what is kept in the file and with the user.
    pub fn close(&mut self) {
        self.is_open = false;
        self.life += 1;
        // A new plugin has told nothing yet.
        self.differences.clear();
        self.is_running = false;
        self.is_stepping = false;
        self.word = None;
        self.socket = None;
        self.timers.clear();
        self.position = None;
        self.sandbox.end();
    }

    pub fn open(&mut self, seed: u32) {
        self.close();
        self.is_open = true;
        self.session = Session::new(seed);
        self.may_remove = false;
        self.may_exchange = false;
        self.goes_back = false;
    }

    /// Whether it writes its document by the relay's word.
    pub fn is_elected(&self) -> bool {
        self.is_open && self.sandbox.is_writer && self.word.is_some_and(|word| word.you)
    }

    /// Words may not reach it, or come late, until then.
    pub fn deafen(&mut self, until: u64) {
        self.deaf_until = self.deaf_until.max(until);
        self.reached_since = None;
    }

    /// Whether it follows the sheet.
    pub fn is_linked(&self) -> bool {
        match self.session.state() {
            State::Connected(connected) => matches!(connected.link, Link::Live | Link::Polling),
            _ => false,
        }
    }

    /// Notes since when every word of the relay reaches it. `is_joined`: the relay knows its socket.
    pub fn note_reach(&mut self, is_joined: bool, now: u64) {
        let polls = match self.session.state() {
            State::Connected(connected) => connected.link == Link::Polling,
            _ => false,
        };
        let hears = self.is_open && !self.is_cut_off && now >= self.deaf_until;
        if hears && self.is_linked() && (is_joined || polls) {
            self.reached_since.get_or_insert(now);
        } else {
            self.reached_since = None;
        }
    }

    /// The session takes a frame about who writes.
    pub fn note_frame(&mut self, frame: &RelayFrame) {
        if let RelayFrame::Writer { you, fence, .. } = frame
            && self.word.is_none_or(|word| word.fence <= *fence)
        {
            self.word = Some(Word {
                fence: *fence,
                you: *you,
            });
        }
    }

    /// The sandbox takes a message as its shell does.
    pub fn tell_sandbox(
        &mut self,
        document: &mut Document,
        user: &mut User,
        message: ToSandbox,
        bulk: Option<String>,
    ) {
        if let ToSandbox::SaveSession { session } = message {
            user.session = session;
            return;
        }
        if !self.is_running {
            return;
        }
        let sandbox = &mut self.sandbox;
        let met = sandbox.engine.meet_connection(document.kept.clone());
        match message {
            ToSandbox::Connect { sheet } => {
                if !(met && sandbox.engine.is_set_up_for(&sheet)) {
                    sandbox.drop_pending();
                    sandbox.engine.connect(sheet);
                }
            }
            ToSandbox::AddSource { sheet } => sandbox.engine.add_source(sheet),
            ToSandbox::RemoveSource { sheet } => sandbox.engine.remove_source(&sheet),
            ToSandbox::Snapshot {
                sheet,
                position,
                info,
            } => {
                if sandbox.engine.announce_snapshot(&sheet, position, info) {
                    sandbox.drop_pending();
                    sandbox.bring(bulk.unwrap_or_default(), false);
                }
            }
            ToSandbox::Changes {
                sheet,
                position,
                rows,
            } => {
                let before = sandbox.engine.announced();
                if sandbox.engine.announce_changes(&sheet, position, rows) {
                    let joins = sandbox.engine.announced() == before;
                    sandbox.bring(bulk.unwrap_or_default(), joins);
                }
            }
            ToSandbox::ConfirmColumns {
                columns,
                header_row,
                layout,
                sheet,
            } => sandbox
                .engine
                .confirm_columns(sheet.as_ref(), columns, header_row, layout),
            ToSandbox::Approve {
                plan,
                include_removals,
                retypes,
            } => {
                self.goes_back = sandbox.engine.is_restore(plan);
                self.may_remove = include_removals;
                self.may_exchange = !retypes.is_empty();
                sandbox
                    .engine
                    .approve_types(plan, include_removals, &retypes);
            }
            ToSandbox::KeepFile { plan } => sandbox.engine.keep_file(plan),
            ToSandbox::KeepApart { plan } => sandbox.engine.keep_apart(plan),
            ToSandbox::LeaveOut { plan, rows } => sandbox.engine.leave_out(plan, &rows),
            ToSandbox::TakeIn { keys } => sandbox.engine.take_in(&keys),
            ToSandbox::ListRuns => {
                let runs = document.file.runs();
                sandbox.told.push(ToPanel::Runs { runs });
            }
            ToSandbox::Restore { run } => {
                if document
                    .file
                    .history
                    .iter()
                    .any(|(entry, _)| entry.run == run)
                {
                    let pasts = document.file.pasts(&run);
                    sandbox.engine.restore(&pasts);
                }
            }
            ToSandbox::KeepRemoved { plan } => {
                sandbox.at(document, |here| here.keep_removed(plan));
                document.note_ours();
            }
            ToSandbox::Resolve {
                list,
                items,
                choice,
            } => sandbox.engine.choose(list, &items, choice),
            ToSandbox::SetPolicy { policy } => {
                // What the sheet overwrites under another policy is not lost without a word.
                document.excuse_hand_edits();
                sandbox.engine.set_policy(policy);
            }
            ToSandbox::SetThreshold { variables } => sandbox.engine.set_threshold(variables),
            ToSandbox::Writer { yes, nonce, renew } => {
                if renew || document.file_id.is_empty() {
                    self.file_ids += 1;
                    document.file_id = format!("f{}.{}", self.panel_id(), self.file_ids);
                }
                if yes && !nonce.is_empty() {
                    document.nonce = nonce;
                }
                self.sandbox.engine.set_writer(yes);
                self.sandbox.is_writer = yes;
                self.sandbox.at(document, Sandbox::look_again);
                self.sandbox.told.push(ToPanel::File {
                    id: document.file_id.clone(),
                    panel: self.panel_id(),
                    nonce: document.nonce.clone(),
                });
            }
            ToSandbox::Cancel => sandbox.engine.cancel(),
            ToSandbox::SetTwoWay { on } => sandbox.engine.set_two_way(on),
            ToSandbox::Look => sandbox.engine.look(),
            ToSandbox::Pushed { push, results } => sandbox.engine.pushed(push, &results),
            ToSandbox::Toggle { on } => sandbox.engine.toggle(on),
            ToSandbox::Disconnect => {
                sandbox.drop_pending();
                sandbox.engine.disconnect();
            }
            ToSandbox::SyncNow => sandbox.engine.sync_now(),
            ToSandbox::SaveSession { .. }
            | ToSandbox::Ready { .. }
            | ToSandbox::FlagsEvaluated { .. }
            | ToSandbox::ListVariables
            | ToSandbox::Manage { .. }
            | ToSandbox::Resize { .. }
            | ToSandbox::Hide
            | ToSandbox::Close
            | ToSandbox::Notify { .. }
            | ToSandbox::Import(_) => {}
        }
        self.sandbox.hear(document, &mut user.marks);
    }

    /// The random id of this run of the plugin.
    fn panel_id(&self) -> String {
        format!("p{}.{}", self.number, self.life)
    }

    /// One slice of the sandbox; whether there is more to do. `alone`: nobody else touches the file.
    ///
    /// # Errors
    /// Something was touched that must not be.
    pub fn step(
        &mut self,
        document: &mut Document,
        user: &mut User,
        random: &mut Random,
        slice: Slice,
        tally: &mut Tally,
    ) -> Result<bool, String> {
        let writes = self.sandbox.own.writes;
        let mut more = true;
        for _ in 0..slice.steps {
            more = self.sandbox.step(document, random, slice.fails);
            self.sandbox.hear(document, &mut user.marks);
            if !more || slice.fails {
                break;
            }
        }
        self.sandbox.end_slice(document);
        document.note_agreed();
        let written = self.sandbox.own.writes - writes;
        if written == 0 {
            return Ok(more);
        }
        tally.add_to(Count::Writes, u64::from(written));
        if !self.sandbox.is_writer {
            return Err(String::from("wrote while somebody else writes"));
        }
        let fence = self.word.filter(|word| word.you).map(|word| word.fence);
        if fence.is_none_or(|fence| fence < document.last_fence) {
            tally.count(Count::WritesWithoutGrant);
            if slice.is_settled {
                return Err(format!(
                    "wrote under the grant {fence:?} after {}",
                    document.last_fence
                ));
            }
        }
        document.written_by = Some(self.number);
        document.last_fence = document.last_fence.max(fence.unwrap_or_default());
        if self.goes_back {
            document.excuse_hand_edits();
            document.people_did_something();
        } else {
            document.check(slice.alone, self.may_remove, self.may_exchange)?;
        }
        Ok(more)
    }

    /// What the sandbox has told since, in order.
    pub fn take_told(&mut self, document: &mut Document, tally: &mut Tally) -> Vec<ToPanel> {
        let told = std::mem::take(&mut self.sandbox.told);
        for message in &told {
            document.note_told(message);
            match message {
                ToPanel::Applied(report) => {
                    self.goes_back = false;
                    tally.add_to(Count::Retypes, u64::from(report.counts.retyped));
                    self.problems.clone_from(&report.problems);
                    self.applied = (!report.cancelled).then(|| report.position.clone());
                }
                ToPanel::Differences(differences) => {
                    self.differences.clone_from(&differences.items);
                }
                ToPanel::Preview(preview) | ToPanel::Waiting { preview, .. } => {
                    self.problems.clone_from(&preview.problems);
                    self.applied = None;
                }
                _ => {}
            }
        }
        told
    }

    /// What must hold of the session at every moment.
    ///
    /// # Errors
    /// What does not.
    pub fn check_session(&mut self) -> Result<(), String> {
        if self.session.unanswered() > CELL_MESSAGES_MAX {
            return Err(String::from("the sandbox was given too many cells"));
        }
        if self.sandbox.engine.announced() > 2 {
            return Err(String::from("the engine's queue is longer than said"));
        }
        let position = self.session.position().cloned();
        if let (Some(before), Some(after)) = (&self.position, &position)
            && before.epoch == after.epoch
            && before.revision > after.revision
        {
            return Err(format!(
                "the session went back from {before:?} to {after:?}"
            ));
        }
        self.position = position;
        Ok(())
    }
}

/// How a slice of the sandbox goes.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    pub steps: u64,
    /// Should it read, Figma does not answer.
    pub fails: bool,
    /// Nobody but the plugins touches the file.
    pub alone: bool,
    /// The trouble is long over.
    pub is_settled: bool,
}
