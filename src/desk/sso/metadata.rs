//! Metadata of both sides: what an upload of theirs would change, shown before it is saved; and ours.

use crate::desk::ground::permission;
use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::addresses::acs_url;
use crate::model::sso::fields;
use crate::model::sso::{Configuration, EndpointType, IDP_KEYS_MAX, KeyFacts, Method};
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::saml::metadata::{self, IdentityProvider, MetadataExpectations};
use crate::protocol::saml::names::{BINDING_POST, BINDING_REDIRECT, FORMAT_EMAIL};
use crate::protocol::saml::service_provider::ServiceProvider;
use crate::protocol::xml::{Certificate, VerificationKey};
use crate::store::Reader;

use super::configure::{Change, OPERATION, changes, described, draft};
use super::keys::{self, KeyUse};
use super::known_configuration::known;

/// What an upload would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The identity providers of the file that can be used, by entity ID.
    pub entities: Vec<String>,
    /// The one that was read.
    pub entity: String,
    pub configuration: Configuration,
    pub changes: Vec<Change>,
    /// Keys that would be there, and were not.
    pub added: Vec<KeyFacts>,
    /// Keys that are there, and would not be.
    pub removed: Vec<KeyFacts>,
    /// What those of them verified that are in use.
    pub going: Vec<KeyUse>,
    /// What to know before saving; sentences.
    pub notes: Vec<String>,
    keys: Vec<(String, Vec<u8>)>,
}

/// Which keys in use somebody agreed to lose by an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// Whatever the file lacks.
    ToAll,
    /// Those that were shown, by fingerprint.
    To(Vec<String>),
}

impl Agreed {
    fn covers(&self, fingerprint: &str) -> bool {
        match self {
            Agreed::ToAll => true,
            Agreed::To(shown) => shown.iter().any(|f| f == fingerprint),
        }
    }
}

fn key_in_use(fingerprint: &str) -> Error {
    let short = fingerprint.get(..16).unwrap_or_default();
    let public = format!(
        "The file lacks the key {short}, which verified a sign-in within a week. Nothing was saved: upload the file again \
         to see what would go."
    );
    Error::new(Kind::Conflict, keys::KEY_IN_USE, public)
}

impl Sso {
    /// Reads a metadata file and says what it would change; nothing is saved. `entity` picks one of several
    /// identity providers; "" the only one, or the one that is configured. `switch_on` has a group that is off use
    /// SAML 2.0.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` with the code of the metadata's reject, or
    /// `entity_unknown`, `entity_needed` when the file holds several.
    pub fn preview_sso_metadata(
        &self,
        caller: &Caller,
        group: GroupId,
        file: &[u8],
        entity: &str,
        switch_on: bool,
    ) -> Result<Preview> {
        permission::administer(caller, group)?;
        self.ground.store.snapshot(|r| self.preview(r, group, file, entity, switch_on))
    }

