//! Posts to the assertion consumer against the verdict in this process.
//!
//! Run with `cargo bench --bench acs`. The server is the real binary on plain HTTP, held to one core with
//! `taskset` where there is one, the client to another; genuine responses, each used once, come over 64 kept
//! connections, and each is answered after its durable commit (replay, web session, access log). The figure that counts is the
//! ratio: posts a second divided by verdicts a second on one core of the same machine (docs/performance.md).
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/saml/forge.rs"]
mod forge;
#[path = "../tests/acs/harness.rs"]
mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sidelight::protocol::saml::expectations::InResponseTo;
use sidelight::protocol::saml::verdict::judge_post;

/// Turns of each side, of which the median counts: a machine that others use is not equally fast all the time.
const TURNS: usize = 7;
const POSTS: usize = 3_000;
const CONNECTIONS: usize = 64;
/// Two cores, as taskset numbers them.
const SERVERS: &str = "0";
const CLIENTS: &str = "1";

fn main() {
    let server = harness::started();
    harness::set(&server, &["status=production"]);
    let mut pinned = held_to(SERVERS, server.pid());
    let forge = forge::Forge::shared();
    let documents: Vec<String> =
        (0..TURNS * POSTS).map(|_| harness::signed(&harness::unsolicited())).collect();
    let values: Vec<String> = documents
        .iter()
        .map(|document| sidelight::protocol::saml::bindings::encode_post(document.as_bytes()))
        .collect();
    let authority = server.url.trim_start_matches("http://").to_owned();
    let requests: Vec<Vec<u8>> = documents.iter().map(|document| request(&authority, document)).collect();
    let mut expectations = forge.expectations();
    expectations.in_response_to = InResponseTo { outstanding: &[], unsolicited_allowed: true };
    server.set_clock(forge::NOW);

    let (mut verdicts, mut posts): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (values, requests) in values.chunks(POSTS).zip(requests.chunks(POSTS)) {
        // The verdict has the server's core while the server rests; the client must not take it.
        pinned &= held_to(SERVERS, std::process::id());
        verdicts.push(a_second(|| {
            for value in values {
                judge_post(value, &expectations).verdict.unwrap();
            }
        }));
        pinned &= held_to(CLIENTS, std::process::id());
        posts.push(a_second(|| post_all(&authority, requests)));
    }
    println!(
        "server held to one core: {pinned}; {} bytes a response; {CONNECTIONS} connections",
        documents[0].len()
    );
    let ratio = median(posts.iter().zip(&verdicts).map(|(posts, verdicts)| posts / verdicts).collect());
    println!("verdicts in this process  {:>8.0} a second", median(verdicts));
    println!("posts to the ACS          {:>8.0} a second   ratio {ratio:.2}", median(posts));
}

fn request(authority: &str, document: &str) -> Vec<u8> {
    let body = harness::form_of(document);
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n",
        harness::ACS_PATH,
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Does a turn's work and tells how much of it fits into a second.
fn a_second(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    POSTS as f64 / begun.elapsed().as_secs_f64()
}

/// Posts each request once, over all connections at once.
fn post_all(authority: &str, requests: &[Vec<u8>]) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(authority).unwrap();
                let mut buffer = vec![0u8; 64 * 1024];
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    stream.write_all(request).unwrap();
                    assert_eq!(answered(&mut stream, &mut buffer), 200);
                }
            });
        }
    });
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Reads one answer and gives back its status.
fn answered(stream: &mut TcpStream, buffer: &mut [u8]) -> u16 {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).unwrap();
        assert!(read > 0, "the server closed");
        filled += read;
        let text = String::from_utf8_lossy(&buffer[..filled]).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .to_ascii_lowercase()
            .split("content-length:")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().trim().parse().unwrap());
        if body.len() >= length {
            return head.split(' ').nth(1).unwrap().parse().unwrap();
        }
    }
}

/// Holds all threads of a process, and those that they will make, to one core.
fn held_to(core: &str, pid: u32) -> bool {
    // A thread that ends meanwhile makes it fail, after the others were held.
    (0..3).any(|_| {
        let held = Command::new("taskset").args(["-apc", core, &pid.to_string()]).output();
        held.is_ok_and(|output| output.status.success())
    })
}
