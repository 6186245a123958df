//! Imports that are prepared in portions, which nobody sees, and become visible at once.
//!
//! - [`Writer::begin_import`] sets numbers of users aside. What is made with them is hidden as long as the import
//!   stands in `unfinished_imports`: each look-up of members and users leaves it out ([`visible`]).
//! - [`Writer::hide_in`] has a task make users with these numbers, and keeps their rows of the access log apart.
//!   What it changes of users who were there before waits beside them: [`super::import_changes`].
//! - [`Writer::finish_import`] takes the import's row away: one row, and all that it hid is there.
//! - The rows of the access log follow in portions ([`Writer::append_import_log`]), of that instant; one that was not
//!   finished is swept out in portions ([`Writer::sweep_import`]). Both go on after a kill: the database knows what is
//!   left to do ([`Reader::import_work`]).

use rusqlite::{OptionalExtension, named_params};

use super::leaving::standing;
use super::{Reader, Writer, database_fault};
use crate::error::{Error, Kind, Result};
use crate::model::{GroupId, LogEntry};

/// Seconds without a portion after which an import of another process is given up for dead.
const DEAD_AFTER: i64 = 60;

/// Names an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportId(i64);

/// What is left to do for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportWork {
    /// It was not finished and will not be: what it made is to be swept out.
    Sweep(ImportId),
    /// It is finished: rows of the access log are to follow.
    AppendLog(ImportId),
}

/// An import as the task that adds to it knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hiding {
    import: i64,
    next_user: i64,
    last_user: i64,
}

/// The condition that the user with the number `user`, a column with its table, is not one of an unfinished import. As long as there
/// is none, it costs one comparison a row.
pub(super) fn visible(user: &str) -> String {
    // The plus keeps the planner from looking for rows by this condition.
    format!(
        "(+{user} < (SELECT coalesce(min(first_user_id), 9223372036854775807) FROM unfinished_imports)
          OR NOT EXISTS (SELECT 1 FROM unfinished_imports h
                         WHERE +{user} BETWEEN h.first_user_id AND h.last_user_id))"
    )
}

/// The condition that a membership in the group `group` of the user `user` is seen: neither is hidden by an import,
/// nor leaves with its group.
pub(super) fn visible_member(group: &str, user: &str) -> String {
    format!("{} AND {}", visible(user), standing(group))
}

impl ImportId {
    pub(super) fn number(self) -> i64 {
        self.0
    }
}

