//! A Figma file in memory, for the engine's tests.
//!
//! Owns a model of collections, modes and variables with Figma's refusals, other users' doings and faults to inject.
//! Must not know sheets or plans.

use std::collections::BTreeMap;

use sheetwire_core::apply::{Figma, Op};
use sheetwire_core::document::{CollectionSlot, Held, ModeSlot, Platform, Scopes, VariableSlot};
use sheetwire_core::engine::retyping::LAYERS_NAMED_MAX;
use sheetwire_core::engine::{Effect, Engine, Step};
use sheetwire_core::history::Part;
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{Connection, RunEntry, ToPanel};
use sheetwire_core::value::VariableType;

/// A collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    pub name: String,
    pub modes: Vec<String>,
    /// How many of the modes the engine knows: those that were read, and those that it made.
    pub modes_known: usize,
    /// The collection's name in the sheet, and each mode's.
    pub link: Vec<String>,
    /// Extends another collection, whose variables it has.
    pub extended: bool,
}

/// A variable; aliases name their targets by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub collection: usize,
    pub name: String,
    pub kind: VariableType,
    pub values: Vec<Held>,
    pub description: String,
    pub scopes: u32,
    pub code: [String; 3],
    pub hidden: bool,
    pub link: Option<String>,
    /// Aliases name their targets by id, as the other values do.
    pub base: Vec<f64>,
}

/// The file. Variables are kept by id; a slot of the engine leads to an id as the shell's handles do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    pub collections: Vec<Collection>,
    pub variables: BTreeMap<u32, Variable>,
    pub next_id: u32,
    pub handles: Vec<u32>,
    pub mode_limit: usize,
    /// Whether Figma takes no new name of a collection or a mode.
    pub refuses_names: bool,
    pub read_only: bool,
    pub writes: u32,
    /// Refuse this many of the next writes, after letting `fault_after` through.
    pub faults: u32,
    pub fault_after: u32,
    pub undo_steps: u32,
    /// The mark of the last run, within the document.
    pub mark: String,
    pub runs: u32,
    /// What this user remembers outside of it.
    pub marks: Marks,
    /// The runs that the file keeps, and what was before each.
    pub history: Vec<(RunEntry, String)>,
    /// Layers by name, and the variable that each uses. They keep what was removed.
    pub layers: Vec<(String, u32)>,
    /// Not all layers can be looked at.
    pub is_vast: bool,
    /// The one of them that goes on.
    pub open_run: Option<String>,
    /// Variables whose link was refused by a fault: nothing tells that they were made for a row.
    pub unlinked: Vec<u32>,
    /// What libraries offer: library, collection, name, type.
    pub libraries: Vec<(String, String, String, VariableType)>,
}

impl Collection {
    /// Without modes it was undone: it is not in the file any more, and its place is not used again.
    pub fn is_removed(&self) -> bool {
        self.modes.is_empty()
    }
}

/// The id of the first library variable; the others follow.
pub const LIBRARY_IDS: u32 = 1_000_000;

impl File {
    pub fn new() -> File {
        File {
            mode_limit: 20,
            mark: String::from("0"),
            ..File::default()
        }
    }

    pub fn add_collection(&mut self, name: &str, modes: &[&str]) -> usize {
        self.collections.push(Collection {
            name: name.into(),
            modes: modes.iter().map(|mode| (*mode).to_owned()).collect(),
            modes_known: modes.len(),
            link: Vec::new(),
            extended: false,
        });
        self.collections.len() - 1
    }

    pub fn add_variable(&mut self, collection: usize, name: &str, kind: VariableType) -> u32 {
        let modes = self.collections[collection].modes.len();
        self.next_id += 1;
        self.variables.insert(
            self.next_id,
            Variable {
                collection,
                name: name.into(),
                kind,
                values: vec![default_of(kind); modes],
                description: String::new(),
                scopes: 1,
                code: Default::default(),
                hidden: false,
                link: None,
                base: Vec::new(),
            },
        );
        self.next_id
    }

    /// The history as it is told, newest first.
    pub fn runs(&self) -> Vec<RunEntry> {
        let runs = self.history.iter().rev();
        runs.map(|(entry, _)| entry.clone()).collect()
    }

    /// Names sort by time, and none is given twice though runs are undone.
    fn next_run(&self) -> usize {
        let last = self
            .history
            .last()
            .and_then(|(entry, _)| entry.run.get(1..));
        last.and_then(|number| number.parse().ok()).unwrap_or(0) + 1
    }

