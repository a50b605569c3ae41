//! From rows to desired variables: which row is the header, what each column is for, what a row says.
//!
//! Owns where each role stands and the rules for names and switches. How the columns are told is `inference`'s, how a
//! sheet that lies otherwise becomes rows of one variable each is `view`'s, how the rows of several tabs stand together
//! is `table`'s. Must not know what Figma holds: identity,
//! aliases' targets and differences are the engine's.

pub mod grid;
mod header;
mod inference;
pub mod table;
pub mod view;

use crate::mapping::grid::Cells;
use crate::owned;
use crate::protocol::panel::{Brands, Column, Names, Role, RowRule, Shape, SheetLayout};

pub use header::{headers, joined};
pub use inference::{Inferred, infer};

/// How many rows at the top are looked at for a header.
pub const HEADER_SEARCH_ROWS: u32 = 20;
/// How many columns are read; a column further right is ignored.
pub const COLUMNS_MAX: u32 = 200;
/// Most characters of a mode's name. Source: Figma's variables API.
pub const MODE_NAME_MAX: usize = 40;
/// Most modes of a collection on any plan. Source: Figma's variables API.
pub const MODES_MAX: usize = 40;
/// Most variables of a collection. Source: Figma's variables API.
pub const VARIABLES_MAX: u32 = 5_000;

/// The headers that an export writes before its modes.
pub const EXPORT_BEFORE: [&str; 3] = ["Collection", "Name", "Type"];
/// The headers that an export writes behind its modes.
pub const EXPORT_BEHIND: [&str; 6] = [
    "Description",
    "Scopes",
    "code:web",
    "code:android",
    "code:ios",
    "Hidden",
];

/// A mode column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeColumn {
    /// Zero-based.
    pub column: u32,
    /// The mode's name in Figma.
    pub name: String,
    /// Pixels in one rem, where the connection says so.
    pub rem_px: Option<u32>,
}

/// A rule about rows, with its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Zero-based.
    pub column: u32,
    /// In lower case.
    pub words: Vec<String>,
}

/// Where each role stands; from confirmed columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Zero-based row of the header; of two header rows, the lower one.
    pub header_row: u32,
    /// The columns with parts of the name that stand before it.
    pub groups: Vec<u32>,
    /// The name's column; in the records layout, the column of the modes' names.
    pub name: u32,
    /// The column of the mode that a row's value is for; in the long layout only.
    pub mode_name: Option<u32>,
    /// Columns of variables; in the records layout only.
    pub variables: Vec<u32>,
    /// What the names' signs stand for.
    pub names: Names,
    /// Which rows give values.
    pub only: Option<Rule>,
    /// Which rows are not read.
    pub ignore: Option<Rule>,
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
        Layout::of(columns, header_row, &SheetLayout::default())
    }

    /// Makes a layout of confirmed columns in a sheet that lies as `lies` says. The modes of records and of the long
    /// layout stand in the sheet's rows: [`view::View::arrange`] finds them.
    ///
    /// # Errors
    /// As [`Layout::new`]; also a rule about a column that is not there.
    pub fn of(
        columns: &[Column],
        header_row: u32,
        lies: &SheetLayout,
    ) -> Result<Layout, Vec<LayoutProblem>> {
        let mut layout = Layout {
            header_row,
            name: u32::MAX,
            names: lies.names,
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
                        rem_px: rem_px(lies, name.trim()),
                    });
                    layout.last = layout.last.max(index);
                    continue;
                }
                Role::Group => {
                    layout.groups.push(index);
                    layout.last = layout.last.max(index);
                    continue;
                }
                Role::Variable => {
                    layout.variables.push(index);
                    continue;
                }
                Role::ModeName => (&mut layout.mode_name, "the mode's name"),
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
                owned(if lies.shape == Shape::Records {
                    "No column holds the modes' names."
                } else {
                    "No column holds the variables' names."
                }),
                "Mark one column as the name.",
            ),
        }
        if lies.names == Names::Ask {
            problem(
                name,
                owned("Names are written with “.”, “--” or “$”."),
                "Choose whether these stand for groups or for themselves.",
            );
        }
        if let Some(tab) = &lies.tab_mode {
            let one = modes.len() == 1;
            for mode in &mut modes {
                mode.name = if one {
                    tab.mode.trim().to_owned()
                } else {
                    [tab.mode.trim(), header::BETWEEN, &mode.name].concat()
                };
                mode.rem_px = rem_px(lies, &mode.name);
            }
            if lies.shape != Shape::Tokens || lies.brands == Brands::Collections {
                problem(
                    None,
                    owned("A tab that holds the values of one mode has one row a variable."),
                    "Choose the layout with one row a variable, or let the tab feed a collection of its own.",
                );
            }
            if tab.collection.trim().is_empty() {
                problem(
                    None,
                    owned("The collection of the tabs of one mode each has no name."),
                    "Name the collection that they feed together.",
                );
            }
        }
        match lies.shape {
            Shape::Tokens => check_modes(&modes, lies.brands, &mut problem),
            Shape::Records => {
                if layout.variables.is_empty() {
                    problem(
                        None,
                        owned("No column holds a variable's values."),
                        "Mark at least one column as a variable.",
                    );
                }
            }
            Shape::Long => {
                if layout.mode_name.is_none() {
                    problem(
                        None,
                        owned("No column says which mode a row's value is for."),
                        "Mark one column as the mode's name.",
                    );
                }
                if modes.len() != 1 {
                    problem(
                        None,
                        owned("One column must hold the values."),
                        "Mark exactly one column as a mode; its name does not matter.",
                    );
                }
            }
        }
        for (rule, place) in [
            (&lies.only, &mut layout.only),
            (&lies.ignore, &mut layout.ignore),
        ] {
            let Some(RowRule { header, words }) = rule else {
                continue;
            };
            match columns.iter().find(|column| column.header == *header) {
                Some(column) => {
                    *place = Some(Rule {
                        column: column.index,
                        words: words
                            .iter()
                            .map(|word| word.trim().to_lowercase())
                            .collect(),
                    });
                }
                None => {
                    let message = ["No column is called “", header, "”, which a rule is about."];
                    problem(
                        None,
                        message.concat(),
                        "Choose another column for the rule.",
                    );
                }
            }
        }
        layout.modes = modes;
        if problems.is_empty() {
            Ok(layout)
        } else {
            Err(problems)
        }
    }

    /// A name as the variable has it, as [`Names::variable_name`].
    pub fn variable_name(&self, name: String) -> String {
        self.names.variable_name(name)
    }

    /// The cells of a row up to the last column that matters.
    pub fn split<'a>(&self, row: &'a str, cells: &mut Vec<&'a str>) {
        cells.clear();
        cells.extend(Cells::new(row).take(self.last as usize + 1));
    }
}

