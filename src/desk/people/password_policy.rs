//! A group's password rules. Wire contract §9, "Portal > Settings > Security".
//!
//! Enforced when a password is created or changed, and never on session keys, login keys or API keys.

use crate::desk::ground::known_group;
use crate::desk::ground::opened::unchanged;
use crate::desk::ground::password_rule::{OPERATOR_PASSWORD_RULE, PasswordRule};
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::error::{Error, Kind, Result};
use crate::model::opened::Values;
use crate::model::{Actor, Caller, GroupId, LogEntry, User};
use crate::store::{PasswordPolicyRow, Reader};

/// Most characters of the message shown on the password reset page.
pub const RESET_MESSAGE_MAX: usize = 1_000;

/// What a group asks of passwords and allows when one is reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    pub rule: PasswordRule,
    /// Shown beside a password reset; may be empty.
    pub reset_message: String,
    /// A reset must bring another password than the present one.
    pub reset_requires_new: bool,
    /// Users without a password may create one with a reset.
    pub reset_may_create: bool,
    /// The group's SCIM tokens may set the passwords of its administrators: anyone who holds one is then as good as they.
    pub scim_sets_administrators: bool,
}

impl PasswordPolicy {
    /// As the store keeps it.
    pub(in crate::desk) fn into_row(self) -> PasswordPolicyRow {
        PasswordPolicyRow {
            rule: self.rule.name().to_owned(),
            reset_message: self.reset_message,
            reset_requires_new: self.reset_requires_new,
            reset_may_create: self.reset_may_create,
            scim_sets_administrators: self.scim_sets_administrators,
        }
    }
}

/// The values of a group's password rules.
pub fn of_policy(policy: &PasswordPolicy) -> Values {
    Values::of([("rule", policy.rule.name()), ("reset_message", policy.reset_message.as_str())])
        .and_box("reset_requires_new", "yes", policy.reset_requires_new)
        .and_box("reset_may_create", "yes", policy.reset_may_create)
        .and_box("scim_sets_administrators", "yes", policy.scim_sets_administrators)
}

/// Eight characters, as the oldest page of the provisioning API asks (wire contract §4.2).
impl Default for PasswordPolicy {
    fn default() -> PasswordPolicy {
        PasswordPolicy {
            rule: PasswordRule::Eight,
            reset_message: String::new(),
            reset_requires_new: false,
            reset_may_create: false,
            scim_sets_administrators: false,
        }
    }
}

/// Reads a group's policy.
///
/// # Errors
/// `Fault` when the database fails.
pub fn policy_of(reader: &Reader<'_>, group: GroupId) -> Result<PasswordPolicy> {
    let Some(row) = reader.password_policy(group)? else { return Ok(PasswordPolicy::default()) };
    let rule = PasswordRule::named(&row.rule)
        .ok_or_else(|| Error::fault("password_rule_unknown", format!("stored rule {:?}", row.rule)))?;
    Ok(PasswordPolicy {
        rule,
        reset_message: row.reset_message,
        reset_requires_new: row.reset_requires_new,
        reset_may_create: row.reset_may_create,
        scim_sets_administrators: row.scim_sets_administrators,
    })
}

/// Reads the policy that a person's password must keep: the home group's, through whichever group somebody
/// comes to it. What is shown and what is enforced are both asked of this.
///
/// # Errors
/// As [`policy_of`].
pub fn policy_of_person(reader: &Reader<'_>, user: &User) -> Result<PasswordPolicy> {
    policy_of(reader, user.home_group)
}

/// Checks that the caller may set a person's password. A provisioning client may set an administrator's only where each group
/// that the person administers allows it: its token is then as good as the administrator.
///
/// # Errors
/// `Denied` with code `home_group_only` or `administrator_password`.
pub fn may_set_password(reader: &Reader<'_>, caller: &Caller, user: &User) -> Result<()> {
    permission::change_person(caller, user)?;
    if !matches!(caller.actor, Actor::Provisioner { .. }) {
        return Ok(());
    }
    for membership in reader.memberships_of(user.id)? {
        if membership.administrator && !policy_of(reader, membership.group)?.scim_sets_administrators {
            let public = "A SCIM token cannot set the password of an administrator, unless the group's settings allow \
                          it. Set it in the console, or leave the password out.";
            return Err(Error::new(Kind::Denied, "administrator_password", public));
        }
    }
    Ok(())
}

impl People {
    /// Reads the rules for a person's password, for the one who may set it.
    ///
    /// # Errors
    /// `Denied` with `home_group_only` unless the caller may change the person.
    pub fn password_policy_of(&self, caller: &Caller, user: &User) -> Result<PasswordPolicy> {
        permission::change_person(caller, user)?;
        self.ground.store.read(|r| policy_of_person(r, user))
    }

    /// Reads what is asked of the caller's own password. Users may know it also when their home is a group that
    /// they do not administer.
    ///
    /// # Errors
    /// `Unauthenticated` when nobody is signed in, or they are not there any more.
    pub fn own_password_rule(&self, caller: &Caller) -> Result<PasswordRule> {
        let nobody = || Error::new(Kind::Unauthenticated, "not_signed_in", "Sign in first.");
        match caller.actor {
            Actor::Operator { .. } => Ok(OPERATOR_PASSWORD_RULE),
            Actor::User { id, .. } => self.ground.store.read(|r| {
                let user = r.user(id)?.ok_or_else(nobody)?;
                policy_of_person(r, &user).map(|policy| policy.rule)
            }),
            _ => Err(nobody()),
        }
    }

    /// Reads what a group asks of passwords.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn password_policy(&self, caller: &Caller, group: GroupId) -> Result<PasswordPolicy> {
        permission::administer(caller, group)?;
        self.ground.store.read(|r| policy_of(r, group))
    }

    /// Changes what a group asks of passwords; present passwords stay. `opened` is the form that this answers.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` for a message that is too long; `NotFound`
    /// when there is no such group.
    pub fn set_password_policy(
        &self,
        caller: &Caller,
        group: GroupId,
        policy: PasswordPolicy,
        opened: Option<&Values>,
    ) -> Result<()> {
        let operation = "group.password-policy";
        let attempt = || {
            permission::administer(caller, group)?;
            if policy.reset_message.chars().count() > RESET_MESSAGE_MAX {
                let public = format!("The message has more than {RESET_MESSAGE_MAX} characters.");
                return Err(Error::invalid("reset_message_too_long", "reset_message", public));
            }
            let (caller, opened) = (caller.clone(), opened.cloned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                known_group::known(w, group)?;
                let before = policy_of(w, group)?;
                unchanged(opened.as_ref(), || Ok(of_policy(&before)))?;
                if before == policy {
                    return Ok(());
                }
                let detail = format!(
                    "rule {}; a reset {} a new password; users without one {} create it; SCIM {} set administrators' passwords",
                    policy.rule.name(),
                    if policy.reset_requires_new { "requires" } else { "does not require" },
                    if policy.reset_may_create { "may" } else { "may not" },
                    if policy.scim_sets_administrators { "may" } else { "may not" },
                );
                w.set_password_policy(group, &policy.into_row())?;
                w.log(&LogEntry::done(&caller, Some(group), operation, group.to_string(), detail))
            })
        };
        self.ground.logging_refusal(caller, Some(group), operation, &group.to_string(), attempt())
    }
}
