//! What Sheets makes of a text that someone types into a cell: `4/8` becomes a date, `007` becomes 7.
//!
//! Owns the reading of typed text. Must not know cells, formulas' meaning or the API.

use super::locale::{DateOrder, Locale};
use super::number_format::{FormatKind, NumberFormat, month_of_name};
use crate::clock::{Date, SERIAL_OF_UNIX_EPOCH, unix_days};

/// What a cell holds as it was entered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entered {
    Number(f64),
    Text(String),
    Bool(bool),
    /// With its `=`.
    Formula(String),
}

/// What became of a typed text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Typed {
    /// `None` for an empty text.
    pub(crate) entered: Option<Entered>,
    /// The number format that the text asked for, such as percent for `50%`.
    pub(crate) format: Option<NumberFormat>,
}

/// Reads a text typed into a cell that has `format`; `year` completes a date without one.
pub(crate) fn typed(
    text: &str,
    format: Option<&NumberFormat>,
    locale: &Locale,
    year: i64,
) -> Typed {
    let as_is = |entered| Typed {
        entered: Some(entered),
        format: None,
    };
    if text.is_empty() {
        return Typed {
            entered: None,
            format: None,
        };
    }
    if let Some(rest) = text.strip_prefix('\'') {
        return as_is(Entered::Text(rest.to_owned()));
    }
    if format.is_some_and(|format| format.kind == FormatKind::Text) {
        return as_is(Entered::Text(text.to_owned()));
    }
    if text.len() > 1 && text.starts_with('=') {
        return as_is(Entered::Formula(text.to_owned()));
    }
    let trimmed = text.trim();
    for (index, word) in locale.words.iter().enumerate() {
        let english = ["FALSE", "TRUE"][index];
        if trimmed.eq_ignore_ascii_case(word) || trimmed.eq_ignore_ascii_case(english) {
            return as_is(Entered::Bool(index == 1));
        }
    }
    if let Some((number, asked)) = number(trimmed, locale) {
        // A plain number typed into a percent cell means percent.
        let percent_cell = format.is_some_and(|format| format.kind == FormatKind::Percent);
        let number = if percent_cell && asked.is_none() {
            number / 100.0
        } else {
            number
        };
        return Typed {
            entered: Some(Entered::Number(number)),
            format: asked,
        };
    }
    if let Some((serial, asked)) = date(trimmed, locale, year).or_else(|| time(trimmed)) {
        return Typed {
            entered: Some(Entered::Number(serial)),
            format: Some(asked),
        };
    }
    as_is(Entered::Text(text.to_owned()))
}

/// A number as the locale writes it, and the format that its spelling asks for.
pub(crate) fn number(text: &str, locale: &Locale) -> Option<(f64, Option<NumberFormat>)> {
    let (mut rest, mut negative) = (text, false);
    if let Some(inner) = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        (rest, negative) = (inner, true);
    } else if let Some(after) = rest.strip_prefix('-') {
        (rest, negative) = (after, true);
    } else if let Some(after) = rest.strip_prefix('+') {
        rest = after;
    }
    let mut percent = false;
    if let Some(before) = rest.strip_suffix('%') {
        (rest, percent) = (before.trim_end(), true);
    }
    let mut currency = false;
    if let Some(other) = rest
        .strip_prefix(locale.currency)
        .or_else(|| rest.strip_suffix(locale.currency))
    {
        (rest, currency) = (other.trim(), true);
    }
    if currency && !negative && rest.starts_with('-') {
        (rest, negative) = (&rest[1..], true);
    }
    let (body, exponent) = match rest.find(['e', 'E']) {
        Some(at) if !percent && !currency => {
            let digits = rest[at + 1..]
                .strip_prefix(['+', '-'])
                .unwrap_or(&rest[at + 1..]);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            (&rest[..at], Some(rest[at + 1..].parse::<i32>().ok()?))
        }
        Some(_) => return None,
        None => (rest, None),
    };
    let (whole, fraction) = match body.split_once(locale.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (body, None),
    };
    let digits_only = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    // French groups are typed with any space.
    let group_of =
        |c: char| c == locale.group || (locale.group == '\u{202f}' && (c == ' ' || c == '\u{a0}'));
    let groups: Vec<&str> = whole.split(group_of).collect();
    let grouped = groups.len() > 1;
    let well_grouped = !grouped
        || ((1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3));
    if !well_grouped
        || !groups.iter().all(|group| digits_only(group))
        || !digits_only(fraction.unwrap_or(""))
        || (whole.is_empty() && fraction.unwrap_or("").is_empty())
    {
        return None;
    }
    let spelled = format!(
        "{}.{}e{}",
        groups.concat(),
        fraction.unwrap_or("0"),
        exponent.unwrap_or(0)
    );
    let magnitude: f64 = spelled.replace(".e", ".0e").parse().ok()?;
    if !magnitude.is_finite() {
        return None;
    }
    let value = if negative { -magnitude } else { magnitude };
    let decimals = if fraction.is_some_and(|f| !f.is_empty()) {
        ".00"
    } else {
        ""
    };
    let format = if percent {
        Some(NumberFormat::new(
            FormatKind::Percent,
            format!("0{decimals}%"),
        ))
    } else if currency {
        let sign = locale.currency;
        let pattern = if locale.currency_first {
            format!("\"{sign}\"#,##0{decimals}")
        } else {
            format!("#,##0{decimals} \"{sign}\"")
        };
        Some(NumberFormat::new(FormatKind::Currency, pattern))
    } else if exponent.is_some() {
        Some(NumberFormat::new(FormatKind::Scientific, "0.00E+00"))
    } else if grouped {
        Some(NumberFormat::new(
            FormatKind::Number,
            format!("#,##0{decimals}"),
        ))
    } else {
        None
    };
    Some((if percent { value / 100.0 } else { value }, format))
}

