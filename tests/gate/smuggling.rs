//! Requests that two parsers could read in two ways, and requests that are simply malformed: each is refused
//! by its rule, the connection is closed, and no handler sees any of it.

use crate::harness::{LIMIT, SMALL, Server};

/// Sends the head, followed by a second request, and expects the refusal and nothing after it.
#[track_caller]
fn check(server: &Server, request: impl AsRef<[u8]>, status: u16, code: &str) {
    let mut bytes = request.as_ref().to_vec();
    bytes.extend_from_slice(b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    let before = server.counts();
    let answer = server.exchange(&bytes);
    let shown = String::from_utf8_lossy(request.as_ref()).into_owned();
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
    assert!(answer.contains(&format!("({code})")), "{shown:?}: {answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{shown:?}: {answer}");
    assert_eq!(answer.matches("\r\nDate: ").count(), 1, "more than one answer to {shown:?}: {answer}");
    assert_eq!(server.counts().requests, before.requests, "{shown:?} reached the handler");
    assert_eq!(server.counts().refused, before.refused + 1);
}

#[test]
fn framing_that_is_said_twice_is_refused() {
    let server = Server::start();
    let post = |fields: &str| format!("POST /echo HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    let chunked = "0\r\n\r\n";
    for (fields, status, code) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400, "length_and_coding"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400, "length_and_coding"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", 400, "length_repeated"),
        ("Content-Length: 5\r\ncontent-length: 6\r\n", 400, "length_repeated"),
        ("Content-Length: 5, 5\r\n", 400, "length_malformed"),
        ("Content-Length: +5\r\n", 400, "length_malformed"),
        ("Content-Length: -5\r\n", 400, "length_malformed"),
        ("Content-Length: 0x5\r\n", 400, "length_malformed"),
        ("Content-Length: 5.0\r\n", 400, "length_malformed"),
        ("Content-Length: 5 5\r\n", 400, "length_malformed"),
        ("Content-Length: five\r\n", 400, "length_malformed"),
        ("Content-Length:\r\n", 400, "length_malformed"),
        ("Content-Length: \"5\"\r\n", 400, "length_malformed"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, "coding_ambiguous"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400, "coding_ambiguous"),
        ("Transfer-Encoding: chunked, chunked\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: gzip, chunked\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: chunked, identity\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: xchunked\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: identity\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: chunked;q=1\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: \"chunked\"\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding:\r\n", 501, "coding_unsupported"),
        ("Transfer-Encoding: \x0bchunked\r\n", 400, "header_field"),
        ("Transfer-Encoding : chunked\r\n", 400, "header_field"),
        ("Transfer-Encoding\t: chunked\r\n", 400, "header_field"),
        ("Content-Length : 5\r\n", 400, "header_field"),
        (" Content-Length: 5\r\n", 400, "header_field"),
        ("Transfer-Encoding: chunked\r\n\t, identity\r\n", 400, "header_field"),
        ("X: y\r\n Transfer-Encoding: chunked\r\n", 400, "header_field"),
    ] {
        check(&server, post(fields) + chunked, status, code);
    }
    let old = "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    check(&server, old, 400, "coding_ambiguous");
    server.serves_an_honest_client();
}

#[test]
fn a_second_request_in_an_unchunked_body_is_body_only() {
    let server = Server::start();
    let inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = server.exchange(format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{inner}",
        inner.len()
    ));
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1);
    assert!(answer.ends_with(&format!("body={inner}")), "{answer}");
    assert_eq!(server.counts().requests, 1);
}

