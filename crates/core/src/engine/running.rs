//! Runs: one write at a time, and what a refusal leaves behind.
//!
//! Owns the walk through a run's phases and the mirror of every write that Figma took. Must not know why a write was
//! planned.

use super::{CellProblem, Effect, Engine, NONE, Stage};
use crate::apply::{Figma, Op, Phase, Refusal, Run, Totals};
use crate::document::base::{Base, FIELDS, mode_place};
use crate::document::index::hash;
use crate::document::{Held, Link, Platform, Scopes, Variable, VariableSlot};
use crate::engine::rows::Verdict;
use crate::history::{Part, Past};
use crate::mapping::grid::{cell, shown};
use crate::owned;
use crate::plan::{RowChange, Target, Write};
use crate::protocol::panel::{ToPanel, WaitReason};
use crate::session::StopReason;
use crate::sorted::BitSet;

/// Rows looked at in one step that finds nothing to write.
const IDLE_ROWS_A_STEP: usize = 32;
/// A row with no more writes than this is written in one step, so that a plugin which ends in between leaves it
/// untouched or whole, its base included.
const WRITES_A_STEP: usize = 8;

/// What became of one place in a run.
pub(super) enum Outcome {
    /// Nothing to write there.
    Nothing,
    /// Figma took a write.
    Written,
    /// Figma refused it.
    Refused,
}

impl Engine {
    /// Begins a run over everything planned.
    pub(super) fn start_run(&mut self, removals: Vec<VariableSlot>) {
        let counts = self.planned_counts();
        let visible = counts.collections
            + counts.modes
            + counts.created
            + counts.changed
            + self.structure_writes()
            + removals.len() as u32;
        self.stage = Stage::Applying(Box::new(Run {
            phase: Phase::Structure,
            at: 0,
            write: 0,
            rows: self.touched.iter().collect(),
            total: counts.collections
                + counts.modes
                + self.structure_writes()
                + self.planned.writes
                + removals.len() as u32,
            removals,
            done: 0,
            failed: BitSet::default(),
            cancelled: false,
            begun: false,
            // A second try, and what follows exchanged variables, belong to what was written before.
            is_step: visible > 0 || self.totals.writes > 0,
        }));
    }

    /// Does the next write of a run, or looks at a few rows that have none.
    #[inline(never)]
    pub(super) fn run_step(&mut self, mut run: Box<Run>, figma: &mut impl Figma) {
        if run.total > 0 && !std::mem::replace(&mut run.begun, true) {
            run.is_step |= figma.is_undone();
            if run.is_step {
                self.begin_marked_run(figma);
            }
        }
        let mut looked = 0;
        while looked < IDLE_ROWS_A_STEP || self.is_inside_a_row(&run) {
            looked += 1;
            if run.cancelled || self.totals.read_only {
                self.finish_run(&run, figma);
                return;
            }
            let outcome = match run.phase {
                Phase::Structure => self.structure_step(&mut run, figma),
                Phase::Names | Phase::Values | Phase::Aliases => self.row_step(&mut run, figma),
                Phase::Removals => self.removal_step(&mut run, figma),
                Phase::Links => self.link_step(&mut run, figma),
            };
            match outcome {
                Some(Outcome::Nothing) => {}
                Some(Outcome::Written | Outcome::Refused) => {
                    run.done += 1;
                    if !self.is_inside_a_row(&run) {
                        break;
                    }
                }
                None => match run.phase.next() {
                    Some(Phase::Names) if self.planned.names == 0 => run.enter(Phase::Values),
                    Some(phase) => run.enter(phase),
                    None => {
                        self.finish_run(&run, figma);
                        return;
                    }
                },
            }
        }
        self.stage = Stage::Applying(run);
    }

    /// Whether the run stands within a row that is to be written in one step.
    fn is_inside_a_row(&self, run: &Run) -> bool {
        matches!(run.phase, Phase::Values | Phase::Aliases)
            && run.write > 0
            && run
                .rows
                .get(run.at)
                .is_some_and(|row| self.changes[*row as usize].writes.len() <= WRITES_A_STEP)
    }

