//! What the commands on the host share: the data directory, secrets from files and prompts, tables.
//!
//! The commands open the database directly, so they also work while the server runs, and when nobody can
//! sign in. A secret is never an argument, where a process list would show it.

use std::ffi::OsString;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::refused;
use super::terminal::say;
use crate::config::origin_parts;
use crate::desk::Desk;
use crate::desk::people::{RoleChoice, UserKey};
use crate::error::{Error, Kind, Result};
use crate::model::lists::Count;
use crate::model::{Caller, GroupId, UserId};
use crate::secret::Secret;
use crate::server::Ready;

/// Does `act` on the data directory, and tells how it came out.
pub fn with_desk(data: Option<PathBuf>, act: impl FnOnce(&Desk, &Caller) -> Result<()>) -> ExitCode {
    match on_desk(data, act) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refused(&error),
    }
}

/// Does `act` on the data directory.
///
/// # Errors
/// Those of opening it, and of `act`.
pub fn on_desk<T>(data: Option<PathBuf>, act: impl FnOnce(&Desk, &Caller) -> Result<T>) -> Result<T> {
    let desk = Desk::open_existing(&directory(data.as_deref())?)?;
    act(&desk, &Caller::host())
}

/// The data directory: the one that was named, else the one that the server would use.
///
/// # Errors
/// `Invalid` when the configuration that would say so cannot be read.
pub fn directory(data: Option<&Path>) -> Result<PathBuf> {
    data.map_or_else(super::serve::data_directory, |named| Ok(named.to_owned()))
}

/// By which address people reach the server: the one that was named, else the one that the running server
/// says. Ends without a slash.
///
/// # Errors
/// Those of [`directory`]; `Invalid` with code `which_origin` when neither is there, `bad_origin` when it is none.
pub fn origin(data: Option<&Path>, named: Option<String>) -> Result<String> {
    let directory = directory(data)?;
    let running = || Ready::read(&directory)?.public_url;
    let public = "By which address people reach the server is not known: none runs that was started with \
                  --public-url. Name it with --origin, such as https://sso.example.com.";
    let origin = named.or_else(running).ok_or_else(|| Error::invalid("which_origin", "origin", public))?;
    let origin = origin.trim_end_matches('/');
    if origin_parts(origin).is_none() {
        let public =
            format!("{origin} is no address such as https://sso.example.com, with nothing after the host.");
        return Err(Error::invalid("bad_origin", "origin", public));
    }
    Ok(origin.to_owned())
}

/// A Group ID on the command line.
pub fn group(text: &str) -> std::result::Result<GroupId, String> {
    GroupId::parse(text).ok_or_else(|| format!("{text} is not a Group ID: a positive number"))
}

/// The group that a command is about: the one that was named, else the only one there is.
///
/// # Errors
/// `Invalid` with code `which_group`.
pub fn only_group(desk: &Desk, caller: &Caller, named: Option<GroupId>) -> Result<GroupId> {
    if let Some(group) = named {
        return Ok(group);
    }
    match desk.groups(caller)?.as_slice() {
        [only] => Ok(only.id),
        _ => Err(Error::new(Kind::Invalid, "which_group", "Which group? Name it with --group.")),
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

/// A yes or no on the command line.
pub fn switch(text: &str) -> std::result::Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "1" => Ok(true),
        "off" | "no" | "false" | "0" => Ok(false),
        _ => Err(format!("{text} is neither on nor off")),
    }
}

/// Asks before something ends for others: on a terminal only, for nobody answers a script.
///
/// # Errors
/// `Denied` with code `not_agreed` when the answer is not yes.
pub fn agreed(question: &str, yes: bool) -> Result<()> {
    if yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(());
    }
    let question: String = question.chars().map(super::terminal::harmless).collect();
    eprint!("{question}\nType yes to go on: ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|e| Error::fault("terminal", e.to_string()))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::new(Kind::Denied, "not_agreed", "Nothing was changed.")),
    }
}

/// Reads a secret: from `file`, else from the environment ([`given_secret`]), else from the terminal without showing
/// it, else one line from standard input.
///
/// # Errors
/// Those of [`given_secret`]; `Invalid` with code `secrets_differ` when it was typed twice and not alike.
pub fn secret(file: Option<&Path>, variable: &str, prompt: &str) -> Result<Secret> {
    if let Some(secret) = given_secret(file, variable)? {
        return Ok(secret);
    }
    if !std::io::stdin().is_terminal() {
        return line_of(&mut std::io::stdin().lock());
    }
    let typed = hidden(&format!("{prompt}: "))?;
    if hidden("Once more: ")? != typed {
        return Err(Error::new(
            Kind::Invalid,
            "secrets_differ",
            "The two are not alike. Nothing was changed.",
        ));
    }
    Ok(typed)
}

