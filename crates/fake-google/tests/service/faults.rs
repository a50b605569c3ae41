//! Quotas, and faults that tests ask for.

use std::time::Duration;

use fake_google::{ClockChange, Fault, FaultKind, QuotaLimits, Settings};
use serde_json::json;

use crate::app::{ANA, BEN, SPREADSHEETS, ana, call, get, google, spreadsheet};

#[tokio::test]
async fn quotas_count_reads_and_writes_by_user_and_project() {
    let google = google().await;
    google.set_clock(&ClockChange {
        runs: Some(false),
        unix_ms: Some(1_800_000_000_000),
        advance_ms: None,
    });
    google.set_settings(Settings {
        quota: QuotaLimits {
            reads_per_project: 5,
            writes_per_project: 2,
            reads_per_user: 3,
            writes_per_user: 2,
        },
        ..google.settings()
    });
    let sheet = spreadsheet(&google, &[&["a"]]);
    let path = format!("/v4/spreadsheets/{sheet}");
    let token = ana(&google);
    for _ in 0..3 {
        // A batch counts once.
        let ranges = "/values:batchGet?ranges=A1&ranges=A2&ranges=A3";
        assert_eq!(
            get(&google, &token, &format!("{path}{ranges}")).await.0,
            200
        );
    }
    let (status, error) = get(&google, &token, &path).await;
    assert_eq!(
        (status, error["error"]["status"].as_str()),
        (429, Some("RESOURCE_EXHAUSTED"))
    );
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("Read requests per minute per user"))
    );
    // Writes are counted apart.
    let body = json!({"values": [[1]]});
    let write = format!("{path}/values/A1?valueInputOption=RAW");
    assert_eq!(
        call(&google, &token, "PUT", &write, Some(body.clone()))
            .await
            .0,
        200
    );
    // Ben has his own, but the project's is shared.
    let ben = google.access_token(BEN, &[SPREADSHEETS]).expect("known");
    let of_ben = google.create_spreadsheet(fake_google::NewSpreadsheet {
        owner: Some(BEN.to_owned()),
        ..fake_google::NewSpreadsheet::of_texts("Ben's", &[])
    });
    let of_ben = format!("/v4/spreadsheets/{}", of_ben.expect("made").spreadsheet_id);
    assert_eq!(get(&google, &ben, &of_ben).await.0, 200);
    assert_eq!(get(&google, &ben, &of_ben).await.0, 200);
    let (status, error) = get(&google, &ben, &of_ben).await;
    assert_eq!(status, 429, "the project's five are used");
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("limit 'Read requests per minute' of"))
    );
    let counts = google.state().quota;
    assert_eq!((counts.reads, counts.writes, counts.refused), (5, 1, 2));
    google.advance_clock(60_000);
    assert_eq!(get(&google, &token, &path).await.0, 200);
}

#[tokio::test]
async fn errors_are_answered_as_often_as_asked_for() {
    let google = google().await;
    let sheet = format!("/v4/spreadsheets/{}", spreadsheet(&google, &[&["a"]]));
    let token = ana(&google);
    for (kind, status, reason) in [
        (FaultKind::Status { status: 500 }, 500, "INTERNAL"),
        (FaultKind::Status { status: 503 }, 503, "UNAVAILABLE"),
        (FaultKind::Status { status: 429 }, 429, "RESOURCE_EXHAUSTED"),
        (FaultKind::Status { status: 401 }, 401, "UNAUTHENTICATED"),
        (FaultKind::RateLimitExceeded, 403, "PERMISSION_DENIED"),
    ] {
        google
            .fault(Fault::next("/v4/", kind).times(2))
            .expect("room");
        for _ in 0..2 {
            let (found, body) = get(&google, &token, &sheet).await;
            assert_eq!(
                (found, body["error"]["status"].as_str()),
                (status, Some(reason))
            );
        }
        assert_eq!(get(&google, &token, "/drive/v3/files").await.0, 200);
        assert_eq!(get(&google, &token, &sheet).await.0, 200);
    }
    let (_, body) = {
        google
            .fault(Fault::next("/v4/", FaultKind::RateLimitExceeded))
            .expect("room");
        get(&google, &token, &sheet).await
    };
    assert_eq!(body["error"]["errors"][0]["reason"], "rateLimitExceeded");
    let of_put = Fault {
        method: Some("PUT".to_owned()),
        ..Fault::next("", FaultKind::Status { status: 500 })
    };
    google.fault(of_put).expect("room");
    assert_eq!(
        get(&google, &token, &sheet).await.0,
        200,
        "the fault waits for a PUT"
    );
    google.clear_faults();
    assert!(google.state().faults.is_empty());
    assert!(google.journal(0).iter().filter(|entry| entry.fault).count() == 11);
}

#[tokio::test]
async fn answers_can_break_on_the_way() {
    let google = google().await;
    let sheet = spreadsheet(&google, &[&["a"]]);
    let url = format!("{}/v4/spreadsheets/{sheet}", google.base_url());
    let token = google.access_token(ANA, &[SPREADSHEETS]).expect("known");
    let client = reqwest::Client::builder()
        .timeout(Duration::from_millis(500))
        .build()
        .expect("a client");
    let ask = async |kind| {
        google.fault(Fault::next("/v4/", kind)).expect("room");
        client.get(&url).bearer_auth(&token).send().await
    };
    let nonsense = ask(FaultKind::Nonsense).await.expect("answered");
    assert_eq!(nonsense.status(), 200);
    assert!(nonsense.json::<serde_json::Value>().await.is_err());
    let foreign = ask(FaultKind::Foreign).await.expect("answered");
    assert_eq!(
        foreign.json::<serde_json::Value>().await.expect("JSON")["kind"],
        "nobody#knows"
    );
    let half = ask(FaultKind::Truncate).await;
    let broken = match half {
        Ok(reply) => reply.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken, "the body ends too early");
    let reset = ask(FaultKind::Reset).await.expect_err("reset");
    assert!(!reset.is_timeout());
    let hung = ask(FaultKind::Hang).await.expect_err("hangs");
    assert!(hung.is_timeout());
    let slow = ask(FaultKind::Slow { delay_ms: 20 })
        .await
        .expect("late, but whole");
    assert_eq!(
        slow.json::<serde_json::Value>().await.expect("JSON")["spreadsheetId"],
        sheet
    );
}

#[tokio::test]
async fn a_lost_answer_has_taken_effect_and_a_reset_has_not() {
    let google = google().await;
    let sheet = spreadsheet(&google, &[&["old"]]);
    let url = format!(
        "{}/v4/spreadsheets/{sheet}/values/A1?valueInputOption=RAW",
        google.base_url()
    );
    for (kind, value, expected) in [
        (FaultKind::Reset, "reset", "old"),
        (FaultKind::Lost, "lost", "lost"),
    ] {
        google.fault(Fault::next("/v4/", kind)).expect("few");
        let sent = reqwest::Client::new().put(&url).bearer_auth(ana(&google));
        let sent = sent.json(&json!({"values": [[value]]})).send().await;
        assert!(sent.is_err());
        let path = format!("/v4/spreadsheets/{sheet}/values/A1");
        assert_eq!(
            get(&google, &ana(&google), &path).await.1["values"],
            json!([[expected]])
        );
    }
}
