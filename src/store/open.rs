//! Makes the database, or opens the one that is there after it was accepted, and brings it up to date.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::accept::{self, APPLICATION_ID, Conditions, NAMES_ITS_LOG};
use super::connect::{damaged, in_transaction, refused, unopened, unread};
use super::migrations::{self, SCHEMA_VERSION};
use super::{Reader, connect, log_file, words};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::model::Mode;
use crate::model::database::LostLog;

/// The database's file name inside the data directory.
pub const DATABASE_FILE: &str = "sidelight.db";
/// The master key's file name inside the data directory.
pub const KEY_FILE: &str = "sidelight.key";

type Judge<'a> = &'a dyn Fn(&Reader<'_>) -> Result<()>;

/// Opens the one connection that writes, for a server that starts: makes the database when there is none.
pub(super) fn for_server(
    path: &Path,
    mode: Mode,
    now: Timestamp,
    lost_log: LostLog,
    judge: Judge<'_>,
) -> Result<Connection> {
    let turn = log_file::take_turn(path)?;
    if size_of(path)?.is_none() {
        if log_file::salt(path)?.is_some() {
            let why = "is not there, but its log is. Restore the database that belongs to the log, or move the log away";
            return Err(refused("log_without_database", path, why));
        }
        make(path, mode, now).map_err(|e| unopened(path, &e.to_string()))?;
    }
    open(path, &Conditions { mode: Some(mode), lost_log, judge }, &turn).map(|(connection, _)| connection)
}

/// Opens the one connection that writes, for a command on the host, which may run beside the server. It does not make
/// the database, and keeps nobody from writing. Says which mode the database belongs to.
pub(super) fn beside_server(path: &Path, judge: Judge<'_>) -> Result<(Connection, Mode)> {
    if size_of(path)?.is_none() {
        return Err(none_there(path));
    }
    let turn = log_file::take_turn(path)?;
    open(path, &Conditions { mode: None, lost_log: LostLog::Refuse, judge }, &turn)
}

fn size_of(path: &Path) -> Result<Option<u64>> {
    // Opened, not only looked at: anyone who may not read it is told so, not what SQLite makes of that.
    match std::fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(found) => Ok(Some(found.len())),
        Err(e) => unless_missing(path, &e),
    }
}

fn open(path: &Path, conditions: &Conditions<'_>, turn: &log_file::Turn) -> Result<(Connection, Mode)> {
    if size_of(path)? == Some(0) {
        return Err(accept::empty(path));
    }
    let accepted = accept::accept(path, conditions)?;
    if !accepted.with_log {
        log_file::discard(path).map_err(|e| unopened(path, &e.to_string()))?;
    }
    let connection = connect::writer(path)?;
    // Before the upgrade, which is written to the log: a log that the database does not name is not believed after a crash.
    if accepted.version >= NAMES_ITS_LOG {
        log_file::mark_open(&connection, path, turn)?;
    }
    if accepted.version < SCHEMA_VERSION {
        upgrade(&connection, path, accepted.version)?;
        log_file::mark_open(&connection, path, turn)?;
    }
    Ok((connection, accepted.mode))
}

/// Makes a new database under another name first, so that a start that is interrupted leaves none.
fn make(path: &Path, mode: Mode, now: Timestamp) -> std::io::Result<()> {
    let new = log_file::beside(path, ".new");
    for file in [&new, &log_file::beside(path, ".new-journal")] {
        log_file::remove(file)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    fill(&new, mode, now).map_err(std::io::Error::other)?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn fill(path: &Path, mode: Mode, now: Timestamp) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    words::register(&connection)?;
    connection.execute_batch("PRAGMA synchronous = FULL; BEGIN")?;
    migrations::make(&connection)?;
    connection.execute(
        "INSERT INTO appliance (only_row, mode, created_at, closed_cleanly) VALUES (1, ?1, ?2, 1)",
        (mode.as_str(), now.0),
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)
}

fn upgrade(connection: &Connection, path: &Path, version: i32) -> Result<()> {
    // A step may make a table again, and no row that refers to it may go with the old one. SQLite knows this
    // only outside of a transaction.
    connection.pragma_update(None, "foreign_keys", false).map_err(|e| unread(path, e))?;
    in_transaction(connection, || {
        migrations::upgrade(connection, version).map_err(|e| unread(path, e))?;
        references_hold(connection, path)
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

pub(super) fn unless_missing(path: &Path, error: &std::io::Error) -> Result<Option<u64>> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(None),
        std::io::ErrorKind::PermissionDenied => {
            let data = path.parent().unwrap_or(path).display();
            let why = format!(
                "may not be read by this user. Run the command as the user who runs the server, or as root: \
                 sudo sidelight … --data {data}"
            );
            Err(refused("no_permission", path, &why))
        }
        _ => Err(unopened(path, &error.to_string())),
    }
}

fn none_there(path: &Path) -> Error {
    let public = format!(
        "There is no Sidelight database at {}. Name the data directory, or start the server first: it makes one.",
        path.display()
    );
    Error::not_found("no_database", public)
}
