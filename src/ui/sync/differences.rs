//! Values in which sheet and Figma differ and nothing is written: side by side, with a choice.
//!
//! Owns this list and the file's policy. Must not know how a difference is told apart from an edit.

use super::preview::value;
use super::{HEADING, button};
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::protocol::panel::{
    Choice, Difference, DifferenceKind, Differences, DriftPolicy, MergePolicy, Unsent,
};
use sheetwire_core::session::Action;

/// The list, or nothing where nothing differs. `two_way`: Figma's may be sent to the sheet.
pub fn list(panel: Panel, differences: Differences, two_way: bool) -> AnyView {
    let Differences {
        list,
        items,
        drifts,
        conflicts,
    } = differences;
    let total = (drifts + conflicts) as usize;
    if total == 0 {
        return ().into_any();
    }
    let resolve = move |items: Vec<u32>, choice| {
        panel.act(Action::Resolve {
            list,
            items,
            choice,
        });
    };
    let truncated = (total > items.len()).then(|| words::differences_truncated(items.len()));
    // Keeping what was changed in Figma alone is what happens anyway.
    let keep_all = (conflicts > 0).then(|| {
        button("plain", words::KEEP_FIGMAS_FOR_ALL, move || {
            resolve(Vec::new(), Choice::Figma)
        })
    });
    let send_all = items.iter().any(|item| may_send(two_way, item)).then(|| {
        button("plain", words::SEND_ALL, move || {
            resolve(Vec::new(), Choice::Send)
        })
    });
    let items = items.into_iter().enumerate().map(|(at, item)| {
        difference(item, two_way, move |choice| {
            resolve(vec![at as u32], choice);
        })
    });
    view! {
        <details class="card differences" open=conflicts != 0>
            <summary><span role="status">{words::differences(conflicts, drifts)}</span></summary>
            <div class="buttons">
                {send_all}
                {keep_all}
                {button("plain", words::USE_SHEETS_FOR_ALL, move || resolve(Vec::new(), Choice::Sheet))}
            </div>
            <ul class="plan">{items.collect_view()}</ul>
            {truncated.map(|text| view! { <p class="secondary">{text}</p> })}
        </details>
    }
    .into_any()
}

/// Whether a difference can be sent to the sheet, perhaps once more.
fn may_send(two_way: bool, item: &Difference) -> bool {
    let again = match item.unsent {
        None | Some(Unsent::Protected | Unsent::Changed | Unsent::Outside) => true,
        Some(
            Unsent::Name
            | Unsent::Formula
            | Unsent::Empty
            | Unsent::Spaces
            | Unsent::Foreign
            | Unsent::Unwritable
            | Unsent::Shared
            | Unsent::Long,
        ) => false,
    };
    two_way && again
}

fn difference(
    item: Difference,
    two_way: bool,
    choose: impl Fn(Choice) + Copy + Send + 'static,
) -> AnyView {
    let send = may_send(two_way, &item)
        .then(|| button("plain", words::SEND, move || choose(Choice::Send)));
    let Difference {
        kind,
        name,
        address,
        values,
        collection,
        unsent,
    } = item;
    let (class, word, keep) = match kind {
        DifferenceKind::Drift => ("badge change", words::CHANGED_IN_FIGMA, None),
        DifferenceKind::Conflict => (
            "badge remove",
            words::CHANGED_IN_BOTH,
            Some(button("plain", words::KEEP_FIGMAS, move || {
                choose(Choice::Figma)
            })),
        ),
    };
    let title = [&collection, ": ", &name].concat();
    view! {
        <li class="variable">
            <div class="head">
                <span class="cut name" title=title>{name}</span>
                <span class="secondary address">{address}</span>
            </div>
            <p><span class=class>{word}</span>" "<span class="secondary">{values.field}</span></p>
            <dl class="sides">
                <dt>{words::FIGMA_HOLDS}</dt><dd>{value(&values.before.unwrap_or_default())}</dd>
                <dt>{words::SHEET_SAYS}</dt><dd>{value(&values.after)}</dd>
            </dl>
            {unsent.map(|unsent| view! { <p class="secondary">{words::unsent(unsent)}</p> })}
            <div class="buttons">
                {send}
                {keep}
                {button("plain", words::USE_SHEETS, move || choose(Choice::Sheet))}
            </div>
        </li>
    }
    .into_any()
}

/// What becomes of changes made in Figma, for this file.
pub fn policy(
    panel: Panel,
    policy: Memo<Option<MergePolicy>>,
    two_way: Memo<Option<bool>>,
) -> AnyView {
    let now = move || policy.get().unwrap_or_default();
    let set = move |change: fn(&mut MergePolicy, usize), at: String| {
        let mut policy = untrack(now);
        if let Ok(at) = at.parse() {
            change(&mut policy, at);
            panel.act(Action::SetPolicy { policy });
        }
    };
    // Nothing is sent before two-way sync is on.
    let may_be = move |policy: DriftPolicy| match policy {
        DriftPolicy::Keep | DriftPolicy::Overwrite => true,
        DriftPolicy::Push => two_way.get().unwrap_or_default(),
    };
    let drifts = move || {
        let policies = words::POLICIES_DRIFT.into_iter().enumerate();
        let may_be = policies.filter(|(_, (policy, _))| may_be(*policy));
        may_be
            .map(|(at, (policy, word))| {
                view! { <option value=at.to_string() selected=move || now().drift == policy>{word}</option> }
            })
            .collect_view()
    };
    let conflicts = words::POLICIES_CONFLICT.into_iter().enumerate().map(move |(at, (policy, word))| {
        view! { <option value=at.to_string() selected=move || now().conflict == policy>{word}</option> }
    });
    view! {
        <div class="policy" role="group" aria-labelledby=HEADING>
            <label><span>{words::POLICY_DRIFT}</span>
                <select class="field" on:change=move |event| set(|policy, at| {
                    if let Some((drift, _)) = words::POLICIES_DRIFT.get(at) { policy.drift = *drift; }
                }, event_target_value(&event))>{drifts}</select>
            </label>
            <label><span>{words::POLICY_CONFLICT}</span>
                <select class="field" on:change=move |event| set(|policy, at| {
                    if let Some((conflict, _)) = words::POLICIES_CONFLICT.get(at) { policy.conflict = *conflict; }
                }, event_target_value(&event))>{conflicts.collect_view()}</select>
            </label>
        </div>
    }
    .into_any()
}
