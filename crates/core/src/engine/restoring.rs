//! Going back to before a run.
//!
//! Owns the steps back from a joined past, and their order. Must not know where pasts are kept, or how a run keeps them.
//!
//! What is restored is Figma's again: the links and bases of variables stay, so values count as changed in Figma and are
//! not written anew, and rows whose variables are taken away are left out from then on. A run that removed a mode or a
//! collection can't be gone back to itself; Figma's own undo can.

use super::journal::{kept_field, place_of};
use super::report::held_text;
use super::{Engine, Stage, Waiting};
use crate::apply::{Figma, Op, Totals};
use crate::decimal;
use crate::document::{
    CollectionSlot, Held, Link, ModeSlot, Platform, Scopes, Variable, VariableSlot,
};
use crate::history::{Part, Past, Was, join, value_of};
use crate::owned;
use crate::protocol::panel::{
    Counts, DriftPolicy, FieldChange, LEFT_OUT_MAX, PREVIEW_ROWS_MAX, Preview, PreviewKind,
    PreviewRow, Problem, Role, ToPanel, WaitReason,
};
use crate::session::StopReason;
use crate::value::{Rgba, Value, VariableType};

/// What is kept of one plan's problems.
const PROBLEMS_MAX: usize = 20;
/// Steps back that are done between two looks at the clock.
const STEPS_A_STEP: usize = 4;

/// A wish to go back.
#[derive(Debug)]
pub(super) struct Restore {
    /// What was before, of everything that the runs wrote.
    pasts: Vec<Past>,
    /// The number under which it waits; 0 before it was shown.
    plan: u32,
    approved: bool,
}

/// One step back.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Back {
    Remove(VariableSlot),
    Field {
        variable: VariableSlot,
        was: Was,
    },
    Create {
        id: String,
        collection: CollectionSlot,
        kind: VariableType,
        name: String,
    },
    /// A field of a variable that is made again: by its old id.
    Again {
        id: String,
        collection: CollectionSlot,
        was: Was,
    },
    CollectionName(CollectionSlot, String),
    ModeName(CollectionSlot, ModeSlot, String),
    RemoveMode(CollectionSlot, ModeSlot),
    RemoveCollection(CollectionSlot),
}

/// The steps that are left, and what was made again on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Backwards {
    steps: Vec<Back>,
    at: usize,
    made: Vec<(String, VariableSlot)>,
    problems: Vec<Problem>,
}

/// What a plan to go back shows.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<Back>,
    rows: Vec<PreviewRow>,
    counts: Counts,
    problems: Vec<Problem>,
    problems_total: u32,
}

impl Plan {
    fn trouble(&mut self, message: String, remedy: &str) {
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem {
                address: String::new(),
                message,
                remedy: owned(remedy),
            });
        }
    }
}

/// A value of Figma as a value to write.
fn plain(held: &Held) -> Option<Value> {
    Some(match held {
        Held::Color([r, g, b, a]) => {
            let [r, g, b, a] = [*r, *g, *b, *a].map(f64::from);
            Value::Color(Rgba { r, g, b, a })
        }
        Held::Float(number) => Value::Float(f64::from(*number)),
        Held::Boolean(value) => Value::Boolean(*value),
        Held::Text(text) => Value::String(text.to_string()),
        Held::Easing(points) => Value::Easing(points.map(f64::from)),
        Held::Timing(number) => Value::Timing(f64::from(*number)),
        Held::Missing | Held::Alias(_) | Held::Composed(..) | Held::Other => return None,
    })
}

impl Engine {
    /// Asks to go back to before a run. `pasts` are the texts of that run and of all after it, newest first; what that
    /// would do is shown as a plan that waits.
    pub fn restore(&mut self, pasts: &[String]) {
        if self.read_only || !self.is_writer {
            self.refuse(
                "Somebody else is syncing this file, or it can't be edited.",
                "Take over to go back yourself.",
            );
            return;
        }
        if !matches!(self.stage, Stage::Rest) {
            self.refuse(
                "The file is being compared with the sheet.",
                "Go back when that has ended.",
            );
            return;
        }
        self.waiting = None;
        self.restore = Some(Restore {
            pasts: join(pasts),
            plan: 0,
            approved: false,
        });
        self.stage = Stage::ReadingAll;
    }

