//! The history of the file's runs, and the way back to before one of them.
//!
//! Owns this list. Must not know what a run wrote: going back is a plan that the sandbox makes and the designer confirms.

use super::button;
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::protocol::panel::{Counts, RunEntry};
use sheetwire_core::session::Action;
use wasm_bindgen::JsCast;

/// The history, behind a line that opens it.
pub fn list(
    panel: Panel,
    runs: Memo<Option<Option<Vec<RunEntry>>>>,
    now: RwSignal<u64>,
) -> AnyView {
    // Asked for when it is opened; while it is open, the session keeps it up to date.
    let toggled = move |event: leptos::ev::Event| {
        let details = event.target().and_then(|target| {
            let target: web_sys::HtmlDetailsElement = target.dyn_into().ok()?;
            Some(target.open())
        });
        if details == Some(true) {
            panel.act(Action::ListRuns);
        }
    };
    let rows = move || match runs.get().flatten() {
        None => view! { <p class="secondary">{words::READING_HISTORY}</p> }.into_any(),
        Some(runs) if runs.is_empty() => {
            view! { <p class="secondary">{words::NO_HISTORY}</p> }.into_any()
        }
        Some(runs) => view! {
            <ul>{runs.into_iter().map(|run| entry(panel, run, now)).collect_view()}</ul>
        }
        .into_any(),
    };
    view! {
        <details class="history" on:toggle=toggled>
            <summary>{words::HISTORY}</summary>
            {rows}
        </details>
    }
    .into_any()
}

fn entry(panel: Panel, run: RunEntry, now: RwSignal<u64>) -> AnyView {
    let who = words::run_author(&run);
    let what = words::run_did(&run);
    let when = run.unix_ms;
    let back = run.restorable.then(|| {
        let label = words::go_back_before(&who, &what);
        let name = run.run.clone();
        view! {
            <button type="button" class="quiet" aria-label=label.clone() title=label on:click=move |_| {
                panel.act(Action::Restore { run: name.clone() });
            }>{words::GO_BACK}</button>
        }
    });
    view! {
        <li>
            <span class="cut">
                <b>{who}</b>" · "{move || words::ago(now.get(), when)}
                <br/><span class="secondary">{what}</span>
            </span>
            {back}
        </li>
    }
    .into_any()
}

/// The buttons of a plan to go back.
pub fn buttons(panel: Panel, number: u32, counts: &Counts) -> AnyView {
    let approve = move || {
        panel.act(Action::Approve {
            plan: number,
            include_removals: true,
            retypes: Vec::new(),
        });
    };
    view! {
        {button("plain", words::KEEP_FILE, move || panel.act(Action::KeepFile { plan: number }))}
        {button(if counts.removed > 0 { "danger" } else { "primary" }, words::go_back(counts), approve)}
    }
    .into_any()
}
