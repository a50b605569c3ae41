//! A sandbox, a relay and a clock around one session.
//!
//! Owns how they answer, what they were asked, and the timers. Checks at every event what must always hold. Must not know
//! what a story is about.

use std::collections::{BTreeMap, VecDeque};

use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{
    Column, Connection, Counts, DriftPolicy, MergePolicy, Preview, Role, RunReport, SavedSession,
    ToPanel, ToSandbox,
};
use sheetwire_core::protocol::relay::{
    ApiError, Bid, ClientFrame, CloseReason, ErrorCode, PollReply, PollRequest, Position,
    RelayFrame, SessionReply, SheetEntry, SheetInfo, SheetRef, SignInReply, Spreadsheet,
    SpreadsheetEntry, SpreadsheetList, TwoWayReply, VERSION, WriteReply, WriteRequest, WriteResult,
};
use sheetwire_core::session::{
    Action, CELL_MESSAGES_MAX, Connected, Effect, Event, Failure, Link, Session, SessionReplyBox,
    SocketEvent, State, StopReason, Timer,
};

/// Long enough to be taken for an id.
pub const SPREADSHEET: &str = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms";

pub fn sheet() -> SheetRef {
    SheetRef {
        spreadsheet_id: SPREADSHEET.into(),
        sheet_id: 7,
    }
}

pub fn refused(code: ErrorCode, message: &str) -> Failure {
    Failure::Api(ApiError {
        code,
        message: message.into(),
        remedy: Some("A way out.".into()),
    })
}

pub fn columns() -> Vec<Column> {
    vec![Column {
        index: 0,
        header: "Name".into(),
        role: Role::Name,
    }]
}

pub fn connection(approved: bool) -> Connection {
    Connection {
        sheet: sheet(),
        spreadsheet_title: "Design".into(),
        sheet_title: "Tokens".into(),
        on: true,
        columns: columns(),
        header_row: 0,
        approved,
        layout: None,
        policy: MergePolicy::default(),
        left_out: Vec::new(),
        renamed_modes: Vec::new(),
        threshold: None,
        published: false,
        mode_limit: None,
        more: Vec::new(),
        origin: None,
        two_way: false,
    }
}

pub fn preview(plan: u32) -> Preview {
    Preview {
        plan,
        counts: Counts::default(),
        rows: Vec::new(),
        problems: Vec::new(),
        problems_total: 0,
        needs: Vec::new(),
    }
}

pub fn report(position: Position) -> RunReport {
    RunReport {
        counts: Counts::default(),
        writes: 1,
        cancelled: false,
        position,
        more: Vec::new(),
        ended_unix_ms: 0,
        duration_ms: 0,
        slice_ms_max: 0,
        problems: Vec::new(),
        problems_total: 0,
    }
}

pub fn session_reply(session: &str, expires_in_s: u32, picked: Vec<String>) -> SessionReplyBox {
    SessionReplyBox(Box::new(SessionReply {
        session: session.into(),
        expires_in_s,
        account: "ana@example.com".into(),
        picked,
    }))
}

/// The relay as the panel sees it.
pub struct Relay {
    /// Whether HTTP gets through.
    pub reachable: bool,
    /// Whether the WebSocket gets through.
    pub sockets: bool,
    /// What every call with a bearer token is answered, when not with success.
    pub refusal: Option<Failure>,
    /// Like `refusal`, for the beginning of a sign-in.
    pub begin_refusal: Option<Failure>,
    /// Times that the browser part is still unfinished.
    pub redeem_after: u32,
    /// Like `refusal`, for the end of a sign-in.
    pub redeem_refusal: Option<Failure>,
    pub picked: Vec<String>,
    pub tabs: Vec<SheetEntry>,
    pub session_s: u32,
    /// Number of the last session's token.
    pub tokens: u32,
    pub epoch: u32,
    pub revision: u64,
    /// Positions that readers may resume from begin here.
    pub remembered_from: u64,
    /// An older relay, which elects nobody.
    pub elects_nobody: bool,
    /// Who writes; `None` is this panel.
    pub writer: Option<String>,
    pub fence: u64,
    pub nonce: String,
    /// Why writes are refused; taken by the next one.
    pub write_refusals: VecDeque<Failure>,
}

