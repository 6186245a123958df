//! The command line: one file a command. Arguments, environment and files in; a use case of the desk done.
//!
//! What was typed is judged by `typed`, and becomes values by argh; one table, which argh derives from the commands,
//! makes both, the pages of `help`, the `manual` and the completions.

mod api_key;
mod backup;
mod doctor;
mod explain;
mod group;
mod health;
mod help;
mod host;
mod key;
mod lab;
mod login_key;
mod manual;
mod operator;
mod output;
mod promote;
mod role;
mod scim_token;
mod secret_source;
mod serve;
mod settings;
mod sso;
mod terminal;
mod typed;
mod undone;
mod user;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};

use crate::config::unknown_variables;
use crate::server_log::note;
use host::Host;

/// sidelight replaces Glance's single sign-on services on your own machine
#[derive(FromArgs, ArgsInfo)]
#[argh(
    note = "It checks login keys, acts as a group's SAML 2.0 service provider, stores the group's users, and records every action.",
    example = "{command_name} serve --lab\n{command_name} user list --group 12345 --data /var/lib/sidelight\n{command_name} help user create"
)]
struct Sidelight {
    /// print the version
    #[argh(switch, short = 'V')]
    version: bool,
    /// the data directory (default: the server's default)
    #[argh(option)]
    data: Option<PathBuf>,
    /// print JSON for programs: results on standard output, errors on standard error
    #[argh(switch)]
    json: bool,
    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Serve(serve::Serve),
    Config(settings::Show),
    Health(health::Health),
    Doctor(doctor::Doctor),
    Explain(explain::Explain),
    Group(group::GroupCommand),
    User(user::User),
    Role(role::Role),
    Sso(sso::Sso),
    ApiKey(api_key::ApiKey),
    LoginKey(login_key::LoginKey),
    Operator(operator::Operator),
    ScimToken(scim_token::ScimToken),
    Key(key::Key),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Promote(promote::Promote),
    Undone(undone::UndoneByRestore),
    Lab(lab::Lab),
    Version(version::Version),
    Completions(manual::Completions),
    Man(manual::Man),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    end_when_nothing_can_be_printed();
    let words: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    let program = Sidelight::get_args_info();
    let of_the_line = Host { data: None, json: words.iter().any(|word| word == "--json") };
    let typed = match typed::read(&program, &words) {
        Ok(typed) => typed,
        Err(mistake) => return of_the_line.wrong_usage(&mistake.0),
    };
    if typed.help {
        print!("{}", help::page(&typed.path, terminal::colours()));
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<&str> = typed.words.iter().map(String::as_str).collect();
    match Sidelight::from_args(&["sidelight"], &arguments) {
        Ok(Sidelight { version, data, json, command }) => {
            let host = Host { data, json };
            if version || command.is_none() {
                return version::Version {}.run(&host);
            }
            // The server looks into the seed file first, which may name variables.
            if !matches!(command, Some(Command::Serve(_))) {
                warn_of_unknown_variables(&host, &words, "");
            }
            command.map_or(ExitCode::SUCCESS, |command| run(command, &host, &program))
        }
        Err(early) => {
            let message = early.output.trim_end();
            of_the_line.wrong_usage(&format!("{message}\nSee {} --help.", typed::spelled(&typed.path)))
        }
    }
}

/// Warns about unused variables, because a misspelt setting would have no effect. Those that the command
/// line names (`--api-key-from env:SIDELIGHT_API_KEY`) are used, and those that `text` names.
fn warn_of_unknown_variables(host: &Host, words: &[String], text: &str) {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let named = |name: &str| words.iter().any(|word| word.ends_with(&format!("env:{name}")));
    for sentence in unknown_variables(names, |name| named(name) || text.contains(name)) {
        host.remark(format_args!("sidelight: {sentence}"));
    }
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
            note(format_args!("The output could not be written: {said}."));
            std::process::exit(1);
        }
        _ => usual(panic),
    }));
}

fn run(command: Command, host: &Host, program: &argh::CommandInfoWithArgs) -> ExitCode {
    match command {
        Command::Serve(command) => command.run(host),
        Command::Config(command) => command.run(host),
        Command::Health(command) => command.run(host),
        Command::Doctor(command) => command.run(host),
        Command::Explain(command) => command.run(host),
        Command::Group(command) => command.run(host),
        Command::User(command) => command.run(host),
        Command::Role(command) => command.run(host),
        Command::Sso(command) => command.run(host),
        Command::ApiKey(command) => command.run(host),
        Command::LoginKey(command) => command.run(host),
        Command::Operator(command) => command.run(host),
        Command::ScimToken(command) => command.run(host),
        Command::Key(command) => command.run(host),
        Command::Backup(command) => command.run(host),
        Command::Restore(command) => command.run(host),
        Command::Promote(command) => command.run(host),
        Command::Undone(command) => command.run(host),
        Command::Lab(command) => command.run(host),
        Command::Version(command) => command.run(host),
        Command::Completions(command) => command.run(host, program),
        Command::Man(command) => command.run(host, program),
    }
}

#[cfg(test)]
mod tests;
