//! One plugin at one file: the panel's session, the sandbox's engine, and what outlives both.
//!
//! Owns the sandbox's shell around the engine (as src/sandbox/sync.rs is for Figma) and what the designer and others do in
//! the file. Must not know the relay or the network.

use std::collections::{BTreeMap, BTreeSet};

use crate::file::{Collection, File, Variable, World as Sandbox};
use crate::random::Random;
use sheetwire_core::document::{Held, base};
use sheetwire_core::protocol::panel::{Difference, Problem, SavedSession, ToPanel, ToSandbox};
use sheetwire_core::protocol::relay::Position;
use sheetwire_core::session::{CELL_MESSAGES_MAX, Session};
use sheetwire_core::value::{Rgba, Value, VariableType};

/// Groups of variables that no sheet ever names.
const FOREIGN: &str = "own/";
/// Steps of a run that the designer can take back.
const UNDO_MAX: usize = 5;

/// What undo goes back to.
#[derive(Debug, Clone, Default)]
struct Point {
    collections: Vec<Collection>,
    variables: BTreeMap<u32, Variable>,
    mark: String,
}

impl Point {
    fn of(file: &File) -> Point {
        Point {
            collections: file.collections.clone(),
            variables: file.variables.clone(),
            mark: file.mark.clone(),
        }
    }

    /// Brings a file back here. What was made since is gone for good.
    fn restore(self, file: &mut File) {
        for (at, collection) in file.collections.iter_mut().enumerate() {
            match self.collections.get(at) {
                Some(before) => {
                    // The plugin does not learn of it before it reads again.
                    let modes_known = collection.modes_known;
                    collection.clone_from(before);
                    collection.modes_known = modes_known;
                }
                None => {
                    collection.name.clear();
                    collection.modes.clear();
                    collection.link.clear();
                }
            }
        }
        file.variables = self.variables;
        file.mark = self.mark;
    }
}

/// A value that somebody set by hand.
#[derive(Debug, Clone)]
struct HandEdit {
    id: u32,
    mode: usize,
    value: Held,
    /// Whether the panel was told something about the variable since.
    told: bool,
}

pub struct Plugin {
    pub is_open: bool,
    /// Counts the openings; what was meant for an earlier one is dropped.
    pub life: u32,
    pub session: Session,
    /// The engine and the file.
    pub sandbox: Sandbox,
    /// Whether the sandbox runs Real-Time Sync.
    pub is_running: bool,
    pub is_stepping: bool,
    /// With the user, outside the file.
    pub kept_session: Option<SavedSession>,
    pub socket: Option<u32>,
    /// One a kind: the number of the timer that counts.
    pub timers: BTreeMap<u8, u64>,
    pub is_cut_off: bool,
    /// A proxy in between refuses every WebSocket.
    pub has_no_sockets: bool,
    pub redeems_left: u64,
    /// What the designer was told last.
    pub problems: Vec<Problem>,
    /// Where sheet and file differ and nothing is written, as told last.
    pub differences: Vec<Difference>,
    /// Where the sheet stood that the file was last made equal to, if nothing was left out.
    pub applied: Option<Position>,
    pub writes: u64,
    /// When the last message between the two programs arrives.
    pub panel_ms: u64,
    pub sandbox_ms: u64,
    may_remove: bool,
    /// Whether the designer has confirmed going back to before a run, which is as if they did it by hand.
    goes_back: bool,
    position: Option<Position>,
    foreign: BTreeMap<u32, Variable>,
    ours: BTreeSet<u32>,
    by_hand: Vec<HandEdit>,
    undo: Vec<Point>,
    last_point: Point,
    names: u64,
}

