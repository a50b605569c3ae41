//! Properties of the layouts: nothing panics, an edit leads where reading anew leads, and what a sheet says does not hang
//! on where it says so.

use crate::file::File;
use crate::sheet::sheet_ref;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use sheetwire_core::mapping::grid::Grid;
use sheetwire_core::mapping::infer;
use sheetwire_core::mapping::view::{Reach, View};
use sheetwire_core::protocol::panel::{
    Brands, Column, Names, Role, RowRule, Sections, Shape, SheetLayout, ToPanel,
};
use sheetwire_core::protocol::relay::{Position, SheetInfo};
use sheetwire_core::sheet::{Cell, Content, pack, push_cell};
use sheetwire_core::value::ReadContext;

/// A cell as real sheets have them, headers of every role among them.
fn any_cell() -> impl Strategy<Value = String> {
    let words = select(vec![
        "",
        "",
        "",
        "Name",
        "Type",
        "Collection",
        "Group",
        "Category",
        "Value",
        "Light",
        "Dark",
        "Mode",
        "Status",
        "Locale",
        "en",
        "Description",
        "ID",
        "Acme",
        "COLOR",
        "FLOAT",
        "approved",
        "draft",
        "a",
        "b",
        "brand/500",
        "brand.500",
        "#fff",
        "4px",
        "{a}",
        "{b.c} / 50%",
        "TRUE",
        "—",
    ]);
    let texts = vec(any::<char>(), 0..6).prop_map(String::from_iter);
    prop_oneof![9 => words.prop_map(String::from), 1 => texts]
}

fn any_grid() -> impl Strategy<Value = Vec<Vec<String>>> {
    vec(vec(any_cell(), 0..7), 0..10)
}

fn cell(text: &str) -> Cell {
    Cell {
        content: if text.is_empty() {
            Content::Empty
        } else {
            Content::Text(String::from(text))
        },
        formula: None,
    }
}

fn packed(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| row.iter().map(|text| cell(text)).collect())
        .collect();
    pack(&rows)
}

fn any_layout() -> impl Strategy<Value = SheetLayout> {
    let rule = || {
        let header = select(vec!["Status", "Name", "Mode", "Acme"]);
        prop::option::weighted(
            0.2,
            (header, select(vec!["approved", "a"])).prop_map(|(header, word)| RowRule {
                header: String::from(header),
                words: vec![String::from(word)],
            }),
        )
    };
    (
        select(vec![Shape::Tokens, Shape::Records, Shape::Long]),
        select(vec![Brands::None, Brands::Modes, Brands::Collections]),
        select(vec![
            Sections::Ignore,
            Sections::Groups,
            Sections::Collections,
        ]),
        select(vec![Names::Keep, Names::Groups]),
        any::<bool>(),
        0..3_u32,
        rule(),
        rule(),
    )
        .prop_map(
            |(shape, brands, sections, names, same_collection, skip_rows, only, ignore)| {
                SheetLayout {
                    shape,
                    brands,
                    sections,
                    names,
                    same_collection,
                    skip_rows,
                    only,
                    ignore,
                    rem: Vec::new(),
                    tab_mode: None,
                    formulas: false,
                }
            },
        )
}

/// The columns as inferred, with the roles that another shape needs.
fn fitted(columns: &[Column], shape: Shape) -> Vec<Column> {
    let mut columns = columns.to_vec();
    let mut modes = 0;
    for column in &mut columns {
        let is_mode = matches!(column.role, Role::Mode { .. });
        modes += u32::from(is_mode);
        match shape {
            Shape::Tokens => {
                if matches!(column.role, Role::Variable | Role::ModeName) {
                    column.role = Role::Ignore;
                }
            }
            Shape::Records => {
                if is_mode {
                    column.role = Role::Variable;
                }
            }
            Shape::Long => {
                if is_mode && modes == 2 {
                    column.role = Role::ModeName;
                } else if is_mode && modes > 2 {
                    column.role = Role::Ignore;
                }
            }
        }
    }
    columns
}

fn made(view: &View) -> Vec<String> {
    // A row is the same whatever empty cells end it.
    let row = |at| String::from(view.row(at).trim_end_matches('\u{1f}'));
    let mut rows: Vec<String> = (0..view.rows()).map(row).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

/// What a live sync of a sheet leads to: collection, name, type and the values by mode, sorted.
fn outcome(rows: &[Vec<String>], ignored: Option<&str>) -> Vec<String> {
    let mut world = crate::file::World::new(File::new());
    world.engine.connect(sheet_ref());
    let info = SheetInfo {
        spreadsheet_title: String::from("Design"),
        sheet_title: String::from("Tokens"),
        locale: String::from("en_US"),
    };
    let position = Position {
        epoch: String::from("e"),
        revision: 1,
    };
    assert!(world.engine.announce_snapshot(&sheet_ref(), position, info));
    world.bring(packed(rows), false);
    world.settle();
    let inferred = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Inferred {
            columns,
            header_row,
            layout,
            ..
        } => Some((columns.clone(), *header_row, layout.clone())),
        _ => None,
    });
    let (mut columns, header_row, layout) = inferred.expect("columns");
    for column in &mut columns {
        if Some(&*column.header) == ignored {
            column.role = Role::Ignore;
        }
    }
    world
        .engine
        .confirm_columns(None, columns, header_row, layout);
    world.settle();
    let plan = world.told.iter().rev().find_map(|message| match message {
        ToPanel::Preview(preview) => Some(preview.plan),
        _ => None,
    });
    world.engine.approve(plan.expect("a preview"), false);
    world.settle();
    let file = &world.file;
    let target = |value: &sheetwire_core::document::Held| match value {
        sheetwire_core::document::Held::Alias(Some(id)) => {
            format!("alias of {}", file.variables[&id.0].name)
        }
        other => format!("{other:?}"),
    };
    let mut told: Vec<String> = Vec::new();
    for variable in file.variables.values() {
        let collection = &file.collections[variable.collection];
        for (mode, value) in collection.modes.iter().zip(&variable.values) {
            told.push(format!(
                "{}: {} {} {mode} = {}",
                collection.name,
                variable.name,
                variable.kind.name(),
                target(value)
            ));
        }
        told.push(format!("{}: {}", variable.name, variable.description));
    }
    told.sort();
    told
}

