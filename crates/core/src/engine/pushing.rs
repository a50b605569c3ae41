//! Two-way sync: what was changed in Figma goes to the sheet.
//!
//! Owns which cells are sent, how they are written there, one batch at a time, and what is remembered of them until the
//! sheet shows them. Must not know how a cell reaches the sheet.
//!
//! A cell that was sent counts as agreed when the sheet shows it, not when the answer says so: the answer and the cells
//! of an earlier read may come in either order. Until then it is remembered by its place. If the sheet shows what was
//! sent, that becomes the base, so that our own write is no edit, and what was changed in Figma meanwhile is a difference
//! anew. If a whole sheet shows again what the cell held before an answered write, it is older than that write, and Figma keeps
//! its value.
//!
//! A cell goes with its guards, the cells that say which row and column it is in. Where the sheet's have changed since, the cell
//! is not written, and is sent again when the sheet has shown where it is now, or by the next look.

use std::collections::BTreeSet;

use super::merge::Kept;
use super::running::percent;
use super::{Engine, INCREMENTAL_ROWS_MAX, NONE, Stage, Step};
use crate::apply::Figma;
use crate::document::{Held, Scopes, VariableSlot};
use crate::mapping::grid::{Cells, cell, shown};
use crate::mapping::switch_of;
use crate::owned;
use crate::plan::{Target, Write};
use crate::protocol::panel::{Connection, DriftPolicy, ToPanel, Unsent};
use crate::protocol::relay::{
    CellGuard, CellWrite, WRITE_BYTES_MAX, WRITE_CELLS_MAX, WRITE_GUARDS_MAX, WriteResult,
    WriteValue,
};
use crate::sheet::{CellView, Kind};
use crate::value::{
    AliasRef, Entry, ReadContext, Reading, Rgba, Value, VariableType, opacity_like, parse_scopes,
    read, write_like,
};

/// Most sent cells that are remembered; the oldest are forgotten first, and are differences as any other then.
const SENT_MAX: usize = 4 * WRITE_CELLS_MAX;
/// Longest cell that is sent, in bytes, as it is and as it is to be: four of them fit into a batch.
const CELL_BYTES_MAX: usize = WRITE_BYTES_MAX / 8;
/// What a cell of a batch costs beside its texts, in bytes.
const CELL_BYTES_AROUND: usize = 64;
/// Rows with differences that are looked at in one step.
const ROWS_A_STEP: usize = 4;
/// Variables that are read at once in a look.
const LOOK_VARIABLES: usize = 32;
/// Looks after which a written cell that the sheet never showed may be sent again.
const LOOKS_UNTIL_AGAIN: u32 = 3;

/// Where a cell stands: its source's place, row and column of the tab, zero-based.
type Place = (usize, u32, u32);

/// What became of a sent cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its answer has not come.
    Sent,
    /// It was written, so many looks ago.
    Written(u32),
    /// Its row or column is not where it was. The sheet has not shown where it is.
    Moved,
    /// Nobody knows: the answer was lost, or the write failed. Or it had moved, and may be sent again.
    Lost,
    /// It was not taken.
    Refused(Unsent),
}

/// A cell that was sent.
#[derive(Debug, Clone)]
struct Sent {
    /// The place of the source whose tab it went to.
    at: usize,
    write: CellWrite,
    fate: Fate,
    /// Whether the sheet has shown it since, whatever it held.
    is_seen: bool,
}

impl Sent {
    fn place(&self) -> Place {
        (self.at, self.write.row, self.write.column)
    }

    /// A source's tab has shown something: what had moved there may be sent again.
    fn may_have_moved_to(&mut self, at: usize) {
        if self.fate == Fate::Moved && self.at == at {
            self.fate = Fate::Lost;
        }
    }
}

/// What the sheet shows of a cell that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// What was sent.
    Ours,
    /// What it held before an answered write.
    Before,
}

/// What the engine knows of two-way sync.
#[derive(Debug, Default)]
pub(super) struct Pushing {
    /// The number of the last batch.
    number: u32,
    sent: Vec<Sent>,
    /// The answer to the last batch, until there is time for it; `None` inside where nothing is known.
    answer: Option<Option<Vec<WriteResult>>>,
    /// Cells that the designer wants sent.
    wanted: BTreeSet<Place>,
    /// Whether differences may have come that are to be sent.
    is_due: bool,
    /// The sources whose last batch failed as a whole, one bit a source. They are tried again by the next look or edit, and do
    /// not keep the others waiting.
    failed: u32,
}