impl Writer<'_> {
    /// The import that the task belongs to.
    pub(super) fn import(&self) -> Option<i64> {
        self.hiding.get().map(|hiding| hiding.import)
    }

    /// Begins an import of at most `users` new users. `by_server`: it ends with the server, so that the next one
    /// knows that it is dead.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn begin_import(&self, group: GroupId, users: usize, by_server: bool) -> Result<ImportId> {
        // Numbers of users are never used again; these are taken out of the row at once.
        self.execute(
            "INSERT INTO sqlite_sequence (name, seq)
             SELECT 'users', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'users')",
            [],
        )?;
        let users = i64::try_from(users).unwrap_or(i64::MAX);
        let begun = self
            .connection
            .prepare_cached(
                "INSERT INTO unfinished_imports (group_id, first_user_id, last_user_id, by_server, touched_at)
                 SELECT ?1, seq + 1, seq + ?2, ?3, unixepoch() FROM sqlite_sequence WHERE name = 'users'",
            )
            .and_then(|mut s| s.insert((group.0, users, by_server)))
            .map_err(database_fault)?;
        self.execute("UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = 'users'", [users])?;
        Ok(ImportId(begun))
    }

    /// Has users that this task makes belong to an import, hidden; what it changes of other users waits beside them
    /// ([`Writer::prepare_change`]), and so do the rows of the access log.
    ///
    /// # Errors
    /// `Unavailable` with code `import_ended` when the import was given up.
    pub fn hide_in(&self, import: ImportId) -> Result<()> {
        let found = self
            .connection
            .prepare_cached(
                "UPDATE unfinished_imports SET touched_at = unixepoch() WHERE id = ?1 AND abandoned = 0
                 RETURNING (SELECT coalesce(max(u.id) + 1, first_user_id) FROM users u
                            WHERE u.id BETWEEN first_user_id AND last_user_id) AS next_user_id, last_user_id",
            )
            .and_then(|mut s| {
                s.query_row([import.0], |row| Ok((row.get("next_user_id")?, row.get("last_user_id")?)))
                    .optional()
            })
            .map_err(database_fault)?;
        let (next_user, last_user) = found.ok_or_else(ended)?;
        self.hiding.set(Some(Hiding { import: import.0, next_user, last_user }));
        Ok(())
    }

    /// The number of the next user of the import; `None` outside of one, where the database gives it.
    pub(super) fn next_hidden_user(&self) -> Result<Option<i64>> {
        let Some(hiding) = self.hiding.get() else { return Ok(None) };
        if hiding.next_user > hiding.last_user {
            return Err(Error::fault(
                "import_full",
                "an import makes more users than it set numbers aside for",
            ));
        }
        self.hiding.set(Some(Hiding { next_user: hiding.next_user + 1, ..hiding }));
        Ok(Some(hiding.next_user))
    }

    /// Keeps a row of the access log until the import is finished; `false` outside of one.
    pub(super) fn keep_import_log(&self, entry: &LogEntry) -> Result<bool> {
        let Some(hiding) = self.hiding.get() else { return Ok(false) };
        self.connection
            .prepare_cached(
                "INSERT INTO import_log (import_id, position, group_id, ip, actor, operation, subject, detail)
                 VALUES (:import, (SELECT coalesce(max(position), 0) + 1 FROM import_log WHERE import_id = :import),
                         :group, :ip, :actor, :operation, :subject, :detail)",
            )
            .and_then(|mut s| {
                s.execute(named_params! {
                    ":import": hiding.import,
                    ":group": entry.group.map(|group| group.0),
                    ":ip": entry.ip.map(|ip| ip.to_string()),
                    ":actor": entry.actor,
                    ":operation": entry.operation,
                    ":subject": entry.subject,
                    ":detail": entry.detail,
                })
            })
            .map_err(database_fault)?;
        Ok(true)
    }

    /// Makes visible all that the import made.
    ///
    /// # Errors
    /// `Unavailable` with code `import_ended` when the import was given up.
    pub fn finish_import(&self, import: ImportId) -> Result<()> {
        let ended_now = self
            .connection
            .prepare_cached("DELETE FROM unfinished_imports WHERE id = ?1 AND abandoned = 0")
            .and_then(|mut s| s.execute([import.0]))
            .map_err(database_fault)?;
        if ended_now == 0 {
            return Err(ended());
        }
        self.execute("INSERT INTO finished_imports (id, at) VALUES (?1, ?2)", (import.0, self.now.0))
    }

    /// Gives an import up: nothing more can be added, and what it made is to be swept out.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn abandon_import(&self, import: ImportId) -> Result<()> {
        self.execute("UPDATE unfinished_imports SET abandoned = 1 WHERE id = ?1", [import.0])
    }

    /// Gives up the imports of a server that ended before they were finished.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn abandon_imports_of_servers(&self) -> Result<()> {
        self.execute("UPDATE unfinished_imports SET abandoned = 1 WHERE by_server = 1", [])
    }

    /// Sweeps out at most `most` users of an import that was given up; `false` when nothing is left.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sweep_import(&self, import: ImportId, most: u32) -> Result<bool> {
        self.abandon_import(import)?;
        let swept = |sql: &str| -> Result<usize> {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut s| s.execute((import.0, most)))
                .map_err(database_fault)
        };
        let users = swept(
            "DELETE FROM users WHERE id IN (
                 SELECT u.id FROM unfinished_imports i CROSS JOIN users u
                     ON u.id BETWEEN i.first_user_id AND i.last_user_id
                 WHERE i.id = ?1 LIMIT ?2)",
        )?;
        let rows = swept(
            "DELETE FROM import_log WHERE import_id = ?1 AND position IN (
                 SELECT position FROM import_log WHERE import_id = ?1 LIMIT ?2)",
        )?;
        if users + rows > 0 || self.narrow_words(import, most)? {
            return Ok(true);
        }
        self.execute("DELETE FROM unfinished_imports WHERE id = ?1", [import.0])?;
        Ok(false)
    }

    /// Appends at most `most` of an import's rows to the access log, and then forgets what it had prepared; `false` when
    /// nothing is left.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn append_import_log(&self, import: ImportId, most: u32) -> Result<bool> {
        let appended = self
            .connection
            .prepare_cached(
                "INSERT INTO access_log (at, group_id, ip, actor, operation, subject, detail, refused)
                 SELECT f.at, l.group_id, l.ip, l.actor, l.operation, l.subject, l.detail, 0
                 FROM finished_imports f CROSS JOIN import_log l ON l.import_id = f.id
                 WHERE f.id = ?1 ORDER BY l.position LIMIT ?2",
            )
            .and_then(|mut s| s.execute((import.0, most)))
            .map_err(database_fault)?;
        if appended > 0 {
            self.execute(
                "DELETE FROM import_log WHERE import_id = ?1 AND position IN (
                     SELECT position FROM import_log WHERE import_id = ?1 ORDER BY position LIMIT ?2)",
                (import.0, most),
            )?;
            return Ok(true);
        }
        if self.narrow_words(import, most)? {
            return Ok(true);
        }
        self.execute("DELETE FROM finished_imports WHERE id = ?1", [import.0])?;
        Ok(false)
    }
}

impl Reader<'_> {
    /// Whether any import is unfinished, dead or alive.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn has_unfinished_imports(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM unfinished_imports)";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([], |row| row.get(0)))
            .map_err(database_fault)
    }

    /// What is left to do for imports that nobody works at any more.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn import_work(&self) -> Result<Vec<ImportWork>> {
        let found = |sql: &str, work: fn(ImportId) -> ImportWork| -> Result<Vec<ImportWork>> {
            let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
            let rows = statement.query_map([DEAD_AFTER], |row| row.get(0).map(|id| work(ImportId(id))));
            rows.and_then(Iterator::collect).map_err(database_fault)
        };
        let dead = "SELECT id FROM unfinished_imports WHERE abandoned = 1 OR touched_at < unixepoch() - ?1";
        let mut work = found(dead, ImportWork::Sweep)?;
        work.extend(found("SELECT id FROM finished_imports WHERE ?1 > 0", ImportWork::AppendLog)?);
        Ok(work)
    }
}

fn ended() -> Error {
    let public =
        "The import was interrupted for long and given up. Nothing of the file was kept. Upload it again.";
    Error::new(Kind::Unavailable, "import_ended", public)
}
