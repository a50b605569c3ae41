//! What a signed-in user may connect.

use fake_google::{Consent, Fault, FaultKind};
use sheetwire_core::protocol::relay::{Spreadsheet, SpreadsheetList};

use crate::world::{ANA, World};

async fn get(world: &World, session: &str, path: &str) -> (u16, String) {
    world.request("GET", path, session, String::new()).await
}

#[tokio::test]
async fn picked_spreadsheets_are_listed_with_their_tabs() {
    let world = World::start().await;
    let (picked, other) = (world.spreadsheet(), world.spreadsheet());
    let session = world
        .sign_in(&Consent::by(ANA).picking(&picked.spreadsheet_id))
        .await;
    let (_, body) = get(&world, &session, "/v1/spreadsheets").await;
    let list: SpreadsheetList = serde_json::from_str(&body).expect("a list");
    let ids: Vec<&str> = list
        .spreadsheets
        .iter()
        .map(|entry| entry.id.as_str())
        .collect();
    assert_eq!(ids, [picked.spreadsheet_id.as_str()]);
    assert_eq!(list.spreadsheets[0].title, "Brand");
    assert!(list.spreadsheets[0].modified.ends_with('Z'), "RFC 3339");

    let path = format!("/v1/spreadsheets/{}", picked.spreadsheet_id);
    let (_, body) = get(&world, &session, &path).await;
    let spreadsheet: Spreadsheet = serde_json::from_str(&body).expect("tabs");
    assert_eq!(
        (spreadsheet.title.as_str(), spreadsheet.locale.as_str()),
        ("Brand", "en_US")
    );
    let tab = &spreadsheet.sheets[0];
    assert_eq!(
        (tab.sheet_id, tab.title.as_str()),
        (picked.sheet_id, "Tokens")
    );
    assert!(tab.rows > 0 && tab.columns > 0);

    let path = format!("/v1/spreadsheets/{}", other.spreadsheet_id);
    let (status, body) = get(&world, &session, &path).await;
    assert!(
        matches!(status, 403 | 404) && body.contains("remedy"),
        "{status} {body}"
    );
}

#[tokio::test]
async fn wrong_ids_and_googles_errors_have_clear_answers() {
    let world = World::start().await;
    let sheet = world.spreadsheet();
    let session = world
        .sign_in(&Consent::by(ANA).picking(&sheet.spreadsheet_id))
        .await;
    for (path, status, code) in [
        ("/v1/spreadsheets/nothing", 404, "not_found"),
        ("/v1/spreadsheets/a%2F..%2Fb", 400, "bad_request"),
        ("/v1/nothing", 404, "not_found"),
    ] {
        let (got, body) = get(&world, &session, path).await;
        assert!(got == status && body.contains(code), "{path}: {got} {body}");
    }
    let path = format!("/v1/spreadsheets/{}", sheet.spreadsheet_id);
    for (kind, status, code) in [
        (FaultKind::Status { status: 429 }, 429, "too_many"),
        (FaultKind::Status { status: 503 }, 502, "google"),
        (
            FaultKind::Status { status: 400 },
            502,
            "Save as Google Sheets",
        ),
        (FaultKind::Nonsense, 502, "google"),
    ] {
        // As often as the relay may ask again by itself.
        world
            .google
            .fault(Fault::next("/v4/", kind.clone()).times(10))
            .expect("set");
        let (got, body) = get(&world, &session, &path).await;
        world.google.clear_faults();
        assert!(
            got == status && body.contains(code),
            "{kind:?}: {got} {body}"
        );
    }
    assert_eq!(get(&world, &session, &path).await.0, 200);
}
