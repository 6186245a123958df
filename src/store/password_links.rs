//! One-time links by which a person sets a password: the newest of each person, found by fingerprint. What else ends a link
//! (another password, another home, a suspension) is in the triggers of `schema.sql`.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::UserId;

/// A link that is kept; its token is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLinkRow {
    pub user: UserId,
    /// Who made it, as in the access log.
    pub made_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// It was used, or something else ended it before its time.
    pub ended: bool,
}

impl PasswordLinkRow {
    /// Whether it can be used at `now`, as far as the link itself goes.
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.ended && now < self.expires_at
    }
}

const COLUMNS: &str = "user_id, made_by, created_at, expires_at, ended";

impl Reader<'_> {
    /// Finds a link by the fingerprint of its token, also one that has ended.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn password_link(&self, fingerprint: &[u8]) -> Result<Option<PasswordLinkRow>> {
        self.connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM password_links WHERE fingerprint = ?1"))
            .and_then(|mut s| s.query_row([fingerprint], link_row).optional())
            .map_err(database_fault)
    }

    /// Finds a person's link, also one that has ended.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn password_link_of(&self, user: UserId) -> Result<Option<PasswordLinkRow>> {
        self.connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM password_links WHERE user_id = ?1"))
            .and_then(|mut s| s.query_row([user.0], link_row).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps a link; the one that the person had before ends.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn put_password_link(
        &self,
        user: UserId,
        fingerprint: &[u8; 32],
        made_by: &str,
        expires_at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO password_links (user_id, fingerprint, made_by, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (user_id) DO UPDATE SET fingerprint = excluded.fingerprint, made_by = excluded.made_by,
                 created_at = excluded.created_at, expires_at = excluded.expires_at, ended = 0",
            (user.0, fingerprint, made_by, self.now.0, expires_at.0),
        )
    }

    /// Ends a person's link.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn end_password_link(&self, user: UserId) -> Result<()> {
        self.execute("UPDATE password_links SET ended = 1 WHERE user_id = ?1", [user.0])
    }
}

fn link_row(row: &Row<'_>) -> rusqlite::Result<PasswordLinkRow> {
    Ok(PasswordLinkRow {
        user: UserId(row.get("user_id")?),
        made_by: row.get("made_by")?,
        created_at: Timestamp(row.get("created_at")?),
        expires_at: Timestamp(row.get("expires_at")?),
        ended: row.get("ended")?,
    })
}
