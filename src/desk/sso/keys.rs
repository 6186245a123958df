//! The identity provider's X.509 public keys: five at most, added, shown, removed. Wire contract §3.9.
//!
//! Pinned keys decide, not their dates: a certificate that has ended still verifies, with a warning. So a
//! key is changed without a gap: add the second, let the identity provider switch, remove the first once
//! nothing was verified by it any more.

use crate::clock::Timestamp;
use crate::desk::ground::permission;
use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::{IDP_KEYS_MAX, IdpKey, KeyFacts, Method, RemovedKey, SpKey};
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::xml::{KeyReject, SMALLEST_RSA_BITS, VerificationKey};
use crate::store::{Asker, Reader, Writer};

use super::counted::counted;
use super::known_configuration::known;
use super::operations::OPERATION as SIGN_IN;

/// How long before the end of a certificate its administrator is warned, in days.
const WARN_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;
const OPERATION: &str = "sso.keys";

impl Sso {
    /// Adds a certificate behind the keys that are there; PEM with or without its lines. The same
    /// certificate again changes nothing. Gives back the key, and whether it was there already.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` with a code of [`read_certificate`]; `Conflict`
    /// with code `too_many_keys`.
    pub fn add_sso_key(&self, caller: &Caller, group: GroupId, pem: &str) -> Result<(KeyFacts, bool)> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (fingerprint, der) = read_certificate(pem)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                known(w, group)?;
                let mut all = stored(w, group)?;
                let was_there = all.iter().any(|(f, _)| *f == fingerprint);
                if !was_there {
                    all.push((fingerprint.clone(), der));
                    replace(w, group, &all)?;
                    let detail = format!("added {fingerprint}");
                    w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))?;
                }
                let gone = || Error::fault("sso_key_gone", "a key was not found after it was added");
                let keys = w.sso_keys(group)?;
                let key = keys.iter().find(|k| k.fingerprint == fingerprint).ok_or_else(gone)?;
                Ok((facts(key, w.now), was_there))
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }

    /// Removes a key, named by its fingerprint or the beginning of it that only it has (8 digits or more). It can be
    /// put back for an hour. `agreed`: anyone who removes it knows what it verified lately.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `key_unknown`; `Conflict` with code `last_key`
    /// while sign-ins need it, and with [`KEY_IN_USE`] when nobody agreed to remove one that is in use.
    pub fn remove_sso_key(
        &self,
        caller: &Caller,
        group: GroupId,
        fingerprint: &str,
        agreed: bool,
    ) -> Result<()> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, fingerprint) = (caller.clone(), fingerprint.to_owned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let keys = w.sso_keys(group)?;
                let key = named(&keys, &fingerprint)?;
                let is_last = keys.len() == 1;
                if is_last && known(w, group)?.method != Method::Off {
                    let public = "This is the only key: without it every sign-in is refused. Add the next one first, or \
                                  switch single sign-on off.";
                    return Err(Error::new(Kind::Conflict, "last_key", public));
                }
                if !agreed && (is_last || is_in_use(key.last_verified_at, w.now)) {
                    let public = "This key verified a sign-in within a week, or is the last one: removing it must be confirmed.";
                    return Err(Error::new(Kind::Conflict, KEY_IN_USE, public));
                }
                let wanted = &key.fingerprint;
                let left: Vec<(String, Vec<u8>)> =
                    stored(w, group)?.into_iter().filter(|(f, _)| f != wanted).collect();
                replace(w, group, &left)?;
                let detail = format!("removed {wanted}");
                w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }

    /// Puts a key back that was removed within the hour, behind those that are there.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `key_unknown`; `Conflict` with code
    /// `too_many_keys`.
    pub fn restore_sso_key(&self, caller: &Caller, group: GroupId, fingerprint: &str) -> Result<KeyFacts> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, fingerprint) = (caller.clone(), fingerprint.to_owned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let removed: Vec<IdpKey> =
                    w.removed_sso_keys(group, w.now)?.into_iter().map(|(key, _)| key).collect();
                let key = named(&removed, &fingerprint)?;
                let mut all = stored(w, group)?;
                all.push((key.fingerprint.clone(), key.certificate.clone()));
                replace(w, group, &all)?;
                let detail = format!("put back {}", key.fingerprint);
                w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))?;
                Ok(facts(key, w.now))
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }

    /// The keys that were removed within the hour, the latest first.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn removed_sso_keys(&self, caller: &Caller, group: GroupId) -> Result<Vec<RemovedKey>> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        let removed = self.ground.store.read(|r| r.removed_sso_keys(group, now))?;
        Ok(removed.iter().map(|(key, until)| RemovedKey { facts: facts(key, now), until: *until }).collect())
    }

    /// What a key of a group verified within a week, named as in [`Sso::remove_sso_key`].
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `key_unknown`.
    pub fn sso_key_use(&self, caller: &Caller, group: GroupId, fingerprint: &str) -> Result<KeyUse> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        self.ground.store.search(&Asker::of(caller, Some(group)), |r| {
            let keys = r.sso_keys(group)?;
            let key = named(&keys, fingerprint)?;
            Ok(KeyUse { others: keys.len().saturating_sub(1), ..key_use(r, group, facts(key, now), now)? })
        })
    }
}

