//! Several tabs that feed one file: what is kept of them, one that comes and one that goes, and that an edit of a tab
//! leads where putting all of them together anew leads.

use crate::file::{File, World};
use crate::sheet::{packed, rows, sheet_ref, typed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use sheetwire_core::document::Held;
use sheetwire_core::mapping::Layout;
use sheetwire_core::mapping::table::Table;
use sheetwire_core::mapping::view::Reach;
use sheetwire_core::protocol::panel::{
    Column, Role, SOURCES_MAX, Sections, SheetLayout, TabMode, ToPanel, WaitReason,
};
use sheetwire_core::protocol::relay::{Position, SheetInfo, SheetRef, WriteResult};
use sheetwire_core::sheet::{pack_changes, push_cell};

pub fn tab(sheet_id: i64) -> SheetRef {
    SheetRef {
        sheet_id,
        ..sheet_ref()
    }
}

fn info(title: &str) -> SheetInfo {
    SheetInfo {
        spreadsheet_title: String::from("Design"),
        sheet_title: String::from(title),
        locale: String::from("en_US"),
    }
}

fn position(revision: u64) -> Position {
    Position {
        epoch: String::from("e"),
        revision,
    }
}

impl World {
    /// A whole tab.
    pub fn tell(&mut self, sheet_id: i64, title: &str, text: &str) {
        let announced = self
            .engine
            .announce_snapshot(&tab(sheet_id), position(1), info(title));
        assert!(announced, "{title} is connected");
        self.drop_pending_of(sheet_id as usize);
        self.bring_of(sheet_id as usize, packed(&rows(text)), false);
    }

    fn edit(&mut self, sheet_id: i64, rows: u32, change: (u32, u32, &str)) {
        let before = self.engine.announced();
        assert!(
            self.engine
                .announce_changes(&tab(sheet_id), position(2), rows)
        );
        let joins = self.engine.announced() == before;
        let cell = typed(change.2);
        let changes = pack_changes([(change.0, change.1, &cell)]);
        self.bring_of(sheet_id as usize, changes, joins);
    }

    /// Confirms the columns that were told last for a tab.
    pub fn confirm(&mut self, sheet_id: i64) {
        let told = self.told.iter().rev().find_map(|message| match message {
            ToPanel::Inferred {
                columns,
                header_row,
                layout,
                sheet,
                ..
            } if sheet
                .as_ref()
                .is_none_or(|sheet| sheet.sheet_id == sheet_id) =>
            {
                Some((columns.clone(), *header_row, layout.clone()))
            }
            _ => None,
        });
        let (columns, header_row, layout) = told.expect("columns were told");
        self.engine
            .confirm_columns(Some(&tab(sheet_id)), columns, header_row, layout);
        self.settle();
    }

    /// Applies the plan that was told last, without removals.
    pub fn approve(&mut self) {
        let plan = self.preview().plan;
        self.engine.approve(plan, false);
        self.settle();
    }

    fn value(&self, collection: &str, name: &str) -> Option<String> {
        let id = self.file.id_of(collection, name)?;
        Some(format!("{:?}", self.file.variables[&id].values[0]))
    }
}

const ONE: &str = "Name | Value\na | 1\nb | 2";
const TWO: &str = "Name | Value\nc | {a}\nd | 1\ne | 2";

/// A file that follows the tab One.
fn live() -> World {
    let mut world = World::new(File::new());
    world.engine.connect(tab(0));
    world.tell(0, "One", ONE);
    world.settle();
    world.confirm(0);
    world.approve();
    world
}

#[test]
fn a_tab_is_added_to_a_live_file() {
    let mut world = live();
    world.engine.add_source(tab(1));
    world.hear();
    world.tell(1, "Two", TWO);
    world.settle();
    // Nobody has looked at its columns: the first goes on, and nothing waits.
    world.edit(0, 3, (1, 1, "7"));
    world.settle();
    assert_eq!(world.value("One", "a").as_deref(), Some("Float(7.0)"));
    assert_eq!(world.value("Two", "c"), None);
    world.confirm(1);
    // A file that is fed otherwise is looked at again.
    let preview = world.preview();
    assert_eq!((preview.counts.created, preview.counts.removed), (3, 0));
    assert_eq!(world.value("Two", "c"), None);
    world.approve();
    assert!(world.value("Two", "c").expect("made").starts_with("Alias"));
    world.edit(1, 4, (1, 1, "9"));
    world.settle();
    let kept = world.kept.as_ref().expect("a connection");
    assert_eq!((kept.more.len(), kept.approved), (1, true));
}

#[test]
fn a_tab_that_is_there_already_is_not_added_and_there_is_a_most() {
    let mut world = live();
    world.engine.add_source(tab(0));
    world.hear();
    assert!(world.kept.as_ref().expect("a connection").more.is_empty());
    for at in 1..=SOURCES_MAX as i64 {
        world.engine.add_source(tab(at));
    }
    world.hear();
    let kept = world.kept.as_ref().expect("a connection");
    assert_eq!(kept.more.len(), SOURCES_MAX - 1);
    let Some(ToPanel::Refused { message, .. }) = world.told.last() else {
        panic!("the last was refused: {:?}", world.told.last());
    };
    assert_eq!(message, "At most 16 tabs can feed one file.");
}

#[test]
fn links_outlive_the_first_tab() {
    let mut world = live();
    world.engine.add_source(tab(1));
    world.tell(1, "Two", TWO);
    world.settle();
    world.confirm(1);
    world.approve();
    world.engine.remove_source(&tab(0));
    world.settle();
    let Some(ToPanel::Waiting { reason, preview }) = world.told.last() else {
        panic!("it is asked about: {:?}", world.told.last());
    };
    assert_eq!((*reason, preview.counts.removed), (WaitReason::Removes, 2));
    let kept = world.kept.clone().expect("a connection");
    assert_eq!(kept.sheet, tab(1));
    assert_eq!((kept.more.len(), kept.origin.as_ref()), (0, Some(&tab(0))));
    assert_eq!(kept.link_sheet(), &tab(0));
    // The designer keeps them: the file goes on with what is left.
    let plan = preview.plan;
    world.engine.keep_removed(plan, &mut world.file);
    world.settle();
    world.edit(1, 4, (1, 1, "3"));
    world.settle();
    assert_eq!(world.value("Two", "c").as_deref(), Some("Float(3.0)"));
    assert_eq!(world.value("One", "a").as_deref(), Some("Float(1.0)"));
    world.engine.remove_source(&tab(1));
    world.hear();
    assert_eq!(world.kept, None, "without a tab there is no connection");
}

#[test]
fn one_tab_is_kept_as_it_always_was() {
    let world = live();
    let kept = serde_json::to_value(world.kept.expect("a connection")).expect("it is JSON");
    let keys: Vec<&String> = kept.as_object().expect("an object").keys().collect();
    assert!(!keys.iter().any(|key| *key == "more" || *key == "origin"));
}

#[test]
fn a_file_that_is_opened_again_waits_for_all_tabs_before_it_misses_anything() {
    let mut world = live();
    world.engine.add_source(tab(1));
    world.tell(1, "Two", TWO);
    world.settle();
    world.confirm(1);
    world.approve();
    let writes = world.file.writes;
    let mut again = World::reopened(world.file, world.kept);
    again.tell(1, "Two", TWO);
    again.settle();
    assert_eq!(again.file.writes, writes);
    again.tell(0, "One", ONE);
    again.settle();
    assert_eq!(again.file.writes, writes);
    assert!(
        again
            .told
            .iter()
            .all(|message| !matches!(message, ToPanel::Waiting { .. }))
    );
    assert_eq!(again.report().problems, []);
}

#[test]
fn cells_of_two_tabs_that_come_at_once_are_told_apart() {
    let mut world = live();
    world.engine.add_source(tab(1));
    world.tell(1, "Two", TWO);
    world.settle();
    world.confirm(1);
    world.approve();
    world.edit(0, 3, (1, 1, "5"));
    world.edit(1, 4, (1, 1, "6"));
    world.edit(0, 3, (2, 1, "7"));
    // A whole tab makes out of date what came of it before, and nothing of the other.
    world.tell(1, "Two", "Name | Value\nc | 8\nd | 1\ne | 2");
    world.settle();
    let values = [("One", "a"), ("One", "b"), ("Two", "c")];
    let values = values.map(|(collection, name)| world.value(collection, name));
    let expected = ["Float(5.0)", "Float(7.0)", "Float(8.0)"];
    assert_eq!(values, expected.map(|value| Some(String::from(value))));
}

/// What was told to be sent since the last time, batches of one cell each: the batch's number, its tab, the cell's place.
fn sent(world: &mut World) -> Vec<(u32, i64, (u32, u32))> {
    let batches = world.batches().into_iter();
    batches
        .map(|(push, sheet, cells)| match &cells[..] {
            [cell] => (push, sheet.sheet_id, (cell.row, cell.column)),
            cells => panic!("not one cell: {cells:?}"),
        })
        .collect()
}

/// A file that follows two tabs and sends to both, in which a variable of each was changed.
fn two_way() -> World {
    let mut world = live();
    world.engine.add_source(tab(1));
    world.tell(1, "Two", TWO);
    world.settle();
    world.confirm(1);
    world.approve();
    world.engine.set_two_way(true);
    world.settle();
    for (collection, name) in [("One", "a"), ("Two", "d")] {
        let id = world.file.id_of(collection, name).expect("made");
        let variable = world.file.variables.get_mut(&id).expect("made");
        variable.values[0] = Held::Float(9.0);
    }
    world.engine.look();
    world.settle();
    world
}

#[test]
fn tabs_get_their_batches_one_after_the_other() {
    let mut world = two_way();
    assert_eq!(sent(&mut world), [(1, 0, (1, 1))]);
    world.engine.pushed(1, &[WriteResult::Written]);
    world.settle();
    assert_eq!(sent(&mut world), [(2, 1, (2, 1))]);
    world.engine.pushed(2, &[WriteResult::Written]);
    world.settle();
    assert_eq!(sent(&mut world), []);
    // A tab that is read again shows what was sent to it, and nothing of the other's.
    world.tell(1, "Two", "Name | Value\nc | {a}\nd | 9\ne | 2");
    world.settle();
    world.edit(0, 3, (1, 1, "9"));
    world.settle();
    assert_eq!(sent(&mut world), []);
    let values = [("One", "a"), ("Two", "d")].map(|(of, name)| world.value(of, name));
    let nine = Some(String::from("Float(9.0)"));
    assert_eq!(values, [nine.clone(), nine]);
}

#[test]
fn a_tab_that_takes_nothing_keeps_no_other_waiting() {
    let mut world = two_way();
    assert_eq!(sent(&mut world), [(1, 0, (1, 1))]);
    // Nobody knows why.
    world.engine.pushed(1, &[]);
    world.settle();
    assert_eq!(sent(&mut world), [(2, 1, (2, 1))]);
    world.engine.pushed(2, &[WriteResult::Written]);
    world.settle();
    assert_eq!(sent(&mut world), []);
    world.edit(1, 4, (2, 1, "9"));
    world.settle();
    // The edit has it tried again.
    assert_eq!(sent(&mut world), [(3, 0, (1, 1))]);
}

fn columns() -> Vec<Column> {
    let roles = [
        ("Id", Role::Id),
        ("Collection", Role::Collection),
        ("Group", Role::Group),
        ("Name", Role::Name),
        (
            "Light",
            Role::Mode {
                name: "Light".into(),
            },
        ),
        (
            "Dark",
            Role::Mode {
                name: "Dark".into(),
            },
        ),
    ];
    let columns = roles.into_iter().zip(0..);
    let columns = columns.map(|((header, role), index)| Column {
        index,
        header: String::from(header),
        role,
    });
    columns.collect()
}

fn arranged(tabs: &[(Vec<String>, SheetLayout)]) -> (Table, Layout) {
    let mut table = Table::default();
    table.set_tabs(tabs.len(), "en_US");
    for (at, (rows, lies)) in tabs.iter().enumerate() {
        let tab = table.tab_mut(at).expect("a tab");
        let title = format!("Tab{at}");
        tab.begin(position(1), info(&title));
        tab.push(
            &rows
                .iter()
                .map(|row| [row, "\u{1e}"].concat())
                .collect::<String>(),
        );
        tab.loaded();
        tab.arrange(&columns(), 0, lies, &title)
            .expect("good columns");
    }
    let layout = table.join().expect("tabs");
    (table, layout)
}

/// Every row that is not empty, and the addresses of its cells.
fn made(table: &Table) -> Vec<(String, Vec<String>)> {
    let rows = (0..table.rows()).filter(|row| !table.row(*row).is_empty());
    rows.map(|row| {
        let text = table.row(row);
        let addresses = (0..14).map(|column| table.address(row, column));
        (
            text.trim_end_matches('\u{1f}').to_owned(),
            addresses.collect(),
        )
    })
    .filter(|(text, _)| !text.is_empty())
    .collect()
}

fn any_lies() -> impl Strategy<Value = SheetLayout> {
    let tab_mode = select(vec![None, Some("A"), Some("B")]);
    let sections = select(vec![Sections::Ignore, Sections::Groups]);
    (tab_mode, sections, any::<bool>()).prop_map(|(mode, sections, same_collection)| SheetLayout {
        sections,
        same_collection,
        tab_mode: mode.map(|mode| TabMode {
            collection: String::from("Theme"),
            mode: String::from(mode),
        }),
        ..SheetLayout::default()
    })
}

fn any_cell() -> impl Strategy<Value = String> {
    let words = vec!["", "", "a", "b", "c", "Theme", "1", "{a}", "#fff"];
    select(words).prop_map(|word| {
        let mut packed = String::new();
        push_cell(&mut packed, &typed(word));
        packed
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_edit_of_a_tab_leads_where_reading_all_anew_leads(
        tabs in vec((vec(vec(any_cell(), 6), 0..5), any_lies()), 1..4),
        edits in vec((0..4_usize, 1..8_u32, 0..6_u32, any_cell()), 1..8),
        cuts in vec((0..4_usize, 1..6_u32), 0..2),
    ) {
        let header = ["tId", "tCollection", "tGroup", "tName", "tLight", "tDark"].join("\u{1f}");
        let tabs: Vec<(Vec<String>, SheetLayout)> = tabs
            .into_iter()
            .map(|(rows, lies)| {
                let rows = rows.into_iter().map(|cells| cells.join("\u{1f}"));
                (std::iter::once(header.clone()).chain(rows).collect(), lies)
            })
            .collect();
        let (mut table, layout) = arranged(&tabs);
        let mut again = layout.clone();
        for (at, row, column, cell) in edits {
            let at = at % tabs.len();
            match table.edit(at, row, column, &cell) {
                Reach::All => (table, again) = {
                    let now = now(&table, &tabs);
                    arranged(&now)
                },
                Reach::Rows(rows) => rows.into_iter().for_each(|(row, text)| table.put(row, text)),
            }
            let (anew, _) = arranged(&now(&table, &tabs));
            prop_assert_eq!(made(&table), made(&anew));
        }
        for (at, rows) in cuts {
            if !table.cut(at % tabs.len(), rows) {
                (table, again) = arranged(&now(&table, &tabs));
            }
            let (anew, _) = arranged(&now(&table, &tabs));
            prop_assert_eq!(made(&table), made(&anew));
        }
        prop_assert_eq!(layout.modes.len(), again.modes.len());
    }
}

/// The tabs with the cells that the table has now.
fn now(table: &Table, tabs: &[(Vec<String>, SheetLayout)]) -> Vec<(Vec<String>, SheetLayout)> {
    let tabs = tabs.iter().zip(table.tabs());
    tabs.map(|((_, lies), tab)| {
        let sheet = tab.sheet();
        let rows = (0..sheet.rows()).map(|row| sheet.row(row).to_owned());
        (rows.collect(), lies.clone())
    })
    .collect()
}
