//! What an import would do, does, and did.
//!
//! Owns the plan, the progress and the summary. Must not know how a plan is made: its view is Real-Time Sync's.

use super::{HEADING, Import, Stage, heading};
use crate::sync::types::Chosen;
use crate::sync::{button, enabled_button, page, preview};
use crate::{Panel, Tab, words};
use leptos::prelude::*;

/// Nothing can be imported into this file.
pub fn read_only() -> AnyView {
    view! {
        <div class="view centred">
            {heading(words::SYNC_READ_ONLY)}
            <p class="secondary">{words::IMPORT_READ_ONLY}</p>
        </div>
    }
    .into_any()
}

/// A file is being read.
pub fn reading(import: Import) -> AnyView {
    page(
        view! {
            {heading(words::IMPORT_READING)}
            <progress aria-labelledby=HEADING></progress>
            <p class="secondary cut">{move || import.name.get()}</p>
        }
        .into_any(),
        button("plain", words::CANCEL, move || import.begin_again()),
        None,
    )
}

/// The plan is there to be looked at.
pub fn plan(panel: Panel, import: Import, chosen: Chosen) -> AnyView {
    let tree = import.tree;
    let shown = move || {
        import
            .outlook
            .get()
            .map(|outlook| preview::plan(panel, outlook.preview.clone(), tree, chosen, true))
    };
    let label = Signal::derive(move || {
        let outlook = import.outlook.read();
        let counts = outlook.as_ref().map(|outlook| outlook.preview.counts);
        words::import_button(&counts.unwrap_or_default())
    });
    let does = Signal::derive(move || {
        let outlook = import.outlook.read();
        let counts = outlook.as_ref().map(|outlook| outlook.preview.counts);
        let counts = counts.unwrap_or_default();
        !import.busy.get()
            && counts.created + counts.changed + counts.collections + counts.modes > 0
    });
    page(
        view! { {heading(words::IMPORT_PLAN)} {shown} {preview::left_out(panel)} }.into_any(),
        view! {
            <div class="buttons">
                {button("plain", words::IMPORT_BACK, move || import.stage.set(Stage::Mapping))}
                {enabled_button("primary", label, does, move || import.approve())}
            </div>
        }
        .into_any(),
        Some(tree),
    )
}

/// It is being written.
pub fn running(import: Import) -> AnyView {
    let now = Memo::new(move |_| match &*import.stage.read() {
        Stage::Running {
            done,
            total,
            stopping,
        } => Some((*done, *total, *stopping)),
        Stage::Choosing
        | Stage::Reading
        | Stage::Mapping
        | Stage::Planning
        | Stage::Done { .. } => None,
    });
    let (done, total) = (
        move || now.get().map_or(0, |(done, ..)| done),
        move || now.get().map_or(0, |(_, total, _)| total),
    );
    let is_stopping = Signal::derive(move || now.get().is_some_and(|(.., stopping)| stopping));
    page(
        view! {
            {heading(words::IMPORT_RUNNING)}
            <progress aria-labelledby=HEADING value=move || (total() > 0).then(|| done().to_string()) max=move || total().max(1).to_string()></progress>
            <p class="secondary" role="status">{move || if is_stopping.get() {
                String::from(words::IMPORT_STOPPING)
            } else {
                words::progress(done(), total())
            }}</p>
        }
        .into_any(),
        enabled_button("plain", words::CANCEL, Signal::derive(move || !is_stopping.get()), move || import.stop()),
        None,
    )
}

/// What was done, and what was not and why.
pub fn done(panel: Panel, import: Import) -> AnyView {
    let Stage::Done { report, connected } = import.stage.get_untracked() else {
        return ().into_any();
    };
    let title = if report.cancelled {
        words::IMPORT_STOPPED
    } else {
        words::IMPORT_DONE
    };
    let around = words::collections_and_modes(&report.counts);
    let tiles = words::import_counts(&report).map(|(count, word)| {
        view! { <div class:none=count == 0><dd>{words::number(count)}</dd><dt>{word}</dt></div> }
    });
    let left_out = import.left_out.get_untracked().len();
    let problems = report.problems.clone();
    let total = report.problems_total;
    let truncated =
        (total as usize > problems.len()).then(|| words::problems_truncated(problems.len()));
    page(
        view! {
            {heading(title)}
            <dl class="counts">{tiles.into_iter().collect_view()}</dl>
            {(!around.is_empty()).then(|| view! { <p class="secondary">{around}</p> })}
            {(left_out > 0).then(|| view! { <p class="secondary">{words::left_out(left_out)}</p> })}
            {(report.writes > 0).then(|| view! { <p class="secondary">{words::IMPORT_UNDO}</p> })}
            {connected.then(|| view! { <p class="card">{words::IMPORT_CONNECTED}</p> })}
            {(total > 0).then(|| view! {
                <section aria-label=words::IMPORT_SKIPPED>
                    <h3>{words::import_skipped(total)}</h3>
                    {preview::problem_list(panel, problems)}
                    {truncated.map(|text| view! { <p class="secondary">{text}</p> })}
                </section>
            })}
        }
        .into_any(),
        view! {
            <div class="buttons">
                {button("plain", words::IMPORT_MORE, move || import.begin_again())}
                {button("primary", words::SHOW_VARIABLES, move || panel.tab.set(Tab::Variables))}
            </div>
        }
        .into_any(),
        None,
    )
}
