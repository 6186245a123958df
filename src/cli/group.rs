//! `sidelight group`: groups, their settings and their password rules, from the host.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;
use serde_json::json;

use super::host;
use crate::desk::password_policy::{PasswordPolicy, PasswordRule};
use crate::model::GroupId;
use crate::store::Settings;

/// groups: list, create, update, off, on, delete, settings, passwords
///
/// A group is a customer account. Its number is the Group ID, also called Partner ID.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "group",
    example = "{command_name} create 12345 --name \"Example Ltd\"\n{command_name} settings 12345 --on agentVideo"
)]
pub struct Group {
    #[argh(subcommand)]
    act: Act,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Act {
    List(List),
    Create(Create),
    Update(Update),
    Off(Off),
    On(On),
    Delete(Delete),
    Settings(ShowSettings),
    Passwords(Passwords),
}

/// list all groups
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
struct List {
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
    /// print JSON, for programs
    #[argh(switch)]
    json: bool,
}

/// make a group; give it an API key with: sidelight api-key change
#[derive(FromArgs)]
#[argh(subcommand, name = "create")]
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
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// change a group's name or Unique Account ID; what is not given stays
#[derive(FromArgs)]
#[argh(subcommand, name = "update")]
struct Update {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// the group's name
    #[argh(option)]
    name: Option<String>,
    /// the Unique Account ID; "" takes it away
    #[argh(option)]
    account_id: Option<String>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// switch a group off: every credential for it is refused, and its sessions and tokens end
#[derive(FromArgs)]
#[argh(subcommand, name = "off", example = "{command_name} 12345 --yes")]
struct Off {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// do not ask
    #[argh(switch)]
    yes: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// switch a group on again
#[derive(FromArgs)]
#[argh(subcommand, name = "on", example = "{command_name} 12345")]
struct On {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// delete a group with its users, roles and keys; people who are in other groups, too, stay there
#[derive(FromArgs)]
#[argh(subcommand, name = "delete", example = "{command_name} 12345 --yes")]
struct Delete {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// do not ask
    #[argh(switch)]
    yes: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// show a group's settings, or turn some on or off; a role can have on only what its group has on
#[derive(FromArgs)]
#[argh(subcommand, name = "settings")]
struct ShowSettings {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// a setting to turn on; may be given several times
    #[argh(option)]
    on: Vec<String>,
    /// a setting to turn off; may be given several times
    #[argh(option)]
    off: Vec<String>,
    /// print JSON, for programs
    #[argh(switch)]
    json: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// show what a group asks of passwords, or change it
///
/// Rules: six (not secure), seven-mixed, eight, eight-mixed, eight-symbol, nine, nine-mixed, nine-symbol.
/// "mixed": upper-case, lower-case and digit; "symbol": one that is neither letter nor digit.
#[derive(FromArgs)]
#[argh(subcommand, name = "passwords")]
struct Passwords {
    /// the Group ID
    #[argh(positional, from_str_fn(host::group))]
    id: GroupId,
    /// the least a password must have
    #[argh(option, from_str_fn(rule))]
    rule: Option<PasswordRule>,
    /// message beside a password reset
    #[argh(option)]
    reset_message: Option<String>,
    /// on: a reset must bring a new password
    #[argh(option, from_str_fn(host::switch))]
    reset_requires_new: Option<bool>,
    /// on: users without a password can make one by a reset
    #[argh(option, from_str_fn(host::switch))]
    reset_may_create: Option<bool>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

fn rule(name: &str) -> Result<PasswordRule, String> {
    let names = PasswordRule::ALL.map(PasswordRule::name).join(", ");
    PasswordRule::named(name).ok_or_else(|| format!("{name} is no password rule; the rules are {names}"))
}

impl Group {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        match self.act {
            Act::List(command) => command.run(),
            Act::Create(command) => command.run(),
            Act::Update(command) => command.run(),
            Act::Off(command) => command.run(),
            Act::On(command) => command.run(),
            Act::Delete(command) => command.run(),
            Act::Settings(command) => command.run(),
            Act::Passwords(command) => command.run(),
        }
    }
}

impl List {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let groups = desk.groups(caller)?;
            if self.json {
                let all = groups.iter().map(|group| {
                    json!({
                        "id": group.id, "name": group.name, "accountId": group.account_id,
                        "hasApiKey": group.has_api_key, "isOff": group.off_since.is_some(), "createdAt": group.created_at.to_string(),
                    })
                });
                host::json(&all.collect());
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
            host::table(["GROUP", "NAME", "ACCOUNT ID", "API KEY", "STATE"], &rows);
            Ok(())
        })
    }
}

impl Create {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let group = desk.create_group(caller, self.id, &self.name, self.account_id.as_deref())?;
            println!("Group {} ({}) is made.", group.id, group.name);
            Ok(())
        })
    }
}

impl Update {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let before = desk.group(caller, self.id)?;
            let name = self.name.unwrap_or(before.name);
            let account_id = self.account_id.or(before.account_id);
            let group = desk.update_group(caller, self.id, &name, account_id.as_deref())?;
            println!("Group {} is {}.", group.id, group.name);
            Ok(())
        })
    }
}

