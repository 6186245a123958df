//! `sidelight backup` and `sidelight restore`: the whole appliance in one file.

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

/// write a backup, and check it by restoring it into an empty directory
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "backup",
    note = "The server can keep running, and sign-ins do not wait. The backup is one tar file with the database, the TLS certificate and its private key. The file gets its final name only after a test restore has succeeded. It contains the key file sidelight.key only if you have sealed that file (sidelight key seal-to). Otherwise keep a copy of the key file in another place. Without the key file, no user can sign in by login key after a restore.",
    example = "{command_name} --to /mnt/backups\n{command_name} --to /mnt/backups --json",
    error_code(0, "the backup is written, and a test restore succeeded"),
    error_code(1, "the command was refused; no file is left behind"),
    error_code(3, "the command failed; no file is left behind")
)]
pub struct Backup {
    /// the directory to write to, preferably on another disk (default: backup_dir of the running server, or backups in
    /// the data directory)
    #[argh(option, arg_name = "dir")]
    to: Option<PathBuf>,
}

/// restore a backup into an empty data directory, or only check it
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "restore",
    note = "The data directory (--data) must be empty, except that it may contain the key file. A restore ends all earlier web sessions, console sessions, tokens and links. SAML assertions issued before the restore are refused. The console lists the changes that the restore may have undone, until an operator marks the list as read.",
    example = "{command_name} sidelight-2026-12-01T020000Z.backup.tar --data /var/lib/sidelight --key /media/usb/sidelight.key\n{command_name} sidelight-2026-12-01T020000Z.backup.tar --identity age-identity.txt --check",
    error_code(0, "the backup is restored, or the check found no damage"),
    error_code(1, "the command was refused; nothing was changed"),
    error_code(2, "the backup is damaged, or wrong usage; nothing was changed"),
    error_code(3, "the command failed")
)]
pub struct Restore {
    /// the backup
    #[argh(positional)]
    file: PathBuf,
    /// only check it, in a temporary directory
    #[argh(switch)]
    check: bool,
    /// the key file of the lost appliance (default: sidelight.key in the data directory, if it exists)
    #[argh(option, arg_name = "file")]
    key: Option<PathBuf>,
    /// the age identity file, as age-keygen writes it; needed to open a key file that is sealed into the backup
    #[argh(option, arg_name = "file")]
    identity: Option<PathBuf>,
    /// the data directory of the lost appliance, if it can still be read; its access log shows what changed after the
    /// backup
    #[argh(option, arg_name = "dir")]
    old: Option<PathBuf>,
}

impl Backup {
    /// Writes the backup and prints the result of the test restore.
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
                    "{} is on a network file system ({network}). Write backups to a local disk, then copy them there.",
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
            print_result(host, &document, &line);
            Ok(())
        })
    }
}

/// One line that says where the backup's key is. `elsewhere`: an operator confirmed that a copy is kept.
fn key_kept(manifest: &Manifest, elsewhere: bool) -> String {
    let key = &manifest.key;
    match &manifest.key_sealed_to {
        Some(recipient) => {
            format!(
                "The backup contains the key {key}, sealed to {recipient}. Keep the age identity in another place."
            )
        }
        None if elsewhere => {
            format!("A restore needs the key {key}. An operator confirmed that a copy is kept elsewhere.")
        }
        None => format!(
            "WARNING: Without the key {key}, no user can sign in by login key after a restore, and no operator has confirmed that a copy of it is kept. See sidelight key --help."
        ),
    }
}

/// Prints what was done: lines for a person, `document` for a program.
pub(super) fn print_result(host: &Host, document: &Value, lines: &str) {
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
                let public = "Give either --key or --identity, not both.";
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
        print_result(host, &document, &line);
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
            "All earlier sessions, tokens and links have ended. SAML assertions issued before now are refused.",
            undone(&report),
            if manifest.mode == "lab" { " --lab" } else { "" },
            data.display()
        );
        print_result(host, &document, &line);
        Ok(())
    }
}

/// What the backup holds, in a line.
fn found(manifest: &Manifest) -> String {
    let rows = |table: &str| manifest.rows.get(table).copied().unwrap_or_default();
    format!(
        "The backup is not damaged. Sidelight {1} made it at {0} ({2} mode, schema {3}). Groups: {4}. Users: {5}. Access log rows: {6}.",
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
            format!("The key {} opens it, and a login key was checked with it.", manifest.key)
        }
        Proof::KeyFits => format!("The key {} opens it. No user in it signs in by login key.", manifest.key),
        Proof::WithoutKey if manifest.key_sealed_to.is_some() => format!(
            "It contains the key {}, sealed to {}. Give the matching age identity with --identity, or put the key file into the data directory as sidelight.key (mode 600) before you start the server.",
            manifest.key,
            manifest.key_sealed_to.as_deref().unwrap_or_default()
        ),
        Proof::WithoutKey => format!(
            "It needs the key file named {}. Give the file with --key, or put it into the data directory as sidelight.key (mode 600) before you start the server.",
            manifest.key
        ),
    }
}

/// What a restore may have undone, in lines.
pub(super) fn undone(report: &Report) -> String {
    if !report.old_log_read {
        return format!(
            "All changes made after {} are lost: suspensions, deletions, new passwords, API keys, SCIM tokens. Check which of them you must make again.\n",
            report.backup_made_at
        );
    }
    let rows = report
        .undone
        .iter()
        .map(|row| format!("  {}  {}  {}  {}\n", row.at, row.actor, row.operation, row.subject));
    let head = format!("Lost changes, made after the backup ({}):\n", report.undone.len());
    rows.fold(head, |text, row| text + &row)
        .chars()
        .map(|c| if c == '\n' { c } else { terminal::harmless(c) })
        .collect()
}
