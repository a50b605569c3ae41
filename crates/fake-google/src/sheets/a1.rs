//! A1 notation: reading ranges as the API takes them, and writing them as it answers.
//!
//! Owns the notation. Must not know cells.

/// A rectangle of one sheet, zero-based and half-open. An end of `None` means up to the sheet's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Area {
    pub(crate) row: u32,
    pub(crate) column: u32,
    pub(crate) row_end: Option<u32>,
    pub(crate) column_end: Option<u32>,
}

/// An area whose ends are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rectangle {
    pub(crate) row: u32,
    pub(crate) column: u32,
    pub(crate) row_end: u32,
    pub(crate) column_end: u32,
}

impl Area {
    /// The area cut to a sheet of that size.
    pub(crate) fn within(&self, rows: u32, columns: u32) -> Rectangle {
        Rectangle {
            row: self.row,
            column: self.column,
            row_end: self.row_end.unwrap_or(rows).min(rows).max(self.row),
            column_end: self
                .column_end
                .unwrap_or(columns)
                .min(columns)
                .max(self.column),
        }
    }

    /// Whether that cell lies in it.
    pub(crate) fn holds(&self, row: u32, column: u32) -> bool {
        row >= self.row
            && column >= self.column
            && self.row_end.is_none_or(|end| row < end)
            && self.column_end.is_none_or(|end| column < end)
    }

    /// Whether it names one cell.
    pub(crate) fn is_cell(&self) -> bool {
        self.row_end == Some(self.row + 1) && self.column_end == Some(self.column + 1)
    }
}

impl Rectangle {
    /// Whether the two share a cell.
    pub(crate) fn meets(&self, other: &Rectangle) -> bool {
        self.row < other.row_end
            && other.row < self.row_end
            && self.column < other.column_end
            && other.column < self.column_end
    }
}

/// The most letters that a column has: `ZZZ` is column 18,278, which is also Sheets' limit.
const LETTERS_MAX: usize = 3;

/// One corner: column, row, or both; zero-based.
pub(crate) fn corner(text: &str) -> Option<(Option<u32>, Option<u32>)> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let mut at = 0;
    let dollar = |at: &mut usize| {
        if bytes.get(*at) == Some(&b'$') {
            *at += 1;
        }
    };
    dollar(&mut at);
    let letters_from = at;
    while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
        at += 1;
    }
    let letters = &text[letters_from..at];
    if letters.len() > LETTERS_MAX {
        return None;
    }
    let column = letters.bytes().fold(None, |sum: Option<u32>, letter| {
        Some(sum.map_or(0, |sum| sum * 26) + u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    });
    if !letters.is_empty() {
        dollar(&mut at);
    }
    let digits = &text[at..];
    let row = if digits.is_empty() {
        None
    } else if digits.bytes().all(|b| b.is_ascii_digit()) {
        Some(digits.parse::<u32>().ok()?.checked_sub(1)?)
    } else {
        return None;
    };
    if column.is_none() && row.is_none() {
        return None;
    }
    Some((column.map(|c| c - 1), row))
}

/// `B2`, `A1:C3`, `A:C`, `2:5`, `A5:A`; without a sheet. A single corner must be a cell.
pub(crate) fn area(text: &str) -> Option<Area> {
    match text.split_once(':') {
        None => match corner(text)? {
            (Some(column), Some(row)) => Some(Area {
                row,
                column,
                row_end: Some(row + 1),
                column_end: Some(column + 1),
            }),
            (Some(_), None) | (None, Some(_)) | (None, None) => None,
        },
        Some((first, second)) => {
            let (first_column, first_row) = corner(first)?;
            let (second_column, second_row) = corner(second)?;
            let span = |a: Option<u32>, b: Option<u32>| match (a, b) {
                (Some(a), Some(b)) => (a.min(b), Some(a.max(b) + 1)),
                (Some(a), None) | (None, Some(a)) => (a, None),
                (None, None) => (0, None),
            };
            let (row, row_end) = span(first_row, second_row);
            let (column, column_end) = span(first_column, second_column);
            Some(Area {
                row,
                column,
                row_end,
                column_end,
            })
        }
    }
}

