//! Roles: named sets of settings in a group. Wire contract §5.3 and §9.
//!
//! A role's settings are a subset of the group's: only what the group has on can be turned on. What a role
//! had on before the group turned it off is remembered (see [`crate::store`], settings).

use crate::desk::ground::Ground;
use crate::desk::ground::fields;
use crate::desk::ground::known_group;
use crate::desk::ground::opened;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::desk::people::bulk::{BulkError, LogName, each};
use crate::desk::people::users::{RoleChoice, role_unknown};
use crate::error::{Error, Kind, Result};
use crate::model::opened::Values;
use crate::model::{Caller, GroupId, LogEntry, Role, RoleId, Settings};
use crate::store::Writer;

/// Most roles of a group. Our own choice: every list of roles shows them all.
pub const ROLES_MAX: u64 = 1_000;

/// A role to be made.
#[derive(Debug, Clone, Default)]
pub struct NewRole {
    pub name: String,
    pub description: String,
    pub settings: Settings,
}

/// What is to be changed of a role; `None` stays as it is, and so do settings that are not named.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub settings: Settings,
    /// The form that this answers, as it was opened.
    pub opened: Option<Values>,
}

/// A role as its group sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleView {
    pub role: Role,
    /// Every setting of the group; on where both have it on.
    pub settings: Settings,
    pub active_users: u64,
    /// Members of before, deprovisioned.
    pub inactive_users: u64,
}

/// How many members have no role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WithoutRole {
    pub active_users: u64,
    pub inactive_users: u64,
}

impl People {
    /// Lists the roles of a group by name, and counts the members without one.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`.
    pub fn roles(&self, caller: &Caller, group: GroupId) -> Result<(Vec<RoleView>, WithoutRole)> {
        permission::administer(caller, group)?;
        self.ground.store.snapshot(|r| {
            known_group::known(r, group)?;
            let uses = r.role_use(group)?;
            let used_by = |id: Option<RoleId>| {
                uses.iter().find(|used| used.role == id).map_or((0, 0), |used| (used.active, used.inactive))
            };
            let views = r.roles(group)?.into_iter().map(|role| {
                let (active_users, inactive_users) = used_by(Some(role.id));
                let settings = r.effective_settings(group, Some(role.id))?;
                Ok(RoleView { role, settings, active_users, inactive_users })
            });
            let (active_users, inactive_users) = used_by(None);
            Ok((views.collect::<Result<_>>()?, WithoutRole { active_users, inactive_users }))
        })
    }

    /// As [`People::roles`], for a web service that hands them out: the access log has a row of it, and of a refusal.
    ///
    /// # Errors
    /// As [`People::roles`].
    pub fn show_roles(&self, caller: &Caller, group: GroupId) -> Result<(Vec<RoleView>, WithoutRole)> {
        let (operation, subject) = ("role.list", group.to_string());
        let found = self.roles(caller, group);
        let shown = self.ground.logging_refusal(caller, Some(group), operation, &subject, found)?;
        self.ground.record_reading(LogEntry::done(caller, Some(group), operation, subject, ""))?;
        Ok(shown)
    }

    /// Finds a role of a group by its name, as anyone who typed it means it: in any case.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `role_unknown`, naming what was meant.
    pub fn role_named(&self, caller: &Caller, group: GroupId, name: &str) -> Result<Role> {
        permission::administer(caller, group)?;
        let found = self.ground.store.read(|r| r.role_by_name(group, name.trim()))?;
        let unknown = || Error { kind: Kind::NotFound, ..role_unknown(&RoleChoice::Named(name.to_owned())) };
        found.ok_or_else(unknown)
    }

    /// Lists the roles of a group by name, without counting who has them: for choosing one.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn role_choices(&self, caller: &Caller, group: GroupId) -> Result<Vec<Role>> {
        permission::administer(caller, group)?;
        self.ground.store.read(|r| r.roles(group))
    }

    /// Finds one role of a group.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `role_unknown`.
    pub fn role(&self, caller: &Caller, group: GroupId, id: RoleId) -> Result<RoleView> {
        let (all, _) = self.roles(caller, group)?;
        all.into_iter().find(|view| view.role.id == id).ok_or_else(unknown)
    }

    /// Makes a role.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` for a name, description or setting that
    /// breaks its rule, and with `setting_not_in_group` for one that the group does not have on;
    /// `Conflict` with `role_exists`.
    pub fn create_role(&self, caller: &Caller, group: GroupId, new: NewRole) -> Result<Role> {
        let subject = new.name.clone();
        let attempt = || {
            permission::administer(caller, group)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| created(w, &caller, group, &new))
        };
        self.ground.logging_refusal(caller, Some(group), "role.create", &subject, attempt())
    }

    /// Makes several roles, all or none.
    ///
    /// # Errors
    /// Those of [`People::create_role`], by row.
    pub fn create_roles(
        &self,
        caller: &Caller,
        group: GroupId,
        new: Vec<NewRole>,
    ) -> std::result::Result<Vec<Role>, BulkError> {
        let subject = format!("{} roles", new.len());
        let allowed = permission::administer(caller, group);
        self.ground.logging_refusal(caller, Some(group), "role.create", &subject, allowed)?;
        let by = caller.clone();
        let asked: Vec<String> = new.iter().map(|role| role.name.clone()).collect();
        let outcome = self.all_or_none(move |w| each(&new, |role| created(w, &by, group, role)));
        self.logging_refused_rows(caller, group, "role.create", &asked, outcome)
    }

    /// Changes a role.
    ///
    /// # Errors
    /// As [`People::create_role`]; `NotFound` with `role_unknown`.
    pub fn update_role(
        &self,
        caller: &Caller,
        group: GroupId,
        id: RoleId,
        change: RoleChange,
    ) -> Result<Role> {
        let attempt = || {
            permission::administer(caller, group)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| updated(w, &caller, group, id, &change))
        };
        self.ground.logging_refusal_of(
            caller,
            Some(group),
            "role.update",
            || id.name(&self.ground, group),
            attempt(),
        )
    }

    /// Changes several roles, all or none.
    ///
    /// # Errors
    /// Those of [`People::update_role`], by row.
    pub fn update_roles(
        &self,
        caller: &Caller,
        group: GroupId,
        changes: Vec<(RoleId, RoleChange)>,
    ) -> std::result::Result<Vec<Role>, BulkError> {
        let subject = format!("{} roles", changes.len());
        let allowed = permission::administer(caller, group);
        self.ground.logging_refusal(caller, Some(group), "role.update", &subject, allowed)?;
        let by = caller.clone();
        let asked: Vec<RoleId> = changes.iter().map(|(id, _)| *id).collect();
        let outcome =
            self.all_or_none(move |w| each(&changes, |(id, change)| updated(w, &by, group, *id, change)));
        self.logging_refused_rows(caller, group, "role.update", &asked, outcome)
    }

    /// Deletes roles that nobody has, all or none.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; by row `NotFound` with `role_unknown`, `Conflict` with
    /// `role_in_use`.
    pub fn delete_roles(
        &self,
        caller: &Caller,
        group: GroupId,
        ids: Vec<RoleId>,
    ) -> std::result::Result<(), BulkError> {
        let subject = format!("{} roles", ids.len());
        let allowed = permission::administer(caller, group);
        self.ground.logging_refusal(caller, Some(group), "role.delete", &subject, allowed)?;
        let (by, asked) = (caller.clone(), ids.clone());
        let outcome = self.all_or_none(move |w| each(&ids, |id| deleted(w, &by, group, *id)));
        self.logging_refused_rows(caller, group, "role.delete", &asked, outcome).map(drop)
    }
}

