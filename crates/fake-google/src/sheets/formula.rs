//! Formulas: a small part of Sheets' language, enough for references, arithmetic, joining texts and errors.
//!
//! Owns reading, evaluating and rewriting formulas. Must not know where cells are kept; a [`Source`] gives them.

use super::a1;
use super::entry;
use super::locale::Locale;
use super::number_format::automatic;

/// An error value, as Google's `ErrorType` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellError {
    /// A formula that can't be read.
    Parse,
    DivideByZero,
    Value,
    Ref,
    Name,
    Num,
    NotAvailable,
    /// The value has not come yet.
    Loading,
}

impl CellError {
    /// As the API names it.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            CellError::Parse => "ERROR",
            CellError::DivideByZero => "DIVIDE_BY_ZERO",
            CellError::Value => "VALUE",
            CellError::Ref => "REF",
            CellError::Name => "NAME",
            CellError::Num => "NUM",
            CellError::NotAvailable => "N_A",
            CellError::Loading => "LOADING",
        }
    }

    /// As the cell shows it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            CellError::Parse => "#ERROR!",
            CellError::DivideByZero => "#DIV/0!",
            CellError::Value => "#VALUE!",
            CellError::Ref => "#REF!",
            CellError::Name => "#NAME?",
            CellError::Num => "#NUM!",
            CellError::NotAvailable => "#N/A",
            CellError::Loading => "Loading...",
        }
    }

    /// The sentence that the API gives with it.
    pub(crate) fn message(self) -> &'static str {
        match self {
            CellError::Parse => "Formula parse error.",
            CellError::DivideByZero => {
                "Evaluation of function DIVIDE caused a divide by zero error."
            }
            CellError::Value => "A value in the formula has a wrong type.",
            CellError::Ref => "Reference does not exist.",
            CellError::Name => "Unknown function or name.",
            CellError::Num => "A number in the formula is out of range.",
            CellError::NotAvailable => "Value is not available.",
            CellError::Loading => "Loading...",
        }
    }

    const SPELLED: [CellError; 7] = [
        CellError::Parse,
        CellError::DivideByZero,
        CellError::Value,
        CellError::Ref,
        CellError::Name,
        CellError::Num,
        CellError::NotAvailable,
    ];
}

/// What a cell comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Empty,
    Number(f64),
    Text(String),
    Bool(bool),
    Error(CellError),
}

/// Gives a formula the cells that it names.
pub(crate) trait Source {
    /// The number of the sheet with that title.
    fn sheet(&self, title: &str) -> Option<usize>;
    /// Rows and columns of a sheet.
    fn size(&self, sheet: usize) -> (u32, u32);
    /// What a cell comes to.
    fn cell(&mut self, sheet: usize, row: u32, column: u32) -> Outcome;
}

/// The longest formula that is read, in bytes. Sheets' own limit is 50,000 characters in a cell.
const FORMULA_BYTES_MAX: usize = 50_000;
/// The deepest nesting of parentheses and calls.
const DEPTH_MAX: u32 = 64;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    /// A cell or an area, with its sheet's title.
    Reference {
        title: Option<String>,
        area: a1::Area,
    },
    Name(String),
    Error(CellError),
    Operator(&'static str),
    Open,
    Close,
    Separator,
}

/// A token and where it stands in the formula, in bytes.
struct Placed {
    token: Token,
    from: usize,
    to: usize,
}

