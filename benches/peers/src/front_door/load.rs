//! The client: a few threads, each driving its share of keep-alive connections without blocking, one request
//! at a time on each.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

const THREADS: usize = 2;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

/// Asks for the constant route for so long, and counts the answers.
pub fn run(address: SocketAddr, connections: usize, tls: bool, time: Duration) -> u64 {
    let config = tls.then(client_config);
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let config = config.clone();
            std::thread::spawn(move || drive(address, connections / THREADS, config.as_ref(), time))
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
}

struct Connection {
    socket: TcpStream,
    tls: Option<ClientConnection>,
    inbox: Vec<u8>,
    answer: usize,
}

fn drive(address: SocketAddr, connections: usize, tls: Option<&Arc<ClientConfig>>, time: Duration) -> u64 {
    let mut poll = Poll::new().unwrap();
    let mut clients: Vec<Connection> = (0..connections)
        .map(|n| {
            // Connected and shaken before the time begins.
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket.set_nodelay(true).unwrap();
            let mut tls = tls.map(|config| {
                ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost").unwrap()).unwrap()
            });
            while let Some(session) = tls.as_mut().filter(|session| session.is_handshaking()) {
                session.complete_io(&mut socket).unwrap();
            }
            socket.set_nonblocking(true).unwrap();
            let mut socket = TcpStream::from_std(socket);
            poll.registry().register(&mut socket, Token(n), Interest::READABLE).unwrap();
            Connection { socket, tls, inbox: Vec::with_capacity(4096), answer: 0 }
        })
        .collect();
    let mut events = Events::with_capacity(connections);
    let mut answers = 0;
    let end = Instant::now() + time;
    for client in &mut clients {
        client.ask();
    }
    while Instant::now() < end {
        poll.poll(&mut events, Some(Duration::from_millis(100))).unwrap();
        for event in &events {
            if clients[event.token().0].hear() {
                answers += 1;
                clients[event.token().0].ask();
            }
        }
    }
    answers
}

impl Connection {
    fn ask(&mut self) {
        match &mut self.tls {
            None => self.socket.write_all(REQUEST).unwrap(),
            Some(session) => {
                session.writer().write_all(REQUEST).unwrap();
                while session.wants_write() {
                    session.write_tls(&mut self.socket).unwrap();
                }
            }
        }
    }

    /// Reads what has come; `true` when the answer is whole. The first answer's length is every answer's.
    fn hear(&mut self) -> bool {
        let mut chunk = [0; 4096];
        loop {
            let read = match &mut self.tls {
                None => self.socket.read(&mut chunk),
                Some(session) => match session.reader().read(&mut chunk) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        match session.read_tls(&mut self.socket) {
                            Ok(_) => {
                                session.process_new_packets().unwrap();
                                continue;
                            }
                            Err(error) => Err(error),
                        }
                    }
                    other => other,
                },
            };
            match read {
                Ok(0) => panic!("the server closed"),
                Ok(n) => self.inbox.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("{error}"),
            }
            if self.answer == 0 {
                self.answer = length_of_answer(&self.inbox);
            }
            if self.answer > 0 && self.inbox.len() >= self.answer {
                self.inbox.clear();
                return true;
            }
        }
    }
}

fn length_of_answer(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return 0 };
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    head.len() + 4 + length.unwrap().1.parse::<usize>().unwrap()
}

fn client_config() -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    Arc::new(config)
}

/// The client measures; it has nothing to protect.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
