//! Two-way sync: the opt-in, and what becomes of the cells that go to the sheet.
//!
//! Owns these views. Must not know which cells go, or when.

use super::button;
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::session::{Action, Connected, Hold, Sending};

/// Names the switch.
const LABEL: &str = "two-way-label";
/// Says what is sent.
const WHAT: &str = "two-way-what";

/// The switch of this file, with what it does.
pub fn opt_in(
    panel: Panel,
    two_way: Memo<Option<bool>>,
    sending: Memo<Option<Sending>>,
) -> AnyView {
    let is_on = move || two_way.get().unwrap_or_default();
    let is_asking = move || sending.get() == Some(Sending::Switching);
    let press = move |_| {
        panel.act(Action::SetTwoWay {
            on: !untrack(is_on),
        });
    };
    view! {
        <div class="two-way">
            <div class="title">
                <span id=LABEL>{words::TWO_WAY}</span>
                <button type="button" role="switch" class="switch" aria-labelledby=LABEL aria-describedby=WHAT
                    aria-checked=move || if is_on() { "true" } else { "false" }
                    disabled=is_asking on:click=press>
                    <span></span>
                </button>
            </div>
            <p class="secondary" id=WHAT>{words::TWO_WAY_WHAT}</p>
        </div>
    }
    .into_any()
}

/// Why nothing is sent to tabs, with their names where several feed the file.
pub type Held = Vec<(Hold, Vec<String>)>;

/// The tabs to which nothing is sent, by why.
pub fn held(connected: &Connected) -> Held {
    let names = connected.connection.tab_names();
    let mut held: Held = Vec::new();
    for (sheet, hold) in &connected.held {
        let Some(at) = connected.connection.place_of(sheet) else {
            continue;
        };
        let name = names.get(at).filter(|_| names.len() > 1).cloned();
        match held.iter_mut().find(|(other, _)| other == hold) {
            Some((_, tabs)) => tabs.extend(name),
            None => held.push((*hold, name.into_iter().collect())),
        }
    }
    held
}

/// What becomes of the cells that go to the sheet, while there is something to say.
pub fn state(panel: Panel, sending: Memo<Option<Sending>>, held: Memo<Option<Held>>) -> AnyView {
    let now = move || match sending.get().unwrap_or_default() {
        Sending::Idle => ().into_any(),
        Sending::Switching => {
            view! { <p class="secondary" role="status">{words::TWO_WAY_ASKING}</p> }.into_any()
        }
        Sending::Cells(cells) => view! { <p role="status">{words::sending(cells)}</p> }.into_any(),
    };
    let cards = move || {
        let held = held.get().unwrap_or_default().into_iter();
        held.map(|(hold, tabs)| card(panel, hold, &tabs))
            .collect_view()
    };
    view! { {now} {cards} }.into_any()
}

fn card(panel: Panel, hold: Hold, tabs: &[String]) -> AnyView {
    let (what, label, action) = match hold {
        Hold::NotAllowed => (
            words::NOT_ALLOWED_WHAT,
            words::ALLOW,
            Action::SetTwoWay { on: true },
        ),
        Hold::ReadOnly => (
            words::SHEET_READ_ONLY_WHAT,
            words::TRY_AGAIN,
            Action::SetTwoWay { on: true },
        ),
        Hold::Failed => (words::NOT_SENT_WHAT, words::SYNC_NOW, Action::SyncNow),
    };
    let press = move || panel.act(action.clone());
    view! {
        <div class="card" role="status">
            <p><b>{words::held(hold, tabs)}</b></p>
            <p>{what}</p>
            {button("plain", label, press)}
        </div>
    }
    .into_any()
}
