//! Removes rows that have ended: web sessions, requests that nobody answered, used assertions. Until then
//! they are refused by their times, so nothing hangs on when this runs.

use rusqlite::Params;

use super::{Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;

/// Rows of each kind that go in one transaction: others wait behind it.
const AT_ONCE: u16 = 500;

const ENDED_WEB_SESSIONS: &str = "DELETE FROM web_sessions WHERE fingerprint IN
     (SELECT fingerprint FROM web_sessions WHERE fingerprint < ?3 AND expires_at <= ?1 LIMIT ?2)";
const ENDED: [&str; 3] = [
    "DELETE FROM console_sessions WHERE fingerprint IN
         (SELECT fingerprint FROM console_sessions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM saml_requests WHERE id IN
         (SELECT id FROM saml_requests WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    "DELETE FROM saml_replays WHERE fingerprint IN
         (SELECT fingerprint FROM saml_replays WHERE until <= ?1 ORDER BY until LIMIT ?2)",
];

impl Writer<'_> {
    /// Removes rows that had ended at `before`; `true` when there may be more. Web sessions are looked for only
    /// among the fingerprints below `sessions`, which are in the order of time.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sweep(&self, before: Timestamp, sessions: &[u8]) -> Result<bool> {
        let mut more = self.removed_so_many(ENDED_WEB_SESSIONS, (before.0, AT_ONCE, sessions))?;
        for sql in ENDED {
            more |= self.removed_so_many(sql, (before.0, AT_ONCE))?;
        }
        Ok(more)
    }

    /// Removes as many as go at once; `true` when these were so many.
    fn removed_so_many(&self, sql: &str, values: impl Params) -> Result<bool> {
        let removed = self.connection.prepare_cached(sql).and_then(|mut s| s.execute(values));
        Ok(removed.map_err(database_fault)? >= usize::from(AT_ONCE))
    }
}
