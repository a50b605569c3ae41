//! The connection as other panels leave it: several designers may have one file open.
//!
//! Owns what follows when the connection in the file is no longer the one that this engine knows. Must not know who
//! changed it, or how it is kept.

use super::{Engine, Stage};
use crate::apply::Figma;
use crate::protocol::panel::{Connection, ToPanel};
use crate::session::StopReason;

impl Engine {
    /// The connection as it stands in the file, which another panel may have changed. Taken before every message, so that
    /// nothing is decided on, or written over, what is out of date. Returns whether it was another.
    pub fn meet_connection(&mut self, kept: Option<Connection>) -> bool {
        if kept == self.connection || self.read_only {
            return false;
        }
        let stays = match (&self.connection, &kept) {
            (Some(own), Some(kept)) => own.sheets().eq(kept.sheets()),
            (None, _) => true,
            (Some(_), None) => false,
        };
        if !stays {
            self.forget_sheet();
            self.connection = None;
            self.post(ToPanel::ConnectionChanged { connection: None });
        }
        if self.connection.is_none() {
            let count = kept.iter().flat_map(Connection::sheets).count();
            self.grid.set_tabs(0, &self.locale);
            self.grid.set_tabs(count, &self.locale);
            self.layout = None;
        }
        let was_on = self.connection.as_ref().is_some_and(|own| own.on);
        let is_on = kept.as_ref().is_some_and(|kept| kept.on);
        self.connection = kept;
        self.waiting = None;
        self.confirmed = None;
        self.restore = None;
        if self.connection.is_some() {
            self.post(ToPanel::ConnectionChanged {
                connection: self.connection.clone().map(Box::new),
            });
        }
        if was_on && !is_on && stays {
            self.cancel();
            self.post(ToPanel::Stopped {
                reason: StopReason::Toggled,
            });
        }
        let loading = matches!(self.stage, Stage::Loading { .. });
        if self.is_loaded() && !loading && self.may_sync() {
            self.finish_cut_off_run();
            self.start_over();
        } else if self.is_loaded() {
            self.start_over_later();
        }
        true
    }

    /// Compares everything again where another panel has written the file since this engine read it: one that was cut off
    /// and took itself for the writer. To be called when the relay says that this one writes.
    pub fn look_again(&mut self, figma: &mut impl Figma) {
        let rests = matches!(self.stage, Stage::Rest) && self.is_loaded() && self.document_known;
        if rests && self.is_writer && self.may_sync() && self.has_other_runs(figma) {
            self.waiting = None;
            self.start_over();
        }
    }

    /// Whether another panel has run since the file was read. A run that was taken back is no other panel's.
    pub(super) fn has_other_runs(&self, figma: &mut impl Figma) -> bool {
        self.document_known && figma.mark() != self.seen_mark && !figma.is_undone()
    }

    /// A run begins, and leaves its mark. What another panel wrote since the file was read is looked at after it.
    pub(super) fn begin_marked_run(&mut self, figma: &mut impl Figma) {
        if figma.mark() != self.seen_mark {
            self.start_over_later();
        }
        figma.begin_run();
        self.seen_mark = figma.mark();
    }

    /// Whether another panel has connected this sheet meanwhile, and its columns are agreed on: then there is nothing to
    /// begin with.
    pub fn is_set_up_for(&self, sheet: &crate::protocol::relay::SheetRef) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|own| own.approved && own.sheet == *sheet)
    }
}
