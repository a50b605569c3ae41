//! Figma's scopes: where a variable is offered.
//!
//! Owns their names (the union `VariableScope` of `@figma/plugin-typings` 1.142), the list that a cell holds, and which
//! type can have which. A cell is not judged by that: Figma says so itself.

use super::VariableType;
use serde::{Deserialize, Serialize};

/// Where a variable is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the names are Figma's and listed in its typings"
)]
pub enum Scope {
    AllScopes,
    TextContent,
    CornerRadius,
    WidthHeight,
    Gap,
    AllFills,
    FrameFill,
    ShapeFill,
    TextFill,
    StrokeColor,
    StrokeFloat,
    EffectFloat,
    EffectColor,
    Opacity,
    ColorOpacity,
    FontFamily,
    FontStyle,
    FontWeight,
    FontSize,
    LineHeight,
    LetterSpacing,
    ParagraphSpacing,
    ParagraphIndent,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 23] = [
        Scope::AllScopes,
        Scope::TextContent,
        Scope::CornerRadius,
        Scope::WidthHeight,
        Scope::Gap,
        Scope::AllFills,
        Scope::FrameFill,
        Scope::ShapeFill,
        Scope::TextFill,
        Scope::StrokeColor,
        Scope::StrokeFloat,
        Scope::EffectFloat,
        Scope::EffectColor,
        Scope::Opacity,
        Scope::ColorOpacity,
        Scope::FontFamily,
        Scope::FontStyle,
        Scope::FontWeight,
        Scope::FontSize,
        Scope::LineHeight,
        Scope::LetterSpacing,
        Scope::ParagraphSpacing,
        Scope::ParagraphIndent,
    ];

    /// Whether a variable of a type can have it, as Figma's panel for variables offers them.
    pub fn fits(self, kind: VariableType) -> bool {
        match self {
            Scope::AllScopes => true,
            Scope::TextContent => matches!(kind, VariableType::Float | VariableType::String),
            Scope::AllFills
            | Scope::FrameFill
            | Scope::ShapeFill
            | Scope::TextFill
            | Scope::StrokeColor
            | Scope::EffectColor => kind == VariableType::Color,
            Scope::FontFamily | Scope::FontStyle => kind == VariableType::String,
            Scope::CornerRadius
            | Scope::WidthHeight
            | Scope::Gap
            | Scope::StrokeFloat
            | Scope::EffectFloat
            | Scope::Opacity
            | Scope::ColorOpacity
            | Scope::FontWeight
            | Scope::FontSize
            | Scope::LineHeight
            | Scope::LetterSpacing
            | Scope::ParagraphSpacing
            | Scope::ParagraphIndent => kind == VariableType::Float,
        }
    }

    /// Figma's name.
    pub fn name(self) -> &'static str {
        match self {
            Scope::AllScopes => "ALL_SCOPES",
            Scope::TextContent => "TEXT_CONTENT",
            Scope::CornerRadius => "CORNER_RADIUS",
            Scope::WidthHeight => "WIDTH_HEIGHT",
            Scope::Gap => "GAP",
            Scope::AllFills => "ALL_FILLS",
            Scope::FrameFill => "FRAME_FILL",
            Scope::ShapeFill => "SHAPE_FILL",
            Scope::TextFill => "TEXT_FILL",
            Scope::StrokeColor => "STROKE_COLOR",
            Scope::StrokeFloat => "STROKE_FLOAT",
            Scope::EffectFloat => "EFFECT_FLOAT",
            Scope::EffectColor => "EFFECT_COLOR",
            Scope::Opacity => "OPACITY",
            Scope::ColorOpacity => "COLOR_OPACITY",
            Scope::FontFamily => "FONT_FAMILY",
            Scope::FontStyle => "FONT_STYLE",
            Scope::FontWeight => "FONT_WEIGHT",
            Scope::FontSize => "FONT_SIZE",
            Scope::LineHeight => "LINE_HEIGHT",
            Scope::LetterSpacing => "LETTER_SPACING",
            Scope::ParagraphSpacing => "PARAGRAPH_SPACING",
            Scope::ParagraphIndent => "PARAGRAPH_INDENT",
        }
    }
}

/// A cell of the scopes column that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A word that is no scope.
    #[error("Scope {position} in this cell is not one that Figma knows.")]
    Unknown {
        /// Which of the cell's words, from one.
        position: usize,
    },
    /// `all` or `none` beside other scopes.
    #[error("ALL_SCOPES and none stand alone.")]
    Alone,
}

impl ScopeError {
    /// What the designer can do about it, one sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            ScopeError::Unknown { .. } => {
                "Write Figma's names with commas between them, such as FRAME_FILL, TEXT_FILL, or ALL_SCOPES."
            }
            ScopeError::Alone => {
                "Write ALL_SCOPES or none alone, or only the scopes that you want."
            }
        }
    }
}

/// Reads a cell of the scopes column: Figma's names in any case, with commas between them; spaces and hyphens may stand
/// for `_`. `all` is `ALL_SCOPES`, `none` is no scope at all. `Ok(None)` for an empty cell, which leaves the scopes
/// alone; otherwise sorted, each once.
///
/// # Errors
/// [`ScopeError`] for a word that is no scope, or for `all` or `none` beside others.
pub fn parse_scopes(text: &str) -> Result<Option<Vec<Scope>>, ScopeError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut scopes = Vec::new();
    let mut words = 0;
    let mut none = false;
    for (at, word) in text.split([',', ';', '\n']).enumerate() {
        let word = word.trim();
        if word.is_empty() {
            continue;
        }
        words += 1;
        if word.eq_ignore_ascii_case("none") {
            none = true;
        } else if word.eq_ignore_ascii_case("all") {
            scopes.push(Scope::AllScopes);
        } else {
            let scope = Scope::ALL
                .into_iter()
                .find(|scope| is_name(word, scope.name()))
                .ok_or(ScopeError::Unknown { position: at + 1 })?;
            scopes.push(scope);
        }
    }
    scopes.sort_unstable_by_key(|scope| scope.name());
    scopes.dedup();
    if words > 1 && (none || (scopes.len() > 1 && scopes.contains(&Scope::AllScopes))) {
        return Err(ScopeError::Alone);
    }
    Ok((words > 0).then_some(scopes))
}

fn is_name(word: &str, name: &str) -> bool {
    word.len() == name.len()
        && word.bytes().zip(name.bytes()).all(|(found, expected)| {
            found.eq_ignore_ascii_case(&expected)
                || (expected == b'_' && matches!(found, b' ' | b'-'))
        })
}
