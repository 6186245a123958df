//! Groups: made and named by operators, and their settings. Wire contract §9.

use crate::desk::ground::fields;
use crate::desk::ground::known_group::{known, never_retired};
use crate::desk::ground::opened;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::error::{Error, Kind, Result};
use crate::model::lists::Count;
use crate::model::lists::{GroupLine, GroupQuery};
use crate::model::opened::Values;
use crate::model::{Caller, Group, GroupId, LogEntry, Settings};
use crate::store::{Asker, NewGroup, Writer};

/// The settings that every group begins with. Only the first two names are known from the wire (wire
/// contract §5.3); agent video is off until somebody wants it.
pub const SHIPPED_SETTINGS: [(&str, bool); 3] =
    [("viewVideo", true), ("remoteAssist", true), ("agentVideo", false)];

/// Most settings of a group. Our own choice: far more than there are names, and few enough for a page.
pub const SETTINGS_MAX: usize = 500;

impl People {
    /// Makes a group with the settings that every group begins with. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `Invalid` for a name that breaks its rule; `Conflict` with
    /// `group_exists` when number, name or account ID is taken.
    pub fn create_group(
        &self,
        caller: &Caller,
        id: GroupId,
        name: &str,
        account_id: Option<&str>,
    ) -> Result<Group> {
        let operation = "group.create";
        let attempt = || {
            permission::run_appliance(caller)?;
            let new = checked(id, name, account_id)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| created(w, &caller, &new))
        };
        self.ground.logging_refusal(caller, Some(id), operation, &id.to_string(), attempt())
    }

    /// Changes a group's name and Unique Account ID. Operators only. `opened` is the form that this answers.
    ///
    /// # Errors
    /// As [`People::create_group`]; `NotFound` with `group_unknown`.
    pub fn update_group(
        &self,
        caller: &Caller,
        id: GroupId,
        name: &str,
        account_id: Option<&str>,
        opened: Option<&Values>,
    ) -> Result<Group> {
        let operation = "group.update";
        let attempt = || {
            permission::run_appliance(caller)?;
            let new = checked(id, name, account_id)?;
            let (caller, opened) = (caller.clone(), opened.cloned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let before = known(w, id)?;
                opened::unchanged(opened.as_ref(), || Ok(opened::of_group(&before)))?;
                never_retired(w, None, new.account_id.as_deref())?;
                let detail = changes(&before, &new);
                if !detail.is_empty() {
                    w.update_group(&new)?;
                    w.log(&LogEntry::done(&caller, Some(id), operation, id.to_string(), detail))?;
                }
                known(w, id)
            })
        };
        self.ground.logging_refusal(caller, Some(id), operation, &id.to_string(), attempt())
    }

    /// Whether there is any group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn has_groups(&self) -> Result<bool> {
        Ok(!self.ground.store.read(|r| r.groups())?.is_empty())
    }

    /// Finds a group.
    ///
    /// # Errors
    /// `Denied` unless the caller may run it; `NotFound` with `group_unknown`.
    pub fn group(&self, caller: &Caller, id: GroupId) -> Result<Group> {
        permission::administer(caller, id)?;
        self.ground.store.read(|r| known(r, id))
    }

    /// Lists the groups that the caller may run, by number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn groups(&self, caller: &Caller) -> Result<Vec<Group>> {
        let mut all = self.ground.store.read(|r| r.groups())?;
        all.retain(|group| caller.may_administer(group.id));
        Ok(all)
    }

    /// Lists groups as the console does. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`.
    pub fn group_lines(&self, caller: &Caller, query: &GroupQuery) -> Result<Vec<GroupLine>> {
        permission::run_appliance(caller)?;
        self.ground.store.search(&Asker::of(caller, None), |r| r.group_lines(query))
    }

    /// Counts the groups that [`People::group_lines`] would list in all pages together; stops above `most`.
    ///
    /// # Errors
    /// `Denied` with `operators_only`.
    pub fn count_groups_to(&self, caller: &Caller, query: &GroupQuery, most: u32) -> Result<Count> {
        permission::run_appliance(caller)?;
        self.ground.store.search(&Asker::of(caller, None), |r| r.count_groups_to(query, most))
    }

    /// Reads the settings of a group, by name.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn group_settings(&self, caller: &Caller, id: GroupId) -> Result<Settings> {
        permission::administer(caller, id)?;
        self.ground.store.read(|r| r.group_settings(id))
    }

    /// Sets these settings of a group; others stay. A setting that was never heard of is new to the group.
    /// Off in the group is off in all its roles, and they remember; back on, each role has what it had.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` with `setting_malformed`; `NotFound` with
    /// `group_unknown`.
    pub fn set_group_settings(
        &self,
        caller: &Caller,
        id: GroupId,
        wanted: Settings,
        opened: Option<&Values>,
    ) -> Result<Settings> {
        let operation = "group.settings";
        let attempt = || {
            permission::administer(caller, id)?;
            wanted.keys().try_for_each(|name| fields::setting(name).map(drop))?;
            let (caller, opened) = (caller.clone(), opened.cloned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                known(w, id)?;
                let before = w.group_settings(id)?;
                opened::unchanged(opened.as_ref(), || Ok(opened::of_settings(&before)))?;
                let new = wanted.keys().filter(|name| !before.contains_key(*name)).count();
                if before.len() + new > SETTINGS_MAX {
                    let public = format!("A group has at most {SETTINGS_MAX} settings.");
                    return Err(Error::invalid("too_many_settings", "settings", public));
                }
                let mut detail = Vec::new();
                for (name, enabled) in &wanted {
                    if before.get(name) != Some(enabled) {
                        w.set_group_setting(id, name, *enabled)?;
                        detail.push(format!("{name} {}", if *enabled { "on" } else { "off" }));
                    }
                }
                if !detail.is_empty() {
                    let detail = detail.join(", ");
                    w.log(&LogEntry::done(&caller, Some(id), operation, id.to_string(), detail))?;
                }
                w.group_settings(id)
            })
        };
        self.ground.logging_refusal(caller, Some(id), operation, &id.to_string(), attempt())
    }
}

