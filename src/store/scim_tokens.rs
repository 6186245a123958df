//! SCIM tokens: what a group's identity provider proves itself with, found by fingerprint.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;

/// A token to be kept.
#[derive(Debug, Clone)]
pub struct NewScimToken {
    pub group: GroupId,
    pub fingerprint: [u8; 32],
    /// What people call it: the name of the identity provider.
    pub label: String,
    /// Who made it, as in the access log.
    pub made_by: String,
}

/// A token that is kept; the token itself is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimTokenRow {
    pub id: i64,
    pub group: GroupId,
    pub label: String,
    pub made_by: String,
    pub created_at: Timestamp,
    /// When it was last used, to a few minutes; `None` when never.
    pub used_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, group_id, label, made_by, created_at, used_at";

impl Reader<'_> {
    /// Finds a token by its fingerprint.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn scim_token(&self, fingerprint: &[u8]) -> Result<Option<ScimTokenRow>> {
        let sql = format!("SELECT {COLUMNS} FROM scim_tokens WHERE fingerprint = ?1");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([fingerprint], scim_token_row).optional())
            .map_err(database_fault)
    }

    /// Lists the tokens of a group, the oldest first.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn scim_tokens(&self, group: GroupId) -> Result<Vec<ScimTokenRow>> {
        let sql = format!("SELECT {COLUMNS} FROM scim_tokens WHERE group_id = ?1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map([group.0], scim_token_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps a token and gives its number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_scim_token(&self, token: &NewScimToken) -> Result<i64> {
        self.connection
            .prepare_cached(
                "INSERT INTO scim_tokens (group_id, fingerprint, label, made_by, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut s| {
                s.insert((
                    token.group.0,
                    token.fingerprint.as_slice(),
                    &token.label,
                    &token.made_by,
                    self.now.0,
                ))
            })
            .map_err(database_fault)
    }

    /// Remembers that a token was used.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn touch_scim_token(&self, id: i64) -> Result<()> {
        self.execute("UPDATE scim_tokens SET used_at = ?2 WHERE id = ?1", (id, self.now.0))
    }

    /// Forgets a token.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_scim_token(&self, group: GroupId, id: i64) -> Result<()> {
        self.execute("DELETE FROM scim_tokens WHERE group_id = ?1 AND id = ?2", (group.0, id))
    }
}

fn scim_token_row(row: &Row<'_>) -> rusqlite::Result<ScimTokenRow> {
    Ok(ScimTokenRow {
        id: row.get("id")?,
        group: GroupId(row.get("group_id")?),
        label: row.get("label")?,
        made_by: row.get("made_by")?,
        created_at: Timestamp(row.get("created_at")?),
        used_at: row.get::<_, Option<i64>>("used_at")?.map(Timestamp),
    })
}
