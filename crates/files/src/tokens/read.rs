//! Reading design tokens.
//!
//! Owns the walk through groups, inheritance, references and the forms of values. Must not know modes beyond the one
//! that a file names.

use std::collections::{HashMap, HashSet};

use sheetwire_core::mapping::name_trouble;
use sheetwire_core::protocol::panel::Problem;
use sheetwire_core::sheet::CellView;
use sheetwire_core::value::{
    self, AliasRef, ReadContext, Reading, Scope, Value, VariableType, parse_scopes,
};

use super::{
    ALIAS_DATA, CODE_SYNTAX, COLLECTION, HIDDEN, MODE_NAME, OPACITY, PLATFORMS, ROOT, SCOPES,
    TARGET_COLLECTION, TARGET_NAME, TokenType,
};
use crate::json::{self, Json, pointer};
use crate::{Assigned, Collection, FileError, Problems, Read, Variable, check_length, text};

/// Deepest group.
pub const DEPTH_MAX: usize = 32;
/// Most tokens of a file.
pub const TOKENS_MAX: usize = 50_000;
/// Most references that are followed to a token's type or into a value.
const CHAIN_MAX: usize = 32;
/// Pixels in one rem.
const REM_PX: f64 = value::REM_BASE_PX_DEFAULT;

/// Reads one file. `collection` is the collection's name and `mode` that of the values, where the file does not say them
/// itself.
///
/// # Errors
/// [`FileError`] for a file that is too long, no JSON, or holds no token at all.
pub fn read(bytes: &[u8], collection: &str, mode: &str) -> Result<Read<Collection>, FileError> {
    check_length(bytes)?;
    let decoded = text::decode(bytes)?;
    let root = json::parse(&decoded.text)?;
    if root.object().is_none() {
        return Err(FileError::NotTokens);
    }
    let own = root.member("$extensions");
    let own = own.and_then(|extensions| extensions.member(COLLECTION)?.text());
    let collection = own.unwrap_or(collection);
    let mut walk = Walk {
        root: &root,
        collection,
        tokens: Vec::new(),
        names: HashMap::new(),
        opened: 0,
        seen: 0,
        problems: Problems::default(),
    };
    let mut parents = HashSet::new();
    walk.group(&Place::root(&root), &mut parents);
    if walk.seen == 0 {
        return Err(FileError::NotTokens);
    }
    let named = root.member("$extensions");
    let named = named.and_then(|extensions| extensions.member(MODE_NAME)?.text());
    let mut found = Collection {
        name: String::from(collection),
        modes: vec![String::from(named.unwrap_or(mode))],
        variables: Vec::new(),
    };
    for at in 0..walk.tokens.len() {
        if let Some(variable) = walk.variable(at) {
            found.variables.push(variable);
        }
    }
    Ok(Read {
        found,
        problems: walk.problems.told,
    })
}

/// A group as it is walked: where it stands, and what it is called.
#[derive(Clone)]
struct Place<'a> {
    json: &'a Json,
    /// The group's name; empty at the root.
    name: String,
    /// Where it stands in the file.
    pointer: String,
    kind: Option<&'a str>,
    depth: usize,
}

impl<'a> Place<'a> {
    fn root(json: &'a Json) -> Place<'a> {
        Place {
            json,
            name: String::new(),
            pointer: String::new(),
            kind: None,
            depth: 0,
        }
    }
}

/// A token as it was found.
struct Token<'a> {
    json: &'a Json,
    name: String,
    pointer: String,
    /// Its own type's name, or its group's.
    kind: Option<&'a str>,
}

struct Walk<'a> {
    root: &'a Json,
    collection: &'a str,
    tokens: Vec<Token<'a>>,
    names: HashMap<String, usize>,
    /// Groups and tokens looked at; `$extends` may show one many times.
    opened: usize,
    /// Tokens among them, readable or not.
    seen: usize,
    problems: Problems,
}

/// Where a reference leads.
enum Target {
    /// To a whole token.
    Name(String),
    /// To a part of a value.
    Part(Vec<String>),
}

