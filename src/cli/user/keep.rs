//! `sidelight user create`, `update`, `password`, `add-to-group`, and the changes of state.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;

use crate::cli::host;
use crate::desk::people::{NewUser, RoleChoice, UserChange, UserKey};
use crate::error::Result;
use crate::model::GroupId;

/// make a user
#[derive(FromArgs)]
#[argh(subcommand, name = "create")]
pub struct Create {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the Glance Address, such as doe.john.example.glance.net
    #[argh(option)]
    address: String,
    /// the Partner User ID, unique in the group
    #[argh(option)]
    puid: Option<String>,
    /// first name
    #[argh(option, default = "String::new()")]
    first: String,
    /// last name
    #[argh(option, default = "String::new()")]
    last: String,
    /// e-mail address
    #[argh(option, default = "String::new()")]
    email: String,
    /// phone number
    #[argh(option, default = "String::new()")]
    phone: String,
    /// the name of a role of the group
    #[argh(option, default = "String::new()")]
    role: String,
    /// the user may run the group
    #[argh(switch)]
    administrator: bool,
    /// file that holds a password; SIDELIGHT_PASSWORD and SIDELIGHT_PASSWORD_FILE work too; without any there is none
    #[argh(option)]
    password_file: Option<PathBuf>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// change a user; what is not given stays
#[derive(FromArgs)]
#[argh(subcommand, name = "update")]
pub struct Update {
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
    /// another Partner User ID; "" takes it away
    #[argh(option)]
    new_puid: Option<String>,
    /// another Glance Address
    #[argh(option)]
    new_address: Option<String>,
    /// first name
    #[argh(option)]
    first: Option<String>,
    /// last name
    #[argh(option)]
    last: Option<String>,
    /// e-mail address
    #[argh(option)]
    email: Option<String>,
    /// phone number
    #[argh(option)]
    phone: Option<String>,
    /// the name of a role of the group; -none- takes it away
    #[argh(option)]
    role: Option<String>,
    /// on or off: the user may run the group
    #[argh(option, from_str_fn(host::switch))]
    administrator: Option<bool>,
    /// on or off: a former member, deprovisioned, is not active
    #[argh(option, from_str_fn(host::switch))]
    active: Option<bool>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// set a user's password, and end their sessions
#[derive(FromArgs)]
#[argh(subcommand, name = "password")]
pub struct Password {
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
    /// file that holds the password
    #[argh(option)]
    password_file: Option<PathBuf>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// make a user of one group a member of another; the person stays at home where they are
#[derive(FromArgs)]
#[argh(subcommand, name = "add-to-group")]
pub struct AddToGroup {
    /// the Group ID of the other group
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the user's Glance Address
    #[argh(option)]
    address: String,
    /// the Partner User ID in the other group
    #[argh(option)]
    puid: Option<String>,
    /// the name of a role of the other group
    #[argh(option, default = "String::new()")]
    role: String,
    /// the user may run the other group
    #[argh(switch)]
    administrator: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl Create {
    pub(super) fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let new = NewUser {
                address: self.address,
                puid: self.puid,
                first_name: self.first,
                last_name: self.last,
                email: self.email,
                phone: self.phone,
                role: host::role(&self.role),
                password: host::given_secret(self.password_file.as_deref(), "SIDELIGHT_PASSWORD")?,
                administrator: self.administrator,
            };
            let made = desk.create_user(caller, self.group, new)?;
            println!("{} is in group {}, with number {}.", made.user.address, self.group, made.user.id);
            Ok(())
        })
    }
}

impl Update {
    pub(super) fn run(self) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        let change = UserChange {
            address: self.new_address,
            puid: self.new_puid.map(|puid| Some(puid).filter(|puid| !puid.is_empty())),
            first_name: self.first,
            last_name: self.last,
            email: self.email,
            phone: self.phone,
            role: self.role.as_deref().map(RoleChoice::of_wire),
            active: self.active,
            administrator: self.administrator,
            ..UserChange::default()
        };
        changed(self.data, self.group, key, change)
    }
}

impl Password {
    pub(super) fn run(self) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        super::with_key(self.data, key, |desk, caller, key| {
            desk.member(caller, self.group, key)?;
            let password = host::secret(self.password_file.as_deref(), "SIDELIGHT_PASSWORD", "New password")?;
            let change = UserChange { password: Some(password), ..UserChange::default() };
            desk.update_user(caller, self.group, key, change)?;
            println!("The password is set.");
            Ok(())
        })
    }
}

impl AddToGroup {
    pub(super) fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let puid = self.puid.as_deref();
            let role = host::role(&self.role);
            let made = desk.add_member(caller, self.group, &self.address, puid, role, self.administrator)?;
            println!("{} is in group {} now.", made.user.address, self.group);
            Ok(())
        })
    }
}

pub(super) fn set_state(
    data: Option<PathBuf>,
    group: GroupId,
    key: Result<UserKey>,
    set: impl FnOnce(&mut UserChange),
) -> ExitCode {
    let mut change = UserChange::default();
    set(&mut change);
    changed(data, group, key, change)
}

fn changed(data: Option<PathBuf>, group: GroupId, key: Result<UserKey>, change: UserChange) -> ExitCode {
    super::with_key(data, key, |desk, caller, key| {
        let done = desk.update_user(caller, group, key, change)?;
        if done.changed.is_empty() {
            println!("{} is so already.", done.member.user.address);
        } else if let (["suspended"], suspended) = (done.changed.as_slice(), done.member.membership.suspended)
        {
            let now = if suspended { "suspended" } else { "reinstated" };
            println!("{} is {now}.", done.member.user.address);
        } else {
            let changed = done.changed.join(", ").replace('_', " ");
            println!("{}: {changed} changed.", done.member.user.address);
        }
        Ok(())
    })
}
