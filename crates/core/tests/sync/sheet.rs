//! Sheets for the engine's tests, written as text.
//!
//! Owns turning rows of texts into packed cells and a connection to them. Must not know what the engine does.

use sheetwire_core::protocol::panel::{Column, RunReport, ToPanel};
use sheetwire_core::protocol::relay::{Position, SheetInfo, SheetRef};
use sheetwire_core::sheet::{Cell, Content, pack, pack_changes};

use crate::file::{File, World};

/// A text as Sheets would take it when typed: numbers and switches become such.
pub fn typed(text: &str) -> Cell {
    let content = match text {
        "" => Content::Empty,
        "TRUE" | "FALSE" => Content::Bool(text == "TRUE"),
        _ if text.starts_with('#') && text.ends_with('!') => Content::Error(text.to_owned()),
        _ => match text.parse::<f64>() {
            Ok(value) if !text.starts_with('+') && value.is_finite() => Content::Number {
                value,
                shown: text.to_owned(),
            },
            _ => Content::Text(text.to_owned()),
        },
    };
    Cell {
        content,
        formula: None,
    }
}

/// Rows from lines of `|`-separated cells.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

pub fn packed(rows: &[Vec<String>]) -> String {
    let cells: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| row.iter().map(|text| typed(text)).collect())
        .collect();
    pack(&cells)
}

pub fn sheet_ref() -> SheetRef {
    SheetRef {
        spreadsheet_id: "sheet-1".into(),
        sheet_id: 0,
    }
}

impl World {
    pub fn snapshot(&mut self, rows: &[Vec<String>]) {
        self.snapshot_of("Tokens", rows);
    }

    /// A whole sheet whose tab is called `title`.
    pub fn snapshot_of(&mut self, title: &str, rows: &[Vec<String>]) {
        let info = SheetInfo {
            spreadsheet_title: "Design".into(),
            sheet_title: title.into(),
            locale: "en_US".into(),
        };
        let position = Position {
            epoch: "e".into(),
            revision: 1,
        };
        if self.engine.announce_snapshot(&sheet_ref(), position, info) {
            self.drop_pending();
            self.bring(packed(rows), false);
        }
    }

    /// Announces that cells changed; `rows` is the sheet's length afterwards.
    pub fn change(&mut self, rows: u32, changes: &[(u32, u32, &str)]) {
        let before = self.engine.announced();
        let position = Position {
            epoch: "e".into(),
            revision: 2,
        };
        if self.engine.announce_changes(&sheet_ref(), position, rows) {
            let joins = self.engine.announced() == before;
            let cells: Vec<(u32, u32, Cell)> = changes
                .iter()
                .map(|(row, column, text)| (*row, *column, typed(text)))
                .collect();
            self.bring(
                pack_changes(
                    cells
                        .iter()
                        .map(|(row, column, cell)| (*row, *column, cell)),
                ),
                joins,
            );
        }
    }

    /// Connects, confirms what was inferred, and leaves the first preview waiting.
    pub fn connected(file: File, rows: &[Vec<String>]) -> World {
        let mut world = World::new(file);
        world.engine.connect(sheet_ref());
        world.snapshot(rows);
        world.settle();
        let (columns, header_row) = world.inferred();
        world
            .engine
            .confirm_columns(None, columns, header_row, None);
        world.settle();
        world
    }

    /// Connects and approves the first run.
    pub fn live(file: File, rows: &[Vec<String>]) -> World {
        let mut world = World::connected(file, rows);
        let plan = world.preview().plan;
        world.engine.approve(plan, false);
        world.settle();
        world
    }

    pub fn inferred(&self) -> (Vec<Column>, u32) {
        let found = self.told.iter().rev().find_map(|message| match message {
            ToPanel::Inferred {
                columns,
                header_row,
                ..
            } => Some((columns.clone(), *header_row)),
            _ => None,
        });
        found.expect("columns were inferred")
    }

    pub fn preview(&self) -> &sheetwire_core::protocol::panel::Preview {
        let found = self.told.iter().rev().find_map(|message| match message {
            ToPanel::Preview(preview) | ToPanel::Waiting { preview, .. } => Some(preview),
            _ => None,
        });
        found.expect("a preview was shown")
    }

    pub fn report(&self) -> &RunReport {
        let found = self.told.iter().rev().find_map(|message| match message {
            ToPanel::Applied(report) => Some(report),
            _ => None,
        });
        found.expect("a run has ended")
    }
}
