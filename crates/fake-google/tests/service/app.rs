//! An app that uses Google: it signs people in, exchanges codes and calls the APIs.
//!
//! Owns the calls. Must not know what the tests expect.

use fake_google::{Consent, FakeGoogle, NewSpreadsheet};
use serde_json::Value;

/// The registered redirect URI.
pub const CALLBACK: &str = "http://localhost:8787/oauth/callback";
/// The default account.
pub const ANA: &str = "ana@example.com";
/// The other account.
pub const BEN: &str = "ben@example.com";
/// The scope of picked files.
pub const DRIVE_FILE: &str = "https://www.googleapis.com/auth/drive.file";
/// The scope of all spreadsheets.
pub const SPREADSHEETS: &str = "https://www.googleapis.com/auth/spreadsheets";

/// A fresh fake Google.
pub async fn google() -> FakeGoogle {
    FakeGoogle::start().await.expect("a free port")
}

/// A spreadsheet of Ana's with one tab.
pub fn spreadsheet(google: &FakeGoogle, rows: &[&[&str]]) -> String {
    google
        .create_spreadsheet(NewSpreadsheet::of_texts("Tokens", rows))
        .expect("made")
        .spreadsheet_id
}

/// The address to which the app sends the browser; `more` begins with `&`.
pub fn authorization_url(google: &FakeGoogle, more: &str) -> String {
    format!(
        "{}/o/oauth2/v2/auth?client_id={}&redirect_uri={CALLBACK}&response_type=code&state=s1{more}",
        google.base_url(),
        fake_google::DEFAULT_CLIENT_ID
    )
}

/// A parameter of the address to which the browser came back.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).expect("an address");
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A call of the token endpoint by the client that is registered from the start.
pub async fn token(google: &FakeGoogle, form: &[(&str, &str)]) -> (u16, Value) {
    let mut form = form.to_vec();
    form.push(("client_id", fake_google::DEFAULT_CLIENT_ID));
    form.push(("client_secret", fake_google::DEFAULT_CLIENT_SECRET));
    bare_token(google, &form).await
}

/// A call of the token endpoint with this form alone.
pub async fn bare_token(google: &FakeGoogle, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/token", google.base_url());
    let reply = reqwest::Client::new()
        .post(url)
        .form(form)
        .send()
        .await
        .expect("answered");
    (reply.status().as_u16(), reply.json().await.expect("JSON"))
}

/// Signs in, exchanges the code and returns the token endpoint's answer.
pub async fn tokens(google: &FakeGoogle, more: &str, consent: &Consent) -> Value {
    let back = google
        .sign_in(&authorization_url(google, more), consent)
        .await
        .expect("comes back");
    let code = parameter(&back, "code").expect("a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    let (status, reply) = token(google, &form).await;
    assert_eq!(status, 200, "{reply}");
    reply
}

/// A new access token for a refresh token.
pub async fn refresh(google: &FakeGoogle, refresh_token: &str) -> (u16, Value) {
    token(
        google,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ],
    )
    .await
}

/// Calls an API.
pub async fn call(
    google: &FakeGoogle,
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request =
        reqwest::Client::new().request(method, format!("{}{path}", google.base_url()));
    request = request.bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let reply = request.send().await.expect("answered");
    let status = reply.status().as_u16();
    (status, reply.json().await.unwrap_or(Value::Null))
}

/// Calls an API with GET.
pub async fn get(google: &FakeGoogle, token: &str, path: &str) -> (u16, Value) {
    call(google, token, "GET", path, None).await
}

/// Ana's token for all her spreadsheets.
pub fn ana(google: &FakeGoogle) -> String {
    google
        .access_token(ANA, &[SPREADSHEETS, DRIVE_FILE])
        .expect("known")
}
