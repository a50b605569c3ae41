//! The document model: the collections, modes and variables of a Figma file, as plain data.
//!
//! Owns the model and equality of values as Figma stores them. Must not know how a document is read or written.