pub(in crate::desk) fn created(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    new: &NewRole,
) -> Result<Role> {
    known_group::known(w, group)?;
    let name = fields::role_name(&new.name)?;
    let description = fields::description(&new.description)?;
    if w.count_roles(group)? >= ROLES_MAX {
        let public = format!("A group has at most {ROLES_MAX} roles.");
        return Err(Error::new(Kind::Conflict, "too_many_roles", public));
    }
    let id = w.insert_role(group, &name, &description)?;
    let detail = settings_set(w, group, id, &new.settings)?;
    w.log(&LogEntry::done(caller, Some(group), "role.create", &name, detail.join(", ")))?;
    w.role(group, id)?.ok_or_else(unknown)
}

pub(super) fn updated(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    id: RoleId,
    change: &RoleChange,
) -> Result<Role> {
    let before = w.role(group, id)?.ok_or_else(unknown)?;
    let present = || Ok(opened::of_role(&before, &w.effective_settings(group, Some(id))?));
    opened::unchanged(change.opened.as_ref(), present)?;
    let name = change.name.as_deref().map_or_else(|| Ok(before.name.clone()), fields::role_name)?;
    let description =
        change.description.as_deref().map_or_else(|| Ok(before.description.clone()), fields::description)?;
    let mut detail = Vec::new();
    if name != before.name {
        detail.push(format!("name {} to {name}", before.name));
    }
    if description != before.description {
        detail.push("description".to_owned());
    }
    if !detail.is_empty() {
        w.update_role(id, &name, &description)?;
    }
    detail.extend(settings_set(w, group, id, &change.settings)?);
    if !detail.is_empty() {
        w.log(&LogEntry::done(caller, Some(group), "role.update", &before.name, detail.join(", ")))?;
    }
    w.role(group, id)?.ok_or_else(unknown)
}

pub(super) fn deleted(w: &Writer<'_>, caller: &Caller, group: GroupId, id: RoleId) -> Result<()> {
    let role = w.role(group, id)?.ok_or_else(unknown)?;
    let users = w.count_role_members(group, id)?;
    if users > 0 {
        let public = format!("{users} users have the role {}. Give them another one first.", role.name);
        return Err(Error::new(Kind::Conflict, "role_in_use", public));
    }
    w.delete_role(id)?;
    w.log(&LogEntry::done(caller, Some(group), "role.delete", role.name, ""))
}

/// Sets what differs, and tells it.
fn settings_set(w: &Writer<'_>, group: GroupId, role: RoleId, wanted: &Settings) -> Result<Vec<String>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let of_group = w.group_settings(group)?;
    let before = w.role_settings(role)?;
    let mut told = Vec::new();
    for (name, enabled) in wanted {
        fields::setting(name)?;
        let had = before.get(name).copied().unwrap_or(false);
        if had == *enabled {
            continue;
        }
        if *enabled && of_group.get(name) != Some(&true) {
            let public = format!("The group does not have {name} on, so no role can have it on.");
            return Err(Error::invalid("setting_not_in_group", "settings", public));
        }
        // Off in the group, and off here as the form shows it: what the role remembers stays.
        if !*enabled && of_group.get(name) == Some(&false) {
            continue;
        }
        w.set_role_setting(role, name, *enabled)?;
        told.push(format!("{name} {}", if *enabled { "on" } else { "off" }));
    }
    Ok(told)
}

pub(super) fn unknown() -> Error {
    Error::not_found("role_unknown", "The group has no such role.").with_field("role")
}

impl LogName for RoleId {
    fn name(&self, ground: &Ground, group: GroupId) -> String {
        let found = ground.store.read(|r| r.role(group, *self)).ok().flatten();
        found.map_or_else(|| format!("role {self}"), |role| role.name)
    }
}
