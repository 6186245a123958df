//! What a response is judged by: the group's settings and keys, and the circumstances of the sign-in.
//!
//! The ACS and the re-judge build the same expectations here, so that they cannot differ in anything else
//! than the time and the settings that were asked for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::sso::Sso;
use crate::error::Result;
use crate::model::sso::{Configuration, IdpKey, Method};
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use crate::store::Reader;

use super::reject::SsoReject;
use super::trust::{OwnKeys, Trust};

/// The group's side of a judgement.
pub(super) struct Grounds {
    pub configuration: Configuration,
    pub stored: Vec<IdpKey>,
    pub theirs: Arc<Trust>,
    pub ours: Arc<OwnKeys>,
    /// The group's API key, sealed, for those who get a login key.
    pub api_key: Option<Vec<u8>>,
    /// The sites that may frame what the browser gets: origins.
    pub allowed_sites: Vec<String>,
}

/// The sign-in's side; kept with a response so that it can be judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Circumstances {
    /// The URLs at which we could be answered.
    pub acs: Vec<String>,
    /// The requests of this browser that wait for an answer.
    pub outstanding: Vec<String>,
}

impl Grounds {
    /// Reads a group's configuration with its keys parsed; `Err` inside when nobody can sign in by it.
    pub fn read(
        sso: &Sso,
        reader: &Reader<'_>,
        configuration: Configuration,
    ) -> Result<std::result::Result<Grounds, SsoReject>> {
        let group = configuration.group;
        let kept = reader.group(group)?;
        if kept.as_ref().is_some_and(|group| group.off_since.is_some()) {
            return Ok(Err(SsoReject::GroupOff));
        }
        if configuration.method == Method::Off {
            return Ok(Err(SsoReject::Off));
        }
        if configuration.idp_entity_id.is_empty() {
            return Ok(Err(SsoReject::WithoutIssuer));
        }
        let stored = reader.sso_keys(group)?;
        if stored.is_empty() {
            return Ok(Err(SsoReject::WithoutKeys));
        }
        let ours = sso.own_keys(reader, group)?;
        if configuration.method == Method::EncryptedSaml && ours.keys.is_empty() {
            return Ok(Err(SsoReject::WithoutOwnKey));
        }
        let theirs = sso.trust.of(group, &stored)?;
        let (api_key, _) = reader.sealed_api_keys(group)?;
        let allowed_sites = kept.map(|group| group.allowed_sites).unwrap_or_default();
        Ok(Ok(Grounds { configuration, stored, theirs, ours, api_key, allowed_sites }))
    }

    /// What a response must keep to at `now`.
    pub fn expectations<'a>(&'a self, circumstances: &'a Circumstances, now: Timestamp) -> Expectations<'a> {
        let c = &self.configuration;
        Expectations {
            now: now.0,
            skew: c.skew_seconds.saturating_mul(1000),
            idp_entity_id: &c.idp_entity_id,
            audience: &c.sp_entity_id,
            acs: &circumstances.acs,
            in_response_to: InResponseTo {
                outstanding: &circumstances.outstanding,
                unsolicited_allowed: c.idp_initiated_allowed,
            },
            verification_keys: &self.theirs.keys,
            decryption_keys: &self.ours.keys,
            policy: Policy {
                allow_sha1: c.allow_sha1,
                allow_rsa15: c.allow_rsa15,
                allow_triple_des: c.allow_triple_des,
                require_encryption: c.method == Method::EncryptedSaml,
                ..Policy::default()
            },
        }
    }
}

/// The list of checks, continued by our own after those on the response.
#[derive(Default)]
pub(super) struct Checklist(pub Vec<Check>);

impl Checklist {
    /// Notes a rule of ours that was kept.
    pub fn passed(&mut self, name: &str, clause: &str, expected: &str, got: impl Into<String>) {
        self.note(CheckOutcome::Passed, name, clause, expected, got);
    }

    /// Notes a rule of ours that does not decide here, and would elsewhere.
    pub fn open(&mut self, name: &str, clause: &str, expected: &str, got: impl Into<String>) {
        self.note(CheckOutcome::Skipped, name, clause, expected, got);
    }

    fn note(
        &mut self,
        outcome: CheckOutcome,
        name: &str,
        clause: &str,
        expected: &str,
        got: impl Into<String>,
    ) {
        self.0.push(Check {
            number: self.next(),
            name: name.to_owned(),
            clause: clause.to_owned(),
            outcome,
            expected: expected.to_owned(),
            got: got.into(),
        });
    }

    /// Notes a rule of ours that was broken. A broken rule of the response is in the list already.
    pub fn failed(&mut self, reject: &SsoReject) {
        if !matches!(reject, SsoReject::Response(_)) {
            let check = reject.check(self.next());
            self.0.push(check);
        }
    }

    /// These checks, and after them those of `others`, numbered on.
    pub fn and(mut self, others: Checklist) -> Checklist {
        for mut check in others.0 {
            check.number = self.next();
            self.0.push(check);
        }
        self
    }

    /// As it is stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "[]".to_owned())
    }

    fn next(&self) -> u16 {
        self.0.last().map_or(1, |check| check.number.saturating_add(1))
    }
}
