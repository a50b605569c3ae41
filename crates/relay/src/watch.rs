//! The watchers: one task a room that reads its sheet for all who follow it.
//!
//! Owns the rooms, who may be in them, when a sheet is read and by whose right. Must not know sockets or HTTP
//! requests of clients. A room's contents go when nobody has followed it for a while. Tabs of one spreadsheet that are due
//! together are read together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::ws::Utf8Bytes;
use futures_util::StreamExt as _;
use sheetwire_core::protocol::relay::{
    ApiError, Bid, CloseReason, ErrorCode, Position, RelayFrame, SheetRef, VERSION, encode,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, sleep_until, timeout};

use crate::config::{Config, Limits, Poll};
use crate::error::Refusal;
use crate::google_read::{Caller, Failure, GoogleRead, is_spreadsheet_id, no_spreadsheet};
use crate::pace::{Budget, Pace};
use crate::room::{Bounds, Delivery, Inbox, Room, Taken};
use crate::secret::random_name;
use crate::sheet_read::{self, ReadError, SheetRead};
use crate::turns::{Turns, Urgency};
use crate::webhook::Channels;
use crate::workbook::{Handed, Tab, Workbooks};

/// Access checks of one room that run at the same time.
const CHECKS_AT_ONCE: usize = 8;
/// How often the life of a check may pass without an answer of Google's before a member is put out.
const CHECK_LIVES_MAX: u32 = 3;
/// Longest wait for the budget of an access check that a client waits for.
const CHECK_WAIT_MAX: Duration = Duration::from_secs(2);
/// Replies longer than this are read on a thread of their own, in bytes.
const INLINE_BYTES_MAX: usize = 128 * 1024;
/// Longest wait of a first read for its spreadsheet's turn.
const FIRST_WAIT_MAX: Duration = Duration::from_secs(2);

/// Every room, and what they share.
pub struct Rooms {
    poll: Poll,
    limits: Limits,
    google: GoogleRead,
    channels: Option<Channels>,
    open: Mutex<HashMap<SheetRef, Arc<Watched>>>,
    workbooks: Workbooks,
    queue: Arc<Turns>,
    /// When Google last said that a user may read a spreadsheet.
    allowed: Mutex<HashMap<(i64, String), Instant>>,
    members: Arc<Semaphore>,
    /// The sheets that each user follows, and how often.
    followed: Mutex<HashMap<i64, HashMap<SheetRef, usize>>>,
    /// Bytes of all rooms, as last counted.
    contents_bytes: AtomicUsize,
    draining: watch::Sender<bool>,
}

/// A room and the means to reach its watcher.
pub struct Watched {
    sheet: SheetRef,
    room: Mutex<Room>,
    wishes: Mutex<Wishes>,
    tab: Arc<Tab>,
    /// When the last read ended, well or not.
    attempts: watch::Sender<Option<Instant>>,
    checking: AtomicBool,
    /// Bytes of the room, as last counted.
    counted_bytes: AtomicUsize,
}

#[derive(Default, Clone, Copy)]
struct Wishes {
    joined: bool,
    /// When somebody asked last.
    refresh: Option<Instant>,
}

/// One follower's place in a room; dropping it leaves.
pub struct Membership {
    rooms: Arc<Rooms>,
    user: i64,
    account: String,
    watched: Arc<Watched>,
    inbox: Inbox,
    /// What to take first.
    pub first: Vec<Utf8Bytes>,
    /// Whether the contents are older than a follower may expect, because nobody followed.
    pub stale: bool,
    _permit: OwnedSemaphorePermit,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while one of these is held leaves data that is still whole; going on serves everybody else.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

impl Membership {
    /// Waits for the next delivery. Cancelling loses nothing.
    pub async fn next(&mut self) -> Delivery {
        self.inbox.next().await
    }

    /// The next delivery if there is one.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.inbox.try_next()
    }

    /// Asks for a read now.
    pub fn refresh(&self) {
        self.watched.refresh();
    }

    /// Bids to write a file; the answer is delivered.
    pub fn bid(&self, bid: &Bid) {
        let mut room = lock(&self.watched.room);
        room.bid(
            self.inbox.member,
            &self.account,
            bid,
            &random_name(),
            unix_ms(),
        );
    }

