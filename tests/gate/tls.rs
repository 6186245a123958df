//! The same door with TLS on it.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sidelight::gate::{Limits, load_tls, self_signed};

use crate::harness::Server;

struct Tls {
    server: Server,
    client: Arc<ClientConfig>,
}

impl Tls {
    fn start(limits: Limits) -> Self {
        let made = self_signed(&["localhost".to_owned()]).unwrap();
        let tls = load_tls(&made.cert_pem, &made.key_pem).unwrap();
        let server = Server::with(limits, |config| config.tls = Some(tls));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(made.cert_pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { server, client: Arc::new(client) }
    }

    /// Connects from another address than the attackers'.
    fn connect(&self) -> StreamOwned<ClientConnection, std::net::TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        StreamOwned::new(session, self.server.connect_from(Ipv4Addr::new(127, 0, 0, 2)).socket)
    }

    fn serves_an_honest_client(&self) {
        let mut stream = self.connect();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
    }
}

#[test]
fn requests_over_tls_are_answered_and_marked_secure() {
    let tls = Tls::start(Limits::default());
    let mut stream = tls.connect();
    for n in 0..3 {
        stream
            .write_all(
                format!("POST /echo?{n} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").as_bytes(),
            )
            .unwrap();
        let expected = format!("POST /echo [{n}] host=x peer=127.0.0.2 secure=true body=hi");
        let mut answer = Vec::new();
        while !answer.ends_with(expected.as_bytes()) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend_from_slice(&byte);
        }
    }
    assert_eq!(tls.server.counts().accepted, 1);
}

#[test]
fn long_bodies_and_answers_pass_through_tls_whole() {
    let tls = Tls::start(Limits::default());
    let mut stream = tls.connect();
    let body = "b".repeat(64 * 1024);
    write!(stream, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    write!(stream, "GET /big?5000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(&format!("body={body}HTTP/1.1 200 OK")));
    assert!(answer.ends_with(&"z".repeat(5_000_000)));
}

#[test]
fn the_end_of_a_connection_is_announced() {
    // read_to_string fails when the connection ends without the notice that guards against truncation.
    Tls::start(Limits::default()).serves_an_honest_client();
}

#[test]
fn plain_http_on_the_tls_port_is_told_so() {
    let tls = Tls::start(Limits::default());
    let answer = tls.server.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("(plain_on_tls)"), "{answer}");
    tls.serves_an_honest_client();
}

#[test]
fn garbage_instead_of_a_handshake_is_cut() {
    let tls = Tls::start(Limits::default());
    for garbage in [&[0_u8; 64][..], &[0xff; 4096], b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\x00\x05hello"] {
        let mut client = tls.server.connect();
        client.send(garbage);
        client.socket.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = client.read_to_end();
        assert!(!answer.contains("HTTP"), "{answer}");
    }
    tls.server.wait_until(|counts| counts.handshakes_failed == 4 && counts.open == 0);
    tls.serves_an_honest_client();
}

#[test]
fn a_first_message_that_is_many_times_too_long_is_cut_before_it_has_come() {
    let tls = Tls::start(Limits { handshake: Duration::from_secs(3600), ..Limits::default() });
    let mut client = tls.server.connect();
    // A ClientHello of 48 KiB in records of 8 KiB, of which the last never comes.
    let hello = [&[1, 0, 0xc0, 0][..], &[3, 3], &[b'a'; 8192 - 6]].concat();
    for part in [&hello[..], &[b'a'; 8192], &[b'a'; 8192], &[b'a'; 8192]] {
        if !client.try_send([&[0x16, 3, 1, 0x20, 0][..], part].concat()) {
            break;
        }
    }
    client.read_to_end();
    tls.serves_an_honest_client();
}

#[test]
fn a_handshake_that_stalls_is_cut() {
    let tls = Tls::start(Limits { handshake: Duration::from_millis(40), ..Limits::default() });
    tls.server.connect().is_closed_silently();
    let mut client = tls.server.connect();
    client.send(b"\x16\x03\x01\x02\x00");
    client.is_closed_silently();
    tls.server.wait_until(|counts| counts.timed_out == 2 && counts.open == 0);
}

#[test]
fn a_thousand_stalled_handshakes_do_not_keep_others_out() {
    let tls = Tls::start(Limits::default());
    let mut stalled: Vec<_> = (0..1000).map(|_| tls.server.connect()).collect();
    for client in &mut stalled {
        client.try_send(b"\x16\x03\x01\x02\x00");
    }
    tls.serves_an_honest_client();
}
