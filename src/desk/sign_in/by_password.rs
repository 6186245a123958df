//! Signing in by password, and by the credentials that ValidateUser issues. Wire contract §6.1, §6.6.
//!
//! A name that nobody has, a user without a password, and a wrong password cost the same time and give the
//! same answer.

use std::cell::Cell;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::attempt::Attempt;
use super::refusal::{RefusedSignIn, Stop, in_group};
use super::reject::SignInReject;
use super::signed_in::{Means, SignedIn, row};
use crate::clock::Timestamp;
use crate::desk::ground::guard::Account;
use crate::desk::sign_in::SignIn;
use crate::error::{Error, Result};
use crate::model::{LogEntry, User};
use crate::secret::{Secret, fill_random};

/// Seconds for which issued credentials are valid.
const ISSUED_SECONDS: i64 = 12 * 3600;
/// Random bytes of issued credentials: 32 hexadecimal characters. Wire contract §1.
const ISSUED_BYTES: usize = 16;

/// What ValidateUser answers.
pub struct Issued {
    pub signed_in: SignedIn,
    /// 32 hexadecimal characters. A bearer secret.
    pub credentials: Zeroizing<String>,
}

impl SignIn {
    pub(super) fn judge_password(
        &self,
        attempt: &Attempt<'_>,
        username: &str,
        password: &str,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let user = self.unlocked(attempt, username, now)?;
        let reserved =
            self.ground.guard.reserve(attempt.caller.ip, now).map_err(|too_many| {
                RefusedSignIn::too_many(Means::Password, too_many).naming_user(username)
            })?;
        let reserved = Cell::new(reserved);
        let refusal = |reject| {
            RefusedSignIn::new(Means::Password, reject).naming_user(username).reserving(reserved.take())
        };
        let password = Secret::new(password.as_bytes());
        let hash = match &user {
            Some(user) => self.ground.store.read(|r| r.password_hash(user.id))?,
            None => None,
        };
        let fits = self.ground.verifier.verify(&password, hash.as_deref())?;
        // Others may have locked the password while this one waited for its turn: then nothing is told of it.
        self.unlocked(attempt, username, now)?;
        let Some(hash) = hash else {
            let reject = if user.is_some() { SignInReject::NoPassword } else { SignInReject::UnknownAddress };
            return Err(refusal(reject).into());
        };
        let user = user.ok_or_else(|| Error::fault("password_hash", "a hash without its user"))?;
        if !fits {
            return Err(refusal(SignInReject::WrongPassword).user(user.id).into());
        }
        let signed_in = self.choose_group(attempt, &user, Means::Password)?;
        // Verifying took long: the password must still be the one of before the member's mark was read.
        if self.ground.store.read(|r| r.password_hash(user.id))? != Some(hash) {
            return Err(refusal(SignInReject::WrongPassword).user(user.id).into());
        }
        self.forgive(attempt, &user, now)?;
        Ok(signed_in)
    }

    pub(super) fn judge_issued_credentials(
        &self,
        attempt: &Attempt<'_>,
        username: &str,
        credentials: &str,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let means = Means::IssuedCredentials;
        let refusal = |reject| RefusedSignIn::new(means, reject).naming_address(username);
        // Nobody guesses 128 random bits: wrong ones shut out the address that sends them, as forged login keys do.
        self.ground
            .admit_attempt(attempt.caller.ip, Account::Address(username), now)?
            .map_err(|too_many| RefusedSignIn::too_many(means, too_many).naming_address(username))?;
        let user = self.ground.store.read(|r| r.user_by_address(username))?;
        let came = self.ground.keys.fingerprint_of(credentials.to_ascii_lowercase().as_bytes());
        let Some(user) = user else { return Err(refusal(SignInReject::UnknownAddress).into()) };
        let are_the_last = || -> Result<bool> {
            let issued = self.ground.store.read(|r| r.issued_credentials(user.id, now))?;
            Ok(issued.is_some_and(|issued| issued.ct_eq(&came).into()))
        };
        if !are_the_last()? {
            return Err(refusal(SignInReject::WrongIssuedCredentials).into());
        }
        let signed_in = self.choose_group(attempt, &user, means)?;
        // They must still be the ones of before the member's mark was read.
        if !are_the_last()? {
            return Err(refusal(SignInReject::WrongIssuedCredentials).into());
        }
        Ok(signed_in)
    }

