//! One file at a time is read, judged and written: a long one takes 100 MB and more, two must not take them twice.
//!
//! Threads that do nothing else wait for their turn as long as it takes. Those that answer requests are few and
//! everybody's: of them a handful waits, one for each group, and not for long; the others are told to come again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::model::GroupId;

/// Requests that wait at once.
const WAITING_MOST: usize = 8;
/// How long a request waits: most files are read in less.
const PATIENCE: Duration = Duration::from_secs(3);

/// Gives the turns.
pub struct UploadPermits {
    state: Mutex<ReadingState>,
    given_back: Condvar,
}

struct ReadingState {
    taken: bool,
    /// How long a request waits.
    patience: Duration,
    /// The groups whose requests wait.
    waiting: Vec<GroupId>,
}

/// The right to read a file; given back when dropped.
pub struct UploadPermit<'t>(&'t UploadPermits);

impl Default for UploadPermits {
    fn default() -> UploadPermits {
        let state = ReadingState { taken: false, patience: PATIENCE, waiting: Vec::new() };
        UploadPermits { state: Mutex::new(state), given_back: Condvar::new() }
    }
}

impl UploadPermits {
    /// Waits as long as it takes.
    pub fn wait(&self) -> UploadPermit<'_> {
        let state = self.given_back.wait_while(self.lock(), |state| state.taken);
        state.unwrap_or_else(PoisonError::into_inner).taken = true;
        UploadPermit(self)
    }

    /// Waits a little, for a request that `group` sent.
    ///
    /// # Errors
    /// `Unavailable` with code `upload_busy`.
    pub fn wait_a_little(&self, group: GroupId) -> Result<UploadPermit<'_>> {
        let mut state = self.lock();
        if state.taken {
            if state.waiting.len() >= WAITING_MOST || state.waiting.contains(&group) {
                return Err(busy());
            }
            state.waiting.push(group);
            let patience = state.patience;
            let waited = self.given_back.wait_timeout_while(state, patience, |state| state.taken);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting.retain(|waiting| *waiting != group);
            if state.taken {
                return Err(busy());
            }
        }
        state.taken = true;
        Ok(UploadPermit(self))
    }

    /// Sets how long a request waits.
    #[cfg(test)]
    pub fn set_patience(&self, patience: Duration) {
        self.lock().patience = patience;
    }

    fn lock(&self) -> MutexGuard<'_, ReadingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UploadPermit<'_> {
    fn drop(&mut self) {
        self.0.lock().taken = false;
        self.0.given_back.notify_one();
    }
}

fn busy() -> Error {
    let public = "Another upload is being read at this moment. Nothing was changed. Try again shortly.";
    Error::new(Kind::Unavailable, "upload_busy", public).with_field("file")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn few_requests_wait_one_for_each_group_and_none_for_ever() {
        let refused =
            |turns: &UploadPermits, group: i64| turns.wait_a_little(GroupId(group)).err().map(|e| e.code);
        let turns = UploadPermits::default();
        turns.set_patience(Duration::ZERO);
        assert_eq!(refused(&turns, 7), None);
        let turn = turns.wait();
        assert_eq!(refused(&turns, 7), Some("upload_busy"));
        assert!(turns.lock().waiting.is_empty(), "whoever gave up does not wait any more");
        drop(turn);
        assert_eq!(refused(&turns, 7), None);

        // With patience without end, these two would wait for ever.
        let turns = UploadPermits::default();
        turns.set_patience(Duration::MAX);
        let turn = turns.wait();
        turns.lock().waiting.push(GroupId(7));
        assert_eq!(refused(&turns, 7), Some("upload_busy"));
        turns.lock().waiting.extend((10..).take(WAITING_MOST - 1).map(GroupId));
        assert_eq!(refused(&turns, 8), Some("upload_busy"));
        drop(turn);
    }

    #[test]
    fn whoever_waits_gets_the_turn_that_is_given_back() {
        let turns = UploadPermits::default();
        turns.set_patience(Duration::MAX);
        let turn = turns.wait();
        std::thread::scope(|scope| {
            let request = scope.spawn(|| turns.wait_a_little(GroupId(7)).is_ok());
            let upload = scope.spawn(|| drop(turns.wait()));
            drop(turn);
            assert!(request.join().unwrap());
            upload.join().unwrap();
        });
    }
}
