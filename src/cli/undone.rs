//! `sidelight undone`: what the last restore may have undone, until an operator has read it.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::backup::undone;
use super::host::Host;
use super::terminal;

/// list what the last restore from a backup may have undone
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "undone",
    note = "Somebody who was suspended, deleted or given a new password after the backup is as before it; a replaced API key or SCIM token is the old one again. Do these changes once more, then say --read: the console stops reminding.",
    example = "{command_name}\n{command_name} --read"
)]
pub struct UndoneByRestore {
    /// an operator has read it: it is not shown any more
    #[argh(switch)]
    read: bool,
}

impl UndoneByRestore {
    /// Shows the report, and with `--read` forgets it.
    pub fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let report = desk.backups(caller)?.restore_report;
            if host.json {
                terminal::json(&json!({ "report": report }));
            } else {
                let nothing = || "Nothing: no restore, or an operator has read its report.".to_owned();
                let text = report.as_ref().map_or_else(nothing, |report| {
                    format!(
                        "Restored {} from a backup of {}.\n{}",
                        report.restored_at,
                        report.backup_made_at,
                        undone(report)
                    )
                });
                text.lines().for_each(|line| terminal::say(format_args!("{line}")));
            }
            if self.read && report.is_some() {
                desk.read_restore_report(caller)?;
            }
            Ok(())
        })
    }
}
