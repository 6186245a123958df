//! Users over SCIM: found by filter, made, replaced, patched, deleted.

use crate::model::queries::{MemberQuery, TextMatch};
use serde_json::Value;

use super::{PAGE_MAX, Window, expect_version};
use crate::desk::ground::known_group;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::desk::people::bulk::LogName;
use crate::desk::people::users::{CheckedChange, NewUser, UserChange, UserKey, created, removed, updated};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry, Member, UserId};
use crate::protocol::scim::details::{Details, glance_address};
use crate::protocol::scim::evaluate::meets;
use crate::protocol::scim::filter::{Comparison, Filter};
use crate::protocol::scim::patch::Operation;
use crate::protocol::scim::user::{self, ScimUser, WantedUser, version};
use crate::store::{Asker, Reader, Writer};

/// Rows that are read at a time while a filter is applied.
const BATCH: u32 = 1_000;
/// How often a change is tried again because somebody else changed the user meanwhile.
const TRIES: usize = 5;

/// Part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct UserPage {
    /// How many meet the filter in all.
    pub total: usize,
    pub users: Vec<ScimUser>,
}

/// A change of a user.
#[derive(Debug, Clone)]
pub enum UserWrite {
    /// PUT: the whole document.
    Replace(Value),
    /// PATCH.
    Patch(Vec<Operation>),
}

impl People {
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
        let page = self.scim_user_page(caller, group, filter, window)?;
        // Who looks one user up, as identity providers do before each change, has no row; who lists has.
        let looked_up =
            filter.map(narrowed).is_some_and(|query| query.address.is_some() || query.puid.is_some());
        if !looked_up {
            self.note_shown(caller, group, page.users.len())?;
        }
        Ok(page)
    }

    fn scim_user_page(
        &self,
        caller: &Caller,
        group: GroupId,
        filter: Option<&Filter>,
        window: Window,
    ) -> Result<UserPage> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        let count = window.count.min(PAGE_MAX);
        self.ground.store.search(&Asker::of(caller, Some(group)), |r| {
            known_group::known(r, group)?;
            let Some(filter) = filter else {
                let query = MemberQuery {
                    offset: u32::try_from(window.first).unwrap_or(u32::MAX),
                    limit: u32::try_from(count).unwrap_or(BATCH),
                    ..MemberQuery::default()
                };
                let total = r.count_members(group, &query, now)?;
                let members = if count == 0 { Vec::new() } else { r.members(group, &query, now)? };
                let users = with_details(r, group, members)?;
                return Ok(UserPage { total: usize::try_from(total).unwrap_or(usize::MAX), users });
            };
            let mut query = MemberQuery { limit: BATCH, ..narrowed(filter) };
            // Who asks for a name alone wants to know whether it is taken, and the address decides that.
            let asks_for_name = query.address.is_some() && filter.conjuncts().len() == 1;
            let mut page = UserPage { total: 0, users: Vec::new() };
            loop {
                let batch = r.members(group, &query, now)?;
                query.after = batch.last().map(|member| member.user.id);
                let is_last = batch.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
                for found in with_details(r, group, batch)? {
                    if asks_for_name || meets(&user::document(&found, ""), filter) {
                        if page.total >= window.first && page.users.len() < count {
                            page.users.push(found);
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

    /// Finds a user.
    ///
    /// # Errors
    /// As [`People::member`].
    pub fn scim_user(&self, caller: &Caller, group: GroupId, id: UserId) -> Result<ScimUser> {
        permission::administer(caller, group)?;
        self.ground.store.snapshot(|r| found(r, group, &UserKey::Id(id)))
    }

    /// Makes a user of a document.
    ///
    /// # Errors
    /// As [`People::create_user`]; `Invalid` for a document that is no user.
    pub fn scim_create_user(&self, caller: &Caller, group: GroupId, document: &Value) -> Result<ScimUser> {
        let attempt = || {
            permission::administer(caller, group)?;
            let wanted = user::wanted(document)?;
            let inactive = wanted.active == Some(false);
            let details = wanted.details;
            let new = self.checked_new(
                group,
                &NewUser {
                    address: wanted.address,
                    puid: wanted.external_id,
                    person: wanted.person.map(|_, text| text.clone().unwrap_or_default()),
                    password: wanted.password,
                    ..NewUser::default()
                },
            )?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let mut member = created(w, &caller, group, &new)?;
                if inactive {
                    let change = CheckedChange { active: Some(false), ..CheckedChange::default() };
                    member = updated(w, &caller, group, &UserKey::Id(member.user.id), &change)?.member;
                }
                let made = ScimUser { member, details };
                keep_details(w, group, &made)?;
                Ok(made)
            })
        };
        let subject = document.get("userName").and_then(Value::as_str).unwrap_or_default();
        self.ground.logging_refusal(caller, Some(group), "user.create", subject, attempt())
    }

    /// Changes a user as a document or a list of operations says.
    ///
    /// # Errors
    /// As [`People::update_user`]; `Conflict` with `version_mismatch` when `if_match` names another version
    /// than the present one; `Invalid` for what is no user or no such operation.
    pub fn scim_change_user(
        &self,
        caller: &Caller,
        group: GroupId,
        id: UserId,
        if_match: Option<&str>,
        write: &UserWrite,
    ) -> Result<ScimUser> {
        let key = UserKey::Id(id);
        let attempt = || {
            for _ in 0..TRIES {
                // The password is hashed outside the transaction, so the user may change in between.
                let before = self.scim_user(caller, group, id)?;
                expect_version(&version(&before), if_match)?;
                let (change, details) = change_of(&before, write)?;
                let change = self.checked_change(caller, group, &key, &change)?;
                let (caller, key) = (caller.clone(), key.clone());
                let done = self.ground.store.write(self.ground.clock.now(), move |w| {
                    if found(w, group, &key)? != before {
                        return Ok(None);
                    }
                    let done = updated(w, &caller, group, &key, &change)?;
                    let after = ScimUser { member: done.member, details };
                    if after.details != before.details {
                        keep_details(w, group, &after)?;
                        if done.changed.is_empty() {
                            let subject = after.member.user.address.to_string();
                            let detail = "as the identity provider writes it";
                            w.log(&LogEntry::done(&caller, Some(group), "user.update", subject, detail))?;
                        }
                    }
                    Ok(Some(after))
                })?;
                if let Some(done) = done {
                    return Ok(done);
                }
            }
            let public = "This user is being changed by others at the same time. Try again shortly.";
            Err(Error::new(Kind::Unavailable, "user_busy", public))
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "user.update",
            || UserKey::Id(id).name(&self.ground, group),
            attempt(),
        )
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// As [`People::delete_user`]; `Conflict` with `version_mismatch`.
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
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let key = UserKey::Id(id);
                expect_version(&version(&found(w, group, &key)?), if_match.as_deref())?;
                removed(w, &caller, group, &key).map(drop)
            })
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "user.delete",
            || UserKey::Id(id).name(&self.ground, group),
            attempt(),
        )
    }
}

