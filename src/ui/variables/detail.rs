//! One variable or collection, looked at closely.
//!
//! Owns what is said about it: every mode's value with the way to it, description, scopes, code syntax, problems. Must not
//! know how it is found in the list.

use super::list::{LIST, swatch};
use super::{Chosen, copy, known, lead_to};
use crate::{Known, Panel, sandbox, words};
use leptos::prelude::*;
use leptos::web_sys::KeyboardEvent;
use sheetwire_core::listing::chain::End;
use sheetwire_core::listing::problems::Place;

/// The part under the list.
pub fn detail(panel: Panel, chosen: &Chosen) -> AnyView {
    let Some(known) = known(panel) else {
        return ().into_any();
    };
    let found = match chosen {
        Chosen::Variable(id) => known.listing.place(id).map(|at| {
            let name = known.listing.variables[at].name.clone();
            (name, Place::Variable(at), variable(panel, &known, at))
        }),
        Chosen::Collection(id) => {
            let mut own = known.listing.own_collections();
            own.find(|(_, collection)| collection.id == *id)
                .map(|(at, collection)| {
                    let said = collection_said(panel, &known, at);
                    (collection.name.clone(), Place::Collection(at), said)
                })
        }
    };
    // Somebody removed it.
    let Some((name, place, said)) = found else {
        return ().into_any();
    };
    let problems: Vec<_> = known.problems.of(place).cloned().collect();
    let close = move || {
        panel.browsing.chosen.set(None);
        sandbox::focus(LIST);
    };
    view! {
        <section class="detail" aria-label=name.clone() on:keydown=move |event: KeyboardEvent| {
            if event.key() == "Escape" { close(); }
        }>
            <div class="title">
                <h2 class="cut" title=name.clone()>{name.clone()}</h2>
                <button type="button" class="quiet" on:click=move |_| close()>{words::CLOSE}</button>
            </div>
            {(!problems.is_empty()).then(|| view! {
                <ul class="problem-list">{problems.into_iter().map(|wrong| view! {
                    <li>{wrong.message} " " <span class="secondary">{wrong.remedy}</span></li>
                }).collect_view()}</ul>
            })}
            {said}
        </section>
    }
    .into_any()
}

fn fact(name: impl Into<String>, said: impl IntoView) -> impl IntoView {
    let name: String = name.into();
    view! { <dt class="cut" title=name.clone()>{name.clone()}</dt><dd>{said}</dd> }
}

fn variable(panel: Panel, known: &Known, at: usize) -> AnyView {
    let listing = &known.listing;
    let variable = &listing.variables[at];
    let modes = &listing.collection_of(variable).modes;
    let values = modes.iter().enumerate().map(|(mode, name)| {
        let chain = listing.follow(at, mode);
        let way = chain.steps.iter().enumerate().skip(1).map(|(nth, step)| {
            let target = &listing.variables[step.variable];
            let collection = listing.collection_of(target);
            // Of two steps in one collection the mode is the same.
            let before = &listing.variables[chain.steps[nth - 1].variable];
            let through = (target.collection != before.collection)
                .then(|| words::through(collection, step.mode));
            let place = Place::Variable(step.variable);
            let name = target.name.clone();
            let link = if collection.is_own() {
                view! { <button type="button" class="quiet cell" on:click=move |_| lead_to(panel, place)>{name}</button> }.into_any()
            } else {
                view! { <span>{name}</span> }.into_any()
            };
            view! { <span class="step"><span class="secondary" aria-hidden="true">"→ "</span>{link}{through.map(|through| view! { <span class="secondary">{through}</span> })}</span> }
        });
        let way = way.collect_view();
        let last = chain.steps.last().map(|step| {
            let target = &listing.variables[step.variable];
            target.values[step.mode].text(target.variable_type())
        });
        let said = match chain.end {
            End::Value => listing.hex(at, mode).or(last).unwrap_or_default(),
            End::Nothing => String::from(words::NO_VALUE),
            End::Broken => String::from(words::LEADS_NOWHERE),
            End::Circle => String::from(words::CIRCLE),
            End::TooLong => String::from(words::TOO_LONG),
        };
        let opacity = (chain.opacity < 1.0).then(|| words::with_opacity(chain.opacity));
        fact(name.clone(), view! {
            {way}
            <span class="step">{swatch(listing.hex(at, mode))}{said}{opacity.map(|opacity| view! { <span class="secondary">{opacity}</span> })}</span>
        })
    });
    let values = values.collect_view();
    let collection = words::of_collection(&variable.kind, &listing.collection_of(variable).name);
    let code = variable.code.by_platform();
    let code = code
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(platform, text)| fact(words::code(platform), String::from(text)));
    let code = code.collect_view();
    let description = (!variable.description.is_empty())
        .then(|| fact(words::DESCRIPTION, variable.description.clone()));
    view! {
        <p class="secondary">{collection}{variable.hidden.then_some(words::AND_HIDDEN)}</p>
        <dl class="facts">
            {values}{description}
            {fact(words::SCOPES, words::scopes(&variable.scopes))}
            {code}
        </dl>
    }
    .into_any()
}

fn collection_said(panel: Panel, known: &Known, at: usize) -> AnyView {
    let collection = &known.listing.collections[at];
    let count = known.listing.variables_of(at).count();
    view! {
        <p class="secondary">{words::collection_holds(count, collection)}</p>
        {copy::form(panel, at)}
    }
    .into_any()
}
