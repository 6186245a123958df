//! `sidelight backup` and `sidelight restore`: everything that an appliance is, in one file, and the way back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use super::host::Host;
use super::terminal;
use crate::backup_file::Manifest;
use crate::backup_file::place::Work;
use crate::clock::Timestamp;
use crate::desk::backup::DIRECTORY;
use crate::desk::restore::{self, Proof, Report, Restored};
use crate::error::Result;
use crate::secret::Keys;
use crate::server::{Running, lock, make_directory};

/// write a backup, restore it into an empty directory, and check what came back
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "backup",
    note = "The server may run meanwhile; nobody who signs in waits. The backup is one tar file with the database, the TLS certificate and its key. It gets its name only after it was restored and checked. The key file sidelight.key is not in it: keep a copy of that file in another place. Without it, nobody signs in by a login key after a restore.",
    example = "{command_name} --to /mnt/backups\n{command_name} --to /mnt/backups --json",
    error_code(0, "the backup is written and was restored"),
    error_code(1, "it was refused; nothing is left behind"),
    error_code(3, "it failed; nothing is left behind")
)]
pub struct Backup {
    /// the directory to write it to, best on another disk (default: backups in the data directory)
    #[argh(option, arg_name = "dir")]
    to: Option<PathBuf>,
}

/// restore a backup into an empty data directory, or only check it
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "restore",
    note = "Restores into the data directory (--data), which must be empty; the key file may stand there already. After a restore all web sessions, console sessions, tokens and links of before have ended, and SAML assertions that were made before are refused. What may have been undone is shown in the console until an operator has read it.",
    example = "{command_name} sidelight-2026-12-01T020000Z.backup.tar --data /var/lib/sidelight --key /media/usb/sidelight.key\n{command_name} sidelight-2026-12-01T020000Z.backup.tar --check",
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
    /// the data directory of the lost appliance, where it can still be read: its access log tells what was changed since
    #[argh(option, arg_name = "dir")]
    old: Option<PathBuf>,
}

impl Backup {
    /// Takes the backup and says what it is worth.
    pub fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let data = host.directory()?;
            let to = self.to.unwrap_or_else(|| data.join(DIRECTORY));
            if let Some((certificate, key)) = configured_tls(&data) {
                desk.set_tls_files(certificate, key);
            }
            let backup = desk.back_up(caller, &to)?;
            if let Some(network) = backup.network {
                host.remark(format_args!(
                    "{} lies on a network file system ({network}). Copy backups there, and let them be made on a disk.",
                    to.display()
                ));
            }
            let document = json!({
                "file": backup.file, "bytes": backup.bytes, "proof": backup.proof, "manifest": backup.manifest,
            });
            let line = format!(
                "{} ({} bytes): {}.\nNeeds the key {}: keep a copy of sidelight.key elsewhere.",
                backup.file.display(),
                backup.bytes,
                backup.proof,
                backup.manifest.key
            );
            told(host, &document, &line);
            Ok(())
        })
    }
}

/// Prints what was done: lines for a person, `document` for a program.
fn told(host: &Host, document: &Value, lines: &str) {
    if host.json {
        terminal::json(document);
    } else {
        lines.lines().for_each(|line| terminal::say(format_args!("{line}")));
    }
}

/// Certificate and key that the running server was given.
fn configured_tls(data: &Path) -> Option<(PathBuf, PathBuf)> {
    let running = Running::read(data)?;
    let path = |name: &str| {
        running.settings.get(name).filter(|s| !s.value.is_empty()).map(|s| s.value.clone().into())
    };
    Some((path("tls_cert")?, path("tls_key")?))
}

impl Restore {
    /// Restores or checks, and says what was found.
    pub fn run(self, host: &Host) -> ExitCode {
        host.ended(if self.check { self.checked(host) } else { self.restored(host) })
    }

    fn checked(&self, host: &Host) -> Result<()> {
        let keys = self.key.as_deref().map(Keys::read_kept).transpose()?.map(|(keys, _)| keys);
        let work = Work::temporary(&std::env::temp_dir())?;
        let proven = restore::unpack(&self.file, work.path())?.prove(keys)?;
        let document = json!({ "proof": proven.proof, "manifest": proven.manifest });
        let line = format!("{}\n{}", found(&proven.manifest), key_needed(&proven.manifest, proven.proof));
        told(host, &document, &line);
        Ok(())
    }

    fn restored(&self, host: &Host) -> Result<()> {
        let data = host.directory()?;
        make_directory(&data)?;
        let _lock = lock(&data)?;
        let Restored { manifest, proof, report } =
            restore::restore(&self.file, &data, self.key.as_deref(), self.old.as_deref())?;
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
        Proof::WithoutKey => format!(
            "It needs the key file with the name {}: give it with --key, or put it into the data directory as sidelight.key \
             (mode 600) before the server starts.",
            manifest.key
        ),
    }
}

fn undone(report: &Report) -> String {
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
