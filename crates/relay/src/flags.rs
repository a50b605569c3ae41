//! The flag document: flagd's JSON, read strictly, evaluated for one user, and followed while its file changes.
//!
//! Owns the document, its evaluation and which document is in force. Must not know HTTP (`ofrep.rs` speaks it) or
//! what a flag switches. One party hashes users into a rollout, and it is this one.
//!
//! Source: <https://flagd.dev/schema/v0/flags.json>, <https://openfeature.dev/specification/types>.

mod murmur;
mod rule;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::watch;

use rule::{Asked, Rule};
pub use rule::{DEPTH_MAX, RuleError};

/// Longest flag document, in bytes: an allow list of some thousand keys.
pub const DOCUMENT_BYTES_MAX: u64 = 1024 * 1024;
/// The document where none is configured: off, with 5 % on.
const EMBEDDED: &str = include_str!("../data/flags.json");

/// A flag document that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FlagsError {
    /// The file can't be read.
    #[error("the flag document {path} can't be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is too long.
    #[error("the flag document {path} has {bytes} bytes; at most {DOCUMENT_BYTES_MAX} are taken")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// The document is faulty.
    #[error("the flag document {path} can't be used: {problem}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: DocumentError,
    },
}

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// No JSON, or not flagd's.
    #[error("it is not flagd's JSON ({0})")]
    Json(#[from] serde_json::Error),
    /// A default that is no variant.
    #[error("the flag `{flag}` has the default variant `{variant}`, which is none of its variants")]
    Default {
        /// The flag's key.
        flag: String,
        /// The name.
        variant: String,
    },
    /// A rule that can't be used.
    #[error("the targeting of the flag `{flag}` {problem}")]
    Rule {
        /// The flag's key.
        flag: String,
        /// Why.
        problem: RuleError,
    },
}

#[derive(Deserialize)]
struct WrittenDocument {
    flags: BTreeMap<String, WrittenFlag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenFlag {
    state: State,
    variants: BTreeMap<String, Value>,
    default_variant: String,
    #[serde(default)]
    targeting: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, PartialEq)]
struct Flag {
    state: State,
    variants: BTreeMap<String, Value>,
    default: String,
    targeting: Option<Rule>,
}

/// A flag document that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    flags: BTreeMap<String, Flag>,
}

/// Why a flag has its value: OpenFeature's resolution reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The flag has no rule.
    Static,
    /// The rule came to nothing, so the default holds.
    Default,
    /// The rule chose.
    TargetingMatch,
    /// The rule put the user into a bucket.
    Split,
    /// The flag is switched off.
    Disabled,
}

/// OpenFeature's error codes, as far as this relay uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EvaluationErrorCode {
    /// The request can't be read.
    ParseError,
    /// The context has no targeting key.
    TargetingKeyMissing,
    /// The context can't be used.
    InvalidContext,
    /// There is no such flag.
    FlagNotFound,
    /// The rule named a variant that there is not.
    General,
}

/// One evaluated flag, as OFREP writes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Evaluation {
    /// It has a value.
    Success {
        /// The flag's key.
        key: String,
        /// Why.
        reason: Reason,
        /// The variant's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        variant: Option<String>,
        /// The variant's value.
        value: Value,
    },
    /// It has none.
    Failure {
        /// The flag's key.
        key: String,
        /// Why not.
        #[serde(rename = "errorCode")]
        error_code: EvaluationErrorCode,
        /// The same for people.
        #[serde(rename = "errorDetails")]
        error_details: String,
    },
}

impl Document {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`DocumentError`], which names the flag.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let written: WrittenDocument = serde_json::from_str(text)?;
        let flags = written
            .flags
            .into_iter()
            .map(|(key, flag)| {
                if !flag.variants.contains_key(&flag.default_variant) {
                    return Err(DocumentError::Default {
                        flag: key,
                        variant: flag.default_variant,
                    });
                }
                // flagd takes `{}` and an absent rule for the same.
                let targeting = match &flag.targeting {
                    Value::Null => None,
                    Value::Object(object) if object.is_empty() => None,
                    rule => match Rule::read(rule) {
                        Ok(rule) => Some(rule),
                        Err(problem) => return Err(DocumentError::Rule { flag: key, problem }),
                    },
                };
                let flag = Flag {
                    state: flag.state,
                    variants: flag.variants,
                    default: flag.default_variant,
                    targeting,
                };
                Ok((key, flag))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { flags })
    }

    /// The document that holds where none is configured.
    pub fn embedded() -> Self {
        Self::read(EMBEDDED).expect("the embedded document is read by this module's tests")
    }

    /// Evaluates one flag for the user of `context`.
    pub fn evaluate(&self, key: &str, context: &Map<String, Value>) -> Evaluation {
        match self.flags.get(key) {
            Some(flag) => flag.evaluate(key, context),
            None => Evaluation::Failure {
                key: key.to_owned(),
                error_code: EvaluationErrorCode::FlagNotFound,
                error_details: "there is no flag of that key".to_owned(),
            },
        }
    }

    /// Evaluates every flag for the user of `context`, by key.
    pub fn evaluate_all(&self, context: &Map<String, Value>) -> Vec<Evaluation> {
        self.flags
            .iter()
            .map(|(key, flag)| flag.evaluate(key, context))
            .collect()
    }
}

