//! Cases of `tests/cases/value/`: what one cell is read as.
//!
//! Owns how a reading is written in an expectation. Must not know rows or the document.

use crate::cells;
use crate::file::Case;
use sheetwire_core::sheet::{CellView, push_cell};
use sheetwire_core::value::{
    AliasRef, REM_BASE_PX_DEFAULT, ReadContext, Reading, Value, parse_type, read, write,
};
use std::fmt::Write as _;

/// The context of the fields `locale` and `rem`.
pub fn context(case: &Case) -> Result<ReadContext, String> {
    let rem_base_px = match case.field("rem") {
        Some(px) => px.parse().map_err(|_| String::from("rem is no number"))?,
        None => REM_BASE_PX_DEFAULT,
    };
    Ok(ReadContext::new(
        case.field("locale").unwrap_or("en_US"),
        rem_base_px,
    ))
}

/// Reads the sheet's rows `type | cell`.
pub fn run(case: &Case) -> Result<String, String> {
    let context = context(case)?;
    let mut out = String::new();
    for row in case.table("sheet")? {
        let [kind, notation] = row.as_slice() else {
            return Err(format!("a row is `type | cell`, not {row:?}"));
        };
        let expected = parse_type(kind).map_err(|_| format!("no such type: {kind}"))?;
        let mut packed = String::new();
        push_cell(&mut packed, &cells::cell(notation)?);
        let told = match read(CellView::new(&packed), expected, &context) {
            Ok(reading) => reading_text(&reading),
            Err(error) => format!(
                "problem: {}\n    remedy: {}",
                error.message(),
                error.remedy()
            ),
        };
        let _ = writeln!(out, "{notation} → {told}");
    }
    Ok(out)
}

fn reading_text(reading: &Reading) -> String {
    match reading {
        Reading::Empty => String::from("empty"),
        Reading::Hold => String::from("hold"),
        Reading::Alias(alias) => alias_text(alias),
        Reading::Composed { alias, opacity } => format!("{}, opacity {opacity}", alias_text(alias)),
        Reading::Value(value) => match value {
            Value::String(text) => format!("STRING {text:?}"),
            Value::Color(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Easing(_)
            | Value::Timing(_) => {
                format!("{} {}", value.variable_type().name(), write(value))
            }
        },
    }
}

fn alias_text(alias: &AliasRef) -> String {
    let mut out = String::from("alias of ");
    for (part, what) in [
        (&alias.library, "library"),
        (&alias.collection, "collection"),
    ] {
        if let Some(part) = part {
            let _ = write!(out, "{what} {part:?}, ");
        }
    }
    let _ = write!(out, "name {:?}", alias.name);
    out
}
