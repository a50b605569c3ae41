//! The world: its clock and everything that happens in it.
//!
//! Owns the heap of events, the shells that perform what sessions ask for, the healing, the writers that leave, and the
//! last comparison. Must not know what a cell means; network.rs and people.rs beside it tell of theirs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::document::{Change, Document};
use crate::network::Request;
use crate::plugin::{Plugin, Slice, User};
use crate::random::Random;
use crate::relay::Relay;
use crate::sheet::Sheet;
use crate::{Count, Tally, Trace, oracle};
use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{ToPanel, ToSandbox};
use sheetwire_core::protocol::relay::{
    ClientFrame, CloseReason, HEARTBEAT_MS, RelayFrame, VERSION,
};
use sheetwire_core::session::{Action, Effect, Event, Link, SocketEvent, State, Timer};

/// Unix time at which every world begins, in milliseconds.
const BEGINNING_MS: u64 = 1_700_000_000_000;
/// How long things go wrong, in milliseconds.
const TROUBLED_MS: u64 = 150_000;
/// After the healing: from when on no old grant may be written under, when writers leave, when everything is compared
/// again, and when the world ends, in milliseconds.
const SETTLED_MS: u64 = 90_000;
const LEAVING_MS: u64 = 110_000;
const SYNC_MS: u64 = 200_000;
const END_MS: u64 = 300_000;
/// Within what another panel takes over from a writer that left, in milliseconds, and how long a word may travel to it.
const TAKEOVER_MS: u64 = 10_000;
const WORD_MS: u64 = 500;
/// Between two reads of the sheet, in milliseconds.
const READ_MS: u64 = 3_000;
/// Between two looks at the leases, in milliseconds.
const SWEEP_MS: u64 = 1_000;
/// More events than this are a world that goes round and round.
const EVENTS_MAX: u64 = 400_000;
/// Most copies of files in a world.
const COPIES_MAX: usize = 2;

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Edit,
    EditFile,
    Undo,
    Copy,
    Designer,
    Crash,
    Open,
    CutOff,
    Reached,
    Expire,
    FlipFlag,
    StopRelay,
    StartRelay,
    GoogleLeaves,
    GoogleReturns,
    Read,
    Beat,
    Sweep,
    Heal,
    WriterLeaves,
    TakenOver(Vacancy),
    SyncAll,
    End,
    Asked(Request, Option<String>),
    Answered(Event),
    Evaluated(Option<bool>),
    Joined(u32, ClientFrame),
    Bid(u32, ClientFrame),
    Left(u32),
    /// A socket that leads nowhere is found out.
    Dropped(u64),
    /// A sign of life.
    Pong(u64),
    Refresh,
    Frame(u32, SocketEvent),
    HeldEnds(u64),
    Timer(Timer, u32, u64),
    ToSandbox(ToSandbox, Option<String>),
    ToPanel(ToPanel),
    Step,
}

