//! What a designer lives through, one story a test.

use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{
    Counts, DriftPolicy, MergePolicy, PreviewKind, ToPanel, WaitReason,
};
use sheetwire_core::protocol::relay::{Position, SheetRef};
use sheetwire_core::session::StopReason;
use sheetwire_core::value::VariableType;

use crate::file::{File, World};
use crate::sheet::rows;

const SHEET: &str = "
    | Collection | Name            | light      | dark        | Type  | Description | Scopes   | code:web |
    | mode       | color/bg        | {color/white} | {base:color/black} |  |  the page | ALL_FILLS | --bg |
    | mode       | color/veil      | {color/black} / 50% | #00000080 | COLOR | | |  |
    | Base colours |               |            |             |       |             |          |          |
    | base       | color/white     | #ffffff    |             | COLOR |             |          |          |
    | base       | color/black     | #000       |             | COLOR |             |          |          |
    | base       | size/1          | 4          |             | FLOAT |             |          |          |
";

fn color(hex: u32) -> Held {
    let channel = |shift: u32| (((hex >> shift) & 255) as f64 / 255.0) as f32;
    Held::Color([channel(16), channel(8), channel(0), 1.0])
}

fn value(world: &World, collection: &str, name: &str, mode: usize) -> Held {
    let id = world
        .file
        .id_of(collection, name)
        .expect("the variable is there");
    world.file.variables[&id].values[mode].clone()
}

fn stopped(world: &World) -> Vec<StopReason> {
    let reasons = world.told.iter().filter_map(|message| match message {
        ToPanel::Stopped { reason } => Some(*reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn the_first_plan_is_previewed_and_then_applied() {
    let mut world = World::connected(File::new(), &rows(SHEET));
    assert_eq!(world.file.writes, 0);
    let preview = world.preview().clone();
    assert_eq!(preview.problems, []);
    assert_eq!(
        preview.counts,
        Counts {
            collections: 2,
            modes: 3,
            created: 5,
            ..Counts::default()
        }
    );
    assert_eq!(preview.rows[0].fields[0].after, "{base:color/white}");
    assert_eq!(preview.rows[0].address, "Tokens!B2");
    world.engine.approve(preview.plan, false);
    world.settle();
    let report = world.report();
    assert_eq!(report.problems, []);
    assert_eq!(
        report.counts,
        Counts {
            collections: 2,
            modes: 3,
            created: 5,
            ..Counts::default()
        }
    );
    assert_eq!(world.file.undo_steps, 1);
    assert_eq!(world.file.collections[0].modes, ["light", "dark"]);
    assert_eq!(world.file.collections[1].modes, ["light"]);
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
    let white = world.file.id_of("base", "color/white").expect("made");
    assert!(
        matches!(value(&world, "mode", "color/bg", 0), Held::Alias(Some(target)) if target.0 == white)
    );
    assert!(
        matches!(value(&world, "mode", "color/veil", 0), Held::Composed(Some(_), opacity) if opacity == 50.0)
    );
    let id = world.file.id_of("mode", "color/bg").expect("made");
    let variable = &world.file.variables[&id];
    assert_eq!(
        (
            variable.description.as_str(),
            variable.code[0].as_str(),
            variable.scopes
        ),
        ("the page", "--bg", 1 << 5)
    );
    assert!(
        world
            .kept
            .as_ref()
            .is_some_and(|connection| connection.approved)
    );
}

#[test]
fn a_second_sync_writes_nothing() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let writes = world.file.writes;
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.file.writes, writes);
    assert_eq!(
        world.report().counts,
        Counts {
            unchanged: 5,
            ..Counts::default()
        }
    );
    assert_eq!(world.file.undo_steps, 1);
}

#[test]
fn reopening_writes_nothing() {
    let world = World::live(File::new(), &rows(SHEET));
    let writes = world.file.writes;
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(SHEET));
    world.settle();
    assert_eq!(world.file.writes, writes);
    assert_eq!(world.report().writes, 0);
}

#[test]
fn an_edit_changes_its_variable_alone() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let writes = world.file.writes;
    world.change(7, &[(4, 2, "#123456")]);
    world.settle();
    // The value, and what the two sides agree on now.
    assert_eq!(world.file.writes, writes + 2);
    assert_eq!(value(&world, "base", "color/white", 0), color(0x123456));
    assert_eq!(
        world.report().counts,
        Counts {
            changed: 1,
            unchanged: 4,
            ..Counts::default()
        }
    );
}

