//! A refusal on the terminal: what failed, what to change, and, where no key verified, the keys side by side.

use serde_json::json;

use crate::cli::terminal::{self, say};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::appliance::access_log::IncidentReport;
use crate::desk::sso::compared_keys;
use crate::error::{Error, Result};
use crate::model::sso::compared::{ComparedKey, ComparedKeys};
use crate::model::{Caller, GroupId};
use crate::protocol::check::{Check, CheckOutcome};

/// Explains the incident `code`, which must be of `group`.
pub fn incident(desk: &Desk, caller: &Caller, group: GroupId, code: &str, as_json: bool) -> Result<()> {
    let incident = desk.appliance.open_incident(caller, code)?;
    if incident.group != Some(group) {
        let public = format!("{} is not an incident of group {group}.", incident.code);
        return Err(Error::not_found("incident_unknown", public));
    }
    let attempt = desk.sso.sso_attempt_of_incident(caller, group, &incident.code)?;
    let keys = attempt.as_ref().and_then(compared_keys);
    if as_json {
        terminal::json(&json!({
            "incident": incident.code, "at": incident.at.to_string(), "code": incident.reject,
            "checks": incident.checks, "repair": incident.repair, "keys": keys,
        }));
        return Ok(());
    }
    print_incident(&incident);
    if let Some(keys) = &keys {
        print_keys(keys);
    }
    Ok(())
}

fn print_keys(keys: &ComparedKeys) {
    say(format_args!("This signature was not made with any of the group's keys:"));
    keys.tried.iter().for_each(|key| print_key("tried", key));
    match &keys.came {
        Some(key) => {
            print_key("came in the message", key);
            say(format_args!(
                "A message can carry any certificate. Compare this one with what the identity provider's administrators tell you."
            ));
        }
        None => say(format_args!("  the message contained no certificate")),
    }
}

fn print_key(what: &str, key: &ComparedKey) {
    let at = Timestamp::from_seconds;
    say(format_args!("  {what}: {}, {} to {}", key.subject, at(key.begins), at(key.ends)));
    say(format_args!("    SHA-256 {}", key.fingerprint));
}

pub fn print_incident(incident: &IncidentReport) {
    say(format_args!("{} was refused at {}:", incident.code, incident.at));
    incident.checks.iter().filter(|check| check.outcome == CheckOutcome::Failed).for_each(print_check);
    if !incident.repair.is_empty() {
        say(format_args!("What to change: {}", incident.repair));
    }
}

pub fn print_check(check: &Check) {
    let mark = match check.outcome {
        CheckOutcome::Passed => "ok  ",
        CheckOutcome::Failed => "FAIL",
        CheckOutcome::Skipped => "-   ",
    };
    say(format_args!("{:>3} {mark} {} ({})", check.number, check.name, check.clause));
    if check.outcome == CheckOutcome::Failed {
        say(format_args!("         expected {}", check.expected));
        say(format_args!("         got      {}", check.got));
    }
}
