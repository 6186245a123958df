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
                "SELECT (SELECT count(*) FROM memberships m WHERE m.group_id = ?1 AND {visible}) AS users,
                        (SELECT count(*) FROM memberships m WHERE m.group_id = ?1 AND {visible} AND NOT EXISTS
                            (SELECT 1 FROM memberships o JOIN groups g ON g.id = o.group_id AND g.leaving = 0
                             WHERE o.user_id = m.user_id AND o.group_id <> ?1)) AS only_here,
                        (SELECT count(*) FROM roles WHERE group_id = ?1) AS roles,
                        (SELECT count(*) FROM scim_tokens WHERE group_id = ?1) AS scim_tokens,
                        (SELECT count(*) FROM sso_keys WHERE group_id = ?1) AS identity_provider_keys",
                visible = visible("m.user_id")
            ))
            .and_then(|mut s| {
                s.query_row([group.0], |row| {
                    let count = |column: &str| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    Ok(Belongings {
                        users: count("users")?,
                        only_here: count("only_here")?,
                        roles: count("roles")?,
                        scim_tokens: count("scim_tokens")?,
                        identity_provider_keys: count("identity_provider_keys")?,
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
            if row.get::<_, i64>("at").map_err(database_fault)? < since.0 {
                break;
            }
            looked_at += 1;
            if looked_at > ROWS_MOST {
                return Ok(Count::MoreThan(people.len().try_into().unwrap_or(u64::MAX)));
            }
            let done: String = row.get("operation").map_err(database_fault)?;
            let fits = operation.map_or(done.starts_with("sign-in."), |wanted| done == wanted);
            if fits && !row.get::<_, bool>("refused").map_err(database_fault)? {
                people.insert(row.get::<_, String>("subject").map_err(database_fault)?);
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
}
