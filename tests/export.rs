//! `sidelight user export FILE`: what it writes, and what it must never overwrite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{BINARY, Server};

#[test]
fn an_export_replaces_a_file_only_when_it_is_told_to() {
    let server = Server::lab();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("people.csv");
    let name = file.to_str().unwrap();
    let made = server.command(&["user", "export", name]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let people = std::fs::read_to_string(&file).unwrap();
    assert!(people.contains("GlanceAddress"), "{people}");
    std::fs::write(&file, "mine").unwrap();
    let refused = server.command(&["user", "export", name]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"), "{refused:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    let forced = server.command(&["user", "export", name, "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{forced:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), people);
    assert_eq!(out.path().read_dir().unwrap().count(), 1, "nothing temporary stays");
}

#[test]
fn an_export_that_is_refused_leaves_the_file_as_it_was() {
    let server = Server::lab();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("people.csv");
    std::fs::write(&file, "mine").unwrap();
    let refused = server.command(&["user", "export", file.to_str().unwrap(), "--force", "--group", "999"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    assert_eq!(out.path().read_dir().unwrap().count(), 1, "nothing temporary stays");
}

#[test]
fn an_export_never_writes_into_the_data_directory_by_whatever_name() {
    let server = Server::start(&["--lab"]);
    let (data, out) = (server.data().to_owned(), tempfile::tempdir().unwrap());
    let at = |name: &str| out.path().join(name);
    symlink(&data, at("folder")).unwrap();
    symlink(data.join("sidelight.key"), at("linked")).unwrap();
    symlink(data.join("new.csv"), at("dangling")).unwrap();
    let hard = data.parent().unwrap().join("hard");
    std::fs::hard_link(data.join("sidelight.db"), &hard).unwrap();
    let contents = || {
        let files = ["sidelight.key", "tls-key.pem", "tls-certificate.pem", "ready.json"];
        files.map(|name| std::fs::read(data.join(name)).unwrap())
    };
    let before = contents();
    let mut names = vec![at("folder/people.csv"), at("linked"), at("dangling"), hard.clone()];
    for own in
        ["sidelight.db", "sidelight.db-wal", "sidelight.key", "ready.json", "tls-key.pem", "people.csv"]
    {
        names.push(data.join(own));
    }
    names.push(data.join("../data/tls-certificate.pem"));
    for name in names {
        let refused = server.command(&["user", "export", name.to_str().unwrap(), "--force"]);
        assert_eq!(refused.status.code(), Some(2), "{name:?} {refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("in_data_directory"), "{refused:?}");
    }
    assert_eq!(contents(), before);
    assert!(!data.join("people.csv").exists() && !data.join("new.csv").exists());
    assert!(server.command(&["user", "list", "--group", "12345"]).status.success());
    std::fs::remove_file(hard).unwrap();
}

#[test]
fn an_export_to_standard_output_or_a_device_needs_no_force() {
    let server = Server::lab();
    for name in ["-", "/dev/stdout"] {
        let printed = server.command(&["user", "export", name]);
        assert_eq!(printed.status.code(), Some(0), "{name}: {printed:?}");
        assert!(String::from_utf8_lossy(&printed.stdout).contains("GlanceAddress"), "{name}: {printed:?}");
    }
    assert_eq!(server.command(&["user", "export", "/dev/null"]).status.code(), Some(0));
}

#[test]
fn an_export_whose_reader_has_gone_ends_without_a_word() {
    let server = Server::lab();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(BINARY);
    command.args(["user", "export", "-", "--data"]).arg(server.data()).stdout(writer);
    let ended = command.stderr(Stdio::piped()).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(141), String::new()));
}

#[test]
fn a_ready_file_never_takes_the_place_of_the_database_or_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(Server::start_on(&data, &["--lab"]));
    for own in ["sidelight.db", "sidelight.key", "tls-key.pem"] {
        let before = std::fs::read(data.join(own)).unwrap();
        let mut command = Command::new(BINARY);
        command.args(["serve", "--lab", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        let refused = command.arg("--ready-file").arg(data.join(own)).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{own}: {refused:?}");
        let after = std::fs::read(Path::new(&data).join(own)).unwrap();
        assert!(own == "sidelight.db" || after == before, "{own}");
    }
    drop(Server::start_on(&data, &["--lab"]));
}
