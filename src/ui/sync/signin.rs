//! Before and during the sign-in.
//!
//! Owns these two views. Must not know how a sign-in goes or how a page is opened.

use super::{button, enabled_button, heading, page};
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::session::{Action, State};

/// Nobody is signed in.
pub fn signed_out(panel: Panel) -> AnyView {
    view! {
        <div class="view centred">
            {heading(words::SIGNED_OUT)}
            <p>{words::SIGNED_OUT_WHAT}</p>
            {button("primary", words::SIGN_IN_WITH_GOOGLE, move || panel.act(Action::SignIn))}
            <p class="secondary">{words::SIGNED_OUT_KEPT}</p>
        </div>
    }
    .into_any()
}

/// A sign-in waits for the browser.
pub fn signing_in(panel: Panel) -> AnyView {
    let code = Memo::new(move |_| {
        if let State::SigningIn { code, .. } = &*panel.session.read() {
            code.clone()
        } else {
            String::new()
        }
    });
    let has_url = Memo::new(
        move |_| matches!(&*panel.session.read(), State::SigningIn { url, .. } if !url.is_empty()),
    );
    page(
        view! {
            {heading(words::SIGNING_IN)}
            <p>{words::COMPARE_CODE}</p>
            <div role="status" class="code-box">
                {move || match code.get() {
                    code if code.is_empty() => view! { <p class="secondary">{words::CODE_COMING}</p> }.into_any(),
                    code => view! { <p class="code"><span class="unseen">{words::CODE}": "</span>{code}</p> }.into_any(),
                }}
            </div>
            {enabled_button("primary wide", words::OPEN_SIGN_IN, has_url, move || panel.act(Action::OpenSignIn))}
            <p class="secondary">{words::WAITING_FOR_BROWSER}</p>
        }
        .into_any(),
        button("plain", words::CANCEL, move || panel.act(Action::CancelSignIn)),
        None,
    )
}
