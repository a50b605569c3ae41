//! Collections, modes, tabs and columns under new names, in the sheet and in Figma: the same variables stay.

use sheetwire_core::protocol::panel::{
    Choice, DifferenceKind, Differences, DriftPolicy, MergePolicy, PreviewKind, ToPanel, WaitReason,
};
use sheetwire_core::value::VariableType;

use crate::file::{Collection, File, World};
use crate::sheet::rows;

const SHEET: &str = "
    | Collection | Name    | Light   | Dark    |
    | brand      | color/a | #111111 | #eeeeee |
    | brand      | color/b | #222222 | #dddddd |
    | brand      | color/c | {color/a} | {color/b} |
    | layout     | gap/1   | 4       | 8       |
";

/// The same without a column for the collection: it is called as the tab.
const PLAIN: &str = "
    | Name    | Light   | Dark    |
    | color/a | #111111 | #eeeeee |
    | color/b | #222222 | #dddddd |
    | color/c | {color/a} | {color/b} |
";

fn with(sheet: &str, old: &str, new: &str) -> Vec<Vec<String>> {
    rows(&sheet.replace(old, new))
}

fn waits(world: &World) -> Option<WaitReason> {
    match world.told.last() {
        Some(ToPanel::Waiting { reason, .. }) => Some(*reason),
        _ => None,
    }
}

fn differences(world: &World) -> Differences {
    let told = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences.clone()),
        _ => None,
    });
    told.unwrap_or_default()
}

/// What each difference is about: kind, field, Figma's name, the sheet's.
fn listed(world: &World) -> Vec<(DifferenceKind, String, String, String)> {
    let items = differences(world).items.into_iter().map(|item| {
        let before = item.values.before.unwrap_or_default();
        (item.kind, item.values.field, before, item.values.after)
    });
    items.collect()
}

fn names(world: &World) -> Vec<(String, Vec<String>)> {
    let collections = world.file.collections.iter();
    collections
        .map(|Collection { name, modes, .. }| (name.clone(), modes.clone()))
        .collect()
}

fn named(name: &str, modes: &[&str]) -> (String, Vec<String>) {
    let modes = modes.iter().map(|mode| (*mode).to_owned());
    (name.to_owned(), modes.collect())
}

/// The world as another plugin finds it later.
fn reopened(world: World) -> World {
    World::reopened(world.file, world.kept)
}

/// Ids, collections, names and values, without what is kept with them.
fn variables(world: &World) -> Vec<(u32, usize, String, String)> {
    let all = world.file.variables.iter().map(|(id, variable)| {
        let values = format!("{:?}", variable.values);
        (*id, variable.collection, variable.name.clone(), values)
    });
    all.collect()
}

#[test]
fn a_collection_renamed_in_figma_keeps_its_name_and_its_variables() {
    let world = World::live(File::new(), &rows(SHEET));
    let before = variables(&world);
    for reopens in [false, true] {
        let mut world = World::live(File::new(), &rows(SHEET));
        if reopens {
            world = reopened(world);
        }
        world.file.collections[0].name = "Acme".into();
        world.snapshot(&rows(SHEET));
        world.settle();
        assert_eq!(waits(&world), None);
        assert_eq!(variables(&world), before);
        assert_eq!(
            names(&world),
            [
                named("Acme", &["Light", "Dark"]),
                named("layout", &["Light", "Dark"])
            ]
        );
        assert_eq!(
            listed(&world),
            [(
                DifferenceKind::Drift,
                "collection".into(),
                "Acme".into(),
                "brand".into()
            )]
        );
        // An edit goes on to reach its variable.
        world.change(5, &[(1, 2, "#000000")]);
        world.settle();
        assert_eq!(world.report().counts.changed, 1);
        // The designer takes the sheet's name after all.
        let list = differences(&world).list;
        world.engine.choose(list, &[0], Choice::Sheet);
        world.settle();
        assert_eq!(names(&world)[0].0, "brand");
        assert_eq!(listed(&world), []);
    }
}