    /// What was before a run and everything after it, newest first.
    pub fn pasts(&self, run: &str) -> Vec<String> {
        let from = self.history.iter().position(|(entry, _)| entry.run == run);
        let runs = self.history[from.unwrap_or_default()..].iter().rev();
        runs.map(|(_, past)| past.clone()).collect()
    }

    pub fn id_of(&self, collection: &str, name: &str) -> Option<u32> {
        let found = self.variables.iter().find(|(_, variable)| {
            variable.name == name && self.collections[variable.collection].name == collection
        });
        found.map(|(id, _)| *id)
    }

    fn link_key(&self, variable: &Variable) -> String {
        format!(
            "n{}\n{}",
            self.collections[variable.collection].name, variable.name
        )
    }

    fn slot_of(&self, id: u32) -> Option<u32> {
        self.handles
            .iter()
            .position(|handle| *handle == id)
            .map(|at| at as u32)
    }

    fn pack(&self, id: u32, numbers: &mut Vec<f64>, text: &mut String) {
        let variable = &self.variables[&id];
        let link = match &variable.link {
            None => 0,
            Some(key) if key.starts_with('a') => 4,
            Some(key) if *key == self.link_key(variable) => 1,
            Some(_) => 2,
        };
        let kind = VariableType::ALL
            .iter()
            .position(|kind| *kind == variable.kind)
            .expect("every type is listed");
        numbers.extend([
            variable.collection as f64,
            kind as f64,
            f64::from(variable.scopes),
            f64::from(u8::from(variable.hidden)),
            f64::from(link),
            variable.base.len() as f64,
        ]);
        numbers.extend(
            variable
                .base
                .iter()
                .map(|code| turn(*code, |id| self.slot_of(id as u32).map_or(-1.0, f64::from))),
        );
        let key = match (link, &variable.link) {
            (2, Some(key)) => key.clone(),
            (4, Some(key)) => key[1..].to_owned(),
            _ => String::new(),
        };
        let [web, android, ios] = &variable.code;
        text.push_str(
            &[
                &variable.name,
                &variable.description,
                web,
                android,
                ios,
                &key,
            ]
            .map(String::as_str)
            .join("\u{1f}"),
        );
        let known = self.collections[variable.collection].modes_known;
        let missing = std::iter::repeat(&Held::Missing);
        for value in variable.values.iter().chain(missing).take(known) {
            let slot = |id: &Option<VariableSlot>| {
                id.and_then(|id| self.slot_of(id.0)).map_or(-1.0, f64::from)
            };
            match value {
                Held::Missing => numbers.push(0.0),
                Held::Color(channels) => {
                    numbers.push(1.0);
                    numbers.extend(channels.map(f64::from));
                }
                Held::Float(number) => numbers.extend([2.0, f64::from(*number)]),
                Held::Boolean(value) => numbers.extend([3.0, f64::from(u8::from(*value))]),
                Held::Alias(target) => numbers.extend([4.0, slot(target)]),
                Held::Composed(target, opacity) => {
                    numbers.extend([5.0, slot(target), f64::from(*opacity)])
                }
                Held::Text(value) => {
                    numbers.push(6.0);
                    text.push('\u{1f}');
                    text.push_str(value);
                }
                Held::Easing(points) => {
                    numbers.push(7.0);
                    numbers.extend(points.map(f64::from));
                }
                Held::Timing(number) => numbers.extend([8.0, f64::from(*number)]),
                Held::Other => numbers.push(9.0),
            }
        }
        text.push('\u{1e}');
    }

    fn handle(&self, slot: VariableSlot) -> Result<u32, String> {
        let id = self.handles.get(slot.0 as usize).copied().unwrap_or(0);
        if self.variables.contains_key(&id) {
            Ok(id)
        } else {
            Err("The variable with that id does not exist".into())
        }
    }

    fn library_variable(&self, slot: VariableSlot) -> Option<(u32, VariableType)> {
        let id = *self.handles.get(slot.0 as usize)?;
        let at = id.checked_sub(LIBRARY_IDS)?;
        self.libraries
            .get(at as usize)
            .map(|(_, _, _, kind)| (id, *kind))
    }

