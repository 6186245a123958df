//! Prints responses (RFC 9112 sections 4 and 6): status line, fields, body, ready to be sent in one call.
//!
//! tiny_http's `raw_print` writes piece by piece, names itself in `Server` and formats the date again each
//! time; this printer takes the same response apart instead. Framing and connection fields are the gate's
//! alone. A field with a control character never leaves (CVE-2026-66753): it would let anyone who chose the
//! value write the rest of the response.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use tiny_http::{Header, StatusCode};

use super::refusal::Refusal;
use super::response::Response;

/// A body up to this many bytes is copied behind its head, so that both leave in one call.
const COPIED_BODY: usize = 32 * 1024;

/// How a response is to be framed.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether the connection stays open afterwards.
    pub keep_alive: bool,
    /// Whether the client is HTTP/1.0, which has to be told that the connection stays open.
    pub old_version: bool,
    /// Whether this answers HEAD: the length is told, the body is not sent.
    pub head_only: bool,
}

/// A printed response: head and short body together, a long body apart.
#[derive(Debug, Default)]
pub struct Printed {
    /// The head, and the body when it is short.
    pub front: Vec<u8>,
    /// The body when it is long.
    pub tail: Vec<u8>,
}

/// A response that must not leave: one of its fields could be read as more than one line.
#[derive(Debug, PartialEq, Eq)]
pub struct UnsafeField;

impl Printed {
    /// Prints a response in place of what was printed here before.
    ///
    /// # Errors
    /// [`UnsafeField`] when a field has a malformed name or a control character in its value; then nothing
    /// is printed.
    pub fn response(&mut self, response: Response, manner: Manner) -> Result<(), UnsafeField> {
        let StatusCode(status) = response.status_code();
        let bodiless = matches!(status, 100..=199 | 204 | 304);
        self.fields(status, response.headers())?;
        let front = &mut self.front;
        let declared = response.data_length();
        let body = response.into_reader().into_inner();
        // An answer to HEAD may tell the length of a body that was never made.
        let length =
            if manner.head_only { declared.unwrap_or(body.len()).max(body.len()) } else { body.len() };
        if !bodiless {
            push_length(front, length);
        }
        end_of_head(front, manner);
        if manner.head_only || bodiless {
            return Ok(());
        }
        if body.len() <= COPIED_BODY {
            front.extend_from_slice(&body);
        } else {
            self.tail = body;
        }
        Ok(())
    }

