//! What a sign-in asks: one joined look-up by Group ID and PUID, and its colder sisters by Glance Address.
//!
//! The look-up by PUID stands in the path of every login key. It is one prepared statement over three
//! indexes, and lends the row to its caller instead of copying it.

use std::sync::LazyLock;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row};

use super::imports::{visible, visible_member};
use super::{Reader, Store, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::model::{GroupId, Mark, MemberStanding, RoleId, UserId};

/// A group as a login key meets it, and its member with that PUID.
pub struct KeyRow<'r> {
    /// `None` for a group without an API key.
    pub sealed_api_key: Option<&'r [u8]>,
    /// `None` when no user of the group has the PUID.
    pub member: Option<MemberRow<'r>>,
}

/// A member as a sign-in meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRow<'r> {
    pub user: UserId,
    pub address: &'r str,
    pub role: Option<RoleId>,
    pub administrator: bool,
    pub standing: MemberStanding,
    pub mark: Mark,
}

/// The columns of [`BY_PUID`], by their place: looking for a name in each row would cost the path of every login key more
/// than reading the value.
mod column {
    pub const SEALED_API_KEY: usize = 0;
    pub const USER: usize = 1;
    pub const ADDRESS: usize = 2;
    pub const ROLE: usize = 3;
    pub const ADMINISTRATOR: usize = 4;
    pub const SUSPENDED: usize = 5;
    pub const ACTIVE: usize = 6;
    pub const MARK: usize = 7;
    pub const GROUP_IS_OFF: usize = 8;
}

static BY_PUID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT g.sealed_api_key, m.user_id, u.glance_address, m.role_id, m.administrator,
             m.suspended, m.active, m.mark + g.mark, g.off_since IS NOT NULL
         FROM groups g
         LEFT JOIN memberships m INDEXED BY memberships_for_sign_in
             ON m.group_id = g.id AND m.puid = ?2 AND {}
         LEFT JOIN users u ON u.id = m.user_id
         WHERE g.id = ?1 AND g.leaving = 0",
        visible("m.user_id")
    )
});

impl Store {
    /// Looks a login key's Group ID and PUID up and lends what was found to `judge`: `None` when there is
    /// no such group.
    ///
    /// # Errors
    /// What `judge` returns; `Fault` when the database fails.
    pub fn sign_in_by_puid<T>(
        &self,
        group: GroupId,
        puid: &str,
        judge: impl FnOnce(Option<KeyRow<'_>>) -> Result<T>,
    ) -> Result<T> {
        self.read(|reader| reader.sign_in_by_puid(group, puid, judge))
    }
}

impl Reader<'_> {
    /// As [`Store::sign_in_by_puid`], on a connection that is lent already.
    ///
    /// # Errors
    /// What `judge` returns; `Fault` when the database fails.
    pub fn sign_in_by_puid<T>(
        &self,
        group: GroupId,
        puid: &str,
        judge: impl FnOnce(Option<KeyRow<'_>>) -> Result<T>,
    ) -> Result<T> {
        let mut statement = self.connection.prepare_cached(&BY_PUID).map_err(database_fault)?;
        let mut rows = statement.query((group.0, puid)).map_err(database_fault)?;
        match rows.next().map_err(database_fault)? {
            Some(row) => judge(Some(key_row(row)?)),
            None => judge(None),
        }
    }

    /// Lists the PUIDs of a group that equal this one in another case, at most `limit`: only to explain a
    /// refusal.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn similar_puids(&self, group: GroupId, puid: &str, limit: u32) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached(
                &format!(
                    "SELECT puid FROM memberships
                     WHERE group_id = ?1 AND puid = ?2 COLLATE NOCASE AND puid <> ?2 AND puid IS NOT NULL AND {}
                     LIMIT ?3",
                    visible_member("?1", "user_id")
                ),
            )
            .map_err(database_fault)?;
        let rows = statement.query_map((group.0, puid, limit), |row| row.get(0)).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Counts a wrong password; from `most` on, the user is locked until `locked_until`. Failures before
    /// `forget_before` no longer count, nor those of a later time than now: the clock was ahead.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_failure(
        &self,
        user: UserId,
        most: i64,
        forget_before: Timestamp,
        locked_until: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE users SET
                 failures = iif(failed_at BETWEEN ?3 AND ?5, failures, 0) + 1,
                 locked_until = iif(iif(failed_at BETWEEN ?3 AND ?5, failures, 0) + 1 >= ?2, ?4, locked_until),
                 failed_at = ?5
             WHERE id = ?1",
            (user.0, most, forget_before.0, locked_until.0, self.now.0),
        )
    }

    /// Notes a sign-in by password: failures are forgotten.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn note_sign_in(&self, user: UserId) -> Result<()> {
        self.execute(
            "UPDATE users SET failures = 0, locked_until = NULL, signed_in_at = ?2 WHERE id = ?1",
            (user.0, self.now.0),
        )
    }

    /// Writes down that an account is let in again.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn note_let_in(&self, account: &str) -> Result<()> {
        self.execute("INSERT INTO let_in (account, at) VALUES (?1, ?2)", (account, self.now.0))
    }

    /// Notes a sign-in by other means.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn note_presence(&self, user: UserId) -> Result<()> {
        self.execute("UPDATE users SET signed_in_at = ?2 WHERE id = ?1", (user.0, self.now.0))
    }

    /// Puts the fingerprint of credentials that ValidateUser issued in force, in place of those before.
    /// Wire contract §6.6.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn replace_issued_credentials(
        &self,
        user: UserId,
        fingerprint: &[u8],
        until: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO issued_credentials (user_id, fingerprint, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_id) DO UPDATE SET fingerprint = excluded.fingerprint,
                 created_at = excluded.created_at, expires_at = excluded.expires_at",
            (user.0, fingerprint, self.now.0, until.0),
        )
    }
}

