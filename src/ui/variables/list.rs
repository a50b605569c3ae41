//! The list of variables: a tree whose lines have a column for each mode.
//!
//! Owns folding, the keyboard, and which lines are drawn. Must not know what a value means. All lines are of one height and
//! only those near the view are drawn, so that a file with thousands of variables opens as fast as a small one. The tree
//! has one stop for the Tab key; inside it the active line moves (<https://www.w3.org/WAI/ARIA/apg/patterns/treeview/>).

use super::{Browsing, Chosen, known};
use crate::{Known, Listing, Panel, sandbox, words};
use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::web_sys::{Event, HtmlElement, KeyboardEvent};
use sheetwire_core::listing::problems::Place;
use sheetwire_core::listing::tree::{Shown, What};
use sheetwire_core::listing::{Given, chain};
use std::sync::Arc;
use wasm_bindgen::JsCast as _;

/// Where the focus is while the keyboard moves in the list.
pub const LIST: &str = "variable-list";
/// What scrolls.
const SCROLLER: &str = "variable-scroller";
/// Height of a line in CSS pixels; the style sheet has the same.
const LINE_PX: i32 = 28;
/// Lines drawn beyond each edge of the view.
const OVERSCAN: usize = 8;
/// By how many lines what is drawn moves.
const LINES_A_STEP: usize = 4;
/// Fewest lines drawn, so that a panel that grows has no gap before it is scrolled.
pub const DRAWN_MIN: usize = 32;
/// Lines that PageUp and PageDown move by.
const PAGE_LINES: usize = 12;

/// The choice of one collection.
pub fn only(panel: Panel) -> impl IntoView {
    let browsing = panel.browsing;
    let choices = Memo::new(move |_| {
        known(panel).map_or(Vec::new(), |known| {
            let own = known.listing.own_collections();
            own.map(|(_, collection)| (collection.id.clone(), collection.name.clone()))
                .collect()
        })
    });
    view! {
        <select class="field" aria-label=words::WHICH_COLLECTION hidden=move || choices.read().len() < 2
            prop:value=move || browsing.only.get().unwrap_or_default()
            on:change=move |event| {
                let id = event_target_value(&event);
                browsing.only.set((!id.is_empty()).then_some(id));
                browsing.shows_problems.set(false);
                to_top(browsing);
            }>
            <option value="" selected=move || browsing.only.read().is_none()>{words::ALL_COLLECTIONS}</option>
            {move || choices.get().into_iter().map(|(id, name)| {
                let value = id.clone();
                view! { <option value=value selected=move || browsing.only.read().as_ref() == Some(&id)>{name}</option> }
            }).collect_view()}
        </select>
    }
}

/// The list begins anew: another search, another collection.
pub fn to_top(browsing: Browsing) {
    browsing.active.set(0);
    if let Some(view) = element(SCROLLER) {
        view.set_scroll_top(0);
        scrolled(browsing, &view);
    }
}

fn element(id: &str) -> Option<HtmlElement> {
    let document = leptos::web_sys::window()?.document()?;
    document.get_element_by_id(id)?.dyn_into().ok()
}

fn scrolled(browsing: Browsing, view: &HtmlElement) {
    let lines = |px: i32| usize::try_from(px / LINE_PX).unwrap_or(0);
    let window = (
        lines(view.scroll_top()),
        (lines(view.client_height()) + 1).max(DRAWN_MIN),
    );
    if browsing.window.get_untracked() != window {
        browsing.window.set(window);
    }
}

/// Makes a line the active one and brings it into the view, under the heading that stays.
fn go(browsing: Browsing, line: usize) {
    browsing.active.set(line);
    let Some(view) = element(SCROLLER) else {
        return;
    };
    let top = i32::try_from(line).unwrap_or(0) * LINE_PX;
    if top < view.scroll_top() + LINE_PX {
        view.set_scroll_top(top - LINE_PX);
    } else if top + LINE_PX > view.scroll_top() + view.client_height() {
        view.set_scroll_top(top + LINE_PX - view.client_height());
    }
    scrolled(browsing, &view);
}

