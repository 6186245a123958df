//! The one parser of a request's head (RFC 9112 sections 2, 3 and 6; RFC 9110 sections 5 and 7.2).
//!
//! httparse reads the lines; what it lets pass and other parsers may read in another way is refused here:
//! bare line feeds, framing that is said twice, targets that are no plain path. Pure: bytes in, a
//! [`ParsedHead`] or a [`Refusal`] out; it knows no sockets and no time. Enter at [`end_of_head`], then
//! [`parse`].

use std::mem::MaybeUninit;
use std::net::Ipv6Addr;
use std::str::FromStr;

use tiny_http::{Header, Method};

use super::refusal::Refusal;
use crate::percent;

/// Header fields of a request; browsers send about 20.
const HEADERS: usize = 100;
/// Longest Host: a DNS name of 253 characters, a colon and a port.
const HOST_BYTES: usize = 259;

/// How the length of the body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes; 0 when the head announces no body.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// A checked head.
#[derive(Debug)]
pub struct ParsedHead {
    /// See [`super::Request::method`].
    pub method: Method,
    /// See [`super::Request::path`].
    pub path: String,
    /// See [`super::Request::query`].
    pub query: String,
    /// See [`super::Request::headers`].
    pub headers: Vec<Header>,
    /// See [`super::Request::host`].
    pub host: String,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether the client wants to use the connection again.
    pub keep_alive: bool,
    /// Whether the client is HTTP/1.0 and has to be told that the connection is kept.
    pub old_version: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// Looks for the end of the head in `bytes`, of which the first `scanned` were looked at before.
///
/// Returns the length of the head with its empty line, or `None` when more must come.
///
/// # Errors
/// [`Refusal::LineEnd`], [`Refusal::RequestLine`] as soon as the bytes cannot become a head;
/// [`Refusal::HeadTooLong`] or [`Refusal::TargetTooLong`] when it grows over `limit` bytes.
pub fn end_of_head(bytes: &[u8], scanned: usize, limit: usize) -> Result<Option<usize>, Refusal> {
    if let Some(first) = bytes.first()
        && !first.is_ascii_alphabetic()
        && *first != b'\r'
    {
        return Err(Refusal::RequestLine);
    }
    let mut from = scanned;
    while let Some(found) = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line_feed = from + found;
        let Some((before, _)) = bytes.split_at_checked(line_feed) else { break };
        if !before.ends_with(b"\r") {
            return Err(Refusal::LineEnd);
        }
        if before.ends_with(b"\r\n\r") {
            let end = line_feed + 1;
            return if end > limit { Err(Refusal::HeadTooLong) } else { Ok(Some(end)) };
        }
        from = line_feed + 1;
    }
    if bytes.len() < limit {
        return Ok(None);
    }
    Err(if bytes.contains(&b'\n') { Refusal::HeadTooLong } else { Refusal::TargetTooLong })
}

/// Parses a whole head, which ends in its empty line. One empty line before the request line is passed over
/// (RFC 9112 section 2.2).
///
/// # Errors
/// The rule that the head breaks.
pub fn parse(bytes: &[u8]) -> Result<ParsedHead, Refusal> {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let mut fields = [const { MaybeUninit::uninit() }; HEADERS];
    let mut raw = httparse::Request::new(&mut []);
    match raw.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Refusal::RequestLine),
        Err(error) => return Err(refusal_of(error)),
    }
    let (Some(method), Some(target), Some(version)) = (raw.method, raw.path, raw.version) else {
        return Err(Refusal::RequestLine);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut head = ParsedHead {
        method: method_of(method)?,
        path: decoded_path(path)?,
        query: checked_query(query)?,
        headers: Vec::with_capacity(raw.headers.len()),
        host: String::new(),
        framing: Framing::Length(0),
        keep_alive: version == 1,
        old_version: version == 0,
        expects_continue: false,
    };
    read_fields(&mut head, raw.headers)?;
    Ok(head)
}

fn refusal_of(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::HeadersTooMany,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Refusal::HeaderField,
        httparse::Error::Version => Refusal::Version,
        httparse::Error::NewLine => Refusal::LineEnd,
        httparse::Error::Token | httparse::Error::Status => Refusal::RequestLine,
    }
}

fn method_of(name: &str) -> Result<Method, Refusal> {
    Ok(match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::from_str(other).map_err(|()| Refusal::RequestLine)?,
    })
}

