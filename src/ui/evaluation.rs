//! The one flag evaluation at opening.
//!
//! Owns the OFREP request. Must not know what the answer says: the sandbox reads it and decides. A relay that is
//! down, slow or talking nonsense changes nothing in the panel.

use crate::sandbox;
use gloo_net::http::Request;
use sheetwire_core::protocol::address::RELAY_META_NAME;
use sheetwire_core::protocol::panel::ToSandbox;

/// Longest reply that is handed on, in bytes; a flag evaluation is far shorter.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// The relay's origin, from the page's meta tag.
pub fn relay_origin() -> Option<String> {
    leptos::web_sys::window()?
        .document()?
        .query_selector(&["meta[name=\"", RELAY_META_NAME, "\"]"].concat())
        .ok()??
        .get_attribute("content")
}

/// Asks the relay for every flag of this user and hands the answer to the sandbox.
pub fn evaluate(targeting_key: String) {
    leptos::task::spawn_local(async move {
        let body = request(&targeting_key).await;
        sandbox::say(&ToSandbox::FlagsEvaluated {
            body,
            now_unix_ms: js_sys::Date::now() as u64,
        });
    });
}

async fn request(targeting_key: &str) -> Option<String> {
    let address = relay_origin()? + "/ofrep/v1/evaluate/flags";
    let context = serde_json::json!({ "context": { "targetingKey": targeting_key } });
    let reply = Request::post(&address)
        .header("content-type", "application/json")
        .body(context.to_string())
        .ok()?
        .send()
        .await
        .ok()?;
    if !reply.ok() {
        return None;
    }
    reply
        .text()
        .await
        .ok()
        .filter(|text| text.len() <= REPLY_BYTES_MAX)
}
