//! What a designer lives through with the tab, one story a test.

use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{SavedSession, ToPanel, ToSandbox, WaitReason};
use sheetwire_core::protocol::relay::{
    CloseReason, ErrorCode, HEARTBEAT_MS, Position, RelayFrame, SheetEntry, VERSION,
};
use sheetwire_core::session::{
    Action, CELL_BYTES_MAX, CELL_MESSAGES_MAX, Effect, Event, FLAGS_MS, Failure, Link,
    NONCE_LOOKS_MAX, NONCE_MS, POLL_PAUSE_MS, RENEW_MS, RENEW_MS_MIN, RETRY_MS_MAX, RETRY_MS_MIN,
    SILENCE_MS, SOCKET_FAILURES_MAX, SocketEvent, State, StopReason, TRY_SOCKET_MS, Timer, WORD_MS,
};

use crate::world::{
    SPREADSHEET, World, columns, connection, preview, refused, session_reply, sheet,
};

const REDEEM_MS: u64 = 2_000;

fn tab(sheet_id: i64, title: &str) -> SheetEntry {
    SheetEntry {
        sheet_id,
        title: title.into(),
        rows: 100,
        columns: 26,
    }
}

fn at(epoch: u32, revision: u64) -> Position {
    Position {
        epoch: format!("e{epoch}"),
        revision,
    }
}

/// Until the next try is due.
fn wait_for_retry(world: &mut World) {
    let (due, ..) = world.timers[&(Timer::Retry as u8)];
    world.advance(due - world.now);
}

// Off.

#[test]
fn nothing_is_asked_for_while_off() {
    let mut world = World::new();
    world.sandbox.connection = Some(connection(true));
    for decision in [Decision::Unknown, Decision::NotYet, Decision::SwitchedOff] {
        world.hear(ToPanel::Flags {
            realtime_sync: decision,
        });
        assert_eq!(world.session.state(), &State::Off(decision));
        world.act(Action::SignIn);
        world.act(Action::RetryNow);
        world.act(Action::SyncNow);
        world.take(Event::Online);
        world.advance(RENEW_MS);
        assert_eq!(world.session.state(), &State::Off(decision));
    }
    assert!(world.timers.is_empty());
    assert_eq!(world.asked.begins + world.asked.tickets, 0);
    assert!(world.sandbox.messages.is_empty());
}

#[test]
fn what_is_kept_counts_only_while_the_flag_is_on() {
    let mut world = World::live();
    world.hear(ToPanel::Flags {
        realtime_sync: Decision::SwitchedOff,
    });
    let kept = ToPanel::Kept {
        session: world.sandbox.session.clone(),
        connection: world.sandbox.connection.clone().map(Box::new),
    };
    world.hear(kept);
    assert_eq!(world.session.state(), &State::Off(Decision::SwitchedOff));
    assert_eq!(world.session.token(), None);
}

#[test]
fn a_flag_that_goes_off_ends_everything_and_one_that_comes_back_begins_anew() {
    let mut world = World::live();
    world.edit();
    assert_eq!(world.link(), Link::Live);
    let (silence, renew) = (
        world.timers[&(Timer::Silence as u8)],
        world.timers[&(Timer::Renew as u8)],
    );
    world.hear(ToPanel::Flags {
        realtime_sync: Decision::SwitchedOff,
    });
    assert_eq!(world.session.state(), &State::Off(Decision::SwitchedOff));
    assert_eq!(world.socket, None);
    assert_eq!(world.session.account(), None);
    world.take(Event::Timer(Timer::Silence, silence.2));
    world.take(Event::Timer(Timer::Renew, renew.2));
    world.advance(RENEW_MS);
    assert_eq!(world.asked.renewals, 1);
    world.switch_on();
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.asked.joins, [None, None]);
}

#[test]
fn a_file_that_cannot_be_edited_is_read_only() {
    let mut world = World::new();
    world.sandbox.connection = Some(connection(true));
    world.hear(ToPanel::Hello {
        version: "0.1.0".into(),
        file_name: "File".into(),
        read_only: true,
        targeting_key: "key".into(),
        size: (400, 600),
        opening: None,
    });
    world.switch_on();
    assert_eq!(world.session.state(), &State::ReadOnly);
    let connection = world.sandbox.connection.clone().map(Box::new);
    world.hear(ToPanel::ConnectionChanged { connection });
    world.hear(ToPanel::ConnectionChanged { connection: None });
    world.act(Action::SignIn);
    assert_eq!(world.session.state(), &State::ReadOnly);
    assert_eq!(world.asked.tickets + world.asked.lists, 0);
    assert!(world.timers.is_empty());
}

#[test]
fn a_dead_sandbox_is_the_end() {
    let mut world = World::live();
    world.hear(ToPanel::Failed {
        message: "It broke.".into(),
        fatal: true,
    });
    let dead = State::Dead {
        message: "It broke.".into(),
    };
    assert_eq!(world.session.state(), &dead);
    assert_eq!(world.socket, None);
    world.switch_on();
    world.advance(RENEW_MS);
    assert_eq!(world.session.state(), &dead);
    assert_eq!(world.asked.renewals, 1);
}

#[test]
fn a_sandbox_that_dies_during_a_sign_in_is_not_brought_back_by_it() {
    let mut world = World::new();
    world.switch_on();
    world.relay.redeem_after = 1;
    world.act(Action::SignIn);
    world.hear(ToPanel::Failed {
        message: "It broke.".into(),
        fatal: true,
    });
    world.advance(60_000);
    assert!(matches!(world.session.state(), State::Dead { .. }));
    assert_eq!(world.asked.redeems, 0);
}

// Sign-in.

