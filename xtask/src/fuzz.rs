//! `cargo xtask fuzz [TARGET] [--seconds N] [--minimise]`: coverage-guided fuzzing on the stable compiler.
//!
//! Owns the instrumented build and the folders. Must not know what a target states: crates/fuzz.
//!
//! cargo-fuzz needs a nightly compiler for its sanitizers. Coverage alone does not: LLVM's pass is named among rustc's
//! stable code generation options, and libFuzzer is compiled from the crate libfuzzer-sys with the C++ compiler.

use crate::{process, workspace_root};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// How long a target runs where nobody says.
const SECONDS_DEFAULT: u32 = 60;
/// Longest input, as the targets take it.
const INPUT_BYTES_MAX: u32 = 64 * 1024;
/// Longest input that is kept when the corpus is made small.
const KEPT_BYTES_MAX: u32 = 4 * 1024;
/// Seconds after which one input counts as a hang, and megabytes after which it counts as too large.
const INPUT_SECONDS_MAX: u32 = 10;
const MEMORY_MB_MAX: u32 = 1_024;

/// What LLVM counts: edges, and the operands of comparisons.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Clink-dead-code";

/// Fuzzes one target, or all one after another.
///
/// # Errors
/// When a target's statement is false for an input, which is then kept in the target's corpus.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut only = None;
    let mut seconds = SECONDS_DEFAULT;
    let mut minimise = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => {
                let number = rest.next().context("--seconds needs a number")?;
                seconds = number.parse().context("--seconds needs a number")?;
            }
            "--minimise" => minimise = true,
            option if option.starts_with("--") => bail!("there is no option `{option}`"),
            target => only = Some(target.to_owned()),
        }
    }
    let root = workspace_root();
    let corpus = root.join("crates/fuzz/corpus");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&corpus).context("crates/fuzz/corpus can't be listed")? {
        targets.push(entry?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    if let Some(only) = only {
        if !targets.contains(&only) {
            bail!("the targets are {}", targets.join(", "));
        }
        targets = vec![only];
    }
    let program = build(&root)?;
    for target in &targets {
        let kept = corpus.join(target);
        let found = root.join("target/fuzz/corpus").join(target);
        fs::create_dir_all(&found)?;
        println!("fuzzing {target}");
        if minimise {
            minimised(&program, target, &kept, &found)?;
        } else {
            let seconds = format!("-max_total_time={seconds}");
            let outcome = process::run(
                fuzzer(&program, target, &kept)
                    .arg(seconds)
                    .args([&found, &kept]),
            );
            outcome.with_context(|| {
                format!("target {target}; the input is kept in {}", kept.display())
            })?;
        }
    }
    Ok(())
}

fn build(root: &Path) -> Result<std::path::PathBuf> {
    let target = host()?;
    process::run(
        Command::new("cargo")
            .current_dir(root)
            .env("RUSTFLAGS", INSTRUMENTATION)
            .env("CARGO_TARGET_DIR", root.join("target/fuzz"))
            .args(["build", "--locked", "--profile", "fuzz", "--quiet"])
            .args(["--package", "sheetwire-fuzz", "--bin", "fuzz"])
            .args(["--features", "libfuzzer", "--target", &target]),
    )?;
    Ok(root.join("target/fuzz").join(target).join("fuzz/fuzz"))
}

/// The compiler's own target: naming it keeps the instrumentation away from build scripts.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn fuzzer(program: &Path, target: &str, kept: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("SHEETWIRE_FUZZ_TARGET", target)
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"))
        .arg(format!("-artifact_prefix={}/", kept.display()))
        .args(["-print_final_stats=1", "-verbosity=1", "-reload=0"]);
    command
}

/// Keeps the shortest inputs that reach all that is reached. Inputs that once failed stay whatever they reach.
fn minimised(program: &Path, target: &str, kept: &Path, found: &Path) -> Result<()> {
    let small = kept.with_extension("small");
    fs::create_dir_all(&small)?;
    process::run(
        fuzzer(program, target, &small)
            .arg(format!("-max_len={KEPT_BYTES_MAX}"))
            .arg("-merge=1")
            .args([small.as_path(), kept, found]),
    )?;
    for entry in fs::read_dir(kept)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let failed = ["crash-", "timeout-", "oom-", "seed-"];
        if !failed.iter().any(|prefix| name.starts_with(prefix)) {
            fs::remove_file(&path)?;
        }
    }
    for entry in fs::read_dir(&small)? {
        let path = entry?.path();
        fs::rename(&path, kept.join(path.file_name().unwrap_or_default()))?;
    }
    fs::remove_dir(&small)?;
    Ok(())
}
