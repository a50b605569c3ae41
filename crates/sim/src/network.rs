//! The network between panels and relay, and the relay's side of it.
//!
//! Owns how messages are delayed, lost, repeated and overtaken, how sockets and polls break, and what the relay does with
//! what reaches it. Must not know documents, engines or designers.

use crate::Count;
use crate::relay::{Held, Member, sheet_ref};
use crate::world::{What, World};
use sheetwire_core::election::Note;
use sheetwire_core::protocol::relay::{
    ApiError, Bid, ClientFrame, CloseReason, ErrorCode, PollReply, PollRequest, RelayFrame,
    SessionReply, SheetEntry, SignInReply, Spreadsheet, SpreadsheetEntry, SpreadsheetList, VERSION,
};
use sheetwire_core::session::{Event, Failure, SessionReplyBox, SocketEvent};

/// How long a shell waits for an answer, in milliseconds.
const ANSWER_MS: u64 = 15_000;
/// How long the relay's own network takes to notice that a socket leads nowhere, at most, in milliseconds.
const DEAD_SOCKET_MS: u64 = 40_000;

/// What a panel asks the relay over HTTP.
#[derive(Debug, Clone)]
pub(crate) enum Request {
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

impl World {
    pub(crate) fn start_relay(&mut self) {
        if !self.relay.is_up {
            self.relay.is_up = true;
            self.read();
        }
    }

    /// The relay ends, with or without a word, and with it all that it had in memory.
    pub(crate) fn stop_relay(&mut self) {
        self.tally.count(Count::RelayRestarts);
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
            let Member {
                plugin, life, turn, ..
            } = held.member;
            let event = Event::Polled(turn, Err(Failure::Network));
            self.put(50, plugin, Some(life), What::Answered(event));
        }
        self.relay.is_up = false;
        self.relay.restart();
        let pause = self.random.below(20_000);
        self.put(pause, 0, None, What::StartRelay);
    }

    pub(crate) fn read(&mut self) {
        if !self.relay.is_up {
            return;
        }
        // Google says no now and then, or for a while.
        if !self.healed && (self.google_is_away || self.random.chance(60)) {
            self.tally.count(Count::GoogleRefusals);
            if self.relay.trouble.is_none() {
                let code = *self.random.one(&[ErrorCode::TooMany, ErrorCode::Google]);
                let error = refusal(code);
                self.relay.trouble = Some(error.clone());
                self.broadcast(&RelayFrame::Trouble { v: VERSION, error });
            }
            return;
        }
        let recovered = self.relay.trouble.take().is_some();
        let packed = self.sheet.packed();
        if !self.relay.read(packed, self.now) {
            if recovered {
                let beat = self.relay.heartbeat();
                self.broadcast(&beat);
            }
            return;
        }
        let frame = self.relay.latest(self.now);
        self.broadcast(&frame);
        for held in std::mem::take(&mut self.relay.held) {
            self.answer_poll(&held, Vec::new());
        }
    }

    pub(crate) fn broadcast(&mut self, frame: &RelayFrame) {
        for member in self.relay.members.clone() {
            self.send(member, frame.clone());
        }
    }

    /// Ends the leases that ran out, and asks silent writers for a word.
    pub(crate) fn sweep(&mut self) {
        if !self.relay.is_up {
            return;
        }
        let nonce = self.relay.issue("nonce");
        let notes = self.relay.election.sweep(&nonce, self.now);
        self.give(notes);
    }

    /// Sends what the election says. A held poll ends with it.
    fn give(&mut self, notes: Vec<(u64, Note)>) {
        for (to, note) in notes {
            self.note_grant(to, &note);
            let held = self.relay.held.iter().position(|held| held.member.id == to);
            if let Some(at) = held {
                let held = self.relay.held.remove(at);
                let frames = match note {
                    Note::Writer(frame) => vec![frame],
                    // The next poll is the sign of life.
                    Note::Ping => Vec::new(),
                };
                self.answer_poll(&held, frames);
                continue;
            }
            let member = self.relay.members.iter().find(|member| member.id == to);
            let Some(member) = member.copied() else {
                continue;
            };
            match note {
                Note::Writer(frame) => self.send(member, frame),
                Note::Ping => self.ping(member),
            }
        }
    }

