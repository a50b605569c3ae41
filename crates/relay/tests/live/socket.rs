//! The WebSocket.

use std::time::Duration;

use fake_google::{Fault, FaultKind};
use sheetwire_core::protocol::relay::{
    ClientFrame, CloseReason, ErrorCode, RelayFrame, VERSION, encode,
};

use crate::world::{ANA, BEN, Setup, World};

#[tokio::test]
async fn an_edited_cell_reaches_everybody_and_is_read_once() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["name", "light"], &["blue", "#00f"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    let (first, cells) = ana.snapshot().await;
    assert_eq!(cells, "tname\u{1f}tlight\u{1e}tblue\u{1f}t#00f\u{1e}");
    let mut ben = world.join(BEN, &sheet, None).await;
    assert_eq!(ben.snapshot().await, (first.clone(), cells));
    assert_eq!(world.reads(), (1, 1));

    world.edit(&sheet, 1, 1, "#0000ff");
    ben.refresh().await;
    for client in [&mut ana, &mut ben] {
        let (since, position, cells) = client.changes().await;
        assert_eq!(
            (since, position.revision),
            (first.revision, first.revision + 1)
        );
        assert_eq!(
            (position.epoch, cells),
            (
                first.epoch.clone(),
                "1\u{1f}1\u{1f}t#0000ff\u{1e}".to_owned()
            )
        );
    }
    assert_eq!(world.reads(), (2, 1));
}

#[tokio::test]
async fn an_active_sheet_is_read_without_being_asked() {
    let world = World::start_with(Setup::reading()).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    for value in ["b", "c"] {
        world.edit(&sheet, 0, 0, value);
        assert_eq!(
            ana.changes().await.2,
            format!("0\u{1f}0\u{1f}t{value}\u{1e}")
        );
    }
}

#[tokio::test]
async fn a_client_resumes_where_it_stood() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    let (position, _) = ana.snapshot().await;
    let mut ben = world.join(BEN, &sheet, Some(&position)).await;
    assert_eq!(
        ben.expect().await,
        RelayFrame::Resumed {
            v: VERSION,
            position: position.clone()
        }
    );
    drop(ben);

    world.edit(&sheet, 0, 0, "b");
    ana.refresh().await;
    let changes = ana.changes().await;
    let mut ben = world.join(BEN, &sheet, Some(&position)).await;
    assert_eq!(ben.changes().await, changes);
}

#[tokio::test]
async fn after_too_long_or_a_restart_the_sheet_comes_whole() {
    let setup = || Setup::default().limited(|limits| limits.resume_window = Duration::ZERO);
    let world = World::start_with(setup()).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    let (position, _) = ana.snapshot().await;
    world.edit(&sheet, 0, 0, "b");
    ana.refresh().await;
    let (_, second, _) = ana.changes().await;
    let mut late = world.join(ANA, &sheet, Some(&position)).await;
    assert_eq!(
        late.snapshot().await,
        (second.clone(), "tb\u{1e}".to_owned())
    );

    let after = World::beside(world.google.clone(), setup()).await;
    let mut back = after.join(ANA, &sheet, Some(&second)).await;
    let (third, cells) = back.snapshot().await;
    assert_ne!(third.epoch, second.epoch);
    assert_eq!(cells, "tb\u{1e}");
}

#[tokio::test]
async fn who_loses_access_is_told_and_put_out_and_nobody_else() {
    let world = World::start_with(
        Setup::reading().limited(|limits| limits.access_life = Duration::from_millis(20)),
    )
    .await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    let mut ben = world.join(BEN, &sheet, None).await;
    ben.snapshot().await;
    world.unshare(&sheet, BEN);
    let (before, reason) = ben.closing().await;
    assert!(
        matches!(&before[..], [RelayFrame::Trouble { error, .. }]
            if matches!(error.code, ErrorCode::NoAccess | ErrorCode::NotFound) && error.remedy.is_some()),
        "{before:?}"
    );
    assert_eq!(reason, CloseReason::Ticket);
    let (status, body) = world
        .ticket(BEN, &sheet)
        .await
        .expect_err("no right to read");
    assert!(status == 403 || status == 404, "{status} {body}");
    world.edit(&sheet, 0, 0, "b");
    assert_eq!(ana.changes().await.2, "0\u{1f}0\u{1f}tb\u{1e}");
}

