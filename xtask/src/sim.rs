//! `cargo xtask sim --seeds N [--from S]`: more worlds than the tests run.
//!
//! Owns building the simulation fast enough for many seeds. Must not know what a world is: crates/sim.

use crate::{process, workspace_root};
use anyhow::Result;
use std::process::Command;

/// Runs the seeds; fails when one of them does.
pub fn run(arguments: &[String]) -> Result<()> {
    process::run(
        Command::new("cargo")
            .current_dir(workspace_root())
            .args([
                "run",
                "--locked",
                "--release",
                "--quiet",
                "--package",
                "sheetwire-sim",
                "--",
            ])
            .args(arguments),
    )
}
