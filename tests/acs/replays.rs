//! An assertion signs in once: in a row, after a restart, and when a thousand post it at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::Server;
use crate::forge::{ACS, NOW};
use crate::harness::{
    ACS_PATH, BROWSER, answering, await_answers, configure, form_of, latest_code, post, post_to, set, signed,
    started, store, unsolicited,
};
use sidelight::clock::Timestamp;
use sidelight::model::GroupId;
use sidelight::protocol::check::{Check, CheckOutcome};
use sidelight::store::Sweep;

#[test]
fn a_replayed_assertion_is_rejected_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let flags = ["--lab", "--plain-http", "--public-url", "https://sp.example.com"];
    let server = Server::start_on(&data, &flags);
    configure(&server);
    let document = signed(&unsolicited());
    assert_eq!(post(&server, &document).status, 200);
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store(&data)), "replay");
    server.stop();
    let server = Server::start_on(&data, &flags);
    server.set_clock(NOW);
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store(&data)), "replay");
}

#[test]
fn in_production_a_refusal_shows_the_checks_that_passed_before_it() {
    let server = started();
    set(&server, &["status=production"]);
    let document = signed(&unsolicited());
    assert_eq!(post(&server, &document).status, 200);
    assert_eq!(post(&server, &document).status, 403);
    let attempts = store(server.data()).read(|r| r.saml_attempts(GroupId(12345), 1)).unwrap();
    let checks: Vec<Check> = serde_json::from_str(&attempts[0].checks).unwrap();
    let last: Vec<_> =
        checks.iter().rev().take(3).map(|check| (check.name.as_str(), check.outcome)).collect();
    let passed = |name| (name, CheckOutcome::Passed);
    assert_eq!(last, [("First use", CheckOutcome::Failed), passed("User may sign in"), passed("Which user")]);
}

#[test]
fn a_forgery_with_a_genuine_id_does_not_burn_it() {
    let server = started();
    let parts = unsolicited();
    let genuine = signed(&parts);
    let forged = genuine.replace("alice@example.com", "mallory@evil.example");
    assert_eq!(post(&server, &forged).status, 403);
    assert_eq!(post(&server, &genuine).status, 200);
}

#[test]
fn of_a_thousand_parallel_posts_exactly_one_wins() {
    let server = started();
    let body = form_of(&signed(&unsolicited()));
    let authority = server.url.trim_start_matches("http://").to_owned();
    let request = format!(
        "POST {ACS_PATH} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (won, refused, left) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(1_000));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(&authority).unwrap();
                while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                    match status(&mut stream, request.as_bytes()) {
                        200 => won.fetch_add(1, Ordering::SeqCst),
                        403 => refused.fetch_add(1, Ordering::SeqCst),
                        other => panic!("status {other}"),
                    };
                }
            });
        }
    });
    assert_eq!((won.into_inner(), refused.into_inner()), (1, 999));
}

/// Sends a request on a kept connection and reads the whole answer.
fn status(stream: &mut TcpStream, request: &[u8]) -> u16 {
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0u8; 1];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|l| l.trim().parse().unwrap())
        })
        .unwrap_or(0);
    let mut body = vec![0u8; length];
    stream.read_exact(&mut body).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_request_is_answered_once() {
    let server = started();
    await_answers(&server, &store(server.data()), &["_asked"]);
    let first = post_to(&server, ACS_PATH, &answering("_asked", ACS), Some(BROWSER));
    assert_eq!(first.status, 200, "{first:?}");
    // Another assertion, as genuine, for the same request.
    let second = post_to(&server, ACS_PATH, &answering("_asked", ACS), Some(BROWSER));
    assert_eq!(second.status, 403);
    assert_eq!(latest_code(&store(server.data())), "in_response_to_unknown");
}

#[test]
fn a_used_assertion_is_remembered_as_long_as_the_largest_clock_skew_could_accept_it() {
    let server = started();
    set(&server, &["clock_skew=600"]);
    let document = signed(&unsolicited());
    assert_eq!(post(&server, &document).status, 200);
    // The last moment at which it would still be in time: it ends at 12:05. And everything swept that is over by then.
    let last = Timestamp::parse("2026-02-01T12:14:59Z").unwrap();
    let store = store(server.data());
    let mut sweep = Sweep::new(last.plus_seconds(3_600), sidelight::model::Mode::Production);
    while let Some(ended) = store.read(|r| r.next_ended(&mut sweep)).unwrap() {
        store.write_promised(last, move |w| w.remove_ended(&ended)).wait().unwrap();
    }
    server.set_clock("2026-02-01T12:14:59Z");
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store), "replay");
}

#[test]
fn an_assertion_of_before_a_restore_is_refused_up_to_the_clock_skew() {
    let server = started();
    // The forge issues five seconds before now.
    let issued = Timestamp::parse(NOW).unwrap().plus_seconds(-5).0;
    let restored_at = |at: i64| {
        let connection = rusqlite::Connection::open(server.data().join("sidelight.db")).unwrap();
        // The database's own functions are not needed for this table.
        connection.execute("UPDATE appliance SET restored_at = ?1", [at]).unwrap();
    };
    set(&server, &["clock_skew=60"]);
    // Both clocks may be off by the skew: the answer may have been used before the restore.
    restored_at(issued - 59_999);
    let document = signed(&unsolicited());
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store(server.data())), "issued_before_restore");
    restored_at(issued - 60_000);
    assert_eq!(post(&server, &document).status, 200);
}