#[tokio::test]
async fn googles_troubles_are_told_and_end() {
    let faults = [
        (FaultKind::Status { status: 429 }, ErrorCode::TooMany),
        (FaultKind::RateLimitExceeded, ErrorCode::TooMany),
        (FaultKind::Status { status: 503 }, ErrorCode::Google),
        (FaultKind::Reset, ErrorCode::Google),
        (FaultKind::Truncate, ErrorCode::Google),
        (FaultKind::Nonsense, ErrorCode::Google),
        (FaultKind::Foreign, ErrorCode::Google),
    ];
    let world = World::start_with(Setup::reading()).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    for (kind, code) in faults {
        world
            .google
            .fault(Fault::next("/v4/", kind.clone()).times(2))
            .expect("set");
        match ana.expect().await {
            RelayFrame::Trouble { error, .. } => assert_eq!(error.code, code, "{kind:?}"),
            other => panic!("{kind:?}: {other:?}"),
        }
        match ana.expect().await {
            RelayFrame::Heartbeat { read_unix_ms, .. } => assert!(read_unix_ms > 0),
            other => panic!("{kind:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn one_expired_token_is_no_trouble() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    world
        .google
        .fault(Fault::next("/v4/", FaultKind::Status { status: 401 }))
        .expect("set");
    world.edit(&sheet, 0, 0, "b");
    ana.refresh().await;
    assert_eq!(ana.changes().await.2, "0\u{1f}0\u{1f}tb\u{1e}");
}

#[tokio::test]
async fn a_renamed_tab_goes_on() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    let token = world
        .google
        .access_token(ANA, &["https://www.googleapis.com/auth/drive"])
        .expect("Ana is there");
    let body = serde_json::json!({"requests": [{"updateSheetProperties": {
        "properties": {"sheetId": sheet.0.sheet_id, "title": "It's new"}, "fields": "title"}}]});
    let url = format!(
        "{}/v4/spreadsheets/{}:batchUpdate",
        world.google.base_url(),
        sheet.0.spreadsheet_id
    );
    let reply = reqwest::Client::new()
        .post(url)
        .bearer_auth(token)
        .json(&body)
        .send()
        .await
        .expect("sent");
    assert!(reply.status().is_success());
    ana.refresh().await;
    match ana.expect().await {
        RelayFrame::Snapshot {
            sheet, position, ..
        } => {
            assert_eq!(
                (sheet.sheet_title.as_str(), position.revision),
                ("It's new", 2)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sheet_that_is_not_there_is_said_so() {
    let world = World::start().await;
    let mut sheet = world.spreadsheet(&[&["a"]]);
    sheet.0.sheet_id = 404;
    let mut ana = world.join(ANA, &sheet, None).await;
    match ana.expect().await {
        RelayFrame::Trouble { error, .. } => assert_eq!(error.code, ErrorCode::NotFound),
        other => panic!("{other:?}"),
    }
    sheet.0.spreadsheet_id = "nothing".to_owned();
    assert_eq!(
        world
            .ticket(ANA, &sheet)
            .await
            .expect_err("no such spreadsheet")
            .0,
        404
    );
    assert_eq!(
        world
            .ticket("nobody", &sheet)
            .await
            .expect_err("signed out")
            .0,
        401
    );
    assert_eq!(world.post("/v1/tickets", ANA, &[], "{}").await.0, 400);
}

#[tokio::test]
async fn who_reads_too_slowly_is_closed_and_nobody_waits() {
    let world = World::start().await;
    // The second cell stands still, so that a change of the first is shorter than the sheet.
    let still = "y".repeat(49_000);
    let sheet = world.spreadsheet(&[&["a"], &[&still]]);
    let mut slow = world.join(BEN, &sheet, None).await;
    slow.snapshot().await;
    let mut quick = world.join(ANA, &sheet, None).await;
    quick.snapshot().await;
    for round in 0..150 {
        let value = format!("{round} {}", "x".repeat(45_000));
        world.edit(&sheet, 0, 0, &value);
        quick.refresh().await;
        quick.changes().await;
    }
    let (before, reason) = slow.closing().await;
    assert_eq!(reason, CloseReason::SlowConsumer);
    assert!(before.len() < 150);
}

#[tokio::test]
async fn nobody_is_heard_before_a_good_join() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let ticket = world.ticket(ANA, &sheet).await.expect("a ticket");
    let join = |v: u32, ticket: &str| {
        encode(&ClientFrame::Join {
            v,
            ticket: ticket.to_owned(),
            resume: None,
            bid: None,
            more: Vec::new(),
        })
    };
    let cases = [
        (join(2, &ticket), CloseReason::Version),
        (join(VERSION, "guessed"), CloseReason::Ticket),
        (
            encode(&ClientFrame::Refresh { v: VERSION }),
            CloseReason::Protocol,
        ),
        (
            "{\"v\":1,\"type\":\"subscribe\"}".to_owned(),
            CloseReason::Protocol,
        ),
        ("hello".to_owned(), CloseReason::Protocol),
    ];
    for (text, expected) in cases {
        let mut client = world.connect().await;
        client.say_text(&text).await;
        let (before, reason) = client.closing().await;
        assert_eq!((before, reason), (Vec::new(), expected), "{text}");
    }
    // The ticket is still good, once.
    let mut client = world.connect().await;
    client.say_text(&join(VERSION, &ticket)).await;
    client.snapshot().await;
    let mut again = world.connect().await;
    again.say_text(&join(VERSION, &ticket)).await;
    assert_eq!(again.closing().await.1, CloseReason::Ticket);
    // A second join is a fault of the client's.
    client.say_text(&join(VERSION, &ticket)).await;
    assert_eq!(client.closing().await.1, CloseReason::Protocol);
    // More than a frame may hold ends the connection.
    let mut long = world.connect().await;
    long.say_text(&"x".repeat(5_000)).await;
    while long.frame().await.is_some() {}
}

#[tokio::test]
async fn a_silent_socket_is_closed() {
    let world = World::start_with(Setup::default().limited(|limits| {
        limits.join_deadline = Duration::from_millis(20);
        limits.pending_sockets = 1;
    }))
    .await;
    let mut client = world.connect().await;
    assert_eq!(client.closing().await.1, CloseReason::Protocol);
}

#[tokio::test]
async fn a_quiet_socket_has_a_heartbeat() {
    let world = World::start_with(
        Setup::default().limited(|limits| limits.heartbeat = Duration::from_millis(20)),
    )
    .await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    for _ in 0..2 {
        match ana.expect().await {
            RelayFrame::Heartbeat { read_unix_ms, .. } => assert!(read_unix_ms > 0),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn signing_out_ends_sockets_and_tickets() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    let mut ben = world.join(BEN, &sheet, None).await;
    ben.snapshot().await;
    world.people.sign_out(BEN);
    assert_eq!(ben.closing().await, (Vec::new(), CloseReason::SignedOut));
    world.edit(&sheet, 0, 0, "b");
    ana.refresh().await;
    ana.changes().await;
}

#[tokio::test]
async fn a_relay_that_goes_down_says_so() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    let ticket = world.ticket(ANA, &sheet).await.expect("a ticket");
    let (closing, ()) = tokio::join!(ana.closing(), world.live.drain());
    assert_eq!(closing, (Vec::new(), CloseReason::Draining));
    let mut late = world.connect().await;
    late.say(&ClientFrame::Join {
        v: VERSION,
        ticket,
        resume: None,
        bid: None,
        more: Vec::new(),
    })
    .await;
    assert_eq!(late.closing().await.1, CloseReason::Draining);
}

#[tokio::test]
async fn a_full_relay_takes_nobody_more() {
    let world = World::start_with(Setup::default().limited(|limits| limits.members = 1)).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    let mut ben = world.join(BEN, &sheet, None).await;
    let (before, reason) = ben.closing().await;
    assert!(
        matches!(&before[..], [RelayFrame::Trouble { error, .. }] if error.code == ErrorCode::Unavailable)
    );
    assert_eq!(reason, CloseReason::Draining);
}

#[tokio::test]
async fn one_account_follows_so_many_sheets_and_no_more() {
    let world =
        World::start_with(Setup::default().limited(|limits| limits.sheets_per_account = 1)).await;
    let (one, other) = (world.spreadsheet(&[&["a"]]), world.spreadsheet(&[&["b"]]));
    let mut first = world.join(ANA, &one, None).await;
    first.snapshot().await;
    // The same sheet in a second file, and another person, are no further sheet.
    world.join(ANA, &one, None).await.snapshot().await;
    world.join(BEN, &other, None).await.snapshot().await;
    let (before, reason) = world.join(ANA, &other, None).await.closing().await;
    assert!(
        matches!(&before[..], [RelayFrame::Trouble { error, .. }] if error.code == ErrorCode::TooMany)
    );
    assert_eq!(reason, CloseReason::Draining);
}

#[tokio::test]
async fn a_relay_whose_memory_is_full_takes_no_further_sheet() {
    let setup = Setup::default()
        .with("SHEETWIRE_POLL_LINGER_MS", "1")
        .limited(|limits| limits.contents_bytes = 10);
    let world = World::start_with(setup).await;
    let (one, other) = (
        world.spreadsheet(&[&["a text"]]),
        world.spreadsheet(&[&["b"]]),
    );
    let mut first = world.join(ANA, &one, None).await;
    first.snapshot().await;
    // Joining a sheet that is there makes its frame, and counts at its next read.
    first.refresh().await;
    world.edit(&one, 0, 0, "a longer text");
    first.refresh().await;
    first.expect().await;
    world.join(BEN, &one, None).await.snapshot().await;
    let (before, reason) = world.join(BEN, &other, None).await.closing().await;
    assert!(
        matches!(&before[..], [RelayFrame::Trouble { error, .. }] if error.code == ErrorCode::Unavailable)
    );
    assert_eq!(reason, CloseReason::Draining);
    // When the sheet has gone there is room again.
    drop(first);
    loop {
        match world.join(BEN, &other, None).await.expect().await {
            RelayFrame::Snapshot { .. } => break,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
