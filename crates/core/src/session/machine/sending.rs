//! Two-way sync in the session: the switch, the batches on their way to the sheet, and the looks at Figma.
//!
//! Owns when a batch is given to the relay, again after a failure, and when it is given up. Must not know which cells are
//! sent or why: the sandbox says, and is told what became of them.

use super::{
    Action, Channel, Effect, Failure, RETRY_MS_MAX, RETRY_MS_MIN, Role, Session, Timer,
    is_signed_out,
};
use crate::protocol::panel::{Choice, DriftPolicy, ToSandbox};
use crate::protocol::relay::{
    CellWrite, ErrorCode, SheetRef, TwoWayReply, TwoWayRequest, VERSION, WriteReply, WriteRequest,
    WriteResult,
};
use crate::session::{Hold, Sending, State};

/// Between two looks at what Figma holds, in milliseconds. They ride on the relay's heartbeats.
pub const LOOK_MS: u64 = 30_000;
/// Shortest time between two looks when the panel gets the focus, in milliseconds.
pub const LOOK_MS_MIN: u64 = 2_000;
/// How often a batch is given to the relay before it is given up; the next look begins anew.
pub const WRITE_TRIES_MAX: u32 = 5;

/// Cells that are to be written.
struct Batch {
    push: u32,
    sheet: SheetRef,
    cells: Vec<CellWrite>,
}

/// The switch, while the relay is asked for one tab after the other.
struct Turning {
    asked: SheetRef,
    /// Tabs to be asked after it, the last one first.
    left: Vec<SheetRef>,
    /// Whether a tab may be written to.
    is_allowed: bool,
}

/// What the session knows of two-way sync.
#[derive(Default)]
pub(super) struct Outgoing {
    batch: Option<Batch>,
    tries: u32,
    /// Answers to writes carry this.
    write: u32,
    /// Answers to the switch carry this.
    switch: u32,
    turning: Option<Turning>,
    /// Tabs to which nothing is sent until the designer does something about it, and why.
    held: Vec<(SheetRef, Hold)>,
    looked_ms: u64,
}

impl Session {
    /// What the tab says about sending.
    pub(super) fn show_sending(&mut self) {
        let outgoing = &self.outgoing;
        let sending = match (&outgoing.batch, &outgoing.turning) {
            (_, Some(_)) => Sending::Switching,
            (Some(batch), None) => Sending::Cells(batch.cells.len() as u32),
            (None, None) => Sending::Idle,
        };
        let held = outgoing.held.clone();
        if let Some(connected) = self.connected() {
            connected.sending = sending;
            connected.held = held;
        }
    }

    /// The designer does something that may have to do with what kept cells from being sent.
    pub(super) fn lift_hold(&mut self, action: &Action) {
        let lifts = matches!(
            action,
            Action::SyncNow
                | Action::SetTwoWay { .. }
                | Action::Resolve {
                    choice: Choice::Send,
                    ..
                }
        );
        if lifts && !self.outgoing.held.is_empty() {
            self.outgoing.held.clear();
            self.show_sending();
        }
    }

    // The switch.

    /// On after the relay has said yes to a tab at least; off at once.
    pub(super) fn set_two_way(&mut self, on: bool, out: &mut Vec<Effect>) {
        let Some(connected) = self.connected() else {
            return;
        };
        let mut sheets: Vec<SheetRef> = connected.connection.sheets().cloned().collect();
        self.outgoing.switch = self.outgoing.switch.wrapping_add(1);
        self.outgoing.turning = None;
        if on {
            sheets.reverse();
            self.ask_to_write(sheets, false, out);
        } else {
            out.push(Effect::Say(ToSandbox::SetTwoWay { on }, None));
            self.drop_batch(out);
            for sheet in sheets {
                self.ask_switch(sheet, on, out);
            }
        }
        self.show_sending();
    }

    fn ask_switch(&self, sheet: SheetRef, on: bool, out: &mut Vec<Effect>) {
        let request = TwoWayRequest {
            v: VERSION,
            sheet,
            on,
        };
        out.push(Effect::SetTwoWay(self.outgoing.switch, request));
    }

