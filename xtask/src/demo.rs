//! `cargo xtask demo`: the whole way on one machine, without any account.
//!
//! Owns building what the demo needs, in numbered steps. Must not know what the page shows; `www/playground` starts the
//! servers, wires them together and ends them.

use crate::{dist, process, program, setup, workspace_root};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Reads the command line, builds, and shows the demo or, with `--ci`, watches it in a browser without a screen.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = workspace_root();
    let mut is_ci = false;
    let mut port = String::from("0");
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--ci" => is_ci = true,
            "--port" => port = arguments.next().context("--port needs a number")?.clone(),
            unknown => bail!("demo knows no `{unknown}`; see `cargo xtask help`"),
        }
    }
    build(&root)?;
    let target = program::target_directory(&root);
    // Where www/playground/build.mjs puts it.
    let serve = root.join("target/playground/serve.mjs");
    let mut node = Command::new("node");
    node.current_dir(&root);
    if is_ci {
        node.arg("xtask/js/demo-check.mjs").arg(setup::chromium()?);
    }
    node.arg(serve)
        .arg("--programs")
        .arg(target.join("debug"))
        .arg("--dist")
        .arg(root.join("dist"));
    node.args(["--port", &port]);
    if is_ci {
        return process::run(&mut node);
    }
    println!("\nCtrl-C ends the demo and every server it started.");
    process::become_this(&mut node)
}

/// Builds the servers, the plugin and the page, and says how far it is.
fn build(root: &Path) -> Result<()> {
    type Step = (&'static str, fn(&Path) -> Result<()>);
    const STEPS: [Step; 4] = [
        ("tools: WebAssembly target and npm packages", |root| {
            setup::wasm_target(root)?;
            setup::node_modules(root)
        }),
        ("the relay and fake Google", servers),
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
    for (at, (title, step)) in STEPS.iter().enumerate() {
        println!("[{}/{}] {title}", at + 1, STEPS.len());
        let started = Instant::now();
        step(root).with_context(|| format!("step {} of {} failed", at + 1, STEPS.len()))?;
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
