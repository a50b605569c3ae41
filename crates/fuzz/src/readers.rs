//! Targets of the core's readers: cells, addresses, packed sheets, layouts, and what is kept in files.
//!
//! Owns what has to hold of each. Must not know the wires' messages.

use sheetwire_core::history;
use sheetwire_core::mapping::grid::{Grid, change};
use sheetwire_core::mapping::{headers, infer, name_trouble, switch_of};
use sheetwire_core::marks::Marks;
use sheetwire_core::protocol::panel::Brands;
use sheetwire_core::sheet::{
    Cell, CellView, Content, a1 as address, cell_reference, diff, pack, pack_changes, parse_link,
    push_cell, unpack_cell, unpack_changes, unpack_rows,
};
use sheetwire_core::value::{
    ReadContext, Reading, VariableType, parse_scopes, parse_type, read, write,
};

use crate::{choice, text};

/// The size of the sheet that ranges are read in.
const ROWS: u32 = 1_000;
const COLUMNS: u32 = 26;

/// Locales with every kind of separator.
const LOCALES: [&str; 6] = ["en_US", "de_DE", "fr_FR", "de_CH", "en_IN", "pl_PL"];

fn context(choice: usize) -> ReadContext {
    ReadContext::for_locale(LOCALES[choice % LOCALES.len()])
}

/// A text as a packed cell.
fn text_cell(text: &str) -> String {
    let mut packed = String::new();
    let cell = Cell {
        content: Content::Text(String::from(text)),
        formula: None,
    };
    push_cell(&mut packed, &cell);
    packed
}

/// A text cell: whatever it is read as, written and read again it is the same.
pub(crate) fn value(input: &[u8]) {
    let (locale, rest) = choice(input);
    let said = text(rest);
    let context = context(locale);
    let packed = text_cell(&said);
    let cell = CellView::new(&packed);
    assert_eq!(cell.text(), said, "a text is packed as it is");
    let kinds = VariableType::ALL.map(Some);
    for expected in std::iter::once(None).chain(kinds) {
        let again = |said: &str| {
            let packed = text_cell(said);
            // What is written is read where numbers are written with points.
            read(CellView::new(&packed), expected, &ReadContext::default())
        };
        match read(cell, expected, &context) {
            Ok(Reading::Value(found)) => {
                if let Some(expected) = expected {
                    assert_eq!(found.variable_type(), expected);
                }
                let written = write(&found);
                let kind = Some(found.variable_type());
                let packed = text_cell(&written);
                let back = read(CellView::new(&packed), kind, &ReadContext::default());
                match back {
                    Ok(Reading::Value(back)) => assert!(back.same(&found), "{written:?}"),
                    // A text of spaces is written as it is, and an empty cell says nothing.
                    Ok(Reading::Empty) => assert!(written.trim().is_empty()),
                    other => panic!("{written:?} is read as {other:?}"),
                }
            }
            Ok(Reading::Alias(alias)) => {
                let written = alias.to_string();
                assert_eq!(again(&written), Ok(Reading::Alias(alias)), "{written:?}");
            }
            Ok(Reading::Composed { opacity, .. }) => assert!((0.0..=1.0).contains(&opacity)),
            Ok(Reading::Empty | Reading::Hold) => {}
            Err(error) => assert!(!error.message().is_empty() && !error.remedy().is_empty()),
        }
    }
}

/// Words in other cells: types, scopes, switches, names, and pasted links.
pub(crate) fn words(input: &[u8]) {
    let said = text(input);
    let _ = parse_type(&said);
    if let Ok(Some(scopes)) = parse_scopes(&said) {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        if !names.is_empty() {
            assert_eq!(parse_scopes(&names.join(", ")), Ok(Some(scopes)));
        }
    }
    switch_of(&said);
    name_trouble(&said);
    if let Ok(link) = parse_link(&said) {
        assert!(!link.spreadsheet_id.is_empty());
        assert_eq!(
            parse_link(&link.spreadsheet_id).map(|link| link.spreadsheet_id),
            Ok(link.spreadsheet_id)
        );
    }
}

