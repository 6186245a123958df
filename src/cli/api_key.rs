//! `sidelight api-key`: a group's API key, from the host. Wire contract §2.8.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::{self, Host};
use super::secret_source::{SecretSource, secret_source};
use super::terminal::{self, confirm};
use crate::error::{Error, Kind};
use crate::model::GroupId;
use crate::secret::Secret;

/// a group's API key: show, change, restore
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "api-key",
    note = "Login keys are made from the API key. When you change it, all existing login keys are refused at once.",
    example = "{command_name} show --group 12345\n{command_name} change --group 12345"
)]
pub struct ApiKey {
    #[argh(subcommand)]
    act: ApiKeyAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum ApiKeyAction {
    Show(Show),
    KeyChange(KeyChange),
    Restore(Restore),
}

/// print the API key; this is recorded in the access log
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "show", example = "{command_name} --group 12345")]
struct Show {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// change the API key and print the new one: 20 random characters, unless you give one
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "change",
    note = "All login keys made from the previous key are refused at once. At a terminal, the command asks for confirmation.",
    example = "{command_name} --group 12345\n{command_name} --group 12345 --yes --api-key-from file:key.txt\n{command_name} --group 12345 --yes --api-key-from env:NEW_API_KEY"
)]
struct KeyChange {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// where to read the new key from, 8 to 255 characters: env:NAME, file:PATH, - or prompt
    #[argh(option, from_str_fn(secret_source), arg_name = "source")]
    api_key_from: Option<SecretSource>,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// restore the previous API key and print it; works for one hour after a change
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "restore", example = "{command_name} --group 12345")]
struct Restore {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

impl ApiKey {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            ApiKeyAction::Show(command) => command.run(host),
            ApiKeyAction::KeyChange(command) => command.run(host),
            ApiKeyAction::Restore(command) => command.run(host),
        }
    }
}

impl Show {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let none = || {
                let public = format!(
                    "Group {0} has no API key. Make one: sidelight api-key change --group {0}",
                    self.group
                );
                Error::new(Kind::NotFound, "no_api_key", public)
            };
            let key = desk.sign_in.show_api_key(caller, self.group)?.ok_or_else(none)?;
            print_key(host, self.group, &key, None);
            Ok(())
        })
    }
}

impl KeyChange {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let group = desk.people.group(caller, self.group)?;
            if group.has_api_key {
                let lately = desk.people.signed_in_within_a_day(caller, group.id, Some("sign-in.login-key"))?;
                confirm(
                    self.yes,
                    format_args!(
                        "This replaces the API key of group {} ({}). All login keys made from the current key are refused at once. \
                         Users who signed in by login key in the last day: {}.",
                        group.id,
                        group.name,
                        host::count(lately)
                    ),
                )?;
            }
            let read = |source: &SecretSource| host.secret(source, "API key");
            let chosen = self.api_key_from.as_ref().map(read).transpose()?;
            let key = desk.sign_in.change_api_key(caller, self.group, chosen)?;
            let from = self.api_key_from.map_or_else(|| "random".to_owned(), |source| source.to_string());
            print_key(host, self.group, &key, Some(from));
            Ok(())
        })
    }
}

impl Restore {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let group = desk.people.group(caller, self.group)?;
            confirm(
                self.yes,
                format_args!(
                    "This replaces the API key of group {} ({}). All login keys made from the current key are refused at once.",
                    group.id, group.name
                ),
            )?;
            let key = desk.sign_in.restore_api_key(caller, self.group)?;
            print_key(host, self.group, &key, None);
            Ok(())
        })
    }
}

fn print_key(host: &Host, group: GroupId, key: &Secret, from: Option<String>) {
    let key = key.expose_text().unwrap_or_default();
    let mut document = json!({ "group": group, "apiKey": key });
    if let (Some(document), Some(from)) = (document.as_object_mut(), from) {
        document.insert("from".into(), from.into());
    }
    // Not through `say`: a key is printed as it is.
    if host.json { terminal::json(&document) } else { println!("{key}") }
}
