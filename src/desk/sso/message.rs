//! A kept response as an administrator reads it: decoded, and the keys that were tried beside the certificate that
//! came in it.
//!
//! The certificate in a message is trusted for nothing: anybody can send such a message. It becomes a key only when
//! somebody types its fingerprint, which the identity provider's people gave by another way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::desk::ground::permission;
use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::KeyFacts;
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::saml::bindings::decode_post;
use crate::protocol::saml::names::{ASSERTION, DSIG};
use crate::protocol::xml::{Document, Limits, pem};

use super::attempts::kept_place;
use super::keys::{self, typed_fingerprint};
use super::known_configuration::known;

/// The codes of a refusal because no key verified the signature.
const UNVERIFIED: [&str; 2] = ["signature_mismatch", "signature_key_kind"];

/// A kept response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// The document as it came.
    pub document: String,
    /// The group's keys, which are tried.
    pub tried: Vec<KeyFacts>,
    /// The first certificate that came in the message.
    pub came: Option<KeyFacts>,
    /// Whether the message names the group's identity provider as its issuer.
    pub issuer_is_theirs: bool,
    /// Whether it was refused because no key verified its signature.
    pub did_not_verify: bool,
}

impl KeptMessage {
    /// Whether the certificate that came may become a key: none verified, it is none yet, and the issuer is the
    /// group's.
    pub fn may_be_added(&self) -> bool {
        let is_known = |came: &KeyFacts| self.tried.iter().any(|key| key.fingerprint == came.fingerprint);
        self.did_not_verify && self.issuer_is_theirs && self.came.as_ref().is_some_and(|came| !is_known(came))
    }
}

impl Sso {
    /// Shows a kept response; the access log notes who looked.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `response_not_kept`.
    pub fn sso_kept_message(&self, caller: &Caller, group: GroupId, id: i64) -> Result<KeptMessage> {
        permission::administer(caller, group)?;
        let message = self.kept_message(group, id)?;
        let detail = format!("attempt {id}");
        let entry = LogEntry::done(caller, Some(group), "sso.show-response", group.to_string(), detail);
        self.ground.record_reading(entry)?;
        Ok(message)
    }

    /// Makes the certificate that came in a kept response a key of the group. `fingerprint` is what the identity
    /// provider's people gave by another way, as they wrote it.
    ///
    /// # Errors
    /// As [`Sso::sso_kept_message`] and [`Sso::add_sso_key`]; `Conflict` with code `certificate_not_offered`;
    /// `Invalid` with code `fingerprint_differs` on the field `fingerprint`.
    pub fn add_sso_key_of_message(
        &self,
        caller: &Caller,
        group: GroupId,
        id: i64,
        fingerprint: &str,
    ) -> Result<KeyFacts> {
        permission::administer(caller, group)?;
        let message = self.kept_message(group, id)?;
        let came = message.came.clone().filter(|_| message.may_be_added()).ok_or_else(|| {
            let public = "The message has no new certificate of the group's identity provider.";
            Error::new(Kind::Conflict, "certificate_not_offered", public)
        })?;
        if typed_fingerprint(fingerprint) != came.fingerprint {
            let public = "This is not the fingerprint of the certificate that came. Nothing was added. Type all 64 digits \
                          that the identity provider's people gave you, and add nothing if they differ.";
            return Err(Error::invalid("fingerprint_differs", "fingerprint", public));
        }
        self.add_sso_key(caller, group, &pem(&came.certificate)).map(|(key, _)| key)
    }

    fn kept_message(&self, group: GroupId, id: i64) -> Result<KeptMessage> {
        let now = self.ground.clock.now();
        self.ground.store.snapshot(|r| {
            let gone = || {
                let public = "The response is not kept. Responses are kept for 24 hours, while in Provisioning, when that \
                              is switched on.";
                Error::not_found("response_not_kept", public)
            };
            let attempt = r.saml_attempt(group, id)?.ok_or_else(gone)?;
            let kept = r.kept_response(group, id, now)?.ok_or_else(gone)?;
            let response = self.ground.keys.open_sealed(&kept_place(group), &kept.sealed)?;
            let posted = String::from_utf8_lossy(response.expose());
            let document = decode_post(&posted).unwrap_or_default();
            let tried = r.sso_keys(group)?.iter().map(|key| keys::facts(key, now)).collect();
            let expected = known(r, group)?.idp_entity_id;
            let parsed = Document::parse(&document, &Limits::ASSERTION).ok();
            let elements = || parsed.iter().flat_map(|parsed| parsed.root().descendants());
            let issuers: Vec<String> = elements()
                .filter(|element| element.is(ASSERTION, "Issuer"))
                .map(|element| element.text().trim().to_owned())
                .collect();
            let certificate = elements().find(|element| element.is(DSIG, "X509Certificate"));
            let certificate = certificate.and_then(|element| {
                let bare: String = element.text().chars().filter(|c| !c.is_whitespace()).collect();
                STANDARD.decode(bare).ok()
            });
            let issuer_is_theirs = !issuers.is_empty() && issuers.iter().all(|issuer| *issuer == expected);
            Ok(KeptMessage {
                document: String::from_utf8_lossy(&document).into_owned(),
                tried,
                came: certificate.map(|der| keys::of_certificate(&der, now)),
                issuer_is_theirs,
                did_not_verify: attempt.code.as_deref().is_some_and(|code| UNVERIFIED.contains(&code)),
            })
        })
    }
}
