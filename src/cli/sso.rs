//! `sidelight sso`: SSO Configure from the host, also when nobody can sign in. Wire contract §3.2, §3.9.

mod explained;

use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use super::host::{self, Host};
use super::terminal::{self, confirm, say};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::sso::{Agreed, Change, Overview, Preview, RejudgeSettings};
use crate::error::{Error, Kind, Result};
use crate::model::sso::addresses::Addresses;
use crate::model::sso::fields::{Entry, FIELDS, Field};
use crate::model::sso::{KeyFacts, Method};
use crate::model::{Caller, GroupId};
use crate::protocol::xml::pem;

/// single sign-on by SAML: show, set, metadata, keys, attempts
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "sso",
    note = "The same settings as the console's SSO Configure page. To see what each field means: {command_name} fields",
    example = "{command_name} metadata idp.xml --group 12345 --switch-on\n{command_name} set method=saml identity_attribute=mail --group 12345\n{command_name} key add next.pem --group 12345"
)]
pub struct Sso {
    #[argh(subcommand)]
    act: SsoAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum SsoAction {
    Show(Show),
    Set(Set),
    Metadata(Metadata),
    Key(Key),
    OwnKey(OwnKey),
    SpMetadata(SpMetadata),
    Attempts(Attempts),
    Rejudge(Rejudge),
    Fields(Fields),
}

/// show a group's configuration, keys, and the problems that prevent sign-in
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "show", example = "{command_name} --group 12345")]
struct Show {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// set fields: all of the given ones, or none if one is wrong
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "set",
    note = "At a terminal, the command asks for confirmation before it switches single sign-on off.",
    example = "{command_name} method=saml identity_attribute=mail --group 12345\n{command_name} method=off --group 12345 --yes"
)]
struct Set {
    /// field=value; may be repeated
    #[argh(positional)]
    fields: Vec<String>,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// show the changes without making them
    #[argh(switch)]
    dry_run: bool,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// import the identity provider's metadata file, and print our details to enter at the identity provider
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "metadata",
    note = "At a terminal, the command asks for confirmation before it removes keys in use that are not in the file.",
    example = "{command_name} idp.xml --group 12345 --dry-run\n{command_name} idp.xml --group 12345 --switch-on"
)]
struct Metadata {
    /// the file
    #[argh(positional)]
    file: PathBuf,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the entity ID of the identity provider, if the file describes several
    #[argh(option, default = "String::new()")]
    entity: String,
    /// show the changes without making them
    #[argh(switch)]
    dry_run: bool,
    /// also switch on SAML 2.0 if single sign-on is off
    #[argh(switch)]
    switch_on: bool,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// add, remove or restore an X.509 public key of the identity provider
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "key",
    note = "At a terminal, the command asks for confirmation before it removes a key in use.",
    example = "{command_name} add next.pem --group 12345\n{command_name} remove 5F3A91C0 --group 12345 --yes\n{command_name} restore 5F3A91C0 --group 12345"
)]
struct Key {
    /// add, remove or restore; restore works for one hour after a key was removed
    #[argh(positional)]
    act: String,
    /// for add: a file with the certificate in PEM; otherwise the fingerprint, 8 digits or more
    #[argh(positional)]
    what: String,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// create (make) or remove one of our key pairs for Encrypted SAML 2.0; make prints the certificate
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "own-key",
    example = "{command_name} make --group 12345\n{command_name} remove 1 --group 12345 --yes"
)]
struct OwnKey {
    /// make or remove
    #[argh(positional)]
    act: String,
    /// for remove: the number of the key pair
    #[argh(positional)]
    number: Option<i64>,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

/// print our metadata for the identity provider
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "sp-metadata", example = "{command_name} --group 12345 > sidelight.xml")]
struct SpMetadata {
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the server's public address, such as https://sso.example.com (default: --public-url of the running server)
    #[argh(option)]
    origin: Option<String>,
}

/// list the latest attempts, or explain one refusal; successes are listed only in status Provisioning
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "attempts",
    example = "{command_name} --group 12345\n{command_name} K7MPQ2XD --group 12345"
)]
struct Attempts {
    /// the incident code that the user saw, to explain that refusal
    #[argh(positional)]
    incident: Option<String>,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
}

/// check a stored response again, at another time or with other settings; no user is signed in
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "rejudge",
    example = "{command_name} 17 --group 12345 --now 2026-07-05T09:30:00Z\n{command_name} 17 --group 12345 identity_attribute=mail"
)]
struct Rejudge {
    /// the attempt's number
    #[argh(positional)]
    attempt: i64,
    /// field=value to check with; may be repeated
    #[argh(positional)]
    fields: Vec<String>,
    /// the Group ID
    #[argh(option, from_str_fn(host::group))]
    group: GroupId,
    /// the time to use for the checks, RFC 3339 (default: when the response arrived)
    #[argh(option)]
    now: Option<String>,
}

