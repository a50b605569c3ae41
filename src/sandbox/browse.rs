//! The file's variables for the panel's Variables tab.
//!
//! Owns turning what `figma.rs` packed into views. Must not know Figma's objects or how views are drawn.

use crate::figma;
use sheetwire_core::protocol::panel::{CollectionView, VariableView};

/// Every local collection with its variables, in Figma's order; `None` when Figma would not give them.
pub async fn collections() -> Option<Vec<CollectionView>> {
    Some(unpack(&figma::browse().await.ok()?.as_string()?))
}

fn unpack(packed: &str) -> Vec<CollectionView> {
    let mut collections: Vec<CollectionView> = Vec::new();
    // Variables come collection after collection for the most part, so the last owner is tried first.
    let mut last = 0;
    for record in packed.split_terminator('\u{1e}') {
        let mut fields = record.split('\u{1f}');
        match (fields.next(), fields.next()) {
            (Some("c"), Some(id)) => collections.push(CollectionView {
                id: String::from(id),
                name: String::from(fields.next().unwrap_or_default()),
                modes: fields.map(String::from).collect(),
                variables: Vec::new(),
            }),
            (Some("v"), Some(id)) => {
                let owner = fields.next().unwrap_or_default();
                if collections
                    .get(last)
                    .is_none_or(|collection| collection.id != owner)
                {
                    last = collections
                        .iter()
                        .position(|collection| collection.id == owner)
                        .unwrap_or(last);
                }
                let view = VariableView {
                    id: String::from(id),
                    name: String::from(fields.next().unwrap_or_default()),
                    resolved_type: String::from(fields.next().unwrap_or_default()),
                    values: fields.map(String::from).collect(),
                };
                if let Some(collection) = collections.get_mut(last) {
                    collection.variables.push(view);
                }
            }
            (Some(_) | None, _) => {}
        }
    }
    collections
}
