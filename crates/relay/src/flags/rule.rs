//! A flag's targeting rule: the part of JSONLogic that a rollout needs, and flagd's `fractional`.
//!
//! Owns reading and evaluating a rule. Must not know which flag it is for or what a variant is worth. A rule that
//! uses anything else is refused when the document is read, never when a user is waiting.
//!
//! Sources: <https://jsonlogic.com/operations.html>,
//! <https://flagd.dev/reference/custom-operations/fractional-operation/>.

use serde_json::Value;

use super::murmur::murmur3_32;

/// Deepest nesting of a rule.
pub const DEPTH_MAX: usize = 32;
/// Largest sum of the weights of one `fractional`: flagd's own bound.
pub const WEIGHT_MAX: u64 = i32::MAX as u64;

/// A rule that can't be used. It names the operator; never a key of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Nested too deep.
    #[error("is nested deeper than {DEPTH_MAX} levels")]
    Depth,
    /// An object with none or several keys.
    #[error("has an object with {0} keys where one operator is expected")]
    Operators(usize),
    /// An operator that is not supported.
    #[error(
        "uses the operator `{0}`; supported are if, in, var, cat, ==, ===, !=, !==, !, and, or, fractional"
    )]
    Unsupported(String),
    /// An operator with arguments it can't take.
    #[error("gives `{operator}` {problem}")]
    Arguments {
        /// Which.
        operator: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

/// A targeting rule that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// A value as it stands: text, number, true, false, null.
    Literal(Value),
    /// A list of rules.
    List(Vec<Rule>),
    /// A property of the context, by its dotted path, or the default.
    Var(String, Option<Box<Rule>>),
    /// Condition, result, condition, result, …, else.
    If(Vec<Rule>),
    /// Whether the first is an item of the second, or a part of it where that is a text.
    In(Box<Rule>, Box<Rule>),
    /// Texts one after the other.
    Cat(Vec<Rule>),
    /// Whether both are the same value of the same type.
    Equal(Box<Rule>, Box<Rule>),
    /// Whether it counts as false.
    Not(Box<Rule>),
    /// The first that counts as false, else the last.
    And(Vec<Rule>),
    /// The first that counts as true, else the last.
    Or(Vec<Rule>),
    /// A bucket by hash.
    Fractional {
        /// What is hashed; flag key and targeting key when absent.
        by: Option<Box<Rule>>,
        /// Results and their weights, in order.
        buckets: Vec<(Rule, u64)>,
    },
}

/// Who asks, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The flag's key.
    pub flag: &'a str,
    /// The evaluation context.
    pub context: &'a serde_json::Map<String, Value>,
}

