//! The Real-Time Sync tab.
//!
//! Owns its views. Must not know whether it may be on; it is told.

use crate::{Panel, words};
use leptos::prelude::*;

/// The tab's contents: the reason while it is disabled.
#[component]
pub fn RealTimeSync(panel: Panel) -> impl IntoView {
    view! {
        <div class="empty" aria-disabled="true">
            <p>{move || words::disabled(panel.decision.get())}</p>
        </div>
    }
}
