//! A Figma file in memory, for the engine's tests.
//!
//! Owns a model of collections, modes and variables with Figma's refusals, other users' doings and faults to inject.
//! Must not know sheets or plans.

use std::collections::BTreeMap;

use sheetwire_core::apply::{Figma, Op};
use sheetwire_core::document::base::FIELDS;
use sheetwire_core::document::{CollectionSlot, Held, ModeSlot, Platform, Scopes, VariableSlot};
use sheetwire_core::engine::retyping::LAYERS_NAMED_MAX;
use sheetwire_core::engine::{Effect, Engine, Step};
use sheetwire_core::history::Part;
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{Connection, RunEntry, ToPanel};
use sheetwire_core::protocol::relay::{CellWrite, SheetRef};
use sheetwire_core::value::VariableType;

/// A collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    pub name: String,
    pub modes: Vec<String>,
    /// Each mode's id; modes may come and go in front of others.
    pub mode_ids: Vec<u32>,
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

/// What a collection's slot leads to: what the shell remembers from when the file was read.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionHandle {
    /// The place in the file's list.
    pub at: usize,
    /// The name as it was read, or written since.
    pub name: String,
    /// The ids of the modes, by slot.
    pub modes: Vec<u32>,
}

/// The file. Variables are kept by id; a slot of the engine leads to an id as the shell's handles do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    /// What Figma calls the file.
    pub name: String,
    pub collections: Vec<Collection>,
    pub variables: BTreeMap<u32, Variable>,
    pub next_id: u32,
    pub next_mode_id: u32,
    /// Of the plugin that works in the file, as is what it counts and remembers.
    pub handles: Vec<u32>,
    pub collection_handles: Vec<CollectionHandle>,
    pub mode_limit: usize,
    /// Whether links are those of another sheet, as they are to an import.
    pub foreign_links: bool,
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
    /// How many runs were given a name.
    pub runs_named: usize,
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
            name: String::from("Design"),
            mode_limit: 20,
            mark: String::from("0"),
            ..File::default()
        }
    }

    /// Exchanges the document's part, which all panels at it share; what belongs to a panel stays.
    pub fn exchange_document(&mut self, other: &mut File) {
        std::mem::swap(&mut self.name, &mut other.name);
        std::mem::swap(&mut self.collections, &mut other.collections);
        std::mem::swap(&mut self.variables, &mut other.variables);
        std::mem::swap(&mut self.next_id, &mut other.next_id);
        std::mem::swap(&mut self.next_mode_id, &mut other.next_mode_id);
        std::mem::swap(&mut self.mark, &mut other.mark);
        std::mem::swap(&mut self.runs, &mut other.runs);
        std::mem::swap(&mut self.history, &mut other.history);
        std::mem::swap(&mut self.runs_named, &mut other.runs_named);
        std::mem::swap(&mut self.layers, &mut other.layers);
        std::mem::swap(&mut self.unlinked, &mut other.unlinked);
    }

    pub fn add_collection(&mut self, name: &str, modes: &[&str]) -> usize {
        let first = self.next_mode_id + 1;
        self.next_mode_id += modes.len() as u32;
        self.collections.push(Collection {
            name: name.into(),
            modes: modes.iter().map(|mode| (*mode).to_owned()).collect(),
            mode_ids: (first..=self.next_mode_id).collect(),
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
    fn next_run(&mut self) -> usize {
        self.runs_named += 1;
        self.runs_named
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

    fn slot_of(&self, id: u32) -> Option<u32> {
        self.handles
            .iter()
            .position(|handle| *handle == id)
            .map(|at| at as u32)
    }

    /// Reads the lists of collections and variables: what the engine's slots lead to from now on. Gives the packed
    /// collections.
    pub fn read_lists(&mut self) -> String {
        self.handles = self.variables.keys().copied().collect();
        let there = self.collections.iter().enumerate();
        self.collection_handles = there
            .filter(|(_, held)| !held.is_removed())
            .map(|(at, held)| CollectionHandle {
                at,
                name: held.name.clone(),
                modes: held.mode_ids.clone(),
            })
            .collect();
        let there = self.collections.iter().filter(|held| !held.is_removed());
        let packed = there.map(|collection| {
            let link = |at: usize| collection.link.get(at).map_or("", String::as_str);
            let own = match collection.link.first() {
                Some(_) if self.foreign_links => String::from("-"),
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
        });
        packed.collect()
    }

    /// Packs what a slot leads to, which may be gone.
    pub fn pack_slot(&self, slot: VariableSlot, numbers: &mut Vec<f64>, text: &mut String) {
        let place = self.handle(slot).ok().and_then(|id| {
            let at = self.variables[&id].collection;
            let known = self.collection_handles.iter();
            let place = known.enumerate().find(|(_, handle)| handle.at == at)?.0;
            Some((id, place))
        });
        match place {
            Some((id, place)) => self.pack(id, place, numbers, text),
            None => {
                numbers.push(-1.0);
                text.push('\u{1e}');
            }
        }
    }

    /// The places of a collection's modes, by slot; `None` where a mode was removed meanwhile.
    fn mode_places(&self, handle: &CollectionHandle) -> Vec<Option<usize>> {
        let there = &self.collections[handle.at].mode_ids;
        let places = handle.modes.iter();
        places
            .map(|id| there.iter().position(|known| known == id))
            .collect()
    }

    /// The place of a mode in its variables' lists.
    fn mode_place(&self, collection: usize, mode: ModeSlot) -> Option<usize> {
        let handle = self
            .collection_handles
            .iter()
            .find(|handle| handle.at == collection)?;
        *self.mode_places(handle).get(mode.0 as usize)?
    }

    fn pack(&self, id: u32, place: usize, numbers: &mut Vec<f64>, text: &mut String) {
        let variable = &self.variables[&id];
        let handle = &self.collection_handles[place];
        let own = format!("n{}\n{}", handle.name, variable.name);
        let link = match &variable.link {
            None => 0,
            Some(_) if self.foreign_links => 3,
            Some(key) if key.starts_with('a') => 4,
            Some(key) if *key == own => 1,
            Some(_) => 2,
        };
        let modes = self.mode_places(handle);
        let base = if variable.base.is_empty() {
            Vec::new()
        } else {
            let there = modes.iter().map(|at| Some(FIELDS + (*at)?));
            let places = (0..FIELDS).map(Some).chain(there);
            let agreed = places.map(|at| Some(*variable.base.get(at?)?));
            agreed.map(Option::unwrap_or_default).collect()
        };
        let kind = VariableType::ALL
            .iter()
            .position(|kind| *kind == variable.kind)
            .expect("every type is listed");
        numbers.extend([
            place as f64,
            kind as f64,
            f64::from(variable.scopes),
            f64::from(u8::from(variable.hidden)),
            f64::from(link),
            base.len() as f64,
        ]);
        numbers.extend(
            base.iter()
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
        let values = modes.iter().map(|at| variable.values.get((*at)?));
        for value in values.map(|value| value.unwrap_or(&Held::Missing)) {
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

    /// What a shell finds of the layers that use variables: how many of each, and the first names.
    pub fn uses(&self, slots: &[VariableSlot]) -> String {
        let mut text = String::new();
        for slot in slots {
            let id = self.handle(*slot).unwrap_or_default();
            let layers = self.layers.iter();
            let layers = layers.filter(|(_, bound)| *bound == id);
            let names: Vec<&str> = layers.map(|(name, _)| name.as_str()).collect();
            let mut words = vec![names.len().to_string()];
            let named = names.iter().take(LAYERS_NAMED_MAX);
            words.extend(named.map(|name| (*name).to_owned()));
            text.push_str(&(words.join("\u{1f}") + "\u{1e}"));
        }
        text
    }

    /// The id of a variable that is still there.
    ///
    /// # Errors
    /// Figma's words.
    pub fn handle(&self, slot: VariableSlot) -> Result<u32, String> {
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
    pub fn find_in_libraries(&mut self, wanted: &str) -> String {
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

    /// The place of a collection that is still there.
    ///
    /// # Errors
    /// Figma's words.
    pub fn collection_place(&self, slot: CollectionSlot) -> Result<usize, String> {
        let known = self.collection_handles.get(slot.0 as usize);
        known
            .map(|handle| handle.at)
            .filter(|at| !self.collections[*at].is_removed())
            .ok_or_else(|| "The collection with that id does not exist".to_owned())
    }

    fn collection(&mut self, slot: CollectionSlot) -> Result<&mut Collection, String> {
        let at = self.collection_place(slot)?;
        Ok(&mut self.collections[at])
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

    /// Whether the aliases of one variable lead to another.
    pub fn leads_to(&self, from: u32, to: u32) -> bool {
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
                    self.collection_handles.len(),
                    "slots are dense"
                );
                let at = self.add_collection(name, &["Mode 1"]);
                self.collection_handles.push(CollectionHandle {
                    at,
                    name: (*name).to_owned(),
                    modes: self.collections[at].mode_ids.clone(),
                });
            }
            Op::RenameCollection { collection, name } => {
                self.collection(*collection)?.name = (*name).to_owned();
                let handle = &mut self.collection_handles[collection.0 as usize];
                handle.name = (*name).to_owned();
            }
            Op::SetCollectionLink { collection, names } => {
                self.collection(*collection)?;
                let places = self.mode_places(&self.collection_handles[collection.0 as usize]);
                let mut link: Vec<String> =
                    names.iter().take(1).map(|name| (*name).into()).collect();
                for (name, place) in names.iter().skip(1).zip(places) {
                    let Some(place) = place else { continue };
                    link.resize(link.len().max(place + 2), String::new());
                    link[place + 1] = (*name).to_owned();
                }
                self.collection(*collection)?.link = link;
            }
            Op::RenameMode {
                collection,
                mode,
                name,
            } => {
                if name.chars().count() > 40 {
                    return Err("in renameMode: Name cannot exceed 40 characters".into());
                }
                let at = self.collection_place(*collection)?;
                let place = self.mode_place(at, *mode);
                let place = place.ok_or("in renameMode: no such mode")?;
                self.collections[at].modes[place] = (*name).to_owned();
            }
            Op::AddMode {
                collection,
                mode,
                name,
            } => {
                let limit = self.mode_limit;
                let at = self.collection_place(*collection)?;
                if self.collections[at].modes.len() >= limit {
                    return Err(format!("in addMode: Limited to {limit} modes only"));
                }
                self.next_mode_id += 1;
                let id = self.next_mode_id;
                self.collections[at].modes.push((*name).to_owned());
                self.collections[at].mode_ids.push(id);
                let handle = &mut self.collection_handles[collection.0 as usize];
                assert_eq!(mode.0 as usize, handle.modes.len(), "slots are dense");
                handle.modes.push(id);
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
                let at = self.collection_place(*collection)?;
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
                let collection = self.variable(*variable)?.collection;
                let place = self.mode_place(collection, *mode);
                let variable = self.variable(*variable)?;
                if value.variable_type() != variable.kind {
                    return Err("Mismatched variable resolved type for mode".into());
                }
                let there = place.and_then(|place| variable.values.get_mut(place));
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
                let place = self.mode_place(self.variables[&from].collection, *mode);
                let values = &mut self.variable(*variable)?.values;
                let there = place.and_then(|place| values.get_mut(place));
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
                let base: Vec<f64> = base.collect();
                let collection = self.variable(*variable)?.collection;
                let there = (0..base.len()).map(|at| match at.checked_sub(FIELDS) {
                    Some(mode) => {
                        Some(FIELDS + self.mode_place(collection, ModeSlot(mode as u32))?)
                    }
                    None => Some(at),
                });
                let there: Vec<Option<usize>> = there.collect();
                let length = there.iter().flatten().max().map_or(0, |last| last + 1);
                let mut placed = vec![0.0; length];
                for (place, code) in there.into_iter().zip(base) {
                    if let Some(place) = place {
                        placed[place] = code;
                    }
                }
                let base = placed;
                let variable = self.variable(*variable)?;
                variable.link = key.map(str::to_owned);
                variable.base = base;
            }
            Op::RemoveMode { collection, mode } => {
                let at = self.collection_place(*collection)?;
                let place = self.mode_place(at, *mode);
                let place = place.ok_or("in removeMode: no such mode")?;
                let held = &mut self.collections[at];
                held.modes.remove(place);
                held.mode_ids.remove(place);
                if place + 1 < held.link.len() {
                    held.link.remove(place + 1);
                }
                let variables = self.variables.values_mut();
                for variable in variables.filter(|held| held.collection == at) {
                    variable.values.remove(place);
                    if FIELDS + place < variable.base.len() {
                        variable.base.remove(FIELDS + place);
                    }
                }
            }
            Op::RemoveCollection { collection } => {
                let at = self.collection_place(*collection)?;
                let held = &mut self.collections[at];
                held.name.clear();
                held.modes.clear();
                held.mode_ids.clear();
                held.link.clear();
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
            Part::Collection(CollectionSlot(slot)) => {
                let handle = self.collection_handles.get(slot as usize);
                format!("c{}", handle.map_or(0, |handle| handle.at))
            }
            Part::Mode(CollectionSlot(slot), ModeSlot(mode)) => {
                let handle = self.collection_handles.get(slot as usize);
                let id = handle.and_then(|handle| handle.modes.get(mode as usize));
                format!("m{}", id.copied().unwrap_or_default())
            }
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
        let at: usize = id.strip_prefix('c')?.parse().ok()?;
        let slot = self
            .collection_handles
            .iter()
            .position(|handle| handle.at == at)?;
        (!self.collections[at].is_removed()).then_some(CollectionSlot(slot as u32))
    }

    fn mode_of(&self, collection: CollectionSlot, id: &str) -> Option<ModeSlot> {
        let id: u32 = id.strip_prefix('m')?.parse().ok()?;
        let handle = self.collection_handles.get(collection.0 as usize)?;
        let slot = handle.modes.iter().position(|known| *known == id)?;
        let there = &self.collections[handle.at].mode_ids;
        there.contains(&id).then_some(ModeSlot(slot as u32))
    }

    fn whole(&mut self, variable: VariableSlot) -> (Vec<f64>, String) {
        let (mut numbers, mut text) = (Vec::new(), String::new());
        self.pack_slot(variable, &mut numbers, &mut text);
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
        self.marks.begin(&self.name, &self.mark, &mark);
        self.mark = mark;
    }

    fn is_undone(&mut self) -> bool {
        self.marks.is_undone(&self.name, &self.mark)
    }

    fn mark(&mut self) -> String {
        self.mark.clone()
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
                let collections = self.file.read_lists();
                let count = self.file.handles.len() as u32;
                let found = self
                    .file
                    .find_in_libraries(&self.engine.wanted_of_libraries());
                self.engine.read_begin(&collections, count);
                for slot in 0..count {
                    let (mut numbers, mut text) = (Vec::new(), String::new());
                    self.file
                        .pack_slot(VariableSlot(slot), &mut numbers, &mut text);
                    self.engine
                        .read_take(slot, 1, &numbers, &text)
                        .expect("the packing is right");
                }
                self.engine.read_libraries(&found);
                self.engine.read_end();
                if let Some(meanwhile) = self.meanwhile {
                    meanwhile(&mut self.file);
                }
            }
            Step::CountUses(slots) => {
                let uses = self.file.uses(&slots);
                self.engine.uses_counted(self.file.is_vast, &uses);
            }
            Step::ReadSome(slots) => {
                let (mut numbers, mut text) = (Vec::new(), String::new());
                for slot in &slots {
                    self.file.pack_slot(*slot, &mut numbers, &mut text);
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

    /// Takes the batches for the sheet that were told: each one's number, its tab and its cells.
    pub fn batches(&mut self) -> Vec<(u32, SheetRef, Vec<CellWrite>)> {
        let is_batch = |message: &mut ToPanel| matches!(message, ToPanel::Push { .. });
        let told = self.told.extract_if(.., is_batch);
        told.filter_map(|message| match message {
            ToPanel::Push { push, sheet, cells } => Some((push, sheet, cells)),
            _ => None,
        })
        .collect()
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