/// explain every field
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "fields", example = "{command_name}")]
struct Fields {}

impl Sso {
    /// Runs the command.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            SsoAction::Show(a) => {
                let origin = host.origin(None).ok();
                host.with_desk(|desk, caller| show(desk, caller, a.group, origin.as_deref(), host.json))
            }
            SsoAction::Set(a) => host.with_desk(|desk, caller| {
                let values = pairs(&a.fields)?;
                let draft = desk.sso.draft_sso(caller, a.group, &values)?;
                if let Some(error) = draft.errors.into_iter().next() {
                    return Err(error);
                }
                let ends =
                    draft.changes.iter().any(|c| c.field == "method" && c.after == Method::Off.as_str());
                if ends && !a.dry_run {
                    let used = desk.sso.sso_use(caller, a.group)?;
                    confirm(a.yes, format_args!("After this, no user of group {} can sign in by SAML. {used}", a.group))?;
                }
                let changes =
                    if a.dry_run { draft.changes } else { desk.sso.set_sso(caller, a.group, &values, &[])? };
                print_changes(host, &changes);
                Ok(())
            }),
            SsoAction::Metadata(a) => {
                let origin = host.origin(None).ok();
                host.with_desk(|desk, caller| metadata(desk, caller, &a, origin.as_deref(), host))
            }
            SsoAction::Key(a) => host.with_desk(|desk, caller| match a.act.as_str() {
                "add" => {
                    let pem = read(&PathBuf::from(&a.what))?;
                    let (key, was_there) =
                        desk.sso.add_sso_key(caller, a.group, &String::from_utf8_lossy(&pem))?;
                    let note = if was_there { " (the key already exists; nothing was changed)" } else { "" };
                    host.done(&key_document(&key), format_args!("{}{note}", one_line(&key)));
                    Ok(())
                }
                "remove" => {
                    let key = desk.sso.sso_key_use(caller, a.group, &a.what)?;
                    if key.must_be_confirmed() {
                        let (subject, used) = (&key.facts.subject, key.sentence());
                        let what = format!("This removes the key {subject}. {used} You can restore it within one hour.");
                        confirm(a.yes, format_args!("{what}"))?;
                    }
                    desk.sso.remove_sso_key(caller, a.group, &a.what, true)?;
                    host.done(&key_document(&key.facts), format_args!("The key {} is removed.", key.facts.subject));
                    Ok(())
                }
                "restore" => {
                    let key = desk.sso.restore_sso_key(caller, a.group, &a.what)?;
                    host.done(&key_document(&key), format_args!("{}", one_line(&key)));
                    Ok(())
                }
                _ => Err(add_or("add, remove or restore")),
            }),
            SsoAction::OwnKey(a) => host.with_desk(|desk, caller| match (a.act.as_str(), a.number) {
                ("make", None) => {
                    let key = desk.sso.make_sp_key(caller, a.group)?;
                    if host.json {
                        terminal::json(&key_document(&key));
                    } else {
                        print!("{}", pem(&key.certificate));
                    }
                    Ok(())
                }
                ("remove", Some(number)) => {
                    let what = format!(
                        "This removes key pair {number} of group {}. Messages encrypted for it can no longer be decrypted.",
                        a.group
                    );
                    confirm(a.yes, format_args!("{what}"))?;
                    desk.sso.remove_sp_key(caller, a.group, number)?;
                    let document = json!({ "group": a.group, "position": number, "removed": true });
                    host.done(&document, format_args!("Key pair {number} of group {} is removed.", a.group));
                    Ok(())
                }
                _ => Err(add_or("make, or remove and a number")),
            }),
            SsoAction::SpMetadata(a) => {
                let origin = host.origin(a.origin);
                host.with_desk(|desk, _| {
                    println!("{}", desk.sso.sp_metadata(a.group, &origin?)?);
                    Ok(())
                })
            }
            SsoAction::Attempts(a) => host.with_desk(|desk, caller| match &a.incident {
                Some(code) => explained::incident(desk, caller, a.group, code, host.json),
                None => attempts(desk, caller, a.group, host.json),
            }),
            SsoAction::Rejudge(a) => host.with_desk(|desk, caller| {
                let wrong = || Error::invalid("bad_instant", "now", "--now is not an RFC 3339 instant.");
                let now = a.now.as_deref().map(|t| Timestamp::parse(t).ok_or_else(wrong)).transpose()?;
                let settings = RejudgeSettings { now, fields: pairs(&a.fields)? };
                let rejudged = desk.sso.rejudge_sso(caller, a.group, a.attempt, &settings)?;
                if host.json {
                    terminal::json(&json!({
                        "at": rejudged.at.to_string(), "accepted": rejudged.reject.is_none(),
                        "code": rejudged.reject.as_ref().map(|(code, _)| code), "checks": rejudged.checks,
                    }));
                } else {
                    println!("Judged at {}", rejudged.at);
                    rejudged.checks.iter().for_each(explained::print_check);
                }
                match rejudged.reject {
                    None => {
                        if !host.json {
                            println!("It would be accepted.");
                        }
                        Ok(())
                    }
                    Some((code, repair)) => Err(Error::new(Kind::Denied, code, repair)),
                }
            }),
            SsoAction::Fields(Fields {}) => {
                if host.json { terminal::json(&FIELDS.iter().map(field_document).collect()) } else { print_fields() }
                ExitCode::SUCCESS
            }
        }
    }
}