#[test]
fn changes_that_come_during_a_run_are_done_after_it() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(7, &[(4, 2, "#111111")]);
    for _ in 0..3 {
        world.step();
    }
    world.change(7, &[(4, 2, "#222222")]);
    world.change(7, &[(5, 2, "#333333")]);
    assert!(world.engine.announced() <= 2);
    world.settle();
    assert_eq!(value(&world, "base", "color/white", 0), color(0x222222));
    assert_eq!(value(&world, "base", "color/black", 0), color(0x333333));
}

#[test]
fn unreadable_cells_have_an_address_and_stop_nothing_else() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(7, &[(4, 2, "#12345"), (5, 2, "#111")]);
    world.settle();
    let report = world.report().clone();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].address, "Tokens!C5");
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
    assert_eq!(value(&world, "base", "color/black", 0), color(0x111111));
    world.change(7, &[(4, 2, "#123456")]);
    world.settle();
    assert_eq!(world.report().problems, []);
}

#[test]
fn duplicates_are_both_left_alone_and_both_named() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(
        8,
        &[
            (7, 0, "base"),
            (7, 1, "color/white"),
            (7, 2, "#ff0000"),
            (7, 4, "COLOR"),
        ],
    );
    world.settle();
    let problems = world.report().problems.clone();
    let addresses: Vec<&str> = problems
        .iter()
        .map(|problem| problem.address.as_str())
        .collect();
    // The row that refers to the quarantined name says so too.
    assert_eq!(addresses, ["Tokens!C2", "Tokens!B5", "Tokens!B8"]);
    assert!(problems[1].message.contains("Tokens!B8") && problems[2].message.contains("Tokens!B5"));
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
    world.change(8, &[(7, 1, "color/red")]);
    world.settle();
    assert_eq!(world.report().problems, []);
    assert_eq!(value(&world, "base", "color/red", 0), color(0xff0000));
}

#[test]
fn rows_that_go_wait_for_the_designer() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(6, &[]);
    world.settle();
    let Some(ToPanel::Waiting { reason, preview }) = world.told.last().cloned() else {
        panic!("the plan should wait: {:?}", world.told.last());
    };
    assert_eq!(reason, WaitReason::Removes);
    assert_eq!(preview.counts.removed, 1);
    assert_eq!(preview.rows[0].kind, PreviewKind::Remove);
    assert!(world.file.id_of("base", "size/1").is_some());
    world.engine.approve(preview.plan, true);
    world.settle();
    assert!(world.file.id_of("base", "size/1").is_none());
    assert_eq!(world.report().counts.removed, 1);
}

#[test]
fn kept_variables_are_not_asked_about_again() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(6, &[]);
    world.settle();
    let plan = world.preview().plan;
    world.engine.keep_removed(plan, &mut world.file);
    world.settle();
    assert!(world.file.id_of("base", "size/1").is_some());
    world.engine.sync_now();
    world.settle();
    assert_eq!(
        world.report().counts,
        Counts {
            unchanged: 4,
            ..Counts::default()
        }
    );
}

#[test]
fn a_plan_that_is_out_of_date_is_not_applied() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(6, &[]);
    world.settle();
    let plan = world.preview().plan;
    world.change(6, &[(4, 2, "#0000ff")]);
    world.settle();
    world.engine.approve(plan, true);
    world.settle();
    assert!(matches!(world.told.last(), Some(ToPanel::Refused { .. })));
    assert!(world.file.id_of("base", "size/1").is_some());
}

#[test]
fn an_empty_sheet_stops_and_asks() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = world.file.clone();
    world.snapshot(&[]);
    world.settle();
    assert!(matches!(
        world.told.last(),
        Some(ToPanel::Waiting {
            reason: WaitReason::Shrunken,
            ..
        })
    ));
    assert_eq!(world.preview().problems.len(), 1);
    assert_eq!(world.file, before);
    world.snapshot(&rows(SHEET));
    world.settle();
    assert_eq!(world.report().writes, 0);
}

#[test]
fn a_sheet_that_lost_its_columns_stops_and_asks() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let without: Vec<Vec<String>> = rows(SHEET)
        .into_iter()
        .map(|row| row.into_iter().skip(1).collect())
        .collect();
    world.snapshot(&without);
    world.settle();
    assert!(matches!(
        world.told.last(),
        Some(ToPanel::Waiting {
            reason: WaitReason::Shrunken,
            ..
        })
    ));
    assert!(world.preview().problems[0].message.contains("“Collection”"));
}

#[test]
fn moved_columns_and_title_rows_change_nothing() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let writes = world.file.writes;
    let mut moved: Vec<Vec<String>> = vec![vec!["Our tokens".into()], vec!["".into()]];
    moved.extend(rows(SHEET).into_iter().map(|mut row| {
        row.swap(2, 3);
        row.insert(0, "note".into());
        row
    }));
    moved[2][0] = "Owner".into();
    world.snapshot(&moved);
    world.settle();
    assert_eq!(world.file.writes, writes);
    assert_eq!(world.report().problems, []);
}

