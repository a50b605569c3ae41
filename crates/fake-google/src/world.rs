//! Everything that fake Google knows: accounts, clients, tokens, files, channels, quotas, faults, the clock.
//!
//! Owns the state and the rules of who may see which file. Must not know HTTP.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Clock;
use crate::fault::Fault;
use crate::journal::Journal;
use crate::oauth::Tokens;
use crate::quota::{Quota, QuotaLimits};
use crate::sheets::spreadsheet::Spreadsheet;
use crate::watch::Channels;

/// What can be set about the service as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// The Sheets API's quotas.
    pub quota: QuotaLimits,
    /// How long Drive's `version` and `modifiedTime` lag behind an edit, in milliseconds.
    pub version_delay_ms: u64,
    /// How long after an edit its change notice is sent, in milliseconds.
    pub notice_delay_ms: u64,
    /// Whether the `sync` notice of a new channel is delivered before the reply to `files.watch`.
    pub sync_before_reply: bool,
}

impl Default for Settings {
    /// As real Google is reported to be: versions and notices come three minutes late.
    fn default() -> Self {
        Settings {
            quota: QuotaLimits::default(),
            version_delay_ms: 180_000,
            notice_delay_ms: 180_000,
            sync_before_reply: true,
        }
    }
}

/// A person with a Google account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The address, which names the account here.
    pub email: String,
    /// The name.
    pub name: String,
    /// The Workspace domain, for accounts of an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whether the organisation's administrator refuses apps: sign-in and refresh end in `admin_policy_enforced`.
    #[serde(default)]
    pub admin_policy_enforced: bool,
}

impl Account {
    /// Google's numeric id, which tells nothing else.
    pub(crate) fn id(&self) -> String {
        let hash = self
            .email
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("1{hash:020}")
    }
}

/// An app that is registered with Google.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// The public id.
    pub client_id: String,
    /// The secret.
    pub client_secret: String,
    /// The name on the consent page.
    #[serde(default = "client_name")]
    pub name: String,
    /// The project that the client belongs to; quotas and `drive.file` are the project's.
    #[serde(default = "client_project")]
    pub project: String,
    /// Where the browser may be sent back to; matched exactly.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Whether the port of a loopback redirect URI is free. Google allows this to desktop clients alone; the client
    /// that is registered from the start has it, since a demonstration's relay may listen anywhere.
    #[serde(default)]
    pub any_loopback_port: bool,
    /// Whether the client was deleted.
    #[serde(default)]
    pub deleted: bool,
    /// Publishing status "Testing": refresh tokens live seven days, and only test users may sign in.
    #[serde(default)]
    pub testing: bool,
    /// The test users, where `testing` is on; everyone when empty.
    #[serde(default)]
    pub test_users: Vec<String>,
    /// User type "Internal": only accounts of this domain may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_domain: Option<String>,
}

impl Client {
    /// Whether the browser may be sent back to that address.
    pub(crate) fn may_return_to(&self, uri: &str) -> bool {
        let portless = |uri: &str| {
            let mut url = url::Url::parse(uri).ok()?;
            let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            (loopback && url.set_port(None).is_ok()).then_some(url)
        };
        self.redirect_uris.iter().any(|known| {
            known == uri
                || (self.any_loopback_port
                    && portless(uri).is_some()
                    && portless(known) == portless(uri))
        })
    }
}

fn client_name() -> String {
    "Sheetwire".to_owned()
}

fn client_project() -> String {
    "sheetwire-demo".to_owned()
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client {{ client_id: {:?}, .. }}", self.client_id)
    }
}

/// The client that is registered from the start.
pub const DEFAULT_CLIENT_ID: &str = "sheetwire-demo.apps.example";
/// Its secret.
pub const DEFAULT_CLIENT_SECRET: &str = "demo-client-secret";

/// What an account may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read.
    Reader,
    /// Read and write.
    Writer,
    /// Everything.
    Owner,
}

/// A spreadsheet as a file of Drive.
pub(crate) struct File {
    pub(crate) spreadsheet: Spreadsheet,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) created_ms: u64,
    /// Counts every change; the grid page's readers follow it.
    pub(crate) revision: u64,
    pub(crate) trashed: bool,
    shown_version: u64,
    shown_modified_ms: u64,
    modified_ms: u64,
    /// When what Drive shows catches up, if it lags.
    catches_up_ms: Option<u64>,
}

impl File {
    pub(crate) fn new(spreadsheet: Spreadsheet, owner: &str, now_ms: u64) -> Self {
        File {
            spreadsheet,
            roles: BTreeMap::from([(owner.to_owned(), Role::Owner)]),
            created_ms: now_ms,
            revision: 1,
            trashed: false,
            shown_version: 1,
            shown_modified_ms: now_ms,
            modified_ms: now_ms,
            catches_up_ms: None,
        }
    }

