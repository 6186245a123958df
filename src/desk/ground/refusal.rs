//! The one pipeline of refusals: each is counted, tallied, kept as an incident, and written to the access log.
//!
//! A [`Refusal`] says how it counts. A [`RefusalNote`] says what is kept of it, and is made only if the tally allows one more
//! row. Nothing else in the house counts a failed sign-in or writes the row of a refusal.

use super::Ground;
use super::guard::{Account, Reserved, Tally, Weight};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId, LogEntry};
use crate::secret::incident_code;
use crate::store::{Incident, Writer};

/// Most characters of a caller's text in a row.
const SUBJECT_MAX: usize = 300;

/// What was refused, and how it counts.
pub struct Refusal<'a> {
    pub caller: &'a Caller,
    /// The operation in the access log, such as `sign-in.password`.
    pub operation: &'static str,
    pub code: &'static str,
    /// By which means somebody tried to sign in, for the metrics; `None` for anything else.
    pub means: Option<&'static str>,
    /// What the guard counts.
    pub failure: Option<Failure<'a>>,
    /// A password that counts as being verified until its failure is counted.
    pub reserved: Option<Reserved>,
    pub noted: NotedWhen,
}

/// A failure that the guard counts.
pub struct Failure<'a> {
    pub account: Account<'a>,
    pub weight: Weight,
    /// Whether it counts from every address, as [`super::guard::Guard::failed`] says.
    pub everywhere: bool,
}

/// Which refusals have a row in the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotedWhen {
    /// None, and it is not tallied.
    Never,
    /// Those that the tally of the caller's address lets be noted: a flood must not fill the disk.
    Tallied,
    /// Each, and it is tallied. For what the guard lets few of happen: a change has its row, and a name that nobody has
    /// must be answered like one that somebody has.
    Always,
    /// Each, and it is not tallied: the caller has proved who they are.
    Proved,
}

impl NotedWhen {
    /// For what is refused to `caller`.
    fn of(caller: &Caller) -> NotedWhen {
        match caller.actor {
            Actor::Anonymous => NotedWhen::Tallied,
            _ => NotedWhen::Proved,
        }
    }
}

/// A change that belongs to a refusal, and is kept in the same transaction.
pub type ChangeOfRefusal = Box<dyn FnOnce(&Writer<'_>) -> Result<()> + Send>;

/// What is kept of a refusal.
pub struct RefusalNote {
    /// Whose refusal it is; `None` for the appliance.
    pub group: Option<GroupId>,
    /// Whom or what the caller named. A stranger may have written it.
    pub subject: String,
    /// What the row says; the tally is added.
    pub detail: String,
    /// What the person's incident code leads to; `None` when the person is given no code.
    pub incident: Option<IncidentNote>,
    pub change: Option<ChangeOfRefusal>,
}

/// What an administrator finds under an incident code.
pub struct IncidentNote {
    /// What refused: `login-key`, `password`, `saml`.
    pub surface: String,
    /// JSON: the numbered checks.
    pub checks: String,
    /// What to change; "" when nothing is known to help.
    pub repair: String,
}

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
            self.note_refused(caller, group, operation, error.code, || (subject(), what_was_wrong(error)))?;
        }
        outcome
    }

    /// Writes the row of something refused that was no sign-in: of somebody who has not proved who they are, only as far
    /// as the tally goes. `named` is the subject and what the row says of it.
    ///
    /// # Errors
    /// Our own fault when the row cannot be written.
    pub fn note_refused(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        code: &'static str,
        named: impl FnOnce() -> (String, String),
    ) -> Result<()> {
        let (failure, reserved, noted) = (None, None, NotedWhen::of(caller));
        let refusal = Refusal { caller, operation, code, means: None, failure, reserved, noted };
        let kept = self.turn_away(refusal, self.clock.now(), |_| {
            let (subject, detail) = named();
            Ok(RefusalNote { group, subject, detail, incident: None, change: None })
        });
        kept.map(drop)
    }

    /// Counts a refusal and, where it is noted, keeps what `note` makes of it; `note` is given the incident code. Gives
    /// back the code that the person is told: `None` when nothing is kept under it.
    ///
    /// # Errors
    /// Those of `note`; our own fault when it cannot be kept.
    pub fn turn_away(
        &self,
        refusal: Refusal<'_>,
        now: Timestamp,
        note: impl FnOnce(&str) -> Result<RefusalNote>,
    ) -> Result<Option<String>> {
        let Refusal { caller, operation, code, means, failure, reserved, noted } = refusal;
        if let Some(means) = means {
            self.sign_ins.refused(means, code);
        }
        if let Some(Failure { account, weight, everywhere }) = failure {
            self.guard.failed(caller.ip, account, weight, everywhere, now);
        }
        // Its failure is counted: it need not count as being verified any more.
        drop(reserved);
        let tally = match noted {
            NotedWhen::Never => return Ok(None),
            NotedWhen::Proved => Tally::Few,
            NotedWhen::Tallied | NotedWhen::Always => self.guard.tally(caller.ip, now),
        };
        if noted == NotedWhen::Tallied && !tally.is_noted() {
            return Ok(None);
        }
        let told = incident_code()?;
        let RefusalNote { group, subject, detail, incident, change } = note(&told)?;
        let detail = format!("{detail}{}", tally.detail());
        let entry = LogEntry::refused(caller, group, operation, shortened(&subject), code, detail);
        let Some(IncidentNote { surface, checks, repair }) = incident else {
            self.keep(now, None, change, entry)?;
            return Ok(None);
        };
        let reject = code.to_owned();
        let incident = Incident { code: told.clone(), at: now, group, surface, reject, checks, repair };
        self.keep(now, Some(incident), change, LogEntry { incident: Some(told.clone()), ..entry })?;
        Ok(Some(told))
    }

    fn keep(
        &self,
        now: Timestamp,
        incident: Option<Incident>,
        change: Option<ChangeOfRefusal>,
        entry: LogEntry,
    ) -> Result<()> {
        if incident.is_none() && change.is_none() {
            return self.store.log(now, entry);
        }
        self.store.write(now, move |w| {
            if let Some(change) = change {
                change(w)?;
            }
            if let Some(incident) = incident {
                w.insert_incident(&incident)?;
            }
            w.log(&entry)
        })
    }
}

/// What everybody is told whose credential was good, and whose group an operator switched off.
pub fn group_off() -> Error {
    let public = "This group is switched off, so nobody can sign in to it. Ask the operator of this server.";
    Error::new(Kind::Denied, "group_off", public)
}

/// A caller's text, as a row of the access log may hold it.
pub fn shortened(subject: &str) -> String {
    subject.chars().filter(|c| !c.is_control()).take(SUBJECT_MAX).collect()
}

/// What a row of the access log says of a refusal.
pub fn what_was_wrong(error: &Error) -> String {
    match &error.field {
        Some(field) => format!("{field}: {}", error.public),
        None => error.public.clone(),
    }
}

fn is_refusal(error: &Error) -> bool {
    !matches!(error.kind, Kind::Fault | Kind::Unavailable)
}
