//! The tabs that feed the file.
//!
//! Owns their list, with what is wrong with each, and adding and removing one. Must not know how a tab is read.

use super::{HEADING, button};
use crate::{Panel, words};
use leptos::prelude::*;
use sheetwire_core::protocol::relay::{SOURCES_MAX, SheetRef};
use sheetwire_core::session::{Action, Connected, Notice};

/// A tab, and what is wrong with it.
#[derive(Clone, PartialEq)]
pub struct Source {
    sheet: SheetRef,
    spreadsheet: String,
    tab: String,
    trouble: Option<Notice>,
}

/// All tabs of a connected file.
pub fn of(connected: &Connected) -> Vec<Source> {
    let sources = connected.connection.sources().into_iter();
    sources
        .map(|source| {
            let mut troubles = connected.troubles.iter();
            let trouble = troubles.find(|(sheet, _)| *sheet == source.sheet);
            Source {
                trouble: trouble.map(|(_, notice)| notice.clone()),
                sheet: source.sheet,
                spreadsheet: source.spreadsheet_title,
                tab: source.sheet_title,
            }
        })
        .collect()
}

/// The list, where there are several, and the way to another one.
pub fn list(panel: Panel, sources: Memo<Option<Vec<Source>>>) -> AnyView {
    let all = move || sources.get().unwrap_or_default();
    let listed = move || {
        let sources = all();
        (sources.len() > 1).then(|| {
            let rows = sources.into_iter().map(|source| row(panel, source));
            view! { <ul class="sources" aria-label=words::SOURCES>{rows.collect_view()}</ul> }
        })
    };
    view! {
        <div class="policy" role="group" aria-labelledby=HEADING>
            {listed}
            {move || (all().len() < SOURCES_MAX).then(|| {
                button("plain", words::ADD_SOURCE, move || panel.act(Action::AddSource))
            })}
        </div>
    }
    .into_any()
}

fn row(panel: Panel, source: Source) -> impl IntoView {
    let Source {
        sheet,
        spreadsheet,
        tab,
        trouble,
    } = source;
    let dot = if trouble.is_some() {
        "dot offline"
    } else {
        "dot live"
    };
    let remove = words::remove_source(&tab);
    let press = move |_| {
        panel.act(Action::RemoveSource {
            sheet: sheet.clone(),
        });
    };
    view! {
        <li>
            <span class=dot aria-hidden="true"></span>
            <span class="text">
                <span class="cut">{tab}</span>
                <span class="cut secondary">{spreadsheet}</span>
                {trouble.map(|notice| view! {
                    <span role="status">{notice.message}" "{notice.remedy}</span>
                })}
            </span>
            <button type="button" class="quiet" aria-label=remove on:click=press>{words::REMOVE_SOURCE}</button>
        </li>
    }
}
