//! The copy of a collection: its name, what it will hold, how far it is, how it ended.
//!
//! Owns the form and the progress. Must not know how a copy is made; what may be copied the core says.

use super::{Copying, known};
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::listing::duplicate::need;

/// How the last copy ended, until it is put away.
pub fn ended(panel: Panel) -> impl IntoView {
    let copying = panel.browsing.copying;
    view! {
        <div role="status">{move || match copying.get() {
            Copying::Ended(said) => Some(view! {
                <div class="told"><p>{said}</p>
                    <button type="button" class="quiet" on:click=move |_| copying.set(Copying::No)>{words::DISMISS}</button>
                </div>
            }),
            Copying::No | Copying::Begun | Copying::Under { .. } | Copying::Stopping => None,
        }}</div>
    }
}

/// The form, or the progress while a copy is made.
pub fn form(panel: Panel, at: usize) -> AnyView {
    let browsing = panel.browsing;
    let Some(known) = known(panel) else {
        return ().into_any();
    };
    let listing = &known.listing;
    let collection = listing.collections[at].id.clone();
    let name = RwSignal::new(listing.copy_name(at));
    let known = StoredValue::new(known);
    let checked =
        Memo::new(move |_| known.with_value(|known| known.listing.copy(at, &name.read())));
    let is_under_way = Memo::new(move |_| browsing.copying.read().is_under_way());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if checked.read_untracked().is_ok()
            && !is_under_way.get_untracked()
            && !panel.read_only.get_untracked()
        {
            browsing.duplicate(collection.clone(), name.get_untracked());
        }
    };
    view! {
        <form class="copy" on:submit=submit>
            <label for="copy-name">{words::COPY_NAME}</label>
            <div class="copy-line">
                <input class="field" id="copy-name" aria-describedby="copy-said" prop:value=move || name.get()
                    disabled=move || is_under_way.get() || panel.read_only.get()
                    on:input=move |event| name.set(event_target_value(&event))/>
                <button type="submit" class="primary"
                    disabled=move || checked.read().is_err() || is_under_way.get() || panel.read_only.get()>{words::DUPLICATE}</button>
            </div>
            <div id="copy-said" role="status" class="secondary">
                {move || match &*checked.read() {
                    _ if panel.read_only.get() => view! { <p>{words::READ_ONLY}</p> }.into_any(),
                    Ok(copy) => view! {
                        <p>{words::copy_holds(copy)}</p>
                        {need(copy.modes).map(|need| view! { <p>{words::copy_needs(&need)}</p> })}
                    }.into_any(),
                    Err(problem) => view! { <p>{[&problem.message, " ", &problem.remedy].concat()}</p> }.into_any(),
                }}
            </div>
        </form>
        {move || is_under_way.get().then(|| progress(panel))}
    }
    .into_any()
}

fn progress(panel: Panel) -> AnyView {
    let copying = panel.browsing.copying;
    let counts = move || match *copying.read() {
        Copying::Under { done, total } => Some((done, total)),
        Copying::No | Copying::Begun | Copying::Stopping | Copying::Ended(_) => None,
    };
    view! {
        <div class="progress">
            <span>{move || match &*copying.read() {
                Copying::Stopping => String::from(words::STOPPING_COPY),
                Copying::Under { done, total } => words::copying(*done, *total),
                Copying::No | Copying::Begun | Copying::Ended(_) => String::from(words::COPYING),
            }}</span>
            <button type="button" class="quiet" disabled=move || *copying.read() == Copying::Stopping
                on:click=move |_| panel.browsing.stop_copying()>{words::CANCEL}</button>
        </div>
        <progress aria-label=words::COPYING
            value=move || counts().map(|(done, _)| done.to_string())
            max=move || counts().map(|(_, total)| total.to_string())></progress>
    }
    .into_any()
}
