//! Two-way sync, as a designer and a sheet live through it: answers and frames in any order, nothing sent twice, nothing
//! written back.

use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{
    DifferenceKind, DriftPolicy, MergePolicy, ToPanel, Unsent, WaitReason,
};
use sheetwire_core::protocol::relay::{CellWrite, WRITE_CELLS_MAX, WriteResult, WriteValue};
use sheetwire_core::value::VariableType;

use crate::file::{File, World};
use crate::sheet::{rows, sheet_ref};

const SHEET: &str = "
    | Name       | Type  | Light   | Dark    |
    | color/text | COLOR | #111111 | #eeeeee |
    | color/back | COLOR | #ffffff | #000000 |
    | space/1    | FLOAT | 4       | 8       |
";
/// Rows of the sheet.
const ROWS: u32 = 4;

fn gray(byte: u8) -> Held {
    let channel = (f64::from(byte) / 255.0) as f32;
    Held::Color([channel, channel, channel, 1.0])
}

fn set(world: &mut World, name: &str, mode: usize, value: Held) {
    let id = world.file.id_of("Tokens", name).expect("it is there");
    let variable = world.file.variables.get_mut(&id).expect("it is there");
    variable.values[mode] = value;
}

fn held(world: &World, name: &str, mode: usize) -> Held {
    let id = world.file.id_of("Tokens", name).expect("it is there");
    world.file.variables[&id].values[mode].clone()
}

/// A file that is live, with two-way sync on.
fn two_way() -> World {
    let mut world = World::live(File::new(), &rows(SHEET));
    world.engine.set_two_way(true);
    world.settle();
    world.told.clear();
    world
}

fn look(world: &mut World) {
    world.engine.look();
    world.settle();
}

/// What was told to be sent since the last time.
fn sent(world: &mut World) -> Vec<(u32, Vec<CellWrite>)> {
    let batches = world.batches().into_iter();
    batches.map(|(push, _, cells)| (push, cells)).collect()
}

/// The one cell that was told to be sent, and its batch.
fn only(world: &mut World) -> (u32, CellWrite) {
    let mut batches = sent(world);
    assert_eq!(batches.len(), 1, "{batches:?}");
    let (push, mut cells) = batches.remove(0);
    assert_eq!(cells.len(), 1, "{cells:?}");
    (push, cells.remove(0))
}

fn text(cell: &CellWrite) -> &str {
    match &cell.value {
        WriteValue::Text(text) => text,
        WriteValue::Number(_) | WriteValue::Boolean(_) => panic!("no text"),
    }
}

fn answer(world: &mut World, push: u32, result: WriteResult) {
    world.engine.pushed(push, &[result]);
    world.settle();
}

/// How many differences are listed.
fn listed(world: &World) -> usize {
    let lists = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(differences) => Some(differences.items.len()),
        _ => None,
    });
    lists.unwrap_or_default()
}

#[test]
fn a_colour_changed_in_figma_is_sent_and_does_not_come_back() {
    for frame_first in [false, true] {
        let mut world = two_way();
        let (writes, steps) = (world.file.writes, world.file.undo_steps);
        set(&mut world, "color/text", 0, gray(0x33));
        look(&mut world);
        let (push, cell) = only(&mut world);
        assert_eq!((cell.row, cell.column), (1, 2));
        assert_eq!(cell.before, "t#111111");
        assert_eq!(text(&cell), "#333333");
        // Nothing has been written to the file by then.
        assert_eq!(world.file.writes, writes);
        if frame_first {
            world.change(ROWS, &[(1, 2, "#333333")]);
            world.settle();
            answer(&mut world, push, WriteResult::Written);
        } else {
            answer(&mut world, push, WriteResult::Written);
            world.change(ROWS, &[(1, 2, "#333333")]);
            world.settle();
        }
        // What the two sides agree on, and nothing else; it is no step that can be undone.
        assert_eq!(world.file.writes, writes + 1, "frame first: {frame_first}");
        assert_eq!(world.file.undo_steps, steps);
        assert_eq!(held(&world, "color/text", 0), gray(0x33));
        assert_eq!(listed(&world), 0);
        assert_eq!(world.report().counts.changed, 0);
        look(&mut world);
        look(&mut world);
        assert_eq!(sent(&mut world), []);
        assert_eq!(world.file.writes, writes + 1);
        // Whoever opens the file next finds both sides agreed.
        let mut again = World::reopened(world.file, world.kept);
        again.snapshot(&rows(&SHEET.replace("#111111", "#333333")));
        again.settle();
        assert_eq!(sent(&mut again), []);
        assert_eq!(again.report().writes, 0);
    }
}

