//! API keys: one a group, from which its login keys are made. Wire contract §2.8.
//!
//! Shown to those who may run the group, and the access log says to whom. Changing it rejects every
//! outstanding login key at once; the one before it is kept, sealed, to explain that refusal, and for an hour to be
//! put back.

use crate::clock::Timestamp;
use crate::desk::ground::key_cache::api_key_place;
use crate::desk::ground::known_group;
use crate::desk::ground::permission;
use crate::desk::sign_in::SignIn;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry};
use crate::secret::{Secret, fill_random};
use crate::store::Reader;

/// Fewest characters of an API key that somebody chose. Shorter ones can be guessed from one login key.
pub const API_KEY_MIN: usize = 8;
/// Most characters of an API key. Our own choice.
pub const API_KEY_MAX: usize = 255;
/// Characters of a key that we make: 20 of 32 letters are 100 bits; the contract's default has 80.
const GENERATED: usize = 20;

/// Seconds for which the previous API key can be put back.
const PUT_BACK_SECONDS: i64 = 60 * 60;

/// Where the one before it is sealed to.
fn previous_place(group: GroupId) -> String {
    format!("group/{group}/previous-api-key")
}

/// The API key of a group and the one before it, opened.
pub struct ApiKeys {
    pub current: Option<Secret>,
    /// Only to explain a refusal.
    pub previous: Option<Secret>,
}

impl SignIn {
    /// Shows a group's API key; `None` when it has none. The access log says who looked.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`.
    pub fn show_api_key(&self, caller: &Caller, group: GroupId) -> Result<Option<Secret>> {
        let operation = "api-key.show";
        let attempt = || {
            permission::administer(caller, group)?;
            let keys = self.ground.store.read(|r| {
                known_group::known(r, group)?;
                self.api_keys(r, group)
            })?;
            let entry = LogEntry::done(caller, Some(group), operation, group.to_string(), "");
            self.ground.store.log(self.ground.clock.now(), entry)?;
            Ok(keys.current)
        };
        self.ground.logging_refusal(caller, Some(group), operation, &group.to_string(), attempt())
    }

