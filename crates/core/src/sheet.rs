//! The sheet: its cells, their packing on the wire, A1 addresses and links.
//!
//! Owns the cell type and the one text form in which cells travel from the relay to the sandbox. Must not know
//! what a cell means.
//!
//! # Packing
//! A packed sheet is one string. Rows end with U+001E, cells within a row are separated by U+001F. The first
//! character of a cell is its kind; an empty cell is an empty string. Inside a cell, U+001D separates parts, and
//! any of U+001C to U+001F in a text is written as U+001C followed by the character plus 0x20.
//!
//! | kind | parts | meaning |
//! | --- | --- | --- |
//! | `t` | text | a text |
//! | `n` | number, shown | a number; `shown` is left out when it equals the number |
//! | `p` | number, shown | a number in percent format; `0.5` is shown as `50%` |
//! | `d` | number, shown | a date, time or duration: Sheets changed what was typed |
//! | `b` | `1` or `0` | TRUE or FALSE |
//! | `e` | shown | an error such as `#REF!`, or a cell still loading |
//! | `f` | formula, then one of the above | a formula and its result |
//!
//! Packed changes are a list of `row U+001F column U+001F cell U+001E`, row and column zero-based.

use crate::decimal;
use crate::owned;
use std::borrow::Cow;

mod difference;
mod link;
mod packed;
mod reference;

pub use difference::{Difference, diff};
pub use link::{LinkError, SheetLink, parse_link};
pub use packed::{
    CellView, Change, Changes, Kind, PackedError, Row, Rows, unpack_cell, unpack_changes,
    unpack_rows,
};
pub use reference::{CellReference, cell_reference};

/// Most columns of a sheet: Google's limit.
pub const COLUMNS_MAX: u32 = 18_278;
/// Most rows of a sheet: Google's limit of ten million cells, in one column.
pub const ROWS_MAX: u32 = 10_000_000;

/// Ends a row, or a change.
const ROW_END: char = '\u{1e}';
/// Separates cells within a row.
const CELL_SEPARATOR: char = '\u{1f}';
/// Separates the parts of a cell.
const PART_SEPARATOR: char = '\u{1d}';
/// Announces an escaped control character.
const ESCAPE: char = '\u{1c}';

/// One cell as the relay read it from Google.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What the cell holds.
    pub content: Content,
    /// The formula behind it, starting with `=`, where there is one.
    pub formula: Option<String>,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A number and how the sheet shows it.
    Number {
        /// The stored number.
        value: f64,
        /// As shown, in the sheet's locale and format.
        shown: String,
    },
    /// A number in percent format: `value` is 0.5 where `50%` is shown.
    Percent {
        /// The stored number.
        value: f64,
        /// As shown.
        shown: String,
    },
    /// A date, time or duration: in a sheet of tokens, something that Sheets changed.
    Date {
        /// The stored serial number, in days since 1899-12-30.
        value: f64,
        /// As shown.
        shown: String,
    },
    /// TRUE or FALSE.
    Bool(bool),
    /// An error, or a cell still loading; as shown, such as `#REF!` or `Loading…`.
    Error(String),
}

fn push_escaped(out: &mut String, text: &str) {
    if !text.bytes().any(|byte| (0x1c..=0x1f).contains(&byte)) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\u{1c}'..='\u{1f}' => {
                out.push(ESCAPE);
                out.push(char::from(character as u8 + 0x20));
            }
            _ => out.push(character),
        }
    }
}

/// Undoes the escaping of one part; borrows when there is nothing to undo.
pub fn unescape(part: &str) -> Cow<'_, str> {
    if !part.contains(ESCAPE) {
        return Cow::Borrowed(part);
    }
    let mut out = String::with_capacity(part.len());
    let mut characters = part.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE => match characters.next() {
                Some(escaped @ '<'..='?') => out.push(char::from(escaped as u8 - 0x20)),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Writes one cell in its packed form at the end of `out`.
pub fn push_cell(out: &mut String, cell: &Cell) {
    if let Some(formula) = &cell.formula {
        out.push('f');
        push_escaped(out, formula);
        out.push(PART_SEPARATOR);
    }
    let number = |out: &mut String, kind: char, value: f64, shown: &str| {
        let plain = value.to_string();
        out.push(kind);
        out.push_str(&plain);
        if plain != shown {
            out.push(PART_SEPARATOR);
            push_escaped(out, shown);
        }
    };
    match &cell.content {
        Content::Empty => {}
        Content::Text(text) => {
            out.push('t');
            push_escaped(out, text);
        }
        Content::Number { value, shown } => number(out, 'n', *value, shown),
        Content::Percent { value, shown } => number(out, 'p', *value, shown),
        Content::Date { value, shown } => number(out, 'd', *value, shown),
        Content::Bool(value) => out.push_str(if *value { "b1" } else { "b0" }),
        Content::Error(shown) => {
            out.push('e');
            push_escaped(out, shown);
        }
    }
}

/// Packs a whole sheet: `rows[r][c]`. Trailing empty cells of a row are left out.
pub fn pack(rows: &[Vec<Cell>]) -> String {
    let mut out = String::new();
    for row in rows {
        let filled = row
            .iter()
            .rposition(|cell| cell.content != Content::Empty || cell.formula.is_some())
            .map_or(0, |last| last + 1);
        for (index, cell) in row[..filled].iter().enumerate() {
            if index > 0 {
                out.push(CELL_SEPARATOR);
            }
            push_cell(&mut out, cell);
        }
        out.push(ROW_END);
    }
    out
}

/// Packs changed cells: zero-based row and column, and the cell as it is now.
pub fn pack_changes<'a>(changes: impl IntoIterator<Item = (u32, u32, &'a Cell)>) -> String {
    let mut out = String::new();
    for (row, column, cell) in changes {
        out.push_str(&row.to_string());
        out.push(CELL_SEPARATOR);
        out.push_str(&column.to_string());
        out.push(CELL_SEPARATOR);
        push_cell(&mut out, cell);
        out.push(ROW_END);
    }
    out
}

/// A1 notation of a zero-based row and column, with the tab's title quoted where Sheets quotes it:
/// `Tokens!C14`, `'My tokens'!C14`.
pub fn a1(sheet_title: &str, row: u32, column: u32) -> String {
    let mut letters = [0_u8; 7];
    let mut at = letters.len();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        at -= 1;
        letters[at] = b'A' + (rest % 26) as u8;
        rest /= 26;
    }
    let letters = std::str::from_utf8(&letters[at..]).unwrap_or("?");
    let row = row
        .checked_add(1)
        .map_or_else(|| owned("4294967296"), decimal::whole);
    let plain = !sheet_title.is_empty()
        && sheet_title
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !sheet_title.starts_with(|c: char| c.is_ascii_digit());
    if sheet_title.is_empty() {
        [letters, &row].concat()
    } else if plain {
        [sheet_title, "!", letters, &row].concat()
    } else {
        ["'", &sheet_title.replace('\'', "''"), "'!", letters, &row].concat()
    }
}
