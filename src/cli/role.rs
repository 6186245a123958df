//! `sidelight role`: a group's roles, from the host. Wire contract §5.3 and §9.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::group;
use super::host::{self, Host};
use super::terminal::{self, confirm};
use crate::config::nearest;
use crate::desk::Desk;
use crate::desk::people::bulk::BulkError;
use crate::desk::people::roles::{NewRole, RoleChange, RoleView};
use crate::error::{Error, Result};
use crate::model::{Caller, GroupId, Settings};

/// roles: list, show, create, update, delete
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "role",
    note = "A role is a named set of settings. A setting that is off in the group is also off in its roles, until the group turns it on again. Users without a role have the group's settings.",
    example = "{command_name} create Sales --group 12345 --on viewVideo\n{command_name} update Sales --group 12345 --off viewVideo"
)]
pub struct Role {
    #[argh(subcommand)]
    act: RoleAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum RoleAction {
    List(List),
    Show(Show),
    Create(Create),
    Update(Update),
    Delete(Delete),
}

/// list a group's roles, and how many users have each
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "list", example = "{command_name} --group 12345")]
struct List {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// show the effective settings of a role
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "show", example = "{command_name} Sales --group 12345")]
struct Show {
    /// the role's name
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// create a role
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "create", example = "{command_name} Sales --group 12345 --on viewVideo")]
struct Create {
    /// the role's name, at most 70 characters
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// a description, at most 255 characters
    #[argh(option, default = "String::new()")]
    description: String,
    /// a setting to turn on
    #[argh(option)]
    on: Vec<String>,
}

/// change a role; other values stay as they are
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "update",
    example = "{command_name} Sales --group 12345 --rename Support --off viewVideo"
)]
struct Update {
    /// the role's current name
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the new name
    #[argh(option)]
    rename: Option<String>,
    /// a description
    #[argh(option)]
    description: Option<String>,
    /// a setting to turn on
    #[argh(option)]
    on: Vec<String>,
    /// a setting to turn off
    #[argh(option)]
    off: Vec<String>,
}

/// delete a role that nobody has
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "delete",
    note = "At a terminal, the command asks for confirmation.",
    example = "{command_name} Sales --group 12345\n{command_name} Sales --group 12345 --yes"
)]
struct Delete {
    /// the role's name
    #[argh(positional)]
    name: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

impl Role {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            RoleAction::List(command) => command.run(host),
            RoleAction::Show(command) => command.run(host),
            RoleAction::Create(command) => command.run(host),
            RoleAction::Update(command) => command.run(host),
            RoleAction::Delete(command) => command.run(host),
        }
    }
}

/// The group's role of this name, in any case.
///
/// # Errors
/// `NotFound` with code `role_unknown`, naming the role, and the one that was probably meant.
pub(super) fn named(desk: &Desk, caller: &Caller, group: GroupId, name: &str) -> Result<RoleView> {
    let (roles, _) = desk.people.roles(caller, group)?;
    let name = name.trim();
    if let Some(at) = roles.iter().position(|view| view.role.name.eq_ignore_ascii_case(name)) {
        return roles.into_iter().nth(at).ok_or_else(|| unknown(group, name, None));
    }
    Err(unknown(group, name, nearest(name, roles.iter().map(|view| view.role.name.as_str()))))
}

fn unknown(group: GroupId, name: &str, near: Option<&str>) -> Error {
    let more = match near {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => format!("See its roles: sidelight role list --group {group}"),
    };
    Error::not_found("role_unknown", format!("Group {group} has no role \"{name}\". {more}"))
}

fn as_json(view: &RoleView) -> serde_json::Value {
    json!({
        "roleId": view.role.id, "name": view.role.name, "description": view.role.description,
        "activeUsers": view.active_users, "inactiveUsers": view.inactive_users, "settings": view.settings,
    })
}

impl List {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let (roles, without) = desk.people.roles(caller, self.group)?;
            if host.json {
                terminal::json(&roles.iter().map(as_json).collect());
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
            terminal::table(["ID", "ROLE", "ACTIVE", "INACTIVE", "DESCRIPTION"], &rows);
            Ok(())
        })
    }
}

impl Show {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let view = named(desk, caller, self.group, &self.name)?;
            if host.json {
                terminal::json(&as_json(&view));
            } else {
                group::print_settings(&view.settings, false);
            }
            Ok(())
        })
    }
}

impl Create {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let settings = self.on.into_iter().map(|name| (name, true)).collect();
            let new = NewRole { name: self.name, description: self.description, settings };
            let role = desk.people.create_role(caller, self.group, new)?;
            let document = json!({ "roleId": role.id, "name": role.name, "description": role.description });
            host.done(&document, format_args!("Role {} is created. Its number is {}.", role.name, role.id));
            Ok(())
        })
    }
}

impl Update {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let id = named(desk, caller, self.group, &self.name)?.role.id;
            let on = self.on.into_iter().map(|name| (name, true));
            let settings: Settings = on.chain(self.off.into_iter().map(|name| (name, false))).collect();
            let change = RoleChange {
                name: self.rename,
                description: self.description,
                settings,
                ..RoleChange::default()
            };
            let role = desk.people.update_role(caller, self.group, id, change)?;
            let document = json!({ "roleId": role.id, "name": role.name, "description": role.description });
            host.done(&document, format_args!("Role {} is up to date.", role.name));
            Ok(())
        })
    }
}

impl Delete {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let role = named(desk, caller, self.group, &self.name)?.role;
            confirm(self.yes, format_args!("This deletes the role {} of group {}.", role.name, self.group))?;
            desk.people.delete_roles(caller, self.group, vec![role.id]).map_err(first)?;
            let document = json!({ "roleId": role.id, "name": role.name, "deleted": true });
            host.done(&document, format_args!("The role {} of group {} is deleted.", role.name, self.group));
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
