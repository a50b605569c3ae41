//! Choosing what to import: files dropped or chosen, or cells pasted.
//!
//! Owns the drop zone, the file chooser and the field for pasted cells. Must not know how files are read.

use super::{Import, heading, source};
use crate::{Panel, words};
use leptos::prelude::*;
use leptos::web_sys::{ClipboardEvent, DragEvent, HtmlInputElement};
use wasm_bindgen::JsCast as _;

/// What the file chooser offers; others can still be dropped.
const ACCEPT: &str = ".csv,.tsv,.txt,.xlsx,.json,.tokens";

/// Nothing was chosen yet.
pub fn view(panel: Panel, import: Import) -> AnyView {
    let is_over = RwSignal::new(false);
    let over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    let drop = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        if let Some(files) = event.data_transfer().and_then(|data| data.files()) {
            source::take_files(panel, import, &files);
        }
    };
    let chosen = move |event: leptos::web_sys::Event| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(input) = input {
            if let Some(files) = input.files() {
                source::take_files(panel, import, &files);
            }
            // The same file can be chosen again.
            input.set_value("");
        }
    };
    let pasted = move |event: ClipboardEvent| {
        event.prevent_default();
        event.stop_propagation();
        let text = event
            .clipboard_data()
            .and_then(|data| data.get_data("text/plain").ok());
        source::take_pasted(panel, import, &text.unwrap_or_default());
    };
    view! {
        <div class="view" on:paste=pasted>
            {heading(words::IMPORT)}
            <label class="drop" class:over=move || is_over.get()
                on:dragenter=over on:dragover=over on:dragleave=move |_| is_over.set(false) on:drop=drop>
                <input type="file" class="unseen" id="import-file" multiple=true accept=ACCEPT aria-describedby="import-kinds" on:change=chosen/>
                <strong>{words::IMPORT_DROP}</strong>
                <span class="secondary" id="import-kinds">{words::IMPORT_KINDS}</span>
            </label>
            <label class="paste">
                <span>{words::IMPORT_PASTE}</span>
                <textarea class="field" id="import-paste" rows="3" placeholder=words::IMPORT_PASTE_HERE
                    on:change=move |event| source::take_pasted(panel, import, &event_target_value(&event))></textarea>
            </label>
        </div>
    }
    .into_any()
}
