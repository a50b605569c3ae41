//! Stamps the version.
fn main() {}
