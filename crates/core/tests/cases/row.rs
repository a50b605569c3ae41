//! Cases of `tests/cases/row/`: which type the cells of a row agree on.
//!
//! Owns how that is written in an expectation. Must not know columns or the document.

use crate::cells;
use crate::file::Case;
use crate::value::context;
use sheetwire_core::sheet::{CellView, push_cell};
use sheetwire_core::value::infer;
use std::fmt::Write as _;

/// Infers the type of each of the sheet's rows.
pub fn run(case: &Case) -> Result<String, String> {
    let context = context(case)?;
    let mut out = String::new();
    for row in case.table("sheet")? {
        let packed = row
            .iter()
            .map(|notation| {
                let mut packed = String::new();
                push_cell(&mut packed, &cells::cell(notation)?);
                Ok(packed)
            })
            .collect::<Result<Vec<_>, String>>()?;
        let told = match infer(packed.iter().map(|packed| CellView::new(packed)), &context) {
            Ok(Some(agreed)) => String::from(agreed.name()),
            Ok(None) => String::from("no cell tells a type"),
            Err(error) => format!("problem: {error}\n    remedy: {}", error.remedy()),
        };
        let _ = writeln!(out, "{} → {told}", row.join(" | "));
    }
    Ok(out)
}
