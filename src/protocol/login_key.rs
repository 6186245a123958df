//! The login key: made, read and checked. Wire contract §2.
//!
//! `$1$<expiry>$<signature>`, 57 characters: the signature is HMAC-SHA256 under the group's API key over
//! Group ID, PUID, version and expiry written one after the other. Enter at [`make`], [`verify`], and, for
//! people, [`explain`]. The time is an argument. Whether a user has the PUID, the
//! caller must look up.
//!
//! A login key is replayable until it expires, by design (wire contract §2.5): nothing here remembers one.

mod diagnosis;
mod explanation;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use diagnosis::{Diagnosis, Evidence, Mistake, diagnose};
pub use explanation::{CLAUSE, Claim, Explanation, explain};

use crate::model::GroupId;

/// Characters of a login key. Wire contract §2.1.
pub const LENGTH: usize = 57;
/// Most seconds that an expiry may lie ahead. Wire contract §2.1.
pub const LONGEST_LIFE: i64 = 86_400;
/// Seconds of grace on [`LONGEST_LIFE`] only: clients compute `now + 86400` on clocks of their own. Wire
/// contract §10, trap 5.
pub const CAP_GRACE: i64 = 5;

const VERSION: &str = "1";
const EXPIRY_DIGITS: usize = 10;
const SIGNATURE_LENGTH: usize = 43;
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// Digits of the longest `i64`, and its sign.
const DECIMAL_MAX: usize = 20;

/// An API key, prepared for making and checking login keys. Wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Prepares an API key, as its UTF-8 bytes.
    pub fn new(api_key: &[u8]) -> SigningKey {
        // RFC 2104 §2: a key longer than a block is hashed, a shorter one is filled up with zeros.
        let mut block = Zeroizing::new([0u8; BLOCK]);
        if api_key.len() > BLOCK {
            let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(api_key)));
            block.iter_mut().zip(digest.iter()).for_each(|(place, byte)| *place = *byte);
        } else {
            block.iter_mut().zip(api_key).for_each(|(place, byte)| *place = *byte);
        }
        SigningKey(Hmac::new((&*block).into()))
    }

    /// Signs a message that is already joined.
    fn sign_message(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Signs the message of §2.1 for an expiry written as `expiry`.
    fn sign(&self, group: &str, puid: &str, expiry: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(group.as_bytes());
        mac.update(puid.as_bytes());
        mac.update(VERSION.as_bytes());
        mac.update(expiry.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Why a login key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginKeyReject {
    /// It has not the form of a login key.
    Malformed(Flaw),
    /// It has no leading dollar: the format before version 1, of which nothing is published.
    PreviousFormat,
    /// Its version is not 1.
    UnsupportedVersion,
    /// Its expiry is not after now.
    Expired { expiry: i64, now: i64 },
    /// Its expiry is more than a day ahead.
    TooFarAhead { expiry: i64, now: i64 },
    /// Its signature is not the one that API key, Group ID, PUID and expiry give.
    BadSignature,
}

/// What about the form is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Other than 57 characters: so many.
    Length(usize),
    /// Not four parts with a dollar before the second, third and fourth.
    Parts,
    /// The expiry is not ten decimal digits.
    Expiry,
    /// The signature is not the base64url form, without padding, of 32 bytes.
    Signature,
}

impl LoginKeyReject {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            LoginKeyReject::Malformed(_) => "malformed",
            LoginKeyReject::PreviousFormat => "previous_format",
            LoginKeyReject::UnsupportedVersion => "unsupported_version",
            LoginKeyReject::Expired { .. } => "expired",
            LoginKeyReject::TooFarAhead { .. } => "too_far_ahead",
            LoginKeyReject::BadSignature => "bad_signature",
        }
    }
}

/// What was wrong, for the log.
impl fmt::Display for LoginKeyReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoginKeyReject::Malformed(Flaw::Length(length)) => {
                write!(f, "a login key has {LENGTH} characters, this has {length}")
            }
            LoginKeyReject::Malformed(Flaw::Parts) => f.write_str("not of the form $1$expiry$signature"),
            LoginKeyReject::Malformed(Flaw::Expiry) => f.write_str("the expiry is not ten decimal digits"),
            LoginKeyReject::Malformed(Flaw::Signature) => {
                f.write_str("the signature is not 32 bytes in base64url without padding")
            }
            LoginKeyReject::PreviousFormat => {
                f.write_str("no leading dollar: the previous format of login keys")
            }
            LoginKeyReject::UnsupportedVersion => f.write_str("the version is not 1"),
            LoginKeyReject::Expired { expiry, now } => {
                write!(f, "expired {} s ago, at {expiry}", now.saturating_sub(*expiry))
            }
            LoginKeyReject::TooFarAhead { expiry, now } => {
                let ahead = expiry.saturating_sub(*now);
                write!(f, "expires {ahead} s ahead, at {expiry}; at most {LONGEST_LIFE} s are allowed")
            }
            LoginKeyReject::BadSignature => {
                f.write_str("the signature does not fit API key, Group ID, PUID and expiry")
            }
        }
    }
}

