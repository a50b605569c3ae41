//! Targets of the readers of files.
//!
//! Owns what has to hold of each. Must not know how a file is read.

use std::io::{Cursor, Write as _};

use sheetwire_core::mapping::COLUMNS_MAX;
use sheetwire_files::{
    CELL_BYTES_MAX, CELLS_MAX, PROBLEMS_MAX, ROWS_MAX, Read, Table, Variables, css,
    separated as sv, tokens as dtcg, workbook as xlsx,
};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::{choice, text};

fn within_limits(table: &Table) {
    assert!(table.rows.len() <= ROWS_MAX);
    let cells: usize = table.rows.iter().map(Vec::len).sum();
    assert!(cells <= CELLS_MAX);
    for cells in &table.rows {
        assert!(cells.len() <= COLUMNS_MAX as usize);
        for cell in cells {
            if let sheetwire_core::sheet::Content::Text(text) = &cell.content {
                assert!(text.len() <= CELL_BYTES_MAX);
            }
        }
    }
}

/// Separated values and pasted cells stay within the limits.
pub(crate) fn separated(input: &[u8]) {
    let (way, rest) = choice(input);
    let read = if way % 4 == 0 {
        sv::read_pasted(&text(rest), "Tokens")
    } else {
        sv::read(rest, "Tokens")
    };
    if let Ok(Read { found, problems }) = read {
        within_limits(&found);
        assert!(problems.len() <= PROBLEMS_MAX + 1);
    }
}

/// The parts of a workbook that an input holds, and where they stand.
const PARTS: [&str; 4] = [
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
];
/// Parts without which nothing is looked for.
const FIXED: [(&str, &str); 2] = [
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings\" Target=\"sharedStrings.xml\"/><Relationship Id=\"r3\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/></Relationships>",
    ),
    (
        "_rels/.rels",
        "<Relationships><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
    ),
];
const WORKBOOK: &str = "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Tokens\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";

/// An archive of the input's parts, since a fuzzer would spend its time on checksums.
fn archive(input: &[u8]) -> Option<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut part = |name: &str, bytes: &[u8]| {
        archive.start_file(name, stored).ok()?;
        archive.write_all(bytes).ok()
    };
    for (name, fixed) in FIXED {
        part(name, fixed.as_bytes())?;
    }
    let mut parts = input.split(|byte| *byte == 0);
    for name in PARTS {
        match parts.next() {
            Some(bytes) => part(name, bytes)?,
            None if name == "xl/workbook.xml" => part(name, WORKBOOK.as_bytes())?,
            None => {}
        }
    }
    archive.finish().ok().map(Cursor::into_inner)
}

/// Workbooks stay within the limits, as they come or made of parts.
pub(crate) fn workbook(input: &[u8]) {
    let made;
    let bytes = if input.starts_with(b"PK") {
        input
    } else if let Some(archive) = archive(input) {
        made = archive;
        &made
    } else {
        return;
    };
    if let Ok(Read { found, problems }) = xlsx::read(bytes) {
        found.iter().for_each(within_limits);
        assert!(problems.len() <= PROBLEMS_MAX + 1);
    }
}

/// What is read of design tokens is written, and read the same again.
pub(crate) fn tokens(input: &[u8]) {
    let Ok(Read { found, problems }) = dtcg::read(input, "Tokens", "Value") else {
        return;
    };
    assert!(problems.len() <= PROBLEMS_MAX + 1);
    let mut variables = Variables::default();
    variables.merge(found);
    drop(css::write(&variables));
    drop(sv::write(&variables));
    let written = dtcg::write(&variables);
    if !written.problems.is_empty() {
        return;
    }
    let once = &written.file[0];
    let Ok(back) = dtcg::read(once.text.as_bytes(), "Tokens", "Value") else {
        assert!(
            variables.collections[0].variables.is_empty(),
            "{}",
            once.text
        );
        return;
    };
    assert_eq!(back.problems, vec![], "{}", once.text);
    let mut again = Variables::default();
    again.merge(back.found);
    assert_eq!(dtcg::write(&again).file[0].text, once.text);
}
