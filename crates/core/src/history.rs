//! The history of a file's runs: what it takes to get back to before one of them.
//!
//! Owns the text of a run's past and the joining of several. Must not know where the texts are kept, or how anything is
//! written.
//!
//! A past is told by Figma's ids, which outlive a session. Of a variable that a run changed it holds what the run found
//! there; of one that the run made, that it was not there; of one that it removed, everything.

use crate::decimal;
use crate::document::Held;
use crate::protocol::panel::{Counts, RunEntry};

/// Runs kept in a file; older ones are forgotten.
pub const RUNS_MAX: u32 = 50;
/// The longest past of one run, in bytes. A run with a longer one is told in the history, but can't be gone back to.
pub const PAST_BYTES_MAX: usize = 2 << 20;
/// The longest text kept in one place, in bytes; Figma takes 100 kB an entry.
pub const CHUNK_BYTES: usize = 90_000;

const FIELD: char = '\u{1f}';
const RECORD: char = '\u{1e}';

/// Something in a file that has an id of Figma's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A collection.
    Collection(crate::document::CollectionSlot),
    /// A mode of a collection.
    Mode(crate::document::CollectionSlot, crate::document::ModeSlot),
    /// A variable.
    Variable(crate::document::VariableSlot),
}

/// One field of a variable as it was: `n` name, `d` description, `s` scopes, `0` to `2` code syntax, `h` hidden, or `m`
/// and a mode's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Was {
    /// Which.
    pub field: String,
    /// What it was: a text, a number, or a value as [`value_text`] makes it.
    pub text: String,
}

/// What was before, of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// The collection was not there.
    NoCollection {
        /// Its id.
        id: String,
    },
    /// The collection had another name.
    CollectionName {
        /// Its id.
        id: String,
        /// The name it had.
        name: String,
    },
    /// The mode was not there.
    NoMode {
        /// The collection's id.
        collection: String,
        /// The mode's id.
        id: String,
    },
    /// The mode had another name.
    ModeName {
        /// The collection's id.
        collection: String,
        /// The mode's id.
        id: String,
        /// The name it had.
        name: String,
    },
    /// The variable was not there.
    NoVariable {
        /// Its id.
        id: String,
    },
    /// Fields of the variable were otherwise.
    Variable {
        /// Its id.
        id: String,
        /// What they were.
        was: Vec<Was>,
    },
    /// The variable was there, and is not any more.
    Gone {
        /// Its id then.
        id: String,
        /// Its collection's id.
        collection: String,
        /// Its type, by the place in [`crate::value::VariableType::ALL`].
        kind: u32,
        /// All its fields.
        was: Vec<Was>,
    },
}

/// A text without what separates texts here.
fn push(text: &mut String, word: &str) {
    text.extend(word.chars().filter(|c| *c != FIELD && *c != RECORD));
}

impl Past {
    /// Adds it to a run's text.
    pub fn write(&self, text: &mut String) {
        let mut line = |kind: char, words: &[&str], was: &[Was]| {
            text.push(kind);
            let fields = was.iter().flat_map(|was| [was.field.as_str(), &was.text]);
            for word in words.iter().copied().chain(fields) {
                text.push(FIELD);
                push(text, word);
            }
            text.push(RECORD);
        };
        match self {
            Past::NoCollection { id } => line('C', &[id], &[]),
            Past::CollectionName { id, name } => line('N', &[id, name], &[]),
            Past::NoMode { collection, id } => line('M', &[collection, id], &[]),
            Past::ModeName {
                collection,
                id,
                name,
            } => line('R', &[collection, id, name], &[]),
            Past::NoVariable { id } => line('V', &[id], &[]),
            Past::Variable { id, was } => line('W', &[id], was),
            Past::Gone {
                id,
                collection,
                kind,
                was,
            } => line('X', &[id, collection, &kind.to_string()], was),
        }
    }

