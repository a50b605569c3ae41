//! The history of runs, and going back to before one of them: exactly, in one undo step, and not done again.

use std::collections::BTreeMap;

use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{
    DriftPolicy, MergePolicy, Preview, PreviewKind, ToPanel, WaitReason,
};
use sheetwire_core::value::VariableType;

use crate::file::{File, World};
use crate::sheet::rows;

const SHEET: &str = "
    | Collection | Name    | Light     | Dark      | Description |
    | brand      | color/a | #111111   | #eeeeee   | page        |
    | brand      | color/b | #222222   | #dddddd   |             |
    | brand      | color/c | {color/a} | {color/b} |             |
    | layout     | gap/1   | 4         | 8         |             |
";

/// What people see of a file: by collection and name, the modes' names and what each holds, aliases by name.
type Seen = BTreeMap<(String, String), (VariableType, Vec<(String, String)>, String, u32, bool)>;

fn seen(file: &File) -> Seen {
    let name = |id: u32| {
        let target = file.variables.get(&id);
        target.map_or_else(|| "nothing".into(), |target| target.name.clone())
    };
    let variables = file.variables.values().map(|variable| {
        let collection = &file.collections[variable.collection];
        let values = variable.values.iter().map(|held| match held {
            Held::Alias(Some(target)) => format!("{{{}}}", name(target.0)),
            other => format!("{other:?}"),
        });
        (
            (collection.name.clone(), variable.name.clone()),
            (
                variable.kind,
                collection.modes.iter().cloned().zip(values).collect(),
                variable.description.clone(),
                variable.scopes,
                variable.hidden,
            ),
        )
    });
    variables.collect()
}

fn structure(file: &File) -> Vec<(String, Vec<String>)> {
    let there = file.collections.iter().filter(|held| !held.is_removed());
    there
        .map(|held| (held.name.clone(), held.modes.clone()))
        .collect()
}

/// The plan to go back that waits.
fn plan(world: &World) -> &Preview {
    match world.told.last() {
        Some(ToPanel::Waiting {
            reason: WaitReason::Restore,
            preview,
        }) => preview,
        other => panic!("no plan to go back but {other:?}"),
    }
}

fn ask(world: &mut World, run: &str) {
    let pasts = world.file.pasts(run);
    world.engine.restore(&pasts);
    world.settle();
}

fn go_back(world: &mut World, run: &str) {
    ask(world, run);
    let number = plan(world).plan;
    world.engine.approve(number, false);
    world.settle();
}

#[test]
fn a_run_is_told_with_what_it_did() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(5, &[(1, 2, "#000000"), (2, 2, "#010101")]);
    world.settle();
    // Nothing differs: no run, no history.
    world.change(5, &[(1, 2, "#000000")]);
    world.settle();
    let runs = world.file.runs();
    let told: Vec<_> = runs
        .iter()
        .map(|run| (run.counts.created, run.counts.changed, run.restorable))
        .collect();
    assert_eq!(told, [(0, 2, true), (4, 0, true)]);
}

