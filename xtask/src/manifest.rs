//! Figma's manifest: what must stand in it, and the one that is published.
//!
//! Owns the rules a manifest has to keep for the code to work, which `build.rs` holds the root manifest to, and the
//! manifest for another relay. Must not read or write files. `build.rs` includes this file by path.
//! The manifest's fields: https://developers.figma.com/docs/plugins/manifest/.

use crate::address::RELAY_ORIGIN_DEFAULT;
use serde_json::{Value, json};

/// What the sandbox asks of Figma and the permission each needs. The permission must stand in the manifest.
const PERMISSIONS: [(&str, &str); 2] = [
    ("currentUser", "currentuser"),
    ("teamLibrary", "teamlibrary"),
];

/// Every way in which `manifest` disagrees with the code; empty when it is right.
///
/// `bindings` is the text of `src/sandbox/figma.rs`, whose use of Figma decides the permissions.
/// `openings` is that of `src/sandbox/opening.rs`, which says what each command opens.
pub fn disagreements(manifest: &Value, bindings: &str, openings: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |path: &str, expected: Value| {
        let actual = manifest.pointer(path).unwrap_or(&Value::Null);
        if *actual != expected {
            found.push(format!("{path} is {actual} and must be {expected}"));
        }
    };
    expect("/api", json!("1.0.0"));
    expect("/main", json!("dist/code.js"));
    expect("/ui", json!("dist/ui.html"));
    expect("/documentAccess", json!("dynamic-page"));
    expect("/networkAccess/allowedDomains", json!(["none"]));
    expect(
        "/networkAccess/devAllowedDomains",
        json!(with_web_socket(RELAY_ORIGIN_DEFAULT)),
    );

    let permissions: Vec<&str> = manifest["permissions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !permissions.contains(&"currentuser") {
        found.push(String::from("/permissions must name \"currentuser\", without which the rollout can't tell users apart"));
    }
    for (call, permission) in PERMISSIONS {
        if bindings.contains(call) && !permissions.contains(&permission) {
            found.push(format!(
                "/permissions must name {permission:?}, because src/sandbox/figma.rs uses {call}"
            ));
        }
    }
    let mut commands = Vec::new();
    commands_of(&manifest["menu"], &mut commands);
    commands_of(&manifest["relaunchButtons"], &mut commands);
    for command in commands {
        if !openings.contains(&format!("\"{command}\" =>")) {
            found.push(format!(
                "/menu or /relaunchButtons has the command {command:?}, which src/sandbox/opening.rs does not know"
            ));
        }
    }
    for permission in permissions {
        if !PERMISSIONS.iter().any(|(_, known)| *known == permission) {
            found.push(format!(
                "/permissions names {permission:?}, which the code never uses"
            ));
        }
    }
    found
}

/// Every command of a menu, its submenus included.
fn commands_of<'a>(menu: &'a Value, commands: &mut Vec<&'a str>) {
    for entry in menu.as_array().into_iter().flatten() {
        commands.extend(entry["command"].as_str());
        commands_of(&entry["menu"], commands);
    }
}

/// The manifest beside a built `code.js` and `ui.html`, whose relay is `origin`.
///
/// A relay in development stands under `devAllowedDomains`; a published one is all that is allowed.
pub fn for_relay(manifest: &Value, origin: &str, published: bool) -> Value {
    let mut made = manifest.clone();
    made["main"] = json!("code.js");
    made["ui"] = json!("ui.html");
    if let Some(access) = made["networkAccess"].as_object_mut() {
        if published {
            access.insert(
                String::from("allowedDomains"),
                json!(with_web_socket(origin)),
            );
            access.remove("devAllowedDomains");
        } else {
            access.insert(
                String::from("devAllowedDomains"),
                json!(with_web_socket(origin)),
            );
        }
    }
    made
}

/// The origin and the same host and port over WebSocket, as Figma's content policy needs both.
fn with_web_socket(origin: &str) -> [String; 2] {
    [String::from(origin), origin.replacen("http", "ws", 1)]
}