impl Flag {
    fn evaluate(&self, key: &str, context: &Map<String, Value>) -> Evaluation {
        let success = |reason, variant: &str, value: &Value| Evaluation::Success {
            key: key.to_owned(),
            reason,
            variant: Some(variant.to_owned()),
            value: value.clone(),
        };
        let default = &self.variants[&self.default];
        if self.state == State::Disabled {
            // A flag that is switched off has the code's default, and for every boolean flag that is false, whatever
            // the document's default says: this is the kill switch.
            return match default {
                Value::Bool(_) => Evaluation::Success {
                    key: key.to_owned(),
                    reason: Reason::Disabled,
                    variant: None,
                    value: Value::Bool(false),
                },
                value => success(Reason::Disabled, &self.default, value),
            };
        }
        let Some(rule) = &self.targeting else {
            return success(Reason::Static, &self.default, default);
        };
        let outcome = rule.evaluate(Asked { flag: key, context });
        // flagd lets a rule come to true or false where the variants are named so.
        let name = match &outcome.value {
            Value::String(name) => Some(name.as_str()),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null => return success(Reason::Default, &self.default, default),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let variant = name.and_then(|name| self.variants.get_key_value(name));
        match variant {
            Some((name, value)) => {
                let reason = if outcome.split {
                    Reason::Split
                } else {
                    Reason::TargetingMatch
                };
                success(reason, name, value)
            }
            None => Evaluation::Failure {
                key: key.to_owned(),
                error_code: EvaluationErrorCode::General,
                error_details: "the targeting came to something that is no variant".to_owned(),
            },
        }
    }
}

/// The document in force, and the word when it changes.
#[derive(Debug)]
pub struct Flags {
    path: Option<PathBuf>,
    current: watch::Sender<Arc<Document>>,
}

impl Flags {
    /// With the document of that file, or the embedded one.
    ///
    /// # Errors
    /// [`FlagsError`] when the file can't be used: a relay that starts with other flags than it was told to would
    /// surprise its admin.
    pub async fn open(path: Option<&Path>) -> Result<Self, FlagsError> {
        let document = match path {
            Some(path) => parse(path, &read(path).await?)?,
            None => Document::embedded(),
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            current: watch::Sender::new(Arc::new(document)),
        })
    }

    /// The document in force.
    pub fn document(&self) -> Arc<Document> {
        self.current.borrow().clone()
    }

    /// Tells when the document has changed in meaning.
    pub fn changes(&self) -> watch::Receiver<Arc<Document>> {
        self.current.subscribe()
    }

    /// Reads the file again every `every`, for ever; returns at once where there is none. A faulty edit is logged
    /// once and the last good document stays in force.
    pub async fn follow(&self, every: Duration) {
        let Some(path) = &self.path else { return };
        let mut seen: Option<Result<String, String>> = None;
        loop {
            tokio::time::sleep(every).await;
            let text = read(path).await;
            let look = match &text {
                Ok(text) => Ok(text.clone()),
                Err(error) => Err(error.to_string()),
            };
            if seen.as_ref() == Some(&look) {
                continue;
            }
            seen = Some(look);
            match text.and_then(|text| parse(path, &text)) {
                Ok(document) => {
                    let changed = self.current.send_if_modified(|current| {
                        let changed = **current != document;
                        if changed {
                            *current = Arc::new(document);
                        }
                        changed
                    });
                    if changed {
                        tracing::info!(path = %path.display(), "the flag document changed and is in force");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the flag document's last good version stays in force");
                }
            }
        }
    }
}

async fn read(path: &Path) -> Result<String, FlagsError> {
    let file = |source| FlagsError::File {
        path: path.to_owned(),
        source,
    };
    let bytes = tokio::fs::metadata(path).await.map_err(file)?.len();
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(FlagsError::TooLong {
            path: path.to_owned(),
            bytes,
        });
    }
    tokio::fs::read_to_string(path).await.map_err(file)
}

fn parse(path: &Path, text: &str) -> Result<Document, FlagsError> {
    Document::read(text).map_err(|problem| FlagsError::Document {
        path: path.to_owned(),
        problem,
    })
}

#[cfg(test)]
mod tests;
