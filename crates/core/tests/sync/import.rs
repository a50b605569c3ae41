//! A table that is imported once, one story a test.

use sheetwire_core::document::Held;
use sheetwire_core::engine::Engine;
use sheetwire_core::protocol::panel::import::{Existing, Reading, ToPanel as Word, Unread};
use sheetwire_core::protocol::panel::{
    Choice, Counts, Preview, PreviewKind, Role, RunReport, ToPanel,
};
use sheetwire_core::protocol::relay::SheetInfo;
use sheetwire_core::value::VariableType;

use crate::file::{File, World};
use crate::sheet::{packed, rows};

const TABLE: &str = "
    | Brand colours |             |         |         |       |
    | Collection    | Name        | Light   | Dark    | Type  |
    | Theme         | color/page  | #ffffff | #000000 | COLOR |
    |               |             |         |         |       |
    | Theme         | color/ink   | {color/page} | nonsense | COLOR |
    | Sizes         | space/small | 4       |         | FLOAT |
";

/// An import of tables, up to what is inferred of them.
fn begun(file: File, tables: &[&str], remembered: Vec<Reading>) -> World {
    let mut world = World::reopened(file, None);
    world.file.foreign_links = true;
    world.engine = Engine::of_import(tables.len() as u32, remembered, world.file.read_only);
    for (at, table) in tables.iter().enumerate() {
        let info = SheetInfo {
            spreadsheet_title: "tokens.csv".into(),
            sheet_title: "tokens".into(),
            locale: "en_US".into(),
        };
        assert!(world.engine.announce_table(at as u32, info));
        world.bring_of(at, packed(&rows(table)), false);
    }
    world.settle();
    world
}

fn words(world: &World) -> Vec<Word> {
    let told = world.told.iter().cloned();
    told.filter_map(|message| world.engine.word_of(message, false))
        .collect()
}

fn readings(world: &World) -> Vec<Reading> {
    let words = words(world).into_iter();
    words
        .filter_map(|word| match word {
            Word::Inferred { reading, .. } => Some(reading),
            _ => None,
        })
        .collect()
}

fn preview(world: &World) -> (Preview, Vec<Unread>, Vec<String>) {
    let words = words(world).into_iter().rev();
    let mut previews = words.filter_map(|word| match word {
        Word::Preview {
            preview,
            unread,
            left_out,
        } => Some((preview, unread, left_out)),
        _ => None,
    });
    previews.next().expect("a preview was told")
}

fn report(world: &World) -> RunReport {
    let words = words(world).into_iter().rev();
    let mut reports = words.filter_map(|word| match word {
        Word::Done { report, .. } => Some(report),
        _ => None,
    });
    reports.next().expect("a report was told")
}

fn refusals(world: &World) -> Vec<String> {
    let words = words(world).into_iter();
    let refusals = words.filter_map(|word| match word {
        Word::Refused { message, .. } => Some(message),
        _ => None,
    });
    refusals.collect()
}

/// Imports tables as they are inferred.
fn imported(file: File, tables: &[&str]) -> World {
    let mut world = begun(file, tables, Vec::new());
    let readings = readings(&world);
    world.engine.read_tables(readings, Existing::Update);
    world.settle();
    let (preview, ..) = preview(&world);
    world.engine.approve(preview.plan, false);
    world.settle();
    world
}

fn value(world: &World, collection: &str, name: &str, mode: usize) -> Held {
    let id = world.file.id_of(collection, name).expect("it is there");
    world.file.variables[&id].values[mode].clone()
}

#[test]
fn what_a_table_says_is_shown_and_then_made() {
    let mut world = begun(File::new(), &[TABLE], Vec::new());
    let readings = readings(&world);
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].header_row, 1);
    world.engine.read_tables(readings, Existing::Update);
    world.settle();
    assert_eq!(world.file.writes, 0);
    let (preview, unread, left_out) = preview(&world);
    assert_eq!(
        preview.counts,
        Counts {
            collections: 2,
            modes: 3,
            created: 3,
            ..Counts::default()
        }
    );
    assert_eq!(preview.problems.len(), 1);
    assert_eq!(preview.problems[0].address, "tokens!D5");
    assert_eq!(
        unread,
        [Unread {
            at: 0,
            from: 3,
            to: 4
        }]
    );
    assert_eq!(left_out, Vec::<String>::new());

    world.engine.approve(preview.plan, false);
    world.settle();
    let report = report(&world);
    assert_eq!(report.counts.created, 3);
    assert_eq!(report.problems_total, 1);
    assert_eq!(world.file.undo_steps, 1);
    assert_eq!(world.file.runs().len(), 1);
    assert_eq!(world.file.collections[0].modes, ["Light", "Dark"]);
    assert!(matches!(
        value(&world, "Theme", "color/ink", 0),
        Held::Alias(Some(_))
    ));
}

