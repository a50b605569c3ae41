//! Variables whose type would change: what that costs, and which of them the designer wants.
//!
//! Owns the choice of a plan's rows. Must not know which rows can be chosen, or how layers are counted.

use super::preview::cell;
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::protocol::panel::{PreviewKind, PreviewRow};
use std::collections::BTreeSet;

/// Most rows to choose from at once; the others keep their types until then.
const LISTED_MAX: usize = 100;

/// The chosen rows, by their places in the plan of a number. Another plan begins with none.
#[derive(Clone, Copy)]
pub struct Chosen(RwSignal<(u32, BTreeSet<u32>)>);

impl Chosen {
    /// Nothing is chosen.
    pub fn new() -> Chosen {
        Chosen(RwSignal::new((0, BTreeSet::new())))
    }

    /// What is chosen of a plan.
    pub fn of(self, plan: u32) -> Vec<u32> {
        let (number, chosen) = &*self.0.read();
        if *number == plan {
            chosen.iter().copied().collect()
        } else {
            Vec::new()
        }
    }

    fn set(self, plan: u32, place: u32, is_chosen: bool) {
        self.0.update(|(number, chosen)| {
            if *number != plan {
                *number = plan;
                chosen.clear();
            }
            if is_chosen {
                chosen.insert(place);
            } else {
                chosen.remove(&place);
            }
        });
    }
}

/// The rows of a plan whose types would change, each with a box to tick; nothing where there are none.
pub fn list(panel: Panel, plan: u32, rows: &[PreviewRow], chosen: Chosen) -> AnyView {
    let retypes: Vec<(u32, &PreviewRow)> = (0..)
        .zip(rows)
        .filter(|(_, row)| row.kind == PreviewKind::Retype)
        .collect();
    if retypes.is_empty() {
        return ().into_any();
    }
    let more = (retypes.len() > LISTED_MAX).then(|| words::problems_truncated(LISTED_MAX));
    let rows = retypes.into_iter().take(LISTED_MAX).map(|(place, row)| {
        let change = row.fields.iter().find(|change| change.field == "type");
        let types = change.map_or_else(String::new, |change| {
            words::type_change(change.before.as_deref().unwrap_or_default(), &change.after)
        });
        let name = [&row.collection, ": ", &row.name].concat();
        view! {
            <li>
                <label>
                    <input type="checkbox" prop:checked=move || chosen.of(plan).contains(&place)
                        on:change=move |event| chosen.set(plan, place, event_target_checked(&event))/>
                    <span class="cut name" title=name>{row.name.clone()}</span>
                    <span class="secondary">{types}</span>
                </label>
                {cell(panel, row.address.clone(), false)}
                {row.uses.as_ref().map(|uses| view! { <p class="secondary">{words::uses(uses)}</p> })}
            </li>
        }
    });
    view! {
        <fieldset class="types">
            <legend>{words::TYPES}</legend>
            <p>{words::TYPES_WHAT}</p>
            <ul>{rows.collect_view()}</ul>
            {more.map(|text| view! { <p class="secondary">{text}</p> })}
        </fieldset>
    }
    .into_any()
}
