//! Google's OAuth 2.0: who may sign in where, what a consent gives, and how long tokens live.
//!
//! Owns the rules over clients, codes and tokens. Must not know HTTP or pages ([`pages`] and [`endpoints`] do).
//! Sources: <https://developers.google.com/identity/protocols/oauth2>, its web-server guide, and RFC 7636.

pub(crate) mod endpoints;
pub(crate) mod pages;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::DAY_MS;
use crate::world::{Account, Caller, Client, World};

/// Life of an access token.
pub(crate) const ACCESS_TOKEN_LIFE_MS: u64 = 3_600_000;
/// Life of an authorisation code.
pub(crate) const CODE_LIFE_MS: u64 = 600_000;
/// How long a consent page can be left open.
pub(crate) const FLOW_LIFE_MS: u64 = 1_800_000;
/// A refresh token that was not used for so long is dead.
pub(crate) const UNUSED_LIFE_MS: u64 = 182 * DAY_MS;
/// Life of a refresh token of an app in testing.
pub(crate) const TESTING_LIFE_MS: u64 = 7 * DAY_MS;
/// Live refresh tokens of an account and client; one more kills the oldest.
pub(crate) const REFRESH_TOKENS_MAX: usize = 100;
/// Open consent pages, unused codes and access tokens that are kept; the oldest go first.
const KEPT_MAX: usize = 10_000;

/// Random text in base64url of that length, for tokens and ids.
pub(crate) fn random_text(length: usize) -> String {
    let mut out = String::new();
    while out.len() < length {
        out.push_str(&URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    }
    out.truncate(length);
    out
}

/// What an app asks for when it sends the browser to Google.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    /// Full names, in the order asked.
    pub(crate) scopes: Vec<String>,
    pub(crate) offline: bool,
    pub(crate) prompt_consent: bool,
    pub(crate) prompt_none: bool,
    pub(crate) select_account: bool,
    pub(crate) login_hint: Option<String>,
    pub(crate) include_granted: bool,
    /// `code_challenge` and whether it is S256.
    pub(crate) challenge: Option<(String, bool)>,
    /// The file picker is part of the consent.
    pub(crate) pick: bool,
}

/// An error that Google shows to the person instead of sending the browser back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShownError {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) message: &'static str,
}

impl ShownError {
    const fn new(status: u16, error: &'static str, message: &'static str) -> Self {
        ShownError {
            status,
            error,
            message,
        }
    }
}

const IDENTITY_SCOPES: [&str; 3] = [
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
];

/// Whether a scope only tells who someone is. Such scopes have no checkbox.
pub(crate) fn is_identity(scope: &str) -> bool {
    IDENTITY_SCOPES.contains(&scope)
}

/// A scope's full name, if Google knows it: `email` and `profile` are short for longer ones.
fn full_scope(name: &str) -> Option<String> {
    const API_SCOPES: [&str; 11] = [
        "drive",
        "drive.appdata",
        "drive.appfolder",
        "drive.file",
        "drive.install",
        "drive.meet.readonly",
        "drive.metadata",
        "drive.metadata.readonly",
        "drive.readonly",
        "spreadsheets",
        "spreadsheets.readonly",
    ];
    match name {
        "email" | "profile" => Some(format!("https://www.googleapis.com/auth/userinfo.{name}")),
        _ if is_identity(name) => Some(name.to_owned()),
        _ => {
            let short = name.strip_prefix("https://www.googleapis.com/auth/")?;
            API_SCOPES.contains(&short).then(|| name.to_owned())
        }
    }
}

