//! The embedded store: who signed in, what Google gave for them, and their sessions.
//!
//! Owns the tables, what is encrypted and under which name, and the thread that SQLite runs on. Must not know HTTP or
//! Google. A session's token is kept as its hash; refresh tokens and addresses are encrypted with the store's key
//! (XChaCha20-Poly1305), bound to their table, column and user, so that none can stand in for another. No cell is ever
//! kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::Semaphore;

use crate::config::StoreKey;
use crate::secret::{Hash, Secret, random_bytes};

/// The tables' version. A store of a later version is not touched.
const SCHEMA: i64 = 1;
/// Bytes of a nonce, in front of every ciphertext.
const NONCE_BYTES: usize = 24;
/// Requests that wait for the store at once; more are turned away.
const WAITING_MAX: usize = 1_024;
/// What the check value says under the right key.
const CHECK: &[u8] = b"sheetwire";

/// Why the store can't do what it was asked. The texts hold no contents.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The key is another one than the store was made with.
    #[error(
        "the store was made with another SHEETWIRE_STORE_KEY; give that key, or another SHEETWIRE_STORE for a new one"
    )]
    Key,
    /// The store was made by a later version.
    #[error(
        "the store has version {found}, and this relay knows versions up to {SCHEMA}; run the newer relay"
    )]
    Version {
        /// Its version.
        found: i64,
    },
    /// Too many requests wait.
    #[error("the store is overloaded")]
    Busy,
}

/// What Google gave for somebody.
#[derive(Clone)]
pub struct Grant {
    /// Google's own id of the account.
    pub google_id: String,
    /// The account's address.
    pub account: String,
    /// The right to read, until it is revoked.
    pub refresh_token: Secret,
}

/// A user as a session names them.
#[derive(Clone)]
pub struct StoredUser {
    /// The store's number.
    pub id: i64,
    /// The account's address.
    pub account: String,
    /// The session's number.
    pub session: i64,
    /// Whether the session was found by the token that a renewal replaced a moment ago.
    pub by_previous: bool,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    connection: Mutex<Connection>,
    cipher: XChaCha20Poly1305,
    /// Mixed into the hash that tells users apart.
    key: StoreKey,
    waiting: Semaphore,
}

