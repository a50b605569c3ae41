//! Where the relay is found.
//!
//! Owns the one default origin of the relay and the name of the meta tag that carries the origin in a built panel.
//! Must not know any address but the development default: a published panel carries its own.
//! `build.rs` and the build tasks include this file by path, so it may use nothing but the language.

/// The port the relay listens on when nobody says otherwise.
pub const RELAY_PORT_DEFAULT: u16 = 8787;

/// The relay's origin in development. It stands in `manifest.json` under `devAllowedDomains`, and the build fails when
/// the two disagree. `localhost` and not an IP literal, which Figma refuses in a manifest.
pub const RELAY_ORIGIN_DEFAULT: &str = "http://localhost:8787";

/// The name of the meta tag in `ui.html` whose `content` is the relay's origin, for example
/// `<meta name="sheetwire-relay" content="http://localhost:8787">`.
pub const RELAY_META_NAME: &str = "sheetwire-relay";
