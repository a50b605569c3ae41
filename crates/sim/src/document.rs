//! One Figma file, which one to four panels have open: what stands in it, what people do in it, and what must hold of it.
//!
//! Owns the document's shared part, the undo of what a panel wrote, and what becomes of edits by hand. Must not know
//! sessions, the relay or the network.

use std::collections::{BTreeMap, BTreeSet};

use crate::file::{Collection, File, Variable};
use crate::random::Random;
use crate::{Count, Tally};
use sheetwire_core::document::{Held, base};
use sheetwire_core::protocol::panel::{
    ConflictPolicy, Connection, DriftPolicy, MergePolicy, ToPanel,
};
use sheetwire_core::value::{Rgba, Value, VariableType};

/// Groups of variables that no sheet ever names.
const FOREIGN: &str = "own/";

/// A value that somebody set by hand.
#[derive(Debug, Clone)]
struct HandEdit {
    id: u32,
    mode: usize,
    value: Held,
    /// Whether a panel was told something about the variable since, or its value was agreed on.
    told: bool,
    /// Whether a panel was between reading the variable and writing it.
    raced: bool,
}

/// A variable or a collection before and after one write, as far as undo has to know.
#[derive(Debug, Clone)]
pub enum Change {
    /// The ids of its collection's modes come with each.
    Variable {
        id: u32,
        before: Option<Box<(Variable, Vec<u32>)>>,
        after: Option<Box<(Variable, Vec<u32>)>>,
    },
    Collection {
        at: usize,
        before: Option<Collection>,
        after: Collection,
    },
    /// The mark of the run before.
    Mark(String),
    /// A run was added to the history under this name.
    Run(String),
}

/// The file, and what is remembered about it to check it.
pub struct Document {
    /// The shared part; what belongs to a panel is with the panel.
    pub file: File,
    pub kept: Option<Connection>,
    pub file_id: String,
    pub nonce: String,
    /// The newest grant that something was written under.
    pub last_fence: u64,
    /// The newest grant that a panel was told to be its own.
    pub told_fence: u64,
    /// The newest grant that the relay gave, and the panel that it gave it to.
    pub given: (u64, usize),
    /// The panel that wrote last.
    pub written_by: Option<usize>,
    foreign: BTreeMap<u32, Variable>,
    ours: BTreeSet<u32>,
    by_hand: Vec<HandEdit>,
    names: u64,
}

impl Variable {
    /// The code of the value that was agreed on in a mode, 0 where there was none.
    fn agreed(&self, mode: usize) -> f64 {
        let place = base::mode_place(mode as u32);
        self.base.get(place).copied().unwrap_or_default()
    }
}

/// Whether under a policy an edit by hand may be overwritten without being shown.
fn may_overwrite(policy: MergePolicy) -> bool {
    policy.drift == DriftPolicy::Overwrite || policy.conflict == ConflictPolicy::Sheet
}

