//! Web sessions: signed-in browsers, found by the fingerprint of what their cookie `GSSNID` holds.

use rusqlite::{OptionalExtension, Row};

use super::columns::Columns;
use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::{GroupId, Mark, MemberStanding, RoleId, UserId};

/// A web session, and its member as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSessionRow {
    pub group: GroupId,
    pub user: UserId,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
    /// The member's mark when they were judged; with another one the session is void.
    pub mark: Mark,
    pub member: SignInState,
}

/// A member as every use of a token or a web session asks after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInState {
    pub address: String,
    pub puid: Option<String>,
    pub role: Option<RoleId>,
    pub administrator: bool,
    pub standing: MemberStanding,
    pub mark: Mark,
}

/// The columns of a [`SignInState`], for [`member_state`].
const STATE: &str = "u.glance_address, m.puid, m.role_id, m.administrator, m.suspended, m.active,
     m.mark + g.mark AS mark, g.off_since IS NOT NULL AS group_is_off";

impl Reader<'_> {
    /// Finds a web session that has not ended at `now`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn web_session(&self, fingerprint: &[u8], now: Timestamp) -> Result<Option<WebSessionRow>> {
        let sql = format!(
            "SELECT {STATE}, s.group_id, s.user_id, s.created_at, s.used_at, s.expires_at, s.mark AS session_mark
             FROM web_sessions s
             JOIN memberships m ON m.group_id = s.group_id AND m.user_id = s.user_id
             JOIN users u ON u.id = s.user_id
             JOIN groups g ON g.id = s.group_id AND g.leaving = 0
             WHERE s.fingerprint = ?1 AND s.expires_at > ?2"
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row((fingerprint, now.0), web_session_row).optional())
            .map_err(database_fault)
    }

    /// What a user is in a group at this moment; `None` for no member.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn member_state(&self, group: GroupId, user: UserId) -> Result<Option<SignInState>> {
        let sql = format!(
            "SELECT {STATE} FROM memberships m JOIN users u ON u.id = m.user_id JOIN groups g ON g.id = m.group_id AND g.leaving = 0
             WHERE m.group_id = ?1 AND m.user_id = ?2"
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row((group.0, user.0), member_state).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps a new web session of a member who was judged with this mark; `None` when that was in this
    /// transaction. `false`, and nothing is kept, when the user is no member of the group any more.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_web_session(
        &self,
        fingerprint: &[u8],
        group: GroupId,
        user: UserId,
        mark: Option<Mark>,
        expires_at: Timestamp,
    ) -> Result<bool> {
        let kept = self
            .connection
            .prepare_cached(
                "INSERT INTO web_sessions (fingerprint, group_id, user_id, mark, created_at, used_at, expires_at)
                 SELECT ?1, m.group_id, m.user_id, coalesce(?6, m.mark + g.mark), ?4, ?4, ?5
                 FROM memberships m JOIN groups g ON g.id = m.group_id AND g.leaving = 0
                 WHERE m.group_id = ?2 AND m.user_id = ?3",
            )
            .and_then(|mut s| {
                s.execute((fingerprint, group.0, user.0, self.now.0, expires_at.0, mark.map(|mark| mark.0)))
            })
            .map_err(database_fault)?;
        Ok(kept == 1)
    }

    /// Notes that a web session was used and moves its end.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn extend_web_session(&self, fingerprint: &[u8], expires_at: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE web_sessions SET used_at = ?2, expires_at = ?3 WHERE fingerprint = ?1",
            (fingerprint, self.now.0, expires_at.0),
        )
    }

    /// Ends a web session.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_web_session(&self, fingerprint: &[u8]) -> Result<()> {
        self.execute("DELETE FROM web_sessions WHERE fingerprint = ?1", [fingerprint])
    }
}

fn web_session_row(row: &Row<'_>) -> rusqlite::Result<WebSessionRow> {
    let row = Columns::of(row);
    Ok(WebSessionRow {
        member: state_of(&row)?,
        group: GroupId(row.get("group_id")?),
        user: UserId(row.get("user_id")?),
        created_at: Timestamp(row.get("created_at")?),
        used_at: Timestamp(row.get("used_at")?),
        expires_at: Timestamp(row.get("expires_at")?),
        mark: Mark(row.get("session_mark")?),
    })
}

fn member_state(row: &Row<'_>) -> rusqlite::Result<SignInState> {
    state_of(&Columns::of(row))
}

fn state_of(row: &Columns<'_, '_>) -> rusqlite::Result<SignInState> {
    // In the order of the statement.
    let (address, puid) = (row.get("glance_address")?, row.get("puid")?);
    let role = row.get::<Option<i64>>("role_id")?.map(RoleId);
    let (administrator, suspended) = (row.get("administrator")?, row.get("suspended")?);
    let (active, mark) = (row.get("active")?, Mark(row.get("mark")?));
    let standing = MemberStanding { suspended, active, group_is_off: row.get("group_is_off")? };
    Ok(SignInState { address, puid, role, administrator, standing, mark })
}
