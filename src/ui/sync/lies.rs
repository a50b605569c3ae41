//! How the sheet lies: the choices beside the columns' roles.
//!
//! Owns the controls of a layout. Must not know how a layout is inferred or read; what it lacks is the core's to say.

use crate::words;
use leptos::prelude::*;
use sheetwire_core::mapping::HEADER_SEARCH_ROWS;
use sheetwire_core::protocol::panel::{Names, RemBase, RowRule, Sections, SheetLayout};

/// Most pixels in a rem that a field takes.
const REM_MAX: u32 = 100;

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

/// All choices, in a part of the page that opens by itself where the sheet lies in its own way. `headers` are those that
/// a rule can be about, `modes` those that may have a rem of their own.
pub fn choices(
    lies: RwSignal<SheetLayout>,
    headers: Memo<Vec<String>>,
    modes: Memo<Vec<String>>,
    reshape: impl Fn(sheetwire_core::protocol::panel::Shape) + Copy + 'static,
) -> AnyView {
    let open = lies.with_untracked(|lies| *lies != SheetLayout::default());
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
