//! The words of both wires, one file a wire.
//!
//! Owns the types and their versions. Must not know how they travel or what a receiver does with them.

pub mod address;
pub mod panel;
pub mod relay;
