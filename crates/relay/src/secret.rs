//! Secrets: how they are made, hashed, compared and kept out of every text.
//!
//! Owns the [`Secret`] text type, random tokens and constant-time comparison. Must not know what a secret is for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of every random token: 256 bits.
pub const TOKEN_BYTES: usize = 32;

/// A text that must not be seen: a token, a client secret, a code. Its `Debug` says only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret, which may be kept where the secret may not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// From its base64url form without padding; `None` unless it is exactly 32 bytes.
    pub fn from_base64url(text: &str) -> Option<Self> {
        bytes_from_base64url(text).map(Self)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its base64url form without padding.
    pub fn to_base64url(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether both are equal, in a time that does not tell where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        bool::from(self.0.ct_eq(&other.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(…)")
    }
}

/// 32 bytes from base64url without padding; `None` when it is anything else.
pub fn bytes_from_base64url(text: &str) -> Option<[u8; TOKEN_BYTES]> {
    // A longer text can't be 32 bytes; refusing it first keeps the decoding bounded.
    if text.len() != 43 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Random bytes from a generator fit for secrets, which the operating system seeds.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes[..]);
    bytes
}

/// A random token of 256 bits, as base64url without padding.
pub fn random_token() -> Secret {
    Secret(URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()))
}

/// A random name of 128 bits for things that are no secrets, as base64url without padding.
pub fn random_name() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<16>())
}

/// The short code that a person compares, such as `KQ4-7TM`: letters and digits that are not mistaken for
/// each other (no 0 O 1 I L).
pub fn random_code() -> String {
    const ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    let mut code = String::with_capacity(7);
    for place in 0..6 {
        if place == 3 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
        assert_eq!(format!("{:?}", Hash::of(b"hunter2")), "Hash(…)");
    }

    #[test]
    fn codes_have_no_mistakable_letters() {
        for _ in 0..1_000 {
            let code = random_code();
            assert_eq!(code.len(), 7);
            assert!(!code.contains(['0', 'O', '1', 'I', 'L']), "{code}");
        }
    }

    #[test]
    fn only_32_bytes_are_a_hash() {
        let hash = Hash::of(b"x");
        let text = hash.to_base64url();
        assert!(Hash::from_base64url(&text).is_some_and(|read| read.matches(&hash)));
        assert_eq!(Hash::from_base64url(&text[1..]), None);
        assert_eq!(Hash::from_base64url(&format!("{text}=")), None);
        assert_eq!(Hash::from_base64url(&"!".repeat(43)), None);
    }
}
