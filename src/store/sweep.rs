//! Removes rows that have ended: sessions, requests that nobody answered, used assertions. Until then they are
//! refused by their times, so nothing hangs on when this runs.
//!
//! A reader finds them, so that nobody waits while a table is gone through, and no index is kept for it, which
//! every sign-in would pay for. The writer then removes them a few at a time.

use rusqlite::types::Value;

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;

/// Rows of each kind that are found at once.
const FOUND_MOST: u16 = 10_000;
/// Rows that go in one transaction: others wait behind it.
const AT_ONCE: usize = 500;

/// How rows of each kind that ended are found, and how one is removed, unless it was given more time meanwhile.
const KINDS: [(&str, &str); 4] = [
    (
        "SELECT fingerprint FROM web_sessions WHERE expires_at <= ?1 LIMIT ?2",
        "DELETE FROM web_sessions WHERE fingerprint = ?1 AND expires_at <= ?2",
    ),
    (
        "SELECT fingerprint FROM console_sessions WHERE expires_at <= ?1 LIMIT ?2",
        "DELETE FROM console_sessions WHERE fingerprint = ?1 AND expires_at <= ?2",
    ),
    (
        "SELECT id FROM saml_requests WHERE expires_at <= ?1 LIMIT ?2",
        "DELETE FROM saml_requests WHERE id = ?1 AND expires_at <= ?2",
    ),
    (
        "SELECT fingerprint FROM saml_replays WHERE until <= ?1 LIMIT ?2",
        "DELETE FROM saml_replays WHERE fingerprint = ?1 AND until <= ?2",
    ),
];

/// Rows that had ended, as many as go in one transaction.
pub struct Ended {
    before: Timestamp,
    /// By what each is removed, and its key.
    rows: Vec<(&'static str, Value)>,
}

impl Reader<'_> {
    /// Finds rows that had ended at `before`, in parts to be removed one by one; whether there may be more.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn ended(&self, before: Timestamp) -> Result<(Vec<Ended>, bool)> {
        let mut rows = Vec::new();
        let mut more = false;
        for (find, remove) in KINDS {
            let already = rows.len();
            let mut statement = self.connection.prepare_cached(find).map_err(database_fault)?;
            let found = statement.query_map((before.0, FOUND_MOST), |row| row.get(0));
            for key in found.map_err(database_fault)? {
                rows.push((remove, key.map_err(database_fault)?));
            }
            more |= rows.len() - already == usize::from(FOUND_MOST);
        }
        let parts = rows.chunks(AT_ONCE).map(|part| Ended { before, rows: part.to_vec() });
        Ok((parts.collect(), more))
    }
}

impl Writer<'_> {
    /// Removes what was found.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn remove(&self, ended: &Ended) -> Result<()> {
        ended.rows.iter().try_for_each(|(sql, key)| self.execute(sql, (key, ended.before.0)))
    }
}
