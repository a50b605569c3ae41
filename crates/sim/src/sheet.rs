//! The modelled spreadsheet: what people type into it.
//!
//! Owns the texts of its cells and the edits. Must not know relays, or what the texts mean to a plugin.

use crate::random::Random;
use sheetwire_core::sheet::{Cell, Content, pack};

/// The columns that the sheet begins with.
pub const HEADER: [&str; 6] = ["Collection", "Name", "Type", "light", "dark", "Description"];
/// The column of ids that some sheets have.
pub const ID: &str = "id";
const KINDS: [&str; 4] = ["COLOR", "FLOAT", "STRING", "BOOLEAN"];
const COLLECTIONS: [&str; 2] = ["base", "mode"];
const MODES: [&str; 2] = ["light", "dark"];
const WORDS: [&str; 5] = ["Inter", "Roboto", "two words", "é", "semi:colon"];
/// Rows beyond this are not added.
const ROWS_MAX: usize = 40;

/// The sheet. The first row is the header.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    pub rows: Vec<Vec<String>>,
    /// The headers of the two columns of values.
    pub modes: [String; 2],
    /// The names that the collections go by at present.
    collections: [String; 2],
    /// The header as it was before somebody broke it.
    broken: Option<Vec<String>>,
    names: u64,
}

impl Sheet {
    pub fn new(random: &mut Random) -> Sheet {
        let mut sheet = Sheet {
            rows: vec![HEADER.map(String::from).to_vec()],
            modes: MODES.map(String::from),
            collections: COLLECTIONS.map(String::from),
            broken: None,
            names: 0,
        };
        if random.chance(300) {
            sheet.rows[0].push(String::from(ID));
        }
        for _ in 0..random.between(1, 25) {
            sheet.add_row(random);
        }
        sheet
    }

    /// The place of a column.
    pub fn column(&self, header: &str) -> Option<usize> {
        self.rows.first()?.iter().position(|cell| cell == header)
    }

    pub fn at(&self, row: usize, column: usize) -> &str {
        self.rows
            .get(row)
            .and_then(|cells| cells.get(column))
            .map_or("", String::as_str)
    }

    fn set(&mut self, row: usize, column: usize, text: String) {
        let Some(cells) = self.rows.get_mut(row) else {
            return;
        };
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
    }

    fn any_row(&self, random: &mut Random) -> Option<usize> {
        random.place(self.rows.len() - 1).map(|at| at + 1)
    }

    fn fresh_name(&mut self, random: &mut Random) -> String {
        self.names += 1;
        let group = random.one(&["color", "size", "text/body"]);
        format!("{group}/{}", self.names)
    }

    fn value(&self, kind: &str, random: &mut Random) -> String {
        if random.chance(120) {
            // A reference to another row, of the right type more often than not.
            if let (Some(row), Some(name), Some(collection)) = (
                self.any_row(random),
                self.column("Name"),
                self.column("Collection"),
            ) {
                let kind_column = self.column("Type").unwrap_or(0);
                let wanted = (1..self.rows.len())
                    .map(|at| 1 + (at + row) % (self.rows.len() - 1))
                    .find(|at| self.at(*at, kind_column) == kind)
                    .unwrap_or(row);
                return format!(
                    "{{{}:{}}}",
                    self.at(wanted, collection),
                    self.at(wanted, name)
                );
            }
        }
        if random.chance(60) {
            return String::from(*random.one(&["", "#REF!", "TBD"]));
        }
        if random.chance(40) && kind != "STRING" {
            return String::from("what?");
        }
        match kind {
            "COLOR" => format!("#{:06x}", random.below(16) * 0x0a_1b_0d),
            "FLOAT" => {
                let whole = random.below(64);
                if random.chance(300) {
                    format!("{whole}.5")
                } else {
                    format!("{whole}")
                }
            }
            "BOOLEAN" => String::from(*random.one(&["TRUE", "FALSE"])),
            _ => String::from(*random.one(&WORDS)),
        }
    }

    fn add_row(&mut self, random: &mut Random) {
        let kind = *random.one(&KINDS);
        let texts = [
            random.one(&self.collections).clone(),
            self.fresh_name(random),
            kind.to_owned(),
            self.value(kind, random),
            self.value(kind, random),
            String::from(*random.one(&["", "the page", "the text"])),
        ];
        let at = random.between(1, self.rows.len() as u64 + 1) as usize;
        self.rows.insert(at, Vec::new());
        let [light, dark] = &self.modes;
        let headers = ["Collection", "Name", "Type", light, dark, "Description"];
        let columns = headers.map(|header| self.column(header));
        for (column, text) in columns.into_iter().zip(texts) {
            if let Some(column) = column {
                self.set(at, column, text);
            }
        }
        if let Some(column) = self.column(ID) {
            let id = format!("r{}", self.names);
            self.set(at, column, id);
        }
    }

