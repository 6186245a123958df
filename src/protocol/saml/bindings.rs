//! How a SAML message travels: the POST form value and the redirect query (Bindings 3.4 and 3.5).
//!
//! Turns what the browser carried into the octets of one XML document, and back. Knows nothing of what
//! the document says. Enter at [`decode_post`] for a sign-in, at [`decode`] for the explainer, at
//! [`RedirectMessage::parse`] and [`redirect_query`] for the redirect binding.

use std::borrow::Cow;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::{DeflateDecoder, DeflateEncoder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::names;
use crate::model::sso::endpoint::without_reserved_parameters;
use crate::percent;
use crate::protocol::xml::{SignaturePolicy, SignatureReject, SigningKey, VerificationKey, verify_detached};

/// The largest document that a message may decode or inflate to, in bytes (design.md section 4).
pub const MAX_MESSAGE: usize = 256 * 1024;
/// The largest form value: [`MAX_MESSAGE`] in Base64 with room for line breaks, in bytes.
pub const MAX_FORM_VALUE: usize = 384 * 1024;
/// What a query may leave bare (RFC 3986 unreserved).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How a message is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Whichever of the others fits.
    Auto,
    /// The bare document.
    Xml,
    /// The value of the form field `SAMLResponse`, as the assertion consumer takes it: deflated or not.
    Base64,
    /// The same, still percent-encoded as it is on the wire.
    PercentBase64,
}

/// Why a message could not be unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingReject {
    /// Nothing came.
    Empty,
    /// More came than any real message needs, or it inflates to more.
    TooLarge,
    /// A character outside the Base64 alphabet, data after padding, or wrong padding.
    Base64,
    /// A `%` that is not followed by two hexadecimal digits.
    PercentEscape,
    /// Not one whole DEFLATE stream.
    Deflate,
    /// A SAML parameter stands twice in the query, or both a request and a response do.
    DuplicateParameter,
    /// A parameter that the binding demands is missing.
    MissingParameter,
    /// `SAMLEncoding` names something other than DEFLATE.
    UnknownEncoding,
}

impl BindingReject {
    /// The stable code of this reject.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "message_empty",
            Self::TooLarge => "message_too_large",
            Self::Base64 => "base64_invalid",
            Self::PercentEscape => "percent_escape_invalid",
            Self::Deflate => "deflate_invalid",
            Self::DuplicateParameter => "parameter_duplicate",
            Self::MissingParameter => "parameter_missing",
            Self::UnknownEncoding => "encoding_unknown",
        }
    }
}

/// Unwraps the value of the form field `SAMLResponse` or `SAMLRequest` (Bindings 3.5.4).
///
/// # Errors
/// The first rule that the value breaks.
pub fn decode_post(value: &str) -> Result<Vec<u8>, BindingReject> {
    decode(value.as_bytes(), Encoding::Base64)
}

/// Unwraps a message as [`Encoding`] says; `Auto` also takes a whole form body.
///
/// # Errors
/// The first rule that the message breaks.
pub fn decode(message: &[u8], encoding: Encoding) -> Result<Vec<u8>, BindingReject> {
    if message.len() > MAX_FORM_VALUE {
        return Err(BindingReject::TooLarge);
    }
    match encoding {
        Encoding::Xml => Ok(message.to_vec()),
        Encoding::Base64 => decode_base64(message).and_then(inflate_unless_document),
        Encoding::PercentBase64 => decode_base64(&percent_decode(message)?).and_then(inflate_unless_document),
        Encoding::Auto => decode_any(message),
    }
}

fn decode_any(message: &[u8]) -> Result<Vec<u8>, BindingReject> {
    // A NUL or a UTF-16 mark is no Base64 either: the XML parser has the better word for it.
    if looks_like_document(message) || message.starts_with(b"\xff\xfe") || message.contains(&0) {
        return Ok(message.to_vec());
    }
    let value = match message.trim_ascii().strip_prefix(b"SAMLResponse=") {
        Some(form) => form.split(|byte| *byte == b'&').next().unwrap_or(form),
        None => message,
    };
    let unescaped = if value.contains(&b'%') { percent_decode(value)? } else { value.to_vec() };
    decode_base64(&unescaped).and_then(inflate_unless_document)
}

