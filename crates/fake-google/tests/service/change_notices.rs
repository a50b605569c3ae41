//! Drive: versions, channels and the notices on them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use fake_google::{ClockChange, FakeGoogle, Settings};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::app::{ana, call, get, google, spreadsheet};

/// A receiver of notices: it keeps their headers and answers what it is told to.
struct Receiver {
    address: String,
    notices: mpsc::UnboundedReceiver<HeaderMap>,
    answers: Arc<Mutex<Vec<u16>>>,
}

type Answering = (mpsc::UnboundedSender<HeaderMap>, Arc<Mutex<Vec<u16>>>);

async fn receive(State((sender, answers)): State<Answering>, headers: HeaderMap) -> StatusCode {
    let status = answers.lock().expect("not poisoned").pop().unwrap_or(200);
    sender.send(headers).expect("the test still listens");
    StatusCode::from_u16(status).expect("a status")
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = format!(
            "http://localhost:{}/notices",
            listener.local_addr().expect("bound").port()
        );
        let (sender, notices) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new()
            .route("/notices", post(receive))
            .with_state((sender, answers.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Receiver {
            address,
            notices,
            answers,
        }
    }

    async fn next(&mut self) -> HeaderMap {
        self.notices.recv().await.expect("the receiver runs")
    }

    fn is_quiet(&mut self) -> bool {
        self.notices.try_recv().is_err()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

async fn watch(google: &FakeGoogle, sheet: &str, body: Value) -> (u16, Value) {
    call(
        google,
        &ana(google),
        "POST",
        &format!("/drive/v3/files/{sheet}/watch"),
        Some(body),
    )
    .await
}

#[tokio::test]
async fn a_channel_tells_of_every_change_and_can_be_stopped() {
    let google = google().await;
    let mut receiver = Receiver::start().await;
    let sheet = spreadsheet(&google, &[&["a"]]);
    let body = json!({"id": "c1", "type": "web_hook", "address": receiver.address, "token": "t1"});
    let (status, channel) = watch(&google, &sheet, body.clone()).await;
    assert_eq!(status, 200, "{channel}");
    assert_eq!(channel["kind"], "api#channel");
    let sync = receiver
        .notices
        .try_recv()
        .expect("sync comes before the reply");
    assert_eq!(text(&sync, "x-goog-resource-state"), "sync");
    assert_eq!(text(&sync, "x-goog-message-number"), "1");
    assert_eq!(text(&sync, "x-goog-channel-token"), "t1");
    let (status, _) = watch(&google, &sheet, body).await;
    assert_eq!(status, 400, "the id is taken");
    let mut numbers = vec![1_u64];
    for value in ["b", "c", "d"] {
        google.edit_cell(&sheet, 0, 0, 0, value).expect("edited");
        let update = receiver.next().await;
        assert_eq!(text(&update, "x-goog-resource-state"), "update");
        assert_eq!(text(&update, "x-goog-channel-id"), "c1");
        numbers.push(
            text(&update, "x-goog-message-number")
                .parse()
                .expect("a number"),
        );
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let stop = json!({"id": "c1", "resourceId": channel["resourceId"]});
    let wrong = json!({"id": "c1", "resourceId": "other"});
    assert_eq!(
        call(
            &google,
            &ana(&google),
            "POST",
            "/drive/v3/channels/stop",
            Some(wrong)
        )
        .await
        .0,
        404
    );
    assert_eq!(
        call(
            &google,
            &ana(&google),
            "POST",
            "/drive/v3/channels/stop",
            Some(stop)
        )
        .await
        .0,
        204
    );
    assert!(google.state().channels.is_empty());
}

#[tokio::test]
async fn notices_and_versions_come_late() {
    let google = FakeGoogle::start_with(Settings::default())
        .await
        .expect("a free port");
    google.set_clock(&ClockChange {
        runs: Some(false),
        ..ClockChange::default()
    });
    let mut receiver = Receiver::start().await;
    let sheet = spreadsheet(&google, &[&["a"]]);
    let file = format!("/drive/v3/files/{sheet}?fields=version,modifiedTime");
    let (_, before) = get(&google, &ana(&google), &file).await;
    let body = json!({"id": "c2", "type": "web_hook", "address": receiver.address});
    assert_eq!(watch(&google, &sheet, body).await.0, 200);
    receiver.next().await;
    google.edit_cell(&sheet, 0, 0, 0, "b").expect("edited");
    google.advance_clock(100_000);
    google.edit_cell(&sheet, 0, 0, 0, "c").expect("edited");
    assert_eq!(
        get(&google, &ana(&google), &file).await.1,
        before,
        "Drive does not know yet"
    );
    assert!(receiver.is_quiet());
    google.advance_clock(80_000);
    let update = receiver.next().await;
    assert_eq!(text(&update, "x-goog-resource-state"), "update");
    let (_, after) = get(&google, &ana(&google), &file).await;
    let version = |file: &Value| {
        file["version"]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
    };
    assert!(version(&after) > version(&before), "{before} {after}");
    google.advance_clock(1_000_000);
    assert!(receiver.is_quiet(), "two edits, one notice");
}

#[tokio::test]
async fn a_failing_receiver_is_tried_again_and_a_refusing_one_is_not() {
    let google = google().await;
    google.set_clock(&ClockChange {
        runs: Some(false),
        ..ClockChange::default()
    });
    let mut receiver = Receiver::start().await;
    let sheet = spreadsheet(&google, &[&["a"]]);
    receiver
        .answers
        .lock()
        .expect("not poisoned")
        .extend([404, 200, 503, 200]);
    let body = json!({"id": "c3", "type": "web_hook", "address": receiver.address});
    assert_eq!(watch(&google, &sheet, body).await.0, 200);
    receiver.next().await;
    google.edit_cell(&sheet, 0, 0, 0, "b").expect("edited");
    let first = receiver.next().await;
    // The retry is queued once fake Google has read the 503, on whose way the test does not stand.
    while google.state().channels.is_empty() || receiver.is_quiet() {
        google.advance_clock(1_000);
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    drop(first);
    google.edit_cell(&sheet, 0, 0, 0, "c").expect("edited");
    receiver.next().await;
    google.advance_clock(100_000);
    google.edit_cell(&sheet, 0, 0, 0, "d").expect("edited");
    let last = receiver.next().await;
    assert_eq!(
        google.state().channels[0].sent,
        4,
        "the 404 was not tried again, the 503 under its own number"
    );
    assert_eq!(text(&last, "x-goog-resource-state"), "update");
}

#[tokio::test]
async fn channels_live_an_hour_or_a_day_and_need_a_safe_address() {
    let google = google().await;
    google.set_clock(&ClockChange {
        runs: Some(false),
        unix_ms: Some(1_800_000_000_000),
        advance_ms: None,
    });
    let receiver = Receiver::start().await;
    let sheet = spreadsheet(&google, &[&["a"]]);
    let mut body = json!({"id": "short", "type": "web_hook", "address": receiver.address});
    assert_eq!(
        watch(&google, &sheet, body.clone()).await.1["expiration"],
        "1800003600000"
    );
    body["id"] = json!("long");
    body["expiration"] = json!("1900000000000");
    assert_eq!(
        watch(&google, &sheet, body.clone()).await.1["expiration"],
        "1800086400000"
    );
    body["id"] = json!("http");
    body["address"] = json!("http://relay.example/notices");
    let (status, error) = watch(&google, &sheet, body.clone()).await;
    assert_eq!(
        (status, error["error"]["errors"][0]["reason"].as_str()),
        (400, Some("webhookUrlNotHttps"))
    );
    google.advance_clock(3_600_000);
    let left: Vec<String> = google
        .state()
        .channels
        .into_iter()
        .map(|channel| channel.id)
        .collect();
    assert_eq!(left, ["long"]);
    body["address"] = json!(receiver.address);
    assert_eq!(watch(&google, "unknown", body).await.0, 404);
}
