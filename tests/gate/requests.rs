//! Honest requests, in every form that the standards allow and this server takes.

use crate::harness::{LIMIT, SMALL, Server};

#[test]
fn a_request_is_answered_and_the_connection_is_used_again() {
    let server = Server::start();
    let mut client = server.connect();
    for n in 0..3 {
        client.send(format!("GET /echo?n={n} HTTP/1.1\r\nHost: localhost:1\r\n\r\n"));
        let answer = client.response();
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            format!("GET /echo [n={n}] host=localhost:1 peer=127.0.0.1 secure=false body=")
        );
        assert!(!answer.headers.contains_key("connection"));
        assert!(answer.headers.contains_key("date") && !answer.headers.contains_key("server"));
    }
    assert_eq!((server.counts().accepted, server.counts().requests), (1, 3));
}

#[test]
fn a_path_is_decoded_and_a_query_is_left_as_it_came() {
    let server = Server::start();
    let answer = server.exchange("GET /e%63ho?a=%2F&b=$1$2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("GET /echo [a=%2F&b=$1$2] host=x"), "{answer}");
}

#[test]
fn requests_sent_together_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.connect();
    let requests: String = (0..50)
        .map(|n| format!("POST /echo?{n} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{:02}", n % 100))
        .collect();
    client.send(requests);
    for n in 0..50 {
        let body = client.response().body;
        assert!(body.starts_with(&format!("POST /echo [{n}]")) && body.ends_with(&format!("body={n:02}")));
    }
}

#[test]
fn a_request_that_comes_byte_by_byte_is_whole_in_the_end() {
    let server = Server::start();
    let mut client = server.connect();
    let request =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    assert!(client.response().body.ends_with("body=hello"));
}

#[test]
fn bodies_by_length_and_in_chunks_arrive_whole() {
    let server = Server::start();
    let mut client = server.connect();
    let body = "b".repeat(LIMIT);
    client.send(format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT}\r\n\r\n{body}"));
    assert!(client.response().body.ends_with(&body));
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n");
    for _ in 0..LIMIT / 1024 {
        client.send(format!("400\r\n{}\r\n", "c".repeat(1024)));
    }
    client.send("0\r\n\r\n");
    assert!(client.response().body.ends_with(&"c".repeat(LIMIT)));
}

#[test]
fn a_client_that_expects_to_be_told_to_continue_is_told() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.response().status, 100);
    client.send("ok");
    assert!(client.response().body.ends_with("body=ok"));
}

#[test]
fn a_client_that_expects_to_continue_with_too_much_is_refused_before_it_sends() {
    let server = Server::start();
    let answer = server.exchange(format!(
        "POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        SMALL + 1
    ));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[test]
fn head_is_answered_with_the_length_and_without_the_body() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = client.response_without_body();
    assert_eq!((answer.status, answer.headers["content-length"].as_str()), (200, "5"));
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().body, "hello");
}

#[test]
fn http_1_0_is_closed_unless_it_asks_to_be_kept() {
    let server = Server::start();
    let answer = server.exchange("GET / HTTP/1.0\r\n\r\n");
    assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("hello"), "{answer}");
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(client.response().headers["connection"], "keep-alive");
    }
}

#[test]
fn a_client_that_asks_to_close_is_closed() {
    let server = Server::start();
    let answer = server.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n");
    assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("hello"), "{answer}");
}

#[test]
fn a_client_that_closes_its_side_still_gets_its_answer() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(client.read_to_end().ends_with("hello"));
}

#[test]
fn a_long_answer_arrives_whole_though_the_client_is_in_no_hurry() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("GET /big?9000000 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().body.len(), 9_000_000);
    assert_eq!(client.response().body, "hello");
}

#[test]
fn a_panicking_handler_is_answered_for_and_counted_and_the_house_lives_on() {
    let server = Server::start();
    for n in 1..=3 {
        let answer = server.exchange("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("Incident "), "{answer}");
        assert!(!answer.contains("on purpose"), "{answer}");
        assert_eq!(server.counts().panics, n);
    }
    server.serves_an_honest_client();
}

#[test]
fn an_answer_that_would_split_in_two_never_leaves() {
    let server = Server::start();
    let answer = server.exchange("GET /split HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 ") && !answer.contains("Set-Cookie"), "{answer}");
    assert_eq!(server.counts().unsafe_responses, 1);
}

#[test]
fn nobody_is_believed_about_the_peer_but_a_trusted_proxy() {
    let request = "GET /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n\
                   X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";
    let answer = Server::start().exchange(request);
    assert!(answer.contains("peer=127.0.0.1 secure=false"), "{answer}");
    let server = Server::with(Default::default(), |config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let answer = server.exchange(request);
    assert!(answer.contains("peer=192.0.2.7 secure=true"), "{answer}");
}

#[test]
fn an_answer_that_comes_later_is_sent_and_the_connection_is_used_again() {
    let server = Server::start();
    let mut client = server.connect();
    // Together: the second is in the inbox while the first is waited for.
    client.send("GET /later?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /later-at-once?2 HTTP/1.1\r\nHost: x\r\n\r\n");
    client.send("POST /later?3 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
    for body in ["later 1", "2", "later 3"] {
        assert_eq!(client.response().body, body);
    }
    let rest = server.exchange(
        "HEAD /later?4 HTTP/1.1\r\nHost: x\r\n\r\n\
         GET /later?5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(
        rest.contains("Content-Length: 7") && !rest.contains("later 4") && rest.ends_with("later 5"),
        "{rest}"
    );
    assert_eq!((server.counts().requests, server.counts().panics), (5, 0));
}

#[test]
fn an_answer_that_never_comes_is_told_and_the_house_lives_on() {
    let server = Server::start();
    for (n, path) in (1..).zip(["/later-panic", "/never"]) {
        let answer = server.exchange(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("Incident "), "{path}: {answer}");
        assert_eq!(server.counts().panics, n, "{path}");
    }
    let answer = server.exchange("GET /later-never-begun HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("Incident "), "{answer}");
    let answer = server.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("hello"), "{answer}");
}