    /// Somebody does something to the sheet. Gives a word for it.
    pub fn edit(&mut self, random: &mut Random) -> &'static str {
        let Some(row) = self.any_row(random) else {
            self.add_row(random);
            return "a row is added";
        };
        let kind = self
            .column("Type")
            .map_or("", |column| self.at(row, column));
        let kind = kind.to_owned();
        match random.below(102) {
            0..45 => {
                let value = self.value(&kind, random);
                let mode = random.one(&self.modes).clone();
                if let Some(column) = self.column(&mode) {
                    self.set(row, column, value);
                }
                "a value is typed"
            }
            45..53 => {
                let name = self.fresh_name(random);
                if let Some(column) = self.column("Name") {
                    self.set(row, column, name);
                }
                "a row is renamed"
            }
            53..63 if self.rows.len() <= ROWS_MAX => {
                self.add_row(random);
                "a row is added"
            }
            53..69 => {
                self.rows.remove(row);
                "a row is deleted"
            }
            69..77 => {
                let moved = self.rows.remove(row);
                let to = random.between(1, self.rows.len() as u64 + 1) as usize;
                self.rows.insert(to, moved);
                "a row is moved"
            }
            77..81 if self.broken.is_none() => {
                let from = random.below(self.rows[0].len() as u64) as usize;
                let to = random.below(self.rows[0].len() as u64) as usize;
                let width = self.rows[0].len();
                for cells in &mut self.rows {
                    cells.resize(width.max(cells.len()), String::new());
                    let cell = cells.remove(from);
                    cells.insert(to, cell);
                }
                "a column is moved"
            }
            81..83 if self.rows[0].len() < 9 && self.broken.is_none() => {
                let at = random.below(self.rows[0].len() as u64 + 1) as usize;
                for (row, cells) in self.rows.iter_mut().enumerate() {
                    let text = if row == 0 { "Owner" } else { "Ana" };
                    cells.resize(at.max(cells.len()), String::new());
                    cells.insert(at, text.to_owned());
                }
                "a column is inserted"
            }
            77..86 => {
                // The same name twice: a copy of a row with another value.
                let mut copy = self.rows[row].clone();
                let value = self.value(&kind, random);
                let light = self.column(&self.modes[0]);
                if let Some(column) = light.filter(|at| *at < copy.len()) {
                    copy[column] = value;
                }
                if self.rows.len() <= ROWS_MAX {
                    self.rows.push(copy);
                }
                "a row is copied"
            }
            86..90 => {
                let kind = String::from(*random.one(&KINDS));
                if let Some(column) = self.column("Type") {
                    self.set(row, column, kind);
                }
                "a type is changed"
            }
            90..93 => {
                let name = String::from(*random.one(&["a.b", "", "{x}", "a//b"]));
                if let Some(column) = self.column("Name") {
                    self.set(row, column, name);
                }
                "a name is spoilt"
            }
            93..96 => {
                let collection = random.one(&self.collections).clone();
                if let Some(column) = self.column("Collection") {
                    self.set(row, column, collection);
                }
                "a row changes its collection"
            }
            96..98 => {
                let text = format!("note {}", random.below(9));
                if let Some(column) = self.column("Description") {
                    self.set(row, column, text);
                }
                "a description is typed"
            }
            98 if self.broken.is_none() => {
                self.names += 1;
                let name = format!("mode{}", self.names);
                let at = random.below(2) as usize;
                if let Some(column) = self.column(&self.modes[at]) {
                    self.set(0, column, name.clone());
                    self.modes[at] = name;
                }
                "a mode's header is changed"
            }
            99 if self.broken.is_none() => {
                self.names += 1;
                let name = format!("brand{}", self.names);
                let at = random.below(2) as usize;
                let old = std::mem::replace(&mut self.collections[at], name.clone());
                let column = self.column("Collection");
                let (from, to) = (format!("{{{old}:"), format!("{{{name}:"));
                for cells in self.rows.iter_mut().skip(1) {
                    for (place, cell) in cells.iter_mut().enumerate() {
                        if Some(place) == column && *cell == old {
                            cell.clone_from(&name);
                        } else if cell.starts_with(&from) {
                            *cell = cell.replacen(&from, &to, 1);
                        }
                    }
                }
                "a collection is renamed in the sheet"
            }
            _ => {
                if self.broken.is_none() {
                    self.broken = Some(self.rows[0].clone());
                    self.rows[0] = vec![String::from("oops")];
                    "the header is spoilt"
                } else {
                    self.mend();
                    "the header is restored"
                }
            }
        }
    }

    pub fn is_whole(&self) -> bool {
        self.broken.is_none()
    }

    /// Restores what somebody broke.
    pub fn mend(&mut self) {
        if let Some(header) = self.broken.take() {
            // No column moves while the header is broken.
            self.rows[0] = header;
        }
    }

    /// The sheet as the relay packs what Google gives.
    pub fn packed(&self) -> String {
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|text| typed(text)).collect())
            .collect();
        pack(&rows)
    }
}

/// A text as Sheets takes it when typed.
fn typed(text: &str) -> Cell {
    let content = match text {
        "" => Content::Empty,
        "TRUE" | "FALSE" => Content::Bool(text == "TRUE"),
        "#REF!" => Content::Error(text.to_owned()),
        _ => match text.parse::<f64>() {
            Ok(value) => Content::Number {
                value,
                shown: text.to_owned(),
            },
            Err(_) => Content::Text(text.to_owned()),
        },
    };
    Cell {
        content,
        formula: None,
    }
}
