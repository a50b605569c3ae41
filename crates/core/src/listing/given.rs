//! A value as Figma's plugin API gives it.
//!
//! Owns its forms, their reading from JSON, and how one is written for people. Must not know variables or what an alias
//! leads to.

use crate::decimal;
use crate::value::{Rgba, Value, VariableType, write};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// What a variable holds in a mode.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Nothing: the mode was just added, or its value got lost.
    Nothing,
    /// A number; of a TIMING variable, milliseconds.
    Number(f64),
    /// TRUE or FALSE.
    Boolean(bool),
    /// A text.
    Text(String),
    /// A colour.
    Color(Rgba),
    /// Another variable's value: its id.
    Alias(String),
    /// Another variable's colour with an opacity of its own.
    Composed {
        /// The variable's id.
        id: String,
        /// 0 to 100.
        percent: f64,
    },
    /// The control points of a cubic Bézier curve.
    Curve([f64; 4]),
    /// Something this version does not know, such as a spring, or an opacity that is a variable.
    Other,
}

impl Given {
    /// The variable that it refers to.
    pub fn target(&self) -> Option<&str> {
        match self {
            Given::Alias(id) | Given::Composed { id, .. } => Some(id),
            Given::Nothing
            | Given::Number(_)
            | Given::Boolean(_)
            | Given::Text(_)
            | Given::Color(_)
            | Given::Curve(_)
            | Given::Other => None,
        }
    }

    /// The value that it is for a variable of a type; `None` for a reference, for nothing, and for what does not fit.
    pub fn value(&self, kind: VariableType) -> Option<Value> {
        match (self, kind) {
            (Given::Number(number), VariableType::Float) => Some(Value::Float(*number)),
            (Given::Number(number), VariableType::Timing) => Some(Value::Timing(*number)),
            (Given::Boolean(value), VariableType::Boolean) => Some(Value::Boolean(*value)),
            (Given::Text(text), VariableType::String) => Some(Value::String(text.clone())),
            (Given::Color(color), VariableType::Color) => Some(Value::Color(*color)),
            (Given::Curve(points), VariableType::Easing) => Some(Value::Easing(*points)),
            (
                Given::Nothing
                | Given::Number(_)
                | Given::Boolean(_)
                | Given::Text(_)
                | Given::Color(_)
                | Given::Alias(_)
                | Given::Composed { .. }
                | Given::Curve(_)
                | Given::Other,
                _,
            ) => None,
        }
    }

    /// The value in words; a reference by its id. Empty for nothing.
    pub fn text(&self, kind: Option<VariableType>) -> String {
        match self {
            Given::Nothing => String::new(),
            Given::Number(ms) if kind == Some(VariableType::Timing) => {
                [&number(*ms), "ms"].concat()
            }
            Given::Number(value) => number(*value),
            Given::Boolean(value) => write(&Value::Boolean(*value)),
            Given::Text(text) | Given::Alias(text) | Given::Composed { id: text, .. } => {
                text.clone()
            }
            Given::Color(color) => hex(*color),
            Given::Curve(points) => ["cubic-bezier(", &points.map(number).join(", "), ")"].concat(),
            Given::Other => String::from("…"),
        }
    }
}

/// A number that Figma keeps as a 32-bit float, in the fewest decimals.
pub(super) fn number(value: f64) -> String {
    decimal::write_32(value as f32)
}

/// A colour as `#rrggbb`, or `#rrggbbaa` where it is not opaque.
pub(super) fn hex(color: Rgba) -> String {
    let mut text = String::from("#");
    let alpha = (color.a < 1.0).then_some(color.a);
    for channel in [color.r, color.g, color.b].into_iter().chain(alpha) {
        let byte = (channel.clamp(0.0, 1.0) * 255.0).round() as u8;
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Given;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("a variable's value")
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Given, E> {
        Ok(Given::Boolean(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Given, E> {
        Ok(Given::Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Given, E> {
        Ok(Given::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Given, E> {
        Ok(Given::Number(value as f64))
    }

    fn visit_str<E>(self, value: &str) -> Result<Given, E> {
        Ok(Given::Text(String::from(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        let (mut channels, mut id, mut alias) = ([None; 4], None, false);
        let (mut color, mut opacity, mut curve) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "r" => channels[0] = map.next_value()?,
                "g" => channels[1] = map.next_value()?,
                "b" => channels[2] = map.next_value()?,
                "a" => channels[3] = map.next_value()?,
                "type" => alias = map.next_value::<String>()? == "VARIABLE_ALIAS",
                "id" => id = Some(map.next_value::<String>()?),
                "color" => color = Some(map.next_value::<Given>()?),
                "opacity" => opacity = Some(map.next_value::<Given>()?),
                "easingFunctionCubicBezier" => curve = Some(map.next_value::<Curve>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(match (channels, id, curve) {
            ([Some(r), Some(g), Some(b), a], _, _) => Given::Color(Rgba {
                r,
                g,
                b,
                a: a.unwrap_or(1.0),
            }),
            (_, Some(id), _) if alias => Given::Alias(id),
            (_, _, Some(Curve { x1, y1, x2, y2 })) => Given::Curve([x1, y1, x2, y2]),
            _ => match (color, opacity) {
                (Some(Given::Alias(id)), Some(Given::Number(percent))) => {
                    Given::Composed { id, percent }
                }
                _ => Given::Other,
            },
        })
    }
}

#[derive(Deserialize)]
struct Curve {
    x1: f64,
    y1: f64,
    x2: f64,
    y2: f64,
}
