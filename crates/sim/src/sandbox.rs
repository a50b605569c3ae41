//! The sandbox's shell around the engine, as src/sandbox/sync.rs is for Figma: one await at a time.
//!
//! Owns the panel's own part of the file (what slots lead to, what this user remembers), reading in pieces between which
//! others write, and the log of what was written since the last undo step. Must not know messages or the network.

use crate::document::{Change, Document};
use crate::file::{File, Variable};
use crate::random::Random;
use sheetwire_core::apply::{Figma, Op};
use sheetwire_core::document::{CollectionSlot, ModeSlot, VariableSlot};
use sheetwire_core::engine::{Effect, Engine, Step};
use sheetwire_core::history::Part;
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{RunEntry, ToPanel};

/// Steps of a run that the designer can take back.
const UNDO_MAX: usize = 5;
/// Cells are handed over in pieces of this many bytes.
const PIECE_BYTES: usize = 7;

/// A reading that waits for its next turn.
enum Reading {
    All {
        next: u32,
        count: u32,
        found: String,
    },
    Some(Vec<VariableSlot>),
}

pub struct Sandbox {
    pub engine: Engine,
    /// What belongs to this panel; while it works, the document's part is in it too.
    pub own: File,
    pub told: Vec<ToPanel>,
    /// Whether it may write, as told last.
    pub is_writer: bool,
    /// What was written since the last undo step, and the steps before.
    pub log: Vec<Change>,
    pub undo: Vec<Vec<Change>>,
    pending: Vec<String>,
    reading: Option<Reading>,
}

/// Writes, and notes what was there before.
struct Writer<'a> {
    file: &'a mut File,
    log: &'a mut Vec<Change>,
}

impl Writer<'_> {
    fn variable(&self, id: u32) -> Option<Box<(Variable, Vec<u32>)>> {
        let held = self.file.variables.get(&id)?;
        let modes = &self.file.collections[held.collection].mode_ids;
        Some(Box::new((held.clone(), modes.clone())))
    }
}

impl Figma for Writer<'_> {
    fn write(&mut self, op: &Op<'_>) -> Result<(), String> {
        let slot = |variable: &VariableSlot| self.file.handle(*variable).ok();
        let place = |collection: &CollectionSlot| self.file.collection_place(*collection).ok();
        let (id, at) = match op {
            Op::CreateCollection { .. } => (None, Some(self.file.collections.len())),
            Op::RenameCollection { collection, .. }
            | Op::SetCollectionLink { collection, .. }
            | Op::RenameMode { collection, .. }
            | Op::AddMode { collection, .. }
            | Op::RemoveMode { collection, .. }
            | Op::RemoveCollection { collection } => (None, place(collection)),
            Op::CreateVariable { .. } => (Some(self.file.next_id + 1), None),
            Op::SetValue { variable, .. }
            | Op::SetAlias { variable, .. }
            | Op::Rename { variable, .. }
            | Op::SetDescription { variable, .. }
            | Op::SetScopes { variable, .. }
            | Op::SetCode { variable, .. }
            | Op::SetHidden { variable, .. }
            | Op::SetLink { variable, .. }
            | Op::Remove { variable } => (slot(variable), None),
        };
        let removes = matches!(op, Op::RemoveMode { .. } | Op::RemoveCollection { .. });
        let ids: Vec<u32> = match at {
            Some(at) if removes => {
                let held = self.file.variables.iter();
                held.filter(|(_, held)| held.collection == at)
                    .map(|(id, _)| *id)
                    .collect()
            }
            _ => id.into_iter().collect(),
        };
        let before: Vec<_> = ids.iter().map(|id| self.variable(*id)).collect();
        let collection = at.and_then(|at| self.file.collections.get(at).cloned());
        self.file.write(op)?;
        for (id, before) in ids.into_iter().zip(before) {
            let after = self.variable(id);
            self.log.push(Change::Variable { id, before, after });
        }
        if let Some(at) = at {
            self.log.push(Change::Collection {
                at,
                before: collection,
                after: self.file.collections[at].clone(),
            });
        }
        Ok(())
    }

    fn id(&self, part: Part) -> String {
        self.file.id(part)
    }

    fn variable_of(&self, id: &str) -> Option<VariableSlot> {
        self.file.variable_of(id)
    }

    fn collection_of(&self, id: &str) -> Option<CollectionSlot> {
        self.file.collection_of(id)
    }

    fn mode_of(&self, collection: CollectionSlot, id: &str) -> Option<ModeSlot> {
        self.file.mode_of(collection, id)
    }

    fn whole(&mut self, variable: VariableSlot) -> (Vec<f64>, String) {
        self.file.whole(variable)
    }

    fn keep_run(&mut self, run: RunEntry, past: &str, ended: bool) {
        let going_on = self.file.open_run.clone();
        self.file.keep_run(run, past, ended);
        let last = || self.file.history.last().map(|(entry, _)| entry.run.clone());
        let name = going_on.or_else(last);
        self.log.push(Change::Run(name.unwrap_or_default()));
    }

    fn begin_run(&mut self) {
        self.log.push(Change::Mark(self.file.mark.clone()));
        self.file.begin_run();
    }

    fn is_undone(&mut self) -> bool {
        self.file.is_undone()
    }

    fn mark(&mut self) -> String {
        self.file.mark()
    }

    fn is_writable(&mut self) -> bool {
        self.file.is_writable()
    }
}

impl Sandbox {
    /// The sandbox of a plugin that runs no Real-Time Sync yet.
    pub fn new() -> Sandbox {
        Sandbox {
            engine: Engine::new(None, "en_US", false),
            own: File::new(),
            told: Vec::new(),
            is_writer: true,
            log: Vec::new(),
            undo: Vec::new(),
            pending: Vec::new(),
            reading: None,
        }
    }