#[test]
fn a_mode_renamed_in_figma_stays_the_columns() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = variables(&world);
    world.file.collections[0].modes[1] = "Night".into();
    let mut world = reopened(world);
    world.snapshot(&rows(SHEET));
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(variables(&world), before);
    assert_eq!(names(&world)[0].1, ["Light", "Night"]);
    assert_eq!(
        listed(&world),
        [(
            DifferenceKind::Drift,
            "mode".into(),
            "Night".into(),
            "Dark".into()
        )]
    );
    world.change(5, &[(1, 3, "#000000")]);
    world.settle();
    assert_eq!(world.report().counts.changed, 1);
    assert_eq!(names(&world)[0].1, ["Light", "Night"]);
    let policy = MergePolicy {
        drift: DriftPolicy::Overwrite,
        ..MergePolicy::default()
    };
    world.engine.set_policy(policy);
    world.settle();
    assert_eq!(names(&world)[0].1, ["Light", "Dark"]);
}

#[test]
fn a_collection_renamed_in_the_sheet_is_renamed_in_figma() {
    for reopens in [false, true] {
        let mut world = World::live(File::new(), &rows(SHEET));
        let before = variables(&world);
        if reopens {
            world = reopened(world);
            world.snapshot(&with(SHEET, "brand", "Acme"));
        } else {
            let cells = [(1, 0, "Acme"), (2, 0, "Acme"), (3, 0, "Acme")];
            world.change(5, &cells);
        }
        world.settle();
        assert_eq!(waits(&world), None);
        assert_eq!(variables(&world), before);
        assert_eq!(names(&world)[0].0, "Acme");
        assert_eq!(names(&world).len(), 2);
        assert_eq!(listed(&world), []);
        // Its variables' links know the new name: one that is renamed in Figma now is found again.
        let id = world.file.id_of("Acme", "color/a").expect("there");
        world.file.variables.get_mut(&id).expect("there").name = "mine".into();
        let mut world = reopened(world);
        world.snapshot(&with(SHEET, "brand", "Acme"));
        world.settle();
        assert_eq!(world.file.variables.len(), before.len());
        assert_eq!(world.file.id_of("Acme", "mine"), Some(id));
    }
}

#[test]
fn a_renamed_tab_renames_the_collection_that_is_called_after_it() {
    let world = World::live(File::new(), &rows(PLAIN));
    let before = variables(&world);
    let mut world = reopened(world);
    // Somebody made a collection of the new name by hand.
    let other = world.file.add_collection("Theme", &["Mode 1"]);
    let foreign = world
        .file
        .add_variable(other, "color/a", VariableType::Color);
    world.snapshot_of("Theme", &rows(PLAIN));
    world.settle();
    // Two collections of one name are made only at the designer's word.
    assert_eq!(waits(&world), Some(WaitReason::Renames));
    assert_eq!(names(&world)[0].0, "Tokens");
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    let after: Vec<_> = variables(&world)
        .into_iter()
        .filter(|(id, ..)| *id != foreign)
        .collect();
    assert_eq!(after, before);
    assert_eq!(names(&world)[0].0, "Theme");
    assert_eq!(world.file.variables[&foreign].values.len(), 1);
}

#[test]
fn a_collection_of_which_only_most_fits_is_asked_about() {
    let world = World::live(File::new(), &rows(SHEET));
    let before = variables(&world);
    let changed = SHEET
        .replace("brand", "Acme")
        .replace("color/b", "color/q")
        .replace("{color/q}", "#dddddd");
    for apart in [false, true] {
        let mut world = World::live(File::new(), &rows(SHEET));
        world = reopened(world);
        world.snapshot(&rows(&changed));
        world.settle();
        assert!(waits(&world).is_some());
        let preview = world.preview().clone();
        assert_eq!(preview.rows[0].kind, PreviewKind::Rename);
        assert_eq!(preview.rows[0].fields[0].before.as_deref(), Some("brand"));
        assert_eq!(preview.rows[0].fields[0].after, "Acme");
        assert_eq!(variables(&world), before);
        if apart {
            world.engine.keep_apart(preview.plan);
            world.settle();
            // What is without rows now waits to be removed, and the new collection to be made.
            assert!(waits(&world).is_some());
            assert_eq!(world.preview().counts.collections, 1);
        } else {
            world.engine.approve(preview.plan, false);
            world.settle();
            assert_eq!(names(&world)[0].0, "Acme");
            assert_eq!(names(&world).len(), 2);
        }
    }
}

