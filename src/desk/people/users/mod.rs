//! People: users are made, changed, and deleted here, for every surface alike.
//!
//! - [`People::create_user`], [`People::update_user`], [`People::delete_user`] and their plurals: one act each,
//!   whole or not at all, in one transaction with its access-log rows.
//! - What came in as text is checked by [`crate::desk::ground::fields`]; who may, by [`crate::desk::ground::permission`].
//! - [`list`] finds and pages.
//!
//! A user has one home group, whose administrators keep the person; every group keeps only what the person
//! is among them. Wire contract §4 and §5.2.

mod act;
mod checked;
mod list;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use act::{created, removed, updated};
pub(in crate::desk) use act::{joined, password_given, role_of, role_unknown};
pub use checked::{CheckedChange, CheckedUser, check_change, check_new};
pub use list::MemberPage;

use crate::desk::ground::Ground;
use crate::desk::ground::guard::Account;
use crate::desk::ground::let_in::let_in;
use crate::desk::ground::passwords::hash_of_many;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::desk::people::bulk::{BulkError, LogName, each};
use crate::desk::people::password_policy;
use crate::error::{Error, Kind, Result};
use crate::model::opened::Values;
use crate::model::person::Person;
use crate::model::{Caller, GroupId, LogEntry, Member, Puid, RoleId, UserId};
use crate::secret::Secret;
use crate::store::{Reader, Writer};

/// A user to be made, as the surface was given it.
#[derive(Clone, Default)]
pub struct NewUser {
    pub address: String,
    /// `None`: without one. `Some("")` is refused: the surface requires it.
    pub puid: Option<String>,
    pub person: Person<String>,
    pub role: RoleChoice,
    pub password: Option<Secret>,
    pub administrator: bool,
}

/// What is to be changed of a user; `None` stays as it is.
#[derive(Clone, Default)]
pub struct UserChange {
    pub address: Option<String>,
    /// `Some(None)` takes the PUID away.
    pub puid: Option<Option<String>>,
    pub person: Person<Option<String>>,
    pub role: Option<RoleChoice>,
    pub password: Option<Secret>,
    pub suspended: Option<bool>,
    pub active: Option<bool>,
    pub administrator: Option<bool>,
    /// The form that this answers, as it was opened.
    pub opened: Option<Values>,
}

/// Which role a user is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RoleChoice {
    #[default]
    None,
    Numbered(RoleId),
    /// By name, in any case.
    Named(String),
}

impl RoleChoice {
    /// Reads a role as the wire writes it: blank and `-none-` mean none. Wire contract §4.2.
    pub fn of_wire(text: &str) -> RoleChoice {
        match text.trim() {
            "" => RoleChoice::None,
            none if crate::desk::ground::fields::is_none_word(none) => RoleChoice::None,
            name => RoleChoice::Named(name.to_owned()),
        }
    }
}

/// Names a user inside one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserKey {
    Id(UserId),
    /// Compared exactly.
    Puid(String),
    /// A Glance Address, compared in any case.
    Address(String),
}

impl UserKey {
    /// Finds the member of `group`.
    ///
    /// # Errors
    /// `NotFound` with code `user_unknown`.
    pub fn find(&self, reader: &Reader<'_>, group: GroupId) -> Result<Member> {
        let (found, field) = match self {
            UserKey::Id(id) => (reader.member(group, *id)?, "user"),
            UserKey::Puid(puid) => (reader.member_by_puid(group, puid)?, "puid"),
            UserKey::Address(address) => (reader.member_by_address(group, address.trim())?, "address"),
        };
        found.ok_or_else(|| Error::not_found("user_unknown", "The group has no such user.").with_field(field))
    }

    /// How it came.
    pub(super) fn text(&self) -> String {
        match self {
            UserKey::Id(id) => format!("user {id}"),
            UserKey::Puid(puid) => format!("PUID {puid}"),
            UserKey::Address(address) => address.clone(),
        }
    }
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    pub member: Member,
    /// The fields that have another value now; empty when all had the wanted value already.
    pub changed: Vec<&'static str>,
}

