//! What must not be found in the store or the logs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use fake_google::{Consent, Fault, FaultKind};
use sheetwire_core::protocol::relay::{SheetRef, WriteResult};
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{ANA, World};
use crate::writes::{Writer, switch, text};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

/// Everything in fake Google's journal that is worth hiding: tokens, codes and states, from both directions.
fn secrets(world: &World) -> Vec<String> {
    let names = [
        "access_token",
        "refresh_token",
        "code",
        "code_verifier",
        "client_secret",
        "token",
        "state",
    ];
    let mut found = Vec::new();
    for entry in world.google.journal(0) {
        for body in [&entry.request_body, &entry.response_body] {
            if let Ok(serde_json::Value::Object(object)) = serde_json::from_str(body) {
                let texts = names.iter().filter_map(|name| object.get(*name)?.as_str());
                found.extend(texts.map(str::to_owned));
            }
            for pair in body.split('&') {
                if let Some((name, value)) = pair.split_once('=')
                    && names.contains(&name)
                {
                    found.push(value.to_owned());
                }
            }
        }
        let query = entry
            .query
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()));
        found.extend(query.map(|(_, value)| value.clone()));
    }
    found.retain(|text| text.len() >= 8);
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Cells go through the relay towards Google as well: a write that succeeds, one that fails, and one that can't be read.
async fn written(world: &World, session: &str, sheet: &SheetRef) {
    let writer = Writer::join(world, session, sheet).await;
    let on = switch(world, session, sheet, true).await;
    assert_eq!(on, Ok(true));
    let to = |before: &str, after: &str| [text(1, before, after)];
    let result = writer.write(world, &to("t#c0ffee", "#facade")).await;
    assert_eq!(result, Ok(vec![WriteResult::Written]));
    let fault = Fault::next("/v4/spreadsheets", FaultKind::Status { status: 403 });
    world.google.fault(fault).expect("few");
    let result = writer.write(world, &to("t#facade", "#decade")).await;
    assert!(result.is_err());
    let body = r##"{"v":1,"cells":[{"before":"t#facade","value":{"text":"#decade"}}]}"##;
    let (status, reply) = world
        .request("POST", "/v1/write", session, body.to_owned())
        .await;
    assert!(status == 400 && !reply.contains("#decade"), "{reply}");
}

#[tokio::test]
async fn no_secret_and_no_content_is_kept_or_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // For every thread: the other cases' lines are caught as well, and hold none of this case's secrets.
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");

    let world = World::start().await;
    let sheet = world.spreadsheet();
    let session = world
        .sign_in(&Consent::by(ANA).picking(&sheet.spreadsheet_id))
        .await;
    let ticket = world.ticket(&session, &sheet).await.expect("a ticket");
    let mut socket = world.join(&session, &sheet, None).await;
    socket.snapshot().await;
    world.edit(&sheet, "#c0ffee");
    socket.refresh().await;
    socket.expect().await;
    world.poll(&session, &sheet, None).await;
    written(&world, &session, &sheet).await;

    let mut hidden = secrets(&world);
    assert!(
        hidden.len() >= 6,
        "the journal has tokens to look for: {}",
        hidden.len()
    );
    hidden.extend([
        session,
        ticket,
        ANA.to_owned(),
        "#c0ffee".to_owned(),
        "#00f".to_owned(),
        "#facade".to_owned(),
        "#decade".to_owned(),
        sheet.spreadsheet_id,
    ]);
    let store = world.store_bytes();
    assert!(contains(&store, "SQLite"));
    let log = log.0.lock().expect("whole").clone();
    let relays = String::from_utf8_lossy(&log);
    let relays: Vec<&str> = relays
        .lines()
        .filter(|line| line.contains("sheetwire_relay"))
        .collect();
    assert!(!relays.is_empty(), "the relay logged something");
    for text in &hidden {
        assert!(!contains(&store, text), "the store holds a secret in clear");
        assert!(
            !relays.iter().any(|line| line.contains(text.as_str())),
            "a secret was logged"
        );
    }
}
