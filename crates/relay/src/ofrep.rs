//! OFREP, OpenFeature's remote evaluation protocol: flags over HTTP.
//!
//! Owns the two routes, their bodies and their ETags. Must not know how a flag is evaluated. Nobody needs to be
//! signed in: whether to show the sign-in at all is what a panel asks here.
//!
//! Source: <https://github.com/open-feature/protocol/blob/main/service/openapi.yaml>.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::flags::{Evaluation, EvaluationErrorCode, Flags};
use crate::secret::Hash;

/// Longest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Longest targeting key, in characters; a salted hash is 43.
pub const TARGETING_KEY_MAX: usize = 256;

/// A request that has no evaluation.
#[derive(Serialize)]
struct Refused<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(rename = "errorCode")]
    error_code: EvaluationErrorCode,
    #[serde(rename = "errorDetails")]
    error_details: &'static str,
}

#[derive(Serialize)]
struct Bulk {
    flags: Vec<Evaluation>,
}

/// The routes.
pub fn routes(flags: Arc<Flags>) -> Router {
    Router::new()
        .route("/ofrep/v1/evaluate/flags", post(bulk))
        .route("/ofrep/v1/evaluate/flags/{key}", post(single))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(flags)
}

async fn bulk(State(flags): State<Arc<Flags>>, headers: HeaderMap, body: Bytes) -> Response {
    let context = match context(&body) {
        Ok(context) => context,
        Err((error_code, error_details)) => {
            return refuse(None, error_code, error_details);
        }
    };
    let reply = Bulk {
        flags: flags.document().evaluate_all(&context),
    };
    let text = match serde_json::to_string(&reply) {
        Ok(text) => text,
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    // Of the reply and not of the document: a change elsewhere in the document is none for this user.
    let etag = format!("\"{}\"", Hash::of(text.as_bytes()).to_base64url());
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| {
            let known = known.trim();
            known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag
        });
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], text).into_response()
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

async fn single(State(flags): State<Arc<Flags>>, Path(key): Path<String>, body: Bytes) -> Response {
    let context = match context(&body) {
        Ok(context) => context,
        Err((error_code, error_details)) => {
            return refuse(Some(&key), error_code, error_details);
        }
    };
    let evaluation = flags.document().evaluate(&key, &context);
    let status = match &evaluation {
        Evaluation::Success { .. } => StatusCode::OK,
        Evaluation::Failure {
            error_code: EvaluationErrorCode::FlagNotFound,
            ..
        } => StatusCode::NOT_FOUND,
        Evaluation::Failure { .. } => StatusCode::BAD_REQUEST,
    };
    (status, axum::Json(evaluation)).into_response()
}

/// The evaluation context of a request.
fn context(body: &[u8]) -> Result<Map<String, Value>, (EvaluationErrorCode, &'static str)> {
    use EvaluationErrorCode::{InvalidContext, ParseError, TargetingKeyMissing};
    let Ok(Value::Object(mut request)) = serde_json::from_slice(body) else {
        return Err((ParseError, "the body is not a JSON object"));
    };
    let context = match request.remove("context") {
        Some(Value::Object(context)) => context,
        Some(_) => return Err((InvalidContext, "`context` is not an object")),
        None => return Err((TargetingKeyMissing, "there is no `context`")),
    };
    match context.get("targetingKey") {
        None | Some(Value::Null) => Err((TargetingKeyMissing, "the context has no `targetingKey`")),
        Some(Value::String(key)) if key.is_empty() => {
            Err((TargetingKeyMissing, "the `targetingKey` is empty"))
        }
        Some(Value::String(key)) if key.chars().count() > TARGETING_KEY_MAX => {
            Err((InvalidContext, "the `targetingKey` is too long"))
        }
        Some(Value::String(_)) => Ok(context),
        Some(_) => Err((InvalidContext, "the `targetingKey` is not a text")),
    }
}

fn refuse(
    key: Option<&str>,
    error_code: EvaluationErrorCode,
    error_details: &'static str,
) -> Response {
    let body = Refused {
        key,
        error_code,
        error_details,
    };
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}
