//! What strangers can make the real binary keep in memory: floods, and the resident set that they leave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

use common::Server;

const MIB: u64 = 1024 * 1024;

/// Resident memory of the server, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

/// What `sidelight config` says that the server may take, by a word of the line that says it.
fn promised(server: &Server) -> impl Fn(&str) -> u64 + use<> {
    let output = std::process::Command::new(common::BINARY).arg("config").current_dir(server.data()).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let from = text.find("\nmemory ").unwrap_or_else(|| panic!("{text}"));
    let lines: Vec<String> = text[from..].lines().map(str::to_owned).collect();
    move |word| {
        let line = lines.iter().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{lines:?}"));
        // Before the unit, since some lines say how many there are.
        let number = line.split(" MiB").next().and_then(|before| before.split_whitespace().next_back());
        number.unwrap().parse::<f64>().unwrap() as u64 * MIB
    }
}

/// Connects from one of the loopback addresses, of which each has its own share of the budgets.
fn connect(server: &Server, n: u8) -> TcpStream {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
    let address: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, n), 0)).unwrap();
    connect(&socket, &address).unwrap();
    let socket = TcpStream::from(socket);
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

fn flood_with_passwords(server: &Server) {
    std::thread::scope(|scope| {
        for n in 0..32 {
            scope.spawn(move || {
                for _ in 0..3 {
                    let body = format!(r#"{{"username":"nobody{n}@example.com","password":"wrong"}}"#);
                    let answer = server.post_json("/services/AuthorizationService.svc/rest/Authorize", &body);
                    assert_ne!(answer.status, 200);
                }
            });
        }
    });
}

/// Large SAML posts, all of them at once.
fn flood_with_documents(server: &Server) {
    let body = format!("SAMLResponse={}", "QUFB".repeat(90_000));
    let head = format!(
        "POST /account/GetLoginKey.aspx?idpid=12345 HTTP/1.1\r\nHost: x\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    std::thread::scope(|scope| {
        for n in 0..60 {
            let (head, body) = (&head, &body);
            scope.spawn(move || {
                let mut client = connect(server, 2 + n % 4);
                // Whoever comes when the budget is used up is refused before all is sent.
                let sent = client.write_all(head.as_bytes()).and_then(|()| client.write_all(body.as_bytes()));
                let mut answer = [0; 12];
                let heard = client.read_exact(&mut answer);
                assert!(sent.is_err() || heard.is_err() || answer.starts_with(b"HTTP/1.1 "));
            });
        }
    });
}

/// Connections that each keep the server waiting for the rest of a body, from as many addresses as it takes to
/// use the whole budget up.
fn flood_with_unfinished_bodies(server: &Server) -> Vec<TcpStream> {
    let head = "POST /account/GetLoginKey.aspx?idpid=12345 HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 390000\r\n\r\n";
    let body = vec![b'a'; 200_000];
    (0..1000u16)
        .map(|n| {
            let mut client = connect(server, 2 + (n % 8) as u8);
            // Refused in between, when the budget is used up.
            let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&body));
            client
        })
        .collect()
}

#[test]
fn a_flood_of_wrong_passwords_takes_the_memory_of_those_hashed_at_once_and_no_more() {
    let server = Server::lab();
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let before = resident(&server);
    flood_with_passwords(&server);
    let grown = resident(&server) - before;
    // The threads and their arenas have their share.
    let most = cores * 20 * MIB + 16 * MIB;
    assert!(grown < most, "{} MiB more, expected less than {}", grown / MIB, most / MIB);
}

#[test]
fn floods_of_connections_bodies_documents_and_passwords_stay_below_what_config_says() {
    let server = Server::lab();
    let part = promised(&server);
    let all = part("memory ");
    assert!(all <= 192 * MIB, "{} MiB", all / MIB);
    let before = resident(&server);
    let held = flood_with_unfinished_bodies(&server);
    let mut grown = resident(&server) - before;
    let most = part("connections") + part("bodies") + part("threads");
    assert!(grown < most, "{} MiB for bodies, expected less than {}", grown / MIB, most / MIB);
    flood_with_passwords(&server);
    flood_with_documents(&server);
    grown = grown.max(resident(&server) - before);
    drop(held);
    // The program under test is not the one that is shipped, and larger: what it grows by is compared.
    let most = all - part("the program");
    assert!(grown < most, "{} MiB more, expected less than {}", grown / MIB, most / MIB);
}
