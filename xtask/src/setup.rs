//! What has to be installed before anything can be built or tested.
//!
//! Owns finding and installing the tools. Must not know what is built with them.

use crate::process;
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::Command;

/// The target the plugin's two programs are compiled for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The oldest Node.js the tools run on.
const NODE_MAJOR_MIN: u32 = 20;

/// Makes the standard library for WebAssembly available.
pub fn wasm_target(root: &Path) -> Result<()> {
    let directory = process::output(Command::new("rustc").current_dir(root).args([
        "--print",
        "target-libdir",
        "--target",
        WASM_TARGET,
    ]))?;
    let installed = std::fs::read_dir(directory.trim()).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
        })
    });
    if installed {
        return Ok(());
    }
    process::run(
        Command::new("rustup")
            .current_dir(root)
            .args(["target", "add", WASM_TARGET]),
    )
    .context("the standard library for WebAssembly is missing and rustup could not add it")
}

/// Checks Node's age and installs the JavaScript tools when `package-lock.json` is not what was installed last.
pub fn node_modules(root: &Path) -> Result<()> {
    let version = process::output(Command::new("node").arg("--version")).with_context(|| {
        format!("Node.js {NODE_MAJOR_MIN} or newer is needed to build the plugin")
    })?;
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        bail!(
            "Node.js {NODE_MAJOR_MIN} or newer is needed to build the plugin; this is {}",
            version.trim()
        );
    }
    let lock =
        std::fs::read(root.join("package-lock.json")).context("package-lock.json can't be read")?;
    // A copy of the lock that was installed: times say nothing after a checkout.
    let installed = root.join("node_modules/.sheetwire-installed-lock");
    if std::fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::run_quietly(Command::new("npm").current_dir(root).args([
        "ci",
        "--no-audit",
        "--no-fund",
    ]))?;
    std::fs::write(&installed, lock).context("node_modules can't be written to")
}
