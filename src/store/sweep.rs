//! Removes rows that have ended: sessions, requests that nobody answered, used assertions, links for a password. Until then they are
//! refused by their times, so nothing hangs on when this runs.
//!
//! A reader goes through each table once, in the order of its keys, so that nobody waits meanwhile and no index
//! is kept for it, which every sign-in would pay for. The writer removes what was found, a few at a time.

use rusqlite::types::Value;

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;

/// Rows that are found at once, and go in one transaction: others wait behind it.
const AT_ONCE: u16 = 500;

/// How rows of each kind that ended are found, after a key, and how one is removed, unless it was given more time
/// meanwhile.
const KINDS: [(&str, &str); 5] = [
    (
        "SELECT fingerprint FROM web_sessions WHERE fingerprint > ?3 AND expires_at <= ?1
         ORDER BY fingerprint LIMIT ?2",
        "DELETE FROM web_sessions WHERE fingerprint = ?1 AND expires_at <= ?2",
    ),
    (
        "SELECT fingerprint FROM console_sessions WHERE fingerprint > ?3 AND expires_at <= ?1
         ORDER BY fingerprint LIMIT ?2",
        "DELETE FROM console_sessions WHERE fingerprint = ?1 AND expires_at <= ?2",
    ),
    (
        "SELECT id FROM saml_requests WHERE id > ?3 AND expires_at <= ?1 ORDER BY id LIMIT ?2",
        "DELETE FROM saml_requests WHERE id = ?1 AND expires_at <= ?2",
    ),
    (
        "SELECT fingerprint FROM saml_replays WHERE fingerprint > ?3 AND until <= ?1
         ORDER BY fingerprint LIMIT ?2",
        "DELETE FROM saml_replays WHERE fingerprint = ?1 AND until <= ?2",
    ),
    (
        "SELECT fingerprint FROM password_links WHERE fingerprint > ?3 AND expires_at <= ?1
         ORDER BY fingerprint LIMIT ?2",
        "DELETE FROM password_links WHERE fingerprint = ?1 AND expires_at <= ?2",
    ),
];

/// One walk through all tables.
pub struct Sweep {
    before: Timestamp,
    kind: usize,
    /// The last key that was found: "" is before all texts and all blobs.
    after: Value,
}

/// Rows that had ended.
pub struct Ended {
    before: Timestamp,
    remove: &'static str,
    keys: Vec<Value>,
}

impl Sweep {
    /// Looks for rows that had ended at `before`.
    pub fn new(before: Timestamp) -> Sweep {
        Sweep { before, kind: 0, after: Value::Text(String::new()) }
    }
}

impl Reader<'_> {
    /// Finds the next rows that had ended; `None` at the end of the walk.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn next_ended(&self, sweep: &mut Sweep) -> Result<Option<Ended>> {
        while let Some((find, remove)) = KINDS.get(sweep.kind).copied() {
            let mut statement = self.connection.prepare_cached(find).map_err(database_fault)?;
            let found = statement.query_map((sweep.before.0, AT_ONCE, &sweep.after), |row| row.get(0));
            let keys: Vec<Value> =
                found.and_then(Iterator::collect::<rusqlite::Result<_>>).map_err(database_fault)?;
            if let Some(last) = keys.last() {
                sweep.after = last.clone();
                return Ok(Some(Ended { before: sweep.before, remove, keys }));
            }
            *sweep = Sweep { kind: sweep.kind + 1, ..Sweep::new(sweep.before) };
        }
        Ok(None)
    }
}

impl Writer<'_> {
    /// Removes what has ended.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn remove_ended(&self, ended: &Ended) -> Result<()> {
        ended.keys.iter().try_for_each(|key| self.execute(ended.remove, (key, ended.before.0)))
    }
}
