//! A refused act leaves a row in the access log: what was asked, by whom, and why not.

use super::Desk;
use super::guard::Tally;
use super::people::{BulkError, UserKey};
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId, LogEntry, RoleId};

/// Most characters of a caller's text in a row.
const SUBJECT_MAX: usize = 300;

impl Desk {
    /// Writes a row of something that changed nothing but is worth a row.
    ///
    /// # Errors
    /// Those of the store.
    pub fn record(&self, entry: LogEntry) -> Result<()> {
        self.store.log(self.clock.now(), entry)
    }

    /// As [`Desk::record`], for something that was only read: it need not wait while another process holds the
    /// database.
    ///
    /// # Errors
    /// Those of the store.
    pub fn record_reading(&self, entry: LogEntry) -> Result<()> {
        self.store.log_reading(self.clock.now(), entry)
    }

    /// Hands `outcome` on; when the act was refused, the access log has a row of it first. Of somebody who has not
    /// proved who they are, only as far as the guard's tally goes: a flood must not fill the disk.
    ///
    /// # Errors
    /// That of `outcome`; our own fault when the row cannot be written.
    pub(crate) fn logging_refusal<T>(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        subject: &str,
        outcome: Result<T>,
    ) -> Result<T> {
        self.logging_refusal_of(caller, group, operation, || subject.to_owned(), outcome)
    }

    /// As [`Desk::logging_refusal`], for a subject whose name must be looked up.
    ///
    /// # Errors
    /// As [`Desk::logging_refusal`].
    pub(crate) fn logging_refusal_of<T>(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        subject: impl FnOnce() -> String,
        outcome: Result<T>,
    ) -> Result<T> {
        if let Err(error) = &outcome
            && is_refusal(error)
        {
            let now = self.clock.now();
            let tally = match caller.actor {
                Actor::Anonymous => self.sign_in.guard.tally(caller.ip, now),
                _ => Tally::Few,
            };
            if !tally.is_noted() {
                return outcome;
            }
            let (subject, detail) = (shortened(&subject()), format!("{}{}", detail(error), tally.detail()));
            let entry = LogEntry::refused(caller, group, operation, subject, error.code, detail);
            self.store.log(now, entry)?;
        }
        outcome
    }

    /// Hands `outcome` on; when rows were refused, the access log has one row of it first. `asked` names
    /// the rows that came.
    ///
    /// # Errors
    /// As [`Desk::logging_refusal`].
    pub(super) fn logging_refused_rows<T>(
        &self,
        caller: &Caller,
        group: GroupId,
        operation: &'static str,
        asked: &[impl Named],
        outcome: std::result::Result<T, BulkError>,
    ) -> std::result::Result<T, BulkError> {
        if let Err(BulkError::Rows(rows)) = &outcome
            && let Some((row, first)) = rows.first()
        {
            let subject = match (rows.len(), asked.get(*row)) {
                (1, Some(named)) => shortened(&named.name(self, group)),
                (refused, _) => format!("{refused} rows"),
            };
            let detail = match asked.len() {
                1 => detail(first),
                _ => format!("nothing was changed; row {row}: {}", first.public),
            };
            let entry = LogEntry::refused(caller, Some(group), operation, subject, first.code, detail);
            self.record(entry)?;
        }
        outcome
    }
}

/// What an act was asked for, as the access log names it where the act succeeds.
pub(super) trait Named {
    /// The name; as it came, when there is no such thing in `group`.
    fn name(&self, desk: &Desk, group: GroupId) -> String;
}

impl Named for String {
    fn name(&self, _: &Desk, _: GroupId) -> String {
        self.clone()
    }
}

impl Named for UserKey {
    fn name(&self, desk: &Desk, group: GroupId) -> String {
        let found = desk.store.read(|r| self.find(r, group));
        found.map_or_else(|_| self.text(), |member| member.user.address.to_string())
    }
}

impl Named for RoleId {
    fn name(&self, desk: &Desk, group: GroupId) -> String {
        let found = desk.store.read(|r| r.role(group, *self)).ok().flatten();
        found.map_or_else(|| format!("role {self}"), |role| role.name)
    }
}

fn shortened(subject: &str) -> String {
    subject.chars().filter(|c| !c.is_control()).take(SUBJECT_MAX).collect()
}

fn detail(error: &Error) -> String {
    match &error.field {
        Some(field) => format!("{field}: {}", error.public),
        None => error.public.clone(),
    }
}

fn is_refusal(error: &Error) -> bool {
    !matches!(error.kind, Kind::Fault | Kind::Unavailable)
}
