//! Signing in by login key. Wire contract §2.

use super::attempt::Attempt;
use super::explained::KeyClaim;
use super::refusal::{RefusedSignIn, Stop, in_group};
use super::reject::SignInReject;
use super::signed_in::{Means, SignedIn, address_of};
use crate::clock::Timestamp;
use crate::desk::ground::guard::Account;
use crate::desk::sign_in::SignIn;
use crate::error::Result;
use crate::model::{GroupId, Mark, Puid, RoleId, UserId};
use crate::protocol::credential::Subject;
use crate::protocol::login_key::{self, SigningKey};
use crate::store::{KeyRow, MemberRow};

/// Groups of one user that a login key with a Glance Address is tried in.
const GROUPS_MOST: usize = 50;
type Verdict = std::result::Result<KeyHolder, SignInReject>;

/// The member whose login key was good.
struct KeyHolder {
    user: UserId,
    address: String,
    role: Option<RoleId>,
    administrator: bool,
    mark: Mark,
}

impl SignIn {
    pub(super) fn judge_login_key(
        &self,
        attempt: &Attempt<'_>,
        subject: &Subject,
        key: &str,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let account = match subject {
            Subject::Address(address) => Account::Address(address),
            Subject::Partner { group, puid, .. } => Account::Puid(*group, puid),
        };
        self.ground
            .admit_attempt(attempt.caller.ip, account, now)?
            .map_err(|too_many| RefusedSignIn::too_many(Means::LoginKey, too_many).naming(subject))?;
        let signed_in = match subject {
            Subject::Partner { group, puid, other_readings } => {
                self.judge_partner(*group, puid, other_readings, key, now)
            }
            Subject::Address(address) => self.judge_address(address, attempt.group, key, now),
        }?;
        let of_member = |reject| RefusedSignIn::new(Means::LoginKey, reject).of(&signed_in);
        in_group(attempt.group, signed_in.group).map_err(of_member)?;
        self.ground.guard.forget(attempt.caller.ip, account);
        Ok(signed_in)
    }

    fn judge_partner(
        &self,
        group: GroupId,
        puid: &str,
        other_readings: &[String],
        key: &str,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let mut verdict = self.check_puid(group, puid, key, now)?;
        for reading in other_readings {
            if verdict.is_err() {
                // Clients encode PUIDs in several ways: only the signature tells which reading was meant.
                verdict = self.check_puid(group, reading, key, now)?.or(verdict);
            }
        }
        match verdict {
            Ok(holder) => holder.signed_in(group).map_err(Stop::from),
            Err(reject) => {
                let claim = KeyClaim { group, puid: puid.to_owned(), text: key.to_owned().into() };
                let subject = Subject::Partner { group, puid: puid.to_owned(), other_readings: Vec::new() };
                let readings = other_readings.iter().map(String::as_str).chain([puid]);
                let outdated = self.is_of_previous_api_key(&reject, group, readings, key, now)?;
                let refusal = RefusedSignIn::new(Means::LoginKey, reject).naming(&subject).explaining(claim);
                Err(refusal.outdated(outdated).into())
            }
        }
    }

    /// The path of every login key: one look-up, one HMAC, one comparison.
    fn check_puid(&self, group: GroupId, puid: &str, key: &str, now: Timestamp) -> Result<Verdict> {
        self.ground.store.sign_in_by_puid(group, puid, |row| {
            let Some(KeyRow { sealed_api_key, member }) = row else {
                decoy(key, group, puid, now);
                return Ok(Err(SignInReject::UnknownGroup));
            };
            let Some(sealed) = sealed_api_key else {
                decoy(key, group, puid, now);
                return Ok(Err(SignInReject::GroupWithoutApiKey));
            };
            let verify = |api_key: &SigningKey| login_key::verify(key, api_key, group, puid, now.seconds());
            if let Err(reject) = self.ground.key_cache.with(&self.ground.keys, group, sealed, verify)? {
                return Ok(Err(SignInReject::LoginKey(reject)));
            }
            let Some(member) = member else { return Ok(Err(SignInReject::UnknownPuid)) };
            Ok(member.standing.admitted().map(|()| KeyHolder::of(&member)).map_err(SignInReject::from))
        })
    }

