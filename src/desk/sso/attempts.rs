//! What is kept of a sign-in for the administrator: each refusal under its incident code, and in
//! Provisioning everything, with the attributes to pick from and, if wanted, the response itself.

use std::collections::BTreeMap;

use crate::desk::ground::permission;
use crate::desk::ground::refusal::{IncidentNote, NotedWhen, Refusal, RefusalNote, shortened};
use crate::desk::ground::sign_ins::SAML;
use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::addresses::acs_url;
use crate::model::sso::compared::ComparedKeys;
use crate::model::sso::{KeptAttempt, Status};
use crate::model::{Caller, GroupId};
use crate::protocol::check::Check;
use crate::protocol::saml::bindings;
use crate::protocol::saml::identity::Identity;
use crate::protocol::saml::names::FORMAT_TRANSIENT;
use crate::secret::{Secret, typed_incident_code};
use crate::store::{KeptResponse, NewAttempt, Reader};

use super::admit::Admitted;
use super::answer::{RefusedBrowser, SsoAnswer};
use super::compared::compared;
use super::diagnosis::{Diagnosis, attributes, attributes_json};
use super::disclosure::{Disclosure, disclosed};
use super::judge::Checklist;
use super::operations::{OPERATION, TEST_OPERATION};
use super::posted::SsoAttempt;
use super::reject::SsoReject;
use super::select::GroupSelector;
use super::tile::repair_of_tile;

/// How long a response is kept, in seconds: a day, as the help text says.
const KEPT_SECONDS: i64 = 24 * 3600;
/// Attempts on the page.
const SHOWN: u32 = 50;
/// What a person reads who is refused.
const SENTENCE: &str = "You could not be signed in.";

impl Sso {
    /// Refuses where there is nothing to judge: no such group, Off, no keys.
    pub(super) fn refuse_outright(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        reject: &SsoReject,
    ) -> Result<Error> {
        let now = self.ground.clock.now();
        let incident = self.ground.turn_away(refusal(caller, OPERATION, reject), now, |_| {
            let mut checks = Checklist::default();
            checks.failed(reject);
            Ok(RefusalNote {
                group,
                subject: group.map_or_else(String::new, |group| group.to_string()),
                detail: detail(reject),
                incident: Some(incident_note(reject.repair().to_owned(), &checks)),
                change: None,
            })
        })?;
        Ok(Error { incident, ..Error::new(Kind::Denied, reject.code(), SENTENCE) })
    }

    /// Refuses somebody who named no group, or one that does not exist.
    ///
    /// # Errors
    /// `Fault` when the database fails; the refusal is what it gives back.
    pub fn refuse_unknown_group(&self, caller: &Caller, selector: Option<&GroupSelector>) -> Result<Error> {
        let got = shortened(selector.map_or("", |selector| selector.text()));
        let reject = SsoReject::UnknownGroup { got };
        self.refuse_outright(caller, None, &reject)
    }

    /// Refuses what was posted to the ACS and not read, because it is larger than `most` bytes.
    ///
    /// # Errors
    /// `Fault` when the database fails; the refusal is what it gives back.
    pub fn refuse_long_response(
        &self,
        caller: &Caller,
        selector: Option<&GroupSelector>,
        most: usize,
        embedded: bool,
    ) -> Result<RefusedBrowser> {
        let named = self.ground.store.read(|r| {
            let named = selector.map(|selector| selector.find(r)).transpose()?.flatten();
            let Some(configuration) = named.map(|group| r.sso_configuration(group)).transpose()?.flatten()
            else {
                return Ok(None);
            };
            Ok(Some((configuration.group, r.allowed_sites(configuration.group)?)))
        })?;
        let (group, allowed_sites) = named.map_or((None, Vec::new()), |(group, sites)| (Some(group), sites));
        let error = self.refuse_outright(caller, group, &SsoReject::ResponseTooLong { most })?;
        let public = format!(
            "{SENTENCE} The answer of your identity provider is larger than {} KiB, the most that is read here. Trying \
             again does not help: tell your administrator. The identity provider must send less, such as fewer groups.",
            most / 1024
        );
        let error = Error { kind: Kind::Http(413), public, ..error };
        Ok(RefusedBrowser { allowed_sites, ..RefusedBrowser::plain(error, embedded) })
    }