/// What was asked of the relay.
#[derive(Debug, Default)]
pub struct Asked {
    pub bids: Vec<Bid>,
    pub begins: u32,
    pub redeems: u32,
    pub renewals: u32,
    pub lists: u32,
    pub tabs: u32,
    pub tickets: u32,
    pub joins: Vec<Option<Position>>,
    pub polls: Vec<PollRequest>,
    pub refreshes: u32,
    pub writes: Vec<WriteRequest>,
    pub two_way: Vec<bool>,
    pub sign_outs: Vec<String>,
    pub evaluations: u32,
}

/// The sandbox as the panel sees it.
#[derive(Default)]
pub struct Sandbox {
    pub session: Option<SavedSession>,
    pub connection: Option<Connection>,
    /// It takes messages but works none off.
    pub busy: bool,
    /// Whether it writes the file.
    pub writes: bool,
    /// What the writer left in the file.
    pub nonce: String,
    /// Counts the file's ids.
    pub file_ids: u32,
    pub messages: Vec<(ToSandbox, Option<String>)>,
    plan: u32,
}

pub struct World {
    pub session: Session,
    pub now: u64,
    pub relay: Relay,
    pub sandbox: Sandbox,
    pub asked: Asked,
    pub windows: Vec<String>,
    /// The turn of the open socket.
    pub socket: Option<u32>,
    /// One a kind, as the shell keeps them: when it is due, and its token.
    pub timers: BTreeMap<u8, (u64, Timer, u32)>,
    /// All waits before another try, in order.
    pub waits: Vec<u64>,
    inbox: VecDeque<Event>,
    /// Polls that the relay holds: turn and request.
    held: Option<(u32, PollRequest)>,
}

impl World {
    /// A panel that has just been opened, and a relay where all goes well.
    pub fn new() -> World {
        World {
            session: Session::new(3),
            now: 1_000_000,
            relay: Relay {
                reachable: true,
                sockets: true,
                refusal: None,
                begin_refusal: None,
                redeem_after: 0,
                redeem_refusal: None,
                picked: Vec::new(),
                tabs: vec![SheetEntry {
                    sheet_id: 7,
                    title: "Tokens".into(),
                    rows: 100,
                    columns: 26,
                }],
                session_s: 30 * 24 * 60 * 60,
                tokens: 0,
                epoch: 1,
                revision: 1,
                remembered_from: 1,
                elects_nobody: false,
                writer: None,
                fence: 1,
                nonce: "nonce-1".into(),
                write_refusals: VecDeque::new(),
            },
            sandbox: Sandbox::default(),
            asked: Asked::default(),
            windows: Vec::new(),
            socket: None,
            timers: BTreeMap::new(),
            waits: Vec::new(),
            inbox: VecDeque::new(),
            held: None,
        }
    }

    /// The flag is on: the sandbox says so and what is kept.
    pub fn switch_on(&mut self) {
        self.hear(ToPanel::Flags {
            realtime_sync: Decision::On,
        });
        let kept = ToPanel::Kept {
            session: self.sandbox.session.clone(),
            connection: self.sandbox.connection.clone().map(Box::new),
        };
        self.hear(kept);
    }

    /// Switched on, with a sign-in kept from before.
    pub fn signed_in() -> World {
        let mut world = World::new();
        world.sandbox.session = Some(SavedSession {
            token: "kept".into(),
            account: "ana@example.com".into(),
        });
        world.switch_on();
        world
    }

    /// Switched on, with a sign-in and an approved connection kept from before.
    pub fn live() -> World {
        let mut world = World::new();
        world.sandbox.connection = Some(connection(true));
        world.sandbox.session = Some(SavedSession {
            token: "kept".into(),
            account: "ana@example.com".into(),
        });
        world.switch_on();
        world
    }

    pub fn act(&mut self, action: Action) {
        self.take(Event::Act(action));
    }

    pub fn hear(&mut self, message: ToPanel) {
        self.take(Event::Sandbox(message));
    }

    /// Something comes over the open socket.
    pub fn receive(&mut self, frame: RelayFrame) {
        let turn = self.socket.expect("a socket is open");
        self.take(Event::Socket(turn, SocketEvent::Frame(frame)));
    }

    pub fn drop_socket(&mut self) {
        let turn = self.socket.expect("a socket is open");
        self.take(Event::Socket(turn, SocketEvent::Closed));
    }

