//! What every request gets, whatever it asks for.

use sheetwire_core::protocol::relay::{ApiError, ErrorCode};

use crate::world::World;

#[tokio::test]
async fn refusals_that_no_route_words_have_a_body_as_well() {
    let world = World::start().await;
    let long = "x".repeat(3 * 1024 * 1024);
    let cases = [
        ("GET", "/v1/session/renew", "", 405, ErrorCode::BadRequest),
        ("PUT", "/v1/spreadsheets", "", 405, ErrorCode::BadRequest),
        (
            "GET",
            "/v1/signin/%FF/redeem",
            "",
            405,
            ErrorCode::BadRequest,
        ),
        (
            "POST",
            "/v1/signin/%FF/redeem",
            "{}",
            400,
            ErrorCode::BadRequest,
        ),
        ("GET", "/v1/live", "", 400, ErrorCode::BadRequest),
        ("POST", "/v1/signin", &long, 400, ErrorCode::BadRequest),
        ("GET", "/v1/nothing", "", 404, ErrorCode::NotFound),
    ];
    for (method, path, body, status, code) in cases {
        let (got, reply) = world.request(method, path, "", body.to_owned()).await;
        let error: ApiError = serde_json::from_str(&reply)
            .unwrap_or_else(|_| panic!("{method} {path}: {got} {reply:?}"));
        assert_eq!(
            (got, error.code),
            (status, code),
            "{method} {path}: {reply}"
        );
        assert!(!error.message.is_empty());
    }
}

#[tokio::test]
async fn every_reply_has_an_id_of_its_own_and_none_from_outside() {
    let world = World::start().await;
    let flow = world.begin().await;
    let http = reqwest::Client::new();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let reply = http
            .get(&flow.reply.url)
            .header("x-request-id", "chosen")
            .send()
            .await
            .expect("a page");
        ids.push(reply.headers()["x-request-id"].clone());
    }
    ids.push(world.preflight("/v1/poll").await["x-request-id"].clone());
    assert!(ids.iter().all(|id| id.len() == 22), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}
