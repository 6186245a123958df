//! What a login key costs: checked in process with its look-up, and as a sign-in over the network.
//!
//! Run with `cargo bench --bench login_key`. Three figures, each against its mark:
//! - checks a second on one core, the look-up in SQLite included: 150,000;
//! - the look-up among 1,000,000 users against that among 1,000: at most 1.3 times as slow;
//! - Authorize over 64 keep-alive connections, its row durable before the reply, against a route of the same
//!   server that answers a constant: at least 0.5, plain and over TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use sidelight::clock::Clock;
use sidelight::desk::Desk;
use sidelight::desk::sign_in::Attempt;
use sidelight::model::{Caller, GroupId};
use sidelight::protocol::credential::{Credential, Subject};
use sidelight::protocol::login_key::{SigningKey, make};
use sidelight::secret::Secret;
use sidelight::store::{DATABASE_FILE, Mode};

const BINARY: &str = env!("CARGO_BIN_EXE_sidelight");
const API_KEY: &str = "mySecretApiKey";
const GROUP: GroupId = GroupId(777);
const CONNECTIONS: usize = 64;
/// Turns of each side, of which the median counts.
const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(1500);

fn main() {
    let few = House::with_users(1_000);
    let many = House::with_users(1_000_000);
    println!("look-up among 1,000,000 against 1,000 users, checks a second on one core (mark: 150,000)");
    let (mut of_few, mut of_many): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_few.push(few.checks_a_second());
        of_many.push(many.checks_a_second());
    }
    let (of_few, of_many) = (median(of_few), median(of_many));
    println!("  1,000 users      {of_few:>10.0} checks/s   {:.2} of the mark", of_few / 150_000.0);
    println!(
        "  1,000,000 users  {of_many:>10.0} checks/s   {:.2} times as slow (mark: 1.3)",
        of_few / of_many
    );
    drop((few, many));
    for plain in [true, false] {
        sign_ins_over_the_network(plain);
    }
}

struct House {
    _directory: tempfile::TempDir,
    desk: Desk,
    attempts: Vec<Credential>,
}

impl House {
    fn with_users(count: i64) -> House {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        desk.people.create_group(&Caller::host(), GROUP, "Acme", None).unwrap();
        desk.sign_in.change_api_key(&Caller::host(), GROUP, Some(Secret::new(API_KEY))).unwrap();
        fill(directory.path(), count);
        let expiry = desk.clock().now().seconds() + 3600;
        let key = SigningKey::new(API_KEY.as_bytes());
        // Spread over all users, so that no page is always the same.
        let attempts = (0..1_000)
            .map(|n| {
                let puid = format!("user{:07}", (n * 7919) % count);
                let text = make(&key, GROUP, &puid, expiry).unwrap();
                let subject = Subject::Partner { group: GROUP, puid, other_readings: Vec::new() };
                Credential::LoginKey { subject, key: text.into() }
            })
            .collect();
        House { _directory: directory, desk, attempts }
    }

    fn checks_a_second(&self) -> f64 {
        let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
        let (begun, mut done) = (on_core(), 0u32);
        while on_core() - begun < TURN / 3 {
            for credential in &self.attempts {
                let attempt = Attempt { caller: &caller, credential, group: None, surface: "bench" };
                black_box(self.desk.sign_in.identify(black_box(&attempt)).unwrap());
            }
            done += self.attempts.len() as u32;
        }
        f64::from(done) / (on_core() - begun).as_secs_f64()
    }
}

/// How long this thread has had a core: other programs must not count.
fn on_core() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

fn fill(directory: &Path, count: i64) {
    let connection = rusqlite::Connection::open(directory.join(DATABASE_FILE)).unwrap();
    sidelight::store::register_functions(&connection).unwrap();
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
             INSERT INTO users (glance_address, home_group_id, created_at, updated_at)
                 SELECT printf('user%07d.acme.glance.net', i), {GROUP}, 0, 0 FROM n;
             INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
                 SELECT {GROUP}, id, substr(glance_address, 1, 11), 0, 0 FROM users
                 WHERE glance_address LIKE 'user%';
             COMMIT; ANALYZE;"
        ))
        .unwrap();
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn sign_ins_over_the_network(plain: bool) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("data"), plain);
    let now = Clock::system().now().seconds();
    let login_key =
        make(&SigningKey::new(API_KEY.as_bytes()), GroupId(12345), "uniqueUserIdentifier", now + 7200);
    let body = format!(
        r#"{{"partnerid":12345,"partneruserid":"uniqueUserIdentifier","loginkey":"{}"}}"#,
        login_key.unwrap()
    );
    let authorize = format!(
        "POST /services/AuthorizationService.svc/rest/Authorize?service=presence&duration=60 HTTP/1.1\r\n\
         Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let constant = "GET /agentjoin/message.js HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned();
    let (mut of_constant, mut of_authorize): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_constant.push(server.requests_a_second(&constant));
        of_authorize.push(server.requests_a_second(&authorize));
    }
    let (of_constant, of_authorize) = (median(of_constant), median(of_authorize));
    println!("{} over {CONNECTIONS} keep-alive connections", if plain { "plain HTTP" } else { "TLS" });
    println!("  constant route   {of_constant:>10.0} requests/s");
    println!(
        "  Authorize        {of_authorize:>10.0} sign-ins/s   {:.2} of the constant route (mark: 0.5)",
        of_authorize / of_constant
    );
}

struct Server {
    child: Child,
    address: String,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Server {
    fn start(data: &Path, plain: bool) -> Server {
        let mut child = Command::new(BINARY)
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

    /// Each connection keeps one request in flight: the next is sent as soon as the answer is there.
    fn requests_a_second(&self, request: &str) -> f64 {
        let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut elapsed = Duration::ZERO;
        std::thread::scope(|scope| {
            // Two threads drive all connections: the client must not be dearer than the server.
            for _ in 0..2 {
                scope.spawn(|| self.drive(CONNECTIONS / 2, request, &stop, &done));
            }
            std::thread::sleep(TURN / 5);
            let (begun, before) = (Instant::now(), done.load(Ordering::Relaxed));
            std::thread::sleep(TURN);
            elapsed = begun.elapsed();
            let after = done.load(Ordering::Relaxed);
            stop.store(true, Ordering::Relaxed);
            done.store(after - before, Ordering::Relaxed);
        });
        let counted = done.load(Ordering::Relaxed);
        counted as f64 / elapsed.as_secs_f64()
    }

    fn drive(&self, connections: usize, request: &str, stop: &AtomicBool, done: &AtomicU64) {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(connections);
        let mut connections: Vec<Connection> = (0..connections)
            .map(|place| {
                let mut connection = Connection::open(&self.address, self.tls.clone());
                let (mut source, token) = (SourceFd(&connection.descriptor), Token(place));
                poll.registry().register(&mut source, token, Interest::READABLE).unwrap();
                connection.send(request);
                connection
            })
            .collect();
        while !stop.load(Ordering::Relaxed) {
            poll.poll(&mut events, Some(TURN / 10)).unwrap();
            for event in &events {
                let connection = &mut connections[event.token().0];
                if connection.receive() {
                    connection.send(request);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
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