/// What a rule comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The value: a variant's name, true, false or null.
    pub value: Value,
    /// Whether a bucket decided it.
    pub split: bool,
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`RuleError`] for anything outside the supported part.
    pub fn read(value: &Value) -> Result<Self, RuleError> {
        Self::read_at(value, 0)
    }

    fn read_at(value: &Value, depth: usize) -> Result<Self, RuleError> {
        if depth > DEPTH_MAX {
            return Err(RuleError::Depth);
        }
        let object = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Ok(Self::Literal(value.clone()));
            }
            Value::Array(items) => {
                return items
                    .iter()
                    .map(|item| Self::read_at(item, depth + 1))
                    .collect::<Result<_, _>>()
                    .map(Self::List);
            }
            Value::Object(object) => object,
        };
        let mut entries = object.iter();
        let (Some((operator, arguments)), None) = (entries.next(), entries.next()) else {
            return Err(RuleError::Operators(object.len()));
        };
        // JSONLogic lets a single argument stand without its list.
        let arguments = match arguments {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            single => vec![single],
        };
        let read = |value: &Value| Self::read_at(value, depth + 1);
        let all = || {
            arguments
                .iter()
                .map(|value| read(value))
                .collect::<Result<Vec<_>, _>>()
        };
        let two = |operator| match arguments[..] {
            [left, right] => Ok((Box::new(read(left)?), Box::new(read(right)?))),
            _ => Err(RuleError::Arguments {
                operator,
                problem: "another number of arguments than two",
            }),
        };
        let some = |operator, rules: Vec<Rule>| {
            if rules.is_empty() {
                return Err(RuleError::Arguments {
                    operator,
                    problem: "no arguments",
                });
            }
            Ok(rules)
        };
        Ok(match operator.as_str() {
            "if" => Self::If(some("if", all()?)?),
            "and" => Self::And(some("and", all()?)?),
            "or" => Self::Or(some("or", all()?)?),
            "cat" => Self::Cat(all()?),
            "in" => {
                let (item, of) = two("in")?;
                Self::In(item, of)
            }
            "==" | "===" => {
                let (left, right) = two("==")?;
                Self::Equal(left, right)
            }
            "!=" | "!==" => {
                let (left, right) = two("!=")?;
                Self::Not(Box::new(Self::Equal(left, right)))
            }
            "!" => match arguments[..] {
                [argument] => Self::Not(Box::new(read(argument)?)),
                _ => {
                    return Err(RuleError::Arguments {
                        operator: "!",
                        problem: "another number of arguments than one",
                    });
                }
            },
            "var" => match arguments[..] {
                [Value::String(path)] => Self::Var(path.clone(), None),
                [Value::String(path), default] => {
                    Self::Var(path.clone(), Some(Box::new(read(default)?)))
                }
                _ => {
                    return Err(RuleError::Arguments {
                        operator: "var",
                        problem: "something else than the name of a property",
                    });
                }
            },
            "fractional" => Self::read_fractional(&arguments, depth)?,
            other => return Err(RuleError::Unsupported(other.chars().take(40).collect())),
        })
    }

    fn read_fractional(arguments: &[&Value], depth: usize) -> Result<Self, RuleError> {
        let problem = |problem| RuleError::Arguments {
            operator: "fractional",
            problem,
        };
        let (by, rest) = match arguments {
            [] => return Err(problem("no arguments")),
            [Value::Array(_), ..] => (None, arguments),
            [Value::Null, rest @ ..] => (None, rest),
            [by, rest @ ..] => (Some(Box::new(Self::read_at(by, depth + 1)?)), rest),
        };
        if rest.is_empty() {
            return Err(problem("no buckets"));
        }
        let mut buckets = Vec::with_capacity(rest.len());
        let mut total = 0_u64;
        for bucket in rest {
            let (result, weight) = match bucket.as_array().map(Vec::as_slice) {
                Some([result]) => (result, Some(1)),
                Some([result, weight]) => (result, weight.as_u64()),
                _ => return Err(problem("a bucket that is not a result and a weight")),
            };
            let weight =
                weight.ok_or_else(|| problem("a weight that is not a whole number from 0"))?;
            total = total.saturating_add(weight);
            buckets.push((Self::read_at(result, depth + 1)?, weight));
        }
        match total {
            0 => Err(problem("buckets that weigh nothing")),
            1..=WEIGHT_MAX => Ok(Self::Fractional { by, buckets }),
            _ => Err(problem("weights whose sum is above 2147483647")),
        }
    }

    /// What the rule comes to for this user.
    pub fn evaluate(&self, asked: Asked<'_>) -> Outcome {
        let plain = |value| Outcome {
            value,
            split: false,
        };
        match self {
            Self::Literal(value) => plain(value.clone()),
            Self::List(items) => plain(Value::Array(
                items
                    .iter()
                    .map(|item| item.evaluate(asked).value)
                    .collect(),
            )),
            Self::Var(path, default) => match (look_up(path, asked), default) {
                (Some(value), _) => plain(value),
                (None, Some(default)) => default.evaluate(asked),
                (None, None) => plain(Value::Null),
            },
            Self::If(branches) => {
                let mut pairs = branches.chunks(2);
                let outcome = pairs.find_map(|pair| match pair {
                    [condition, result] => {
                        truthy(&condition.evaluate(asked).value).then(|| result.evaluate(asked))
                    }
                    [otherwise] => Some(otherwise.evaluate(asked)),
                    _ => None,
                });
                outcome.unwrap_or_else(|| plain(Value::Null))
            }
            Self::In(item, of) => {
                let item = item.evaluate(asked).value;
                // A list of literals, such as an allow list, is searched where it stands.
                let found = match of.as_ref() {
                    Self::List(items) => items.iter().any(|other| match other {
                        Self::Literal(value) => same(value, &item),
                        other => same(&other.evaluate(asked).value, &item),
                    }),
                    of => match (of.evaluate(asked).value, &item) {
                        (Value::Array(items), item) => items.iter().any(|other| same(other, item)),
                        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                        _ => false,
                    },
                };
                plain(Value::Bool(found))
            }
            Self::Cat(parts) => plain(Value::String(
                parts
                    .iter()
                    .map(|part| text(&part.evaluate(asked).value))
                    .collect(),
            )),
            Self::Equal(left, right) => plain(Value::Bool(same(
                &left.evaluate(asked).value,
                &right.evaluate(asked).value,
            ))),
            Self::Not(rule) => plain(Value::Bool(!truthy(&rule.evaluate(asked).value))),
            Self::And(rules) => Self::first(rules, asked, |value| !truthy(value)),
            Self::Or(rules) => Self::first(rules, asked, truthy),
            Self::Fractional { by, buckets } => {
                let by = match by {
                    None => look_up("targetingKey", asked)
                        .and_then(|key| key.as_str().map(|key| format!("{}{key}", asked.flag))),
                    Some(by) => by.evaluate(asked).value.as_str().map(str::to_owned),
                };
                match by {
                    None => plain(Value::Null),
                    Some(by) => Outcome {
                        value: bucket(buckets, &by)
                            .map_or(Value::Null, |rule| rule.evaluate(asked).value),
                        split: true,
                    },
                }
            }
        }
    }

    /// The first outcome that is `wanted`, else the last.
    fn first(rules: &[Rule], asked: Asked<'_>, wanted: fn(&Value) -> bool) -> Outcome {
        let mut last = Outcome {
            value: Value::Null,
            split: false,
        };
        for rule in rules {
            last = rule.evaluate(asked);
            if wanted(&last.value) {
                break;
            }
        }
        last
    }
}