#[test]
fn going_back_is_exact_and_is_not_done_again() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = (seen(&world.file), structure(&world.file));
    // Values, an alias, a description, a name, a mode's and a collection's name, and a new row.
    world.change(
        6,
        &[(1, 2, "#000000"), (3, 3, "{color/a}"), (1, 4, "ground")],
    );
    world.settle();
    world.change(6, &[(2, 1, "color/bee")]);
    world.settle();
    world.change(6, &[(0, 3, "Night"), (4, 0, "spacing")]);
    world.settle();
    let number = match world.told.last() {
        Some(ToPanel::Waiting { preview, .. }) => Some(preview.plan),
        _ => None,
    };
    if let Some(number) = number {
        world.engine.approve(number, false);
        world.settle();
    }
    world.change(
        6,
        &[
            (5, 0, "brand"),
            (5, 1, "color/new"),
            (5, 2, "#777777"),
            (5, 3, "{color/c}"),
        ],
    );
    world.settle();
    let after = (seen(&world.file), structure(&world.file));
    assert_ne!(after, before);
    let ids: Vec<u32> = world.file.variables.keys().copied().collect();
    let steps = world.file.undo_steps;

    // The second oldest run is the first change.
    let runs = world.file.runs();
    let first_change = runs[runs.len() - 2].run.clone();
    ask(&mut world, &first_change);
    assert_eq!((seen(&world.file), structure(&world.file)), after);
    let kinds: Vec<PreviewKind> = plan(&world).rows.iter().map(|row| row.kind).collect();
    assert!(kinds.contains(&PreviewKind::Remove) && kinds.contains(&PreviewKind::Rename));
    let number = plan(&world).plan;
    world.engine.approve(number, false);
    world.settle();
    assert_eq!((seen(&world.file), structure(&world.file)), before);
    assert_eq!(world.file.undo_steps, steps + 1, "one undo step");
    // The same variables, but for the one that was made since.
    let left: Vec<u32> = world.file.variables.keys().copied().collect();
    assert!(left.iter().all(|id| ids.contains(id)));

    // Later sessions and edits elsewhere leave it so.
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(
        "
        | Collection | Name      | Light     | Night     | Description |
        | brand      | color/a   | #000000   | #eeeeee   | ground      |
        | brand      | color/bee | #222222   | #dddddd   |             |
        | brand      | color/c   | {color/a} | {color/a} |             |
        | spacing    | gap/1     | 4         | 16        |             |
        | brand      | color/new | #777777   | {color/c} |             |
        ",
    ));
    world.settle();
    assert_eq!(structure(&world.file), before.1);
    let mut expected = before.0.clone();
    let gap = expected
        .get_mut(&("layout".into(), "gap/1".into()))
        .expect("it is there");
    gap.1[1].1 = "Float(16.0)".into();
    assert_eq!(seen(&world.file), expected);

    // And going back to before the going back brings all of it again.
    let newest = world
        .file
        .runs()
        .iter()
        .find(|run| run.restores)
        .expect("it is a run itself")
        .run
        .clone();
    go_back(&mut world, &newest);
    let mut expected = after.0;
    let gap = expected
        .get_mut(&("spacing".into(), "gap/1".into()))
        .expect("it is there");
    gap.1[1].1 = "Float(8.0)".into();
    assert_eq!(seen(&world.file), expected);
}

#[test]
fn the_first_run_is_taken_back_whole() {
    let mut file = File::new();
    let own = file.add_collection("brand", &["Light"]);
    let foreign = file.add_variable(own, "mine", VariableType::Float);
    let before = (seen(&file), structure(&file));
    let mut world = World::live(file, &rows(SHEET));
    assert_eq!(world.file.variables.len(), 5);
    let first = world.file.runs().last().expect("a run").run.clone();
    go_back(&mut world, &first);
    assert_eq!((seen(&world.file), structure(&world.file)), before);
    assert!(world.file.variables.contains_key(&foreign));
    let report = world.report();
    assert_eq!(report.problems, []);
    // Nothing is made again.
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(SHEET));
    world.settle();
    assert_eq!(seen(&world.file), before.0);
}

#[test]
fn what_was_removed_comes_back_with_all_its_fields() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let id = world.file.id_of("brand", "color/a").expect("there");
    let variable = world.file.variables.get_mut(&id).expect("there");
    // The sheet has no columns for these.
    variable.scopes = 2;
    variable.hidden = true;
    variable.code = ["--a".into(), "a".into(), "A".into()];
    let mut world = World::reopened(world.file, world.kept);
    world.snapshot(&rows(SHEET));
    world.settle();
    let before = seen(&world.file);
    let gone = SHEET.replace(
        "    | brand      | color/a | #111111   | #eeeeee   | page        |\n",
        "",
    );
    world.snapshot(&rows(&gone.replace("{color/a}", "#333333")));
    world.settle();
    let number = world.preview().plan;
    world.engine.approve(number, true);
    world.settle();
    assert_eq!(world.file.id_of("brand", "color/a"), None);
    let newest = world.file.runs()[0].run.clone();
    go_back(&mut world, &newest);
    let again = world.file.id_of("brand", "color/a").expect("made again");
    assert_eq!(world.file.variables[&again].code[0], "--a");
    assert_eq!(seen(&world.file), before);
    // It has no row, and nobody proposes to remove it.
    world.change(5, &[(1, 2, "#222223")]);
    world.settle();
    assert!(world.file.variables.contains_key(&again));
    assert!(!matches!(world.told.last(), Some(ToPanel::Waiting { .. })));
}

