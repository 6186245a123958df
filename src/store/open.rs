//! Opens SQLite connections, all with the same settings, and makes or checks the database.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::migrations::{self, SCHEMA_VERSION};
use super::{DAMAGED, database_fault, words};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::Mode;

/// The database's file name inside the data directory.
pub const DATABASE_FILE: &str = "sidelight.db";
/// The master key's file name inside the data directory.
pub const KEY_FILE: &str = "sidelight.key";

/// Marks the file as Sidelight's ("SdLt"), so that another program's database is never taken for ours.
const APPLICATION_ID: i32 = 0x5364_4c74;
/// How long a connection waits for another process (the command line beside the server) to finish.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Memory in which the writer's connection may keep pages, in KiB.
pub(super) const WRITER_CACHE_KIB: usize = 4096;
/// The same for each reader. It fills only between two commits, after which a reader starts anew, and what it
/// lacks the system has in memory. Not a mapped file instead: that is unmapped after each commit, which costs
/// the next look-up more than reading the pages.
pub(super) const READER_CACHE_KIB: usize = 2048;
/// Prepared statements kept by each connection: more than the house has.
const STATEMENTS_KEPT: usize = 256;

/// Opens the one connection that writes, for a server that starts: makes the database when there is none, else
/// checks the whole of it.
pub(super) fn writer_connection(path: &Path, mode: Mode, now: Timestamp) -> Result<Connection> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(unopened(path, &e.to_string())),
    }
    let connection = connect_to_write(path)?;
    // The check takes as long as the access log is, and others go on writing meanwhile.
    let found = in_transaction(&connection, "BEGIN", || {
        let Some(found) = stamps_of(&connection, path)? else { return Ok(None) };
        whole_check(&connection, path)?;
        of_mode(&found, mode, path)?;
        Ok(Some(found))
    })?;
    make_ready(&connection, path, found, mode, now)?;
    Ok(connection)
}

/// Opens the one connection that writes, for a command on the host, which may run beside the server. It neither
/// makes the database nor looks it all over, and keeps nobody from writing. Says which mode the database
/// belongs to.
pub(super) fn writer_connection_beside(path: &Path, now: Timestamp) -> Result<(Connection, Mode)> {
    if !path.exists() {
        return Err(none_there(path));
    }
    let connection = connect_to_write(path)?;
    let (found, mode) = in_transaction(&connection, "BEGIN", || {
        let found = stamps_of(&connection, path)?.ok_or_else(|| none_there(path))?;
        let mode = found.mode.ok_or_else(|| refused("other_mode", path, "belongs to no mode"))?;
        if found.version < SCHEMA_VERSION {
            // Once only: what is damaged is not brought up to date.
            whole_check(&connection, path)?;
        }
        Ok((found, mode))
    })?;
    make_ready(&connection, path, Some(found), mode, now)?;
    Ok((connection, mode))
}

fn connect_to_write(path: &Path) -> Result<Connection> {
    // A file that is no database at all shows itself at the first statement.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|e| if e.code == "database" { unopened(path, &e.detail.unwrap_or_default()) } else { e })?;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -{WRITER_CACHE_KIB};"
        ))
        .map_err(|e| unread(path, e))?;
    Ok(connection)
}

/// Opens a connection that only reads. It leaves `cell_size_check` to the writer and to the check at start:
/// it would look at the whole of each page that a look-up loads.
pub(super) fn reader_connection(path: &Path) -> Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection
        .execute_batch(&format!("PRAGMA query_only = ON; PRAGMA cache_size = -{READER_CACHE_KIB};"))
        .map_err(database_fault)?;
    Ok(connection)
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
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// What a database says of itself.
struct Stamps {
    version: i32,
    /// `None` when it names none that we know.
    mode: Option<Mode>,
}

/// Reads what the database says of itself; `None` when nothing was ever written to it.
fn stamps_of(connection: &Connection, path: &Path) -> Result<Option<Stamps>> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i32>(0)).map_err(|e| unread(path, e));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if application == 0 && version == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(None);
    }
    if application != APPLICATION_ID {
        return Err(refused("foreign_database", path, "is not a Sidelight database"));
    }
    if version > SCHEMA_VERSION {
        let why = format!(
            "is of schema version {version}, newer than the {SCHEMA_VERSION} that this program knows; \
             run the newer program"
        );
        return Err(refused("newer_schema", path, &why));
    }
    let stamped: Option<String> = connection
        .query_row("SELECT mode FROM appliance", [], |row| row.get(0))
        .optional()
        .map_err(|e| unread(path, e))?;
    let mode =
        [Mode::Production, Mode::Lab].into_iter().find(|mode| stamped.as_deref() == Some(mode.as_str()));
    Ok(Some(Stamps { version, mode }))
}

