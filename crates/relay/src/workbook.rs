//! The tabs of one spreadsheet that are followed, and how they are read together.
//!
//! Owns whose turn it is among their watchers, which tabs come along with a read, and the handing over of what one
//! watcher has read for another. Must not know Google, rooms or what is done with a read.
//!
//! One read costs the same of Google's quota however many tabs it asks for, so that a file that eight tabs feed costs no
//! more than one of a single tab. A watcher whose tab is due reads for all tabs of the spreadsheet that are due soon; after
//! that these are due at the same time, and stay so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sheetwire_core::protocol::relay::{SNAPSHOT_BYTES_MAX, SheetRef};
use tokio::sync::Notify;

use crate::google_read::Failure;
use crate::sheet_read::SheetRead;

/// Most tabs of one read: their titles stand in its address.
pub const TABS_A_READ_MAX: usize = 16;

/// Every spreadsheet of which a tab is followed.
#[derive(Debug, Default)]
pub struct Workbooks {
    open: Mutex<HashMap<String, Weak<Workbook>>>,
}

/// One spreadsheet.
#[derive(Debug, Default)]
struct Workbook {
    /// Who has it reads the spreadsheet.
    turn: tokio::sync::Mutex<()>,
    tabs: Mutex<Vec<Weak<Tab>>>,
}

/// One tab that is followed.
#[derive(Debug)]
pub struct Tab {
    /// Google's `sheetId`.
    pub sheet_id: i64,
    /// Has the tab's watcher look around.
    pub wake: Notify,
    workbook: Arc<Workbook>,
    plan: Mutex<Plan>,
}

/// When a tab is read, and what is known of it.
#[derive(Debug)]
pub struct Plan {
    /// When to read next.
    pub due: Instant,
    /// When the last read ended.
    pub last: Option<Instant>,
    /// The tab's title, as last seen.
    pub title: Option<String>,
    /// Whether anybody follows it.
    pub is_followed: bool,
    /// Whether its last read failed; it then keeps its own time.
    pub is_failing: bool,
    /// Bytes of its cells as last read, packed.
    pub bytes: usize,
    handed: Option<Handed>,
}

/// What another tab's watcher has read for this tab.
#[derive(Debug)]
pub struct Handed {
    /// When the read began.
    pub began: Instant,
    /// What came of it.
    pub outcome: Result<SheetRead, Failure>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workbooks {
    /// A tab that is followed from now on, as long as it is kept.
    pub fn open(&self, sheet: &SheetRef) -> Arc<Tab> {
        let workbook = {
            let mut open = lock(&self.open);
            match open.get(&sheet.spreadsheet_id).and_then(Weak::upgrade) {
                Some(workbook) => workbook,
                None => {
                    open.retain(|_, workbook| workbook.strong_count() > 0);
                    let workbook = Arc::default();
                    open.insert(sheet.spreadsheet_id.clone(), Arc::downgrade(&workbook));
                    workbook
                }
            }
        };
        let tab = Arc::new(Tab {
            sheet_id: sheet.sheet_id,
            wake: Notify::new(),
            workbook,
            plan: Mutex::new(Plan {
                due: Instant::now(),
                last: None,
                title: None,
                is_followed: true,
                is_failing: false,
                bytes: 0,
                handed: None,
            }),
        });
        let mut tabs = lock(&tab.workbook.tabs);
        tabs.retain(|tab| tab.strong_count() > 0);
        tabs.push(Arc::downgrade(&tab));
        drop(tabs);
        tab
    }
}

impl Tab {
    /// Waits until no other watcher reads this spreadsheet.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.workbook.turn.lock().await
    }

    /// When it is read, and what is known of it.
    pub fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    /// Takes what another watcher has read for this tab, if there is something.
    pub fn take_handed(&self) -> Option<Handed> {
        self.plan().handed.take()
    }

    /// Hands over what was read for this tab. A later read takes the place of an earlier one.
    pub fn hand(&self, handed: Handed) {
        self.plan().handed = Some(handed);
        self.wake.notify_one();
    }

