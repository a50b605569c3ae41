//! Real-Time Sync in the sandbox: gives the engine its turns, its cells and its document.
//!
//! Owns the slices, the texts of cells that wait, and what is kept in the file and with the user. Must not know what a
//! cell means or why something is written. Nothing here exists while the flag is off.

use crate::{figma, identity, inbox, say};
use sheetwire_core::apply::{Figma, Op};
use sheetwire_core::document::{CollectionSlot, ModeSlot, Platform, VariableSlot};
use sheetwire_core::engine::retyping::LAYERS_NAMED_MAX;
use sheetwire_core::engine::{Effect, Engine, Fields, Step};
use sheetwire_core::history::{self, Part, RUNS_MAX};
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{
    PreviewRow, RunEntry, SavedSession, ToPanel, ToSandbox, VERSION, json,
};
use sheetwire_core::protocol::relay::{Position, SNAPSHOT_BYTES_MAX, SheetRef};
use sheetwire_core::value::{Value, VariableType};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Work between two turns of the host, in milliseconds. One more write or step comes on top.
const SLICE_MS: f64 = 9.0;
/// Between two messages about a run's progress, in milliseconds.
const PROGRESS_MS: f64 = 100.0;
/// Cells handed to the engine at once, in UTF-16 units.
const PIECE_UNITS: u32 = 2_048;
/// Variables packed at once.
const PACK_VARIABLES: u32 = 16;
/// Variables whose ids are learnt at once.
const NOTE_VARIABLES: u32 = 256;
/// Collections that are asked whether they are published, once an opening.
const PUBLISHED_COLLECTIONS_MAX: u32 = 200;
/// Layers looked at for the uses of variables; in a file with more the count is partial.
const LAYERS_MAX: u32 = 200_000;
/// Rows of a preview put into words at once.
const POST_ROWS: usize = 4;
/// Every field of a variable, as `figma::pack` counts them.
const ALL_FIELDS: u32 = 15;
/// Where the marks of runs are kept with the user.
const MARKS: &str = "sheetwire.runs";
/// Where the sign-in is kept with the user.
const SESSION: &str = "sheetwire.session";

/// Cells that wait to be handed over.
struct Bulk {
    sheet: SheetRef,
    text: JsValue,
    at: u32,
    units: u32,
}

/// A message whose rows are put into words in slices.
struct Long {
    message: ToPanel,
    rows: Vec<PreviewRow>,
}

/// What the engine works with here.
struct Sync {
    engine: Engine,
    marks: Marks,
    /// See [`Writer`].
    open_run: Option<(String, usize)>,
    entropy: String,
    /// How many ids were made for the file.
    file_ids: u32,
    bulks: VecDeque<Bulk>,
    driving: bool,
    work_began_ms: f64,
    slice_ms_max: f64,
    progress_told_ms: f64,
    long: Vec<Long>,
    /// Whether it was asked in this opening if the file is published.
    asked_published: bool,
}

/// Real-Time Sync of this file, for as long as the flag is on.
#[derive(Clone)]
pub struct Handle(Rc<RefCell<Sync>>);

/// The host that the engine writes through.
struct Writer<'a> {
    marks: &'a mut Marks,
    /// The name of the run in the history that goes on, and of how many texts its past is.
    open_run: &'a mut Option<(String, usize)>,
}

