//! Case files: Markdown in which a section is a case.
//!
//! Owns the form of a file (tests/cases/README.md), the comparison with what is expected, `UPDATE=1` and known failures.
//! Must not know what any block means.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Turns a case into what its `expect` block should hold. `Err` when the case itself can't be read.
pub type Runner = fn(&Case) -> Result<String, String>;

/// One section of a case file.
pub struct Case {
    /// Its title, after `## `.
    pub title: String,
    /// Line of the title, from one.
    line: usize,
    fields: Vec<(String, String)>,
    blocks: Vec<Block>,
}

struct Block {
    name: String,
    text: String,
    /// Lines of the file, from zero: the opening fence and the closing one.
    opens: usize,
    closes: usize,
}

impl Case {
    /// The value of a line `name: value` between the title and the first block.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// What stands in the block fenced as `name`.
    pub fn block(&self, name: &str) -> Option<&str> {
        self.found(name).map(|block| block.text.as_str())
    }

    /// The block `name` as a table: rows of cells, with `|` between cells and `\|` for a bar in one. Spaces around a cell
    /// are no part of it. Blank lines are left out.
    pub fn table(&self, name: &str) -> Result<Vec<Vec<String>>, String> {
        let text = self
            .block(name)
            .ok_or_else(|| format!("the case has no block `{name}`"))?;
        Ok(text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(table_row)
            .collect())
    }

    /// The blocks whose fence begins with the word `kind`: what else stands on the fence, and the block as a table.
    pub fn tables<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a str, Vec<Vec<String>>)> + 'a {
        self.blocks.iter().filter_map(move |block| {
            let rest = block.name.strip_prefix(kind)?.strip_prefix(' ')?;
            let lines = block.text.lines().filter(|line| !line.trim().is_empty());
            Some((rest, lines.map(table_row).collect()))
        })
    }

    fn found(&self, name: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.name == name)
    }
}

/// A line's cells; see [`Case::table`].
pub fn table_row(line: &str) -> Vec<String> {
    const BAR: &str = "\u{0}";
    line.replace("\\|", BAR)
        .split('|')
        .map(|cell| cell.trim().replace(BAR, "|"))
        .collect()
}

/// The names of fields. Another line with a colon is prose.
const FIELDS: [&str; 19] = [
    "asks",
    "search",
    "closed",
    "name",
    "encoding",
    "writes",
    "known failure",
    "locale",
    "anew",
    "extended",
    "rem",
    "tab",
    "layout",
    "drift",
    "conflict",
    "choose",
    "two-way",
    "send",
    "answer",
];

fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(mut block) = open.take() {
            if line == "```" {
                block.closes = at;
                let case = cases
                    .last_mut()
                    .ok_or_else(|| format!("line {}: a block before the first case", at + 1))?;
                if case.found(&block.name).is_some() {
                    return Err(format!("line {}: a second block `{}`", at + 1, block.name));
                }
                case.blocks.push(block);
            } else {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        } else if let Some(name) = line.strip_prefix("```") {
            open = Some(Block {
                name: String::from(name.trim()),
                text: String::new(),
                opens: at,
                closes: at,
            });
        } else if let Some(title) = line.strip_prefix("## ") {
            let title = title.trim();
            if let Some(twin) = cases.iter().find(|case| case.title == title) {
                return Err(format!(
                    "line {}: the title of line {} again",
                    at + 1,
                    twin.line
                ));
            }
            cases.push(Case {
                title: String::from(title),
                line: at + 1,
                fields: Vec::new(),
                blocks: Vec::new(),
            });
        } else if let Some(case) = cases.last_mut()
            && let Some((name, value)) = line.split_once(':')
            && FIELDS.contains(&name)
        {
            case.fields
                .push((String::from(name), String::from(value.trim())));
        }
    }
    match open {
        Some(block) => Err(format!(
            "line {}: this block is never closed",
            block.opens + 1
        )),
        None if cases.is_empty() => Err(String::from("the file holds no case")),
        None => Ok(cases),
    }
}

/// What came of one case.
enum Outcome {
    Passed,
    KnownFailure,
    Failed(String),
    /// The new text of the `expect` block.
    Rewritten(String),
}

fn judge(case: &Case, run: Runner, update: bool) -> Outcome {
    let found = match run(case) {
        Ok(mut found) => {
            if !found.ends_with('\n') {
                found.push('\n');
            }
            found
        }
        Err(error) => return Outcome::Failed(error),
    };
    let expected = case.block("expect");
    match (case.field("known failure"), expected) {
        (Some(""), _) => Outcome::Failed(String::from("a known failure needs its reason")),
        (Some(_), None) => Outcome::Failed(String::from("a known failure needs what is expected")),
        (Some(reason), Some(expected)) if expected == found => Outcome::Failed(format!(
            "this known failure passes now; remove its line `known failure: {reason}`"
        )),
        (Some(_), Some(_)) => Outcome::KnownFailure,
        (None, Some(expected)) if expected == found => Outcome::Passed,
        (None, _) if update => Outcome::Rewritten(found),
        (None, None) => Outcome::Failed(format!("no block `expect`; UPDATE=1 writes it:\n{found}")),
        (None, Some(expected)) => Outcome::Failed(difference(expected, &found)),
    }
}