impl Plugin {
    pub fn new(random: &mut Random) -> Plugin {
        let mut file = File::new();
        if random.chance(500) {
            let at = file.add_collection("base", &["light"]);
            for _ in 0..random.below(4) {
                let id = file.add_variable(
                    at,
                    &format!("{FOREIGN}{}", random.below(1_000)),
                    VariableType::Float,
                );
                if let Some(variable) = file.variables.get_mut(&id) {
                    variable.values[0] = Held::Float(7.0);
                }
            }
            // What the sheet may name too, made by hand.
            for name in ["size/1", "color/2"] {
                if random.chance(500) {
                    file.add_variable(at, name, VariableType::Float);
                }
            }
        }
        let mut plugin = Plugin {
            is_open: false,
            life: 0,
            session: Session::new(random.next() as u32),
            sandbox: Sandbox::new(file),
            is_running: false,
            is_stepping: false,
            kept_session: None,
            socket: None,
            timers: BTreeMap::new(),
            is_cut_off: false,
            has_no_sockets: random.chance(150),
            redeems_left: 0,
            problems: Vec::new(),
            differences: Vec::new(),
            applied: None,
            writes: 0,
            panel_ms: 0,
            sandbox_ms: 0,
            may_remove: false,
            goes_back: false,
            position: None,
            foreign: BTreeMap::new(),
            ours: BTreeSet::new(),
            by_hand: Vec::new(),
            undo: Vec::new(),
            last_point: Default::default(),
            names: 1_000,
        };
        plugin.people_did_something();
        plugin
    }

    /// Forgets everything but the file and what is kept with the user.
    pub fn close(&mut self) {
        self.is_open = false;
        self.life += 1;
        // A new plugin has told nothing yet.
        self.differences.clear();
        self.is_running = false;
        self.is_stepping = false;
        self.socket = None;
        self.timers.clear();
        self.position = None;
    }

    pub fn open(&mut self, seed: u32) {
        self.close();
        self.is_open = true;
        self.session = Session::new(seed);
        self.may_remove = false;
        self.goes_back = false;
    }

    /// The sandbox begins Real-Time Sync.
    pub fn begin(&mut self) {
        let old = std::mem::replace(&mut self.sandbox, Sandbox::new(File::new()));
        let mut file = old.file;
        file.faults = 0;
        self.sandbox = Sandbox::reopened(file, old.kept);
        self.is_running = true;
        self.is_stepping = false;
    }

