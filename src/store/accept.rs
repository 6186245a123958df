//! Judges a database before it is opened: which are opened, which are refused.
//!
//! Nothing is written here. A database that is refused stays as it was to the byte, and so do the log (`-wal`) and
//! its index (`-shm`) beside it.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::connect::{View, damaged, refused, unread, view};
use super::migrations::SCHEMA_VERSION;
use super::{DAMAGED, Reader, log_file};
use crate::error::{Error, Result};
use crate::model::Mode;
use crate::model::database::LostLog;

/// Marks the file as Sidelight's ("SdLt"), so that another program's database is never taken for ours.
pub(super) const APPLICATION_ID: i32 = 0x5364_4c74;
/// The code of the refusal of a database of a newer program.
pub const NEWER_SCHEMA: &str = "newer_schema";
/// From this version on a database names the log that belongs to it.
pub(super) const NAMES_ITS_LOG: i32 = 10;

/// Under which conditions a database is opened.
pub(super) struct Conditions<'a> {
    /// `None`: in whichever mode it belongs to.
    pub mode: Option<Mode>,
    pub lost_log: LostLog,
    /// Judges what stands in it.
    pub judge: &'a dyn Fn(&Reader<'_>) -> Result<()>,
}

/// What a database says of itself.
struct Stamps {
    version: i32,
    mode: Mode,
}

/// A database that may be opened.
pub(super) struct Accepted {
    pub version: i32,
    pub mode: Mode,
    /// Whether the log beside it belongs to it; what else stands there is worth nothing.
    pub with_log: bool,
}

/// Judges the database at `path`, which must be there, with the log beside it.
///
/// # Errors
/// `Denied` with a code that names why it is refused.
pub(super) fn accept(path: &Path, conditions: &Conditions<'_>) -> Result<Accepted> {
    let (seen, whole_check_needed) = choose_view(path, conditions.lost_log)?;
    let connection = view(path, seen.view)?;
    let stamps = stamps(&connection, path)?;
    if conditions.mode.is_some_and(|mode| mode != stamps.mode) {
        return Err(of_mode(stamps.mode, path));
    }
    // A damaged database is not brought up to date, and where the log's number says nothing, the check does.
    if whole_check_needed || stamps.version < SCHEMA_VERSION {
        whole_check(&connection, path)?;
    }
    (conditions.judge)(&Reader { connection: &connection })?;
    Ok(Accepted { version: stamps.version, mode: stamps.mode, with_log: seen.view == View::WithLog })
}

/// Lends a reader of the database at `path`, as far as the file and the log beside it can be read, and writes nothing: for one
/// that nobody will open any more.
///
/// # Errors
/// `Denied` when it is no database of ours, or of a newer version; `Fault` when it cannot be read; what `task` returns.
pub(super) fn looked_at<T>(path: &Path, task: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
    let (seen, _) = choose_view(path, LostLog::Accept)?;
    let connection = view(path, seen.view)?;
    stamps(&connection, path)?;
    task(&Reader { connection: &connection })
}

/// What is to be looked at, with what had to be made for it.
struct DatabaseView {
    view: View,
    _index: Option<EmptyIndex>,
}

/// Whether the log counts, and whether only a check of the whole can tell that it belongs to the database.
fn choose_view(path: &Path, lost_log: LostLog) -> Result<(DatabaseView, bool)> {
    let alone = || DatabaseView { view: View::FileAlone, _index: None };
    let with_log =
        || EmptyIndex::beside(path).map(|index| DatabaseView { view: View::WithLog, _index: index });
    // The log first: a server that runs may start it again meanwhile, which raises what the database names by one.
    let log = log_file::salt(path)?;
    let found = match (file_alone(path), log) {
        (Ok(found), _) => found,
        // A power cut in the midst of a checkpoint tears pages, which stand whole in the log.
        (Err(e), Some(_)) if e.code == DAMAGED => return Ok((with_log()?, true)),
        (Err(e), _) => return Err(e),
    };
    match (found, log) {
        // Older programs left everything in the log.
        (FileAlone::Empty | FileAlone::Unnamed, Some(_)) => Ok((with_log()?, true)),
        (FileAlone::Empty, None) => Err(empty(path)),
        (FileAlone::Unnamed, None) => Ok((alone(), false)),
        (FileAlone::Names { salt, .. }, Some(log)) if log_file::belongs(log, salt) => {
            Ok((with_log()?, false))
        }
        (FileAlone::Names { closed: true, marks_only: true, .. }, Some(_)) => Ok((alone(), false)),
        (FileAlone::Names { salt: None, closed: false, .. }, Some(_)) => Ok((with_log()?, true)),
        // Litestream began the log again without naming the new one. The check of the whole tells whether it fits.
        (FileAlone::Names { salt: Some(named), replicated: true, .. }, Some(log))
            if log_file::follows(log, named) =>
        {
            Ok((with_log()?, true))
        }
        (FileAlone::Names { .. }, Some(_)) => Err(foreign_log(path)),
        (FileAlone::Names { closed, .. }, None) if closed || lost_log == LostLog::Accept => {
            Ok((alone(), false))
        }
        (FileAlone::Names { .. }, None) => Err(not_closed_cleanly(path)),
    }
}

/// What the file says without the log beside it.
enum FileAlone {
    /// It holds no tables.
    Empty,
    /// It is of a version that does not name its log.
    Unnamed,
    Names {
        salt: Option<u32>,
        closed: bool,
        /// Litestream replicates it, and moves what stands in the log into the file at its own times.
        replicated: bool,
        /// The log beside it, if any, holds only the marks of a start that got no further.
        marks_only: bool,
    },
}