    /// `username~loginkey`: signed for the user's PUID in one of their groups, or for the Glance Address
    /// itself. Wire contract §11, Q4. The signature tells the group.
    fn judge_address(
        &self,
        address: &str,
        asked: Option<GroupId>,
        key: &str,
        now: Timestamp,
    ) -> std::result::Result<SignedIn, Stop> {
        let refusal = |reject| RefusedSignIn::new(Means::LoginKey, reject).naming_address(address);
        let Some(user) = self.ground.store.read(|r| r.user_by_address(address))? else {
            decoy(key, GroupId(1), address, now);
            return Err(refusal(SignInReject::UnknownAddress).into());
        };
        let memberships = self.ground.store.read(|r| r.memberships_of(user.id))?;
        // The group that was asked for comes first, and then the home group, so that it is the one explained.
        let (first, others): (Vec<_>, Vec<_>) = memberships.iter().partition(|m| Some(m.group) == asked);
        let (home, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|m| m.group == user.home_group);
        let mut found: Option<(SignInReject, GroupId, String)> = None;
        for membership in first.into_iter().chain(home).chain(others).take(GROUPS_MOST) {
            for puid in membership.puid.as_ref().map(Puid::as_str).into_iter().chain([user.address.as_str()])
            {
                match self.check_member(membership.group, user.id, puid, key, now)? {
                    Ok(holder) => return holder.signed_in(membership.group).map_err(Stop::from),
                    Err(reject) => {
                        found.get_or_insert((reject, membership.group, puid.to_owned()));
                    }
                }
            }
        }
        let Some((reject, group, puid)) = found else { return Err(refusal(SignInReject::NoGroup).into()) };
        let outdated = self.is_of_previous_api_key(&reject, group, [puid.as_str()].into_iter(), key, now)?;
        let claim = KeyClaim { group, puid, text: key.to_owned().into() };
        Err(refusal(reject).explaining(claim).outdated(outdated).into())
    }

    /// Whether a login key was made with the API key before the present one, which the client has not heard of yet:
    /// a mistake of its own people, and no guess.
    fn is_of_previous_api_key<'p>(
        &self,
        reject: &SignInReject,
        group: GroupId,
        mut readings: impl Iterator<Item = &'p str>,
        key: &str,
        now: Timestamp,
    ) -> Result<bool> {
        if *reject != SignInReject::LoginKey(login_key::LoginKeyReject::BadSignature) {
            return Ok(false);
        }
        let Some(previous) = self.ground.store.read(|r| self.api_keys(r, group))?.previous else {
            return Ok(false);
        };
        let previous = SigningKey::new(previous.expose());
        Ok(readings.any(|puid| login_key::verify(key, &previous, group, puid, now.seconds()).is_ok()))
    }

    /// As [`SignIn::check_puid`] for a user who is known, whatever their PUID.
    fn check_member(
        &self,
        group: GroupId,
        user: UserId,
        puid: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Verdict> {
        let (sealed, _) = self.ground.store.read(|r| r.sealed_api_keys(group))?;
        let Some(sealed) = sealed else { return Ok(Err(SignInReject::GroupWithoutApiKey)) };
        let verify = |api_key: &SigningKey| login_key::verify(key, api_key, group, puid, now.seconds());
        if let Err(reject) = self.ground.key_cache.with(&self.ground.keys, group, &sealed, verify)? {
            return Ok(Err(SignInReject::LoginKey(reject)));
        }
        let Some(state) = self.ground.store.read(|r| r.member_state(group, user))? else {
            return Ok(Err(SignInReject::UnknownPuid));
        };
        let holder = KeyHolder {
            user,
            role: state.role,
            administrator: state.administrator,
            mark: state.mark,
            address: state.address.clone(),
        };
        Ok(state.standing.admitted().map(|()| holder).map_err(SignInReject::from))
    }
}

/// Takes the time of a verification, so that the answer's time does not tell which groups exist.
fn decoy(key: &str, group: GroupId, puid: &str, now: Timestamp) {
    let nobody = SigningKey::new(b"decoy");
    let _ = std::hint::black_box(login_key::verify(key, &nobody, group, puid, now.seconds()));
}

impl KeyHolder {
    fn of(member: &MemberRow<'_>) -> KeyHolder {
        KeyHolder {
            user: member.user,
            address: member.address.to_owned(),
            role: member.role,
            administrator: member.administrator,
            mark: member.mark,
        }
    }

    fn signed_in(self, group: GroupId) -> Result<SignedIn> {
        Ok(SignedIn {
            group,
            user: self.user,
            address: address_of(&self.address)?,
            role: self.role,
            administrator: self.administrator,
            mark: self.mark,
            means: Means::LoginKey,
        })
    }
}