/// Makes the line of a variable or a collection the active one, once it is drawn.
pub fn go_to(panel: Panel, place: Place) {
    let wanted = match place {
        Place::Collection(at) => What::Collection(at),
        Place::Variable(at) => What::Variable(at),
    };
    request_animation_frame(move || {
        let lines = untrack(|| lines(panel));
        let found = lines.iter().position(|shown| shown.line.what == wanted);
        if let Some(at) = found {
            go(panel.browsing, at);
        }
        sandbox::focus(LIST);
    });
}

/// The lines that are listed.
fn lines(panel: Panel) -> Vec<Shown> {
    let browsing = panel.browsing;
    let Some(known) = known(panel) else {
        return Vec::new();
    };
    let only = browsing.only.read();
    let only = only.as_ref().and_then(|id| {
        let mut all = known.listing.own_collections();
        all.find(|(_, collection)| collection.id == *id)
            .map(|(at, _)| at)
    });
    known
        .tree
        .lines(&browsing.search.read(), only, &browsing.closed.read())
}

/// What a key does to the lines.
enum Move {
    To(usize),
    Toggle,
    Choose,
    Close,
    Nothing,
}

fn moved(key: &str, active: usize, lines: &[Shown]) -> Option<Move> {
    let line = lines.get(active)?.line;
    let last = lines.len() - 1;
    Some(match key {
        "ArrowDown" => Move::To((active + 1).min(last)),
        "ArrowUp" => Move::To(active.saturating_sub(1)),
        "Home" => Move::To(0),
        "End" => Move::To(last),
        "PageDown" => Move::To((active + PAGE_LINES).min(last)),
        "PageUp" => Move::To(active.saturating_sub(PAGE_LINES)),
        "ArrowRight" => match line.is_open {
            Some(false) => Move::Toggle,
            Some(true) => Move::To((active + 1).min(last)),
            None => Move::Nothing,
        },
        "ArrowLeft" if line.is_open == Some(true) => Move::Toggle,
        "ArrowLeft" => {
            let above = lines[..active]
                .iter()
                .rposition(|shown| shown.line.level < line.level);
            above.map_or(Move::Nothing, Move::To)
        }
        " " => Move::Toggle,
        "Enter" => Move::Choose,
        "Escape" => Move::Close,
        _ => return None,
    })
}

