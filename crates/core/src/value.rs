//! The value grammar: what a cell says, and how a value is written in a cell.
//!
//! Owns values, aliases, types, scopes, and the reading and writing of each. Must not know rows, columns, the document
//! or whether an alias resolves.
//!
//! Every way of writing a value is one function, listed once in [`FORMATS`]. A format says no to what is not its own,
//! and refuses, with the reason, what is its own but can't be a value.

mod alias;
mod boolean;
mod color;
mod composite;
mod easing;
mod error;
mod hold;
mod like;
mod locale;
mod number;
mod scope;
mod text;
mod timing;
mod variable_type;

pub use alias::AliasRef;
pub use color::Rgba;
pub use composite::Composite;
pub use error::ValueError;
pub use hold::is_in_error;
pub use like::{Entry, opacity_like, write_like};
pub use locale::Locale;
pub use scope::{Scope, ScopeError, parse_scopes};
pub use variable_type::{TypeError, VariableType, parse_type};

use crate::decimal;
use crate::owned;
use crate::sheet::{CellView, Kind};
use serde::{Deserialize, Serialize};

/// CSS pixels in one rem where nobody says otherwise: every browser's default.
pub const REM_BASE_PX_DEFAULT: f64 = 16.0;

/// A value as Figma's variables hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// sRGB with alpha.
    Color(Rgba),
    /// A number: pixels for lengths, 0 to 100 for percents, milliseconds for times.
    Float(f64),
    /// A text.
    String(String),
    /// TRUE or FALSE.
    Boolean(bool),
    /// The two control points `x1, y1, x2, y2` of a cubic Bézier curve.
    Easing([f64; 4]),
    /// Milliseconds.
    Timing(f64),
}

impl Value {
    /// The type of the variable that can hold it.
    pub fn variable_type(&self) -> VariableType {
        match self {
            Value::Color(_) => VariableType::Color,
            Value::Float(_) => VariableType::Float,
            Value::String(_) => VariableType::String,
            Value::Boolean(_) => VariableType::Boolean,
            Value::Easing(_) => VariableType::Easing,
            Value::Timing(_) => VariableType::Timing,
        }
    }

    /// Whether Figma would hold the same: it keeps numbers and channels as 32-bit floats.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Color(left), Value::Color(right)) => left.same(*right),
            (Value::Float(left), Value::Float(right))
            | (Value::Timing(left), Value::Timing(right)) => *left as f32 == *right as f32,
            (Value::Easing(left), Value::Easing(right)) => left
                .iter()
                .zip(right)
                .all(|(left, right)| *left as f32 == *right as f32),
            (Value::String(left), Value::String(right)) => left == right,
            (Value::Boolean(left), Value::Boolean(right)) => left == right,
            (
                Value::Color(_)
                | Value::Float(_)
                | Value::Timing(_)
                | Value::Easing(_)
                | Value::String(_)
                | Value::Boolean(_),
                _,
            ) => false,
        }
    }
}

/// What a cell says about a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Nothing: the value stays as it is.
    Empty,
    /// An error, a cell still loading or a placeholder: the last value is kept.
    Hold,
    /// A value.
    Value(Value),
    /// The value of another variable.
    Alias(AliasRef),
    /// The colour of another variable, with an opacity of its own.
    Composed {
        /// The colour.
        alias: AliasRef,
        /// 0 to 1.
        opacity: f64,
    },
}

/// What a reader must know beside the cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadContext {
    /// How the spreadsheet writes numbers and booleans.
    pub locale: Locale,
    /// Pixels in one rem.
    pub rem_base_px: f64,
}

impl ReadContext {
    /// `locale` as Google names it, such as `de_DE`.
    pub fn new(locale: &str, rem_base_px: f64) -> Self {
        ReadContext {
            locale: Locale::of(locale),
            rem_base_px,
        }
    }

    /// `locale` as Google names it, with the usual rem.
    pub fn for_locale(locale: &str) -> Self {
        ReadContext::new(locale, REM_BASE_PX_DEFAULT)
    }
}

impl Default for ReadContext {
    fn default() -> Self {
        ReadContext::for_locale("en_US")
    }
}

/// What a format makes of a text.
enum Match {
    /// It is not written in this format.
    No,
    /// It is, and this is the value.
    Value(Value),
    /// It is, and it can't be a value.
    Refused(ValueError),
}

impl Match {
    fn of(result: Result<Value, ValueError>) -> Match {
        match result {
            Ok(value) => Match::Value(value),
            Err(error) => Match::Refused(error),
        }
    }
}

/// One way of writing a value as text.
struct Format {
    /// The type of its values.
    gives: VariableType,
    /// Whether the writing alone tells the type. `red` does not: it may be a text.
    evident: bool,
    /// Reads a trimmed text that is not empty.
    read: fn(&str, &ReadContext) -> Match,
}

const fn evident(gives: VariableType, read: fn(&str, &ReadContext) -> Match) -> Format {
    Format {
        gives,
        evident: true,
        read,
    }
}

const fn typed(gives: VariableType, read: fn(&str, &ReadContext) -> Match) -> Format {
    Format {
        gives,
        evident: false,
        read,
    }
}

