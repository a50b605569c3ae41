//! Telling a sheet's header row, its columns' roles and how it lies.
//!
//! Owns the words of headers and the looks of columns. Must not decide: what it finds is shown to the designer.

use super::grid::{Cells, Grid, cell, shown};
use super::header::headers;
use super::{COLUMNS_MAX, HEADER_SEARCH_ROWS};
use crate::owned;
use crate::protocol::panel::{Brands, Column, Names, Problem, Role, Shape, SheetLayout};
use crate::sheet::{CellView, a1};
use crate::value::{self, ReadContext, Reading, parse_type};

/// How many rows are looked at, spread over the sheet, to tell a mode column from another.
const SAMPLE_ROWS: u32 = 24;

/// What inference found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inferred {
    /// One for each column.
    pub columns: Vec<Column>,
    /// Zero-based row of the header.
    pub header_row: u32,
    /// What keeps the sheet from being read at all.
    pub problems: Vec<Problem>,
    /// How the sheet seems to lie, where it is not one row a variable under one header row.
    pub layout: Option<SheetLayout>,
}

/// The role a header's words stand for; `None` when they stand for none.
pub(super) fn role_of_header(header: &str) -> Option<Role> {
    let lower = header.trim().to_lowercase();
    let words = lower.trim_start_matches('$').replace(['_', '-'], " ");
    let compact: String = words
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    Some(match compact.as_str() {
        "collection" | "variablecollection" | "set" | "tokenset" => Role::Collection,
        "name" | "token" | "tokenname" | "variable" | "variablename" | "path" => Role::Name,
        "group" | "subgroup" | "category" | "subcategory" => Role::Group,
        "type" | "kind" | "resolvedtype" | "variabletype" | "tokentype" => Role::Type,
        "description" | "desc" | "comment" | "comments" | "notes" | "note" | "usage" => {
            Role::Description
        }
        "scopes" | "scope" | "scoping" => Role::Scopes,
        "code:web" | "codeweb" | "web" | "css" | "cssvariable" | "codesyntax:web"
        | "codesyntaxweb" => Role::CodeWeb,
        "code:android" | "codeandroid" | "android" | "codesyntax:android" | "codesyntaxandroid" => {
            Role::CodeAndroid
        }
        "code:ios" | "codeios" | "ios" | "codesyntax:ios" | "codesyntaxios" => Role::CodeIos,
        "hidden" | "hide" | "hiddenfrompublishing" => Role::Hidden,
        "id" | "uuid" | "guid" | "rowid" | "tokenid" => Role::Id,
        _ => return None,
    })
}

/// Whether a header is commonly a mode's, so that the column is one even while it is empty or holds texts.
fn is_mode_word(header: &str) -> bool {
    matches!(
        header.trim().to_lowercase().as_str(),
        "value"
            | "values"
            | "default"
            | "light"
            | "dark"
            | "mode 1"
            | "base"
            | "mobile"
            | "tablet"
            | "desktop"
            | "high contrast"
    )
}

fn same_role(left: &Role, right: &Role) -> bool {
    match (left, right) {
        (Role::Mode { .. }, Role::Mode { .. }) => true,
        (Role::Group, Role::Group) => false,
        _ => left == right,
    }
}

