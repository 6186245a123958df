//! What is counted of sign-ins: by which means, with which outcome, and how long a verdict took.
//!
//! A sign-in counts when its credential was judged. No group and no person is told apart: anyone who reads metrics learns
//! nothing of either.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::tally::{Distribution, Histogram, Labelled};

/// Counts of sign-ins.
#[derive(Default)]
pub struct SignIns {
    /// Means, outcome, code.
    outcomes: Labelled<3>,
    verdicts: Histogram,
    saml_verdicts: Histogram,
    /// Milliseconds by which our clock was ahead at the last SAML response
    clock_ahead: Mutex<Option<i64>>,
}

/// By which means somebody tries to sign in, where more than one file must name it.
pub const SAML: &str = "saml";

impl SignIns {
    /// Counts one who was let in.
    pub fn accepted(&self, means: &'static str) {
        self.outcomes.count([means, "accepted", ""]);
    }

    /// Counts one who was refused, and why.
    pub fn refused(&self, means: &'static str, code: &'static str) {
        self.outcomes.count([means, "refused", code]);
    }

    /// Counts one who could not be judged, by our own fault or for want of something, and why.
    pub fn failed(&self, means: &'static str, code: &'static str) {
        self.outcomes.count([means, "failed", code]);
    }

    /// Notes how long it took to judge a credential other than a SAML response.
    pub fn judged_since(&self, began: Instant) {
        self.verdicts.took(began.elapsed());
    }

    /// Notes how long it took to judge a SAML response.
    pub fn judged_saml_since(&self, began: Instant) {
        self.saml_verdicts.took(began.elapsed());
    }

    /// Notes by how many milliseconds our clock was ahead of the one who issued a response that was accepted.
    pub fn clock_was_ahead(&self, milliseconds: i64) {
        *self.clock_ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(milliseconds);
    }

    /// The last of these; `None` before the first.
    pub fn clock_ahead(&self) -> Option<i64> {
        *self.clock_ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All outcomes: means, outcome, code ("" of those who were let in), and how many.
    pub fn outcomes(&self) -> Vec<([&'static str; 3], u64)> {
        self.outcomes.read()
    }

    /// How long verdicts took: those of login keys, passwords and the like, and those of SAML responses.
    pub fn verdicts(&self) -> [(&'static str, Distribution); 2] {
        [("credential", self.verdicts.read()), (SAML, self.saml_verdicts.read())]
    }
}
