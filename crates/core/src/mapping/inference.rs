//! Telling a sheet's header row, its columns' roles and how it lies.
//!
//! Owns the words of headers and the looks of columns. Must not decide: what it finds is shown to the designer.

use super::grid::{Cells, Grid, cell, shown};
use super::header::headers;
use super::{COLUMNS_MAX, EXPORT_BEFORE, EXPORT_BEHIND, HEADER_SEARCH_ROWS};
use crate::owned;
use crate::protocol::panel::{
    Brands, Column, Names, Problem, Role, RowRule, Sections, Shape, SheetLayout,
};
use crate::sheet::{CellView, a1};
use crate::value::{self, ReadContext, Reading, VariableType, parse_type};

/// How many rows are looked at, spread over the sheet, to tell a mode column from another.
const SAMPLE_ROWS: u32 = 24;
/// How many rows under the header are looked at for headings and for the words of a status.
const LOOK_ROWS: u32 = 400;

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
        "collection" | "variablecollection" | "set" | "tokenset" | "sammlung" | "colección"
        | "coleção" => Role::Collection,
        "name" | "token" | "tokenname" | "variable" | "variablename" | "path" | "key"
        | "designtoken" | "nom" | "nombre" | "nome" | "naam" => Role::Name,
        "group" | "subgroup" | "category" | "subcategory" | "gruppe" | "kategorie" | "groupe"
        | "catégorie" | "grupo" | "categoría" | "categoria" => Role::Group,
        "type" | "kind" | "resolvedtype" | "variabletype" | "tokentype" | "typ" | "tipo" => {
            Role::Type
        }
        "description" | "desc" | "comment" | "comments" | "notes" | "note" | "usage"
        | "beschreibung" | "notiz" | "descripción" | "descrição" | "descrizione"
        | "omschrijving" => Role::Description,
        "scopes" | "scope" | "scoping" | "figmascope" | "figmascopes" => Role::Scopes,
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
            | "text"
            | "copy"
            | "string"
            | "content"
            | "wert"
            | "hell"
            | "dunkel"
            | "valeur"
            | "clair"
            | "sombre"
            | "valor"
            | "claro"
            | "oscuro"
            | "escuro"
            | "valore"
            | "chiaro"
            | "scuro"
            | "waarde"
            | "licht"
            | "donker"
    )
}

/// Whether a header says that the column holds the value, and so names no mode among several.
fn is_value_word(header: &str) -> bool {
    matches!(
        header.trim().to_lowercase().as_str(),
        "value" | "values" | "wert" | "valeur" | "valor" | "valore" | "waarde"
    )
}

/// Whether a header is a language, such as `en`, `de-DE`, `pt_BR`, `German` or `Français (Canada)`.
fn is_language(header: &str) -> bool {
    const NAMES: [&str; 43] = [
        "arabic",
        "bulgarian",
        "catalan",
        "chinese",
        "croatian",
        "czech",
        "danish",
        "dansk",
        "deutsch",
        "dutch",
        "english",
        "español",
        "estonian",
        "finnish",
        "français",
        "french",
        "german",
        "greek",
        "hebrew",
        "hindi",
        "hungarian",
        "indonesian",
        "italian",
        "italiano",
        "japanese",
        "korean",
        "latvian",
        "lithuanian",
        "nederlands",
        "norsk",
        "norwegian",
        "polish",
        "polski",
        "português",
        "portuguese",
        "romanian",
        "russian",
        "spanish",
        "svenska",
        "swedish",
        "turkish",
        "ukrainian",
        "vietnamese",
    ];
    let lower = header.trim().to_lowercase();
    let word = lower.split([' ', '(', '-', '–', '/']).next();
    if word.is_some_and(|word| NAMES.contains(&word)) {
        return true;
    }
    // The languages of ISO 639-1 that software is sold in; `no` is left out, which is a number as often.
    const LANGUAGES: &str = "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id is it ja ko lt lv ms \
        nb nl nn pl pt ro ru sk sl sr sv sw ta th tr uk ur vi zh";
    let (language, region) = header.split_once(['-', '_']).unwrap_or((header, "DE"));
    let is_code = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    language.len() == 2
        && (2..=4).contains(&region.len())
        && is_code(language)
        && is_code(region)
        && LANGUAGES.contains(language.to_ascii_lowercase().as_str())
}

