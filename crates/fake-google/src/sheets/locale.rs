//! How a spreadsheet's locale writes numbers, dates and truth.
//!
//! Owns the table of locales. Must not know cells.

/// The order of day, month and year in a typed date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateOrder {
    /// `4/8` is 8 April.
    MonthFirst,
    /// `4.8.` is 4 August.
    DayFirst,
}

/// One locale.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Locale {
    /// Google's name, such as `de_DE`.
    pub(crate) name: &'static str,
    /// Between whole and fraction.
    pub(crate) decimal: char,
    /// Between groups of three digits.
    pub(crate) group: char,
    /// Order of a date's parts.
    pub(crate) date_order: DateOrder,
    /// Separates a date's parts, beside `/` and `-`, which every locale takes.
    pub(crate) date_separator: char,
    /// Shown for a typed date with a year.
    pub(crate) date_pattern: &'static str,
    /// Shown for a typed date without a year.
    pub(crate) short_date_pattern: &'static str,
    /// How TRUE and FALSE are typed and shown.
    pub(crate) words: [&'static str; 2],
    /// The currency sign that makes a number an amount.
    pub(crate) currency: char,
    /// Whether the sign stands before the number.
    pub(crate) currency_first: bool,
    /// Between a function's arguments.
    pub(crate) argument_separator: char,
}

/// The locales that fake Google knows. Google knows more.
static LOCALES: [Locale; 4] = [
    Locale {
        name: "en_US",
        decimal: '.',
        group: ',',
        date_order: DateOrder::MonthFirst,
        date_separator: '/',
        date_pattern: "M/d/yyyy",
        short_date_pattern: "M/d",
        words: ["FALSE", "TRUE"],
        currency: '$',
        currency_first: true,
        argument_separator: ',',
    },
    Locale {
        name: "en_GB",
        decimal: '.',
        group: ',',
        date_order: DateOrder::DayFirst,
        date_separator: '/',
        date_pattern: "dd/MM/yyyy",
        short_date_pattern: "dd/MM",
        words: ["FALSE", "TRUE"],
        currency: '£',
        currency_first: true,
        argument_separator: ',',
    },
    Locale {
        name: "de_DE",
        decimal: ',',
        group: '.',
        date_order: DateOrder::DayFirst,
        date_separator: '.',
        date_pattern: "dd.MM.yyyy",
        short_date_pattern: "dd.MM.",
        words: ["FALSCH", "WAHR"],
        currency: '€',
        currency_first: false,
        argument_separator: ';',
    },
    Locale {
        name: "fr_FR",
        decimal: ',',
        group: '\u{202f}',
        date_order: DateOrder::DayFirst,
        date_separator: '/',
        date_pattern: "dd/MM/yyyy",
        short_date_pattern: "dd/MM",
        words: ["FAUX", "VRAI"],
        currency: '€',
        currency_first: false,
        argument_separator: ';',
    },
];

/// The locale of that name; `de` means `de_DE` and so on, as Sheets takes it.
pub(crate) fn locale(name: &str) -> Option<&'static Locale> {
    LOCALES
        .iter()
        .find(|locale| locale.name == name)
        .or_else(|| {
            LOCALES
                .iter()
                .find(|locale| locale.name.split('_').next() == Some(name))
        })
}

/// The locale of a spreadsheet for which none was named.
pub(crate) fn default_locale() -> &'static Locale {
    &LOCALES[0]
}
