//! `cargo xtask demo`: the whole way on one machine, without any account.
//!
//! Owns building what the demo needs, in numbered steps. Must not know what the page shows; `www/playground` starts the
//! servers, wires them together and ends them.

use crate::{dist, process, program, setup, workspace_root};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// One step of building; also the way the two servers get into `target/debug`.
pub type Build = fn(&Path) -> Result<()>;

/// Reads the command line, builds, and shows the demo or, with `--ci`, watches it in a browser without a screen.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = workspace_root();
    let mut is_ci = false;
    let mut port = String::from("0");
    let mut picture = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--ci" => is_ci = true,
            "--port" => {
                port = arguments.next().context("--port needs a number")?.clone();
            }
            "--picture" => {
                picture = Some(root.join(arguments.next().context("--picture needs a file")?));
            }
            unknown => bail!("demo knows no `{unknown}`; see `cargo xtask help`"),
        }
    }
    if is_ci || picture.is_some() {
        return watch(&root, servers, picture.as_deref());
    }
    build(&root, servers)?;
    println!("\nCtrl-C ends the demo and every server it started.");
    process::become_this(
        Command::new("node")
            .current_dir(&root)
            .args(serve(&root))
            .args(["--port", &port]),
    )
}

/// Builds the demo and watches it in a browser without a screen; fails unless a changed cell becomes a changed variable.
pub fn check(root: &Path, build_servers: Build) -> Result<()> {
    watch(root, build_servers, None)
}

fn watch(root: &Path, build_servers: Build, picture: Option<&Path>) -> Result<()> {
    let chromium = setup::chromium()?;
    build(root, build_servers)?;
    process::run(
        Command::new("node")
            .current_dir(root)
            .arg("xtask/js/demo-check.mjs")
            .arg(chromium)
            .arg(picture.unwrap_or(Path::new("")))
            .args(serve(root)),
    )
}

/// What Node runs to serve the playground, with its arguments.
fn serve(root: &Path) -> Vec<PathBuf> {
    vec![
        // Where www/playground/build.mjs puts it.
        root.join("target/playground/serve.mjs"),
        PathBuf::from("--programs"),
        program::target_directory(root).join("debug"),
        PathBuf::from("--dist"),
        root.join("dist"),
    ]
}

/// Builds the servers, the plugin and the page, and says how far it is.
fn build(root: &Path, build_servers: Build) -> Result<()> {
    let steps: [(&str, Build); 4] = [
        ("tools: WebAssembly target and npm packages", |root| {
            setup::wasm_target(root)?;
            setup::node_modules(root)
        }),
        ("the relay and fake Google", build_servers),
        ("the plugin", |root| {
            dist::build(
                root,
                &dist::Options {
                    report: false,
                    ..dist::Options::default()
                },
            )
        }),
        ("the page", |root| {
            process::run(
                Command::new("node")
                    .current_dir(root)
                    .arg("www/playground/build.mjs"),
            )
        }),
    ];
    for (at, (title, step)) in steps.iter().enumerate() {
        println!("[{}/{}] {title}", at + 1, steps.len());
        let started = Instant::now();
        step(root).with_context(|| format!("step {} of {} failed", at + 1, steps.len()))?;
        println!("      {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Builds the two servers, in the profile everything native is built in.
pub fn servers(root: &Path) -> Result<()> {
    process::run(Command::new("cargo").current_dir(root).args([
        "build",
        "--locked",
        "--package",
        "fake-google",
        "--package",
        "sheetwire-relay",
    ]))
}