    /// Saves what [`Sso::preview_sso_metadata`] showed. Keys to remove can be put back for an hour.
    ///
    /// # Errors
    /// As there; `Conflict` with the code [`keys::KEY_IN_USE`] when a key in use would go that nobody agreed to.
    pub fn upload_sso_metadata(
        &self,
        caller: &Caller,
        group: GroupId,
        file: &[u8],
        entity: &str,
        switch_on: bool,
        agreed: &Agreed,
    ) -> Result<Preview> {
        let attempt = || {
            permission::administer(caller, group)?;
            // Read outside the transaction: a federation's file takes its time.
            let preview = self.ground.store.snapshot(|r| self.preview(r, group, file, entity, switch_on))?;
            let (caller, saved, agreed) = (caller.clone(), preview.clone(), agreed.clone());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let mut values = from_file(&saved.configuration);
                let before = known(w, group)?;
                if switch_on && before.method == Method::Off {
                    values.push(("method".to_owned(), Method::Saml.as_str().to_owned()));
                }
                let draft = draft(before, &values);
                for key in w.sso_keys(group)? {
                    let goes = !saved.keys.iter().any(|(fingerprint, _)| *fingerprint == key.fingerprint);
                    if goes
                        && keys::is_in_use(key.last_verified_at, w.now)
                        && !agreed.covers(&key.fingerprint)
                    {
                        return Err(key_in_use(&key.fingerprint));
                    }
                }
                w.put_sso_configuration(&draft.configuration)?;
                keys::replace(w, group, &saved.keys)?;
                let mut detail = vec![format!("metadata of {}", saved.entity)];
                detail.extend(Some(described(&draft.changes)).filter(|d| !d.is_empty()));
                detail.extend(saved.added.iter().map(|k| format!("added {}", k.fingerprint)));
                detail.extend(saved.removed.iter().map(|k| format!("removed {}", k.fingerprint)));
                let detail = detail.join("; ");
                w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))
            })?;
            Ok(preview)
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }

    fn preview(
        &self,
        r: &Reader<'_>,
        group: GroupId,
        file: &[u8],
        entity: &str,
        switch_on: bool,
    ) -> Result<Preview> {
        let now = self.ground.clock.now();
        let expectations = MetadataExpectations { now: now.0, signers: &[], allow_sha1: false };
        let read = metadata::read(file, &expectations).map_err(|reject| {
            let public = format!("Metadata File Upload: {}", reject.sentence());
            Error::invalid(reject.code(), "metadata", public)
        })?;
        let before = known(r, group)?;
        let entities: Vec<String> = read.identity_providers.iter().map(|p| p.entity_id.clone()).collect();
        let chosen = chosen(&read.identity_providers, entity, &before)?;
        let stored = r.sso_keys(group)?;

        let mut configuration = before.clone();
        configuration.idp_entity_id.clone_from(&chosen.entity_id);
        let redirect = chosen.sso_location(BINDING_REDIRECT).map(|l| (l, EndpointType::Redirect));
        let post = chosen.sso_location(BINDING_POST).map(|l| (l, EndpointType::Post));
        // Of two, one that the field would refuse, such as one on plain http, gives way to the other.
        let both = [redirect, post];
        let fits = |(location, _): &(&str, EndpointType)| fields::takes("endpoint_url", location);
        let best = both.into_iter().flatten().find(fits).or(both.into_iter().flatten().next());
        if let Some((location, kind)) = best {
            configuration.endpoint_url = location.to_owned();
            configuration.endpoint_type = kind;
        }
        let drafted = draft(before.clone(), &from_file(&configuration));
        if let Some(error) = drafted.errors.into_iter().find(|e| e.field.as_deref() != Some("glance_address"))
        {
            return Err(error);
        }
        let mut notes = Vec::new();
        let mut keys: Vec<(String, Vec<u8>)> = Vec::new();
        for der in &chosen.signing_certificates {
            let (fingerprint, key) = read_key(der)?;
            if key.is_too_short() {
                let kind = key.description();
                notes.push(format!(
                    "The key {kind} is below 1,024 bits, which anybody can break: it is left out."
                ));
                continue;
            }
            if !keys.iter().any(|(f, _)| *f == fingerprint) {
                keys.push((fingerprint, der.clone()));
            }
        }
        if keys.is_empty() {
            let public = "Metadata File Upload: all its signing keys are below 1,024 bits, which anybody can break. Ask \
                          the identity provider for a key of RSA 2048 or more.";
            return Err(Error::invalid("key_unsupported_size", "metadata", public));
        }
        if keys.len() > IDP_KEYS_MAX {
            notes.push(format!(
                "The file has {} signing keys; the first {IDP_KEYS_MAX} are taken.",
                keys.len()
            ));
            keys.truncate(IDP_KEYS_MAX);
        }
        if chosen.wants_signed_requests {
            notes.push("The identity provider wants signed requests, which we do not send.".to_owned());
        }
        if let Some(end) = &chosen.valid_until {
            notes.push(format!("The file is valid until {}.", end.text));
        }
        let fresh = |f: &String| !stored.iter().any(|k| k.fingerprint == *f);
        let positioned =
            (1i64..).zip(&keys).map(|(position, (fingerprint, certificate))| crate::model::sso::IdpKey {
                position,
                fingerprint: fingerprint.clone(),
                certificate: certificate.clone(),
                added_at: now,
                last_verified_at: None,
            });
        let added = positioned.filter(|k| fresh(&k.fingerprint)).map(|k| keys::facts(&k, now)).collect();
        let gone = stored.iter().filter(|k| !keys.iter().any(|(f, _)| *f == k.fingerprint));
        let removed: Vec<KeyFacts> = gone.map(|k| keys::facts(k, now)).collect();
        let in_use = removed.iter().filter(|key| keys::is_in_use(key.used_at, now));
        let going = in_use.map(|key| keys::key_use(r, group, key.clone(), now)).collect::<Result<_>>()?;
        let mut configuration = drafted.configuration;
        if switch_on && before.method == Method::Off {
            configuration.method = Method::Saml;
        }
        let changes = changes(&before, &configuration);
        Ok(Preview {
            entities,
            entity: chosen.entity_id.clone(),
            configuration,
            changes,
            added,
            removed,
            going,
            notes,
            keys,
        })
    }

    /// Our own metadata for a group's identity provider; `origin` is where people reach this server. Also
    /// while the group is Off: the identity provider is set up first.
    ///
    /// # Errors
    /// `NotFound` with code `group_unknown`.
    pub fn sp_metadata(&self, group: GroupId, origin: &str) -> Result<String> {
        self.ground.store.snapshot(|r| {
            let configuration = known(r, group)?;
            let newest: Vec<Vec<u8>> =
                r.sp_keys(group)?.into_iter().take(1).map(|key| key.certificate).collect();
            Ok(ServiceProvider {
                entity_id: &configuration.sp_entity_id,
                acs: &[acs_url(origin, group)],
                signing_certificate: None,
                encryption_certificates: &newest,
                takes_rsa15: configuration.allow_rsa15,
                takes_triple_des: configuration.allow_triple_des,
                name_id_formats: &[FORMAT_EMAIL],
            }
            .to_xml())
        })
    }
}

