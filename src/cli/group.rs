//! `sidelight group`: groups, their settings and their password rules, from the host.

mod sites;

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use super::host::{self, Host};
use super::terminal::{self, confirm};
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::people::password_policy::PasswordPolicy;
use crate::model::{Group, GroupId, Settings};

/// groups: list, create, update, off, on, delete, settings, sites, passwords
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "group",
    note = "A group is a customer account. Its number is the Group ID, also called Partner ID.",
    example = "{command_name} create 12345 --name \"Example Ltd\"\n{command_name} settings 12345 --on agentVideo"
)]
pub struct GroupCommand {
    #[argh(subcommand)]
    act: GroupAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum GroupAction {
    List(List),
    Create(Create),
    Update(Update),
    Off(Off),
    On(On),
    Delete(Delete),
    Settings(ShowSettings),
    Sites(sites::Sites),
    Passwords(Passwords),
}

/// list all groups
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "list", example = "{command_name}")]
struct List {}

/// create a group; to give it an API key, use: sidelight api-key change
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "create", example = "{command_name} 12345 --name \"Example Ltd\"")]
struct Create {
    /// the Group ID: a positive number
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// the group's name, the value of idpname
    #[argh(option)]
    name: String,
    /// the Unique Account ID, the value of idptoken
    #[argh(option)]
    account_id: Option<String>,
}

/// change a group's name or Unique Account ID; other values stay as they are
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "update", example = "{command_name} 12345 --name \"Example Inc\"")]
struct Update {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// the group's name
    #[argh(option)]
    name: Option<String>,
    /// the Unique Account ID; "" removes it
    #[argh(option)]
    account_id: Option<String>,
}

/// switch a group off: nobody can sign in to it, and its sessions and tokens end
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "off",
    note = "At a terminal, the command asks for confirmation.",
    example = "{command_name} 12345\n{command_name} 12345 --yes"
)]
struct Off {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// switch a group on again
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "on", example = "{command_name} 12345")]
struct On {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
}

/// delete a group with its users, roles and keys; users who are also in other groups stay there
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "delete",
    note = "At a terminal, the command asks for confirmation.",
    example = "{command_name} 12345\n{command_name} 12345 --yes"
)]
struct Delete {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// show a group's settings, or turn some on or off
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "settings",
    note = "A role can turn on only the settings that its group has on.",
    example = "{command_name} 12345\n{command_name} 12345 --on agentVideo --off viewVideo"
)]
struct ShowSettings {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// a setting to turn on
    #[argh(option)]
    on: Vec<String>,
    /// a setting to turn off
    #[argh(option)]
    off: Vec<String>,
}

/// show or change a group's password policy
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "passwords",
    note = "Rules: six (not secure), seven-mixed, eight, eight-mixed, eight-symbol, nine, nine-mixed, nine-symbol. Mixed: upper-case and lower-case letters and a digit. Symbol: a character that is neither a letter nor a digit.",
    example = "{command_name} 12345\n{command_name} 12345 --rule nine-mixed"
)]
struct Passwords {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// the password rule: the minimum that a password must have
    #[argh(option, from_str_fn(rule))]
    rule: Option<PasswordRule>,
    /// the message shown with a password reset
    #[argh(option)]
    reset_message: Option<String>,
    /// on: a password reset must set a password different from the old one
    #[argh(option, from_str_fn(host::switch))]
    reset_requires_new: Option<bool>,
    /// on: users without a password can create one with a password reset
    #[argh(option, from_str_fn(host::switch))]
    reset_may_create: Option<bool>,
    /// on: the group's SCIM tokens may set passwords of its administrators; such a token then has the same power as an
    /// administrator
    #[argh(option, from_str_fn(host::switch))]
    scim_sets_administrators: Option<bool>,
}

fn rule(name: &str) -> Result<PasswordRule, String> {
    let names = PasswordRule::ALL.map(PasswordRule::name).join(", ");
    PasswordRule::named(name).ok_or_else(|| format!("{name} is not a password rule; the rules are {names}"))
}

impl GroupCommand {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            GroupAction::List(command) => command.run(host),
            GroupAction::Create(command) => command.run(host),
            GroupAction::Update(command) => command.run(host),
            GroupAction::Off(command) => command.run(host),
            GroupAction::On(command) => command.run(host),
            GroupAction::Delete(command) => command.run(host),
            GroupAction::Settings(command) => command.run(host),
            GroupAction::Sites(command) => command.run(host),
            GroupAction::Passwords(command) => command.run(host),
        }
    }
}

fn as_json(group: &Group) -> Value {
    json!({
        "id": group.id, "name": group.name, "accountId": group.account_id,
        "hasApiKey": group.has_api_key, "isOff": group.off_since.is_some(),
        "allowedSites": group.allowed_sites, "createdAt": group.created_at.to_string(),
    })
}

impl List {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let groups = desk.people.groups(caller)?;
            if host.json {
                terminal::json(&groups.iter().map(as_json).collect());
                return Ok(());
            }
            let rows: Vec<_> = groups
                .into_iter()
                .map(|g| {
                    let key = if g.has_api_key { "set" } else { "none" };
                    let state = if g.off_since.is_some() { "off" } else { "on" };
                    let account = g.account_id.unwrap_or_default();
                    [g.id.to_string(), g.name, account, key.to_owned(), state.to_owned()]
                })
                .collect();
            terminal::table(["GROUP", "NAME", "ACCOUNT ID", "API KEY", "STATE"], &rows);
            Ok(())
        })
    }
}

