//! `sidelight health`: asks a running server whether it serves, for service managers and test pipelines.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::host::Host;
use crate::error::{Error, Kind};
use crate::server::{CERTIFICATE_FILE, Ready};

/// How long one attempt may take, and how long to rest between two.
const ATTEMPT: Duration = Duration::from_secs(3);
const REST: Duration = Duration::from_millis(50);

/// check whether a running server is ready
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "health",
    note = "The command checks the server that is running on the data directory. It finds the server's address there.",
    example = "{command_name} --wait 10",
    error_code(0, "it serves"),
    error_code(1, "it does not"),
    error_code(2, "wrong usage")
)]
pub struct Health {
    /// wait up to this many seconds for the server to be ready
    #[argh(option, default = "0")]
    wait: u64,
}

impl Health {
    /// Asks the server, repeatedly while waiting, and prints its answer.
    pub fn run(self, host: &Host) -> ExitCode {
        let data = match host.directory() {
            Ok(data) => data,
            Err(error) => return host.refused(&error),
        };
        let until = Instant::now() + Duration::from_secs(self.wait);
        loop {
            match ask(&data) {
                Ok(said) => {
                    println!("{}", said.trim_end());
                    return ExitCode::SUCCESS;
                }
                Err(why) if Instant::now() >= until => {
                    return host.refused(&Error::new(
                        Kind::Denied,
                        "not_healthy",
                        format!("Not healthy: {why}."),
                    ));
                }
                Err(_) => std::thread::sleep(REST),
            }
        }
    }
}

/// The state of the server that is running on the data directory.
///
/// # Errors
/// Why it does not serve.
pub(super) fn ask(data: &Path) -> Result<String, String> {
    let ready = Ready::read(data).ok_or_else(|| format!("no server is ready on {}", data.display()))?;
    let (scheme, authority) = ready.url.split_once("://").ok_or("the ready file names no url")?;
    let address = authority
        .to_socket_addrs()
        .map_err(|e| e.to_string())?
        .next()
        .ok_or("the ready file's url has no address")?;
    let socket = TcpStream::connect_timeout(&address, ATTEMPT).map_err(|e| said(&e))?;
    let timed = socket.set_read_timeout(Some(ATTEMPT)).and_then(|()| socket.set_write_timeout(Some(ATTEMPT)));
    timed.map_err(|e| e.to_string())?;
    if scheme == "http" {
        return exchange(socket, authority);
    }
    let own = data.join(CERTIFICATE_FILE);
    let certificate = ready.certificate.unwrap_or(own);
    exchange(trusting(&certificate, authority, socket)?, authority)
}

/// Speaks TLS, trusting exactly the server's own certificate.
fn trusting(
    certificate: &Path,
    authority: &str,
    socket: TcpStream,
) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(certificate).map_err(|e| e.to_string())? {
        let certificate = certificate.map_err(|e| e.to_string())?;
        roots.add(certificate).map_err(|e| e.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|e| e.to_string())?;
    let connection = ClientConnection::new(Arc::new(settings), name).map_err(|e| e.to_string())?;
    Ok(StreamOwned::new(connection, socket))
}

fn exchange(mut stream: impl Read + Write, authority: &str) -> Result<String, String> {
    let request = format!("GET /health HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|e| said(&e))?;
    let mut answer = Vec::new();
    // A server that closes without a TLS goodbye has still answered.
    let read = stream.take(64 * 1024).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| match read {
        Ok(_) => "the server gave no answer".to_owned(),
        Err(e) => said(&e),
    })?;
    if head.starts_with("HTTP/1.1 200") { Ok(body.to_owned()) } else { Err(body.to_owned()) }
}

/// Describes a timeout. The operating system's own message is hard to understand.
fn said(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("the server did not answer in {} s", ATTEMPT.as_secs())
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// Takes a request and never answers, as a socket whose read deadline has passed.
    struct Silent;

    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Silent {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_silent_server_is_said_to_be_silent() {
        assert_eq!(exchange(Silent, "localhost").unwrap_err(), "the server did not answer in 3 s");
    }
}
