//! The document model: the collections, modes and variables of a Figma file, as plain data.
//!
//! Owns the model, the packed form in which a shell hands it over, and equality of values as Figma stores them.
//! Must not know how a document is read or written. Everything is named by slots, small numbers that the shell
//! keeps its own handles under, so that no id crosses between the program and the host for a write.
//!
//! # Packing
//! Reading five thousand variables one property at a time costs more than everything else, so a shell packs many
//! into one list of numbers and one text. Numbers of a variable: collection slot, type code, scopes as bits, hidden
//! (0 or 1), link code, the length of its base and the base ([`base`]), then for each mode of its collection a tag and
//! its payload:
//!
//! | tag | payload | | tag | payload |
//! | --- | --- | --- | --- | --- |
//! | 0 | – (no value) | | 5 | variable slot, opacity in percent (composed) |
//! | 1 | r, g, b, a | | 6 | – (the next text) |
//! | 2 | number | | 7 | x1, y1, x2, y2 (easing) |
//! | 3 | 0 or 1 | | 8 | number (timing) |
//! | 4 | variable slot (alias) | | 9 | – (something else) |
//!
//! A variable slot of -1 is a variable of another file. A collection slot of -1 stands alone, with an empty text: Figma
//! no longer has the variable. Texts of a variable, separated by U+001F and ended by U+001E: name,
//! description, code syntax for web, Android and iOS, link key, then its text values in the order of modes.
//! A collection's text, the same way: its name, its link (empty for none, `-` for one of another sheet, else `n` and the
//! collection's name in the sheet), then each mode's name and what the link says is its name in the sheet. Before the
//! name of an extended collection stands U+001C. Control characters U+001C to U+001F never
//! stand in a packed text; the shell replaces them by a space.

pub mod base;
pub mod index;

use crate::document::base::Base;
use crate::document::index::{Index, hash};
use crate::value::{AliasRef, Scope, Value, VariableType};

/// Ends a packed record.
pub const RECORD_END: char = '\u{1e}';
/// Separates the texts of a packed record.
pub const TEXT_SEPARATOR: char = '\u{1f}';
/// Before the name of an extended collection in a packed record.
const EXTENDED: char = '\u{1c}';
/// Stands between collection and name in a link's key.
pub const KEY_SEPARATOR: char = '\n';

/// A collection, by the number the shell keeps its handle under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionSlot(pub u32);

/// A variable, by the number the shell keeps its handle under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableSlot(pub u32);

/// A mode, by its place in its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModeSlot(pub u32);

/// A platform of Figma's code syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// `WEB`
    Web,
    /// `ANDROID`
    Android,
    /// `iOS`
    Ios,
}

impl Platform {
    /// All, in the order of packing.
    pub const ALL: [Platform; 3] = [Platform::Web, Platform::Android, Platform::Ios];
}

/// A set of scopes: bit n is [`Scope::ALL`]`[n]`; bit 31 stands for any scope this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(pub u32);

impl Scopes {
    /// What a new variable has.
    pub const ALL: Scopes = Scopes(1);

    /// The set of a list.
    pub fn of(scopes: &[Scope]) -> Scopes {
        Scopes(
            scopes
                .iter()
                .fold(0, |bits, scope| bits | 1 << (*scope as u32)),
        )
    }

    /// Those that a variable of a type can have; all where none of them can.
    pub fn fitting(self, kind: VariableType) -> Scopes {
        let scopes = Scope::ALL.into_iter().filter(|scope| scope.fits(kind));
        let fitting = scopes.fold(0, |bits, scope| bits | 1 << (scope as u32)) & self.0;
        if fitting == 0 {
            Scopes::ALL
        } else {
            Scopes(fitting)
        }
    }

    /// The names, comma-separated.
    pub fn names(self) -> String {
        let names: Vec<&str> = Scope::ALL
            .iter()
            .filter(|scope| self.0 & (1 << (**scope as u32)) != 0)
            .map(|scope| scope.name())
            .collect();
        names.join(", ")
    }
}

/// A value as Figma holds it: numbers are 32-bit floats there.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// The mode has no value (it was just added, or the id is a ghost).
    Missing,
    /// Red, green, blue, alpha; each 0 to 1.
    Color([f32; 4]),
    /// A number.
    Float(f32),
    /// TRUE or FALSE.
    Boolean(bool),
    /// A text.
    Text(Box<str>),
    /// An alias; `None` when the target is in another file.
    Alias(Option<VariableSlot>),
    /// An alias of a colour with an opacity of its own, 0 to 100 (Figma's typings: "a separate opacity percentage").
    Composed(Option<VariableSlot>, f32),
    /// The control points of a cubic Bézier curve.
    Easing([f32; 4]),
    /// Milliseconds.
    Timing(f32),
    /// Something this version does not know.
    Other,
}