/// Whether a header says that the column is about the variable and holds no value of it, whatever it looks like.
fn is_aside(header: &str) -> bool {
    matches!(
        header.trim().to_lowercase().as_str(),
        "#" | "no"
            | "no."
            | "nr"
            | "nr."
            | "order"
            | "priority"
            | "index"
            | "count"
            | "owner"
            | "author"
            | "designer"
            | "developer"
            | "team"
            | "assigned to"
            | "assignee"
            | "responsible"
            | "contact"
            | "who"
            | "uses"
            | "used"
            | "usage count"
            | "instances"
            | "length"
            | "max length"
            | "max. length"
            | "characters"
            | "character limit"
            | "screen"
            | "page"
            | "figma page"
            | "context"
            | "rationale"
            | "source"
            | "status"
            | "state"
            | "stage"
            | "approval"
            | "approved"
            | "approved by"
            | "reviewer"
            | "reviewed"
            | "reviewed by"
            | "review"
            | "done"
            | "ready"
            | "checked"
            | "in figma"
            | "in code"
            | "version"
            | "since"
            | "date"
            | "created"
            | "updated"
            | "last updated"
            | "last changed"
            | "ticket"
            | "issue"
            | "jira"
            | "link"
            | "url"
            | "preview"
            | "swatch"
            | "sample"
            | "example"
            | "screenshot"
            | "contrast"
            | "contrast ratio"
            | "wcag"
            | "where used"
            | "where it is used"
            | "old name"
            | "old value"
            | "previous"
            | "previous value"
            | "deprecated"
    )
}

/// Whether a header is a way to write a value, of which a sheet may have several beside each other: `Hex`, `In px`,
/// `Value (rem)`.
fn is_notation(header: &str) -> bool {
    let lower = header.trim().to_lowercase();
    let mut words = lower
        .split([' ', '(', ')', '-', '_'])
        .filter(|word| !matches!(*word, "" | "in" | "value" | "code"));
    let (Some(word), None) = (words.next(), words.next()) else {
        return false;
    };
    matches!(
        word,
        "hex"
            | "rgb"
            | "rgba"
            | "hsl"
            | "hsla"
            | "hsb"
            | "cmyk"
            | "oklch"
            | "px"
            | "pixels"
            | "rem"
            | "em"
            | "pt"
            | "%"
    )
}

/// Whether the headers are those that an export writes: then every column between the fields is a mode, whatever its name.
fn is_export(columns: &[Column]) -> bool {
    let said = |columns: &[Column], headers: &[&str]| {
        columns.len() == headers.len()
            && columns
                .iter()
                .zip(headers)
                .all(|(column, header)| column.header == *header)
    };
    let behind = columns.len().checked_sub(EXPORT_BEHIND.len());
    let (Some(behind), Some(before)) = (behind, columns.get(..EXPORT_BEFORE.len())) else {
        return false;
    };
    behind > EXPORT_BEFORE.len()
        && said(before, &EXPORT_BEFORE)
        && said(&columns[behind..], &EXPORT_BEHIND)
}

/// The columns of an export.
fn take_export(columns: &mut [Column]) {
    let behind = columns.len() - EXPORT_BEHIND.len();
    for (at, column) in columns.iter_mut().enumerate() {
        column.role = match role_of_header(&column.header) {
            _ if (EXPORT_BEFORE.len()..behind).contains(&at) => Role::Mode {
                name: column.header.clone(),
            },
            role => role.unwrap_or(Role::Ignore),
        };
    }
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
    let unnamed = match best {
        None => find_names(grid, context),
        Some(_) => None,
    };
    let mut layout = SheetLayout::default();
    let mut header_row = best
        .map(|(_, row)| row)
        .or(unnamed.map(|(row, _)| row))
        .unwrap_or_default();
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
            role: match unnamed {
                Some((_, column)) if column == index => Role::Name,
                _ => role.unwrap_or(Role::Ignore),
            },
        });
    }
    let kind_column = columns
        .iter()
        .find(|column| column.role == Role::Type)
        .map(|column| column.index);
    if is_export(&columns) {
        take_export(&mut columns);
    } else {
        let looks = Looks {
            grid,
            header_row,
            kind_column,
            context,
        };
        infer_modes(&looks, &mut columns);
        infer_long(&mut columns, &mut layout);
        infer_names(grid, header_row, &columns, &mut layout);
        infer_sections(grid, header_row, &columns, &mut layout);
        infer_status(grid, header_row, &columns, &mut layout);
    }
    let mut problems = Vec::new();
    let address = a1(sheet_title, header_row, 0);
    if let Some((row, column)) = unnamed {
        let header = columns.get(column as usize).map(|column| &*column.header);
        problems.push(Problem {
            address: a1(sheet_title, row, column),
            message: [
                "No column is called Name; “",
                header.unwrap_or_default(),
                "” was taken for it.",
            ]
            .concat(),
            remedy: owned("Choose another column if the names stand there."),
        });
    } else if best.is_none() {
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

/// Whether most names are written with points, `--` or `$` and none with slashes: then what these mean is asked.
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
    if signed * 2 > named {
        layout.names = Names::Ask;
    }
}

