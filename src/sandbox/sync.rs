//! Real-Time Sync in the sandbox: what the tab asks the engine for.
//!
//! Owns the messages of the tab, and what is kept in the file and with the user. Must not know what a cell means or why
//! something is written. Nothing here exists while the flag is off.

use crate::work::{Bulk, Job, Kind, MARKS, Turns, Work};
use crate::{figma, identity, inbox, say};
use sheetwire_core::engine::Engine;
use sheetwire_core::history;
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::{RunEntry, SavedSession, ToPanel, ToSandbox, json};
use sheetwire_core::protocol::relay::{Position, SNAPSHOT_BYTES_MAX, SheetRef};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Where the sign-in is kept with the user.
const SESSION: &str = "sheetwire.session";

/// Real-Time Sync of this file, for as long as the flag is on.
#[derive(Clone)]
pub struct Handle {
    work: Work,
    entropy: Rc<str>,
    /// How many ids were made for the file.
    file_ids: Rc<Cell<u32>>,
}

/// The file's history, newest first: each run, and of how many texts its past is.
fn runs() -> Vec<(RunEntry, usize)> {
    let names = figma::run_names();
    let runs = names.iter().filter_map(|name| {
        let name = name.as_string()?;
        history::entry_of(&name, &figma::run_text(&name))
    });
    runs.collect()
}

/// What was before a run and everything after it, newest first; `None` where one of them does not tell.
fn pasts(run: &str) -> Option<Vec<String>> {
    let mut pasts = Vec::new();
    for (entry, chunks) in runs() {
        if chunks == 0 {
            return None;
        }
        let texts = (0..chunks as u32).map(|at| figma::past_text(&entry.run, at));
        pasts.push(texts.collect());
        if entry.run == run {
            return Some(pasts);
        }
    }
    None
}

/// Keeps the sign-in with the user, or forgets it.
pub async fn save_session(session: Option<SavedSession>) {
    let text = session.map_or_else(String::new, |session| json::session(&session));
    if figma::store(SESSION, &text).await.is_err() {
        crate::refuse(
            "The sign-in could not be kept on this machine.",
            "You will have to sign in again next time.",
        );
    }
}

impl Handle {
    /// Begins: tells the panel what the file and the user have kept.
    /// `entropy` is the panel's.
    pub async fn begin(entropy: String, turns: &Turns) -> Handle {
        let kept = figma::stored(SESSION)
            .await
            .ok()
            .and_then(|kept| kept.as_string());
        let session = kept.and_then(|text| inbox::session(&text));
        let connection = inbox::connection(&figma::connection());
        let marks = figma::stored(MARKS)
            .await
            .ok()
            .and_then(|kept| kept.as_string());
        let marks = Marks::read(&marks.unwrap_or_default());
        let engine = Engine::new(connection.clone(), "en_US", !figma::may_edit());
        say(&ToPanel::Kept {
            session,
            connection: connection.map(Box::new),
        });
        Handle {
            work: turns.add(engine, Kind::Sync(marks)),
            entropy: entropy.into(),
            file_ids: Rc::new(Cell::new(0)),
        }
    }

    /// The flag went off: whatever goes on ends.
    pub fn end(&self) {
        self.work.hear(|job| {
            job.engine.switch_off();
            job.bulks.clear();
        });
        self.work.end();
    }

    /// Takes a message of the tab. `bulk` is the text beside it.
    pub fn take(&self, message: ToSandbox, bulk: JsValue) {
        self.work.hear(|job| self.ask(job, message, bulk));
    }

