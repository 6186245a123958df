//! When a login key is refused: which of the usual integration mistakes it shows.
//!
//! Each mistake is tried by making the signature that it would give and comparing; a fit names the mistake
//! for certain. Where only the form gives it away (a padded signature that fits nothing), the finding is
//! marked as likely. Enter at [`diagnose`].

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;

use super::SigningKey;
use crate::model::GroupId;
use crate::percent;

/// A usual integration mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The login key itself was URL-encoded once too often.
    KeyUrlEncoded,
    /// White space stands before, after or inside the login key.
    KeyWhiteSpace,
    /// The signature is in hexadecimal digits.
    Hexadecimal,
    /// The signature is padded with `=`.
    Padding,
    /// The signature uses `+` and `/`.
    StandardAlphabet,
    /// The expiry is in milliseconds.
    Milliseconds,
    /// Signed under the API key that was in force before.
    PreviousApiKey,
    /// Signed for the PUID in another case.
    PuidCase,
    /// Signed for the PUID without, or with, white space around it.
    PuidWhiteSpace,
    /// Signed for the PUID in URL-encoded form, or the PUID arrived so.
    PuidUrlEncoded,
    /// Signed for the Glance Address, not for the PUID.
    GlanceAddress,
    /// Group ID and PUID were signed in the wrong order.
    Swapped,
    /// The four values were joined with a separator.
    Separators,
    /// The version was left out of the message.
    VersionLeftOut,
    /// White space around the API key was signed with.
    ApiKeyWhiteSpace,
}

impl Mistake {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Mistake::KeyUrlEncoded => "key_url_encoded",
            Mistake::KeyWhiteSpace => "key_white_space",
            Mistake::Hexadecimal => "hexadecimal",
            Mistake::Padding => "padding",
            Mistake::StandardAlphabet => "standard_alphabet",
            Mistake::Milliseconds => "milliseconds",
            Mistake::PreviousApiKey => "previous_api_key",
            Mistake::PuidCase => "puid_case",
            Mistake::PuidWhiteSpace => "puid_white_space",
            Mistake::PuidUrlEncoded => "puid_url_encoded",
            Mistake::GlanceAddress => "glance_address",
            Mistake::Swapped => "swapped",
            Mistake::Separators => "separators",
            Mistake::VersionLeftOut => "version_left_out",
            Mistake::ApiKeyWhiteSpace => "api_key_white_space",
        }
    }

    /// What happened, in a few words, for a row of the access log.
    pub fn in_short(self) -> &'static str {
        match self {
            Mistake::KeyUrlEncoded => "the login key was URL-encoded twice",
            Mistake::KeyWhiteSpace => "white space in the login key",
            Mistake::Hexadecimal => "a signature in hexadecimal",
            Mistake::Padding => "a signature with padding",
            Mistake::StandardAlphabet => "the standard Base64 alphabet",
            Mistake::Milliseconds => "an expiry in milliseconds",
            Mistake::PreviousApiKey => "signed with the previous API key",
            Mistake::PuidCase => "signed for the PUID in another case",
            Mistake::PuidWhiteSpace => "white space around the PUID",
            Mistake::PuidUrlEncoded => "a PUID that was URL-encoded for one of signing and sending",
            Mistake::GlanceAddress => "signed for the Glance Address",
            Mistake::Swapped => "Group ID and PUID swapped",
            Mistake::Separators => "separators in the signed message",
            Mistake::VersionLeftOut => "the version left out of the signed message",
            Mistake::ApiKeyWhiteSpace => "white space around the API key",
        }
    }

    /// What to change, in one or two sentences.
    pub fn repair(self) -> &'static str {
        match self {
            Mistake::KeyUrlEncoded => {
                "The login key arrived URL-encoded twice. Encode it once, or not at all: its characters need no encoding."
            }
            Mistake::KeyWhiteSpace => "White space stands around or inside the login key. Trim it.",
            Mistake::Hexadecimal => {
                "The signature is written in hexadecimal. Write it in base64url without padding: 43 characters."
            }
            Mistake::Padding => "The signature ends in '='. Cut the padding off: 43 characters remain.",
            Mistake::StandardAlphabet => {
                "The signature uses the standard Base64 alphabet. Replace '+' by '-' and '/' by '_'."
            }
            Mistake::Milliseconds => "The expiry is in milliseconds. Divide by 1000: ten digits remain.",
            Mistake::PreviousApiKey => {
                "The login key was signed with the group's previous API key. Give the integration the present one."
            }
            Mistake::PuidCase => {
                "The login key was signed for the same PUID in another case. PUIDs are compared exactly: sign and send the one that the user has."
            }
            Mistake::PuidWhiteSpace => {
                "White space around the PUID was signed but not sent, or sent but not signed. Trim it before both."
            }
            Mistake::PuidUrlEncoded => {
                "The PUID was signed in one form and sent in the other. Sign the plain PUID; URL-encode it only when building the URL."
            }
            Mistake::GlanceAddress => {
                "The login key was signed for the Glance Address. Sign the user's PUID, or set the PUID to the Glance Address."
            }
            Mistake::Swapped => "Group ID and PUID are swapped. Sign Group ID first, then PUID.",
            Mistake::Separators => {
                "The signed message has separators. Join Group ID, PUID, version and expiry without any."
            }
            Mistake::VersionLeftOut => {
                "The version is missing from the signed message. Sign Group ID, PUID, 1 and expiry."
            }
            Mistake::ApiKeyWhiteSpace => {
                "The API key was used with white space around it, a line end perhaps. Trim it before signing."
            }
        }
    }
}

