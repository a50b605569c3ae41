//! Cases of `tests/cases/listing/`: what is said about a file's variables.
//!
//! Owns how a small file is written in a case, and how what is said about it is written in an expectation. Must not
//! know the rules.

use crate::file::Case;
use sheetwire_core::listing::chain::End;
use sheetwire_core::listing::duplicate::need;
use sheetwire_core::listing::tree::{Tree, What};
use sheetwire_core::listing::{Given, Listing};
use sheetwire_core::sheet::CellView;
use sheetwire_core::value::{ReadContext, Reading, Value, VariableType, read};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Lists the file and says what the field `asks` asks for.
pub fn run(case: &Case) -> Result<String, String> {
    let listing = file(&case.table("file")?)?;
    match case.field("asks") {
        None | Some("problems") => Ok(problems(&listing)),
        Some("chains") => Ok(chains(&listing)),
        Some("tree") => Ok(tree(
            &listing,
            case.field("search").unwrap_or_default(),
            case.field("closed"),
        )),
        Some("copy") => Ok(copy(&listing, case.field("name"))),
        Some(unknown) => Err(format!("`asks` knows no `{unknown}`")),
    }
}

/// `collection | name | mode…` begins a collection, any other line is a variable of it:
/// `name | type | value… | field=text…`.
fn file(rows: &[Vec<String>]) -> Result<Listing, String> {
    let mut collections = Vec::new();
    let mut ids = BTreeMap::new();
    let mut variables: Vec<(usize, &[String])> = Vec::new();
    for row in rows {
        match row.as_slice() {
            [kind, name, modes @ ..] if kind.starts_with("collection") => {
                collections.push(serde_json::json!({
                    "id": format!("c{}", collections.len()),
                    "name": name,
                    "modes": modes,
                    "extended": kind.contains("extended"),
                    "library_key": kind.contains("library").then_some(name),
                    "library": kind.strip_prefix("collection of the library "),
                }));
            }
            [name, _, ..] => {
                let owner = collections.len().checked_sub(1).ok_or("no collection")?;
                let title = collections[owner]["name"].as_str().unwrap_or_default();
                ids.entry(format!("{{{title}:{name}}}"))
                    .or_insert_with(|| format!("v{}", variables.len()));
                variables.push((owner, row));
            }
            _ => return Err(format!("{row:?} is no line of a file")),
        }
    }
    let listed: Vec<serde_json::Value> = variables
        .iter()
        .enumerate()
        .map(|(at, (owner, row))| {
            let modes = collections[*owner]["modes"].as_array().map_or(0, Vec::len);
            let mut variable = serde_json::json!({
                "id": format!("v{at}"),
                "name": row[0],
                "type": row[1],
                "collection": owner,
                "values": row[2..2 + modes].iter().map(|text| value(text, &row[1], &ids)).collect::<Vec<_>>(),
            });
            for field in &row[2 + modes..] {
                let (name, text) = field.split_once('=').unwrap_or((field, ""));
                match name {
                    "scopes" => variable["scopes"] = text.split(' ').filter(|scope| !scope.is_empty()).collect(),
                    "hidden" => variable["hidden"] = true.into(),
                    "description" => variable["description"] = text.into(),
                    platform => variable["code"][platform] = text.replace("\\n", "\n").into(),
                }
            }
            variable
        })
        .collect();
    let json = serde_json::json!({ "collections": collections, "variables": listed });
    Listing::read(&json.to_string()).map_err(|error| error.to_string())
}

/// A value as Figma gives it: a reference by its name, `{gone}` to nothing; the rest as a cell of that type reads.
fn value(text: &str, kind: &str, ids: &BTreeMap<String, String>) -> serde_json::Value {
    use serde_json::{Value as Json, json};
    let alias = |text: &str| {
        let gone = String::from("gone");
        json!({ "type": "VARIABLE_ALIAS", "id": ids.get(text).unwrap_or(&gone) })
    };
    if let Some((target, percent)) = text.split_once(" / ") {
        let percent: f64 = percent.trim_end_matches('%').parse().unwrap_or_default();
        return json!({ "color": alias(target), "opacity": percent });
    }
    if text.starts_with('{') {
        return alias(text);
    }
    let kind = VariableType::ALL
        .into_iter()
        .find(|known| known.name() == kind);
    let mut packed = String::new();
    if !text.is_empty() {
        packed.push('t');
        packed.push_str(text);
    }
    match read(CellView::new(&packed), kind, &ReadContext::default()) {
        Ok(Reading::Value(Value::Color(color))) => {
            json!({ "r": color.r, "g": color.g, "b": color.b, "a": color.a })
        }
        Ok(Reading::Value(Value::Float(number) | Value::Timing(number))) => json!(number),
        Ok(Reading::Value(Value::Boolean(value))) => json!(value),
        Ok(Reading::Value(Value::Easing([x1, y1, x2, y2]))) => {
            json!({ "type": "CUSTOM_CUBIC_BEZIER", "easingFunctionCubicBezier": { "x1": x1, "y1": y1, "x2": x2, "y2": y2 } })
        }
        Ok(Reading::Value(Value::String(text))) => json!(text),
        Ok(Reading::Empty) => Json::Null,
        _ => json!(text),
    }
}

