//! Members whose login key was good a moment ago, remembered so that the next one need not be looked up.
//!
//! The login key itself is checked each time; for the rest see [`crate::desk::ground::memory`].

use std::sync::Arc;

use super::refusal::in_group;
use super::{Attempt, Means, SignedIn, TokenRequest};
use crate::clock::Timestamp;
use crate::desk::ground::guard::Account;
use crate::desk::ground::memory::Memory;
use crate::desk::sign_in::SignIn;
use crate::error::Result;
use crate::model::GroupId;
use crate::protocol::credential::{Credential, Subject};
use crate::protocol::login_key::{SigningKey, verify};
use crate::store::Generation;

/// Members by group and PUID.
pub(super) type Remembered = Memory<(GroupId, String), Member>;

/// A member who may sign in without a date on which that ends or begins.
pub(super) struct Member {
    api_key: SigningKey,
    signed_in: SignedIn,
    /// The service that the group lets them use, or "".
    service: String,
}

/// The one kind of credential that is remembered: group, PUID, login key.
fn parts<'a>(attempt: &Attempt<'a>) -> Option<(GroupId, &'a str, &'a str)> {
    match attempt.credential {
        Credential::LoginKey { subject: Subject::Partner { group, puid, other_readings }, key }
            if other_readings.is_empty() =>
        {
            Some((*group, puid, key))
        }
        _ => None,
    }
}

impl SignIn {
    /// Whom this attempt signs in, by what is remembered of `generation`. `None` settles nothing: it is for
    /// the whole judgement to say why.
    pub(super) fn remembered(
        &self,
        attempt: &Attempt<'_>,
        request: &TokenRequest,
        generation: Generation,
        now: Timestamp,
    ) -> Option<SignedIn> {
        let (group, puid, key) = parts(attempt)?;
        let member = self.remembered.find(&(group, puid.to_owned()), generation)?;
        if member.service != request.service || in_group(attempt.group, group).is_err() {
            return None;
        }
        let (guard, account) = (&self.ground.guard, Account::Puid(group, puid));
        if !guard.would_admit(attempt.caller.ip, account, now) {
            return None;
        }
        verify(key, &member.api_key, group, puid, now.seconds()).ok()?;
        guard.forget(attempt.caller.ip, account);
        Some(member.signed_in.clone())
    }

    /// Remembers somebody who was just signed in by what was read in `generation` or later.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub(super) fn remember(
        &self,
        attempt: &Attempt<'_>,
        request: &TokenRequest,
        signed_in: &SignedIn,
        generation: Generation,
    ) -> Result<()> {
        let Some((group, puid, _)) = parts(attempt) else { return Ok(()) };
        let api_key = self.ground.store.sign_in_by_puid(group, puid, |row| {
            let Some((sealed, _)) = row.and_then(|row| row.sealed_api_key.zip(row.member)) else {
                return Ok(None);
            };
            self.ground.key_cache.with(&self.ground.keys, group, sealed, |key| Some(key.clone()))
        })?;
        if let Some(api_key) = api_key {
            debug_assert_eq!(signed_in.means, Means::LoginKey);
            let (signed_in, service) = (signed_in.clone(), request.service.clone());
            let member = Arc::new(Member { api_key, signed_in, service });
            self.remembered.keep((group, puid.to_owned()), generation, member);
        }
        Ok(())
    }
}
