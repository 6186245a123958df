//! Keys side by side, where no trusted key made a signature: those that were tried, and the one that came along.

use serde::{Deserialize, Serialize};

/// What an administrator compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedKeys {
    /// The group's keys, in the order in which they were tried.
    pub tried: Vec<ComparedKey>,
    /// The certificate that the message carries. Anybody can write one into a message: it is shown, and trusted for
    /// nothing. `None` when there is none, or it cannot be read.
    pub came: Option<ComparedKey>,
    /// Whether the message names the group's identity provider as its issuer. Anybody can write that, too.
    pub issuer_is_ours: bool,
}

/// One certificate as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedKey {
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub fingerprint: String,
    pub subject: String,
    /// Seconds since 1970.
    pub begins: i64,
    pub ends: i64,
    /// The DER in Base64, of the one that came: to be added by the one who types its fingerprint.
    pub certificate: Option<String>,
}
