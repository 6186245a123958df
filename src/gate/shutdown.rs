//! The word to stop, given from any thread, heard by the gate at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mio::Waker;

/// A handle with which any thread tells the gate to stop; clones are the same handle.
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Inner>);

#[derive(Default)]
struct Inner {
    triggered: AtomicBool,
    /// One of each gate that stops by it.
    wakers: Mutex<Vec<Arc<Waker>>>,
}

impl Shutdown {
    /// Makes a handle that nobody has triggered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the gate to accept no more, to finish the requests in flight, and to return. May come before
    /// the gate runs, and more than once.
    pub fn trigger(&self) {
        self.0.triggered.store(true, Ordering::SeqCst);
        for waker in &*self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner) {
            // The gate looks at the flag at least once a sweep, so a failed wake only delays the stop.
            let _ = waker.wake();
        }
    }

    /// Tells whether [`Shutdown::trigger`] was called.
    pub fn is_triggered(&self) -> bool {
        self.0.triggered.load(Ordering::SeqCst)
    }

    /// Has this waker woken by [`Shutdown::trigger`].
    pub(super) fn wakes(&self, waker: Arc<Waker>) {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner).push(waker);
    }
}
