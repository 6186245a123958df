//! Groups at their end: switched off and on, deleted, and what must be known before.

use std::collections::HashSet;

use super::imports::visible;
use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;
use crate::model::lists::{Belongings, Count};

/// Rows of the access log that are looked through for who signed in.
const ROWS_MOST: usize = 20_000;

impl Reader<'_> {
    /// What goes with a group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn belongings(&self, group: GroupId) -> Result<Belongings> {
        self.connection
            .prepare_cached(&format!(
                "SELECT (SELECT count(*) FROM memberships m WHERE m.group_id = ?1 AND {visible}),
                        (SELECT count(*) FROM memberships m WHERE m.group_id = ?1 AND {visible} AND NOT EXISTS
                            (SELECT 1 FROM memberships o WHERE o.user_id = m.user_id AND o.group_id <> ?1)),
                        (SELECT count(*) FROM roles WHERE group_id = ?1),
                        (SELECT count(*) FROM scim_tokens WHERE group_id = ?1),
                        (SELECT count(*) FROM sso_keys WHERE group_id = ?1)",
                visible = visible("m.user_id")
            ))
            .and_then(|mut s| {
                s.query_row([group.0], |row| {
                    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    Ok(Belongings {
                        users: count(0)?,
                        only_here: count(1)?,
                        roles: count(2)?,
                        scim_tokens: count(3)?,
                        identity_provider_keys: count(4)?,
                    })
                })
            })
            .map_err(database_fault)
    }

    /// Counts the people who signed in to a group since an instant, as the access log says: by anything, or by
    /// what `operation` names. Looks at the newest rows only; where they do not reach back so far, there are more.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn people_signed_in(
        &self,
        group: GroupId,
        operation: Option<&str>,
        since: Timestamp,
    ) -> Result<Count> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT at, operation, subject, refused FROM access_log WHERE group_id = ?1 ORDER BY id DESC",
            )
            .map_err(database_fault)?;
        let mut rows = statement.query([group.0]).map_err(database_fault)?;
        let (mut people, mut looked_at) = (HashSet::new(), 0);
        while let Some(row) = rows.next().map_err(database_fault)? {
            if row.get::<_, i64>(0).map_err(database_fault)? < since.0 {
                break;
            }
            looked_at += 1;
            if looked_at > ROWS_MOST {
                return Ok(Count::MoreThan(people.len().try_into().unwrap_or(u64::MAX)));
            }
            let done: String = row.get(1).map_err(database_fault)?;
            let fits = operation.map_or(done.starts_with("sign-in."), |wanted| done == wanted);
            if fits && !row.get::<_, bool>(3).map_err(database_fault)? {
                people.insert(row.get::<_, String>(2).map_err(database_fault)?);
            }
        }
        Ok(Count::Exactly(people.len().try_into().unwrap_or(u64::MAX)))
    }

    /// Whether a group with this number was deleted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn is_retired_group(&self, id: GroupId) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM retired_groups WHERE id = ?1)")
            .and_then(|mut s| s.query_row([id.0], |row| row.get(0)))
            .map_err(database_fault)
    }

    /// Whether a group with this Unique Account ID was deleted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn is_retired_account(&self, account_id: &str) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM retired_groups WHERE account_id = ?1)")
            .and_then(|mut s| s.query_row([account_id], |row| row.get(0)))
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Switches a group off, which ends its tokens, web sessions and console sessions.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn switch_group_off(&self, group: GroupId) -> Result<()> {
        // Above all marks of memberships: no sum comes twice.
        self.execute(
            "UPDATE groups SET off_since = ?2, mark = mark + 0x100000000 WHERE id = ?1",
            (group.0, self.now.0),
        )?;
        self.execute("DELETE FROM console_sessions WHERE group_id = ?1", [group.0])
    }

    /// Switches a group on again.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn switch_group_on(&self, group: GroupId) -> Result<()> {
        self.execute("UPDATE groups SET off_since = NULL WHERE id = ?1", [group.0])
    }

    /// Moves home whoever is a member elsewhere, too: to the oldest such group. Then nobody is at home in this
    /// group but those who are members of no other.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn move_members_home(&self, group: GroupId) -> Result<()> {
        self.execute(
            "UPDATE users SET updated_at = ?2, home_group_id =
                 (SELECT m.group_id FROM memberships m JOIN groups g ON g.id = m.group_id
                  WHERE m.user_id = users.id AND m.group_id <> ?1 ORDER BY g.created_at, g.id LIMIT 1)
             WHERE home_group_id = ?1 AND id IN (SELECT user_id FROM memberships WHERE group_id = ?1)
               AND EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id AND m.group_id <> ?1)",
            (group.0, self.now.0),
        )
    }

    /// Deletes a group with all that is its own, and the people who are members of no other group. Its number and
    /// Unique Account ID are retired. [`Writer::move_members_home`] comes first.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_group(&self, group: GroupId) -> Result<()> {
        self.execute(
            "INSERT INTO retired_groups (id, account_id, deleted_at)
             SELECT id, account_id, ?2 FROM groups WHERE id = ?1",
            (group.0, self.now.0),
        )?;
        self.execute("DELETE FROM users WHERE home_group_id = ?1", [group.0])?;
        self.execute("DELETE FROM memberships WHERE group_id = ?1", [group.0])?;
        self.execute("DELETE FROM groups WHERE id = ?1", [group.0])
    }
}