/// The list, and what is said in its place while there is none.
pub fn list(panel: Panel) -> impl IntoView {
    let browsing = panel.browsing;
    let lines = Memo::new(move |_| lines(panel));
    let total = Memo::new(move |_| lines.read().len());
    let active = move || browsing.active.get().min(total.get().saturating_sub(1));
    // In steps, so that most scrolled pixels draw nothing.
    let range = Memo::new(move |_| {
        let (first, held) = browsing.window.get();
        let to = (first + held + OVERSCAN)
            .next_multiple_of(LINES_A_STEP)
            .min(total.get());
        let from = first.saturating_sub(OVERSCAN) / LINES_A_STEP * LINES_A_STEP;
        (from.min(to), to)
    });
    let drawn = move || {
        let (from, to) = range.get();
        let lines = lines.read();
        let turn = known(panel).map_or(0, |known| known.turn);
        (from..to.min(lines.len()))
            .map(|index| (index, lines[index], turn))
            .collect::<Vec<_>>()
    };
    let message = move || match &*panel.listing.read() {
        Listing::Loading => Some(String::from(words::LOADING)),
        Listing::Failed(why) => Some(why.clone()),
        Listing::Ready(known) if known.listing.own_collections().next().is_none() => {
            Some(String::from(words::NO_VARIABLES))
        }
        Listing::Ready(_) if total.get() == 0 => Some(String::from(words::NOTHING_FOUND)),
        Listing::Ready(_) => None,
    };
    let failed = move || matches!(&*panel.listing.read(), Listing::Failed(_));
    let pressed = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let at = untrack(active);
        let Some(step) = moved(&event.key(), at, &lines.read_untracked()) else {
            return;
        };
        event.prevent_default();
        let shown = lines.read_untracked()[at];
        match step {
            Move::To(line) => go(browsing, line),
            Move::Toggle => toggle(panel, &shown),
            Move::Choose => choose(panel, &shown),
            Move::Close => browsing.chosen.set(None),
            Move::Nothing => {}
        }
    };
    // The collection whose modes stand over the first line in the view.
    let heading = Memo::new(move |_| {
        let (first, _) = browsing.window.get();
        lines.read().get(first).map(|shown| shown.line.collection)
    });
    let stuck = move || {
        let known = known(panel)?;
        let at = heading.get()?;
        let collection = known.listing.collections.get(at)?;
        Some(view! {
            <div class="line collection stuck" aria-hidden="true" style:--modes=collection.modes.len().to_string()>
                <span class="name"><span class="fold none"></span><span class="cut">{collection.name.clone()}</span></span>
                {modes(&collection.modes)}
            </div>
        })
    };
    view! {
        <div class="empty" role="status" hidden=move || message().is_none()>
            <p>{message}</p>
            <button type="button" class="plain" hidden=move || !failed() on:click=move |_| crate::list_again(panel)>{words::TRY_AGAIN}</button>
        </div>
        <div class="scroller" id=SCROLLER hidden=move || total.get() == 0
            on:scroll=move |event: Event| {
                if let Some(view) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) {
                    scrolled(browsing, &view);
                }
            }>
            {stuck}
            <div class="tree columns-of-modes" id=LIST role="tree" tabindex="0" aria-label=words::TAB_VARIABLES aria-describedby="list-keys"
                aria-activedescendant=move || {
                    let (active, (from, to)) = (active(), range.get());
                    (from..to).contains(&active).then(|| line_id(active))
                }
                style:height=move || [(total.get() * LINE_PX as usize).to_string().as_str(), "px"].concat()
                on:keydown=pressed>
                <For each=drawn key=|line| *line children=move |(index, shown, _)| {
                    let Some(known) = known(panel) else { return ().into_any() };
                    let line = shown.line;
                    // Not among the attributes that the view macro knows.
                    let level = custom_attribute("aria-level", line.level.to_string());
                    let columns = known.listing.collections[line.collection].modes.len();
                    let press = move |_| {
                        browsing.active.set(index);
                        match line.what {
                            What::Variable(_) => choose(panel, &shown),
                            What::Collection(_) | What::Group(_) => toggle(panel, &shown),
                        }
                    };
                    view! {
                        <div role="treeitem" id=line_id(index) class=class(line.what) class:active=move || active() == index
                            style:top=[(index * LINE_PX as usize).to_string().as_str(), "px"].concat()
                            style:--modes=columns.to_string() style:--level=line.level.to_string()
                            {..level} aria-posinset=line.place.to_string() aria-setsize=line.size.to_string()
                            aria-expanded=line.is_open.map(|is_open| if is_open { "true" } else { "false" })
                            aria-selected=move || if active() == index { "true" } else { "false" }
                            on:click=press>
                            {contents(panel, &known, &shown)}
                        </div>
                    }.into_any()
                }/>
            </div>
        </div>
        <p class="unseen" id="list-keys">{words::LIST_KEYS}</p>
    }
}

fn toggle(panel: Panel, shown: &Shown) {
    if shown.line.is_open.is_none() {
        return;
    }
    if let Some(known) = untrack(|| known(panel)) {
        let key = known.tree.key(shown);
        panel.browsing.closed.update(|closed| {
            if !closed.remove(key) {
                closed.insert(String::from(key));
            }
        });
    }
}

/// Looks at a variable closely, or at the collection of any other line.
fn choose(panel: Panel, shown: &Shown) {
    let Some(known) = untrack(|| known(panel)) else {
        return;
    };
    let chosen = match shown.line.what {
        What::Variable(at) => Chosen::Variable(known.listing.variables[at].id.clone()),
        What::Collection(at) => Chosen::Collection(known.listing.collections[at].id.clone()),
        What::Group(_) => return toggle(panel, shown),
    };
    panel.browsing.chosen.set(Some(chosen));
    // What is shown about it takes a part of the list's height.
    let browsing = panel.browsing;
    request_animation_frame(move || go(browsing, browsing.active.get_untracked()));
}

