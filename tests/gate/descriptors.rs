//! A process short of file descriptors: the test binary runs itself again under `ulimit -n`.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use crate::harness::{Client, Server};

/// Tells the second run of the test binary that it is the server.
const ROLE: &str = "SIDELIGHT_TEST_IS_THE_SERVER";
const READY: &str = "the server listens on ";
/// Descriptors that the rest of the house holds in these tests.
const HOUSE: usize = 20;

/// In the second run this is the server, until the first run ends it; in the first it has nothing to do.
#[test]
fn the_second_run_serves() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let server = Server::within_this_limit();
    let house: Vec<_> = (0..HOUSE).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
    println!("{READY}{} {}", server.address, server.limits.connections);
    let _ = server.entered.recv();
    drop(house);
}

struct Second {
    child: Child,
    address: SocketAddr,
    connections: usize,
}

impl Second {
    fn start(descriptors: u32) -> Self {
        let run = "--exact descriptors::the_second_run_serves --nocapture";
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -n {descriptors}; exec \"$0\" {run}"))
            .arg(std::env::current_exe().unwrap())
            .env(ROLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines
            .map(Result::unwrap)
            .find_map(|line| line.split_once(READY).map(|(_, told)| told.to_owned()));
        let told = told.unwrap();
        let (address, connections) = told.split_once(' ').unwrap();
        let (address, connections) = (address.parse().unwrap(), connections.parse().unwrap());
        Self { child, address, connections }
    }

    fn serves(&self, source: Ipv4Addr) {
        let mut client = Client::connect(self.address, source);
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.response().body, "hello");
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn with_few_descriptors_honest_clients_are_served_beside_hostile_ones() {
    let server = Second::start(128);
    assert!(server.connections < 128 - HOUSE);
    let mut hostile = Vec::new();
    for round in 0..3 {
        for n in 0..200 {
            let mut client = Client::connect(server.address, Ipv4Addr::LOCALHOST);
            if n % 2 == 0 {
                client.try_send("GET / HTTP/1.1\r\nHost: x\r\nX: ");
            }
            hostile.push(client);
        }
        for _ in 0..5 {
            server.serves(Ipv4Addr::new(127, 0, 0, 2));
        }
        if round == 1 {
            hostile.clear();
        }
    }
}

#[test]
fn with_few_descriptors_a_crowd_from_many_addresses_keeps_nobody_out() {
    let server = Second::start(128);
    let crowd: Vec<_> = (0..400_u16)
        .map(|n| Ipv4Addr::new(127, 0, 1, u8::try_from(n % 200 + 1).unwrap()))
        .map(|source| Client::connect(server.address, source))
        .collect();
    for _ in 0..5 {
        server.serves(Ipv4Addr::new(127, 0, 0, 2));
    }
    drop(crowd);
}

#[test]
fn with_hardly_any_descriptors_the_door_comes_back() {
    // Half of the 40 are the house's: the gate gets less than it counted on, and accepting fails.
    let server = Second::start(40);
    let mut crowd: Vec<_> = (0..100).map(|_| Client::connect(server.address, Ipv4Addr::LOCALHOST)).collect();
    server.serves(Ipv4Addr::new(127, 0, 0, 2));
    crowd.clear();
    server.serves(Ipv4Addr::LOCALHOST);
}
