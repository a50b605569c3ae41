//! Which cell a formula points at.
//!
//! Owns the plain references that a formula can consist of: `=B4`, `=$B$4`, `=Tokens!B4`, `='Base colours'!$B$4`. Must not know
//! whether there is such a tab or cell. Anything else, a sum, a function or a range, points at no one cell.

use super::{COLUMNS_MAX, ROWS_MAX};

/// A cell that a formula points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellReference {
    /// The tab's title; `None` for the formula's own tab.
    pub tab: Option<String>,
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
}

/// What a formula, with its `=`, points at; `None` for anything but a plain reference.
pub fn cell_reference(formula: &str) -> Option<CellReference> {
    let text = formula.strip_prefix('=')?.trim();
    let (tab, cell) = match text.strip_prefix('\'') {
        Some(quoted) => {
            let (tab, cell) = quoted.rsplit_once("'!")?;
            // Inside, a quote is written twice.
            let parts: Vec<&str> = tab.split("''").collect();
            if tab.is_empty() || parts.iter().any(|part| part.contains('\'')) {
                return None;
            }
            (Some(parts.join("'")), cell)
        }
        None => match text.split_once('!') {
            Some((tab, cell)) => {
                let is_plain = |sign: char| sign.is_alphanumeric() || sign == '_';
                if tab.is_empty() || !tab.chars().all(is_plain) {
                    return None;
                }
                (Some(String::from(tab)), cell)
            }
            None => (None, text),
        },
    };
    let cell = cell.strip_prefix('$').unwrap_or(cell);
    let letters = cell.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, digits) = cell.split_at(letters);
    let digits = digits.strip_prefix('$').unwrap_or(digits);
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    if letters.is_empty() || letters.len() > 3 || !is_number || digits.starts_with('0') {
        return None;
    }
    let column = letters.bytes().fold(0, |column, letter| {
        column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1
    }) - 1;
    let row = digits.parse::<u32>().ok()? - 1;
    (row < ROWS_MAX && column < COLUMNS_MAX).then_some(CellReference { tab, row, column })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::a1;

    #[test]
    fn plain_references() {
        for (formula, tab, row, column) in [
            ("=B4", None, 3, 1),
            ("= $b$4 ", None, 3, 1),
            ("=AA10", None, 9, 26),
            ("=Tokens!B4", Some("Tokens"), 3, 1),
            ("='Base colours'!$B$4", Some("Base colours"), 3, 1),
            ("='Ana''s'!B4", Some("Ana's"), 3, 1),
            ("=Größen!B4", Some("Größen"), 3, 1),
        ] {
            let tab = tab.map(String::from);
            let found = cell_reference(formula);
            assert_eq!(found, Some(CellReference { tab, row, column }), "{formula}");
        }
        for other in [
            "",
            "B4",
            "=",
            "=B",
            "=4",
            "=B0",
            "=B04",
            "=B4:B5",
            "=B4+1",
            "=SUM(B4)",
            "=B4*1",
            "=-B4",
            "=ABCD4",
            "=B99999999",
            "=B4294967297",
            "=!B4",
            "=A b!B4",
            "='A!B4",
            "=''!B4",
            "='A'B'!B4",
            "=\"B4\"",
            "=Tokens!Other!B4",
            "={B4}",
        ] {
            assert_eq!(cell_reference(other), None, "{other}");
        }
    }

    #[test]
    fn an_address_is_a_reference() {
        for (tab, row, column) in [("", 0, 0), ("Tokens", 13, 2), ("Ana's 2", 999, 701)] {
            let formula = ["=", &a1(tab, row, column)].concat();
            let tab = Some(String::from(tab)).filter(|tab| !tab.is_empty());
            assert_eq!(
                cell_reference(&formula),
                Some(CellReference { tab, row, column })
            );
        }
    }
}
