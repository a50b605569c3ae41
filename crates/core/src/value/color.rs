//! Colours.
//!
//! Owns what Figma's variables hold, sRGB with alpha, and the ways of writing it. The two commonest, hex and `rgb()`, are
//! read here without loss; the colour spaces and names of CSS Color 4 are the crate csscolorparser's. Must not bring a
//! colour silently into a range it does not lie in.

use super::{Match, ReadContext, Value, ValueError};
use crate::decimal;
use serde::{Deserialize, Serialize};

/// A colour; each channel and the alpha from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rgba {
    /// Red.
    pub r: f64,
    /// Green.
    pub g: f64,
    /// Blue.
    pub b: f64,
    /// Alpha.
    pub a: f64,
}

impl Rgba {
    fn channels(self) -> [f64; 4] {
        [self.r, self.g, self.b, self.a]
    }

    /// Whether Figma would hold the same: it keeps 32-bit floats.
    pub fn same(self, other: Rgba) -> bool {
        self.channels()
            .iter()
            .zip(other.channels())
            .all(|(left, right)| *left as f32 == right as f32)
    }
}

/// How far beyond 0 and 1 a converted channel may lie and still be rounding: a tenth of a step of 8 bits. White in
/// OKLCH comes out at 1.0000003.
const ROUNDING: f32 = 0.1 / 255.0;

/// How near to 0 or 1 a converted channel is that end: the conversion's own error, so that `lab(100% 0 0)` is white.
const END: f64 = 1e-6;

fn color(r: f64, g: f64, b: f64, a: f64) -> Value {
    Value::Color(Rgba { r, g, b, a })
}

/// `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`
pub(super) fn hex(text: &str, _: &ReadContext) -> Match {
    match text.strip_prefix('#') {
        // `#1 choice` is a text, `#fff #000` several colours.
        Some(digits) if !digits.contains(char::is_whitespace) => {
            Match::of(hex_digits(digits).ok_or(ValueError::Hex))
        }
        Some(_) | None => Match::No,
    }
}

/// Whether a word is a hex colour.
pub(super) fn is_hex(text: &str) -> bool {
    text.strip_prefix('#').and_then(hex_digits).is_some()
}

/// The same without `#`, where the type is known: a plain-text cell `000000`.
pub(super) fn bare_hex(text: &str, _: &ReadContext) -> Match {
    hex_digits(text).map_or(Match::No, Match::Value)
}

fn hex_digits(digits: &str) -> Option<Value> {
    let bytes = digits.as_bytes();
    let one = |at: usize| hex_digit(bytes[at]).map(|digit| f64::from(digit * 17) / 255.0);
    let two = |at: usize| {
        let high = hex_digit(bytes[at])?;
        let low = hex_digit(bytes[at + 1])?;
        Some(f64::from(high * 16 + low) / 255.0)
    };
    match bytes.len() {
        3 => Some(color(one(0)?, one(1)?, one(2)?, 1.0)),
        4 => Some(color(one(0)?, one(1)?, one(2)?, one(3)?)),
        6 => Some(color(two(0)?, two(2)?, two(4)?, 1.0)),
        8 => Some(color(two(0)?, two(2)?, two(4)?, two(6)?)),
        _ => None,
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// What stands between the brackets of the function `name`, in any case; an error when they are not closed.
fn arguments<'a>(text: &'a str, name: &str) -> Option<Result<&'a str, ValueError>> {
    let start = text.get(..name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    let inside = text[name.len()..].strip_prefix('(')?;
    Some(inside.strip_suffix(')').ok_or(ValueError::ColorFunction))
}

/// One number of a colour function.
#[derive(Clone, Copy)]
enum Argument {
    Number(f64),
    /// As written: 50 for `50%`.
    Percent(f64),
    /// A hue with its unit, or `none`; the crate reads it.
    Other,
}

/// Three arguments and an alpha, in the old form with commas or the new one with spaces and `/`.
fn split_arguments(inside: &str) -> Option<([Argument; 3], Option<Argument>)> {
    let commas = inside.contains(',');
    let (channels, alpha) = match inside.split_once('/') {
        Some(_) if commas => return None,
        Some((channels, alpha)) => (channels, Some(alpha.trim())),
        None => (inside, None),
    };
    let mut found = [Argument::Other; 4];
    let mut count = 0;
    let mut put = |part: &str| {
        let slot = found.get_mut(count)?;
        *slot = argument(part)?;
        count += 1;
        Some(())
    };
    if commas {
        for part in channels.split(',') {
            put(part.trim())?;
        }
    } else {
        for part in channels.split_ascii_whitespace() {
            put(part)?;
        }
    }
    let [first, second, third, fourth] = found;
    let alpha = match (alpha, count) {
        (Some(alpha), 3) => Some(argument(alpha)?),
        (None, 4) if commas => Some(fourth),
        (None, 3) => None,
        _ => return None,
    };
    Some(([first, second, third], alpha))
}

fn argument(part: &str) -> Option<Argument> {
    if let Some(percent) = part.strip_suffix('%') {
        return decimal::parse(percent).map(Argument::Percent);
    }
    match decimal::parse(part) {
        Some(number) => Some(Argument::Number(number)),
        None => (!part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+')))
        .then_some(Argument::Other),
    }
}

fn alpha_of(alpha: Option<Argument>) -> Result<f64, ValueError> {
    let alpha = match alpha {
        None => 1.0,
        Some(Argument::Number(number)) => number,
        Some(Argument::Percent(percent)) => percent / 100.0,
        Some(Argument::Other) => return Err(ValueError::ColorFunction),
    };
    unit(alpha)
}

fn unit(value: f64) -> Result<f64, ValueError> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(ValueError::ColorRange)
    }
}