/// Looks for the header among the first rows and for a role of every column.
pub fn infer(grid: &Grid, sheet_title: &str, context: &ReadContext) -> Inferred {
    let mut best: Option<(usize, u32)> = None;
    for row in 0..grid.rows().min(HEADER_SEARCH_ROWS) {
        let mut roles: Vec<Role> = Vec::new();
        for packed in Cells::new(grid.row(row)).take(COLUMNS_MAX as usize) {
            if let Some(role) = role_of_header(&shown(packed))
                && !roles.iter().any(|known| same_role(known, &role))
            {
                roles.push(role);
            }
        }
        if roles.contains(&Role::Name) && best.is_none_or(|(score, _)| roles.len() > score) {
            best = Some((roles.len(), row));
        }
    }
    if best.is_none()
        && let Some(records) = infer_records(grid)
    {
        return records;
    }
    let mut layout = SheetLayout::default();
    let mut header_row = best.map_or(0, |(_, row)| row);
    if let Some(row) = best.and_then(|_| lower_header_row(grid, header_row)) {
        header_row = row;
        layout.brands = Brands::Modes;
    }
    let mut columns: Vec<Column> = Vec::new();
    for (index, header) in headers(grid, header_row, layout.brands)
        .into_iter()
        .enumerate()
    {
        let index = index as u32;
        let role = role_of_header(&header)
            .filter(|role| !columns.iter().any(|column| same_role(&column.role, role)));
        columns.push(Column {
            index,
            header,
            role: role.unwrap_or(Role::Ignore),
        });
    }
    let kind_column = columns
        .iter()
        .find(|column| column.role == Role::Type)
        .map(|column| column.index);
    for column in &mut columns {
        let header = &column.header;
        if column.role != Role::Ignore || header.is_empty() || role_of_header(header).is_some() {
            continue;
        }
        if is_mode_word(header)
            || holds_values(grid, header_row, column.index, kind_column, context)
        {
            column.role = Role::Mode {
                name: header.clone(),
            };
        }
    }
    infer_long(&mut columns, &mut layout);
    infer_names(grid, header_row, &columns, &mut layout);
    let mut problems = Vec::new();
    let address = a1(sheet_title, header_row, 0);
    if best.is_none() {
        problems.push(Problem {
            address: address.clone(),
            message: format!("No header was found in the first {HEADER_SEARCH_ROWS} rows: none of them has a column called Name."),
            remedy: owned("Write Name above the names, or choose the columns by hand."),
        });
    }
    if !columns
        .iter()
        .any(|column| matches!(column.role, Role::Mode { .. }))
    {
        problems.push(Problem {
            address,
            message: owned("No column with values was found."),
            remedy: owned(
                "Write a header such as Value above the values, or mark the column as a mode.",
            ),
        });
    }
    Inferred {
        columns,
        header_row,
        problems,
        layout: (layout != SheetLayout::default()).then_some(layout),
    }
}

/// Records have no name column: the first header says what a row is, a locale or a team, and the others are names.
fn infer_records(grid: &Grid) -> Option<Inferred> {
    let filled = |row: u32| {
        let cells = Cells::new(grid.row(row)).take(COLUMNS_MAX as usize);
        cells.filter(|packed| !packed.is_empty()).count()
    };
    let mut rows = 0..grid.rows().min(HEADER_SEARCH_ROWS);
    // Only titles stand above a header.
    let header_row = rows.find(|row| filled(*row) > 1).filter(|row| {
        let first = shown(cell(grid.row(*row), 0)).to_lowercase();
        matches!(
            first.as_str(),
            "locale"
                | "language"
                | "mode"
                | "team"
                | "product"
                | "brand"
                | "theme"
                | "platform"
                | "market"
                | "region"
        )
    })?;
    let columns = headers(grid, header_row, Brands::None).into_iter();
    let columns = columns.enumerate().map(|(index, header)| Column {
        index: index as u32,
        role: match index {
            0 => Role::Name,
            _ if header.is_empty() => Role::Ignore,
            _ => Role::Variable,
        },
        header,
    });
    Some(Inferred {
        columns: columns.collect(),
        header_row,
        problems: Vec::new(),
        layout: Some(SheetLayout {
            shape: Shape::Records,
            ..SheetLayout::default()
        }),
    })
}

