//! The Import tab in the sandbox: one table after another, none of them connected to anything.
//!
//! Owns the tab's words and how tables were read, which is kept in the file. Must not know files, or what a cell means.
//! It needs no Real-Time Sync and works beside it.

use crate::work::{Bulk, Job, Kind, Turns, Work};
use crate::{figma, inbox, say};
use sheetwire_core::engine::Engine;
use sheetwire_core::engine::import::tab;
use sheetwire_core::protocol::panel::ToPanel;
use sheetwire_core::protocol::panel::import::{TABLES_MAX, ToPanel as Answer, ToSandbox as Word};
use sheetwire_core::protocol::panel::json;
use sheetwire_core::protocol::relay::SNAPSHOT_BYTES_MAX;
use wasm_bindgen::prelude::*;

/// The import that goes on, if one does.
#[derive(Default)]
pub struct Import(Option<Work>);

fn refuse(message: &str, remedy: &str) {
    say(&ToPanel::Import(Answer::Refused {
        message: String::from(message),
        remedy: Some(String::from(remedy)),
    }));
}

impl Import {
    /// Takes a word of the tab. `bulk` is the text beside it.
    pub fn take(&mut self, word: Word, bulk: JsValue, turns: &Turns) {
        match word {
            Word::Begin { tables } => {
                self.end();
                if !figma::may_edit() {
                    refuse(
                        "This file can’t be edited.",
                        "Ask its owner for edit access, or open a copy.",
                    );
                } else if (1..=TABLES_MAX).contains(&tables) {
                    let remembered = inbox::readings(&figma::remembered()).unwrap_or_default();
                    let engine = Engine::of_import(tables, remembered, false);
                    self.0 = Some(turns.add(engine, Kind::Import));
                }
            }
            Word::End => self.end(),
            Word::Table { .. }
            | Word::Read { .. }
            | Word::LeaveOut { .. }
            | Word::TakeIn { .. }
            | Word::Approve { .. }
            | Word::Cancel => match &self.0 {
                Some(work) => work.hear(|job| ask(job, word, bulk)),
                None => refuse("There is nothing to import.", "Choose a file."),
            },
        }
    }

    /// What goes on ends after the write it is at.
    fn end(&mut self) {
        if let Some(work) = self.0.take() {
            work.hear(|job| {
                job.engine.disconnect();
                job.bulks.clear();
            });
            work.end();
        }
    }
}

fn ask(job: &mut Job, word: Word, bulk: JsValue) {
    match word {
        Word::Table { at, info } => {
            if figma::length(&bulk) as usize > SNAPSHOT_BYTES_MAX {
                refuse("This table is too large for the plugin.", "Split it.");
            } else if job.engine.announce_table(at, info) {
                job.bulks.push_back(Bulk::new(tab(at), bulk));
            }
        }
        Word::Read { tables, existing } => job.engine.read_tables(tables, existing),
        Word::LeaveOut { plan, rows } => job.engine.leave_out(plan, &rows),
        Word::TakeIn { keys } => job.engine.take_in(&keys),
        Word::Approve { plan } => {
            if let Some(readings) = job.engine.to_remember() {
                figma::remember(&json::readings(&readings));
            }
            job.engine.approve(plan, false);
        }
        Word::Cancel => job.engine.cancel(),
        Word::Begin { .. } | Word::End => {}
    }
}
