//! What a plan would do, before it is done.
//!
//! Owns how plans and problems are listed. Must not know what a plan may do by itself. Rows are drawn a few dozen at a
//! time, as the view is scrolled, so that a plan of the longest length opens as fast as a short one.

use super::{button, heading, page};
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::protocol::panel::{FieldChange, Preview, PreviewKind, PreviewRow, Problem};
use sheetwire_core::session::{Action, State};

/// Rows drawn at first, and added each time.
const DRAWN_ROWS: usize = 40;

/// How many rows of a plan are drawn.
pub fn drawn() -> RwSignal<usize> {
    RwSignal::new(DRAWN_ROWS)
}

/// Draws more of a plan.
pub fn draw_more(drawn: RwSignal<usize>) {
    drawn.update(|rows| *rows = rows.saturating_add(DRAWN_ROWS));
}

/// The first plan is there to be looked at.
pub fn first(panel: Panel) -> AnyView {
    let preview = Memo::new(move |_| {
        if let State::Previewing(preview) = &*panel.session.read() {
            Some(preview.clone())
        } else {
            None
        }
    });
    let drawn = drawn();
    let shown = move || {
        preview
            .get()
            .map(|preview| plan(panel, *preview, drawn, true))
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
        Some(drawn),
    )
}

/// A plan: its counts, its problems, its rows. `keeps_removed` tells that its removals are not part of it.
pub fn plan(
    panel: Panel,
    preview: Preview,
    drawn: RwSignal<usize>,
    keeps_removed: bool,
) -> AnyView {
    let Preview {
        plan,
        counts,
        rows,
        problems,
        problems_total,
    } = preview;
    let around = words::collections_and_modes(&counts);
    let listed = rows.len();
    let total = counts.created + counts.changed + counts.removed;
    let nothing = total == 0 && around.is_empty();
    let truncated = (total as usize > listed).then(|| words::truncated(listed, total));
    let tiles = words::counts(&counts).map(|(count, word)| {
        view! { <div class:none=count == 0><dd>{words::number(count)}</dd><dt>{word}</dt></div> }
    });
    view! {
        <dl class="counts">{tiles.collect_view()}</dl>
        {(!around.is_empty()).then(|| view! { <p class="secondary">{around}</p> })}
        {(keeps_removed && counts.removed > 0).then(|| view! { <p>{words::removals_kept(counts.removed)}</p> })}
        {nothing.then(|| view! { <p>{words::PREVIEW_NOTHING}</p> })}
        {problem_details(panel, problems, problems_total)}
        {truncated.map(|text| view! { <p class="secondary">{text}</p> })}
        {rows_by_collection(panel, plan, rows, drawn)}
    }
    .into_any()
}

/// A line of the list of rows.
#[derive(Clone)]
enum Line {
    Collection(String),
    /// With its place in the preview.
    Row(usize, PreviewRow),
}

fn rows_by_collection(
    panel: Panel,
    plan: u32,
    rows: Vec<PreviewRow>,
    drawn: RwSignal<usize>,
) -> AnyView {
    let mut collections: Vec<(String, Vec<(usize, PreviewRow)>)> = Vec::new();
    for (place, row) in rows.into_iter().enumerate() {
        match collections
            .iter_mut()
            .find(|(name, _)| *name == row.collection)
        {
            Some((_, rows)) => rows.push((place, row)),
            None => collections.push((row.collection.clone(), vec![(place, row)])),
        }
    }
    let lines: Vec<Line> = collections
        .into_iter()
        .flat_map(|(name, rows)| {
            std::iter::once(Line::Collection(name))
                .chain(rows.into_iter().map(|(place, row)| Line::Row(place, row)))
        })
        .collect();
    let total = lines.len();
    let lines = StoredValue::new(lines);
    view! {
        <ul class="plan">
            <For each=move || 0..drawn.get().min(total) key=|at| *at children=move |at| {
                lines.with_value(|lines| lines.get(at).cloned()).map(|drawn| line(panel, plan, drawn))
            }/>
        </ul>
        {move || (drawn.get() < total).then(|| button("quiet", words::SHOW_MORE, move || draw_more(drawn)))}
    }
    .into_any()
}

fn line(panel: Panel, plan: u32, line: Line) -> AnyView {
    match line {
        Line::Collection(name) => {
            let name = if name.is_empty() {
                String::from(words::NO_COLLECTION)
            } else {
                name
            };
            view! { <li class="collection"><h3 class="cut">{name}</h3></li> }.into_any()
        }
        Line::Row(place, row) => variable(panel, plan, place, row),
    }
}

fn variable(panel: Panel, plan: u32, place: usize, row: PreviewRow) -> AnyView {
    let PreviewRow {
        kind,
        name,
        address,
        fields,
        ..
    } = row;
    let class = match kind {
        PreviewKind::Create => "badge create",
        PreviewKind::Change | PreviewKind::Rename => "badge change",
        PreviewKind::Remove => "badge remove",
    };
    let leave_out = match kind {
        PreviewKind::Create | PreviewKind::Change | PreviewKind::Rename => Some(view! {
            <button type="button" class="quiet" aria-label=words::leave_out_of(&name) on:click=move |_| {
                panel.act(Action::LeaveOut { plan, rows: vec![place as u32] });
            }>{words::LEAVE_OUT}</button>
        }),
        PreviewKind::Remove => None,
    };
    let at = name.rfind('/').map_or(0, |at| at + 1);
    let (group, leaf) = name.split_at(at);
    view! {
        <li class="variable">
            <div class="head">
                <span class=class>{words::kind(kind)}</span>
                <span class="cut name" title=name.clone()><span class="secondary">{String::from(group)}</span>{String::from(leaf)}</span>
                {cell(panel, address)}
                {leave_out}
            </div>
            {fields.into_iter().map(field).collect_view()}
        </li>
    }
    .into_any()
}

/// One difference: the field, what Figma holds and what the sheet says.
pub fn field(change: FieldChange) -> AnyView {
    let before = change.before.map(|before| {
        view! {
            <span class="before">{value(&before)}</span>
            <span class="arrow" aria-hidden="true">"→"</span><span class="unseen">{words::BECOMES}</span>
        }
    });
    view! {
        <div class="difference">
            <span class="secondary cut">{change.field}</span>
            <span class="values">{before}<span class="after">{value(&change.after)}</span></span>
        </div>
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
fn cell(panel: Panel, address: String) -> AnyView {
    if address.is_empty() {
        return ().into_any();
    }
    let open = {
        let address = address.clone();
        move |_| {
            panel.act(Action::OpenCell {
                address: address.clone(),
            });
        }
    };
    view! { <button type="button" class="quiet cell" title=words::OPEN_CELL on:click=open>{address}</button> }.into_any()
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
                {cell(panel, problem.address)}" "
                {problem.message}" "<span class="secondary">{problem.remedy}</span>
            </li>
        }
    });
    view! { <ul class="problem-list">{problems.collect_view()}</ul> }.into_any()
}
