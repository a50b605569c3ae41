//! Confirming what the sheet's columns are for.
//!
//! Owns the designer's draft of the columns. Must not know how columns are inferred; what a draft lacks is the core's
//! to say.

use super::{button, enabled_button, heading, page};
use crate::{Panel, sandbox, words};
use leptos::prelude::*;
use sheetwire_core::mapping::{Layout, MODE_NAME_MAX};
use sheetwire_core::protocol::panel::{Column, Problem, Role, SheetLayout};
use sheetwire_core::session::{Action, State};
use sheetwire_core::sheet::a1;

/// What is told when the draft lacks something; the focus goes there when the button is pressed all the same.
const LACKING: &str = "columns-lacking";
/// Sample values shown of a column.
const SAMPLES_MAX: usize = 3;

/// What the sandbox has read from the sheet.
#[derive(Clone, PartialEq)]
struct Inferred {
    columns: Vec<Column>,
    header_row: u32,
    sample: Vec<Vec<String>>,
    problems: Vec<Problem>,
    layout: SheetLayout,
}

impl Inferred {
    /// The text above a column when `row` is the header. Only the rows of the sample are known.
    fn header(&self, column: usize, row: u32) -> &str {
        let below = row
            .checked_sub(self.header_row + 1)
            .and_then(|below| self.sample.get(below as usize));
        let (Some(at), Some(below)) = (self.columns.get(column), below) else {
            return self.columns.get(column).map_or("", |at| &at.header);
        };
        below.get(at.index as usize).map_or("", String::as_str)
    }

    /// The first different values under that header.
    fn samples(&self, column: usize, row: u32) -> Vec<String> {
        let index = self.columns.get(column).map_or(0, |at| at.index as usize);
        let below = row.saturating_sub(self.header_row) as usize;
        let mut samples: Vec<String> = Vec::new();
        for cell in self
            .sample
            .iter()
            .skip(below)
            .filter_map(|row| row.get(index))
        {
            if !cell.is_empty() && samples.len() < SAMPLES_MAX && !samples.contains(cell) {
                samples.push(cell.clone());
            }
        }
        samples
    }
}

/// A column as the designer has it now. The role's mode name is kept apart, so that it outlives a change of mind.
#[derive(Clone, Copy)]
struct Draft {
    role: RwSignal<Role>,
    mode: RwSignal<String>,
}

/// All roles, in the order of the choice.
fn roles() -> [Role; 15] {
    [
        Role::Ignore,
        Role::Collection,
        Role::Group,
        Role::Name,
        Role::Type,
        Role::Mode {
            name: String::new(),
        },
        Role::ModeName,
        Role::Variable,
        Role::Description,
        Role::Scopes,
        Role::CodeWeb,
        Role::CodeAndroid,
        Role::CodeIos,
        Role::Hidden,
        Role::Id,
    ]
}

fn is_mode(role: &Role) -> bool {
    matches!(role, Role::Mode { .. })
}

/// The columns are there to be confirmed.
pub fn confirm(panel: Panel) -> AnyView {
    let inferred = Memo::new(move |_| {
        if let State::ConfirmingColumns {
            columns,
            header_row,
            sample,
            problems,
            layout,
            ..
        } = &*panel.session.read()
        {
            Some(Inferred {
                columns: columns.clone(),
                header_row: *header_row,
                sample: sample.clone(),
                problems: problems.clone(),
                layout: layout.clone().unwrap_or_default(),
            })
        } else {
            None
        }
    });
    let busy = Memo::new(move |_| {
        matches!(
            &*panel.session.read(),
            State::ConfirmingColumns { busy: true, .. }
        )
    });
    (move || inferred.get().map(|inferred| form(panel, inferred, busy))).into_any()
}

