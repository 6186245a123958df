//! What the gate counts, for the operator's page. Numbers only; they are read without stopping anything.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::refusal::Refusal;
use crate::tally::Labelled;

/// The gate's running totals. Share it with [`super::Gate::counters`] before the gate runs.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) open: AtomicU64,
    pub(super) threads: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) timed_out: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) accept_errors: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) unsafe_responses: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    pub(super) refusals: Labelled<1>,
}

/// The totals at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections open now.
    pub open: u64,
    /// Threads now, busy or waiting for work.
    pub threads: u64,
    /// Connections accepted since the start.
    pub accepted: u64,
    /// Connections closed at once, because nothing could be evicted for them.
    pub turned_away: u64,
    /// Waiting connections closed to make room for newcomers.
    pub evicted: u64,
    /// Connections closed at a deadline, idle ones included.
    pub timed_out: u64,
    /// TLS handshakes that failed.
    pub handshakes_failed: u64,
    /// Accepts that failed, for want of descriptors above all.
    pub accept_errors: u64,
    /// Requests handed to the handler.
    pub requests: u64,
    /// Requests that the gate itself refused: malformed, too large, too late.
    pub refused: u64,
    /// Panics caught in handlers.
    pub panics: u64,
    /// Responses that were held back because a field could be read as more than one line.
    pub unsafe_responses: u64,
    /// Bytes of requests, behind TLS.
    pub bytes_in: u64,
    /// Bytes of responses, behind TLS.
    pub bytes_out: u64,
}

impl Counters {
    /// Reads all totals.
    pub fn read(&self) -> Counts {
        Counts {
            open: self.open.load(Relaxed),
            threads: self.threads.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            turned_away: self.turned_away.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            timed_out: self.timed_out.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
            requests: self.requests.load(Relaxed),
            refused: self.refused.load(Relaxed),
            panics: self.panics.load(Relaxed),
            unsafe_responses: self.unsafe_responses.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
        }
    }

    pub(super) fn refuses(&self, refusal: Refusal) {
        count(&self.refused);
        self.refusals.count([refusal.code()]);
    }

    /// How often the gate itself refused, by the code of the refusal.
    pub fn refusals(&self) -> Vec<([&'static str; 1], u64)> {
        self.refusals.read()
    }
}

pub(super) fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Relaxed);
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