/// What the mistakes are tried against.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The login key as it came.
    pub text: &'a str,
    pub group: GroupId,
    /// The PUID as it came.
    pub puid: &'a str,
    /// The API key in force, as UTF-8 bytes.
    pub api_key: &'a [u8],
    /// The one before it.
    pub previous_api_key: Option<&'a [u8]>,
    /// PUIDs of the group that equal the one that came in another case.
    pub similar_puids: &'a [String],
    /// The Glance Address of the user, when one was found.
    pub address: Option<&'a str>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    pub mistake: Mistake,
    /// Whether a signature that was made with this mistake fits the one that came.
    pub certain: bool,
}

/// Names the mistake that fits; `None` when none does.
pub fn diagnose(evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let pieces = LooseLoginKey::of(evidence.text)?;
    if let Some(signature) = pieces.signature
        && let Some(signed) = signed_otherwise(evidence, &pieces.expiry, &signature)
    {
        // What was signed outweighs how it was written, unless the former is right.
        let mistake = signed.or(pieces.written).or(pieces.milliseconds())?;
        return Some(Diagnosis { mistake, certain: true });
    }
    let mistake = pieces.written.or(pieces.milliseconds())?;
    Some(Diagnosis { mistake, certain: false })
}

/// A login key read as tolerantly as it can be.
struct LooseLoginKey {
    expiry: String,
    signature: Option<[u8; 32]>,
    /// The mistake that its writing shows.
    written: Option<Mistake>,
}

impl LooseLoginKey {
    fn of(text: &str) -> Option<LooseLoginKey> {
        let decoded = percent::lax(text)?;
        let compact: String = decoded.chars().filter(|c| !c.is_whitespace()).collect();
        let mut parts = compact.strip_prefix('$')?.splitn(3, '$').skip(1);
        let (expiry, signature) = (parts.next()?.to_owned(), parts.next()?);
        let (signature, encoded) = decode_tolerantly(signature);
        let written = match () {
            () if decoded != text => Some(Mistake::KeyUrlEncoded),
            () if compact != decoded => Some(Mistake::KeyWhiteSpace),
            () => encoded,
        };
        Some(LooseLoginKey { expiry, signature, written })
    }

    fn milliseconds(&self) -> Option<Mistake> {
        let thirteen_digits = self.expiry.len() == 13 && self.expiry.bytes().all(|b| b.is_ascii_digit());
        thirteen_digits.then_some(Mistake::Milliseconds)
    }
}

fn decode_tolerantly(text: &str) -> (Option<[u8; 32]>, Option<Mistake>) {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return (decode_hexadecimal(text), Some(Mistake::Hexadecimal));
    }
    let mistake = match () {
        () if text.contains(['+', '/']) => Some(Mistake::StandardAlphabet),
        () if text.ends_with('=') => Some(Mistake::Padding),
        () => None,
    };
    let url_alphabet = text.replace('+', "-").replace('/', "_");
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let decoded = GeneralPurpose::new(&alphabet::URL_SAFE, config).decode(url_alphabet).ok();
    (decoded.and_then(|bytes| bytes.try_into().ok()), mistake)
}

