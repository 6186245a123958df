//! `sidelight scim-token`: the tokens with which a group's identity provider provisions over SCIM.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;
use serde_json::json;

use super::host;
use crate::model::GroupId;

/// a group's SCIM tokens: make, list, revoke
///
/// The identity provider sends one as bearer token to /scim/v2. A token is shown once, when it is made.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "scim-token",
    example = "{command_name} make Okta --group 12345\n{command_name} list --group 12345\n{command_name} revoke 1 --group 12345"
)]
pub struct ScimToken {
    #[argh(subcommand)]
    act: Act,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Act {
    Make(Make),
    List(List),
    Revoke(Revoke),
}

/// make a token and print it
#[derive(FromArgs)]
#[argh(subcommand, name = "make")]
struct Make {
    /// what to call it: the name of the identity provider
    #[argh(positional)]
    label: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// list a group's tokens, without the tokens themselves
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

/// revoke a token: from now on it is not accepted
#[derive(FromArgs)]
#[argh(subcommand, name = "revoke")]
struct Revoke {
    /// its number, as list shows it
    #[argh(positional)]
    number: i64,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl ScimToken {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        match self.act {
            Act::Make(command) => command.run(),
            Act::List(command) => command.run(),
            Act::Revoke(command) => command.run(),
        }
    }
}

impl Make {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let (number, token) = desk.make_scim_token(caller, self.group, &self.label)?;
            // Only the token goes to standard output, so that it can be piped to where it belongs.
            println!("{}", token.expose_text().unwrap_or_default());
            eprintln!("This is token {number}. It is not shown again.");
            Ok(())
        })
    }
}

impl List {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let tokens = desk.scim_tokens(caller, self.group)?;
            if self.json {
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
                host::json(&json!(tokens));
                return Ok(());
            }
            let rows: Vec<[String; 5]> = tokens
                .into_iter()
                .map(|token| {
                    let used = token.used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
                    [token.id.to_string(), token.label, token.made_by, token.created_at.to_string(), used]
                })
                .collect();
            host::table(["NUMBER", "LABEL", "MADE BY", "MADE", "LAST USED"], &rows);
            Ok(())
        })
    }
}

impl Revoke {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| desk.revoke_scim_token(caller, self.group, self.number))
    }
}
