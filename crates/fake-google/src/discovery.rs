//! What Google's discovery documents say about the methods that fake Google answers: their paths, parameters,
//! scopes, and the names of every field.
//!
//! Owns the extract (`data/discovery.json`, written by `tests/python/discovery.py` and compared with the documents
//! there). Must not know what the methods do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// One API of Google's.
#[derive(Debug, Deserialize)]
pub(crate) struct Api {
    methods: BTreeMap<String, Method>,
    /// Methods that Google has and fake Google does not: HTTP method and path.
    unanswered: BTreeMap<String, (String, String)>,
    /// Query parameters that every method takes.
    parameters: BTreeSet<String>,
    schemas: BTreeMap<String, BTreeMap<String, String>>,
}

/// One method.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Method {
    http_method: String,
    path: String,
    /// Any one of these is enough.
    pub(crate) scopes: Vec<String>,
    parameters: BTreeMap<String, Parameter>,
    /// The schema of the request's body.
    request: Option<String>,
    /// The schema of the reply's body.
    response: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "in")]
    place: String,
    repeated: bool,
    #[serde(rename = "enum", default)]
    choices: Vec<String>,
}

/// The three APIs: Sheets, Drive, OAuth.
static APIS: LazyLock<BTreeMap<String, Api>> = LazyLock::new(|| {
    // The file is part of the crate and read by its tests, so it can be read here.
    serde_json::from_str(include_str!("../data/discovery.json"))
        .expect("data/discovery.json is well-formed")
});

/// A request's path, matched.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) api: &'static Api,
    /// As the documents name it, such as `sheets.spreadsheets.get`.
    pub(crate) id: &'static str,
    pub(crate) method: &'static Method,
    /// The path's parameters, decoded.
    pub(crate) path: BTreeMap<String, String>,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Route {
    Method(Found),
    /// Google answers it, fake Google does not.
    Unanswered(&'static str),
    /// Nobody answers it.
    Unknown,
}

/// Finds the method of a request by its still encoded path.
pub(crate) fn route(http_method: &str, path: &str) -> Route {
    let path = path.trim_start_matches('/');
    for api in APIS.values() {
        for (id, method) in &api.methods {
            if method.http_method == http_method
                && let Some(path) = matched(&method.path, path)
            {
                return Route::Method(Found {
                    api,
                    id,
                    method,
                    path,
                });
            }
        }
    }
    for api in APIS.values() {
        for (id, (known_method, known_path)) in &api.unanswered {
            if known_method == http_method && matched(known_path, path).is_some() {
                return Route::Unanswered(id);
            }
        }
    }
    Route::Unknown
}

/// The parameters of a path that fits a template such as `v4/spreadsheets/{spreadsheetId}/values/{range}:append`.
fn matched(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    let (mut templates, mut segments) = (template.split('/'), path.split('/'));
    loop {
        match (templates.next(), segments.next()) {
            (None, None) => return Some(out),
            (Some(template), Some(segment)) => match template.split_once('{') {
                None if template == decoded(segment)? => {}
                None => return None,
                Some((prefix, rest)) => {
                    let (name, suffix) = rest.split_once('}')?;
                    let segment = decoded(segment)?;
                    let value = segment.strip_prefix(prefix)?.strip_suffix(suffix)?;
                    // `{spreadsheetId}` does not take `abc:batchUpdate`, which is another method; a range may
                    // hold a colon (`A1:B2`) but not a verb.
                    let verb = value
                        .rsplit_once(':')
                        .is_some_and(|(_, after)| VERBS.contains(&after));
                    if value.is_empty() || verb {
                        return None;
                    }
                    out.insert(name.to_owned(), value.to_owned());
                }
            },
            (None, Some(_)) | (Some(_), None) => return None,
        }
    }
}

/// The custom verbs of the Sheets API.
const VERBS: [&str; 10] = [
    "append",
    "clear",
    "batchGet",
    "batchUpdate",
    "batchClear",
    "getByDataFilter",
    "batchGetByDataFilter",
    "batchUpdateByDataFilter",
    "batchClearByDataFilter",
    "copyTo",
];

fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A query: names and values in order, repeated ones repeated.
pub(crate) type Query = Vec<(String, String)>;

impl Found {
    /// The schema of the reply.
    pub(crate) fn response(&self) -> Option<&'static str> {
        self.method.response.as_deref()
    }

    /// Refuses what the documents do not know: query parameters and their values, and fields of the body.
    /// The sentence is one that Google uses.
    pub(crate) fn check(&self, query: &Query, body: Option<&Value>) -> Result<(), String> {
        for (name, value) in query {
            if self.api.parameters.contains(name) {
                continue;
            }
            let Some(parameter) = self
                .method
                .parameters
                .get(name)
                .filter(|p| p.place == "query")
            else {
                return Err(format!(
                    "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field \
                     '{name}' could not be found in request message."
                ));
            };
            let fits = match parameter.kind.as_str() {
                "boolean" => value == "true" || value == "false",
                "integer" => value.parse::<i64>().is_ok(),
                _ => {
                    parameter.choices.is_empty()
                        || parameter.choices.iter().any(|choice| choice == value)
                }
            };
            if !fits {
                return Err(format!(
                    "Invalid value at '{name}' (TYPE_ENUM), \"{value}\""
                ));
            }
            if !parameter.repeated && query.iter().filter(|(other, _)| other == name).count() > 1 {
                return Err(format!(
                    "Invalid JSON payload received. Field '{name}' is not repeated in the request message."
                ));
            }
        }
        match (&self.method.request, body) {
            (Some(schema), Some(body)) => self.api.check_body(&format!("#{schema}"), body, ""),
            _ => Ok(()),
        }
    }
}

