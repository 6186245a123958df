//! The binary as an operator starts and stops it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{Answer, BINARY, Server};

#[test]
fn a_lab_starts_with_one_command_and_stops_in_order() {
    let server = Server::lab();
    let ready = std::fs::read_to_string(server.data().join("ready.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(ready["pid"], server.pid());
    assert_eq!(ready["mode"], "lab");
    assert_eq!(server.get("/health").json()["status"], "ok");
    let said = |path: &str| (server.get(path).status, server.get(path).body);
    assert_eq!(said("/livez"), (200, "alive\n".to_owned()));
    assert_eq!(said("/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(
        said("/readyz?verbose"),
        (200, "[+] database ok\n[+] writes ok\n[+] disk ok\nready\n".to_owned())
    );
    let healthy = server.command(&["health", "--wait", "5"]);
    assert!(healthy.status.success(), "{healthy:?}");
    let data = server.data().to_owned();
    let (status, words) = server.stop();
    assert_eq!(status, Some(0), "{words}");
    assert!(!data.join("ready.json").exists());
}

#[test]
fn health_trusts_the_servers_own_certificate() {
    let server = Server::start(&["--lab"]);
    assert!(server.url.starts_with("https://"));
    let healthy = server.command(&["health"]);
    assert!(healthy.status.success(), "{healthy:?}");
}

#[test]
fn health_of_no_server_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(BINARY).args(["health", "--data"]).arg(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let server = Server::lab();
    let second = server.command(&["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another server"), "{second:?}");
}

#[test]
fn a_lab_does_not_open_production_data_nor_production_a_labs() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(Server::start_on(&data, &["--plain-http"]));
    let lab = Command::new(BINARY)
        .args(["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert_eq!(lab.status.code(), Some(1), "{lab:?}");
}

#[test]
fn without_its_key_file_nothing_opens_the_data_and_no_key_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(Server::start_on(&data, &["--lab", "--plain-http"]));
    let key = data.join("sidelight.key");
    let own = std::fs::read(&key).unwrap();
    let serve = ["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0"];
    let refused = |code: &str| {
        for arguments in [&serve[..], &["group", "list"]] {
            let output = Command::new(BINARY).args(arguments).arg("--data").arg(&data).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(code) && said.contains("Restore"), "{said}");
        }
    };
    std::fs::remove_file(&key).unwrap();
    refused("key_file_missing");
    assert!(!key.exists());
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    refused("key_file_of_another");
    std::fs::write(&key, own).unwrap();
    drop(Server::start_on(&data, &["--lab", "--plain-http"]));
}

#[test]
fn after_a_stop_and_after_a_command_the_file_alone_is_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let log = data.join("sidelight.db-wal");
    let server = Server::start_on(&data, &["--lab", "--plain-http"]);
    assert!(log.exists());
    let (status, words) = server.stop();
    assert!(status == Some(0) && words.contains("Stopped.\n"), "{words}");
    assert!(!log.exists());
    let listed = Command::new(BINARY).args(["group", "list", "--data"]).arg(&data).output().unwrap();
    assert!(
        listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains("12345"),
        "{listed:?}"
    );
    assert!(!log.exists());
}

#[test]
fn a_hang_up_ends_no_server() {
    let server = Server::lab();
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    assert_eq!(server.get("/health").status, 200);
    let (status, words) = server.stop();
    assert!(status == Some(0) && words.contains("SIGHUP changes nothing"), "{words}");
}

#[test]
fn a_killed_server_starts_again_and_without_its_log_only_when_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let lab = ["--lab", "--plain-http"];
    drop(Server::start_on(&data, &lab));
    drop(Server::start_on(&data, &lab));
    std::fs::remove_file(data.join("sidelight.db-wal")).unwrap();
    for arguments in [&["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0"][..], &["group", "list"]]
    {
        let refused = Command::new(BINARY).args(arguments).arg("--data").arg(&data).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("not_closed_cleanly") && said.contains("--accept-lost-log"), "{said}");
    }
    drop(Server::start_on(&data, &["--lab", "--plain-http", "--accept-lost-log"]));
    drop(Server::start_on(&data, &lab));
}

