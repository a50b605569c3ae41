//! TRUE and FALSE.
//!
//! Owns their words. Must not take a number or a yes for one.

use super::{Match, ReadContext, Value, ValueError, VariableType};
use crate::sheet::CellView;

/// A boolean as Sheets stores it. Where a text is expected, Sheets changed it: the typed `true` is lost.
pub(super) fn stored(
    cell: CellView<'_>,
    expected: Option<VariableType>,
) -> Result<Value, ValueError> {
    let value = cell.boolean().ok_or(ValueError::Unreadable)?;
    match expected {
        None | Some(VariableType::Boolean) => Ok(Value::Boolean(value)),
        Some(VariableType::String) => Err(ValueError::Mangled { expected }),
        Some(
            expected @ (VariableType::Color
            | VariableType::Float
            | VariableType::Easing
            | VariableType::Timing),
        ) => Err(ValueError::Expected { expected }),
    }
}

/// `TRUE` and `FALSE` typed as text, in any case, and as the sheet's locale writes them (`WAHR`, `FAUX`).
pub(super) fn word(text: &str, context: &ReadContext) -> Match {
    let [yes, no] = context.locale.booleans;
    let is = |word: &str| word.eq_ignore_ascii_case(text);
    if is("TRUE") || is(yes) {
        Match::Value(Value::Boolean(true))
    } else if is("FALSE") || is(no) {
        Match::Value(Value::Boolean(false))
    } else {
        Match::No
    }
}

/// Writes TRUE or FALSE in the language and the case of `like`.
pub(super) fn write_like(value: bool, like: &str, context: &ReadContext) -> String {
    let own = context.locale.booleans;
    let is_own = own.iter().any(|word| word.eq_ignore_ascii_case(like));
    let [yes, no] = if is_own { own } else { ["TRUE", "FALSE"] };
    let word = if value { yes } else { no };
    let mut letters = like.chars();
    let first_is_upper = letters.next().is_some_and(char::is_uppercase);
    let rest_is_lower = letters.all(|letter| !letter.is_uppercase());
    match (first_is_upper, rest_is_lower) {
        (false, true) => word.to_ascii_lowercase(),
        (true, true) => [&word[..1], &word[1..].to_ascii_lowercase()].concat(),
        (_, false) => String::from(word),
    }
}
