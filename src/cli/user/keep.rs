//! `sidelight user create`, `update`, `password`, `add-to-group`, and the changes of state.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};

use super::list::as_json;
use crate::cli::host::{self, Host};
use crate::cli::secret_source::{SecretSource, secret_source};
use crate::desk::people::users::{NewUser, RoleChoice, UserChange, UserKey};
use crate::error::Result;
use crate::model::GroupId;
use crate::model::person::{Person, for_each_line};

// The parser of command lines is derived from a struct, which must spell each option out.
macro_rules! commands {
    ($($name:ident $flag:ident $help:tt)*) => {
        /// create a user
        #[derive(FromArgs, ArgsInfo)]
        #[argh(
            subcommand,
            name = "create",
            note = "Without --password-from the user has no password.",
            example = "{command_name} --group 12345 --address doe.john.example.glance.net --puid E001234 --role Agent"
        )]
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
            $(
                #[doc = $help]
                #[argh(option, default = "String::new()")]
                $flag: String,
            )*
            /// the name of a role of the group
            #[argh(option, default = "String::new()")]
            role: String,
            /// the user is an administrator of the group
            #[argh(switch)]
            administrator: bool,
            /// where a password comes from: env:NAME, file:PATH, - or prompt
            #[argh(option, from_str_fn(secret_source), arg_name = "source")]
            password_from: Option<SecretSource>,
        }

        /// change a user; other values stay as they are
        #[derive(FromArgs, ArgsInfo)]
        #[argh(
            subcommand,
            name = "update",
            example = "{command_name} --group 12345 --puid E001234 --email john.doe@example.com --role -none-"
        )]
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
            /// a new Partner User ID; "" removes it
            #[argh(option)]
            new_puid: Option<String>,
            /// a new Glance Address
            #[argh(option)]
            new_address: Option<String>,
            $(
                #[doc = $help]
                #[argh(option)]
                $flag: Option<String>,
            )*
            /// the name of a role of the group; -none- removes the role
            #[argh(option)]
            role: Option<String>,
            /// on or off: the user is an administrator of the group
            #[argh(option, from_str_fn(host::switch))]
            administrator: Option<bool>,
            /// on or off: a user who was deprovisioned is not active
            #[argh(option, from_str_fn(host::switch))]
            active: Option<bool>,
        }

        impl Create {
            fn person(&self) -> Person<String> {
                Person { $($name: self.$flag.clone(),)* }
            }
        }

        impl Update {
            fn person(&self) -> Person<Option<String>> {
                Person { $($name: self.$flag.clone(),)* }
            }
        }
    };
}
for_each_line!(commands);

/// set a user's password, and end their sessions
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "password",
    note = "Without --password-from, the command asks for the password at a terminal; otherwise it reads one line of standard input.",
    example = "{command_name} --group 12345 --puid E001234\n{command_name} --group 12345 --puid E001234 --password-from file:password.txt"
)]
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
    /// where the password comes from: env:NAME, file:PATH, - or prompt
    #[argh(option, from_str_fn(secret_source), arg_name = "source")]
    password_from: Option<SecretSource>,
}

/// add a user of one group to another group; the home group does not change
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "add-to-group",
    example = "{command_name} --group 4711 --address doe.john.example.glance.net --puid E001234"
)]
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
    /// the user is an administrator of the other group
    #[argh(switch)]
    administrator: bool,
}

impl Create {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let read = |source: &SecretSource| host.secret(source, "Password");
            let password = self.password_from.as_ref().map(read).transpose()?;
            let person = self.person();
            let new = NewUser {
                address: self.address,
                puid: self.puid,
                person,
                role: host::role(&self.role),
                password,
                administrator: self.administrator,
            };
            let made = desk.people.create_user(caller, self.group, new)?;
            host.done(
                &as_json(&made, desk.clock().now()),
                format_args!(
                    "{} is in group {}. Their number is {}.",
                    made.user.address, self.group, made.user.id
                ),
            );
            Ok(())
        })
    }
}

impl Update {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        let person = self.person();
        let key = host::user_key(self.puid, self.address, self.id);
        let change = UserChange {
            address: self.new_address,
            puid: self.new_puid.map(|puid| Some(puid).filter(|puid| !puid.is_empty())),
            person,
            role: self.role.as_deref().map(RoleChoice::of_wire),
            active: self.active,
            administrator: self.administrator,
            ..UserChange::default()
        };
        changed(host, self.group, key, change)
    }
}

impl Password {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        super::with_key(host, key, |desk, caller, key| {
            desk.people.member(caller, self.group, key)?;
            let source = self.password_from.unwrap_or_else(SecretSource::of_this_process);
            let password = host.secret(&source, "New password")?;
            let change = UserChange { password: Some(password), ..UserChange::default() };
            let done = desk.people.update_user(caller, self.group, key, change)?;
            let line = format!("The password of {} is set.", done.member.user.address);
            host.done(&as_json(&done.member, desk.clock().now()), format_args!("{line}"));
            Ok(())
        })
    }
}

impl AddToGroup {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let puid = self.puid.as_deref();
            let role = host::role(&self.role);
            let made =
                desk.people.add_member(caller, self.group, &self.address, puid, role, self.administrator)?;
            let line = format!("{} is now in group {}.", made.user.address, self.group);
            host.done(&as_json(&made, desk.clock().now()), format_args!("{line}"));
            Ok(())
        })
    }
}

pub(super) fn set_state(
    host: &Host,
    group: GroupId,
    key: Result<UserKey>,
    set: impl FnOnce(&mut UserChange),
) -> ExitCode {
    let mut change = UserChange::default();
    set(&mut change);
    changed(host, group, key, change)
}

fn changed(host: &Host, group: GroupId, key: Result<UserKey>, change: UserChange) -> ExitCode {
    super::with_key(host, key, |desk, caller, key| {
        let done = desk.people.update_user(caller, group, key, change)?;
        let address = &done.member.user.address;
        let line = match (done.changed.as_slice(), done.member.membership.suspended) {
            ([], _) => format!("{address} is so already."),
            (["suspended"], true) => format!("{address} is suspended."),
            (["suspended"], false) => format!("{address} is reinstated."),
            (changed, _) => format!("{address}: {} changed.", changed.join(", ").replace('_', " ")),
        };
        host.done(&as_json(&done.member, desk.clock().now()), format_args!("{line}"));
        Ok(())
    })
}