    /// The client gave a sign of life.
    pub fn heard(&self) {
        lock(&self.watched.room).heard(self.inbox.member, unix_ms());
    }

    /// The heartbeat of this moment.
    pub fn heartbeat(&self) -> Utf8Bytes {
        lock(&self.watched.room).heartbeat()
    }

    /// The news that nothing was missed, once the sheet was read.
    pub fn resumed(&self) -> Option<Utf8Bytes> {
        let room = lock(&self.watched.room);
        room.has_contents().then(|| room.resumed())
    }

    /// Waits until a read has ended after this call, well or not.
    pub async fn settled(&self) {
        let called = Instant::now();
        let mut attempts = self.watched.attempts.subscribe();
        // The sender lives as long as this membership's room.
        let _ = attempts
            .wait_for(|ended| ended.is_some_and(|ended| ended > called))
            .await;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock(&self.watched.room).leave(self.inbox.member, unix_ms());
        self.rooms.unfollow(self.user, &self.watched.sheet);
        self.watched.tab.wake.notify_one();
    }
}

impl Watched {
    /// Asks for a read now; the watcher bounds how often.
    pub fn refresh(&self) {
        lock(&self.wishes).refresh = Some(Instant::now());
        self.tab.wake.notify_one();
    }
}

impl Rooms {
    /// No rooms yet. Needs a running runtime.
    pub fn new(config: &Config, google: GoogleRead) -> Arc<Self> {
        let channels = config
            .webhook_url
            .as_ref()
            .filter(|_| google.has_drive())
            .map(|url| Channels::new(url.clone()));
        Arc::new(Self {
            poll: config.poll.clone(),
            queue: Turns::start(Budget::new(config.poll.reads_per_minute, Instant::now())),
            members: Arc::new(Semaphore::new(config.limits.members)),
            limits: config.limits.clone(),
            google,
            channels,
            open: Mutex::default(),
            workbooks: Workbooks::default(),
            allowed: Mutex::default(),
            followed: Mutex::default(),
            contents_bytes: AtomicUsize::new(0),
            draining: watch::Sender::new(false),
        })
    }

    /// The bounds of sockets and waits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Google's change notices, where they are configured.
    pub fn channels(&self) -> Option<&Channels> {
        self.channels.as_ref()
    }

    /// Makes sure that Google lets the user read the spreadsheet; its word is believed for a while.
    ///
    /// # Errors
    /// A refusal that says what Google said.
    pub async fn check_access(&self, user: i64, spreadsheet_id: &str) -> Result<(), Refusal> {
        if !is_spreadsheet_id(spreadsheet_id) {
            return Err(Refusal::bad_request("That is no spreadsheet's id."));
        }
        let key = (user, spreadsheet_id.to_owned());
        let known = lock(&self.allowed).get(&key).copied();
        if known.is_some_and(|at| at.elapsed() < self.limits.access_life) {
            return Ok(());
        }
        if !self.google.has_drive() {
            self.read_turn().await?;
        }
        match self.google.check(user, spreadsheet_id).await {
            Ok(()) => {
                self.allow(user, spreadsheet_id);
                Ok(())
            }
            Err(failure) => {
                if matches!(failure, Failure::User(_)) {
                    lock(&self.allowed).remove(&key);
                }
                Err(failure.refusal())
            }
        }
    }

    /// Waits for a turn to read something that a client waits for.
    ///
    /// # Errors
    /// [`ErrorCode::TooMany`] when that would take long.
    pub async fn read_turn(&self) -> Result<(), Refusal> {
        let turn = self.queue.turn_within(CHECK_WAIT_MAX).await;
        turn.map_err(Refusal::too_many)
    }

    /// Whether that grant is the present one of its file, in whichever room: a file that several tabs feed has its
    /// writer elected in the room of one. A room that is gone, as after a restart, has given none.
    pub fn holds_grant(&self, user: i64, bid: &Bid, fence: u64) -> bool {
        let rooms = self.rooms();
        let mut rooms = rooms.iter().map(|watched| lock(&watched.room));
        rooms.any(|room| room.holds_grant(user, bid, fence))
    }

