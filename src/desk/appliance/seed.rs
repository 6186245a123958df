//! The seed: groups, roles, users and operators that are there when the server starts.
//!
//! What exists already stays as it is: a seed makes, and never changes back what somebody changed. So it can
//! be applied at each start. All of it is one transaction: a seed with a mistake leaves nothing behind.

use std::collections::HashSet;

use crate::desk::appliance::Appliance;
use crate::desk::appliance::operators;
use crate::desk::ground::fields;
use crate::desk::ground::key_cache::api_key_place;
use crate::desk::ground::password_rule::{OPERATOR_PASSWORD_RULE, PasswordRule};
use crate::desk::ground::passwords;
use crate::desk::ground::permission;
use crate::desk::people::allowed_sites;
use crate::desk::people::groups;
use crate::desk::people::password_policy::{PasswordPolicy, policy_of};
use crate::desk::people::roles;
use crate::desk::people::roles::NewRole;
use crate::desk::people::users::{CheckedUser, NewUser, RoleChoice, check_new, created, joined};
use crate::desk::sign_in::api_keys;
use crate::desk::sso;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GlanceAddress, GroupId, LogEntry, Puid, Settings};
use crate::secret::Secret;
use crate::store::{NewGroup, Writer};

/// All that is to be there.
#[derive(Clone, Default)]
pub struct Seed {
    pub groups: Vec<SeedGroup>,
    pub users: Vec<SeedUser>,
    pub operators: Vec<SeedOperator>,
}

/// A group with its roles.
#[derive(Clone)]
pub struct SeedGroup {
    pub id: GroupId,
    pub name: String,
    pub account_id: Option<String>,
    pub api_key: Option<Secret>,
    pub password_rule: Option<PasswordRule>,
    /// As [`super::password_policy::PasswordPolicy::scim_sets_administrators`].
    pub scim_sets_administrators: bool,
    /// Besides those that every group begins with.
    pub settings: Settings,
    /// Origins whose pages may frame ours, as [`allowed_sites::sites`] reads them.
    pub allowed_sites: String,
    pub roles: Vec<NewRole>,
    pub sso: Option<SeedSso>,
}

/// Single sign-on of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeedSso {
    /// Fields of SSO Configure by name.
    pub fields: Vec<(String, String)>,
    /// Certificates of the identity provider, PEM.
    pub keys: Vec<String>,
}

/// A user; the first group is the home group.
#[derive(Clone)]
pub struct SeedUser {
    /// Without PUID, role and administrator, which stand in the memberships.
    pub person: NewUser,
    pub memberships: Vec<SeedMembership>,
}

/// What a user is in one group.
#[derive(Clone)]
pub struct SeedMembership {
    pub group: GroupId,
    pub puid: Option<String>,
    pub role: RoleChoice,
    pub administrator: bool,
}

/// An operator, with the password to begin with.
#[derive(Clone)]
pub struct SeedOperator {
    pub name: String,
    pub password: Secret,
}

/// How much a seed made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    pub groups: usize,
    pub roles: usize,
    pub users: usize,
    pub memberships: usize,
    pub operators: usize,
}

/// A group, ready to be written.
struct ReadyGroup {
    new: NewGroup,
    sealed_api_key: Option<Vec<u8>>,
    password_rule: Option<PasswordRule>,
    scim_sets_administrators: bool,
    settings: Settings,
    allowed_sites: Vec<String>,
    roles: Vec<NewRole>,
    sso: Option<SeedSso>,
}

/// A user, ready to be written.
struct ReadyUser {
    home: CheckedUser,
    home_group: GroupId,
    others: Vec<(GroupId, Option<Puid>, RoleChoice, bool)>,
}