    /// Refuses a response, and keeps why. `identity` is what a verified assertion said.
    pub(super) fn refuse_attempt(
        &self,
        attempt: &SsoAttempt,
        reject: &SsoReject,
        identity: Option<&Identity>,
        mut checks: Checklist,
    ) -> Result<SsoAnswer> {
        if checks.0.is_empty() {
            checks.failed(reject);
        }
        let target = attempt.target(identity);
        let operation = if target.test { TEST_OPERATION } else { OPERATION };
        let refusal = refusal(&attempt.caller, operation, reject);
        let incident = self.ground.turn_away(refusal, attempt.now, |incident| {
            self.note_of_attempt(attempt, reject, identity, &checks, incident)
        })?;
        if target.test {
            let keys = keys_of(attempt, reject, &checks);
            let Disclosure { reject, checks, keys } = disclosed(reject, checks, keys);
            let diagnosis = diagnosis(attempt, checks, identity);
            return Ok(SsoAnswer::Diagnosed(Box::new(Diagnosis {
                reject: Some(reject),
                incident,
                keys,
                ..diagnosis
            })));
        }
        let configuration = &attempt.grounds.configuration;
        let begins_here = !configuration.endpoint_url.is_empty();
        let again = begins_here.then(|| acs_url("", configuration.group) + &target.as_parameters());
        Ok(SsoAnswer::Refused(Box::new(RefusedBrowser {
            error: Error { incident, ..Error::new(Kind::Denied, reject.code(), SENTENCE) },
            again,
            embedded: target.embedded,
            allowed_sites: attempt.grounds.allowed_sites.clone(),
        })))
    }

    /// What is kept of a response that is refused.
    fn note_of_attempt(
        &self,
        attempt: &SsoAttempt,
        reject: &SsoReject,
        identity: Option<&Identity>,
        checks: &Checklist,
        incident: &str,
    ) -> Result<RefusalNote> {
        let configuration = &attempt.grounds.configuration;
        let group = configuration.group;
        let subject = identity.and_then(|i| i.name_id.as_ref()).map_or("", |n| n.value.as_str()).to_owned();
        let provisioning = configuration.status == Status::Provisioning;
        let kept = NewAttempt {
            group,
            incident: Some(incident.to_owned()),
            code: Some(reject.code()),
            subject: subject.clone(),
            checks: checks.to_json(),
            keys: keys_of(attempt, reject, checks).and_then(|keys| serde_json::to_string(&keys).ok()),
            attributes: identity.filter(|_| provisioning).map(attributes_json),
            kept: self.keepable(attempt)?,
        };
        Ok(RefusalNote {
            group: Some(group),
            subject,
            detail: detail(reject),
            incident: Some(incident_note(self.repair(attempt, reject, identity)?, checks)),
            change: Some(Box::new(move |w| w.insert_saml_attempt(&kept).map(drop))),
        })
    }

    /// What the diagnostic page shows of a test that went well.
    pub(super) fn diagnosed(&self, attempt: &SsoAttempt, admitted: Admitted) -> Diagnosis {
        diagnosis(attempt, admitted.checks, Some(&admitted.identity))
    }

    /// The response, sealed, when the administrator wants it kept.
    pub(super) fn keepable(&self, attempt: &SsoAttempt) -> Result<Option<KeptResponse>> {
        let configuration = &attempt.grounds.configuration;
        let wanted = configuration.keep_responses && configuration.status == Status::Provisioning;
        if !wanted || attempt.posted.response.is_empty() {
            return Ok(None);
        }
        let response = Secret::new(attempt.posted.response.as_bytes());
        let circumstances = serde_json::to_string(&attempt.circumstances)
            .map_err(|e| Error::fault("saml_circumstances", e.to_string()))?;
        Ok(Some(KeptResponse {
            sealed: self.ground.keys.seal(&kept_place(configuration.group), &response)?,
            circumstances,
            until: attempt.now.plus_seconds(KEPT_SECONDS),
        }))
    }

