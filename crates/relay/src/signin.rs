//! The sign-in: from the code in Figma over the browser and Google back to a session.
//!
//! Owns the flows under way (in memory, bounded), the pages of `www/signin`, and what each step checks. Must not know what
//! is done with a session. The plugin proves itself with a secret whose hash it sent first; the browser proves itself
//! with a cookie; the person compares a short code, so that a forwarded link can't hand an account over.
//!
//! Sources: RFC 6749 with PKCE (RFC 7636), RFC 9700, <https://developers.google.com/identity/protocols/oauth2/web-server>.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use oauth2::basic::BasicErrorResponseType;
use oauth2::{
    AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RequestTokenError, Scope,
    TokenResponse as _,
};
use serde::Deserialize;
use sheetwire_core::protocol::relay::{
    ApiError, ErrorCode, RedeemRequest, SignInReply, SignInRequest,
};
use url::Url;

use crate::config::{Google, Limits};
use crate::error::Refusal;
use crate::people::{People, google_failed};
use crate::secret::{Hash, Secret, bytes_from_base64url, random_code, random_name, random_token};
use crate::store::Grant;

/// The scope that tells the account's address.
const EMAIL_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";
/// The scope that reads only what was picked.
const PICKED_SCOPE: &str = "https://www.googleapis.com/auth/drive.file";
/// Longest name of a flow, proof or state that is looked up, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Most spreadsheets that one sign-in picks.
const PICKED_MAX: usize = 50;
/// How long an ended flow can still say how it ended.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Longest wait for Google's answer.
const GOOGLE_WAIT: Duration = Duration::from_secs(20);

/// One sign-in under way.
struct Flow {
    challenge: Hash,
    code: String,
    began: Instant,
    address: IpAddr,
    /// Hash of the cookie of the browser that opened the page.
    browser: Option<Hash>,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// Waits for the person to confirm the code; the hash of what the page's form must say.
    Confirming(Option<Hash>),
    /// The browser is at Google.
    AtGoogle { state: Hash, verifier: Secret },
    /// Google's code is being exchanged.
    Exchanging,
    /// Somebody signed in; the plugin has not asked yet. Until it does, what Google gave is in memory alone: the store
    /// keeps nobody without a session.
    Done { grant: Grant, picked: Vec<String> },
    /// It failed, and the plugin has not asked yet.
    Failed(ApiError),
    /// The plugin has its session.
    Redeemed,
}

/// All sign-ins under way.
pub struct SignIn {
    people: Arc<People>,
    google: Google,
    limits: Limits,
    public_url: Url,
    flows: Mutex<HashMap<String, Flow>>,
}

/// What Google answers at the userinfo endpoint, as far as it is needed.
#[derive(Deserialize)]
struct UserInfo {
    id: String,
    email: String,
}

/// What comes back with the browser.
#[derive(Deserialize)]
pub struct Callback {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    picked_file_ids: Option<String>,
}

/// The page's form.
#[derive(Deserialize)]
pub struct Confirmation {
    #[serde(default)]
    proof: String,
    #[serde(default)]
    decision: String,
}

impl SignIn {
    /// With the endpoints of the configuration.
    pub fn new(google: Google, limits: Limits, public_url: Url, people: Arc<People>) -> Self {
        Self {
            people,
            google,
            limits,
            public_url,
            flows: Mutex::default(),
        }
    }

    fn flows(&self) -> std::sync::MutexGuard<'_, HashMap<String, Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets flows that ended long ago.
    pub fn sweep(&self) {
        let life = self.limits.flow_life + REMEMBERED;
        self.flows().retain(|_, flow| flow.began.elapsed() < life);
    }