/// `rgb(0, 82, 204)`, `rgba(0, 82, 204, 0.5)`, `rgb(0 82 204 / 50%)`, `rgb(0% 32% 80%)`
pub(super) fn rgb(text: &str, _: &ReadContext) -> Match {
    match arguments(text, "rgb").or_else(|| arguments(text, "rgba")) {
        Some(inside) => {
            Match::of(inside.and_then(|inside| channels(inside, 255.0, ValueError::ColorRange)))
        }
        None => Match::No,
    }
}

/// `color(srgb 0 0.32 0.8 / 50%)`
pub(super) fn srgb(text: &str, _: &ReadContext) -> Match {
    let Some(Ok(inside)) = arguments(text, "color") else {
        return Match::No;
    };
    match inside.trim_start().split_once(' ') {
        Some((space, inside)) if space.eq_ignore_ascii_case("srgb") => {
            Match::of(channels(inside, 1.0, ValueError::OutOfGamut))
        }
        Some(_) | None => Match::No,
    }
}

fn channels(inside: &str, number_max: f64, beyond: ValueError) -> Result<Value, ValueError> {
    let (channels, alpha) = split_arguments(inside).ok_or(ValueError::ColorFunction)?;
    let channel = |argument: Argument| match argument {
        Argument::Number(number) => unit(number / number_max).map_err(|_| beyond),
        Argument::Percent(percent) => unit(percent / 100.0).map_err(|_| beyond),
        Argument::Other => Err(ValueError::ColorFunction),
    };
    let [r, g, b] = channels;
    Ok(color(
        channel(r)?,
        channel(g)?,
        channel(b)?,
        alpha_of(alpha)?,
    ))
}

/// Functions that the crate reads, and whether their percents lie from 0 to 100 and may not go beyond. (Those of a lab's
/// axes are signed, and a chroma's have no end.)
const FUNCTIONS: [(&str, bool); 8] = [
    ("hsl", true),
    ("hsla", true),
    ("hwb", true),
    ("lab", false),
    ("lch", false),
    ("oklab", false),
    ("oklch", false),
    ("color", false),
];

/// `hsl(212 92% 45%)`, `hwb()`, `lab()`, `lch()`, `oklab()`, `oklch(62% 0.19 259 / 50%)`, `color(srgb-linear …)`,
/// `color(xyz …)`. Refused when the colour lies outside sRGB.
pub(super) fn function(text: &str, _: &ReadContext) -> Match {
    FUNCTIONS
        .iter()
        .find_map(|(name, bounded)| Some((arguments(text, name)?, *bounded, *name)))
        .map_or(Match::No, |(inside, bounded, name)| {
            Match::of(inside.and_then(|inside| converted(text, inside, bounded, name)))
        })
}

/// The spaces of `color()` that the crate reads, beside sRGB.
const SPACES: [&str; 4] = ["srgb-linear", "xyz", "xyz-d50", "xyz-d65"];

fn converted(text: &str, inside: &str, bounded: bool, name: &str) -> Result<Value, ValueError> {
    let inside = inside.trim();
    let numbers = if name == "color" {
        match inside.split_once(' ') {
            Some((space, numbers))
                if SPACES.iter().any(|known| known.eq_ignore_ascii_case(space)) =>
            {
                numbers
            }
            Some(_) | None => return Err(ValueError::ColorSpace),
        }
    } else {
        inside
    };
    let (numbers, alpha) = split_arguments(numbers).ok_or(ValueError::ColorFunction)?;
    let alpha = alpha_of(alpha)?;
    if bounded {
        for argument in &numbers[1..] {
            match *argument {
                Argument::Number(number) | Argument::Percent(number) => unit(number / 100.0)?,
                Argument::Other => return Err(ValueError::ColorFunction),
            };
        }
    }
    let parsed = csscolorparser::parse(text).map_err(|_| ValueError::ColorFunction)?;
    let channel = |value: f32| {
        if !value.is_finite() {
            Err(ValueError::ColorFunction)
        } else if (-ROUNDING..=1.0 + ROUNDING).contains(&value) {
            let value = f64::from(value.clamp(0.0, 1.0));
            Ok(match value {
                low if low < END => 0.0,
                high if high > 1.0 - END => 1.0,
                between => between,
            })
        } else {
            Err(ValueError::OutOfGamut)
        }
    };
    Ok(color(
        channel(parsed.r)?,
        channel(parsed.g)?,
        channel(parsed.b)?,
        alpha,
    ))
}

