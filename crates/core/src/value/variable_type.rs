//! The types of variables, and the words a designer uses for them.
//!
//! Owns the types and their names. Must not know how a value of a type is written.

use serde::{Deserialize, Serialize};

/// The type of a variable, as Figma names it (`VariableResolvedDataType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VariableType {
    /// `COLOR`
    Color,
    /// `FLOAT`
    Float,
    /// `STRING`
    String,
    /// `BOOLEAN`
    Boolean,
    /// `EASING`
    Easing,
    /// `TIMING`
    Timing,
}

impl VariableType {
    /// Every type.
    pub const ALL: [VariableType; 6] = [
        VariableType::Color,
        VariableType::Float,
        VariableType::String,
        VariableType::Boolean,
        VariableType::Easing,
        VariableType::Timing,
    ];

    /// Figma's name.
    pub fn name(self) -> &'static str {
        match self {
            VariableType::Color => "COLOR",
            VariableType::Float => "FLOAT",
            VariableType::String => "STRING",
            VariableType::Boolean => "BOOLEAN",
            VariableType::Easing => "EASING",
            VariableType::Timing => "TIMING",
        }
    }
}

/// A row whose type can't be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// The type column holds a word that is no type.
    #[error("This is not a type of variable.")]
    Unknown,
    /// The row's cells tell different types.
    #[error("The cells of this row are of different types: {} and {}.", first.name(), second.name())]
    Disagree {
        /// What the cells before told.
        first: VariableType,
        /// What this cell told.
        second: VariableType,
    },
}

impl TypeError {
    /// What the designer can do about it, one sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            TypeError::Unknown => {
                "Write COLOR, FLOAT, STRING, BOOLEAN, EASING or TIMING in the type column."
            }
            TypeError::Disagree { .. } => {
                "Write values of one type in this row, or put the type in a type column."
            }
        }
    }
}

/// The words for each type, beside Figma's own names: designers' and those of the DTCG format.
const WORDS: &[(&str, VariableType)] = &[
    ("color", VariableType::Color),
    ("colour", VariableType::Color),
    ("float", VariableType::Float),
    ("number", VariableType::Float),
    ("dimension", VariableType::Float),
    ("string", VariableType::String),
    ("text", VariableType::String),
    ("boolean", VariableType::Boolean),
    ("bool", VariableType::Boolean),
    ("easing", VariableType::Easing),
    ("cubicbezier", VariableType::Easing),
    ("cubic-bezier", VariableType::Easing),
    ("timing", VariableType::Timing),
    ("duration", VariableType::Timing),
];

/// Reads a cell of the type column, in any case; `None` for an empty one.
///
/// # Errors
/// [`TypeError::Unknown`] for any other word.
pub fn parse_type(text: &str) -> Result<Option<VariableType>, TypeError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    WORDS
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text))
        .map(|(_, of)| Some(*of))
        .ok_or(TypeError::Unknown)
}
