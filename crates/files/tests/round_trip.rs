//! Properties of files: what is written is read back as the same variables, and no bytes panic.
//!
//! Owns the making of variables and the reading of a table by the core's own inference and grammar. Must not know how a
//! file is written.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use sheetwire_core::listing::Listing;
use sheetwire_core::mapping::{grid::Grid, infer, switch_of};
use sheetwire_core::protocol::panel::Role;
use sheetwire_core::sheet::{CellView, pack, unpack_rows};
use sheetwire_core::value::{
    AliasRef, ReadContext, Reading, Rgba, Scope, Value, VariableType, parse_scopes, parse_type,
    read,
};
use sheetwire_files::listed::{self, LeftOut};
use sheetwire_files::{
    Assigned, Collection, Table, Variable, Variables, separated, tokens, workbook,
};

/// Texts that a person may write into a cell.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ,;\"'\\\\{}#=+\\-.äß€—…\n\t]{0,12}",
        Just(String::from("TBD")),
        Just(String::from("\\TBD")),
        Just(String::from("{not/there}")),
        Just(String::from("_x000D_")),
        Just(String::from("sep=;")),
        Just(String::from("0052cc")),
        Just(String::from("\u{1e}\u{1f}\u{1c}")),
    ]
}

fn trimmed() -> impl Strategy<Value = String> {
    text().prop_map(|text| String::from(text.trim()))
}

fn name() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-z][a-zA-Z0-9 _-]{0,4}[a-z0-9]", 1..4)
        .prop_map(|parts| parts.join("/"))
}

/// A number that Figma can hold.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        (-1000_i32..1000).prop_map(f64::from),
        (-1.0e6_f32..1.0e6).prop_map(f64::from),
        any::<f32>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(f64::from),
    ]
}

fn channel() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u8..=255).prop_map(|byte| f64::from(byte) / 255.0),
        (0.0_f32..=1.0).prop_map(f64::from),
    ]
}

fn value(kind: VariableType) -> BoxedStrategy<Value> {
    match kind {
        VariableType::Color => (channel(), channel(), channel(), channel())
            .prop_map(|(r, g, b, a)| Value::Color(Rgba { r, g, b, a }))
            .boxed(),
        VariableType::Float => number().prop_map(Value::Float).boxed(),
        VariableType::String => text().prop_map(Value::String).boxed(),
        VariableType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        VariableType::Easing => (channel(), -2.0_f64..2.0, channel(), -2.0_f64..2.0)
            .prop_map(|(x1, y1, x2, y2)| Value::Easing([x1, y1, x2, y2]))
            .boxed(),
        VariableType::Timing => number().prop_map(|ms| Value::Timing(ms.abs())).boxed(),
    }
}

fn kind() -> impl Strategy<Value = VariableType> {
    proptest::sample::select(VariableType::ALL.to_vec())
}

/// A variable of one mode or two; references are put in later.
fn variable(modes: usize) -> impl Strategy<Value = Variable> {
    (name(), kind())
        .prop_flat_map(move |(name, kind)| {
            (
                Just(name),
                Just(kind),
                value(kind),
                proptest::collection::vec(proptest::option::of(value(kind)), modes - 1),
                trimmed(),
                proptest::option::of(proptest::sample::subsequence(
                    Scope::ALL[1..].to_vec(),
                    0..4,
                )),
                [
                    proptest::option::of("[a-z(-]{1,8}"),
                    proptest::option::of("[a-z.]{1,8}"),
                    proptest::option::of("[a-z.]{1,8}"),
                ],
                any::<Option<bool>>(),
            )
        })
        .prop_map(
            |(name, kind, first, rest, description, scopes, code, hidden)| {
                let values = std::iter::once(Some(first)).chain(rest);
                Variable {
                    name,
                    kind,
                    values: values.map(|value| value.map(Assigned::Value)).collect(),
                    description,
                    scopes,
                    code,
                    hidden,
                }
            },
        )
}

fn collection(name: &'static str) -> impl Strategy<Value = Collection> {
    let modes = proptest::sample::subsequence(
        vec!["Value", "Light", "Owner", "Type", "Hex", "größer"],
        1..3,
    );
    modes
        .prop_flat_map(move |modes| {
            let variables = proptest::collection::vec(variable(modes.len()), 1..8);
            (Just(modes), variables)
        })
        .prop_map(move |(modes, mut variables)| {
            variables.sort_by(|left, right| left.name.cmp(&right.name));
            variables.dedup_by(|left, right| left.name == right.name);
            Collection {
                name: String::from(name),
                modes: modes.into_iter().map(String::from).collect(),
                variables,
            }
        })
}

