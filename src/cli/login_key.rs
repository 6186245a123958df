//! `sidelight login-key`: make a login key, or take one apart and see each check. Wire contract §2.
//!
//! Works against the data directory, or without one when `--api-key-from` says where the API key is.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::{self, Host};
use super::secret_source::{SecretSource, secret_source};
use super::terminal::{self, say};
use crate::clock::{Clock, Timestamp};
use crate::desk::sign_in::KeyClaim;
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::login_key::{self, Diagnosis, Evidence, SigningKey};
use crate::secret::Secret;

/// Seconds of life unless said otherwise: what the vendor's samples use.
const TTL: i64 = 3600;

/// create a login key, or check one and see why it is refused
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "login-key",
    example = "{command_name} new --group 12345 --puid uniqueUserIdentifier\n{command_name} check - --group 12345 --puid uniqueUserIdentifier < login-key.txt"
)]
pub struct LoginKey {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    New(New),
    Check(CheckKey),
}

/// create a login key and print it
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "new",
    note = "The API key is read from the group in the data directory. With --api-key-from, no data directory is needed.",
    example = "{command_name} --group 12345 --puid uniqueUserIdentifier --ttl 3600"
)]
struct New {
    /// group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// partner user ID of the user
    #[argh(option)]
    puid: String,
    /// seconds until it expires, at most 86400 (default 3600)
    #[argh(option, default = "TTL")]
    ttl: i64,
    /// where the API key comes from: env:NAME, file:PATH, - or prompt
    #[argh(option, from_str_fn(secret_source), arg_name = "source")]
    api_key_from: Option<SecretSource>,
    /// the time to use instead of now, such as 2020-07-05T00:00:00Z
    #[argh(option, from_str_fn(instant))]
    now: Option<Timestamp>,
}

/// check a login key, and print each numbered check up to the first that fails
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "check",
    note = "Put the key into single quotes: otherwise the shell reads $1 as a variable. The API key is read from the group in the data directory. With --api-key-from, no data directory is needed.",
    error_code(0, "accepted"),
    error_code(1, "rejected"),
    error_code(2, "wrong usage, or there is no API key to check with"),
    error_code(3, "the appliance failed or is busy"),
    example = "{command_name} '$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws' --group 12345 --puid uniqueUserIdentifier --now 2020-07-05T00:00:00Z"
)]
struct CheckKey {
    /// the login key; - reads it from standard input
    #[argh(positional)]
    key: String,
    /// group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the partner user ID that is sent with the key
    #[argh(option)]
    puid: String,
    /// the time to use instead of now, such as 2020-07-05T00:00:00Z
    #[argh(option, from_str_fn(instant))]
    now: Option<Timestamp>,
    /// where the API key comes from: env:NAME, file:PATH, - or prompt
    #[argh(option, from_str_fn(secret_source), arg_name = "source")]
    api_key_from: Option<SecretSource>,
}

fn instant(text: &str) -> std::result::Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{text} is not a time such as 2020-07-05T00:00:00Z"))
}

impl LoginKey {
    /// Makes or checks.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.command {
            Command::New(new) => new.run(host),
            Command::Check(check) => check.run(host),
        }
    }
}

impl New {
    fn run(self, host: &Host) -> ExitCode {
        let made = match &self.api_key_from {
            Some(source) => host.secret(source, "API key").and_then(|api_key| self.alone(&api_key)),
            None => host.on_desk(|desk, caller| {
                if let Some(now) = self.now {
                    desk.clock().set_now(now);
                }
                let made = desk.sign_in.make_login_key(caller, self.group, &self.puid, self.ttl)?;
                Ok(made.text.as_str().to_owned())
            }),
        };
        host.ended(made.map(|key| {
            let document = json!({ "group": self.group, "partnerUserId": self.puid, "loginKey": key });
            host.done(&document, format_args!("{key}"));
        }))
    }

    fn alone(&self, api_key: &Secret) -> Result<String> {
        let now = self.now.unwrap_or_else(|| Clock::system().now()).seconds();
        if !(1..=login_key::LONGEST_LIFE).contains(&self.ttl) {
            let public = "A login key must expire after 1 to 86400 seconds.";
            return Err(Error::invalid("bad_ttl", "ttl", public));
        }
        let key = SigningKey::new(usable(api_key)?);
        login_key::make(&key, self.group, &self.puid, now.saturating_add(self.ttl)).ok_or_else(|| {
            Error::invalid("bad_expiry", "now", "An expiry has ten digits: years 2001 to 2286.")
        })
    }
}

