//! The check of the whole database, beside everything else: on a connection of its own, a table at a time, and half of
//! the time asleep, so that nobody who signs in waits for it.

use std::path::Path;

use rusqlite::Connection;

use super::long_read::LongRead;
use super::{connect, database_fault};
use crate::error::Result;

/// Checks all tables with their indexes; gives back what is damaged, `None` when nothing is.
pub(super) fn run(running: &LongRead, path: &Path) -> Result<Option<String>> {
    running.run(|| connect::reader(path), check)
}

fn check(connection: &Connection) -> Result<Option<String>> {
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .map_err(database_fault)?;
    // A table at a time: the log beside the database can be cut in between.
    for table in tables {
        let found: String = connection
            .query_row("SELECT integrity_check FROM pragma_integrity_check(?1)", [&table], |row| row.get(0))
            .map_err(database_fault)?;
        if found != "ok" {
            return Ok(Some(format!("table {table}: {found}")));
        }
    }
    Ok(None)
}
