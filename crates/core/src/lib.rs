//! The pure part of Sheetwire: what a sheet means, what Figma holds, and the smallest set of writes between them.
//!
//! Owns the sheet's cells and packing, values, mapping, plans, the document model, flags, the session's states
//! and the types of both wires. Must not know JavaScript, I/O, a clock or randomness: everything here is a
//! function or a state machine stepped by a shell.

pub mod apply;
pub mod decimal;
pub mod document;
pub mod election;
pub mod engine;
pub mod flags;
pub mod history;
pub mod listing;
pub mod mapping;
pub mod marks;
pub mod plan;
pub mod protocol;
pub mod session;
pub mod sheet;
pub mod sorted;
pub mod value;

/// A sentence of ours as a text of its own. Not inlined: copying each sentence in place takes more code than the
/// sentence.
#[inline(never)]
pub(crate) fn owned(sentence: &str) -> String {
    String::from(sentence)
}
