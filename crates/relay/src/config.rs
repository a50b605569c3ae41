//! The configuration: one table of settings, read from the environment and a TOML file.
//!
//! Owns the settings' names, defaults, checks and error texts. Must not know how any of them is used.
//!
//! A setting has two names: `SHEETWIRE_GOOGLE_CLIENT_ID` in the environment is `google.client_id` in the file.
//! The environment wins. A secret's value never appears in an error.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sheetwire_core::election;
use sheetwire_core::protocol::relay as wire;
use url::Url;

use crate::secret::Secret;

/// One setting: what `--help`, the documentation and every error say about it.
#[derive(Debug)]
pub struct Setting {
    /// Its name in the environment.
    pub env: &'static str,
    /// Its dotted name in the file.
    pub key: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// A value that would be taken.
    pub example: &'static str,
    /// What holds without it; empty when it is needed or derived.
    pub default: &'static str,
    /// Whether its value must not be printed.
    pub secret: bool,
}

macro_rules! settings {
    ($($name:ident: $env:literal, $key:literal, $default:literal, $example:literal, $about:literal $(, $secret:ident)?;)*) => {
        $(
            #[doc = $about]
            const $name: Setting = Setting {
                env: $env,
                key: $key,
                about: $about,
                example: $example,
                default: $default,
                secret: false $(|| stringify!($secret).len() > 0)?,
            };
        )*
        /// Every setting.
        pub const SETTINGS: &[Setting] = &[$($name),*];
    };
}

