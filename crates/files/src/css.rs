//! CSS custom properties.
//!
//! Owns the properties' names, units and selectors. Must not know where the style sheet is used.
//!
//! The first mode of a collection stands under `:root`; another under `[data-mode~="…"]`, so that
//! `<html data-mode="dark compact">` takes modes of several collections at once.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use sheetwire_core::value::{AliasRef, Scope, Value};

use crate::table::text_of as text_of_value;
use crate::{Assigned, Collection, Problems, Variable, Variables, Written, decimal};

/// Writes every collection as custom properties. A property's name is the variable's code syntax for the web where it
/// is one (`var(--x)` or `--x`), else made of its name. Two variables that come to one property, and references into
/// libraries, are problems.
pub fn write(variables: &Variables) -> Written<String> {
    let mut problems = Problems::default();
    let mut names: HashMap<(&str, &str), String> = HashMap::new();
    let mut taken: HashSet<String> = HashSet::new();
    for collection in &variables.collections {
        for variable in &collection.variables {
            let name = property(variable);
            if taken.insert(name.clone()) {
                names.insert((&collection.name, &variable.name), name);
            } else {
                problems.tell(
                    variable.name.as_str(),
                    format!("Another variable is {name} already; this one was left out."),
                    "Rename one of them, or give it a code syntax for the web.",
                );
            }
        }
    }
    let mut file = String::new();
    for collection in &variables.collections {
        for (at, mode) in collection.modes.iter().enumerate() {
            let mut rules = String::new();
            for variable in &collection.variables {
                let place = (collection.name.as_str(), variable.name.as_str());
                let (Some(name), Some(Some(assigned))) =
                    (names.get(&place), variable.values.get(at))
                else {
                    continue;
                };
                match text_of(assigned, variable, collection, &names) {
                    // Writing to a String can't fail.
                    Some(text) => drop(writeln!(rules, "  {name}: {text};")),
                    None => problems.tell(
                        variable.name.as_str(),
                        "This reference leads to no variable that is exported.",
                        "Export the collection that it refers to as well.",
                    ),
                }
            }
            if rules.is_empty() {
                continue;
            }
            let selector = if at == 0 {
                String::from(":root")
            } else {
                format!("[data-mode~=\"{}\"]", slug(mode))
            };
            let title = comment(&[&collection.name, " · ", mode].concat());
            let gap = if file.is_empty() { "" } else { "\n" };
            let _ = write!(file, "{gap}/* {title} */\n{selector} {{\n{rules}}}\n");
        }
    }
    Written {
        file,
        problems: problems.told,
    }
}

/// A text that can't end the comment it stands in.
fn comment(text: &str) -> String {
    text.replace("*/", "* /")
}

fn property(variable: &Variable) -> String {
    let code = variable.code[0].as_deref().map(str::trim);
    let bare = code.map(|code| {
        let inside = code
            .strip_prefix("var(")
            .and_then(|code| code.strip_suffix(')'));
        inside.unwrap_or(code).trim()
    });
    match bare.and_then(|code| code.strip_prefix("--")) {
        Some(name) if !name.is_empty() && name.chars().all(is_name) => ["--", name].concat(),
        Some(_) | None => ["--", &slug(&variable.name)].concat(),
    }
}

/// What an identifier of CSS may hold unescaped.
fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_') || !character.is_ascii()
}

/// A name in lower case, with hyphens for what an identifier can't hold.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars() {
        if is_name(character) {
            slug.extend(character.to_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    String::from(slug.trim_matches('-'))
}

fn text_of(
    assigned: &Assigned,
    variable: &Variable,
    collection: &Collection,
    names: &HashMap<(&str, &str), String>,
) -> Option<String> {
    let reference = |alias: &AliasRef| {
        let owner = alias.collection.as_deref().unwrap_or(&collection.name);
        let name = names.get(&(owner, alias.name.as_str()));
        name.filter(|_| alias.library.is_none())
            .map(|name| format!("var({name})"))
    };
    Some(match assigned {
        Assigned::Value(value) => value_of(value, variable.scopes.as_deref().unwrap_or_default()),
        Assigned::Alias(alias) => reference(alias)?,
        Assigned::Composed { alias, opacity } => {
            let percent = decimal::percent(*opacity);
            format!(
                "color-mix(in srgb, {} {percent}, transparent)",
                reference(alias)?
            )
        }
    })
}

fn value_of(value: &Value, scopes: &[Scope]) -> String {
    match value {
        Value::Float(number) => [&decimal::text(*number), unit_of(scopes)].concat(),
        Value::String(text) => quoted(text),
        Value::Boolean(true) => String::from("true"),
        Value::Boolean(false) => String::from("false"),
        Value::Color(_) | Value::Easing(_) | Value::Timing(_) => text_of_value(value),
    }
}

/// Where a number is used tells its unit: Figma's lengths are pixels, its opacities percents. Without scopes it has none.
fn unit_of(scopes: &[Scope]) -> &'static str {
    let all = |of: &[Scope]| !scopes.is_empty() && scopes.iter().all(|scope| of.contains(scope));
    let lengths = [
        Scope::CornerRadius,
        Scope::WidthHeight,
        Scope::Gap,
        Scope::StrokeFloat,
        Scope::FontSize,
        Scope::LineHeight,
        Scope::LetterSpacing,
        Scope::ParagraphSpacing,
        Scope::ParagraphIndent,
    ];
    if all(&lengths) {
        "px"
    } else if all(&[Scope::Opacity, Scope::ColorOpacity]) {
        "%"
    } else {
        ""
    }
}

/// A string of CSS. `<` is escaped, so that a style sheet inside a page can't end it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '<' | '\u{0}'..='\u{1f}' | '\u{7f}' => drop(write!(out, "\\{:x} ", character as u32)),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
