//! Properties of the readers: nothing panics, nothing is lost between writing and reading.
//!
//! Owns the statements and the generators. Must not know single cells worth showing: those are cases.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use sheetwire_core::sheet::{
    Cell, CellView, Content, pack, pack_changes, parse_link, push_cell, unpack_cell,
    unpack_changes, unpack_rows,
};
use sheetwire_core::value::{
    AliasRef, ReadContext, Reading, Rgba, Value, ValueError, VariableType, infer, parse_scopes,
    parse_type, read, write, write_like,
};

/// Text of any characters, the packing's own and the grammar's among them more often than chance has it.
fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        proptest::char::range('\u{1c}', '\u{1f}'),
        proptest::sample::select(Vec::from_iter(
            "tnpdbef01 {}\\:›/.%#+-,()—xTBDrgbahslokmspct\u{a0}".chars()
        )),
    ];
    vec(character, 0..40).prop_map(String::from_iter)
}

/// Text that begins as something the grammar knows.
fn near_value() -> impl Strategy<Value = String> {
    let start = proptest::sample::select(vec![
        "",
        "#",
        "rgb(",
        "rgba(",
        "hsl(",
        "hwb(",
        "lab(",
        "lch(",
        "oklab(",
        "oklch(",
        "color(",
        "color(srgb ",
        "cubic-bezier(",
        "{",
        "{a} / ",
        "\\",
        "clamp(",
        "1",
        "-1.",
        "1.2e",
    ]);
    (
        start,
        any_text(),
        proptest::sample::select(vec!["", ")", "}", "px", "rem", "%", "ms", "s"]),
    )
        .prop_map(|(start, middle, end)| format!("{start}{middle}{end}"))
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        proptest::num::f64::NORMAL,
        Just(0.0),
        (-100_000_i32..100_000).prop_map(|value| f64::from(value) / 100.0),
    ]
}

fn any_cell() -> impl Strategy<Value = Cell> {
    let number = || (finite(), any_text());
    let content = prop_oneof![
        Just(Content::Empty),
        any_text().prop_map(Content::Text),
        number().prop_map(|(value, shown)| Content::Number { value, shown }),
        finite().prop_map(|value| Content::Number {
            value,
            shown: value.to_string()
        }),
        number().prop_map(|(value, shown)| Content::Percent { value, shown }),
        number().prop_map(|(value, shown)| Content::Date { value, shown }),
        any::<bool>().prop_map(Content::Bool),
        any_text().prop_map(Content::Error),
    ];
    (
        content,
        proptest::option::of(any_text().prop_map(|text| format!("={text}"))),
    )
        .prop_map(|(content, formula)| Cell { content, formula })
}

fn is_empty(cell: &Cell) -> bool {
    cell.content == Content::Empty && cell.formula.is_none()
}

fn any_type() -> impl Strategy<Value = Option<VariableType>> {
    proptest::option::of(proptest::sample::select(VariableType::ALL.to_vec()))
}

fn any_context() -> impl Strategy<Value = ReadContext> {
    proptest::sample::select(vec!["en_US", "de_DE", "fr_FR", "de_CH", "pl_PL", "", "x"])
        .prop_map(ReadContext::for_locale)
}

/// 32-bit floats from 0 to 1, as Figma holds channels; whole bytes as often as not.
fn channel() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u8..=255).prop_map(|byte| f64::from(byte) / 255.0),
        (0.0_f32..=1.0).prop_map(f64::from),
        (0_u8..=100).prop_map(|percent| f64::from(percent) / 100.0),
    ]
}

/// Numbers that Figma can hold, round ones as often as not.
fn figma_float() -> impl Strategy<Value = f64> {
    prop_oneof![
        proptest::num::f32::NORMAL.prop_map(f64::from),
        (-100_000_i32..100_000).prop_map(|value| f64::from(value) / 100.0),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (
            channel(),
            channel(),
            channel(),
            prop_oneof![Just(1.0), channel()]
        )
            .prop_map(|(r, g, b, a)| Value::Color(Rgba { r, g, b, a })),
        figma_float().prop_map(Value::Float),
        prop_oneof![
            any_text(),
            near_value(),
            "\\\\{0,3}(TBD|—|\\{a\\}| |)".prop_map(String::from)
        ]
        .prop_map(Value::String),
        any::<bool>().prop_map(Value::Boolean),
        (channel(), figma_float(), channel(), figma_float())
            .prop_map(|(x1, y1, x2, y2)| Value::Easing([x1, y1, x2, y2])),
        figma_float().prop_map(|value| Value::Timing(value.abs())),
    ]
}

fn text_cell(text: &str) -> String {
    let mut packed = String::new();
    push_cell(
        &mut packed,
        &Cell {
            content: Content::Text(String::from(text)),
            formula: None,
        },
    );
    packed
}

/// Part of a reference: not empty, no spaces around it.
fn part() -> impl Strategy<Value = String> {
    any_text().prop_filter_map("empty", |text| {
        let text = String::from(text.trim());
        (!text.is_empty()).then_some(text)
    })
}

