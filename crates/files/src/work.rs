//! What the panel asks of the program that reads and writes files, and what it answers.
//!
//! Owns the orders, the replies, and which reader or writer an order means. Must not know how they travel: bytes of files
//! go beside an order and a reply, which are JSON. Both ends are of one build, so the wire has no version.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};

use serde::{Deserialize, Serialize};
use sheetwire_core::protocol::panel::Problem;
use sheetwire_core::sheet::{Cell, Content, pack};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{
    FileError, Problems, Read, Table, Variables, css, separated, sheet_of, tokens, workbook,
};

/// Most files of one order: a file for each mode of a collection, and a plan allows at most 40 modes.
pub const FILES_MAX: usize = 64;

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Read the files that come beside, one for each of these.
    Read(Vec<Source>),
    /// Write variables as files.
    Write {
        /// Which kind of file.
        format: Format,
        /// What is written.
        variables: Variables,
        /// The name without its ending: the Figma file's.
        title: String,
        /// Whether several files are put into one archive.
        #[serde(default)]
        archive: bool,
    },
}

/// What a file is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// CSV, whatever separates its cells. With the file's name without its ending.
    Separated(String),
    /// Cells pasted from a spreadsheet, as UTF-8. With a title for them.
    Pasted(String),
    /// XLSX.
    Workbook,
    /// Design tokens: one mode of a collection.
    Tokens {
        /// The collection's name; the file has none.
        collection: String,
        /// The mode's name, where the file does not say it itself.
        mode: String,
    },
}

/// A kind of file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// The sheet format as CSV.
    Separated,
    /// The sheet format as XLSX.
    Workbook,
    /// Design tokens, a file for each mode of each collection.
    Tokens,
    /// CSS custom properties.
    Css,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// What was read.
    Read {
        /// The tables, in the order of the files. Design tokens of all files together make one table in the sheet format.
        tables: Vec<PackedTable>,
        /// What could not be read.
        problems: Vec<Problem>,
    },
    /// The written files; their bytes come beside, one for each.
    Written {
        /// Their names.
        files: Vec<FileName>,
        /// What the format can't say.
        problems: Vec<Problem>,
    },
    /// Nothing came of it.
    Refused {
        /// Which of the files; 0 for an order to write.
        file: usize,
        /// What is wrong.
        message: String,
        /// What to do about it.
        remedy: String,
    },
}

/// A table as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedTable {
    /// The tab's title, or the file's name.
    pub title: String,
    /// How its numbers are written, as Google names locales.
    pub locale: String,
    /// The cells, packed as those of a sheet are.
    pub cells: String,
}

/// What a written file is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileName {
    /// With its ending.
    pub name: String,
    /// Its media type.
    pub media: String,
}

/// Does what an order says. `files` are the bytes that came beside it; the bytes that go beside the reply come back.
pub fn perform(order: &Order, files: &[Vec<u8>]) -> (Reply, Vec<Vec<u8>>) {
    match order {
        Order::Read(sources) => (read(sources, files), Vec::new()),
        Order::Write {
            format,
            variables,
            title,
            archive,
        } => match write(*format, variables, title) {
            Ok((files, problems)) => written(files, problems, archive.then_some(title.as_str())),
            Err(error) => (refused(0, error), Vec::new()),
        },
    }
}

fn refused(file: usize, error: FileError) -> Reply {
    Reply::Refused {
        file,
        message: error.to_string(),
        remedy: String::from(error.remedy()),
    }
}

fn read(sources: &[Source], files: &[Vec<u8>]) -> Reply {
    let mut tables = Vec::new();
    let mut problems = Vec::new();
    let mut tokens = Variables::default();
    for (at, (source, bytes)) in sources.iter().zip(files).take(FILES_MAX).enumerate() {
        let read = match source {
            Source::Separated(title) => separated::read(bytes, title).map(one),
            Source::Pasted(title) => std::str::from_utf8(bytes)
                .map_err(|_| FileError::NotText)
                .and_then(|text| separated::read_pasted(text, title))
                .map(one),
            Source::Workbook => workbook::read(bytes),
            Source::Tokens { collection, mode } => {
                tokens::read(bytes, collection, mode).map(|read| {
                    tokens.merge(read.found);
                    Read {
                        found: Vec::new(),
                        problems: read.problems,
                    }
                })
            }
        };
        match read {
            Ok(read) => {
                tables.extend(read.found.iter().map(packed));
                problems.extend(read.problems);
            }
            Err(error) => return refused(at, error),
        }
    }
    if let [first, ..] = tokens.collections.as_slice() {
        let sheet = sheet_of(&tokens);
        problems.extend(sheet.problems);
        let cells = sheet.file.into_iter().map(|row| row.into_iter().map(text));
        tables.push(packed(&Table {
            title: first.name.clone(),
            rows: cells.map(Iterator::collect).collect(),
            locale: "en_US",
        }));
    }
    let mut told = Problems::default();
    for problem in problems {
        told.tell(problem.address, problem.message, problem.remedy);
    }
    Reply::Read {
        tables,
        problems: told.told,
    }
}

