//! The world: its clock, its network, and everything that happens in it.
//!
//! Owns the heap of events, how messages are delayed, lost and repeated, the shells that perform what sessions ask for,
//! what designers do, the healing and the last comparison. Must not know what a cell means.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::plugin::Plugin;
use crate::random::Random;
use crate::relay::{Held, Member, Relay, sheet_ref};
use crate::sheet::Sheet;
use crate::{Tally, Trace, note, oracle};
use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{
    Choice, ConflictPolicy, DriftPolicy, MergePolicy, PreviewKind, PreviewRow, Role, ToPanel,
    ToSandbox, WaitReason,
};
use sheetwire_core::protocol::relay::{
    ApiError, ClientFrame, CloseReason, ErrorCode, HEARTBEAT_MS, PollReply, PollRequest,
    RelayFrame, SessionReply, SheetEntry, SignInReply, Spreadsheet, SpreadsheetEntry,
    SpreadsheetList, VERSION,
};
use sheetwire_core::session::{
    Action, Effect, Event, Failure, Link, SessionReplyBox, SocketEvent, State, StopReason, Timer,
};

/// Unix time at which every world begins, in milliseconds.
const BEGINNING_MS: u64 = 1_700_000_000_000;
/// How long things go wrong, in milliseconds.
const TROUBLED_MS: u64 = 150_000;
/// After the healing: when everything is compared again, and when the world ends, in milliseconds.
const SYNC_MS: u64 = 200_000;
const END_MS: u64 = 300_000;
/// Between two reads of the sheet, in milliseconds.
const READ_MS: u64 = 3_000;
/// How long a shell waits for an answer, in milliseconds.
const ANSWER_MS: u64 = 15_000;
/// More events than this are a world that goes round and round.
const EVENTS_MAX: u64 = 400_000;

/// What a panel asks the relay over HTTP.
#[derive(Debug, Clone)]
enum Request {
    Begin(u32),
    Redeem(u32),
    Renew(u32),
    List(u32),
    Tabs(u32, String),
    Ticket(u32),
    Poll(u32, PollRequest),
    SignOut,
    Flags,
}

/// What happens.
#[derive(Debug, Clone)]
enum What {
    Edit,
    EditFile,
    Designer,
    Crash,
    Open,
    CutOff,
    Reached,
    Expire,
    FlipFlag,
    StopRelay,
    StartRelay,
    Read,
    Beat,
    Heal,
    SyncAll,
    End,
    Asked(Request, Option<String>),
    Answered(Event),
    Evaluated(Option<bool>),
    Joined(u32, ClientFrame),
    Left(u32),
    Refresh,
    Frame(u32, SocketEvent),
    HeldEnds(u32),
    Timer(Timer, u32, u64),
    ToSandbox(ToSandbox, Option<String>),
    ToPanel(ToPanel),
    Step,
}