impl Appliance {
    /// Makes what the seed names and is not there. The host only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; whatever making one of its parts refuses, with the part in the
    /// sentence; then nothing is kept.
    pub fn apply_seed(&self, caller: &Caller, seed: Seed) -> Result<Seeded> {
        permission::run_appliance(caller)?;
        each_once(&seed)?;
        let seed = self.without_retired(seed)?;
        let groups: Vec<ReadyGroup> =
            seed.groups.into_iter().map(|group| self.ready_group(group)).collect::<Result<_>>()?;
        let users: Vec<ReadyUser> =
            seed.users.into_iter().map(|user| self.ready_user(user, &groups)).collect::<Result<_>>()?;
        let operators: Vec<(String, String)> =
            seed.operators.into_iter().map(|o| self.ready_operator(o)).collect::<Result<_>>()?;
        let caller = caller.clone();
        self.ground.store.write(self.ground.clock.now(), move |w| {
            let mut made = Seeded::default();
            for group in &groups {
                let part = || format!("Group {}", group.new.id);
                write_group(w, &caller, group, &mut made).map_err(|e| in_part(e, part()))?;
            }
            for user in &users {
                let part = || format!("User {}", user.home.address);
                write_user(w, &caller, user, &mut made).map_err(|e| in_part(e, part()))?;
            }
            for (name, hash) in &operators {
                if !hash.is_empty() && w.operator_by_name(name)?.is_none() {
                    operators::created(w, &caller, name, hash)?;
                    made.operators += 1;
                }
            }
            Ok(made)
        })
    }

    /// Leaves out the groups that were deleted, and who would be at home in them: a seed makes what is not there, and
    /// does not undo what somebody did.
    fn without_retired(&self, mut seed: Seed) -> Result<Seed> {
        let mut retired = HashSet::new();
        for group in &seed.groups {
            if self.ground.store.read(|r| r.is_retired_group(group.id))? {
                retired.insert(group.id);
            }
        }
        seed.groups.retain(|group| !retired.contains(&group.id));
        seed.users.retain(|user| user.memberships.first().is_none_or(|home| !retired.contains(&home.group)));
        for user in &mut seed.users {
            user.memberships.retain(|membership| !retired.contains(&membership.group));
        }
        Ok(seed)
    }

    fn ready_group(&self, group: SeedGroup) -> Result<ReadyGroup> {
        let part = format!("Group {}", group.id);
        let ready = || {
            group.settings.keys().try_for_each(|name| fields::setting(name).map(drop))?;
            let sealed_api_key = group.api_key.map(|key| self.sealed_api_key(group.id, key)).transpose()?;
            Ok(ReadyGroup {
                new: NewGroup {
                    id: group.id,
                    name: fields::title(&group.name)?,
                    account_id: fields::account_id(group.account_id.as_deref().unwrap_or(""))?,
                },
                sealed_api_key,
                password_rule: group.password_rule,
                scim_sets_administrators: group.scim_sets_administrators,
                settings: group.settings,
                allowed_sites: allowed_sites::sites(&group.allowed_sites)?,
                roles: group.roles,
                sso: group.sso,
            })
        };
        ready().map_err(|e| in_part(e, part))
    }

    /// Checks a user of one of these groups, or of one that is there. The password is hashed only when the user is to
    /// be made, because that takes its time.
    fn ready_user(&self, user: SeedUser, groups: &[ReadyGroup]) -> Result<ReadyUser> {
        let part = format!("User {}", user.person.address);
        let ready = || {
            let mut memberships = user.memberships.into_iter();
            let none = || Error::invalid("membership_required", "memberships", "The user has no membership.");
            let home = memberships.next().ok_or_else(none)?;
            let mut checked = check_new(&NewUser {
                puid: home.puid,
                role: home.role,
                administrator: home.administrator,
                ..user.person.clone()
            })?;
            let exists = self.ground.store.read(|r| r.user_by_address(checked.address.as_str()))?.is_some();
            if let Some(password) = user.person.password.as_ref().filter(|_| !exists) {
                self.password_rule_in(home.group, groups)?.check(password)?;
                checked.password_hash = Some(passwords::hash(password)?);
            }
            let others = memberships
                .map(|m| {
                    let puid = m.puid.as_deref().map(fields::puid).transpose()?;
                    Ok((m.group, puid, m.role, m.administrator))
                })
                .collect::<Result<_>>()?;
            Ok(ReadyUser { home: checked, home_group: home.group, others })
        };
        ready().map_err(|e| in_part(e, part))
    }

    /// The password rule of a group: of one that is there its own, of one that is to be made the seed's.
    fn password_rule_in(&self, group: GroupId, groups: &[ReadyGroup]) -> Result<PasswordRule> {
        let policy = self.ground.store.read(|r| match r.group(group)? {
            Some(_) => policy_of(r, group).map(Some),
            None => Ok(None),
        })?;
        let seeded = groups.iter().find(|ready| ready.new.id == group).and_then(|ready| ready.password_rule);
        Ok(policy.map(|policy| policy.rule).or(seeded).unwrap_or_else(|| PasswordPolicy::default().rule))
    }