    /// Puts another API key in force: `chosen`, or one made at random. Login keys made with the one before
    /// are rejected from now on. Gives back the key in force.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` with `api_key_too_short`, `api_key_too_long`
    /// or `api_key_malformed`; `NotFound` with `group_unknown`.
    pub fn change_api_key(&self, caller: &Caller, group: GroupId, chosen: Option<Secret>) -> Result<Secret> {
        let operation = "api-key.change";
        let attempt = || {
            permission::administer(caller, group)?;
            let detail = if chosen.is_some() { "typed in" } else { "made at random" };
            let key = match chosen {
                Some(chosen) => checked(chosen)?,
                None => generated()?,
            };
            let before = self.ground.store.read(|r| {
                known_group::known(r, group)?;
                self.api_keys(r, group)
            })?;
            if before.current.as_ref() == Some(&key) {
                return Ok(key);
            }
            let sealed = self.ground.keys.seal(&api_key_place(group), &key)?;
            let previous = before
                .current
                .as_ref()
                .map(|k| self.ground.keys.seal(&previous_place(group), k))
                .transpose()?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                known_group::known(w, group)?;
                w.replace_api_key(group, &sealed, previous.as_deref())?;
                w.log(&LogEntry::done(&caller, Some(group), operation, group.to_string(), detail))
            })?;
            Ok(key)
        };
        self.ground.logging_refusal(caller, Some(group), operation, &group.to_string(), attempt())
    }

    /// Until when the previous API key can be put back; `None` when it cannot.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`.
    pub fn previous_api_key_until(&self, caller: &Caller, group: GroupId) -> Result<Option<Timestamp>> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        self.ground.store.read(|r| Ok(put_back_until(r, group)?.filter(|until| now < *until)))
    }

    /// Puts the API key back that was in force before, within an hour after it was changed. A change like any other:
    /// it can itself be taken back so.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Conflict` with `no_previous_api_key`; `NotFound` with
    /// `group_unknown`.
    pub fn restore_api_key(&self, caller: &Caller, group: GroupId) -> Result<Secret> {
        let operation = "api-key.change";
        let attempt = || {
            permission::administer(caller, group)?;
            let none = || {
                let public = "There is no previous API key that could be put back: it is kept for one hour.";
                Error::new(Kind::Conflict, "no_previous_api_key", public)
            };
            let before = self.ground.store.read(|r| {
                known_group::known(r, group)?;
                self.api_keys(r, group)
            })?;
            let (Some(current), Some(previous)) = (before.current, before.previous) else {
                return Err(none());
            };
            let in_force = self.ground.keys.seal(&api_key_place(group), &previous)?;
            let kept = self.ground.keys.seal(&previous_place(group), &current)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                // Asked inside the transaction, too: of two who change it, the second must not undo the first unseen.
                if put_back_until(w, group)?.is_none_or(|until| until <= w.now) {
                    return Err(none());
                }
                w.replace_api_key(group, &in_force, Some(&kept))?;
                let detail = "the previous one was put back";
                w.log(&LogEntry::done(&caller, Some(group), operation, group.to_string(), detail))
            })?;
            Ok(previous)
        };
        self.ground.logging_refusal(caller, Some(group), operation, &group.to_string(), attempt())
    }

    /// Opens a group's API keys, for checking and making login keys.
    ///
    /// # Errors
    /// `Fault` with `sealed_unreadable` when the key file is not the one they were sealed under.
    pub(crate) fn api_keys(&self, reader: &Reader<'_>, group: GroupId) -> Result<ApiKeys> {
        let (current, previous) = reader.sealed_api_keys(group)?;
        let open = |place: String, sealed: Option<Vec<u8>>| {
            sealed.map(|sealed| self.ground.keys.open_sealed(&place, &sealed)).transpose()
        };
        Ok(ApiKeys {
            current: open(api_key_place(group), current)?,
            previous: open(previous_place(group), previous)?,
        })
    }
}

/// The end of the hour in which the previous key can be put back; `None` without one.
fn put_back_until(reader: &Reader<'_>, group: GroupId) -> Result<Option<Timestamp>> {
    let group = known_group::known(reader, group)?;
    let (_, previous) = reader.sealed_api_keys(group.id)?;
    Ok(group.api_key_changed_at.filter(|_| previous.is_some()).map(|at| at.plus_seconds(PUT_BACK_SECONDS)))
}

pub(in crate::desk) fn checked(chosen: Secret) -> Result<Secret> {
    let refused = |code, public: String| Err(Error::invalid(code, "api_key", public));
    let Some(text) = chosen.expose_text() else {
        return refused("api_key_malformed", "The API key is not UTF-8 text.".into());
    };
    let length = text.chars().count();
    // White space at the edges would be lost on the way to an integration; control characters anywhere.
    if text.trim() != text || text.chars().any(char::is_control) {
        let public = "An API key has no control characters, and no white space at its ends.";
        return refused("api_key_malformed", public.into());
    }
    if length < API_KEY_MIN {
        return refused("api_key_too_short", format!("An API key has at least {API_KEY_MIN} characters."));
    }
    if length > API_KEY_MAX {
        return refused("api_key_too_long", format!("An API key has at most {API_KEY_MAX} characters."));
    }
    Ok(chosen)
}

/// Letters and digits without look-alikes, because people copy keys by hand.
fn generated() -> Result<Secret> {
    const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyzA";
    let mut bytes = zeroize::Zeroizing::new([0u8; GENERATED]);
    fill_random(bytes.as_mut_slice())?;
    let key: Vec<u8> =
        bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)).copied()).collect();
    Ok(Secret::new(key))
}
