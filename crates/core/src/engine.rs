//! The engine: holds sheet, document and plan together between messages, so that an edit costs what changed.
//!
//! Owns the order of work (load, index, read, map, judge, preview or apply), the queue of what arrives meanwhile, the
//! gate's states and the answers to the panel. Must not know JavaScript, a clock, or how the host reads and writes: a
//! shell hands messages in, calls [`Engine::step`] until its time is used up, and performs what is asked for.
//!
//! # Incremental work
//! The grid stays packed; rows are mapped when something about them may have changed: they were edited, a row took or
//! gave up their name (duplicates), or a name they refer to appeared, vanished or changed its type. Only the variables
//! of those rows are read again and compared. A snapshot, a long list of changes or "Sync now" does everything anew.

mod gate;
mod identity;
pub mod import;
mod journal;
mod library;
mod limits;
mod merge;
mod pairing;
mod pushing;
mod report;
mod restoring;
pub mod retyping;
mod rows;
mod running;
mod sharing;
mod structure;

pub(crate) use limits::plans;

use std::collections::VecDeque;

use crate::apply::{FAILED_RUNS_MAX, Figma, Run, Totals};
use crate::decimal;
use crate::document::index::Index;
use crate::document::{CollectionSlot, Document, PackError, VariableSlot};
use crate::engine::rows::Row;
use crate::mapping::grid::{Cells, cell, change, shown};
use crate::mapping::table::{Tab, Table};
use crate::mapping::{self, Layout};
use crate::owned;
use crate::plan::{RowChange, Write};
use crate::protocol::panel::{
    Column, Connection, Counts, LEFT_OUT_MAX, PREVIEW_ROWS_MAX, PreviewRow, Problem, Role,
    SOURCES_MAX, SheetLayout, Source, TabMode, ToPanel, WaitReason,
};
use crate::protocol::relay::{Position, SheetInfo, SheetRef};
use crate::session::StopReason;
use crate::sorted::{BitSet, SortedMap};

/// More changed rows than this are mapped as a whole sheet, which costs less than following each.
pub const INCREMENTAL_ROWS_MAX: usize = 64;
/// A row further down is not read; Google's limit of cells allows no fuller sheet of two columns.
pub const ROWS_MAX: u32 = 5_000_000;
/// Rows of a step that only looks at texts.
const ROWS_A_STEP: u32 = 4;
/// Slots of a step that looks for variables without a row.
const SLOTS_A_STEP: u32 = 128;
/// Rows shown to the designer under the inferred header.
const SAMPLE_ROWS_MAX: u32 = 5;
/// Names of a tab that are compared with another's, to see whether both are of one collection.
const NAMES_LOOKED_AT: u32 = 500;
/// No variable, no row.
const NONE: u32 = u32::MAX;

/// What the shell is to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing until a message comes.
    Rest,
    /// Call again.
    More,
    /// Hand over the next piece of the oldest announced cells with [`Engine::load`].
    Load,
    /// Read every local collection and variable: [`Engine::read_begin`], [`Engine::read_take`], [`Engine::read_end`]; and
    /// before the end what [`Engine::wanted_of_libraries`] tells, with [`Engine::read_libraries`].
    ReadAll,
    /// Read these variables again, and hand them over with [`Engine::read_again`].
    ReadSome(Vec<VariableSlot>),
    /// Look for the layers of this file that use these variables, and hand over what was found with
    /// [`Engine::uses_counted`].
    CountUses(Vec<VariableSlot>),
}

/// What the shell is to do beside stepping, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Post a message to the panel. The times of an `Applied` report are the shell's to fill in.
    Post(ToPanel),
    /// Keep the connection in the file, or forget it.
    Keep(Option<Connection>),
    /// End Figma's undo step here.
    CommitUndo,
}

/// Which fields of variables are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// The description.
    pub description: bool,
    /// The scopes.
    pub scopes: bool,
    /// The code syntax.
    pub code: bool,
    /// Hidden from publishing.
    pub hidden: bool,
}

/// Something announced by a message whose cells are still to come.
#[derive(Debug, Clone)]
enum Incoming {
    Snapshot {
        /// The source's place.
        at: usize,
        position: Position,
        info: SheetInfo,
    },
    Changes {
        /// See above.
        at: usize,
        position: Position,
        rows: u32,
    },
}

impl Incoming {
    fn at(&self) -> usize {
        match self {
            Incoming::Snapshot { at, .. } | Incoming::Changes { at, .. } => *at,
        }
    }
}

/// What the engine is doing. What is large stands in a box, since the stage is taken out and put back at every step.
#[derive(Debug, Clone)]
enum Stage {
    Rest,
    Loading {
        /// The source's place.
        at: usize,
        snapshot: bool,
        carry: String,
    },
    /// Of the source at that place, else of all whose columns nobody confirmed.
    Inferring(Option<usize>),
    Indexing {
        next: u32,
    },
    Settling,
    ReadingAll,
    ReadingSome,
    Mapping {
        at: usize,
    },
    Untangling {
        alive: Option<Vec<u32>>,
    },
    Orphaning {
        next: u32,
    },
    Pairing,
    Judging,
    /// Before a plan with new types is shown.
    CountingUses {
        reason: Option<WaitReason>,
        counts: Counts,
    },
    /// The variables of confirmed new types are exchanged.
    Retyping {
        rows: Vec<u32>,
        at: usize,
        confirmed: Box<Confirmed>,
    },
    Previewing(Box<Previewing>),
    Applying(Box<Run>),
    /// Puts cells for the sheet together.
    Pushing(pushing::Batch),
    /// Reads variables again to see whether they were changed.
    Looking(pushing::Look),
    PlanningBack,
    Restoring(Box<restoring::Backwards>),
}

/// A preview that is being put together.
#[derive(Debug, Clone)]
struct Previewing {
    reason: Option<WaitReason>,
    counts: Counts,
    /// See `push_preview_row`.
    at: u32,
    rows: Vec<PreviewRow>,
}

/// A problem at a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CellProblem {
    column: u32,
    message: String,
    remedy: String,
}

/// What the planned changes of all rows add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Planned {
    created: u32,
    changed: u32,
    writes: u32,
    names: u32,
}

/// A plan that waits for the designer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    number: u32,
    /// Why; `None` for a first plan.
    reason: Option<WaitReason>,
    counts: Counts,
}

/// A plan that the designer confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Confirmed {
    /// What the designer saw.
    counts: Counts,
    include_removals: bool,
    /// The links' keys of rows whose variables get another type.
    retypes: Vec<String>,
}

