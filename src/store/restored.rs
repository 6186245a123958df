//! What ends when a database is restored from a backup, and what is kept to tell the operators.

use rusqlite::OptionalExtension;

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;

/// Everything that was handed out before ends: a copy of it may have been ended, or used, after the backup was taken.
///
/// - Web sessions, console sessions, links for a password, issued credentials, begun SAML sign-ins and the claim link are
///   deleted.
/// - Tokens carry the mark of a membership and of its group: each group gets another mark.
const END_WHAT_WAS_HANDED_OUT: &str = "
    DELETE FROM web_sessions;
    DELETE FROM console_sessions;
    DELETE FROM password_links;
    DELETE FROM issued_credentials;
    DELETE FROM saml_requests;
    UPDATE groups SET mark = random() & 0x7fffffff;
    UPDATE appliance SET claim_fingerprint = NULL;
";

impl Reader<'_> {
    /// When the database was restored from a backup for the last time.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn restored_at(&self) -> Result<Option<Timestamp>> {
        let mut statement =
            self.connection.prepare_cached("SELECT restored_at FROM appliance").map_err(database_fault)?;
        let at: Option<i64> = statement.query_row([], |row| row.get(0)).map_err(database_fault)?;
        Ok(at.map(Timestamp))
    }

    /// How often a replica of the database was promoted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn epoch(&self) -> Result<i64> {
        self.connection
            .query_row("SELECT epoch FROM appliance", [], |row| row.get("epoch"))
            .map_err(database_fault)
    }

    /// What may have been undone by the last restore, in JSON; `None` when there was none, or an operator has read it.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn restore_report(&self) -> Result<Option<String>> {
        self.connection
            .query_row("SELECT restore_report FROM appliance", [], |row| row.get(0))
            .map_err(database_fault)
    }

    /// A group and the partner user ID of somebody in it who may sign in by a login key, if there is anybody.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn somebody_with_a_login_key(&self) -> Result<Option<(GroupId, String)>> {
        self.connection
            .query_row(
                "SELECT g.id, m.puid FROM groups g JOIN memberships m ON m.group_id = g.id
                 WHERE g.sealed_api_key IS NOT NULL AND g.off_since IS NULL AND g.leaving = 0
                     AND m.puid IS NOT NULL AND m.active = 1 AND m.suspended = 0 LIMIT 1",
                [],
                |row| Ok((GroupId(row.get("id")?), row.get("puid")?)),
            )
            .optional()
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Ends all that was handed out before the restore, notes when that was, and keeps `report` for the operators.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn begin_after_restore(&self, report: &str) -> Result<()> {
        self.connection.execute_batch(END_WHAT_WAS_HANDED_OUT).map_err(database_fault)?;
        self.connection
            .execute("UPDATE appliance SET restored_at = ?1, restore_report = ?2", (self.now.0, report))
            .map_err(database_fault)?;
        Ok(())
    }

    /// Sets the epoch.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_epoch(&self, epoch: i64) -> Result<()> {
        self.connection.execute("UPDATE appliance SET epoch = ?1", [epoch]).map_err(database_fault)?;
        Ok(())
    }

    /// Forgets the report of the last restore: an operator has read it.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn forget_restore_report(&self) -> Result<()> {
        self.connection.execute("UPDATE appliance SET restore_report = NULL", []).map_err(database_fault)?;
        Ok(())
    }
}
