//! What can be told of a request whose head is refused: the method, and the plain beginning of the path. Pure.
//!
//! It serves only to choose the words of the refusal. Nothing is decided by it: the same bytes may mean another path to
//! another reader, which is why they were refused.

use std::str::FromStr;

use tiny_http::Method;

/// Longest method that is looked at; the longest of RFC 9110 has seven letters.
const METHOD_BYTES: usize = 16;
/// Longest beginning of a path that is looked at.
const PATH_BYTES: usize = 256;

/// Reads the beginning of a request line, whole or cut off: the method, and as much of the path as is letters, digits,
/// `/`, `.`, `-`, `_` and `~`. `None` where it is no request line.
pub fn of(bytes: &[u8]) -> Option<(Method, &str)> {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let space = bytes.iter().take(METHOD_BYTES).position(|byte| *byte == b' ')?;
    let method = std::str::from_utf8(bytes.get(..space)?).ok()?;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let target = bytes.get(space + 1..)?;
    let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/.-_~".contains(*byte);
    let length = target.iter().take(PATH_BYTES).take_while(plain).count();
    let path = std::str::from_utf8(target.get(..length)?).ok()?;
    if !path.starts_with('/') {
        return None;
    }
    Some((Method::from_str(method).ok()?, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_beginning_of_a_path_is_told_as_far_as_it_is_plain() {
        for (bytes, expected) in [
            ("GET /api/v0/x%2F HTTP/1.1\r\n\r\n", Some("/api/v0/x")),
            ("GET /PAPI/ShowUsers.asp?a=b HTTP/9.9\r\n", Some("/PAPI/ShowUsers.asp")),
            ("\r\nPOST /scim/v2/Users HTTP/1.1\nHost: x\n", Some("/scim/v2/Users")),
            ("GET /console/\0", Some("/console/")),
            ("GET /consol", Some("/consol")),
            ("GET /", Some("/")),
            ("GET  /api HTTP/1.1\r\n", None),
            ("GET http://other/api HTTP/1.1\r\n", None),
            ("GET * HTTP/1.1\r\n", None),
            (" /api", None),
            ("G\0T /api HTTP/1.1\r\n", None),
            ("AVERYLONGMETHODINDEED /api HTTP/1.1\r\n", None),
            ("GET", None),
            ("", None),
        ] {
            let path = of(bytes.as_bytes()).map(|(_, path)| path);
            assert_eq!(path, expected, "{bytes:?}");
        }
        let long = format!("GET /{}", "a".repeat(16 * 1024));
        assert_eq!(of(long.as_bytes()).unwrap().1.len(), PATH_BYTES);
        assert_eq!(of(b"HEAD /api").unwrap().0, Method::Head);
    }
}