impl Confirmed {
    /// Whether a plan made since does no more than what the designer saw.
    fn covers(&self, counts: &Counts) -> bool {
        let seen = &self.counts;
        // A variable that was exchanged gets its values as one that changes.
        let touched = |counts: &Counts| counts.created + counts.changed + counts.retyped;
        counts.created <= seen.created
            && touched(counts) <= touched(seen)
            && (counts.removed <= seen.removed || !self.include_removals)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Engine {
    connection: Option<Connection>,
    /// A table that is imported once; nothing of the connection is kept then.
    import: Option<import::Import>,
    read_only: bool,
    is_writer: bool,
    failed_runs: u32,
    tripped: bool,

    incoming: VecDeque<Incoming>,
    stage: Stage,
    effects: Vec<Effect>,

    grid: Table,
    /// What a source is read by until its cells come.
    locale: String,
    layout: Option<Layout>,

    rows: Vec<Row>,
    sound: u32,
    names: Index,
    ids: Index,
    collections: Vec<structure::CollectionEntry>,
    references: Vec<(u32, u32)>,
    cyclic: BitSet,
    /// Rows whose names are in error or still loading.
    garbled: BitSet,
    /// Whether a cell may refer into a library.
    libraries: bool,
    /// Rows that may.
    foreign_rows: Vec<u32>,

    document: Document,
    document_known: bool,
    /// The mark that stood in the document when it was read as a whole, or that a run of this engine left since.
    seen_mark: String,
    /// Other work has listed the file since: see [`Engine::file_was_read`].
    is_stale: bool,
    row_of_slot: Vec<u32>,
    orphans: BitSet,
    declined: BitSet,

    whole: bool,
    missing: bool,
    /// A collection got rows of a source that had none in it.
    fed_anew: bool,
    planned: Planned,
    lifted: Vec<rows::Lifted>,
    dirty: Vec<u32>,
    touched: BitSet,
    changes: Vec<RowChange>,
    unfinished: SortedMap<u32, u8>,
    problems: SortedMap<u32, Vec<CellProblem>>,
    write_problems: SortedMap<u32, Vec<CellProblem>>,
    limit_problems: Vec<(u32, CellProblem)>,
    loose_problems: Vec<CellProblem>,
    /// What keeps parts of the plan from being written: Figma's limits. Found anew for each plan.
    plan_problems: Vec<(u32, CellProblem)>,
    /// What the plan needs of Figma that not every one of its plans allows.
    needs: Vec<Problem>,
    /// Whether a collection would be made or added to of which a part may not fit.
    half_fits: bool,
    kept: SortedMap<u32, Vec<merge::Kept>>,
    kept_changed: bool,
    listed: Vec<merge::Listed>,
    /// Slot, place in the base, and what counts as agreed there.
    chosen: Vec<(u32, usize, f64)>,
    /// Rows whose variables keep what they hold, until they are mapped.
    leaving: BitSet,
    /// Rows that were guessed to rename a variable.
    guessed: BitSet,
    /// Variables that no guess may take.
    apart: BitSet,
    /// Collections that the designer said are not those that the sheet has renamed.
    apart_collections: Vec<CollectionSlot>,
    journal: journal::Journal,
    restore: Option<restoring::Restore>,
    /// Figma's ids of variables whose confirmed removal was put off to the second try.
    due_removals: Vec<String>,
    retypes: retyping::Retypes,
    /// Whether guesses were made since the rows were read.
    paired: bool,
    list_number: u32,
    pushing: pushing::Pushing,

    plan_number: u32,
    waiting: Option<Waiting>,
    /// Why a plan waited whose rows the designer is choosing: what is left of it waits too.
    choosing: Option<WaitReason>,
    confirmed: Option<Confirmed>,
    totals: Totals,
}

impl Engine {
    /// An engine for a file. `read_only`: nothing can be written here, so no run begins.
    pub fn new(connection: Option<Connection>, locale: &str, read_only: bool) -> Engine {
        let mut grid = Table::default();
        grid.set_tabs(
            connection.iter().flat_map(Connection::sheets).count(),
            locale,
        );
        Engine {
            connection,
            import: None,
            read_only,
            is_writer: true,
            failed_runs: 0,
            tripped: false,
            incoming: VecDeque::new(),
            stage: Stage::Rest,
            effects: Vec::new(),
            grid,
            locale: locale.to_owned(),
            layout: None,
            rows: Vec::new(),
            sound: 0,
            names: Index::default(),
            ids: Index::default(),
            collections: Vec::new(),
            references: Vec::new(),
            cyclic: BitSet::default(),
            garbled: BitSet::default(),
            libraries: false,
            foreign_rows: Vec::new(),
            document: Document::default(),
            document_known: false,
            seen_mark: String::new(),
            is_stale: false,
            row_of_slot: Vec::new(),
            orphans: BitSet::default(),
            declined: BitSet::default(),
            whole: false,
            missing: false,
            fed_anew: false,
            planned: Planned::default(),
            lifted: Vec::new(),
            dirty: Vec::new(),
            touched: BitSet::default(),
            changes: Vec::new(),
            unfinished: SortedMap::default(),
            problems: SortedMap::default(),
            write_problems: SortedMap::default(),
            limit_problems: Vec::new(),
            loose_problems: Vec::new(),
            plan_problems: Vec::new(),
            needs: Vec::new(),
            half_fits: false,
            kept: SortedMap::default(),
            kept_changed: false,
            listed: Vec::new(),
            chosen: Vec::new(),
            leaving: BitSet::default(),
            guessed: BitSet::default(),
            apart: BitSet::default(),
            apart_collections: Vec::new(),
            journal: journal::Journal::default(),
            restore: None,
            due_removals: Vec::new(),
            retypes: retyping::Retypes::default(),
            paired: false,
            list_number: 0,
            pushing: pushing::Pushing::default(),
            plan_number: 0,
            waiting: None,
            choosing: None,
            confirmed: None,
            totals: Totals::default(),
        }
    }

    /// This file's connection.
    pub fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// What the shell has to do beside stepping; empties the list.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether there is something to do beside stepping.
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Operations done and in all, while a run goes on.
    pub fn progress(&self) -> Option<(u32, u32)> {
        match &self.stage {
            Stage::Applying(run) => Some((run.done, run.total)),
            _ => None,
        }
    }

    fn post(&mut self, message: ToPanel) {
        self.effects.push(Effect::Post(message));
    }

    fn refuse(&mut self, message: &str, remedy: &str) {
        let remedy = (!remedy.is_empty()).then(|| owned(remedy));
        self.post(ToPanel::Refused {
            message: owned(message),
            remedy,
        });
    }

    fn keep(&mut self) {
        if self.import.is_some() {
            return;
        }
        self.effects.push(Effect::Keep(self.connection.clone()));
        self.post(ToPanel::ConnectionChanged {
            connection: self.connection.clone().map(Box::new),
        });
    }

    /// Connects a sheet; its snapshot is expected next. The sheet that was connected already is read as if for the
    /// first time; what the designer chose about merging and about rows stays.
    pub fn connect(&mut self, sheet: SheetRef) {
        if self.read_only {
            self.post(ToPanel::Stopped {
                reason: StopReason::ReadOnly,
            });
            return;
        }
        self.forget_sheet();
        let same = self.connection.take();
        // How careful the file is has to do with the file, not with the sheet.
        let threshold = same.as_ref().and_then(|connection| connection.threshold);
        let (policy, left_out, two_way, origin) = same
            .filter(|connection| connection.sheet == sheet)
            .map_or_else(Default::default, |connection| {
                (
                    connection.policy,
                    connection.left_out,
                    connection.two_way,
                    connection.origin,
                )
            });
        self.connection = Some(Connection {
            sheet,
            spreadsheet_title: String::new(),
            sheet_title: String::new(),
            on: true,
            columns: Vec::new(),
            header_row: 0,
            approved: false,
            layout: None,
            policy,
            left_out,
            renamed_modes: Vec::new(),
            threshold,
            published: false,
            mode_limit: None,
            more: Vec::new(),
            origin,
            two_way,
        });
        self.grid.set_tabs(0, &self.locale);
        self.grid.set_tabs(1, &self.locale);
        self.layout = None;
        self.keep();
    }

    /// One more tab feeds the file; its snapshot is expected next. Until its columns are confirmed, the others go on.
    pub fn add_source(&mut self, sheet: SheetRef) {
        let Some(connection) = &mut self.connection else {
            self.refuse_unconnected();
            return;
        };
        if connection.place_of(&sheet).is_some() {
            return;
        }
        let sources = connection.sheets().count();
        if sources >= SOURCES_MAX {
            let most = decimal::write(SOURCES_MAX as f64);
            let message = ["At most ", &most, " tabs can feed one file."].concat();
            self.refuse(
                &message,
                "Put some of them into one tab with a collection column.",
            );
            return;
        }
        connection.more.push(Source::of(sheet));
        self.grid.set_tabs(sources + 1, &self.locale);
        self.forget_sent();
        self.keep();
    }

    /// A tab feeds the file no longer. Its variables are without rows then, and a plan asks what becomes of them.
    pub fn remove_source(&mut self, sheet: &SheetRef) {
        let Some(connection) = &mut self.connection else {
            self.refuse_unconnected();
            return;
        };
        let Some(at) = connection.place_of(sheet) else {
            return;
        };
        if connection.more.is_empty() {
            self.disconnect();
            return;
        }
        if at == 0 {
            // The variables' links go on bearing its name.
            connection.origin.get_or_insert_with(|| sheet.clone());
            let next = connection.more.remove(0);
            connection.put_source(0, next);
        } else {
            connection.more.remove(at - 1);
        }
        self.finish_cut_off_run();
        self.waiting = None;
        self.confirmed = None;
        self.incoming.retain(|incoming| incoming.at() != at);
        for incoming in &mut self.incoming {
            let (Incoming::Snapshot { at: place, .. } | Incoming::Changes { at: place, .. }) =
                incoming;
            *place -= usize::from(*place > at);
        }
        match &mut self.stage {
            Stage::Loading { at: loading, .. } if *loading != at => {
                *loading -= usize::from(*loading > at);
            }
            _ => self.stage = Stage::Rest,
        }
        self.grid.remove_tab(at);
        self.forget_sent();
        self.forget_rows(0);
        self.keep();
        if matches!(self.stage, Stage::Rest) && self.may_sync() {
            self.start_over();
        }
    }

    fn refuse_unconnected(&mut self) {
        self.refuse(
            "No sheet is connected to this file.",
            "Choose a sheet first.",
        );
    }

    /// Forgets the connection. Variables stay.
    pub fn disconnect(&mut self) {
        self.forget_sheet();
        self.connection = None;
        self.grid.set_tabs(0, &self.locale);
        self.layout = None;
        self.keep();
        self.post(ToPanel::Stopped {
            reason: StopReason::Disconnected,
        });
    }

    /// The flag went off: whatever goes on ends here, and nothing begins again.
    pub fn switch_off(&mut self) {
        self.forget_sheet();
        self.tripped = true;
        self.post(ToPanel::Stopped {
            reason: StopReason::SwitchedOff,
        });
    }

    /// The file can't be written to: no run begins any more.
    pub fn found_read_only(&mut self) {
        if !std::mem::replace(&mut self.read_only, true) {
            self.forget_sheet();
            self.post(ToPanel::Stopped {
                reason: StopReason::ReadOnly,
            });
        }
    }

    /// Whether this plugin is the one that writes the file. While it is not, an approved connection plans and writes
    /// nothing; a first preview may be looked at, but not applied. Who becomes the writer reads the file anew: others have
    /// written it.
    pub fn set_writer(&mut self, is_writer: bool) {
        if std::mem::replace(&mut self.is_writer, is_writer) == is_writer {
            return;
        }
        let loading = matches!(self.stage, Stage::Loading { .. });
        if is_writer {
            self.document_known = false;
            if self.is_loaded() && !loading && self.may_sync() {
                self.finish_cut_off_run();
                self.start_over();
                return;
            }
        } else if !self.may_sync() {
            self.cancel();
            self.waiting = None;
            self.confirmed = None;
            self.restore = None;
            if !loading
                && !matches!(
                    self.stage,
                    Stage::Rest | Stage::Applying(_) | Stage::Restoring(_) | Stage::Retyping { .. }
                )
            {
                self.stage = Stage::Rest;
                self.tell_taken();
            }
        }
        // What is not loaded yet is compared as a whole anyway.
        if self.is_loaded() {
            self.start_over_later();
        }
    }

    /// What came is kept, and nothing follows from it for now.
    fn tell_taken(&mut self) {
        if !self.is_writer {
            self.post(ToPanel::Taken {
                position: self.position(),
                more: self.more_positions(),
            });
        }
    }

    /// Up to where the first source's cells were taken.
    fn position(&self) -> Position {
        let first = self.grid.tabs().first();
        first.map_or_else(
            || Position {
                epoch: String::new(),
                revision: 0,
            },
            |tab| tab.position().clone(),
        )
    }

    /// The same of the other sources.
    fn more_positions(&self) -> Vec<Position> {
        let more = self.grid.tabs().iter().skip(1);
        more.map(|tab| tab.position().clone()).collect()
    }

    /// Whether there are cells to work with.
    fn is_loaded(&self) -> bool {
        self.grid.tabs().iter().any(Tab::is_loaded)
    }

    /// Whether a source whose columns are confirmed is not read yet. Rows that seem to be missing may stand there, and
    /// names that nothing is called: until it is read, nothing is made, renamed or removed.
    fn is_partial(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| {
            let mut tabs = self.grid.tabs().iter().enumerate();
            tabs.any(|(at, tab)| !tab.is_loaded() && !connection.columns_of(at).is_empty())
        })
    }

    fn forget_sheet(&mut self) {
        self.finish_cut_off_run();
        self.incoming.clear();
        self.stage = Stage::Rest;
        self.grid.forget();
        self.waiting = None;
        self.restore = None;
        self.choosing = None;
        self.confirmed = None;
        self.failed_runs = 0;
        self.tripped = false;
        self.declined.clear();
        self.unfinished.clear();
        self.forget_sent();
        self.forget_rows(0);
    }

    /// A run that is thrown away has still written something, which becomes an undo step of its own.
    fn finish_cut_off_run(&mut self) {
        let writes = matches!(
            self.stage,
            Stage::Applying(_) | Stage::Restoring(_) | Stage::Retyping { .. }
        );
        if writes && self.totals.writes > 0 {
            self.effects.push(Effect::CommitUndo);
        }
        self.totals = Totals::default();
    }

    /// Switches sync on or off for this file.
    pub fn toggle(&mut self, on: bool) {
        let Some(connection) = &mut self.connection else {
            self.refuse_unconnected();
            return;
        };
        if !on && !connection.approved {
            // Another panel has begun to set the sheet up anew.
            self.refuse(
                "This sheet is being set up; nothing is written yet.",
                "Confirm its columns first, or disconnect it.",
            );
            return;
        }
        connection.on = on;
        self.failed_runs = 0;
        self.tripped = false;
        self.keep();
        if on {
            self.sync_now();
        } else {
            self.cancel();
            self.waiting = None;
            self.post(ToPanel::Stopped {
                reason: StopReason::Toggled,
            });
        }
    }

    /// Maps and compares everything again; also lets a tripped breaker try again.
    pub fn sync_now(&mut self) {
        self.failed_runs = 0;
        self.tripped = false;
        self.retypes.ask_again();
        // The file may be on another plan by now.
        self.forget_old_limit(usize::MAX);
        if self.is_loaded() && matches!(self.stage, Stage::Rest) && self.may_sync() {
            self.start_over();
        }
    }

    fn may_sync(&self) -> bool {
        !self.read_only
            && !self.tripped
            && self
                .connection
                .as_ref()
                .is_some_and(|connection| connection.on && (self.is_writer || !connection.approved))
    }

    /// Announces a whole tab; its cells come by [`Engine::load`]. What was announced of it before is out of date: the
    /// shell drops those cells as well. Returns whether the cells are wanted.
    pub fn announce_snapshot(
        &mut self,
        sheet: &SheetRef,
        position: Position,
        info: SheetInfo,
    ) -> bool {
        let Some(at) = self.place_of(sheet) else {
            return false;
        };
        self.incoming.retain(|incoming| incoming.at() != at);
        self.incoming
            .push_back(Incoming::Snapshot { at, position, info });
        true
    }

    /// Announces changed cells; they come by [`Engine::load`]. When changes of the tab were announced last and have not
    /// begun, these join them, and the shell joins the cells. Returns whether the cells are wanted.
    pub fn announce_changes(&mut self, sheet: &SheetRef, position: Position, rows: u32) -> bool {
        let Some(at) = self.place_of(sheet) else {
            return false;
        };
        let is_loaded = self.grid.tabs().get(at).is_some_and(Tab::is_loaded);
        let is_loading = matches!(self.stage, Stage::Loading { at: loading, snapshot: true, .. } if loading == at);
        if !is_loaded && !is_loading && self.incoming.iter().all(|incoming| incoming.at() != at) {
            self.refuse(
                "Changes came before the sheet itself.",
                "Connect again to read the whole sheet.",
            );
            return false;
        }
        if let Some(Incoming::Changes {
            at: last_at,
            position: last,
            rows: last_rows,
        }) = self.incoming.back_mut()
            && *last_at == at
        {
            *last = position;
            *last_rows = rows;
        } else {
            self.incoming
                .push_back(Incoming::Changes { at, position, rows });
        }
        true
    }

    /// How many announcements have not begun to load: the shell holds as many texts of cells.
    pub fn announced(&self) -> usize {
        self.incoming.len()
    }

    fn place_of(&mut self, sheet: &SheetRef) -> Option<usize> {
        let connection = self.connection.as_ref();
        let at = connection.and_then(|connection| connection.place_of(sheet));
        if at.is_none() {
            self.refuse(
                "These cells belong to a sheet that is not connected to this file.",
                "Choose the sheet again.",
            );
        }
        at
    }

    /// The designer's columns of a source, else of the first, and how the tab lies.
    pub fn confirm_columns(
        &mut self,
        sheet: Option<&SheetRef>,
        columns: Vec<Column>,
        header_row: u32,
        lies: Option<SheetLayout>,
    ) {
        let Some(connection) = &self.connection else {
            self.refuse_unconnected();
            return;
        };
        let at = match sheet {
            None => Some(0),
            Some(sheet) => connection.place_of(sheet),
        };
        let Some((at, mut source)) =
            at.and_then(|at| Some((at, connection.sources().get(at)?.clone())))
        else {
            self.refuse(
                "These columns belong to a tab that is not connected to this file.",
                "Choose the tab again.",
            );
            return;
        };
        match Layout::of(&columns, header_row, &lies.clone().unwrap_or_default()) {
            Err(problems) => {
                let first = problems.into_iter().next();
                let (message, remedy) = first.map_or_else(Default::default, |problem| {
                    (problem.message, problem.remedy)
                });
                self.refuse(&message, &remedy);
            }
            Ok(_) => {
                let mut connection = connection.clone();
                if source.columns != columns
                    || source.header_row != header_row
                    || source.layout != lies
                {
                    connection.approved = false;
                }
                source.columns = columns;
                source.header_row = header_row;
                source.layout = lies;
                connection.put_source(at, source);
                self.connection = Some(connection);
                self.waiting = None;
                self.keep();
                if self.is_loaded() && self.may_sync() {
                    self.finish_cut_off_run();
                    self.start_over();
                }
            }
        }
    }

    /// As [`Engine::approve_types`], with every type as it is.
    pub fn approve(&mut self, plan: u32, include_removals: bool) {
        self.approve_types(plan, include_removals, &[]);
    }

    /// Applies the waiting plan, if it is still the one that the designer saw. Its variables are read again first:
    /// what somebody has changed since is merged, not overwritten. `retypes` are places in the preview's rows: the
    /// variables whose type is to change; the others keep theirs.
    pub fn approve_types(&mut self, plan: u32, include_removals: bool, retypes: &[u32]) {
        if !self.is_writer {
            self.refuse(
                "Somebody else is syncing this file.",
                "Take over to apply this yourself.",
            );
            return;
        }
        if self.is_restore(plan) {
            self.approve_restore();
            return;
        }
        let Some(seen) = self.take_waiting(plan) else {
            return;
        };
        if let Some(connection) = &mut self.connection
            && !connection.approved
            && self.import.is_none()
        {
            connection.approved = true;
            self.keep();
        }
        if !include_removals {
            let orphans: Vec<u32> = self.open_orphans().map(|slot| slot.0).collect();
            self.declined.extend(orphans);
        }
        let rows = self.rows_at(retypes);
        let retypes = self.choose_retypes(&rows);
        let exchanges = !retypes.is_empty() || self.import.is_some() || self.is_stale;
        self.confirmed = Some(Confirmed {
            counts: seen.counts,
            include_removals,
            retypes,
        });
        if exchanges {
            // Whatever refers to what is to go is found. An import's plan is compared again as a whole.
            self.document_known = false;
            self.start_over();
            return;
        }
        let rows: Vec<u32> = self
            .touched
            .iter()
            .filter(|row| self.rows[*row as usize].slot != NONE)
            .collect();
        if rows.is_empty() {
            self.stage = Stage::Judging;
        } else if rows.len() <= INCREMENTAL_ROWS_MAX {
            for row in &rows {
                self.forget_row(*row);
            }
            self.dirty = rows;
            self.stage = Stage::ReadingSome;
        } else {
            self.start_over();
        }
    }

    fn take_waiting(&mut self, plan: u32) -> Option<Waiting> {
        let back = self.is_restore(plan);
        let current = self
            .waiting
            .filter(|waiting| !back && waiting.number == plan && matches!(self.stage, Stage::Rest));
        match current {
            Some(_) => self.waiting = None,
            None => self.refuse(
                "That plan is out of date: the sheet or the file has changed since.",
                "Look at the new preview and confirm that.",
            ),
        }
        current
    }

    /// Keeps the variables whose rows are gone: they are Sheetwire's no longer.
    pub fn keep_removed(&mut self, plan: u32, figma: &mut impl Figma) {
        if self.is_out_of_date() || self.take_waiting(plan).is_none() {
            return;
        }
        self.unlink_orphans(figma);
        self.stage = Stage::Judging;
    }

    /// Leaves the file as it is where an undone run would be done again.
    pub fn keep_file(&mut self, plan: u32) {
        if self.is_restore(plan) {
            self.drop_restore();
            return;
        }
        if self.is_out_of_date() || self.take_waiting(plan).is_none() {
            return;
        }
        self.choose_retypes(&[]);
        self.leave_planned();
    }

    /// The sheet's rows of a preview, in its order.
    fn listed_rows(&self) -> Vec<u32> {
        let touched = self.touched.iter();
        let mut rows: Vec<u32> = touched
            .filter(|row| !self.changes[*row as usize].is_silent())
            .chain(self.retypes.offered.iter().copied())
            .collect();
        rows.sort_unstable();
        rows
    }

    /// The sheet's rows at places of a preview's rows.
    fn rows_at(&self, places: &[u32]) -> Vec<u32> {
        let rows = self.listed_rows();
        // Renamed collections and modes come first.
        let before = self.structure_rows();
        let places = places.iter();
        places
            .filter_map(|place| rows.get((*place as usize).checked_sub(before)?).copied())
            .collect()
    }

    /// Leaves rows of the waiting plan out of the sync from now on, by their places in the preview. What is left of the
    /// plan is shown again and waits, even where it would not have waited by itself.
    pub fn leave_out(&mut self, plan: u32, places: &[u32]) {
        let Some(seen) = self.take_waiting(plan) else {
            return;
        };
        // Renamed collections and modes can't be left out.
        let rows = self.rows_at(places).into_iter();
        let mut keys: Vec<String> = rows.map(|row| self.link_key(row)).collect();
        keys.sort_unstable();
        keys.dedup();
        let Some(connection) = &mut self.connection else {
            return;
        };
        keys.retain(|key| !connection.left_out.contains(key));
        if connection.left_out.len() + keys.len() > LEFT_OUT_MAX {
            self.waiting = Some(seen);
            let most = decimal::write(LEFT_OUT_MAX as f64);
            let message = ["At most ", &most, " rows can be left out of a file."].concat();
            self.refuse(
                &message,
                "Take rows in again, or mark the rows in the sheet and ignore those under Edit columns.",
            );
            return;
        }
        connection.left_out.extend(keys);
        self.keep();
        self.choosing = seen.reason;
        self.start_over();
    }

    /// Takes rows in again that were left out; without keys, all of them. They are planned as any other row is.
    pub fn take_in(&mut self, keys: &[String]) {
        if !matches!(self.stage, Stage::Rest) {
            self.refuse(
                "The file is being compared with the sheet.",
                "Take the row in when that has ended.",
            );
            return;
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        let before = connection.left_out.len();
        connection
            .left_out
            .retain(|key| !keys.is_empty() && !keys.contains(key));
        if connection.left_out.len() == before {
            return;
        }
        self.choosing = self.waiting.take().and_then(|waiting| waiting.reason);
        self.keep();
        if self.is_loaded() && self.may_sync() {
            self.start_over();
        }
    }

    /// Stops the run after the write it is at. What was written stays; the rest is planned again.
    pub fn cancel(&mut self) {
        if let Stage::Applying(run) = &mut self.stage {
            run.cancelled = true;
        }
    }

    fn open_orphans(&self) -> impl Iterator<Item = VariableSlot> + '_ {
        self.orphans
            .iter()
            .map(VariableSlot)
            .filter(|slot| self.is_open_orphan(*slot))
    }

    fn is_open_orphan(&self, slot: VariableSlot) -> bool {
        // A row that can't be read at present may be any variable's, and one that is not read yet, too.
        self.garbled.is_empty()
            && !self.declined.contains(slot.0)
            && !self.is_named(slot)
            && !self.is_partial()
    }

    /// One small piece of work.
    pub fn step(&mut self, figma: &mut impl Figma) -> Step {
        self.refresh();
        match std::mem::replace(&mut self.stage, Stage::Rest) {
            Stage::Rest => self.begin_incoming(figma),
            Stage::Loading {
                at,
                snapshot,
                carry,
            } => {
                self.stage = Stage::Loading {
                    at,
                    snapshot,
                    carry,
                };
                Step::Load
            }
            Stage::Inferring(which) => {
                self.infer(which);
                Step::More
            }
            Stage::Indexing { next } => {
                self.index_rows(next);
                Step::More
            }
            Stage::Settling => {
                self.settle();
                match &self.stage {
                    Stage::ReadingSome => Step::ReadSome(self.slots_to_read()),
                    Stage::ReadingAll => {
                        self.seen_mark = figma.mark();
                        Step::ReadAll
                    }
                    _ => Step::More,
                }
            }
            Stage::ReadingAll => {
                self.stage = Stage::ReadingAll;
                self.seen_mark = figma.mark();
                Step::ReadAll
            }
            Stage::ReadingSome => {
                self.stage = Stage::ReadingSome;
                Step::ReadSome(self.slots_to_read())
            }
            Stage::Mapping { at } => {
                self.map_rows(at);
                Step::More
            }
            Stage::Untangling { alive } => {
                self.untangle(alive);
                Step::More
            }
            Stage::Orphaning { next } => {
                self.find_orphans(next);
                Step::More
            }
            Stage::Pairing => {
                self.pair_renames();
                Step::More
            }
            Stage::Judging => {
                self.judge(figma);
                Step::More
            }
            Stage::CountingUses { reason, counts } => {
                self.stage = Stage::CountingUses { reason, counts };
                Step::CountUses(self.slots_to_count())
            }
            Stage::Retyping {
                rows,
                at,
                confirmed,
            } => {
                self.retype_step(rows, at, confirmed, figma);
                Step::More
            }
            Stage::Previewing(previewing) => {
                self.preview_rows(previewing);
                Step::More
            }
            Stage::Applying(run) => {
                self.run_step(run, figma);
                Step::More
            }
            Stage::Pushing(batch) => {
                self.push_rows(batch);
                Step::More
            }
            Stage::Looking(look) => self.look_on(look, figma),
            Stage::PlanningBack => {
                self.plan_back(figma);
                Step::More
            }
            Stage::Restoring(back) => {
                self.step_back(back, figma);
                Step::More
            }
        }
    }

    fn begin_incoming(&mut self, figma: &mut impl Figma) -> Step {
        let Some(incoming) = self.incoming.pop_front() else {
            return if self.begin_push() {
                Step::More
            } else {
                Step::Rest
            };
        };
        self.waiting = None;
        self.confirmed = None;
        match incoming {
            Incoming::Snapshot { at, position, info } => {
                self.take_titles(at, &info);
                self.whole = true;
                if let Some(tab) = self.grid.tab_mut(at) {
                    tab.begin(position, info);
                }
                self.stage = Stage::Loading {
                    at,
                    snapshot: true,
                    carry: String::new(),
                };
            }
            Incoming::Changes { at, position, rows } => {
                if let Some(tab) = self.grid.tab_mut(at) {
                    tab.advance(position);
                }
                // What was undone, or written by another panel, is compared as a whole.
                self.whole |= figma.is_undone() || figma.mark() != self.seen_mark;
                self.shrink(at, rows);
                self.stage = Stage::Loading {
                    at,
                    snapshot: false,
                    carry: String::new(),
                };
            }
        }
        Step::Load
    }

    fn take_titles(&mut self, at: usize, info: &SheetInfo) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let Some(mut source) = connection.sources().get(at).cloned() else {
            return;
        };
        if source.spreadsheet_title != info.spreadsheet_title
            || source.sheet_title != info.sheet_title
        {
            source.spreadsheet_title.clone_from(&info.spreadsheet_title);
            source.sheet_title.clone_from(&info.sheet_title);
            connection.put_source(at, source);
            self.keep();
        }
    }

