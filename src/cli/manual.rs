//! `sidelight man` and `sidelight completions`: the table of commands for `man` and for shells.

use std::process::ExitCode;

use argh::{ArgsInfo, CommandInfoWithArgs as Command, FlagInfo, FlagInfoKind, FromArgs, SubCommandInfo};
use argh_complete::Generator;

use super::help::{self, capitalised, examples, exit_statuses, flag_names, flag_text, named, usage};
use super::host::Host;
use super::typed::spelled;
use crate::config::{CONFIG_VARIABLE, SETTINGS};

/// print the manual page, for man
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "man",
    example = "{command_name} > /usr/local/share/man/man1/sidelight.1",
    note = "To read it now: {command_name} | man -l -"
)]
pub struct Man {}

/// print a completion script for a shell
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "completions",
    example = "{command_name} bash > /etc/bash_completion.d/sidelight\n{command_name} zsh > /usr/local/share/zsh/site-functions/_sidelight\n{command_name} fish > ~/.config/fish/completions/sidelight.fish\n{command_name} nushell > sidelight-completions.nu"
)]
pub struct Completions {
    /// bash, zsh, fish or nushell
    #[argh(positional, from_str_fn(shell))]
    shell: Shell,
}

enum Shell {
    Bash,
    Zsh,
    Fish,
    Nushell,
}

fn shell(name: &str) -> Result<Shell, String> {
    match name {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        "nushell" | "nu" => Ok(Shell::Nushell),
        _ => Err(format!("{name} is not supported; use bash, zsh, fish or nushell")),
    }
}

impl Man {
    /// Prints the page.
    pub fn run(self, _: &Host, program: &Command) -> ExitCode {
        print!("{}", manual(program));
        ExitCode::SUCCESS
    }
}

impl Completions {
    /// Prints the script.
    pub fn run(self, _: &Host, program: &Command) -> ExitCode {
        let table = with_program_options(program, program.flags);
        let script = match self.shell {
            Shell::Bash => bash(&table),
            Shell::Zsh => argh_complete::zsh::Zsh::generate("sidelight", &table),
            Shell::Fish => argh_complete::fish::Fish::generate("sidelight", &table),
            Shell::Nushell => argh_complete::nushell::Nushell::generate("sidelight", &table),
        };
        print!("{script}");
        ExitCode::SUCCESS
    }
}

/// The table with the options of the program at every command, for which the generators do not look above it.
fn with_program_options(command: &Command, global: &'static [FlagInfo<'static>]) -> Command {
    let copy = |flag: &FlagInfo<'static>| FlagInfo {
        kind: match flag.kind {
            FlagInfoKind::Switch => FlagInfoKind::Switch,
            FlagInfoKind::Option { arg_name } => FlagInfoKind::Option { arg_name },
        },
        optionality: argh::Optionality::Optional,
        long: flag.long,
        short: flag.short,
        description: flag.description,
        hidden: flag.hidden,
    };
    let own = help::own_flags(command).filter(|flag| global.iter().all(|other| other.long != flag.long));
    let help = FlagInfo {
        kind: FlagInfoKind::Switch,
        optionality: argh::Optionality::Optional,
        long: "--help",
        short: Some('h'),
        description: "print help",
        hidden: false,
    };
    let flags: Vec<FlagInfo<'static>> =
        own.chain(global.iter().filter(|flag| flag.long != "--help")).map(copy).chain([help]).collect();
    Command {
        // Once a process, which ends when the script is printed.
        flags: Vec::leak(flags),
        commands: command
            .commands
            .iter()
            .map(|sub| SubCommandInfo { name: sub.name, command: with_program_options(&sub.command, global) })
            .collect(),
        ..command.clone()
    }
}

/// The script for bash. argh_complete's takes the first command of any depth that has the word's name, so that
/// `user list` would be completed as `group list`.
fn bash(table: &Command) -> String {
    let mut cases = String::new();
    add_cases(&mut cases, &mut vec![table]);
    format!(
        r#"_sidelight() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" path="sidelight" word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        case " $(_sidelight_commands "$path") " in
            *" $word "*) path="$path $word" ;;
        esac
    done
    case "${{COMP_WORDS[COMP_CWORD-1]}}" in
        --*) if [[ " $(_sidelight_values "$path") " == *" ${{COMP_WORDS[COMP_CWORD-1]}} "* ]]; then return 0; fi ;;
    esac
    COMPREPLY=($(compgen -W "$(_sidelight_commands "$path") $(_sidelight_options "$path")" -- "$current"))
}}

