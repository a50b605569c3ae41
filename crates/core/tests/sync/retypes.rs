//! A type that changes in the sheet: asked for row by row, told with what it costs, done in one undo step.

use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{Preview, PreviewKind, ToPanel, WaitReason};
use sheetwire_core::value::VariableType;

use crate::file::{File, World};
use crate::sheet::rows;

const SHEET: &str = "
    | Collection | Name    | Light    | Dark     | Type  | Description | Scopes     | code:web  | id |
    | base       | size/1  | 4        | 5        | FLOAT | a size      | GAP, OPACITY | --size-1 | 1  |
    | base       | size/2  | {size/1} | 8        | FLOAT |             |            |           | 2  |
    | base       | label   | hello    | hi       | STRING |            |            |           |    |
";

fn sheet(cells: &[(usize, usize, &str)]) -> Vec<Vec<String>> {
    let mut sheet = rows(SHEET);
    for (row, column, text) in cells {
        sheet[*row][*column] = (*text).to_owned();
    }
    sheet
}

/// `label` is a colour from now on.
fn label() -> Vec<Vec<String>> {
    sheet(&[(3, 2, "#ff0000"), (3, 3, "#00ff00"), (3, 4, "COLOR")])
}

fn follows() -> World {
    let mut world = World::live(File::new(), &rows(SHEET));
    assert_eq!(world.report().problems, []);
    for (name, layers) in [("label", 7), ("size/1", 1)] {
        let id = world.file.id_of("base", name).expect("made");
        for at in 0..layers {
            world.file.layers.push((format!("Layer {at}"), id));
        }
    }
    world
}

fn bring(world: &mut World, sheet: &[Vec<String>]) {
    world.snapshot(sheet);
    world.settle();
}

fn waits(world: &World) -> (WaitReason, Preview) {
    match world.told.last() {
        Some(ToPanel::Waiting { reason, preview }) => (*reason, preview.clone()),
        other => panic!("the plan should wait: {other:?}"),
    }
}

fn kind(world: &World, name: &str) -> Option<VariableType> {
    let id = world.file.id_of("base", name)?;
    Some(world.file.variables[&id].kind)
}