    /// The sandbox takes a message as its shell does.
    pub fn tell_sandbox(&mut self, message: ToSandbox, bulk: Option<String>) {
        if let ToSandbox::SaveSession { session } = message {
            self.kept_session = session;
            return;
        }
        if !self.is_running {
            return;
        }
        let sandbox = &mut self.sandbox;
        match message {
            ToSandbox::Connect { sheet } => {
                sandbox.drop_pending();
                sandbox.engine.connect(sheet);
            }
            ToSandbox::AddSource { sheet } => sandbox.engine.add_source(sheet),
            ToSandbox::RemoveSource { sheet } => sandbox.engine.remove_source(&sheet),
            ToSandbox::Snapshot {
                sheet,
                position,
                info,
            } => {
                if sandbox.engine.announce_snapshot(&sheet, position, info) {
                    sandbox.drop_pending();
                    sandbox.bring(bulk.unwrap_or_default(), false);
                }
            }
            ToSandbox::Changes {
                sheet,
                position,
                rows,
            } => {
                let before = sandbox.engine.announced();
                if sandbox.engine.announce_changes(&sheet, position, rows) {
                    let joins = sandbox.engine.announced() == before;
                    sandbox.bring(bulk.unwrap_or_default(), joins);
                }
            }
            ToSandbox::ConfirmColumns {
                columns,
                header_row,
                layout,
                sheet,
            } => sandbox
                .engine
                .confirm_columns(sheet.as_ref(), columns, header_row, layout),
            ToSandbox::Approve {
                plan,
                include_removals,
                retypes,
            } => {
                self.goes_back = sandbox.engine.is_restore(plan);
                self.may_remove = include_removals;
                sandbox
                    .engine
                    .approve_types(plan, include_removals, &retypes);
            }
            ToSandbox::KeepFile { plan } => sandbox.engine.keep_file(plan),
            ToSandbox::KeepApart { plan } => sandbox.engine.keep_apart(plan),
            ToSandbox::LeaveOut { plan, rows } => sandbox.engine.leave_out(plan, &rows),
            ToSandbox::TakeIn { keys } => sandbox.engine.take_in(&keys),
            ToSandbox::ListRuns => {
                let runs = sandbox.file.runs();
                sandbox.told.push(ToPanel::Runs { runs });
            }
            ToSandbox::Restore { run } => {
                let pasts = sandbox.file.pasts(&run);
                sandbox.engine.restore(&pasts);
            }
            ToSandbox::KeepRemoved { plan } => {
                sandbox.engine.keep_removed(plan, &mut sandbox.file);
                self.note_ours();
            }
            ToSandbox::Resolve {
                list,
                items,
                choice,
            } => sandbox.engine.choose(list, &items, choice),
            ToSandbox::SetPolicy { policy } => {
                // What the sheet overwrites under another policy is not lost without a word.
                for edit in &mut self.by_hand {
                    edit.told = true;
                }
                sandbox.engine.set_policy(policy);
            }
            ToSandbox::SetThreshold { variables } => sandbox.engine.set_threshold(variables),
            ToSandbox::Writer { yes, .. } => {
                sandbox.engine.set_writer(yes);
                // A document has one panel here, and the relay knows panels apart.
                sandbox.told.push(ToPanel::File {
                    id: String::from("file"),
                    panel: format!("p{}", self.life),
                    nonce: String::new(),
                });
            }
            ToSandbox::Cancel => sandbox.engine.cancel(),
            ToSandbox::SetTwoWay { on } => sandbox.engine.set_two_way(on),
            ToSandbox::Look => sandbox.engine.look(),
            ToSandbox::Pushed { push, results } => sandbox.engine.pushed(push, &results),
            ToSandbox::Toggle { on } => sandbox.engine.toggle(on),
            ToSandbox::Disconnect => {
                sandbox.drop_pending();
                sandbox.engine.disconnect();
            }
            ToSandbox::SyncNow => sandbox.engine.sync_now(),
            ToSandbox::SaveSession { .. }
            | ToSandbox::Ready { .. }
            | ToSandbox::FlagsEvaluated { .. }
            | ToSandbox::ListVariables
            | ToSandbox::Resize { .. }
            | ToSandbox::Hide
            | ToSandbox::Close
            | ToSandbox::Notify { .. } => {}
        }
        self.sandbox.hear();
    }

    /// One slice of the sandbox; whether there is more to do.
    ///
    /// # Errors
    /// Something foreign was touched.
    pub fn step(&mut self, steps: u64, alone: bool) -> Result<bool, String> {
        let (writes, undo) = (self.sandbox.file.writes, self.sandbox.file.undo_steps);
        let mut more = true;
        for _ in 0..steps {
            more = self.sandbox.step();
            if !more {
                break;
            }
        }
        // Where the sheet came to say the same, nothing of an edit is left to lose.
        for edit in &mut self.by_hand {
            let held = self.sandbox.file.variables.get(&edit.id);
            let agreed = held.and_then(|held| held.base.get(base::mode_place(edit.mode as u32)));
            edit.told |= agreed == Some(&base::code_of_held(&edit.value));
        }
        let written = self.sandbox.file.writes - writes;
        self.writes += u64::from(written);
        if written > 0 {
            self.check_file(alone)?;
        }
        if self.sandbox.file.undo_steps != undo {
            if self.undo.len() == UNDO_MAX {
                self.undo.remove(0);
            }
            let file = &self.sandbox.file;
            let now = Point::of(file);
            self.undo.push(std::mem::replace(&mut self.last_point, now));
        }
        Ok(more)
    }

    /// What the sandbox has told since, in order.
    pub fn take_told(&mut self) -> Vec<ToPanel> {
        let told = std::mem::take(&mut self.sandbox.told);
        for message in &told {
            self.note_told(message);
            match message {
                ToPanel::Applied(report) => {
                    self.goes_back = false;
                    self.problems.clone_from(&report.problems);
                    self.applied = (!report.cancelled).then(|| report.position.clone());
                }
                ToPanel::Differences(differences) => {
                    self.differences.clone_from(&differences.items);
                }
                ToPanel::Preview(preview) | ToPanel::Waiting { preview, .. } => {
                    self.problems.clone_from(&preview.problems);
                    self.applied = None;
                }
                _ => {}
            }
        }
        told
    }