impl Figma for Writer<'_> {
    fn write(&mut self, op: &Op<'_>) -> Result<(), String> {
        let refusal = match op {
            Op::CreateCollection { name, .. } => figma::create_collection(name),
            Op::RenameCollection { collection, name } => {
                figma::rename_collection(collection.0, name)
            }
            Op::SetCollectionLink { collection, names } => {
                let text = names.join("\u{1f}");
                figma::link_collection(collection.0, &text)
            }
            Op::RenameMode {
                collection,
                mode,
                name,
            } => figma::rename_mode(collection.0, mode.0, name),
            Op::AddMode {
                collection, name, ..
            } => figma::add_mode(collection.0, name),
            Op::CreateVariable {
                collection,
                name,
                kind,
                key,
                ..
            } => figma::create_variable(
                collection.0,
                name,
                type_code(*kind),
                key.unwrap_or_default(),
            ),
            Op::SetValue {
                variable,
                mode,
                value,
            } => match value {
                Value::Color(color) => {
                    figma::set_color(variable.0, mode.0, color.r, color.g, color.b, color.a)
                }
                Value::Float(number) | Value::Timing(number) => {
                    figma::set_number(variable.0, mode.0, *number)
                }
                Value::String(text) => figma::set_text(variable.0, mode.0, text),
                Value::Boolean(value) => figma::set_boolean(variable.0, mode.0, *value),
                Value::Easing([x1, y1, x2, y2]) => {
                    figma::set_easing(variable.0, mode.0, *x1, *y1, *x2, *y2)
                }
            },
            Op::SetAlias {
                variable,
                mode,
                target,
                opacity,
            } => figma::set_alias(variable.0, mode.0, target.0, opacity.unwrap_or(-1.0)),
            Op::Rename { variable, name } => figma::set_name(variable.0, name),
            Op::SetDescription { variable, text } => figma::set_description(variable.0, text),
            Op::SetScopes { variable, scopes } => figma::set_scopes(variable.0, scopes.0),
            Op::SetCode {
                variable,
                platform,
                text,
            } => {
                let platform = match platform {
                    Platform::Web => 0,
                    Platform::Android => 1,
                    Platform::Ios => 2,
                };
                figma::set_code(variable.0, platform, text)
            }
            Op::SetHidden { variable, hidden } => figma::set_hidden(variable.0, *hidden),
            Op::SetLink {
                variable,
                key: Some(key),
                base,
            } => figma::set_link(variable.0, key, base),
            Op::SetLink {
                variable,
                key: None,
                ..
            } => figma::forget_link(variable.0),
            Op::Remove { variable } => figma::remove_variable(variable.0),
            Op::RemoveMode { collection, mode } => figma::remove_mode(collection.0, mode.0),
            Op::RemoveCollection { collection } => figma::remove_collection(collection.0),
        };
        refusal.map_or(Ok(()), Err)
    }

    fn begin_run(&mut self) {
        let (before, mark) = (figma::mark(), figma::new_mark());
        if figma::set_mark(&mark) {
            self.marks.begin(&figma::file_name(), &before, &mark);
        }
    }

    fn is_undone(&mut self) -> bool {
        self.marks.is_undone(&figma::file_name(), &figma::mark())
    }

    fn mark(&mut self) -> String {
        figma::mark()
    }

    fn id(&self, part: Part) -> String {
        match part {
            Part::Collection(collection) => figma::collection_id(collection.0),
            Part::Mode(collection, mode) => figma::mode_id(collection.0, mode.0),
            Part::Variable(variable) => figma::variable_id(variable.0),
        }
    }

    fn variable_of(&self, id: &str) -> Option<VariableSlot> {
        u32::try_from(figma::variable_of(id)).ok().map(VariableSlot)
    }

    fn collection_of(&self, id: &str) -> Option<CollectionSlot> {
        u32::try_from(figma::collection_of(id))
            .ok()
            .map(CollectionSlot)
    }

    fn mode_of(&self, collection: CollectionSlot, id: &str) -> Option<ModeSlot> {
        u32::try_from(figma::mode_of(collection.0, id))
            .ok()
            .map(ModeSlot)
    }

    fn whole(&mut self, variable: VariableSlot) -> (Vec<f64>, String) {
        let text = figma::pack_some(&[variable.0], ALL_FIELDS);
        (figma::packed_numbers(), text)
    }

    fn keep_run(&mut self, mut run: RunEntry, past: &str, ended: bool) {
        run.author = figma::user_name();
        run.unix_ms = figma::now_ms() as u64;
        let (name, kept) = self
            .open_run
            .take()
            .unwrap_or_else(|| (figma::new_run(), 0));
        let chunks = history::chunks(past);
        // All but the last that was kept stay as they are.
        let mut new = chunks.iter().zip(0..).skip(kept.saturating_sub(1));
        let is_kept = new.all(|(chunk, at)| figma::keep_past(&name, at, chunk));
        let chunks = if is_kept { chunks.len() } else { 0 };
        figma::keep_run(&name, &history::entry_text(&run, chunks), RUNS_MAX);
        if !ended {
            *self.open_run = Some((name, chunks));
        }
    }

    fn is_writable(&mut self) -> bool {
        figma::is_writable()
    }
}

