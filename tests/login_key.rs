//! `sidelight login-key`, as a person at a shell uses it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::File;
use std::process::{Command, Output};

use common::{BINARY, Server};

const VECTORS: [(&str, &str); 4] = [
    ("2020-07-05T00:00:00Z", "$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws"),
    ("2020-07-05T00:00:00Z", "$1$1593908590$XCD2ygOUWB892h1xVRy7X0DkUf0w-J8DwnZOWXWCAoY"),
    ("2020-07-05T00:00:00Z", "$1$1593908675$cwgx4A5akR6jkKMODEvNOzucjenBMQdP2aD-1wz0msc"),
    ("2020-08-16T12:00:00Z", "$1$1597595372$GR4bRX693m72g5Vttn5g2TyQsfy4Si6IvbESFs2PFLI"),
];
const WHO: [&str; 4] = ["--group", "12345", "--puid", "uniqueUserIdentifier"];

/// Runs without a data directory: the API key comes from the environment, and the command line says so.
fn alone(arguments: &[&str]) -> Output {
    let named = arguments.iter().any(|argument| argument.starts_with("--api-key-from"));
    let of_environment = ["--api-key-from", "env:SIDELIGHT_API_KEY"];
    Command::new(BINARY)
        .arg("login-key")
        .args(arguments)
        .args(if named { &[][..] } else { &of_environment })
        .env("SIDELIGHT_API_KEY", "mySecretApiKey")
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap()
}

fn check(key: &str, now: &str) -> (i32, String) {
    let out = alone(&[&["check", key, "--now", now], &WHO[..]].concat());
    (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
}

#[test]
fn the_published_login_keys_are_accepted_without_a_data_directory() {
    for (now, key) in VECTORS {
        let (status, said) = check(key, now);
        assert_eq!(status, 0, "{said}");
        assert!(said.contains("Accepted.") && !said.contains("FAIL"), "{said}");
    }
}

#[test]
fn a_refusal_names_its_rule_and_its_repair() {
    let (now, key) = VECTORS[0];
    for (key, now, words) in [
        (key, "2020-07-05T00:20:30Z", "Rejected (expired)"),
        (key, "2020-07-01T00:00:00Z", "Rejected (too_far_ahead)"),
        (&key[1..], now, "Rejected (previous_format)"),
        (&key.replace("Wf7", "Wf8"), now, "Rejected (bad_signature)"),
        (&format!("{key}="), now, "Cause: padding"),
    ] {
        let (status, said) = check(key, now);
        assert_eq!(status, 1, "{said}");
        assert!(said.contains(words) && said.contains("Repair: "), "{said}");
        assert_eq!(said.matches("FAIL").count(), 1, "{said}");
    }
}

#[test]
fn json_is_for_machines_and_wrong_usage_is_2() {
    let (now, key) = VECTORS[0];
    let upper = ["check", key, "--now", now, "--json", "--group", "12345", "--puid", "UNIQUEUSERIDENTIFIER"];
    let out = alone(&upper);
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(document["accepted"], false);
    assert_eq!(document["code"], "bad_signature");
    assert_eq!(document["checks"].as_array().unwrap().len(), 5);
    assert!(!String::from_utf8_lossy(&out.stdout).contains("mySecretApiKey"));
    for wrong in [&["check"][..], &["check", key], &["check", key, "--group", "x", "--puid", "y"]] {
        assert_eq!(alone(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_key_that_was_made_is_accepted_and_the_api_key_may_stand_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api-key");
    std::fs::write(&file, "another key\n").unwrap();
    let from = format!("file:{}", file.display());
    let from_file = ["--api-key-from", from.as_str()];
    let made = alone(&[&["new", "--ttl", "60"], &WHO[..], &from_file].concat());
    let key = String::from_utf8(made.stdout).unwrap();
    let accepted = alone(&[&["check", key.trim()], &WHO[..], &from_file].concat());
    assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
    let refused = alone(&[&["check", key.trim()], &WHO[..]].concat());
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(alone(&[&["new", "--ttl", "86401"], &WHO[..]].concat()).status.code(), Some(2));
}

#[test]
fn against_the_data_directory_group_and_user_are_checked_too() {
    let server = Server::lab();
    let (now, key) = VECTORS[0];
    let run = |key: &str, group: &str, puid: &str| {
        let out =
            server.command(&["login-key", "check", key, "--group", group, "--puid", puid, "--now", now]);
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    };
    let (status, said) = run(key, "12345", "uniqueUserIdentifier");
    assert_eq!(status, 0, "{said}");
    for (group, puid, words) in [
        ("999", "uniqueUserIdentifier", "Rejected (unknown_group)"),
        ("12345", "uniqueuseridentifier", "Cause: puid_case"),
    ] {
        let (status, said) = run(key, group, puid);
        assert!(status == 1 && said.contains(words), "{said}");
    }
    let made = server.command(&["login-key", "new", "--group", "12345", "--puid", "stranger", "--now", now]);
    let stranger = String::from_utf8(made.stdout).unwrap();
    let (status, said) = run(stranger.trim(), "12345", "stranger");
    assert!(status == 1 && said.contains("Rejected (unknown_puid)"), "{said}");
}

#[test]
fn a_dash_reads_the_key_from_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let (now, key) = VECTORS[0];
    for (content, status) in [(format!("{key}\n"), 0), (format!("{key}=\n"), 1), (String::new(), 2)] {
        std::fs::write(&file, content).unwrap();
        let output = Command::new(BINARY)
            .args(["login-key", "check", "-", "--now", now, "--api-key-from=env:SIDELIGHT_API_KEY"])
            .args(WHO)
            .env("SIDELIGHT_API_KEY", "mySecretApiKey")
            .stdin(File::open(&file).unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
    }
}

#[test]
fn the_output_says_where_the_api_key_came_from_and_nothing_is_taken_from_the_environment_unasked() {
    let (now, key) = VECTORS[0];
    let told = alone(&[&["check", key, "--now", now], &WHO[..]].concat());
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(said.contains("API key: from the environment variable SIDELIGHT_API_KEY."), "{said}");
    assert!(!said.contains("not used") && !said.contains("mySecretApiKey"), "{said}");
    let server = Server::lab();
    let mut unasked = Command::new(BINARY);
    unasked.args(["login-key", "check", key, "--now", now]).args(WHO).arg("--data").arg(server.data());
    let unasked = unasked.env("SIDELIGHT_API_KEY", "another key").output().unwrap();
    assert_eq!(unasked.status.code(), Some(0), "the group's own key counts: {unasked:?}");
    let warned = String::from_utf8_lossy(&unasked.stderr).into_owned();
    assert!(warned.contains("SIDELIGHT_API_KEY is set and not used"), "{warned}");
}

#[test]
fn what_was_not_checked_is_not_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let (now, key) = VECTORS[0];
    let checked = || {
        let mut command = Command::new(BINARY);
        command.args(["login-key", "check", key, "--now", now, "--json"]).args(WHO);
        let output = command.arg("--data").arg(directory.path()).output().unwrap();
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
        output.status.code()
    };
    assert_eq!(checked(), Some(2));
    std::fs::write(directory.path().join("sidelight.db"), "no database").unwrap();
    assert_eq!(checked(), Some(3));
}
