//! A refused act leaves a row in the access log: what was asked, by whom, and why not.

use super::Ground;
use super::guard::Tally;
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId, LogEntry};

/// Most characters of a caller's text in a row.
const SUBJECT_MAX: usize = 300;

impl Ground {
    /// Writes a row of something that changed nothing but is worth a row.
    ///
    /// # Errors
    /// Those of the store.
    pub fn record(&self, entry: LogEntry) -> Result<()> {
        self.store.log(self.clock.now(), entry)
    }

    /// As [`Ground::record`], for something that was only read: it need not wait while another process holds the
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
    pub fn logging_refusal<T>(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        subject: &str,
        outcome: Result<T>,
    ) -> Result<T> {
        self.logging_refusal_of(caller, group, operation, || subject.to_owned(), outcome)
    }

    /// As [`Ground::logging_refusal`], for a subject whose name must be looked up.
    ///
    /// # Errors
    /// As [`Ground::logging_refusal`].
    pub fn logging_refusal_of<T>(
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
                Actor::Anonymous => self.guard.tally(caller.ip, now),
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
}

/// What everybody is told whose credential was good, and whose group an operator switched off.
pub fn group_off() -> Error {
    let public = "This group is switched off: nobody signs in to it now. Ask whoever runs this server.";
    Error::new(Kind::Denied, "group_off", public)
}

/// A caller's text, as a row of the access log may hold it.
pub fn shortened(subject: &str) -> String {
    subject.chars().filter(|c| !c.is_control()).take(SUBJECT_MAX).collect()
}

/// What a row of the access log says of a refusal.
pub fn detail(error: &Error) -> String {
    match &error.field {
        Some(field) => format!("{field}: {}", error.public),
        None => error.public.clone(),
    }
}

fn is_refusal(error: &Error) -> bool {
    !matches!(error.kind, Kind::Fault | Kind::Unavailable)
}
