//! Several tabs of one spreadsheet: they are read together, and the trouble of one is not the others'.

use std::time::Duration;

use fake_google::{Fault, FaultKind, NewSheet, NewSpreadsheet, Role, Share};
use serde_json::json;
use sheetwire_core::protocol::relay::{ErrorCode, RelayFrame, SheetRef};

use crate::world::{ANA, BEN, Client, Setup, Sheet, World};

/// A spreadsheet of Ana's with so many tabs, which Ben may read.
fn tabs(world: &World, count: usize) -> Vec<Sheet> {
    let sheet = |number: usize| NewSheet {
        title: format!("Tab {number}"),
        rows: vec![vec!["old".into()]],
    };
    let made = world.google.create_spreadsheet(NewSpreadsheet {
        sheets: (0..count).map(sheet).collect(),
        ..NewSpreadsheet::of_texts("Brand", &[])
    });
    let made = made.expect("made");
    let shared = world.google.share(Share {
        spreadsheet_id: made.spreadsheet_id.clone(),
        account: BEN.to_owned(),
        role: Some(Role::Reader),
    });
    shared.expect("shared");
    let sheets = made.sheets.iter().map(|sheet| {
        Sheet(SheetRef {
            spreadsheet_id: made.spreadsheet_id.clone(),
            sheet_id: sheet.sheet_id,
        })
    });
    sheets.collect()
}

/// A client in the room of each tab, with its snapshot.
async fn follow(world: &World, tabs: &[Sheet]) -> Vec<Client> {
    let mut clients = Vec::new();
    for (tab, account) in tabs.iter().zip([ANA, BEN].into_iter().cycle()) {
        let mut client = world.join(account, tab, None).await;
        client.snapshot().await;
        clients.push(client);
    }
    clients
}

/// How many tabs each read of cells was of.
fn widths(world: &World) -> Vec<usize> {
    let journal = world.google.journal(0);
    let reads = journal
        .iter()
        .filter(|entry| entry.path.starts_with("/v4/"));
    reads
        .map(|entry| {
            entry
                .query
                .iter()
                .filter(|(name, _)| name == "ranges")
                .count()
        })
        .filter(|ranges| *ranges > 0)
        .collect()
}

#[tokio::test]
async fn one_read_serves_every_tab_that_is_followed() {
    let world = World::start().await;
    let tabs = tabs(&world, 8);
    let other = world.spreadsheet(&[&["old"]]);
    let mut clients = follow(&world, &tabs).await;
    let mut elsewhere = follow(&world, std::slice::from_ref(&other)).await.remove(0);
    let before = widths(&world).len();
    for value in ["new", "newer"] {
        for tab in &tabs {
            world.edit(tab, 0, 0, value);
        }
        clients[3].refresh().await;
        for client in &mut clients {
            assert_eq!(
                client.changes().await.2,
                format!("0\u{1f}0\u{1f}t{value}\u{1e}")
            );
        }
    }
    assert_eq!(widths(&world)[before..], [8, 8]);
    // Another spreadsheet is read by itself.
    world.edit(&other, 0, 0, "new");
    elsewhere.refresh().await;
    elsewhere.changes().await;
    assert_eq!(widths(&world)[before..], [8, 8, 1]);
}

#[tokio::test]
async fn tabs_that_are_opened_at_once_are_told_once_each() {
    let world = World::start().await;
    let tabs = tabs(&world, 8);
    let opened = tabs.iter().map(async |tab| {
        let mut client = world.join(ANA, tab, None).await;
        assert_eq!(client.snapshot().await.1, "told\u{1e}");
        client
    });
    let mut clients = futures_util::future::join_all(opened).await;
    // How many reads it takes depends on who comes when; alone it would be two for each tab.
    let (cells, titles) = world.reads();
    assert!(cells <= 8 && titles <= 8, "{cells} {titles}");
    // Nothing else was said: the next word is of the next edit.
    for (tab, client) in tabs.iter().zip(&mut clients) {
        world.edit(tab, 0, 0, "new");
        client.refresh().await;
        assert_eq!(client.changes().await.2, "0\u{1f}0\u{1f}tnew\u{1e}");
    }
}

