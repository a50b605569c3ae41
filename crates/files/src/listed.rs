//! A file's listed variables as those that are written.
//!
//! Owns the choice of collections and modes, and what of a listing can't be said in files. Must not know a format.

use std::collections::BTreeSet;

use sheetwire_core::listing::{Collection as Listed, Given, Listing};
use sheetwire_core::value::{AliasRef, Scope, VariableType};

use crate::{Assigned, Collection, Problems, Variable, Variables, Written};

/// What is left out: a collection's id, and the name of a mode of it or `None` for the whole collection.
pub type LeftOut = BTreeSet<(String, Option<String>)>;

/// The file's own variables without those that are left out, and without libraries' and extended collections. A reference is
/// written as one, whether or not its target is written too.
pub fn variables_of(listing: &Listing, left_out: &LeftOut) -> Written<Variables> {
    let mut problems = Problems::default();
    let own = listing.own_collections();
    let chosen = own.filter(|(_, collection)| {
        !collection.extended && !left_out.contains(&(collection.id.clone(), None))
    });
    let collections = chosen
        .map(|(at, collection)| collection_of(listing, left_out, at, collection, &mut problems))
        .filter(|collection| !collection.modes.is_empty())
        .collect();
    Written {
        file: Variables { collections },
        problems: problems.told,
    }
}

fn collection_of(
    listing: &Listing,
    left_out: &LeftOut,
    at: usize,
    collection: &Listed,
    problems: &mut Problems,
) -> Collection {
    let is_chosen = |mode: &&(usize, &String)| {
        !left_out.contains(&(collection.id.clone(), Some(mode.1.clone())))
    };
    let modes: Vec<(usize, &String)> = collection.modes.iter().enumerate().collect();
    let modes: Vec<(usize, &String)> = modes.iter().filter(is_chosen).copied().collect();
    let variables = listing
        .variables_of(at)
        .filter_map(|(_, variable)| {
            let Some(kind) = variable.variable_type() else {
                problems.tell(
                    variable.name.as_str(),
                    format!("Variables of the type {} can't be written.", variable.kind),
                    "Update the plugin.",
                );
                return None;
            };
            let values = modes.iter().map(|(mode, name)| {
                let given = &variable.values[*mode];
                let assigned = assigned(listing, at, given, kind);
                if assigned.is_none() && *given != Given::Nothing {
                    problems.tell(
                        variable.name.as_str(),
                        format!("What it holds in “{name}” can't be written."),
                        "Give it a plain value or an alias to a variable that is there.",
                    );
                }
                assigned
            });
            let values = values.collect();
            let known = |name: &String| Scope::ALL.into_iter().find(|scope| scope.name() == name);
            let code = variable.code.by_platform();
            Some(Variable {
                name: variable.name.clone(),
                kind,
                values,
                description: variable.description.clone(),
                scopes: Some(variable.scopes.iter().filter_map(known).collect()),
                code: code.map(|(_, text)| (!text.is_empty()).then(|| String::from(text))),
                hidden: Some(variable.hidden),
            })
        })
        .collect();
    Collection {
        name: collection.name.clone(),
        modes: modes.into_iter().map(|(_, name)| name.clone()).collect(),
        variables,
    }
}

fn assigned(listing: &Listing, own: usize, given: &Given, kind: VariableType) -> Option<Assigned> {
    match given {
        Given::Alias(id) => Some(Assigned::Alias(reference(listing, own, id)?)),
        Given::Composed { id, percent } => Some(Assigned::Composed {
            alias: reference(listing, own, id)?,
            opacity: percent / 100.0,
        }),
        Given::Nothing
        | Given::Number(_)
        | Given::Boolean(_)
        | Given::Text(_)
        | Given::Color(_)
        | Given::Curve(_)
        | Given::Other => given.value(kind).map(Assigned::Value),
    }
}

/// A library's variable needs its library's name; without it, none of this file may be meant.
fn reference(listing: &Listing, own: usize, id: &str) -> Option<AliasRef> {
    let target = &listing.variables[listing.place(id)?];
    let collection = listing.collection_of(target);
    if !collection.is_own() && collection.library.is_none() {
        return None;
    }
    Some(AliasRef {
        library: collection.library.clone(),
        collection: (target.collection != own).then(|| collection.name.clone()),
        name: target.name.clone(),
    })
}
