//! `sidelight backup` and `sidelight restore`: everything that an appliance is, in one file, and the way back.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::host::Host;
use super::terminal;
use crate::backup_file::Manifest;
use crate::backup_file::place::{Work, network};
use crate::clock::Timestamp;
use crate::desk::backup::DIRECTORY;
use crate::desk::restore::{self, KeySource, Proof, Report, Restored};
use crate::error::{Error, Result};
use crate::protocol::age::Identity;
use crate::server::{Running, lock, make_directory};

/// write a backup, restore it into an empty directory, and check what came back
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "backup",
    note = "The server may run meanwhile; nobody who signs in waits. The backup is one tar file with the database, the TLS certificate and its key. It gets its name only after it was restored and checked. The key file sidelight.key is in it only if it is sealed (sidelight key seal-to); otherwise keep a copy of that file in another place. Without it, nobody signs in by a login key after a restore.",
    example = "{command_name} --to /mnt/backups\n{command_name} --to /mnt/backups --json",
    error_code(0, "the backup is written and was restored"),
    error_code(1, "it was refused; nothing is left behind"),
    error_code(3, "it failed; nothing is left behind")
)]
pub struct Backup {
    /// the directory to write it to, best on another disk (default: backup_dir of the running server, or backups in the data directory)
    #[argh(option, arg_name = "dir")]
    to: Option<PathBuf>,
}

/// restore a backup into an empty data directory, or only check it
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "restore",
    note = "Restores into the data directory (--data), which must be empty; the key file may stand there already. After a restore all web sessions, console sessions, tokens and links of before have ended, and SAML assertions that were made before are refused. What may have been undone is shown in the console until an operator has read it.",
    example = "{command_name} sidelight-2026-12-01T020000Z.backup.tar --data /var/lib/sidelight --key /media/usb/sidelight.key\n{command_name} sidelight-2026-12-01T020000Z.backup.tar --identity age-identity.txt --check",
    error_code(0, "it is restored, or found whole"),
    error_code(1, "it was refused; nothing was changed"),
    error_code(2, "the backup is damaged, or wrong usage; nothing was changed"),
    error_code(3, "it failed")
)]
pub struct Restore {
    /// the backup
    #[argh(positional)]
    file: PathBuf,
    /// only check it, in a temporary directory
    #[argh(switch)]
    check: bool,
    /// the key file of the lost appliance (default: sidelight.key, where it stands in the data directory already)
    #[argh(option, arg_name = "file")]
    key: Option<PathBuf>,
    /// the age identity that opens the key file in the backup, where it was sealed into it (as age-keygen writes it)
    #[argh(option, arg_name = "file")]
    identity: Option<PathBuf>,
    /// the data directory of the lost appliance, where it can still be read: its access log tells what was changed since
    #[argh(option, arg_name = "dir")]
    old: Option<PathBuf>,
}

impl Backup {
    /// Takes the backup and says what it is worth.
    pub fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let data = host.directory()?;
            let running = Running::read(&data);
            let planned = || running.as_ref().and_then(|running| configured(running, "backup_dir"));
            let to = self.to.or_else(planned).unwrap_or_else(|| data.join(DIRECTORY));
            if let Some((certificate, key)) = running.as_ref().and_then(configured_tls) {
                desk.set_tls_files(certificate, key);
            }
            if let Some(network) = network(&to) {
                host.remark(format_args!(
                    "{} lies on a network file system ({network}). Copy backups there, and let them be made on a disk.",
                    to.display()
                ));
            }
            let backup = desk.back_up(caller, &to)?;
            let document = json!({
                "file": backup.file, "bytes": backup.bytes, "proof": backup.proof, "manifest": backup.manifest,
            });
            let line = format!(
                "{} ({} bytes): {}.\n{}",
                backup.file.display(),
                backup.bytes,
                backup.proof,
                key_kept(&backup.manifest, desk.backups(caller)?.key_kept.is_some())
            );
            told(host, &document, &line);
            Ok(())
        })
    }
}

/// Where the key of the backup is, in a line; `elsewhere` says whether an operator confirmed that a copy is kept.
fn key_kept(manifest: &Manifest, elsewhere: bool) -> String {
    let key = &manifest.key;
    match &manifest.key_sealed_to {
        Some(recipient) => {
            format!("The key {key} is in it, sealed to {recipient}: keep its identity elsewhere.")
        }
        None if elsewhere => format!("A restore needs the key {key}, of which a copy is kept elsewhere."),
        None => format!(
            "WITHOUT THE KEY {key} THIS BACKUP LETS NOBODY IN BY LOGIN KEY, and nobody has said how it is kept. See \
             sidelight key --help."
        ),
    }
}

/// Prints what was done: lines for a person, `document` for a program.
pub(super) fn told(host: &Host, document: &Value, lines: &str) {
    if host.json {
        terminal::json(document);
    } else {
        lines.lines().for_each(|line| terminal::say(format_args!("{line}")));
    }
}

/// Certificate and key that the running server was given.
fn configured_tls(running: &Running) -> Option<(PathBuf, PathBuf)> {
    Some((configured(running, "tls_cert")?, configured(running, "tls_key")?))
}