    /// Whatever names a variable tells about it.
    fn note_told(&mut self, message: &ToPanel) {
        if self.by_hand.iter().all(|edit| edit.told) {
            return;
        }
        let text = format!("{message:?}");
        for edit in &mut self.by_hand {
            edit.told |= match self.sandbox.file.variables.get(&edit.id) {
                Some(variable) => text.contains(&format!("{:?}", variable.name)),
                None => true,
            };
        }
    }

    /// No edit by hand may be lost without a word, unless the file's policy is that the sheet stands.
    ///
    /// # Errors
    /// The edit that was.
    pub fn check_hand_edits(&self) -> Result<(), String> {
        let connection = self.sandbox.engine.connection();
        if connection.is_some_and(|connection| !connection.policy.is_default()) {
            return Ok(());
        }
        for edit in &self.by_hand {
            let Some(variable) = self.sandbox.file.variables.get(&edit.id) else {
                continue;
            };
            if variable.values.get(edit.mode) != Some(&edit.value) && !edit.told {
                return Err(format!("{edit:?} of {variable:?} was lost without a word"));
            }
        }
        Ok(())
    }

    /// Nothing foreign removed or changed, nothing of ours removed that nobody confirmed.
    fn check_file(&mut self, alone: bool) -> Result<(), String> {
        if self.goes_back {
            for edit in &mut self.by_hand {
                edit.told = true;
            }
            self.people_did_something();
            return Ok(());
        }
        let variables = &self.sandbox.file.variables;
        for (id, before) in &self.foreign {
            match variables.get(id) {
                // A mode added to the collection adds a value to each of its variables.
                Some(after)
                    if after.values.starts_with(&before.values)
                        && Variable {
                            values: before.values.clone(),
                            ..after.clone()
                        } == *before => {}
                after => return Err(format!("foreign {before:?} became {after:?}")),
            }
        }
        let gone: Vec<u32> = self
            .ours
            .iter()
            .copied()
            .filter(|id| !variables.contains_key(id))
            .collect();
        if !gone.is_empty() && !self.may_remove {
            return Err(format!("{gone:?} were removed, and nobody said so"));
        }
        let mut links: Vec<&str> = variables
            .values()
            .filter_map(|variable| variable.link.as_deref())
            .collect();
        links.sort_unstable();
        // A run that is undone between a plan and its approval brings a variable back that the plan makes anew.
        if alone && let Some(twice) = links.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two variables stand for {:?}", twice[0]));
        }
        for (id, variable) in variables {
            if !self.ours.contains(id)
                && !self.foreign.contains_key(id)
                && variable.link.is_none()
                && !self.sandbox.file.unlinked.contains(id)
            {
                return Err(format!("{variable:?} was made without a link"));
            }
        }
        self.note_ours();
        Ok(())
    }

    fn note_ours(&mut self) {
        self.ours = self.sandbox.file.variables.keys().copied().collect();
        for id in self.foreign.keys() {
            self.ours.remove(id);
        }
    }

    /// People have changed the file: what they left is what must stay.
    fn people_did_something(&mut self) {
        let variables = &self.sandbox.file.variables;
        self.foreign = variables
            .iter()
            .filter(|(_, variable)| variable.link.is_none() && variable.name.starts_with(FOREIGN))
            .map(|(id, variable)| (*id, variable.clone()))
            .collect();
        self.last_point = Point::of(&self.sandbox.file);
        self.note_ours();
    }

    /// The designer or somebody else does something in the file. Gives a word for it.
    pub fn edit_file(&mut self, random: &mut Random) -> &'static str {
        let file = &mut self.sandbox.file;
        let ids: Vec<u32> = file.variables.keys().copied().collect();
        let id = random.place(ids.len()).map(|at| ids[at]);
        let what = match (random.below(104), id) {
            (0..50, Some(id)) => {
                let value = match file.variables[&id].kind {
                    VariableType::Color => {
                        let channel = random.below(256) as f64 / 255.0;
                        Value::Color(Rgba {
                            r: channel,
                            g: 0.0,
                            b: 1.0,
                            a: 1.0,
                        })
                    }
                    VariableType::Float => Value::Float(random.below(999) as f64),
                    VariableType::Boolean => Value::Boolean(random.chance(500)),
                    _ => Value::String(String::from("by hand")),
                };
                if let Some(variable) = file.variables.get_mut(&id)
                    && let Some(mode) = random.place(variable.values.len())
                {
                    let value = Held::stored(&value);
                    if std::mem::replace(&mut variable.values[mode], value.clone()) == value {
                        return "a value is set by hand to what it was";
                    }
                    // What was agreed anyway is no change; where nothing was agreed the sheet had nothing to say, and
                    // its first word stands.
                    let place = base::mode_place(mode as u32);
                    let agreed = variable.base.get(place).copied().unwrap_or_default();
                    let is_agreed = agreed == 0.0 || agreed == base::code_of_held(&value);
                    let is_shown = self
                        .sandbox
                        .engine
                        .connection()
                        .is_none_or(|connection| connection.policy.is_default());
                    self.by_hand
                        .retain(|edit| (edit.id, edit.mode) != (id, mode));
                    self.by_hand.push(HandEdit {
                        id,
                        mode,
                        value,
                        // Between the reading of a variable and its writing a few milliseconds pass; Figma has no way
                        // to write only where nobody else did.
                        told: self.is_stepping || is_agreed || !is_shown,
                    });
                }
                "a value is set by hand"
            }
            (50..62, Some(id)) => {
                self.names += 1;
                let name = format!("hand/{}", self.names);
                if let Some(variable) = file.variables.get_mut(&id) {
                    variable.name = name;
                }
                "a variable is renamed by hand"
            }
            (62..72, Some(id)) => {
                file.variables.remove(&id);
                "a variable is removed by hand"
            }
            (72..80, _) => {
                if let Some(before) = self.undo.pop() {
                    before.restore(file);
                    self.by_hand.clear();
                }
                "a run is undone"
            }
            (100..102, _) => {
                self.names += 1;
                if let Some(at) = random.place(file.collections.len())
                    && !file.collections[at].is_removed()
                {
                    file.collections[at].name = format!("ours{}", self.names);
                }
                "a collection is renamed by hand"
            }
            (102..104, _) => {
                self.names += 1;
                if let Some(at) = random.place(file.collections.len())
                    && !file.collections[at].is_removed()
                    && let Some(mode) = random.place(file.collections[at].modes.len())
                {
                    file.collections[at].modes[mode] = format!("mine{}", self.names);
                }
                "a mode is renamed by hand"
            }
            _ => {
                if let Some(collection) = random.place(file.collections.len())
                    && !file.collections[collection].is_removed()
                {
                    self.names += 1;
                    let name = format!("{FOREIGN}{}", self.names);
                    file.add_variable(collection, &name, VariableType::Float);
                }
                "a variable is made by hand"
            }
        };
        self.people_did_something();
        what
    }

    /// What must hold of the session at every moment.
    ///
    /// # Errors
    /// What does not.
    pub fn check_session(&mut self) -> Result<(), String> {
        if self.session.unanswered() > CELL_MESSAGES_MAX {
            return Err(String::from("the sandbox was given too many cells"));
        }
        if self.sandbox.engine.announced() > 2 {
            return Err(String::from("the engine's queue is longer than said"));
        }
        let position = self.session.position().cloned();
        if let (Some(before), Some(after)) = (&self.position, &position)
            && before.epoch == after.epoch
            && before.revision > after.revision
        {
            return Err(format!(
                "the session went back from {before:?} to {after:?}"
            ));
        }
        self.position = position;
        Ok(())
    }
}
