//! Easings.
//!
//! Owns `cubic-bezier()` and the keywords of CSS Easing Functions Level 1, section 2.2. Must not know springs and steps,
//! which a cubic curve can't be.

use super::{Match, ReadContext, Value, ValueError, number};
use crate::decimal;

/// The keywords and their curves, from the specification.
const KEYWORDS: [(&str, [f64; 4]); 5] = [
    ("linear", [0.0, 0.0, 1.0, 1.0]),
    ("ease", [0.25, 0.1, 0.25, 1.0]),
    ("ease-in", [0.42, 0.0, 1.0, 1.0]),
    ("ease-out", [0.0, 0.0, 0.58, 1.0]),
    ("ease-in-out", [0.42, 0.0, 0.58, 1.0]),
];

/// `cubic-bezier(0.4, 0, 0.2, 1)`
pub(super) fn cubic_bezier(text: &str, _: &ReadContext) -> Match {
    const NAME: &str = "cubic-bezier(";
    match text.get(..NAME.len()) {
        Some(name) if name.eq_ignore_ascii_case(NAME) => Match::of(points(&text[NAME.len()..])),
        _ => Match::No,
    }
}

fn points(after_name: &str) -> Result<Value, ValueError> {
    let inside = after_name.strip_suffix(')').ok_or(ValueError::Easing)?;
    let mut points = [0.0; 4];
    let mut parts = inside.split(',');
    for point in &mut points {
        let part = parts.next().ok_or(ValueError::Easing)?;
        *point = decimal::parse(part.trim()).ok_or(ValueError::Easing)?;
        number::in_range(*point)?;
    }
    if parts.next().is_some() {
        return Err(ValueError::Easing);
    }
    let [x1, _, x2, _] = points;
    if (0.0..=1.0).contains(&x1) && (0.0..=1.0).contains(&x2) {
        Ok(Value::Easing(points))
    } else {
        Err(ValueError::EasingRange)
    }
}

/// `linear`, `ease`, `ease-in`, `ease-out`, `ease-in-out`, where the type is known.
pub(super) fn keyword(text: &str, _: &ReadContext) -> Match {
    KEYWORDS
        .iter()
        .find(|(keyword, _)| keyword.eq_ignore_ascii_case(text))
        .map_or(Match::No, |(_, points)| {
            Match::Value(Value::Easing(*points))
        })
}

/// Writes a curve as a keyword where `like` is one and there is one for it, else as `cubic-bezier()`.
pub(super) fn write_like(points: [f64; 4], like: &str) -> String {
    let is_keyword = KEYWORDS
        .iter()
        .any(|(keyword, _)| keyword.eq_ignore_ascii_case(like));
    let stored = points.map(|point| point as f32);
    let keyword = KEYWORDS
        .iter()
        .find(|(_, known)| is_keyword && known.map(|point| point as f32) == stored);
    match keyword {
        Some((keyword, _)) => String::from(*keyword),
        None => [
            "cubic-bezier(",
            &stored.map(decimal::write_32).join(", "),
            ")",
        ]
        .concat(),
    }
}

pub(super) fn write(points: [f64; 4]) -> String {
    let points = points.map(decimal::write).join(", ");
    ["cubic-bezier(", &points, ")"].concat()
}
