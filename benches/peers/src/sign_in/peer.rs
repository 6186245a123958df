//! The servers that are measured: each a process of its own, started, asked for its processor time, and stopped.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::responses::base64_of;
use crate::users;

pub const IDP: &str = "https://idp.example.org/metadata";
pub const IDP_CERTIFICATE: &str = include_str!("../../../../tests/fixtures/saml/keys/idp.cert.pem");
pub const ENTITY_ID: &str = "https://sp.example.com/saml/metadata";
pub const ACS_URL: &str = "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345";
/// The group and the API key of Sidelight's demo.
pub const GROUP: i64 = 12345;
pub const API_KEY: &str = "mySecretApiKey";

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);
/// What `stat` under `/proc` counts in.
const TICK: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Sidelight,
    Samael,
    Python3Saml,
    NodeSaml,
    Express,
}

impl Peer {
    /// As the command line of this program names it.
    pub fn named(name: &str) -> Peer {
        match name {
            "samael" => Peer::Samael,
            "python3-saml" => Peer::Python3Saml,
            "node-saml" => Peer::NodeSaml,
            "express" => Peer::Express,
            other => panic!("no peer is called {other}"),
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Peer::Sidelight => "Sidelight",
            Peer::Samael => "samael, axum",
            Peer::Python3Saml => "python3-saml, gunicorn",
            Peer::NodeSaml => "node-saml, express",
            Peer::Express => "express",
        }
    }

    /// The peer's command, with workers for two cores.
    fn command(self, port: u16) -> Command {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let node = |script: &str| {
            let mut command = Command::new("node");
            command.arg(here.join("node-saml").join(script)).env("NODE_ENV", "production");
            command
        };
        match self {
            Peer::Sidelight => unreachable!("it is started by Server::sidelight"),
            Peer::Samael => Command::new(here.join("samael/target/release/service_provider")),
            Peer::Python3Saml => {
                let mut command = Command::new(here.join("target/python3-saml/bin/gunicorn"));
                command
                    .current_dir(here.join("python3-saml"))
                    .args(["--workers=2", "--worker-class=gthread", "--threads=4", "--log-level=error"])
                    .arg(format!("--bind=127.0.0.1:{port}"))
                    .arg("service_provider:app");
                command
            }
            Peer::NodeSaml => node("service_provider.js"),
            Peer::Express => node("login_key.js"),
        }
    }
}

pub struct Server {
    pub peer: Peer,
    pub address: SocketAddr,
    child: Child,
    _directory: tempfile::TempDir,
}

impl Server {
    pub fn start(peer: Peer) -> Server {
        match peer {
            Peer::Sidelight => Server::sidelight(),
            peer => Server::peer(peer),
        }
    }

    fn peer(peer: Peer) -> Server {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        users::make_database(&file("database.sqlite"));
        std::fs::write(file("idp.xml"), idp_metadata()).unwrap();
        std::fs::write(file("idp.pem"), IDP_CERTIFICATE).unwrap();
        // Nobody else asks for a port between this and the peer's own asking for it.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = peer
            .command(address.port())
            .env("PORT", address.port().to_string())
            .env("DATABASE", file("database.sqlite"))
            .env("IDP_METADATA", file("idp.xml"))
            .env("IDP_CERTIFICATE", file("idp.pem"))
            .env("ENTITY_ID", ENTITY_ID)
            .env("ACS_URL", ACS_URL)
            .env("GROUP", GROUP.to_string())
            .env("API_KEY", API_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server { peer, address, child, _directory: directory };
        server.wait_until_it_listens();
        server
    }

    fn wait_until_it_listens(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "{} ended", self.peer.title());
            assert!(begun.elapsed() < PATIENCE, "{} does not listen", self.peer.title());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A lab whose demo group has the users, and lets the identity provider begin.
    fn sidelight() -> Server {
        let binary = std::env::current_exe().unwrap().with_file_name("sidelight");
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let mut child = Command::new(&binary)
            .args(["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0"])
            .args(["--public-url", "https://sp.example.com", "--data"])
            .arg(&data)
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
        let address = ready["url"].as_str().unwrap().split_once("://").unwrap().1.parse().unwrap();

        let file = |name: &str, content: &str| -> PathBuf {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let group = GROUP.to_string();
        let run = |arguments: &[&str]| {
            let done = Command::new(&binary)
                .args(arguments)
                .args(["--group", &group, "--data"])
                .arg(&data)
                .output()
                .unwrap();
            assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        let (issuer, audience) = (format!("idp_entity_id={IDP}"), format!("entity_id={ENTITY_ID}"));
        let fields = ["method=saml", &issuer, &audience, "endpoint_url=https://idp.example.org/sso"];
        run(&[&["sso", "set"], &fields[..], &["identity_attribute=email", "status=production"]].concat());
        run(&["sso", "key", "add", file("idp.pem", IDP_CERTIFICATE).to_str().unwrap()]);
        run(&["user", "import", file("users.csv", &users::csv()).to_str().unwrap()]);
        Server { peer: Peer::Sidelight, address, child, _directory: directory }
    }

    /// Processor time, in user and kernel, of the process and all below it that still run.
    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id())
    }
}

impl Drop for Server {
    /// Asks it to stop, so that it stops its workers too.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let below: Duration = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|children| {
            children.split_whitespace().map(|child| child.parse().unwrap()).collect::<Vec<u32>>()
        })
        .map(processor_time)
        .sum();
    TICK * ticks + below
}

fn idp_metadata() -> String {
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.org/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>"#,
        base64_of(IDP_CERTIFICATE)
    )
}