/// Whether headings stand over names that have no groups of their own: then they are proposed as the groups.
fn infer_sections(grid: &Grid, header_row: u32, columns: &[Column], layout: &mut SheetLayout) {
    let name = columns.iter().find(|column| column.role == Role::Name);
    let (Some(name), Shape::Tokens, Names::Keep) = (name, layout.shape, layout.names) else {
        return;
    };
    if columns.iter().any(|column| column.role == Role::Group) {
        return;
    }
    // A heading counts when a row with values follows.
    let (mut headings, mut open, mut gap) = (0, false, true);
    for row in header_row + 1..grid.rows().min(header_row + LOOK_ROWS) {
        let mut filled = Cells::new(grid.row(row))
            .enumerate()
            .filter(|(_, packed)| !packed.is_empty());
        let Some((at, first)) = filled.next() else {
            gap = true;
            continue;
        };
        if gap && at as u32 == name.index && filled.next().is_none() {
            open = true;
            continue;
        }
        if at as u32 == name.index && shown(first).contains('/') {
            return;
        }
        headings += u32::from(std::mem::take(&mut open));
        gap = false;
    }
    if headings > 1 {
        layout.sections = Sections::Groups;
    }
}

/// Whether a column says which rows are approved: then only these are proposed.
fn infer_status(grid: &Grid, header_row: u32, columns: &[Column], layout: &mut SheetLayout) {
    let is_status = |column: &&Column| {
        let header = column.header.trim().to_lowercase();
        let words = ["status", "state", "stage", "approval", "approved", "ready"];
        column.role == Role::Ignore && words.contains(&header.as_str())
    };
    let Some(column) = columns.iter().find(is_status) else {
        return;
    };
    let mut approved: Vec<String> = Vec::new();
    let mut others = false;
    for row in header_row + 1..grid.rows().min(header_row + LOOK_ROWS) {
        let word = shown(cell(grid.row(row), column.index)).to_lowercase();
        match word.as_str() {
            "" => {}
            "approved" | "ready" | "ready for dev" | "final" | "released" | "published"
            | "done" | "true" | "yes" => {
                if !approved.contains(&word) {
                    approved.push(word);
                }
            }
            _ => others = true,
        }
    }
    if others && !approved.is_empty() {
        layout.only = Some(RowRule {
            header: column.header.clone(),
            words: approved,
        });
    }
}

/// A header row and a column of names where no header says so: the first row with several texts and no value, over a
/// column of texts.
fn find_names(grid: &Grid, context: &ReadContext) -> Option<(u32, u32)> {
    let tells = |packed: &str| match value::read(CellView::new(packed), None, context) {
        Ok(Reading::Value(value)) => value.variable_type() != VariableType::String,
        Ok(Reading::Alias(_) | Reading::Composed { .. }) => true,
        Ok(Reading::Empty | Reading::Hold) | Err(_) => false,
    };
    let columns = |row: u32| Cells::new(grid.row(row)).take(COLUMNS_MAX as usize);
    let filled = |row: &u32| columns(*row).filter(|packed| !packed.is_empty()).count() > 1;
    let row = (0..grid.rows().min(HEADER_SEARCH_ROWS)).find(filled)?;
    // A variable's name is no header: the sheet has none, or has lost it.
    if columns(row).any(|packed| tells(packed) || shown(packed).contains('/')) {
        return None;
    }
    let mut headed = (0u32..)
        .zip(columns(row))
        .filter(|(_, packed)| !packed.is_empty());
    let column = headed.find(|(column, packed)| {
        if is_aside(&shown(packed)) {
            return false;
        }
        let below = row + 1..grid.rows().min(row + 1 + SAMPLE_ROWS);
        let texts = below.clone().filter(|row| {
            let packed = cell(grid.row(*row), *column);
            !shown(packed).is_empty() && !tells(packed)
        });
        let rows = below.clone().filter(|row| !grid.row(*row).is_empty());
        let (texts, rows) = (texts.count(), rows.count());
        texts > 0 && texts * 4 >= rows * 3
    });
    column.map(|(column, _)| (row, column))
}

/// What is needed to look at the cells under the header.
struct Looks<'a> {
    grid: &'a Grid,
    header_row: u32,
    kind_column: Option<u32>,
    context: &'a ReadContext,
}

/// What a cell looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Empty, or a value still to come.
    Nothing,
    /// A value of a type.
    Kind(VariableType),
    /// A reference.
    Reference,
    /// A text in a row of texts: perhaps a value, perhaps a note.
    Text,
    /// No value.
    Stray,
}

