//! Copies of the database: one that is made while the server runs, and what stands in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::accept::Conditions;
use super::connect::{self, View, unopened, unread, view};
use super::migrations::SCHEMA_VERSION;
use super::{DATABASE_FILE, Reader, Store, accept, database_fault, log_file};
use crate::error::{Error, Result};
use crate::model::Mode;
use crate::model::database::LostLog;

/// What stands in a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The version of the schema.
    pub schema: i32,
    pub mode: Mode,
    /// The rows of each table.
    pub rows: BTreeMap<String, i64>,
}

impl Store {
    /// Writes a copy of the database, as it is when this begins, to the new file `place`. Sign-ins and other writes go on
    /// meanwhile. The copy is one file, marked as closed cleanly, and flushed to the disk.
    ///
    /// # Errors
    /// `Fault` when the copy cannot be written, for want of room above all; `Unavailable` when the store is closed
    /// meanwhile or makes another copy. What stands at `place` after an error is worth nothing.
    pub fn copy_to(&self, place: &Path) -> Result<()> {
        // `VACUUM INTO` reads one state, as any read transaction. The backup API would begin again at every commit of
        // another connection, and so not end while people sign in.
        self.inner.running_copy.run(
            || connect::copier(&self.inner.path),
            |connection| {
                connection
                    .execute("VACUUM INTO ?1", [place.to_string_lossy()])
                    .map_err(database_fault)
                    .map(drop)
            },
        )?;
        mark_as_closed(place)
    }
}

/// The copy has no log beside it, and says so; the log of the database that it was made from does not belong to it.
fn mark_as_closed(place: &Path) -> Result<()> {
    let marked =
        Connection::open_with_flags(place, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
            connection.execute_batch("PRAGMA journal_mode = DELETE;")?;
            let schema: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if schema >= accept::NAMES_ITS_LOG {
                connection.execute_batch("UPDATE appliance SET closed_cleanly = 1, log_salt = NULL;")?;
            }
            connection.close().map_err(|(_, error)| error)
        });
    marked.map_err(|e| unread(place, e))?;
    File::open(place).and_then(|file| file.sync_all()).map_err(|e| unopened(place, &e.to_string()))
}

/// The version of the schema of the database in `directory`, when it is older than that of this program; `None` also where
/// there is no database.
///
/// # Errors
/// Those of [`Store::open_if`] for a database that is refused, and what `judge` returns.
pub fn schema_to_upgrade(
    directory: &Path,
    mode: Option<Mode>,
    lost_log: LostLog,
    judge: impl Fn(&Reader<'_>) -> Result<()>,
) -> Result<Option<i32>> {
    let path = directory.join(DATABASE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let _turn = log_file::take_turn(&path)?;
    // Looked at first: the whole of an old database is checked when it is accepted.
    let connection = view(&path, View::FileAlone)?;
    let current: i32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|e| unread(&path, e))?;
    drop(connection);
    if current == SCHEMA_VERSION {
        return Ok(None);
    }
    let accepted = accept::accept(&path, &Conditions { mode, lost_log, judge: &judge })?;
    Ok(Some(accepted.version).filter(|version| *version < SCHEMA_VERSION))
}

/// Writes a copy of the database in `directory`, which nobody has open, to the new file `place`.
///
/// # Errors
/// As [`Store::copy_to`].
pub fn copy_before_upgrade(directory: &Path, place: &Path) -> Result<()> {
    let path = directory.join(DATABASE_FILE);
    let connection = connect::copier(&path)?;
    connection.execute("VACUUM INTO ?1", [place.to_string_lossy()]).map_err(|e| unread(&path, e))?;
    drop(connection);
    mark_as_closed(place)
}

/// Lends a reader of the database of a lost appliance in `directory`, and writes nothing there.
///
/// # Errors
/// `NotFound` with code `no_database`; `Denied` when it is no database of ours, or of a newer version; `Fault` when it cannot
/// be read; what `task` returns.
pub fn read_lost<T>(directory: &Path, task: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
    let path = directory.join(DATABASE_FILE);
    if !path.exists() {
        return Err(Error::not_found("no_database", format!("There is no database at {}.", path.display())));
    }
    accept::looked_at(&path, task)
}

/// Says what stands in the copy at `path`, of which no log stands beside it.
///
/// # Errors
/// `Denied` when it is no database of Sidelight's, or of a newer version; `Fault` when it cannot be read.
pub fn contents(path: &Path) -> Result<Contents> {
    let connection = view(path, View::FileAlone)?;
    let (schema, mode) = accept::identity(&connection, path)?;
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .map_err(|e| unread(path, e))?;
    let mut rows = BTreeMap::new();
    for table in tables {
        let counted =
            connection.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0));
        rows.insert(table, counted.map_err(|e| unread(path, e))?);
    }
    Ok(Contents { schema, mode, rows })
}
