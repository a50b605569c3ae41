//! Signing in, and every way in which it does not work.

use std::time::Duration;

use fake_google::{Consent, Fault, FaultKind};
use sheetwire_core::protocol::relay::SessionReply;

use tokio::time::timeout;

use crate::world::{ANA, BEN, PATIENCE, World};

/// The relay's scope, which a person may untick.
const SCOPE: &str = "https://www.googleapis.com/auth/drive.file";

#[tokio::test]
async fn a_sign_in_gives_a_session_once() {
    let world = World::start().await;
    let sheet = world.spreadsheet();
    let flow = world.begin().await;
    let unfinished = world.refused(&flow).await;
    assert_eq!(unfinished, (202, String::new()));
    let consent = Consent::by(ANA).picking(&sheet.spreadsheet_id);
    let (status, html) = world.consent(&flow, &consent).await;
    assert!(status == 200 && html.contains("Go back to Figma"), "{html}");
    let session = world.redeem(&flow).await.expect("signed in");
    assert_eq!(
        (session.account.as_str(), session.picked),
        (ANA, vec![sheet.spreadsheet_id])
    );
    let (status, body) = world.refused(&flow).await;
    assert!(
        status == 409 && body.contains("conflict"),
        "{status} {body}"
    );
}

#[tokio::test]
async fn the_page_is_guarded() {
    let world = World::start().await;
    let flow = world.begin().await;
    let page = world.open(&flow).await;
    let header = |name: &str| page.headers[name].to_str().expect("a text");
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(
        header("set-cookie").contains("HttpOnly") && header("set-cookie").contains("SameSite=Lax")
    );
    assert!(page.headers.get("access-control-allow-origin").is_none());
    assert!(!page.html.contains("<script"));
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host() {
    let world = World::seen_as("https://relay.example.com").await;
    let flow = world.begin().await;
    let page = format!("/signin/{}", flow.reply.flow);
    assert_eq!(flow.reply.url, format!("https://relay.example.com{page}"));
    let reply = world
        .http
        .get(world.at(&page))
        .send()
        .await
        .expect("a page");
    let cookie = reply.headers()["set-cookie"].to_str().expect("a text");
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    // What a browser demands of such a name; without Path=/ or with a domain it would drop the cookie.
    let mut parts: Vec<&str> = cookie.split("; ").skip(1).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
}

#[tokio::test]
async fn a_browser_that_leaves_early_does_not_lose_the_sign_in() {
    let world = World::start().await;
    let flow = world.begin().await;
    let page = world.open(&flow).await;
    let to_google = world
        .decide(&flow, &page, "continue")
        .await
        .expect("to Google");
    let back = world
        .google
        .sign_in(&to_google, &Consent::by(ANA))
        .await
        .expect("sent back");
    let slow = FaultKind::Slow { delay_ms: 500 };
    world
        .google
        .fault(Fault::next("/token", slow))
        .expect("set");
    let browser = world.http.get(&back).header("cookie", &page.cookie).send();
    let browser = tokio::spawn(browser);
    while !world.google.state().faults.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The relay is asking Google; the browser's connection ends.
    browser.abort();
    let session = timeout(PATIENCE, async {
        loop {
            match world.redeem(&flow).await {
                Ok(session) => return session,
                Err((202, _)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(refused) => panic!("{refused:?}"),
            }
        }
    });
    assert_eq!(session.await.expect("signed in").account, ANA);
}

#[tokio::test]
async fn another_browser_can_not_go_on() {
    let world = World::start().await;
    let flow = world.begin().await;
    let mut page = world.open(&flow).await;
    let cookie = std::mem::replace(&mut page.cookie, "sheetwire-signin=guessed".to_owned());
    assert_eq!(world.decide(&flow, &page, "continue").await, Err(410));
    page.cookie = cookie;
    let proof = std::mem::replace(&mut page.proof, "guessed".to_owned());
    assert_eq!(world.decide(&flow, &page, "continue").await, Err(410));
    page.proof = proof;
    let to_google = world
        .decide(&flow, &page, "continue")
        .await
        .expect("this one can");
    let back = world
        .google
        .sign_in(&to_google, &Consent::by(ANA))
        .await
        .expect("sent back");
    assert_eq!(
        world.come_back("sheetwire-signin=guessed", &back).await.0,
        410
    );
    let other_state = back.replace("state=", "state=x");
    assert_eq!(world.come_back(&page.cookie, &other_state).await.0, 410);
    assert_eq!(world.refused(&flow).await.0, 202);
    assert_eq!(world.come_back(&page.cookie, &back).await.0, 200);
    assert_eq!(world.come_back(&page.cookie, &back).await.0, 410);
    world.redeem(&flow).await.expect("signed in");
}

#[tokio::test]
async fn only_the_secret_redeems() {
    let world = World::start().await;
    let mut flow = world.begin().await;
    world.consent(&flow, &Consent::by(ANA)).await;
    let secret = std::mem::replace(&mut flow.secret, world.begin().await.secret);
    assert_eq!(world.refused(&flow).await.0, 404);
    flow.secret = "short".to_owned();
    assert_eq!(world.refused(&flow).await.0, 404);
    flow.secret = secret;
    world.redeem(&flow).await.expect("signed in");
    flow.reply.flow = "nothing".to_owned();
    assert_eq!(world.refused(&flow).await.0, 404);
}

#[tokio::test]
async fn every_refusal_is_told_in_the_browser_and_in_figma() {
    let world = World::start().await;
    let sheet = world.spreadsheet();
    let picking = || Consent::by(ANA).picking(&sheet.spreadsheet_id);

    let flow = world.begin().await;
    let page = world.open(&flow).await;
    assert_eq!(world.decide(&flow, &page, "stop").await, Err(200));
    let (status, body) = world.refused(&flow).await;
    assert!(
        status == 403 && body.contains("declined"),
        "{status} {body}"
    );

    let denied = Consent {
        deny: true,
        ..picking()
    };
    let cases = [
        (denied, None, 403, "declined"),
        (picking().unticking(SCOPE), None, 403, "declined"),
        (
            picking(),
            Some(FaultKind::OauthRedirect {
                error: "admin_policy_enforced".to_owned(),
            }),
            403,
            "admin_policy",
        ),
        (
            picking(),
            Some(FaultKind::OauthRedirect {
                error: "org_internal".to_owned(),
            }),
            403,
            "admin_policy",
        ),
        (
            picking(),
            Some(FaultKind::OauthRedirect {
                error: "server_error".to_owned(),
            }),
            502,
            "google",
        ),
    ];
    for (consent, fault, status, code) in cases {
        if let Some(kind) = fault {
            world
                .google
                .fault(Fault::next("/o/oauth2/", kind))
                .expect("set");
        }
        let flow = world.begin().await;
        let (shown, html) = world.consent(&flow, &consent).await;
        assert!(
            shown == 200 && html.contains("Not signed in"),
            "{code}: {shown} {html}"
        );
        let (got, body) = world.refused(&flow).await;
        assert!(
            got == status && body.contains(code) && body.contains("remedy"),
            "{got} {body}"
        );
        // It stays told, for a plugin that asks again.
        assert_eq!(world.refused(&flow).await, (got, body));
    }

    for kind in [
        FaultKind::OauthError {
            error: "invalid_client".to_owned(),
        },
        FaultKind::Status { status: 500 },
        FaultKind::Nonsense,
        FaultKind::Reset,
    ] {
        world
            .google
            .fault(Fault::next("/token", kind.clone()))
            .expect("set");
        let flow = world.begin().await;
        world.consent(&flow, &picking()).await;
        let (status, body) = world.refused(&flow).await;
        assert!(
            status == 502 && body.contains("google"),
            "{kind:?}: {status} {body}"
        );
    }
}

#[tokio::test]
async fn a_sign_in_ends_by_itself() {
    let world = World::limited(|limits| limits.flow_life = Duration::from_millis(1)).await;
    let flow = world.begin().await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (status, body) = world.refused(&flow).await;
    assert!(status == 410 && body.contains("expired"), "{status} {body}");
}

#[tokio::test]
async fn a_sign_in_waits_for_its_plugin_through_every_sweep() {
    let world = World::limited(|limits| limits.sweep = Duration::from_millis(1)).await;
    let flow = world.begin().await;
    world.consent(&flow, &Consent::by(ANA)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let session = world.redeem(&flow).await.expect("signed in").session;
    let (status, body) = world
        .request("GET", "/v1/spreadsheets", &session, String::new())
        .await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn sign_ins_of_one_address_are_bounded() {
    let world = World::limited(|limits| limits.flows_per_address = 2).await;
    world.begin().await;
    world.begin().await;
    let body = format!("{{\"challenge\":\"{}\"}}", "A".repeat(43));
    let (status, body) = world.request("POST", "/v1/signin", "", body).await;
    assert!(
        status == 429 && body.contains("too_many"),
        "{status} {body}"
    );
    for nonsense in ["", "{}", "{\"challenge\":\"short\"}"] {
        assert_eq!(
            world
                .request("POST", "/v1/signin", "", nonsense.to_owned())
                .await
                .0,
            400
        );
    }
}

#[tokio::test]
async fn a_session_rotates_and_its_old_token_ends() {
    let world = World::limited(|limits| {
        limits.session_rotation = Duration::ZERO;
        limits.session_grace = Duration::ZERO;
    })
    .await;
    let old = world.sign_in(&Consent::by(ANA)).await;
    let renew = async |session: &str| {
        world
            .request("POST", "/v1/session/renew", session, String::new())
            .await
    };
    let (status, body) = renew(&old).await;
    assert_eq!(status, 200, "{body}");
    let new: SessionReply = serde_json::from_str(&body).expect("a session");
    assert_eq!(new.account, ANA);
    let list = async |session: &str| {
        world
            .request("GET", "/v1/spreadsheets", session, String::new())
            .await
            .0
    };
    assert_eq!(list(&new.session).await, 200);
    assert_eq!(list(&old).await, 401);
    // Two have this session, and nobody can tell who stole it.
    assert_eq!(list(&new.session).await, 401);
    assert_eq!(list("").await, 401);
    assert_eq!(renew("guessed").await.0, 401);
}

async fn renewed(world: &World, session: &str) -> String {
    let (status, body) = world
        .request("POST", "/v1/session/renew", session, String::new())
        .await;
    assert_eq!(status, 200, "{body}");
    let reply: SessionReply = serde_json::from_str(&body).expect("a session");
    assert!(reply.expires_in_s > 0);
    reply.session
}

#[tokio::test]
async fn a_young_session_keeps_its_token() {
    let world = World::start().await;
    let session = world.sign_in(&Consent::by(ANA)).await;
    assert_eq!(renewed(&world, &session).await, session);
}

#[tokio::test]
async fn every_panel_that_holds_the_old_token_may_renew_it_and_goes_on() {
    let world = World::limited(|limits| limits.session_rotation = Duration::ZERO).await;
    let old = world.sign_in(&Consent::by(BEN)).await;
    let mut held = Vec::new();
    // Each is a panel, or the same one whose reply got lost.
    for _ in 0..4 {
        held.push(renewed(&world, &old).await);
    }
    for session in &held {
        let (status, body) = world
            .request("GET", "/v1/spreadsheets", session, String::new())
            .await;
        assert_eq!(status, 200, "{body}");
    }
    held.push(old);
    held.sort();
    held.dedup();
    assert_eq!(held.len(), 5, "each has a token of its own");
}

#[tokio::test]
async fn the_last_sign_out_revokes_at_google() {
    let world = World::start().await;
    let (first, second) = (
        world.sign_in(&Consent::by(ANA)).await,
        world.sign_in(&Consent::by(ANA)).await,
    );
    let revoked = || {
        world
            .google
            .journal(0)
            .iter()
            .filter(|entry| entry.path == "/revoke")
            .count()
    };
    let leave = async |session: &str| {
        world
            .request("DELETE", "/v1/session", session, String::new())
            .await
            .0
    };
    assert_eq!((leave(&first).await, revoked()), (204, 0));
    assert_eq!((leave(&second).await, revoked()), (204, 1));
    assert_eq!(leave(&second).await, 401);
}
