//! A table that is imported once.
//!
//! Owns what an import does not share with a sync: nothing is connected and nothing kept, no link or base is left on a
//! variable, and no variable counts as one whose row is gone. Rows, plans, limits and runs are the sync's, so that a cell
//! means the same wherever it came from. Must not know files.

use super::rows::{Reason, Verdict};
use super::{Engine, NONE, Stage};
use crate::mapping::{self, Layout};
use crate::owned;
use crate::protocol::panel::import::{Existing, REMEMBERED_MAX, Reading, ToPanel as Word, Unread};
use crate::protocol::panel::{Connection, MergePolicy, Source, ToPanel};
use crate::protocol::relay::{SheetInfo, SheetRef};
use crate::session::StopReason;

/// What stands before a link that an import would know; no link of a sheet begins so, and an import leaves none.
pub const LINK_PREFIX: &str = "-";

/// What is asked of an import.
#[derive(Debug, Clone, Default)]
pub(super) struct Import {
    existing: Existing,
    /// How tables were read before, the latest first.
    remembered: Vec<Reading>,
    /// How each table would be read by itself, and whether that was remembered.
    inferred: Vec<(Option<Reading>, bool)>,
}

/// The tab that stands for a table in the engine.
pub fn tab(at: u32) -> SheetRef {
    SheetRef {
        spreadsheet_id: String::new(),
        sheet_id: i64::from(at),
    }
}

impl Engine {
    /// An engine for one import of so many tables. `remembered` is how tables were read before, the latest first.
    pub fn of_import(tables: u32, remembered: Vec<Reading>, read_only: bool) -> Engine {
        let connection = Connection {
            sheet: tab(0),
            spreadsheet_title: String::new(),
            sheet_title: String::new(),
            on: true,
            columns: Vec::new(),
            header_row: 0,
            approved: false,
            layout: None,
            policy: MergePolicy::default(),
            left_out: Vec::new(),
            renamed_modes: Vec::new(),
            threshold: None,
            published: false,
            mode_limit: None,
            more: (1..tables).map(|at| Source::of(tab(at))).collect(),
            origin: None,
            two_way: false,
        };
        let mut engine = Engine::new(Some(connection), "en_US", read_only);
        engine.import = Some(Import {
            existing: Existing::Update,
            remembered,
            inferred: vec![(None, false); tables as usize],
        });
        engine
    }

    /// Announces a table of an import; its cells come by [`Engine::load`]. Returns whether they are wanted.
    pub fn announce_table(&mut self, at: u32, info: SheetInfo) -> bool {
        let position = self.position();
        self.announce_snapshot(&tab(at), position, info)
    }

    /// Reads all tables so, and plans.
    pub fn read_tables(&mut self, tables: Vec<Reading>, existing: Existing) {
        let Some(connection) = &self.connection else {
            return;
        };
        if !matches!(self.stage, Stage::Rest) && self.progress().is_some() {
            return;
        }
        let mut connection = connection.clone();
        for (at, (mut source, reading)) in connection.sources().into_iter().zip(tables).enumerate()
        {
            let lies = reading.layout.clone().unwrap_or_default();
            if let Err(problems) = Layout::of(&reading.columns, reading.header_row, &lies) {
                let first = problems.into_iter().next();
                let (message, remedy) = first.map_or_else(Default::default, |problem| {
                    (problem.message, problem.remedy)
                });
                self.refuse(&message, &remedy);
                return;
            }
            source.columns = reading.columns;
            source.header_row = reading.header_row;
            source.layout = reading.layout;
            connection.put_source(at, source);
        }
        self.connection = Some(connection);
        if let Some(import) = &mut self.import {
            import.existing = existing;
        }
        self.waiting = None;
        self.confirmed = None;
        if self.is_loaded() && self.may_sync() {
            self.start_over();
        }
    }

    /// Whether the panel knows how a table of an import would be read by itself.
    pub(super) fn is_told(&self, at: usize) -> bool {
        let inferred = self
            .import
            .as_ref()
            .and_then(|import| import.inferred.get(at));
        inferred.is_some_and(|(reading, _)| reading.is_some())
    }

