//! What the machine says: room on a disk.
//!
//! Knows paths and numbers, and nothing of what they are for. What the system does not tell is `None`: whoever asks goes
//! on without it.

use std::path::Path;

/// The bytes that are free for this process on the file system that `path` is on.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_there_has_a_disk_and_one_that_is_not_has_none() {
        assert!(free_bytes(Path::new("/")).is_some());
        assert_eq!(free_bytes(Path::new("/no/such/path")), None);
    }
}
