//! A table as it was read, with what its columns are for above it.
//!
//! Owns which cells are drawn, the keyboard in them, and which are grey or marked. Must not know what a cell means: the
//! sandbox has said what is wrong with it. All rows are of one height and all columns of one width, and only those near
//! the view are drawn (<https://www.w3.org/WAI/ARIA/apg/patterns/grid/>).

use super::{Import, Table, mapping};
use crate::{sandbox, words};
use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::web_sys::{Event, HtmlElement, KeyboardEvent};
use sheetwire_core::mapping::grid::{Cells, shown};
use sheetwire_core::protocol::panel::{Problem, Role};
use sheetwire_core::sheet::a1;
use std::collections::HashMap;
use std::sync::Arc;
use wasm_bindgen::JsCast as _;

/// Height of a row in CSS pixels; the style sheet has the same.
const ROW_PX: i32 = 24;
/// Width of a column; the style sheet has the same.
const COLUMN_PX: i32 = 136;
/// Width of the rows' numbers, and height of the head.
const NUMBERS_PX: i32 = 44;
const HEAD_PX: i32 = 84;
/// Rows and columns drawn beyond each edge of the view.
const OVERSCAN: u32 = 8;
/// By how many rows what is drawn moves.
const ROWS_A_STEP: u32 = 4;
/// Rows and columns drawn before the view's size is known.
const ROWS_MIN: u32 = 24;
const COLUMNS_MIN: u32 = 8;
/// Rows that PageUp and PageDown move by.
const PAGE_ROWS: u32 = 10;
/// Where the focus is while the keyboard moves in the table.
const GRID: &str = "import-grid";

/// Where the designer is in the table.
#[derive(Clone, Copy)]
pub struct View {
    /// First row and how many, first column and how many.
    window: RwSignal<[u32; 4]>,
    /// Row and column.
    active: RwSignal<(u32, u32)>,
}

impl View {
    /// At the top.
    pub fn new() -> View {
        View {
            window: RwSignal::new([0, ROWS_MIN, 0, COLUMNS_MIN]),
            active: RwSignal::new((0, 0)),
        }
    }

    /// Back to the top.
    pub fn reset(self) {
        self.window.set([0, ROWS_MIN, 0, COLUMNS_MIN]);
        self.active.set((0, 0));
    }

    fn scrolled(self, grid: &HtmlElement) {
        let count = |px: i32, unit: i32| u32::try_from(px.max(0) / unit).unwrap_or(0);
        let window = [
            count(grid.scroll_top(), ROW_PX) / ROWS_A_STEP * ROWS_A_STEP,
            (count(grid.client_height(), ROW_PX) + 1).max(ROWS_MIN),
            count(grid.scroll_left(), COLUMN_PX),
            (count(grid.client_width(), COLUMN_PX) + 2).max(COLUMNS_MIN),
        ];
        if self.window.get_untracked() != window {
            self.window.set(window);
        }
    }

    /// Makes a cell the active one and brings it into the view.
    fn go(self, row: u32, column: u32) {
        self.active.set((row, column));
        let Some(grid) = element() else {
            return;
        };
        let px = |count: u32, unit: i32| i32::try_from(count).unwrap_or(0) * unit;
        let (top, left) = (px(row, ROW_PX), px(column, COLUMN_PX));
        let height = grid.client_height() - HEAD_PX;
        let width = grid.client_width() - NUMBERS_PX;
        if top < grid.scroll_top() {
            grid.set_scroll_top(top);
        } else if top + ROW_PX > grid.scroll_top() + height {
            grid.set_scroll_top(top + ROW_PX - height);
        }
        if left < grid.scroll_left() {
            grid.set_scroll_left(left);
        } else if left + COLUMN_PX > grid.scroll_left() + width {
            grid.set_scroll_left(left + COLUMN_PX - width);
        }
        self.scrolled(&grid);
    }
}

