//! What the doctor finds: a line for each thing that an operator looks after.

use crate::clock::Timestamp;
use crate::model::sso::health::Condition;

/// One line: good, or what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable, `snake_case`; programs may rely on it.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    pub condition: Condition,
    /// What is so, in whole sentences.
    pub says: String,
    /// What to do; "" where nothing is to be done.
    pub repair: String,
}

/// What only anyone who runs the program knows: the process and its settings.
#[derive(Debug, Clone, Default)]
pub struct Installation {
    /// Whether a server runs, and for how long, in seconds.
    pub uptime_seconds: Option<u64>,
    /// The certificate that the server shows; `None` without TLS.
    pub certificate: Option<ServerCertificate>,
    /// Scheme and authority that are configured.
    pub public_origin: Option<String>,
    /// Scheme and authority that the browser of the one who asks uses.
    pub asked_as: Option<String>,
    /// Lines of the server log that nobody read in time.
    pub dropped_lines: u64,
    /// Settings that contradict each other, a sentence each that says what to do.
    pub contradictions: Vec<String>,
}

/// The certificate that the server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    pub ends_at: Timestamp,
    /// Made by Sidelight itself: browsers warn of it.
    pub is_own: bool,
}