/// Reads the query of the authorisation endpoint, and refuses what Google refuses before it shows a page.
pub(crate) fn authorization_request(
    world: &World,
    query: &[(String, String)],
    user_agent: &str,
) -> Result<AuthorizationRequest, ShownError> {
    let get = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    let invalid = |message| ShownError::new(400, "invalid_request", message);
    let client_id = get("client_id").ok_or(invalid("Missing required parameter: client_id"))?;
    let client = world.clients.get(client_id).ok_or(ShownError::new(
        401,
        "invalid_client",
        "The OAuth client was not found.",
    ))?;
    if client.deleted {
        return Err(ShownError::new(
            401,
            "deleted_client",
            "The OAuth client was deleted.",
        ));
    }
    let redirect_uri =
        get("redirect_uri").ok_or(invalid("Missing required parameter: redirect_uri"))?;
    if !client.may_return_to(redirect_uri) {
        return Err(ShownError::new(
            400,
            "redirect_uri_mismatch",
            "The redirect URI in the request does not match the ones authorized for the OAuth client.",
        ));
    }
    // Embedded browsers, as far as their name tells them.
    if user_agent.contains("; wv)") || user_agent.contains("WebView") {
        return Err(ShownError::new(
            403,
            "disallowed_useragent",
            "The request does not comply with Google's \"Use secure browsers\" policy.",
        ));
    }
    match get("response_type") {
        Some("code") => {}
        None => return Err(invalid("Required parameter is missing: response_type")),
        Some(_) => {
            return Err(ShownError::new(
                400,
                "unsupported_response_type",
                "Invalid response_type",
            ));
        }
    }
    let scopes: Vec<String> = get("scope")
        .ok_or(invalid("Missing required parameter: scope"))?
        .split_whitespace()
        .map(full_scope)
        .collect::<Option<_>>()
        .ok_or(ShownError::new(
            400,
            "invalid_scope",
            "Some requested scopes were invalid.",
        ))?;
    let challenge = match (get("code_challenge"), get("code_challenge_method")) {
        (None, None) => None,
        (None, Some(_)) => return Err(invalid("Missing required parameter: code_challenge")),
        (Some(challenge), method) => {
            if !(43..=128).contains(&challenge.len()) {
                return Err(invalid(
                    "Invalid parameter value for code_challenge: must be 43 to 128 characters long",
                ));
            }
            match method {
                Some("S256") => Some((challenge.to_owned(), true)),
                None | Some("plain") => Some((challenge.to_owned(), false)),
                Some(_) => {
                    return Err(invalid("Invalid parameter value for code_challenge_method"));
                }
            }
        }
    };
    let prompts: BTreeSet<&str> = get("prompt").unwrap_or("").split_whitespace().collect();
    if prompts.contains("none") && prompts.len() > 1 {
        return Err(invalid(
            "Invalid parameter value for prompt: none must stand alone",
        ));
    }
    let offline = match get("access_type") {
        None | Some("online") => false,
        Some("offline") => true,
        Some(_) => return Err(invalid("Invalid parameter value for access_type")),
    };
    let pick = get("trigger_onepick") == Some("true");
    let drive_file = "https://www.googleapis.com/auth/drive.file";
    if pick && (!prompts.contains("consent") || !scopes.iter().any(|scope| scope == drive_file)) {
        return Err(invalid(
            "trigger_onepick needs prompt=consent and the scope drive.file",
        ));
    }
    Ok(AuthorizationRequest {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: get("state").map(str::to_owned),
        scopes,
        offline,
        prompt_consent: prompts.contains("consent"),
        prompt_none: prompts.contains("none"),
        select_account: prompts.contains("select_account"),
        login_hint: get("login_hint").map(str::to_owned),
        include_granted: get("include_granted_scopes") == Some("true"),
        challenge,
        pick,
    })
}

/// Whether this account may sign in to this client at all.
pub(crate) fn may_sign_in(client: &Client, account: &Account) -> Result<(), ShownError> {
    if client.internal_domain.is_some() && client.internal_domain != account.domain {
        return Err(ShownError::new(
            403,
            "org_internal",
            "This client is restricted to users within its organization.",
        ));
    }
    if account.admin_policy_enforced {
        return Err(ShownError::new(
            400,
            "admin_policy_enforced",
            "Access to your account data is restricted by policies within your organization.",
        ));
    }
    if client.testing
        && !client.test_users.is_empty()
        && !client.test_users.contains(&account.email)
    {
        return Err(ShownError::new(
            403,
            "access_denied",
            "The app has not completed the Google verification process. It is being tested and can only be used by \
             test users whom the developer has approved.",
        ));
    }
    Ok(())
}

/// Where a person stands on the consent pages.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Which account?
    Account,
    /// Which scopes?
    Consent { account: String },
    /// Which files?
    Picker {
        account: String,
        scopes: BTreeSet<String>,
    },
}

/// A person on the consent pages.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) request: AuthorizationRequest,
    pub(crate) step: Step,
    started_ms: u64,
}

/// A code on its way through the browser.
struct Code {
    account: String,
    request: AuthorizationRequest,
    scopes: BTreeSet<String>,
    /// Whether a refresh token comes with it.
    refreshable: bool,
    expires_ms: u64,
    used: bool,
}

