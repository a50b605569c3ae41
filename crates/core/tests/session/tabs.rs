//! A file that several tabs feed: what the session asks of the relay and tells the sandbox.

use crate::world::{columns, connection};
use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{Connection, SavedSession, Source, ToPanel, ToSandbox};
use sheetwire_core::protocol::relay::{
    ApiError, CellWrite, ClientFrame, ErrorCode, Position, RelayFrame, SheetInfo, SheetRef,
    TwoWayReply, TwoWayRequest, VERSION, WriteReply, WriteRequest, WriteResult, WriteValue,
};
use sheetwire_core::session::{Action, Effect, Event, Failure, Hold, Session, SocketEvent, State};

const NOW: u64 = 1_763_892_000_000;

fn tab(sheet_id: i64) -> SheetRef {
    SheetRef {
        sheet_id,
        ..connection(true).sheet
    }
}

/// A connection to the tabs 0 to `count`.
fn fed(count: i64, approved: bool) -> Connection {
    let more = (1..count).map(|at| Source {
        sheet_title: format!("Tab {at}"),
        columns: columns(),
        ..Source::of(tab(at))
    });
    Connection {
        sheet: tab(0),
        sheet_title: String::from("Tab 0"),
        more: more.collect(),
        ..connection(approved)
    }
}

fn position(revision: u64) -> Position {
    Position {
        epoch: String::from("e"),
        revision,
    }
}

fn snapshot(revision: u64) -> RelayFrame {
    RelayFrame::Snapshot {
        v: VERSION,
        position: position(revision),
        sheet: SheetInfo {
            spreadsheet_title: String::from("Design"),
            sheet_title: String::from("Tab"),
            locale: String::from("en_US"),
        },
        cells: String::from("ta\u{1e}"),
    }
}

fn changes(since: u64) -> RelayFrame {
    RelayFrame::Changes {
        v: VERSION,
        since,
        position: position(since + 1),
        seen_unix_ms: NOW,
        rows: 1,
        cells: String::from("0\u{1f}0\u{1f}tb\u{1e}"),
    }
}

fn source(at: usize) -> RelayFrame {
    RelayFrame::Source { v: VERSION, at }
}

fn refusal(code: ErrorCode) -> Failure {
    Failure::Api(ApiError {
        code,
        message: String::from("There is no such tab."),
        remedy: None,
    })
}

/// A session with what it asked for last.
struct Here {
    session: Session,
    said: Vec<ToSandbox>,
    tickets: Vec<(u32, SheetRef)>,
    join: Option<(u32, ClientFrame)>,
    /// Questions whether a tab may be written to, and what was asked to be written.
    switches: Vec<(u32, TwoWayRequest)>,
    writes: Vec<(u32, WriteRequest)>,
}

impl Here {
    fn new(connection: Option<Connection>) -> Here {
        let mut here = Here {
            session: Session::new(7),
            said: Vec::new(),
            tickets: Vec::new(),
            join: None,
            switches: Vec::new(),
            writes: Vec::new(),
        };
        here.hear(ToPanel::Flags {
            realtime_sync: Decision::On,
        });
        here.hear(ToPanel::Kept {
            session: Some(SavedSession {
                token: String::from("token"),
                account: String::from("ana@example.com"),
            }),
            connection: connection.map(Box::new),
        });
        here
    }

    fn take(&mut self, event: Event) {
        for effect in self.session.take(event, NOW) {
            match effect {
                Effect::Say(message, _) => self.said.push(message),
                Effect::Ticket(turn, sheet) => self.tickets.push((turn, sheet)),
                Effect::OpenSocket(turn, join) => self.join = Some((turn, join)),
                Effect::SetTwoWay(token, request) => self.switches.push((token, request)),
                Effect::Write(token, request) => self.writes.push((token, request)),
                _ => {}
            }
        }
    }

    fn hear(&mut self, message: ToPanel) {
        self.take(Event::Sandbox(message));
    }

    fn act(&mut self, action: Action) {
        self.take(Event::Act(action));
    }