fn serial(year: i64, month: u32, day: u32) -> Option<f64> {
    let days = unix_days(Date { year, month, day })? + SERIAL_OF_UNIX_EPOCH;
    Some(days as f64)
}

fn full_year(text: &str) -> Option<i64> {
    let year: i64 = text.parse().ok()?;
    match text.len() {
        4 if year >= 1900 => Some(year),
        2 if year < 30 => Some(2000 + year),
        2 => Some(1900 + year),
        _ => None,
    }
}

fn date(text: &str, locale: &Locale, year: i64) -> Option<(f64, NumberFormat)> {
    let dated =
        |serial, pattern: &str| Some((serial, NumberFormat::new(FormatKind::Date, pattern)));
    if let Some((serial, pattern)) = named_month(text, year) {
        return dated(serial, pattern);
    }
    let separator = ['/', '-', locale.date_separator]
        .into_iter()
        .find(|separator| text.contains(*separator))?;
    // A German date without a year ends with a point: `4.8.`
    let body = if separator == '.' {
        text.strip_suffix('.').unwrap_or(text)
    } else {
        text
    };
    let parts: Vec<&str> = body.split(separator).collect();
    if !parts
        .iter()
        .all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let small = |part: &str| {
        if part.len() <= 2 {
            part.parse::<u32>().ok()
        } else {
            None
        }
    };
    let month_and_day = |first: &str, second: &str| match locale.date_order {
        DateOrder::MonthFirst => Some((small(first)?, small(second)?)),
        DateOrder::DayFirst => Some((small(second)?, small(first)?)),
    };
    match parts.as_slice() {
        [first, second] => {
            let (month, day) = month_and_day(first, second)?;
            dated(serial(year, month, day)?, locale.short_date_pattern)
        }
        [first, month, day] if first.len() == 4 => dated(
            serial(full_year(first)?, small(month)?, small(day)?)?,
            "yyyy-MM-dd",
        ),
        [first, second, last] => {
            let (month, day) = month_and_day(first, second)?;
            dated(serial(full_year(last)?, month, day)?, locale.date_pattern)
        }
        _ => None,
    }
}

/// `Mar 4`, `4 March`, `March 4, 2026`, `4-Mar`.
fn named_month(text: &str, year: i64) -> Option<(f64, &'static str)> {
    let parts: Vec<&str> = text
        .split([' ', '-', ','])
        .filter(|part| !part.is_empty())
        .collect();
    let small = |part: &str| {
        if part.len() <= 2 {
            part.parse::<u32>().ok()
        } else {
            None
        }
    };
    let (month, day, rest) = match parts.as_slice() {
        [first, second, rest @ ..] => match (month_of_name(first), month_of_name(second)) {
            (Some(month), _) => (month, small(second)?, rest),
            (None, Some(month)) => (month, small(first)?, rest),
            (None, None) => return None,
        },
        _ => return None,
    };
    match rest {
        [] => Some((serial(year, month, day)?, "d-MMM")),
        [last] => Some((serial(full_year(last)?, month, day)?, "MMM d, yyyy")),
        _ => None,
    }
}