    /// Takes the next piece of the oldest announced cells, cut anywhere; `last` with the final one.
    pub fn load(&mut self, piece: &str, last: bool) {
        let (at, snapshot, carry) = match std::mem::replace(&mut self.stage, Stage::Rest) {
            Stage::Loading {
                at,
                snapshot,
                carry,
            } => (at, snapshot, carry),
            other => {
                self.stage = other;
                return;
            }
        };
        let joined;
        let text = if carry.is_empty() {
            piece
        } else {
            joined = carry + piece;
            joined.as_str()
        };
        let end = if last {
            text.len()
        } else {
            text.rfind('\u{1e}').map_or(0, |at| at + 1)
        };
        let (whole, rest) = text.split_at(end);
        if whole.contains(library::SIGN) {
            self.libraries = true;
            // Which variables of libraries there are is asked when everything is read.
            self.whole |= !snapshot;
        }
        if snapshot {
            if let Some(tab) = self.grid.tab_mut(at) {
                tab.push(whole);
            }
        } else {
            for record in whole.split_terminator('\u{1e}') {
                if let Some(change) = change(record)
                    && change.column < mapping::COLUMNS_MAX
                    && change.row < ROWS_MAX
                {
                    self.see_cell(at, change.row, change.column);
                    self.patch(at, change.row, change.column, change.cell);
                }
            }
        }
        if !last {
            self.stage = Stage::Loading {
                at,
                snapshot,
                carry: rest.to_owned(),
            };
            return;
        }
        if snapshot {
            if let Some(tab) = self.grid.tab_mut(at) {
                tab.loaded();
            }
            self.declined.clear();
            self.apart.clear();
            self.apart_collections.clear();
            self.see_sheet(at);
            self.after_snapshot(at);
        } else {
            self.after_changes(at);
        }
    }