/// Two collections with references within the first and from it into the second.
fn variables() -> impl Strategy<Value = Variables> {
    let picks = proptest::collection::vec((any::<proptest::sample::Index>(), 0_u8..4), 0..6);
    (collection("Semantic"), collection("Base"), picks).prop_map(|(mut first, second, picks)| {
        for (index, way) in picks {
            let at = index.index(first.variables.len());
            let kind = first.variables[at].kind;
            // Only to what stands before, so that no circle comes of it.
            let (target, owner) = if way % 2 == 0 {
                (
                    first.variables[..at]
                        .iter()
                        .find(|other| other.kind == kind),
                    None,
                )
            } else {
                let target = second.variables.iter().find(|other| other.kind == kind);
                (target, Some(second.name.clone()))
            };
            let Some(target) = target else { continue };
            let alias = AliasRef {
                library: None,
                collection: owner,
                name: target.name.clone(),
            };
            first.variables[at].values[0] = Some(if way > 1 && kind == VariableType::Color {
                Assigned::Composed {
                    alias,
                    opacity: 0.07,
                }
            } else {
                Assigned::Alias(alias)
            });
        }
        Variables {
            collections: vec![first, second],
        }
    })
}

/// What a table says, by the core's inference and grammar: collection, variable, and its fields as texts.
fn told_by_table(table: &Table) -> BTreeMap<(String, String), String> {
    let packed = pack(&table.rows);
    let mut grid = Grid::default();
    grid.push(&packed);
    let context = ReadContext::for_locale(table.locale);
    let inferred = infer(&grid, &table.title, &context);
    assert_eq!(inferred.problems, vec![]);
    let mut told = BTreeMap::new();
    let rows = unpack_rows(&packed).expect("rows that were just packed");
    for row in rows.skip(inferred.header_row as usize + 1) {
        let cells: Vec<CellView<'_>> = row.packed_cells().map(CellView::new).collect();
        let at = |role: &Role| {
            let column = inferred.columns.iter().find(|column| column.role == *role);
            let cell = cells.get(column.expect("a column").index as usize);
            cell.copied().unwrap_or(CellView::EMPTY)
        };
        let shown = |role: Role| at(&role).text().trim().to_owned();
        let kind = parse_type(&shown(Role::Type))
            .expect("a type")
            .expect("a type");
        let mut variable = Variable::new(shown(Role::Name), kind);
        let mut modes = BTreeMap::new();
        for column in &inferred.columns {
            let Role::Mode { name } = &column.role else {
                continue;
            };
            let cell = cells
                .get(column.index as usize)
                .copied()
                .unwrap_or(CellView::EMPTY);
            let assigned = match read(cell, Some(kind), &context).expect("a readable cell") {
                Reading::Empty => continue,
                Reading::Hold => panic!("a value is held as a placeholder"),
                Reading::Value(value) => Assigned::Value(value),
                // A text in braces is a text where it leads nowhere.
                Reading::Alias(alias) if alias.name == "not/there" => {
                    Assigned::Value(Value::String(cell.text().into_owned()))
                }
                Reading::Alias(alias) => Assigned::Alias(alias),
                Reading::Composed { alias, opacity } => Assigned::Composed { alias, opacity },
            };
            modes.insert(name.clone(), assigned);
        }
        variable.description = shown(Role::Description);
        variable.scopes = parse_scopes(&shown(Role::Scopes)).expect("scopes");
        variable.code = [Role::CodeWeb, Role::CodeAndroid, Role::CodeIos]
            .map(|role| Some(shown(role)).filter(|code| !code.is_empty()));
        variable.hidden = switch_of(&shown(Role::Hidden));
        let place = (shown(Role::Collection), variable.name.clone());
        told.insert(place, fields(&variable, &modes));
    }
    told
}

/// What variables say, in the same words.
fn told_by(variables: &Variables) -> BTreeMap<(String, String), String> {
    let mut told = BTreeMap::new();
    for collection in &variables.collections {
        for variable in &collection.variables {
            let modes = collection.modes.iter().zip(&variable.values);
            let modes = modes.filter_map(|(mode, value)| Some((mode.clone(), value.clone()?)));
            let place = (collection.name.clone(), variable.name.clone());
            told.insert(place, fields(variable, &modes.collect()));
        }
    }
    told
}

