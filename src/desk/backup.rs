//! Backups: everything that an appliance is, in one file, which counts only after it was restored.

mod key;
mod plan;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use super::restore::{self, Proof};
use super::{Desk, keys_in};
use crate::backup_file::place::Place;
use crate::backup_file::{self, Manifest, SEALED_KEY};
use crate::clock::{Clock, Timestamp};
use crate::desk::ground::permission;
use crate::error::{Error, Kind, Result};
use crate::model::backup::{BackupPlan, BackupRecord};
use crate::model::database::LostLog;
use crate::model::{Caller, LogEntry, Mode};
use crate::protocol::age::{self, Recipient};
use crate::secret::Keys;
use crate::store::{self, Contents, DATABASE_FILE, KEY_FILE, Reader};
use crate::whole_file::{Existing, WholeFile};

const OPERATION: &str = "backup.take";
/// The directory inside the data directory that takes backups when none is named.
pub const DIRECTORY: &str = "backups";
/// Stands in the name of a backup before the version of the schema that it has.
const BEFORE_UPGRADE: &str = ".before-upgrade-of-schema-";
/// The self-signed certificate and its key in a data directory, or copies of those that were configured.
const CERTIFICATE: &str = "tls-certificate.pem";
const CERTIFICATE_KEY: &str = "tls-key.pem";

/// How backups of this appliance are made.
#[derive(Default)]
pub(super) struct Settings {
    /// Certificate and key, where they lie outside of the data directory.
    tls: OnceLock<(PathBuf, PathBuf)>,
    plan: OnceLock<BackupPlan>,
    /// When the backup began that is being made.
    running: Mutex<Option<Timestamp>>,
}

/// A backup that was made, restored and found whole.
#[derive(Debug, Clone)]
pub struct Backup {
    pub file: PathBuf,
    pub bytes: u64,
    pub manifest: Manifest,
    pub proof: Proof,
}

impl Desk {
    /// Says where certificate and key lie, when it is outside of the data directory. The first call counts.
    pub fn set_tls_files(&self, certificate: PathBuf, key: PathBuf) {
        let _ = self.backups.tls.set((certificate, key));
    }

    /// Writes a backup into the directory `to`, restores it into an empty directory and checks what came back; only then
    /// does it get its name. Sign-ins go on meanwhile. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; those of [`Place::open`] and [`Place::has_room`]; those of [`restore`] when what
    /// was written does not come back whole; `Fault` with code `cannot_back_up`. Nothing is left behind.
    pub fn back_up(&self, caller: &Caller, to: &Path) -> Result<Backup> {
        let permitted = permission::run_appliance(caller);
        self.ground.logging_refusal(caller, None, OPERATION, &to.to_string_lossy(), permitted)?;
        self.recorded(caller, to, false, self.backed_up(to))
    }

    /// Keeps what came of a backup, with its row of the access log.
    fn recorded(&self, caller: &Caller, to: &Path, planned: bool, outcome: Result<Backup>) -> Result<Backup> {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let (entry, record) = match &outcome {
            Ok(backup) => {
                let said = backup.proof.to_string();
                let detail = format!("{} bytes, {said}", backup.bytes);
                let entry = LogEntry::done(caller, None, OPERATION, shown(&backup.file), detail);
                (entry, (shown(&backup.file), backup.bytes, None, said))
            }
            Err(error) => {
                let entry =
                    LogEntry::refused(caller, None, OPERATION, shown(to), error.code, error.to_string());
                (entry, (shown(to), 0, Some(error.code.to_owned()), error.public.clone()))
            }
        };
        let (file, bytes, code, said) = record;
        let record = BackupRecord { ended_at: Clock::system().now(), file, bytes, code, said, planned };
        let noted = self.ground.store.write(self.ground.clock.now(), move |w| {
            w.insert_backup(&record)?;
            w.log(&entry)
        });
        // Why there is no backup says more than why that could not be noted, which often has the same cause.
        let backup = outcome?;
        noted.map(|()| backup)
    }