/// A sheet of two collections and modes in which every row is typed and every cell filled.
fn any_tokens() -> impl Strategy<Value = Vec<Vec<String>>> {
    let color = || select(vec!["#fff", "#0052cc", "rgb(1 2 3)", "{Base:brand}"]);
    let number = || select(vec!["4px", "1rem", "0", "50%", "{Base:gap}"]);
    let row = (
        select(vec!["Base", "Theme"]),
        any::<bool>(),
        (color(), color()),
        (number(), number()),
        select(vec!["", "Our own"]),
    );
    vec(row, 1..8).prop_map(|rows| {
        let line = |cells: [&str; 6]| cells.map(String::from).to_vec();
        let mut sheet = vec![
            line(["Collection", "Name", "Type", "Light", "Dark", "Notes"]),
            line(["Base", "brand", "COLOR", "#111", "#eee", ""]),
            line(["Base", "gap", "FLOAT", "1", "2", ""]),
        ];
        for (at, (collection, is_color, colors, numbers, notes)) in rows.into_iter().enumerate() {
            let (kind, (light, dark)) = if is_color {
                ("COLOR", colors)
            } else {
                ("FLOAT", numbers)
            };
            sheet.push(line([
                collection,
                &format!("token/{at}"),
                kind,
                light,
                dark,
                notes,
            ]));
        }
        sheet
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_sheet_is_inferred_and_arranged(
        rows in any_grid(),
        lies in any_layout(),
        edits in vec((0..12_u32, 0..8_u32, any_cell()), 0..6),
    ) {
        let text = packed(&rows);
        let mut grid = Grid::default();
        grid.push(&text);
        let found = infer(&grid, "Tokens", &ReadContext::default());
        prop_assert!(found.columns.len() <= 8);
        let columns = fitted(&found.columns, lies.shape);
        let mut view = View::default();
        view.push(&text);
        let Ok(layout) = view.arrange(&columns, found.header_row, &lies, "Tokens") else {
            return Ok(());
        };
        for (row, column, text) in edits {
            let mut packed = String::new();
            push_cell(&mut packed, &cell(&text));
            match view.edit(row, column, &packed) {
                Reach::All => {
                    view.arrange(&columns, found.header_row, &lies, "Tokens").expect("still good");
                }
                Reach::Rows(rows) => rows.into_iter().for_each(|(row, text)| view.put(row, text)),
            }
            // What is made of the edited sheet from the start.
            let mut anew = View::default();
            for row in 0..view.sheet().rows() {
                anew.push(&[view.sheet().row(row), "\u{1e}"].concat());
            }
            let again = anew.arrange(&columns, found.header_row, &lies, "Tokens").expect("still good");
            if again == layout {
                prop_assert_eq!(made(&view), made(&anew));
            }
            for row in 0..view.rows() {
                for column in 0..20 {
                    let (row, _) = view.place(row, column);
                    prop_assert!(row <= view.sheet().rows().max(view.rows()).max(found.header_row));
                }
            }
        }
    }

    #[test]
    fn an_ignored_column_changes_no_other(rows in any_tokens()) {
        let all = outcome(&rows, None);
        for (ignored, marks) in [("Dark", " Dark = "), ("Notes", ": Our own")] {
            let kept = |line: &&String| !line.contains(marks);
            let left = outcome(&rows, Some(ignored));
            let expected: Vec<&String> = all.iter().filter(kept).collect();
            let found: Vec<&String> = left
                .iter()
                .filter(|line| !line.ends_with(": ") || all.contains(line))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn moved_rows_and_columns_say_the_same(
        rows in any_tokens(),
        order in Just(vec![0_usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        seed in any::<u64>(),
    ) {
        let mut moved = rows.clone();
        // A shuffle of the rows under the header.
        let mut state = seed | 1;
        for at in (2..moved.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = 1 + (state >> 33) as usize % at;
            moved.swap(at, other);
        }
        for row in &mut moved {
            *row = order.iter().map(|from| row[*from].clone()).collect();
        }
        // A column of modes may stand before the name here: its header is one of a mode.
        let by_mode = |lines: Vec<String>| lines;
        prop_assert_eq!(by_mode(outcome(&rows, None)), by_mode(outcome(&moved, None)));
    }
}
