//! Errors at the relay's own boundary: how an [`ApiError`] becomes an HTTP reply.
//!
//! Owns the statuses of the error codes and the words of the common errors. Must not know where an error arose.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use sheetwire_core::protocol::relay::{ApiError, ErrorCode, FrameError, VERSION, decode};

/// A refusal on its way to the client: the wire's error and, where it says so, when to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The body.
    pub error: ApiError,
    /// The `Retry-After` header.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// With a sentence and a remedy.
    pub fn new(code: ErrorCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            error: ApiError {
                code,
                message: message.into(),
                remedy: Some(remedy.into()),
            },
            retry_after: None,
        }
    }

    /// A request that can't be read.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            error: ApiError {
                code: ErrorCode::BadRequest,
                message: message.into(),
                remedy: None,
            },
            retry_after: None,
        }
    }

    /// No session, or one that has ended.
    pub fn signed_out() -> Self {
        Self::new(
            ErrorCode::SignedOut,
            "You are signed out.",
            "Sign in again.",
        )
    }

    /// Too many requests.
    pub fn too_many(retry_after: Duration) -> Self {
        let mut refusal = Self::new(
            ErrorCode::TooMany,
            "Too many requests at once.",
            "Wait a moment and try again.",
        );
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// The relay can't do it now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let mut refusal = Self::new(
            ErrorCode::Unavailable,
            message,
            "Nothing is lost. Try again in a moment.",
        );
        refusal.retry_after = Some(Duration::from_secs(2));
        refusal
    }
}

/// Reads a body that carries the wire's version.
///
/// # Errors
/// [`ErrorCode::Version`], or [`ErrorCode::BadRequest`] with the sentence `unreadable`.
pub fn versioned<T: DeserializeOwned>(body: &[u8], unreadable: &str) -> Result<T, Refusal> {
    std::str::from_utf8(body)
        .map_err(|_| FrameError::Unreadable { bytes: body.len() })
        .and_then(decode::<T>)
        .map_err(|error| match error {
            FrameError::Version { .. } => Refusal::new(
                ErrorCode::Version,
                format!("The relay speaks version {VERSION} of its wire."),
                "Update the plugin.",
            ),
            FrameError::Unreadable { .. } => Refusal::bad_request(unreadable),
        })
}

/// The HTTP status of an error code, as docs/protocol.md lists them.
pub fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::SignedOut => StatusCode::UNAUTHORIZED,
        ErrorCode::NoAccess
        | ErrorCode::Declined
        | ErrorCode::AdminPolicy
        | ErrorCode::TwoWayOff
        | ErrorCode::NoWrite => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict | ErrorCode::NotWriter => StatusCode::CONFLICT,
        ErrorCode::Expired => StatusCode::GONE,
        ErrorCode::SheetTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Version => StatusCode::UPGRADE_REQUIRED,
        ErrorCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Google => StatusCode::BAD_GATEWAY,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (status(self.error.code), axum::Json(self.error)).into_response();
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up: a client that waits as told is not refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
