//! What the commands on the host share: the options of the program, the data directory, how an answer and an error
//! are printed.
//!
//! The commands open the database directly, so they also work while the server runs, and when nobody can sign in.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::secret_source::SecretSource;
use super::terminal;
use crate::config::{CONFIG_VARIABLE, Config, data_directory, origin_parts};
use crate::desk::Desk;
use crate::desk::people::users::{RoleChoice, UserKey};
use crate::error::{Error, Kind, Result};
use crate::model::lists::Count;
use crate::model::{Caller, GroupId, UserId};
use crate::secret::Secret;
use crate::server::Ready;

/// What the options of the program say; every command has them.
pub struct Host {
    /// `--data`: the data directory; without it, the one that the server would use.
    pub data: Option<PathBuf>,
    /// `--json`: answers and errors are JSON.
    pub json: bool,
}

impl Host {
    /// Runs `act` on the data directory and prints the result.
    pub fn with_desk(&self, act: impl FnOnce(&Desk, &Caller) -> Result<()>) -> ExitCode {
        self.ended(self.on_desk(act))
    }

    /// Runs `act` on the data directory.
    ///
    /// # Errors
    /// Those of opening it, and of `act`.
    pub fn on_desk<T>(&self, act: impl FnOnce(&Desk, &Caller) -> Result<T>) -> Result<T> {
        let desk = Desk::open_existing(&self.directory()?)?;
        act(&desk, &Caller::host())
    }

    /// The data directory: the one that was named, else the one that the server would use.
    ///
    /// # Errors
    /// `Invalid` when the configuration that would say so cannot be read.
    pub fn directory(&self) -> Result<PathBuf> {
        let by_configuration = || data_directory(configuration_file(None).as_deref(), environment);
        self.data.clone().map_or_else(by_configuration, Ok)
    }

    /// The options of the program that are settings of the server.
    pub fn settings(&self) -> BTreeMap<&'static str, String> {
        self.data.iter().map(|data| ("data", data.to_string_lossy().into_owned())).collect()
    }

    /// The server's public address: the given one, or the one that the running server reports. No slash at the end.
    ///
    /// # Errors
    /// Those of [`Host::directory`]; `Invalid` with code `which_origin` when neither is there, `bad_origin` when it
    /// is none.
    pub fn origin(&self, named: Option<String>) -> Result<String> {
        let directory = self.directory()?;
        let running = || Ready::read(&directory)?.public_url;
        let public = "The server's public address is not known: no running server was started with \
                      --public-url. Name it with --origin, such as https://sso.example.com.";
        let origin =
            named.or_else(running).ok_or_else(|| Error::invalid("which_origin", "origin", public))?;
        let origin = origin.trim_end_matches('/');
        if origin_parts(origin).is_none() {
            let public = format!(
                "{origin} is not a valid address. Use a form such as https://sso.example.com, with no path."
            );
            return Err(Error::invalid("bad_origin", "origin", public));
        }
        Ok(origin.to_owned())
    }

    /// Reads a secret, and says where it came from; a program reads that in the answer.
    ///
    /// # Errors
    /// Those of [`SecretSource::read`].
    pub fn secret(&self, source: &SecretSource, what: &str) -> Result<Secret> {
        let secret = source.read(what)?;
        if !matches!(source, SecretSource::Prompt) {
            self.remark(format_args!("{what}: from {source}."));
        }
        Ok(secret)
    }

    /// Says something beside the answer, on standard error. A program has no use for it.
    pub fn remark(&self, line: Arguments<'_>) {
        if !self.json {
            let line: String = line.to_string().chars().map(terminal::harmless).collect();
            eprintln!("{line}");
        }
    }

    /// Prints what was done: `line` for a person, `document` for a program.
    pub fn done(&self, document: &Value, line: Arguments<'_>) {
        if self.json {
            terminal::json(document);
        } else {
            terminal::say(line);
        }
    }

    /// The exit status of what came out, after saying why where it failed.
    pub fn ended(&self, outcome: Result<()>) -> ExitCode {
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => self.refused(&error),
        }
    }

    /// Says why a command was refused or failed, with the exit status of its kind.
    pub fn refused(&self, error: &Error) -> ExitCode {
        if self.json {
            eprintln!("{}", error_document(error));
        } else {
            eprintln!("sidelight: {error}");
        }
        ExitCode::from(error.kind.exit_status())
    }

    /// Says what was wrong with the command line: exit status 2. `message` is several lines.
    pub fn wrong_usage(&self, message: &str) -> ExitCode {
        if self.json {
            eprintln!("{}", error_document(&Error::new(Kind::Invalid, "usage", message.trim_end())));
        } else {
            eprintln!("{}", message.trim_end());
        }
        ExitCode::from(2)
    }
}

