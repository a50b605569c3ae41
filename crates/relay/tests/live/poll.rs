//! Long polling.

use std::time::Duration;

use fake_google::{Fault, FaultKind};
use sheetwire_core::protocol::relay::{ErrorCode, RelayFrame, VERSION};

use crate::world::{ANA, BEN, Setup, World};

#[tokio::test]
async fn a_poll_gives_the_frames_of_the_socket_and_reads_no_more() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["name"], &["blue"]]);
    let mut socket = world.join(ANA, &sheet, None).await;
    let (position, cells) = socket.snapshot().await;
    match &world.poll(BEN, &sheet, None, 0).await[..] {
        [
            RelayFrame::Snapshot {
                position: polled,
                cells: polled_cells,
                ..
            },
        ] => {
            assert_eq!((polled, polled_cells), (&position, &cells));
        }
        other => panic!("{other:?}"),
    }
    let quiet = world.poll(BEN, &sheet, Some(&position), 0).await;
    assert_eq!(
        quiet,
        [RelayFrame::Resumed {
            v: VERSION,
            position: position.clone()
        }]
    );
    let waited = world.poll(BEN, &sheet, Some(&position), 20).await;
    assert_eq!(waited, quiet);

    let change = async {
        world.edit(&sheet, 1, 0, "green");
        socket.refresh().await;
        socket.expect().await
    };
    let (polled, told) = tokio::join!(world.poll(BEN, &sheet, Some(&position), 15_000), change);
    assert_eq!(polled, [told]);
    assert_eq!(world.reads(), (2, 1));
}

#[tokio::test]
async fn polling_alone_follows_a_sheet() {
    let world = World::start_with(Setup::reading()).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut position = match &world.poll(ANA, &sheet, None, 0).await[..] {
        [RelayFrame::Snapshot { position, .. }] => position.clone(),
        other => panic!("{other:?}"),
    };
    for value in ["b", "c", "d"] {
        world.edit(&sheet, 0, 0, value);
        // Nobody follows between the polls, so the sheet is read for this one.
        loop {
            match &world.poll(ANA, &sheet, Some(&position), 100).await[..] {
                [
                    RelayFrame::Changes {
                        since,
                        position: next,
                        cells,
                        ..
                    },
                ] => {
                    assert_eq!(*since, position.revision);
                    assert_eq!(*cells, format!("0\u{1f}0\u{1f}t{value}\u{1e}"));
                    position = next.clone();
                    break;
                }
                [RelayFrame::Resumed { .. }] => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn contents_go_when_nobody_has_followed_for_a_while() {
    let world = World::start_with(Setup::default().with("SHEETWIRE_POLL_LINGER_MS", "1")).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut epochs = std::collections::BTreeSet::new();
    while epochs.len() < 2 {
        match &world.poll(ANA, &sheet, None, 0).await[..] {
            [RelayFrame::Snapshot { position, .. }] => epochs.insert(position.epoch.clone()),
            other => panic!("{other:?}"),
        };
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn troubles_are_told_to_polls() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    world
        .ticket(ANA, &sheet)
        .await
        .expect("access is checked before the fault");
    world
        .google
        .fault(Fault::next("/v4/", FaultKind::Status { status: 500 }).times(500))
        .expect("set");
    match &world.poll(ANA, &sheet, None, 0).await[..] {
        [RelayFrame::Trouble { error, .. }] => assert_eq!(error.code, ErrorCode::Google),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn other_versions_nonsense_and_strangers_are_refused() {
    let world = World::start().await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let id = &sheet.0.spreadsheet_id;
    let body =
        |v: u32| format!("{{\"v\":{v},\"sheet\":{{\"spreadsheet_id\":\"{id}\",\"sheet_id\":0}}}}");
    let cases = [
        (ANA, body(2), 426, "version"),
        (ANA, "{\"v\":1}".to_owned(), 400, "bad_request"),
        (ANA, "poll".to_owned(), 400, "bad_request"),
        (
            ANA,
            body(1).replace(id, &"x".repeat(200)),
            400,
            "bad_request",
        ),
        (ANA, body(1).replace(id, ".."), 400, "bad_request"),
        (ANA, body(1).replace(id, "nothing"), 404, "not_found"),
        ("nobody", body(1), 401, "signed_out"),
    ];
    for (account, body, status, code) in cases {
        let (got, _, reply) = world.post("/v1/poll", account, &[], body.clone()).await;
        assert!(
            got == status && reply.contains(code),
            "{body}: {got} {reply}"
        );
    }
}

#[tokio::test]
async fn the_first_poll_answers_with_the_sheet_whatever_else_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flags.json");
    std::fs::write(&path, "{\"flags\":{}}").expect("written");
    let setup = Setup::default().with("SHEETWIRE_FLAGS", path.to_str().expect("UTF-8"));
    let world = World::start_with(setup).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    world
        .google
        .fault(Fault::next("/v4/", FaultKind::Slow { delay_ms: 300 }))
        .expect("set");
    // A socket waits for the same first read, so that the poll finds a room that is followed.
    let _socket = world.join(BEN, &sheet, None).await;
    let change = async {
        // While the sheet is read for the first time, everybody is told that flags changed.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let flag = r#"{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}"#;
        std::fs::write(&path, format!("{{\"flags\":{{\"f\":{flag}}}}}")).expect("written");
    };
    let (frames, ()) = tokio::join!(world.poll(ANA, &sheet, None, 0), change);
    assert!(
        frames
            .iter()
            .any(|frame| matches!(frame, RelayFrame::Snapshot { .. })),
        "{frames:?}"
    );
}
