//! Reads `multipart/form-data` (RFC 7578): the shape in which a browser uploads a file without scripts.
//!
//! The whole body is in memory and was counted by the gate; parts are slices of it.

use crate::error::{Error, Kind, Result};

/// Most parts of one body: a form has a few dozen fields.
const PARTS_MAX: usize = 128;

/// One field or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'b> {
    pub name: String,
    /// The name that the browser gives the file; `None` for a plain field. Never used as a path.
    pub file_name: Option<String>,
    pub body: &'b [u8],
}

/// The parts of a body, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts<'b> {
    parts: Vec<Part<'b>>,
}

impl<'b> Parts<'b> {
    /// Reads a body whose Content-Type header is `content_type`.
    ///
    /// # Errors
    /// `Invalid` with code `not_multipart` or `bad_multipart`.
    pub fn read(content_type: Option<&str>, body: &'b [u8]) -> Result<Parts<'b>> {
        let boundary = content_type.and_then(boundary).ok_or_else(|| {
            let public = "This form must be sent as multipart/form-data.";
            Error::new(Kind::Invalid, "not_multipart", public)
        })?;
        let delimiter = format!("--{boundary}");
        let mut rest = body.strip_prefix(delimiter.as_bytes()).ok_or_else(damaged)?;
        let between = format!("\r\n{delimiter}");
        let mut parts = Vec::new();
        while !rest.starts_with(b"--") {
            let after = rest.strip_prefix(b"\r\n").ok_or_else(damaged)?;
            let end = find(after, between.as_bytes()).ok_or_else(damaged)?;
            let (part, next) = after.split_at_checked(end).ok_or_else(damaged)?;
            if parts.len() == PARTS_MAX {
                return Err(damaged());
            }
            parts.push(read_part(part)?);
            rest = next.strip_prefix(between.as_bytes()).ok_or_else(damaged)?;
        }
        Ok(Parts { parts })
    }

    /// The text of the first field of this name; `None` when there is none or it is not UTF-8.
    pub fn text(&self, name: &str) -> Option<&'b str> {
        self.part(name).and_then(|part| std::str::from_utf8(part.body).ok())
    }

    /// The bytes of the first part of this name, in any case.
    pub fn first_in_any_case(&self, name: &str) -> Option<&'b [u8]> {
        self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name)).map(|part| part.body)
    }

    /// All texts of this name.
    pub fn texts(&self, name: &str) -> Vec<&'b str> {
        let named = self.parts.iter().filter(|part| part.name == name);
        named.filter_map(|part| std::str::from_utf8(part.body).ok()).collect()
    }

    /// The bytes of the first non-empty file of this name.
    pub fn file(&self, name: &str) -> Option<&'b [u8]> {
        self.part(name).filter(|part| part.file_name.is_some()).map(|p| p.body).filter(|b| !b.is_empty())
    }

    fn part(&self, name: &str) -> Option<&Part<'b>> {
        self.parts.iter().find(|part| part.name == name)
    }
}

fn read_part(part: &[u8]) -> Result<Part<'_>> {
    let head_end = find(part, b"\r\n\r\n").ok_or_else(damaged)?;
    let (head, body) = part.split_at_checked(head_end).ok_or_else(damaged)?;
    let body = body.strip_prefix(b"\r\n\r\n").ok_or_else(damaged)?;
    let head = std::str::from_utf8(head).map_err(|_| damaged())?;
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("Content-Disposition"))
        .map(|(_, value)| value)
        .ok_or_else(damaged)?;
    Ok(Part {
        name: parameter(disposition, "name").ok_or_else(damaged)?,
        file_name: parameter(disposition, "filename"),
        body,
    })
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, _) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(content_type, "boundary").filter(|b| (1..=70).contains(&b.len()))
}

/// Reads `name=value` or `name="value"` among the parameters of a header value. Browsers write a quote
/// inside a name as `%22`, so a quoted value ends at the next quote.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    loop {
        let (_, after) = rest.split_once(';')?;
        let (key, after) = after.split_once('=')?;
        let (found, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.trim().to_owned());
        }
        rest = next;
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = haystack.get(from..)?.iter().position(|b| *b == first) {
        let at = from + step;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn damaged() -> Error {
    Error::new(Kind::Invalid, "bad_multipart", "The upload arrived damaged. Send the form again.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TYPE: Option<&str> = Some("multipart/form-data; boundary=xYz");

    #[test]
    fn fields_and_files_are_read() {
        let body = b"--xYz\r\nContent-Disposition: form-data; name=\"role\"\r\n\r\nAgents\r\n--xYz\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a;b.csv\"\r\n\
            Content-Type: text/csv\r\n\r\na,b\r\n--not\r\n\r\n--xYz--\r\n";
        let parts = Parts::read(TYPE, body).unwrap();
        assert_eq!(parts.text("role"), Some("Agents"));
        assert_eq!(parts.file("file"), Some(&b"a,b\r\n--not\r\n"[..]));
        assert_eq!(parts.file("role"), None);
    }

    #[test]
    fn a_damaged_body_is_refused() {
        for body in [
            &b""[..],
            b"--xYz",
            b"--xYz\r\n",
            b"--xYz\r\n\r\n--xYz--",
            b"--xYz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xYz--",
            b"--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--other--",
        ] {
            assert_eq!(Parts::read(TYPE, body).unwrap_err().code, "bad_multipart");
        }
        assert_eq!(Parts::read(Some("text/plain"), b"x").unwrap_err().code, "not_multipart");
        assert_eq!(Parts::read(None, b"x").unwrap_err().code, "not_multipart");
    }

    #[test]
    fn a_body_has_at_most_so_many_parts() {
        let part = "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
        let body = |parts: usize| format!("{}--xYz--\r\n", part.repeat(parts));
        assert_eq!(Parts::read(TYPE, body(PARTS_MAX).as_bytes()).unwrap().texts("a").len(), PARTS_MAX);
        assert_eq!(Parts::read(TYPE, body(PARTS_MAX + 1).as_bytes()).unwrap_err().code, "bad_multipart");
    }
}
