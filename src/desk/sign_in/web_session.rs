//! Web sessions: the value of the cookie `GSSNID`, and its life. Wire contract §1, §3.6, §11 Q7.
//!
//! The value is `personId.epoch.secret.groupId`; the form with three fields is read too. What counts is the
//! secret, 26 random bytes behind the time, of which the store keeps only a fingerprint: a web session lives on
//! the server and ends there, with its idle time, its user's suspension, or a sign-out.
//!
//! The time stands first in the secret and in its fingerprint, as in a UUID of version 7 (RFC 9562 §5.7), so
//! that sessions which begin together lie together in the store, and one commit writes few pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::desk::sign_in::SignIn;
use crate::desk::sign_in::{Means, SignInReject, SignedIn};
use crate::error::Result;
use crate::model::{Caller, GroupId, LogEntry, UserId};
use crate::secret::{Keys, fill_random};
use crate::store::{WebSessionRow, Writer};

/// Seconds without use after which a web session ends, unless configured otherwise.
pub const IDLE_SECONDS: i64 = 8 * 3600;
/// Seconds after which a web session ends however much it is used.
const LONGEST_SECONDS: i64 = 7 * 24 * 3600;
/// A use is noted when the last note is older than this: reading must not become writing.
const NOTE_EVERY_SECONDS: i64 = 60;
/// Characters of the secret part.
const SECRET_LENGTH: usize = 43;
/// Bytes of the time, in milliseconds, that the secret begins with, and their characters.
const TIME_BYTES: usize = 6;
const TIME_LENGTH: usize = 8;

/// A web session in the making, for a member who may not exist before the transaction that keeps it.
pub struct PreparedWebSession {
    // A bearer secret: anyone who shows it is signed in.
    secret: String,
    epoch: i64,
    /// Under which the store keeps it.
    pub fingerprint: [u8; 32],
    pub expires_at: Timestamp,
}

impl PreparedWebSession {
    /// The value of `GSSNID`. A bearer secret.
    pub fn value(&self, group: GroupId, user: UserId) -> String {
        format!("{user}.{}.{}.{group}", self.epoch, self.secret)
    }
}

impl SignIn {
    /// Prepares a web session, to be kept with [`crate::store::Writer::insert_web_session`] at the instant
    /// `now`, in the transaction that logs the sign-in.
    ///
    /// # Errors
    /// `Fault` when the machine has no randomness.
    pub fn prepared_web_session(&self, now: Timestamp) -> Result<PreparedWebSession> {
        let secret = new_secret(now)?;
        Ok(PreparedWebSession {
            fingerprint: fingerprint(&self.ground.keys, &secret),
            secret,
            epoch: now.seconds(),
            expires_at: now.plus_seconds(self.web_session_idle_seconds()),
        })
    }

    /// Finds the member whose web session this is, and notes the use. The member's state is not judged.
    pub(in crate::desk) fn find_web_session(
        &self,
        value: &str,
        now: Timestamp,
    ) -> Result<std::result::Result<(SignedIn, crate::store::SignInState), SignInReject>> {
        let Some(parsed) = parse(value) else { return Ok(Err(SignInReject::UnknownWebSession)) };
        let fingerprint = fingerprint(&self.ground.keys, parsed.secret);
        let Some(row) = self.ground.store.read(|r| r.web_session(&fingerprint, now))? else {
            return Ok(Err(SignInReject::UnknownWebSession));
        };
        let fits = row.mark == row.member.mark
            && row.user == parsed.user
            && row.created_at.seconds() == parsed.epoch
            && parsed.group.is_none_or(|group| group == row.group)
            && is_young(&row, now);
        if !fits {
            return Ok(Err(SignInReject::UnknownWebSession));
        }
        if row.used_at.plus_seconds(NOTE_EVERY_SECONDS) <= now {
            let expires_at = now.plus_seconds(self.web_session_idle_seconds());
            self.ground.store.note(now, move |w| w.extend_web_session(&fingerprint, expires_at)).wait()?;
        }
        let signed_in = SignedIn::of(row.group, row.user, &row.member, Means::WebSession)?;
        Ok(Ok((signed_in, row.member)))
    }

