//! Calls that make or change several users hash their passwords while the client waits, and hold a thread meanwhile.
//!
//! So few of them run at once, one of each group; the others are told to come again. What hashing itself takes from
//! those who sign in is bounded by [`crate::desk::ground::passwords::hash_of_many`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::model::GroupId;

/// Calls with passwords that run at once: far fewer than there are threads for requests.
const IN_ALL: usize = 8;

/// The calls with passwords that run.
#[derive(Default)]
pub struct BulkPlaces {
    running: Arc<Mutex<Vec<GroupId>>>,
}

/// The right to hash the passwords of one call; given back when dropped.
pub struct BulkPlace {
    running: Arc<Mutex<Vec<GroupId>>>,
    group: GroupId,
}

impl BulkPlaces {
    /// Gives a place to a call of `group`.
    ///
    /// # Errors
    /// `Unavailable` with code `bulk_busy` when one of the group runs, or too many of others.
    pub fn place(&self, group: GroupId) -> Result<BulkPlace> {
        let mut running = locked(&self.running);
        if running.contains(&group) || running.len() >= IN_ALL {
            let public = "Other calls with passwords are running. Nothing was changed. Try again shortly, and send the calls of one group one after the other.";
            return Err(Error::new(Kind::Unavailable, "bulk_busy", public));
        }
        running.push(group);
        Ok(BulkPlace { running: Arc::clone(&self.running), group })
    }
}

impl Drop for BulkPlace {
    fn drop(&mut self) {
        locked(&self.running).retain(|group| *group != self.group);
    }
}

fn locked(running: &Mutex<Vec<GroupId>>) -> MutexGuard<'_, Vec<GroupId>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_of_each_group_and_few_in_all() {
        let places = BulkPlaces::default();
        let refused = |group| places.place(GroupId(group)).err().map(|error| error.code);
        let first = places.place(GroupId(7));
        assert_eq!(refused(7), Some("bulk_busy"));
        let others: Vec<_> = (10..17).map(|group| places.place(GroupId(group))).collect();
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(refused(20), Some("bulk_busy"));
        drop(first);
        assert_eq!(refused(7), None);
        drop(others);
        assert!(locked(&places.running).is_empty());
    }
}
