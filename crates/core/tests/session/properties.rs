//! Properties: what holds in whatever order things happen.
//!
//! Owns the generator of events and the statements. Must not know single stories.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{SavedSession, ToPanel, ToSandbox, WaitReason};
use sheetwire_core::protocol::relay::{
    ApiError, CellWrite, CloseReason, ErrorCode, PollReply, Position, RelayFrame, SheetEntry,
    SheetInfo, SignInReply, Spreadsheet, SpreadsheetList, TwoWayReply, VERSION, WriteReply,
    WriteResult, WriteValue,
};
use sheetwire_core::session::{
    Action, CELL_MESSAGES_MAX, Effect, Event, Failure, RETRY_MS_MAX, Sending, Session, SocketEvent,
    State, StopReason, Timer,
};

use crate::world::{SPREADSHEET, columns, connection, preview, report, session_reply, sheet};

/// What happens next. Answers find the latest request of their kind, if there is one.
#[derive(Debug, Clone)]
enum Happening {
    Act(Action),
    Hear(ToPanel),
    /// The latest request for which this is an answer is answered.
    Answer(Answer),
    /// Something comes with a token of long ago.
    Stale(Answer, u32),
    Pass(u64),
    Online,
    Focus,
    /// The sandbox has a cell for the sheet, unless it waits for the last one's answer.
    Push,
}

#[derive(Debug, Clone)]
enum Answer {
    Begun(Result<(), Failure>),
    Redeemed(Result<bool, Failure>),
    Renewed(Result<(), Failure>),
    Listed(Result<(), Failure>),
    Tabs(Result<u8, Failure>),
    Ticket(Result<(), Failure>),
    Socket(Option<RelayFrame>),
    Unreadable,
    Polled(Result<Vec<RelayFrame>, Failure>),
    TwoWay(Result<bool, Failure>),
    Wrote(Result<(), Failure>),
    Timer(Timer),
}

const TIMERS: [Timer; 10] = [
    Timer::Write,
    Timer::Word,
    Timer::Nonce,
    Timer::Redeem,
    Timer::Renew,
    Timer::Retry,
    Timer::Silence,
    Timer::Poll,
    Timer::TrySocket,
    Timer::Flags,
];

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::Network),
        Just(Failure::Unreadable),
        select(vec![
            ErrorCode::SignedOut,
            ErrorCode::NoAccess,
            ErrorCode::Expired,
            ErrorCode::TwoWayOff,
            ErrorCode::NotWriter,
            ErrorCode::NoWrite,
            ErrorCode::TooMany,
            ErrorCode::Unavailable,
        ])
        .prop_map(|code| Failure::Api(ApiError {
            code,
            message: "Something.".into(),
            remedy: None,
        })),
    ]
}

fn position() -> impl Strategy<Value = Position> {
    (0..3_u8, 0..12_u64).prop_map(|(epoch, revision)| Position {
        epoch: format!("e{epoch}"),
        revision,
    })
}