#[test]
fn most_rows_gone_is_shrunken() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.snapshot(&rows(SHEET)[..2]);
    world.settle();
    assert!(matches!(
        world.told.last(),
        Some(ToPanel::Waiting {
            reason: WaitReason::Shrunken,
            ..
        })
    ));
}

#[test]
fn a_foreign_variable_is_used_and_never_removed() {
    let mut file = File::new();
    let base = file.add_collection("base", &["light"]);
    file.add_variable(base, "color/white", VariableType::Color);
    file.add_variable(base, "mine", VariableType::Float);
    let mut world = World::live(file, &rows(SHEET));
    assert_eq!(world.report().counts.created, 4);
    assert_eq!(world.report().counts.changed, 0);
    world.change(6, &[(4, 1, "")]);
    world.settle();
    let preview = world.preview();
    assert_eq!(
        preview.counts.removed, 1,
        "only the one that Sheetwire made"
    );
    assert_eq!(
        preview.rows.last().map(|row| row.name.as_str()),
        Some("size/1")
    );
}

#[test]
fn a_type_is_never_changed_silently() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(7, &[(6, 4, "STRING")]);
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Retypes));
    assert_eq!(world.report().writes, 0);
    let row = &world.preview().rows[0];
    assert_eq!(
        (row.kind, row.address.as_str()),
        (PreviewKind::Retype, "Tokens!E7")
    );
    assert_eq!(row.fields[0].before.as_deref(), Some("FLOAT"));
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(4.0));
}

#[test]
fn circles_of_aliases_are_named_and_mended() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(7, &[(4, 2, "{mode:color/bg}")]);
    world.settle();
    let addresses: Vec<String> = world
        .report()
        .problems
        .iter()
        .map(|problem| problem.address.clone())
        .collect();
    assert_eq!(addresses, ["Tokens!C2", "Tokens!C5"]);
    world.change(7, &[(4, 2, "#fff")]);
    world.settle();
    assert_eq!(world.report().problems, []);
    let writes = world.file.writes;
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.file.writes, writes);
}

#[test]
fn an_alias_follows_when_its_target_appears() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(7, &[(1, 2, "{color/new}")]);
    world.settle();
    assert_eq!(world.report().problems[0].address, "Tokens!C2");
    world.change(8, &[(7, 0, "base"), (7, 1, "color/new"), (7, 2, "#00ff00")]);
    world.settle();
    assert_eq!(world.report().problems, []);
    let new = world.file.id_of("base", "color/new").expect("made");
    assert!(
        matches!(value(&world, "mode", "color/bg", 0), Held::Alias(Some(target)) if target.0 == new)
    );
}

#[test]
fn the_plans_mode_limit_is_explained() {
    let file = File {
        mode_limit: 1,
        ..File::new()
    };
    let world = World::live(file, &rows(SHEET));
    let report = world.report();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].address, "Tokens!D1");
    assert!(report.problems[0].message.contains("plan allows 1 mode"));
    assert_eq!(world.file.variables.len(), 5);
}

#[test]
fn a_read_only_file_is_said_and_nothing_is_tried_again() {
    let file = File {
        read_only: true,
        ..File::new()
    };
    let mut world = World::live(file, &rows(SHEET));
    assert_eq!(stopped(&world), [StopReason::ReadOnly]);
    world.change(7, &[(4, 2, "#123456")]);
    world.settle();
    assert_eq!(world.file.writes, 0);
}

#[test]
fn a_run_that_fails_halfway_is_finished_by_the_next() {
    let file = File {
        fault_after: 6,
        faults: 5,
        ..File::new()
    };
    let mut world = World::live(file, &rows(SHEET));
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.report().problems, []);
    let good = World::live(File::new(), &rows(SHEET));
    assert_eq!(world.file.variables.len(), good.file.variables.len());
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(4.0));
}

#[test]
fn three_failed_runs_stop_the_sync() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.file.faults = 100;
    for text in ["#111111", "#222222", "#333333", "#444444"] {
        world.change(7, &[(4, 2, text)]);
        world.settle();
    }
    assert_eq!(stopped(&world), [StopReason::Breaker]);
    world.file.faults = 0;
    world.engine.sync_now();
    world.settle();
    assert_eq!(value(&world, "base", "color/white", 0), color(0x444444));
}