#[test]
fn the_whole_way_from_signing_in_to_live() {
    let mut world = World::new();
    world.switch_on();
    assert_eq!(world.session.state(), &State::SignedOut);
    assert!(world.timers.is_empty());
    world.relay.redeem_after = 2;
    world.act(Action::SignIn);
    assert_eq!(
        world.session.state(),
        &State::SigningIn {
            code: "KQ4-7TM".into(),
            url: "http://localhost/signin/flow-1".into()
        }
    );
    world.act(Action::OpenSignIn);
    assert_eq!(world.windows, ["http://localhost/signin/flow-1"]);
    world.advance(REDEEM_MS);
    assert!(matches!(world.session.state(), State::SigningIn { .. }));
    world.advance(2 * REDEEM_MS);
    assert_eq!(world.asked.redeems, 3);
    assert_eq!(world.session.account(), Some("ana@example.com"));
    assert_eq!(
        world.sandbox.session.as_ref().map(|kept| &*kept.token),
        Some("token-1")
    );
    assert!(matches!(
        world.session.state(),
        State::ChoosingSpreadsheet { entries: Some(entries), .. } if entries.len() == 1
    ));

    // Its one tab is chosen by itself, and the columns are there to be confirmed.
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { busy: false, sample, .. } if sample.len() == 1
    ));
    assert!(
        world
            .sandbox
            .messages
            .iter()
            .any(|(message, _)| *message == ToSandbox::Connect { sheet: sheet() })
    );
    world.act(Action::ConfirmColumns {
        columns: columns(),
        header_row: 0,
        layout: None,
    });
    let State::Previewing(shown) = world.session.state() else {
        panic!("no preview: {:?}", world.session.state());
    };
    let plan = shown.plan;
    world.act(Action::EditColumns);
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { sample, .. } if sample.len() == 1
    ));
    world.act(Action::ConfirmColumns {
        columns: columns(),
        header_row: 0,
        layout: None,
    });
    world.act(Action::Approve {
        plan: plan + 1,
        include_removals: false,
        retypes: Vec::new(),
    });
    assert_eq!(world.link(), Link::Live);
    assert_eq!(
        world.connected().last.as_ref().map(|run| &run.position),
        Some(&at(1, 1))
    );
    assert_eq!(world.connected().progress, None);

    // From now on an edited cell goes through untouched.
    world.edit();
    assert_eq!(world.cells(), ["whole at 1", "changes from 1"]);
    assert_eq!(
        world.connected().last.as_ref().map(|run| &run.position),
        Some(&at(1, 2))
    );
}

#[test]
fn a_sign_in_that_cannot_begin_says_why() {
    for (failure, message) in [
        (Failure::Network, "Your team's relay can't be reached."),
        (
            Failure::Unreadable,
            "Your team's relay gave an answer that could not be read.",
        ),
        (refused(ErrorCode::TooMany, "Too many."), "Too many."),
    ] {
        let mut world = World::new();
        world.switch_on();
        world.relay.begin_refusal = Some(failure);
        world.act(Action::SignIn);
        assert_eq!(world.session.state(), &State::SignedOut);
        assert_eq!(world.notice(), message);
        assert!(world.timers.is_empty());
        world.act(Action::DismissNotice);
        assert_eq!(world.session.notice(), None);
    }
}

#[test]
fn a_sign_in_that_is_refused_says_why() {
    for (code, message) in [
        (ErrorCode::Declined, "You declined."),
        (ErrorCode::AdminPolicy, "Your administrator allows it not."),
        (ErrorCode::Expired, "The code has expired."),
        (ErrorCode::Conflict, "The sign-in was used already."),
        (ErrorCode::NotFound, "No such sign-in."),
    ] {
        let mut world = World::new();
        world.switch_on();
        world.relay.redeem_refusal = Some(refused(code, message));
        world.act(Action::SignIn);
        world.advance(REDEEM_MS);
        assert_eq!(world.session.state(), &State::SignedOut, "{code:?}");
        assert_eq!(world.notice(), message);
        world.advance(60_000);
        assert_eq!(world.asked.redeems, 1);
    }
}

#[test]
fn a_sign_in_outlasts_a_relay_that_is_away_for_a_moment() {
    for failure in [
        Failure::Network,
        refused(ErrorCode::Unavailable, "Starting."),
        refused(ErrorCode::TooMany, "Too many."),
    ] {
        let mut world = World::new();
        world.switch_on();
        world.act(Action::SignIn);
        world.relay.redeem_refusal = Some(failure);
        world.advance(30_000);
        assert!(matches!(world.session.state(), State::SigningIn { .. }));
        world.relay.redeem_refusal = None;
        world.advance(REDEEM_MS);
        assert!(world.session.token().is_some());
    }
}

#[test]
fn a_sign_in_that_nobody_finishes_ends() {
    for refusal in [None, Some(Failure::Network)] {
        let mut world = World::new();
        world.switch_on();
        world.relay.redeem_after = u32::MAX;
        world.relay.redeem_refusal = refusal;
        world.act(Action::SignIn);
        world.advance(601_000 + REDEEM_MS);
        assert_eq!(world.session.state(), &State::SignedOut);
        world.notice();
        let redeems = world.asked.redeems;
        assert!(redeems <= 301);
        world.advance(600_000);
        assert_eq!(world.asked.redeems, redeems);
    }
}

#[test]
fn a_sign_in_that_is_given_up_asks_no_more() {
    let mut world = World::new();
    world.switch_on();
    world.relay.redeem_after = u32::MAX;
    world.act(Action::SignIn);
    let stale = world.timers[&(Timer::Redeem as u8)].2;
    world.act(Action::CancelSignIn);
    assert_eq!(world.session.state(), &State::SignedOut);
    world.advance(10 * REDEEM_MS);
    assert_eq!(world.asked.redeems, 0);
    world.take(Event::Redeemed(
        stale,
        Ok(Some(session_reply("late", 600, Vec::new()))),
    ));
    assert_eq!(world.session.token(), None);
}

