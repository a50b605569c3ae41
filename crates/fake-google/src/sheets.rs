//! The spreadsheet as Google Sheets keeps it, and its v4 API.
//!
//! Owns the model (cells, formats, formulas, locales) and the API's methods over it. Must not know HTTP, tokens
//! or quotas.

pub(crate) mod a1;
pub(crate) mod api;
pub(crate) mod entry;
pub(crate) mod formula;
pub(crate) mod locale;
pub(crate) mod number_format;
pub(crate) mod protection;
pub(crate) mod reply;
pub(crate) mod requests;
pub(crate) mod spreadsheet;
pub(crate) mod values;
