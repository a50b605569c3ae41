//! The people who signed in: their sessions here and their right at Google.
//!
//! Owns the check of a request's session, Google's access tokens (in memory alone) and what ends a sign-in. Must not
//! know how a sign-in began or what is read. One refresh a user runs at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::http::HeaderMap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AuthUrl, ClientId, ClientSecret, EndpointNotSet, EndpointSet, RedirectUrl, RefreshToken,
    RequestTokenError, TokenResponse as _, TokenUrl,
};
use tokio::sync::broadcast;
use url::Url;

use crate::callers::Callers;
use crate::config::{Config, Google};
use crate::error::Refusal;
use crate::google_read::{Accounts, Caller};
use crate::secret::{Hash, Secret, random_token};
use crate::store::{Grant, Store, StoreError, StoredUser};
use sheetwire_core::protocol::relay::{ErrorCode, SessionReply, SheetRef};

/// An access token is not used in the last moments of its life, so that it does not end on the way.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// How long a token is believed when Google does not say.
const TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);
/// Sign-outs that a slow listener may be behind.
const SIGN_OUTS_WAITING: usize = 256;
/// Users whose access tokens are kept in memory; beyond that all are fetched anew.
const TOKENS_MAX: usize = 100_000;

/// The client at Google's authorisation server, with all that a sign-in needs set.
pub type Client =
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The client of the configuration, coming back to `redirect`.
///
/// # Errors
/// The address that is none; a checked configuration has none such.
pub fn client(google: &Google, redirect: String) -> Result<Client, url::ParseError> {
    Ok(BasicClient::new(ClientId::new(google.client_id.clone()))
        .set_client_secret(ClientSecret::new(google.client_secret.expose().to_owned()))
        .set_auth_uri(AuthUrl::new(google.auth_url.to_string())?)
        .set_token_uri(TokenUrl::new(google.token_url.to_string())?)
        .set_redirect_uri(RedirectUrl::new(redirect)?))
}

struct Access {
    token: Secret,
    until: Instant,
}

/// One user's token, and the lock that lets one refresh run.
type Slot = Arc<tokio::sync::Mutex<Option<Access>>>;

/// See the module.
pub struct People {
    store: Store,
    client: Client,
    http: reqwest::Client,
    revoke_url: Url,
    session_life: Duration,
    session_rotation: Duration,
    session_grace: Duration,
    tokens: Mutex<HashMap<i64, Slot>>,
    requests: Callers<i64>,
    signed_out: broadcast::Sender<i64>,
}

/// Unix time in seconds.
pub fn now_s() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// The token that a request shows.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(axum::http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .filter(|token| token.len() <= 64)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4)
}

/// A failure of the store, for the client. What failed is in the log.
fn store_failed(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store could not answer");
    Refusal::unavailable("The relay can't reach its store at present.")
}

impl People {
    /// Over the store and Google's endpoints.
    pub fn new(config: &Config, store: Store, client: Client, http: reqwest::Client) -> Self {
        Self {
            store,
            client,
            http,
            revoke_url: config.google.revoke_url.clone(),
            session_life: config.limits.session_life,
            session_rotation: config.limits.session_rotation,
            session_grace: config.limits.session_grace,
            tokens: Mutex::default(),
            requests: Callers::new(config.limits.requests_per_minute),
            signed_out: broadcast::channel(SIGN_OUTS_WAITING).0,
        }
    }

    /// The client at Google's authorisation server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The HTTP client for Google's token endpoint: it follows no redirects.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Users whose sign-in has ended, as it happens.
    pub fn sign_outs(&self) -> broadcast::Receiver<i64> {
        self.signed_out.subscribe()
    }