impl Names {
    /// A name as the variable has it: `$color.brand--500` is `color/brand/500` where the signs stand for groups.
    pub fn variable_name(self, name: String) -> String {
        match self {
            Names::Keep | Names::Ask => name,
            Names::Groups => {
                let bare = name.strip_prefix('$').unwrap_or(&name);
                let bare = bare.strip_prefix("--").unwrap_or(bare);
                bare.replace("--", "/").replace('.', "/")
            }
        }
    }
}

/// Pixels in one rem of a mode; `None` where nobody said.
fn rem_px(lies: &SheetLayout, mode: &str) -> Option<u32> {
    let of = |name: &str| lies.rem.iter().find(|base| base.mode == name);
    of(mode).or_else(|| of("")).map(|base| base.px)
}

/// What Figma would refuse about modes' names.
fn check_modes(
    modes: &[ModeColumn],
    brands: Brands,
    problem: &mut dyn FnMut(Option<u32>, String, &str),
) {
    if modes.is_empty() {
        problem(
            None,
            owned("No column holds values."),
            "Mark at least one column as a mode.",
        );
    }
    if modes.len() > MODES_MAX && brands != Brands::Collections {
        let message = format!(
            "{} columns are marked as modes; Figma allows {MODES_MAX} in a collection.",
            modes.len()
        );
        problem(None, message, "Ignore some of the columns.");
    }
    for (at, mode) in modes.iter().enumerate() {
        if let Some((message, remedy)) = mode_trouble(&mode.name) {
            problem(Some(mode.column), message, remedy);
        } else if modes[..at].iter().any(|other| other.name == mode.name) {
            let message = format!("Two columns are the mode “{}”.", mode.name);
            problem(
                Some(mode.column),
                message,
                "Rename one of them, or ignore it.",
            );
        }
    }
}

/// What Figma would refuse about a mode's name, and what to do.
fn mode_trouble(name: &str) -> Option<(String, &'static str)> {
    let length = name.chars().count();
    if length == 0 {
        Some((
            owned("This mode has no name."),
            "Give the column a header, or ignore it.",
        ))
    } else if length > MODE_NAME_MAX {
        let message =
            format!("The mode's name has {length} characters; Figma allows {MODE_NAME_MAX}.");
        Some((message, "Shorten the name, or ignore the column."))
    } else {
        None
    }
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