    fn ask(&self, job: &mut Job, message: ToSandbox, bulk: JsValue) {
        let met = !figma::is_connection_known() && {
            let kept = inbox::connection(&figma::connection());
            job.engine.meet_connection(kept)
        };
        match message {
            ToSandbox::Connect { sheet } => {
                if !(met && job.engine.is_set_up_for(&sheet)) {
                    job.bulks.clear();
                    job.engine.connect(sheet);
                }
            }
            ToSandbox::AddSource { sheet } => job.engine.add_source(sheet),
            ToSandbox::RemoveSource { sheet } => {
                job.bulks.retain(|bulk| bulk.sheet != sheet);
                job.engine.remove_source(&sheet);
            }
            ToSandbox::Snapshot {
                sheet,
                position,
                info,
            } => {
                if figma::length(&bulk) as usize > SNAPSHOT_BYTES_MAX {
                    crate::refuse(
                        "This sheet is too large for the plugin.",
                        "Split it into several tabs.",
                    );
                } else if job.engine.announce_snapshot(&sheet, position, info) {
                    // A snapshot makes cells of its tab out of date that have not begun to be handed over.
                    job.bulks.retain(|bulk| bulk.at > 0 || bulk.sheet != sheet);
                    job.bulks.push_back(Bulk::new(sheet, bulk));
                }
            }
            ToSandbox::Changes {
                sheet,
                position,
                rows,
            } => take_changes(job, sheet, position, rows, bulk),
            ToSandbox::ConfirmColumns {
                columns,
                header_row,
                layout,
                sheet,
            } => job
                .engine
                .confirm_columns(sheet.as_ref(), columns, header_row, layout),
            ToSandbox::Approve {
                plan,
                include_removals,
                retypes,
            } => job.engine.approve_types(plan, include_removals, &retypes),
            ToSandbox::KeepFile { plan } => job.engine.keep_file(plan),
            ToSandbox::KeepApart { plan } => job.engine.keep_apart(plan),
            ToSandbox::LeaveOut { plan, rows } => job.engine.leave_out(plan, &rows),
            ToSandbox::TakeIn { keys } => job.engine.take_in(&keys),
            ToSandbox::ListRuns => say(&ToPanel::Runs {
                runs: runs().into_iter().map(|(entry, _)| entry).collect(),
            }),
            ToSandbox::Restore { run } => match pasts(&run) {
                Some(pasts) => job.engine.restore(&pasts),
                None => crate::refuse(
                    "What was before that run is not kept any more.",
                    "Use Figma's version history.",
                ),
            },
            ToSandbox::KeepRemoved { plan } => {
                let (engine, mut writer) = job.with_writer();
                engine.keep_removed(plan, &mut writer);
            }
            ToSandbox::Resolve {
                list,
                items,
                choice,
            } => job.engine.choose(list, &items, choice),
            ToSandbox::SetPolicy { policy } => job.engine.set_policy(policy),
            ToSandbox::SetThreshold { variables } => job.engine.set_threshold(variables),
            ToSandbox::SetTwoWay { on } => job.engine.set_two_way(on),
            ToSandbox::Look => job.engine.look(),
            ToSandbox::Pushed { push, results } => job.engine.pushed(push, &results),
            ToSandbox::Writer { yes, nonce, renew } => self.elect(job, yes, &nonce, renew),
            ToSandbox::Cancel => job.engine.cancel(),
            ToSandbox::Toggle { on } => job.engine.toggle(on),
            ToSandbox::Disconnect => {
                job.bulks.clear();
                job.engine.disconnect();
            }
            ToSandbox::SyncNow => job.engine.sync_now(),
            ToSandbox::Ready { .. }
            | ToSandbox::FlagsEvaluated { .. }
            | ToSandbox::ListVariables
            | ToSandbox::Manage { .. }
            | ToSandbox::SaveSession { .. }
            | ToSandbox::Import(_)
            | ToSandbox::Resize { .. }
            | ToSandbox::Hide
            | ToSandbox::Close
            | ToSandbox::Notify { .. } => {}
        }
    }

    /// Writes the file or leaves it to another, and tells what marks it.
    fn elect(&self, job: &mut Job, yes: bool, nonce: &str, renew: bool) {
        let mut id = figma::file_id();
        if renew || id.is_empty() {
            self.file_ids.set(self.file_ids.get() + 1);
            id = identity::file_id(&self.entropy, self.file_ids.get());
            figma::keep_file_id(&id);
        }
        let mut held = figma::nonce();
        if yes && !nonce.is_empty() && held != nonce {
            figma::leave_nonce(nonce);
            held = figma::nonce();
        }
        job.engine.set_writer(yes);
        let (engine, mut writer) = job.with_writer();
        engine.look_again(&mut writer);
        say(&ToPanel::File {
            id,
            panel: identity::panel_id(&self.entropy),
            nonce: held,
        });
    }
}

fn take_changes(job: &mut Job, sheet: SheetRef, position: Position, rows: u32, bulk: JsValue) {
    let before = job.engine.announced();
    if !job.engine.announce_changes(&sheet, position, rows) {
        return;
    }
    let joins = job.engine.announced() == before;
    match job.bulks.back_mut().filter(|_| joins) {
        Some(last) => {
            last.text = figma::join(&last.text, &bulk);
            last.units = figma::length(&last.text);
        }
        None => job.bulks.push_back(Bulk::new(sheet, bulk)),
    }
}
