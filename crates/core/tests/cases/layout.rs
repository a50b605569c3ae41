//! Cases of `tests/cases/layout/`: what comes of a sheet that lies in some way.
//!
//! Owns how a way to lie and what came of it are written. Must not know how a sheet is read.

use crate::cells;
use crate::figma::{File, LIBRARY_IDS, World};
use crate::file::Case;
use sheetwire_core::document::{Held, VariableSlot};
use sheetwire_core::protocol::panel::{
    Brands, Names, Problem, RemBase, Role, RowRule, Sections, Shape, SheetLayout, ToPanel,
};
use sheetwire_core::protocol::relay::{Position, SheetInfo, SheetRef};
use sheetwire_core::sheet::{Cell, pack, pack_changes};
use sheetwire_core::value::parse_type;
use std::fmt::Write as _;

pub fn sheet() -> SheetRef {
    SheetRef {
        spreadsheet_id: String::from("sheet"),
        sheet_id: 0,
    }
}

pub fn position(revision: u64) -> Position {
    Position {
        epoch: String::from("e"),
        revision,
    }
}

/// Options of the line `layout:`, such as `brands=collections only=Status:approved,ready rem=Mobile:14`.
fn options(lies: &mut SheetLayout, text: &str) -> Result<(), String> {
    for option in text.split_whitespace() {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let (header, rest) = value.split_once(':').unwrap_or((value, ""));
        let rule = || {
            Some(RowRule {
                header: String::from(header),
                words: rest.split(',').map(String::from).collect(),
            })
        };
        match (key, value) {
            ("shape", "records") => lies.shape = Shape::Records,
            ("shape", "long") => lies.shape = Shape::Long,
            ("brands", "modes") => lies.brands = Brands::Modes,
            ("brands", "collections") => lies.brands = Brands::Collections,
            ("sections", "ignore") => lies.sections = Sections::Ignore,
            ("sections", "groups") => lies.sections = Sections::Groups,
            ("sections", "collections") => lies.sections = Sections::Collections,
            ("names", "groups") => lies.names = Names::Groups,
            ("names", "keep") => lies.names = Names::Keep,
            ("formulas", "") => lies.formulas = true,
            ("same-collection", _) => lies.same_collection = true,
            ("skip", rows) => lies.skip_rows = rows.parse().map_err(|_| "skip is no number")?,
            ("only", "") => lies.only = None,
            ("only", _) => lies.only = rule(),
            ("ignore", _) => lies.ignore = rule(),
            ("rem", _) => lies.rem.push(RemBase {
                mode: String::from(header),
                px: rest.parse().map_err(|_| "rem is no number")?,
            }),
            _ => return Err(format!("no such option: {option}")),
        }
    }
    Ok(())
}

pub fn told_problems<'a>(out: &mut String, problems: impl IntoIterator<Item = &'a Problem>) {
    for problem in problems {
        let _ = writeln!(
            out,
            "problem {}: {}\n    remedy: {}",
            problem.address, problem.message, problem.remedy
        );
    }
}

/// A world in which the case's sheet was connected, previewed and approved, and the words for its preview's problems.
pub fn live(case: &Case, rows: &[Vec<Cell>]) -> Result<(World, String), String> {
    let mut file = File::new();
    if case.block("library").is_some() {
        for line in case.table("library")? {
            let [library, collection, name, kind] = &line[..] else {
                return Err(format!("no variable of a library: {line:?}"));
            };
            let kind = parse_type(kind).ok().flatten().ok_or("no type")?;
            let texts = [library, collection, name].map(String::clone);
            let [library, collection, name] = texts;
            file.libraries.push((library, collection, name, kind));
        }
    }
    if let Some(name) = case.field("extended") {
        let extended = file.add_collection(name, &["Light"]);
        file.collections[extended].extended = true;
    }
    let mut world = World::new(file);
    world.engine.connect(sheet());
    let info = SheetInfo {
        spreadsheet_title: String::from("Design"),
        sheet_title: String::from(case.field("tab").unwrap_or("Tokens")),
        locale: String::from(case.field("locale").unwrap_or("en_US")),
    };
    world.engine.announce_snapshot(&sheet(), position(1), info);
    world.bring(pack(rows), false);
    world.settle();
    let inferred = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Inferred {
            columns,
            header_row,
            layout,
            problems,
            ..
        } => Some((
            columns.clone(),
            *header_row,
            layout.clone(),
            problems.clone(),
        )),
        _ => None,
    });
    let (columns, header_row, layout, inferred_problems) =
        inferred.ok_or("nothing was inferred")?;
    let mut out = format!("header row {}:", header_row + 1);
    for column in &columns {
        let role = match &column.role {
            Role::Ignore => continue,
            Role::Mode { name } => format!("mode {name}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let _ = write!(out, " {role};");
    }
    let mut lies = layout.unwrap_or_default();
    let _ = write!(
        out,
        " {:?}, brands {:?}, names {:?}",
        lies.shape, lies.brands, lies.names
    );
    if lies.sections != Sections::Ignore {
        let _ = write!(out, ", headings {:?}", lies.sections);
    }
    if let Some(rule) = &lies.only {
        let _ = write!(out, ", only {}: {}", rule.header, rule.words.join(", "));
    }
    out.push('\n');
    told_problems(&mut out, &inferred_problems);
    options(&mut lies, case.field("layout").unwrap_or_default())?;
    let lies = (lies != SheetLayout::default()).then_some(lies);
    world
        .engine
        .confirm_columns(None, columns, header_row, lies);
    world.settle();
    let preview = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Preview(preview) => Some(preview.clone()),
        _ => None,
    });
    let Some(preview) = preview else {
        let Some(ToPanel::Refused { message, remedy }) = world.told.last() else {
            return Err(format!("no preview: {:?}", world.told.last()));
        };
        let remedy = remedy.as_deref().unwrap_or_default();
        let _ = writeln!(out, "refused: {message}\n    remedy: {remedy}");
        return Ok((world, out));
    };
    told_problems(&mut out, &preview.problems);
    world.engine.approve(preview.plan, false);
    world.settle();
    Ok((world, out))
}

