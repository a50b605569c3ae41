//! The rows of a plan as a tree: collections, groups, variables, and what differs about them.
//!
//! Owns folding, searching, filtering, the keyboard in it, and which lines are drawn. Must not know what a plan may do.
//! All lines are of one height and only those near the view are drawn, so that a plan of the longest length scrolls as
//! a short one does. The tree has one stop for the Tab key; inside it the active line moves
//! (<https://www.w3.org/WAI/ARIA/apg/patterns/treeview/>).

use super::preview::{cell, problem_list, value};
use crate::{Panel, sandbox, words};
use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::web_sys::{HtmlElement, KeyboardEvent};
use sheetwire_core::protocol::panel::{PreviewKind, PreviewRow, Problem};
use sheetwire_core::session::Action;
use std::collections::BTreeSet;
use wasm_bindgen::JsCast as _;

/// Height of a line in CSS pixels; the style sheet has the same.
const LINE_PX: i32 = 28;
/// Lines drawn beyond each edge of the view.
const OVERSCAN: usize = 8;
/// By how many lines what is drawn moves.
const LINES_A_STEP: usize = 4;
/// Fewest lines drawn, so that a panel that grows has no gap before it is scrolled.
const DRAWN_MIN: usize = 32;
/// Lines that PageUp and PageDown move by.
const PAGE_LINES: usize = 12;
/// What stays over the tree while it is scrolled: the search, in CSS pixels.
const TOOLS_PX: i32 = 40;
/// Where the focus is while the keyboard moves in the tree.
const TREE: &str = "plan-tree";
/// Parts the names in the key of a folded line; names can't hold it.
const KEY_PART: &str = "\u{1f}";

/// Which lines are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filter {
    All,
    Kind(PreviewKind),
    Problems,
}

const FILTERS: [(Filter, &str); 7] = [
    (Filter::All, "all"),
    (Filter::Kind(PreviewKind::Create), "create"),
    (Filter::Kind(PreviewKind::Change), "change"),
    (Filter::Kind(PreviewKind::Rename), "rename"),
    (Filter::Kind(PreviewKind::Remove), "remove"),
    (Filter::Kind(PreviewKind::Retype), "retype"),
    (Filter::Problems, "problems"),
];

/// What the designer did to the tree. It outlives the plan, which is made anew when a row is left out or the sheet
/// changes.
#[derive(Clone, Copy)]
pub struct Tree {
    search: RwSignal<String>,
    filter: RwSignal<Filter>,
    closed: RwSignal<BTreeSet<String>>,
    /// The first line in the view, and how many lines it holds.
    window: RwSignal<(usize, usize)>,
    active: RwSignal<usize>,
    /// Whether the next plan's tree takes the focus: a row was left out from the keyboard.
    refocus: StoredValue<bool>,
}

impl Tree {
    /// A tree in which everything is listed and open.
    pub fn new() -> Tree {
        Tree {
            search: RwSignal::new(String::new()),
            filter: RwSignal::new(Filter::All),
            closed: RwSignal::new(BTreeSet::new()),
            window: RwSignal::new((0, DRAWN_MIN)),
            active: RwSignal::new(0),
            refocus: StoredValue::new(false),
        }
    }

    /// The view around the tree was scrolled.
    pub fn scrolled(self, view: &HtmlElement) {
        let Some(tree) = element() else {
            return;
        };
        let above = (view.scroll_top() - tree.offset_top()).max(0);
        let first = usize::try_from(above / LINE_PX).unwrap_or(0);
        let held = usize::try_from(view.client_height() / LINE_PX + 1).unwrap_or(0);
        let window = (first, held.max(DRAWN_MIN));
        if self.window.get_untracked() != window {
            self.window.set(window);
        }
    }

    /// Lists the problems alone.
    pub fn show_problems(self) {
        self.filter.set(Filter::Problems);
    }

    fn toggle(self, key: String) {
        self.closed.update(|closed| {
            if !closed.remove(&key) {
                closed.insert(key);
            }
        });
    }

    /// Makes a line the active one and brings it into the view.
    fn go(self, line: usize) {
        self.active.set(line);
        let Some(tree) = element() else {
            return;
        };
        let Some(view) = tree
            .closest(".view")
            .ok()
            .flatten()
            .and_then(|view| view.dyn_into::<HtmlElement>().ok())
        else {
            return;
        };
        let top = tree.offset_top() + i32::try_from(line).unwrap_or(0) * LINE_PX;
        if top < view.scroll_top() + TOOLS_PX {
            view.set_scroll_top(top - TOOLS_PX);
        } else if top + LINE_PX > view.scroll_top() + view.client_height() {
            view.set_scroll_top(top + LINE_PX - view.client_height());
        }
        self.scrolled(&view);
    }
}

