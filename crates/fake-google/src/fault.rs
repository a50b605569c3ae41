//! Faults that tests ask for: the next requests are answered with errors, late, broken or not at all.
//!
//! Owns the faults and which request they meet. Must not know how they are carried out.

use serde::{Deserialize, Serialize};

/// The most faults that wait.
pub(crate) const FAULTS_MAX: usize = 1_000;

/// The next `count` requests that match are treated as `kind` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The HTTP method, or any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What the path begins with, such as `/v4/spreadsheets`; empty for every path of Google's.
    #[serde(default)]
    pub path: String,
    /// How many requests it meets; 1 if not said.
    #[serde(default = "one")]
    pub count: u32,
    /// What happens to them.
    #[serde(flatten)]
    pub kind: FaultKind,
}

fn one() -> u32 {
    1
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Google's error with that status: 401, 403, 404, 429, 500 or 503.
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// 403 with the reason `rateLimitExceeded`, Drive's older form of 429.
    RateLimitExceeded,
    /// No answer until the client gives up.
    Hang,
    /// The answer comes late.
    Slow {
        /// Real time, in milliseconds.
        delay_ms: u64,
    },
    /// Half of the body, then the connection ends.
    Truncate,
    /// 200 and a body that is not JSON.
    Nonsense,
    /// 200 and well-formed JSON that is none of Google's replies.
    Foreign,
    /// The connection is reset without an answer, and nothing was done.
    Reset,
    /// It is done, and the connection is reset without an answer.
    Lost,
    /// An OAuth error in the token endpoint's form, such as `invalid_grant`.
    OauthError {
        /// The error's name.
        error: String,
    },
    /// The consent page sends the browser back with this error.
    OauthRedirect {
        /// The error's name.
        error: String,
    },
}

impl Fault {
    /// The next request to that path is treated so.
    pub fn next(path: &str, kind: FaultKind) -> Self {
        Fault {
            method: None,
            path: path.to_owned(),
            count: 1,
            kind,
        }
    }

    /// The same for the next `count` requests.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Fault { count, ..self }
    }
}

/// Takes the fault that meets a request, if there is one.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<FaultKind> {
    let index = faults.iter().position(|fault| {
        fault.count > 0
            && fault
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.starts_with(&fault.path)
    })?;
    let fault = &mut faults[index];
    fault.count -= 1;
    let kind = fault.kind.clone();
    faults.retain(|fault| fault.count > 0);
    Some(kind)
}
