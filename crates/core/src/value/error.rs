//! What can be wrong with a cell, in words for its owner.
//!
//! Owns the errors, their messages and remedies. Must not know addresses, nor repeat what a cell holds.

use super::{Composite, VariableType};

/// A cell that says something, but nothing its variable can hold. It never carries the cell's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum ValueError {
    /// Not written in any form of the type.
    Expected {
        /// The variable's type.
        expected: VariableType,
    },
    /// Sheets turned what was typed into a number, a date or a boolean.
    Mangled {
        /// The variable's type, where it is known.
        expected: Option<VariableType>,
    },
    /// Several values, or one that must be computed.
    Composite(Composite),
    /// Without a type, the text may be a text or a value of this type.
    TypeNeeded {
        /// What it may be.
        maybe: VariableType,
    },
    /// `#` with another number of hex digits than 3, 4, 6 or 8, or other characters.
    Hex,
    /// A colour function with arguments that can't be read.
    ColorFunction,
    /// A channel or alpha outside its range.
    ColorRange,
    /// `color()` with a space that can't be read.
    ColorSpace,
    /// A colour that sRGB, and so Figma, can't show.
    OutOfGamut,
    /// The number is too large for Figma.
    NumberRange,
    /// Separators that the sheet's locale does not use so.
    NumberSeparators,
    /// `1.234` in a locale that groups thousands by points.
    NumberAmbiguous,
    /// A unit that depends on where it is used, or is not a screen's.
    Unit,
    /// `cubic-bezier()` without four numbers.
    Easing,
    /// Control points whose x is not 0 to 1.
    EasingRange,
    /// A reference without a name, or not closed.
    Alias,
    /// What follows `/` after a reference is no opacity.
    Opacity,
    /// What follows `/` after a reference is another reference.
    OpacityReference,
    /// The cell can't be read as it came over the wire.
    Unreadable,
}

impl ValueError {
    /// What is wrong and what was expected.
    pub fn message(self) -> &'static str {
        match self {
            ValueError::Expected { expected } => match expected {
                VariableType::Color => "A colour was expected, and this can't be read as one.",
                VariableType::Float => "A number was expected, and this can't be read as one.",
                VariableType::String => "A text was expected, and this can't be read as one.",
                VariableType::Boolean => "TRUE or FALSE was expected.",
                VariableType::Easing => "An easing was expected, and this can't be read as one.",
                VariableType::Timing => "A duration was expected, and this can't be read as one.",
            },
            ValueError::Mangled { expected } => match expected {
                None => "The cell holds a date or a time. Sheets changed this value.",
                Some(VariableType::Color) => "A colour was expected. Sheets changed this value.",
                Some(VariableType::Float) => "A number was expected. Sheets changed this value.",
                Some(VariableType::String) => "A text was expected. Sheets changed this value.",
                Some(VariableType::Boolean) => {
                    "TRUE or FALSE was expected. Sheets changed this value."
                }
                Some(VariableType::Easing) => "An easing was expected. Sheets changed this value.",
                Some(VariableType::Timing) => "A duration was expected. Sheets changed this value.",
            },
            ValueError::Composite(composite) => composite.message(),
            ValueError::TypeNeeded { maybe } => match maybe {
                VariableType::Color => "This may be a colour or a text.",
                VariableType::Easing => "This may be an easing or a text.",
                VariableType::Float
                | VariableType::String
                | VariableType::Boolean
                | VariableType::Timing => "The type of this value can't be told from the cell.",
            },
            ValueError::Hex => {
                "A hex colour has 3, 4, 6 or 8 digits from 0 to 9 and a to f after the #."
            }
            ValueError::ColorFunction => "The numbers of this colour can't be read.",
            ValueError::ColorRange => "A channel or the alpha of this colour is outside its range.",
            ValueError::OutOfGamut => {
                "This colour lies outside sRGB, which is all that Figma's variables hold."
            }
            ValueError::ColorSpace => {
                "Of the spaces of color() only srgb, srgb-linear and xyz can be read."
            }
            ValueError::NumberRange => "This number is too large for Figma.",
            ValueError::NumberSeparators => {
                "The points and commas of this number are not those of the sheet's locale."
            }
            ValueError::NumberAmbiguous => {
                "In the sheet's locale the point may group thousands, so this number can be read in two ways."
            }
            ValueError::Unit => "A variable can't hold this unit, only px, rem, %, ms and s.",
            ValueError::Easing => "cubic-bezier() needs four numbers.",
            ValueError::EasingRange => {
                "The first and third number of cubic-bezier() must be from 0 to 1."
            }
            ValueError::Alias => "This reference has no name, or its braces don't match.",
            ValueError::OpacityReference => {
                "Sheetwire does not write an opacity that is itself a reference."
            }
            ValueError::Opacity => {
                "After the reference and / an opacity was expected, from 0% to 100% or from 0 to 1."
            }
            ValueError::Unreadable => "This cell did not arrive whole.",
        }
    }

    /// What the designer can do about it, one or two sentences.
    pub fn remedy(self) -> &'static str {
        match self {
            ValueError::Expected { expected } => match expected {
                VariableType::Color => "Write it as #rrggbb, rgb(), hsl(), oklch() or a CSS name.",
                VariableType::Float => "Write one number, plain or with px, rem or %.",
                VariableType::String => "Format the cell as plain text and retype it.",
                VariableType::Boolean => "Write TRUE or FALSE.",
                VariableType::Easing => {
                    "Write it as cubic-bezier(0.4, 0, 0.2, 1), linear, ease, ease-in, ease-out or ease-in-out."
                }
                VariableType::Timing => "Write it as 200ms or 0.2s.",
            },
            ValueError::Mangled { .. } => "Format the column as plain text and retype it.",
            ValueError::Composite(composite) => composite.remedy(),
            ValueError::TypeNeeded { .. } => "Put the type in a type column.",
            ValueError::Hex => "Write it as #rgb, #rgba, #rrggbb or #rrggbbaa.",
            ValueError::ColorFunction => {
                "Write three numbers and an alpha if you need one, such as rgb(0, 82, 204) or oklch(62% 0.19 259 / 50%)."
            }
            ValueError::ColorRange => {
                "Keep red, green and blue from 0 to 255, percents from 0% to 100% and alpha from 0 to 1."
            }
            ValueError::OutOfGamut => {
                "Lower the chroma, or write the nearest sRGB colour as #rrggbb."
            }
            ValueError::ColorSpace => "Write the colour as #rrggbb, rgb() or oklch().",
            ValueError::NumberRange => "Write a smaller number.",
            ValueError::NumberSeparators => {
                "Write the number as the sheet's locale does, without grouping thousands."
            }
            ValueError::NumberAmbiguous => {
                "Write the decimals after a comma, or leave the thousands ungrouped."
            }
            ValueError::Unit => "Write the number without a unit, or in px or rem.",
            ValueError::Easing | ValueError::EasingRange => {
                "Write it as cubic-bezier(0.4, 0, 0.2, 1)."
            }
            ValueError::Alias => {
                "Write it as {group/name} or {Collection:group/name}. Begin with \\ when the braces are text."
            }
            ValueError::Opacity => "Write it as {group/name} / 50%.",
            ValueError::OpacityReference => {
                "Write the opacity's own value, as {group/name} / 50%, or set the reference in Figma and empty this cell: then it is left alone."
            }
            ValueError::Unreadable => "Sync again. If it stays, edit the cell.",
        }
    }
}
