//! What goes when its time is over: one table, [`SWEPT`]. Until a row is swept it is refused by its times, so nothing hangs
//! on when this runs.
//!
//! A reader goes through each table once, in the order of its keys, so that nobody waits meanwhile and no index
//! is kept for it, which every sign-in would pay for. A table that a stranger can make large has such an index, so that
//! only what is over is read. The writer removes what was found, a few at a time.
//!
//! What must go for another reason is not here: an import or a deleted group that left something behind goes in portions
//! of its own (`imports`, `leaving`), and a table of which only the newest rows are kept drops the others as it grows.

use rusqlite::types::Value;

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::{LOCK_SECONDS, Mode};

/// Rows that are found at once, and go in one transaction: others wait behind it.
const AT_ONCE: u16 = 500;
/// How long what has ended stays: a clock that was set right by less brings no used assertion back to life.
const HOUR: i64 = 3_600;
const QUARTER: i64 = 90 * 24 * HOUR;

/// One kind of rows that end.
struct Swept {
    table: &'static str,
    /// Of a text, a blob, or a number: each row has another one, by which the walk goes on.
    key: &'static str,
    /// The column with the instant at which a row ends, or at which it was made.
    at: &'static str,
    /// Seconds after that instant for which it stays.
    stays: i64,
    what: Goes,
    /// Whether an index leads to what is over; else the table is walked.
    indexed: bool,
    /// Whether it goes in a lab, too. A lab's clock goes back and forth: what is over there can come again.
    in_lab: bool,
}

#[derive(Clone, Copy)]
enum Goes {
    Row,
    /// These columns become NULL.
    Columns(&'static [&'static str]),
}

const SWEPT: &[Swept] = &[
    ended("web_sessions", "fingerprint", "expires_at"),
    ended("console_sessions", "fingerprint", "expires_at"),
    ended("saml_requests", "id", "expires_at"),
    ended("saml_replays", "fingerprint", "until"),
    ended("password_links", "fingerprint", "expires_at"),
    ended("issued_credentials", "user_id", "expires_at"),
    Swept { indexed: true, in_lab: true, ..kept("incidents", "code", "at", QUARTER) },
    kept("let_in", "id", "at", LOCK_SECONDS + HOUR),
    Swept {
        what: Goes::Columns(&["sealed_response", "circumstances", "kept_until"]),
        indexed: true,
        in_lab: true,
        ..kept("saml_attempts", "id", "kept_until", 0)
    },
    Swept { in_lab: true, ..kept("sso_removed_keys", "group_id || ' ' || fingerprint", "until", 0) },
];

const fn ended(table: &'static str, key: &'static str, at: &'static str) -> Swept {
    kept(table, key, at, HOUR)
}

const fn kept(table: &'static str, key: &'static str, at: &'static str, stays: i64) -> Swept {
    Swept { table, key, at, stays, what: Goes::Row, indexed: false, in_lab: false }
}

impl Swept {
    /// Finds keys of rows that had ended at `?1`, at most `?2`. Where the table is walked, only those after the key `?3`;
    /// NULL is before all. By an index none is found twice: the writer has removed those that were found before.
    fn find(&self) -> String {
        let Swept { table, key, at, indexed, .. } = self;
        let (after, order) = match indexed {
            true => ("?3 IS NULL OR TRUE".to_owned(), at),
            false => (format!("?3 IS NULL OR {key} > ?3"), key),
        };
        format!("SELECT {key} AS key FROM {table} WHERE {at} <= ?1 AND ({after}) ORDER BY {order} LIMIT ?2")
    }

    /// Removes the row with the key `?1`, unless it was given more time than until `?2` meanwhile.
    fn remove(&self) -> String {
        let Swept { table, key, at, .. } = self;
        let condition = format!("WHERE {key} = ?1 AND {at} <= ?2");
        match self.what {
            Goes::Row => format!("DELETE FROM {table} {condition}"),
            Goes::Columns(columns) => {
                let columns: Vec<_> = columns.iter().map(|column| format!("{column} = NULL")).collect();
                format!("UPDATE {table} SET {} {condition}", columns.join(", "))
            }
        }
    }
}

/// One walk through all tables.
pub struct Sweep {
    now: Timestamp,
    mode: Mode,
    /// Which kind is next.
    kind: usize,
    /// The last key that was found.
    after: Value,
}

/// Rows that had ended.
pub struct Ended {
    before: Timestamp,
    swept: &'static Swept,
    keys: Vec<Value>,
}

impl Sweep {
    /// Looks for rows whose time was over at `now`.
    pub fn new(now: Timestamp, mode: Mode) -> Sweep {
        Sweep { now, mode, kind: 0, after: Value::Null }
    }
}

impl Reader<'_> {
    /// Finds the next rows whose time was over; `None` at the end of the walk.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn next_ended(&self, sweep: &mut Sweep) -> Result<Option<Ended>> {
        while let Some(swept) = SWEPT.get(sweep.kind) {
            let before = sweep.now.plus_seconds(-swept.stays);
            let keys = match sweep.mode == Mode::Production || swept.in_lab {
                true => self.ended_keys(swept, before, &sweep.after)?,
                false => Vec::new(),
            };
            if let Some(last) = keys.last() {
                sweep.after = last.clone();
                return Ok(Some(Ended { before, swept, keys }));
            }
            *sweep = Sweep { kind: sweep.kind + 1, ..Sweep::new(sweep.now, sweep.mode) };
        }
        Ok(None)
    }

    fn ended_keys(&self, swept: &Swept, before: Timestamp, after: &Value) -> Result<Vec<Value>> {
        let mut statement = self.connection.prepare_cached(&swept.find()).map_err(database_fault)?;
        let found = statement.query_map((before.0, AT_ONCE, after), |row| row.get("key"));
        found.and_then(Iterator::collect).map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Removes what has ended.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn remove_ended(&self, ended: &Ended) -> Result<()> {
        let remove = ended.swept.remove();
        ended.keys.iter().try_for_each(|key| self.execute(&remove, (key, ended.before.0)))
    }
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