    /// Asks for the next tab, the last of `left`. After all of them, it is on if one may be written to.
    fn ask_to_write(&mut self, mut left: Vec<SheetRef>, is_allowed: bool, out: &mut Vec<Effect>) {
        if let Some(asked) = left.pop() {
            self.ask_switch(asked.clone(), true, out);
            self.outgoing.turning = Some(Turning {
                asked,
                left,
                is_allowed,
            });
        } else if !is_allowed {
            // What else went wrong was told.
            self.outgoing
                .held
                .retain(|(_, hold)| *hold == Hold::ReadOnly);
        } else if self.connected().is_some() {
            out.push(Effect::Say(ToSandbox::SetTwoWay { on: true }, None));
            // Where it was on for the file already, what waited goes now.
            out.push(Effect::Say(ToSandbox::Look, None));
        }
    }

    pub(super) fn two_way_is(
        &mut self,
        token: u32,
        result: Result<TwoWayReply, Failure>,
        out: &mut Vec<Effect>,
    ) {
        if token != self.outgoing.switch {
            return;
        }
        let Some(Turning {
            asked,
            left,
            is_allowed,
        }) = self.outgoing.turning.take()
        else {
            return;
        };
        match result {
            Ok(TwoWayReply { on }) => self.ask_to_write(left, is_allowed || on, out),
            Err(failure) if is_signed_out(&failure) => self.sign_in_ended(failure, out),
            Err(failure @ Failure::Api(_)) => {
                let hold = if is(&failure, ErrorCode::NoWrite) {
                    Hold::ReadOnly
                } else {
                    self.tell_failure(failure);
                    Hold::Failed
                };
                self.outgoing.held.push((asked, hold));
                self.ask_to_write(left, is_allowed, out);
            }
            Err(failure @ (Failure::Network | Failure::Unreadable)) => self.tell_failure(failure),
        }
        self.show_sending();
    }

    // Batches.

    /// The sandbox has cells for the sheet.
    pub(super) fn send_cells(
        &mut self,
        push: u32,
        sheet: SheetRef,
        cells: Vec<CellWrite>,
        out: &mut Vec<Effect>,
    ) {
        let may_be_sent = !self.outgoing.held.iter().any(|(held, _)| *held == sheet)
            && self.token.is_some()
            && self
                .connected()
                .is_some_and(|connected| connected.connection.place_of(&sheet).is_some());
        self.outgoing.batch = Some(Batch { push, sheet, cells });
        self.outgoing.tries = 0;
        if may_be_sent {
            self.try_write(out);
        } else {
            self.drop_batch(out);
        }
        self.show_sending();
    }

    fn try_write(&mut self, out: &mut Vec<Effect>) {
        let Some(batch) = &self.outgoing.batch else {
            return;
        };
        let (Role::Writer, Some((file, panel))) = (&self.role, &self.file) else {
            self.drop_batch(out);
            return;
        };
        let request = WriteRequest {
            v: VERSION,
            sheet: batch.sheet.clone(),
            file: file.clone(),
            panel: panel.clone(),
            fence: self.fence,
            cells: batch.cells.clone(),
        };
        self.outgoing.tries += 1;
        self.outgoing.write = self.outgoing.write.wrapping_add(1);
        out.push(Effect::Write(self.outgoing.write, request));
    }

    pub(super) fn wrote(
        &mut self,
        token: u32,
        result: Result<WriteReply, Failure>,
        out: &mut Vec<Effect>,
    ) {
        let expected = self.outgoing.batch.as_ref().map(|batch| batch.cells.len());
        if token != self.outgoing.write || expected.is_none() {
            return;
        }
        match result {
            Ok(reply) if Some(reply.results.len()) == expected => {
                self.answer_batch(reply.results, out);
            }
            Err(failure) if is_signed_out(&failure) => self.sign_in_ended(failure, out),
            Err(failure) if is(&failure, ErrorCode::TwoWayOff) => {
                self.hold(Hold::NotAllowed, out);
            }
            Err(failure) if is(&failure, ErrorCode::NoWrite) => self.hold(Hold::ReadOnly, out),
            Err(failure) if may_be_repeated(&failure) => {
                if is(&failure, ErrorCode::NotWriter) {
                    self.bid_again(out);
                }
                self.write_later(out);
            }
            Ok(_) => self.drop_batch(out),
            Err(failure) => {
                self.tell_failure(failure);
                self.hold(Hold::Failed, out);
            }
        }
        self.show_sending();
    }

