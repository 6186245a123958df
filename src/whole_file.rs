//! Files that are written whole or not at all: under a temporary name beside their place, flushed, then renamed.
//!
//! A reader never sees half of a file, and a failure leaves what stood there before.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// What happens to a file that stands in the place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new file is not made.
    Keep,
    /// The new file takes its place.
    Replace,
}

/// A file on its way to its place. When it is dropped before [`WholeFile::keep`], nothing of it remains.
pub struct WholeFile {
    file: File,
    temporary: PathBuf,
    place: PathBuf,
    existing: Existing,
}

impl WholeFile {
    /// Begins a file for `place`. A symbolic link there is followed, and a file there passes its mode on; otherwise
    /// `mode` counts, as far as the process's mask lets it.
    ///
    /// # Errors
    /// `AlreadyExists` where a file is to be kept; what the system says when the file cannot be made.
    pub fn begin(place: &Path, mode: u32, existing: Existing) -> io::Result<WholeFile> {
        // `symlink_metadata`: a link that leads nowhere occupies the place too.
        if existing == Existing::Keep && place.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        let Some(name) = place.file_name() else { return Err(ErrorKind::IsADirectory.into()) };
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.partial", std::process::id()));
        let temporary = place.with_file_name(hidden);
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        let whole = WholeFile { file, temporary, place, existing };
        if let Ok(before) = whole.place.metadata() {
            whole.file.set_permissions(PermissionsExt::from_mode(before.permissions().mode()))?;
        }
        Ok(whole)
    }

    /// Where the file stands until [`WholeFile::keep`], flushed: for the one who checks it before it counts.
    ///
    /// # Errors
    /// What the system says.
    pub fn flushed(&self) -> io::Result<&Path> {
        self.file.sync_all()?;
        Ok(&self.temporary)
    }

    /// Flushes the file and moves it to its place.
    ///
    /// # Errors
    /// `AlreadyExists` when a file to be kept has appeared there meanwhile; what the system says.
    pub fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        match self.existing {
            Existing::Replace => std::fs::rename(&self.temporary, &self.place)?,
            Existing::Keep => rename_to_a_free_name(&self.temporary, &self.place)?,
        }
        let directory = self.place.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // After the renaming there is none.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

fn rename_to_a_free_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can rename under this condition.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if to.symlink_metadata().is_err() => {
            std::fs::rename(from, to)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(ErrorKind::AlreadyExists.into()),
        other => Ok(other?),
    }
}

/// Writes `content` to `place`, in place of what stands there.
///
/// # Errors
/// What the system says.
pub fn write_whole(place: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = WholeFile::begin(place, mode, Existing::Replace)?;
    file.write_all(content)?;
    file.keep()
}

/// Whether writing to `path` would touch `directory`: it lies inside, directly or through links, or it is another
/// name of a file that lies inside.
pub fn touches(directory: &Path, path: &Path) -> bool {
    let Ok(directory) = directory.canonicalize() else { return false };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = |path: &Path| path.canonicalize().is_ok_and(|path| path.starts_with(&directory));
    // A link that leads nowhere yet is judged by where it leads.
    let led = path.read_link().ok().map(|link| parent.join(link));
    let led_inside = led.as_deref().and_then(Path::parent).is_some_and(inside);
    if inside(parent) || inside(path) || led_inside {
        return true;
    }
    let Ok(files) = directory.read_dir() else { return false };
    files.flatten().any(|file| same_file(&file.path(), path))
}

/// Whether two paths lead to one file.
pub fn same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|file| (file.dev(), file.ino()));
    identity(one).is_some_and(|found| Some(found) == identity(other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_is_not_finished_leaves_what_stood_there() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("f");
        std::fs::write(&place, "before").unwrap();
        let mut begun = WholeFile::begin(&place, 0o600, Existing::Replace).unwrap();
        begun.write_all(b"half").unwrap();
        drop(begun);
        assert_eq!(std::fs::read(&place).unwrap(), b"before");
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("f");
        let mut begun = WholeFile::begin(&place, 0o600, Existing::Keep).unwrap();
        begun.write_all(b"mine").unwrap();
        std::fs::write(&place, "theirs").unwrap();
        assert_eq!(begun.keep().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&place).unwrap(), b"theirs");
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_the_link_that_leads_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let (place, link) = (directory.path().join("f"), directory.path().join("link"));
        std::fs::write(&place, "before").unwrap();
        std::fs::set_permissions(&place, PermissionsExt::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("f", &link).unwrap();
        write_whole(&link, b"after", 0o600).unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"after");
        assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn a_path_touches_a_directory_by_every_name_of_what_lies_in_it() {
        let around = tempfile::tempdir().unwrap();
        let (data, out) = (around.path().join("data"), around.path().join("out"));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(data.join("key"), "k").unwrap();
        std::os::unix::fs::symlink(&data, out.join("folder")).unwrap();
        std::os::unix::fs::symlink(data.join("key"), out.join("linked")).unwrap();
        std::os::unix::fs::symlink("../data/none", out.join("dangling")).unwrap();
        std::fs::hard_link(data.join("key"), out.join("hard")).unwrap();
        std::fs::write(out.join("own"), "o").unwrap();
        for touching in ["folder/new", "linked", "dangling", "hard", "../data/new", "folder"] {
            assert!(touches(&data, &out.join(touching)), "{touching}");
        }
        for free in ["own", "new", "absent/new"] {
            assert!(!touches(&data, &out.join(free)), "{free}");
        }
    }
}
