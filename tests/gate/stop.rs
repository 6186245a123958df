//! Stopping: nobody new comes in, who is being served is served, who is idle is closed.

use std::net::TcpStream;
use std::time::Duration;

use sidelight::gate::{Limits, Stopped};

use crate::harness::Server;

#[test]
fn a_request_in_flight_is_answered_idle_ones_are_closed_and_nobody_new_comes_in() {
    for in_flight in ["/wait", "/wait-later"] {
        stops_with(in_flight);
    }
}

fn stops_with(in_flight: &str) {
    let server = Server::start();
    let (mut fresh, mut kept) = (server.connect(), server.connect());
    kept.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(kept.response().body, "hello");
    let mut busy = server.connect();
    busy.send(format!("GET {in_flight} HTTP/1.1\r\nHost: x\r\n\r\n"));
    server.entered.recv().unwrap();

    server.shutdown.trigger();
    fresh.is_closed_silently();
    kept.is_closed_silently();
    assert!(TcpStream::connect(server.address).is_err());

    server.release.send(()).unwrap();
    let answer = busy.response();
    assert_eq!((answer.body.as_str(), answer.headers["content-length"].as_str()), ("released", "8"));
    busy.is_closed_silently();
    assert_eq!(server.join(), Stopped { cut: 0 });
}

#[test]
fn a_request_half_sent_when_the_stop_comes_is_answered() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.response().status, 100);
    server.shutdown.trigger();
    client.send("late");
    let answer = client.response();
    assert!(answer.body.ends_with("body=late") && answer.headers["connection"] == "close");
    client.is_closed_silently();
    assert_eq!(server.join(), Stopped { cut: 0 });
}

#[test]
fn a_client_that_never_ends_its_request_does_not_hold_up_the_stop() {
    let server = Server::with_limits(Limits { stop: Duration::from_millis(40), ..Limits::default() });
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.response().status, 100);
    server.shutdown.trigger();
    client.is_closed_silently();
    assert_eq!(server.join(), Stopped { cut: 1 });
}

#[test]
fn a_stop_before_the_start_stops_at_once() {
    let server = Server::start();
    server.shutdown.trigger();
    server.shutdown.trigger();
    assert_eq!(server.join(), Stopped { cut: 0 });
}