/// The file's history, newest first: each run, and of how many texts its past is.
fn runs() -> Vec<(RunEntry, usize)> {
    let names = figma::run_names();
    let runs = names.iter().filter_map(|name| {
        let name = name.as_string()?;
        history::entry_of(&name, &figma::run_text(&name))
    });
    runs.collect()
}

/// What was before a run and everything after it, newest first; `None` where one of them does not tell.
fn pasts(run: &str) -> Option<Vec<String>> {
    let mut pasts = Vec::new();
    for (entry, chunks) in runs() {
        if chunks == 0 {
            return None;
        }
        let texts = (0..chunks as u32).map(|at| figma::past_text(&entry.run, at));
        pasts.push(texts.collect());
        if entry.run == run {
            return Some(pasts);
        }
    }
    None
}

/// The place of a type in `VariableType::ALL`, which the bindings share.
fn type_code(kind: VariableType) -> u32 {
    match kind {
        VariableType::Color => 0,
        VariableType::Float => 1,
        VariableType::String => 2,
        VariableType::Boolean => 3,
        VariableType::Easing => 4,
        VariableType::Timing => 5,
    }
}

fn field_bits(fields: Fields) -> u32 {
    u32::from(fields.description)
        | u32::from(fields.scopes) << 1
        | u32::from(fields.code) << 2
        | u32::from(fields.hidden) << 3
}

/// Keeps the sign-in with the user, or forgets it.
pub async fn save_session(session: Option<SavedSession>) {
    let text = session.map_or_else(String::new, |session| json::session(&session));
    if figma::store(SESSION, &text).await.is_err() {
        crate::refuse(
            "The sign-in could not be kept on this machine.",
            "You will have to sign in again next time.",
        );
    }
}

impl Handle {
    /// Begins: tells the panel what the file and the user have kept.
    /// `entropy` is the panel's.
    pub async fn begin(entropy: String) -> Handle {
        let kept = figma::stored(SESSION)
            .await
            .ok()
            .and_then(|kept| kept.as_string());
        let session = kept.and_then(|text| inbox::session(&text));
        let connection = inbox::connection(&figma::connection());
        let marks = figma::stored(MARKS)
            .await
            .ok()
            .and_then(|kept| kept.as_string());
        let marks = Marks::read(&marks.unwrap_or_default());
        let engine = Engine::new(connection.clone(), "en_US", !figma::may_edit());
        say(&ToPanel::Kept {
            session,
            connection: connection.map(Box::new),
        });
        Handle(Rc::new(RefCell::new(Sync {
            engine,
            marks,
            open_run: None,
            entropy,
            file_ids: 0,
            bulks: VecDeque::new(),
            driving: false,
            work_began_ms: 0.0,
            slice_ms_max: 0.0,
            progress_told_ms: 0.0,
            long: Vec::new(),
            asked_published: false,
        })))
    }

    /// The flag went off: whatever goes on ends.
    pub fn end(&self) {
        let mut sync = self.0.borrow_mut();
        sync.engine.switch_off();
        sync.bulks.clear();
        sync.perform();
    }

