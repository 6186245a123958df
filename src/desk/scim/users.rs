//! Users over SCIM: found by filter, made, replaced, patched, deleted.

use serde_json::Value;

use super::{PAGE_MAX, Window, expect_version};
use crate::desk::people::{CheckedChange, NewUser, UserChange, UserKey, created, removed, updated};
use crate::desk::{Desk, groups, permission};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, Member, UserId};
use crate::protocol::scim::evaluate::meets;
use crate::protocol::scim::filter::{Filter, Operator};
use crate::protocol::scim::patch::Operation;
use crate::protocol::scim::user::{self, WantedUser, version};
use crate::store::{MemberQuery, TextMatch};

/// Rows that are read at a time while a filter is applied.
const BATCH: u32 = 1_000;
/// How often a change is tried again because somebody else changed the user meanwhile.
const TRIES: usize = 5;

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// How many meet the filter in all.
    pub total: usize,
    pub members: Vec<Member>,
}

/// A change of a user.
#[derive(Debug, Clone)]
pub enum UserWrite {
    /// PUT: the whole document.
    Replace(Value),
    /// PATCH.
    Patch(Vec<Operation>),
}

impl Desk {
    /// Lists the members of a group that meet a filter, by number.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn scim_users(
        &self,
        caller: &Caller,
        group: GroupId,
        filter: Option<&Filter>,
        window: Window,
    ) -> Result<UserPage> {
        permission::administer(caller, group)?;
        let now = self.clock.now();
        let count = window.count.min(PAGE_MAX);
        self.store.snapshot(|r| {
            groups::known(r, group)?;
            let Some(filter) = filter else {
                let query = MemberQuery {
                    offset: u32::try_from(window.first).unwrap_or(u32::MAX),
                    limit: u32::try_from(count).unwrap_or(BATCH),
                    ..MemberQuery::default()
                };
                let total = r.count_members(group, &query, now)?;
                let members = if count == 0 { Vec::new() } else { r.members(group, &query, now)? };
                return Ok(UserPage { total: usize::try_from(total).unwrap_or(usize::MAX), members });
            };
            let mut query = MemberQuery { limit: BATCH, ..narrowed(filter) };
            let mut page = UserPage { total: 0, members: Vec::new() };
            loop {
                let batch = r.members(group, &query, now)?;
                query.after = batch.last().map(|member| member.user.id);
                let is_last = batch.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
                for member in batch {
                    if meets(&user::document(&member, ""), filter) {
                        if page.total >= window.first && page.members.len() < count {
                            page.members.push(member);
                        }
                        page.total += 1;
                    }
                }
                if is_last {
                    return Ok(page);
                }
            }
        })
    }

    /// Makes a user of a document.
    ///
    /// # Errors
    /// As [`Desk::create_user`]; `Invalid` for a document that is no user.
    pub fn scim_create_user(&self, caller: &Caller, group: GroupId, document: &Value) -> Result<Member> {
        let attempt = || {
            permission::administer(caller, group)?;
            let wanted = user::wanted(document)?;
            let inactive = wanted.active == Some(false);
            let new = self.checked_new(
                group,
                &NewUser {
                    address: wanted.user_name,
                    puid: wanted.external_id,
                    first_name: wanted.given_name,
                    last_name: wanted.family_name,
                    email: wanted.email,
                    phone: wanted.phone,
                    password: wanted.password,
                    ..NewUser::default()
                },
            )?;
            let caller = caller.clone();
            self.store.write(self.clock.now(), move |w| {
                let member = created(w, &caller, group, &new)?;
                if !inactive {
                    return Ok(member);
                }
                let change = CheckedChange { active: Some(false), ..CheckedChange::default() };
                Ok(updated(w, &caller, group, &UserKey::Id(member.user.id), &change)?.member)
            })
        };
        let subject = document.get("userName").and_then(Value::as_str).unwrap_or_default();
        self.logging_refusal(caller, Some(group), "user.create", subject, attempt())
    }

    /// Changes a user as a document or a list of operations says.
    ///
    /// # Errors
    /// As [`Desk::update_user`]; `Conflict` with `version_mismatch` when `if_match` names another version
    /// than the present one; `Invalid` for what is no user or no such operation.
    pub fn scim_change_user(
        &self,
        caller: &Caller,
        group: GroupId,
        id: UserId,
        if_match: Option<&str>,
        write: &UserWrite,
    ) -> Result<Member> {
        let key = UserKey::Id(id);
        let attempt = || {
            for _ in 0..TRIES {
                // The password is hashed outside the transaction, so the user may change in between.
                let member = self.member(caller, group, &key)?;
                expect_version(&version(&member), if_match)?;
                let change = self.checked_change(group, &change_of(&member, write)?)?;
                let (caller, key) = (caller.clone(), key.clone());
                let done = self.store.write(self.clock.now(), move |w| {
                    if key.find(w, group)? != member {
                        return Ok(None);
                    }
                    updated(w, &caller, group, &key, &change).map(Some)
                })?;
                if let Some(done) = done {
                    return Ok(done.member);
                }
            }
            let public = "Others change this user at the same time. Try again shortly.";
            Err(Error::new(Kind::Unavailable, "user_busy", public))
        };
        self.logging_refusal(caller, Some(group), "user.update", &format!("user {id}"), attempt())
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// As [`Desk::delete_user`]; `Conflict` with `version_mismatch`.
    pub fn scim_delete_user(
        &self,
        caller: &Caller,
        group: GroupId,
        id: UserId,
        if_match: Option<&str>,
    ) -> Result<()> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, if_match) = (caller.clone(), if_match.map(str::to_owned));
            self.store.write(self.clock.now(), move |w| {
                let key = UserKey::Id(id);
                expect_version(&version(&key.find(w, group)?), if_match.as_deref())?;
                removed(w, &caller, group, &key).map(drop)
            })
        };
        self.logging_refusal(caller, Some(group), "user.delete", &format!("user {id}"), attempt())
    }
}