    fn slot(&self, user: i64) -> Slot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.entry(user).or_default().clone()
    }

    /// The user of a request.
    ///
    /// # Errors
    /// [`Refusal`] when nobody is signed in with that token, or when its owner asks too often.
    pub async fn user(&self, headers: &HeaderMap) -> Result<StoredUser, Refusal> {
        let token = bearer(headers).ok_or_else(Refusal::signed_out)?;
        let hash = Hash::of(token.as_bytes());
        let user = self
            .store
            .user(hash, now_s())
            .await
            .map_err(|error| store_failed(&error))?
            .ok_or_else(Refusal::signed_out)?;
        self.requests
            .count(user.id, Instant::now())
            .map_err(Refusal::too_many)?;
        Ok(user)
    }

    /// Keeps what Google gave for somebody, and begins a session of theirs.
    ///
    /// # Errors
    /// [`Refusal`] when the store fails; nothing is kept then.
    pub async fn welcome(
        &self,
        grant: &Grant,
        picked: Vec<String>,
    ) -> Result<SessionReply, Refusal> {
        let token = random_token();
        let user = self
            .store
            .begin_session(
                grant.clone(),
                Hash::of(token.expose().as_bytes()),
                now_s(),
                now_s() + seconds(self.session_life),
            )
            .await
            .map_err(|error| store_failed(&error))?;
        // The grant is new; a token of an old one may lack the file that was just picked.
        *self.slot(user).lock().await = None;
        Ok(self.reply(&token, grant.account.clone(), picked))
    }

    fn reply(&self, token: &Secret, account: String, picked: Vec<String>) -> SessionReply {
        SessionReply {
            session: token.expose().to_owned(),
            expires_in_s: u32::try_from(self.session_life.as_secs()).unwrap_or(u32::MAX),
            account,
            picked,
        }
    }

    /// Gives a session a new token, or the same one again while that is young: every panel renews as it opens, and
    /// each rotation leaves the other panels with an old token.
    ///
    /// # Errors
    /// [`Refusal`] when the session has ended or the store fails.
    pub async fn renew(&self, headers: &HeaderMap) -> Result<SessionReply, Refusal> {
        let user = self.user(headers).await?;
        let old = bearer(headers).ok_or_else(Refusal::signed_out)?;
        let now_s = now_s();
        let young = |made_s| now_s - made_s < seconds(self.session_rotation);
        if user.token_made_s.is_some_and(young) {
            let mut reply = self.reply(&Secret::new(old), user.account, Vec::new());
            reply.expires_in_s = u32::try_from(user.expires_s - now_s).unwrap_or_default();
            return Ok(reply);
        }
        let token = random_token();
        self.store
            .renew_session(
                user.session,
                Hash::of(old.as_bytes()),
                Hash::of(token.expose().as_bytes()),
                now_s,
                now_s + seconds(self.session_life),
                now_s + seconds(self.session_grace),
            )
            .await
            .map_err(|error| store_failed(&error))?;
        Ok(self.reply(&token, user.account, Vec::new()))
    }

    /// Signs out: with the last session the grant is revoked at Google, and the user forgotten.
    ///
    /// # Errors
    /// [`Refusal`] when the session has ended already or the store fails.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let user = self.user(headers).await?;
        let last = self
            .store
            .end_session(user.session, user.id)
            .await
            .map_err(|error| store_failed(&error))?;
        if let Some(token) = last {
            *self.slot(user.id).lock().await = None;
            let _ = self.signed_out.send(user.id);
            self.revoke(&token).await;
        }
        Ok(())
    }

    /// Revokes a grant at Google. Where Google can't be reached, the grant stays listed in the account's own settings
    /// and is of no use to anybody: the token is forgotten here.
    async fn revoke(&self, token: &Secret) {
        let reply = self
            .http
            .post(self.revoke_url.clone())
            .form(&[("token", token.expose())])
            .send()
            .await;
        match reply {
            Ok(reply) if reply.status().is_success() => {}
            Ok(reply) => tracing::warn!(status = reply.status().as_u16(), "Google did not revoke"),
            Err(_) => tracing::warn!("Google could not be reached to revoke"),
        }
    }

    /// Switches two-way sync of a sheet on or off for a user.
    ///
    /// # Errors
    /// [`Refusal`] when the store fails.
    pub async fn set_two_way(&self, user: i64, sheet: &SheetRef, on: bool) -> Result<(), Refusal> {
        let set = self.store.set_two_way(user, sheet.clone(), on).await;
        set.map_err(|error| store_failed(&error))
    }

    /// Whether two-way sync of a sheet is on for a user.
    ///
    /// # Errors
    /// [`Refusal`] when the store fails.
    pub async fn two_way(&self, user: i64, sheet: &SheetRef) -> Result<bool, Refusal> {
        let found = self.store.two_way(user, sheet.clone()).await;
        found.map_err(|error| store_failed(&error))
    }

    /// Google takes a grant no more: the sessions of its user end, unless they signed in anew during the question.
    async fn grant_is_gone(&self, user: i64, refused: Secret) -> Refusal {
        match self.store.forget_user(user, refused).await {
            Ok(true) => {}
            // The next request takes the new grant.
            Ok(false) => return google_failed(),
            Err(error) => return store_failed(&error),
        }
        let _ = self.signed_out.send(user);
        Refusal::new(
            ErrorCode::SignedOut,
            "Google no longer lets Sheetwire read for your account.",
            "Sign in again.",
        )
    }

    async fn refresh(&self, user: i64) -> Result<Access, Refusal> {
        let token = self
            .store
            .refresh_token(user)
            .await
            .map_err(|error| store_failed(&error))?
            .ok_or_else(Refusal::signed_out)?;
        let shown = RefreshToken::new(token.expose().to_owned());
        let reply = self
            .client
            .exchange_refresh_token(&shown)
            .request_async(&self.http)
            .await;
        match reply {
            Ok(reply) => Ok(Access {
                token: Secret::new(reply.access_token().secret().clone()),
                until: Instant::now()
                    + reply
                        .expires_in()
                        .unwrap_or(TOKEN_LIFE)
                        .saturating_sub(TOKEN_MARGIN),
            }),
            Err(RequestTokenError::ServerResponse(answer))
                if *answer.error() == BasicErrorResponseType::InvalidGrant =>
            {
                Err(self.grant_is_gone(user, token).await)
            }
            Err(RequestTokenError::ServerResponse(answer)) => {
                tracing::error!(error = %answer.error(), "Google refused to renew a token");
                Err(google_failed())
            }
            // Their texts may repeat what was sent or received.
            Err(
                RequestTokenError::Request(_)
                | RequestTokenError::Parse(..)
                | RequestTokenError::Other(_),
            ) => Err(google_failed()),
        }
    }

    /// Ends what has expired.
    pub async fn sweep(&self) {
        self.requests.sweep(Instant::now());
        if let Err(error) = self.store.sweep(now_s()).await {
            tracing::error!(%error, "the store could not be swept");
        }
    }
}

