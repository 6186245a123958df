//! Backups: everything that an appliance is, in one file, which counts only after it was restored.

use std::path::{Path, PathBuf};

use super::restore::{self, Proof};
use super::{Desk, keys_in};
use crate::backup_file::place::{Place, Work};
use crate::backup_file::{self, Manifest};
use crate::clock::{Clock, Timestamp};
use crate::desk::ground::permission;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, LogEntry};
use crate::store::{self, DATABASE_FILE};
use crate::whole_file::{Existing, WholeFile};

const OPERATION: &str = "backup.take";
/// The self-signed certificate and its key in a data directory, or copies of those that were configured.
const CERTIFICATE: &str = "tls-certificate.pem";
const CERTIFICATE_KEY: &str = "tls-key.pem";

/// What belongs to the appliance beside its database.
#[derive(Debug, Clone)]
pub struct Belongings {
    /// The data directory.
    pub data: PathBuf,
    /// Certificate and key, where they lie outside of the data directory.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// A backup that was made, restored and found whole.
#[derive(Debug, Clone)]
pub struct Backup {
    pub file: PathBuf,
    pub bytes: u64,
    pub manifest: Manifest,
    pub proof: Proof,
    /// The network file system that it lies on, if it does.
    pub network: Option<&'static str>,
}

impl Desk {
    /// Writes a backup into the directory `to`, restores it into an empty directory and checks what came back; only then
    /// does it get its name. Sign-ins go on meanwhile. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; those of [`Place::open`] and [`Place::has_room`]; those of [`restore`] when what
    /// was written does not come back whole; `Fault` with code `cannot_back_up`. Nothing is left behind.
    pub fn back_up(&self, caller: &Caller, belongings: &Belongings, to: &Path) -> Result<Backup> {
        let attempt = || {
            permission::run_appliance(caller)?;
            self.backed_up(belongings, to)
        };
        let outcome = self.ground.logging_refusal(caller, None, OPERATION, &to.to_string_lossy(), attempt());
        let now = self.ground.clock.now();
        match &outcome {
            Ok(backup) => {
                let detail = format!("{} bytes, {}", backup.bytes, backup.proof);
                let file = backup.file.to_string_lossy();
                self.ground.store.log(now, LogEntry::done(caller, None, OPERATION, file, detail))?;
            }
            Err(error) if error.kind == Kind::Fault || error.kind == Kind::Unavailable => {
                let entry = LogEntry::refused(
                    caller,
                    None,
                    OPERATION,
                    to.to_string_lossy(),
                    error.code,
                    error.to_string(),
                );
                self.ground.store.log(now, entry)?;
            }
            // A refusal has its row.
            Err(_) => {}
        }
        outcome
    }

    fn backed_up(&self, belongings: &Belongings, to: &Path) -> Result<Backup> {
        let place = Place::open(to, &belongings.data)?;
        let database = belongings.data.join(DATABASE_FILE);
        place.has_room(database.metadata().map_or(0, |file| file.len()))?;
        let work = place.work()?;
        // A lab's clock is not the time at which somebody looks for a backup.
        let made_at = Clock::system().now();
        let copy = work.file(DATABASE_FILE);
        self.ground.store.copy_to(&copy)?;
        let mut file = WholeFile::begin(&place.directory().join(file_name(made_at)), 0o600, Existing::Keep)
            .map_err(|e| cannot(to, &e))?;
        let manifest = self.written(&mut file, &copy, belongings, made_at).map_err(|e| cannot(to, &e))??;
        std::fs::remove_file(&copy).map_err(|e| cannot(to, &e))?;
        let written = file.flushed().map_err(|e| cannot(to, &e))?;
        let proof = self.proven(written, &work, belongings)?;
        let bytes = written.metadata().map_err(|e| cannot(to, &e))?.len();
        file.keep().map_err(|e| cannot(to, &e))?;
        let file = place.directory().join(file_name(made_at));
        Ok(Backup { file, bytes, manifest, proof, network: place.network() })
    }

    fn written(
        &self,
        out: &mut WholeFile,
        copy: &Path,
        belongings: &Belongings,
        made_at: Timestamp,
    ) -> std::io::Result<Result<Manifest>> {
        let contents = match store::contents(copy) {
            Ok(contents) => contents,
            Err(error) => return Ok(Err(error)),
        };
        let name = self.ground.keys.name.clone();
        let manifest = Manifest::new(made_at.0, contents.mode.as_str(), contents.schema, contents.rows, name);
        let own = || (belongings.data.join(CERTIFICATE), belongings.data.join(CERTIFICATE_KEY));
        let (certificate, key) = belongings.tls.clone().unwrap_or_else(own);
        let mut parts = vec![(DATABASE_FILE, copy)];
        // A server behind a proxy has none.
        if certificate.exists() && key.exists() {
            parts.extend([(CERTIFICATE, certificate.as_path()), (CERTIFICATE_KEY, key.as_path())]);
        }
        backup_file::write(out, manifest, &parts).map(Ok)
    }

    fn proven(&self, file: &Path, work: &Work, belongings: &Belongings) -> Result<Proof> {
        let directory = work.directory("restored").map_err(|e| cannot(file, &e))?;
        restore::unpack(file, &directory)?.prove(Some(keys_in(&belongings.data)?)).map(|proven| proven.proof)
    }
}

fn file_name(made_at: Timestamp) -> String {
    let text: String = made_at.to_string().chars().filter(|c| *c != ':').collect();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("sidelight-{seconds}Z.backup.tar")
}

fn cannot(to: &Path, error: &std::io::Error) -> Error {
    let public = format!("The backup could not be written to {}: {error}.", to.display());
    Error::new(Kind::Fault, "cannot_back_up", public)
}
