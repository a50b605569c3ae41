//! What a file should hold: the sheet's demands, worked out from the texts in the simplest way there is.
//!
//! Owns the demands and the comparison. Must not know the engine: it shares nothing with the mapping but Figma's types.

use std::collections::BTreeSet;

use crate::file::File;
use crate::sheet::{ID, Sheet};
use sheetwire_core::document::Held;
use sheetwire_core::protocol::panel::{Connection, Difference, Problem, Role};
use sheetwire_core::value::VariableType;

/// What the sheet demands of one cell.
#[derive(Debug, Clone, PartialEq)]
enum Demand {
    /// This value.
    Value(Held),
    /// An alias to that collection and name; where no row has them, a text stays a text.
    Alias(String, String),
    /// A cell that can't be read has to be told about.
    Told,
}

struct Row<'a> {
    row: usize,
    collection: &'a str,
    name: &'a str,
    id: &'a str,
    kind: VariableType,
}

fn kind_of(text: &str) -> Option<VariableType> {
    match text {
        "COLOR" => Some(VariableType::Color),
        "FLOAT" => Some(VariableType::Float),
        "STRING" => Some(VariableType::String),
        "BOOLEAN" => Some(VariableType::Boolean),
        _ => None,
    }
}

fn demand(text: &str, kind: VariableType) -> Option<Demand> {
    if matches!(text, "" | "TBD" | "#REF!") {
        return None;
    }
    if let Some(inner) = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        let (collection, name) = inner.split_once(':')?;
        return Some(Demand::Alias(collection.to_owned(), name.to_owned()));
    }
    if text == "what?" && kind != VariableType::String {
        return Some(Demand::Told);
    }
    let held = match kind {
        VariableType::Color => {
            let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6)?;
            let hex = u32::from_str_radix(hex, 16).ok()?;
            let channel = |shift: u32| (f64::from(hex >> shift & 255) / 255.0) as f32;
            Held::Color([channel(16), channel(8), channel(0), 1.0])
        }
        VariableType::Float => Held::Float(text.parse().ok()?),
        VariableType::Boolean => match text {
            "TRUE" => Held::Boolean(true),
            "FALSE" => Held::Boolean(false),
            _ => return None,
        },
        VariableType::String => {
            // How a number or a switch reads as a text is the value grammar's business.
            if text.parse::<f64>().is_ok() || matches!(text, "TRUE" | "FALSE") {
                return None;
            }
            Held::Text(text.into())
        }
        VariableType::Easing | VariableType::Timing => return None,
    };
    Some(Demand::Value(held))
}

/// Whether a name is one that Figma takes.
fn is_name(name: &str) -> bool {
    !name.contains(['.', '{', '}']) && name.split('/').all(|part| !part.trim().is_empty())
}

fn leads_to(file: &File, from: u32, to: u32, seen: &mut BTreeSet<u32>) -> bool {
    if from == to {
        return true;
    }
    if !seen.insert(from) {
        return false;
    }
    let Some(variable) = file.variables.get(&from) else {
        return false;
    };
    let targets: Vec<u32> = variable
        .values
        .iter()
        .filter_map(|value| match value {
            Held::Alias(Some(target)) | Held::Composed(Some(target), _) => Some(target.0),
            _ => None,
        })
        .collect();
    targets
        .into_iter()
        .any(|next| leads_to(file, next, to, seen))
}