fn form(panel: Panel, inferred: Inferred, busy: Memo<bool>) -> AnyView {
    let drafts: Vec<Draft> = inferred
        .columns
        .iter()
        .map(|column| Draft {
            mode: RwSignal::new(match &column.role {
                Role::Mode { name } => name.clone(),
                Role::Ignore
                | Role::Collection
                | Role::Group
                | Role::ModeName
                | Role::Variable
                | Role::Name
                | Role::Type
                | Role::Description
                | Role::Scopes
                | Role::CodeWeb
                | Role::CodeAndroid
                | Role::CodeIos
                | Role::Hidden
                | Role::Id => column.header.clone(),
            }),
            role: RwSignal::new(column.role.clone()),
        })
        .collect();
    let header_row = RwSignal::new(inferred.header_row);
    let (problems, none) = (inferred.problems.clone(), drafts.is_empty());
    let inferred = StoredValue::new(inferred);
    let drafts = StoredValue::new(drafts);

    let columns = move || -> Vec<Column> {
        let row = header_row.get();
        inferred.with_value(|inferred| {
            drafts.with_value(|drafts| {
                inferred
                    .columns
                    .iter()
                    .zip(drafts)
                    .enumerate()
                    .map(|(at, (column, draft))| {
                        let role = draft.role.get();
                        Column {
                            index: column.index,
                            header: String::from(inferred.header(at, row)),
                            role: if is_mode(&role) {
                                Role::Mode {
                                    name: String::from(draft.mode.read().trim()),
                                }
                            } else {
                                role
                            },
                        }
                    })
                    .collect()
            })
        })
    };
    let lacking = Memo::new(move |_| {
        let columns = columns();
        inferred
            .with_value(|inferred| Layout::of(&columns, header_row.get(), &inferred.layout))
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|lack| {
                let place = lack.column.map_or_else(String::new, |column| {
                    ["Column ", &letters(column), ": "].concat()
                });
                [&place, lack.message.as_str(), " ", &lack.remedy].concat()
            })
            .collect::<Vec<String>>()
    });
    let step = move |event| {
        let Ok(number) = event_target_value(&event).parse::<u32>() else {
            return;
        };
        let (before, after) = (header_row.get_untracked(), number.saturating_sub(1));
        // A mode's name that nobody edited follows its header.
        inferred.with_value(|inferred| {
            drafts.with_value(|drafts| {
                for (at, draft) in drafts.iter().enumerate() {
                    if *draft.mode.read_untracked() == inferred.header(at, before) {
                        draft.mode.set(String::from(inferred.header(at, after)));
                    }
                }
            });
        });
        header_row.set(after);
    };
    let preview = move || {
        if lacking.read_untracked().is_empty() {
            panel.act(Action::ConfirmColumns {
                columns: untrack(columns),
                header_row: header_row.get_untracked(),
            });
        } else {
            sandbox::focus(LACKING);
        }
    };
    let lines = drafts.with_value(|drafts| {
        drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| line(inferred, at, *draft, header_row))
            .collect_view()
    });
    let body = view! {
        <div class="title">
            {heading(words::COLUMNS)}
            <label class="stepper">{words::HEADER_ROW}
                <input type="number" class="field" min="1" step="1" prop:value=move || (header_row.get() + 1).to_string() on:change=step/>
            </label>
        </div>
        {super::preview::problem_list(panel, problems)}
        {none.then(|| view! { <p class="secondary">{words::NO_COLUMNS}</p> })}
        <ul class="columns" aria-labelledby=super::HEADING>{lines}</ul>
    };
    let actions = view! {
        <div id=LACKING tabindex="-1" role="status">
            <ul class="lacking" hidden=move || lacking.read().is_empty()>
                {move || lacking.get().into_iter().map(|lack| view! { <li>{lack}</li> }).collect_view()}
            </ul>
        </div>
        <div class="buttons">
            {button("plain", words::BACK, move || panel.act(Action::Back))}
            {enabled_button(
                "primary",
                Signal::derive(move || String::from(if busy.get() { words::PREVIEW_COMING } else { words::PREVIEW_CHANGES })),
                Signal::derive(move || !busy.get()),
                preview,
            )}
        </div>
    };
    view! { <div class="stacked">{page(body.into_any(), actions.into_any(), None)}</div> }
        .into_any()
}

/// `A`, `B`, … `AA`.
fn letters(column: u32) -> String {
    String::from(a1("", 0, column).trim_end_matches('1'))
}

/// One column: where it is, what stands in it, what it is for.
fn line(
    inferred: StoredValue<Inferred>,
    at: usize,
    draft: Draft,
    header_row: RwSignal<u32>,
) -> AnyView {
    let place = inferred
        .with_value(|inferred| letters(inferred.columns.get(at).map_or(0, |column| column.index)));
    let header = Memo::new(move |_| {
        inferred.with_value(|inferred| String::from(inferred.header(at, header_row.get())))
    });
    let samples = move || {
        inferred
            .with_value(|inferred| inferred.samples(at, header_row.get()))
            .into_iter()
            .map(|text| view! { <span class="sample">{super::preview::value(&text)}</span> })
            .collect_view()
    };
    let chosen = move |event| {
        let value = event_target_value(&event);
        if let Some(role) = roles().into_iter().find(|role| words::role(role) == value) {
            draft.role.set(role);
        }
    };
    let options = roles().map(|role| {
        let title = words::role(&role);
        view! { <option value=title selected=move || words::role(&draft.role.read()) == title>{title}</option> }
    });
    let label = {
        let place = place.clone();
        move || words::role_of(&place, &header.read())
    };
    let mode_label = words::mode_name_of(&place);
    view! {
        <li class="column" class:ignored=move || *draft.role.read() == Role::Ignore>
            <span class="letter" aria-hidden="true">{place}</span>
            <span class="text">
                <span class="cut header">{move || match header.get() {
                    header if header.is_empty() => String::from(words::NO_HEADER),
                    header => header,
                }}</span>
                <span class="cut secondary">{samples}</span>
            </span>
            <span class="role">
                <select class="field" aria-label=label on:change=chosen>{options.collect_view()}</select>
                {move || is_mode(&draft.role.read()).then(|| view! {
                    <input type="text" class="field" aria-label=mode_label.clone() placeholder=words::MODE_NAME maxlength=MODE_NAME_MAX.to_string()
                        prop:value=move || draft.mode.get()
                        on:input=move |event| draft.mode.set(event_target_value(&event))/>
                })}
            </span>
        </li>
    }
    .into_any()
}