#[test]
fn a_plan_to_go_back_can_be_dropped_and_follows_the_file() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(5, &[(1, 2, "#000000")]);
    world.settle();
    let newest = world.file.runs()[0].run.clone();
    ask(&mut world, &newest);
    let first = plan(&world).clone();
    assert_eq!(first.counts.changed, 1);
    assert_eq!(first.rows[0].fields[0].before.as_deref(), Some("#000000"));
    assert_eq!(first.rows[0].fields[0].after, "#111111");
    // An edit meanwhile is not applied, but not lost either.
    world.change(5, &[(2, 2, "#020202")]);
    world.settle();
    let second = plan(&world).clone();
    assert_ne!(second.plan, first.plan);
    world.engine.approve(first.plan, false);
    world.settle();
    let a = world.file.id_of("brand", "color/a").expect("there");
    let b = world.file.id_of("brand", "color/b").expect("there");
    let old = world.file.variables[&b].values[0].clone();
    assert_ne!(
        world.file.variables[&a].values[0],
        Held::Color([17.0 / 255.0; 4])
    );
    world.engine.keep_file(second.plan);
    world.settle();
    assert_ne!(world.file.variables[&b].values[0], old);
}

#[test]
fn a_policy_that_would_take_it_back_is_changed_and_told() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.engine.set_policy(MergePolicy {
        drift: DriftPolicy::Overwrite,
        ..MergePolicy::default()
    });
    world.settle();
    let before = seen(&world.file);
    world.change(5, &[(1, 2, "#000000")]);
    world.settle();
    let newest = world.file.runs()[0].run.clone();
    go_back(&mut world, &newest);
    assert_eq!(seen(&world.file), before);
    let told = world.told.iter().any(|message| match message {
        ToPanel::Applied(report) => report
            .problems
            .iter()
            .any(|problem| problem.message.contains("restored")),
        _ => false,
    });
    assert!(told);
    world.engine.sync_now();
    world.settle();
    assert_eq!(seen(&world.file), before);
}

#[test]
fn a_paused_file_goes_back_and_stays_paused() {
    let mut world = World::live(File::new(), &rows(SHEET));
    let before = seen(&world.file);
    world.change(5, &[(1, 2, "#000000")]);
    world.settle();
    world.engine.toggle(false);
    world.settle();
    let newest = world.file.runs()[0].run.clone();
    go_back(&mut world, &newest);
    assert_eq!(seen(&world.file), before);
    assert!(!world.kept.as_ref().expect("connected").on);
}

#[test]
fn a_refused_step_is_told_and_the_others_are_done() {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.change(5, &[(1, 2, "#000000"), (2, 2, "#000000")]);
    world.settle();
    let newest = world.file.runs()[0].run.clone();
    ask(&mut world, &newest);
    let number = plan(&world).plan;
    world.file.faults = 1;
    world.engine.approve(number, false);
    world.settle();
    let told = world.told.iter().find_map(|message| match message {
        ToPanel::Applied(report) if !report.problems.is_empty() => Some(report.clone()),
        _ => None,
    });
    assert_eq!(told.expect("a report").problems.len(), 1);
    let back = |name: &str, shade: f32| {
        let id = world.file.id_of("brand", name).expect("there");
        let shade = shade / 255.0;
        world.file.variables[&id].values[0] == Held::Color([shade, shade, shade, 1.0])
    };
    assert_ne!(back("color/a", 17.0), back("color/b", 34.0));
}
