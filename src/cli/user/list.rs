//! `sidelight user list` and `sidelight user show`.

use crate::model::queries::{MemberQuery, MemberState, RoleMatch, TextMatch};
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use crate::cli::host::{self, Host};
use crate::cli::role;
use crate::cli::terminal::{self, say};
use crate::clock::Timestamp;
use crate::desk::people::users::RoleChoice;
use crate::model::person;
use crate::model::{GroupId, Member};

/// Members asked for at once; a long list is read page by page.
const PAGE: u32 = 1_000;

/// list a group's users
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "list",
    note = "With --json, prints one user per line.",
    example = "{command_name} --group 12345 --search doe\n{command_name} --group 12345 --role Agent --state locked --json"
)]
pub struct List {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// only users with all these words in their names, Glance Address, e-mail address or PUID
    #[argh(option, default = "String::new()")]
    search: String,
    /// only users with this role; -none- for users without a role
    #[argh(option)]
    role: Option<String>,
    /// only users in this state: active, suspended, inactive, locked
    #[argh(option, from_str_fn(state))]
    state: Option<MemberState>,
    /// the maximum number of users to list (default: all)
    #[argh(option)]
    limit: Option<usize>,
}

/// show a user and all their groups
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "show", example = "{command_name} --group 12345 --puid E001234")]
pub struct Show {
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

fn state(text: &str) -> Result<MemberState, String> {
    match text {
        "active" => Ok(MemberState::Active),
        "suspended" => Ok(MemberState::Suspended),
        "inactive" => Ok(MemberState::Inactive),
        "locked" => Ok(MemberState::Locked),
        _ => Err(format!("{text} is not a state; use active, suspended, inactive or locked")),
    }
}

impl List {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let role = match self.role.as_deref().map(host::role) {
                None => None,
                Some(RoleChoice::Named(name)) => {
                    let found = role::named(desk, caller, self.group, &name)?;
                    Some(RoleMatch::Named(TextMatch::Is(found.role.name)))
                }
                Some(_) => Some(RoleMatch::None),
            };
            let mut query = MemberQuery {
                search: self.search,
                role,
                state: self.state,
                limit: PAGE,
                ..MemberQuery::default()
            };
            let mut left = self.limit.unwrap_or(usize::MAX);
            let now = desk.clock().now();
            if !host.json {
                println!("{}", line("ADDRESS", "PUID", "NAME", "ROLE", "STATE"));
            }
            while left > 0 {
                let page = desk.people.members(caller, self.group, &query)?;
                for member in page.members.iter().take(left) {
                    if host.json {
                        println!("{}", as_json(member, now));
                    } else {
                        say(format_args!("{}", as_line(member, now)));
                    }
                }
                left = left.saturating_sub(page.members.len());
                query.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            Ok(())
        })
    }
}

impl Show {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        let key = host::user_key(self.puid, self.address, self.id);
        super::with_key(host, key, |desk, caller, key| {
            let member = desk.people.member(caller, self.group, key)?;
            let groups = desk.people.memberships(caller, member.user.id)?;
            let mut shown = as_json(&member, desk.clock().now());
            if let Some(shown) = shown.as_object_mut() {
                let groups: Vec<Value> = groups
                    .iter()
                    .map(|m| json!({"group": m.group, "puid": m.puid, "administrator": m.administrator}))
                    .collect();
                shown.insert("groups".into(), groups.into());
                let settings = desk.people.member_settings(caller, self.group, member.user.id)?;
                shown.insert("settings".into(), json!(settings));
            }
            terminal::json(&shown);
            Ok(())
        })
    }
}

pub(super) fn as_json(member: &Member, now: Timestamp) -> Value {
    let user = &member.user;
    let mut shown = json!({
        "userId": user.id, "role": member.role_name, "locked": user.is_locked(now), "hasPassword": user.has_password,
        "homeGroup": user.home_group, "signedInAt": user.signed_in_at.map(|t| t.to_string()),
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(person::answered(member).map(|(name, value)| (name.to_owned(), json!(value))));
    }
    shown
}

fn as_line(member: &Member, now: Timestamp) -> String {
    let membership = &member.membership;
    let name = format!("{} {}", member.user.person.first_name, member.user.person.last_name);
    let state = match membership {
        m if !m.active => "inactive",
        m if m.suspended => "suspended",
        _ if member.user.is_locked(now) => "locked",
        m if m.administrator => "administrator",
        _ => "active",
    };
    let puid = membership.puid.as_ref().map_or("", |p| p.as_str());
    let role = member.role_name.as_deref().unwrap_or("-none-");
    line(member.user.address.as_str(), puid, name.trim(), role, state)
}

/// A long list is printed as it is read, so its columns have fixed widths.
fn line(address: &str, puid: &str, name: &str, role: &str, state: &str) -> String {
    format!("{address:<36}  {puid:<24}  {name:<24}  {role:<16}  {state}")
}
