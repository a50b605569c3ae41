//! A room: everybody who follows one sheet, and what they were told.
//!
//! Owns the position, the contents, the changes that resuming readers may ask for, the members and their bounded
//! queues. Must not know Google, sockets or when to read: what was read and when is given. Contents live here, in
//! memory, and go with the room.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::ws::Utf8Bytes;
use sheetwire_core::election::{self, Election, Note};
use sheetwire_core::protocol::relay::{
    ApiError, Bid, CloseReason, Position, RelayFrame, SNAPSHOT_BYTES_MAX, SheetInfo, VERSION,
    encode,
};
use sheetwire_core::sheet::diff;
use tokio::sync::mpsc;

use crate::sheet_read::SheetRead;

/// Most bytes of changes that are kept for resuming readers; older ones get a snapshot.
pub const KEPT_BYTES_MAX: usize = SNAPSHOT_BYTES_MAX;

/// The bounds of a room.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long changes are kept.
    pub resume_window: Duration,
    /// Messages that may wait for one member.
    pub queue_messages: usize,
    /// Bytes that may wait for one member; a longer message counts for three quarters of them.
    pub queue_bytes: u64,
    /// The times of the writers' leases.
    pub election: election::Bounds,
}

/// One sheet, its readers and their position.
#[derive(Debug)]
pub struct Room {
    epoch: String,
    bounds: Bounds,
    revision: u64,
    contents: Option<Contents>,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    members: HashMap<u64, Member>,
    next_member: u64,
    trouble: Option<ApiError>,
    read_unix_ms: u64,
    election: Election,
}

struct Contents {
    info: SheetInfo,
    packed: String,
    /// The snapshot as a frame, made when it is first asked for and shared by all who ask.
    frame: OnceLock<Utf8Bytes>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contents({} bytes)", self.packed.len())
    }
}

/// A change that is kept for resuming readers.
#[derive(Debug)]
struct Kept {
    at: Instant,
    since: u64,
    frame: Utf8Bytes,
}

#[derive(Debug)]
struct Member {
    user: i64,
    queue: mpsc::Sender<Utf8Bytes>,
    waiting_bytes: Arc<AtomicU64>,
    end: Arc<OnceLock<CloseReason>>,
    /// Whether the member holds a position of this epoch; changes are for no other.
    placed: bool,
}

/// A member's end of the queue.
#[derive(Debug)]
pub struct Inbox {
    /// The member's number in its room.
    pub member: u64,
    queue: mpsc::Receiver<Utf8Bytes>,
    waiting_bytes: Arc<AtomicU64>,
    queue_bytes: u64,
    end: Arc<OnceLock<CloseReason>>,
}

/// What comes out of an [`Inbox`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A frame for the member.
    Frame(Utf8Bytes),
    /// The member has to give a sign of life.
    Ping,
    /// The membership has ended; nothing comes after this.
    End(CloseReason),
}

/// What a read told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The first contents of this room.
    First,
    /// The same as before.
    Unchanged,
    /// Something changed.
    Changed,
}

impl Inbox {
    /// Waits for the next delivery. Cancelling loses nothing.
    pub async fn next(&mut self) -> Delivery {
        let frame = self.queue.recv().await;
        self.delivered(frame)
    }

    /// The next delivery if there is one.
    pub fn try_next(&mut self) -> Option<Delivery> {
        match self.queue.try_recv() {
            Ok(frame) => Some(self.delivered(Some(frame))),
            Err(mpsc::error::TryRecvError::Empty) => None,
            Err(mpsc::error::TryRecvError::Disconnected) => Some(self.delivered(None)),
        }
    }

    fn delivered(&self, frame: Option<Utf8Bytes>) -> Delivery {
        let end = self.end.get().copied();
        match (frame, end) {
            // Who reads too slowly is told so at once; what still waits is what it could not take.
            (_, Some(CloseReason::SlowConsumer)) => Delivery::End(CloseReason::SlowConsumer),
            (Some(frame), _) if frame.is_empty() => Delivery::Ping,
            (Some(frame), _) => {
                self.waiting_bytes
                    .fetch_sub(weight(&frame, self.queue_bytes), Ordering::Relaxed);
                Delivery::Frame(frame)
            }
            (None, end) => Delivery::End(end.unwrap_or(CloseReason::Draining)),
        }
    }
}

