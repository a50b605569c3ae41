//! The embedded store: who signed in, what Google gave for them, their sessions, and to which sheets they may write.
//!
//! Owns the tables, what is encrypted and under which name, and the thread that SQLite runs on. Must not know HTTP or
//! Google. A session's token is kept as its hash; refresh tokens and addresses are encrypted with the store's key
//! (XChaCha20-Poly1305), bound to their table, column and user, so that none can stand in for another. A sheet is kept as
//! a keyed hash. No cell is ever kept.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::Semaphore;

use crate::config::StoreKey;
use crate::secret::{Hash, Secret, random_bytes};
use sheetwire_core::protocol::relay::SheetRef;

/// The tables' version. A store of a later version is not touched.
const SCHEMA: i64 = 3;
/// Tokens of one session that are remembered; the oldest is forgotten first.
const TOKENS_MAX: i64 = 64;
/// Sheets of one user whose two-way sync is on; the one that was switched on first is forgotten first.
const TWO_WAY_MAX: i64 = 1_024;
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
    /// When the session ends, in Unix seconds.
    pub expires_s: i64,
    /// When the token that named it was made, in Unix seconds; `None` when a renewal has replaced that token.
    pub token_made_s: Option<i64>,
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
    /// One request at a time has the connection, so that the others wait without a thread each.
    turn: Arc<Semaphore>,
}

