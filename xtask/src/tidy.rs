//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Owns the rules, each a function from the tracked files to the places that break it. Must not change a file.

use crate::{process, workspace_root};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A tracked text file.
struct File {
    path: String,
    text: String,
}

/// Checks every rule and lists all that breaks one.
pub fn run() -> Result<()> {
    let root = workspace_root();
    let files = tracked_files(&root)?;
    let metadata = process::output(Command::new("cargo").current_dir(&root).args([
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).context("cargo metadata did not print JSON")?;

    let mut found = Vec::new();
    found.extend(files.iter().filter_map(opening));
    found.extend(files.iter().flat_map(figma_is_named_in_one_file));
    found.extend(files.iter().flat_map(core_is_pure));
    found.extend(files.iter().flat_map(nothing_names_a_machine));
    found.extend(
        files
            .iter()
            .flat_map(|file| links_lead_somewhere(&root, file)),
    );
    found.extend(
        files
            .iter()
            .filter(|file| file.path == "Cargo.toml")
            .flat_map(every_dependency_has_a_reason),
    );
    found.extend(files.iter().flat_map(versions_stand_once));
    found.extend(dependencies_point_inwards(&metadata)?);
    found.extend(
        REQUIRED
            .iter()
            .filter(|name| !root.join(name).exists())
            .map(|name| format!("{name} is missing")),
    );
    if !found.is_empty() {
        bail!("{} things are untidy:\n{}", found.len(), found.join("\n"));
    }
    println!("tidy: {} files", files.len());
    Ok(())
}

/// What a checkout must hold at its top.
const REQUIRED: [&str; 9] = [
    "Cargo.toml",
    "manifest.json",
    "build.rs",
    "src",
    "ui",
    "www",
    "tests",
    "README.md",
    "ARCHITECTURE.md",
];

fn tracked_files(root: &Path) -> Result<Vec<File>> {
    let names = process::output(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files = Vec::new();
    for path in names.split('\0').filter(|name| !name.is_empty()) {
        // What is no text (a picture) or was deleted and not committed yet keeps no rule of ours.
        if let Ok(bytes) = fs::read(root.join(path))
            && let Ok(text) = String::from_utf8(bytes)
        {
            files.push(File {
                path: String::from(path),
                text,
            });
        }
    }
    Ok(files)
}

/// Every source file opens by saying what it owns and what it must not know.
fn opening(file: &File) -> Option<String> {
    let (opening, kinds): (&str, &[&str]) = match file.path.rsplit_once('.')?.1 {
        "rs" => ("//!", &["Rust"]),
        "ts" | "js" | "mjs" => ("/**", &["TypeScript", "JavaScript"]),
        _ => return None,
    };
    let text = file
        .text
        .strip_prefix("#!/usr/bin/env node\n")
        .unwrap_or(&file.text);
    (!text.starts_with(opening)).then(|| {
        format!(
            "{}: {} files open with `{opening}`",
            file.path,
            kinds.join(" and ")
        )
    })
}

/// The lines of a Rust file that are not comments, numbered from one.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or(line)))
        .filter(|(_, line)| !line.trim().is_empty())
}

/// Only `src/sandbox/figma.rs` binds Figma's interface.
fn figma_is_named_in_one_file(file: &File) -> Vec<String> {
    if !file.path.starts_with("src/")
        || !file.path.ends_with(".rs")
        || file.path == "src/sandbox/figma.rs"
    {
        return Vec::new();
    }
    code_lines(&file.text)
        .filter(|(_, line)| {
            ["js_namespace = figma", "(\"figma\"", "\"figma."]
                .iter()
                .any(|name| line.contains(name))
        })
        .map(|(at, _)| {
            format!(
                "{}:{at}: only src/sandbox/figma.rs names Figma's interface",
                file.path
            )
        })
        .collect()
}

/// The core, and the readers of files, name no JavaScript, input or output, clock or randomness.
fn core_is_pure(file: &File) -> Vec<String> {
    const IMPURE: [&str; 14] = [
        "wasm_bindgen",
        "js_sys",
        "web_sys",
        "std::time::Instant",
        "std::time::SystemTime",
        "SystemTime::now",
        "Instant::now",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "tokio::",
        "rand::",
    ];
    let pure = ["crates/core/src/", "crates/files/src/"];
    if !pure.iter().any(|folder| file.path.starts_with(folder)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, line) in code_lines(&file.text) {
        found.extend(
            IMPURE
                .iter()
                .filter(|name| line.contains(*name))
                .map(|name| {
                    format!(
                        "{}:{at}: this crate is pure and must not name {name}",
                        file.path
                    )
                }),
        );
    }
    found
}

/// Nothing tracked says where a package was fetched from or on whose machine it was written.
fn nothing_names_a_machine(file: &File) -> Vec<String> {
    // Put together here, so that this file keeps the rule too.
    let names = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!("registry", ".npmjs"),
        concat!("registry", ".yarnpkg"),
        concat!("static.", "crates.io"),
        concat!("files.", "pythonhosted"),
    ];
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for name in names {
            // Within a longer path or address (`https://example.com/home/…`) it is no folder of a machine.
            let is_a_place = line.match_indices(name).any(|(start, _)| {
                !name.starts_with('/')
                    || !line[..start].ends_with(|before: char| {
                        before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}')
                    })
            });
            if is_a_place {
                found.push(format!(
                    "{}:{}: names a machine or a package host, {name}",
                    file.path,
                    at + 1
                ));
            }
        }
        if file.path == "package-lock.json" && line.trim_start().starts_with("\"resolved\"") {
            found.push(format!(
                "{}:{}: a resolved address; npm writes none with omit-lockfile-registry-resolved",
                file.path,
                at + 1
            ));
        }
    }
    found
}