    /// Takes a message of the tab. `bulk` is the text beside it.
    pub fn take(&self, message: ToSandbox, bulk: JsValue) {
        let mut sync = self.0.borrow_mut();
        if !sync.driving {
            sync.work_began_ms = figma::now_ms();
            sync.slice_ms_max = 0.0;
        }
        let met = !figma::is_connection_known() && {
            let kept = inbox::connection(&figma::connection());
            sync.engine.meet_connection(kept)
        };
        match message {
            ToSandbox::Connect { sheet } => {
                if !(met && sync.engine.is_set_up_for(&sheet)) {
                    sync.bulks.clear();
                    sync.engine.connect(sheet);
                }
            }
            ToSandbox::AddSource { sheet } => sync.engine.add_source(sheet),
            ToSandbox::RemoveSource { sheet } => {
                sync.bulks.retain(|bulk| bulk.sheet != sheet);
                sync.engine.remove_source(&sheet);
            }
            ToSandbox::Snapshot {
                sheet,
                position,
                info,
            } => {
                if figma::length(&bulk) as usize > SNAPSHOT_BYTES_MAX {
                    crate::refuse(
                        "This sheet is too large for the plugin.",
                        "Split it into several tabs.",
                    );
                } else if sync.engine.announce_snapshot(&sheet, position, info) {
                    sync.keep_begun(&sheet);
                    sync.bulks.push_back(Bulk::new(sheet, bulk));
                }
            }
            ToSandbox::Changes {
                sheet,
                position,
                rows,
            } => sync.take_changes(sheet, position, rows, bulk),
            ToSandbox::ConfirmColumns {
                columns,
                header_row,
                layout,
                sheet,
            } => sync
                .engine
                .confirm_columns(sheet.as_ref(), columns, header_row, layout),
            ToSandbox::Approve {
                plan,
                include_removals,
                retypes,
            } => sync.engine.approve_types(plan, include_removals, &retypes),
            ToSandbox::KeepFile { plan } => sync.engine.keep_file(plan),
            ToSandbox::KeepApart { plan } => sync.engine.keep_apart(plan),
            ToSandbox::LeaveOut { plan, rows } => sync.engine.leave_out(plan, &rows),
            ToSandbox::TakeIn { keys } => sync.engine.take_in(&keys),
            ToSandbox::ListRuns => say(&ToPanel::Runs {
                runs: runs().into_iter().map(|(entry, _)| entry).collect(),
            }),
            ToSandbox::Restore { run } => match pasts(&run) {
                Some(pasts) => sync.engine.restore(&pasts),
                None => crate::refuse(
                    "What was before that run is not kept any more.",
                    "Use Figma's version history.",
                ),
            },
            ToSandbox::KeepRemoved { plan } => {
                let Sync {
                    engine,
                    marks,
                    open_run,
                    ..
                } = &mut *sync;
                engine.keep_removed(plan, &mut Writer { marks, open_run });
            }
            ToSandbox::Resolve {
                list,
                items,
                choice,
            } => sync.engine.choose(list, &items, choice),
            ToSandbox::SetPolicy { policy } => sync.engine.set_policy(policy),
            ToSandbox::SetThreshold { variables } => sync.engine.set_threshold(variables),
            ToSandbox::SetTwoWay { on } => sync.engine.set_two_way(on),
            ToSandbox::Look => sync.engine.look(),
            ToSandbox::Pushed { push, results } => sync.engine.pushed(push, &results),
            ToSandbox::Writer { yes, nonce, renew } => sync.elect(yes, &nonce, renew),
            ToSandbox::Cancel => sync.engine.cancel(),
            ToSandbox::Toggle { on } => sync.engine.toggle(on),
            ToSandbox::Disconnect => {
                sync.bulks.clear();
                sync.engine.disconnect();
            }
            ToSandbox::SyncNow => sync.engine.sync_now(),
            ToSandbox::Ready { .. }
            | ToSandbox::FlagsEvaluated { .. }
            | ToSandbox::ListVariables
            | ToSandbox::SaveSession { .. }
            | ToSandbox::Resize { .. }
            | ToSandbox::Hide
            | ToSandbox::Close
            | ToSandbox::Notify { .. } => {}
        }
        sync.perform();
        let start = !std::mem::replace(&mut sync.driving, true);
        drop(sync);
        if start {
            let handle = self.clone();
            wasm_bindgen_futures::spawn_local(async move { handle.drive().await });
        }
    }

