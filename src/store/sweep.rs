//! Removes rows that have ended: web sessions, requests that nobody answered, used assertions. Until then
//! they are refused by their times, so nothing hangs on when this runs.

use super::{Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;

/// Rows of each kind that go in one transaction: others wait behind it.
const AT_ONCE: u16 = 500;

const ENDED: [&str; 4] = [
    "DELETE FROM web_sessions WHERE fingerprint IN
         (SELECT fingerprint FROM web_sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    "DELETE FROM console_sessions WHERE fingerprint IN
         (SELECT fingerprint FROM console_sessions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM saml_requests WHERE id IN
         (SELECT id FROM saml_requests WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    "DELETE FROM saml_replays WHERE fingerprint IN
         (SELECT fingerprint FROM saml_replays WHERE until <= ?1 ORDER BY until LIMIT ?2)",
];

impl Writer<'_> {
    /// Removes rows that had ended at `before`; `true` when there may be more.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sweep(&self, before: Timestamp) -> Result<bool> {
        let mut more = false;
        for sql in ENDED {
            let removed = self
                .connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute((before.0, AT_ONCE)))
                .map_err(database_fault)?;
            more |= removed >= usize::from(AT_ONCE);
        }
        Ok(more)
    }
}
