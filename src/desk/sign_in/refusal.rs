//! A refusal on its way out: counted by the guard, kept as an incident, logged, and made into the little
//! that the client learns.

use super::explained::KeyClaim;
use super::reject::Reject;
use super::signed_in::{Means, SignedIn};
use crate::clock::Timestamp;
use crate::desk::ground::guard::{Account, FAILURES_MOST, Reserved, Tally, TooMany, WINDOW_SECONDS, Weight};
use crate::desk::sign_in::SignIn;
use crate::error::{Error, Result};
use crate::model::{Caller, GroupId, LogEntry, UserId};
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::credential::Subject;
use crate::secret::incident_code;
use crate::store::{Incident, Reader, Writer};

/// Seconds for which incidents are kept.
const INCIDENTS_KEPT_SECONDS: i64 = 90 * 24 * 3600;
/// Characters of a claimed name that the log takes: a stranger wrote it.
const CLAIMED_NAME_MOST: usize = 300;

/// Why judging stopped: it refused, or it failed.
pub(super) enum Stop {
    Refused(Box<Refusal>),
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(Box::new(refusal))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// A refusal and what is known around it.
pub(super) struct Refusal {
    means: Means,
    reject: Reject,
    /// The group of somebody who proved who they are; in the end, whose refusal it is.
    group: Option<GroupId>,
    /// The group that the request names.
    asked: Option<GroupId>,
    subject: String,
    user: Option<UserId>,
    /// Whom the guard counts.
    named: Option<Named>,
    /// How often the guard has refused since its limit was reached.
    times: Option<u32>,
    /// A login key, to be explained.
    claim: Option<Box<KeyClaim>>,
    /// A login key of the previous API key: a mistake, and no guess.
    outdated: bool,
    /// A password that counts as being verified until its failure is counted.
    reserved: Option<Reserved>,
}

/// An [`Account`] that outlives the attempt.
enum Named {
    Puid(GroupId, String),
    Address(String),
    Password(String),
}

impl Named {
    fn account(&self) -> Account<'_> {
        match self {
            Named::Puid(group, puid) => Account::Puid(*group, puid),
            Named::Address(address) => Account::Address(address),
            Named::Password(name) => Account::Password(name),
        }
    }
}

impl Refusal {
    pub fn new(means: Means, reject: Reject) -> Refusal {
        let subject = String::new();
        let (group, asked, user, named, times, claim) = (None, None, None, None, None, None);
        let reserved = None;
        Refusal { means, reject, group, asked, subject, user, named, times, claim, outdated: false, reserved }
    }

    /// Of somebody who proved who they are.
    pub fn of(self, signed_in: &SignedIn) -> Refusal {
        let subject = signed_in.address.to_string();
        Refusal { group: Some(signed_in.group), subject, user: Some(signed_in.user), ..self }
    }

    /// Of somebody who is named by a credential.
    pub fn naming(self, subject: &Subject) -> Refusal {
        match subject {
            Subject::Address(address) => {
                Refusal { subject: shortened(address), named: Some(Named::Address(address.clone())), ..self }
            }
            Subject::Partner { group, puid, .. } => Refusal {
                asked: Some(*group),
                subject: shortened(puid),
                named: Some(Named::Puid(*group, puid.clone())),
                ..self
            },
        }
    }

    /// Of a request that names a group, unless its credential does.
    pub fn asking(self, group: Option<GroupId>) -> Refusal {
        Refusal { asked: self.asked.or(group), ..self }
    }

    pub fn naming_address(self, address: &str) -> Refusal {
        self.naming(&Subject::Address(address.to_owned()))
    }

    /// Of somebody who is named beside a password.
    pub fn naming_user(self, name: &str) -> Refusal {
        Refusal { subject: shortened(name), named: Some(Named::Password(name.to_owned())), ..self }
    }

    pub fn user(self, user: UserId) -> Refusal {
        Refusal { user: Some(user), ..self }
    }

    pub fn explaining(self, claim: KeyClaim) -> Refusal {
        Refusal { claim: Some(Box::new(claim)), ..self }
    }

    pub fn outdated(self, outdated: bool) -> Refusal {
        Refusal { outdated, ..self }
    }

    pub fn reserving(self, reserved: Option<Reserved>) -> Refusal {
        Refusal { reserved, ..self }
    }

