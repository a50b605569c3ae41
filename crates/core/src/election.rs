//! The election: which one of the panels that have a file open writes it.
//!
//! Owns the bids of one sheet's readers, the leases and who is told what about them. Must not know sockets, rooms, clocks
//! or randomness: times and new nonces are given. The relay holds one for each room, and the simulation the same one.
//!
//! Of a file's bidders the first one is its writer. It stays that while it is heard of; after [`Bounds::lease_ms`] without
//! a word the next one that is there follows. Whoever is next may be gone as well without the relay's knowing, so that the
//! next few are asked for a word as soon as the writer owes one. Every grant has a fence that is greater than all before it, also across a
//! relay's restart, since it is never less than the Unix time.

use std::collections::BTreeMap;

use crate::protocol::relay::{Bid, RelayFrame, VERSION};

/// Longest file id, panel id or nonce, in bytes.
pub const ID_BYTES_MAX: usize = 64;
/// Most bidders that are gone and still remembered, in one sheet.
pub const GONE_MAX: usize = 256;
/// Most bidders asked for a word while the writer owes one.
pub const HEIRS_MAX: usize = 8;
/// Shortest time between two grants by "Take over" in one file, in milliseconds.
pub const TAKE_OVER_MS_MIN: u64 = 1_000;

/// The times of an election, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long a bidder that is not heard of keeps its place.
    pub lease_ms: u64,
    /// How long a writer with rivals, or who may follow one, is silent before it is asked for a word.
    pub ping_ms: u64,
    /// How long a nonce serves bidders that come anew.
    pub nonce_ms: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            lease_ms: 8_000,
            ping_ms: 2_000,
            nonce_ms: 2_000,
        }
    }
}

/// What a member is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Who writes: always a [`RelayFrame::Writer`].
    Writer(RelayFrame),
    /// Something that it has to answer.
    Ping,
}

/// See the module.
#[derive(Debug)]
pub struct Election {
    bounds: Bounds,
    files: BTreeMap<String, File>,
    fence: u64,
}

#[derive(Debug)]
struct File {
    fence: u64,
    nonce: String,
    nonce_made_ms: u64,
    granted_ms: u64,
    /// The first one is the writer.
    bidders: Vec<Bidder>,
}

#[derive(Debug)]
struct Bidder {
    user: i64,
    panel: String,
    name: String,
    /// Its place in the room; `None` since it left.
    member: Option<u64>,
    heard_ms: u64,
    pinged_ms: u64,
}

impl Bidder {
    fn is(&self, user: i64, panel: &str) -> bool {
        self.user == user && self.panel == panel
    }
}

impl Election {
    /// Nobody bids yet.
    pub fn new(bounds: Bounds) -> Election {
        Election {
            bounds,
            files: BTreeMap::new(),
            fence: 0,
        }
    }

    /// How many files have bidders.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Whether that grant is the present one of the bid's file, and its panel's.
    pub fn holds(&self, user: i64, bid: &Bid, fence: u64) -> bool {
        self.files.get(&bid.file).is_some_and(|held| {
            let mut bidders = held.bidders.iter();
            held.fence == fence
                && bidders
                    .next()
                    .is_some_and(|first| first.is(user, &bid.panel))
        })
    }

    /// Takes a member's bid, which takes the place of its earlier one. `nonce` must never have been given before. The
    /// bidder is told in any case; a bid that can't be read is not taken and not answered.
    pub fn bid(
        &mut self,
        member: u64,
        user: i64,
        name: &str,
        bid: &Bid,
        nonce: &str,
        now_ms: u64,
    ) -> Vec<(u64, Note)> {
        let is_id = |text: &str| !text.is_empty() && text.len() <= ID_BYTES_MAX;
        if !is_id(&bid.file) || !is_id(&bid.panel) {
            return Vec::new();
        }
        let moves = self.is_elsewhere(member, &bid.file);
        let mut notes = self.leave_other_files(member, &bid.file, nonce, now_ms);
        let bounds = self.bounds;
        let file = self.files.entry(bid.file.clone()).or_insert_with(|| File {
            fence: 0,
            nonce: String::new(),
            nonce_made_ms: 0,
            granted_ms: 0,
            bidders: Vec::new(),
        });
        let known = file
            .bidders
            .iter()
            .position(|bidder| bidder.is(user, &bid.panel));
        let at = known.unwrap_or(file.bidders.len());
        match known {
            Some(at) => {
                let bidder = &mut file.bidders[at];
                bidder.member = Some(member);
                bidder.heard_ms = now_ms;
                name.clone_into(&mut bidder.name);
            }
            None => file.bidders.push(Bidder {
                user,
                panel: bid.panel.clone(),
                name: name.to_owned(),
                member: Some(member),
                heard_ms: now_ms,
                pinged_ms: now_ms,
            }),
        }
        // A writer without rivals is asked for no word: its time runs from now.
        if known.is_none() && at == 1 && file.bidders[0].member.is_some() {
            file.bidders[0].heard_ms = now_ms;
        }
        let may_take = now_ms.saturating_sub(file.granted_ms) >= TAKE_OVER_MS_MIN;
        let takes = at > 0 && bid.take_over && may_take;
        if takes {
            let bidder = file.bidders.remove(at);
            file.bidders.insert(0, bidder);
        }
        // Who comes from another file may be told of a grant there after this: only a greater one undoes that.
        if takes || moves || file.fence == 0 {
            grant(file, &mut self.fence, nonce, now_ms);
            notes.extend(tell_all(file));
        } else if known.is_none() && now_ms.saturating_sub(file.nonce_made_ms) >= bounds.nonce_ms {
            // The one who came looks for what the writer leaves in the document from now on.
            nonce.clone_into(&mut file.nonce);
            file.nonce_made_ms = now_ms;
            notes.extend(tell_all(file));
        } else {
            notes.push((member, told(file, at)));
        }
        notes.extend(self.sweep(nonce, now_ms));
        self.forget_oldest_gone();
        notes
    }

