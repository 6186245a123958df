//! What was typed, judged by the table of commands and options before argh makes values of it.
//!
//! Takes the options of the program before and after the command, and `--option=value`; finds `--help` anywhere;
//! names the nearest command or option to one that does not exist, and all that is missing at once. argh's own
//! suggestion (its feature `fuzzy_search`) is not used: it knows options only, and suggests something for anything.

use argh::{CommandInfoWithArgs as Command, FlagInfo, FlagInfoKind, Optionality, PositionalInfo};

use crate::config::nearest;

/// A command line that names a command, and everything that the command must have.
pub struct CommandLine<'t> {
    /// The command, and before it those that it belongs to; the program is first.
    pub path: Vec<&'t Command>,
    /// The words as argh reads them: options before operands, and `--` between.
    pub words: Vec<String>,
    /// Help is wanted, of the last command of the path.
    pub help: bool,
}

/// What is wrong with a command line, in lines for a person.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake(pub String);

/// Reads the words behind the program's name.
///
/// # Errors
/// The mistake, and which help page to read.
pub fn read<'t>(program: &'t Command, words: &[String]) -> Result<CommandLine<'t>, Mistake> {
    let mut line = SortedWords {
        path: vec![program],
        global: vec![],
        commands: vec![],
        options: vec![],
        operands: vec![],
    };
    let (mut help, mut operands_only) = (false, false);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            _ if operands_only => line.operand(word)?,
            "--" => operands_only = true,
            "--help" | "-h" => help = true,
            "help" if line.takes_help() => help = true,
            "-" => line.operand(word)?,
            option if option.starts_with('-') => line.option(option, &mut words)?,
            name => line.name(name)?,
        }
    }
    if !help {
        line.complete()?;
    }
    Ok(CommandLine { help, words: line.words(), path: line.path })
}

/// The command's words, such as `sidelight user create`.
pub fn spelled(path: &[&Command]) -> String {
    let names: Vec<&str> = path.iter().skip(1).map(|command| command.name).collect();
    std::iter::once("sidelight").chain(names).collect::<Vec<_>>().join(" ")
}

struct SortedWords<'t> {
    path: Vec<&'t Command>,
    /// Options of the program.
    global: Vec<String>,
    commands: Vec<String>,
    /// Options of the command.
    options: Vec<String>,
    operands: Vec<String>,
}

