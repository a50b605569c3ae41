//! A file that follows a sheet.
//!
//! Owns this view and the clock that its relative times need. Must not know when a run begins or why a plan waits.

use super::tree::Tree;
use super::types::Chosen;
use super::{
    HEADING, account, button, differences, history, page, preview, sources, threshold,
    two_way as sending,
};
use crate::{Panel, sandbox, words};
use leptos::prelude::*;
use sheetwire_core::protocol::panel::{Counts, Preview, RunReport, WaitReason};
use sheetwire_core::session::{Action, Connected, Link, Notice, State, StopReason};
use std::time::Duration;

/// How often relative times are written anew.
const TICK: Duration = Duration::from_secs(1);
/// Where the focus goes when the question about disconnecting comes and goes.
const KEEP: &str = "sync-keep";
const DISCONNECT: &str = "sync-disconnect";

/// A piece of the state, which changes only when the piece does.
fn piece<T: PartialEq + Send + Sync + 'static>(
    panel: Panel,
    read: fn(&Connected) -> T,
) -> Memo<Option<T>> {
    Memo::new(move |_| {
        if let State::Connected(connected) = &*panel.session.read() {
            Some(read(connected))
        } else {
            None
        }
    })
}

/// A sheet is connected and was approved once.
pub fn connected(panel: Panel) -> AnyView {
    let now = RwSignal::new(js_sys::Date::now() as u64);
    let ticking = set_interval_with_handle(move || now.set(js_sys::Date::now() as u64), TICK);
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
    let titles = piece(panel, |connected| {
        (
            connected.connection.spreadsheet_title.clone(),
            connected.connection.sheet_title.clone(),
        )
    });
    let on = piece(panel, |connected| connected.connection.on);
    let link = piece(panel, |connected| connected.link);
    let progress = piece(panel, |connected| connected.progress);
    let last = piece(panel, |connected| connected.last.clone());
    let waiting = piece(panel, |connected| connected.waiting.clone());
    let differing = piece(panel, |connected| connected.differences.clone());
    let policy = piece(panel, |connected| connected.connection.policy);
    let threshold = piece(panel, |connected| {
        connected.connection.threshold_variables()
    });
    let published = piece(panel, |connected| connected.connection.published);
    let two_way = piece(panel, |connected| connected.connection.two_way);
    let sends = piece(panel, |connected| connected.sending);
    let held = piece(panel, sending::held);
    let runs = piece(panel, |connected| connected.runs.clone());
    let fed = piece(panel, sources::of);
    let stopped = piece(panel, |connected| connected.stopped);
    let writer = piece(panel, |connected| connected.writer.clone());
    let trouble = piece(panel, |connected| connected.trouble.clone());
    let running = Memo::new(move |_| progress.get().flatten().is_some());
    let tree = Tree::new();
    let chosen = Chosen::new();
    let body = view! {
        <div class="title">
            <h2 id=HEADING tabindex="-1" class="sheet">
                <span class="cut">{move || titles.get().map(|(spreadsheet, _)| spreadsheet)}</span>
                <span class="secondary" aria-hidden="true">"›"</span>
                <span class="cut">{move || titles.get().map(|(_, sheet)| sheet)}</span>
            </h2>
            {switch(panel, on)}
        </div>
        {status(panel, link, now)}
        {move || writer.get().flatten().map(|writer| followed(panel, &writer))}
        {move || trouble.get().flatten().map(warning)}
        {move || stopped.get().flatten().map(|reason| standing_still(panel, reason))}
        {move || waiting.get().flatten().map(|(reason, plan)| waits(panel, reason, plan, tree, chosen))}
        {move || differing.get().map(|differing| {
            differences::list(panel, differing, two_way.get().unwrap_or_default())
        })}
        {sending::state(panel, sends, held)}
        <div class="run">
            {move || if running.get() { run(panel, progress) } else { ended(last, now) }}
            {move || published.get().unwrap_or_default().then(|| view! { <p class="secondary">{words::PUBLISHED}</p> })}
        </div>
        {move || last.get().flatten().map(|report| preview::problem_details(panel, report.problems, report.problems_total))}
        {preview::left_out(panel)}
        {history::list(panel, runs, now)}
        <div class="foot">
            {sources::list(panel, fed)}
            {sending::opt_in(panel, two_way, sends)}
            {differences::policy(panel, policy, two_way)}
            {threshold::choice(panel, threshold)}
            {disconnect(panel)}
            {account(panel)}
        </div>
    };
    let actions = view! {
        <div class="buttons">
            {button("plain", words::HIDE, move || panel.act(Action::Hide))}
            {button("plain", words::SYNC_NOW, move || panel.act(Action::SyncNow))}
        </div>
    };
    page(body.into_any(), actions.into_any(), Some(tree))
}

