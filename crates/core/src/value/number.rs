//! Numbers, plain and with a unit.
//!
//! Owns what each unit comes to in a FLOAT: px 1, rem the base, percent 0 to 100, times milliseconds. Must not know
//! which variables want which.

use super::locale::Group;
use super::{Match, ReadContext, Value, ValueError, VariableType};
use crate::decimal;
use crate::sheet::{CellView, Kind};

/// A number as Sheets stores it, in percent format or not. Where a text is expected it is the text that people see.
pub(super) fn stored(
    cell: CellView<'_>,
    expected: Option<VariableType>,
) -> Result<Value, ValueError> {
    let percent = cell.kind() == Kind::Percent;
    let number = cell
        .number_scaled(if percent { 2 } else { 0 })
        .ok_or(ValueError::Unreadable)?;
    match expected {
        None | Some(VariableType::Float) => float(number),
        Some(VariableType::String) => Ok(Value::String(cell.text().into_owned())),
        Some(VariableType::Timing) if !percent => super::timing::timing(number),
        Some(VariableType::Color) => Err(ValueError::Mangled { expected }),
        Some(expected @ (VariableType::Boolean | VariableType::Easing | VariableType::Timing)) => {
            Err(ValueError::Expected { expected })
        }
    }
}

/// A finite number that fits into Figma's 32 bits.
pub(super) fn in_range(number: f64) -> Result<f64, ValueError> {
    if (number as f32).is_finite() {
        Ok(number)
    } else {
        Err(ValueError::NumberRange)
    }
}

fn float(number: f64) -> Result<Value, ValueError> {
    in_range(number).map(Value::Float)
}

/// `16`, `-0.5`, `1e3`, and in a German sheet `1.234,5`.
pub(super) fn plain(text: &str, context: &ReadContext) -> Match {
    measured(text, context, "", 0, 1.0)
}

/// `16px`
pub(super) fn px(text: &str, context: &ReadContext) -> Match {
    measured(text, context, "px", 0, 1.0)
}

/// `1.5rem`: the base of the context times the number.
pub(super) fn rem(text: &str, context: &ReadContext) -> Match {
    measured(text, context, "rem", 0, context.rem_base_px)
}

/// `50%` is 50, as Figma's opacities and line heights in percent are.
pub(super) fn percent(text: &str, context: &ReadContext) -> Match {
    measured(text, context, "%", 0, 1.0)
}

/// `200ms` and `0.2s` in a FLOAT are milliseconds.
pub(super) fn time(text: &str, context: &ReadContext) -> Match {
    match measured(text, context, "ms", 0, 1.0) {
        Match::No => measured(text, context, "s", 3, 1.0),
        found @ (Match::Value(_) | Match::Refused(_)) => found,
    }
}

/// Units that a variable can't hold: they depend on where they are used, or belong to print or another platform.
const OTHER_UNITS: [&str; 25] = [
    "em", "ch", "ex", "lh", "rlh", "cap", "ic", "vw", "vh", "vi", "vb", "vmin", "vmax", "svh",
    "dvh", "lvh", "fr", "pt", "pc", "in", "cm", "mm", "dp", "sp", "deg",
];

/// `2em`, `50vw`, `12pt`: refused with the reason.
pub(super) fn other_unit(text: &str, _: &ReadContext) -> Match {
    let (number, unit) = split(text);
    if decimal::parse(number).is_some()
        && OTHER_UNITS
            .iter()
            .any(|other| other.eq_ignore_ascii_case(unit))
    {
        Match::Refused(ValueError::Unit)
    } else {
        Match::No
    }
}

fn measured(text: &str, context: &ReadContext, unit: &str, scale: i32, factor: f64) -> Match {
    number_with(text, context, unit, scale).map_or(Match::No, |number| {
        Match::of(number.and_then(|number| float(number * factor)))
    })
}

/// The number before `unit`, × 10^`scale`; `None` when the text is none such.
pub(super) fn number_with(
    text: &str,
    context: &ReadContext,
    unit: &str,
    scale: i32,
) -> Option<Result<f64, ValueError>> {
    let (number, found) = split(text);
    if !found.eq_ignore_ascii_case(unit) {
        return None;
    }
    let groups_by_point = context.locale.group == Group::Point;
    if let Some(value) = decimal::parse_scaled(number, scale) {
        return Some(if groups_by_point && is_grouped(number, Group::Point) {
            Err(ValueError::NumberAmbiguous)
        } else {
            Ok(value)
        });
    }
    localised(number, context, scale)
}

/// Whether a word is a number, with any unit or none.
pub(super) fn is_number(text: &str) -> bool {
    let (number, unit) = split(text);
    decimal::parse(number).is_some()
        && (matches!(unit, "" | "px" | "rem" | "%" | "ms" | "s") || OTHER_UNITS.contains(&unit))
}

/// The text up to its last digit, and the unit after it.
pub(super) fn split(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .rposition(|byte| byte.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

/// Whether the digits before the decimals come in groups: `1.234`, `12.345.678`, in India `12,34,567`, but not `0.123` or
/// `1.5`.
fn is_grouped(number: &str, group: Group) -> bool {
    let mut parts = number
        .trim_start_matches(['-', '+'])
        .split(|character| group.is(character));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts
        .next()
        .is_some_and(|part| digits(part) && part.len() <= 3 && !part.starts_with('0'));
    let mut rest = parts.peekable();
    let (mut threes, mut twos, mut last) = (true, group == Group::CommaOfTwos, 0);
    let any = rest.peek().is_some();
    for part in rest {
        if !digits(part) {
            return false;
        }
        twos &= last == 0 || last == 2;
        threes &= part.len() == 3;
        last = part.len();
    }
    first && any && (threes || (twos && last == 3))
}

/// A number as the locale writes it, with its decimal sign and grouped thousands.
fn localised(number: &str, context: &ReadContext, scale: i32) -> Option<Result<f64, ValueError>> {
    let looks_like_a_number = number
        .starts_with(|c: char| c.is_ascii_digit() || "+-.,−".contains(c))
        && number.chars().all(|c| {
            c.is_ascii_digit()
                || matches!(
                    c,
                    '.' | ',' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '+' | '-' | '−'
                )
        })
        && number
            .chars()
            .skip(1)
            .all(|character| !matches!(character, '+' | '-' | '−'));
    if !looks_like_a_number {
        return None;
    }
    let locale = context.locale;
    let (whole, decimals) = match number.split_once(locale.decimal) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (number, None),
    };
    let unsigned = whole.trim_start_matches(['-', '+', '−']);
    let plain = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    let decimals_are_digits = decimals.is_none_or(|decimals| {
        !decimals.is_empty() && decimals.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !decimals_are_digits || !(plain || is_grouped(unsigned, locale.group)) {
        return Some(Err(ValueError::NumberSeparators));
    }
    let mut text = String::with_capacity(number.len());
    if whole.starts_with(['-', '−']) {
        text.push('-');
    }
    text.extend(unsigned.chars().filter(char::is_ascii_digit));
    if let Some(decimals) = decimals {
        text.push('.');
        text.push_str(decimals);
    }
    Some(decimal::parse_scaled(&text, scale).ok_or(ValueError::NumberRange))
}
