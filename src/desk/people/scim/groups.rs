//! Groups over SCIM: the roles of a group of ours, and who has them.

use crate::model::queries::{MemberQuery, RoleMatch};
use serde_json::Value;

use super::{PAGE_MAX, Window, expect_version};
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::desk::people::bulk::LogName;
use crate::desk::people::roles::{self, NewRole, RoleChange};
use crate::desk::people::users::{CheckedChange, RoleChoice, UserKey, updated};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry, Member, RoleId, UserId};
use crate::protocol::scim::evaluate::meets;
use crate::protocol::scim::filter::Filter;
use crate::protocol::scim::group::{self, GroupStep, ScimGroup};
use crate::store::{Asker, Reader, Writer};

/// Most members that a role's document lists, and all documents of a page together, and that one call may take the
/// role from. A list that would
/// be longer is left out as a whole: part of one would say that the others are no members.
pub const MEMBERS_MOST: usize = 20_000;
/// Most characters of an identity provider's own name of a role. Our own choice.
const EXTERNAL_ID_MAX: usize = 255;

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPage {
    /// How many meet the filter in all.
    pub total: usize,
    pub groups: Vec<ScimGroup>,
}

impl People {
    /// Lists the roles of a group that meet a filter, by name; `with_members` says whether to list theirs.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn scim_groups(
        &self,
        caller: &Caller,
        group: GroupId,
        filter: Option<&Filter>,
        window: Window,
        with_members: bool,
    ) -> Result<GroupPage> {
        permission::administer(caller, group)?;
        self.ground.store.search(&Asker::of(caller, Some(group)), |r| {
            page_of(r, group, filter, window, with_members.then_some(MEMBERS_MOST))
        })
    }

    /// Finds a role.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `role_unknown`.
    pub fn scim_group(
        &self,
        caller: &Caller,
        group: GroupId,
        id: RoleId,
        with_members: bool,
    ) -> Result<ScimGroup> {
        permission::administer(caller, group)?;
        self.ground.store.snapshot(|r| shown(r, group, id, with_members))
    }

    /// Makes a role of a document, and gives it to the members named.
    ///
    /// # Errors
    /// As [`People::create_role`]; `Invalid` for a document that is no group and for members that are none.
    pub fn scim_create_group(&self, caller: &Caller, group: GroupId, document: &Value) -> Result<ScimGroup> {
        let attempt = || {
            permission::administer(caller, group)?;
            let wanted = group::wanted(document)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let new = NewRole { name: wanted.name, ..NewRole::default() };
                let role = roles::created(w, &caller, group, &new)?;
                let id = wanted.external_id.map(|id| GroupStep::Identify(Some(id)));
                let members = wanted.members.map(GroupStep::Add);
                let steps: Vec<GroupStep> = id.into_iter().chain(members).collect();
                take(w, &caller, group, role.id, &steps)?;
                shown(w, group, role.id, true)
            })
        };
        let subject = document.get("displayName").and_then(Value::as_str).unwrap_or_default();
        self.ground.logging_refusal(caller, Some(group), "role.create", subject, attempt())
    }

    /// Changes a role step by step, all or none.
    ///
    /// # Errors
    /// As [`People::update_role`]; `Invalid` for members that are none; `Conflict` with `version_mismatch`
    /// when `if_match` names another version than the present one, `role_too_large` when members of a role
    /// with more than [`MEMBERS_MOST`] are to be replaced.
    pub fn scim_change_group(
        &self,
        caller: &Caller,
        group: GroupId,
        id: RoleId,
        if_match: Option<&str>,
        steps: Vec<GroupStep>,
    ) -> Result<ScimGroup> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, if_match) = (caller.clone(), if_match.map(str::to_owned));
            self.ground.store.write(self.ground.clock.now(), move |w| {
                expect_group_version(w, group, id, if_match.as_deref())?;
                take(w, &caller, group, id, &steps)?;
                shown(w, group, id, true)
            })
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "role.update",
            || id.name(&self.ground, group),
            attempt(),
        )
    }

    /// Deletes a role; its members then have none.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `role_unknown`; `Conflict` with
    /// `version_mismatch` or `role_too_large`.
    pub fn scim_delete_group(
        &self,
        caller: &Caller,
        group: GroupId,
        id: RoleId,
        if_match: Option<&str>,
    ) -> Result<()> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, if_match) = (caller.clone(), if_match.map(str::to_owned));
            self.ground.store.write(self.ground.clock.now(), move |w| {
                expect_group_version(w, group, id, if_match.as_deref())?;
                take(w, &caller, group, id, &[GroupStep::Replace(Vec::new())])?;
                roles::deleted(w, &caller, group, id)
            })
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "role.delete",
            || id.name(&self.ground, group),
            attempt(),
        )
    }
}