fn line_id(index: usize) -> String {
    ["variable-line-", index.to_string().as_str()].concat()
}

fn class(what: What) -> &'static str {
    match what {
        What::Collection(_) => "line collection",
        What::Group(_) => "line group",
        What::Variable(_) => "line variable",
    }
}

fn modes(names: &[String]) -> AnyView {
    names
        .iter()
        .map(|mode| view! { <span class="value cut secondary" title=mode.clone()>{mode.clone()}</span> })
        .collect_view()
        .into_any()
}

fn contents(panel: Panel, known: &Arc<Known>, shown: &Shown) -> AnyView {
    let line = shown.line;
    let fold = view! {
        <span class="fold" class:open=line.is_open == Some(true) class:none=line.is_open.is_none() aria-hidden="true"></span>
    };
    let count = || words::number(u32::try_from(line.count).unwrap_or(u32::MAX));
    match line.what {
        What::Collection(at) => {
            let collection = &known.listing.collections[at];
            let name = collection.name.clone();
            let id = collection.id.clone();
            view! {
                <span class="name">
                    {fold}<span class="cut" title=name.clone()>{name.clone()}</span><span class="secondary">{count()}</span>
                    {mark(known, Place::Collection(at))}
                    <button type="button" class="quiet more" tabindex="-1" aria-label=words::more_of(&name) title=words::more_of(&name) on:click=move |event| {
                        event.stop_propagation();
                        panel.browsing.chosen.set(Some(Chosen::Collection(id.clone())));
                    }>"⋯"</button>
                </span>
                {modes(&collection.modes)}
            }
            .into_any()
        }
        What::Group(_) => {
            let label = String::from(known.tree.label(shown));
            view! { <span class="name">{fold}<span class="cut" title=label.clone()>{label.clone()}</span><span class="secondary">{count()}</span></span> }.into_any()
        }
        What::Variable(at) => {
            let variable = &known.listing.variables[at];
            let (_, leaf) = variable.parts();
            let values = (0..variable.values.len())
                .map(|mode| cell(known, at, mode))
                .collect_view();
            view! {
                <span class="name">{fold}<span class="cut" title=variable.name.clone()>{String::from(leaf)}</span>{mark(known, Place::Variable(at))}</span>
                {values}
            }
            .into_any()
        }
    }
}

/// A sign that something is wrong.
fn mark(known: &Known, place: Place) -> Option<impl IntoView + use<>> {
    let messages: Vec<String> = known
        .problems
        .of(place)
        .map(|wrong| wrong.message.clone())
        .collect();
    (!messages.is_empty()).then(|| {
        view! { <span class="mark" title=messages.join("\n")><span class="unseen">{words::HAS_PROBLEMS}</span></span> }
    })
}

/// What a variable says in a mode: an alias by its target's name, with the colour that it comes to.
fn cell(known: &Known, at: usize, mode: usize) -> AnyView {
    let listing = &known.listing;
    let said = listing.said(at, mode);
    let target = match &listing.variables[at].values[mode] {
        Given::Alias(id) => Some((listing.place(id), String::new())),
        Given::Composed { id, percent } => Some((listing.place(id), words::percent(*percent))),
        Given::Nothing
        | Given::Number(_)
        | Given::Boolean(_)
        | Given::Text(_)
        | Given::Color(_)
        | Given::Curve(_)
        | Given::Other => None,
    };
    let swatch = swatch(listing.hex(at, mode));
    match target {
        None => view! { <span class="value cut" title=said.clone()>{swatch}{said.clone()}</span> }
            .into_any(),
        Some((place, opacity)) => {
            let broken = listing.follow(at, mode).end != chain::End::Value;
            let name = place.map_or_else(
                || String::from(words::MISSING),
                |place| listing.variables[place].name.clone(),
            );
            view! { <span class="value cut" title=said><span class="alias" class:broken=broken>{swatch}{name}</span>{opacity}</span> }.into_any()
        }
    }
}

/// A colour, where it is one.
pub fn swatch(hex: Option<String>) -> Option<impl IntoView + use<>> {
    hex.map(|hex| view! { <i class="swatch" style:--fill=hex></i> })
}