#[test]
fn malformed_chunks_are_refused() {
    let server = Server::start();
    for (body, status, code) in [
        ("5\nhello\r\n0\r\n\r\n", 400, "chunk"),
        ("5;ext=\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
        ("5;ext\nhello\r\n0\r\n\r\n", 400, "chunk"),
        ("0x5\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
        ("5\r\nhelloX\r\n0\r\n\r\n", 400, "chunk"),
        ("-1\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
        ("fffffffffffffffff\r\n", 400, "chunk"),
        ("ffffffff\r\n", 413, "body_too_long"),
        ("0\r\nX-Trailer : 1\r\n\r\n", 400, "trailer"),
        ("0\r\nGET /smuggled HTTP/1.1\r\n\r\n", 400, "trailer"),
    ] {
        check(
            &server,
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}"),
            status,
            code,
        );
    }
}

#[test]
fn extensions_and_trailers_change_neither_the_body_nor_what_follows() {
    let server = Server::start();
    let answer = server.exchange(
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
         5;name=\"a;b\";other\r\nhello\r\n0;last\r\nContent-Length: 50\r\nHost: evil\r\nTransfer-Encoding: chunked\r\n\r\n\
         POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nworld",
    );
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    assert!(
        answer.contains("body=hello") && answer.ends_with("body=world") && !answer.contains("evil"),
        "{answer}"
    );
    assert_eq!(server.counts().requests, 2);
}

#[test]
fn a_malformed_head_is_refused() {
    let server = Server::start();
    for (head, status, code) in [
        (&b"GET / HTTP/1.1\nHost: x\n\n"[..], 400, "line_end"),
        (b"GET / HTTP/1.1\r\nHost: x\n\r\n", 400, "line_end"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\n", 400, "line_end"),
        (b"GET / HTTP/1.1\rHost: x\r\n\r\n", 400, "line_end"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x7f\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tfolded\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400, "header_field"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\xc3\xa4: c\r\n\r\n", 400, "header_field"),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 505, "version"),
        (b"GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 505, "version"),
        (b"GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b"G\0T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
        (b"GET /\r\n\r\n", 400, "request_line"),
        (b"GET\r\n\r\n", 400, "request_line"),
        (b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505, "version"),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "version"),
        (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505, "version"),
        (b"GET / http/1.1\r\nHost: x\r\n\r\n", 505, "version"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "request_line"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: the unexpected\r\n\r\n", 417, "expectation"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nauthorization: b\r\n\r\n",
            400,
            "header_repeated",
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n", 400, "header_repeated"),
    ] {
        check(&server, head, status, code);
    }
    server.serves_an_honest_client();
}

#[test]
fn a_target_that_is_no_plain_path_is_refused() {
    let server = Server::start();
    for (target, code) in [
        ("http://x/echo", "target_form"),
        ("HTTP://evil.example/echo", "target_form"),
        ("*", "target_form"),
        ("x:443", "target_form"),
        ("echo", "target_form"),
        ("/echo#part", "target_form"),
        ("/echo?a#part", "target_form"),
        ("/../echo", "path"),
        ("/a/../echo", "path"),
        ("/a/..", "path"),
        ("/./echo", "path"),
        ("/%2e%2e/echo", "path"),
        ("/a/%2E./echo", "path"),
        ("/a%2Fecho", "path"),
        ("/a%2fecho", "path"),
        ("/a%5Cecho", "path"),
        ("/a\\echo", "path"),
        ("/a%00", "path"),
        ("/a%0d%0a", "path"),
        ("/a%7f", "path"),
        ("/a%c2%85", "path"),
        ("/a%", "path"),
        ("/a%4", "path"),
        ("/a%zz", "path"),
        ("/a%+1", "path"),
        ("/a%ff", "path"),
        ("/a%c0%af", "path"),
    ] {
        check(&server, format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"), 400, code);
    }
}

#[test]
fn host_must_come_once_and_be_a_name() {
    let server = Server::start();
    for (fields, code) in [
        ("", "host_missing"),
        ("Host: x\r\nHost: x\r\n", "host_repeated"),
        ("Host: x\r\nhost: y\r\n", "host_repeated"),
        ("Host:\r\n", "host_malformed"),
        ("Host: x, y\r\n", "host_malformed"),
        ("Host: x y\r\n", "host_malformed"),
        ("Host: http://x\r\n", "host_malformed"),
        ("Host: user@x\r\n", "host_malformed"),
        ("Host: x/y\r\n", "host_malformed"),
        ("Host: x:\r\n", "host_malformed"),
        ("Host: x:port\r\n", "host_malformed"),
        ("Host: x:65536\r\n", "host_malformed"),
        ("Host: x:+80\r\n", "host_malformed"),
        ("Host: x:80:80\r\n", "host_malformed"),
        ("Host: :80\r\n", "host_malformed"),
        ("Host: [::1\r\n", "host_malformed"),
        ("Host: [::1]x\r\n", "host_malformed"),
        ("Host: [nonsense]\r\n", "host_malformed"),
        ("Host: ::1\r\n", "host_malformed"),
        ("Host: \u{e4}\r\n", "host_malformed"),
    ] {
        check(&server, format!("GET / HTTP/1.1\r\n{fields}\r\n"), 400, code);
    }
    for host in ["x", "sso.example.com:8443", "127.0.0.1:1", "[::1]", "[::1]:8443", "a_b-c.d"] {
        let answer =
            server.exchange(format!("GET /echo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(answer.contains(&format!("host={host} ")), "{host}: {answer}");
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let server = Server::start();
    let limit = server.limits.head_bytes;
    let line = "x".repeat(limit);
    check(&server, format!("GET / HTTP/1.1\r\nHost: x\r\nA: {line}\r\n\r\n"), 431, "head_too_long");
    check(&server, format!("GET /{line} HTTP/1.1\r\nHost: x\r\n\r\n"), 414, "target_too_long");
    let fields: String = (0..101).map(|n| format!("X-{n}: y\r\n")).collect();
    check(&server, format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n"), 431, "headers_too_many");
    let fields: String = (0..99).map(|n| format!("X-{n}: y\r\n")).collect();
    let answer = server.exchange(format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431"), "Host and Connection make 101: {answer}");
    for (path, length) in [
        ("/small", (SMALL + 1).to_string()),
        ("/echo", (LIMIT + 1).to_string()),
        ("/echo", "100000000000000".to_owned()),
        ("/echo", u64::MAX.to_string()),
        ("/echo", "9".repeat(1000)),
    ] {
        check(
            &server,
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"),
            413,
            "body_too_long",
        );
    }
    check(
        &server,
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n",
        413,
        "body_too_long",
    );
}

#[test]
fn the_longest_head_that_is_allowed_is_served() {
    let server = Server::start();
    let frame = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: \r\n\r\n";
    let filler = "x".repeat(server.limits.head_bytes - frame.len());
    let head = frame.replace("A: ", &format!("A: {filler}"));
    assert!(server.exchange(&head).starts_with("HTTP/1.1 200 "));
    let head = frame.replace("A: ", &format!("A: x{filler}"));
    assert!(server.exchange(&head).starts_with("HTTP/1.1 431 "));
}

#[test]
fn one_empty_line_before_a_request_is_passed_over() {
    let server = Server::start();
    let answer = server.exchange("\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("hello"), "{answer}");
}

#[test]
fn a_header_value_outside_ascii_is_made_harmless() {
    let server = Server::start();
    let answer =
        server.exchange(b"GET / HTTP/1.1\r\nHost: x\r\nReferer: /\xc3\xa4\xff\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
