//! Flags over OFREP, and their changes.

use serde_json::{Value, json};
use sheetwire_core::flags::{Decision, Evaluation, REALTIME_SYNC, decide};
use sheetwire_core::protocol::relay::{RelayFrame, VERSION};

use crate::world::{ANA, Setup, World};

fn document(keys: &[&str], percent: u32, state: &str) -> String {
    json!({"flags": {"realtime-sync": {
        "state": state, "variants": {"on": true, "off": false}, "defaultVariant": "off",
        "targeting": {"if": [
            {"in": [{"var": "targetingKey"}, keys]}, "on",
            {"fractional": [["on", percent], ["off", 100 - percent]]},
        ]},
    }}})
    .to_string()
}

async fn decision(world: &World, key: &str) -> Decision {
    let body = json!({"context": {"targetingKey": key}}).to_string();
    let (status, _, reply) = world.post("/ofrep/v1/evaluate/flags", "", &[], body).await;
    assert_eq!(status, 200, "{reply}");
    let reply: Value = serde_json::from_str(&reply).expect("JSON");
    let flags = reply["flags"].as_array().expect("a list of flags");
    let entry = flags.iter().find(|flag| flag["key"] == REALTIME_SYNC);
    decide(entry.map(|entry| Evaluation {
        value: entry["value"].as_bool(),
        reason: entry["reason"].as_str().unwrap_or_default(),
        failed: entry.get("errorCode").is_some(),
    }))
}

#[tokio::test]
async fn an_edited_document_is_in_force_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flags.json");
    let write = |text: &str| std::fs::write(&path, text).expect("written");
    write(&document(&["pilot"], 0, "ENABLED"));
    let setup = Setup::default().with("SHEETWIRE_FLAGS", path.to_str().expect("UTF-8"));
    let world = World::start_with(setup).await;
    let sheet = world.spreadsheet(&[&["a"]]);
    let mut ana = world.join(ANA, &sheet, None).await;
    ana.snapshot().await;
    assert_eq!(decision(&world, "pilot").await, Decision::On);
    assert_eq!(decision(&world, "someone").await, Decision::NotYet);

    let told = RelayFrame::FlagsChanged { v: VERSION };
    write(&document(&["pilot"], 100, "ENABLED"));
    assert_eq!(ana.expect().await, told);
    assert_eq!(decision(&world, "someone").await, Decision::On);

    // A faulty edit changes nothing; the next good one does.
    write("{\"flags\": {");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(decision(&world, "someone").await, Decision::On);
    write(&document(&["pilot"], 100, "DISABLED"));
    assert_eq!(ana.expect().await, told);
    assert_eq!(decision(&world, "pilot").await, Decision::SwitchedOff);
}

#[tokio::test]
async fn a_relay_with_a_faulty_document_does_not_start() {
    use sheetwire_relay::flags::Flags;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flags.json");
    let error = Flags::open(Some(&path))
        .await
        .expect_err("there is none")
        .to_string();
    assert!(
        error.contains("flags.json") && error.contains("can't be read"),
        "{error}"
    );
    std::fs::write(&path, document(&[], 5, "MAYBE")).expect("written");
    let error = Flags::open(Some(&path))
        .await
        .expect_err("faulty")
        .to_string();
    assert!(
        error.contains("flags.json") && error.contains("MAYBE"),
        "{error}"
    );
}

#[tokio::test]
async fn ofrep_answers_as_its_document_says() {
    let world = World::start().await;
    let bulk = "/ofrep/v1/evaluate/flags";
    let single = "/ofrep/v1/evaluate/flags/realtime-sync";
    let good = json!({"context": {"targetingKey": "someone"}}).to_string();
    let (status, headers, first) = world.post(bulk, "", &[], good.clone()).await;
    let etag = headers["etag"].to_str().expect("a text").to_owned();
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "application/json");
    let reply: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(reply["flags"][0]["key"], "realtime-sync");
    assert_eq!(reply["flags"][0]["reason"], "SPLIT");
    for known in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"other\", {etag}"),
        "*".to_owned(),
    ] {
        let (status, headers, body) = world
            .post(bulk, "", &[("if-none-match", &known)], good.clone())
            .await;
        assert_eq!((status, body.as_str()), (304, ""), "{known}");
        assert_eq!(headers["etag"], etag.as_str());
    }
    let (status, _, _) = world
        .post(bulk, "", &[("if-none-match", "\"other\"")], good.clone())
        .await;
    assert_eq!(status, 200);

    let (status, _, body) = world.post(single, "", &[], good.clone()).await;
    let reply: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &reply["key"]), (200, &json!("realtime-sync")));
    let (status, _, body) = world
        .post("/ofrep/v1/evaluate/flags/other", "", &[], good)
        .await;
    assert!(
        status == 404 && body.contains("FLAG_NOT_FOUND"),
        "{status} {body}"
    );

    let long = "x".repeat(300);
    let cases = [
        (String::new(), "PARSE_ERROR"),
        ("[]".to_owned(), "PARSE_ERROR"),
        ("{}".to_owned(), "TARGETING_KEY_MISSING"),
        (json!({"context": {}}).to_string(), "TARGETING_KEY_MISSING"),
        (
            json!({"context": {"targetingKey": ""}}).to_string(),
            "TARGETING_KEY_MISSING",
        ),
        (json!({"context": "someone"}).to_string(), "INVALID_CONTEXT"),
        (
            json!({"context": {"targetingKey": 7}}).to_string(),
            "INVALID_CONTEXT",
        ),
        (
            json!({"context": {"targetingKey": long}}).to_string(),
            "INVALID_CONTEXT",
        ),
    ];
    for path in [bulk, single] {
        for (body, code) in &cases {
            let (status, _, reply) = world.post(path, "", &[], body.clone()).await;
            let reply: Value = serde_json::from_str(&reply).expect("JSON");
            assert_eq!((status, &reply["errorCode"]), (400, &json!(code)), "{body}");
        }
    }
    assert_eq!(world.post(bulk, "", &[], "x".repeat(10_000)).await.0, 413);
}

#[tokio::test]
async fn reports_are_taken_and_nonsense_is_not() {
    use sheetwire_relay::telemetry::Group;
    let world = World::start().await;
    let report = json!({"v": 1, "group": "control", "opened": true, "first_error": "none",
        "latency": [0, 0, 1, 0, 0, 0, 0, 0], "reconnects": 0});
    assert_eq!(
        world
            .post("/v1/telemetry", "", &[], report.to_string())
            .await
            .0,
        204
    );
    assert_eq!(
        world.post("/v1/telemetry", "", &[], "Tokens!C14").await.0,
        400
    );
    assert_eq!(
        world
            .post("/v1/telemetry", "", &[], "x".repeat(10_000))
            .await
            .0,
        413
    );
    let sums = world.live.telemetry().sums(Group::Control);
    assert_eq!((sums.sessions, sums.latency[2]), (1, 1));
}
