//! The client: a thread for each keep-alive connection, one request at a time on each.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub const CONNECTIONS: usize = 64;

/// Sends each request once, over all connections at once; gives back how long each took.
///
/// # Panics
/// When an answer has another status than `expected`.
pub fn send_all(address: SocketAddr, requests: &[Vec<u8>], expected: u16) -> Vec<Duration> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = connect(address);
                    let mut latencies = Vec::new();
                    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let begun = Instant::now();
                        let (status, text) = answer(&mut stream, request);
                        assert_eq!(status, expected, "{text}");
                        latencies.push(begun.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Sends one request over a connection of its own; gives back the status and the whole answer.
pub fn send(address: SocketAddr, request: &[u8]) -> (u16, String) {
    answer(&mut connect(address), request)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends a request and reads the whole answer: its status and its text.
fn answer(stream: &mut TcpStream, request: &[u8]) -> (u16, String) {
    stream.write_all(request).unwrap();
    let (mut inbox, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the server closed");
        inbox.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&inbox);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.len() >= content_length(head) {
            return (head.split(' ').nth(1).unwrap().parse().unwrap(), text.into_owned());
        }
    }
}

fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap())
}
