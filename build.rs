//! Stamps what the programs say about themselves, and holds `manifest.json` to what the code needs.
//!
//! Owns the variables `SHEETWIRE_VERSION` and `SHEETWIRE_RELAY_ORIGIN` that `env!` reads. Must not know the programs.

#[path = "crates/core/src/protocol/address.rs"]
#[allow(
    dead_code,
    reason = "the file serves three crates, and each uses its part"
)]
mod address;
#[path = "xtask/src/manifest.rs"]
#[allow(
    dead_code,
    reason = "the file serves two crates, and each uses its part"
)]
mod manifest;

use std::process::ExitCode;

fn main() -> ExitCode {
    for file in [
        "manifest.json",
        "src/sandbox/figma.rs",
        "src/sandbox/opening.rs",
        "xtask/src/manifest.rs",
        "crates/core/src/protocol/address.rs",
    ] {
        println!("cargo::rerun-if-changed={file}");
    }
    println!(
        "cargo::rustc-env=SHEETWIRE_VERSION={}",
        env!("CARGO_PKG_VERSION")
    );
    println!(
        "cargo::rustc-env=SHEETWIRE_RELAY_ORIGIN={}",
        address::RELAY_ORIGIN_DEFAULT
    );

    let found = match std::fs::read_to_string("manifest.json")
        .map(|text| serde_json::from_str(&text))
    {
        Ok(Ok(manifest)) => {
            let bindings = std::fs::read_to_string("src/sandbox/figma.rs").unwrap_or_default();
            let openings = std::fs::read_to_string("src/sandbox/opening.rs").unwrap_or_default();
            manifest::disagreements(&manifest, &bindings, &openings)
        }
        Ok(Err(error)) => vec![format!("is not JSON: {error}")],
        Err(error) => vec![format!("can't be read: {error}")],
    };
    for disagreement in &found {
        println!("cargo::error=manifest.json {disagreement}");
    }
    if found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
