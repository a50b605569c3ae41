//! Several panels at one document: what each sees of the others' work, and what it does not do over it.
//!
//! Figma has no lock. A panel that the relay can't reach goes on writing for some seconds, and the connection stands in the
//! document, where each panel may change it.

use sheetwire_core::document::Held;
use sheetwire_core::engine::Step;
use sheetwire_core::protocol::panel::{
    Choice, Differences, DriftPolicy, MergePolicy, ToPanel, WaitReason,
};
use sheetwire_core::session::StopReason;

use crate::file::{File, World};
use crate::sheet::{rows, sheet_ref};

const SHEET: &str = "
    | Collection | Name   | Type  | Light |
    | Size       | gap/s  | FLOAT | 4     |
    | Size       | gap/m  | FLOAT | 8     |
    | Size       | gap/l  | FLOAT | 16    |
";

/// The sheet with another number in one of its rows.
fn with(row: usize, number: &str) -> Vec<Vec<String>> {
    let mut rows = rows(SHEET);
    rows[row][3] = number.into();
    rows
}

fn set(world: &mut World, name: &str, number: f32) {
    let id = world.file.id_of("Size", name).expect("it is there");
    let variable = world.file.variables.get_mut(&id).expect("it is there");
    variable.values[0] = Held::Float(number);
}

fn held(world: &World, name: &str) -> Option<Held> {
    let id = world.file.id_of("Size", name)?;
    Some(world.file.variables[&id].values[0].clone())
}

/// Ben's panel, at the document that Ana's has open.
fn beside(ana: &World) -> World {
    World::reopened(File::new(), ana.kept.clone())
}

/// Ben's panel works in the document, and leaves it to Ana's.
fn meanwhile(ana: &mut World, ben: &mut World, work: impl FnOnce(&mut World)) {
    ben.file.exchange_document(&mut ana.file);
    work(ben);
    ben.file.exchange_document(&mut ana.file);
}

fn waits(world: &World) -> Option<WaitReason> {
    match world.told.last() {
        Some(ToPanel::Waiting { reason, .. }) => Some(*reason),
        _ => None,
    }
}

fn differences(world: &World) -> Differences {
    let lists = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences.clone()),
        _ => None,
    });
    lists.expect("differences were told")
}

#[test]
fn a_plan_confirmed_before_somebody_took_over_is_asked_about_again() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    ana.change(3, &[]);
    ana.settle();
    assert_eq!(waits(&ana), Some(WaitReason::Removes));
    let plan = ana.preview().plan;
    ana.engine.approve(plan, true);
    // Ben takes over before it is carried out, and Ana takes it back.
    ana.engine.set_writer(false);
    ana.settle();
    ana.engine.set_writer(true);
    ana.settle();
    assert!(
        held(&ana, "gap/l").is_some(),
        "what Ana had said was about a file that Ben has written since"
    );
    assert_eq!(waits(&ana), Some(WaitReason::Removes));
}

#[test]
fn a_choice_is_refused_while_the_variables_are_unknown() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    set(&mut ana, "gap/l", 17.0);
    ana.engine.sync_now();
    ana.settle();
    let listed = differences(&ana);
    assert_eq!(listed.items.len(), 1);
    // A variable goes, so that another stands in each place; and Figma gives the list, but not the variables.
    let first = ana.file.id_of("Size", "gap/s").expect("it is there");
    ana.file.variables.remove(&first);
    ana.engine.sync_now();
    while ana.engine.step(&mut ana.file) != Step::ReadAll {}
    let collections = ana.file.read_lists();
    ana.engine
        .read_begin(&collections, ana.file.handles.len() as u32);
    ana.engine.read_failed();
    ana.settle();
    ana.told.clear();
    let before = ana.file.variables.clone();
    ana.engine.choose(listed.list, &[], Choice::Sheet);
    ana.hear();
    let refused = |message: &ToPanel| matches!(message, ToPanel::Refused { .. });
    assert!(ana.told.iter().any(refused), "{:?}", ana.told);
    ana.settle();
    assert_eq!(ana.file.variables, before);
}

#[test]
fn what_another_panel_changed_of_the_connection_is_not_written_over() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    let mut ben = beside(&ana);
    let policy = MergePolicy {
        drift: DriftPolicy::Overwrite,
        ..MergePolicy::default()
    };
    meanwhile(&mut ana, &mut ben, |ben| {
        ben.engine.set_policy(policy);
        ben.hear();
    });
    assert!(ana.engine.meet_connection(ben.kept.clone()));
    assert!(
        !ana.engine.meet_connection(ben.kept.clone()),
        "it is known now"
    );
    ana.engine.set_threshold(Some(7));
    ana.settle();
    let kept = ana.kept.as_ref().expect("it is connected");
    assert_eq!((kept.policy, kept.threshold), (policy, Some(7)));
    let told = ana.told.iter().any(|message| {
        matches!(message, ToPanel::ConnectionChanged { connection: Some(connection) } if connection.policy == policy)
    });
    assert!(told, "Ana's panel shows what Ben chose");
}

