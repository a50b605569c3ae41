//! A sheet that breaks under the sync: what is held back, in which words, and that mending the sheet is all it takes.
//!
//! Every story begins with a file that follows a sheet of 24 variables, breaks the sheet, and holds that nothing was
//! removed or written over in bulk; then the sheet is mended, and everything goes on without another question.

use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{
    Preview, PreviewKind, Problem, RunReport, ToPanel, WaitReason,
};

use crate::file::{File, World};
use crate::sheet::rows;
use crate::tabs;

type Rows = Vec<Vec<String>>;

const COLORS: u32 = 12;
const SIZES: u32 = 12;

/// 24 variables in two collections, of colours and of numbers.
fn tokens() -> Rows {
    let mut text = String::from("| Collection | Name | Light | Dark | Description |\n");
    for at in 0..COLORS {
        text += &format!("| Color | brand/{at} | #0000{at:02x} | #ff00{at:02x} | Brand |\n");
    }
    for at in 0..SIZES {
        text += &format!(
            "| Size | space/{at} | {} | {} | Spacing |\n",
            at + 1,
            at + 101
        );
    }
    rows(&text)
}

/// The same without a collection column: the tab is the collection.
fn tab(value: u32) -> Rows {
    let mut text = String::from("| Name | Light | Dark |\n");
    for at in 0..COLORS {
        text += &format!("| item/{at} | {} | {} |\n", value + at, value + at + 100);
    }
    rows(&text)
}

fn follows(sheet: &[Vec<String>]) -> World {
    let world = World::live(File::new(), sheet);
    assert_eq!(world.report().problems, []);
    world
}

/// What the document holds, without what only the engine's handles tell.
fn document(
    world: &World,
) -> (
    Vec<crate::file::Collection>,
    Vec<(u32, crate::file::Variable)>,
) {
    let variables = world.file.variables.iter();
    (
        world.file.collections.clone(),
        variables.map(|(id, held)| (*id, held.clone())).collect(),
    )
}

fn waits(world: &World) -> (WaitReason, Preview) {
    match world.told.last() {
        Some(ToPanel::Waiting { reason, preview }) => (*reason, preview.clone()),
        other => panic!("the plan should wait: {other:?}"),
    }
}

fn ran(world: &World) -> RunReport {
    match world.told.last() {
        Some(ToPanel::Applied(report)) => report.clone(),
        other => panic!("a run should have ended: {other:?}"),
    }
}

fn said<'a>(problems: &'a [Problem], words: &str) -> &'a Problem {
    problems
        .iter()
        .find(|problem| problem.message.contains(words))
        .unwrap_or_else(|| panic!("nobody says “{words}”: {problems:?}"))
}

/// Brings a sheet whole, as after a reconnection.
fn bring(world: &mut World, sheet: &[Vec<String>]) {
    world.snapshot(sheet);
    world.settle();
}

/// Brings the cells that differ, as they arrive live.
fn edit(world: &mut World, before: &[Vec<String>], after: &[Vec<String>]) {
    let width = before.iter().chain(after).map(Vec::len).max().unwrap_or(0);
    let cell = |sheet: &[Vec<String>], row: usize, column: usize| {
        let found = sheet.get(row).and_then(|row| row.get(column)).cloned();
        found.unwrap_or_default()
    };
    let mut cells: Vec<(u32, u32, String)> = Vec::new();
    for row in 0..before.len().max(after.len()) {
        for column in 0..width {
            let now = cell(after, row, column);
            if now != cell(before, row, column) {
                cells.push((row as u32, column as u32, now));
            }
        }
    }
    let cells: Vec<(u32, u32, &str)> = cells
        .iter()
        .map(|(row, column, text)| (*row, *column, text.as_str()))
        .collect();
    world.change(after.len() as u32, &cells);
    world.settle();
}

