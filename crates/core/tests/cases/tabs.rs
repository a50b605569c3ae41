//! Cases of `tests/cases/tabs/`: what comes of several tabs that feed one file.
//!
//! Owns how tabs, what the designer confirms of them and what happens to them afterwards are written. Must not know how
//! rows of tabs are put together.

use crate::cells;
use crate::figma::{File, World};
use crate::file::{Case, table_row};
use crate::layout::{told_problems, variables};
use crate::{merge, push};
use sheetwire_core::protocol::panel::{Preview, Role, SheetLayout, TabMode, ToPanel};
use sheetwire_core::protocol::relay::{Position, SheetInfo, SheetRef, WriteResult};
use sheetwire_core::sheet::{Cell, a1, pack, pack_changes, unpack_cell};
use std::fmt::Write as _;

/// Most batches that one edit may lead to.
const BATCHES_MAX: usize = 9;

/// A tab as the case has it.
#[derive(Clone)]
struct Tab {
    title: String,
    spreadsheet: String,
    locale: String,
    /// What the designer chose instead of what was inferred.
    mode: Option<Option<TabMode>>,
    /// Whether formulas are taken for aliases.
    formulas: bool,
    rows: Vec<Vec<Cell>>,
    /// Google's number of it: its place in the case.
    sheet_id: i64,
    revision: u64,
}

impl Tab {
    /// Of a fence such as `tab Dark; spreadsheet=Brand; locale=de_DE; mode=Theme:Dark`.
    fn of(words: &str, rows: &[Vec<String>], sheet_id: i64) -> Result<Tab, String> {
        let mut words = words.split(';').map(str::trim);
        let mut tab = Tab {
            title: String::from(words.next().unwrap_or_default()),
            spreadsheet: String::from("Design"),
            locale: String::from("en_US"),
            mode: None,
            formulas: false,
            rows: Vec::new(),
            sheet_id,
            revision: 1,
        };
        for word in words {
            if word == "formulas" {
                tab.formulas = true;
                continue;
            }
            match word.split_once('=').ok_or("no option of a tab")? {
                ("spreadsheet", title) => tab.spreadsheet = String::from(title),
                ("locale", locale) => tab.locale = String::from(locale),
                ("mode", "none") => tab.mode = Some(None),
                ("mode", text) => {
                    let (collection, mode) = text.split_once(':').ok_or("no collection:mode")?;
                    tab.mode = Some(Some(TabMode {
                        collection: String::from(collection),
                        mode: String::from(mode),
                    }));
                }
                (other, _) => return Err(format!("no such option: {other}")),
            }
        }
        let rows = rows.iter();
        tab.rows = rows
            .map(|row| row.iter().map(|text| cells::cell(text)).collect())
            .collect::<Result<_, _>>()?;
        Ok(tab)
    }

    fn sheet(&self) -> SheetRef {
        SheetRef {
            spreadsheet_id: self.spreadsheet.clone(),
            sheet_id: self.sheet_id,
        }
    }

    fn position(&self) -> Position {
        Position {
            epoch: String::from("e"),
            revision: self.revision,
        }
    }

    fn tell(&self, world: &mut World) {
        let info = SheetInfo {
            spreadsheet_title: self.spreadsheet.clone(),
            sheet_title: self.title.clone(),
            locale: self.locale.clone(),
        };
        let engine = &mut world.engine;
        if engine.announce_snapshot(&self.sheet(), self.position(), info) {
            let source = self.sheet_id as usize;
            world.drop_pending_of(source);
            world.bring_of(source, pack(&self.rows), false);
        }
    }

    fn edit(&mut self, line: &[String], world: &mut World) -> Result<(), String> {
        let place = |at: usize| line.get(at).and_then(|text| text.parse::<usize>().ok());
        let (Some(row), Some(column), Some(cell)) = (place(1), place(2), line.get(3)) else {
            return Err(format!("no edit: {line:?}"));
        };
        let cell = cells::cell(cell)?;
        while self.rows.len() < row {
            self.rows.push(Vec::new());
        }
        while self.rows[row - 1].len() < column {
            self.rows[row - 1].push(cells::cell("")?);
        }
        self.rows[row - 1][column - 1] = cell.clone();
        self.revision += 1;
        self.tell_changes(&[(row as u32 - 1, column as u32 - 1, cell)], world);
        Ok(())
    }

    fn tell_changes(&self, changes: &[(u32, u32, Cell)], world: &mut World) {
        let records = changes.iter();
        let packed = pack_changes(records.map(|(row, column, cell)| (*row, *column, cell)));
        let rows = self.rows.len() as u32;
        let before = world.engine.announced();
        if world
            .engine
            .announce_changes(&self.sheet(), self.position(), rows)
        {
            let joins = world.engine.announced() == before;
            world.bring_of(self.sheet_id as usize, packed, joins);
        }
    }
}