impl Held {
    /// Whether Figma, told to store `value`, would hold just this.
    pub fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Held::Color(held), Value::Color(want)) => {
                held[0] == want.r as f32
                    && held[1] == want.g as f32
                    && held[2] == want.b as f32
                    && held[3] == want.a as f32
            }
            (Held::Float(held), Value::Float(want)) | (Held::Timing(held), Value::Timing(want)) => {
                *held == *want as f32
            }
            (Held::Boolean(held), Value::Boolean(want)) => held == want,
            (Held::Text(held), Value::String(want)) => **held == **want,
            (Held::Easing(held), Value::Easing(want)) => held
                .iter()
                .zip(want)
                .all(|(held, want)| *held == *want as f32),
            _ => false,
        }
    }

    /// The variable of this file that an alias or a composed colour points at.
    pub fn target(&self) -> Option<VariableSlot> {
        match self {
            Held::Alias(target) | Held::Composed(target, _) => *target,
            Held::Missing
            | Held::Color(_)
            | Held::Float(_)
            | Held::Boolean(_)
            | Held::Text(_)
            | Held::Easing(_)
            | Held::Timing(_)
            | Held::Other => None,
        }
    }

    /// What Figma holds after storing `value`.
    pub fn stored(value: &Value) -> Held {
        match value {
            Value::Color(color) => Held::Color([
                color.r as f32,
                color.g as f32,
                color.b as f32,
                color.a as f32,
            ]),
            Value::Float(number) => Held::Float(*number as f32),
            Value::String(text) => Held::Text(text.as_str().into()),
            Value::Boolean(value) => Held::Boolean(*value),
            Value::Easing(points) => Held::Easing(points.map(|point| point as f32)),
            Value::Timing(number) => Held::Timing(*number as f32),
        }
    }
}

/// What the variable's own plugin data says about where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Not made by Sheetwire.
    None,
    /// Made for a row of this sheet with the collection and name the variable has now.
    Own,
    /// Made for a row of this sheet with another key: `n` collection, line feed, name; or `i` row id.
    OwnKey(Box<str>),
    /// Not made by Sheetwire, but the variable of a row with that key, as in `OwnKey`.
    Used(Box<str>),
    /// Made for another sheet.
    Other,
}

impl Link {
    /// Whether Sheetwire made the variable for the connected sheet.
    pub fn is_own(&self) -> bool {
        match self {
            Link::Own | Link::OwnKey(_) => true,
            Link::None | Link::Used(_) | Link::Other => false,
        }
    }

    /// The key, where it is not the variable's present collection and name.
    pub fn key(&self) -> Option<&str> {
        match self {
            Link::OwnKey(key) | Link::Used(key) => Some(key),
            Link::None | Link::Own | Link::Other => None,
        }
    }
}

/// What a collection's own plugin data says about the sheet's collection that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectionLink {
    /// It stands for none.
    None,
    /// It stands for one of the connected sheet, of this name when both last agreed.
    Name(String),
    /// It stands for one of another sheet.
    Other,
}

/// A mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mode {
    /// Its name.
    pub name: String,
    /// Its name in the sheet when both last agreed; empty while its collection's link tells none.
    pub link: String,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub link: CollectionLink,
    /// Its modes, in order.
    pub modes: Vec<Mode>,
    /// How many variables it holds.
    pub variables: u32,
    /// Whether it extends another one: its variables are that one's, with values of its own.
    pub extended: bool,
}

/// A variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its collection.
    pub collection: CollectionSlot,
    /// Its name, groups by `/`.
    pub name: String,
    /// Its type, which never changes.
    pub kind: VariableType,
    /// One a mode of its collection.
    pub values: Vec<Held>,
    /// Its description.
    pub description: String,
    /// Where it may be used.
    pub scopes: Scopes,
    /// Code syntax in the order of [`Platform::ALL`]; empty when there is none.
    pub code: [String; 3],
    /// Hidden from publishing.
    pub hidden: bool,
    /// Where it came from.
    pub link: Link,
    /// What it and its row last agreed on.
    pub base: Base,
}

/// A variable of a library: aliases may point at it, and that is all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The library's name.
    pub library: String,
    /// The collection's name there.
    pub collection: String,
    /// Its name, groups by `/`.
    pub name: String,
    /// Its type; `None` when this version knows none such.
    pub kind: Option<VariableType>,
}