    fn allow(&self, user: i64, spreadsheet_id: &str) {
        let mut allowed = lock(&self.allowed);
        // One entry a member or ticket lately; what is long past goes when the table has grown.
        if allowed.len() >= 2 * self.limits.members {
            let life = self.limits.access_life * CHECK_LIVES_MAX;
            allowed.retain(|_, at| at.elapsed() < life);
        }
        allowed.insert((user, spreadsheet_id.to_owned()), Instant::now());
    }

    /// Takes the caller into the sheet's room, once its access was checked. The answer to a bid comes before anything else.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`] when the relay is full or going down, [`ErrorCode::TooMany`] when the user follows too
    /// many sheets.
    pub fn join(
        self: &Arc<Self>,
        caller: &Caller,
        sheet: &SheetRef,
        resume: Option<&Position>,
        bid: Option<&Bid>,
    ) -> Result<Membership, Refusal> {
        let user = caller.user;
        let Ok(permit) = self.members.clone().try_acquire_owned() else {
            return Err(Refusal::unavailable(
                "The relay has as many followers as it can take.",
            ));
        };
        let mut open = lock(&self.open);
        // Under the lock under which draining closes the rooms, so that nobody slips in after it.
        if *self.draining.borrow() {
            return Err(Refusal::unavailable("The relay is restarting."));
        }
        let full = self.contents_bytes.load(Ordering::Relaxed) >= self.limits.contents_bytes;
        if full && !open.contains_key(sheet) {
            return Err(Refusal::unavailable(
                "The relay has as many sheets in memory as it can take.",
            ));
        }
        self.follow(user, sheet)?;
        let watched = open.entry(sheet.clone()).or_insert_with(|| {
            let watched = Arc::new(Watched::new(
                sheet.clone(),
                self.workbooks.open(sheet),
                &self.limits,
            ));
            self.spawn_watcher(&watched);
            watched
        });
        let mut room = lock(&watched.room);
        let last = *watched.attempts.borrow();
        let stale = room.member_count() == 0
            && room.trouble().is_none()
            && last.is_none_or(|last| last.elapsed() >= self.poll.active);
        let (mut inbox, news) = room.join(user, resume, Instant::now());
        let mut first = Vec::new();
        if let Some(bid) = bid {
            room.bid(
                inbox.member,
                &caller.account,
                bid,
                &random_name(),
                unix_ms(),
            );
            while let Some(Delivery::Frame(frame)) = inbox.try_next() {
                first.push(frame);
            }
        }
        first.extend(news);
        drop(room);
        lock(&watched.wishes).joined = true;
        watched.tab.wake.notify_one();
        Ok(Membership {
            rooms: self.clone(),
            user,
            account: caller.account.clone(),
            watched: watched.clone(),
            inbox,
            first,
            stale,
            _permit: permit,
        })
    }

    fn follow(&self, user: i64, sheet: &SheetRef) -> Result<(), Refusal> {
        let mut followed = lock(&self.followed);
        let sheets = followed.entry(user).or_default();
        if sheets.len() >= self.limits.sheets_per_account && !sheets.contains_key(sheet) {
            let mut refusal = Refusal::new(
                ErrorCode::TooMany,
                "Your account follows as many sheets as the relay allows.",
                "Stop syncing in a file that you do not work on.",
            );
            refusal.retry_after = Some(self.poll.active);
            return Err(refusal);
        }
        *sheets.entry(sheet.clone()).or_default() += 1;
        Ok(())
    }

    fn unfollow(&self, user: i64, sheet: &SheetRef) {
        let mut followed = lock(&self.followed);
        let Some(sheets) = followed.get_mut(&user) else {
            return;
        };
        if let Some(times) = sheets.get_mut(sheet) {
            *times -= 1;
            if *times == 0 {
                sheets.remove(sheet);
            }
        }
        if sheets.is_empty() {
            followed.remove(&user);
        }
    }