/// Splits a formula, with its `=`, into tokens.
fn tokens(formula: &str, locale: &Locale) -> Result<Vec<Placed>, CellError> {
    if formula.len() > FORMULA_BYTES_MAX {
        return Err(CellError::Parse);
    }
    let mut out = Vec::new();
    let mut at = 1;
    while let Some(first) = formula[at..].chars().next() {
        let from = at;
        let rest = &formula[at..];
        let token = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '"' => {
                let mut text = String::new();
                let mut closed = false;
                let mut characters = rest.char_indices().skip(1).peekable();
                while let Some((index, character)) = characters.next() {
                    if character != '"' {
                        text.push(character);
                    } else if characters.next_if(|(_, next)| *next == '"').is_some() {
                        text.push('"');
                    } else {
                        at += index + 1;
                        closed = true;
                        break;
                    }
                }
                if !closed {
                    return Err(CellError::Parse);
                }
                Token::Text(text)
            }
            '#' => {
                let found = CellError::SPELLED
                    .into_iter()
                    .find(|error| rest.starts_with(error.shown()));
                let error = found.ok_or(CellError::Parse)?;
                at += error.shown().len();
                Token::Error(error)
            }
            '(' => {
                at += 1;
                Token::Open
            }
            ')' => {
                at += 1;
                Token::Close
            }
            _ if first == locale.argument_separator || first == ';' => {
                at += 1;
                Token::Separator
            }
            '0'..='9' | '.' => {
                let in_number = |c: char| c.is_ascii_digit() || c == '.' || c == locale.decimal;
                let length = rest.find(|c| !in_number(c)).unwrap_or(rest.len());
                // `1:3` is an area of whole rows.
                let after = &rest[length..];
                let rows = after.strip_prefix(':').map(|after| {
                    after
                        .find(|c: char| !c.is_ascii_digit())
                        .unwrap_or(after.len())
                });
                if let Some(second) = rows.filter(|second| *second > 0) {
                    at += length + 1 + second;
                    let area = a1::area(&formula[from..at]).ok_or(CellError::Parse)?;
                    Token::Reference { title: None, area }
                } else {
                    at += length;
                    let spelled = rest[..length].replace(locale.decimal, ".");
                    Token::Number(spelled.parse().map_err(|_| CellError::Parse)?)
                }
            }
            '\'' => {
                let end = quoted_end(rest).ok_or(CellError::Parse)?;
                let title = rest[1..end].replace("''", "'");
                let after = rest[end + 1..].strip_prefix('!').ok_or(CellError::Parse)?;
                let (length, area) = reference(after).ok_or(CellError::Parse)?;
                at += end + 2 + length;
                Token::Reference {
                    title: Some(title),
                    area,
                }
            }
            _ if first.is_alphabetic() || first == '$' || first == '_' => {
                let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '$';
                let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
                let after = &rest[length..];
                if let Some(after) = after.strip_prefix('!') {
                    let title = rest[..length].to_owned();
                    if after.starts_with("#REF!") {
                        at += length + 1 + "#REF!".len();
                        Token::Error(CellError::Ref)
                    } else {
                        let (taken, area) = reference(after).ok_or(CellError::Parse)?;
                        at += length + 1 + taken;
                        Token::Reference {
                            title: Some(title),
                            area,
                        }
                    }
                } else if let Some((taken, area)) =
                    reference(rest).filter(|_| !after.starts_with('('))
                {
                    at += taken;
                    Token::Reference { title: None, area }
                } else {
                    at += length;
                    Token::Name(rest[..length].to_owned())
                }
            }
            _ => {
                let operators = [
                    "<=", ">=", "<>", "+", "-", "*", "/", "^", "&", "=", "<", ">", "%",
                ];
                let found = operators
                    .into_iter()
                    .find(|operator| rest.starts_with(operator));
                let operator = found.ok_or(CellError::Parse)?;
                at += operator.len();
                Token::Operator(operator)
            }
        };
        out.push(Placed {
            token,
            from,
            to: at,
        });
    }
    Ok(out)
}

/// Where the quote that `text` begins with ends, in bytes.
fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return Some(at),
            _ => at += 1,
        }
    }
}

/// A cell or an area at the beginning of a text, and its length in bytes.
fn reference(text: &str) -> Option<(usize, a1::Area)> {
    let in_corner = |c: char| c.is_ascii_alphanumeric() || c == '$';
    let first = text.find(|c| !in_corner(c)).unwrap_or(text.len());
    if let Some(after) = text[first..].strip_prefix(':') {
        let second = after.find(|c| !in_corner(c)).unwrap_or(after.len());
        let length = first + 1 + second;
        if let Some(area) = a1::area(&text[..length]) {
            return Some((length, area));
        }
    }
    Some((first, a1::area(&text[..first])?))
}

/// A formula as a tree.
enum Expression {
    Value(Outcome),
    Reference {
        title: Option<String>,
        area: a1::Area,
    },
    Negative(Box<Expression>),
    Percent(Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn operator(&mut self, among: &[&str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Operator(operator)) if among.contains(operator) => {
                self.at += 1;
                Some(operator)
            }
            _ => None,
        }
    }