/// The lower one of two header rows, when the row with the name's header is one of two: under merged cells stand the
/// same modes again and again.
fn lower_header_row(grid: &Grid, row: u32) -> Option<u32> {
    let texts = |row: u32| {
        Cells::new(grid.row(row))
            .take(COLUMNS_MAX as usize)
            .map(|packed| shown(packed).into_owned())
            .collect::<Vec<String>>()
    };
    [Some(row), row.checked_add(1)]
        .into_iter()
        .flatten()
        .filter(|lower| *lower > 0 && *lower < grid.rows())
        .find(|lower| {
            let (above, below) = (texts(lower - 1), texts(*lower));
            // Under Name stands either nothing, or the first name.
            let is_value_row = above
                .iter()
                .zip(&below)
                .any(|(above, below)| role_of_header(above).is_some() && !below.is_empty());
            let modes = |text: &&String| !text.is_empty() && role_of_header(text).is_none();
            let repeated = below
                .iter()
                .filter(modes)
                .any(|mode| below.iter().filter(|other| *other == mode).count() > 1);
            let brands = above.iter().zip(1..).filter(|(text, next)| {
                modes(text) && below.get(next - 1).is_some_and(|text| modes(&text))
            });
            // A brand stands over several modes: merged, so that the next cell is empty, or written again.
            let spread = (1..below.len()).any(|at| {
                let over = |at: usize| above.get(at).map_or("", String::as_str);
                modes(&&below[at])
                    && modes(&&below[at - 1])
                    && below[at] != below[at - 1]
                    && (over(at).is_empty() || over(at) == over(at - 1))
            });
            repeated && spread && brands.count() > 1 && !(*lower != row && is_value_row)
        })
}

/// Token, mode, value: a column of modes' names beside one column of values.
fn infer_long(columns: &mut [Column], layout: &mut SheetLayout) {
    let modes = columns
        .iter()
        .filter(|column| matches!(column.role, Role::Mode { .. }));
    let [value] = *modes.map(|column| column.index).collect::<Vec<u32>>() else {
        return;
    };
    let named = |column: &&mut Column| {
        let header = column.header.to_lowercase();
        column.role == Role::Ignore
            && column.index != value
            && matches!(header.as_str(), "mode" | "mode name" | "theme")
    };
    if let Some(column) = columns.iter_mut().find(named) {
        column.role = Role::ModeName;
        layout.shape = Shape::Long;
    }
}

/// Whether most names are written with points, `--` or `$` and none with slashes.
fn infer_names(grid: &Grid, header_row: u32, columns: &[Column], layout: &mut SheetLayout) {
    let Some(column) = columns.iter().find(|column| column.role == Role::Name) else {
        return;
    };
    let (mut named, mut signed) = (0, 0);
    for row in header_row + 1..grid.rows() {
        let name = shown(cell(grid.row(row), column.index));
        if name.contains('/') {
            return;
        }
        named += u32::from(!name.is_empty());
        let has_sign = name.contains('.') || name.starts_with('$') || name.contains("--");
        signed += u32::from(has_sign);
    }
    if signed > 1 && signed * 2 > named {
        layout.names = Names::Groups;
    }
}

fn holds_values(
    grid: &Grid,
    header_row: u32,
    column: u32,
    kind_column: Option<u32>,
    context: &ReadContext,
) -> bool {
    let rows = grid.rows().saturating_sub(header_row + 1);
    let stride = (rows / SAMPLE_ROWS).max(1);
    let (mut filled, mut values) = (0, 0);
    let mut row = header_row + 1;
    while row < grid.rows() {
        let text = grid.row(row);
        let packed = cell(text, column);
        if !packed.is_empty() {
            let expected =
                kind_column.and_then(|kind| parse_type(&shown(cell(text, kind))).ok().flatten());
            match value::read(CellView::new(packed), expected, context) {
                Ok(Reading::Value(value::Value::String(_))) if expected.is_none() => filled += 1,
                Ok(Reading::Value(_) | Reading::Alias(_) | Reading::Composed { .. }) => {
                    filled += 1;
                    values += 1;
                }
                Ok(Reading::Empty | Reading::Hold) => {}
                Err(_) => filled += 1,
            }
        }
        row += stride;
    }
    values > 0 && values * 2 >= filled
}
