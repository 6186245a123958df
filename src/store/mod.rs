//! The store: SQLite, and the only SQL in the house. One file a noun.
//!
//! - [`Store::read`] lends a [`Reader`], [`Store::write`] a [`Writer`]; who may only read is given a reader.
//! - All writes run on one thread, in [`writer`]; those that arrive together share one durable commit, and
//!   each is answered after it. One that fails is undone alone, unless it runs without a savepoint.
//! - A change and its access-log row are one transaction, because both happen in one `write`.
//! - What was read may be remembered for a [`Generation`], if what rests on it is logged with
//!   [`Store::log_if_unchanged`].
//! - A row is read by the names of its columns, so that a column more moves no other. A statement of exactly one
//!   column may be read by its place, 0; the hot path of a login key has constants for its places.
//!
//! Knows nothing of HTTP, XML or HTML, and judges nothing: whether something may be done is the desk's.

mod accept;
mod access_log;
mod appliance;
mod backups;
mod columns;
mod connect;
mod console_sessions;
mod copy;
mod group_end;
mod group_list;
mod groups;
mod import_changes;
mod imports;
mod incidents;
mod job;
mod leaving;
mod log_file;
mod long_read;
mod member_order;
mod members;
mod memberships;
mod migrations;
mod open;
mod operators;
mod password_links;
mod pool;
mod queue;
mod restored;
mod roles;
mod saml;
mod scim_details;
mod scim_tokens;
mod searchers;
mod settings;
mod sign_in;
mod sign_in_counts;
mod sso;
mod standing;
mod sweep;
mod users;
mod watch;
mod web_sessions;
mod whole_check;
mod words;
mod writer;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

pub use accept::NEWER_SCHEMA;
pub use backups::Attention;
pub use console_sessions::{ConsoleHolder, ConsoleSessionRow, NewConsoleHolder};
pub use copy::{Contents, contents, copy_before_upgrade, read_lost, schema_to_upgrade};
pub use groups::{NewGroup, SealedApiKeys};
pub use imports::{ImportId, ImportWork};
pub use incidents::Incident;
use job::Appended;
pub use migrations::SCHEMA_VERSION;
pub use open::{DATABASE_FILE, KEY_FILE};
pub use password_links::PasswordLinkRow;
pub use roles::RoleUse;
pub use saml::{KeptResponse, NewAttempt, PendingRequest};
pub use scim_tokens::{NewScimToken, ScimTokenRow};
pub use searchers::Asker;
pub use settings::PasswordPolicyRow;
pub use sign_in::{KeyRow, MemberRow};
pub use sign_in_counts::SignInCounts;
pub use standing::Writes;
pub use sweep::Sweep;
pub use users::NewUserRow;
pub use watch::FileSizes;
pub use web_sessions::{SignInState, WebSessionRow};
pub use words::register as register_functions;

use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::LogEntry;
pub use crate::model::Mode;
use crate::model::database::{Closed, DatabaseCheck, LostLog};
use crate::promise::Promise;

/// The database of one appliance. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    running_check: long_read::LongRead,
    running_copy: long_read::LongRead,
    last_check: std::sync::Mutex<Option<DatabaseCheck>>,
    writer: writer::WriterThread,
    readers: pool::Pool,
    searchers: searchers::Searchers,
}

/// Readers: enough to keep the cores busy; a read takes microseconds, so waiting is short.
const READERS: usize = 4;
/// Readers for what may take seconds, a search through the access log above all: nobody who signs in waits behind
/// those who search, however many do.
const SEARCHERS: usize = 2;

/// The bytes in which all connections together may keep pages of the database.
pub const CACHE_BYTES: usize =
    (connect::WRITER_CACHE_KIB + (READERS + SEARCHERS) * connect::READER_CACHE_KIB) * 1024;

/// Reads. Each call is one statement, and so sees one consistent state.
pub struct Reader<'c> {
    connection: &'c Connection,
}

/// Reads and writes inside one transaction, at one instant.
pub struct Writer<'c> {
    reader: Reader<'c>,
    /// The instant of the transaction: every row that it writes carries it.
    pub now: Timestamp,
    /// The import that what the task makes belongs to.
    hiding: Cell<Option<imports::Hiding>>,
}

impl<'c> std::ops::Deref for Writer<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

fn at_one_instant<T>(connection: &Connection, task: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
    let transaction = connection.unchecked_transaction().map_err(database_fault)?;
    task(&Reader { connection: &transaction })
}

