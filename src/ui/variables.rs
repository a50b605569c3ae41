//! The Variables tab: collections, groups and values; what is wrong with them; copies of collections.
//!
//! Owns what the designer did to the list, and which of its parts are drawn. Must not know where variables come from or
//! what Real-Time Sync does: the tab works without it.

mod copy;
mod detail;
mod list;
mod problems;

use crate::{Known, Listing, Panel, sandbox, words};
use leptos::prelude::*;
use sheetwire_core::listing::problems::Place;
use sheetwire_core::protocol::panel::ToSandbox;
use sheetwire_core::protocol::panel::manage::{Ask, Told};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the designer did to the list. It outlives the list, which is read anew after every change of the file. Things are
/// named by Figma's ids, because places change.
#[derive(Clone, Copy)]
pub struct Browsing {
    search: RwSignal<String>,
    /// The collection that alone is listed.
    only: RwSignal<Option<String>>,
    closed: RwSignal<BTreeSet<String>>,
    /// The first line in the view, and how many lines it holds.
    window: RwSignal<(usize, usize)>,
    active: RwSignal<usize>,
    chosen: RwSignal<Option<Chosen>>,
    /// Whether the problems are listed instead of the variables.
    shows_problems: RwSignal<bool>,
    copying: RwSignal<Copying>,
}

/// What is looked at closely.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Chosen {
    Collection(String),
    Variable(String),
}

/// Where a copy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Copying {
    No,
    /// It was asked for.
    Begun,
    Under {
        done: u32,
        total: u32,
    },
    /// The designer stops it.
    Stopping,
    /// How it ended, in words.
    Ended(String),
}

impl Copying {
    fn is_under_way(&self) -> bool {
        match self {
            Copying::Begun | Copying::Under { .. } | Copying::Stopping => true,
            Copying::No | Copying::Ended(_) => false,
        }
    }
}

impl Browsing {
    /// A list in which everything is open. `search` is what it is searched for, which commands set too.
    pub fn new(search: RwSignal<String>) -> Browsing {
        Browsing {
            search,
            only: RwSignal::new(None),
            closed: RwSignal::new(BTreeSet::new()),
            window: RwSignal::new((0, list::DRAWN_MIN)),
            active: RwSignal::new(0),
            chosen: RwSignal::new(None),
            shows_problems: RwSignal::new(false),
            copying: RwSignal::new(Copying::No),
        }
    }

    /// Takes what the sandbox tells of the manager.
    pub fn hear(self, panel: Panel, told: &Told) {
        match told {
            Told::Libraries { names } => panel.listing.update(|listing| {
                if let Listing::Ready(known) = listing {
                    *known = Arc::new(known.with_libraries(names));
                }
            }),
            Told::Copying { done, total } => {
                if self.copying.get_untracked() != Copying::Stopping {
                    self.copying.set(Copying::Under {
                        done: *done,
                        total: *total,
                    });
                }
            }
            Told::Copied {
                name,
                variables,
                unset,
                why,
            } => {
                let ended = words::copied(name, *variables, *unset, why.as_deref());
                self.copying.set(Copying::Ended(ended));
                self.chosen.set(None);
                sandbox::say(&ToSandbox::ListVariables);
            }
            Told::NotCopied { why, left } => {
                let ended = words::not_copied(why.as_deref(), left.as_deref());
                self.copying.set(Copying::Ended(ended));
                if left.is_some() {
                    sandbox::say(&ToSandbox::ListVariables);
                }
            }
        }
    }

    fn duplicate(self, collection: String, name: String) {
        self.copying.set(Copying::Begun);
        sandbox::say(&ToSandbox::Manage {
            ask: Ask::Duplicate { collection, name },
        });
    }

    fn stop_copying(self) {
        self.copying.set(Copying::Stopping);
        sandbox::say(&ToSandbox::Manage { ask: Ask::Stop });
    }
}

/// What is known of the file, if it is.
fn known(panel: Panel) -> Option<Arc<Known>> {
    match &*panel.listing.read() {
        Listing::Ready(known) => Some(Arc::clone(known)),
        Listing::Loading | Listing::Failed(_) => None,
    }
}

/// The tab's contents.
#[component]
pub fn Variables(panel: Panel) -> impl IntoView {
    let browsing = panel.browsing;
    let total = Memo::new(move |_| known(panel).map_or(0, |known| known.problems.total));
    // Once all problems are mended there is no list of them.
    Effect::new(move |_| {
        if total.get() == 0 {
            browsing.shows_problems.set(false);
        }
    });
    let lists = move || browsing.shows_problems.get().then(|| problems::list(panel));
    view! {
        <div class="search">
            <input type="search" class="field" aria-label=words::SEARCH placeholder=words::SEARCH
                prop:value=move || browsing.search.get()
                on:input=move |event| {
                    browsing.search.set(event_target_value(&event));
                    browsing.shows_problems.set(false);
                    list::to_top(browsing);
                }/>
            {list::only(panel)}
            <button type="button" class="plain problem-count" aria-pressed=move || if browsing.shows_problems.get() { "true" } else { "false" }
                hidden=move || total.get() == 0
                on:click=move |_| browsing.shows_problems.update(|shows| *shows = !*shows)>
                {move || words::problems(u32::try_from(total.get()).unwrap_or(u32::MAX))}
            </button>
        </div>
        <p class="read-only" hidden=move || !panel.read_only.get()>{words::READ_ONLY}</p>
        {copy::ended(panel)}
        {lists}
        <div class="listed" hidden=move || browsing.shows_problems.get()>{list::list(panel)}</div>
        {move || browsing.chosen.get().map(|chosen| detail::detail(panel, &chosen))}
    }
}

/// Opens what has a problem, wherever it is folded or hidden.
fn lead_to(panel: Panel, place: Place) {
    let (Some(known), browsing) = (known(panel), panel.browsing) else {
        return;
    };
    browsing.search.set(String::new());
    browsing.only.set(None);
    browsing.shows_problems.set(false);
    let chosen = match place {
        Place::Collection(at) => Chosen::Collection(known.listing.collections[at].id.clone()),
        Place::Variable(at) => {
            let above = known.tree.keys_above(&known.listing, at);
            browsing.closed.update(|closed| {
                for key in &above {
                    closed.remove(key);
                }
            });
            Chosen::Variable(known.listing.variables[at].id.clone())
        }
    };
    browsing.chosen.set(Some(chosen));
    list::go_to(panel, place);
}
