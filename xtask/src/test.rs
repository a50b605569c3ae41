//! `cargo xtask test`: everything that has to hold, from a fresh clone on.
//!
//! Owns the order of the steps and what each needs from the ones before. Must not know what the tests test.

use crate::program::{self, Form, Program};
use crate::{demo, dist, process, setup, tidy, workspace_root};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// One step: a name for `--only`, what it does in words, and the doing.
struct Step {
    name: &'static str,
    title: &'static str,
    run: fn(&Path) -> Result<()>,
}

/// Cheap steps come first, so that a slip is told early; then what later steps need.
const STEPS: [Step; 14] = [
    Step {
        name: "setup",
        title: "tools: WebAssembly target, npm packages, Python packages, Chromium",
        run: set_up,
    },
    Step {
        name: "format",
        title: "formatting",
        run: format,
    },
    Step {
        name: "tidy",
        title: "the rules of the house",
        run: |_| tidy::run(),
    },
    Step {
        name: "types",
        title: "types of the TypeScript",
        run: types,
    },
    Step {
        name: "clippy",
        title: "clippy, servers and tools",
        run: clippy,
    },
    Step {
        name: "clippy-plugin",
        title: "clippy, the plugin's programs",
        run: clippy_plugin,
    },
    Step {
        name: "native",
        title: "native tests: units, cases, properties, wires, relay and fake Google on real sockets",
        run: native,
    },
    Step {
        name: "dist",
        title: "the plugin in every variant",
        run: variants,
    },
    Step {
        name: "host",
        title: "the fake Figma and its contract",
        run: |root| typescript(root, &["tests/figma-host", "tests/contract"]),
    },
    Step {
        name: "bundle",
        title: "the sandbox's bundle in QuickJS",
        run: |root| typescript(root, &["tests/sheets", "tests/bundle"]),
    },
    Step {
        name: "google",
        title: "fake Google by Google's own clients and in Chromium",
        run: |root| typescript(root, &["tests/google-clients"]),
    },
    Step {
        name: "e2e",
        title: "end to end in Chromium",
        run: |root| typescript(root, &["tests/e2e"]),
    },
    Step {
        name: "demo",
        title: "the demo without a screen",
        run: |root| demo::check(root, servers),
    },
    Step {
        name: "reproducible",
        title: "the same bytes from another folder",
        run: reproducible,
    },
];

/// Where the plugin's variants are built for the tests, under the target directory; `dist/` itself is the one that is loaded.
const WITHOUT_SYNC: &str = "dist/without-sync";
const UI_SCRIPT: &str = "dist/ui-script";
const GALLERY: &str = "dist/gallery";

/// Reads the command line and runs the steps it asks for.
pub fn run(arguments: &[String]) -> Result<()> {
    let root = workspace_root();
    let steps: Vec<&Step> = match arguments {
        [] => STEPS.iter().collect(),
        [flag] if flag == "--list" => {
            for step in &STEPS {
                println!("{:14} {}", step.name, step.title);
            }
            return Ok(());
        }
        [flag, name] if flag == "--only" => {
            let names: Vec<&str> = name.split(',').collect();
            if let Some(unknown) = names
                .iter()
                .find(|name| !STEPS.iter().any(|step| step.name == **name))
            {
                bail!("there is no step `{unknown}`; see `cargo xtask test --list`");
            }
            STEPS
                .iter()
                .filter(|step| names.contains(&step.name))
                .collect()
        }
        _ => bail!("test knows --list and --only STEP[,STEP…]"),
    };
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        println!(
            "\n[{}/{}] {}: {}",
            at + 1,
            steps.len(),
            step.name,
            step.title
        );
        let started = Instant::now();
        (step.run)(&root).with_context(|| {
            format!(
                "step {} of {} failed; run it alone with `cargo xtask test --only {}`",
                at + 1,
                steps.len(),
                step.name
            )
        })?;
        times.push((step.name, started.elapsed()));
    }
    println!("\nall {} steps passed", steps.len());
    for (name, time) in &times {
        println!("  {name:14} {:>6.1} s", time.as_secs_f64());
    }
    println!(
        "  {:14} {:>6.1} s",
        "together",
        times
            .iter()
            .map(|(_, time)| time.as_secs_f64())
            .sum::<f64>()
    );
    Ok(())
}

