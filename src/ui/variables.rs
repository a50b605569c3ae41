//! The Variables tab: collections, groups and values, searched and scrolled.
//!
//! Owns how variables are listed. Must not know where they come from. Rows are drawn when they come into view, so a
//! file with thousands of variables opens as fast as a small one.

use crate::{Listing, Panel, words};
use leptos::prelude::*;
use leptos::web_sys::{Event, HtmlElement};
use sheetwire_core::protocol::panel::CollectionView;
use wasm_bindgen::JsCast as _;

/// Height of a row in CSS pixels; the style sheet has the same.
const ROW_PX: usize = 32;
/// Rows drawn beyond each edge of the view.
const OVERSCAN: usize = 10;

/// One line of the list.
#[derive(Clone, PartialEq)]
enum Line {
    Collection {
        name: String,
        modes: String,
        count: usize,
    },
    Variable {
        group: String,
        leaf: String,
        values: Vec<String>,
    },
}

fn lines(collections: &[CollectionView], search: &str) -> Vec<Line> {
    let search = search.trim().to_lowercase();
    let mut lines = Vec::new();
    for collection in collections {
        let found: Vec<_> = collection
            .variables
            .iter()
            .filter(|variable| search.is_empty() || variable.name.to_lowercase().contains(&search))
            .collect();
        if found.is_empty() && !search.is_empty() {
            continue;
        }
        lines.push(Line::Collection {
            name: collection.name.clone(),
            modes: collection.modes.join(", "),
            count: found.len(),
        });
        lines.extend(found.into_iter().map(|variable| {
            let (group, leaf) = variable
                .name
                .rsplit_once('/')
                .unwrap_or(("", &variable.name));
            Line::Variable {
                group: if group.is_empty() {
                    String::new()
                } else {
                    [group, "/"].concat()
                },
                leaf: String::from(leaf),
                values: variable.values.clone(),
            }
        }));
    }
    lines
}

/// The list with its search field.
#[component]
pub fn Variables(panel: Panel) -> impl IntoView {
    let search = panel.search;
    let scrolled = RwSignal::new((0_usize, 20_usize));
    let all = Memo::new(move |_| match &*panel.listing.read() {
        Listing::Ready(collections) => lines(collections, &search.read()),
        Listing::Loading | Listing::Failed(_) => Vec::new(),
    });
    let on_scroll = move |event: Event| {
        if let Some(view) = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        {
            let first = usize::try_from(view.scroll_top()).unwrap_or(0) / ROW_PX;
            let shown = usize::try_from(view.client_height()).unwrap_or(0) / ROW_PX + 1;
            scrolled.set((first, shown));
        }
    };
    let message = move || match &*panel.listing.read() {
        Listing::Loading => Some(String::from(words::LOADING)),
        Listing::Failed(why) => Some(why.clone()),
        Listing::Ready(collections) if collections.is_empty() => {
            Some(String::from(words::NO_VARIABLES))
        }
        Listing::Ready(_) if all.read().is_empty() => Some(String::from(words::NOTHING_FOUND)),
        Listing::Ready(_) => None,
    };
    let drawn = move || {
        let (first, shown) = scrolled.get();
        let from = first.saturating_sub(OVERSCAN);
        all.read()
            .iter()
            .enumerate()
            .skip(from)
            .take(shown + 2 * OVERSCAN)
            .map(|(index, line)| row(index, line))
            .collect_view()
    };
    view! {
        <div class="search">
            <input type="search" aria-label=words::SEARCH placeholder=words::SEARCH
                prop:value=move || search.get()
                on:input=move |event| search.set(event_target_value(&event))/>
        </div>
        <p class="read-only" hidden=move || !panel.read_only.get()>{words::READ_ONLY}</p>
        <p class="empty" role="status" hidden=move || message().is_none()>{message}</p>
        <div class="list" tabindex="0" role="list" aria-label=words::TAB_VARIABLES on:scroll=on_scroll
            hidden=move || all.read().is_empty()>
            <div class="rows" style:height=move || [(all.read().len() * ROW_PX).to_string().as_str(), "px"].concat()>{drawn}</div>
        </div>
    }
}

fn row(index: usize, line: &Line) -> AnyView {
    let top = [(index * ROW_PX).to_string().as_str(), "px"].concat();
    match line.clone() {
        Line::Collection { name, modes, count } => view! {
            <div class="row collection" role="listitem" style:top=top>
                <span class="name">{name}</span>
                <span class="count">{count}</span>
                <span class="modes">{modes}</span>
            </div>
        }
        .into_any(),
        Line::Variable {
            group,
            leaf,
            values,
        } => view! {
            <div class="row" role="listitem" style:top=top>
                <span class="name"><span class="group">{group}</span>{leaf}</span>
                {values.into_iter().map(value).collect_view()}
            </div>
        }
        .into_any(),
    }
}

fn value(text: String) -> AnyView {
    let color = text.starts_with('#').then(|| text.clone());
    let title = text.clone();
    view! {
        <span class="value" title=title>
            {color.map(|color| view! { <i class="swatch" style:--fill=color></i> })}
            {text}
        </span>
    }
    .into_any()
}
