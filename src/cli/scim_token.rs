//! `sidelight scim-token`: the tokens with which a group's identity provider provisions over SCIM.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::{self, Host};
use super::terminal::{self, confirm};
use crate::model::GroupId;

/// a group's SCIM tokens: create (make), list, revoke
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "scim-token",
    note = "The identity provider sends the token as a bearer token to /scim/v2. A token is shown only once, when it is created.",
    example = "{command_name} make Okta --group 12345\n{command_name} list --group 12345\n{command_name} revoke 1 --group 12345"
)]
pub struct ScimToken {
    #[argh(subcommand)]
    act: ScimTokenAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum ScimTokenAction {
    Make(Make),
    List(List),
    Revoke(Revoke),
}

/// create a token and print it
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "make", example = "{command_name} Okta --group 12345")]
struct Make {
    /// a name for the token, such as the identity provider's name
    #[argh(positional)]
    label: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// list a group's tokens; the secret values are not shown
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "list", example = "{command_name} --group 12345")]
struct List {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// revoke a token: it is refused at once
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "revoke",
    note = "At a terminal, the command asks for confirmation.",
    example = "{command_name} 1 --group 12345\n{command_name} 1 --group 12345 --yes"
)]
struct Revoke {
    /// the token's number, as list shows it
    #[argh(positional)]
    number: i64,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

impl ScimToken {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            ScimTokenAction::Make(command) => command.run(host),
            ScimTokenAction::List(command) => command.run(host),
            ScimTokenAction::Revoke(command) => command.run(host),
        }
    }
}

impl Make {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let (number, token) = desk.people.make_scim_token(caller, self.group, &self.label)?;
            let token = token.expose_text().unwrap_or_default();
            let document =
                json!({ "group": self.group, "number": number, "label": self.label, "token": token });
            // Only the token goes to standard output, so that it can be piped.
            host.done(&document, format_args!("{token}"));
            host.remark(format_args!("This is token {number}. It will not be shown again."));
            Ok(())
        })
    }
}

impl List {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let tokens = desk.people.scim_tokens(caller, self.group)?;
            if host.json {
                let tokens: Vec<_> = tokens
                    .iter()
                    .map(|token| {
                        json!({
                            "number": token.id,
                            "label": token.label,
                            "made_by": token.made_by,
                            "created_at": token.created_at.to_string(),
                            "used_at": token.used_at.map(|at| at.to_string()),
                        })
                    })
                    .collect();
                terminal::json(&json!(tokens));
                return Ok(());
            }
            let rows: Vec<[String; 5]> = tokens
                .into_iter()
                .map(|token| {
                    let used = token.used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
                    [token.id.to_string(), token.label, token.made_by, token.created_at.to_string(), used]
                })
                .collect();
            terminal::table(["NUMBER", "LABEL", "MADE BY", "MADE", "LAST USED"], &rows);
            Ok(())
        })
    }
}

impl Revoke {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let tokens = desk.people.scim_tokens(caller, self.group)?;
            if let Some(token) = tokens.iter().find(|token| token.id == self.number) {
                let used = token.used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
                confirm(
                    self.yes,
                    format_args!(
                        "This revokes SCIM token {} ({}) of group {}, {used}. Provisioning with this token is refused at once.",
                        token.id, token.label, self.group
                    ),
                )?;
            }
            desk.people.revoke_scim_token(caller, self.group, self.number)?;
            let document = json!({ "group": self.group, "number": self.number, "revoked": true });
            host.done(&document, format_args!("Token {} of group {} is revoked.", self.number, self.group));
            Ok(())
        })
    }
}