impl Store {
    /// Opens the store, makes it when it is missing, and checks the key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        // The file is its owner's alone; SQLite gives the files beside it the same mode. When it is there already, or
        // can't be made, SQLite says so itself.
        let _ = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
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
        if found == 1 {
            // Sessions had one token each; their people sign in again.
            connection.execute_batch("drop table if exists sessions; delete from users;")?;
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
               expires_s integer not null
             );
             create index if not exists sessions_of_user on sessions (user);
             create table if not exists tokens (
               id integer primary key autoincrement,
               session integer not null references sessions (id) on delete cascade,
               hash blob not null unique,
               made_s integer not null,
               taken_until_s integer
             );
             create index if not exists tokens_of_session on tokens (session);
             create table if not exists two_way (
               id integer primary key autoincrement,
               user integer not null references users (id) on delete cascade,
               sheet blob not null,
               unique (user, sheet)
             );",
        )?;
        connection.pragma_update(None, "user_version", SCHEMA)?;
        let store = Self {
            inner: Arc::new(Inner {
                connection: Mutex::new(connection),
                cipher: XChaCha20Poly1305::new(&(*key.as_bytes()).into()),
                key: key.clone(),
                waiting: Semaphore::new(WAITING_MAX),
                turn: Arc::new(Semaphore::new(1)),
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
        let turn = (self.inner.turn.clone().acquire_owned().await).map_err(|_| StoreError::Busy)?;
        tokio::task::spawn_blocking(move || {
            // Given back when the work is done, even if nobody waits for it any more.
            let _turn = turn;
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
        now_s: i64,
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
                "insert into sessions (user, expires_s) values (?1, ?2)",
                params![user, expires_s],
            )?;
            both.execute(
                "insert into tokens (session, hash, made_s) values (last_insert_rowid(), ?1, ?2)",
                params![hash.as_bytes(), now_s],
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
        self.with(move |inner, connection| inner.refresh_token(connection, user))
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
                    "select users.id, subject, account, sessions.id, expires_s, made_s, taken_until_s
                     from tokens join sessions on sessions.id = tokens.session
                     join users on users.id = sessions.user
                     where hash = ?1 and expires_s > ?2",
                    params![hash.as_bytes(), now_s],
                    |row| {
                        Ok((
                            row.get::<_, i64>(0)?,
                            row.get::<_, Vec<u8>>(1)?,
                            row.get::<_, Vec<u8>>(2)?,
                            row.get::<_, i64>(3)?,
                            row.get::<_, i64>(4)?,
                            row.get::<_, i64>(5)?,
                            row.get::<_, Option<i64>>(6)?,
                        ))
                    },
                )
                .optional()?;
            let Some((id, subject, account, session, expires_s, made_s, taken_until_s)) = found
            else {
                return Ok(None);
            };
            if taken_until_s.is_some_and(|until_s| until_s <= now_s) {
                connection.execute("delete from sessions where id = ?1", [session])?;
                return Ok(None);
            }
            let account = inner.open_text("users/account", &subject, &account)?;
            Ok(Some(StoredUser {
                id,
                account,
                session,
                expires_s,
                token_made_s: taken_until_s.is_none().then_some(made_s),
            }))
        })
        .await
    }

    /// Gives a session a further token in place of `old`, which is taken until `taken_until_s`, or until the time that an
    /// earlier replacement set. Every panel of a person holds a copy of the token and renews by itself, so that one token
    /// may be replaced by several.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_session(
        &self,
        session: i64,
        old: Hash,
        new: Hash,
        now_s: i64,
        expires_s: i64,
        taken_until_s: i64,
    ) -> Result<(), StoreError> {
        self.with(move |_, connection| {
            let whole = connection.unchecked_transaction()?;
            whole.execute(
                "update tokens set taken_until_s = coalesce(taken_until_s, ?2) where hash = ?1",
                params![old.as_bytes(), taken_until_s],
            )?;
            whole.execute(
                "insert into tokens (session, hash, made_s) values (?1, ?2, ?3)",
                params![session, new.as_bytes(), now_s],
            )?;
            whole.execute(
                "update sessions set expires_s = ?2 where id = ?1",
                params![session, expires_s],
            )?;
            whole.execute(
                "delete from tokens where session = ?1 and id not in
                 (select id from tokens where session = ?1 order by id desc limit ?2)",
                params![session, TOKENS_MAX],
            )?;
            whole.commit()?;
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

    /// Switches two-way sync of a sheet on or off for a user. Nothing is kept for a user who has signed out meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_two_way(
        &self,
        user: i64,
        sheet: SheetRef,
        on: bool,
    ) -> Result<(), StoreError> {
        self.with(move |inner, connection| {
            let sheet = inner.sheet(user, &sheet);
            if !on {
                connection.execute(
                    "delete from two_way where user = ?1 and sheet = ?2",
                    params![user, sheet],
                )?;
                return Ok(());
            }
            let both = connection.unchecked_transaction()?;
            both.execute(
                "insert or ignore into two_way (user, sheet) select id, ?2 from users where id = ?1",
                params![user, sheet],
            )?;
            both.execute(
                "delete from two_way where user = ?1 and id not in
                 (select id from two_way where user = ?1 order by id desc limit ?2)",
                params![user, TWO_WAY_MAX],
            )?;
            both.commit()?;
            Ok(())
        })
        .await
    }

    /// Whether two-way sync of a sheet is on for a user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn two_way(&self, user: i64, sheet: SheetRef) -> Result<bool, StoreError> {
        self.with(move |inner, connection| {
            let found: i64 = connection.query_row(
                "select count(*) from two_way where user = ?1 and sheet = ?2",
                params![user, inner.sheet(user, &sheet)],
                |row| row.get(0),
            )?;
            Ok(found > 0)
        })
        .await
    }

    /// Forgets a user with all their sessions, unless they signed in anew since `refused` was read: then nothing happens
    /// and the reply is `false`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_user(&self, user: i64, refused: Secret) -> Result<bool, StoreError> {
        self.with(move |inner, connection| {
            if inner
                .refresh_token(connection, user)?
                .is_some_and(|kept| kept != refused)
            {
                return Ok(false);
            }
            connection.execute("delete from users where id = ?1", [user])?;
            Ok(true)
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

    /// Tells a user's sheets apart without keeping Google's ids of them; the same sheet of another user is another.
    fn sheet(&self, user: i64, sheet: &SheetRef) -> Vec<u8> {
        let mut text = Vec::with_capacity(128 + sheet.spreadsheet_id.len());
        text.extend_from_slice(b"sheetwire/sheet:");
        text.extend_from_slice(self.key.as_bytes());
        text.extend_from_slice(&user.to_le_bytes());
        text.extend_from_slice(&sheet.sheet_id.to_le_bytes());
        text.extend_from_slice(sheet.spreadsheet_id.as_bytes());
        Hash::of(&text).as_bytes().to_vec()
    }

    fn refresh_token(
        &self,
        connection: &Connection,
        user: i64,
    ) -> Result<Option<Secret>, StoreError> {
        let found: Option<(Vec<u8>, Vec<u8>)> = connection
            .query_row(
                "select subject, refresh_token from users where id = ?1",
                [user],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        found
            .map(|(subject, sealed)| {
                self.open_text("users/refresh_token", &subject, &sealed)
                    .map(Secret::new)
            })
            .transpose()
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

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn key(first: u8) -> StoreKey {
        let text = base64::engine::general_purpose::STANDARD.encode([first; 32]);
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        crate::config::Config::load([
            setting("SHEETWIRE_GOOGLE_CLIENT_ID", "id"),
            setting("SHEETWIRE_GOOGLE_CLIENT_SECRET", "secret"),
            setting("SHEETWIRE_STORE_KEY", &text),
        ])
        .expect("a good configuration")
        .store_key
    }

    fn grant(name: &str) -> Grant {
        Grant {
            google_id: format!("id of {name}"),
            account: format!("{name}@example.com"),
            refresh_token: Secret::new(format!("1//{name}")),
        }
    }

    #[test]
    fn another_key_is_told_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        drop(Store::open(&path, &key(1)).expect("made"));
        let error = Store::open(&path, &key(2)).err().expect("another key");
        assert!(error.to_string().contains("SHEETWIRE_STORE_KEY"), "{error}");
        Store::open(&path, &key(1)).expect("opened again");
    }

    #[test]
    fn a_later_store_is_refused_and_an_earlier_one_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        drop(Store::open(&path, &key(1)).expect("made"));
        let raw = Connection::open(&path).expect("opened");
        raw.pragma_update(None, "user_version", SCHEMA + 1)
            .expect("set");
        assert!(matches!(
            Store::open(&path, &key(1)).err(),
            Some(StoreError::Version { found }) if found == SCHEMA + 1
        ));
        raw.execute_batch(
            "drop table tokens; drop table sessions;
             create table sessions (
               id integer primary key autoincrement,
               user integer not null references users (id) on delete cascade,
               hash blob not null unique, previous blob unique,
               previous_until_s integer not null default 0, expires_s integer not null
             );
             insert into users (subject, account, refresh_token) values (x'01', x'02', x'03');
             insert into sessions (user, hash, expires_s) values (1, x'04', 5);
             pragma user_version = 1;",
        )
        .expect("as version 1 was");
        Store::open(&path, &key(1)).expect("taken");
        let left = "select (select count(*) from users) + (select count(*) from sessions)";
        let left: i64 = raw
            .query_row(left, [], |row| row.get(0))
            .expect("both tables");
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn no_ciphertext_stands_in_for_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        let store = Store::open(&path, &key(1)).expect("made");
        let begin = async |name: &str| {
            let hash = Hash::of(name.as_bytes());
            store.begin_session(grant(name), hash, 0, 100).await
        };
        let (ana, ben) = (
            begin("ana").await.expect("kept"),
            begin("ben").await.expect("kept"),
        );
        let token = store.refresh_token(ben).await.expect("read");
        assert!(token.is_some_and(|token| token.expose() == "1//ben"));
        let raw = Connection::open(&path).expect("opened");
        let swap = "update users set refresh_token = (select refresh_token from users where id = ?2) where id = ?1";
        raw.execute(swap, [ana, ben]).expect("swapped");
        assert!(matches!(
            store.refresh_token(ana).await,
            Err(StoreError::Key)
        ));
        raw.execute(
            "update users set account = refresh_token where id = ?1",
            [ben],
        )
        .expect("swapped");
        assert!(matches!(
            store.user(Hash::of(b"ben"), 1).await,
            Err(StoreError::Key)
        ));
    }

    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        let _store = Store::open(&path, &key(1)).expect("made");
        let mut files = 0;
        for entry in std::fs::read_dir(folder.path()).expect("a folder") {
            let about = entry.expect("an entry").metadata().expect("there");
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
            files += 1;
        }
        assert!(files > 1, "SQLite's files beside it are there as well");
    }

    #[tokio::test]
    async fn a_refused_grant_takes_only_its_own_sign_in_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("relay.db"), &key(1)).expect("made");
        let first = grant("ana");
        let second = Grant {
            refresh_token: Secret::new("1//anew"),
            ..first.clone()
        };
        let mut ana = 0;
        for grant in [&first, &second] {
            let hash = Hash::of(grant.refresh_token.expose().as_bytes());
            ana = store
                .begin_session(grant.clone(), hash, 0, 100)
                .await
                .expect("kept");
        }
        let signed_in = async |grant: &Grant| {
            let hash = Hash::of(grant.refresh_token.expose().as_bytes());
            store.user(hash, 1).await.expect("read").is_some()
        };
        let forget =
            async |grant: &Grant| store.forget_user(ana, grant.refresh_token.clone()).await;
        assert!(!forget(&first).await.expect("asked"));
        assert!(signed_in(&first).await && signed_in(&second).await);
        assert!(forget(&second).await.expect("asked"));
        assert!(!signed_in(&first).await && !signed_in(&second).await);
    }

    #[tokio::test]
    async fn sessions_remember_a_bounded_number_of_tokens() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        let store = Store::open(&path, &key(1)).expect("made");
        let hash = |number: i64| Hash::of(&number.to_le_bytes());
        store
            .begin_session(grant("ana"), hash(0), 0, 1_000)
            .await
            .expect("kept");
        for number in 1..=TOKENS_MAX {
            let found = store.user(hash(number - 1), 0).await.expect("read");
            let session = found.expect("still taken").session;
            store
                .renew_session(session, hash(number - 1), hash(number), 0, 1_000, 10)
                .await
                .expect("renewed");
        }
        let known = async |number, now_s| {
            let found = store.user(hash(number), now_s).await.expect("read");
            found.map(|user| user.token_made_s)
        };
        assert_eq!(known(0, 1).await, None, "forgotten");
        assert_eq!(known(1, 9).await, Some(None), "replaced and still taken");
        assert_eq!(known(TOKENS_MAX, 999).await, Some(Some(0)));
        assert_eq!(known(1, 10).await, None, "its time is over");
        assert_eq!(known(TOKENS_MAX, 11).await, None, "and the session with it");
    }

    #[tokio::test]
    async fn two_way_is_of_one_user_and_sheet_and_goes_with_the_user() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        let sheet = |spreadsheet: &str, sheet_id: i64| SheetRef {
            spreadsheet_id: spreadsheet.to_owned(),
            sheet_id,
        };
        let store = Store::open(&path, &key(1)).expect("made");
        let begin = async |name: &str| {
            let hash = Hash::of(name.as_bytes());
            let begun = store.begin_session(grant(name), hash, 0, 100).await;
            begun.expect("kept")
        };
        let (ana, ben) = (begin("ana").await, begin("ben").await);
        let is_on = async |user, of: SheetRef| store.two_way(user, of).await.expect("read");
        let set = async |user, of: SheetRef, on| store.set_two_way(user, of, on).await;
        for _ in 0..2 {
            set(ana, sheet("s", 1), true).await.expect("kept");
        }
        assert!(is_on(ana, sheet("s", 1)).await);
        for (user, other) in [
            (ben, sheet("s", 1)),
            (ana, sheet("s", 2)),
            (ana, sheet("t", 1)),
        ] {
            assert!(!is_on(user, other).await);
        }
        // No id is kept as it is.
        let raw = Connection::open(&path).expect("opened");
        let kept = "select sheet from two_way";
        let kept: Vec<u8> = raw.query_row(kept, [], |row| row.get(0)).expect("one");
        assert_eq!(kept.len(), 32);

        set(ana, sheet("s", 1), false).await.expect("forgotten");
        assert!(!is_on(ana, sheet("s", 1)).await);
        // Of nobody nothing is kept, and of a user who comes back nothing is known.
        set(ben + 1, sheet("s", 1), true).await.expect("taken");
        assert!(!is_on(ben + 1, sheet("s", 1)).await);
        set(ana, sheet("s", 1), true).await.expect("kept");
        let session = store.user(Hash::of(b"ana"), 0).await.expect("read");
        let session = session.expect("signed in").session;
        store.end_session(session, ana).await.expect("ended");
        assert!(!is_on(ana, sheet("s", 1)).await);
        let count = "select count(*) from two_way";
        let count: i64 = raw.query_row(count, [], |row| row.get(0)).expect("counted");
        assert_eq!(count, 0);

        for sheet_id in 0..=TWO_WAY_MAX {
            set(ben, sheet("s", sheet_id), true).await.expect("kept");
        }
        assert!(!is_on(ben, sheet("s", 0)).await);
        assert!(is_on(ben, sheet("s", 1)).await && is_on(ben, sheet("s", TWO_WAY_MAX)).await);
    }

    #[tokio::test]
    async fn a_store_of_version_2_keeps_its_sessions() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        let hash = Hash::of(b"ana");
        let store = Store::open(&path, &key(1)).expect("made");
        let begun = store.begin_session(grant("ana"), hash, 0, 100).await;
        let user = begun.expect("kept");
        drop(store);
        let raw = Connection::open(&path).expect("opened");
        raw.execute_batch("drop table two_way; pragma user_version = 2;")
            .expect("as version 2 was");
        let store = Store::open(&path, &key(1)).expect("taken");
        let found = store.user(hash, 0).await.expect("read");
        assert!(found.is_some_and(|found| found.id == user));
        let sheet = SheetRef {
            spreadsheet_id: "s".to_owned(),
            sheet_id: 0,
        };
        let set = store.set_two_way(user, sheet.clone(), true).await;
        set.expect("kept");
        assert!(store.two_way(user, sheet).await.expect("read"));
    }
}