/// A page of roles. `members_most` says how many members all documents of the page list together, and none when
/// members are not to be listed.
fn page_of(
    r: &Reader<'_>,
    group: GroupId,
    filter: Option<&Filter>,
    window: Window,
    members_most: Option<usize>,
) -> Result<GroupPage> {
    let mut page = GroupPage { total: 0, groups: Vec::new() };
    let mut room = members_most.unwrap_or(0);
    let asks_for_members = filter.is_some_and(|filter| filter.mentions("members"));
    for role in r.roles(group)? {
        let mut shown = ScimGroup { external_id: r.scim_role_id(role.id)?, members: None, role };
        if asks_for_members {
            shown.members = members_of(r, group, shown.role.id, MEMBERS_MOST)?;
        }
        if filter.is_some_and(|filter| !meets(&group::document(&shown, ""), filter)) {
            continue;
        }
        if page.total >= window.first && page.groups.len() < window.count.min(PAGE_MAX) {
            shown.members = match shown.members {
                _ if members_most.is_none() => None,
                None => members_of(r, group, shown.role.id, room)?,
                listed => listed.filter(|members| members.len() <= room),
            };
            room -= shown.members.as_ref().map_or(0, Vec::len);
            page.groups.push(shown);
        }
        page.total += 1;
    }
    Ok(page)
}

fn take(w: &Writer<'_>, caller: &Caller, group: GroupId, id: RoleId, steps: &[GroupStep]) -> Result<()> {
    for step in steps {
        match step {
            GroupStep::Rename(name) => {
                let change = RoleChange { name: Some(name.clone()), ..RoleChange::default() };
                roles::updated(w, caller, group, id, &change)?;
            }
            GroupStep::Identify(external_id) => identify(w, caller, group, id, external_id.as_deref())?,
            GroupStep::Add(users) => give(w, caller, group, id, users)?,
            GroupStep::Remove(users) => {
                for user in users {
                    // Anyone who has another role by now, or is gone, is no member.
                    if w.membership(group, *user)?.is_some_and(|m| m.role == Some(id)) {
                        set_role(w, caller, group, *user, RoleChoice::None)?;
                    }
                }
            }
            GroupStep::Replace(users) => {
                let too_large = || {
                    let public = format!("The role has more than {MEMBERS_MOST} members.");
                    Error::new(Kind::Conflict, "role_too_large", public)
                };
                for member in members_of(w, group, id, MEMBERS_MOST)?.ok_or_else(too_large)? {
                    if !users.contains(&member.user.id) {
                        set_role(w, caller, group, member.user.id, RoleChoice::None)?;
                    }
                }
                give(w, caller, group, id, users)?;
            }
        }
    }
    Ok(())
}

fn identify(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    id: RoleId,
    external_id: Option<&str>,
) -> Result<()> {
    if external_id.is_some_and(|id| id.chars().count() > EXTERNAL_ID_MAX || id.chars().any(char::is_control))
    {
        let public = format!("externalId has at most {EXTERNAL_ID_MAX} characters and no control character.");
        return Err(Error::new(Kind::Invalid, "external_id_malformed", public));
    }
    let role = w.role(group, id)?.ok_or_else(roles::unknown)?;
    if w.scim_role_id(id)?.as_deref() == external_id {
        return Ok(());
    }
    w.set_scim_role_id(id, external_id)?;
    let detail = format!("externalId {}", external_id.unwrap_or("none"));
    w.log(&LogEntry::done(caller, Some(group), "role.update", role.name, detail))
}

