//! One request at Google for one user, and what a failure of it means.
//!
//! Owns the request, its bounds and the sorting of Google's errors. Must not know rooms, sessions or what the reply
//! says. How a user's access token comes about is behind [`Accounts`].
//!
//! Sources: <https://developers.google.com/workspace/sheets/api/limits>,
//! <https://developers.google.com/workspace/drive/api/guides/handle-errors>.

use std::time::Duration;

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use sheetwire_core::protocol::relay::{ApiError, ErrorCode};
use url::Url;

use crate::config::Google;
use crate::error::Refusal;
use crate::secret::Secret;
use crate::sheet_read::{REPLY_BYTES_MAX, ReadError};

/// Google compresses for clients that say `gzip` here as well as in `Accept-Encoding`, which the HTTP client sets. Source:
/// <https://developers.google.com/workspace/sheets/api/guides/performance>.
const USER_AGENT: &str = concat!("sheetwire-relay/", env!("CARGO_PKG_VERSION"), " (gzip)");
/// Longest wait for a whole reply. Google's own limit is 180 s; a sheet that takes longer than this is read later.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest error body that is looked into, in bytes.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Longest spreadsheet id that is looked at, in bytes; Google's have 44.
pub const SPREADSHEET_ID_BYTES_MAX: usize = 128;

/// Whether Google could have given this id: letters, digits, `-` and `_`. Anything else would only make a strange
/// address.
pub fn is_spreadsheet_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= SPREADSHEET_ID_BYTES_MAX
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The store's number of the user.
    pub user: i64,
    /// The Google account's address, as others in the same file may be told it.
    pub account: String,
}

/// What the live half needs of the sign-in half: who asks, and their right at Google.
pub trait Accounts: Send + Sync + 'static {
    /// The user of a request, by its headers.
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap)
    -> BoxFuture<'a, Result<Caller, Refusal>>;
    /// A token that Google should take for this user.
    fn access_token(&self, user: i64) -> BoxFuture<'_, Result<Secret, Refusal>>;
    /// Google did not take that token; the next call must not give it again.
    fn discard(&self, user: i64, token: &Secret) -> BoxFuture<'_, ()>;
}

/// Why a request has no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// This user can't; another one might.
    User(ApiError),
    /// Google did not understand the range: the tab has another title by now.
    Range,
    /// Nobody can at present.
    Google {
        /// What readers are told.
        error: ApiError,
        /// How long Google wants to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Failure {
    /// As the wire's error.
    pub fn error(self) -> ApiError {
        match self {
            Self::User(error) | Self::Google { error, .. } => error,
            Self::Range => absent_tab(),
        }
    }

    /// As a reply to a request.
    pub fn refusal(self) -> Refusal {
        let retry_after = match &self {
            Self::Google { retry_after, .. } => *retry_after,
            Self::User(_) | Self::Range => None,
        };
        Refusal {
            error: self.error(),
            retry_after,
        }
    }

    fn google(code: ErrorCode, message: &str, retry_after: Option<Duration>) -> Self {
        let mut refusal = Refusal::new(
            code,
            message,
            "Nothing is lost. Sheetwire tries again by itself.",
        );
        refusal.retry_after = retry_after;
        Self::Google {
            error: refusal.error,
            retry_after,
        }
    }

    pub(crate) fn broken() -> Self {
        Self::google(
            ErrorCode::Google,
            "Google Sheets did not give a usable answer.",
            None,
        )
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unreadable => Self::broken(),
            ReadError::Absent => Self::Range,
            ReadError::TooLarge => Self::Google {
                error: Refusal::new(
                    ErrorCode::SheetTooLarge,
                    "The tab is larger than 8 MB of cells.",
                    "Move the tokens to a tab of their own.",
                )
                .error,
                retry_after: None,
            },
        }
    }
}

/// Google knows the file, but not as a spreadsheet: an Office file in Drive, for one.
pub fn no_spreadsheet() -> Failure {
    Failure::Google {
        error: Refusal::new(
            ErrorCode::Google,
            "Google can't read this file as a spreadsheet.",
            "If it is an Excel file, open it in Google Sheets and choose File › Save as Google Sheets.",
        )
        .error,
        retry_after: None,
    }
}

/// The tab is gone.
pub fn absent_tab() -> ApiError {
    Refusal::new(
        ErrorCode::NotFound,
        "The spreadsheet has no such tab any more.",
        "Restore the tab in Google Sheets, or connect another one.",
    )
    .error
}

