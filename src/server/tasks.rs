//! What the server does again and again beside the requests: each task has a thread of its own, and ends with the desk.

use std::sync::Arc;
use std::time::Duration;

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::server_log::note;

/// How often the whole database is checked.
const BETWEEN_CHECKS: Duration = Duration::from_secs(86_400);
/// How often a write proves that writes work, where nobody else writes; and while they fail.
const PROOF_OF_WRITES: Duration = Duration::from_secs(15);
const PROOF_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often it is asked whether a backup is due.
const LOOK_FOR_BACKUPS: Duration = Duration::from_secs(20);
/// How often house is kept.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// The stack of a thread that does little.
const SMALL_STACK: usize = 256 * 1024;
/// That of any other: the system's default.
const USUAL_STACK: usize = 2 * 1024 * 1024;

/// Wipes and sweeps out what is over. A minute that fails is noted; the next one tries again.
pub fn keep_house(desk: &Arc<Desk>) -> Result<()> {
    repeat(desk, "housekeeping", SMALL_STACK, |desk| {
        if let Err(error) = desk.appliance.keep_house() {
            note(format_args!("housekeeping: {error}"));
        }
        HOUSEKEEPING
    })
}

/// Makes the backups of the plan.
pub fn back_up_by_plan(desk: &Arc<Desk>) -> Result<()> {
    repeat(desk, "backups", USUAL_STACK, |desk| {
        match desk.back_up_by_plan() {
            Ok(None) => {}
            Ok(Some(backup)) => note(format_args!("Backup {}: {}.", backup.file.display(), backup.proof)),
            Err(error) => note(format_args!("NO BACKUP WAS MADE: {error}")),
        }
        LOOK_FOR_BACKUPS
    })
}

/// Proves now and then that writes work, so that anyone who asks whether the server is ready need not write.
pub fn prove_writes(desk: &Arc<Desk>) -> Result<()> {
    repeat(desk, "proof-of-writes", SMALL_STACK, |desk| match desk.appliance.prove_that_writes_work() {
        true => PROOF_OF_WRITES,
        false => PROOF_AFTER_FAILURE,
    })
}

/// Checks the whole database at the start and then each day, and says loudly what is damaged.
pub fn check_database(desk: &Arc<Desk>) -> Result<()> {
    repeat(desk, "database-check", USUAL_STACK, |desk| {
        match desk.check_database().map(|check| check.damage) {
            Ok(None) => note(format_args!("The whole database was checked: it is sound.")),
            Ok(Some(damage)) => note(format_args!(
                "THE DATABASE IS DAMAGED ({damage}). Stop the server and restore it from a backup."
            )),
            Err(error) => note(format_args!("The check of the whole database did not end: {error}")),
        }
        BETWEEN_CHECKS
    })
}

/// Runs `task` again and again, as long as the desk is there; it says how long to wait until the next time.
fn repeat(
    desk: &Arc<Desk>,
    name: &'static str,
    stack: usize,
    task: impl Fn(&Desk) -> Duration + Send + 'static,
) -> Result<()> {
    // Weak while it waits for its turn, so that the store closes in order when the server stops.
    let desk = Arc::downgrade(desk);
    let work = move || {
        while let Some(desk) = desk.upgrade() {
            let wait = task(&desk);
            drop(desk);
            std::thread::sleep(wait);
        }
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack)
        .spawn(work)
        .map(drop)
        .map_err(|e| Error::fault("server_thread", format!("{name}: {e}")))
}