    /// The relay knows no grant of this panel: it was restarted, or somebody took over.
    fn bid_again(&mut self, out: &mut Vec<Effect>) {
        if self.channel == Channel::Open {
            self.has_bid = false;
            self.offer_bid(out);
        }
    }

    /// Tries again after a wait with full jitter, as [`Session::wait`] does for the way to the relay.
    fn write_later(&mut self, out: &mut Vec<Effect>) {
        if self.outgoing.tries >= WRITE_TRIES_MAX {
            self.drop_batch(out);
            return;
        }
        let doubled = RETRY_MS_MIN.saturating_mul(1 << self.outgoing.tries.min(10));
        let ms = self.random(doubled.min(RETRY_MS_MAX));
        out.push(Effect::StartTimer(Timer::Write, self.outgoing.write, ms));
    }

    pub(super) fn write_again(&mut self, token: u32, out: &mut Vec<Effect>) {
        if token == self.outgoing.write {
            self.try_write(out);
            self.show_sending();
        }
    }

    /// The tab of the batch takes nothing for now.
    fn hold(&mut self, by: Hold, out: &mut Vec<Effect>) {
        let sheet = self.outgoing.batch.as_ref().map(|batch| &batch.sheet);
        let held = sheet.map(|sheet| (sheet.clone(), by));
        self.outgoing.held.extend(held);
        self.drop_batch(out);
    }

    /// Gives a batch up: whether it was written, the sheet will show.
    pub(super) fn drop_batch(&mut self, out: &mut Vec<Effect>) {
        self.outgoing.write = self.outgoing.write.wrapping_add(1);
        self.answer_batch(Vec::new(), out);
    }

    fn answer_batch(&mut self, results: Vec<WriteResult>, out: &mut Vec<Effect>) {
        let is_there = self.flag_is_on && !matches!(self.state, State::Dead { .. });
        if let Some(Batch { push, .. }) = self.outgoing.batch.take().filter(|_| is_there) {
            out.push(Effect::Say(ToSandbox::Pushed { push, results }, None));
        }
        self.show_sending();
    }

    /// What was under way for this sheet is given up, and what was found about it forgotten.
    pub(super) fn stop_sending(&mut self, out: &mut Vec<Effect>) {
        self.drop_batch(out);
        self.outgoing.switch = self.outgoing.switch.wrapping_add(1);
        self.outgoing.turning = None;
        self.outgoing.held.clear();
        self.show_sending();
    }

    // Looks.

    /// Has the sandbox look at what Figma holds, if that is of use and the last look is `least_ms` ago.
    pub(super) fn look(&mut self, least_ms: u64, now: u64, out: &mut Vec<Effect>) {
        let is_of_use = self.role == Role::Writer
            && self.unanswered == 0
            && matches!(self.channel, Channel::Open | Channel::Polling)
            && self.connected().is_some_and(|connected| {
                let connection = &connected.connection;
                connection.on && connection.two_way && connection.policy.drift == DriftPolicy::Push
            });
        if is_of_use && now.saturating_sub(self.outgoing.looked_ms) >= least_ms {
            self.outgoing.looked_ms = now;
            out.push(Effect::Say(ToSandbox::Look, None));
        }
    }
}

fn is(failure: &Failure, code: ErrorCode) -> bool {
    matches!(failure, Failure::Api(error) if error.code == code)
}

/// Whether the same batch may be taken later. A write that took effect already is repeated without harm.
fn may_be_repeated(failure: &Failure) -> bool {
    match failure {
        Failure::Network | Failure::Unreadable => true,
        Failure::Api(error) => match error.code {
            ErrorCode::NotWriter
            | ErrorCode::TooMany
            | ErrorCode::Google
            | ErrorCode::Unavailable => true,
            ErrorCode::BadRequest
            | ErrorCode::SignedOut
            | ErrorCode::NoAccess
            | ErrorCode::Declined
            | ErrorCode::AdminPolicy
            | ErrorCode::NotFound
            | ErrorCode::Conflict
            | ErrorCode::Expired
            | ErrorCode::SheetTooLarge
            | ErrorCode::Version
            | ErrorCode::TwoWayOff
            | ErrorCode::NoWrite => false,
        },
    }
}
