//! Cases of `tests/cases/merge/`: what becomes of changes on both sides.
//!
//! Owns how an edit in Figma and what came of both are written. Must not know how sheets and files are merged.

use crate::cells;
use crate::figma::{File, World};
use crate::file::Case;
use crate::layout::{live, position, sheet, told_problems, variables};
use sheetwire_core::document::{Held, Scopes, VariableSlot};
use sheetwire_core::protocol::panel::{
    Choice, ConflictPolicy, DifferenceKind, Differences, DriftPolicy, MergePolicy, ToPanel,
};
use sheetwire_core::protocol::relay::SheetInfo;
use sheetwire_core::sheet::{Cell, CellView, Content, pack};
use sheetwire_core::value::{self, ReadContext, Reading, parse_scopes};
use std::fmt::Write as _;

/// The variable that `name` or `Collection:name` means.
fn target(file: &File, collection: &str, name: &str) -> Result<VariableSlot, String> {
    let (collection, name) = name.split_once(':').unwrap_or((collection, name));
    let id = file.id_of(collection, name).ok_or("no such target")?;
    Ok(VariableSlot(id))
}

/// One line of the block `figma`: `collection | variable | mode or field | value`; a field is `name`, `description`,
/// `scopes`, `code:web`, `hidden`, or `removed`. A value is as in a sheet, `{?}` an alias to a variable of another file.
pub fn edit(file: &mut File, line: &[String]) -> Result<(), String> {
    let [collection, name, field, value] = line else {
        return Err(format!("no edit: {line:?}"));
    };
    let id = file
        .id_of(collection, name)
        .ok_or_else(|| format!("no variable: {line:?}"))?;
    let place = file.variables[&id].collection;
    let mode = file.collections[place]
        .modes
        .iter()
        .position(|mode| mode == field);
    let kind = file.variables[&id].kind;
    let alias = value
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'));
    let held = match alias {
        Some(("?", _)) => Held::Alias(None),
        Some((name, "")) => Held::Alias(Some(target(file, collection, name)?)),
        Some((name, opacity)) => {
            let percent = opacity.trim_matches([' ', '/', '%']).parse();
            let percent: f32 = percent.map_err(|_| "no opacity")?;
            Held::Composed(Some(target(file, collection, name)?), percent)
        }
        None => {
            let cell = pack(&[vec![cells::cell(value)?]]);
            let packed = cell.trim_end_matches('\u{1e}');
            match value::read(
                CellView::new(packed),
                Some(kind),
                &ReadContext::for_locale("en_US"),
            ) {
                Ok(Reading::Value(value)) => Held::stored(&value),
                _ => Held::Missing,
            }
        }
    };
    let Some(variable) = file.variables.get_mut(&id) else {
        return Err(String::from("it is gone"));
    };
    match (field.as_str(), mode) {
        ("name", _) => variable.name.clone_from(value),
        ("description", _) => {
            variable.description = match cells::cell(value)?.content {
                Content::Text(text) => text,
                _ => String::new(),
            };
        }
        ("scopes", _) => {
            let scopes = parse_scopes(value).map_err(|error| error.to_string())?;
            variable.scopes = Scopes::of(&scopes.unwrap_or_default()).0;
        }
        ("code:web", _) => variable.code[0].clone_from(value),
        ("hidden", _) => variable.hidden = value == "TRUE",
        ("removed", _) => {
            file.variables.remove(&id);
        }
        (_, Some(mode)) => variable.values[mode] = held,
        (_, None) => return Err(format!("no mode or field: {line:?}")),
    }
    Ok(())
}

pub fn policy(case: &Case) -> Result<MergePolicy, String> {
    Ok(MergePolicy {
        drift: match case.field("drift") {
            None | Some("keep") => DriftPolicy::Keep,
            Some("overwrite") => DriftPolicy::Overwrite,
            Some("push") => DriftPolicy::Push,
            Some(other) => return Err(format!("no policy: {other}")),
        },
        conflict: match case.field("conflict") {
            None | Some("ask") => ConflictPolicy::Ask,
            Some("sheet") => ConflictPolicy::Sheet,
            Some("figma") => ConflictPolicy::Figma,
            Some(other) => return Err(format!("no policy: {other}")),
        },
    })
}