struct AccessToken {
    account: String,
    client_id: String,
    scopes: BTreeSet<String>,
    expires_ms: u64,
}

struct RefreshToken {
    token: String,
    account: String,
    client_id: String,
    scopes: BTreeSet<String>,
    used_ms: u64,
    dies_ms: Option<u64>,
}

impl RefreshToken {
    fn is_alive(&self, now_ms: u64) -> bool {
        self.dies_ms.is_none_or(|dies| now_ms < dies) && now_ms < self.used_ms + UNUSED_LIFE_MS
    }
}

/// Everything that was granted and not yet revoked.
#[derive(Default)]
pub(crate) struct Tokens {
    flows: BTreeMap<String, Flow>,
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, AccessToken>,
    /// Oldest first.
    refresh: Vec<RefreshToken>,
    /// Scopes by account and client.
    grants: BTreeMap<(String, String), BTreeSet<String>>,
}

/// An error of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {description}")]
pub(crate) struct TokenError {
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) description: String,
}

impl TokenError {
    pub(crate) fn new(status: u16, error: &str, description: &str) -> Self {
        TokenError {
            status,
            error: error.to_owned(),
            description: description.to_owned(),
        }
    }
}

/// What the token endpoint answers.
pub(crate) struct TokenReply {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// Seconds until the refresh token dies, for apps in testing.
    pub(crate) refresh_token_life_s: Option<u64>,
    pub(crate) scopes: BTreeSet<String>,
}

impl Tokens {
    /// Opens the consent pages.
    pub(crate) fn begin(&mut self, request: AuthorizationRequest, now_ms: u64) -> String {
        self.flows
            .retain(|_, flow| now_ms < flow.started_ms + FLOW_LIFE_MS);
        if self.flows.len() >= KEPT_MAX {
            self.flows.pop_first();
        }
        let id = random_text(32);
        self.flows.insert(
            id.clone(),
            Flow {
                request,
                step: Step::Account,
                started_ms: now_ms,
            },
        );
        id
    }

    /// The flow of that id.
    pub(crate) fn flow(&mut self, id: &str, now_ms: u64) -> Option<&mut Flow> {
        self.flows
            .get_mut(id)
            .filter(|flow| now_ms < flow.started_ms + FLOW_LIFE_MS)
    }

    /// Ends a flow.
    pub(crate) fn end(&mut self, id: &str) {
        self.flows.remove(id);
    }