impl Store {
    /// Opens the store, makes it when it is missing, and checks the key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > SCHEMA {
            return Err(StoreError::Version { found });
        }
        connection.execute_batch(
            "create table if not exists checks (name text primary key, value blob not null);
             create table if not exists users (
               id integer primary key autoincrement,
               subject blob not null unique,
               account blob not null,
               refresh_token blob not null
             );
             create table if not exists sessions (
               id integer primary key autoincrement,
               user integer not null references users (id) on delete cascade,
               hash blob not null unique,
               previous blob unique,
               previous_until_s integer not null default 0,
               expires_s integer not null
             );
             create index if not exists sessions_of_user on sessions (user);",
        )?;
        connection.pragma_update(None, "user_version", SCHEMA)?;
        let store = Self {
            inner: Arc::new(Inner {
                connection: Mutex::new(connection),
                cipher: XChaCha20Poly1305::new(&(*key.as_bytes()).into()),
                key: key.clone(),
                waiting: Semaphore::new(WAITING_MAX),
            }),
        };
        store.inner.check_key()?;
        Ok(store)
    }

    /// Runs `work` on a thread that may block.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        let _place = self
            .inner
            .waiting
            .try_acquire()
            .map_err(|_| StoreError::Busy)?;
        tokio::task::spawn_blocking(move || {
            // A panic of another request left no half transaction: SQLite rolls back.
            let connection = inner
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            work(&inner, &connection)
        })
        .await
        .unwrap_or(Err(StoreError::Busy))
    }

    /// Keeps a user, told apart by Google's own id of them, with a first or further session; both or neither. Gives the
    /// store's number of the user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_session(
        &self,
        grant: Grant,
        hash: Hash,
        expires_s: i64,
    ) -> Result<i64, StoreError> {
        self.with(move |inner, connection| {
            let subject = inner.subject(&grant.google_id);
            let account = inner.seal("users/account", &subject, grant.account.as_bytes());
            let token = inner.seal(
                "users/refresh_token",
                &subject,
                grant.refresh_token.expose().as_bytes(),
            );
            let both = connection.unchecked_transaction()?;
            let user: i64 = both.query_row(
                "insert into users (subject, account, refresh_token) values (?1, ?2, ?3)
                 on conflict (subject) do update set account = ?2, refresh_token = ?3
                 returning id",
                params![subject, account, token],
                |row| row.get(0),
            )?;
            both.execute(
                "insert into sessions (user, hash, expires_s) values (?1, ?2, ?3)",
                params![user, hash.as_bytes(), expires_s],
            )?;
            both.commit()?;
            Ok(user)
        })
        .await
    }

    /// Google's refresh token of a user; `None` when there is no such user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_token(&self, user: i64) -> Result<Option<Secret>, StoreError> {
        self.with(move |inner, connection| {
            let found: Option<(Vec<u8>, Vec<u8>)> = connection
                .query_row(
                    "select subject, refresh_token from users where id = ?1",
                    [user],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            found
                .map(|(subject, sealed)| {
                    inner
                        .open_text("users/refresh_token", &subject, &sealed)
                        .map(Secret::new)
                })
                .transpose()
        })
        .await
    }

    /// The user of a session's token. A token that a renewal replaced longer ago than the grace ends its session:
    /// somebody else has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user(&self, hash: Hash, now_s: i64) -> Result<Option<StoredUser>, StoreError> {
        self.with(move |inner, connection| {
            let found = connection
                .query_row(
                    "select users.id, subject, account, sessions.id, hash, previous_until_s
                     from sessions join users on users.id = sessions.user
                     where (hash = ?1 or previous = ?1) and expires_s > ?2",
                    params![hash.as_bytes(), now_s],
                    |row| {
                        Ok((
                            row.get::<_, i64>(0)?,
                            row.get::<_, Vec<u8>>(1)?,
                            row.get::<_, Vec<u8>>(2)?,
                            row.get::<_, i64>(3)?,
                            row.get::<_, Vec<u8>>(4)?,
                            row.get::<_, i64>(5)?,
                        ))
                    },
                )
                .optional()?;
            let Some((id, subject, account, session, current, previous_until_s)) = found else {
                return Ok(None);
            };
            let by_previous = current != hash.as_bytes();
            if by_previous && previous_until_s <= now_s {
                connection.execute("delete from sessions where id = ?1", [session])?;
                return Ok(None);
            }
            let account = inner.open_text("users/account", &subject, &account)?;
            Ok(Some(StoredUser {
                id,
                account,
                session,
                by_previous,
            }))
        })
        .await
    }

    /// Gives a session a new token; the old one is taken until `previous_until_s`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_session(
        &self,
        session: i64,
        hash: Hash,
        expires_s: i64,
        previous_until_s: i64,
    ) -> Result<(), StoreError> {
        self.with(move |_, connection| {
            connection.execute(
                "update sessions set previous = hash, hash = ?2, expires_s = ?3, previous_until_s = ?4
                 where id = ?1",
                params![session, hash.as_bytes(), expires_s, previous_until_s],
            )?;
            Ok(())
        })
        .await
    }

    /// Ends one session; gives the refresh token of its user when it was their last, and forgets that user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, session: i64, user: i64) -> Result<Option<Secret>, StoreError> {
        self.with(move |inner, connection| {
            connection.execute("delete from sessions where id = ?1", [session])?;
            let left: i64 = connection.query_row(
                "select count(*) from sessions where user = ?1",
                [user],
                |row| row.get(0),
            )?;
            if left > 0 {
                return Ok(None);
            }
            let found: Option<(Vec<u8>, Vec<u8>)> = connection
                .query_row(
                    "delete from users where id = ?1 returning subject, refresh_token",
                    [user],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            found
                .map(|(subject, sealed)| {
                    inner
                        .open_text("users/refresh_token", &subject, &sealed)
                        .map(Secret::new)
                })
                .transpose()
        })
        .await
    }

    /// Forgets a user with all their sessions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_user(&self, user: i64) -> Result<(), StoreError> {
        self.with(move |_, connection| {
            connection.execute("delete from users where id = ?1", [user])?;
            Ok(())
        })
        .await
    }

    /// Ends the sessions whose time is over; users keep their place for the next sign-in only as long as one is left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self, now_s: i64) -> Result<(), StoreError> {
        self.with(move |_, connection| {
            connection.execute("delete from sessions where expires_s <= ?1", [now_s])?;
            connection.execute(
                "delete from users where not exists (select 1 from sessions where user = users.id)",
                [],
            )?;
            Ok(())
        })
        .await
    }
}

impl Inner {
    /// Tells users apart without keeping Google's id of them.
    fn subject(&self, google_id: &str) -> Vec<u8> {
        let mut text = Vec::with_capacity(64 + google_id.len());
        text.extend_from_slice(b"sheetwire/subject:");
        text.extend_from_slice(self.key.as_bytes());
        text.extend_from_slice(google_id.as_bytes());
        Hash::of(&text).as_bytes().to_vec()
    }

    fn seal(&self, place: &str, subject: &[u8], clear: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let aad = [place.as_bytes(), b"/", subject].concat();
        let payload = Payload {
            msg: clear,
            aad: &aad,
        };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        // It fails for texts of more than 2^38 bytes alone.
        [&nonce[..], &sealed.unwrap_or_default()].concat()
    }

    fn open_text(&self, place: &str, subject: &[u8], sealed: &[u8]) -> Result<String, StoreError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(StoreError::Key)?;
        let aad = [place.as_bytes(), b"/", subject].concat();
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let clear = self
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| StoreError::Key)?;
        String::from_utf8(clear).map_err(|_| StoreError::Key)
    }

    fn check_key(&self) -> Result<(), StoreError> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let kept: Option<Vec<u8>> = connection
            .query_row("select value from checks where name = 'key'", [], |row| {
                row.get(0)
            })
            .optional()?;
        match kept {
            Some(sealed) => {
                let clear = self.open_text("checks/value", b"key", &sealed)?;
                if clear.as_bytes() == CHECK {
                    Ok(())
                } else {
                    Err(StoreError::Key)
                }
            }
            None => {
                let sealed = self.seal("checks/value", b"key", CHECK);
                connection.execute(
                    "insert into checks (name, value) values ('key', ?1)",
                    [sealed],
                )?;
                Ok(())
            }
        }
    }
}