#[test]
fn an_import_connects_nothing() {
    let world = imported(File::new(), &[TABLE]);
    assert_eq!(world.kept, None);
    for variable in world.file.variables.values() {
        assert_eq!(variable.link, None);
        assert_eq!(variable.base, Vec::<f64>::new());
    }
    for collection in &world.file.collections {
        assert_eq!(collection.link, Vec::<String>::new());
    }
    let own = world.told.iter().filter(|message| {
        matches!(
            message,
            ToPanel::ConnectionChanged { .. } | ToPanel::Stopped { .. }
        )
    });
    assert_eq!(own.count(), 0);
}

#[test]
fn a_second_import_changes_nothing() {
    let mut once = imported(File::new(), &[TABLE]);
    let writes = once.file.writes;
    once.file.undo_steps = 0;
    let twice = imported(once.file, &[TABLE]);
    assert_eq!(twice.file.writes, writes);
    assert_eq!(twice.file.undo_steps, 0);
    assert_eq!(
        report(&twice).counts,
        Counts {
            unchanged: 3,
            ..Counts::default()
        }
    );
}

#[test]
fn variables_without_a_row_are_left_alone() {
    let mut file = File::new();
    let theme = file.add_collection("Theme", &["Light", "Dark"]);
    file.add_variable(theme, "color/old", VariableType::Color);
    let world = imported(file, &[TABLE]);
    assert!(world.file.id_of("Theme", "color/old").is_some());
    assert_eq!(report(&world).counts.removed, 0);
    assert_eq!(world.file.collections[0].modes, ["Light", "Dark"]);
}

#[test]
fn variables_of_a_connected_sheet_keep_their_links() {
    let mut world = World::live(
        File::new(),
        &rows(
            "
            | Collection | Name       | Light   | Dark    | Type  |
            | Theme      | color/page | #111111 | #222222 | COLOR |
        ",
        ),
    );
    let id = world.file.id_of("Theme", "color/page").expect("synced");
    let before = world.file.variables[&id].clone();
    assert!(before.link.is_some());
    let connection = world.kept.clone();
    let mut world = imported(std::mem::take(&mut world.file), &[TABLE]);
    let after = &world.file.variables[&id];
    assert_eq!((&after.link, &after.base), (&before.link, &before.base));
    assert_ne!(after.values, before.values);

    // The sync finds what was imported as changed in Figma, and keeps it.
    world.file.foreign_links = false;
    let mut synced = World::reopened(world.file, connection);
    synced.snapshot(&rows(
        "
        | Collection | Name       | Light   | Dark    | Type  |
        | Theme      | color/page | #111111 | #222222 | COLOR |
    ",
    ));
    synced.settle();
    let drifts = synced.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences.drifts),
        _ => None,
    });
    assert_eq!(drifts, Some(2));
}

#[test]
fn variables_that_are_there_can_be_left_as_they_are() {
    let mut file = File::new();
    let theme = file.add_collection("Theme", &["Light", "Dark"]);
    let page = file.add_variable(theme, "color/page", VariableType::Color);
    file.add_variable(theme, "color/ink", VariableType::String);
    let before = file.variables[&page].clone();
    let mut world = begun(file, &[TABLE], Vec::new());
    let readings = readings(&world);
    world.engine.read_tables(readings.clone(), Existing::Leave);
    world.settle();
    let (plan, ..) = preview(&world);
    assert_eq!(plan.counts.created, 1);
    assert_eq!(plan.counts.changed, 0);
    assert_eq!(plan.problems, []);
    world.engine.approve(plan.plan, false);
    world.settle();
    assert_eq!(world.file.variables[&page], before);

    // Another type is a problem where it is to be updated.
    world.engine.read_tables(readings, Existing::Update);
    world.settle();
    let (plan, ..) = preview(&world);
    assert_eq!(plan.counts.changed, 1);
    assert_eq!(plan.counts.retyped, 0);
    assert_eq!(plan.problems.len(), 1);
}

#[test]
fn rows_can_be_left_out_and_taken_in_again() {
    let mut world = begun(File::new(), &[TABLE], Vec::new());
    let read = readings(&world);
    world.engine.read_tables(read, Existing::Update);
    world.settle();
    let (plan, ..) = preview(&world);
    assert_eq!(plan.rows[2].name, "space/small");
    assert_eq!(plan.rows[2].kind, PreviewKind::Create);
    world.engine.leave_out(plan.plan, &[2]);
    world.settle();
    let (plan, _, left_out) = preview(&world);
    assert_eq!((plan.counts.created, left_out.len()), (2, 1));
    assert_eq!(world.kept, None);
    world.engine.take_in(&left_out);
    world.settle();
    assert_eq!(preview(&world).0.counts.created, 3);
}

