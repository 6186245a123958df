//! `sidelight role`: a group's roles, from the host. Wire contract §5.3 and §9.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;
use serde_json::json;

use super::{group, host};
use crate::desk::Desk;
use crate::desk::people::BulkError;
use crate::desk::roles::{NewRole, RoleChange, RoleView};
use crate::error::{Error, Result};
use crate::model::{Caller, GroupId};
use crate::store::Settings;

/// roles: list, show, create, update, delete
///
/// A role is a named set of settings. What its group has off is off in the role too, and comes back with
/// the group's. Users without a role have the group's settings.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "role",
    example = "{command_name} create Sales --group 12345 --on viewVideo\n{command_name} update Sales --group 12345 --off viewVideo"
)]
pub struct Role {
    #[argh(subcommand)]
    act: Act,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Act {
    List(List),
    Show(Show),
    Create(Create),
    Update(Update),
    Delete(Delete),
}

/// list a group's roles, with how many users have each
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
struct List {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// print JSON, for programs
    #[argh(switch)]
    json: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// show the settings in force for a role
#[derive(FromArgs)]
#[argh(subcommand, name = "show")]
struct Show {
    /// the role's name
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// print JSON, for programs
    #[argh(switch)]
    json: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// make a role
#[derive(FromArgs)]
#[argh(subcommand, name = "create")]
struct Create {
    /// the role's name, at most 70 characters
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// what it is for, at most 255 characters
    #[argh(option, default = "String::new()")]
    description: String,
    /// a setting to turn on; may be given several times
    #[argh(option)]
    on: Vec<String>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// change a role; what is not given stays
#[derive(FromArgs)]
#[argh(subcommand, name = "update")]
struct Update {
    /// the role's name now
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// another name
    #[argh(option)]
    rename: Option<String>,
    /// what it is for
    #[argh(option)]
    description: Option<String>,
    /// a setting to turn on; may be given several times
    #[argh(option)]
    on: Vec<String>,
    /// a setting to turn off; may be given several times
    #[argh(option)]
    off: Vec<String>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// delete a role that nobody has
#[derive(FromArgs)]
#[argh(subcommand, name = "delete")]
struct Delete {
    /// the role's name
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl Role {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        match self.act {
            Act::List(command) => command.run(),
            Act::Show(command) => command.run(),
            Act::Create(command) => command.run(),
            Act::Update(command) => command.run(),
            Act::Delete(command) => command.run(),
        }
    }
}

fn named(desk: &Desk, caller: &Caller, group: GroupId, name: &str) -> Result<RoleView> {
    let (roles, _) = desk.roles(caller, group)?;
    let unknown = || Error::not_found("role_unknown", format!("Group {group} has no role {name}."));
    roles.into_iter().find(|view| view.role.name.eq_ignore_ascii_case(name.trim())).ok_or_else(unknown)
}

fn as_json(view: &RoleView) -> serde_json::Value {
    json!({
        "roleId": view.role.id, "name": view.role.name, "description": view.role.description,
        "activeUsers": view.active_users, "inactiveUsers": view.inactive_users, "settings": view.settings,
    })
}

impl List {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let (roles, without) = desk.roles(caller, self.group)?;
            if self.json {
                host::json(&roles.iter().map(as_json).collect());
                return Ok(());
            }
            let mut rows: Vec<_> = roles
                .into_iter()
                .map(|view| {
                    let counts = [view.active_users.to_string(), view.inactive_users.to_string()];
                    let [active, inactive] = counts;
                    [view.role.id.to_string(), view.role.name, active, inactive, view.role.description]
                })
                .collect();
            let counts = [without.active_users.to_string(), without.inactive_users.to_string()];
            let [active, inactive] = counts;
            rows.push([String::new(), "-none-".into(), active, inactive, String::new()]);
            host::table(["ID", "ROLE", "ACTIVE", "INACTIVE", "DESCRIPTION"], &rows);
            Ok(())
        })
    }
}

impl Show {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let view = named(desk, caller, self.group, &self.name)?;
            if self.json {
                host::json(&as_json(&view));
            } else {
                group::print_settings(&view.settings, false);
            }
            Ok(())
        })
    }
}

impl Create {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let settings = self.on.into_iter().map(|name| (name, true)).collect();
            let new = NewRole { name: self.name, description: self.description, settings };
            let role = desk.create_role(caller, self.group, new)?;
            println!("Role {} is made, with number {}.", role.name, role.id);
            Ok(())
        })
    }
}

impl Update {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let id = named(desk, caller, self.group, &self.name)?.role.id;
            let on = self.on.into_iter().map(|name| (name, true));
            let settings: Settings = on.chain(self.off.into_iter().map(|name| (name, false))).collect();
            let change = RoleChange { name: self.rename, description: self.description, settings };
            let role = desk.update_role(caller, self.group, id, change)?;
            println!("Role {} is up to date.", role.name);
            Ok(())
        })
    }
}

impl Delete {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let id = named(desk, caller, self.group, &self.name)?.role.id;
            desk.delete_roles(caller, self.group, vec![id]).map_err(first)?;
            println!("The role is deleted.");
            Ok(())
        })
    }
}

/// The error of a call that had one row.
fn first(error: BulkError) -> Error {
    match error {
        BulkError::Whole(error) => error,
        BulkError::Rows(rows) => rows
            .into_iter()
            .next()
            .map_or_else(|| Error::fault("no_row", "a refusal without a row"), |(_, error)| error),
    }
}
