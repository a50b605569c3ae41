//! How a spreadsheet's locale writes numbers and booleans.
//!
//! Owns the separators and words (Unicode CLDR 44, `numbers/symbols`; Sheets' own words for TRUE and FALSE). Must not
//! know values.

/// The separators and words of a locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    /// Stands before the decimals.
    pub(super) decimal: char,
    /// May stand between groups of three digits.
    pub(super) group: Group,
    /// TRUE and FALSE.
    pub(super) booleans: [&'static str; 2],
}

/// What groups thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Comma,
    /// The last three digits, and twos before them: `12,34,567`.
    CommaOfTwos,
    Point,
    /// A no-break space, wide or narrow. A plain space is none: `8 160` may be two values.
    Space,
    Apostrophe,
}

impl Group {
    pub(super) fn is(self, character: char) -> bool {
        match self {
            Group::Comma | Group::CommaOfTwos => character == ',',
            Group::Point => character == '.',
            Group::Space => matches!(character, '\u{a0}' | '\u{202f}'),
            Group::Apostrophe => matches!(character, '\'' | '’'),
        }
    }
}

impl Locale {
    /// The locale that Google calls `name`, such as `de_DE` or `en_US`. An unknown one writes numbers as English does.
    pub fn of(name: &str) -> Locale {
        let language = name.split(['_', '-']).next().unwrap_or_default();
        let (decimal, group) = match name {
            "de_CH" | "de_LI" | "it_CH" => ('.', Group::Apostrophe),
            "es_MX" | "es_US" | "es_GT" | "es_HN" | "es_NI" | "es_PA" | "es_PE" | "es_PR"
            | "es_SV" | "es_DO" => ('.', Group::Comma),
            "de_AT" | "pt_PT" | "es_CR" | "en_ZA" => (',', Group::Space),
            _ => match language {
                "da" | "de" | "el" | "es" | "hr" | "id" | "in" | "is" | "it" | "nl" | "pt"
                | "ro" | "sl" | "sr" | "tr" | "vi" | "ca" | "eu" | "gl" => (',', Group::Point),
                "be" | "bg" | "cs" | "et" | "fi" | "fr" | "hu" | "hy" | "ka" | "kk" | "lt"
                | "lv" | "nb" | "nn" | "no" | "pl" | "ru" | "sk" | "sv" | "uk" => {
                    (',', Group::Space)
                }
                _ if name.ends_with("_IN") => ('.', Group::CommaOfTwos),
                _ => ('.', Group::Comma),
            },
        };
        let booleans = match language {
            "de" => ["WAHR", "FALSCH"],
            "fr" => ["VRAI", "FAUX"],
            "es" => ["VERDADERO", "FALSO"],
            "it" => ["VERO", "FALSO"],
            "pt" => ["VERDADEIRO", "FALSO"],
            "nl" => ["WAAR", "ONWAAR"],
            "da" => ["SAND", "FALSK"],
            "sv" => ["SANT", "FALSKT"],
            "nb" | "nn" | "no" => ["SANN", "USANN"],
            "pl" => ["PRAWDA", "FAŁSZ"],
            _ => ["TRUE", "FALSE"],
        };
        Locale {
            decimal,
            group,
            booleans,
        }
    }
}