    /// Keeps, and notes in the access log, the backup that was made before the upgrade.
    pub(super) fn note_backup(&mut self, backup: Option<Backup>) -> Result<()> {
        let Some(backup) = backup else { return Ok(()) };
        let detail = format!("before the upgrade of schema {}, {}", backup.manifest.schema, backup.proof);
        let entry = LogEntry::done(&Caller::host(), None, OPERATION, backup.file.to_string_lossy(), detail);
        self.ground.store.log(self.ground.clock.now(), entry)?;
        self.backup_before_upgrade = Some(backup);
        Ok(())
    }

    fn backed_up(&self, to: &Path) -> Result<Backup> {
        let place = Place::open(to, &self.data)?;
        // A lab's clock is not the time at which somebody looks for a backup.
        let made_at = Clock::system().now();
        let recipient = self.ground.store.read(|r| r.key_recipient())?;
        let making = Making {
            place: &place,
            data: &self.data,
            tls: self.backups.tls.get(),
            key: &self.ground.keys.name,
            recipient: recipient.as_deref().map(Recipient::parse).transpose()?,
            made_at,
        };
        making.made("", |copy| self.ground.store.copy_to(copy))
    }
}

/// Makes a backup before the database in `data` is brought to the schema of this program, so that the older program can be
/// gone back to; the upgrade is tried on it. `None` where there is nothing to bring up to date.
///
/// # Errors
/// Those of [`Desk::back_up`] and of opening the database; the upgrade must not begin then.
pub(super) fn before_upgrade(
    data: &Path,
    mode: Option<Mode>,
    lost_log: LostLog,
    judge: impl Fn(&Reader<'_>) -> Result<()>,
) -> Result<Option<Backup>> {
    let old = store::schema_to_upgrade(data, mode, lost_log, judge)
        .map_err(|error| with_the_way_back(data, error))?;
    let Some(schema) = old else { return Ok(None) };
    let place = Place::open(&data.join(DIRECTORY), data)?;
    let keys = keys_in(data)?;
    let made_at = Clock::system().now();
    let before = format!("{BEFORE_UPGRADE}{schema}");
    // The key file stays beside it, in the data directory.
    let making = Making { place: &place, data, tls: None, key: &keys.name, recipient: None, made_at };
    making.made(&before, |copy| store::copy_before_upgrade(data, copy)).map(Some).map_err(|error| {
        let public = format!(
            "The database was not brought up to date, and stays as it was: the backup that is made first, and the upgrade \
             that is tried on it, failed. {} Run the older program meanwhile.{}",
            error.public,
            if error.code == "backup_no_room" { " Or start once with --upgrade-without-backup." } else { "" }
        );
        Error { public, ..error }
    })
}

/// Adds to the refusal of a database that is too new how to go back: the newest backup that this program can read.
fn with_the_way_back(data: &Path, error: Error) -> Error {
    if error.code != store::NEWER_SCHEMA {
        return error;
    }
    let files = data.join(DIRECTORY).read_dir().into_iter().flatten().flatten();
    let readable = files.filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        let (_, schema) = name.strip_suffix(".backup.tar")?.split_once(BEFORE_UPGRADE)?;
        (schema.parse::<i32>().ok()? <= store::SCHEMA_VERSION).then_some(name)
    });
    // The moment stands first in a name.
    let Some(newest) = readable.max() else { return error };
    let public = format!(
        "{} To go back to this version, and lose what was changed since: sidelight restore {} --data NEW-DIRECTORY --key {}",
        error.public,
        data.join(DIRECTORY).join(newest).display(),
        data.join(KEY_FILE).display()
    );
    Error { public, ..error }
}

/// A backup that is being made.
struct Making<'a> {
    place: &'a Place,
    data: &'a Path,
    tls: Option<&'a (PathBuf, PathBuf)>,
    /// The name of the key.
    key: &'a str,
    /// To whom the key file is sealed into the backup.
    recipient: Option<Recipient>,
    made_at: Timestamp,
}