fn element() -> Option<HtmlElement> {
    leptos::web_sys::window()?
        .document()?
        .get_element_by_id(TREE)?
        .dyn_into()
        .ok()
}

/// The rows by collection and group, in the plan's order.
struct Model {
    plan: u32,
    rows: Vec<PreviewRow>,
    collections: Vec<Collection>,
    /// What is searched, in lower case, a row each.
    texts: Vec<String>,
}

struct Collection {
    name: String,
    /// Without a group.
    rows: Vec<usize>,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    rows: Vec<usize>,
}

/// A variable's group and its own name.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

/// The key under which an open variable is folded.
fn row_key(row: &PreviewRow) -> String {
    [&row.collection, KEY_PART, &row.name, KEY_PART].concat()
}

impl Model {
    fn new(plan: u32, rows: Vec<PreviewRow>) -> Model {
        let mut collections: Vec<Collection> = Vec::new();
        // Rows of one collection and group mostly follow each other.
        let mut last = (0, 0);
        for (place, row) in rows.iter().enumerate() {
            let (group, _) = parts(&row.name);
            if collections
                .get(last.0)
                .is_none_or(|collection| collection.name != row.collection)
            {
                let found = collections
                    .iter()
                    .position(|collection| collection.name == row.collection);
                last.0 = found.unwrap_or_else(|| {
                    collections.push(Collection {
                        name: row.collection.clone(),
                        rows: Vec::new(),
                        groups: Vec::new(),
                    });
                    collections.len() - 1
                });
            }
            let collection = &mut collections[last.0];
            if group.is_empty() {
                collection.rows.push(place);
                continue;
            }
            if collection
                .groups
                .get(last.1)
                .is_none_or(|each| each.name != group)
            {
                let found = collection.groups.iter().position(|each| each.name == group);
                last.1 = found.unwrap_or_else(|| {
                    collection.groups.push(Group {
                        name: String::from(group),
                        rows: Vec::new(),
                    });
                    collection.groups.len() - 1
                });
            }
            collection.groups[last.1].rows.push(place);
        }
        let texts = rows
            .iter()
            .map(|row| {
                let mut text =
                    [&row.collection, KEY_PART, &row.name, KEY_PART, &row.address].concat();
                for field in &row.fields {
                    for part in [field.before.as_deref().unwrap_or_default(), &field.after] {
                        text.push_str(KEY_PART);
                        text.push_str(part);
                    }
                }
                text.to_lowercase()
            })
            .collect();
        Model {
            plan,
            rows,
            collections,
            texts,
        }
    }

    /// The lines that are listed, from the top.
    fn lines(&self, search: &str, filter: Filter, closed: &BTreeSet<String>) -> Vec<Line> {
        let search = search.trim().to_lowercase();
        let is_listed = |place: &&usize| {
            (match filter {
                Filter::All => true,
                Filter::Kind(kind) => self.rows[**place].kind == kind,
                Filter::Problems => false,
            }) && self.texts[**place].contains(&search)
        };
        let listed = |rows: &[usize]| rows.iter().filter(is_listed).copied().collect::<Vec<_>>();
        let found: Vec<_> = self
            .collections
            .iter()
            .enumerate()
            .filter_map(|(at, collection)| {
                let loose = listed(&collection.rows);
                let groups: Vec<_> = collection
                    .groups
                    .iter()
                    .enumerate()
                    .map(|(at, group)| (at, listed(&group.rows)))
                    .filter(|(_, rows)| !rows.is_empty())
                    .collect();
                let count = loose.len() + groups.iter().map(|(_, rows)| rows.len()).sum::<usize>();
                (count > 0).then_some((at, loose, groups, count))
            })
            .collect();
        let mut lines = Vec::new();
        let collections = found.len();
        for (nth, (at, loose, groups, count)) in found.into_iter().enumerate() {
            let collection = &self.collections[at];
            let is_open = !closed.contains(&collection.name);
            lines.push(Line {
                what: What::Collection { at, count },
                level: 1,
                place: nth + 1,
                size: collections,
                is_open: Some(is_open),
            });
            if !is_open {
                continue;
            }
            let size = loose.len() + groups.len();
            self.push_rows(&loose, 2, size, closed, &mut lines);
            for (nth, (group, rows)) in groups.into_iter().enumerate() {
                let key = group_key(&collection.name, &collection.groups[group].name);
                let is_open = !closed.contains(&key);
                lines.push(Line {
                    what: What::Group {
                        at,
                        group,
                        count: rows.len(),
                    },
                    level: 2,
                    place: loose.len() + nth + 1,
                    size,
                    is_open: Some(is_open),
                });
                if is_open {
                    self.push_rows(&rows, 3, rows.len(), closed, &mut lines);
                }
            }
        }
        lines
    }