/// A value as text for people.
fn shown(file: &File, value: &Held) -> String {
    let name = |target: &Option<VariableSlot>| {
        let foreign = target.and_then(|id| id.0.checked_sub(LIBRARY_IDS));
        let foreign = foreign.and_then(|at| file.libraries.get(at as usize));
        let target = target.and_then(|id| file.variables.get(&id.0));
        match (target, foreign) {
            (Some(target), _) => format!("{{{}}}", target.name),
            (None, Some((library, _, name, _))) => format!("{{{library} › {name}}}"),
            (None, None) => String::from("?"),
        }
    };
    match value {
        Held::Color(channels) => {
            let [r, g, b, a] = channels.map(|channel| (channel * 255.0).round() as u8);
            format!(
                "#{r:02x}{g:02x}{b:02x}{}",
                if a == 255 {
                    String::new()
                } else {
                    format!("{a:02x}")
                }
            )
        }
        Held::Float(number) => number.to_string(),
        Held::Timing(number) => format!("{number}ms"),
        Held::Boolean(value) => value.to_string(),
        Held::Text(text) => text.to_string(),
        Held::Alias(target) => name(target),
        Held::Composed(target, opacity) => format!("{} / {opacity}%", name(target)),
        Held::Missing | Held::Easing(_) | Held::Other => format!("{value:?}"),
    }
}

/// The file's variables, in the order of the sheet, as text.
pub fn variables(file: &File) -> String {
    let mut out = String::new();
    for variable in file.variables.values() {
        let collection = &file.collections[variable.collection];
        let _ = write!(
            out,
            "{}: {} {}",
            collection.name,
            variable.name,
            variable.kind.name()
        );
        for (mode, value) in collection.modes.iter().zip(&variable.values) {
            let _ = write!(out, "; {mode} = {}", shown(file, value));
        }
        if variable.hidden {
            out.push_str("; hidden");
        }
        if !variable.description.is_empty() {
            let _ = write!(out, "; description = {}", variable.description);
        }
        out.push('\n');
    }
    out
}

/// Connects the block `sheet`; with a block `edit` of lines `row | column | cell`, counted from one, edits it then and
/// holds the outcome to that of the edited sheet connected anew, unless a line `anew:` says why it differs.
pub fn run(case: &Case) -> Result<String, String> {
    let read = |name: &str| -> Result<Vec<Vec<Cell>>, String> {
        let rows = case.table(name)?;
        rows.iter()
            .map(|row| row.iter().map(|text| cells::cell(text)).collect())
            .collect()
    };
    let mut rows = read("sheet")?;
    let (mut world, mut out) = live(case, &rows)?;
    out.push_str(&variables(&world.file));
    if case.block("edit").is_none() {
        return Ok(out);
    }
    let mut changes = Vec::new();
    for line in case.table("edit")? {
        let place = |at: usize| line.get(at).and_then(|text| text.parse::<usize>().ok());
        let (Some(row), Some(column), Some(cell)) = (place(0), place(1), line.get(2)) else {
            return Err(format!("no edit: {line:?}"));
        };
        let cell = cells::cell(cell)?;
        while rows.len() < row {
            rows.push(Vec::new());
        }
        while rows[row - 1].len() < column {
            rows[row - 1].push(cells::cell("")?);
        }
        rows[row - 1][column - 1] = cell.clone();
        changes.push((row as u32 - 1, column as u32 - 1, cell));
    }
    let before = variables(&world.file);
    let records = changes
        .iter()
        .map(|(row, column, cell)| (*row, *column, cell));
    let packed = pack_changes(records);
    world
        .engine
        .announce_changes(&sheet(), position(2), rows.len() as u32);
    world.bring(packed, false);
    world.settle();
    out.push_str("after the edit:\n");
    let after = variables(&world.file);
    for line in after.lines().filter(|line| !before.contains(line)) {
        let _ = writeln!(out, "{line}");
    }
    if case.field("anew").is_some() {
        return Ok(out);
    }
    let (anew, _) = live(case, &rows)?;
    let anew = variables(&anew.file);
    if let Some(line) = anew.lines().find(|line| !after.contains(line)) {
        return Err(format!(
            "connected anew the sheet gives `{line}`, after the edit:\n{after}"
        ));
    }
    Ok(out)
}