    fn read(record: &str) -> Option<Past> {
        let mut words = record.split(FIELD).map(str::to_owned);
        let kind = words.next()?;
        let id = words.next()?;
        let mut next = || words.next();
        Some(match kind.as_str() {
            "C" => Past::NoCollection { id },
            "N" => Past::CollectionName { id, name: next()? },
            "M" => Past::NoMode {
                collection: id,
                id: next()?,
            },
            "R" => Past::ModeName {
                collection: id,
                id: next()?,
                name: next()?,
            },
            "V" => Past::NoVariable { id },
            "W" | "X" => {
                let gone = match kind.as_str() {
                    "X" => Some((next()?, next()?.parse().ok()?)),
                    _ => None,
                };
                let mut was = Vec::new();
                while let (Some(field), Some(text)) = (next(), next()) {
                    was.push(Was { field, text });
                }
                match gone {
                    Some((collection, kind)) => Past::Gone {
                        id,
                        collection,
                        kind,
                        was,
                    },
                    None => Past::Variable { id, was },
                }
            }
            _ => return None,
        })
    }
}

/// Joins the pasts of runs, newest first, to what was before the oldest of them. Records that this version does not know
/// are passed over.
pub fn join(texts: &[String]) -> Vec<Past> {
    let mut joined: Vec<Past> = Vec::new();
    for text in texts {
        // Within a run the last record comes first, too.
        let mut records: Vec<&str> = text.split_terminator(RECORD).collect();
        records.reverse();
        for past in records.into_iter().filter_map(Past::read) {
            add(&mut joined, past);
        }
    }
    joined
}

fn overlay(onto: &mut Vec<Was>, older: Vec<Was>) {
    for was in older {
        match onto.iter_mut().find(|held| held.field == was.field) {
            Some(held) => held.text = was.text,
            None => onto.push(was),
        }
    }
}

/// Adds what was still earlier.
fn add(joined: &mut Vec<Past>, past: Past) {
    match past {
        Past::NoCollection { id } => {
            joined.retain(|held| {
                !matches!(held, Past::CollectionName { id: of, .. } if *of == id)
                    && !matches!(
                        held,
                        Past::NoMode { collection, .. } | Past::ModeName { collection, .. }
                            if *collection == id
                    )
            });
            joined.push(Past::NoCollection { id });
        }
        Past::CollectionName { id, name } => {
            let held = joined
                .iter_mut()
                .find(|held| matches!(held, Past::CollectionName { id: of, .. } if *of == id));
            match held {
                Some(Past::CollectionName { name: held, .. }) => *held = name,
                _ => joined.push(Past::CollectionName { id, name }),
            }
        }
        Past::NoMode { collection, id } => {
            joined.retain(|held| !matches!(held, Past::ModeName { id: of, .. } if *of == id));
            joined.push(Past::NoMode { collection, id });
        }
        Past::ModeName {
            collection,
            id,
            name,
        } => {
            let held = joined
                .iter_mut()
                .find(|held| matches!(held, Past::ModeName { id: of, .. } if *of == id));
            match held {
                Some(Past::ModeName { name: held, .. }) => *held = name,
                _ => joined.push(Past::ModeName {
                    collection,
                    id,
                    name,
                }),
            }
        }
        Past::NoVariable { id } => {
            let before = joined.len();
            joined.retain(|held| !matches!(held, Past::Gone { id: of, .. } if *of == id));
            // Made and removed again within the runs: nothing is left to do.
            if joined.len() == before {
                joined.retain(|held| !matches!(held, Past::Variable { id: of, .. } if *of == id));
                joined.push(Past::NoVariable { id });
            }
        }
        Past::Variable { id, was } => {
            let held = joined.iter_mut().find(|held| {
                matches!(
                    held,
                    Past::Variable { id: of, .. } | Past::Gone { id: of, .. } if *of == id
                )
            });
            match held {
                Some(Past::Variable { was: held, .. } | Past::Gone { was: held, .. }) => {
                    overlay(held, was);
                }
                _ => joined.push(Past::Variable { id, was }),
            }
        }
        Past::Gone { .. } => joined.push(past),
    }
}

fn bits(number: f32) -> String {
    number.to_bits().to_string()
}