#[test]
fn every_command_finds_the_data_where_the_server_would() {
    let server = Server::lab();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("sidelight.toml");
    let run = |arguments: &[&str], environment: &[(&str, &std::path::Path)]| {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(elsewhere.path()).envs(environment.iter().copied());
        command.output().unwrap().status.code()
    };
    let commands =
        [&["health"][..], &["group", "list"], &["operator", "list"], &["user", "list", "--group", "12345"]];
    for command in commands {
        assert_eq!(run(command, &[]), Some(1), "{command:?}");
        assert_eq!(run(command, &[("SIDELIGHT_DATA", server.data())]), Some(0), "{command:?}");
    }
    std::fs::write(&file, format!("data = {:?}", server.data())).unwrap();
    for command in commands {
        assert_eq!(run(command, &[]), Some(0), "{command:?}");
        assert_eq!(run(&[command, &["--data", "nowhere"]].concat(), &[]), Some(1), "{command:?}");
        let unreadable = [("SIDELIGHT_CONFIG", std::path::Path::new("nowhere.toml"))];
        assert_eq!(run(command, &unreadable), Some(2), "{command:?}");
    }
}

#[test]
fn production_prints_a_claim_link_and_has_no_lab() {
    let server = Server::start(&["--plain-http"]);
    assert_eq!(server.get("/lab/clock").status, 404);
}

#[test]
fn the_labs_clock_is_set_read_and_restored() {
    let server = Server::lab();
    server.set_clock("2020-07-05T00:00:00Z");
    let told = server.get("/lab/clock").json();
    assert!(told["now"].as_str().unwrap().starts_with("2020-07-05T00:0"), "{told}");
    let offset = server.send("PUT", "/lab/clock", &[], br#"{"offset_seconds":-60}"#);
    assert_eq!(offset.json()["offset_seconds"], -60);
    assert_eq!(server.send("DELETE", "/lab/clock", &[], b"").json()["offset_seconds"], 0);
    for wrong in ["", "{}", "{\"now\":\"soon\"}", "{\"now\":\"2020-07-05T00:00:00Z\",\"offset_seconds\":1}"] {
        let answer = server.send("PUT", "/lab/clock", &[], wrong.as_bytes());
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (400, Some("bad_clock")));
    }
    for far in ["99999999999999", "-9223372036854775808", "3162240001"] {
        let body = format!("{{\"offset_seconds\":{far}}}");
        let answer = server.send("PUT", "/lab/clock", &[], body.as_bytes());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("The clock can be set at most a hundred years from now."), "{message}");
    }
}

#[test]
fn the_labs_banner_stands_on_error_pages_too() {
    let server = Server::lab();
    let html = [("Accept", "text/html,application/xhtml+xml")];
    for (method, path, status) in [
        ("GET", "/console/nothing/here", 404),
        ("POST", "/console/sign-in", 403),
        ("GET", "/account/GetLoginKey.aspx", 403),
        ("GET", "/account/AccountSummary.aspx", 401),
    ] {
        let page = server.send(method, path, &html, b"");
        assert_eq!(page.status, status, "{method} {path}: {page:?}");
        assert!(page.body.contains("<strong>LAB</strong>"), "{method} {path}: {page:?}");
    }
}

#[test]
fn wrong_usage_exits_with_two_and_help_teaches() {
    for (arguments, status) in [(&["--nonsense"][..], 2), (&[][..], 2), (&["serve", "--help"][..], 0)] {
        let output = Command::new(BINARY).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
    let version = Command::new(BINARY).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("sidelight "));
}

#[test]
fn config_prints_each_setting_with_its_origin() {
    let output = Command::new(BINARY)
        .arg("config")
        .env("SIDELIGHT_LISTEN", "localhost:9999")
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("127.0.0.1:9999  [environment SIDELIGHT_LISTEN]"), "{text}");
    assert!(text.contains("./sidelight-data  [default]"), "{text}");
    assert!(text.contains("(SIDELIGHT_TLS_KEY or SIDELIGHT_TLS_KEY_FILE)"), "{text}");
}

