//! The data directory that a restore fills: whole or not at all.
//!
//! All parts are made ready in a directory inside it, and then moved to their places. While that directory stands there, the
//! restore is unfinished.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::backup_file::{Manifest, SEALED_KEY};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::store::{DATABASE_FILE, KEY_FILE};
use crate::whole_file::write_whole;

/// Where the parts are made ready.
const STAGE: &str = ".restoring";
/// Logs of a database that is not there: SQLite would take them for those of the one that is restored.
const LOGS: [&str; 2] = ["sidelight.db-wal", "sidelight.db-shm"];
/// What may stand in the directory besides: the key, and what a server leaves behind.
const NO_DATA: [&str; 4] = [KEY_FILE, "sidelight.lock", "ready.json", "running.json"];

/// A data directory that is being filled.
pub(super) struct Place {
    directory: PathBuf,
    stage: PathBuf,
    /// What stands in the stage is complete, and is being moved.
    complete: std::cell::Cell<bool>,
}

/// Whether a restore into this data directory was interrupted: what stands there is not whole.
pub fn unfinished(data: &Path) -> bool {
    data.join(STAGE).exists()
}

impl Place {
    /// Opens a data directory without data; it is made when it is not there.
    ///
    /// # Errors
    /// `Conflict` with code `restore_over_data`; `Fault` with code `cannot_restore`.
    pub fn open(directory: &Path) -> Result<Place> {
        let stage = directory.join(STAGE);
        let place = Place { directory: directory.to_owned(), stage, complete: false.into() };
        place
            .prepare()
            .map_err(|e| place.failed(&e))?
            .map_or(Ok(()), |found| Err(place.over_data(&found)))?;
        Ok(place)
    }

    /// The directory in which the parts are made ready.
    pub fn stage(&self) -> &Path {
        &self.stage
    }

    /// Gives back what stands in the way, if anything does.
    fn prepare(&self) -> io::Result<Option<String>> {
        if unfinished(&self.directory) {
            // A restore begins only where no data is: what stands there was put there by the one that was interrupted.
            for part in crate::backup_file::PARTS {
                remove(&self.directory.join(part))?;
            }
            std::fs::remove_dir_all(&self.stage)?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let in_the_way = |name: &str| !NO_DATA.contains(&name) && !LOGS.contains(&name);
        for found in self.directory.read_dir()? {
            let name = found?.file_name().to_string_lossy().into_owned();
            if in_the_way(&name) {
                return Ok(Some(name));
            }
        }
        for log in LOGS {
            remove(&self.directory.join(log))?;
        }
        DirBuilder::new().mode(0o700).create(&self.stage)?;
        Ok(None)
    }

    /// Moves the parts of the backup to their places, and writes the key file.
    ///
    /// # Errors
    /// `Fault` with code `cannot_restore`: the restore stays unfinished.
    pub fn fill(&self, manifest: &Manifest, key: Option<&Secret>) -> Result<()> {
        self.complete.set(true);
        self.moved(manifest, key).map_err(|e| self.failed(&e))
    }

    fn moved(&self, manifest: &Manifest, key: Option<&Secret>) -> io::Result<()> {
        if let Some(key) = key {
            write_whole(&self.stage.join(KEY_FILE), key.expose(), 0o600)?;
            std::fs::rename(self.stage.join(KEY_FILE), self.directory.join(KEY_FILE))?;
        }
        for part in manifest.parts.iter().filter(|part| part.name != SEALED_KEY) {
            std::fs::rename(self.stage.join(&part.name), self.directory.join(&part.name))?;
        }
        let directory = File::open(&self.directory)?;
        directory.sync_all()?;
        // From here on it is finished.
        std::fs::remove_dir_all(&self.stage)?;
        directory.sync_all()
    }

    fn over_data(&self, found: &str) -> Error {
        let held = if found == DATABASE_FILE { "holds a database" } else { "is not empty" };
        let public = format!(
            "{} {held} ({found}). Restore into an empty directory, or move what stands there away first.",
            self.directory.display()
        );
        Error::new(Kind::Conflict, "restore_over_data", public)
    }

    fn failed(&self, error: &io::Error) -> Error {
        let public = format!("The backup could not be restored into {}: {error}.", self.directory.display());
        Error::new(Kind::Fault, "cannot_restore", public)
    }
}

impl Drop for Place {
    /// What was refused leaves nothing behind. What was interrupted while it was moved stays, and says so.
    fn drop(&mut self) {
        if !self.complete.get() {
            let _ = std::fs::remove_dir_all(&self.stage);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
