//! Drive's change notices.

use crate::world::{ANA, Setup, World};

const HOOK: &str = "/v1/hooks/drive";

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_leads_to_a_read() {
    let setup = Setup::default().with(
        "SHEETWIRE_WEBHOOK_URL",
        "http://localhost:{port}/v1/hooks/drive",
    );
    let world = World::start_with(setup).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    // The channel opens beside the first read.
    while world.google.state().channels.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.edit(&sheet, 0, 0, "b");
    assert_eq!(ana.changes().await.2, "0\u{1f}0\u{1f}tb\u{1e}");
    assert_eq!(world.reads(), (2, 1));

    // Who knows the channel but not its token is not heard.
    let id = world.google.state().channels[0].id.clone();
    let notice = [
        ("x-goog-channel-id", id.as_str()),
        ("x-goog-channel-token", "guessed"),
        ("x-goog-resource-state", "update"),
    ];
    assert_eq!(world.post(HOOK, "", &notice, "").await.0, 404);
    assert_eq!(world.post(HOOK, "", &notice[..1], "").await.0, 400);
    assert_eq!(world.reads(), (2, 1));
}

#[tokio::test]
async fn a_relay_without_channels_answers_calmly() {
    let world = World::start().await;
    assert_eq!(world.post(HOOK, "", &[], "").await.0, 400);
    let notice = [
        ("x-goog-channel-id", "x"),
        ("x-goog-resource-state", "update"),
    ];
    assert_eq!(world.post(HOOK, "", &notice, "").await.0, 404);
    assert_eq!(
        world.post(HOOK, "", &notice, "x".repeat(10_000)).await.0,
        404
    );
}
