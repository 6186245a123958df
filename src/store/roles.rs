//! Roles: named sets of settings in a group.

use rusqlite::{OptionalExtension, Row};

use super::imports::visible_member;
use super::leaving::standing;
use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{GroupId, Role, RoleId};

/// How many members have a role; `role` is `None` for those without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleUse {
    pub role: Option<RoleId>,
    pub active: u64,
    /// Members of before, deprovisioned. Wire contract §4.6.
    pub inactive: u64,
}

const COLUMNS: &str = "id, group_id, name, description, created_at, updated_at";

impl Reader<'_> {
    /// Finds a role of a group by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn role(&self, group: GroupId, id: RoleId) -> Result<Option<Role>> {
        let sql =
            format!("SELECT {COLUMNS} FROM roles WHERE id = ?2 AND group_id = ?1 AND {}", standing("?1"));
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row((group.0, id.0), role_row).optional())
            .map_err(database_fault)
    }

    /// Finds a role of a group by name, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn role_by_name(&self, group: GroupId, name: &str) -> Result<Option<Role>> {
        let sql =
            format!("SELECT {COLUMNS} FROM roles WHERE group_id = ?1 AND name = ?2 AND {}", standing("?1"));
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row((group.0, name), role_row).optional())
            .map_err(database_fault)
    }

    /// Lists the roles of a group by name.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn roles(&self, group: GroupId) -> Result<Vec<Role>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM roles WHERE group_id = ?1 AND {} ORDER BY name, id",
            standing("?1")
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map([group.0], role_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// Counts the members of each role that has any, and those without a role.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn role_use(&self, group: GroupId) -> Result<Vec<RoleUse>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT role_id, sum(active) AS active, sum(1 - active) AS inactive FROM memberships
                 WHERE group_id = ?1 AND {} GROUP BY role_id ORDER BY role_id",
                visible_member("?1", "user_id")
            ))
            .map_err(database_fault)?;
        let rows = statement
            .query_map([group.0], |row| {
                Ok(RoleUse {
                    role: row.get::<_, Option<i64>>("role_id")?.map(RoleId),
                    active: row.get::<_, i64>("active")?.unsigned_abs(),
                    inactive: row.get::<_, i64>("inactive")?.unsigned_abs(),
                })
            })
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// Counts the roles of a group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_roles(&self, group: GroupId) -> Result<u64> {
        let count: i64 = self
            .connection
            .prepare_cached(&format!("SELECT count(*) FROM roles WHERE group_id = ?1 AND {}", standing("?1")))
            .and_then(|mut s| s.query_row([group.0], |row| row.get(0)))
            .map_err(database_fault)?;
        Ok(count.unsigned_abs())
    }

    /// Counts the members of one role, also those to whom an import is giving it.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn count_role_members(&self, group: GroupId, id: RoleId) -> Result<u64> {
        let count: i64 = self
            .connection
            .prepare_cached(
                "SELECT (SELECT count(*) FROM memberships WHERE group_id = ?1 AND role_id = ?2)
                      + (SELECT count(*) FROM import_changes WHERE group_id = ?1 AND role_id = ?2 AND sets_role = 1
                             AND import_id IN (SELECT id FROM unfinished_imports))",
            )
            .and_then(|mut s| s.query_row((group.0, id.0), |row| row.get(0)))
            .map_err(database_fault)?;
        Ok(count.unsigned_abs())
    }
}

impl Writer<'_> {
    /// Makes a role, whose number was never used before.
    ///
    /// # Errors
    /// `Conflict` with code `role_exists` when the group has a role of this name, in any case.
    pub fn insert_role(&self, group: GroupId, name: &str, description: &str) -> Result<RoleId> {
        self.connection
            .prepare_cached(
                "INSERT INTO roles (group_id, name, description, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?4)",
            )
            .and_then(|mut s| s.insert((group.0, name, description, self.now.0)))
            .map(RoleId)
            .map_err(duplicate_role)
    }

    /// Keeps a role's name and description.
    ///
    /// # Errors
    /// `Conflict` with code `role_exists` when another role of the group has this name.
    pub fn update_role(&self, id: RoleId, name: &str, description: &str) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE roles SET name = ?2, description = ?3, updated_at = ?4 WHERE id = ?1")
            .and_then(|mut s| s.execute((id.0, name, description, self.now.0)))
            .map_err(duplicate_role)?;
        Ok(())
    }

    /// Deletes a role that no member has.
    ///
    /// # Errors
    /// `Fault` when a member has it, or when the database fails.
    pub fn delete_role(&self, id: RoleId) -> Result<()> {
        self.execute("DELETE FROM roles WHERE id = ?1", [id.0])
    }
}

fn role_row(row: &Row<'_>) -> rusqlite::Result<Role> {
    Ok(Role {
        id: RoleId(row.get("id")?),
        group: GroupId(row.get("group_id")?),
        name: row.get("name")?,
        description: row.get("description")?,
        created_at: Timestamp(row.get("created_at")?),
        updated_at: Timestamp(row.get("updated_at")?),
    })
}

fn duplicate_role(error: rusqlite::Error) -> Error {
    if is_duplicate(&error) {
        let public = "The group has a role of this name already.";
        return Error::new(Kind::Conflict, "role_exists", public).with_field("name");
    }
    database_fault(error)
}
