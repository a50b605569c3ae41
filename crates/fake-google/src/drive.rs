//! The methods of the Drive API over the world's files.
//!
//! Owns files as Drive shows them, the search language's subset, and channels' opening and closing. Must not
//! know HTTP.

use serde_json::{Value, json};

use crate::clock;
use crate::error::ApiError;
use crate::sheets::api::Call;
use crate::world::{Caller, Role, World};

/// The MIME type of a spreadsheet.
const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";
/// Files on a page for which no size was asked.
const PAGE_SIZE_DEFAULT: usize = 100;
/// The largest page.
const PAGE_SIZE_MAX: usize = 1_000;

/// Answers a method of the Drive API. The reply is whole; `fields` is applied by the caller.
pub(crate) fn answer(world: &mut World, call: &Call<'_>) -> Result<Value, ApiError> {
    match call.found.id {
        "drive.about.get" => {
            if !call.masked {
                let message = "The 'fields' parameter is required for this method.";
                return Err(ApiError::invalid(message));
            }
            Ok(
                json!({"kind": "drive#about", "user": user(world, &call.caller.account, &call.caller.account)}),
            )
        }
        "drive.files.get" => {
            let id = file_id(world, call)?;
            file(world, &id, call.caller)
        }
        "drive.files.list" => list(world, call),
        "drive.files.watch" => {
            let id = file_id(world, call)?;
            let now_ms = world.now_ms();
            let body = call
                .body
                .ok_or_else(|| ApiError::invalid("Required: Channel"))?;
            world.channels.open(
                body,
                &id,
                call.base_url,
                &call.caller.account,
                &call.caller.project,
                now_ms,
            )
        }
        "drive.channels.stop" => {
            let now_ms = world.now_ms();
            let body = call
                .body
                .ok_or_else(|| ApiError::invalid("Required: Channel"))?;
            world
                .channels
                .stop(body, &call.caller.account, &call.caller.project, now_ms)?;
            Ok(Value::Null)
        }
        other => Err(ApiError::not_faked(other)),
    }
}

fn file_id(world: &World, call: &Call<'_>) -> Result<String, ApiError> {
    let id = call.found.path.get("fileId").cloned().unwrap_or_default();
    // Drive says "not found" of files that the caller may not know.
    world
        .role(call.caller, &id)
        .ok_or_else(|| ApiError::file_not_found(&id))?;
    Ok(id)
}

fn user(world: &World, email: &str, caller: &str) -> Value {
    let account = world.accounts.get(email);
    json!({
        "kind": "drive#user",
        "displayName": account.map_or(email, |account| &account.name),
        "me": email == caller,
        "permissionId": account.map_or_else(String::new, crate::world::Account::id),
        "emailAddress": email,
    })
}

fn file(world: &mut World, id: &str, caller: &Caller) -> Result<Value, ApiError> {
    let now_ms = world.now_ms();
    let role = world
        .role(caller, id)
        .ok_or_else(|| ApiError::file_not_found(id))?;
    let found = world
        .files
        .get_mut(id)
        .ok_or_else(|| ApiError::file_not_found(id))?;
    let (version, modified_ms) = found.shown(now_ms);
    let (title, created_ms, trashed) = (
        found.spreadsheet.title.clone(),
        found.created_ms,
        found.trashed,
    );
    let (owner, shared) = (found.owner().to_owned(), found.roles.len() > 1);
    let writes = role >= Role::Writer;
    Ok(json!({
        "kind": "drive#file",
        "id": id,
        "name": title,
        "mimeType": SPREADSHEET,
        "trashed": trashed,
        "version": version.to_string(),
        "createdTime": clock::rfc3339(created_ms),
        "modifiedTime": clock::rfc3339(modified_ms),
        "owners": [user(world, &owner, &caller.account)],
        "ownedByMe": owner == caller.account,
        "shared": shared,
        "capabilities": {"canEdit": writes, "canDownload": true, "canModifyContent": writes},
    }))
}

/// One condition of `q`.
enum Condition {
    MimeType { is: bool, value: String },
    Name { whole: bool, value: String },
    Trashed(bool),
    Owner(String),
}

/// Reads the subset of Drive's search language that asks for spreadsheets: conditions joined by `and`.
fn conditions(query: &str) -> Option<Vec<Condition>> {
    let words = words(query)?;
    let mut out = Vec::new();
    for condition in words.split(|word| *word == Word::Plain("and".to_owned())) {
        let plain = |word: &Word| match word {
            Word::Plain(text) => text.clone(),
            Word::Quoted(_) => String::new(),
        };
        let [first, operator, last] = condition else {
            return None;
        };
        out.push(
            match (plain(first).as_str(), plain(operator).as_str(), first, last) {
                ("mimeType", "=", _, Word::Quoted(value)) => Condition::MimeType {
                    is: true,
                    value: value.clone(),
                },
                ("mimeType", "!=", _, Word::Quoted(value)) => Condition::MimeType {
                    is: false,
                    value: value.clone(),
                },
                ("name", "=", _, Word::Quoted(value)) => Condition::Name {
                    whole: true,
                    value: value.clone(),
                },
                ("name", "contains", _, Word::Quoted(value)) => Condition::Name {
                    whole: false,
                    value: value.clone(),
                },
                ("trashed", "=", _, Word::Plain(value)) => Condition::Trashed(value.parse().ok()?),
                (_, "in", Word::Quoted(value), Word::Plain(list)) if list == "owners" => {
                    Condition::Owner(value.clone())
                }
                _ => return None,
            },
        );
    }
    Some(out)
}

