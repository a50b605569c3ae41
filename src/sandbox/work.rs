//! Gives an engine its turns, its cells and its document.
//!
//! Owns the slices, the texts of cells that wait, what is kept of runs, and that of a sync and an import one works at a
//! time. Must not know what a cell means, why something is written, or what the panel asks for.

use crate::{figma, say};
use sheetwire_core::apply::{Figma, Op};
use sheetwire_core::document::{CollectionSlot, ModeSlot, Platform, VariableSlot};
use sheetwire_core::engine::retyping::LAYERS_NAMED_MAX;
use sheetwire_core::engine::{Effect, Engine, Fields, Step, import};
use sheetwire_core::history::{self, Part, RUNS_MAX};
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{PreviewRow, RunEntry, ToPanel, VERSION, json};
use sheetwire_core::protocol::relay::SheetRef;
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
#[cfg_attr(
    not(feature = "sync"),
    allow(dead_code, reason = "only a sync leaves marks")
)]
pub const MARKS: &str = "sheetwire.runs";

/// Cells that wait to be handed over.
pub struct Bulk {
    #[cfg_attr(
        not(feature = "sync"),
        allow(dead_code, reason = "an import's tables come once")
    )]
    pub sheet: SheetRef,
    pub text: JsValue,
    pub at: u32,
    pub units: u32,
}

/// A message whose rows are put into words in slices.
struct Long {
    message: ToPanel,
    rows: Vec<PreviewRow>,
}

/// What an engine works with here.
pub struct Job {
    pub engine: Engine,
    kind: Kind,
    /// See [`Writer`].
    open_run: Option<(String, usize)>,
    pub bulks: VecDeque<Bulk>,
    driving: bool,
    work_began_ms: f64,
    slice_ms_max: f64,
    progress_told_ms: f64,
    long: Vec<Long>,
    /// Whether it was asked in this opening if the file is published.
    asked_published: bool,
}

/// Whose engine it is.
pub enum Kind {
    /// Real-Time Sync's, which leaves marks so that a run that was undone is recognised.
    #[cfg_attr(
        not(feature = "sync"),
        allow(dead_code, reason = "nothing else makes one")
    )]
    Sync(Marks),
    /// An import's.
    Import,
}

/// An engine at work.
#[derive(Clone)]
pub struct Work {
    job: Rc<RefCell<Job>>,
    turns: Turns,
}

/// The engines of this file, of which one works at a time: `figma.rs` keeps one list of the document.
#[derive(Clone, Default)]
pub struct Turns(Rc<RefCell<Taken>>);

#[derive(Default)]
struct Taken {
    works: Vec<Work>,
    is_taken: bool,
    waiting: VecDeque<Work>,
}

/// The host that the engine writes through.
pub struct Writer<'a> {
    kind: &'a mut Kind,
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
        let Kind::Sync(marks) = &mut *self.kind else {
            return;
        };
        let (before, mark) = (figma::mark(), figma::new_mark());
        if figma::set_mark(&mark) {
            marks.begin(&figma::file_name(), &before, &mark);
        }
    }

    fn is_undone(&mut self) -> bool {
        match &mut *self.kind {
            Kind::Sync(marks) => marks.is_undone(&figma::file_name(), &figma::mark()),
            Kind::Import => false,
        }
    }

    fn mark(&mut self) -> String {
        match self.kind {
            Kind::Sync(_) => figma::mark(),
            Kind::Import => String::new(),
        }
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
        figma::may_edit()
    }
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

impl Turns {
    /// An engine that is to work here.
    pub fn add(&self, engine: Engine, kind: Kind) -> Work {
        let work = Work {
            job: Rc::new(RefCell::new(Job {
                engine,
                kind,
                open_run: None,
                bulks: VecDeque::new(),
                driving: false,
                work_began_ms: 0.0,
                slice_ms_max: 0.0,
                progress_told_ms: 0.0,
                long: Vec::new(),
                asked_published: false,
            })),
            turns: self.clone(),
        };
        self.0.borrow_mut().works.push(work.clone());
        work
    }
}

impl Work {
    /// It works no longer than it has to.
    pub fn end(&self) {
        let mut taken = self.turns.0.borrow_mut();
        taken.works.retain(|work| !Rc::ptr_eq(&work.job, &self.job));
    }

    /// Lets the engine hear something, and work for as long as that takes.
    pub fn hear(&self, say: impl FnOnce(&mut Job)) {
        let mut job = self.job.borrow_mut();
        if !job.driving {
            job.work_began_ms = figma::now_ms();
            job.slice_ms_max = 0.0;
        }
        say(&mut job);
        job.perform();
        let start = !std::mem::replace(&mut job.driving, true);
        drop(job);
        if start {
            self.start();
        }
    }

