//! The assertion consumer: what an identity provider answered is judged, and somebody is signed in.
//! Wire contract §3.5.
//!
//! The verdict comes first and needs no transaction. All that follows from it is one ([`super::admit`]).

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::web_session::PreparedWebSession;
use crate::error::{Error, Result};
use crate::model::relative::RelativeTarget;
use crate::model::sso::{Autoprovision, Status};
use crate::model::{Caller, GroupId};
use crate::promise::Promise;
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

/// What was posted to the ACS. Owned, because it is answered when the request is gone.
pub struct Posted {
    pub group: GroupId,
    /// The form field `SAMLResponse`; "" when there is none.
    pub response: String,
    /// The browser's cookie.
    pub browser: Option<String>,
    /// Where people reach this server.
    pub origin: String,
    /// The URL that was posted to, as it was written.
    pub url: String,
    /// What that URL asks for.
    pub target: Target,
}

/// An attempt on its way.
pub(super) struct Attempt {
    pub caller: Caller,
    pub posted: Posted,
    pub grounds: Grounds,
    /// The requests of this browser that wait for an answer.
    pub pending: Vec<PendingRequest>,
    pub circumstances: Circumstances,
    pub now: Timestamp,
}

/// What a judgement needs, or whom to refuse and why.
type Found = std::result::Result<(Grounds, Vec<PendingRequest>), (Option<GroupId>, SsoReject)>;

impl Desk {
    /// Judges what was posted to the ACS of a group, and signs in, when that is durable.
    ///
    /// # Errors
    /// Our own faults only; a refusal is an [`Answer`].
    pub fn consume_saml(self: &Arc<Self>, caller: Caller, posted: Posted) -> Result<Promise<Answer>> {
        let now = self.clock.now();
        let (grounds, pending) = match self.store.snapshot(|r| self.found(r, &posted, now))? {
            Ok(found) => found,
            Err((group, reject)) => {
                let error = self.refuse_outright(&caller, group, &reject)?;
                let refusal = Refusal { error, embedded: posted.target.embedded, allowed_sites: Vec::new() };
                return Ok(Promise::kept(Ok(Answer::Refused(Box::new(refusal)))));
            }
        };
        let circumstances = Circumstances {
            acs: vec![acs_url(&posted.origin, posted.group), posted.url.clone()],
            outstanding: pending.iter().map(|request| request.id.clone()).collect(),
        };
        let attempt = Attempt { caller, posted, grounds, pending, circumstances, now };
        if attempt.posted.response.is_empty() {
            let checks = Checklist(Vec::new());
            let refused = self.refuse_attempt(&attempt, &SsoReject::WithoutResponse, None, checks)?;
            return Ok(Promise::kept(Ok(refused)));
        }
        let expectations = attempt.grounds.expectations(&attempt.circumstances, now);
        match verdict_on_post(&attempt.posted.response, &expectations) {
            Ok(identity) => self.admit(attempt, identity),
            Err(reject) => {
                let checks = attempt.explained();
                let reject = SsoReject::Response(Box::new(reject));
                Ok(Promise::kept(Ok(self.refuse_attempt(&attempt, &reject, None, checks)?)))
            }
        }
    }

    fn found(&self, r: &Reader<'_>, posted: &Posted, now: Timestamp) -> Result<Found> {
        let Some(configuration) = r.sso_configuration(posted.group)? else {
            return Ok(Err((None, SsoReject::UnknownGroup { got: posted.group.to_string() })));
        };
        let grounds = match Grounds::read(self, r, configuration)? {
            Ok(grounds) => grounds,
            Err(reject) => return Ok(Err((Some(posted.group), reject))),
        };
        let pending = match posted.browser.as_deref().filter(|browser| is_browser_token(browser)) {
            None => Vec::new(),
            Some(browser) => {
                let browser = self.keys.fingerprint_of(browser.as_bytes());
                r.pending_requests(posted.group, &browser, now)?
            }
        };
        Ok(Ok((grounds, pending)))
    }

    /// Signs in whom the verdict named, or refuses.
    fn admit(self: &Arc<Self>, attempt: Attempt, identity: Identity) -> Result<Promise<Answer>> {
        let configuration = &attempt.grounds.configuration;
        let target = attempt.target(Some(&identity));
        let explained = target.test || configuration.status == Status::Provisioning;
        let checks = if explained { attempt.explained() } else { Checklist(Vec::new()) };
        let needs_key = !target.test && target.redirect().is_none();
        let api_key = match needs_key {
            true => self.store.read(|r| r.sealed_api_keys(configuration.group))?.0,
            false => None,
        };
        let session = self.prepared_web_session(attempt.now)?;
        let act = Act {
            caller: attempt.caller.clone(),
            configuration: configuration.clone(),
            key: attempt.grounds.stored.get(identity.key_index).cloned(),
            own_key: identity.decryption_key.and_then(|key| attempt.grounds.ours.ids.get(key)).copied(),
            kept: self.keepable(&attempt)?,
            identity,
            needs_key,
            has_api_key: api_key.is_some(),
            only_test: target.test,
            session: (session.fingerprint, session.expires_at),
            checks,
        };
        let desk = Arc::clone(self);
        let carried_out = match act.configuration.autoprovision {
            Autoprovision::Off => self.store.leave_trace(attempt.now, move |w| act.carry_out(w)),
            _ => self.store.write_promised(attempt.now, move |w| act.carry_out(w)),
        };
        Ok(carried_out.then(move |admitted| match admitted? {
            Err(denied) => {
                let Denied { reject, identity, checks } = *denied;
                let checks = if explained { checks } else { attempt.explained().and(checks) };
                desk.refuse_attempt(&attempt, &reject, Some(&identity), checks)
            }
            Ok(admitted) if target.test => {
                Ok(Answer::Diagnosed(Box::new(desk.diagnosed(&attempt, *admitted))))
            }
            Ok(admitted) => desk.signed_in(&attempt, &target, *admitted, &session, api_key.as_deref()),
        }))
    }

    fn signed_in(
        &self,
        attempt: &Attempt,
        target: &Target,
        admitted: Admitted,
        session: &PreparedWebSession,
        api_key: Option<&[u8]>,
    ) -> Result<Answer> {
        let lost = || Error::fault("sso_member", "a sign-in without a member");
        let member = admitted.member.ok_or_else(lost)?;
        let group = attempt.posted.group;
        let outcome = match target.redirect() {
            Some(path) => Outcome::Redirect(path),
            None => {
                let puid = member.membership.puid.as_ref();
                let text = self.login_key_text(group, api_key, puid, attempt.now)?;
                Outcome::LoginKey { text, embedded: target.embedded }
            }
        };
        Ok(Answer::SignedIn(Box::new(SignedIn {
            group,
            user: member.user.id,
            web_session: session.value(group, member.user.id),
            address: member.user.address,
            outcome,
            allowed_sites: attempt.grounds.configuration.allowed_sites.clone(),
        })))
    }
}

impl Attempt {
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