/// What Figma holds, as last read.
#[derive(Debug, Clone, Default)]
pub struct Document {
    collections: Vec<Collection>,
    variables: Vec<Option<Variable>>,
    /// The library variables, from slot `foreign_from` on.
    foreign: Vec<Foreign>,
    foreign_from: u32,
    names: Index,
    links: Index,
}

/// A packed document that does not keep to the packing: the shell and this program are of two minds.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the packed document breaks off or holds an unknown code at variable {at}")]
pub struct PackError {
    /// How many variables were taken before it.
    pub at: u32,
}

/// The type of a code in the packing: its place in [`VariableType::ALL`].
pub fn type_of_code(code: u32) -> Option<VariableType> {
    VariableType::ALL.get(code as usize).copied()
}

struct Numbers<'a> {
    all: &'a [f64],
    at: usize,
}

impl<'a> Numbers<'a> {
    /// A length and as many numbers.
    fn list(&mut self) -> Option<&'a [f64]> {
        let length = self.whole()? as usize;
        let list = self.all.get(self.at..self.at + length)?;
        self.at += length;
        Some(list)
    }

    /// Whether the next variable is one that Figma no longer has; steps over it.
    fn is_gone(&mut self) -> bool {
        let gone = self.all.get(self.at).is_some_and(|number| *number < 0.0);
        self.at += usize::from(gone);
        gone
    }

    fn next(&mut self) -> Option<f64> {
        let number = self.all.get(self.at).copied();
        self.at += 1;
        number
    }

    fn whole(&mut self) -> Option<u32> {
        self.next().map(|number| number as u32)
    }

    fn slot(&mut self) -> Option<Option<VariableSlot>> {
        self.next()
            .map(|number| (number >= 0.0).then_some(VariableSlot(number as u32)))
    }

    fn four(&mut self) -> Option<[f32; 4]> {
        Some([
            self.next()? as f32,
            self.next()? as f32,
            self.next()? as f32,
            self.next()? as f32,
        ])
    }
}

impl Document {
    /// Begins a new reading: `collections` as packed text, and room for `variables`. All slots start anew.
    pub fn begin(&mut self, collections: &str, variables: u32) {
        self.collections.clear();
        self.variables.clear();
        self.foreign.clear();
        self.names.reset(variables as usize);
        self.links.reset(0);
        for record in collections.split_terminator(RECORD_END) {
            let mut texts = record.split(TEXT_SEPARATOR);
            let name = texts.next().unwrap_or_default();
            let bare = name.strip_prefix(EXTENDED);
            let link = match texts.next().unwrap_or_default() {
                "" => CollectionLink::None,
                link => match link.strip_prefix('n') {
                    Some(name) => CollectionLink::Name(name.to_owned()),
                    None => CollectionLink::Other,
                },
            };
            let mut modes = Vec::new();
            while let Some(name) = texts.next() {
                modes.push(Mode {
                    name: name.to_owned(),
                    link: texts.next().unwrap_or_default().to_owned(),
                });
            }
            self.collections.push(Collection {
                extended: bare.is_some(),
                name: bare.unwrap_or(name).to_owned(),
                link,
                modes,
                variables: 0,
            });
        }
    }

    /// Takes packed variables: the `slots` in order, each new or read again.
    ///
    /// # Errors
    /// [`PackError`] when numbers or texts end early or hold an unknown code; what came before is taken.
    pub fn take(
        &mut self,
        slots: impl IntoIterator<Item = VariableSlot>,
        numbers: &[f64],
        text: &str,
    ) -> Result<(), PackError> {
        let mut numbers = Numbers {
            all: numbers,
            at: 0,
        };
        let mut records = text.split(RECORD_END);
        for (at, slot) in slots.into_iter().enumerate() {
            let record = records.next().unwrap_or_default();
            if numbers.is_gone() {
                self.put(slot, None);
                continue;
            }
            let variable = self
                .unpack(&mut numbers, record)
                .ok_or(PackError { at: at as u32 })?;
            self.put(slot, Some(variable));
        }
        Ok(())
    }

