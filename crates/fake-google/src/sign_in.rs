//! A scripted person at the consent pages: it fetches the pages and sends their forms, as a browser would.
//!
//! Owns walking through the pages over HTTP. Must not reach into the state.

use crate::server::Google;

/// What the person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Which account they choose.
    pub account: String,
    /// Whether they cancel on the page of scopes.
    pub deny: bool,
    /// Scopes that they untick, by their full names.
    pub untick: Vec<String>,
    /// Spreadsheets that they pick, if the picker is shown.
    pub pick: Vec<String>,
}

impl Consent {
    /// Chooses an account and agrees to everything.
    pub fn by(account: &str) -> Self {
        Consent {
            account: account.to_owned(),
            deny: false,
            untick: Vec::new(),
            pick: Vec::new(),
        }
    }

    /// The same, and picks a spreadsheet where the picker is shown.
    #[must_use]
    pub fn picking(mut self, spreadsheet_id: &str) -> Self {
        self.pick.push(spreadsheet_id.to_owned());
        self
    }

    /// The same without a scope.
    #[must_use]
    pub fn unticking(mut self, scope: &str) -> Self {
        self.untick.push(scope.to_owned());
        self
    }
}

/// Why nobody was sent back to the app.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The page could not be fetched.
    #[error("fake Google can't be reached")]
    Unreachable(#[from] reqwest::Error),
    /// Google shows an error, such as `redirect_uri_mismatch`.
    #[error("Google shows the error {0}")]
    Shown(String),
    /// The pages never end.
    #[error("the pages do not lead back to the app")]
    Endless,
}

/// Account, scopes, files.
const PAGES_MAX: usize = 4;

/// All values of an attribute in the tags that hold `mark`, unescaped as far as ids and scopes need it.
fn values<'a>(html: &'a str, mark: &str) -> Vec<&'a str> {
    html.split('<')
        .filter(|tag| tag.contains(mark))
        .filter_map(|tag| tag.split("value=\"").nth(1)?.split('"').next())
        .collect()
}

impl Google {
    /// Walks through the pages from an authorisation address to the address to which the browser is sent back.
    ///
    /// # Errors
    /// When an error is shown instead.
    pub async fn sign_in(
        &self,
        authorization_url: &str,
        consent: &Consent,
    ) -> Result<String, SignInError> {
        let mut reply = self.http().get(authorization_url).send().await?;
        for _ in 0..PAGES_MAX {
            if let Some(location) = reply.headers().get(reqwest::header::LOCATION) {
                return Ok(location.to_str().unwrap_or_default().to_owned());
            }
            let html = reply.text().await?;
            let Some(flow) = values(&html, "name=\"flow\"").first().copied() else {
                let error = html
                    .split("class=\"code\">")
                    .nth(1)
                    .and_then(|rest| rest.split('<').next());
                let name = error
                    .and_then(|error| error.rsplit(": ").next())
                    .unwrap_or("unknown");
                return Err(SignInError::Shown(name.to_owned()));
            };
            let mut form = vec![("flow", flow.to_owned())];
            if html.contains("name=\"account\"") {
                form.push(("account", consent.account.clone()));
            } else if consent.deny {
                form.push(("decision", "deny".to_owned()));
            } else if html.contains("value=\"pick\"") {
                form.push(("decision", "pick".to_owned()));
                form.extend(consent.pick.iter().map(|id| ("file", id.clone())));
            } else {
                form.push(("decision", "allow".to_owned()));
                let offered = values(&html, "name=\"scope\"");
                let ticked = offered
                    .iter()
                    .filter(|scope| !consent.untick.iter().any(|other| other == *scope));
                form.extend(ticked.map(|scope| ("scope", (*scope).to_owned())));
            }
            let next = format!("{}/o/oauth2/v2/auth/continue", self.base_url());
            reply = self.http().post(next).form(&form).send().await?;
        }
        Err(SignInError::Endless)
    }
}
