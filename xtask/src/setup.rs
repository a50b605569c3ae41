//! What has to be installed before anything can be built or tested.
//!
//! Owns finding and installing the tools. Must not know what is built with them.

use crate::process;
use crate::program::target_directory;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target the plugin's programs are compiled for.
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

/// Makes a Python environment with the packages of `tests/python/requirements.txt` and gives its interpreter.
pub fn python(root: &Path) -> Result<PathBuf> {
    let requirements_file = root.join("tests/python/requirements.txt");
    let requirements =
        std::fs::read(&requirements_file).context("tests/python/requirements.txt can't be read")?;
    let environment = target_directory(root).join("python");
    let python = environment.join("bin/python");
    let installed = environment.join("installed-requirements.txt");
    if std::fs::read(&installed).is_ok_and(|installed| installed == requirements) {
        return Ok(python);
    }
    if environment.exists() {
        std::fs::remove_dir_all(&environment)?;
    }
    let make = || {
        process::run_quietly(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )
    };
    if make().is_err() {
        // Debian keeps `venv` in a package of its own, and a slim image has no Python at all.
        apt_install(&["python3", "python3-venv"])?;
        make()?;
    }
    process::run_quietly(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&requirements_file),
    )?;
    std::fs::write(&installed, requirements)?;
    Ok(python)
}

/// Finds Chromium, or installs Debian's.
///
/// # Errors
/// When there is none and it can't be installed: the end-to-end tests never skip.
pub fn chromium() -> Result<PathBuf> {
    const NAMES: [&str; 4] = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    if let Some(path) = std::env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("CHROMIUM names {}, which is not there", path.display());
        }
        return Ok(path);
    }
    let find = || {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
        NAMES
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|path| path.is_file())
    };
    if let Some(path) = find() {
        return Ok(path);
    }
    apt_install(&["chromium"])?;
    find().context("Chromium was installed and is still not on the PATH")
}

/// Installs Debian packages, as root.
fn apt_install(packages: &[&str]) -> Result<()> {
    println!("installing {} with apt-get", packages.join(" "));
    let apt = |arguments: &[&str]| {
        process::run_quietly(
            Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(arguments),
        )
    };
    apt(&["update"])
        .and_then(|()| apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat()))
        .with_context(|| {
            format!(
                "{} is needed and could not be installed; install it by hand and run this again",
                packages.join(" and ")
            )
        })
}
