//! `cargo xtask dist`: the plugin as Figma loads it.
//!
//! Owns what is in a built folder (`code.js`, `ui.html`, `manifest.json`) and the size budgets. Must not know how a
//! program becomes a script or a page is put together.

use crate::address::RELAY_ORIGIN_DEFAULT;
use crate::program::{self, Form, Program};
use crate::{manifest, page, process, setup, workspace_root};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `code.js` may weigh, in bytes, which a designer waits for at every opening: docs/adr/0003.
pub const CODE_BYTES_MAX: usize = 1_300_000;
/// What `ui.html` without the program of files may weigh, in bytes, for the same reason: docs/adr/0005.
pub const UI_BYTES_MAX: usize = 900_000;
/// The panel as a script, which only hosts that refuse WebAssembly load. wasm2js makes two bytes of script of each byte
/// of WebAssembly, and a script can't be kept gzipped in a page: what takes 650 kB there takes 2,415 kB here. Nobody who can
/// load the panel of 900 kB loads this one, so it may have what the same views come to.
const UI_SCRIPT_BYTES_MAX: usize = 3_500_000;
/// The program of files, which stands in `ui.html` as a text and is started with the first import or export: it is no part
/// of the opening, so it is not counted in the panel's budget.
const FILES_BYTES_MAX: usize = 900_000;
/// The same as a script.
const FILES_SCRIPT_BYTES_MAX: usize = 2_600_000;

/// What to build, and for which relay.
pub struct Options {
    /// How the panel reaches its host.
    pub ui: Form,
    /// Whether the sandbox has Real-Time Sync.
    pub sync: bool,
    /// The relay.
    pub relay: Relay,
    /// The folder the files go to.
    pub out: PathBuf,
    /// Whether sizes are printed.
    pub report: bool,
}

impl Default for Options {
    /// What is loaded into Figma while developing.
    fn default() -> Options {
        Options {
            ui: Form::Wasm,
            sync: true,
            relay: Relay::Development(String::from(RELAY_ORIGIN_DEFAULT)),
            out: workspace_root().join("dist"),
            report: true,
        }
    }
}

/// The relay a built plugin talks to.
pub enum Relay {
    /// A relay on this machine.
    Development(String),
    /// The one relay of a published plugin.
    Published(String),
}

impl Relay {
    fn origin(&self) -> &str {
        match self {
            Relay::Development(origin) | Relay::Published(origin) => origin,
        }
    }
}

/// Reads the command line and does what it says.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = workspace_root();
    let mut options = Options::default();
    let mut from = root.join("dist");
    let (mut repackage, mut check, mut gallery) = (false, false, false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--ui=wasm" => options.ui = Form::Wasm,
            "--ui=script" => options.ui = Form::Script,
            "--gallery" => gallery = true,
            "--without-sync" => options.sync = false,
            "--relay" => {
                let origin = manifest::published_origin(value()?).map_err(anyhow::Error::msg)?;
                options.relay = Relay::Published(origin);
            }
            "--origin" => {
                let origin = manifest::development_origin(value()?).map_err(anyhow::Error::msg)?;
                options.relay = Relay::Development(origin);
            }
            "--out" => options.out = root.join(value()?),
            "--from" => from = root.join(value()?),
            "--repackage" => repackage = true,
            "--check-reproducible" => check = true,
            unknown => bail!("dist knows no `{unknown}`; see `cargo xtask help`"),
        }
    }
    if repackage {
        return self::repackage(&from, &options.relay, &options.out);
    }
    if gallery {
        ensure!(
            options.out != root.join("dist"),
            "--gallery needs --out, a folder that no plugin is loaded from"
        );
        return build_gallery(&root, &options.out);
    }
    build(&root, &options)?;
    if check {
        check_reproducible(&root, &options)?;
    }
    Ok(())
}

/// Builds the plugin of the checkout at `root`.
pub fn build(root: &Path, options: &Options) -> Result<()> {
    setup::wasm_target(root)?;
    setup::node_modules(root)?;
    let code = program::build(root, Program::Sandbox { sync: options.sync })?;
    let script = program::build(root, Program::Ui(options.ui))?;
    let files = program::build(root, Program::Files(options.ui))?;
    let ui = page::build(&root.join("ui"), &script, &files, options.relay.origin())?;

    fs::create_dir_all(&options.out)?;
    let (ui_budget, files_budget) = match options.ui {
        Form::Wasm => (UI_BYTES_MAX, FILES_BYTES_MAX),
        Form::Script => (UI_SCRIPT_BYTES_MAX, FILES_SCRIPT_BYTES_MAX),
    };
    let mut over = Vec::new();
    for (name, text) in [("code.js", &code), ("ui.html", &ui)] {
        let path = options.out.join(name);
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
        if options.report {
            println!(
                "{name:19} {:>9} bytes, {:>9} gzipped",
                text.len(),
                gzipped_bytes(&path)?
            );
        }
    }
    for (name, bytes, bytes_max) in [
        ("code.js", code.len(), CODE_BYTES_MAX),
        ("ui.html at opening", ui.len() - files.len(), ui_budget),
        ("ui.html for files", files.len(), files_budget),
    ] {
        if options.report {
            println!("{name:19} {bytes:>9} bytes, budget {bytes_max:>9}");
        }
        if bytes > bytes_max {
            over.push(format!(
                "{name} has {bytes} bytes, and its budget is {bytes_max}"
            ));
        }
    }
    ensure!(over.is_empty(), "over budget: {}", over.join("; "));
    write_manifest(
        &fs::read_to_string(root.join("manifest.json"))?,
        &options.relay,
        &options.out,
    )
}