    pub(super) fn note_refusal(&mut self, text: &str, figma: &mut impl Figma) {
        self.totals.refused += 1;
        match Refusal::of(text) {
            Refusal::Other => {
                if self.totals.writes == 0 && !figma.is_writable() {
                    self.totals.read_only = true;
                } else {
                    self.totals.stale = true;
                }
            }
            Refusal::DuplicateName => self.totals.stale = true,
            Refusal::ModeLimit(_)
            | Refusal::ModeName
            | Refusal::InvalidName
            | Refusal::TypeMismatch => {}
        }
    }

    fn row_step(&mut self, run: &mut Run, figma: &mut impl Figma) -> Option<Outcome> {
        let row = *run.rows.get(run.at)?;
        if run.phase == Phase::Aliases && run.write == 0 && self.is_closed(row) {
            run.at += 1;
            return Some(Outcome::Nothing);
        }
        let last = run.write >= self.changes[row as usize].writes.len();
        let at = run.write;
        if last {
            run.at += 1;
            run.write = 0;
        } else {
            run.write += 1;
        }
        let collection = self.rows[row as usize].collection;
        if self
            .collections
            .get(collection as usize)
            .is_none_or(|entry| entry.blocked && self.changes[row as usize].create)
        {
            return Some(Outcome::Nothing);
        }
        // Place 0 is the making of the variable, place n the nth write.
        let outcome = if at == 0 {
            if run.phase == Phase::Values && self.changes[row as usize].create {
                self.create(row, run, figma)
            } else {
                Outcome::Nothing
            }
        } else {
            self.write(row, at - 1, run, figma)
        };
        let closes = match run.phase {
            Phase::Values => last && self.is_without_later(row),
            Phase::Aliases => last,
            Phase::Structure | Phase::Names | Phase::Removals | Phase::Links => false,
        };
        if closes {
            self.close_row(row, run);
        }
        Some(outcome)
    }

    /// Whether all of a row was written or refused before the phase of aliases.
    fn is_closed(&self, row: u32) -> bool {
        let change = &self.changes[row as usize];
        change.is_empty() && !change.made
    }

    /// Whether the phase of aliases has nothing to write of a row.
    fn is_without_later(&self, row: u32) -> bool {
        let change = &self.changes[row as usize];
        let waits = |write: &Write| matches!(write, Write::Alias { .. });
        !change.writes.iter().any(waits) || self.is_alias_ready(row)
    }

    /// Whether a row's aliases are written with its values: it was made just now, so that nothing can lead through it
    /// yet, and what they point at is there. One write of the base is then enough.
    fn is_alias_ready(&self, row: u32) -> bool {
        let change = &self.changes[row as usize];
        change.made
            && change.writes.iter().all(|write| match write {
                Write::Alias { target, .. } => match target {
                    Target::Variable(_) => true,
                    Target::Row(target) => self.rows[*target as usize].slot != NONE,
                },
                Write::Value { .. }
                | Write::Name
                | Write::Description
                | Write::Scopes(_)
                | Write::Code(_)
                | Write::Hidden(_)
                | Write::Link
                | Write::Remember => true,
            })
    }

    /// All of a row was written or refused.
    fn close_row(&mut self, row: u32, run: &Run) {
        let failed = run.failed.contains(row);
        let change = &self.changes[row as usize];
        if !failed && !change.made && !change.is_silent() {
            self.totals.counts.changed += 1;
        }
        self.set_change(row, RowChange::default());
        if failed {
            *self.unfinished.get_or_default(row) += 1;
        } else {
            self.unfinished.remove(row);
        }
    }