#[test]
fn a_sheet_that_says_something_else_now_is_followed() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (push, _) = only(&mut world);
    answer(&mut world, push, WriteResult::Written);
    world.change(ROWS, &[(1, 2, "#333333")]);
    world.settle();
    world.change(ROWS, &[(1, 2, "#111111")]);
    world.settle();
    assert_eq!(held(&world, "color/text", 0), gray(0x11));
    assert_eq!(sent(&mut world), []);
}

#[test]
fn what_is_changed_again_before_the_sheet_shows_it_is_sent_after_that() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (first, _) = only(&mut world);
    set(&mut world, "color/text", 0, gray(0x44));
    look(&mut world);
    assert_eq!(sent(&mut world), [], "one batch at a time");
    world.change(ROWS, &[(1, 2, "#333333")]);
    world.settle();
    // The sheet's is what was sent, so Figma's is newer, and no conflict.
    assert_eq!(held(&world, "color/text", 0), gray(0x44));
    assert_eq!(listed(&world), 0);
    answer(&mut world, first, WriteResult::Written);
    let (second, cell) = only(&mut world);
    assert_eq!((cell.before.as_str(), text(&cell)), ("t#333333", "#444444"));
    answer(&mut world, second, WriteResult::Written);
    world.change(ROWS, &[(1, 2, "#444444")]);
    world.settle();
    assert_eq!(held(&world, "color/text", 0), gray(0x44));
    assert_eq!(sent(&mut world), []);
}

#[test]
fn a_lost_answer_is_settled_by_the_frame() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (push, _) = only(&mut world);
    world.engine.pushed(push, &[]);
    world.settle();
    assert_eq!(sent(&mut world), [], "not at once again");
    set(&mut world, "color/text", 0, gray(0x44));
    world.change(ROWS, &[(1, 2, "#333333")]);
    world.settle();
    assert_eq!(held(&world, "color/text", 0), gray(0x44));
    let (_, cell) = only(&mut world);
    assert_eq!((cell.before.as_str(), text(&cell)), ("t#333333", "#444444"));
}

#[test]
fn what_failed_is_sent_again_by_the_next_look() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (push, _) = only(&mut world);
    world.engine.pushed(push, &[]);
    world.settle();
    look(&mut world);
    let (again, cell) = only(&mut world);
    assert!(again > push);
    assert_eq!(text(&cell), "#333333");
    // The answer to the first is nobody's.
    answer(&mut world, push, WriteResult::Formula);
    assert_eq!(listed(&world), 0);
}

#[test]
fn a_sheet_read_before_the_write_takes_nothing_back() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (push, _) = only(&mut world);
    answer(&mut world, push, WriteResult::Written);
    world.snapshot(&rows(SHEET));
    world.settle();
    assert_eq!(held(&world, "color/text", 0), gray(0x33));
    assert_eq!(sent(&mut world), [], "it was written already");
    world.change(ROWS, &[(1, 2, "#333333")]);
    world.settle();
    assert_eq!(held(&world, "color/text", 0), gray(0x33));
    assert_eq!(listed(&world), 0);
    assert_eq!(sent(&mut world), []);
}

#[test]
fn a_write_that_the_sheet_never_shows_is_tried_again_in_the_end() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (push, _) = only(&mut world);
    answer(&mut world, push, WriteResult::Written);
    let mut looks = 0;
    let again = loop {
        look(&mut world);
        looks += 1;
        assert!(looks < 9);
        if let Some((push, _)) = sent(&mut world).first() {
            break *push;
        }
    };
    assert!(looks > 1 && again > push);
}

