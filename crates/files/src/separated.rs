//! Separated values: CSV as any program saves it, and cells pasted from a spreadsheet.
//!
//! Owns the telling of separators and the writing of the sheet format. Must not know what a cell means: every cell is
//! the text that stands in the file, which keeps `000000` and `4/8` as they were typed.

use std::borrow::Cow;

use sheetwire_core::sheet::{Content, a1};

use crate::table::Filling;
use crate::{FileError, Problems, Read, Table, Variables, Written, check_length, sheet_of, text};

/// Separators, the likeliest first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// How many records are looked at to tell the separator.
const LOOK_RECORDS: usize = 64;

/// Reads CSV: separated by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252, with Excel's line `sep=;` or
/// without. `title` is the file's name without its ending.
///
/// # Errors
/// [`FileError`] for a file that is too long, empty or no text.
pub fn read(bytes: &[u8], title: &str) -> Result<Read<Table>, FileError> {
    check_length(bytes)?;
    let decoded = text::decode(bytes)?;
    let mut problems = Problems::default();
    if decoded.damaged {
        problems.tell(
            a1(title, 0, 0),
            "Some characters of this file can't be read; � stands in their place.",
            "Save the file with the encoding UTF-8.",
        );
    }
    let (text, separator) = match announced(&decoded.text) {
        Some((separator, rest)) => (rest, separator),
        None => (decoded.text.as_str(), separator_of(&decoded.text)),
    };
    fill(text, separator, title, problems)
}

/// Reads cells pasted from a spreadsheet: tabs between cells, quotation marks around a cell with line breaks.
///
/// # Errors
/// [`FileError`] for a text that is too long or empty.
pub fn read_pasted(text: &str, title: &str) -> Result<Read<Table>, FileError> {
    check_length(text.as_bytes())?;
    fill(text, b'\t', title, Problems::default())
}

/// Writes the sheet format as CSV: commas, UTF-8 with a byte order mark (Excel reads it as Windows-1252 without one),
/// lines ending in CR LF (RFC 4180).
pub fn write(variables: &Variables) -> Written<Vec<u8>> {
    let sheet = sheet_of(variables);
    let mut file = Vec::from("\u{feff}");
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(&mut file);
    for row in &sheet.file {
        // Writing to memory can't fail, and every row has the header's length.
        let _ = writer.write_record(row);
    }
    let _ = writer.flush();
    drop(writer);
    Written {
        file,
        problems: sheet.problems,
    }
}

/// The separator that the first line announces, and what follows it.
fn announced(text: &str) -> Option<(u8, &str)> {
    let rest = text.strip_prefix("sep=")?;
    let separator = *rest.as_bytes().first()?;
    let rest = rest.get(1..)?;
    let rest = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix('\n'))?;
    separator.is_ascii().then_some((separator, rest))
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// The separator that splits most of the first records into equally many cells.
fn separator_of(text: &str) -> u8 {
    let score = |separator: u8| {
        let mut counts: Vec<usize> = Vec::new();
        for record in reader(text, separator).into_records().take(LOOK_RECORDS) {
            match record {
                Ok(record) if record.len() > 1 => counts.push(record.len()),
                Ok(_) | Err(_) => {}
            }
        }
        let same = |count: usize| counts.iter().filter(|other| **other == count).count();
        counts
            .iter()
            .map(|count| (same(*count), *count))
            .max()
            .unwrap_or_default()
    };
    let mut best = (SEPARATORS[0], score(SEPARATORS[0]));
    for separator in &SEPARATORS[1..] {
        let found = score(*separator);
        if found > best.1 {
            best = (*separator, found);
        }
    }
    best.0
}

fn fill(
    text: &str,
    separator: u8,
    title: &str,
    mut problems: Problems,
) -> Result<Read<Table>, FileError> {
    let mut table = Table::new(title);
    let mut commas = separator == b';';
    let mut comma_seen = false;
    let lines = lines_of(text, separator);
    if let Some((row, column)) = lines.open {
        problems.tell(
            a1(title, row, column),
            "A quotation mark begins this cell and is never closed, so that all that follows is part of it.",
            "Close the quotation mark, or double it if it belongs to the text.",
        );
    }
    let mut filling = Filling::new(&mut table);
    let mut reader = reader(&lines.text, separator);
    let mut record = csv::StringRecord::new();
    let mut row = 0;
    // The text is valid, so that a record can't fail.
    while let Ok(true) = reader.read_record(&mut record) {
        for (column, cell) in (0..).zip(&record) {
            if !cell.is_empty() {
                comma_seen |= is_decimal(cell, ',');
                commas &= !is_decimal(cell, '.');
                filling.put(
                    row,
                    column,
                    Content::Text(String::from(cell)),
                    &mut problems,
                );
            }
        }
        if filling.is_full() {
            break;
        }
        row += 1;
    }
    if table.rows.is_empty() {
        return Err(FileError::Empty);
    }
    // A list by semicolons comes from where the comma is the decimal sign.
    if commas && comma_seen {
        table.locale = "de_DE";
    }
    Ok(Read {
        found: table,
        problems: problems.told,
    })
}

/// A text as lines that the csv crate gives one by one.
struct Lines<'a> {
    text: Cow<'a, str>,
    /// Row and column, zero-based, of a quoted cell that is never closed.
    open: Option<(u32, u32)>,
}

/// Puts an empty cell into every empty line: the csv crate passes over these, but they separate headings in a sheet.
fn lines_of(text: &str, separator: u8) -> Lines<'_> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    let (mut row, mut column) = (0, 0);
    let mut opened = None;
    let mut begins = true;
    while at < bytes.len() {
        let byte = bytes[at];
        if opened.is_some() {
            if byte == b'"' && bytes.get(at + 1) == Some(&b'"') {
                at += 1;
            } else if byte == b'"' {
                opened = None;
            }
        } else if byte == b'"' && begins {
            opened = Some((row, column));
            begins = false;
        } else if byte == separator {
            column += 1;
            begins = true;
        } else if byte == b'\n' || byte == b'\r' {
            if begins && column == 0 {
                out.push_str(&text[copied..at]);
                out.push_str("\"\"");
                copied = at;
            }
            if byte == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                at += 1;
            }
            row += 1;
            column = 0;
            begins = true;
        } else {
            begins = false;
        }
        at += 1;
    }
    Lines {
        text: if copied == 0 && out.is_empty() {
            Cow::Borrowed(text)
        } else {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        },
        open: opened,
    }
}

/// Whether a cell is a number with decimals after `sign`.
fn is_decimal(cell: &str, sign: char) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    cell.trim_start_matches('-')
        .split_once(sign)
        .is_some_and(|(whole, decimals)| digits(whole) && digits(decimals))
}
