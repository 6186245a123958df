//! What is kept of each backup, and whether the key file is kept elsewhere.

use rusqlite::OptionalExtension;

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::backup::BackupRecord;

/// So many records stay in any case.
const KEPT: i64 = 400;

/// What operators should be told on each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attention {
    /// Nobody has said how the key file is kept, in the backups or elsewhere. A lab is not asked before it has backups.
    pub key_not_kept: bool,
    /// The report of the last restore was not read.
    pub restore_report: bool,
    /// The last backup failed.
    pub backup_failed: bool,
}

impl Reader<'_> {
    /// The newest records, newest first, at most `limit`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn backups(&self, limit: u32) -> Result<Vec<BackupRecord>> {
        let sql = "SELECT ended_at, file, bytes, code, said, planned FROM backups ORDER BY id DESC LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        let records = statement.query_map([limit], record).map_err(database_fault)?;
        records.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The backups that were made by the plan and proven, newest first.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn backups_made_by_plan(&self) -> Result<Vec<BackupRecord>> {
        let sql =
            "SELECT ended_at, file, bytes, code, said, planned FROM backups WHERE planned AND code IS NULL
                   ORDER BY id DESC";
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        let records = statement.query_map([], record).map_err(database_fault)?;
        records.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The newest backup that was made and proven.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn last_proven_backup(&self) -> Result<Option<BackupRecord>> {
        let sql = "SELECT ended_at, file, bytes, code, said, planned FROM backups WHERE code IS NULL
                   ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        statement.query_row([], record).optional().map_err(database_fault)
    }

    /// The name of the key that an operator said is kept elsewhere.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn key_kept(&self) -> Result<Option<String>> {
        let mut statement =
            self.connection.prepare_cached("SELECT key_kept FROM appliance").map_err(database_fault)?;
        statement.query_row([], |row| row.get("key_kept")).map_err(database_fault)
    }

    /// The age recipient to whom the key file is sealed into each backup, if it is.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn key_recipient(&self) -> Result<Option<String>> {
        let mut statement =
            self.connection.prepare_cached("SELECT key_recipient FROM appliance").map_err(database_fault)?;
        statement.query_row([], |row| row.get("key_recipient")).map_err(database_fault)
    }

    /// What operators should be told on each page.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn attention(&self) -> Result<Attention> {
        let sql = "SELECT restore_report IS NOT NULL AS report,
                       key_kept IS NULL AND key_recipient IS NULL
                           AND (mode = 'production' OR EXISTS (SELECT 1 FROM backups)) AS not_kept,
                       coalesce((SELECT code IS NOT NULL FROM backups ORDER BY id DESC LIMIT 1), 0) AS failed
                   FROM appliance";
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        let attention = statement.query_row([], |row| {
            Ok(Attention {
                key_not_kept: row.get("not_kept")?,
                restore_report: row.get("report")?,
                backup_failed: row.get("failed")?,
            })
        });
        attention.map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps a record, and forgets those that are older than the newest 400, but for what the plan made: it deletes by them.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_backup(&self, record: &BackupRecord) -> Result<()> {
        self.connection
            .execute(
                "INSERT INTO backups (ended_at, file, bytes, code, said, planned) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    record.ended_at.0,
                    &record.file,
                    i64::try_from(record.bytes).unwrap_or(i64::MAX),
                    &record.code,
                    &record.said,
                    record.planned,
                ),
            )
            .and_then(|_| {
                let sql = "DELETE FROM backups WHERE id <= (SELECT max(id) FROM backups) - ?1
                               AND NOT (planned AND code IS NULL)";
                self.connection.execute(sql, [KEPT])
            })
            .map_err(database_fault)?;
        Ok(())
    }

    /// Keeps the name of the key that is kept elsewhere.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_key_kept(&self, name: &str) -> Result<()> {
        self.connection.execute("UPDATE appliance SET key_kept = ?1", [name]).map_err(database_fault)?;
        Ok(())
    }

    /// Sets to whom the key file is sealed into each backup; `None` ends that.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_key_recipient(&self, recipient: Option<&str>) -> Result<()> {
        self.connection
            .execute("UPDATE appliance SET key_recipient = ?1", [recipient])
            .map_err(database_fault)?;
        Ok(())
    }
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<BackupRecord> {
    Ok(BackupRecord {
        ended_at: Timestamp(row.get("ended_at")?),
        file: row.get("file")?,
        bytes: u64::try_from(row.get::<_, i64>("bytes")?).unwrap_or_default(),
        code: row.get("code")?,
        said: row.get("said")?,
        planned: row.get("planned")?,
    })
}