    /// The sheet changes by one revision; whoever listens is told.
    pub fn edit(&mut self) {
        let since = self.relay.revision;
        self.relay.revision += 1;
        if self.socket.is_some() {
            let frame = self.changes(since);
            self.receive(frame);
        } else if let Some((turn, request)) = self.held.take() {
            let reply = self.poll_reply(&request).expect("something changed");
            self.take(Event::Polled(turn, Ok(reply)));
        }
    }

    /// A held poll ends because there was nothing to say.
    pub fn quiet_poll(&mut self) {
        if let Some((turn, _)) = self.held.take() {
            let frames = vec![RelayFrame::Resumed {
                v: VERSION,
                position: self.position(),
            }];
            self.take(Event::Polled(turn, Ok(PollReply { frames })));
        }
    }

    /// The relay begins anew, with another epoch.
    pub fn restart_relay(&mut self) {
        self.relay.epoch += 1;
        self.relay.revision = 1;
        self.relay.remembered_from = 1;
        if self.socket.is_some() {
            self.drop_socket();
        }
    }

    pub fn position(&self) -> Position {
        Position {
            epoch: format!("e{}", self.relay.epoch),
            revision: self.relay.revision,
        }
    }

    pub fn changes(&self, since: u64) -> RelayFrame {
        RelayFrame::Changes {
            v: VERSION,
            since,
            position: self.position(),
            seen_unix_ms: self.now,
            rows: 10,
            cells: format!("changes from {since}"),
        }
    }

    pub fn snapshot(&self) -> RelayFrame {
        RelayFrame::Snapshot {
            v: VERSION,
            position: self.position(),
            sheet: SheetInfo {
                spreadsheet_title: "Design".into(),
                sheet_title: "Tokens".into(),
                locale: "en_US".into(),
            },
            cells: format!("whole at {}", self.relay.revision),
        }
    }

    pub fn heartbeat(&self) -> RelayFrame {
        RelayFrame::Heartbeat {
            v: VERSION,
            read_unix_ms: self.now,
        }
    }

    /// What a reader at `resume` is sent first; `None`: it stands where the sheet does.
    fn first_frame(&self, resume: Option<&Position>) -> Option<RelayFrame> {
        match resume {
            Some(held) if *held == self.position() => None,
            Some(held)
                if held.epoch == self.position().epoch
                    && held.revision >= self.relay.remembered_from
                    && held.revision < self.relay.revision =>
            {
                Some(self.changes(held.revision))
            }
            Some(_) | None => Some(self.snapshot()),
        }
    }

    fn poll_reply(&self, request: &PollRequest) -> Option<PollReply> {
        let frame = self.first_frame(request.resume.as_ref())?;
        let writer = request.bid.as_ref().and_then(|_| self.writer_frame());
        Some(PollReply {
            frames: writer.into_iter().chain([frame]).collect(),
        })
    }

    /// Who writes, unless the relay is an older one.
    pub fn writer_frame(&self) -> Option<RelayFrame> {
        (!self.relay.elects_nobody).then(|| RelayFrame::Writer {
            v: VERSION,
            you: self.relay.writer.is_none(),
            name: self
                .relay
                .writer
                .clone()
                .unwrap_or("ana@example.com".into()),
            fence: self.relay.fence,
            nonce: self.relay.nonce.clone(),
        })
    }

