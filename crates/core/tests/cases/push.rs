//! Cases of `tests/cases/push/`: what of the changes made in Figma goes to the sheet, and how it is written there.
//!
//! Owns how a sent cell is written and a model of the sheet that takes it. Must not know how sheets and files are merged.

use crate::cells;
use crate::figma::World;
use crate::file::Case;
use crate::layout::{live, position, sheet, variables};
use crate::merge::{edit, policy, told_differences};
use sheetwire_core::protocol::panel::{Choice, DifferenceKind};
use sheetwire_core::protocol::relay::{CellGuard, SheetInfo, WriteResult, WriteValue};
use sheetwire_core::sheet::{Cell, Content, a1, pack, pack_changes, unpack_cell};
use std::fmt::Write as _;

/// A cell as case files write it.
pub fn notation(cell: &Cell) -> String {
    match &cell.content {
        Content::Empty => String::from("nothing"),
        Content::Text(text) if text.trim() == text => text.clone(),
        Content::Text(text) => format!("<text {text}>"),
        Content::Number { value, .. } => format!("<number {value}>"),
        Content::Percent { value, .. } => format!("<percent {value}>"),
        Content::Date { value, .. } => format!("<date {value}>"),
        Content::Bool(value) => format!("<{value}>"),
        Content::Error(shown) => format!("<error {shown}>"),
    }
}

/// The cell as the sheet holds it after a write: its format stays.
pub fn written(before: &Cell, value: &WriteValue) -> Cell {
    let content = match value {
        WriteValue::Text(text) => Content::Text(text.clone()),
        WriteValue::Number(value) => {
            let (value, shown) = (*value, format!("≈{value}"));
            match before.content {
                Content::Percent { .. } => Content::Percent { value, shown },
                _ => Content::Number { value, shown },
            }
        }
        WriteValue::Boolean(value) => Content::Bool(*value),
    };
    Cell {
        content,
        formula: None,
    }
}

fn left(world: &World, out: &mut String) {
    for item in told_differences(world).map_or(&[][..], |list| &list.items) {
        let kind = match item.kind {
            DifferenceKind::Drift => "drift",
            DifferenceKind::Conflict => "conflict",
        };
        let _ = write!(
            out,
            "{kind} {} {} {}: Figma {}, sheet {}",
            item.address,
            item.name,
            item.values.field,
            item.values.before.as_deref().unwrap_or("nothing"),
            item.values.after
        );
        if let Some(unsent) = item.unsent {
            let _ = write!(out, "; not sent: {unsent:?}");
        }
        out.push('\n');
    }
}

/// Connects the block `agreed`, does the block `figma`, brings the block `sheet`, with two-way sync on. What is sent is told
/// and written to the sheet, which then shows it. After that nothing may be left to send, and Figma holds what it held.
/// `answer` is the relay's word on every cell, `written` without one; `send` what the designer chooses to send: `all`, or a place
/// in the list of differences.
pub fn run(case: &Case) -> Result<String, String> {
    let read = |name: &str| -> Result<Vec<Vec<Cell>>, String> {
        let rows = case.table(name)?;
        rows.iter()
            .map(|row| row.iter().map(|text| cells::cell(text)).collect())
            .collect()
    };
    let answer = match case.field("answer") {
        None | Some("written") => WriteResult::Written,
        Some("formula") => WriteResult::Formula,
        Some("protected") => WriteResult::Protected,
        Some("changed") => WriteResult::Changed,
        Some("outside") => WriteResult::Outside,
        Some(other) => return Err(format!("no answer: {other}")),
    };
    let (mut world, _) = live(case, &read("agreed")?)?;
    world
        .engine
        .set_two_way(case.field("two-way") != Some("off"));
    world.engine.set_policy(policy(case)?);
    world.settle();
    for line in case.table("figma")? {
        edit(&mut world.file, &line)?;
    }
    let has_sheet = case.block("sheet").is_some();
    let mut rows = read(if has_sheet { "sheet" } else { "agreed" })?;
    let info = SheetInfo {
        spreadsheet_title: String::from("Design"),
        sheet_title: String::from(case.field("tab").unwrap_or("Tokens")),
        locale: String::from(case.field("locale").unwrap_or("en_US")),
    };
    world.told.clear();
    world.engine.announce_snapshot(&sheet(), position(2), info);
    world.bring(pack(&rows), false);
    world.settle();
    let figma = variables(&world.file);
    let mut out = String::new();
    if let Some(chosen) = case.field("send") {
        left(&world, &mut out);
        let _ = writeln!(out, "then {chosen}:");
        let items: Vec<u32> = chosen.parse().ok().into_iter().collect();
        let list = told_differences(&world).map_or(0, |list| list.list);
        world.engine.choose(list, &items, Choice::Send);
        world.settle();
    }
    let mut revision = 3;
    loop {
        let batches = world.batches();
        let Some((push, _, cells)) = batches.first() else {
            break;
        };
        if batches.len() > 1 {
            return Err(String::from("two batches at once"));
        }
        let mut changes: Vec<(u32, u32, Cell)> = Vec::new();
        for write in cells {
            let (row, column) = (write.row as usize, write.column as usize);
            let held = rows.get(row).and_then(|row| row.get(column));
            let before = unpack_cell(&write.before).map_err(|error| error.to_string())?;
            if held != Some(&before) {
                return Err(format!(
                    "it was decided on {before:?}, the sheet has {held:?}"
                ));
            }
            // What guards it is as the sheet has it, and is never the cell itself.
            let is_there = |guard: &CellGuard| {
                let row = rows.get(guard.row as usize);
                let held = row.and_then(|row| row.get(guard.column as usize));
                let empty = Cell {
                    content: Content::Empty,
                    formula: None,
                };
                let is_other = (guard.row, guard.column) != (write.row, write.column);
                is_other && unpack_cell(&guard.holds).ok().as_ref() == Some(held.unwrap_or(&empty))
            };
            if write.guards.len() < 2 || !write.guards.iter().all(is_there) {
                return Err(format!("it is not guarded: {:?}", write.guards));
            }
            let after = written(&before, &write.value);
            let address = a1(
                case.field("tab").unwrap_or("Tokens"),
                write.row,
                write.column,
            );
            let (was, is) = (notation(&before), notation(&after));
            let _ = writeln!(out, "sends {address}: {was} → {is}");
            if answer == WriteResult::Written {
                rows[row][column] = after.clone();
                changes.push((write.row, write.column, after));
            }
        }
        world.engine.pushed(*push, &vec![answer; cells.len()]);
        world.settle();
        if !changes.is_empty() {
            let records = changes
                .iter()
                .map(|(row, column, cell)| (*row, *column, cell));
            world
                .engine
                .announce_changes(&sheet(), position(revision), rows.len() as u32);
            world.bring(pack_changes(records), false);
            world.settle();
            revision += 1;
        }
        if revision > 9 {
            return Err(String::from("it never ends"));
        }
    }
    left(&world, &mut out);
    let now = variables(&world.file);
    if now != figma {
        let _ = write!(out, "Figma held:\n{figma}and holds:\n{now}");
    }
    Ok(out)
}
