//! Whatever the head parser accepts, a naive reader of lines reads in the same way: the checks are shared by
//! the generated tests here and by the fuzz target `front_door`, which feeds them arbitrary bytes.

use sidelight::gate::body::Chunked;
use sidelight::gate::head::{Framing, ParsedHead, end_of_head, parse};

/// A limit within the reach of a fuzzer.
const HEAD_LIMIT: usize = 2048;
const BODY_LIMIT: usize = 64;

/// Runs every check on these bytes.
pub fn check(bytes: &[u8]) {
    check_head(bytes);
    check_chunks(bytes);
}

fn check_head(bytes: &[u8]) {
    let whole = end_of_head(bytes, 0, HEAD_LIMIT);
    assert_eq!(in_pieces(bytes, whole.is_ok()), whole, "pieces are read in another way than the whole");
    let Ok(Some(end)) = whole else { return };
    assert!(end <= HEAD_LIMIT && bytes[..end].ends_with(b"\r\n\r\n"));
    if let Ok(head) = parse(&bytes[..end]) {
        compare(&bytes[..end], &head);
    }
}

/// Looks at a growing prefix, as the connection does. A refusal may come at an earlier byte than in the whole.
fn in_pieces(bytes: &[u8], whole_is_ok: bool) -> Result<Option<usize>, sidelight::gate::refusal::Refusal> {
    let mut scanned = 0;
    for length in (0..=bytes.len()).step_by(7).chain([bytes.len()]) {
        match end_of_head(&bytes[..length], scanned, HEAD_LIMIT) {
            Ok(None) => scanned = length,
            Err(_) if !whole_is_ok => break,
            other => return other,
        }
    }
    end_of_head(bytes, 0, HEAD_LIMIT)
}

/// Compares with the lines as anybody would read them.
fn compare(bytes: &[u8], head: &ParsedHead) {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.strip_suffix("\r\n\r\n").unwrap().split("\r\n");
    let request_line: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let [method, target, version] = request_line[..] else { panic!("{request_line:?}") };
    assert_eq!(method, head.method.as_str());
    assert!(version == "HTTP/1.1" || version == "HTTP/1.0" && head.old_version);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    assert_eq!(query, head.query);
    assert!(path.starts_with('/') && head.path.starts_with('/'));
    assert_eq!(path.matches('/').count(), head.path.matches('/').count());
    assert!(!head.path.contains(char::is_control) && !head.path.contains("/../"));

    let fields: Vec<(&str, &str)> = lines.map(|line| line.split_once(':').unwrap()).collect();
    assert_eq!(fields.len(), head.headers.len());
    for ((name, value), header) in fields.iter().zip(&head.headers) {
        assert_eq!(*name, header.field.as_str().as_str());
        assert!(!name.contains(char::is_whitespace));
        let kept = header.value.as_str();
        assert!(!kept.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t'));
        if value.is_ascii() {
            assert_eq!(value.trim_matches([' ', '\t']), kept);
        }
    }
    let values = |wanted: &str| -> Vec<&str> {
        let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.map(|(_, value)| value.trim_matches([' ', '\t'])).collect()
    };
    match (&values("content-length")[..], &values("transfer-encoding")[..]) {
        ([], []) => assert_eq!(head.framing, Framing::Length(0)),
        ([length], []) => {
            assert_eq!(head.framing, Framing::Length(length.parse().unwrap_or(u64::MAX)));
            assert!(length.bytes().all(|byte| byte.is_ascii_digit()));
        }
        ([], [coding]) => {
            assert!(coding.eq_ignore_ascii_case("chunked") && !head.old_version);
            assert_eq!(head.framing, Framing::Chunked);
        }
        both => panic!("ambiguous framing was accepted: {both:?}"),
    }
    match &values("host")[..] {
        [host] => assert_eq!(*host, head.host),
        hosts => assert!(hosts.is_empty() && head.old_version),
    }
}

/// A chunked body is the same whether it comes whole or in pieces, and never over its limit.
fn check_chunks(bytes: &[u8]) {
    let (mut whole, mut body) = (Chunked::default(), Vec::new());
    let outcome = whole.decode(bytes, &mut body, BODY_LIMIT);
    assert!(body.len() <= BODY_LIMIT);
    let (mut pieces, mut collected, mut inbox) = (Chunked::default(), Vec::new(), Vec::new());
    for piece in bytes.chunks(3) {
        inbox.extend_from_slice(piece);
        match pieces.decode(&inbox, &mut collected, BODY_LIMIT) {
            Ok(used) => drop(inbox.drain(..used)),
            Err(refusal) => {
                assert_eq!(outcome, Err(refusal));
                return;
            }
        }
    }
    assert_eq!((outcome, body, whole), (Ok(bytes.len() - inbox.len()), collected, pieces));
}

#[cfg(test)]
mod generated {
    use proptest::prelude::*;

    /// Pieces of requests, good and bad, from which requests are put together.
    const PIECES: [&str; 44] = [
        "GET ",
        "POST ",
        "/",
        "/a%20b",
        "?q=1",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "Host: x",
        "Host:x:80",
        "host: y",
        "Content-Length: 5",
        "Content-Length: 5",
        "content-length:\t7 ",
        "Transfer-Encoding: chunked",
        "transfer-encoding: Chunked",
        "Transfer-Encoding: gzip, chunked",
        ":",
        " ",
        "\t",
        "\0",
        "%2e",
        "%2F",
        "..",
        "\\",
        "#",
        "A: b",
        "A : b",
        "Cookie: a=b; c",
        "Expect: 100-continue",
        "Connection: close",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "5;x\r\n",
        "\u{e4}",
        "[::1]",
        "@",
        "*",
        "http://",
        "\x7f",
    ];

    proptest! {
        #[test]
        fn requests_put_together_at_random_are_read_in_one_way(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
        ) {
            super::check(pieces.concat().as_bytes());
        }

        #[test]
        fn a_good_request_with_some_bytes_changed_is_read_in_one_way(
            changes in prop::collection::vec((0..132_usize, any::<u8>()), 0..4),
        ) {
            let mut request = b"POST /a/b%20c?x=1 HTTP/1.1\r\nHost: localhost:8443\r\nContent-Type: text/plain\r\n\
                                Content-Length: 11\r\nConnection: close\r\n\r\nhello world".to_vec();
            for (at, byte) in changes {
                if let Some(place) = request.get_mut(at) {
                    *place = byte;
                }
            }
            super::check(&request);
        }

        #[test]
        fn arbitrary_bytes_are_read_in_one_way(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            super::check(&bytes);
        }
    }
}