#[tokio::test]
async fn tabs_go_on_together_by_themselves() {
    let world = World::start_with(Setup::reading()).await;
    let tabs = tabs(&world, 3);
    let mut clients = follow(&world, &tabs).await;
    for (number, tab) in tabs.iter().enumerate() {
        world.edit(tab, 0, 0, "new");
        clients[number].changes().await;
    }
    let from = widths(&world).len();
    while widths(&world).len() < from + 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let together = widths(&world)[from..]
        .iter()
        .filter(|width| **width == 3)
        .count();
    assert!(together > 5, "{:?}", &widths(&world)[from..]);
}

#[tokio::test]
async fn a_tab_with_another_title_is_found_again_and_holds_up_no_other() {
    let world = World::start().await;
    let tabs = tabs(&world, 3);
    let mut clients = follow(&world, &tabs).await;
    let rename = json!({"requests": [{"updateSheetProperties": {
        "properties": {"sheetId": tabs[1].0.sheet_id, "title": "Dark"}, "fields": "title",
    }}]});
    let token = world
        .google
        .access_token(ANA, &["https://www.googleapis.com/auth/spreadsheets"]);
    let url = format!(
        "{}/v4/spreadsheets/{}:batchUpdate",
        world.google.base_url(),
        tabs[1].0.spreadsheet_id
    );
    let renamed = reqwest::Client::new()
        .post(url)
        .bearer_auth(token.expect("known"))
        .json(&rename);
    assert_eq!(renamed.send().await.expect("sent").status(), 200);
    world.edit(&tabs[0], 0, 0, "new");
    clients[0].refresh().await;
    assert_eq!(clients[0].changes().await.2, "0\u{1f}0\u{1f}tnew\u{1e}");
    world.edit(&tabs[1], 0, 0, "dark");
    world.edit(&tabs[2], 0, 0, "third");
    clients[1].refresh().await;
    assert_eq!(clients[1].snapshot().await.1, "tdark\u{1e}");
    // The third came along with the read that followed.
    assert_eq!(clients[2].changes().await.2, "0\u{1f}0\u{1f}tthird\u{1e}");
}

#[tokio::test]
async fn a_trouble_of_googles_is_told_in_every_room_at_once() {
    let world = World::start().await;
    let tabs = tabs(&world, 3);
    let mut clients = follow(&world, &tabs).await;
    let path = format!("/v4/spreadsheets/{}", tabs[0].0.spreadsheet_id);
    world
        .google
        .fault(Fault::next(&path, FaultKind::Status { status: 503 }))
        .expect("few");
    let before = widths(&world).len();
    clients[0].refresh().await;
    for client in &mut clients {
        match client.expect().await {
            RelayFrame::Trouble { error, .. } => assert_eq!(error.code, ErrorCode::Google),
            other => panic!("no trouble: {other:?}"),
        }
    }
    for client in &mut clients {
        assert!(matches!(
            client.expect().await,
            RelayFrame::Heartbeat { .. }
        ));
    }
    // One that failed; after it the tabs keep their own times until each has been read.
    assert!(widths(&world).len() - before <= 4);
}

#[tokio::test]
async fn who_may_not_read_is_put_out_and_the_others_are_read_on() {
    let world = World::start().await;
    let tabs = tabs(&world, 2);
    let mut clients = follow(&world, &tabs).await;
    world.unshare(&tabs[1], BEN);
    world.edit(&tabs[0], 0, 0, "new");
    clients[1].refresh().await;
    assert!(clients[1].closing().await.0.len() <= 1);
    clients[0].refresh().await;
    assert_eq!(clients[0].changes().await.2, "0\u{1f}0\u{1f}tnew\u{1e}");
}
