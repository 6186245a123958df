//! What the gate hands inward and takes back: a complete, checked request and a response.
//!
//! The words are tiny_http's (`Method`, `Header`, `Response`), so that handlers are written in that
//! crate's vocabulary; its sockets, threads and parser are not used. A [`Request`] exists only after the
//! whole head and body were read, counted and checked: nothing here can fail or wait.

use std::net::IpAddr;

use tiny_http::{Header, Method};

use super::refusal::Refusal;
use super::response::{Response, Streamed};
use super::resume::Resume;
use crate::server_log::note;

/// What a handler makes of a request.
pub enum Answer {
    /// The response.
    Now(Response),
    /// The response, whose body is made as its client takes it.
    Streamed(Streamed),
    /// It comes later: the gate begins this when the connection is put aside, and no thread waits for it.
    Later(Box<dyn FnOnce(Resume) + Send>),
}

impl From<Response> for Answer {
    fn from(response: Response) -> Answer {
        Answer::Now(response)
    }
}

/// A complete, checked request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, as it came.
    pub method: Method,
    /// The percent-decoded path: begins with `/`, valid UTF-8, no control characters, no dot segments, and
    /// no slash that was written `%2F`.
    pub path: String,
    /// The query as it came, without the question mark; empty when there is none.
    pub query: String,
    /// The header fields in the order they came; bytes outside ASCII in a value were replaced by `?`.
    pub headers: Vec<Header>,
    /// The body, chunked coding removed; at most as long as [`super::Handler::terms`] allowed.
    pub body: Vec<u8>,
    /// The address of the client: the peer of the connection, or, when that is a trusted proxy, what the
    /// proxy says. No other header can change it.
    pub peer: IpAddr,
    /// Whether the request came through TLS (here, or at a trusted proxy that says so).
    pub secure: bool,
    /// The one Host header as it came, for example `sso.example.com:8443`; empty only for HTTP/1.0 without.
    pub host: String,
}

impl Request {
    /// Finds the first header field of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.field.as_str().as_str().eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    /// Finds the first cookie of this name; names are case-sensitive (RFC 6265 section 5.4).
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies(name).next()
    }

    /// All cookies of this name, in the order in which they came.
    pub fn cookies<'r, 'n>(&'r self, name: &'n str) -> impl Iterator<Item = &'r str> + use<'r, 'n> {
        self.headers
            .iter()
            .filter(|header| header.field.equiv("Cookie"))
            .flat_map(|header| header.value.as_str().split(';'))
            .filter_map(|pair| pair.split_once('='))
            .filter(move |(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    }
}

/// What is known of a request before its body is read.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The method, as it came.
    pub method: &'a Method,
    /// The percent-decoded path, as [`Request::path`].
    pub path: &'a str,
    /// The query as it came, as [`Request::query`].
    pub query: &'a str,
    /// The Content-Type, when there is one.
    pub content_type: Option<&'a str>,
    /// The declared length of the body in bytes; `None` when it comes in chunks.
    pub content_length: Option<u64>,
}

/// On what terms a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPolicy {
    /// Bytes of body it may have; a longer body is refused with 413.
    pub body_limit: usize,
    /// It is answered within some hundred microseconds, or anyone who answers says [`crate::duty::relieve`]
    /// first. Every other request has the gate call another thread before it is answered.
    pub brief: bool,
}

/// What is known of a request that the gate refuses.
#[derive(Debug, Clone, Copy)]
pub enum Refused<'a> {
    /// Its head was read, and its body was not: here it is empty.
    Head(&'a Request),
    /// Its head was not read. The path is what stands at its beginning, as far as that is plain: at most 256 letters,
    /// digits, `/`, `.`, `-`, `_` and `~`. It tells whose language to speak, and nothing may be decided by it.
    Beginning { method: &'a Method, path: &'a str },
}

impl Refused<'_> {
    /// The method.
    pub fn method(&self) -> &Method {
        match self {
            Refused::Head(request) => &request.method,
            Refused::Beginning { method, .. } => method,
        }
    }

    /// The path, or its beginning.
    pub fn path(&self) -> &str {
        match self {
            Refused::Head(request) => &request.path,
            Refused::Beginning { path, .. } => path,
        }
    }
}

/// Answers requests; shared by all threads of the gate.
pub trait Handler: Send + Sync + 'static {
    /// Says on what terms this request is taken; asked before any byte of its body is read.
    fn terms(&self, head: &Head<'_>) -> RequestPolicy;

    /// Answers the request, at once or later. A panic is caught at the edge: the client gets 500 with an
    /// incident id, it is counted, and [`Handler::panicked`] is told.
    fn handle(&self, request: &Request) -> Answer;

    /// Words the gate's own refusal of a request, which [`Handler::handle`] never sees; afterwards the connection is
    /// closed. `None`, and a panic, leave it in plain text. Anybody can have this called as often as they like: it is
    /// bounded in time and bytes whatever was asked, and says [`crate::duty::relieve`] before it takes long.
    fn refused(&self, refusal: Refusal, asked: &Refused<'_>) -> Option<Response> {
        let _ = (refusal, asked);
        None
    }

    /// Is told that [`Handler::handle`] panicked, and words what the client is told, with the id `incident`. `None`
    /// leaves it in plain text.
    fn panicked(&self, request: &Request, incident: &str) -> Option<Response> {
        note(format_args!("panic while answering {} {}: incident {incident}", request.method, request.path));
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        Request {
            method: Method::Get,
            path: "/".into(),
            query: String::new(),
            headers: headers
                .iter()
                .map(|(name, value)| Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap())
                .collect(),
            body: Vec::new(),
            peer: IpAddr::from([127, 0, 0, 1]),
            secure: false,
            host: "localhost".into(),
        }
    }

    #[test]
    fn a_header_is_found_in_any_case() {
        let request = request(&[("X-GSSNID", "abc")]);
        assert_eq!(request.header("x-gssnid"), Some("abc"));
        assert_eq!(request.header("x-other"), None);
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name() {
        let request = request(&[("Cookie", "a=1; GSSNID=x=y ;gssnid=no"), ("Cookie", "b=2")]);
        assert_eq!(request.cookie("GSSNID"), Some("x=y"));
        assert_eq!(request.cookie("b"), Some("2"));
        assert_eq!(request.cookie("GSSN"), None);
    }
}