/// Connects all tabs, confirms each as inferred and as the case says, and looks at the first plan.
fn connect(tabs: &[Tab]) -> Result<(World, String), String> {
    let mut world = World::new(File::new());
    for (at, tab) in tabs.iter().enumerate() {
        if at == 0 {
            world.engine.connect(tab.sheet());
        } else {
            world.engine.add_source(tab.sheet());
        }
    }
    for tab in tabs {
        tab.tell(&mut world);
    }
    world.settle();
    let mut out = String::new();
    for (at, tab) in tabs.iter().enumerate() {
        let inferred = world.told.iter().rev().find_map(|message| match message {
            ToPanel::Inferred {
                columns,
                header_row,
                layout,
                sheet,
                ..
            } if sheet.as_ref().is_none_or(|sheet| *sheet == tab.sheet()) => {
                Some((columns.clone(), *header_row, layout.clone()))
            }
            _ => None,
        });
        let (columns, header_row, layout) =
            inferred.ok_or_else(|| format!("nothing was inferred of {}", tab.title))?;
        let _ = write!(out, "{}:", tab.title);
        for column in &columns {
            let role = match &column.role {
                Role::Ignore => continue,
                Role::Mode { name } => format!("mode {name}"),
                other => format!("{other:?}").to_lowercase(),
            };
            let _ = write!(out, " {role};");
        }
        let mut lies = layout.unwrap_or_default();
        if let Some(told) = &lies.tab_mode {
            let _ = write!(out, " holds {} of {}", told.mode, told.collection);
        }
        out.push('\n');
        if let Some(mode) = &tab.mode {
            lies.tab_mode.clone_from(mode);
        }
        lies.formulas = tab.formulas;
        let lies = (lies != SheetLayout::default()).then_some(lies);
        let sheet = (at > 0).then(|| tab.sheet());
        world
            .engine
            .confirm_columns(sheet.as_ref(), columns, header_row, lies);
        world.settle();
    }
    let preview = plan(&world).ok_or_else(|| format!("no preview: {:?}", world.told.last()))?;
    told_problems(&mut out, &preview.problems);
    world.engine.approve(preview.plan, false);
    world.settle();
    Ok((world, out))
}

/// Has the tabs take what is sent to them, and show it, until nothing is sent any more.
fn send(world: &mut World, tabs: &mut [Tab], out: &mut String) -> Result<(), String> {
    for _ in 0..BATCHES_MAX {
        let mut batches = world.batches();
        let Some((push, sheet, cells)) = batches.pop() else {
            return Ok(());
        };
        if !batches.is_empty() {
            return Err(String::from("two batches at once"));
        }
        let tab = tabs.iter_mut().find(|tab| tab.sheet() == sheet);
        let tab = tab.ok_or("cells for a tab that is not there")?;
        let mut changes: Vec<(u32, u32, Cell)> = Vec::new();
        for write in &cells {
            let held = &mut tab.rows[write.row as usize][write.column as usize];
            if unpack_cell(&write.before).ok().as_ref() != Some(held) {
                return Err(format!("the sheet has {held:?}"));
            }
            let after = push::written(held, &write.value);
            let address = a1(&tab.title, write.row, write.column);
            let (was, is) = (push::notation(held), push::notation(&after));
            let _ = writeln!(out, "sends {address}: {was} → {is}");
            *held = after.clone();
            changes.push((write.row, write.column, after));
        }
        tab.revision += 1;
        world
            .engine
            .pushed(push, &vec![WriteResult::Written; cells.len()]);
        world.settle();
        tab.tell_changes(&changes, world);
        world.settle();
    }
    Err(String::from("it never ends"))
}

fn plan(world: &World) -> Option<Preview> {
    world.told.iter().rev().find_map(|message| match message {
        ToPanel::Preview(preview) | ToPanel::Waiting { preview, .. } => Some(preview.clone()),
        _ => None,
    })
}

