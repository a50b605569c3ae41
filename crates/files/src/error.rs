//! Why a file can't be read at all, in words for its owner.
//!
//! Owns the errors and their remedies. Must not repeat what a file holds.

use crate::FILE_BYTES_MAX;

/// A file that gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Longer than [`FILE_BYTES_MAX`].
    #[error("The file has {bytes} bytes; at most {FILE_BYTES_MAX} are read.")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A workbook that unpacks to more than the limit.
    #[error("The workbook unpacks to more than is read.")]
    TooLongUnpacked,
    /// Nothing in it.
    #[error("The file is empty.")]
    Empty,
    /// Bytes of no text.
    #[error("The file is not a text.")]
    NotText,
    /// Not an XLSX workbook, or a damaged one.
    #[error("The file can't be read as an Excel workbook.")]
    NotAWorkbook,
    /// A workbook with a password.
    #[error("The workbook is protected by a password.")]
    Protected,
    /// Text that is not JSON.
    #[error("The file is not JSON: it goes wrong in line {line}, column {column}.")]
    NotJson {
        /// From one.
        line: usize,
        /// From one.
        column: usize,
    },
    /// JSON, but no tree of tokens.
    #[error("The file holds no design tokens.")]
    NotTokens,
    /// A writer met what its format can't hold.
    #[error("The workbook could not be written.")]
    NotWritten,
}

impl FileError {
    /// What the designer can do about it, one or two sentences.
    pub fn remedy(self) -> &'static str {
        match self {
            FileError::TooLong { .. } | FileError::TooLongUnpacked => {
                "Split the file, or remove sheets, pictures and tokens that aren't needed."
            }
            FileError::Empty => "Choose another file.",
            FileError::NotText => "Save it as CSV with the encoding UTF-8.",
            FileError::NotAWorkbook => "Open it in Excel or Sheets and save it as .xlsx.",
            FileError::Protected => "Remove the password in Excel and save it again.",
            FileError::NotJson { .. } => "Export it again, or mend that line.",
            FileError::NotTokens => {
                "Choose a file in the Design Tokens format, with $value and $type, such as Figma exports."
            }
            FileError::NotWritten => "Export fewer variables, or choose CSV.",
        }
    }
}