    fn push_rows(
        &self,
        rows: &[usize],
        level: usize,
        size: usize,
        closed: &BTreeSet<String>,
        lines: &mut Vec<Line>,
    ) {
        for (nth, place) in rows.iter().enumerate() {
            let row = &self.rows[*place];
            let fields = row.fields.len();
            let is_open =
                (fields > 0).then(|| closed.is_empty() || !closed.contains(&row_key(row)));
            lines.push(Line {
                what: What::Row { place: *place },
                level,
                place: nth + 1,
                size,
                is_open,
            });
            if is_open == Some(true) {
                lines.extend((0..fields).map(|field| Line {
                    what: What::Field {
                        place: *place,
                        field,
                    },
                    level: level + 1,
                    place: field + 1,
                    size: fields,
                    is_open: None,
                }));
            }
        }
    }

    /// The key under which a line is folded.
    fn key(&self, line: &Line) -> Option<String> {
        match line.what {
            What::Collection { at, .. } => Some(self.collections[at].name.clone()),
            What::Group { at, group, .. } => {
                let collection = &self.collections[at];
                Some(group_key(&collection.name, &collection.groups[group].name))
            }
            What::Row { place } => Some(row_key(&self.rows[place])),
            What::Field { .. } => None,
        }
    }

    /// The row of a line, if it is one or belongs to one.
    fn row(&self, line: &Line) -> Option<(usize, &PreviewRow)> {
        match line.what {
            What::Row { place } | What::Field { place, .. } => Some((place, &self.rows[place])),
            What::Collection { .. } | What::Group { .. } => None,
        }
    }
}

fn group_key(collection: &str, group: &str) -> String {
    [collection, KEY_PART, group].concat()
}

/// A line of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Line {
    what: What,
    /// From 1.
    level: usize,
    /// Among the lines under the same one, from 1.
    place: usize,
    /// How many lines are under the same one.
    size: usize,
    /// `None` for a line without lines under it.
    is_open: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Collection {
        at: usize,
        count: usize,
    },
    Group {
        at: usize,
        group: usize,
        count: usize,
    },
    Row {
        place: usize,
    },
    Field {
        place: usize,
        field: usize,
    },
}

/// What a key does to the lines.
enum Move {
    To(usize),
    Toggle,
    Open,
    LeaveOut,
    Nothing,
}

fn moved(key: &str, active: usize, lines: &[Line]) -> Option<Move> {
    let line = lines.get(active)?;
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
                .rposition(|each| each.level < line.level);
            above.map_or(Move::Nothing, Move::To)
        }
        " " => Move::Toggle,
        "Enter" => Move::Open,
        "Delete" => Move::LeaveOut,
        _ => return None,
    })
}

