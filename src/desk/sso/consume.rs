//! The assertion consumer: what an identity provider answered is judged, and somebody is signed in.
//! Wire contract §3.5.
//!
//! The verdict comes first and needs no transaction. All that follows from it is one ([`super::admit`]).

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Timestamp;
use crate::desk::ground::sign_ins::SAML;
use crate::desk::sign_in::web_session::PreparedWebSession;
use crate::desk::sso::Sso;
use crate::duty;
use crate::error::{Error, Result};
use crate::model::sso::Status;
use crate::model::sso::addresses::acs_url;
use crate::model::{Caller, GroupId};
use crate::promise::Promise;
use crate::protocol::saml::identity::Identity;
use crate::protocol::saml::verdict::{Reasons, judge_post};
use crate::store::{PendingRequest, Reader};

use super::admit::{Admission, AdmissionRequest, Admitted, Denied};
use super::answer::{Outcome, RefusedBrowser, SsoAnswer, SsoSignedIn};
use super::browser_token::is_browser_token;
use super::judge::{Checklist, Circumstances, Grounds};
use super::matching::Identifiers;
use super::posted::{Posted, SsoAttempt};
use super::reject::SsoReject;
use super::target::Target;

/// What a judgement needs, or whom to refuse and why.
type FoundGrounds = std::result::Result<Grounds, (Option<GroupId>, SsoReject)>;

impl Sso {
    /// Judges what was posted to the ACS of a group, and signs in, when that is durable.
    ///
    /// # Errors
    /// Our own faults only; a refusal is an [`SsoAnswer`].
    pub fn consume_saml(self: &Arc<Self>, caller: Caller, posted: Posted) -> Result<Promise<SsoAnswer>> {
        match self.ground.store.snapshot(|r| self.found(r, posted.group))? {
            Ok(grounds) => self.consume(caller, posted, Arc::new(grounds)),
            Err((group, reject)) => {
                let error = self.refuse_outright(&caller, group, &reject)?;
                let refusal = RefusedBrowser::plain(error, posted.target.embedded);
                Ok(Promise::kept(Ok(SsoAnswer::Refused(Box::new(refusal)))))
            }
        }
    }

    /// Judges by these grounds.
    fn consume(
        self: &Arc<Self>,
        caller: Caller,
        posted: Posted,
        grounds: Arc<Grounds>,
    ) -> Result<Promise<SsoAnswer>> {
        let now = self.ground.clock.now();
        let pending = self.pending(&posted, now)?;
        let mut acs = vec![acs_url(&posted.origin, posted.group)];
        if !acs.contains(&posted.url) {
            acs.push(posted.url.clone());
        }
        let circumstances =
            Circumstances { acs, outstanding: pending.iter().map(|request| request.id.clone()).collect() };
        let attempt = SsoAttempt { caller, posted, grounds, pending, circumstances, presented: None, now };
        if attempt.posted.response.is_empty() {
            let checks = Checklist::default();
            let refused = self.refuse_attempt(&attempt, &SsoReject::WithoutResponse, None, checks)?;
            return Ok(Promise::kept(Ok(refused)));
        }
        if !attempt.grounds.ours.keys.is_empty() {
            // Decrypting takes milliseconds.
            duty::relieve();
        }
        let expectations = attempt.grounds.expectations(&attempt.circumstances, now);
        let began = Instant::now();
        let (verdict, reasons) = judge_post(&attempt.posted.response, &expectations).into_parts();
        self.ground.sign_ins.judged_saml_since(began);
        match verdict {
            Ok(identity) => {
                self.ground.sign_ins.clock_was_ahead(now.0.saturating_sub(identity.issued_at));
                self.admit(attempt, identity, reasons)
            }
            Err(reject) => {
                duty::relieve();
                let checks = Checklist(reasons.checks());
                let attempt = SsoAttempt { presented: reasons.presented().cloned(), ..attempt };
                let reject = SsoReject::Response(Box::new(reject));
                Ok(Promise::kept(Ok(self.refuse_attempt(&attempt, &reject, None, checks)?)))
            }
        }
    }