    /// Counts what a room holds now.
    fn count_bytes(&self, watched: &Watched, bytes: usize) {
        let before = watched.counted_bytes.swap(bytes, Ordering::Relaxed);
        // Two steps, so that the sum never passes below zero.
        self.contents_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.contents_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    /// Starts a room's watcher. Should it ever panic, its members are sent away and come back to a new room, instead
    /// of waiting for ever in one that nobody reads.
    fn spawn_watcher(self: &Arc<Self>, watched: &Arc<Watched>) {
        let task = tokio::spawn(Watcher::new(self.clone(), watched.clone()).run());
        let (rooms, watched) = (self.clone(), watched.clone());
        tokio::spawn(async move {
            if task.await.is_ok() {
                return;
            }
            tracing::error!("a watcher failed; its room is closed");
            let mut open = lock(&rooms.open);
            if open
                .get(&watched.sheet)
                .is_some_and(|room| Arc::ptr_eq(room, &watched))
            {
                open.remove(&watched.sheet);
            }
            rooms.count_bytes(&watched, 0);
            lock(&watched.room).close_all(CloseReason::Draining);
        });
    }

    fn rooms(&self) -> Vec<Arc<Watched>> {
        lock(&self.open).values().cloned().collect()
    }

    /// Asks for a read of that sheet, if it is followed.
    pub fn refresh(&self, sheet: &SheetRef) {
        if let Some(watched) = lock(&self.open).get(sheet) {
            watched.refresh();
        }
    }

    /// Tells every follower that flags changed.
    pub fn flags_changed(&self) {
        let frame = Utf8Bytes::from(encode(&RelayFrame::FlagsChanged { v: VERSION }));
        for watched in self.rooms() {
            lock(&watched.room).broadcast(&frame);
        }
    }

    /// Ends the leases that have run out; every [`Limits::lease_sweep`].
    pub fn sweep_leases(&self) {
        for watched in self.rooms() {
            let mut room = lock(&watched.room);
            if room.has_bids() {
                room.sweep_leases(&random_name(), unix_ms());
            }
        }
    }

    /// Puts a user out of every room.
    pub fn sign_out(&self, user: i64) {
        lock(&self.allowed).retain(|(of, _), _| *of != user);
        for watched in self.rooms() {
            watched.end_user(user, None, CloseReason::SignedOut);
            watched.tab.wake.notify_one();
        }
    }

    /// Puts everybody out of every room; they come back and prove themselves again.
    pub fn send_all_away(&self) {
        for watched in self.rooms() {
            lock(&watched.room).close_all(CloseReason::Draining);
            watched.tab.wake.notify_one();
        }
    }

    /// Ends every room, takes no further members, and waits until all have left or the time is over.
    pub async fn drain(&self) {
        {
            let open = lock(&self.open);
            self.draining.send_replace(true);
            for watched in open.values() {
                lock(&watched.room).close_all(CloseReason::Draining);
            }
        }
        let all = u32::try_from(self.limits.members).unwrap_or(u32::MAX);
        // Every member gone means every permit back.
        let _ = timeout(self.limits.drain, self.members.acquire_many(all)).await;
    }

    /// Takes the room out, unless somebody came back.
    fn close_if_empty(&self, watched: &Watched) -> bool {
        let mut open = lock(&self.open);
        if lock(&watched.room).member_count() > 0 {
            return false;
        }
        open.remove(&watched.sheet);
        self.count_bytes(watched, 0);
        true
    }

    /// Asks Google again for every member whose last answer has grown old.
    async fn recheck(&self, watched: &Watched) {
        let spreadsheet_id = &watched.sheet.spreadsheet_id;
        let users = lock(&watched.room).users();
        let old: Vec<i64> = {
            let allowed = lock(&self.allowed);
            let is_old = |user: &i64| {
                allowed
                    .get(&(*user, spreadsheet_id.clone()))
                    .is_none_or(|at| at.elapsed() >= self.limits.access_life)
            };
            users.into_iter().filter(is_old).collect()
        };
        futures_util::stream::iter(old)
            .for_each_concurrent(CHECKS_AT_ONCE, |user| async move {
                let before = lock(&self.allowed)
                    .get(&(user, spreadsheet_id.clone()))
                    .copied();
                let Err(refusal) = self.check_access(user, spreadsheet_id).await else {
                    return;
                };
                let lost = !lock(&self.allowed).contains_key(&(user, spreadsheet_id.clone()));
                let bound = self.limits.access_life * CHECK_LIVES_MAX;
                if lost || before.is_none_or(|at| at.elapsed() >= bound) {
                    watched.put_out(user, &refusal.error);
                }
            })
            .await;
    }
}

impl Watched {
    fn new(sheet: SheetRef, tab: Arc<Tab>, limits: &Limits) -> Self {
        let bounds = Bounds {
            resume_window: limits.resume_window,
            queue_messages: limits.queue_messages,
            queue_bytes: limits.queue_bytes,
            election: limits.election,
        };
        Self {
            sheet,
            room: Mutex::new(Room::new(random_name(), bounds)),
            wishes: Mutex::default(),
            tab,
            attempts: watch::Sender::new(None),
            checking: AtomicBool::new(false),
            counted_bytes: AtomicUsize::new(0),
        }
    }

