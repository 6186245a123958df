//! `sidelight backup` and `sidelight restore`: beside sign-ins, on another machine, killed at any moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Answer, BINARY, Server};

const AUTHORIZE: &str = "/services/AuthorizationService.svc/rest/Authorize";
const PUID: &str = "uniqueUserIdentifier";
/// For how long processes are killed; the variable lets it go on for hours.
const CRASH_SECONDS: &str = "SIDELIGHT_CRASH_SECONDS";

fn sidelight(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The code of an error that a command printed as JSON.
#[track_caller]
fn code(output: &Output) -> String {
    let error: serde_json::Value =
        serde_json::from_slice(&output.stderr).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    error["error"]["code"].as_str().unwrap().to_owned()
}

/// Takes a backup of the server's data directory; the file.
fn back_up(server: &Server, to: &Path) -> PathBuf {
    let said = done(&server.command(&["backup", "--json", "--to", to.to_str().unwrap()]));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["proof"], "login_key_checked");
    said["file"].as_str().unwrap().into()
}

fn login_key(server: &Server) -> String {
    done(&server.command(&["login-key", "new", "--group", "12345", "--puid", PUID])).trim().to_owned()
}

fn authorize(server: &Server, key: &str) -> Answer {
    let body = format!(r#"{{"partnerid":12345,"partneruserid":"{PUID}","loginkey":"{key}"}}"#);
    server.post_json(AUTHORIZE, &body)
}

#[test]
fn a_lost_machine_comes_back_on_another_one_and_ends_what_was_handed_out() {
    let server = Server::lab();
    let around = tempfile::tempdir().unwrap();
    let key = login_key(&server);
    assert_eq!(authorize(&server, &key).status, 200);
    let page =
        server.get(&format!("/agentjoin/AgentView.aspx?partnerid=12345&partneruserid={PUID}&loginkey={key}"));
    let cookie = page.cookie("GSSNID").unwrap();
    let session = format!("Bearer {}", cookie.replace('=', " "));
    let by_session =
        |server: &Server| server.send("POST", AUTHORIZE, &[("Authorization", &session)], b"").status;
    assert_eq!(by_session(&server), 200);
    let file = back_up(&server, &around.path().join("backups"));
    // What was taken away: nothing but the backup and the key file.
    let kept = around.path().join("kept.key");
    std::fs::copy(server.data().join("sidelight.key"), &kept).unwrap();
    server.stop();
    let data = around.path().join("machine/data");
    std::fs::create_dir(data.parent().unwrap()).unwrap();
    let said = done(&sidelight(&[
        "restore",
        file.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--key",
        kept.to_str().unwrap(),
    ]));
    assert!(said.contains("a login key was checked with it") && said.contains("Start the server"), "{said}");
    let server = Server::start_on(&data, &["--lab", "--plain-http"]);
    assert_eq!(by_session(&server), 401, "web sessions of before have ended");
    assert_eq!(authorize(&server, &login_key(&server)).status, 200);
    let undone = || done(&server.command(&["undone"]));
    assert!(undone().contains("All changes made after") && undone().contains("are lost"));
    done(&server.command(&["undone", "--read"]));
    assert!(undone().starts_with("Nothing"), "an operator has read it");
    let log = done(&server.command(&["backup", "--to", around.path().join("more").to_str().unwrap()]));
    assert!(
        log.contains("restored and checked") && log.contains("no user can sign in by login key"),
        "{log}"
    );
    // The name of the key is read off the copy.
    let digest = <sha2::Sha256 as sha2::Digest>::digest(std::fs::read(&kept).unwrap());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert!(!server.command(&["key", "kept", "0000-0000-0000-0000"]).status.success());
    done(&server.command(&["key", "kept", &name]));
    let log = done(&server.command(&["backup", "--to", around.path().join("last").to_str().unwrap()]));
    assert!(log.contains("a copy is kept elsewhere"), "{log}");
}

#[test]
fn sign_ins_go_on_while_a_backup_is_taken() {
    let server = Server::lab();
    let around = tempfile::tempdir().unwrap();
    let key = login_key(&server);
    let ended = AtomicBool::new(false);
    let signed_in = std::thread::scope(|scope| {
        let signing_in = scope.spawn(|| {
            let mut signed_in = 0;
            while !ended.load(Ordering::Relaxed) {
                assert_eq!(authorize(&server, &key).status, 200);
                signed_in += 1;
            }
            signed_in
        });
        for _ in 0..3 {
            let taken = server.command(&["backup", "--to", around.path().join("b").to_str().unwrap()]);
            done(&taken);
        }
        ended.store(true, Ordering::Relaxed);
        signing_in.join().unwrap()
    });
    assert!(signed_in > 0);
    let newest = around.path().join("b").read_dir().unwrap().next().unwrap().unwrap().path();
    done(&sidelight(&["restore", newest.to_str().unwrap(), "--check"]));
}

#[test]
fn a_server_with_a_plan_makes_a_backup_by_itself_and_commands_use_its_directory() {
    let around = tempfile::tempdir().unwrap();
    let place = around.path().join("planned");
    let server = Server::start(&[
        "--lab",
        "--plain-http",
        "--backup-dir",
        place.to_str().unwrap(),
        "--backup-keep",
        "1",
    ]);
    let said = format!("{}{}", server.greeting, server.said_until("restored and checked, with a login key"));
    let made = || -> Vec<PathBuf> { place.read_dir().unwrap().map(|file| file.unwrap().path()).collect() };
    let planned = made();
    assert_eq!(planned.len(), 1, "{said}");
    assert!(said.contains(planned[0].file_name().unwrap().to_str().unwrap()), "{said}");
    done(&sidelight(&["restore", planned[0].to_str().unwrap(), "--check"]));
    // One by hand lies beside it; within the same second it would have the same name.
    let by_hand = || server.command(&["backup"]);
    let taken = std::iter::repeat_with(by_hand).take(100).find(|taken| taken.status.success()).unwrap();
    assert!(done(&taken).contains(place.to_str().unwrap()), "{taken:?}");
    assert_eq!(made().len(), 2);
}

#[test]
fn nothing_is_restored_over_a_running_server_or_over_data() {
    let server = Server::lab();
    let around = tempfile::tempdir().unwrap();
    let file = back_up(&server, &around.path().join("b"));
    let restore = |data: &Path| {
        sidelight(&["restore", file.to_str().unwrap(), "--json", "--data", data.to_str().unwrap()])
    };
    assert_eq!(code(&restore(server.data())), "data_directory");
    let data = server.data().to_owned();
    let kept = around.path().join("kept");
    std::fs::rename(data.parent().unwrap(), &kept).unwrap();
    server.stop();
    assert_eq!(code(&restore(&kept.join("data"))), "restore_over_data");
}

#[test]
fn a_backup_that_was_damaged_is_refused_and_leaves_nothing() {
    let server = Server::lab();
    let around = tempfile::tempdir().unwrap();
    let file = back_up(&server, &around.path().join("b"));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let data = around.path().join("new");
    let refused = sidelight(&["restore", file.to_str().unwrap(), "--json", "--data", data.to_str().unwrap()]);
    assert_eq!((code(&refused).as_str(), refused.status.code()), ("backup_damaged", Some(2)));
    let left: Vec<_> = data.read_dir().unwrap().map(|found| found.unwrap().file_name()).collect();
    assert_eq!(left, ["sidelight.lock"]);
}

#[test]
fn no_server_starts_on_an_unfinished_restore() {
    let around = tempfile::tempdir().unwrap();
    let data = around.path().join("data");
    std::fs::create_dir_all(data.join(".restoring")).unwrap();
    let started = sidelight(&["serve", "--lab", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert_eq!(started.status.code(), Some(1), "{started:?}");
    assert!(String::from_utf8_lossy(&started.stderr).contains("sidelight restore"), "{started:?}");
    assert!(!data.join("sidelight.db").exists());
}

/// Runs a command and kills it after `patience`; whether it ended before that.
fn killed(arguments: &[&str], patience: Duration) -> bool {
    let mut child =
        Command::new(BINARY).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(patience);
    let ended = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    child.wait().unwrap();
    ended
}

#[test]
fn a_backup_or_a_restore_that_is_killed_leaves_all_or_nothing() {
    let seconds: u64 = std::env::var(CRASH_SECONDS).ok().and_then(|s| s.parse().ok()).unwrap_or(4);
    let server = Server::lab();
    let around = tempfile::tempdir().unwrap();
    let (place, data) = (around.path().join("b"), around.path().join("new"));
    let (place_name, data_name) = (place.to_str().unwrap(), data.to_str().unwrap());
    let source = server.data().to_str().unwrap();
    let kept = server.data().join("sidelight.key");
    let file = back_up(&server, &around.path().join("first"));
    let whole = || -> Vec<PathBuf> {
        let files = place.read_dir().into_iter().flatten().map(|found| found.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "tar")).collect()
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut patience = Duration::from_millis(1);
    while Instant::now() < until {
        killed(&["backup", "--data", source, "--to", place_name], patience);
        for backup in whole() {
            done(&sidelight(&["restore", backup.to_str().unwrap(), "--check"]));
            std::fs::remove_file(backup).unwrap();
        }
        let restore =
            ["restore", file.to_str().unwrap(), "--data", data_name, "--key", kept.to_str().unwrap()];
        killed(&restore, patience);
        if data.join(".restoring").exists() {
            // Unfinished: the same command does it anew.
            done(&sidelight(&restore));
        }
        if data.join("sidelight.db").exists() {
            done(&sidelight(&["group", "list", "--data", data_name]));
            std::fs::remove_dir_all(&data).unwrap();
        }
        patience =
            if patience > Duration::from_millis(400) { Duration::from_millis(1) } else { patience * 5 / 4 };
    }
    // What the killed ones left behind is taken away by the next backup.
    let last = back_up(&server, &place);
    let left: Vec<_> = place.read_dir().unwrap().map(|found| found.unwrap().path()).collect();
    assert_eq!(left, [last.canonicalize().unwrap()]);
}

/// The version of the schema, and the column of `appliance` that its last step adds.
const SCHEMA: i32 = 19;
const LAST_COLUMN: &str = "epoch";

/// Makes the data directory one of the schema before this program's: without what the last step added.
fn older(data: &Path) {
    let database = rusqlite::Connection::open(data.join("sidelight.db")).unwrap();
    database
        .execute_batch(&format!(
            "ALTER TABLE appliance DROP COLUMN {LAST_COLUMN}; PRAGMA user_version = {};
             PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL",
            SCHEMA - 1
        ))
        .unwrap();
}

fn schema_of(data: &Path) -> i32 {
    let database = rusqlite::Connection::open(data.join("sidelight.db")).unwrap();
    database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// A data directory of the lab with the schema before this program's.
fn older_lab(around: &Path) -> PathBuf {
    let data = around.join("data");
    Server::start_on(&data, &["--lab", "--plain-http"]).stop();
    older(&data);
    data
}

fn backups_in(data: &Path) -> Vec<PathBuf> {
    data.join("backups").read_dir().into_iter().flatten().map(|found| found.unwrap().path()).collect()
}

#[test]
fn before_an_upgrade_a_backup_is_made_that_the_older_program_names_when_it_refuses() {
    let around = tempfile::tempdir().unwrap();
    let data = older_lab(around.path());
    let server = Server::start_on(&data, &["--lab", "--plain-http"]);
    assert!(server.greeting.contains("A backup from before the upgrade"), "{}", server.greeting);
    server.stop();
    let backups = backups_in(&data);
    assert_eq!(backups.len(), 1);
    let name = backups[0].to_str().unwrap();
    assert!(name.contains(&format!(".before-upgrade-of-schema-{}.", SCHEMA - 1)), "{name}");
    done(&sidelight(&["restore", name, "--check", "--key", data.join("sidelight.key").to_str().unwrap()]));
    // For this program a later version is what this version is for the one before it.
    let database = rusqlite::Connection::open(data.join("sidelight.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let refused = sidelight(&["serve", "--lab", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("newer_schema") && said.contains("sidelight restore") && said.contains(name),
        "{said}"
    );
}

#[test]
fn an_upgrade_that_fails_leaves_the_database_as_it_was() {
    let around = tempfile::tempdir().unwrap();
    let data = older_lab(around.path());
    let database = rusqlite::Connection::open(data.join("sidelight.db")).unwrap();
    // The step adds this column.
    database
        .execute_batch(&format!(
            "ALTER TABLE appliance ADD COLUMN {LAST_COLUMN} TEXT; PRAGMA journal_mode = DELETE"
        ))
        .unwrap();
    drop(database);
    let before = std::fs::read(data.join("sidelight.db")).unwrap();
    let serve = ["serve", "--lab", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let refused = sidelight(&serve);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stays as it was"), "{refused:?}");
    assert_eq!(std::fs::read(data.join("sidelight.db")).unwrap(), before);
    assert!(backups_in(&data).is_empty(), "a backup whose upgrade fails does not count");
}

#[test]
fn an_upgrade_that_is_killed_leaves_the_old_or_the_new() {
    let seconds: u64 = std::env::var(CRASH_SECONDS).ok().and_then(|s| s.parse().ok()).unwrap_or(4);
    let around = tempfile::tempdir().unwrap();
    let data = older_lab(around.path());
    let name = data.to_str().unwrap();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut patience = Duration::from_millis(2);
    while Instant::now() < until {
        killed(&["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0", "--data", name], patience);
        done(&sidelight(&["group", "list", "--data", name]));
        assert_eq!(schema_of(&data), SCHEMA);
        let whole = |path: &PathBuf| path.extension().is_some_and(|end| end == "tar");
        for backup in backups_in(&data).into_iter().filter(whole) {
            done(&sidelight(&["restore", backup.to_str().unwrap(), "--check"]));
            std::fs::remove_file(backup).unwrap();
        }
        older(&data);
        patience =
            if patience > Duration::from_millis(400) { Duration::from_millis(2) } else { patience * 5 / 4 };
    }
}

#[test]
fn paths_of_the_running_server_count_from_its_own_working_directory() {
    let around = tempfile::tempdir().unwrap();
    let data = around.path().join("data");
    // The harness starts servers in the directory for temporary files.
    let place = tempfile::tempdir_in(std::env::temp_dir()).unwrap();
    let relative = place.path().file_name().unwrap().to_str().unwrap();
    let server = Server::start_on(
        &data,
        &["--lab", "--plain-http", "--backup-dir", relative, "--backup-time", "23:59"],
    );
    let elsewhere = around.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    // The plan makes its own first, as none was made since yesterday.
    server.said_until("Backup ");
    let taken = Command::new(BINARY)
        .args(["backup", "--json", "--data", data.to_str().unwrap()])
        .current_dir(&elsewhere)
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_str(&done(&taken)).unwrap();
    let file = PathBuf::from(said["file"].as_str().unwrap());
    assert_eq!(file.parent().unwrap(), place.path().canonicalize().unwrap());
    drop(server);
}