    fn frame(&mut self, frame: RelayFrame) {
        let turn = self.join.as_ref().expect("a socket").0;
        self.take(Event::Socket(turn, SocketEvent::Frame(frame)));
    }

    /// Answers every question for a ticket, those of the given tabs with a refusal.
    fn give_tickets(&mut self, refused: &[i64]) {
        while !self.tickets.is_empty() {
            let (turn, sheet) = self.tickets.remove(0);
            let answer = if refused.contains(&sheet.sheet_id) {
                Err(refusal(ErrorCode::NotFound))
            } else {
                Ok(format!("ticket-{}", sheet.sheet_id))
            };
            self.take(Event::Ticket(turn, answer));
        }
    }

    /// Answers every question whether a tab may be written to, and gives the tabs asked for.
    fn allow_writes(&mut self, answer: impl Fn(i64) -> Result<TwoWayReply, Failure>) -> Vec<i64> {
        let mut asked = Vec::new();
        while !self.switches.is_empty() {
            let (token, request) = self.switches.remove(0);
            asked.push(request.sheet.sheet_id);
            self.take(Event::TwoWay(token, answer(request.sheet.sheet_id)));
        }
        asked
    }

    fn held(&self) -> Vec<(i64, Hold)> {
        let State::Connected(connected) = self.session.state() else {
            panic!("{:?}", self.session.state());
        };
        let held = connected.held.iter();
        held.map(|(sheet, hold)| (sheet.sheet_id, *hold)).collect()
    }

    fn push(&mut self, push: u32, sheet_id: i64) {
        self.hear(ToPanel::Push {
            push,
            sheet: tab(sheet_id),
            cells: vec![CellWrite {
                row: 1,
                column: 1,
                before: String::from("t#111111"),
                value: WriteValue::Text(String::from("#222222")),
                guards: Vec::new(),
            }],
        });
    }

    /// The tickets and positions of the last join.
    fn joined(&self) -> Vec<(String, Option<u64>)> {
        let Some((
            _,
            ClientFrame::Join {
                ticket,
                resume,
                more,
                ..
            },
        )) = &self.join
        else {
            panic!("nothing was joined");
        };
        let first = (ticket.clone(), resume.as_ref().map(|held| held.revision));
        let more = more.iter().map(|source| {
            let resume = source.resume.as_ref();
            (source.ticket.clone(), resume.map(|held| held.revision))
        });
        std::iter::once(first).chain(more).collect()
    }

    /// The tabs of which cells were given to the sandbox.
    fn given(&self) -> Vec<(i64, u64)> {
        let given = self.said.iter().filter_map(|message| match message {
            ToSandbox::Snapshot {
                sheet, position, ..
            }
            | ToSandbox::Changes {
                sheet, position, ..
            } => Some((sheet.sheet_id, position.revision)),
            _ => None,
        });
        given.collect()
    }

    fn inferred(&mut self, sheet_id: i64) {
        self.hear(ToPanel::Inferred {
            columns: columns(),
            header_row: 0,
            sample: Vec::new(),
            problems: Vec::new(),
            layout: None,
            sheet: Some(tab(sheet_id)),
        });
    }

    fn shown_tab(&self) -> Option<i64> {
        match self.session.state() {
            State::ConfirmingColumns { tab, .. } => tab.as_ref().map(|tab| tab.sheet.sheet_id),
            _ => None,
        }
    }

    fn confirm(&mut self) {
        self.act(Action::ConfirmColumns {
            columns: columns(),
            header_row: 0,
            layout: None,
        });
    }
}

