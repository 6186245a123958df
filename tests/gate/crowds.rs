//! Many clients at once: nobody can keep the others out, and memory stays bounded.

use std::net::Ipv4Addr;
use std::time::Duration;

use sidelight::gate::Limits;

use crate::harness::{Client, Server};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn a_thousand_idle_connections_do_not_keep_others_out() {
    let server = Server::start();
    let idle: Vec<Client> = (0..1000).map(|_| server.connect()).collect();
    server.serves_an_honest_client();
    let counts = server.counts();
    let most = u64::try_from(server.limits.connections_per_address).unwrap();
    assert!(counts.open <= most + 1, "{counts:?}");
    assert_eq!(counts.turned_away, 0);
    drop(idle);
}

#[test]
fn a_thousand_half_sent_requests_do_not_keep_others_out() {
    let server = Server::start();
    let mut half: Vec<Client> = (0..1000).map(|_| server.connect()).collect();
    for client in &mut half {
        client.try_send("GET / HTTP/1.1\r\nHost: x\r\nX: ");
    }
    server.serves_an_honest_client();
}

#[test]
fn a_newcomer_takes_the_place_of_the_longest_idle_of_its_own_address() {
    let server = Server::with_limits(Limits { connections_per_address: 3, ..Limits::default() });
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    clients[0].is_closed_silently();
    for client in &mut clients[1..] {
        client.send(GET);
        assert_eq!(client.response().body, "hello");
    }
    assert_eq!((server.counts().evicted, server.counts().open), (1, 3));
}

#[test]
fn when_all_places_are_taken_the_address_that_holds_most_gives_one_up() {
    let server = Server::with_limits(Limits { connections: 6, ..Limits::default() });
    let modest = Ipv4Addr::new(127, 0, 0, 3);
    let mut modest = [server.connect_from(modest), server.connect_from(modest)];
    let mut greedy: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    server.serves_an_honest_client();
    greedy[0].is_closed_silently();
    for client in modest.iter_mut().chain(&mut greedy[1..]) {
        client.send(GET);
        assert_eq!(client.response().body, "hello");
    }
}

#[test]
fn an_address_that_holds_most_cannot_push_out_those_that_hold_less() {
    let server = Server::with_limits(Limits { connections: 3, ..Limits::default() });
    let mut modest = server.connect_from(Ipv4Addr::new(127, 0, 0, 3));
    let mut busy: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    busy[0].send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    server.entered.recv().unwrap();
    // The greedy address has one idle connection, which it loses, and then none that it could lose.
    let mut third = server.connect();
    busy[1].is_closed_silently();
    modest.send(GET);
    assert_eq!(modest.response().body, "hello");
    server.release.send(()).unwrap();
    assert_eq!(busy[0].response().body, "released");
    third.send(GET);
    assert_eq!(third.response().body, "hello");
}

#[test]
fn a_connection_in_its_handler_is_never_given_up() {
    let seat = Duration::from_millis(20);
    let server = Server::with_limits(Limits { connections: 1, seat, ..Limits::default() });
    let mut busy = server.connect();
    busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    server.entered.recv().unwrap();
    server.connect().is_closed_silently();
    assert_eq!(server.counts().turned_away, 1);
    server.release.send(()).unwrap();
    assert_eq!(busy.response().body, "released");
}

#[test]
fn a_newcomer_waits_a_moment_for_a_seat_that_becomes_free() {
    let seat = Duration::from_secs(30);
    let server = Server::with_limits(Limits { connections: 1, seat, ..Limits::default() });
    let mut busy = server.connect();
    busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    server.entered.recv().unwrap();
    let mut newcomer = server.connect();
    newcomer.send(GET);
    server.wait_until(|counts| counts.accepted == 2);
    server.release.send(()).unwrap();
    assert_eq!(busy.response().body, "released");
    assert_eq!(newcomer.response().body, "hello");
}

#[test]
fn more_clients_than_threads_take_turns() {
    let server = Server::with_limits(Limits { threads: 2, ..Limits::default() });
    let mut clients: Vec<Client> = (0..60).map(|_| server.connect()).collect();
    for _ in 0..5 {
        for client in &mut clients {
            client.send(GET.repeat(3));
        }
        for client in &mut clients {
            for _ in 0..3 {
                assert_eq!(client.response().body, "hello");
            }
        }
    }
    assert_eq!(server.counts().requests, 60 * 5 * 3);
}

#[test]
fn a_body_counts_until_its_answer_is_known() {
    let server = Server::with_limits(Limits { body_bytes_in_all: 1_000_000, ..Limits::default() });
    let post = |path: &str| {
        let mut client = server.connect();
        client.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"));
        client.try_send(vec![b'x'; 200_000]);
        client
    };
    // One address may have three quarters of a million bytes.
    let mut waiting = [post("/wait-later"), post("/wait-later"), post("/wait-later")];
    for _ in &waiting {
        server.entered.recv().unwrap();
    }
    assert_eq!(post("/large").response().status, 503);
    // Which of them a word releases is open: all words come before the first answer is asked for.
    for _ in &waiting {
        server.release.send(()).unwrap();
    }
    for client in &mut waiting {
        assert_eq!(client.response().body, "released");
    }
    assert_eq!(post("/large").response().status, 200);
}

#[test]
fn large_bodies_in_flight_share_one_budget_and_small_ones_need_none() {
    let server = Server::with_limits(Limits { body_bytes_in_all: 1_000_000, ..Limits::default() });
    let half = |source: [u8; 4], length: usize, sent: usize| {
        let mut client = server.connect_from(Ipv4Addr::from(source));
        client.send(format!("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"));
        client.send(vec![b'x'; sent]);
        client
    };
    // Ten from one address, which may have 750,000 bytes, then ten from another.
    for (round, address) in [[127, 0, 0, 1], [127, 0, 0, 3]].into_iter().enumerate() {
        let uploads: Vec<Client> = (0..10).map(|_| half(address, 200_000, 199_999)).collect();
        server.wait_until(|counts| counts.refused >= 7 * (u64::try_from(round).unwrap() + 1));
        server.serves_an_honest_client();
        assert_eq!(half([127, 0, 0, 2], 16_000, 16_000).response().status, 200);
        let mut answers = uploads.into_iter().map(|mut client| {
            client.try_send("x");
            client.response().status
        });
        assert!(answers.all(|status| status == 200 || status == 503));
    }
}

#[test]
fn nobody_is_pushed_out_for_an_address_that_holds_more() {
    let seat = Duration::from_millis(20);
    let server = Server::with_limits(Limits { connections: 3, seat, ..Limits::default() });
    let mut modest = server.connect_from(Ipv4Addr::new(127, 0, 0, 3));
    let mut busy: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    for client in &mut busy {
        client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
        server.entered.recv().unwrap();
    }
    // The greedy address has nothing idle to lose: its newcomer finds no seat, although the modest one is idle.
    server.connect().is_closed_silently();
    assert_eq!((server.counts().turned_away, server.counts().evicted), (1, 0));
    modest.send(GET);
    assert_eq!(modest.response().body, "hello");
    for client in &mut busy {
        server.release.send(()).unwrap();
        assert_eq!(client.response().body, "released");
    }
}
