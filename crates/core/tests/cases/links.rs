//! Cases of `tests/cases/link/`: what a pasted link names.
//!
//! Owns how that is written in an expectation. Must not know the panel.

use crate::file::Case;
use sheetwire_core::sheet::parse_link;
use std::fmt::Write as _;

/// Reads each line of the block `pasted`.
pub fn run(case: &Case) -> Result<String, String> {
    let pasted = case
        .block("pasted")
        .ok_or_else(|| String::from("the case has no block `pasted`"))?;
    let mut out = String::new();
    for line in pasted.lines() {
        let told = match parse_link(line) {
            Ok(link) => match link.sheet_id {
                Some(sheet_id) => format!("{} tab {sheet_id}", link.spreadsheet_id),
                None => link.spreadsheet_id,
            },
            Err(error) => format!("problem: {error}\n    remedy: {}", error.remedy()),
        };
        let _ = writeln!(out, "{line} → {told}");
    }
    Ok(out)
}