impl People {
    /// Makes a user, and a member of `group`, which becomes the home group.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` for a field that breaks its rule or a role
    /// that the group does not have (`role_unknown`); `Conflict` with `puid_taken` or `address_taken`;
    /// `NotFound` when there is no such group.
    pub fn create_user(&self, caller: &Caller, group: GroupId, new: NewUser) -> Result<Member> {
        let subject = new.address.clone();
        let attempt = || {
            permission::administer(caller, group)?;
            let user = self.checked_new(group, &new)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| created(w, &caller, group, &user))
        };
        self.ground.logging_refusal(caller, Some(group), "user.create", &subject, attempt())
    }

    /// Makes several users, all or none.
    ///
    /// # Errors
    /// Those of [`People::create_user`], by row; `Invalid` with `too_many_rows` above [`BULK_MAX`]; `Unavailable` with
    /// `bulk_busy` for a call with passwords while others hash theirs.
    pub fn create_users(
        &self,
        caller: &Caller,
        group: GroupId,
        new: Vec<NewUser>,
    ) -> std::result::Result<Vec<Member>, BulkError> {
        self.bulk_allowed(caller, group, new.len(), "user.create")?;
        let asked: Vec<String> = new.iter().map(|user| user.address.clone()).collect();
        let attempt = || {
            let with_passwords = new.iter().any(|user| user.password.is_some());
            let checked = self.each_row(group, with_passwords, &new, |user| self.checked_new(group, user))?;
            let caller = caller.clone();
            self.all_or_none(move |w| each(&checked, |user| created(w, &caller, group, user)))
        };
        self.logging_refused_rows(caller, group, "user.create", &asked, attempt())
    }

    /// Changes a user. Fields without a value stay as they are.
    ///
    /// # Errors
    /// As [`People::create_user`]; `NotFound` with `user_unknown`; `Denied` with `home_group_only` when the
    /// person's home is elsewhere, and with `own_account` when administrators would lock themselves out.
    pub fn update_user(
        &self,
        caller: &Caller,
        group: GroupId,
        key: &UserKey,
        change: UserChange,
    ) -> Result<Updated> {
        let attempt = || {
            permission::administer(caller, group)?;
            let change = self.checked_change(caller, group, key, &change)?;
            let (caller, key) = (caller.clone(), key.clone());
            self.ground
                .store
                .write(self.ground.clock.now(), move |w| updated(w, &caller, group, &key, &change))
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "user.update",
            || key.name(&self.ground, group),
            attempt(),
        )
    }

    /// Changes several users, all or none.
    ///
    /// # Errors
    /// Those of [`People::update_user`], by row; `Invalid` with `too_many_rows` above [`BULK_MAX`]; `Unavailable` with
    /// `bulk_busy` for a call with passwords while others hash theirs.
    pub fn update_users(
        &self,
        caller: &Caller,
        group: GroupId,
        changes: Vec<(UserKey, UserChange)>,
    ) -> std::result::Result<Vec<Updated>, BulkError> {
        self.bulk_allowed(caller, group, changes.len(), "user.update")?;
        let asked: Vec<UserKey> = changes.iter().map(|(key, _)| key.clone()).collect();
        let attempt = || {
            let with_passwords = changes.iter().any(|(_, change)| change.password.is_some());
            let checked = self.each_row(group, with_passwords, &changes, |(key, change)| {
                self.checked_change(caller, group, key, change)
            })?;
            let keyed: Vec<_> = changes.into_iter().map(|(key, _)| key).zip(checked).collect();
            let caller = caller.clone();
            self.all_or_none(move |w| {
                let keyed = with_puids_freed(w, group, keyed)?;
                each(&keyed, |(key, change)| updated(w, &caller, group, key, change))
            })
        };
        self.logging_refused_rows(caller, group, "user.update", &asked, attempt())
    }

    /// Ends a user's membership for good; with the last membership goes the user. The PUID and the Glance
    /// Address may be used again, the user's number never is.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group, and with `own_account` for the caller's own;
    /// `NotFound` with `user_unknown`.
    pub fn delete_user(&self, caller: &Caller, group: GroupId, key: &UserKey) -> Result<Member> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, key) = (caller.clone(), key.clone());
            self.ground.store.write(self.ground.clock.now(), move |w| removed(w, &caller, group, &key))
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "user.delete",
            || key.name(&self.ground, group),
            attempt(),
        )
    }

    /// Deletes several users, all or none.
    ///
    /// # Errors
    /// Those of [`People::delete_user`], by row; `Invalid` with `too_many_rows` above [`BULK_MAX`].
    pub fn delete_users(
        &self,
        caller: &Caller,
        group: GroupId,
        keys: Vec<UserKey>,
    ) -> std::result::Result<Vec<Member>, BulkError> {
        self.bulk_allowed(caller, group, keys.len(), "user.delete")?;
        let (by, asked) = (caller.clone(), keys.clone());
        let outcome = self.all_or_none(move |w| each(&keys, |key| removed(w, &by, group, key)));
        self.logging_refused_rows(caller, group, "user.delete", &asked, outcome)
    }

    /// Lets a user in again whom too many failures keep out.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the user's home group; `NotFound` with `user_unknown`.
    pub fn clear_lockout(&self, caller: &Caller, group: GroupId, key: &UserKey) -> Result<()> {
        let operation = "user.clear-lockout";
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, key) = (caller.clone(), key.clone());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let member = key.find(w, group)?;
                permission::change_person(&caller, &member.user)?;
                w.clear_lockout(member.user.id)?;
                let detail = format!("{} failures forgotten", member.user.failures);
                let subject = member.user.address.to_string();
                let address = member.user.address.as_str();
                let_in(w, Account::Address(address))?;
                let_in(w, Account::Password(address))?;
                if let Some(puid) = &member.membership.puid {
                    let_in(w, Account::Puid(member.membership.group, puid.as_str()))?;
                }
                w.log(&LogEntry::done(&caller, Some(group), operation, subject, detail))
            })?;
            self.ground.hear_who_was_let_in()
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            operation,
            || key.name(&self.ground, group),
            attempt(),
        )
    }

    /// Makes a user of one group a member of another. Operators only: a group must not reach another
    /// group's people by their addresses.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `NotFound` with `user_unknown` or `group_unknown`; `Conflict` with
    /// `already_member` or `puid_taken`; `Invalid` with `role_unknown` and for a PUID that breaks its rule.
    pub fn add_member(
        &self,
        caller: &Caller,
        group: GroupId,
        address: &str,
        puid: Option<&str>,
        role: RoleChoice,
        administrator: bool,
    ) -> Result<Member> {
        let attempt = || {
            permission::run_appliance(caller)?;
            let address = crate::desk::ground::fields::address(address)?;
            let puid = puid.map(crate::desk::ground::fields::puid).transpose()?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                act::joined(w, &caller, group, &address, puid, &role, administrator)
            })
        };
        self.ground.logging_refusal(caller, Some(group), "user.add-to-group", address, attempt())
    }

    /// Checks a user to be made against the rules of the fields and of `group`, the home group to be, and hashes
    /// the password.
    pub(in crate::desk) fn checked_new(&self, group: GroupId, new: &NewUser) -> Result<CheckedUser> {
        let mut checked = check_new(new)?;
        if let Some(password) = &new.password {
            let policy = self.ground.store.read(|r| password_policy::policy_of(r, group))?;
            policy.rule.check(password)?;
            checked.password_hash = Some(hash_of_many(password)?);
        }
        Ok(checked)
    }

    /// Checks a change against the rules of the fields and, for a password, of the person's home group.
    pub(in crate::desk) fn checked_change(
        &self,
        caller: &Caller,
        group: GroupId,
        key: &UserKey,
        change: &UserChange,
    ) -> Result<CheckedChange> {
        let mut checked = check_change(change)?;
        if let Some(password) = &change.password {
            let policy = self.ground.store.snapshot(|r| {
                let user = key.find(r, group)?.user;
                // Anyone who may not set it must not learn the home group's rule from the refusal.
                password_policy::may_set_password(r, caller, &user)?;
                password_policy::policy_of_person(r, &user)
            })?;
            policy.rule.check(password)?;
            checked.password_hash = Some(hash_of_many(password)?);
        }
        Ok(checked)
    }
}