impl CheckKey {
    fn run(mut self, host: &Host) -> ExitCode {
        if self.key == "-" {
            let mut line = String::new();
            if let Err(error) = std::io::stdin().read_line(&mut line) {
                return host.wrong_usage(&format!("The key cannot be read: {error}."));
            }
            if line.is_empty() {
                return host.wrong_usage("The key cannot be read: standard input is empty.");
            }
            self.key = line.trim_end_matches(['\r', '\n']).to_owned();
        }
        let report = match &self.api_key_from {
            Some(source) => host.secret(source, "API key").and_then(|api_key| self.alone(&api_key)),
            None => self.against_the_data(host),
        };
        match report {
            Ok(report) => report.tell(host),
            Err(error) => unchecked(host, &error),
        }
    }

    fn against_the_data(&self, host: &Host) -> Result<Report> {
        let claim = KeyClaim { group: self.group, puid: self.puid.clone(), text: self.key.clone().into() };
        host.on_desk(|desk, _| {
            let now = self.now.unwrap_or_else(|| desk.clock().now());
            let explanation = desk.sign_in.explain_login_key(&claim, now)?;
            let reject = explanation.verdict.as_ref().err();
            Ok(Report {
                rejected: reject.map(|reject| (reject.code(), reject.to_string())),
                repair: explanation.repair(),
                diagnosis: explanation.diagnosis,
                checks: explanation.checks,
            })
        })
    }

    fn alone(&self, api_key: &Secret) -> Result<Report> {
        let now = self.now.unwrap_or_else(|| Clock::system().now()).seconds();
        let (text, group, puid) = (self.key.as_str(), self.group, self.puid.as_str());
        let key = SigningKey::new(usable(api_key)?);
        let explanation = login_key::explain(&login_key::Claim { text, key: &key, group, puid, now }, 1);
        let evidence = Evidence {
            text,
            group,
            puid,
            api_key: api_key.expose(),
            previous_api_key: None,
            similar_puids: &[],
            address: None,
        };
        let rejected = explanation.verdict.err();
        let diagnosis = rejected.and_then(|_| login_key::diagnose(&evidence));
        Ok(Report {
            checks: explanation.checks,
            rejected: rejected.map(|reject| (reject.code(), reject.to_string())),
            repair: match (rejected, diagnosis) {
                (_, Some(diagnosis)) => diagnosis.mistake.repair(),
                (Some(reject), None) => crate::desk::sign_in::SignInReject::LoginKey(reject).repair(),
                (None, None) => "",
            },
            diagnosis,
        })
    }
}

/// Says why nothing was checked. Exit status 1 would say that the key was rejected.
fn unchecked(host: &Host, error: &Error) -> ExitCode {
    let _ = host.refused(error);
    ExitCode::from(match error.kind {
        Kind::Invalid | Kind::NotFound => 2,
        _ => 3,
    })
}

fn usable(api_key: &Secret) -> Result<&[u8]> {
    if api_key.expose().is_empty() {
        return Err(Error::new(Kind::Invalid, "api_key_empty", "The API key is empty."));
    }
    Ok(api_key.expose())
}

/// What is printed of a check.
struct Report {
    checks: Vec<Check>,
    /// Code and sentence of the reject.
    rejected: Option<(&'static str, String)>,
    diagnosis: Option<Diagnosis>,
    repair: &'static str,
}

impl Report {
    fn tell(&self, host: &Host) -> ExitCode {
        if host.json {
            terminal::json(&self.document());
        } else {
            self.print();
        }
        if self.rejected.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }

    fn print(&self) {
        for check in &self.checks {
            let mark = match check.outcome {
                CheckOutcome::Passed => "ok  ",
                CheckOutcome::Failed => "FAIL",
                CheckOutcome::Skipped => "-   ",
            };
            say(format_args!("{:>2}  {mark}  {:18} expected {}", check.number, check.name, check.expected));
            if check.outcome == CheckOutcome::Failed {
                say(format_args!("{:28}got {}  ({})", "", check.got, check.clause));
            }
        }
        match &self.rejected {
            None => println!("\nAccepted."),
            Some((code, sentence)) => {
                println!("\nRejected ({code}): {sentence}.");
                if let Some(diagnosis) = self.diagnosis {
                    let sure = if diagnosis.certain { "Cause" } else { "Likely cause" };
                    println!("{sure}: {}.", diagnosis.mistake.code());
                }
                if !self.repair.is_empty() {
                    println!("Repair: {}", self.repair);
                }
            }
        }
    }

    fn document(&self) -> serde_json::Value {
        json!({
            "accepted": self.rejected.is_none(),
            "code": self.rejected.as_ref().map(|(code, _)| code),
            "detail": self.rejected.as_ref().map(|(_, sentence)| sentence),
            "checks": self.checks,
            "diagnosis": self.diagnosis.map(|d| json!({ "mistake": d.mistake.code(), "certain": d.certain })),
            "repair": self.repair,
        })
    }
}
