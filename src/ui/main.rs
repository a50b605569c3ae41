//! The UI program: the panel's page, between the sandbox and the relay.
//!
//! Owns what a designer sees and the one flag evaluation. Must not know what a variable means or decide whether a
//! feature is on: the sandbox does.

mod evaluation;
mod export;
mod files;
mod frame;
mod gallery;
mod import;
mod relay;
mod sandbox;
mod shell;
mod sync;
mod variables;
mod words;

use leptos::prelude::*;
use leptos::web_sys::KeyboardEvent;
use sheetwire_core::flags::Decision;
use sheetwire_core::listing;
use sheetwire_core::listing::problems::Problems;
use sheetwire_core::listing::tree::Tree;
use sheetwire_core::protocol::panel::manage::Ask;
use sheetwire_core::protocol::panel::{Opening, ToPanel, ToSandbox};
use sheetwire_core::session;
use std::sync::Arc;

/// The panel's tabs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Variables,
    Import,
    Export,
    Sync,
}

/// The tabs in order: which, the end of its ids, its title.
const TABS: [(Tab, &str, &str); 4] = [
    (Tab::Variables, "variables", words::TAB_VARIABLES),
    (Tab::Import, "import", words::TAB_IMPORT),
    (Tab::Export, "export", words::TAB_EXPORT),
    (Tab::Sync, "sync", words::TAB_SYNC),
];

/// Whose plan a view shows, and so who does what it is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acts {
    Session,
    Import,
}

/// What is known of the file's variables.
#[derive(Clone, PartialEq)]
enum Listing {
    Loading,
    Ready(Arc<Known>),
    Failed(String),
}

/// The file's variables, and what follows from them.
#[derive(PartialEq)]
struct Known {
    listing: listing::Listing,
    tree: Tree,
    problems: Problems,
    /// Another one at every reading, so that lines are drawn anew.
    turn: u32,
}

impl Known {
    fn new(listing: listing::Listing, turn: u32) -> Known {
        Known {
            tree: Tree::new(&listing),
            problems: listing.problems(),
            listing,
            turn,
        }
    }

    /// The same with the libraries named.
    fn with_libraries(&self, names: &[(String, String)]) -> Known {
        let mut listing = self.listing.clone();
        listing.name_libraries(names);
        Known::new(listing, self.turn + 1)
    }
}

/// Everything the views read.
#[derive(Clone, Copy)]
struct Panel {
    tab: RwSignal<Tab>,
    file_name: RwSignal<String>,
    read_only: RwSignal<bool>,
    listing: RwSignal<Listing>,
    /// What the Variables tab is searched for.
    search: RwSignal<String>,
    /// What the designer did in the Variables tab.
    browsing: variables::Browsing,
    /// What the designer chose in the Export tab.
    exporting: export::Exporting,
    /// What the sandbox refused or failed at last; shown until the next answer.
    notice: RwSignal<Option<String>>,
    targeting_key: StoredValue<Option<String>>,
    /// Whether a run has written since the variables were listed.
    is_stale: StoredValue<bool>,
    /// Whether the plugin was opened to sync at once, which waits for the session to be connected.
    sync_asked: StoredValue<bool>,
    /// Whether the one evaluation at opening was made.
    evaluated: StoredValue<bool>,
    /// What the Real-Time Sync tab shows.
    session: RwSignal<session::State>,
    /// Whose sign-in it is.
    account: RwSignal<Option<String>>,
    /// What the session tells beside its state.
    session_notice: RwSignal<Option<session::Notice>>,
    /// Rows left out of this file's sync, by their keys.
    left_out: RwSignal<Vec<String>>,
    /// What the Import tab shows.
    import: import::Import,
    /// Whose views these are.
    acts: Acts,
}

impl Panel {
    /// Does what the designer asked for in the Real-Time Sync tab, or in a plan.
    fn act(&self, action: session::Action) {
        match self.acts {
            _ if cfg!(feature = "gallery") => gallery::tell(&action),
            Acts::Session => shell::act(action),
            Acts::Import => self.import.act(action),
        }
    }
}