/// Breaks a sheet, live and whole, holds what the story says of it, mends it, and holds that everything goes on.
fn breaks(sheet: &[Vec<String>], broken: &[Vec<String>], holds: impl Fn(&World)) {
    for live in [true, false] {
        let mut world = follows(sheet);
        let before = document(&world);
        let steps = world.file.undo_steps;
        if live {
            edit(&mut world, sheet, broken);
        } else {
            bring(&mut world, broken);
        }
        assert_eq!(
            document(&world),
            before,
            "nothing is written (live: {live})"
        );
        holds(&world);
        // Once more, by hand: it is not that the second time nothing waits.
        world.engine.sync_now();
        world.settle();
        assert_eq!(
            document(&world),
            before,
            "nor at the second look (live: {live})"
        );
        if live {
            edit(&mut world, broken, sheet);
        } else {
            bring(&mut world, sheet);
        }
        let report = ran(&world);
        assert_eq!(report.problems, [], "mended (live: {live})");
        assert_eq!(report.writes, 0, "nothing was to be done (live: {live})");
        assert_eq!(world.file.undo_steps, steps);
        // And an edit arrives as ever.
        let mut edited = sheet.to_vec();
        let column = sheet[0].iter().position(|header| header == "Light");
        let column = column.expect("every story has the mode Light");
        edited[1][column] = if sheet[1][column].starts_with('#') {
            "#123456".into()
        } else {
            "77".into()
        };
        edit(&mut world, sheet, &edited);
        assert_eq!(ran(&world).counts.changed, 1, "an edit (live: {live})");
    }
}

fn without_column(sheet: &[Vec<String>], header: &str) -> Rows {
    let at = sheet[0].iter().position(|text| text == header);
    let at = at.expect("the column is there");
    let mut sheet = sheet.to_vec();
    for row in &mut sheet {
        row.remove(at);
    }
    sheet
}

#[test]
fn a_cleared_sheet() {
    breaks(&tokens(), &[], |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        let problem = said(&preview.problems, "The sheet is empty.");
        assert!(problem.remedy.contains("version history"));
    });
}

#[test]
fn a_sheet_cleared_below_its_header() {
    breaks(&tokens(), &tokens()[..1], |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        assert_eq!(preview.counts.removed, COLORS + SIZES);
        let is_removal = |row: &sheetwire_core::protocol::panel::PreviewRow| {
            row.kind == PreviewKind::Remove && row.address.is_empty()
        };
        assert!(preview.rows.iter().all(is_removal));
    });
}

#[test]
fn a_sheet_whose_values_were_cleared() {
    // Empty cells leave values alone: there is nothing to ask.
    let mut broken = tokens();
    for row in broken.iter_mut().skip(1) {
        row[2].clear();
        row[3].clear();
    }
    breaks(&tokens(), &broken, |world| {
        assert_eq!(ran(world).writes, 0);
    });
}

#[test]
fn a_dropped_mode_column() {
    breaks(&tokens(), &without_column(&tokens(), "Dark"), |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        let problem = said(
            &preview.problems,
            "no longer has the columns it was connected with: “Dark”.",
        );
        assert!(problem.remedy.contains("choose the columns again"));
    });
}

#[test]
fn a_dropped_name_column() {
    breaks(&tokens(), &without_column(&tokens(), "Name"), |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        said(&preview.problems, "connected with: “Name”.");
    });
}

#[test]
fn a_cleared_name_column() {
    // The header stands, the names are gone.
    let mut broken = tokens();
    for row in broken.iter_mut().skip(1) {
        row[1].clear();
    }
    breaks(&tokens(), &broken, |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        let problem = said(&preview.problems, "This row has values but no name.");
        assert_eq!(problem.address, "Tokens!B2");
    });
}

#[test]
fn two_tabs_with_each_others_rows() {
    // The tab that is followed holds what the other one held: other names, or the same names with other values.
    let mut other = tokens();
    for (at, row) in other.iter_mut().enumerate().skip(1) {
        row[1] = format!("legacy/{}", row[1]);
        for (mode, value) in row[2..4].iter_mut().enumerate() {
            *value = match value.starts_with('#') {
                true => format!("#a0a{mode}{at:02x}"),
                false => format!("{}", 5_000 + 2 * at + mode),
            };
        }
    }
    breaks(&tokens(), &other, |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        assert_eq!(preview.counts.removed, COLORS + SIZES);
    });
    breaks(&tab(1), &tab(501), |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Most);
        assert_eq!(preview.counts.changed, COLORS);
        assert_eq!(preview.rows[0].fields[0].before.as_deref(), Some("1"));
        assert_eq!(preview.rows[0].fields[0].after, "501");
    });
}