/// A few seconds in all. A failing seed is kept beside this file, in `properties.regressions`, and run first ever after.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_panics(text in prop_oneof![any_text(), near_value()], expected in any_type(), context in any_context()) {
        if let Ok(rows) = unpack_rows(&text) {
            rows.flat_map(|row| row.cells()).for_each(|cell| drop(cell.map(CellView::to_cell)));
        }
        if let Ok(changes) = unpack_changes(&text) {
            changes.for_each(drop);
        }
        for packed in [&text, &text_cell(&text)] {
            drop(unpack_cell(packed));
            drop(read(CellView::new(packed), expected, &context));
            let _ = infer([CellView::new(packed)], &context);
        }
        drop(parse_link(&text));
        drop(parse_link(&format!("https://docs.google.com/spreadsheets/{text}")));
        drop(parse_scopes(&text));
        let _ = parse_type(&text);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..64), expected in any_type()) {
        let text = String::from_utf8_lossy(&bytes);
        drop(read(CellView::new(&text), expected, &ReadContext::default()));
        drop(read(CellView::new(&format!("t{text}")), expected, &ReadContext::default()));
        drop(parse_link(&text));
    }

    #[test]
    fn a_packed_sheet_is_unpacked_to_itself(rows in vec(vec(any_cell(), 0..6), 0..6)) {
        let packed = pack(&rows);
        let unpacked: Vec<Vec<Cell>> = unpack_rows(&packed)
            .expect("packed text is whole")
            .map(|row| row.cells().map(|cell| cell.expect("packed cells are readable").to_cell()).collect())
            .collect();
        prop_assert_eq!(unpacked.len(), rows.len());
        for (row, unpacked) in rows.iter().zip(&unpacked) {
            let empty = Cell { content: Content::Empty, formula: None };
            for at in 0..row.len().max(unpacked.len()) {
                prop_assert_eq!(row.get(at).unwrap_or(&empty), unpacked.get(at).unwrap_or(&empty));
            }
            prop_assert!(unpacked.len() <= 1 || unpacked.last().is_some_and(|last| !is_empty(last)));
        }
    }

    #[test]
    fn packed_changes_are_unpacked_to_themselves(
        changes in vec((0_u32..10_000_000, 0_u32..18_278, any_cell()), 0..6)
    ) {
        let packed = pack_changes(changes.iter().map(|(row, column, cell)| (*row, *column, cell)));
        let unpacked: Vec<_> = unpack_changes(&packed)
            .expect("packed text is whole")
            .map(|change| change.expect("packed changes are readable"))
            .map(|change| (change.row, change.column, change.cell.to_cell()))
            .collect();
        prop_assert_eq!(changes, unpacked);
    }

    #[test]
    fn a_cut_packed_sheet_is_noticed(rows in vec(vec(any_cell(), 1..4), 1..4), at in any::<prop::sample::Index>()) {
        let packed = pack(&rows);
        let at = at.index(packed.len());
        if at > 0 && packed.is_char_boundary(at) && !packed[..at].ends_with('\u{1e}') {
            prop_assert!(unpack_rows(&packed[..at]).is_err());
        }
    }

    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        let written = write(&value);
        let packed = text_cell(&written);
        match read(CellView::new(&packed), Some(value.variable_type()), &ReadContext::default()) {
            Ok(Reading::Value(found)) => prop_assert!(found.same(&value), "{written}: {found:?}"),
            other => prop_assert!(false, "{written}: {other:?}"),
        }
    }

    #[test]
    fn what_is_written_like_a_cell_is_read_again(
        value in any_value(),
        like in prop_oneof![any_cell(), near_value().prop_map(|text| Cell { content: Content::Text(text), formula: None })],
        other in any_value(),
        context in any_context(),
    ) {
        // Whatever the cell holds: nonsense, a value of this type in any notation, or one of another type.
        for cell in [like, Cell { content: Content::Text(write(&other)), formula: None }] {
            let mut packed = String::new();
            push_cell(&mut packed, &cell);
            let before = CellView::new(&packed);
            let Some(entry) = write_like(&value, before, &context) else {
                return Err(TestCaseError::fail("every short value can be written"));
            };
            let after = entry.packed(before);
            let after = CellView::new(&after);
            prop_assert!(entry.is_in(after));
            match read(after, Some(value.variable_type()), &context) {
                Ok(Reading::Value(found)) => prop_assert!(found.same(&value), "{entry:?}: {found:?}"),
                other => prop_assert!(false, "{entry:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn no_locale_reads_a_written_number_as_another(value in figma_float(), context in any_context()) {
        let packed = text_cell(&write(&Value::Float(value)));
        match read(CellView::new(&packed), Some(VariableType::Float), &context) {
            Ok(Reading::Value(Value::Float(found))) => prop_assert_eq!(found, value),
            Err(ValueError::NumberAmbiguous) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn what_the_type_was_told_by_is_read_with_that_type(text in near_value(), context in any_context()) {
        let packed = text_cell(&text);
        let cell = CellView::new(&packed);
        if let Ok(Reading::Value(value)) = read(cell, None, &context) {
            let again = read(cell, Some(value.variable_type()), &context);
            prop_assert_eq!(again, Ok(Reading::Value(value)));
        }
    }

    #[test]
    fn a_written_reference_is_read_again(
        library in proptest::option::of(part()),
        collection in part(),
        name in part(),
    ) {
        // A variable's name in Figma holds no point; in a reference it separates groups.
        let alias = AliasRef { library, collection: Some(collection), name: name.replace('.', "/") };
        let packed = text_cell(&alias.to_string());
        let found = read(CellView::new(&packed), Some(VariableType::Color), &ReadContext::default());
        prop_assert_eq!(found, Ok(Reading::Alias(alias)));
    }
}
