//! The command line: one file a command. Arguments, environment and files in; a use case of the desk done.
//!
//! Exit status: 0 done or accepted, 1 refused or rejected, 2 wrong usage, 3 our own fault.

mod api_key;
mod explain;
mod group;
mod health;
mod host;
mod login_key;
mod operator;
mod output;
mod role;
mod scim_token;
mod serve;
mod sso;
mod terminal;
mod user;

use std::process::ExitCode;

use argh::FromArgs;

use crate::error::Error;
use crate::server_log::note;

/// Sidelight stands in on-prem for Glance's single sign-on services: it checks login keys, is the SAML 2.0
/// service provider of a group, keeps its users, and records it all. Start with: sidelight serve --lab
#[derive(FromArgs)]
struct Sidelight {
    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,
    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    Serve(serve::Serve),
    Config(serve::Show),
    Health(health::Health),
    Explain(explain::Explain),
    Group(group::Group),
    User(user::User),
    Role(role::Role),
    Sso(sso::Sso),
    ApiKey(api_key::ApiKey),
    LoginKey(login_key::LoginKey),
    Operator(operator::Operator),
    ScimToken(scim_token::ScimToken),
    Version(Version),
}

/// print the version of the program and of the SQLite inside it
#[derive(FromArgs)]
#[argh(subcommand, name = "version")]
struct Version {}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    end_when_nothing_can_be_printed();
    let arguments: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match Sidelight::from_args(&["sidelight"], &with_lone_dash_last(words)) {
        Ok(Sidelight { version: true, .. }) => run(Command::Version(Version {})),
        Ok(Sidelight { command: Some(command), .. }) => run(command),
        Ok(Sidelight { command: None, .. }) => usage("Which command? Run sidelight --help to see them all."),
        Err(early) if early.status.is_ok() => {
            println!("{}", early.output.trim_end());
            ExitCode::SUCCESS
        }
        Err(early) => usage(&early.output),
    }
}

/// argh takes a lone dash, which stands for standard input or output, for an option. Behind `--`, at the end, it
/// takes it as it is. A dash that is the value of an option stays where it is.
fn with_lone_dash_last(mut words: Vec<&str>) -> Vec<&str> {
    let taken_for_an_option = |end: usize| {
        let refused = Sidelight::from_args(&["sidelight"], words.get(..=end).unwrap_or_default()).err();
        refused.is_some_and(|early| early.output.lines().any(|line| line == "Unrecognized argument: -"))
    };
    let mut dashes = words.iter().enumerate().filter(|(_, word)| **word == "-").map(|(at, _)| at);
    let found = dashes.find(|at| taken_for_an_option(*at));
    if let Some(at) = found.filter(|_| !words.contains(&"--")) {
        words.remove(at);
        words.extend(["--", "-"]);
    }
    words
}

/// Rust panics when what a command prints cannot be written. A reader that has gone (`sidelight … | head`) ends
/// it without a word instead, and a full disk with one.
fn end_when_nothing_can_be_printed() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| match panic.payload_as_str() {
        Some(said) if said.starts_with("failed printing to stdout") => {
            if said.contains("Broken pipe") {
                std::process::exit(i32::from(output::READER_GONE));
            }
            note(format_args!("The answer could not be written: {said}."));
            std::process::exit(1);
        }
        _ => usual(panic),
    }));
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Serve(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Explain(explain) => explain.run(),
        Command::Group(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Role(command) => command.run(),
        Command::Sso(command) => command.run(),
        Command::ApiKey(command) => command.run(),
        Command::LoginKey(command) => command.run(),
        Command::Operator(command) => command.run(),
        Command::ScimToken(command) => command.run(),
        Command::Version(_) => {
            println!(
                "sidelight {} (SQLite {})",
                env!("CARGO_PKG_VERSION"),
                crate::store::Store::sqlite_version()
            );
            ExitCode::SUCCESS
        }
    }
}

/// Says what was wrong with the command line: exit status 2.
fn usage(message: &str) -> ExitCode {
    eprintln!("{}", message.trim_end());
    ExitCode::from(2)
}

/// Says why a command was refused or failed, with the exit status of its kind.
pub(crate) fn refused(error: &Error) -> ExitCode {
    eprintln!("sidelight: {error}");
    ExitCode::from(error.kind.exit_status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_dash_is_an_argument_and_stays_an_options_value() {
        let prepared = |line: &str| with_lone_dash_last(line.split(' ').collect()).join(" ");
        for (line, expected) in [
            ("login-key check - --group 1 --puid p", "login-key check --group 1 --puid p -- -"),
            ("login-key check --group 1 --json - --puid -", "login-key check --group 1 --json --puid - -- -"),
            ("login-key check --puid - - --group 1", "login-key check --puid - --group 1 -- -"),
            ("login-key check k --puid - --group 1", "login-key check k --puid - --group 1"),
            ("user import - --group 1", "user import --group 1 -- -"),
            ("health --wait 1", "health --wait 1"),
        ] {
            assert_eq!(prepared(line), expected);
            assert!(Sidelight::from_args(&["sidelight"], &expected.split(' ').collect::<Vec<_>>()).is_ok());
        }
    }
}