    pub fn too_many(means: Means, too_many: TooMany) -> Refusal {
        Refusal { times: Some(too_many.times), ..Refusal::new(means, Reject::TooManyAttempts) }
    }

    /// Whether the tally decides if it is written down; else it is not. A login key that the guard refuses is
    /// noted the first, second, fourth, eighth time and so on, and counted only then, so that one broken
    /// integration does not hide what else comes from its address. A password that the guard refuses is noted as
    /// that of a locked user is: the client sees whether it was.
    fn is_counted(&self) -> bool {
        self.means == Means::Password || self.times.is_none_or(u32::is_power_of_two)
    }

    /// Whether to write it down whatever the tally: a change has its row, and a name that nobody has must be
    /// answered like one that somebody has. The guard lets few of them happen at one address.
    fn is_always_noted(&self) -> bool {
        let guessed = self.means == Means::Password && self.weight() == Some(Weight::Password);
        guessed || self.locks().is_some()
    }

    fn weight(&self) -> Option<Weight> {
        match self.reject {
            _ if self.outdated => None,
            Reject::LoginKey(crate::protocol::login_key::LoginKeyReject::BadSignature)
            | Reject::UnknownGroup
            | Reject::UnknownWebSession
            | Reject::BadToken => Some(Weight::Key),
            Reject::WrongPassword
            | Reject::NoPassword
            | Reject::UnknownAddress
            | Reject::WrongIssuedCredentials => Some(match self.means {
                Means::Password => Weight::Password,
                _ => Weight::Key,
            }),
            _ => None,
        }
    }

    /// Whether the store counts it: a wrong password of a user who has one.
    fn locks(&self) -> Option<UserId> {
        self.user.filter(|_| self.reject == Reject::WrongPassword)
    }
}

impl Stop {
    /// Of a request that names a group.
    pub fn asking(self, group: Option<GroupId>) -> Stop {
        match self {
            Stop::Refused(refusal) => refusal.asking(group).into(),
            Stop::Failed(_) => self,
        }
    }
}

impl SignIn {
    /// Makes the answer of an attempt that was refused or failed.
    pub(super) fn stopped(
        &self,
        caller: &Caller,
        surface: &'static str,
        stop: Stop,
        now: Timestamp,
    ) -> Error {
        match stop {
            Stop::Failed(error) => {
                self.ground.sign_ins.failed("any", error.code);
                error
            }
            Stop::Refused(refusal) => {
                self.ground.sign_ins.refused(refusal.means.name(), refusal.reject.code());
                self.refused(caller, surface, *refusal, now).unwrap_or_else(|error| error)
            }
        }
    }

    fn refused(
        &self,
        caller: &Caller,
        surface: &'static str,
        mut refusal: Refusal,
        now: Timestamp,
    ) -> Result<Error> {
        if let Some(weight) = refusal.weight() {
            // A lock in the store counts for those who have a password; for all others the guard does.
            let everywhere = weight == Weight::Password && refusal.locks().is_none();
            let account = refusal.named.as_ref().map_or(Account::Address(""), Named::account);
            self.ground.guard.failed(caller.ip, account, weight, everywhere, now);
        }
        // Its failure is counted: it need not count as being verified any more.
        drop(refusal.reserved.take());
        let error = refusal.reject.to_public();
        let Some(tally) = self.tallied(caller, &refusal, now) else { return Ok(error) };
        let code = incident_code()?;
        refusal.group = self.ground.store.read(|r| owner(r, &refusal))?;
        let explained = self.explained(&refusal, now)?;
        let entry = row(caller, surface, &refusal, explained.cause, &code, tally);
        self.note(entry, refusal, explained, code.clone(), now)?;
        Ok(error.with_incident(code))
    }

    /// Counts a refusal; `None` when it is not noted.
    fn tallied(&self, caller: &Caller, refusal: &Refusal, now: Timestamp) -> Option<Tally> {
        let tally = refusal.is_counted().then(|| self.ground.guard.tally(caller.ip, now))?;
        (refusal.is_always_noted() || tally.is_noted()).then_some(tally)
    }

