//! The panel as its own tests see it: it draws the states it is given and tells what is pressed.
//!
//! Owns the wire to those tests. Must not be in what ships: only a build with the feature `gallery` calls it.

use crate::{Panel, TABS, Tab};
use js_sys::Reflect;
use leptos::prelude::*;
use leptos::web_sys::{MessageEvent, window};
use serde::Deserialize;
use sheetwire_core::session::{Action, Notice, State};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

/// What a test wants to be drawn: the JSON text of a message.
#[derive(Deserialize)]
struct Exhibit {
    state: State,
    account: Option<String>,
    notice: Option<Notice>,
    /// The file's variables, for the tabs of the manager; the listing's JSON as the sandbox writes it.
    #[serde(default)]
    listing: Option<String>,
    /// The end of the tab's id; the Real-Time Sync tab without it.
    #[serde(default)]
    tab: Option<String>,
    #[serde(default)]
    read_only: bool,
}

/// Draws every exhibit that is posted to the page. One that can't be read is told to the parent as such.
pub fn open(panel: Panel) {
    panel.tab.set(Tab::Sync);
    let receive = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(text) = event.data().as_string() else {
            return;
        };
        match serde_json::from_str::<Exhibit>(&text) {
            Ok(exhibit) => {
                panel.left_out.set(match &exhibit.state {
                    State::Connected(connected) => connected.connection.left_out.clone(),
                    _ => Vec::new(),
                });
                let tab = TABS
                    .iter()
                    .find(|(_, id, _)| Some(*id) == exhibit.tab.as_deref());
                panel.tab.set(tab.map_or(Tab::Sync, |(tab, _, _)| *tab));
                panel.read_only.set(exhibit.read_only);
                if exhibit.listing.is_some() {
                    crate::take_listing(panel, exhibit.listing);
                }
                panel.account.set(exhibit.account);
                panel.session_notice.set(exhibit.notice);
                panel.session.set(exhibit.state);
            }
            Err(error) => post("unreadable", &error.to_string()),
        }
    });
    if let Some(window) = window() {
        window.set_onmessage(Some(receive.as_ref().unchecked_ref()));
    }
    receive.forget();
    post("open", "");
}

/// Tells the parent what the designer did.
pub fn tell(action: &Action) {
    post("action", &serde_json::to_string(action).unwrap_or_default());
}

fn post(kind: &str, text: &str) {
    let message = js_sys::Object::new();
    let written = Reflect::set(&message, &JsValue::from_str(kind), &JsValue::from_str(text));
    let parent = window().and_then(|window| window.parent().ok().flatten());
    if let (Ok(true), Some(parent)) = (written, parent) {
        let _ = parent.post_message(&message, "*");
    }
}
