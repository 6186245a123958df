//! What anyone who watches the appliance wants to know of the database: how large its files are, and which certificates end.

use super::{Reader, Store, database_fault, log_file};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;

/// Certificates that are looked at: five a group.
const CERTIFICATES: i64 = 50_000;

/// Bytes of the database's files; 0 of one that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSizes {
    pub database: u64,
    /// The write-ahead log.
    pub log: u64,
}

impl Store {
    /// How large the database's files are.
    pub fn file_sizes(&self) -> FileSizes {
        let path = &self.inner.path;
        let bytes = |path: &std::path::Path| path.metadata().map_or(0, |file| file.len());
        FileSizes { database: bytes(path), log: bytes(&log_file::beside(path, "-wal")) }
    }

    /// Whether the write-ahead log that the writer has open is still in the directory. A program that deletes it takes
    /// what was written last away, unless the server closes in order.
    pub fn log_is_there(&self) -> bool {
        log_file::beside(&self.inner.path, "-wal").exists()
    }
}

impl Reader<'_> {
    /// The identity providers' certificates (DER) of all groups that use single sign-on and are on.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn certificates_in_use(&self) -> Result<Vec<(GroupId, Vec<u8>)>> {
        self.connection
            .prepare_cached(
                "SELECT k.group_id, k.certificate FROM sso_keys k
                 JOIN sso_configurations c ON c.group_id = k.group_id AND c.method <> 'off'
                 JOIN groups g ON g.id = k.group_id AND g.off_since IS NULL AND g.leaving = 0
                 ORDER BY k.group_id, k.position LIMIT ?1",
            )
            .and_then(|mut found| {
                found
                    .query_map([CERTIFICATES], |row| {
                        Ok((GroupId(row.get("group_id")?), row.get("certificate")?))
                    })?
                    .collect()
            })
            .map_err(database_fault)
    }

    /// Rows of the access log since `from`, found by halving: rows are appended in the order of their instants, but for a
    /// clock that was set.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn access_log_rows_since(&self, from: Timestamp) -> Result<u64> {
        let mut at = self
            .connection
            .prepare_cached("SELECT at FROM access_log WHERE id >= ?1 ORDER BY id LIMIT 1")
            .map_err(database_fault)?;
        let all = self.access_log_rows()?;
        let (mut before, mut after) = (0, all);
        while before < after {
            let middle = before + (after - before) / 2;
            let id = i64::try_from(middle + 1).unwrap_or(i64::MAX);
            let at: i64 = at.query_row([id], |row| row.get(0)).map_err(database_fault)?;
            if at < from.0 {
                before = middle + 1;
            } else {
                after = middle;
            }
        }
        Ok(all - before)
    }

    /// SCIM tokens, and certificates of identity providers, that are older than `before` and were not used since.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn keys_unused_since(&self, before: Timestamp) -> Result<u64> {
        self.connection
            .query_row(
                "SELECT (SELECT count(*) FROM scim_tokens WHERE coalesce(used_at, created_at) < ?1)
                    + (SELECT count(*) FROM sso_keys k
                       JOIN sso_configurations c ON c.group_id = k.group_id AND c.method <> 'off'
                       WHERE coalesce(k.last_verified_at, k.added_at) < ?1)",
                [before.0],
                |row| row.get(0),
            )
            .map(|count: i64| u64::try_from(count).unwrap_or(0))
            .map_err(database_fault)
    }

    /// Rows of the access log, as their numbers tell: no row is ever deleted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn access_log_rows(&self) -> Result<u64> {
        self.connection
            .query_row("SELECT coalesce(max(id), 0) FROM access_log", [], |row| row.get(0))
            .map(|rows: i64| u64::try_from(rows).unwrap_or(0))
            .map_err(database_fault)
    }
}