settings! {
    LISTEN: "SHEETWIRE_LISTEN", "listen", "127.0.0.1:8787", "127.0.0.1:8787", "Address and port to listen on; port 0 takes a free one.";
    PUBLIC_URL: "SHEETWIRE_PUBLIC_URL", "public_url", "", "https://relay.example.com", "The origin that browsers and Google see; https, except on this machine. Default: http://localhost and the bound port.";
    STORE: "SHEETWIRE_STORE", "store", "sheetwire.db", "/var/lib/sheetwire/relay.db", "Path of the store (SQLite); made when missing.";
    STORE_KEY: "SHEETWIRE_STORE_KEY", "store_key", "", "the output of `sheetwire-relay key`", "32 bytes in base64 that encrypt what the store keeps.", secret;
    FLAGS: "SHEETWIRE_FLAGS", "flags", "", "/etc/sheetwire/flags.json", "Path of the flag document (flagd's JSON); it is read again when it changes. Default: the embedded one, 5 %.";
    WEBHOOK_URL: "SHEETWIRE_WEBHOOK_URL", "webhook_url", "", "https://relay.example.com/v1/hooks/drive", "Where Google reaches POST /v1/hooks/drive; with it the relay asks Drive for change notices.";
    TRUST_PROXY: "SHEETWIRE_TRUST_PROXY", "trust_proxy", "false", "true", "Whether the last entry of X-Forwarded-For is the client's address (only behind a proxy of your own).";
    CLIENT_ID: "SHEETWIRE_GOOGLE_CLIENT_ID", "google.client_id", "", "1234567890-abc.apps.googleusercontent.com", "The OAuth client's id.";
    CLIENT_SECRET: "SHEETWIRE_GOOGLE_CLIENT_SECRET", "google.client_secret", "", "GOCSPX-…", "The OAuth client's secret.", secret;
    SCOPES: "SHEETWIRE_GOOGLE_SCOPES", "google.scopes", "https://www.googleapis.com/auth/drive.file", "https://www.googleapis.com/auth/spreadsheets", "Data scopes to ask for, separated by spaces. With drive.file the picker is part of the sign-in.";
    AUTH_URL: "SHEETWIRE_GOOGLE_AUTH_URL", "google.auth_url", "https://accounts.google.com/o/oauth2/v2/auth", "https://accounts.google.com/o/oauth2/v2/auth", "Google's consent page.";
    TOKEN_URL: "SHEETWIRE_GOOGLE_TOKEN_URL", "google.token_url", "https://oauth2.googleapis.com/token", "https://oauth2.googleapis.com/token", "Google's token endpoint.";
    REVOKE_URL: "SHEETWIRE_GOOGLE_REVOKE_URL", "google.revoke_url", "https://oauth2.googleapis.com/revoke", "https://oauth2.googleapis.com/revoke", "Google's revocation endpoint.";
    USERINFO_URL: "SHEETWIRE_GOOGLE_USERINFO_URL", "google.userinfo_url", "", "https://www.googleapis.com/oauth2/v2/userinfo", "Google's userinfo endpoint. Default: /oauth2/v2/userinfo at the origin of drive_url.";
    SHEETS_URL: "SHEETWIRE_SHEETS_URL", "google.sheets_url", "https://sheets.googleapis.com", "https://sheets.googleapis.com", "Origin of the Sheets API, without /v4.";
    DRIVE_URL: "SHEETWIRE_DRIVE_URL", "google.drive_url", "https://www.googleapis.com", "https://www.googleapis.com", "Origin of the Drive API, without /drive/v3.";
    POLL_ACTIVE: "SHEETWIRE_POLL_ACTIVE_MS", "poll.active_ms", "5000", "5000", "Time between reads of a sheet that changed lately, in milliseconds.";
    POLL_ACTIVE_WINDOW: "SHEETWIRE_POLL_ACTIVE_WINDOW_MS", "poll.active_window_ms", "120000", "120000", "How long after a change or a join a sheet counts as active, in milliseconds.";
    POLL_IDLE_MIN: "SHEETWIRE_POLL_IDLE_MIN_MS", "poll.idle_min_ms", "15000", "15000", "First time between reads of a quiet sheet, in milliseconds; it grows by half with every read.";
    POLL_IDLE_MAX: "SHEETWIRE_POLL_IDLE_MAX_MS", "poll.idle_max_ms", "60000", "60000", "Longest time between reads of a quiet sheet, in milliseconds.";
    POLL_REFRESH_MIN: "SHEETWIRE_POLL_REFRESH_MIN_MS", "poll.refresh_min_ms", "1000", "1000", "Shortest time between two reads of one sheet, whoever asks, in milliseconds.";
    POLL_LINGER: "SHEETWIRE_POLL_LINGER_MS", "poll.linger_ms", "60000", "60000", "How long a sheet's contents stay in memory after its last reader has left, in milliseconds.";
    POLL_BUDGET: "SHEETWIRE_POLL_READS_PER_MINUTE", "poll.reads_per_minute", "240", "240", "Reads a minute over all sheets; Google's default quota is 300 a project.";
    WRITE_BUDGET: "SHEETWIRE_WRITES_PER_MINUTE", "writes_per_minute", "240", "240", "Writes a minute over all sheets, where two-way sync is on; Google's default quota is 300 a project.";
    LOG: "SHEETWIRE_LOG", "log", "info", "sheetwire_relay=debug,info", "What is logged, in the form of tracing's EnvFilter.";
    LOG_FORMAT: "SHEETWIRE_LOG_FORMAT", "log_format", "text", "json", "How it is logged: text or json.";
}

/// What is wrong with the configuration. The text names the setting, the fault and an example.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A needed setting is absent.
    #[error("{} is not set. {} Set it in the environment, or as `{}` in the configuration file; for example: {}", .0.env, .0.about, .0.key, .0.example)]
    Missing(&'static Setting),
    /// A setting can't be used.
    #[error("{} (from {origin}) {problem}. For example: {}", .setting.env, .setting.example)]
    Invalid {
        /// Which.
        setting: &'static Setting,
        /// Where its value came from.
        origin: String,
        /// What is wrong with it; without the value when that is secret.
        problem: String,
    },
    /// The file names a setting that there is not.
    #[error("{file} has `{key}`, which is no setting. The settings are: {}", SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>().join(", "))]
    Unknown {
        /// The file.
        file: String,
        /// The name in it.
        key: String,
    },
    /// The environment names a setting that there is not.
    #[error("the environment has {name}, which is no setting; `sheetwire-relay --help` lists them")]
    UnknownEnv {
        /// The name.
        name: String,
    },
    /// The file can't be read.
    #[error("SHEETWIRE_CONFIG names {file}, which can't be read: {problem}")]
    File {
        /// The file.
        file: String,
        /// Why, without the file's contents.
        problem: String,
    },
}