fn give(w: &Writer<'_>, caller: &Caller, group: GroupId, id: RoleId, users: &[UserId]) -> Result<()> {
    users.iter().try_for_each(|user| set_role(w, caller, group, *user, RoleChoice::Numbered(id)))
}

fn set_role(w: &Writer<'_>, caller: &Caller, group: GroupId, user: UserId, role: RoleChoice) -> Result<()> {
    let change = CheckedChange { role: Some(role), ..CheckedChange::default() };
    match updated(w, caller, group, &UserKey::Id(user), &change) {
        Ok(_) => Ok(()),
        // The resource that was asked for is the role, and it is there.
        Err(error) if error.kind == Kind::NotFound => {
            let public = format!("There is no user {user} to be a member.");
            Err(Error::invalid("member_unknown", "members", public))
        }
        Err(error) => Err(error),
    }
}

fn shown(reader: &Reader<'_>, group: GroupId, id: RoleId, with_members: bool) -> Result<ScimGroup> {
    let role = reader.role(group, id)?.ok_or_else(roles::unknown)?;
    let members = if with_members { members_of(reader, group, id, MEMBERS_MOST)? } else { None };
    Ok(ScimGroup { external_id: reader.scim_role_id(id)?, role, members })
}

fn expect_group_version(
    reader: &Reader<'_>,
    group: GroupId,
    id: RoleId,
    if_match: Option<&str>,
) -> Result<()> {
    let now = shown(reader, group, id, if_match.is_some())?;
    match group::version(&now) {
        Some(version) => expect_version(&version, if_match),
        None if if_match.is_none_or(|header| header.trim() == "*") => Ok(()),
        // No version was ever told of a role whose members are too many to read.
        None => expect_version("", if_match),
    }
}

/// The members with a role, by number; `None` when they are more than `most`.
fn members_of(reader: &Reader<'_>, group: GroupId, id: RoleId, most: usize) -> Result<Option<Vec<Member>>> {
    let limit = u32::try_from(most.saturating_add(1)).unwrap_or(u32::MAX);
    let query = MemberQuery { role: Some(RoleMatch::Numbered(id)), limit, ..MemberQuery::default() };
    // Of the filters of a query none here asks who is locked at what time.
    let members = reader.members(group, &query, crate::clock::Timestamp(0))?;
    Ok(if members.len() > most { None } else { Some(members) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::desk::fixture::*;
    use crate::desk::people::users::NewUser;

    #[test]
    fn all_documents_of_a_page_together_list_so_many_members_and_no_list_is_cut() {
        let f = fixture();
        let mut first = None;
        for (name, users) in [("A", 2), ("B", 3), ("C", 1)] {
            let new = NewRole { name: name.into(), ..NewRole::default() };
            let role = RoleChoice::Numbered(f.desk.people.create_role(&f.admin, SEVEN, new).unwrap().id);
            for number in 0..users {
                let name = format!("{name}{number}.x");
                let new = NewUser { role: role.clone(), ..user(&name, &name) };
                let made = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
                first.get_or_insert(made.user.id);
            }
        }
        let listed = |filter: Option<&str>, most: Option<usize>| -> Vec<Option<usize>> {
            let filter = filter.map(|text| Filter::parse(text).unwrap());
            let window = Window { first: 0, count: 9 };
            let page = f.desk.ground.store.read(|r| page_of(r, SEVEN, filter.as_ref(), window, most));
            page.unwrap().groups.into_iter().map(|role| role.members.map(|members| members.len())).collect()
        };
        assert_eq!(listed(None, Some(6)), [Some(2), Some(3), Some(1)]);
        assert_eq!(listed(None, Some(4)), [Some(2), None, Some(1)], "left out as a whole");
        assert_eq!(listed(None, Some(2)), [Some(2), None, None]);
        assert_eq!(listed(None, None), [None, None, None]);
        let by_member = format!("members.value eq \"{}\"", first.unwrap());
        assert_eq!(listed(Some(&by_member), Some(2)), [Some(2)]);
        assert_eq!(listed(Some(&by_member), Some(1)), [None], "also where the filter has read them");
    }
}
