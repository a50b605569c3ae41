//! Texts that stand for a value still to come.
//!
//! Owns the list of placeholders. Must not know types: a placeholder holds the last value whatever the type, and `\TBD`
//! is the text.

/// Placeholders, compared without regard to ASCII case.
pub(super) const PLACEHOLDERS: [&str; 27] = [
    "—",
    "–",
    "-",
    "--",
    "---",
    "…",
    "...",
    "?",
    "??",
    "???",
    "TBD",
    "TBA",
    "TBC",
    "TODO",
    "WIP",
    "n/a",
    "Loading…",
    "Loading...",
    "#N/A",
    "#REF!",
    "#NAME?",
    "#VALUE!",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#ERROR!",
    "#SPILL!",
];

/// Longest placeholder, in bytes.
const BYTES_MAX: usize = 10;

/// Whether a trimmed text is a placeholder.
pub(super) fn holds(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() > BYTES_MAX {
        return false;
    }
    // Hex colours and numbers, most of what a sheet holds, are told apart by their second character.
    match bytes {
        [b'0'..=b'9' | b'{', ..] => false,
        [b'#', second, ..] if second.is_ascii_hexdigit() && bytes.len() != 7 => false,
        _ => PLACEHOLDERS
            .iter()
            .any(|placeholder| placeholder.eq_ignore_ascii_case(text)),
    }
}

/// Whether a trimmed text is what a sheet shows of an error or of a cell that still loads, and no word of a person.
pub fn is_in_error(text: &str) -> bool {
    text.starts_with(['#', 'L', 'l']) && holds(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_holds() {
        for placeholder in PLACEHOLDERS {
            assert!(holds(placeholder), "{placeholder}");
            assert!(holds(&placeholder.to_ascii_lowercase()), "{placeholder}");
        }
    }
}