    /// What the administrator should change. Where nobody was found, what else came may tell.
    fn repair(
        &self,
        attempt: &SsoAttempt,
        reject: &SsoReject,
        identity: Option<&Identity>,
    ) -> Result<String> {
        if let Some(identity) = identity
            && let Some(repair) = of_tile(attempt, reject, identity)
        {
            return Ok(repair);
        }
        let named = &attempt.grounds.configuration.identity_attribute;
        if matches!(reject, SsoReject::UserAmbiguous { .. })
            && identity.is_some_and(|identity| identity.texts(named).nth(1).is_some())
        {
            return Ok(format!(
                "The attribute “{named}” came with several values, and they name different users: have the identity \
                 provider send one."
            ));
        }
        let nobody = matches!(
            reject,
            SsoReject::UserUnknown { .. }
                | SsoReject::WithoutIdentifier
                | SsoReject::IdentityAttributeMissing { .. }
        );
        let Some(identity) = identity.filter(|_| nobody) else { return Ok(reject.repair().to_owned()) };
        let group = attempt.grounds.configuration.group;
        let named = self.ground.store.read(|r| attribute_that_names(r, group, identity))?;
        if let Some(name) = named {
            // The identity provider chose the name: nobody should paste it into a shell unseen.
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b":./_-".contains(&b));
            let command = match plain {
                true => format!(" (sidelight sso set identity_attribute={name} --group {group})"),
                false => String::new(),
            };
            return Ok(format!(
                "The attribute “{name}” names a user of the group: make it the User Identity Attribute Name{command}."
            ));
        }
        let transient = identity.name_id_format() == Some(FORMAT_TRANSIENT);
        let why = if transient { "The NameID is transient, another one at each sign-in. " } else { "" };
        Ok(format!("{why}{}", reject.repair()))
    }

    /// The latest attempts of a group, newest first: refusals, and in Provisioning everything.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn sso_attempts(&self, caller: &Caller, group: GroupId) -> Result<Vec<KeptAttempt>> {
        permission::administer(caller, group)?;
        self.ground.store.read(|r| r.saml_attempts(group, SHOWN))
    }

    /// One attempt of a group with its checks.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `attempt_unknown`.
    pub fn sso_attempt(&self, caller: &Caller, group: GroupId, id: i64) -> Result<(KeptAttempt, Vec<Check>)> {
        permission::administer(caller, group)?;
        let unknown = || Error::not_found("attempt_unknown", "This attempt is not kept any more.");
        let attempt = self.ground.store.read(|r| r.saml_attempt(group, id))?.ok_or_else(unknown)?;
        let checks = serde_json::from_str(&attempt.checks).unwrap_or_default();
        Ok((attempt, checks))
    }

    /// The attempt behind an incident code of a group; `None` when it is not kept.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn sso_attempt_of_incident(
        &self,
        caller: &Caller,
        group: GroupId,
        incident: &str,
    ) -> Result<Option<KeptAttempt>> {
        permission::administer(caller, group)?;
        self.ground.store.read(|r| {
            match r.saml_attempt_of_incident(group, &typed_incident_code(incident))? {
                Some(id) => r.saml_attempt(group, id),
                None => Ok(None),
            }
        })
    }

    /// The attributes of recent assertions, to pick from: each name with an example, NameID first.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn recent_sso_attributes(&self, caller: &Caller, group: GroupId) -> Result<Vec<(String, String)>> {
        let mut found: Vec<(String, String)> = Vec::new();
        for attempt in self.sso_attempts(caller, group)? {
            let Some(attributes) = attempt.attributes else { continue };
            let named: BTreeMap<String, Vec<String>> = serde_json::from_str(&attributes).unwrap_or_default();
            let name_id = ("NameID".to_owned(), attempt.subject);
            let each = named.into_iter().map(|(name, values)| (name, values.join(", ")));
            for (name, example) in std::iter::once(name_id).chain(each) {
                if !example.is_empty() && !found.iter().any(|(known, _)| *known == name) {
                    found.push((name, example));
                }
            }
        }
        Ok(found)
    }
}

fn keys_of(attempt: &SsoAttempt, reject: &SsoReject, checks: &Checklist) -> Option<ComparedKeys> {
    compared(&attempt.grounds.theirs.keys, attempt.presented.as_ref(), reject, checks)
}

/// The repair of a sign-in that the identity provider started and that nothing told where to end.
fn of_tile(attempt: &SsoAttempt, reject: &SsoReject, identity: &Identity) -> Option<String> {
    let asked = attempt.request(Some(identity)).is_some() || !attempt.posted.target.is_plain();
    if asked { None } else { repair_of_tile(reject) }
}

/// The first attribute whose one value names one user of the group.
fn attribute_that_names(r: &Reader<'_>, group: GroupId, identity: &Identity) -> Result<Option<String>> {
    /// An assertion may hold thousands.
    const TRIED_MOST: usize = 50;
    for attribute in identity.attributes.iter().take(TRIED_MOST) {
        let mut values = identity.texts(&attribute.name).filter(|value| !value.is_empty());
        if let (Some(value), None) = (values.next(), values.next())
            && r.members_named(group, value)?.len() == 1
        {
            return Ok(Some(attribute.name.clone()));
        }
    }
    Ok(None)
}

fn refusal<'a>(caller: &'a Caller, operation: &'static str, reject: &SsoReject) -> Refusal<'a> {
    let (means, noted) = (Some(SAML), NotedWhen::Tallied);
    Refusal { caller, operation, code: reject.code(), means, failure: None, reserved: None, noted }
}

fn detail(reject: &SsoReject) -> String {
    format!("expected {}; got {}", reject.expected(), reject.got())
}

fn incident_note(repair: String, checks: &Checklist) -> IncidentNote {
    IncidentNote { surface: SAML.to_owned(), checks: checks.to_json(), repair }
}

/// Where a kept response belongs.
pub(super) fn kept_place(group: GroupId) -> String {
    format!("group/{group}/saml-response")
}

fn diagnosis(attempt: &SsoAttempt, checks: Checklist, identity: Option<&Identity>) -> Diagnosis {
    let document = bindings::decode_post(&attempt.posted.response).unwrap_or_default();
    Diagnosis {
        group: attempt.posted.group,
        checks: checks.0,
        reject: None,
        incident: None,
        name_id: identity.and_then(|i| i.name_id.as_ref()).map(|n| n.value.clone()),
        attributes: identity.map(attributes).unwrap_or_default(),
        document: String::from_utf8_lossy(&document).into_owned(),
        keys: None,
    }
}
