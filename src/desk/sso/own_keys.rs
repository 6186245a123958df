//! Our own key pairs, to which an identity provider encrypts: Encrypted SAML 2.0. Wire contract §3.1.
//!
//! The newest stands in our metadata; older ones still decrypt until they are removed, so that a key is
//! changed while the identity provider takes its time. Private halves are sealed in the database.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use zeroize::Zeroizing;

use crate::desk::ground::permission;
use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::{KeyFacts, Method};
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::xml::DecryptionKey;
use crate::secret::Secret;
use crate::store::Reader;

use super::keys::own_facts;
use super::known_configuration::known;
use super::trust::OwnKeys;

/// Most key pairs of a group: one in use, one coming, and some that were forgotten.
const OWN_KEYS_MAX: usize = 5;
/// How long a certificate of ours is valid: identity providers pin it, and its end would only stop a group
/// that nobody looks after.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(3650 * 86_400);
/// An identity provider whose clock is slow still takes a fresh certificate.
const BACKDATED: Duration = Duration::from_secs(86_400);
const OPERATION: &str = "sso.own-keys";

impl Sso {
    /// Makes a key pair (RSA 3072) and its self-signed certificate, which from now on stands in our metadata.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Conflict` with code `too_many_keys`; `Fault` when no
    /// key can be made.
    pub fn make_sp_key(&self, caller: &Caller, group: GroupId) -> Result<KeyFacts> {
        let attempt = || {
            permission::administer(caller, group)?;
            self.ground.store.read(|r| {
                known(r, group)?;
                few(r, group)
            })?;
            let (certificate, private) = made(group, self.ground.clock.now().seconds())?;
            let sealed = self.ground.keys.seal(&place(group), &private)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                few(w, group)?;
                let id = w.insert_sp_key(group, &certificate, &sealed)?;
                let gone = || Error::fault("sp_key_gone", "a key pair was not found after it was made");
                let made = w.sp_keys(group)?.into_iter().find(|key| key.id == id).ok_or_else(gone)?;
                let facts = own_facts(&made, w.now);
                let detail = format!("made {}", facts.fingerprint);
                w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))?;
                Ok(facts)
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }

    /// Removes a key pair of ours: what is encrypted to it can no longer be read.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `key_unknown`; `Conflict` with code `last_key`
    /// while sign-ins need it.
    pub fn remove_sp_key(&self, caller: &Caller, group: GroupId, id: i64) -> Result<()> {
        let attempt = || {
            permission::administer(caller, group)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                if !w.delete_sp_key(group, id)? {
                    return Err(Error::not_found("key_unknown", "The group has no such key pair."));
                }
                if w.sp_keys(group)?.is_empty() && known(w, group)?.method == Method::EncryptedSaml {
                    let public = "This is the only key pair, and it cannot be brought back: without one every sign-in is \
                                  refused. Make the next one first, or choose another Single Sign-On Method.";
                    return Err(Error::new(Kind::Conflict, "last_key", public));
                }
                let detail = format!("removed key pair {id}");
                w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }

    /// Our parsed private keys for a group, newest first.
    pub(super) fn own_keys(&self, reader: &Reader<'_>, group: GroupId) -> Result<Arc<OwnKeys>> {
        let ids: Vec<i64> = reader.sp_keys(group)?.iter().map(|key| key.id).collect();
        self.trust.own(group, &ids, |id| {
            let gone = || Error::fault("sp_key_gone", format!("key pair {id} of group {group} is gone"));
            let sealed = reader.sealed_sp_key(group, id)?.ok_or_else(gone)?;
            let private = self.ground.keys.open_sealed(&place(group), &sealed)?;
            DecryptionKey::from_pkcs8_der(private.expose()).map_err(|e| {
                Error::fault("sp_key_unreadable", format!("key pair {id} of group {group}: {e}"))
            })
        })
    }
}

/// Where a sealed private half belongs.
pub fn place(group: GroupId) -> String {
    format!("group/{group}/sp-key")
}

fn few(reader: &Reader<'_>, group: GroupId) -> Result<()> {
    if reader.sp_keys(group)?.len() < OWN_KEYS_MAX {
        return Ok(());
    }
    let public = format!("A group has at most {OWN_KEYS_MAX} key pairs. Remove one that is out of use.");
    Err(Error::new(Kind::Conflict, "too_many_keys", public))
}

/// A certificate (DER) and its private key (PKCS #8).
fn made(group: GroupId, now_seconds: i64) -> Result<(Vec<u8>, Secret)> {
    let failed = |e: rcgen::Error| Error::fault("sp_key", e.to_string());
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(failed)?;
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("Sidelight, group {group}"));
    params.distinguished_name = name;
    let begin = std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(now_seconds).unwrap_or(0));
    params.not_before = (begin - BACKDATED).into();
    params.not_after = (begin + CERTIFICATE_LIFE).into();
    let certificate = params.self_signed(&pair).map_err(failed)?;
    let private = Zeroizing::new(pair.serialize_der());
    Ok((certificate.der().to_vec(), Secret::new(private.as_slice())))
}
