//! The sheet as the engine keeps it: one packed text with the places of its rows, and the rows edited since.
//!
//! Owns access to rows and cells without unpacking the rest. Must not know what a cell means.

use std::borrow::Cow;

use crate::sheet::unescape;

const ROW_END: char = '\u{1e}';
const CELL_SEPARATOR: u8 = 0x1f;
const PART_SEPARATOR: char = '\u{1d}';

#[derive(Debug, Clone)]
enum RowText {
    Packed(u32, u32),
    Own(Box<str>),
}

/// A packed sheet and its rows.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    packed: String,
    rows: Vec<RowText>,
}

impl Grid {
    /// Forgets all rows and makes room for a packed sheet of `bytes`.
    pub fn clear(&mut self, bytes: usize) {
        self.packed.clear();
        self.packed.reserve(bytes);
        self.rows.clear();
    }

    /// Adds packed rows. A chunk ends at the end of a row; what follows the last row end is a row of its own.
    pub fn push(&mut self, chunk: &str) {
        let mut start = self.packed.len();
        self.packed.push_str(chunk);
        for row in chunk.split_terminator(ROW_END) {
            self.rows
                .push(RowText::Packed(start as u32, (start + row.len()) as u32));
            start += row.len() + 1;
        }
    }

    /// Rows in the sheet.
    pub fn rows(&self) -> u32 {
        self.rows.len() as u32
    }

    /// A packed row; empty beyond the end.
    pub fn row(&self, row: u32) -> &str {
        match self.rows.get(row as usize) {
            Some(RowText::Packed(from, to)) => &self.packed[*from as usize..*to as usize],
            Some(RowText::Own(text)) => text,
            None => "",
        }
    }

    /// Makes the sheet have exactly `rows`.
    pub fn set_rows(&mut self, rows: u32) {
        self.rows.resize(rows as usize, RowText::Own("".into()));
    }

    /// Replaces a row.
    pub fn set_row(&mut self, row: u32, text: String) {
        if self.rows() <= row {
            self.set_rows(row + 1);
        }
        self.rows[row as usize] = RowText::Own(text.into_boxed_str());
    }

    /// Puts a packed cell in its place; rows and cells before it come into being.
    pub fn set_cell(&mut self, row: u32, column: u32, packed: &str) {
        if self.rows() <= row {
            self.set_rows(row + 1);
        }
        let text = with_cell(self.row(row), column, packed);
        self.rows[row as usize] = RowText::Own(text.into_boxed_str());
    }
}

/// A packed row with one cell replaced; cells before it come into being.
pub fn with_cell(row: &str, column: u32, packed: &str) -> String {
    let mut text = String::with_capacity(row.len() + packed.len() + 1);
    let mut written = 0;
    for (at, cell) in Cells::new(row).enumerate() {
        if at > 0 {
            text.push(CELL_SEPARATOR as char);
        }
        text.push_str(if at as u32 == column { packed } else { cell });
        written += 1;
    }
    while written <= column {
        if written > 0 {
            text.push(CELL_SEPARATOR as char);
        }
        if written == column {
            text.push_str(packed);
        }
        written += 1;
    }
    text
}

/// The cells of a packed row, in order.
pub struct Cells<'a> {
    rest: Option<&'a str>,
}

impl<'a> Cells<'a> {
    /// Of one packed row; an empty row has one empty cell.
    pub fn new(row: &'a str) -> Cells<'a> {
        Cells { rest: Some(row) }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let bytes = rest.as_bytes();
        let mut at = 0;
        // A plain loop: an iterator's search costs the translated program more, and nothing runs more often.
        while at < bytes.len() && bytes[at] != CELL_SEPARATOR {
            at += 1;
        }
        match (at < bytes.len()).then_some(at) {
            Some(at) => {
                self.rest = Some(&rest[at + 1..]);
                Some(&rest[..at])
            }
            None => {
                self.rest = None;
                Some(rest)
            }
        }
    }
}

/// One packed cell of a packed row; empty beyond its end.
pub fn cell(row: &str, column: u32) -> &str {
    Cells::new(row).nth(column as usize).unwrap_or_default()
}

/// What [`named`] says of a cell in error or still loading.
pub const IN_ERROR: &str = "#ERROR!";

/// As [`shown`], for what tells rows apart: a cell in error or still loading is not as if nothing stood there.
pub fn named(packed: &str) -> Cow<'_, str> {
    let result = match packed.strip_prefix('f') {
        Some(rest) => rest
            .split_once(PART_SEPARATOR)
            .map_or("", |(_, result)| result),
        None => packed,
    };
    if result.starts_with('e') {
        Cow::Borrowed(IN_ERROR)
    } else {
        shown(packed)
    }
}

/// A packed cell as the text a person sees, trimmed; an error or a cell still loading is empty.
pub fn shown(packed: &str) -> Cow<'_, str> {
    let mut rest = packed;
    if rest.starts_with('f') {
        rest = rest
            .split_once(PART_SEPARATOR)
            .map_or("", |(_, result)| result);
    }
    let mut characters = rest.chars();
    let text = match characters.next() {
        Some('t') => unescape(characters.as_str()),
        Some('n' | 'p' | 'd') => {
            let parts = characters.as_str();
            unescape(
                parts
                    .split_once(PART_SEPARATOR)
                    .map_or(parts, |(_, shown)| shown),
            )
        }
        Some('b') => Cow::Borrowed(if characters.as_str() == "1" {
            "TRUE"
        } else {
            "FALSE"
        }),
        Some(_) | None => Cow::Borrowed(""),
    };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// One record of packed changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
    /// The packed cell.
    pub cell: &'a str,
}

/// Reads one record of packed changes (without its end); `None` when it is none.
pub fn change(record: &str) -> Option<Change<'_>> {
    let mut parts = record.splitn(3, CELL_SEPARATOR as char);
    Some(Change {
        row: parts.next()?.parse().ok()?,
        column: parts.next()?.parse().ok()?,
        cell: parts.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Grid, cell, change, shown};

    #[test]
    fn cells_are_set_inside_and_beyond_a_row() {
        let mut grid = Grid::default();
        grid.push("ta\u{1f}tb\u{1e}\u{1e}");
        grid.push("tc\u{1e}");
        assert_eq!(grid.rows(), 3);
        grid.set_cell(0, 1, "n1");
        grid.set_cell(1, 2, "tx");
        grid.set_cell(4, 0, "ty");
        assert_eq!(grid.row(0), "ta\u{1f}n1");
        assert_eq!(cell(grid.row(1), 2), "tx");
        assert_eq!(grid.row(2), "tc");
        assert_eq!(grid.rows(), 5);
        grid.set_rows(1);
        assert_eq!(grid.row(4), "");
    }

    #[test]
    fn a_cell_is_shown_as_people_see_it() {
        assert_eq!(shown("t a b "), "a b");
        assert_eq!(shown("n0.5\u{1d}0,50"), "0,50");
        assert_eq!(shown("f=A1\u{1d}tx"), "x");
        assert_eq!(shown("b0"), "FALSE");
        assert_eq!(shown("e#REF!"), "");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn changes_are_read_or_refused() {
        let read = change("3\u{1f}2\u{1f}ta").expect("a change");
        assert_eq!((read.row, read.column, read.cell), (3, 2, "ta"));
        assert_eq!(change("3\u{1f}x\u{1f}ta"), None);
        assert_eq!(change("3"), None);
    }
}
