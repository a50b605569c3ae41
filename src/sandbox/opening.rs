//! How the plugin is opened: the command chosen in Figma, and the panel's size.
//!
//! Owns the commands of the manifest, what each opens, and the size that is kept between openings. Must not know how a
//! command is chosen or a panel shown: `figma.rs` does.

use crate::figma;
use sheetwire_core::protocol::panel::Opening;

/// The panel's size at the first opening, in CSS pixels.
const SIZE_DEFAULT: (u32, u32) = (400, 640);
/// Least and greatest width and height that the panel may ask for, in CSS pixels.
const SIDE_MIN: u32 = 240;
const SIDE_MAX: u32 = 2_000;
/// Where the size is kept on this machine: width, `x`, height.
const SIZE: &str = "sheetwire.size";

/// What a command opens. `name` is what was typed or chosen for the parameter of `find`. The menu and the relaunch
/// buttons of `manifest.json` name these commands and no other, which `build.rs` checks.
pub fn of(command: &str, name: String) -> Option<Opening> {
    match command {
        "variables" => Some(Opening::Variables {
            search: String::new(),
        }),
        "find" => Some(Opening::Variables { search: name }),
        "import" => Some(Opening::Import),
        "export" => Some(Opening::Export),
        "sync" => Some(Opening::Sync { now: false }),
        "sync-now" => Some(Opening::Sync { now: true }),
        _ => None,
    }
}

/// The size for this opening.
pub async fn size() -> (u32, u32) {
    let kept = figma::stored(SIZE)
        .await
        .ok()
        .and_then(|kept| kept.as_string());
    let kept = kept.as_deref().and_then(|kept| kept.split_once('x'));
    match kept.map(|(width, height)| (width.parse(), height.parse())) {
        Some((Ok(width), Ok(height))) => clamped(width, height),
        _ => SIZE_DEFAULT,
    }
}

/// Gives the panel another size, and keeps it for the next opening where the designer has let go.
pub async fn resize(width: u32, height: u32, keep: bool) {
    let (width, height) = clamped(width, height);
    figma::resize_panel(width, height);
    if keep {
        let size = [&width.to_string(), "x", &height.to_string()].concat();
        // Without it the next panel has its usual size, which nobody need be told.
        let _ = figma::store(SIZE, &size).await;
    }
}

fn clamped(width: u32, height: u32) -> (u32, u32) {
    (
        width.clamp(SIDE_MIN, SIDE_MAX),
        height.clamp(SIDE_MIN, SIDE_MAX),
    )
}