impl<'a> Walk<'a> {
    /// Walks a group. `parents` are the groups that are being walked, to find circles of `$extends`.
    fn group(&mut self, place: &Place<'a>, parents: &mut HashSet<String>) {
        let Some(members) = place.json.object() else {
            self.problems.tell(
                place.pointer.as_str(),
                "This is neither a token nor a group.",
                "Write an object with $value, or remove it.",
            );
            return;
        };
        if place.depth > DEPTH_MAX {
            self.problems.tell(
                place.pointer.as_str(),
                format!("Groups lie deeper than {DEPTH_MAX}, and are not read further."),
                "Give the group fewer levels.",
            );
            return;
        }
        let own = place.json.member("$type").and_then(Json::text);
        let kind = own.or(place.kind);
        let last: HashMap<&str, usize> = (0..)
            .zip(members)
            .map(|(at, (key, _))| (key.as_str(), at))
            .collect();
        for (at, (key, child)) in members.iter().enumerate() {
            if last.get(key.as_str()) != Some(&at) {
                self.problems.tell(
                    pointer(&place.pointer, key),
                    "Two members of this group have one name; only the last is read.",
                    "Rename one of them.",
                );
                continue;
            }
            if key.starts_with('$') && key != ROOT {
                continue;
            }
            self.opened += 1;
            if self.opened > TOKENS_MAX {
                if self.opened == TOKENS_MAX + 1 {
                    self.problems.tell(
                        pointer(&place.pointer, key),
                        format!("A file may have {TOKENS_MAX} tokens; the rest was not read."),
                        "Split the file.",
                    );
                }
                return;
            }
            let name = match (key.as_str(), place.name.as_str()) {
                (ROOT, group) => String::from(group),
                (key, "") => String::from(key),
                (key, group) => [group, "/", key].concat(),
            };
            let inside = Place {
                json: child,
                name,
                pointer: pointer(&place.pointer, key),
                kind,
                depth: place.depth + 1,
            };
            if child.member("$value").is_some() || child.member("$ref").is_some() {
                self.token(inside);
            } else if key == ROOT {
                self.problems.tell(
                    inside.pointer,
                    "A $root must be a token.",
                    "Give it a $value.",
                );
            } else {
                self.group(&inside, parents);
            }
        }
        if let Some(extends) = place.json.member("$extends") {
            self.extend(place, kind, extends, parents);
        }
    }

    /// Walks another group as if it stood here; what this group has itself goes first.
    fn extend(
        &mut self,
        place: &Place<'a>,
        kind: Option<&'a str>,
        extends: &Json,
        parents: &mut HashSet<String>,
    ) {
        let address = pointer(&place.pointer, "$extends");
        let path = extends.text().and_then(|text| {
            let inside = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match inside {
                Some(inside) => Some(inside.split('.').map(String::from).collect()),
                None => json::parts(text),
            }
        });
        let target = path.as_ref().and_then(|path: &Vec<String>| {
            let group = self.root.at(path)?;
            group.object()?;
            Some((path.join("/"), group))
        });
        let Some((path, group)) = target else {
            self.problems.tell(
                address,
                "$extends leads to no group of this file.",
                "Check the spelling, as in {group} or #/group.",
            );
            return;
        };
        // The group itself, one that holds it, or one that is being walked already: a circle.
        let mark = [&place.pointer, "\n", &path].concat();
        let within = place.name == path || place.name.starts_with(&[&path, "/"].concat());
        if within || !parents.insert(mark.clone()) {
            self.problems.tell(
                address,
                "$extends leads in a circle.",
                "Extend a group that does not lead back here.",
            );
            return;
        }
        let inherited = group.member("$type").and_then(Json::text);
        let here = Place {
            json: group,
            name: place.name.clone(),
            pointer: place.pointer.clone(),
            kind: kind.or(inherited),
            depth: place.depth + 1,
        };
        self.group(&here, parents);
        parents.remove(&mark);
    }

