//! Reading the access log, and opening an incident code.
//!
//! Operators read all of it; a group's administrators what concerns their group. Nothing here writes but
//! the note that somebody took a copy.

use crate::model::queries::{LogQuery, LogRow};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::desk::appliance::Appliance;
use crate::desk::ground::Ground;
use crate::desk::ground::exports::ExportPermit;
use crate::desk::ground::permission;
use crate::error::{Error, Kind, Result};
use crate::model::lists::Count;
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::check::Check;
use crate::secret::typed_incident_code;
use crate::store::Asker;

/// Rows of an export that are read at once.
const EXPORT_PAGE: u32 = 1_000;
/// How many numbers of rows one read of an export goes through, so that others who search have their turn also when
/// few rows fit.
const EXPORT_STRETCH: i64 = 50_000;
/// How many of the newest rows are looked through for what concerns one user.
const HISTORY_WITHIN: i64 = 50_000;

/// How many changes are looked through for the last one of something.
const CHANGES: u32 = 100;

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

/// An export of the access log that is being taken: gives its rows in portions, of which some may be empty.
pub struct LogExport {
    ground: Arc<Ground>,
    caller: Caller,
    query: LogQuery,
    /// When it began: no row is newer.
    pub began_at: Timestamp,
    _place: ExportPermit,
}

impl Iterator for LogExport {
    type Item = Result<Vec<LogRow>>;

    fn next(&mut self) -> Option<Result<Vec<LogRow>>> {
        let before = self.query.before.filter(|before| *before > 1)?;
        let after = before.saturating_sub(EXPORT_STRETCH).max(0);
        let query = LogQuery { after: Some(after), ..self.query.clone() };
        let asker = Asker::of(&self.caller, self.query.group).exporting();
        let rows = self.ground.store.search(&asker, |r| r.log_rows(&query));
        let next = rows.as_ref().map(|rows| match rows.last() {
            // A page that is not full has all rows of the stretch.
            Some(last) if rows.len() >= usize::try_from(EXPORT_PAGE).unwrap_or(usize::MAX) => last.id,
            _ => after.saturating_add(1),
        });
        // After a failure there is nothing more.
        self.query.before = next.ok();
        Some(rows)
    }
}

impl Appliance {
    /// Writes a row of something that a surface noticed: it changed nothing and is worth a row.
    ///
    /// # Errors
    /// Those of the store.
    pub fn note(&self, entry: LogEntry) -> Result<()> {
        self.ground.record(entry)
    }

    /// As [`Appliance::note`], of something that was only read.
    ///
    /// # Errors
    /// Those of the store.
    pub fn note_reading(&self, entry: LogEntry) -> Result<()> {
        self.ground.record_reading(entry)
    }

    /// Finds rows of the access log. `query.group` decides who may ask.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group, or, without one, the appliance.
    pub fn log_rows(&self, caller: &Caller, query: &LogQuery) -> Result<Vec<LogRow>> {
        may_read(caller, query.group)?;
        self.ground.store.search(&Asker::of(caller, query.group), |r| r.log_rows(query))
    }

    /// Counts the rows that [`Appliance::log_rows`] would find in all pages together; stops above `most`.
    ///
    /// # Errors
    /// As [`Appliance::log_rows`].
    pub fn count_log_rows_to(&self, caller: &Caller, query: &LogQuery, most: u32) -> Result<Count> {
        may_read(caller, query.group)?;
        self.ground.store.search(&Asker::of(caller, query.group), |r| r.count_log_rows_to(query, most))
    }

    /// Begins to read all rows that fit, newest first, for a file: those that there are now. The log notes it.
    ///
    /// # Errors
    /// As [`Appliance::log_rows`]; `Unavailable` with `export_busy` while the caller takes another export, or too many
    /// others do.
    pub fn export_log(&self, caller: &Caller, query: &LogQuery) -> Result<LogExport> {
        may_read(caller, query.group)?;
        let place = self.ground.exports.place(caller, query.group)?;
        let newest = self.ground.store.read(|r| r.newest_log_row())?;
        let began_at = self.ground.clock.now();
        self.ground.record_reading(LogEntry::done(
            caller,
            query.group,
            "access-log.export",
            "",
            "rows as CSV",
        ))?;
        let before = newest.saturating_add(1).min(query.before.unwrap_or(i64::MAX));
        let query = LogQuery {
            before: Some(before),
            limit: EXPORT_PAGE,
            offset: 0,
            oldest_first: false,
            ..query.clone()
        };
        Ok(LogExport {
            ground: Arc::clone(&self.ground),
            caller: caller.clone(),
            query,
            began_at,
            _place: place,
        })
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
        self.ground.store.search(&Asker::of(caller, Some(group)), |r| r.log_rows(&query))
    }

    /// Finds when and by whom something was changed last: the newest row of `operation` about one of `subjects`, among the
    /// newest.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn last_change(
        &self,
        caller: &Caller,
        group: GroupId,
        operation: &str,
        subjects: &[&str],
    ) -> Result<Option<(Timestamp, String)>> {
        permission::administer(caller, group)?;
        let query = LogQuery {
            group: Some(group),
            search: operation.to_owned(),
            refused: Some(false),
            within: Some(HISTORY_WITHIN),
            limit: CHANGES,
            ..LogQuery::default()
        };
        let rows = self.ground.store.search(&Asker::of(caller, Some(group)), |r| r.log_rows(&query))?;
        let found = rows
            .into_iter()
            .find(|row| row.operation == operation && subjects.contains(&row.subject.as_str()));
        Ok(found.map(|row| (row.at, row.actor)))
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
        let incident =
            self.ground.store.read(|r| r.incident(&typed_incident_code(code)))?.ok_or_else(unknown)?;
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
