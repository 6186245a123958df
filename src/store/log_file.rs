//! The write-ahead log beside the database: which log belongs to which database, how it is kept short, and how the
//! database is closed so that the file alone is the database.
//!
//! SQLite applies any log that stands beside a database, also that of another one. So the database names its log.
//! A log carries a number in its head (its first salt), which SQLite raises by one each time that it starts the log
//! from its beginning again. Before anything is moved from the log into the database (a checkpoint), the number that
//! the next log will carry is written to `appliance.log_salt`. A log belongs to a database if its number is the one
//! that the database names, or the one before.
//!
//! See the SQLite documentation, "Write-Ahead Logging" and "WAL-mode File Format", clause 1.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::connect::{BUSY_TIMEOUT, in_transaction};
use super::{LOCKED, database_fault};
use crate::error::{Error, Kind, Result};
use crate::model::database::Closed;

/// Pages in the log (of 4 KiB) from which on they are moved into the database.
const LONG: i64 = 4_000;
/// Pages in the log from which on the writer waits a little for those who read, so that the log can start again.
const TOO_LONG: i64 = 8_000;
/// So many more pages are written before the next attempt, when somebody reads for long.
const BETWEEN_ATTEMPTS: i64 = 1_000;
/// How long the writer waits for those who read. Anyone who reads for longer lets the log grow.
const WAIT_FOR_READERS: Duration = Duration::from_millis(20);
/// How long anyone who opens or closes the database waits for others who do so.
const WAIT_FOR_OTHERS: Duration = BUSY_TIMEOUT;

/// The length of a log's head, and of what stands before each page in it.
const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

/// The path of the database with `suffix` at its end.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The number in the head of the log; `None` when there is no log or its head was never written whole: SQLite
/// applies nothing of such a log.
pub(super) fn salt(path: &Path) -> Result<Option<u32>> {
    let mut head = [0u8; HEAD];
    match File::open(beside(path, "-wal")).and_then(|mut log| log.read_exact(&mut head)) {
        Ok(()) => Ok(salt_in(&head)),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof) => {
            Ok(None)
        }
        Err(e) => Err(Error::new(
            Kind::Fault,
            "database_unopened",
            format!("The file {} cannot be read: {e}.", beside(path, "-wal").display()),
        )),
    }
}

fn salt_in(head: &[u8; HEAD]) -> Option<u32> {
    let word = |at: usize| Some(u32::from_be_bytes(*head.get(at * 4..)?.first_chunk()?));
    let magic = word(0)?;
    if magic & !1 != 0x377f_0682 {
        return None;
    }
    let little_endian = magic & 1 == 0;
    let (mut first, mut second) = (0u32, 0u32);
    for pair in 0..3 {
        let read = |at: usize| word(at).map(|w| if little_endian { w.swap_bytes() } else { w });
        first = first.wrapping_add(read(pair * 2)?).wrapping_add(second);
        second = second.wrapping_add(read(pair * 2 + 1)?).wrapping_add(first);
    }
    (word(6)? == first && word(7)? == second).then(|| word(4)).flatten()
}

/// Whether a log with this number belongs to a database that names `named`.
pub(super) fn belongs(salt: u32, named: Option<u32>) -> bool {
    named.is_some_and(|named| named == salt || named == salt.wrapping_add(1))
}

/// Whether a log with this number may be one that another program began after the one that the database names. SQLite raises
/// the number by one each time; a log of another database has any number.
pub(super) fn follows(salt: u32, named: u32) -> bool {
    const MOST: u32 = 1 << 20;
    salt.wrapping_sub(named) <= MOST
}

/// Whether the log holds nothing but the first marks of a start that did not get any further: pages of the table
/// `appliance` alone, whose root is `page`.
pub(super) fn holds_only_marks(path: &Path, page: u32, page_size: u32) -> bool {
    const MARKS: usize = 4;
    let Ok(page_size) = usize::try_from(page_size) else { return false };
    let frame = FRAME_HEAD + page_size;
    let mut log = Vec::new();
    let most = (HEAD + MARKS * frame) as u64;
    let read = File::open(beside(path, "-wal")).and_then(|file| file.take(most + 1).read_to_end(&mut log));
    let frames = log.get(HEAD..).unwrap_or_default().chunks(frame);
    read.is_ok_and(|read| read as u64 <= most)
        && frames.into_iter().all(|frame| frame.first_chunk() == Some(&page.to_be_bytes()))
}

/// Deletes a log that is worth nothing, with its index.
pub(super) fn discard(path: &Path) -> std::io::Result<()> {
    remove(&beside(path, "-wal"))?;
    remove(&beside(path, "-shm"))
}