#[test]
fn picking_in_the_browser_leads_straight_to_the_tabs() {
    let mut world = World::new();
    world.switch_on();
    world.relay.picked = vec![SPREADSHEET.into()];
    world.relay.tabs = vec![tab(7, "Tokens"), tab(8, "Other")];
    world.act(Action::SignIn);
    world.advance(REDEEM_MS);
    assert_eq!(world.asked.lists, 0);
    assert!(matches!(
        world.session.state(),
        State::ChoosingSheet { spreadsheet: Some(found) } if found.sheets.len() == 2
    ));
    world.act(Action::Back);
    assert!(matches!(
        world.session.state(),
        State::ChoosingSpreadsheet { .. }
    ));
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    world.act(Action::ChooseSheets { sheet_ids: vec![7] });
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { .. }
    ));
}

#[test]
fn a_second_sign_in_while_signed_in_is_none() {
    let mut world = World::live();
    world.act(Action::SignIn);
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.asked.begins, 0);
}

// Choosing.

#[test]
fn a_pasted_link_names_its_tab() {
    let mut world = World::signed_in();
    world.relay.tabs = vec![tab(3, "Other"), tab(7, "Tokens")];
    world.act(Action::PasteLink {
        link: format!("https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit#gid=7"),
    });
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { .. }
    ));

    let mut world = World::signed_in();
    world.relay.tabs = vec![tab(3, "Other"), tab(7, "Tokens")];
    world.act(Action::PasteLink {
        link: format!("https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit#gid=99"),
    });
    assert!(matches!(
        world.session.state(),
        State::ChoosingSheet { spreadsheet: Some(found) } if found.sheets.len() == 2
    ));
}

#[test]
fn a_pasted_text_that_is_no_link_is_told_and_changes_nothing() {
    let mut world = World::signed_in();
    let before = world.session.state().clone();
    world.act(Action::PasteLink {
        link: "https://example.com/spreadsheet".into(),
    });
    assert_eq!(world.session.state(), &before);
    assert_eq!(world.notice(), "This link does not lead to Google Sheets.");
    assert_eq!(world.asked.tabs, 0);
    world.act(Action::Refresh);
    assert_eq!(world.session.notice(), None);
    assert_eq!(world.asked.lists, 2);
}

#[test]
fn a_connected_file_is_not_left_by_choosing() {
    let mut world = World::live();
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    world.act(Action::PasteLink {
        link: SPREADSHEET.into(),
    });
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.asked.tabs, 0);
}

#[test]
fn a_list_and_tabs_that_cannot_be_had_are_told() {
    let mut world = World::signed_in();
    world.relay.refusal = Some(refused(ErrorCode::Google, "Google is away."));
    world.act(Action::Refresh);
    assert!(matches!(
        world.session.state(),
        State::ChoosingSpreadsheet { entries: Some(entries), .. } if entries.is_empty()
    ));
    assert_eq!(world.notice(), "Google is away.");
    world.relay.refusal = None;
    world.act(Action::Refresh);
    world.relay.refusal = Some(refused(ErrorCode::NoAccess, "You may not read it."));
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    assert!(matches!(
        world.session.state(),
        State::ChoosingSpreadsheet { .. }
    ));
    assert!(world.session.token().is_some());
}

#[test]
fn going_back_from_the_columns_disconnects() {
    let mut world = World::signed_in();
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { .. }
    ));
    world.act(Action::Back);
    assert!(matches!(
        world.session.state(),
        State::ChoosingSpreadsheet {
            entries: Some(_),
            ..
        }
    ));
    assert_eq!(world.socket, None);
    assert_eq!(world.sandbox.connection, None);
    world.advance(60_000);
    assert_eq!(world.asked.tickets, 1);
}

#[test]
fn a_refusal_of_the_columns_leaves_them_there() {
    let mut world = World::signed_in();
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    world.hear(ToPanel::Refused {
        message: "Two columns are the name.".into(),
        remedy: Some("Choose one.".into()),
    });
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { busy: false, .. }
    ));
    assert_eq!(world.notice(), "Two columns are the name.");
}

// The way to the relay.

#[test]
fn a_kept_connection_goes_live_by_itself() {
    let world = World::live();
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.asked.joins, [None]);
    assert_eq!(world.asked.renewals, 1);
    assert_eq!(world.cells(), ["whole at 1"]);
    assert!(world.connected().last.is_some());
}

#[test]
fn a_kept_connection_that_was_never_approved_is_previewed_again() {
    let mut world = World::new();
    world.sandbox.connection = Some(connection(false));
    world.sandbox.session = Some(SavedSession {
        token: "kept".into(),
        account: "ana@example.com".into(),
    });
    world.switch_on();
    assert!(matches!(world.session.state(), State::Previewing(_)));
}

#[test]
fn a_gap_is_filled_with_a_fresh_snapshot() {
    let mut world = World::live();
    world.relay.revision += 1;
    // The change to 2 never came.
    world.edit();
    assert_eq!(world.asked.joins, [None, None]);
    assert_eq!(world.cells(), ["whole at 1", "whole at 3"]);
    assert_eq!(world.link(), Link::Live);
    assert!(world.waits.is_empty(), "nobody waits after a first gap");
}

#[test]
fn a_relay_that_gives_no_snapshot_is_not_hurried() {
    let mut world = World::live();
    let turn = world.socket.expect("a socket is open");
    let gap = RelayFrame::Resumed {
        v: VERSION,
        position: at(9, 9),
    };
    let first = world.session.take(
        Event::Socket(turn, SocketEvent::Frame(gap.clone())),
        world.now,
    );
    let ticket = first.iter().find_map(|effect| match effect {
        Effect::Ticket(turn, _) => Some(*turn),
        _ => None,
    });
    let ticket = ticket.expect("it joins again");
    let _ = world
        .session
        .take(Event::Ticket(ticket, Ok("t".into())), world.now);
    let second = world
        .session
        .take(Event::Socket(ticket, SocketEvent::Frame(gap)), world.now);
    assert!(
        second
            .iter()
            .any(|effect| matches!(effect, Effect::StartTimer(Timer::Retry, ..))),
        "{second:?}"
    );
}