/// Compares a file with the sheet. Gives the number of demands and how many of them are unmet but explained. In a file that
/// nobody else touched (`alone`), a plain value that fits its variable's type has to be there, whatever is told.
///
/// # Errors
/// A demand that is neither met nor explained at its row.
pub fn compare(
    sheet: &Sheet,
    file: &File,
    problems: &[Problem],
    differences: &[Difference],
    connection: Option<&Connection>,
    alone: bool,
) -> Result<(u64, u64), String> {
    if let (true, Some(difference)) = (alone, differences.first()) {
        return Err(format!("nobody touched the file, and yet {difference:?}"));
    }
    let [light, dark] = &sheet.modes;
    let columns = ["Collection", "Name", "Type", light, dark, "Description"]
        .map(|header| sheet.column(header));
    let [
        Some(collection),
        Some(name),
        Some(kind),
        Some(light_column),
        Some(dark_column),
        Some(description),
    ] = columns
    else {
        return Err(String::from("the sheet lost a column"));
    };
    // Rows and columns that the designer left out demand nothing.
    let left_out = connection.map_or(&[][..], |connection| &connection.left_out);
    let is_ignored = |header: &str| {
        let columns = connection.map_or(&[][..], |connection| &connection.columns);
        match columns.iter().find(|column| column.header == header) {
            Some(column) => column.role == Role::Ignore,
            // One that was left out and got another header is still left out.
            None => columns.iter().any(|column| {
                column.role == Role::Ignore && sheet.column(&column.header).is_none()
            }),
        }
    };
    let modes = [(light_column, light), (dark_column, dark)];
    let modes: Vec<_> = modes
        .into_iter()
        .filter(|(_, header)| !is_ignored(header))
        .collect();
    // What Figma calls a collection or a mode of the sheet, which may have kept another name.
    let called = |field: &str, collection: &str, sheet: &str| {
        let kept = differences.iter().find(|difference| {
            difference.collection == collection
                && difference.values.field == field
                && difference.values.after == sheet
        });
        let kept = kept.and_then(|difference| difference.values.before.clone());
        kept.unwrap_or_else(|| sheet.to_owned())
    };
    let told: BTreeSet<usize> = problems
        .iter()
        .filter_map(|problem| {
            let digits = problem
                .address
                .rsplit(|c: char| !c.is_ascii_digit())
                .next()?;
            digits.parse().ok()
        })
        .collect();
    // A row without a collection is in one that is named after the tab.
    let collection_of = |row: usize| match sheet.at(row, collection) {
        "" => "Tokens",
        name => name,
    };
    let filled: Vec<usize> = (1..sheet.rows.len())
        .filter(|row| {
            !sheet.at(*row, name).is_empty()
                && modes
                    .iter()
                    .any(|(column, _)| !sheet.at(*row, *column).is_empty())
        })
        .collect();
    let rows: Vec<Row<'_>> = filled
        .iter()
        .filter(|row| {
            let same = filled.iter().filter(|other| {
                sheet.at(**other, name) == sheet.at(**row, name)
                    && collection_of(**other) == collection_of(**row)
            });
            let id = sheet.column(ID).map_or("", |id| sheet.at(**row, id));
            let same_id = filled.iter().filter(|other| {
                !id.is_empty()
                    && sheet
                        .column(ID)
                        .is_some_and(|at| sheet.at(**other, at) == id)
            });
            same_id.count() <= 1 && same.count() == 1 && is_name(sheet.at(**row, name))
        })
        .filter_map(|row| {
            Some(Row {
                row: *row,
                collection: collection_of(*row),
                name: sheet.at(*row, name),
                id: sheet.column(ID).map_or("", |at| sheet.at(*row, at)),
                kind: kind_of(sheet.at(*row, kind))?,
            })
        })
        .collect();
    // A row's variable may have kept another name.
    let id_of = |collection: &str, name: &str| {
        let kept = differences.iter().find(|difference| {
            difference.collection == collection
                && difference.name == name
                && difference.values.field == "name"
        });
        let kept = kept.and_then(|difference| difference.values.before.as_deref());
        let collection = called("collection", collection, collection);
        // Of two variables of one name, which an undo may bring about, the one that stands for a row, and of two such
        // the one that was made after the other had been given up.
        let found = file.variables.iter().filter(|(_, variable)| {
            variable.name == kept.unwrap_or(name)
                && file.collections[variable.collection].name == collection
        });
        let found = found.max_by_key(|(id, variable)| (variable.link.is_some(), **id));
        found.map(|(id, _)| *id)
    };
    let (mut demands, mut explained) = (0, 0);
    let is_left_out = |row: &Row<'_>| {
        let key = match row.id {
            "" => format!("n{}\n{}", row.collection, row.name),
            id => format!("i{id}"),
        };
        left_out.contains(&key)
    };
    for row in rows.iter().filter(|row| !is_left_out(row)) {
        let is_kept = |field: &str| {
            differences.iter().any(|difference| {
                difference.collection == row.collection
                    && difference.name == row.name
                    && difference.values.field == field
            })
        };
        let id = id_of(row.collection, row.name);
        let variable = id.and_then(|id| file.variables.get(&id));
        // Rows are counted from 1 where people see them.
        let is_told = told.contains(&(row.row + 1));
        // Figma can't move a variable to the collection that its row names now, nor change its type.
        let moved = !row.id.is_empty()
            && file.variables.values().any(|variable| {
                variable
                    .link
                    .as_deref()
                    .map(|link| link.strip_prefix('a').unwrap_or(link))
                    .and_then(|link| link.strip_prefix('i'))
                    == Some(row.id)
                    && (file.collections[variable.collection].name
                        != called("collection", row.collection, row.collection)
                        || variable.kind != row.kind)
            });
        let fits = !moved && variable.is_none_or(|variable| variable.kind == row.kind);
        let mut check = |met: bool, plain: bool, what: &dyn Fn() -> String| {
            demands += 1;
            if met {
                return Ok(());
            }
            if is_told && !(alone && plain && fits) {
                explained += 1;
                return Ok(());
            }
            Err(format!(
                "row {} demands {}:{} {}, the file holds {variable:?}, and {} is told of it",
                row.row + 1,
                row.collection,
                row.name,
                what(),
                if is_told { "this too" } else { "nothing" },
            ))
        };
        let has_value = modes.iter().any(|(column, _)| {
            matches!(
                demand(sheet.at(row.row, *column), row.kind),
                Some(Demand::Value(_))
            )
        });
        for (column, mode) in modes.iter().copied() {
            let text = sheet.at(row.row, column);
            let place = variable.and_then(|variable| {
                let modes = &file.collections[variable.collection].modes;
                let mode = called("mode", row.collection, mode);
                modes.iter().position(|name| *name == mode)
            });
            let held = place
                .and_then(|place| variable.and_then(|variable| variable.values.get(place)))
                .filter(|_| variable.is_some_and(|variable| variable.kind == row.kind));
            match demand(text, row.kind) {
                None => {}
                Some(Demand::Told) => check(is_told, false, &|| {
                    format!("a problem for {text} in {mode}")
                })?,
                Some(Demand::Value(wanted)) => {
                    check(held == Some(&wanted) || is_kept(mode), true, &|| {
                        format!("{wanted:?} in {mode}")
                    })?;
                }
                Some(Demand::Alias(to_collection, to_name)) => {
                    let target = id_of(&to_collection, &to_name);
                    let is_alias = matches!(
                        held,
                        Some(Held::Alias(Some(found))) if Some(found.0) == target
                    );
                    let is_text =
                        row.kind == VariableType::String && held == Some(&Held::Text(text.into()));
                    // The row named may stand for a variable elsewhere, by its id; that row is told about. What a row
                    // that is left out stands for may be called as it likes.
                    let mut target_ids: Vec<String> = filled
                        .iter()
                        .filter(|at| {
                            collection_of(**at) == to_collection && sheet.at(**at, name) == to_name
                        })
                        .filter_map(|at| Some(format!("i{}", sheet.at(*at, sheet.column(ID)?))))
                        .collect();
                    let own = format!("n{to_collection}\n{to_name}");
                    target_ids.extend(Some(own).filter(|own| left_out.contains(own)));
                    let is_elsewhere = match held {
                        Some(Held::Alias(Some(found))) => file
                            .variables
                            .get(&found.0)
                            .and_then(|found| found.link.as_ref())
                            .is_some_and(|link| target_ids.contains(link)),
                        _ => false,
                    };
                    let is_circle = match (id, target) {
                        (Some(from), Some(to)) => leads_to(file, to, from, &mut BTreeSet::new()),
                        _ => false,
                    };
                    check(
                        is_alias || is_text || is_circle || is_elsewhere || is_kept(mode),
                        false,
                        &|| format!("an alias to {to_collection}:{to_name} ({target:?}) in {mode}"),
                    )?;
                }
            }
        }
        let text = sheet.at(row.row, description);
        // Cells that hold alone make no variable, and so no description.
        if !text.is_empty() && (variable.is_some() || has_value) {
            let met = variable.is_some_and(|variable| variable.description == text);
            check(met || is_kept("description"), true, &|| {
                format!("the description {text}")
            })?;
        }
    }
    Ok((demands, explained))
}
