//! The assertion consumer: what an identity provider answered is judged, and somebody is signed in.
//! Wire contract §3.5.
//!
//! The verdict comes first and needs no transaction. All that follows from it is one ([`super::admit`]).

use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::error::Result;
use crate::model::relative::RelativeTarget;
use crate::model::sso::Status;
use crate::model::{Caller, GroupId};
use crate::protocol::saml::bindings::Encoding;
use crate::protocol::saml::identity::Identity;
use crate::protocol::saml::verdict::{explain, verdict_on_post};
use crate::store::{PendingRequest, Reader};

use super::admit::{Act, Admitted, Denied};
use super::answer::{Answer, Outcome, Refusal, SignedIn};
use super::begin::is_browser_token;
use super::judge::{Checklist, Circumstances, Grounds};
use super::metadata::acs_url;
use super::reject::SsoReject;
use super::target::Target;

/// What was posted to the ACS.
pub struct Posted<'r> {
    pub group: GroupId,
    /// The form field `SAMLResponse`; "" when there is none.
    pub response: &'r str,
    /// The browser's cookie.
    pub browser: Option<&'r str>,
    /// Where people reach this server.
    pub origin: &'r str,
    /// The URL that was posted to, as it was written.
    pub url: &'r str,
    /// What that URL asks for.
    pub target: Target,
}

/// An attempt on its way.
pub(super) struct Attempt<'r> {
    pub caller: &'r Caller,
    pub posted: &'r Posted<'r>,
    pub grounds: Grounds,
    /// The requests of this browser that wait for an answer.
    pub pending: Vec<PendingRequest>,
    pub circumstances: Circumstances,
    pub now: Timestamp,
}

/// What a judgement needs, or whom to refuse and why.
type Found = std::result::Result<(Grounds, Vec<PendingRequest>), (Option<GroupId>, SsoReject)>;

impl Desk {
    /// Judges what was posted to the ACS of a group, and signs in.
    ///
    /// # Errors
    /// Our own faults only; a refusal is an [`Answer`].
    pub fn consume_saml(&self, caller: &Caller, posted: &Posted<'_>) -> Result<Answer> {
        let now = self.clock.now();
        let (grounds, pending) = match self.store.snapshot(|r| self.found(r, posted, now))? {
            Ok(found) => found,
            Err((group, reject)) => {
                let error = self.refuse_outright(caller, group, &reject)?;
                let refusal = Refusal { error, embedded: posted.target.embedded, allowed_sites: Vec::new() };
                return Ok(Answer::Refused(Box::new(refusal)));
            }
        };
        let circumstances = Circumstances {
            acs: vec![acs_url(posted.origin, posted.group), posted.url.to_owned()],
            outstanding: pending.iter().map(|request| request.id.clone()).collect(),
        };
        let attempt = Attempt { caller, posted, grounds, pending, circumstances, now };
        if posted.response.is_empty() {
            let checks = Checklist(Vec::new());
            return self.refuse_attempt(&attempt, &SsoReject::WithoutResponse, None, checks);
        }
        let expectations = attempt.grounds.expectations(&attempt.circumstances, now);
        match verdict_on_post(posted.response, &expectations) {
            Ok(identity) => self.admit(&attempt, identity),
            Err(reject) => {
                let checks = attempt.explained();
                self.refuse_attempt(&attempt, &SsoReject::Response(Box::new(reject)), None, checks)
            }
        }
    }

    fn found(&self, r: &Reader<'_>, posted: &Posted<'_>, now: Timestamp) -> Result<Found> {
        let Some(configuration) = r.sso_configuration(posted.group)? else {
            return Ok(Err((None, SsoReject::UnknownGroup { got: posted.group.to_string() })));
        };
        let grounds = match Grounds::read(self, r, configuration)? {
            Ok(grounds) => grounds,
            Err(reject) => return Ok(Err((Some(posted.group), reject))),
        };
        let pending = match posted.browser.filter(|browser| is_browser_token(browser)) {
            None => Vec::new(),
            Some(browser) => {
                let browser = self.keys.fingerprint_of(browser.as_bytes());
                r.pending_requests(posted.group, &browser, now)?
            }
        };
        Ok(Ok((grounds, pending)))
    }

    /// Signs in whom the verdict named, or refuses.
    fn admit(&self, attempt: &Attempt<'_>, identity: Identity) -> Result<Answer> {
        let (group, now) = (attempt.posted.group, attempt.now);
        let configuration = &attempt.grounds.configuration;
        let target = attempt.target(Some(&identity));
        let explained = target.test || configuration.status == Status::Provisioning;
        let checks = if explained { attempt.explained() } else { Checklist(Vec::new()) };
        let needs_key = !target.test && target.redirect().is_none();
        let has_api_key = !needs_key || self.store.read(|r| r.sealed_api_keys(group))?.0.is_some();
        let session = self.prepared_web_session(now)?;
        let act = Act {
            caller: attempt.caller.clone(),
            configuration: configuration.clone(),
            key: attempt.grounds.stored.get(identity.key_index).cloned(),
            kept: self.keepable(attempt)?,
            identity,
            needs_key,
            has_api_key,
            only_test: target.test,
            session: (session.fingerprint, session.expires_at),
            checks,
        };
        match self.store.write(now, move |w| act.carry_out(w))? {
            Err(denied) => {
                let Denied { reject, identity, checks } = *denied;
                let checks = if explained { checks } else { attempt.explained().and(checks) };
                self.refuse_attempt(attempt, &reject, Some(&identity), checks)
            }
            Ok(admitted) if target.test => {
                Ok(Answer::Diagnosed(Box::new(self.diagnosed(attempt, *admitted))))
            }
            Ok(admitted) => {
                let Admitted { member: Some(member), .. } = *admitted else {
                    return Err(crate::error::Error::fault("sso_member", "a sign-in without a member"));
                };
                let outcome = match target.redirect() {
                    Some(path) => Outcome::Redirect(path),
                    None => {
                        let text = self.login_key_text(group, member.membership.puid.as_ref(), now)?;
                        Outcome::LoginKey { text, embedded: target.embedded }
                    }
                };
                Ok(Answer::SignedIn(Box::new(SignedIn {
                    group,
                    user: member.user.id,
                    web_session: session.value(group, member.user.id),
                    address: member.user.address,
                    outcome,
                    allowed_sites: configuration.allowed_sites.clone(),
                })))
            }
        }
    }
}

impl Attempt<'_> {
    /// The numbered checks on the response.
    pub fn explained(&self) -> Checklist {
        let expectations = self.grounds.expectations(&self.circumstances, self.now);
        let response = self.posted.response.as_bytes();
        Checklist(explain(response, Encoding::Base64, &expectations).checks)
    }

    /// What the sign-in is for: what its request kept; else what the ACS URL says; else the group's redirect.
    pub fn target(&self, identity: Option<&Identity>) -> Target {
        let request = match identity {
            Some(identity) => {
                self.pending.iter().find(|request| Some(&request.id) == identity.in_response_to.as_ref())
            }
            // A refused response says nothing that could be believed; one request can only be meant.
            None => self.pending.first().filter(|_| self.pending.len() == 1),
        };
        if let Some(request) = request {
            return serde_json::from_str(&request.target).unwrap_or_default();
        }
        if !self.posted.target.is_plain() {
            return self.posted.target.clone();
        }
        let redirect = RelativeTarget::parse(&self.grounds.configuration.idp_initiated_redirect);
        redirect.as_ref().map(Target::to).unwrap_or_default()
    }
}