/// A panel that wrote its document has left it.
#[derive(Debug, Clone)]
pub(crate) struct Vacancy {
    document: usize,
    since: u64,
    /// The panel and its opening, and the grant it had.
    left: (usize, u32),
    fence: u64,
    /// The file's id then.
    file_id: String,
    /// The relay's epoch then: one that begins anew elects anew.
    epoch: String,
    /// Those who knew of the grant, and their openings.
    rivals: Vec<(usize, u32)>,
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

pub(crate) struct World {
    pub(crate) random: Random,
    trace: Trace,
    heap: BinaryHeap<Reverse<Entry>>,
    order: u64,
    pub(crate) now: u64,
    pub(crate) healed: bool,
    healed_ms: u64,
    pub(crate) sheet: Sheet,
    pub(crate) relay: Relay,
    pub(crate) google_is_away: bool,
    pub(crate) documents: Vec<Document>,
    copies: usize,
    users: Vec<User>,
    pub(crate) plugins: Vec<Plugin>,
    /// For each member, when its last frame arrives: a socket keeps the order.
    pub(crate) arrivals: BTreeMap<u64, u64>,
    pub(crate) tally: Tally,
    /// Nobody but the plugins touches the files, and Figma refuses nothing: then edits of the sheet alone must have led
    /// to what the sheet says, without comparing everything again at the end.
    pub(crate) hands_off: bool,
    /// How bad the network is, in thousandths.
    pub(crate) loss: u64,
    timers: u64,
}

/// Whether an event tells something to whoever reads what led to a failure.
fn is_telling(what: &What) -> bool {
    !matches!(
        what,
        What::Step
            | What::Read
            | What::Beat
            | What::Sweep
            | What::Pong(_)
            | What::Designer
            | What::HeldEnds(_)
            | What::Timer(Timer::Silence, ..)
    )
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

/// The variables that writes changed.
fn changed_ids(changes: &[Change]) -> BTreeSet<u32> {
    let ids = changes.iter().filter_map(|change| match change {
        Change::Variable { id, .. } => Some(*id),
        Change::Collection { .. } | Change::Mark(_) | Change::Run(_) => None,
    });
    ids.collect()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

impl World {
    pub(crate) fn new(seed: u64, trace: Trace) -> World {
        let mut random = Random::new(seed);
        let sheet = Sheet::new(&mut random);
        let loss = *random.one(&[0, 10, 50, 150]);
        let hands_off = random.chance(300);
        let mut world = World {
            random,
            trace,
            heap: BinaryHeap::new(),
            order: 0,
            now: BEGINNING_MS,
            healed: false,
            healed_ms: 0,
            sheet,
            relay: Relay::new(),
            google_is_away: false,
            documents: Vec::new(),
            copies: 0,
            users: Vec::new(),
            plugins: Vec::new(),
            arrivals: BTreeMap::new(),
            tally: Tally::default(),
            hands_off,
            loss,
            timers: 0,
        };
        world.people_come();
        world
    }

    /// Documents, who has them open, and in how many panels.
    fn people_come(&mut self) {
        let shapes: &[&[usize]] = &[&[1], &[1, 1], &[2], &[2], &[3], &[2, 1], &[4]];
        for (document, panels) in self.random.one(shapes).iter().enumerate() {
            self.documents.push(Document::new(&mut self.random));
            let first = self.users.len();
            for panel in 0..*panels {
                // Now and then one person has the file open twice.
                if panel == 0 || !self.random.chance(200) {
                    self.users.push(User::default());
                }
                let user = first.max(self.users.len() - 1);
                let number = self.plugins.len();
                let plugin = Plugin::new(number, document, user, &mut self.random);
                self.plugins.push(plugin);
            }
        }
    }

    pub(crate) fn put(&mut self, after: u64, plugin: usize, life: Option<u32>, what: What) {
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
    pub(crate) fn put_here(&mut self, after: u64, plugin: usize, what: What) {
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

    pub(crate) fn run(mut self) -> Result<Tally, String> {
        let packed = self.sheet.packed();
        self.relay.read(packed, self.now);
        let pace = *self.random.one(&[600, 2_500, 10_000]);
        self.scatter(pace, 0, &What::Edit);
        self.put(READ_MS, 0, None, What::Read);
        self.put(HEARTBEAT_MS, 0, None, What::Beat);
        self.put(SWEEP_MS, 0, None, What::Sweep);
        if self.random.chance(600) {
            self.scatter(70_000, 0, &What::StopRelay);
        }
        if self.random.chance(150) {
            self.scatter(90_000, 0, &What::FlipFlag);
        }
        if self.random.chance(250) {
            self.scatter(90_000, 0, &What::GoogleLeaves);
        }
        for plugin in 0..self.plugins.len() {
            let late = self.random.below(20_000);
            self.put(late, plugin, None, What::Open);
            self.put(late + 1_000, plugin, None, What::Designer);
            if !self.hands_off {
                self.scatter(12_000, plugin, &What::EditFile);
                self.scatter(50_000, plugin, &What::Undo);
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
        if self.random.chance(200) {
            let plugin = self.random.below(self.plugins.len() as u64) as usize;
            let at = self.random.below(TROUBLED_MS);
            self.put(at, plugin, None, What::Copy);
        }
        self.put(TROUBLED_MS, 0, None, What::Heal);
        self.put(TROUBLED_MS + LEAVING_MS, 0, None, What::WriterLeaves);
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
            if is_telling(&what) {
                let text = || format!("{plugin}  {}", summary(&what));
                self.trace.note(self.now - BEGINNING_MS, text);
            }
            self.tally.count(Count::Events);
            if self.tally.of(Count::Events) > EVENTS_MAX {
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
            let is_joined = self.relay.is_up
                && self.relay.members.iter().any(|member| {
                    (member.plugin, member.life) == (at, plugin.life)
                        && plugin.socket == Some(member.turn)
                });
            plugin.note_reach(is_joined, self.now);
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
        // No grant is given to two panels.
        for (at, plugin) in self.plugins.iter().enumerate() {
            let word = plugin.word.filter(|word| word.you);
            let rival = self.plugins[..at].iter().position(|other| {
                word.is_some() && other.is_open && plugin.is_open && other.word == word
            });
            if let Some(rival) = rival {
                return Err(format!("plugins {rival} and {at} write by {word:?}"));
            }
        }
        Ok(())
    }

    /// A plugin with its document and its user.
    fn parts(&mut self, plugin: usize) -> (&mut Plugin, &mut Document, &mut User) {
        let here = &mut self.plugins[plugin];
        let document = &mut self.documents[here.document];
        let user = &mut self.users[here.user];
        (here, document, user)
    }

    /// Whether a panel of the document is at work.
    fn is_at_work(&self, document: usize) -> bool {
        let mut plugins = self.plugins.iter();
        plugins.any(|other| other.document == document && other.is_stepping)
    }

    fn say(&self, word: impl FnOnce() -> String) {
        self.trace.note(self.now - BEGINNING_MS, word);
    }

    fn happen(&mut self, plugin: usize, what: What) -> Result<(), String> {
        match what {
            What::Edit => {
                if !self.healed {
                    let word = self.sheet.edit(&mut self.random);
                    self.tally.count(Count::SheetEdits);
                    self.say(|| word.to_owned());
                }
            }
            What::EditFile => {
                if !self.healed {
                    let document = self.plugins[plugin].document;
                    let races = self.is_at_work(document);
                    let word =
                        self.documents[document].edit(&mut self.random, races, &mut self.tally);
                    self.say(|| word);
                }
            }
            What::Undo => {
                if !self.healed {
                    let is_half = !self.plugins[plugin].sandbox.log.is_empty();
                    let (here, document, _) = self.parts(plugin);
                    if let Some(changes) = here.sandbox.take_undo() {
                        let ids = changed_ids(&changes);
                        document.undo(changes);
                        self.tally.count(if is_half {
                            Count::HalfRunsUndone
                        } else {
                            Count::RunsUndone
                        });
                        let what = if is_half { "half a run" } else { "a run" };
                        self.say(|| format!("{what} is undone, variables {ids:?}"));
                    }
                }
            }
            What::Copy => self.copy(plugin),
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
                    let amid = self.plugins[plugin].is_stepping;
                    self.tally.count(if amid {
                        Count::CrashesAtWork
                    } else {
                        Count::Crashes
                    });
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
                    self.tally.count(Count::PanelsCutOff);
                    self.cut_off(plugin);
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
                    self.tally.count(Count::SignInsExpired);
                    let user = self.plugins[plugin].user;
                    self.relay.tokens.retain(|(_, owner)| *owner != user);
                    for at in 0..self.plugins.len() {
                        if self.plugins[at].user == user {
                            self.send_closing(at, CloseReason::SignedOut);
                        }
                    }
                }
            }
            What::FlipFlag => {
                if !self.healed {
                    self.relay.flag = !self.relay.flag;
                    self.broadcast(&RelayFrame::FlagsChanged { v: VERSION });
                }
            }
            What::StopRelay => {
                if !self.healed && self.relay.is_up {
                    self.stop_relay();
                }
            }
            What::GoogleLeaves => {
                if !self.healed {
                    self.tally.count(Count::GoogleOutages);
                    self.google_is_away = true;
                    let pause = self.random.between(5_000, 45_000);
                    self.put(pause, 0, None, What::GoogleReturns);
                }
            }
            What::GoogleReturns => self.google_is_away = false,
            What::StartRelay => self.start_relay(),
            What::Read => {
                self.put(READ_MS, 0, None, What::Read);
                self.read();
            }
            What::Beat => {
                self.put(HEARTBEAT_MS, 0, None, What::Beat);
                let beat = self.relay.heartbeat();
                self.broadcast(&beat);
            }
            What::Sweep => {
                self.put(SWEEP_MS, 0, None, What::Sweep);
                self.sweep();
            }
            What::Heal => self.heal(),
            What::WriterLeaves => self.writers_leave(),
            What::TakenOver(vacancy) => self.taken_over(&vacancy)?,
            What::SyncAll => {
                for at in 0..self.plugins.len() {
                    self.session(at, Event::Act(Action::SyncNow))?;
                }
            }
            What::End => {}
            What::Asked(request, token) => self.asked(plugin, request, token),
            What::Answered(event) => {
                if let Event::Polled(_, Ok(reply)) = &event {
                    for frame in &reply.frames {
                        self.note_frame(plugin, frame);
                    }
                }
                self.session(plugin, event)?;
            }
            What::Evaluated(flag) => self.evaluated(plugin, flag),
            What::Joined(turn, frame) => self.joined(plugin, turn, frame),
            What::Bid(turn, frame) => {
                if let ClientFrame::Bid { bid, .. } = frame {
                    self.bid_later(plugin, turn, &bid);
                }
            }
            What::Left(turn) => {
                let life = self.plugins[plugin].life;
                let members = self.relay.members.iter();
                let left = members
                    .filter(|member| {
                        (member.plugin, member.life, member.turn) == (plugin, life, turn)
                    })
                    .map(|member| member.id);
                for id in left.collect::<Vec<_>>() {
                    self.relay.leave(id, self.now);
                }
            }
            What::Dropped(id) => self.relay.leave(id, self.now),
            What::Pong(id) => self.relay.election.heard(id, self.now),
            What::Refresh => self.read(),
            What::Frame(turn, event) => {
                if self.plugins[plugin].socket == Some(turn) {
                    if let SocketEvent::Frame(frame) = &event {
                        self.note_frame(plugin, frame);
                    }
                    self.session(plugin, Event::Socket(turn, event))?;
                }
            }
            What::HeldEnds(id) => self.held_ends(id),
            What::Timer(timer, token, number) => {
                if self.plugins[plugin].timers.get(&(timer as u8)) == Some(&number) {
                    self.session(plugin, Event::Timer(timer, token))?;
                }
            }
            What::ToSandbox(message, bulk) => {
                let (here, document, user) = self.parts(plugin);
                here.tell_sandbox(document, user, message, bulk);
                self.after_sandbox(plugin);
            }
            What::ToPanel(message) => self.session(plugin, Event::Sandbox(message))?,
            What::Step => self.step(plugin)?,
        }
        Ok(())
    }

    /// Closes a plugin. The relay learns of it when the network tells it, which may be much later.
    pub(crate) fn close(&mut self, plugin: usize) {
        self.note_leaving(plugin);
        let noticed = self.random.chance(700);
        let life = self.plugins[plugin].life;
        self.plugins[plugin].close();
        self.drop_members(plugin, life, noticed);
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

    /// A designer goes on in a copy of the file, which has all that stands in the file.
    fn copy(&mut self, plugin: usize) {
        if self.healed || self.copies == COPIES_MAX {
            return;
        }
        self.copies += 1;
        self.tally.count(Count::FilesCopied);
        let from = self.plugins[plugin].document;
        let copy = self.documents[from].copied(format!("Copy {}", self.copies));
        self.close(plugin);
        self.documents.push(copy);
        let here = &mut self.plugins[plugin];
        here.document = self.documents.len() - 1;
        here.sandbox.undo.clear();
        let pause = self.random.below(5_000);
        self.put(pause, plugin, None, What::Open);
    }

    fn heal(&mut self) {
        self.healed = true;
        self.healed_ms = self.now;
        self.loss = 0;
        self.google_is_away = false;
        self.sheet.mend();
        self.relay.flag = true;
        self.start_relay();
        for plugin in 0..self.plugins.len() {
            self.plugins[plugin].sandbox.own.faults = 0;
            self.put(1, plugin, None, What::Reached);
            self.put(2, plugin, None, What::Open);
        }
    }

    /// The panel that writes a document by the relay's word.
    fn writer_of(&self, document: usize) -> Option<usize> {
        let there = self.plugins.iter().enumerate();
        there
            .filter(|(_, plugin)| plugin.document == document && plugin.is_elected())
            .max_by_key(|(_, plugin)| plugin.word.map(|word| word.fence))
            .map(|(at, _)| at)
    }

    /// In every document that several panels have open, the one that writes leaves: with a word or without, or its
    /// network does.
    fn writers_leave(&mut self) {
        for document in 0..self.documents.len() {
            let panels = self.plugins.iter();
            let all_know = panels
                .filter(|plugin| plugin.document == document)
                .all(|plugin| plugin.is_open && plugin.word.is_some() && plugin.is_linked());
            let panels = self.plugins.iter();
            let count = panels.filter(|plugin| plugin.document == document).count();
            let (Some(writer), true) = (self.writer_of(document), all_know && count > 1) else {
                continue;
            };
            if self.random.chance(300) {
                self.cut_off(writer);
                self.put(3 * TAKEOVER_MS, writer, None, What::Reached);
            } else {
                self.close(writer);
                self.put(3 * TAKEOVER_MS, writer, None, What::Open);
            }
        }
    }

    /// The network of a panel goes.
    fn cut_off(&mut self, plugin: usize) {
        self.note_leaving(plugin);
        self.plugins[plugin].is_cut_off = true;
        self.plugins[plugin].deafen(self.now);
    }

    /// A panel is about to leave. If it writes, another has to in time.
    fn note_leaving(&mut self, plugin: usize) {
        let here = &self.plugins[plugin];
        let Some(word) = here.word.filter(|word| word.you && here.is_open) else {
            return;
        };
        if !self.relay.is_up || here.is_cut_off {
            return;
        }
        self.tally.count(Count::WritersLeft);
        let others = self.plugins.iter().enumerate();
        let rivals = others.filter(|(at, other)| {
            *at != plugin
                && other.document == here.document
                && other.reached_since.is_some()
                && other.word.is_some_and(|known| known.fence == word.fence)
        });
        let vacancy = Vacancy {
            document: here.document,
            since: self.now,
            left: (plugin, here.life),
            fence: word.fence,
            file_id: self.documents[here.document].file_id.clone(),
            epoch: self.relay.position().epoch,
            rivals: rivals.map(|(at, other)| (at, other.life)).collect(),
        };
        if !vacancy.rivals.is_empty() {
            let taken = What::TakenOver(vacancy);
            self.put(TAKEOVER_MS + WORD_MS, 0, None, taken);
        }
    }

    /// Another panel has to write by now, if there was one that the relay's words reached all the time, and the one that
    /// left has not come back.
    fn taken_over(&mut self, vacancy: &Vacancy) -> Result<(), String> {
        let reached = vacancy.rivals.iter().any(|(at, life)| {
            let rival = &self.plugins[*at];
            let since = rival.reached_since.filter(|_| rival.life == *life);
            since.is_some_and(|since| since <= vacancy.since)
        });
        let (left, life) = vacancy.left;
        let is_back = self.plugins[left].life == life && !self.plugins[left].is_cut_off;
        if !reached || is_back || self.relay.position().epoch != vacancy.epoch {
            return Ok(());
        }
        let document = &self.documents[vacancy.document];
        if document.told_fence <= vacancy.fence {
            // Who works in a copy bids for the same id until the nonce is missed there.
            let others = self.documents.iter().enumerate();
            let mut others = others.filter(|(at, _)| *at != vacancy.document);
            if others.any(|(_, other)| other.file_id == vacancy.file_id) {
                return Ok(());
            }
            // The relay's word may be under way to a panel that it reaches late.
            let (fence, next) = document.given;
            let reached = self.plugins[next].reached_since;
            if fence > vacancy.fence && reached.is_none_or(|since| since + WORD_MS > self.now) {
                return Ok(());
            }
            return Err(format!("nobody took over: {vacancy:?}"));
        }
        self.tally.count(Count::Takeovers);
        Ok(())
    }

    /// A panel is told who writes.
    fn note_frame(&mut self, plugin: usize, frame: &RelayFrame) {
        let (here, document, _) = self.parts(plugin);
        here.note_frame(frame);
        let granted = here.word.filter(|word| word.you);
        let granted = granted.map_or(0, |word| word.fence);
        document.told_fence = document.told_fence.max(granted);
    }

    // The panel's shell.

    /// Hands the session an event and performs what it asks for.
    pub(crate) fn session(&mut self, plugin: usize, event: Event) -> Result<(), String> {
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
                let delay = self.delay(plugin);
                let here = &self.plugins[plugin];
                if here.is_cut_off || here.has_no_sockets || self.random.chance(self.loss) {
                    self.put_here(delay, plugin, What::Frame(turn, SocketEvent::Closed));
                } else {
                    self.put_here(delay, plugin, What::Joined(turn, join));
                }
            }
            Effect::Send(frame) => {
                let Some(turn) = self.plugins[plugin].socket else {
                    return Err(String::from("sent without a socket"));
                };
                let delay = self.delay(plugin);
                let what = match frame {
                    ClientFrame::Refresh { .. } => What::Refresh,
                    ClientFrame::Bid { .. } | ClientFrame::Join { .. } => What::Bid(turn, frame),
                };
                self.put_here(delay, plugin, what);
            }
            Effect::CloseSocket => {
                let Some(turn) = self.plugins[plugin].socket.take() else {
                    return Err(String::from("closed a socket that was not open"));
                };
                let delay = self.delay(plugin);
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
        let (here, document, user) = self.parts(plugin);
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
                here.sandbox.begin(document, &user.marks);
                here.is_running = true;
                here.is_stepping = false;
                told.push(ToPanel::Kept {
                    session: user.session.clone(),
                    connection: document.kept.clone().map(Box::new),
                });
            }
            (Decision::NotYet | Decision::SwitchedOff | Decision::Unknown, true) => {
                here.sandbox.engine.switch_off();
                here.sandbox.drop_pending();
                here.sandbox.hear(document, &mut user.marks);
                here.sandbox.end();
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

    fn post_told(&mut self, plugin: usize) {
        let here = &mut self.plugins[plugin];
        let document = &mut self.documents[here.document];
        for message in here.take_told(document, &mut self.tally) {
            self.post(plugin, message);
        }
    }

    fn after_sandbox(&mut self, plugin: usize) {
        self.post_told(plugin);
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
            let file = &mut self.plugins[plugin].sandbox.own;
            file.fault_after = self.random.below(6) as u32;
            file.faults = 1 + self.random.below(2) as u32;
        }
        let slice = Slice {
            steps: self.random.between(1, 24),
            fails: !self.healed && !self.hands_off && self.random.chance(1),
            alone: self.hands_off,
            is_settled: self.healed && self.now > self.healed_ms + SETTLED_MS,
        };
        let faults = self.plugins[plugin].sandbox.own.faults;
        let here = &mut self.plugins[plugin];
        let document = &mut self.documents[here.document];
        let user = &mut self.users[here.user];
        let more = here.step(document, user, &mut self.random, slice, &mut self.tally)?;
        let refused = faults - self.plugins[plugin].sandbox.own.faults;
        self.tally.add_to(Count::WritesRefused, u64::from(refused));
        self.post_told(plugin);
        self.plugins[plugin].is_stepping = more;
        if more {
            let pause = 1 + self.random.below(9);
            self.put_here(pause, plugin, What::Step);
            self.disturb(plugin, pause);
            return Ok(());
        }
        let document = self.plugins[plugin].document;
        if !self.is_at_work(document) {
            self.documents[document].note_rest();
        }
        self.compare_now(plugin)
    }

    /// Before a panel goes on with its work, somebody edits what it reads and writes, takes it back, or it ends.
    fn disturb(&mut self, plugin: usize, pause: u64) {
        if self.healed {
            return;
        }
        let amid = self.random.below(pause);
        match self.random.below(1_000) {
            0..2 => self.put_here(amid, plugin, What::Crash),
            2..8 if !self.hands_off => self.put_here(amid, plugin, What::EditFile),
            8 if !self.hands_off => self.put_here(amid, plugin, What::Undo),
            9 => self.put(amid, 0, None, What::StopRelay),
            _ => {}
        }
    }

    /// Compares a file that nobody else touches as soon as it was made equal to the sheet.
    fn compare_now(&mut self, plugin: usize) -> Result<(), String> {
        let applied = self.plugins[plugin].applied.take();
        if !self.hands_off
            || applied != Some(self.relay.position())
            // Who stopped being the writer before the rest was told shows nothing more of its plan.
            || !self.plugins[plugin].sandbox.is_writer
            || !self.sheet.is_whole()
            || !self.relay.is_current(&self.sheet.packed())
            || self.is_at_work(self.plugins[plugin].document)
            // What a panel wrote that was cut off is found out soon, but not at once.
            || self.documents[self.plugins[plugin].document].written_by != Some(plugin)
        {
            return Ok(());
        }
        self.compare(plugin)
    }

    fn compare(&mut self, plugin: usize) -> Result<(), String> {
        let here = &self.plugins[plugin];
        let (claims, explained) = oracle::compare(
            &self.sheet,
            &self.documents[here.document].file,
            &here.problems,
            &here.differences,
            here.sandbox.engine.connection(),
            self.hands_off,
        )
        .map_err(|message| {
            let file = &self.documents[here.document].file;
            self.say(|| {
                let rows = self.sheet.rows.iter().map(|row| format!("\n    {row:?}"));
                let variables = file.variables.iter();
                let variables = variables.map(|held| format!("\n    {held:?}"));
                rows.chain(variables).collect()
            });
            let collections = &file.collections;
            let differences = &here.differences;
            format!("{message}\nin {collections:?}\nand {differences:?} was told")
        })?;
        self.tally.add_to(Count::Claims, claims);
        self.tally.add_to(Count::ClaimsExplained, explained);
        Ok(())
    }

    // The end.

    fn end(mut self) -> Result<Tally, String> {
        for at in 0..self.plugins.len() {
            self.end_panel(at)
                .map_err(|message| format!("plugin {at} at the end: {message}"))?;
        }
        for (at, document) in self.documents.iter().enumerate() {
            let wrong = |message: String| format!("document {at} at the end: {message}");
            let panels = self.plugins.iter().filter(|plugin| plugin.document == at);
            let writers = panels.clone().filter(|plugin| plugin.is_elected()).count();
            if writers != usize::from(panels.count() > 0) {
                return Err(wrong(format!("{writers} panels write it")));
            }
            let mut others = self.plugins.iter().filter(|plugin| plugin.document != at);
            let has_twin =
                others.any(|other| self.documents[other.document].file_id == document.file_id);
            if has_twin && writers > 0 {
                return Err(wrong(format!("{} is another's id", document.file_id)));
            }
            document.check_hand_edits(&mut self.tally).map_err(wrong)?;
        }
        Ok(self.tally)
    }

    fn end_panel(&mut self, at: usize) -> Result<(), String> {
        let here = &self.plugins[at];
        let State::Connected(connected) = here.session.state() else {
            return Err(format!("not connected but {:?}", here.session.state()));
        };
        if !matches!(connected.link, Link::Live | Link::Polling) {
            return Err(format!("the link is {:?}", connected.link));
        }
        if connected.stopped.is_some() || connected.waiting.is_some() {
            return Err(format!(
                "stopped {:?}, waiting {:?}",
                connected.stopped,
                connected.waiting.as_ref().map(|(reason, _)| reason)
            ));
        }
        let position = self.relay.position();
        if here.session.position() != Some(&position) {
            return Err(format!(
                "stands at {:?}, the relay at {position:?}",
                here.session.position()
            ));
        }
        if here.is_stepping {
            return Err(String::from("the engine is still busy"));
        }
        if connected.link == Link::Polling {
            self.tally.count(Count::PanelsPolling);
        }
        if !here.is_elected() {
            if connected.writer.is_none() {
                return Err(String::from("it is not told who writes"));
            }
            self.tally.count(Count::PanelsFollowing);
            return Ok(());
        }
        self.compare(at)
    }
}
