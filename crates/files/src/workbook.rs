//! XLSX workbooks.
//!
//! Owns the reading of sheets cell by cell, so that a few far cells make no giant of a table, and the writing of the
//! sheet format. Must not know what a cell means.
//!
//! A workbook keeps what a cell stores and its number format, not how the cell is shown. A number in a format with a
//! percent sign is a percent, one in a date's format a date, as the relay tells them from Google.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader, Sheet, SheetType, SheetVisible, Xlsx, XlsxError};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use sheetwire_core::sheet::{Content, a1};

use crate::table::Filling;
use crate::{
    FileError, Problems, Read, Table, Variables, Written, check_length, decimal, sheet_of,
};

/// Longest workbook once it is unpacked, in bytes.
pub const UNPACKED_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Most sheets that are read.
pub const SHEETS_MAX: usize = 64;
/// Most parts of a workbook's archive.
pub const PARTS_MAX: usize = 4_096;
/// Longest text that Excel keeps in a cell, in characters.
const EXCEL_CELL_CHARS_MAX: usize = 32_767;

/// Reads the visible sheets of a workbook that hold cells, in order.
///
/// # Errors
/// [`FileError`] for a file that is too long, packed or unpacked, protected, or no workbook.
pub fn read(bytes: &[u8]) -> Result<Read<Vec<Table>>, FileError> {
    check_length(bytes)?;
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    check_unpacked(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsxError::Password => FileError::Protected,
        _ => FileError::NotAWorkbook,
    })?;
    let mut problems = Problems::default();
    let mut tables = Vec::new();
    let sheets: Vec<Sheet> = workbook.sheets_metadata().to_vec();
    let shown = sheets.iter().filter(|sheet| {
        sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet
    });
    for (at, sheet) in shown.enumerate() {
        if at == SHEETS_MAX {
            problems.tell(
                sheet.name.as_str(),
                format!("At most {SHEETS_MAX} sheets of a workbook are read."),
                "Move the sheet to the front, or into a workbook of its own.",
            );
            break;
        }
        let table = read_sheet(&mut workbook, &sheet.name, &mut problems);
        if !table.rows.is_empty() {
            tables.push(table);
        }
    }
    if tables.is_empty() && problems.told.is_empty() {
        return Err(FileError::Empty);
    }
    Ok(Read {
        found: tables,
        problems: problems.told,
    })
}

/// Unpacks every part once and counts, because what an archive says of its lengths may be a lie.
fn check_unpacked(bytes: &[u8]) -> Result<(), FileError> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| FileError::NotAWorkbook)?;
    if archive.len() > PARTS_MAX {
        return Err(FileError::TooLongUnpacked);
    }
    let mut rest = UNPACKED_BYTES_MAX;
    let mut buffer = vec![0; 64 * 1024];
    for index in 0..archive.len() {
        // A part that can't be unpacked is told when it is needed.
        let Ok(mut part) = archive.by_index(index) else {
            continue;
        };
        while let Ok(count @ 1..) = part.read(&mut buffer) {
            rest = rest
                .checked_sub(count as u64)
                .ok_or(FileError::TooLongUnpacked)?;
        }
    }
    Ok(())
}

fn read_sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str, problems: &mut Problems) -> Table {
    let mut table = Table::new(name);
    let mut filling = Filling::new(&mut table);
    let mut last = (0, 0);
    let broken = match workbook.worksheet_cells_reader(name) {
        Err(_) => true,
        Ok(mut cells) => {
            let percents: Vec<bool> = cells
                .styles()
                .iter()
                .map(|style| {
                    let format = style.number_format.as_ref();
                    format.is_some_and(|format| has_percent(&format.format_code))
                })
                .collect();
            loop {
                match cells.next_cell_with_style_id() {
                    Ok(Some((cell, style))) => {
                        last = cell.get_position();
                        let percent = percents.get(style).copied().unwrap_or(false);
                        let content = content_of(cell.get_value(), percent);
                        if content != Content::Empty {
                            filling.put(last.0, last.1, content, problems);
                        }
                        if filling.is_full() {
                            break false;
                        }
                    }
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            }
        }
    };
    if broken {
        problems.tell(
            a1(name, last.0, last.1),
            "The sheet is damaged here, and what follows was not read.",
            "Open the workbook in Excel or Sheets and save it again.",
        );
    }
    table
}

/// Whether a number format has a percent sign that is not part of a text in it.
fn has_percent(format: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    format.chars().any(|character| {
        let plain = !quoted && !escaped;
        escaped = plain && character == '\\';
        quoted ^= (quoted || plain) && character == '"';
        plain && character == '%'
    })
}

fn content_of(value: &DataRef<'_>, percent: bool) -> Content {
    let number = |value: f64| {
        if !value.is_finite() {
            Content::Error(String::from("#NUM!"))
        } else if percent {
            Content::Percent {
                value,
                shown: decimal::percent(value),
            }
        } else {
            Content::Number {
                value,
                shown: value.to_string(),
            }
        }
    };
    match value {
        DataRef::Empty => Content::Empty,
        DataRef::String(text) if text.is_empty() => Content::Empty,
        DataRef::SharedString("") => Content::Empty,
        DataRef::String(text) => Content::Text(text.clone()),
        DataRef::SharedString(text) => Content::Text(String::from(*text)),
        DataRef::Int(value) => number(*value as f64),
        DataRef::Float(value) => number(*value),
        DataRef::Bool(value) => Content::Bool(*value),
        DataRef::DateTime(date) => Content::Date {
            value: date.as_f64(),
            shown: date.as_f64().to_string(),
        },
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Content::Date {
            value: 0.0,
            shown: text.clone(),
        },
        DataRef::Error(error) => Content::Error(error.to_string()),
    }
}

/// Writes the sheet format as a workbook with one sheet called `title`. Every cell is plain text, so that Excel and Sheets
/// leave `000000` and `4/8` as they are.
///
/// # Errors
/// [`FileError::NotWritten`] for a title that no sheet may have, or more rows than a sheet has.
pub fn write(variables: &Variables, title: &str) -> Result<Written<Vec<u8>>, FileError> {
    let sheet = sheet_of(variables);
    let mut problems = Problems {
        told: sheet.problems,
    };
    let mut workbook = Workbook::new();
    // The same variables make the same bytes, whenever it is done.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1).map_err(|_| FileError::NotWritten)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
    let text = Format::new().set_num_format("@");
    let head = Format::new().set_num_format("@").set_bold();
    let worksheet = workbook.add_worksheet();
    worksheet
        .set_name(title)
        .and_then(|worksheet| worksheet.set_freeze_panes(1, 2))
        .map_err(|_| FileError::NotWritten)?;
    for (row, cells) in (0_u32..).zip(&sheet.file) {
        for (column, cell) in (0_u16..).zip(cells) {
            if cell.is_empty() {
                continue;
            }
            if cell.chars().count() > EXCEL_CELL_CHARS_MAX {
                problems.tell(
                    a1(title, row, u32::from(column)),
                    format!("Excel keeps at most {EXCEL_CELL_CHARS_MAX} characters in a cell; this one was left out."),
                    "Export as CSV, or shorten the text.",
                );
                continue;
            }
            let format = if row == 0 { &head } else { &text };
            worksheet
                .write_string_with_format(row, column, cell, format)
                .map_err(|_| FileError::NotWritten)?;
        }
    }
    let file = workbook
        .save_to_buffer()
        .map_err(|_| FileError::NotWritten)?;
    Ok(Written {
        file,
        problems: problems.told,
    })
}
