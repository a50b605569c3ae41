//! The program itself: its commands, its first line, how it ends and why it does not start.
//!
//! Owns processes. What the relay serves is tested beside it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The program with a whole configuration and nothing else of this test's environment.
fn relay(store: &Path, key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sheetwire-relay"));
    command
        .env_clear()
        .env("SHEETWIRE_LISTEN", "127.0.0.1:0")
        .env("SHEETWIRE_STORE", store)
        .env("SHEETWIRE_STORE_KEY", key)
        .env("SHEETWIRE_GOOGLE_CLIENT_ID", "client-of-nobody")
        .env("SHEETWIRE_GOOGLE_CLIENT_SECRET", "secret-of-nobody");
    command
}

fn new_key() -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_sheetwire-relay"))
        .env_clear()
        .arg("key")
        .output()
        .expect("runs");
    assert!(made.status.success());
    let text = String::from_utf8(made.stdout).expect("a text");
    text.trim_end().to_owned()
}

/// A running relay and the address it said.
fn started(store: &Path, key: &str) -> (Child, String) {
    let mut child = relay(store, key)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut first)
        .expect("a line");
    let address = first
        .trim_end()
        .strip_prefix("listening on ")
        .unwrap_or_else(|| panic!("{first:?}"))
        .to_owned();
    (child, address)
}

fn ended(child: Child, signal: &str) -> Output {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    child.wait_with_output().expect("ended")
}

#[test]
fn keys_are_32_bytes_and_never_the_same() {
    let (one, other) = (new_key(), new_key());
    assert_eq!(STANDARD.decode(&one).expect("base64").len(), 32);
    assert_ne!(one, other);
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, key) = (folder.path().join("relay.db"), new_key());
    for signal in ["-TERM", "-INT"] {
        let (child, address) = started(&store, &key);
        let health = reqwest::get(format!("{address}/healthz"))
            .await
            .expect("answers");
        assert_eq!(health.text().await.expect("a text"), "ok\n");
        let output = ended(child, signal);
        let log = String::from_utf8(output.stderr).expect("a text");
        assert!(
            output.status.success() && log.contains("going down"),
            "{log}"
        );
        assert!(
            !log.contains(&key) && !log.contains("secret-of-nobody"),
            "{log}"
        );
    }
}

#[test]
fn it_does_not_start_with_another_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("relay.db");
    let (child, _) = started(&store, &new_key());
    // It listens before the store is open; a graceful end comes after that.
    assert!(ended(child, "-TERM").status.success());
    let key = new_key();
    let refused = relay(&store, &key).output().expect("runs");
    let text = String::from_utf8(refused.stderr).expect("a text");
    assert!(
        !refused.status.success() && text.contains("SHEETWIRE_STORE_KEY"),
        "{text}"
    );
    assert!(!text.contains(&key), "{text}");
}

#[test]
fn a_faulty_command_line_or_configuration_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("relay.db");
    let told = |command: &mut Command, needle: &str| {
        let output = command.output().expect("runs");
        let text = String::from_utf8(output.stderr).expect("a text");
        assert!(
            !output.status.success() && text.contains(needle),
            "{needle}: {text}"
        );
    };
    let key = new_key();
    told(relay(&store, &key).arg("serve"), "`serve` is no command");
    told(&mut relay(&store, "AAAA"), "SHEETWIRE_STORE_KEY");
    told(
        relay(&store, &key).env_remove("SHEETWIRE_GOOGLE_CLIENT_ID"),
        "SHEETWIRE_GOOGLE_CLIENT_ID is not set",
    );
    assert!(!store.exists(), "nothing was made");
    let checked = relay(&store, &key).arg("check").output().expect("runs");
    let text = String::from_utf8(checked.stdout).expect("a text");
    assert!(
        checked.status.success() && text.contains("/oauth/callback"),
        "{text}"
    );
    assert!(
        !text.contains(&key) && !text.contains("secret-of-nobody"),
        "{text}"
    );
}