impl Pushing {
    /// Differences may have come that are to be sent.
    pub(super) fn is_due_again(&mut self) {
        self.is_due = true;
        self.failed = 0;
    }
}

/// What is looked at, and what was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    next: u32,
    slots: Vec<VariableSlot>,
    /// Rows whose variables were changed.
    rows: Vec<u32>,
}

/// A batch that is being put together.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    rows: Vec<u32>,
    at: usize,
    /// The source whose tab it is for: that of the first cell.
    source: Option<usize>,
    cells: Vec<CellWrite>,
    bytes: usize,
}

impl Engine {
    /// Whether changes made in Figma are sent to the sheet from now on. With it, they are sent by themselves until the
    /// designer says otherwise.
    pub fn set_two_way(&mut self, on: bool) {
        let Some(connection) = &mut self.connection else {
            self.refuse(
                "No sheet is connected to this file.",
                "Choose a sheet first.",
            );
            return;
        };
        if connection.two_way == on {
            return;
        }
        connection.two_way = on;
        connection.policy.drift = match (on, connection.policy.drift) {
            (true, DriftPolicy::Keep) => DriftPolicy::Push,
            (false, DriftPolicy::Push) => DriftPolicy::Keep,
            (_, other @ (DriftPolicy::Keep | DriftPolicy::Overwrite | DriftPolicy::Push)) => other,
        };
        self.keep();
        self.pushing.wanted.clear();
        self.pushing.is_due = on;
        self.pushing.failed = 0;
        self.merge_anew();
    }