/// A value as it is kept, with `id` for an alias's target. `None` for what could not be written again: an alias into
/// another file, or a kind of value that this version does not know.
pub fn value_text(
    held: &Held,
    id: impl Fn(crate::document::VariableSlot) -> String,
) -> Option<String> {
    let numbers = |kind: &str, numbers: &[f32]| {
        let mut text = kind.to_owned();
        for (at, number) in numbers.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(&bits(*number));
        }
        text
    };
    Some(match held {
        Held::Missing => String::from("-"),
        Held::Color(channels) => numbers("c", channels),
        Held::Float(number) => numbers("f", &[*number]),
        Held::Boolean(value) => String::from(if *value { "b1" } else { "b0" }),
        Held::Text(value) => ["t", value].concat(),
        Held::Alias(target) => ["a", &id((*target)?)].concat(),
        Held::Composed(target, opacity) => ["o", &bits(*opacity), " ", &id((*target)?)].concat(),
        Held::Easing(points) => numbers("e", points),
        Held::Timing(number) => numbers("m", &[*number]),
        Held::Other => return None,
    })
}

/// Reads what [`value_text`] made. `slot` gives an alias's target; without one there is nothing to write.
pub fn value_of(
    text: &str,
    slot: impl Fn(&str) -> Option<crate::document::VariableSlot>,
) -> Option<Held> {
    fn four(text: &str) -> Option<[f32; 4]> {
        let mut numbers = [0.0; 4];
        let mut words = text.split(' ');
        for number in &mut numbers {
            *number = one(words.next()?)?;
        }
        Some(numbers)
    }
    fn one(text: &str) -> Option<f32> {
        text.parse().ok().map(f32::from_bits)
    }
    let mut chars = text.chars();
    let kind = chars.next()?;
    let rest = chars.as_str();
    Some(match kind {
        '-' => Held::Missing,
        'c' => Held::Color(four(rest)?),
        'f' => Held::Float(one(rest)?),
        'b' => Held::Boolean(rest == "1"),
        't' => Held::Text(rest.into()),
        'a' => Held::Alias(Some(slot(rest)?)),
        'o' => {
            let (opacity, id) = rest.split_once(' ')?;
            Held::Composed(Some(slot(id)?), one(opacity)?)
        }
        'e' => Held::Easing(four(rest)?),
        'm' => Held::Timing(one(rest)?),
        _ => return None,
    })
}

/// What is kept of a run beside its past: who and when, what it did, and of how many texts its past is.
pub fn entry_text(entry: &RunEntry, chunks: usize) -> String {
    let counts = &entry.counts;
    let numbers = [
        entry.unix_ms,
        u64::from(counts.collections),
        u64::from(counts.modes),
        u64::from(counts.created),
        u64::from(counts.changed),
        u64::from(counts.removed),
        u64::from(entry.restores),
        chunks as u64,
        // Runs of older versions end before this.
        u64::from(counts.retyped),
    ];
    let mut text = String::new();
    push(&mut text, &entry.author);
    for number in numbers {
        text.push(FIELD);
        text.push_str(&decimal::write(number as f64));
    }
    text
}

/// Reads what [`entry_text`] made of the run with that name: the run, and of how many texts its past is. A run without
/// any can't be gone back to.
pub fn entry_of(run: &str, text: &str) -> Option<(RunEntry, usize)> {
    let mut words = text.split(FIELD);
    let author = words.next()?.to_owned();
    let mut number = || words.next()?.parse::<u64>().ok();
    let unix_ms = number()?;
    let mut count = || number().map(|count| count as u32);
    let mut counts = Counts {
        retyped: 0,
        collections: count()?,
        modes: count()?,
        created: count()?,
        changed: count()?,
        removed: count()?,
        unchanged: 0,
    };
    let (restores, chunks) = (count()? != 0, count()? as usize);
    counts.retyped = count().unwrap_or_default();
    let entry = RunEntry {
        run: run.to_owned(),
        author,
        unix_ms,
        counts,
        restores,
        restorable: chunks > 0,
    };
    Some((entry, chunks))
}