/// The switch of this file.
fn switch(panel: Panel, on: Memo<Option<bool>>) -> AnyView {
    let is_on = move || on.get().unwrap_or(false);
    let press = move |_| {
        panel.act(Action::Toggle {
            on: !untrack(is_on),
        });
    };
    view! {
        <button type="button" role="switch" class="switch" aria-label=words::SYNC_THIS_FILE title=words::SYNC_THIS_FILE
            aria-checked=move || if is_on() { "true" } else { "false" } on:click=press>
            <span></span>
        </button>
    }
    .into_any()
}

/// How the sheet reaches the file. The word is a live region; the countdown beside it is not, since it changes each second.
fn status(panel: Panel, link: Memo<Option<Link>>, now: RwSignal<u64>) -> AnyView {
    let current = move || link.get().unwrap_or(Link::Down);
    let dot = move || match current() {
        Link::Down => "dot",
        Link::Connecting => "dot connecting",
        Link::Live => "dot live",
        Link::Polling => "dot polling",
        Link::Offline { .. } => "dot offline",
    };
    let retry = move || {
        matches!(current(), Link::Offline { .. }).then(|| {
            button("quiet", words::RETRY_NOW, move || {
                panel.act(Action::RetryNow)
            })
        })
    };
    view! {
        <div class="link-status">
            <span class=dot aria-hidden="true"></span>
            <b role="status">{move || words::link(current())}</b>
            <span class="secondary">{move || words::link_details(current(), match current() {
                Link::Offline { .. } => now.get(),
                Link::Down | Link::Connecting | Link::Live | Link::Polling => 0,
            })}</span>
            {retry}
        </div>
    }
    .into_any()
}

fn warning(notice: Notice) -> AnyView {
    view! {
        <div class="card warning" role="status">
            <p>{notice.message}</p>
            {notice.remedy.map(|remedy| view! { <p>{remedy}</p> })}
        </div>
    }
    .into_any()
}

/// Somebody else writes this file.
fn followed(panel: Panel, writer: &str) -> AnyView {
    view! {
        <div class="card" role="status">
            <p><b>{words::is_syncing(writer)}</b></p>
            <p>{words::TAKE_OVER_WHAT}</p>
            {button("plain", words::TAKE_OVER, move || panel.act(Action::TakeOver))}
        </div>
    }
    .into_any()
}

/// Why sync stands still, with its way out.
fn standing_still(panel: Panel, reason: StopReason) -> AnyView {
    let (why, remedy) = words::stopped(reason);
    let way_out = match reason {
        StopReason::Toggled => Some((words::SWITCH_ON, Action::Toggle { on: true })),
        StopReason::SignedOut => Some((words::SIGN_IN, Action::SignIn)),
        StopReason::Breaker => Some((words::SYNC_NOW, Action::SyncNow)),
        StopReason::Disconnected | StopReason::SwitchedOff | StopReason::ReadOnly => None,
    };
    view! {
        <div class="card" role="status">
            <p><b>{why}</b></p>
            <p>{remedy}</p>
            {way_out.map(|(label, action)| button("primary", label, move || panel.act(action.clone())))}
        </div>
    }
    .into_any()
}

