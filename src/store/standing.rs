//! Whether writes work and how long they take: what the writer knows of it, for the one who asks without writing anything.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::tally::{Distribution, Histogram};

/// Shared by the writer, which says how it fares, and by those who ask.
#[derive(Clone, Default)]
pub(super) struct Standing(Arc<KnownState>);

#[derive(Default)]
struct KnownState {
    commits: AtomicU64,
    commit: Histogram,
    queue: Histogram,
    waiting: AtomicU64,
    /// Why the last write failed; `None` when it worked.
    failure: Mutex<Option<Error>>,
}

/// What the writer has done.
#[derive(Debug, Clone)]
pub struct Writes {
    pub commits: u64,
    /// From the first statement of a transaction until it was durable.
    pub commit: Distribution,
    /// From the wish to write until the transaction began.
    pub queue: Distribution,
    /// Who waits now for a transaction.
    pub waiting: u64,
}

impl Standing {
    /// A commit is durable, after so long.
    pub fn worked(&self, took: Duration) {
        self.0.commits.fetch_add(1, Relaxed);
        self.0.commit.took(took);
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Those who wait are told that nothing can be written.
    pub fn failed(&self, why: &Error) {
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
    }

    /// Somebody waits for a transaction.
    pub fn comes(&self) {
        self.0.waiting.fetch_add(1, Relaxed);
    }

    /// Somebody's turn has come, after so long.
    pub fn is_served(&self, waited: Duration) {
        self.0.waiting.fetch_sub(1, Relaxed);
        self.0.queue.took(waited);
    }

    /// What was done.
    pub fn writes(&self) -> Writes {
        Writes {
            commits: self.commits(),
            commit: self.0.commit.read(),
            queue: self.0.queue.read(),
            waiting: self.0.waiting.load(Relaxed),
        }
    }

    /// Commits since the store was opened.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Relaxed)
    }

    /// Why the last write failed, when it did.
    pub fn failure(&self) -> Option<Error> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
