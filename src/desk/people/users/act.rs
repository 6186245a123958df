//! The acts on people, inside a transaction: checked values in, rows and access-log rows out.
//!
//! Each act asks again who may, because it is also called row by row and from other use cases.

use super::{CheckedChange, CheckedUser, RoleChoice, Updated, UserKey};
use crate::desk::ground::guard::Account;
use crate::desk::ground::known_group;
use crate::desk::ground::let_in::let_in;
use crate::desk::ground::opened;
use crate::desk::ground::permission;
use crate::desk::people::password_policy;
use crate::error::{Error, Kind, Result};
use crate::model::{
    Caller, GlanceAddress, GroupId, LogEntry, Member, Membership, Puid, ROLE_NAME_MAX, Role, User,
};
use crate::store::{NewUserRow, Reader, Writer};

/// Makes a user whose home is `group`.
///
/// # Errors
/// As [`People::create_user`].
pub fn created(w: &Writer<'_>, caller: &Caller, group: GroupId, new: &CheckedUser) -> Result<Member> {
    permission::administer(caller, group)?;
    known_group::known(w, group)?;
    let role = role_of(w, group, &new.role)?;
    if let Some(puid) = &new.puid {
        puid_free(w, group, puid)?;
    }
    let user = w.insert_user(&NewUserRow {
        address: new.address.clone(),
        home_group: group,
        person: new.person.clone(),
        password_hash: new.password_hash.clone(),
    })?;
    let user = User {
        id: user,
        address: new.address.clone(),
        person: new.person.clone(),
        has_password: new.password_hash.is_some(),
        home_group: group,
        failures: 0,
        locked_until: None,
        signed_in_at: None,
        created_at: w.now,
        updated_at: w.now,
    };
    enrolled(w, caller, group, user, new.puid.clone(), role, new.administrator, "user.create")
}

/// Makes a user of another group a member of `group`.
///
/// # Errors
/// As [`People::add_member`].
pub(in crate::desk) fn joined(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    address: &GlanceAddress,
    puid: Option<Puid>,
    role: &RoleChoice,
    administrator: bool,
) -> Result<Member> {
    known_group::known(w, group)?;
    let role = role_of(w, group, role)?;
    let unknown =
        || Error::not_found("user_unknown", "No user has this Glance Address.").with_field("address");
    let user = w.user_by_address(address.as_str())?.ok_or_else(unknown)?;
    if let Some(puid) = &puid {
        puid_free(w, group, puid)?;
    }
    enrolled(w, caller, group, user, puid, role, administrator, "user.add-to-group")
}

#[allow(clippy::too_many_arguments)] // One row of the table and one of the log, from two callers.
fn enrolled(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    user: User,
    puid: Option<Puid>,
    role: Option<Role>,
    administrator: bool,
    operation: &'static str,
) -> Result<Member> {
    let membership = Membership {
        group,
        user: user.id,
        puid,
        role: role.as_ref().map(|r| r.id),
        administrator,
        suspended: false,
        active: true,
        created_at: w.now,
        updated_at: w.now,
    };
    w.insert_membership(&membership)?;
    let mut detail = Vec::new();
    if let Some(puid) = &membership.puid {
        detail.push(format!("PUID {puid}"));
    }
    if let Some(role) = &role {
        detail.push(format!("role {}", role.name));
    }
    if administrator {
        detail.push("administrator".to_owned());
    }
    let subject = user.address.to_string();
    w.log(&LogEntry::done(caller, Some(group), operation, subject, detail.join(", ")))?;
    Ok(Member { user, membership, role_name: role.map(|r| r.name) })
}

/// Changes a user. Of the access-log rows there is one for each kind of change.
///
/// # Errors
/// As [`People::update_user`].
pub fn updated(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    key: &UserKey,
    change: &CheckedChange,
) -> Result<Updated> {
    permission::administer(caller, group)?;
    let before = key.find(w, group)?;
    opened::unchanged(change.opened.as_ref(), || Ok(opened::of_member(&before)))?;
    let mut after = before.clone();
    let mut changed = Vec::new();
    let mut detail = Vec::new();

    for ((field, wanted), (_, present)) in change.person.iter().zip(after.user.person.iter_mut()) {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != present) {
            present.clone_from(wanted);
            changed.push(field.name);
        }
    }
    detail.extend(changed.iter().map(|field| field.replace('_', " ")));
    if let Some(address) = change.address.as_ref().filter(|wanted| **wanted != before.user.address) {
        detail.push(format!("address {} to {address}", before.user.address));
        after.user.address = address.clone();
        changed.push("address");
    }
    if !changed.is_empty() {
        permission::change_person(caller, &before.user)?;
    }
    if change.password_hash.is_some() {
        password_policy::may_set_password(w, caller, &before.user)?;
    }
    if !changed.is_empty() {
        w.update_user(&after.user)?;
        after.user.updated_at = w.now;
    }

    if let Some(puid) = change.puid.as_ref().filter(|wanted| **wanted != before.membership.puid) {
        if let Some(puid) = puid {
            puid_free(w, group, puid)?;
        }
        detail.push(format!("PUID {} to {}", shown(&before.membership.puid), shown(puid)));
        after.membership.puid.clone_from(puid);
        changed.push("puid");
    }
    if let Some(role) = &change.role {
        let role = role_of(w, group, role)?;
        if role.as_ref().map(|r| r.id) != before.membership.role {
            after.membership.role = role.as_ref().map(|r| r.id);
            after.role_name = role.map(|r| r.name);
            detail.push(format!("role {} to {}", shown(&before.role_name), shown(&after.role_name)));
            changed.push("role");
        }
    }
    let log = |operation, detail: String| {
        let subject = before.user.address.to_string();
        w.log(&LogEntry::done(caller, Some(group), operation, subject, detail))
    };
    if !detail.is_empty() {
        log("user.update", detail.join(", "))?;
    }

    let flags = [
        (change.suspended, &mut after.membership.suspended, "suspended", ["user.reinstate", "user.suspend"]),
        (change.active, &mut after.membership.active, "active", ["user.deactivate", "user.activate"]),
        (
            change.administrator,
            &mut after.membership.administrator,
            "administrator",
            ["user.administrator-off", "user.administrator-on"],
        ),
    ];
    for (wanted, present, field, [off, on]) in flags {
        if let Some(wanted) = wanted.filter(|wanted| wanted != present) {
            *present = wanted;
            changed.push(field);
            log(if wanted { on } else { off }, String::new())?;
        }
    }
    keeps_own_access(caller, &before.membership, &after.membership)?;
    if after.membership != before.membership {
        w.update_membership(&after.membership)?;
        after.membership.updated_at = w.now;
    }
    let shut_out = before.membership.may_sign_in() && !after.membership.may_sign_in();
    let demoted = before.membership.administrator && !after.membership.administrator;
    if shut_out || demoted {
        w.end_sessions(before.user.id, Some(group))?;
    }

    if let Some(hash) = &change.password_hash {
        password_given(w, &after.user, hash)?;
        after.user.has_password = true;
        (after.user.failures, after.user.locked_until) = (0, None);
        after.user.updated_at = w.now;
        changed.push("password");
        log("user.password", String::new())?;
    }
    Ok(Updated { member: after, changed })
}

