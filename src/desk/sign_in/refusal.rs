//! A sign-in that is refused: what is known around it, how it counts, whose refusal it is, and the little that the client
//! learns.

use super::explained::KeyClaim;
use super::reject::SignInReject;
use super::signed_in::{Means, SignedIn};
use crate::clock::Timestamp;
use crate::desk::ground::guard::{Account, FAILURES_MOST, Reserved, TooMany, WINDOW_SECONDS, Weight};
use crate::desk::ground::refusal::{ChangeOfRefusal, Failure, IncidentNote, NotedWhen, Refusal, RefusalNote};
use crate::desk::sign_in::SignIn;
use crate::error::{Error, Result};
use crate::model::{Caller, GroupId, UserId};
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::credential::Subject;
use crate::store::{Reader, Writer};

/// Why judging stopped: it refused, or it failed.
pub(super) enum Stop {
    Refused(Box<RefusedSignIn>),
    Failed(Error),
}

impl From<RefusedSignIn> for Stop {
    fn from(refusal: RefusedSignIn) -> Stop {
        Stop::Refused(Box::new(refusal))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// A refusal and what is known around it.
pub(super) struct RefusedSignIn {
    means: Means,
    reject: SignInReject,
    /// The group of somebody who proved who they are; in the end, whose refusal it is.
    group: Option<GroupId>,
    /// The group that the request names.
    asked: Option<GroupId>,
    subject: String,
    user: Option<UserId>,
    /// Whom the guard counts.
    named: Option<NamedAccount>,
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
enum NamedAccount {
    Puid(GroupId, String),
    Address(String),
    Password(String),
}

impl NamedAccount {
    fn account(&self) -> Account<'_> {
        match self {
            NamedAccount::Puid(group, puid) => Account::Puid(*group, puid),
            NamedAccount::Address(address) => Account::Address(address),
            NamedAccount::Password(name) => Account::Password(name),
        }
    }
}

impl RefusedSignIn {
    pub fn new(means: Means, reject: SignInReject) -> RefusedSignIn {
        let subject = String::new();
        let (group, asked, user, named, times, claim) = (None, None, None, None, None, None);
        let reserved = None;
        RefusedSignIn {
            means,
            reject,
            group,
            asked,
            subject,
            user,
            named,
            times,
            claim,
            outdated: false,
            reserved,
        }
    }

    /// Of somebody who proved who they are.
    pub fn of(self, signed_in: &SignedIn) -> RefusedSignIn {
        let subject = signed_in.address.to_string();
        RefusedSignIn { group: Some(signed_in.group), subject, user: Some(signed_in.user), ..self }
    }

    /// Of somebody who is named by a credential.
    pub fn naming(self, subject: &Subject) -> RefusedSignIn {
        match subject {
            Subject::Address(address) => RefusedSignIn {
                subject: address.clone(),
                named: Some(NamedAccount::Address(address.clone())),
                ..self
            },
            Subject::Partner { group, puid, .. } => RefusedSignIn {
                asked: Some(*group),
                subject: puid.clone(),
                named: Some(NamedAccount::Puid(*group, puid.clone())),
                ..self
            },
        }
    }

    /// Of a request that names a group, unless its credential does.
    pub fn asking(self, group: Option<GroupId>) -> RefusedSignIn {
        RefusedSignIn { asked: self.asked.or(group), ..self }
    }

    pub fn naming_address(self, address: &str) -> RefusedSignIn {
        self.naming(&Subject::Address(address.to_owned()))
    }

    /// Of somebody who is named beside a password.
    pub fn naming_user(self, name: &str) -> RefusedSignIn {
        RefusedSignIn {
            subject: name.to_owned(),
            named: Some(NamedAccount::Password(name.to_owned())),
            ..self
        }
    }

    pub fn user(self, user: UserId) -> RefusedSignIn {
        RefusedSignIn { user: Some(user), ..self }
    }

    pub fn explaining(self, claim: KeyClaim) -> RefusedSignIn {
        RefusedSignIn { claim: Some(Box::new(claim)), ..self }
    }

    pub fn outdated(self, outdated: bool) -> RefusedSignIn {
        RefusedSignIn { outdated, ..self }
    }

    pub fn reserving(self, reserved: Option<Reserved>) -> RefusedSignIn {
        RefusedSignIn { reserved, ..self }
    }

    pub fn too_many(means: Means, too_many: TooMany) -> RefusedSignIn {
        RefusedSignIn {
            times: Some(too_many.times),
            ..RefusedSignIn::new(means, SignInReject::TooManyAttempts)
        }
    }

    /// A login key that the guard refuses is noted the first, second, fourth, eighth time and so on, and tallied only
    /// then, so that one broken integration does not hide what else comes from its address. A password that the guard
    /// refuses is noted as that of a locked user is: the client sees whether it was.
    fn noted(&self) -> NotedWhen {
        let guessed = self.means == Means::Password && self.weight() == Some(Weight::Password);
        if self.means != Means::Password && self.times.is_some_and(|times| !times.is_power_of_two()) {
            NotedWhen::Never
        } else if guessed || self.locks().is_some() {
            NotedWhen::Always
        } else {
            NotedWhen::Tallied
        }
    }

    /// What the guard counts. A lock in the store counts for those who have a password; for all others the guard does.
    fn failure(&self) -> Option<Failure<'_>> {
        self.weight().map(|weight| Failure {
            account: self.named.as_ref().map_or(Account::Address(""), NamedAccount::account),
            weight,
            everywhere: weight == Weight::Password && self.locks().is_none(),
        })
    }

    fn weight(&self) -> Option<Weight> {
        match self.reject {
            _ if self.outdated => None,
            SignInReject::LoginKey(crate::protocol::login_key::LoginKeyReject::BadSignature)
            | SignInReject::UnknownGroup
            | SignInReject::UnknownWebSession
            | SignInReject::BadToken => Some(Weight::Key),
            SignInReject::WrongPassword
            | SignInReject::NoPassword
            | SignInReject::UnknownAddress
            | SignInReject::WrongIssuedCredentials => Some(match self.means {
                Means::Password => Weight::Password,
                _ => Weight::Key,
            }),
            _ => None,
        }
    }

    /// Whether the store counts it: a wrong password of a user who has one.
    fn locks(&self) -> Option<UserId> {
        self.user.filter(|_| self.reject == SignInReject::WrongPassword)
    }

    fn change(&self, now: Timestamp) -> Option<ChangeOfRefusal> {
        let user = self.locks()?;
        let (window, until) = (now.plus_seconds(-WINDOW_SECONDS), now.plus_seconds(WINDOW_SECONDS));
        Some(Box::new(move |w: &Writer<'_>| w.count_failure(user, FAILURES_MOST.into(), window, until)))
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
                self.refused(caller, surface, *refusal, now).unwrap_or_else(|error| error)
            }
        }
    }

    fn refused(
        &self,
        caller: &Caller,
        surface: &'static str,
        mut refused: RefusedSignIn,
        now: Timestamp,
    ) -> Result<Error> {
        let reserved = refused.reserved.take();
        let refusal = Refusal {
            caller,
            operation: refused.means.operation(),
            code: refused.reject.code(),
            means: Some(refused.means.name()),
            failure: refused.failure(),
            reserved,
            noted: refused.noted(),
        };
        let incident = self.ground.turn_away(refusal, now, |_| self.note_of(surface, &refused, now))?;
        Ok(Error { incident, ..refused.reject.to_public() })
    }

    fn note_of(&self, surface: &str, refused: &RefusedSignIn, now: Timestamp) -> Result<RefusalNote> {
        let group = self.ground.store.read(|r| owner(r, refused))?;
        let Explained { checks, repair, cause } = self.explained(refused, now)?;
        let times = refused.times.map_or_else(String::new, |times| format!("; {times} since"));
        let cause = cause.map_or_else(String::new, |cause| format!("; likely cause: {cause}"));
        let checks =
            serde_json::to_string(&checks).map_err(|e| Error::fault("incident_checks", e.to_string()))?;
        let named = refused.means.operation().trim_start_matches("sign-in.").to_owned();
        Ok(RefusalNote {
            group,
            subject: refused.subject.clone(),
            detail: format!("{surface}: {}{cause}{times}", refused.reject),
            incident: Some(IncidentNote { surface: named, checks, repair }),
            change: refused.change(now),
        })
    }

    fn explained(&self, refused: &RefusedSignIn, now: Timestamp) -> Result<Explained> {
        match &refused.claim {
            Some(claim) => {
                let explanation = self.explain_login_key(claim, now)?;
                let repair = explanation.repair().to_owned();
                let cause = explanation.diagnosis.map(|diagnosis| diagnosis.mistake.in_short());
                Ok(Explained { checks: explanation.checks, repair, cause })
            }
            None => {
                let repair = refused.reject.repair().to_owned();
                Ok(Explained { checks: vec![one_check(refused)], repair, cause: None })
            }
        }
    }
}

/// Whose refusal it is: that of the group whose administrators see it and open its incident; `None` for the appliance.
///
/// The group that somebody proved to belong to, or whose login key is explained; else the one that the request names, if
/// it exists, whether or not there is such a person; else the home group of the person whose Glance Address it names.
/// A password that is tried in a group that the person is no member of is the home group's.
fn owner(r: &Reader<'_>, refusal: &RefusedSignIn) -> Result<Option<GroupId>> {
    if refusal.group.is_some() {
        return Ok(refusal.group);
    }
    let named = refusal.claim.as_ref().map(|claim| claim.group).or(refusal.asked);
    let named = match named {
        Some(group) => r.group(group)?.map(|group| group.id),
        None => None,
    };
    let Some(NamedAccount::Address(address) | NamedAccount::Password(address)) = &refusal.named else {
        return Ok(named);
    };
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

fn one_check(refusal: &RefusedSignIn) -> Check {
    Check {
        number: 1,
        name: refusal.means.operation().to_owned(),
        clause: "docs/compatibility.md, Authorize, tokens, web sessions".to_owned(),
        outcome: CheckOutcome::Failed,
        expected: "a valid credential of a user who may sign in".to_owned(),
        got: refusal.reject.to_string(),
    }
}

/// Passes the group that was asked for, or any when none was.
pub(super) fn in_group(asked: Option<GroupId>, group: GroupId) -> std::result::Result<(), SignInReject> {
    match asked {
        Some(asked) if asked != group => Err(SignInReject::OtherGroup(asked)),
        _ => Ok(()),
    }
}
