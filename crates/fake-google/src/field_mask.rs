//! Field masks: the `fields` parameter that says which parts of a reply are wanted.
//!
//! Owns reading masks and cutting replies to them. Must not know what the replies mean; the names of fields come
//! from the discovery documents.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::discovery::Api;

/// A tree of wanted fields. A field without children is wanted whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldMask {
    fields: BTreeMap<String, FieldMask>,
    /// `*`, or no mask at all.
    everything: bool,
}

/// The most bytes of a mask that are read.
const MASK_BYTES_MAX: usize = 8 * 1024;
/// The deepest nesting.
const DEPTH_MAX: usize = 32;

impl FieldMask {
    /// The mask that wants everything.
    pub(crate) fn everything() -> Self {
        FieldMask {
            fields: BTreeMap::new(),
            everything: true,
        }
    }

    /// Reads `a,b.c,d(e,f/g),h/*`. The error is the piece that can't be read.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > MASK_BYTES_MAX {
            return Err("…".to_owned());
        }
        let mut mask = FieldMask::default();
        let rest = mask.read_list(text, 0)?;
        if rest.is_empty() {
            Ok(mask)
        } else {
            Err(rest.to_owned())
        }
    }

    /// Reads a list up to `)` or the end and returns what follows.
    fn read_list<'a>(&mut self, mut text: &'a str, depth: usize) -> Result<&'a str, String> {
        if depth > DEPTH_MAX {
            return Err(text.to_owned());
        }
        loop {
            text = text.trim_start();
            let mut at = &mut *self;
            loop {
                let length = text
                    .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '$' | '*'))
                    .unwrap_or(text.len());
                let (name, rest) = text.split_at(length);
                if name.is_empty() {
                    return Err(text.to_owned());
                }
                text = rest;
                if name == "*" {
                    at.everything = true;
                } else {
                    at = at.fields.entry(name.to_owned()).or_default();
                }
                match text.strip_prefix(['.', '/']) {
                    Some(rest) => text = rest,
                    None => break,
                }
            }
            if let Some(rest) = text.strip_prefix('(') {
                let rest = at.read_list(rest, depth + 1)?;
                text = rest.strip_prefix(')').ok_or_else(|| rest.to_owned())?;
            } else if at.fields.is_empty() {
                at.everything = true;
            }
            match text.trim_start().strip_prefix(',') {
                Some(rest) => text = rest,
                None => return Ok(text.trim_start()),
            }
        }
    }

    /// The part of the mask below a field; `None` when the field is not wanted.
    pub(crate) fn below(&self, name: &str) -> Option<&FieldMask> {
        match self.fields.get(name) {
            Some(mask) => Some(if self.everything { self } else { mask }),
            None if self.everything => Some(self),
            None => None,
        }
    }

    /// Whether a field is wanted, at least in part.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.below(name).is_some()
    }

    /// Cuts a reply to the mask. Lists are gone through, as Google does.
    pub(crate) fn cut(&self, value: &mut Value) {
        if self.everything {
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.cut(item)),
            Value::Object(fields) => fields.retain(|name, value| match self.below(name) {
                Some(mask) => {
                    mask.cut(value);
                    true
                }
                None => false,
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The first field that the schema does not have, if there is one.
    pub(crate) fn unknown_field(&self, api: &Api, schema: &str) -> Option<String> {
        self.fields
            .iter()
            .find_map(|(name, mask)| match api.field(schema, name) {
                None if api.knows(schema) => Some(name.clone()),
                None | Some(None) => None,
                Some(Some(inner)) => mask.unknown_field(api, inner),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn replies_are_cut_to_the_mask() {
        let reply = json!({
            "title": "t",
            "sheets": [{"properties": {"title": "a", "index": 0}, "data": [{"rowData": [1]}]}],
            "other": 5
        });
        for (mask, expected) in [
            ("*", reply.clone()),
            ("title", json!({"title": "t"})),
            (
                "title,sheets.properties.title",
                json!({"title": "t", "sheets": [{"properties": {"title": "a"}}]}),
            ),
            (
                "sheets(properties(title,index))",
                json!({"sheets": [{"properties": {"title": "a", "index": 0}}]}),
            ),
            (
                "sheets/properties/*",
                json!({"sheets": [{"properties": {"title": "a", "index": 0}}]}),
            ),
            (
                "sheets(properties.title,data(rowData))",
                json!({"sheets": [{"properties": {"title": "a"}, "data": [{"rowData": [1]}]}]}),
            ),
        ] {
            let mut cut = reply.clone();
            FieldMask::read(mask).expect(mask).cut(&mut cut);
            assert_eq!(cut, expected, "{mask}");
        }
    }

    #[test]
    fn bad_masks_are_refused() {
        for mask in ["", "a,", "a(b", "a)b", "(a)", "a b", "a..b"] {
            assert!(FieldMask::read(mask).is_err(), "{mask}");
        }
    }
}