#[test]
fn two_tabs_with_each_others_titles() {
    // The tab is the collection, and is now called as another collection of the file.
    let mut world = follows(&tab(1));
    let spacing = world.file.add_collection("Spacing", &["Light", "Dark"]);
    world.file.add_variable(
        spacing,
        "item/0",
        sheetwire_core::value::VariableType::Float,
    );
    let before = document(&world);
    world.snapshot_of("Spacing", &tab(1));
    world.settle();
    let (reason, preview) = waits(&world);
    assert_eq!(reason, WaitReason::Renames);
    assert_eq!(preview.rows[0].fields[0].after, "Spacing");
    said(
        &preview.problems,
        "This file has another collection “Spacing”.",
    );
    assert_eq!(document(&world), before);
    world.snapshot_of("Tokens", &tab(1));
    world.settle();
    assert_eq!(ran(&world).writes, 0);
}

#[test]
fn two_followed_tabs_with_each_others_titles_or_rows() {
    const COLORS: &str =
        "Name | Value\nbrand/500 | #0052cc\nbrand/600 | #003d99\ngray/900 | #111111";
    const SIZES: &str = "Name | Value\nspace/1 | 4\nspace/2 | 8";
    for [first, second] in [
        // Their titles, or their rows: the sheet looks the same.
        [("Sizes", COLORS), ("Colors", SIZES)],
        [("Colors", SIZES), ("Sizes", COLORS)],
    ] {
        let mut world = World::new(File::new());
        world.engine.connect(tabs::tab(0));
        world.engine.add_source(tabs::tab(1));
        world.tell(0, "Colors", COLORS);
        world.tell(1, "Sizes", SIZES);
        world.settle();
        world.confirm(0);
        world.confirm(1);
        world.approve();
        let before = document(&world);
        world.tell(0, first.0, first.1);
        world.tell(1, second.0, second.1);
        world.settle();
        let (reason, preview) = waits(&world);
        assert_eq!(reason, WaitReason::Renames);
        assert_eq!((preview.counts.created, preview.counts.removed), (0, 0));
        said(
            &preview.problems,
            "“Sizes” has the rows that “Colors” had, as after two tabs or their titles were swapped.",
        );
        assert_eq!(document(&world), before, "nothing is written");
        // A slip: swapped back, nothing is left to ask.
        world.tell(0, "Colors", COLORS);
        world.tell(1, "Sizes", SIZES);
        world.settle();
        assert_eq!(ran(&world).writes, 0);
        assert_eq!(document(&world), before);
        // It was meant: the collections are renamed, and no variable is another one.
        world.tell(0, first.0, first.1);
        world.tell(1, second.0, second.1);
        world.settle();
        world.approve();
        let names = |world: &World| -> Vec<String> {
            let collections = world.file.collections.iter();
            collections.map(|held| held.name.clone()).collect()
        };
        assert_eq!(names(&world), ["Sizes", "Colors"]);
        let (_, variables) = document(&world);
        let of = |variables: &[(u32, crate::file::Variable)]| -> Vec<(u32, String)> {
            let variables = variables.iter();
            variables
                .map(|(id, held)| (*id, held.name.clone()))
                .collect()
        };
        assert_eq!(of(&variables), of(&before.1));
        world.engine.sync_now();
        world.settle();
        assert_eq!(ran(&world).writes, 0);
    }
}

#[test]
fn a_paste_that_is_off_by_a_column() {
    // The header stands, everything below stands one column to the right.
    let mut broken = tokens();
    for row in broken.iter_mut().skip(1) {
        row.insert(0, String::new());
    }
    breaks(&tokens(), &broken, |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        assert_eq!(preview.counts.removed, COLORS + SIZES);
    });
}

#[test]
fn a_paste_that_is_off_by_a_column_with_its_header() {
    let mut broken = tokens();
    for row in &mut broken {
        row.insert(0, String::new());
    }
    breaks(&tokens(), &broken, |world| {
        assert_eq!(ran(world).writes, 0);
    });
}

#[test]
fn a_paste_with_values_in_error() {
    let mut broken = tokens();
    for (at, row) in broken.iter_mut().enumerate().skip(1) {
        if at % 2 == 0 {
            row[2] = "#REF!".into();
            row[3] = "Loading…".into();
        }
    }
    breaks(&tokens(), &broken, |world| {
        let report = ran(world);
        assert_eq!((report.writes, report.problems_total), (0, 0));
    });
}