fn element() -> Option<HtmlElement> {
    leptos::web_sys::window()?
        .document()?
        .get_element_by_id(GRID)?
        .dyn_into()
        .ok()
}

/// `A`, `B`, … `AA`.
pub fn letters(column: u32) -> String {
    String::from(a1("", 0, column).trim_end_matches('1'))
}

/// The row and column that an address ends with; `None` for a place that is no cell.
fn cell_of(address: &str) -> Option<(u32, u32)> {
    let cell = address.rsplit_once('!').map_or(address, |(_, cell)| cell);
    let digits = cell.find(|character: char| character.is_ascii_digit())?;
    let (letters, row) = cell.split_at(digits);
    let mut column = 0_u32;
    for letter in letters.bytes() {
        if !letter.is_ascii_uppercase() {
            return None;
        }
        column = column
            .checked_mul(26)?
            .checked_add(u32::from(letter - b'A') + 1)?;
    }
    Some((
        row.parse::<u32>().ok()?.checked_sub(1)?,
        column.checked_sub(1)?,
    ))
}

/// The table that an address is in, and the cell.
fn place_of(tables: &[Table], address: &str) -> Option<(usize, u32, u32)> {
    let (row, column) = cell_of(address)?;
    let found = tables.iter().position(|table| {
        let own = a1(&table.title, row, column);
        own == address
    });
    Some((found?, row, column))
}

/// Shows the cell of an address.
pub fn show(import: Import, address: &str) {
    let place = place_of(&import.tables.get_untracked(), address);
    let Some((table, row, column)) = place else {
        return;
    };
    import.shown.set(table);
    import.grid.active.set((row, column));
    request_animation_frame(move || {
        import.grid.go(row, column);
        sandbox::focus(GRID);
    });
}

/// The problems of the tables, as the readers and the sandbox tell them.
pub fn problems(import: Import) -> Vec<Problem> {
    let mut problems = import.unreadable.get();
    if let Some(outlook) = &*import.outlook.read() {
        problems.extend(outlook.preview.problems.iter().cloned());
    }
    problems
}

/// What is wrong with the cells of one table.
fn marks(tables: &[Table], shown: usize, problems: &[Problem]) -> HashMap<(u32, u32), Problem> {
    problems
        .iter()
        .filter_map(|problem| {
            let (table, row, column) = place_of(tables, &problem.address)?;
            (table == shown).then(|| ((row, column), problem.clone()))
        })
        .collect()
}

/// The place after the active cell where something is wrong.
pub fn next_problem(import: Import, problems: &[Problem]) {
    let tables = import.tables.get_untracked();
    let (row, column) = import.grid.active.get_untracked();
    let now = (import.shown.get_untracked(), row, column);
    let mut places: Vec<(usize, u32, u32)> = problems
        .iter()
        .filter_map(|problem| place_of(&tables, &problem.address))
        .collect();
    places.sort_unstable();
    let next = places.iter().find(|place| **place > now);
    if let Some((table, row, column)) = next.or_else(|| places.first()) {
        show(import, &a1(&tables[*table].title, *row, *column));
    }
}

/// What a drawn row is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Above,
    Header,
    Ignored,
    Read,
}