/// Frees the PUIDs that pass from one row's user to another's, so that the order of the rows does not matter, as it
/// does not in a CSV file. From here on each user is named by number: a PUID may name somebody else in between.
fn with_puids_freed(
    w: &Writer<'_>,
    group: GroupId,
    rows: Vec<(UserKey, CheckedChange)>,
) -> Result<Vec<(UserKey, CheckedChange)>> {
    let wanted: HashSet<Puid> =
        rows.iter().filter_map(|(_, change)| change.puid.as_ref()).flatten().cloned().collect();
    if wanted.is_empty() {
        return Ok(rows);
    }
    let mut freed = Vec::new();
    let mut keyed = Vec::with_capacity(rows.len());
    for (key, change) in rows {
        let member = match key.find(w, group) {
            Ok(member) => member,
            Err(error) if error.kind == Kind::NotFound => {
                keyed.push((key, change));
                continue;
            }
            Err(error) => return Err(error),
        };
        let gives_up = change.puid.as_ref().is_some_and(|puid| *puid != member.membership.puid);
        if gives_up && member.membership.puid.as_ref().is_some_and(|puid| wanted.contains(puid)) {
            freed.push(member.user.id);
        }
        keyed.push((UserKey::Id(member.user.id), change));
    }
    for user in freed {
        w.clear_puid(group, user)?;
    }
    Ok(keyed)
}

impl LogName for UserKey {
    fn name(&self, ground: &Ground, group: GroupId) -> String {
        let found = ground.store.read(|r| self.find(r, group));
        found.map_or_else(|_| self.text(), |member| member.user.address.to_string())
    }
}