fn main() {
    std::panic::set_hook(Box::new(|info| {
        // The place is ours and tells no contents; the message of the panic might.
        let place = info.location().map_or(String::new(), |at| {
            [at.file(), ":", &at.line().to_string()].concat()
        });
        leptos::logging::error!("the panel stopped unexpectedly at {place}");
    }));
    let search = RwSignal::new(String::new());
    let panel = Panel {
        tab: RwSignal::new(Tab::Variables),
        file_name: RwSignal::new(String::new()),
        read_only: RwSignal::new(false),
        listing: RwSignal::new(Listing::Loading),
        search,
        browsing: variables::Browsing::new(search),
        exporting: export::Exporting::new(),
        notice: RwSignal::new(None),
        targeting_key: StoredValue::new(None),
        is_stale: StoredValue::new(false),
        sync_asked: StoredValue::new(false),
        evaluated: StoredValue::new(false),
        session: RwSignal::new(session::State::Off(Decision::Unknown)),
        account: RwSignal::new(None),
        session_notice: RwSignal::new(None),
        left_out: RwSignal::new(Vec::new()),
        import: import::Import::new(),
        acts: Acts::Session,
    };
    if cfg!(feature = "gallery") {
        mount_to_body(move || view! { <Page panel/> });
        gallery::open(panel);
        return;
    }
    shell::begin(panel);
    sandbox::hear(move |message, bulk| take(panel, message, bulk));
    mount_to_body(move || view! { <Page panel/> });
    sandbox::say(&ToSandbox::Ready {
        entropy: sandbox::entropy(),
    });
}

/// Asks for the file's variables anew.
fn list_again(panel: Panel) {
    panel.listing.set(Listing::Loading);
    sandbox::say(&ToSandbox::ListVariables);
}

/// Takes the file's variables.
fn take_listing(panel: Panel, bulk: Option<String>) {
    panel.notice.set(None);
    let turn = panel.listing.with_untracked(|listing| match listing {
        Listing::Ready(known) => known.turn + 1,
        Listing::Loading | Listing::Failed(_) => 0,
    });
    let read = listing::Listing::read(&bulk.unwrap_or_default());
    match read {
        Ok(listing) => {
            if listing.lacks_libraries() {
                sandbox::say(&ToSandbox::Manage {
                    ask: Ask::Libraries,
                });
            }
            panel
                .listing
                .set(Listing::Ready(Arc::new(Known::new(listing, turn))));
        }
        Err(_) => panel
            .listing
            .set(Listing::Failed(String::from(words::UNREADABLE_LISTING))),
    }
}

/// Takes one message of the sandbox.
fn take(panel: Panel, message: ToPanel, bulk: Option<String>) {
    match &message {
        ToPanel::Hello {
            file_name,
            read_only,
            targeting_key,
            opening,
            ..
        } => {
            match opening {
                Some(Opening::Variables { search }) => panel.search.set(search.clone()),
                Some(Opening::Import) => panel.tab.set(Tab::Import),
                Some(Opening::Export) => panel.tab.set(Tab::Export),
                Some(Opening::Sync { now }) => {
                    panel.tab.set(Tab::Sync);
                    panel.sync_asked.set_value(*now);
                }
                None => {}
            }
            panel.file_name.set(file_name.clone());
            panel.read_only.set(*read_only);
            panel.targeting_key.set_value(Some(targeting_key.clone()));
            sandbox::say(&ToSandbox::ListVariables);
        }
        ToPanel::Variables => {
            take_listing(panel, bulk);
            evaluate_once(panel);
        }
        ToPanel::Manage { told } => panel.browsing.hear(panel, told),
        ToPanel::Refused { message, remedy } => {
            // The tab shows what it was refused itself.
            if panel.tab.get_untracked() == Tab::Variables {
                let remedy = remedy.as_deref().unwrap_or_default();
                panel.notice.set(Some([message, " ", remedy].concat()));
            }
        }
        ToPanel::Failed { message, fatal } => {
            if *fatal
                || panel
                    .listing
                    .with_untracked(|listing| *listing == Listing::Loading)
            {
                panel.listing.set(Listing::Failed(message.clone()));
                evaluate_once(panel);
            } else if panel.tab.get_untracked() == Tab::Variables {
                panel.notice.set(Some(message.clone()));
            }
        }
        ToPanel::Applied(report) => {
            if report.writes > 0 {
                panel.is_stale.set_value(true);
            }
        }
        ToPanel::Flags { .. }
        | ToPanel::File { .. }
        | ToPanel::Push { .. }
        | ToPanel::Runs { .. }
        | ToPanel::Taken { .. }
        | ToPanel::Kept { .. }
        | ToPanel::Inferred { .. }
        | ToPanel::Preview(_)
        | ToPanel::Waiting { .. }
        | ToPanel::Differences(_)
        | ToPanel::Progress { .. }
        | ToPanel::ConnectionChanged { .. }
        | ToPanel::Stopped { .. } => {}
        ToPanel::Import(told) => panel.import.hear(panel, told),
    }
    shell::hear(message);
}

