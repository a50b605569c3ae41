//! The fuzzer's program: libFuzzer around one target.
//!
//! Owns which target runs. Must not know what it states. `cargo xtask fuzz` builds and starts it.

#![no_main]

use std::sync::OnceLock;

use sheetwire_fuzz::run;

/// The variable that names the target.
const TARGET_VARIABLE: &str = "SHEETWIRE_FUZZ_TARGET";

static TARGET: OnceLock<String> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let target = TARGET.get_or_init(|| std::env::var(TARGET_VARIABLE).unwrap_or_default());
    run(target, input);
});