    /// What a shell does with the library variables that are asked for.
    fn find_in_libraries(&mut self, wanted: &str) -> String {
        let mut found = String::new();
        for record in wanted.split_terminator('\u{1e}') {
            let at = self
                .libraries
                .iter()
                .position(|(library, collection, name, _)| {
                    [library.as_str(), collection, name].join("\u{1f}") == record
                });
            if let Some(at) = at {
                let kind = self.libraries[at].3;
                let code = VariableType::ALL.iter().position(|known| *known == kind);
                let code = code.expect("a type");
                self.handles.push(LIBRARY_IDS + at as u32);
                found.push_str(&format!("{record}\u{1f}{code}\u{1e}"));
            }
        }
        found
    }

    fn variable(&mut self, slot: VariableSlot) -> Result<&mut Variable, String> {
        let id = self.handle(slot)?;
        self.variables.get_mut(&id).ok_or_else(|| "gone".to_owned())
    }

    fn collection(&mut self, slot: CollectionSlot) -> Result<&mut Collection, String> {
        let found = self.collections.get_mut(slot.0 as usize);
        found
            .filter(|collection| !collection.is_removed())
            .ok_or_else(|| "The collection with that id does not exist".to_owned())
    }

    fn check_name(&self, collection: usize, name: &str, except: Option<u32>) -> Result<(), String> {
        if name.contains(['.', '{', '}']) || name.is_empty() {
            return Err("in createVariable: invalid variable name".into());
        }
        let twin = self.variables.iter().any(|(id, variable)| {
            Some(*id) != except && variable.collection == collection && variable.name == name
        });
        if twin {
            Err("in createVariable: duplicate variable name".into())
        } else {
            Ok(())
        }
    }

    fn leads_to(&self, from: u32, to: u32) -> bool {
        from == to
            || self.variables.get(&from).is_some_and(|variable| {
                variable.values.iter().any(|value| match value {
                    Held::Alias(Some(target)) | Held::Composed(Some(target), _) => {
                        self.leads_to(target.0, to)
                    }
                    _ => false,
                })
            })
    }