impl Store {
    /// Opens the database in `directory` for a server that starts: makes it when there is none.
    ///
    /// # Errors
    /// Those of [`Store::open_if`].
    pub fn open(directory: &Path, mode: Mode, now: Timestamp) -> Result<Store> {
        Store::open_if(directory, mode, now, LostLog::Refuse, |_| Ok(()))
    }

    /// As [`Store::open`], if `judge` accepts what stands in the database. Nothing is written before that.
    ///
    /// # Errors
    /// What `judge` returns. `Denied` when the database belongs to the other mode, is of a newer version, is empty or
    /// damaged, has the log of another database beside it, or was not closed cleanly and has lost its log: start
    /// refuses rather than repairs. `Fault` when it cannot be opened.
    pub fn open_if(
        directory: &Path,
        mode: Mode,
        now: Timestamp,
        lost_log: LostLog,
        judge: impl Fn(&Reader<'_>) -> Result<()>,
    ) -> Result<Store> {
        let path = directory.join(DATABASE_FILE);
        let connection = open::for_server(&path, mode, now, lost_log, &judge)?;
        Store::on(path, connection, queue::patience())
    }

    /// Opens the database that is in `directory`, in the mode that it belongs to, for a command on the host: the
    /// server may run beside it.
    ///
    /// # Errors
    /// `NotFound` with code `no_database` when there is none; else as [`Store::open_if`].
    pub fn open_beside(directory: &Path, judge: impl Fn(&Reader<'_>) -> Result<()>) -> Result<(Store, Mode)> {
        let path = directory.join(DATABASE_FILE);
        let (connection, mode) = open::beside_server(&path, &judge)?;
        Ok((Store::on(path, connection, queue::patience())?, mode))
    }

    fn on(path: PathBuf, connection: Connection, patience: queue::Patience) -> Result<Store> {
        let (readers, searchers) = (pool::Pool::open(&path, READERS)?, pool::Pool::open(&path, SEARCHERS)?);
        let searchers = searchers::Searchers::new(searchers, SEARCHERS);
        let writer = writer::WriterThread::start(connection, &path, patience)?;
        Ok(Store {
            inner: Arc::new(Inner {
                path,
                running_check: long_read::LongRead::default(),
                running_copy: long_read::LongRead::default(),
                last_check: std::sync::Mutex::default(),
                writer,
                readers,
                searchers,
            }),
        })
    }

    /// Writes what waits to be written and closes the database, so that the file alone is the database unless another
    /// process has it open. Anyone who uses the store after that is told that it is closing. `None` when it was closed
    /// before.
    pub fn close(&self) -> Option<Closed> {
        self.inner.close()
    }

    /// Checks the whole database, which takes long, and keeps what was found for [`Store::last_check`].
    ///
    /// # Errors
    /// `Fault` or `Unavailable` when it could not be checked, or the store was closed meanwhile.
    pub fn check_whole(&self, now: Timestamp) -> Result<DatabaseCheck> {
        let damage = match whole_check::run(&self.inner.running_check, &self.inner.path) {
            Err(error) if error.code == DAMAGED => Some(error.to_string()),
            outcome => outcome?,
        };
        let check = DatabaseCheck { at: now, damage };
        *self.inner.last_check.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(check.clone());
        Ok(check)
    }

    /// What the last check of the whole database found; `None` until the first has ended.
    pub fn last_check(&self) -> Option<DatabaseCheck> {
        self.inner.last_check.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Why the last write failed; `None` when it worked. Nobody is kept waiting, and nothing is written.
    pub fn write_failure(&self) -> Option<Error> {
        self.inner.writer.standing().failure()
    }

    /// What the writer has done since the store was opened.
    pub fn writes(&self) -> Writes {
        self.inner.writer.standing().writes()
    }

    /// Commits since the store was opened.
    pub fn commits(&self) -> u64 {
        self.inner.writer.standing().commits()
    }

    /// The directory that the database is in.
    pub fn directory(&self) -> &Path {
        self.inner.path.parent().unwrap_or(Path::new("."))
    }

    /// Lends a reader to `task`.
    ///
    /// # Errors
    /// What `task` returns; `Fault` when the database fails.
    pub fn read<T>(&self, task: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        self.inner.readers.with(|connection| task(&Reader { connection }))
    }

    /// Lends a reader whose statements all see the same state.
    ///
    /// # Errors
    /// What `task` returns; `Fault` when the database fails.
    pub fn snapshot<T>(&self, task: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        self.inner.readers.with(|connection| at_one_instant(connection, task))
    }

    /// As [`Store::snapshot`], for what may take long: lists, searches, exports. Those who wait take turns.
    ///
    /// # Errors
    /// What `task` returns; `Unavailable` with code `search_busy` when too many others search; `Fault` when the
    /// database fails.
    pub fn search<T>(&self, asker: &Asker, task: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        self.inner.searchers.with(asker, |connection| at_one_instant(connection, task))
    }

    /// Runs `task` in a transaction at `now`, and returns after the commit is durable. When `task` fails,
    /// nothing of it is kept.
    ///
    /// # Errors
    /// What `task` returns; `Unavailable` when the store is closing or the disk refuses the commit.
    pub fn write<T: Send + 'static>(
        &self,
        now: Timestamp,
        task: impl FnOnce(&Writer<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_promised(now, task).wait()
    }

    /// As [`Store::write`], but promised: no thread waits for the commit.
    pub fn write_promised<T: Send + 'static>(
        &self,
        now: Timestamp,
        task: impl FnOnce(&Writer<'_>) -> Result<T> + Send + 'static,
    ) -> Promise<T> {
        self.inner.writer.run(now, false, task)
    }

    /// As [`Store::write_promised`], for a note on which nothing hangs, such as when something was used: it is left
    /// undone, and the promise kept, while another process holds the database.
    pub fn note(
        &self,
        now: Timestamp,
        task: impl FnOnce(&Writer<'_>) -> Result<()> + Send + 'static,
    ) -> Promise<()> {
        self.inner.writer.run(now, true, task).then(|noted| match noted {
            Err(error) if error.code == LOCKED => Ok(()),
            noted => noted,
        })
    }

    /// Writes one row to the access log and returns after it is durable. Cheaper than [`Store::write`].
    ///
    /// # Errors
    /// `Unavailable` when the store is closing or the disk refuses the commit.
    pub fn log(&self, now: Timestamp, entry: LogEntry) -> Result<()> {
        self.inner.writer.log(now, entry, Appended::First).wait()
    }

    /// As [`Store::log`], for a row of something that was only read: while another process holds the database, the
    /// row is kept in memory, and appended when the lock is free. It is lost when the server is killed before that.
    ///
    /// # Errors
    /// As [`Store::log`]; `Unavailable` with code `database_locked` when too many rows are kept already.
    pub fn log_reading(&self, now: Timestamp, entry: LogEntry) -> Result<()> {
        self.inner.writer.log(now, entry, Appended::MayFollow).wait()
    }

    /// As [`Store::log`], but promised: no thread waits for the commit.
    pub fn log_promised(&self, now: Timestamp, entry: LogEntry) -> Promise<()> {
        self.inner.writer.log(now, entry, Appended::First)
    }

    /// The version of the bundled SQLite, as `3.54.1`.
    pub fn sqlite_version() -> &'static str {
        rusqlite::version()
    }
}

impl Inner {
    fn close(&self) -> Option<Closed> {
        let (connection, lost) = self.writer.end()?;
        self.running_check.end();
        self.running_copy.end();
        self.readers.close();
        self.searchers.close();
        match (log_file::close(connection, &self.path), lost) {
            (closed, 0) => Some(closed),
            (_, rows) => Some(Closed::RowsLost(rows)),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Reader<'_> {
    /// Asks the database for anything at all.
    ///
    /// # Errors
    /// `Fault` or `Unavailable` when it does not answer.
    pub fn ping(&self) -> Result<()> {
        self.connection.query_row("SELECT only_row FROM appliance", [], |_| Ok(())).map_err(database_fault)
    }
}

/// The code of a database that another process has locked for writing.
const LOCKED: &str = "database_locked";
/// The code of a database that contradicts itself.
const DAMAGED: &str = "damaged_database";

/// Turns an unexpected failure of the database into our own fault, or `Unavailable` when it was busy or
/// the disk is full.
fn database_fault(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => {
            let public = "Another process on the server holds the database, so nothing can be written. Nothing was changed; \
                          try again shortly. If this continues, an operator must find and end that process.";
            Error::new(Kind::Unavailable, LOCKED, public).with_detail(error.to_string())
        }
        Some(DiskFull) => {
            let public = "The server's disk is full. Nothing was changed; the operator must make room.";
            Error::new(Kind::Unavailable, "disk_full", public).with_detail(error.to_string())
        }
        Some(DatabaseCorrupt) => Error::fault(DAMAGED, error.to_string()),
        _ => Error::fault("database", error.to_string()),
    }
}

/// Whether `error` says that a UNIQUE or primary-key rule was broken.
fn is_duplicate(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::SqliteFailure(failure, _)
            if matches!(failure.extended_code,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
    )
}

#[cfg(test)]
mod import_tests;
#[cfg(test)]
mod leaving_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod member_tests;
#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod tests;
