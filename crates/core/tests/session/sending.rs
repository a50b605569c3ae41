//! Two-way sync as the session lives through it: the opt-in, batches, failures and looks.

use sheetwire_core::protocol::panel::{Choice, ToPanel, ToSandbox};
use sheetwire_core::protocol::relay::{
    CellWrite, ErrorCode, RelayFrame, VERSION, WriteResult, WriteValue,
};
use sheetwire_core::session::{
    Action, Event, Failure, Hold, LOOK_MS, Link, RETRY_MS_MAX, Sending, Timer, WRITE_TRIES_MAX,
};

use crate::world::{World, connection, refused, sheet};

/// A live file with two-way sync on.
fn two_way() -> World {
    let mut world = World::live();
    world.act(Action::SetTwoWay { on: true });
    assert!(world.connected().connection.two_way);
    world.sandbox.messages.clear();
    world
}

/// Why nothing is sent, tab by tab.
fn held(world: &World) -> Vec<Hold> {
    let held = world.connected().held.iter();
    held.map(|(_, hold)| *hold).collect()
}

fn cell() -> CellWrite {
    CellWrite {
        row: 13,
        column: 2,
        before: "t#111111".into(),
        value: WriteValue::Text("#333333".into()),
        guards: Vec::new(),
    }
}

fn push(world: &mut World, push: u32) {
    world.hear(ToPanel::Push {
        push,
        sheet: sheet(),
        cells: vec![cell()],
    });
}

/// What the sandbox was told of batches: number, and how many results.
fn answers(world: &World) -> Vec<(u32, usize)> {
    let told = world.sandbox.messages.iter();
    told.filter_map(|(message, _)| match message {
        ToSandbox::Pushed { push, results } => Some((*push, results.len())),
        _ => None,
    })
    .collect()
}

fn looks(world: &World) -> usize {
    let told = world.sandbox.messages.iter();
    told.filter(|(message, _)| *message == ToSandbox::Look)
        .count()
}

fn retry(world: &mut World) {
    let (due, ..) = world.timers[&(Timer::Write as u8)];
    world.advance(due - world.now);
}

#[test]
fn two_way_sync_is_on_after_the_relay_has_said_so() {
    let mut world = World::live();
    world.relay.refusal = Some(Failure::Network);
    world.act(Action::SetTwoWay { on: true });
    assert!(!world.connected().connection.two_way);
    assert!(world.session.notice().is_some());
    world.relay.refusal = None;
    world.act(Action::SetTwoWay { on: true });
    assert!(world.connected().connection.two_way);
    assert_eq!(world.connected().sending, Sending::Idle);
    world.act(Action::SetTwoWay { on: false });
    assert!(!world.connected().connection.two_way);
    assert_eq!(world.asked.two_way, [true, true, false]);
}

#[test]
fn it_goes_off_without_the_relays_leave() {
    let mut world = two_way();
    world.relay.refusal = Some(Failure::Network);
    world.act(Action::SetTwoWay { on: false });
    assert!(!world.connected().connection.two_way);
    assert_eq!(world.session.notice(), None);
}

#[test]
fn who_may_only_read_the_spreadsheet_is_told_whom_to_ask() {
    let mut world = World::live();
    world.relay.refusal = Some(refused(ErrorCode::NoWrite, "No."));
    world.act(Action::SetTwoWay { on: true });
    assert!(!world.connected().connection.two_way);
    assert_eq!(held(&world), [Hold::ReadOnly]);
    world.relay.refusal = None;
    world.act(Action::SetTwoWay { on: true });
    assert_eq!(held(&world), []);
    assert!(world.connected().connection.two_way);
}

#[test]
fn cells_go_to_the_relay_with_the_writers_grant() {
    let mut world = two_way();
    world.relay.fence = 5;
    let writer = world.writer_frame().expect("it elects");
    world.receive(writer);
    push(&mut world, 1);
    let request = &world.asked.writes[0];
    assert_eq!(request.v, VERSION);
    assert_eq!(request.sheet, sheet());
    assert_eq!(
        (request.file.as_str(), request.panel.as_str()),
        ("file-0", "panel-1")
    );
    assert_eq!(request.fence, 5);
    assert!(request.cells == [cell()]);
    assert_eq!(answers(&world), [(1, 1)]);
    assert_eq!(world.connected().sending, Sending::Idle);
    let told = world.sandbox.messages.iter().any(|(message, _)| {
        matches!(message, ToSandbox::Pushed { results, .. } if results[..] == [WriteResult::Written])
    });
    assert!(told);
}

#[test]
fn a_write_that_fails_is_repeated_with_waits_and_then_given_up() {
    let mut world = two_way();
    world.relay.refusal = Some(Failure::Network);
    push(&mut world, 1);
    assert_eq!(world.connected().sending, Sending::Cells(1));
    for _ in 1..WRITE_TRIES_MAX {
        let (due, ..) = world.timers[&(Timer::Write as u8)];
        assert!(due - world.now < RETRY_MS_MAX);
        assert_eq!(answers(&world), []);
        retry(&mut world);
    }
    assert_eq!(world.asked.writes.len() as u32, WRITE_TRIES_MAX);
    // Nobody knows whether one of them took effect.
    assert_eq!(answers(&world), [(1, 0)]);
    assert_eq!(world.connected().sending, Sending::Idle);
    // The next batch begins anew.
    world.relay.refusal = None;
    push(&mut world, 2);
    assert_eq!(answers(&world), [(1, 0), (2, 1)]);
}