    fn token(&mut self, place: Place<'a>) {
        self.seen += 1;
        if let Some((message, remedy)) = name_trouble(&place.name) {
            self.problems.tell(place.pointer, message, remedy);
            return;
        }
        if self.names.contains_key(&place.name) {
            // What a group has itself was walked before what it extends.
            return;
        }
        if place.json.member("$value").is_some() && place.json.member("$ref").is_some() {
            self.problems.tell(
                place.pointer,
                "A token has either a $value or a $ref.",
                "Remove one of them.",
            );
            return;
        }
        self.names.insert(place.name.clone(), self.tokens.len());
        let own = place.json.member("$type").and_then(Json::text);
        self.tokens.push(Token {
            json: place.json,
            name: place.name,
            pointer: place.pointer,
            kind: own.or(place.kind),
        });
    }

    /// The variable that a token is; `None` when it is none, which is told.
    fn variable(&mut self, at: usize) -> Option<Variable> {
        let mut told = Problems::default();
        let variable = self.variable_of(at, &mut told);
        for Problem {
            address,
            message,
            remedy,
        } in told.told
        {
            self.problems.tell(address, message, remedy);
        }
        variable
    }

    fn variable_of(&self, at: usize, told: &mut Problems) -> Option<Variable> {
        let token = &self.tokens[at];
        let address = token.pointer.as_str();
        let (name, kind) = match self.type_of(at) {
            Ok(found) => found,
            Err((message, remedy)) => {
                told.tell(address, message, remedy);
                return None;
            }
        };
        if kind == TokenType::Composite {
            told.tell(
                address,
                format!("A {name} is several values in one, and a variable holds one."),
                "Write its parts as tokens of their own.",
            );
            return None;
        }
        let extensions = token.json.member("$extensions");
        let extension = |name: &str| extensions.and_then(|extensions| extensions.member(name));
        let from = extension(ALIAS_DATA).and_then(|data| alias_of(data, self.collection));
        let assigned = match from {
            Some(alias) => Some(match extension(OPACITY).and_then(Json::number) {
                Some(opacity) if kind == TokenType::Color && (0.0..=1.0).contains(&opacity) => {
                    Assigned::Composed { alias, opacity }
                }
                Some(_) | None => Assigned::Alias(alias),
            }),
            None => self.assigned(token, kind, extension(OPACITY), told),
        }?;
        let variable_type = match (&assigned, kind) {
            (Assigned::Value(value), _) => value.variable_type(),
            (_, TokenType::Color) => VariableType::Color,
            (_, TokenType::Number | TokenType::Dimension | TokenType::FontWeight) => {
                VariableType::Float
            }
            (_, TokenType::FontFamily | TokenType::Text) => VariableType::String,
            (_, TokenType::Duration) => VariableType::Timing,
            (_, TokenType::CubicBezier) => VariableType::Easing,
            (_, TokenType::Boolean) => VariableType::Boolean,
            (_, TokenType::Composite) => return None,
        };
        let mut variable = Variable::new(token.name.as_str(), variable_type);
        variable.values = vec![Some(assigned)];
        variable.description = description_of(token.json);
        variable.scopes = extension(SCOPES).and_then(|list| scopes_of(list, address, told));
        if let Some(code) = extension(CODE_SYNTAX) {
            variable.code =
                PLATFORMS.map(|platform| code.member(platform)?.text().map(String::from));
        }
        variable.hidden = extension(HIDDEN).and_then(Json::bool);
        Some(variable)
    }

    /// A token's type: its own, its group's, or that of the token it refers to.
    fn type_of(&self, at: usize) -> Result<(&'a str, TokenType), (String, &'static str)> {
        let mut token = &self.tokens[at];
        for _ in 0..CHAIN_MAX {
            if let Some(name) = token.kind {
                return TokenType::of(name).map(|kind| (name, kind)).ok_or_else(|| {
                    (
                        format!("“{name}” is no type of token."),
                        "Write color, dimension, number, fontFamily, fontWeight, duration or cubicBezier.",
                    )
                });
            }
            let value = token.json.member("$value");
            if let Some(Json::Bool(_)) = value {
                return Ok(("boolean", TokenType::Boolean));
            }
            let target = match reference(token.json).or_else(|| value.and_then(reference_in)) {
                Some(Target::Name(name)) => self.names.get(&name),
                Some(Target::Part(_)) | None => None,
            };
            match target {
                Some(target) => token = &self.tokens[*target],
                None => break,
            }
        }
        Err((
            String::from("This token has no type."),
            "Add $type to the token or to its group.",
        ))
    }