fn time(text: &str) -> Option<(f64, NumberFormat)> {
    let lower = text.to_ascii_lowercase();
    let (body, half) = match lower
        .strip_suffix("am")
        .map(|b| (b, 0))
        .or_else(|| lower.strip_suffix("pm").map(|b| (b, 12)))
    {
        Some((body, half)) => (body.trim_end().to_owned(), Some(half)),
        None => (lower, None),
    };
    let parts: Vec<&str> = body.split(':').collect();
    if !parts
        .iter()
        .all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let [hour, minute, rest @ ..] = parts.as_slice() else {
        return None;
    };
    let second: u32 = match rest {
        [] => 0,
        [second] => second.parse().ok()?,
        _ => return None,
    };
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let pattern = match (rest.is_empty(), half.is_some()) {
        (true, false) => "h:mm",
        (true, true) => "h:mm am/pm",
        (false, false) => "h:mm:ss",
        (false, true) => "h:mm:ss am/pm",
    };
    let serial = f64::from(hour * 3_600 + minute * 60 + second) / 86_400.0;
    Some((serial, NumberFormat::new(FormatKind::Time, pattern)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheets::locale::locale;
    use crate::sheets::number_format::{automatic, formatted};

    /// The kind, the stored value and what is shown, in one line.
    fn told(text: &str, in_locale: &str) -> String {
        let locale = locale(in_locale).expect("known");
        let typed = typed(text, None, locale, 2026);
        let kind = typed
            .format
            .as_ref()
            .map_or("AUTOMATIC", |format| format.kind.name());
        match typed.entered {
            None => "empty".to_owned(),
            Some(Entered::Text(text)) => format!("text {text}"),
            Some(Entered::Bool(value)) => format!("bool {value}"),
            Some(Entered::Formula(formula)) => format!("formula {formula}"),
            Some(Entered::Number(value)) => format!(
                "{kind} {} shown {}",
                automatic(value, super::super::locale::default_locale()),
                formatted(value, typed.format.as_ref(), locale)
            ),
        }
    }

    #[test]
    fn typing_does_what_sheets_does() {
        for (locale, text, expected) in [
            ("en_US", "", "empty"),
            ("en_US", "blue", "text blue"),
            ("en_US", "#ff0000", "text #ff0000"),
            ("en_US", "000000", "AUTOMATIC 0 shown 0"),
            ("en_US", "'000000", "text 000000"),
            ("en_US", "007", "AUTOMATIC 7 shown 7"),
            ("en_US", "4/8", "DATE 46120 shown 4/8"),
            ("en_US", "4-8", "DATE 46120 shown 4/8"),
            ("en_US", "13/14", "text 13/14"),
            ("en_US", "2026-04-08", "DATE 46120 shown 2026-04-08"),
            ("en_US", "Apr 8", "DATE 46120 shown 8-Apr"),
            ("en_US", "16:9", "TIME 0.6729166667 shown 16:09"),
            ("en_US", "50%", "PERCENT 0.5 shown 50%"),
            ("en_US", "12.5%", "PERCENT 0.125 shown 12.50%"),
            ("en_US", "1,234", "NUMBER 1234 shown 1,234"),
            ("en_US", "1,23", "text 1,23"),
            ("en_US", "1.5", "AUTOMATIC 1.5 shown 1.5"),
            ("en_US", ".5", "AUTOMATIC 0.5 shown 0.5"),
            ("en_US", "-3.", "AUTOMATIC -3 shown -3"),
            ("en_US", "12e10", "SCIENTIFIC 120000000000 shown 1.20E+11"),
            ("en_US", "$5", "CURRENCY 5 shown $5"),
            ("en_US", "16px", "text 16px"),
            ("en_US", "true", "bool true"),
            ("en_US", "WAHR", "text WAHR"),
            ("en_US", "=C5", "formula =C5"),
            ("en_US", "=", "text ="),
            ("de_DE", "1,5", "AUTOMATIC 1.5 shown 1,5"),
            ("de_DE", "1.5", "DATE 46143 shown 01.05."),
            ("de_DE", "4.8.", "DATE 46238 shown 04.08."),
            ("de_DE", "1.234", "NUMBER 1234 shown 1.234"),
            ("de_DE", "12,5%", "PERCENT 0.125 shown 12,50%"),
            ("de_DE", "5 €", "CURRENCY 5 shown 5 €"),
            ("de_DE", "WAHR", "bool true"),
        ] {
            assert_eq!(told(text, locale), expected, "{text} in {locale}");
        }
    }

    #[test]
    fn the_format_of_the_cell_matters() {
        let us = locale("en_US").expect("known");
        let text = NumberFormat::plain_text();
        assert_eq!(
            typed("007", Some(&text), us, 2026).entered,
            Some(Entered::Text("007".to_owned()))
        );
        assert_eq!(
            typed("=A1", Some(&text), us, 2026).entered,
            Some(Entered::Text("=A1".to_owned()))
        );
        let percent = NumberFormat::new(FormatKind::Percent, "0%");
        assert_eq!(
            typed("50", Some(&percent), us, 2026).entered,
            Some(Entered::Number(0.5))
        );
    }
}
