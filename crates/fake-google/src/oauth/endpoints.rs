//! The addresses of OAuth: the consent pages, the token endpoint, revocation, and who the token speaks for.
//!
//! Owns reading their requests and writing their answers. Must not know the rules.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Flow, ShownError, Step, TokenError, TokenReply, is_identity, pages};
use crate::server::Answer;
use crate::world::World;

/// Values of a form or a query, in order.
type Fields = [(String, String)];

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

fn shown(error: &ShownError) -> Answer {
    Answer::html(error.status, pages::error(error))
}

/// `GET /o/oauth2/v2/auth`. `forced` is the error that a fault sends the browser back with.
pub(crate) fn authorize(
    world: &mut World,
    query: &Fields,
    user_agent: &str,
    forced: Option<String>,
) -> Answer {
    let request = match super::authorization_request(world, query, user_agent) {
        Ok(request) => request,
        Err(error) => return shown(&error),
    };
    if let Some(error) = forced {
        return back_with_error(&request, &error);
    }
    let now_ms = world.now_ms();
    let hinted = request
        .login_hint
        .clone()
        .filter(|hint| world.accounts.contains_key(hint));
    let select = request.select_account;
    if request.prompt_none {
        // Without a page there is only a silent consent, and only where everything was granted before.
        let Some(account) = hinted else {
            return back_with_error(&request, "login_required");
        };
        let granted = world.tokens.granted(&account, &request.client_id);
        if !request.scopes.iter().all(|scope| granted.contains(scope)) {
            return back_with_error(&request, "interaction_required");
        }
        let scopes = request.scopes.iter().cloned().collect();
        return back_with_code(world, &account, &request, scopes, None);
    }
    let flow = world.tokens.begin(request, now_ms);
    match hinted.filter(|_| !select) {
        Some(account) => account_chosen(world, &flow, &account),
        None => account_page(world, &flow),
    }
}

fn account_page(world: &mut World, flow_id: &str) -> Answer {
    let now_ms = world.now_ms();
    let Some(flow) = world.tokens.flow(flow_id, now_ms).cloned() else {
        return flow_is_gone();
    };
    let Some(client) = world.clients.get(&flow.request.client_id) else {
        return flow_is_gone();
    };
    Answer::html(
        200,
        pages::account_chooser(flow_id, client, world.accounts.values()),
    )
}

fn flow_is_gone() -> Answer {
    shown(&ShownError {
        status: 400,
        error: "invalid_request",
        message: "This sign-in has ended or took too long. Go back to the app and begin again.",
    })
}

/// `POST /o/oauth2/v2/auth/continue`: the next step of a flow.
pub(crate) fn proceed(world: &mut World, form: &Fields) -> Answer {
    let now_ms = world.now_ms();
    let flow_id = field(form, "flow").unwrap_or("").to_owned();
    let Some(Flow { request, step, .. }) = world.tokens.flow(&flow_id, now_ms).cloned() else {
        return flow_is_gone();
    };
    if field(form, "decision") == Some("deny") {
        world.tokens.end(&flow_id);
        return back_with_error(&request, "access_denied");
    }
    match step {
        Step::Account => match field(form, "account").map(str::to_owned) {
            Some(account) if world.accounts.contains_key(&account) => {
                account_chosen(world, &flow_id, &account)
            }
            Some(_) | None => account_page(world, &flow_id),
        },
        Step::Consent { account } => {
            let ticked: BTreeSet<&str> = form
                .iter()
                .filter(|(key, _)| key == "scope")
                .map(|(_, value)| value.as_str())
                .collect();
            let scopes: BTreeSet<String> = request
                .scopes
                .iter()
                .filter(|scope| is_identity(scope) || ticked.contains(scope.as_str()))
                .cloned()
                .collect();
            consented(world, &flow_id, &account, scopes)
        }
        Step::Picker { account, scopes } => {
            let picked: Vec<String> = form
                .iter()
                .filter(|(key, _)| key == "file")
                .map(|(_, value)| value.clone())
                .filter(|id| {
                    world
                        .files
                        .get(id)
                        .is_some_and(|file| file.roles.contains_key(&account))
                })
                .collect();
            if let Some(client) = world.clients.get(&request.client_id) {
                let project = client.project.clone();
                world.picked.extend(
                    picked
                        .iter()
                        .map(|id| (project.clone(), account.clone(), id.clone())),
                );
            }
            world.tokens.end(&flow_id);
            back_with_code(world, &account, &request, scopes, Some(&picked))
        }
    }
}

