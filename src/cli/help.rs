//! The pages of help, made from the same table that the command line is read by.

use argh::{CommandInfoWithArgs as Command, FlagInfo, FlagInfoKind, Optionality, PositionalInfo};

use super::typed::spelled;
use crate::desk::people::csv_upload::columns;

/// Columns of a page.
const WIDTH: usize = 100;
/// Columns of a name before what it means.
const NAMES: usize = 26;

/// The exit statuses of every command that names none of its own.
pub const EXIT_STATUSES: [(i32, &str); 4] = [
    (0, "done"),
    (1, "refused"),
    (2, "wrong usage or invalid input"),
    (3, "the appliance failed or is busy"),
];

/// The page of the last command of `path`; with `colours`, for a terminal that shows them.
pub fn page(path: &[&Command], colours: bool) -> String {
    let (Some(program), Some(command)) = (path.first(), path.last()) else { return String::new() };
    let style = Style { colours };
    let mut page = style.bold(&capitalised(command.description));
    page.push_str(&style.heading("Usage"));
    page.push_str(&format!("  {}\n", usage(path)));
    for note in command.notes {
        page.push('\n');
        wrap(&mut page, "", &named(note, path));
    }
    if !command.positionals.is_empty() {
        page.push_str(&style.heading("Arguments"));
        command.positionals.iter().for_each(|operand| {
            entry(&mut page, &style, &format!("<{}>", operand.name), operand.description);
        });
    }
    if path.len() > 1 && own_flags(command).next().is_some() {
        page.push_str(&style.heading("Options"));
        own_flags(command).for_each(|flag| entry(&mut page, &style, &flag_names(flag), &flag_text(flag)));
    }
    if !command.commands.is_empty() {
        page.push_str(&style.heading("Commands"));
        for sub in &command.commands {
            entry(&mut page, &style, sub.name, sub.command.description);
        }
    }
    page.push_str(&style.heading("Options of every command"));
    for flag in own_flags(program).filter(|flag| path.len() == 1 || flag.long != "--version") {
        entry(&mut page, &style, &flag_names(flag), &flag_text(flag));
    }
    entry(&mut page, &style, "-h, --help", "print this help");
    if !command.examples.is_empty() {
        page.push_str(&style.heading("Examples"));
        examples(path).iter().for_each(|line| page.push_str(&format!("  {line}\n")));
    }
    page.push_str(&style.heading("Exit status"));
    for (code, meaning) in exit_statuses(command) {
        page.push_str(&format!("  {}  {meaning}\n", style.name(&code.to_string())));
    }
    page
}

/// The examples of the last command of `path`, a line each.
pub fn examples(path: &[&Command]) -> Vec<String> {
    let texts = path.last().map(|command| command.examples).unwrap_or_default();
    texts.iter().flat_map(|text| named(text, path).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// How the last command of `path` is called.
pub fn usage(path: &[&Command]) -> String {
    let Some(command) = path.last() else { return String::new() };
    let mut usage = spelled(path);
    let flags: Vec<&FlagInfo<'_>> = if path.len() > 1 { own_flags(command).collect() } else { Vec::new() };
    for flag in flags.iter().filter(|flag| is_required(flag)) {
        usage.push_str(&format!(" {}", flag_usage(flag)));
    }
    if flags.iter().any(|flag| !is_required(flag)) || path.len() == 1 {
        usage.push_str(" [options]");
    }
    command.positionals.iter().for_each(|operand| usage.push_str(&operand_usage(operand)));
    if !command.commands.is_empty() {
        usage.push_str(" <command>");
    }
    usage
}

/// What the exit status of a command says.
pub fn exit_statuses(command: &Command) -> Vec<(i32, &'static str)> {
    match command.error_codes {
        [] => EXIT_STATUSES.to_vec(),
        own => own.iter().map(|status| (status.code, status.description)).collect(),
    }
}

/// The options of a command but `--help`, which argh lists with every command and help says once.
pub fn own_flags(command: &Command) -> impl Iterator<Item = &'static FlagInfo<'static>> {
    command.flags.iter().filter(|flag| flag.long != "--help")
}

/// The names of an option with its value, such as `-V, --version` and `--group <group>`.
pub fn flag_names(flag: &FlagInfo<'_>) -> String {
    match flag.short {
        Some(short) => format!("-{short}, {}", flag_usage(flag)),
        None => flag_usage(flag),
    }
}

/// What an option means, and whether it must be there or may be repeated.
pub fn flag_text(flag: &FlagInfo<'_>) -> String {
    let more = match flag.optionality {
        Optionality::Required if is_required(flag) => " (required)",
        Optionality::Repeating => " (may be repeated)",
        _ => "",
    };
    format!("{}{more}", flag.description)
}

/// `text` with the command's own name in place of `{command_name}`, and the columns of a file of users in place of
/// `%columns%`: what a derived parser knows of a command cannot look them up.
pub fn named(text: &str, path: &[&Command]) -> String {
    text.replace("{command_name}", &spelled(path)).replace("%columns%", &columns().join(", "))
}

/// The first letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn is_required(flag: &FlagInfo<'_>) -> bool {
    flag.optionality == Optionality::Required && matches!(flag.kind, FlagInfoKind::Option { .. })
}

fn flag_usage(flag: &FlagInfo<'_>) -> String {
    match flag.kind {
        FlagInfoKind::Switch => flag.long.to_owned(),
        FlagInfoKind::Option { arg_name } => format!("{} <{arg_name}>", flag.long),
    }
}

fn operand_usage(operand: &PositionalInfo<'_>) -> String {
    match operand.optionality {
        Optionality::Required => format!(" <{}>", operand.name),
        Optionality::Optional => format!(" [<{}>]", operand.name),
        Optionality::Repeating | Optionality::Greedy => format!(" [<{}>...]", operand.name),
    }
}

fn entry(page: &mut String, style: &Style, name: &str, text: &str) {
    let room = NAMES.saturating_sub(name.chars().count());
    let mut wrapped = String::new();
    wrap(&mut wrapped, &" ".repeat(NAMES + 2), text);
    let text = wrapped.trim_start();
    if room < 2 {
        page.push_str(&format!("  {}\n{}{text}", style.name(name), " ".repeat(NAMES + 2)));
    } else {
        page.push_str(&format!("  {}{}{text}", style.name(name), " ".repeat(room)));
    }
}

/// Writes `text` in lines of at most [`WIDTH`], each after `indent`.
fn wrap(page: &mut String, indent: &str, text: &str) {
    for paragraph in text.lines() {
        let mut line = indent.to_owned();
        for word in paragraph.split(' ') {
            let filled = line.chars().count();
            if filled > indent.len() && filled + 1 + word.chars().count() > WIDTH {
                page.push_str(line.trim_end());
                page.push('\n');
                line = indent.to_owned();
            }
            if line.len() > indent.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
        page.push_str(line.trim_end());
        page.push('\n');
    }
}

struct Style {
    colours: bool,
}

impl Style {
    fn bold(&self, text: &str) -> String {
        let mut wrapped = String::new();
        wrap(&mut wrapped, "", text);
        if self.colours { format!("\x1b[1m{}\x1b[0m\n", wrapped.trim_end()) } else { wrapped }
    }

    fn heading(&self, text: &str) -> String {
        if self.colours { format!("\n\x1b[1;33m{text}\x1b[0m\n") } else { format!("\n{text}\n") }
    }

    fn name(&self, text: &str) -> String {
        if self.colours { format!("\x1b[36m{text}\x1b[0m") } else { text.to_owned() }
    }
}