#[test]
fn one_socket_follows_all_tabs() {
    let mut here = Here::new(Some(fed(3, true)));
    here.give_tickets(&[]);
    let tickets = [0, 1, 2].map(|at| (format!("ticket-{at}"), None));
    assert_eq!(here.joined(), tickets);
    here.frame(snapshot(5));
    here.frame(source(2));
    here.frame(snapshot(7));
    here.frame(changes(7));
    here.frame(source(1));
    here.frame(snapshot(1));
    here.frame(source(0));
    here.frame(changes(5));
    let given = [(0, 5), (2, 7), (2, 8), (1, 1), (0, 6)];
    assert_eq!(here.given(), given);
    assert_eq!(here.session.unanswered(), 5);
    // What has been worked off is told tab by tab.
    let taken = |more: [u64; 2]| ToPanel::Taken {
        position: position(6),
        more: more.map(position).to_vec(),
    };
    here.hear(taken([1, 7]));
    assert_eq!(here.session.unanswered(), 1);
    here.hear(taken([1, 8]));
    assert_eq!(here.session.unanswered(), 0);
    // A gap in one tab has all asked for, each from where it stands.
    here.frame(source(1));
    here.frame(changes(4));
    here.give_tickets(&[]);
    let positions: Vec<Option<u64>> = here.joined().into_iter().map(|(_, held)| held).collect();
    assert_eq!(positions, [Some(6), None, Some(8)]);
}

#[test]
fn a_tab_that_cannot_be_had_is_told_and_the_others_are_followed() {
    let mut here = Here::new(Some(fed(3, true)));
    here.give_tickets(&[1]);
    let tickets: Vec<String> = here
        .joined()
        .into_iter()
        .map(|(ticket, _)| ticket)
        .collect();
    assert_eq!(tickets, ["ticket-0", "ticket-2"]);
    // Places are those of the join.
    here.frame(source(1));
    here.frame(snapshot(3));
    assert_eq!(here.given(), [(2, 3)]);
    let State::Connected(connected) = here.session.state() else {
        panic!("{:?}", here.session.state());
    };
    let told: Vec<i64> = connected
        .troubles
        .iter()
        .map(|(of, _)| of.sheet_id)
        .collect();
    assert_eq!(told, [1]);
}

#[test]
fn tabs_are_chosen_and_their_columns_looked_at_one_after_the_other() {
    let mut here = Here::new(Some(fed(1, true)));
    here.give_tickets(&[]);
    here.act(Action::AddSource);
    assert!(matches!(
        here.session.state(),
        State::ChoosingSpreadsheet { adds: true, .. }
    ));
    // Nothing that comes meanwhile leads away, and one can go back.
    here.hear(ToPanel::ConnectionChanged {
        connection: Some(Box::new(fed(1, true))),
    });
    here.act(Action::Back);
    assert!(matches!(here.session.state(), State::Connected(_)));

    here.hear(ToPanel::ConnectionChanged {
        connection: Some(Box::new(fed(3, true))),
    });
    here.give_tickets(&[]);
    assert_eq!(here.joined().len(), 3);
    here.inferred(1);
    here.inferred(2);
    assert_eq!(here.shown_tab(), Some(1));
    here.confirm();
    assert_eq!(here.shown_tab(), Some(2));
    // This one is better left out.
    here.act(Action::Back);
    assert_eq!(
        here.said.last(),
        Some(&ToSandbox::RemoveSource { sheet: tab(2) })
    );
    let confirmed = here.said.iter().filter_map(|message| match message {
        ToSandbox::ConfirmColumns { sheet, .. } => sheet.clone(),
        _ => None,
    });
    assert_eq!(confirmed.collect::<Vec<_>>(), [tab(1)]);
    here.hear(ToPanel::ConnectionChanged {
        connection: Some(Box::new(fed(2, true))),
    });
    here.give_tickets(&[]);
    assert_eq!(here.joined().len(), 2);
}

#[test]
fn a_cell_is_opened_in_its_own_tab() {
    let mut kept = fed(2, true);
    kept.more[0].sheet_title = kept.sheet_title.clone();
    kept.more[0].spreadsheet_title = String::from("Brand");
    let names = kept.tab_names();
    assert_eq!(names[1], "Brand › Tab 0");
    assert_eq!(kept.source_of("'Brand › Tab 0'!C14"), &tab(1));
    let first = format!("'{}'!A1", names[0]);
    assert_eq!(kept.source_of(&first), &tab(0));
    assert_eq!(kept.source_of(""), &tab(0));
}