/// What a key verified within a week, as the access log has it.
pub(super) fn key_use(r: &Reader<'_>, group: GroupId, facts: KeyFacts, now: Timestamp) -> Result<KeyUse> {
    let counts = r.sign_in_counts(group, SIGN_IN, now.plus_seconds(-IN_USE_SECONDS))?;
    let short = format!("({})", facts.fingerprint.get(..16).unwrap_or_default());
    let by_it = counts.details.iter().filter(|(detail, _)| detail.contains(&short));
    let (sign_ins, in_use) = (by_it.map(|(_, count)| count).sum(), is_in_use(facts.used_at, now));
    Ok(KeyUse { facts, sign_ins, is_cut: counts.is_cut, in_use, others: 0 })
}

/// What a key verified within a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    pub facts: KeyFacts,
    pub sign_ins: u64,
    /// There were more.
    pub is_cut: bool,
    /// It verified a sign-in within a week.
    pub in_use: bool,
    /// How many other keys the group has.
    pub others: usize,
}

impl KeyUse {
    /// Whether taking it away is asked about: it verified within a week, or is the last.
    pub fn must_be_confirmed(&self) -> bool {
        self.others == 0 || self.in_use
    }

    /// What it verified, in one sentence.
    pub fn sentence(&self) -> String {
        match self.facts.used_at {
            None => "It has verified no sign-in yet.".to_owned(),
            Some(at) => format!(
                "It last verified a sign-in at {} UTC; within a week, {}.",
                at.to_string().get(..16).unwrap_or_default().replace('T', " "),
                counted(self.sign_ins, self.is_cut, "sign-in", "sign-ins")
            ),
        }
    }
}

/// The code of the refusal to remove a key that is in use unless that is confirmed.
pub const KEY_IN_USE: &str = "key_in_use";
/// A key that verified within so many seconds is in use.
const IN_USE_SECONDS: i64 = 7 * DAY_SECONDS;
/// How long a removed key can be put back, in seconds.
const PUT_BACK_SECONDS: i64 = 3_600;

/// Whether a key that last verified then is in use.
pub(super) fn is_in_use(last_verified_at: Option<Timestamp>, now: Timestamp) -> bool {
    last_verified_at.is_some_and(|at| at.plus_seconds(IN_USE_SECONDS) > now)
}

/// The key that a fingerprint names, or the beginning of it that only one has.
fn named<'k>(keys: &'k [IdpKey], fingerprint: &str) -> Result<&'k IdpKey> {
    let wanted = typed_fingerprint(fingerprint);
    let mut found = keys.iter().filter(|key| wanted.len() >= 8 && key.fingerprint.starts_with(&wanted));
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(key),
        _ => Err(Error::not_found("key_unknown", "The group has no key with this fingerprint.")),
    }
}

/// A fingerprint as people write it, with colons, spaces and capitals, as it is stored.
pub(super) fn typed_fingerprint(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-'));
    kept.collect::<String>().to_ascii_lowercase()
}

