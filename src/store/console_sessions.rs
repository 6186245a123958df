//! Console sessions: browsers signed in to the console, found by the fingerprint of what their cookie
//! holds; and what guards an operator's password against guessing.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::{GroupId, MemberStanding, OperatorId, UserId};

/// Who holds a console session, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleHolder {
    Operator {
        id: OperatorId,
        name: String,
    },
    Member {
        user: UserId,
        group: GroupId,
        address: String,
        /// Administrator of the group, active and not suspended.
        may_administer: bool,
    },
}

/// A console session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSessionRow {
    pub holder: ConsoleHolder,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Who a new console session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewConsoleHolder {
    Operator(OperatorId),
    Member { user: UserId, group: GroupId },
}

impl Reader<'_> {
    /// Finds a console session that has not ended at `now`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn console_session(&self, fingerprint: &[u8], now: Timestamp) -> Result<Option<ConsoleSessionRow>> {
        self.connection
            .prepare_cached(
                "SELECT s.created_at, s.used_at, s.expires_at, o.id AS operator_id, o.name AS operator_name, s.user_id, s.group_id,
                     u.glance_address, m.administrator, m.active, m.suspended, g.off_since IS NOT NULL AS group_is_off
                 FROM console_sessions s
                 LEFT JOIN operators o ON o.id = s.operator_id
                 LEFT JOIN users u ON u.id = s.user_id
                 LEFT JOIN memberships m ON m.group_id = s.group_id AND m.user_id = s.user_id
                 LEFT JOIN groups g ON g.id = s.group_id
                 WHERE s.fingerprint = ?1 AND s.expires_at > ?2",
            )
            .and_then(|mut s| s.query_row((fingerprint, now.0), console_session_row).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps a new console session.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_console_session(
        &self,
        fingerprint: &[u8],
        holder: NewConsoleHolder,
        expires_at: Timestamp,
    ) -> Result<()> {
        let (operator, group, user) = match holder {
            NewConsoleHolder::Operator(id) => (Some(id.0), None, None),
            NewConsoleHolder::Member { user, group } => (None, Some(group.0), Some(user.0)),
        };
        self.execute(
            "INSERT INTO console_sessions
                 (fingerprint, operator_id, group_id, user_id, created_at, used_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
            (fingerprint, operator, group, user, self.now.0, expires_at.0),
        )
    }

    /// Notes that a console session was used.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn use_console_session(&self, fingerprint: &[u8]) -> Result<()> {
        self.execute(
            "UPDATE console_sessions SET used_at = ?2 WHERE fingerprint = ?1",
            (fingerprint, self.now.0),
        )
    }

    /// Ends a console session.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_console_session(&self, fingerprint: &[u8]) -> Result<()> {
        self.execute("DELETE FROM console_sessions WHERE fingerprint = ?1", [fingerprint])
    }

    /// Counts an operator's wrong password; from `most` on, the operator is locked until `locked_until`,
    /// and the count begins again.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_operator_failure(&self, id: OperatorId, most: i64, locked_until: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE operators SET
                 locked_until = iif(failures + 1 >= ?2, ?3, locked_until),
                 failures = iif(failures + 1 >= ?2, 0, failures + 1)
             WHERE id = ?1",
            (id.0, most, locked_until.0),
        )
    }

    /// Notes an operator's sign-in: failures are forgotten.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn note_operator_sign_in(&self, id: OperatorId) -> Result<()> {
        self.execute(
            "UPDATE operators SET failures = 0, locked_until = NULL, signed_in_at = ?2 WHERE id = ?1",
            (id.0, self.now.0),
        )
    }
}

/// Whether a member may still run the group; never one who is no member any more.
fn may_administer(row: &Row<'_>) -> rusqlite::Result<bool> {
    let Some(administrator) = row.get::<_, Option<bool>>("administrator")? else { return Ok(false) };
    let (active, suspended) = (row.get("active")?, row.get("suspended")?);
    let standing = MemberStanding { group_is_off: row.get("group_is_off")?, active, suspended };
    Ok(administrator && standing.is_admitted())
}

fn console_session_row(row: &Row<'_>) -> rusqlite::Result<ConsoleSessionRow> {
    let holder = match row.get::<_, Option<i64>>("operator_id")? {
        Some(id) => ConsoleHolder::Operator { id: OperatorId(id), name: row.get("operator_name")? },
        None => ConsoleHolder::Member {
            user: UserId(row.get("user_id")?),
            group: GroupId(row.get("group_id")?),
            address: row.get("glance_address")?,
            may_administer: may_administer(row)?,
        },
    };
    Ok(ConsoleSessionRow {
        holder,
        created_at: Timestamp(row.get("created_at")?),
        used_at: Timestamp(row.get("used_at")?),
        expires_at: Timestamp(row.get("expires_at")?),
    })
}