#[test]
fn who_is_no_longer_the_writer_bids_again_and_repeats_the_write() {
    let mut world = two_way();
    let bids = world.asked.bids.len();
    let refusal = refused(ErrorCode::NotWriter, "Somebody else writes.");
    world.relay.write_refusals.push_back(refusal);
    world.relay.fence = 9;
    push(&mut world, 1);
    assert_eq!(world.asked.bids.len(), bids + 1);
    assert!(!world.asked.bids[bids].take_over);
    retry(&mut world);
    assert_eq!(world.asked.writes[1].fence, 9);
    assert_eq!(answers(&world), [(1, 1)]);
}

#[test]
fn who_was_overtaken_gives_the_batch_up() {
    let mut world = two_way();
    let refusal = refused(ErrorCode::NotWriter, "Somebody else writes.");
    world.relay.write_refusals.push_back(refusal);
    world.relay.writer = Some("ben@example.com".into());
    push(&mut world, 1);
    retry(&mut world);
    assert_eq!(world.asked.writes.len(), 1);
    assert_eq!(answers(&world), [(1, 0)]);
    // Nor does it look, or take the designer's word for it.
    let before = looks(&world);
    world.live_on(2 * LOOK_MS);
    assert_eq!(looks(&world), before);
    world.act(Action::SetTwoWay { on: false });
    assert!(world.connected().connection.two_way);
}

#[test]
fn who_has_not_allowed_it_yet_is_asked_and_nothing_is_sent_meanwhile() {
    let mut world = two_way();
    let refusal = refused(ErrorCode::TwoWayOff, "Off.");
    world.relay.write_refusals.push_back(refusal);
    push(&mut world, 1);
    assert_eq!(held(&world), [Hold::NotAllowed]);
    // The file's switch is the file's; another designer may have turned it.
    assert!(world.connected().connection.two_way);
    push(&mut world, 2);
    assert_eq!(world.asked.writes.len(), 1);
    assert_eq!(answers(&world), [(1, 0), (2, 0)]);
    let before = looks(&world);
    world.act(Action::SetTwoWay { on: true });
    assert_eq!(held(&world), []);
    assert_eq!(looks(&world), before + 1);
    push(&mut world, 3);
    assert_eq!(answers(&world)[2], (3, 1));
}

#[test]
fn what_the_relay_will_never_take_waits_for_the_designer() {
    let mut world = two_way();
    let refusal = refused(ErrorCode::NotFound, "No such spreadsheet.");
    world.relay.write_refusals.push_back(refusal);
    push(&mut world, 1);
    assert_eq!(held(&world), [Hold::Failed]);
    let notice = world.session.notice().expect("it is told");
    assert_eq!(notice.message, "No such spreadsheet.");
    world.act(Action::Resolve {
        list: 1,
        items: vec![0],
        choice: Choice::Send,
    });
    assert_eq!(held(&world), []);
    push(&mut world, 2);
    assert_eq!(answers(&world), [(1, 0), (2, 1)]);
}

#[test]
fn a_batch_of_a_session_that_ended_is_given_up() {
    for end in [
        Action::Toggle { on: false },
        Action::SignOut,
        Action::Disconnect,
    ] {
        let mut world = two_way();
        world.relay.refusal = Some(Failure::Network);
        push(&mut world, 1);
        world.relay.refusal = None;
        world.act(end.clone());
        assert_eq!(answers(&world), [(1, 0)], "{end:?}");
        let (_, timer, token) = world.timers[&(Timer::Write as u8)];
        world.take(Event::Timer(timer, token));
        assert_eq!(world.asked.writes.len(), 1);
    }
}

#[test]
fn figma_is_looked_at_while_live() {
    let mut world = two_way();
    let before = looks(&world);
    world.live_on(10 * LOOK_MS);
    let looked = looks(&world) - before;
    assert!((9..=10).contains(&looked), "{looked}");
    // Coming back to the panel looks at once, but not over and over.
    world.advance(5_000);
    world.take(Event::Focus);
    world.take(Event::Focus);
    assert_eq!(looks(&world) - before, looked + 1);
    // Nothing is looked at for nothing.
    world.act(Action::SetTwoWay { on: false });
    let before = looks(&world);
    world.live_on(3 * LOOK_MS);
    world.take(Event::Focus);
    assert_eq!(looks(&world), before);
}

#[test]
fn figma_is_looked_at_while_polling() {
    let mut world = two_way();
    world.relay.sockets = false;
    world.drop_socket();
    while world.asked.polls.is_empty() {
        let (due, ..) = world.timers[&(Timer::Retry as u8)];
        world.advance(due - world.now);
    }
    world.quiet_poll();
    assert_eq!(world.link(), Link::Polling);
    let before = looks(&world);
    for _ in 0..6 {
        world.advance(15_000);
        world.quiet_poll();
    }
    assert!(looks(&world) > before);
}

#[test]
fn nothing_is_sent_in_a_file_that_has_it_off() {
    let mut world = World::live();
    assert!(!connection(true).two_way);
    world.live_on(3 * LOOK_MS);
    assert_eq!(looks(&world), 0);
    let heartbeat = RelayFrame::Heartbeat {
        v: VERSION,
        read_unix_ms: world.now,
    };
    world.receive(heartbeat);
    assert_eq!(looks(&world), 0);
}
