//! `sidelight doctor`: looks at all that an operator looks after, beside a running server or without one.

use std::path::Path;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::health;
use super::host::{Host, configuration};
use super::terminal;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::doctor::{Finding, Installation};
use crate::model::sso::health::Condition;
use crate::server::{self, Running};

/// look at all that an operator looks after, and say what to do
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "doctor",
    note = "A line for each thing: good, or what to do. It works beside a running server, whose settings it reads, and without one. The page Appliance of the console shows the same, and what only the server knows.",
    example = "{command_name} --data /var/lib/sidelight\n{command_name} --json",
    error_code(0, "all is good"),
    error_code(1, "there is something to do"),
    error_code(2, "wrong usage")
)]
pub struct Doctor {}

impl Doctor {
    /// Prints what was found.
    pub fn run(self, host: &Host) -> ExitCode {
        match host.directory().map(|data| examined(host, &data)) {
            Ok(findings) => told(host, &findings),
            Err(error) => host.refused(&error),
        }
    }
}

fn examined(host: &Host, data: &Path) -> Vec<Finding> {
    let running = Running::read(data);
    let installation = installation(host, data, running.as_ref());
    let mut findings = Vec::new();
    if running.is_some()
        && let Err(why) = health::ask(data)
    {
        findings.push(Finding {
            name: "serves",
            label: "Serves",
            condition: Condition::Bad,
            says: format!("The server runs, and does not serve: {}", why.trim_end()),
            repair: "Ask /readyz?verbose, and read the server log.".to_owned(),
        });
    }
    let installation = match installation {
        Ok(installation) => installation,
        Err(error) => {
            findings.push(unfit("settings", "Settings", &error, "Correct the setting."));
            Installation::default()
        }
    };
    match host.on_desk(|desk, caller| desk.appliance.doctor(caller, &installation)) {
        Ok(found) => {
            let known: Vec<_> = findings.iter().map(|finding| finding.name).collect();
            findings.extend(found.into_iter().filter(|finding| !known.contains(&finding.name)));
        }
        Err(error) => {
            let repair = "See docs/operating.md, \"What a start refuses\".";
            findings.push(unfit("database", "Database", &error, repair));
        }
    }
    findings
}

fn unfit(name: &'static str, label: &'static str, error: &Error, repair: &str) -> Finding {
    let says = format!("{} ({})", error.public, error.code);
    Finding { name, label, condition: Condition::Bad, says, repair: repair.to_owned() }
}

/// What the running server was started with; without one, what it would be started with.
fn installation(host: &Host, data: &Path, running: Option<&Running>) -> Result<Installation> {
    let Some(running) = running else {
        return Ok(server::installation(&configuration(&host.settings(), None)?));
    };
    let names = crate::config::SETTINGS.iter().map(|setting| setting.name);
    let flags = names
        .filter_map(|name| Some((name, running.settings.get(name)?.value.clone())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    // The server's settings are whole: no file and no variable of whoever asks plays a part.
    let config = Config::read(&flags, Some(Path::new("/dev/null")), |_| None)?;
    let uptime = server::uptime_by(&data.join("ready.json")).map(|uptime| uptime.as_secs());
    Ok(Installation { uptime_seconds: uptime.or(Some(0)), ..server::installation(&config) })
}

fn told(host: &Host, findings: &[Finding]) -> ExitCode {
    let to_do =
        findings.iter().filter(|f| matches!(f.condition, Condition::Attention | Condition::Bad)).count();
    if host.json {
        let lines: Vec<_> = findings
            .iter()
            .map(|f| {
                json!({ "name": f.name, "condition": word(f.condition).0, "says": f.says, "repair": f.repair })
            })
            .collect();
        terminal::json(&json!({ "good": to_do == 0, "to_do": to_do, "findings": lines }));
    } else {
        for finding in findings {
            let (_, mark) = word(finding.condition);
            terminal::say(format_args!("{mark}  {:32} {}", finding.label, finding.says));
            if !finding.repair.is_empty() {
                terminal::say(format_args!("{:9}{:32} To do: {}", "", "", finding.repair));
            }
        }
        match to_do {
            0 => println!("\nAll is good."),
            1 => println!("\nThere is one thing to do."),
            many => println!("\nThere are {many} things to do."),
        }
    }
    ExitCode::from(u8::from(to_do > 0))
}

/// The word for programs, and the one for people.
fn word(condition: Condition) -> (&'static str, &'static str) {
    match condition {
        Condition::Good => ("good", "good   "),
        Condition::Attention => ("attention", "look at"),
        Condition::Bad => ("bad", "BAD    "),
        Condition::Off => ("off", "–      "),
    }
}