    /// Whether a plan to go back is what waits under this number.
    pub fn is_restore(&self, plan: u32) -> bool {
        let waits = self.waiting.is_some_and(|waiting| waiting.number == plan);
        let restore = self.restore.as_ref();
        waits && restore.is_some_and(|restore| restore.plan == plan)
    }

    /// The designer wants it done.
    pub(super) fn approve_restore(&mut self) {
        self.waiting = None;
        if let Some(restore) = &mut self.restore {
            restore.approved = true;
            self.stage = Stage::ReadingAll;
        }
    }

    /// The designer does not want it: everything is as if it had not been asked.
    pub(super) fn drop_restore(&mut self) {
        self.waiting = None;
        self.restore = None;
        self.go_on();
    }

    fn go_on(&mut self) {
        self.document_known = false;
        self.whole = true;
        if self.is_loaded() && self.may_sync() {
            self.start_over();
        } else {
            self.stage = Stage::Rest;
        }
    }

    /// The document was read for a wish to go back: shows the plan, or begins.
    pub(super) fn plan_back(&mut self, figma: &mut impl Figma) {
        let Some(restore) = self.restore.take() else {
            self.go_on();
            return;
        };
        let plan = self.steps_back(&restore.pasts, figma);
        if restore.approved {
            self.begin_marked_run(figma);
            self.totals = Totals::default();
            self.totals.counts = plan.counts;
            self.stage = Stage::Restoring(Box::new(Backwards {
                steps: plan.steps,
                problems: plan.problems,
                ..Backwards::default()
            }));
            return;
        }
        self.plan_number += 1;
        self.waiting = Some(Waiting {
            number: self.plan_number,
            reason: Some(WaitReason::Restore),
            counts: plan.counts,
        });
        self.restore = Some(Restore {
            plan: self.plan_number,
            ..restore
        });
        self.post(ToPanel::Waiting {
            reason: WaitReason::Restore,
            preview: Preview {
                plan: self.plan_number,
                counts: plan.counts,
                rows: plan.rows,
                problems: plan.problems,
                problems_total: plan.problems_total,
                needs: Vec::new(),
            },
        });
        // The rows' variables are found anew before anything else is done with them.
        self.document_known = false;
        self.whole = true;
        self.stage = Stage::Rest;
    }

