//! The variable manager's part of the sandbox: the list of variables, libraries' names, copies of collections.
//!
//! Owns what is said about them and how a copy goes on, ends or is taken back. Must not know Figma's objects, how a list is
//! drawn, or Real-Time Sync.

use crate::{figma, say};
use sheetwire_core::listing::LIBRARY_VARIABLES_MAX;
use sheetwire_core::mapping::VARIABLES_MAX;
use sheetwire_core::protocol::panel::manage::Told;
use sheetwire_core::protocol::panel::{ToPanel, VERSION, json};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How long the program works before Figma gets a turn, in milliseconds. The slice is a little longer.
const SLICE_MS: f64 = 12.0;
/// Most collections of libraries that are named.
const LIBRARIES_MAX: usize = 1_000;

/// Tells the panel the file's variables.
pub async fn list() {
    match figma::list_variables(SLICE_MS, LIBRARY_VARIABLES_MAX).await {
        Ok(listing) => figma::tell_with(VERSION, &json::message(&ToPanel::Variables), &listing),
        Err(_) => say(&ToPanel::Failed {
            message: String::from("Figma did not give the file's variables."),
            fatal: false,
        }),
    }
}

/// Tells the panel which libraries the file has. Without an answer of Figma there are none.
pub async fn libraries() {
    let listed = figma::library_names().await.ok();
    let listed = listed.and_then(|text| text.as_string()).unwrap_or_default();
    let pairs = listed
        .split('\u{1e}')
        .filter_map(|pair| pair.split_once('\u{1f}'));
    let names = pairs
        .take(LIBRARIES_MAX)
        .map(|(key, library)| (String::from(key), String::from(library)))
        .collect();
    tell(Told::Libraries { names });
}

fn tell(told: Told) {
    say(&ToPanel::Manage { told });
}

/// Copies a collection, telling how far it is. `stop` ends it; what was made of the copy is taken back then, and
/// when Figma refuses a variable or a mode.
pub async fn duplicate(collection: &str, name: &str, stop: Rc<Cell<bool>>) {
    let begun = figma::begin_copy(collection, name, VARIABLES_MAX).await;
    let begun = begun.unwrap_or_else(|_| JsValue::from_str("Figma did not give the collection."));
    let variables = match begun.as_f64() {
        Some(-1.0) => return not_copied("The collection was removed.", name),
        Some(-2.0) => return not_copied("Its variables are another collection's.", name),
        Some(-3.0) => return not_copied("It has more variables than Figma allows.", name),
        Some(count) => count as u32,
        None => return not_copied(&begun.as_string().unwrap_or_default(), name),
    };
    let total = 2 * variables;
    let mut done = 0;
    while done < total {
        if stop.get() {
            return tell(Told::NotCopied {
                why: None,
                left: left(name),
            });
        }
        let step = figma::copy_on(SLICE_MS);
        match step.as_f64() {
            Some(count) => done = count as u32,
            None => return not_copied(&step.as_string().unwrap_or_default(), name),
        }
        tell(Told::Copying { done, total });
        figma::turn().await;
    }
    let unset = figma::copy_unset();
    let why = (unset > 0).then(figma::copy_why);
    figma::keep_copy();
    tell(Told::Copied {
        name: String::from(name),
        variables,
        unset,
        why,
    });
}

fn not_copied(why: &str, name: &str) {
    tell(Told::NotCopied {
        why: Some(String::from(why)),
        left: left(name),
    });
}

/// Takes back what was made; the name of what could not be.
fn left(name: &str) -> Option<String> {
    (!figma::drop_copy()).then(|| String::from(name))
}