    /// Prints the head of a response whose body is made as the client takes it, and the first portion. The length is
    /// not known: the body is chunked, and for HTTP/1.0 it ends with the connection.
    ///
    /// # Errors
    /// As [`Printed::response`].
    pub fn streamed(&mut self, response: Response, manner: Manner) -> Result<(), UnsafeField> {
        let StatusCode(status) = response.status_code();
        self.fields(status, response.headers())?;
        if !manner.old_version {
            self.front.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        end_of_head(&mut self.front, manner);
        if !manner.head_only {
            self.portion(response.into_reader().into_inner(), manner);
        }
        Ok(())
    }

    /// Prints a portion behind what is printed here. An empty one prints nothing: an empty chunk would end the body.
    pub fn portion(&mut self, mut portion: Vec<u8>, manner: Manner) {
        if portion.is_empty() {
            return;
        }
        if !manner.old_version {
            self.front.extend_from_slice(format!("{:x}\r\n", portion.len()).as_bytes());
            portion.extend_from_slice(b"\r\n");
        }
        self.tail = portion;
    }

    /// Prints what tells the client that the body is whole.
    pub fn last_portion(&mut self, manner: Manner) {
        if !manner.old_version {
            self.front.extend_from_slice(b"0\r\n\r\n");
        }
    }

    /// Prints status line and fields in place of what was printed here before.
    fn fields(&mut self, status: u16, headers: &[Header]) -> Result<(), UnsafeField> {
        self.clear();
        let front = &mut self.front;
        status_line(front, status);
        for header in headers {
            if is_the_gates_own(header) {
                continue;
            }
            let (name, value) = (header.field.as_str().as_bytes(), header.value.as_bytes());
            if !is_token(name) || !is_printable(value) {
                front.clear();
                return Err(UnsafeField);
            }
            for part in [name, b": ", value, b"\r\n"] {
                front.extend_from_slice(part);
            }
        }
        Ok(())
    }

    /// Prints the gate's own answer to a request that it refuses; the connection closes after it.
    pub fn refusal(&mut self, refusal: Refusal) {
        self.plain(refusal.status(), &format!("{} ({})\n", refusal.sentence(), refusal.code()));
    }

    /// Prints the answer of a request whose handler failed; the connection closes after it.
    pub fn failure(&mut self, incident: &str) {
        self.plain(500, &format!("Something went wrong on this server. Incident {incident}.\n"));
    }

    /// Empties this, keeping its memory.
    pub fn clear(&mut self) {
        self.front.clear();
        self.tail = Vec::new();
    }

    fn plain(&mut self, status: u16, text: &str) {
        self.clear();
        status_line(&mut self.front, status);
        self.front.extend_from_slice(
            b"Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n",
        );
        push_length(&mut self.front, text.len());
        end_of_head(&mut self.front, Manner { keep_alive: false, old_version: false, head_only: false });
        self.front.extend_from_slice(text.as_bytes());
    }
}

fn status_line(out: &mut Vec<u8>, status: u16) {
    out.extend_from_slice(b"HTTP/1.1 ");
    push_number(out, usize::from(status));
    out.push(b' ');
    out.extend_from_slice(StatusCode(status).default_reason_phrase().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(b"Content-Length: ");
    push_number(out, length);
    out.extend_from_slice(b"\r\n");
}

fn end_of_head(out: &mut Vec<u8>, manner: Manner) {
    push_date(out);
    if !manner.keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if manner.old_version {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn push_number(out: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
}

/// Fields that say how the message is framed, when it was made and by what.
fn is_the_gates_own(header: &Header) -> bool {
    [
        "Content-Length",
        "Connection",
        "Date",
        "Server",
        "Transfer-Encoding",
        "Trailer",
        "Upgrade",
        "Keep-Alive",
    ]
    .into_iter()
    .any(|name| header.field.equiv(name))
}

/// RFC 9110 section 5.6.2.
fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

fn is_printable(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

thread_local! {
    /// The last second that this thread printed, and its text.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Prints the Date field (RFC 9110 section 6.6.1). It tells when the message really left: caches and
/// clients compare it with their own clocks, so a lab's clock does not move it.
fn push_date(out: &mut Vec<u8>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    DATE.with_borrow_mut(|(second, text)| {
        if *second != now || text.is_empty() {
            *second = now;
            *text = imf_fixdate(now).unwrap_or_default();
        }
        if !text.is_empty() {
            for part in ["Date: ", text, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    });
}

fn imf_fixdate(second: u64) -> Option<String> {
    let timestamp = jiff::Timestamp::from_second(i64::try_from(second).ok()?).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const KEEP: Manner = Manner { keep_alive: true, old_version: false, head_only: false };

    fn header(name: &str, value: &str) -> Header {
        Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(response: Response, manner: Manner, expected: &str) {
        let mut printed = Printed::default();
        printed.response(response, manner).unwrap();
        printed.front.extend_from_slice(&printed.tail);
        let text = String::from_utf8(printed.front).unwrap();
        let (before, rest) = text.split_once("Date: ").unwrap();
        let (date, after) = rest.split_once("\r\n").unwrap();
        assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
        assert_eq!(format!("{before}{after}"), expected);
    }

    #[test]
    fn a_response_has_its_fields_its_length_and_its_body() {
        check(
            Response::from_string("hello").with_header(header("X-Own", "1")),
            KEEP,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nX-Own: 1\r\nContent-Length: 5\r\n\r\nhello",
        );
        check(Response::from_data([]), KEEP, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn the_connection_is_told_where_the_version_does_not_tell_it() {
        let plain = || Response::from_data("x");
        let close = Manner { keep_alive: false, ..KEEP };
        check(plain(), close, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
        let old = Manner { old_version: true, ..KEEP };
        check(plain(), old, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx");
    }

    #[test]
    fn an_answer_to_head_has_the_length_and_no_body() {
        let manner = Manner { head_only: true, ..KEEP };
        check(Response::from_data("12345"), manner, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    }

    #[test]
    fn statuses_without_a_body_have_neither_body_nor_length() {
        check(
            Response::from_data("never sent").with_status_code(204),
            KEEP,
            "HTTP/1.1 204 No Content\r\n\r\n",
        );
        check(
            Response::from_data("never sent").with_status_code(304),
            KEEP,
            "HTTP/1.1 304 Not Modified\r\n\r\n",
        );
    }

    #[test]
    fn a_long_body_is_not_copied_and_arrives_whole() {
        let body = "y".repeat(COPIED_BODY + 1);
        let expected = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        check(Response::from_data(body), KEEP, &expected);
    }

    #[test]
    fn framing_fields_of_a_handler_are_passed_over() {
        let response = Response::from_data("x")
            .with_header(header("Keep-Alive", "timeout=5"))
            .with_header(header("Server", "me"))
            .with_header(header("Date", "yesterday"));
        check(response, KEEP, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    }

    #[test]
    fn a_field_that_could_be_read_as_two_never_leaves() {
        for (name, value) in [
            ("Location", "/\r\nSet-Cookie: a=b"),
            ("Location", "/\nSet-Cookie: a=b"),
            ("Location", "/\rSet-Cookie: a=b"),
            ("Location", "/\0"),
            ("Location", "/\x7f"),
            ("X-A: b\r\nX-C", "d"),
            ("X A", "d"),
            ("", "d"),
        ] {
            let mut printed = Printed::default();
            let response = Response::from_data("x").with_header(header(name, value));
            assert_eq!(printed.response(response, KEEP), Err(UnsafeField), "{name:?} {value:?}");
            assert!(printed.front.is_empty() && printed.tail.is_empty());
        }
    }
}
