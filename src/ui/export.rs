//! The Export tab: what is written, as which kind of file, how it begins, and where it goes.
//!
//! Owns the choices and the preview. Must not know a format: the program of files writes (`files.rs`), from the variables as
//! they are listed.

use crate::{Known, Listing, Panel, Tab, files, sandbox, words};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::{
    Blob, BlobPropertyBag, HtmlAnchorElement, HtmlDocument, HtmlTextAreaElement, Url, window,
};
use sheetwire_core::protocol::panel::Problem;
use sheetwire_files::listed::{LeftOut, variables_of};
use sheetwire_files::work::{FileName, Format, Order, Reply};
use std::sync::Arc;
use wasm_bindgen::JsCast as _;

/// How much of a file is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 4_000;
/// Most problems that are shown; more are counted.
const PROBLEMS_SHOWN_MAX: usize = 50;

const FORMATS: [(Format, &str, &str); 4] = [
    (Format::Separated, "csv", "CSV"),
    (Format::Workbook, "xlsx", "XLSX"),
    (Format::Tokens, "tokens", "Design tokens"),
    (Format::Css, "css", "CSS"),
];

/// What the designer chose, and what came of it.
#[derive(Clone, Copy)]
pub struct Exporting {
    format: RwSignal<Format>,
    left_out: RwSignal<LeftOut>,
    /// The number of the newest order: an answer to an older one is not shown.
    turn: StoredValue<u32>,
    written: RwSignal<Writing>,
    /// What was done with a file, in words.
    said: RwSignal<&'static str>,
}

/// What there is of the files.
#[derive(Clone, PartialEq)]
enum Writing {
    /// Nothing is chosen, or nothing is there.
    Nothing,
    Under,
    Done {
        files: Vec<(FileName, Arc<Vec<u8>>)>,
        problems: Vec<Problem>,
    },
    Failed(String),
}

impl Exporting {
    /// Everything is exported, as CSV.
    pub fn new() -> Exporting {
        Exporting {
            format: RwSignal::new(Format::Separated),
            left_out: RwSignal::new(LeftOut::new()),
            turn: StoredValue::new(0),
            written: RwSignal::new(Writing::Nothing),
            said: RwSignal::new(""),
        }
    }

    fn toggle(self, collection: &str, mode: Option<&str>) {
        let key = (String::from(collection), mode.map(String::from));
        self.left_out.update(|left_out| {
            if !left_out.remove(&key) {
                left_out.insert(key);
            }
        });
    }

    /// Has the files written anew.
    fn write(self, known: &Known, title: String) {
        let turn = self.turn.get_value() + 1;
        self.turn.set_value(turn);
        let chosen = variables_of(&known.listing, &self.left_out.read());
        if chosen
            .file
            .collections
            .iter()
            .all(|collection| collection.variables.is_empty())
        {
            self.written.set(Writing::Nothing);
            return;
        }
        self.written.set(Writing::Under);
        let order = order(self.format.get(), chosen.file, title, false);
        spawn_local(async move {
            let written = match files::perform(&order, &[]).await {
                Ok((Reply::Written { files, problems }, bytes)) => Writing::Done {
                    files: files
                        .into_iter()
                        .zip(bytes.into_iter().map(Arc::new))
                        .collect(),
                    problems: chosen.problems.into_iter().chain(problems).collect(),
                },
                Ok((
                    Reply::Refused {
                        message, remedy, ..
                    },
                    _,
                )) => Writing::Failed([&message, " ", &remedy].concat()),
                Ok((Reply::Read { .. }, _)) => Writing::Failed(String::from(words::NOT_WRITTEN)),
                Err(unanswered) => Writing::Failed(unanswered.to_string()),
            };
            if self.turn.get_value() == turn {
                self.written.set(written);
            }
        });
    }

    /// Downloads all files as one.
    fn download_all(self, known: &Known, title: String) {
        let chosen = variables_of(&known.listing, &self.left_out.read_untracked());
        let order = order(self.format.get_untracked(), chosen.file, title, true);
        spawn_local(async move {
            if let Ok((Reply::Written { files, .. }, bytes)) = files::perform(&order, &[]).await
                && let (Some(file), Some(bytes)) = (files.first(), bytes.first())
            {
                self.said.set(download(file, bytes));
            }
        });
    }
}

