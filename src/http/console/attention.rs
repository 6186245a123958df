//! What operators are told on each page of the console until it is mended.

use crate::desk::Desk;
use crate::error::Result;
use crate::model::{Caller, Mode};

/// The page of the backups.
pub(super) const BACKUPS: &str = "/console/backups";

/// What an operator should look at on each page: a sentence, and where to.
pub(super) fn of(desk: &Desk, caller: &Caller) -> Result<Vec<(&'static str, &'static str)>> {
    let found = desk.attention(caller)?;
    let said = [
        (found.restore_report, "This server was restored from a backup: changes may have been undone."),
        (found.backup_failed, "The last backup failed."),
        // A lab's key is worth nothing.
        (
            found.key_not_kept && desk.mode() == Mode::Production,
            "Say how the key file is kept. Until then, backups cannot let anybody in by login key.",
        ),
    ];
    Ok(said.into_iter().filter(|(so, _)| *so).map(|(_, sentence)| (sentence, BACKUPS)).collect())
}
