//! Incidents: the numbered checks of a refusal, found by the code that the person was shown.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;

/// What is kept of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Such as `K7Q2-9XMD`.
    pub code: String,
    pub at: Timestamp,
    /// The group that was claimed, when it exists.
    pub group: Option<GroupId>,
    /// What refused: `login-key`, `password`, `web-session`.
    pub surface: String,
    /// The stable code of the reject.
    pub reject: String,
    /// JSON: the numbered checks.
    pub checks: String,
    /// What to change; "" when nothing is known to help.
    pub repair: String,
}

impl Reader<'_> {
    /// Finds an incident by its code, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn incident(&self, code: &str) -> Result<Option<Incident>> {
        self.connection
            .prepare_cached(
                "SELECT code, at, group_id, surface, reject, checks, repair FROM incidents WHERE code = ?1",
            )
            .and_then(|mut s| s.query_row([code], incident_row).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps an incident until it is swept out; the access log keeps its rows.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_incident(&self, incident: &Incident) -> Result<()> {
        self.execute(
            "INSERT INTO incidents (code, at, group_id, surface, reject, checks, repair)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                &incident.code,
                self.now.0,
                incident.group.map(|g| g.0),
                &incident.surface,
                &incident.reject,
                &incident.checks,
                &incident.repair,
            ),
        )
    }
}

fn incident_row(row: &Row<'_>) -> rusqlite::Result<Incident> {
    Ok(Incident {
        code: row.get("code")?,
        at: Timestamp(row.get("at")?),
        group: row.get::<_, Option<i64>>("group_id")?.map(GroupId),
        surface: row.get("surface")?,
        reject: row.get("reject")?,
        checks: row.get("checks")?,
        repair: row.get("repair")?,
    })
}