fn metadata(desk: &Desk, caller: &Caller, a: &Metadata, origin: Option<&str>, host: &Host) -> Result<()> {
    let file = read(&a.file)?;
    let mut preview = desk.sso.preview_sso_metadata(caller, a.group, &file, &a.entity, a.switch_on)?;
    if !a.dry_run {
        if !preview.going.is_empty() {
            confirm(a.yes, format_args!("{}", going(&preview)))?;
        }
        let agreed = Agreed::ToAll;
        preview = desk.sso.upload_sso_metadata(caller, a.group, &file, &a.entity, a.switch_on, &agreed)?;
    }
    if host.json {
        let keys = |keys: &[KeyFacts]| keys.iter().map(key_document).collect::<Vec<_>>();
        terminal::json(&json!({
            "entity": preview.entity, "changes": changes_document(&preview.changes), "applied": !a.dry_run,
            "added": keys(&preview.added), "removed": keys(&preview.removed), "notes": preview.notes,
        }));
        return Ok(());
    }
    say(format_args!("Identity provider {}", preview.entity));
    print_changes(host, &preview.changes);
    preview.added.iter().for_each(|key| say(format_args!("key added: {}", one_line(key))));
    preview.removed.iter().for_each(|key| say(format_args!("key removed: {}", one_line(key))));
    preview.notes.iter().for_each(|note| say(format_args!("note: {note}")));
    if !a.dry_run {
        print_our_side(&desk.sso.sso_overview(caller, a.group)?, origin);
    }
    Ok(())
}

/// What ends when an upload removes keys in use.
fn going(preview: &Preview) -> String {
    let each = preview.going.iter();
    let each = each
        .map(|key| format!("The file does not contain the key {}. {}", key.facts.subject, key.sentence()));
    let each: Vec<String> = each.collect();
    format!("{} You can restore removed keys within one hour.", each.join(" "))
}

fn print_fields() {
    for field in FIELDS {
        println!("{}  ({})", field.name, field.label);
        if let Entry::OneOf(choices) = field.entry {
            let words: Vec<&str> = choices.iter().map(|c| c.word).collect();
            println!("    one of: {}", words.join(", "));
        }
        println!("    {}", field.help);
        if !field.warning.is_empty() {
            println!("    Warning: {}", field.warning);
        }
    }
}

fn field_document(field: &Field) -> Value {
    let words: Option<Vec<&str>> = match field.entry {
        Entry::OneOf(choices) => Some(choices.iter().map(|c| c.word).collect()),
        _ => None,
    };
    json!({ "name": field.name, "label": field.label, "help": field.help, "warning": field.warning, "oneOf": words })
}

fn key_document(key: &KeyFacts) -> Value {
    json!({
        "position": key.position, "fingerprint": key.fingerprint, "subject": key.subject,
        "kind": key.kind, "begins_at": key.begins_at.to_string(), "ends_at": key.ends_at.to_string(),
        "used_at": key.used_at.map(|t| t.to_string()), "warnings": key.warnings,
        "certificate": pem(&key.certificate),
    })
}

fn show(desk: &Desk, caller: &Caller, group: GroupId, origin: Option<&str>, as_json: bool) -> Result<()> {
    let overview = desk.sso.sso_overview(caller, group)?;
    if as_json {
        let fields: serde_json::Map<String, Value> =
            FIELDS.iter().map(|f| (f.name.to_owned(), f.value(&overview.configuration).into())).collect();
        let keys: Vec<Value> = overview.keys.iter().map(key_document).collect();
        let own: Vec<Value> = overview.own_keys.iter().map(key_document).collect();
        terminal::json(&json!({
            "group": group.0, "fields": fields, "keys": keys, "own_keys": own, "problems": overview.problems,
            "portal_tile": { "works": overview.tile.works(), "sentence": overview.tile.sentence(),
                             "repair": overview.tile.repair() },
        }));
        return Ok(());
    }
    for field in FIELDS {
        say(format_args!("{:<24} {}", field.name, field.value(&overview.configuration).replace('\n', " ")));
    }
    for (heading, keys) in [("key", &overview.keys), ("own key", &overview.own_keys)] {
        keys.iter().for_each(|key| say(format_args!("{heading} {}", one_line(key))));
    }
    print_our_side(&overview, origin);
    Ok(())
}

