//! A gate with a small handler behind it, and a client that sends exactly the bytes it is given.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sidelight::gate::{
    Answer as Handled, Broken, Counters, Counts, Gate, GateConfig, Handler, Head, Limits, Portions, Refusal,
    Refused, Request, RequestPolicy, Response, Shutdown, Stopped, Streamed, bind,
};
use tiny_http::Header;

/// After this long without an answer a test has failed; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body limit of `/small`; of everything else it is [`LIMIT`].
pub const SMALL: usize = 10;
pub const LIMIT: usize = 64 * 1024;

/// Answers what the tests ask for by path.
pub struct TestHandler {
    entered: Mutex<Sender<()>>,
    release: Arc<Mutex<Receiver<()>>>,
}

impl Handler for TestHandler {
    fn terms(&self, head: &Head<'_>) -> RequestPolicy {
        let body_limit = match head.path {
            "/small" | "/worded/small" | "/worded/panic" | "/worded/split" => SMALL,
            "/large" | "/wait-later" => 10 * LIMIT,
            _ => LIMIT,
        };
        RequestPolicy { body_limit, brief: head.path == "/" }
    }

    fn handle(&self, request: &Request) -> Handled {
        let query = request.query.clone();
        let response = match request.path.as_str() {
            "/later" => {
                let answer = move || Response::from_string(format!("later {query}"));
                return Handled::Later(Box::new(|resume| drop(thread::spawn(|| resume.with(answer)))));
            }
            "/wait-later" => {
                let (entered, release) = (self.entered.lock().unwrap().clone(), Arc::clone(&self.release));
                return Handled::Later(Box::new(move |resume| {
                    entered.send(()).unwrap();
                    thread::spawn(move || {
                        release.lock().unwrap().recv().unwrap();
                        resume.with(|| Response::from_string("released"));
                    });
                }));
            }
            "/later-at-once" => {
                return Handled::Later(Box::new(move |resume| {
                    resume.with(move || Response::from_string(query))
                }));
            }
            "/later-panic" => {
                return Handled::Later(Box::new(|resume| {
                    resume.with(|| panic!("an answer that panics on purpose"))
                }));
            }
            "/never" => return Handled::Later(Box::new(drop)),
            "/later-never-begun" => {
                return Handled::Later(Box::new(|_| panic!("a beginning that panics on purpose")));
            }
            "/portions" => {
                return streamed(Box::new((1..4).map(|n| Ok(format!("portion {n};").into_bytes()))));
            }
            "/empty-portions" => {
                let portions = ["", "a", "", "", "b", ""].map(|text| Ok(text.as_bytes().to_vec()));
                return streamed(Box::new(portions.into_iter()));
            }
            "/broken" => return streamed(Box::new([Ok(b"half".to_vec()), Err(Broken)].into_iter())),
            "/portions-panic" => return streamed(Box::new(std::iter::from_fn(|| panic!("on purpose")))),
            "/endless" => return streamed(Box::new(std::iter::repeat_with(|| Ok(vec![b'z'; LIMIT])))),
            "/echo" => Response::from_string(format!(
                "{} {} [{}] host={} peer={} secure={} body={}",
                request.method,
                request.path,
                request.query,
                request.host,
                request.peer,
                request.secure,
                String::from_utf8_lossy(&request.body)
            )),
            "/panic" => panic!("a handler that panics on purpose"),
            "/big" => Response::from_data(vec![b'z'; request.query.parse().unwrap()]),
            "/wait" => {
                self.entered.lock().unwrap().send(()).unwrap();
                self.release.lock().unwrap().recv().unwrap();
                Response::from_string("released")
            }
            "/split" => Response::from_string("never seen")
                .with_header(Header::from_bytes("Location", format!("/{}", "a\r\nSet-Cookie: b=c")).unwrap()),
            _ => Response::from_string("hello"),
        };
        response.into()
    }

    /// Below `/worded` it says what it is told; elsewhere it leaves the words to the gate.
    fn refused(&self, refusal: Refusal, refused: &Refused<'_>) -> Option<Response> {
        let rest = refused.path().strip_prefix("/worded")?;
        let known = match refused {
            Refused::Head(request) => {
                assert!(request.body.is_empty(), "a body that was not read");
                format!("head [{}] peer={}", request.query, request.peer)
            }
            Refused::Beginning { .. } => "beginning".to_owned(),
        };
        let worded = format!("{} {} {known}", refused.method(), refusal.code());
        let response = Response::from_string(worded).with_status_code(refusal.status());
        match rest {
            "/panic" => panic!("words that panic on purpose"),
            "/split" => Some(response.with_header(Header::from_bytes("X-Split", "a\r\nb").unwrap())),
            _ => Some(response),
        }
    }

    fn panicked(&self, request: &Request, incident: &str) -> Option<Response> {
        let worded = Response::from_string(format!("worded {incident}")).with_status_code(500);
        (request.query == "worded").then_some(worded)
    }
}

fn streamed(portions: Portions) -> Handled {
    Handled::Streamed(Streamed { response: Response::from_string("first;"), portions })
}