    fn assigned(
        &self,
        token: &Token<'a>,
        kind: TokenType,
        opacity: Option<&Json>,
        told: &mut Problems,
    ) -> Option<Assigned> {
        let address = token.pointer.as_str();
        let value = token.json.member("$value");
        let target = reference(token.json).or_else(|| value.and_then(reference_in));
        let value = match target {
            Some(Target::Name(name)) if self.names.contains_key(&name) => {
                let alias = AliasRef {
                    library: None,
                    collection: None,
                    name,
                };
                return Some(match opacity.and_then(Json::number) {
                    Some(opacity) if kind == TokenType::Color && (0.0..=1.0).contains(&opacity) => {
                        Assigned::Composed { alias, opacity }
                    }
                    Some(_) | None => Assigned::Alias(alias),
                });
            }
            // As in a sheet, only a reference that resolves is one where a text may stand: `{firstName}`.
            Some(Target::Name(_))
                if matches!(value, Some(Json::Text(_))) && kind == TokenType::Text =>
            {
                value.cloned()
            }
            Some(Target::Name(_)) => {
                told.tell(
                    address,
                    "This reference leads to no token of the file.",
                    "Check the spelling, as in {group.token}, or read the file with the others it refers to.",
                );
                return None;
            }
            Some(Target::Part(path)) => self.root.at(&path).cloned(),
            None => value.cloned(),
        };
        let value = value.and_then(|value| self.filled(value, 0));
        let Some(value) = value else {
            told.tell(
                address,
                "A $ref in this value leads nowhere, or in a circle.",
                "Write it as #/group/token/$value/components/0.",
            );
            return None;
        };
        match value_of(&value, kind) {
            Ok((value, note)) => {
                if let Some((message, remedy)) = note {
                    told.tell(address, message, remedy);
                }
                Some(Assigned::Value(value))
            }
            Err((message, remedy)) => {
                told.tell(address, message, remedy);
                None
            }
        }
    }

    /// A value with every `$ref` in it replaced by what it leads to.
    fn filled(&self, value: Json, depth: usize) -> Option<Json> {
        if depth > CHAIN_MAX {
            return None;
        }
        if let Some(path) = value.member("$ref").and_then(Json::text) {
            let target = self.root.at(&json::parts(path)?)?;
            // Only what can be part of a value: a chain of objects could grow without end.
            return match target {
                Json::Number(_) | Json::Text(_) | Json::Bool(_) => Some(target.clone()),
                Json::Object(_) if target.member("$ref").is_some() => {
                    self.filled(target.clone(), depth + 1)
                }
                Json::Null | Json::List(_) | Json::Object(_) => None,
            };
        }
        match value {
            Json::List(items) => {
                let items = items.into_iter().map(|item| self.filled(item, depth + 1));
                items.collect::<Option<Vec<Json>>>().map(Json::List)
            }
            Json::Object(members) => {
                let members = members
                    .into_iter()
                    .map(|(name, member)| Some((name, self.filled(member, depth + 1)?)));
                members
                    .collect::<Option<Vec<(String, Json)>>>()
                    .map(Json::Object)
            }
            plain @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_)) => Some(plain),
        }
    }
}

/// Where a token's or a value's `$ref` leads: `#/group/token`, with or without `/$value` at the end, is the token.
fn reference(json: &Json) -> Option<Target> {
    let mut parts = json::parts(json.member("$ref")?.text()?)?;
    match parts.iter().position(|part| part == "$value") {
        Some(at) if at + 1 < parts.len() => return Some(Target::Part(parts)),
        Some(_) => {
            parts.pop();
        }
        None => {}
    }
    Some(Target::Name(name_of(parts.iter().map(String::as_str))))
}

