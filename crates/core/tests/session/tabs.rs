//! A file that several tabs feed: what the session asks of the relay and tells the sandbox.

use crate::world::{columns, connection};
use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{Connection, SavedSession, Source, ToPanel, ToSandbox};
use sheetwire_core::protocol::relay::{
    ApiError, ClientFrame, ErrorCode, Position, RelayFrame, SheetInfo, SheetRef, VERSION,
};
use sheetwire_core::session::{Action, Effect, Event, Failure, Session, SocketEvent, State};

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

/// A session with what it asked for last.
struct Here {
    session: Session,
    said: Vec<ToSandbox>,
    tickets: Vec<(u32, SheetRef)>,
    join: Option<(u32, ClientFrame)>,
}

impl Here {
    fn new(connection: Option<Connection>) -> Here {
        let mut here = Here {
            session: Session::new(7),
            said: Vec::new(),
            tickets: Vec::new(),
            join: None,
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
                Err(Failure::Api(ApiError {
                    code: ErrorCode::NotFound,
                    message: String::from("There is no such tab."),
                    remedy: None,
                }))
            } else {
                Ok(format!("ticket-{}", sheet.sheet_id))
            };
            self.take(Event::Ticket(turn, answer));
        }
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
