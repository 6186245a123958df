//! Whether writes work: what the writer knows of it, for whoever asks without writing anything.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

/// Shared by the writer, which says how it fares, and by those who ask.
#[derive(Clone, Default)]
pub(super) struct Standing(Arc<Known>);

#[derive(Default)]
struct Known {
    commits: AtomicU64,
    /// Why the last write failed; `None` when it worked.
    failure: Mutex<Option<Error>>,
}

impl Standing {
    /// A commit is durable.
    pub fn worked(&self) {
        self.0.commits.fetch_add(1, Relaxed);
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Those who wait are told that nothing can be written.
    pub fn failed(&self, why: &Error) {
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
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