fn error_document(error: &Error) -> Value {
    json!({ "error": { "code": error.code, "message": error.public, "field": error.field, "detail": error.detail } })
}

/// The configuration file that is named, on the command line or else by the environment.
fn configuration_file(named: Option<&Path>) -> Option<PathBuf> {
    named.map(Path::to_owned).or_else(|| std::env::var_os(CONFIG_VARIABLE).map(PathBuf::from))
}

/// Reads the configuration from the process's own environment.
///
/// # Errors
/// Those of [`Config::read`].
pub fn configuration(flags: &BTreeMap<&'static str, String>, file: Option<&Path>) -> Result<Config> {
    Config::read(flags, configuration_file(file).as_deref(), environment)
}

/// A variable of the process's own environment.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A Group ID on the command line.
pub fn group(text: &str) -> std::result::Result<GroupId, String> {
    GroupId::parse(text).ok_or_else(|| format!("{text} is not a Group ID: a positive number"))
}

/// The group that the command works on: the given one, or the only group.
///
/// # Errors
/// `Invalid` with code `which_group`.
pub fn only_group(desk: &Desk, caller: &Caller, named: Option<GroupId>) -> Result<GroupId> {
    if let Some(group) = named {
        return Ok(group);
    }
    match desk.people.groups(caller)?.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Error::new(
            Kind::Invalid,
            "which_group",
            "There is no group yet. Make one: sidelight group create",
        )),
        several => {
            let known: Vec<String> = several.iter().take(10).map(|group| group.id.to_string()).collect();
            let more = if several.len() > known.len() { ", …" } else { "" };
            let public = format!("Which group? Name it with --group: {}{more}.", known.join(", "));
            Err(Error::new(Kind::Invalid, "which_group", public))
        }
    }
}

/// A user on the command line: `--puid`, `--address` or `--id`, exactly one.
///
/// # Errors
/// `Invalid` with code `which_user`.
pub fn user_key(puid: Option<String>, address: Option<String>, id: Option<i64>) -> Result<UserKey> {
    match (puid, address, id) {
        (Some(puid), None, None) => Ok(UserKey::Puid(puid)),
        (None, Some(address), None) => Ok(UserKey::Address(address)),
        (None, None, Some(id)) => Ok(UserKey::Id(UserId(id))),
        _ => {
            let public = "Which user? Give one of --puid, --address and --id.";
            Err(Error::new(Kind::Invalid, "which_user", public))
        }
    }
}

/// A role on the command line: its name, or `-none-`.
pub fn role(name: &str) -> RoleChoice {
    RoleChoice::of_wire(name)
}

/// A count in a sentence.
pub fn count(count: Count) -> String {
    match count {
        Count::Exactly(count) => count.to_string(),
        Count::MoreThan(count) => format!("more than {count}"),
    }
}

/// A yes or no on the command line.
pub fn switch(text: &str) -> std::result::Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "1" => Ok(true),
        "off" | "no" | "false" | "0" => Ok(false),
        _ => Err(format!("{text} is not valid; use on or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_to_name_a_user_is_enough() {
        assert!(user_key(Some("E1".into()), None, None).is_ok());
        assert!(user_key(None, None, None).is_err());
        assert!(user_key(Some("E1".into()), Some("a.b".into()), None).is_err());
    }
}