#[derive(Debug, PartialEq)]
enum Word {
    Plain(String),
    Quoted(String),
}

fn words(query: &str) -> Option<Vec<Word>> {
    let mut out = Vec::new();
    let mut characters = query.chars().peekable();
    while let Some(first) = characters.next() {
        if first.is_whitespace() {
            continue;
        }
        if first == '\'' {
            let mut text = String::new();
            loop {
                match characters.next()? {
                    '\'' => break,
                    '\\' => text.push(characters.next()?),
                    other => text.push(other),
                }
            }
            out.push(Word::Quoted(text));
            continue;
        }
        let is_operator = |c: char| matches!(c, '=' | '!' | '<' | '>');
        let mut text = String::from(first);
        while let Some(next) = characters
            .next_if(|c| !c.is_whitespace() && *c != '\'' && is_operator(*c) == is_operator(first))
        {
            text.push(next);
        }
        out.push(Word::Plain(text));
    }
    Some(out)
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Value, ApiError> {
    let invalid = |name: &str| ApiError::invalid(format!("Invalid Value: {name}"));
    let conditions = match call.get("q").filter(|q| !q.trim().is_empty()) {
        Some(q) => conditions(q).ok_or_else(|| invalid("q"))?,
        None => Vec::new(),
    };
    let page_size = match call.get("pageSize") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=PAGE_SIZE_MAX).contains(size))
            .ok_or_else(|| invalid("pageSize"))?,
        None => PAGE_SIZE_DEFAULT,
    };
    let from: usize = match call.get("pageToken") {
        Some(text) => text
            .strip_prefix("~!!~")
            .and_then(|rest| rest.parse().ok())
            .ok_or_else(|| invalid("pageToken"))?,
        None => 0,
    };
    let ids: Vec<String> = world.files.keys().cloned().collect();
    let mut files = Vec::new();
    for id in ids {
        if world.role(call.caller, &id).is_none() {
            continue;
        }
        let shown = file(world, &id, call.caller)?;
        let text = |name: &str| shown[name].as_str().unwrap_or("").to_owned();
        let fits = conditions.iter().all(|condition| match condition {
            Condition::MimeType { is, value } => (text("mimeType") == *value) == *is,
            Condition::Name { whole: true, value } => text("name") == *value,
            Condition::Name {
                whole: false,
                value,
            } => {
                let wanted = value.to_lowercase();
                // Drive matches the beginnings of words.
                text("name")
                    .to_lowercase()
                    .split_whitespace()
                    .any(|word| word.starts_with(&wanted))
                    || text("name").to_lowercase().starts_with(&wanted)
            }
            Condition::Trashed(trashed) => shown["trashed"] == json!(trashed),
            Condition::Owner(owner) => {
                let owner = if owner == "me" {
                    &call.caller.account
                } else {
                    owner
                };
                shown["owners"][0]["emailAddress"] == json!(owner)
            }
        });
        if fits {
            files.push(shown);
        }
    }
    for key in call
        .get("orderBy")
        .unwrap_or("")
        .split(',')
        .rev()
        .filter(|key| !key.trim().is_empty())
    {
        let (key, descending) = match key.trim().strip_suffix(" desc") {
            Some(key) => (key, true),
            None => (key.trim(), false),
        };
        let field = match key {
            "name" | "name_natural" => "name",
            "modifiedTime" | "recency" => "modifiedTime",
            "createdTime" => "createdTime",
            _ => return Err(invalid("orderBy")),
        };
        files.sort_by(|a, b| {
            let order = a[field]
                .as_str()
                .map(str::to_lowercase)
                .cmp(&b[field].as_str().map(str::to_lowercase));
            if descending { order.reverse() } else { order }
        });
    }
    let total = files.len();
    let page: Vec<Value> = files.into_iter().skip(from).take(page_size).collect();
    let next = from + page.len();
    let mut out = json!({"kind": "drive#fileList", "incompleteSearch": false, "files": page});
    if next < total {
        out["nextPageToken"] = json!(format!("~!!~{next}"));
    }
    Ok(out)
}

/// What Drive answers when no `fields` were asked for.
pub(crate) fn default_fields(method_id: &str) -> Option<&'static str> {
    match method_id {
        "drive.files.get" => Some("kind,id,name,mimeType"),
        "drive.files.list" => {
            Some("kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)")
        }
        _ => None,
    }
}