/// Where a whole value leads: `{group.token}`, or a `$ref`.
fn reference_in(value: &Json) -> Option<Target> {
    match value {
        Json::Text(text) => {
            let inside = text.strip_prefix('{')?.strip_suffix('}')?;
            let plain = !inside.is_empty() && !inside.contains(['{', '}']);
            plain.then(|| Target::Name(name_of(inside.split('.'))))
        }
        Json::Object(_) => reference(value),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) => None,
    }
}

/// The variable's name: parts by `/`, without a `$root` at the end.
fn name_of<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut parts: Vec<&str> = parts.collect();
    if parts.last() == Some(&ROOT) {
        parts.pop();
    }
    parts.join("/")
}

/// Figma's note of which variable a value comes from.
fn alias_of(data: &Json, own: &str) -> Option<AliasRef> {
    let name = data.member(TARGET_NAME)?.text()?;
    let collection = data.member(TARGET_COLLECTION).and_then(Json::text);
    Some(AliasRef {
        library: None,
        collection: collection
            .filter(|name| !name.is_empty() && *name != own)
            .map(String::from),
        name: String::from(name),
    })
}

/// A description, and what `$deprecated` says before it: Figma's variables have no word for that.
fn description_of(json: &Json) -> String {
    let description = json.member("$description").and_then(Json::text);
    let description = description.unwrap_or_default();
    match json.member("$deprecated") {
        Some(Json::Bool(true)) => ["Deprecated. ", description].concat().trim().to_owned(),
        Some(Json::Text(why)) => ["Deprecated: ", why, " ", description]
            .concat()
            .trim()
            .to_owned(),
        Some(
            Json::Bool(false) | Json::Null | Json::Number(_) | Json::List(_) | Json::Object(_),
        )
        | None => String::from(description),
    }
}

fn scopes_of(list: &Json, address: &str, told: &mut Problems) -> Option<Vec<Scope>> {
    let names: Option<Vec<&str>> = list.list()?.iter().map(Json::text).collect();
    let names = names?;
    if names.is_empty() {
        return Some(Vec::new());
    }
    match parse_scopes(&names.join(", ")) {
        Ok(scopes) => scopes,
        Err(error) => {
            told.tell(
                pointer(address, "$extensions"),
                error.to_string(),
                error.remedy(),
            );
            None
        }
    }
}