/// A file of three tabs, live and the one that writes it.
fn writer() -> Here {
    let mut here = Here::new(Some(fed(3, true)));
    here.give_tickets(&[]);
    here.hear(ToPanel::File {
        id: String::from("file"),
        panel: String::from("panel"),
        nonce: String::new(),
    });
    here.frame(RelayFrame::Writer {
        v: VERSION,
        you: true,
        name: String::from("ana@example.com"),
        fence: 4,
        nonce: String::from("n"),
    });
    for at in 0..3 {
        here.frame(source(at));
        here.frame(snapshot(1));
    }
    here
}

fn switched(here: &Here) -> Vec<bool> {
    let told = here.said.iter();
    told.filter_map(|message| match message {
        ToSandbox::SetTwoWay { on } => Some(*on),
        _ => None,
    })
    .collect()
}

#[test]
fn one_switch_asks_for_every_tab_and_names_those_that_refuse() {
    let mut here = writer();
    here.act(Action::SetTwoWay { on: true });
    let asked = here.allow_writes(|sheet_id| match sheet_id {
        1 => Err(refusal(ErrorCode::NoWrite)),
        _ => Ok(TwoWayReply { on: true }),
    });
    assert_eq!(asked, [0, 1, 2]);
    assert_eq!(switched(&here), [true]);
    assert_eq!(here.held(), [(1, Hold::ReadOnly)]);
    // Where all refuse it stays off.
    let mut here = writer();
    here.act(Action::SetTwoWay { on: true });
    here.allow_writes(|_| Err(refusal(ErrorCode::NoWrite)));
    assert!(switched(&here).is_empty());
    assert_eq!(here.held().len(), 3);
    // A tab that is gone keeps the others from nothing, and is told.
    let mut here = writer();
    here.act(Action::SetTwoWay { on: true });
    here.allow_writes(|sheet_id| match sheet_id {
        2 => Err(refusal(ErrorCode::NotFound)),
        _ => Ok(TwoWayReply { on: true }),
    });
    assert_eq!(switched(&here), [true]);
    assert_eq!(here.held(), [(2, Hold::Failed)]);
    assert!(here.session.notice().is_some());
    // Off needs nobody's leave, and is said of all.
    here.act(Action::SetTwoWay { on: false });
    assert_eq!(switched(&here), [true, false]);
    assert_eq!(here.allow_writes(|_| Err(Failure::Network)), [0, 1, 2]);
    assert_eq!(switched(&here), [true, false]);
}

#[test]
fn a_switch_that_lost_its_way_halfway_stays_off() {
    let mut here = writer();
    here.act(Action::SetTwoWay { on: true });
    let asked = here.allow_writes(|sheet_id| match sheet_id {
        0 => Ok(TwoWayReply { on: true }),
        _ => Err(Failure::Network),
    });
    assert_eq!(asked, [0, 1]);
    assert!(switched(&here).is_empty());
    assert_eq!(here.held(), []);
    assert!(here.session.notice().is_some());
}

#[test]
fn cells_go_to_the_tab_that_they_are_of() {
    let mut here = writer();
    here.push(1, 2);
    let (token, request) = here.writes.remove(0);
    assert_eq!(request.sheet, tab(2));
    here.take(Event::Wrote(token, Err(refusal(ErrorCode::TwoWayOff))));
    assert_eq!(here.held(), [(2, Hold::NotAllowed)]);
    // Another tab's are sent as before.
    here.push(2, 1);
    let (token, request) = here.writes.remove(0);
    assert_eq!(request.sheet, tab(1));
    let results = vec![WriteResult::Written];
    here.take(Event::Wrote(token, Ok(WriteReply { results })));
    here.push(3, 2);
    assert!(here.writes.is_empty());
    // Nothing is sent to a tab that feeds the file no longer.
    here.push(4, 9);
    assert!(here.writes.is_empty());
    let answers: Vec<(u32, usize)> = here
        .said
        .iter()
        .filter_map(|message| match message {
            ToSandbox::Pushed { push, results } => Some((*push, results.len())),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [(1, 0), (2, 1), (3, 0), (4, 0)]);
}