    /// Begins a flow.
    ///
    /// # Errors
    /// [`Refusal`] when the challenge is none, or when too many flows are under way.
    pub fn begin(&self, request: &SignInRequest, address: IpAddr) -> Result<SignInReply, Refusal> {
        let challenge = Hash::from_base64url(&request.challenge).ok_or_else(|| {
            Refusal::bad_request("The challenge must be the SHA-256 of 32 bytes in base64url.")
        })?;
        let name = random_name();
        let code = random_code();
        let mut flows = self.flows();
        let open = |flow: &Flow| flow.began.elapsed() < self.limits.flow_life;
        let of_address = flows
            .values()
            .filter(|flow| flow.address == address && open(flow))
            .count();
        if flows.len() >= self.limits.flows || of_address >= self.limits.flows_per_address {
            return Err(Refusal::too_many(Duration::from_secs(60)));
        }
        flows.insert(
            name.clone(),
            Flow {
                challenge,
                code: code.clone(),
                began: Instant::now(),
                address,
                browser: None,
                stage: Stage::Confirming(None),
            },
        );
        drop(flows);
        Ok(SignInReply {
            url: self.address(&["signin", &name]),
            flow: name,
            code,
            expires_in_s: u32::try_from(self.limits.flow_life.as_secs()).unwrap_or(u32::MAX),
        })
    }

    fn address(&self, segments: &[&str]) -> String {
        let mut url = self.public_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.to_string()
    }

    /// What the plugin gets for its secret; `None` while the browser part is unfinished.
    ///
    /// # Errors
    /// [`Refusal`]: how the flow ended, or that there is none.
    pub async fn redeem(
        &self,
        name: &str,
        request: &RedeemRequest,
    ) -> Result<Option<sheetwire_core::protocol::relay::SessionReply>, Refusal> {
        let unknown = || {
            Refusal::new(
                ErrorCode::NotFound,
                "There is no such sign-in.",
                "Begin again with Sign in.",
            )
        };
        let secret = bytes_from_base64url(&request.secret).ok_or_else(unknown)?;
        let (grant, picked) = {
            let mut flows = self.flows();
            let flow = flows.get_mut(name).ok_or_else(unknown)?;
            if !Hash::of(&secret).matches(&flow.challenge) {
                return Err(unknown());
            }
            match std::mem::replace(&mut flow.stage, Stage::Redeemed) {
                Stage::Done { grant, picked } => (grant, picked),
                Stage::Failed(error) => {
                    flow.stage = Stage::Failed(error.clone());
                    return Err(Refusal {
                        error,
                        retry_after: None,
                    });
                }
                Stage::Redeemed => {
                    return Err(Refusal::new(
                        ErrorCode::Conflict,
                        "This sign-in was used already.",
                        "Begin again with Sign in.",
                    ));
                }
                waiting @ (Stage::Confirming(_) | Stage::AtGoogle { .. } | Stage::Exchanging) => {
                    flow.stage = waiting;
                    if flow.began.elapsed() >= self.limits.flow_life {
                        return Err(Refusal {
                            error: expired(),
                            retry_after: None,
                        });
                    }
                    return Ok(None);
                }
            }
        };
        match self.people.welcome(&grant, picked.clone()).await {
            Ok(reply) => Ok(Some(reply)),
            Err(refusal) => {
                // Nothing was kept, so that the plugin may ask again.
                if let Some(flow) = self.flows().get_mut(name) {
                    flow.stage = Stage::Done { grant, picked };
                }
                Err(refusal)
            }
        }
    }