#[test]
fn who_finds_that_another_panel_switched_the_sync_off_writes_no_more() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    let mut ben = beside(&ana);
    meanwhile(&mut ana, &mut ben, |ben| {
        ben.engine.toggle(false);
        ben.hear();
    });
    ana.engine.meet_connection(ben.kept.clone());
    ana.change(4, &[(1, 3, "5")]);
    ana.settle();
    assert_eq!(held(&ana, "gap/s"), Some(Held::Float(4.0)));
    let stopped = ana.told.iter().any(|message| {
        matches!(
            message,
            ToPanel::Stopped {
                reason: StopReason::Toggled
            }
        )
    });
    assert!(stopped);
}

#[test]
fn who_finds_that_another_panel_disconnected_the_file_forgets_the_sheet() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    ana.engine.meet_connection(None);
    ana.hear();
    assert!(matches!(
        ana.told.last(),
        Some(ToPanel::ConnectionChanged { connection: None })
    ));
    ana.change(4, &[(1, 3, "5")]);
    ana.settle();
    assert_eq!(held(&ana, "gap/s"), Some(Held::Float(4.0)));
    // Ben connects it again: there is nothing left to set up here.
    let mut connection = World::live(File::new(), &rows(SHEET))
        .kept
        .expect("it is connected");
    ana.engine.meet_connection(Some(connection.clone()));
    assert!(ana.engine.is_set_up_for(&sheet_ref()));
    connection.approved = false;
    ana.engine.meet_connection(Some(connection));
    assert!(!ana.engine.is_set_up_for(&sheet_ref()));
}

#[test]
fn what_was_never_approved_is_not_switched_off() {
    let mut ana = World::connected(File::new(), &rows(SHEET));
    ana.engine.toggle(false);
    ana.hear();
    assert!(matches!(ana.told.last(), Some(ToPanel::Refused { .. })));
    assert!(ana.kept.as_ref().is_some_and(|kept| kept.on));
}

/// Ben's panel is cut off, holds an older sheet, and writes by its old grant.
fn ben_writes_the_old_sheet(ana: &mut World, ben: &mut World, old: &[Vec<String>]) {
    meanwhile(ana, ben, |ben| {
        ben.engine.set_writer(true);
        ben.snapshot(old);
        ben.settle();
        assert_eq!(held(ben, "gap/s"), Some(Held::Float(5.0)));
    });
}

#[test]
fn what_a_cut_off_panel_wrote_is_found_at_the_next_word() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    let mut ben = beside(&ana);
    ana.change(4, &[(1, 3, "6")]);
    ana.settle();
    ben_writes_the_old_sheet(&mut ana, &mut ben, &with(1, "5"));
    ana.engine.look_again(&mut ana.file);
    ana.settle();
    assert_eq!(held(&ana, "gap/s"), Some(Held::Float(6.0)));
    // Ana's own run is no news to her.
    ana.told.clear();
    ana.engine.look_again(&mut ana.file);
    ana.settle();
    assert!(ana.told.is_empty(), "{:?}", ana.told);
}

#[test]
fn what_a_cut_off_panel_wrote_is_found_when_the_sheet_has_news() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    let mut ben = beside(&ana);
    ben_writes_the_old_sheet(&mut ana, &mut ben, &with(1, "5"));
    // The news is about another row.
    ana.change(4, &[(2, 3, "9")]);
    ana.settle();
    assert_eq!(held(&ana, "gap/m"), Some(Held::Float(9.0)));
    assert_eq!(held(&ana, "gap/s"), Some(Held::Float(4.0)));
}

#[test]
fn what_a_cut_off_panel_wrote_is_found_by_a_plan_that_is_confirmed() {
    let mut ana = World::live(File::new(), &rows(SHEET));
    let mut ben = beside(&ana);
    ana.change(3, &[]);
    ana.settle();
    assert_eq!(waits(&ana), Some(WaitReason::Removes));
    let plan = ana.preview().plan;
    ben_writes_the_old_sheet(&mut ana, &mut ben, &with(1, "5"));
    ana.engine.approve(plan, true);
    ana.settle();
    // It would do more now than Ana has seen.
    assert_eq!(waits(&ana), Some(WaitReason::Removes));
    let counts = ana.preview().counts;
    assert_eq!((counts.removed, counts.changed), (1, 1));
    let plan = ana.preview().plan;
    ana.engine.approve(plan, true);
    ana.settle();
    assert_eq!(held(&ana, "gap/l"), None);
    assert_eq!(held(&ana, "gap/s"), Some(Held::Float(4.0)));
}

#[test]
fn a_variable_that_two_panels_make_at_once_is_made_once() {
    let mut longer = rows(SHEET);
    longer.push(["Size", "gap/xl", "FLOAT", "32"].map(String::from).to_vec());
    for steps in 0.. {
        let mut ana = World::live(File::new(), &rows(SHEET));
        let mut ben = beside(&ana);
        let row = [
            (4, 0, "Size"),
            (4, 1, "gap/xl"),
            (4, 2, "FLOAT"),
            (4, 3, "32"),
        ];
        ana.change(5, &row);
        let ended = (0..steps).any(|_| !ana.step());
        meanwhile(&mut ana, &mut ben, |ben| {
            ben.engine.set_writer(true);
            ben.snapshot(&longer);
            ben.settle();
        });
        ana.settle();
        let variables = ana.file.variables.values();
        let named = variables.filter(|variable| variable.name == "gap/xl");
        assert_eq!(named.count(), 1, "after {steps} steps");
        assert_eq!(
            held(&ana, "gap/xl"),
            Some(Held::Float(32.0)),
            "after {steps} steps"
        );
        if ended {
            return;
        }
    }
}
