//! The Real-Time Sync tab.
//!
//! Owns which view is drawn, where the focus goes when it changes, and the pieces that the views share. Must not know
//! what leads from one state to the next: it draws the session's state and hands over what the designer does.

mod choose;
pub mod columns;
mod connected;
mod differences;
mod history;
pub mod lies;
pub mod preview;
mod signin;
mod sources;
mod threshold;
pub mod tree;
mod two_way;
pub mod types;

use crate::{Panel, Tab, sandbox, words};
use leptos::prelude::*;
use leptos::web_sys::{Event, HtmlElement};
use sheetwire_core::flags::Decision;
use sheetwire_core::session::{Action, Notice, State};
use wasm_bindgen::JsCast as _;

/// Where the focus goes when the view changes.
const HEADING: &str = "sync-heading";

/// Which view is drawn. Changes within a state leave the view, its focus and what was typed alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Off(Decision),
    ReadOnly,
    SignedOut,
    SigningIn,
    ChoosingSpreadsheet,
    ChoosingSheet,
    Reading,
    ConfirmingColumns,
    Previewing,
    Connected,
    Dead,
}

impl Shown {
    fn of(state: &State) -> Shown {
        match state {
            State::Off(decision) => Shown::Off(*decision),
            State::ReadOnly => Shown::ReadOnly,
            State::SignedOut => Shown::SignedOut,
            State::SigningIn { .. } => Shown::SigningIn,
            State::ChoosingSpreadsheet { .. } => Shown::ChoosingSpreadsheet,
            State::ChoosingSheet { .. } => Shown::ChoosingSheet,
            State::Reading => Shown::Reading,
            State::ConfirmingColumns { .. } => Shown::ConfirmingColumns,
            State::Previewing(_) => Shown::Previewing,
            State::Connected(_) => Shown::Connected,
            State::Dead { .. } => Shown::Dead,
        }
    }
}

/// The tab's contents.
#[component]
pub fn RealTimeSync(panel: Panel) -> impl IntoView {
    let shown = Memo::new(move |_| Shown::of(&panel.session.read()));
    Effect::new(move |before: Option<Shown>| {
        let now = shown.get();
        let moved = before.is_some_and(|before| !matches!(before, Shown::Off(_)) && before != now);
        if moved && panel.tab.get_untracked() == Tab::Sync {
            request_animation_frame(|| sandbox::focus(HEADING));
        }
        now
    });
    view! {
        <div role="status">{move || panel.session_notice.get().map(|notice| told(panel, notice))}</div>
        {move || match shown.get() {
            Shown::Off(decision) => off(decision),
            Shown::ReadOnly => standing(words::SYNC_READ_ONLY, words::SYNC_READ_ONLY_REMEDY),
            Shown::SignedOut => signin::signed_out(panel),
            Shown::SigningIn => signin::signing_in(panel),
            Shown::ChoosingSpreadsheet => choose::spreadsheet(panel),
            Shown::ChoosingSheet => choose::sheet(panel),
            Shown::Reading => reading(panel),
            Shown::ConfirmingColumns => columns::confirm(panel),
            Shown::Previewing => preview::first(panel),
            Shown::Connected => connected::connected(panel),
            Shown::Dead => dead(panel),
        }}
    }
}

/// What the designer is told beside the state, until it is put away.
fn told(panel: Panel, notice: Notice) -> AnyView {
    view! {
        <div class="told">
            <p>{notice.message}{notice.remedy.map(|remedy| [" ", remedy.as_str()].concat())}</p>
            {button("quiet", words::DISMISS, move || panel.act(Action::DismissNotice))}
        </div>
    }
    .into_any()
}

fn off(decision: Decision) -> AnyView {
    view! {
        <div class="empty" aria-disabled="true">
            <h2 id=HEADING tabindex="-1" class="unseen">{words::OFF}</h2>
            <p>{words::disabled(decision)}</p>
        </div>
    }
    .into_any()
}

/// A view that only says something.
fn standing(title: &'static str, remedy: &'static str) -> AnyView {
    view! {
        <div class="view centred">
            {heading(title)}
            <p class="secondary">{remedy}</p>
        </div>
    }
    .into_any()
}

fn dead(panel: Panel) -> AnyView {
    let message = move || match &*panel.session.read() {
        State::Dead { message } => Some(message.clone()),
        State::Off(_)
        | State::ReadOnly
        | State::SignedOut
        | State::SigningIn { .. }
        | State::ChoosingSpreadsheet { .. }
        | State::ChoosingSheet { .. }
        | State::Reading
        | State::ConfirmingColumns { .. }
        | State::Previewing(_)
        | State::Connected(_) => None,
    };
    view! {
        <div class="view centred" role="alert">
            {heading(words::DEAD)}
            <p>{words::DEAD_REMEDY}</p>
            <p class="secondary">{message}</p>
        </div>
    }
    .into_any()
}

fn reading(panel: Panel) -> AnyView {
    page(
        view! {
            {heading(words::READING)}
            <progress aria-labelledby=HEADING></progress>
            <p class="secondary">{words::READING_WHAT}</p>
        }
        .into_any(),
        button("plain", words::BACK, move || panel.act(Action::Back)),
        None,
    )
}

/// The heading of a view, which takes the focus when the view comes.
fn heading(title: impl Into<Signal<String>>) -> AnyView {
    let title = title.into();
    view! { <h2 id=HEADING tabindex="-1">{move || title.get()}</h2> }.into_any()
}

/// A button: `kind` is `primary`, `plain`, `danger` or `quiet`.
pub fn button(
    kind: &'static str,
    label: impl Into<Signal<String>>,
    press: impl Fn() + 'static,
) -> AnyView {
    enabled_button(kind, label, true, press)
}

/// A button that is not always to be pressed.
pub fn enabled_button(
    kind: &'static str,
    label: impl Into<Signal<String>>,
    enabled: impl Into<Signal<bool>>,
    press: impl Fn() + 'static,
) -> AnyView {
    let (label, enabled) = (label.into(), enabled.into());
    let press: Box<dyn Fn()> = Box::new(press);
    view! {
        <button type="button" class=kind disabled=move || !enabled.get() on:click=move |_| press()>
            {move || label.get()}
        </button>
    }
    .into_any()
}

/// A view: what scrolls, and the buttons that stay under it. `tree` is the tree in it, which draws what is in the view.
pub fn page(body: AnyView, actions: AnyView, tree: Option<tree::Tree>) -> AnyView {
    let scrolled = move |event: Event| {
        let Some(tree) = tree else {
            return;
        };
        let view = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok());
        if let Some(view) = view {
            tree.scrolled(&view);
        }
    };
    view! {
        <div class="view" on:scroll=scrolled>{body}</div>
        <div class="actions">{actions}</div>
    }
    .into_any()
}

/// Who is signed in, and the way out.
fn account(panel: Panel) -> AnyView {
    view! {
        <p class="account">
            <span class="cut">{move || panel.account.get().map(|account| words::signed_in_as(&account))}</span>
            {button("quiet", words::SIGN_OUT, move || panel.act(Action::SignOut))}
        </p>
    }
    .into_any()
}