fn looks_like_document(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// Some identity providers deflate what they post, as the redirect binding does (Bindings 3.4.4.1); the common
/// toolkits take it, and so do we. There is no second reading: what starts like a document is never inflated,
/// and what does not is no document.
fn inflate_unless_document(bytes: Vec<u8>) -> Result<Vec<u8>, BindingReject> {
    // No DEFLATE stream starts with '<', white space or a byte order mark and holds a document too.
    if looks_like_document(&bytes) {
        return Ok(bytes);
    }
    match inflate(&bytes) {
        Ok(document) if looks_like_document(&document) => Ok(document),
        Err(BindingReject::TooLarge) => Err(BindingReject::TooLarge),
        // Neither: the XML parser has the better word for it. Chance bytes can be a DEFLATE stream of chance bytes.
        _ => Ok(bytes),
    }
}

/// Base64 with padding (RFC 4648 section 4), white space skipped because products break lines.
fn decode_base64(value: &[u8]) -> Result<Vec<u8>, BindingReject> {
    if value.len() > MAX_FORM_VALUE {
        return Err(BindingReject::TooLarge);
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let decoded = if value.iter().any(is_space) {
        let bare: Vec<u8> = value.iter().copied().filter(|byte| !is_space(byte)).collect();
        STANDARD.decode(bare)
    } else {
        STANDARD.decode(value)
    };
    let decoded = decoded.map_err(|_| BindingReject::Base64)?;
    match decoded.len() {
        0 => Err(BindingReject::Empty),
        length if length > MAX_MESSAGE => Err(BindingReject::TooLarge),
        _ => Ok(decoded),
    }
}

/// Undoes `%XX`. A `+` stays a plus: Base64 needs it, and anyone who escaped the rest left it bare.
fn percent_decode(value: &[u8]) -> Result<Vec<u8>, BindingReject> {
    percent::strict(value).map(Cow::into_owned).ok_or(BindingReject::PercentEscape)
}

/// Inflates one whole raw DEFLATE stream (RFC 1951) of at most [`MAX_MESSAGE`] bytes.
fn inflate(deflated: &[u8]) -> Result<Vec<u8>, BindingReject> {
    let mut decoder = DeflateDecoder::new(deflated);
    let mut inflated = Vec::new();
    let capped = (&mut decoder).take(MAX_MESSAGE as u64 + 1).read_to_end(&mut inflated);
    match capped {
        Ok(length) if length > MAX_MESSAGE => Err(BindingReject::TooLarge),
        // A stream that was cut short ends without an error, but reads no further than this either.
        Ok(_) if !decoder.into_inner().is_empty() => Err(BindingReject::Deflate),
        Ok(0) => Err(BindingReject::Empty),
        Ok(_) => Ok(inflated),
        Err(_) => Err(BindingReject::Deflate),
    }
}

/// Deflates a message for the redirect binding.
pub fn deflate(document: &[u8]) -> Vec<u8> {
    let mut deflated = Vec::new();
    // Reading from memory into memory cannot fail.
    let _ = DeflateEncoder::new(document, Compression::best()).read_to_end(&mut deflated);
    deflated
}

/// Wraps a message for the POST binding: the value of the form field.
pub fn encode_post(document: &[u8]) -> String {
    STANDARD.encode(document)
}

/// Which side of the conversation a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

impl Direction {
    /// The name of the parameter or form field that carries the message.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// Writes the query of a redirect, without `?` and not signed (Bindings 3.4.4.1).
pub fn redirect_query(direction: Direction, document: &[u8], relay_state: Option<&str>) -> String {
    let message = STANDARD.encode(deflate(document));
    let mut query = format!("{}={}", direction.parameter(), escape(&message));
    if let Some(relay_state) = relay_state {
        query.push_str(&format!("&RelayState={}", escape(relay_state)));
    }
    query
}

/// Writes the query of a redirect, signed over its octets as they are (Bindings 3.4.4.1). `None` if the key
/// cannot sign.
pub fn signed_redirect_query(
    direction: Direction,
    document: &[u8],
    relay_state: Option<&str>,
    key: &SigningKey,
) -> Option<String> {
    let query = redirect_query(direction, document, relay_state);
    let covered = format!("{query}&SigAlg={}", escape(key.algorithm().uri()));
    let signature = key.sign_detached(key.algorithm(), covered.as_bytes())?;
    Some(format!("{covered}&Signature={}", escape(&STANDARD.encode(signature))))
}

/// Appends a query to an endpoint's location, which may have one already. Parameters of the binding that stand in
/// it are left out: of two, each side could read another one (CVE-2025-27773).
pub fn append_query(location: &str, query: &str) -> String {
    let location = without_reserved_parameters(location);
    let separator = match location.split_once('?') {
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{location}{separator}{query}")
}

fn escape(value: &str) -> String {
    utf8_percent_encode(value, &UNRESERVED).to_string()
}

/// A message that came by redirect, unwrapped, with what its signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectMessage {
    pub direction: Direction,
    /// The octets of the XML document.
    pub document: Vec<u8>,
    pub relay_state: Option<String>,
    pub signature: Option<RedirectSignature>,
}

/// The signature of a redirect query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectSignature {
    /// The URI of the algorithm.
    pub algorithm: String,
    pub value: Vec<u8>,
    /// The octets that it covers, with the escapes as they were received: AD FS and Entra write
    /// them in lower case, and escaping anew would change the octets.
    pub covered: String,
}

impl RedirectSignature {
    /// Verifies it, and tells which of the keys made it.
    ///
    /// # Errors
    /// When the algorithm is not allowed, or none of the keys made the signature.
    pub fn verify(
        &self,
        keys: &[VerificationKey],
        policy: &SignaturePolicy,
    ) -> Result<usize, SignatureReject> {
        verify_detached(self.covered.as_bytes(), &self.algorithm, &self.value, keys, policy)
    }
}

impl RedirectMessage {
    /// Reads a query as it was received, without `?`. Unknown parameters are ignored.
    ///
    /// # Errors
    /// The first rule that the query breaks. A parameter that stands twice is refused, because two
    /// readers could take different ones (CVE-2025-27773).
    pub fn parse(query: &str) -> Result<Self, BindingReject> {
        if query.len() > MAX_FORM_VALUE {
            return Err(BindingReject::TooLarge);
        }
        let raw = RawQuery::parse(query)?;
        let (direction, message) = match (raw.request, raw.response) {
            (Some(request), None) => (Direction::Request, request),
            (None, Some(response)) => (Direction::Response, response),
            (None, None) => return Err(BindingReject::MissingParameter),
            (Some(_), Some(_)) => return Err(BindingReject::DuplicateParameter),
        };
        if let Some(encoding) = raw.encoding
            && text(encoding)? != names::ENCODING_DEFLATE
        {
            return Err(BindingReject::UnknownEncoding);
        }
        let signature = match (raw.algorithm, raw.signature) {
            (Some(algorithm), Some(value)) => Some(RedirectSignature {
                algorithm: text(algorithm)?,
                value: decode_base64(&percent_decode(value.as_bytes())?)?,
                covered: raw.covered(direction, message, algorithm),
            }),
            (None, None) => None,
            _ => return Err(BindingReject::MissingParameter),
        };
        Ok(Self {
            direction,
            document: inflate(&decode_base64(&percent_decode(message.as_bytes())?)?)?,
            relay_state: raw.relay_state.map(text).transpose()?,
            signature,
        })
    }
}

/// The SAML parameters of a query, still escaped.
#[derive(Default)]
struct RawQuery<'q> {
    request: Option<&'q str>,
    response: Option<&'q str>,
    relay_state: Option<&'q str>,
    algorithm: Option<&'q str>,
    signature: Option<&'q str>,
    encoding: Option<&'q str>,
}

impl<'q> RawQuery<'q> {
    fn parse(query: &'q str) -> Result<Self, BindingReject> {
        let mut raw = Self::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // The name is unescaped first, or `%53AMLResponse` would be a second one in disguise.
            let slot = match text(name)?.as_str() {
                "SAMLRequest" => &mut raw.request,
                "SAMLResponse" => &mut raw.response,
                "RelayState" => &mut raw.relay_state,
                "SigAlg" => &mut raw.algorithm,
                "Signature" => &mut raw.signature,
                "SAMLEncoding" => &mut raw.encoding,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(BindingReject::DuplicateParameter);
            }
        }
        Ok(raw)
    }

    fn covered(&self, direction: Direction, message: &str, algorithm: &str) -> String {
        let mut covered = format!("{}={message}", direction.parameter());
        if let Some(relay_state) = self.relay_state {
            covered.push_str(&format!("&RelayState={relay_state}"));
        }
        covered.push_str(&format!("&SigAlg={algorithm}"));
        covered
    }
}

/// Unescapes a parameter that is text, in which a plus is a space.
fn text(value: &str) -> Result<String, BindingReject> {
    let bytes = percent_decode(value.replace('+', " ").as_bytes())?;
    String::from_utf8(bytes).map_err(|_| BindingReject::PercentEscape)
}

#[cfg(test)]
#[path = "bindings_tests.rs"]
mod tests;
