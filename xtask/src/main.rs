//! Build, test, demo, bench and tidy tasks.
fn main() {}
