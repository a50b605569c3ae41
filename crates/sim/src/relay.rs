//! The modelled relay: one room with an epoch and revisions, an election, tickets and sessions.
//!
//! Owns what the relay remembers and which frames a reader is sent; packing, differences and the election are the
//! product's own. Must not know networks, plugins, or when things happen.

use std::collections::{BTreeSet, VecDeque};

use sheetwire_core::election::{Bounds, Election, Note};
use sheetwire_core::protocol::relay::{
    ApiError, Bid, Position, RESUME_WINDOW_MS, RelayFrame, SheetInfo, SheetRef, VERSION,
};
use sheetwire_core::sheet::diff;

/// Most revisions remembered; the real relay bounds bytes.
const REMEMBERED_MAX: usize = 24;

pub fn sheet_ref() -> SheetRef {
    SheetRef {
        spreadsheet_id: "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms".into(),
        sheet_id: 7,
    }
}

/// A reader: a socket, or a poll that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub plugin: usize,
    pub life: u32,
    pub turn: u32,
    /// Its place in the room, never given twice.
    pub id: u64,
}

/// A poll that waits for news.
#[derive(Debug, Clone)]
pub struct Held {
    pub member: Member,
    pub resume: Position,
    /// Who writes, as said when it came.
    pub words: Vec<RelayFrame>,
}

pub struct Relay {
    pub is_up: bool,
    pub flag: bool,
    pub members: Vec<Member>,
    pub held: Vec<Held>,
    pub tickets: BTreeSet<String>,
    /// Tokens and the users whose they are. They outlive a restart: they are stored.
    pub tokens: Vec<(String, usize)>,
    pub issued: u64,
    pub election: Election,
    /// Why the sheet can't be read at present, as said to all.
    pub trouble: Option<ApiError>,
    next_member: u64,
    epoch: u32,
    revision: u64,
    packed: Option<String>,
    read_ms: u64,
    remembered: VecDeque<(u64, u64, String)>,
}

impl Relay {
    pub fn new() -> Relay {
        Relay {
            is_up: true,
            flag: true,
            members: Vec::new(),
            held: Vec::new(),
            tickets: BTreeSet::new(),
            tokens: Vec::new(),
            issued: 0,
            election: Election::new(Bounds::default()),
            trouble: None,
            next_member: 0,
            epoch: 1,
            revision: 0,
            packed: None,
            read_ms: 0,
            remembered: VecDeque::new(),
        }
    }

    /// Loses its memory, and with it the epoch.
    pub fn restart(&mut self) {
        self.epoch += 1;
        self.revision = 0;
        self.packed = None;
        self.remembered.clear();
        self.members.clear();
        self.held.clear();
        self.tickets.clear();
        self.election = Election::new(Bounds::default());
        self.trouble = None;
    }

    /// The next member's place.
    pub fn enter(&mut self, plugin: usize, life: u32, turn: u32) -> Member {
        self.next_member += 1;
        Member {
            plugin,
            life,
            turn,
            id: self.next_member,
        }
    }

    /// A member is gone: what it has bid for is kept for it until the lease ends.
    pub fn leave(&mut self, id: u64, now: u64) {
        self.members.retain(|member| member.id != id);
        self.election.leave(id, now);
    }

    /// Takes a bid, and gives what is to be sent to whom.
    pub fn bid(&mut self, member: Member, user: usize, bid: &Bid, now: u64) -> Vec<(u64, Note)> {
        let nonce = self.issue("nonce");
        let name = format!("u{user}");
        self.election
            .bid(member.id, user as i64, &name, bid, &nonce, now)
    }

    pub fn position(&self) -> Position {
        Position {
            epoch: format!("e{}", self.epoch),
            revision: self.revision,
        }
    }

    pub fn issue(&mut self, what: &str) -> String {
        self.issued += 1;
        format!("{what}-{}", self.issued)
    }

    pub fn knows(&self, token: Option<&str>, user: usize) -> bool {
        self.tokens
            .iter()
            .any(|(known, owner)| Some(known.as_str()) == token && *owner == user)
    }

    /// Reads the sheet. Whether it has changed.
    pub fn read(&mut self, packed: String, now: u64) -> bool {
        self.read_ms = now;
        if self.packed.as_ref() == Some(&packed) {
            return false;
        }
        self.revision += 1;
        if let Some(old) = self.packed.replace(packed) {
            if self.remembered.len() == REMEMBERED_MAX {
                self.remembered.pop_front();
            }
            self.remembered.push_back((self.revision - 1, now, old));
        }
        while self
            .remembered
            .front()
            .is_some_and(|(_, until, _)| now - until > RESUME_WINDOW_MS)
        {
            self.remembered.pop_front();
        }
        true
    }

    /// Whether it has seen the sheet as it is now.
    pub fn is_current(&self, packed: &str) -> bool {
        self.packed.as_deref() == Some(packed)
    }

    pub fn heartbeat(&self) -> RelayFrame {
        RelayFrame::Heartbeat {
            v: VERSION,
            read_unix_ms: self.read_ms,
        }
    }

    /// The last change, for those who stand right before it.
    pub fn latest(&self, now: u64) -> RelayFrame {
        self.since(self.revision.saturating_sub(1), now)
            .unwrap_or_else(|| self.snapshot())
    }

    fn since(&self, revision: u64, now: u64) -> Option<RelayFrame> {
        let (_, _, old) = self.remembered.iter().find(|(at, ..)| *at == revision)?;
        let new = self.packed.as_deref().unwrap_or_default();
        let (rows, cells) = match diff(old, new) {
            Some(difference) => (difference.rows, difference.cells),
            // Changed and changed back: nothing differs, but the revision does.
            None => (new.matches('\u{1e}').count() as u32, String::new()),
        };
        Some(RelayFrame::Changes {
            v: VERSION,
            since: revision,
            position: self.position(),
            seen_unix_ms: now,
            rows,
            cells,
        })
    }

    fn snapshot(&self) -> RelayFrame {
        RelayFrame::Snapshot {
            v: VERSION,
            position: self.position(),
            sheet: SheetInfo {
                spreadsheet_title: "Design".into(),
                sheet_title: "Tokens".into(),
                locale: "en_US".into(),
            },
            cells: self.packed.clone().unwrap_or_default(),
        }
    }

    /// What a reader is sent first.
    pub fn first(&self, resume: Option<&Position>, now: u64) -> RelayFrame {
        match resume {
            Some(held) if *held == self.position() => RelayFrame::Resumed {
                v: VERSION,
                position: self.position(),
            },
            Some(held) if held.epoch == self.position().epoch => self
                .since(held.revision, now)
                .unwrap_or_else(|| self.snapshot()),
            Some(_) | None => self.snapshot(),
        }
    }
}
