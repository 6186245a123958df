//! Opens SQLite connections, all with the same settings, and makes or checks the schema.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::database_fault;
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::Mode;

/// The database's file name inside the data directory.
pub const DATABASE_FILE: &str = "sidelight.db";
/// The master key's file name inside the data directory.
pub const KEY_FILE: &str = "sidelight.key";

/// Marks the file as Sidelight's ("SdLt"), so that another program's database is never taken for ours.
const APPLICATION_ID: i32 = 0x5364_4c74;
/// The version of `schema.sql`.
const SCHEMA_VERSION: i32 = 3;
/// What brings a database of an older version to the next one, the first from version 1 to 2.
const UPGRADES: [&str; 2] = [
    // Tokens and web sessions carry their member's mark; those from before carry none, and end. A claim link
    // that an operator made on the host left open is closed.
    "ALTER TABLE memberships ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
     UPDATE memberships SET mark = random() & 0x7fffffff;
     DROP INDEX IF EXISTS memberships_for_sign_in;
     CREATE INDEX memberships_for_sign_in
         ON memberships (group_id, puid, user_id, suspended, active, role_id, administrator, mark)
         WHERE puid IS NOT NULL;
     DELETE FROM web_sessions;
     ALTER TABLE web_sessions ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
     UPDATE appliance SET claim_fingerprint = NULL WHERE EXISTS (SELECT 1 FROM operators);",
    // What every sign-in writes has no index more than sign-ins need.
    "DROP INDEX IF EXISTS saml_requests_by_end;
     DROP INDEX IF EXISTS saml_replays_by_end;
     CREATE TABLE web_sessions_3 (
         fingerprint BLOB PRIMARY KEY,
         group_id INTEGER NOT NULL,
         user_id INTEGER NOT NULL,
         mark INTEGER NOT NULL,
         created_at INTEGER NOT NULL,
         used_at INTEGER NOT NULL,
         expires_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     INSERT INTO web_sessions_3
         SELECT fingerprint, group_id, user_id, mark, created_at, used_at, expires_at FROM web_sessions;
     DROP TABLE web_sessions;
     ALTER TABLE web_sessions_3 RENAME TO web_sessions;",
];
/// How long a connection waits for another process (the command line beside the server) to finish.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Memory that the writer's connection may keep pages in: KiB, negative as SQLite has it.
const WRITER_CACHE: &str = "-8192";
/// The same for each reader: a million users are looked up without asking the system. It fills only between
/// two commits, after which a reader starts anew. Not a mapped file instead: that is unmapped after each
/// commit, which costs the next look-up more than reading the pages.
const READER_CACHE: &str = "-32768";
/// Prepared statements kept by each connection: more than the house has.
const STATEMENTS_KEPT: usize = 256;

/// Opens the one connection that writes; makes the database when there is none, else checks it.
pub(super) fn writer_connection(path: &Path, mode: Mode, now: Timestamp) -> Result<Connection> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(unopened(path, &e.to_string())),
    }
    // A file that is no database at all shows itself at the first statement.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|e| if e.code == "database" { unopened(path, &e.detail.unwrap_or_default()) } else { e })?;
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 4000;
             PRAGMA cache_size = {WRITER_CACHE};"
        ))
        .map_err(|e| unopened(path, &e.to_string()))?;
    make_or_check(&connection, path, mode, now)?;
    Ok(connection)
}

/// Reads which mode the database at `path` belongs to.
pub(super) fn stamped_mode(path: &Path) -> Result<Mode> {
    if !path.exists() {
        let public = format!(
            "There is no Sidelight database at {}. Name the data directory, or start the server first: it \
             makes one.",
            path.display()
        );
        return Err(Error::not_found("no_database", public));
    }
    // Read-write, because the last reader of a database in WAL mode tidies up after the writers.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let stamped: String = connection
        .query_row("SELECT mode FROM appliance", [], |row| row.get(0))
        .map_err(|e| unopened(path, &e.to_string()))?;
    Ok(if stamped == Mode::Lab.as_str() { Mode::Lab } else { Mode::Production })
}

/// Opens a connection that only reads. It leaves `cell_size_check` to the writer and to the check at start:
/// it would look at the whole of each page that a look-up loads.
pub(super) fn reader_connection(path: &Path) -> Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection
        .execute_batch(&format!("PRAGMA query_only = ON; PRAGMA cache_size = {READER_CACHE};"))
        .map_err(database_fault)?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| unopened(path, &e.to_string()))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(database_fault)?;
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

fn make_or_check(connection: &Connection, path: &Path, mode: Mode, now: Timestamp) -> Result<()> {
    // Immediate: two processes that start at once make the schema once.
    connection.execute_batch("BEGIN IMMEDIATE").map_err(database_fault)?;
    let made = make_or_check_inside(connection, path, mode, now);
    connection.execute_batch(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(database_fault)?;
    made
}

fn make_or_check_inside(connection: &Connection, path: &Path, mode: Mode, now: Timestamp) -> Result<()> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = pragma("application_id").map_err(|e| unopened(path, &e.to_string()))?;
    let version = pragma("user_version").map_err(database_fault)?;
    if application == 0 && version == 0 {
        return make(connection, mode, now).map_err(|e| unopened(path, &e.to_string()));
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
    let check: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(database_fault)?;
    if check != "ok" {
        let why = format!("fails its integrity check ({check}); restore it from a backup");
        return Err(refused("damaged_database", path, &why));
    }
    let stamped: Option<String> = connection
        .query_row("SELECT mode FROM appliance", [], |row| row.get(0))
        .optional()
        .map_err(database_fault)?;
    if stamped.as_deref() != Some(mode.as_str()) {
        let why = format!(
            "belongs to {} mode and is not opened in {} mode; name another data directory",
            stamped.as_deref().unwrap_or("no"),
            mode.as_str()
        );
        return Err(refused("other_mode", path, &why));
    }
    upgrade(connection, version).map_err(|e| unopened(path, &e.to_string()))
}

/// Brings a database of an older version up to this one, in the transaction that checked it.
fn upgrade(connection: &Connection, version: i32) -> rusqlite::Result<()> {
    let done = usize::try_from(version.saturating_sub(1)).unwrap_or(0);
    for step in UPGRADES.iter().skip(done) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)
}

fn make(connection: &Connection, mode: Mode, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("../../schema.sql"))?;
    connection.execute(
        "INSERT INTO appliance (only_row, mode, created_at) VALUES (1, ?1, ?2)",
        (mode.as_str(), now.0),
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)
}

fn refused(code: &'static str, path: &Path, why: &str) -> Error {
    Error::new(Kind::Denied, code, format!("The database {} {why}.", path.display()))
}

fn unopened(path: &Path, why: &str) -> Error {
    let public = format!("The database {} cannot be opened: {why}.", path.display());
    Error::new(Kind::Fault, "database_unopened", public)
}
