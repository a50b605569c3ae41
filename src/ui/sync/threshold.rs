//! How much a sync may touch before it waits, for this file.
//!
//! Owns the choice. Must not know what a plan is measured against.

use super::HEADING;
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::session::Action;

/// The choice. `threshold` is how many variables a sync may touch.
pub fn choice(panel: Panel, threshold: Memo<Option<u32>>) -> AnyView {
    let now = move || threshold.get().unwrap_or_default();
    // Another one than those offered is shown as the nearest that is more careful.
    let chosen = move || {
        let fits = words::THRESHOLDS.iter().rev();
        fits.map(|(variables, _)| *variables)
            .find(|variables| *variables <= now())
    };
    let choices = words::THRESHOLDS.into_iter().map(move |(variables, word)| {
        view! { <option value=variables.to_string() selected=move || chosen() == Some(variables)>{word}</option> }
    });
    view! {
        <div class="policy" role="group" aria-labelledby=HEADING>
            <label><span>{words::THRESHOLD}</span>
                <select class="field" on:change=move |event| {
                    if let Ok(variables) = event_target_value(&event).parse() {
                        panel.act(Action::SetThreshold { variables: Some(variables) });
                    }
                }>{choices.collect_view()}</select>
            </label>
        </div>
    }
    .into_any()
}