#[test]
fn a_command_that_cannot_print_fails_in_one_sentence_and_one_whose_reader_has_gone_in_none() {
    let told = |stdout: std::process::Stdio| {
        let mut command = Command::new(BINARY);
        let output = command.args(["explain", "--help"]).stdout(stdout).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let (status, said) = told(full.into());
        assert_eq!(status, Some(1));
        assert!(said.starts_with("The output could not be written") && said.lines().count() == 1, "{said}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(told(writer.into()), (Some(141), String::new()));
}

#[test]
fn config_shows_with_which_settings_the_running_server_runs_and_what_differs_here() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Server::start_on(&data, &["--lab", "--plain-http", "--web-session-minutes", "60"]);
    let text = String::from_utf8(server.command(&["config"]).stdout).unwrap();
    assert!(text.contains(&format!("process {}, {}.", server.pid(), server.url)), "{text}");
    let (here, there) = text.split_once("It was started with settings that differ").unwrap();
    assert!(here.contains("web_session_minutes 480  [default]"), "{text}");
    assert!(there.contains("web_session_minutes 60  [flag]") && !there.contains("trusted_proxies"), "{text}");
    let json = server.command(&["config", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["running"]["settings"]["lab"]["value"], "true");
    assert_eq!(json["settings"]["lab"]["value"], "false");
    let differing = json["running"]["differing"].as_array().unwrap();
    assert!(differing.contains(&"lab".into()) && !differing.contains(&"data".into()), "{differing:?}");
    let file = data.join("running.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let stopped = || {
        let output = Command::new(BINARY).args(["config", "--data"]).arg(&data).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("No server is running on"), "{output:?}");
    };
    let left = std::fs::read(&file).unwrap();
    server.stop();
    assert!(!file.exists());
    stopped();
    // What a server that was killed has left behind is not believed.
    std::fs::write(&file, left).unwrap();
    stopped();
}

#[test]
fn the_lab_says_what_to_do_with_what_and_the_example_works() {
    let server = Server::lab();
    let greeting = server.greeting.clone() + &server.said_until("\"loginkey");
    for word in
        ["12345", "mySecretApiKey", "demo-password", "uniqueUserIdentifier", "/api/openapi.json", "/console"]
    {
        assert!(greeting.contains(word), "{word}: {greeting}");
    }
    let example = greeting.split_once("sign in with it:\n").unwrap().1;
    let example: Vec<&str> = example.lines().take_while(|line| line.starts_with("  ")).collect();
    assert_eq!(server.get("/api/openapi.json").status, 200);
    // The example is for people who have curl; the tests ask for nothing but Rust and a C compiler.
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let done = Command::new("bash").args(["-c", &example.join("\n")]).output().unwrap();
    let answer = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(answer.starts_with("\"eyJ"), "{example:?}: {answer} {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn bad_tls_files_are_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (data, certificate) = (directory.path().join("data"), directory.path().join("tls.pem"));
    std::fs::write(&certificate, "nonsense").unwrap();
    let refused = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .arg("--tls-cert")
        .arg(&certificate)
        .arg("--tls-key")
        .arg(directory.path().join("missing.pem"))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("missing.pem"), "{refused:?}");
    assert!(!data.exists());
}

#[test]
fn a_tls_key_that_others_may_read_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    Server::start_on(&data, &[]).stop();
    let key = data.join("tls-key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("tls-key.pem") && said.contains("chmod 600"), "{said}");
}

/// Sends `request` on a thread of its own, which says its name when it was answered.
fn asked<'s>(
    scope: &'s std::thread::Scope<'s, '_>,
    answers: &std::sync::mpsc::Sender<(&'static str, Answer)>,
    name: &'static str,
    request: impl FnOnce() -> Answer + Send + 's,
) {
    let answers = answers.clone();
    scope.spawn(move || answers.send((name, request())).unwrap());
}

#[test]
fn while_another_process_holds_the_database_reads_go_on_and_whoever_writes_is_told_together() {
    const GROUP: &str = "12345";
    const PARTNER: &str = "PartnerLogin=admin.demo.glance.net&PartnerPW=demo-password";
    const NEW: &str =
        r#"{"userName":"held.demo.glance.net","schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}"#;
    let server = Server::lab();
    let made = server.command(&["scim-token", "make", "held", "--group", GROUP]);
    let token = String::from_utf8(made.stdout).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let scim = [("Authorization", bearer.as_str()), ("Content-Type", "application/scim+json")];
    let papi =
        |page: &str, more: &str| server.post_form(&format!("/PAPI/{page}.asp"), &format!("{PARTNER}&{more}"));
    let other = rusqlite::Connection::open(server.data().join("sidelight.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (answered, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let (papi, server) = (&papi, &server);
        for _ in 0..3 {
            asked(scope, &answered, "text/xml", || {
                papi("NewUser", "PartnerUserID=H&UserAddress=h.demo.glance.net")
            });
        }
        asked(scope, &answered, "application/scim+json", || {
            server.send("POST", "/scim/v2/Users", &scim, NEW.as_bytes())
        });
        asked(scope, &answered, "application/json", || {
            let form = format!("partnerid={GROUP}&puid=nobody&loginkey=x");
            server.post_form("/services/AuthorizationService.svc/rest/Authorize", &form)
        });
        asked(scope, &answered, "text/xml", || {
            let body = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ValidateUser><username>admin.demo.glance.net</username><password>demo-password</password></ValidateUser></s:Body></s:Envelope>"#;
            let kind = [("Content-Type", "text/xml; charset=utf-8")];
            server.send("POST", "/services/ProvisioningService.asmx", &kind, body.as_bytes())
        });
        asked(scope, &answered, "text/html", || {
            let page = server.get("/console/sign-in");
            let (_, after) = page.body.split_once("name=\"form_token\" value=\"").unwrap();
            let form_token = after.split('"').next().unwrap();
            let form = format!("name=admin.demo.glance.net&password=demo-password&form_token={form_token}");
            let cookie = page.cookie("sidelight-console-entry").unwrap();
            let headers = [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Sec-Fetch-Site", "same-origin"),
                ("Cookie", cookie.as_str()),
            ];
            server.send("POST", "/console/sign-in", &headers, form.as_bytes())
        });
        for _ in 0..2 {
            asked(scope, &answered, "read", || papi("ShowUsers", "PageCount=10"));
            asked(scope, &answered, "read", || papi("ShowRoles", ""));
            asked(scope, &answered, "read", || server.send("GET", "/scim/v2/Users", &scim, b""));
            asked(scope, &answered, "read", || server.get("/health"));
        }
        let in_order: Vec<_> = (0..15).map(|_| answers.recv().unwrap()).collect();
        let (read, told) = in_order.split_at(8);
        for (name, answer) in read {
            assert_eq!((*name, answer.status), ("read", 200), "{answer:?}");
        }
        for (kind, answer) in told {
            // SOAP 1.1 has faults under 500.
            let expected = if answer.body.contains("<soap:Fault>") { 500 } else { 503 };
            assert_eq!(answer.status, expected, "{answer:?}");
            assert!(answer.header("content-type").unwrap().starts_with(kind), "{kind}: {answer:?}");
            assert!(answer.body.contains("Another process on the server holds the database"), "{answer:?}");
        }
        // The lock is known to be held: nobody waits for it any more.
        assert_eq!(papi("NewUser", "PartnerUserID=H&UserAddress=h.demo.glance.net").status, 503);
        // Each of them is a line of the server log, which nobody reads: a pipe holds some 200 of them.
        for _ in 0..400 {
            assert_eq!(papi("NewUser", "PartnerUserID=H&UserAddress=h.demo.glance.net").status, 503);
        }
    });
    // Those who watch are told the same as those who write, without writing.
    let (ready, health) = (server.get("/readyz?verbose"), server.get("/health"));
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (503, "[+] database ok\n[-] writes failed: database_locked\n[+] disk ok\nnot ready\n")
    );
    assert_eq!((health.status, &health.json()["error"]["code"]), (503, &"database_locked".into()));
    assert_eq!(server.get("/livez").status, 200, "it would be restarted in vain");
    let listed = "SELECT count(*) FROM access_log WHERE operation = 'user.list'";
    let rows = || other.query_row(listed, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows(), 0);
    other.execute_batch("ROLLBACK").unwrap();
    let made = papi("NewUser", "PartnerUserID=H&UserAddress=h.demo.glance.net");
    assert!(made.body.contains("<status>ok</status>"), "{made:?}");
    assert_eq!(rows(), 4, "the rows of what was read have followed");
    // An answer serves for a second.
    while server.get("/readyz").status != 200 {}
    assert_eq!(server.get("/health").status, 200);
    // Whoever reads in the end finds them all.
    drop(other);
    let (code, words) = server.stop();
    assert_eq!((code, words.matches("POST /PAPI/NewUser.asp: incident").count()), (Some(0), 404));
    assert!(words.ends_with("Stopped.\n"), "{words}");
}