/// Checks the address of a relay to publish for and gives its origin.
///
/// # Errors
/// A sentence that says what is wrong with the address and what it should look like.
pub fn published_origin(address: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        Err(format!(
            "--relay {address}: {why}; it should look like https://relay.example.com"
        ))
    };
    let Some(rest) = address.strip_prefix("https://") else {
        return wrong("a published plugin may only talk to its relay over https");
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return wrong("the relay is an origin, without a path, query or fragment");
    }
    if authority.contains('@') {
        return wrong("a name or password can't stand in the address");
    }
    if authority.contains('*') {
        return wrong("one relay is allowed, so there can be no wildcard");
    }
    if authority.starts_with('[') {
        return wrong("Figma refuses IP addresses");
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if let Some(port) = port
        && !port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        return wrong("the port is not a number from 1 to 65535");
    }
    if host.is_empty() {
        return wrong("there is no host in it");
    }
    if host
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return wrong("Figma refuses IP addresses");
    }
    let label_is_valid = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if !host.split('.').all(label_is_valid) {
        return wrong("the host has characters a domain in lower case can't have");
    }
    if host == "localhost" || host.ends_with(".localhost") {
        return wrong("localhost is each designer's own machine");
    }
    Ok(match port {
        None | Some("443") => format!("https://{host}"),
        Some(port) => format!("https://{host}:{port}"),
    })
}

/// Checks the origin of a relay in development: `http://localhost:PORT`.
///
/// # Errors
/// A sentence that says what the origin should look like.
pub fn development_origin(address: &str) -> Result<String, String> {
    let port = address
        .strip_prefix("http://localhost:")
        .and_then(|port| port.parse::<u16>().ok());
    match port {
        Some(port) if port > 0 => Ok(format!("http://localhost:{port}")),
        Some(_) | None => Err(format!(
            "--origin {address}: it should look like http://localhost:8787"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Value {
        json!({
            "api": "1.0.0", "main": "dist/code.js", "ui": "dist/ui.html", "documentAccess": "dynamic-page",
            "permissions": ["currentuser"],
            "networkAccess": {
                "allowedDomains": ["none"],
                "devAllowedDomains": ["http://localhost:8787", "ws://localhost:8787"],
            },
        })
    }

    const OPENINGS: &str =
        r#"match command { "sync" => Some(1), "sync-now" => Some(2), _ => None }"#;

    #[test]
    fn a_right_manifest_has_no_disagreement() {
        assert_eq!(
            disagreements(&root(), "currentUser", OPENINGS),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_rule_is_enforced() {
        let changes = [
            ("/main", json!("code.js")),
            ("/documentAccess", json!(null)),
            ("/permissions", json!([])),
            ("/permissions", json!(["currentuser", "payments"])),
            (
                "/networkAccess/devAllowedDomains/1",
                json!("ws://127.0.0.1:8787"),
            ),
            (
                "/networkAccess/devAllowedDomains/0",
                json!("http://localhost:8788"),
            ),
            ("/networkAccess/allowedDomains", json!(["*"])),
        ];
        for (path, value) in changes {
            let mut manifest = root();
            if let Some(place) = manifest.pointer_mut(path) {
                *place = value;
            }
            let found = disagreements(&manifest, "", OPENINGS);
            assert_eq!(found.len(), 1, "{path}: {found:?}");
        }
        assert_eq!(disagreements(&root(), "teamLibrary", OPENINGS).len(), 1);
    }

    #[test]
    fn a_published_manifest_allows_its_relay_alone() {
        let made = for_relay(&root(), "https://relay.example.com", true);
        assert_eq!(
            made["networkAccess"],
            json!({ "allowedDomains": ["https://relay.example.com", "wss://relay.example.com"] })
        );
        assert_eq!(made["main"], "code.js");
    }

    #[test]
    fn relay_addresses_are_checked() {
        for (address, origin) in [
            ("https://relay.example.com", "https://relay.example.com"),
            ("https://relay.example.com/", "https://relay.example.com"),
            ("https://relay.example.com:443", "https://relay.example.com"),
            (
                "https://relay.example.com:8443/",
                "https://relay.example.com:8443",
            ),
        ] {
            assert_eq!(published_origin(address).as_deref(), Ok(origin));
        }
        for address in [
            "http://relay.example.com",
            "relay.example.com",
            "https://",
            "https://relay.example.com/x",
            "https://1.2.3.4",
            "https://[::1]",
            "https://localhost",
            "https://a@b.example",
            "https://*.example.com",
            "https://a:0",
            "https://a:b",
            "https://rel ay.example",
            "https://Relay.example",
            "https://x..y",
            "https://a?b",
            "wss://relay.example.com",
        ] {
            assert!(published_origin(address).is_err(), "{address}");
        }
        assert!(development_origin("http://localhost:0").is_err());
        assert!(development_origin("http://127.0.0.1:80").is_err());
        assert_eq!(
            development_origin("http://localhost:4000").as_deref(),
            Ok("http://localhost:4000")
        );
    }
}