/// Floats are compared as Figma keeps them, with 32 bits.
fn fields(variable: &Variable, modes: &BTreeMap<String, Assigned>) -> String {
    let narrow = |assigned: &Assigned| match assigned {
        Assigned::Value(Value::Color(Rgba { r, g, b, a })) => {
            format!("{:?}", [r, g, b, a].map(|channel| *channel as f32))
        }
        Assigned::Value(Value::Float(number) | Value::Timing(number)) => {
            format!("{:?}", *number as f32 + 0.0)
        }
        Assigned::Value(Value::Easing(points)) => {
            format!("{:?}", points.map(|point| point as f32 + 0.0))
        }
        other @ (Assigned::Value(Value::String(_) | Value::Boolean(_))
        | Assigned::Alias(_)
        | Assigned::Composed { .. }) => format!("{other:?}"),
    };
    // A list of scopes has no order.
    let mut scopes = variable.scopes.clone();
    scopes.iter_mut().for_each(|scopes| scopes.sort());
    let modes: BTreeMap<&String, String> = modes
        .iter()
        .map(|(mode, assigned)| (mode, narrow(assigned)))
        .collect();
    format!(
        "{:?} {modes:?} {:?} {:?} {:?} {:?}",
        variable.kind, variable.description, scopes, variable.code, variable.hidden
    )
}

/// Variables as Figma would list them.
fn listing_of(variables: &Variables) -> Listing {
    use serde_json::{Value as Json, json};
    let all = || {
        let collections = variables.collections.iter().enumerate();
        collections.flat_map(|(at, collection)| {
            let variables = collection.variables.iter();
            variables.map(move |variable| (at, collection, variable))
        })
    };
    let id = |alias: &AliasRef, own: &Collection| {
        let owner = alias.collection.as_ref().unwrap_or(&own.name);
        let place = all().position(|(_, collection, variable)| {
            collection.name == *owner && variable.name == alias.name
        });
        json!({ "type": "VARIABLE_ALIAS", "id": format!("v{}", place.expect("a target")) })
    };
    let narrow = |number: &f64| f64::from(*number as f32);
    let value = |value: &Option<Assigned>, own: &Collection| match value {
        None => Json::Null,
        Some(Assigned::Alias(alias)) => id(alias, own),
        Some(Assigned::Composed { alias, opacity }) => {
            json!({ "color": id(alias, own), "opacity": narrow(&(opacity * 100.0)) })
        }
        Some(Assigned::Value(Value::Color(Rgba { r, g, b, a }))) => {
            json!({ "r": narrow(r), "g": narrow(g), "b": narrow(b), "a": narrow(a) })
        }
        Some(Assigned::Value(Value::Float(number) | Value::Timing(number))) => {
            json!(narrow(number))
        }
        Some(Assigned::Value(Value::String(text))) => json!(text),
        Some(Assigned::Value(Value::Boolean(value))) => json!(value),
        Some(Assigned::Value(Value::Easing(points))) => {
            let [x1, y1, x2, y2] = points.map(|point| narrow(&point));
            json!({ "type": "CUSTOM_CUBIC_BEZIER", "easingFunctionCubicBezier": { "x1": x1, "y1": y1, "x2": x2, "y2": y2 } })
        }
    };
    let listed = all().enumerate().map(|(place, (at, collection, variable))| {
        let scopes = variable.scopes.clone().unwrap_or_default();
        let [web, android, ios] = variable.code.clone().map(Option::unwrap_or_default);
        json!({
            "id": format!("v{place}"), "name": variable.name, "type": variable.kind.name(), "collection": at,
            "values": variable.values.iter().map(|given| value(given, collection)).collect::<Vec<_>>(),
            "description": variable.description, "hidden": variable.hidden.unwrap_or_default(),
            "scopes": scopes.into_iter().map(Scope::name).collect::<Vec<_>>(),
            "code": { "WEB": web, "ANDROID": android, "iOS": ios },
        })
    });
    let listed: Vec<Json> = listed.collect();
    let collections = variables.collections.iter().enumerate().map(|(at, collection)| {
        json!({ "id": format!("c{at}"), "name": collection.name, "modes": collection.modes })
    });
    let collections: Vec<Json> = collections.collect();
    let json = json!({ "collections": collections, "variables": listed });
    Listing::read(&json.to_string()).expect("a listing")
}