/// Longest name of CSS: `lightgoldenrodyellow`.
const NAME_BYTES_MAX: usize = 20;

/// `rebeccapurple`, `transparent`, where the type is known.
pub(super) fn name(text: &str, _: &ReadContext) -> Match {
    if text.len() > NAME_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Match::No;
    }
    match csscolorparser::parse(text) {
        Ok(found) => Match::Value(color(
            f64::from(found.r),
            f64::from(found.g),
            f64::from(found.b),
            f64::from(found.a),
        )),
        Err(_) => Match::No,
    }
}

/// A channel as one of the 256 steps of hex and `rgb()`, where it is just that to Figma.
fn byte(channel: f64) -> Option<u8> {
    let byte = (channel * 255.0).round();
    (channel as f32 == (byte / 255.0) as f32 && (0.0..=255.0).contains(&byte)).then_some(byte as u8)
}

/// Writes a colour in the notation of `like`: hex with its `#`, its case and its short form, or `rgb()` with its commas
/// and percent sign; alpha only where there is some. `None` for other notations, and for a colour between the steps.
pub(super) fn write_like(color: Rgba, like: &str) -> Option<String> {
    let opaque = color.a as f32 == 1.0;
    let bytes = [byte(color.r)?, byte(color.g)?, byte(color.b)?];
    let is_hex = like.starts_with('#') || hex_digits(like).is_some();
    if is_hex {
        let mut bytes = bytes.to_vec();
        if !opaque {
            bytes.push(byte(color.a)?);
        }
        let digits = like.trim_start_matches('#');
        let is_short = digits.len() < 6 && bytes.iter().all(|byte| byte % 17 == 0);
        let is_upper = digits.bytes().any(|digit| digit.is_ascii_uppercase())
            && !digits.bytes().any(|digit| digit.is_ascii_lowercase());
        let mut text = String::from(if like.starts_with('#') { "#" } else { "" });
        for byte in bytes {
            let letter = if is_upper { b'A' } else { b'a' };
            let digit = |half: u8| {
                char::from(if half < 10 {
                    b'0' + half
                } else {
                    letter + half - 10
                })
            };
            if !is_short {
                text.push(digit(byte >> 4));
            }
            text.push(digit(byte & 15));
        }
        return Some(text);
    }
    if !like.get(..3)?.eq_ignore_ascii_case("rgb") {
        return None;
    }
    let channels = bytes.map(|byte| decimal::write(f64::from(byte)));
    let alpha = if like.trim_end_matches([')', ' ']).ends_with('%') {
        let is_same = |percent: f64| (percent / 100.0) as f32 == color.a as f32;
        decimal::write_near(color.a * 100.0, &is_same) + "%"
    } else {
        decimal::write_32(color.a as f32)
    };
    Some(match (like.contains(','), opaque) {
        (true, true) => ["rgb(", &channels.join(", "), ")"].concat(),
        (true, false) => ["rgba(", &channels.join(", "), ", ", &alpha, ")"].concat(),
        (false, true) => ["rgb(", &channels.join(" "), ")"].concat(),
        (false, false) => ["rgb(", &channels.join(" "), " / ", &alpha, ")"].concat(),
    })
}

pub(super) fn write(color: Rgba) -> String {
    use std::fmt::Write as _;
    // The shortest text of the 32-bit float that Figma holds.
    let float = |channel: f64| decimal::write_32(channel as f32);
    let mut out = String::with_capacity(24);
    let opaque = color.a as f32 == 1.0;
    // Writing to a String can't fail.
    let _ = match (byte(color.r), byte(color.g), byte(color.b), byte(color.a)) {
        (Some(r), Some(g), Some(b), _) if opaque => write!(out, "#{r:02x}{g:02x}{b:02x}"),
        (Some(r), Some(g), Some(b), Some(a)) => write!(out, "#{r:02x}{g:02x}{b:02x}{a:02x}"),
        (Some(r), Some(g), Some(b), None) => {
            write!(out, "rgba({r}, {g}, {b}, {})", float(color.a))
        }
        _ => {
            let (r, g, b) = (float(color.r), float(color.g), float(color.b));
            if opaque {
                write!(out, "color(srgb {r} {g} {b})")
            } else {
                write!(out, "color(srgb {r} {g} {b} / {})", float(color.a))
            }
        }
    };
    out
}
