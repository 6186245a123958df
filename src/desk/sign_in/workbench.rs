//! The login-key workbench: makes a login key as a customer's own server would, and takes one apart.
//!
//! For people who integrate; nobody is signed in by it.

use crate::clock::Timestamp;
use crate::desk::ground::fields;
use crate::desk::ground::known_group;
use crate::desk::ground::permission;
use crate::desk::sign_in::SignIn;
use crate::desk::sign_in::{KeyClaim, KeyExplanation};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::login_key::{LONGEST_LIFE, SigningKey, make};

/// A login key that was made.
pub struct MadeLoginKey {
    /// A bearer secret until it expires.
    pub text: zeroize::Zeroizing<String>,
    pub expires_at: Timestamp,
}

impl SignIn {
    /// Makes a login key for a PUID of the group, valid for `seconds`. Whether anybody has the PUID is not
    /// asked: that is for the check to tell.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` for a PUID that breaks its rule and, with
    /// `bad_ttl`, outside of 1 to 86400 seconds; `Conflict` with `no_api_key`.
    pub fn make_login_key(
        &self,
        caller: &Caller,
        group: GroupId,
        puid: &str,
        seconds: i64,
    ) -> Result<MadeLoginKey> {
        permission::administer(caller, group)?;
        let puid = fields::puid(puid)?;
        if !(1..=LONGEST_LIFE).contains(&seconds) {
            let public = format!("A login key is valid for 1 to {LONGEST_LIFE} seconds.");
            return Err(Error::invalid("bad_ttl", "ttl", public));
        }
        let now = self.ground.clock.now();
        let keys = self.ground.store.read(|r| {
            known_group::known(r, group)?;
            self.api_keys(r, group)
        })?;
        let key = keys.current.ok_or_else(|| {
            Error::new(Kind::Conflict, "no_api_key", "The group has no API key yet. Set one first.")
        })?;
        let expires_at = Timestamp::from_seconds(now.seconds()).plus_seconds(seconds);
        let text = make(&SigningKey::new(key.expose()), group, puid.as_str(), expires_at.seconds())
            .ok_or_else(|| {
                Error::invalid(
                    "bad_ttl",
                    "ttl",
                    "The expiry would not have ten digits: the clock is set too far.",
                )
            })?;
        let detail = format!("valid for {seconds} s");
        self.ground
            .store
            .log(now, LogEntry::done(caller, Some(group), "login-key.make", puid.as_str(), detail))?;
        Ok(MadeLoginKey { text: text.into(), expires_at })
    }

    /// Takes a login key apart as it would be judged at `at`, or now.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn take_login_key_apart(
        &self,
        caller: &Caller,
        claim: &KeyClaim,
        at: Option<Timestamp>,
    ) -> Result<KeyExplanation> {
        permission::administer(caller, claim.group)?;
        self.explain_login_key(claim, at.unwrap_or_else(|| self.ground.clock.now()))
    }
}
