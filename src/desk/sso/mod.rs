//! Single sign-on by SAML: how a group is configured for it, and how somebody signs in. Wire contract §3.
//!
//! A sign-in, step by step, one file each:
//!
//! 1. [`select`]: which group is meant.
//! 2. [`begin`]: the request that sends the browser to the identity provider.
//! 3. [`consume`]: what comes back is judged ([`judge`]).
//! 4. [`admit`]: all that follows from it, in one transaction: which user it is ([`matching`]), who is not
//!    there yet is made ([`provision`]).
//! 5. [`answer`]: what the browser gets. [`attempts`]: what is kept of it for the administrator;
//!    [`disclosed`]: what a stranger may read of it; [`rejudge`] looks at it again.
//!
//! [`message`] shows a kept response. [`configure`], [`metadata`], [`keys`] and [`own_keys`] are SSO Configure, [`health`] is what it says of itself;
//! [`tile`] says what a portal tile would do. Deny by default: Off, no key,
//! no issuer refuses, each with a code of its own ([`reject`]).

mod admit;
mod answer;
mod attempts;
mod begin;
mod browser_token;
mod compared;
mod configure;
mod consume;
mod counted;
mod diagnosis;
mod disclosure;
mod health;
mod judge;
mod keys;
mod known_configuration;
mod matching;
mod message;
mod metadata;
mod operations;
mod own_keys;
mod posted;
mod provision;
mod reject;
mod rejudge;
mod select;
mod standing;
mod target;
mod tile;
mod trust;

pub use answer::{LOGIN_KEY_SECONDS, Outcome, RefusedBrowser, SsoAnswer, SsoSignedIn};
pub use begin::{Beginning, Begun, REQUEST_LIFETIME, RequestBinding};
pub use compared::kept as compared_keys;
pub use configure::configured_by_seed;
pub use configure::{CHANGED_MEANWHILE, Change, Draft, Opened, Overview};
pub use diagnosis::Diagnosis;
pub use keys::{KEY_IN_USE, KeyUse};
pub use metadata::{Agreed, Preview};
pub use own_keys::place as sp_key_place;
pub use posted::Posted;
pub use reject::SsoReject;
pub use rejudge::{Rejudged, Settings as RejudgeSettings};
pub use select::GroupSelector;
pub use target::Target;

use std::sync::Arc;

use super::ground::Ground;
use super::sign_in::SignIn;

/// The wing of single sign-on.
pub struct Sso {
    ground: Arc<Ground>,
    /// Anyone who comes by SAML gets a web session.
    sign_in: Arc<SignIn>,
    /// The parsed keys of both sides.
    trust: trust::TrustCache,
}

impl Sso {
    pub(super) fn new(ground: Arc<Ground>, sign_in: Arc<SignIn>) -> Sso {
        Sso { ground, sign_in, trust: trust::TrustCache::default() }
    }
}
