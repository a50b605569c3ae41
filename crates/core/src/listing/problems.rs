//! What is wrong about a file's variables, by Figma's own rules.
//!
//! Owns the rules and what is said about each. Must not know how a variable got to be as it is: files are merged, pasted
//! into and written by plugins, and Figma checks less there than in its own panel.
//!
//! Sources: names, limits and code syntax from Figma's documentation of variables and its REST API; scopes by type from
//! its plugin typings.

use super::chain::End;
use super::{Collection, Given, Listing, Variable};
use crate::decimal;
use crate::mapping::{MODE_NAME_MAX, MODES_MAX, VARIABLES_MAX};
use crate::owned;
use crate::value::{Scope, VariableType};
use std::collections::BTreeMap;

/// Most problems that are listed; more are counted.
pub const PROBLEMS_MAX: usize = 1_000;
/// What Figma refuses in a variable's name.
const REFUSED: [char; 3] = ['.', '{', '}'];

/// What has a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A collection, by its place in the listing.
    Collection(usize),
    /// A variable, by its place in the listing.
    Variable(usize),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What it is about.
    pub place: Place,
    /// The name of that.
    pub name: String,
    /// What is wrong, one sentence.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

/// All that is wrong with a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// At most [`PROBLEMS_MAX`], in the order of collections and variables.
    pub listed: Vec<Wrong>,
    /// All of them.
    pub total: usize,
}

impl Problems {
    fn tell(&mut self, place: Place, name: &str, message: &[&str], remedy: &str) {
        self.total += 1;
        if self.listed.len() < PROBLEMS_MAX {
            self.listed.push(Wrong {
                place,
                name: owned(name),
                message: message.concat(),
                remedy: owned(remedy),
            });
        }
    }

    /// What is wrong with one variable or collection.
    pub fn of(&self, place: Place) -> impl Iterator<Item = &Wrong> {
        self.listed.iter().filter(move |wrong| wrong.place == place)
    }
}

/// Where a text occurs first, so that the second can be told of it.
type First<'a> = BTreeMap<&'a str, usize>;

impl Listing {
    /// Everything in the file's own collections that is against Figma's rules.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        let mut titles = First::new();
        let mut code: [First<'_>; 3] = Default::default();
        for (at, collection) in self.own_collections() {
            let place = Place::Collection(at);
            if titles.insert(&collection.name, at).is_some() {
                problems.tell(
                    place,
                    &collection.name,
                    &["Another collection has this name."],
                    "Rename one of them: references and sheets tell collections by name.",
                );
            }
            self.check_collection(at, collection, &mut problems);
            let mut names = First::new();
            for (place, variable) in self.variables_of(at) {
                let mut about = About {
                    place: Place::Variable(place),
                    variable,
                    problems: &mut problems,
                };
                if names.insert(&variable.name, place).is_some() {
                    about.tell(
                        &["Another variable of this collection has this name."],
                        "Rename one of them, or remove it.",
                    );
                }
                about.check_name();
                about.check_scopes();
                about.check_code();
                for (known, (platform, text)) in code.iter_mut().zip(variable.code.by_platform()) {
                    if text.is_empty() {
                        continue;
                    }
                    if let Some(first) = known.get(text) {
                        let other = self.reference(*first);
                        about.tell(
                            &[
                                platform,
                                " code syntax ",
                                text,
                                " is also that of ",
                                &other,
                                ".",
                            ],
                            "Give each variable a code syntax of its own.",
                        );
                    } else {
                        known.insert(text, place);
                    }
                }
                self.check_values(place, &mut about);
            }
        }
        problems
    }

    fn check_collection(&self, at: usize, collection: &Collection, problems: &mut Problems) {
        let mut tell = |message: &[&str], remedy: &str| {
            problems.tell(Place::Collection(at), &collection.name, message, remedy);
        };
        if collection.name.trim().is_empty() {
            tell(&["This collection has no name."], "Name it.");
        }
        let count = self.variables_of(at).count();
        if count == 0 {
            tell(
                &["This collection is empty."],
                "Add variables, or remove the collection.",
            );
        }
        if count > VARIABLES_MAX as usize {
            let count = decimal::write(count as f64);
            tell(
                &[
                    "This collection has ",
                    &count,
                    " variables; Figma allows 5,000.",
                ],
                "Move some of them into another collection.",
            );
        }
        if collection.modes.len() > MODES_MAX {
            let count = decimal::write(collection.modes.len() as f64);
            tell(
                &["This collection has ", &count, " modes; Figma allows 40."],
                "Remove some of them.",
            );
        }
        let mut names = First::new();
        for mode in &collection.modes {
            if names.insert(mode, at).is_some() {
                tell(
                    &["Two modes are called “", mode, "”."],
                    "Rename one of them.",
                );
            }
            if mode.trim().is_empty() {
                tell(&["A mode has no name."], "Name it.");
            }
            let length = mode.chars().count();
            if length > MODE_NAME_MAX {
                let length = decimal::write(length as f64);
                tell(
                    &[
                        "The mode “",
                        mode,
                        "” has ",
                        &length,
                        " characters; Figma allows 40.",
                    ],
                    "Shorten its name.",
                );
            }
        }
    }

