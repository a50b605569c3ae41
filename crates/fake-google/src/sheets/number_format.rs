//! Number formats: what a cell shows for the number that it stores.
//!
//! Owns patterns (the subset of <https://developers.google.com/workspace/sheets/api/guides/formats> that typing
//! into a cell can produce, plus plain number patterns) and the automatic format. Must not know cells or the API.

use super::locale::Locale;
use crate::clock::{self, SERIAL_OF_UNIX_EPOCH};

/// Google's `NumberFormatType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatKind {
    Text,
    Number,
    Percent,
    Currency,
    Date,
    Time,
    DateTime,
    Scientific,
}

impl FormatKind {
    const ALL: [(FormatKind, &'static str); 8] = [
        (FormatKind::Text, "TEXT"),
        (FormatKind::Number, "NUMBER"),
        (FormatKind::Percent, "PERCENT"),
        (FormatKind::Currency, "CURRENCY"),
        (FormatKind::Date, "DATE"),
        (FormatKind::Time, "TIME"),
        (FormatKind::DateTime, "DATE_TIME"),
        (FormatKind::Scientific, "SCIENTIFIC"),
    ];

    /// As the API names it.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    /// From the API's name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }

    /// The pattern of a format for which none was given.
    pub(crate) fn default_pattern(self, locale: &Locale) -> String {
        match self {
            FormatKind::Text => "@".to_owned(),
            FormatKind::Number => "#,##0.00".to_owned(),
            FormatKind::Percent => "0.00%".to_owned(),
            FormatKind::Currency if locale.currency_first => {
                format!("\"{}\"#,##0.00", locale.currency)
            }
            FormatKind::Currency => format!("#,##0.00 \"{}\"", locale.currency),
            FormatKind::Date => locale.date_pattern.to_owned(),
            FormatKind::Time => "h:mm:ss am/pm".to_owned(),
            FormatKind::DateTime => format!("{} h:mm:ss", locale.date_pattern),
            FormatKind::Scientific => "0.00E+00".to_owned(),
        }
    }
}

/// A number format of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberFormat {
    pub(crate) kind: FormatKind,
    pub(crate) pattern: String,
}

impl NumberFormat {
    /// A format with a pattern.
    pub(crate) fn new(kind: FormatKind, pattern: impl Into<String>) -> Self {
        NumberFormat {
            kind,
            pattern: pattern.into(),
        }
    }

    /// Plain text: what is typed stays as typed.
    pub(crate) fn plain_text() -> Self {
        NumberFormat::new(FormatKind::Text, "@")
    }

    /// Whether it is a date, a time or both.
    pub(crate) fn is_date_or_time(&self) -> bool {
        match self.kind {
            FormatKind::Date | FormatKind::Time | FormatKind::DateTime => true,
            FormatKind::Text
            | FormatKind::Number
            | FormatKind::Percent
            | FormatKind::Currency
            | FormatKind::Scientific => false,
        }
    }
}

/// The number as a cell without a format shows it: at most ten significant digits, no grouping.
pub(crate) fn automatic(value: f64, locale: &Locale) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    let text = if (-10.0..15.0).contains(&magnitude) {
        let decimals = (9.0 - magnitude).clamp(0.0, 20.0) as usize;
        trimmed(&format!("{value:.decimals$}"))
    } else {
        let scientific = format!("{value:.5e}");
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}E{sign}{:02}", trimmed(mantissa), exponent.abs())
    };
    localised(&text, locale)
}

/// The number as a program writes it: every digit that matters, a point, no grouping.
pub(crate) fn plain(value: f64) -> String {
    format!("{value}")
}

fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

fn localised(text: &str, locale: &Locale) -> String {
    if locale.decimal == '.' {
        text.to_owned()
    } else {
        text.replace('.', &locale.decimal.to_string())
    }
}

/// The number as a cell of that format shows it.
pub(crate) fn formatted(value: f64, format: Option<&NumberFormat>, locale: &Locale) -> String {
    let Some(format) = format else {
        return automatic(value, locale);
    };
    match format.kind {
        FormatKind::Text => automatic(value, locale),
        FormatKind::Date | FormatKind::Time | FormatKind::DateTime => {
            date_time(value, &format.pattern)
        }
        FormatKind::Number
        | FormatKind::Percent
        | FormatKind::Currency
        | FormatKind::Scientific => numeric(value, &format.pattern, locale),
    }
}