impl People {
    /// Takes a setting away from a group and its roles: one that was mistyped, or that no client asks for any more.
    /// Those that every group begins with stay.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `setting_unknown`; `Conflict` with
    /// `setting_shipped`.
    pub fn remove_group_setting(&self, caller: &Caller, id: GroupId, name: &str) -> Result<()> {
        let operation = "group.settings";
        let attempt = || {
            permission::administer(caller, id)?;
            if is_shipped(name) {
                let public = format!("Every group has the setting {name}. Switch it off instead.");
                return Err(Error::new(Kind::Conflict, "setting_shipped", public));
            }
            let (caller, name) = (caller.clone(), name.to_owned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                known(w, id)?;
                if !w.group_settings(id)?.contains_key(&name) {
                    let public = format!("The group has no setting {name}.");
                    return Err(Error::not_found("setting_unknown", public));
                }
                w.delete_group_setting(id, &name)?;
                w.log(&LogEntry::done(
                    &caller,
                    Some(id),
                    operation,
                    id.to_string(),
                    format!("{name} removed"),
                ))
            })
        };
        self.ground.logging_refusal(caller, Some(id), operation, &id.to_string(), attempt())
    }
}

/// Whether every group has this setting.
pub fn is_shipped(name: &str) -> bool {
    SHIPPED_SETTINGS.iter().any(|(shipped, _)| *shipped == name)
}

fn checked(id: GroupId, name: &str, account_id: Option<&str>) -> Result<NewGroup> {
    Ok(NewGroup { id, name: fields::title(name)?, account_id: fields::account_id(account_id.unwrap_or(""))? })
}

/// What an update changes, for the access log; empty when nothing.
fn changes(before: &Group, new: &NewGroup) -> String {
    let mut changes = Vec::new();
    if before.name != new.name {
        changes.push(format!("name {} to {}", before.name, new.name));
    }
    if before.account_id != new.account_id {
        let shown = |account: &Option<String>| account.clone().unwrap_or_else(|| "none".to_owned());
        let (from, to) = (shown(&before.account_id), shown(&new.account_id));
        changes.push(format!("Unique Account ID {from} to {to}"));
    }
    changes.join(", ")
}

pub(in crate::desk) fn created(w: &Writer<'_>, caller: &Caller, new: &NewGroup) -> Result<Group> {
    never_retired(w, Some(new.id), new.account_id.as_deref())?;
    w.insert_group(new)?;
    for (name, enabled) in SHIPPED_SETTINGS {
        w.set_group_setting(new.id, name, enabled)?;
    }
    let detail = format!("name {}", new.name);
    w.log(&LogEntry::done(caller, Some(new.id), "group.create", new.id.to_string(), detail))?;
    known(w, new.id)
}
