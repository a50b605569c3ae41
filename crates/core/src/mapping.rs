//! From rows to desired variables: which row is the header, what each column is for, what a row says.
//!
//! Owns the tokens layout, its inference, and the rules for names, types, scopes and switches. Must not know what
//! Figma holds: identity, aliases' targets and differences are the engine's.

pub mod grid;

use crate::mapping::grid::{Cells, Grid, cell, shown};
use crate::owned;
use crate::protocol::panel::{Column, Problem, Role};
use crate::sheet::{CellView, a1};
use crate::value::{self, ReadContext, Reading, parse_type};

/// How many rows at the top are looked at for a header.
pub const HEADER_SEARCH_ROWS: u32 = 20;
/// How many columns are read; a column further right is ignored.
pub const COLUMNS_MAX: u32 = 200;
/// How many rows are looked at, spread over the sheet, to tell a mode column from another.
const SAMPLE_ROWS: u32 = 24;
/// Most characters of a mode's name. Source: Figma's variables API.
pub const MODE_NAME_MAX: usize = 40;
/// Most modes of a collection on any plan. Source: Figma's variables API.
pub const MODES_MAX: usize = 40;
/// Most variables of a collection. Source: Figma's variables API.
pub const VARIABLES_MAX: u32 = 5_000;

/// A mode column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeColumn {
    /// Zero-based.
    pub column: u32,
    /// The mode's name in Figma.
    pub name: String,
}

/// Where each role stands; from confirmed columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Zero-based row of the header.
    pub header_row: u32,
    /// The name's column.
    pub name: u32,
    /// The collection's column; without one every row is in a collection named after the tab.
    pub collection: Option<u32>,
    /// The type's column.
    pub kind: Option<u32>,
    /// The modes, in the order of columns.
    pub modes: Vec<ModeColumn>,
    /// The description's column.
    pub description: Option<u32>,
    /// The scopes' column.
    pub scopes: Option<u32>,
    /// Code syntax for web, Android, iOS.
    pub code: [Option<u32>; 3],
    /// Hidden from publishing.
    pub hidden: Option<u32>,
    /// The row's stable id.
    pub id: Option<u32>,
    last: u32,
}

/// Why columns can't be used, with their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutProblem {
    /// Zero-based column, if one is to blame.
    pub column: Option<u32>,
    /// One sentence.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

impl Layout {
    /// Makes a layout of confirmed columns.
    ///
    /// # Errors
    /// What is missing or there twice, or a mode's name that Figma would refuse; nothing is used then.
    pub fn new(columns: &[Column], header_row: u32) -> Result<Layout, Vec<LayoutProblem>> {
        let mut layout = Layout {
            header_row,
            name: u32::MAX,
            ..Layout::default()
        };
        let mut problems = Vec::new();
        let mut once = |place: &mut Option<u32>, index: u32, what: &str| {
            if place.is_some() {
                problems.push(LayoutProblem {
                    column: Some(index),
                    message: format!("Two columns are marked as {what}."),
                    remedy: format!("Keep one column as {what} and ignore the other."),
                });
            }
            *place = Some(index);
        };
        let mut name = None;
        let mut modes = Vec::new();
        for column in columns {
            let index = column.index;
            let place = match &column.role {
                Role::Ignore => continue,
                Role::Mode { name } => {
                    modes.push(ModeColumn {
                        column: index,
                        name: name.trim().to_owned(),
                    });
                    layout.last = layout.last.max(index);
                    continue;
                }
                Role::Collection => (&mut layout.collection, "the collection"),
                Role::Name => (&mut name, "the name"),
                Role::Type => (&mut layout.kind, "the type"),
                Role::Description => (&mut layout.description, "the description"),
                Role::Scopes => (&mut layout.scopes, "the scopes"),
                Role::CodeWeb => (&mut layout.code[0], "code syntax for the web"),
                Role::CodeAndroid => (&mut layout.code[1], "code syntax for Android"),
                Role::CodeIos => (&mut layout.code[2], "code syntax for iOS"),
                Role::Hidden => (&mut layout.hidden, "hidden from publishing"),
                Role::Id => (&mut layout.id, "the id"),
            };
            once(place.0, index, place.1);
            layout.last = layout.last.max(index);
        }
        let mut problem = |column: Option<u32>, message: String, remedy: &str| {
            problems.push(LayoutProblem {
                column,
                message,
                remedy: remedy.to_owned(),
            });
        };
        match name {
            Some(name) => layout.name = name,
            None => problem(
                None,
                owned("No column holds the variables' names."),
                "Mark one column as the name.",
            ),
        }
        if modes.is_empty() {
            problem(
                None,
                owned("No column holds values."),
                "Mark at least one column as a mode.",
            );
        }
        if modes.len() > MODES_MAX {
            let message = format!(
                "{} columns are marked as modes; Figma allows {MODES_MAX} in a collection.",
                modes.len()
            );
            problem(None, message, "Ignore some of the columns.");
        }
        for (at, mode) in modes.iter().enumerate() {
            let length = mode.name.chars().count();
            if length == 0 {
                problem(
                    Some(mode.column),
                    owned("This mode has no name."),
                    "Give the column a header, or ignore it.",
                );
            } else if length > MODE_NAME_MAX {
                let message = format!(
                    "The mode's name has {length} characters; Figma allows {MODE_NAME_MAX}."
                );
                problem(
                    Some(mode.column),
                    message,
                    "Shorten the name, or ignore the column.",
                );
            } else if modes[..at].iter().any(|other| other.name == mode.name) {
                let message = format!("Two columns are the mode “{}”.", mode.name);
                problem(
                    Some(mode.column),
                    message,
                    "Rename one of them, or ignore it.",
                );
            }
        }
        layout.modes = modes;
        if problems.is_empty() {
            Ok(layout)
        } else {
            Err(problems)
        }
    }