/// flagd's rule since its integer buckets: the unsigned hash, scaled to the sum of the weights, falls into one.
/// With a fixed sum and the first bucket growing, whoever was in the first bucket stays there.
/// Source: `core/pkg/evaluator/fractional.go` of <https://github.com/open-feature/flagd>.
fn bucket<'a>(buckets: &'a [(Rule, u64)], by: &str) -> Option<&'a Rule> {
    let total: u64 = buckets.iter().map(|(_, weight)| weight).sum();
    let place = (u64::from(murmur3_32(by.as_bytes())) * total) >> 32;
    let mut end = 0;
    buckets.iter().find_map(|(rule, weight)| {
        end += weight;
        (place < end).then_some(rule)
    })
}

fn look_up(path: &str, asked: Asked<'_>) -> Option<Value> {
    if path == "$flagd.flagKey" {
        return Some(Value::String(asked.flag.to_owned()));
    }
    let mut parts = path.split('.');
    let mut value = asked.context.get(parts.next()?)?;
    for part in parts {
        value = value.get(part)?;
    }
    Some(value.clone())
}

/// Whether both are the same value of the same type. JSONLogic's `==` would also take `"1"` for 1, as JavaScript does;
/// a rollout is better off without that.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // 1 and 1.0 are one number.
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

/// JSONLogic's truth: null, false, 0, the empty text and the empty list count as false.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
