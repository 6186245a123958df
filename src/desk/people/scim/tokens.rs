//! SCIM tokens: made for a group, shown once, kept as a fingerprint, revoked.

use std::net::IpAddr;

use crate::desk::ground::fields;
use crate::desk::ground::known_group;
use crate::desk::ground::permission;
use crate::desk::ground::refusal::group_off;
use crate::desk::people::People;
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId, LogEntry};
use crate::secret::{Secret, random_token};
use crate::store::{NewScimToken, ScimTokenRow};

/// What every token begins with, so that scanners for leaked secrets can tell it.
pub const TOKEN_PREFIX: &str = "sidelight_scim_";
/// Most tokens of a group: enough to change one for another, few enough to oversee.
pub const TOKENS_MOST: usize = 10;
/// Seconds for which a use is not noted again: reading must not cost a write each time.
const NOTED_FOR: i64 = 300;

impl People {
    /// Makes a token for the group's identity provider. The answer is the only time that it is shown.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` for a label that breaks the rule of names;
    /// `Conflict` with `scim_tokens_full`; `NotFound` with `group_unknown`.
    pub fn make_scim_token(&self, caller: &Caller, group: GroupId, label: &str) -> Result<(i64, Secret)> {
        let operation = "scim-token.make";
        let attempt = || {
            permission::administer(caller, group)?;
            refuse_provisioners(caller)?;
            let label = fields::title(label)?;
            let token = Secret::new(format!("{TOKEN_PREFIX}{}", random_token::<32>()?));
            let new = NewScimToken {
                group,
                fingerprint: self.ground.keys.fingerprint_of(token.expose()),
                label,
                made_by: caller.actor.to_string(),
            };
            let caller = caller.clone();
            let id = self.ground.store.write(self.ground.clock.now(), move |w| {
                known_group::known(w, group)?;
                if w.scim_tokens(group)?.len() >= TOKENS_MOST {
                    let public = format!("The group has {TOKENS_MOST} tokens already. Revoke one first.");
                    return Err(Error::new(Kind::Conflict, "scim_tokens_full", public));
                }
                let id = w.insert_scim_token(&new)?;
                w.log(&LogEntry::done(&caller, Some(group), operation, new.label, format!("token {id}")))?;
                Ok(id)
            })?;
            Ok((id, token))
        };
        self.ground.logging_refusal(caller, Some(group), operation, label, attempt())
    }

    /// Lists the tokens of a group, the oldest first.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn scim_tokens(&self, caller: &Caller, group: GroupId) -> Result<Vec<ScimTokenRow>> {
        permission::administer(caller, group)?;
        refuse_provisioners(caller)?;
        self.ground.store.read(|r| r.scim_tokens(group))
    }

    /// Revokes a token: from now on it is not accepted.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `scim_token_unknown`.
    pub fn revoke_scim_token(&self, caller: &Caller, group: GroupId, id: i64) -> Result<()> {
        let operation = "scim-token.revoke";
        let attempt = || {
            permission::administer(caller, group)?;
            refuse_provisioners(caller)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let token = w.scim_tokens(group)?.into_iter().find(|token| token.id == id);
                let unknown = || Error::not_found("scim_token_unknown", "The group has no such token.");
                let token = token.ok_or_else(unknown)?;
                w.delete_scim_token(group, id)?;
                w.log(&LogEntry::done(&caller, Some(group), operation, token.label, format!("token {id}")))
            })
        };
        self.ground.logging_refusal(caller, Some(group), operation, &format!("token {id}"), attempt())
    }

    /// Says on whose behalf the bearer of `token` acts, and for which group.
    ///
    /// # Errors
    /// `Unauthenticated` with `scim_token_unknown`.
    pub fn scim_caller(&self, ip: IpAddr, token: &str) -> Result<(Caller, GroupId)> {
        let now = self.ground.clock.now();
        let fingerprint = self.ground.keys.fingerprint_of(token.as_bytes());
        let Some(found) = self.ground.store.read(|r| r.scim_token(&fingerprint))? else {
            let public = "The bearer token is missing, unknown or revoked.";
            let error = Error::new(Kind::Unauthenticated, "scim_token_unknown", public);
            let nobody = Caller::anonymous(ip);
            return self.ground.logging_refusal(&nobody, None, "scim.authenticate", "", Err(error));
        };
        if self.ground.store.read(|r| r.group(found.group))?.is_none_or(|group| group.off_since.is_some()) {
            let (nobody, off) = (Caller::anonymous(ip), Err(group_off()));
            return self.ground.logging_refusal(
                &nobody,
                Some(found.group),
                "scim.authenticate",
                &found.label,
                off,
            );
        }
        if found.used_at.is_none_or(|used| used.plus_seconds(NOTED_FOR) <= now || used > now) {
            self.ground.store.note(now, move |w| w.touch_scim_token(found.id)).wait()?;
        }
        Ok((Caller { actor: Actor::Provisioner { group: found.group }, ip: Some(ip) }, found.group))
    }
}

/// An identity provider keeps people; it does not make credentials for itself or others.
fn refuse_provisioners(caller: &Caller) -> Result<()> {
    match caller.actor {
        Actor::Provisioner { .. } => {
            let public = "Only an administrator of the group may do that.";
            Err(Error::new(Kind::Denied, "administrators_only", public))
        }
        _ => Ok(()),
    }
}
