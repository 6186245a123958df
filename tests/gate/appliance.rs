//! The whole appliance, database included, short of file descriptors and under attack.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use crate::harness::Client;

pub struct Appliance {
    child: Child,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Appliance {
    /// Starts a lab on plain HTTP that may open this many descriptors.
    pub fn start(descriptors: u32) -> Self {
        let data = tempfile::tempdir().unwrap();
        let flags = "serve --lab --plain-http --listen 127.0.0.1:0 --data data";
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -n {descriptors}; exec \"$0\" {flags}"))
            .arg(env!("CARGO_BIN_EXE_sidelight"))
            .current_dir(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("is ready")), "it did not start");
        // Whatever it says later is read, or it might wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let ready = std::fs::read_to_string(data.path().join("data/ready.json")).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        let address = ready["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        Self { child, address, _data: data }
    }

    pub fn connect(&self, source: Ipv4Addr) -> Client {
        Client::connect(self.address, source)
    }

    /// Asks for what needs the database: its health, and a sign-in that is refused and written to the log.
    fn serves_an_honest_client(&self) {
        let mut client = self.connect(Ipv4Addr::new(127, 0, 0, 2));
        client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(client.response().status, 200);
        let body = "{\"partnerId\":\"12345\",\"partnerUserId\":\"nobody\",\"loginKey\":\"$1$1$x\"}";
        client.send(format!(
            "POST /services/AuthorizationService.svc/rest/Authorize HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let answer = client.response();
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_appliance_with_128_descriptors_serves_honest_clients_beside_a_thousand_hostile_ones() {
    let appliance = Appliance::start(128);
    let mut hostile = Vec::new();
    for round in 0..5 {
        for n in 0..200 {
            let mut client = appliance.connect(Ipv4Addr::LOCALHOST);
            match n % 3 {
                0 => true,
                1 => client.try_send("GET / HTTP/1.1\r\nHost: x\r\nX-Endless: "),
                _ => client.try_send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000000\r\n\r\n"),
            };
            hostile.push(client);
        }
        appliance.serves_an_honest_client();
        if round == 2 {
            hostile.clear();
        }
    }
}