#[test]
fn a_variable_removed_meanwhile_is_made_again() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let id = world.file.id_of("base", "size/1").expect("made");
    world.file.variables.remove(&id);
    world.change(7, &[(6, 2, "8")]);
    world.settle();
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(8.0));
    // And while the engine is between reading and writing.
    world.meanwhile = Some(|file| {
        if let Some(id) = file.id_of("base", "size/1")
            && file.writes < 100
        {
            file.writes = 100;
            file.variables.remove(&id);
        }
    });
    world.change(7, &[(6, 2, "9")]);
    world.settle();
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(9.0));
    assert_eq!(world.report().problems, []);
}

#[test]
fn a_variable_made_meanwhile_is_used() {
    let mut world = World::connected(File::new(), &rows(SHEET));
    let base = world.file.add_collection("base", &["light"]);
    world
        .file
        .add_variable(base, "color/white", VariableType::Color);
    let plan = world.preview().plan;
    // The file has a collection the engine does not know of: its slots are stale, so it reads again first.
    world.engine.sync_now();
    world.settle();
    world.engine.approve(plan, false);
    world.settle();
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    assert_eq!(world.report().problems, []);
    assert_eq!(world.file.collections.len(), 2);
    assert_eq!(world.file.variables.len(), 5);
}

#[test]
fn cancel_leaves_what_was_written_and_goes_on_later() {
    let mut world = World::connected(File::new(), &rows(SHEET));
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    while world.file.variables.len() < 2 {
        world.step();
    }
    world.engine.cancel();
    world.settle();
    assert!(world.report().cancelled);
    assert_eq!(world.file.variables.len(), 2);
    assert_eq!(world.file.undo_steps, 1);
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.file.variables.len(), 5);
    assert_eq!(world.report().problems, []);
}

#[test]
fn an_id_keeps_the_variable_through_a_rename() {
    let sheet = "
        | id | Name   | Value |
        | 1  | color/a | #fff |
        | 2  | color/b | {color/a} |
    ";
    let mut world = World::live(File::new(), &rows(sheet));
    let id = world
        .file
        .id_of("Tokens", "color/a")
        .expect("made in a collection named after the tab");
    world.change(3, &[(1, 1, "color/paper"), (2, 2, "{color/paper}")]);
    world.settle();
    assert_eq!(world.file.id_of("Tokens", "color/paper"), Some(id));
    assert_eq!(world.file.variables.len(), 2);
    assert_eq!(world.report().problems, []);
    // Renamed in Figma: it keeps its binding and its new name, until the file's policy says otherwise.
    world.file.variables.get_mut(&id).expect("there").name = "mine".into();
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.file.id_of("Tokens", "mine"), Some(id));
    assert_eq!(world.file.variables.len(), 2);
    world.engine.set_policy(MergePolicy {
        drift: DriftPolicy::Overwrite,
        ..MergePolicy::default()
    });
    world.settle();
    assert_eq!(world.file.id_of("Tokens", "color/paper"), Some(id));
}

#[test]
fn a_rename_in_figma_keeps_the_variable_without_ids() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let id = world.file.id_of("base", "color/white").expect("made");
    world.file.variables.get_mut(&id).expect("there").name = "white".into();
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.file.id_of("base", "white"), Some(id));
    assert_eq!(world.file.variables.len(), 5);
}

#[test]
fn cells_of_another_sheet_are_refused() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let other = SheetRef {
        spreadsheet_id: "other".into(),
        sheet_id: 0,
    };
    assert!(!world.engine.announce_changes(
        &other,
        Position {
            epoch: "e".into(),
            revision: 9
        },
        3
    ));
    world.hear();
    assert!(matches!(world.told.last(), Some(ToPanel::Refused { .. })));
}

#[test]
fn nothing_is_written_while_the_toggle_is_off() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.engine.toggle(false);
    let writes = world.file.writes;
    world.change(7, &[(4, 2, "#123456")]);
    world.settle();
    assert_eq!(world.file.writes, writes);
    world.engine.toggle(true);
    world.settle();
    assert_eq!(value(&world, "base", "color/white", 0), color(0x123456));
}

#[test]
fn a_sheet_without_a_header_says_what_is_missing() {
    let mut world = World::new(File::new());
    world.engine.connect(crate::sheet::sheet_ref());
    world.snapshot(&rows("| a | b |\n| c | d |"));
    world.settle();
    let Some(ToPanel::Inferred { problems, .. }) = world.told.last() else {
        panic!("columns should be inferred");
    };
    assert_eq!(problems.len(), 2);
    let (columns, header_row) = world.inferred();
    world
        .engine
        .confirm_columns(None, columns, header_row, None);
    world.settle();
    assert!(matches!(world.told.last(), Some(ToPanel::Refused { .. })));
}

