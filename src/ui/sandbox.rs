//! The panel's end of the wire to the sandbox, and the few things it asks of the browser.
//!
//! Owns the envelope over `postMessage`. Must not know what messages mean.

use js_sys::{Object, Reflect};
use leptos::web_sys::MessageEvent;
use sheetwire_core::protocol::panel::{ToPanel, ToSandbox, VERSION};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

/// Calls `take` for every message of the sandbox that can be read, with the long text beside it; one of another version is told as
/// such.
pub fn hear(take: impl Fn(ToPanel, Option<String>) + 'static) {
    let receive = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(envelope) = field(&event.data(), "pluginMessage") else {
            return;
        };
        let version = field(&envelope, "v").and_then(|version| version.as_f64());
        let body = field(&envelope, "body").and_then(|body| body.as_string());
        let message = match (version, body) {
            (Some(version), Some(body)) if version == f64::from(VERSION) => {
                serde_json::from_str(&body).ok()
            }
            _ => None,
        };
        let bulk = field(&envelope, "bulk").and_then(|bulk| bulk.as_string());
        let message = message.unwrap_or_else(|| ToPanel::Refused {
            message: String::from("The plugin and its panel are of different versions."),
            remedy: Some(String::from("Close the plugin and run it again.")),
        });
        take(message, bulk);
    });
    if let Some(window) = leptos::web_sys::window() {
        window.set_onmessage(Some(receive.as_ref().unchecked_ref()));
    }
    // The sandbox is heard for as long as the page lives.
    receive.forget();
}

fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// Sends one message to the sandbox.
pub fn say(message: &ToSandbox) {
    say_with(message, None);
}

/// Sends one message to the sandbox, with a long text beside it.
pub fn say_with(message: &ToSandbox, bulk: Option<&str>) {
    let Ok(body) = serde_json::to_string(message) else {
        return;
    };
    let envelope = Object::new();
    let wrapped = Object::new();
    let set = |object: &Object, name: &str, value: &JsValue| {
        Reflect::set(object, &JsValue::from_str(name), value).is_ok()
    };
    let written = set(&envelope, "v", &JsValue::from_f64(f64::from(VERSION)))
        && set(&envelope, "body", &JsValue::from_str(&body))
        && bulk.is_none_or(|bulk| set(&envelope, "bulk", &JsValue::from_str(bulk)))
        && set(&wrapped, "pluginMessage", &envelope);
    let parent = leptos::web_sys::window().and_then(|window| window.parent().ok().flatten());
    if let (true, Some(parent)) = (written, parent) {
        // The parent is Figma's own page, whose origin differs between the desktop app and the browser.
        let _ = parent.post_message(&wrapped, "*");
    }
}

/// 32 random bytes in hex; the sandbox has no randomness of its own.
pub fn entropy() -> String {
    let mut bytes = [0_u8; 32];
    if let Some(crypto) = leptos::web_sys::window().and_then(|window| window.crypto().ok()) {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    let mut hex = String::with_capacity(64);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    hex
}

/// Moves the keyboard's focus.
pub fn focus(id: &str) {
    let element = leptos::web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id(id));
    if let Some(element) =
        element.and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok())
    {
        let _ = element.focus();
    }
}
