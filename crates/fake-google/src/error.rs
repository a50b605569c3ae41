//! The errors that Google's APIs answer with, in their two JSON forms.
//!
//! Owns the forms and the sentences. Must not know when they happen.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An API's refusal. `Display` is the sentence; no cell's content stands in it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// As `google.rpc.Code` names it.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Drive's word for the reason.
    pub(crate) reason: &'static str,
    pub(crate) details: Option<Value>,
    /// What stands in `WWW-Authenticate`, after `Bearer realm="https://accounts.google.com/"`.
    pub(crate) challenge: Option<&'static str>,
}

impl ApiError {
    fn new(
        status: StatusCode,
        code: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        ApiError {
            status,
            code,
            message: message.into(),
            reason,
            details: None,
            challenge: None,
        }
    }

    /// 400: the request does not fit.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "INVALID_ARGUMENT",
            "badRequest",
            message,
        )
    }

    /// 404 of the Sheets API.
    pub(crate) fn entity_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "notFound",
            "Requested entity was not found.",
        )
    }

    /// 404 of the Drive API.
    pub(crate) fn file_not_found(file_id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "notFound",
            format!("File not found: {file_id}."),
        )
    }

    /// 403: the account may not do that.
    pub(crate) fn no_permission() -> Self {
        let message = "The caller does not have permission";
        Self::new(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "forbidden",
            message,
        )
    }

    /// 403: the token's scopes do not allow the method.
    pub(crate) fn insufficient_scopes(service: &str, method: &str) -> Self {
        ApiError {
            details: Some(json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": {"service": service, "method": method}
            }])),
            challenge: Some(", error=\"insufficient_scope\""),
            ..Self::new(
                StatusCode::FORBIDDEN,
                "PERMISSION_DENIED",
                "insufficientPermissions",
                "Request had insufficient authentication scopes.",
            )
        }
    }

    /// 401: no token, or one that is no longer good.
    pub(crate) fn unauthenticated() -> Self {
        ApiError {
            challenge: Some(", error=\"invalid_token\""),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                "authError",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
                 valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            )
        }
    }

    /// 403: no credentials at all.
    pub(crate) fn unregistered_caller() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "forbidden",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or \
             other form of API consumer identity to call this API.",
        )
    }

    /// 429: a quota is used up.
    pub(crate) fn quota(metric: &str, limit: &str, project: &str) -> Self {
        ApiError {
            details: Some(json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {
                    "service": "sheets.googleapis.com",
                    "quota_metric": metric,
                    "quota_limit": limit,
                    "consumer": format!("projects/{project}")
                }
            }])),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "RESOURCE_EXHAUSTED",
                "rateLimitExceeded",
                format!(
                    "Quota exceeded for quota metric '{metric}' and limit '{limit}' of service \
                     'sheets.googleapis.com' for consumer 'project_number:{project}'."
                ),
            )
        }
    }

    /// 403: Drive's way of saying that there were too many requests.
    pub(crate) fn rate_limit_exceeded() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "rateLimitExceeded",
            "Rate Limit Exceeded",
        )
    }

    /// 429 without a named quota.
    pub(crate) fn too_many_requests() -> Self {
        let message = "Resource has been exhausted (e.g. check quota).";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RESOURCE_EXHAUSTED",
            "rateLimitExceeded",
            message,
        )
    }

    /// 500.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "backendError",
            "Internal error encountered.",
        )
    }

    /// 503.
    pub(crate) fn unavailable() -> Self {
        let message = "The service is currently unavailable.";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "backendError",
            message,
        )
    }

    /// 401 of a channel that can't be opened to that address.
    pub(crate) fn channel(reason: &'static str, message: impl Into<String>) -> Self {
        let status = if reason == "channelIdNotUnique" || reason.starts_with("webhook") {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::NOT_FOUND
        };
        let code = if status == StatusCode::NOT_FOUND {
            "NOT_FOUND"
        } else {
            "INVALID_ARGUMENT"
        };
        Self::new(status, code, reason, message)
    }

    /// 501: Google can do it, fake Google can't. Real Google never says this.
    pub(crate) fn not_faked(what: &str) -> Self {
        let message = format!("Fake Google does not answer {what}.");
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "UNIMPLEMENTED",
            "notImplemented",
            message,
        )
    }

    /// The body. Drive adds the list `errors` of Google's older form.
    pub(crate) fn body(&self, of_drive: bool) -> Value {
        let mut error =
            json!({"code": self.status.as_u16(), "message": self.message, "status": self.code});
        if of_drive {
            let domain = if self.reason == "rateLimitExceeded" {
                "usageLimits"
            } else {
                "global"
            };
            error["errors"] =
                json!([{"message": self.message, "domain": domain, "reason": self.reason}]);
        }
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({"error": error})
    }
}
