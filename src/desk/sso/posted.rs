//! What an identity provider posted to the ACS, and the attempt that is made of it.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::relative::RelativeTarget;
use crate::model::{Caller, GroupId};
use crate::protocol::saml::identity::Identity;
use crate::protocol::xml::Certificate;
use crate::store::PendingRequest;

use super::judge::{Circumstances, Grounds};
use super::target::Target;

/// What was posted to the ACS. Owned, because it is answered when the request is gone.
pub struct Posted {
    pub group: GroupId,
    /// The form field `SAMLResponse`; "" when there is none.
    pub response: String,
    /// The form field `RelayState`.
    pub relay_state: Option<String>,
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
pub(super) struct SsoAttempt {
    pub caller: Caller,
    pub posted: Posted,
    pub grounds: Arc<Grounds>,
    /// The requests of this browser that wait for an answer.
    pub pending: Vec<PendingRequest>,
    pub circumstances: Circumstances,
    /// The certificate that came with a signature that did not hold.
    pub presented: Option<Certificate>,
    pub now: Timestamp,
}

impl SsoAttempt {
    /// The request that is answered, as far as it can be told.
    pub fn request(&self, identity: Option<&Identity>) -> Option<&PendingRequest> {
        match identity {
            Some(identity) => {
                self.pending.iter().find(|request| Some(&request.id) == identity.in_response_to.as_ref())
            }
            // A refused response says nothing that could be believed: the handle that came along tells which of
            // this browser's requests is meant. Where none came, it is the last one that was begun.
            None => {
                let handle = self.posted.relay_state.as_ref();
                let named = self.pending.iter().find(|request| Some(&request.relay_state) == handle);
                named.or_else(|| self.pending.iter().max_by_key(|request| request.expires_at))
            }
        }
    }

    /// What the sign-in is for: what its request kept; else what the ACS URL says; else the group's redirect.
    pub fn target(&self, identity: Option<&Identity>) -> Target {
        if let Some(request) = self.request(identity) {
            return serde_json::from_str(&request.target).unwrap_or_default();
        }
        if !self.posted.target.is_plain() {
            return self.posted.target.clone();
        }
        let redirect = RelativeTarget::parse(&self.grounds.configuration.idp_initiated_redirect);
        redirect.as_ref().map(Target::to).unwrap_or_default()
    }
}