fn order(
    format: Format,
    variables: sheetwire_files::Variables,
    title: String,
    archive: bool,
) -> Order {
    Order::Write {
        format,
        variables,
        title,
        archive,
    }
}

/// The tab's contents.
#[component]
pub fn Export(panel: Panel) -> impl IntoView {
    let exporting = panel.exporting;
    let known = Memo::new(move |_| match &*panel.listing.read() {
        Listing::Ready(known) => Some(Arc::clone(known)),
        Listing::Loading | Listing::Failed(_) => None,
    });
    // Files are written while somebody looks.
    Effect::new(move |_| {
        if panel.tab.get() != Tab::Export {
            return;
        }
        exporting.said.set("");
        if let Some(known) = known.get() {
            exporting.write(&known, panel.file_name.get());
        }
    });
    let message = move || match &*panel.listing.read() {
        Listing::Loading => Some(String::from(words::LOADING)),
        Listing::Failed(why) => Some(why.clone()),
        Listing::Ready(known) if known.listing.own_collections().next().is_none() => {
            Some(String::from(words::NO_VARIABLES))
        }
        Listing::Ready(_) => None,
    };
    view! {
        <p class="empty" role="status" hidden=move || message().is_none()>{message}</p>
        <div class="view" hidden=move || message().is_some()>
            <fieldset class="formats">
                <legend>{words::FORMAT}</legend>
                <div class="segments">{FORMATS.map(|(format, id, title)| view! {
                    <label><input type="radio" name="format" value=id prop:checked=move || exporting.format.get() == format
                        on:change=move |_| exporting.format.set(format)/><span>{title}</span></label>
                }).to_vec()}</div>
                <p class="secondary">{move || words::format(exporting.format.get())}</p>
            </fieldset>
            {move || known.get().map(|known| choices(exporting, &known))}
            {move || written(panel, known.get())}
            <p class="secondary" role="status">{move || exporting.said.get()}</p>
        </div>
    }
}

/// Collections and modes to choose from.
fn choices(exporting: Exporting, known: &Known) -> AnyView {
    let collections = known.listing.own_collections().map(|(_, collection)| {
        let id = collection.id.clone();
        let name = collection.name.clone();
        if collection.extended {
            return view! { <li><span>{name} " " <span class="secondary">{words::EXTENDED}</span></span></li> }.into_any();
        }
        let is_in = {
            let key = (id.clone(), None);
            Memo::new(move |_| !exporting.left_out.read().contains(&key))
        };
        let modes = collection.modes.iter().filter(|_| collection.modes.len() > 1).map(|mode| {
            let key = (id.clone(), Some(mode.clone()));
            let (of, own) = (id.clone(), mode.clone());
            view! {
                <label class="tick"><input type="checkbox" disabled=move || !is_in.get()
                    prop:checked=move || !exporting.left_out.read().contains(&key)
                    on:change=move |_| exporting.toggle(&of, Some(&own))/><span class="cut">{mode.clone()}</span></label>
            }
        });
        let modes = modes.collect_view();
        view! {
            <li>
                <label class="tick"><input type="checkbox" prop:checked=move || is_in.get()
                    on:change=move |_| exporting.toggle(&id, None)/><b class="cut">{name}</b></label>
                <div class="modes-in">{modes}</div>
            </li>
        }
        .into_any()
    });
    let collections = collections.collect_view();
    view! { <fieldset class="chosen"><legend>{words::WHAT_IS_EXPORTED}</legend><ul>{collections}</ul></fieldset> }.into_any()
}

