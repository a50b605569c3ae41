//! The words about the variable manager: libraries' names, and copies of collections.
//!
//! Owns what the panel asks and the sandbox tells beside the list of variables itself, which travels as the bulk of
//! [`super::ToPanel::Variables`]. Must not know Real-Time Sync: the manager works without it.

use serde::{Deserialize, Serialize};

/// What the panel asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// The names of the libraries this file uses. Answered by [`Told::Libraries`], which waits for Figma's servers.
    Libraries,
    /// A copy of a collection.
    Duplicate {
        /// Figma's id of the collection.
        collection: String,
        /// The copy's name.
        name: String,
    },
    /// Ends the copying and takes back what was made.
    Stop,
}

/// What the sandbox tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// The libraries of the collections that this file has enabled: Figma's key of a collection, the library's name.
    Libraries {
        /// Pairs.
        names: Vec<(String, String)>,
    },
    /// A copy is being made; at most one a slice.
    Copying {
        /// Variables that were made, and those that were filled.
        done: u32,
        /// Twice the variables.
        total: u32,
    },
    /// The copy is there.
    Copied {
        /// Its name.
        name: String,
        /// Its variables.
        variables: u32,
        /// Values and fields that Figma refused, such as an alias to a variable that is not there.
        unset: u32,
        /// The text of its first refusal.
        why: Option<String>,
    },
    /// There is no copy.
    NotCopied {
        /// Why, one sentence; `None` when the designer stopped it.
        why: Option<String>,
        /// The name of what was made and could not be taken back; `None` where nothing is left of it.
        left: Option<String>,
    },
}
