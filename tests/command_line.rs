//! The command line as people and scripts meet it: help, mistakes, JSON, secrets, questions at a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use common::{BINARY, Server};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY)
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a command at a terminal at which `typed` is typed. What it says there is the output's standard error.
fn at_a_terminal(server: &Server, arguments: &[&str], typed: &str) -> Output {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let open = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut keyboard = File::from(terminal);
    keyboard.write_all(typed.as_bytes()).unwrap();
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--data").arg(server.data()).stdin(open()).stderr(open());
    let mut output = command.output().unwrap();
    drop(command);
    // The terminal is read until nobody holds its other end, which is an error there.
    let _ = keyboard.read_to_end(&mut output.stderr);
    output
}

#[test]
fn help_is_found_by_every_name_and_has_no_colours_in_a_pipe() {
    let pages: Vec<String> =
        [&["user", "create", "--help"][..], &["user", "create", "-h"], &["help", "user", "create"]]
            .map(|words| {
                let output = run(words);
                assert_eq!(output.status.code(), Some(0), "{output:?}");
                stdout(&output)
            })
            .into();
    assert!(pages.iter().all(|page| *page == pages[0] && !page.contains('\x1b')));
    assert!(
        pages[0].starts_with("Create a user\n\nUsage\n  sidelight user create --group <group>"),
        "{}",
        pages[0]
    );
}