/// How often the watchers read.
#[derive(Debug, Clone)]
pub struct Poll {
    /// Between reads of an active sheet.
    pub active: Duration,
    /// How long a sheet stays active.
    pub active_window: Duration,
    /// First wait of a quiet sheet.
    pub idle_min: Duration,
    /// Longest wait of a quiet sheet.
    pub idle_max: Duration,
    /// Shortest wait between two reads of one sheet.
    pub refresh_min: Duration,
    /// Life of a room without members.
    pub linger: Duration,
    /// Reads a minute over all sheets.
    pub reads_per_minute: u32,
}

/// Google's endpoints and this relay's client there.
#[derive(Debug, Clone)]
pub struct Google {
    /// The OAuth client's id.
    pub client_id: String,
    /// The OAuth client's secret.
    pub client_secret: Secret,
    /// Data scopes.
    pub scopes: Vec<String>,
    /// Consent page.
    pub auth_url: Url,
    /// Token endpoint.
    pub token_url: Url,
    /// Revocation endpoint.
    pub revoke_url: Url,
    /// Userinfo endpoint.
    pub userinfo_url: Url,
    /// Origin of the Sheets API.
    pub sheets_url: Url,
    /// Origin of the Drive API.
    pub drive_url: Url,
}

impl Google {
    /// Whether a scope allows writing to sheets.
    pub fn may_write(&self) -> bool {
        self.scopes.iter().any(|scope| {
            ["/auth/drive.file", "/auth/drive", "/auth/spreadsheets"]
                .iter()
                .any(|end| scope.ends_with(end))
        })
    }

    /// Whether Drive's methods are open to us: listing, access checks and change notices need a drive scope.
    pub fn has_drive(&self) -> bool {
        self.scopes
            .iter()
            .any(|scope| scope.contains("/auth/drive"))
    }
}

/// Bounds and lives that the wire promises, so that they are no settings. Tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Between heartbeats.
    pub heartbeat: Duration,
    /// For the first frame of a socket.
    pub join_deadline: Duration,
    /// Life of a ticket.
    pub ticket_life: Duration,
    /// How long changes are kept for resuming.
    pub resume_window: Duration,
    /// Life of a sign-in.
    pub flow_life: Duration,
    /// Life of a session since its last renewal.
    pub session_life: Duration,
    /// Age from which a renewal gives a new token. Less than the day after which a panel that stays open renews.
    pub session_rotation: Duration,
    /// How long a replaced token is still taken: for a reply that got lost, and for the person's other panels, which
    /// hold it until they renew by themselves, perhaps after a long weekend.
    pub session_grace: Duration,
    /// How long one frame may take to leave; then the reader is too slow.
    pub send: Duration,
    /// How long sockets have to leave when the relay goes down.
    pub drain: Duration,
    /// How long the word of Google that a user may read a spreadsheet is believed.
    pub access_life: Duration,
    /// Between looks at the flag document's file.
    pub flags_poll: Duration,
    /// The times of the writers' leases.
    pub election: election::Bounds,
    /// Between looks at the writers' leases.
    pub lease_sweep: Duration,
    /// Between sweeps of what has expired.
    pub sweep: Duration,
    /// First wait after a failed read; it doubles.
    pub retry_min: Duration,
    /// Longest wait after failed reads.
    pub retry_max: Duration,
    /// How long one write may take, with its wait for others and its repeats.
    pub write_wait: Duration,
    /// Batches that Google is sent a minute for one account. Twice as many within a minute are possible, which is
    /// Google's own quota of 60 a user.
    pub writes_per_account: u32,
    /// Sockets that have not joined yet.
    pub pending_sockets: usize,
    /// Sockets and long polls in all.
    pub members: usize,
    /// Sheets that one account follows at a time.
    pub sheets_per_account: usize,
    /// Bytes of all sheets in memory; a new sheet is refused beyond it.
    pub contents_bytes: usize,
    /// Messages waiting for one slow socket.
    pub queue_messages: usize,
    /// Bytes waiting for one slow socket, besides snapshots.
    pub queue_bytes: u64,
    /// Sign-ins under way.
    pub flows: usize,
    /// Sign-ins under way from one address.
    pub flows_per_address: usize,
    /// Requests a minute of one account, or of one address where there is no account yet.
    pub requests_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(wire::HEARTBEAT_MS),
            join_deadline: Duration::from_millis(wire::JOIN_DEADLINE_MS),
            ticket_life: Duration::from_millis(wire::TICKET_LIFE_MS),
            resume_window: Duration::from_millis(wire::RESUME_WINDOW_MS),
            election: election::Bounds::default(),
            lease_sweep: Duration::from_secs(1),
            flow_life: Duration::from_secs(10 * 60),
            session_life: Duration::from_secs(30 * 24 * 60 * 60),
            session_rotation: Duration::from_secs(20 * 60 * 60),
            session_grace: Duration::from_secs(4 * 24 * 60 * 60),
            send: Duration::from_secs(10),
            drain: Duration::from_secs(5),
            access_life: Duration::from_secs(5 * 60),
            flags_poll: Duration::from_millis(500),
            sweep: Duration::from_secs(30),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(60),
            write_wait: Duration::from_secs(60),
            writes_per_account: 30,
            pending_sockets: 256,
            members: 18_000,
            sheets_per_account: 64,
            contents_bytes: 1024 * 1024 * 1024,
            queue_messages: 64,
            queue_bytes: 64 * 1024,
            flows: 10_000,
            flows_per_address: 32,
            requests_per_minute: 120,
        }
    }
}