    /// Checks a user's password and issues credentials in place of those before, as ValidateUser does.
    /// Wire contract §6.6.
    ///
    /// # Errors
    /// As [`SignIn::identify`].
    pub fn issue_credentials(&self, attempt: &Attempt<'_>) -> Result<Issued> {
        let now = self.ground.clock.now();
        let signed_in = self.identify(attempt)?;
        let mut bytes = Zeroizing::new([0u8; ISSUED_BYTES]);
        fill_random(bytes.as_mut_slice())?;
        let credentials: Zeroizing<String> =
            Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        let fingerprint = self.ground.keys.fingerprint_of(credentials.as_bytes());
        let entry = LogEntry {
            operation: "credentials.issue",
            ..row(&signed_in, attempt.caller, attempt.surface.to_owned())
        };
        let (group, user, mark) = (signed_in.group, signed_in.user, signed_in.mark);
        let issued = self.ground.store.write(now, move |w| {
            // The password may have been changed since it was verified.
            if w.member_state(group, user)?.is_none_or(|state| state.mark != mark) {
                return Ok(false);
            }
            w.replace_issued_credentials(user, &fingerprint, now.plus_seconds(ISSUED_SECONDS))?;
            w.log(&entry)?;
            Ok(true)
        })?;
        if !issued {
            let stop = RefusedSignIn::new(signed_in.means, SignInReject::WrongPassword).of(&signed_in).into();
            return Err(self.stopped(attempt.caller, attempt.surface, stop, now));
        }
        Ok(Issued { signed_in, credentials })
    }

    /// Finds who is named, unless they failed too often. For a locked user nothing is verified: an answer
    /// that told right from wrong would make the lock worthless.
    fn unlocked(
        &self,
        attempt: &Attempt<'_>,
        username: &str,
        now: Timestamp,
    ) -> std::result::Result<Option<User>, Stop> {
        let means = Means::Password;
        self.ground
            .admit_attempt(attempt.caller.ip, Account::Password(username), now)?
            .map_err(|too_many| RefusedSignIn::too_many(means, too_many).naming_user(username))?;
        let user = self.ground.store.read(|r| r.user_by_address(username))?;
        match user {
            Some(user) if user.is_locked(now) => {
                Err(RefusedSignIn::new(means, SignInReject::UserLocked).naming_user(username).into())
            }
            user => Ok(user),
        }
    }

    /// The group to sign in to: the one asked for, or the only one.
    fn choose_group(
        &self,
        attempt: &Attempt<'_>,
        user: &User,
        means: Means,
    ) -> std::result::Result<SignedIn, Stop> {
        let refusal = |reject| RefusedSignIn::new(means, reject).naming_user(user.address.as_str());
        let memberships = self.ground.store.read(|r| r.memberships_of(user.id))?;
        let mut fitting: Vec<_> =
            memberships.iter().filter(|m| in_group(attempt.group, m.group).is_ok()).collect();
        if fitting.len() > 1 {
            // A group that is switched off keeps nobody out of another.
            let mut on = Vec::new();
            for membership in &fitting {
                if self
                    .ground
                    .store
                    .read(|r| r.group(membership.group))?
                    .is_some_and(|group| group.off_since.is_none())
                {
                    on.push(*membership);
                }
            }
            if on.is_empty() {
                fitting.truncate(1);
            } else {
                fitting = on;
            }
        }
        let mut fitting = fitting.into_iter();
        let membership = match (fitting.next(), fitting.next()) {
            (Some(only), None) => only,
            (Some(_), Some(_)) => return Err(refusal(SignInReject::GroupRequired).into()),
            (None, _) => return Err(refusal(SignInReject::NotAMember).into()),
        };
        let state = self.ground.store.read(|r| r.member_state(membership.group, user.id))?;
        let state = state.ok_or_else(|| refusal(SignInReject::NotAMember))?;
        let signed_in = SignedIn::of(membership.group, user.id, &state, means)?;
        state.standing.admitted().map_err(|barred| refusal(barred.into()).of(&signed_in))?;
        Ok(signed_in)
    }

    /// Forgets the failures of a user who knew the password; while another process holds the database, they stay.
    fn forgive(&self, attempt: &Attempt<'_>, user: &User, now: Timestamp) -> Result<()> {
        self.ground.guard.forget(attempt.caller.ip, Account::Password(user.address.as_str()));
        let id = user.id;
        self.ground.store.note(now, move |w| w.note_sign_in(id)).wait()
    }
}