/// Reads a secret from `file`, else from the environment: from the variable, or from the file that the variable
/// with `_FILE` at its end names; `None` when none is given.
///
/// # Errors
/// `Invalid` with code `secret_unreadable`, or `secret_given_twice` when both variables are set.
pub fn given_secret(file: Option<&Path>, variable: &str) -> Result<Option<Secret>> {
    match file {
        Some(path) => secret_in(path).map(Some),
        None => secret_of_environment(variable, |name| std::env::var_os(name)),
    }
}

fn secret_of_environment(
    variable: &str,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Secret>> {
    let of_file = format!("{variable}_FILE");
    match (environment(variable), environment(&of_file)) {
        (Some(_), Some(_)) => {
            let public = format!("{variable} and {of_file} are both set. Set one of them.");
            Err(Error::new(Kind::Invalid, "secret_given_twice", public))
        }
        (Some(text), None) => Ok(Some(Secret::new(text.into_encoded_bytes()))),
        (None, Some(path)) => secret_in(Path::new(&path)).map(Some),
        (None, None) => Ok(None),
    }
}

fn secret_in(path: &Path) -> Result<Secret> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(&format!("{}: {e}", path.display())))?;
    Ok(without_line_end(bytes))
}

fn line_of(input: &mut impl BufRead) -> Result<Secret> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(|e| unreadable(&e.to_string()))?;
    if line.is_empty() {
        return Err(unreadable("standard input is empty"));
    }
    Ok(without_line_end(line))
}

/// Asks at the terminal, without showing what is typed.
fn hidden(prompt: &str) -> Result<Secret> {
    let input = std::io::stdin();
    let failed = |e: rustix::io::Errno| unreadable(&e.to_string());
    let before = tcgetattr(&input).map_err(failed)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    eprint!("{prompt}");
    let _ = std::io::stderr().flush();
    tcsetattr(&input, OptionalActions::Flush, &quiet).map_err(failed)?;
    let typed = line_of(&mut input.lock());
    let restored = tcsetattr(&input, OptionalActions::Flush, &before).map_err(failed);
    eprintln!();
    restored.and(typed)
}

fn without_line_end(mut bytes: Vec<u8>) -> Secret {
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    Secret::new(bytes)
}

fn unreadable(why: &str) -> Error {
    Error::new(Kind::Invalid, "secret_unreadable", format!("The secret cannot be read: {why}."))
}

/// Prints a table whose columns are as wide as their widest cell.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say(format_args!("{}", padded.join("  ").trim_end()));
    };
    line(head);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
}

/// Prints a value as JSON.
pub fn json(value: &serde_json::Value) {
    println!("{value:#}");
}

/// A count in a sentence.
pub fn count(count: Count) -> String {
    match count {
        Count::Exactly(count) => count.to_string(),
        Count::MoreThan(count) => format!("more than {count}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_in_a_file_loses_only_its_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " secret \r\n").unwrap();
        let read = given_secret(Some(file.path()), "SIDELIGHT_NOT_SET").unwrap().unwrap();
        assert!(read == Secret::new(" secret "));
        assert!(given_secret(None, "SIDELIGHT_NOT_SET").unwrap().is_none());
    }

    #[test]
    fn a_secret_of_the_environment_is_there_or_in_the_file_it_names_and_never_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from file\n").unwrap();
        let read = |plain: bool, named: bool| {
            secret_of_environment("KEY", |name| match name {
                "KEY" => plain.then(|| "plain".into()),
                "KEY_FILE" => named.then(|| file.path().into()),
                _ => None,
            })
        };
        assert!(read(true, false).unwrap() == Some(Secret::new("plain")));
        assert!(read(false, true).unwrap() == Some(Secret::new("from file")));
        assert!(read(false, false).unwrap().is_none());
        assert_eq!(read(true, true).err().unwrap().code, "secret_given_twice");
        let nowhere = |name: &str| (name == "KEY_FILE").then(|| "/nonexistent/key".into());
        assert_eq!(secret_of_environment("KEY", nowhere).err().unwrap().code, "secret_unreadable");
    }

    #[test]
    fn one_way_to_name_a_user_is_enough() {
        assert!(user_key(Some("E1".into()), None, None).is_ok());
        assert!(user_key(None, None, None).is_err());
        assert!(user_key(Some("E1".into()), Some("a.b".into()), None).is_err());
    }
}
