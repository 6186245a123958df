//! `sidelight doctor` on the real thing: beside a server, without one, and where something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{BINARY, Server};
use serde_json::Value;

fn doctor(data: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["doctor", "--data"]).arg(data).args(more).current_dir(std::env::temp_dir());
    command.output().unwrap()
}

/// The finding of this name, and the exit status.
fn finding(data: &Path, name: &str) -> (Option<i32>, Value) {
    let output = doctor(data, &["--json"]);
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let findings = document["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["name"] == name);
    let to_do = findings.iter().filter(|f| f["condition"] == "attention" || f["condition"] == "bad").count();
    assert_eq!(document["to_do"], to_do, "{document}");
    assert_eq!(output.status.code(), Some(i32::from(to_do > 0)), "{document}");
    (output.status.code(), found.unwrap_or_else(|| panic!("no {name}: {document}")).clone())
}

#[test]
fn beside_a_server_it_reads_the_settings_of_that_server_and_without_one_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let flags = ["--plain-http", "--public-url", "https://sso.example.com"];
    let server = Server::start_on(&data, &flags);
    assert_eq!(finding(&data, "server").1["condition"], "good");
    let (_, url) = finding(&data, "public_url");
    assert_eq!((&url["condition"], &url["says"]), (&"good".into(), &"It is https://sso.example.com.".into()));
    let (status, settings) = finding(&data, "settings");
    assert!(settings["says"].as_str().unwrap().contains("trusted_proxies is empty"), "{settings}");
    assert_eq!((status, &settings["condition"]), (Some(1), &"attention".into()));
    // Nothing was backed up yet; one that was proven counts.
    assert_eq!(finding(&data, "backup").1["condition"], "bad");
    let place = tempfile::tempdir().unwrap();
    let made = server.command(&["backup", "--to", place.path().to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(finding(&data, "backup").1["condition"], "good");
    assert_eq!(finding(&data, "key_file").1["condition"], "attention");
    assert_eq!(server.stop().0, Some(0));
    let (status, stopped) = finding(&data, "server");
    assert_eq!((status, &stopped["condition"]), (Some(1), &"attention".into()));
    let text = String::from_utf8(doctor(&data, &[]).stdout).unwrap();
    assert!(text.contains("No server runs on this data directory"), "{text}");
    assert!(text.contains("To do: Start it with sidelight serve"), "{text}");
    assert!(text.trim_end().ends_with("checks need action."), "{text}");
}

#[test]
fn a_write_ahead_log_that_another_program_deleted_is_told() {
    let server = Server::lab();
    std::fs::remove_file(server.data().join("sidelight.db-wal")).unwrap();
    // The server goes on. Whoever opens the database beside it is refused, and the doctor says why.
    assert_eq!(server.get("/livez").status, 200);
    let (status, database) = finding(server.data(), "database");
    assert_eq!((status, &database["condition"]), (Some(1), &"bad".into()));
    assert!(database["says"].as_str().unwrap().contains("not_closed_cleanly"), "{database}");
    assert!(database["repair"].as_str().unwrap().contains("What a start refuses"), "{database}");
}

#[test]
fn nothing_is_made_where_there_is_no_appliance() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("none");
    let (status, database) = finding(&data, "database");
    assert_eq!((status, &database["condition"]), (Some(1), &"bad".into()));
    assert!(!data.exists());
}