/// Relative links in Markdown lead to files that exist.
fn links_lead_somewhere(root: &Path, file: &File) -> Vec<String> {
    if !file.path.ends_with(".md") || file.path.starts_with("tests/cases/") {
        return Vec::new();
    }
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for after in line.split("](").skip(1) {
            let target = after.split([')', '#', ' ']).next().unwrap_or_default();
            if target.is_empty() || target.contains(':') || root.join(folder).join(target).exists()
            {
                continue;
            }
            found.push(format!(
                "{}:{}: the link leads nowhere: {target}",
                file.path,
                at + 1
            ));
        }
    }
    found
}

/// Each version stands in the root manifest with the reason the crate is here.
fn every_dependency_has_a_reason(file: &File) -> Vec<String> {
    let section = file
        .text
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter(|line| {
            line.contains(" = ")
                && !line.starts_with('#')
                && !line.contains("path = ")
                && !line.contains(" # ")
        })
        .map(|line| {
            format!(
                "Cargo.toml: no reason is given for `{}`",
                line.split(" = ").next().unwrap_or(line)
            )
        })
        .collect()
}

/// Members take every version from the workspace, so that it stands once.
fn versions_stand_once(file: &File) -> Vec<String> {
    if !file.path.ends_with("Cargo.toml") {
        return Vec::new();
    }
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        if let Some(section) = line.strip_prefix('[') {
            in_dependencies =
                section.contains("dependencies]") && !section.starts_with("workspace.");
        } else if in_dependencies
            && line.contains(" = ")
            && line.starts_with(char::is_alphabetic)
            && !line.contains("workspace = true")
        {
            found.push(format!(
                "{}:{}: take the version from the workspace (`name.workspace = true`)",
                file.path,
                at + 1
            ));
        }
    }
    found
}

/// Crates that stand in for something real; the product may use them in its tests alone.
const FAKES: [&str; 2] = ["fake-google", "sheetwire-sim"];
/// Crates that test and are no part of the product either.
const TESTS: [&str; 1] = ["sheetwire-fuzz"];
/// Crates the core would be impure with.
const IMPURE_CRATES: [&str; 7] = [
    "wasm-bindgen",
    "js-sys",
    "web-sys",
    "rand",
    "getrandom",
    "tokio",
    "reqwest",
];

/// The product never depends on the fakes, and the core on nothing impure.
fn dependencies_point_inwards(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?;
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let is_for_tests = dependency["kind"] == "dev";
            let may = is_for_tests || FAKES.contains(&name) || TESTS.contains(&name);
            if FAKES.contains(&on) && !may {
                found.push(format!("{name}: depends on {on}, which only tests may"));
            }
            if name == "sheetwire-core" && IMPURE_CRATES.contains(&on) && !is_for_tests {
                found.push(format!("{name}: depends on {on}, and the core is pure"));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: String::from(path),
            text: String::from(text),
        }
    }

    #[test]
    fn each_rule_finds_what_breaks_it() {
        assert!(opening(&file("src/a.rs", "fn main() {}")).is_some());
        assert!(opening(&file("src/a.rs", "//! Owns.")).is_none());
        assert!(opening(&file("tests/a.ts", "import a from 'a';")).is_some());
        assert_eq!(
            figma_is_named_in_one_file(&file(
                "src/ui/a.rs",
                "#[wasm_bindgen(js_namespace = figma)]"
            ))
            .len(),
            1
        );
        assert_eq!(
            figma_is_named_in_one_file(&file("src/ui/a.rs", "// js_namespace = figma")).len(),
            0
        );
        assert_eq!(
            core_is_pure(&file("crates/core/src/a.rs", "use std::fs;")).len(),
            1
        );
        assert_eq!(
            nothing_names_a_machine(&file("a.md", concat!("in /ro", "ot/x"))).len(),
            1
        );
        assert_eq!(
            nothing_names_a_machine(&file("a.md", concat!("https://example.com/ro", "ot/x"))).len(),
            0
        );
        assert_eq!(
            nothing_names_a_machine(&file("package-lock.json", "  \"resolved\": \"x\"")).len(),
            1
        );
        assert_eq!(
            links_lead_somewhere(Path::new("."), &file("a.md", "[a](no-such-file.md)")).len(),
            1
        );
        assert_eq!(
            links_lead_somewhere(Path::new("."), &file("a.md", "[a](https://example.com)")).len(),
            0
        );
        let manifest =
            "[workspace.dependencies]\na = \"1\"\nb = \"1\" # for b\n\n[package]\nc = \"1\"\n";
        assert_eq!(
            every_dependency_has_a_reason(&file("Cargo.toml", manifest)).len(),
            1
        );
        assert_eq!(versions_stand_once(&file("Cargo.toml", manifest)).len(), 0);
        let member = "[dependencies]\na = \"1\"\nb.workspace = true\nc = { workspace = true, features = [] }\n";
        assert_eq!(
            versions_stand_once(&file("crates/a/Cargo.toml", member)).len(),
            1
        );
    }

    #[test]
    fn the_product_may_use_fakes_in_tests_alone() {
        let metadata = |kind: Value| serde_json::json!({ "packages": [{ "name": "sheetwire-relay", "dependencies": [{ "name": "fake-google", "kind": kind }] }] });
        assert_eq!(
            dependencies_point_inwards(&metadata(Value::Null))
                .map(|found| found.len())
                .ok(),
            Some(1)
        );
        assert_eq!(
            dependencies_point_inwards(&metadata(Value::from("dev")))
                .map(|found| found.len())
                .ok(),
            Some(0)
        );
    }
}