#[test]
fn names_that_figma_refuses_are_problems() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(8, &[(7, 1, "spacing/0.5"), (7, 2, "4")]);
    world.settle();
    assert_eq!(world.report().problems[0].address, "Tokens!B8");
    assert_eq!(world.file.variables.len(), 5);
}

#[test]
fn an_alias_to_what_was_just_removed_is_told_in_the_same_run() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let mut without = rows(SHEET);
    without.retain(|row| row.get(1).is_none_or(|name| name != "color/white"));
    world.snapshot(&without);
    world.settle();
    let plan = world.preview().plan;
    world.engine.approve(plan, true);
    world.settle();
    assert_eq!(world.file.id_of("base", "color/white"), None);
    let report = world.report();
    assert_eq!(report.counts.removed, 1);
    let told: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.address.as_str())
        .collect();
    assert_eq!(told, ["Tokens!C2"]);
}

#[test]
fn a_plan_that_waits_is_not_applied_while_sync_is_off() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let mut without = rows(SHEET);
    without.retain(|row| row.get(1).is_none_or(|name| name != "size/1"));
    world.snapshot(&without);
    world.settle();
    let plan = world.preview().plan;
    world.engine.toggle(false);
    world.engine.approve(plan, true);
    world.settle();
    assert!(world.file.id_of("base", "size/1").is_some());
    assert!(matches!(world.told.last(), Some(ToPanel::Refused { .. })));
}

#[test]
fn a_row_with_an_id_that_changes_its_collection_is_told() {
    let sheet = "
        | id | Collection | Name   | Type  | light | dark |
        | r1 | base       | size/1 | FLOAT | 1     |      |
        | r2 | other      | size/2 | FLOAT | 2     | 3    |
    ";
    let mut world = World::live(File::new(), &rows(sheet));
    let before = world.file.clone();
    world.change(3, &[(1, 1, "other"), (1, 4, "9")]);
    world.settle();
    assert_eq!(world.file.variables, before.variables);
    let problems = &world.report().problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].address, "Tokens!B2");
    assert_eq!(
        problems[0].message,
        "The variable of this row is in the collection “base”, and Figma can't move a variable to another one."
    );
    // With an id of its own it is another variable; what becomes of the old one is the designer's to say.
    world.change(3, &[(1, 0, "r3")]);
    world.settle();
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    assert!(world.file.id_of("other", "size/1").is_some());
    assert!(world.file.id_of("base", "size/1").is_some());
    assert_eq!(world.report().problems, []);
}

#[test]
fn an_alias_to_the_old_name_of_a_renamed_row_is_told() {
    let sheet = "
        | id | Collection | Name   | Type  | light    |
        | r1 | base       | size/1 | FLOAT | 1        |
        | r2 | base       | size/2 | FLOAT | {size/1} |
    ";
    let mut world = World::live(File::new(), &rows(sheet));
    world.change(3, &[(1, 2, "size/one")]);
    world.settle();
    assert!(world.file.id_of("base", "size/one").is_some());
    let told = |world: &World| -> Vec<String> {
        let problems = world.report().problems.iter();
        problems.map(|problem| problem.address.clone()).collect()
    };
    assert_eq!(told(&world), ["Tokens!E3"]);
    world.engine.sync_now();
    world.settle();
    assert_eq!(
        told(&world),
        ["Tokens!E3"],
        "comparing everything says the same"
    );
}

#[test]
fn an_alias_is_told_when_a_row_that_had_lost_its_name_takes_another() {
    let sheet = "
        | id | Collection | Name   | Type  | light    |
        | r1 | base       | size/1 | FLOAT | 1        |
        | r2 | base       | size/2 | FLOAT | {size/1} |
    ";
    let mut world = World::live(File::new(), &rows(sheet));
    world.change(3, &[(1, 2, "")]);
    world.settle();
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    world.change(3, &[(1, 2, "size/one")]);
    world.settle();
    assert!(world.file.id_of("base", "size/one").is_some());
    let told: Vec<&str> = world
        .report()
        .problems
        .iter()
        .map(|problem| problem.address.as_str())
        .collect();
    assert_eq!(told, ["Tokens!E3"]);
}

/// What undo takes back: values, plugin data and the mark, all in the document.
fn point(world: &World) -> File {
    world.file.clone()
}

fn take_back(world: &mut World, before: &File) {
    world.file.variables.clone_from(&before.variables);
    world.file.mark.clone_from(&before.mark);
}

fn waits(world: &World) -> Option<WaitReason> {
    match world.told.last() {
        Some(ToPanel::Waiting { reason, .. }) => Some(*reason),
        _ => None,
    }
}

