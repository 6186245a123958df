//! `sidelight doctor`: checks the installation, with or without a running server.

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

/// check the installation, and say what to repair
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "doctor",
    note = "Prints one line for each check: good, or what to do. It works with or without a running server; if one is running, the command reads that server's settings. The console's Appliance page shows the same checks, and some that only the server can make.",
    example = "{command_name} --data /var/lib/sidelight\n{command_name} --json",
    error_code(0, "all checks are good"),
    error_code(1, "at least one check needs action"),
    error_code(2, "wrong usage")
)]
pub struct Doctor {}

impl Doctor {
    /// Prints what was found.
    pub fn run(self, host: &Host) -> ExitCode {
        match host.directory().map(|data| collect_findings(host, &data)) {
            Ok(findings) => print_findings(host, &findings),
            Err(error) => host.refused(&error),
        }
    }
}

fn collect_findings(host: &Host, data: &Path) -> Vec<Finding> {
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
            says: format!("The server is running but not serving requests: {}", why.trim_end()),
            repair: "Request /readyz?verbose, and read the server log.".to_owned(),
        });
    }
    let installation = match installation {
        Ok(installation) => installation,
        Err(error) => {
            findings.push(error_finding("settings", "Settings", &error, "Correct the setting."));
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
            findings.push(error_finding("database", "Database", &error, repair));
        }
    }
    findings
}

fn error_finding(name: &'static str, label: &'static str, error: &Error, repair: &str) -> Finding {
    let says = format!("{} ({})", error.public, error.code);
    Finding { name, label, condition: Condition::Bad, says, repair: repair.to_owned() }
}

/// The settings of the running server, or the settings that a server would start with here.
fn installation(host: &Host, data: &Path, running: Option<&Running>) -> Result<Installation> {
    let Some(running) = running else {
        return Ok(server::installation(&configuration(&host.settings(), None)?));
    };
    let names = crate::config::SETTINGS.iter().map(|setting| setting.name);
    let flags = names
        .filter_map(|name| Some((name, running.settings.get(name)?.value.clone())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    // The server's settings are complete. The file and the environment of this command are not read.
    let config = Config::read(&flags, Some(Path::new("/dev/null")), |_| None)?;
    let uptime = server::uptime_by(&data.join("ready.json")).map(|uptime| uptime.as_secs());
    Ok(Installation { uptime_seconds: uptime.or(Some(0)), ..server::installation(&config) })
}

fn print_findings(host: &Host, findings: &[Finding]) -> ExitCode {
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
            0 => println!("\nAll checks are good."),
            1 => println!("\nOne check needs action."),
            many => println!("\n{many} checks need action."),
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