/// What a document or a PATCH changes of a member.
fn change_of(member: &Member, write: &UserWrite) -> Result<UserChange> {
    let (wanted, puid) = match write {
        UserWrite::Replace(document) => {
            let wanted = user::wanted(document)?;
            // A PUT without externalId does not take the PUID away: login keys are made of it, and some
            // clients never send it.
            let puid = wanted.external_id.clone().map(Some);
            (wanted, puid)
        }
        UserWrite::Patch(operations) => {
            let wanted = user::patched(member, operations)?;
            let puid = Some(wanted.external_id.clone());
            (wanted, puid)
        }
    };
    let WantedUser { user_name, given_name, family_name, email, phone, active, password, .. } = wanted;
    Ok(UserChange {
        address: Some(user_name),
        puid,
        first_name: Some(given_name),
        last_name: Some(family_name),
        email: Some(email),
        phone: Some(phone),
        active,
        password,
        ..UserChange::default()
    })
}

/// A query that lists at least all members that meet the filter, and far fewer where identity providers ask
/// for one. Only texts that SQLite compares as the filter does are handed to it.
fn narrowed(filter: &Filter) -> MemberQuery {
    let mut query = MemberQuery::default();
    for condition in filter.conjuncts() {
        let Filter::Compare { path, operator: Operator::Equal, value: Value::String(text) } = condition
        else {
            continue;
        };
        if !text.is_ascii() || text.is_empty() {
            continue;
        }
        let wanted = Some(TextMatch::Is(text.clone()));
        if path.is("userName") && path.sub.is_none() {
            query.address = wanted;
        } else if path.is("externalId") && path.sub.is_none() {
            query.puid = wanted;
        } else if path.is("emails") && path.sub.as_deref().is_none_or(|sub| sub.eq_ignore_ascii_case("value"))
        {
            query.email = wanted;
        }
    }
    query
}