    /// Steps the engine in slices until it rests.
    async fn drive(&self) {
        let mut slice_began = figma::now_ms();
        loop {
            let step = self.0.borrow_mut().step_until(slice_began + SLICE_MS);
            match step {
                Step::Rest => {
                    self.0.borrow_mut().driving = false;
                    return;
                }
                Step::More => {}
                Step::Load => self.0.borrow_mut().load(),
                Step::ReadAll => {
                    // Figma gives all variables in one call, which may fill a slice alone.
                    self.pause(&mut slice_began).await;
                    self.read_all(&mut slice_began).await;
                }
                Step::ReadSome(slots) => self.read_some(slots).await,
                Step::CountUses(slots) => {
                    self.count_uses(slots).await;
                    slice_began = figma::now_ms();
                }
            }
            self.breathe(&mut slice_began).await;
            self.post_long(&mut slice_began).await;
        }
    }

    /// Gives the host a turn when the slice is used up.
    async fn breathe(&self, slice_began: &mut f64) {
        let used = figma::now_ms() - *slice_began;
        {
            let mut sync = self.0.borrow_mut();
            sync.slice_ms_max = sync.slice_ms_max.max(used);
            if used < SLICE_MS {
                return;
            }
            let now = figma::now_ms();
            if now >= sync.progress_told_ms + PROGRESS_MS
                && let Some((done, total)) = sync.engine.progress()
            {
                sync.progress_told_ms = now;
                say(&ToPanel::Progress { done, total });
            }
        }
        self.pause(slice_began).await;
    }

    async fn pause(&self, slice_began: &mut f64) {
        figma::pause().await;
        *slice_began = figma::now_ms();
    }

    async fn read_all(&self, slice_began: &mut f64) {
        let (fields, prefix) = {
            let sync = self.0.borrow();
            (field_bits(sync.engine.fields()), sync.link_prefix())
        };
        figma::set_link_prefix(&prefix);
        let Some(collections) = figma::read_document()
            .await
            .ok()
            .and_then(|text| text.as_string())
        else {
            self.0.borrow_mut().engine.read_failed();
            return;
        };
        let count = figma::variable_count();
        if !std::mem::replace(&mut self.0.borrow_mut().asked_published, true) {
            let published = figma::is_published(PUBLISHED_COLLECTIONS_MAX).await;
            *slice_began = figma::now_ms();
            let published = published.is_ok_and(|yes| yes.is_truthy());
            self.0.borrow_mut().engine.found_published(published);
        }
        self.breathe(slice_began).await;
        self.0.borrow_mut().engine.read_begin(&collections, count);
        self.breathe(slice_began).await;
        for from in (0..count).step_by(NOTE_VARIABLES as usize) {
            figma::note_variables(from, count.min(from + NOTE_VARIABLES));
            self.breathe(slice_began).await;
        }
        let wanted = self.0.borrow().engine.wanted_of_libraries();
        let found = if wanted.is_empty() {
            String::new()
        } else {
            let found = figma::find_in_libraries(&wanted).await.ok();
            *slice_began = figma::now_ms();
            found
                .and_then(|found| found.as_string())
                .unwrap_or_default()
        };
        for from in (0..count).step_by(PACK_VARIABLES as usize) {
            let to = count.min(from + PACK_VARIABLES);
            let text = figma::pack(from, to, fields);
            let numbers = figma::packed_numbers();
            if self
                .0
                .borrow_mut()
                .engine
                .read_take(from, to - from, &numbers, &text)
                .is_err()
            {
                self.0.borrow_mut().engine.read_failed();
                return;
            }
            self.breathe(slice_began).await;
        }
        let mut sync = self.0.borrow_mut();
        sync.engine.read_libraries(&found);
        sync.engine.read_end();
    }