fn of_mode(found: &Stamps, mode: Mode, path: &Path) -> Result<()> {
    if found.mode == Some(mode) {
        return Ok(());
    }
    let why = format!(
        "belongs to {} mode and is not opened in {} mode; name another data directory",
        found.mode.map_or("no", Mode::as_str),
        mode.as_str()
    );
    Err(refused("other_mode", path, &why))
}

fn whole_check(connection: &Connection, path: &Path) -> Result<()> {
    let check: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|e| unread(path, e))?;
    if check == "ok" { Ok(()) } else { Err(damaged(path, &check)) }
}

/// Makes the schema or brings it up to date, where what was found says so. Before this, nothing is written to a
/// database; the write lock is taken only when there is something to do.
fn make_ready(
    connection: &Connection,
    path: &Path,
    found: Option<Stamps>,
    mode: Mode,
    now: Timestamp,
) -> Result<()> {
    connection.execute_batch("PRAGMA journal_mode = WAL").map_err(|e| unread(path, e))?;
    if found.is_some_and(|found| found.version == SCHEMA_VERSION) {
        return Ok(());
    }
    // A step may make a table again, and no row that refers to it may go with the old one. SQLite knows this
    // only outside of a transaction.
    connection.pragma_update(None, "foreign_keys", false).map_err(|e| unread(path, e))?;
    // Asked again inside: of two processes that start at once, one comes first.
    in_transaction(connection, "BEGIN IMMEDIATE", || match stamps_of(connection, path)? {
        None => make(connection, mode, now).map_err(|e| unread(path, e)),
        Some(found) => {
            of_mode(&found, mode, path)?;
            migrations::upgrade(connection, found.version).map_err(|e| unread(path, e))?;
            references_hold(connection, path)
        }
    })?;
    connection.pragma_update(None, "foreign_keys", true).map_err(|e| unread(path, e))
}

fn references_hold(connection: &Connection, path: &Path) -> Result<()> {
    let broken: Option<String> = connection
        .query_row("SELECT \"table\" FROM pragma_foreign_key_check", [], |row| row.get(0))
        .optional()
        .map_err(|e| unread(path, e))?;
    match broken {
        None => Ok(()),
        Some(table) => Err(damaged(path, &format!("a row of {table} refers to one that is not there"))),
    }
}

fn in_transaction<T>(connection: &Connection, begin: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    connection.execute_batch(begin).map_err(database_fault)?;
    let outcome = act();
    let ended = connection.execute_batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" });
    // Why it was refused says more than that SQLite had given the transaction up before.
    let value = outcome?;
    ended.map_err(database_fault)?;
    Ok(value)
}

fn make(connection: &Connection, mode: Mode, now: Timestamp) -> rusqlite::Result<()> {
    migrations::make(connection)?;
    connection.execute(
        "INSERT INTO appliance (only_row, mode, created_at) VALUES (1, ?1, ?2)",
        (mode.as_str(), now.0),
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

fn refused(code: &'static str, path: &Path, why: &str) -> Error {
    Error::new(Kind::Denied, code, format!("The database {} {why}.", path.display()))
}

fn damaged(path: &Path, why: &str) -> Error {
    let why = format!("fails its integrity check ({why}); restore it from a backup");
    refused(DAMAGED, path, &why)
}

fn none_there(path: &Path) -> Error {
    let public = format!(
        "There is no Sidelight database at {}. Name the data directory, or start the server first: it makes one.",
        path.display()
    );
    Error::not_found("no_database", public)
}

/// What kept the database from being opened. Damage shows itself where SQLite comes upon it, also before the
/// check.
fn unread(path: &Path, error: rusqlite::Error) -> Error {
    let why = error.to_string();
    match database_fault(error) {
        busy if busy.kind == Kind::Unavailable => busy,
        fault if fault.code == DAMAGED => damaged(path, &why),
        _ => unopened(path, &why),
    }
}

fn unopened(path: &Path, why: &str) -> Error {
    let public = format!("The database {} cannot be opened: {why}.", path.display());
    Error::new(Kind::Fault, "database_unopened", public)
}