/// How the cells of a column look.
struct Looked {
    cells: Vec<Look>,
    values: usize,
    texts: usize,
    strays: usize,
}

impl Looks<'_> {
    fn at(&self, column: u32) -> Looked {
        let rows = self.grid.rows().saturating_sub(self.header_row + 1);
        let stride = (rows / SAMPLE_ROWS).max(1);
        let mut cells = Vec::new();
        let mut row = self.header_row + 1;
        while row < self.grid.rows() {
            cells.push(self.cell(row, column));
            row += stride;
        }
        let count = |wanted: fn(&Look) -> bool| cells.iter().filter(|look| wanted(look)).count();
        Looked {
            values: count(|look| matches!(look, Look::Kind(_) | Look::Reference)),
            texts: count(|look| *look == Look::Text),
            strays: count(|look| *look == Look::Stray),
            cells,
        }
    }

    fn cell(&self, row: u32, column: u32) -> Look {
        let text = self.grid.row(row);
        let packed = cell(text, column);
        if packed.is_empty() {
            return Look::Nothing;
        }
        let kind = self.kind_column.map(|kind| shown(cell(text, kind)));
        let expected = kind.and_then(|kind| parse_type(&kind).ok().flatten());
        match value::read(CellView::new(packed), expected, self.context) {
            Ok(Reading::Value(value::Value::String(_))) if expected.is_none() => Look::Stray,
            Ok(Reading::Value(value::Value::String(_))) => Look::Text,
            Ok(Reading::Value(value)) => Look::Kind(value.variable_type()),
            Ok(Reading::Alias(_)) => Look::Reference,
            Ok(Reading::Composed { .. }) => Look::Kind(VariableType::Color),
            Ok(Reading::Empty | Reading::Hold) => Look::Nothing,
            Err(_) => Look::Stray,
        }
    }
}

/// Whether two columns mostly hold values of the same types.
fn agree(one: &Looked, other: &Looked) -> bool {
    let (mut same, mut different) = (0, 0);
    for pair in one.cells.iter().zip(&other.cells) {
        if let (Look::Kind(one), Look::Kind(other)) = pair {
            same += u32::from(one == other);
            different += u32::from(one != other);
        }
    }
    same >= different
}

/// Which columns are modes. A header's word decides, if it is a mode's; else the values do. They stand behind the name,
/// and agree in their types with those of the first mode. A text in a row of texts may be a note as well, and counts
/// only where there would be no mode otherwise.
fn infer_modes(looks: &Looks<'_>, columns: &mut [Column]) {
    let name = columns.iter().find(|column| column.role == Role::Name);
    let name = name.map_or(0, |column| column.index);
    let said = |header: &str| is_mode_word(header) || is_language(header);
    let is_open = |column: &Column| {
        let header = &column.header;
        column.role == Role::Ignore
            && !header.is_empty()
            && role_of_header(header).is_none()
            && !is_aside(header)
    };
    let open: Vec<usize> = (0..columns.len())
        .filter(|at| is_open(&columns[*at]))
        .collect();
    let looked: Vec<(usize, Looked)> = open
        .into_iter()
        .map(|at| (at, looks.at(columns[at].index)))
        .collect();
    let holds = |at: usize, look: &Looked| {
        columns[at].index > name && look.values > 0 && look.values >= look.strays
    };
    let anchor = looked
        .iter()
        .find(|(at, look)| said(&columns[*at].header) && look.values > 0)
        .or_else(|| looked.iter().find(|(at, look)| holds(*at, look)))
        // A column Hex of which Sheets made numbers still says what it is for.
        .or_else(|| {
            looked
                .iter()
                .find(|(at, look)| is_notation(&columns[*at].header) && look.values > 0)
        })
        .map(|(at, _)| *at);
    let alone = anchor.is_some_and(|anchor| is_value_word(&columns[anchor].header));
    let mut modes: Vec<usize> = Vec::new();
    for (at, look) in &looked {
        let first = looked.iter().find(|(first, _)| Some(*first) == anchor);
        let agrees = first.is_none_or(|(_, first)| agree(first, look));
        let again = is_notation(&columns[*at].header) && anchor.is_some_and(|anchor| anchor != *at);
        let fits = holds(*at, look) && agrees && !again && !alone;
        if said(&columns[*at].header) || Some(*at) == anchor || fits {
            modes.push(*at);
        }
    }
    if modes.is_empty() {
        let text = |(at, look): &&(usize, Looked)| {
            columns[*at].index > name && look.texts > 0 && look.texts >= look.strays
        };
        modes.extend(looked.iter().find(text).map(|(at, _)| *at));
    }
    for at in modes {
        columns[at].role = Role::Mode {
            name: columns[at].header.clone(),
        };
    }
}