    /// Begins to work, or waits until another engine rests.
    fn start(&self) {
        let mut taken = self.turns.0.borrow_mut();
        if std::mem::replace(&mut taken.is_taken, true) {
            taken.waiting.push_back(self.clone());
            return;
        }
        drop(taken);
        let work = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            work.drive().await;
            work.rest();
        });
    }

    /// Lets another engine go on.
    fn rest(&self) {
        let next = {
            let mut taken = self.turns.0.borrow_mut();
            taken.is_taken = false;
            taken.waiting.pop_front()
        };
        if let Some(next) = next {
            next.start();
        }
    }

    /// The document was listed anew: the slots that other engines know lead elsewhere.
    fn tell_others(&self) {
        for other in &self.turns.0.borrow().works {
            if !Rc::ptr_eq(&other.job, &self.job) {
                other.job.borrow_mut().engine.file_was_read();
            }
        }
    }

    /// Steps the engine in slices until it rests.
    async fn drive(&self) {
        let mut slice_began = figma::now_ms();
        loop {
            let step = self.job.borrow_mut().step_until(slice_began + SLICE_MS);
            match step {
                Step::Rest => {
                    self.job.borrow_mut().driving = false;
                    return;
                }
                Step::More => {}
                Step::Load => self.job.borrow_mut().load(),
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
            let mut job = self.job.borrow_mut();
            job.slice_ms_max = job.slice_ms_max.max(used);
            if used < SLICE_MS {
                return;
            }
            let now = figma::now_ms();
            if now >= job.progress_told_ms + PROGRESS_MS
                && let Some((done, total)) = job.engine.progress()
            {
                job.progress_told_ms = now;
                job.tell(ToPanel::Progress { done, total });
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
            let job = self.job.borrow();
            (field_bits(job.engine.fields()), job.link_prefix())
        };
        figma::set_link_prefix(&prefix);
        let Some(collections) = figma::read_document()
            .await
            .ok()
            .and_then(|text| text.as_string())
        else {
            self.job.borrow_mut().engine.read_failed();
            return;
        };
        let count = figma::variable_count();
        self.tell_others();
        if !std::mem::replace(&mut self.job.borrow_mut().asked_published, true) {
            let published = figma::is_published(PUBLISHED_COLLECTIONS_MAX).await;
            *slice_began = figma::now_ms();
            let published = published.is_ok_and(|yes| yes.is_truthy());
            self.job.borrow_mut().engine.found_published(published);
        }
        self.breathe(slice_began).await;
        self.job.borrow_mut().engine.read_begin(&collections, count);
        self.breathe(slice_began).await;
        for from in (0..count).step_by(NOTE_VARIABLES as usize) {
            figma::note_variables(from, count.min(from + NOTE_VARIABLES));
            self.breathe(slice_began).await;
        }
        let wanted = self.job.borrow().engine.wanted_of_libraries();
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
                .job
                .borrow_mut()
                .engine
                .read_take(from, to - from, &numbers, &text)
                .is_err()
            {
                self.job.borrow_mut().engine.read_failed();
                return;
            }
            self.breathe(slice_began).await;
        }
        let mut job = self.job.borrow_mut();
        job.engine.read_libraries(&found);
        job.engine.read_end();
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
        self.job.borrow_mut().engine.uses_counted(partial, text);
    }

    async fn read_some(&self, slots: Vec<VariableSlot>) {
        let fields = field_bits(self.job.borrow().engine.fields());
        let numbers: Vec<u32> = slots.iter().map(|slot| slot.0).collect();
        let read = figma::read_variables(numbers.clone()).await.is_ok();
        let text = figma::pack_some(&numbers, fields);
        let numbers = figma::packed_numbers();
        let mut job = self.job.borrow_mut();
        if !read || job.engine.read_again(&slots, &numbers, &text).is_err() {
            job.engine.read_failed();
        }
    }
}

impl Bulk {
    /// Cells of a tab.
    pub fn new(sheet: SheetRef, text: JsValue) -> Bulk {
        let units = figma::length(&text);
        Bulk {
            sheet,
            text,
            at: 0,
            units,
        }
    }
}

impl Job {
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
            _ if matches!(self.kind, Kind::Import) => String::from(import::LINK_PREFIX),
            Some(connection) => {
                let sheet = connection.link_sheet();
                format!("1 {} {} ", sheet.spreadsheet_id, sheet.sheet_id)
            }
            None => String::new(),
        }
    }
}

impl Job {
    /// Steps the engine while it needs nothing but turns and the slice lasts.
    fn step_until(&mut self, slice_ends_ms: f64) -> Step {
        loop {
            let mut writer = Writer {
                kind: &mut self.kind,
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

    /// In the words of whose engine it is.
    fn worded(&self, message: ToPanel) -> Option<ToPanel> {
        match self.kind {
            Kind::Sync(_) => Some(message),
            Kind::Import => {
                let connected = figma::is_connected();
                self.engine.word_of(message, connected).map(ToPanel::Import)
            }
        }
    }

    fn tell(&self, message: ToPanel) {
        if let Some(message) = self.worded(message) {
            say(&message);
        }
    }

    fn tell_long(&mut self, message: ToPanel, rows: Vec<PreviewRow>) {
        if let Some(message) = self.worded(message) {
            self.long.push(Long { message, rows });
        }
    }

    /// The host that the engine writes through, and the engine.
    #[cfg_attr(
        not(feature = "sync"),
        allow(dead_code, reason = "an import writes in its turns alone")
    )]
    pub fn with_writer(&mut self) -> (&mut Engine, Writer<'_>) {
        let writer = Writer {
            kind: &mut self.kind,
            open_run: &mut self.open_run,
        };
        (&mut self.engine, writer)
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
                    self.tell(ToPanel::Applied(report));
                    self.work_began_ms = now;
                    self.slice_ms_max = 0.0;
                }
                Effect::Post(ToPanel::Preview(mut preview)) => {
                    let rows = std::mem::take(&mut preview.rows);
                    self.tell_long(ToPanel::Preview(preview), rows);
                }
                Effect::Post(ToPanel::Waiting {
                    reason,
                    mut preview,
                }) => {
                    let rows = std::mem::take(&mut preview.rows);
                    self.tell_long(ToPanel::Waiting { reason, preview }, rows);
                }
                Effect::Post(message) => self.tell(message),
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
                    let Kind::Sync(marks) = &self.kind else {
                        continue;
                    };
                    let marks = marks.write();
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

impl Work {
    /// Posts what is too long to be put into words in one slice.
    async fn post_long(&self, slice_began: &mut f64) {
        loop {
            let long = self.job.borrow_mut().long.pop();
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