    fn steps_back(&self, pasts: &[Past], figma: &impl Figma) -> Plan {
        let mut plan = Plan::default();
        let (mut structure, mut names, mut plains) = (Vec::new(), Vec::new(), Vec::new());
        let (mut aliases, mut modes, mut collections) = (Vec::new(), Vec::new(), Vec::new());
        let (mut creates, mut removes) = (Vec::new(), Vec::new());
        for past in pasts {
            match past {
                Past::NoCollection { id } => {
                    if let Some(slot) = figma.collection_of(id) {
                        collections.push(Back::RemoveCollection(slot));
                        plan.counts.collections += 1;
                    }
                }
                Past::NoMode { collection, id } => {
                    if let Some(collection) = figma.collection_of(collection)
                        && let Some(mode) = figma.mode_of(collection, id)
                    {
                        modes.push(Back::RemoveMode(collection, mode));
                        plan.counts.modes += 1;
                    }
                }
                Past::CollectionName { id, name } => {
                    if let Some(slot) = figma.collection_of(id)
                        && let Some(held) = self.document.collection(slot)
                        && held.name != *name
                    {
                        plan.rows
                            .push(renamed(&held.name, "collection", &held.name, name));
                        structure.push(Back::CollectionName(slot, name.clone()));
                    }
                }
                Past::ModeName {
                    collection,
                    id,
                    name,
                } => {
                    if let Some(slot) = figma.collection_of(collection)
                        && let Some(mode) = figma.mode_of(slot, id)
                        && let Some(held) = self.document.collection(slot)
                        && let Some(now) = held.modes.get(mode.0 as usize)
                        && now.name != *name
                    {
                        plan.rows.push(renamed(&held.name, "mode", &now.name, name));
                        structure.push(Back::ModeName(slot, mode, name.clone()));
                    }
                }
                Past::NoVariable { id } => {
                    if let Some(slot) = figma.variable_of(id)
                        && let Some(held) = self.document.variable(slot)
                    {
                        plan.counts.removed += 1;
                        plan.rows
                            .push(self.back_row(PreviewKind::Remove, held, Vec::new()));
                        removes.push(Back::Remove(slot));
                    }
                }
                Past::Variable { id, was } => {
                    let slot = figma.variable_of(id);
                    let Some((slot, held)) =
                        slot.and_then(|slot| Some((slot, self.document.variable(slot)?)))
                    else {
                        plan.trouble(
                            owned("A variable that a run changed is not in this file any more."),
                            "Bring it back with Figma's version history, if you need it.",
                        );
                        continue;
                    };
                    let mut fields = Vec::new();
                    for was in was {
                        let mode = was
                            .field
                            .strip_prefix('m')
                            .and_then(|id| figma.mode_of(held.collection, id));
                        if kept_field(held, &was.field, mode, figma).as_ref() == Some(&was.text) {
                            continue;
                        }
                        fields.extend(self.back_field(Some(held), held.collection, was, figma));
                        let step = Back::Field {
                            variable: slot,
                            was: was.clone(),
                        };
                        match was.field.as_str() {
                            "n" => names.push(step),
                            _ if was.text.starts_with(['a', 'o']) && was.field.starts_with('m') => {
                                aliases.push(step);
                            }
                            _ => plains.push(step),
                        }
                    }
                    if !fields.is_empty() {
                        plan.counts.changed += 1;
                        let renames = fields.iter().any(|change| change.field == "name");
                        let kind = if renames {
                            PreviewKind::Rename
                        } else {
                            PreviewKind::Change
                        };
                        plan.rows.push(self.back_row(kind, held, fields));
                    }
                }
                Past::Gone {
                    id,
                    collection,
                    kind,
                    was,
                } => {
                    if figma
                        .variable_of(id)
                        .is_some_and(|slot| self.document.variable(slot).is_some())
                    {
                        continue;
                    }
                    let name = was.iter().find(|was| was.field == "n");
                    let name = name.map_or_else(String::new, |was| was.text.clone());
                    let (Some(slot), Some(kind)) = (
                        figma.collection_of(collection),
                        VariableType::ALL.get(*kind as usize).copied(),
                    ) else {
                        plan.trouble(
                            format!(
                                "The collection that held “{name}” is not in this file any more."
                            ),
                            "Bring it back with Figma's version history, if you need it.",
                        );
                        continue;
                    };
                    let mut fields = Vec::new();
                    for was in was.iter().filter(|was| was.field != "n") {
                        if was.field.starts_with('m') {
                            fields.extend(self.back_field(None, slot, was, figma));
                        }
                        let step = Back::Again {
                            id: id.clone(),
                            collection: slot,
                            was: was.clone(),
                        };
                        if was.field.starts_with('m') && was.text.starts_with(['a', 'o']) {
                            aliases.push(step);
                        } else {
                            plains.push(step);
                        }
                    }
                    plan.counts.created += 1;
                    let owner = self.document.collection(slot);
                    plan.rows.push(PreviewRow {
                        kind: PreviewKind::Create,
                        collection: owner.map_or_else(String::new, |owner| owner.name.clone()),
                        name: name.clone(),
                        address: String::new(),
                        fields,
                        uses: None,
                    });
                    creates.push(Back::Create {
                        id: id.clone(),
                        collection: slot,
                        kind,
                        name,
                    });
                }
            }
        }
        let again = creates.len();
        if again > 0 {
            let (count, is, them) = match again {
                1 => (owned("1 variable"), " is made again as a new one", "it"),
                _ => (
                    [&decimal::write(again as f64), " variables"].concat(),
                    " are made again as new ones",
                    "them",
                ),
            };
            let message = [
                &count,
                is,
                ". Layers that used ",
                them,
                " before do not use the new ",
            ];
            let one = if again == 1 { "one." } else { "ones." };
            plan.trouble(
                [message.concat().as_str(), one].concat(),
                "Undo in Figma, or its version history, brings back the old ones.",
            );
        }
        plan.rows.truncate(PREVIEW_ROWS_MAX);
        // What was made goes first, so that names are free; what everything lies in goes last, the last mode first.
        modes.reverse();
        plan.steps = [
            structure,
            removes,
            names,
            creates,
            plains,
            aliases,
            modes,
            collections,
        ]
        .concat();
        plan
    }