#[test]
fn a_mistyped_command_line_says_what_was_meant() {
    for (words, said) in [
        (&["serv"][..], "Did you mean sidelight serve?"),
        (&["group", "create", "1", "--nam", "x"], "Did you mean --name?"),
        (&["group", "create", "x", "--name", "x"], "See sidelight group create --help."),
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(said) && output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn the_data_directory_is_named_before_or_after_the_command() {
    let server = Server::lab();
    let data = server.data().to_str().unwrap();
    let attached = format!("--data={data}");
    for words in [
        &["--data", data, "group", "list"][..],
        &[&attached, "group", "list"],
        &["group", "--data", data, "list"],
        &["group", "list", &attached],
    ] {
        let output = run(words);
        assert!(output.status.success() && stdout(&output).contains("12345"), "{words:?}: {output:?}");
    }
}

#[test]
fn answers_and_errors_are_json_where_a_program_asks() {
    let server = Server::lab();
    let ask = |words: &[&str]| -> Value {
        let output = server.command(&[words, &["--json"]].concat());
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}: {output:?}"))
    };
    assert!(ask(&["version"])["sqlite"].is_string());
    assert_eq!(ask(&["config"])["settings"]["data"]["origin"], "flag");
    assert_eq!(ask(&["group", "create", "7", "--name", "Seven"])["id"], 7);
    assert_eq!(ask(&["group", "update", "7", "--name", "Sieben"])["name"], "Sieben");
    assert_eq!(ask(&["group", "passwords", "7", "--rule", "eight"])["rule"], "eight");
    assert_eq!(ask(&["role", "create", "Sales", "--group", "7"])["name"], "Sales");
    assert_eq!(ask(&["role", "update", "Sales", "--group", "7", "--rename", "Shop"])["name"], "Shop");
    let ann = ["--group", "7", "--address", "ann.seven"];
    assert_eq!(ask(&[&["user", "create", "--puid", "E1"], &ann[..]].concat())["partnerUserId"], "E1");
    assert_eq!(ask(&[&["user", "update", "--first", "Ann"], &ann[..]].concat())["firstName"], "Ann");
    assert_eq!(ask(&[&["user", "suspend"], &ann[..]].concat())["suspended"], true);
    let key = ask(&["api-key", "change", "--group", "7"]);
    assert_eq!((key["apiKey"].as_str().unwrap().len(), key["from"].as_str()), (20, Some("random")));
    assert_eq!(ask(&["api-key", "show", "--group", "7"])["apiKey"], key["apiKey"]);
    assert!(ask(&["login-key", "new", "--group", "7", "--puid", "E1"])["loginKey"].is_string());
    assert_eq!(ask(&["scim-token", "make", "Okta", "--group", "7"])["label"], "Okta");
    assert_eq!(ask(&["sso", "set", "identity_attribute=mail", "--group", "7"])[0]["after"], "mail");
    assert_eq!(ask(&["user", "delete", "--group", "7", "--puid", "E1"])["deleted"], true);
    for (words, status, code) in [
        (&["user", "show", "--group", "7", "--puid", "nobody"][..], 1, "user_unknown"),
        (&["group", "create", "7", "--name", "Seven"], 1, "group_exists"),
        (&["user", "create"], 2, "usage"),
        (&["explain", "nothing.xml"], 2, "usage"),
    ] {
        let output = server.command(&[words, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(status), "{words:?}: {output:?}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["code"], code, "{words:?}: {error}");
        assert!(error["error"]["message"].is_string() && output.stdout.is_empty(), "{error}");
    }
}

#[test]
fn a_role_that_does_not_exist_is_refused_by_name() {
    let server = Server::lab();
    let listed = server.command(&["user", "list", "--group", "12345", "--role", "Nope"]);
    assert_eq!(listed.status.code(), Some(1), "{listed:?}");
    assert!(stderr(&listed).contains("Group 12345 has no role \"Nope\"."), "{listed:?}");
    let near = server.command(&["user", "list", "--group", "12345", "--role", "Agnet"]);
    assert!(stderr(&near).contains("Did you mean \"Agent\"?"), "{near:?}");
    let none = server.command(&["user", "list", "--group", "12345", "--role", "-none-"]);
    assert_eq!(none.status.code(), Some(0), "{none:?}");
}

#[test]
fn explain_names_all_that_is_missing_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("response.xml");
    std::fs::write(&file, "<x/>").unwrap();
    let output = run(&["explain", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        ["--audience", "--acs", "--metadata", "--issuer"].iter().all(|name| said.contains(name)),
        "{said}"
    );
}

#[test]
fn a_published_key_in_the_environment_is_never_put_in_force() {
    let server = Server::lab();
    let change = |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["api-key", "change", "--group", "12345", "--data"]).arg(server.data()).args(more);
        command.stdin(Stdio::null()).env("SIDELIGHT_API_KEY", "mySecretApiKey").output().unwrap()
    };
    let random = change(&[]);
    assert!(random.status.success() && stdout(&random).trim().len() == 20, "{random:?}");
    assert!(stderr(&random).contains("SIDELIGHT_API_KEY is set and not used"), "{random:?}");
    let named = change(&["--api-key-from", "env:SIDELIGHT_API_KEY"]);
    assert_eq!(stdout(&named).trim(), "mySecretApiKey");
    assert!(
        stderr(&named).contains("API key: from the environment variable SIDELIGHT_API_KEY."),
        "{named:?}"
    );
    assert!(!stderr(&named).contains("not used"), "{named:?}");
}

#[test]
fn a_user_gets_no_password_from_the_environment_unasked() {
    let server = Server::lab();
    let mut command = Command::new(BINARY);
    command.args(["user", "create", "--group", "12345", "--address", "ann.demo", "--puid", "E1", "--data"]);
    let made = command.arg(server.data()).env("SIDELIGHT_PASSWORD", "correct horse").output().unwrap();
    assert!(
        made.status.success() && stderr(&made).contains("SIDELIGHT_PASSWORD is set and not used"),
        "{made:?}"
    );
    let shown = server.command(&["user", "show", "--group", "12345", "--puid", "E1"]);
    assert!(stdout(&shown).contains("\"hasPassword\": false"), "{shown:?}");
}

#[test]
fn a_secret_that_was_typed_in_place_of_its_source_is_not_repeated() {
    let refused =
        run(&["login-key", "new", "--group", "1", "--puid", "p", "--api-key-from", "hunter2hunter2"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("env:NAME") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_variable_that_means_nothing_is_named_with_the_one_that_was_meant() {
    let mut command = Command::new(BINARY);
    let output =
        command.arg("config").env("SIDELIGHT_LISTN", "x").current_dir(std::env::temp_dir()).output().unwrap();
    assert!(
        stderr(&output).contains("SIDELIGHT_LISTN means nothing here. Did you mean SIDELIGHT_LISTEN?"),
        "{output:?}"
    );
}

#[test]
fn what_ends_something_for_others_asks_at_a_terminal_and_only_there() {
    let server = Server::lab();
    let key = || stdout(&server.command(&["api-key", "show", "--group", "12345"]));
    let before = key();
    let made = server.command(&["login-key", "new", "--group", "12345", "--puid", "uniqueUserIdentifier"]);
    let sign_in = serde_json::json!({
        "partnerid": 12345, "partneruserid": "uniqueUserIdentifier", "loginkey": stdout(&made).trim(),
    });
    let authorize = "/services/AuthorizationService.svc/rest/Authorize";
    assert_eq!(server.post_json(authorize, &sign_in.to_string()).status, 200);
    for typed in ["n\n", "\n"] {
        let kept = at_a_terminal(&server, &["api-key", "change", "--group", "12345"], typed);
        assert_eq!(kept.status.code(), Some(1), "{kept:?}");
        let said = stderr(&kept);
        assert!(said.contains("This replaces the API key of group 12345"), "{said}");
        assert!(said.contains("Users who signed in by login key in the last day: 1."), "{said}");
        assert!(stderr(&kept).contains("Nothing was changed") && key() == before, "{kept:?}");
    }
    let changed = at_a_terminal(&server, &["api-key", "change", "--group", "12345"], "y\n");
    assert!(changed.status.success() && key() != before, "{changed:?}");
    let answered = at_a_terminal(&server, &["api-key", "change", "--group", "12345", "--yes"], "");
    assert!(answered.status.success() && !stderr(&answered).contains("Go on?"), "{answered:?}");
    let delete = ["user", "delete", "--group", "12345", "--puid", "uniqueUserIdentifier"];
    let kept = at_a_terminal(&server, &delete, "n\n");
    assert_eq!(kept.status.code(), Some(1), "{kept:?}");
    assert!(server.command(&delete).status.success(), "a script goes on");
    assert!(!server.command(&delete).status.success());
}

#[test]
fn completions_and_the_manual_are_made_from_the_table_of_commands() {
    for shell in ["bash", "zsh", "fish", "nushell"] {
        let script = run(&["completions", shell]);
        assert!(script.status.success(), "{script:?}");
        let script = stdout(&script);
        assert!(
            ["login-key", "add-to-group", "json"].iter().all(|word| script.contains(word)),
            "{shell}: {script}"
        );
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(2));
    let manual = stdout(&run(&["man"]));
    assert!(
        manual.starts_with(".TH SIDELIGHT 1") && manual.contains(".SS sidelight user create"),
        "{manual}"
    );
    assert!(manual.contains("SIDELIGHT_LISTEN") && !manual.contains("{command_name}"), "{manual}");
}

#[test]
fn bash_completes_commands_options_and_files() {
    let script = stdout(&run(&["completions", "bash"]));
    let complete = |line: &str| {
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        let ask = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _sidelight; echo \"${{COMPREPLY[*]}}\"",
            words.join(" "),
            words.len() - 1
        );
        let mut bash =
            Command::new("bash").args(["--norc", "-c", &ask]).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        bash.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        bash.wait().unwrap();
        said.trim().to_owned()
    };
    assert_eq!(complete("sidelight us"), "user");
    assert_eq!(complete("sidelight user cr"), "create");
    assert_eq!(complete("sidelight user list --st"), "--state");
    assert_eq!(complete("sidelight user list --h"), "--help");
    assert_eq!(complete("sidelight --json role list --gr"), "--group");
    assert_eq!(complete("sidelight user create --puid "), "");
}

#[test]
fn the_faults_of_the_lab_are_listed_and_each_explains_itself() {
    let listed = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
            .args(["lab", "recipes"])
            .args(words)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, all) = listed(&["--json"]);
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
    assert!(status == Some(0) && all.len() > 150, "{}", all.len());
    let (_, text) = listed(&[]);
    for fault in &all {
        assert!(text.contains(&format!("  {} ", fault["name"].as_str().unwrap())), "{fault}");
    }
    let (status, one) = listed(&["xsw3"]);
    assert_eq!(status, Some(0));
    for said in ["A forged assertion stands before the signed one.", "several_assertions", "CVE-2026-47201"] {
        assert!(one.contains(said), "{said}: {one}");
    }
    assert_eq!(listed(&["xsw9"]).0, Some(1));
}
