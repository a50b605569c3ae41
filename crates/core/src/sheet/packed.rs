//! Reading packed cells without copying them.
//!
//! Owns the borrowed views of a packed sheet and of packed changes, and what is wrong with text that is neither. Must
//! not know what a cell means.

use super::{
    CELL_SEPARATOR, COLUMNS_MAX, Cell, Content, PART_SEPARATOR, ROW_END, ROWS_MAX, unescape,
};
use crate::decimal;
use std::borrow::Cow;

/// Text that is no packed sheet, cell or change. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// The last row or change has no end: the text was cut off.
    #[error("the packed cells are cut off after {bytes} bytes")]
    CutOff {
        /// Length of the text.
        bytes: usize,
    },
    /// A cell begins with a kind that this version does not know.
    #[error("a packed cell has a kind that this version does not know")]
    Kind,
    /// A number cell without a finite number.
    #[error("a packed number cell holds no number")]
    Number,
    /// A boolean cell with anything but `0` or `1`.
    #[error("a packed boolean cell holds neither 0 nor 1")]
    Boolean,
    /// A formula inside a formula, or one without its result.
    #[error("a packed formula cell has no result")]
    Formula,
    /// A change without row, column and cell, or outside Google's limits.
    #[error("a packed change has no place within a sheet")]
    Place,
}

/// What a cell holds, without the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Empty,
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number in percent format: 0.5 where `50%` is shown.
    Percent,
    /// A date, time or duration.
    Date,
    /// TRUE or FALSE.
    Bool,
    /// An error, or a cell still loading.
    Error,
    /// The text is no packed cell.
    Unreadable,
}

/// One packed cell, borrowed. Making one copies nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellView<'a> {
    kind: Kind,
    formula: Option<&'a str>,
    /// The first part after the kind: a text, a number, `1` or `0`, or an error as shown.
    main: &'a str,
    /// The second part, where a number is shown in another way.
    shown: Option<&'a str>,
}

impl<'a> CellView<'a> {
    /// The empty cell.
    pub const EMPTY: CellView<'static> = CellView {
        kind: Kind::Empty,
        formula: None,
        main: "",
        shown: None,
    };

    /// Looks at one packed cell; what is none becomes [`Kind::Unreadable`], so that one damaged cell is one cell's
    /// problem.
    pub fn new(packed: &'a str) -> Self {
        CellView::parse(packed).unwrap_or(CellView {
            kind: Kind::Unreadable,
            ..CellView::EMPTY
        })
    }

    /// Looks at one packed cell.
    ///
    /// # Errors
    /// [`PackedError`] when the text is no packed cell.
    pub fn parse(packed: &'a str) -> Result<Self, PackedError> {
        let (formula, rest) = match packed.strip_prefix('f') {
            Some(rest) => {
                let (formula, result) = rest
                    .split_once(PART_SEPARATOR)
                    .ok_or(PackedError::Formula)?;
                if result.starts_with('f') {
                    return Err(PackedError::Formula);
                }
                (Some(formula), result)
            }
            None => (None, packed),
        };
        let Some(first) = rest.bytes().next() else {
            return Ok(CellView {
                formula,
                ..CellView::EMPTY
            });
        };
        let kind = match first {
            b't' => Kind::Text,
            b'n' => Kind::Number,
            b'p' => Kind::Percent,
            b'd' => Kind::Date,
            b'b' => Kind::Bool,
            b'e' => Kind::Error,
            _ => return Err(PackedError::Kind),
        };
        let rest = &rest[1..];
        let (main, shown) = match kind {
            Kind::Number | Kind::Percent | Kind::Date => {
                let (main, shown) = match rest.split_once(PART_SEPARATOR) {
                    Some((main, shown)) => (main, Some(shown)),
                    None => (rest, None),
                };
                decimal::parse(main).ok_or(PackedError::Number)?;
                (main, shown)
            }
            Kind::Bool if rest != "0" && rest != "1" => return Err(PackedError::Boolean),
            Kind::Empty | Kind::Text | Kind::Bool | Kind::Error | Kind::Unreadable => (rest, None),
        };
        Ok(CellView {
            kind,
            formula,
            main,
            shown,
        })
    }

    /// What it holds.
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// Whether it holds nothing: no content, and no formula either.
    pub fn is_empty(self) -> bool {
        self.kind == Kind::Empty && self.formula.is_none()
    }

    /// What a person sees in the cell: the text, the number as shown, `TRUE`, the error. Borrowed unless something in
    /// it was escaped.
    pub fn text(self) -> Cow<'a, str> {
        match self.kind {
            Kind::Bool => Cow::Borrowed(if self.main == "1" { "TRUE" } else { "FALSE" }),
            Kind::Number | Kind::Percent | Kind::Date => unescape(self.shown.unwrap_or(self.main)),
            Kind::Empty | Kind::Text | Kind::Error | Kind::Unreadable => unescape(self.main),
        }
    }

    /// The stored number of a number, percent or date cell.
    pub fn number(self) -> Option<f64> {
        self.number_scaled(0)
    }

    /// The stored number × 10^`scale`, rounded once: a percent cell of 0.07 is 7 with scale 2.
    pub fn number_scaled(self, scale: i32) -> Option<f64> {
        match self.kind {
            Kind::Number | Kind::Percent | Kind::Date => decimal::parse_scaled(self.main, scale),
            Kind::Empty | Kind::Text | Kind::Bool | Kind::Error | Kind::Unreadable => None,
        }
    }

    /// TRUE or FALSE of a boolean cell.
    pub fn boolean(self) -> Option<bool> {
        (self.kind == Kind::Bool).then_some(self.main == "1")
    }

    /// The formula behind it, starting with `=`.
    pub fn formula(self) -> Option<Cow<'a, str>> {
        self.formula.map(unescape)
    }

    /// The owned cell.
    pub fn to_cell(self) -> Cell {
        let shown = || self.text().into_owned();
        let value = self.number().unwrap_or_default();
        Cell {
            content: match self.kind {
                Kind::Empty | Kind::Unreadable => Content::Empty,
                Kind::Text => Content::Text(shown()),
                Kind::Number => Content::Number {
                    value,
                    shown: shown(),
                },
                Kind::Percent => Content::Percent {
                    value,
                    shown: shown(),
                },
                Kind::Date => Content::Date {
                    value,
                    shown: shown(),
                },
                Kind::Bool => Content::Bool(self.main == "1"),
                Kind::Error => Content::Error(shown()),
            },
            formula: self.formula().map(Cow::into_owned),
        }
    }
}

