//! `sidelight user`: a group's people, from the host. One use case of the desk each.

mod csv;
mod keep;
mod list;
mod password_link;

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::{self, Host};
use super::terminal::confirm;
use crate::desk::people::users::UserKey;
use crate::error::Result;
use crate::model::GroupId;

/// a group's users: list, show, create, update, password, suspend, …, import, template, export
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "user",
    note = "Name a user by --puid, --address or --id.",
    example = "{command_name} create --group 12345 --address doe.john.example.glance.net --puid E001234\n{command_name} suspend --group 12345 --puid E001234\n{command_name} list --group 12345 --search doe"
)]
pub struct User {
    #[argh(subcommand)]
    act: UserAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum UserAction {
    List(list::List),
    Show(list::Show),
    Create(keep::Create),
    Update(keep::Update),
    Password(keep::Password),
    PasswordLink(password_link::PasswordLink),
    Suspend(Suspend),
    Reinstate(Reinstate),
    ClearLockout(ClearLockout),
    AddToGroup(keep::AddToGroup),
    Delete(Delete),
    Import(csv::Import),
    Template(csv::Template),
    Export(csv::Export),
}

/// block a user until reinstated; their sessions and tokens end at once
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "suspend", example = "{command_name} --group 12345 --puid E001234")]
struct Suspend {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the Partner User ID
    #[argh(option)]
    puid: Option<String>,
    /// the Glance Address
    #[argh(option)]
    address: Option<String>,
    /// the user's number
    #[argh(option)]
    id: Option<i64>,
}

/// let a suspended or inactive user sign in again
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "reinstate", example = "{command_name} --group 12345 --puid E001234")]
struct Reinstate {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the Partner User ID
    #[argh(option)]
    puid: Option<String>,
    /// the Glance Address
    #[argh(option)]
    address: Option<String>,
    /// the user's number
    #[argh(option)]
    id: Option<i64>,
}

/// unlock a user who was locked out after too many failed sign-ins
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "clear-lockout", example = "{command_name} --group 12345 --puid E001234")]
struct ClearLockout {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the Partner User ID
    #[argh(option)]
    puid: Option<String>,
    /// the Glance Address
    #[argh(option)]
    address: Option<String>,
    /// the user's number
    #[argh(option)]
    id: Option<i64>,
}

/// remove a user from a group permanently; a user with no other group is deleted
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "delete",
    note = "At a terminal, the command asks for confirmation.",
    example = "{command_name} --group 12345 --puid E001234\n{command_name} --group 12345 --puid E001234 --yes"
)]
struct Delete {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the Partner User ID
    #[argh(option)]
    puid: Option<String>,
    /// the Glance Address
    #[argh(option)]
    address: Option<String>,
    /// the user's number
    #[argh(option)]
    id: Option<i64>,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

impl User {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            UserAction::List(command) => command.run(host),
            UserAction::Show(command) => command.run(host),
            UserAction::Create(command) => command.run(host),
            UserAction::Update(command) => command.run(host),
            UserAction::Password(command) => command.run(host),
            UserAction::PasswordLink(command) => command.run(host),
            UserAction::Suspend(command) => command.run(host),
            UserAction::Reinstate(command) => command.run(host),
            UserAction::ClearLockout(command) => command.run(host),
            UserAction::AddToGroup(command) => command.run(host),
            UserAction::Delete(command) => command.run(host),
            UserAction::Import(command) => command.run(host),
            UserAction::Template(command) => command.run(host),
            UserAction::Export(command) => command.run(host),
        }
    }
}

impl Suspend {
    fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        keep::set_state(host, self.group, key, |change| change.suspended = Some(true))
    }
}

impl Reinstate {
    fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        keep::set_state(host, self.group, key, |change| {
            change.suspended = Some(false);
            change.active = Some(true);
        })
    }
}

impl ClearLockout {
    fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        with_key(host, key, |desk, caller, key| {
            desk.people.clear_lockout(caller, self.group, key)?;
            let member = desk.people.member(caller, self.group, key)?;
            let line = format!("The lockout of {} is cleared.", member.user.address);
            host.done(&list::as_json(&member, desk.clock().now()), format_args!("{line}"));
            Ok(())
        })
    }
}

impl Delete {
    fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        with_key(host, key, |desk, caller, key| {
            let member = desk.people.member(caller, self.group, key)?;
            let address = &member.user.address;
            let fate = match desk.people.memberships(caller, member.user.id)?.len() {
                0 | 1 => "and deletes the user, who is in no other group",
                _ => "and keeps the user in other groups",
            };
            let seen = match member.user.signed_in_at {
                Some(at) => format!("last signed in {at}"),
                None => "never signed in".to_owned(),
            };
            let group = self.group;
            confirm(self.yes, format_args!("This removes {address} from group {group} {fate}; {seen}."))?;
            let gone = desk.people.delete_user(caller, self.group, key)?;
            let address = &gone.user.address;
            let document =
                json!({ "group": self.group, "username": address, "userId": gone.user.id, "deleted": true });
            host.done(&document, format_args!("{address} is no longer in group {}.", self.group));
            Ok(())
        })
    }
}

fn with_key(
    host: &Host,
    key: Result<UserKey>,
    act: impl FnOnce(&crate::desk::Desk, &crate::model::Caller, &UserKey) -> Result<()>,
) -> ExitCode {
    host.with_desk(|desk, caller| act(desk, caller, &key?))
}
