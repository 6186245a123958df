//! What an identity provider wrote of members and roles beyond what the house keeps.

use std::collections::HashMap;

use rusqlite::OptionalExtension;

use super::{Reader, Writer, database_fault};
use crate::error::Result;
use crate::model::{GroupId, RoleId, UserId};

impl Reader<'_> {
    /// The details of those members of a group whose numbers are from `first` to `last`, as JSON.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn scim_details(
        &self,
        group: GroupId,
        first: UserId,
        last: UserId,
    ) -> Result<HashMap<UserId, String>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT user_id, document FROM scim_details
                 WHERE group_id = ?1 AND user_id BETWEEN ?2 AND ?3",
            )
            .map_err(database_fault)?;
        let rows = statement
            .query_map((group.0, first.0, last.0), |row| {
                Ok((UserId(row.get("user_id")?), row.get("document")?))
            })
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The identity provider's own name of a role.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn scim_role_id(&self, role: RoleId) -> Result<Option<String>> {
        self.connection
            .prepare_cached("SELECT external_id FROM scim_role_ids WHERE role_id = ?1")
            .and_then(|mut s| s.query_row([role.0], |row| row.get(0)).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps the details of a member, or forgets them.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_scim_details(&self, group: GroupId, user: UserId, document: Option<&str>) -> Result<()> {
        match document {
            Some(document) => self.execute(
                "INSERT INTO scim_details (group_id, user_id, document) VALUES (?1, ?2, ?3)
                 ON CONFLICT (group_id, user_id) DO UPDATE SET document = excluded.document",
                (group.0, user.0, document),
            ),
            None => self
                .execute("DELETE FROM scim_details WHERE group_id = ?1 AND user_id = ?2", (group.0, user.0)),
        }
    }

    /// Keeps the identity provider's own name of a role, or forgets it.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_scim_role_id(&self, role: RoleId, external_id: Option<&str>) -> Result<()> {
        match external_id {
            Some(id) => self.execute(
                "INSERT INTO scim_role_ids (role_id, external_id) VALUES (?1, ?2)
                 ON CONFLICT (role_id) DO UPDATE SET external_id = excluded.external_id",
                (role.0, id),
            ),
            None => self.execute("DELETE FROM scim_role_ids WHERE role_id = ?1", [role.0]),
        }
    }
}