    fn found(&self, r: &Reader<'_>, group: GroupId) -> Result<FoundGrounds> {
        let Some(configuration) = r.sso_configuration(group)? else {
            return Ok(Err((None, SsoReject::UnknownGroup { got: group.to_string() })));
        };
        Ok(Grounds::read(self, r, configuration)?.map_err(|reject| (Some(group), reject)))
    }

    /// The requests of the browser that posted which wait for an answer.
    fn pending(&self, posted: &Posted, now: Timestamp) -> Result<Vec<PendingRequest>> {
        let Some(browser) = posted.browser.as_deref().filter(|browser| is_browser_token(browser)) else {
            return Ok(Vec::new());
        };
        let browser = self.ground.keys.fingerprint_of(browser.as_bytes());
        self.ground.store.read(|r| r.pending_requests(posted.group, &browser, now))
    }

    /// Signs in whom the verdict named, or refuses.
    fn admit(
        self: &Arc<Self>,
        attempt: SsoAttempt,
        identity: Identity,
        reasons: Reasons,
    ) -> Result<Promise<SsoAnswer>> {
        let configuration = &attempt.grounds.configuration;
        let target = attempt.target(Some(&identity));
        let explained = target.test || configuration.status == Status::Provisioning;
        let checks = explained.then(|| Checklist(reasons.checks()));
        let needs_key = !target.test && target.redirect().is_none();
        let session = self.sign_in.prepared_web_session(attempt.now)?;
        let identifiers = Identifiers::of(configuration, &identity);
        let act = AdmissionRequest {
            caller: attempt.caller.clone(),
            grounds: Arc::clone(&attempt.grounds),
            kept: self.keepable(&attempt)?,
            identity,
            identifiers,
            needs_key,
            only_test: target.test,
            session: (session.fingerprint, session.expires_at),
            checks,
        };
        let sso = Arc::clone(self);
        let carried_out = self.ground.store.write_promised(attempt.now, move |w| act.carry_out(w));
        Ok(carried_out.then(move |carried| match carried? {
            Admission::Refused(denied) => {
                let Denied { reject, identity, checks } = *denied;
                let checks = if explained { checks } else { Checklist(reasons.checks()).and(checks) };
                sso.refuse_attempt(&attempt, &reject, Some(&identity), checks)
            }
            Admission::In(admitted) => {
                if target.test {
                    return Ok(SsoAnswer::Diagnosed(Box::new(sso.diagnosed(&attempt, *admitted))));
                }
                sso.signed_in(&attempt, &target, *admitted, &session)
            }
        }))
    }

    fn signed_in(
        &self,
        attempt: &SsoAttempt,
        target: &Target,
        admitted: Admitted,
        session: &PreparedWebSession,
    ) -> Result<SsoAnswer> {
        let lost = || Error::fault("sso_member", "a sign-in without a member");
        let member = admitted.member.ok_or_else(lost)?;
        let group = attempt.posted.group;
        self.ground.sign_ins.accepted(SAML);
        self.sign_in.note_presence(member.user.id, attempt.now);
        let outcome = match target.redirect() {
            Some(path) => Outcome::Redirect(path),
            None => {
                let puid = member.membership.puid.as_ref();
                let text =
                    self.login_key_text(group, attempt.grounds.api_key.as_deref(), puid, attempt.now)?;
                Outcome::LoginKey { text, embedded: target.embedded }
            }
        };
        Ok(SsoAnswer::SignedIn(Box::new(SsoSignedIn {
            group,
            user: member.user.id,
            web_session: session.value(group, member.user.id),
            address: member.user.address.clone(),
            outcome,
            allowed_sites: attempt.grounds.allowed_sites.clone(),
        })))
    }
}