    fn create(&mut self, row: u32, run: &mut Run, figma: &mut impl Figma) -> Outcome {
        let entry = &self.collections[self.rows[row as usize].collection as usize];
        let (Some(collection), Verdict::Kind(kind)) = (entry.slot, self.rows[row as usize].verdict)
        else {
            run.failed.insert(row);
            return Outcome::Nothing;
        };
        let name = self.name_of(row).into_owned();
        // Within one step the link is written together with the base, after the values.
        let later = self.changes[row as usize].writes.len() <= WRITES_A_STEP;
        let has_id = !self.id_of(row).is_empty();
        let own = if has_id || !later {
            self.link_key(row)
        } else {
            String::new()
        };
        let slot = self.document.next_variable();
        match figma.write(&Op::CreateVariable {
            variable: slot,
            collection,
            name: &name,
            kind,
            key: (!later && self.import.is_none()).then_some(own.as_str()),
        }) {
            Ok(()) => {
                let modes = self
                    .document
                    .collection(collection)
                    .map_or(0, |held| held.modes.len());
                let link = if self.import.is_some() {
                    Link::None
                } else if has_id {
                    Link::OwnKey(own.into())
                } else {
                    Link::Own
                };
                let mut base = Base::of_new(&name, modes);
                for (place, code) in &self.changes[row as usize].agreed {
                    base.agree(*place, *code);
                }
                self.document.put(
                    slot,
                    Some(Variable {
                        collection,
                        name,
                        kind,
                        values: vec![Held::Missing; modes],
                        description: String::new(),
                        scopes: Scopes::ALL,
                        code: Default::default(),
                        hidden: false,
                        link,
                        base,
                    }),
                );
                let entry = &mut self.rows[row as usize];
                entry.slot = slot.0;
                entry.matched = true;
                self.claim(slot, row);
                let id = figma.id(Part::Variable(slot));
                self.journal.add(&Past::NoVariable { id });
                self.note_made(row);
                self.totals.writes += 1;
                self.totals.counts.created += 1;
                Outcome::Written
            }
            Err(text) => {
                let column = self.layout.as_ref().map_or(0, |layout| layout.name);
                let remedy = match Refusal::of(&text) {
                    Refusal::DuplicateName => {
                        "Somebody made a variable of that name meanwhile; sync again to use it."
                    }
                    Refusal::InvalidName => "Change the name to one that Figma takes.",
                    Refusal::ModeLimit(_)
                    | Refusal::ModeName
                    | Refusal::TypeMismatch
                    | Refusal::Other => "Sync again; if it stays, change the name.",
                };
                self.fail(
                    row,
                    column,
                    format!("Figma did not make this variable: {text}"),
                    remedy,
                    run,
                );
                self.note_refusal(&text, figma);
                Outcome::Refused
            }
        }
    }

    fn fail(&mut self, row: u32, column: u32, message: String, remedy: &str, run: &mut Run) {
        run.failed.insert(row);
        self.write_problems.get_or_default(row).push(CellProblem {
            column,
            message,
            remedy: owned(remedy),
        });
    }