    pub(super) fn is_two_way(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.two_way)
    }

    /// Compares what Figma holds with what it held, as long as changes are sent by themselves; Figma tells nobody of
    /// changes. Variables that are gone are left for the next comparison of the whole file.
    pub fn look(&mut self) {
        let is_pushing = |connection: &Connection| {
            connection.two_way
                && connection.approved
                && connection.policy.drift == DriftPolicy::Push
        };
        let looks = self.connection.as_ref().is_some_and(is_pushing)
            && self.may_push()
            && self.document_known
            && self.incoming.is_empty()
            && self.waiting.is_none()
            && matches!(self.stage, Stage::Rest);
        if looks {
            self.stage = Stage::Looking(Look::default());
        }
    }

    /// The answer to [`ToPanel::Push`]: what became of each cell, in order; empty when it is not known.
    pub fn pushed(&mut self, push: u32, results: &[WriteResult]) {
        let is_awaited = self.pushing.sent.iter().any(|sent| sent.fate == Fate::Sent);
        if push == self.pushing.number && is_awaited && self.pushing.answer.is_none() {
            let known = (!results.is_empty()).then(|| results.to_vec());
            self.pushing.answer = Some(known);
        }
    }

    /// Another sheet: nothing is known of its cells. An answer on its way finds nobody.
    pub(super) fn forget_sent(&mut self) {
        let number = self.pushing.number;
        self.pushing = Pushing {
            number,
            ..Pushing::default()
        };
    }

    fn may_push(&self) -> bool {
        self.is_loaded() && self.is_writer && self.layout.is_some() && self.may_sync()
    }

    // What the sheet shows.

    /// A source's tab shows a cell.
    pub(super) fn see_cell(&mut self, at: usize, row: u32, column: u32) {
        for sent in &mut self.pushing.sent {
            sent.is_seen |= sent.place() == (at, row, column);
            sent.may_have_moved_to(at);
        }
    }

    /// A source's tab was read as a whole. It may have been read before what was written.
    pub(super) fn see_sheet(&mut self, at: usize) {
        let Some(tab) = self.grid.tabs().get(at) else {
            return;
        };
        self.pushing.wanted.retain(|place| place.0 != at);
        let sheet = tab.sheet();
        for sent in &mut self.pushing.sent {
            if sent.at != at {
                continue;
            }
            let now = cell(sheet.row(sent.write.row), sent.write.column);
            sent.is_seen |= now != sent.write.before;
            sent.may_have_moved_to(at);
        }
    }

    /// What the sheet shows has been compared: what was seen is an ordinary cell again.
    pub(super) fn forget_seen(&mut self) {
        self.pushing
            .sent
            .retain(|sent| !sent.is_seen || sent.fate == Fate::Sent);
    }

    /// The columns of a row whose cells were sent, with what the sheet shows of them.
    pub(super) fn traces_of(&self, row: u32) -> Vec<(u32, Trace)> {
        let Some(layout) = self
            .layout
            .as_ref()
            .filter(|_| !self.pushing.sent.is_empty())
        else {
            return Vec::new();
        };
        let fields = [layout.description, layout.scopes, layout.hidden];
        let fields = fields.into_iter().chain(layout.code).flatten();
        let columns = layout.modes.iter().map(|mode| mode.column).chain(fields);
        let traces = columns.filter_map(|column| {
            let sent = self.sent_at(self.spot_of(row, column).ok()?)?;
            let now = cell(self.grid.row(row), column);
            if entry_of(&sent.write.value).is_in(CellView::new(now)) {
                return Some((column, Trace::Ours));
            }
            let is_older = now == sent.write.before && matches!(sent.fate, Fate::Written(_));
            is_older.then_some((column, Trace::Before))
        });
        traces.collect()
    }

    /// Where a row's cell stands.
    fn spot_of(&self, row: u32, column: u32) -> Result<Place, Unsent> {
        self.grid.origin(row, column).ok_or(Unsent::Shared)
    }

    /// Where a difference's cell stands.
    fn place_of_kept(&self, row: u32, kept: &Kept) -> Result<Place, Unsent> {
        let column = self.column_of(&kept.write).ok_or(Unsent::Name)?;
        self.spot_of(row, column)
    }

    fn sent_at(&self, place: Place) -> Option<&Sent> {
        let mut sent = self.pushing.sent.iter().rev();
        sent.find(|sent| sent.place() == place)
    }

    // What is sent.

    /// The designer wants a difference sent, whatever became of it before.
    pub(super) fn want_sent(&mut self, row: u32, at: usize) {
        if !self.is_two_way() {
            return;
        }
        let kept = self.kept.get(row).and_then(|kept| kept.get(at));
        if let Some(Ok(place)) = kept.map(|kept| self.place_of_kept(row, kept)) {
            self.pushing.wanted.insert(place);
            self.pushing.is_due_again();
            self.pushing
                .sent
                .retain(|sent| sent.fate == Fate::Sent || sent.place() != place);
        }
    }

    /// Takes an answer, or begins to put a batch together. Whether there was something to do.
    pub(super) fn begin_push(&mut self) -> bool {
        if let Some(answer) = self.pushing.answer.take() {
            self.take_answer(answer.as_deref());
            return true;
        }
        let is_awaited = self.pushing.sent.iter().any(|sent| sent.fate == Fate::Sent);
        if !self.pushing.is_due || is_awaited || !self.is_two_way() || !self.may_push() {
            return false;
        }
        self.pushing.is_due = false;
        // What waits for the designer may have to do with what differs.
        let by_itself = self.waiting.is_none();
        if !by_itself && self.pushing.wanted.is_empty() {
            return false;
        }
        let pushes = |row: &u32| {
            let kept = self.kept.get(*row).map_or(&[][..], Vec::as_slice);
            let pushes = |kept: &Kept| (by_itself && kept.pushes) || self.is_wanted(*row, kept);
            kept.iter().any(pushes)
        };
        let rows: Vec<u32> = self.kept.keys().filter(pushes).collect();
        if rows.is_empty() {
            self.pushing.wanted.clear();
            return false;
        }
        self.stage = Stage::Pushing(Batch {
            rows,
            ..Batch::default()
        });
        true
    }

    fn is_wanted(&self, row: u32, kept: &Kept) -> bool {
        !self.pushing.wanted.is_empty()
            && self
                .place_of_kept(row, kept)
                .is_ok_and(|place| self.pushing.wanted.contains(&place))
    }

    fn take_answer(&mut self, results: Option<&[WriteResult]>) {
        if results.is_none() {
            let asked = self.pushing.sent.iter();
            let asked = asked.filter(|sent| sent.fate == Fate::Sent);
            self.pushing.failed |= asked.fold(0, |failed, sent| failed | 1 << sent.at);
        }
        let mut results = results.map(|results| results.iter());
        for sent in &mut self.pushing.sent {
            if sent.fate != Fate::Sent {
                continue;
            }
            let result = results.as_mut().and_then(Iterator::next);
            sent.fate = match result {
                Some(WriteResult::Written) => Fate::Written(0),
                Some(WriteResult::Formula) => Fate::Refused(Unsent::Formula),
                Some(WriteResult::Protected) => Fate::Refused(Unsent::Protected),
                Some(WriteResult::Changed) => Fate::Refused(Unsent::Changed),
                Some(WriteResult::Outside) => Fate::Refused(Unsent::Outside),
                Some(WriteResult::Moved) => Fate::Moved,
                None => Fate::Lost,
            };
        }
        self.forget_seen();
        self.pushing.is_due = true;
        self.kept_changed = true;
        self.tell_differences();
    }

    /// Puts a few rows' cells into the batch, and sends it when it is full or all rows were looked at.
    pub(super) fn push_rows(&mut self, mut batch: Batch) {
        let end = (batch.at + ROWS_A_STEP).min(batch.rows.len());
        let mut is_full = false;
        for row in &batch.rows[batch.at..end] {
            let kept = self.kept.get(*row).map_or(&[][..], Vec::as_slice);
            for kept in kept {
                if !kept.pushes && !self.is_wanted(*row, kept) {
                    continue;
                }
                let Ok((at, write)) = self.cell_write(*row, kept) else {
                    continue;
                };
                let is_for_another = batch.source.is_some_and(|source| source != at);
                if is_for_another || self.pushing.failed & 1 << at != 0 || self.was_sent(at, &write)
                {
                    continue;
                }
                let bytes = bytes_of(&write);
                is_full |= batch.cells.len() == WRITE_CELLS_MAX
                    || batch.bytes + bytes > WRITE_BYTES_MAX / 2;
                if !is_full {
                    batch.source = Some(at);
                    batch.bytes += bytes;
                    batch.cells.push(write);
                }
            }
        }
        batch.at = end;
        if !is_full && end < batch.rows.len() {
            self.stage = Stage::Pushing(batch);
            return;
        }
        self.stage = Stage::Rest;
        let Batch { cells, source, .. } = batch;
        let sheets = self.connection.iter().flat_map(Connection::sheets);
        let sheets = sheets.enumerate();
        let sheet = sheets
            .filter(|(at, _)| Some(*at) == source)
            .map(|(_, sheet)| sheet.clone())
            .next();
        let (Some(at), Some(sheet)) = (source, sheet) else {
            self.pushing.wanted.clear();
            return;
        };
        if !is_full {
            self.pushing.wanted.retain(|place| place.0 != at);
        }
        for write in &cells {
            let place = (at, write.row, write.column);
            self.pushing.wanted.remove(&place);
            let sent = &mut self.pushing.sent;
            sent.retain(|sent| sent.place() != place);
            sent.push(Sent {
                at,
                write: write.clone(),
                fate: Fate::Sent,
                is_seen: false,
            });
        }
        let over = self.pushing.sent.len().saturating_sub(SENT_MAX);
        self.pushing.sent.drain(..over);
        self.pushing.is_due = true;
        self.pushing.number += 1;
        let push = self.pushing.number;
        self.post(ToPanel::Push { push, sheet, cells });
        // What was listed because its last answer was lost is on its way again.
        self.kept_changed |= !self.listed.is_empty();
        self.tell_differences();
    }

    /// Whether just this was sent before, and may not be sent again yet.
    fn was_sent(&self, at: usize, write: &CellWrite) -> bool {
        let place = (at, write.row, write.column);
        self.sent_at(place).is_some_and(|sent| {
            sent.write == *write
                && match sent.fate {
                    Fate::Sent | Fate::Moved | Fate::Refused(_) => true,
                    Fate::Written(looks) => looks < LOOKS_UNTIL_AGAIN,
                    Fate::Lost => false,
                }
        })
    }

    /// Whether a difference needs nobody's attention: it is sent, or about to be.
    pub(super) fn is_on_its_way(&self, row: u32, kept: &Kept) -> bool {
        if !(self.is_two_way() && self.is_writer) {
            return false;
        }
        let place = self.place_of_kept(row, kept).ok();
        let fate = place
            .and_then(|place| self.sent_at(place))
            .map(|sent| sent.fate);
        match fate {
            Some(Fate::Sent | Fate::Moved) => true,
            Some(Fate::Lost | Fate::Refused(_)) => false,
            None | Some(Fate::Written(_)) => {
                (kept.pushes || self.is_wanted(row, kept)) && self.unsent(row, kept).is_none()
            }
        }
    }

    /// Whether a difference can be sent, whatever became of it before.
    pub(super) fn can_be_sent(&self, row: u32, kept: &Kept) -> bool {
        self.is_two_way() && self.cell_write(row, kept).is_ok()
    }

    /// Why a difference is not sent.
    pub(super) fn unsent(&self, row: u32, kept: &Kept) -> Option<Unsent> {
        if !self.is_two_way() {
            return None;
        }
        let (at, write) = match self.cell_write(row, kept) {
            Ok(write) => write,
            Err(unsent) => return Some(unsent),
        };
        let sent = self.sent_at((at, write.row, write.column));
        match sent.filter(|sent| sent.write == write)?.fate {
            Fate::Refused(unsent) => Some(unsent),
            Fate::Sent | Fate::Written(_) | Fate::Moved | Fate::Lost => None,
        }
    }

    // How it is written.

    /// What is put into the cell of a difference, so that it says what Figma holds; and the place of the source whose tab it is
    /// in.
    fn cell_write(&self, row: u32, kept: &Kept) -> Result<(usize, CellWrite), Unsent> {
        let place = self.place_of_kept(row, kept)?;
        let tab = self.grid.tabs().get(place.0).ok_or(Unsent::Outside)?;
        let before = cell(tab.sheet().row(place.1), place.2);
        let like = CellView::new(before);
        if like.formula().is_some() {
            return Err(Unsent::Formula);
        }
        let slot = Some(self.rows[row as usize].slot).filter(|slot| *slot != NONE);
        let held = slot.and_then(|slot| self.document.variable(VariableSlot(slot)));
        let held = held.ok_or(Unsent::Empty)?;
        let entry = match &kept.write {
            Write::Value { mode, .. } | Write::Alias { mode, .. } => {
                let entry = &self.collections[self.rows[row as usize].collection as usize];
                let mode_slot = entry.modes[*mode as usize].ok_or(Unsent::Empty)?;
                let value = held.values.get(mode_slot.0 as usize);
                let value = value.ok_or(Unsent::Empty)?;
                self.entry_of_value(row, *mode, value, held.kind, like)?
            }
            Write::Description => entry_of_text(&held.description)?,
            Write::Code(platform) => entry_of_text(&held.code[usize::from(*platform)])?,
            Write::Scopes(_) => entry_of_scopes(held.scopes)?,
            Write::Hidden(_) => entry_of_switch(held.hidden, like)?,
            Write::Name | Write::Link | Write::Remember => return Err(Unsent::Name),
        };
        let (at, row, column) = place;
        let guards = tab.guards((row, column), WRITE_GUARDS_MAX).into_iter();
        let guards = guards.filter(|place| *place != (row, column));
        let guards = guards.map(|(row, column)| CellGuard {
            row,
            column,
            holds: cell(tab.sheet().row(row), column).to_owned(),
        });
        let write = CellWrite {
            row,
            column,
            guards: guards.collect(),
            before: before.to_owned(),
            value: match entry {
                Entry::Text(text) => WriteValue::Text(text),
                Entry::Number(number) => WriteValue::Number(number),
                Entry::Boolean(value) => WriteValue::Boolean(value),
            },
        };
        if bytes_of(&write) > CELL_BYTES_MAX {
            return Err(Unsent::Long);
        }
        Ok((at, write))
    }

    fn entry_of_value(
        &self,
        row: u32,
        mode: u32,
        held: &Held,
        kind: VariableType,
        like: CellView<'_>,
    ) -> Result<Entry, Unsent> {
        let wide = |number: &f32| f64::from(*number);
        let layout = self.layout.as_ref().ok_or(Unsent::Unwritable)?;
        let mode = &layout.modes[mode as usize];
        let column = mode.column;
        let value = match held {
            Held::Missing => return Err(Unsent::Empty),
            Held::Other => return Err(Unsent::Unwritable),
            Held::Alias(target) => {
                return self.entry_of_alias((row, column), *target, None, kind, like);
            }
            Held::Composed(target, opacity) => {
                return self.entry_of_alias((row, column), *target, Some(*opacity), kind, like);
            }
            Held::Color(channels) => {
                let [r, g, b, a] = channels.map(f64::from);
                Value::Color(Rgba { r, g, b, a })
            }
            Held::Float(number) => Value::Float(wide(number)),
            Held::Timing(number) => Value::Timing(wide(number)),
            Held::Boolean(value) => Value::Boolean(*value),
            Held::Text(text) => Value::String(text.to_string()),
            Held::Easing(points) => Value::Easing(points.map(f64::from)),
        };
        let context = self.grid.context(row, mode);
        write_like(&value, like, &context).ok_or(Unsent::Unwritable)
    }

    /// The reference that leads to `target` from this row, written as the cell, or another of its row, writes one.
    fn entry_of_alias(
        &self,
        (row, column): (u32, u32),
        target: Option<VariableSlot>,
        opacity: Option<f32>,
        kind: VariableType,
        like: CellView<'_>,
    ) -> Result<Entry, Unsent> {
        let target = target.ok_or(Unsent::Foreign)?;
        let alias = self.reference_to(target).ok_or(Unsent::Foreign)?;
        let is_reference = |cell: &CellView<'_>| cell.text().trim_start().starts_with('{');
        let mut others = Cells::new(self.grid.row(row)).map(CellView::new);
        let model = Some(like)
            .filter(is_reference)
            .or_else(|| others.find(is_reference));
        let model = model.map_or_else(String::new, |model| model.text().into_owned());
        let has_collection = model.contains(':');
        let inside = model.split('}').next().unwrap_or_default();
        let name = inside.rsplit(':').next().unwrap_or_default();
        let has_points = name.contains('.') && !name.contains('/');
        let context = ReadContext::default();
        let leads = |text: &str| {
            let packed = Entry::Text(text.to_owned()).packed(like);
            let found = match read(CellView::new(&packed), Some(kind), &context) {
                Ok(Reading::Alias(alias)) => Some((alias, None)),
                Ok(Reading::Composed { alias, opacity }) => Some((alias, Some(opacity))),
                Ok(Reading::Empty | Reading::Hold | Reading::Value(_)) | Err(_) => None,
            };
            let Some((mut alias, found)) = found else {
                return false;
            };
            let names = self.grid.names(row, column);
            alias.name = names.variable_name(std::mem::take(&mut alias.name));
            let slot = match self.resolve(&alias, row) {
                Ok(Target::Variable(slot)) => slot.0,
                Ok(Target::Row(other)) => self.rows[other as usize].slot,
                Err(_) => NONE,
            };
            slot == target.0 && found.map(|found| percent(found) as f32) == opacity
        };
        for with_collection in [has_collection, false, true] {
            for with_points in [has_points, false] {
                let mut written = alias.clone();
                if !with_collection && written.library.is_none() {
                    written.collection = None;
                }
                if with_points {
                    written.name = written.name.replace('/', ".");
                }
                let mut text = written.to_string();
                if let Some(opacity) = opacity {
                    text += " / ";
                    text += &opacity_like(opacity, &like.text());
                }
                if leads(&text) {
                    return Ok(Entry::Text(text));
                }
            }
        }
        Err(Unsent::Foreign)
    }

    /// What the sheet calls a variable: as its row does, where it has one.
    fn reference_to(&self, target: VariableSlot) -> Option<AliasRef> {
        if let Some(foreign) = self.document.foreign(target) {
            return Some(AliasRef {
                library: Some(foreign.library.clone()),
                collection: Some(foreign.collection.clone()),
                name: foreign.name.clone(),
            });
        }
        let row = self.row_of_slot.get(target.0 as usize);
        if let Some(row) = row.filter(|row| **row != NONE) {
            let collection = self.rows[*row as usize].collection;
            return Some(AliasRef {
                library: None,
                collection: Some(self.collections.get(collection as usize)?.name.clone()),
                name: self.name_of(*row).into_owned(),
            });
        }
        let held = self.document.variable(target)?;
        Some(AliasRef {
            library: None,
            collection: Some(self.document.collection(held.collection)?.name.clone()),
            name: held.name.clone(),
        })
    }

    // What was changed in Figma.

    /// Which variables a look reads next; at its end, what was changed is mapped.
    pub(super) fn look_on(&mut self, mut look: Look, figma: &mut impl Figma) -> Step {
        let rows = self.rows.len() as u32;
        while look.slots.len() < LOOK_VARIABLES && look.next < rows {
            let slot = self.rows[look.next as usize].slot;
            look.next += 1;
            if slot != NONE {
                look.slots.push(VariableSlot(slot));
            }
        }
        if !look.slots.is_empty() {
            let slots = look.slots.clone();
            self.stage = Stage::Looking(look);
            return Step::ReadSome(slots);
        }
        for sent in &mut self.pushing.sent {
            match &mut sent.fate {
                Fate::Written(looks) => *looks += 1,
                Fate::Moved => sent.fate = Fate::Lost,
                Fate::Sent | Fate::Lost | Fate::Refused(_) => {}
            }
        }
        self.pushing.is_due_again();
        if look.rows.is_empty() {
            self.stage = Stage::Rest;
        } else if look.rows.len() > INCREMENTAL_ROWS_MAX || figma.is_undone() {
            self.start_over();
        } else {
            for row in &look.rows {
                self.forget_row(*row);
            }
            self.dirty = look.rows;
            self.stage = Stage::Mapping { at: 0 };
        }
        Step::More
    }

    /// Compares variables that were read again with what they were.
    pub(super) fn looked_at(
        &mut self,
        mut look: Look,
        before: Vec<Option<crate::document::Variable>>,
    ) {
        for (slot, before) in std::mem::take(&mut look.slots).into_iter().zip(before) {
            let row = self.row_of_slot.get(slot.0 as usize).copied();
            let now = self.document.variable(slot);
            if let Some(row) = row.filter(|row| *row != NONE)
                && now.is_some()
                && now != before.as_ref()
            {
                look.rows.push(row);
            }
        }
        self.stage = Stage::Looking(look);
    }
}