#[test]
fn a_paste_with_names_in_error() {
    let mut broken = tokens();
    for (at, row) in broken.iter_mut().enumerate().skip(1) {
        match at % 3 {
            0 => row[1] = "#REF!".into(),
            1 => row[0] = "Loading…".into(),
            _ => {}
        }
    }
    breaks(&tokens(), &broken, |world| {
        let report = ran(world);
        assert_eq!(report.writes, 0);
        assert_eq!(report.problems_total, 16);
        let problem = said(&report.problems, "The sheet shows an error here");
        assert!(problem.remedy.contains("no variable counts as gone"));
    });
}

#[test]
fn a_paste_with_a_wrong_header() {
    let mut broken = tokens();
    broken[0] = ["group", "token", "value", "value 2", "note"]
        .map(str::to_owned)
        .into();
    breaks(&tokens(), &broken, |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Shrunken);
        said(
            &preview.problems,
            "no longer has the columns it was connected with: “Collection”, “Name”, “Light”, “Dark”, “Description”.",
        );
    });
}

#[test]
fn a_paste_with_values_of_another_type() {
    let mut broken = tokens();
    for row in broken.iter_mut().skip(1) {
        row[2] = "not a value at all".into();
        row[3] = "TRUE".into();
    }
    breaks(&tokens(), &broken, |world| {
        let report = ran(world);
        assert_eq!(report.writes, 0);
        assert_eq!(report.problems_total, 2 * (COLORS + SIZES));
        assert_eq!(report.problems[0].address, "Tokens!C2");
    });
}

#[test]
fn a_paste_that_changes_most_values() {
    let mut broken = tokens();
    for row in broken.iter_mut().skip(1) {
        row.swap(2, 3);
    }
    breaks(&tokens(), &broken, |world| {
        let (reason, preview) = waits(world);
        assert_eq!(reason, WaitReason::Most);
        assert_eq!(preview.counts.changed, COLORS + SIZES);
    });
    // Half of them is an edit.
    let mut half = tokens();
    for row in half.iter_mut().skip(1).take(12) {
        row.swap(2, 3);
    }
    let mut world = follows(&tokens());
    edit(&mut world, &tokens(), &half);
    assert_eq!(ran(&world).counts.changed, 12);
    // What the designer confirms is applied.
    edit(&mut world, &half, &tokens());
    edit(&mut world, &tokens(), &broken);
    let (_, preview) = waits(&world);
    world.engine.approve(preview.plan, false);
    world.settle();
    assert_eq!(ran(&world).counts.changed, COLORS + SIZES);
    let id = world.file.id_of("Size", "space/0").expect("it is there");
    assert_eq!(world.file.variables[&id].values[0], Held::Float(101.0));
}

#[test]
fn a_new_column_of_values_is_no_overwriting() {
    // Dark is empty at first: its mode comes with its first values.
    let mut before = tokens();
    for row in before.iter_mut().skip(1) {
        row[3].clear();
    }
    let mut world = follows(&before);
    edit(&mut world, &before, &tokens());
    let report = ran(&world);
    assert_eq!(
        (report.counts.modes, report.counts.changed),
        (2, COLORS + SIZES)
    );
}

#[test]
fn a_file_where_every_change_waits() {
    let sheet = tokens();
    let mut world = follows(&sheet);
    world.engine.set_threshold(Some(0));
    world.settle();
    let mut edited = sheet.clone();
    edited[1][2] = "#123456".into();
    edit(&mut world, &sheet, &edited);
    let (reason, preview) = waits(&world);
    assert_eq!((reason, preview.counts.changed), (WaitReason::Every, 1));
    // Where the file is less careful, what waits goes on.
    world.engine.set_threshold(Some(1));
    world.settle();
    assert_eq!(ran(&world).counts.changed, 1);
    assert_eq!(world.kept.as_ref().and_then(|kept| kept.threshold), Some(1));
    let mut more = edited.clone();
    more[2][2] = "#123456".into();
    more[3][2] = "#123456".into();
    edit(&mut world, &edited, &more);
    assert_eq!(waits(&world).0, WaitReason::Large);
    edit(&mut world, &more, &edited);
    assert_eq!(ran(&world).writes, 0);
}

