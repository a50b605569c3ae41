//! Writing a value as its cell is written already.
//!
//! Owns what of a cell's notation is kept, and the proof that the cell, once written, is read as just that value. Must not
//! know why a cell is written, or whether an alias resolves.

use super::{
    ReadContext, Reading, Value, VariableType, boolean, color, easing, number, read, text, write,
};
use crate::decimal;
use crate::sheet::{Cell, CellView, Content, Kind, push_cell};

/// Most characters of a cell. Source: Google's limits of Sheets.
const CELL_CHARACTERS_MAX: usize = 50_000;

/// What is put into a cell. Its format stays, so that a number in a percent cell goes on to be shown as one.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A text, to be taken as it stands.
    Text(String),
    /// A number.
    Number(f64),
    /// TRUE or FALSE.
    Boolean(bool),
}

impl Entry {
    /// The cell after it was put in, packed; `before` is the cell as it was.
    pub fn packed(&self, before: CellView<'_>) -> String {
        let content = match self {
            Entry::Text(text) => Content::Text(text.clone()),
            Entry::Number(value) => {
                let (value, shown) = (*value, decimal::write(*value));
                match before.kind() {
                    Kind::Percent => Content::Percent { value, shown },
                    Kind::Empty
                    | Kind::Text
                    | Kind::Number
                    | Kind::Date
                    | Kind::Bool
                    | Kind::Error
                    | Kind::Unreadable => Content::Number { value, shown },
                }
            }
            Entry::Boolean(value) => Content::Bool(*value),
        };
        let mut packed = String::new();
        let formula = None;
        push_cell(&mut packed, &Cell { content, formula });
        packed
    }

    /// Whether a cell holds it, in whatever format.
    pub fn is_in(&self, cell: CellView<'_>) -> bool {
        if cell.formula().is_some() {
            return false;
        }
        match self {
            Entry::Text(text) => cell.kind() == Kind::Text && cell.text() == text.as_str(),
            Entry::Number(value) => {
                matches!(cell.kind(), Kind::Number | Kind::Percent) && cell.number() == Some(*value)
            }
            Entry::Boolean(value) => cell.boolean() == Some(*value),
        }
    }
}

/// What is to be put into the cell `like` so that [`read`] gives `value`, as Figma holds it. The cell's own notation is
/// kept: hex with its case, the unit, the decimal sign, a checkbox. `None` where no notation gives back the value.
pub fn write_like(value: &Value, like: CellView<'_>, context: &ReadContext) -> Option<Entry> {
    let kind = value.variable_type();
    let text = like.text();
    let trimmed = text.trim();
    let entries = match value {
        Value::Color(color) => {
            let own = color::write_like(*color, trimmed);
            own.into_iter()
                .chain([write(value)])
                .map(Entry::Text)
                .collect()
        }
        Value::Float(number) | Value::Timing(number) => numbers(*number, kind, like, context),
        Value::String(text) => vec![Entry::Text(text::write(text))],
        Value::Boolean(value) => {
            let word = boolean::write_like(*value, trimmed, context);
            let plain = Entry::Text(super::write(&Value::Boolean(*value)));
            match like.kind() {
                Kind::Bool => vec![Entry::Boolean(*value)],
                Kind::Empty
                | Kind::Text
                | Kind::Number
                | Kind::Percent
                | Kind::Date
                | Kind::Error
                | Kind::Unreadable => vec![Entry::Text(word), plain],
            }
        }
        Value::Easing(points) => vec![Entry::Text(easing::write_like(*points, trimmed))],
    };
    entries.into_iter().find(|entry| {
        let fits = match entry {
            Entry::Text(text) => text.chars().nth(CELL_CHARACTERS_MAX).is_none(),
            Entry::Number(_) | Entry::Boolean(_) => true,
        };
        let packed = entry.packed(like);
        let reading = read(CellView::new(&packed), Some(kind), context);
        fits && matches!(reading, Ok(Reading::Value(found)) if found.same(value))
    })
}

/// A number as the cell has it: stored, or as text with its unit and decimal sign.
fn numbers(
    number: f64,
    kind: VariableType,
    like: CellView<'_>,
    context: &ReadContext,
) -> Vec<Entry> {
    let short = decimal::write_32(number as f32);
    let stored = |scale| decimal::parse_scaled(&short, scale).map(Entry::Number);
    let first = match like.kind() {
        Kind::Number => stored(0),
        Kind::Percent => stored(-2),
        Kind::Empty | Kind::Text | Kind::Date | Kind::Bool | Kind::Error | Kind::Unreadable => None,
    };
    let mut entries: Vec<Entry> = first.into_iter().collect();
    let text = like.text();
    let text = text.trim();
    let (digits, unit) = number::split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "rem" => Some(context.rem_base_px),
        "s" => Some(1000.0),
        "" | "px" | "%" | "ms" if !digits.is_empty() => Some(1.0),
        _ => None,
    };
    let own = factor.map(|factor| {
        let is_same = |size: f64| (size * factor) as f32 == (number as f32).abs();
        let size = decimal::write_near(number / factor, &is_same);
        (size, &text[digits.len()..])
    });
    let usual = if kind == VariableType::Timing {
        "ms"
    } else {
        ""
    };
    let keeps_point = digits.contains('.') && !digits.contains(',');
    let signs = if keeps_point || context.locale.decimal != ',' {
        [".", ","]
    } else {
        [",", "."]
    };
    for (size, unit) in own.into_iter().chain([(short, usual)]) {
        for sign in signs {
            entries.push(Entry::Text([&size.replace('.', sign), unit].concat()));
        }
    }
    entries
}

/// The opacity of a composed colour as the cell `like` writes it, as `50%` or `0.5`; `percent` is Figma's.
pub fn opacity_like(percent: f32, like: &str) -> String {
    let is_fraction = like
        .rsplit_once('}')
        .is_some_and(|(_, after)| after.contains('/') && !after.contains('%'));
    if is_fraction {
        let is_same = |opacity: f64| (opacity * 100.0) as f32 == percent;
        decimal::write_near(f64::from(percent) / 100.0, &is_same)
    } else {
        decimal::write_32(percent) + "%"
    }
}