/// Everything the relay needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The origin seen from outside; `None` until the port is known.
    pub public_url: Option<Url>,
    /// The store's path.
    pub store: PathBuf,
    /// The store's key: 32 bytes.
    pub store_key: StoreKey,
    /// The flag document's path.
    pub flags: Option<PathBuf>,
    /// Where Google reaches the webhook.
    pub webhook_url: Option<Url>,
    /// Whether to believe X-Forwarded-For.
    pub trust_proxy: bool,
    /// Google.
    pub google: Google,
    /// The watchers.
    pub poll: Poll,
    /// Writes a minute over all sheets.
    pub writes_per_minute: u32,
    /// What is logged.
    pub log: String,
    /// Whether logs are JSON.
    pub log_json: bool,
    /// What the wire promises.
    pub limits: Limits,
}

/// The key of the store: no text form and no contents in `Debug`.
#[derive(Clone)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(…)")
    }
}

/// The values as found, before any check.
struct Found {
    values: BTreeMap<&'static str, (String, String)>,
}

impl Found {
    fn text(&self, setting: &'static Setting) -> Option<&str> {
        self.values
            .get(setting.env)
            .map(|(value, _)| value.as_str())
    }

    fn text_or_default(&self, setting: &'static Setting) -> &str {
        self.text(setting).unwrap_or(setting.default)
    }

    fn needed(&self, setting: &'static Setting) -> Result<&str, ConfigError> {
        self.text(setting).ok_or(ConfigError::Missing(setting))
    }

    fn invalid(&self, setting: &'static Setting, problem: impl Into<String>) -> ConfigError {
        let origin = self
            .values
            .get(setting.env)
            .map_or("its default", |(_, origin)| origin)
            .to_owned();
        ConfigError::Invalid {
            setting,
            origin,
            problem: problem.into(),
        }
    }

    fn url(&self, setting: &'static Setting) -> Result<Url, ConfigError> {
        let text = self.text_or_default(setting);
        let url = Url::parse(text).map_err(|error| {
            self.invalid(
                setting,
                format!("is `{text}`, which is no address ({error})"),
            )
        })?;
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => Ok(url),
            ("http", Some("localhost" | "127.0.0.1" | "[::1]")) => Ok(url),
            ("http", Some(_)) => Err(self.invalid(
                setting,
                format!("is `{text}`; http is taken for this machine alone, use https"),
            )),
            _ => Err(self.invalid(
                setting,
                format!("is `{text}`, which is not an https address"),
            )),
        }
    }

    fn origin(&self, setting: &'static Setting) -> Result<Url, ConfigError> {
        let url = self.url(setting)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            let problem = format!("is `{url}`; it must be an origin, without a path");
            return Err(self.invalid(setting, problem));
        }
        Ok(url)
    }

    fn duration(&self, setting: &'static Setting) -> Result<Duration, ConfigError> {
        let text = self.text_or_default(setting);
        match text.parse::<u64>() {
            Ok(ms) if ms <= 24 * 60 * 60 * 1000 => Ok(Duration::from_millis(ms)),
            Ok(_) => Err(self.invalid(setting, format!("is `{text}`, more than a day"))),
            Err(_) => Err(self.invalid(
                setting,
                format!("is `{text}`, which is no whole number of milliseconds"),
            )),
        }
    }
}

