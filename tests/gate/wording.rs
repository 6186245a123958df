//! What the gate refuses, in the handler's words: what these are told, and when the gate keeps to its own.

use std::time::Duration;

use sidelight::gate::Limits;

use crate::harness::{LIMIT, SMALL, Server};

/// What the answer to these bytes ends with, and its status.
fn said(server: &Server, bytes: impl AsRef<[u8]>) -> (String, String) {
    let answer = server.exchange(bytes);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nConnection: close"), "{head}");
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[test]
fn a_refusal_is_worded_by_the_handler_who_is_told_what_was_read() {
    let server = Server::start();
    let long = format!("Content-Length: {}", SMALL + 1);
    let too_many = "x-extra: 1\r\n".repeat(150);
    for (bytes, status, words) in [
        (
            format!("POST /worded/small?a=b HTTP/1.1\r\nHost: x\r\n{long}\r\n\r\n"),
            "413",
            "POST body_too_long head [a=b] peer=127.0.0.1",
        ),
        (
            "POST /worded HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
            "400",
            "POST chunk head [] peer=127.0.0.1",
        ),
        (
            format!("PUT /worded HTTP/1.1\r\nHost: x\r\n{too_many}\r\n"),
            "431",
            "PUT headers_too_many beginning",
        ),
        (format!("GET /worded?{}", "a".repeat(LIMIT)), "414", "GET target_too_long beginning"),
        ("GET /worded/%2F HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "400", "GET path beginning"),
        ("GET /worded/../x HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "400", "GET path beginning"),
        ("GET /worded HTTP/1.1\r\n\r\n".to_owned(), "400", "GET host_missing beginning"),
        ("GET /worded HTTP/1.1\nHost: x\n\n".to_owned(), "400", "GET line_end beginning"),
    ] {
        assert_eq!(said(&server, &bytes), (status.to_owned(), words.to_owned()), "{bytes:.60}");
    }
    assert_eq!(server.counts().requests, 0);
    assert_eq!(server.counts().refused, 8);
}

#[test]
fn head_gets_the_refusal_without_its_body() {
    let server = Server::start();
    let length = SMALL + 1;
    let bytes = format!("HEAD /worded/small HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    assert_eq!(said(&server, bytes), ("413".to_owned(), String::new()));
}

#[test]
fn where_the_handler_has_no_words_or_none_that_may_leave_the_gate_has_its_own() {
    let server = Server::start();
    for path in ["/small", "/worded/panic", "/worded/split"] {
        let length = SMALL + 1;
        let bytes = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let expected = ("413".to_owned(), "The body is too long. (body_too_long)\n".to_owned());
        assert_eq!(said(&server, bytes), expected, "{path}");
    }
    for bytes in ["!\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "GET //worded\0 HTTP/1.1\r\n\r\n"] {
        let (status, body) = said(&server, bytes);
        assert!(status == "400" && body.ends_with(")\n"), "{bytes:?}: {body}");
    }
}

#[test]
fn what_is_too_late_is_worded_too() {
    let short = Duration::from_millis(40);
    let limits = Limits { head: short, body: short, slowest: usize::MAX, ..Limits::default() };
    let server = Server::with_limits(limits);
    let head = "GET /worded HTTP/1.1\r\nHost: x\r\n";
    assert_eq!(said(&server, head), ("408".to_owned(), "GET head_too_late beginning".to_owned()));
    let body = "POST /worded?q HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
    let words = "POST body_too_late head [q] peer=127.0.0.1".to_owned();
    assert_eq!(said(&server, body), ("408".to_owned(), words));
}

#[test]
fn what_had_come_of_a_refused_body_counts_no_more() {
    let server = Server::with_limits(Limits { body_bytes_in_all: LIMIT, ..Limits::default() });
    // Three quarters of all is what one address may have.
    let body = format!("Content-Length: {LIMIT}\r\n\r\n{}", "b".repeat(LIMIT));
    for _ in 0..3 {
        let (status, words) = said(&server, format!("POST /worded HTTP/1.1\r\nHost: x\r\n{body}"));
        assert_eq!((status.as_str(), words.split(' ').nth(1)), ("503", Some("bodies_too_many")));
    }
    let half = LIMIT / 2;
    let mut client = server.connect();
    client.send(format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {half}\r\n\r\n{}",
        "c".repeat(half)
    ));
    assert_eq!(client.response().status, 200);
}

#[test]
fn a_panic_is_worded_by_the_handler() {
    let server = Server::start();
    let (status, body) = said(&server, "GET /panic?worded HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(status == "500" && body.starts_with("worded ") && body.len() == "worded ".len() + 8, "{body}");
    let (status, body) = said(&server, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(status == "500" && body.starts_with("Something went wrong on this server. Incident "), "{body}");
    assert_eq!(server.counts().panics, 2);
}

#[test]
fn a_client_that_sends_all_of_a_large_file_hears_the_refusal() {
    let server = Server::start();
    let length = 40 * 1024 * 1024;
    let mut client = server.connect();
    client.send(format!("POST /worded/small HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"));
    for _ in 0..40 {
        client.send(vec![b'f'; length / 40]);
    }
    assert_eq!(client.response().status, 413);
}
