//! A server of its own and the load on it: keep-alive connections with one request in flight each, plain or over TLS.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use sidelight::model::GroupId;
use sidelight::protocol::login_key::{SigningKey, make};
use sidelight::store::DATABASE_FILE;

pub const CONNECTIONS: usize = 64;
/// How long one measurement takes.
pub const TURN: Duration = Duration::from_millis(1500);

/// Fills a database with `count` users of `group`, `user0000000` and on.
pub fn fill(directory: &Path, group: GroupId, count: i64) {
    let connection = rusqlite::Connection::open(directory.join(DATABASE_FILE)).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    sidelight::store::register_functions(&connection).unwrap();
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
             INSERT INTO users (glance_address, home_group_id, created_at, updated_at)
                 SELECT printf('user%07d.acme.glance.net', i), {group}, 0, 0 FROM n;
             INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
                 SELECT {group}, id, substr(glance_address, 1, 11), 0, 0 FROM users
                 WHERE glance_address LIKE 'user%';
             COMMIT; ANALYZE;"
        ))
        .unwrap();
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A request to Authorize by login key.
pub fn authorize(group: GroupId, puid: &str, api_key: &str, expiry: i64) -> String {
    let login_key = make(&SigningKey::new(api_key.as_bytes()), group, puid, expiry).unwrap();
    let body = format!(r#"{{"partnerid":{group},"partneruserid":"{puid}","loginkey":"{login_key}"}}"#);
    format!(
        "POST /services/AuthorizationService.svc/rest/Authorize?service=presence&duration=60 HTTP/1.1\r\n\
         Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub struct Server {
    child: Child,
    address: String,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Server {
    /// Starts a lab.
    pub fn start(binary: &str, data: &Path, plain: bool) -> Server {
        let mut child = Command::new(binary)
            .args(["serve", "--lab", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(plain.then_some("--plain-http"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("is ready") {
            assert!(said.read_line(&mut greeting).unwrap() > 0, "{greeting}");
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let ready = std::fs::read_to_string(data.join("ready.json")).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        let address = ready["url"].as_str().unwrap().split_once("://").unwrap().1.to_owned();
        let tls = (!plain).then(|| Arc::new(trusting_anybody(data)));
        Server { child, address, tls }
    }

    /// Each connection keeps one request in flight: the next of `requests` is sent as soon as the answer is there.
    pub fn requests_a_second(&self, requests: &[String]) -> f64 {
        self.rates(requests).0
    }

    /// The same, and how many requests are answered in a second for which the server has a core.
    pub fn rates(&self, requests: &[String]) -> (f64, f64) {
        let (stop, done, next) = (AtomicBool::new(false), AtomicU64::new(0), AtomicUsize::new(0));
        let request = || requests[next.fetch_add(1, Ordering::Relaxed) % requests.len()].as_str();
        let (mut elapsed, mut on_core) = (Duration::ZERO, 0.0);
        std::thread::scope(|scope| {
            // Two threads drive all connections: the client must not be dearer than the server.
            for _ in 0..2 {
                scope.spawn(|| self.drive(CONNECTIONS / 2, request, &stop, &done));
            }
            std::thread::sleep(TURN / 5);
            let (begun, before) = (Instant::now(), done.load(Ordering::Relaxed));
            let core = self.on_core();
            std::thread::sleep(TURN);
            elapsed = begun.elapsed();
            let after = done.load(Ordering::Relaxed);
            on_core = self.on_core() - core;
            stop.store(true, Ordering::Relaxed);
            done.store(after - before, Ordering::Relaxed);
        });
        let counted = done.load(Ordering::Relaxed);
        (counted as f64 / elapsed.as_secs_f64(), counted as f64 / on_core)
    }

    fn drive<'r>(
        &self,
        connections: usize,
        request: impl Fn() -> &'r str,
        stop: &AtomicBool,
        done: &AtomicU64,
    ) {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(connections);
        let mut connections: Vec<Connection> = (0..connections)
            .map(|place| {
                let mut connection = Connection::open(&self.address, self.tls.clone());
                let (mut source, token) = (SourceFd(&connection.descriptor), Token(place));
                poll.registry().register(&mut source, token, Interest::READABLE).unwrap();
                connection.send(request());
                connection
            })
            .collect();
        while !stop.load(Ordering::Relaxed) {
            poll.poll(&mut events, Some(TURN / 10)).unwrap();
            for event in &events {
                let connection = &mut connections[event.token().0];
                if connection.receive() {
                    connection.send(request());
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

impl Server {
    /// Seconds for which the server has had a core, on all its threads: other programs must not count.
    pub fn on_core(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanoseconds: u64 = threads
            .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
            .filter_map(|told| told.split(' ').next()?.parse::<u64>().ok())
            .sum();
        nanoseconds as f64 / 1e9
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Connection {
    stream: Box<dyn Stream>,
    descriptor: RawFd,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    fn open(address: &str, tls: Option<Arc<rustls::ClientConfig>>) -> Connection {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        let descriptor = socket.as_raw_fd();
        let stream: Box<dyn Stream> = match tls {
            None => {
                socket.set_nonblocking(true).unwrap();
                Box::new(socket)
            }
            Some(settings) => {
                let name = "localhost".try_into().unwrap();
                let mut session = rustls::ClientConnection::new(settings, name).unwrap();
                session.complete_io(&mut socket).unwrap();
                socket.set_nonblocking(true).unwrap();
                Box::new(rustls::StreamOwned::new(session, socket))
            }
        };
        Connection { stream, descriptor, buffer: vec![0; 16 * 1024], filled: 0 }
    }

    fn send(&mut self, request: &str) {
        // A short request always fits into what the system keeps for a socket.
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    /// Reads until the answer is whole, `true`, or nothing more has come yet.
    fn receive(&mut self) -> bool {
        loop {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("{error}"),
            }
            if self.is_whole() {
                self.filled = 0;
                return true;
            }
        }
    }

    fn is_whole(&self) -> bool {
        let text = std::str::from_utf8(&self.buffer[..self.filled]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.split("Content-Length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().trim().parse().unwrap();
        body.len() >= length
    }
}

/// Trusts the certificate that the server made for itself.
fn trusting_anybody(data: &Path) -> rustls::ClientConfig {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(data.join("tls-certificate.pem")).unwrap();
    roots.add(certificate).unwrap();
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}
