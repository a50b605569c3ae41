//! References to other variables.
//!
//! Owns `{group/name}`, `{Collection:group/name}`, `{Library › Collection:group/name}` and the composed colour
//! `{group/name} / 50%`. Must not know whether a reference resolves.
//!
//! Points in the name part are group separators, as slashes are: a variable's name in Figma holds none. Before `:` they
//! belong to the collection's name. A backslash takes `:`, `›`, `{`, `}` and `\` for themselves.

use super::{Reading, ValueError, VariableType};
use crate::decimal;
use serde::{Deserialize, Serialize};

/// Between a library's name and a collection's.
const LIBRARY_SEPARATOR: char = '›';
/// Between a collection's name and a variable's.
const COLLECTION_SEPARATOR: char = ':';

/// Which variable a reference means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AliasRef {
    /// The library's name, where one is given.
    pub library: Option<String>,
    /// The collection's name, where one is given; otherwise the row's own collection is meant first.
    pub collection: Option<String>,
    /// The variable's name, groups by `/`.
    pub name: String,
}

impl std::fmt::Display for AliasRef {
    /// Writes the reference so that reading gives it back.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{")?;
        if let Some(library) = &self.library {
            write_part(f, library)?;
            f.write_str(" › ")?;
        }
        if let Some(collection) = &self.collection {
            write_part(f, collection)?;
            f.write_str(":")?;
        }
        write_part(f, &self.name)?;
        f.write_str("}")
    }
}

fn write_part(f: &mut std::fmt::Formatter<'_>, part: &str) -> std::fmt::Result {
    use std::fmt::Write as _;
    for character in part.chars() {
        if is_syntax(character) {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    Ok(())
}

fn is_syntax(character: char) -> bool {
    matches!(
        character,
        LIBRARY_SEPARATOR | COLLECTION_SEPARATOR | '{' | '}' | '\\'
    )
}

/// Reads a trimmed text that begins with `{`. `None` when it is no whole-cell reference, and so perhaps a text.
pub(super) fn read(
    text: &str,
    expected: Option<VariableType>,
) -> Option<Result<Reading, ValueError>> {
    let is_text = expected == Some(VariableType::String);
    let Some(end) = closing(text) else {
        return (!is_text).then_some(Err(ValueError::Alias));
    };
    let after = text[end + 1..].trim_start();
    if after.is_empty() {
        return match parse(&text[1..end]) {
            Some(alias) => Some(Ok(Reading::Alias(alias))),
            None if is_text => None,
            None => Some(Err(ValueError::Alias)),
        };
    }
    // Text goes on after the reference: `{count} items`, `{a} + {b}`.
    match expected {
        None | Some(VariableType::Color) => {}
        Some(
            VariableType::Float
            | VariableType::String
            | VariableType::Boolean
            | VariableType::Easing
            | VariableType::Timing,
        ) => return None,
    }
    let opacity = after.strip_prefix('/')?.trim();
    if expected.is_none() && !opacity.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let alias = match parse(&text[1..end]) {
        Some(alias) => alias,
        None => return Some(Err(ValueError::Alias)),
    };
    if is_reference(opacity) {
        return Some(Err(ValueError::OpacityReference));
    }
    Some(
        read_opacity(opacity)
            .map(|opacity| Reading::Composed { alias, opacity })
            .ok_or(ValueError::Opacity),
    )
}

/// Whether a text is one reference and nothing else.
fn is_reference(text: &str) -> bool {
    let inside = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(|inside| !inside.contains(['{', '}']) && parse(inside).is_some())
}

/// `50%` or `0.5`, as 0 to 1.
fn read_opacity(text: &str) -> Option<f64> {
    let value = match text.strip_suffix('%') {
        Some(percent) => decimal::parse_scaled(percent.trim_end(), -2),
        None => decimal::parse(text),
    };
    value.filter(|value| (0.0..=1.0).contains(value))
}

/// Where the brace that opens `text` is closed; `None` when it never is, or another opens inside.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => return None,
            b'}' => return Some(at),
            _ => {}
        }
    }
    None
}

/// What stands between the braces.
fn parse(inside: &str) -> Option<AliasRef> {
    let (path, name) = match find(inside, COLLECTION_SEPARATOR) {
        Some(at) => (Some(&inside[..at]), &inside[at + 1..]),
        None => (None, inside),
    };
    let (library, collection) = match path {
        None => (None, None),
        Some(path) => match find(path, LIBRARY_SEPARATOR) {
            Some(at) => (
                Some(&path[..at]),
                Some(&path[at + LIBRARY_SEPARATOR.len_utf8()..]),
            ),
            None => (None, Some(path)),
        },
    };
    let part = |text: &str| Some(unescape(text.trim())).filter(|text| !text.is_empty());
    let required = |text: Option<&str>| match text {
        None => Some(None),
        Some(text) => part(text).map(Some),
    };
    Some(AliasRef {
        library: required(library)?,
        collection: required(collection)?,
        name: part(name)?.replace('.', "/"),
    })
}

/// Where `separator` first stands unescaped.
fn find(text: &str, separator: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, character)| {
        if escaped {
            escaped = false;
            return None;
        }
        escaped = character == '\\';
        (character == separator).then_some(at)
    })
}

fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return String::from(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek().copied()) {
            ('\\', Some(next)) if is_syntax(next) => {
                out.push(next);
                characters.next();
            }
            (character, _) => out.push(character),
        }
    }
    out
}
