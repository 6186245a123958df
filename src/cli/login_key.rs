//! `sidelight login-key`: make a login key, or take one apart and see each check. Wire contract §2.
//!
//! Works against the data directory, or without one when the API key comes from SIDELIGHT_API_KEY or a file;
//! never from an argument, where a process list would show it.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;
use serde_json::json;

use super::terminal::say;
use super::{host, refused};
use crate::clock::{Clock, Timestamp};
use crate::desk::sign_in::KeyClaim;
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;
use crate::protocol::check::{Check, Outcome};
use crate::protocol::login_key::{self, Diagnosis, Evidence, SigningKey};
use crate::secret::Secret;

const API_KEY_VARIABLE: &str = "SIDELIGHT_API_KEY";
/// Seconds of life unless said otherwise: what the vendor's samples use.
const TTL: i64 = 3600;

/// make a login key, or check one and see why it is refused
#[derive(FromArgs)]
#[argh(subcommand, name = "login-key")]
pub struct LoginKey {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Command {
    New(New),
    Check(CheckKey),
}

/// make a login key and print it
///
/// The API key is that of the group in the data directory, or comes from SIDELIGHT_API_KEY, the
/// file that SIDELIGHT_API_KEY_FILE names, or --api-key-file; then no data directory is needed.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "new",
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
    /// file with the API key
    #[argh(option)]
    api_key_file: Option<PathBuf>,
    /// as if it were this instant, such as 2020-07-05T00:00:00Z
    #[argh(option, from_str_fn(instant))]
    now: Option<Timestamp>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// check a login key: numbered checks, green up to the first red
///
/// Exit status: 0 accepted, 1 rejected, 2 wrong usage or nothing to check it against, 3 our own fault. Put the key into single quotes, or a shell takes its
/// $1 for a variable.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "check",
    example = "{command_name} '$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws' --group 12345 --puid uniqueUserIdentifier --now 2020-07-05T00:00:00Z"
)]
struct CheckKey {
    /// the login key; - reads it from standard input
    #[argh(positional)]
    key: String,
    /// group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// partner user ID that is sent with the key
    #[argh(option)]
    puid: String,
    /// as if it were this instant, such as 2020-07-05T00:00:00Z
    #[argh(option, from_str_fn(instant))]
    now: Option<Timestamp>,
    /// print JSON
    #[argh(switch)]
    json: bool,
    /// file with the API key
    #[argh(option)]
    api_key_file: Option<PathBuf>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

fn instant(text: &str) -> std::result::Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{text} is no instant such as 2020-07-05T00:00:00Z"))
}

impl LoginKey {
    /// Makes or checks.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::New(new) => new.run(),
            Command::Check(check) => check.run(),
        }
    }
}

impl New {
    fn run(self) -> ExitCode {
        let api_key = match host::given_secret(self.api_key_file.as_deref(), API_KEY_VARIABLE) {
            Ok(api_key) => api_key,
            Err(error) => return refused(&error),
        };
        match api_key {
            Some(api_key) => match self.alone(&api_key) {
                Ok(text) => {
                    println!("{text}");
                    ExitCode::SUCCESS
                }
                Err(error) => refused(&error),
            },
            None => host::with_desk(self.data.clone(), |desk, caller| {
                if let Some(now) = self.now {
                    desk.clock.set_now(now);
                }
                let made = desk.make_login_key(caller, self.group, &self.puid, self.ttl)?;
                println!("{}", made.text.as_str());
                Ok(())
            }),
        }
    }

    fn alone(&self, api_key: &Secret) -> Result<String> {
        let now = self.now.unwrap_or_else(|| Clock::system().now()).seconds();
        if !(1..=login_key::LONGEST_LIFE).contains(&self.ttl) {
            let public = "A login key lives for 1 to 86400 seconds.";
            return Err(Error::invalid("bad_ttl", "ttl", public));
        }
        let key = SigningKey::new(usable(api_key)?);
        login_key::make(&key, self.group, &self.puid, now.saturating_add(self.ttl)).ok_or_else(|| {
            Error::invalid("bad_expiry", "now", "An expiry has ten digits: years 2001 to 2286.")
        })
    }
}

impl CheckKey {
    fn run(mut self) -> ExitCode {
        if self.key == "-" {
            let mut line = String::new();
            if let Err(error) = std::io::stdin().read_line(&mut line) {
                return super::usage(&format!("The key cannot be read: {error}."));
            }
            if line.is_empty() {
                return super::usage("The key cannot be read: standard input is empty.");
            }
            self.key = line.trim_end_matches(['\r', '\n']).to_owned();
        }
        let report = host::given_secret(self.api_key_file.as_deref(), API_KEY_VARIABLE).and_then(|api_key| {
            match api_key {
                Some(api_key) => self.alone(&api_key),
                None => self.against_the_data(),
            }
        });
        match report {
            Ok(report) => self.print(&report),
            Err(error) => unchecked(&error),
        }
    }

    fn against_the_data(&self) -> Result<Report> {
        let claim = KeyClaim { group: self.group, puid: self.puid.clone(), text: self.key.clone().into() };
        host::on_desk(self.data.clone(), |desk, _| {
            let now = self.now.unwrap_or_else(|| desk.clock.now());
            let explanation = desk.explain_login_key(&claim, now)?;
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
                (Some(reject), None) => crate::desk::sign_in::Reject::LoginKey(reject).repair(),
                (None, None) => "",
            },
            diagnosis,
        })
    }

    fn print(&self, report: &Report) -> ExitCode {
        if self.json {
            host::json(&report.document());
        } else {
            report.print();
        }
        if report.rejected.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }
}

/// Says why nothing was checked. Exit status 1 would say that the key was rejected.
fn unchecked(error: &Error) -> ExitCode {
    let _ = refused(error);
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
    fn print(&self) {
        for check in &self.checks {
            let mark = match check.outcome {
                Outcome::Passed => "ok  ",
                Outcome::Failed => "FAIL",
                Outcome::Skipped => "-   ",
            };
            say(format_args!("{:>2}  {mark}  {:18} expected {}", check.number, check.name, check.expected));
            if check.outcome == Outcome::Failed {
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