#[test]
fn an_undone_run_is_not_done_again_unasked() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = point(&world);
    world.change(7, &[(4, 2, "#123456")]);
    world.settle();
    let after = point(&world);
    take_back(&mut world, &before);
    world.engine.sync_now();
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Undone));
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
    // The designer takes the undo back: nothing waits any more.
    take_back(&mut world, &after);
    world.engine.sync_now();
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(world.report().writes, 0);
    // Undone again, and then done again at the designer's word.
    take_back(&mut world, &before);
    world.change(7, &[(6, 2, "8")]);
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Undone));
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(4.0));
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    assert_eq!(value(&world, "base", "color/white", 0), color(0x123456));
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(8.0));
    world.change(7, &[(6, 2, "16")]);
    world.settle();
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(16.0));
}

#[test]
fn an_undone_run_is_known_after_reopening_and_can_be_left_undone() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = point(&world);
    let edited = SHEET.replace("#ffffff", "#123456");
    world.change(7, &[(4, 2, "#123456")]);
    world.settle();
    take_back(&mut world, &before);
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(&edited));
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Undone));
    let plan = world.preview().plan;
    world.engine.keep_file(plan);
    world.settle();
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
    let drift = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences.clone()),
        _ => None,
    });
    assert_eq!(
        drift.map(|list| (list.drifts, list.conflicts)),
        Some((1, 0))
    );
    // Whatever the sheet says from now on is a change of the sheet's again.
    world.change(7, &[(6, 2, "8")]);
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(8.0));
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
}

#[test]
fn rows_whose_variables_were_undone_can_be_left_out() {
    let short = SHEET.replace(
        "    | base       | size/1          | 4          |             | FLOAT |             |          |          |\n",
        "",
    );
    let mut world = World::live(File::new(), &rows(&short));
    let before = point(&world);
    world.change(7, &[(6, 0, "base"), (6, 1, "size/1"), (6, 2, "4")]);
    world.settle();
    assert!(world.file.id_of("base", "size/1").is_some());
    take_back(&mut world, &before);
    world.engine.sync_now();
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Undone));
    let plan = world.preview().plan;
    world.engine.keep_file(plan);
    world.settle();
    assert_eq!(world.file.id_of("base", "size/1"), None);
    assert_eq!(
        world.kept.as_ref().map(|kept| kept.left_out.clone()),
        Some(vec![String::from("nbase\nsize/1")])
    );
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(SHEET));
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(world.file.id_of("base", "size/1"), None);
    assert_eq!(world.report().counts.created, 0);
}

const PLAIN: &str = "
    | Name     | Light   | Dark    |
    | color/a  | #111111 | #eeeeee |
    | color/b  | #222222 | #dddddd |
    | color/c  | {color/a} | {color/b} |
";

#[test]
fn a_name_changed_in_the_sheet_renames_the_variable_without_ids() {
    let mut world = World::live(File::new(), &rows(PLAIN));
    let id = world.file.id_of("Tokens", "color/a").expect("made");
    world.change(4, &[(1, 0, "ink/a"), (3, 1, "{ink/a}")]);
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(world.file.id_of("Tokens", "ink/a"), Some(id));
    assert_eq!(world.file.variables.len(), 3);
    assert_eq!(world.report().problems, []);
    // A whole new token in the row's place is no rename.
    world.change(4, &[(1, 0, "size/1"), (1, 1, "4"), (1, 2, "8")]);
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Removes));
    assert_eq!(world.file.id_of("Tokens", "ink/a"), Some(id));
}

#[test]
fn rows_put_in_and_taken_out_rename_nothing() {
    let mut world = World::live(File::new(), &rows(PLAIN));
    let before = world.file.variables.clone();
    // A row above: everything moves down by one.
    world.change(
        5,
        &[
            (1, 0, "color/new"),
            (1, 1, "#123456"),
            (1, 2, "#654321"),
            (2, 0, "color/a"),
            (2, 1, "#111111"),
            (2, 2, "#eeeeee"),
            (3, 0, "color/b"),
            (3, 1, "#222222"),
            (3, 2, "#dddddd"),
            (4, 0, "color/c"),
            (4, 1, "{color/a}"),
            (4, 2, "{color/b}"),
        ],
    );
    world.settle();
    assert_eq!(waits(&world), None);
    for (id, variable) in &before {
        assert_eq!(world.file.variables.get(id), Some(variable));
    }
    assert_eq!(world.file.variables.len(), 4);
}

