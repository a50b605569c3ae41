//! Headers: the text over each column, from one header row or two.
//!
//! Owns how the texts of two header rows become one. Must not know what a column is for.

use super::COLUMNS_MAX;
use super::grid::{Cells, Grid, shown};
use super::inference::role_of_header;
use crate::protocol::panel::Brands;

/// Between the texts of two header rows.
pub(super) const BETWEEN: &str = " / ";

/// The texts over a column.
pub(super) struct Header {
    /// From the upper header row, that of the merged cell it stands under included; empty where there is none.
    pub upper: String,
    /// From the header row.
    pub lower: String,
}

/// The headers of the columns; `row` is the lower header row where there are two.
pub(super) fn pairs(grid: &Grid, row: u32, brands: Brands) -> Vec<Header> {
    let texts = |row: u32| {
        Cells::new(grid.row(row))
            .take(COLUMNS_MAX as usize)
            .map(|packed| shown(packed).into_owned())
            .collect::<Vec<String>>()
    };
    let lower = texts(row);
    let upper = match (brands, row.checked_sub(1)) {
        (Brands::None, _) | (_, None) => Vec::new(),
        (Brands::Modes | Brands::Collections, Some(above)) => texts(above),
    };
    pair(&upper, lower)
}

/// Pairs the texts of two header rows.
fn pair(upper: &[String], mut lower: Vec<String>) -> Vec<Header> {
    if lower.len() < upper.len() {
        lower.resize(upper.len(), String::new());
    }
    let mut over = "";
    let mut found = Vec::with_capacity(lower.len());
    for (column, lower) in lower.into_iter().enumerate() {
        let own = upper.get(column).map_or("", String::as_str);
        if !own.is_empty() {
            over = own;
        }
        // A field's own header ends the merged cell: Acme, then Description.
        if own.is_empty() && (lower.is_empty() || role_of_header(&lower).is_some()) {
            over = "";
        }
        found.push(Header {
            upper: over.to_owned(),
            lower,
        });
        if found.last().is_some_and(|header| header.lower.is_empty()) {
            over = "";
        }
    }
    found
}

/// The text over each column: of two header rows `Acme / Light`.
pub fn headers(grid: &Grid, row: u32, brands: Brands) -> Vec<String> {
    one(pairs(grid, row, brands))
}

/// The texts of two header rows as one, as [`headers`] gives them.
pub fn joined(upper: &[String], lower: Vec<String>) -> Vec<String> {
    one(pair(upper, lower))
}

fn one(pairs: Vec<Header>) -> Vec<String> {
    let pairs = pairs.into_iter();
    pairs
        .map(|header| match (&*header.upper, &*header.lower) {
            (_, "") => header.upper,
            ("", _) => header.lower,
            (upper, lower) => [upper, BETWEEN, lower].concat(),
        })
        .collect()
}