impl Config {
    /// Reads the configuration from environment variables, and from the TOML file that SHEETWIRE_CONFIG names.
    ///
    /// # Errors
    /// [`ConfigError`]: the first fault, with the setting's name and an example.
    pub fn load(env: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let env: BTreeMap<String, String> = env
            .into_iter()
            .filter(|(name, _)| name.starts_with("SHEETWIRE_"))
            .collect();
        let mut values = BTreeMap::new();
        if let Some(file) = env.get("SHEETWIRE_CONFIG") {
            let text = std::fs::read_to_string(file).map_err(|error| ConfigError::File {
                file: file.clone(),
                problem: error.to_string(),
            })?;
            read_file(file, &text, &mut values)?;
        }
        for (name, value) in &env {
            if name == "SHEETWIRE_CONFIG" {
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|setting| setting.env == name) else {
                return Err(ConfigError::UnknownEnv { name: name.clone() });
            };
            // An empty variable is how a shell unsets one for a single command.
            if !value.is_empty() {
                values.insert(setting.env, (value.clone(), "the environment".to_owned()));
            }
        }
        Self::check(&Found { values })
    }

    fn check(found: &Found) -> Result<Self, ConfigError> {
        let listen_text = found.text_or_default(&LISTEN);
        let listen = listen_text.parse().map_err(|_| {
            found.invalid(
                &LISTEN,
                format!("is `{listen_text}`, which is no address with a port"),
            )
        })?;
        let public_url = found
            .text(&PUBLIC_URL)
            .map(|_| found.origin(&PUBLIC_URL))
            .transpose()?;

        let key_text = found.needed(&STORE_KEY)?;
        let store_key = STANDARD
            .decode(key_text.trim())
            .map_err(|_| found.invalid(&STORE_KEY, "is not base64"))?
            .try_into()
            .map(StoreKey)
            .map_err(|bytes: Vec<u8>| {
                found.invalid(
                    &STORE_KEY,
                    format!("holds {} bytes and must hold 32", bytes.len()),
                )
            })?;

        let scopes: Vec<String> = found
            .text_or_default(&SCOPES)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        if scopes.is_empty()
            || scopes
                .iter()
                .any(|scope| !scope.starts_with("https://www.googleapis.com/auth/"))
        {
            return Err(found.invalid(
                &SCOPES,
                "must be scopes that start with https://www.googleapis.com/auth/",
            ));
        }
        if !scopes.iter().any(|scope| {
            scope.ends_with("/drive.file")
                || scope.contains("/auth/spreadsheets")
                || scope.ends_with("/drive")
        }) {
            return Err(found.invalid(&SCOPES, "has no scope that can read a sheet"));
        }
        let drive_url = found.origin(&DRIVE_URL)?;
        let userinfo_url = match found.text(&USERINFO_URL) {
            Some(_) => found.url(&USERINFO_URL)?,
            None => {
                let mut url = drive_url.clone();
                url.set_path("/oauth2/v2/userinfo");
                url
            }
        };
        let webhook_url = match found.text(&WEBHOOK_URL) {
            Some(_) => Some(found.url(&WEBHOOK_URL)?),
            None => None,
        };
        let boolean = |setting: &'static Setting| match found.text_or_default(setting) {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(found.invalid(setting, format!("is `{other}` and must be true or false"))),
        };
        let budget = |setting: &'static Setting| match found.text_or_default(setting).parse() {
            Ok(budget) if budget > 0 => Ok(budget),
            _ => Err(found.invalid(setting, "must be a whole number above 0")),
        };
        let poll = Poll {
            active: found.duration(&POLL_ACTIVE)?,
            active_window: found.duration(&POLL_ACTIVE_WINDOW)?,
            idle_min: found.duration(&POLL_IDLE_MIN)?,
            idle_max: found.duration(&POLL_IDLE_MAX)?,
            refresh_min: found.duration(&POLL_REFRESH_MIN)?,
            linger: found.duration(&POLL_LINGER)?,
            reads_per_minute: budget(&POLL_BUDGET)?,
        };
        if poll.idle_max < poll.idle_min {
            return Err(found.invalid(
                &POLL_IDLE_MAX,
                format!("is less than {}", POLL_IDLE_MIN.env),
            ));
        }
        if poll.active.is_zero() {
            return Err(found.invalid(&POLL_ACTIVE, "must be above 0"));
        }
        let log = found.text_or_default(&LOG).to_owned();
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&log) {
            return Err(found.invalid(&LOG, format!("is `{log}`, which is no filter ({error})")));
        }
        let log_json = match found.text_or_default(&LOG_FORMAT) {
            "text" => false,
            "json" => true,
            other => {
                return Err(found.invalid(
                    &LOG_FORMAT,
                    format!("is `{other}` and must be text or json"),
                ));
            }
        };
        Ok(Self {
            listen,
            public_url,
            store: found.text_or_default(&STORE).into(),
            store_key,
            flags: found.text(&FLAGS).map(PathBuf::from),
            webhook_url,
            trust_proxy: boolean(&TRUST_PROXY)?,
            google: Google {
                client_id: found.needed(&CLIENT_ID)?.to_owned(),
                client_secret: Secret::new(found.needed(&CLIENT_SECRET)?),
                scopes,
                auth_url: found.url(&AUTH_URL)?,
                token_url: found.url(&TOKEN_URL)?,
                revoke_url: found.url(&REVOKE_URL)?,
                userinfo_url,
                sheets_url: found.origin(&SHEETS_URL)?,
                drive_url,
            },
            poll,
            writes_per_minute: budget(&WRITE_BUDGET)?,
            log,
            log_json,
            limits: Limits::default(),
        })
    }

    /// The origin seen from outside, without a slash at its end, once the port is known.
    pub fn public_origin(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", bound.port()),
        }
    }

    /// What the relay would do with this configuration, one line a fact, without a secret.
    pub fn describe(&self) -> String {
        let flags = self
            .flags
            .as_ref()
            .map_or("the embedded document (5 %)".to_owned(), |path| {
                path.display().to_string()
            });
        let webhook = self
            .webhook_url
            .as_ref()
            .map_or("none, sheets are polled".to_owned(), Url::to_string);
        let picker = if self.google.has_drive() {
            "with the picker"
        } else {
            "without the picker"
        };
        let public = self.public_origin(self.listen);
        format!(
            "listens on          {}\n\
             is seen as          {public}\n\
             redirect URI        {public}/oauth/callback (register exactly this at Google)\n\
             store               {}, encrypted (key is set)\n\
             flags               {flags}\n\
             Drive notices       {webhook}\n\
             Google client       {} (secret is set)\n\
             scopes              {} ({picker})\n\
             consent page        {}\n\
             Sheets, Drive       {} {}\n\
             reads a sheet every {} ms while active, {} to {} ms while quiet, at most {} a minute in all\n\
             two-way sync        {}",
            self.listen,
            self.store.display(),
            self.google.client_id,
            self.google.scopes.join(" "),
            self.google.auth_url,
            self.google.sheets_url,
            self.google.drive_url,
            self.poll.active.as_millis(),
            self.poll.idle_min.as_millis(),
            self.poll.idle_max.as_millis(),
            self.poll.reads_per_minute,
            if self.google.may_write() {
                format!(
                    "where people switch it on, at most {} writes a minute in all",
                    self.writes_per_minute
                )
            } else {
                "impossible: the scopes only read".to_owned()
            },
        )
    }
}

