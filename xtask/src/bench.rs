//! `cargo xtask bench`: the figures of the design's budgets, on this machine.
//!
//! Owns building what is measured in the profile it is shipped in. Must not know what is measured: tests/bench.

use crate::{dist, process, program, setup, workspace_root};
use anyhow::Result;
use std::process::Command;

/// Builds and measures.
pub fn run() -> Result<()> {
    let root = workspace_root();
    setup::node_modules(&root)?;
    let chromium = setup::chromium()?;
    dist::build(
        &root,
        &dist::Options {
            report: false,
            ..dist::Options::default()
        },
    )?;
    let gallery = program::target_directory(&root).join("dist/gallery");
    dist::build_gallery(&root, &gallery)?;
    process::run(Command::new("cargo").current_dir(&root).args([
        "build",
        "--locked",
        "--release",
        "--package",
        "fake-google",
        "--package",
        "sheetwire-relay",
    ]))?;
    process::run(
        Command::new("node")
            .current_dir(&root)
            .arg("tests/bench/run.mjs")
            .arg(program::target_directory(&root).join("release"))
            .arg(root.join("dist"))
            .arg(gallery)
            .arg(chromium)
            .arg(dist::CODE_BYTES_MAX.to_string())
            .arg(dist::UI_BYTES_MAX.to_string()),
    )
}
