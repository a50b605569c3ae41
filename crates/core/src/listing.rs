//! The file's variables as they are listed for people: everything Figma tells about them, by Figma's ids.
//!
//! Owns the model, its JSON form in which the sandbox hands it over, and finding things in it. Must not know how it is
//! read or drawn. The engine's own model (`document.rs`) is another one: it knows variables by slots and leaves out what
//! a sync does not need.
//!
//! Values stand in the JSON as Figma's plugin API gives them: a number, a text, `{r, g, b, a}`,
//! `{type: "VARIABLE_ALIAS", id}`, `{color, opacity}`, `{easingFunctionCubicBezier: {x1, y1, x2, y2}}`.

pub mod chain;
pub mod duplicate;
mod given;
pub mod problems;
pub mod tree;

pub use given::Given;

use crate::value::VariableType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Most library variables that are looked up for a listing: what this file's aliases lead to.
pub const LIBRARY_VARIABLES_MAX: u32 = 500;

/// Collections and variables of a file, and those of libraries that its aliases lead to.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Listing {
    /// In Figma's order, libraries' last.
    pub collections: Vec<Collection>,
    /// In Figma's order, libraries' last.
    pub variables: Vec<Variable>,
    /// Whether aliases lead to variables that were not looked up: beyond [`LIBRARY_VARIABLES_MAX`], or Figma would not tell.
    #[serde(default)]
    pub partial: bool,
    #[serde(skip)]
    places: BTreeMap<String, usize>,
}

/// A collection.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Collection {
    /// Figma's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its modes, in order.
    pub modes: Vec<String>,
    /// Not published with the library.
    #[serde(default)]
    pub hidden: bool,
    /// It extends another one: its variables are that one's, with values of its own.
    #[serde(default)]
    pub extended: bool,
    /// Of a library: Figma's key of the collection. `None` for one of this file.
    #[serde(default)]
    pub library_key: Option<String>,
    /// The library's name, once it is known.
    #[serde(default)]
    pub library: Option<String>,
}

impl Collection {
    /// Whether the collection is this file's own.
    pub fn is_own(&self) -> bool {
        self.library_key.is_none()
    }
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Variable {
    /// Figma's id.
    pub id: String,
    /// Its name, groups by `/`.
    pub name: String,
    /// Figma's name of the type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Place of its collection.
    pub collection: usize,
    /// One a mode of its collection.
    pub values: Vec<Given>,
    /// The description; empty where there is none.
    #[serde(default)]
    pub description: String,
    /// Figma's names of the scopes.
    #[serde(default = "all_scopes")]
    pub scopes: Vec<String>,
    /// Code syntax by platform.
    #[serde(default)]
    pub code: Code,
    /// Hidden from publishing.
    #[serde(default)]
    pub hidden: bool,
}

impl Variable {
    /// The type; `None` for one that this version does not know.
    pub fn variable_type(&self) -> Option<VariableType> {
        let known = VariableType::ALL.into_iter();
        known.into_iter().find(|kind| kind.name() == self.kind)
    }

    /// The groups in front of the name, and the name's own last part.
    pub fn parts(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }
}

/// What a variable without scopes in the JSON has.
fn all_scopes() -> Vec<String> {
    vec![String::from("ALL_SCOPES")]
}

/// Code syntax; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Code {
    /// For the web.
    #[serde(rename = "WEB")]
    pub web: String,
    /// For Android.
    #[serde(rename = "ANDROID")]
    pub android: String,
    /// For iOS.
    #[serde(rename = "iOS")]
    pub ios: String,
}

impl Code {
    /// Each platform's name as people know it, and what is written for it.
    pub fn by_platform(&self) -> [(&'static str, &str); 3] {
        [
            ("Web", &self.web),
            ("Android", &self.android),
            ("iOS", &self.ios),
        ]
    }
}

/// A listing that is none.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// It is no JSON of this form.
    #[error("the list of variables can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A variable names a collection that is not listed, or has more or fewer values than that has modes.
    #[error("variable {0} of the list does not fit its collection")]
    Unfitting(usize),
}

impl Listing {
    /// Reads what the sandbox handed over.
    ///
    /// # Errors
    /// [`ListingError`] where it is no listing.
    pub fn read(json: &str) -> Result<Listing, ListingError> {
        let mut listing: Listing = serde_json::from_str(json)?;
        let unfitting = listing.variables.iter().position(|variable| {
            listing
                .collections
                .get(variable.collection)
                .is_none_or(|collection| collection.modes.len() != variable.values.len())
        });
        if let Some(at) = unfitting {
            return Err(ListingError::Unfitting(at));
        }
        let ids = listing.variables.iter().enumerate();
        listing.places = ids
            .map(|(at, variable)| (variable.id.clone(), at))
            .collect();
        Ok(listing)
    }

    /// The place of the variable with an id.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The collection of a variable.
    pub fn collection_of(&self, variable: &Variable) -> &Collection {
        &self.collections[variable.collection]
    }

    /// The file's own collections with their places, in order.
    pub fn own_collections(&self) -> impl Iterator<Item = (usize, &Collection)> {
        let all = self.collections.iter().enumerate();
        all.filter(|(_, collection)| collection.is_own())
    }

    /// The variables of a collection with their places, in order.
    pub fn variables_of(&self, collection: usize) -> impl Iterator<Item = (usize, &Variable)> {
        let all = self.variables.iter().enumerate();
        all.filter(move |(_, variable)| variable.collection == collection)
    }

    /// Whether some library's name is not known yet.
    pub fn lacks_libraries(&self) -> bool {
        let mut all = self.collections.iter();
        all.any(|collection| collection.library_key.is_some() && collection.library.is_none())
    }

    /// Names the libraries: pairs of a collection's key and its library's name.
    pub fn name_libraries(&mut self, names: &[(String, String)]) {
        for collection in &mut self.collections {
            let key = collection.library_key.as_ref();
            let found = names.iter().find(|(known, _)| Some(known) == key);
            if let Some((_, library)) = found {
                collection.library = Some(library.clone());
            }
        }
    }

    /// A variable as a reference writes it: `{Collection:group/name}`.
    pub fn reference(&self, place: usize) -> String {
        let variable = &self.variables[place];
        let collection = self.collection_of(variable);
        let named = crate::value::AliasRef {
            library: collection.library.clone(),
            collection: Some(collection.name.clone()),
            name: variable.name.clone(),
        };
        named.to_string()
    }

    /// What a variable says in a mode, for people: `#rrggbb`, `16`, `{Collection:name}`. Empty where it says nothing.
    pub fn said(&self, place: usize, mode: usize) -> String {
        let target = |id: &str| match self.place(id) {
            Some(place) => self.reference(place),
            None => String::from("{missing}"),
        };
        match &self.variables[place].values[mode] {
            Given::Alias(id) => target(id),
            Given::Composed { id, percent } => {
                [&target(id), " / ", &given::number(*percent), "%"].concat()
            }
            given => given.text(self.variables[place].variable_type()),
        }
    }
}