/// A path among the settings of the running server. A relative one counts from that process's working directory.
fn configured(running: &Running, name: &str) -> Option<PathBuf> {
    let value = &running.settings.get(name)?.value;
    let directory = PathBuf::from(format!("/proc/{}/cwd", running.pid));
    // Joining an absolute path gives that path.
    (!value.is_empty()).then(|| directory.join(value))
}

impl Restore {
    /// Restores or checks, and says what was found.
    pub fn run(self, host: &Host) -> ExitCode {
        host.ended(if self.check { self.checked(host) } else { self.restored(host) })
    }

    /// The identity that was named, read.
    fn identity(&self) -> Result<Option<Identity>> {
        let Some(path) = &self.identity else { return Ok(None) };
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| {
            let public = format!("The identity {} cannot be read: {e}.", path.display());
            Error::not_found("identity_unreadable", public)
        })?);
        Identity::parse(&text).map(Some)
    }

    fn key<'k>(&'k self, identity: Option<&'k Identity>) -> Result<KeySource<'k>> {
        match (&self.key, identity) {
            (None, None) => Ok(KeySource::Absent),
            (Some(path), None) => Ok(KeySource::File(path)),
            (None, Some(identity)) => Ok(KeySource::Sealed(identity)),
            (Some(_), Some(_)) => {
                let public = "Give either --key or --identity: one key is enough.";
                Err(Error::invalid("which_key", "key", public))
            }
        }
    }

    fn checked(&self, host: &Host) -> Result<()> {
        let identity = self.identity()?;
        let key = self.key(identity.as_ref())?;
        let work = Work::temporary(&std::env::temp_dir())?;
        let unpacked = restore::unpack(&self.file, work.path())?;
        let keys = unpacked.key(key)?.map(|(keys, _)| keys);
        let proven = unpacked.prove(keys)?;
        let document = json!({ "proof": proven.proof, "manifest": proven.manifest });
        let line = format!("{}\n{}", found(&proven.manifest), key_needed(&proven.manifest, proven.proof));
        told(host, &document, &line);
        Ok(())
    }

    fn restored(&self, host: &Host) -> Result<()> {
        let identity = self.identity()?;
        let key = self.key(identity.as_ref())?;
        let data = host.directory()?;
        make_directory(&data)?;
        let _lock = lock(&data)?;
        let Restored { manifest, proof, report, old_log_unread } =
            restore::restore(&self.file, &data, key, self.old.as_deref())?;
        if let Some(why) = old_log_unread {
            host.remark(format_args!("The access log of the lost server could not be read: {why}"));
        }
        let document = json!({ "data": data, "proof": proof, "manifest": manifest, "report": report });
        let line = format!(
            "Restored {} into {}.\n{}\n{}\n{}\n{}Start the server: sidelight serve{} --data {}",
            self.file.display(),
            data.display(),
            found(&manifest),
            key_needed(&manifest, proof),
            "All sessions, tokens and links of before have ended. SAML assertions that were made before are refused.",
            undone(&report),
            if manifest.mode == "lab" { " --lab" } else { "" },
            data.display()
        );
        told(host, &document, &line);
        Ok(())
    }
}

/// What the backup holds, in a line.
fn found(manifest: &Manifest) -> String {
    let rows = |table: &str| manifest.rows.get(table).copied().unwrap_or_default();
    format!(
        "The backup is whole. Made {} by Sidelight {} ({} mode, schema {}): {} groups, {} users, {} rows of the access log.",
        Timestamp(manifest.made_at),
        manifest.program,
        manifest.mode,
        manifest.schema,
        rows("groups"),
        rows("users"),
        rows("access_log")
    )
}

fn key_needed(manifest: &Manifest, proof: Proof) -> String {
    match proof {
        Proof::LoginKeyChecked => {
            format!("The key {} opens it, and a login key was checked in it.", manifest.key)
        }
        Proof::KeyFits => format!("The key {} opens it. Nobody in it signs in by login key.", manifest.key),
        Proof::WithoutKey if manifest.key_sealed_to.is_some() => format!(
            "It holds the key {}, sealed to {}. Give the age identity that belongs to it with --identity; or the key file \
             itself, in the data directory as sidelight.key (mode 600), before the server starts.",
            manifest.key,
            manifest.key_sealed_to.as_deref().unwrap_or_default()
        ),
        Proof::WithoutKey => format!(
            "It needs the key file with the name {}: give it with --key, or put it into the data directory as sidelight.key \
             (mode 600) before the server starts.",
            manifest.key
        ),
    }
}

/// What a restore may have undone, in lines.
pub(super) fn undone(report: &Report) -> String {
    if !report.old_log_read {
        return format!(
            "What was changed after {} is lost: suspensions, deletions, new passwords, API keys, SCIM tokens. Look for what \
             must be done again.\n",
            report.backup_made_at
        );
    }
    let rows = report
        .undone
        .iter()
        .map(|row| format!("  {}  {}  {}  {}\n", row.at, row.actor, row.operation, row.subject));
    let head = format!("Changes since the backup that are lost ({}):\n", report.undone.len());
    rows.fold(head, |text, row| text + &row)
        .chars()
        .map(|c| if c == '\n' { c } else { terminal::harmless(c) })
        .collect()
}