impl Room {
    /// An empty room; `epoch` must differ from that of every earlier room.
    pub fn new(epoch: String, bounds: Bounds) -> Self {
        Self {
            epoch,
            bounds,
            revision: 0,
            contents: None,
            kept: VecDeque::new(),
            kept_bytes: 0,
            members: HashMap::new(),
            next_member: 0,
            trouble: None,
            read_unix_ms: 0,
            election: Election::new(bounds.election),
        }
    }

    /// Where readers stand who have taken everything.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            revision: self.revision,
        }
    }

    /// The tab's title as last read.
    pub fn sheet_title(&self) -> Option<&str> {
        self.contents
            .as_ref()
            .map(|contents| contents.info.sheet_title.as_str())
    }

    /// Whether the sheet was read at least once.
    pub fn has_contents(&self) -> bool {
        self.contents.is_some()
    }

    /// Bytes that it holds: the sheet, its frame once made, and the kept changes.
    pub fn bytes(&self) -> usize {
        let contents = self.contents.as_ref().map_or(0, |contents| {
            contents.packed.len() + contents.frame.get().map_or(0, |frame| frame.len())
        });
        contents + self.kept_bytes
    }

    /// What is wrong at present.
    pub fn trouble(&self) -> Option<&ApiError> {
        self.trouble.as_ref()
    }

    /// How many follow.
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// The users among the members, each once, in order.
    pub fn users(&self) -> BTreeSet<i64> {
        self.members.values().map(|member| member.user).collect()
    }

    /// Takes what was read. `now` orders the kept changes, `now_unix_ms` is told to readers.
    pub fn take(&mut self, read: SheetRead, now: Instant, now_unix_ms: u64) -> Taken {
        self.read_unix_ms = now_unix_ms;
        let recovered = self.trouble.take().is_some();
        let SheetRead { info, packed } = read;
        let taken = match &self.contents {
            None => Taken::First,
            Some(contents) if contents.info == info && contents.packed == packed => {
                Taken::Unchanged
            }
            Some(_) => Taken::Changed,
        };
        if taken == Taken::Unchanged {
            if recovered {
                let frame = self.heartbeat();
                self.broadcast(&frame);
            }
            return taken;
        }
        let old = self.contents.replace(Contents {
            info,
            packed,
            frame: OnceLock::new(),
        });
        let since = self.revision;
        self.revision += 1;
        let changes = match (&old, &self.contents) {
            (Some(old), Some(new)) if old.info == new.info => diff(&old.packed, &new.packed)
                // Changes that are longer than the sheet are better told by the sheet.
                .filter(|changes| changes.cells.len() <= new.packed.len().max(1024)),
            _ => None,
        };
        match changes {
            Some(changes) => {
                let frame = Utf8Bytes::from(encode(&RelayFrame::Changes {
                    v: VERSION,
                    since,
                    position: self.position(),
                    seen_unix_ms: now_unix_ms,
                    rows: changes.rows,
                    cells: changes.cells,
                }));
                self.keep(Kept {
                    at: now,
                    since,
                    frame: frame.clone(),
                });
                self.broadcast_to(&frame, |member| member.placed);
                // Who waits for the first snapshot gets it below.
                self.place_waiting();
            }
            // The titles or the locale changed, or nearly everything did: every reader takes the sheet anew.
            None => {
                self.kept.clear();
                self.kept_bytes = 0;
                for member in self.members.values_mut() {
                    member.placed = false;
                }
                self.place_waiting();
            }
        }
        taken
    }

    /// Sends the snapshot to all who hold no position yet.
    fn place_waiting(&mut self) {
        if self.members.values().all(|member| member.placed) {
            return;
        }
        if let Some(frame) = self.snapshot() {
            self.broadcast_to(&frame, |member| !member.placed);
            for member in self.members.values_mut() {
                member.placed = true;
            }
        }
    }

    fn keep(&mut self, kept: Kept) {
        let oldest = kept.at.checked_sub(self.bounds.resume_window);
        self.kept_bytes += kept.frame.len();
        self.kept.push_back(kept);
        while let Some(first) = self.kept.front() {
            let expired = oldest.is_some_and(|oldest| first.at < oldest);
            if !expired && self.kept_bytes <= KEPT_BYTES_MAX {
                break;
            }
            self.kept_bytes -= first.frame.len();
            self.kept.pop_front();
        }
    }

    /// Says what is wrong, once until it changes or is over.
    pub fn fail(&mut self, error: ApiError) {
        if self.trouble.as_ref() == Some(&error) {
            return;
        }
        let frame = trouble(&error);
        self.trouble = Some(error);
        self.broadcast(&frame);
    }

    /// Takes in a member and gives what it has to take first: its missed changes, the news that there are none, or
    /// the whole sheet; nothing while the sheet was never read. A present trouble comes last.
    pub fn join(
        &mut self,
        user: i64,
        resume: Option<&Position>,
        now: Instant,
    ) -> (Inbox, Vec<Utf8Bytes>) {
        let mut first = self.missed(resume, now);
        let placed = !first.is_empty();
        if let Some(error) = &self.trouble {
            first.push(trouble(error));
        }
        let (sender, receiver) = mpsc::channel(self.bounds.queue_messages.max(1));
        let member = Member {
            user,
            queue: sender,
            waiting_bytes: Arc::default(),
            end: Arc::default(),
            placed,
        };
        let inbox = Inbox {
            member: self.next_member,
            queue: receiver,
            waiting_bytes: member.waiting_bytes.clone(),
            queue_bytes: self.bounds.queue_bytes,
            end: member.end.clone(),
        };
        self.members.insert(self.next_member, member);
        self.next_member += 1;
        (inbox, first)
    }

    fn missed(&self, resume: Option<&Position>, now: Instant) -> Vec<Utf8Bytes> {
        if self.contents.is_none() {
            return Vec::new();
        }
        let resumable = resume.filter(|position| position.epoch == self.epoch);
        match resumable.map(|position| position.revision) {
            Some(revision) if revision == self.revision => {
                return vec![Utf8Bytes::from(encode(&RelayFrame::Resumed {
                    v: VERSION,
                    position: self.position(),
                }))];
            }
            Some(revision) if revision < self.revision => {
                let oldest = now.checked_sub(self.bounds.resume_window);
                let mut missed = self
                    .kept
                    .iter()
                    .skip_while(|kept| kept.since < revision)
                    .peekable();
                let whole = missed.peek().is_some_and(|kept| {
                    kept.since == revision && oldest.is_none_or(|oldest| kept.at >= oldest)
                });
                if whole {
                    return missed.map(|kept| kept.frame.clone()).collect();
                }
            }
            // A revision from the future is none of this epoch.
            Some(_) | None => {}
        }
        self.snapshot().into_iter().collect()
    }

    fn snapshot(&self) -> Option<Utf8Bytes> {
        let contents = self.contents.as_ref()?;
        let frame = contents.frame.get_or_init(|| {
            Utf8Bytes::from(encode(&RelayFrame::Snapshot {
                v: VERSION,
                position: self.position(),
                sheet: contents.info.clone(),
                cells: contents.packed.clone(),
            }))
        });
        Some(frame.clone())
    }

    /// The heartbeat of this moment.
    pub fn heartbeat(&self) -> Utf8Bytes {
        Utf8Bytes::from(encode(&RelayFrame::Heartbeat {
            v: VERSION,
            read_unix_ms: self.read_unix_ms,
        }))
    }

    /// The news that nothing was missed.
    pub fn resumed(&self) -> Utf8Bytes {
        Utf8Bytes::from(encode(&RelayFrame::Resumed {
            v: VERSION,
            position: self.position(),
        }))
    }

    /// Forgets a member. What it has bid for is kept for it until the lease ends.
    pub fn leave(&mut self, member: u64, now_unix_ms: u64) {
        self.members.remove(&member);
        self.election.leave(member, now_unix_ms);
    }

    /// Takes a member's bid to write a file and tells everybody whom it concerns. `name` is what others may be told of
    /// the member, `nonce` a new one.
    pub fn bid(&mut self, member: u64, name: &str, bid: &Bid, nonce: &str, now_unix_ms: u64) {
        let Some(user) = self.members.get(&member).map(|member| member.user) else {
            return;
        };
        let notes = self
            .election
            .bid(member, user, name, bid, nonce, now_unix_ms);
        self.note(notes);
    }

    /// A member gave a sign of life.
    pub fn heard(&mut self, member: u64, now_unix_ms: u64) {
        self.election.heard(member, now_unix_ms);
    }

    /// Whether anybody has bid to write a file from this sheet.
    pub fn has_bids(&self) -> bool {
        self.election.file_count() > 0
    }

    /// Whether that grant is the present one of its file.
    pub fn holds_grant(&self, user: i64, bid: &Bid, fence: u64) -> bool {
        self.election.holds(user, bid, fence)
    }

    /// Ends the leases that have run out, and asks silent writers for a word. `nonce` is a new one.
    pub fn sweep_leases(&mut self, nonce: &str, now_unix_ms: u64) {
        let notes = self.election.sweep(nonce, now_unix_ms);
        self.note(notes);
    }

    /// Ends all that a user has bid for.
    pub fn forget_bids(&mut self, user: i64, nonce: &str, now_unix_ms: u64) {
        let notes = self.election.sign_out(user, nonce, now_unix_ms);
        self.note(notes);
    }

    fn note(&mut self, notes: Vec<(u64, Note)>) {
        for (to, note) in notes {
            let frame = match note {
                Note::Writer(frame) => Utf8Bytes::from(encode(&frame)),
                // An empty text is none of the wire's frames.
                Note::Ping => Utf8Bytes::default(),
            };
            let queue_bytes = self.bounds.queue_bytes;
            let full = self
                .members
                .get(&to)
                .filter(|member| !member.offer(&frame, queue_bytes));
            if let Some(member) = full {
                member.close(CloseReason::SlowConsumer);
                self.members.remove(&to);
            }
        }
    }

    /// Sends a frame to all. Who can't take it is closed; nobody waits for anybody.
    pub fn broadcast(&mut self, frame: &Utf8Bytes) {
        self.broadcast_to(frame, |_| true);
    }

    fn broadcast_to(&mut self, frame: &Utf8Bytes, wanted: impl Fn(&Member) -> bool) {
        let queue_bytes = self.bounds.queue_bytes;
        self.members.retain(|_, member| {
            if !wanted(member) || member.offer(frame, queue_bytes) {
                return true;
            }
            member.close(CloseReason::SlowConsumer);
            false
        });
    }

    /// Ends every membership of a user, after one last frame.
    pub fn close_user(&mut self, user: i64, last: Option<&ApiError>, reason: CloseReason) {
        let last = last.map(trouble);
        let queue_bytes = self.bounds.queue_bytes;
        self.members.retain(|_, member| {
            if member.user != user {
                return true;
            }
            if let Some(last) = &last {
                member.offer(last, queue_bytes);
            }
            member.close(reason);
            false
        });
    }

    /// Ends every membership.
    pub fn close_all(&mut self, reason: CloseReason) {
        for (_, member) in self.members.drain() {
            member.close(reason);
        }
    }
}

