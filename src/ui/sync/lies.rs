//! How the sheet lies: the choices beside the columns' roles.
//!
//! Owns the controls of a layout. Must not know how a layout is inferred or read; what it lacks is the core's to say.

use crate::words;
use leptos::prelude::*;
use sheetwire_core::mapping::{HEADER_SEARCH_ROWS, MODE_NAME_MAX};
use sheetwire_core::protocol::panel::{
    Brands, Names, RemBase, RowRule, Sections, Shape, SheetLayout, TabMode,
};

/// Most pixels in a rem that a field takes.
const REM_MAX: u32 = 100;
/// Most characters of a collection's name that a field takes.
const COLLECTION_NAME_MAX: usize = 100;

/// A choice of several, by its place in the list of its words.
fn choice<T: Copy + PartialEq + Send + Sync + 'static, const N: usize>(
    label: &'static str,
    options: [(T, &'static str); N],
    now: impl Fn() -> T + Copy + Send + Sync + 'static,
    set: impl Fn(T) + Copy + 'static,
) -> AnyView {
    let items = options
        .into_iter()
        .enumerate()
        .map(move |(at, (value, word))| {
            view! { <option value=at.to_string() selected=move || now() == value>{word}</option> }
        });
    let chosen = move |event| {
        let at = event_target_value(&event).parse::<usize>().ok();
        if let Some((value, _)) = at.and_then(|at| options.get(at)) {
            set(*value);
        }
    };
    view! {
        <label><span>{label}</span>
            <select class="field" on:change=chosen>{items.collect_view()}</select>
        </label>
    }
    .into_any()
}

/// What signs in names stand for. Asked at the top of the page while nobody has said.
pub fn names(lies: RwSignal<SheetLayout>) -> AnyView {
    let asked = lies.with_untracked(|lies| lies.names == Names::Ask);
    let set = move |names| lies.update(|lies| lies.names = names);
    asked
        .then(|| {
            let now = move || lies.read().names;
            let control = choice(words::NAMES_ASKED, words::NAMES, now, set);
            view! { <div class="lies asked">{control}</div> }
        })
        .into_any()
}

/// A rule about rows: a column and the words that fit.
fn rule(
    label: &'static str,
    headers: Memo<Vec<String>>,
    lies: RwSignal<SheetLayout>,
    of: fn(&mut SheetLayout) -> &mut Option<RowRule>,
) -> AnyView {
    let now = move || of(&mut lies.get()).clone();
    let column = move |event| {
        let header = event_target_value(&event);
        lies.update(|lies| {
            let place = of(lies);
            let words = place.take().map_or_else(Vec::new, |rule| rule.words);
            *place = (!header.is_empty()).then_some(RowRule { header, words });
        });
    };
    let words = move |event| {
        let text = event_target_value(&event);
        lies.update(|lies| {
            if let Some(rule) = of(lies) {
                let words = text
                    .split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty());
                rule.words = words.map(String::from).collect();
            }
        });
    };
    let chosen = Memo::new(move |_| now().map_or_else(String::new, |rule| rule.header));
    let options = move || {
        headers
            .get()
            .into_iter()
            .map(|header| {
                let value = header.clone();
                view! { <option value=value.clone() selected=move || *chosen.read() == value>{header}</option> }
            })
            .collect_view()
    };
    view! {
        <div class="rule" role="group" aria-label=label>
            <span>{label}</span>
            <select class="field" aria-label=[label, words::RULE_COLUMN].concat() on:change=column>
                <option value="" selected=move || chosen.read().is_empty()>{words::RULE_NONE}</option>
                {options}
            </select>
            {move || (!chosen.read().is_empty()).then(|| view! {
                <input type="text" class="field" aria-label=[label, words::RULE_WORDS].concat() placeholder=words::RULE_WORDS_EXAMPLE
                    prop:value=untrack(now).map_or_else(String::new, |rule| rule.words.join(", ")) on:change=words/>
            })}
        </div>
    }
    .into_any()
}

/// Pixels in one rem, of one mode or (with no name) of all.
fn rem(label: String, mode: String, lies: RwSignal<SheetLayout>) -> AnyView {
    let of = mode.clone();
    let now = move || {
        let lies = lies.read();
        let base = lies.rem.iter().find(|base| base.mode == of);
        base.map_or_else(String::new, |base| base.px.to_string())
    };
    let set = move |event| {
        let px = event_target_value(&event).parse::<u32>().ok();
        lies.update(|lies| {
            lies.rem.retain(|base| base.mode != mode);
            if let Some(px) = px.filter(|px| (1..=REM_MAX).contains(px)) {
                let mode = mode.clone();
                lies.rem.push(RemBase { mode, px });
            }
        });
    };
    view! {
        <label class="stepper"><span>{label}</span>
            <input type="number" class="field" min="1" max=REM_MAX.to_string() step="1" placeholder=words::REM_USUAL prop:value=now on:change=set/>
        </label>
    }
    .into_any()
}

