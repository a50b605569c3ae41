//! From bytes to text, whatever program saved them.
//!
//! Owns the telling of encodings. Must not know what the text says.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::FileError;

/// How many bytes are looked at for the zeros of UTF-16 without a mark.
const LOOK_BYTES: usize = 1_024;

/// A text and whether some of its bytes were no characters.
pub(crate) struct Decoded {
    pub text: String,
    pub damaged: bool,
}

/// Decodes UTF-8 and UTF-16, with a byte order mark or without, and what is neither as Windows-1252, which is what Excel
/// saves as CSV in Western Europe and America.
///
/// # Errors
/// [`FileError::NotText`] for bytes with zeros that are not UTF-16: a program's own format.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, FileError> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(with(encoding, &bytes[mark..]));
    }
    let head = &bytes[..bytes.len().min(LOOK_BYTES)];
    if head.contains(&0) {
        let zeros = |odd: usize| {
            let places = head.iter().skip(odd).step_by(2);
            places.filter(|byte| **byte == 0).count() * 4
        };
        // Of a text in Latin letters, every other byte is zero.
        return match (zeros(0) > head.len(), zeros(1) > head.len()) {
            (false, true) => without_zeros(with(UTF_16LE, bytes)),
            (true, false) => without_zeros(with(UTF_16BE, bytes)),
            (true, true) | (false, false) => Err(FileError::NotText),
        };
    }
    if std::str::from_utf8(bytes).is_ok() {
        Ok(with(UTF_8, bytes))
    } else {
        Ok(with(WINDOWS_1252, bytes))
    }
}

fn without_zeros(decoded: Decoded) -> Result<Decoded, FileError> {
    if decoded.text.contains('\0') {
        Err(FileError::NotText)
    } else {
        Ok(decoded)
    }
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    Decoded {
        text: text.into_owned(),
        damaged,
    }
}