/// Decodes the path and refuses what two readers could take for two paths.
fn decoded_path(path: &str) -> Result<String, Refusal> {
    if !path.starts_with('/') || path.contains('#') {
        return Err(Refusal::TargetForm);
    }
    // An escaped slash is a slash to one reader, and a part of a name to another.
    if path.contains("%2F") || path.contains("%2f") {
        return Err(Refusal::Path);
    }
    let decoded = percent::strict(path.as_bytes()).ok_or(Refusal::Path)?.into_owned();
    let decoded = String::from_utf8(decoded).map_err(|_| Refusal::Path)?;
    let ambiguous = decoded.chars().any(|c| c.is_control() || c == '\\')
        || decoded.split('/').any(|segment| segment == "." || segment == "..");
    if ambiguous { Err(Refusal::Path) } else { Ok(decoded) }
}

fn checked_query(query: &str) -> Result<String, Refusal> {
    if query.contains('#') || query.chars().any(char::is_control) {
        return Err(Refusal::TargetForm);
    }
    Ok(query.to_owned())
}

/// Reads the fields that the gate itself obeys, and keeps all of them for the handler.
fn read_fields(head: &mut ParsedHead, fields: &[httparse::Header<'_>]) -> Result<(), Refusal> {
    let mut host = None;
    let mut length = None;
    let mut coding = None;
    let (mut close, mut keep_alive) = (false, false);
    let (mut authorization, mut content_type) = (false, false);
    for field in fields {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        // By length first: most fields are none of these.
        match field.name.len() {
            4 if is("Host") => once(&mut host, field.value, Refusal::HostRepeated)?,
            14 if is("Content-Length") => once(&mut length, field.value, Refusal::LengthRepeated)?,
            17 if is("Transfer-Encoding") => once(&mut coding, field.value, Refusal::CodingAmbiguous)?,
            13 if is("Authorization") => first(&mut authorization)?,
            12 if is("Content-Type") => first(&mut content_type)?,
            10 if is("Connection") => {
                for option in field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    close |= option.eq_ignore_ascii_case(b"close");
                    keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            6 if is("Expect") => {
                if !field.value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::Expectation);
                }
                head.expects_continue = !head.old_version;
            }
            _ => {}
        }
        head.headers.push(kept(field)?);
    }
    head.keep_alive = !close && (keep_alive || !head.old_version);
    head.host = match host {
        Some(value) => checked_host(value)?,
        None if head.old_version => String::new(),
        None => return Err(Refusal::HostMissing),
    };
    head.framing = framing(length, coding, head.old_version)?;
    Ok(())
}

fn once<'a>(slot: &mut Option<&'a [u8]>, value: &'a [u8], refusal: Refusal) -> Result<(), Refusal> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(refusal),
    }
}

/// Credentials and the kind of body may not be said twice: the first reader might take one, the next the other.
fn first(seen: &mut bool) -> Result<(), Refusal> {
    if std::mem::replace(seen, true) { Err(Refusal::HeaderRepeated) } else { Ok(()) }
}

/// Turns a field into tiny_http's, which is ASCII: other bytes become `?`, so that such a value can be shown
/// but matches no credential.
fn kept(field: &httparse::Header<'_>) -> Result<Header, Refusal> {
    let mut value = field.value.trim_ascii().to_vec();
    if !value.is_ascii() {
        value.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
    }
    Header::from_bytes(field.name.as_bytes(), value).map_err(|()| Refusal::HeaderField)
}

fn checked_host(value: &[u8]) -> Result<String, Refusal> {
    let host = std::str::from_utf8(value).map_err(|_| Refusal::HostMalformed)?;
    if host.len() <= HOST_BYTES && is_authority(host) {
        Ok(host.to_owned())
    } else {
        Err(Refusal::HostMalformed)
    }
}

/// Tells whether this is a name, IPv4 address or bracketed IPv6 address, perhaps with a port.
fn is_authority(host: &str) -> bool {
    let (name_is_good, port) = if let Some(rest) = host.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else { return false };
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return false,
        };
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (name, port) = match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        };
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (!name.is_empty() && name.bytes().all(good), port)
    };
    let port_is_good = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    name_is_good && port.is_none_or(port_is_good)
}

fn framing(length: Option<&[u8]>, coding: Option<&[u8]>, old_version: bool) -> Result<Framing, Refusal> {
    match (length, coding) {
        (Some(_), Some(_)) => Err(Refusal::LengthAndCoding),
        (None, Some(_)) if old_version => Err(Refusal::CodingAmbiguous),
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (None, Some(_)) => Err(Refusal::CodingUnsupported),
        (Some(digits), None) => {
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(Refusal::LengthMalformed);
            }
            // Digits that overflow are a length all the same: one that is over every limit.
            let length = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            Ok(Framing::Length(length.unwrap_or(u64::MAX)))
        }
        (None, None) => Ok(Framing::Length(0)),
    }
}