    /// Ends a web session; nothing happens, and nothing is logged, when there is none.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn end_web_session(&self, caller: &Caller, value: &str) -> Result<()> {
        let Some(parsed) = parse(value) else { return Ok(()) };
        let fingerprint = fingerprint(&self.ground.keys, parsed.secret);
        let caller = caller.clone();
        let end = move |w: &Writer<'_>| {
            let ended = w.web_session(&fingerprint, w.now)?;
            w.delete_web_session(&fingerprint)?;
            match ended.filter(|row| row.mark == row.member.mark && is_young(row, w.now)) {
                Some(row) => w.log(&signed_out(&caller, row)),
                None => Ok(()),
            }
        };
        self.ground.store.write_promised(self.ground.clock.now(), end).wait()
    }
}

/// The access log's row of a sign-out. It is of the person whose session ended.
fn signed_out(caller: &Caller, row: WebSessionRow) -> LogEntry {
    let address = row.member.address;
    LogEntry {
        actor: address.clone(),
        ..LogEntry::done(caller, Some(row.group), "sign-out.web-session", address, "")
    }
}

fn is_young(row: &WebSessionRow, now: Timestamp) -> bool {
    now < row.created_at.plus_seconds(LONGEST_SECONDS)
}

fn new_secret(now: Timestamp) -> Result<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill_random(bytes.as_mut_slice())?;
    let time = now.0.to_be_bytes();
    bytes.iter_mut().zip(time.iter().skip(time.len() - TIME_BYTES)).for_each(|(place, byte)| *place = *byte);
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// What the store knows a secret by: its time, then 26 bytes of the keyed hash over all of it.
fn fingerprint(keys: &Keys, secret: &str) -> [u8; 32] {
    let mut time = [0; TIME_BYTES];
    // A secret that is not ours has no time, and is found nowhere.
    let _ = URL_SAFE_NO_PAD.decode_slice(secret.get(..TIME_LENGTH).unwrap_or_default(), &mut time);
    let hash = keys.fingerprint_of(secret.as_bytes());
    let mut bytes = time.iter().chain(&hash).copied();
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
}

#[derive(Debug, PartialEq, Eq)]
struct Parsed<'v> {
    user: UserId,
    epoch: i64,
    secret: &'v str,
    group: Option<GroupId>,
}

/// The group that the value of a `GSSNID` names, unverified: the form with three fields names none.
pub fn group_of(value: &str) -> Option<GroupId> {
    parse(value)?.group
}

fn parse(value: &str) -> Option<Parsed<'_>> {
    let mut fields = value.split('.');
    let user = UserId(fields.next()?.parse().ok()?);
    let epoch = fields.next()?.parse().ok()?;
    let secret = fields.next().filter(|secret| secret.len() == SECRET_LENGTH)?;
    let group = match fields.next() {
        Some(group) => Some(GroupId::parse(group)?),
        None => None,
    };
    fields.next().is_none().then_some(Parsed { user, epoch, secret, group })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn secrets_and_fingerprints_are_in_the_order_of_time() {
        let keys = Keys::derive(&[7; 32]).unwrap();
        let of = |milliseconds| {
            let secret = new_secret(Timestamp(milliseconds)).unwrap();
            assert_eq!(secret.len(), SECRET_LENGTH);
            fingerprint(&keys, &secret)
        };
        let first = of(1_593_907_200_000);
        assert!(first < of(1_593_907_200_001));
        assert_ne!(first, of(1_593_907_200_000));
        assert_eq!(fingerprint(&keys, "not/ours")[..TIME_BYTES], [0; TIME_BYTES]);
    }

    #[test]
    fn three_and_four_fields_are_read_and_nothing_else() {
        const SECRET: &str = "9ZtHvw1uyCIEjorGe7k1qfeuGQiV5pkMsxu-5Q5OQiM";
        let parsed = |group| Some(Parsed { user: UserId(935203), epoch: 1773342715, secret: SECRET, group });
        for (value, expected) in [
            (format!("935203.1773342715.{SECRET}.25542"), parsed(Some(GroupId(25542)))),
            (format!("935203.1773342715.{SECRET}"), parsed(None)),
            (format!("935203.1773342715.{SECRET}."), None),
            (format!("935203.1773342715.{SECRET}.1.2"), None),
            ("935203.1773342715.short.25542".into(), None),
            (format!("x.1773342715.{SECRET}"), None),
            (String::new(), None),
        ] {
            assert_eq!(parse(&value), expected, "{value}");
        }
    }
}