#[test]
fn undo_goes_the_other_way_once() {
    let mut world = two_way();
    let writes = world.file.writes;
    let mut sheet = gray(0x11);
    for (round, byte) in [0x33, 0x11, 0x33, 0x11].into_iter().enumerate() {
        // The designer changes it, undoes, does it again, undoes again.
        set(&mut world, "color/text", 0, gray(byte));
        assert_ne!(held(&world, "color/text", 0), sheet);
        look(&mut world);
        let (push, cell) = only(&mut world);
        answer(&mut world, push, WriteResult::Written);
        let shown = text(&cell).to_owned();
        world.change(ROWS, &[(1, 2, &shown)]);
        world.settle();
        sheet = gray(byte);
        look(&mut world);
        look(&mut world);
        assert_eq!(sent(&mut world), [], "round {round}");
        assert_eq!(held(&world, "color/text", 0), sheet);
    }
    assert_eq!(world.file.writes, writes + 4);
    assert_eq!(stops(&world), 0);
}

fn stops(world: &World) -> usize {
    let stops = |message: &&ToPanel| {
        matches!(
            message,
            ToPanel::Stopped { .. }
                | ToPanel::Waiting {
                    reason: WaitReason::Undone,
                    ..
                }
        )
    };
    world.told.iter().filter(stops).count()
}

#[test]
fn a_look_at_what_nobody_changed_says_nothing() {
    let mut world = two_way();
    look(&mut world);
    assert_eq!(world.told, []);
    set(&mut world, "space/1", 0, Held::Float(5.0));
    look(&mut world);
    let (_, cell) = only(&mut world);
    assert_eq!(cell.before, "n4");
    assert!(matches!(cell.value, WriteValue::Number(5.0)));
}

#[test]
fn a_look_leaves_a_variable_alone_that_is_gone() {
    let mut world = two_way();
    let id = world.file.id_of("Tokens", "space/1").expect("it is there");
    world.file.variables.remove(&id);
    look(&mut world);
    assert_eq!(world.told, []);
    assert_eq!(world.file.id_of("Tokens", "space/1"), None);
}

#[test]
fn a_look_takes_one_step_a_few_variables() {
    let mut file = File::new();
    let tokens = file.add_collection("Tokens", &["Light"]);
    for at in 0..200 {
        file.add_variable(tokens, &format!("size/{at}"), VariableType::Float);
    }
    let mut sheet = String::from("| Name | Type | Light |\n");
    for at in 0..200 {
        sheet += &format!("| size/{at} | FLOAT | {at} |\n");
    }
    let mut world = World::live(file, &rows(&sheet));
    world.engine.set_two_way(true);
    world.settle();
    for at in 0..200 {
        set(
            &mut world,
            &format!("size/{at}"),
            0,
            Held::Float(1000.0 + at as f32),
        );
    }
    look(&mut world);
    let batches = sent(&mut world);
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].1.len(), 200);
}

#[test]
fn many_cells_go_in_batches_one_after_the_other() {
    let count = 2 * WRITE_CELLS_MAX as u32 + 7;
    let mut sheet = String::from("| Name | Type | Light |\n");
    for at in 0..count {
        sheet += &format!("| size/{at} | FLOAT | {at} |\n");
    }
    let mut world = World::connected(File::new(), &rows(&sheet));
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    world.engine.set_two_way(true);
    world.settle();
    for variable in world.file.variables.values_mut() {
        variable.values[0] = Held::Float(-1.0);
    }
    look(&mut world);
    let mut sizes = Vec::new();
    loop {
        let mut batches = sent(&mut world);
        assert!(batches.len() < 2, "one batch at a time");
        let Some((push, cells)) = batches.pop() else {
            break;
        };
        sizes.push(cells.len());
        world
            .engine
            .pushed(push, &vec![WriteResult::Written; cells.len()]);
        world.settle();
        let cells: Vec<(u32, u32, &str)> = cells
            .iter()
            .map(|cell| (cell.row, cell.column, "-1"))
            .collect();
        world.change(count + 1, &cells);
        world.settle();
    }
    // Nothing is sent twice.
    assert_eq!(sizes, [WRITE_CELLS_MAX, WRITE_CELLS_MAX, 7]);
    assert_eq!(listed(&world), 0);
}