#[test]
fn a_restarted_relay_sends_everything_again() {
    let mut world = World::live();
    world.edit();
    world.restart_relay();
    assert!(matches!(world.link(), Link::Offline { attempt: 1, .. }));
    wait_for_retry(&mut world);
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.asked.joins, [None, Some(at(1, 2))]);
    assert_eq!(
        world.cells(),
        ["whole at 1", "changes from 1", "whole at 1"]
    );
    assert_eq!(world.session.position(), Some(&at(2, 1)));
}

#[test]
fn a_socket_that_comes_back_goes_on_where_it_was() {
    let mut world = World::live();
    world.drop_socket();
    world.relay.revision += 1;
    wait_for_retry(&mut world);
    assert_eq!(world.asked.joins, [None, Some(at(1, 1))]);
    assert_eq!(world.cells(), ["whole at 1", "changes from 1"]);
    world.drop_socket();
    wait_for_retry(&mut world);
    assert_eq!(world.cells().len(), 2, "nothing was missed");
    assert_eq!(world.link(), Link::Live);
}

#[test]
fn an_older_snapshot_of_the_same_epoch_is_not_shown() {
    let mut world = World::live();
    world.edit();
    world.relay.revision = 1;
    let stale = world.snapshot();
    world.relay.revision = 2;
    world.receive(stale);
    assert_eq!(world.session.position(), Some(&at(1, 2)));
    wait_for_retry(&mut world);
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.cells(), ["whole at 1", "changes from 1"]);
}

#[test]
fn a_network_without_sockets_is_polled_and_the_socket_tried_again() {
    let mut world = World::live();
    world.relay.sockets = false;
    world.drop_socket();
    for _ in 0..SOCKET_FAILURES_MAX {
        assert!(world.asked.polls.is_empty());
        wait_for_retry(&mut world);
    }
    // The relay holds the poll until something changes.
    assert_eq!(world.asked.polls.len(), 1);
    world.edit();
    assert_eq!(world.link(), Link::Polling);
    assert_eq!(world.cells(), ["whole at 1", "changes from 1"]);
    world.advance(POLL_PAUSE_MS);
    assert_eq!(world.asked.polls.len(), 2);
    assert_eq!(world.asked.polls[1].resume, Some(at(1, 2)));
    let joins = world.asked.joins.len();

    // Five minutes later the socket fails once more, and polling goes on at once.
    world.advance(TRY_SOCKET_MS);
    assert_eq!(world.asked.joins.len(), joins + 1);
    assert_eq!(world.link(), Link::Polling);

    // Another five minutes later it works.
    world.relay.sockets = true;
    world.advance(TRY_SOCKET_MS);
    assert_eq!(world.link(), Link::Live);
    world.edit();
    assert_eq!(world.cells().len(), 3);
}

#[test]
fn a_poll_with_a_gap_asks_for_everything_by_polling() {
    let mut world = World::live();
    world.relay.sockets = false;
    world.drop_socket();
    while world.asked.polls.is_empty() {
        wait_for_retry(&mut world);
    }
    let joins = world.asked.joins.len();
    world.relay.epoch += 1;
    world.edit();
    assert_eq!(world.asked.joins.len(), joins, "no socket in between");
    assert_eq!(world.session.position(), Some(&world.position()));
    assert_eq!(world.link(), Link::Polling);
}

#[test]
fn polls_that_fail_now_and_then_do_not_keep_the_socket_from_being_tried() {
    let mut world = World::live();
    world.relay.sockets = false;
    world.drop_socket();
    while world.asked.polls.is_empty() {
        wait_for_retry(&mut world);
    }
    world.relay.sockets = true;
    for _ in 0..8 {
        world.relay.reachable = false;
        world.edit();
        world.advance(POLL_PAUSE_MS);
        world.relay.reachable = true;
        world.advance(TRY_SOCKET_MS / 4);
        if world.link() == Link::Live {
            return;
        }
    }
    panic!("still {:?}", world.link());
}

#[test]
fn offline_waits_grow_with_jitter_up_to_a_cap() {
    let mut world = World::live();
    world.relay.reachable = false;
    world.drop_socket();
    for _ in 0..200 {
        wait_for_retry(&mut world);
    }
    let Link::Offline {
        attempt,
        retry_unix_ms,
    } = world.link()
    else {
        panic!("{:?}", world.link());
    };
    assert_eq!(attempt, 201);
    assert_eq!(retry_unix_ms, world.timers[&(Timer::Retry as u8)].0);
    for (at, wait) in world.waits.iter().enumerate() {
        let cap = (RETRY_MS_MIN << at.min(10)).min(RETRY_MS_MAX);
        assert!(*wait < cap, "wait {at} is {wait}");
    }
    let late = &world.waits[10..];
    assert!(late.iter().any(|wait| *wait < RETRY_MS_MAX / 4));
    assert!(late.iter().any(|wait| *wait > RETRY_MS_MAX * 3 / 4));

    // A network that is back, or a designer who does not want to wait, ends it.
    world.relay.reachable = true;
    world.take(Event::Online);
    assert_eq!(world.link(), Link::Live);

    world.relay.reachable = false;
    world.drop_socket();
    for _ in 0..10 {
        wait_for_retry(&mut world);
    }
    world.act(Action::RetryNow);
    assert!(matches!(world.link(), Link::Offline { attempt: 1, .. }));
    world.relay.reachable = true;
    world.act(Action::RetryNow);
    assert_eq!(world.link(), Link::Live);
}

#[test]
fn a_relay_that_lets_in_and_throws_out_is_not_hammered() {
    let mut world = World::live();
    for _ in 0..20 {
        world.drop_socket();
        wait_for_retry(&mut world);
    }
    assert!(
        world.waits.iter().sum::<u64>() > 4 * RETRY_MS_MAX / 2,
        "{:?}",
        world.waits
    );
    // A socket that lasts ends that.
    world.live_on(2 * HEARTBEAT_MS);
    world.drop_socket();
    assert!(matches!(world.link(), Link::Offline { attempt: 1, .. }));
}

