//! `sidelight user`: a group's people, from the host. One use case of the desk each.

mod csv;
mod keep;
mod list;

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;

use super::host;
use crate::desk::people::UserKey;
use crate::error::Result;
use crate::model::GroupId;

/// a group's people: list, show, create, update, password, suspend, …, import, export
///
/// A user is named by --puid, --address or --id. Passwords come from --password-file, from
/// SIDELIGHT_PASSWORD or the file that SIDELIGHT_PASSWORD_FILE names, from a prompt, or as a line of standard input; never as an argument.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "user",
    example = "{command_name} create --group 12345 --address doe.john.example.glance.net --puid E001234\n{command_name} suspend --group 12345 --puid E001234\n{command_name} list --group 12345 --search doe"
)]
pub struct User {
    #[argh(subcommand)]
    act: Act,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Act {
    List(list::List),
    Show(list::Show),
    Create(keep::Create),
    Update(keep::Update),
    Password(keep::Password),
    Suspend(Suspend),
    Reinstate(Reinstate),
    ClearLockout(ClearLockout),
    AddToGroup(keep::AddToGroup),
    Delete(Delete),
    Import(csv::Import),
    Export(csv::Export),
}

/// keep a user out until reinstated; their sessions and tokens end at once
#[derive(FromArgs)]
#[argh(subcommand, name = "suspend")]
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
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// let a suspended or inactive user in again
#[derive(FromArgs)]
#[argh(subcommand, name = "reinstate")]
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
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// let a user in again whom too many failures keep out
#[derive(FromArgs)]
#[argh(subcommand, name = "clear-lockout")]
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
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// end a user's membership for good; with the last group goes the user
#[derive(FromArgs)]
#[argh(subcommand, name = "delete")]
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
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl User {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        match self.act {
            Act::List(command) => command.run(),
            Act::Show(command) => command.run(),
            Act::Create(command) => command.run(),
            Act::Update(command) => command.run(),
            Act::Password(command) => command.run(),
            Act::Suspend(command) => command.run(),
            Act::Reinstate(command) => command.run(),
            Act::ClearLockout(command) => command.run(),
            Act::AddToGroup(command) => command.run(),
            Act::Delete(command) => command.run(),
            Act::Import(command) => command.run(),
            Act::Export(command) => command.run(),
        }
    }
}

impl Suspend {
    fn run(self) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        keep::set_state(self.data, self.group, key, |change| change.suspended = Some(true))
    }
}

impl Reinstate {
    fn run(self) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        keep::set_state(self.data, self.group, key, |change| {
            change.suspended = Some(false);
            change.active = Some(true);
        })
    }
}

impl ClearLockout {
    fn run(self) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        with_key(self.data, key, |desk, caller, key| {
            desk.clear_lockout(caller, self.group, key)?;
            println!("The lockout is cleared.");
            Ok(())
        })
    }
}

impl Delete {
    fn run(self) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        with_key(self.data, key, |desk, caller, key| {
            let gone = desk.delete_user(caller, self.group, key)?;
            println!("{} is no longer in group {}.", gone.user.address, self.group);
            Ok(())
        })
    }
}

fn with_key(
    data: Option<PathBuf>,
    key: Result<UserKey>,
    act: impl FnOnce(&crate::desk::Desk, &crate::model::Caller, &UserKey) -> Result<()>,
) -> ExitCode {
    host::with_desk(data, |desk, caller| act(desk, caller, &key?))
}