fn decode_hexadecimal(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0u8; 32];
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * position..2 * position + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Finds how the signature came about: `Some(None)` as it should, `Some(Some(mistake))` by a mistake.
fn signed_otherwise(evidence: &Evidence<'_>, expiry: &str, signature: &[u8; 32]) -> Option<Option<Mistake>> {
    let key = SigningKey::new(evidence.api_key);
    let group = evidence.group.to_string();
    let fits = |key: &SigningKey, first: &str, second: &str| -> bool {
        key.sign(first, second, expiry).ct_eq(signature).into()
    };
    if fits(&key, &group, evidence.puid) {
        return Some(None);
    }
    let puids = other_puids(evidence);
    let by_puid = puids.iter().find(|(_, puid)| fits(&key, &group, puid)).map(|(mistake, _)| *mistake);
    by_puid
        .or_else(|| fits(&key, evidence.puid, &group).then_some(Mistake::Swapped))
        .or_else(|| signed_under_another_key(evidence, |key| fits(key, &group, evidence.puid)))
        .or_else(|| joined_otherwise(evidence, &group, expiry, signature))
        .map(Some)
}

fn other_puids(evidence: &Evidence<'_>) -> Vec<(Mistake, String)> {
    let puid = evidence.puid;
    let decoded = percent::lossy(puid).into_owned();
    let encoded = utf8_percent_encode(puid, NON_ALPHANUMERIC).to_string();
    let form_encoded: String = form_urlencoded::byte_serialize(puid.as_bytes()).collect();
    let mut others = vec![
        (Mistake::PuidCase, puid.to_lowercase()),
        (Mistake::PuidCase, puid.to_uppercase()),
        (Mistake::PuidWhiteSpace, puid.trim().to_owned()),
        (Mistake::PuidWhiteSpace, format!("{puid} ")),
        (Mistake::PuidWhiteSpace, format!(" {puid}")),
        (Mistake::PuidWhiteSpace, format!("{puid}\n")),
        (Mistake::PuidUrlEncoded, decoded),
        (Mistake::PuidUrlEncoded, puid.replace('+', " ")),
        (Mistake::PuidUrlEncoded, puid.replace(' ', "+")),
        (Mistake::PuidUrlEncoded, encoded),
        (Mistake::PuidUrlEncoded, form_encoded),
        (Mistake::PuidUrlEncoded, puid.replace(' ', "%20")),
    ];
    others.extend(evidence.similar_puids.iter().map(|similar| (Mistake::PuidCase, similar.clone())));
    others.extend(evidence.address.map(|address| (Mistake::GlanceAddress, address.to_owned())));
    others
}

fn signed_under_another_key(evidence: &Evidence<'_>, fits: impl Fn(&SigningKey) -> bool) -> Option<Mistake> {
    if evidence.previous_api_key.is_some_and(|previous| fits(&SigningKey::new(previous))) {
        return Some(Mistake::PreviousApiKey);
    }
    let padded = [(b"".as_slice(), b"\n".as_slice()), (b"", b"\r\n"), (b"", b" "), (b" ", b""), (b" ", b" ")];
    let around = |(before, after): (&[u8], &[u8])| [before, evidence.api_key, after].concat();
    let trimmed = evidence.api_key.trim_ascii().to_vec();
    padded
        .into_iter()
        .map(around)
        .chain(std::iter::once(trimmed))
        .any(|key| fits(&SigningKey::new(&zeroize::Zeroizing::new(key))))
        .then_some(Mistake::ApiKeyWhiteSpace)
}

fn joined_otherwise(
    evidence: &Evidence<'_>,
    group: &str,
    expiry: &str,
    signature: &[u8; 32],
) -> Option<Mistake> {
    let key = SigningKey::new(evidence.api_key);
    let puid = evidence.puid;
    let signs = |message: &str| -> bool { key.sign_message(message.as_bytes()).ct_eq(signature).into() };
    let separators = ["$", "&", "|", ":", ",", ".", "-", "_", " ", "\n"];
    if separators.iter().any(|s| signs(&format!("{group}{s}{puid}{s}1{s}{expiry}"))) {
        return Some(Mistake::Separators);
    }
    signs(&format!("{group}{puid}{expiry}")).then_some(Mistake::VersionLeftOut)
}
