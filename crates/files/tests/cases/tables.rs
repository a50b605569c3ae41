//! Cases of tables: separated values, pasted cells and workbooks.
//!
//! Owns how a table is written in an expectation, and how a case becomes a workbook. Must not know how one is read.

use std::fmt::Write as _;

use rust_xlsxwriter::{Format, Formula, Workbook};
use sheetwire_core::protocol::panel::Problem;
use sheetwire_core::sheet::{Content, a1};
use sheetwire_files::{Read, Table, separated, workbook};

use crate::cells;
use crate::file::Case;

pub fn told(out: &mut String, problems: &[Problem]) {
    for problem in problems {
        let _ = writeln!(
            out,
            "problem {}: {}\n    remedy: {}",
            problem.address, problem.message, problem.remedy
        );
    }
}

fn shown(table: &Table, out: &mut String) {
    let _ = writeln!(out, "table {}, {}", table.title, table.locale);
    for (row, cells) in (0..).zip(&table.rows) {
        for (column, cell) in (0..).zip(cells) {
            let text = match &cell.content {
                Content::Empty => continue,
                Content::Text(text) => text.escape_debug().to_string(),
                Content::Number { value, shown } => format!("<number {value} shown {shown}>"),
                Content::Percent { value, shown } => format!("<percent {value} shown {shown}>"),
                Content::Date { value, shown } => format!("<date {value} shown {shown}>"),
                Content::Bool(value) => format!("<{value}>"),
                Content::Error(shown) => format!("<error {shown}>"),
            };
            let _ = writeln!(out, "{} {text}", a1("", row, column));
        }
    }
}

/// Reads the block `file`, in the encoding of the field `encoding`, or the block `pasted`.
pub fn separated(case: &Case) -> Result<String, String> {
    let mut out = String::new();
    let read = match (case.block("file"), case.block("pasted")) {
        (Some(text), None) => {
            let bytes = encoded(text, case.field("encoding").unwrap_or("utf-8"))?;
            separated::read(&bytes, "Tokens")
        }
        (None, Some(text)) => separated::read_pasted(text, "Tokens"),
        _ => return Err(String::from("a case has a block `file` or `pasted`")),
    };
    match read {
        Ok(Read { found, problems }) => {
            told(&mut out, &problems);
            shown(&found, &mut out);
        }
        Err(error) => {
            let _ = writeln!(out, "refused: {error}\n    remedy: {}", error.remedy());
        }
    }
    Ok(out)
}

fn encoded(text: &str, encoding: &str) -> Result<Vec<u8>, String> {
    let wide = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    Ok(match encoding {
        "utf-8" => Vec::from(text),
        "utf-8 with mark" => [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
        "utf-16le with mark" => [vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat(),
        "utf-16be with mark" => [vec![0xfe, 0xff], wide(u16::to_be_bytes)].concat(),
        "utf-16le" => wide(u16::to_le_bytes),
        "windows-1252" => {
            let byte = |character: char| match character {
                '\u{0}'..='\u{ff}' => Some(character as u8),
                '€' => Some(0x80),
                '’' => Some(0x92),
                '—' => Some(0x97),
                _ => None,
            };
            let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
            bytes.ok_or("a character that Windows-1252 has not")?
        }
        "none" => vec![0x89, 0x50, 0x00, 0x00, 0x4e, 0x00, 0x00, 0x00],
        _ => return Err(format!("no such encoding: {encoding}")),
    })
}

/// Makes a workbook of the block `sheet`, and reads it.
pub fn workbook(case: &Case) -> Result<String, String> {
    let error = |error: rust_xlsxwriter::XlsxError| error.to_string();
    let mut made = Workbook::new();
    let sheet = made.add_worksheet();
    sheet.set_name("Tokens").map_err(error)?;
    for (row, cells) in (0..).zip(case.table("sheet")?) {
        for (column, notation) in (0..).zip(cells) {
            match cells::cell(&notation)?.content {
                Content::Empty => Ok(&mut *sheet),
                Content::Text(text) => sheet.write_string(row, column, text),
                Content::Number { value, .. } => sheet.write_number(row, column, value),
                Content::Percent { value, .. } => {
                    let format = Format::new().set_num_format("0.0%");
                    sheet.write_number_with_format(row, column, value, &format)
                }
                Content::Date { value, .. } => {
                    let format = Format::new().set_num_format("d/m");
                    sheet.write_number_with_format(row, column, value, &format)
                }
                Content::Bool(value) => sheet.write_boolean(row, column, value),
                Content::Error(shown) => {
                    let formula = Formula::new("=1/0").set_result(shown);
                    sheet.write_formula(row, column, formula)
                }
            }
            .map_err(error)?;
        }
    }
    let bytes = made.save_to_buffer().map_err(error)?;
    let mut out = String::new();
    match workbook::read(&bytes) {
        Ok(Read { found, problems }) => {
            told(&mut out, &problems);
            for table in &found {
                shown(table, &mut out);
            }
        }
        Err(error) => {
            let _ = writeln!(out, "refused: {error}\n    remedy: {}", error.remedy());
        }
    }
    Ok(out)
}
