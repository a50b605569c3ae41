//! The election of a file's writer, by whatever its bidders do.
//!
//! Owns a model of bidders that come, fall silent, leave and take over, and what has to hold after every step: at most one
//! of those who are told the present fence writes, fences rise, and where somebody is there, somebody writes.

use proptest::prelude::*;
use sheetwire_core::election::{Bounds, Election, GONE_MAX, Note};
use sheetwire_core::protocol::relay::{Bid, RelayFrame};
use std::collections::BTreeMap;

const PANELS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Bid {
        panel: usize,
        file: u8,
        take_over: bool,
    },
    Leave(usize),
    /// Answers no more pings.
    Silent(usize),
    Wait(u64),
    SignOut(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..PANELS, 0..2_u8, any::<bool>())
            .prop_map(|(panel, file, take_over)| Step::Bid { panel, file, take_over }),
        2 => (0..PANELS).prop_map(Step::Leave),
        1 => (0..PANELS).prop_map(Step::Silent),
        3 => (0..5_000_u64).prop_map(Step::Wait),
        1 => (0..PANELS).prop_map(Step::SignOut),
    ]
}

/// One panel as the relay's clients are: it believes the highest fence that it was told.
#[derive(Debug, Clone, Default)]
struct Panel {
    member: Option<u64>,
    silent: bool,
    file: u8,
    fence: u64,
    writes: bool,
}

fn wish(at: usize, file: u8, take_over: bool) -> Bid {
    Bid {
        file: format!("f{file}"),
        panel: format!("p{at}"),
        take_over,
        fence: None,
    }
}

struct World {
    election: Election,
    panels: Vec<Panel>,
    of_member: BTreeMap<u64, usize>,
    next: u64,
    now_ms: u64,
}

impl World {
    fn new() -> World {
        World {
            election: Election::new(Bounds::default()),
            panels: vec![Panel::default(); PANELS],
            of_member: BTreeMap::new(),
            next: 0,
            now_ms: 1_000_000,
        }
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("n{}", self.next)
    }

    fn bid(&mut self, at: usize, file: u8, take_over: bool) {
        let nonce = self.name();
        let member = match self.panels[at].member {
            Some(member) => member,
            None => {
                self.next += 1;
                self.of_member.insert(self.next, at);
                self.panels[at].member = Some(self.next);
                self.next
            }
        };
        if self.panels[at].file != file {
            (self.panels[at].file, self.panels[at].writes) = (file, false);
            self.panels[at].fence = 0;
        }
        self.panels[at].silent = false;
        let bid = wish(at, file, take_over);
        let name = format!("{at}@example.com");
        let notes = self
            .election
            .bid(member, at as i64, &name, &bid, &nonce, self.now_ms);
        assert!(
            notes
                .iter()
                .any(|(to, note)| *to == member && matches!(note, Note::Writer(_))),
            "a bid was not answered"
        );
        self.deliver(notes);
    }

    fn leave(&mut self, at: usize) {
        if let Some(member) = self.panels[at].member.take() {
            self.of_member.remove(&member);
            self.election.leave(member, self.now_ms);
        }
        self.panels[at].writes = false;
    }

    fn deliver(&mut self, notes: Vec<(u64, Note)>) {
        for (member, note) in notes {
            let at = self.of_member[&member];
            let panel = &mut self.panels[at];
            assert_eq!(panel.member, Some(member), "somebody who left was told");
            match note {
                Note::Ping if panel.silent => {}
                Note::Ping => self.election.heard(member, self.now_ms),
                Note::Writer(RelayFrame::Writer { you, fence, .. }) => {
                    assert!(fence >= panel.fence, "a fence fell");
                    (panel.fence, panel.writes) = (fence, you);
                }
                Note::Writer(other) => panic!("no word on the writer: {other:?}"),
            }
        }
    }

    fn sweep(&mut self) {
        let nonce = self.name();
        let notes = self.election.sweep(&nonce, self.now_ms);
        self.deliver(notes);
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while self.now_ms < until {
            self.now_ms = (self.now_ms + 500).min(until);
            self.sweep();
        }
    }

    fn check(&self) {
        for file in 0..2 {
            let here = |panel: &&Panel| panel.member.is_some() && panel.file == file;
            let writers: Vec<_> = self
                .panels
                .iter()
                .filter(here)
                .filter(|panel| panel.writes)
                .collect();
            assert!(writers.len() <= 1, "two write one file: {:?}", self.panels);
        }
        for (at, panel) in self.panels.iter().enumerate() {
            if panel.member.is_none() {
                continue;
            }
            let holds = |fence| {
                let bid = wish(at, panel.file, false);
                self.election.holds(at as i64, &bid, fence)
            };
            assert_eq!(holds(panel.fence), panel.writes);
            if panel.writes {
                assert!(!holds(panel.fence + 1) && !holds(panel.fence - 1));
            }
        }
    }
}