#[test]
fn a_renamed_header_renames_the_mode() {
    for reopens in [false, true] {
        let mut world = World::live(File::new(), &rows(SHEET));
        let before = variables(&world);
        if reopens {
            world = reopened(world);
            world.snapshot(&with(SHEET, "Dark ", "Night"));
        } else {
            world.change(5, &[(0, 3, "Night")]);
        }
        world.settle();
        assert_eq!(waits(&world), None);
        assert_eq!(variables(&world), before);
        for (_, modes) in names(&world) {
            assert_eq!(modes, ["Light", "Night"]);
        }
        assert_eq!(world.report().problems, []);
        let kept = world.kept.clone().expect("connected");
        assert_eq!(kept.renamed_modes, Vec::<String>::new());
        // And back, with the other header taken along.
        world.change(5, &[(0, 2, "Day"), (0, 3, "Dark")]);
        world.settle();
        for (_, modes) in names(&world) {
            assert_eq!(modes, ["Day", "Dark"]);
        }
        assert_eq!(variables(&world), before);
    }
}

#[test]
fn headers_may_change_while_columns_move() {
    let world = World::live(File::new(), &rows(SHEET));
    let before = variables(&world);
    let mut world = reopened(world);
    world.snapshot(&rows(
        "
        | Notes | Token   | Night   | Light   | Collection |
        | x     | color/a | #eeeeee | #111111 | brand      |
        |       | color/b | #dddddd | #222222 | brand      |
        |       | color/c | {color/b} | {color/a} | brand  |
        |       | gap/1   | 8       | 4       | layout     |
        ",
    ));
    world.settle();
    // Two of four headers are other words in other places: too little to go by.
    assert_eq!(waits(&world), Some(WaitReason::Shrunken));
    assert_eq!(variables(&world), before);
    world.snapshot(&rows(
        "
        | Notes | Collection | Name    | Light   | Night   |
        | x     | brand      | color/a | #111111 | #eeeeee |
        |       | brand      | color/b | #222222 | #dddddd |
        |       | brand      | color/c | {color/a} | {color/b} |
        |       | layout     | gap/1   | 4       | 8       |
        ",
    ));
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(variables(&world), before);
    assert_eq!(names(&world)[0].1, ["Light", "Night"]);
}

#[test]
fn a_column_that_gave_way_to_another_is_asked_about() {
    let sheet = "
        | Collection | Name    | Light   | Contrast |
        | brand      | color/a | #111111 | #ffffff |
        | brand      | color/b | #222222 | #000000 |
        | brand      | color/c | {color/a} | {color/a} |
        | layout     | gap/1   | 4       | 16      |
    ";
    for apart in [false, true] {
        let world = World::live(File::new(), &rows(SHEET));
        let before = variables(&world);
        let mut world = reopened(world);
        world.snapshot(&rows(sheet));
        world.settle();
        assert_eq!(waits(&world), Some(WaitReason::Renames));
        assert_eq!(variables(&world), before);
        // Asked again by a plugin that opens later.
        let mut world = reopened(world);
        world.snapshot(&rows(sheet));
        world.settle();
        assert_eq!(waits(&world), Some(WaitReason::Renames));
        let plan = world.preview().plan;
        if apart {
            world.engine.keep_apart(plan);
            world.settle();
            assert_eq!(names(&world)[0].1, ["Light", "Dark", "Contrast"]);
        } else {
            world.engine.approve(plan, false);
            world.settle();
            assert_eq!(names(&world)[0].1, ["Light", "Contrast"]);
        }
    }
}

