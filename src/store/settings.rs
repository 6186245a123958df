//! Settings of groups and roles: boolean, by name; and a group's password policy. Wire contract §9.
//!
//! A role's setting is kept as it was set, and counts only while the group's is on. So a group's "off"
//! forces it off in every role and "on" brings back what each role had; a setting that is new to the group
//! has no row in any role, which means off.

use rusqlite::OptionalExtension;

use super::{Reader, Writer, database_fault};
use crate::error::Result;
use crate::model::{GroupId, RoleId, Settings};

/// The row of a group's password policy; what it means is the desk's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicyRow {
    pub rule: String,
    pub reset_message: String,
    pub reset_requires_new: bool,
    pub reset_may_create: bool,
    pub scim_sets_administrators: bool,
}

impl Reader<'_> {
    /// The settings of a group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn group_settings(&self, group: GroupId) -> Result<Settings> {
        self.settings("SELECT name, enabled FROM group_settings WHERE group_id = ?1", [group.0])
    }

    /// The settings of a role as they were set, whether or not the group's allow them now.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn role_settings(&self, role: RoleId) -> Result<Settings> {
        self.settings("SELECT name, enabled FROM role_settings WHERE role_id = ?1", [role.0])
    }

    /// The settings in force for members with this role, or with none: every setting of the group, on only
    /// where the group and the role have it on. Without a role, the group's.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn effective_settings(&self, group: GroupId, role: Option<RoleId>) -> Result<Settings> {
        self.settings(
            "SELECT g.name, g.enabled AND (?2 IS NULL OR coalesce(r.enabled, 0)) AS enabled
             FROM group_settings g LEFT JOIN role_settings r ON r.role_id = ?2 AND r.name = g.name
             WHERE g.group_id = ?1",
            (group.0, role.map(|r| r.0)),
        )
    }

    /// One setting in force for members with this role, or with none; `None` when the group has no setting
    /// of this name.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn effective_setting(
        &self,
        group: GroupId,
        role: Option<RoleId>,
        name: &str,
    ) -> Result<Option<bool>> {
        self.connection
            .prepare_cached(
                "SELECT g.enabled AND (?2 IS NULL OR coalesce(r.enabled, 0))
                 FROM group_settings g LEFT JOIN role_settings r ON r.role_id = ?2 AND r.name = g.name
                 WHERE g.group_id = ?1 AND g.name = ?3",
            )
            .and_then(|mut s| s.query_row((group.0, role.map(|r| r.0), name), |row| row.get(0)).optional())
            .map_err(database_fault)
    }

    /// A group's password policy; `None` for the default.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn password_policy(&self, group: GroupId) -> Result<Option<PasswordPolicyRow>> {
        self.connection
            .prepare_cached(
                "SELECT rule, reset_message, reset_requires_new, reset_may_create, scim_sets_administrators
                 FROM password_policies WHERE group_id = ?1",
            )
            .and_then(|mut s| {
                s.query_row([group.0], |row| {
                    Ok(PasswordPolicyRow {
                        rule: row.get("rule")?,
                        reset_message: row.get("reset_message")?,
                        reset_requires_new: row.get("reset_requires_new")?,
                        reset_may_create: row.get("reset_may_create")?,
                        scim_sets_administrators: row.get("scim_sets_administrators")?,
                    })
                })
                .optional()
            })
            .map_err(database_fault)
    }

    fn settings(&self, sql: &str, values: impl rusqlite::Params) -> Result<Settings> {
        let mut statement = self.connection.prepare_cached(sql).map_err(database_fault)?;
        let rows = statement
            .query_map(values, |row| Ok((row.get::<_, String>("name")?, row.get::<_, bool>("enabled")?)))
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Sets one setting of a group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_group_setting(&self, group: GroupId, name: &str, enabled: bool) -> Result<()> {
        self.execute(
            "INSERT INTO group_settings (group_id, name, enabled) VALUES (?1, ?2, ?3)
             ON CONFLICT (group_id, name) DO UPDATE SET enabled = excluded.enabled",
            (group.0, name, enabled),
        )
    }

    /// Takes a setting away from a group and from its roles.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_group_setting(&self, group: GroupId, name: &str) -> Result<()> {
        self.execute(
            "DELETE FROM role_settings
             WHERE name = ?2 AND role_id IN (SELECT id FROM roles WHERE group_id = ?1)",
            (group.0, name),
        )?;
        self.execute("DELETE FROM group_settings WHERE group_id = ?1 AND name = ?2", (group.0, name))
    }

    /// Sets one setting of a role.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_role_setting(&self, role: RoleId, name: &str, enabled: bool) -> Result<()> {
        self.execute(
            "INSERT INTO role_settings (role_id, name, enabled) VALUES (?1, ?2, ?3)
             ON CONFLICT (role_id, name) DO UPDATE SET enabled = excluded.enabled",
            (role.0, name, enabled),
        )
    }

    /// Keeps a group's password policy.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_password_policy(&self, group: GroupId, policy: &PasswordPolicyRow) -> Result<()> {
        self.execute(
            "INSERT INTO password_policies
                 (group_id, rule, reset_message, reset_requires_new, reset_may_create,
                  scim_sets_administrators)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (group_id) DO UPDATE SET rule = excluded.rule,
                 reset_message = excluded.reset_message,
                 reset_requires_new = excluded.reset_requires_new,
                 reset_may_create = excluded.reset_may_create,
                 scim_sets_administrators = excluded.scim_sets_administrators",
            (
                group.0,
                &policy.rule,
                &policy.reset_message,
                policy.reset_requires_new,
                policy.reset_may_create,
                policy.scim_sets_administrators,
            ),
        )
    }
}