    fn back_row(&self, kind: PreviewKind, held: &Variable, fields: Vec<FieldChange>) -> PreviewRow {
        let owner = self.document.collection(held.collection);
        PreviewRow {
            kind,
            collection: owner.map_or_else(String::new, |owner| owner.name.clone()),
            name: held.name.clone(),
            address: String::new(),
            fields,
            uses: None,
        }
    }

    /// One field in words: what it is, and what it is to be again.
    fn back_field(
        &self,
        held: Option<&Variable>,
        collection: CollectionSlot,
        was: &Was,
        figma: &impl Figma,
    ) -> Option<FieldChange> {
        let (field, before, after) = match was.field.as_str() {
            "n" => (
                owned("name"),
                held.map(|held| held.name.clone()),
                was.text.clone(),
            ),
            "d" => (
                owned("description"),
                held.map(|held| held.description.clone()),
                was.text.clone(),
            ),
            "s" => (
                owned("scopes"),
                held.map(|held| held.scopes.names()),
                Scopes(was.text.parse().unwrap_or(1)).names(),
            ),
            "0" | "1" | "2" => {
                let place = place_of(&was.field);
                (
                    owned(["code:web", "code:android", "code:ios"][place]),
                    held.map(|held| held.code[place].clone()),
                    was.text.clone(),
                )
            }
            "h" => {
                let word = |on: bool| owned(if on { "TRUE" } else { "FALSE" });
                (
                    owned("hidden"),
                    held.map(|held| word(held.hidden)),
                    word(was.text == "1"),
                )
            }
            field => {
                let mode = figma.mode_of(collection, field.strip_prefix('m')?)?;
                let owner = self.document.collection(collection)?;
                let name = owner.modes.get(mode.0 as usize)?.name.clone();
                let value = value_of(&was.text, |id| figma.variable_of(id));
                let after = value.map_or_else(
                    || owned("a variable that is made again"),
                    |value| held_text(&self.document, &value),
                );
                let before = held.and_then(|held| held.values.get(mode.0 as usize));
                (
                    name,
                    before.map(|held| held_text(&self.document, held)),
                    after,
                )
            }
        };
        Some(FieldChange {
            field,
            before: before.filter(|text| !text.is_empty()),
            after,
        })
    }

    /// Does the next few steps back.
    pub(super) fn step_back(&mut self, mut back: Box<Backwards>, figma: &mut impl Figma) {
        for _ in 0..STEPS_A_STEP {
            let Some(step) = back.steps.get(back.at).cloned() else {
                self.finish_back(&mut back, figma);
                return;
            };
            back.at += 1;
            if let Err(text) = self.do_back(&step, &mut back, figma) {
                self.totals.refused += 1;
                if back.problems.len() < PROBLEMS_MAX {
                    back.problems.push(Problem {
                        address: String::new(),
                        message: format!("Figma did not take a step back: {text}"),
                        remedy: owned("Look at the variable in Figma's version history."),
                    });
                }
            } else {
                self.totals.writes += 1;
            }
        }
        self.stage = Stage::Restoring(back);
    }

