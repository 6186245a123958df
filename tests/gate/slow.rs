//! Clients that take their time: each stage has one absolute deadline, and bytes that trickle in do not move it.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use sidelight::gate::Limits;

use crate::harness::{Client, Server};

/// Deadlines so short that a test need not wait for them, and no grants for long bodies.
fn hasty() -> Limits {
    let short = Duration::from_millis(40);
    Limits {
        handshake: short,
        head: short,
        body: short,
        write: short,
        idle: short,
        linger: short,
        slowest: usize::MAX,
        ..Limits::default()
    }
}

/// Sends one byte after another, each after a look whether the server has answered, until it has.
fn drip(client: &mut Client, byte: u8) -> String {
    client.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match client.socket.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                client.try_send([byte]);
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_head_that_stops_midway_is_cut_with_408() {
    let server = Server::with_limits(hasty());
    let answer = server.exchange("GET / HTTP/1.1\r\nHost: x\r\n");
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("(head_too_late)"), "{answer}");
    assert_eq!(server.counts().requests, 0);
}

#[test]
fn a_head_that_trickles_in_is_cut_with_408() {
    let server = Server::with_limits(hasty());
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Endless: ");
    let answer = drip(&mut client, b'x');
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("(head_too_late)"), "{answer}");
}

#[test]
fn a_body_that_stops_midway_is_cut_with_408() {
    let server = Server::with_limits(hasty());
    for body in ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"] {
        let answer = server.exchange(format!("POST /echo HTTP/1.1\r\nHost: x\r\n{body}"));
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("(body_too_late)"), "{answer}");
    }
    assert_eq!(server.counts().requests, 0);
}

#[test]
fn a_body_that_trickles_in_is_cut_with_408() {
    let server = Server::with_limits(hasty());
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    let answer = drip(&mut client, b'x');
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("(body_too_late)"), "{answer}");
}

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let server = Server::with_limits(hasty());
    server.connect().is_closed_silently();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().body, "hello");
    client.is_closed_silently();
    server.wait_until(|counts| counts.timed_out == 2 && counts.open == 0);
}

#[test]
fn a_client_that_does_not_take_its_answer_is_cut() {
    let server = Server::with_limits(hasty());
    let mut client = server.connect();
    client.send("GET /big?50000000 HTTP/1.1\r\nHost: x\r\n\r\n");
    server.wait_until(|counts| counts.timed_out == 1 && counts.open == 0);
    assert!(client.read_to_end().len() < 50_000_000);
}

#[test]
fn a_refused_client_that_keeps_sending_is_cut() {
    let server = Server::with_limits(hasty());
    let mut client = server.connect();
    client.send("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000000\r\n\r\n");
    while client.try_send([0; 16 * 1024]) {}
    server.wait_until(|counts| counts.open == 0);
}

#[test]
fn slow_clients_hold_no_threads() {
    let server = Server::with_limits(Limits { threads: 2, ..Limits::default() });
    let mut slow: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    for (n, client) in slow.iter_mut().enumerate() {
        client.send(match n % 4 {
            0 => "",
            1 => "GET / HT",
            2 => "GET / HTTP/1.1\r\nHost: x\r\nX: ",
            _ => "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello",
        });
    }
    for _ in 0..20 {
        server.serves_an_honest_client();
    }
    for (n, client) in slow.iter_mut().enumerate() {
        client.send(match n % 4 {
            0 => "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            1 => "TP/1.1\r\nHost: x\r\n\r\n",
            2 => "y\r\n\r\n",
            _ => "world",
        });
        assert_eq!(client.response().status, 200);
    }
    assert_eq!((server.counts().timed_out, server.counts().evicted), (0, 0));
}
