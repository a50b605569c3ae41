//! The panel's own edge: the grip that makes it larger or smaller.
//!
//! Owns turning a drag or an arrow key into a size. Must not know what is in the panel; the sandbox bounds the size and
//! keeps it.

use crate::{sandbox, words};
use leptos::prelude::*;
use leptos::web_sys::{HtmlElement, KeyboardEvent, PointerEvent, window};
use sheetwire_core::protocol::panel::ToSandbox;
use wasm_bindgen::JsCast as _;

/// What an arrow key adds or takes, in CSS pixels.
const STEP_PX: i32 = 16;

/// The panel's size now, in CSS pixels.
fn size() -> (i32, i32) {
    let side = |side: Result<wasm_bindgen::JsValue, _>| {
        side.ok().and_then(|side| side.as_f64()).unwrap_or(0.0) as i32
    };
    window().map_or((0, 0), |window| {
        (side(window.inner_width()), side(window.inner_height()))
    })
}

fn ask((width, height): (i32, i32), keep: bool) {
    sandbox::say(&ToSandbox::Resize {
        width: u32::try_from(width).unwrap_or(0),
        height: u32::try_from(height).unwrap_or(0),
        keep,
    });
}

/// The grip in the panel's corner.
pub fn grip() -> impl IntoView {
    // How far the pointer is from the panel's corner while it drags.
    let held = StoredValue::new(None::<(i32, i32)>);
    let wanted = move |event: &PointerEvent| {
        held.get_value()
            .map(|(x, y)| (event.client_x() + x, event.client_y() + y))
    };
    let down = move |event: PointerEvent| {
        let (width, height) = size();
        held.set_value(Some((width - event.client_x(), height - event.client_y())));
        let grip = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok());
        if let Some(grip) = grip {
            // Without it the drag ends where the pointer leaves the grip.
            let _ = grip.set_pointer_capture(event.pointer_id());
        }
    };
    let moved = move |event: PointerEvent| {
        if let Some(size) = wanted(&event) {
            ask(size, false);
        }
    };
    let up = move |event: PointerEvent| {
        if let Some(size) = wanted(&event) {
            held.set_value(None);
            ask(size, true);
        }
    };
    let key = move |event: KeyboardEvent| {
        let (x, y) = match event.key().as_str() {
            "ArrowLeft" => (-STEP_PX, 0),
            "ArrowRight" => (STEP_PX, 0),
            "ArrowUp" => (0, -STEP_PX),
            "ArrowDown" => (0, STEP_PX),
            _ => return,
        };
        event.prevent_default();
        let (width, height) = size();
        ask((width + x, height + y), true);
    };
    view! {
        <button type="button" class="grip" aria-label=words::GRIP title=words::GRIP
            on:pointerdown=down on:pointermove=moved on:pointerup=up on:pointercancel=move |_| held.set_value(None)
            on:keydown=key></button>
    }
}