    /// A member left its room: it may come back and find its place, until its lease has ended.
    pub fn leave(&mut self, member: u64, now_ms: u64) {
        for file in self.files.values_mut() {
            for (at, bidder) in file.bidders.iter_mut().enumerate() {
                if bidder.member == Some(member) {
                    bidder.member = None;
                    // A writer's connection that is found broken while a ping waits for its answer was dead before.
                    if at > 0 || bidder.pinged_ms <= bidder.heard_ms {
                        bidder.heard_ms = now_ms;
                    }
                }
            }
        }
        self.forget_oldest_gone();
    }

    /// A member gave a sign of life.
    pub fn heard(&mut self, member: u64, now_ms: u64) {
        for file in self.files.values_mut() {
            for bidder in &mut file.bidders {
                if bidder.member == Some(member) {
                    bidder.heard_ms = now_ms;
                }
            }
        }
    }

    /// A user signed out or may no longer read the sheet: nothing is kept for it.
    pub fn sign_out(&mut self, user: i64, nonce: &str, now_ms: u64) -> Vec<(u64, Note)> {
        self.take_out(|bidder| bidder.user == user, nonce, now_ms)
    }

    /// Ends what has run out, and asks writers for a word. To be called at least every second.
    pub fn sweep(&mut self, nonce: &str, now_ms: u64) -> Vec<(u64, Note)> {
        let bounds = self.bounds;
        let Bounds {
            lease_ms, ping_ms, ..
        } = bounds;
        let is_over = |bidder: &Bidder| now_ms.saturating_sub(bidder.heard_ms) >= lease_ms;
        let mut notes = self.take_out(
            |bidder| bidder.member.is_none() && is_over(bidder),
            nonce,
            now_ms,
        );
        for file in self.files.values_mut() {
            let rivals = file
                .bidders
                .iter()
                .skip(1)
                .any(|other| other.member.is_some());
            if !rivals {
                continue;
            }
            if is_over(&file.bidders[0]) {
                // It goes to the end: should it be there after all, it follows.
                let mut silent = file.bidders.remove(0);
                let since_ms = std::mem::replace(&mut silent.heard_ms, now_ms);
                follow(file, bounds, since_ms, now_ms);
                file.bidders.push(silent);
                grant(file, &mut self.fence, nonce, now_ms);
                notes.extend(tell_all(file));
                continue;
            }
            let writer = &file.bidders[0];
            let is_owing = writer.member.is_none() || writer.pinged_ms > writer.heard_ms;
            let asked = if is_owing { 1 + HEIRS_MAX } else { 1 };
            let there = file
                .bidders
                .iter_mut()
                .filter_map(|bidder| Some((bidder.member?, bidder)));
            for (member, bidder) in there.take(asked) {
                let quiet = now_ms.saturating_sub(bidder.heard_ms.max(bidder.pinged_ms));
                if quiet >= ping_ms {
                    bidder.pinged_ms = now_ms;
                    notes.push((member, Note::Ping));
                }
            }
        }
        notes
    }

    fn is_elsewhere(&self, member: u64, file: &str) -> bool {
        let others = self.files.iter().filter(|(name, _)| *name != file);
        let mut bidders = others.flat_map(|(_, other)| &other.bidders);
        bidders.any(|bidder| bidder.member == Some(member))
    }