    /// The cookie's name: `__Host-` binds it to this host alone, but needs https, which a relay on this machine has not.
    fn cookie_name(&self) -> &'static str {
        if self.public_url.scheme() == "https" {
            "__Host-sheetwire-signin"
        } else {
            "sheetwire-signin"
        }
    }

    /// The page with the code.
    fn confirm_page(&self, name: &str, jar: CookieJar) -> Response {
        let proof = random_token();
        let cookie = jar.get(self.cookie_name()).map_or_else(
            || random_token().expose().to_owned(),
            |kept| kept.value().to_owned(),
        );
        let code = {
            let mut flows = self.flows();
            let Some(flow) = flows
                .get_mut(name)
                .filter(|flow| flow.began.elapsed() < self.limits.flow_life)
            else {
                return self.ended_page();
            };
            let Stage::Confirming(wanted) = &mut flow.stage else {
                return self.ended_page();
            };
            *wanted = Some(Hash::of(proof.expose().as_bytes()));
            // The last browser that opened the page is the one that may go on.
            flow.browser = Some(Hash::of(cookie.as_bytes()));
            flow.code.clone()
        };
        let content = fill(
            include_str!("../../../www/signin/confirm.html"),
            &[
                ("code", &code),
                ("action", &["/signin/", name].concat()),
                ("proof", proof.expose()),
            ],
        );
        let mut kept = Cookie::new(self.cookie_name(), cookie);
        kept.set_path("/");
        kept.set_http_only(true);
        kept.set_same_site(SameSite::Lax);
        kept.set_secure(self.public_url.scheme() == "https");
        (
            jar.add(kept),
            self.page(StatusCode::OK, "Sign in to Real-Time Sync", &content),
        )
            .into_response()
    }

    fn is_browser(&self, flow: &Flow, jar: &CookieJar) -> bool {
        let cookie = jar
            .get(self.cookie_name())
            .map(|cookie| Hash::of(cookie.value().as_bytes()));
        matches!((cookie, flow.browser), (Some(sent), Some(kept)) if sent.matches(&kept))
    }

    /// The person has compared the code.
    fn confirmed(&self, name: &str, jar: &CookieJar, form: &Confirmation) -> Response {
        let mut flows = self.flows();
        let Some(flow) = flows
            .get_mut(name)
            .filter(|flow| flow.began.elapsed() < self.limits.flow_life)
            .filter(|flow| self.is_browser(flow, jar))
        else {
            return self.ended_page();
        };
        let proven = matches!(
            &flow.stage,
            Stage::Confirming(Some(wanted))
                if form.proof.len() <= NAME_BYTES_MAX && Hash::of(form.proof.as_bytes()).matches(wanted)
        );
        if !proven {
            return self.ended_page();
        }
        if form.decision != "continue" {
            flow.stage = Stage::Failed(declined().error);
            return self.message_page(
                StatusCode::OK,
                "Stopped",
                "Nobody was signed in.",
                "You can close this page.",
            );
        }
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = random_token();
        let mut request = self
            .people
            .client()
            .authorize_url(|| CsrfToken::new(state.expose().to_owned()))
            .set_pkce_challenge(challenge)
            .add_scope(Scope::new("openid".to_owned()))
            .add_scope(Scope::new(EMAIL_SCOPE.to_owned()))
            .add_scopes(self.google.scopes.iter().cloned().map(Scope::new))
            // A refresh token comes with offline access, and anew only with the consent asked for.
            .add_extra_param("access_type", "offline")
            .add_extra_param("prompt", "consent");
        if self.google.scopes.iter().any(|scope| scope == PICKED_SCOPE) {
            request = request.add_extra_param("trigger_onepick", "true");
        }
        let (url, _) = request.url();
        flow.stage = Stage::AtGoogle {
            state: Hash::of(state.expose().as_bytes()),
            verifier: Secret::new(verifier.into_secret()),
        };
        drop(flows);
        see_other(url.as_str())
    }

    /// The browser comes back from Google.
    async fn came_back(&self, jar: &CookieJar, callback: Callback) -> Response {
        if callback.state.len() > NAME_BYTES_MAX {
            return self.ended_page();
        }
        let state = Hash::of(callback.state.as_bytes());
        let found = {
            let mut flows = self.flows();
            let found = flows.iter_mut().find(|(_, flow)| {
                matches!(&flow.stage, Stage::AtGoogle { state: wanted, .. } if wanted.matches(&state))
            });
            match found {
                Some((name, flow))
                    if flow.began.elapsed() < self.limits.flow_life
                        && self.is_browser(flow, jar) =>
                {
                    match std::mem::replace(&mut flow.stage, Stage::Exchanging) {
                        Stage::AtGoogle { verifier, .. } => Some((name.clone(), verifier)),
                        Stage::Confirming(_)
                        | Stage::Exchanging
                        | Stage::Done { .. }
                        | Stage::Failed(_)
                        | Stage::Redeemed => None,
                    }
                }
                Some(_) | None => None,
            }
        };
        let Some((name, verifier)) = found else {
            return self.ended_page();
        };
        let result = match (callback.code, callback.error) {
            (Some(code), None) => self.exchange(code, verifier).await,
            (_, error) => Err(refused(error.as_deref().unwrap_or_default())),
        };
        let (stage, page) = match result {
            Ok(grant) => {
                let picked = callback
                    .picked_file_ids
                    .unwrap_or_default()
                    .split([',', ' '])
                    .filter(|id| !id.is_empty() && id.len() <= 128)
                    .take(PICKED_MAX)
                    .map(str::to_owned)
                    .collect();
                let page = self.message_page(
                    StatusCode::OK,
                    "You are signed in",
                    "Go back to Figma: Real-Time Sync goes on there.",
                    "You can close this page.",
                );
                (Stage::Done { grant, picked }, page)
            }
            Err(refusal) => {
                let page = self.message_page(
                    StatusCode::OK,
                    "Not signed in",
                    &refusal.error.message,
                    refusal.error.remedy.as_deref().unwrap_or_default(),
                );
                (Stage::Failed(refusal.error), page)
            }
        };
        if let Some(flow) = self.flows().get_mut(&name) {
            flow.stage = stage;
        }
        page
    }

    /// Exchanges Google's code and checks what was granted.
    async fn exchange(&self, code: String, verifier: Secret) -> Result<Grant, Refusal> {
        let reply = self
            .people
            .client()
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .request_async(self.people.http())
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(answer)
                    if *answer.error() == BasicErrorResponseType::InvalidGrant =>
                {
                    Refusal {
                        error: expired(),
                        retry_after: None,
                    }
                }
                RequestTokenError::ServerResponse(answer) => {
                    tracing::error!(error = %answer.error(), "Google refused to exchange a code");
                    google_failed()
                }
                // Their texts may repeat what was sent or received.
                RequestTokenError::Request(_)
                | RequestTokenError::Parse(..)
                | RequestTokenError::Other(_) => google_failed(),
            })?;
        // Without a list, everything that was asked for is granted (RFC 6749, section 5.1).
        if let Some(granted) = reply.scopes() {
            let missing = self
                .google
                .scopes
                .iter()
                .any(|wanted| !granted.iter().any(|scope| scope.as_str() == wanted));
            if missing {
                return Err(Refusal::new(
                    ErrorCode::Declined,
                    "Sheetwire was not allowed to read spreadsheets.",
                    "Sign in again and leave the box for spreadsheets ticked.",
                ));
            }
        }
        let refresh = reply.refresh_token().ok_or_else(google_failed)?;
        let info = self
            .people
            .http()
            .get(self.google.userinfo_url.clone())
            .bearer_auth(reply.access_token().secret())
            .timeout(GOOGLE_WAIT)
            .send()
            .await
            .map_err(|_| google_failed())?;
        if !info.status().is_success() {
            return Err(google_failed());
        }
        let info: UserInfo = info.json().await.map_err(|_| google_failed())?;
        Ok(Grant {
            google_id: info.id,
            account: info.email,
            refresh_token: Secret::new(refresh.secret().clone()),
        })
    }

    fn ended_page(&self) -> Response {
        self.message_page(
            StatusCode::GONE,
            "This sign-in has ended",
            "It took too long, was used already, or belongs to another browser.",
            "Go back to Figma and choose Sign in again.",
        )
    }

    fn message_page(
        &self,
        status: StatusCode,
        title: &str,
        message: &str,
        remedy: &str,
    ) -> Response {
        let content = fill(
            include_str!("../../../www/signin/message.html"),
            &[("message", message), ("remedy", remedy)],
        );
        self.page(status, title, &content)
    }

    /// A whole page with what guards it.
    fn page(&self, status: StatusCode, title: &str, content: &str) -> Response {
        let nonce = random_name();
        let frame = include_str!("../../../www/signin/page.html")
            .replace("<style>", &["<style nonce=\"", &nonce, "\">"].concat())
            .replace("{{style}}", include_str!("../../../www/signin/signin.css"))
            .replace("{{content}}", content);
        let frame = fill(&frame, &[("title", title)]);
        // A form's redirect is a part of what form-action allows, so Google's page must be named.
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
            self.google.auth_url.origin().ascii_serialization()
        );
        let mut response = (status, Html(frame)).into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, policy.as_str()),
            // Without the origin, browsers send `Origin: null` with the form.
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::CACHE_CONTROL, "no-store"),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