    fn write(&mut self, row: u32, at: usize, run: &mut Run, figma: &mut impl Figma) -> Outcome {
        let Some(layout) = &self.layout else {
            return Outcome::Nothing;
        };
        let Some(write) = self.changes[row as usize].writes.get(at) else {
            return Outcome::Nothing;
        };
        let slot = self.rows[row as usize].slot;
        if slot == NONE {
            return Outcome::Nothing;
        }
        let variable = VariableSlot(slot);
        let in_phase = match write {
            Write::Name => run.phase == Phase::Names,
            Write::Alias { .. } => match run.phase {
                Phase::Aliases => true,
                Phase::Values => self.is_alias_ready(row),
                Phase::Structure | Phase::Names | Phase::Removals | Phase::Links => false,
            },
            Write::Value { .. }
            | Write::Description
            | Write::Scopes(_)
            | Write::Code(_)
            | Write::Hidden(_)
            | Write::Link => run.phase == Phase::Values,
            // After whatever was written: once for plain values, and once more after aliases.
            Write::Remember => {
                matches!(run.phase, Phase::Values | Phase::Aliases)
                    && self
                        .document
                        .variable(variable)
                        .is_some_and(|held| held.base.unsaved)
            }
        };
        if !in_phase {
            return Outcome::Nothing;
        }
        let before = self.field_before(row, at, figma);
        let owner = self.rows[row as usize].collection as usize;
        let entry = &self.collections[owner];
        let text = self.grid.row(row);
        let words = |column: Option<u32>| shown(cell(text, column.unwrap_or(u32::MAX)));
        let (column, place, result) = match write {
            Write::Value { mode, value } => {
                let column = layout.modes[*mode as usize].column;
                let Some(mode_slot) =
                    entry.modes[*mode as usize].filter(|_| !entry.refused[*mode as usize])
                else {
                    return Outcome::Nothing;
                };
                let result = figma.write(&Op::SetValue {
                    variable,
                    mode: mode_slot,
                    value,
                });
                if result.is_ok() {
                    self.document
                        .set_value(variable, mode_slot, Held::stored(value));
                }
                (column, Some(mode_place(mode_slot.0)), result)
            }
            Write::Alias {
                mode,
                target,
                opacity,
            } => {
                let column = layout.modes[*mode as usize].column;
                let Some(mode_slot) =
                    entry.modes[*mode as usize].filter(|_| !entry.refused[*mode as usize])
                else {
                    return Outcome::Nothing;
                };
                let target = match target {
                    Target::Variable(target) => Some(*target),
                    Target::Row(target) => Some(self.rows[*target as usize].slot)
                        .filter(|slot| *slot != NONE)
                        .map(VariableSlot),
                };
                let Some(target) = target else {
                    self.fail(
                        row,
                        column,
                        owned("The variable it refers to could not be made."),
                        "Mend that variable's row first.",
                        run,
                    );
                    return Outcome::Nothing;
                };
                let result = figma.write(&Op::SetAlias {
                    variable,
                    mode: mode_slot,
                    target,
                    opacity: opacity.map(percent),
                });
                if result.is_ok() {
                    let held = opacity.map_or(Held::Alias(Some(target)), |opacity| {
                        Held::Composed(Some(target), percent(opacity) as f32)
                    });
                    self.document.set_value(variable, mode_slot, held);
                }
                (column, Some(mode_place(mode_slot.0)), result)
            }
            Write::Name => {
                let name = self.name_of(row).into_owned();
                if let Some(holder) = self.holder_to_be_renamed(variable, &name) {
                    let passing = [&name, " (renaming)"].concat();
                    let op = Op::Rename {
                        variable: holder,
                        name: &passing,
                    };
                    if figma.write(&op).is_ok() {
                        self.totals.writes += 1;
                        let id = figma.id(Part::Variable(holder));
                        let held = self.document.variable(holder);
                        let before = held.map(|held| held.name.clone());
                        self.journal.add_field(id, owned("n"), before);
                        self.document.change(holder, |held| held.name = passing);
                    }
                }
                let result = figma.write(&Op::Rename {
                    variable,
                    name: &name,
                });
                if result.is_ok() {
                    self.document.change(variable, |held| {
                        held.name = name;
                        if let Link::OwnKey(key) = &held.link
                            && !key.starts_with('i')
                        {
                            held.link = Link::Own;
                        }
                    });
                }
                (layout.name, Some(0), result)
            }
            Write::Description => {
                let words = words(layout.description);
                let result = figma.write(&Op::SetDescription {
                    variable,
                    text: &words,
                });
                let words = words.into_owned();
                if result.is_ok() {
                    self.document
                        .change(variable, |held| held.description = words);
                }
                (layout.description.unwrap_or(layout.name), Some(1), result)
            }
            Write::Scopes(scopes) => {
                let scopes = *scopes;
                let result = figma.write(&Op::SetScopes { variable, scopes });
                if result.is_ok() {
                    self.document.change(variable, |held| held.scopes = scopes);
                }
                (layout.scopes.unwrap_or(layout.name), Some(2), result)
            }
            Write::Code(platform) => {
                let at = usize::from(*platform);
                let column = layout.code[at];
                let words = words(column);
                let result = figma.write(&Op::SetCode {
                    variable,
                    platform: Platform::ALL[at],
                    text: &words,
                });
                let words = words.into_owned();
                if result.is_ok() {
                    self.document.change(variable, |held| held.code[at] = words);
                }
                (column.unwrap_or(layout.name), Some(3 + at), result)
            }
            Write::Hidden(hidden) => {
                let hidden = *hidden;
                let result = figma.write(&Op::SetHidden { variable, hidden });
                if result.is_ok() {
                    self.document.change(variable, |held| held.hidden = hidden);
                }
                (
                    layout.hidden.unwrap_or(layout.name),
                    Some(FIELDS - 1),
                    result,
                )
            }
            Write::Link | Write::Remember => {
                let Some(held) = self.document.variable(variable) else {
                    return Outcome::Nothing;
                };
                let own = held.link.is_own();
                let key = self.link_key(row);
                // What Sheetwire did not make is marked, so that it is never taken for its own.
                let marked = if own {
                    String::new()
                } else {
                    ["a", &key].concat()
                };
                let result = figma.write(&Op::SetLink {
                    variable,
                    key: Some(if own { &key } else { &marked }),
                    base: held.base.places(),
                });
                if result.is_ok() {
                    let link = match own {
                        true if key == self.present_key(variable) => Link::Own,
                        true => Link::OwnKey(key.into()),
                        false => Link::Used(key.into()),
                    };
                    self.document.save(variable, link);
                }
                (layout.id.unwrap_or(layout.name), None, result)
            }
        };
        if let (Some(place), Ok(())) = (place, &result) {
            self.document.agree_on_held(variable, place);
        }
        match result {
            Ok(()) => {
                self.totals.writes += 1;
                if let Some((field, text)) = before {
                    let id = figma.id(Part::Variable(variable));
                    self.journal.add_field(id, field, text);
                }
                Outcome::Written
            }
            Err(text) => {
                let mode = layout.modes.iter().position(|mode| mode.column == column);
                match (Refusal::of(&text), mode) {
                    (Refusal::ModeLimit(_), Some(mode)) => self.refuse_mode(owner, mode, &text),
                    _ => {
                        let remedy = "Sync again; if it stays, change the cell.";
                        self.fail(
                            row,
                            column,
                            format!("Figma did not take this: {text}"),
                            remedy,
                            run,
                        );
                    }
                }
                self.note_refusal(&text, figma);
                Outcome::Refused
            }
        }
    }