/// Splits `'My tab'!A1:B2` into the sheet's title, if one stands there, and the rest, if any.
/// `None` when a quote does not end.
pub(crate) fn split(text: &str) -> Option<(Option<String>, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('\'') {
        let mut title = String::new();
        let mut characters = rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if character != '\'' {
                title.push(character);
                continue;
            }
            if characters.peek().is_some_and(|(_, next)| *next == '\'') {
                title.push('\'');
                characters.next();
                continue;
            }
            let after = &rest[at + 1..];
            return match after.strip_prefix('!') {
                Some(range) => Some((Some(title), Some(range))),
                None if after.is_empty() => Some((Some(title), None)),
                None => None,
            };
        }
        return None;
    }
    match text.rsplit_once('!') {
        Some((title, range)) => Some((Some(title.to_owned()), Some(range))),
        None => Some((None, Some(text))),
    }
}

/// A column's letters.
pub(crate) fn letters(column: u32) -> String {
    let mut out = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        out.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    out.iter().rev().collect()
}

/// A sheet's title as it stands before `!`: quoted unless it is a plain word.
pub(crate) fn quoted(title: &str) -> String {
    let plain = title.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !title.starts_with(|c: char| c.is_ascii_digit())
        && area(title).is_none()
        && !title.is_empty();
    if plain {
        title.to_owned()
    } else {
        format!("'{}'", title.replace('\'', "''"))
    }
}

/// A rectangle as the API answers it: `Tokens!A1:C3`, and `Tokens!B2` for one cell.
pub(crate) fn written(title: &str, area: &Rectangle) -> String {
    let first = format!("{}{}", letters(area.column), area.row + 1);
    let last = format!(
        "{}{}",
        letters(area.column_end.max(1) - 1),
        area.row_end.max(1)
    );
    let title = quoted(title);
    if first == last {
        format!("{title}!{first}")
    } else {
        format!("{title}!{first}:{last}")
    }
}

/// A range such as `Tokens!a1:$c3` as the API would answer it, in a sheet of that size; `None` for what is no range.
pub fn normalised(text: &str, rows: u32, columns: u32) -> Option<String> {
    let (title, range) = split(text)?;
    let area = area(range?)?.within(rows, columns);
    let is_inside = area.row < area.row_end && area.column < area.column_end;
    is_inside.then(|| written(title.as_deref().unwrap_or("Sheet1"), &area))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_read() {
        let area_of = |row, column, row_end, column_end| {
            Some(Area {
                row,
                column,
                row_end,
                column_end,
            })
        };
        assert_eq!(area("B2"), area_of(1, 1, Some(2), Some(2)));
        assert_eq!(area("$A$1:C3"), area_of(0, 0, Some(3), Some(3)));
        assert_eq!(area("C3:A1"), area_of(0, 0, Some(3), Some(3)));
        assert_eq!(area("A:C"), area_of(0, 0, None, Some(3)));
        assert_eq!(area("2:5"), area_of(1, 0, Some(5), None));
        assert_eq!(area("A5:A"), area_of(4, 0, None, Some(1)));
        for bad in ["", "A", "5", "A0", "AAAA1", "A1:B2:C3", "1A"] {
            assert_eq!(area(bad), None, "{bad}");
        }
    }

    #[test]
    fn titles_are_split_off_and_written() {
        assert_eq!(
            split("'It''s'!A1"),
            Some((Some("It's".to_owned()), Some("A1")))
        );
        assert_eq!(split("Tokens"), Some((None, Some("Tokens"))));
        assert_eq!(split("'open"), None);
        let cell = Rectangle {
            row: 13,
            column: 27,
            row_end: 14,
            column_end: 28,
        };
        assert_eq!(written("My tab", &cell), "'My tab'!AB14");
        assert_eq!(
            written(
                "Tokens",
                &Rectangle {
                    row: 0,
                    column: 0,
                    row_end: 2,
                    column_end: 3
                }
            ),
            "Tokens!A1:C2"
        );
    }
}
