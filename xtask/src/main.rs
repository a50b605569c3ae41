//! Build, test, demo, bench and tidy tasks: the command line of the workspace.
//!
//! Owns the dispatch. Must not know how a task does its work.

#[path = "../../crates/core/src/protocol/address.rs"]
#[allow(
    dead_code,
    reason = "the file serves three crates, and each uses its part"
)]
mod address;
mod bench;
mod demo;
mod dist;
mod fuzz;
#[allow(dead_code, reason = "build.rs includes this file too, for its rules")]
mod manifest;
mod page;
mod process;
mod program;
mod setup;
mod sim;
mod test;
mod tidy;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask TASK

  demo    build everything, start fake Google, the relay and the playground, and print one address
          --port N              the playground's port (default: a free one)
          --ci                  watch it in a browser without a screen instead, and succeed when it works
          --picture FILE        the same, and draw the page in FILE
  dist    build the plugin into dist/
          --relay URL           for publishing: this relay alone is allowed (https, no path)
          --ui=wasm|script      the panel as WebAssembly (default) or translated to a script
          --without-sync        a sandbox without Real-Time Sync, to compare with
          --out DIR             write there instead of dist/
          --check-reproducible  build again in a copy of the checkout and compare the bytes
          --gallery             build the panel that draws the states its tests give it, and nothing else
          --repackage           copy what --from DIR (default dist/) holds to --out DIR, with --origin ORIGIN
                                (http://localhost:PORT) as its relay; compiles nothing
  test    run every test, after installing what they need
          --list                the steps
          --only STEP[,STEP…]   these alone
  bench   measure sizes, start-up, syncs and edits against the design's budgets
  sim     run worlds of sheet, relay, network and plugins: --seeds N [--from S]
  fuzz    run the readers of outside bytes over inputs made by libFuzzer: [TARGET] [--seconds N]
          --minimise            keep the shortest of the inputs that were found
  tidy    check the rules no compiler checks
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((task, rest)) = arguments.split_first() else {
        bail!("no task given\n\n{USAGE}");
    };
    match task.as_str() {
        "dist" => dist::run(rest),
        "bench" => bench::run(),
        "sim" => sim::run(rest),
        "fuzz" => fuzz::run(rest),
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "tidy" => tidy::run(),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => bail!("there is no task `{unknown}`\n\n{USAGE}"),
    }
}

/// The folder that holds the workspace.
///
/// Cargo tells a running program where its package is; the compiled-in path serves when it is started by hand.
fn workspace_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or(package.clone(), PathBuf::from)
}