/// A plan that waits for the designer.
fn waits(
    panel: Panel,
    reason: WaitReason,
    preview: Preview,
    tree: Tree,
    chosen: Chosen,
) -> AnyView {
    let (number, counts) = (preview.plan, preview.counts);
    let removes = counts.removed > 0;
    let approve = move |include_removals| {
        panel.act(Action::Approve {
            plan: number,
            include_removals,
            retypes: untrack(|| chosen.of(number)),
        });
    };
    let columns = move |kind| {
        button(kind, words::EDIT_COLUMNS, move || {
            panel.act(Action::EditColumns)
        })
    };
    let nothing = counts == Counts::default();
    let buttons = match reason {
        WaitReason::Undone => view! {
            {button("plain", words::KEEP_FILE, move || panel.act(Action::KeepFile { plan: number }))}
            {button("primary", words::APPLY_AGAIN, move || approve(false))}
        }
        .into_any(),
        WaitReason::Restore => history::buttons(panel, number, &counts),
        WaitReason::Shrunken if nothing => columns("primary"),
        WaitReason::Renames => view! {
            {columns("plain")}
            {button("plain", words::KEEP_APART, move || panel.act(Action::KeepApart { plan: number }))}
            {button("primary", words::RENAME_THEM, move || approve(false))}
        }
        .into_any(),
        WaitReason::Removes | WaitReason::Shrunken if removes => view! {
            {button("plain", words::KEEP_THEM, move || panel.act(Action::KeepRemoved { plan: number }))}
            {button("danger", words::remove(&counts), move || approve(true))}
        }
        .into_any(),
        WaitReason::Retypes => view! {
            {button("plain", words::KEEP_TYPES, move || panel.act(Action::KeepFile { plan: number }))}
            <button type="button" class="danger" disabled=move || chosen.of(number).is_empty() on:click=move |_| approve(false)>
                {move || words::change_types(chosen.of(number).len())}
            </button>
        }
        .into_any(),
        WaitReason::Removes
        | WaitReason::Large
        | WaitReason::Most
        | WaitReason::Every
        | WaitReason::Limits
        | WaitReason::Shrunken => button("primary", words::apply(&counts), move || approve(false)),
    };
    view! {
        <section class="card plan-card" aria-label=words::WAITS>
            <p role="status"><b>{words::WAITS}</b>" "{words::waiting(reason, &counts)}</p>
            <div class="buttons">{buttons}</div>
            {preview::plan(panel, preview, tree, chosen, false)}
        </section>
    }
    .into_any()
}

/// A run that goes on.
fn run(panel: Panel, progress: Memo<Option<Option<(u32, u32)>>>) -> AnyView {
    let at = move || progress.get().flatten().unwrap_or_default();
    view! {
        <div class="progress">
            <span id="sync-progress">{move || { let (done, total) = at(); words::progress(done, total) }}</span>
            {button("quiet", words::CANCEL, move || panel.act(Action::Cancel))}
        </div>
        <progress aria-labelledby="sync-progress" max=move || at().1.max(1).to_string() value=move || at().0.to_string()></progress>
    }
    .into_any()
}

/// The last run that ended.
fn ended(last: Memo<Option<Option<RunReport>>>, now: RwSignal<u64>) -> AnyView {
    let when = move || {
        last.get().flatten().map_or_else(
            || String::from(words::NEVER_SYNCED),
            |report| words::last_run(&report, now.get()),
        )
    };
    let what = move || {
        last.get()
            .flatten()
            .map(|report| words::run_counts(&report))
    };
    view! {
        <p>{when}</p>
        <p class="secondary" role="status">{what}</p>
    }
    .into_any()
}

/// Disconnecting, after a question.
fn disconnect(panel: Panel) -> AnyView {
    let asking = RwSignal::new(false);
    let ask = move |now: bool| {
        asking.set(now);
        request_animation_frame(move || sandbox::focus(if now { KEEP } else { DISCONNECT }));
    };
    (move || {
        if asking.get() {
            view! {
                <div class="card" role="group" aria-label=words::DISCONNECT>
                    <p>{words::DISCONNECT_ASK}</p>
                    <div class="buttons">
                        <button type="button" class="plain" id=KEEP on:click=move |_| ask(false)>{words::CANCEL}</button>
                        {button("danger", words::DISCONNECT, move || panel.act(Action::Disconnect))}
                    </div>
                </div>
            }
            .into_any()
        } else {
            view! { <button type="button" class="plain" id=DISCONNECT on:click=move |_| ask(true)>{words::DISCONNECT}</button> }
                .into_any()
        }
    })
    .into_any()
}
