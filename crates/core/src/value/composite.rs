//! What looks like a value and is more than one, or must be computed.
//!
//! Owns the recognition and its reasons. Must not compute anything: a variable holds one value.

use super::{color, number};

/// Why a text is no single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composite {
    /// `4 + 8`, `{a} * 2`
    Arithmetic,
    /// `clamp()`, `calc()`, `var()`, a gradient.
    Function,
    /// `8px 16px`, `0 1px 2px #000`
    List,
    /// `16/24 Inter`, `4/8`
    Fraction,
}

impl Composite {
    pub(super) fn message(self) -> &'static str {
        match self {
            Composite::Arithmetic => "This must be computed, and a variable holds one value.",
            Composite::Function => {
                "This function depends on where it is used, and a variable holds one value."
            }
            Composite::List => "These are several values, and a variable holds one.",
            Composite::Fraction => {
                "Two numbers with / between them are several values, and a variable holds one."
            }
        }
    }

    pub(super) fn remedy(self) -> &'static str {
        match self {
            Composite::Arithmetic => {
                "Write the result, or let the sheet compute it with a formula that begins with =."
            }
            Composite::Function => "Write one value, or one mode for each size it can take.",
            Composite::List | Composite::Fraction => {
                "Make a row for each value, or put STRING in the type column to keep it as text."
            }
        }
    }
}

/// Functions of CSS that no variable of Figma can hold.
const FUNCTIONS: [&str; 18] = [
    "calc",
    "clamp",
    "min",
    "max",
    "var",
    "env",
    "round",
    "mod",
    "rem",
    "attr",
    "url",
    "color-mix",
    "light-dark",
    "linear-gradient",
    "radial-gradient",
    "conic-gradient",
    "steps",
    "spring",
];

/// Whether `text`, which is no single value, is made of values.
pub(super) fn find(text: &str) -> Option<Composite> {
    if let Some((name, _)) = text.split_once('(')
        && FUNCTIONS
            .iter()
            .any(|function| function.eq_ignore_ascii_case(name))
    {
        return Some(Composite::Function);
    }
    if !text.starts_with(['{', '#', '.', '-', '+', '('])
        && !text.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let mut operands = 0_u32;
    let mut operators = 0_u32;
    let mut words = 0_u32;
    let mut first_is_fraction = false;
    let mut colors = 0_u32;
    for (at, token) in text.split_whitespace().enumerate() {
        if matches!(token, "+" | "-" | "*" | "/" | "×" | "÷") {
            operators += 1;
        } else if number::is_number(token) || is_reference(token) {
            operands += 1;
        } else if color::is_hex(token) {
            colors += 1;
        } else if let Some(operator) = joined(token) {
            operands += 2;
            operators += 1;
            first_is_fraction |= at == 0 && operator == '/';
        } else {
            words += 1;
        }
    }
    if first_is_fraction {
        Some(Composite::Fraction)
    } else if words > 0 || operands + colors == 0 {
        None
    } else if operators > 0 && operands > 1 {
        Some(Composite::Arithmetic)
    } else if operators == 0 && operands + colors > 1 {
        Some(Composite::List)
    } else {
        None
    }
}

fn is_reference(token: &str) -> bool {
    token.len() > 2 && token.starts_with('{') && token.ends_with('}')
}

/// The operator of `4+8`, `16/24` or `{a}*2`, written without spaces.
fn joined(token: &str) -> Option<char> {
    let operand = |text: &str| number::is_number(text) || is_reference(text);
    token
        .char_indices()
        .skip(1)
        .filter(|(_, character)| matches!(character, '+' | '-' | '*' | '/'))
        .find(|(at, _)| operand(&token[..*at]) && operand(&token[at + 1..]))
        .map(|(_, operator)| operator)
}