fn found(reader: &Reader<'_>, group: GroupId, key: &UserKey) -> Result<ScimUser> {
    let member = key.find(reader, group)?;
    let unknown = || Error::fault("scim_details", "a member who was found is gone");
    with_details(reader, group, vec![member])?.pop().ok_or_else(unknown)
}

/// Adds the details to members, who are in the order of their numbers.
fn with_details(reader: &Reader<'_>, group: GroupId, members: Vec<Member>) -> Result<Vec<ScimUser>> {
    let Some((first, last)) = members.first().zip(members.last()) else { return Ok(Vec::new()) };
    let mut details = reader.scim_details(group, first.user.id, last.user.id)?;
    let read = |member: Member| {
        let details = match details.remove(&member.user.id) {
            Some(text) => serde_json::from_str(&text)
                .map_err(|e| Error::fault("scim_details", format!("kept details do not read: {e}")))?,
            None => Details::default(),
        };
        Ok(ScimUser { member, details })
    };
    members.into_iter().map(read).collect()
}

fn keep_details(w: &Writer<'_>, group: GroupId, user: &ScimUser) -> Result<()> {
    let text = serde_json::to_string(&user.details)
        .map_err(|e| Error::fault("scim_details", format!("details do not write: {e}")))?;
    let kept = (user.details != Details::default()).then_some(text.as_str());
    w.set_scim_details(group, user.member.user.id, kept)
}

/// What a document or a PATCH changes of a user.
fn change_of(before: &ScimUser, write: &UserWrite) -> Result<(UserChange, Details)> {
    let (wanted, puid) = match write {
        UserWrite::Replace(document) => {
            let wanted = user::wanted(document)?;
            // A PUT without externalId does not take the PUID away: login keys are made of it, and some
            // clients never send it.
            let puid = wanted.external_id.clone().map(Some);
            (wanted, puid)
        }
        UserWrite::Patch(operations) => {
            let wanted = user::patched(before, operations)?;
            let puid = Some(wanted.external_id.clone());
            (wanted, puid)
        }
    };
    let WantedUser { address, person, active, password, details, .. } = wanted;
    let change =
        UserChange { address: Some(address), puid, person, active, password, ..UserChange::default() };
    Ok((change, details))
}

/// A query that lists at least all members that meet the filter, and far fewer where identity providers ask
/// for one. Only texts that SQLite compares as the filter does are handed to it.
fn narrowed(filter: &Filter) -> MemberQuery {
    let mut query = MemberQuery::default();
    for condition in filter.conjuncts() {
        let Filter::Compare { path, operator: Comparison::Equal, value: Value::String(text) } = condition
        else {
            continue;
        };
        if !text.is_ascii() || text.is_empty() {
            continue;
        }
        let wanted = Some(TextMatch::Is(text.clone()));
        if path.is("userName") && path.sub.is_none() {
            query.address = Some(TextMatch::Is(glance_address(text)));
        } else if path.is("externalId") && path.sub.is_none() {
            query.puid = wanted;
        }
    }
    query
}
