//! The goldens of both wires: `tests/wire/*.json` is what was said once and has to be understood for ever.
//!
//! Owns reading the golden files and holding the types to them: every example decodes, encodes to the same JSON, and
//! every variant of every message has at least one example. Must not know what a message does.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sheetwire_core::protocol::{panel, relay};
use std::collections::BTreeSet;

/// Reads a golden file: an object of names and examples.
fn examples(file: &str) -> Vec<(String, Value)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/wire")
        .join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} can't be read: {error}", path.display()));
    let value: serde_json::Map<String, Value> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    value.into_iter().collect()
}

/// Decodes and encodes every example of a file and returns the set of their `type` tags.
fn round_trip<T: Serialize + DeserializeOwned>(file: &str) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for (name, example) in examples(file) {
        let decoded: T = serde_json::from_value(example.clone())
            .unwrap_or_else(|error| panic!("{file}, {name}: {error}"));
        let encoded = serde_json::to_value(&decoded).expect("wire types encode");
        assert_eq!(
            encoded, example,
            "{file}, {name}: decoding and encoding changed it"
        );
        if let Some(tag) = example.get("type").and_then(Value::as_str) {
            tags.insert(String::from(tag));
        }
    }
    tags
}

/// The tags that serde knows of an enum, from the error for a tag that is none.
fn known_tags<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = match serde_json::from_str::<T>(r#"{"type": "no such tag"}"#) {
        Ok(_) => panic!("an unknown tag was taken"),
        Err(error) => error.to_string(),
    };
    let list = error
        .split_once("expected ")
        .map_or("", |(_, after)| after)
        .split(" at line")
        .next()
        .unwrap_or("");
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(String::from)
        .collect()
}

fn every_variant_has_an_example<T: Serialize + DeserializeOwned>(file: &str) {
    let tags = round_trip::<T>(file);
    let known = known_tags::<T>();
    assert!(
        !known.is_empty(),
        "the tags of {file} could not be learned from serde"
    );
    let missing: Vec<_> = known.difference(&tags).collect();
    assert!(missing.is_empty(), "{file} has no example of {missing:?}");
}

#[test]
fn the_panel_wire_towards_the_sandbox() {
    every_variant_has_an_example::<panel::ToSandbox>("to-sandbox.json");
}

/// The words of a tab have examples as the messages have that they are nested in.
#[test]
fn the_words_of_the_import_tab() {
    let words = |file: &str| -> BTreeSet<String> {
        let examples = examples(file).into_iter();
        examples
            .filter(|(_, example)| example["type"] == "import")
            .filter_map(|(_, example)| example["word"].as_str().map(String::from))
            .collect()
    };
    let told = words("to-sandbox.json");
    let wanted = [
        "approve",
        "begin",
        "cancel",
        "end",
        "leave_out",
        "read",
        "table",
        "take_in",
    ];
    assert!(told.iter().eq(wanted.iter()), "{told:?}");
    let told = words("to-panel.json");
    let wanted = ["done", "inferred", "preview", "progress", "refused"];
    assert!(told.iter().eq(wanted.iter()), "{told:?}");
}

/// The sandbox writes its messages without serde.
#[test]
fn the_sandboxs_own_writer_says_the_same() {
    for (name, example) in examples("to-panel.json") {
        let message: panel::ToPanel =
            serde_json::from_value(example.clone()).expect("a golden decodes");
        let text = panel::json::message(&message);
        let written: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("to-panel.json, {name}: {error} in {text}"));
        assert_eq!(written, example, "to-panel.json, {name}");
        if let panel::ToPanel::Preview(preview) = &message {
            for row in &preview.rows {
                let written: panel::PreviewRow =
                    serde_json::from_str(&panel::json::preview_rows([row.clone()]))
                        .expect("a row is JSON");
                assert_eq!(&written, row);
            }
        }
        if let panel::ToPanel::Kept {
            session: Some(session),
            connection: Some(connection),
        } = &message
        {
            let kept: panel::SavedSession =
                serde_json::from_str(&panel::json::session(session)).expect("a session is JSON");
            assert!(kept == *session);
            let kept: panel::Connection =
                serde_json::from_str(&panel::json::connection(connection))
                    .expect("a connection is JSON");
            assert_eq!(kept, **connection);
        }
    }
}