    fn unpack(&self, numbers: &mut Numbers<'_>, record: &str) -> Option<Variable> {
        let collection = CollectionSlot(numbers.whole()?);
        let kind = type_of_code(numbers.whole()?)?;
        let scopes = Scopes(numbers.whole()?);
        let hidden = numbers.next()? != 0.0;
        let link_code = numbers.whole()?;
        let base = numbers.list()?;
        let mut texts = record.split(TEXT_SEPARATOR);
        let name = texts.next()?.to_owned();
        let description = texts.next()?.to_owned();
        let code = [
            texts.next()?.to_owned(),
            texts.next()?.to_owned(),
            texts.next()?.to_owned(),
        ];
        let key = texts.next()?;
        let link = match link_code {
            0 => Link::None,
            1 => Link::Own,
            2 => Link::OwnKey(key.into()),
            3 => Link::Other,
            4 => Link::Used(key.into()),
            _ => return None,
        };
        let modes = self.collections.get(collection.0 as usize)?.modes.len();
        let mut values = Vec::with_capacity(modes);
        for _ in 0..modes {
            values.push(match numbers.whole()? {
                0 => Held::Missing,
                1 => Held::Color(numbers.four()?),
                2 => Held::Float(numbers.next()? as f32),
                3 => Held::Boolean(numbers.next()? != 0.0),
                4 => Held::Alias(numbers.slot()?),
                5 => Held::Composed(numbers.slot()?, numbers.next()? as f32),
                6 => Held::Text(texts.next()?.into()),
                7 => Held::Easing(numbers.four()?),
                8 => Held::Timing(numbers.next()? as f32),
                9 => Held::Other,
                _ => return None,
            });
        }
        Some(Variable {
            collection,
            name,
            kind,
            values,
            description,
            scopes,
            code,
            hidden,
            link,
            base: Base::read(base),
        })
    }

    /// Puts a variable into a slot, or notes that it is gone.
    pub fn put(&mut self, slot: VariableSlot, variable: Option<Variable>) {
        let at = slot.0 as usize;
        if self.variables.len() <= at {
            self.variables.resize_with(at + 1, || None);
        }
        if let Some(before) = &self.variables[at]
            && let Some(collection) = self.collections.get_mut(before.collection.0 as usize)
        {
            collection.variables = collection.variables.saturating_sub(1);
        }
        match &variable {
            Some(after) => {
                let name_hash = hash(&after.name);
                if self.names.hash_of(slot.0) != Some(name_hash) {
                    self.names.insert(slot.0, name_hash);
                }
                match after.link.key() {
                    Some(key) => self.links.insert(slot.0, hash(key)),
                    None => self.links.remove(slot.0),
                }
                if let Some(collection) = self.collections.get_mut(after.collection.0 as usize) {
                    collection.variables += 1;
                }
            }
            None => {
                self.names.remove(slot.0);
                self.links.remove(slot.0);
            }
        }
        self.variables[at] = variable;
    }

    /// Changes a variable that is there, keeping the indexes right.
    pub fn change(&mut self, slot: VariableSlot, change: impl FnOnce(&mut Variable)) {
        if let Some(mut variable) = self
            .variables
            .get_mut(slot.0 as usize)
            .and_then(Option::take)
        {
            if let Some(collection) = self.collections.get_mut(variable.collection.0 as usize) {
                collection.variables = collection.variables.saturating_sub(1);
            }
            change(&mut variable);
            self.put(slot, Some(variable));
        }
    }

    /// Sets one value of a variable that is there.
    pub fn set_value(&mut self, slot: VariableSlot, mode: ModeSlot, value: Held) {
        if let Some(Some(variable)) = self.variables.get_mut(slot.0 as usize) {
            let at = mode.0 as usize;
            if variable.values.len() <= at {
                variable.values.resize(at + 1, Held::Missing);
            }
            variable.values[at] = value;
        }
    }

    /// Notes that sheet and Figma agree at a place of a variable's base.
    pub fn agree(&mut self, slot: VariableSlot, place: usize, code: f64) {
        if let Some(Some(variable)) = self.variables.get_mut(slot.0 as usize) {
            variable.base.agree(place, code);
        }
    }

    /// Notes that sheet and Figma agree on what the variable holds now at a place.
    pub fn agree_on_held(&mut self, slot: VariableSlot, place: usize) {
        let Some(Some(held)) = self.variables.get_mut(slot.0 as usize) else {
            return;
        };
        let code = match place {
            0 => base::code_of_text(&held.name),
            1 => base::code_of_text(&held.description),
            2 => base::code_of_bits(held.scopes.0),
            3..=5 => base::code_of_text(&held.code[place - 3]),
            6 => base::code_of_bits(u32::from(held.hidden)),
            mode => held
                .values
                .get(mode - base::FIELDS)
                .map_or(0.0, base::code_of_held),
        };
        held.base.agree(place, code);
    }

