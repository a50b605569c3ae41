//! Design tokens: the format of the Design Tokens Community Group, 2025.10, and what Figma exports in it.
//!
//! Owns what tokens and variables are to each other. Must not know the document.
//!
//! The format knows no modes: a file is one mode of one collection, as Figma exports it. What it has no word for stands
//! in `$extensions` under the names that Figma's own export and import use.
//!
//! Sources: Design Tokens Format Module 2025.10 and Color Module 2025.10 (designtokens.org/TR/2025.10). Figma's names as
//! its exports show them.

mod read;
mod write;

pub use read::{DEPTH_MAX, TOKENS_MAX, read};
pub use write::{TokenFile, write};

/// The name of a file's mode, at the root.
const MODE_NAME: &str = "com.figma.modeName";
/// The name of a file's collection, at the root; ours, since a file's name can't hold every name.
const COLLECTION: &str = "sheetwire.collection";
/// A list of scopes.
const SCOPES: &str = "com.figma.scopes";
/// Code syntax by platform.
const CODE_SYNTAX: &str = "com.figma.codeSyntax";
/// Hidden from publishing.
const HIDDEN: &str = "com.figma.hiddenFromPublishing";
/// Which variable a value comes from, where it is another collection's.
const ALIAS_DATA: &str = "com.figma.aliasData";
/// The name of the target in [`ALIAS_DATA`].
const TARGET_NAME: &str = "targetVariableName";
/// The name of the target's collection in [`ALIAS_DATA`].
const TARGET_COLLECTION: &str = "targetVariableSetName";
/// The opacity that a colour has beside that of the variable in [`ALIAS_DATA`]; ours, Figma's export has no word for it.
const OPACITY: &str = "sheetwire.opacity";
/// The platforms of [`CODE_SYNTAX`], in our order.
const PLATFORMS: [&str; 3] = ["WEB", "ANDROID", "iOS"];
/// The token that stands for its group: a variable `color/brand` beside `color/brand/500`.
const ROOT: &str = "$root";

/// What a token's type makes of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenType {
    Color,
    Number,
    Dimension,
    FontFamily,
    FontWeight,
    Duration,
    CubicBezier,
    /// Figma's, not the format's.
    Text,
    /// Figma's, not the format's.
    Boolean,
    /// Several values in one: shadow, border, …
    Composite,
}

impl TokenType {
    fn of(name: &str) -> Option<TokenType> {
        Some(match name {
            "color" => TokenType::Color,
            "number" => TokenType::Number,
            "dimension" => TokenType::Dimension,
            "fontFamily" => TokenType::FontFamily,
            "fontWeight" => TokenType::FontWeight,
            "duration" => TokenType::Duration,
            "cubicBezier" => TokenType::CubicBezier,
            "string" => TokenType::Text,
            "boolean" => TokenType::Boolean,
            "strokeStyle" | "border" | "transition" | "shadow" | "gradient" | "typography" => {
                TokenType::Composite
            }
            _ => return None,
        })
    }
}
