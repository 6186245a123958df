//! The way back from a backup. A backup that is made takes it too, before it counts.
//!
//! A restored appliance has lost what happened since the backup: a suspended user may be active again, and a user who
//! signed out may be signed in. So all sessions, tokens and links end, assertions from before the restore are refused, and
//! the console shows what may have been undone until an operator has read it.

mod place;
mod promote;
#[cfg(test)]
mod tests;

use crate::model::queries::LogQuery;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Desk, key_check};
use crate::backup_file::{self, Manifest, SEALED_KEY};
use crate::clock::{Clock, Timestamp};
use crate::desk::sign_in::Attempt;
use crate::error::{Error, Kind, Result};
use crate::model::database::Closed;
use crate::model::{Caller, LogEntry, Mode};
use crate::protocol::age::{self, Identity};
use crate::protocol::credential::{Credential, Subject};
use crate::protocol::login_key::{self, SigningKey};
use crate::secret::{Keys, Secret};
use crate::store::{self, Contents, DATABASE_FILE, KEY_FILE, Store};
pub use place::unfinished;
pub use promote::{Promoted, promote};

const OPERATION: &str = "backup.restore";
/// How long the login key lives that a restored database is tried with, in seconds.
const TRIED_SECONDS: i64 = 60;
/// The rows of the old access log that the operators are shown at most.
const ROWS_SHOWN: usize = 500;
/// The newest rows of the old access log among which they are looked for.
const ROWS_READ: u32 = 100_000;
/// Operations of the access log that change nothing which a restore could undo.
const UNDOES_NOTHING: [&str; 9] = [
    "sign-in.",
    "sign-out.",
    "login-key.",
    "console.",
    "backup.",
    "access-log.",
    "user.export",
    "sso.test",
    "sso.re-judge",
];

/// How far a backup was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// It was restored, is sound, and a login key was checked in it.
    LoginKeyChecked,
    /// It was restored, is sound, and its key opens it; nobody in it can sign in by a login key.
    KeyFits,
    /// It was restored and is sound; its key was not at hand.
    WithoutKey,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proof::LoginKeyChecked => "restored and checked, with a login key",
            Proof::KeyFits => "restored and checked, with its key; nobody in it signs in by login key",
            Proof::WithoutKey => "restored and checked, without its key",
        })
    }
}

/// A backup whose parts stand in a directory, as its manifest says.
pub struct Unpacked {
    directory: PathBuf,
    manifest: Manifest,
    mode: Mode,
}

/// A backup that was unpacked and found whole. The database is open.
pub struct Proven {
    pub manifest: Manifest,
    pub mode: Mode,
    pub proof: Proof,
    store: Store,
}

/// What an operator should know after a restore.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// RFC 3339.
    pub backup_made_at: String,
    pub restored_at: String,
    /// Whether the access log of the lost appliance could be read.
    pub old_log_read: bool,
    /// Changes since the backup that may have been undone, newest first, at most 500.
    pub undone: Vec<Undone>,
}