#[test]
fn any_text_survives_the_sandboxs_writer() {
    let all: String = (0..0x250_u32)
        .chain([0x2028, 0x2029, 0xfeff, 0x1f600])
        .filter_map(char::from_u32)
        .collect();
    let message = panel::ToPanel::Refused {
        message: all,
        remedy: None,
    };
    let read: panel::ToPanel =
        serde_json::from_str(&panel::json::message(&message)).expect("it is JSON");
    assert_eq!(read, message);
}

#[test]
fn the_panel_wire_towards_the_panel() {
    every_variant_has_an_example::<panel::ToPanel>("to-panel.json");
}

#[test]
fn the_live_wire_towards_the_relay() {
    every_variant_has_an_example::<relay::ClientFrame>("client-frames.json");
}

#[test]
fn the_live_wire_towards_the_panel() {
    every_variant_has_an_example::<relay::RelayFrame>("relay-frames.json");
}

#[test]
fn the_bodies_of_the_relays_http_calls() {
    for (name, example) in examples("http.json") {
        let encoded = match name.split(':').next().unwrap_or("") {
            "SignInRequest" => again::<relay::SignInRequest>(&name, &example),
            "SignInReply" => again::<relay::SignInReply>(&name, &example),
            "RedeemRequest" => again::<relay::RedeemRequest>(&name, &example),
            "SessionReply" => again::<relay::SessionReply>(&name, &example),
            "SpreadsheetList" => again::<relay::SpreadsheetList>(&name, &example),
            "Spreadsheet" => again::<relay::Spreadsheet>(&name, &example),
            "SheetRef" => again::<relay::SheetRef>(&name, &example),
            "TicketReply" => again::<relay::TicketReply>(&name, &example),
            "PollRequest" => again::<relay::PollRequest>(&name, &example),
            "PollReply" => again::<relay::PollReply>(&name, &example),
            "TwoWayRequest" => again::<relay::TwoWayRequest>(&name, &example),
            "TwoWayReply" => again::<relay::TwoWayReply>(&name, &example),
            "WriteRequest" => again::<relay::WriteRequest>(&name, &example),
            "WriteReply" => again::<relay::WriteReply>(&name, &example),
            "ApiError" => again::<relay::ApiError>(&name, &example),
            unknown => panic!("http.json names {unknown}, which no test reads"),
        };
        assert_eq!(encoded, example, "http.json, {name}");
    }
}

fn again<T: Serialize + DeserializeOwned>(name: &str, example: &Value) -> Value {
    let decoded: T = serde_json::from_value(example.clone())
        .unwrap_or_else(|error| panic!("http.json, {name}: {error}"));
    serde_json::to_value(&decoded).expect("wire types encode")
}

#[test]
fn another_version_is_told_from_nonsense() {
    let newer = r#"{"v": 2, "type": "heartbeat", "something": "new"}"#;
    assert_eq!(
        relay::decode::<relay::RelayFrame>(newer),
        Err(relay::FrameError::Version { found: 2 })
    );
    for nonsense in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"v": "1"}"#,
        r#"{"v": 1}"#,
        r#"{"v": 1, "type": "dance"}"#,
        "\u{0}",
    ] {
        assert_eq!(
            relay::decode::<relay::RelayFrame>(nonsense),
            Err(relay::FrameError::Unreadable {
                bytes: nonsense.len()
            }),
            "{nonsense:?}"
        );
    }
}

#[test]
fn a_write_is_printed_without_its_cells() {
    let request = relay::WriteRequest {
        v: relay::VERSION,
        sheet: relay::SheetRef {
            spreadsheet_id: String::from("s"),
            sheet_id: 0,
        },
        file: String::from("file"),
        panel: String::from("panel"),
        fence: 1,
        cells: vec![relay::CellWrite {
            row: 1,
            column: 2,
            before: String::from("tsecret before"),
            value: relay::WriteValue::Text(String::from("secret after")),
            guards: vec![relay::CellGuard {
                row: 1,
                column: 0,
                holds: String::from("tsecret name"),
            }],
        }],
    };
    let cell = &request.cells[0];
    let printed = format!("{request:?} {cell:?} {:?} {:?}", cell.value, cell.guards);
    assert_eq!(
        printed,
        "WriteRequest(1 cells) CellWrite(1, 2) Text [CellGuard(1, 0)]"
    );
}

#[test]
fn an_error_never_repeats_what_could_not_be_read() {
    let text = r#"{"v": 1, "type": "snapshot", "cells": "secret cell"}"#;
    let error = relay::decode::<relay::RelayFrame>(text).expect_err("it lacks fields");
    assert!(!error.to_string().contains("secret"));
}