proptest! {
    #[test]
    fn one_of_those_who_are_there_writes(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Bid { panel, file, take_over } => world.bid(panel, file, take_over),
                Step::Leave(at) => world.leave(at),
                Step::Silent(at) => world.panels[at].silent = true,
                Step::Wait(ms) => world.wait(ms),
                Step::SignOut(at) => {
                    world.leave(at);
                    let nonce = world.name();
                    let notes = world.election.sign_out(at as i64, &nonce, world.now_ms);
                    world.deliver(notes);
                }
            }
            world.check();
        }
        // Within ten seconds somebody who answers writes every file that somebody has open.
        for panel in &mut world.panels {
            panel.silent = false;
        }
        world.wait(10_000);
        for file in 0..2 {
            let here: Vec<_> = world
                .panels
                .iter()
                .filter(|panel| panel.member.is_some() && panel.file == file)
                .collect();
            prop_assert!(here.is_empty() || here.iter().any(|panel| panel.writes), "{here:?}");
        }
    }
}

#[test]
fn a_silent_writer_is_followed_within_ten_seconds() {
    let mut world = World::new();
    world.bid(0, 0, false);
    world.bid(1, 0, false);
    assert!(world.panels[0].writes && !world.panels[1].writes);
    world.panels[0].silent = true;
    world.wait(10_000);
    assert!(!world.panels[0].writes && world.panels[1].writes);
}

#[test]
fn a_silent_heir_is_passed_over() {
    for leaves in [false, true] {
        let mut world = World::new();
        for at in 0..4 {
            world.bid(at, 0, false);
        }
        for at in 0..3 {
            world.panels[at].silent = true;
        }
        if leaves {
            world.leave(0);
        }
        world.wait(10_000);
        assert!(world.panels[3].writes, "{leaves}");
    }
}

/// A held poll ends when a word is wanted, and the next one is the word.
#[test]
fn an_heir_between_two_polls_keeps_its_place() {
    let mut world = World::new();
    world.bid(0, 0, false);
    world.bid(1, 0, false);
    world.wait(12_000);
    world.panels[0].silent = true;
    world.panels[1].silent = true;
    world.wait(4_000);
    world.leave(1);
    world.wait(1_000);
    world.bid(1, 0, false);
    world.wait(5_000);
    assert!(world.panels[1].writes);
}

#[test]
fn an_heir_between_two_polls_goes_before_one_that_is_silent() {
    let mut world = World::new();
    for at in 0..3 {
        world.bid(at, 0, false);
    }
    for at in 0..2 {
        world.panels[at].silent = true;
    }
    world.wait(7_000);
    world.leave(2);
    world.wait(1_000);
    // It is told when it polls again.
    world.bid(2, 0, false);
    assert!(world.panels[2].writes);
}

#[test]
fn a_broken_socket_that_is_noticed_late_begins_no_lease_anew() {
    let mut world = World::new();
    world.bid(0, 0, false);
    world.bid(1, 0, false);
    world.panels[0].silent = true;
    world.wait(7_000);
    // It was asked for a word and gave none: it was gone before the relay's network found out.
    world.leave(0);
    world.wait(3_000);
    assert!(world.panels[1].writes);
}

#[test]
fn a_word_about_the_file_before_does_not_outrank_the_one_about_the_next() {
    let mut world = World::new();
    world.bid(0, 1, false);
    world.bid(1, 0, false);
    world.bid(2, 0, false);
    let before = world.panels[2].fence;
    // The panel finds itself in a copy, which has an id of its own.
    world.bid(2, 1, false);
    assert!(
        world.panels[2].fence > before,
        "{} and {before}",
        world.panels[2].fence
    );
    assert!(world.panels[0].writes && !world.panels[2].writes);
    assert_eq!(world.panels[0].fence, world.panels[2].fence);
}

#[test]
fn alone_nobody_is_asked_for_a_word_and_nobody_loses() {
    let mut world = World::new();
    world.bid(0, 0, false);
    let fence = world.panels[0].fence;
    world.panels[0].silent = true;
    world.wait(100_000);
    assert_eq!(
        (world.panels[0].writes, world.panels[0].fence),
        (true, fence)
    );
}

#[test]
fn fences_outlive_the_relay() {
    let mut world = World::new();
    world.bid(0, 0, false);
    let before = world.panels[0].fence;
    world.now_ms += 1;
    world.election = Election::new(Bounds::default());
    world.bid(0, 0, false);
    assert!(world.panels[0].fence > before);
}

#[test]
fn what_is_gone_is_bounded() {
    let mut election = Election::new(Bounds::default());
    for member in 0..1_000 {
        let bid = Bid {
            file: format!("f{member}"),
            panel: "p".to_owned(),
            take_over: false,
            fence: None,
        };
        election.bid(member, 1, "a", &bid, "n", 1_000 + member);
        election.leave(member, 1_000 + member);
    }
    assert!(election.file_count() <= GONE_MAX);
    election.sweep("n", 100_000);
    assert_eq!(election.file_count(), 0);
}