fn set_up(root: &Path) -> Result<()> {
    setup::wasm_target(root)?;
    setup::node_modules(root)?;
    setup::python(root)?;
    println!("Chromium: {}", setup::chromium()?.display());
    Ok(())
}

/// A native cargo task: everything but the plugin's programs, with the same features at each call, so that one build
/// serves all.
fn native_cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(arguments).args([
        "--workspace",
        "--exclude",
        "sheetwire",
        "--locked",
    ]);
    cargo
}

fn format(root: &Path) -> Result<()> {
    process::run(
        Command::new("cargo")
            .current_dir(root)
            .args(["fmt", "--all", "--check"]),
    )
    .context("`cargo fmt` puts it right")
}

fn types(root: &Path) -> Result<()> {
    setup::node_modules(root)?;
    process::run(
        Command::new("node")
            .current_dir(root)
            .args(["tests/run.mjs", "--types-only"]),
    )
}

fn clippy(root: &Path) -> Result<()> {
    process::run(
        native_cargo(root, &["clippy", "--quiet", "--all-targets"])
            .args(["--", "--deny", "warnings"]),
    )
}

fn clippy_plugin(root: &Path) -> Result<()> {
    setup::wasm_target(root)?;
    for program in [
        Program::Sandbox { sync: true },
        Program::Sandbox { sync: false },
        Program::Ui(Form::Wasm),
        Program::Files(Form::Wasm),
        Program::Gallery,
    ] {
        process::run(program::cargo(root, "clippy", program).args(["--", "--deny", "warnings"]))?;
    }
    Ok(())
}

fn native(root: &Path) -> Result<()> {
    let python = setup::python(root)?;
    setup::node_modules(root)?;
    process::run(native_cargo(root, &["test"]).env("SHEETWIRE_TEST_PYTHON", python))
}

fn options(ui: Form, sync: bool, out: PathBuf) -> dist::Options {
    dist::Options {
        ui,
        sync,
        out,
        ..dist::Options::default()
    }
}

fn variants(root: &Path) -> Result<()> {
    let target = program::target_directory(root);
    for (ui, sync, out) in [
        (Form::Wasm, true, root.join("dist")),
        (Form::Script, true, target.join(UI_SCRIPT)),
        (Form::Wasm, false, target.join(WITHOUT_SYNC)),
    ] {
        println!("{}", out.strip_prefix(root).unwrap_or(&out).display());
        dist::build(root, &options(ui, sync, out))?;
    }
    dist::build_gallery(root, &target.join(GALLERY))
}

/// Builds the servers the tests start, as the native tests have built them already: building them alone would resolve
/// other features and compile most of what they stand on again.
fn servers(root: &Path) -> Result<()> {
    process::run(&mut native_cargo(root, &["test", "--quiet", "--no-run"]))
}

/// Runs the `*.test.ts` of the folders with everything they may need in the environment; see tests/README.md.
fn typescript(root: &Path, folders: &[&str]) -> Result<()> {
    setup::node_modules(root)?;
    let target = program::target_directory(root);
    servers(root)?;
    let programs = target.join("debug");
    process::run(
        Command::new("node")
            .current_dir(root)
            .args(["tests/run.mjs", "--no-types"])
            .args(folders)
            .env("SHEETWIRE_TEST_DIST", root.join("dist"))
            .env("SHEETWIRE_TEST_DIST_UI_SCRIPT", target.join(UI_SCRIPT))
            .env(
                "SHEETWIRE_TEST_DIST_WITHOUT_SYNC",
                target.join(WITHOUT_SYNC),
            )
            .env("SHEETWIRE_TEST_GALLERY", target.join(GALLERY))
            .env("SHEETWIRE_TEST_RELAY", programs.join("sheetwire-relay"))
            .env("SHEETWIRE_TEST_FAKE_GOOGLE", programs.join("fake-google"))
            .env("SHEETWIRE_TEST_CHROMIUM", setup::chromium()?),
    )
}

fn reproducible(root: &Path) -> Result<()> {
    let options = options(Form::Wasm, true, root.join("dist"));
    dist::build(root, &options)?;
    dist::check_reproducible(root, &options)
}
