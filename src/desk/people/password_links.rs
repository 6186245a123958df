//! One-time links: an administrator makes one, and the person sets a password with it by the home group's rules.
//!
//! The token is random, shown once, and kept as a fingerprint: looking that up tells nothing about the token. A link
//! ends when it is used, when a newer one is made, when the person gets a password in another way, when the home group
//! shuts the person out, and after [`LIVES_SECONDS`]. Opening it changes nothing: programs that look through mail open
//! links too. No mail is sent from here: the administrator gives the link to the person.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::ground::{passwords, permission};
use crate::desk::people::People;
use crate::desk::people::bulk::LogName;
use crate::desk::people::password_policy::{PasswordPolicy, may_set_password, policy_of_person};
use crate::desk::people::users::{UserKey, password_given};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GlanceAddress, GroupId, LogEntry, Member, User};
use crate::secret::{Secret, random_token};
pub use crate::store::PasswordLinkRow;
use crate::store::Reader;

/// How long a link can be used, in seconds.
pub const LIVES_SECONDS: i64 = 24 * 60 * 60;
/// Where a link leads, on whatever address the server is reached. The token follows in the query, and not in the path:
/// what is noted of a request that fails is its path.
pub const PATH: &str = "/console/set-password";
/// The access log's word for the use of a link, and for what is refused of it.
const USE: &str = "user.password-by-link";

/// A link that was just made.
pub struct MadeLink {
    /// What the link carries; it is not kept, and not shown again.
    pub token: Secret,
    pub expires_at: Timestamp,
    pub member: Member,
}

impl MadeLink {
    /// The link, for people who reach the server at `origin`, such as `https://sso.example.com`.
    pub fn url(&self, origin: &str) -> String {
        format!("{origin}{PATH}?token={}", self.token.expose_text().unwrap_or_default())
    }
}

/// What anyone who opens a link is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLink {
    /// Whose password it sets.
    pub address: GlanceAddress,
    pub rule: PasswordRule,
    /// What the home group says to its people; may be empty.
    pub message: String,
    /// The present password is refused.
    pub requires_new: bool,
    pub expires_at: Timestamp,
}

/// The links that somebody sets a password by at this moment, by fingerprint. Hashing waits for its turn on a thread:
/// of one link never more than one does.
#[derive(Default)]
pub struct InUse(Mutex<HashSet<[u8; 32]>>);

struct Entered<'i>(&'i InUse, [u8; 32]);

