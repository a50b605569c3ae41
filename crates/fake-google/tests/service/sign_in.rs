//! OAuth: consent, codes, tokens, and every error that Google has for them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_google::{Client, Consent, Fault, FaultKind, SignInError};
use sha2::{Digest, Sha256};

use crate::app::{
    ANA, BEN, CALLBACK, DRIVE_FILE, SPREADSHEETS, authorization_url, bare_token, call, get, google,
    parameter, refresh, spreadsheet, token, tokens,
};

const DAY_MS: u64 = 86_400_000;

fn offline(scope: &str) -> String {
    format!("&scope={scope}&access_type=offline")
}

#[tokio::test]
async fn one_trip_signs_in_and_picks_the_sheet() {
    let google = google().await;
    let picked = spreadsheet(&google, &[&["name", "light"]]);
    let other = spreadsheet(&google, &[&["other"]]);
    let more = format!(
        "{}&prompt=consent&trigger_onepick=true",
        offline(&format!("openid+email+{DRIVE_FILE}"))
    );
    let consent = Consent::by(ANA).picking(&picked);
    let back = google
        .sign_in(&authorization_url(&google, &more), &consent)
        .await
        .expect("comes back");
    assert!(back.starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("s1"));
    assert_eq!(parameter(&back, "picked_file_ids"), Some(picked.clone()));
    let code = parameter(&back, "code").expect("a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    let (status, reply) = token(&google, &form).await;
    assert_eq!(status, 200, "{reply}");
    assert!(reply["refresh_token"].is_string());
    assert_eq!(reply["expires_in"], 3_599);
    let access = reply["access_token"].as_str().expect("a token");
    let (status, _) = get(&google, access, &format!("/v4/spreadsheets/{picked}")).await;
    assert_eq!(status, 200);
    let (status, _) = get(&google, access, &format!("/v4/spreadsheets/{other}")).await;
    assert_eq!(status, 403, "drive.file opens only what was picked");
    let (_, files) = get(&google, access, "/drive/v3/files").await;
    assert_eq!(files["files"].as_array().map(Vec::len), Some(1), "{files}");
    let (_, who) = get(&google, access, "/oauth2/v2/userinfo").await;
    assert_eq!(who["email"], ANA);
}

#[tokio::test]
async fn the_person_can_refuse_and_untick() {
    let google = google().await;
    let url = authorization_url(
        &google,
        &offline(&format!("openid+{DRIVE_FILE}+{SPREADSHEETS}")),
    );
    let refused = Consent {
        deny: true,
        ..Consent::by(ANA)
    };
    let back = google.sign_in(&url, &refused).await.expect("comes back");
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s1"));
    assert_eq!(parameter(&back, "code"), None);
    let unticked = Consent::by(ANA).unticking(SPREADSHEETS);
    let reply = tokens(
        &google,
        &offline(&format!("openid+{DRIVE_FILE}+{SPREADSHEETS}")),
        &unticked,
    )
    .await;
    assert_eq!(reply["scope"], format!("{DRIVE_FILE} openid"));
    let access = reply["access_token"].as_str().expect("a token");
    let nothing = Consent::by(ANA).unticking(DRIVE_FILE);
    let url = authorization_url(&google, &format!("{}&prompt=consent", offline(DRIVE_FILE)));
    let back = google.sign_in(&url, &nothing).await.expect("comes back");
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    let (status, reply) = call(
        &google,
        access,
        "POST",
        "/v4/spreadsheets",
        Some(serde_json::json!({})),
    )
    .await;
    assert_eq!(status, 200, "drive.file may create: {reply}");
    let identity = google.access_token(ANA, &["openid"]).expect("known");
    let (status, reply) = get(&google, &identity, "/drive/v3/files").await;
    assert_eq!(
        (status, &reply["error"]["message"]),
        (
            403,
            &"Request had insufficient authentication scopes.".into()
        )
    );
}

#[tokio::test]
async fn errors_that_google_shows_instead_of_sending_the_browser_back() {
    let google = google().await;
    let base = google.base_url().to_owned();
    let client = google
        .client(fake_google::DEFAULT_CLIENT_ID)
        .expect("registered");
    let register = |id: &str, change: fn(&mut Client)| {
        let mut client = Client {
            client_id: id.to_owned(),
            ..client.clone()
        };
        change(&mut client);
        google.register_client(client);
    };
    register("deleted", |client| client.deleted = true);
    register("strict", |client| client.any_loopback_port = false);
    register("internal", |client| {
        client.internal_domain = Some("example.org".to_owned())
    });
    register("testing", |client| {
        client.testing = true;
        client.test_users = vec![BEN.to_owned()];
    });
    let mut bound = google.account(BEN).expect("known");
    bound.email = "cleo@example.org".to_owned();
    bound.admin_policy_enforced = true;
    google.put_account(bound);
    let here = format!("redirect_uri={CALLBACK}");
    let there = "redirect_uri=http://localhost:9999/oauth/callback";
    let known = fake_google::DEFAULT_CLIENT_ID;
    let scope = format!("scope={DRIVE_FILE}");
    for (query, account, expected) in [
        (
            format!("{here}&response_type=code&{scope}"),
            ANA,
            "invalid_request",
        ),
        (
            format!("client_id=nobody&{here}&response_type=code&{scope}"),
            ANA,
            "invalid_client",
        ),
        (
            format!("client_id=deleted&{here}&response_type=code&{scope}"),
            ANA,
            "deleted_client",
        ),
        (
            format!("client_id=strict&{there}&response_type=code&{scope}"),
            ANA,
            "redirect_uri_mismatch",
        ),
        (
            format!("client_id={known}&redirect_uri={CALLBACK}/&response_type=code&{scope}"),
            ANA,
            "redirect_uri_mismatch",
        ),
        (
            format!(
                "client_id={known}&redirect_uri=https://evil.example/oauth/callback&response_type=code&{scope}"
            ),
            ANA,
            "redirect_uri_mismatch",
        ),
        (
            format!("client_id={known}&{here}&{scope}"),
            ANA,
            "invalid_request",
        ),
        (
            format!("client_id={known}&{here}&response_type=token&{scope}"),
            ANA,
            "unsupported_response_type",
        ),
        (
            format!("client_id={known}&{here}&response_type=code"),
            ANA,
            "invalid_request",
        ),
        (
            format!("client_id={known}&{here}&response_type=code&scope=everything"),
            ANA,
            "invalid_scope",
        ),
        (
            format!(
                "client_id={known}&{here}&response_type=code&{scope}&code_challenge=short&code_challenge_method=S256"
            ),
            ANA,
            "invalid_request",
        ),
        (
            format!("client_id={known}&{here}&response_type=code&{scope}&trigger_onepick=true"),
            ANA,
            "invalid_request",
        ),
        (
            format!("client_id=internal&{here}&response_type=code&{scope}"),
            ANA,
            "org_internal",
        ),
        (
            format!("client_id=testing&{here}&response_type=code&{scope}"),
            ANA,
            "access_denied",
        ),
        (
            format!("client_id={known}&{here}&response_type=code&{scope}"),
            "cleo@example.org",
            "admin_policy_enforced",
        ),
    ] {
        match google
            .sign_in(
                &format!("{base}/o/oauth2/v2/auth?{query}"),
                &Consent::by(account),
            )
            .await
        {
            Err(SignInError::Shown(error)) => assert_eq!(error, expected, "{query}"),
            other => panic!("{query} came to {other:?} and not to {expected}"),
        }
    }
    let url = authorization_url(&google, &offline(DRIVE_FILE));
    let embedded = "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 Chrome/120 Mobile";
    let reply = reqwest::Client::new()
        .get(&url)
        .header("user-agent", embedded)
        .send()
        .await
        .expect("answered");
    assert_eq!(reply.status(), 403);
    assert!(
        reply
            .text()
            .await
            .expect("a page")
            .contains("disallowed_useragent")
    );
    for error in [
        "admin_policy_enforced",
        "org_internal",
        "temporarily_unavailable",
    ] {
        let kind = FaultKind::OauthRedirect {
            error: error.to_owned(),
        };
        google
            .fault(Fault::next("/o/oauth2/v2/auth", kind))
            .expect("room");
        let back = google
            .sign_in(&url, &Consent::by(ANA))
            .await
            .expect("comes back");
        assert_eq!(parameter(&back, "error").as_deref(), Some(error));
    }
}

#[tokio::test]
async fn errors_of_the_token_endpoint() {
    let google = google().await;
    let code_for = async |more: &str| {
        let url = authorization_url(
            &google,
            &format!("{}&prompt=consent{more}", offline(DRIVE_FILE)),
        );
        let back = google
            .sign_in(&url, &Consent::by(ANA))
            .await
            .expect("comes back");
        parameter(&back, "code").expect("a code")
    };
    let id = fake_google::DEFAULT_CLIENT_ID;
    let secret = fake_google::DEFAULT_CLIENT_SECRET;
    let grant = ("grant_type", "authorization_code");
    let uri = ("redirect_uri", CALLBACK);
    let code = code_for("").await;
    let code = ("code", code.as_str());
    for (form, status, error) in [
        (
            vec![grant, code, uri, ("client_id", id)],
            400,
            "invalid_request",
        ),
        (
            vec![
                grant,
                code,
                uri,
                ("client_id", id),
                ("client_secret", "guess"),
            ],
            401,
            "invalid_client",
        ),
        (
            vec![
                grant,
                code,
                uri,
                ("client_id", "nobody"),
                ("client_secret", secret),
            ],
            401,
            "invalid_client",
        ),
        (
            vec![grant, uri, ("client_id", id), ("client_secret", secret)],
            400,
            "invalid_request",
        ),
        (
            vec![
                grant,
                ("code", "4/0xyz"),
                uri,
                ("client_id", id),
                ("client_secret", secret),
            ],
            400,
            "invalid_grant",
        ),
        (
            vec![
                grant,
                code,
                ("redirect_uri", "http://localhost:1/oauth/callback"),
                ("client_id", id),
                ("client_secret", secret),
            ],
            400,
            "redirect_uri_mismatch",
        ),
        (
            vec![
                ("grant_type", "password"),
                ("client_id", id),
                ("client_secret", secret),
            ],
            400,
            "unsupported_grant_type",
        ),
    ] {
        let (found, reply) = bare_token(&google, &form).await;
        assert_eq!(
            (found, reply["error"].as_str()),
            (status, Some(error)),
            "{form:?}"
        );
    }
    // The code is still good, once.
    assert_eq!(token(&google, &[grant, code, uri]).await.0, 200);
    let (status, reply) = token(&google, &[grant, code, uri]).await;
    assert_eq!(
        (status, reply["error"].as_str()),
        (400, Some("invalid_grant"))
    );
    let late = code_for("").await;
    google.advance_clock(600_001);
    let (status, reply) = token(&google, &[grant, ("code", &late), uri]).await;
    assert_eq!(
        (status, reply["error"].as_str()),
        (400, Some("invalid_grant"))
    );
    // PKCE.
    let verifier = "v".repeat(43);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let code = code_for(&format!(
        "&code_challenge={challenge}&code_challenge_method=S256"
    ))
    .await;
    let code = ("code", code.as_str());
    for (more, status) in [
        (None, 400),
        (Some(("code_verifier", "w".repeat(43))), 400),
        (Some(("code_verifier", verifier.clone())), 200),
    ] {
        let mut form = vec![grant, code, uri];
        form.extend(more.as_ref().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(token(&google, &form).await.0, status, "{form:?}");
    }
    google
        .fault(Fault::next(
            "/token",
            FaultKind::OauthError {
                error: "invalid_client".to_owned(),
            },
        ))
        .expect("room");
    let (status, reply) = refresh(&google, "any").await;
    assert_eq!(
        (status, reply["error"].as_str()),
        (401, Some("invalid_client"))
    );
}

#[tokio::test]
async fn a_refresh_token_comes_with_offline_access_and_a_real_consent() {
    let google = google().await;
    let ana = Consent::by(ANA);
    let online = tokens(&google, &format!("&scope={DRIVE_FILE}"), &ana).await;
    assert!(online.get("refresh_token").is_none());
    let silent = tokens(&google, &offline(DRIVE_FILE), &ana).await;
    assert!(
        silent.get("refresh_token").is_none(),
        "everything was granted before"
    );
    let asked = tokens(
        &google,
        &format!("{}&prompt=consent", offline(DRIVE_FILE)),
        &ana,
    )
    .await;
    assert!(asked["refresh_token"].is_string());
    let wider = tokens(&google, &offline(SPREADSHEETS), &ana).await;
    assert!(
        wider["refresh_token"].is_string(),
        "a further scope was consented to"
    );
    let ben = tokens(&google, &offline(DRIVE_FILE), &Consent::by(BEN)).await;
    assert!(ben["refresh_token"].is_string(), "Ben's first consent");
    let none = format!("{}&prompt=none&login_hint={ANA}", offline("email"));
    let back = google
        .sign_in(&authorization_url(&google, &none), &ana)
        .await
        .expect("comes back");
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("interaction_required")
    );
}

#[tokio::test]
async fn tokens_die_when_google_lets_them_die() {
    let google = google().await;
    let again = format!("{}&prompt=consent", offline(SPREADSHEETS));
    let ana = Consent::by(ANA);
    let reply = tokens(&google, &again, &ana).await;
    let access = reply["access_token"].as_str().expect("a token").to_owned();
    let first = reply["refresh_token"].as_str().expect("a token").to_owned();
    let sheet = format!("/v4/spreadsheets/{}", spreadsheet(&google, &[&["a"]]));
    assert_eq!(get(&google, &access, &sheet).await.0, 200);
    google.advance_clock(3_600_000);
    let (status, error) = get(&google, &access, &sheet).await;
    assert_eq!(
        (status, error["error"]["status"].as_str()),
        (401, Some("UNAUTHENTICATED"))
    );
    let (_, renewed) = refresh(&google, &first).await;
    assert!(renewed.get("refresh_token").is_none());
    assert_eq!(
        get(
            &google,
            renewed["access_token"].as_str().expect("a token"),
            &sheet
        )
        .await
        .0,
        200
    );

    // Six months unused; use starts them anew.
    google.advance_clock(181 * DAY_MS);
    assert_eq!(refresh(&google, &first).await.0, 200);
    google.advance_clock(181 * DAY_MS);
    assert_eq!(refresh(&google, &first).await.0, 200);
    google.advance_clock(182 * DAY_MS);
    let (status, error) = refresh(&google, &first).await;
    assert_eq!(
        (status, error["error"].as_str()),
        (400, Some("invalid_grant"))
    );

    // The 101st token of an account and client kills the oldest.
    let mut kept = Vec::new();
    for _ in 0..101 {
        let reply = tokens(&google, &again, &ana).await;
        kept.push(reply["refresh_token"].as_str().expect("a token").to_owned());
    }
    assert_eq!(refresh(&google, &kept[0]).await.0, 400);
    assert_eq!(refresh(&google, &kept[1]).await.0, 200);
    assert_eq!(google.state().refresh_tokens[ANA], 100);

    // Revoking one token revokes the grant.
    let url = format!("{}/revoke", google.base_url());
    let revoke = async |token: &str| {
        let reply = reqwest::Client::new()
            .post(&url)
            .form(&[("token", token)])
            .send()
            .await
            .expect("answered");
        reply.status().as_u16()
    };
    assert_eq!(revoke(&kept[5]).await, 200);
    assert_eq!(revoke(&kept[5]).await, 400);
    assert_eq!(
        refresh(&google, &kept[50]).await.1["error"],
        "invalid_grant"
    );

    // An administrator.
    let reply = tokens(&google, &again, &ana).await;
    let token = reply["refresh_token"].as_str().expect("a token");
    let mut account = google.account(ANA).expect("known");
    account.admin_policy_enforced = true;
    google.put_account(account);
    assert_eq!(
        refresh(&google, token).await.1["error"],
        "admin_policy_enforced"
    );
}

#[tokio::test]
async fn an_app_in_testing_is_forgotten_after_a_week() {
    let google = google().await;
    let mut client = google
        .client(fake_google::DEFAULT_CLIENT_ID)
        .expect("registered");
    client.testing = true;
    google.register_client(client);
    let reply = tokens(&google, &offline(SPREADSHEETS), &Consent::by(ANA)).await;
    assert_eq!(reply["refresh_token_expires_in"], 604_799);
    let token = reply["refresh_token"].as_str().expect("a token");
    google.advance_clock(7 * DAY_MS - 60_000);
    assert_eq!(refresh(&google, token).await.0, 200);
    google.advance_clock(60_000);
    assert_eq!(refresh(&google, token).await.1["error"], "invalid_grant");
    let identity = tokens(
        &google,
        &format!("{}&prompt=consent", offline("openid")),
        &Consent::by(BEN),
    )
    .await;
    assert!(
        identity.get("refresh_token_expires_in").is_none(),
        "identity alone is spared"
    );
}
