//! What is wrong with the file's variables, listed.
//!
//! Owns how a problem is drawn and where it leads. Must not know the rules.

use super::{known, lead_to};
use crate::{Panel, words};
use leptos::prelude::*;

/// Most problems that are drawn; more are counted.
const DRAWN_MAX: usize = 200;

/// The list; each leads to what it is about.
pub fn list(panel: Panel) -> AnyView {
    let Some(known) = known(panel) else {
        return ().into_any();
    };
    let listed = known.problems.listed.iter().take(DRAWN_MAX).map(|wrong| {
        let place = wrong.place;
        view! {
            <li>
                <button type="button" class="quiet cell cut" on:click=move |_| lead_to(panel, place)>{wrong.name.clone()}</button>
                <p>{wrong.message.clone()} " " <span class="secondary">{wrong.remedy.clone()}</span></p>
            </li>
        }
    });
    let listed = listed.collect_view();
    let more = known.problems.total.saturating_sub(DRAWN_MAX);
    view! {
        <div class="wrongs" role="region" aria-label=words::PROBLEMS tabindex="0">
            <ul>{listed}</ul>
            {(more > 0).then(|| view! { <p class="secondary">{words::more_problems(more)}</p> })}
        </div>
    }
    .into_any()
}