impl Reader<'_> {
    /// The accounts that were let in after the one with this number, with their numbers.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn let_in_after(&self, id: i64) -> Result<Vec<(i64, String)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, account FROM let_in WHERE id > ?1 ORDER BY id")
            .map_err(database_fault)?;
        let rows = statement.query_map([id], |row| Ok((row.get("id")?, row.get("account")?)));
        rows.and_then(Iterator::collect).map_err(database_fault)
    }

    /// The fingerprint of the credentials issued to a user, when they are valid at `now`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn issued_credentials(&self, user: UserId, now: Timestamp) -> Result<Option<Vec<u8>>> {
        self.connection
            .prepare_cached(
                "SELECT fingerprint FROM issued_credentials WHERE user_id = ?1 AND expires_at > ?2",
            )
            .and_then(|mut s| s.query_row((user.0, now.0), |row| row.get(0)).optional())
            .map_err(database_fault)
    }
}

fn key_row<'r>(row: &'r Row<'_>) -> Result<KeyRow<'r>> {
    let sealed_api_key = row.get_ref(column::SEALED_API_KEY).map_err(database_fault)?;
    let member = match row.get_ref(column::USER).map_err(database_fault)? {
        ValueRef::Integer(user) => Some(member_row(row, UserId(user)).map_err(database_fault)?),
        _ => None,
    };
    Ok(KeyRow { sealed_api_key: sealed_api_key.as_blob_or_null().map_err(unexpected)?, member })
}

fn member_row<'r>(row: &'r Row<'_>, user: UserId) -> rusqlite::Result<MemberRow<'r>> {
    Ok(MemberRow {
        user,
        address: row.get_ref(column::ADDRESS)?.as_str()?,
        role: row.get_ref(column::ROLE)?.as_i64_or_null()?.map(RoleId),
        administrator: row.get(column::ADMINISTRATOR)?,
        standing: MemberStanding {
            suspended: row.get(column::SUSPENDED)?,
            active: row.get(column::ACTIVE)?,
            group_is_off: row.get(column::GROUP_IS_OFF)?,
        },
        mark: Mark(row.get(column::MARK)?),
    })
}

fn unexpected(error: rusqlite::types::FromSqlError) -> Error {
    database_fault(error.into())
}
