//! Texts, and the backslash that keeps one a text.
//!
//! Owns the escape. Must not know types other than STRING.
//!
//! A backslash at the start is an escape only when what follows would not be a text without it: nothing, a placeholder,
//! or braces. `\{name}` is the text `{name}`, `\TBD` is `TBD`, `\\TBD` is `\TBD`, and `\e900` stays as it is.

use super::{Value, hold};

/// Reads a whole cell as text; spaces around it are kept.
pub(super) fn read(whole: &str) -> Value {
    let text = match whole.strip_prefix('\\') {
        Some(rest) if is_special(rest) => rest,
        _ => whole,
    };
    Value::String(String::from(text))
}

/// Writes a text so that it is read as that text.
pub(super) fn write(text: &str) -> String {
    if is_special(text) {
        let mut escaped = String::with_capacity(text.len() + 1);
        escaped.push('\\');
        escaped.push_str(text);
        escaped
    } else {
        String::from(text)
    }
}

/// Whether a text, apart from the backslashes it begins with, would be read as something else.
fn is_special(text: &str) -> bool {
    let core = text.trim_start_matches('\\').trim();
    core.is_empty() || core.starts_with('{') || hold::holds(core)
}
