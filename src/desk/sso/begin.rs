//! SP-initiated: the request that sends a browser to the group's identity provider. Wire contract §3.7.
//!
//! The request waits in the store, so that it outlives a restart, bound to the browser by the fingerprint
//! of a cookie. Its ID comes back as InResponseTo; RelayState is an opaque handle that says nothing.

use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::addresses::acs_url;
use crate::model::sso::endpoint::without_reserved_parameters;
use crate::model::sso::{AcsStyle, AuthnContext, Configuration, EndpointType, NameIdPolicy};
use crate::model::{Caller, GroupId};
use crate::protocol::saml::authn_request::{self, AuthnRequest, RequestedContext};
use crate::protocol::saml::bindings::{Direction, append_query, encode_post, redirect_query};
use crate::secret::random_token;
use crate::store::PendingRequest;

use super::browser_token::is_browser_token;
use super::diagnosis::Diagnosis;
use super::judge::Grounds;
use super::operations::OPERATION;
use super::reject::SsoReject;
use super::target::Target;

/// How long an answer is waited for, in seconds: long enough to type a password and a second factor.
pub const REQUEST_LIFETIME: i64 = 15 * 60;

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The value of the browser's cookie.
    pub browser: String,
    pub carried: RequestBinding,
}

/// What became of a sign-in that somebody wants to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    Begun(Begun),
    /// A test of a configuration by which none can begin.
    Diagnosed(Box<Diagnosis>),
}

/// How the browser carries the request to the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestBinding {
    Redirect { location: String },
    Post { action: String, request: String, relay_state: String },
}

impl Sso {
    /// Begins a sign-in of a group. `browser` is the value of the browser's cookie, when it has one; `origin`
    /// is where people reach this server.
    ///
    /// # Errors
    /// `Denied` with the code of the [`SsoReject`] and an incident code, when no sign-in can begin here; `TooMany` with
    /// code `too_many_begun`.
    pub fn begin_sso(
        &self,
        caller: &Caller,
        group: GroupId,
        target: &Target,
        browser: Option<&str>,
        origin: &str,
    ) -> Result<Beginning> {
        let found = self.ground.store.snapshot(|r| {
            let Some(configuration) = r.sso_configuration(group)? else {
                return Ok(Err((None, SsoReject::UnknownGroup { got: group.to_string() })));
            };
            let judged = Grounds::read(self, r, configuration)?.map(|grounds| grounds.configuration);
            Ok(judged.map_err(|reject| (Some(group), reject)))
        })?;
        let configuration = match found {
            Ok(configuration) if configuration.endpoint_url.is_empty() => {
                return self.cannot_begin(caller, Some(group), &SsoReject::WithoutEndpoint, target);
            }
            Ok(configuration) => configuration,
            Err((group, reject)) => return self.cannot_begin(caller, group, &reject, target),
        };
        let browser = match browser.filter(|b| is_browser_token(b)) {
            Some(browser) => browser.to_owned(),
            None => random_token::<32>()?,
        };
        let now = self.ground.clock.now();
        if !self.ground.guard.may_begin(caller.ip, now) {
            let public = "Too many sign-ins were begun from your address. Try again in a quarter of an hour.";
            let error = Error::new(Kind::TooMany, "too_many_begun", public);
            return self.ground.logging_refusal(
                caller,
                Some(group),
                OPERATION,
                &group.to_string(),
                Err(error),
            );
        }
        let pending = PendingRequest {
            id: format!("_{}", random_token::<20>()?),
            group,
            relay_state: random_token::<16>()?,
            browser: self.ground.keys.fingerprint_of(browser.as_bytes()),
            target: serde_json::to_string(target).map_err(|e| Error::fault("sso_target", e.to_string()))?,
            expires_at: now.plus_seconds(REQUEST_LIFETIME),
        };
        let carried = carried(&configuration, &pending, target, origin, now.0);
        self.ground.store.write_promised(now, move |w| w.insert_pending_request(&pending)).wait()?;
        Ok(Beginning::Begun(Begun { browser, carried }))
    }

    fn cannot_begin(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        reject: &SsoReject,
        target: &Target,
    ) -> Result<Beginning> {
        let error = self.refuse_outright(caller, group, reject)?;
        match group.filter(|_| target.test) {
            Some(group) => {
                Ok(Beginning::Diagnosed(Box::new(Diagnosis::of_configuration(group, reject, error.incident))))
            }
            None => Err(error),
        }
    }
}

fn carried(
    configuration: &Configuration,
    pending: &PendingRequest,
    target: &Target,
    origin: &str,
    now_ms: i64,
) -> RequestBinding {
    let mut acs = acs_url(origin, configuration.group);
    // The browser SDK's hidden frame cannot show why a provider that compares the address exactly refuses.
    if configuration.acs_style == AcsStyle::UrlParameters && !target.embedded {
        acs.push_str(&target.as_parameters());
    }
    let request = AuthnRequest {
        id: &pending.id,
        issue_instant: now_ms,
        destination: &configuration.endpoint_url,
        acs: &acs,
        issuer: &configuration.sp_entity_id,
        name_id_policy: match configuration.name_id_policy {
            NameIdPolicy::Email => authn_request::NameIdPolicy::Email,
            NameIdPolicy::Unspecified => authn_request::NameIdPolicy::Unspecified,
            NameIdPolicy::Persistent => authn_request::NameIdPolicy::Persistent,
            NameIdPolicy::Omit => authn_request::NameIdPolicy::None,
        },
        context: match configuration.authn_context {
            AuthnContext::Nothing => RequestedContext::None,
            AuthnContext::PasswordProtectedTransport => RequestedContext::PasswordProtectedTransport,
            AuthnContext::Windows => RequestedContext::WindowsIntegrated,
            AuthnContext::Unspecified => RequestedContext::Unspecified,
        },
        force_authn: false,
    }
    .to_xml();
    match configuration.endpoint_type {
        EndpointType::Redirect => {
            let query = redirect_query(Direction::Request, request.as_bytes(), Some(&pending.relay_state));
            RequestBinding::Redirect { location: append_query(&configuration.endpoint_url, &query) }
        }
        EndpointType::Post => RequestBinding::Post {
            action: without_reserved_parameters(&configuration.endpoint_url).into_owned(),
            request: encode_post(request.as_bytes()),
            relay_state: pending.relay_state.clone(),
        },
    }
}