/// A1 notation: the letters and the number lead back to the place.
pub(crate) fn a1(input: &[u8]) {
    let number = |at: usize| {
        let bytes: [u8; 4] = input.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let (Some(row), Some(column)) = (number(0), number(4)) else {
        return;
    };
    let title = text(&input[8..]);
    let whole = address(&title, row, column);
    let place = match (title.is_empty(), whole.strip_prefix('\'')) {
        (true, _) => whole.as_str(),
        (false, Some(rest)) => {
            let quoted = title.replace('\'', "''");
            let rest = rest.strip_prefix(quoted.as_str());
            rest.and_then(|rest| rest.strip_prefix("'!"))
                .expect("a quoted title")
        }
        (false, None) => {
            let rest = whole.strip_prefix(title.as_ref());
            rest.and_then(|rest| rest.strip_prefix('!'))
                .expect("a plain title")
        }
    };
    let digits = place.find(|character: char| character.is_ascii_digit());
    let (letters, digits) = place.split_at(digits.expect("a row"));
    let read = letters.bytes().fold(0_u64, |read, letter| {
        read * 26 + u64::from(letter - b'A') + 1
    });
    assert_eq!(read, u64::from(column) + 1);
    assert_eq!(digits.parse::<u64>(), Ok(u64::from(row) + 1));
}

/// Ranges as fake Google reads them, and references in formulas: what is read is written so that it is read the same.
pub(crate) fn ranges(input: &[u8]) {
    let said = text(input);
    if let Some(once) = fake_google::normalised(&said, ROWS, COLUMNS) {
        let twice = fake_google::normalised(&once, ROWS, COLUMNS);
        assert_eq!(twice.as_deref(), Some(once.as_str()));
    }
    if let Some(reference) = cell_reference(&["=", &said].concat()) {
        let tab = reference.tab.as_deref().unwrap_or_default();
        let written = ["=", &address(tab, reference.row, reference.column)].concat();
        assert_eq!(cell_reference(&written), Some(reference));
    }
}

/// Packed rows, changes and cells: what can be unpacked is packed to the same again, and a difference leads from one
/// sheet to another.
pub(crate) fn packed(input: &[u8]) {
    let said = text(input);
    if let Ok(cell) = unpack_cell(&said) {
        let mut again = String::new();
        push_cell(&mut again, &cell);
        assert_eq!(unpack_cell(&again).as_ref(), Ok(&cell), "{again:?}");
    }
    if let Ok(rows) = unpack_rows(&said) {
        let cells: Option<Vec<Vec<_>>> = rows
            .map(|row| row.cells().map(|cell| Some(cell.ok()?.to_cell())).collect())
            .collect();
        if let Some(cells) = cells {
            let once = pack(&cells);
            let rows = unpack_rows(&once).expect("rows that were just packed");
            let back: Vec<Vec<_>> = rows
                .map(|row| {
                    row.cells()
                        .map(|cell| cell.expect("a cell").to_cell())
                        .collect()
                })
                .collect();
            assert_eq!(pack(&back), once);
        }
    }
    if let Ok(changes) = unpack_changes(&said) {
        let found: Option<Vec<_>> = changes
            .map(|change| {
                let change = change.ok()?;
                Some((change.row, change.column, change.cell.to_cell()))
            })
            .collect();
        if let Some(found) = found {
            let places = found
                .iter()
                .map(|(row, column, cell)| (*row, *column, cell));
            let again = pack_changes(places);
            assert_eq!(
                unpack_changes(&again).expect("changes just packed").count(),
                found.len()
            );
        }
    }
    let (before, after) = said.split_at(said.floor_char_boundary(said.len() / 2));
    drop(diff(before, after));
    let mut grid = Grid::default();
    grid.push(before);
    for record in after.split('\u{1e}') {
        // The product checks places against Google's limits before.
        if let Some(change) = change(record).filter(|change| change.row < 64 && change.column < 64)
        {
            grid.set_cell(change.row, change.column, change.cell);
            assert_eq!(
                grid.row(change.row)
                    .split('\u{1f}')
                    .nth(change.column as usize),
                change.cell.split('\u{1f}').next()
            );
        }
    }
}

/// A whole sheet: its header, columns and way to lie are told without a panic, and every column is in the sheet.
pub(crate) fn layout(input: &[u8]) {
    let (locale, rest) = choice(input);
    // Lines and bars are easier to come by than control characters.
    let said = text(rest).replace('\n', "\u{1e}").replace('|', "\u{1f}t");
    let mut grid = Grid::default();
    grid.push(&said);
    let inferred = infer(&grid, "Tokens", &context(locale));
    let brands = inferred
        .layout
        .as_ref()
        .map_or(Brands::None, |layout| layout.brands);
    let headers = headers(&grid, inferred.header_row, brands);
    for column in &inferred.columns {
        assert!((column.index as usize) < headers.len());
    }
}

/// What a file or the client storage keeps as text: what can be read is written and read the same again.
pub(crate) fn kept(input: &[u8]) {
    let (way, rest) = choice(input);
    let said = text(rest);
    match way % 3 {
        0 => {
            let marks = Marks::read(&said);
            assert_eq!(Marks::read(&marks.write()), marks);
        }
        1 => {
            if let Some((entry, chunks)) = history::entry_of("run", &said) {
                let again = history::entry_text(&entry, chunks);
                let (back, count) = history::entry_of("run", &again).expect("an entry");
                assert_eq!(count, chunks);
                assert_eq!(history::entry_text(&back, count), again);
            }
        }
        _ => {
            for past in history::join(&[said.into_owned()]) {
                let mut once = String::new();
                past.write(&mut once);
                let back = history::join(std::slice::from_ref(&once));
                let mut twice = String::new();
                back.iter().for_each(|past| past.write(&mut twice));
                assert_eq!(once, twice);
            }
        }
    }
}