fn see_other(url: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// Puts texts into a page, escaped.
fn fill(page: &str, texts: &[(&str, &str)]) -> String {
    let mut filled = page.to_owned();
    for (name, text) in texts {
        let escaped = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        filled = filled.replace(&["{{", name, "}}"].concat(), &escaped);
    }
    filled
}

fn declined() -> Refusal {
    Refusal::new(
        ErrorCode::Declined,
        "The sign-in was stopped in the browser.",
        "Choose Sign in when you want to go on.",
    )
}

fn expired() -> ApiError {
    Refusal::new(
        ErrorCode::Expired,
        "The sign-in took too long.",
        "Begin again with Sign in.",
    )
    .error
}

/// What an error of Google's authorisation page means.
/// Source: <https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors>.
fn refused(error: &str) -> Refusal {
    match error {
        "access_denied" => declined(),
        "admin_policy_enforced" | "org_internal" => Refusal::new(
            ErrorCode::AdminPolicy,
            "Your Google Workspace does not allow Sheetwire.",
            "Ask the person who runs your Google Workspace to allow it.",
        ),
        unusable => {
            // Named to the operator only when it is a word of the protocol: anybody can put a text into this address.
            let known = [
                "invalid_request",
                "invalid_scope",
                "invalid_client",
                "unauthorized_client",
                "unsupported_response_type",
                "server_error",
                "temporarily_unavailable",
                "deleted_client",
                "disallowed_useragent",
                "redirect_uri_mismatch",
            ];
            let error = known
                .into_iter()
                .find(|name| *name == unusable)
                .unwrap_or("another");
            tracing::error!(error, "Google's authorisation page answered with an error");
            google_failed()
        }
    }
}

/// `GET /signin/{flow}`.
pub async fn show(
    State(signin): State<Arc<SignIn>>,
    Path(name): Path<String>,
    jar: CookieJar,
) -> Response {
    signin.confirm_page(&name, jar)
}

/// `POST /signin/{flow}`.
pub async fn confirm(
    State(signin): State<Arc<SignIn>>,
    Path(name): Path<String>,
    jar: CookieJar,
    Form(form): Form<Confirmation>,
) -> Response {
    signin.confirmed(&name, &jar, &form)
}

/// `GET /oauth/callback`.
pub async fn callback(
    State(signin): State<Arc<SignIn>>,
    jar: CookieJar,
    Query(callback): Query<Callback>,
) -> Response {
    to_its_end(async move { signin.came_back(&jar, callback).await }).await
}

/// Runs what must not stop halfway when the caller leaves: a request's future is dropped with its connection, and
/// Google's codes and the last copy of a token can be used only once.
async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    let work = tokio::spawn(tracing::Instrument::in_current_span(work));
    work.await.unwrap_or_else(|_| {
        Refusal::unavailable("The relay could not finish the request.").into_response()
    })
}

/// `POST /v1/session/renew`.
pub async fn renew(State(signin): State<Arc<SignIn>>, headers: HeaderMap) -> Response {
    match signin.people.renew(&headers).await {
        Ok(reply) => no_store(axum::Json(reply).into_response()),
        Err(refusal) => refusal.into_response(),
    }
}

/// `DELETE /v1/session`.
pub async fn sign_out(State(signin): State<Arc<SignIn>>, headers: HeaderMap) -> Response {
    to_its_end(async move {
        match signin.people.sign_out(&headers).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(refusal) => refusal.into_response(),
        }
    })
    .await
}

/// Keeps a reply with a secret out of every cache.
pub fn no_store(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
