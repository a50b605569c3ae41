//! Where tables come from: chosen and dropped files, and pasted cells.
//!
//! Owns telling what a file is by its name and first bytes, and having it read. Must not know formats beyond that.

use super::{Import, Stage, Table};
use crate::{Listing, Panel, files, words};
use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::FileList;
use sheetwire_core::mapping::grid::{Cells, Grid};
use sheetwire_core::protocol::panel::import::TABLES_MAX;
use sheetwire_core::protocol::relay::SNAPSHOT_BYTES_MAX;
use sheetwire_files::FILE_BYTES_MAX;
use sheetwire_files::work::{FILES_MAX, Order, PackedTable, Reply, Source};
use std::sync::Arc;
use wasm_bindgen_futures::JsFuture;

/// A file as it was chosen.
#[derive(Clone)]
pub struct File {
    name: String,
    bytes: Vec<u8>,
    is_pasted: bool,
}

/// What a file seems to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Separated,
    Workbook,
    Tokens,
}

impl File {
    fn kind(&self) -> Kind {
        let name = self.name.to_lowercase();
        let first = self.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if name.ends_with(".xlsx") || self.bytes.starts_with(b"PK\x03\x04") {
            Kind::Workbook
        } else if name.ends_with(".json") || name.ends_with(".tokens") || first == Some(&b'{') {
            Kind::Tokens
        } else {
            Kind::Separated
        }
    }

    /// The name without its endings.
    fn stem(&self) -> &str {
        let mut stem = self.name.as_str();
        for ending in [".json", ".tokens", ".csv", ".tsv", ".txt", ".xlsx"] {
            stem = stem.strip_suffix(ending).unwrap_or(stem);
        }
        stem
    }

    fn source(&self, collection: &str) -> Source {
        if self.is_pasted {
            return Source::Pasted(self.name.clone());
        }
        match self.kind() {
            Kind::Separated => Source::Separated(String::from(self.stem())),
            Kind::Workbook => Source::Workbook,
            Kind::Tokens => {
                let (own, mode) = self.stem().rsplit_once('.').unwrap_or(("", self.stem()));
                Source::Tokens {
                    collection: String::from(if own.is_empty() { collection } else { own }),
                    mode: String::from(mode),
                }
            }
        }
    }
}

/// The collection of token files whose names tell none: the one of this file that has a mode of such a name, else the
/// file's own name. `None` where no file needs one.
fn collection_of(panel: Panel, files: &[File]) -> Option<String> {
    let unnamed: Vec<&str> = files
        .iter()
        .filter(|file| !file.is_pasted && file.kind() == Kind::Tokens)
        .map(File::stem)
        .filter(|stem| !stem.contains('.'))
        .collect();
    let first = unnamed.first()?;
    let known = panel.listing.with_untracked(|listing| match listing {
        Listing::Ready(known) => known
            .listing
            .own_collections()
            .map(|(_, collection)| collection)
            .find(|collection| {
                let has = |mode: &&str| collection.modes.iter().any(|own| own == mode);
                unnamed.iter().all(has)
            })
            .map(|collection| collection.name.clone()),
        Listing::Loading | Listing::Failed(_) => None,
    });
    Some(known.unwrap_or_else(|| {
        String::from(if unnamed.len() > 1 {
            words::TAB_COLLECTION_USUAL
        } else {
            first
        })
    }))
}