    /// The slot that the next new variable gets.
    pub fn next_variable(&self) -> VariableSlot {
        VariableSlot(self.variables.len() as u32)
    }

    /// The slot that the next new collection gets.
    pub fn next_collection(&self) -> CollectionSlot {
        CollectionSlot(self.collections.len() as u32)
    }

    /// Adds a collection as it is born: with one mode.
    pub fn add_collection(&mut self, name: &str) -> CollectionSlot {
        let slot = self.next_collection();
        self.collections.push(Collection {
            name: name.to_owned(),
            link: CollectionLink::None,
            modes: vec![Mode::default()],
            variables: 0,
            extended: false,
        });
        slot
    }

    /// A collection, to be changed.
    pub fn collection_mut(&mut self, slot: CollectionSlot) -> Option<&mut Collection> {
        self.collections.get_mut(slot.0 as usize)
    }

    /// All collections; the place is the slot.
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// The first collection that a test holds for; one that extends another only where there is no other.
    pub fn find_collection(&self, test: impl Fn(&Collection) -> bool) -> Option<CollectionSlot> {
        let of = |extended: bool| {
            self.collections
                .iter()
                .position(|collection| collection.extended == extended && test(collection))
        };
        of(false)
            .or_else(|| of(true))
            .map(|at| CollectionSlot(at as u32))
    }

    /// Notes that a variable's link and base are kept with it as they stand here.
    pub fn save(&mut self, slot: VariableSlot, link: Link) {
        let Some(Some(variable)) = self.variables.get_mut(slot.0 as usize) else {
            return;
        };
        variable.base.unsaved = false;
        if variable.link == link {
            return;
        }
        match link.key() {
            Some(key) => self.links.insert(slot.0, hash(key)),
            None => self.links.remove(slot.0),
        }
        variable.link = link;
    }

    /// Notes that what is kept with a variable is not up to date.
    pub fn unsave(&mut self, slot: VariableSlot) {
        if let Some(Some(variable)) = self.variables.get_mut(slot.0 as usize) {
            variable.base.unsaved = true;
        }
    }

    /// A collection.
    pub fn collection(&self, slot: CollectionSlot) -> Option<&Collection> {
        self.collections.get(slot.0 as usize)
    }

    /// A variable, unless it is gone.
    pub fn variable(&self, slot: VariableSlot) -> Option<&Variable> {
        self.variables.get(slot.0 as usize).and_then(Option::as_ref)
    }

    /// Adds a library's variable, after all that the file holds and the libraries' before it.
    pub fn add_foreign(&mut self, foreign: Foreign) {
        if self.foreign.is_empty() {
            self.foreign_from = self.slots();
        }
        self.foreign.push(foreign);
        self.variables.push(None);
    }

    /// A library's variable.
    pub fn foreign(&self, slot: VariableSlot) -> Option<&Foreign> {
        let at = slot.0.checked_sub(self.foreign_from)?;
        self.foreign.get(at as usize)
    }

    /// The library's variable that a reference means.
    pub fn foreign_named(&self, alias: &AliasRef) -> Option<VariableSlot> {
        let found = self.foreign.iter().position(|foreign| {
            alias.library.as_deref() == Some(&foreign.library)
                && alias.collection.as_deref() == Some(&foreign.collection)
                && alias.name == foreign.name
        });
        found.map(|at| VariableSlot(self.foreign_from + at as u32))
    }

    /// The type of a variable, of the file or a library.
    pub fn kind_of(&self, slot: VariableSlot) -> Option<VariableType> {
        match self.variable(slot) {
            Some(variable) => Some(variable.kind),
            None => self.foreign(slot)?.kind,
        }
    }

    /// How many slots there are, gone ones included.
    pub fn slots(&self) -> u32 {
        self.variables.len() as u32
    }

    /// Variables of that name, in any collection.
    pub fn named<'a>(
        &'a self,
        name: &'a str,
        name_hash: u32,
    ) -> impl Iterator<Item = (VariableSlot, &'a Variable)> + 'a {
        self.names.under(name_hash).filter_map(move |at| {
            let slot = VariableSlot(at);
            self.variable(slot)
                .filter(|variable| variable.name == name)
                .map(|variable| (slot, variable))
        })
    }

    /// The variable whose link holds that key, where the key is not its present collection and name.
    pub fn linked(&self, key: &str) -> Option<VariableSlot> {
        self.links.under(hash(key)).map(VariableSlot).find(|slot| {
            self.variable(*slot)
                .is_some_and(|variable| variable.link.key() == Some(key))
        })
    }
}
