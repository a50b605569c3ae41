//! Random edits: an edit leads where mapping everything anew leads.