/// Takes chosen or dropped files.
pub fn take_files(panel: Panel, import: Import, list: &FileList) {
    let files: Vec<leptos::web_sys::File> =
        (0..list.length()).filter_map(|at| list.get(at)).collect();
    if files.is_empty() {
        return;
    }
    import.notice.set(None);
    if files.len() > FILES_MAX {
        import.refuse(words::IMPORT_TOO_MANY, words::IMPORT_TOO_MANY_REMEDY);
        return;
    }
    if let Some(file) = files
        .iter()
        .find(|file| file.size() > FILE_BYTES_MAX as f64)
    {
        // A file that is too long is not even taken into memory.
        let error = sheetwire_files::FileError::TooLong {
            bytes: file.size() as usize,
        };
        import.refuse(
            &[&file.name(), ": ", &error.to_string()].concat(),
            error.remedy(),
        );
        return;
    }
    import.stage.set(Stage::Reading);
    spawn_local(async move {
        let mut taken = Vec::new();
        for file in files {
            match JsFuture::from(file.array_buffer()).await {
                Ok(buffer) => taken.push(File {
                    name: file.name(),
                    bytes: Uint8Array::new(&buffer).to_vec(),
                    is_pasted: false,
                }),
                Err(_) => {
                    import.stage.set(Stage::Choosing);
                    import.refuse(words::IMPORT_UNREADABLE, words::IMPORT_UNREADABLE_REMEDY);
                    return;
                }
            }
        }
        // Modes come in the order of the files' names, whatever order they were chosen in.
        taken.sort_by(|one, other| one.name.cmp(&other.name));
        take(panel, import, taken).await;
    });
}

/// Takes pasted cells.
pub fn take_pasted(panel: Panel, import: Import, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    import.notice.set(None);
    let file = File {
        name: String::from(words::PASTED),
        bytes: text.as_bytes().to_vec(),
        is_pasted: true,
    };
    import.stage.set(Stage::Reading);
    spawn_local(take(panel, import, vec![file]));
}

async fn take(panel: Panel, import: Import, taken: Vec<File>) {
    let first = taken.first().map_or("", |file| file.name.as_str());
    import.name.set(words::import_files(taken.len(), first));
    import.collection.set(collection_of(panel, &taken));
    import.files.set(Arc::new(taken));
    read(import).await;
}

/// Reads the same files again, for a collection of another name.
pub fn read_again(import: Import) {
    import.stage.set(Stage::Reading);
    spawn_local(read(import));
}

async fn read(import: Import) {
    let taken = import.files.get_untracked();
    let collection = import.collection.get_untracked().unwrap_or_default();
    let sources = taken.iter().map(|file| file.source(&collection)).collect();
    let bytes: Vec<Vec<u8>> = taken.iter().map(|file| file.bytes.clone()).collect();
    let read = files::perform(&Order::Read(sources), &bytes).await;
    if import.stage.get_untracked() != Stage::Reading {
        // The designer went back meanwhile.
        return;
    }
    let refused = |message: &str, remedy: &str| {
        import.stage.set(Stage::Choosing);
        import.refuse(message, remedy);
    };
    match read {
        Ok((Reply::Read { tables, problems }, _)) => {
            if tables.len() > TABLES_MAX as usize {
                refused(words::IMPORT_TOO_MANY, words::IMPORT_TOO_MANY_REMEDY);
            } else if tables
                .iter()
                .any(|table| table.cells.len() > SNAPSHOT_BYTES_MAX)
            {
                refused(words::IMPORT_TOO_LARGE, words::IMPORT_TOO_LARGE_REMEDY);
            } else {
                import.take_tables(tables.into_iter().map(table).collect(), problems);
            }
        }
        Ok((
            Reply::Refused {
                file,
                message,
                remedy,
            },
            _,
        )) => {
            let name = taken.get(file).map_or("", |file| file.name.as_str());
            refused(&[name, ": ", &message].concat(), &remedy);
        }
        Ok((Reply::Written { .. }, _)) => {
            refused(words::IMPORT_UNREADABLE, words::IMPORT_UNREADABLE_REMEDY);
        }
        Err(error) => refused(&error.to_string(), words::IMPORT_TOO_LARGE_REMEDY),
    }
}

fn table(read: PackedTable) -> Table {
    let mut grid = Grid::default();
    grid.push(&read.cells);
    let columns = (0..grid.rows()).map(|row| Cells::new(grid.row(row)).count());
    Table {
        columns: u32::try_from(columns.max().unwrap_or(0)).unwrap_or(u32::MAX),
        title: read.title,
        locale: read.locale,
        cells: read.cells,
        grid,
    }
}