    /// Real-Time Sync begins. What the designer may undo outlives the plugin.
    pub fn begin(&mut self, document: &Document, marks: &Marks) {
        self.engine = Engine::new(document.kept.clone(), "en_US", false);
        self.own = File::new();
        self.own.marks = marks.clone();
        self.told.clear();
        self.is_writer = true;
        self.pending.clear();
        self.reading = None;
    }

    /// What a plugin that is gone wrote last becomes an undo step.
    pub fn end(&mut self) {
        self.reading = None;
        self.end_undo_step();
    }

    /// What the designer takes back: what was written since the last step, else the last step.
    pub fn take_undo(&mut self) -> Option<Vec<Change>> {
        if self.log.is_empty() {
            return self.undo.pop();
        }
        Some(std::mem::take(&mut self.log))
    }

    fn end_undo_step(&mut self) {
        if self.log.is_empty() {
            return;
        }
        if self.undo.len() == UNDO_MAX {
            self.undo.remove(0);
        }
        self.undo.push(std::mem::take(&mut self.log));
    }

    /// Puts cells in line, as the shell does.
    pub fn bring(&mut self, cells: String, joins: bool) {
        if joins && let Some(last) = self.pending.last_mut() {
            last.push_str(&cells);
            return;
        }
        self.pending.push(cells);
    }

    pub fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Works in the document.
    pub fn at<R>(&mut self, document: &mut Document, work: impl FnOnce(&mut Sandbox) -> R) -> R {
        self.own.exchange_document(&mut document.file);
        let result = work(self);
        self.own.exchange_document(&mut document.file);
        result
    }

    /// One step up to the next await; `false` at rest. `fails`: should it read, Figma does not answer.
    pub fn step(&mut self, document: &mut Document, random: &mut Random, fails: bool) -> bool {
        self.at(document, |here| here.step_within(random, fails))
    }

    fn step_within(&mut self, random: &mut Random, fails: bool) -> bool {
        if let Some(reading) = self.reading.take() {
            self.read_on(reading, random, fails);
            return true;
        }
        let step = self.engine.step(&mut Writer {
            file: &mut self.own,
            log: &mut self.log,
        });
        if step != Step::More || self.engine.has_effects() {
            self.keep_journal();
        }
        match step {
            Step::Rest => return false,
            Step::More => {}
            Step::Load => self.load(),
            Step::ReadAll => {
                let collections = self.own.read_lists();
                let count = self.own.handles.len() as u32;
                let wanted = self.engine.wanted_of_libraries();
                let found = self.own.find_in_libraries(&wanted);
                self.engine.read_begin(&collections, count);
                self.reading = Some(Reading::All {
                    next: 0,
                    count,
                    found,
                });
            }
            Step::ReadSome(slots) => self.reading = Some(Reading::Some(slots)),
            Step::CountUses(slots) => {
                let uses = self.own.uses(&slots);
                self.engine.uses_counted(self.own.is_vast, &uses);
            }
        }
        true
    }

    /// What was written is in the history before others have a turn.
    fn keep_journal(&mut self) {
        self.engine.keep_journal(&mut Writer {
            file: &mut self.own,
            log: &mut self.log,
        });
    }

    /// The slice ends.
    pub fn end_slice(&mut self, document: &mut Document) {
        self.at(document, Sandbox::keep_journal);
    }

    fn read_on(&mut self, reading: Reading, random: &mut Random, fails: bool) {
        if fails {
            self.engine.read_failed();
            return;
        }
        let (mut numbers, mut text) = (Vec::new(), String::new());
        match reading {
            Reading::All { next, count, found } if next < count => {
                let to = count.min(next + 1 + random.below(16) as u32);
                for slot in next..to {
                    self.own
                        .pack_slot(VariableSlot(slot), &mut numbers, &mut text);
                }
                let taken = self.engine.read_take(next, to - next, &numbers, &text);
                taken.expect("the packing is right");
                self.reading = Some(Reading::All {
                    next: to,
                    count,
                    found,
                });
            }
            Reading::All { found, .. } => {
                self.engine.read_libraries(&found);
                self.engine.read_end();
            }
            Reading::Some(slots) => {
                for slot in &slots {
                    self.own.pack_slot(*slot, &mut numbers, &mut text);
                }
                let taken = self.engine.read_again(&slots, &numbers, &text);
                taken.expect("the packing is right");
            }
        }
    }

    fn load(&mut self) {
        let cells = if self.pending.is_empty() {
            String::new()
        } else {
            self.pending.remove(0)
        };
        let mut at = 0;
        loop {
            let mut end = (at + PIECE_BYTES).min(cells.len());
            while !cells.is_char_boundary(end) {
                end += 1;
            }
            self.engine.load(&cells[at..end], end == cells.len());
            at = end;
            if at == cells.len() {
                return;
            }
        }
    }

    /// The variables that nobody has a row for any more are kept.
    pub fn keep_removed(&mut self, plan: u32) {
        self.engine.keep_removed(
            plan,
            &mut Writer {
                file: &mut self.own,
                log: &mut self.log,
            },
        );
    }

    /// Another panel may have written.
    pub fn look_again(&mut self) {
        self.engine.look_again(&mut Writer {
            file: &mut self.own,
            log: &mut self.log,
        });
    }

    /// Performs the effects.
    pub fn hear(&mut self, document: &mut Document, marks: &mut Marks) {
        for effect in self.engine.take_effects() {
            match effect {
                Effect::Post(message) => self.told.push(message),
                Effect::Keep(connection) => document.kept = connection,
                Effect::CommitUndo => {
                    marks.clone_from(&self.own.marks);
                    self.end_undo_step();
                }
            }
        }
    }
}
