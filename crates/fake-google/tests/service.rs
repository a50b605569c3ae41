//! Fake Google over real sockets: signing in, reading, faults, quotas, the clock and change notices.

use fake_google::{Consent, FakeGoogle, NewSpreadsheet};
use serde_json::Value;

const CALLBACK: &str = "http://localhost:8787/callback";

fn authorization_url(google: &FakeGoogle, more: &str) -> String {
    format!(
        "{}/o/oauth2/v2/auth?client_id={}&redirect_uri={CALLBACK}&response_type=code&state=s1{more}",
        google.base_url(),
        fake_google::DEFAULT_CLIENT_ID
    )
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).expect("an address");
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

async fn token(google: &FakeGoogle, form: &[(&str, &str)]) -> (u16, Value) {
    let mut form = form.to_vec();
    form.push(("client_id", fake_google::DEFAULT_CLIENT_ID));
    form.push(("client_secret", fake_google::DEFAULT_CLIENT_SECRET));
    let url = format!("{}/token", google.base_url());
    let reply = reqwest::Client::new()
        .post(url)
        .form(&form)
        .send()
        .await
        .expect("answered");
    (reply.status().as_u16(), reply.json().await.expect("JSON"))
}

async fn get(google: &FakeGoogle, token: &str, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", google.base_url());
    let reply = reqwest::Client::new()
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .expect("answered");
    (reply.status().as_u16(), reply.json().await.expect("JSON"))
}

#[tokio::test]
async fn one_trip_signs_in_and_picks_the_sheet() {
    let google = FakeGoogle::start().await.expect("starts");
    google.register_redirect_uri(CALLBACK);
    let rows: &[&[&str]] = &[&["name", "light"], &["blue", "4/8"], &["half", "50%"]];
    let made = google
        .create_spreadsheet(NewSpreadsheet::of_texts("Tokens", rows))
        .expect("made");
    let other = google
        .create_spreadsheet(NewSpreadsheet::of_texts("Other", rows))
        .expect("made");
    let scope = "&scope=openid+email+https://www.googleapis.com/auth/drive.file";
    let url = authorization_url(
        &google,
        &format!("{scope}&access_type=offline&prompt=consent&trigger_onepick=true"),
    );
    let consent = Consent::by("ana@example.com").picking(&made.spreadsheet_id);
    let back = google.sign_in(&url, &consent).await.expect("comes back");
    assert!(back.starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("s1"));
    assert_eq!(
        parameter(&back, "picked_file_ids"),
        Some(made.spreadsheet_id.clone())
    );
    let code = parameter(&back, "code").expect("a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    let (status, reply) = token(&google, &form).await;
    assert_eq!(status, 200, "{reply}");
    assert!(reply["refresh_token"].is_string());
    let access = reply["access_token"].as_str().expect("a token");
    let fields = "fields=properties.locale,sheets(properties(sheetId,title),data(rowData(values(effectiveValue,formattedValue,effectiveFormat.numberFormat.type))))";
    let (status, reply) = get(
        &google,
        access,
        &format!(
            "/v4/spreadsheets/{}?ranges=Tokens&{fields}",
            made.spreadsheet_id
        ),
    )
    .await;
    assert_eq!(status, 200, "{reply}");
    let cells = &reply["sheets"][0]["data"][0]["rowData"];
    assert_eq!(
        cells[1]["values"][1]["effectiveFormat"]["numberFormat"]["type"],
        "DATE"
    );
    assert_eq!(cells[2]["values"][1]["formattedValue"], "50%");
    assert_eq!(cells[2]["values"][1]["effectiveValue"]["numberValue"], 0.5);
    assert_eq!(
        cells[0]["values"][0]["effectiveFormat"],
        serde_json::json!({}),
        "nothing else of the format was asked for"
    );
    let (status, _) = get(
        &google,
        access,
        &format!("/v4/spreadsheets/{}", other.spreadsheet_id),
    )
    .await;
    assert_eq!(status, 403, "drive.file opens only what was picked");
    let (_, files) = get(
        &google,
        access,
        "/drive/v3/files?q=mimeType%3D'application/vnd.google-apps.spreadsheet'",
    )
    .await;
    assert_eq!(files["files"].as_array().map(Vec::len), Some(1), "{files}");
    let (_, who) = get(&google, access, "/oauth2/v2/userinfo").await;
    assert_eq!(who["email"], "ana@example.com");
}
