//! What an alias comes to, step by step.
//!
//! Owns the following of aliases. Must not know how a chain is drawn.
//!
//! Which mode of another collection a layer sees is chosen where the layer stands. Here it is the mode of the same name
//! where the other collection has one, else its first, which is what a layer without a choice sees.

use super::{Given, Listing};
use crate::value::Rgba;

/// Most variables that are followed.
pub const STEPS_MAX: usize = 32;

/// One variable on the way, in the mode that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its place in the listing.
    pub variable: usize,
    /// The mode's place in its collection.
    pub mode: usize,
}

/// How a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last step holds a value.
    Value,
    /// The last step holds nothing in this mode.
    Nothing,
    /// The last step refers to a variable that is not there.
    Broken,
    /// The last step refers to one that came before.
    Circle,
    /// There are more than [`STEPS_MAX`] steps.
    TooLong,
}

/// A variable and those that it leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// The variable itself first. Never empty.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
    /// What composed colours on the way make of the alpha, 0 to 1.
    pub opacity: f64,
}

impl Listing {
    /// Follows a variable in a mode.
    pub fn follow(&self, variable: usize, mode: usize) -> Chain {
        let mut chain = Chain {
            steps: vec![Step { variable, mode }],
            end: End::Value,
            opacity: 1.0,
        };
        let mut at = Step { variable, mode };
        loop {
            let held = &self.variables[at.variable].values[at.mode];
            if let Given::Composed { percent, .. } = held {
                chain.opacity *= percent / 100.0;
            }
            let Some(id) = held.target() else {
                if *held == Given::Nothing {
                    chain.end = End::Nothing;
                }
                return chain;
            };
            let Some(next) = self.place(id) else {
                chain.end = End::Broken;
                return chain;
            };
            if chain.steps.iter().any(|step| step.variable == next) {
                chain.end = End::Circle;
                return chain;
            }
            if chain.steps.len() == STEPS_MAX {
                chain.end = End::TooLong;
                return chain;
            }
            at = Step {
                variable: next,
                mode: self.mode_in(at, next),
            };
            chain.steps.push(at);
        }
    }

    /// The mode in which a variable is seen from a step that refers to it.
    fn mode_in(&self, from: Step, to: usize) -> usize {
        let (own, other) = (&self.variables[from.variable], &self.variables[to]);
        if own.collection == other.collection {
            return from.mode;
        }
        let name = &self.collection_of(own).modes[from.mode];
        let modes = &self.collection_of(other).modes;
        modes.iter().position(|mode| mode == name).unwrap_or(0)
    }

    /// The colour that a variable comes to in a mode.
    pub fn color(&self, variable: usize, mode: usize) -> Option<Rgba> {
        let chain = self.follow(variable, mode);
        let last = chain.steps.last()?;
        match &self.variables[last.variable].values[last.mode] {
            Given::Color(color) => Some(Rgba {
                a: color.a * chain.opacity,
                ..*color
            }),
            Given::Nothing
            | Given::Number(_)
            | Given::Boolean(_)
            | Given::Text(_)
            | Given::Alias(_)
            | Given::Composed { .. }
            | Given::Curve(_)
            | Given::Other => None,
        }
    }

    /// The colour as `#rrggbb` or `#rrggbbaa`.
    pub fn hex(&self, variable: usize, mode: usize) -> Option<String> {
        self.color(variable, mode).map(super::given::hex)
    }
}
