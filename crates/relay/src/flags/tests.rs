//! The flag document: golden vectors, properties of the rollout, and every kind of faulty document.

use super::*;
use serde_json::json;

/// Hashes made by PyPI's mmh3: text, tab, hash.
const HASHES: &str = include_str!("data/murmur3.tsv");
/// Targeting keys with the lowest percentage that leaves them out: key, tab, place of 100 for the flag
/// `realtime-sync`. Made by mmh3 and flagd's rule.
const PLACES: &str = include_str!("data/fractional.tsv");

fn lines(table: &str) -> impl Iterator<Item = (&str, u32)> {
    table.lines().map(|line| {
        let (text, number) = line.split_once('\t').expect("two columns");
        (text, number.parse().expect("a number"))
    })
}

fn rollout(percent: u32) -> Document {
    Document::read(
        &json!({"flags": {"realtime-sync": {
            "state": "ENABLED",
            "variants": {"on": true, "off": false},
            "defaultVariant": "off",
            "targeting": {"if": [
                {"in": [{"var": "targetingKey"}, ["pilot"]]},
                "on",
                {"fractional": [["on", percent], ["off", 100 - percent]]},
            ]},
        }}})
        .to_string(),
    )
    .expect("a good document")
}

fn one(flag: Value) -> Result<Document, DocumentError> {
    Document::read(&json!({"flags": {"f": flag}}).to_string())
}

fn with_targeting(targeting: Value) -> Result<Document, DocumentError> {
    one(json!({
        "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
        "targeting": targeting,
    }))
}

fn context(key: &str) -> Map<String, Value> {
    Map::from_iter([("targetingKey".to_owned(), json!(key))])
}

fn is_on(document: &Document, key: &str) -> bool {
    match document.evaluate("realtime-sync", &context(key)) {
        Evaluation::Success { value, .. } => value == json!(true),
        Evaluation::Failure { .. } => panic!("the flag is there"),
    }
}

#[test]
fn hashes_are_as_published() {
    for (text, hash) in lines(HASHES) {
        assert_eq!(murmur::murmur3_32(text.as_bytes()), hash, "{text:?}");
    }
}

#[test]
fn users_fall_where_flagd_puts_them() {
    for (key, place) in lines(PLACES) {
        for percent in [0, 5, 20, 25, 50, 75, 100] {
            assert_eq!(
                is_on(&rollout(percent), key),
                place < percent,
                "{key} at {percent} %"
            );
        }
    }
}

#[test]
fn a_larger_percentage_keeps_everybody() {
    let steps: Vec<Document> = [5, 20, 25, 50, 100].map(rollout).into();
    let mut counts = [0_u32; 5];
    let ids = 1_000_000;
    for id in 0..ids {
        let by = format!("realtime-sync{id}");
        // The same hash decides at every step; evaluating the whole document a million times shows no more.
        let place = (u64::from(murmur::murmur3_32(by.as_bytes())) * 100) >> 32;
        for (count, percent) in counts.iter_mut().zip([5, 20, 25, 50, 100]) {
            *count += u32::from(place < percent);
        }
    }
    for (count, percent) in counts.iter().zip([5, 20, 25, 50, 100]) {
        let share = f64::from(*count) * 100.0 / f64::from(ids);
        assert!(
            (share - f64::from(percent)).abs() < 0.2,
            "{share} % at {percent} %"
        );
    }
    for id in 0..2_000 {
        let states: Vec<bool> = steps
            .iter()
            .map(|step| is_on(step, &id.to_string()))
            .collect();
        assert!(states.is_sorted(), "{id}: {states:?}");
    }
}

#[test]
fn the_embedded_document_is_five_percent() {
    let embedded = Document::embedded();
    for (key, place) in lines(PLACES) {
        assert_eq!(is_on(&embedded, key), place < 5, "{key}");
    }
}

#[test]
fn reasons_tell_how_a_value_came_about() {
    let evaluated = |document: &Document, key: &str| {
        serde_json::to_value(document.evaluate("f", &context(key))).expect("plain JSON")
    };
    let variants = json!({"on": true, "off": false});
    let fixed = one(json!({"state": "ENABLED", "variants": variants, "defaultVariant": "on"}));
    assert_eq!(
        evaluated(&fixed.expect("good"), "x"),
        json!({"key": "f", "reason": "STATIC", "variant": "on", "value": true})
    );
    // The kill switch: also where somebody left the default at on.
    let killed = one(json!({"state": "DISABLED", "variants": variants, "defaultVariant": "on"}));
    assert_eq!(
        evaluated(&killed.expect("good"), "x"),
        json!({"key": "f", "reason": "DISABLED", "value": false})
    );
    let listed = with_targeting(json!({"if": [{"in": [{"var": "targetingKey"}, ["x"]]}, "on"]}))
        .expect("good");
    assert_eq!(
        evaluated(&listed, "x"),
        json!({"key": "f", "reason": "TARGETING_MATCH", "variant": "on", "value": true})
    );
    assert_eq!(
        evaluated(&listed, "y"),
        json!({"key": "f", "reason": "DEFAULT", "variant": "off", "value": false})
    );
    let split = with_targeting(json!({"fractional": [["on", 100], ["off", 0]]})).expect("good");
    assert_eq!(
        evaluated(&split, "x"),
        json!({"key": "f", "reason": "SPLIT", "variant": "on", "value": true})
    );
    let wrong = with_targeting(json!({"if": [true, "purple"]})).expect("good");
    assert_eq!(evaluated(&wrong, "x")["errorCode"], json!("GENERAL"));
}