    /// Binary operators by how tightly they bind, loosest first.
    fn binary(&mut self, level: usize) -> Result<Expression, CellError> {
        const LEVELS: [&[&str]; 5] = [
            &["=", "<>", "<", ">", "<=", ">="],
            &["&"],
            &["+", "-"],
            &["*", "/"],
            &["^"],
        ];
        let Some(among) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(among) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, CellError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(CellError::Parse);
        }
        let found = match self.operator(&["-", "+"]) {
            Some("-") => Ok(Expression::Negative(Box::new(self.unary()?))),
            Some(_) => self.unary(),
            None => {
                let mut primary = self.primary()?;
                while self.operator(&["%"]).is_some() {
                    primary = Expression::Percent(Box::new(primary));
                }
                Ok(primary)
            }
        };
        self.depth -= 1;
        found
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(found);
        found
    }

    fn primary(&mut self) -> Result<Expression, CellError> {
        let token = self.tokens.get(self.at).cloned().ok_or(CellError::Parse)?;
        self.at += 1;
        match token {
            Token::Number(value) => Ok(Expression::Value(Outcome::Number(value))),
            Token::Text(text) => Ok(Expression::Value(Outcome::Text(text))),
            Token::Error(error) => Ok(Expression::Value(Outcome::Error(error))),
            Token::Reference { title, area } => Ok(Expression::Reference { title, area }),
            Token::Open => {
                let inner = self.binary(0)?;
                if self.take(&Token::Close) {
                    Ok(inner)
                } else {
                    Err(CellError::Parse)
                }
            }
            Token::Name(name) => {
                let name = name.to_ascii_uppercase();
                if !self.take(&Token::Open) {
                    return Ok(Expression::Value(match name.as_str() {
                        "TRUE" => Outcome::Bool(true),
                        "FALSE" => Outcome::Bool(false),
                        _ => Outcome::Error(CellError::Name),
                    }));
                }
                let mut arguments = Vec::new();
                if !self.take(&Token::Close) {
                    loop {
                        arguments.push(self.binary(0)?);
                        if self.take(&Token::Close) {
                            break;
                        }
                        if !self.take(&Token::Separator) {
                            return Err(CellError::Parse);
                        }
                    }
                }
                Ok(Expression::Call(name, arguments))
            }
            Token::Operator(_) | Token::Close | Token::Separator => Err(CellError::Parse),
        }
    }
}

fn parsed(formula: &str, locale: &Locale) -> Result<Expression, CellError> {
    let tokens = tokens(formula, locale)?
        .into_iter()
        .map(|placed| placed.token)
        .collect();
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
    };
    let expression = parser.binary(0)?;
    if parser.at == parser.tokens.len() {
        Ok(expression)
    } else {
        Err(CellError::Parse)
    }
}

/// What a formula on `sheet` comes to, and the cell whose number format it takes over when it is a bare
/// reference: sheet, row, column.
pub(crate) fn evaluate(
    formula: &str,
    sheet: usize,
    locale: &Locale,
    source: &mut dyn Source,
) -> (Outcome, Option<(usize, u32, u32)>) {
    let expression = match parsed(formula, locale) {
        Ok(expression) => expression,
        Err(error) => return (Outcome::Error(error), None),
    };
    let mut machine = Machine {
        sheet,
        locale,
        source,
    };
    let bare = match &expression {
        Expression::Reference { title, area } if area.is_cell() => machine
            .sheet_of(title.as_deref())
            .map(|sheet| (sheet, area.row, area.column)),
        _ => None,
    };
    let outcome = match machine.value(&expression) {
        // A formula that points at nothing shows nothing for text and 0 for a number; Sheets shows nothing.
        Outcome::Number(value) if !value.is_finite() => Outcome::Error(CellError::Num),
        other => other,
    };
    (outcome, bare)
}

struct Machine<'a> {
    sheet: usize,
    locale: &'a Locale,
    source: &'a mut dyn Source,
}