    /// Looks through the file's layers for what uses variables.
    async fn count_uses(&self, slots: Vec<VariableSlot>) {
        let numbers: Vec<u32> = slots.iter().map(|slot| slot.0).collect();
        let found = figma::find_uses(numbers, LAYERS_MAX, LAYERS_NAMED_MAX as u32, SLICE_MS).await;
        let found = found.ok().and_then(|found| found.as_string());
        let found = found.unwrap_or_default();
        // It begins with what tells whether all was looked at; nothing at all tells that nothing was.
        let text = found.strip_prefix('1').unwrap_or_default();
        let partial = !found.starts_with('1');
        let text = if partial {
            found.get(1..).unwrap_or_default()
        } else {
            text
        };
        self.0.borrow_mut().engine.uses_counted(partial, text);
    }

    async fn read_some(&self, slots: Vec<VariableSlot>) {
        let fields = field_bits(self.0.borrow().engine.fields());
        let numbers: Vec<u32> = slots.iter().map(|slot| slot.0).collect();
        let read = figma::read_variables(numbers.clone()).await.is_ok();
        let text = figma::pack_some(&numbers, fields);
        let numbers = figma::packed_numbers();
        let mut sync = self.0.borrow_mut();
        if !read || sync.engine.read_again(&slots, &numbers, &text).is_err() {
            sync.engine.read_failed();
        }
    }
}

impl Bulk {
    fn new(sheet: SheetRef, text: JsValue) -> Bulk {
        let units = figma::length(&text);
        Bulk {
            sheet,
            text,
            at: 0,
            units,
        }
    }
}

impl Sync {
    /// Writes the file or leaves it to another, and tells what marks it.
    fn elect(&mut self, yes: bool, nonce: &str, renew: bool) {
        let mut id = figma::file_id();
        if renew || id.is_empty() {
            self.file_ids += 1;
            id = identity::file_id(&self.entropy, self.file_ids);
            figma::keep_file_id(&id);
        }
        let mut held = figma::nonce();
        if yes && !nonce.is_empty() && held != nonce {
            figma::leave_nonce(nonce);
            held = figma::nonce();
        }
        self.engine.set_writer(yes);
        let Sync {
            engine,
            marks,
            open_run,
            ..
        } = self;
        engine.look_again(&mut Writer { marks, open_run });
        say(&ToPanel::File {
            id,
            panel: identity::panel_id(&self.entropy),
            nonce: held,
        });
    }

    /// Drops a tab's cells that have not begun to be handed over: a snapshot makes them out of date.
    fn keep_begun(&mut self, sheet: &SheetRef) {
        self.bulks
            .retain(|bulk| bulk.at > 0 || bulk.sheet != *sheet);
    }

    fn take_changes(&mut self, sheet: SheetRef, position: Position, rows: u32, bulk: JsValue) {
        let before = self.engine.announced();
        if !self.engine.announce_changes(&sheet, position, rows) {
            return;
        }
        let joins = self.engine.announced() == before;
        match self.bulks.back_mut().filter(|_| joins) {
            Some(last) => {
                last.text = figma::join(&last.text, &bulk);
                last.units = figma::length(&last.text);
            }
            None => self.bulks.push_back(Bulk::new(sheet, bulk)),
        }
    }

    fn load(&mut self) {
        let Some(bulk) = self.bulks.front_mut() else {
            // The engine waits for cells that were dropped: there are none.
            self.engine.load("", true);
            return;
        };
        let to = figma::piece_end(&bulk.text, bulk.at, PIECE_UNITS);
        let piece = figma::piece(&bulk.text, bulk.at, to);
        bulk.at = to;
        let last = bulk.at >= bulk.units;
        if last {
            self.bulks.pop_front();
        }
        self.engine.load(&piece, last);
    }