#[test]
fn only_the_writer_sends() {
    let mut world = two_way();
    world.engine.set_writer(false);
    world.settle();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    world.change(ROWS, &[(2, 2, "#222222")]);
    world.settle();
    assert_eq!(sent(&mut world), []);
    // Who becomes the writer finds what is to be sent.
    world.engine.set_writer(true);
    world.settle();
    let (_, cell) = only(&mut world);
    assert_eq!(text(&cell), "#333333");
}

#[test]
fn nothing_is_lost_when_the_panel_closes_in_between() {
    for was_written in [false, true] {
        let mut world = two_way();
        set(&mut world, "color/text", 0, gray(0x33));
        look(&mut world);
        only(&mut world);
        let mut again = World::reopened(world.file, world.kept);
        let now = if was_written { "#333333" } else { "#111111" };
        again.snapshot(&rows(&SHEET.replace("#111111", now)));
        again.settle();
        assert_eq!(held(&again, "color/text", 0), gray(0x33));
        let batches = sent(&mut again);
        assert_eq!(batches.is_empty(), was_written);
        assert_eq!(listed(&again), 0);
    }
}

#[test]
fn switched_off_again_a_change_is_listed_and_not_sent() {
    let mut world = two_way();
    world.engine.set_two_way(false);
    world.settle();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    world.engine.sync_now();
    world.settle();
    assert_eq!(sent(&mut world), []);
    assert_eq!(listed(&world), 1);
    let kept = world.kept.as_ref().expect("connected");
    assert_eq!(
        (kept.two_way, kept.policy.drift),
        (false, DriftPolicy::Keep)
    );
    // On again, it goes without being asked for.
    world.engine.set_two_way(true);
    world.settle();
    assert_eq!(text(&only(&mut world).1), "#333333");
    assert_eq!(listed(&world), 0);
}

#[test]
fn what_was_refused_stays_with_its_reason_until_something_changes() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    let (push, _) = only(&mut world);
    answer(&mut world, push, WriteResult::Protected);
    let reason = |world: &World| {
        world.told.iter().rev().find_map(|message| match message {
            ToPanel::Differences(list) => list.items.first().and_then(|item| item.unsent),
            _ => None,
        })
    };
    assert_eq!(reason(&world), Some(Unsent::Protected));
    look(&mut world);
    assert_eq!(sent(&mut world), []);
    set(&mut world, "color/text", 0, gray(0x44));
    look(&mut world);
    assert_eq!(text(&only(&mut world).1), "#444444");
}

#[test]
fn with_the_sheets_policy_nothing_is_sent() {
    let mut world = two_way();
    world.engine.set_policy(MergePolicy {
        drift: DriftPolicy::Overwrite,
        ..MergePolicy::default()
    });
    world.settle();
    set(&mut world, "color/text", 0, gray(0x33));
    look(&mut world);
    assert_eq!(sent(&mut world), []);
    // A look is for what is to be sent; what the sheet says again comes with the next comparison.
    assert_eq!(held(&world, "color/text", 0), gray(0x33));
    world.engine.sync_now();
    world.settle();
    assert_eq!(held(&world, "color/text", 0), gray(0x11));
    assert_eq!(sent(&mut world), []);
}

/// Places and contents of a cell's guards.
fn guards(cell: &CellWrite) -> Vec<(u32, u32, &str)> {
    let guards = cell.guards.iter();
    guards
        .map(|guard| (guard.row, guard.column, guard.holds.as_str()))
        .collect()
}