/// A sheet with so many modes in “Theme”, and a small collection beside it.
fn themes(modes: usize) -> Rows {
    let mut text = String::from("| Collection | Name |");
    for mode in 0..modes {
        text += &format!(" Mode {mode} |");
    }
    text += "\n| Base | base | 1 |\n| Theme | theme |";
    for mode in 0..modes {
        text += &format!(" {mode} |");
    }
    rows(&(text + "\n"))
}

#[test]
fn what_a_sheet_needs_is_told_before_anything_is_written() {
    let needs = |modes| {
        let world = World::connected(File::new(), &themes(modes));
        let preview = world.preview();
        assert_eq!((world.file.writes, preview.problems_total), (0, 0));
        let needs = preview.needs.iter();
        needs
            .map(|need| [need.address.as_str(), ": ", &need.message].concat())
            .collect::<Vec<String>>()
    };
    assert_eq!(needs(1), Vec::<String>::new());
    assert_eq!(
        needs(3),
        [
            "Tokens!C1: “Theme” needs 3 modes. Figma's Starter plan allows 1 mode in a collection, Professional 10."
        ]
    );
    assert_eq!(
        needs(12),
        [
            "Tokens!C1: “Theme” needs 12 modes. Figma's Starter plan allows 1 mode in a collection, Professional 10, Organization 20."
        ]
    );
    // What the file holds already tells the least that its plan allows.
    let mut file = File::new();
    file.add_collection("Brand", &["a", "b", "c"]);
    let world = World::connected(file, &themes(12));
    assert_eq!(
        world.preview().needs[0].message,
        "“Theme” needs 12 modes. Figma's Professional plan allows 10 modes in a collection, Organization 20."
    );
}

#[test]
fn a_files_limit_of_modes_is_remembered() {
    let mut file = File::new();
    file.mode_limit = 4;
    let mut world = World::connected(file, &themes(6));
    let plan = world.preview().plan;
    world.engine.approve(plan, false);
    world.settle();
    let report = world.report().clone();
    said(
        &report.problems,
        "This file's plan allows 4 modes in a collection, so “Mode 4” was not added to “Theme”.",
    );
    assert_eq!(
        world.kept.as_ref().and_then(|kept| kept.mode_limit),
        Some(4)
    );
    assert_eq!(world.file.collections[1].modes.len(), 4);
    let id = world.file.id_of("Theme", "theme").expect("made");
    assert_eq!(world.file.variables[&id].values[3], Held::Float(3.0));

    // From then on it is known beforehand, and nobody is asked about what is there.
    let mut world = World::reopened(world.file, world.kept);
    let writes = world.file.writes;
    bring(&mut world, &themes(6));
    let report = ran(&world);
    assert_eq!((report.writes, world.file.writes), (0, writes));
    let problem = said(
        &report.problems,
        "This file's plan allows 4 modes in a collection, so “Mode 4” is not added to “Theme”.",
    );
    assert_eq!(problem.address, "Tokens!G1");
    assert_eq!(
        problem.remedy,
        "Ignore the column, remove a mode in Figma, or move the file to a plan with more modes (Figma's Starter plan allows 1 mode in a collection, Professional 10) and press Sync now."
    );

    // A new collection of which only a part would fit is looked at first.
    let mut more = themes(6);
    let mut row = more[2].clone();
    row[0] = "Other".into();
    more.push(row);
    edit(&mut world, &themes(6), &more);
    let (reason, preview) = waits(&world);
    assert_eq!(reason, WaitReason::Limits);
    said(&preview.problems, "so “Mode 5” is not added to “Other”.");
    assert!(world.file.id_of("Other", "theme").is_none());
    world.engine.approve(preview.plan, false);
    world.settle();
    assert_eq!(world.file.collections[2].modes.len(), 4);

    // On another plan, Sync now is all that it takes.
    world.file.mode_limit = 20;
    world.engine.sync_now();
    world.settle();
    let report = ran(&world);
    assert_eq!((report.counts.modes, report.problems_total), (4, 0));
    assert_eq!(world.file.collections[1].modes.len(), 6);
    assert_eq!(world.kept.as_ref().and_then(|kept| kept.mode_limit), None);
}