/// Google's authorisation server gave no usable answer.
pub fn google_failed() -> Refusal {
    Refusal::new(
        ErrorCode::Google,
        "Google did not answer.",
        "Nothing is lost. Try again in a moment.",
    )
}

impl Accounts for People {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> BoxFuture<'a, Result<Caller, Refusal>> {
        async move {
            let user = self.user(headers).await?;
            Ok(Caller {
                user: user.id,
                account: user.account,
            })
        }
        .boxed()
    }

    fn access_token(&self, user: i64) -> BoxFuture<'_, Result<Secret, Refusal>> {
        async move {
            let slot = self.slot(user);
            // Held during the refresh: whoever comes meanwhile waits for its result.
            let mut kept = slot.lock().await;
            if let Some(access) = kept.as_ref().filter(|access| access.until > Instant::now()) {
                return Ok(access.token.clone());
            }
            let access = self.refresh(user).await?;
            let token = access.token.clone();
            *kept = Some(access);
            Ok(token)
        }
        .boxed()
    }

    fn discard<'a>(&'a self, user: i64, token: &Secret) -> BoxFuture<'a, ()> {
        let token = token.clone();
        async move {
            let slot = self.slot(user);
            let mut kept = slot.lock().await;
            if kept.as_ref().is_some_and(|access| access.token == token) {
                *kept = None;
            }
        }
        .boxed()
    }
}