/// Cuts a past into texts short enough to be kept.
pub fn chunks(past: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = past;
    while !rest.is_empty() {
        let mut end = rest.len().min(CHUNK_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (chunk, left) = rest.split_at(end);
        chunks.push(chunk);
        rest = left;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::{Past, Was, entry_of, entry_text, join, value_of, value_text};
    use crate::document::{Held, VariableSlot};
    use crate::protocol::panel::{Counts, RunEntry};

    fn was(field: &str, text: &str) -> Was {
        Was {
            field: field.into(),
            text: text.into(),
        }
    }

    fn text(pasts: &[Past]) -> String {
        let mut text = String::new();
        for past in pasts {
            past.write(&mut text);
        }
        text
    }

    fn changed(id: &str, fields: &[(&str, &str)]) -> Past {
        Past::Variable {
            id: id.into(),
            was: fields
                .iter()
                .map(|(field, text)| was(field, text))
                .collect(),
        }
    }

    #[test]
    fn what_was_earlier_stands() {
        let newer = text(&[changed("1", &[("m1", "f2"), ("n", "b")])]);
        let older = text(&[changed("1", &[("m1", "f1"), ("m2", "f5")])]);
        assert_eq!(
            join(&[newer, older]),
            [changed("1", &[("m1", "f1"), ("n", "b"), ("m2", "f5")])]
        );
    }

    #[test]
    fn what_was_made_and_removed_is_nothing() {
        let gone = Past::Gone {
            id: "1".into(),
            collection: "c".into(),
            kind: 0,
            was: vec![was("n", "a")],
        };
        let made = Past::NoVariable { id: "1".into() };
        let (last, first) = (
            text(std::slice::from_ref(&gone)),
            text(std::slice::from_ref(&made)),
        );
        assert_eq!(join(&[last, first]), []);
        // Within one run, too, in the order they happened.
        assert_eq!(join(&[text(&[made.clone(), gone])]), []);
        let before = changed("1", &[("n", "b")]);
        assert_eq!(join(&[text(&[made.clone(), before])]), [made]);
    }

    #[test]
    fn what_was_removed_comes_back_as_it_was_before_it_was_changed() {
        let gone = |name: &str| Past::Gone {
            id: "1".into(),
            collection: "c".into(),
            kind: 2,
            was: vec![was("n", name), was("m1", "tx")],
        };
        let older = changed("1", &[("n", "first")]);
        assert_eq!(
            join(&[text(&[gone("last")]), text(&[older])]),
            [gone("first")]
        );
    }

    #[test]
    fn values_come_back_to_the_last_bit() {
        let values = [
            Held::Missing,
            Held::Color([0.1, 0.2, 0.3, 0.4]),
            Held::Float(-0.1),
            Held::Boolean(true),
            Held::Boolean(false),
            Held::Text("a b".into()),
            Held::Text("".into()),
            Held::Alias(Some(VariableSlot(7))),
            Held::Composed(Some(VariableSlot(7)), 33.3),
            Held::Easing([0.1, 0.2, 0.3, -1.5]),
            Held::Timing(250.5),
        ];
        for value in values {
            let text = value_text(&value, |slot| format!("VariableID:1:{}", slot.0));
            let text = text.expect("it can be kept");
            let slot = |id: &str| {
                id.strip_prefix("VariableID:1:")?
                    .parse()
                    .ok()
                    .map(VariableSlot)
            };
            assert_eq!(value_of(&text, slot), Some(value));
        }
        assert_eq!(value_text(&Held::Other, |_| String::new()), None);
        assert_eq!(value_text(&Held::Alias(None), |_| String::new()), None);
        assert_eq!(value_of("a9", |_| None), None);
    }

    #[test]
    fn a_run_is_read_as_it_was_kept() {
        let entry = RunEntry {
            run: "r1".into(),
            author: "Ana".into(),
            unix_ms: 1_700_000_000_123,
            counts: Counts {
                retyped: 2,
                collections: 1,
                modes: 2,
                created: 3,
                changed: 4,
                removed: 5,
                unchanged: 0,
            },
            restores: true,
            restorable: true,
        };
        let text = entry_text(&entry, 2);
        assert_eq!(entry_of("r1", &text), Some((entry, 2)));
        assert_eq!(entry_of("r1", "nonsense"), None);
    }
}