impl Document {
    pub fn new(random: &mut Random) -> Document {
        let mut file = File::new();
        if random.chance(500) {
            let at = file.add_collection("base", &["light"]);
            for _ in 0..random.below(4) {
                let name = format!("{FOREIGN}{}", random.below(1_000));
                let id = file.add_variable(at, &name, VariableType::Float);
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
        let mut document = Document {
            file,
            kept: None,
            file_id: String::new(),
            nonce: String::new(),
            last_fence: 0,
            told_fence: 0,
            given: (0, 0),
            written_by: None,
            foreign: BTreeMap::new(),
            ours: BTreeSet::new(),
            by_hand: Vec::new(),
            names: 1_000,
        };
        document.people_did_something();
        document
    }

    /// A copy of the file, as Figma makes it: everything that stands in the file comes along.
    pub fn copied(&self, name: String) -> Document {
        let mut file = self.file.clone();
        file.name = name;
        let mut copy = Document {
            file,
            kept: self.kept.clone(),
            file_id: self.file_id.clone(),
            nonce: self.nonce.clone(),
            last_fence: 0,
            told_fence: 0,
            given: (0, 0),
            written_by: None,
            foreign: BTreeMap::new(),
            ours: BTreeSet::new(),
            by_hand: Vec::new(),
            names: self.names,
        };
        copy.people_did_something();
        copy
    }

    /// Whatever names a variable tells about it.
    pub fn note_told(&mut self, message: &ToPanel) {
        if self.by_hand.iter().all(|edit| edit.told) {
            return;
        }
        let text = format!("{message:?}");
        for edit in &mut self.by_hand {
            edit.told |= match self.file.variables.get(&edit.id) {
                Some(variable) => text.contains(&format!("{:?}", variable.name)),
                None => true,
            };
        }
    }

    /// Everything that differs is decided upon: by a policy that lets the sheet stand, or by going back.
    pub fn excuse_hand_edits(&mut self) {
        for edit in &mut self.by_hand {
            edit.told = true;
        }
    }

    /// Where the sheet came to say the same, nothing of an edit is left to lose.
    pub fn note_agreed(&mut self) {
        for edit in &mut self.by_hand {
            let held = self.file.variables.get(&edit.id);
            let agreed = held.and_then(|held| held.base.get(base::mode_place(edit.mode as u32)));
            edit.told |= agreed == Some(&base::code_of_held(&edit.value));
        }
    }

    /// No panel is between reading and writing: what still stands was not overwritten by chance.
    pub fn note_rest(&mut self) {
        for edit in &mut self.by_hand {
            let held = self.file.variables.get(&edit.id);
            let stands = held.and_then(|held| held.values.get(edit.mode)) == Some(&edit.value);
            edit.raced &= !stands;
        }
    }

    /// No edit by hand may be lost without a word, unless the file's policy is that the sheet stands.
    ///
    /// # Errors
    /// The edit that was.
    pub fn check_hand_edits(&self, tally: &mut Tally) -> Result<(), String> {
        let policy = self.kept.as_ref().map(|kept| kept.policy);
        if policy.is_some_and(may_overwrite) {
            return Ok(());
        }
        for edit in &self.by_hand {
            let Some(variable) = self.file.variables.get(&edit.id) else {
                continue;
            };
            if variable.values.get(edit.mode) == Some(&edit.value) {
                tally.count(Count::HandEditsStand);
            } else if edit.told {
                tally.count(Count::HandEditsTold);
            } else if edit.raced {
                // Between the reading of a variable and its writing a few milliseconds pass; Figma has no way to
                // write only where nobody else did.
                tally.count(Count::HandEditsRaced);
            } else {
                return Err(format!("{edit:?} of {variable:?} was lost without a word"));
            }
        }
        Ok(())
    }

    /// Nothing foreign removed or changed, nothing of ours removed that nobody confirmed.
    ///
    /// # Errors
    /// What was.
    pub fn check(
        &mut self,
        alone: bool,
        may_remove: bool,
        may_exchange: bool,
    ) -> Result<(), String> {
        let variables = &self.file.variables;
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
        // A new type takes a new variable in the place of the old one, at once.
        let made = variables.keys().filter(|id| !self.ours.contains(id));
        let made = made.filter(|id| !self.foreign.contains_key(id)).count();
        let is_exchanged = may_exchange && gone.len() <= made;
        if !gone.is_empty() && !may_remove && !is_exchanged {
            return Err(format!("{gone:?} were removed, and nobody said so"));
        }
        // A run that is undone between a plan and its approval brings a variable back that the plan makes anew.
        if alone && let Some(twice) = self.linked_twice() {
            return Err(format!("two variables stand for {twice:?}"));
        }
        for (id, variable) in variables {
            if !self.ours.contains(id)
                && !self.foreign.contains_key(id)
                && variable.link.is_none()
                && !self.file.unlinked.contains(id)
            {
                return Err(format!("{variable:?} was made without a link"));
            }
        }
        self.note_ours();
        Ok(())
    }

    /// A link that two variables have.
    pub fn linked_twice(&self) -> Option<String> {
        let variables = self.file.variables.values();
        let mut links: Vec<&str> = variables
            .filter_map(|variable| variable.link.as_deref())
            .collect();
        links.sort_unstable();
        let twice = links.windows(2).find(|pair| pair[0] == pair[1]);
        twice.map(|pair| pair[0].to_owned())
    }

    pub fn note_ours(&mut self) {
        self.ours = self.file.variables.keys().copied().collect();
        for id in self.foreign.keys() {
            self.ours.remove(id);
        }
    }

    /// People have changed the file: what they left is what must stay.
    pub fn people_did_something(&mut self) {
        let variables = &self.file.variables;
        self.foreign = variables
            .iter()
            .filter(|(_, variable)| variable.link.is_none() && variable.name.starts_with(FOREIGN))
            .map(|(id, variable)| (*id, variable.clone()))
            .collect();
        self.note_ours();
    }

    /// Takes back what a panel wrote, the last write first. What others changed since stays.
    pub fn undo(&mut self, changes: Vec<Change>) {
        let file = &mut self.file;
        let mut restored = BTreeSet::new();
        for change in changes.into_iter().rev() {
            match change {
                Change::Mark(before) => file.mark = before,
                Change::Run(name) => file.history.retain(|(entry, _)| entry.run != name),
                Change::Variable { id, before, after } => match (before, after) {
                    (None, _) => {
                        file.variables.remove(&id);
                    }
                    (Some(before), after) => {
                        let (before, modes) = *before;
                        let after = after.map(|after| after.0);
                        let places = undo_variable(file, id, before, &modes, after);
                        restored.extend(places.into_iter().map(|place| (id, place)));
                    }
                },
                Change::Collection { at, before, after } => {
                    undo_collection(file, at, before, after)
                }
            }
        }
        // An edit of what the undo set is gone with it, though it had set the same.
        self.by_hand.retain(|edit| {
            let held = self.file.variables.get(&edit.id);
            !restored.contains(&(edit.id, edit.mode))
                && held.and_then(|held| held.values.get(edit.mode)) == Some(&edit.value)
        });
        for edit in &mut self.by_hand {
            edit.told |= self.file.variables[&edit.id].agreed(edit.mode) == 0.0;
        }
        self.people_did_something();
    }

    fn set_by_hand(&mut self, id: u32, random: &mut Random, races: bool) -> bool {
        let Some(variable) = self.file.variables.get_mut(&id) else {
            return false;
        };
        let value = match variable.kind {
            VariableType::Color => Value::Color(Rgba {
                r: random.below(256) as f64 / 255.0,
                g: 0.0,
                b: 1.0,
                a: 1.0,
            }),
            VariableType::Float => Value::Float(random.below(999) as f64),
            VariableType::Boolean => Value::Boolean(random.chance(500)),
            _ => Value::String(String::from("by hand")),
        };
        let Some(mode) = random.place(variable.values.len()) else {
            return false;
        };
        let value = Held::stored(&value);
        if std::mem::replace(&mut variable.values[mode], value.clone()) == value {
            return false;
        }
        // What was agreed anyway is no change; where nothing was agreed the sheet had nothing to say, and its first
        // word stands.
        let agreed = variable.agreed(mode);
        let is_agreed = agreed == 0.0 || agreed == base::code_of_held(&value);
        let policy = self.kept.as_ref().map(|kept| kept.policy);
        self.by_hand
            .retain(|edit| (edit.id, edit.mode) != (id, mode));
        self.by_hand.push(HandEdit {
            id,
            mode,
            value,
            told: is_agreed || policy.is_some_and(may_overwrite),
            raced: races,
        });
        true
    }

    /// The designer or somebody else does something in the file; `races` while a panel works in it. Gives a word for it.
    pub fn edit(&mut self, random: &mut Random, races: bool, tally: &mut Tally) -> String {
        let ids: Vec<u32> = self.file.variables.keys().copied().collect();
        let id = random.place(ids.len()).map(|at| ids[at]);
        let what = match (random.below(96), id) {
            (0..50, Some(id)) => {
                if !self.set_by_hand(id, random, races) {
                    return String::from("a value is set by hand to what it was");
                }
                tally.count(Count::HandEdits);
                format!("a value is set by hand, {:?}", self.by_hand.last())
            }
            (50..62, Some(id)) => {
                self.names += 1;
                let name = format!("hand/{}", self.names);
                if let Some(variable) = self.file.variables.get_mut(&id) {
                    variable.name.clone_from(&name);
                }
                tally.count(Count::HandRenames);
                format!("variable {id} is renamed by hand to {name}")
            }
            (62..72, Some(id)) => {
                self.file.variables.remove(&id);
                tally.count(Count::HandRemovals);
                format!("variable {id} is removed by hand")
            }
            (72..74, _) => {
                self.names += 1;
                let name = format!("ours{}", self.names);
                if let Some(collection) = self.any_collection(random) {
                    collection.name = name;
                }
                String::from("a collection is renamed by hand")
            }
            (74..76, _) => {
                self.names += 1;
                let name = format!("mine{}", self.names);
                let at = random.next();
                if let Some(collection) = self.any_collection(random) {
                    let at = at % collection.modes.len() as u64;
                    collection.modes[at as usize] = name;
                }
                String::from("a mode is renamed by hand")
            }
            _ => {
                if let Some(at) = random.place(self.file.collections.len())
                    && !self.file.collections[at].is_removed()
                {
                    self.names += 1;
                    let name = format!("{FOREIGN}{}", self.names);
                    self.file.add_variable(at, &name, VariableType::Float);
                }
                String::from("a variable is made by hand")
            }
        };
        self.people_did_something();
        what
    }

    fn any_collection(&mut self, random: &mut Random) -> Option<&mut Collection> {
        let at = random.place(self.file.collections.len())?;
        Some(&mut self.file.collections[at]).filter(|collection| !collection.is_removed())
    }
}

/// Whether `value` of the variable `id` would close a circle of aliases. Figma takes none, whoever sets it.
fn closes_circle(file: &File, id: u32, value: &Held) -> bool {
    match value {
        Held::Alias(Some(target)) | Held::Composed(Some(target), _) => file.leads_to(target.0, id),
        _ => false,
    }
}

/// Gives a variable back what one write took: the fields that the write changed, and no others. Gives the places of the
/// modes whose values were set. An alias that would close a circle, since others have set theirs meanwhile, stays away.
fn undo_variable(
    file: &mut File,
    id: u32,
    before: Variable,
    modes: &[u32],
    after: Option<Variable>,
) -> Vec<usize> {
    let mut restored = Vec::new();
    let there = file.collections[before.collection].mode_ids.clone();
    let Some(after) = after else {
        // It was removed, and comes back as it was.
        if there.is_empty() {
            return restored;
        }
        let mut again = before;
        let values = there.iter().map(|mode| {
            let at = modes.iter().position(|known| known == mode);
            at.map_or_else(|| again.values[0].clone(), |at| again.values[at].clone())
        });
        again.values = values
            .map(|value| {
                if closes_circle(file, id, &value) {
                    Held::Missing
                } else {
                    value
                }
            })
            .collect();
        again.base.truncate(base::FIELDS + again.values.len());
        restored.extend(0..again.values.len());
        file.variables.insert(id, again);
        return restored;
    };
    let circles: Vec<bool> = before
        .values
        .iter()
        .map(|value| closes_circle(file, id, value))
        .collect();
    let Some(held) = file.variables.get_mut(&id) else {
        return restored;
    };
    if before.name != after.name {
        held.name.clone_from(&before.name);
    }
    if before.description != after.description {
        held.description.clone_from(&before.description);
    }
    if before.scopes != after.scopes {
        held.scopes = before.scopes;
    }
    if before.code != after.code {
        held.code.clone_from(&before.code);
    }
    if before.hidden != after.hidden {
        held.hidden = before.hidden;
    }
    if before.link != after.link || before.base != after.base {
        held.link.clone_from(&before.link);
        held.base.clone_from(&before.base);
    }
    let values = before.values.iter().zip(&after.values);
    for ((mode, (was, value)), is_circle) in modes.iter().zip(values).zip(circles) {
        if was != value
            && !is_circle
            && let Some(at) = there.iter().position(|known| known == mode)
            && let Some(place) = held.values.get_mut(at)
        {
            place.clone_from(was);
            restored.push(at);
        }
    }
    restored
}

fn undo_collection(file: &mut File, at: usize, before: Option<Collection>, after: Collection) {
    let Some(before) = before else {
        let held = &mut file.collections[at];
        held.name.clear();
        held.modes.clear();
        held.mode_ids.clear();
        held.link.clear();
        file.variables.retain(|_, held| held.collection != at);
        return;
    };
    if after.is_removed() {
        file.collections[at] = before;
        return;
    }
    let made = after.mode_ids.iter().copied();
    let made = made.filter(|id| !before.mode_ids.contains(id));
    for id in made {
        let Some(place) = file.collections[at]
            .mode_ids
            .iter()
            .position(|known| *known == id)
        else {
            continue;
        };
        file.collections[at].modes.remove(place);
        file.collections[at].mode_ids.remove(place);
        for variable in file.variables.values_mut() {
            if variable.collection == at {
                variable.values.remove(place);
                if base::FIELDS + place < variable.base.len() {
                    variable.base.remove(base::FIELDS + place);
                }
            }
        }
    }
    for (id, name) in before.mode_ids.iter().zip(&before.modes) {
        let held = &mut file.collections[at];
        let place = held.mode_ids.iter().position(|known| known == id);
        let was = after.mode_ids.iter().position(|known| known == id);
        match (place, was) {
            (Some(place), Some(was)) if after.modes[was] != *name => {
                held.modes[place].clone_from(name);
            }
            (None, None) => {
                held.mode_ids.push(*id);
                held.modes.push(name.clone());
                for variable in file.variables.values_mut() {
                    if variable.collection == at {
                        let first = variable.values.first().cloned().unwrap_or(Held::Missing);
                        variable.values.push(first);
                    }
                }
            }
            (_, _) => {}
        }
    }
    let held = &mut file.collections[at];
    if before.name != after.name {
        held.name = before.name;
    }
    if before.link != after.link {
        held.link = before.link;
    }
}
