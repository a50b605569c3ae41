//! What changed between two packed sheets.
//!
//! Owns the comparison of packed text, cell by cell, without unpacking it. Must not know what a cell means.

use super::{CELL_SEPARATOR, ROW_END};

/// What leads from one packed sheet to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Rows of the new sheet.
    pub rows: u32,
    /// Cells that differ, those of removed rows as empty ones.
    pub count: usize,
    /// These cells as they are now, packed as [`super::pack_changes`] packs them.
    pub cells: String,
}

/// Compares two packed sheets; `None` when both hold the same cells and rows.
///
/// Two packed cells are equal exactly when their texts are, since packing has one spelling for one cell.
pub fn diff(old: &str, new: &str) -> Option<Difference> {
    if old == new {
        return None;
    }
    let (mut old_rows, mut new_rows) =
        (old.split_terminator(ROW_END), new.split_terminator(ROW_END));
    let mut difference = Difference {
        rows: 0,
        count: 0,
        cells: String::new(),
    };
    let mut row = 0_u32;
    loop {
        let (before, after) = (old_rows.next(), new_rows.next());
        if before.is_none() && after.is_none() {
            break;
        }
        if after.is_some() {
            difference.rows = row + 1;
        }
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        if before != after {
            difference.take_row(row, before, after);
        }
        row += 1;
    }
    Some(difference)
}

impl Difference {
    fn take_row(&mut self, row: u32, before: &str, after: &str) {
        let (mut before, mut after) = (before.split(CELL_SEPARATOR), after.split(CELL_SEPARATOR));
        let mut column = 0_u32;
        loop {
            let (was, is) = (before.next(), after.next());
            if was.is_none() && is.is_none() {
                break;
            }
            let is = is.unwrap_or_default();
            if was.unwrap_or_default() != is {
                self.cells.push_str(&row.to_string());
                self.cells.push(CELL_SEPARATOR);
                self.cells.push_str(&column.to_string());
                self.cells.push(CELL_SEPARATOR);
                self.cells.push_str(is);
                self.cells.push(ROW_END);
                self.count += 1;
            }
            column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{Cell, Content, pack, unpack_cell, unpack_changes, unpack_rows};
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = Cell> {
        let content = prop_oneof![
            3 => Just(Content::Empty),
            3 => "[a-c\u{1c}-\u{1f}]{1,3}".prop_map(Content::Text),
            1 => (0..3_i32).prop_map(|value| Content::Number { value: value.into(), shown: value.to_string() }),
            1 => any::<bool>().prop_map(Content::Bool),
        ];
        (content, prop::option::of("=[A-C\u{1d}]"))
            .prop_map(|(content, formula)| Cell { content, formula })
    }

    fn sheet() -> impl Strategy<Value = Vec<Vec<Cell>>> {
        prop::collection::vec(prop::collection::vec(cell(), 0..4), 0..5)
    }

    /// Every cell with its place, empty ones left out, and the number of rows.
    fn filled(packed: &str) -> (std::collections::BTreeMap<(u32, u32), Cell>, u32) {
        let mut cells = std::collections::BTreeMap::new();
        let mut rows = 0;
        for line in packed.split_terminator(ROW_END) {
            for (column, text) in (0..).zip(line.split(CELL_SEPARATOR)) {
                let cell = unpack_cell(text).expect("packed by this test");
                if cell.content != Content::Empty || cell.formula.is_some() {
                    cells.insert((rows, column), cell);
                }
            }
            rows += 1;
        }
        assert_eq!(unpack_rows(packed).expect("whole").count(), rows as usize);
        (cells, rows)
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_new_sheet(old in sheet(), new in sheet()) {
            let (old, new) = (pack(&old), pack(&new));
            prop_assert_eq!(diff(&new, &new), None);
            let (mut cells, rows) = filled(&old);
            let (expected, expected_rows) = filled(&new);
            match diff(&old, &new) {
                None => prop_assert_eq!((cells, rows), (expected, expected_rows)),
                Some(difference) => {
                    let mut count = 0;
                    for change in unpack_changes(&difference.cells).expect("whole") {
                        let change = change.expect("readable");
                        let cell = change.cell.to_cell();
                        if change.cell.is_empty() {
                            cells.remove(&(change.row, change.column));
                        } else {
                            cells.insert((change.row, change.column), cell);
                        }
                        count += 1;
                    }
                    prop_assert_eq!(count, difference.count);
                    prop_assert_eq!((cells, difference.rows), (expected, expected_rows));
                }
            }
        }
    }
}