    /// Ends a user's membership with the reason that Google gave.
    fn put_out(&self, user: i64, error: &ApiError) {
        let reason = if error.code == ErrorCode::SignedOut {
            CloseReason::SignedOut
        } else {
            // The next ticket is refused with the same reason, or given when it was a mistake.
            CloseReason::Ticket
        };
        self.end_user(user, Some(error), reason);
    }

    /// Ends a user's memberships, and what they have bid for.
    fn end_user(&self, user: i64, last: Option<&ApiError>, reason: CloseReason) {
        let mut room = lock(&self.room);
        room.close_user(user, last, reason);
        room.forget_bids(user, &random_name(), unix_ms());
    }
}

/// The task of one room.
struct Watcher {
    rooms: Arc<Rooms>,
    watched: Arc<Watched>,
    pace: Pace,
    /// Since when somebody waits for a read that began later.
    wished: Option<Instant>,
    /// Who read last; the next in order reads next, so that no user's quota carries a room alone.
    reader: i64,
}

impl Watcher {
    fn new(rooms: Arc<Rooms>, watched: Arc<Watched>) -> Self {
        let now = Instant::now();
        Self {
            pace: Pace::new(&rooms.poll, now),
            rooms,
            watched,
            wished: None,
            reader: i64::MIN,
        }
    }

    async fn run(mut self) {
        let mut draining = self.rooms.draining.subscribe();
        let watched = self.watched.clone();
        let notices = self.rooms.clone();
        let notices = notices.keep_channel(watched.clone());
        tokio::select! {
            () = self.watch() => {}
            () = notices => {}
            _ = draining.wait_for(|draining| *draining) => {}
        }
        if let Some(channels) = self.rooms.channels() {
            channels.close(&self.rooms.google, &watched.sheet).await;
        }
    }

    async fn watch(&mut self) {
        let watched = self.watched.clone();
        loop {
            if lock(&watched.room).member_count() == 0 {
                watched.tab.plan().is_followed = false;
                let empty_until = Instant::now() + self.rooms.poll.linger;
                while lock(&watched.room).member_count() == 0 {
                    tokio::select! {
                        () = sleep_until(empty_until.into()) => {
                            if self.rooms.close_if_empty(&watched) {
                                return;
                            }
                        }
                        () = watched.tab.wake.notified() => {}
                    }
                }
                // What was read for those who have left is old by now.
                let _ = watched.tab.take_handed();
                watched.tab.plan().is_followed = true;
            }
            self.take_handed();
            self.take_wishes();
            let due = watched.tab.plan().due;
            tokio::select! {
                () = watched.tab.wake.notified() => continue,
                () = sleep_until(due.into()) => {}
            }
            self.start_recheck();
            self.read().await;
        }
    }

    /// Takes what a neighbour's watcher has read for this room; whether there was something.
    fn take_handed(&mut self) -> bool {
        let Some(Handed { began, outcome }) = self.watched.tab.take_handed() else {
            return false;
        };
        self.start_recheck();
        if self.wished.is_some_and(|wished| wished <= began) {
            self.wished = None;
        }
        self.settle(Some(outcome));
        true
    }

    /// Brings the next read forward where somebody wants it.
    fn take_wishes(&mut self) {
        let Wishes { joined, refresh } = std::mem::take(&mut *lock(&self.watched.wishes));
        let now = Instant::now();
        if joined {
            self.pace.stir(&self.rooms.poll, now);
        }
        // While Google fails nobody's wish shortens the wait, except that a newcomer may be allowed to read where
        // the others were not; that case has left no failure behind.
        if self.pace.is_failing() {
            return;
        }
        let poll = &self.rooms.poll;
        let mut plan = self.watched.tab.plan();
        let last = plan.last;
        let after = |wait| last.map_or(now, |last| last + wait);
        self.wished = refresh.or(self.wished);
        if self.wished.is_some() {
            plan.due = plan.due.min(after(poll.refresh_min));
        } else if joined {
            plan.due = plan.due.min(after(poll.active.max(poll.refresh_min)));
        }
    }