impl Report {
    /// Reads what was kept in the database. What cannot be read is that of another program; that there was a restore is told all
    /// the same.
    pub fn of_json(text: &str) -> Report {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// A change that the old access log names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undone {
    pub at: String,
    pub actor: String,
    pub operation: String,
    pub subject: String,
}

/// A restored data directory.
#[derive(Debug)]
pub struct Restored {
    pub manifest: Manifest,
    pub proof: Proof,
    pub report: Report,
    /// Why the access log of the lost appliance could not be read, where it was named.
    pub old_log_unread: Option<String>,
}

/// Where the key of a backup comes from.
#[derive(Clone, Copy)]
pub enum KeySource<'a> {
    /// It is not at hand.
    Absent,
    /// A copy of the key file.
    File(&'a Path),
    /// The key file in the backup, which this identity opens.
    Sealed(&'a Identity),
}

/// Unpacks `file` into the empty directory `directory` and compares what stands there with the manifest.
///
/// # Errors
/// Those of [`backup_file::read`]; `Invalid` with code `backup_damaged` when the database does not hold what the manifest
/// says; `Denied` with code `newer_schema` when it is of a newer program.
pub fn unpack(file: &Path, directory: &Path) -> Result<Unpacked> {
    let manifest = backup_file::read(file, directory)?;
    let Contents { schema, mode, rows } = store::contents(&directory.join(DATABASE_FILE))?;
    let other = |what: &str| {
        let public = format!(
            "The backup {} is damaged: its database has other {what} than its manifest says.",
            file.display()
        );
        Error::new(Kind::Invalid, "backup_damaged", public)
    };
    if schema != manifest.schema || mode.as_str() != manifest.mode {
        return Err(other("stamps"));
    }
    if rows != manifest.rows {
        return Err(other("rows"));
    }
    Ok(Unpacked { directory: directory.to_owned(), manifest, mode })
}

impl Unpacked {
    /// The key from `source`, with the content of its file.
    ///
    /// # Errors
    /// Those of [`Keys::read_kept`] and [`age::open`]; `NotFound` with code `no_key_inside` when the backup holds no key file.
    pub fn key(&self, source: KeySource<'_>) -> Result<Option<(Keys, Secret)>> {
        match source {
            KeySource::Absent => Ok(None),
            KeySource::File(path) => Keys::read_kept(path).map(Some),
            KeySource::Sealed(identity) => {
                if self.manifest.key_sealed_to.is_none() {
                    let public =
                        "No key file is in this backup. Give the copy that was kept elsewhere with --key.";
                    return Err(Error::not_found("no_key_inside", public));
                }
                let sealed = std::fs::read(self.directory.join(SEALED_KEY))
                    .map_err(|e| Error::fault("sealed_key", e.to_string()))?;
                let master = age::open(identity, &sealed)?;
                Keys::of_master(&master).map(|keys| Some((keys, master)))
            }
        }
    }

    /// Opens the database and checks all of it; with keys, that they open it, and that a login key made from it signs
    /// somebody in.
    ///
    /// # Errors
    /// `Denied` with code `key_file_of_another` for keys of another database; `Invalid` with code `backup_damaged`; those
    /// of opening a database.
    pub fn prove(self, keys: Option<Keys>) -> Result<Proven> {
        let Unpacked { directory, manifest, mode } = self;
        if let Some(keys) = &keys
            && keys.name != manifest.key
        {
            let public =
                format!("The backup needs the key {}; the key given is {}.", manifest.key, keys.name);
            return Err(Error::new(Kind::Denied, "key_file_of_another", public));
        }
        let judge = |reader: &store::Reader<'_>| match &keys {
            Some(keys) => key_check::belongs(keys, Path::new(KEY_FILE), reader),
            None => Ok(()),
        };
        let (store, _) = Store::open_beside(&directory, judge)?;
        let proof = prove_store(&directory, &store, mode, keys)?;
        Ok(Proven { manifest, mode, proof, store })
    }
}

/// Checks the whole database, and with keys, that a login key made from it signs somebody in.
fn prove_store(directory: &Path, store: &Store, mode: Mode, keys: Option<Keys>) -> Result<Proof> {
    let clock = Clock::system();
    if let Some(damage) = store.check_whole(clock.now())?.damage {
        let public =
            format!("The backup's database fails its integrity check ({damage}). Take another backup.");
        return Err(Error::new(Kind::Invalid, "backup_damaged", public));
    }
    let Some(keys) = keys else { return Ok(Proof::WithoutKey) };
    let desk = Desk::over(directory, store.clone(), keys, mode, clock, false)?;
    Ok(if a_login_key_signs_in(&desk)? { Proof::LoginKeyChecked } else { Proof::KeyFits })
}

/// When the newest row of the access log was written.
fn newest_change(store: &Store) -> Result<Option<Timestamp>> {
    let query = LogQuery { limit: 1, ..LogQuery::default() };
    store.read(|r| r.log_rows(&query)).map(|rows| rows.first().map(|row| row.at))
}

/// Makes a login key for somebody in the database and signs in by it; `false` when there is nobody to try.
fn a_login_key_signs_in(desk: &Desk) -> Result<bool> {
    let Some((group, puid)) = desk.ground.store.read(|r| r.somebody_with_a_login_key())? else {
        return Ok(false);
    };
    let now = desk.clock().now();
    let api_key = desk.ground.store.read(|r| desk.sign_in.api_keys(r, group))?.current;
    let expiry = now.plus_seconds(TRIED_SECONDS).seconds();
    // Made here and not by the workbench, which notes each key in the access log.
    let key = api_key.and_then(|key| login_key::make(&SigningKey::new(key.expose()), group, &puid, expiry));
    let Some(key) = key else { return Ok(false) };
    let host = Caller::host();
    let subject = Subject::Partner { group, puid, other_readings: Vec::new() };
    let credential = Credential::LoginKey { subject, key: key.into() };
    let attempt = Attempt { caller: &host, credential: &credential, group: Some(group), surface: "restore" };
    desk.sign_in.identify(&attempt).map(|_| true)
}

/// Restores `file` into the data directory `to`, which must hold no database. `key` says where the key file is, where it
/// does not stand in `to` already; `old` is the data directory of the lost appliance, where it can still be read.
///
/// Whole or not at all: a restore that is interrupted leaves a directory on which no server starts ([`unfinished`]), and
/// the next restore begins again. The caller keeps servers and other restores off `to`.
///
/// # Errors
/// `Conflict` with code `restore_over_data`; `Fault` with code `cannot_restore`; those of [`unpack`] and
/// [`Unpacked::key`] and [`Unpacked::prove`].
pub fn restore(file: &Path, to: &Path, key: KeySource<'_>, old: Option<&Path>) -> Result<Restored> {
    let place = place::Place::open(to)?;
    let own = to.join(KEY_FILE);
    let key = match key {
        KeySource::Absent if own.exists() => KeySource::File(&own),
        named => named,
    };
    let unpacked = unpack(file, place.stage())?;
    let (keys, master) = unpacked.key(key)?.unzip();
    let proven = unpacked.prove(keys)?;
    let restored = proven.begin_anew(file, old)?;
    place.fill(&restored.manifest, master.as_ref())?;
    Ok(restored)
}

impl Proven {
    /// Ends what was handed out before, notes the restore in the access log, and closes the database.
    fn begin_anew(self, file: &Path, old: Option<&Path>) -> Result<Restored> {
        let Proven { manifest, proof, store, .. } = self;
        let now = Clock::system().now();
        let made_at = Timestamp(manifest.made_at);
        let old_log = old.map(|old| undone_since(old, made_at));
        let (undone, old_log_unread) = match old_log {
            Some(Ok(undone)) => (Some(undone), None),
            Some(Err(error)) => (None, Some(error.public)),
            None => (None, None),
        };
        let report = Report {
            backup_made_at: made_at.to_string(),
            restored_at: now.to_string(),
            old_log_read: undone.is_some(),
            undone: undone.unwrap_or_default(),
        };
        let text =
            serde_json::to_string(&report).map_err(|e| Error::fault("restore_report", e.to_string()))?;
        let detail = format!("from a backup of {made_at}");
        let entry = LogEntry::done(&Caller::host(), None, OPERATION, file.to_string_lossy(), detail);
        store.write(now, move |w| {
            w.begin_after_restore(&text)?;
            w.log(&entry)
        })?;
        match store.close() {
            Some(Closed::Whole) => Ok(Restored { manifest, proof, report, old_log_unread }),
            closed => Err(Error::fault("restored_not_closed", format!("{closed:?}"))),
        }
    }
}

/// The changes that the access log of the data directory `old` names since `since`, newest first.
fn undone_since(old: &Path, since: Timestamp) -> Result<Vec<Undone>> {
    let query = LogQuery { from: Some(since), refused: Some(false), limit: ROWS_READ, ..LogQuery::default() };
    let rows = store::read_lost(old, |r| r.log_rows(&query))?;
    let changes =
        rows.into_iter().filter(|row| !UNDOES_NOTHING.iter().any(|none| row.operation.starts_with(none)));
    let undone = changes.take(ROWS_SHOWN).map(|row| Undone {
        at: row.at.to_string(),
        actor: row.actor,
        operation: row.operation,
        subject: row.subject,
    });
    Ok(undone.collect())
}