/// The owned cell of one packed cell.
///
/// # Errors
/// [`PackedError`] when the text is no packed cell.
pub fn unpack_cell(packed: &str) -> Result<Cell, PackedError> {
    CellView::parse(packed).map(CellView::to_cell)
}

/// The rows of a packed sheet, top to bottom.
///
/// # Errors
/// [`PackedError::CutOff`] when the last row has no end.
pub fn unpack_rows(packed: &str) -> Result<Rows<'_>, PackedError> {
    whole(packed).map(Rows)
}

/// The changes of a packed list, in order.
///
/// # Errors
/// [`PackedError::CutOff`] when the last change has no end.
pub fn unpack_changes(packed: &str) -> Result<Changes<'_>, PackedError> {
    whole(packed).map(Changes)
}

fn whole(packed: &str) -> Result<&str, PackedError> {
    if packed.is_empty() || packed.ends_with(ROW_END) {
        Ok(packed)
    } else {
        Err(PackedError::CutOff {
            bytes: packed.len(),
        })
    }
}

/// Takes the text up to the next row end off the front of `rest`.
fn next_line<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (line, after) = rest.split_once(ROW_END)?;
    *rest = after;
    Some(line)
}

/// Iterates over rows; see [`unpack_rows`].
#[derive(Debug, Clone)]
pub struct Rows<'a>(&'a str);

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        next_line(&mut self.0).map(Row)
    }
}

/// One packed row. Trailing empty cells are left out, so rows differ in length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a>(&'a str);

impl<'a> Row<'a> {
    /// The row as packed: two equal texts are two equal rows.
    pub fn packed(self) -> &'a str {
        self.0
    }

    /// Whether it holds no cell at all.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The cells as packed, left to right, not looked at yet.
    pub fn packed_cells(self) -> impl Iterator<Item = &'a str> + Clone {
        self.0.split(CELL_SEPARATOR)
    }

    /// The cells, left to right.
    pub fn cells(self) -> impl Iterator<Item = Result<CellView<'a>, PackedError>> + Clone {
        self.packed_cells().map(CellView::parse)
    }
}

/// One changed cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change<'a> {
    /// Zero-based.
    pub row: u32,
    /// Zero-based.
    pub column: u32,
    /// The cell as packed, to be kept in a packed sheet.
    pub packed: &'a str,
    /// The cell as it is now.
    pub cell: CellView<'a>,
}

/// Iterates over changes; see [`unpack_changes`].
#[derive(Debug, Clone)]
pub struct Changes<'a>(&'a str);

impl<'a> Iterator for Changes<'a> {
    type Item = Result<Change<'a>, PackedError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_line(&mut self.0).map(change)
    }
}

fn change(line: &str) -> Result<Change<'_>, PackedError> {
    let mut parts = line.splitn(3, CELL_SEPARATOR);
    let mut place = |limit| {
        parts
            .next()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse::<u32>().ok())
            .filter(|place| *place < limit)
            .ok_or(PackedError::Place)
    };
    let row = place(ROWS_MAX)?;
    let column = place(COLUMNS_MAX)?;
    let packed = parts.next().ok_or(PackedError::Place)?;
    if packed.contains(CELL_SEPARATOR) {
        return Err(PackedError::Place);
    }
    Ok(Change {
        row,
        column,
        packed,
        cell: CellView::parse(packed)?,
    })
}