    fn do_back(
        &mut self,
        step: &Back,
        back: &mut Backwards,
        figma: &mut impl Figma,
    ) -> Result<(), String> {
        match step {
            Back::CollectionName(collection, name) => {
                figma.write(&Op::RenameCollection {
                    collection: *collection,
                    name,
                })?;
                if let Some(held) = self.document.collection(*collection) {
                    self.journal.add(&Past::CollectionName {
                        id: figma.id(Part::Collection(*collection)),
                        name: held.name.clone(),
                    });
                }
                Ok(())
            }
            Back::ModeName(collection, mode, name) => {
                figma.write(&Op::RenameMode {
                    collection: *collection,
                    mode: *mode,
                    name,
                })?;
                let held = self.document.collection(*collection);
                if let Some(held) = held.and_then(|held| held.modes.get(mode.0 as usize)) {
                    self.journal.add(&Past::ModeName {
                        collection: figma.id(Part::Collection(*collection)),
                        id: figma.id(Part::Mode(*collection, *mode)),
                        name: held.name.clone(),
                    });
                }
                Ok(())
            }
            Back::Remove(slot) => {
                let link = self.document.variable(*slot).map(|held| held.link.clone());
                let past = self.gone(*slot, figma);
                figma.write(&Op::Remove { variable: *slot })?;
                match past {
                    Some(past) => self.journal.add(&past),
                    None => self.journal.is_lossy = true,
                }
                let key = match link {
                    Some(Link::Own) => Some(self.present_key(*slot)),
                    Some(Link::OwnKey(key) | Link::Used(key)) => Some(key.into()),
                    Some(Link::None | Link::Other) | None => None,
                };
                self.document.put(*slot, None);
                if let (Some(key), Some(connection)) = (key, &mut self.connection)
                    && !connection.left_out.contains(&key)
                {
                    connection.left_out.push(key);
                }
                Ok(())
            }
            Back::Create {
                id,
                collection,
                kind,
                name,
            } => {
                let slot = self.document.next_variable();
                figma.write(&Op::CreateVariable {
                    variable: slot,
                    collection: *collection,
                    name,
                    kind: *kind,
                    key: None,
                })?;
                let modes = self.document.collection(*collection);
                let modes = modes.map_or(0, |held| held.modes.len());
                self.document.put(
                    slot,
                    Some(Variable {
                        collection: *collection,
                        name: name.clone(),
                        kind: *kind,
                        values: vec![Held::Missing; modes],
                        description: String::new(),
                        scopes: Scopes::ALL,
                        code: Default::default(),
                        hidden: false,
                        link: Link::None,
                        base: Default::default(),
                    }),
                );
                back.made.push((id.clone(), slot));
                let id = figma.id(Part::Variable(slot));
                self.journal.add(&Past::NoVariable { id });
                Ok(())
            }
            Back::Field { variable, was } => {
                let held = self.document.variable(*variable).ok_or("it is gone")?;
                let collection = held.collection;
                let mode = was
                    .field
                    .strip_prefix('m')
                    .and_then(|id| figma.mode_of(collection, id));
                let before = kept_field(held, &was.field, mode, figma);
                if was.field == "n" {
                    self.make_way(*variable, &was.text, figma);
                }
                self.write_back(*variable, collection, was, back, figma)?;
                let id = figma.id(Part::Variable(*variable));
                self.journal.add_field(id, was.field.clone(), before);
                Ok(())
            }
            Back::Again {
                id,
                collection,
                was,
            } => {
                let made = back.made.iter().find(|(of, _)| of == id);
                let slot = made.map(|(_, slot)| *slot).ok_or("it could not be made")?;
                self.write_back(slot, *collection, was, back, figma)
            }
            Back::RemoveMode(collection, mode) => {
                figma.write(&Op::RemoveMode {
                    collection: *collection,
                    mode: *mode,
                })?;
                self.journal.is_lossy = true;
                let held = self.document.collection(*collection);
                let name = held.and_then(|held| held.modes.get(mode.0 as usize));
                let name = name.map_or_else(String::new, |mode| match mode.link.as_str() {
                    "" => mode.name.clone(),
                    link => owned(link),
                });
                // Its column would make it again.
                if let Some(connection) = &mut self.connection {
                    let later = connection.more.iter_mut();
                    let later = later.flat_map(|source| &mut source.columns);
                    for column in connection.columns.iter_mut().chain(later) {
                        if matches!(&column.role, Role::Mode { name: of } if *of == name) {
                            column.role = Role::Ignore;
                        }
                    }
                }
                Ok(())
            }
            Back::RemoveCollection(collection) => {
                let slots = (0..self.document.slots()).map(VariableSlot);
                let is_used = slots
                    .filter_map(|slot| self.document.variable(slot))
                    .any(|held| held.collection == *collection);
                if is_used {
                    // Somebody has made variables in it since.
                    return Err(owned("the collection holds other variables"));
                }
                figma.write(&Op::RemoveCollection {
                    collection: *collection,
                })?;
                self.journal.is_lossy = true;
                Ok(())
            }
        }
    }

    /// A name that another variable has at the moment is taken from it: that one gets its own back in the same run.
    fn make_way(&mut self, variable: VariableSlot, name: &str, figma: &mut impl Figma) {
        let Some(owner) = self.document.variable(variable).map(|held| held.collection) else {
            return;
        };
        let holder = self
            .document
            .named(name, crate::document::index::hash(name))
            .find(|(slot, held)| *slot != variable && held.collection == owner)
            .map(|(slot, _)| slot);
        if let Some(holder) = holder {
            let passing = [name, " (renaming)"].concat();
            let op = Op::Rename {
                variable: holder,
                name: &passing,
            };
            if figma.write(&op).is_ok() {
                self.document.change(holder, |held| held.name = passing);
            }
        }
    }

