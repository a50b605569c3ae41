//! Variables as plain data, as files hold them.
//!
//! Owns the model that readers of tokens give and writers take. Must not know a format or Figma's ids: names are what
//! connects things.

use serde::{Deserialize, Serialize};
use sheetwire_core::value::{AliasRef, Scope, Value, VariableType};

/// Collections with their variables, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Variables {
    /// The collections; no two have one name.
    pub collections: Vec<Collection>,
}

/// A collection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// The modes' names, in order; no two are the same.
    pub modes: Vec<String>,
    /// Its variables; no two have one name.
    pub variables: Vec<Variable>,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// The name, groups by `/`.
    pub name: String,
    /// The type.
    pub kind: VariableType,
    /// One for each of the collection's modes; `None` where nothing is said about it.
    pub values: Vec<Option<Assigned>>,
    /// The description; empty where there is none.
    pub description: String,
    /// Where Figma offers it; `None` where nothing is said.
    pub scopes: Option<Vec<Scope>>,
    /// How it is written in code: web, Android, iOS.
    pub code: [Option<String>; 3],
    /// Hidden from publishing; `None` where nothing is said.
    pub hidden: Option<bool>,
}

impl Variable {
    /// A variable of which only name and type are known.
    pub fn new(name: impl Into<String>, kind: VariableType) -> Variable {
        Variable {
            name: name.into(),
            kind,
            values: Vec::new(),
            description: String::new(),
            scopes: None,
            code: [None, None, None],
            hidden: None,
        }
    }
}

/// What a variable says in one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Assigned {
    /// A value.
    Value(Value),
    /// Another variable's value. Without a collection, one of the same collection is meant.
    Alias(AliasRef),
    /// Another variable's colour with an opacity of its own.
    Composed {
        /// The colour.
        alias: AliasRef,
        /// 0 to 1.
        opacity: f64,
    },
}

impl Assigned {
    /// The reference in it.
    pub fn alias(&self) -> Option<&AliasRef> {
        match self {
            Assigned::Value(_) => None,
            Assigned::Alias(alias) | Assigned::Composed { alias, .. } => Some(alias),
        }
    }
}

/// Most references that are followed from one variable to its value.
const CHAIN_MAX: usize = 32;

impl Variables {
    /// The collection called `name`.
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections
            .iter()
            .find(|collection| collection.name == name)
    }

    /// Adds a collection, or its modes and values to the one of the same name: a file for each mode makes one
    /// collection. What two files say about one field, the first says.
    pub fn merge(&mut self, other: Collection) {
        let Some(collection) = self
            .collections
            .iter_mut()
            .find(|collection| collection.name == other.name)
        else {
            self.collections.push(other);
            return;
        };
        let places: Vec<usize> = other
            .modes
            .into_iter()
            .map(|mode| {
                let known = collection.modes.iter().position(|known| *known == mode);
                known.unwrap_or_else(|| {
                    collection.modes.push(mode);
                    collection.modes.len() - 1
                })
            })
            .collect();
        let mut at: std::collections::HashMap<String, usize> = collection
            .variables
            .iter()
            .enumerate()
            .map(|(at, variable)| (variable.name.clone(), at))
            .collect();
        for variable in &mut collection.variables {
            variable.values.resize(collection.modes.len(), None);
        }
        for mut variable in other.variables {
            let values = std::mem::take(&mut variable.values);
            let place = *at.entry(variable.name.clone()).or_insert_with(|| {
                let mut first = variable.clone();
                first.values = vec![None; collection.modes.len()];
                collection.variables.push(first);
                collection.variables.len() - 1
            });
            let known = &mut collection.variables[place];
            if known.kind != variable.kind {
                continue;
            }
            for (mode, value) in places.iter().zip(values) {
                if known.values[*mode].is_none() {
                    known.values[*mode] = value;
                }
            }
            if known.description.is_empty() {
                known.description = variable.description;
            }
            known.scopes = known.scopes.take().or(variable.scopes);
            known.hidden = known.hidden.or(variable.hidden);
            for (known, code) in known.code.iter_mut().zip(variable.code) {
                *known = known.take().or(code);
            }
        }
    }

    /// The value that a variable comes to in a mode, through its references: in the mode of the same name where the
    /// target's collection has one and the variable says something in it, else in the first. `None` where a reference leads nowhere, in a circle, or into a
    /// library.
    pub fn resolve(
        &self,
        collection: &Collection,
        variable: &Variable,
        mode: usize,
    ) -> Option<Value> {
        let mode_name = collection.modes.get(mode)?;
        let (mut collection, mut variable) = (collection, variable);
        let mut opacity = None;
        for _ in 0..CHAIN_MAX {
            let at = collection.modes.iter().position(|name| name == mode_name);
            // A mode without a value of its own has the first one's, as in Figma.
            let said = |at: usize| variable.values.get(at).and_then(Option::as_ref);
            let assigned = at.and_then(said).or_else(|| said(0))?;
            let alias = match assigned {
                Assigned::Value(Value::Color(color)) => {
                    let mut color = *color;
                    color.a *= opacity.unwrap_or(1.0);
                    return Some(Value::Color(color));
                }
                Assigned::Value(value) => return Some(value.clone()),
                Assigned::Alias(alias) => alias,
                Assigned::Composed {
                    alias,
                    opacity: own,
                } => {
                    opacity = Some(opacity.unwrap_or(1.0) * own);
                    alias
                }
            };
            if alias.library.is_some() {
                return None;
            }
            if let Some(name) = &alias.collection {
                collection = self.collection(name)?;
            }
            variable = collection
                .variables
                .iter()
                .find(|variable| variable.name == alias.name)?;
        }
        None
    }
}