/// Takes a TOML file's values under their dotted names.
fn read_file(
    file: &str,
    text: &str,
    values: &mut BTreeMap<&'static str, (String, String)>,
) -> Result<(), ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The error's own text quotes the line, which may hold a secret; only its place is told.
        let place = error.span().map_or(String::new(), |span| {
            format!(
                " in line {}",
                text[..span.start.min(text.len())].matches('\n').count() + 1
            )
        });
        ConfigError::File {
            file: file.to_owned(),
            problem: format!("it is not TOML{place} ({})", error.message()),
        }
    })?;
    let mut flat = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => flat.extend(
                inner
                    .into_iter()
                    .map(|(key, value)| (format!("{name}.{key}"), value)),
            ),
            other => flat.push((name, other)),
        }
    }
    for (key, value) in flat {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            return Err(ConfigError::Unknown {
                file: file.to_owned(),
                key,
            });
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(boolean) => boolean.to_string(),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => items
                .iter()
                .filter_map(toml::Value::as_str)
                .collect::<Vec<_>>()
                .join(" "),
            other => {
                return Err(ConfigError::Invalid {
                    setting,
                    origin: format!("`{key}` in {file}"),
                    problem: format!(
                        "is a TOML {} and must be a text, a number or a list of texts",
                        other.type_str()
                    ),
                });
            }
        };
        values.insert(setting.env, (text, format!("`{key}` in {file}")));
    }
    Ok(())
}