impl Making<'_> {
    /// Has `copy` write the database, makes the backup of it, and gives it its name when it was proven.
    /// `kind` stands in the name behind the moment.
    fn made(&self, kind: &str, copy: impl FnOnce(&Path) -> Result<()>) -> Result<Backup> {
        let to = self.place.directory();
        let failed = |e: &std::io::Error| cannot(to, e);
        let database = self.data.join(DATABASE_FILE);
        self.place.has_room(database.metadata().map_or(0, |file| file.len()))?;
        let work = self.place.work()?;
        let copied = work.file(DATABASE_FILE);
        copy(&copied)?;
        let sealed = work.file(SEALED_KEY);
        let sealed = match &self.recipient {
            Some(recipient) => {
                self.seal_key(recipient, &sealed).map(|()| Some((recipient, sealed.as_path())))?
            }
            None => None,
        };
        let file = self.free_name(kind);
        let mut out = WholeFile::begin(&file, 0o600, Existing::Keep).map_err(|e| failed(&e))?;
        let manifest =
            self.written(&mut out, &copied, store::contents(&copied)?, sealed).map_err(|e| failed(&e))?;
        std::fs::remove_file(&copied).map_err(|e| failed(&e))?;
        let written = out.flushed().map_err(|e| failed(&e))?;
        let restored = work.directory("restored").map_err(|e| failed(&e))?;
        let keys = keys_in(self.data)?;
        let proof = restore::unpack(written, &restored)?.prove(Some(keys))?.proof;
        let bytes = written.metadata().map_err(|e| failed(&e))?.len();
        out.keep().map_err(|e| failed(&e))?;
        Ok(Backup { file, bytes, manifest, proof })
    }

    fn seal_key(&self, recipient: &Recipient, to: &Path) -> Result<()> {
        let (_, master) = Keys::read_kept(&self.data.join(KEY_FILE))?;
        std::fs::write(to, age::seal(recipient, &master)?).map_err(|e| cannot(self.place.directory(), &e))
    }

    fn written(
        &self,
        out: &mut WholeFile,
        copied: &Path,
        contents: Contents,
        sealed_key: Option<(&Recipient, &Path)>,
    ) -> std::io::Result<Manifest> {
        let Contents { schema, mode, rows } = contents;
        let mut manifest = Manifest::new(self.made_at.0, mode.as_str(), schema, rows, self.key.to_owned());
        let own = || (self.data.join(CERTIFICATE), self.data.join(CERTIFICATE_KEY));
        let (certificate, key) = self.tls.cloned().unwrap_or_else(own);
        let mut parts = vec![(DATABASE_FILE, copied)];
        if let Some((recipient, sealed)) = sealed_key {
            manifest.key_sealed_to = Some(recipient.to_string());
            parts.push((SEALED_KEY, sealed));
        }
        // A server behind a proxy has none.
        if certificate.exists() && key.exists() {
            parts.extend([(CERTIFICATE, certificate.as_path()), (CERTIFICATE_KEY, key.as_path())]);
        }
        backup_file::write(out, manifest, &parts)
    }
}

impl Making<'_> {
    /// The name is that of the moment; of two within a second, the second one has the next second's. Nobody else takes it,
    /// because the place is locked.
    fn free_name(&self, kind: &str) -> PathBuf {
        let name = |seconds: i64| {
            let moment = in_a_name(self.made_at.plus_seconds(seconds));
            self.place.directory().join(format!("sidelight-{moment}{kind}.backup.tar"))
        };
        (0..).map(name).find(|file| !file.exists()).unwrap_or_else(|| name(0))
    }
}

/// `2026-12-01T020000Z`: without what file systems of other machines refuse in a name.
fn in_a_name(moment: Timestamp) -> String {
    let text: String = moment.to_string().chars().filter(|c| *c != ':').collect();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

fn cannot(to: &Path, error: &std::io::Error) -> Error {
    let public = format!("The backup could not be written to {}: {error}.", to.display());
    Error::new(Kind::Fault, "cannot_back_up", public)
}
