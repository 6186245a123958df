//! Groups: number, name, and the sealed API key.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{Group, GroupId};

/// A group to be made.
#[derive(Debug, Clone)]
pub struct NewGroup {
    pub id: GroupId,
    pub name: String,
    pub account_id: Option<String>,
}

/// The sealed API key in force, and the one before it.
pub type SealedApiKeys = (Option<Vec<u8>>, Option<Vec<u8>>);

pub(super) const COLUMNS: &str = "id, name, account_id, sealed_api_key IS NOT NULL AS has_api_key, api_key_changed_at, created_at, off_since, allowed_sites";

impl Reader<'_> {
    /// Finds a group by its number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn group(&self, id: GroupId) -> Result<Option<Group>> {
        let sql = select_group("id = ?1");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id.0], group_row).optional())
            .map_err(database_fault)
    }

    /// Lists all groups by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn groups(&self) -> Result<Vec<Group>> {
        let sql = select_group("1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map([], group_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The sites that a group lets frame our pages: origins. None where there is no such group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn allowed_sites(&self, id: GroupId) -> Result<Vec<String>> {
        self.connection
            .prepare_cached("SELECT allowed_sites FROM groups WHERE id = ?1 AND leaving = 0")
            .and_then(|mut s| s.query_row([id.0], |row| row.get::<_, String>(0)).optional())
            .map(|found| sites(&found.unwrap_or_default()))
            .map_err(database_fault)
    }

    /// The sealed API key in force and the one before it.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sealed_api_keys(&self, id: GroupId) -> Result<SealedApiKeys> {
        let found = self
            .connection
            .prepare_cached("SELECT sealed_api_key, sealed_previous_api_key FROM groups WHERE id = ?1")
            .and_then(|mut s| {
                s.query_row([id.0], |row| {
                    Ok((row.get("sealed_api_key")?, row.get("sealed_previous_api_key")?))
                })
                .optional()
            })
            .map_err(database_fault)?;
        Ok(found.unwrap_or_default())
    }

    /// A few sealed API keys and their groups, to try the master key on.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn some_sealed_api_keys(&self) -> Result<Vec<(GroupId, Vec<u8>)>> {
        const SOME: &str =
            "SELECT id, sealed_api_key FROM groups WHERE sealed_api_key IS NOT NULL ORDER BY id LIMIT 8";
        self.connection
            .prepare(SOME)
            .and_then(|mut s| {
                s.query_map([], |row| Ok((GroupId(row.get("id")?), row.get("sealed_api_key")?)))?.collect()
            })
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Makes a group.
    ///
    /// # Errors
    /// `Conflict` with code `group_exists` when the number, name or account ID is taken.
    pub fn insert_group(&self, group: &NewGroup) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO groups (id, name, account_id, created_at) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut s| s.execute((group.id.0, &group.name, &group.account_id, self.now.0)))
            .map_err(duplicate_group)?;
        Ok(())
    }

    /// Changes a group's name and account ID; false when there is no such group.
    ///
    /// # Errors
    /// `Conflict` with code `group_exists` when the name or account ID is taken.
    pub fn update_group(&self, group: &NewGroup) -> Result<bool> {
        let changed = self
            .connection
            .prepare_cached("UPDATE groups SET name = ?2, account_id = ?3 WHERE id = ?1")
            .and_then(|mut s| s.execute((group.id.0, &group.name, &group.account_id)))
            .map_err(duplicate_group)?;
        Ok(changed == 1)
    }

    /// Keeps the sites that a group lets frame our pages: origins.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn set_allowed_sites(&self, id: GroupId, sites: &[String]) -> Result<()> {
        self.execute("UPDATE groups SET allowed_sites = ?2 WHERE id = ?1", (id.0, sites.join("\n")))
    }

    /// Puts a sealed API key in force, and keeps the one before it, sealed for its own place; false when
    /// there is no such group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn replace_api_key(&self, id: GroupId, sealed: &[u8], previous: Option<&[u8]>) -> Result<bool> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE groups SET sealed_previous_api_key = ?3, sealed_api_key = ?2,
                     api_key_changed_at = ?4 WHERE id = ?1",
            )
            .and_then(|mut s| s.execute((id.0, sealed, previous, self.now.0)))
            .map_err(database_fault)?;
        Ok(changed == 1)
    }
}

fn select_group(condition: &str) -> String {
    format!("SELECT {COLUMNS} FROM groups WHERE leaving = 0 AND {condition}")
}

pub(super) fn group_row(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        id: GroupId(row.get("id")?),
        name: row.get("name")?,
        account_id: row.get("account_id")?,
        has_api_key: row.get("has_api_key")?,
        api_key_changed_at: row.get::<_, Option<i64>>("api_key_changed_at")?.map(Timestamp),
        created_at: Timestamp(row.get("created_at")?),
        off_since: row.get::<_, Option<i64>>("off_since")?.map(Timestamp),
        allowed_sites: sites(&row.get::<_, String>("allowed_sites")?),
    })
}

fn sites(lines: &str) -> Vec<String> {
    lines.lines().map(str::to_owned).collect()
}

fn duplicate_group(error: rusqlite::Error) -> Error {
    if is_duplicate(&error) {
        let public = "A group with this number, name or Unique Account ID exists already.";
        return Error::new(Kind::Conflict, "group_exists", public);
    }
    database_fault(error)
}