/// The table that is shown.
pub fn view(import: Import, shown_table: Memo<usize>) -> AnyView {
    let view = import.grid;
    let table = move || Arc::clone(&import.tables.read());
    let size = Memo::new(move |_| {
        let tables = import.tables.read();
        let table = tables.get(shown_table.get());
        table.map_or((0, 0), |table| (table.grid.rows(), table.columns))
    });
    let header_row = Memo::new(move |_| {
        let drafts = import.drafts.read();
        let draft = drafts.get(shown_table.get());
        draft.and_then(|draft| draft.reading.as_ref().map(|reading| reading.header_row))
    });
    let ignored_columns = Memo::new(move |_| {
        let drafts = import.drafts.read();
        let reading = drafts
            .get(shown_table.get())
            .and_then(|draft| draft.reading.as_ref());
        let columns = reading.map_or(&[][..], |reading| &reading.columns);
        let ignored = columns.iter().filter(|column| column.role == Role::Ignore);
        ignored.map(|column| column.index).collect::<Vec<u32>>()
    });
    let unread = Memo::new(move |_| {
        let included = {
            let drafts = import.drafts.read();
            let before = drafts.iter().take(shown_table.get());
            before.filter(|draft| draft.is_included).count()
        };
        let outlook = import.outlook.read();
        let unread = outlook.iter().flat_map(|outlook| &outlook.unread);
        unread
            .filter(|rows| rows.at as usize == included)
            .map(|rows| (rows.from, rows.to))
            .collect::<Vec<(u32, u32)>>()
    });
    let marked =
        Memo::new(move |_| marks(&import.tables.read(), shown_table.get(), &problems(import)));
    let tone = move |row: u32| match header_row.get() {
        Some(header) if row < header => Tone::Above,
        Some(header) if row == header => Tone::Header,
        _ => {
            let unread = unread.read();
            let after = unread.partition_point(|(from, _)| *from <= row);
            let is_unread = after > 0 && row < unread[after - 1].1;
            if is_unread { Tone::Ignored } else { Tone::Read }
        }
    };
    let drawn = move || {
        let [first, held, left, wide] = view.window.get();
        let (rows, columns) = size.get();
        let from = first.saturating_sub(OVERSCAN).min(rows);
        let to = (first + held + OVERSCAN)
            .next_multiple_of(ROWS_A_STEP)
            .min(rows);
        let span = (
            left.saturating_sub(2).min(columns),
            (left + wide + 2).min(columns),
        );
        (from..to)
            .map(|row| (shown_table.get(), row, span))
            .collect::<Vec<_>>()
    };
    let is_active = move |row: u32, column: u32| view.active.get() == (row, column);
    let pressed = move |event: KeyboardEvent| {
        let own = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
            .is_some_and(|target| target.id() == GRID);
        if !own || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let ((row, column), (rows, columns)) = (view.active.get_untracked(), size.get_untracked());
        let (last_row, last_column) = (rows.saturating_sub(1), columns.saturating_sub(1));
        let (row, column) = match event.key().as_str() {
            "ArrowDown" => ((row + 1).min(last_row), column),
            "ArrowUp" => (row.saturating_sub(1), column),
            "ArrowRight" => (row, (column + 1).min(last_column)),
            "ArrowLeft" => (row, column.saturating_sub(1)),
            "PageDown" => ((row + PAGE_ROWS).min(last_row), column),
            "PageUp" => (row.saturating_sub(PAGE_ROWS), column),
            "Home" => (row, 0),
            "End" => (row, last_column),
            _ => return,
        };
        event.prevent_default();
        view.go(row, column);
    };
    let scrolled = move |event: Event| {
        let grid = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok());
        if let Some(grid) = grid {
            view.scrolled(&grid);
        }
    };
    let px = |count: u32, unit: i32| {
        let px = i64::from(count) * i64::from(unit);
        [&px.to_string(), "px"].concat()
    };
    let heads = move || mapping::heads(import, shown_table.get());
    view! {
        <div class="grid" id=GRID role="grid" tabindex="0" aria-label=words::IMPORT_GRID aria-describedby="import-grid-keys"
            aria-rowcount=move || size.get().0.to_string() aria-colcount=move || size.get().1.to_string()
            aria-activedescendant=move || {
                let (row, column) = view.active.get();
                let [first, held, left, wide] = view.window.get();
                let is_drawn = row >= first && row < first + held && column >= left && column < left + wide;
                is_drawn.then(|| cell_id(row, column))
            }
            on:keydown=pressed on:scroll=scrolled>
            <div class="heads" role="row" style:width=move || [&(i64::from(size.get().1) * i64::from(COLUMN_PX) + i64::from(NUMBERS_PX)).to_string(), "px"].concat()>
                <span class="corner" role="columnheader" aria-label="Row"></span>
                {heads}
            </div>
            <div class="body" role="presentation"
                style:height=move || px(size.get().0, ROW_PX)
                style:width=move || [&(i64::from(size.get().1) * i64::from(COLUMN_PX) + i64::from(NUMBERS_PX)).to_string(), "px"].concat()>
                <For each=drawn key=|drawn| *drawn children=move |(at, row, (from, to))| {
                    let tables = table();
                    let texts: Vec<String> = tables.get(at).map_or_else(Vec::new, |table| {
                        let cells = Cells::new(table.grid.row(row)).skip(from as usize);
                        cells.take((to - from) as usize).map(words_of).collect()
                    });
                    let cells = (from..to).map(|column| {
                        let text = texts.get((column - from) as usize).cloned().unwrap_or_default();
                        let is_marked = move || marked.read().contains_key(&(row, column));
                        // Not among the attributes that the view macro knows.
                        let place = custom_attribute("aria-colindex", (column + 1).to_string());
                        view! {
                            <span role="gridcell" class="cut" id=cell_id(row, column) {..place}
                                class:active=move || is_active(row, column)
                                class:invalid=is_marked
                                class:ignored=move || ignored_columns.read().contains(&column)
                                aria-selected=move || if is_active(row, column) { "true" } else { "false" }
                                aria-invalid=move || is_marked().then_some("true")
                                style:left=px(column, COLUMN_PX)
                                on:click=move |_| view.active.set((row, column))
                            >{swatch(&text)}{text}</span>
                        }
                    });
                    let index = custom_attribute("aria-rowindex", (row + 1).to_string());
                    view! {
                        <div role="row" class="cells" {..index} style:top=px(row, ROW_PX)
                            class:above=move || tone(row) == Tone::Above
                            class:header=move || tone(row) == Tone::Header
                            class:ignored=move || tone(row) == Tone::Ignored>
                            <span role="rowheader" class="number">{(row + 1).to_string()}</span>
                            <span class="strip" role="presentation">{cells.collect_view()}</span>
                        </div>
                    }
                }/>
            </div>
        </div>
        <p class="unseen" id="import-grid-keys">{words::IMPORT_GRID_KEYS}</p>
        <p class="told-of" role="status">{move || {
            let (row, column) = view.active.get();
            let problem = marked.read().get(&(row, column)).cloned();
            let tables = table();
            let text = tables.get(shown_table.get()).map(|table| {
                let cell = Cells::new(table.grid.row(row)).nth(column as usize);
                words_of(cell.unwrap_or_default())
            });
            let address = a1("", row, column);
            match problem {
                Some(problem) => view! {
                    <strong>{address}</strong>" "{problem.message}" "<span class="secondary">{problem.remedy}</span>
                }.into_any(),
                None => view! { <span class="cut secondary">{words::import_cell(&address, &text.unwrap_or_default())}</span> }.into_any(),
            }
        }}</p>
    }
    .into_any()
}

/// A cell as a person sees it. An error shows as what it is.
fn words_of(packed: &str) -> String {
    let text = shown(packed);
    match packed.strip_prefix('e') {
        Some(error) if text.is_empty() => String::from(error),
        Some(_) | None => text.into_owned(),
    }
}

fn swatch(text: &str) -> Option<AnyView> {
    let digits = text.strip_prefix('#')?;
    let is_color = matches!(digits.len(), 3 | 4 | 6 | 8)
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let color = String::from(text);
    is_color.then(|| view! { <i class="swatch" style:--fill=color></i> }.into_any())
}

fn cell_id(row: u32, column: u32) -> String {
    ["import-cell-", &row.to_string(), "-", &column.to_string()].concat()
}