/// The rows of a plan under a search and a filter.
pub fn view(
    panel: Panel,
    plan: u32,
    rows: Vec<PreviewRow>,
    problems: Vec<Problem>,
    tree: Tree,
) -> AnyView {
    if rows.is_empty() && problems.is_empty() {
        return ().into_any();
    }
    let choices = choices(&rows, problems.len());
    if !choices
        .iter()
        .any(|(filter, _, _)| *filter == tree.filter.get_untracked())
    {
        tree.filter.set(Filter::All);
    }
    let model = StoredValue::new(Model::new(plan, rows));
    let lines = Memo::new(move |_| {
        model.with_value(|model| {
            model.lines(&tree.search.read(), tree.filter.get(), &tree.closed.read())
        })
    });
    let total = Memo::new(move |_| lines.read().len());
    let active = move || tree.active.get().min(total.get().saturating_sub(1));
    if tree.refocus.get_value() {
        tree.refocus.set_value(false);
        request_animation_frame(|| sandbox::focus(TREE));
    }
    // In steps, so that most scrolled pixels draw nothing.
    let range = Memo::new(move |_| {
        let (first, held) = tree.window.get();
        let to = (first + held + OVERSCAN)
            .next_multiple_of(LINES_A_STEP)
            .min(total.get());
        let from = first.saturating_sub(OVERSCAN) / LINES_A_STEP * LINES_A_STEP;
        (from.min(to), to)
    });
    let drawn = move || {
        let (from, to) = range.get();
        let lines = lines.read();
        (from..to.min(lines.len()))
            .map(|index| (index, lines[index]))
            .collect::<Vec<_>>()
    };
    let pressed = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let at = untrack(active);
        let Some(step) = moved(&event.key(), at, &lines.read_untracked()) else {
            return;
        };
        event.prevent_default();
        let line = lines.read_untracked()[at];
        match step {
            Move::To(line) => tree.go(line),
            Move::Toggle => fold(tree, model, &line),
            Move::Open => {
                let address =
                    model.with_value(|model| model.row(&line).map(|(_, row)| row.address.clone()));
                match address.filter(|address| !address.is_empty()) {
                    Some(address) => panel.act(Action::OpenCell { address }),
                    None => fold(tree, model, &line),
                }
            }
            Move::LeaveOut => {
                let place = model.with_value(|model| {
                    let (place, row) = model.row(&line)?;
                    (row.kind != PreviewKind::Remove).then_some(place)
                });
                if let Some(place) = place {
                    tree.refocus.set_value(true);
                    panel.act(Action::LeaveOut {
                        plan,
                        rows: vec![place as u32],
                    });
                }
            }
            Move::Nothing => {}
        }
    };
    let found = Memo::new(move |_| {
        let search = tree.search.read().trim().to_lowercase();
        let filter = tree.filter.get();
        problems
            .iter()
            .filter(|problem| {
                filter == Filter::Problems
                    && [&problem.address, &problem.message, &problem.remedy]
                        .iter()
                        .any(|text| text.to_lowercase().contains(&search))
            })
            .cloned()
            .collect::<Vec<_>>()
    });
    view! {
        <div class="tools">
            <input type="search" class="field" aria-label=words::PREVIEW_SEARCH placeholder=words::PREVIEW_SEARCH
                prop:value=move || tree.search.get()
                on:input=move |event| { tree.search.set(event_target_value(&event)); tree.active.set(0); }/>
            <select class="field" aria-label=words::PREVIEW_FILTER
                prop:value=move || FILTERS.iter().find(|(filter, _)| *filter == tree.filter.get()).map(|(_, name)| *name)
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    if let Some((filter, _)) = FILTERS.iter().find(|(_, name)| *name == chosen) {
                        tree.filter.set(*filter);
                        tree.active.set(0);
                    }
                }>
                {choices.into_iter().map(|(filter, name, count)| view! {
                    <option value=name selected=move || tree.filter.get() == filter>{words::filter(name, count)}</option>
                }).collect_view()}
            </select>
        </div>
        {move || problem_list(panel, found.get())}
        <p class="secondary" role="status">
            {move || (total.get() == 0 && found.read().is_empty()).then_some(words::NOTHING_LISTED)}
        </p>
        <div class="tree" id=TREE role="tree" tabindex="0" aria-label=words::PREVIEW_TREE aria-describedby="plan-keys"
            aria-activedescendant=move || {
                let (active, (from, to)) = (active(), range.get());
                (from..to).contains(&active).then(|| line_id(active))
            }
            hidden=move || total.get() == 0
            style:height=move || [(total.get() * LINE_PX as usize).to_string().as_str(), "px"].concat()
            on:keydown=pressed>
            <For each=drawn key=|line| *line children=move |(index, line)| {
                let drawn = model.with_value(|model| contents(panel, tree, model, &line));
                // Not among the attributes that the view macro knows.
                let level = custom_attribute("aria-level", line.level.to_string());
                let press = move |_| {
                    tree.active.set(index);
                    fold(tree, model, &line);
                };
                view! {
                    <div role="treeitem" id=line_id(index) class=class(&line) class:active=move || active() == index
                        style:top=[(index * LINE_PX as usize).to_string().as_str(), "px"].concat()
                        {..level} aria-posinset=line.place.to_string() aria-setsize=line.size.to_string()
                        aria-expanded=line.is_open.map(|is_open| if is_open { "true" } else { "false" })
                        aria-selected=move || if active() == index { "true" } else { "false" }
                        on:click=press>
                        <span class="fold" class:open=line.is_open == Some(true) class:none=line.is_open.is_none() aria-hidden="true"></span>
                        {drawn}
                    </div>
                }
            }/>
        </div>
        <p class="unseen" id="plan-keys">{words::PREVIEW_KEYS}</p>
    }
    .into_any()
}