    fn explained(&self, refusal: &Refusal, now: Timestamp) -> Result<Explained> {
        match &refusal.claim {
            Some(claim) => {
                let explanation = self.explain_login_key(claim, now)?;
                let repair = explanation.repair().to_owned();
                let cause = explanation.diagnosis.map(|diagnosis| diagnosis.mistake.in_short());
                Ok(Explained { checks: explanation.checks, repair, cause })
            }
            None => {
                let repair = refusal.reject.repair().to_owned();
                Ok(Explained { checks: vec![one_check(refusal)], repair, cause: None })
            }
        }
    }

    fn note(
        &self,
        entry: LogEntry,
        refusal: Refusal,
        explained: Explained,
        code: String,
        now: Timestamp,
    ) -> Result<()> {
        let incident = Incident {
            code,
            at: now,
            group: refusal.group,
            surface: refusal.means.operation().trim_start_matches("sign-in.").to_owned(),
            reject: refusal.reject.code().to_owned(),
            checks: serde_json::to_string(&explained.checks)
                .map_err(|e| Error::fault("incident_checks", e.to_string()))?,
            repair: explained.repair,
        };
        let locks = refusal.locks();
        let note = move |w: &Writer<'_>| {
            if let Some(user) = locks {
                let window = now.plus_seconds(-WINDOW_SECONDS);
                w.count_failure(user, FAILURES_MOST.into(), window, now.plus_seconds(WINDOW_SECONDS))?;
            }
            w.insert_incident(&incident, now.plus_seconds(-INCIDENTS_KEPT_SECONDS))?;
            w.log(&entry)
        };
        match locks {
            Some(_) => self.ground.store.write(now, note),
            None => self.ground.store.write_promised(now, note).wait(),
        }
    }
}

/// Whose refusal it is: that of the group whose administrators see it and open its incident; `None` for the appliance.
///
/// The group that somebody proved to belong to, or whose login key is explained; else the one that the request names, if
/// it exists, whether or not there is such a person; else the home group of the person whose Glance Address it names.
/// A password that is tried in a group that the person is no member of is the home group's.
fn owner(r: &Reader<'_>, refusal: &Refusal) -> Result<Option<GroupId>> {
    if refusal.group.is_some() {
        return Ok(refusal.group);
    }
    let named = refusal.claim.as_ref().map(|claim| claim.group).or(refusal.asked);
    let named = match named {
        Some(group) => r.group(group)?.map(|group| group.id),
        None => None,
    };
    let Some(Named::Address(address) | Named::Password(address)) = &refusal.named else { return Ok(named) };
    let Some(user) = r.user_by_address(address)? else { return Ok(named) };
    match named {
        Some(group) if refusal.means != Means::Password || r.membership(group, user.id)?.is_some() => {
            Ok(named)
        }
        _ => Ok(Some(user.home_group)),
    }
}

/// What is known of a refusal beyond its reject.
struct Explained {
    checks: Vec<Check>,
    /// "" when nothing is known to help.
    repair: String,
    /// The integration mistake that fits.
    cause: Option<&'static str>,
}

/// The access log's row of a refusal.
fn row(
    caller: &Caller,
    surface: &str,
    refusal: &Refusal,
    cause: Option<&str>,
    code: &str,
    tally: Tally,
) -> LogEntry {
    let times = refusal.times.map_or_else(String::new, |times| format!("; {times} since"));
    let cause = cause.map_or_else(String::new, |cause| format!("; likely cause: {cause}"));
    let detail = format!("{surface}: {}{cause}{times}{}", refusal.reject, tally.detail());
    let (operation, subject) = (refusal.means.operation(), refusal.subject.clone());
    let refused = LogEntry::refused(caller, refusal.group, operation, subject, refusal.reject.code(), detail);
    LogEntry { incident: Some(code.to_owned()), ..refused }
}

fn one_check(refusal: &Refusal) -> Check {
    Check {
        number: 1,
        name: refusal.means.operation().to_owned(),
        clause: "docs/compatibility.md, Authorize, tokens, web sessions".to_owned(),
        outcome: CheckOutcome::Failed,
        expected: "a valid credential of a user who may sign in".to_owned(),
        got: refusal.reject.to_string(),
    }
}

fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(CLAIMED_NAME_MOST).collect()
}

/// Passes the group that was asked for, or any when none was.
pub(super) fn in_group(asked: Option<GroupId>, group: GroupId) -> std::result::Result<(), Reject> {
    match asked {
        Some(asked) if asked != group => Err(Reject::OtherGroup(asked)),
        _ => Ok(()),
    }
}
