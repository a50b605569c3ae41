//! Cells as a case file writes them.
//!
//! Owns the notation (tests/cases/README.md). Must not know what a cell means.

use sheetwire_core::sheet::{Cell, Content};

/// Reads one cell: `<number 0.5 shown 0.50>`, `<percent 0.5 shown 50%>`, `<date 46120 shown 4/8>`, `<true>`, `<false>`,
/// `<error #REF!>`, `<empty>`, `<text  with spaces >`, `<formula =A1 gives #fff>`; anything else is a text, and nothing is an empty cell.
pub fn cell(notation: &str) -> Result<Cell, String> {
    let plain = |content| {
        Ok(Cell {
            content,
            formula: None,
        })
    };
    let Some(inside) = notation
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    else {
        return plain(if notation.is_empty() {
            Content::Empty
        } else {
            Content::Text(String::from(notation))
        });
    };
    let (kind, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    if kind == "formula" {
        let (formula, result) = rest.split_once(" gives ").unwrap_or((rest, ""));
        return Ok(Cell {
            formula: Some(String::from(formula)),
            ..cell(result)?
        });
    }
    let number = || {
        let (value, shown) = rest.split_once(" shown ").unwrap_or((rest, rest));
        value
            .parse::<f64>()
            .map(|value| (value, String::from(shown)))
            .map_err(|_| format!("no number in the cell {notation}"))
    };
    plain(match kind {
        "number" => number().map(|(value, shown)| Content::Number { value, shown })?,
        "percent" => number().map(|(value, shown)| Content::Percent { value, shown })?,
        "date" => number().map(|(value, shown)| Content::Date { value, shown })?,
        "true" => Content::Bool(true),
        "false" => Content::Bool(false),
        "error" => Content::Error(String::from(rest)),
        "empty" => Content::Empty,
        "text" => Content::Text(String::from(rest)),
        _ => return Err(format!("no such cell: {notation}")),
    })
}