impl Machine<'_> {
    fn sheet_of(&self, title: Option<&str>) -> Option<usize> {
        title.map_or(Some(self.sheet), |title| self.source.sheet(title))
    }

    /// All cells of an area, or the error of naming it.
    fn area(&mut self, title: Option<&str>, area: &a1::Area) -> Result<Vec<Outcome>, CellError> {
        let sheet = self.sheet_of(title).ok_or(CellError::Ref)?;
        let (rows, columns) = self.source.size(sheet);
        if area.row >= rows || area.column >= columns {
            return Err(CellError::Ref);
        }
        let area = area.within(rows, columns);
        let mut out = Vec::new();
        for row in area.row..area.row_end {
            for column in area.column..area.column_end {
                out.push(self.source.cell(sheet, row, column));
            }
        }
        Ok(out)
    }

    fn number(&self, outcome: &Outcome) -> Result<f64, CellError> {
        match outcome {
            Outcome::Empty => Ok(0.0),
            Outcome::Number(value) => Ok(*value),
            Outcome::Bool(value) => Ok(f64::from(u8::from(*value))),
            Outcome::Text(text) => entry::number(text.trim(), self.locale)
                .map(|(value, _)| value)
                .ok_or(CellError::Value),
            Outcome::Error(error) => Err(*error),
        }
    }

    fn text(&self, outcome: &Outcome) -> Result<String, CellError> {
        match outcome {
            Outcome::Empty => Ok(String::new()),
            Outcome::Number(value) => Ok(automatic(*value, self.locale)),
            Outcome::Bool(value) => Ok(self.locale.words[usize::from(*value)].to_owned()),
            Outcome::Text(text) => Ok(text.clone()),
            Outcome::Error(error) => Err(*error),
        }
    }

    fn value(&mut self, expression: &Expression) -> Outcome {
        self.tried(expression).unwrap_or_else(Outcome::Error)
    }

    fn tried(&mut self, expression: &Expression) -> Result<Outcome, CellError> {
        match expression {
            Expression::Value(value) => Ok(value.clone()),
            Expression::Reference { title, area } => {
                let mut cells = self.area(title.as_deref(), area)?;
                if cells.len() == 1 {
                    Ok(cells.remove(0))
                } else {
                    Err(CellError::Value)
                }
            }
            Expression::Negative(inner) => {
                let value = self.tried(inner)?;
                Ok(Outcome::Number(-self.number(&value)?))
            }
            Expression::Percent(inner) => {
                let value = self.tried(inner)?;
                Ok(Outcome::Number(self.number(&value)? / 100.0))
            }
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.tried(left)?, self.tried(right)?);
                self.combined(operator, &left, &right)
            }
            Expression::Call(name, arguments) => self.called(name, arguments),
        }
    }

    fn combined(
        &self,
        operator: &str,
        left: &Outcome,
        right: &Outcome,
    ) -> Result<Outcome, CellError> {
        if operator == "&" {
            return Ok(Outcome::Text(self.text(left)? + &self.text(right)?));
        }
        if let Some(wanted) = match operator {
            "=" => Some([false, true, false]),
            "<>" => Some([true, false, true]),
            "<" => Some([true, false, false]),
            ">" => Some([false, false, true]),
            "<=" => Some([true, true, false]),
            ">=" => Some([false, true, true]),
            _ => None,
        } {
            let order = match (left, right) {
                (Outcome::Error(error), _) | (_, Outcome::Error(error)) => return Err(*error),
                (Outcome::Text(_), _) | (_, Outcome::Text(_)) => self
                    .text(left)?
                    .to_lowercase()
                    .cmp(&self.text(right)?.to_lowercase()),
                _ => self.number(left)?.total_cmp(&self.number(right)?),
            };
            return Ok(Outcome::Bool(wanted[(order as i8 + 1) as usize]));
        }
        let (left, right) = (self.number(left)?, self.number(right)?);
        let value = match operator {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" if right == 0.0 => return Err(CellError::DivideByZero),
            "/" => left / right,
            "^" => left.powf(right),
            _ => return Err(CellError::Parse),
        };
        if value.is_finite() {
            Ok(Outcome::Number(value))
        } else {
            Err(CellError::Num)
        }
    }

    /// All values of the arguments, areas spread out.
    fn spread(&mut self, arguments: &[Expression]) -> Result<Vec<Outcome>, CellError> {
        let mut out = Vec::new();
        for argument in arguments {
            match argument {
                Expression::Reference { title, area } => {
                    out.extend(self.area(title.as_deref(), area)?)
                }
                other => out.push(self.tried(other)?),
            }
        }
        for outcome in &out {
            if let Outcome::Error(error) = outcome {
                return Err(*error);
            }
        }
        Ok(out)
    }

    /// The numbers among the arguments; texts and empty cells are passed over, as `SUM` does.
    fn numbers(&mut self, arguments: &[Expression]) -> Result<Vec<f64>, CellError> {
        let spread = self.spread(arguments)?;
        Ok(spread
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Number(value) => Some(*value),
                Outcome::Empty | Outcome::Text(_) | Outcome::Bool(_) | Outcome::Error(_) => None,
            })
            .collect())
    }

    fn called(&mut self, name: &str, arguments: &[Expression]) -> Result<Outcome, CellError> {
        match (name, arguments) {
            ("SUM", _) => Ok(Outcome::Number(self.numbers(arguments)?.iter().sum())),
            ("AVERAGE", _) => {
                let numbers = self.numbers(arguments)?;
                if numbers.is_empty() {
                    return Err(CellError::DivideByZero);
                }
                Ok(Outcome::Number(
                    numbers.iter().sum::<f64>() / numbers.len() as f64,
                ))
            }
            ("MIN", _) => Ok(Outcome::Number(
                self.numbers(arguments)?
                    .into_iter()
                    .reduce(f64::min)
                    .unwrap_or(0.0),
            )),
            ("MAX", _) => Ok(Outcome::Number(
                self.numbers(arguments)?
                    .into_iter()
                    .reduce(f64::max)
                    .unwrap_or(0.0),
            )),
            ("CONCATENATE" | "CONCAT", _) => {
                let spread = self.spread(arguments)?;
                let texts: Result<Vec<_>, _> =
                    spread.iter().map(|outcome| self.text(outcome)).collect();
                Ok(Outcome::Text(texts?.concat()))
            }
            ("IF", [condition, yes, no @ ..]) if no.len() <= 1 => {
                let condition = self.tried(condition)?;
                if self.number(&condition)? != 0.0 {
                    self.tried(yes)
                } else {
                    no.first()
                        .map_or(Ok(Outcome::Bool(false)), |no| self.tried(no))
                }
            }
            ("IFERROR", [value, fallback @ ..]) if fallback.len() <= 1 => match self.value(value) {
                Outcome::Error(_) => fallback
                    .first()
                    .map_or(Ok(Outcome::Empty), |other| self.tried(other)),
                other => Ok(other),
            },
            ("UPPER" | "LOWER" | "TRIM", [text]) => {
                let text = self.tried(text)?;
                let text = self.text(&text)?;
                Ok(Outcome::Text(match name {
                    "UPPER" => text.to_uppercase(),
                    "LOWER" => text.to_lowercase(),
                    _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
                }))
            }
            ("LEN", [text]) => {
                let text = self.tried(text)?;
                Ok(Outcome::Number(self.text(&text)?.chars().count() as f64))
            }
            ("ROUND", [value, places @ ..]) if places.len() <= 1 => {
                let value = self.tried(value)?;
                let places = match places.first() {
                    Some(places) => {
                        let places = self.tried(places)?;
                        self.number(&places)?
                    }
                    None => 0.0,
                };
                let scale = 10_f64.powi(places as i32);
                Ok(Outcome::Number(
                    (self.number(&value)? * scale).round() / scale,
                ))
            }
            ("TRUE", []) => Ok(Outcome::Bool(true)),
            ("FALSE", []) => Ok(Outcome::Bool(false)),
            ("NA", []) => Err(CellError::NotAvailable),
            // What comes from elsewhere never comes here.
            ("IMPORTRANGE" | "GOOGLEFINANCE" | "IMPORTDATA", [_, ..]) => Err(CellError::Loading),
            (
                "IF" | "IFERROR" | "UPPER" | "LOWER" | "TRIM" | "LEN" | "ROUND" | "TRUE" | "FALSE"
                | "NA" | "IMPORTRANGE" | "GOOGLEFINANCE" | "IMPORTDATA",
                _,
            ) => Err(CellError::NotAvailable),
            _ => Err(CellError::Name),
        }
    }
}

