//! Writing design tokens.
//!
//! Owns the tree of groups and the forms of values. Must not know how they are read back: the properties of the tests
//! hold the two together.

use std::collections::{HashMap, HashSet};

use sheetwire_core::value::{AliasRef, Rgba, Value, VariableType};

use super::{
    ALIAS_DATA, CODE_SYNTAX, COLLECTION, HIDDEN, MODE_NAME, OPACITY, PLATFORMS, ROOT, SCOPES,
    TARGET_COLLECTION, TARGET_NAME,
};
use crate::json::{self, Json};
use crate::{Assigned, Collection, Problems, Variable, Variables, Written};

/// One file: a mode of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFile {
    /// The collection's name.
    pub collection: String,
    /// The mode's name.
    pub mode: String,
    /// JSON.
    pub text: String,
}

/// Writes a file for each mode of each collection. A reference within a collection is written as such; one into another
/// as the value it comes to, with Figma's note of where it comes from. What comes to no value is a problem.
pub fn write(variables: &Variables) -> Written<Vec<TokenFile>> {
    let mut problems = Problems::default();
    let mut files = Vec::new();
    for collection in &variables.collections {
        for (at, mode) in collection.modes.iter().enumerate() {
            let writer = Writer {
                variables,
                collection,
                mode: at,
                written: said(collection, at),
                groups: groups(collection, at),
            };
            let mut tree = writer.tree(&mut problems).into_json();
            if let Json::Object(members) = &mut tree {
                members.push((
                    String::from("$extensions"),
                    object([
                        (COLLECTION, text(&collection.name)),
                        (MODE_NAME, text(mode)),
                    ]),
                ));
            }
            files.push(TokenFile {
                collection: collection.name.clone(),
                mode: mode.clone(),
                text: json::write(&tree),
            });
        }
    }
    Written {
        file: files,
        problems: problems.told,
    }
}

/// The variables that say something in a mode.
fn said(collection: &Collection, mode: usize) -> HashSet<&str> {
    let says = |variable: &&Variable| variable.values.get(mode).is_some_and(Option::is_some);
    let variables = collection.variables.iter().filter(says);
    variables.map(|variable| variable.name.as_str()).collect()
}

/// The names of groups in a mode.
fn groups(collection: &Collection, mode: usize) -> HashSet<&str> {
    said(collection, mode)
        .into_iter()
        .flat_map(|name| name.match_indices('/').map(|(at, _)| &name[..at]))
        .collect()
}

/// A group, or a token that has become one: members in order, found by name.
#[derive(Default)]
struct Node {
    token: Option<Json>,
    members: Vec<(String, Node)>,
    places: HashMap<String, usize>,
}

impl Node {
    fn member(&mut self, name: &str) -> &mut Node {
        let place = *self.places.entry(String::from(name)).or_insert_with(|| {
            self.members.push((String::from(name), Node::default()));
            self.members.len() - 1
        });
        &mut self.members[place].1
    }

    fn into_json(self) -> Json {
        match self.token {
            Some(token) if self.members.is_empty() => token,
            token => {
                let root = token.map(|token| (String::from(ROOT), token));
                let members = self.members.into_iter();
                let members = members.map(|(name, node)| (name, node.into_json()));
                Json::Object(root.into_iter().chain(members).collect())
            }
        }
    }
}

struct Writer<'a> {
    variables: &'a Variables,
    collection: &'a Collection,
    mode: usize,
    written: HashSet<&'a str>,
    groups: HashSet<&'a str>,
}

