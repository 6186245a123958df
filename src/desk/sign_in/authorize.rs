//! The use cases of signing in: a credential is judged, and answered with a token, a web session, or both.

use std::time::Instant;

use super::attempt::{Attempt, TokenRequest};
use super::refusal::{self, RefusedSignIn, Stop};
use super::signed_in::{Means, SignedIn, row};
use super::token::{self, Claims};
use super::{SignIn, SignInReject};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::model::{Caller, GroupId, LogEntry, LogOutcome, Settings};
use crate::promise::Promise;
use crate::protocol::credential::{Authorization, Credential, Unreadable};

/// What Authorize hands out.
pub struct Authorized {
    pub signed_in: SignedIn,
    pub token: String,
    pub claims: Claims,
}

/// What a browser gets.
pub struct BrowserSignIn {
    pub signed_in: SignedIn,
    /// The value of `GSSNID`.
    pub web_session: String,
    /// Origins that may frame our pages for this group; with any, the cookie must travel cross-site.
    pub allowed_sites: Vec<String>,
}

impl SignIn {
    /// Judges a credential. A refusal is logged; a success is not: what the caller then does is.
    ///
    /// # Errors
    /// `Unauthenticated` or `Denied` with an incident code; `Invalid` with code `group_required`.
    pub fn identify(&self, attempt: &Attempt<'_>) -> Result<SignedIn> {
        let now = self.ground.clock.now();
        self.counted(self.judge(attempt, now))
            .map_err(|stop| self.stopped(attempt.caller, attempt.surface, stop, now))
    }

    /// Counts anyone who is let in.
    fn counted(&self, judged: std::result::Result<SignedIn, Stop>) -> std::result::Result<SignedIn, Stop> {
        judged.inspect(|signed_in| self.ground.sign_ins.accepted(signed_in.means.name()))
    }

    /// Judges what an `Authorization` header brought: a token, a login key or a web session.
    ///
    /// # Errors
    /// As [`SignIn::identify`].
    pub fn identify_bearer(
        &self,
        caller: &Caller,
        authorization: &Authorization,
        group: Option<GroupId>,
        surface: &'static str,
    ) -> Result<SignedIn> {
        match authorization {
            Authorization::Credential(credential) => {
                self.identify(&Attempt { caller, credential, group, surface })
            }
            Authorization::Token(token) => {
                let now = self.ground.clock.now();
                self.counted(self.judge_token(token, group, now))
                    .map_err(|stop| self.stopped(caller, surface, stop.asking(group), now))
            }
        }
    }

    /// Refuses anyone who brought no credential, or none that can be read. `group` is the one that the request names.
    pub fn refuse_unreadable(
        &self,
        caller: &Caller,
        surface: &'static str,
        group: Option<GroupId>,
        why: Option<Unreadable>,
    ) -> Error {
        let reject = why.map_or(SignInReject::NoCredential, SignInReject::Unreadable);
        let stop = RefusedSignIn::new(Means::Unreadable, reject).asking(group).into();
        self.stopped(caller, surface, stop, self.ground.clock.now())
    }

    /// Signs in and hands out a token, when the row in the access log is durable.
    ///
    /// # Errors
    /// As [`SignIn::identify`].
    pub fn authorize(&self, attempt: &Attempt<'_>, request: &TokenRequest) -> Result<Promise<Authorized>> {
        let now = self.ground.clock.now();
        let signed_in = self.judge_for_service(attempt, request, now)?;
        let (entry, authorized) = self.granted(attempt, request, signed_in, now)?;
        Ok(self.ground.store.log_promised(now, entry).then(|logged| logged.map(|()| authorized)))
    }

    /// The row and the token of a sign-in.
    fn granted(
        &self,
        attempt: &Attempt<'_>,
        request: &TokenRequest,
        signed_in: SignedIn,
        now: Timestamp,
    ) -> Result<(LogEntry, Authorized)> {
        self.note_presence(signed_in.user, now);
        let claims = self.claims(&signed_in, request, now)?;
        let detail = format!("{}, service {:?}, {} min", attempt.surface, request.service, request.minutes);
        let entry = row(&signed_in, attempt.caller, detail);
        Ok((entry, Authorized { token: token::issue(&self.ground.keys.token, &claims), signed_in, claims }))
    }

    /// Judges a credential, and whether the service may be used. A refusal is logged.
    fn judge_for_service(
        &self,
        attempt: &Attempt<'_>,
        request: &TokenRequest,
        now: Timestamp,
    ) -> Result<SignedIn> {
        let judged = self.judge(attempt, now).and_then(|signed_in| {
            self.may_use_service(&signed_in, request)?;
            Ok(signed_in)
        });
        self.counted(judged).map_err(|stop| self.stopped(attempt.caller, attempt.surface, stop, now))
    }

    /// Signs in and hands out a token and a web session, for the newer API. Wire contract §5.1.
    ///
    /// # Errors
    /// As [`SignIn::identify`].
    pub fn authorize_with_web_session(
        &self,
        attempt: &Attempt<'_>,
        request: &TokenRequest,
    ) -> Result<Promise<(Authorized, BrowserSignIn)>> {
        let now = self.ground.clock.now();
        let signed_in = self.judge_for_service(attempt, request, now)?;
        let claims = self.claims(&signed_in, request, now)?;
        let opened = self.open_web_session(signed_in.clone(), attempt, now)?;
        let authorized =
            Authorized { token: token::issue(&self.ground.keys.token, &claims), signed_in, claims };
        Ok(opened.then(|browser| browser.map(|browser| (authorized, browser))))
    }

