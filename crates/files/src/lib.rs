//! Files of variables: what a designer brings in or takes along, as bytes and as plain values.
//!
//! Owns the readers (CSV, XLSX, pasted cells, design tokens) and the writers (the sheet format as CSV and XLSX, design
//! tokens, custom properties), their limits and what they say about a file. Must not know where bytes come from, the
//! document, or what a sheet's columns mean: rows go through the core's mapping like those of a Google sheet.
//!
//! A reader gives all that could be read and a list of problems, each with an address (`Tokens!C14`, or a JSON pointer)
//! and a remedy. Only a file that is none of its kind, or beyond a limit, is an error.

pub mod css;
mod decimal;
mod error;
mod json;
pub mod listed;
pub mod separated;
mod table;
mod text;
pub mod tokens;
mod variables;
pub mod work;
pub mod workbook;

pub use error::FileError;
pub use table::{CELL_BYTES_MAX, CELLS_MAX, ROWS_MAX, Table, sheet_of};
pub use variables::{Assigned, Collection, Variable, Variables};

use sheetwire_core::protocol::panel::Problem;

/// Longest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most problems that are told about one file; after them one says that there are more.
pub const PROBLEMS_MAX: usize = 1_000;

/// What was read, and what could not be.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    /// All that could be read.
    pub found: T,
    /// What could not, with address and remedy.
    pub problems: Vec<Problem>,
}

/// A file as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// The file.
    pub file: T,
    /// What the format can't say, with the variable's name as address.
    pub problems: Vec<Problem>,
}

/// Collects problems up to [`PROBLEMS_MAX`].
#[derive(Debug, Default)]
struct Problems {
    told: Vec<Problem>,
}

impl Problems {
    fn tell(
        &mut self,
        address: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.told.len() < PROBLEMS_MAX {
            self.told.push(Problem {
                address: address.into(),
                message: message.into(),
                remedy: remedy.into(),
            });
        } else if self.told.len() == PROBLEMS_MAX {
            self.told.push(Problem {
                address: address.into(),
                message: String::from("There are more problems than are listed."),
                remedy: String::from("Mend the ones above, then read the file again."),
            });
        }
    }
}

/// Refuses what is longer than [`FILE_BYTES_MAX`].
fn check_length(bytes: &[u8]) -> Result<(), FileError> {
    if bytes.len() > FILE_BYTES_MAX {
        Err(FileError::TooLong { bytes: bytes.len() })
    } else {
        Ok(())
    }
}
