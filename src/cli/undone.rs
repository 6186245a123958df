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
    note = "A restore undoes every change made after the backup. Suspended users are active again, deleted users exist again, and old passwords, API keys and SCIM tokens work again. Make these changes again, then use --read to stop the reminder in the console.",
    example = "{command_name}\n{command_name} --read"
)]
pub struct UndoneByRestore {
    /// mark the list as read, so that it is not shown again
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
                let nothing = || {
                    "Nothing to show: there was no restore, or an operator has marked its report as read."
                        .to_owned()
                };
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
