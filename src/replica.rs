//! The epoch of a replicated appliance: a number in a file beside the replica, which rises each time that a replica is promoted.
//!
//! A server that is told of the replica reads it before it serves. A number above its own says that another server took over: two
//! servers on one appliance would let people in whom the other has suspended.

use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::whole_file::write_whole;

/// The file's name in the directory of the replica.
const FILE: &str = "sidelight-epoch";

/// Reads the epoch beside the replica in `directory`; `None` when none was written yet.
///
/// # Errors
/// `Unavailable` with code `replica_unread` when the directory or the file cannot be read.
pub fn epoch(directory: &Path) -> Result<Option<i64>> {
    let unread = |why: &str| {
        let public = format!(
            "Whether another server was promoted cannot be told: the replica {} cannot be read ({why}).",
            directory.display()
        );
        Error::new(Kind::Unavailable, "replica_unread", public)
    };
    if !directory.is_dir() {
        return Err(unread("it is no directory"));
    }
    match std::fs::read_to_string(directory.join(FILE)) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| unread("its epoch is no number")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unread(&e.to_string())),
    }
}

/// Writes the epoch beside the replica in `directory`.
///
/// # Errors
/// `Fault` with code `replica_unwritten`.
pub fn set_epoch(directory: &Path, epoch: i64) -> Result<()> {
    write_whole(&directory.join(FILE), format!("{epoch}\n").as_bytes(), 0o644).map_err(|e| {
        let public = format!("The epoch cannot be written beside the replica {}: {e}.", directory.display());
        Error::new(Kind::Fault, "replica_unwritten", public)
    })
}

/// Passes a server whose epoch is `own` when nobody else was promoted, and writes its epoch where an older one, or none, stands.
///
/// # Errors
/// `Denied` with code `replaced_by_another`; those of [`epoch`] and [`set_epoch`].
pub fn pass(directory: &Path, own: i64) -> Result<()> {
    match epoch(directory)? {
        Some(newer) if newer > own => {
            let public = format!(
                "Another server was promoted from the replica {} (epoch {newer}; this one has {own}). What this one holds is older. \
                 Take it out of service, or start it once with --alone if you know that the other one is gone.",
                directory.display()
            );
            Err(Error::new(Kind::Denied, "replaced_by_another", public))
        }
        Some(same) if same == own => Ok(()),
        _ => set_epoch(directory, own),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_server_with_the_newest_epoch_passes() {
        let replica = tempfile::tempdir().unwrap();
        let code = |own| pass(replica.path(), own).err().map(|error| error.code);
        assert_eq!(epoch(replica.path()).unwrap(), None);
        assert_eq!(code(0), None);
        assert_eq!(code(2), None);
        assert_eq!(epoch(replica.path()).unwrap(), Some(2));
        assert_eq!(code(1), Some("replaced_by_another"));
        assert_eq!(code(2), None);
        std::fs::write(replica.path().join(FILE), "two").unwrap();
        assert_eq!(code(2), Some("replica_unread"));
        assert_eq!(pass(&replica.path().join("absent"), 2).unwrap_err().code, "replica_unread");
    }
}