/// Deletes a file, if it is there.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Held by the one who opens or closes the database, or moves pages from the log into it: one process at a time. It ends
/// with the process, however that ends.
pub(super) struct Turn(#[expect(dead_code, reason = "held, not used")] File);

/// Takes the turn; waits a bounded time for those who have it.
pub(super) fn take_turn(path: &Path) -> Result<Turn> {
    let ends = Instant::now() + WAIT_FOR_OTHERS;
    loop {
        match try_turn(path)? {
            Some(turn) => return Ok(turn),
            None if Instant::now() < ends => std::thread::sleep(Duration::from_millis(2)),
            None => {
                let public = "Another process is opening or closing the database. Try again shortly.";
                return Err(Error::new(Kind::Unavailable, LOCKED, public));
            }
        }
    }
}

/// Takes the turn unless another has it.
fn try_turn(path: &Path) -> Result<Option<Turn>> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let failed = |e: &std::io::Error| {
        let public = format!("The data directory {} cannot be used: {e}.", directory.display());
        Error::new(Kind::Fault, "data_directory", public)
    };
    // The directory, not the database: closing a file ends the locks that SQLite holds on it in this process.
    let file = File::open(directory).map_err(|e| failed(&e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Turn(file))),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(e)) => Err(failed(&e)),
    }
}

/// Marks the database as open, unless it is: anyone who opens it first does. From then on the file alone is not the
/// database, and says so.
pub(super) fn mark_open(connection: &Connection, path: &Path, turn: &Turn) -> Result<()> {
    let (closed, named): (bool, _) = connection
        .query_row("SELECT closed_cleanly, log_salt FROM appliance", [], |row| {
            Ok((row.get("closed_cleanly")?, row.get("log_salt")?))
        })
        .map_err(database_fault)?;
    if !closed && salt(path)?.is_some_and(|salt| belongs(salt, named)) {
        return Ok(());
    }
    // The first write gives the log its head. Twice, because SQLite does not write a page that stays as it was.
    write(
        connection,
        "UPDATE appliance SET closed_cleanly = 1 - closed_cleanly; UPDATE appliance SET closed_cleanly = 0",
    )?;
    checkpoint(connection, path, "PASSIVE", turn)
}

/// Moves what stands in the log into the database, as far as those who read let it.
fn checkpoint(connection: &Connection, path: &Path, mode: &str, _: &Turn) -> Result<()> {
    let Some(before) = salt(path)? else { return Ok(()) };
    let next = before.wrapping_add(1);
    // Written in any case, as above: this page is then the last in the log, and nobody begins the log again before
    // it was moved.
    write(
        connection,
        &format!(
            "UPDATE appliance SET closed_cleanly = 0, log_salt = NULL; UPDATE appliance SET log_salt = {next}"
        ),
    )?;
    // Where all had been moved before, that write has begun the log again: it is short.
    if salt(path)? == Some(before) {
        pages(connection, mode)?;
    }
    Ok(())
}

fn write(connection: &Connection, sql: &str) -> Result<()> {
    in_transaction(connection, || connection.execute_batch(sql).map_err(database_fault))
}

/// The pages in the log, after a checkpoint in this mode (`NOOP`: none).
fn pages(connection: &Connection, mode: &str) -> Result<i64> {
    let mut statement =
        connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})")).map_err(database_fault)?;
    statement.query_row([], |row| row.get("log")).map_err(database_fault)
}

/// Keeps the log of one connection short.
#[derive(Default)]
pub(super) struct Keeper {
    /// The next attempt is made when the log has so many pages.
    next: i64,
}

impl Keeper {
    /// Asked after each commit. It may wait a little, not longer, for those who read; while somebody reads for long,
    /// the log grows.
    pub fn keep_short(&mut self, connection: &Connection, path: &Path) -> Result<()> {
        let now = pages(connection, "NOOP")?;
        if now < LONG {
            self.next = LONG;
        }
        if now < self.next.max(LONG) {
            return Ok(());
        }
        let Some(turn) = try_turn(path)? else { return Ok(()) };
        self.next = now + BETWEEN_ATTEMPTS;
        if now < TOO_LONG {
            return checkpoint(connection, path, "PASSIVE", &turn);
        }
        connection.busy_timeout(WAIT_FOR_READERS).map_err(database_fault)?;
        let done = checkpoint(connection, path, "RESTART", &turn);
        // The writer waits for its lock by itself.
        connection.busy_timeout(Duration::ZERO).map_err(database_fault)?;
        done
    }
}

/// Closes the last connection of this process: if no other process holds the database, all is moved into the file,
/// which is marked as closed cleanly, and the log is deleted.
pub(super) fn close(connection: Connection, path: &Path) -> Closed {
    match closed_alone(&connection, path) {
        Ok(true) => match connection.close() {
            Ok(()) => Closed::Whole,
            Err((_, error)) => Closed::Failed(database_fault(error)),
        },
        Ok(false) => Closed::HeldByAnother,
        Err(error) => Closed::Failed(error),
    }
}

fn closed_alone(connection: &Connection, path: &Path) -> Result<bool> {
    let _turn = take_turn(path)?;
    connection.busy_timeout(Duration::ZERO).map_err(database_fault)?;
    // Nobody else has the database open if this lock can be had, and nobody can open it from here on.
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(database_fault)?;
    match connection.execute_batch("BEGIN IMMEDIATE") {
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => return Ok(false),
        begun => begun.map_err(database_fault)?,
    }
    let next = salt(path)?.map(|salt| salt.wrapping_add(1));
    connection
        .execute("UPDATE appliance SET closed_cleanly = 1, log_salt = coalesce(?1, log_salt)", [next])
        .and_then(|_| connection.execute_batch("COMMIT"))
        .map_err(database_fault)?;
    pages(connection, "TRUNCATE")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(database_fault)?;
    Ok(true)
}