/// The files, and how they begin.
fn written(panel: Panel, known: Option<Arc<Known>>) -> AnyView {
    let exporting = panel.exporting;
    let (files, problems) = match exporting.written.get() {
        Writing::Nothing => return said(words::NOTHING_TO_EXPORT),
        Writing::Under => return said(words::WRITING),
        Writing::Failed(why) => return said(&why),
        Writing::Done { files, problems } => (files, problems),
    };
    let is_text = exporting.format.get_untracked() != Format::Workbook;
    let several = files.len() > 1;
    let all = (several && known.is_some()).then(|| {
        view! {
            <button type="button" class="primary" on:click=move |_| {
                if let Some(known) = &known {
                    exporting.download_all(known, panel.file_name.get_untracked());
                }
            }>{words::DOWNLOAD_ALL}</button>
        }
    });
    let listed = files.into_iter().map(|(file, bytes)| {
        let shown = is_text.then(|| beginning(&bytes));
        let (copied, loaded) = (Arc::clone(&bytes), bytes);
        let name = file.name.clone();
        view! {
            <li class="written">
                <div class="title"><h3 class="cut" title=name.clone()>{name.clone()}</h3><div class="buttons">
                    {is_text.then(|| view! { <button type="button" class="plain" aria-label=words::copy_file(&name)
                        on:click=move |_| exporting.said.set(copy(&copied))>{words::COPY}</button> })}
                    <button type="button" class=if several { "plain" } else { "primary" } aria-label=words::download_file(&name)
                        on:click=move |_| exporting.said.set(download(&file, &loaded))>{words::DOWNLOAD}</button>
                </div></div>
                {shown.map(|shown| view! { <pre tabindex="0" aria-label=words::beginning_of(&name)>{shown}</pre> })}
            </li>
        }
    });
    let listed = listed.collect_view();
    let more = problems.len().saturating_sub(PROBLEMS_SHOWN_MAX);
    let problems = problems
        .into_iter()
        .take(PROBLEMS_SHOWN_MAX)
        .map(|problem| {
            view! { <li><b>{problem.address}</b> " " {problem.message} " " {problem.remedy}</li> }
        });
    let problems: Vec<_> = problems.collect();
    let problems = (!problems.is_empty()).then(|| {
        view! {
            <details class="problems"><summary>{words::CANNOT_SAY}</summary>
                <ul class="problem-list">{problems.collect_view()}</ul>
                {(more > 0).then(|| words::more_problems(more))}
            </details>
        }
    });
    view! { {problems}<ul class="files">{listed}</ul>{all} }.into_any()
}

fn said(text: &str) -> AnyView {
    let text = String::from(text);
    view! { <p class="secondary" role="status">{text}</p> }.into_any()
}

/// How a text begins, cut at a line.
fn beginning(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN_BYTES_MAX {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let first = &bytes[..SHOWN_BYTES_MAX];
    let end = first.iter().rposition(|byte| *byte == b'\n');
    let mut text = String::from_utf8_lossy(&first[..end.unwrap_or(0)]).into_owned();
    text.push_str("\n…");
    text
}

/// Hands a file to the browser; what there is to say then.
fn download(file: &FileName, bytes: &[u8]) -> &'static str {
    let loaded = || {
        let kind = BlobPropertyBag::new();
        kind.set_type(&file.media);
        let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind).ok()?;
        let address = Url::create_object_url_with_blob(&blob).ok()?;
        let document = window()?.document()?;
        let link: HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
        link.set_href(&address);
        link.set_download(&file.name);
        document.body()?.append_child(&link).ok()?;
        link.click();
        link.remove();
        // The browser has begun to read it by its next turn.
        leptos::prelude::set_timeout(
            move || drop(Url::revoke_object_url(&address)),
            std::time::Duration::from_secs(60),
        );
        Some(())
    };
    match loaded() {
        Some(()) => words::DOWNLOADED,
        None => words::NOT_DOWNLOADED,
    }
}

/// Copies a text. The panel's page has no origin, and so no `navigator.clipboard`.
fn copy(bytes: &[u8]) -> &'static str {
    let copied = || {
        let document: HtmlDocument = window()?.document()?.dyn_into().ok()?;
        let area: HtmlTextAreaElement =
            document.create_element("textarea").ok()?.dyn_into().ok()?;
        let text = String::from_utf8_lossy(bytes);
        area.set_value(text.trim_start_matches('\u{feff}'));
        let focused = document.active_element();
        document.body()?.append_child(&area).ok()?;
        area.select();
        let copied = document.exec_command("copy");
        area.remove();
        if let Some(id) = focused
            .map(|element| element.id())
            .filter(|id| !id.is_empty())
        {
            sandbox::focus(&id);
        }
        copied.ok()?.then_some(())
    };
    match copied() {
        Some(()) => words::COPIED,
        None => words::NOT_COPIED,
    }
}
