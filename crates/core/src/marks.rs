//! Marks of runs: how a run that the designer undid is told from one that never was.
//!
//! Owns the list of marks that stays outside the document, and the rule. Must not know where it is kept.
//!
//! Figma's undo takes a run's values back together with everything the run wrote into plugin data, the base included:
//! from the document alone it looks as if the sheet had changed and nobody had written it yet, and the next run would
//! fight the designer's own undo. So each run first writes a mark into the file, within its undo step, and the list of
//! marks with their predecessors is kept with the user. A file that holds a predecessor again has been taken back.

use crate::document::index::hash;

/// Marks kept; a designer undoes recent runs.
pub const MARKS_MAX: usize = 64;
const FIELD: char = '\u{1f}';
const RECORD: char = '\u{1e}';

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    /// What the file held before.
    before: String,
    /// What the run wrote.
    mark: String,
    /// The file's name, hashed: a copy or branch holds the marks of its original, but not its name.
    file: u32,
}

/// The last runs of this user, in any file, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    list: Vec<Mark>,
}

impl Marks {
    /// Reads what [`Marks::write`] made; what does not fit is left out.
    pub fn read(text: &str) -> Marks {
        let list = text.split_terminator(RECORD).filter_map(|record| {
            let mut fields = record.split(FIELD);
            Some(Mark {
                before: fields.next()?.to_owned(),
                mark: fields.next()?.to_owned(),
                file: fields.next()?.parse().ok()?,
            })
        });
        Marks {
            list: list.collect(),
        }
    }

    /// A text to keep.
    pub fn write(&self) -> String {
        let mut text = String::new();
        for Mark { before, mark, file } in &self.list {
            text.push_str(before);
            text.push(FIELD);
            text.push_str(mark);
            text.push(FIELD);
            text.push_str(&file.to_string());
            text.push(RECORD);
        }
        text
    }

    /// A run begins in the file of that name, which held `before`, and writes `mark`.
    pub fn begin(&mut self, file_name: &str, before: &str, mark: &str) {
        if self.list.len() >= MARKS_MAX {
            self.list.remove(0);
        }
        self.list.push(Mark {
            before: before.to_owned(),
            mark: mark.to_owned(),
            file: hash(file_name),
        });
    }

    /// Whether the file, which holds `mark` now, was taken back to before one of these runs.
    pub fn is_undone(&self, file_name: &str, mark: &str) -> bool {
        let file = hash(file_name);
        !mark.is_empty()
            && self
                .list
                .iter()
                .any(|known| known.file == file && known.before == mark)
    }
}

#[cfg(test)]
mod tests {
    use super::{MARKS_MAX, Marks};

    #[test]
    fn a_file_that_holds_a_predecessor_was_taken_back() {
        let mut marks = Marks::default();
        marks.begin("Design", "a", "b");
        marks.begin("Design", "b", "c");
        assert!(!marks.is_undone("Design", "c"));
        assert!(marks.is_undone("Design", "b"));
        assert!(marks.is_undone("Design", "a"));
        // Somebody else's run, a copy, a file that was never synced.
        assert!(!marks.is_undone("Design", "x"));
        assert!(!marks.is_undone("Design (Copy)", "b"));
        assert!(!marks.is_undone("Design", ""));
        assert_eq!(Marks::read(&marks.write()), marks);
    }

    #[test]
    fn the_list_is_bounded_and_nonsense_is_left_out() {
        let mut marks = Marks::default();
        for run in 0..MARKS_MAX * 2 {
            marks.begin("Design", &run.to_string(), &(run + 1).to_string());
        }
        assert!(!marks.is_undone("Design", "3"));
        assert!(marks.is_undone("Design", &(MARKS_MAX + 3).to_string()));
        assert_eq!(
            Marks::read("nonsense\u{1e}a\u{1f}b\u{1f}c\u{1e}"),
            Marks::default()
        );
    }
}
