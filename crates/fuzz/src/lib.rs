//! Targets of the fuzzer: every reader of bytes that come from outside, with what has to hold of it.
//!
//! Owns the list and the statements. Must not know the fuzzer: the same targets run over the kept inputs in the normal
//! tests. A target panics when its statement is false; it never looks at time.

mod files;
mod readers;
mod wires;

/// Longest input that a target looks at, in bytes. What the product itself takes is bounded by its own limits.
pub const INPUT_BYTES_MAX: usize = 64 * 1024;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also its folder in `corpus/`.
    pub name: &'static str,
    /// Looks at one input.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 13] = [
    Target {
        name: "value",
        run: readers::value,
    },
    Target {
        name: "words",
        run: readers::words,
    },
    Target {
        name: "a1",
        run: readers::a1,
    },
    Target {
        name: "ranges",
        run: readers::ranges,
    },
    Target {
        name: "packed",
        run: readers::packed,
    },
    Target {
        name: "layout",
        run: readers::layout,
    },
    Target {
        name: "kept",
        run: readers::kept,
    },
    Target {
        name: "panel_wire",
        run: wires::panel,
    },
    Target {
        name: "live_wire",
        run: wires::live,
    },
    Target {
        name: "http_wire",
        run: wires::http,
    },
    Target {
        name: "separated",
        run: files::separated,
    },
    Target {
        name: "workbook",
        run: files::workbook,
    },
    Target {
        name: "tokens",
        run: files::tokens,
    },
];

/// Runs the target called `name` over an input; an input that is too long is cut.
///
/// # Panics
/// When the target's statement is false, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target `{name}`"));
    (target.run)(&input[..input.len().min(INPUT_BYTES_MAX)]);
}

/// The first byte as a choice, and the rest.
fn choice(input: &[u8]) -> (usize, &[u8]) {
    match input.split_first() {
        Some((first, rest)) => (usize::from(*first), rest),
        None => (0, input),
    }
}

/// The input as text, with � for bytes that are none.
fn text(input: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(input)
}