    fn link_prefix(&self) -> String {
        match self.engine.connection() {
            Some(connection) => {
                let sheet = connection.link_sheet();
                format!("1 {} {} ", sheet.spreadsheet_id, sheet.sheet_id)
            }
            None => String::new(),
        }
    }
}

impl Sync {
    /// Steps the engine while it needs nothing but turns and the slice lasts.
    fn step_until(&mut self, slice_ends_ms: f64) -> Step {
        loop {
            let mut writer = Writer {
                marks: &mut self.marks,
                open_run: &mut self.open_run,
            };
            let step = self.engine.step(&mut writer);
            let ends =
                step != Step::More || self.engine.has_effects() || figma::now_ms() >= slice_ends_ms;
            if ends {
                self.engine.keep_journal(&mut writer);
            }
            if self.engine.has_effects() {
                self.perform();
            }
            if step != Step::More || !self.long.is_empty() || figma::now_ms() >= slice_ends_ms {
                return step;
            }
        }
    }

    /// Performs what the engine asked for.
    fn perform(&mut self) {
        // Performing one effect may ask for another, but only once: finding the file read-only.
        let mut effects = VecDeque::from(self.engine.take_effects());
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Post(ToPanel::Applied(mut report)) => {
                    let now = figma::now_ms();
                    report.ended_unix_ms = now as u64;
                    report.duration_ms = (now - self.work_began_ms) as u32;
                    report.slice_ms_max = self.slice_ms_max as u32;
                    say(&ToPanel::Applied(report));
                    self.work_began_ms = now;
                    self.slice_ms_max = 0.0;
                }
                Effect::Post(ToPanel::Preview(mut preview)) => {
                    let rows = std::mem::take(&mut preview.rows);
                    self.long.push(Long {
                        message: ToPanel::Preview(preview),
                        rows,
                    });
                }
                Effect::Post(ToPanel::Waiting {
                    reason,
                    mut preview,
                }) => {
                    let rows = std::mem::take(&mut preview.rows);
                    self.long.push(Long {
                        message: ToPanel::Waiting { reason, preview },
                        rows,
                    });
                }
                Effect::Post(message) => say(&message),
                Effect::Keep(connection) => {
                    let text = connection.map_or_else(String::new, |kept| json::connection(&kept));
                    if !figma::keep_connection(&text) {
                        self.engine.found_read_only();
                        effects.extend(self.engine.take_effects());
                    } else if figma::mark().is_empty() && figma::set_mark(&figma::new_mark()) {
                        // A step of its own, so that undoing the first run leaves a mark behind.
                        figma::commit_undo();
                    }
                }
                Effect::CommitUndo => {
                    figma::commit_undo();
                    let marks = self.marks.write();
                    wasm_bindgen_futures::spawn_local(async move {
                        // Without it a run that is undone after reopening would be done again.
                        if figma::store(MARKS, &marks).await.is_err() {
                            crate::refuse(
                                "The last runs could not be remembered on this machine.",
                                "Undo them before you close the plugin, if you have to.",
                            );
                        }
                    });
                }
            }
        }
    }
}

impl Handle {
    /// Posts what is too long to be put into words in one slice.
    async fn post_long(&self, slice_began: &mut f64) {
        loop {
            let long = self.0.borrow_mut().long.pop();
            let Some(Long { message, rows }) = long else {
                return;
            };
            const ROWS: &str = "\"rows\":[";
            let body = json::message(&message);
            let Some(at) = body.find(ROWS).map(|at| at + ROWS.len()) else {
                continue;
            };
            figma::begin_post();
            figma::add_to_post(&body[..at]);
            // Each row is let go as soon as it is told: letting go of thousands at once would fill many slices.
            let mut rows = rows.into_iter();
            while rows.len() > 0 {
                figma::add_to_post(&json::preview_rows(rows.by_ref().take(POST_ROWS)));
                if rows.len() > 0 {
                    figma::add_to_post(",");
                }
                self.breathe(slice_began).await;
            }
            figma::add_to_post(&body[at..]);
            figma::end_post(VERSION);
        }
    }
}