fn account_chosen(world: &mut World, flow_id: &str, account_email: &str) -> Answer {
    let now_ms = world.now_ms();
    let Some(request) = world
        .tokens
        .flow(flow_id, now_ms)
        .map(|flow| flow.request.clone())
    else {
        return flow_is_gone();
    };
    let (Some(client), Some(account)) = (
        world.clients.get(&request.client_id),
        world.accounts.get(account_email),
    ) else {
        return flow_is_gone();
    };
    if let Err(error) = super::may_sign_in(client, account) {
        world.tokens.end(flow_id);
        return shown(&error);
    }
    let granted = world.tokens.granted(account_email, &request.client_id);
    if !request.prompt_consent && request.scopes.iter().all(|scope| granted.contains(scope)) {
        let scopes = request.scopes.iter().cloned().collect();
        return consented(world, flow_id, account_email, scopes);
    }
    let html = pages::consent(flow_id, client, account, &request.scopes);
    if let Some(flow) = world.tokens.flow(flow_id, now_ms) {
        flow.step = Step::Consent {
            account: account_email.to_owned(),
        };
    }
    Answer::html(200, html)
}

fn consented(world: &mut World, flow_id: &str, account: &str, scopes: BTreeSet<String>) -> Answer {
    let now_ms = world.now_ms();
    let Some(request) = world
        .tokens
        .flow(flow_id, now_ms)
        .map(|flow| flow.request.clone())
    else {
        return flow_is_gone();
    };
    if scopes.is_empty() {
        // Nothing was ticked: there is nothing that a token could stand for.
        world.tokens.end(flow_id);
        return back_with_error(&request, "access_denied");
    }
    let drive_file = "https://www.googleapis.com/auth/drive.file";
    if !request.pick || !scopes.contains(drive_file) {
        world.tokens.end(flow_id);
        return back_with_code(world, account, &request, scopes, None);
    }
    let Some(client) = world.clients.get(&request.client_id) else {
        return flow_is_gone();
    };
    let files = world
        .files
        .iter()
        .filter(|(_, file)| !file.trashed && file.roles.contains_key(account))
        .map(|(id, file)| (id.as_str(), file.spreadsheet.title.as_str()));
    let html = pages::picker(flow_id, client, files);
    if let Some(flow) = world.tokens.flow(flow_id, now_ms) {
        flow.step = Step::Picker {
            account: account.to_owned(),
            scopes,
        };
    }
    Answer::html(200, html)
}

fn redirect(request: &super::AuthorizationRequest, pairs: &[(&str, &str)]) -> Answer {
    match url::Url::parse(&request.redirect_uri) {
        Ok(mut url) => {
            {
                let mut query = url.query_pairs_mut();
                if let Some(state) = &request.state {
                    query.append_pair("state", state);
                }
                query.extend_pairs(pairs);
            }
            Answer::redirect(url.as_str())
        }
        Err(_) => shown(&ShownError {
            status: 400,
            error: "invalid_request",
            message: "The registered redirect URI is not an address.",
        }),
    }
}

fn back_with_error(request: &super::AuthorizationRequest, error: &str) -> Answer {
    redirect(request, &[("error", error)])
}

fn back_with_code(
    world: &mut World,
    account: &str,
    request: &super::AuthorizationRequest,
    scopes: BTreeSet<String>,
    picked: Option<&[String]>,
) -> Answer {
    let now_ms = world.now_ms();
    let code = world.tokens.code(account, request, scopes.clone(), now_ms);
    let mut scopes = scopes;
    if request.include_granted {
        scopes.extend(world.tokens.granted(account, &request.client_id));
    }
    let scope = scopes
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let picked = picked.map(|picked| picked.join(","));
    let mut pairs = vec![
        ("code", code.as_str()),
        ("scope", scope.as_str()),
        ("authuser", "0"),
        ("prompt", "consent"),
    ];
    if let Some(picked) = &picked {
        pairs.push(("picked_file_ids", picked));
    }
    redirect(request, &pairs)
}

