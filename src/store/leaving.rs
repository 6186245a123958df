//! Groups that were deleted: hidden by one row at once, and taken away in portions.
//!
//! - [`Writer::let_group_leave`] marks the group's row. From then on each look-up of groups, members and users leaves
//!   out what only belonged to it ([`standing`], [`still_there`]), and a person of other groups is at home in the
//!   oldest of them ([`HOME`]).
//! - [`Writer::sweep_group`] takes away some of what is left, until the group's row goes, too. It goes on after a kill:
//!   [`Reader::leaving_groups`].

use rusqlite::OptionalExtension;

use super::{Reader, Writer, database_fault};
use crate::error::Result;
use crate::model::GroupId;

/// What goes with the mark: few rows of each, and all that lets somebody in.
const AT_ONCE: [&str; 9] = [
    "DELETE FROM console_sessions WHERE group_id = ?1",
    "DELETE FROM scim_tokens WHERE group_id = ?1",
    "DELETE FROM sso_configurations WHERE group_id = ?1",
    "DELETE FROM sso_keys WHERE group_id = ?1",
    "DELETE FROM sso_removed_keys WHERE group_id = ?1",
    "DELETE FROM sp_keys WHERE group_id = ?1",
    "DELETE FROM saml_attempts WHERE group_id = ?1",
    "DELETE FROM group_settings WHERE group_id = ?1",
    "DELETE FROM password_policies WHERE group_id = ?1",
];

/// The condition that the group with the number `group` is not one that leaves.
pub(super) fn standing(group: &str) -> String {
    format!("NOT EXISTS (SELECT 1 FROM groups gone WHERE gone.id = {group} AND gone.leaving = 1)")
}

/// The home group of the user `u`: the oldest of the groups that stay, where the home leaves.
pub(super) const HOME: &str = "iif(NOT EXISTS (SELECT 1 FROM groups WHERE leaving = 1)
         OR (SELECT leaving FROM groups WHERE id = u.home_group_id) = 0, u.home_group_id,
     (SELECT o.group_id FROM memberships o JOIN groups g ON g.id = o.group_id
      WHERE o.user_id = u.id AND g.leaving = 0 ORDER BY g.created_at, g.id LIMIT 1))";

/// The condition that the user `u` does not leave with a group: is at home in one that stays, or a member of one.
pub(super) const STILL_THERE: &str = "(NOT EXISTS (SELECT 1 FROM groups WHERE leaving = 1)
     OR (SELECT leaving FROM groups WHERE id = u.home_group_id) = 0
     OR EXISTS (SELECT 1 FROM memberships o JOIN groups g ON g.id = o.group_id
                WHERE o.user_id = u.id AND g.leaving = 0))";

impl Reader<'_> {
    /// The groups of which something is left to be taken away.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn leaving_groups(&self) -> Result<Vec<GroupId>> {
        let sql = "SELECT id FROM groups WHERE leaving = 1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        let rows = statement.query_map([], |row| row.get(0).map(GroupId)).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Deletes a group for the one who looks: with all that is its own, and the people who are members of no other group.
    /// Its number and Unique Account ID are retired, its name is free. What is left of it is hidden until
    /// [`Writer::sweep_group`] has taken it away. Takes as long for a large group as for a small one.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn let_group_leave(&self, group: GroupId) -> Result<()> {
        self.execute(
            "INSERT INTO retired_groups (id, account_id, deleted_at)
             SELECT id, account_id, ?2 FROM groups WHERE id = ?1",
            (group.0, self.now.0),
        )?;
        // The mark is above all those of memberships: no sum comes twice. No group that stays can have such a name.
        self.execute(
            "UPDATE groups SET leaving = 1, name = char(31) || id, account_id = NULL, sealed_api_key = NULL,
                 sealed_previous_api_key = NULL, off_since = ?2, mark = mark + 0x100000000
             WHERE id = ?1",
            (group.0, self.now.0),
        )?;
        AT_ONCE.iter().try_for_each(|delete| self.execute(delete, [group.0]))
    }

    /// Takes away at most `most` people or memberships of a group that leaves; `false` when nothing is left of it.
    /// People who are members of other groups move home to the oldest of these; all others are deleted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sweep_group(&self, group: GroupId, most: u32) -> Result<bool> {
        let number = |sql: &str, bound: u32| -> Result<Option<i64>> {
            let found = self.connection.prepare_cached(sql).and_then(|mut s| {
                s.query_row((group.0, bound), |row| row.get::<_, Option<i64>>(0)).optional()
            });
            found.map(Option::flatten).map_err(database_fault)
        };
        let at_home = "SELECT max(id) FROM
            (SELECT id FROM users WHERE home_group_id = ?1 ORDER BY id LIMIT ?2)";
        if let Some(last) = number(at_home, most)? {
            self.execute(
                &format!(
                    "UPDATE users AS u SET updated_at = ?3, home_group_id = {HOME}
                     WHERE home_group_id = ?1 AND id <= ?2 AND {STILL_THERE}"
                ),
                (group.0, last, self.now.0),
            )?;
            self.execute("DELETE FROM users WHERE home_group_id = ?1 AND id <= ?2", (group.0, last))?;
            return Ok(true);
        }
        let members = "SELECT max(user_id) FROM
            (SELECT user_id FROM memberships WHERE group_id = ?1 ORDER BY user_id LIMIT ?2)";
        if let Some(last) = number(members, most)? {
            self.execute("DELETE FROM memberships WHERE group_id = ?1 AND user_id <= ?2", (group.0, last))?;
            return Ok(true);
        }
        // One at a time: for each, SQLite looks through all memberships for one that has it.
        if let Some(role) = number("SELECT id FROM roles WHERE group_id = ?1 LIMIT ?2", 1)? {
            self.execute("DELETE FROM roles WHERE id = ?1", [role])?;
            return Ok(true);
        }
        self.execute("DELETE FROM groups WHERE id = ?1 AND leaving = 1", [group.0])?;
        Ok(false)
    }

    /// Deletes the user who has this Glance Address and leaves with a group, so that it can be given again at once;
    /// `false` when there is none.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub(super) fn take_from_who_leaves(&self, address: &str) -> Result<bool> {
        let deleted = self
            .connection
            .prepare_cached(&format!(
                "DELETE FROM users AS u WHERE glance_address = ?1 AND NOT {STILL_THERE}"
            ))
            .and_then(|mut s| s.execute([address]))
            .map_err(database_fault)?;
        Ok(deleted > 0)
    }
}