/// The fields that metadata fills in.
fn from_file(configuration: &Configuration) -> Vec<(String, String)> {
    [
        ("idp_entity_id", configuration.idp_entity_id.as_str()),
        ("endpoint_url", &configuration.endpoint_url),
        ("endpoint_type", configuration.endpoint_type.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn chosen<'p>(
    providers: &'p [IdentityProvider],
    entity: &str,
    before: &Configuration,
) -> Result<&'p IdentityProvider> {
    let named = |id: &str| providers.iter().find(|p| p.entity_id == id);
    if !entity.is_empty() {
        let public = "The file has no usable identity provider of this entity ID.";
        return named(entity).ok_or_else(|| Error::invalid("entity_unknown", "entity", public));
    }
    match (providers, named(&before.idp_entity_id)) {
        ([only], _) | (_, Some(only)) => Ok(only),
        _ => {
            let public = "The file has several identity providers. Choose one by its entity ID.";
            Err(Error::invalid("entity_needed", "entity", public))
        }
    }
}

/// A certificate's fingerprint and its key.
fn read_key(der: &[u8]) -> Result<(String, VerificationKey)> {
    let unreadable = |_| Error::invalid("key_malformed", "metadata", "A certificate in it cannot be read.");
    let key = VerificationKey::from_certificate_der(der).map_err(unreadable)?;
    let fingerprint = key.certificate().map(Certificate::fingerprint).unwrap_or_default();
    Ok((fingerprint, key))
}
