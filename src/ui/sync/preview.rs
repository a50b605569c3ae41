//! What a plan would do, before it is done.
//!
//! Owns how plans and problems are told. Must not know what a plan may do by itself, or how its rows are listed.

use super::tree::{self, Tree};
use super::types::{self, Chosen};
use super::{button, heading, page};
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::protocol::panel::{Preview, Problem};
use sheetwire_core::session::{Action, State};

/// The first plan is there to be looked at.
pub fn first(panel: Panel) -> AnyView {
    let preview = Memo::new(move |_| {
        if let State::Previewing(preview) = &*panel.session.read() {
            Some(preview.clone())
        } else {
            None
        }
    });
    let tree = Tree::new();
    let chosen = Chosen::new();
    let shown = move || {
        preview
            .get()
            .map(|preview| plan(panel, *preview, tree, chosen, true))
    };
    let label = Signal::derive(move || {
        preview
            .read()
            .as_ref()
            .map_or_else(String::new, |preview| words::apply(&preview.counts))
    });
    let approve = move || {
        if let Some(preview) = &*preview.read_untracked() {
            panel.act(Action::Approve {
                plan: preview.plan,
                include_removals: false,
                retypes: untrack(|| chosen.of(preview.plan)),
            });
        }
    };
    page(
        view! { {heading(words::PREVIEW)} {shown} {left_out(panel)} }.into_any(),
        view! {
            <div class="buttons">
                {button("plain", words::BACK, move || panel.act(Action::Back))}
                {button("plain", words::EDIT_COLUMNS, move || panel.act(Action::EditColumns))}
                {button("primary", label, approve)}
            </div>
        }
        .into_any(),
        Some(tree),
    )
}

/// A plan: its counts, its problems, its rows. `keeps_removed` tells that its removals are not part of it.
/// `chosen` holds those of its variables whose type is to change.
pub fn plan(
    panel: Panel,
    preview: Preview,
    tree: Tree,
    chosen: Chosen,
    keeps_removed: bool,
) -> AnyView {
    let Preview {
        plan,
        counts,
        rows,
        problems,
        problems_total,
        needs,
    } = preview;
    let around = words::collections_and_modes(&counts);
    let listed = rows.len();
    let total = counts.created + counts.changed + counts.removed + counts.retyped;
    let nothing = total == 0 && around.is_empty();
    let truncated = (total as usize > listed).then(|| words::truncated(listed, total));
    let tiles = words::counts(&counts).into_iter().map(|(count, word)| {
        view! { <div class:none=count == 0><dd>{words::number(count)}</dd><dt>{word}</dt></div> }
    });
    view! {
        <dl class="counts">{tiles.collect_view()}</dl>
        {(!around.is_empty()).then(|| view! { <p class="secondary">{around}</p> })}
        {(keeps_removed && counts.removed > 0).then(|| view! { <p>{words::removals_kept(counts.removed)}</p> })}
        {nothing.then(|| view! { <p>{words::PREVIEW_NOTHING}</p> })}
        {(!needs.is_empty()).then(|| view! {
            <section class="needs" aria-label=words::NEEDS><h3>{words::NEEDS}</h3>{problem_list(panel, needs)}</section>
        })}
        {(problems_total > 0).then(|| button("quiet mend", words::problems(problems_total), move || tree.show_problems()))}
        {(problems_total as usize > problems.len()).then(|| view! { <p class="secondary">{words::problems_truncated(problems.len())}</p> })}
        {truncated.map(|text| view! { <p class="secondary">{text}</p> })}
        {types::list(panel, plan, &rows, chosen)}
        {tree::view(panel, plan, rows, problems, tree)}
    }
    .into_any()
}

/// A value as text, with a swatch before a colour.
pub fn value(text: &str) -> AnyView {
    let text = String::from(text);
    if text.is_empty() {
        return view! { <i class="secondary">{words::EMPTY_TEXT}</i> }.into_any();
    }
    let digits = text.strip_prefix('#').unwrap_or_default();
    let is_color = matches!(digits.len(), 3 | 4 | 6 | 8)
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let color = is_color.then(|| text.clone());
    view! {
        {color.map(|color| view! { <i class="swatch" style:--fill=color></i> })}
        {text}
    }
    .into_any()
}

/// An address, which opens the sheet there; nothing where there is none.
/// `in_tree` leaves it to the tree to reach it by keys.
pub fn cell(panel: Panel, address: String, in_tree: bool) -> AnyView {
    if address.is_empty() {
        return ().into_any();
    }
    let open = {
        let address = address.clone();
        move |event: leptos::web_sys::MouseEvent| {
            event.stop_propagation();
            panel.act(Action::OpenCell {
                address: address.clone(),
            });
        }
    };
    view! { <button type="button" class="quiet cell" tabindex=in_tree.then_some("-1") title=words::OPEN_CELL on:click=open>{address}</button> }.into_any()
}

/// Rows that were left out, each to be taken in again.
pub fn left_out(panel: Panel) -> AnyView {
    let rows = move || {
        panel
            .left_out
            .get()
            .into_iter()
            .map(|key| {
                let row = words::left_out_row(&key);
                let label = words::take_in_row(&row);
                view! {
                    <li>
                        <span class="cut name" title=row.clone()>{row.clone()}</span>
                        <button type="button" class="quiet" aria-label=label on:click=move |_| {
                            panel.act(Action::TakeIn { keys: vec![key.clone()] });
                        }>{words::TAKE_IN}</button>
                    </li>
                }
            })
            .collect_view()
    };
    let count = Memo::new(move |_| panel.left_out.read().len());
    (move || {
        (count.get() > 0).then(|| view! {
            <details class="left-out">
                <summary>{move || words::left_out(count.get())}</summary>
                <ul>{rows}</ul>
                {button("plain", words::TAKE_ALL_IN, move || panel.act(Action::TakeIn { keys: Vec::new() }))}
            </details>
        })
    })
    .into_any()
}

/// Problems under a line that counts them and opens the list.
pub fn problem_details(panel: Panel, problems: Vec<Problem>, total: u32) -> AnyView {
    if total == 0 {
        return ().into_any();
    }
    let truncated =
        (total as usize > problems.len()).then(|| words::problems_truncated(problems.len()));
    view! {
        <details class="problems">
            <summary>{words::problems(total)}</summary>
            {problem_list(panel, problems)}
            {truncated.map(|text| view! { <p class="secondary">{text}</p> })}
        </details>
    }
    .into_any()
}

/// Problems, each with its address and its remedy.
pub fn problem_list(panel: Panel, problems: Vec<Problem>) -> AnyView {
    if problems.is_empty() {
        return ().into_any();
    }
    let problems = problems.into_iter().map(|problem| {
        view! {
            <li>
                {cell(panel, problem.address, false)}" "
                {problem.message}" "<span class="secondary">{problem.remedy}</span>
            </li>
        }
    });
    view! { <ul class="problem-list">{problems.collect_view()}</ul> }.into_any()
}