/// The lines that differ, `-` expected and `+` found; equal ones at the start and end are left out.
fn difference(expected: &str, found: &str) -> String {
    let expected: Vec<&str> = expected.lines().collect();
    let found: Vec<&str> = found.lines().collect();
    let same = |pairs: &mut dyn Iterator<Item = bool>| pairs.take_while(|same| *same).count();
    let start = same(&mut expected.iter().zip(&found).map(|(e, f)| e == f));
    let shorter = expected.len().min(found.len()) - start;
    let end = same(
        &mut expected
            .iter()
            .rev()
            .zip(found.iter().rev())
            .take(shorter)
            .map(|(e, f)| e == f),
    );
    let mut out = String::new();
    for (sign, lines) in [('-', &expected), ('+', &found)] {
        for line in &lines[start..lines.len() - end] {
            let _ = writeln!(out, "    {sign} {line}");
        }
    }
    out
}

fn rewrite(text: &str, cases: &[Case], rewritten: &[(usize, String)]) -> String {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    // From the last to the first, so that earlier line numbers stay true.
    for (index, found) in rewritten.iter().rev() {
        let case = &cases[*index];
        let body = found.lines().map(String::from);
        match (case.found("expect"), case.blocks.last()) {
            (Some(block), _) => {
                lines.splice(block.opens + 1..block.closes, body);
            }
            (None, Some(last)) => {
                let fence = [String::from("```expect")];
                let end = [String::from("```")];
                lines.splice(
                    last.closes + 1..last.closes + 1,
                    fence.into_iter().chain(body).chain(end),
                );
            }
            (None, None) => {}
        }
    }
    let mut out = lines.join("\n");
    out.push('\n');
    out
}

fn case_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{} can't be listed: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry of a folder just listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Runs every case file below `folder` of the repository with its folder's runner, and fails with all that differs.
/// Folders in `elsewhere` have their runners in another crate.
pub fn run_all(folder: &str, elsewhere: &[&str], runners: &[(&str, Runner)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    let mut run_count = 0;
    let mut known = 0;
    for path in case_files(&root) {
        let name = path
            .strip_prefix(&root)
            .expect("a file below the root")
            .display()
            .to_string();
        if name == "README.md" {
            continue;
        }
        let folder = name.split(['/', '\\']).next().unwrap_or_default();
        if elsewhere.contains(&folder) {
            continue;
        }
        let Some((_, run)) = runners.iter().find(|(of, _)| *of == folder) else {
            failures.push(format!("{name}: no runner for the folder `{folder}`"));
            continue;
        };
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{name} can't be read: {error}"));
        let cases = match parse(&text) {
            Ok(cases) => cases,
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                continue;
            }
        };
        let mut rewritten = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            run_count += 1;
            match judge(case, *run, update) {
                Outcome::Passed => {}
                Outcome::KnownFailure => known += 1,
                Outcome::Failed(why) => {
                    failures.push(format!("{name}:{}: {}\n{why}", case.line, case.title))
                }
                Outcome::Rewritten(found) => rewritten.push((index, found)),
            }
        }
        if !rewritten.is_empty() {
            fs::write(&path, rewrite(&text, &cases, &rewritten))
                .unwrap_or_else(|error| panic!("{name} can't be written: {error}"));
            println!("{name}: {} expectations rewritten", rewritten.len());
        }
    }
    println!("{run_count} cases, {known} known failures");
    for (folder, _) in runners {
        assert!(
            root.join(folder).is_dir(),
            "{folder} has a runner and no cases"
        );
    }
    assert!(
        failures.is_empty(),
        "{} of {run_count} cases failed:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[test]
fn a_known_failure_that_passes_alarms() {
    let text = "# A\n\n## B\n\nknown failure: why\n\n```expect\nfound\n```\n\n## C\n\n```expect\nother\n```\n";
    let cases = parse(text).expect("two cases");
    let run: Runner = |_| Ok(String::from("found"));
    assert!(
        matches!(&judge(&cases[0], run, true), Outcome::Failed(why) if why.contains("passes now"))
    );
    assert!(
        matches!(&judge(&cases[1], run, false), Outcome::Failed(why) if why.contains("+ found"))
    );
    let Outcome::Rewritten(found) = judge(&cases[1], run, true) else {
        panic!("UPDATE=1 rewrites");
    };
    assert_eq!(
        rewrite(text, &cases, &[(1, found)]),
        text.replace("other", "found")
    );
}