fn entry_of(value: &WriteValue) -> Entry {
    match value {
        WriteValue::Text(text) => Entry::Text(text.clone()),
        WriteValue::Number(number) => Entry::Number(*number),
        WriteValue::Boolean(value) => Entry::Boolean(*value),
    }
}

fn bytes_of(write: &CellWrite) -> usize {
    let value = match &write.value {
        WriteValue::Text(text) => text.len(),
        WriteValue::Number(_) | WriteValue::Boolean(_) => 0,
    };
    let guards = write.guards.iter();
    let guards = guards.map(|guard| guard.holds.len() + CELL_BYTES_AROUND);
    write.before.len() + value + CELL_BYTES_AROUND + guards.sum::<usize>()
}

/// A text of a field. An empty cell leaves the field alone, and spaces around are not read.
fn entry_of_text(text: &str) -> Result<Entry, Unsent> {
    if text.trim().is_empty() {
        Err(Unsent::Empty)
    } else if text.trim() != text {
        Err(Unsent::Spaces)
    } else {
        Ok(Entry::Text(text.to_owned()))
    }
}

fn entry_of_scopes(scopes: Scopes) -> Result<Entry, Unsent> {
    let text = match scopes {
        Scopes(0) => owned("none"),
        scopes => scopes.names(),
    };
    let read = parse_scopes(&text).ok().flatten();
    let is_same = read.is_some_and(|read| Scopes::of(&read) == scopes);
    is_same
        .then_some(Entry::Text(text))
        .ok_or(Unsent::Unwritable)
}

