//! What a table's columns are for, and what comes of that.
//!
//! Owns the designer's choices for each table. Must not know how columns are inferred; what a choice lacks is the core's
//! to say.

use super::grid::letters;
use super::{Import, Stage, grid, heading, lacking, source};
use crate::sync::columns::{is_mode, roles};
use crate::sync::{button, enabled_button, lies, preview};
use crate::{Panel, sandbox, words};
use leptos::prelude::*;
use sheetwire_core::mapping::{MODE_NAME_MAX, headers};
use sheetwire_core::protocol::panel::import::{Existing, Reading};
use sheetwire_core::protocol::panel::{RemBase, Role, Shape, SheetLayout};

/// What is told when a table can't be read so.
const LACKING: &str = "import-lacking";
/// Longest name of a collection that is taken, in characters.
const COLLECTION_NAME_MAX: usize = 100;

/// Changes how the shown table is read.
fn edit(import: Import, table: usize, change: impl FnOnce(&mut Reading)) {
    import.drafts.update(|drafts| {
        let reading = drafts
            .get_mut(table)
            .and_then(|draft| draft.reading.as_mut());
        if let Some(reading) = reading {
            change(reading);
        }
    });
    import.changed();
}

/// The headers again, under another header row or another way of reading it. A mode that was called as its header goes on
/// to be.
fn follow_headers(import: Import, table: usize, reading: &mut Reading) {
    let tables = import.tables.get_untracked();
    let Some(table) = tables.get(table) else {
        return;
    };
    let brands = reading.layout.as_ref().map(|lies| lies.brands);
    let texts = headers(&table.grid, reading.header_row, brands.unwrap_or_default());
    for column in &mut reading.columns {
        let text = texts
            .get(column.index as usize)
            .cloned()
            .unwrap_or_default();
        let before = std::mem::replace(&mut column.header, text.clone());
        if let Role::Mode { name } = &mut column.role
            && *name == before.trim()
        {
            *name = String::from(text.trim());
        }
    }
}

/// The heads of the columns: what each is for.
pub fn heads(import: Import, table: usize) -> AnyView {
    let count = import.drafts.with_untracked(|drafts| {
        let reading = drafts.get(table).and_then(|draft| draft.reading.as_ref());
        reading.map_or(0, |reading| reading.columns.len())
    });
    // Until the sandbox has told, there are none.
    let known = Memo::new(move |_| {
        let drafts = import.drafts.read();
        drafts
            .get(table)
            .is_some_and(|draft| draft.reading.is_some())
    });
    (move || {
        let count = if known.get() {
            import.drafts.with_untracked(|drafts| {
                let reading = drafts.get(table).and_then(|draft| draft.reading.as_ref());
                reading.map_or(0, |reading| reading.columns.len())
            })
        } else {
            count
        };
        (0..count).map(|at| head(import, table, at)).collect_view()
    })
    .into_any()
}

fn head(import: Import, table: usize, at: usize) -> AnyView {
    let column = Memo::new(move |_| {
        let drafts = import.drafts.read();
        let reading = drafts.get(table)?.reading.as_ref()?;
        reading.columns.get(at).cloned()
    });
    let role = move || {
        column
            .read()
            .as_ref()
            .map_or(Role::Ignore, |column| column.role.clone())
    };
    let header = move || {
        column
            .read()
            .as_ref()
            .map_or_else(String::new, |column| column.header.clone())
    };
    let place =
        letters(column.with_untracked(|column| column.as_ref().map_or(0, |column| column.index)));
    let chosen = move |event| {
        let word = event_target_value(&event);
        let Some(role) = roles().into_iter().find(|role| words::role(role) == word) else {
            return;
        };
        edit(import, table, |reading| {
            if let Some(column) = reading.columns.get_mut(at) {
                column.role = match role {
                    Role::Mode { .. } => Role::Mode {
                        name: String::from(column.header.trim()),
                    },
                    other => other,
                };
            }
        });
    };
    let named = move |event| {
        let text = event_target_value(&event);
        edit(import, table, |reading| {
            if let Some(column) = reading.columns.get_mut(at)
                && is_mode(&column.role)
            {
                column.role = Role::Mode {
                    name: String::from(text.trim()),
                };
            }
        });
    };
    let options = roles().map(|option| {
        let title = words::role(&option);
        view! { <option value=title selected=move || words::role(&role()) == title>{title}</option> }
    });
    let (label, mode_label) = {
        let place = place.clone();
        let of = place.clone();
        (
            move || words::role_of(&place, &header()),
            words::mode_name_of(&of),
        )
    };
    let shown_letters = place.clone();
    view! {
        <div class="head" role="columnheader" class:ignored=move || role() == Role::Ignore>
            <span class="cut"><span class="secondary">{shown_letters}</span>" "{header}</span>
            <select class="field" aria-label=label on:change=chosen>{options.collect_view()}</select>
            {move || is_mode(&role()).then(|| {
                let name = if let Role::Mode { name } = untrack(role) {
                    name
                } else {
                    String::new()
                };
                view! {
                    <input type="text" class="field" aria-label=mode_label.clone() placeholder=words::MODE_NAME
                        maxlength=MODE_NAME_MAX.to_string() prop:value=name on:change=named/>
                }
            })}
        </div>
    }
    .into_any()
}

