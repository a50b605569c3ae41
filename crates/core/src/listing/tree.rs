//! The listed variables as a tree: collections, groups, variables.
//!
//! Owns which lines there are under a search and with some of them folded. Must not know how a line is drawn. Groups
//! within groups are levels of their own; variables stand before the groups beside them.

use super::Listing;
use std::collections::{BTreeMap, BTreeSet};

/// Separates what is searched; no name holds it.
const PART: char = '\u{1f}';

/// The tree of a listing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    /// What is searched, in lower case, one a variable of the listing.
    texts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Node {
    what: What,
    label: String,
    /// Under which it is folded.
    key: String,
    variables: Vec<usize>,
    groups: Vec<usize>,
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// A collection, by its place in the listing.
    Collection(usize),
    /// A group in a collection.
    Group(usize),
    /// A variable, by its place in the listing.
    Variable(usize),
}

/// A line of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line {
    /// What it stands for.
    pub what: What,
    /// The collection's place.
    pub collection: usize,
    /// From 1.
    pub level: usize,
    /// Among the lines under the same one, from 1.
    pub place: usize,
    /// How many lines are under the same one.
    pub size: usize,
    /// How many listed variables are under it; 1 for a variable.
    pub count: usize,
    /// `None` for a variable.
    pub is_open: Option<bool>,
}

impl Tree {
    /// The tree of the file's own variables.
    pub fn new(listing: &Listing) -> Tree {
        let mut tree = Tree::default();
        let mut roots = BTreeMap::new();
        for (at, collection) in listing.own_collections() {
            roots.insert(at, tree.nodes.len());
            tree.roots.push(tree.nodes.len());
            tree.nodes.push(Node {
                what: What::Collection(at),
                label: collection.name.clone(),
                key: collection.id.clone(),
                variables: Vec::new(),
                groups: Vec::new(),
            });
        }
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for (at, variable) in listing.variables.iter().enumerate() {
            tree.texts.push(text_of(listing, at));
            let Some(root) = roots.get(&variable.collection) else {
                continue;
            };
            let mut node = *root;
            for (end, _) in variable.name.match_indices('/') {
                let path = &variable.name[..end];
                let key = [&tree.nodes[*root].key, "/", path].concat();
                node = match groups.get(&key) {
                    Some(known) => *known,
                    None => tree.add_group(node, What::Group(variable.collection), path, &key),
                };
                groups.entry(key).or_insert(node);
            }
            tree.nodes[node].variables.push(at);
        }
        tree
    }

    fn add_group(&mut self, parent: usize, what: What, path: &str, key: &str) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node {
            what,
            label: String::from(path.rsplit('/').next().unwrap_or(path)),
            key: String::from(key),
            variables: Vec::new(),
            groups: Vec::new(),
        });
        self.nodes[parent].groups.push(node);
        node
    }

    /// The lines from the top. `of` lists one collection alone. Under a search everything found is shown, whatever is folded.
    pub fn lines(&self, search: &str, of: Option<usize>, closed: &BTreeSet<String>) -> Vec<Shown> {
        let search = search.trim().to_lowercase();
        let searched = Searched {
            texts: &self.texts,
            search: &search,
            closed,
        };
        let roots = self.roots.iter().copied().filter(|root| {
            let what = self.nodes[*root].what;
            of.is_none_or(|only| what == What::Collection(only))
        });
        let found: Vec<Found> = roots
            .filter_map(|root| {
                let found = self.find(root, &searched);
                (search.is_empty() || found.count > 0).then_some(found)
            })
            .collect();
        let mut lines = Vec::new();
        let size = found.len();
        for (nth, found) in found.iter().enumerate() {
            self.push(found, 1, (nth + 1, size), &searched, &mut lines);
        }
        lines
    }

    /// What is listed of a node.
    fn find(&self, node: usize, searched: &Searched<'_>) -> Found {
        let own = &self.nodes[node];
        let variables: Vec<usize> = own
            .variables
            .iter()
            .copied()
            .filter(|at| searched.texts[*at].contains(searched.search))
            .collect();
        let groups: Vec<Found> = own
            .groups
            .iter()
            .map(|group| self.find(*group, searched))
            .filter(|found| found.count > 0)
            .collect();
        let count = variables.len() + groups.iter().map(|found| found.count).sum::<usize>();
        Found {
            node,
            variables,
            groups,
            count,
        }
    }

    fn push(
        &self,
        found: &Found,
        level: usize,
        (place, size): (usize, usize),
        searched: &Searched<'_>,
        lines: &mut Vec<Shown>,
    ) {
        let node = &self.nodes[found.node];
        let (What::Collection(collection) | What::Group(collection) | What::Variable(collection)) =
            node.what;
        let is_open = !searched.search.is_empty() || !searched.closed.contains(&node.key);
        lines.push(Shown {
            line: Line {
                what: node.what,
                collection,
                level,
                place,
                size,
                count: found.count,
                is_open: Some(is_open),
            },
            node: found.node,
        });
        if !is_open {
            return;
        }
        let size = found.variables.len() + found.groups.len();
        lines.extend(found.variables.iter().enumerate().map(|(nth, at)| Shown {
            line: Line {
                what: What::Variable(*at),
                collection,
                level: level + 1,
                place: nth + 1,
                size,
                count: 1,
                is_open: None,
            },
            node: found.node,
        }));
        for (nth, group) in found.groups.iter().enumerate() {
            let place = found.variables.len() + nth + 1;
            self.push(group, level + 1, (place, size), searched, lines);
        }
    }

    /// A line's own name; a variable's is in the listing.
    pub fn label(&self, shown: &Shown) -> &str {
        &self.nodes[shown.node].label
    }

    /// The key under which a line is folded.
    pub fn key(&self, shown: &Shown) -> &str {
        &self.nodes[shown.node].key
    }

    /// The keys of all that must be open for a variable to be listed.
    pub fn keys_above(&self, listing: &Listing, variable: usize) -> Vec<String> {
        let variable = &listing.variables[variable];
        let root = &listing.collection_of(variable).id;
        let groups = variable.name.match_indices('/');
        let keys = groups.map(|(end, _)| [root, "/", &variable.name[..end]].concat());
        std::iter::once(root.clone()).chain(keys).collect()
    }
}

/// A line, and where its name and key are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shown {
    /// The line.
    pub line: Line,
    node: usize,
}

struct Searched<'a> {
    texts: &'a [String],
    search: &'a str,
    closed: &'a BTreeSet<String>,
}

/// What a search leaves of a node.
struct Found {
    node: usize,
    variables: Vec<usize>,
    groups: Vec<Found>,
    count: usize,
}

/// What is searched of a variable: names, values, description and code syntax.
fn text_of(listing: &Listing, at: usize) -> String {
    let variable = &listing.variables[at];
    let mut text = [&listing.collection_of(variable).name, "/", &variable.name].concat();
    let said = (0..variable.values.len()).map(|mode| listing.said(at, mode));
    let code = variable
        .code
        .by_platform()
        .map(|(_, code)| String::from(code));
    for part in said.chain([variable.description.clone()]).chain(code) {
        if !part.is_empty() {
            text.push(PART);
            text.push_str(&part);
        }
    }
    text.to_lowercase()
}