    /// Whether an import leaves what a row stands for as it is.
    pub(super) fn leaves_existing(&self, row: u32) -> bool {
        let leaves = |import: &Import| match import.existing {
            Existing::Leave => true,
            Existing::Update => false,
        };
        self.import.as_ref().is_some_and(leaves) && self.rows[row as usize].slot != NONE
    }

    /// How a table with these headers was read before, where the file remembers that.
    pub(super) fn recall(&self, at: usize) -> Option<Reading> {
        let sheet = self.grid.tabs()[at].sheet();
        let mut known = self.import.iter().flat_map(|import| &import.remembered);
        let known = known.find(|known| {
            let brands = known.layout.as_ref().map(|lies| lies.brands);
            let headers = mapping::headers(sheet, known.header_row, brands.unwrap_or_default());
            let columns = known.columns.iter().map(|column| &column.header);
            sheet.rows() > known.header_row && headers.iter().eq(columns)
        })?;
        Some(known.clone())
    }

    /// Notes how a table would be read by itself, and tells it.
    pub(super) fn tell_reading(&mut self, at: usize, told: ToPanel) {
        let recalled = self.recall(at);
        let remembered = recalled.is_some();
        let told = match told {
            ToPanel::Inferred {
                columns,
                header_row,
                sample,
                problems,
                layout,
                sheet,
            } => {
                let inferred = Reading {
                    columns,
                    header_row,
                    layout,
                };
                let reading = recalled.unwrap_or(inferred);
                if let Some(place) = self
                    .import
                    .as_mut()
                    .and_then(|import| import.inferred.get_mut(at))
                {
                    *place = (Some(reading.clone()), remembered);
                }
                ToPanel::Inferred {
                    columns: reading.columns,
                    header_row: reading.header_row,
                    sample,
                    problems: if remembered { Vec::new() } else { problems },
                    layout: reading.layout,
                    sheet,
                }
            }
            other => other,
        };
        self.post(told);
    }

    /// What a file is to remember of how tables are read, the latest first: those that the designer read in another way
    /// than was told, and what was remembered already. `None` where nothing is new.
    pub fn to_remember(&self) -> Option<Vec<Reading>> {
        let (import, connection) = (self.import.as_ref()?, self.connection.as_ref()?);
        let read = connection.sources().into_iter().zip(&import.inferred);
        let mut readings: Vec<Reading> = read
            .filter_map(|(source, (inferred, _))| {
                let reading = Reading {
                    columns: source.columns,
                    header_row: source.header_row,
                    layout: source.layout,
                };
                (inferred.as_ref() != Some(&reading)).then_some(reading)
            })
            .collect();
        if readings.is_empty() {
            return None;
        }
        let headers = |reading: &Reading| {
            let headers = reading.columns.iter().map(|column| column.header.clone());
            headers.collect::<Vec<String>>()
        };
        for known in &import.remembered {
            if readings.iter().all(|new| headers(new) != headers(known)) {
                readings.push(known.clone());
            }
        }
        readings.truncate(REMEMBERED_MAX);
        Some(readings)
    }

    /// Rows under the headers that give no variable, table by table.
    fn unread(&self) -> Vec<Unread> {
        let Some(layout) = &self.layout else {
            return Vec::new();
        };
        let tabs = self.grid.tabs().iter();
        let mut read: Vec<Vec<bool>> = tabs
            .map(|tab| vec![false; tab.sheet().rows() as usize])
            .collect();
        for (row, entry) in (0..self.grid.rows()).zip(&self.rows) {
            let says = match entry.verdict {
                Verdict::Unknown | Verdict::Pending | Verdict::Bad(Reason::Blank) => {
                    self.problems.get(row).is_some()
                }
                Verdict::Bad(_) | Verdict::Kind(_) => true,
            };
            if !says {
                continue;
            }
            let modes = layout.modes.iter().map(|mode| mode.column);
            for column in std::iter::once(layout.name).chain(modes) {
                let (at, row, _) = self.grid.place(row, column);
                let tab = read.get_mut(at);
                if let Some(place) = tab.and_then(|tab| tab.get_mut(row as usize)) {
                    *place = true;
                }
            }
        }
        let mut unread: Vec<Unread> = Vec::new();
        for (at, (rows, tab)) in (0..).zip(read.iter().zip(self.grid.tabs())) {
            for (row, read) in (0..).zip(rows) {
                if *read || row <= tab.header_row() {
                    continue;
                }
                match unread.last_mut() {
                    Some(last) if last.at == at && last.to == row => last.to += 1,
                    _ => unread.push(Unread {
                        at,
                        from: row,
                        to: row + 1,
                    }),
                }
            }
        }
        unread
    }