#[test]
fn a_socket_that_falls_silent_is_dead() {
    let mut world = World::live();
    world.live_on(10 * SILENCE_MS);
    assert_eq!(world.asked.joins.len(), 1);
    world.advance(SILENCE_MS - 1);
    assert_eq!(world.link(), Link::Live);
    world.advance(1);
    assert!(matches!(world.link(), Link::Offline { .. } | Link::Live));
    world.advance(RETRY_MS_MIN);
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.asked.joins.len(), 2);
}

#[test]
fn a_relay_that_closes_says_whether_to_come_back() {
    for reason in [
        CloseReason::Draining,
        CloseReason::SlowConsumer,
        CloseReason::Ticket,
    ] {
        let mut world = World::live();
        world.receive(World::closing(reason));
        assert_eq!(world.socket, None);
        wait_for_retry(&mut world);
        assert_eq!(world.link(), Link::Live);
        assert_eq!(world.asked.joins.len(), 2);
    }
    for reason in [CloseReason::Protocol, CloseReason::Version] {
        let mut world = World::live();
        world.receive(World::closing(reason));
        assert!(matches!(world.link(), Link::Offline { attempt: 6.., .. }));
        assert!(world.connected().trouble.is_some());
    }
    let mut world = World::live();
    world.advance(FLAGS_MS);
    world.receive(World::closing(CloseReason::SwitchedOff));
    assert_eq!(world.asked.evaluations, 1);
    assert_eq!(world.socket, None);
}

#[test]
fn trouble_at_the_relay_is_shown_until_it_is_over() {
    let mut world = World::live();
    let Failure::Api(error) = refused(ErrorCode::Google, "Google is away.") else {
        return;
    };
    world.receive(RelayFrame::Trouble { v: VERSION, error });
    assert_eq!(
        world.connected().trouble.as_ref().map(|it| &*it.message),
        Some("Google is away.")
    );
    assert_eq!(world.link(), Link::Live);
    world.advance(1);
    let beat = world.heartbeat();
    world.receive(beat);
    assert_eq!(world.connected().trouble, None);
}

#[test]
fn news_of_flags_are_looked_at_soon_but_not_often() {
    let mut world = World::live();
    world.advance(FLAGS_MS);
    for _ in 0..100 {
        world.receive(RelayFrame::FlagsChanged { v: VERSION });
    }
    assert_eq!(world.asked.evaluations, 1);
    // The socket breaks before the second look: it comes all the same.
    world.drop_socket();
    world.advance(FLAGS_MS);
    assert_eq!(world.asked.evaluations, 2);
    world.advance(FLAGS_MS);
    assert_eq!(world.asked.evaluations, 2);
}

#[test]
fn an_unreadable_frame_costs_the_socket() {
    let mut world = World::live();
    let turn = world.socket.expect("a socket is open");
    world.take(Event::Socket(turn, SocketEvent::Unreadable));
    assert_eq!(world.socket, None);
    wait_for_retry(&mut world);
    assert_eq!(world.link(), Link::Live);
}

// Sign-ins that end.

#[test]
fn a_sign_in_that_the_relay_has_forgotten_ends_everywhere_and_the_connection_stays() {
    let ended = || refused(ErrorCode::SignedOut, "Your sign-in has ended.");
    let by_ticket = |world: &mut World| {
        world.relay.refusal = Some(ended());
        world.drop_socket();
        wait_for_retry(world);
    };
    let by_frame = |world: &mut World| world.receive(World::closing(CloseReason::SignedOut));
    let by_renewal = |world: &mut World| {
        world.live_on(RENEW_MS - HEARTBEAT_MS);
        world.relay.refusal = Some(ended());
        world.live_on(HEARTBEAT_MS);
    };
    let by_poll = |world: &mut World| {
        world.relay.sockets = false;
        world.drop_socket();
        while world.asked.polls.is_empty() {
            wait_for_retry(world);
        }
        world.relay.refusal = Some(ended());
        world.edit();
        world.advance(POLL_PAUSE_MS);
        world.relay.sockets = true;
    };
    let ways: [&dyn Fn(&mut World); 4] = [&by_ticket, &by_frame, &by_renewal, &by_poll];
    for way in ways {
        let mut world = World::live();
        way(&mut world);
        assert_eq!(world.session.state(), &State::SignedOut);
        assert_eq!(world.notice(), "Your sign-in has ended.");
        assert_eq!(world.session.token(), None);
        assert_eq!(world.sandbox.session, None);
        assert_eq!(world.socket, None);
        assert!(world.sandbox.connection.is_some());
        let tickets = world.asked.tickets;
        world.advance(RENEW_MS);
        assert_eq!(world.asked.tickets, tickets, "nothing without a sign-in");

        // What the sandbox still says does not bring the tab back.
        let connection = world.sandbox.connection.clone().map(Box::new);
        world.hear(ToPanel::ConnectionChanged { connection });
        world.hear(ToPanel::Preview(preview(9)));
        assert_eq!(world.session.state(), &State::SignedOut);

        world.relay.refusal = None;
        world.act(Action::SignIn);
        world.advance(REDEEM_MS);
        assert_eq!(world.link(), Link::Live, "it goes on by itself");
        assert_eq!(world.asked.joins.last(), Some(&None));
    }
}

#[test]
fn a_list_or_tabs_refused_for_the_sign_in_end_it() {
    for choose in [false, true] {
        let mut world = World::signed_in();
        world.relay.refusal = Some(refused(ErrorCode::SignedOut, "Your sign-in has ended."));
        if choose {
            world.act(Action::ChooseSpreadsheet {
                id: SPREADSHEET.into(),
            });
        } else {
            world.act(Action::Refresh);
        }
        assert_eq!(world.session.state(), &State::SignedOut);
        assert_eq!(world.sandbox.session, None);
    }
}

#[test]
fn signing_out_tells_the_relay_and_forgets() {
    let mut world = World::live();
    let token = world.session.token().expect("signed in").to_owned();
    world.act(Action::SignOut);
    assert_eq!(world.session.state(), &State::SignedOut);
    assert_eq!(world.asked.sign_outs, [token]);
    assert_eq!(world.sandbox.session, None);
    assert_eq!(world.session.account(), None);
    assert_eq!(world.socket, None);
    assert_eq!(world.session.notice(), None);
    world.advance(RENEW_MS);
    assert_eq!(world.asked.renewals, 1);
}