/// Reads a certificate to verify with: fingerprint and DER.
///
/// # Errors
/// `Invalid` on the field `certificate`, with the code and sentence of the rule that it breaks.
pub(super) fn read_certificate(pem: &str) -> Result<(String, Vec<u8>)> {
    let unreadable = |code, why: String| {
        let public = format!(
            "X.509 Public Key: {why}. Paste the certificate in PEM, with or without the BEGIN and END lines."
        );
        Error::invalid(code, "certificate", public)
    };
    let several = pem.matches("-----BEGIN CERTIFICATE-----").count();
    if several > 1 {
        let public = format!(
            "X.509 Public Key: these are {several} certificates. Add one at a time: each is a key that verifies sign-ins."
        );
        return Err(Error::invalid("several_certificates", "certificate", public));
    }
    let key = VerificationKey::from_certificate_pem(pem).map_err(|e| unreadable(e.code(), e.to_string()))?;
    if key.is_too_short() {
        let public = format!(
            "X.509 Public Key: {} can be broken by anybody. Ask the identity provider for a key of RSA 2048 or more; \
             the least is {SMALLEST_RSA_BITS} bits.",
            key.description()
        );
        return Err(Error::invalid(KeyReject::UnsupportedSize.code(), "certificate", public));
    }
    let certificate =
        key.certificate().ok_or_else(|| unreadable("key_malformed", "this is a bare key".to_owned()))?;
    Ok((certificate.fingerprint(), certificate.der.clone()))
}

pub(super) fn stored(w: &Writer<'_>, group: GroupId) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(w.sso_keys(group)?.into_iter().map(|key| (key.fingerprint, key.certificate)).collect())
}

/// Puts keys in force, in this order.
pub(super) fn replace(w: &Writer<'_>, group: GroupId, all: &[(String, Vec<u8>)]) -> Result<()> {
    if all.len() > IDP_KEYS_MAX {
        let public = format!("A group has at most {IDP_KEYS_MAX} keys. Remove one that is out of use.");
        return Err(Error::new(Kind::Conflict, "too_many_keys", public).with_field("certificate"));
    }
    w.put_sso_keys(group, all, w.now.plus_seconds(PUT_BACK_SECONDS))
}

/// What a key of an identity provider shows.
pub(super) fn facts(key: &IdpKey, now: Timestamp) -> KeyFacts {
    KeyFacts {
        position: key.position,
        fingerprint: key.fingerprint.clone(),
        added_at: key.added_at,
        used_at: key.last_verified_at,
        ..of_certificate(&key.certificate, now)
    }
}

/// What a key pair of ours shows.
pub(super) fn own_facts(key: &SpKey, now: Timestamp) -> KeyFacts {
    let facts = of_certificate(&key.certificate, now);
    KeyFacts { position: key.id, added_at: key.created_at, used_at: key.last_used_at, ..facts }
}

/// What a certificate shows.
pub(super) fn of_certificate(der: &[u8], now: Timestamp) -> KeyFacts {
    let mut facts = KeyFacts {
        position: 0,
        fingerprint: String::new(),
        subject: String::new(),
        issuer: String::new(),
        kind: String::new(),
        begins_at: now,
        ends_at: now,
        added_at: now,
        used_at: None,
        certificate: der.to_vec(),
        warnings: Vec::new(),
    };
    let parsed = VerificationKey::from_certificate_der(der);
    let Some((key, certificate)) = parsed.as_ref().ok().and_then(|k| k.certificate().map(|c| (k, c))) else {
        facts.warnings.push("it cannot be read.".to_owned());
        return facts;
    };
    facts.fingerprint = certificate.fingerprint();
    facts.subject = certificate.subject.clone();
    facts.issuer = certificate.issuer.clone();
    facts.kind = key.description();
    facts.begins_at = Timestamp::from_seconds(certificate.not_before);
    facts.ends_at = Timestamp::from_seconds(certificate.not_after);
    let left = facts.ends_at.seconds().saturating_sub(now.seconds());
    if left < 0 {
        facts.warnings.push(
            "its certificate has ended. It still verifies, because keys are pinned; ask for the next one."
                .to_owned(),
        );
    } else if left < WARN_DAYS * DAY_SECONDS {
        let days = left / DAY_SECONDS;
        facts.warnings.push(format!("its certificate ends in {days} days. Add the next one beside it."));
    }
    if key.is_too_short() {
        facts
            .warnings
            .push(format!("{} can be broken by anybody, so it signs nobody in. Remove it.", facts.kind));
    } else if key.is_weak() {
        facts.warnings.push(format!("{} is weak; ask for at least RSA 2048.", facts.kind));
    }
    facts
}