    /// The owner's address.
    pub(crate) fn owner(&self) -> &str {
        let owner = self.roles.iter().find(|(_, role)| **role == Role::Owner);
        owner.map_or("", |(account, _)| account)
    }

    /// Notes a change of the contents.
    pub(crate) fn changed(&mut self, now_ms: u64, version_delay_ms: u64) {
        self.catch_up(now_ms);
        self.revision += 1;
        self.modified_ms = now_ms;
        self.catches_up_ms.get_or_insert(now_ms + version_delay_ms);
        self.catch_up(now_ms);
    }

    fn catch_up(&mut self, now_ms: u64) {
        if self.catches_up_ms.is_some_and(|due| due <= now_ms) {
            self.catches_up_ms = None;
            // Versions rise by more than one: Drive counts what it does itself too.
            self.shown_version = self.revision * 3;
            self.shown_modified_ms = self.modified_ms;
        }
    }

    /// `version` and `modifiedTime` as Drive shows them at present.
    pub(crate) fn shown(&mut self, now_ms: u64) -> (u64, u64) {
        self.catch_up(now_ms);
        (self.shown_version, self.shown_modified_ms)
    }
}

/// Who calls, as the access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) project: String,
    pub(crate) scopes: BTreeSet<String>,
}

/// Scopes that open every file which the account may open.
const WIDE_SCOPES: [&str; 7] = [
    "https://www.googleapis.com/auth/drive",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive.metadata",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
    "https://www.googleapis.com/auth/drive.meet.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/spreadsheets.readonly",
];

/// Everything.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) tokens: Tokens,
    pub(crate) files: BTreeMap<String, File>,
    /// Files that `drive.file` opens: project, account, file.
    pub(crate) picked: BTreeSet<(String, String, String)>,
    pub(crate) channels: Channels,
    pub(crate) quota: Quota,
    pub(crate) faults: Vec<Fault>,
    pub(crate) journal: Journal,
}

impl World {
    /// A world with two accounts, one client and no files.
    pub(crate) fn new(settings: Settings) -> Self {
        let account = |email: &str, name: &str| {
            let account = Account {
                email: email.to_owned(),
                name: name.to_owned(),
                domain: None,
                admin_policy_enforced: false,
            };
            (email.to_owned(), account)
        };
        let client = Client {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
            name: client_name(),
            project: client_project(),
            redirect_uris: vec!["http://localhost:8787/oauth/callback".to_owned()],
            any_loopback_port: true,
            deleted: false,
            testing: false,
            test_users: Vec::new(),
            internal_domain: None,
        };
        World {
            settings,
            clock: Clock::of_machine(),
            accounts: BTreeMap::from([
                account("ana@example.com", "Ana Lima"),
                account("ben@example.com", "Ben Okoro"),
            ]),
            clients: BTreeMap::from([(client.client_id.clone(), client)]),
            tokens: Tokens::default(),
            files: BTreeMap::new(),
            picked: BTreeSet::new(),
            channels: Channels::default(),
            quota: Quota::default(),
            faults: Vec::new(),
            journal: Journal::default(),
        }
    }

    /// Now, by fake Google's clock.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// What the caller may do with a file; `None` when it may not know that the file is there.
    pub(crate) fn role(&self, caller: &Caller, file_id: &str) -> Option<Role> {
        let file = self.files.get(file_id)?;
        let role = file.roles.get(&caller.account).copied()?;
        let wide = WIDE_SCOPES
            .iter()
            .any(|scope| caller.scopes.contains(*scope));
        let key = (
            caller.project.clone(),
            caller.account.clone(),
            file_id.to_owned(),
        );
        (wide || self.picked.contains(&key)).then_some(role)
    }

    /// Notes that a file's contents changed: its version, and notices to those who watch it.
    pub(crate) fn file_changed(&mut self, file_id: &str) {
        let now_ms = self.now_ms();
        if let Some(file) = self.files.get_mut(file_id) {
            file.changed(now_ms, self.settings.version_delay_ms);
            self.channels
                .file_changed(file_id, now_ms, self.settings.notice_delay_ms);
        }
    }
}

/// What the grid page's readers are told.
#[derive(Debug, Clone)]
pub(crate) enum GridEvent {
    /// Some cells changed: row, column, and the cell as the page shows it.
    Cells {
        spreadsheet_id: String,
        sheet_id: i64,
        revision: u64,
        cells: Vec<(u32, u32, Value)>,
    },
    /// More changed than cells: the page reads everything again.
    Structure {
        spreadsheet_id: String,
        revision: u64,
    },
}

impl GridEvent {
    /// The spreadsheet that it tells of.
    pub(crate) fn spreadsheet_id(&self) -> &str {
        match self {
            GridEvent::Cells { spreadsheet_id, .. }
            | GridEvent::Structure { spreadsheet_id, .. } => spreadsheet_id,
        }
    }
}