fn frame() -> impl Strategy<Value = RelayFrame> {
    prop_oneof![
        3 => position().prop_map(|position| RelayFrame::Snapshot {
            v: VERSION,
            position,
            sheet: SheetInfo {
                spreadsheet_title: "Design".into(),
                sheet_title: "Tokens".into(),
                locale: "en_US".into(),
            },
            cells: "whole".into(),
        }),
        6 => (position(), 0..4_u64).prop_map(|(position, back)| RelayFrame::Changes {
            v: VERSION,
            since: position.revision.saturating_sub(back),
            position,
            seen_unix_ms: 0,
            rows: 5,
            cells: "changes".into(),
        }),
        1 => position().prop_map(|position| RelayFrame::Resumed { v: VERSION, position }),
        1 => Just(RelayFrame::Heartbeat { v: VERSION, read_unix_ms: 5 }),
        1 => Just(RelayFrame::FlagsChanged { v: VERSION }),
        1 => (any::<bool>(), 0..4_u64).prop_map(|(you, fence)| RelayFrame::Writer {
            v: VERSION,
            you,
            name: "ben@example.com".into(),
            fence,
            nonce: "n".into(),
        }),
        1 => select(vec![
            CloseReason::Draining,
            CloseReason::SlowConsumer,
            CloseReason::Ticket,
            CloseReason::Protocol,
            CloseReason::Version,
            CloseReason::SignedOut,
            CloseReason::SwitchedOff,
        ])
        .prop_map(|reason| RelayFrame::Closing { v: VERSION, reason }),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let fails = |good: u32| {
        prop_oneof![
            good => Just(None),
            1 => failure().prop_map(Some),
        ]
    };
    let or = |failure: Option<Failure>| failure.map_or(Ok(()), Err);
    prop_oneof![
        2 => fails(4).prop_map(move |failure| Answer::Begun(or(failure))),
        2 => (fails(4), any::<bool>())
            .prop_map(|(failure, done)| Answer::Redeemed(failure.map_or(Ok(done), Err))),
        1 => fails(2).prop_map(move |failure| Answer::Renewed(or(failure))),
        1 => fails(4).prop_map(move |failure| Answer::Listed(or(failure))),
        1 => (fails(4), 0..3_u8)
            .prop_map(|(failure, tabs)| Answer::Tabs(failure.map_or(Ok(tabs), Err))),
        4 => fails(5).prop_map(move |failure| Answer::Ticket(or(failure))),
        12 => proptest::option::weighted(0.9, frame()).prop_map(Answer::Socket),
        1 => Just(Answer::Unreadable),
        4 => (fails(4), vec(frame(), 1..3))
            .prop_map(|(failure, frames)| Answer::Polled(failure.map_or(Ok(frames), Err))),
        2 => (fails(2), any::<bool>())
            .prop_map(|(failure, on)| Answer::TwoWay(failure.map_or(Ok(on), Err))),
        4 => fails(1).prop_map(move |failure| Answer::Wrote(or(failure))),
        4 => select(TIMERS.to_vec()).prop_map(Answer::Timer),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    select(vec![
        Action::SignIn,
        Action::OpenSignIn,
        Action::CancelSignIn,
        Action::SignOut,
        Action::Refresh,
        Action::ChooseSpreadsheet {
            id: SPREADSHEET.into(),
        },
        Action::PasteLink {
            link: SPREADSHEET.into(),
        },
        Action::PasteLink { link: "no".into() },
        Action::ChooseSheets { sheet_ids: vec![7] },
        Action::Back,
        Action::ConfirmColumns {
            columns: columns(),
            header_row: 0,
            layout: None,
        },
        Action::EditColumns,
        Action::Approve {
            plan: 1,
            include_removals: true,
            retypes: Vec::new(),
        },
        Action::KeepRemoved { plan: 1 },
        Action::Cancel,
        Action::Toggle { on: true },
        Action::Toggle { on: false },
        Action::SetTwoWay { on: true },
        Action::SetTwoWay { on: false },
        Action::SyncNow,
        Action::RetryNow,
        Action::Disconnect,
        Action::Hide,
        Action::DismissNotice,
    ])
}

fn kept(approved: bool) -> ToPanel {
    ToPanel::Kept {
        session: Some(SavedSession {
            token: "kept".into(),
            account: "ana@example.com".into(),
        }),
        connection: Some(Box::new(connection(approved))),
    }
}

fn message() -> impl Strategy<Value = ToPanel> {
    prop_oneof![
        1 => select(vec![Decision::SwitchedOff, Decision::NotYet, Decision::Unknown])
            .prop_map(|realtime_sync| ToPanel::Flags { realtime_sync }),
        3 => Just(ToPanel::Flags { realtime_sync: Decision::On }),
        2 => any::<bool>().prop_map(kept),
        1 => Just(ToPanel::Kept { session: None, connection: None }),
        1 => Just(ToPanel::Inferred {
            columns: columns(),
            header_row: 0,
            sample: Vec::new(),
            problems: Vec::new(),
            layout: None,
            sheet: None,
        }),
        1 => Just(ToPanel::Preview(preview(1))),
        1 => Just(ToPanel::Waiting { reason: WaitReason::Large, preview: preview(1) }),
        1 => Just(ToPanel::Progress { done: 1, total: 2 }),
        3 => position().prop_map(|position| ToPanel::Applied(report(position))),
        2 => proptest::option::of((any::<bool>(), any::<bool>())).prop_map(|kind| {
            ToPanel::ConnectionChanged {
                connection: kind.map(|(on, approved)| {
                    let mut connection = connection(approved);
                    connection.on = on;
                    Box::new(connection)
                }),
            }
        }),
        1 => Just(ToPanel::Refused { message: "No.".into(), remedy: None }),
        1 => prop_oneof![9 => Just(false), 1 => Just(true)]
            .prop_map(|fatal| ToPanel::Failed { message: "It broke.".into(), fatal }),
        1 => select(vec![
            StopReason::Toggled,
            StopReason::Disconnected,
            StopReason::SignedOut,
            StopReason::SwitchedOff,
            StopReason::Breaker,
            StopReason::Breaker,
            StopReason::Breaker,
            StopReason::ReadOnly,
        ])
        .prop_map(|reason| ToPanel::Stopped { reason }),
    ]
}

fn batch(push: u32) -> ToPanel {
    ToPanel::Push {
        push,
        sheet: sheet(),
        cells: vec![CellWrite {
            row: 1,
            column: 2,
            before: "t1".into(),
            value: WriteValue::Number(2.0),
            guards: Vec::new(),
        }],
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => action().prop_map(Happening::Act),
        4 => message().prop_map(Happening::Hear),
        12 => answer().prop_map(Happening::Answer),
        2 => (answer(), 1..4_u32).prop_map(|(answer, back)| Happening::Stale(answer, back)),
        2 => (0..400_000_u64).prop_map(Happening::Pass),
        1 => Just(Happening::Online),
        1 => Just(Happening::Focus),
        3 => Just(Happening::Push),
    ]
}

/// Tokens that were given out last, by what they are for.
#[derive(Debug, Default)]
struct Given {
    ask: u32,
    ask_for: Option<For>,
    renewal: Option<u32>,
    turn: u32,
    ticket: bool,
    socket: bool,
    poll: bool,
    switch: Option<u32>,
    write: Option<u32>,
    latest_switch: u32,
    latest_write: u32,
    timers: [Option<u32>; 10],
    latest_timer: [u32; 10],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum For {
    Begin,
    Redeem,
    List,
    Tabs,
}

fn event(answer: Answer, token: u32) -> Event {
    match answer {
        Answer::Begun(result) => Event::Begun(
            token,
            result.map(|()| SignInReply {
                flow: "flow".into(),
                code: "AAA-BBB".into(),
                url: "http://localhost/".into(),
                expires_in_s: 600,
            }),
        ),
        Answer::Redeemed(result) => Event::Redeemed(
            token,
            result.map(|done| done.then(|| session_reply("new", 3600, Vec::new()))),
        ),
        Answer::Renewed(result) => Event::Renewed(
            token,
            result.map(|()| session_reply("renewed", 3600, Vec::new())),
        ),
        Answer::Listed(result) => Event::Listed(
            token,
            result.map(|()| SpreadsheetList {
                spreadsheets: Vec::new(),
            }),
        ),
        Answer::Tabs(result) => Event::Tabs(
            token,
            result.map(|tabs| Spreadsheet {
                id: SPREADSHEET.into(),
                title: "Design".into(),
                locale: "en_US".into(),
                sheets: (0..tabs)
                    .map(|at| SheetEntry {
                        sheet_id: 7 + i64::from(at),
                        title: "Tokens".into(),
                        rows: 1,
                        columns: 1,
                    })
                    .collect(),
            }),
        ),
        Answer::Ticket(result) => Event::Ticket(token, result.map(|()| "ticket".into())),
        Answer::Socket(Some(frame)) => Event::Socket(token, SocketEvent::Frame(frame)),
        Answer::Socket(None) => Event::Socket(token, SocketEvent::Closed),
        Answer::Unreadable => Event::Socket(token, SocketEvent::Unreadable),
        Answer::Polled(result) => Event::Polled(token, result.map(|frames| PollReply { frames })),
        Answer::TwoWay(result) => Event::TwoWay(token, result.map(|on| TwoWayReply { on })),
        Answer::Wrote(result) => Event::Wrote(
            token,
            result.map(|()| WriteReply {
                results: vec![WriteResult::Written],
            }),
        ),
        Answer::Timer(timer) => Event::Timer(timer, token),
    }
}

impl Given {
    /// The token with which this is an answer now; taken, so that nothing is answered twice.
    fn current(&mut self, answer: &Answer) -> Option<u32> {
        let ask = |given: &mut Given, what: For| {
            (given.ask_for == Some(what)).then(|| {
                given.ask_for = None;
                given.ask
            })
        };
        match answer {
            Answer::Begun(_) => ask(self, For::Begin),
            Answer::Redeemed(_) => ask(self, For::Redeem),
            Answer::Listed(_) => ask(self, For::List),
            Answer::Tabs(_) => ask(self, For::Tabs),
            Answer::Renewed(_) => self.renewal.take(),
            Answer::Ticket(_) => std::mem::take(&mut self.ticket).then_some(self.turn),
            Answer::Polled(_) => std::mem::take(&mut self.poll).then_some(self.turn),
            Answer::Socket(_) | Answer::Unreadable => self.socket.then_some(self.turn),
            Answer::TwoWay(_) => self.switch.take(),
            Answer::Wrote(_) => self.write.take(),
            Answer::Timer(timer) => self.timers[*timer as usize].take(),
        }
    }

    /// A token that is certainly out of date.
    fn stale(&self, answer: &Answer, back: u32) -> u32 {
        let latest = match answer {
            Answer::Begun(_) | Answer::Redeemed(_) | Answer::Listed(_) | Answer::Tabs(_) => {
                self.ask
            }
            // A renewal's token is younger than its timer's or as old.
            Answer::Renewed(_) => self.latest_timer[Timer::Renew as usize],
            Answer::Ticket(_) | Answer::Socket(_) | Answer::Unreadable | Answer::Polled(_) => {
                self.turn
            }
            Answer::TwoWay(_) => self.latest_switch,
            Answer::Wrote(_) => self.latest_write,
            Answer::Timer(timer) => self.latest_timer[*timer as usize],
        };
        latest.wrapping_sub(back)
    }

    fn note(&mut self, effect: &Effect) {
        let mut asked = |token: u32, what: For| {
            self.ask = token;
            self.ask_for = Some(what);
        };
        match effect {
            Effect::BeginSignIn(token) => asked(*token, For::Begin),
            Effect::Redeem(token, _) => asked(*token, For::Redeem),
            Effect::List(token) => asked(*token, For::List),
            Effect::Tabs(token, _) => asked(*token, For::Tabs),
            Effect::Renew(token) => self.renewal = Some(*token),
            Effect::Ticket(turn, _) => {
                self.turn = *turn;
                (self.ticket, self.poll) = (true, false);
            }
            Effect::OpenSocket(turn, _) => {
                assert!(!self.socket, "two sockets");
                self.turn = *turn;
                self.socket = true;
            }
            Effect::CloseSocket => {
                assert!(self.socket, "there is no socket to close");
                self.socket = false;
            }
            Effect::Send(_) => assert!(self.socket, "there is no socket to send on"),
            Effect::Poll(turn, _) => {
                assert!(!self.socket, "polled beside a socket");
                self.turn = *turn;
                (self.ticket, self.poll) = (false, true);
            }
            Effect::StartTimer(timer, token, ms) => {
                assert!(*ms <= 24 * 60 * 60 * 1000, "a wait without end");
                if *timer == Timer::Retry {
                    assert!(*ms < RETRY_MS_MAX);
                    self.turn = *token;
                    (self.ticket, self.poll) = (false, false);
                }
                self.timers[*timer as usize] = Some(*token);
                self.latest_timer[*timer as usize] = *token;
            }
            Effect::SetTwoWay(token, _) => {
                self.switch = Some(*token);
                self.latest_switch = *token;
            }
            Effect::Write(token, _) => {
                self.write = Some(*token);
                self.latest_write = *token;
            }
            Effect::Say(..)
            | Effect::SignOut(_)
            | Effect::OpenWindow(_)
            | Effect::EvaluateFlags => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/session/regressions.txt"
        )))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens(
        seed in any::<u32>(),
        start in 0..3_u8,
        happenings in vec(happening(), 1..120),
    ) {
        let mut session = Session::new(seed);
        let mut given = Given::default();
        let mut now = 1_000_000_u64;
        let mut shown: Option<Position> = None;
        // The batch of cells that the sandbox waits for.
        let (mut push, mut awaited) = (0, false);
        let opening = match start {
            0 => vec![],
            1 => vec![
                Happening::Hear(ToPanel::Flags { realtime_sync: Decision::On }),
                Happening::Hear(ToPanel::Kept { session: None, connection: None }),
            ],
            _ => vec![
                Happening::Hear(ToPanel::Flags { realtime_sync: Decision::On }),
                Happening::Hear(kept(true)),
            ],
        };
        for happening in opening.into_iter().chain(happenings) {
            let was_off = matches!(session.state(), State::Off(_) | State::Dead { .. });
            let (event, stale) = match happening {
                Happening::Act(action) => (Event::Act(action), false),
                Happening::Hear(message) => (Event::Sandbox(message), false),
                Happening::Answer(answer) => match given.current(&answer) {
                    Some(token) => (event(answer, token), false),
                    None => continue,
                },
                Happening::Stale(answer, back) => {
                    let token = given.stale(&answer, back);
                    (event(answer, token), true)
                }
                Happening::Pass(ms) => {
                    now += ms;
                    continue;
                }
                Happening::Online => (Event::Online, false),
                Happening::Focus => (Event::Focus, false),
                Happening::Push if awaited => continue,
                Happening::Push => {
                    push += 1;
                    awaited = true;
                    (Event::Sandbox(batch(push)), false)
                }
            };
            let before = stale.then(|| {
                (
                    session.state().clone(),
                    session.notice().cloned(),
                    session.token().map(str::to_owned),
                    session.position().cloned(),
                )
            });
            let effects = session.take(event, now);
            if let Some((state, notice, token, position)) = before {
                prop_assert_eq!(&effects, &[]);
                prop_assert_eq!(session.state(), &state);
                prop_assert_eq!(session.notice(), notice.as_ref());
                prop_assert_eq!(session.token(), token.as_deref());
                prop_assert_eq!(session.position(), position.as_ref());
            }
            let is_off = matches!(session.state(), State::Off(_) | State::Dead { .. });
            if is_off {
                prop_assert!(
                    effects.iter().all(|effect| *effect == Effect::CloseSocket),
                    "{:?}", effects
                );
                prop_assert!(!was_off || effects.is_empty());
                // The sandbox has forgotten it.
                awaited = false;
            }
            for effect in &effects {
                given.note(effect);
                if let Effect::Say(message, _) = effect {
                    match message {
                        ToSandbox::Snapshot { position, .. } => {
                            if let Some(held) = &shown {
                                prop_assert!(
                                    held.epoch != position.epoch
                                        || held.revision <= position.revision,
                                    "back from {:?} to {:?}", held, position
                                );
                            }
                            shown = Some(position.clone());
                        }
                        ToSandbox::Changes { position, .. } => {
                            let held = shown.as_ref().expect("changes follow a sheet");
                            prop_assert_eq!(&held.epoch, &position.epoch);
                            prop_assert!(held.revision < position.revision);
                            shown = Some(position.clone());
                        }
                        ToSandbox::Connect { .. } => shown = None,
                        ToSandbox::Pushed { push: answered, results } => {
                            prop_assert!(awaited && *answered == push, "answered twice");
                            prop_assert!(results.len() < 2);
                            awaited = false;
                        }
                        _ => {}
                    }
                }
            }
            if session.position().is_none() {
                shown = None;
            }
            prop_assert_eq!(session.position(), shown.as_ref());
            prop_assert!(session.unanswered() <= CELL_MESSAGES_MAX);
            if let State::Connected(connected) = session.state() {
                let cells = connected.sending == Sending::Cells(1);
                prop_assert!(awaited || !cells, "nothing is on its way");
            }
            if is_off || session.token().is_none() {
                prop_assert!(!given.socket, "a socket without a sign-in");
            }
        }
    }
}