#[test]
fn operators_do_as_jsonlogic_says() {
    let context = json!({
        "targetingKey": "k", "version": "0.3.0", "n": 0, "list": ["a"], "deep": {"er": true},
    });
    let context = context.as_object().expect("an object");
    let cases = [
        (json!({"==": [{"var": "version"}, "0.3.0"]}), json!(true)),
        (json!({"==": [{"var": "n"}, "0"]}), json!(false)),
        (json!({"==": [1, 1.0]}), json!(true)),
        (json!({"in": [1, [2, 1.0]]}), json!(true)),
        (json!({"!=": [1, 2]}), json!(true)),
        (json!({"!": [{"var": "n"}]}), json!(true)),
        (json!({"!": {"var": "list"}}), json!(false)),
        (json!({"and": [{"var": "deep.er"}, "yes"]}), json!("yes")),
        (json!({"and": ["", "yes"]}), json!("")),
        (json!({"or": [{"var": "absent"}, "b"]}), json!("b")),
        (json!({"var": ["absent", 7]}), json!(7)),
        (json!({"var": "absent.deeper"}), json!(null)),
        (json!({"in": ["a", {"var": "list"}]}), json!(true)),
        (json!({"in": ["3.", {"var": "version"}]}), json!(true)),
        (
            json!({"cat": [{"var": "$flagd.flagKey"}, "-", {"var": "targetingKey"}]}),
            json!("f-k"),
        ),
        (json!({"if": [false, 1, "", 2, 3]}), json!(3)),
        (json!({"if": [false, 1]}), json!(null)),
        (
            json!({"fractional": [{"var": "absent"}, ["on", 1]]}),
            json!(null),
        ),
        (json!({"fractional": ["fixed", ["on", 1]]}), json!("on")),
    ];
    for (rule, expected) in cases {
        let read = Rule::read(&rule).expect("a good rule");
        let asked = Asked { flag: "f", context };
        assert_eq!(read.evaluate(asked).value, expected, "{rule}");
    }
}

#[test]
fn a_faulty_document_is_refused_with_flag_and_reason() {
    let mut deep = json!("on");
    for _ in 0..=DEPTH_MAX {
        deep = json!({"!": deep});
    }
    let cases = [
        (
            with_targeting(json!({"starts_with": ["a", "b"]})),
            "`starts_with`",
        ),
        (with_targeting(json!({"if": [], "or": []})), "2 keys"),
        (with_targeting(json!({"if": []})), "`if` no arguments"),
        (with_targeting(json!({"in": ["a"]})), "`in`"),
        (with_targeting(json!({"!": [1, 2]})), "`!`"),
        (with_targeting(json!({"var": 1})), "`var`"),
        (with_targeting(json!({"fractional": []})), "no arguments"),
        (with_targeting(json!({"fractional": ["x"]})), "no buckets"),
        (
            with_targeting(json!({"fractional": [["on", 1.5]]})),
            "whole number",
        ),
        (
            with_targeting(json!({"fractional": [["on", -1]]})),
            "whole number",
        ),
        (
            with_targeting(json!({"fractional": [["on", 0]]})),
            "weigh nothing",
        ),
        (
            with_targeting(json!({"fractional": [["on", 2_147_483_647_u64], ["off", 1]]})),
            "2147483647",
        ),
        (with_targeting(deep), "deeper"),
    ];
    for (result, needle) in cases {
        let error = result.expect_err(needle).to_string();
        assert!(
            error.contains(needle) && error.contains("`f`"),
            "{error:?} lacks {needle:?}"
        );
    }
    let error = one(json!({"state": "ENABLED", "variants": {}, "defaultVariant": "on"}))
        .expect_err("no such variant");
    assert!(error.to_string().contains("`on`"), "{error}");
    for text in [
        "",
        "{",
        "[]",
        "{\"flags\": 1}",
        "{\"flags\": {\"f\": {\"state\": \"MAYBE\"}}}",
    ] {
        assert!(Document::read(text).is_err(), "{text}");
    }
}