    fn perform(&mut self, op: &Op<'_>) -> Result<(), String> {
        if self.refuses_names && matches!(op, Op::RenameCollection { .. } | Op::RenameMode { .. }) {
            return Err("in set_name: not today".into());
        }
        match op {
            Op::CreateCollection { collection, name } => {
                assert_eq!(
                    collection.0 as usize,
                    self.collections.len(),
                    "slots are dense"
                );
                self.add_collection(name, &["Mode 1"]);
            }
            Op::RenameCollection { collection, name } => {
                self.collection(*collection)?.name = (*name).to_owned();
            }
            Op::SetCollectionLink { collection, names } => {
                self.collection(*collection)?.link =
                    names.iter().map(|name| (*name).to_owned()).collect();
            }
            Op::RenameMode {
                collection,
                mode,
                name,
            } => {
                let modes = &mut self.collection(*collection)?.modes;
                if name.chars().count() > 40 {
                    return Err("in renameMode: Name cannot exceed 40 characters".into());
                }
                let there = modes.get_mut(mode.0 as usize);
                *there.ok_or("in renameMode: no such mode")? = (*name).to_owned();
            }
            Op::AddMode {
                collection,
                mode,
                name,
            } => {
                let limit = self.mode_limit;
                let modes = &mut self.collection(*collection)?.modes;
                if modes.len() >= limit {
                    return Err(format!("in addMode: Limited to {limit} modes only"));
                }
                if modes.len() != mode.0 as usize {
                    return Err("in addMode: a mode was removed meanwhile".into());
                }
                modes.push((*name).to_owned());
                self.collection(*collection)?.modes_known += 1;
                let at = collection.0 as usize;
                for variable in self
                    .variables
                    .values_mut()
                    .filter(|variable| variable.collection == at)
                {
                    let first = variable.values.first().cloned().unwrap_or(Held::Missing);
                    variable.values.push(first);
                }
            }
            Op::CreateVariable {
                variable,
                collection,
                name,
                kind,
                key,
            } => {
                let at = collection.0 as usize;
                self.collection(*collection)?;
                assert_eq!(variable.0 as usize, self.handles.len(), "slots are dense");
                self.check_name(at, name, None)?;
                let id = self.add_variable(at, name, *kind);
                self.handles.push(id);
                self.variable(*variable)?.link = key.map(str::to_owned);
            }
            Op::SetValue {
                variable,
                mode,
                value,
            } => {
                let variable = self.variable(*variable)?;
                if value.variable_type() != variable.kind {
                    return Err("Mismatched variable resolved type for mode".into());
                }
                let there = variable.values.get_mut(mode.0 as usize);
                *there.ok_or("in setValueForMode: no such mode")? = Held::stored(value);
            }
            Op::SetAlias {
                variable,
                mode,
                target,
                opacity,
            } => {
                let from = self.handle(*variable)?;
                let foreign = self.library_variable(*target);
                let to = match foreign {
                    Some((id, _)) => id,
                    None => self.handle(*target)?,
                };
                let kind = foreign.map_or_else(|| self.variables[&to].kind, |(_, kind)| kind);
                if self.variables[&from].kind != kind {
                    return Err("Mismatched variable resolved type for mode".into());
                }
                if foreign.is_none() && self.leads_to(to, from) {
                    return Err("an alias cycle".into());
                }
                let to = Some(VariableSlot(to));
                let there = self.variable(*variable)?.values.get_mut(mode.0 as usize);
                *there.ok_or("in setValueForMode: no such mode")? = opacity
                    .map_or(Held::Alias(to), |opacity| {
                        Held::Composed(to, opacity as f32)
                    });
            }
            Op::Rename { variable, name } => {
                let id = self.handle(*variable)?;
                self.check_name(self.variables[&id].collection, name, Some(id))?;
                self.variable(*variable)?.name = (*name).to_owned();
            }
            Op::SetDescription { variable, text } => {
                self.variable(*variable)?.description = (*text).to_owned()
            }
            Op::SetScopes {
                variable,
                scopes: Scopes(bits),
            } => self.variable(*variable)?.scopes = *bits,
            Op::SetCode {
                variable,
                platform,
                text,
            } => {
                let at = Platform::ALL
                    .iter()
                    .position(|other| other == platform)
                    .expect("every platform is listed");
                self.variable(*variable)?.code[at] = (*text).to_owned();
            }
            Op::SetHidden { variable, hidden } => self.variable(*variable)?.hidden = *hidden,
            Op::SetLink {
                variable,
                key,
                base,
            } => {
                let base = base.iter().map(|code| {
                    turn(*code, |slot| {
                        let id = self.handles.get(slot as usize);
                        id.map_or(-1.0, |id| f64::from(*id))
                    })
                });
                let base = base.collect();
                let variable = self.variable(*variable)?;
                variable.link = key.map(str::to_owned);
                variable.base = base;
            }
            Op::RemoveMode { collection, mode } => {
                let held = self.collection(*collection)?;
                assert_eq!(
                    mode.0 as usize + 1,
                    held.modes.len(),
                    "modes are taken away from the end"
                );
                held.modes.pop();
                held.modes_known = held.modes.len();
                held.link.truncate(mode.0 as usize + 1);
                let variables = self.variables.values_mut();
                for variable in variables.filter(|held| held.collection == collection.0 as usize) {
                    variable.values.truncate(mode.0 as usize);
                }
            }
            Op::RemoveCollection { collection } => {
                let held = self.collection(*collection)?;
                held.name.clear();
                held.modes.clear();
                held.link.clear();
                let at = collection.0 as usize;
                self.variables.retain(|_, held| held.collection != at);
            }
            Op::Remove { variable } => {
                let id = self.handle(*variable)?;
                self.variables.remove(&id);
            }
        }
        Ok(())
    }
}

/// An alias's code with another number for its target; every other code as it is.
fn turn(code: f64, number: impl Fn(f64) -> f64) -> f64 {
    if code >= 0.0 {
        return code;
    }
    let target = (-code / 2048.0).floor() - 2.0;
    let opacity = -code - (target + 2.0) * 2048.0;
    let target = if target < 0.0 { -1.0 } else { number(target) };
    -((target + 2.0) * 2048.0 + opacity)
}

fn default_of(kind: VariableType) -> Held {
    match kind {
        VariableType::Color => Held::Color([1.0; 4]),
        VariableType::Float => Held::Float(0.0),
        VariableType::String => Held::Text("".into()),
        VariableType::Boolean => Held::Boolean(false),
        VariableType::Easing => Held::Easing([0.0, 0.0, 1.0, 1.0]),
        VariableType::Timing => Held::Timing(0.0),
    }
}