/// The same with what Figma always says said, and composed opacities as it keeps them.
fn said_by_figma(mut variables: Variables) -> Variables {
    for collection in &mut variables.collections {
        for variable in &mut collection.variables {
            variable.scopes.get_or_insert_default();
            variable.hidden.get_or_insert_default();
            for given in variable.values.iter_mut().flatten() {
                if let Assigned::Composed { opacity, .. } = given {
                    *opacity = f64::from((*opacity * 100.0) as f32) / 100.0;
                }
            }
        }
    }
    variables
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_figma_lists_is_written_and_read_back(variables in variables()) {
        let listing = listing_of(&variables);
        let chosen = listed::variables_of(&listing, &LeftOut::new());
        prop_assert_eq!(&chosen.problems, &vec![]);
        let wanted = told_by(&said_by_figma(variables));
        prop_assert_eq!(&told_by(&chosen.file), &wanted);
        let written = separated::write(&chosen.file);
        let read = separated::read(&written.file, "Tokens").expect("a table");
        prop_assert_eq!(told_by_table(&read.found), wanted);
    }

    #[test]
    fn csv_is_read_back(variables in variables()) {
        let written = separated::write(&variables);
        prop_assert_eq!(&written.problems, &vec![]);
        let read = separated::read(&written.file, "Tokens").expect("a table");
        prop_assert_eq!(read.problems, vec![]);
        prop_assert_eq!(told_by_table(&read.found), told_by(&variables));
    }

    #[test]
    fn workbooks_are_read_back(variables in variables()) {
        let written = workbook::write(&variables, "Tokens").expect("a workbook");
        prop_assert_eq!(&written.problems, &vec![]);
        let read = workbook::read(&written.file).expect("a workbook");
        prop_assert_eq!(read.problems, vec![]);
        prop_assert_eq!(told_by_table(&read.found[0]), told_by(&variables));
    }

    #[test]
    fn tokens_are_read_back(variables in variables()) {
        let written = tokens::write(&variables);
        prop_assert_eq!(&written.problems, &vec![]);
        let mut back = Variables::default();
        for file in &written.file {
            match tokens::read(file.text.as_bytes(), &file.collection, "unnamed") {
                Ok(read) => {
                    prop_assert_eq!(read.problems, vec![]);
                    back.merge(read.found);
                }
                // A mode in which no variable says anything.
                Err(error) => prop_assert_eq!(error, sheetwire_files::FileError::NotTokens),
            }
        }
        prop_assert_eq!(told_by(&back), told_by(&variables));
    }

    #[test]
    fn the_same_workbook_has_the_same_bytes(variables in variables()) {
        let written = || workbook::write(&variables, "Tokens").expect("a workbook").file;
        prop_assert_eq!(written(), written());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(separated::read(&bytes, "Tokens"));
        drop(workbook::read(&bytes));
        drop(tokens::read(&bytes, "Tokens", "Value"));
    }
}

/// What a listing holds that files have no words for is told, and what is left out is not written.
#[test]
fn what_cannot_be_said_and_what_is_left_out() {
    let json = r#"{"collections":[
        {"id":"c0","name":"Base","modes":["Light","Dark"]},{"id":"c1","name":"More","modes":["Light"]},
        {"id":"c2","name":"Brand","modes":["Light"],"extended":true},
        {"id":"c3","name":"Acme","modes":["Light"],"library_key":"k"}],"variables":[
        {"id":"v0","name":"spring","type":"EASING","collection":0,"values":[{"type":"GENTLE"},null]},
        {"id":"v1","name":"blue","type":"COLOR","collection":0,"values":[{"r":0.03529411926865578,"g":0.4117647111415863,"b":0.8549019694328308,"a":0.5},{"type":"VARIABLE_ALIAS","id":"v3"}]},
        {"id":"v2","name":"more","type":"FLOAT","collection":1,"values":[0.10000000149011612]},
        {"id":"v3","name":"white","type":"COLOR","collection":3,"values":[{"r":1,"g":1,"b":1}]}]}"#;
    let mut listing = Listing::read(json).expect("a listing");
    let told = |listing: &Listing, left_out: &LeftOut| {
        let chosen = listed::variables_of(listing, left_out);
        let csv = separated::write(&chosen.file).file;
        let problems = chosen.problems.into_iter();
        let problems: Vec<String> = problems
            .map(|problem| [problem.address, problem.message].join(": "))
            .collect();
        (String::from_utf8(csv).expect("UTF-8"), problems)
    };
    let head = "\u{feff}Collection,Name,Type,Light,Dark,Description,Scopes,code:web,code:android,code:ios,Hidden\r\n";
    let (csv, problems) = told(&listing, &LeftOut::new());
    let more = "More,more,FLOAT,0.1,,,ALL_SCOPES,,,,FALSE\r\n";
    let spring = "Base,spring,EASING,,,,ALL_SCOPES,,,,FALSE\r\n";
    let blue = "Base,blue,COLOR,\"rgba(9, 105, 218, 0.5)\",,,ALL_SCOPES,,,,FALSE\r\n";
    assert_eq!(csv, [head, spring, blue, more].concat());
    assert_eq!(
        problems,
        [
            "spring: What it holds in “Light” can't be written.",
            "blue: What it holds in “Dark” can't be written.",
        ]
    );
    listing.name_libraries(&[(String::from("k"), String::from("Acme Core"))]);
    let (csv, problems) = told(&listing, &LeftOut::new());
    assert!(csv.contains("{Acme Core › Acme:white}"), "{csv}");
    assert_eq!(problems.len(), 1);
    let left_out = LeftOut::from([
        (String::from("c0"), Some(String::from("Light"))),
        (String::from("c1"), None),
    ]);
    let (csv, _) = told(&listing, &left_out);
    assert!(
        !csv.contains("more") && !csv.contains("Light") && csv.contains("Dark"),
        "{csv}"
    );
}