impl Api {
    fn check_body(&self, kind: &str, value: &Value, at: &str) -> Result<(), String> {
        let place = if at.is_empty() {
            String::new()
        } else {
            format!(" at '{at}'")
        };
        let wrong = |expected: &str| {
            Err(format!(
                "Invalid JSON payload received. Invalid value{place}: expected {expected}."
            ))
        };
        if value.is_null() {
            return Ok(());
        }
        if let Some(schema) = kind.strip_prefix('#') {
            let Some(known) = self.schemas.get(schema) else {
                return Ok(());
            };
            let Some(fields) = value.as_object() else {
                return wrong("an object");
            };
            for (name, field) in fields {
                let Some(kind) = known.get(name) else {
                    return Err(format!(
                        "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
                    ));
                };
                let at = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                self.check_body(kind, field, &at)?;
            }
            return Ok(());
        }
        if let Some(inner) = kind
            .strip_prefix('[')
            .and_then(|kind| kind.strip_suffix(']'))
        {
            let Some(items) = value.as_array() else {
                return wrong("a list");
            };
            for (index, item) in items.iter().enumerate() {
                self.check_body(inner, item, &format!("{at}[{index}]"))?;
            }
            return Ok(());
        }
        match kind {
            // Google's JSON reader takes numbers for numbers written as text and the other way round.
            "string" if !value.is_string() && !value.is_number() => wrong("a text"),
            "boolean" if !value.is_boolean() => wrong("true or false"),
            "integer" | "number" if !value.is_number() && !value.is_string() => wrong("a number"),
            _ => Ok(()),
        }
    }

    /// What a field of a schema leads to: the schema of the objects in it, or nothing for a plain value.
    /// `None` when the schema has no such field.
    pub(crate) fn field(&self, schema: &str, name: &str) -> Option<Option<&str>> {
        let kind = self.schemas.get(schema)?.get(name)?;
        Some(kind.trim_matches(['[', ']', '{', '}']).strip_prefix('#'))
    }

    /// Whether a schema's fields are known. Those that a schema spells out within itself are not.
    pub(crate) fn knows(&self, schema: &str) -> bool {
        self.schemas.contains_key(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(http_method: &str, path: &str) -> String {
        match route(http_method, path) {
            Route::Method(found) => {
                format!("{} {:?}", found.id, found.path.values().collect::<Vec<_>>())
            }
            Route::Unanswered(id) => format!("unanswered {id}"),
            Route::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_their_methods() {
        for (http_method, path, expected) in [
            (
                "GET",
                "/v4/spreadsheets/abc",
                "sheets.spreadsheets.get [\"abc\"]",
            ),
            (
                "POST",
                "/v4/spreadsheets/abc:batchUpdate",
                "sheets.spreadsheets.batchUpdate [\"abc\"]",
            ),
            (
                "GET",
                "/v4/spreadsheets/abc/values/%27My%20tab%27!A1:B2",
                "sheets.spreadsheets.values.get [\"'My tab'!A1:B2\", \"abc\"]",
            ),
            (
                "POST",
                "/v4/spreadsheets/abc/values/A1%3AB2:append",
                "sheets.spreadsheets.values.append [\"A1:B2\", \"abc\"]",
            ),
            (
                "GET",
                "/v4/spreadsheets/abc/values:batchGet",
                "sheets.spreadsheets.values.batchGet [\"abc\"]",
            ),
            (
                "POST",
                "/v4/spreadsheets/abc/values:batchUpdate",
                "sheets.spreadsheets.values.batchUpdate [\"abc\"]",
            ),
            (
                "POST",
                "/drive/v3/files/abc/watch",
                "drive.files.watch [\"abc\"]",
            ),
            (
                "DELETE",
                "/drive/v3/files/abc",
                "unanswered drive.files.delete",
            ),
            (
                "POST",
                "/v4/spreadsheets/abc:getByDataFilter",
                "sheets.spreadsheets.getByDataFilter [\"abc\"]",
            ),
            (
                "POST",
                "/v4/spreadsheets/abc/values:batchGetByDataFilter",
                "unanswered sheets.spreadsheets.values.batchGetByDataFilter",
            ),
            ("GET", "/nowhere", "unknown"),
        ] {
            assert_eq!(id(http_method, path), expected);
        }
    }

    #[test]
    fn what_google_does_not_know_is_refused() {
        let Route::Method(found) = route("POST", "/v4/spreadsheets/abc:batchUpdate") else {
            panic!("known")
        };
        let query = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert!(
            found
                .check(
                    &query("fields", "*"),
                    Some(&json!({"requests": [{"addSheet": {}}]}))
                )
                .is_ok()
        );
        let error = found
            .check(&Vec::new(), Some(&json!({"requests": [{"addShee": {}}]})))
            .expect_err("unknown");
        assert!(
            error.contains("Unknown name \"addShee\" at 'requests[0]'"),
            "{error}"
        );
        assert!(found.check(&query("nope", "1"), None).is_err());
        let Route::Method(found) = route("GET", "/v4/spreadsheets/abc/values/A1") else {
            panic!("known")
        };
        assert!(
            found
                .check(&query("majorDimension", "COLUMNS"), None)
                .is_ok()
        );
        assert!(
            found
                .check(&query("majorDimension", "DIAGONALS"), None)
                .is_err()
        );
    }
}