fn fold(tree: Tree, model: StoredValue<Model>, line: &Line) {
    if line.is_open.is_some()
        && let Some(key) = model.with_value(|model| model.key(line))
    {
        tree.toggle(key);
    }
}

fn line_id(index: usize) -> String {
    ["plan-line-", index.to_string().as_str()].concat()
}

fn class(line: &Line) -> &'static str {
    match (line.what, line.level) {
        (What::Collection { .. }, _) => "line collection",
        (What::Group { .. }, _) => "line group",
        (What::Row { .. }, 2) => "line variable",
        (What::Row { .. }, _) => "line variable deep",
        (What::Field { .. }, 3) => "line difference",
        (What::Field { .. }, _) => "line difference deep",
    }
}

/// The filters that list something: which, its name, and how many.
fn choices(rows: &[PreviewRow], problems: usize) -> Vec<(Filter, &'static str, usize)> {
    FILTERS
        .iter()
        .map(|(filter, name)| {
            let count = match filter {
                Filter::All => rows.len(),
                Filter::Kind(kind) => rows.iter().filter(|row| row.kind == *kind).count(),
                Filter::Problems => problems,
            };
            (*filter, *name, count)
        })
        .filter(|(filter, _, count)| *filter == Filter::All || *count > 0)
        .collect()
}

fn contents(panel: Panel, tree: Tree, model: &Model, line: &Line) -> AnyView {
    match line.what {
        What::Collection { at, count } => {
            let name = &model.collections[at].name;
            let name = if name.is_empty() {
                String::from(words::NO_COLLECTION)
            } else {
                name.clone()
            };
            branch(name, count)
        }
        What::Group { at, group, count } => {
            branch(model.collections[at].groups[group].name.clone(), count)
        }
        What::Row { place } => variable(panel, tree, model.plan, place, &model.rows[place]),
        What::Field { place, field } => {
            let change = &model.rows[place].fields[field];
            let title = match &change.before {
                Some(before) => [before, " → ", &change.after].concat(),
                None => change.after.clone(),
            };
            let before = change.before.as_deref().map(|before| {
                view! {
                    <span class="before cut">{value(before)}</span>
                    <span class="arrow" aria-hidden="true">"→"</span><span class="unseen">{words::BECOMES}</span>
                }
            });
            view! {
                <span class="secondary cut field-name" title=change.field.clone()>{change.field.clone()}</span>
                <span class="values" title=title>{before}<span class="after cut">{value(&change.after)}</span></span>
            }
            .into_any()
        }
    }
}

fn branch(name: String, count: usize) -> AnyView {
    let count = words::number(u32::try_from(count).unwrap_or(u32::MAX));
    view! { <span class="cut name" title=name.clone()>{name.clone()}</span><span class="secondary">{count}</span> }.into_any()
}

fn variable(panel: Panel, tree: Tree, plan: u32, place: usize, row: &PreviewRow) -> AnyView {
    let class = match row.kind {
        PreviewKind::Create => "badge create",
        PreviewKind::Change | PreviewKind::Rename => "badge change",
        PreviewKind::Remove | PreviewKind::Retype => "badge remove",
    };
    let leave_out = match row.kind {
        PreviewKind::Create | PreviewKind::Change | PreviewKind::Rename | PreviewKind::Retype => {
            Some(view! {
                <button type="button" class="quiet leave" tabindex="-1" aria-label=words::leave_out_of(&row.name) on:click=move |event| {
                    event.stop_propagation();
                    tree.refocus.set_value(true);
                    panel.act(Action::LeaveOut { plan, rows: vec![place as u32] });
                }>{words::LEAVE_OUT}</button>
            })
        }
        PreviewKind::Remove => None,
    };
    let (_, leaf) = parts(&row.name);
    view! {
        <span class=class>{words::kind(row.kind)}</span>
        <span class="cut name" title=row.name.clone()>{String::from(leaf)}</span>
        {leave_out}
        {cell(panel, row.address.clone(), true)}
    }
    .into_any()
}
