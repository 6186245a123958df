//! Bodies that are made as their clients take them.

use sidelight::gate::Limits;

use crate::harness::Server;

const CHUNKED: &str = "transfer-encoding: chunked";

#[test]
fn a_body_made_in_portions_arrives_whole_and_the_connection_goes_on() {
    let server = Server::start();
    for (path, chunks) in [
        ("/portions", "6\r\nfirst;\r\na\r\nportion 1;\r\na\r\nportion 2;\r\na\r\nportion 3;\r\n0\r\n\r\n"),
        ("/empty-portions", "6\r\nfirst;\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"),
    ] {
        let requests = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
        let answer = server.exchange(&requests);
        let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_ascii_lowercase().contains(CHUNKED) && !head.contains("Content-Length"), "{head}");
        let after = rest.strip_prefix(chunks).unwrap_or_else(|| panic!("{rest}"));
        assert!(after.starts_with("HTTP/1.1 200 OK") && after.ends_with("hello"), "{after}");
    }
}

#[test]
fn for_the_old_version_the_end_of_the_connection_ends_the_body() {
    let server = Server::start();
    let answer = server.exchange("GET /portions HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains(CHUNKED) && head.contains("Connection: close"), "{head}");
    assert_eq!(body, "first;portion 1;portion 2;portion 3;");
}

#[test]
fn half_a_body_does_not_look_like_a_whole_one() {
    let server = Server::start();
    for path in ["/broken", "/portions-panic"] {
        let answer = server.exchange(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(answer.contains("first;") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    }
    assert!(server.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("hello"));
}

#[test]
fn an_answer_to_head_has_no_portions() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("HEAD /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = client.response_without_body();
    assert_eq!(answer.status, 200);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().body, "hello");
}

#[test]
fn however_many_take_their_bodies_slowly_or_not_at_all_others_are_answered() {
    let server = Server::with_limits(Limits { threads: 2, ..Limits::default() });
    let stalled: Vec<_> = (0..24)
        .map(|_| {
            let mut client = server.connect();
            client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
            // The body has begun, and nobody reads on.
            assert_eq!(client.response_without_body().status, 200);
            client
        })
        .collect();
    for _ in 0..3 {
        let mut client = server.connect();
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.response().body, "hello");
    }
    drop(stalled);
}