/// How the table lies, in the controls of Real-Time Sync's columns.
fn layout(import: Import, table: usize) -> AnyView {
    let now = move || {
        import.drafts.with_untracked(|drafts| {
            let reading = drafts.get(table).and_then(|draft| draft.reading.as_ref());
            reading
                .and_then(|reading| reading.layout.clone())
                .unwrap_or_default()
        })
    };
    let signal = RwSignal::new(now());
    Effect::new(move |before: Option<SheetLayout>| {
        let lies = signal.get();
        if before.is_some_and(|before| before != lies) {
            edit(import, table, |reading| {
                let plain = lies == SheetLayout::default();
                reading.layout = (!plain).then(|| lies.clone());
                follow_headers(import, table, reading);
            });
        }
        lies
    });
    let reading = Memo::new(move |_| {
        let drafts = import.drafts.read();
        drafts.get(table).and_then(|draft| draft.reading.clone())
    });
    let ruled = Memo::new(move |_| {
        let reading = reading.read();
        let columns = reading.iter().flat_map(|reading| &reading.columns);
        let headers = columns.map(|column| column.header.clone());
        headers
            .filter(|header| !header.is_empty())
            .collect::<Vec<String>>()
    });
    let modes = Memo::new(move |_| {
        let tokens = signal.read().shape == Shape::Tokens;
        let reading = reading.read();
        let columns = reading.iter().flat_map(|reading| &reading.columns);
        let names = columns.filter_map(|column| {
            if let Role::Mode { name } = &column.role {
                Some(name.clone())
            } else {
                None
            }
        });
        names
            .filter(|name| tokens && !name.is_empty())
            .collect::<Vec<String>>()
    });
    let reshape = move |shape: Shape| {
        let before = signal.read_untracked().shape;
        edit(import, table, |reading| {
            for column in &mut reading.columns {
                column.role = match (shape, &column.role) {
                    (Shape::Records, Role::Mode { .. }) => Role::Variable,
                    (Shape::Tokens | Shape::Long, Role::Variable) if before == Shape::Records => {
                        Role::Mode {
                            name: String::from(column.header.trim()),
                        }
                    }
                    (_, role) => role.clone(),
                };
            }
        });
        signal.update(|lies| {
            lies.shape = shape;
            if shape != Shape::Tokens {
                lies.rem.retain(|base: &RemBase| base.mode.is_empty());
            }
        });
    };
    view! {
        {lies::names(signal)}
        {lies::choices(signal, ruled, modes, reshape)}
    }
    .into_any()
}

