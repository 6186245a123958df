//! What the machine says: room on a disk, and what this process takes of it.
//!
//! Knows paths and numbers, and nothing of what they are for. What the system does not tell is `None`: anyone who asks goes
//! on without it.

use std::path::Path;

/// The bytes that are free for this process on the file system that `path` is on.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// What this process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Bytes of memory that are in use.
    pub resident_bytes: u64,
    pub threads: u64,
    /// Files and sockets that are open.
    pub descriptors: u64,
}

/// What this process takes (Linux: proc(5)).
pub fn process() -> Option<Process> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let number = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let descriptors = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(Process {
        resident_bytes: number("VmRSS:")?.saturating_mul(1024),
        threads: number("Threads:")?,
        descriptors: u64::try_from(descriptors).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_there_has_a_disk_and_one_that_is_not_has_none() {
        assert!(free_bytes(Path::new("/")).is_some());
        assert_eq!(free_bytes(Path::new("/no/such/path")), None);
    }

    #[test]
    fn a_process_has_memory_threads_and_descriptors() {
        let process = process();
        assert!(
            process.is_some_and(|p| p.resident_bytes > 1 << 20 && p.threads > 0 && p.descriptors > 2),
            "{process:?}"
        );
    }
}