    fn check_values(&self, place: usize, about: &mut About<'_>) {
        let variable = about.variable;
        let modes = &self.collection_of(variable).modes;
        let kind = variable.variable_type();
        let only_opacity = !variable.scopes.is_empty()
            && variable
                .scopes
                .iter()
                .all(|scope| scope == Scope::Opacity.name() || scope == Scope::ColorOpacity.name());
        let mut circle = false;
        for (at, (mode, given)) in modes.iter().zip(&variable.values).enumerate() {
            let inside = [" in “", mode, "”."].concat();
            match given {
                Given::Nothing => about.tell(
                    &["It has no value", &inside],
                    "Give it one, or an alias to another variable.",
                ),
                Given::Other => {}
                Given::Alias(id) | Given::Composed { id, .. } => {
                    let target = self.place(id).map(|place| &self.variables[place]);
                    match target {
                        None if self.partial => {}
                        None => about.tell(
                            &["It refers to a variable that is not there", &inside],
                            "Choose another variable, or enable the library that it came from.",
                        ),
                        Some(target) if target.kind != variable.kind => about.tell(
                            &[
                                "It is a ",
                                &variable.kind,
                                " and refers to a ",
                                &target.kind,
                                &inside,
                            ],
                            "Choose a variable of its own type.",
                        ),
                        Some(_) => {
                            let chain = self.follow(place, at);
                            let back = chain.steps.last().and_then(|last| {
                                let held = &self.variables[last.variable].values[last.mode];
                                held.target()
                            });
                            if !circle && chain.end == End::Circle && back == Some(&variable.id) {
                                circle = true;
                                let way: Vec<String> = chain
                                    .steps
                                    .iter()
                                    .map(|step| self.variables[step.variable].name.clone())
                                    .collect();
                                about.tell(
                                    &[
                                        "Its aliases go in a circle: ",
                                        &way.join(" → "),
                                        " → ",
                                        &variable.name,
                                        ".",
                                    ],
                                    "Give one of them a value.",
                                );
                            }
                        }
                    }
                }
                Given::Number(number) if kind == Some(VariableType::Float) => {
                    if only_opacity && !(0.0..=100.0).contains(number) {
                        about.tell(
                            &["It is an opacity outside 0 to 100", &inside],
                            "Write a percentage.",
                        );
                    }
                }
                Given::Number(_)
                | Given::Boolean(_)
                | Given::Text(_)
                | Given::Color(_)
                | Given::Curve(_) => {
                    if kind.is_some_and(|kind| given.value(kind).is_none()) {
                        about.tell(
                            &["Its value is no ", &variable.kind, &inside],
                            "Give it a value of its own type.",
                        );
                    }
                }
            }
        }
    }
}

struct About<'a> {
    place: Place,
    variable: &'a Variable,
    problems: &'a mut Problems,
}

impl About<'_> {
    fn tell(&mut self, message: &[&str], remedy: &str) {
        self.problems
            .tell(self.place, &self.variable.name, message, remedy);
    }

    fn check_name(&mut self) {
        let name = &self.variable.name;
        if let Some(refused) = name.chars().find(|character| REFUSED.contains(character)) {
            let refused = String::from(refused);
            self.tell(
                &["Figma allows no “", &refused, "” in a name."],
                "Rename it; groups are separated by /.",
            );
        }
        let parts = || name.split('/');
        if parts().any(|part| part.trim().is_empty()) {
            self.tell(
                &["A group or the name itself is empty."],
                "Remove the / that stands first, last or twice.",
            );
        } else if parts().any(|part| part.trim() != part) {
            self.tell(
                &["There are spaces around a part of its name."],
                "Remove them: references and sheets leave them out.",
            );
        }
        if name.chars().any(char::is_control) {
            self.tell(
                &["There is a line break or another control character in its name."],
                "Type the name anew.",
            );
        }
    }

    fn check_scopes(&mut self) {
        let Some(kind) = self.variable.variable_type() else {
            return;
        };
        let scopes = &self.variable.scopes;
        let has = |scope: Scope| scopes.iter().any(|name| name == scope.name());
        let unfitting: Vec<&str> = Scope::ALL
            .into_iter()
            .filter(|scope| has(*scope) && !scope.fits(kind))
            .map(Scope::name)
            .collect();
        if !unfitting.is_empty() {
            self.tell(
                &[
                    "A ",
                    kind.name(),
                    " has no scope ",
                    &unfitting.join(", "),
                    ".",
                ],
                "Choose scopes of its type.",
            );
        }
        if has(Scope::AllScopes) && scopes.len() > 1 {
            self.tell(
                &["It has ALL_SCOPES beside other scopes."],
                "Choose all of them, or some.",
            );
        }
        if has(Scope::AllFills)
            && [Scope::FrameFill, Scope::ShapeFill, Scope::TextFill]
                .into_iter()
                .any(has)
        {
            self.tell(
                &["It has ALL_FILLS beside other fills."],
                "Choose all fills, or some.",
            );
        }
    }

    fn check_code(&mut self) {
        for (platform, text) in self.variable.code.by_platform() {
            if text.trim() != text || text.chars().any(char::is_control) {
                self.tell(
                    &[
                        platform,
                        " code syntax has spaces around it, or a line break in it.",
                    ],
                    "Remove them.",
                );
            } else if platform == "Web" && is_broken_property(text) {
                self.tell(
                    &["Web code syntax ", text, " is no custom property."],
                    "Write it as var(--name).",
                );
            }
        }
    }
}

/// Whether a text begins as a custom property of CSS and does not go on as one.
fn is_broken_property(text: &str) -> bool {
    let name = match text.strip_prefix("var(") {
        Some(rest) => match rest.strip_suffix(')') {
            Some(inside) => inside.trim(),
            None => return true,
        },
        None if text.starts_with("--") => text,
        None => return false,
    };
    // What follows a comma stands in for a missing property.
    let name = name.split(',').next().unwrap_or(name).trim();
    name.strip_prefix("--").is_none_or(|name| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || !c.is_ascii();
        name.is_empty() || !name.chars().all(is_name)
    })
}