# What stands below a command: its commands, its options, and those of its options that take a value.
_sidelight_commands() {{ _sidelight_table "$1" 1; }}
_sidelight_options() {{ _sidelight_table "$1" 2; }}
_sidelight_values() {{ _sidelight_table "$1" 3; }}
_sidelight_table() {{
    local commands="" options="" values=""
    case "$1" in
{cases}    esac
    case "$2" in
        1) echo "$commands" ;;
        2) echo "$options" ;;
        3) echo "$values" ;;
    esac
}}

complete -F _sidelight -o bashdefault -o default sidelight
"#
    )
}

fn add_cases(cases: &mut String, path: &mut Vec<&Command>) {
    let Some(command) = path.last().copied() else { return };
    let valued = |flag: &&FlagInfo<'_>| matches!(flag.kind, FlagInfoKind::Option { .. });
    let commands: Vec<&str> = command.commands.iter().map(|sub| sub.name).collect();
    let options: Vec<&str> = command.flags.iter().map(|flag| flag.long).collect();
    let values: Vec<&str> = command.flags.iter().filter(valued).map(|flag| flag.long).collect();
    cases.push_str(&format!(
        "        \"{}\") commands=\"{}\" options=\"{}\" values=\"{}\" ;;\n",
        spelled(path),
        commands.join(" "),
        options.join(" "),
        values.join(" "),
    ));
    for sub in &command.commands {
        path.push(&sub.command);
        add_cases(cases, path);
        path.pop();
    }
}

/// The manual page, in roff.
fn manual(program: &Command) -> String {
    let mut page = format!(".TH SIDELIGHT 1 \"\" \"sidelight {}\"\n", env!("CARGO_PKG_VERSION"));
    let path = [program];
    page.push_str(
        ".SH NAME\nsidelight \\- a stand\\-in on your own machine for Glance's single sign\\-on services\n",
    );
    page.push_str(&format!(".SH SYNOPSIS\n.B {}\n.SH DESCRIPTION\n", escaped(&usage(&path))));
    page.push_str(&format!("{}\n", escaped(program.description)));
    page.push_str(".SH OPTIONS OF EVERY COMMAND\n");
    help::own_flags(program).for_each(|flag| tagged(&mut page, &flag_names(flag), &flag_text(flag)));
    tagged(&mut page, "-h, --help", "print help");
    page.push_str(".SH COMMANDS\n");
    add_commands(&mut page, &mut vec![program]);
    page.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in help::EXIT_STATUSES {
        tagged(&mut page, &code.to_string(), meaning);
    }
    page.push_str(".SH ENVIRONMENT\n");
    tagged(&mut page, CONFIG_VARIABLE, "the configuration file");
    SETTINGS.iter().for_each(|setting| tagged(&mut page, &setting.variables(), setting.help));
    page
}

fn add_commands(page: &mut String, path: &mut Vec<&Command>) {
    let Some(command) = path.last().copied() else { return };
    if path.len() > 1 {
        page.push_str(&format!(
            ".SS {}\n{}.\n",
            escaped(&usage(path)),
            escaped(&capitalised(command.description))
        ));
        for note in command.notes {
            page.push_str(&format!(".PP\n{}\n", escaped(&named(note, path))));
        }
        for operand in command.positionals {
            tagged(page, &format!("<{}>", operand.name), operand.description);
        }
        help::own_flags(command).for_each(|flag| tagged(page, &flag_names(flag), &flag_text(flag)));
        if !command.error_codes.is_empty() {
            let statuses: Vec<String> =
                exit_statuses(command).iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
            page.push_str(&format!(".PP\nExit status: {}.\n", escaped(&statuses.join(", "))));
        }
        page.push_str(".PP\nExamples:\n.PP\n.nf\n");
        examples(path).iter().for_each(|line| page.push_str(&format!("{}\n", escaped(line))));
        page.push_str(".fi\n");
    }
    for sub in &command.commands {
        path.push(&sub.command);
        add_commands(page, path);
        path.pop();
    }
}

fn tagged(page: &mut String, name: &str, text: &str) {
    page.push_str(&format!(".TP\n.B {}\n{}\n", escaped(name), escaped(text)));
}

/// Text as roff takes it literally: a backslash, a dash and a leading dot or apostrophe have meanings of their own.
fn escaped(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}