    /// Sets after how many seconds without use web sessions end: those that begin or are used from now on.
    pub fn set_web_session_idle(&self, seconds: i64) {
        self.web_session_idle_seconds.store(seconds, std::sync::atomic::Ordering::Relaxed);
    }

    /// Signs a browser in: the web session and its row in the access log are one transaction.
    ///
    /// # Errors
    /// As [`SignIn::identify`].
    pub fn sign_in_browser(&self, attempt: &Attempt<'_>) -> Result<BrowserSignIn> {
        let now = self.ground.clock.now();
        let signed_in = self
            .counted(self.judge(attempt, now))
            .map_err(|stop| self.stopped(attempt.caller, attempt.surface, stop, now))?;
        self.open_web_session(signed_in, attempt, now)?.wait()
    }

    /// The settings in force for somebody who signed in.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn settings_of(&self, signed_in: &SignedIn) -> Result<Settings> {
        self.ground.store.read(|r| r.effective_settings(signed_in.group, signed_in.role))
    }

    pub(super) fn judge(&self, attempt: &Attempt<'_>, now: Timestamp) -> std::result::Result<SignedIn, Stop> {
        let began = Instant::now();
        let judged = match attempt.credential {
            Credential::LoginKey { subject, key } => self.judge_login_key(attempt, subject, key, now),
            Credential::Password { username, password } => {
                self.judge_password(attempt, username, password, now)
            }
            Credential::IssuedCredentials { username, credentials } => {
                self.judge_issued_credentials(attempt, username, credentials, now)
            }
            Credential::WebSession(value) => self.judge_web_session(attempt, value, now),
        };
        self.ground.sign_ins.judged_since(began);
        judged.map_err(|stop| stop.asking(attempt.group))
    }

    fn judge_web_session(
        &self,
        attempt: &Attempt<'_>,
        value: &str,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let refusal = |reject| RefusedSignIn::new(Means::WebSession, reject);
        let (signed_in, state) = self.find_web_session(value, now)?.map_err(refusal)?;
        let of_member = |reject| refusal(reject).of(&signed_in);
        state.standing.admitted().map_err(|barred| of_member(barred.into()))?;
        refusal::in_group(attempt.group, signed_in.group).map_err(of_member)?;
        Ok(signed_in)
    }

    fn judge_token(
        &self,
        text: &str,
        group: Option<GroupId>,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let refusal = |reject| RefusedSignIn::new(Means::Token, reject);
        let claims = token::read(&self.ground.keys.token, text, now.seconds()).map_err(|why| {
            refusal(match why {
                token::TokenReject::Bad => SignInReject::BadToken,
                token::TokenReject::Expired => SignInReject::TokenExpired,
            })
        })?;
        let state = self.ground.store.read(|r| r.member_state(claims.group, claims.user))?;
        let Some(state) = state else {
            return Err(refusal(SignInReject::NotAMember).asking(Some(claims.group)).into());
        };
        let signed_in = SignedIn::of(claims.group, claims.user, &state, Means::Token)?;
        let of_member = |reject| refusal(reject).of(&signed_in);
        state.standing.admitted().map_err(|barred| of_member(barred.into()))?;
        if claims.mark != state.mark {
            return Err(of_member(SignInReject::TokenEnded).into());
        }
        refusal::in_group(group, claims.group).map_err(of_member)?;
        Ok(signed_in)
    }

    /// A service that the group has as a setting must be on. Wire contract §6.1: Presence needs its
    /// subscription.
    fn may_use_service(&self, signed_in: &SignedIn, request: &TokenRequest) -> std::result::Result<(), Stop> {
        if request.service.is_empty() {
            return Ok(());
        }
        let (group, role) = (signed_in.group, signed_in.role);
        let setting = self.ground.store.read(|r| r.effective_setting(group, role, &request.service))?;
        if setting == Some(false) {
            return Err(RefusedSignIn::new(signed_in.means, SignInReject::ServiceNotAllowed)
                .of(signed_in)
                .into());
        }
        Ok(())
    }

    fn claims(&self, signed_in: &SignedIn, request: &TokenRequest, now: Timestamp) -> Result<Claims> {
        Ok(Claims {
            user: signed_in.user,
            group: signed_in.group,
            mark: signed_in.mark,
            service: request.service.clone(),
            issued_at: now.seconds(),
            expires_at: now.seconds().saturating_add(request.minutes * 60),
            id: token::new_id()?,
        })
    }

    pub(super) fn open_web_session(
        &self,
        signed_in: SignedIn,
        attempt: &Attempt<'_>,
        now: Timestamp,
    ) -> Result<Promise<BrowserSignIn>> {
        let (group, user, mark) = (signed_in.group, signed_in.user, signed_in.mark);
        self.note_presence(user, now);
        let session = self.prepared_web_session(now)?;
        let entry = row(&signed_in, attempt.caller, attempt.surface.to_owned());
        let (fingerprint, expires_at) = (session.fingerprint, session.expires_at);
        let opened = self.ground.store.write_promised(now, move |w| {
            if !w.insert_web_session(&fingerprint, group, user, Some(mark), expires_at)? {
                // Somebody took the member away since they were judged.
                let (outcome, code) = (LogOutcome::Refused, Some(SignInReject::NotAMember.code()));
                return w.log(&LogEntry { outcome, code, ..entry }).map(|()| None);
            }
            w.log(&entry)?;
            w.allowed_sites(group).map(Some)
        });
        Ok(opened.then(move |allowed_sites| {
            let removed = || Error::denied("You are not a member of this group any more.");
            let allowed_sites = allowed_sites?.ok_or_else(removed)?;
            Ok(BrowserSignIn { signed_in, web_session: session.value(group, user), allowed_sites })
        }))
    }
}