#[test]
fn a_name_changed_on_both_sides_is_a_conflict() {
    for choice in [Choice::Sheet, Choice::Figma] {
        let mut world = World::live(File::new(), &rows(SHEET));
        let before = variables(&world);
        world.file.collections[0].name = "Ours".into();
        world.file.collections[0].modes[1] = "Nuit".into();
        let mut world = reopened(world);
        world.snapshot(&rows(
            &SHEET.replace("brand", "Acme").replace("Dark ", "Night"),
        ));
        world.settle();
        assert_eq!(waits(&world), None);
        assert_eq!(variables(&world), before);
        assert_eq!(
            listed(&world),
            [
                (
                    DifferenceKind::Conflict,
                    "collection".into(),
                    "Ours".into(),
                    "Acme".into()
                ),
                (
                    DifferenceKind::Conflict,
                    "mode".into(),
                    "Nuit".into(),
                    "Night".into()
                ),
            ]
        );
        // Still so for whoever opens it next.
        let mut world = reopened(world);
        world.snapshot(&rows(
            &SHEET.replace("brand", "Acme").replace("Dark ", "Night"),
        ));
        world.settle();
        assert_eq!(listed(&world).len(), 2);
        let list = differences(&world).list;
        world.engine.choose(list, &[], choice);
        world.settle();
        let (name, mode) = match choice {
            Choice::Sheet => ("Acme", "Night"),
            Choice::Figma | Choice::Send => ("Ours", "Nuit"),
        };
        assert_eq!(names(&world)[0], named(name, &["Light", mode]));
        let mut world = reopened(world);
        world.snapshot(&rows(
            &SHEET.replace("brand", "Acme").replace("Dark ", "Night"),
        ));
        world.settle();
        assert_eq!(names(&world)[0], named(name, &["Light", mode]));
        assert!(
            listed(&world)
                .iter()
                .all(|(kind, ..)| *kind == DifferenceKind::Drift)
        );
        assert_eq!(variables(&world), before);
    }
}

#[test]
fn a_refused_rename_is_told_and_tried_again() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.file.refuses_names = true;
    let cells = [
        (0, 3, "Night"),
        (1, 0, "Acme"),
        (2, 0, "Acme"),
        (3, 0, "Acme"),
    ];
    world.change(5, &cells);
    world.settle();
    assert_eq!(names(&world)[0], named("brand", &["Light", "Dark"]));
    let problems: Vec<&str> = world
        .report()
        .problems
        .iter()
        .map(|problem| problem.address.as_str())
        .collect();
    assert_eq!(problems, ["Tokens!A1", "Tokens!D1", "Tokens!D1"]);
    // The values reach the mode that is there.
    world.change(6, &[(1, 3, "#000000")]);
    world.settle();
    assert_eq!(world.report().counts.changed, 1);
    // Another plugin knows what was to be renamed, and does it as soon as Figma lets it.
    world.file.refuses_names = false;
    let before = variables(&world);
    let mut world = reopened(world);
    world.snapshot(&rows(
        &SHEET
            .replace("brand", "Acme")
            .replace("Dark ", "Night")
            .replace("#eeeeee", "#000000"),
    ));
    world.settle();
    assert_eq!(names(&world)[0], named("Acme", &["Light", "Night"]));
    assert_eq!(variables(&world), before);
}

#[test]
fn a_header_that_can_not_be_a_mode_is_told_at_its_cell() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = variables(&world);
    let long = "x".repeat(41);
    world.change(5, &[(0, 3, long.as_str())]);
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Shrunken));
    let told = |world: &World| {
        let problems = world.preview().problems.iter();
        problems
            .filter(|problem| problem.address == "Tokens!D1")
            .any(|problem| problem.message.contains("41 characters"))
    };
    assert!(told(&world));
    assert_eq!(variables(&world), before);
    world.change(6, &[(0, 3, "Night"), (1, 3, "#000000")]);
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(names(&world)[0].1, ["Light", "Night"]);
    assert_eq!(world.report().counts.changed, 1);
}

#[test]
fn a_row_left_out_stays_so_when_its_collection_is_renamed() {
    let mut world = World::connected(File::new(), &rows(SHEET));
    let preview = world.preview().clone();
    let place = preview
        .rows
        .iter()
        .position(|row| row.name == "color/c")
        .expect("a row");
    world.engine.leave_out(preview.plan, &[place as u32]);
    world.settle();
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    assert_eq!(world.file.variables.len(), 3);
    world.snapshot(&with(SHEET, "brand", "Acme"));
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(world.file.variables.len(), 3);
    assert_eq!(names(&world)[0].0, "Acme");
    let kept = world.kept.clone().expect("connected");
    assert_eq!(kept.left_out, ["nAcme\ncolor/c"]);
}