/// The text of `sheetwire-relay --help`.
pub fn help() -> String {
    let mut text = String::from(
        "sheetwire-relay: keeps Figma plugins in step with Google spreadsheets\n\n\
         sheetwire-relay          runs the relay\n\
         sheetwire-relay check    says what it would do, and exits\n\
         sheetwire-relay key      prints a new store key\n\
         sheetwire-relay --help   prints this\n\n\
         Settings, from the environment or the TOML file that SHEETWIRE_CONFIG names:\n",
    );
    for setting in SETTINGS {
        text.push_str(&format!(
            "\n{}  (file: {})\n    {}\n",
            setting.env, setting.key, setting.about
        ));
        if !setting.default.is_empty() {
            text.push_str(&format!("    Default: {}\n", setting.default));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let base = [
            ("SHEETWIRE_STORE_KEY", KEY),
            ("SHEETWIRE_GOOGLE_CLIENT_ID", "id"),
            ("SHEETWIRE_GOOGLE_CLIENT_SECRET", "very-secret"),
        ];
        let mut env: BTreeMap<String, String> = base
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        for (name, value) in pairs {
            env.insert((*name).to_owned(), (*value).to_owned());
        }
        Config::load(env)
    }

    #[test]
    fn defaults_are_google_itself() {
        let config = load(&[]).expect("the three needed settings are there");
        assert_eq!(
            config.google.sheets_url.as_str(),
            "https://sheets.googleapis.com/"
        );
        assert_eq!(
            config.google.userinfo_url.as_str(),
            "https://www.googleapis.com/oauth2/v2/userinfo"
        );
        assert_eq!(config.poll.active, Duration::from_secs(5));
        assert!(config.google.has_drive());
        let text = format!("{config:?}{}", config.describe());
        assert!(
            !text.contains("very-secret") && !text.contains(KEY),
            "{text}"
        );
    }

    #[test]
    fn every_fault_names_setting_and_example() {
        /// Settings, and what the error's text has to name.
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            (
                &[("SHEETWIRE_LISTEN", "8787")],
                &["SHEETWIRE_LISTEN", "`8787`", "127.0.0.1:8787"],
            ),
            (
                &[("SHEETWIRE_PUBLIC_URL", "http://relay.example.com")],
                &["SHEETWIRE_PUBLIC_URL", "https"],
            ),
            (
                &[("SHEETWIRE_PUBLIC_URL", "https://relay.example.com/x")],
                &["SHEETWIRE_PUBLIC_URL", "without a path"],
            ),
            (
                &[("SHEETWIRE_STORE_KEY", "AAEC")],
                &["SHEETWIRE_STORE_KEY", "3 bytes", "32"],
            ),
            (
                &[("SHEETWIRE_STORE_KEY", "%%%")],
                &["SHEETWIRE_STORE_KEY", "base64"],
            ),
            (
                &[("SHEETWIRE_STORE_KEY", "")],
                &["SHEETWIRE_STORE_KEY is not set", "sheetwire-relay key"],
            ),
            (
                &[("SHEETWIRE_SHEETS_URL", "https://sheets.googleapis.com/v4")],
                &["SHEETWIRE_SHEETS_URL", "without a path"],
            ),
            (
                &[("SHEETWIRE_POLL_ACTIVE_MS", "soon")],
                &["SHEETWIRE_POLL_ACTIVE_MS", "`soon`", "milliseconds"],
            ),
            (
                &[("SHEETWIRE_POLL_IDLE_MAX_MS", "1")],
                &["SHEETWIRE_POLL_IDLE_MAX_MS", "SHEETWIRE_POLL_IDLE_MIN_MS"],
            ),
            (
                &[("SHEETWIRE_GOOGLE_SCOPES", "drive")],
                &[
                    "SHEETWIRE_GOOGLE_SCOPES",
                    "https://www.googleapis.com/auth/",
                ],
            ),
            (
                &[(
                    "SHEETWIRE_GOOGLE_SCOPES",
                    "https://www.googleapis.com/auth/calendar",
                )],
                &["SHEETWIRE_GOOGLE_SCOPES", "read a sheet"],
            ),
            (
                &[("SHEETWIRE_LOG_FORMAT", "xml")],
                &["SHEETWIRE_LOG_FORMAT", "text or json"],
            ),
            (
                &[("SHEETWIRE_TRUST_PROXY", "yes")],
                &["SHEETWIRE_TRUST_PROXY", "true or false"],
            ),
            (
                &[("SHEETWIRE_CLIENT_ID", "x")],
                &["SHEETWIRE_CLIENT_ID", "no setting"],
            ),
            (
                &[("SHEETWIRE_CONFIG", "/nonexistent/relay.toml")],
                &["SHEETWIRE_CONFIG", "/nonexistent/relay.toml"],
            ),
        ];
        for (pairs, needles) in cases {
            let error = load(pairs).expect_err("every case is faulty").to_string();
            for needle in *needles {
                assert!(error.contains(needle), "{error:?} lacks {needle:?}");
            }
            assert!(
                !error.contains("very-secret") && !error.contains("%%%"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_file_is_read_and_the_environment_wins() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("relay.toml");
        let path_text = path.to_str().expect("UTF-8");
        std::fs::write(
            &path,
            "listen = '127.0.0.1:1'\n[poll]\nactive_ms = 7\nidle_min_ms = 8\n",
        )
        .expect("written");
        let config = load(&[
            ("SHEETWIRE_CONFIG", path_text),
            ("SHEETWIRE_POLL_IDLE_MIN_MS", "9"),
        ])
        .expect("readable");
        assert_eq!(config.listen.port(), 1);
        assert_eq!(
            (
                config.poll.active.as_millis(),
                config.poll.idle_min.as_millis()
            ),
            (7, 9)
        );

        std::fs::write(&path, "[google]\nclient = 'x'\n").expect("written");
        let error = load(&[("SHEETWIRE_CONFIG", path_text)])
            .expect_err("unknown")
            .to_string();
        assert!(
            error.contains("`google.client`") && error.contains("google.client_id"),
            "{error}"
        );

        std::fs::write(&path, "listen = '127.0.0.1:1'\nstore_key = hush\n").expect("written");
        let error = load(&[("SHEETWIRE_CONFIG", path_text)])
            .expect_err("no TOML")
            .to_string();
        assert!(
            error.contains("line 2") && !error.contains("hush"),
            "{error}"
        );

        std::fs::write(&path, "[poll]\nactive_ms = 1.5\n").expect("written");
        let error = load(&[("SHEETWIRE_CONFIG", path_text)])
            .expect_err("a float")
            .to_string();
        assert!(
            error.contains("poll.active_ms") && error.contains("float"),
            "{error}"
        );
    }

    #[test]
    fn every_setting_is_documented() {
        let manual = include_str!("../../../docs/operations.md");
        for setting in SETTINGS {
            assert!(
                manual.contains(setting.env) && manual.contains(setting.key),
                "docs/operations.md lacks {}",
                setting.env
            );
        }
        assert!(help().contains("SHEETWIRE_STORE_KEY"));
    }
}