/// Prints our details for the identity provider, the sign-in address, and the problems that prevent sign-in.
fn print_our_side(overview: &Overview, origin: Option<&str>) {
    let configuration = &overview.configuration;
    if overview.ready {
        println!("\nSingle sign-on is on. Operational Status: {}.", configuration.status.label());
    }
    if let Some(origin) = origin {
        let addresses = Addresses::of(origin, configuration.group);
        let (group, attribute) = (configuration.group, &configuration.identity_attribute);
        println!("Enter at the identity provider: our metadata, or the values below it.");
        println!("  Metadata     {}", addresses.metadata);
        println!("  as a file    sidelight sso sp-metadata --group {group} > sidelight.xml");
        println!("  ACS URL      {}", addresses.acs);
        println!("  Entity ID    {}", configuration.sp_entity_id);
        if attribute.is_empty() {
            println!(
                "  NameID       the user's e-mail address; if an attribute carries it instead, name the attribute:"
            );
            println!("               sidelight sso set identity_attribute=mail --group {group}");
        } else {
            println!("  Attribute    {attribute}: the user's e-mail address");
        }
        if overview.ready {
            println!("Sign in at");
            println!("  {}", addresses.sign_in);
        }
    } else {
        println!("To see our addresses, run a server with --public-url.");
    }
    say(format_args!("{} {}", overview.tile.sentence(), overview.tile.repair()));
    overview.problems.iter().for_each(|problem| say(format_args!("! {problem}")));
}

fn attempts(desk: &Desk, caller: &Caller, group: GroupId, as_json: bool) -> Result<()> {
    let attempts = desk.sso.sso_attempts(caller, group)?;
    // An incident is kept for a time only.
    let explained =
        |code: &Option<String>| code.as_ref().and_then(|c| desk.appliance.open_incident(caller, c).ok());
    if as_json {
        let each = attempts.iter().map(|a| {
            let repair = explained(&a.incident).map(|incident| incident.repair);
            json!({
                "repair": repair, "id": a.id, "at": a.at.to_string(), "code": a.code, "incident": a.incident,
                "subject": a.subject, "kept_until": a.kept_until.map(|t| t.to_string()),
                "checks": serde_json::from_str::<Value>(&a.checks).unwrap_or_default(),
                "keys": a.keys.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok()),
                "attributes": a.attributes.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok()),
            })
        });
        terminal::json(&Value::Array(each.collect()));
        return Ok(());
    }
    // A refusal that was followed by a sign-in is over.
    let latest = attempts.first().and_then(|attempt| explained(&attempt.incident));
    let rows: Vec<[String; 5]> = attempts
        .into_iter()
        .map(|a| {
            let code = a.code.unwrap_or_else(|| "accepted".to_owned());
            let kept = if a.kept_until.is_some() { "kept" } else { "" };
            [
                a.id.to_string(),
                a.at.to_string(),
                code,
                a.incident.unwrap_or_default(),
                format!("{} {kept}", a.subject),
            ]
        })
        .collect();
    terminal::table(["Attempt", "Time", "Outcome", "Incident", "Subject"], &rows);
    if let Some(incident) = latest {
        println!();
        explained::print_incident(&incident);
    }
    Ok(())
}

fn pairs(fields: &[String]) -> Result<Vec<(String, String)>> {
    let wrong = |text: &String| {
        Error::new(Kind::Invalid, "field_malformed", format!("{text} is not of the form field=value."))
    };
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| wrong(text))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    fields.iter().map(pair).collect()
}

fn print_changes(host: &Host, changes: &[Change]) {
    if host.json {
        terminal::json(&changes_document(changes));
        return;
    }
    if changes.is_empty() {
        println!("No field changes.");
    }
    for change in changes {
        println!("{}: {:?} becomes {:?}", change.field, change.before, change.after);
    }
}

fn changes_document(changes: &[Change]) -> Value {
    let one = |c: &Change| json!({ "field": c.field, "before": c.before, "after": c.after });
    changes.iter().map(one).collect()
}

fn one_line(key: &KeyFacts) -> String {
    let short = key.fingerprint.get(..16).unwrap_or_default();
    let used = key.used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
    format!("{} {short} {} {}, until {}, {used}", key.position, key.kind, key.subject, key.ends_at)
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        let public = format!("{} cannot be read: {e}.", path.display());
        Error::new(Kind::Invalid, "file_unreadable", public)
    })
}

fn add_or(what: &str) -> Error {
    Error::new(Kind::Invalid, "unknown_act", format!("Say {what}."))
}
