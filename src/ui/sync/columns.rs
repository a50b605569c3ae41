//! Confirming what the sheet's columns are for.
//!
//! Owns the designer's draft of the columns. Must not know how columns are inferred; what a draft lacks is the core's
//! to say.

use super::{button, enabled_button, heading, lies, page};
use crate::{Panel, sandbox, words};
use leptos::prelude::*;
use sheetwire_core::mapping::{Layout, MODE_NAME_MAX, joined};
use sheetwire_core::protocol::panel::{Brands, Column, Problem, RemBase, Role, Shape, SheetLayout};
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
    /// What the tab is called, where several feed the file.
    tab: Option<String>,
}

impl Inferred {
    /// The texts above the columns when `row` is the header, or the lower one of two. Only the rows of the sample are
    /// known.
    fn headers(&self, row: u32, brands: Brands) -> Vec<String> {
        if row <= self.header_row || row as usize - self.header_row as usize > self.sample.len() {
            let own = self.columns.iter().map(|column| column.header.clone());
            return own.collect();
        }
        let below = |row: u32| {
            let sample = row
                .checked_sub(self.header_row + 1)
                .and_then(|below| self.sample.get(below as usize));
            let texts = self.columns.iter().map(|column| match sample {
                Some(cells) => cells
                    .get(column.index as usize)
                    .cloned()
                    .unwrap_or_default(),
                None => column.header.clone(),
            });
            texts.collect::<Vec<String>>()
        };
        match brands {
            Brands::None => below(row),
            Brands::Modes | Brands::Collections => joined(&below(row - 1), below(row)),
        }
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
pub fn roles() -> [Role; 15] {
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

/// Whether a column holds values of a mode.
pub fn is_mode(role: &Role) -> bool {
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
            tab,
            ..
        } = &*panel.session.read()
        {
            Some(Inferred {
                columns: columns.clone(),
                header_row: *header_row,
                sample: sample.clone(),
                problems: problems.clone(),
                layout: layout.clone().unwrap_or_default(),
                tab: tab.as_ref().map(|tab| tab.name.clone()),
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
    let layout = RwSignal::new(inferred.layout.clone());
    let (problems, none) = (inferred.problems.clone(), drafts.is_empty());
    let tab = inferred.tab.clone();
    let inferred = StoredValue::new(inferred);
    let drafts = StoredValue::new(drafts);
    let brands = Memo::new(move |_| layout.read().brands);
    let headers = Memo::new(move |_| {
        inferred.with_value(|inferred| inferred.headers(header_row.get(), brands.get()))
    });

    let columns = move || -> Vec<Column> {
        let headers = headers.read();
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
                            header: headers.get(at).cloned().unwrap_or_default(),
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
        Layout::of(&columns, header_row.get(), &layout.read())
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
    // A mode's name that nobody edited follows its header.
    Effect::new(move |before: Option<Vec<String>>| {
        let after = headers.get();
        for (at, header) in before.iter().flatten().enumerate() {
            let draft = drafts.with_value(|drafts| drafts.get(at).copied());
            if let (Some(draft), Some(after)) = (draft, after.get(at))
                && *draft.mode.read_untracked() == *header
            {
                draft.mode.set(after.clone());
            }
        }
        after
    });
    let step = move |event| {
        if let Ok(number) = event_target_value(&event).parse::<u32>() {
            header_row.set(number.saturating_sub(1));
        }
    };
    // Another shape needs other roles; a column of values stays one.
    let reshape = move |shape: Shape| {
        let before = layout.read_untracked().shape;
        drafts.with_value(|drafts| {
            for draft in drafts {
                let role = match (shape, &*draft.role.read_untracked()) {
                    (Shape::Records, Role::Mode { .. }) => Role::Variable,
                    (Shape::Tokens | Shape::Long, Role::Variable) if before == Shape::Records => {
                        Role::Mode {
                            name: String::new(),
                        }
                    }
                    _ => continue,
                };
                draft.role.set(role);
            }
        });
        layout.update(|layout| layout.shape = shape);
    };
    let modes = Memo::new(move |_| {
        drafts.with_value(|drafts| {
            let modes = drafts.iter().filter(|draft| is_mode(&draft.role.read()));
            let names = modes.map(|draft| String::from(draft.mode.read().trim()));
            let tokens = layout.read().shape == Shape::Tokens;
            names
                .filter(|name| tokens && !name.is_empty())
                .collect::<Vec<String>>()
        })
    });
    let ruled = Memo::new(move |_| {
        let mut named = headers.get();
        named.retain(|header| !header.is_empty());
        named
    });
    // What is confirmed of the layout: a mode that is no more has no rem.
    let confirmed = move || -> Option<SheetLayout> {
        let mut layout = layout.get();
        if layout.shape == Shape::Tokens {
            let modes = modes.read();
            let held = |base: &RemBase| base.mode.is_empty() || modes.contains(&base.mode);
            layout.rem.retain(held);
        }
        Some(layout).filter(|layout| *layout != SheetLayout::default())
    };
    let preview = move || {
        if lacking.read_untracked().is_empty() {
            panel.act(Action::ConfirmColumns {
                columns: untrack(columns),
                header_row: header_row.get_untracked(),
                layout: untrack(confirmed),
            });
        } else {
            sandbox::focus(LACKING);
        }
    };
    let lines = drafts.with_value(|drafts| {
        drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| line(inferred, at, *draft, header_row, headers))
            .collect_view()
    });
    let body = view! {
        <div class="title">
            {heading(words::COLUMNS)}
            <label class="stepper">{words::HEADER_ROW}
                <input type="number" class="field" min="1" step="1" prop:value=move || (header_row.get() + 1).to_string() on:change=step/>
            </label>
        </div>
        {tab.clone().map(|tab| view! { <p class="secondary cut">{tab}</p> })}
        {super::preview::problem_list(panel, problems)}
        {none.then(|| view! { <p class="secondary">{words::NO_COLUMNS}</p> })}
        {lies::names(layout)}
        <ul class="columns" aria-labelledby=super::HEADING>{lines}</ul>
        {tab.map(|tab| lies::tab_mode(layout, tab))}
        {lies::choices(layout, ruled, modes, reshape)}
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
    headers: Memo<Vec<String>>,
) -> AnyView {
    let place = inferred
        .with_value(|inferred| letters(inferred.columns.get(at).map_or(0, |column| column.index)));
    let header = Memo::new(move |_| headers.read().get(at).cloned().unwrap_or_default());
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