    /// The cells of a row up to the last column that matters.
    pub fn split<'a>(&self, row: &'a str, cells: &mut Vec<&'a str>) {
        cells.clear();
        cells.extend(Cells::new(row).take(self.last as usize + 1));
    }
}

/// What inference found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inferred {
    /// One for each column.
    pub columns: Vec<Column>,
    /// Zero-based row of the header.
    pub header_row: u32,
    /// What keeps the sheet from being read at all.
    pub problems: Vec<Problem>,
}

/// The role a header's words stand for; `None` when they stand for none.
fn role_of_header(header: &str) -> Option<Role> {
    let lower = header.trim().to_lowercase();
    let words = lower.trim_start_matches('$').replace(['_', '-'], " ");
    let compact: String = words
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    Some(match compact.as_str() {
        "collection" | "variablecollection" | "set" | "tokenset" => Role::Collection,
        "name" | "token" | "tokenname" | "variable" | "variablename" | "path" => Role::Name,
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
    let header_row = best.map_or(0, |(_, row)| row);
    let mut columns: Vec<Column> = Vec::new();
    for (index, packed) in Cells::new(grid.row(header_row))
        .take(COLUMNS_MAX as usize)
        .enumerate()
    {
        let index = index as u32;
        let header = shown(packed).into_owned();
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

/// Reads a switch, such as a cell of the hidden column.
pub fn switch_of(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "x" | "1" | "hidden" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// What Figma would refuse about a variable's name, and what to do; `None` when it is fine.
///
/// Figma allows no `.`, `{` or `}` in names. A name written with dots is not converted: a sheet may mean the dot
/// (`spacing/0.5`), and a silent change of names would break who looks for them.
pub fn name_trouble(name: &str) -> Option<(String, &'static str)> {
    if name.contains('.') {
        return Some((
            owned("Figma allows no “.” in a variable's name."),
            "Write groups with /, as in color/brand/500, and fractions as 0-5.",
        ));
    }
    if name.contains(['{', '}']) {
        return Some((
            owned("Figma allows no “{” or “}” in a variable's name."),
            "Remove the braces; they mark references in value cells only.",
        ));
    }
    if name.split('/').any(|part| part.trim().is_empty()) {
        return Some((
            owned("The name has an empty group."),
            "Remove the / at the start or end, or the doubled one.",
        ));
    }
    None
}