impl Off {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let end = desk.group_end(caller, self.id)?;
            let question = format!(
                "Switch group {} ({}) off? {} users; signed in within a day: {}.",
                self.id,
                end.group.name,
                end.belongings.users,
                host::count(end.signed_in)
            );
            host::agreed(&question, self.yes)?;
            let group = desk.switch_group_off(caller, self.id)?;
            println!("Group {} ({}) is off: nobody signs in to it any more.", group.id, group.name);
            Ok(())
        })
    }
}

impl On {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let group = desk.switch_group_on(caller, self.id)?;
            println!("Group {} ({}) is on.", group.id, group.name);
            Ok(())
        })
    }
}

impl Delete {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let end = desk.group_end(caller, self.id)?;
            let goes = end.belongings;
            let question = format!(
                "Delete group {} ({}) for good? {} of its {} users are deleted with it, and {} roles and {} SCIM tokens; \
                 signed in within a day: {}.",
                self.id,
                end.group.name,
                goes.only_here,
                goes.users,
                goes.roles,
                goes.scim_tokens,
                host::count(end.signed_in)
            );
            host::agreed(&question, self.yes)?;
            let group = desk.delete_group(caller, self.id)?;
            println!("Group {} ({}) is deleted.", group.id, group.name);
            Ok(())
        })
    }
}

impl ShowSettings {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            desk.group(caller, self.id)?;
            let on = self.on.into_iter().map(|name| (name, true));
            let wanted: Settings = on.chain(self.off.into_iter().map(|name| (name, false))).collect();
            let settings = if wanted.is_empty() {
                desk.group_settings(caller, self.id)?
            } else {
                desk.set_group_settings(caller, self.id, wanted)?
            };
            print_settings(&settings, self.json);
            Ok(())
        })
    }
}

/// Prints settings by name.
pub(super) fn print_settings(settings: &Settings, as_json: bool) {
    if as_json {
        host::json(&json!(settings));
        return;
    }
    let rows: Vec<_> = settings
        .iter()
        .map(|(name, on)| [name.clone(), if *on { "on".to_owned() } else { "off".to_owned() }])
        .collect();
    host::table(["SETTING", ""], &rows);
}

impl Passwords {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            desk.group(caller, self.id)?;
            let before = desk.password_policy(caller, self.id)?;
            let policy = PasswordPolicy {
                rule: self.rule.unwrap_or(before.rule),
                reset_message: self.reset_message.unwrap_or_else(|| before.reset_message.clone()),
                reset_requires_new: self.reset_requires_new.unwrap_or(before.reset_requires_new),
                reset_may_create: self.reset_may_create.unwrap_or(before.reset_may_create),
            };
            if policy != before {
                desk.set_password_policy(caller, self.id, policy.clone())?;
            }
            let on = |on| if on { "on".to_owned() } else { "off".to_owned() };
            let rows = [
                ["rule".to_owned(), format!("{} ({})", policy.rule.name(), policy.rule.sentence())],
                ["reset-message".to_owned(), policy.reset_message],
                ["reset-requires-new".to_owned(), on(policy.reset_requires_new)],
                ["reset-may-create".to_owned(), on(policy.reset_may_create)],
            ];
            host::table(["PASSWORDS", ""], &rows);
            Ok(())
        })
    }
}