#[test]
fn a_file_that_changed_meanwhile_is_shown_again() {
    let mut world = begun(File::new(), &[TABLE], Vec::new());
    let readings = readings(&world);
    world.engine.read_tables(readings, Existing::Update);
    world.settle();
    let (plan, ..) = preview(&world);
    let theme = world.file.add_collection("Theme", &["Light", "Dark"]);
    world
        .file
        .add_variable(theme, "color/page", VariableType::Color);
    world.engine.approve(plan.plan, false);
    world.settle();
    // It makes one and changes one where three were made: no more than was seen.
    assert_eq!(report(&world).counts.created, 2);
    assert_eq!(report(&world).counts.changed, 1);
}

#[test]
fn tables_are_imported_together() {
    let sizes = "
        | Collection | Name       | Value |
        | Sizes      | space/tiny | 2     |
        | Sizes      | space/page | {space/small} |
    ";
    let world = imported(File::new(), &[TABLE, sizes]);
    assert_eq!(report(&world).counts.created, 5);
    assert!(matches!(
        value(&world, "Sizes", "space/page", 1),
        Held::Alias(Some(_))
    ));
}

#[test]
fn a_reading_that_the_designer_changed_is_remembered() {
    let table = "
        | Token      | A       | B       |
        | color/page | #ffffff | #000000 |
    ";
    let mut world = begun(File::new(), &[table], Vec::new());
    let mut read = readings(&world);
    world.engine.read_tables(read.clone(), Existing::Update);
    world.settle();
    assert_eq!(world.engine.to_remember(), None);
    read[0].columns[2].role = Role::Ignore;
    world.engine.read_tables(read.clone(), Existing::Update);
    world.settle();
    let remembered = world.engine.to_remember().expect("it was changed");
    assert_eq!(remembered, read);

    let again = begun(File::new(), &[table], remembered);
    assert_eq!(readings(&again), read);
    let told = words(&again);
    assert!(matches!(
        told[0],
        Word::Inferred {
            remembered: true,
            ..
        }
    ));
    let other = begun(File::new(), &[TABLE], read);
    assert!(matches!(
        words(&other)[0],
        Word::Inferred {
            remembered: false,
            ..
        }
    ));
}

#[test]
fn columns_that_give_no_variable_are_refused_with_the_reason() {
    let mut world = begun(File::new(), &[TABLE], Vec::new());
    let mut readings = readings(&world);
    for column in &mut readings[0].columns {
        column.role = Role::Ignore;
    }
    world.engine.read_tables(readings, Existing::Update);
    world.settle();
    assert_eq!(refusals(&world).len(), 1);
    assert_eq!(world.file.writes, 0);
}

#[test]
fn a_cancelled_import_says_what_it_did_and_goes_on_where_it_stopped() {
    let mut world = begun(File::new(), &[TABLE], Vec::new());
    let read = readings(&world);
    world.engine.read_tables(read.clone(), Existing::Update);
    world.settle();
    let (plan, ..) = preview(&world);
    world.engine.approve(plan.plan, false);
    while world.file.writes < 4 {
        assert!(world.step());
    }
    world.engine.cancel();
    world.settle();
    let cancelled = report(&world);
    assert!(cancelled.cancelled);
    assert_eq!(world.file.undo_steps, 1);
    let world = imported(world.file, &[TABLE]);
    assert_eq!(report(&world).counts.created + cancelled.counts.created, 3);
}

#[test]
fn a_file_that_is_read_by_other_work_is_compared_again() {
    let mut world = World::live(
        File::new(),
        &rows(
            "
            | Collection | Name       | Light   |
            | Theme      | color/page | #111111 |
        ",
        ),
    );
    let id = world.file.id_of("Theme", "color/page").expect("synced");
    world.file.variables.get_mut(&id).expect("there").values[0] = Held::Color([0.0, 0.0, 0.0, 1.0]);
    // An edit alone would look at its own row's variable under a slot that leads elsewhere by now.
    let other = world
        .file
        .add_variable(0, "color/ahead", VariableType::Color);
    world.engine.file_was_read();
    world.change(2, &[(1, 2, "#333333")]);
    world.settle();
    let conflicts = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences.conflicts),
        _ => None,
    });
    assert_eq!(conflicts, Some(1));
    assert!(world.file.handles.contains(&other), "it was listed anew");

    // A choice that was looked at before is asked for again.
    world.engine.file_was_read();
    world.engine.choose(1, &[], Choice::Sheet);
    world.settle();
    assert!(matches!(
        value(&world, "Theme", "color/page", 0),
        Held::Color([0.0, 0.0, 0.0, 1.0])
    ));
    assert_eq!(refusals(&world).len(), 1);
}