fn file_alone(path: &Path) -> Result<FileAlone> {
    let connection = view(path, View::FileAlone)?;
    if holds_nothing(&connection, path)? {
        return Ok(FileAlone::Empty);
    }
    if version(&connection, path)? < NAMES_ITS_LOG {
        return Ok(FileAlone::Unnamed);
    }
    let found = connection
        .query_row(
            "SELECT log_salt, closed_cleanly, (SELECT rootpage FROM sqlite_schema WHERE name = 'appliance') AS rootpage,
                 (SELECT page_size FROM pragma_page_size) AS page_size,
                 (SELECT count(*) FROM sqlite_schema WHERE name = '_litestream_seq') AS replicated FROM appliance",
            [],
            |row| {
                Ok(FileAlone::Names {
                    salt: row.get("log_salt")?,
                    closed: row.get("closed_cleanly")?,
                    replicated: row.get::<_, i64>("replicated")? > 0,
                    marks_only: log_file::holds_only_marks(path, row.get("rootpage")?, row.get("page_size")?),
                })
            },
        )
        .optional()
        .map_err(|e| unread(path, e))?;
    found.ok_or_else(|| incomplete(path))
}

fn number(connection: &Connection, path: &Path, sql: &str) -> Result<i32> {
    connection.query_row(sql, [], |row| row.get(0)).map_err(|e| unread(path, e))
}

fn holds_nothing(connection: &Connection, path: &Path) -> Result<bool> {
    Ok(number(connection, path, "PRAGMA application_id")? == 0
        && number(connection, path, "PRAGMA user_version")? == 0
        && number(connection, path, "SELECT count(*) FROM sqlite_schema")? == 0)
}

/// The version of one of our databases that this program knows.
fn version(connection: &Connection, path: &Path) -> Result<i32> {
    if number(connection, path, "PRAGMA application_id")? != APPLICATION_ID {
        return Err(refused("foreign_database", path, "is not a Sidelight database"));
    }
    let version = number(connection, path, "PRAGMA user_version")?;
    if version > SCHEMA_VERSION {
        let why = format!(
            "is of schema version {version}, newer than the {SCHEMA_VERSION} that this program knows; \
             run the newer program"
        );
        return Err(refused(NEWER_SCHEMA, path, &why));
    }
    if version < 1 {
        let why =
            format!("says that it is of schema version {version}, which never was; restore it from a backup");
        return Err(refused("unknown_schema", path, &why));
    }
    Ok(version)
}

fn stamps(connection: &Connection, path: &Path) -> Result<Stamps> {
    if holds_nothing(connection, path)? {
        return Err(empty(path));
    }
    let version = version(connection, path)?;
    if number(connection, path, "SELECT count(*) FROM sqlite_schema WHERE name = 'appliance'")? == 0 {
        return Err(incomplete(path));
    }
    let stamped: Option<String> = connection
        .query_row("SELECT mode FROM appliance", [], |row| row.get(0))
        .optional()
        .map_err(|e| unread(path, e))?;
    let known =
        [Mode::Production, Mode::Lab].into_iter().find(|mode| stamped.as_deref() == Some(mode.as_str()));
    Ok(Stamps { version, mode: known.ok_or_else(|| refused("other_mode", path, "belongs to no mode"))? })
}

/// Which version and mode a database of ours says that it has.
///
/// # Errors
/// `Denied` when it is none, or of a newer version.
pub(super) fn identity(connection: &Connection, path: &Path) -> Result<(i32, Mode)> {
    stamps(connection, path).map(|stamps| (stamps.version, stamps.mode))
}

fn whole_check(connection: &Connection, path: &Path) -> Result<()> {
    let check: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|e| unread(path, e))?;
    if check == "ok" { Ok(()) } else { Err(damaged(path, &check)) }
}

/// The empty index that a view with the log needs where none is there; deleted when the view was looked at.
struct EmptyIndex(PathBuf);

impl EmptyIndex {
    fn beside(path: &Path) -> Result<Option<EmptyIndex>> {
        let index = log_file::beside(path, "-shm");
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&index) {
            Ok(_) => Ok(Some(EmptyIndex(index))),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
            Err(e) => Err(super::connect::unopened(path, &e.to_string())),
        }
    }
}

impl Drop for EmptyIndex {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn of_mode(found: Mode, path: &Path) -> Error {
    let asked = if found == Mode::Lab { Mode::Production } else { Mode::Lab };
    let why = format!(
        "belongs to {} mode and is not opened in {} mode; name another data directory",
        found.as_str(),
        asked.as_str()
    );
    refused("other_mode", path, &why)
}

/// A file without tables, which a copy of an open database of older programs was, too.
pub(super) fn empty(path: &Path) -> Error {
    let why = "is empty. Restore it from a backup, with the -wal file that belongs to it if the backup has one. To \
               begin a new appliance, move it away together with its key file";
    refused("empty_database", path, why)
}

fn incomplete(path: &Path) -> Error {
    refused("incomplete_database", path, "lacks the facts about its appliance; restore it from a backup")
}

fn foreign_log(path: &Path) -> Error {
    let why = format!(
        "has beside it the log of another database, {}. If you restored the database from a backup, move that log \
         and the -shm file away: neither belongs to the backup. Otherwise restore the database whose log it is",
        log_file::beside(path, "-wal").display()
    );
    refused("log_of_another", path, &why)
}

fn not_closed_cleanly(path: &Path) -> Error {
    let why = format!(
        "was not closed cleanly, and its log {} is missing: what was changed last may be lost, such as a suspension or \
         a new API key. Put the log back beside it, or restore a whole backup. To go on without what was lost, start \
         once with --accept-lost-log",
        log_file::beside(path, "-wal").display()
    );
    refused("not_closed_cleanly", path, &why)
}