    fn write_back(
        &mut self,
        variable: VariableSlot,
        collection: CollectionSlot,
        was: &Was,
        back: &Backwards,
        figma: &mut impl Figma,
    ) -> Result<(), String> {
        let text = was.text.as_str();
        match was.field.as_str() {
            "n" => {
                figma.write(&Op::Rename {
                    variable,
                    name: text,
                })?;
                self.document
                    .change(variable, |held| held.name = owned(text));
                Ok(())
            }
            "d" => figma.write(&Op::SetDescription { variable, text }),
            "s" => figma.write(&Op::SetScopes {
                variable,
                scopes: Scopes(text.parse().unwrap_or(Scopes::ALL.0)),
            }),
            "0" | "1" | "2" => figma.write(&Op::SetCode {
                variable,
                platform: Platform::ALL[place_of(&was.field)],
                text,
            }),
            "h" => figma.write(&Op::SetHidden {
                variable,
                hidden: text == "1",
            }),
            field => {
                let Some(mode) = field
                    .strip_prefix('m')
                    .and_then(|id| figma.mode_of(collection, id))
                else {
                    // The mode itself is gone, and its values with it.
                    return Ok(());
                };
                let value = value_of(text, |id| {
                    let made = back.made.iter().find(|(of, _)| of == id);
                    made.map(|(_, slot)| *slot)
                        .or_else(|| figma.variable_of(id))
                });
                match value.ok_or("what it pointed at is gone")? {
                    Held::Alias(Some(target)) => figma.write(&Op::SetAlias {
                        variable,
                        mode,
                        target,
                        opacity: None,
                    }),
                    Held::Composed(Some(target), opacity) => figma.write(&Op::SetAlias {
                        variable,
                        mode,
                        target,
                        opacity: Some(f64::from(opacity)),
                    }),
                    held => match plain(&held) {
                        Some(value) => figma.write(&Op::SetValue {
                            variable,
                            mode,
                            value: &value,
                        }),
                        None => Ok(()),
                    },
                }
            }
        }
    }

    fn finish_back(&mut self, back: &mut Backwards, figma: &mut impl Figma) {
        let totals = std::mem::take(&mut self.totals);
        self.keep_past(&totals, true, figma);
        let (left_out, overwrites) = match &mut self.connection {
            Some(connection) => {
                let overwrites = connection.policy.drift == DriftPolicy::Overwrite;
                if overwrites {
                    // Else the next run would take it all back.
                    connection.policy.drift = DriftPolicy::Keep;
                }
                let left_out = connection.left_out.len();
                connection.left_out.truncate(LEFT_OUT_MAX);
                (left_out, overwrites)
            }
            None => (0, false),
        };
        self.keep();
        let mut report = self.run_report(&totals);
        report.problems = std::mem::take(&mut back.problems);
        report.problems_total = report.problems.len() as u32;
        if overwrites {
            report.problems_total += 1;
            report.problems.push(Problem {
                address: String::new(),
                message: owned("What was restored is kept from now on, instead of being written over by the sheet."),
                remedy: owned("Change it under “Changes made in Figma”, if you want the sheet's values again."),
            });
        }
        self.effects.push(super::Effect::CommitUndo);
        self.post(ToPanel::Applied(report));
        if left_out > LEFT_OUT_MAX {
            // Nearly nothing of the sheet is wanted: that is what switching off is for.
            self.toggle(false);
            self.post(ToPanel::Stopped {
                reason: StopReason::Toggled,
            });
            return;
        }
        self.go_on();
    }
}

fn renamed(collection: &str, field: &str, before: &str, after: &str) -> PreviewRow {
    PreviewRow {
        kind: PreviewKind::Rename,
        collection: owned(collection),
        name: owned(collection),
        address: String::new(),
        fields: vec![FieldChange {
            field: owned(field),
            before: Some(owned(before)),
            after: owned(after),
        }],
        uses: None,
    }
}
