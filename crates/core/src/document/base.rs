//! The base: what sheet and Figma last agreed on, cell by cell.
//!
//! Owns the codes that stand for values in the base and the three-way rule over them. Must not know where a base is
//! kept, or what becomes of a drift or a conflict.
//!
//! A base is a list of numbers, one a place: first the fields in the order of [`Field`], then the modes of the
//! variable's collection in Figma's order. A number is 0 for "nothing agreed yet", a 32-bit hash for a plain value or a
//! text, and negative for an alias: `-(2048 × (slot + 2) + opacity)`, where an unknown target has slot -1, and opacity
//! is 0 for a plain alias, else 1 + its tenths of a percent. Aliases keep their target instead of a hash, because a
//! target may be renamed without the alias having changed; a shell turns slots into Figma's ids and back.
//!
//! Values are hashed as Figma stores them (32-bit floats). Two different values share a hash once in four milliards; a
//! change would then go unnoticed, and the sheet's value would stand.

use crate::document::index::hash;
use crate::document::{Held, VariableSlot};
use crate::protocol::panel::{ConflictPolicy, DriftPolicy, MergePolicy};
use crate::value::Value;

/// Fields that have a place before the modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The name.
    Name,
    /// The description.
    Description,
    /// The scopes.
    Scopes,
    /// Code syntax for the web; Android and iOS follow.
    Code,
    /// Hidden from publishing.
    Hidden = 6,
}

/// How many places come before the modes.
pub const FIELDS: usize = 7;
/// What separates a target from an opacity in an alias's code.
const OPACITIES: f64 = 2048.0;
/// Stands for a target that does not exist yet: equal to no code.
pub const UNMADE: f64 = f64::NAN;

/// What one variable's cells last agreed on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Base {
    places: Vec<f64>,
    /// Whether it differs from what the file holds.
    pub unsaved: bool,
}

impl Base {
    /// A base as read from the file.
    pub fn read(places: &[f64]) -> Base {
        Base {
            places: places.to_vec(),
            unsaved: false,
        }
    }

    /// The base of a variable that was made just now, in a collection of so many modes: sheet and Figma agree on its
    /// name, and nothing of it is kept yet.
    pub fn of_new(name: &str, modes: usize) -> Base {
        let mut places = vec![0.0; FIELDS + modes];
        places[Field::Name as usize] = code_of_text(name);
        Base {
            places,
            unsaved: true,
        }
    }

    /// The code at a place; 0 where nothing was agreed.
    pub fn at(&self, place: usize) -> f64 {
        self.places.get(place).copied().unwrap_or_default()
    }

    /// Notes an agreement.
    pub fn agree(&mut self, place: usize, code: f64) {
        if self.at(place) == code {
            return;
        }
        if self.places.len() <= place {
            self.places.resize(place + 1, 0.0);
        }
        self.places[place] = code;
        self.unsaved = true;
    }

    /// Every place, for the shell to keep.
    pub fn places(&self) -> &[f64] {
        &self.places
    }
}

/// The place of a mode.
pub fn mode_place(mode: u32) -> usize {
    FIELDS + mode as usize
}

/// FNV-1a's step over whole words instead of bytes; a base only asks whether two values are the same.
fn mix(seed: u32, words: &[u32]) -> f64 {
    let mut hash = 0x811c_9dc5_u32 ^ seed;
    for word in words {
        hash = (hash ^ (word & 0xffff)).wrapping_mul(0x0100_0193);
        hash = (hash ^ (word >> 16)).wrapping_mul(0x0100_0193);
    }
    f64::from(hash.max(1))
}

fn floats<const N: usize>(seed: u32, numbers: [f32; N]) -> f64 {
    // Adding zero makes -0 the 0 that Figma shows.
    mix(seed, &numbers.map(|number| (number + 0.0).to_bits()))
}

/// The code of a text.
pub fn code_of_text(text: &str) -> f64 {
    f64::from(hash(text).max(1))
}

/// The code of a small number, such as a set of scopes.
pub fn code_of_bits(bits: u32) -> f64 {
    mix(1, &[bits])
}

/// The code of an alias; `percent` for one with an opacity of its own.
pub fn code_of_alias(target: Option<VariableSlot>, percent: Option<f32>) -> f64 {
    let slot = target.map_or(1.0, |slot| f64::from(slot.0) + 2.0);
    let opacity = percent.map_or(0.0, |percent| 1.0 + f64::from((percent * 10.0).round()));
    -(OPACITIES * slot + opacity)
}

/// The code of a plain value.
pub fn code_of_value(value: &Value) -> f64 {
    match value {
        Value::Color(color) => floats(
            2,
            [
                color.r as f32,
                color.g as f32,
                color.b as f32,
                color.a as f32,
            ],
        ),
        Value::Float(number) => floats(3, [*number as f32]),
        Value::Timing(number) => floats(4, [*number as f32]),
        Value::Boolean(value) => code_of_bits(u32::from(*value)),
        Value::String(text) => code_of_text(text),
        Value::Easing(points) => floats(5, points.map(|point| point as f32)),
    }
}

/// The code of what Figma holds; 0 where there is no value.
pub fn code_of_held(held: &Held) -> f64 {
    match held {
        Held::Missing => 0.0,
        Held::Color(channels) => floats(2, *channels),
        Held::Float(number) => floats(3, [*number]),
        Held::Timing(number) => floats(4, [*number]),
        Held::Boolean(value) => code_of_bits(u32::from(*value)),
        Held::Text(text) => code_of_text(text),
        Held::Easing(points) => floats(5, *points),
        Held::Alias(target) => code_of_alias(*target, None),
        Held::Composed(target, percent) => code_of_alias(*target, Some(*percent)),
        Held::Other => mix(6, &[]),
    }
}

/// What the merge makes of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Figma is to hold what the sheet says.
    Write,
    /// Only Figma changed, and keeps what it holds.
    Drift,
    /// Figma's stands, and the sheet is to say what it holds.
    Push,
    /// Both changed, and somebody has to choose.
    Conflict,
}

/// The three-way rule, for a cell where sheet and Figma differ. Without a base the sheet stands, as on a first sync,
/// which is previewed; the same where Figma holds nothing.
pub fn decide(base: f64, sheet: f64, figma: f64, policy: MergePolicy) -> Decision {
    if base == 0.0 || figma == 0.0 || figma == base {
        return Decision::Write;
    }
    if sheet == base {
        return match policy.drift {
            DriftPolicy::Keep => Decision::Drift,
            DriftPolicy::Overwrite => Decision::Write,
            DriftPolicy::Push => Decision::Push,
        };
    }
    match policy.conflict {
        ConflictPolicy::Ask => Decision::Conflict,
        ConflictPolicy::Sheet => Decision::Write,
        ConflictPolicy::Figma => Decision::Push,
    }
}