#[test]
fn a_variable_that_was_there_keeps_its_row_through_renames_on_either_side() {
    let mut file = File::new();
    let collection = file.add_collection("Tokens", &["Light", "Dark"]);
    let id = file.add_variable(collection, "color/a", VariableType::Color);
    let mut world = World::live(file, &rows(PLAIN));
    assert_eq!(world.file.id_of("Tokens", "color/a"), Some(id));
    world.file.variables.get_mut(&id).expect("there").name = "mine".into();
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.file.id_of("Tokens", "mine"), Some(id));
    assert_eq!(world.file.variables.len(), 3);
    // Its row is gone: it was not ours, and stays.
    world.change(
        3,
        &[
            (1, 0, "color/b"),
            (1, 1, "#222222"),
            (1, 2, "#dddddd"),
            (2, 0, "x"),
            (2, 1, "#000000"),
            (2, 2, ""),
        ],
    );
    world.settle();
    assert_eq!(world.file.id_of("Tokens", "mine"), Some(id));
}

#[test]
fn names_can_be_exchanged() {
    let sheet = "
        | id | Name    | Value   |
        | 1  | color/a | #111111 |
        | 2  | color/b | #222222 |
        | 3  | color/c | #333333 |
    ";
    let mut world = World::live(File::new(), &rows(sheet));
    let id = |world: &World, name: &str| world.file.id_of("Tokens", name).expect("there");
    let before = ["color/a", "color/b", "color/c"].map(|name| id(&world, name));
    world.change(
        4,
        &[(1, 1, "color/b"), (2, 1, "color/c"), (3, 1, "color/a")],
    );
    world.settle();
    assert_eq!(world.report().problems, []);
    assert_eq!(
        ["color/b", "color/c", "color/a"].map(|name| id(&world, name)),
        before
    );
    assert_eq!(world.file.variables.len(), 3);
}

/// A sheet of 450 tokens, `rename` telling some names anew.
fn many(rename: impl Fn(usize) -> Option<String>) -> String {
    let mut sheet = String::from("| Name | Type | Light | Dark |\n");
    for at in 0..450 {
        let name = rename(at).unwrap_or_else(|| format!("group-{}/step-{at}", at / 50));
        // Some values are there often, as in a scale of spaces.
        sheet.push_str(&format!("| {name} | FLOAT | {} | {} |\n", at % 97, at % 5));
    }
    sheet
}

#[test]
fn two_hundred_names_in_the_sheet_and_two_hundred_in_figma_change_at_once() {
    let mut world = World::live(File::new(), &rows(&many(|_| None)));
    let id_of = |world: &World, name: &str| world.file.id_of("Tokens", name);
    let ids: Vec<u32> = (0..450)
        .map(|at| id_of(&world, &format!("group-{}/step-{at}", at / 50)).expect("made"))
        .collect();
    for (at, id) in ids.iter().enumerate().take(400).skip(200) {
        world.file.variables.get_mut(id).expect("there").name = format!("figma/name-{at}");
    }
    let in_sheet = |at: usize| (at < 200).then(|| format!("renamed/part-{}/step-{at}", at / 50));
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(&many(in_sheet)));
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Renames));
    let preview = world.preview().clone();
    assert_eq!((preview.counts.created, preview.counts.removed), (0, 0));
    assert!(
        preview
            .rows
            .iter()
            .all(|row| row.kind == PreviewKind::Rename)
    );
    world.engine.approve(preview.plan, false);
    world.settle();
    assert_eq!(world.report().problems, []);
    assert_eq!(world.file.variables.len(), 450);
    for (at, id) in ids.iter().enumerate() {
        let name = match at {
            0..200 => in_sheet(at).expect("renamed"),
            200..400 => format!("figma/name-{at}"),
            _ => format!("group-{}/step-{at}", at / 50),
        };
        assert_eq!(id_of(&world, &name), Some(*id), "{name}");
    }
    // What was renamed in Figma is shown as such, and nothing is left to do.
    let mut again = World::reopened(world.file, world.kept);
    again.snapshot(&rows(&many(in_sheet)));
    again.settle();
    assert_eq!(waits(&again), None);
    assert_eq!(again.report().writes, 0);
    let shown = again.told.iter().find_map(|message| match message {
        ToPanel::Differences(list) => Some(list.drifts),
        _ => None,
    });
    assert_eq!(shown, Some(200));
}

