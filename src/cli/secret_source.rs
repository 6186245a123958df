//! Secrets on the command line: never an argument, where a process list would show them, and never from anywhere that
//! the command line does not name.
//!
//! Every option for a secret (`--password-from`, `--api-key-from`) takes the same four sources.

use std::fmt;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `env:NAME`
    Environment(String),
    /// `file:PATH`
    File(PathBuf),
    /// `-`: one line of standard input
    StandardInput,
    /// `prompt`: typed twice at the terminal, and not shown
    Prompt,
    /// Any other text. It may be the secret itself, so it is not stored, and no error repeats it.
    Unknown,
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Environment(name) => write!(f, "the environment variable {name}"),
            SecretSource::File(path) => write!(f, "the file {}", path.display()),
            SecretSource::StandardInput => f.write_str("standard input"),
            SecretSource::Prompt => f.write_str("the terminal"),
            SecretSource::Unknown => f.write_str("nowhere"),
        }
    }
}

/// A source on the command line. It is refused when it is read, because argh repeats what it cannot read.
#[expect(clippy::unnecessary_wraps, reason = "argh asks for a result")]
pub fn secret_source(text: &str) -> std::result::Result<SecretSource, String> {
    Ok(match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => SecretSource::Environment(name.to_owned()),
        Some(("file", path)) if !path.is_empty() => SecretSource::File(path.into()),
        None if text == "-" => SecretSource::StandardInput,
        None if text == "prompt" => SecretSource::Prompt,
        _ => SecretSource::Unknown,
    })
}

impl SecretSource {
    /// The default source: the terminal, or standard input if there is no terminal.
    pub fn of_this_process() -> SecretSource {
        if std::io::stdin().is_terminal() { SecretSource::Prompt } else { SecretSource::StandardInput }
    }

    /// Reads the secret; `what` names it in a prompt, such as `New password`.
    ///
    /// # Errors
    /// `Invalid` with code `secret_unreadable`; `secrets_differ` when it was typed twice and not alike.
    pub fn read(&self, what: &str) -> Result<Secret> {
        match self {
            SecretSource::Environment(name) => match std::env::var_os(name) {
                Some(value) => Ok(Secret::new(value.into_encoded_bytes())),
                None => Err(unreadable(&format!("the environment variable {name} is not set"))),
            },
            SecretSource::File(path) => in_file(path),
            SecretSource::StandardInput => line_of(&mut std::io::stdin().lock()),
            SecretSource::Prompt => twice(what),
            SecretSource::Unknown => {
                let public = format!(
                    "{what}: say where it comes from: env:NAME, file:PATH, - (standard input) or prompt."
                );
                Err(Error::new(Kind::Invalid, "secret_source", public))
            }
        }
    }
}

fn in_file(path: &Path) -> Result<Secret> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(&format!("{}: {e}", path.display())))?;
    Ok(without_line_end(bytes))
}

fn twice(what: &str) -> Result<Secret> {
    let typed = hidden(&format!("{what}: "))?;
    if hidden("Once more: ")? == typed {
        return Ok(typed);
    }
    Err(Error::new(Kind::Invalid, "secrets_differ", "The two entries do not match. Nothing was changed."))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_source_says_what_it_is() {
        assert_eq!(secret_source("env:KEY"), Ok(SecretSource::Environment("KEY".into())));
        assert_eq!(secret_source("file:a:b"), Ok(SecretSource::File("a:b".into())));
        assert_eq!(secret_source("-"), Ok(SecretSource::StandardInput));
        assert_eq!(secret_source("prompt"), Ok(SecretSource::Prompt));
        for wrong in ["hunter2", "", "env:", "file:", "pass:hunter2", "prompt:"] {
            let refused = secret_source(wrong).unwrap().read("Password").err().unwrap();
            assert!(refused.code == "secret_source" && !refused.public.contains("hunter2"), "{wrong}");
        }
    }

    #[test]
    fn a_secret_in_a_file_loses_only_its_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " secret \r\n").unwrap();
        let source = SecretSource::File(file.path().to_owned());
        assert!(source.read("Password").unwrap() == Secret::new(" secret "));
    }

    #[test]
    fn a_source_that_is_not_there_is_refused_by_name() {
        for (source, named) in [
            (SecretSource::Environment("SIDELIGHT_NOT_SET".into()), "SIDELIGHT_NOT_SET"),
            (SecretSource::File("/nonexistent/key".into()), "/nonexistent/key"),
        ] {
            let refused = source.read("Password").err().unwrap();
            assert!(refused.code == "secret_unreadable" && refused.public.contains(named), "{refused}");
        }
    }
}
