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
        (found.restore_report, "This server was restored from a backup. Some changes may be lost."),
        (found.backup_failed, "The last backup failed."),
        // A lab's key is worth nothing.
        (
            found.key_not_kept && desk.mode() == Mode::Production,
            "Confirm how the key file is kept. Otherwise no user can sign in by login key after a restore.",
        ),
    ];
    Ok(said.into_iter().filter(|(so, _)| *so).map(|(_, sentence)| (sentence, BACKUPS)).collect())
}
