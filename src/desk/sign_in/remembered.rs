//! Members whose login key was good a moment ago, remembered so that the next one need not be looked up.
//!
//! What is remembered counts for one [`Generation`] of the database and is never trusted alone: the sign-in
//! that rests on it is logged in that generation or not at all ([`Store::log_if_unchanged`]), and is then
//! judged anew. So a suspension, another API key or a changed role is in force with its commit, also when
//! another process made it. The login key itself is checked each time.
//!
//! [`Store::log_if_unchanged`]: crate::store::Store::log_if_unchanged

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::refusal::in_group;
use super::{Attempt, Means, SignedIn, TokenRequest};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::guard::Account;
use crate::error::Result;
use crate::model::GroupId;
use crate::protocol::credential::{Credential, Subject};
use crate::protocol::login_key::{SigningKey, verify};
use crate::store::Generation;

/// Members kept; more than that start anew.
const KEPT_MOST: usize = 4_096;

/// Members by group and PUID.
#[derive(Default)]
pub(super) struct Remembered {
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    by_group: HashMap<GroupId, HashMap<String, Arc<Member>>>,
    count: usize,
}

/// A member who may sign in without a date on which that ends or begins.
struct Member {
    generation: Generation,
    api_key: SigningKey,
    signed_in: SignedIn,
    /// The service that the group lets them use, or "".
    service: String,
}

impl Remembered {
    fn find(&self, group: GroupId, puid: &str) -> Option<Arc<Member>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.by_group.get(&group)?.get(puid).map(Arc::clone)
    }

    fn keep(&self, group: GroupId, puid: &str, member: Member) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.count >= KEPT_MOST {
            *kept = Kept::default();
        }
        let before = kept.by_group.entry(group).or_default().insert(puid.to_owned(), Arc::new(member));
        kept.count += usize::from(before.is_none());
    }
}

/// The one kind of credential that is remembered: group, PUID, login key.
fn parts<'a>(attempt: &Attempt<'a>) -> Option<(GroupId, &'a str, &'a str)> {
    match attempt.credential {
        Credential::LoginKey { subject: Subject::Partner { group, puid, puid_as_sent: None }, key } => {
            Some((*group, puid, key))
        }
        _ => None,
    }
}

impl Desk {
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
        let member = self.sign_in.remembered.find(group, puid)?;
        if member.generation != generation
            || member.service != request.service
            || in_group(attempt.group, group).is_err()
        {
            return None;
        }
        let (guard, account) = (&self.sign_in.guard, Account::Puid(group, puid));
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
        let api_key = self.store.sign_in_by_puid(group, puid, |row| {
            let Some((sealed, member)) = row.and_then(|row| row.sealed_api_key.zip(row.member)) else {
                return Ok(None);
            };
            if member.locked_until.is_some() {
                return Ok(None);
            }
            self.sign_in.key_cache.with(&self.keys, group, sealed, |key| Some(key.clone()))
        })?;
        if let Some(api_key) = api_key {
            debug_assert_eq!(signed_in.means, Means::LoginKey);
            let (signed_in, service) = (signed_in.clone(), request.service.clone());
            self.sign_in.remembered.keep(group, puid, Member { generation, api_key, signed_in, service });
        }
        Ok(())
    }
}