/// Google's endpoints, for requests of users.
pub struct GoogleRead {
    http: reqwest::Client,
    accounts: std::sync::Arc<dyn Accounts>,
    sheets_url: Url,
    drive_url: Url,
    has_drive: bool,
}

impl std::fmt::Debug for GoogleRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GoogleRead({})", self.sheets_url)
    }
}

/// The parts of Google's error bodies that tell a full quota from a missing permission.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    status: String,
    /// The older form of reasons, which Drive uses.
    errors: Vec<ErrorReason>,
    /// The newer form; entries of other types have no reason.
    details: Vec<ErrorReason>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorReason {
    reason: String,
}

impl GoogleRead {
    /// With the endpoints of the configuration.
    pub fn new(
        google: &Google,
        http: reqwest::Client,
        accounts: std::sync::Arc<dyn Accounts>,
    ) -> Self {
        Self {
            http,
            accounts,
            sheets_url: google.sheets_url.clone(),
            drive_url: google.drive_url.clone(),
            has_drive: google.has_drive(),
        }
    }

    /// Whether Drive's methods are open to us.
    pub fn has_drive(&self) -> bool {
        self.has_drive
    }

    /// `spreadsheets.get`.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn spreadsheet(
        &self,
        user: i64,
        spreadsheet_id: &str,
        query: &[(&'static str, String)],
    ) -> Result<Vec<u8>, Failure> {
        let url = join(&self.sheets_url, &["v4", "spreadsheets", spreadsheet_id]);
        self.request(user, Method::GET, url, query, None).await
    }

    /// `spreadsheets:getByDataFilter` or `spreadsheets:batchUpdate`, by `verb`.
    ///
    /// # Errors
    /// [`Failure`]; [`Failure::Range`] when Google does not take the body.
    pub async fn spreadsheet_post(
        &self,
        user: i64,
        spreadsheet_id: &str,
        verb: &str,
        fields: &str,
        body: &serde_json::Value,
    ) -> Result<Vec<u8>, Failure> {
        let last = format!("{spreadsheet_id}:{verb}");
        let url = join(&self.sheets_url, &["v4", "spreadsheets", &last]);
        let query = [
            ("fields", fields.to_owned()),
            ("prettyPrint", "false".to_owned()),
        ];
        self.request(user, Method::POST, url, &query, Some(body))
            .await
    }

    /// Asks Google whether the user may read the spreadsheet; with a drive scope this costs no read of the Sheets
    /// quota.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn check(&self, user: i64, spreadsheet_id: &str) -> Result<(), Failure> {
        if self.has_drive {
            let url = join(&self.drive_url, &["drive", "v3", "files", spreadsheet_id]);
            let query = [
                ("fields", "id".to_owned()),
                ("supportsAllDrives", "true".to_owned()),
            ];
            self.request(user, Method::GET, url, &query, None).await?;
        } else {
            let query = [
                ("fields", "spreadsheetId".to_owned()),
                ("prettyPrint", "false".to_owned()),
            ];
            self.spreadsheet(user, spreadsheet_id, &query).await?;
        }
        Ok(())
    }

    /// A GET at Drive.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn drive_get(
        &self,
        user: i64,
        path: &[&str],
        query: &[(&'static str, String)],
    ) -> Result<Vec<u8>, Failure> {
        let url = join(&self.drive_url, path);
        self.request(user, Method::GET, url, query, None).await
    }

    /// `files.watch` and `channels.stop`: a POST to Drive.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn drive_post(
        &self,
        user: i64,
        path: &[&str],
        body: &serde_json::Value,
    ) -> Result<Vec<u8>, Failure> {
        let url = join(&self.drive_url, path);
        let query = [("supportsAllDrives", "true".to_owned())];
        let query = if path.ends_with(&["watch"]) {
            &query[..]
        } else {
            &[]
        };
        self.request(user, Method::POST, url, query, Some(body))
            .await
    }

