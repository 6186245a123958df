//! Which sizes of RSA keys are used, and why something is not a key that we can use.

use std::fmt;

/// The smallest key that signs people in: genuine deployments have keys of 1,024 bits to this day, and their
/// administrators have pinned them. Anyone who wants to factor a shorter one can.
pub const SMALLEST_RSA_BITS: u32 = 1024;
/// The smallest key that is read. One between this and [`SMALLEST_RSA_BITS`] may have been pinned in earlier
/// versions: it is shown, and signs nobody in.
pub(super) const SMALLEST_READABLE_RSA_BITS: u32 = 512;
/// The size above which verifying would cost too much.
pub(super) const LARGEST_RSA_BITS: u32 = 8192;

/// Why something is not a key that we can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReject {
    /// The text is neither PEM nor Base64.
    NotPem,
    /// The bytes are not a certificate, or not a key.
    Malformed,
    /// The key is of a kind that we do not use, such as DSA or Ed25519.
    UnsupportedKind,
    /// The key is too short, or too long to be worked with.
    UnsupportedSize,
}

impl KeyReject {
    /// Gives the stable code.
    pub fn code(self) -> &'static str {
        match self {
            KeyReject::NotPem => "key_not_pem",
            KeyReject::Malformed => "key_malformed",
            KeyReject::UnsupportedKind => "key_unsupported_kind",
            KeyReject::UnsupportedSize => "key_unsupported_size",
        }
    }
}

impl fmt::Display for KeyReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyReject::NotPem => "the text is neither PEM nor Base64",
            KeyReject::Malformed => "the certificate or key is malformed",
            KeyReject::UnsupportedKind => "the key is neither RSA nor ECDSA over P-256, P-384 or P-521",
            KeyReject::UnsupportedSize => "the RSA key has fewer than 1,024 or more than 8,192 bits",
        })
    }
}

impl std::error::Error for KeyReject {}
