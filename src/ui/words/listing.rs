//! What the Variables and Export tabs say.
//!
//! Owns the sentences. Must not know when they are said.

use super::{number, several};
use sheetwire_core::listing::Collection;
use sheetwire_core::listing::duplicate::Copy;
use sheetwire_files::work::Format;

pub const UNREADABLE_LISTING: &str =
    "The list of this file's variables can't be read. Close the plugin and run it again.";
pub const WHICH_COLLECTION: &str = "Collection that is listed";
pub const ALL_COLLECTIONS: &str = "All collections";
pub const LIST_KEYS: &str =
    "Arrow keys move and fold, Enter shows more about a variable or a collection.";
pub const CLOSE: &str = "Close";
pub const MISSING: &str = "missing";
pub const HAS_PROBLEMS: &str = "has a problem";
pub const PROBLEMS: &str = "Problems of this file";
pub const NO_VALUE: &str = "no value";
pub const LEADS_NOWHERE: &str = "a variable that is not there";
pub const CIRCLE: &str = "goes in a circle";
pub const TOO_LONG: &str = "too many aliases in a row";
pub const DESCRIPTION: &str = "Description";
pub const SCOPES: &str = "Scopes";
pub const AND_HIDDEN: &str = ", hidden from publishing";

pub const COPY_NAME: &str = "Duplicate this collection as";
pub const DUPLICATE: &str = "Duplicate";
pub const COPYING: &str = "Copying the collection";
pub const STOPPING_COPY: &str = "Taking back what was made…";

fn count_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Under a list that is cut.
pub fn more_problems(more: usize) -> String {
    ["And ", &several(count_of(more), "more problem"), "."].concat()
}

/// The button at a collection.
pub fn more_of(collection: &str) -> String {
    ["More about ", collection].concat()
}

/// A percentage behind an alias.
pub fn percent(percent: f64) -> String {
    [" / ", &percent.round().to_string(), "%"].concat()
}

/// An opacity behind a colour, 0 to 1.
pub fn with_opacity(opacity: f64) -> String {
    [
        " at ",
        &(opacity * 100.0).round().to_string(),
        "% of its alpha",
    ]
    .concat()
}

/// Where the way of an alias enters another collection.
pub fn through(collection: &Collection, mode: usize) -> String {
    let place = match &collection.library {
        Some(library) => ["library ", library, " › ", &collection.name].concat(),
        None if !collection.is_own() => ["a library › ", &collection.name].concat(),
        None => collection.name.clone(),
    };
    let mode = collection.modes.get(mode).map_or("", String::as_str);
    [" in ", &place, ", ", mode].concat()
}

/// A variable's type and collection.
pub fn of_collection(kind: &str, collection: &str) -> String {
    [kind, " in ", collection].concat()
}

/// A platform's code syntax.
pub fn code(platform: &str) -> String {
    ["Code, ", platform].concat()
}

/// Where Figma offers a variable.
pub fn scopes(scopes: &[String]) -> String {
    match scopes {
        [] => String::from("nowhere"),
        [all] if all == "ALL_SCOPES" => String::from("everywhere"),
        some => some.join(", "),
    }
}

/// What a collection has.
pub fn collection_holds(variables: usize, collection: &Collection) -> String {
    let mut said = [
        &several(count_of(variables), "variable"),
        ", ",
        &several(count_of(collection.modes.len()), "mode"),
    ]
    .concat();
    if collection.extended {
        said.push_str(". It extends another collection");
    }
    if collection.hidden {
        said.push_str(". Hidden from publishing");
    }
    said.push('.');
    said
}

/// What a copy would hold.
pub fn copy_holds(copy: &Copy) -> String {
    let mut said = [
        &several(count_of(copy.variables), "variable"),
        " in ",
        &several(count_of(copy.modes), "mode"),
        ".",
    ]
    .concat();
    if copy.inside > 0 {
        let inside = several(count_of(copy.inside), "alias").replace("aliass", "aliases");
        said.push_str(&[" ", &inside, " will point inside the copy."].concat());
    }
    if copy.outside > 0 {
        let outside = several(count_of(copy.outside), "alias").replace("aliass", "aliases");
        let stay = if copy.outside == 1 { "stays" } else { "stay" };
        said.push_str(&[" ", &outside, " to other variables ", stay, "."].concat());
    }
    said
}

/// What a copy needs of Figma's plan.
pub fn copy_needs(need: &str) -> String {
    [
        need,
        " If this file's plan allows fewer, nothing is copied.",
    ]
    .concat()
}

/// How far a copy is.
pub fn copying(done: u32, total: u32) -> String {
    let half = total / 2;
    if done < half {
        ["Making ", &number(done), " of ", &number(half)].concat()
    } else {
        let filled = number(done - half);
        ["Writing values, ", &filled, " of ", &number(half)].concat()
    }
}

/// A copy is there.
pub fn copied(name: &str, variables: u32, unset: u32, why: Option<&str>) -> String {
    let mut said = ["“", name, "” has ", &several(variables, "variable"), "."].concat();
    if let Some(why) = why {
        let refused =
            several(unset, "value or field").replace("value or fields", "values or fields");
        said.push_str(&[" Figma refused ", &refused, ": ", why].concat());
    }
    said
}

/// A copy is not there.
pub fn not_copied(why: Option<&str>, left: Option<&str>) -> String {
    let mut said = match why {
        Some(why) => ["The collection was not copied: ", why].concat(),
        None => String::from("The copying was stopped."),
    };
    match left {
        None => said.push_str(" Nothing of the copy is left."),
        Some(name) => {
            let left = [
                " What was made of it is in “",
                name,
                "” and can't be removed; use Undo.",
            ];
            said.push_str(&left.concat());
        }
    }
    said
}

pub const TAB_EXPORT: &str = "Export";
pub const FORMAT: &str = "Format";
pub const WHAT_IS_EXPORTED: &str = "Collections and modes";
pub const EXTENDED: &str = "extends another collection and is left out";
pub const NOTHING_TO_EXPORT: &str = "Nothing is chosen, or what is chosen has no variables.";
pub const WRITING: &str = "Writing the files…";
pub const NOT_WRITTEN: &str = "The files could not be written.";
pub const DOWNLOAD: &str = "Download";
pub const DOWNLOAD_ALL: &str = "Download all as one ZIP";
pub const COPY: &str = "Copy";
pub const DOWNLOADED: &str = "Handed to the browser as a download.";
pub const NOT_DOWNLOADED: &str = "The browser refused the download.";
pub const COPIED: &str = "Copied.";
pub const NOT_COPIED: &str = "The browser refused to copy. Download the file instead.";
pub const CANNOT_SAY: &str = "What this format can't say";

/// What a format is for.
pub fn format(format: Format) -> &'static str {
    match format {
        Format::Separated => {
            "The sheet format: for Google Sheets and Excel. Importing it gives the same variables."
        }
        Format::Workbook => "The sheet format as a workbook in which every cell is plain text.",
        Format::Tokens => {
            "The format of the Design Tokens Community Group, 2025.10: a file for each mode."
        }
        Format::Css => {
            "Custom properties; the first mode under :root, others under [data-mode~=\"…\"]."
        }
    }
}

/// The button that copies a file.
pub fn copy_file(name: &str) -> String {
    ["Copy ", name].concat()
}

/// The button that downloads a file.
pub fn download_file(name: &str) -> String {
    ["Download ", name].concat()
}

/// The name of a preview.
pub fn beginning_of(name: &str) -> String {
    ["The beginning of ", name].concat()
}