type Note = (String, &'static str);

/// A value of a type, and what is to be said about it although it was read.
fn value_of(json: &Json, kind: TokenType) -> Result<(Value, Option<Note>), Note> {
    let wrong = |message: &str, remedy: &'static str| (String::from(message), remedy);
    let plain = |value: Value| Ok((value, None));
    // Tools that follow older drafts write values as texts; they are read as a cell is.
    if let Json::Text(text) = json {
        let expected = match kind {
            TokenType::Color => Some(VariableType::Color),
            TokenType::Number | TokenType::Dimension => Some(VariableType::Float),
            TokenType::Duration => Some(VariableType::Timing),
            TokenType::CubicBezier => Some(VariableType::Easing),
            TokenType::Boolean => Some(VariableType::Boolean),
            TokenType::FontFamily
            | TokenType::FontWeight
            | TokenType::Text
            | TokenType::Composite => None,
        };
        if expected.is_some() {
            let mut packed = String::from("t");
            packed.extend(text.chars().filter(|character| !character.is_control()));
            return match value::read(CellView::new(&packed), expected, &ReadContext::default()) {
                Ok(Reading::Value(value)) => plain(value),
                Ok(
                    Reading::Empty | Reading::Hold | Reading::Alias(_) | Reading::Composed { .. },
                ) => Err(wrong(
                    "This text is no value of the token's type.",
                    "Write the value, or the type that is meant.",
                )),
                Err(error) => Err((String::from(error.message()), error.remedy())),
            };
        }
    }
    match kind {
        TokenType::Color => color_of(json).and_then(plain),
        TokenType::Number => match json.number() {
            Some(number) => number_of(number).and_then(plain),
            None => Err(wrong("A number was expected.", "Write it as 16.")),
        },
        TokenType::Dimension => measure(json, &[("px", 1.0), ("rem", REM_PX)])
            .ok_or_else(|| {
                wrong(
                    "A dimension has a value and a unit, px or rem.",
                    "Write it as {\"value\": 16, \"unit\": \"px\"}.",
                )
            })
            .and_then(number_of)
            .and_then(plain),
        TokenType::Duration => match measure(json, &[("ms", 1.0), ("s", 1000.0)]) {
            Some(value) if value >= 0.0 => match number_of(value)? {
                Value::Float(value) => plain(Value::Timing(value)),
                other => plain(other),
            },
            Some(_) | None => Err(wrong(
                "A duration has a value that is not negative and a unit, ms or s.",
                "Write it as {\"value\": 200, \"unit\": \"ms\"}.",
            )),
        },
        TokenType::CubicBezier => {
            let points: Option<Vec<f64>> = json
                .list()
                .and_then(|list| list.iter().map(Json::number).collect());
            match points.as_deref() {
                Some(&[x1, y1, x2, y2])
                    if (0.0..=1.0).contains(&x1)
                        && (0.0..=1.0).contains(&x2)
                        && number_of(y1).is_ok()
                        && number_of(y2).is_ok() =>
                {
                    plain(Value::Easing([x1, y1, x2, y2]))
                }
                Some(_) | None => Err(wrong(
                    "A cubicBezier is a list of four numbers, the first and third from 0 to 1.",
                    "Write it as [0.4, 0, 0.2, 1].",
                )),
            }
        }
        TokenType::FontFamily => match json {
            Json::Text(text) => plain(Value::String(text.clone())),
            Json::List(fonts) => match fonts.as_slice() {
                [Json::Text(font)] => plain(Value::String(font.clone())),
                [Json::Text(font), ..] => Ok((
                    Value::String(font.clone()),
                    Some(wrong(
                        "A variable holds one font; the first of the list was taken.",
                        "Nothing, if the first is the one to use in Figma.",
                    )),
                )),
                _ => Err(wrong("A fontFamily is a text.", "Write it as \"Inter\".")),
            },
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => {
                Err(wrong("A fontFamily is a text.", "Write it as \"Inter\"."))
            }
        },
        TokenType::FontWeight => match json {
            Json::Number(number) if (1.0..=1000.0).contains(number) => plain(Value::Float(*number)),
            Json::Text(text) => weight_of(text).map_or_else(
                || {
                    Err(wrong(
                        "This is no font weight that the format knows.",
                        "Write a number from 1 to 1000, or a name such as bold.",
                    ))
                },
                |weight| plain(Value::Float(weight)),
            ),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => {
                Err(wrong(
                    "A font weight is a number from 1 to 1000, or a name.",
                    "Write it as 700 or bold.",
                ))
            }
        },
        TokenType::Text => match json.text() {
            Some(text) => plain(Value::String(String::from(text))),
            None => Err(wrong("A text was expected.", "Put it in quotation marks.")),
        },
        TokenType::Boolean => match json.bool() {
            Some(value) => plain(Value::Boolean(value)),
            None => Err(wrong("true or false was expected.", "Write true or false.")),
        },
        TokenType::Composite => Err(wrong(
            "These are several values, and a variable holds one.",
            "Write them as tokens of their own.",
        )),
    }
}

/// A number that Figma can hold: it keeps 32-bit floats.
fn number_of(number: f64) -> Result<Value, Note> {
    if (number as f32).is_finite() {
        Ok(Value::Float(number))
    } else {
        Err((
            String::from("This number is too large for Figma."),
            "Write a smaller number.",
        ))
    }
}

/// `{value, unit}` in the first of the units.
fn measure(json: &Json, units: &[(&str, f64)]) -> Option<f64> {
    let value = json.member("value")?.number()?;
    let unit = json.member("unit")?.text()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    Some(value * factor)
}

/// The names of font weights (Format Module 2025.10, font weight).
fn weight_of(name: &str) -> Option<f64> {
    Some(match name {
        "thin" | "hairline" => 100.0,
        "extra-light" | "ultra-light" => 200.0,
        "light" => 300.0,
        "normal" | "regular" | "book" => 400.0,
        "medium" => 500.0,
        "semi-bold" | "demi-bold" => 600.0,
        "bold" => 700.0,
        "extra-bold" | "ultra-bold" => 800.0,
        "black" | "heavy" => 900.0,
        "extra-black" | "ultra-black" => 950.0,
        _ => return None,
    })
}

/// How a colour space of the Color Module is written in CSS; `None` for one that is not read.
fn css_of(space: &str, [a, b, c]: [&str; 3]) -> Option<String> {
    let percent = |text: &str| format!("{text}%");
    Some(match space {
        "srgb" | "srgb-linear" | "xyz-d65" | "xyz-d50" => format!("color({space} {a} {b} {c})"),
        "hsl" | "hwb" => format!("{space}({a} {} {})", percent(b), percent(c)),
        "lab" | "lch" => format!("{space}({} {b} {c})", percent(a)),
        "oklab" | "oklch" => format!("{space}({a} {b} {c})"),
        _ => return None,
    })
}

/// `{colorSpace, components, alpha, hex}`.
fn color_of(json: &Json) -> Result<Value, Note> {
    let malformed = || {
        (
            String::from("A colour has a colorSpace and three components."),
            "Write it as {\"colorSpace\": \"srgb\", \"components\": [0, 0.32, 0.8]}.",
        )
    };
    let space = json
        .member("colorSpace")
        .and_then(Json::text)
        .ok_or_else(malformed)?;
    let components = json
        .member("components")
        .and_then(Json::list)
        .ok_or_else(malformed)?;
    let numbers: Option<Vec<f64>> = components
        .iter()
        .map(|component| match component {
            // A component that is missing counts as 0 where colours are converted (CSS Color 4, 12.2).
            Json::Text(text) if text == "none" => Some(0.0),
            Json::Number(number) => Some(*number),
            Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => None,
        })
        .collect();
    let Some(&[a, b, c]) = numbers.as_deref() else {
        return Err(malformed());
    };
    let alpha = match json.member("alpha") {
        None => 1.0,
        Some(Json::Number(alpha)) if (0.0..=1.0).contains(alpha) => *alpha,
        Some(_) => {
            return Err((
                String::from("The alpha of a colour is a number from 0 to 1."),
                "Write it as 0.5.",
            ));
        }
    };
    let texts = [a, b, c].map(|number| number.to_string());
    let Some(css) = css_of(space, [&texts[0], &texts[1], &texts[2]]) else {
        // What another space looks like in sRGB, the file may say itself.
        let hex = json.member("hex").and_then(Json::text);
        return match hex.map(read_css) {
            Some(Ok(Value::Color(mut color))) => {
                color.a = alpha;
                Ok(Value::Color(color))
            }
            Some(_) | None => Err((
                format!("Colours in the space “{space}” can't be read without a hex."),
                "Add the nearest sRGB colour as hex, or write the colour in srgb or oklch.",
            )),
        };
    };
    match read_css(&css)? {
        Value::Color(mut color) => {
            color.a = alpha;
            Ok(Value::Color(color))
        }
        _ => Err(malformed()),
    }
}

fn read_css(css: &str) -> Result<Value, Note> {
    let packed = ["t", css].concat();
    let expected = Some(VariableType::Color);
    match value::read(CellView::new(&packed), expected, &ReadContext::default()) {
        Ok(Reading::Value(value)) => Ok(value),
        Ok(_) => Err((String::from("This is no colour."), "Write it as #rrggbb.")),
        Err(error) => Err((String::from(error.message()), error.remedy())),
    }
}
