//! The whole relay, from the sign-in to a changed cell, against fake Google.
//!
//! Owns the ways through both halves; what each half does by itself is tested beside it.

mod refusals;
mod secrecy;
mod signin;
mod spreadsheets;
mod world;
mod writes;

use fake_google::Consent;
use sheetwire_core::protocol::relay::{CloseReason, ErrorCode, RelayFrame};

use world::{ANA, BEN, World};

#[tokio::test]
async fn a_signed_in_person_sees_an_edited_cell() {
    let world = World::start().await;
    let sheet = world.spreadsheet();
    let session = world
        .sign_in(&Consent::by(ANA).picking(&sheet.spreadsheet_id))
        .await;
    let mut socket = world.join(&session, &sheet, None).await;
    let (position, cells) = socket.snapshot().await;
    assert_eq!(cells, "tname\u{1f}tlight\u{1e}tblue\u{1f}t#00f\u{1e}");
    world.edit(&sheet, "#0000ff");
    socket.refresh().await;
    let changes = socket.expect().await;
    match &changes {
        RelayFrame::Changes { since, cells, .. } => {
            assert_eq!(
                (*since, cells.as_str()),
                (position.revision, "1\u{1f}1\u{1f}t#0000ff\u{1e}")
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        world.poll(&session, &sheet, Some(&position)).await,
        [changes]
    );
}

#[tokio::test]
async fn a_file_that_was_not_picked_is_not_read() {
    let world = World::start().await;
    let (picked, other) = (world.spreadsheet(), world.spreadsheet());
    let session = world
        .sign_in(&Consent::by(ANA).picking(&picked.spreadsheet_id))
        .await;
    world.ticket(&session, &picked).await.expect("picked");
    let (status, body) = world
        .ticket(&session, &other)
        .await
        .expect_err("not picked");
    assert!(
        status == 404 && body.contains("pick the spreadsheet"),
        "{status} {body}"
    );
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_the_room_does_not() {
    let mut world = World::start().await;
    let sheet = world.spreadsheet();
    let session = world
        .sign_in(&Consent::by(ANA).picking(&sheet.spreadsheet_id))
        .await;
    let mut socket = world.join(&session, &sheet, None).await;
    let (before, _) = socket.snapshot().await;
    let (closing, ()) = tokio::join!(socket.closing(), world.restart());
    assert_eq!(closing.1, CloseReason::Draining);
    let mut socket = world.join(&session, &sheet, Some(&before)).await;
    let (after, _) = socket.snapshot().await;
    assert_ne!(before.epoch, after.epoch);
}

#[tokio::test]
async fn signing_out_ends_the_socket() {
    let world = World::start().await;
    let sheet = world.spreadsheet();
    let consent = Consent::by(ANA).picking(&sheet.spreadsheet_id);
    let session = world.sign_in(&consent).await;
    let mut socket = world.join(&session, &sheet, None).await;
    socket.snapshot().await;
    let (status, _) = world
        .request("DELETE", "/v1/session", &session, String::new())
        .await;
    assert_eq!(status, 204);
    assert_eq!(socket.closing().await.1, CloseReason::SignedOut);
    assert_eq!(
        world
            .ticket(&session, &sheet)
            .await
            .expect_err("signed out")
            .0,
        401
    );
}

#[tokio::test]
async fn a_right_that_was_revoked_at_google_ends_the_socket_and_nobody_elses() {
    let world = World::start().await;
    let sheet = world.spreadsheet();
    let pick = |account| Consent::by(account).picking(&sheet.spreadsheet_id);
    let ana = world.sign_in(&pick(ANA)).await;
    let ben = world.sign_in(&pick(BEN)).await;
    let mut ana = world.join(&ana, &sheet, None).await;
    ana.snapshot().await;
    let mut ben = world.join(&ben, &sheet, None).await;
    ben.snapshot().await;
    world.google.revoke(ANA, fake_google::DEFAULT_CLIENT_ID);
    world.edit(&sheet, "#123456");
    // Readers take turns, so that Ana's token is tried within two reads.
    for value in ["#1", "#2"] {
        world.edit(&sheet, value);
        ben.refresh().await;
        assert!(matches!(ben.expect().await, RelayFrame::Changes { .. }));
    }
    let (before, reason) = ana.closing().await;
    assert_eq!(reason, CloseReason::SignedOut);
    let troubles = before.iter().filter_map(|frame| match frame {
        RelayFrame::Trouble { error, .. } => Some(error.code),
        _ => None,
    });
    assert!(
        troubles.clone().all(|code| code == ErrorCode::SignedOut),
        "{before:?}"
    );
}

#[tokio::test]
async fn a_page_without_an_origin_may_ask() {
    let world = World::start().await;
    for path in [
        "/v1/tickets",
        "/v1/poll",
        "/v1/telemetry",
        "/ofrep/v1/evaluate/flags",
    ] {
        let reply = world.preflight(path).await;
        let allowed = |name: &str| reply[name].to_str().expect("a text").to_lowercase();
        assert!(["*", "null"].contains(&allowed("access-control-allow-origin").as_str()));
        for method in ["get", "post", "put", "delete"] {
            assert!(allowed("access-control-allow-methods").contains(method));
        }
        for header in ["authorization", "content-type", "if-none-match"] {
            assert!(
                allowed("access-control-allow-headers").contains(header),
                "{path} {header}"
            );
        }
    }
}

#[tokio::test]
async fn one_account_that_asks_too_often_is_turned_away_and_no_other() {
    let world = World::limited(|limits| limits.requests_per_minute = 4).await;
    let sheet = world.spreadsheet();
    let pick = |account| Consent::by(account).picking(&sheet.spreadsheet_id);
    let ana = world.sign_in(&pick(ANA)).await;
    let ben = world.sign_in(&pick(BEN)).await;
    for _ in 0..4 {
        world.ticket(&ana, &sheet).await.expect("within the limit");
    }
    let (status, body) = world.ticket(&ana, &sheet).await.expect_err("the fifth");
    assert!(
        status == 429 && body.contains("too_many"),
        "{status} {body}"
    );
    world.ticket(&ben, &sheet).await.expect("another account");
}