    /// The scopes that an account has given to a client.
    pub(crate) fn granted(&self, account: &str, client_id: &str) -> BTreeSet<String> {
        self.grants
            .get(&(account.to_owned(), client_id.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    /// Notes the consent and makes a code for it.
    pub(crate) fn code(
        &mut self,
        account: &str,
        request: &AuthorizationRequest,
        mut scopes: BTreeSet<String>,
        now_ms: u64,
    ) -> String {
        self.codes.retain(|_, code| now_ms < code.expires_ms);
        if self.codes.len() >= KEPT_MAX {
            self.codes.pop_first();
        }
        let key = (account.to_owned(), request.client_id.clone());
        let first = !self.grants.contains_key(&key);
        let grant = self.grants.entry(key).or_default();
        if request.include_granted {
            scopes.extend(grant.iter().cloned());
        }
        let wider = !scopes.is_subset(grant);
        grant.extend(scopes.iter().cloned());
        let code = format!("4/0{}", random_text(70));
        self.codes.insert(
            code.clone(),
            Code {
                account: account.to_owned(),
                request: request.clone(),
                scopes,
                // A refresh token comes with a consent that was really asked for, not with a silent one.
                refreshable: request.offline && (first || wider || request.prompt_consent),
                expires_ms: now_ms + CODE_LIFE_MS,
                used: false,
            },
        );
        code
    }

    fn access_token(
        &mut self,
        account: &str,
        client_id: &str,
        scopes: &BTreeSet<String>,
        now_ms: u64,
    ) -> String {
        self.access.retain(|_, token| now_ms < token.expires_ms);
        if self.access.len() >= KEPT_MAX {
            self.access.pop_first();
        }
        let token = format!("ya29.{}", random_text(160));
        self.access.insert(
            token.clone(),
            AccessToken {
                account: account.to_owned(),
                client_id: client_id.to_owned(),
                scopes: scopes.clone(),
                expires_ms: now_ms + ACCESS_TOKEN_LIFE_MS,
            },
        );
        token
    }

    /// Refresh tokens of an account and client that are alive.
    pub(crate) fn live_refresh_tokens(&self, account: &str, client_id: &str, now_ms: u64) -> usize {
        self.refresh
            .iter()
            .filter(|token| {
                token.account == account && token.client_id == client_id && token.is_alive(now_ms)
            })
            .count()
    }

    /// Revokes the grant behind a token: every token of that account and client dies. False for an unknown token.
    pub(crate) fn revoke(&mut self, token: &str, now_ms: u64) -> bool {
        let of_access = self
            .access
            .get(token)
            .filter(|access| now_ms < access.expires_ms)
            .map(|access| (access.account.clone(), access.client_id.clone()));
        let of_refresh = self
            .refresh
            .iter()
            .find(|refresh| refresh.token == token && refresh.is_alive(now_ms))
            .map(|refresh| (refresh.account.clone(), refresh.client_id.clone()));
        match of_access.or(of_refresh) {
            Some((account, client_id)) => {
                self.revoke_grant(&account, &client_id);
                true
            }
            None => false,
        }
    }

    /// What an account does on its page of connected apps.
    pub(crate) fn revoke_grant(&mut self, account: &str, client_id: &str) {
        self.grants
            .remove(&(account.to_owned(), client_id.to_owned()));
        self.access
            .retain(|_, token| token.account != account || token.client_id != client_id);
        self.refresh
            .retain(|token| token.account != account || token.client_id != client_id);
        self.codes
            .retain(|_, code| code.account != account || code.request.client_id != client_id);
    }

    /// Ends every access token, as if an hour had passed for them alone.
    pub(crate) fn expire_access_tokens(&mut self) {
        self.access.clear();
    }
}

/// Checks the client's id and secret.
pub(crate) fn authenticate_client<'a>(
    world: &'a World,
    client_id: Option<&str>,
    client_secret: Option<&str>,
) -> Result<&'a Client, TokenError> {
    let client_id = client_id.ok_or_else(|| {
        TokenError::new(
            400,
            "invalid_request",
            "Could not determine client ID from request.",
        )
    })?;
    let client = world
        .clients
        .get(client_id)
        .ok_or_else(|| TokenError::new(401, "invalid_client", "The OAuth client was not found."))?;
    if client.deleted {
        return Err(TokenError::new(
            401,
            "deleted_client",
            "The OAuth client was deleted.",
        ));
    }
    match client_secret {
        None => Err(TokenError::new(
            400,
            "invalid_request",
            "client_secret is missing.",
        )),
        Some(secret) if secret == client.client_secret => Ok(client),
        Some(_) => Err(TokenError::new(
            401,
            "invalid_client",
            "The provided client secret is invalid.",
        )),
    }
}

/// Exchanges a code.
pub(crate) fn exchange(
    world: &mut World,
    client: &Client,
    code: Option<&str>,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Result<TokenReply, TokenError> {
    let now_ms = world.now_ms();
    let code = code.ok_or_else(|| {
        TokenError::new(400, "invalid_request", "Missing required parameter: code")
    })?;
    let found = world
        .tokens
        .codes
        .get_mut(code)
        .ok_or_else(|| TokenError::new(400, "invalid_grant", "Malformed auth code."))?;
    if found.used || now_ms >= found.expires_ms || found.request.client_id != client.client_id {
        return Err(TokenError::new(400, "invalid_grant", "Bad Request"));
    }
    if redirect_uri != Some(&found.request.redirect_uri) {
        return Err(TokenError::new(400, "redirect_uri_mismatch", "Bad Request"));
    }
    match (&found.request.challenge, verifier) {
        (None, None) => {}
        (None, Some(_)) => {
            return Err(TokenError::new(
                400,
                "invalid_grant",
                "code_verifier or verifier is not needed.",
            ));
        }
        (Some(_), None) => {
            return Err(TokenError::new(
                400,
                "invalid_grant",
                "Missing code verifier.",
            ));
        }
        (Some((challenge, hashed)), Some(verifier)) => {
            let answer = if *hashed {
                URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
            } else {
                verifier.to_owned()
            };
            if answer != *challenge {
                return Err(TokenError::new(
                    400,
                    "invalid_grant",
                    "Invalid code verifier.",
                ));
            }
        }
    }
    found.used = true;
    let (account, scopes, refreshable) = (
        found.account.clone(),
        found.scopes.clone(),
        found.refreshable,
    );
    let access_token = world
        .tokens
        .access_token(&account, &client.client_id, &scopes, now_ms);
    let mut refresh_token_life_s = None;
    let refresh_token = refreshable.then(|| {
        // Google spares apps in testing that ask for nothing but identity.
        let dies = client.testing && !scopes.iter().all(|scope| is_identity(scope));
        refresh_token_life_s = dies.then_some(TESTING_LIFE_MS / 1_000 - 1);
        let token = format!("1//0{}", random_text(96));
        world.tokens.refresh.push(RefreshToken {
            token: token.clone(),
            account: account.clone(),
            client_id: client.client_id.clone(),
            scopes: scopes.clone(),
            used_ms: now_ms,
            dies_ms: dies.then_some(now_ms + TESTING_LIFE_MS),
        });
        world.tokens.refresh.retain(|token| token.is_alive(now_ms));
        let of_both =
            |token: &RefreshToken| token.account == account && token.client_id == client.client_id;
        if world
            .tokens
            .refresh
            .iter()
            .filter(|token| of_both(token))
            .count()
            > REFRESH_TOKENS_MAX
            && let Some(oldest) = world.tokens.refresh.iter().position(of_both)
        {
            world.tokens.refresh.remove(oldest);
        }
        token
    });
    Ok(TokenReply {
        access_token,
        refresh_token,
        refresh_token_life_s,
        scopes,
    })
}

/// Gives a new access token for a refresh token.
pub(crate) fn refresh(
    world: &mut World,
    client: &Client,
    token: Option<&str>,
    scope: Option<&str>,
) -> Result<TokenReply, TokenError> {
    let now_ms = world.now_ms();
    let token = token.ok_or_else(|| {
        TokenError::new(
            400,
            "invalid_request",
            "Missing required parameter: refresh_token",
        )
    })?;
    let found = world
        .tokens
        .refresh
        .iter_mut()
        .find(|known| {
            known.token == token && known.client_id == client.client_id && known.is_alive(now_ms)
        })
        .ok_or_else(|| {
            TokenError::new(400, "invalid_grant", "Token has been expired or revoked.")
        })?;
    let account = world
        .accounts
        .get(&found.account)
        .ok_or_else(|| TokenError::new(400, "invalid_grant", "Account has been deleted"))?;
    if account.admin_policy_enforced {
        return Err(TokenError::new(
            400,
            "admin_policy_enforced",
            "Access to your account data is restricted by policies within your organization.",
        ));
    }
    let scopes = match scope {
        None => found.scopes.clone(),
        Some(scope) => {
            let asked: Option<BTreeSet<String>> =
                scope.split_whitespace().map(full_scope).collect();
            asked
                .filter(|asked| asked.is_subset(&found.scopes))
                .ok_or_else(|| {
                    TokenError::new(400, "invalid_scope", "Some requested scopes were invalid.")
                })?
        }
    };
    found.used_ms = now_ms;
    let account = found.account.clone();
    let access_token = world
        .tokens
        .access_token(&account, &client.client_id, &scopes, now_ms);
    Ok(TokenReply {
        access_token,
        refresh_token: None,
        refresh_token_life_s: None,
        scopes,
    })
}

/// Makes an access token without any page, for tests of the APIs alone.
pub(crate) fn issue(
    world: &mut World,
    account: &str,
    client_id: &str,
    scopes: &[&str],
) -> Option<String> {
    world.accounts.get(account)?;
    world.clients.get(client_id)?;
    let scopes: BTreeSet<String> = scopes
        .iter()
        .map(|scope| full_scope(scope))
        .collect::<Option<_>>()?;
    let now_ms = world.now_ms();
    Some(
        world
            .tokens
            .access_token(account, client_id, &scopes, now_ms),
    )
}

/// Who an access token speaks for, and the seconds that it has left.
pub(crate) fn caller(world: &World, token: &str) -> Option<(Caller, String, u64)> {
    let now_ms = world.now_ms();
    let found = world
        .tokens
        .access
        .get(token)
        .filter(|access| now_ms < access.expires_ms)?;
    let client = world.clients.get(&found.client_id)?;
    let caller = Caller {
        account: found.account.clone(),
        project: client.project.clone(),
        scopes: found.scopes.clone(),
    };
    Some((
        caller,
        client.client_id.clone(),
        (found.expires_ms - now_ms) / 1_000,
    ))
}