impl Figma for File {
    fn write(&mut self, op: &Op<'_>) -> Result<(), String> {
        if self.read_only {
            return Err("this file can't be changed".into());
        }
        if self.fault_after > 0 {
            self.fault_after -= 1;
        } else if self.faults > 0 {
            self.faults -= 1;
            if let Op::SetLink { variable, .. } = op {
                let id = self.handles.get(variable.0 as usize);
                self.unlinked.extend(id.copied());
            }
            return Err("a fault".into());
        }
        self.perform(op)?;
        self.writes += 1;
        Ok(())
    }

    fn id(&self, part: Part) -> String {
        match part {
            Part::Collection(CollectionSlot(at)) => format!("c{at}"),
            // Modes are only taken away from the end.
            Part::Mode(CollectionSlot(at), ModeSlot(mode)) => format!("m{at}.{mode}"),
            Part::Variable(VariableSlot(at)) => {
                format!("v{}", self.handles.get(at as usize).copied().unwrap_or(0))
            }
        }
    }

    fn variable_of(&self, id: &str) -> Option<VariableSlot> {
        let id = id.strip_prefix('v')?.parse().ok()?;
        self.slot_of(id).map(VariableSlot)
    }

    fn collection_of(&self, id: &str) -> Option<CollectionSlot> {
        let at: u32 = id.strip_prefix('c')?.parse().ok()?;
        let held = self.collections.get(at as usize)?;
        (!held.is_removed()).then_some(CollectionSlot(at))
    }

    fn mode_of(&self, collection: CollectionSlot, id: &str) -> Option<ModeSlot> {
        let (at, mode) = id.strip_prefix('m')?.split_once('.')?;
        let mode: u32 = mode.parse().ok()?;
        let held = self.collections.get(collection.0 as usize)?;
        (at == collection.0.to_string() && (mode as usize) < held.modes.len())
            .then_some(ModeSlot(mode))
    }

    fn whole(&mut self, variable: VariableSlot) -> (Vec<f64>, String) {
        let (mut numbers, mut text) = (Vec::new(), String::new());
        match self.handle(variable) {
            Ok(id) => self.pack(id, &mut numbers, &mut text),
            Err(_) => {
                numbers.push(-1.0);
                text.push('\u{1e}');
            }
        }
        (numbers, text)
    }

    fn keep_run(&mut self, run: RunEntry, past: &str, ended: bool) {
        let going_on = self.open_run.take();
        let place = self
            .history
            .iter()
            .position(|(entry, _)| Some(&entry.run) == going_on.as_ref());
        let name = going_on.unwrap_or_else(|| format!("r{:04}", self.next_run()));
        if !ended {
            self.open_run = Some(name.clone());
        }
        let run = (RunEntry { run: name, ..run }, past.to_owned());
        match place {
            Some(place) => {
                let grows = past.is_empty() || past.starts_with(&self.history[place].1);
                assert!(grows, "what was kept of a run's past stays as it was");
                self.history[place] = run;
            }
            None => self.history.push(run),
        }
    }

    fn begin_run(&mut self) {
        if self.read_only {
            return;
        }
        self.runs += 1;
        let mark = self.runs.to_string();
        self.marks.begin("Design", &self.mark, &mark);
        self.mark = mark;
    }

    fn is_undone(&mut self) -> bool {
        self.marks.is_undone("Design", &self.mark)
    }

    fn is_writable(&mut self) -> bool {
        !self.read_only
    }
}

/// An engine at a file, with what it has told.
pub struct World {
    pub engine: Engine,
    pub file: File,
    pub told: Vec<ToPanel>,
    pub kept: Option<Connection>,
    /// Cells that wait, and which source they are of.
    pending: Vec<(usize, String)>,
    /// Cells are handed over in pieces of this many bytes.
    pub piece: usize,
    /// What another user does each time after the document was read.
    pub meanwhile: Option<fn(&mut File)>,
}

impl World {
    pub fn new(file: File) -> World {
        World::reopened(file, None)
    }

    pub fn reopened(mut file: File, connection: Option<Connection>) -> World {
        file.open_run = None;
        let engine = Engine::new(connection.clone(), "en_US", false);
        World {
            engine,
            file,
            told: Vec::new(),
            kept: connection,
            pending: Vec::new(),
            piece: 7,
            meanwhile: None,
        }
    }

    /// Puts the first source's cells in line, as the shell does.
    pub fn bring(&mut self, cells: String, joins: bool) {
        self.bring_of(0, cells, joins);
    }

