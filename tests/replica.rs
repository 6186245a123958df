//! `sidelight promote` and `serve --replica`: one server of an appliance serves, the one that was promoted last.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{BINARY, Server};

fn sidelight(arguments: &[&str], data: &Path) -> Output {
    let data = data.to_str().unwrap();
    Command::new(BINARY).args(arguments).args(["--data", data]).stdin(Stdio::null()).output().unwrap()
}

/// A lab's data directory with its replica, and what a program like Litestream restores from it: the database alone.
fn replicated(around: &Path) -> (std::path::PathBuf, std::path::PathBuf, std::path::PathBuf) {
    let (old, new, replica) = (around.join("old"), around.join("new"), around.join("replica"));
    std::fs::create_dir(&replica).unwrap();
    std::fs::create_dir(&new).unwrap();
    Server::start_on(&old, &["--lab", "--plain-http", "--replica", replica.to_str().unwrap()]).stop();
    // As it is while a server has it open: not closed, and the log of its own lost.
    let database = rusqlite::Connection::open(old.join("sidelight.db")).unwrap();
    database
        .execute_batch(
            "VACUUM INTO 'copy.db'".replace("copy.db", new.join("sidelight.db").to_str().unwrap()).as_str(),
        )
        .unwrap();
    let copy = rusqlite::Connection::open(new.join("sidelight.db")).unwrap();
    copy.execute_batch("UPDATE appliance SET closed_cleanly = 0, log_salt = 77").unwrap();
    (old, new, replica)
}

#[test]
fn a_promoted_replica_serves_and_the_lost_server_does_not_unless_it_is_told_that_it_is_alone() {
    let around = tempfile::tempdir().unwrap();
    let (old, new, replica) = replicated(around.path());
    let replica = replica.to_str().unwrap();
    assert_eq!(std::fs::read_to_string(Path::new(replica).join("sidelight-epoch")).unwrap(), "0\n");
    let without_key = sidelight(&["promote", "--replica", replica, "--json"], &new);
    assert!(String::from_utf8_lossy(&without_key.stderr).contains("key_file_missing"), "{without_key:?}");
    std::fs::copy(old.join("sidelight.key"), new.join("sidelight.key")).unwrap();
    let promoted = sidelight(&["promote", "--replica", replica], &new);
    let said = String::from_utf8_lossy(&promoted.stdout);
    assert!(
        promoted.status.success() && said.contains("epoch 1") && said.contains("have ended"),
        "{promoted:?}"
    );
    assert_eq!(std::fs::read_to_string(Path::new(replica).join("sidelight-epoch")).unwrap(), "1\n");

    let flags = ["--lab", "--plain-http", "--replica", replica];
    let serve = [&["serve", "--listen", "127.0.0.1:0"], &flags[..]].concat();
    let refused = sidelight(&serve, &old);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("replaced_by_another"), "{refused:?}");
    Server::start_on(&old, &[&flags[..], &["--alone"]].concat()).stop();
    Server::start_on(&new, &flags).stop();
    std::fs::rename(replica, around.path().join("away")).unwrap();
    let unread = sidelight(&serve, &new);
    assert!(String::from_utf8_lossy(&unread.stderr).contains("replica_unread"), "{unread:?}");
}

#[test]
fn a_second_promotion_rises_above_the_first() {
    let around = tempfile::tempdir().unwrap();
    let (old, new, replica) = replicated(around.path());
    std::fs::copy(old.join("sidelight.key"), new.join("sidelight.key")).unwrap();
    std::fs::write(replica.join("sidelight-epoch"), "4\n").unwrap();
    let promote = ["promote", "--replica", replica.to_str().unwrap(), "--json"];
    for epoch in [5, 6] {
        let promoted = sidelight(&promote, &new);
        let said: serde_json::Value = serde_json::from_slice(&promoted.stdout).unwrap();
        assert_eq!(said["epoch"], epoch, "{promoted:?}");
    }
}
