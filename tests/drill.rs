//! The drill of docs/operating.md: each command that the paper gives for backups is run, in its order, on two machines that
//! share nothing but the backup and the key as it was kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{BINARY, Server};

const PAPER: &str = include_str!("../docs/operating.md");
const IDENTITY: &str = "AGE-SECRET-KEY-1H4T6W967PYHVXKGFAGU8QY9KNTEMM7MEGPGCUNKMQGJN3PWTV9NQ7FWRXD";
const RECIPIENT: &str = "age1u738xznan70w34j8hxz47acsgyz22vn00q3xkt0svh28p82rf4lqwu4gr5";
/// The backup that the paper names.
const FILE: &str = "sidelight-2026-12-01T020000Z.backup.tar";
const PUID: &str = "ann";

/// The lines of the paper's shell blocks in the section with this heading.
fn commands(heading: &str) -> Vec<&'static str> {
    let section = PAPER.split_once(&format!("\n## {heading}\n")).unwrap().1;
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap().lines()).collect()
}

/// One machine's places, in the words of the paper.
struct Machine {
    data: PathBuf,
    backups: PathBuf,
    /// Where commands are run, and files without a directory stand.
    home: PathBuf,
    kept_key: PathBuf,
}

impl Machine {
    /// The line with this machine's places in place of the paper's.
    fn here(&self, line: &str) -> String {
        let name = |path: &Path| path.to_str().unwrap().to_owned();
        let newest = self.newest().map_or_else(|| FILE.to_owned(), |newest| newest.1);
        line.replace("/var/lib/sidelight", &name(&self.data))
            .replace("/mnt/backups", &name(&self.backups))
            .replace("/media/usb/sidelight.key", &name(&self.kept_key))
            .replace("age1…", RECIPIENT)
            .replace(FILE, &newest)
    }

    /// Directory and name of the newest backup.
    fn newest(&self) -> Option<(PathBuf, String)> {
        let files = self.backups.read_dir().into_iter().flatten().flatten();
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        names.filter(|name| name.ends_with(".backup.tar")).max().map(|name| (self.backups.clone(), name))
    }

    fn run(&self, line: &str) -> Output {
        let directory = Path::new(BINARY).parent().unwrap().to_str().unwrap();
        let path = format!("{directory}:{}", std::env::var("PATH").unwrap());
        Command::new("sh")
            .args(["-euc", &self.here(line)])
            .env("PATH", path)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

#[track_caller]
fn done(output: &Output, line: &str) -> String {
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn machine(around: &Path, name: &str) -> Machine {
    let home = around.join(name);
    std::fs::create_dir(&home).unwrap();
    Machine { data: home.join("data"), backups: home.join("backups"), kept_key: home.join("kept.key"), home }
}

/// Makes a group with somebody who may sign in by login key.
fn people(server: &Server) {
    for arguments in [
        vec!["group", "create", "7", "--name", "Acme"],
        vec!["api-key", "change", "--group", "7", "--yes"],
        vec!["user", "create", "--group", "7", "--puid", PUID, "--address", "ann.acme"],
    ] {
        let output = server.command(&arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

fn signs_in(server: &Server) -> u16 {
    let key = server.command(&["login-key", "new", "--group", "7", "--puid", PUID]);
    let key = String::from_utf8_lossy(&key.stdout).trim().to_owned();
    let body = format!(r#"{{"partnerid":7,"partneruserid":"{PUID}","loginkey":"{key}"}}"#);
    server.post_json("/services/AuthorizationService.svc/rest/Authorize", &body).status
}

#[test]
fn every_command_of_the_paper_on_backups_does_what_it_says() {
    let around = tempfile::tempdir().unwrap();
    let mut first = machine(around.path(), "first");
    let server = Server::start_on(&first.data, &["--plain-http"]);
    people(&server);
    std::fs::copy(first.data.join("sidelight.key"), &first.kept_key).unwrap();
    std::fs::write(first.home.join("age-identity.txt"), format!("# made elsewhere\n{IDENTITY}\n")).unwrap();
    let (mut taken, mut checked) = (0, 0);
    for line in commands("Backup") {
        if line.starts_with("sidelight backup") {
            // Two within a second would have one name.
            taken += 1;
            first.backups = first.home.join(format!("backups-{taken}"));
        }
        let said = done(&first.run(line), line);
        if line.contains("--check") {
            checked += 1;
            assert!(said.contains("a login key was checked with it"), "{line}: {said}");
        }
    }
    assert!(taken >= 2 && checked >= 2, "the paper shows both ways to keep the key");
    server.stop();

    // What is carried to another machine: the newest backup, which holds the sealed key, the identity, and the kept key.
    let (backups, name) = first.newest().unwrap();
    for (number, key) in ["--key /media/usb/sidelight.key", "--identity age-identity.txt"].iter().enumerate()
    {
        let second = machine(around.path(), &format!("second-{number}"));
        std::fs::copy(backups.join(&name), second.home.join(&name)).unwrap();
        std::fs::copy(&first.kept_key, &second.kept_key).unwrap();
        std::fs::copy(first.home.join("age-identity.txt"), second.home.join("age-identity.txt")).unwrap();
        let mut restored = 0;
        for line in commands("When the machine is lost") {
            if line.starts_with("sidelight serve") {
                assert!(line.ends_with("--data /var/lib/sidelight"), "{line}");
                // On a port of its own, and without TLS, so that nobody has to trust its certificate.
                let server = Server::start_on(&second.data, &["--plain-http"]);
                assert_eq!(signs_in(&server), 200);
                server.stop();
                continue;
            }
            let line = line.replace("--key /media/usb/sidelight.key", key).replace(FILE, &name);
            restored += 1;
            assert!(done(&second.run(&line), &line).contains("a login key was checked with it"), "{line}");
        }
        assert_eq!(restored, 1, "two commands bring the machine back");
    }
}