/// A login key taken apart; nothing of it is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedLoginKey<'t> {
    /// Seconds since the epoch.
    pub expiry: i64,
    expiry_text: &'t str,
    signature: [u8; 32],
}

/// Takes a login key apart.
///
/// # Errors
/// `Malformed`, `PreviousFormat` or `UnsupportedVersion`.
pub fn parse(text: &str) -> Result<ParsedLoginKey<'_>, LoginKeyReject> {
    let Some(rest) = text.strip_prefix('$') else {
        return Err(without_leading_dollar(text));
    };
    let Some((version, rest)) = rest.split_once('$') else {
        return Err(LoginKeyReject::Malformed(Flaw::Parts));
    };
    if version != VERSION {
        let a_number = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
        return Err(if a_number {
            LoginKeyReject::UnsupportedVersion
        } else {
            LoginKeyReject::Malformed(Flaw::Parts)
        });
    }
    if text.chars().count() != LENGTH {
        return Err(LoginKeyReject::Malformed(Flaw::Length(text.chars().count())));
    }
    let Some((expiry_text, signature_text)) = rest.split_once('$') else {
        return Err(LoginKeyReject::Malformed(Flaw::Parts));
    };
    if expiry_text.len() != EXPIRY_DIGITS || !expiry_text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(LoginKeyReject::Malformed(Flaw::Expiry));
    }
    let expiry = expiry_text.parse().map_err(|_| LoginKeyReject::Malformed(Flaw::Expiry))?;
    let signature = decode_signature(signature_text).ok_or(LoginKeyReject::Malformed(Flaw::Signature))?;
    Ok(ParsedLoginKey { expiry, expiry_text, signature })
}

/// Checks a login key for a group and a PUID at `now`, in seconds since the epoch. Allocates nothing.
///
/// # Errors
/// The first rule that it breaks, in this order: form, version, `now < expiry`,
/// `expiry <= now + 86400 (+ 5)`, signature.
pub fn verify(
    text: &str,
    key: &SigningKey,
    group: GroupId,
    puid: &str,
    now: i64,
) -> Result<(), LoginKeyReject> {
    let parsed = parse(text)?;
    check_life(parsed.expiry, now)?;
    let mut buffer = [0u8; DECIMAL_MAX];
    check_signature(&parsed, key, decimal(group.0, &mut buffer), puid)
}

/// Makes a login key that is valid until `expiry`, in seconds since the epoch; `None` when that has not ten
/// digits.
pub fn make(key: &SigningKey, group: GroupId, puid: &str, expiry: i64) -> Option<String> {
    let expiry = expiry.to_string();
    if expiry.len() != EXPIRY_DIGITS || expiry.starts_with('-') {
        return None;
    }
    let signature = key.sign(&group.to_string(), puid, &expiry);
    Some(format!("${VERSION}${expiry}${}", URL_SAFE_NO_PAD.encode(signature)))
}

fn check_life(expiry: i64, now: i64) -> Result<(), LoginKeyReject> {
    if now >= expiry {
        return Err(LoginKeyReject::Expired { expiry, now });
    }
    if expiry > now.saturating_add(LONGEST_LIFE + CAP_GRACE) {
        return Err(LoginKeyReject::TooFarAhead { expiry, now });
    }
    Ok(())
}

fn check_signature(
    parsed: &ParsedLoginKey<'_>,
    key: &SigningKey,
    group: &str,
    puid: &str,
) -> Result<(), LoginKeyReject> {
    let expected = key.sign(group, puid, parsed.expiry_text);
    if expected.ct_eq(&parsed.signature).into() { Ok(()) } else { Err(LoginKeyReject::BadSignature) }
}

fn without_leading_dollar(text: &str) -> LoginKeyReject {
    // An escaped or padded key of the present format is a mistake that can be named, not an old key.
    let mangled = text.is_empty() || text.starts_with(char::is_whitespace) || text.starts_with('%');
    if mangled { LoginKeyReject::Malformed(Flaw::Parts) } else { LoginKeyReject::PreviousFormat }
}

/// What is decoded came from the wire, so that nothing secret is looked up in a table.
fn decode_signature(text: &str) -> Option<[u8; 32]> {
    if text.len() != SIGNATURE_LENGTH {
        return None;
    }
    // Room for whole groups of four characters.
    let mut decoded = [0u8; 33];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut decoded).ok()?;
    decoded.get(..length)?.try_into().ok()
}

/// Writes a number in decimal without allocating.
fn decimal(number: i64, buffer: &mut [u8; DECIMAL_MAX]) -> &str {
    let mut rest = number.unsigned_abs();
    let mut at = buffer.len();
    for place in buffer.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        at -= 1;
        if rest == 0 {
            break;
        }
    }
    buffer.get(at..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
