//! The live half over real sockets, against fake Google.
//!
//! Owns the cases. The sign-in half is answered for by `world.rs`, so that a fault here is one of the live half.

mod flags;
mod poll;
mod several;
mod socket;
mod tabs;
mod webhook;
mod world;
mod writer;
