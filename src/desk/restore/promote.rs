//! A replica that takes over: a database that another program (Litestream) wrote from the lost one's log.

use std::path::Path;

use super::{Report, newest_change, prove_store};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::model::database::{Closed, LostLog};
use crate::model::{Caller, LogEntry};
use crate::secret::Keys;
use crate::store::{self, DATABASE_FILE, KEY_FILE, Store};

const OPERATION: &str = "backup.promote";

/// A replica that was made the appliance.
#[derive(Debug)]
pub struct Promoted {
    pub epoch: i64,
    pub proof: super::Proof,
    pub report: Report,
}

/// Makes the database that was restored from a replica into `data` the appliance: checks all of it, ends everything that was
/// handed out before, and gives it an epoch above `newest`, the one beside the replica. The key file must stand in `data`. The
/// caller keeps servers off `data`, and writes the epoch beside the replica.
///
/// # Errors
/// `NotFound` with codes `no_database` and `key_file_missing`; `Denied` with code `key_file_of_another`; `Invalid` with code
/// `backup_damaged`; those of opening a database.
pub fn promote(data: &Path, newest: Option<i64>) -> Result<Promoted> {
    let (database, key_file) = (data.join(DATABASE_FILE), data.join(KEY_FILE));
    if !database.exists() {
        let public = format!("{} is not there. Restore it from the replica first.", database.display());
        return Err(Error::not_found("no_database", public));
    }
    if !key_file.exists() {
        let public =
            format!("{} is not there. Put the key file of the lost server there first.", key_file.display());
        return Err(Error::new(Kind::NotFound, "key_file_missing", public));
    }
    let (keys, _) = Keys::read_kept(&key_file)?;
    let mode = store::contents(&database)?.mode;
    let clock = Clock::system();
    let judge = |reader: &store::Reader<'_>| crate::desk::key_check::belongs(&keys, &key_file, reader);
    // What the log held is in the file already, or lost with the machine.
    let store = Store::open_if(data, mode, clock.now(), LostLog::Accept, judge)?;
    let proof = prove_store(data, &store, mode, Some(Keys::read_kept(&key_file)?.0))?;
    let now = clock.now();
    let last = newest_change(&store)?;
    let report = Report {
        backup_made_at: last.map_or_else(|| now.to_string(), |at| at.to_string()),
        restored_at: now.to_string(),
        ..Report::default()
    };
    let text = serde_json::to_string(&report).map_err(|e| Error::fault("restore_report", e.to_string()))?;
    let epoch = store.read(|r| r.epoch())?.max(newest.unwrap_or_default()) + 1;
    let entry =
        LogEntry::done(&Caller::host(), None, OPERATION, data.to_string_lossy(), format!("epoch {epoch}"));
    store.write(now, move |w| {
        w.begin_after_restore(&text)?;
        w.set_epoch(epoch)?;
        w.log(&entry)
    })?;
    match store.close() {
        Some(Closed::Whole) => Ok(Promoted { epoch, proof, report }),
        closed => Err(Error::fault("restored_not_closed", format!("{closed:?}"))),
    }
}