#[test]
fn a_cell_that_moved_is_sent_to_where_it_is() {
    let mut world = two_way();
    set(&mut world, "space/1", 0, Held::Float(5.0));
    look(&mut world);
    let (push, cell) = only(&mut world);
    assert_eq!((cell.row, cell.column), (3, 2));
    let expected = [(0, 2, "tLight"), (3, 0, "tspace/1")];
    assert_eq!(guards(&cell), expected);
    answer(&mut world, push, WriteResult::Moved);
    // Where it is, the next frame tells; nobody has to do anything about it.
    assert_eq!((sent(&mut world).len(), listed(&world)), (0, 0));
    let inserted = "    | space/0    | FLOAT | 4       | 8       |\n    | space/1 ";
    world.snapshot(&rows(&SHEET.replace("    | space/1 ", inserted)));
    world.settle();
    let (push, cell) = only(&mut world);
    assert_eq!((cell.row, cell.column), (4, 2));
    assert_eq!(guards(&cell)[1], (4, 0, "tspace/1"));
    answer(&mut world, push, WriteResult::Written);
    assert_eq!(sent(&mut world), []);
    assert_eq!(held(&world, "space/0", 0), Held::Float(4.0));
    assert_eq!(held(&world, "space/1", 0), Held::Float(5.0));
}

#[test]
fn a_cell_that_moved_and_came_back_is_sent_by_the_next_look() {
    let mut world = two_way();
    set(&mut world, "space/1", 0, Held::Float(5.0));
    look(&mut world);
    let (push, first) = only(&mut world);
    answer(&mut world, push, WriteResult::Moved);
    look(&mut world);
    let (_, again) = only(&mut world);
    assert!(again == first);
}

#[test]
fn cells_are_guarded_by_what_names_their_row() {
    for (sheet, variable, mode, expected) in [
        (
            "Id | Name | Light\nx1 | a | 1",
            "a",
            0,
            vec![(0, 2, "tLight"), (1, 0, "tx1")],
        ),
        (
            "Category | Group | Name | Value\ncolor | brand | 500 | #0052cc\n| | | 600 | #003d99",
            "color/brand/600",
            0,
            vec![(0, 3, "tValue"), (2, 2, "n600"), (2, 1, ""), (2, 0, "")],
        ),
        (
            "Locale | save | cancel\nen | Save | Cancel\nde | Speichern | Abbrechen",
            "cancel",
            1,
            vec![(0, 2, "tcancel"), (2, 0, "tde")],
        ),
        (
            "Token | Mode | Value\nspace/1 | Mobile | 4\nspace/1 | Desktop | 8",
            "space/1",
            1,
            vec![(0, 2, "tValue"), (2, 0, "tspace/1"), (2, 1, "tDesktop")],
        ),
    ] {
        let mut world = World::new(File::new());
        world.engine.connect(sheet_ref());
        world.snapshot(&rows(sheet));
        world.settle();
        let lies = world.told.iter().rev().find_map(|message| match message {
            ToPanel::Inferred { layout, .. } => layout.clone(),
            _ => None,
        });
        let (columns, header_row) = world.inferred();
        world
            .engine
            .confirm_columns(None, columns, header_row, lies);
        world.settle();
        let plan = world.preview().plan;
        world.engine.approve(plan, false);
        world.settle();
        world.engine.set_two_way(true);
        world.settle();
        let value = match held(&world, variable, mode) {
            Held::Float(_) => Held::Float(7.0),
            Held::Text(_) => Held::Text("Other".into()),
            _ => gray(0x33),
        };
        set(&mut world, variable, mode, value);
        look(&mut world);
        let (_, cell) = only(&mut world);
        assert_eq!(guards(&cell), expected, "{variable}");
    }
}

#[test]
fn a_conflict_waits_and_its_neighbours_go() {
    let mut world = two_way();
    set(&mut world, "color/text", 0, gray(0x33));
    set(&mut world, "color/text", 1, gray(0x44));
    world.change(ROWS, &[(1, 2, "#222222")]);
    world.settle();
    let (_, cell) = only(&mut world);
    assert_eq!((cell.row, cell.column), (1, 3));
    let list = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Differences(list) => Some(list.clone()),
        _ => None,
    });
    let list = list.expect("a list");
    assert_eq!((list.conflicts, list.drifts), (1, 0));
    assert_eq!(list.items[0].kind, DifferenceKind::Conflict);
}