    /// Who bids for another file gives this one up at once.
    fn leave_other_files(
        &mut self,
        member: u64,
        file: &str,
        nonce: &str,
        now_ms: u64,
    ) -> Vec<(u64, Note)> {
        if !self.is_elsewhere(member, file) {
            return Vec::new();
        }
        self.take_out_of(
            |name, bidder| name != file && bidder.member == Some(member),
            nonce,
            now_ms,
        )
    }

    fn take_out(
        &mut self,
        goes: impl Fn(&Bidder) -> bool,
        nonce: &str,
        now_ms: u64,
    ) -> Vec<(u64, Note)> {
        self.take_out_of(|_, bidder| goes(bidder), nonce, now_ms)
    }

    fn take_out_of(
        &mut self,
        goes: impl Fn(&str, &Bidder) -> bool,
        nonce: &str,
        now_ms: u64,
    ) -> Vec<(u64, Note)> {
        let mut notes = Vec::new();
        let bounds = self.bounds;
        let last_fence = &mut self.fence;
        self.files.retain(|name, file| {
            let writer = file.bidders.first().filter(|first| goes(name, first));
            let lost_ms = writer.map(|writer| writer.heard_ms);
            file.bidders.retain(|bidder| !goes(name, bidder));
            if file.bidders.is_empty() {
                return false;
            }
            if let Some(since_ms) = lost_ms {
                follow(file, bounds, since_ms, now_ms);
                grant(file, last_fence, nonce, now_ms);
                notes.extend(tell_all(file));
            }
            true
        });
        notes
    }

    /// Keeps the bound on bidders that are gone. A gone writer with rivals stays until its lease has ended; there are no
    /// more of those than members.
    fn forget_oldest_gone(&mut self) {
        let gone = |bidder: &Bidder| bidder.member.is_none();
        loop {
            let all = self.files.iter().flat_map(|(name, file)| {
                let deserted = file.bidders.iter().all(gone);
                file.bidders
                    .iter()
                    .skip(usize::from(!deserted))
                    .map(move |bidder| (name, bidder))
            });
            let forgettable: Vec<_> = all.filter(|(_, bidder)| gone(bidder)).collect();
            if forgettable.len() <= GONE_MAX {
                return;
            }
            let oldest = forgettable
                .iter()
                .min_by_key(|(_, bidder)| bidder.heard_ms)
                .map(|(name, bidder)| ((*name).clone(), bidder.user, bidder.panel.clone()));
            let Some((name, user, panel)) = oldest else {
                return;
            };
            if let Some(file) = self.files.get_mut(&name) {
                file.bidders.retain(|bidder| !bidder.is(user, &panel));
                if file.bidders.is_empty() {
                    self.files.remove(&name);
                }
            }
        }
    }
}

/// The writer of a file was heard of last at `since_ms`: the first of those who are there and were heard of since comes to its
/// place, else the first who is between two polls, else the first who is there.
fn follow(file: &mut File, bounds: Bounds, since_ms: u64, now_ms: u64) {
    let there = |bidder: &Bidder| bidder.member.is_some();
    let heard = |bidder: &Bidder| bidder.heard_ms > since_ms;
    let polls = |bidder: &Bidder| now_ms.saturating_sub(bidder.heard_ms) < bounds.ping_ms;
    let bidders = &file.bidders;
    let first = |is: &dyn Fn(&Bidder) -> bool| bidders.iter().position(is);
    let next = first(&|bidder| there(bidder) && heard(bidder))
        .or_else(|| first(&|bidder| !there(bidder) && heard(bidder) && polls(bidder)))
        .or_else(|| first(&there));
    if let Some(next) = next {
        let bidder = file.bidders.remove(next);
        file.bidders.insert(0, bidder);
    }
    file.bidders[0].heard_ms = now_ms;
}

/// The first bidder is the writer from now on.
fn grant(file: &mut File, last_fence: &mut u64, nonce: &str, now_ms: u64) {
    *last_fence = now_ms.max(last_fence.saturating_add(1));
    file.fence = *last_fence;
    file.granted_ms = now_ms;
    nonce.clone_into(&mut file.nonce);
    file.nonce_made_ms = now_ms;
}

fn told(file: &File, at: usize) -> Note {
    Note::Writer(RelayFrame::Writer {
        v: VERSION,
        you: at == 0,
        name: file.bidders[0].name.clone(),
        fence: file.fence,
        nonce: file.nonce.clone(),
    })
}

fn tell_all(file: &File) -> Vec<(u64, Note)> {
    let there = file.bidders.iter().enumerate();
    there
        .filter_map(|(at, bidder)| Some((bidder.member?, told(file, at))))
        .collect()
}