/// Asks the relay for the flags, once, now that the panel is usable.
fn evaluate_once(panel: Panel) {
    if let (false, Some(key)) = (panel.evaluated.get_value(), panel.targeting_key.get_value()) {
        panel.evaluated.set_value(true);
        evaluation::evaluate(key);
    }
}

/// The whole panel.
#[component]
fn Page(panel: Panel) -> impl IntoView {
    // What the Variables and Export tabs show is read again when somebody looks at it.
    Effect::new(move |_| {
        if panel.tab.get() != Tab::Sync && panel.is_stale.get_value() {
            panel.is_stale.set_value(false);
            sandbox::say(&ToSandbox::ListVariables);
        }
    });
    Effect::new(move |_| {
        let connected = panel
            .session
            .with(|state| matches!(state, session::State::Connected(_)));
        if connected && panel.sync_asked.get_value() {
            panel.sync_asked.set_value(false);
            panel.act(session::Action::SyncNow);
        }
    });
    let step = move |event: KeyboardEvent| {
        let now = panel.tab.get_untracked();
        let at = TABS.iter().position(|(tab, _, _)| *tab == now).unwrap_or(0);
        let next = match event.key().as_str() {
            "ArrowLeft" => (at + TABS.len() - 1) % TABS.len(),
            "ArrowRight" => (at + 1) % TABS.len(),
            "Home" => 0,
            "End" => TABS.len() - 1,
            _ => return,
        };
        event.prevent_default();
        let (tab, id, _) = TABS[next];
        panel.tab.set(tab);
        sandbox::focus(&["tab-", id].concat());
    };
    view! {
        <div class="tabs" role="tablist" aria-label="Sheetwire" on:keydown=step>
            {TABS.map(|(tab, id, title)| view! {
                <button
                    role="tab"
                    id=format!("tab-{id}")
                    aria-controls=format!("panel-{id}")
                    aria-selected=move || if panel.tab.get() == tab { "true" } else { "false" }
                    tabindex=move || if panel.tab.get() == tab { "0" } else { "-1" }
                    on:click=move |_| panel.tab.set(tab)
                >{title}</button>
            }).to_vec()}
        </div>
        <p class="notice" role="status" hidden=move || panel.notice.get().is_none()>{move || panel.notice.get()}</p>
        <section id="panel-variables" role="tabpanel" aria-labelledby="tab-variables" hidden=move || panel.tab.get() != Tab::Variables>
            <variables::Variables panel/>
        </section>
        <section id="panel-import" role="tabpanel" aria-labelledby="tab-import" hidden=move || panel.tab.get() != Tab::Import>
            <import::ImportTab panel/>
        </section>
        <section id="panel-export" role="tabpanel" aria-labelledby="tab-export" hidden=move || panel.tab.get() != Tab::Export>
            <export::Export panel/>
        </section>
        <section id="panel-sync" role="tabpanel" aria-labelledby="tab-sync" hidden=move || panel.tab.get() != Tab::Sync>
            <sync::RealTimeSync panel/>
        </section>
        {frame::grip()}
    }
}