#[test]
fn a_session_is_renewed_every_day_and_its_token_rotates() {
    let mut world = World::live();
    assert_eq!(world.session.token(), Some("token-1"));
    world.live_on(3 * RENEW_MS);
    assert_eq!(world.asked.renewals, 4);
    assert_eq!(world.session.token(), Some("token-4"));
    assert_eq!(
        world.sandbox.session.as_ref().map(|kept| &*kept.token),
        Some("token-4")
    );
    assert_eq!(world.asked.joins.len(), 1, "the socket stays");
}

#[test]
fn a_session_that_lives_shorter_is_renewed_in_time() {
    let mut world = World::new();
    world.relay.session_s = 60 * 60;
    world.switch_on();
    world.act(Action::SignIn);
    world.advance(REDEEM_MS);
    assert_eq!(world.asked.renewals, 0);
    world.advance(30 * 60 * 1000);
    assert_eq!(world.asked.renewals, 1);
    assert_eq!(world.session.token(), Some("token-2"));
}

#[test]
fn a_renewal_that_fails_is_tried_again_before_the_session_ends() {
    let mut world = World::live();
    world.live_on(RENEW_MS - HEARTBEAT_MS);
    world.relay.refusal = Some(Failure::Network);
    world.live_on(HEARTBEAT_MS);
    assert_eq!(world.asked.renewals, 2);
    assert_eq!(world.link(), Link::Live);
    world.relay.refusal = None;
    world.live_on(RENEW_MS_MIN);
    assert_eq!(world.asked.renewals, 3);
    assert_eq!(world.session.token(), Some("token-2"));
}

// The file's own switches.

#[test]
fn switching_off_for_the_file_closes_and_on_again_goes_on() {
    let mut world = World::live();
    world.act(Action::Toggle { on: false });
    assert_eq!(world.link(), Link::Down);
    assert_eq!(world.connected().stopped, Some(StopReason::Toggled));
    assert_eq!(world.socket, None);
    world.advance(10 * SILENCE_MS);
    world.take(Event::Online);
    world.act(Action::RetryNow);
    assert_eq!(world.asked.tickets, 1);
    world.relay.revision += 1;
    world.act(Action::Toggle { on: true });
    assert_eq!(world.link(), Link::Live);
    assert_eq!(world.connected().stopped, None);
    assert_eq!(world.asked.joins, [None, Some(at(1, 1))]);
    assert_eq!(world.cells(), ["whole at 1", "changes from 1"]);
}

#[test]
fn a_file_that_was_switched_off_opens_switched_off() {
    let mut world = World::new();
    let mut kept = connection(true);
    kept.on = false;
    world.sandbox.connection = Some(kept);
    world.sandbox.session = Some(SavedSession {
        token: "kept".into(),
        account: "ana@example.com".into(),
    });
    world.switch_on();
    assert_eq!(world.link(), Link::Down);
    assert_eq!(world.connected().stopped, Some(StopReason::Toggled));
    assert_eq!(world.asked.tickets, 0);
    world.act(Action::Toggle { on: true });
    assert_eq!(world.link(), Link::Live);
}

#[test]
fn disconnecting_leads_back_to_choosing() {
    let mut world = World::live();
    world.act(Action::Disconnect);
    assert!(matches!(
        world.session.state(),
        State::ChoosingSpreadsheet {
            entries: Some(_),
            ..
        }
    ));
    assert_eq!(world.socket, None);
    assert_eq!(world.session.position(), None);
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    assert_eq!(world.asked.joins, [None, None]);
}

#[test]
fn every_reason_to_stop_is_shown() {
    for reason in [
        StopReason::Toggled,
        StopReason::SignedOut,
        StopReason::SwitchedOff,
        StopReason::Breaker,
    ] {
        let mut world = World::live();
        world.hear(ToPanel::Progress { done: 1, total: 9 });
        assert_eq!(world.connected().progress, Some((1, 9)));
        world.hear(ToPanel::Stopped { reason });
        assert_eq!(world.connected().stopped, Some(reason));
        assert_eq!(world.connected().progress, None);
        world.act(Action::SyncNow);
        assert_eq!(world.connected().stopped, None);
        assert_eq!(world.asked.refreshes, 1);
    }
    let mut world = World::live();
    world.hear(ToPanel::Stopped {
        reason: StopReason::Disconnected,
    });
    assert_eq!(world.connected().stopped, None);
    world.hear(ToPanel::Stopped {
        reason: StopReason::ReadOnly,
    });
    assert_eq!(world.session.state(), &State::ReadOnly);
    assert_eq!(world.socket, None);
}

#[test]
fn a_plan_that_waits_is_shown_until_it_is_applied() {
    let mut world = World::live();
    world.hear(ToPanel::Waiting {
        reason: WaitReason::Removes,
        preview: preview(5),
    });
    let waiting = world.connected().waiting.as_ref();
    assert_eq!(
        waiting.map(|(reason, shown)| (*reason, shown.plan)),
        Some((WaitReason::Removes, 5))
    );
    world.act(Action::KeepRemoved { plan: 5 });
    assert_eq!(
        world.sandbox.messages.last().map(|(message, _)| message),
        Some(&ToSandbox::KeepRemoved { plan: 5 })
    );
    world.act(Action::Approve {
        plan: 5,
        include_removals: true,
        retypes: Vec::new(),
    });
    assert_eq!(world.connected().waiting, None);
}

#[test]
fn a_plan_that_waits_goes_with_the_switch() {
    let mut world = World::live();
    world.hear(ToPanel::Waiting {
        reason: WaitReason::Removes,
        preview: preview(5),
    });
    world.act(Action::Toggle { on: false });
    assert_eq!(world.connected().waiting, None);
    // Comparing again does not switch on.
    world.act(Action::SyncNow);
    assert_eq!(world.connected().stopped, Some(StopReason::Toggled));
    assert_eq!(world.link(), Link::Down);
}