    /// Checks the members' access beside the reads, so that a large room does not wait for it.
    fn start_recheck(&self) {
        if self.watched.checking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (rooms, watched) = (self.rooms.clone(), self.watched.clone());
        tokio::spawn(async move {
            rooms.recheck(&watched).await;
            watched.checking.store(false, Ordering::Release);
        });
    }

    /// One read for the room, by the first member who can, unless a neighbour's watcher had the turn and read for it.
    async fn read(&mut self) {
        let watched = self.watched.clone();
        let turn = watched.tab.turn();
        let _turn = match self.urgency() {
            Urgency::Again => Some(turn.await),
            // Whoever has the turn may wait for the budget behind first reads like this one.
            Urgency::First => timeout(FIRST_WAIT_MAX, turn).await.ok(),
        };
        if self.take_handed() {
            return;
        }
        self.wished = None;
        let outcome = self.read_as_somebody().await;
        self.settle(outcome);
    }

    /// Takes what came of a read.
    fn settle(&mut self, outcome: Option<Result<SheetRead, Failure>>) {
        let watched = self.watched.clone();
        let now = Instant::now();
        let poll = &self.rooms.poll;
        let mut plan = watched.tab.plan();
        plan.last = Some(now);
        match outcome {
            Some(Ok(read)) => {
                plan.title = Some(read.info.sheet_title.clone());
                plan.bytes = read.packed.len();
                let (taken, bytes) = {
                    let mut room = lock(&watched.room);
                    let taken = room.take(read, now, unix_ms());
                    (taken, room.bytes())
                };
                self.rooms.count_bytes(&watched, bytes);
                match taken {
                    Taken::First | Taken::Unchanged => {}
                    Taken::Changed => self.pace.stir(poll, now),
                }
                plan.due = now + self.pace.after_read(poll, now);
            }
            Some(Err(failure)) => {
                let bounds = (self.rooms.limits.retry_min, self.rooms.limits.retry_max);
                let asked = match &failure {
                    Failure::Google { retry_after, .. } => *retry_after,
                    Failure::User(_) | Failure::Range => None,
                };
                let wait = self.pace.after_failure(bounds, asked, rand::random());
                let error = failure.error();
                tracing::warn!(code = ?error.code, wait_ms = wait.as_millis(), "a sheet could not be read");
                lock(&watched.room).fail(error);
                plan.due = now + wait;
            }
            // Nobody is left who may read; whoever comes is allowed to, and reads at once.
            None => {
                plan.last = None;
                plan.due = now;
            }
        }
        plan.is_failing = self.pace.is_failing();
        drop(plan);
        watched.attempts.send_replace(Some(now));
    }

    /// `None` when no member is left who may read.
    async fn read_as_somebody(&mut self) -> Option<Result<SheetRead, Failure>> {
        loop {
            let users = lock(&self.watched.room).users();
            let next = users.range(self.reader.saturating_add(1)..).next();
            let user = *next.or_else(|| users.first())?;
            self.reader = user;
            match self.read_as(user).await {
                Err(Failure::User(error)) => {
                    let key = (user, self.watched.sheet.spreadsheet_id.clone());
                    lock(&self.rooms.allowed).remove(&key);
                    self.watched.put_out(user, &error);
                }
                Ok(read) => {
                    self.rooms.allow(user, &self.watched.sheet.spreadsheet_id);
                    return Some(Ok(read));
                }
                Err(failure) => return Some(Err(failure)),
            }
        }
    }

    fn urgency(&self) -> Urgency {
        if lock(&self.watched.room).has_contents() {
            Urgency::Again
        } else {
            Urgency::First
        }
    }