    /// The variable that has the name now and is to get another one in this run: two names can be exchanged.
    fn holder_to_be_renamed(&self, variable: VariableSlot, name: &str) -> Option<VariableSlot> {
        let owner = self.document.variable(variable)?.collection;
        let (holder, _) = self
            .document
            .named(name, hash(name))
            .find(|(slot, held)| *slot != variable && held.collection == owner)?;
        let row = *self.row_of_slot.get(holder.0 as usize)?;
        let change = self.changes.get(row as usize)?;
        change.writes.contains(&Write::Name).then_some(holder)
    }

    fn removal_step(&mut self, run: &mut Run, figma: &mut impl Figma) -> Option<Outcome> {
        let slot = *run.removals.get(run.at)?;
        run.at += 1;
        // A row may have taken the variable up since the designer looked; then it stays.
        if !self.orphans.contains(slot.0) || self.is_named(slot) {
            return Some(Outcome::Nothing);
        }
        // A row that was to refer to something else does not yet: what it refers to stays until it does.
        if run.failed.iter().any(|row| self.refers(row, slot)) {
            let name = self.document.variable(slot).map(|held| held.name.as_str());
            let message = [
                "“",
                name.unwrap_or_default(),
                "” was not removed: a variable that refers to it could not be changed.",
            ];
            self.loose_problems.push(CellProblem {
                column: 0,
                message: message.concat(),
                remedy: owned("Sync again to be asked again."),
            });
            self.due_removals.push(figma.id(Part::Variable(slot)));
            self.totals.stale = true;
            return Some(Outcome::Nothing);
        }
        let past = self.whole_variable(slot, figma);
        Some(match figma.write(&Op::Remove { variable: slot }) {
            Ok(()) => {
                match past {
                    Some(past) => self.journal.add(&past),
                    None => self.journal.is_lossy = true,
                }
                // Rows whose aliases lead there are looked at again, and told that it is gone.
                self.totals.stale |= self.is_referred_to(slot);
                self.let_go(slot);
                self.totals.writes += 1;
                self.totals.counts.removed += 1;
                Outcome::Written
            }
            Err(text) => {
                self.note_refusal(&text, figma);
                if self.totals.stale && self.totals.rereadings == 0 {
                    self.due_removals.push(figma.id(Part::Variable(slot)));
                } else {
                    self.declined.insert(slot.0);
                }
                let name = self
                    .document
                    .variable(slot)
                    .map_or_else(String::new, |variable| variable.name.clone());
                self.loose_problems.push(CellProblem {
                    column: 0,
                    message: format!("Figma did not remove “{name}”: {text}"),
                    remedy: owned("Remove it in Figma by hand."),
                });
                Outcome::Refused
            }
        })
    }