#[test]
fn what_was_never_approved_has_no_switch() {
    let mut world = World::signed_in();
    world.act(Action::ChooseSpreadsheet {
        id: SPREADSHEET.into(),
    });
    world.act(Action::Toggle { on: false });
    assert!(matches!(
        world.session.state(),
        State::ConfirmingColumns { .. }
    ));
    assert!(
        world
            .sandbox
            .connection
            .as_ref()
            .is_some_and(|kept| kept.on)
    );
}

#[test]
fn a_designer_who_hides_and_cancels_is_heard() {
    let mut world = World::live();
    world.act(Action::Hide);
    world.act(Action::Cancel);
    let said: Vec<&ToSandbox> = world
        .sandbox
        .messages
        .iter()
        .rev()
        .take(2)
        .map(|(message, _)| message)
        .collect();
    assert_eq!(said, [&ToSandbox::Cancel, &ToSandbox::Hide]);
    assert_eq!(world.link(), Link::Live);
}

// A sandbox that is slow.

#[test]
fn a_slow_sandbox_is_given_no_more_than_it_can_hold() {
    let mut world = World::live();
    world.sandbox.busy = true;
    for _ in 0..10 * CELL_MESSAGES_MAX {
        world.edit();
    }
    assert_eq!(world.session.unanswered(), CELL_MESSAGES_MAX);
    assert_eq!(world.cells().len(), 1 + CELL_MESSAGES_MAX as usize);
    assert_eq!(world.asked.joins.len(), 1, "nothing is asked for meanwhile");
    let stands = world.session.position().cloned().expect("live");

    // It has worked off all it was given: the rest comes in one message.
    world.sandbox_catches_up(stands.clone());
    assert_eq!(world.asked.joins.last(), Some(&Some(stands)));
    assert_eq!(world.session.position(), Some(&world.position()));
    assert_eq!(world.session.unanswered(), 0);
    assert_eq!(world.cells().len(), 2 + CELL_MESSAGES_MAX as usize);
    world.edit();
    assert_eq!(world.cells().len(), 3 + CELL_MESSAGES_MAX as usize);
}

#[test]
fn a_slow_sandbox_is_given_no_more_bytes_than_it_can_hold() {
    let mut world = World::live();
    world.sandbox.busy = true;
    for _ in 0..4 {
        let since = world.relay.revision;
        world.relay.revision += 1;
        let position = world.position();
        world.receive(RelayFrame::Changes {
            v: VERSION,
            since,
            position,
            seen_unix_ms: 0,
            rows: 10,
            cells: "x".repeat(CELL_BYTES_MAX / 2),
        });
    }
    assert_eq!(world.session.unanswered(), 2);
    world.sandbox_catches_up(at(1, 3));
    assert_eq!(world.session.position(), Some(&world.position()));
}

#[test]
fn a_sandbox_that_is_a_step_behind_is_counted_by_where_it_stands() {
    let mut world = World::live();
    world.sandbox.busy = true;
    for _ in 0..5 {
        world.edit();
    }
    assert_eq!(world.session.unanswered(), 5);
    world.hear(ToPanel::Applied(crate::world::report(at(1, 4))));
    assert_eq!(world.session.unanswered(), 2);
}

#[test]
fn a_slow_sandbox_is_not_polled_for() {
    let mut world = World::live();
    world.relay.sockets = false;
    world.drop_socket();
    while world.asked.polls.is_empty() {
        wait_for_retry(&mut world);
    }
    world.sandbox.busy = true;
    for _ in 0..2 * CELL_MESSAGES_MAX {
        world.edit();
        world.advance(POLL_PAUSE_MS);
    }
    let polls = world.asked.polls.len();
    world.advance(60_000);
    assert_eq!(world.asked.polls.len(), polls);
    let stands = world.session.position().cloned().expect("live");
    world.sandbox_catches_up(stands);
    assert_eq!(world.session.position(), Some(&world.position()));
    assert_eq!(world.link(), Link::Polling);
}

// Several designers in one file.

/// A panel that finds Ben writing.
fn following() -> World {
    let mut world = World::signed_in();
    world.sandbox.nonce = "nonce-1".into();
    world.relay.writer = Some("ben@example.com".into());
    world.sandbox.connection = Some(connection(true));
    world.switch_on();
    world
}

