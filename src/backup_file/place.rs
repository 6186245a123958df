//! The directory that backups are written to: whether it can take one is found out before anything is written.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{fstatvfs, statfs};

use crate::error::{Error, Kind, Result};

/// What a backup needs besides the copy of the database and the database that is restored to check it, in bytes.
const SPARE: u64 = 64 << 20;
/// How the names of work directories begin. One that is found later was left behind by a process that was killed.
const WORK: &str = ".sidelight-backup-";
/// Types of file systems that lie on another machine (`statfs(2)`), on which SQLite's locks cannot be trusted.
const NETWORK: [(i64, &str); 5] =
    [(0x6969, "NFS"), (0x517b, "SMB"), (0xff53_4d42, "CIFS"), (0xfe53_4d42, "SMB2"), (0x0102_1997, "9P")];

/// The network file system that `directory` lies on, such as `NFS`, or will lie on when it is made; `None` on a disk of this
/// machine, and where the system does not say.
pub fn network(directory: &Path) -> Option<&'static str> {
    let directory = std::path::absolute(directory).ok()?;
    let found = directory.ancestors().find_map(|directory| statfs(directory).ok())?.f_type;
    NETWORK.iter().find(|(number, _)| *number == found).map(|(_, name)| *name)
}

/// A directory that takes a backup; nobody else writes one there meanwhile.
pub struct Place {
    directory: PathBuf,
    /// Locked until it is closed.
    held: File,
}

/// A directory to work in, deleted with all that stands in it when dropped.
pub struct Work(PathBuf);

impl Place {
    /// Opens `directory`, which is made if only its last part is missing, and deletes what killed processes left in it.
    ///
    /// # Errors
    /// `Denied` with code `backup_place` when it cannot be written to, `backup_place_is_data` for the data directory
    /// itself; `Unavailable` with code `backup_busy` while another process writes a backup there.
    pub fn open(directory: &Path, data: &Path) -> Result<Place> {
        let unusable = |e: &std::io::Error| {
            let public = format!("No backup can be written to {}: {e}.", directory.display());
            Error::new(Kind::Denied, "backup_place", public)
        };
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(unusable(&e)),
            _ => {}
        }
        let directory = directory.canonicalize().map_err(|e| unusable(&e))?;
        if data.canonicalize().is_ok_and(|data| data == directory) {
            let public =
                "Backups need a directory of their own, best on another disk: not the data directory itself.";
            return Err(Error::new(Kind::Denied, "backup_place_is_data", public));
        }
        let held = File::open(&directory).map_err(|e| unusable(&e))?;
        match held.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let public =
                    format!("Another process writes a backup to {}. Try again later.", directory.display());
                return Err(Error::new(Kind::Unavailable, "backup_busy", public));
            }
            // A network file system may know no locks; names are taken once all the same.
            Err(std::fs::TryLockError::Error(_)) => {}
        }
        let place = Place { directory, held };
        place.forget_killed().map_err(|e| unusable(&e))?;
        Ok(place)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Refuses when there is no room for a backup of a database of so many bytes.
    ///
    /// # Errors
    /// `Unavailable` with code `backup_no_room`.
    pub fn has_room(&self, database_bytes: u64) -> Result<()> {
        // The copy of the database, then the backup with the restored database.
        let needed = database_bytes.saturating_mul(2).saturating_add(SPARE);
        match fstatvfs(&self.held) {
            Ok(disk) if disk.f_bavail.saturating_mul(disk.f_frsize) < needed => {
                let free = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
                let public = format!(
                    "{} has {free} MiB of free space; a backup needs {} MiB while it is made and checked.",
                    self.directory.display(),
                    needed >> 20
                );
                Err(Error::new(Kind::Unavailable, "backup_no_room", public))
            }
            // A file system that does not say is tried.
            _ => Ok(()),
        }
    }

    /// Makes a directory to work in.
    ///
    /// # Errors
    /// `Denied` with code `backup_place`.
    pub fn work(&self) -> Result<Work> {
        let path = self.directory.join(format!("{WORK}{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|e| {
            let public = format!("No backup can be written to {}: {e}.", self.directory.display());
            Error::new(Kind::Denied, "backup_place", public)
        })?;
        Ok(Work(path))
    }

    fn forget_killed(&self) -> std::io::Result<()> {
        for found in self.directory.read_dir()? {
            let found = found?;
            let name = found.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(WORK) {
                std::fs::remove_dir_all(found.path())?;
            } else if name.starts_with(".sidelight-") && name.ends_with(".partial") {
                std::fs::remove_file(found.path())?;
            }
        }
        Ok(())
    }
}

impl Work {
    /// A directory of its own inside `around`, which is for files that nobody needs for long.
    ///
    /// # Errors
    /// `Fault` with code `cannot_restore` when it cannot be made.
    pub fn temporary(around: &Path) -> Result<Work> {
        let path =
            around.join(format!("{WORK}{}-{}", std::process::id(), crate::secret::random_token::<6>()?));
        DirBuilder::new().mode(0o700).create(&path).map_err(|e| {
            let public = format!("Nothing can be unpacked into {}: {e}.", around.display());
            Error::new(Kind::Fault, "cannot_restore", public)
        })?;
        Ok(Work(path))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A directory with this name in it, made.
    ///
    /// # Errors
    /// What the system says.
    pub fn directory(&self, name: &str) -> std::io::Result<PathBuf> {
        let path = self.0.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(path)
    }

    /// A file with this name in it, which need not be there.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_killed_backup_left_is_deleted_and_nothing_else() {
        let around = tempfile::tempdir().unwrap();
        let place = around.path().join("backups");
        std::fs::create_dir_all(place.join(".sidelight-backup-1/inside")).unwrap();
        for name in [".sidelight-2026.tar.1.partial", "sidelight-2026.tar", "other", ".other.partial"] {
            std::fs::write(place.join(name), "").unwrap();
        }
        Place::open(&place, around.path()).unwrap();
        let mut left: Vec<_> = place.read_dir().unwrap().map(|f| f.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".other.partial", "other", "sidelight-2026.tar"]);
    }

    #[test]
    fn two_at_once_the_data_directory_and_a_place_without_rights_are_refused() {
        let around = tempfile::tempdir().unwrap();
        let (data, place) = (around.path().join("data"), around.path().join("backups"));
        std::fs::create_dir(&data).unwrap();
        let code = |place: &Path| Place::open(place, &data).err().map(|e| e.code);
        assert_eq!(code(&data), Some("backup_place_is_data"));
        assert_eq!(code(&around.path().join("absent/backups")), Some("backup_place"));
        let held = Place::open(&place, &data).unwrap();
        assert_eq!(code(&place), Some("backup_busy"));
        assert_eq!(held.has_room(u64::MAX).unwrap_err().code, "backup_no_room");
        assert!(held.has_room(1).is_ok());
        drop(held);
        assert_eq!(code(&place), None);
    }

    #[test]
    fn what_was_worked_on_is_gone_when_the_work_ends() {
        let around = tempfile::tempdir().unwrap();
        let place = Place::open(&around.path().join("backups"), around.path()).unwrap();
        let work = place.work().unwrap();
        std::fs::write(work.directory("in").unwrap().join("file"), "x").unwrap();
        drop(work);
        assert_eq!(place.directory().read_dir().unwrap().count(), 0);
    }
}