fn problems(listing: &Listing) -> String {
    let mut out = String::new();
    let problems = listing.problems();
    for wrong in &problems.listed {
        let _ = writeln!(
            out,
            "{}: {}\n    remedy: {}",
            wrong.name, wrong.message, wrong.remedy
        );
    }
    if problems.total == 0 {
        out.push_str("nothing is wrong\n");
    }
    out
}

fn chains(listing: &Listing) -> String {
    let mut out = String::new();
    for (at, variable) in listing.variables.iter().enumerate() {
        let collection = listing.collection_of(variable);
        if !collection.is_own() || !variable.values.iter().any(|given| given.target().is_some()) {
            continue;
        }
        for (mode, name) in collection.modes.iter().enumerate() {
            let chain = listing.follow(at, mode);
            let mut way = String::new();
            for step in &chain.steps {
                let target = &listing.variables[step.variable];
                let mode = &listing.collection_of(target).modes[step.mode];
                if !way.is_empty() {
                    way.push_str(" → ");
                }
                way.push_str(&listing.reference(step.variable));
                let _ = write!(way, " in {mode}");
            }
            let end = match chain.end {
                End::Value => {
                    let last = chain.steps[chain.steps.len() - 1];
                    let given = &listing.variables[last.variable].values[last.mode];
                    let shown = given.text(variable.variable_type());
                    listing.hex(at, mode).unwrap_or(shown)
                }
                End::Nothing => String::from("no value"),
                End::Broken => String::from("a variable that is not there"),
                End::Circle => String::from("a circle"),
                End::TooLong => String::from("too many"),
            };
            let _ = writeln!(out, "{name}: {} | {way} | {end}", listing.said(at, mode));
        }
    }
    out
}

fn tree(listing: &Listing, search: &str, closed: Option<&str>) -> String {
    let tree = Tree::new(listing);
    let closed: BTreeSet<String> = closed
        .into_iter()
        .flat_map(|keys| keys.split(", "))
        .map(String::from)
        .collect();
    let mut out = String::new();
    for shown in tree.lines(search, None, &closed) {
        let line = shown.line;
        let indent = "  ".repeat(line.level - 1);
        let label = match line.what {
            What::Variable(at) => listing.variables[at].parts().1,
            What::Collection(_) | What::Group(_) => tree.label(&shown),
        };
        let fold = match line.is_open {
            Some(true) => "▾ ",
            Some(false) => "▸ ",
            None => "",
        };
        let _ = writeln!(
            out,
            "{indent}{fold}{label} ({}) {} of {}",
            line.count, line.place, line.size
        );
    }
    if out.is_empty() {
        out.push_str("nothing\n");
    }
    out
}

fn copy(listing: &Listing, name: Option<&str>) -> String {
    let mut out = String::new();
    for at in 0..listing.collections.len() {
        let proposed = listing.copy_name(at);
        let name = name.unwrap_or(&proposed);
        let original = &listing.collections[at].name;
        let _ = match listing.copy(at, name) {
            Ok(copy) => writeln!(
                out,
                "{original} → {name}: {} modes, {} variables, {} aliases inside, {} outside{}",
                copy.modes,
                copy.variables,
                copy.inside,
                copy.outside,
                need(copy.modes).map_or(String::new(), |need| format!("\n    {need}")),
            ),
            Err(problem) => writeln!(
                out,
                "{original} → {name}: {}\n    remedy: {}",
                problem.message, problem.remedy
            ),
        };
    }
    out
}

/// A copy of a listing's JSON reads as itself; a value that Figma may come to have is not refused.
#[test]
fn forms_of_values() {
    let json = r#"{"collections":[{"id":"c","name":"Base","modes":["a"]}],"variables":[
        {"id":"v","name":"spring","type":"EASING","collection":0,"values":[{"type":"GENTLE"}]},
        {"id":"w","name":"new","type":"SHADOW","collection":0,"values":[[1,2]]}]}"#;
    assert!(
        Listing::read(json).is_err(),
        "a list is no value of Figma's"
    );
    let json = json.replace("[[1,2]]", "[{\"list\":[1,2]}]");
    let listing = Listing::read(&json).expect("it is a listing");
    assert_eq!(listing.variables[0].values, [Given::Other]);
    assert_eq!(listing.variables[1].values, [Given::Other]);
    assert_eq!(listing.problems().total, 0);
}