/// A running gate; it is stopped when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    pub shutdown: Shutdown,
    pub limits: Limits,
    /// Says that a request for `/wait` is in its handler.
    pub entered: Receiver<()>,
    /// Lets one request for `/wait` go on.
    pub release: Sender<()>,
    thread: Option<JoinHandle<Stopped>>,
}

impl Server {
    pub fn start() -> Self {
        Self::with(Limits::default(), |_| {})
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, |_| {})
    }

    pub fn with(limits: Limits, adjust: impl FnOnce(&mut GateConfig)) -> Self {
        raise_descriptor_limit();
        Self::bind(limits, adjust)
    }

    /// Starts under the descriptor limit that the process was given.
    pub fn within_this_limit() -> Self {
        Self::bind(Limits::default(), |_| {})
    }

    fn bind(limits: Limits, adjust: impl FnOnce(&mut GateConfig)) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = GateConfig { listen, tls: None, limits, trusted_proxies: Vec::new() };
        adjust(&mut config);
        Self::run(bind(config).unwrap())
    }

    fn run(gate: Gate) -> Self {
        let (entered_by_handler, entered) = channel();
        let (release, released) = channel();
        let handler =
            TestHandler { entered: Mutex::new(entered_by_handler), release: Arc::new(Mutex::new(released)) };
        let (address, counters, limits) = (gate.local_addr(), gate.counters(), gate.limits().clone());
        let shutdown = Shutdown::new();
        let thread = std::thread::spawn({
            let shutdown = shutdown.clone();
            move || gate.run(Arc::new(handler), shutdown).unwrap()
        });
        Self { address, counters, shutdown, limits, entered, release, thread: Some(thread) }
    }

    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    pub fn connect(&self) -> Client {
        self.connect_from(Ipv4Addr::LOCALHOST)
    }

    pub fn connect_from(&self, source: Ipv4Addr) -> Client {
        Client::connect(self.address, source)
    }

    /// Sends the bytes on a new connection and reads until the server closes it.
    pub fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        client.send(bytes);
        client.read_to_end()
    }

    /// Waits until the counts are as they must become.
    pub fn wait_until(&self, reached: impl Fn(&Counts) -> bool) {
        let begun = Instant::now();
        while !reached(&self.counts()) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.counts());
            std::thread::yield_now();
        }
    }

    /// Asks for `/` from another address than the attackers', and expects to be served.
    pub fn serves_an_honest_client(&self) {
        let mut client = self.connect_from(Ipv4Addr::new(127, 0, 0, 2));
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(client.response().body, "hello");
    }

    /// Waits until the server has stopped.
    pub fn join(mut self) -> Stopped {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.trigger();
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            assert!(outcome.is_ok() || std::thread::panicking(), "the door panicked");
        }
    }
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// A client that sends exactly what it is given.
pub struct Client {
    pub socket: TcpStream,
    inbox: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr, source: Ipv4Addr) -> Self {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
        // Not to be inherited by the processes that other tests start.
        let flags = SocketFlags::CLOEXEC;
        let made = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
        // Unbound, the port need only be unused towards this server: crowds do not use up the ports of all.
        if source != Ipv4Addr::LOCALHOST {
            bind(&made, &SocketAddrV4::new(source, 0)).unwrap();
        }
        connect(&made, &address).unwrap();
        let socket = TcpStream::from(made);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, inbox: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what the server may no longer want to read.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Reads one answer with a body framed by Content-Length.
    pub fn response(&mut self) -> Answer {
        self.read_answer(true)
    }

    /// Reads one answer to HEAD.
    pub fn response_without_body(&mut self) -> Answer {
        self.read_answer(false)
    }

    fn read_answer(&mut self, with_body: bool) -> Answer {
        let end = loop {
            if let Some(at) = self.inbox.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill(), "closed in the head: {:?}", String::from_utf8_lossy(&self.inbox));
        };
        let head = String::from_utf8(self.inbox.drain(..end).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<String, String> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = match headers.get("content-length") {
            Some(length) if with_body => length.parse().unwrap(),
            _ => 0,
        };
        while self.inbox.len() < length {
            assert!(self.fill(), "closed in the body");
        }
        let body = String::from_utf8(self.inbox.drain(..length).collect()).unwrap();
        Answer { status, headers, body }
    }

    fn fill(&mut self) -> bool {
        let mut chunk = [0; 64 * 1024];
        let n = self.socket.read(&mut chunk).unwrap();
        self.inbox.extend_from_slice(&chunk[..n]);
        n > 0
    }

    /// Reads all that comes until the server closes. A reset counts as the end.
    pub fn read_to_end(&mut self) -> String {
        let mut chunk = [0; 64 * 1024];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => self.inbox.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the server neither answered nor closed: {error}"),
            }
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.inbox)).into_owned()
    }

    /// Waits until the server closes; nothing may come before.
    pub fn is_closed_silently(&mut self) {
        assert_eq!(self.read_to_end(), "");
    }
}

/// Lets the test process hold the sockets of both sides.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