impl Create {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let group = desk.people.create_group(caller, self.id, &self.name, self.account_id.as_deref())?;
            host.done(&as_json(&group), format_args!("Group {} ({}) is created.", group.id, group.name));
            Ok(())
        })
    }
}

impl Update {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let before = desk.people.group(caller, self.id)?;
            let name = self.name.unwrap_or(before.name);
            let account_id = self.account_id.or(before.account_id);
            let group = desk.people.update_group(caller, self.id, &name, account_id.as_deref(), None)?;
            host.done(&as_json(&group), format_args!("Group {} is {}.", group.id, group.name));
            Ok(())
        })
    }
}

impl Off {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let end = desk.people.group_end(caller, self.id)?;
            let (name, users) = (&end.group.name, end.belongings.users);
            let lately = host::count(end.signed_in);
            confirm(
                self.yes,
                format_args!(
                    "This switches group {} ({name}) off. It has {users} users; signed in within the last day: {lately}.",
                    self.id
                ),
            )?;
            let group = desk.people.switch_group_off(caller, self.id)?;
            let (id, name) = (group.id, &group.name);
            host.done(
                &as_json(&group),
                format_args!("Group {id} ({name}) is off: nobody can sign in to it."),
            );
            Ok(())
        })
    }
}

impl On {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let group = desk.people.switch_group_on(caller, self.id)?;
            host.done(&as_json(&group), format_args!("Group {} ({}) is on.", group.id, group.name));
            Ok(())
        })
    }
}

impl Delete {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let end = desk.people.group_end(caller, self.id)?;
            let (name, goes) = (&end.group.name, end.belongings);
            confirm(
                self.yes,
                format_args!(
                    "This deletes group {} ({name}) for good. {} of its {} users are deleted with it, and {} roles and \
                     {} SCIM tokens; signed in within a day: {}.",
                    self.id,
                    goes.only_here,
                    goes.users,
                    goes.roles,
                    goes.scim_tokens,
                    host::count(end.signed_in)
                ),
            )?;
            let group = desk.people.delete_group(caller, self.id)?;
            let document = json!({ "id": group.id, "name": group.name, "deleted": true });
            host.done(&document, format_args!("Group {} ({}) is deleted.", group.id, group.name));
            Ok(())
        })
    }
}

impl ShowSettings {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            desk.people.group(caller, self.id)?;
            let on = self.on.into_iter().map(|name| (name, true));
            let wanted: Settings = on.chain(self.off.into_iter().map(|name| (name, false))).collect();
            let settings = if wanted.is_empty() {
                desk.people.group_settings(caller, self.id)?
            } else {
                desk.people.set_group_settings(caller, self.id, wanted, None)?
            };
            print_settings(&settings, host.json);
            Ok(())
        })
    }
}

/// Prints settings by name.
pub(super) fn print_settings(settings: &Settings, as_json: bool) {
    if as_json {
        terminal::json(&json!(settings));
        return;
    }
    let rows: Vec<_> = settings
        .iter()
        .map(|(name, on)| [name.clone(), if *on { "on".to_owned() } else { "off".to_owned() }])
        .collect();
    terminal::table(["SETTING", ""], &rows);
}

impl Passwords {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            desk.people.group(caller, self.id)?;
            let before = desk.people.password_policy(caller, self.id)?;
            let policy = PasswordPolicy {
                rule: self.rule.unwrap_or(before.rule),
                reset_message: self.reset_message.unwrap_or_else(|| before.reset_message.clone()),
                reset_requires_new: self.reset_requires_new.unwrap_or(before.reset_requires_new),
                reset_may_create: self.reset_may_create.unwrap_or(before.reset_may_create),
                scim_sets_administrators: self
                    .scim_sets_administrators
                    .unwrap_or(before.scim_sets_administrators),
            };
            if policy != before {
                desk.people.set_password_policy(caller, self.id, policy.clone(), None)?;
            }
            if host.json {
                terminal::json(&json!({
                    "group": self.id, "rule": policy.rule.name(), "resetMessage": policy.reset_message,
                    "resetRequiresNew": policy.reset_requires_new, "resetMayCreate": policy.reset_may_create,
                    "scimSetsAdministrators": policy.scim_sets_administrators,
                }));
                return Ok(());
            }
            let on = |on| if on { "on".to_owned() } else { "off".to_owned() };
            let rows = [
                ["rule".to_owned(), format!("{} ({})", policy.rule.name(), policy.rule.sentence())],
                ["reset-message".to_owned(), policy.reset_message],
                ["reset-requires-new".to_owned(), on(policy.reset_requires_new)],
                ["reset-may-create".to_owned(), on(policy.reset_may_create)],
                ["scim-sets-administrators".to_owned(), on(policy.scim_sets_administrators)],
            ];
            terminal::table(["PASSWORDS", ""], &rows);
            Ok(())
        })
    }
}