#[test]
fn a_type_changes_by_confirmation_alone() {
    let mut world = follows();
    let old = world.file.id_of("base", "label").expect("made");
    let steps = world.file.undo_steps;
    // What else changed is synced; the type waits for itself.
    let mut changed = label();
    changed[1][2] = "6".into();
    bring(&mut world, &changed);
    assert_eq!(world.report().counts.changed, 1);
    let (reason, preview) = waits(&world);
    assert_eq!((reason, preview.counts.retyped), (WaitReason::Retypes, 1));
    assert_eq!(preview.problems, []);
    let row = &preview.rows[0];
    assert_eq!(
        (row.kind, row.address.as_str()),
        (PreviewKind::Retype, "Tokens!E4")
    );
    let fields: Vec<_> = row
        .fields
        .iter()
        .map(|field| {
            (
                field.field.as_str(),
                field.before.as_deref(),
                field.after.as_str(),
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("type", Some("STRING"), "COLOR"),
            ("Light", Some("hello"), "#ff0000"),
            ("Dark", Some("hi"), "#00ff00"),
        ]
    );
    let uses = row.uses.as_ref().expect("the layers were counted");
    assert_eq!((uses.layers, uses.names.len(), uses.partial), (7, 5, false));
    assert_eq!(kind(&world, "label"), Some(VariableType::String));

    // Another edit goes on meanwhile, and the question stays.
    changed[1][2] = "7".into();
    bring(&mut world, &changed);
    assert_eq!(world.report().counts.changed, 1);
    let (reason, preview) = waits(&world);
    assert_eq!(reason, WaitReason::Retypes);

    world.engine.approve_types(preview.plan, false, &[0]);
    world.settle();
    let report = world.report();
    assert_eq!(report.problems, []);
    assert_eq!(report.counts.retyped, 1);
    assert_eq!(world.file.undo_steps, steps + 3);
    let new = world.file.id_of("base", "label").expect("made anew");
    assert!(new != old && !world.file.variables.contains_key(&old));
    let variable = &world.file.variables[&new];
    assert_eq!(variable.kind, VariableType::Color);
    assert_eq!(variable.values[0], Held::Color([1.0, 0.0, 0.0, 1.0]));
    assert_eq!(variable.values[1], Held::Color([0.0, 1.0, 0.0, 1.0]));
    // Layers keep what is gone; nothing binds them again.
    assert_eq!(
        world
            .file
            .layers
            .iter()
            .filter(|(_, bound)| *bound == old)
            .count(),
        7
    );
    // It is the row's variable from now on.
    world.engine.sync_now();
    world.settle();
    assert_eq!(world.report().writes, 0);
}

#[test]
fn a_new_variable_has_what_the_old_one_had() {
    let mut world = follows();
    let id = world.file.id_of("base", "size/1").expect("made");
    world.file.variables.get_mut(&id).expect("there").hidden = true;
    // The one that refers to it changes its type as well.
    let both = sheet(&[
        (1, 2, "four"),
        (1, 3, "five"),
        (1, 4, "STRING"),
        (1, 6, ""),
        (2, 3, "eight"),
        (2, 4, "STRING"),
    ]);
    bring(&mut world, &both);
    let (_, preview) = waits(&world);
    assert_eq!(preview.counts.retyped, 2);
    // One of them alone would leave the other with a reference to nothing.
    world.engine.approve_types(preview.plan, false, &[0]);
    world.settle();
    assert_eq!(kind(&world, "size/1"), Some(VariableType::Float));
    let problems = &world.report().problems;
    assert!(
        problems.iter().any(|problem| problem
            .message
            .contains("“size/2” (Tokens!B3) refers to this variable")),
        "{problems:?}"
    );
    world.engine.sync_now();
    world.settle();
    let (_, preview) = waits(&world);
    world.engine.approve_types(preview.plan, false, &[0, 1]);
    world.settle();
    assert_eq!(world.report().problems, []);
    let one = world.file.id_of("base", "size/1").expect("made anew");
    let variable = &world.file.variables[&one];
    assert_eq!(variable.kind, VariableType::String);
    assert_eq!(
        (
            variable.description.as_str(),
            variable.code[0].as_str(),
            variable.hidden
        ),
        ("a size", "--size-1", true)
    );
    // Neither scope fits a text.
    assert_eq!(variable.scopes, 1);
    assert_eq!(variable.link.as_deref(), Some("i1"));
    let two = world.file.id_of("base", "size/2").expect("made anew");
    assert!(
        matches!(world.file.variables[&two].values[0], Held::Alias(Some(target)) if target.0 == one)
    );
}

#[test]
fn what_is_kept_is_not_asked_about_again() {
    for kept in [true, false] {
        let mut world = follows();
        bring(&mut world, &label());
        let (_, preview) = waits(&world);
        if kept {
            world.engine.keep_file(preview.plan);
        } else {
            world.engine.approve(preview.plan, false);
        }
        world.settle();
        let problem = world.report().problems[0].clone();
        assert_eq!(problem.address, "Tokens!E4");
        assert!(
            problem.message.contains("In Figma “label” is STRING"),
            "{problem:?}"
        );
        let mut edited = label();
        edited[1][2] = "6".into();
        bring(&mut world, &edited);
        assert!(matches!(world.told.last(), Some(ToPanel::Applied(_))));
        assert_eq!(kind(&world, "label"), Some(VariableType::String));
        // The old type again, and then another one: that is a new question.
        bring(&mut world, &rows(SHEET));
        assert_eq!(world.report().problems, []);
        bring(&mut world, &label());
        assert_eq!(waits(&world).0, WaitReason::Retypes);
    }
}

#[test]
fn what_would_break_is_not_offered() {
    let told = |world: &World, address: &str, words: &str| {
        let problems = world.report().problems.clone();
        assert!(
            problems
                .iter()
                .any(|problem| problem.address == address && problem.message.contains(words)),
            "{problems:?}"
        );
    };
    // A value that is none of the new type.
    let mut world = follows();
    bring(&mut world, &sheet(&[(3, 4, "COLOR")]));
    assert!(matches!(world.told.last(), Some(ToPanel::Applied(_))));
    told(&world, "Tokens!C4", "");
    // A variable of the sheet, or somebody's own, that refers to it.
    let size = sheet(&[(1, 2, "#000"), (1, 3, "#fff"), (1, 4, "COLOR"), (1, 6, "")]);
    let mut world = follows();
    bring(&mut world, &size);
    told(
        &world,
        "Tokens!E2",
        "“size/2” (Tokens!B3) refers to this variable",
    );
    let mut world = follows();
    let own = world.file.add_collection("own", &["Mode 1"]);
    let mine = world.file.add_variable(own, "mine", VariableType::Float);
    let target = world.file.id_of("base", "size/1").expect("made");
    world.file.variables.get_mut(&mine).expect("there").values[0] =
        Held::Alias(Some(sheetwire_core::document::VariableSlot(target)));
    let mut alone = size.clone();
    alone[2][2] = "8".into();
    bring(&mut world, &alone);
    told(
        &world,
        "Tokens!E2",
        "“mine” in this file refers to this variable",
    );
    // What Sheetwire did not make.
    let mut file = File::new();
    let base = file.add_collection("base", &["Light", "Dark"]);
    file.add_variable(base, "label", VariableType::Boolean);
    let mut world = World::connected(file, &rows(SHEET));
    assert_eq!(world.preview().counts.retyped, 0);
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    told(&world, "Tokens!E4", "In Figma “label” is BOOLEAN");
    assert_eq!(kind(&world, "label"), Some(VariableType::Boolean));
}

#[test]
fn a_refusal_leaves_the_old_variable_as_it_was() {
    // Renaming, making and removing, each refused in its turn.
    for at in 0..3 {
        let mut world = follows();
        let old = world.file.id_of("base", "label").expect("made");
        let before = world.file.variables.clone();
        bring(&mut world, &label());
        let (_, preview) = waits(&world);
        world.file.fault_after = at;
        world.file.faults = 1;
        world.engine.approve_types(preview.plan, false, &[0]);
        world.settle();
        assert_eq!(world.file.id_of("base", "label"), Some(old), "write {at}");
        assert_eq!(world.file.variables, before, "write {at}");
        let problem = world.report().problems[0].clone();
        assert!(
            problem
                .message
                .contains("Figma did not change this variable's type: a fault"),
            "{problem:?}"
        );
        world.engine.sync_now();
        world.settle();
        let (_, preview) = waits(&world);
        world.engine.approve_types(preview.plan, false, &[0]);
        world.settle();
        assert_eq!(kind(&world, "label"), Some(VariableType::Color));
    }
}

#[test]
fn going_back_makes_the_old_variable_again() {
    let mut world = follows();
    let before = world.file.variables.clone();
    let runs = world.file.history.len();
    bring(&mut world, &label());
    let (_, preview) = waits(&world);
    world.engine.approve_types(preview.plan, false, &[0]);
    world.settle();
    let runs = &world.file.history[runs..];
    assert_eq!((runs.len(), runs[0].0.counts.retyped), (1, 1));
    let pasts = world.file.pasts(&runs[0].0.run.clone());
    world.engine.restore(&pasts);
    world.settle();
    let (reason, preview) = waits(&world);
    assert_eq!(reason, WaitReason::Restore);
    // It is another variable of the same name: what used the first does not use it.
    assert_eq!(
        preview.problems[0].message,
        "1 variable is made again as a new one. Layers that used it before do not use the new one."
    );
    world.engine.approve(preview.plan, false);
    world.settle();
    let id = world.file.id_of("base", "label").expect("made again");
    let old = before
        .values()
        .find(|held| held.name == "label")
        .expect("there");
    let again = &world.file.variables[&id];
    assert_eq!(
        (again.kind, &again.values, &again.description, again.scopes),
        (old.kind, &old.values, &old.description, old.scopes)
    );
}

#[test]
fn a_count_that_is_not_whole_says_so() {
    let mut world = follows();
    world.file.is_vast = true;
    bring(&mut world, &label());
    let (_, preview) = waits(&world);
    let uses = preview.rows[0].uses.as_ref().expect("counted");
    assert_eq!((uses.layers, uses.partial), (7, true));
}