/// An answer in the token endpoint's error form.
pub(crate) fn token_error(error: &TokenError) -> Answer {
    let body = json!({"error": error.error, "error_description": error.description});
    Answer::json(error.status, &body)
}

/// `POST /token`.
pub(crate) fn token(world: &mut World, form: &Fields, authorization: Option<&str>) -> Answer {
    match token_reply(world, form, authorization) {
        Ok(reply) => {
            let scope = reply
                .scopes
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ");
            let mut body = json!({
                "access_token": reply.access_token,
                "expires_in": super::ACCESS_TOKEN_LIFE_MS / 1_000 - 1,
                "scope": scope,
                "token_type": "Bearer",
            });
            if let Some(token) = reply.refresh_token {
                body["refresh_token"] = json!(token);
            }
            if let Some(life_s) = reply.refresh_token_life_s {
                body["refresh_token_expires_in"] = json!(life_s);
            }
            Answer::json(200, &body)
        }
        Err(error) => token_error(&error),
    }
}

/// Client id and secret from `Authorization: Basic`, as RFC 6749 §2.3.1 encodes them.
fn basic(authorization: Option<&str>) -> Option<(String, String)> {
    let encoded = authorization?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("v={text}");
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}

fn token_reply(
    world: &mut World,
    form: &Fields,
    authorization: Option<&str>,
) -> Result<TokenReply, TokenError> {
    let basic = basic(authorization);
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (field(form, "client_id"), field(form, "client_secret")),
    };
    let client = super::authenticate_client(world, id, secret)?.clone();
    match field(form, "grant_type") {
        Some("authorization_code") => super::exchange(
            world,
            &client,
            field(form, "code"),
            field(form, "redirect_uri"),
            field(form, "code_verifier"),
        ),
        Some("refresh_token") => super::refresh(
            world,
            &client,
            field(form, "refresh_token"),
            field(form, "scope"),
        ),
        Some(other) => Err(TokenError::new(
            400,
            "unsupported_grant_type",
            &format!("Invalid grant_type: {other}"),
        )),
        None => Err(TokenError::new(
            400,
            "invalid_request",
            "Missing required parameter: grant_type",
        )),
    }
}

/// `POST /revoke`.
pub(crate) fn revoke(world: &mut World, fields: &Fields) -> Answer {
    let now_ms = world.now_ms();
    match field(fields, "token") {
        None => token_error(&TokenError::new(
            400,
            "invalid_request",
            "Missing required parameter: token",
        )),
        Some(token) if world.tokens.revoke(token, now_ms) => Answer::json(200, &json!({})),
        Some(_) => token_error(&TokenError::new(
            400,
            "invalid_token",
            "Token expired or revoked",
        )),
    }
}

/// `GET /oauth2/v2/userinfo`.
pub(crate) fn userinfo(world: &World, account: &str, scopes: &BTreeSet<String>) -> Value {
    let Some(account) = world.accounts.get(account) else {
        return json!({});
    };
    let mut out = json!({"id": account.id()});
    if scopes.contains("https://www.googleapis.com/auth/userinfo.email") {
        out["email"] = json!(account.email);
        out["verified_email"] = json!(true);
    }
    if scopes.contains("https://www.googleapis.com/auth/userinfo.profile") {
        let (given, family) = account.name.split_once(' ').unwrap_or((&account.name, ""));
        out["name"] = json!(account.name);
        out["given_name"] = json!(given);
        out["family_name"] = json!(family);
    }
    if let Some(domain) = &account.domain {
        out["hd"] = json!(domain);
    }
    out
}

/// `POST /oauth2/v2/tokeninfo`.
pub(crate) fn tokeninfo(world: &World, query: &Fields) -> Answer {
    let token = field(query, "access_token").unwrap_or("");
    let Some((caller, client_id, life_s)) = super::caller(world, token) else {
        return token_error(&TokenError::new(400, "invalid_token", "Invalid Value"));
    };
    let mut out = json!({
        "issued_to": client_id,
        "audience": client_id,
        "scope": caller.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        "expires_in": life_s,
    });
    if let Some(account) = world.accounts.get(&caller.account) {
        out["user_id"] = json!(account.id());
        if caller
            .scopes
            .contains("https://www.googleapis.com/auth/userinfo.email")
        {
            out["email"] = json!(account.email);
            out["verified_email"] = json!(true);
        }
    }
    Answer::json(200, &out)
}