impl InUse {
    fn enter(&self, fingerprint: [u8; 32]) -> Result<Entered<'_>> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(fingerprint) {
            return Ok(Entered(self, fingerprint));
        }
        let public = "A password is being set by this link at this moment. Try again shortly.";
        Err(Error::new(Kind::Unavailable, "link_busy", public))
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl People {
    /// Makes a link with which the person sets a password; one that was made before ends.
    ///
    /// # Errors
    /// `Denied` unless the caller may set the person's password; `NotFound` with `user_unknown`; `Conflict` with
    /// `link_for_nobody` for a person whom the home group keeps out, and with `link_creates_none` for one without a
    /// password where the home group's rules do not let a link make the first.
    pub fn make_password_link(&self, caller: &Caller, group: GroupId, key: &UserKey) -> Result<MadeLink> {
        let operation = "user.password-link";
        let attempt = || {
            permission::administer(caller, group)?;
            let token = Secret::new(random_token::<32>()?);
            let fingerprint = self.ground.keys.fingerprint_of(token.expose());
            let (caller, key) = (caller.clone(), key.clone());
            let now = self.ground.clock.now();
            let expires_at = now.plus_seconds(LIVES_SECONDS);
            let member = self.ground.store.write(now, move |w| {
                let member = key.find(w, group)?;
                may_set_password(w, &caller, &member.user)?;
                if !may_come(w, &member.user)? {
                    let public = "The home group keeps this user out: suspended, inactive, no member there, or the group \
                                  is off. A link would open nothing.";
                    return Err(Error::new(Kind::Conflict, "link_for_nobody", public));
                }
                if !serves(&policy_of_person(w, &member.user)?, &member.user) {
                    let public = "This user has no password, and the group's settings do not let a reset make the first \
                                  one. Switch that on in Settings, or set a password here.";
                    return Err(Error::new(Kind::Conflict, "link_creates_none", public));
                }
                w.put_password_link(member.user.id, &fingerprint, &caller.actor.to_string(), expires_at)?;
                let subject = member.user.address.to_string();
                let detail = format!("until {expires_at}");
                w.log(&LogEntry::done(&caller, Some(group), operation, subject, detail))?;
                Ok(member)
            })?;
            Ok(MadeLink { token, expires_at, member })
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            operation,
            || key.name(&self.ground, group),
            attempt(),
        )
    }

    /// Ends a person's link, and says whether there was one.
    ///
    /// # Errors
    /// `Denied` unless the caller may set the person's password; `NotFound` with `user_unknown`.
    pub fn end_password_link(&self, caller: &Caller, group: GroupId, key: &UserKey) -> Result<bool> {
        let operation = "user.password-link-end";
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, key) = (caller.clone(), key.clone());
            let now = self.ground.clock.now();
            self.ground.store.write(now, move |w| {
                let user = key.find(w, group)?.user;
                may_set_password(w, &caller, &user)?;
                let had = w.password_link_of(user.id)?.is_some_and(|link| link.is_open(now));
                if had {
                    w.end_password_link(user.id)?;
                    w.log(&LogEntry::done(&caller, Some(group), operation, user.address.to_string(), ""))?;
                }
                Ok(had)
            })
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            operation,
            || key.name(&self.ground, group),
            attempt(),
        )
    }

    /// Finds the link that a person can use now, without its token.
    ///
    /// # Errors
    /// `Denied` with `home_group_only` unless the caller may change the person.
    pub fn password_link_of(&self, caller: &Caller, user: &User) -> Result<Option<PasswordLinkRow>> {
        permission::change_person(caller, user)?;
        let now = self.ground.clock.now();
        self.ground.store.snapshot(|r| {
            let link = r.password_link_of(user.id)?.filter(|link| link.is_open(now));
            Ok(if may_come(r, user)? { link } else { None })
        })
    }

    /// Opens a link without using it.
    ///
    /// # Errors
    /// `Denied` with code `link_closed` for whatever is no link that can be used, alike.
    pub fn open_password_link(&self, caller: &Caller, token: &str) -> Result<OpenLink> {
        let fingerprint = self.ground.keys.fingerprint_of(token.as_bytes());
        let now = self.ground.clock.now();
        let attempt = || {
            let (link, user, policy) = self.ground.store.snapshot(|r| usable(r, &fingerprint, now))?;
            Ok(OpenLink {
                address: user.address,
                rule: policy.rule,
                message: policy.reset_message,
                requires_new: policy.reset_requires_new && user.has_password,
                expires_at: link,
            })
        };
        self.logging_link_refusal(caller, &fingerprint, attempt())
    }

    /// Sets a person's password by a link, which ends with it, as do all the person's sessions.
    ///
    /// # Errors
    /// As [`People::open_password_link`]; `Invalid` for the field `password` where it breaks the home group's rule, and
    /// with `password_same` where the group asks for another than the present one; `Unavailable` with `link_busy`
    /// while somebody else uses the same link.
    pub fn set_password_by_link(&self, caller: &Caller, token: &str, password: &Secret) -> Result<User> {
        let fingerprint = self.ground.keys.fingerprint_of(token.as_bytes());
        let now = self.ground.clock.now();
        let attempt = || {
            let (_, user, policy) = self.ground.store.snapshot(|r| usable(r, &fingerprint, now))?;
            policy.rule.check(password)?;
            let _entered = self.links_in_use.enter(fingerprint)?;
            if policy.reset_requires_new && user.has_password {
                let present = self.ground.store.read(|r| r.password_hash(user.id))?;
                if self.ground.verifier.verify(password, present.as_deref())? {
                    let public = "This is the present password. Choose another one.";
                    return Err(Error::invalid("password_same", "password", public));
                }
            }
            let hash = passwords::hash(password)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                // Asked again inside the transaction: of two who hold the link, one comes first.
                let (_, user, _) = usable(w, &fingerprint, w.now)?;
                password_given(w, &user, &hash)?;
                // The row is of the person who holds the link, not of the stranger who came with it.
                let done = LogEntry::done(&caller, Some(user.home_group), USE, user.address.to_string(), "");
                w.log(&LogEntry { actor: user.address.to_string(), ..done })?;
                Ok(user)
            })
        };
        self.logging_link_refusal(caller, &fingerprint, attempt())
    }

    /// Notes a refusal at the person whose link it is, or was, as long as that is known.
    fn logging_link_refusal<T>(
        &self,
        caller: &Caller,
        fingerprint: &[u8; 32],
        outcome: Result<T>,
    ) -> Result<T> {
        let Err(error) = outcome else { return outcome };
        let owner = self.ground.store.snapshot(|r| match r.password_link(fingerprint)? {
            Some(link) => r.user(link.user),
            None => Ok(None),
        })?;
        let group = owner.as_ref().map(|user| user.home_group);
        let subject = owner.map_or_else(String::new, |user| user.address.to_string());
        self.ground.logging_refusal(caller, group, USE, &subject, Err(error))
    }
}

/// The time, the person and the rules of a link that can be used at `now`.
fn usable(
    reader: &Reader<'_>,
    fingerprint: &[u8; 32],
    now: Timestamp,
) -> Result<(Timestamp, User, PasswordPolicy)> {
    let link = reader.password_link(fingerprint)?.filter(|link| link.is_open(now)).ok_or_else(closed)?;
    let user = reader.user(link.user)?.ok_or_else(closed)?;
    let policy = policy_of_person(reader, &user)?;
    if !may_come(reader, &user)? || !serves(&policy, &user) {
        return Err(closed());
    }
    Ok((link.expires_at, user, policy))
}

/// Whether the person's home group lets them in.
fn may_come(reader: &Reader<'_>, user: &User) -> Result<bool> {
    let Some(group) = reader.group(user.home_group)? else { return Ok(false) };
    let home = reader.memberships_of(user.id)?.into_iter().find(|m| m.group == user.home_group);
    Ok(home.is_some_and(|membership| membership.standing(group.off_since.is_some()).is_admitted()))
}

/// Whether a reset gives this person a password: where they have none, only if the rules let it make the first.
fn serves(policy: &PasswordPolicy, user: &User) -> bool {
    user.has_password || policy.reset_may_create
}

fn closed() -> Error {
    let public = "This link is not open any more: it was used, a newer one was made, or its 24 hours are over. Ask \
                  whoever gave it to you for a new one.";
    Error::new(Kind::Denied, "link_closed", public)
}

#[cfg(test)]
mod tests;
