//! Reading the access log, and opening an incident code.
//!
//! Operators read all of it; a group's administrators what concerns their group. Nothing here writes but
//! the note that somebody took a copy.

use super::{Desk, permission};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::lists::Count;
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::check::Check;
use crate::secret::typed_incident_code;
pub use crate::store::{LogQuery, LogRow};

/// Most rows of one export: what fits into memory at once many times over.
pub const EXPORT_MAX: usize = 100_000;
/// How many of the newest rows are looked through for what concerns one user.
const HISTORY_WITHIN: i64 = 50_000;

/// An incident as its group's administrator may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentReport {
    pub code: String,
    pub at: Timestamp,
    pub group: Option<GroupId>,
    /// What refused: `login-key`, `password`, `saml`.
    pub surface: String,
    /// The stable code of the reject.
    pub reject: String,
    /// Green up to the first red; empty when nothing was judged step by step.
    pub checks: Vec<Check>,
    /// "" when nothing is known to help.
    pub repair: String,
}

impl Desk {
    /// Finds rows of the access log. `query.group` decides who may ask.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group, or, without one, the appliance.
    pub fn log_rows(&self, caller: &Caller, query: &LogQuery) -> Result<Vec<LogRow>> {
        may_read(caller, query.group)?;
        self.store.search(|r| r.log_rows(query))
    }

    /// Counts the rows that [`Desk::log_rows`] would find in all pages together; stops above `most`.
    ///
    /// # Errors
    /// As [`Desk::log_rows`].
    pub fn count_log_rows_to(&self, caller: &Caller, query: &LogQuery, most: u32) -> Result<Count> {
        may_read(caller, query.group)?;
        self.store.search(|r| r.count_log_rows_to(query, most))
    }

    /// Finds all rows that fit, newest first, for a file; the log notes it.
    ///
    /// # Errors
    /// As [`Desk::log_rows`]; `Invalid` with code `export_too_large` above [`EXPORT_MAX`] rows: a file that
    /// was cut off would look complete.
    pub fn export_log(&self, caller: &Caller, query: &LogQuery) -> Result<Vec<LogRow>> {
        may_read(caller, query.group)?;
        let limit = u32::try_from(EXPORT_MAX + 1).unwrap_or(u32::MAX);
        let rows = self.store.search(|r| r.log_rows(&LogQuery { limit, ..query.clone() }))?;
        if rows.len() > EXPORT_MAX {
            let public =
                format!("More than {EXPORT_MAX} rows fit. Choose a shorter time, and export in parts.");
            return Err(Error::invalid("export_too_large", "from", public));
        }
        let detail = format!("{} rows", rows.len());
        let entry = LogEntry::done(caller, query.group, "access-log.export", "", detail);
        self.store.log(self.clock.now(), entry)?;
        Ok(rows)
    }

    /// Finds the latest rows of a group that speak of `subject`, among its newest.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn history(&self, caller: &Caller, group: GroupId, subject: &str, limit: u32) -> Result<Vec<LogRow>> {
        permission::administer(caller, group)?;
        let query = LogQuery {
            group: Some(group),
            search: subject.to_owned(),
            within: Some(HISTORY_WITHIN),
            limit,
            ..LogQuery::default()
        };
        self.store.search(|r| r.log_rows(&query))
    }

    /// Opens an incident code, in any case.
    ///
    /// # Errors
    /// `NotFound` with code `incident_unknown`: also for an incident of another group, so that codes cannot
    /// be tried.
    pub fn open_incident(&self, caller: &Caller, code: &str) -> Result<IncidentReport> {
        let unknown = || {
            let public =
                "There is no incident with this code, or it is too old: they are kept for a while only.";
            Error::new(Kind::NotFound, "incident_unknown", public).with_field("code")
        };
        let incident = self.store.read(|r| r.incident(&typed_incident_code(code)))?.ok_or_else(unknown)?;
        may_read(caller, incident.group).map_err(|_| unknown())?;
        let checks = serde_json::from_str(&incident.checks)
            .map_err(|e| Error::fault("incident_checks", e.to_string()))?;
        Ok(IncidentReport {
            code: incident.code,
            at: incident.at,
            group: incident.group,
            surface: incident.surface,
            reject: incident.reject,
            checks,
            repair: incident.repair,
        })
    }
}

fn may_read(caller: &Caller, group: Option<GroupId>) -> Result<()> {
    match group {
        Some(group) => permission::administer(caller, group),
        None => permission::run_appliance(caller),
    }
}