/// One piece of a numeric pattern.
enum Piece {
    Literal(String),
    Digits,
    Exponent { digits: usize },
}

fn numeric(value: f64, pattern: &str, locale: &Locale) -> String {
    let sections: Vec<&str> = pattern.split(';').collect();
    let (section, value, signed) = match (value < 0.0, value == 0.0, sections.as_slice()) {
        (true, _, [_, negative, ..]) => (*negative, -value, false),
        (_, true, [_, _, zero, ..]) => (*zero, value, false),
        _ => (sections[0], value.abs(), value < 0.0),
    };
    let mut pieces = Vec::new();
    let (mut whole_min, mut decimals_min, mut decimals_max) = (0, 0, 0);
    let (mut grouped, mut scaled, mut after_point) = (false, 0_i32, false);
    let mut characters = section.chars().peekable();
    let literal = |pieces: &mut Vec<Piece>, character: char| match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(character),
        Some(Piece::Digits | Piece::Exponent { .. }) | None => {
            pieces.push(Piece::Literal(character.to_string()))
        }
    };
    while let Some(character) = characters.next() {
        match character {
            '0' | '#' | '?' | '.' | ',' => {
                if !matches!(pieces.last(), Some(Piece::Digits)) {
                    pieces.push(Piece::Digits);
                }
                match character {
                    ',' => grouped = true,
                    '.' => after_point = true,
                    '0' if after_point => {
                        decimals_min += 1;
                        decimals_max += 1;
                    }
                    '0' => whole_min += 1,
                    _ if after_point => decimals_max += 1,
                    _ => {}
                }
            }
            'E' if characters.peek().is_some_and(|c| matches!(c, '+' | '-')) => {
                characters.next();
                let mut digits = 0;
                while characters.next_if_eq(&'0').is_some() {
                    digits += 1;
                }
                pieces.push(Piece::Exponent { digits });
            }
            '%' => {
                scaled += 2;
                literal(&mut pieces, '%');
            }
            '"' => {
                for quoted in characters.by_ref().take_while(|c| *c != '"') {
                    literal(&mut pieces, quoted);
                }
            }
            '\\' => {
                if let Some(escaped) = characters.next() {
                    literal(&mut pieces, escaped);
                }
            }
            other => literal(&mut pieces, other),
        }
    }
    let mut number = value * 10_f64.powi(scaled);
    let mut exponent = 0_i32;
    if pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Exponent { .. }))
        && number != 0.0
    {
        exponent = number.log10().floor() as i32;
        number /= 10_f64.powi(exponent);
    }
    let mut out = String::new();
    if signed {
        out.push('-');
    }
    for piece in &pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Digits => {
                let text = format!("{number:.decimals_max$}");
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let mut fraction = fraction.to_owned();
                while fraction.len() > decimals_min && fraction.ends_with('0') {
                    fraction.pop();
                }
                let whole = if whole == "0" && whole_min == 0 {
                    ""
                } else {
                    whole
                };
                let whole = format!("{whole:0>whole_min$}");
                for (index, digit) in whole.chars().enumerate() {
                    if grouped && index > 0 && (whole.len() - index).is_multiple_of(3) {
                        out.push(locale.group);
                    }
                    out.push(digit);
                }
                if !fraction.is_empty() {
                    out.push(locale.decimal);
                    out.push_str(&fraction);
                }
            }
            Piece::Exponent { digits } => {
                out.push_str(if exponent < 0 { "E-" } else { "E+" });
                out.push_str(&format!("{:0>width$}", exponent.abs(), width = *digits));
            }
        }
    }
    out
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

/// The month, 1 to 12, of an English name or its first three letters.
pub(crate) fn month_of_name(name: &str) -> Option<u32> {
    let found = MONTHS.iter().position(|month| {
        month.eq_ignore_ascii_case(name)
            || (name.len() == 3 && month[..3].eq_ignore_ascii_case(name))
    })?;
    u32::try_from(found + 1).ok()
}