    /// The other tabs that come along with a read of this one, and their titles: those that are due within `within`, whose
    /// last read is `apart` ago, as far as all of them together are no longer than a snapshot.
    pub fn neighbours(
        &self,
        now: Instant,
        within: Duration,
        apart: Duration,
    ) -> Vec<(Arc<Tab>, String)> {
        let mut bytes = self.plan().bytes;
        let tabs: Vec<Arc<Tab>> = lock(&self.workbook.tabs)
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|tab| tab.sheet_id != self.sheet_id)
            .collect();
        let mut along = Vec::new();
        for tab in tabs {
            let plan = tab.plan();
            let comes = plan.is_followed
                && !plan.is_failing
                && plan.due <= now + within
                && plan.last.is_none_or(|last| last + apart <= now)
                && bytes + plan.bytes <= SNAPSHOT_BYTES_MAX
                && along.len() + 1 < TABS_A_READ_MAX;
            let title = plan.title.clone().filter(|_| comes);
            bytes += title.as_ref().map_or(0, |_| plan.bytes);
            drop(plan);
            along.extend(title.map(|title| (tab, title)));
        }
        along
    }

    /// Tells the tabs whose title is not known what it is. `titles` are by `sheetId`.
    pub fn tell_titles(&self, titles: &HashMap<i64, String>) {
        let tabs = lock(&self.workbook.tabs);
        for tab in tabs.iter().filter_map(Weak::upgrade) {
            let mut plan = tab.plan();
            if plan.title.is_none() {
                plan.title = titles.get(&tab.sheet_id).cloned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVE: Duration = Duration::from_secs(5);
    const APART: Duration = Duration::from_secs(1);

    fn open(workbooks: &Workbooks, spreadsheet: &str, sheet_id: i64) -> Arc<Tab> {
        let tab = workbooks.open(&SheetRef {
            spreadsheet_id: spreadsheet.to_owned(),
            sheet_id,
        });
        tab.plan().title = Some(format!("tab {sheet_id}"));
        tab
    }

    fn along(tab: &Tab, now: Instant) -> Vec<i64> {
        let neighbours = tab.neighbours(now, ACTIVE, APART);
        neighbours.iter().map(|(tab, _)| tab.sheet_id).collect()
    }

    #[test]
    fn who_is_due_soon_comes_along() {
        let workbooks = Workbooks::default();
        let own = open(&workbooks, "s", 0);
        let _elsewhere = open(&workbooks, "t", 9);
        let now = Instant::now();
        assert_eq!(along(&own, now), [0_i64; 0]);
        let other = open(&workbooks, "s", 1);
        assert_eq!(along(&own, now), [1]);
        assert_eq!(along(&other, now), [0]);
        type Change = fn(&mut Plan, Instant);
        let not_now: [Change; 6] = [
            |plan, now| plan.due = now + ACTIVE + APART,
            |plan, now| plan.last = Some(now),
            |plan, _| plan.title = None,
            |plan, _| plan.is_followed = false,
            |plan, _| plan.is_failing = true,
            |plan, _| plan.bytes = SNAPSHOT_BYTES_MAX + 1,
        ];
        for change in not_now {
            let third = open(&workbooks, "s", 2);
            assert_eq!(along(&own, now), [1, 2]);
            change(&mut third.plan(), now);
            assert_eq!(along(&own, now), [1]);
        }
        drop(other);
        assert_eq!(along(&own, now), [0_i64; 0]);
    }

    #[test]
    fn a_read_is_bounded_in_tabs_and_bytes() {
        let workbooks = Workbooks::default();
        let tabs: Vec<_> = (0..40).map(|id| open(&workbooks, "s", id)).collect();
        let now = Instant::now();
        assert_eq!(along(&tabs[0], now).len(), TABS_A_READ_MAX - 1);
        for tab in &tabs {
            tab.plan().bytes = SNAPSHOT_BYTES_MAX / 4;
        }
        assert_eq!(along(&tabs[0], now), [1, 2, 3]);
    }

    #[test]
    fn titles_are_told_where_they_are_not_known() {
        let workbooks = Workbooks::default();
        let (own, other) = (open(&workbooks, "s", 0), open(&workbooks, "s", 1));
        other.plan().title = None;
        own.tell_titles(&HashMap::from([
            (0, "new".to_owned()),
            (1, "Dark".to_owned()),
        ]));
        assert_eq!(own.plan().title.as_deref(), Some("tab 0"));
        assert_eq!(other.plan().title.as_deref(), Some("Dark"));
    }

    #[test]
    fn what_nobody_follows_is_forgotten() {
        let workbooks = Workbooks::default();
        for number in 0..10 {
            drop(open(&workbooks, &format!("s{number}"), 0));
        }
        assert_eq!(lock(&workbooks.open).len(), 1);
    }
}
