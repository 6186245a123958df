//! What a response is judged against: who may have sent it, to whom, in answer to what, and when.
//!
//! Values only, borrowed from the one who keeps the group's settings. Nothing in here comes from the response.

use crate::protocol::xml::{DecryptionKey, VerificationKey};

/// Everything that the verdict on a response depends on, besides the response.
#[derive(Clone, Copy)]
pub struct Expectations<'a> {
    /// The time of judgement, in milliseconds since 1970 UTC.
    pub now: i64,
    /// How far the identity provider's clock may be off, in milliseconds.
    pub skew: i64,
    /// The entity ID of the identity provider: the only issuer that is believed.
    pub idp_entity_id: &'a str,
    /// Our own entity ID.
    pub audience: &'a str,
    /// The URLs under which our assertion consumer service is known; any of them may be named.
    pub acs: &'a [String],
    pub in_response_to: InResponseTo<'a>,
    /// The identity provider's keys. One that fits is enough; with none, nothing is accepted.
    pub verification_keys: &'a [VerificationKey],
    /// Our own keys, newest first; each is tried, so that they can be rotated.
    pub decryption_keys: &'a [DecryptionKey],
    pub policy: Policy,
}

/// Which requests a response may answer (Profiles 4.1.4.3 and 4.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InResponseTo<'a> {
    /// The IDs of the requests that are outstanding for this browser.
    pub outstanding: &'a [String],
    /// Whether a response that answers no request is taken.
    pub unsolicited_allowed: bool,
}

/// What the group's settings weaken or tighten. The default is the strict one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// Take SHA-1 in signatures and digests.
    pub allow_sha1: bool,
    /// Take RSA keys below 1,024 bits. Only an explanation of documents of old does; no group can.
    pub allow_short_keys: bool,
    /// Take RSA 1.5 key transport in encryption.
    pub allow_rsa15: bool,
    /// Take triple DES in encryption.
    pub allow_triple_des: bool,
    /// Take an assertion that names no audience at all. A wrong audience is never taken.
    pub allow_no_audience: bool,
    /// Refuse an assertion that came in the clear.
    pub require_encryption: bool,
}