    /// Lets time pass; timers go off, the relay's heart beats.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let next = self.timers.values().min_by_key(|(due, ..)| *due).copied();
            match next {
                Some((due, timer, token)) if due <= end => {
                    self.now = self.now.max(due);
                    self.timers.remove(&(timer as u8));
                    self.take(Event::Timer(timer, token));
                }
                Some(_) | None => break,
            }
        }
        self.now = end;
    }

    /// Lets time pass with a heartbeat every ten seconds.
    pub fn live_on(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.now < end {
            self.advance(10_000.min(end - self.now));
            if self.socket.is_some() {
                let beat = self.heartbeat();
                self.receive(beat);
            }
        }
    }

    /// Hands the session one event, and then all that follows from it.
    pub fn take(&mut self, event: Event) {
        self.inbox.push_back(event);
        let mut steps = 0;
        while let Some(event) = self.inbox.pop_front() {
            steps += 1;
            assert!(steps < 1_000, "it goes round and round");
            let effects = self.session.take(event, self.now);
            if matches!(self.session.state(), State::Off(_) | State::Dead { .. }) {
                assert!(
                    effects
                        .iter()
                        .all(|effect| matches!(effect, Effect::CloseSocket | Effect::Say(..))),
                    "asked for while off: {effects:?}"
                );
            }
            for effect in effects {
                self.perform(effect);
            }
            assert!(self.session.unanswered() <= CELL_MESSAGES_MAX);
        }
    }

    fn answer<T>(&self, value: T) -> Result<T, Failure> {
        if !self.relay.reachable {
            Err(Failure::Network)
        } else if let Some(refusal) = &self.relay.refusal {
            Err(refusal.clone())
        } else {
            Ok(value)
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Say(message, bulk) => self.tell_sandbox(message, bulk),
            Effect::BeginSignIn(ask) => {
                self.asked.begins += 1;
                let reply = match (&self.relay.begin_refusal, self.relay.reachable) {
                    (_, false) => Err(Failure::Network),
                    (Some(failure), true) => Err(failure.clone()),
                    (None, true) => Ok(SignInReply {
                        flow: "flow-1".into(),
                        code: "KQ4-7TM".into(),
                        url: "http://localhost/signin/flow-1".into(),
                        expires_in_s: 600,
                    }),
                };
                self.inbox.push_back(Event::Begun(ask, reply));
            }
            Effect::Redeem(ask, flow) => {
                assert_eq!(flow, "flow-1");
                self.asked.redeems += 1;
                let reply = if !self.relay.reachable {
                    Err(Failure::Network)
                } else if let Some(failure) = &self.relay.redeem_refusal {
                    Err(failure.clone())
                } else if self.relay.redeem_after > 0 {
                    self.relay.redeem_after -= 1;
                    Ok(None)
                } else {
                    self.relay.tokens += 1;
                    let token = format!("token-{}", self.relay.tokens);
                    let picked = self.relay.picked.clone();
                    Ok(Some(session_reply(&token, self.relay.session_s, picked)))
                };
                self.inbox.push_back(Event::Redeemed(ask, reply));
            }
            Effect::Renew(ask) => {
                self.asked.renewals += 1;
                let token = format!("token-{}", self.relay.tokens + 1);
                let reply = self.answer(session_reply(&token, self.relay.session_s, Vec::new()));
                self.relay.tokens += u32::from(reply.is_ok());
                self.inbox.push_back(Event::Renewed(ask, reply));
            }
            Effect::SignOut(token) => self.asked.sign_outs.push(token),
            Effect::List(ask) => {
                self.asked.lists += 1;
                let reply = self.answer(SpreadsheetList {
                    spreadsheets: vec![SpreadsheetEntry {
                        id: SPREADSHEET.into(),
                        title: "Design".into(),
                        modified: "2026-01-01T00:00:00Z".into(),
                    }],
                });
                self.inbox.push_back(Event::Listed(ask, reply));
            }
            Effect::Tabs(ask, id) => {
                self.asked.tabs += 1;
                let reply = self.answer(Spreadsheet {
                    id,
                    title: "Design".into(),
                    locale: "en_US".into(),
                    sheets: self.relay.tabs.clone(),
                });
                self.inbox.push_back(Event::Tabs(ask, reply));
            }
            Effect::Ticket(turn, _) => {
                assert!(self.session.token().is_some(), "tickets need a sign-in");
                self.asked.tickets += 1;
                let reply = self.answer(format!("ticket-{turn}"));
                self.inbox.push_back(Event::Ticket(turn, reply));
            }
            Effect::OpenSocket(turn, ClientFrame::Join { resume, bid, .. }) => {
                assert_eq!(self.socket, None, "two sockets");
                self.socket = Some(turn);
                self.asked.joins.push(resume.clone());
                if self.relay.sockets && self.relay.reachable {
                    self.asked.bids.extend(bid.clone());
                    if let Some(writer) = bid.and_then(|_| self.writer_frame()) {
                        self.inbox
                            .push_back(Event::Socket(turn, SocketEvent::Frame(writer)));
                    }
                }
                let event = if self.relay.sockets && self.relay.reachable {
                    let first = self.first_frame(resume.as_ref());
                    SocketEvent::Frame(first.unwrap_or(RelayFrame::Resumed {
                        v: VERSION,
                        position: self.position(),
                    }))
                } else {
                    SocketEvent::Closed
                };
                self.inbox.push_back(Event::Socket(turn, event));
            }
            Effect::OpenSocket(_, ClientFrame::Refresh { .. } | ClientFrame::Bid { .. }) => {
                panic!("a socket begins with a join")
            }
            Effect::Send(frame) => {
                assert!(self.socket.is_some(), "nothing is sent without a socket");
                match frame {
                    ClientFrame::Refresh { .. } => self.asked.refreshes += 1,
                    ClientFrame::Bid { bid, .. } => {
                        if bid.take_over {
                            self.relay.writer = None;
                            self.relay.fence += 1;
                        }
                        self.asked.bids.push(bid);
                        if let (Some(turn), Some(writer)) = (self.socket, self.writer_frame()) {
                            self.inbox
                                .push_back(Event::Socket(turn, SocketEvent::Frame(writer)));
                        }
                    }
                    ClientFrame::Join { .. } => panic!("a socket joins once"),
                }
            }
            Effect::CloseSocket => {
                assert!(self.socket.take().is_some(), "there is no socket to close");
            }
            Effect::Poll(turn, request) => {
                self.asked.polls.push(request.clone());
                match self.answer(()) {
                    Err(failure) => self.inbox.push_back(Event::Polled(turn, Err(failure))),
                    Ok(()) => match self.poll_reply(&request) {
                        Some(reply) => self.inbox.push_back(Event::Polled(turn, Ok(reply))),
                        None => self.held = Some((turn, request)),
                    },
                }
            }
            Effect::SetTwoWay(token, request) => {
                self.asked.two_way.push(request.on);
                let reply = self.answer(TwoWayReply { on: request.on });
                self.inbox.push_back(Event::TwoWay(token, reply));
            }
            Effect::Write(token, request) => {
                let results = vec![WriteResult::Written; request.cells.len()];
                let refusal = self.relay.write_refusals.pop_front();
                let reply = match refusal {
                    Some(failure) => Err(failure),
                    None => self.answer(WriteReply { results }),
                };
                self.asked.writes.push(request);
                self.inbox.push_back(Event::Wrote(token, reply));
            }
            Effect::OpenWindow(url) => self.windows.push(url),
            Effect::StartTimer(timer, token, ms) => {
                if timer == Timer::Retry {
                    self.waits.push(ms);
                }
                self.timers
                    .insert(timer as u8, (self.now + ms, timer, token));
            }
            Effect::EvaluateFlags => self.asked.evaluations += 1,
        }
    }

    fn tell_sandbox(&mut self, message: ToSandbox, bulk: Option<String>) {
        self.sandbox.messages.push((message.clone(), bulk));
        match message {
            ToSandbox::SaveSession { session } => self.sandbox.session = session,
            ToSandbox::Writer { yes, nonce, renew } => {
                self.sandbox.writes = yes;
                if yes && !nonce.is_empty() {
                    self.sandbox.nonce = nonce;
                }
                self.sandbox.file_ids += u32::from(renew);
                let told = ToPanel::File {
                    id: format!("file-{}", self.sandbox.file_ids),
                    panel: "panel-1".into(),
                    nonce: self.sandbox.nonce.clone(),
                };
                self.inbox.push_back(Event::Sandbox(told));
            }
            ToSandbox::Connect { sheet } => {
                self.sandbox.connection = Some(Connection {
                    sheet,
                    columns: Vec::new(),
                    approved: false,
                    ..connection(false)
                });
                self.say_connection();
            }
            ToSandbox::Snapshot { position, .. } | ToSandbox::Changes { position, .. } => {
                if !self.sandbox.busy {
                    self.work_off(position);
                }
            }
            ToSandbox::ConfirmColumns { columns, .. } => {
                if let Some(kept) = &mut self.sandbox.connection {
                    kept.columns = columns;
                }
                self.say_connection();
                let position = self.session.position().cloned();
                self.work_off(position.expect("there are cells"));
            }
            ToSandbox::Approve { .. } => {
                if let Some(kept) = &mut self.sandbox.connection {
                    kept.approved = true;
                }
                self.say_connection();
                self.inbox
                    .push_back(Event::Sandbox(ToPanel::Progress { done: 0, total: 1 }));
                let position = self.session.position().cloned();
                self.work_off(position.expect("there are cells"));
            }
            ToSandbox::Toggle { on } => {
                if let Some(kept) = &mut self.sandbox.connection {
                    kept.on = on;
                }
                self.say_connection();
                if !on {
                    self.inbox.push_back(Event::Sandbox(ToPanel::Stopped {
                        reason: StopReason::Toggled,
                    }));
                }
            }
            ToSandbox::Disconnect => {
                self.sandbox.connection = None;
                self.say_connection();
                self.inbox.push_back(Event::Sandbox(ToPanel::Stopped {
                    reason: StopReason::Disconnected,
                }));
            }
            ToSandbox::SetPolicy { policy } => {
                if let Some(kept) = &mut self.sandbox.connection {
                    kept.policy = policy;
                }
                self.say_connection();
            }
            ToSandbox::SetThreshold { variables } => {
                if let Some(kept) = &mut self.sandbox.connection {
                    kept.threshold = variables;
                }
                self.say_connection();
            }
            ToSandbox::SetTwoWay { on } => {
                if let Some(kept) = &mut self.sandbox.connection {
                    kept.two_way = on;
                    kept.policy.drift = if on {
                        DriftPolicy::Push
                    } else {
                        DriftPolicy::Keep
                    };
                }
                self.say_connection();
            }
            ToSandbox::SyncNow => {
                if let Some(position) = self.session.position().cloned() {
                    self.work_off(position);
                }
            }
            ToSandbox::Ready { .. }
            | ToSandbox::FlagsEvaluated { .. }
            | ToSandbox::ListVariables
            | ToSandbox::Manage { .. }
            | ToSandbox::KeepRemoved { .. }
            | ToSandbox::KeepFile { .. }
            | ToSandbox::KeepApart { .. }
            | ToSandbox::LeaveOut { .. }
            | ToSandbox::TakeIn { .. }
            | ToSandbox::AddSource { .. }
            | ToSandbox::RemoveSource { .. }
            | ToSandbox::ListRuns
            | ToSandbox::Restore { .. }
            | ToSandbox::Resolve { .. }
            | ToSandbox::Look
            | ToSandbox::Pushed { .. }
            | ToSandbox::Cancel
            | ToSandbox::Resize { .. }
            | ToSandbox::Hide
            | ToSandbox::Close
            | ToSandbox::Notify { .. }
            | ToSandbox::Import(_) => {}
        }
    }

    fn say_connection(&mut self) {
        let connection = self.sandbox.connection.clone().map(Box::new);
        self.inbox
            .push_back(Event::Sandbox(ToPanel::ConnectionChanged { connection }));
    }

    /// The sandbox's answer to cells.
    fn work_off(&mut self, position: Position) {
        let message = match &self.sandbox.connection {
            Some(kept) if kept.approved => ToPanel::Applied(report(position)),
            Some(kept) if !kept.columns.is_empty() => {
                self.sandbox.plan += 1;
                ToPanel::Preview(preview(self.sandbox.plan))
            }
            Some(_) => ToPanel::Inferred {
                columns: columns(),
                header_row: 0,
                sample: vec![vec!["color/bg".into()]],
                problems: Vec::new(),
                layout: None,
                sheet: None,
            },
            None => return,
        };
        self.inbox.push_back(Event::Sandbox(message));
    }

    /// The sandbox has time again, and tells where it stands.
    pub fn sandbox_catches_up(&mut self, position: Position) {
        self.sandbox.busy = false;
        self.hear(ToPanel::Applied(report(position)));
    }

    pub fn connected(&self) -> &Connected {
        match self.session.state() {
            State::Connected(connected) => connected,
            other => panic!("not connected but {other:?}"),
        }
    }

    pub fn link(&self) -> Link {
        self.connected().link
    }

    pub fn notice(&self) -> &str {
        let notice = self.session.notice().expect("something is told");
        assert!(notice.remedy.is_some(), "{notice:?} names no way out");
        &notice.message
    }

    /// The texts of the cells that the sandbox was given, in order.
    pub fn cells(&self) -> Vec<&str> {
        let bulks = self.sandbox.messages.iter();
        bulks.filter_map(|(_, bulk)| bulk.as_deref()).collect()
    }

    pub fn closing(reason: CloseReason) -> RelayFrame {
        RelayFrame::Closing { v: VERSION, reason }
    }
}