/// Rows or columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    Rows,
    Columns,
}

/// What happened to a sheet that formulas must follow.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shift<'a> {
    /// Rows or columns were put in before `at`.
    Inserted {
        dimension: Dimension,
        at: u32,
        count: u32,
    },
    /// Rows or columns from `at` were taken out.
    Deleted {
        dimension: Dimension,
        at: u32,
        count: u32,
    },
    /// The sheet has a new title.
    Renamed { to: &'a str },
    /// The sheet is gone.
    Gone,
}

/// The formula after something happened to the sheet titled `title`; `home` is the title of the sheet on which
/// the formula stands. `None` when nothing in it changes.
pub(crate) fn shifted(
    formula: &str,
    home: &str,
    title: &str,
    shift: Shift<'_>,
    locale: &Locale,
) -> Option<String> {
    let tokens = tokens(formula, locale).ok()?;
    let mut out = String::new();
    let mut copied = 0;
    for placed in &tokens {
        let Token::Reference { title: named, area } = &placed.token else {
            continue;
        };
        if named.as_deref().unwrap_or(home) != title {
            continue;
        }
        let old = &formula[placed.from..placed.to];
        let new = match shift {
            Shift::Gone => named.as_ref().map(|_| "#REF!".to_owned()),
            Shift::Renamed { to } => named.as_ref().map(|_| {
                let range = old.rsplit('!').next().unwrap_or(old);
                format!("{}!{range}", a1::quoted(to))
            }),
            Shift::Inserted {
                dimension,
                at,
                count,
            } => moved(area, dimension, |edge, _| {
                Some(if edge >= at { edge + count } else { edge })
            })
            .map(|area| rewritten(old, &area)),
            Shift::Deleted {
                dimension,
                at,
                count,
            } => {
                let after = moved(area, dimension, |edge, end| {
                    Some(if edge >= at + count {
                        edge - count
                    } else if edge >= at && end {
                        // The last cell of an area was deleted: the one before the hole is now the last.
                        at.checked_sub(1)?
                    } else {
                        edge.min(at)
                    })
                });
                let (from, to) = match dimension {
                    Dimension::Rows => (area.row, area.row_end),
                    Dimension::Columns => (area.column, area.column_end),
                };
                let gone = from >= at && to.is_some_and(|to| to <= at + count);
                Some(match after.filter(|_| !gone) {
                    Some(area) => rewritten(old, &area),
                    None => "#REF!".to_owned(),
                })
            }
        };
        if let Some(new) = new.filter(|new| new != old) {
            out.push_str(&formula[copied..placed.from]);
            out.push_str(&new);
            copied = placed.to;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&formula[copied..]);
    Some(out)
}

/// The area with the first and the last row or column moved; the function is told which of the two it moves.
fn moved(
    area: &a1::Area,
    dimension: Dimension,
    edge: impl Fn(u32, bool) -> Option<u32>,
) -> Option<a1::Area> {
    let mut out = *area;
    let (from, to) = match dimension {
        Dimension::Rows => (&mut out.row, &mut out.row_end),
        Dimension::Columns => (&mut out.column, &mut out.column_end),
    };
    *from = edge(*from, false)?;
    if let Some(end) = to {
        *end = edge(*end - 1, true)? + 1;
    }
    Some(out)
}

/// The reference `old` with another area, its title and `$` signs kept.
fn rewritten(old: &str, area: &a1::Area) -> String {
    let (title, range) = match old.rfind('!') {
        Some(at) => old.split_at(at + 1),
        None => ("", old),
    };
    let corners: Vec<String> = range
        .split(':')
        .enumerate()
        .map(|(index, corner)| {
            let row = if index == 0 {
                area.row
            } else {
                area.row_end.map_or(area.row, |end| end - 1)
            };
            let column = if index == 0 {
                area.column
            } else {
                area.column_end.map_or(area.column, |end| end - 1)
            };
            let column_fixed = if corner.starts_with('$') { "$" } else { "" };
            let row_fixed = if corner[1..].contains('$') { "$" } else { "" };
            match a1::corner(corner) {
                Some((Some(_), Some(_))) => {
                    format!(
                        "{column_fixed}{}{row_fixed}{}",
                        a1::letters(column),
                        row + 1
                    )
                }
                Some((Some(_), None)) => format!("{column_fixed}{}", a1::letters(column)),
                Some((None, _)) | None => format!("{column_fixed}{}", row + 1),
            }
        })
        .collect();
    format!("{title}{}", corners.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheets::locale::locale;

    struct Tab;

    impl Source for Tab {
        fn sheet(&self, title: &str) -> Option<usize> {
            (title == "My tab").then_some(0)
        }
        fn size(&self, _: usize) -> (u32, u32) {
            (100, 26)
        }
        fn cell(&mut self, _: usize, row: u32, column: u32) -> Outcome {
            match (row, column) {
                (0, 0) => Outcome::Number(2.0),
                (0, 1) => Outcome::Text("x".to_owned()),
                (1, 0) => Outcome::Number(3.0),
                _ => Outcome::Empty,
            }
        }
    }

    #[test]
    fn formulas_come_to_what_sheets_says() {
        let us = locale("en_US").expect("known");
        let de = locale("de_DE").expect("known");
        let number = Outcome::Number;
        let text = |text: &str| Outcome::Text(text.to_owned());
        for (formula, expected) in [
            ("=A1", number(2.0)),
            ("='My tab'!A2", number(3.0)),
            ("=Other!A1", Outcome::Error(CellError::Ref)),
            ("=A1&B1", text("2x")),
            ("=\"a\"\"b\"&1.5", text("a\"b1.5")),
            ("=1+2*3^2", number(19.0)),
            ("=-2^2", number(4.0)),
            ("=50%", number(0.5)),
            ("=A1/0", Outcome::Error(CellError::DivideByZero)),
            ("=NOPE(1)", Outcome::Error(CellError::Name)),
            ("=nothing", Outcome::Error(CellError::Name)),
            ("=1+", Outcome::Error(CellError::Parse)),
            ("=ZZ1", Outcome::Error(CellError::Ref)),
            ("=A1+B1", Outcome::Error(CellError::Value)),
            ("=SUM(A1:B2)", number(5.0)),
            ("=SUM(A:A, 10)", number(15.0)),
            ("=IF(A1>1, \"big\", \"small\")", text("big")),
            ("=IFERROR(A1/0, 7)", number(7.0)),
            ("=B1=\"X\"", Outcome::Bool(true)),
            ("=C9", Outcome::Empty),
            ("=#REF!", Outcome::Error(CellError::Ref)),
            (
                "=IMPORTRANGE(\"a\", \"b\")",
                Outcome::Error(CellError::Loading),
            ),
        ] {
            assert_eq!(evaluate(formula, 0, us, &mut Tab).0, expected, "{formula}");
        }
        assert_eq!(evaluate("=SUM(A1;1,5)", 0, de, &mut Tab).0, number(3.5));
    }

    #[test]
    fn references_follow_rows_columns_and_titles() {
        let us = locale("en_US").expect("known");
        let inserted = Shift::Inserted {
            dimension: Dimension::Rows,
            at: 2,
            count: 3,
        };
        let deleted = Shift::Deleted {
            dimension: Dimension::Rows,
            at: 2,
            count: 3,
        };
        for (shift, before, after) in [
            (inserted, "=A1+$A$3&\"A9\"", Some("=A1+$A$6&\"A9\"")),
            (
                inserted,
                "=SUM(A1:A5)+Other!A9",
                Some("=SUM(A1:A8)+Other!A9"),
            ),
            (inserted, "=A1", None),
            (deleted, "=A3+A6", Some("=#REF!+A3")),
            (deleted, "=SUM(A1:A4)", Some("=SUM(A1:A2)")),
            (deleted, "=SUM(A4:A9)", Some("=SUM(A3:A6)")),
            (
                Shift::Renamed { to: "New tab" },
                "=Tab!A1",
                Some("='New tab'!A1"),
            ),
            (Shift::Gone, "=Tab!A1*2", Some("=#REF!*2")),
        ] {
            assert_eq!(
                shifted(before, "Tab", "Tab", shift, us).as_deref(),
                after,
                "{before}"
            );
        }
    }
}