/// Gives a person a password: their sessions end in all groups, and the lock of the password before goes with it.
pub(in crate::desk) fn password_given(w: &Writer<'_>, user: &User, hash: &str) -> Result<()> {
    w.set_password_hash(user.id, Some(hash))?;
    w.clear_lockout(user.id)?;
    let_in(w, Account::Password(user.address.as_str()))?;
    w.end_sessions(user.id, None)
}

/// Ends a membership; with the last one goes the user.
///
/// # Errors
/// As [`People::delete_user`].
pub fn removed(w: &Writer<'_>, caller: &Caller, group: GroupId, key: &UserKey) -> Result<Member> {
    permission::administer(caller, group)?;
    let member = key.find(w, group)?;
    if permission::is_self(caller, member.user.id) {
        return Err(own_account());
    }
    w.delete_membership(group, member.user.id)?;
    let detail = match w.memberships_of(member.user.id)?.as_slice() {
        [] => {
            w.delete_user(member.user.id)?;
            String::new()
        }
        // Anyone who belongs to one group only is at home there.
        [only] => {
            w.set_home_group(member.user.id, only.group)?;
            format!("still in group {}", only.group)
        }
        several => {
            let groups: Vec<String> = several.iter().map(|m| m.group.to_string()).collect();
            format!("still in groups {}", groups.join(", "))
        }
    };
    let puid = member.membership.puid.as_ref().map(|puid| format!("PUID {puid}"));
    let detail: Vec<String> = puid.into_iter().chain(Some(detail)).filter(|d| !d.is_empty()).collect();
    let subject = member.user.address.to_string();
    w.log(&LogEntry::done(caller, Some(group), "user.delete", subject, detail.join(", ")))?;
    Ok(member)
}

/// Finds the role that was chosen.
pub(in crate::desk) fn role_of(
    reader: &Reader<'_>,
    group: GroupId,
    choice: &RoleChoice,
) -> Result<Option<Role>> {
    let found = match choice {
        RoleChoice::None => return Ok(None),
        RoleChoice::Numbered(id) => reader.role(group, *id)?,
        RoleChoice::Named(name) => reader.role_by_name(group, name.trim())?,
    };
    found.map(Some).ok_or_else(|| role_unknown(choice))
}

/// The error for a choice of a role that the group does not have, naming what was meant.
pub(in crate::desk) fn role_unknown(choice: &RoleChoice) -> Error {
    let public = match choice {
        RoleChoice::None => "The group has no such role.".to_owned(),
        RoleChoice::Numbered(id) => format!("The group has no role with the number {id}."),
        RoleChoice::Named(name) => {
            let shown: String = name.trim().chars().filter(|c| !c.is_control()).take(ROLE_NAME_MAX).collect();
            format!("The group has no role named \"{shown}\".")
        }
    };
    Error::invalid("role_unknown", "role", public)
}

/// The unique index refuses a second one too; asking first gives the refusal before anything was written.
fn puid_free(reader: &Reader<'_>, group: GroupId, puid: &Puid) -> Result<()> {
    if reader.member_by_puid(group, puid.as_str())?.is_none() {
        return Ok(());
    }
    let public = "Another user of the group has this Partner User ID.";
    Err(Error::new(Kind::Conflict, "puid_taken", public).with_field("puid"))
}

/// Administrators do not lock themselves out: so a group that has an administrator keeps one, unless an
/// operator takes the last away.
fn keeps_own_access(caller: &Caller, before: &Membership, after: &Membership) -> Result<()> {
    let loses =
        (before.may_sign_in() && !after.may_sign_in()) || (before.administrator && !after.administrator);
    if loses && permission::is_self(caller, before.user) { Err(own_account()) } else { Ok(()) }
}

fn own_account() -> Error {
    let public = "You cannot suspend, deactivate, demote or delete yourself. Ask another administrator.";
    Error::new(Kind::Denied, "own_account", public)
}

fn shown<T: std::fmt::Display>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), T::to_string)
}