/// Builds the panel that draws the states its tests give it, as `ui.html` of the folder `out`.
pub fn build_gallery(root: &Path, out: &Path) -> Result<()> {
    setup::wasm_target(root)?;
    setup::node_modules(root)?;
    let script = program::build(root, Program::Gallery)?;
    let files = program::build(root, Program::Files(Form::Wasm))?;
    let ui = page::build(&root.join("ui"), &script, &files, RELAY_ORIGIN_DEFAULT)?;
    fs::create_dir_all(out)?;
    fs::write(out.join("ui.html"), ui)?;
    Ok(())
}

/// Copies a built folder for another relay, compiling nothing: the origin stands in one meta tag and the manifest.
fn repackage(from: &Path, relay: &Relay, out: &Path) -> Result<()> {
    let read = |name: &str| {
        fs::read_to_string(from.join(name)).with_context(|| {
            format!(
                "{} can't be read; build it with `cargo xtask dist`",
                from.join(name).display()
            )
        })
    };
    ensure!(
        from != out,
        "--repackage needs --out, another folder than it copies from"
    );
    fs::create_dir_all(out)?;
    fs::write(out.join("code.js"), read("code.js")?)?;
    fs::write(
        out.join("ui.html"),
        page::with_origin(&read("ui.html")?, relay.origin())?,
    )?;
    write_manifest(&read("manifest.json")?, relay, out)
}

fn write_manifest(template: &str, relay: &Relay, out: &Path) -> Result<()> {
    let template = serde_json::from_str(template).context("manifest.json is not JSON")?;
    let published = matches!(relay, Relay::Published(_));
    let made = manifest::for_relay(&template, relay.origin(), published);
    fs::write(out.join("manifest.json"), format!("{made:#}\n"))?;
    Ok(())
}

/// Builds a copy of the checkout in another folder, from nothing, and compares every file.
pub fn check_reproducible(root: &Path, options: &Options) -> Result<()> {
    let copy = program::target_directory(root)
        .join("reproducible")
        .join("another-checkout");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    let files = process::output(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    for file in files
        .split('\0')
        .filter(|file| !file.is_empty() && root.join(file).is_file())
    {
        let to = copy.join(file);
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        fs::copy(root.join(file), to)?;
    }
    let mut flags = vec![
        String::from("dist"),
        String::from("--out"),
        String::from("dist"),
    ];
    if options.ui == Form::Script {
        flags.push(String::from("--ui=script"));
    }
    if !options.sync {
        flags.push(String::from("--without-sync"));
    }
    match &options.relay {
        Relay::Development(origin) => flags.extend([String::from("--origin"), origin.clone()]),
        Relay::Published(origin) => flags.extend([String::from("--relay"), origin.clone()]),
    }
    // The same build task, told that the checkout is elsewhere: what it is made of is not what is checked.
    process::run_quietly(
        Command::new(std::env::current_exe()?)
            .current_dir(&copy)
            .args(flags)
            .env("CARGO_MANIFEST_DIR", copy.join("xtask"))
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    for name in ["code.js", "ui.html", "manifest.json"] {
        let same = fs::read(options.out.join(name))? == fs::read(copy.join("dist").join(name))?;
        ensure!(
            same,
            "{name} differs between two builds; the second is kept in {}",
            copy.join("dist").display()
        );
    }
    fs::remove_dir_all(&copy)?;
    println!("the same bytes from another folder: code.js, ui.html, manifest.json");
    Ok(())
}

/// The size after gzip, which is what a download costs.
fn gzipped_bytes(path: &Path) -> Result<usize> {
    let size = process::output(
        Command::new("node")
            .args([
                "-p",
                "zlib.gzipSync(fs.readFileSync(process.argv[1]), { level: 9 }).length",
            ])
            .arg(path),
    )?;
    size.trim().parse().context("node did not print a size")
}