#[test]
fn a_guessed_rename_can_be_refused() {
    let world = World::live(File::new(), &rows(PLAIN));
    let id = world.file.id_of("Tokens", "color/a").expect("made");
    let renamed = PLAIN
        .replace("color/a ", "ink/a ")
        .replace("{color/a}", "{ink/a}");
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(&renamed));
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Renames));
    let plan = world.preview().plan;
    world.engine.keep_apart(plan);
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Removes));
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    assert_eq!(world.file.id_of("Tokens", "color/a"), Some(id));
    assert!(
        world
            .file
            .id_of("Tokens", "ink/a")
            .is_some_and(|new| new != id)
    );
}
fn left_out(world: &World) -> Vec<String> {
    world
        .kept
        .as_ref()
        .map_or_else(Vec::new, |kept| kept.left_out.clone())
}

#[test]
fn a_row_left_out_of_the_first_plan_is_not_made_until_it_is_taken_in() {
    let mut world = World::connected(File::new(), &rows(SHEET));
    let first = world.preview().clone();
    let place = first.rows.iter().position(|row| row.name == "size/1");
    world
        .engine
        .leave_out(first.plan, &[place.expect("planned") as u32]);
    world.settle();
    let second = world.preview().clone();
    assert_ne!(second.plan, first.plan);
    assert_eq!(second.counts.created, 4);
    assert!(second.rows.iter().all(|row| row.name != "size/1"));
    // The plan that is no longer shown can't be applied.
    world.engine.approve(first.plan, false);
    world.settle();
    assert_eq!(world.file.writes, 0);
    world.engine.approve(second.plan, false);
    world.settle();
    assert_eq!(world.report().counts.created, 4);
    assert_eq!(world.file.id_of("base", "size/1"), None);
    assert_eq!(left_out(&world), ["nbase\nsize/1"]);
    // The next session knows it, and edits of the row change nothing.
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(SHEET));
    world.settle();
    world.change(7, &[(6, 2, "8")]);
    world.settle();
    assert_eq!(world.file.id_of("base", "size/1"), None);
    world.engine.take_in(&left_out(&world));
    world.settle();
    assert_eq!(left_out(&world), Vec::<String>::new());
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(8.0));
}

#[test]
fn a_variable_whose_row_is_left_out_stays_as_it_is_and_is_not_removed() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = point(&world);
    world.change(7, &[(4, 2, "#123456"), (6, 2, "8")]);
    world.settle();
    take_back(&mut world, &before);
    world.engine.sync_now();
    world.settle();
    let plan = world.preview().clone();
    assert_eq!(plan.rows.len(), 2);
    let white = plan.rows.iter().position(|row| row.name == "color/white");
    let writes = world.file.writes;
    world
        .engine
        .leave_out(plan.plan, &[white.expect("planned") as u32]);
    world.settle();
    // What is left still waits, and for the same reason.
    assert_eq!(world.file.writes, writes);
    assert_eq!(waits(&world), Some(WaitReason::Undone));
    let rest = world.preview().clone();
    assert_eq!((rest.rows.len(), rest.counts.removed), (1, 0));
    world.engine.approve(rest.plan, false);
    world.settle();
    assert_eq!(value(&world, "base", "color/white", 0), color(0xffffff));
    assert_eq!(value(&world, "base", "size/1", 0), Held::Float(8.0));
    world.engine.sync_now();
    world.settle();
    assert_eq!(waits(&world), None);
    assert_eq!(world.report().counts.removed, 0);
}

#[test]
fn leaving_rows_out_of_a_large_plan_applies_nothing_by_itself() {
    let lines = |value: u32| -> String {
        let mut sheet = String::from("| Collection | Name | light | Type |\n");
        for at in 0..251 {
            sheet += &format!("| base | size/{at} | {value} | FLOAT |\n");
        }
        // As many again that stay, so that it is not most of the sheet.
        for at in 0..251 {
            sheet += &format!("| base | other/{at} | 1 | FLOAT |\n");
        }
        sheet
    };
    let mut world = World::live(File::new(), &rows(&lines(4)));
    world.snapshot(&rows(&lines(8)));
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Large));
    let plan = world.preview().plan;
    let writes = world.file.writes;
    world.engine.leave_out(plan, &[0, 9_999]);
    world.settle();
    assert_eq!(waits(&world), Some(WaitReason::Large));
    assert_eq!(world.preview().counts.changed, 250);
    assert_eq!(world.file.writes, writes);
    // Taking in what is not left out changes nothing, and the plan still waits.
    let kept = left_out(&world);
    let plan = world.preview().plan;
    world.engine.take_in(&[String::from("unknown")]);
    world.settle();
    assert_eq!(left_out(&world), kept);
    world.engine.approve(plan, false);
    world.settle();
    assert_eq!(value(&world, "base", "size/0", 0), Held::Float(4.0));
    assert_eq!(value(&world, "base", "size/250", 0), Held::Float(8.0));
}