    async fn request(
        &self,
        user: i64,
        method: Method,
        url: Url,
        query: &[(&'static str, String)],
        body: Option<&serde_json::Value>,
    ) -> Result<Vec<u8>, Failure> {
        // A cached token may have been revoked a moment ago; one fresh token is tried.
        for attempt in 0..2 {
            let token = match self.accounts.access_token(user).await {
                Ok(token) => token,
                Err(refusal) => return Err(token_failure(refusal)),
            };
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .query(query)
                .bearer_auth(token.expose())
                .header(reqwest::header::USER_AGENT, USER_AGENT)
                .timeout(TIMEOUT);
            if let Some(body) = body {
                request = request.json(body);
            }
            // The error's text would name the address with the spreadsheet's id.
            let response = request.send().await.map_err(|_| Failure::broken())?;
            let status = response.status();
            if status.is_success() {
                return read_body(response, REPLY_BYTES_MAX).await;
            }
            if status == StatusCode::UNAUTHORIZED && attempt == 0 {
                self.accounts.discard(user, &token).await;
                continue;
            }
            let retry_after = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.trim().parse().ok())
                .map(Duration::from_secs);
            let body = read_body(response, ERROR_BYTES_MAX)
                .await
                .unwrap_or_default();
            return Err(failure(status, &body, retry_after));
        }
        Err(Failure::User(Refusal::signed_out().error))
    }
}

fn token_failure(refusal: Refusal) -> Failure {
    match refusal.error.code {
        ErrorCode::SignedOut
        | ErrorCode::NoAccess
        | ErrorCode::Declined
        | ErrorCode::AdminPolicy
        | ErrorCode::TwoWayOff
        | ErrorCode::NoWrite => Failure::User(refusal.error),
        ErrorCode::BadRequest
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::NotWriter
        | ErrorCode::Expired
        | ErrorCode::SheetTooLarge
        | ErrorCode::Version
        | ErrorCode::TooMany
        | ErrorCode::Google
        | ErrorCode::Unavailable => Failure::Google {
            retry_after: refusal.retry_after,
            error: refusal.error,
        },
    }
}

/// Sorts an error reply.
fn failure(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Failure {
    let detail = serde_json::from_slice::<ErrorBody>(body)
        .unwrap_or_default()
        .error;
    let has = |reasons: &[&str]| {
        let all = detail.errors.iter().chain(&detail.details);
        all.clone()
            .any(|error| reasons.contains(&error.reason.as_str()))
    };
    let quota = detail.status == "RESOURCE_EXHAUSTED"
        || has(&[
            "rateLimitExceeded",
            "userRateLimitExceeded",
            "quotaExceeded",
            "RATE_LIMIT_EXCEEDED",
        ]);
    match status {
        StatusCode::TOO_MANY_REQUESTS => too_many(retry_after),
        StatusCode::FORBIDDEN if quota => too_many(retry_after),
        StatusCode::UNAUTHORIZED => Failure::User(Refusal::signed_out().error),
        StatusCode::FORBIDDEN if has(&["accessNotConfigured", "SERVICE_DISABLED"]) => {
            tracing::error!(
                "an API is not enabled in the relay's Google project: it needs Sheets and Drive"
            );
            Failure::Google {
                error: Refusal::new(
                    ErrorCode::Google,
                    "This relay's Google project has the Sheets or Drive API switched off.",
                    "Tell whoever runs the relay.",
                )
                .error,
                retry_after,
            }
        }
        StatusCode::FORBIDDEN
            if has(&["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"]) =>
        {
            Failure::User(
                Refusal::new(
                    ErrorCode::Declined,
                    "Your sign-in does not include reading spreadsheets.",
                    "Sign in again and leave the permission ticked.",
                )
                .error,
            )
        }
        StatusCode::FORBIDDEN => Failure::User(
            Refusal::new(
                ErrorCode::NoAccess,
                "Your Google account may not read this spreadsheet.",
                "Ask its owner to share it with you.",
            )
            .error,
        ),
        StatusCode::NOT_FOUND => Failure::User(
            Refusal::new(
                ErrorCode::NotFound,
                "Google finds no such spreadsheet for your account.",
                "Check the link, or sign in again and pick the spreadsheet.",
            )
            .error,
        ),
        StatusCode::BAD_REQUEST => Failure::Range,
        _ => Failure::google(
            ErrorCode::Google,
            "Google Sheets has a problem at present.",
            retry_after,
        ),
    }
}

fn too_many(retry_after: Option<Duration>) -> Failure {
    Failure::google(
        ErrorCode::TooMany,
        "Google takes no more requests for a moment.",
        retry_after,
    )
}

/// Adds path segments, escaped: an id never becomes a path of its own.
fn join(origin: &Url, segments: &[&str]) -> Url {
    let mut url = origin.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

async fn read_body(mut response: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Failure::broken())? {
        if body.len() + chunk.len() > bytes_max {
            return Err(ReadError::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_googles_has_its_meaning() {
        let drive =
            |reason| format!(r#"{{"error":{{"code":403,"errors":[{{"reason":"{reason}"}}]}}}}"#);
        let newer = |status, reason| {
            format!(
                r#"{{"error":{{"status":"{status}","details":[{{"@type":"…"}},{{"reason":"{reason}"}}]}}}}"#
            )
        };
        let cases = [
            (429, String::new(), ErrorCode::TooMany),
            (
                429,
                newer("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
                ErrorCode::TooMany,
            ),
            (403, drive("rateLimitExceeded"), ErrorCode::TooMany),
            (403, drive("userRateLimitExceeded"), ErrorCode::TooMany),
            (403, drive("forbidden"), ErrorCode::NoAccess),
            (
                403,
                newer("PERMISSION_DENIED", "SERVICE_DISABLED"),
                ErrorCode::Google,
            ),
            (403, drive("accessNotConfigured"), ErrorCode::Google),
            (
                403,
                newer("PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
                ErrorCode::Declined,
            ),
            (403, drive("insufficientPermissions"), ErrorCode::Declined),
            (403, "<html>".to_owned(), ErrorCode::NoAccess),
            (401, String::new(), ErrorCode::SignedOut),
            (404, String::new(), ErrorCode::NotFound),
            (500, String::new(), ErrorCode::Google),
            (503, "<html>".to_owned(), ErrorCode::Google),
            (302, String::new(), ErrorCode::Google),
        ];
        for (status, body, code) in cases {
            let status = StatusCode::from_u16(status).expect("a status");
            let found = failure(status, body.as_bytes(), None);
            assert_eq!(found.error().code, code, "{status} {body}");
        }
        let bad_range = failure(StatusCode::BAD_REQUEST, b"", None);
        assert_eq!(bad_range, Failure::Range);
    }

    #[test]
    fn an_id_is_one_segment_of_the_path() {
        let origin = Url::parse("https://sheets.googleapis.com").expect("an address");
        let url = join(&origin, &["v4", "spreadsheets", "../a?b#c/d"]);
        assert_eq!(url.path(), "/v4/spreadsheets/..%2Fa%3Fb%23c%2Fd");
        assert_eq!((url.query(), url.fragment()), (None, None));
    }

    /// Everybody has the same token.
    struct Anybody;

    impl Accounts for Anybody {
        fn authenticate<'a>(&'a self, _: &'a HeaderMap) -> BoxFuture<'a, Result<Caller, Refusal>> {
            Box::pin(async {
                Ok(Caller {
                    user: 1,
                    account: String::new(),
                })
            })
        }

        fn access_token(&self, _: i64) -> BoxFuture<'_, Result<Secret, Refusal>> {
            Box::pin(async { Ok(Secret::new("token")) })
        }

        fn discard(&self, _: i64, _: &Secret) -> BoxFuture<'_, ()> {
            Box::pin(async {})
        }
    }

    #[tokio::test]
    async fn replies_travel_compressed() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        /// `{"spreadsheetId": "s"}`, compressed by Python's gzip.
        const COMPRESSED: [u8; 42] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 46, 40, 74, 77, 76, 41, 206, 72, 77, 45,
            241, 76, 81, 178, 82, 80, 42, 86, 170, 5, 0, 12, 115, 55, 223, 22, 0, 0, 0,
        ];
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.expect("a whole request"));
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                COMPRESSED.len()
            );
            stream.write_all(head.as_bytes()).await.expect("sent");
            stream.write_all(&COMPRESSED).await.expect("sent");
            String::from_utf8(request).expect("ASCII").to_lowercase()
        };
        let url = Url::parse(&origin).expect("an address");
        let google = GoogleRead {
            http: reqwest::Client::new(),
            accounts: std::sync::Arc::new(Anybody),
            sheets_url: url.clone(),
            drive_url: url,
            has_drive: false,
        };
        let (request, reply) = tokio::join!(serve, google.spreadsheet(1, "s", &[]));
        assert_eq!(reply.as_deref(), Ok(&br#"{"spreadsheetId": "s"}"#[..]));
        assert!(request.contains("accept-encoding: gzip"), "{request}");
        assert!(
            request
                .lines()
                .any(|line| line.starts_with("user-agent:") && line.contains("gzip")),
            "{request}"
        );
    }
}
