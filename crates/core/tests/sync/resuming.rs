//! A run that does not get to its end: refused at every write, closed at every step. What is there is known, the rest is
//! done later, and the history leads back to before it.

use std::collections::BTreeMap;

use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{ToPanel, WaitReason};

use crate::file::{File, World};
use crate::sheet::rows;

/// A small plan: the sheet before it, and after it.
struct Plan {
    name: &'static str,
    before: &'static str,
    after: &'static str,
    removes: bool,
}

const BEFORE: &str = "
    | Collection | Name    | Light | Dark      | Description |
    | base       | size/1  | 1     | 10        | one         |
    | base       | size/2  | 2     | {size/1}  |             |
    | base       | size/3  | 3     | 30        |             |
    | text       | label   | a     | b         |             |
";

const PLANS: [Plan; 3] = [
    Plan {
        name: "everything is made",
        before: "",
        after: BEFORE,
        removes: false,
    },
    Plan {
        name: "names, values, aliases, descriptions and a new variable",
        before: BEFORE,
        after: "
            | Collection | Name    | Light     | Dark      | Description |
            | base       | size/uno | 1        | 11        | the first   |
            | base       | size/2  | 22        | {size/3}  | two         |
            | base       | size/3  | 3         | 30        |             |
            | base       | size/4  | {size/2}  | 40        | four        |
            | text       | label   | a         | b         |             |
        ",
        removes: false,
    },
    Plan {
        name: "a variable is removed beside a change",
        before: BEFORE,
        after: "
            | Collection | Name    | Light | Dark | Description |
            | base       | size/2  | 2     | 20   |             |
            | base       | size/3  | 3     | 30   |             |
            | text       | label   | A     | b    |             |
        ",
        removes: true,
    },
];

/// A value with names in the place of ids.
fn shown(file: &File, held: &Held) -> String {
    match held {
        Held::Alias(Some(target)) => match file.variables.get(&target.0) {
            Some(variable) => format!("{{{}}}", variable.name),
            None => String::from("nothing"),
        },
        held => format!("{held:?}"),
    }
}

/// What a designer sees of a file: by collection and name, the type, the values and the description.
fn seen(file: &File) -> BTreeMap<String, String> {
    let variables = file.variables.values();
    variables
        .map(|held| {
            let owner = &file.collections[held.collection];
            let values: Vec<String> = held.values.iter().map(|held| shown(file, held)).collect();
            (
                format!("{}:{}", owner.name, held.name),
                format!("{:?} {values:?} {}", held.kind, held.description),
            )
        })
        .collect()
}

/// The file before the plan.
fn before(plan: &Plan) -> World {
    if plan.before.is_empty() {
        World::new(File::new())
    } else {
        World::live(File::new(), &rows(plan.before))
    }
}

/// The sheet comes as the plan wants it.
fn bring(world: &mut World, plan: &Plan) {
    if world.kept.is_none() {
        world.engine.connect(crate::sheet::sheet_ref());
        world.hear();
    }
    world.snapshot(&rows(plan.after));
}

/// Steps to the end, and says yes to whatever waits, within so many steps; whether the end was reached.
fn go_on(world: &mut World, plan: &Plan, steps_max: usize) -> bool {
    for _ in 0..steps_max {
        if world.step() {
            continue;
        }
        match world.told.last().cloned() {
            Some(ToPanel::Inferred {
                columns,
                header_row,
                ..
            }) => {
                world
                    .engine
                    .confirm_columns(None, columns, header_row, None);
                world.hear();
            }
            Some(ToPanel::Preview(preview) | ToPanel::Waiting { preview, .. }) => {
                world.engine.approve(preview.plan, plan.removes);
                world.hear();
            }
            _ => return true,
        }
    }
    false
}

const STEPS_MAX: usize = 10_000;

/// What the plan makes of the file when nothing goes wrong.
fn wanted(plan: &Plan) -> BTreeMap<String, String> {
    let mut world = before(plan);
    bring(&mut world, plan);
    assert!(go_on(&mut world, plan, STEPS_MAX), "{}", plan.name);
    let report = world.report();
    assert_eq!(report.problems, [], "{}", plan.name);
    seen(&world.file)
}

/// Goes back to before every run since `runs`.
fn take_back(world: &mut World, runs: usize) {
    let Some((first, _)) = world.file.history.get(runs) else {
        return;
    };
    assert!(first.restorable, "{first:?}");
    let pasts = world.file.pasts(&first.run.clone());
    world.engine.restore(&pasts);
    world.settle();
    let Some(ToPanel::Waiting {
        reason: WaitReason::Restore,
        preview,
    }) = world.told.last().cloned()
    else {
        panic!("a plan to go back: {:?}", world.told.last());
    };
    // A variable that was removed is another one afterwards, which is said.
    let mut problems = preview.problems.iter();
    assert!(problems.all(|problem| problem.message.contains("is made again as a new one")));
    world.engine.approve(preview.plan, false);
    world.settle();
}

#[test]
fn a_refusal_at_any_write_leaves_a_known_state_and_is_made_good() {
    for plan in &PLANS {
        let wanted = wanted(plan);
        // A passing refusal, and one that lasts through the run and its second try.
        for faults in [1, 40] {
            let mut writes = 0;
            loop {
                let mut world = before(plan);
                let was = seen(&world.file);
                let runs = world.file.history.len();
                world.file.fault_after = writes;
                world.file.faults = faults;
                bring(&mut world, plan);
                let told = format!("{}: {faults} refused after {writes} writes", plan.name);
                assert!(go_on(&mut world, plan, STEPS_MAX), "{told}");
                if world.file.faults == faults {
                    assert!(writes > 4, "{told}");
                    break;
                }
                // What could not be written is told, and what was written can be taken back.
                if seen(&world.file) != wanted {
                    let report = world.report();
                    assert!(report.problems_total > 0, "{told}: {report:?}");
                }
                world.file.faults = 0;
                let mut back = World::reopened(world.file.clone(), world.kept.clone());
                take_back(&mut back, runs);
                assert_eq!(seen(&back.file), was, "{told}: taken back");

                // The sheet as it is asks again for what was confirmed and could not be done.
                bring(&mut world, plan);
                assert!(go_on(&mut world, plan, STEPS_MAX), "{told}");
                assert_eq!(world.report().problems, [], "{told}");
                assert_eq!(seen(&world.file), wanted, "{told}");
                writes += 1;
            }
        }
    }
}

#[test]
fn a_plugin_closed_at_any_step_leaves_a_history_and_is_made_good() {
    for plan in &PLANS {
        let wanted = wanted(plan);
        let mut steps = 0;
        loop {
            let mut world = before(plan);
            let was = seen(&world.file);
            let runs = world.file.history.len();
            bring(&mut world, plan);
            let told = format!("{}: closed after {steps} steps", plan.name);
            if go_on(&mut world, plan, steps) {
                break;
            }
            let mut world = World::reopened(world.file, world.kept);
            let changed = seen(&world.file) != was;
            assert!(!changed || world.file.history.len() > runs, "{told}");
            bring(&mut world, plan);
            assert!(go_on(&mut world, plan, STEPS_MAX), "{told}");
            assert_eq!(world.report().problems, [], "{told}");
            assert_eq!(seen(&world.file), wanted, "{told}");
            take_back(&mut world, runs);
            assert_eq!(seen(&world.file), was, "{told}: taken back");
            steps += 1;
        }
    }
}