    /// The relay tells a member that it writes.
    fn note_grant(&mut self, to: u64, note: &Note) {
        let held = self.relay.held.iter().map(|held| held.member);
        let mut members = held.chain(self.relay.members.iter().copied());
        if let Some(member) = members.find(|member| member.id == to) {
            self.grant_is_given(member.plugin, note);
        }
    }

    fn grant_is_given(&mut self, plugin: usize, note: &Note) {
        if let Note::Writer(RelayFrame::Writer {
            you: true, fence, ..
        }) = note
        {
            let document = &mut self.documents[self.plugins[plugin].document];
            document.given = document.given.max((*fence, plugin));
        }
    }

    /// The browser answers by itself, as long as there is one and the network lets both through.
    fn ping(&mut self, member: Member) {
        let here = &self.plugins[member.plugin];
        let is_there = here.life == member.life && here.socket == Some(member.turn);
        if !is_there || here.is_cut_off || self.random.chance(self.loss) {
            return;
        }
        let delay = self.delay(member.plugin) + self.delay(member.plugin);
        self.put(
            delay,
            member.plugin,
            Some(member.life),
            What::Pong(member.id),
        );
    }

    fn answer_poll(&mut self, held: &Held, words: Vec<RelayFrame>) {
        let frame = self.relay.first(Some(&held.resume), self.now);
        self.relay.leave(held.member.id, self.now);
        let mut frames = held.words.clone();
        frames.extend(words);
        frames.push(frame);
        let event = Event::Polled(held.member.turn, Ok(PollReply { frames }));
        self.answer(held.member.plugin, held.member.life, event);
    }

    pub(crate) fn held_ends(&mut self, id: u64) {
        if let Some(at) = self.relay.held.iter().position(|held| held.member.id == id) {
            let held = self.relay.held.remove(at);
            self.answer_poll(&held, Vec::new());
        }
    }

    /// Puts a frame on a member's socket. A network that loses it breaks the socket: that is how a lost piece of a
    /// stream shows.
    pub(crate) fn send(&mut self, member: Member, frame: RelayFrame) {
        let lost = self.random.chance(self.loss);
        if lost || self.plugins[member.plugin].is_cut_off {
            self.tally.count(Count::FramesLost);
            self.break_socket(member.plugin);
            return;
        }
        let delay = self.delay(member.plugin);
        let arrives = self.now + delay;
        let last = self.arrivals.entry(member.id).or_insert(arrives);
        // A stream keeps its order; a node in between that does not is met now and then all the same.
        let disorder = !self.healed && self.random.chance(10);
        if disorder && arrives < *last {
            self.tally.count(Count::FramesReordered);
        }
        let arrives = if disorder {
            arrives
        } else {
            arrives.max(*last)
        };
        *last = arrives;
        let what = What::Frame(member.turn, SocketEvent::Frame(frame));
        if !self.healed && self.random.chance(10) {
            self.tally.count(Count::FramesRepeated);
            let again = arrives - self.now + self.random.below(2_000);
            self.put(again, member.plugin, Some(member.life), what.clone());
        }
        self.put(arrives - self.now, member.plugin, Some(member.life), what);
    }

    pub(crate) fn send_closing(&mut self, plugin: usize, reason: CloseReason) {
        let life = self.plugins[plugin].life;
        for member in self.relay.members.clone() {
            if (member.plugin, member.life) == (plugin, life) {
                self.send(member, RelayFrame::Closing { v: VERSION, reason });
                self.relay.leave(member.id, self.now);
            }
        }
    }

    /// The socket breaks: the relay knows at once, the panel some time later or through the silence.
    pub(crate) fn break_socket(&mut self, plugin: usize) {
        self.plugins[plugin].deafen(self.now);
        for member in self.relay.members.clone() {
            if member.plugin == plugin {
                self.relay.leave(member.id, self.now);
            }
        }
        if let Some(turn) = self.plugins[plugin].socket
            && (self.healed || self.random.chance(700))
        {
            self.tally.count(Count::SocketsBroken);
            let late = self.random.below(5_000);
            self.put_here(late, plugin, What::Frame(turn, SocketEvent::Closed));
        }
    }