#[test]
fn nothing_is_written_before_the_relay_says_who_writes() {
    let world = World::live();
    let said: Vec<_> = world
        .sandbox
        .messages
        .iter()
        .filter_map(|(message, _)| match message {
            ToSandbox::Writer { yes, .. } => Some(if *yes { "writer" } else { "no writer" }),
            ToSandbox::Snapshot { .. } => Some("sheet"),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["no writer", "writer", "sheet"]);
    assert_eq!(world.connected().writer, None);
    assert_eq!(world.asked.bids.len(), 1);
}

#[test]
fn a_follower_is_told_who_writes_and_writes_nothing() {
    let mut world = following();
    assert_eq!(world.connected().writer.as_deref(), Some("ben@example.com"));
    assert!(!world.sandbox.writes);
    assert_eq!(world.link(), Link::Live);
    world.act(Action::SyncNow);
    assert_eq!(world.notice(), "ben@example.com is syncing this file.");
    assert_eq!(world.asked.refreshes, 0);
    // The nonce stands in the file, so it keeps its id.
    world.live_on(60_000);
    assert_eq!(world.sandbox.file_ids, 0);
}

#[test]
fn who_takes_over_writes_and_who_is_taken_over_follows() {
    let mut world = following();
    world.act(Action::TakeOver);
    assert!(world.asked.bids.last().expect("a bid").take_over);
    assert!(world.sandbox.writes);
    assert_eq!(world.connected().writer, None);

    world.relay.writer = Some("cleo@example.com".into());
    world.relay.fence += 1;
    let word = world.writer_frame().expect("it elects");
    world.receive(word);
    assert!(!world.sandbox.writes);
    assert_eq!(
        world.connected().writer.as_deref(),
        Some("cleo@example.com")
    );
    // What the relay said before is out of date, however late it comes.
    world.receive(RelayFrame::Writer {
        v: VERSION,
        you: true,
        name: "ana@example.com".into(),
        fence: 1,
        nonce: "nonce-1".into(),
    });
    assert!(!world.sandbox.writes);
}

#[test]
fn a_copy_of_a_file_gets_an_id_of_its_own() {
    let mut world = following();
    world.relay.nonce = "nonce-2".into();
    let word = world.writer_frame().expect("it elects");
    world.receive(word);
    // In this document nobody leaves the new nonce.
    world.relay.writer = None;
    world.relay.fence += 1;
    world.live_on(NONCE_MS * u64::from(NONCE_LOOKS_MAX));
    assert_eq!(world.sandbox.file_ids, 1);
    assert_eq!(world.asked.bids.last().expect("a bid").file, "file-1");
    assert!(world.sandbox.writes);
}

#[test]
fn another_id_in_the_file_is_bid_for() {
    let mut world = World::live();
    world.sandbox.file_ids = 7;
    let beat = world.heartbeat();
    world.receive(beat);
    assert_eq!(world.asked.bids.last().expect("a bid").file, "file-7");
}

#[test]
fn who_polls_says_what_it_was_told_last() {
    let mut world = World::live();
    world.relay.sockets = false;
    world.relay.fence = 5;
    world.drop_socket();
    while world.asked.polls.is_empty() {
        wait_for_retry(&mut world);
    }
    world.edit();
    world.advance(POLL_PAUSE_MS);
    let polls = world.asked.polls.iter();
    let fences: Vec<_> = polls
        .map(|poll| poll.bid.as_ref().and_then(|bid| bid.fence))
        .collect();
    assert_eq!(fences, [Some(1), Some(5)]);
}

#[test]
fn another_id_in_the_file_is_bid_for_by_a_poll_of_its_own() {
    let mut world = World::live();
    world.relay.sockets = false;
    world.drop_socket();
    while world.asked.polls.is_empty() {
        wait_for_retry(&mut world);
    }
    let polls = world.asked.polls.len();
    // The poll under way is held; what it would be told is about the id before.
    world.hear(ToPanel::File {
        id: "file-7".into(),
        panel: "panel-1".into(),
        nonce: "nonce-1".into(),
    });
    assert_eq!(world.asked.polls.len(), polls + 1);
    let bid = world.asked.polls[polls].bid.clone().expect("it bids");
    assert_eq!((bid.file.as_str(), bid.fence), ("file-7", Some(0)));
}

#[test]
fn a_session_that_is_switched_off_looks_for_no_nonce() {
    let mut world = following();
    world.relay.nonce = "nonce-2".into();
    let word = world.writer_frame().expect("it elects");
    world.receive(word);
    world.hear(ToPanel::Flags {
        realtime_sync: Decision::SwitchedOff,
    });
    let before = world.sandbox.messages.len();
    world.advance(NONCE_MS * u64::from(NONCE_LOOKS_MAX));
    assert_eq!(world.sandbox.messages.len(), before);
}

#[test]
fn a_sheet_that_another_panel_sets_up_anew_is_previewed_here_too() {
    let mut world = World::signed_in();
    let mut kept = connection(true);
    kept.on = false;
    world.sandbox.connection = Some(kept);
    world.switch_on();
    assert_eq!(world.link(), Link::Down);
    world.sandbox.connection = Some(connection(false));
    world.hear(ToPanel::ConnectionChanged {
        connection: Some(Box::new(connection(false))),
    });
    assert!(
        matches!(world.session.state(), State::Previewing(_)),
        "{:?}",
        world.session.state()
    );
}

#[test]
fn a_sheet_that_another_panel_switched_off_is_shown_so() {
    let mut world = World::signed_in();
    world.sandbox.connection = Some(connection(false));
    world.switch_on();
    assert!(matches!(world.session.state(), State::Previewing(_)));
    let mut other = connection(true);
    other.on = false;
    world.hear(ToPanel::ConnectionChanged {
        connection: Some(Box::new(other)),
    });
    assert_eq!(world.connected().stopped, Some(StopReason::Toggled));
}

#[test]
fn a_relay_that_elects_nobody_lets_everybody_write() {
    let mut world = World::signed_in();
    world.relay.elects_nobody = true;
    world.sandbox.connection = Some(connection(true));
    world.switch_on();
    assert!(!world.sandbox.writes);
    world.advance(WORD_MS);
    assert!(world.sandbox.writes);
}

#[test]
fn a_lost_connection_leaves_the_writer_as_it_was() {
    let mut world = World::live();
    world.relay.reachable = false;
    world.drop_socket();
    wait_for_retry(&mut world);
    assert!(world.sandbox.writes);
    let mut world = following();
    world.relay.reachable = false;
    world.drop_socket();
    wait_for_retry(&mut world);
    assert!(!world.sandbox.writes);
    // There is nobody to take over from.
    world.act(Action::TakeOver);
    assert!(!world.sandbox.writes);
    assert!(!world.notice().is_empty());
}

#[test]
fn a_problems_address_opens_the_sheet_at_its_cell() {
    let mut world = World::live();
    let before = world.windows.len();
    for address in ["Tokens!C14", "It's a tab!B2", "Tokens!C14&x=<y>", ""] {
        world.act(Action::OpenCell {
            address: String::from(address),
        });
    }
    let kept = world.sandbox.connection.as_ref().expect("connected");
    let sheet = kept.sheet.clone();
    let link = |range: &str| {
        format!(
            "https://docs.google.com/spreadsheets/d/{}/edit#gid={}{range}",
            sheet.spreadsheet_id, sheet.sheet_id
        )
    };
    assert_eq!(
        world.windows[before..],
        [link("&range=C14"), link("&range=B2"), link(""), link("")]
    );
}