impl Writer<'_> {
    fn tree(&self, problems: &mut Problems) -> Node {
        let mut tree = Node::default();
        for variable in &self.collection.variables {
            let Some(assigned) = variable.values.get(self.mode).and_then(Option::as_ref) else {
                continue;
            };
            let bad = |part: &str| {
                part.is_empty() || part.starts_with('$') || part.contains(['.', '{', '}'])
            };
            if variable.name.split('/').any(bad) {
                problems.tell(
                    variable.name.as_str(),
                    "A token's name may not be empty, begin with $ or hold a point or braces.",
                    "Rename the variable.",
                );
                continue;
            }
            if let Assigned::Value(Value::String(said)) = assigned
                && self.is_reference(said)
            {
                problems.tell(
                    variable.name.as_str(),
                    "This text would be read as a reference to another token.",
                    "Change the text, or rename the variable that it names.",
                );
            }
            let Some(token) = self.token(variable, assigned) else {
                problems.tell(
                    variable.name.as_str(),
                    "This reference comes to no value in this file.",
                    "Export the collection that it refers to as well; references into libraries can't be written.",
                );
                continue;
            };
            let mut node = &mut tree;
            for part in variable.name.split('/') {
                node = node.member(part);
            }
            node.token = Some(token);
        }
        tree
    }

    fn token(&self, variable: &Variable, assigned: &Assigned) -> Option<Json> {
        let mut extensions: Vec<(String, Json)> = Vec::new();
        let mut extend = |name: &str, value: Json| extensions.push((String::from(name), value));
        let value = match assigned {
            Assigned::Value(value) => value_of(value),
            Assigned::Alias(alias) => match self.own(alias) {
                Some(name) => text(&["{", &name, "}"].concat()),
                None => {
                    extend(ALIAS_DATA, self.alias_data(alias));
                    value_of(&self.resolved(variable)?)
                }
            },
            Assigned::Composed { alias, opacity } => {
                extend(ALIAS_DATA, self.alias_data(alias));
                extend(OPACITY, Json::Number(*opacity));
                value_of(&self.resolved(variable)?)
            }
        };
        if let Some(scopes) = &variable.scopes {
            let names = scopes.iter().map(|scope| text(scope.name()));
            extend(SCOPES, Json::List(names.collect()));
        }
        let code: Vec<(String, Json)> = PLATFORMS
            .iter()
            .zip(&variable.code)
            .filter_map(|(platform, code)| Some((String::from(*platform), text(code.as_ref()?))))
            .collect();
        if !code.is_empty() {
            extend(CODE_SYNTAX, Json::Object(code));
        }
        if let Some(hidden) = variable.hidden {
            extend(HIDDEN, Json::Bool(hidden));
        }
        let mut members = vec![
            (String::from("$type"), text(type_of(variable.kind))),
            (String::from("$value"), value),
        ];
        if !variable.description.is_empty() {
            members.push((String::from("$description"), text(&variable.description)));
        }
        if !extensions.is_empty() {
            members.push((String::from("$extensions"), Json::Object(extensions)));
        }
        Some(Json::Object(members))
    }

    /// The path to a variable of the same file.
    fn own(&self, alias: &AliasRef) -> Option<String> {
        let name = alias.name.as_str();
        let other = alias.collection.as_ref();
        let own = alias.library.is_none()
            && other.is_none_or(|other| *other == self.collection.name)
            && self.written.contains(name);
        own.then(|| {
            let path = name.replace('/', ".");
            if self.groups.contains(name) {
                [&path, ".", ROOT].concat()
            } else {
                path
            }
        })
    }

    /// Whether a text is written as a reference to a token of the same file.
    fn is_reference(&self, said: &str) -> bool {
        let inside = said
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let name = inside.map(|path| path.replace('.', "/"));
        name.is_some_and(|name| self.written.contains(name.trim_end_matches("/$root")))
    }

    fn alias_data(&self, alias: &AliasRef) -> Json {
        let own = self.collection.name.as_str();
        let collection = alias.collection.as_deref().unwrap_or(own);
        object([
            (TARGET_NAME, text(&alias.name)),
            (TARGET_COLLECTION, text(collection)),
        ])
    }

    fn resolved(&self, variable: &Variable) -> Option<Value> {
        let value = self
            .variables
            .resolve(self.collection, variable, self.mode)?;
        (value.variable_type() == variable.kind).then_some(value)
    }
}

fn text(text: &str) -> Json {
    Json::Text(String::from(text))
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    let members = members.into_iter();
    Json::Object(
        members
            .map(|(name, value)| (String::from(name), value))
            .collect(),
    )
}

fn type_of(kind: VariableType) -> &'static str {
    match kind {
        VariableType::Color => "color",
        VariableType::Float => "number",
        VariableType::String => "string",
        VariableType::Boolean => "boolean",
        VariableType::Easing => "cubicBezier",
        VariableType::Timing => "duration",
    }
}

fn value_of(value: &Value) -> Json {
    match value {
        Value::Color(color) => color_of(*color),
        Value::Float(number) => Json::Number(*number),
        Value::String(string) => text(string),
        Value::Boolean(value) => Json::Bool(*value),
        Value::Easing(points) => {
            Json::List(points.iter().map(|point| Json::Number(*point)).collect())
        }
        Value::Timing(ms) => object([("value", Json::Number(*ms)), ("unit", text("ms"))]),
    }
}

fn color_of(Rgba { r, g, b, a }: Rgba) -> Json {
    let byte = |channel: f64| (channel.clamp(0.0, 1.0) * 255.0).round() as u8;
    let hex = format!("#{:02X}{:02X}{:02X}", byte(r), byte(g), byte(b));
    object([
        ("colorSpace", text("srgb")),
        (
            "components",
            Json::List([r, g, b].map(Json::Number).to_vec()),
        ),
        ("alpha", Json::Number(a)),
        ("hex", text(&hex)),
    ])
}
