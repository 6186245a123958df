//! Groups at their end: switched off and on again, and deleted. Operators only.
//!
//! A group that is off refuses every credential: login keys, passwords in that group, tokens, web sessions, SAML,
//! the provisioning API and SCIM tokens. What it handed out before does not come back when it is switched on. Its
//! people sign in to their other groups. Where each credential is judged stands in [`crate::desk::sign_in`],
//! [`crate::desk::sso`], [`crate::desk::people::users::scim`] and [`crate::desk::appliance::console_sessions`].

use crate::desk::ground::known_group::known;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::error::Result;
use crate::model::lists::{Belongings, Count};
use crate::model::{Caller, Group, GroupId, LogEntry};
use crate::store::{Asker, Writer};

/// Above how many users the name is typed before a group is deleted.
pub const TYPE_NAME_ABOVE: u64 = 100;
/// Up to how many users of a deleted group are taken away before the answer.
const SWEPT_AT_ONCE: u64 = 500;
/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// What ends with a group, for the one who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEnd {
    pub group: Group,
    pub belongings: Belongings,
    /// How many people signed in within a day.
    pub signed_in: Count,
}

impl People {
    /// Says what ends with a group.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `NotFound` with `group_unknown`.
    pub fn group_end(&self, caller: &Caller, id: GroupId) -> Result<GroupEnd> {
        permission::run_appliance(caller)?;
        let since = self.ground.clock.now().plus_seconds(-DAY);
        self.ground.store.search(&Asker::of(caller, Some(id)), |r| {
            Ok(GroupEnd {
                group: known(r, id)?,
                belongings: r.belongings(id)?,
                signed_in: r.people_signed_in(id, None, since)?,
            })
        })
    }

    /// Counts the people who signed in to a group within a day: by anything, or by what `operation` names.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn signed_in_within_a_day(
        &self,
        caller: &Caller,
        group: GroupId,
        operation: Option<&str>,
    ) -> Result<Count> {
        permission::administer(caller, group)?;
        let since = self.ground.clock.now().plus_seconds(-DAY);
        self.ground
            .store
            .search(&Asker::of(caller, Some(group)), |r| r.people_signed_in(group, operation, since))
    }

    /// Switches a group off: every credential for it is refused, and its sessions and tokens end.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `NotFound` with `group_unknown`.
    pub fn switch_group_off(&self, caller: &Caller, id: GroupId) -> Result<Group> {
        self.switch_group(caller, id, "group.off", |w, group| match group.off_since {
            Some(_) => Ok(false),
            None => w.switch_group_off(group.id).map(|()| true),
        })
    }

    /// Switches a group on again.
    ///
    /// # Errors
    /// As [`People::switch_group_off`].
    pub fn switch_group_on(&self, caller: &Caller, id: GroupId) -> Result<Group> {
        self.switch_group(caller, id, "group.on", |w, group| match group.off_since {
            Some(_) => w.switch_group_on(group.id).map(|()| true),
            None => Ok(false),
        })
    }

    fn switch_group(
        &self,
        caller: &Caller,
        id: GroupId,
        operation: &'static str,
        switch: impl FnOnce(&Writer<'_>, &Group) -> Result<bool> + Send + 'static,
    ) -> Result<Group> {
        let attempt = || {
            permission::run_appliance(caller)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let group = known(w, id)?;
                if switch(w, &group)? {
                    w.log(&LogEntry::done(&caller, Some(id), operation, id.to_string(), group.name))?;
                }
                known(w, id)
            })
        };
        self.ground.logging_refusal(caller, Some(id), operation, &id.to_string(), attempt())
    }

    /// Deletes a group with all that is its own. People who are members of other groups, too, move home to the
    /// oldest of these; all others are deleted. Number and Unique Account ID are never given again.
    ///
    /// One short transaction makes it so for the one who looks, however large the group is. What is left of it, hidden, is
    /// taken away in portions afterwards: at once where it is little, or where nobody waits for the answer; else when
    /// the house is next kept.
    ///
    /// # Errors
    /// As [`People::switch_group_off`]; `Unavailable` with code `search_busy` when too many others search.
    pub fn delete_group(&self, caller: &Caller, id: GroupId) -> Result<Group> {
        let operation = "group.delete";
        let attempt = || {
            permission::run_appliance(caller)?;
            // Counted before: it takes long where there are many.
            let belongings = self.ground.store.search(&Asker::of(caller, Some(id)), |r| {
                known(r, id)?;
                r.belongings(id)
            })?;
            let caller = caller.clone();
            let deleted = self
                .ground
                .store
                .write(self.ground.clock.now(), move |w| deleted(w, &caller, id, belongings))?;
            if !self.ground.serves || belongings.users <= SWEPT_AT_ONCE {
                // It is deleted, whatever comes of this: what stays is taken away later.
                let _ = self.ground.in_portions(move |w, rows| w.sweep_group(id, rows));
            }
            Ok(deleted)
        };
        self.ground.logging_refusal(caller, Some(id), operation, &id.to_string(), attempt())
    }

    /// Takes away what is left of groups that were deleted: after a kill, at the start and about once a minute.
    ///
    /// # Errors
    /// Those of the store.
    pub(in crate::desk) fn sweep_groups(&self) -> Result<()> {
        let groups = self.ground.store.read(|r| r.leaving_groups())?;
        groups.into_iter().try_for_each(|id| self.ground.in_portions(move |w, rows| w.sweep_group(id, rows)))
    }
}

/// Deletes a group, inside a transaction.
fn deleted(w: &Writer<'_>, caller: &Caller, id: GroupId, belongings: Belongings) -> Result<Group> {
    let group = known(w, id)?;
    w.let_group_leave(id)?;
    let detail = format!(
        "name {}; {} users deleted, {} still in other groups, {} roles, {} SCIM tokens",
        group.name,
        belongings.only_here,
        belongings.users.saturating_sub(belongings.only_here),
        belongings.roles,
        belongings.scim_tokens
    );
    w.log(&LogEntry::done(caller, Some(id), "group.delete", id.to_string(), detail))?;
    Ok(group)
}

#[cfg(test)]
#[path = "group_end_tests.rs"]
mod tests;
