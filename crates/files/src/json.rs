//! JSON with its members in the order of the file.
//!
//! Owns the tree and the pointers into it (RFC 6901). Must not know tokens. serde_json's own map sorts its members, and
//! a ramp of colours has an order.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{FileError, decimal};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    /// Members in order; of two with one name both stand.
    Object(Vec<(String, Json)>),
}

/// Reads a whole text. Nesting is bounded by serde_json, at 128.
pub(crate) fn parse(text: &str) -> Result<Json, FileError> {
    if text.trim().is_empty() {
        return Err(FileError::Empty);
    }
    serde_json::from_str(text).map_err(|error| FileError::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

impl Json {
    /// The member called `name`; of two the last, as in JavaScript.
    pub(crate) fn member(&self, name: &str) -> Option<&Json> {
        let members = self.object()?.iter().rev();
        let mut found = members.filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value)
    }

    pub(crate) fn object(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Json]> {
        match self {
            Json::List(items) => Some(items),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => None,
        }
    }

    /// What the parts of a pointer lead to.
    pub(crate) fn at(&self, parts: &[String]) -> Option<&Json> {
        parts.iter().try_fold(self, |at, part| match at {
            Json::Object(_) => at.member(part),
            Json::List(items) => items.get(part.parse::<usize>().ok()?),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => None,
        })
    }
}

/// The parts of a pointer written as a fragment, `#/a/b`; `None` for anything else.
pub(crate) fn parts(pointer: &str) -> Option<Vec<String>> {
    let path = pointer.strip_prefix("#/")?;
    let unescape = |part: &str| {
        percent_decoded(part)?
            .replace("~1", "/")
            .replace("~0", "~")
            .into()
    };
    path.split('/').map(unescape).collect()
}

/// A fragment's part without `%20` and the like; `None` when it is no UTF-8.
fn percent_decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| char::from(*after.get(at)?).to_digit(16);
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Writes a value with two spaces a level, a list of numbers in one line.
pub(crate) fn write(json: &Json) -> String {
    let mut out = String::new();
    push(&mut out, json, 0);
    out.push('\n');
    out
}

fn push(out: &mut String, json: &Json, level: usize) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(number) => out.push_str(&decimal::text(*number)),
        Json::Text(text) => push_text(out, text),
        Json::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                push(out, item, level);
            }
            out.push(']');
        }
        Json::Object(members) if members.is_empty() => out.push_str("{}"),
        Json::Object(members) => {
            out.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                out.push_str(if at > 0 { ",\n" } else { "\n" });
                out.push_str(&"  ".repeat(level + 1));
                push_text(out, name);
                out.push_str(": ");
                push(out, member, level + 1);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(level));
            out.push('}');
        }
    }
}

fn push_text(out: &mut String, text: &str) {
    // Writing a text to memory can't fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Adds a part to a pointer.
pub(crate) fn pointer(parent: &str, part: &str) -> String {
    [parent, "/", &part.replace('~', "~0").replace('/', "~1")].concat()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Building)
    }
}

struct Building;

impl<'de> Visitor<'de> for Building {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(String::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}