impl Member {
    /// Puts a frame into the queue, unless that is full.
    fn offer(&self, frame: &Utf8Bytes, queue_bytes: u64) -> bool {
        let length = weight(frame, queue_bytes);
        let waiting = self.waiting_bytes.load(Ordering::Relaxed);
        if waiting.saturating_add(length) > queue_bytes {
            return false;
        }
        // Counted before it can be taken out, so that the count never falls below zero.
        self.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        match self.queue.try_send(frame.clone()) {
            Ok(()) => true,
            Err(_) => {
                self.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
                false
            }
        }
    }

    fn close(&self, reason: CloseReason) {
        // The first reason holds.
        let _ = self.end.set(reason);
    }
}

/// What a frame counts for in a queue of `queue_bytes`: its length, but never more than three quarters of the queue. A
/// snapshot is longer than any queue, all members share its bytes, and it must find room beside a few short frames.
fn weight(frame: &Utf8Bytes, queue_bytes: u64) -> u64 {
    (frame.len() as u64).min(queue_bytes / 4 * 3)
}

/// A trouble as a frame.
pub fn trouble(error: &ApiError) -> Utf8Bytes {
    Utf8Bytes::from(encode(&RelayFrame::Trouble {
        v: VERSION,
        error: error.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sheetwire_core::protocol::relay::{ErrorCode, decode};
    use sheetwire_core::sheet::{unpack_changes, unpack_rows};

    const BOUNDS: Bounds = Bounds {
        resume_window: Duration::from_secs(120),
        queue_messages: 4,
        queue_bytes: 2_000,
        election: election::Bounds {
            lease_ms: 8_000,
            ping_ms: 2_000,
            nonce_ms: 2_000,
        },
    };

    fn read(packed: &str) -> SheetRead {
        titled("Tokens", packed)
    }

    fn titled(sheet_title: &str, packed: &str) -> SheetRead {
        SheetRead {
            info: SheetInfo {
                spreadsheet_title: "Brand".to_owned(),
                sheet_title: sheet_title.to_owned(),
                locale: "en_US".to_owned(),
            },
            packed: packed.to_owned(),
        }
    }

    fn frames(texts: &[Utf8Bytes]) -> Vec<RelayFrame> {
        texts
            .iter()
            .map(|text| decode(text.as_str()).expect("the room's own frame"))
            .collect()
    }

    fn waiting(inbox: &mut Inbox) -> Vec<RelayFrame> {
        let mut texts = Vec::new();
        while let Some(Delivery::Frame(text)) = inbox.try_next() {
            texts.push(text);
        }
        frames(&texts)
    }

    fn at(revision: u64) -> Position {
        Position {
            epoch: "e".to_owned(),
            revision,
        }
    }

    fn changes(revision: u64, rows: u32, cells: &str) -> RelayFrame {
        RelayFrame::Changes {
            v: VERSION,
            since: revision - 1,
            position: at(revision),
            seen_unix_ms: revision,
            rows,
            cells: cells.to_owned(),
        }
    }

    fn snapshot(revision: u64, read: SheetRead) -> RelayFrame {
        RelayFrame::Snapshot {
            v: VERSION,
            position: at(revision),
            sheet: read.info,
            cells: read.packed,
        }
    }

    fn resumed(revision: u64) -> RelayFrame {
        RelayFrame::Resumed {
            v: VERSION,
            position: at(revision),
        }
    }

    fn error(code: ErrorCode) -> ApiError {
        ApiError {
            code,
            message: "It is wrong.".to_owned(),
            remedy: None,
        }
    }

    #[test]
    fn readers_get_the_sheet_and_then_its_changes() {
        let now = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        let (mut early, first) = room.join(1, None, now);
        assert!(first.is_empty());
        assert_eq!(room.take(read("ta\u{1e}"), now, 1), Taken::First);
        assert_eq!(waiting(&mut early), [snapshot(1, read("ta\u{1e}"))]);

        let (mut late, first) = room.join(2, None, now);
        assert_eq!(frames(&first), [snapshot(1, read("ta\u{1e}"))]);
        assert_eq!(room.take(read("ta\u{1e}"), now, 2), Taken::Unchanged);
        assert_eq!(waiting(&mut late), []);
        assert_eq!(room.take(read("tb\u{1e}tc\u{1e}"), now, 2), Taken::Changed);
        let expected = changes(2, 2, "0\u{1f}0\u{1f}tb\u{1e}1\u{1f}0\u{1f}tc\u{1e}");
        assert_eq!(waiting(&mut early), std::slice::from_ref(&expected));
        assert_eq!(waiting(&mut late), [expected]);
    }

    #[test]
    fn resuming_gives_what_was_missed_or_everything() {
        let start = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        for revision in 1..=4_u64 {
            let now = start + Duration::from_secs(revision * 50);
            room.take(read(&format!("t{revision}\u{1e}")), now, revision);
        }
        // Changes to revisions 2, 3 and 4 came at 100, 150 and 200 s.
        let now = start + Duration::from_secs(225);
        let whole = [snapshot(4, read("t4\u{1e}"))];
        let change =
            |revision: u64| changes(revision, 1, &format!("0\u{1f}0\u{1f}t{revision}\u{1e}"));
        let cases: [(Option<Position>, Vec<RelayFrame>); 7] = [
            (None, whole.to_vec()),
            (Some(at(4)), vec![resumed(4)]),
            (Some(at(3)), vec![change(4)]),
            (Some(at(2)), vec![change(3), change(4)]),
            (Some(at(1)), whole.to_vec()),
            (Some(at(5)), whole.to_vec()),
            (
                Some(Position {
                    epoch: "other".to_owned(),
                    revision: 4,
                }),
                whole.to_vec(),
            ),
        ];
        for (resume, expected) in cases {
            let (_, first) = room.join(1, resume.as_ref(), now);
            assert_eq!(frames(&first), expected, "{resume:?}");
        }
    }

    #[test]
    fn a_renamed_tab_is_told_by_a_snapshot() {
        let now = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        room.take(read("ta\u{1e}"), now, 1);
        let (mut inbox, _) = room.join(1, None, now);
        assert_eq!(
            room.take(titled("Colours", "ta\u{1e}"), now, 2),
            Taken::Changed
        );
        assert_eq!(
            waiting(&mut inbox),
            [snapshot(2, titled("Colours", "ta\u{1e}"))]
        );
        // A reader of the old title is not told that it missed nothing.
        let (_, first) = room.join(1, Some(&at(1)), now);
        assert_eq!(frames(&first), [snapshot(2, titled("Colours", "ta\u{1e}"))]);
    }

    #[test]
    fn who_does_not_read_is_closed_and_nobody_else() {
        let now = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        room.take(read("t0\u{1e}"), now, 1);
        let (mut slow, _) = room.join(1, None, now);
        let (mut quick, _) = room.join(1, None, now);
        for value in 1..=6 {
            room.take(read(&format!("t{value}\u{1e}")), now, value);
            assert_eq!(waiting(&mut quick).len(), 1);
        }
        assert_eq!(
            slow.try_next(),
            Some(Delivery::End(CloseReason::SlowConsumer))
        );
        assert_eq!(room.member_count(), 1);

        // A long message finds room behind a short one.
        let (mut patient, _) = room.join(1, None, now);
        room.broadcast(&room.heartbeat());
        assert_eq!(waiting(&mut quick).len(), 1);
        room.take(read(&format!("t0{}\u{1e}", "y".repeat(2_500))), now, 7);
        assert_eq!(
            (waiting(&mut quick).len(), waiting(&mut patient).len()),
            (1, 2)
        );
        room.leave(patient.member, 0);

        // By bytes: one message longer than the bound passes an empty queue, a second one does not.
        let (mut slow, _) = room.join(1, None, now);
        let long = "x".repeat(2_500);
        room.take(read(&format!("t1{long}\u{1e}")), now, 8);
        assert_eq!((waiting(&mut quick).len(), room.member_count()), (1, 2));
        room.take(read(&format!("t2{long}\u{1e}")), now, 9);
        assert_eq!(
            slow.try_next(),
            Some(Delivery::End(CloseReason::SlowConsumer))
        );
        assert_eq!((waiting(&mut quick).len(), room.member_count()), (1, 1));
    }

    #[test]
    fn trouble_is_told_once_and_its_end_is_visible() {
        let now = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        room.take(read("ta\u{1e}"), now, 1);
        let (mut inbox, _) = room.join(1, None, now);
        let told = |code| RelayFrame::Trouble {
            v: VERSION,
            error: error(code),
        };
        room.fail(error(ErrorCode::Google));
        room.fail(error(ErrorCode::Google));
        room.fail(error(ErrorCode::TooMany));
        assert_eq!(
            waiting(&mut inbox),
            [told(ErrorCode::Google), told(ErrorCode::TooMany)]
        );
        let (_, first) = room.join(2, Some(&at(1)), now);
        assert_eq!(frames(&first), [resumed(1), told(ErrorCode::TooMany)]);
        room.take(read("ta\u{1e}"), now, 5);
        assert_eq!(
            waiting(&mut inbox),
            [RelayFrame::Heartbeat {
                v: VERSION,
                read_unix_ms: 5
            }]
        );
    }

    #[test]
    fn closing_delivers_what_waits_and_then_the_reason() {
        let now = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        let (mut gone, _) = room.join(1, None, now);
        let (mut stays, _) = room.join(2, None, now);
        room.close_user(1, Some(&error(ErrorCode::NoAccess)), CloseReason::Ticket);
        assert_eq!(
            waiting(&mut gone),
            [RelayFrame::Trouble {
                v: VERSION,
                error: error(ErrorCode::NoAccess)
            }]
        );
        assert_eq!(gone.try_next(), Some(Delivery::End(CloseReason::Ticket)));
        assert_eq!(stays.try_next(), None);
        assert_eq!(room.users(), BTreeSet::from([2]));
        room.close_all(CloseReason::Draining);
        assert_eq!(stays.try_next(), Some(Delivery::End(CloseReason::Draining)));
    }

    #[test]
    fn kept_changes_are_bounded_in_bytes() {
        let now = Instant::now();
        let mut room = Room::new("e".to_owned(), BOUNDS);
        for value in 0..6 {
            // Two cells of 2 MiB each way, so that no change is longer than the sheet.
            let cell = value.to_string().repeat(2 * 1024 * 1024);
            room.take(
                read(&format!("t{cell}\u{1e}tsame\u{1e}t{cell}\u{1e}")),
                now,
                value,
            );
        }
        assert!(room.kept_bytes <= KEPT_BYTES_MAX && room.kept.len() < 5);
    }

    /// What a reader makes of the frames: the sheet's rows of packed cells.
    #[derive(Default)]
    struct Reader {
        position: Option<Position>,
        rows: Vec<Vec<String>>,
        inbox: Option<Inbox>,
    }

    impl Reader {
        fn take(&mut self, frame: &Utf8Bytes) {
            match decode(frame.as_str()).expect("the room's own frame") {
                RelayFrame::Snapshot {
                    position, cells, ..
                } => {
                    self.position = Some(position);
                    self.rows = unpack_rows(&cells)
                        .expect("whole")
                        .map(|row| row.packed_cells().map(str::to_owned).collect())
                        .collect();
                }
                RelayFrame::Changes {
                    since,
                    position,
                    rows,
                    cells,
                    ..
                } => {
                    let stood = self.position.replace(position).expect("a position first");
                    assert_eq!(stood.revision, since);
                    for change in unpack_changes(&cells).expect("whole") {
                        let change = change.expect("readable");
                        let (row, column) = (change.row as usize, change.column as usize);
                        self.rows.resize(self.rows.len().max(row + 1), Vec::new());
                        let cells = &mut self.rows[row];
                        cells.resize(cells.len().max(column + 1), String::new());
                        cells[column] = change.packed.to_owned();
                    }
                    self.rows.resize(rows as usize, Vec::new());
                }
                RelayFrame::Resumed { position, .. } => {
                    assert_eq!(self.position, Some(position))
                }
                RelayFrame::Source { .. }
                | RelayFrame::Writer { .. }
                | RelayFrame::Heartbeat { .. }
                | RelayFrame::Trouble { .. }
                | RelayFrame::FlagsChanged { .. }
                | RelayFrame::Closing { .. } => {}
            }
        }

        /// Takes all that waits.
        fn drain(&mut self) {
            while let Some(inbox) = &mut self.inbox {
                match inbox.try_next() {
                    Some(Delivery::Frame(frame)) => self.take(&frame),
                    Some(Delivery::Ping) => {}
                    Some(Delivery::End(_)) => self.inbox = None,
                    None => break,
                }
            }
        }

        /// The sheet as this reader sees it, without empty cells at the ends.
        fn sees(&self) -> Vec<Vec<String>> {
            let trim = |row: &Vec<String>| {
                let filled = row.iter().rposition(|cell| !cell.is_empty());
                row[..filled.map_or(0, |last| last + 1)].to_vec()
            };
            self.rows.iter().map(trim).collect()
        }
    }

    /// What may happen in a room.
    #[derive(Debug, Clone)]
    enum Action {
        Edit(Vec<Vec<u8>>),
        Rename,
        Trouble,
        Join(usize),
        Leave(usize),
        Read(usize),
        Wait(u64),
    }

    fn action() -> impl Strategy<Value = Action> {
        let cells = prop::collection::vec(prop::collection::vec(0..3_u8, 0..4), 0..5);
        prop_oneof![
            6 => cells.prop_map(Action::Edit),
            1 => Just(Action::Rename),
            1 => Just(Action::Trouble),
            3 => (0..3_usize).prop_map(Action::Join),
            1 => (0..3_usize).prop_map(Action::Leave),
            3 => (0..3_usize).prop_map(Action::Read),
            1 => (1..100_u64).prop_map(Action::Wait),
        ]
    }

    proptest! {
        /// Whatever happens, whoever has read everything and was not put out sees the sheet as it is.
        #[test]
        fn every_reader_ends_with_the_sheet(actions in prop::collection::vec(action(), 0..60)) {
            let mut now = Instant::now();
            let mut room = Room::new("e".to_owned(), BOUNDS);
            let mut readers: [Reader; 3] = Default::default();
            let (mut titles, mut last) = (0, String::new());
            for action in actions {
                match action {
                    Action::Edit(rows) => {
                        let text = |value: &u8| if *value == 0 { String::new() } else { format!("t{value}") };
                        let mut lines: Vec<String> = rows
                            .iter()
                            .map(|row| row.iter().map(text).collect::<Vec<_>>().join("\u{1f}"))
                            .map(|row| row.trim_end_matches('\u{1f}').to_owned())
                            .collect();
                        while lines.last().is_some_and(String::is_empty) {
                            lines.pop();
                        }
                        last = lines.iter().map(|line| format!("{line}\u{1e}")).collect();
                        room.take(titled(&titles.to_string(), &last), now, 1);
                    }
                    Action::Rename => {
                        titles += 1;
                        room.take(titled(&titles.to_string(), &last), now, 1);
                    }
                    Action::Trouble => room.fail(error(ErrorCode::Google)),
                    Action::Join(of) => {
                        if let Some(inbox) = readers[of].inbox.take() {
                            room.leave(inbox.member, 0);
                        }
                        let (inbox, first) = room.join(1, readers[of].position.as_ref(), now);
                        first.iter().for_each(|frame| readers[of].take(frame));
                        readers[of].inbox = Some(inbox);
                    }
                    Action::Leave(of) => {
                        if let Some(inbox) = readers[of].inbox.take() {
                            room.leave(inbox.member, 0);
                        }
                    }
                    Action::Read(of) => readers[of].drain(),
                    Action::Wait(seconds) => now += Duration::from_secs(seconds),
                }
            }
            let mut expected = Reader::default();
            if let Some(frame) = room.snapshot() {
                expected.take(&frame);
            }
            for reader in &mut readers {
                reader.drain();
                if reader.inbox.is_some() {
                    prop_assert_eq!(&reader.position, &expected.position);
                    prop_assert_eq!(reader.sees(), expected.sees());
                }
            }
        }
    }
}
