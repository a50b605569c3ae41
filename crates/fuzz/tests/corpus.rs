//! Runs every kept input through every target.
//!
//! Owns the walk through `corpus/`. Must not know what a target states.

use std::fs;
use std::path::Path;

use sheetwire_fuzz::{INPUT_BYTES_MAX, TARGETS};

/// Most bytes of all kept inputs together.
const CORPUS_BYTES_MAX: u64 = 600 * 1024;

#[test]
fn kept_inputs_hold_in_every_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let (mut inputs, mut bytes) = (0, 0);
    for folder in TARGETS {
        let folder = root.join(folder.name);
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{} can't be listed: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry of a folder just listed").path();
            let input = fs::read(&path).expect("a kept input");
            assert!(input.len() <= INPUT_BYTES_MAX, "{}", path.display());
            for target in TARGETS {
                let run = std::panic::catch_unwind(|| (target.run)(&input));
                assert!(run.is_ok(), "{} in target {}", path.display(), target.name);
            }
            inputs += 1;
            bytes += input.len() as u64;
        }
    }
    println!("{inputs} inputs, {bytes} bytes");
    assert!(
        bytes <= CORPUS_BYTES_MAX,
        "minimise the corpus: cargo xtask fuzz --minimise"
    );
}