    async fn read_as(&mut self, user: i64) -> Result<SheetRead, Failure> {
        let known = self.watched.tab.plan().title.clone();
        if let Some(title) = known {
            match self.read_titled(user, &title).await {
                // Renamed: its id finds it again.
                Err(Failure::Range) => self.watched.tab.plan().title = None,
                other => return other,
            }
        }
        let SheetRef {
            spreadsheet_id,
            sheet_id,
        } = &self.watched.sheet;
        self.rooms.queue.turn(self.urgency()).await;
        let reply = self
            .rooms
            .google
            .spreadsheet(user, spreadsheet_id, &sheet_read::titles_query())
            .await
            // This query has no range that could be wrong.
            .map_err(|failure| match failure {
                Failure::Range => no_spreadsheet(),
                other => other,
            })?;
        let titles = sheet_read::titles(&reply)?;
        let title = titles.get(sheet_id).ok_or(ReadError::Absent)?;
        self.watched.tab.tell_titles(&titles);
        self.read_titled(user, title).await
    }

    /// Reads the tab by its title, and with it its neighbours that are due; if that does not work out because of one of
    /// these, the tab alone.
    async fn read_titled(&self, user: i64, title: &str) -> Result<SheetRead, Failure> {
        let poll = &self.rooms.poll;
        let began = Instant::now();
        let tab = &self.watched.tab;
        let along = tab.neighbours(began, poll.active, poll.refresh_min);
        if !along.is_empty() {
            let titles =
                std::iter::once(title).chain(along.iter().map(|(_, title)| title.as_str()));
            let ids =
                std::iter::once(tab.sheet_id).chain(along.iter().map(|(tab, _)| tab.sheet_id));
            match self.read_tabs(user, titles.collect(), ids.collect()).await {
                Ok(mut reads) => {
                    for ((tab, _), outcome) in along.iter().zip(reads.drain(1..)) {
                        match outcome {
                            Ok(read) => tab.hand(Handed {
                                began,
                                outcome: Ok(read),
                            }),
                            // It is found again by its own watcher.
                            Err(ReadError::Absent) => tab.plan().title = None,
                            Err(ReadError::Unreadable | ReadError::TooLarge) => {}
                        }
                    }
                    if let Some(own) = reads.pop() {
                        return Ok(own?);
                    }
                }
                Err(Failure::Google { error, retry_after })
                    if error.code != ErrorCode::SheetTooLarge =>
                {
                    // It would be no different for them.
                    let failure = Failure::Google { error, retry_after };
                    for (tab, _) in along {
                        let outcome = Err(failure.clone());
                        tab.hand(Handed { began, outcome });
                    }
                    return Err(failure);
                }
                Err(Failure::User(error)) => return Err(Failure::User(error)),
                Err(Failure::Range | Failure::Google { .. }) => {}
            }
        }
        let mut reads = self
            .read_tabs(user, vec![title], vec![tab.sheet_id])
            .await?;
        Ok(reads.pop().unwrap_or(Err(ReadError::Absent))?)
    }

    /// One read of the tabs with these titles; what came of each, in the order of their ids.
    async fn read_tabs(
        &self,
        user: i64,
        titles: Vec<&str>,
        sheet_ids: Vec<i64>,
    ) -> Result<Vec<Result<SheetRead, ReadError>>, Failure> {
        self.rooms.queue.turn(self.urgency()).await;
        let spreadsheet_id = &self.watched.sheet.spreadsheet_id;
        let query = sheet_read::cells_query(&titles);
        let google = &self.rooms.google;
        let reply = google.spreadsheet(user, spreadsheet_id, &query).await?;
        if reply.len() <= INLINE_BYTES_MAX {
            return Ok(sheet_read::read(&reply, &sheet_ids)?);
        }
        tokio::task::spawn_blocking(move || sheet_read::read(&reply, &sheet_ids))
            .await
            .map_err(|_| Failure::from(ReadError::Unreadable))?
            .map_err(Failure::from)
    }
}

impl Rooms {
    /// Keeps a channel for change notices open while the room lives; for ever, if there is nothing to keep.
    async fn keep_channel(self: Arc<Self>, watched: Arc<Watched>) {
        let Some(channels) = self.channels() else {
            return std::future::pending().await;
        };
        let mut attempts = watched.attempts.subscribe();
        loop {
            let user = lock(&watched.room).users().first().copied();
            let Some(user) = user else {
                // Nobody by whose right to ask; after the next read there was somebody. The sender lives as long as
                // the room.
                let _ = attempts.changed().await;
                continue;
            };
            let wait = channels.open(&self.google, user, &watched.sheet).await;
            sleep(wait).await;
        }
    }
}