/// Whether the tab holds the values of one mode, and of which. `tab` is what it is called.
pub fn tab_mode(lies: RwSignal<SheetLayout>, tab: String) -> AnyView {
    let is_on = Memo::new(move |_| lies.read().tab_mode.is_some());
    let title = tab.clone();
    let change = move |event| {
        let is_on = event_target_checked(&event);
        let mode = title.clone();
        lies.update(|lies| {
            lies.tab_mode = is_on.then(|| TabMode {
                collection: String::from(words::TAB_COLLECTION_USUAL),
                mode,
            });
        });
    };
    let field = move |label: &'static str, of: fn(&mut TabMode) -> &mut String, max: usize| {
        let now = move || {
            let mut lies = lies.get();
            lies.tab_mode
                .as_mut()
                .map_or_else(String::new, |tab| of(tab).clone())
        };
        let set = move |event| {
            lies.update(|lies| {
                if let Some(tab) = &mut lies.tab_mode {
                    *of(tab) = event_target_value(&event);
                }
            });
        };
        view! {
            <label><span>{label}</span>
                <input type="text" class="field" maxlength=max.to_string() prop:value=now on:input=set/>
            </label>
        }
    };
    view! {
        <div class="lies" role="group" aria-label=words::TAB_MODE>
            <label class="tick">
                <input type="checkbox" prop:checked=move || is_on.get() on:change=change/>
                <span>{words::TAB_MODE}</span>
            </label>
            {move || is_on.get().then(|| view! {
                {field(words::TAB_COLLECTION, |tab| &mut tab.collection, COLLECTION_NAME_MAX)}
                {field(words::TAB_MODE_NAME, |tab| &mut tab.mode, MODE_NAME_MAX)}
            })}
        </div>
    }
    .into_any()
}

/// All choices, in a part of the page that opens by itself where the sheet lies in its own way. `headers` are those that
/// a rule can be about, `modes` those that may have a rem of their own.
pub fn choices(
    lies: RwSignal<SheetLayout>,
    headers: Memo<Vec<String>>,
    modes: Memo<Vec<String>>,
    reshape: impl Fn(sheetwire_core::protocol::panel::Shape) + Copy + 'static,
) -> AnyView {
    let open = lies.with_untracked(|lies| {
        let plain = SheetLayout {
            tab_mode: lies.tab_mode.clone(),
            ..SheetLayout::default()
        };
        *lies != plain
    });
    let skip = move |event| {
        let rows = event_target_value(&event)
            .parse::<u32>()
            .unwrap_or_default();
        lies.update(|lies| lies.skip_rows = rows.min(HEADER_SEARCH_ROWS));
    };
    let rems = move || {
        let modes = modes.get();
        modes
            .into_iter()
            .map(|mode| rem(words::rem_of(&mode), mode, lies))
            .collect_view()
    };
    // Where rows are made from cells all over the sheet, no row is a variable's.
    let is_straight = Memo::new(move |_| {
        let lies = lies.read();
        lies.shape == Shape::Tokens && lies.brands != Brands::Collections
    });
    view! {
        <details class="lies" open=open>
            <summary>{words::LIES}</summary>
            {choice(words::SHAPE, words::SHAPES, move || lies.read().shape, reshape)}
            {choice(words::BRANDS, words::BRAND_ROWS, move || lies.read().brands, move |brands| lies.update(|lies| lies.brands = brands))}
            {choice(words::SECTIONS, words::HEADINGS, move || lies.read().sections, move |sections: Sections| lies.update(|lies| lies.sections = sections))}
            {choice(words::SIGNS, words::NAMES, move || lies.read().names, move |names| lies.update(|lies| lies.names = names))}
            <label class="tick">
                <input type="checkbox" prop:checked=move || lies.read().same_collection
                    on:change=move |event| lies.update(|lies| lies.same_collection = event_target_checked(&event))/>
                <span>{words::SAME_COLLECTION}</span>
            </label>
            {move || is_straight.get().then(|| view! {
                <label class="tick">
                    <input type="checkbox" prop:checked=move || lies.read().formulas
                        on:change=move |event| lies.update(|lies| lies.formulas = event_target_checked(&event))/>
                    <span>{words::FORMULAS}</span>
                </label>
            })}
            <label class="stepper"><span>{words::SKIP_ROWS}</span>
                <input type="number" class="field" min="0" max=HEADER_SEARCH_ROWS.to_string() step="1"
                    prop:value=move || lies.read().skip_rows.to_string() on:change=skip/>
            </label>
            {rule(words::RULE_ONLY, headers, lies, |lies| &mut lies.only)}
            {rule(words::RULE_IGNORE, headers, lies, |lies| &mut lies.ignore)}
            {rem(String::from(words::REM), String::new(), lies)}
            {rems}
        </details>
    }
    .into_any()
}