    /// Puts a source's cells in line. `source` is any number that is the source's own.
    pub fn bring_of(&mut self, source: usize, cells: String, joins: bool) {
        if joins && let Some((_, last)) = self.pending.last_mut() {
            last.push_str(&cells);
            return;
        }
        self.pending.push((source, cells));
    }

    pub fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Drops a source's cells.
    pub fn drop_pending_of(&mut self, source: usize) {
        self.pending.retain(|(of, _)| *of != source);
    }

    /// Steps until there is nothing to do.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// One step; `false` at rest.
    pub fn step(&mut self) -> bool {
        let step = self.engine.step(&mut self.file);
        // As if every step were a slice.
        self.engine.keep_journal(&mut self.file);
        match step {
            Step::Rest => {
                self.hear();
                return false;
            }
            Step::More => {}
            Step::Load => {
                let cells = if self.pending.is_empty() {
                    String::new()
                } else {
                    self.pending.remove(0).1
                };
                let mut at = 0;
                loop {
                    let mut end = (at + self.piece).min(cells.len());
                    while !cells.is_char_boundary(end) {
                        end += 1;
                    }
                    self.engine.load(&cells[at..end], end == cells.len());
                    at = end;
                    if at == cells.len() {
                        break;
                    }
                }
            }
            Step::ReadAll => {
                self.file.handles = self.file.variables.keys().copied().collect();
                for collection in &mut self.file.collections {
                    collection.modes_known = collection.modes.len();
                }
                let collections: String = self
                    .file
                    .collections
                    .iter()
                    .map(|collection| {
                        let link = |at: usize| collection.link.get(at).map_or("", String::as_str);
                        let own = match collection.link.first() {
                            Some(name) => format!("n{name}"),
                            None => String::new(),
                        };
                        let extended = if collection.extended { "\u{1c}" } else { "" };
                        let name = [extended, &collection.name].concat();
                        let mut texts = vec![name.as_str(), &own];
                        for (at, mode) in collection.modes.iter().enumerate() {
                            texts.extend([mode.as_str(), link(at + 1)]);
                        }
                        texts.join("\u{1f}") + "\u{1e}"
                    })
                    .collect();
                let ids = self.file.handles.clone();
                let found = self
                    .file
                    .find_in_libraries(&self.engine.wanted_of_libraries());
                self.engine.read_begin(&collections, ids.len() as u32);
                for (at, id) in ids.iter().enumerate() {
                    let (mut numbers, mut text) = (Vec::new(), String::new());
                    self.file.pack(*id, &mut numbers, &mut text);
                    self.engine
                        .read_take(at as u32, 1, &numbers, &text)
                        .expect("the packing is right");
                }
                self.engine.read_libraries(&found);
                self.engine.read_end();
                if let Some(meanwhile) = self.meanwhile {
                    meanwhile(&mut self.file);
                }
            }
            Step::CountUses(slots) => {
                let mut text = String::new();
                for slot in &slots {
                    let id = self.file.handle(*slot).unwrap_or_default();
                    let layers = self.file.layers.iter();
                    let layers = layers.filter(|(_, bound)| *bound == id);
                    let names: Vec<&str> = layers.map(|(name, _)| name.as_str()).collect();
                    let mut words = vec![names.len().to_string()];
                    words.extend(
                        names
                            .iter()
                            .take(LAYERS_NAMED_MAX)
                            .map(|name| (*name).to_owned()),
                    );
                    text.push_str(&(words.join("\u{1f}") + "\u{1e}"));
                }
                self.engine.uses_counted(self.file.is_vast, &text);
            }
            Step::ReadSome(slots) => {
                let (mut numbers, mut text) = (Vec::new(), String::new());
                for slot in &slots {
                    match self.file.handle(*slot) {
                        Ok(id) => self.file.pack(id, &mut numbers, &mut text),
                        Err(_) => {
                            numbers.push(-1.0);
                            text.push('\u{1e}');
                        }
                    }
                }
                self.engine
                    .read_again(&slots, &numbers, &text)
                    .expect("the packing is right");
                if let Some(meanwhile) = self.meanwhile {
                    meanwhile(&mut self.file);
                }
            }
        }
        self.hear();
        true
    }

    /// Performs the effects.
    pub fn hear(&mut self) {
        for effect in self.engine.take_effects() {
            match effect {
                Effect::Post(message) => self.told.push(message),
                Effect::Keep(connection) => self.kept = connection,
                Effect::CommitUndo => self.file.undo_steps += 1,
            }
        }
    }
}
