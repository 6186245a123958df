//! Opens SQLite connections, all with the same settings, and says why one cannot be opened.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{DAMAGED, database_fault, words};
use crate::error::{Error, Kind, Result};

/// How long a connection waits for another process (the command line beside the server) to finish.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Memory in which the writer's connection may keep pages, in KiB.
pub(super) const WRITER_CACHE_KIB: usize = 4096;
/// The same for each reader. It fills only between two commits, after which a reader starts again, and what it
/// lacks the system has in memory. Not a mapped file instead: that is unmapped after each commit, which costs
/// the next look-up more than reading the pages.
pub(super) const READER_CACHE_KIB: usize = 2048;
/// Prepared statements kept by each connection: more than the house has.
const STATEMENTS_KEPT: usize = 256;
/// The write-ahead log is cut to this many bytes when it starts from its beginning again.
const LOG_KEPT: u32 = 16 << 20;

/// Opens a connection that writes, in write-ahead mode. Nothing but [`super::log_file`] moves what stands in the log
/// into the database.
pub(super) fn writer(path: &Path) -> Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;
             PRAGMA cache_size = -{WRITER_CACHE_KIB}; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = {LOG_KEPT};"
        ))
        .map_err(|e| unread(path, e))?;
    Ok(connection)
}

/// Opens a connection that only reads. It leaves `cell_size_check` to the writer and to the check of the whole
/// database: it would look at the whole of each page that a look-up loads.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection
        .execute_batch(&format!("PRAGMA query_only = ON; PRAGMA cache_size = -{READER_CACHE_KIB};"))
        .map_err(database_fault)?;
    Ok(connection)
}

/// Opens a connection that reads, for `VACUUM INTO`, which `query_only` forbids.
pub(super) fn copier(path: &Path) -> Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// What a view of a database looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The file alone, as if no log stood beside it.
    FileAlone,
    /// The file with the log beside it. The file `-shm` must be there; it is read only.
    WithLog,
}

/// Opens a connection that reads and leaves no trace: it writes to none of the database's files.
pub(super) fn view(path: &Path, view: View) -> Result<Connection> {
    let options = match view {
        View::FileAlone => "immutable=1",
        View::WithLog => "mode=ro&readonly_shm=1",
    };
    let uri = format!("file:{}?{options}", in_uri(path));
    connect(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

fn in_uri(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.map(|b| if plain(b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| unopened(path, &e.to_string()))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(database_fault)?;
    words::register(&connection).map_err(database_fault)?;
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(database_fault)?;
    // The query planner's stability guarantee: without it a cached statement with bound values is
    // prepared anew at each run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(database_fault)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(database_fault)?;
    // The log goes away only when the database says of itself that it was closed.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(database_fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Runs `act` in a transaction that writes; nothing of it is kept when it fails.
pub(super) fn in_transaction<T>(connection: &Connection, act: impl FnOnce() -> Result<T>) -> Result<T> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(database_fault)?;
    let outcome = act();
    let ended = connection.execute_batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" });
    // Why it was refused says more than that SQLite had given the transaction up before.
    let value = outcome?;
    ended.map_err(database_fault)?;
    Ok(value)
}

pub(super) fn refused(code: &'static str, path: &Path, why: &str) -> Error {
    Error::new(Kind::Denied, code, format!("The database {} {why}.", path.display()))
}

pub(super) fn damaged(path: &Path, why: &str) -> Error {
    let why = format!("fails its integrity check ({why}); restore it from a backup");
    refused(DAMAGED, path, &why)
}

/// What kept the database from being opened. Damage shows itself where SQLite comes upon it, also before the
/// check.
pub(super) fn unread(path: &Path, error: rusqlite::Error) -> Error {
    let why = error.to_string();
    match database_fault(error) {
        busy if busy.kind == Kind::Unavailable => busy,
        fault if fault.code == DAMAGED => damaged(path, &why),
        _ => unopened(path, &why),
    }
}

pub(super) fn unopened(path: &Path, why: &str) -> Error {
    let public = format!("The database {} cannot be opened: {why}.", path.display());
    Error::new(Kind::Fault, "database_unopened", public)
}
