//! What a copy of a collection would be, before the first write.
//!
//! Owns the copy's name, what is counted and checked, and what is said about it. Must not know how a copy is written:
//! the sandbox writes it, and Figma has the last word.

use super::{Collection, Listing};
use crate::decimal;
use crate::engine::plans;
use crate::mapping::VARIABLES_MAX;
use crate::owned;
use crate::protocol::panel::Problem;

/// What so many modes need of Figma's plan. `None` where every plan allows them. A plugin can't ask which plan a file is
/// on, and a file keeps its modes when it moves to a lower one: so this is told, and Figma may still refuse.
pub fn need(modes: usize) -> Option<String> {
    (modes > 1).then(|| plans(modes - 1, modes))
}

/// What a copy would hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copy {
    /// How many modes.
    pub modes: usize,
    /// How many variables.
    pub variables: usize,
    /// Aliases that will point inside the copy.
    pub inside: usize,
    /// Aliases that will point where they point now.
    pub outside: usize,
}

fn problem(collection: &Collection, message: &str, remedy: &str) -> Problem {
    Problem {
        address: collection.name.clone(),
        message: owned(message),
        remedy: owned(remedy),
    }
}

impl Listing {
    /// A name that no collection has: `Theme copy`, `Theme copy 2`.
    pub fn copy_name(&self, collection: usize) -> String {
        let first = [&self.collections[collection].name, " copy"].concat();
        let taken = |name: &str| self.own_collections().any(|(_, known)| known.name == name);
        let mut name = first.clone();
        let mut count = 1;
        while taken(&name) {
            count += 1;
            name = [&first, " ", &decimal::whole(count)].concat();
        }
        name
    }

    /// Checks a copy of a collection under a name.
    ///
    /// # Errors
    /// Why there can be none, with a remedy.
    pub fn copy(&self, at: usize, name: &str) -> Result<Copy, Problem> {
        let collection = &self.collections[at];
        let refuse = |message: &str, remedy: &str| Err(problem(collection, message, remedy));
        if collection.extended {
            return refuse(
                "This collection extends another one: its variables are that one's.",
                "Duplicate the collection that it extends.",
            );
        }
        if !collection.is_own() {
            return refuse(
                "This collection is a library's.",
                "Duplicate it in the library's file.",
            );
        }
        if name.trim().is_empty() {
            return refuse("The copy needs a name.", "Write one.");
        }
        if self.own_collections().any(|(_, known)| known.name == name) {
            return refuse(
                "Another collection has this name.",
                "Write another one: references and sheets tell collections by name.",
            );
        }
        let mut copy = Copy {
            modes: collection.modes.len(),
            ..Copy::default()
        };
        for (_, variable) in self.variables_of(at) {
            copy.variables += 1;
            for id in variable.values.iter().filter_map(super::Given::target) {
                let target = self.place(id).map(|place| self.variables[place].collection);
                if target == Some(at) {
                    copy.inside += 1;
                } else {
                    copy.outside += 1;
                }
            }
        }
        if copy.variables > VARIABLES_MAX as usize {
            return refuse(
                "A collection may have 5,000 variables, and this one has more.",
                "Remove some of them first.",
            );
        }
        Ok(copy)
    }
}