    /// What the engine says, in the words of the Import tab; `None` for what concerns a connection alone. `connected`
    /// tells whether a sheet feeds the file.
    pub fn word_of(&self, said: ToPanel, connected: bool) -> Option<Word> {
        Some(match said {
            ToPanel::Inferred {
                columns,
                header_row,
                problems,
                layout,
                sheet,
                ..
            } => {
                let at = sheet.map_or(0, |sheet| sheet.sheet_id as u32);
                let inferred = self.import.as_ref()?.inferred.get(at as usize);
                Word::Inferred {
                    at,
                    reading: Reading {
                        columns,
                        header_row,
                        layout,
                    },
                    problems,
                    remembered: inferred.is_some_and(|(_, remembered)| *remembered),
                }
            }
            ToPanel::Preview(preview) | ToPanel::Waiting { preview, .. } => Word::Preview {
                preview,
                unread: self.unread(),
                left_out: self.connection.as_ref()?.left_out.clone(),
            },
            ToPanel::Progress { done, total } => Word::Progress { done, total },
            ToPanel::Applied(report) => Word::Done { report, connected },
            ToPanel::Refused { message, remedy } => Word::Refused { message, remedy },
            ToPanel::Failed { message, .. } => Word::Refused {
                message,
                remedy: None,
            },
            ToPanel::Stopped {
                reason: StopReason::ReadOnly,
            } => Word::Refused {
                message: owned("This file can’t be edited."),
                remedy: Some(owned("Ask its owner for edit access, or open a copy.")),
            },
            ToPanel::Stopped { .. }
            | ToPanel::Hello { .. }
            | ToPanel::Flags { .. }
            | ToPanel::Kept { .. }
            | ToPanel::Variables
            | ToPanel::Differences(_)
            | ToPanel::Push { .. }
            | ToPanel::File { .. }
            | ToPanel::Taken { .. }
            | ToPanel::Runs { .. }
            | ToPanel::ConnectionChanged { .. }
            | ToPanel::Manage { .. }
            | ToPanel::Import(_) => return None,
        })
    }

    /// Other work has listed the file anew, or written to it: the slots that are known here lead elsewhere. It is told
    /// between this engine's own turns, never while a run goes on. What waits is compared again when it is asked for.
    pub fn file_was_read(&mut self) {
        self.is_stale = std::mem::take(&mut self.document_known) || self.is_stale;
    }

    /// Compares everything again instead of doing what needs a document that is out of date.
    pub(super) fn refresh(&mut self) {
        let needs = match &self.stage {
            Stage::Rest
            | Stage::Loading { .. }
            | Stage::Inferring(_)
            | Stage::Indexing { .. }
            | Stage::ReadingAll
            | Stage::PlanningBack => false,
            Stage::Settling
            | Stage::ReadingSome
            | Stage::Mapping { .. }
            | Stage::Untangling { .. }
            | Stage::Orphaning { .. }
            | Stage::Pairing
            | Stage::Judging
            | Stage::CountingUses { .. }
            | Stage::Retyping { .. }
            | Stage::Previewing(_)
            | Stage::Applying(_)
            | Stage::Pushing(_)
            | Stage::Looking(_)
            | Stage::Restoring(_) => true,
        };
        if self.is_stale && needs {
            self.start_over();
        }
    }

    /// Whether what the designer looked at is out of date; then it is made again, and that is said.
    pub(super) fn is_out_of_date(&mut self) -> bool {
        if !self.is_stale || !matches!(self.stage, Stage::Rest) {
            return false;
        }
        self.waiting = None;
        self.refuse(
            "The file was changed by an import since this was compared.",
            "Look at the new comparison and choose again.",
        );
        if self.is_loaded() && self.may_sync() {
            self.start_over();
        }
        true
    }
}
