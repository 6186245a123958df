//! A refused act leaves a row in the access log: what was asked, by whom, and why not.

use super::Desk;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry};

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

    /// Hands `outcome` on; when the act was refused, the access log has a row of it first.
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
        if let Err(error) = &outcome
            && is_refusal(error)
        {
            let subject: String = subject.chars().filter(|c| !c.is_control()).take(SUBJECT_MAX).collect();
            let detail = match &error.field {
                Some(field) => format!("{field}: {}", error.public),
                None => error.public.clone(),
            };
            let entry = LogEntry::refused(caller, group, operation, subject, error.code, detail);
            self.store.log(self.clock.now(), entry)?;
        }
        outcome
    }
}

fn is_refusal(error: &Error) -> bool {
    !matches!(error.kind, Kind::Fault | Kind::Unavailable)
}