    /// A plugin is gone. `noticed`: the relay is told by the network, which else finds out much later.
    pub(crate) fn drop_members(&mut self, plugin: usize, life: u32, noticed: bool) {
        for member in self.relay.members.clone() {
            if (member.plugin, member.life) != (plugin, life) {
                continue;
            }
            if noticed {
                self.relay.leave(member.id, self.now);
            } else {
                let late = self.random.between(DEAD_SOCKET_MS / 2, DEAD_SOCKET_MS);
                self.put(late, plugin, None, What::Dropped(member.id));
            }
        }
    }

    pub(crate) fn joined(&mut self, plugin: usize, turn: u32, frame: ClientFrame) {
        let life = self.plugins[plugin].life;
        let ClientFrame::Join {
            ticket,
            resume,
            bid,
            ..
        } = frame
        else {
            return;
        };
        // The panel has closed it while it was being opened; a stream keeps the order.
        if self.plugins[plugin].socket != Some(turn) {
            return;
        }
        if !self.relay.is_up || self.plugins[plugin].is_cut_off {
            self.put_here(200, plugin, What::Frame(turn, SocketEvent::Closed));
            return;
        }
        let member = self.relay.enter(plugin, life, turn);
        if !self.relay.tickets.remove(&ticket) {
            let reason = CloseReason::Ticket;
            self.send(member, RelayFrame::Closing { v: VERSION, reason });
            return;
        }
        let first = self.relay.first(resume.as_ref(), self.now);
        self.relay.members.push(member);
        if let Some(bid) = bid {
            self.bid(member, &bid);
        }
        self.send(member, first);
        if let Some(error) = self.relay.trouble.clone() {
            self.send(member, RelayFrame::Trouble { v: VERSION, error });
        }
    }

    fn bid(&mut self, member: Member, bid: &Bid) {
        let user = self.plugins[member.plugin].user;
        let notes = self.relay.bid(member, user, bid, self.now);
        self.give(notes);
    }

    /// A bid on an open socket.
    pub(crate) fn bid_later(&mut self, plugin: usize, turn: u32, bid: &Bid) {
        let life = self.plugins[plugin].life;
        let mut members = self.relay.members.iter();
        let member = members
            .find(|member| (member.plugin, member.life, member.turn) == (plugin, life, turn));
        let member = member.copied();
        if self.plugins[plugin].is_cut_off {
            self.break_socket(plugin);
        } else if let Some(member) = member {
            self.bid(member, bid);
        }
    }