struct Entry {
    at: u64,
    order: u64,
    plugin: usize,
    /// The opening it is meant for; `None`: whichever there is.
    life: Option<u32>,
    what: What,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

pub struct World {
    random: Random,
    trace: Trace,
    heap: BinaryHeap<Reverse<Entry>>,
    order: u64,
    now: u64,
    healed: bool,
    sheet: Sheet,
    relay: Relay,
    plugins: Vec<Plugin>,
    /// For each member, when its last frame arrives: a socket keeps the order.
    arrivals: Vec<(Member, u64)>,
    tally: Tally,
    /// Nobody but the plugins touches the files, and Figma refuses nothing: then edits of the sheet alone must have led
    /// to what the sheet says, without comparing everything again at the end.
    hands_off: bool,
    /// How bad the network is, in thousandths.
    loss: u64,
    timers: u64,
}

fn summary(what: &What) -> String {
    match what {
        What::ToSandbox(message, bulk) => {
            let text = format!("{message:?}");
            let cells = bulk
                .as_deref()
                .map(|cells| cells.escape_debug().to_string());
            let cells = cells.unwrap_or_default();
            format!("to the sandbox: {} {}", cut(&text, 160), cut(&cells, 160))
        }
        What::ToPanel(message) => format!("to the panel: {}", cut(&format!("{message:?}"), 240)),
        other => cut(&format!("{other:?}"), 240),
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

impl World {
    pub fn new(seed: u64, trace: Trace) -> World {
        let mut random = Random::new(seed);
        let sheet = Sheet::new(&mut random);
        let plugins = (0..random.between(1, 4))
            .map(|_| Plugin::new(&mut random))
            .collect();
        let loss = *random.one(&[0, 10, 50, 150]);
        let hands_off = random.chance(300);
        World {
            random,
            trace,
            heap: BinaryHeap::new(),
            order: 0,
            now: BEGINNING_MS,
            healed: false,
            sheet,
            relay: Relay::new(),
            plugins,
            arrivals: Vec::new(),
            tally: Tally::default(),
            hands_off,
            loss,
            timers: 0,
        }
    }

    fn put(&mut self, after: u64, plugin: usize, life: Option<u32>, what: What) {
        self.order += 1;
        self.heap.push(Reverse(Entry {
            at: self.now + after,
            order: self.order,
            plugin,
            life,
            what,
        }));
    }

    /// For this opening of the plugin only.
    fn put_here(&mut self, after: u64, plugin: usize, what: What) {
        let life = self.plugins[plugin].life;
        self.put(after, plugin, Some(life), what);
    }

    /// Scatters one kind of trouble over the troubled time, `mean` milliseconds apart.
    fn scatter(&mut self, mean: u64, plugin: usize, what: &What) {
        let mut at = self.random.below(2 * mean);
        while at < TROUBLED_MS {
            self.put(at, plugin, None, what.clone());
            at += 1 + self.random.below(2 * mean);
        }
    }

    pub fn run(mut self) -> Result<Tally, String> {
        let packed = self.sheet.packed();
        self.relay.read(packed, self.now);
        let pace = *self.random.one(&[600, 2_500, 10_000]);
        self.scatter(pace, 0, &What::Edit);
        self.put(READ_MS, 0, None, What::Read);
        self.put(HEARTBEAT_MS, 0, None, What::Beat);
        if self.random.chance(600) {
            self.scatter(70_000, 0, &What::StopRelay);
        }
        if self.random.chance(150) {
            self.scatter(90_000, 0, &What::FlipFlag);
        }
        for plugin in 0..self.plugins.len() {
            let late = self.random.below(20_000);
            self.put(late, plugin, None, What::Open);
            self.put(late + 1_000, plugin, None, What::Designer);
            if !self.hands_off {
                self.scatter(12_000, plugin, &What::EditFile);
            }
            if self.random.chance(500) {
                self.scatter(60_000, plugin, &What::Crash);
            }
            if self.random.chance(500) {
                self.scatter(50_000, plugin, &What::CutOff);
            }
            if self.random.chance(200) {
                self.scatter(90_000, plugin, &What::Expire);
            }
        }
        self.put(TROUBLED_MS, 0, None, What::Heal);
        if !self.hands_off {
            self.put(TROUBLED_MS + SYNC_MS, 0, None, What::SyncAll);
        }
        self.put(TROUBLED_MS + END_MS, 0, None, What::End);

        while let Some(Reverse(entry)) = self.heap.pop() {
            self.now = entry.at;
            let Entry {
                plugin, life, what, ..
            } = entry;
            let here = &self.plugins[plugin];
            if life.is_some_and(|life| life != here.life || !here.is_open) {
                continue;
            }
            if !matches!(what, What::Step | What::Read | What::Beat) {
                let text = format!("{plugin}  {}", summary(&what));
                note(&self.trace, self.now - BEGINNING_MS, text);
            }
            self.tally.events += 1;
            if self.tally.events > EVENTS_MAX {
                return Err(String::from("the world goes round and round"));
            }
            if matches!(what, What::End) {
                return self.end();
            }
            self.happen(plugin, what)
                .map_err(|message| format!("plugin {plugin}: {message}"))?;
            self.check()?;
        }
        Err(String::from("the world stood still"))
    }

    fn check(&mut self) -> Result<(), String> {
        for (at, plugin) in self.plugins.iter_mut().enumerate() {
            if plugin.is_open {
                plugin
                    .check_session()
                    .map_err(|message| format!("plugin {at}: {message}"))?;
            }
            let held = self
                .relay
                .held
                .iter()
                .filter(|held| held.member.plugin == at && held.member.life == plugin.life);
            // One that was given up may still be held until its time is over.
            if held.count() > 4 {
                return Err(format!("plugin {at} polls in parallel"));
            }
        }
        Ok(())
    }

    fn happen(&mut self, plugin: usize, what: What) -> Result<(), String> {
        match what {
            What::Edit => {
                if !self.healed {
                    let word = self.sheet.edit(&mut self.random);
                    self.tally.edits += 1;
                    note(&self.trace, self.now - BEGINNING_MS, word.to_owned());
                }
            }
            What::EditFile => {
                if !self.healed {
                    let word = self.plugins[plugin].edit_file(&mut self.random);
                    self.tally.user_edits += 1;
                    note(&self.trace, self.now - BEGINNING_MS, word.to_owned());
                }
            }
            What::Designer => {
                let pause = if self.healed {
                    2_000
                } else {
                    1_000 + self.random.below(6_000)
                };
                self.put(pause, plugin, None, What::Designer);
                if let Some(action) = self.designer(plugin) {
                    self.session(plugin, Event::Act(action))?;
                }
            }
            What::Crash => {
                if !self.healed && self.plugins[plugin].is_open {
                    self.tally.crashes += 1;
                    self.close(plugin);
                    let pause = self.random.below(15_000);
                    self.put(pause, plugin, None, What::Open);
                }
            }
            What::Open => {
                if !self.plugins[plugin].is_open {
                    self.open(plugin)?;
                }
            }
            What::CutOff => {
                if !self.healed {
                    self.tally.breaks += 1;
                    self.plugins[plugin].is_cut_off = true;
                    self.break_socket(plugin);
                    let pause = self.random.below(40_000);
                    self.put(pause, plugin, None, What::Reached);
                }
            }
            What::Reached => {
                self.plugins[plugin].is_cut_off = false;
                if self.plugins[plugin].is_open {
                    self.session(plugin, Event::Online)?;
                }
            }
            What::Expire => {
                if !self.healed {
                    self.relay.tokens.retain(|(_, owner)| *owner != plugin);
                    self.send_closing(plugin, CloseReason::SignedOut);
                }
            }
            What::FlipFlag => {
                if !self.healed {
                    self.relay.flag = !self.relay.flag;
                    for member in self.relay.members.clone() {
                        self.send(member, RelayFrame::FlagsChanged { v: VERSION });
                    }
                }
            }
            What::StopRelay => {
                if !self.healed && self.relay.is_up {
                    self.tally.restarts += 1;
                    if self.random.chance(500) {
                        for at in 0..self.plugins.len() {
                            self.send_closing(at, CloseReason::Draining);
                        }
                    }
                    for at in 0..self.plugins.len() {
                        self.break_socket(at);
                    }
                    // Whoever waits for an answer hears that the connection broke.
                    for held in std::mem::take(&mut self.relay.held) {
                        let Member { plugin, life, turn } = held.member;
                        let event = Event::Polled(turn, Err(Failure::Network));
                        self.put(50, plugin, Some(life), What::Answered(event));
                    }
                    self.relay.is_up = false;
                    self.relay.restart();
                    let pause = self.random.below(20_000);
                    self.put(pause, 0, None, What::StartRelay);
                }
            }
            What::StartRelay => self.start_relay(),
            What::Read => {
                self.put(READ_MS, 0, None, What::Read);
                self.read();
            }
            What::Beat => {
                self.put(HEARTBEAT_MS, 0, None, What::Beat);
                for member in self.relay.members.clone() {
                    let beat = self.relay.heartbeat();
                    self.send(member, beat);
                }
            }
            What::Heal => self.heal(),
            What::SyncAll => {
                for at in 0..self.plugins.len() {
                    self.session(at, Event::Act(Action::SyncNow))?;
                }
            }
            What::End => {}
            What::Asked(request, token) => self.asked(plugin, request, token),
            What::Answered(event) => self.session(plugin, event)?,
            What::Evaluated(flag) => self.evaluated(plugin, flag),
            What::Joined(turn, frame) => self.joined(plugin, turn, frame),
            What::Left(turn) => {
                let life = self.plugins[plugin].life;
                self.relay.members.retain(|member| {
                    (member.plugin, member.life, member.turn) != (plugin, life, turn)
                });
            }
            What::Refresh => self.read(),
            What::Frame(turn, event) => {
                if self.plugins[plugin].socket == Some(turn) {
                    self.session(plugin, Event::Socket(turn, event))?;
                }
            }
            What::HeldEnds(turn) => self.held_ends(plugin, turn),
            What::Timer(timer, token, number) => {
                if self.plugins[plugin].timers.get(&(timer as u8)) == Some(&number) {
                    self.session(plugin, Event::Timer(timer, token))?;
                }
            }
            What::ToSandbox(message, bulk) => {
                self.plugins[plugin].tell_sandbox(message, bulk);
                self.after_sandbox(plugin);
            }
            What::ToPanel(message) => self.session(plugin, Event::Sandbox(message))?,
            What::Step => self.step(plugin)?,
        }
        Ok(())
    }

    // The people.

    fn designer(&mut self, plugin: usize) -> Option<Action> {
        let calm = self.healed;
        let here = &mut self.plugins[plugin];
        if !here.is_open {
            return None;
        }
        let random = &mut self.random;
        let state = here.session.state().clone();
        if !calm {
            match random.below(200) {
                0 => return Some(Action::SignOut),
                1 => return Some(Action::Disconnect),
                2 | 3 => return Some(Action::Toggle { on: false }),
                4 => return Some(Action::Back),
                5 => return Some(Action::EditColumns),
                6 => return Some(Action::CancelSignIn),
                7..12 => return Some(Action::SyncNow),
                12..15 => return Some(Action::Cancel),
                15..18 => return Some(Action::RetryNow),
                18 => return Some(Action::Refresh),
                19 => {
                    let drift = [DriftPolicy::Keep, DriftPolicy::Overwrite];
                    let conflict = [
                        ConflictPolicy::Ask,
                        ConflictPolicy::Sheet,
                        ConflictPolicy::Figma,
                    ];
                    return Some(Action::SetPolicy {
                        policy: MergePolicy {
                            drift: drift[random.below(2) as usize],
                            conflict: conflict[random.below(3) as usize],
                        },
                    });
                }
                28..31 if !self.hands_off => return Some(Action::ListRuns),
                31..35 if !self.hands_off => {
                    if let State::Connected(connected) = &state
                        && let Some(runs) = &connected.runs
                        && let Some(at) = random.place(runs.len())
                        && runs[..=at].iter().all(|run| run.restorable)
                    {
                        let run = runs[at].run.clone();
                        return Some(Action::Restore { run });
                    }
                }
                20..28 => {
                    if let State::Connected(connected) = &state
                        && !connected.differences.items.is_empty()
                    {
                        let count = connected.differences.items.len() as u64;
                        let one = vec![random.below(count) as u32];
                        return Some(Action::Resolve {
                            list: connected.differences.list,
                            items: if random.chance(300) { Vec::new() } else { one },
                            choice: if random.chance(500) {
                                Choice::Sheet
                            } else {
                                Choice::Figma
                            },
                        });
                    }
                }
                _ => {}
            }
        }
        match state {
            State::Off(_) | State::Dead { .. } => {
                // Off for want of an answer: the plugin is run again some time.
                if calm || random.chance(100) {
                    self.close(plugin);
                    self.put(500, plugin, None, What::Open);
                }
                None
            }
            State::ReadOnly | State::Reading => None,
            State::SignedOut => {
                here.redeems_left = random.below(4);
                Some(Action::SignIn)
            }
            State::SigningIn { .. } => Some(Action::OpenSignIn),
            State::ChoosingSpreadsheet { entries, .. } => {
                entries.map(|_| Action::ChooseSpreadsheet {
                    id: sheet_ref().spreadsheet_id,
                })
            }
            State::ChoosingSheet { spreadsheet } => spreadsheet.map(|_| Action::ChooseSheets {
                sheet_ids: vec![sheet_ref().sheet_id],
            }),
            // A sheet without its header may look as if it lay in another way; the designer knows better, and waits.
            State::ConfirmingColumns {
                layout: Some(_), ..
            } => None,
            State::ConfirmingColumns {
                columns,
                header_row,
                busy,
                problems,
                ..
            } => (!busy
                // A guess made while the header was gone may be on the screen when it is back already.
                && columns.iter().any(|column| column.header == "Name")
                && (problems.is_empty() || self.sheet.is_whole()))
            .then(|| {
                // A column of people's names may look like one of values, and few values like notes; the designer
                // knows better.
                let columns = columns.into_iter().map(|mut column| {
                    if column.header == "Owner" {
                        column.role = Role::Ignore;
                    } else if self.sheet.modes.contains(&column.header) {
                        let name = column.header.clone();
                        column.role = Role::Mode { name };
                    }
                    column
                });
                Action::ConfirmColumns {
                    columns: columns.collect(),
                    header_row,
                    layout: None,
                }
            }),
            State::Previewing(preview) => Some(Action::Approve {
                plan: preview.plan,
                include_removals: random.chance(300),
                retypes: Vec::new(),
            }),
            State::Connected(connected) => {
                if let Some((reason, preview)) = connected.waiting {
                    // Where columns can't be told any more, or another is taken for one, they are pointed out again.
                    let mistaken = |row: &PreviewRow| {
                        row.kind == PreviewKind::Rename
                            && row.fields.iter().any(|change| {
                                change.field == "mode" && !self.sheet.modes.contains(&change.after)
                            })
                    };
                    let is_lost = reason == WaitReason::Shrunken && self.sheet.is_whole();
                    if is_lost && random.chance(500) || preview.rows.iter().any(mistaken) {
                        return Some(Action::EditColumns);
                    }
                    return Some(if random.chance(850) {
                        Action::Approve {
                            plan: preview.plan,
                            include_removals: random.chance(500),
                            retypes: Vec::new(),
                        }
                    } else {
                        Action::KeepRemoved { plan: preview.plan }
                    });
                }
                match connected.stopped {
                    Some(StopReason::Toggled) => Some(Action::Toggle { on: true }),
                    Some(_) => Some(Action::SyncNow),
                    None => None,
                }
            }
        }
    }

    fn close(&mut self, plugin: usize) {
        let life = self.plugins[plugin].life;
        self.plugins[plugin].close();
        // The relay learns of it when the network tells it, which it may never do.
        if self.random.chance(700) {
            self.relay
                .members
                .retain(|member| (member.plugin, member.life) != (plugin, life));
        }
    }

    fn open(&mut self, plugin: usize) -> Result<(), String> {
        let seed = self.random.next() as u32;
        self.plugins[plugin].open(seed);
        self.session(
            plugin,
            Event::Sandbox(ToPanel::Hello {
                version: "0.1.0".into(),
                file_name: "File".into(),
                read_only: false,
                targeting_key: "key".into(),
                size: (400, 600),
                opening: None,
            }),
        )?;
        self.ask(plugin, Request::Flags);
        Ok(())
    }

    fn heal(&mut self) {
        self.healed = true;
        self.loss = 0;
        self.sheet.mend();
        self.relay.flag = true;
        self.start_relay();
        for plugin in 0..self.plugins.len() {
            self.plugins[plugin].sandbox.file.faults = 0;
            self.put(1, plugin, None, What::Reached);
            self.put(2, plugin, None, What::Open);
        }
    }

    // The relay.

    fn start_relay(&mut self) {
        if !self.relay.is_up {
            self.relay.is_up = true;
            self.read();
        }
    }

    fn read(&mut self) {
        // Google says no now and then.
        if !self.relay.is_up || (!self.healed && self.random.chance(60)) {
            return;
        }
        let packed = self.sheet.packed();
        if !self.relay.read(packed, self.now) {
            return;
        }
        for member in self.relay.members.clone() {
            let frame = self.relay.latest(self.now);
            self.send(member, frame);
        }
        for held in std::mem::take(&mut self.relay.held) {
            self.answer_poll(&held);
        }
    }

    fn answer_poll(&mut self, held: &Held) {
        let frame = self.relay.first(Some(&held.resume), self.now);
        let event = Event::Polled(
            held.member.turn,
            Ok(PollReply {
                frames: vec![frame],
            }),
        );
        self.answer(held.member.plugin, held.member.life, event);
    }

    fn held_ends(&mut self, plugin: usize, turn: u32) {
        let life = self.plugins[plugin].life;
        let member = Member { plugin, life, turn };
        if let Some(at) = self
            .relay
            .held
            .iter()
            .position(|held| held.member == member)
        {
            let held = self.relay.held.remove(at);
            self.answer_poll(&held);
        }
    }

    /// Puts a frame on a member's socket. A network that loses it breaks the socket: that is how a lost piece of a
    /// stream shows.
    fn send(&mut self, member: Member, frame: RelayFrame) {
        let lost = self.random.chance(self.loss);
        if lost || self.plugins[member.plugin].is_cut_off {
            self.break_socket(member.plugin);
            return;
        }
        let delay = self.delay();
        let arrives = self.now + delay;
        let at = match self.arrivals.iter().position(|(other, _)| *other == member) {
            Some(at) => at,
            None => {
                self.arrivals.push((member, arrives));
                self.arrivals.len() - 1
            }
        };
        // A stream keeps its order; a node in between that does not is met now and then all the same.
        let disorder = !self.healed && self.random.chance(10);
        let arrives = if disorder {
            arrives
        } else {
            arrives.max(self.arrivals[at].1)
        };
        self.arrivals[at].1 = arrives;
        let what = What::Frame(member.turn, SocketEvent::Frame(frame));
        if !self.healed && self.random.chance(10) {
            let again = arrives - self.now + self.random.below(2_000);
            self.put(again, member.plugin, Some(member.life), what.clone());
        }
        self.put(arrives - self.now, member.plugin, Some(member.life), what);
    }

    fn send_closing(&mut self, plugin: usize, reason: CloseReason) {
        let life = self.plugins[plugin].life;
        for member in self.relay.members.clone() {
            if (member.plugin, member.life) == (plugin, life) {
                self.send(member, RelayFrame::Closing { v: VERSION, reason });
            }
        }
        self.relay
            .members
            .retain(|member| (member.plugin, member.life) != (plugin, life));
    }

    /// The socket breaks: the relay knows at once, the panel some time later or through the silence.
    fn break_socket(&mut self, plugin: usize) {
        self.relay.members.retain(|member| member.plugin != plugin);
        if let Some(turn) = self.plugins[plugin].socket
            && (self.healed || self.random.chance(700))
        {
            self.tally.breaks += 1;
            let late = self.random.below(5_000);
            self.put_here(late, plugin, What::Frame(turn, SocketEvent::Closed));
        }
    }

    fn joined(&mut self, plugin: usize, turn: u32, frame: ClientFrame) {
        let life = self.plugins[plugin].life;
        let member = Member { plugin, life, turn };
        let ClientFrame::Join {
            ticket,
            resume,
            bid,
            ..
        } = frame
        else {
            return;
        };
        if !self.relay.is_up || self.plugins[plugin].is_cut_off {
            self.put_here(200, plugin, What::Frame(turn, SocketEvent::Closed));
            return;
        }
        if !self.relay.tickets.remove(&ticket) {
            let reason = CloseReason::Ticket;
            self.send(member, RelayFrame::Closing { v: VERSION, reason });
            return;
        }
        let first = self.relay.first(resume.as_ref(), self.now);
        self.relay.members.push(member);
        if bid.is_some() {
            self.send(member, self.relay.word());
        }
        self.send(member, first);
    }

    fn asked(&mut self, plugin: usize, request: Request, token: Option<String>) {
        if let Request::Flags = request {
            let flag = (self.relay.is_up
                && !self.plugins[plugin].is_cut_off
                && (self.healed || !self.random.chance(50)))
            .then_some(self.relay.flag);
            self.put_here(20, plugin, What::Evaluated(flag));
            return;
        }
        let signed_in = self.relay.knows(token.as_deref(), plugin);
        let failure = if !self.relay.is_up {
            Some(Failure::Network)
        } else if !self.healed && self.random.chance(30) {
            let code = *self.random.one(&[
                ErrorCode::TooMany,
                ErrorCode::Unavailable,
                ErrorCode::Google,
            ]);
            Some(refused(code))
        } else if !self.healed && self.random.chance(5) {
            Some(Failure::Unreadable)
        } else {
            let free = matches!(request, Request::Begin(_) | Request::Redeem(_));
            (!free && !signed_in).then(|| refused(ErrorCode::SignedOut))
        };
        let life = self.plugins[plugin].life;
        let event = match request {
            Request::Begin(ask) => Event::Begun(
                ask,
                failure.map_or_else(
                    || {
                        Ok(SignInReply {
                            flow: "flow".into(),
                            code: "KQ4-7TM".into(),
                            url: "http://localhost/signin".into(),
                            expires_in_s: 600,
                        })
                    },
                    Err,
                ),
            ),
            Request::Redeem(ask) => {
                let left = &mut self.plugins[plugin].redeems_left;
                let result = match failure {
                    Some(failure) => Err(failure),
                    None if *left > 0 => {
                        *left -= 1;
                        Ok(None)
                    }
                    None if !self.healed && self.random.chance(100) => {
                        Err(refused(ErrorCode::Declined))
                    }
                    None => Ok(Some(self.new_session(plugin))),
                };
                Event::Redeemed(ask, result)
            }
            Request::Renew(ask) => {
                let result = match failure {
                    Some(failure) => Err(failure),
                    None => Ok(self.new_session(plugin)),
                };
                Event::Renewed(ask, result)
            }
            Request::List(ask) => Event::Listed(
                ask,
                failure.map_or_else(
                    || {
                        Ok(SpreadsheetList {
                            spreadsheets: vec![SpreadsheetEntry {
                                id: sheet_ref().spreadsheet_id,
                                title: "Design".into(),
                                modified: "2026-01-01T00:00:00Z".into(),
                            }],
                        })
                    },
                    Err,
                ),
            ),
            Request::Tabs(ask, id) => Event::Tabs(
                ask,
                failure.map_or_else(
                    || {
                        Ok(Spreadsheet {
                            id,
                            title: "Design".into(),
                            locale: "en_US".into(),
                            sheets: vec![SheetEntry {
                                sheet_id: sheet_ref().sheet_id,
                                title: "Tokens".into(),
                                rows: 100,
                                columns: 26,
                            }],
                        })
                    },
                    Err,
                ),
            ),
            Request::Ticket(turn) => {
                let result = match failure {
                    Some(failure) => Err(failure),
                    None => {
                        let ticket = self.relay.issue("ticket");
                        self.relay.tickets.insert(ticket.clone());
                        Ok(ticket)
                    }
                };
                Event::Ticket(turn, result)
            }
            Request::Poll(turn, request) => match (failure, request.resume) {
                (Some(failure), _) => Event::Polled(turn, Err(failure)),
                (None, Some(resume)) if resume == self.relay.position() => {
                    let member = Member { plugin, life, turn };
                    self.relay.held.push(Held { member, resume });
                    self.put_here(request.wait_ms, plugin, What::HeldEnds(turn));
                    return;
                }
                (None, resume) => {
                    let word = request.bid.map(|_| self.relay.word());
                    let frame = self.relay.first(resume.as_ref(), self.now);
                    let frames = word.into_iter().chain([frame]).collect();
                    Event::Polled(turn, Ok(PollReply { frames }))
                }
            },
            Request::SignOut => {
                self.relay
                    .tokens
                    .retain(|(known, _)| Some(known) != token.as_ref());
                return;
            }
            Request::Flags => return,
        };
        self.answer(plugin, life, event);
    }

    fn new_session(&mut self, plugin: usize) -> SessionReplyBox {
        let token = self.relay.issue("token");
        self.relay.tokens.push((token.clone(), plugin));
        SessionReplyBox(Box::new(SessionReply {
            session: token,
            expires_in_s: 30 * 24 * 60 * 60,
            account: "ana@example.com".into(),
            picked: Vec::new(),
        }))
    }

    /// Sends an answer back; one that is lost becomes a failure when the shell has waited long enough.
    fn answer(&mut self, plugin: usize, life: u32, event: Event) {
        if self.plugins[plugin].is_cut_off || self.random.chance(self.loss) {
            if let Some(event) = unanswered(event) {
                self.put(ANSWER_MS, plugin, Some(life), What::Answered(event));
            }
            return;
        }
        let delay = self.delay();
        self.put(delay, plugin, Some(life), What::Answered(event));
    }

    fn delay(&mut self) -> u64 {
        if !self.healed && self.random.chance(30) {
            self.random.between(500, 8_000)
        } else {
            self.random.between(5, 120)
        }
    }

    // The panel's shell.

    fn ask(&mut self, plugin: usize, request: Request) {
        let token = self.plugins[plugin].session.token().map(str::to_owned);
        self.ask_with(plugin, request, token);
    }

    fn ask_with(&mut self, plugin: usize, request: Request, token: Option<String>) {
        if self.plugins[plugin].is_cut_off || self.random.chance(self.loss) {
            let failed = match request {
                Request::Begin(ask) => Some(Event::Begun(ask, Err(Failure::Network))),
                Request::Redeem(ask) => Some(Event::Redeemed(ask, Err(Failure::Network))),
                Request::Renew(ask) => Some(Event::Renewed(ask, Err(Failure::Network))),
                Request::List(ask) => Some(Event::Listed(ask, Err(Failure::Network))),
                Request::Tabs(ask, _) => Some(Event::Tabs(ask, Err(Failure::Network))),
                Request::Ticket(turn) => Some(Event::Ticket(turn, Err(Failure::Network))),
                Request::Poll(turn, _) => Some(Event::Polled(turn, Err(Failure::Network))),
                Request::SignOut => None,
                Request::Flags => {
                    self.put_here(ANSWER_MS, plugin, What::Evaluated(None));
                    None
                }
            };
            if let Some(event) = failed {
                let late = if self.random.chance(500) {
                    50
                } else {
                    ANSWER_MS
                };
                self.put_here(late, plugin, What::Answered(event));
            }
            return;
        }
        let delay = self.delay();
        self.put_here(delay, plugin, What::Asked(request, token));
    }

    /// Hands the session an event and performs what it asks for.
    fn session(&mut self, plugin: usize, event: Event) -> Result<(), String> {
        let here = &mut self.plugins[plugin];
        if !here.is_open {
            return Ok(());
        }
        let effects = here.session.take(event, self.now);
        if matches!(here.session.state(), State::Off(_) | State::Dead { .. })
            && !effects
                .iter()
                .all(|effect| matches!(effect, Effect::CloseSocket))
        {
            return Err(format!("asked for while off: {effects:?}"));
        }
        for effect in effects {
            self.perform(plugin, effect)?;
        }
        Ok(())
    }

    fn perform(&mut self, plugin: usize, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Say(message, bulk) => {
                let here = &mut self.plugins[plugin];
                here.sandbox_ms = here.sandbox_ms.max(self.now + 1 + self.random.below(8));
                let after = here.sandbox_ms - self.now;
                self.put_here(after, plugin, What::ToSandbox(message, bulk));
            }
            Effect::BeginSignIn(ask) => self.ask(plugin, Request::Begin(ask)),
            Effect::Redeem(ask, _) => self.ask(plugin, Request::Redeem(ask)),
            Effect::Renew(ask) => self.ask(plugin, Request::Renew(ask)),
            Effect::SignOut(token) => self.ask_with(plugin, Request::SignOut, Some(token)),
            Effect::List(ask) => self.ask(plugin, Request::List(ask)),
            Effect::Tabs(ask, id) => self.ask(plugin, Request::Tabs(ask, id)),
            Effect::Ticket(turn, _) => self.ask(plugin, Request::Ticket(turn)),
            Effect::OpenSocket(turn, join) => {
                let here = &mut self.plugins[plugin];
                if here.socket.replace(turn).is_some() {
                    return Err(String::from("two sockets"));
                }
                let delay = self.delay();
                let here = &self.plugins[plugin];
                if here.is_cut_off || here.has_no_sockets || self.random.chance(self.loss) {
                    self.put_here(delay, plugin, What::Frame(turn, SocketEvent::Closed));
                } else {
                    self.put_here(delay, plugin, What::Joined(turn, join));
                }
            }
            Effect::Send(_) => {
                if self.plugins[plugin].socket.is_none() {
                    return Err(String::from("sent without a socket"));
                }
                let delay = self.delay();
                self.put_here(delay, plugin, What::Refresh);
            }
            Effect::CloseSocket => {
                let Some(turn) = self.plugins[plugin].socket.take() else {
                    return Err(String::from("closed a socket that was not open"));
                };
                let delay = self.delay();
                self.put_here(delay, plugin, What::Left(turn));
            }
            Effect::Poll(turn, request) => self.ask(plugin, Request::Poll(turn, request)),
            Effect::OpenWindow(_) => {}
            // Nobody switches two-way sync on in these worlds.
            Effect::SetTwoWay(..) | Effect::Write(..) => {
                return Err(String::from("wrote to the sheet unasked"));
            }
            Effect::StartTimer(timer, token, ms) => {
                self.timers += 1;
                let number = self.timers;
                self.plugins[plugin].timers.insert(timer as u8, number);
                self.put_here(ms, plugin, What::Timer(timer, token, number));
            }
            Effect::EvaluateFlags => self.ask(plugin, Request::Flags),
        }
        Ok(())
    }

    // The sandbox's shell.

    fn evaluated(&mut self, plugin: usize, flag: Option<bool>) {
        let here = &mut self.plugins[plugin];
        let decision = match (flag, here.is_running) {
            (Some(true), _) | (None, true) => Decision::On,
            (Some(false), _) => Decision::NotYet,
            (None, false) => Decision::Unknown,
        };
        let was_running = here.is_running;
        let mut told = vec![ToPanel::Flags {
            realtime_sync: decision,
        }];
        match (decision, was_running) {
            (Decision::On, false) => {
                here.begin();
                told.push(ToPanel::Kept {
                    session: here.kept_session.clone(),
                    connection: here.sandbox.kept.clone().map(Box::new),
                });
            }
            (Decision::NotYet | Decision::SwitchedOff | Decision::Unknown, true) => {
                here.sandbox.engine.switch_off();
                here.sandbox.drop_pending();
                here.sandbox.hear();
                here.is_running = false;
            }
            (_, _) => {}
        }
        for message in told {
            self.post(plugin, message);
        }
        self.after_sandbox(plugin);
    }

    fn post(&mut self, plugin: usize, message: ToPanel) {
        let here = &mut self.plugins[plugin];
        here.panel_ms = here.panel_ms.max(self.now + 1 + self.random.below(8));
        let after = here.panel_ms - self.now;
        self.put_here(after, plugin, What::ToPanel(message));
    }

    fn after_sandbox(&mut self, plugin: usize) {
        for message in self.plugins[plugin].take_told() {
            self.post(plugin, message);
        }
        let here = &mut self.plugins[plugin];
        if here.is_running && !std::mem::replace(&mut here.is_stepping, true) {
            self.put_here(1, plugin, What::Step);
        }
    }

    fn step(&mut self, plugin: usize) -> Result<(), String> {
        if !self.plugins[plugin].is_running {
            self.plugins[plugin].is_stepping = false;
            return Ok(());
        }
        // Figma refuses something in the middle.
        if !self.healed && !self.hands_off && self.random.chance(4) {
            let file = &mut self.plugins[plugin].sandbox.file;
            file.fault_after = self.random.below(6) as u32;
            file.faults = 1 + self.random.below(2) as u32;
        }
        let steps = self.random.between(1, 24);
        let more = self.plugins[plugin].step(steps, self.hands_off)?;
        for message in self.plugins[plugin].take_told() {
            self.post(plugin, message);
        }
        self.plugins[plugin].is_stepping = more;
        if more {
            let pause = 1 + self.random.below(9);
            self.put_here(pause, plugin, What::Step);
            return Ok(());
        }
        self.compare_now(plugin)
    }

    /// Compares a file that nobody else touches as soon as it was made equal to the sheet.
    fn compare_now(&mut self, plugin: usize) -> Result<(), String> {
        let here = &mut self.plugins[plugin];
        let applied = here.applied.take();
        if !self.hands_off
            || applied != Some(self.relay.position())
            || !self.sheet.is_whole()
            || !self.relay.is_current(&self.sheet.packed())
        {
            return Ok(());
        }
        let (claims, explained) = oracle::compare(
            &self.sheet,
            &here.sandbox.file,
            &here.problems,
            &here.differences,
            here.sandbox.engine.connection(),
            self.hands_off,
        )?;
        self.tally.claims += claims;
        self.tally.explained += explained;
        Ok(())
    }

    // The end.

    fn end(mut self) -> Result<Tally, String> {
        for at in 0..self.plugins.len() {
            let here = &self.plugins[at];
            let wrong = |message: String| Err(format!("plugin {at} at the end: {message}"));
            let State::Connected(connected) = here.session.state() else {
                return wrong(format!("not connected but {:?}", here.session.state()));
            };
            if !matches!(connected.link, Link::Live | Link::Polling) {
                return wrong(format!("the link is {:?}", connected.link));
            }
            if connected.stopped.is_some() || connected.waiting.is_some() {
                return wrong(format!(
                    "stopped {:?}, waiting {:?}",
                    connected.stopped,
                    connected.waiting.as_ref().map(|(reason, _)| reason)
                ));
            }
            let position = self.relay.position();
            if here.session.position() != Some(&position) {
                return wrong(format!(
                    "stands at {:?}, the relay at {position:?}",
                    here.session.position()
                ));
            }
            if here.is_stepping {
                return wrong(String::from("the engine is still busy"));
            }
            let (claims, explained) = oracle::compare(
                &self.sheet,
                &here.sandbox.file,
                &here.problems,
                &here.differences,
                here.sandbox.engine.connection(),
                self.hands_off,
            )
            .map_err(|message| format!("plugin {at} at the end: {message}"))?;
            here.check_hand_edits()
                .map_err(|message| format!("plugin {at} at the end: {message}"))?;
            self.tally.polling += u64::from(connected.link == Link::Polling);
            self.tally.claims += claims;
            self.tally.explained += explained;
            self.tally.writes += here.writes;
        }
        Ok(self.tally)
    }
}

fn refused(code: ErrorCode) -> Failure {
    Failure::Api(ApiError {
        code,
        message: "The relay says no.".into(),
        remedy: None,
    })
}

/// What a shell says when no answer came.
fn unanswered(event: Event) -> Option<Event> {
    let failure = Failure::Network;
    match event {
        Event::Begun(token, _) => Some(Event::Begun(token, Err(failure))),
        Event::Redeemed(token, _) => Some(Event::Redeemed(token, Err(failure))),
        Event::Renewed(token, _) => Some(Event::Renewed(token, Err(failure))),
        Event::Listed(token, _) => Some(Event::Listed(token, Err(failure))),
        Event::Tabs(token, _) => Some(Event::Tabs(token, Err(failure))),
        Event::Ticket(token, _) => Some(Event::Ticket(token, Err(failure))),
        Event::Polled(token, _) => Some(Event::Polled(token, Err(failure))),
        Event::TwoWay(token, _) => Some(Event::TwoWay(token, Err(failure))),
        Event::Wrote(token, _) => Some(Event::Wrote(token, Err(failure))),
        Event::Act(_)
        | Event::Sandbox(_)
        | Event::Focus
        | Event::Socket(..)
        | Event::Timer(..)
        | Event::Online => None,
    }
}
