//! Durations.
//!
//! Owns their units. Must not know what they time. A TIMING is kept in milliseconds.

use super::{Match, ReadContext, Value, ValueError, number};

/// A duration, which is not negative.
pub(super) fn timing(milliseconds: f64) -> Result<Value, ValueError> {
    if milliseconds < 0.0 {
        return Err(ValueError::Expected {
            expected: super::VariableType::Timing,
        });
    }
    number::in_range(milliseconds).map(Value::Timing)
}

/// `200ms`
pub(super) fn milliseconds(text: &str, context: &ReadContext) -> Match {
    of(text, context, "ms", 0)
}

/// `0.2s`
pub(super) fn seconds(text: &str, context: &ReadContext) -> Match {
    of(text, context, "s", 3)
}

/// `200`: milliseconds, where the type is known.
pub(super) fn plain(text: &str, context: &ReadContext) -> Match {
    of(text, context, "", 0)
}

fn of(text: &str, context: &ReadContext, unit: &str, scale: i32) -> Match {
    number::number_with(text, context, unit, scale)
        .map_or(Match::No, |number| Match::of(number.and_then(timing)))
}