/// The table is there to be looked at.
pub fn view(panel: Panel, import: Import) -> AnyView {
    let shown = Memo::new(move |_| import.shown.get());
    let several = Memo::new(move |_| import.tables.read().len() > 1);
    let header_row = move || {
        let drafts = import.drafts.read();
        let reading = drafts
            .get(shown.get())
            .and_then(|draft| draft.reading.as_ref());
        reading.map_or(0, |reading| reading.header_row)
    };
    let step = move |event| {
        let Ok(number) = event_target_value(&event).parse::<u32>() else {
            return;
        };
        let table = shown.get_untracked();
        edit(import, table, |reading| {
            reading.header_row = number.saturating_sub(1);
            follow_headers(import, table, reading);
        });
    };
    let lacks = Memo::new(move |_| {
        let drafts = import.drafts.read();
        let included = drafts.iter().filter(|draft| draft.is_included);
        included
            .flat_map(|draft| draft.reading.as_ref().map(lacking).unwrap_or_default())
            .collect::<Vec<String>>()
    });
    let told = move || {
        let drafts = import.drafts.read();
        let draft = drafts.get(shown.get());
        let problems = draft.map_or_else(Vec::new, |draft| draft.problems.clone());
        let remembered = draft.is_some_and(|draft| draft.remembered);
        view! {
            {remembered.then(|| view! { <p class="secondary">{words::IMPORT_REMEMBERED}</p> })}
            {preview::problem_list(panel, problems)}
        }
    };
    let collection = move || {
        import.collection.get_untracked().map(|name| view! {
            <label>{words::IMPORT_COLLECTION}
                <input type="text" class="field" id="import-collection" maxlength=COLLECTION_NAME_MAX.to_string() prop:value=name
                    on:change=move |event| {
                        let name = event_target_value(&event);
                        if !name.trim().is_empty() {
                            import.collection.set(Some(String::from(name.trim())));
                            source::read_again(import);
                        }
                    }/>
            </label>
        })
    };
    let existing = move |event| {
        let leaves = event_target_value(&event) == words::IMPORT_EXISTINGS[1];
        import.existing.set(if leaves {
            Existing::Leave
        } else {
            Existing::Update
        });
        import.changed();
    };
    let existings = words::IMPORT_EXISTINGS.map(|word| {
        let is_leave = word == words::IMPORT_EXISTINGS[1];
        let selected = move || (import.existing.get() == Existing::Leave) == is_leave;
        view! { <option value=word selected=selected>{word}</option> }
    });
    let tables = move || {
        several.get().then(|| {
            let titles = import.tables.get();
            let options = titles.iter().enumerate().map(|(at, table)| {
                let title = table.title.clone();
                view! { <option value=at.to_string() selected=move || shown.get() == at>{title}</option> }
            });
            let choose = move |event| {
                if let Ok(at) = event_target_value(&event).parse::<usize>() {
                    import.shown.set(at);
                    import.grid.reset();
                }
            };
            let is_included = move || {
                let drafts = import.drafts.read();
                drafts.get(shown.get()).is_some_and(|draft| draft.is_included)
            };
            let include = move |event| {
                let included = event_target_checked(&event);
                let at = shown.get_untracked();
                import.drafts.update(|drafts| {
                    if let Some(draft) = drafts.get_mut(at) {
                        draft.is_included = included;
                    }
                });
                import.hand_over();
            };
            view! {
                <label>{words::IMPORT_TABLE}
                    <select class="field" on:change=choose>{options.collect_view()}</select>
                </label>
                <label class="tick">
                    <input type="checkbox" prop:checked=is_included on:change=include/>
                    <span>{words::IMPORT_INCLUDED}</span>
                </label>
            }
        })
    };
    let outlook = move || match &*import.outlook.read() {
        Some(outlook) if !import.busy.get() => {
            let counts = &outlook.preview.counts;
            let total = outlook.preview.problems_total;
            let text = words::import_outlook(counts, total);
            if text.is_empty() {
                String::from(words::IMPORT_NOTHING)
            } else {
                text
            }
        }
        Some(_) | None if import.busy.get() => String::from(words::IMPORT_COMPARING),
        Some(_) | None => String::new(),
    };
    let has_problems = Memo::new(move |_| !grid::problems(import).is_empty());
    let review = move || {
        if import.outlook.read_untracked().is_some() {
            import.stage.set(Stage::Planning);
        } else {
            sandbox::focus(LACKING);
        }
    };
    view! {
        <div class="view import">
            <div class="title">
                {heading(import.name)}
                {button("quiet", words::ANOTHER_FILE, move || import.begin_again())}
            </div>
            {told}
            <div class="choices-of-import">
                {tables}
                {collection}
                <label class="stepper">{words::HEADER_ROW}
                    <input type="number" class="field" min="1" step="1" prop:value=move || (header_row() + 1).to_string() on:change=step/>
                </label>
                <label>{words::IMPORT_EXISTING}
                    <select class="field" on:change=existing>{existings.collect_view()}</select>
                </label>
            </div>
            {grid::view(import, shown)}
            {move || layout(import, shown.get())}
        </div>
        <div class="actions">
            <div id=LACKING tabindex="-1" role="status">
                <ul class="lacking" hidden=move || lacks.read().is_empty()>
                    {move || lacks.get().into_iter().map(|lack| view! { <li>{lack}</li> }).collect_view()}
                </ul>
            </div>
            <div class="buttons">
                <span class="outlook" role="status">{outlook}</span>
                {move || has_problems.get().then(|| button("plain", words::IMPORT_NEXT_PROBLEM, move || {
                    grid::next_problem(import, &untrack(|| grid::problems(import)));
                }))}
                {enabled_button("primary", words::IMPORT_REVIEW, Signal::derive(move || !import.busy.get()), review)}
            </div>
        </div>
    }
    .into_any()
}
