//! Who the flags are evaluated for, without saying who that is.
//!
//! Owns the targeting key and the random ids of files and runs. Must not know flags or the relay. Figma tells a plugin a user id or nothing; the key is a
//! salted hash of it, or a random id kept with the user where there is none.

use crate::figma;
use sha2::{Digest as _, Sha256};

/// Keeps these hashes apart from any other hash of the same ids.
const SALT: &str = "sheetwire/targeting-key/1:";
/// Where the random id is kept.
const KEY: &str = "sheetwire.anonymous-id";

/// 64 hex digits. `entropy` is used when Figma names no user and none is kept yet.
pub async fn targeting_key(entropy: &str) -> String {
    let id = match figma::user_id() {
        Some(id) => id,
        None => match figma::stored(KEY)
            .await
            .ok()
            .and_then(|kept| kept.as_string())
        {
            Some(kept) => kept,
            None => {
                // Where it can't be kept, this session still has an id of its own.
                let _ = figma::store(KEY, entropy).await;
                String::from(entropy)
            }
        },
    };
    hashed(SALT, &id)
}

/// The random id of this run of the plugin. `entropy` is the panel's.
#[cfg(feature = "sync")]
pub fn panel_id(entropy: &str) -> String {
    hashed("sheetwire/panel/1:", entropy)
}

/// A random id for a file, another one with every `count`.
#[cfg(feature = "sync")]
pub fn file_id(entropy: &str, count: u32) -> String {
    hashed("sheetwire/file/1:", &[entropy, &count.to_string()].concat())
}

/// The hash of a text as 64 hex digits; the salt keeps it apart from any other hash of the same text.
fn hashed(salt: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update(text.as_bytes());
    let mut key = String::with_capacity(64);
    for byte in hash.finalize() {
        for nibble in [byte >> 4, byte & 15] {
            key.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    key
}