fn one(read: Read<Table>) -> Read<Vec<Table>> {
    Read {
        found: vec![read.found],
        problems: read.problems,
    }
}

fn text(text: String) -> Cell {
    Cell {
        content: if text.is_empty() {
            Content::Empty
        } else {
            Content::Text(text)
        },
        formula: None,
    }
}

fn packed(table: &Table) -> PackedTable {
    PackedTable {
        title: table.title.clone(),
        locale: String::from(table.locale),
        cells: pack(&table.rows),
    }
}

/// A file with its name.
type Named = (FileName, Vec<u8>);

/// The reply; several files in one archive called `archive`, where that is wanted.
fn written(
    mut files: Vec<Named>,
    problems: Vec<Problem>,
    archive: Option<&str>,
) -> (Reply, Vec<Vec<u8>>) {
    if let (Some(title), true) = (archive, files.len() > 1)
        && let Ok(bytes) = packed_together(&files)
    {
        files = vec![(named(title, "zip", "application/zip"), bytes)];
    }
    let (names, bytes) = files.into_iter().unzip();
    let reply = Reply::Written {
        files: names,
        problems,
    };
    (reply, bytes)
}

/// A ZIP archive. Of files with one name, which differ in signs that no file's name may have, all but the first are numbered.
fn packed_together(files: &[Named]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut names: HashMap<&str, u32> = HashMap::new();
    for (file, bytes) in files {
        let count = names.entry(file.name.as_str()).or_default();
        *count += 1;
        let name = if *count == 1 {
            file.name.clone()
        } else {
            [&count.to_string(), " ", &file.name].concat()
        };
        // Without a time, so that the same variables make the same bytes.
        archive.start_file(name, SimpleFileOptions::default())?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn write(
    format: Format,
    variables: &Variables,
    title: &str,
) -> Result<(Vec<Named>, Vec<Problem>), FileError> {
    Ok(match format {
        Format::Separated => {
            let written = separated::write(variables);
            let name = named(title, "csv", "text/csv");
            (vec![(name, written.file)], written.problems)
        }
        Format::Workbook => {
            let written = workbook::write(variables, "Variables")?;
            let name = named(
                title,
                "xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            );
            (vec![(name, written.file)], written.problems)
        }
        Format::Tokens => {
            let written = tokens::write(variables);
            let files = written.file.into_iter().map(|file| {
                let title = [&file.collection, ".", &file.mode].concat();
                let name = named(&title, "tokens.json", "application/json");
                (name, file.text.into_bytes())
            });
            (files.collect(), written.problems)
        }
        Format::Css => {
            let written = css::write(variables);
            let name = named(title, "css", "text/css");
            (vec![(name, written.file.into_bytes())], written.problems)
        }
    })
}

/// Longest name of a file before its ending, in bytes: file systems allow 255 with it.
const NAME_BYTES_MAX: usize = 120;

/// A name that every file system takes.
fn named(title: &str, ending: &str, media: &str) -> FileName {
    let mut name = String::new();
    for character in title.trim().chars() {
        let allowed = !character.is_control() && !r#"/\:*?"<>|"#.contains(character);
        let character = if allowed { character } else { '-' };
        if name.len() + character.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        name.push(character);
    }
    // A leading dot hides a file, and Windows takes no dot or space at the end.
    let name = name.trim_matches(['.', ' ']);
    let name = if name.is_empty() { "Variables" } else { name };
    FileName {
        name: [name, ".", ending].concat(),
        media: String::from(media),
    }
}