pub fn told_differences(world: &World) -> Option<&Differences> {
    world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences),
        _ => None,
    })
}

/// What is shown and what the file holds.
fn state(world: &World) -> String {
    let mut out = String::new();
    for message in &world.told {
        match message {
            ToPanel::Waiting { reason, preview } => {
                let _ = writeln!(out, "waits: {reason:?}");
                for row in &preview.rows {
                    let _ = write!(out, "    {:?} {}: {}", row.kind, row.collection, row.name);
                    for field in &row.fields {
                        let before = field.before.as_deref().unwrap_or("nothing");
                        let _ = write!(out, "; {} {before} → {}", field.field, field.after);
                    }
                    out.push('\n');
                }
                told_problems(&mut out, &preview.problems);
            }
            ToPanel::Applied(report) => told_problems(&mut out, &report.problems),
            ToPanel::Refused { message, .. } => {
                let _ = writeln!(out, "refused: {message}");
            }
            _ => {}
        }
    }
    for item in told_differences(world).map_or(&[][..], |list| &list.items) {
        let kind = match item.kind {
            DifferenceKind::Drift => "drift",
            DifferenceKind::Conflict => "conflict",
        };
        let _ = writeln!(
            out,
            "{kind} {} {} {}: Figma {}, sheet {}",
            item.address,
            item.name,
            item.values.field,
            item.values.before.as_deref().unwrap_or("nothing"),
            item.values.after
        );
    }
    out + &variables(&world.file)
}

/// Connects the block `agreed`, does the block `figma`, brings the block `sheet`, and makes the choice of the line
/// `choose` (`sheet`, `figma`, or with a place in the list, `figma 1`). Everything is done again at the end, as
/// reopening does, and has to come to the same.
pub fn run(case: &Case) -> Result<String, String> {
    let read = |name: &str| -> Result<Vec<Vec<Cell>>, String> {
        let rows = case.table(name)?;
        rows.iter()
            .map(|row| row.iter().map(|text| cells::cell(text)).collect())
            .collect()
    };
    let (mut world, _) = live(case, &read("agreed")?)?;
    world.engine.set_policy(policy(case)?);
    world.settle();
    if case.block("figma").is_some() {
        for line in case.table("figma")? {
            edit(&mut world.file, &line)?;
        }
    }
    let rows = read(if case.block("sheet").is_some() {
        "sheet"
    } else {
        "agreed"
    })?;
    let bring = |world: &mut World, revision| {
        let info = SheetInfo {
            spreadsheet_title: String::from("Design"),
            sheet_title: String::from(case.field("tab").unwrap_or("Tokens")),
            locale: String::from("en_US"),
        };
        world
            .engine
            .announce_snapshot(&sheet(), position(revision), info);
        world.bring(pack(&rows), false);
        world.settle();
    };
    world.told.clear();
    bring(&mut world, 2);
    let mut out = state(&world);
    if let Some(chosen) = case.field("choose") {
        let (choice, place) = chosen.split_once(' ').unwrap_or((chosen, ""));
        let choice = match choice {
            "sheet" => Choice::Sheet,
            "figma" => Choice::Figma,
            other => return Err(format!("no choice: {other}")),
        };
        let list = told_differences(&world).map_or(0, |list| list.list);
        let items: Vec<u32> = place.parse().ok().into_iter().collect();
        world.told.clear();
        world.engine.choose(list, &items, choice);
        world.settle();
        out = out + "after the choice:\n" + &state(&world);
    }
    let before = state(&world);
    let writes = world.file.writes;
    let mut again = World::reopened(world.file, world.kept);
    bring(&mut again, 3);
    let lines = |text: &str| -> Vec<String> {
        let problem = |line: &&str| line.starts_with("problem") || line.starts_with("    remedy");
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| !problem(line))
            .map(String::from)
            .collect();
        lines.sort_unstable();
        lines
    };
    if lines(&before) != lines(&state(&again)) {
        return Err(format!(
            "before reopening:\n{before}after:\n{}",
            state(&again)
        ));
    }
    if again.file.writes != writes {
        return Err(String::from("reopening wrote something"));
    }
    Ok(out)
}