    /// Name and hash; the hash is "" when the operator exists.
    fn ready_operator(&self, operator: SeedOperator) -> Result<(String, String)> {
        let part = format!("Operator {}", operator.name);
        let ready = || {
            let name = fields::title(&operator.name)?;
            if self.ground.store.read(|r| r.operator_by_name(&name))?.is_some() {
                return Ok((name, String::new()));
            }
            OPERATOR_PASSWORD_RULE.check(&operator.password)?;
            Ok((name, passwords::hash(&operator.password)?))
        };
        ready().map_err(|e| in_part(e, part))
    }

    fn sealed_api_key(&self, group: GroupId, key: Secret) -> Result<Vec<u8>> {
        self.ground.keys.seal(&api_key_place(group), &api_keys::checked(key)?)
    }
}

/// Of two parts of one name the second would be passed over without a word.
fn each_once(seed: &Seed) -> Result<()> {
    let groups = seed.groups.iter().map(|group| format!("Group {}", group.id));
    let users = seed.users.iter().map(|user| format!("User {}", user.person.address.to_ascii_lowercase()));
    let operators = seed.operators.iter().map(|operator| format!("Operator {}", operator.name));
    let mut seen = HashSet::new();
    match groups.chain(users).chain(operators).find(|part| !seen.insert(part.clone())) {
        None => Ok(()),
        Some(part) => {
            let public = format!("{part} appears twice in the seed file. Merge the two.");
            Err(Error::new(Kind::Invalid, "seeded_twice", public))
        }
    }
}

fn write_group(w: &Writer<'_>, caller: &Caller, group: &ReadyGroup, made: &mut Seeded) -> Result<()> {
    let id = group.new.id;
    let is_new = w.group(id)?.is_none();
    if is_new {
        groups::created(w, caller, &group.new)?;
        for (name, enabled) in &group.settings {
            w.set_group_setting(id, name, *enabled)?;
        }
        if group.password_rule.is_some() || group.scim_sets_administrators {
            let usual = PasswordPolicy::default();
            let policy = PasswordPolicy {
                rule: group.password_rule.unwrap_or(usual.rule),
                scim_sets_administrators: group.scim_sets_administrators,
                ..usual
            };
            w.set_password_policy(id, &policy.into_row())?;
        }
        made.groups += 1;
    }
    let (present, _) = w.sealed_api_keys(id)?;
    if let (None, Some(sealed)) = (present, &group.sealed_api_key) {
        w.replace_api_key(id, sealed, None)?;
        w.log(&LogEntry::done(caller, Some(id), "api-key.change", id.to_string(), "from the seed file"))?;
    }
    for role in &group.roles {
        if w.role_by_name(id, role.name.trim())?.is_none() {
            roles::created(w, caller, id, role)?;
            made.roles += 1;
        }
    }
    // Anyone who took the sites away from a group that is there has them not put back.
    let configures = group.sso.is_some() && !w.has_sso_configuration(id)?;
    if (is_new || configures) && !group.allowed_sites.is_empty() && w.allowed_sites(id)?.is_empty() {
        w.set_allowed_sites(id, &group.allowed_sites)?;
    }
    if let Some(sso) = &group.sso {
        sso::configured_by_seed(w, caller, id, &sso.fields, &sso.keys)?;
    }
    Ok(())
}

fn write_user(w: &Writer<'_>, caller: &Caller, user: &ReadyUser, made: &mut Seeded) -> Result<()> {
    let address: &GlanceAddress = &user.home.address;
    match w.user_by_address(address.as_str())? {
        None => {
            created(w, caller, user.home_group, &user.home)?;
            made.users += 1;
            made.memberships += 1;
        }
        Some(present) => {
            if w.membership(user.home_group, present.id)?.is_none() {
                let home = &user.home;
                let puid = home.puid.clone();
                joined(w, caller, user.home_group, address, puid, &home.role, home.administrator)?;
                made.memberships += 1;
            }
        }
    }
    for (group, puid, role, administrator) in &user.others {
        if w.member_by_address(*group, address.as_str())?.is_none() {
            joined(w, caller, *group, address, puid.clone(), role, *administrator)?;
            made.memberships += 1;
        }
    }
    Ok(())
}

fn in_part(error: Error, part: String) -> Error {
    Error { public: format!("{part}: {}", error.public), ..error }
}
