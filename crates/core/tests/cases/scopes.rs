//! Cases of `tests/cases/scopes/`: which scopes a cell lists.
//!
//! Owns how that is written in an expectation. Must not know variables.

use crate::file::Case;
use sheetwire_core::value::parse_scopes;
use std::fmt::Write as _;

/// Reads each cell of the sheet.
pub fn run(case: &Case) -> Result<String, String> {
    let mut out = String::new();
    for cell in case.table("sheet")?.into_iter().flatten() {
        let told = match parse_scopes(&cell) {
            Ok(None) => String::from("left alone"),
            Ok(Some(scopes)) if scopes.is_empty() => String::from("nowhere"),
            Ok(Some(scopes)) => scopes
                .iter()
                .map(|scope| scope.name())
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("problem: {error}\n    remedy: {}", error.remedy()),
        };
        let _ = writeln!(out, "{cell} → {told}");
    }
    Ok(out)
}