impl<'t> SortedWords<'t> {
    fn command(&self) -> &'t Command {
        // The program is always there.
        self.path.last().copied().unwrap_or(&NONE)
    }

    fn program(&self) -> &'t Command {
        self.path.first().copied().unwrap_or(&NONE)
    }

    /// `help` is a word of its own unless it may be an operand.
    fn takes_help(&self) -> bool {
        self.command().positionals.is_empty()
    }

    fn name(&mut self, word: &str) -> Result<(), Mistake> {
        let command = self.command();
        if command.commands.is_empty() {
            return self.operand(word);
        }
        if let Some(found) = command.commands.iter().find(|sub| sub.name == word) {
            self.path.push(&found.command);
            self.commands.push(word.to_owned());
            return Ok(());
        }
        let here = spelled(&self.path);
        let near =
            nearest(word, command.commands.iter().map(|sub| sub.name)).map(|name| format!("{here} {name}"));
        // `sidelight import` means `sidelight user import`.
        let deeper = command.commands.iter().find_map(|sub| {
            let below = sub.command.commands.iter().find(|below| below.name == word)?;
            Some(format!("{here} {} {}", sub.name, below.name))
        });
        let problem = format!("{here} has no command \"{word}\".");
        Err(self.mistake(&problem, near.or(deeper)))
    }

    fn operand(&mut self, word: &str) -> Result<(), Mistake> {
        let takes = self.command().positionals;
        let repeats = takes
            .last()
            .is_some_and(|last| matches!(last.optionality, Optionality::Repeating | Optionality::Greedy));
        if self.operands.len() >= takes.len() && !repeats {
            let problem = format!("{} takes no argument \"{word}\" here.", spelled(&self.path));
            return Err(self.mistake(&problem, None));
        }
        self.operands.push(word.to_owned());
        Ok(())
    }

    fn option<'w>(&mut self, word: &str, rest: &mut impl Iterator<Item = &'w str>) -> Result<(), Mistake> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        let short = |flag: &FlagInfo<'_>| flag.short.is_some_and(|letter| name == format!("-{letter}"));
        let is_named = |flag: &&FlagInfo<'_>| flag.long == name || short(flag);
        let (own, global) = (self.command().flags, self.program().flags);
        let is_global = global.iter().any(|flag| is_named(&flag));
        let Some(flag) = global.iter().chain(own).find(is_named) else {
            let known = own.iter().chain(global).map(|flag| flag.long).chain(["--help"]);
            let near = nearest(name, known).map(str::to_owned);
            let problem = format!("{} has no option {name}.", spelled(&self.path));
            return Err(self.mistake(&problem, near));
        };
        let value = match (&flag.kind, attached) {
            (FlagInfoKind::Switch, None) => None,
            (FlagInfoKind::Switch, Some(_)) => {
                return Err(self.mistake(&format!("{name} takes no value."), None));
            }
            (FlagInfoKind::Option { .. }, Some(value)) => Some(value),
            (FlagInfoKind::Option { .. }, None) => match rest.next() {
                Some(value) => Some(value),
                None => {
                    let problem = format!("{name} needs a value: {}.", flag.description);
                    return Err(self.mistake(&problem, None));
                }
            },
        };
        let words = if is_global { &mut self.global } else { &mut self.options };
        words.push(name.to_owned());
        words.extend(value.map(str::to_owned));
        Ok(())
    }

    /// Nothing that the command must have may be missing.
    fn complete(&self) -> Result<(), Mistake> {
        let command = self.command();
        let here = spelled(&self.path);
        if !command.commands.is_empty() {
            if self.path.len() == 1 && self.global.iter().any(|word| word == "--version" || word == "-V") {
                return Ok(());
            }
            let names: Vec<&str> = command.commands.iter().map(|sub| sub.name).collect();
            let problem = format!("Which command of {here}? There are {}.", names.join(", "));
            return Err(self.mistake(&problem, None));
        }
        let required = |operand: &&PositionalInfo<'_>| operand.optionality == Optionality::Required;
        let operands = command.positionals.iter().skip(self.operands.len()).filter(required);
        let operands = operands.map(|operand| (format!("<{}>", operand.name), operand.description));
        let missing = |flag: &&FlagInfo<'_>| {
            flag.optionality == Optionality::Required
                && matches!(flag.kind, FlagInfoKind::Option { .. })
                && self.options.iter().all(|word| word != flag.long)
        };
        let flags = command.flags.iter().filter(missing).map(|flag| (flag.long.to_owned(), flag.description));
        let absent: Vec<String> =
            operands.chain(flags).map(|(name, what)| format!("  {name:<16}  {what}")).collect();
        if absent.is_empty() {
            return Ok(());
        }
        Err(self.mistake(&format!("{here} needs also\n{}", absent.join("\n")), None))
    }

    fn mistake(&self, problem: &str, meant: Option<String>) -> Mistake {
        let meant = meant.map(|meant| format!(" Did you mean {meant}?")).unwrap_or_default();
        Mistake(format!("{problem}{meant}\nSee {} --help.", spelled(&self.path)))
    }

    fn words(&self) -> Vec<String> {
        let mut words = [&self.global[..], &self.commands, &self.options].concat();
        if !self.operands.is_empty() {
            words.push("--".to_owned());
            words.extend(self.operands.iter().cloned());
        }
        words
    }
}

static NONE: Command = Command {
    name: "",
    short: &'\0',
    description: "",
    examples: &[],
    flags: &[],
    notes: &[],
    commands: Vec::new(),
    positionals: &[],
    error_codes: &[],
};
