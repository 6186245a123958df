//! A numbered check: one line of an explanation of why something was accepted or refused.
//!
//! Login keys and SAML responses are both judged as a list of checks in the order of their standard.
//! All are evaluated for the explanation; the first that failed decides.

use serde::{Deserialize, Serialize};

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// What came is what was expected.
    Passed,
    /// What came is not what was expected.
    Failed,
    /// It could not be judged, because something that it needs was missing or failed.
    Skipped,
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Position in the list, from 1.
    pub number: u16,
    /// What is checked, in a few words: "Signature", "Audience", "Expiry".
    pub name: String,
    /// The clause of the standard, or the section of our own papers, that demands it.
    pub clause: String,
    pub outcome: CheckOutcome,
    /// What would have passed, for a person to read. Never a secret.
    pub expected: String,
    /// What came, for a person to read. Never a secret.
    pub got: String,
}