fn date_time(serial: f64, pattern: &str) -> String {
    let seconds_in_all = (serial * 86_400.0).round() as i64;
    let days = seconds_in_all.div_euclid(86_400) - SERIAL_OF_UNIX_EPOCH;
    let seconds_of_day = seconds_in_all.rem_euclid(86_400);
    let date = clock::date_of(days);
    let (hour, minute, second) = (
        seconds_of_day / 3_600,
        seconds_of_day / 60 % 60,
        seconds_of_day % 60,
    );
    let halves = pattern.to_ascii_lowercase().contains("am/pm");
    let shown_hour = if halves { (hour + 11) % 12 + 1 } else { hour };
    let mut out = String::new();
    let mut rest = pattern;
    let mut after_hour = false;
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|c| *c == first).count();
        let mut taken = run * first.len_utf8();
        let month = &MONTHS[(date.month as usize + 11) % 12];
        match (first, run) {
            ('y', 1 | 2) => out.push_str(&format!("{:02}", date.year.rem_euclid(100))),
            ('y', _) => out.push_str(&format!("{:04}", date.year)),
            ('d', 1) => out.push_str(&date.day.to_string()),
            ('d', 2) => out.push_str(&format!("{:02}", date.day)),
            ('d', _) => {
                let name = WEEKDAYS[days.rem_euclid(7) as usize];
                out.push_str(if run == 3 { &name[..3] } else { name });
            }
            ('h' | 'H', _) => {
                after_hour = true;
                out.push_str(&format!("{shown_hour:0>run$}", run = run.min(2)));
            }
            ('m', 1 | 2) if after_hour => out.push_str(&format!("{minute:02}")),
            ('M' | 'm', 1) => out.push_str(&date.month.to_string()),
            ('M' | 'm', 2) => out.push_str(&format!("{:02}", date.month)),
            ('M' | 'm', 3) => out.push_str(&month[..3]),
            ('M' | 'm', _) => out.push_str(month),
            ('s', _) => out.push_str(&format!("{second:0>run$}", run = run.min(2))),
            ('a' | 'A', _) if rest.len() >= 5 && rest[..5].eq_ignore_ascii_case("am/pm") => {
                taken = 5;
                out.push_str(if hour < 12 { "AM" } else { "PM" });
            }
            ('"', _) => {
                let quoted = rest[1..].split('"').next().unwrap_or("");
                out.push_str(quoted);
                taken = (quoted.len() + 2).min(rest.len());
            }
            _ => out.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheets::locale::locale;

    #[test]
    fn numbers_are_shown_as_sheets_shows_them() {
        let us = locale("en_US").expect("known");
        let de = locale("de_DE").expect("known");
        for (value, shown) in [
            (0.0, "0"),
            (1.0 / 3.0, "0.3333333333"),
            (10.0 / 3.0, "3.333333333"),
            (0.1 + 0.2, "0.3"),
            (1_234_567.0, "1234567"),
            (1e15, "1E+15"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(automatic(value, us), shown);
        }
        assert_eq!(automatic(1.5, de), "1,5");
        for (value, pattern, in_us, in_de) in [
            (0.5, "0%", "50%", "50%"),
            (0.125, "0.00%", "12.50%", "12,50%"),
            (1_234.5, "#,##0.00", "1,234.50", "1.234,50"),
            (-5.0, "\"$\"#,##0.00", "-$5.00", "-$5,00"),
            (1e47, "0.00E+00", "1.00E+47", "1,00E+47"),
            (3.0, "000", "003", "003"),
        ] {
            let format = NumberFormat::new(FormatKind::Number, pattern);
            assert_eq!(formatted(value, Some(&format), us), in_us);
            assert_eq!(formatted(value, Some(&format), de), in_de);
        }
    }

    #[test]
    fn dates_are_shown_by_their_pattern() {
        for (serial, pattern, shown) in [
            (46_120.0, "M/d", "4/8"),
            (46_120.0, "dd.MM.yyyy", "08.04.2026"),
            (46_120.437_5, "yyyy-MM-dd h:mm", "2026-04-08 10:30"),
            (0.5, "h:mm am/pm", "12:00 PM"),
            (46_120.0, "ddd, MMM d", "Wed, Apr 8"),
        ] {
            assert_eq!(date_time(serial, pattern), shown);
        }
    }
}