/// What was told since, and which variables are others.
fn outcome(world: &World, before: &str, since: usize) -> String {
    let mut out = String::new();
    for message in &world.told[since..] {
        match message {
            ToPanel::Waiting { reason, preview } => {
                let counts = &preview.counts;
                let _ = writeln!(
                    out,
                    "waits, {reason:?}: {} to make, {} to change, {} to remove",
                    counts.created, counts.changed, counts.removed
                );
                for row in preview.rows.iter().filter(|row| row.name.is_empty()) {
                    for field in &row.fields {
                        let before = field.before.as_deref().unwrap_or("nothing");
                        let (collection, after) = (&row.collection, &field.after);
                        let _ =
                            writeln!(out, "    {collection} {}: {before} → {after}", field.field);
                    }
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
    let after = variables(&world.file);
    for (sign, lines, others) in [('-', before, &*after), ('+', &*after, before)] {
        for line in lines
            .lines()
            .filter(|line| !others.lines().any(|other| other == *line))
        {
            let _ = writeln!(out, "{sign} {line}");
        }
    }
    out
}

/// Connects the blocks `tab`, then does what the lines of the block `then` say, one after the other. With edits alone,
/// the outcome is held to that of the edited tabs connected anew.
pub fn run(case: &Case) -> Result<String, String> {
    let mut tabs = Vec::new();
    for (words, rows) in case.tables("tab") {
        tabs.push(Tab::of(words, &rows, tabs.len() as i64)?);
    }
    let (mut world, mut out) = connect(&tabs)?;
    out.push_str(&variables(&world.file));
    let mut edits_alone = case.field("anew").is_none();
    for line in case.block("then").unwrap_or_default().lines() {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words = table_row(rest);
        if matches!(verb, "keep" | "approve" | "apart") {
            let (before, since) = (variables(&world.file), world.told.len());
            let plan = plan(&world).ok_or("no plan waits")?.plan;
            match verb {
                "keep" => world.engine.keep_removed(plan, &mut world.file),
                "approve" => world.engine.approve(plan, false),
                _ => world.engine.keep_apart(plan),
            }
            world.settle();
            let _ = writeln!(out, "> {line}");
            out.push_str(&outcome(&world, &before, since));
            edits_alone = false;
            continue;
        }
        if verb == "figma" || verb == "two-way" {
            edits_alone = false;
            let (before, since) = (variables(&world.file), world.told.len());
            if verb == "figma" {
                merge::edit(&mut world.file, &words)?;
            } else {
                world.engine.set_two_way(rest == "on");
            }
            world.settle();
            world.engine.look();
            let _ = writeln!(out, "> {line}");
            world.settle();
            send(&mut world, &mut tabs, &mut out)?;
            out.push_str(&outcome(&world, &before, since.min(world.told.len())));
            continue;
        }
        let at = tabs
            .iter()
            .position(|tab| words.first() == Some(&tab.title))
            .ok_or_else(|| format!("no such tab: {line}"))?;
        let (before, since) = (variables(&world.file), world.told.len());
        edits_alone &= verb == "edit";
        match verb {
            "edit" => tabs[at].edit(&words, &mut world)?,
            // Both at once, as when a cell range is cut and pasted elsewhere: no look at the file between.
            "move" => {
                let place = |at: usize| words.get(at).and_then(|text| text.parse::<usize>().ok());
                let to = tabs
                    .iter()
                    .position(|tab| words.get(2) == Some(&tab.title))
                    .ok_or("no tab to move to")?;
                let row = place(1).ok_or("no row to move")? - 1;
                let moved = std::mem::take(&mut tabs[at].rows[row]);
                let cells = moved.iter().enumerate();
                let gone: Vec<(u32, u32, Cell)> = cells
                    .map(|(column, _)| Ok((row as u32, column as u32, cells::cell("")?)))
                    .collect::<Result<_, String>>()?;
                let below = tabs[to].rows.len() as u32;
                let come: Vec<(u32, u32, Cell)> = moved
                    .iter()
                    .enumerate()
                    .map(|(column, cell)| (below, column as u32, cell.clone()))
                    .collect();
                tabs[to].rows.push(moved);
                for (at, changes) in [(at, gone), (to, come)] {
                    tabs[at].revision += 1;
                    tabs[at].tell_changes(&changes, &mut world);
                }
            }
            "rename" => {
                tabs[at].title.clone_from(words.get(1).ok_or("no title")?);
                tabs[at].revision += 1;
                tabs[at].tell(&mut world);
            }
            // Both come before the file is looked at again, as they do when somebody pastes one over the other.
            "swap-rows" | "swap-titles" => {
                let other = tabs.iter().position(|tab| words.get(1) == Some(&tab.title));
                let other = other.ok_or("no tab to swap with")?;
                if verb == "swap-rows" {
                    let rows = std::mem::take(&mut tabs[at].rows);
                    let theirs = std::mem::replace(&mut tabs[other].rows, rows);
                    tabs[at].rows = theirs;
                } else {
                    let title = std::mem::take(&mut tabs[at].title);
                    let theirs = std::mem::replace(&mut tabs[other].title, title);
                    tabs[at].title = theirs;
                }
                for at in [at, other] {
                    tabs[at].revision += 1;
                    tabs[at].tell(&mut world);
                }
            }
            "clear" => {
                tabs[at].rows.clear();
                tabs[at].revision += 1;
                tabs[at].tell(&mut world);
            }
            "remove" => world.engine.remove_source(&tabs[at].sheet()),
            // The plugin was closed, and now this tab can't be read.
            "lose" => {
                world = World::reopened(world.file, world.kept);
                for tab in tabs.iter().filter(|tab| tab.title != words[0]) {
                    tab.tell(&mut world);
                }
                let _ = writeln!(out, "> {line}");
                world.settle();
                out.push_str(&outcome(&world, &before, 0));
                continue;
            }
            "find" => tabs[at].tell(&mut world),
            _ => return Err(format!("no such line: {line}")),
        }
        let _ = writeln!(out, "> {line}");
        world.settle();
        out.push_str(&outcome(&world, &before, since));
    }
    if edits_alone {
        let after = variables(&world.file);
        let (anew, _) = connect(&tabs)?;
        let anew = variables(&anew.file);
        if let Some(line) = anew.lines().find(|line| !after.contains(line)) {
            return Err(format!(
                "connected anew the tabs give `{line}`, after the edits:\n{after}"
            ));
        }
    }
    Ok(out)
}