    fn after_snapshot(&mut self, at: usize) {
        if !self.may_sync() {
            self.tell_taken();
        } else if !self.is_confirmed(at) {
            self.stage = Stage::Inferring(None);
        } else if !matches!(self.incoming.front(), Some(Incoming::Snapshot { .. })) {
            self.start_over();
        }
    }

    fn after_changes(&mut self, at: usize) {
        if !self.may_sync() {
            self.start_over_later();
            self.tell_taken();
            return;
        }
        if !self.is_confirmed(at) {
            self.stage = Stage::Inferring(None);
        } else if matches!(self.incoming.front(), Some(Incoming::Changes { .. })) {
            // More has come meanwhile: take it in before mapping.
            self.stage = Stage::Rest;
        } else if self.whole
            || self.missing
            || self.references.len() > self.rows.len() * 8 + 1024
            || self.lifted.len() > INCREMENTAL_ROWS_MAX
            || !self.document_known
        {
            self.start_over();
        } else {
            self.stage = Stage::Settling;
        }
    }

    /// Whether the designer has confirmed the columns of the source at a place.
    fn is_confirmed(&self, at: usize) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| !connection.columns_of(at).is_empty())
    }

    fn start_over(&mut self) {
        let approved = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.approved);
        let mut tabs = self.grid.tabs().iter().enumerate();
        // A first plan is of all sources; later ones go on without one that is not read yet, or that is new.
        self.stage = if tabs.any(|(at, tab)| tab.is_loaded() && !self.is_confirmed(at)) && !approved
        {
            Stage::Inferring(None)
        } else if !approved && !self.grid.tabs().iter().all(Tab::is_loaded) {
            Stage::Rest
        } else {
            Stage::Indexing { next: 0 }
        };
    }

    fn start_over_later(&mut self) {
        self.whole = true;
    }

    /// Tells how a source's columns are read, or those of all sources whose columns nobody has confirmed.
    fn infer(&mut self, which: Option<usize>) {
        self.stage = Stage::Rest;
        let count = self.grid.tabs().len();
        for at in 0..count {
            let tab = &self.grid.tabs()[at];
            if tab.is_loaded()
                && which.map_or(!self.is_confirmed(at) && !self.is_told(at), |which| {
                    which == at
                })
            {
                self.infer_source(at, count > 1);
            }
        }
    }

    fn infer_source(&mut self, at: usize, several: bool) {
        let tab = &self.grid.tabs()[at];
        let sheet = tab.sheet();
        let inferred = mapping::infer(sheet, &tab.info().sheet_title, tab.context());
        let mut sample = Vec::new();
        let first = inferred.header_row + 1;
        for row in first..sheet.rows().min(first + SAMPLE_ROWS_MAX) {
            sample.push(
                Cells::new(sheet.row(row))
                    .take(inferred.columns.len())
                    .map(|packed| shown(packed).into_owned())
                    .collect(),
            );
        }
        // An import tells of one table as of many.
        let several = several || self.import.is_some();
        let connection = self.connection.as_ref().filter(|_| several);
        let sheet = connection.and_then(|connection| connection.sheets().nth(at).cloned());
        let mut layout = inferred.layout;
        if let Some(tab_mode) = self.seems_of_one_mode(at, &inferred.columns, inferred.header_row) {
            layout.get_or_insert_default().tab_mode = Some(tab_mode);
        }
        let told = ToPanel::Inferred {
            columns: inferred.columns,
            header_row: inferred.header_row,
            sample,
            problems: inferred.problems,
            layout,
            sheet,
        };
        if self.import.is_some() {
            self.tell_reading(at, told);
        } else {
            self.post(told);
        }
    }

    /// Whether a tab seems to hold the values of one mode: another tab of the spreadsheet has the same headers, one of
    /// them a mode's, and most of the names. The mode is called by the tab then, the collection by the spreadsheet.
    fn seems_of_one_mode(&self, at: usize, columns: &[Column], header_row: u32) -> Option<TabMode> {
        let connection = self.connection.as_ref()?;
        let sources = connection.sources();
        let tab = &self.grid.tabs()[at];
        let mut name = None;
        let mut modes = 0;
        for column in columns {
            match &column.role {
                Role::Name => name = Some(column.index),
                Role::Mode { .. } => modes += 1,
                Role::Ignore
                | Role::Type
                | Role::Description
                | Role::Scopes
                | Role::CodeWeb
                | Role::CodeAndroid
                | Role::CodeIos
                | Role::Hidden
                | Role::Id => {}
                Role::Collection | Role::Group | Role::ModeName | Role::Variable => return None,
            }
        }
        let title = &tab.info().sheet_title;
        let name =
            name.filter(|_| modes == 1 && title.chars().count() <= mapping::MODE_NAME_MAX)?;
        let names = |tab: &Tab| {
            let rows = header_row + 1..tab.sheet().rows().min(header_row + 1 + NAMES_LOOKED_AT);
            let names = rows.map(|row| shown(cell(tab.sheet().row(row), name)).into_owned());
            names
                .filter(|name| !name.is_empty())
                .collect::<Vec<String>>()
        };
        let own = names(tab);
        let others = self.grid.tabs().iter().zip(&sources).enumerate();
        let mut alike = others.filter(|(other, (twin, source))| {
            let lies = source.layout.as_ref();
            let joins =
                source.columns.is_empty() || lies.is_some_and(|lies| lies.tab_mode.is_some());
            let headers = |tab: &Tab| {
                let texts = Cells::new(tab.sheet().row(header_row)).map(shown);
                texts.map(|text| text.into_owned()).collect::<Vec<String>>()
            };
            *other != at
                && twin.is_loaded()
                && joins
                && source.sheet.spreadsheet_id == sources[at].sheet.spreadsheet_id
                && headers(twin) == headers(tab)
                && {
                    let mut theirs = names(twin);
                    theirs.sort_unstable();
                    let known = own.iter().filter(|name| theirs.binary_search(name).is_ok());
                    let known = known.count();
                    known > 0 && known * 2 >= own.len()
                }
        });
        alike.next().map(|_| TabMode {
            collection: tab.info().spreadsheet_title.clone(),
            mode: title.clone(),
        })
    }

    /// Begins handing over the whole document: collections packed, and the number of variables.
    pub fn read_begin(&mut self, collections: &str, variables: u32) {
        self.document.begin(collections, variables);
        self.document_known = false;
    }

    /// Hands over packed variables from slot `first`.
    ///
    /// # Errors
    /// See [`Document::take`].
    pub fn read_take(
        &mut self,
        first: u32,
        count: u32,
        numbers: &[f64],
        text: &str,
    ) -> Result<(), PackError> {
        self.document
            .take((first..first + count).map(VariableSlot), numbers, text)
    }

    /// Ends handing over the document.
    pub fn read_end(&mut self) {
        if matches!(self.stage, Stage::ReadingAll) {
            self.document_known = true;
            self.is_stale = false;
            if self.restore.is_some() {
                self.stage = Stage::PlanningBack;
                return;
            }
            self.meet_document();
            self.stage = Stage::Mapping { at: 0 };
        }
    }

    /// Hands over the variables that [`Step::ReadSome`] named, packed.
    ///
    /// # Errors
    /// See [`Document::take`].
    pub fn read_again(
        &mut self,
        slots: &[VariableSlot],
        numbers: &[f64],
        text: &str,
    ) -> Result<(), PackError> {
        let looks = matches!(self.stage, Stage::Looking(_));
        let looked_at = slots.iter().filter(|_| looks);
        let before = looked_at
            .map(|slot| self.document.variable(*slot).cloned())
            .collect();
        self.document.take(slots.iter().copied(), numbers, text)?;
        for slot in slots {
            if self.document.variable(*slot).is_none() {
                self.let_go(*slot);
            }
        }
        if matches!(self.stage, Stage::ReadingSome) {
            self.take_choices();
            self.stage = Stage::Mapping { at: 0 };
        } else if let Stage::Looking(look) = std::mem::replace(&mut self.stage, Stage::Rest) {
            self.looked_at(look, before);
        }
        Ok(())
    }

    /// What of each variable needs reading: without a column for it, a field is never compared.
    pub fn fields(&self) -> Fields {
        if self.restore.is_some() {
            return Fields {
                description: true,
                scopes: true,
                code: true,
                hidden: true,
            };
        }
        let layout = self.layout.as_ref();
        Fields {
            description: layout.is_some_and(|layout| layout.description.is_some()),
            scopes: layout.is_some_and(|layout| layout.scopes.is_some()),
            code: layout.is_some_and(|layout| layout.code.iter().any(Option::is_some)),
            hidden: layout.is_some_and(|layout| layout.hidden.is_some()),
        }
    }

    /// Reading failed: the run is given up, and counts as failed.
    pub fn read_failed(&mut self) {
        self.stage = Stage::Rest;
        self.whole = true;
        self.document_known = false;
        self.waiting = None;
        self.confirmed = None;
        self.restore = None;
        self.post(ToPanel::Failed {
            message: owned("Figma did not give the file's variables."),
            fatal: false,
        });
        self.count_run(false);
    }

    fn count_run(&mut self, good: bool) {
        if good {
            self.failed_runs = 0;
            return;
        }
        self.failed_runs += 1;
        if self.failed_runs >= FAILED_RUNS_MAX && !self.tripped {
            self.tripped = true;
            self.post(ToPanel::Stopped {
                reason: StopReason::Breaker,
            });
        }
    }

    /// Decides what becomes of the differences that mapping found.
    fn judge(&mut self, figma: &mut impl Figma) {
        if self.restore.is_some() {
            // What it would do is shown anew.
            self.stage = Stage::ReadingAll;
            return;
        }
        if self.has_other_runs(figma) {
            // What was confirmed is held against the file as it is now.
            self.start_over();
            return;
        }
        self.whole = false;
        self.leaving.clear();
        self.check_limits();
        self.offer_retypes();
        self.tell_differences();
        let counts = self.planned_counts();
        let approved = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.approved);
        let missing = self.missing;
        let reason = self.reason_to_wait(&counts);
        let nothing = !self.renames_structure()
            && counts.collections + counts.modes + counts.created + counts.changed + counts.removed
                == 0;
        let again = self.totals.rereadings > 0;
        if let Some(mut confirmed) = self.confirmed.take().filter(|_| !missing)
            && confirmed.covers(&counts)
        {
            let retypes = self.rows_to_retype(&std::mem::take(&mut confirmed.retypes));
            if !retypes.is_empty() {
                self.stage = Stage::Retyping {
                    rows: retypes,
                    at: 0,
                    confirmed: Box::new(confirmed),
                };
                return;
            }
            let removals = if confirmed.include_removals {
                self.open_orphans().collect()
            } else {
                Vec::new()
            };
            self.start_run(removals);
            return;
        }
        let choosing = self.choosing.take();
        let reason = match reason.or(choosing) {
            _ if approved && !again && !nothing && figma.is_undone() => Some(WaitReason::Undone),
            None if self.guessed.iter().any(|row| {
                let change = self.changes.get(row as usize);
                change.is_some_and(|change| change.writes.contains(&Write::Name))
            }) || self.doubts_structure() =>
            {
                Some(WaitReason::Renames)
            }
            reason => reason,
        };
        // Confirmed, and put off by the first try.
        let due = std::mem::take(&mut self.due_removals);
        let due = due.iter().filter_map(|id| figma.variable_of(id));
        let removals = due
            .filter(|slot| again && self.orphans.contains(slot.0) && self.is_open_orphan(*slot))
            .collect();
        if !again && (!approved || (reason.is_some() && (!nothing || missing))) {
            let reason = if approved { reason } else { None };
            self.begin_preview(reason, counts);
        } else {
            self.start_run(removals);
        }
    }

    fn preview_rows(&mut self, mut previewing: Box<Previewing>) {
        if previewing.rows.len() < PREVIEW_ROWS_MAX
            && let Some(at) = self.push_preview_row(previewing.at, &mut previewing.rows)
        {
            previewing.at = at;
            self.stage = Stage::Previewing(previewing);
            return;
        }
        let Previewing {
            reason,
            counts,
            rows,
            ..
        } = *previewing;
        self.plan_number += 1;
        self.waiting = Some(Waiting {
            counts,
            number: self.plan_number,
            reason,
        });
        let preview = self.preview(self.plan_number, counts, rows);
        self.post(match reason {
            Some(reason) => ToPanel::Waiting { reason, preview },
            None => ToPanel::Preview(preview),
        });
        self.totals = Totals::default();
        self.stage = Stage::Rest;
        self.forget_seen();
        self.pushing.is_due_again();
    }
}
