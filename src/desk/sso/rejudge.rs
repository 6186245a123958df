//! Re-judge: a kept response is judged again, at another time or with other settings. Nobody is signed in,
//! nothing is written but the row in the access log that says who looked.

use crate::clock::Timestamp;
use crate::desk::ground::permission;
use crate::desk::sso::Sso;
use crate::error::{Error, Result};
use crate::model::sso::LOGIN_KEY_CHECK;
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::check::Check;
use crate::protocol::saml::bindings::Encoding;
use crate::protocol::saml::identity::Identity;
use crate::protocol::saml::verdict::explain;
use crate::store::Reader;

use super::admit::{rehearsed, replay_fingerprint};
use super::attempts::kept_place;
use super::configure::draft;
use super::judge::{Checklist, Circumstances, Grounds};
use super::known_configuration::known;
use super::reject::SsoReject;

/// How a response is judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The time of judgement; `None`: when it came.
    pub now: Option<Timestamp>,
    /// Fields of the configuration that have other values this time.
    pub fields: Vec<(String, String)>,
}

/// A response that was judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejudged {
    pub at: Timestamp,
    pub checks: Vec<Check>,
    /// Code and likely repair of the first check that failed; `None`: it would be accepted.
    pub reject: Option<(&'static str, String)>,
}

impl Sso {
    /// Judges a kept response of a group again.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `response_not_kept`; `Invalid` for
    /// a field that breaks its rule.
    pub fn rejudge_sso(
        &self,
        caller: &Caller,
        group: GroupId,
        id: i64,
        settings: &Settings,
    ) -> Result<Rejudged> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        let rejudged = self.ground.store.snapshot(|r| {
            let gone = || {
                let public = "The response is not kept. Responses are kept for 24 hours, while in \
                              Provisioning, when that is switched on.";
                Error::not_found("response_not_kept", public)
            };
            let attempt = r.saml_attempt(group, id)?.ok_or_else(gone)?;
            let kept = r.kept_response(group, id, now)?.ok_or_else(gone)?;
            let response = self.ground.keys.open_sealed(&kept_place(group), &kept.sealed)?;
            let circumstances: Circumstances = serde_json::from_str(&kept.circumstances)
                .map_err(|e| Error::fault("saml_circumstances", e.to_string()))?;
            let draft = draft(known(r, group)?, &settings.fields);
            if let Some(error) = draft.errors.into_iter().next() {
                return Err(error);
            }
            let at = settings.now.unwrap_or(attempt.at);
            let rejected = |reject: &SsoReject| Some((reject.code(), reject.repair().to_owned()));
            let grounds = match Grounds::read(self, r, draft.configuration)? {
                Ok(grounds) => grounds,
                Err(reject) => {
                    let mut checks = Checklist::default();
                    checks.failed(&reject);
                    return Ok(Rejudged { at, checks: checks.0, reject: rejected(&reject) });
                }
            };
            let expectations = grounds.expectations(&circumstances, at);
            let explanation = explain(response.expose(), Encoding::Base64, &expectations);
            let mut checks = Checklist(explanation.checks);
            let reject = match explanation.verdict {
                Err(reject) => rejected(&SsoReject::Response(Box::new(reject))),
                Ok(identity) => {
                    let reject = rehearsed(r, &grounds.configuration, &identity, &mut checks)?;
                    if reject.is_none() {
                        not_judged_again(r, &attempt.checks, &identity, &mut checks)?;
                    }
                    reject.as_ref().and_then(rejected)
                }
            };
            Ok(Rejudged { at, checks: checks.0, reject })
        })?;
        let detail = format!(
            "attempt {id} at {}: {}",
            rejudged.at,
            rejudged.reject.as_ref().map_or("accepted", |r| r.0)
        );
        self.ground.record_reading(LogEntry::done(
            caller,
            Some(group),
            "sso.re-judge",
            group.to_string(),
            detail,
        ))?;
        Ok(rejudged)
    }
}

/// Notes the rules that are not judged when judging again, in the order in which a sign-in meets them, so that each
/// check has the number that it had when the response came.
fn not_judged_again(
    r: &Reader<'_>,
    first_time: &str,
    identity: &Identity,
    checks: &mut Checklist,
) -> Result<()> {
    const EXPECTED: &str = "not judged when judging again";
    let first_time: Vec<Check> = serde_json::from_str(first_time).unwrap_or_default();
    if let Some(check) = first_time.iter().find(|check| check.name == LOGIN_KEY_CHECK) {
        checks.open(LOGIN_KEY_CHECK, &check.clause, EXPECTED, check.got.clone());
    }
    let used = r.assertion_was_used(&replay_fingerprint(identity))?;
    let got = if used { "used before; not judged this time" } else { "new" };
    checks.passed("First use", "Profiles 4.1.4.5", EXPECTED, got);
    Ok(())
}
