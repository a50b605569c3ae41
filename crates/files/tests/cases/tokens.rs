//! Cases of design tokens: what variables come of a file, and how variables are written.
//!
//! Owns how variables are written in an expectation. Must not know how a file is read or written.

use std::fmt::Write as _;

use sheetwire_core::value::{Scope, write};
use sheetwire_files::{Assigned, FileError, Read, Variables, css, separated, tokens};

use crate::file::Case;
use crate::tables::told;

/// The blocks that hold a file, and the collection and mode of each.
const FILES: [(&str, &str, &str); 4] = [
    ("tokens", "Tokens", "Value"),
    ("light", "Tokens", "Light"),
    ("dark", "Tokens", "Dark"),
    ("base", "Base", "Value"),
];

fn gathered(case: &Case, out: &mut String) -> Result<Variables, FileError> {
    let mut variables = Variables::default();
    for (block, collection, mode) in FILES {
        let Some(text) = case.block(block) else {
            continue;
        };
        let Read { found, problems } = tokens::read(text.as_bytes(), collection, mode)?;
        told(out, &problems);
        variables.merge(found);
    }
    Ok(variables)
}

/// Reads the blocks `tokens`, `light`, `dark` and `base`, each a file.
pub fn read(case: &Case) -> Result<String, String> {
    let mut out = String::new();
    match gathered(case, &mut out) {
        Ok(variables) => shown(&variables, &mut out),
        Err(error) => {
            let _ = writeln!(out, "refused: {error}\n    remedy: {}", error.remedy());
        }
    }
    Ok(out)
}

/// Reads the same blocks and writes them as the field `writes` says.
pub fn export(case: &Case) -> Result<String, String> {
    let mut out = String::new();
    let variables = gathered(case, &mut out).map_err(|error| error.to_string())?;
    match case.field("writes") {
        Some("css") => {
            let written = css::write(&variables);
            told(&mut out, &written.problems);
            out.push_str(&written.file);
        }
        Some("csv") => {
            let written = separated::write(&variables);
            told(&mut out, &written.problems);
            let text = String::from_utf8(written.file).map_err(|error| error.to_string())?;
            out.push_str(&text.trim_start_matches('\u{feff}').replace("\r\n", "\n"));
        }
        Some("tokens") => {
            let written = tokens::write(&variables);
            told(&mut out, &written.problems);
            for file in written.file {
                let _ = write!(
                    out,
                    "file {}, {}\n{}",
                    file.collection, file.mode, file.text
                );
            }
        }
        _ => return Err(String::from("a case writes css, csv or tokens")),
    }
    Ok(out)
}

fn shown(variables: &Variables, out: &mut String) {
    for collection in &variables.collections {
        for variable in &collection.variables {
            let _ = write!(
                out,
                "{}: {} {}",
                collection.name,
                variable.name,
                variable.kind.name()
            );
            for (mode, value) in collection.modes.iter().zip(&variable.values) {
                let text = match value {
                    None => continue,
                    Some(Assigned::Value(value)) => write(value),
                    Some(Assigned::Alias(alias)) => alias.to_string(),
                    Some(Assigned::Composed { alias, opacity }) => format!("{alias} / {opacity}"),
                };
                let _ = write!(out, "; {mode} = {text}");
            }
            if !variable.description.is_empty() {
                let _ = write!(out, "; description = {}", variable.description);
            }
            if let Some(scopes) = &variable.scopes {
                let names: Vec<&str> = scopes.iter().copied().map(Scope::name).collect();
                let _ = write!(out, "; scopes = {}", names.join(" "));
            }
            for (platform, code) in ["web", "android", "ios"].iter().zip(&variable.code) {
                if let Some(code) = code {
                    let _ = write!(out, "; {platform} = {code}");
                }
            }
            if let Some(hidden) = variable.hidden {
                let _ = write!(out, "; hidden = {hidden}");
            }
            out.push('\n');
        }
    }
}