    pub(crate) fn asked(&mut self, plugin: usize, request: Request, token: Option<String>) {
        if let Request::Flags = request {
            let flag = (self.relay.is_up
                && !self.plugins[plugin].is_cut_off
                && (self.healed || !self.random.chance(50)))
            .then_some(self.relay.flag);
            self.put_here(20, plugin, What::Evaluated(flag));
            return;
        }
        let user = self.plugins[plugin].user;
        let signed_in = self.relay.knows(token.as_deref(), user);
        let failure = if !self.relay.is_up {
            Some(Failure::Network)
        } else if !self.healed && self.random.chance(30) {
            let code = *self.random.one(&[
                ErrorCode::TooMany,
                ErrorCode::Unavailable,
                ErrorCode::Google,
            ]);
            self.tally.count(if code == ErrorCode::TooMany {
                Count::TooManyRequests
            } else {
                Count::ServerErrors
            });
            Some(Failure::Api(refusal(code)))
        } else if !self.healed && self.random.chance(5) {
            Some(Failure::Unreadable)
        } else {
            let free = matches!(request, Request::Begin(_) | Request::Redeem(_));
            (!free && !signed_in).then(|| Failure::Api(refusal(ErrorCode::SignedOut)))
        };
        if failure.is_some() {
            self.plugins[plugin].deafen(self.now);
        }
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
                        Err(Failure::Api(refusal(ErrorCode::Declined)))
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
            Request::Poll(turn, request) => match failure {
                Some(failure) => Event::Polled(turn, Err(failure)),
                None => {
                    self.polled(plugin, turn, request);
                    return;
                }
            },
            Request::SignOut => {
                // It is the user's last session: what the user has bid for ends with it, and every socket of theirs.
                if signed_in {
                    self.relay.tokens.retain(|(_, owner)| *owner != user);
                    for at in 0..self.plugins.len() {
                        if self.plugins[at].user == user {
                            self.send_closing(at, CloseReason::SignedOut);
                        }
                    }
                    let nonce = self.relay.issue("nonce");
                    let election = &mut self.relay.election;
                    let notes = election.sign_out(user as i64, &nonce, self.now);
                    self.give(notes);
                }
                return;
            }
            Request::Flags => return,
        };
        self.answer(plugin, life, event);
    }

    /// A poll is a short membership: it bids first, and is held while there is nothing to say.
    fn polled(&mut self, plugin: usize, turn: u32, request: PollRequest) {
        let life = self.plugins[plugin].life;
        let member = self.relay.enter(plugin, life, turn);
        let mut words = Vec::new();
        let known = request.bid.as_ref().and_then(|bid| bid.fence);
        if let Some(bid) = request.bid {
            let user = self.plugins[plugin].user;
            let notes = self.relay.bid(member, user, &bid, self.now);
            let (own, others) = notes
                .into_iter()
                .partition::<Vec<_>, _>(|(to, _)| *to == member.id);
            for (_, note) in &own {
                self.grant_is_given(plugin, note);
            }
            words.extend(own.into_iter().filter_map(|(_, note)| match note {
                Note::Writer(frame) => Some(frame),
                Note::Ping => None,
            }));
            self.give(others);
        }
        match request.resume {
            // Who writes is told first, but a poll does not end for it while it stands.
            Some(resume) if resume == self.relay.position() && !tells_another(&words, known) => {
                self.relay.held.push(Held {
                    member,
                    resume,
                    words,
                });
                self.put_here(request.wait_ms, plugin, What::HeldEnds(member.id));
            }
            resume => {
                words.push(self.relay.first(resume.as_ref(), self.now));
                self.relay.leave(member.id, self.now);
                let event = Event::Polled(turn, Ok(PollReply { frames: words }));
                self.answer(plugin, life, event);
            }
        }
    }

    fn new_session(&mut self, plugin: usize) -> SessionReplyBox {
        let token = self.relay.issue("token");
        let user = self.plugins[plugin].user;
        self.relay.tokens.push((token.clone(), user));
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
            self.tally.count(Count::AnswersLost);
            self.plugins[plugin].deafen(self.now + ANSWER_MS);
            if let Some(event) = unanswered(event) {
                self.put(ANSWER_MS, plugin, Some(life), What::Answered(event));
            }
            return;
        }
        let delay = self.delay(plugin);
        self.put(delay, plugin, Some(life), What::Answered(event));
    }

    /// How long a message to or from a panel is under way.
    pub(crate) fn delay(&mut self, plugin: usize) -> u64 {
        if !self.healed && self.random.chance(30) {
            self.tally.count(Count::LateMessages);
            let delay = self.random.between(500, 8_000);
            self.plugins[plugin].deafen(self.now + delay);
            delay
        } else {
            self.random.between(5, 120)
        }
    }

    pub(crate) fn ask(&mut self, plugin: usize, request: Request) {
        let token = self.plugins[plugin].session.token().map(str::to_owned);
        self.ask_with(plugin, request, token);
    }

    pub(crate) fn ask_with(&mut self, plugin: usize, request: Request, token: Option<String>) {
        if self.plugins[plugin].is_cut_off || self.random.chance(self.loss) {
            self.tally.count(Count::RequestsLost);
            self.plugins[plugin].deafen(self.now + ANSWER_MS);
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
        let delay = self.delay(plugin);
        self.put_here(delay, plugin, What::Asked(request, token));
    }
}

/// Whether somebody else writes than the panel was told.
fn tells_another(words: &[RelayFrame], known: Option<u64>) -> bool {
    words.iter().any(|frame| {
        matches!(frame, RelayFrame::Writer { fence, .. } if known.is_some_and(|known| *fence != known))
    })
}

fn refusal(code: ErrorCode) -> ApiError {
    ApiError {
        code,
        message: "The relay says no.".into(),
        remedy: None,
    }
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