/// The words of the hidden column that stand for the opposite of each other, in the order of shown and hidden.
const SWITCHES: [[&str; 2]; 3] = [["no", "yes"], ["0", "1"], ["false", "true"]];

/// TRUE or FALSE as the cell says it: a checkbox, or its own word's opposite.
fn entry_of_switch(on: bool, like: CellView<'_>) -> Result<Entry, Unsent> {
    let text = like.text();
    let word = text.trim();
    match like.kind() {
        Kind::Bool => return Ok(Entry::Boolean(on)),
        Kind::Number => return Ok(Entry::Number(f64::from(u8::from(on)))),
        Kind::Empty | Kind::Text | Kind::Percent | Kind::Date | Kind::Error | Kind::Unreadable => {}
    }
    let pair = SWITCHES
        .into_iter()
        .find(|pair| pair.iter().any(|own| own.eq_ignore_ascii_case(word)));
    let new = pair.unwrap_or(SWITCHES[2])[usize::from(on)];
    let is_lower = pair.is_some() && !word.chars().any(char::is_uppercase);
    let entry = Entry::Text(if is_lower {
        owned(new)
    } else {
        new.to_ascii_uppercase()
    });
    let packed = entry.packed(like);
    let is_same = switch_of(&shown(&packed)) == Some(on);
    is_same.then_some(entry).ok_or(Unsent::Unwritable)
}