    /// Whether a row's variable holds an alias to another variable.
    fn refers(&self, row: u32, target: VariableSlot) -> bool {
        let own = VariableSlot(self.rows[row as usize].slot);
        self.document.variable(own).is_some_and(|held| {
            let values = held.values.iter();
            values.filter_map(Held::target).any(|held| held == target)
        })
    }

    /// Whether a row holds an alias to a name that this variable has.
    fn is_referred_to(&self, slot: VariableSlot) -> bool {
        self.document.variable(slot).is_some_and(|variable| {
            let name = hash(&variable.name);
            self.references.iter().any(|(other, _)| *other == name)
        })
    }

    /// Takes the link from variables whose rows are gone, at the designer's word.
    pub(super) fn unlink_orphans(&mut self, figma: &mut impl Figma) {
        let orphans: Vec<VariableSlot> = self.open_orphans().collect();
        for slot in orphans {
            match figma.write(&Op::SetLink {
                variable: slot,
                key: None,
                base: &[],
            }) {
                Ok(()) => {
                    self.document.change(slot, |held| {
                        held.link = Link::None;
                        held.base = Base::default();
                    });
                    self.orphans.remove(slot.0);
                    self.totals.writes += 1;
                }
                Err(text) => {
                    // It can't be noted in the file, so it is kept for this session.
                    self.note_refusal(&text, figma);
                    self.declined.insert(slot.0);
                }
            }
        }
    }

    fn finish_run(&mut self, run: &Run, figma: &mut impl Figma) {
        self.forget_renamed_modes();
        self.stage = Stage::Rest;
        self.totals.cancelled = run.cancelled;
        if self.totals.stale
            && self.totals.rereadings == 0
            && !run.cancelled
            && !self.totals.read_only
        {
            // Somebody changed the file between reading and writing: read it again and do what is left, once.
            self.totals.rereadings = 1;
            self.totals.stale = false;
            let declined = std::mem::take(&mut self.declined);
            self.stage = Stage::Indexing { next: 0 };
            self.declined = declined;
            return;
        }
        let totals = std::mem::take(&mut self.totals);
        self.keep_past(&totals, false, figma);
        if totals.writes > 0 && run.is_step {
            self.effects.push(Effect::CommitUndo);
        }
        self.forget_seen();
        self.pushing.is_due_again();
        // What was written may have been all that kept a type from being offered.
        self.offer_retypes();
        let report = self.run_report(&totals);
        self.post(ToPanel::Applied(report));
        if totals.read_only {
            self.read_only = true;
            self.post(ToPanel::Stopped {
                reason: StopReason::ReadOnly,
            });
            return;
        }
        self.count_run(is_good(&totals));
        // What is left waits for itself alone: one forgotten type would otherwise hold up everything else.
        if !self.retypes.offered.is_empty() && self.may_sync() && !totals.cancelled {
            let counts = self.planned_counts();
            self.begin_preview(Some(WaitReason::Retypes), counts);
        }
    }
}

/// A run fails when Figma took nothing of it and refused something.
fn is_good(totals: &Totals) -> bool {
    totals.refused == 0 || totals.writes > 0
}

/// An opacity as Figma's composed colours take it.
pub(super) fn percent(opacity: f64) -> f64 {
    opacity * 100.0
}
