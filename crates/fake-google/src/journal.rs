//! The journal: what was asked of fake Google and what it answered, for tests and for validation against the
//! discovery documents.
//!
//! Owns the entries and their bound. Lives in memory only; its contents are never logged.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most entries that are kept; the oldest go first.
pub(crate) const ENTRIES_MAX: usize = 5_000;
/// The most bytes of bodies that are kept.
pub(crate) const BYTES_MAX: usize = 64 * 1024 * 1024;

/// One request and its answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// Rises by one.
    pub number: u64,
    /// When it came, by fake Google's clock; Unix time in milliseconds.
    pub at_unix_ms: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, still encoded.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The method's id in the discovery documents, if it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method_id: Option<String>,
    /// Whose token it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The scopes of the token.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The request's body, if it was text.
    pub request_body: String,
    /// The HTTP status; 0 when the connection was reset or left hanging.
    pub status: u16,
    /// The answer's body, as it was before any fault cut it.
    pub response_body: String,
    /// Whether a fault answered in place of Google.
    pub fault: bool,
}

impl std::fmt::Debug for JournalEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "JournalEntry {{ {} {} {} -> {} }}",
            self.number, self.method, self.path, self.status
        )
    }
}

/// The kept entries.
#[derive(Default)]
pub(crate) struct Journal {
    entries: VecDeque<JournalEntry>,
    next: u64,
    bytes: usize,
}

fn size(entry: &JournalEntry) -> usize {
    entry.request_body.len() + entry.response_body.len()
}

impl Journal {
    /// Keeps an entry and gives it its number.
    pub(crate) fn keep(&mut self, mut entry: JournalEntry) {
        entry.number = self.next;
        self.next += 1;
        self.bytes += size(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > ENTRIES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= size(&oldest);
        }
    }

    /// The entries from a number on.
    pub(crate) fn since(&self, number: u64) -> Vec<JournalEntry> {
        self.entries
            .iter()
            .filter(|entry| entry.number >= number)
            .cloned()
            .collect()
    }

    /// The number that the next entry will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}
