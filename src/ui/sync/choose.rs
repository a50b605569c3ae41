//! Choosing the spreadsheet and its tab.
//!
//! Owns these two views and the search over the list. Must not know what a link to a spreadsheet looks like.

use super::{account, button, heading, page};
use crate::{Panel, words};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use sheetwire_core::protocol::relay::{SOURCES_MAX, Spreadsheet, SpreadsheetEntry};
use sheetwire_core::session::{Action, State};

/// Signed in, no sheet connected.
pub fn spreadsheet(panel: Panel) -> AnyView {
    let search = RwSignal::new(String::new());
    let link = RwSignal::new(String::new());
    let entries = Memo::new(move |_| {
        if let State::ChoosingSpreadsheet { entries, .. } = &*panel.session.read() {
            entries.clone()
        } else {
            None
        }
    });
    let found = Memo::new(move |_| {
        let search = search.read().trim().to_lowercase();
        entries.read().as_ref().map_or_else(Vec::new, |entries| {
            entries
                .iter()
                .filter(|entry| search.is_empty() || entry.title.to_lowercase().contains(&search))
                .cloned()
                .collect()
        })
    });
    let message = move || match &*entries.read() {
        None => words::SPREADSHEETS_LOADING,
        Some(entries) if entries.is_empty() => words::SPREADSHEETS_EMPTY,
        Some(_) if found.read().is_empty() => words::SPREADSHEETS_NOT_FOUND,
        Some(_) => "",
    };
    let adds = Memo::new(move |_| {
        matches!(
            &*panel.session.read(),
            State::ChoosingSpreadsheet { adds: true, .. }
        )
    });
    let connect = move |event: SubmitEvent| {
        event.prevent_default();
        let link = link.get_untracked();
        if !link.trim().is_empty() {
            panel.act(Action::PasteLink { link });
        }
    };
    let body = view! {
        <div class="title">
            {heading(words::CHOOSE_SPREADSHEET)}
            {button("quiet", words::REFRESH, move || panel.act(Action::Refresh))}
        </div>
        <input type="search" class="field" aria-label=words::SEARCH_SPREADSHEETS placeholder=words::SEARCH_SPREADSHEETS
            prop:value=move || search.get()
            on:input=move |event| search.set(event_target_value(&event))/>
        <p class="secondary" role="status">{message}</p>
        <ul class="choices" aria-label=words::CHOOSE_SPREADSHEET>
            <For each=move || found.get() key=|entry| entry.id.clone() children=move |entry| choice(panel, entry)/>
        </ul>
    };
    let actions = view! {
        <form class="link" on:submit=connect>
            <label for="sync-link">{words::PASTE_LINK}</label>
            <input id="sync-link" type="text" class="field" autocomplete="off" spellcheck="false" placeholder=words::PASTE_LINK_EXAMPLE
                prop:value=move || link.get()
                on:input=move |event| link.set(event_target_value(&event))/>
            <button type="submit" class="plain">{words::CONNECT}</button>
        </form>
        {move || if adds.get() {
            button("plain", words::BACK, move || panel.act(Action::Back))
        } else {
            account(panel).into_any()
        }}
    };
    view! { <div class="stacked">{page(body.into_any(), actions.into_any(), None)}</div> }
        .into_any()
}

fn choice(panel: Panel, entry: SpreadsheetEntry) -> impl IntoView {
    let SpreadsheetEntry {
        id,
        title,
        modified,
    } = entry;
    let choose = move |_| panel.act(Action::ChooseSpreadsheet { id: id.clone() });
    view! {
        <li><button type="button" class="choice" on:click=choose>
            <span class="cut">{title}</span>
            <span class="secondary">{words::day(&modified)}</span>
        </button></li>
    }
}

/// A spreadsheet was chosen: which tab?
pub fn sheet(panel: Panel) -> AnyView {
    let spreadsheet = Memo::new(move |_| {
        if let State::ChoosingSheet { spreadsheet } = &*panel.session.read() {
            spreadsheet.clone()
        } else {
            None
        }
    });
    let ticked = RwSignal::new(Vec::<i64>::new());
    let tabs = move || match spreadsheet.get() {
        None => view! { <p class="secondary" role="status">{words::SHEETS_LOADING}</p> }.into_any(),
        Some(Spreadsheet { title, sheets, .. }) => {
            let empty = sheets
                .is_empty()
                .then(|| view! { <p class="secondary">{words::SHEETS_EMPTY}</p> });
            let several = sheets.len() > 1;
            let sheets = sheets.into_iter().map(|sheet| {
                let sheet_id = sheet.sheet_id;
                let choose = move |_| {
                    panel.act(Action::ChooseSheets {
                        sheet_ids: vec![sheet_id],
                    });
                };
                let tick = several.then(|| tick(ticked, sheet_id, &sheet.title));
                view! {
                    <li class="ticked">{tick}<button type="button" class="choice" on:click=choose>
                        <span class="cut">{sheet.title}</span>
                        <span class="secondary" aria-hidden="true">{words::size(sheet.rows, sheet.columns)}</span>
                        <span class="unseen">{words::size_aloud(sheet.rows, sheet.columns)}</span>
                    </button></li>
                }
            });
            view! {
                <p class="secondary cut">{title}</p>
                {several.then(|| view! { <p class="secondary">{words::SEVERAL_TABS}</p> })}
                {empty}
                <ul class="choices" aria-label=words::CHOOSE_SHEET>{sheets.collect_view()}</ul>
            }
            .into_any()
        }
    };
    page(
        view! { {heading(words::CHOOSE_SHEET)} {tabs} }.into_any(),
        view! {
            <div class="buttons">
                {button("plain", words::BACK, move || panel.act(Action::Back))}
                {move || (!ticked.read().is_empty()).then(|| {
                    let label = words::connect_tabs(ticked.read().len());
                    button("primary", label, move || panel.act(Action::ChooseSheets { sheet_ids: ticked.get_untracked() }))
                })}
            </div>
        }
        .into_any(),
        None,
    )
}

/// Marks a tab as one of several to be connected; at most as many as may feed a file.
fn tick(ticked: RwSignal<Vec<i64>>, sheet_id: i64, title: &str) -> AnyView {
    let change = move |event| {
        let is_on = event_target_checked(&event);
        ticked.update(|ticked| {
            ticked.retain(|other| *other != sheet_id);
            if is_on {
                ticked.push(sheet_id);
            }
        });
    };
    let full = move || ticked.read().len() >= SOURCES_MAX && !ticked.read().contains(&sheet_id);
    view! {
        <input type="checkbox" aria-label=words::tick_tab(title) disabled=full
            prop:checked=move || ticked.read().contains(&sheet_id) on:change=change/>
    }
    .into_any()
}