/// Every format, tried in this order. A new one is added here.
const FORMATS: &[Format] = &[
    evident(VariableType::Color, color::hex),
    evident(VariableType::Color, color::rgb),
    evident(VariableType::Color, color::srgb),
    evident(VariableType::Color, color::function),
    typed(VariableType::Color, color::bare_hex),
    typed(VariableType::Color, color::name),
    evident(VariableType::Float, number::plain),
    evident(VariableType::Float, number::px),
    evident(VariableType::Float, number::rem),
    evident(VariableType::Float, number::percent),
    typed(VariableType::Float, number::time),
    evident(VariableType::Float, number::other_unit),
    evident(VariableType::Timing, timing::milliseconds),
    evident(VariableType::Timing, timing::seconds),
    typed(VariableType::Timing, timing::plain),
    evident(VariableType::Easing, easing::cubic_bezier),
    typed(VariableType::Easing, easing::keyword),
    evident(VariableType::Boolean, boolean::word),
];

/// Reads one cell. `expected` is the variable's type where it is known.
///
/// # Errors
/// [`ValueError`] for a cell that says something, but nothing that the type can hold.
pub fn read(
    cell: CellView<'_>,
    expected: Option<VariableType>,
    context: &ReadContext,
) -> Result<Reading, ValueError> {
    match cell.kind() {
        Kind::Empty => Ok(Reading::Empty),
        Kind::Error => Ok(Reading::Hold),
        Kind::Text => read_text(&cell.text(), expected, context),
        Kind::Bool => boolean::stored(cell, expected).map(Reading::Value),
        Kind::Number | Kind::Percent => number::stored(cell, expected).map(Reading::Value),
        Kind::Date => Err(ValueError::Mangled { expected }),
        Kind::Unreadable => Err(ValueError::Unreadable),
    }
}

fn read_text(
    whole: &str,
    expected: Option<VariableType>,
    context: &ReadContext,
) -> Result<Reading, ValueError> {
    let trimmed = whole.trim();
    if trimmed.is_empty() {
        return Ok(Reading::Empty);
    }
    if hold::holds(trimmed) {
        return Ok(Reading::Hold);
    }
    if trimmed.starts_with('{')
        && let Some(reading) = alias::read(trimmed, expected)
    {
        return reading;
    }
    let value = match expected {
        Some(VariableType::String) => Ok(text::read(whole)),
        Some(expected) => read_as(trimmed, expected, context),
        None => read_untyped(whole, trimmed, context),
    };
    value.map(Reading::Value)
}

fn read_as(
    trimmed: &str,
    expected: VariableType,
    context: &ReadContext,
) -> Result<Value, ValueError> {
    for format in FORMATS.iter().filter(|format| format.gives == expected) {
        match (format.read)(trimmed, context) {
            Match::No => {}
            Match::Value(value) => return Ok(value),
            Match::Refused(error) => return Err(error),
        }
    }
    Err(match composite::find(trimmed) {
        Some(composite) => ValueError::Composite(composite),
        None => ValueError::Expected { expected },
    })
}

fn read_untyped(whole: &str, trimmed: &str, context: &ReadContext) -> Result<Value, ValueError> {
    let attempt = |evident: bool| {
        FORMATS
            .iter()
            .filter(move |format| format.evident == evident)
            .find_map(|format| match (format.read)(trimmed, context) {
                Match::No => None,
                Match::Value(value) => Some(Ok(value)),
                Match::Refused(error) => Some(Err(error)),
            })
    };
    if trimmed.starts_with('\\') {
        return Ok(text::read(whole));
    }
    if let Some(result) = attempt(true) {
        return result;
    }
    if let Some(composite) = composite::find(trimmed) {
        return Err(ValueError::Composite(composite));
    }
    match attempt(false) {
        Some(Ok(value)) => Err(ValueError::TypeNeeded {
            maybe: value.variable_type(),
        }),
        Some(Err(_)) | None => Ok(text::read(whole)),
    }
}

/// The type that one cell alone tells. `None` for a cell that tells none: empty, held, an alias, unreadable, or a
/// word such as `red` that may be a colour or a text.
pub fn suggest(cell: CellView<'_>, context: &ReadContext) -> Option<VariableType> {
    match read(cell, None, context) {
        Ok(Reading::Value(value)) => Some(value.variable_type()),
        Ok(Reading::Composed { .. }) => Some(VariableType::Color),
        Ok(Reading::Empty | Reading::Hold | Reading::Alias(_)) | Err(_) => None,
    }
}

/// The type that the cells of one row agree on; `None` when no cell tells one.
///
/// # Errors
/// [`TypeError::Disagree`] when two cells tell different types.
pub fn infer<'a>(
    cells: impl IntoIterator<Item = CellView<'a>>,
    context: &ReadContext,
) -> Result<Option<VariableType>, TypeError> {
    let mut agreed = None;
    for cell in cells {
        let Some(told) = suggest(cell, context) else {
            continue;
        };
        match agreed {
            None => agreed = Some(told),
            Some(before) if before == told => {}
            Some(before) => {
                return Err(TypeError::Disagree {
                    first: before,
                    second: told,
                });
            }
        }
    }
    Ok(agreed)
}

/// Writes a value as the text of a cell, so that [`read`] with the value's type gives it back: colours as `#rrggbb`,
/// `#rrggbbaa`, `rgba()` or `color(srgb …)`, whichever is the first to lose nothing.
pub fn write(value: &Value) -> String {
    match value {
        Value::Color(color) => color::write(*color),
        Value::Float(value) => decimal::write(*value),
        Value::String(text) => text::write(text),
        Value::Boolean(true) => owned("TRUE"),
        Value::Boolean(false) => owned("FALSE"),
        Value::Easing(points) => easing::write(*points),
        Value::Timing(value) => [&decimal::write(*value), "ms"].concat(),
    }
}
