//! Provisioning through the real binary: the XML API, the seed file, and the commands on the host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::process::Output;

use common::{Answer, Server};

/// The partner of the lab's demo seed.
const PARTNER: &str = "PartnerLogin=admin.demo.glance.net&PartnerPW=demo-password";

fn papi(server: &Server, page: &str, fields: &str) -> Answer {
    server.post_form(&format!("/PAPI/{page}.asp"), &format!("{PARTNER}&{fields}"))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn run(server: &Server, arguments: &[&str], status: i32) -> String {
    let output = server.command(arguments);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", said(&output));
    said(&output)
}

#[test]
fn a_script_provisions_the_demo_group() {
    let server = Server::lab();
    let made = papi(&server, "NewUser", "PartnerUserID=E1&UserAddress=john.demo.glance.net&UserRole=Agent");
    assert_eq!((made.status, made.header("content-type")), (200, Some("text/xml; charset=utf-8")));
    assert!(made.body.contains("<status>ok</status>"), "{}", made.body);
    let shown = papi(&server, "ShowUsers", "PageCount=10&UserRole=Agent").body;
    assert!(shown.contains("john.demo.glance.net") && shown.contains("uniqueUserIdentifier"), "{shown}");
    assert!(papi(&server, "DeleteUser", "PartnerUserID=E1").body.contains("<status>ok</status>"));
    assert!(!papi(&server, "ShowUsers", "PageCount=10").body.contains("john.demo"));
}

#[test]
fn provisioning_refusals_are_documents_with_http_200() {
    let server = Server::lab();
    let check = |answer: Answer, code: &str| {
        assert_eq!(answer.status, 200);
        assert!(answer.body.starts_with("<?xml version=\"1.0\" standalone=\"yes\"?>"), "{}", answer.body);
        assert!(answer.body.contains(&format!("<code>{code}</code>")), "{}", answer.body);
    };
    check(papi(&server, "NewUser", "UserAddress=a.b"), "puid_required");
    check(papi(&server, "ShowUsers", ""), "page_count_required");
    check(
        server.post_form("/PAPI/ShowRoles.asp", "PartnerLogin=admin.demo.glance.net"),
        "partner_credential_required",
    );
    check(server.post_form("/PAPI/ShowRoles.asp", ""), "partner_login_required");
    let wrong = server.post_form("/PAPI/ShowRoles.asp", "PartnerLogin=admin.demo.glance.net&PartnerPW=wrong");
    assert_eq!(wrong.status, 200);
    assert!(
        wrong.body.contains("<status>error</status>") && wrong.body.contains("<incident>"),
        "{}",
        wrong.body
    );
    check(server.post_form("/PAPI/NewUser.asp", "PartnerLogin=%FF"), "not_utf8");
    assert_eq!(server.send("PUT", "/PAPI/NewUser.asp", &[], b"x").status, 405);
}

#[test]
fn the_commands_do_on_the_host_what_the_console_does() {
    let server = Server::lab();
    run(&server, &["group", "create", "5", "--name", "Five"], 0);
    run(&server, &["group", "create", "5", "--name", "Five"], 1);
    let key = run(&server, &["api-key", "change", "--group", "5"], 0);
    assert_eq!(key.trim().len(), 20);
    assert_eq!(run(&server, &["api-key", "show", "--group", "5"], 0), key);
    run(&server, &["role", "create", "Sales", "--group", "5", "--on", "viewVideo"], 0);
    run(&server, &["role", "create", "Video", "--group", "5", "--on", "agentVideo"], 2);
    run(&server, &["group", "settings", "5", "--on", "agentVideo"], 0);
    run(&server, &["role", "create", "Video", "--group", "5", "--on", "agentVideo"], 0);
    let create =
        ["user", "create", "--group", "5", "--address", "ann.five", "--puid", "E1", "--role", "sales"];
    run(&server, &create, 0);
    run(&server, &create, 1);
    run(&server, &["user", "suspend", "--group", "5", "--puid", "E1"], 0);
    let list = run(&server, &["user", "list", "--group", "5", "--state", "suspended", "--json"], 0);
    let line: serde_json::Value = serde_json::from_str(list.trim()).unwrap();
    assert_eq!((line["username"].as_str(), line["role"].as_str()), (Some("ann.five"), Some("Sales")));
    assert!(run(&server, &["role", "delete", "Sales", "--group", "5"], 1).contains("role_in_use"));
    run(&server, &["user", "delete", "--group", "5", "--address", "ANN.five"], 0);
    run(&server, &["role", "delete", "Sales", "--group", "5"], 0);
    run(&server, &["user", "show", "--group", "5"], 2);
    assert!(run(&server, &["operator", "delete", "nobody"], 1).contains("operator_unknown"));
}

#[test]
fn a_password_comes_from_a_file_and_never_from_an_argument() {
    let server = Server::lab();
    let file = server.data().join("password.txt");
    std::fs::write(&file, "correct horse\r\n").unwrap();
    let from = format!("file:{}", file.display());
    run(&server, &["operator", "create", "olga", "--password-from", &from], 0);
    let at = ["--group", "12345", "--puid", "uniqueUserIdentifier", "--password-from", &from];
    run(&server, &[&["user", "password"], at.as_slice()].concat(), 0);
    run(&server, &["user", "password", "--group", "12345", "--puid", "admin", "--password", "x"], 2);
    let body = "PartnerLogin=unique.user.demo.glance.net&PartnerPW=correct+horse";
    let known = server.post_form("/PAPI/ShowRoles.asp", body);
    assert!(known.body.contains("administrators_only"), "signed in, but no administrator: {}", known.body);
}

#[test]
fn an_import_says_what_it_would_do_and_then_does_it() {
    let server = Server::lab();
    let file = server.data().join("people.csv");
    let header = "\u{feff}FirstName;LastName;Email;Phone;GlanceAddress;Password;PartnerUID\r\n";
    let good = "Ann;Lee;ann@example.com;+49 171;ann.demo.glance.net;;E1\r\n";
    std::fs::write(&file, format!("{header}{good}Bob;;;;b_b;;E2\r\n")).unwrap();
    let path = file.to_str().unwrap();
    let import = ["user", "import", path, "--role", "Agent"];
    let dry = run(&server, &[import.as_slice(), &["--dry-run"]].concat(), 1);
    assert!(dry.contains("line 3: GlanceAddress \"b_b\""), "{dry}");
    assert!(dry.contains("1 would be created, 0 would be changed, 0 unchanged, 1 refused"), "{dry}");
    run(&server, &import, 1);
    assert!(!papi(&server, "ShowUsers", "PageCount=10").body.contains("ann.demo"), "all or none");
    run(&server, &[import.as_slice(), &["--skip-refused"]].concat(), 0);
    assert!(papi(&server, "ShowUsers", "PageCount=10&UserRole=Agent").body.contains("ann.demo"));
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out.csv");
    let out = out.to_str().unwrap();
    run(&server, &["user", "export", out], 0);
    let again = run(&server, &["user", "import", out], 0);
    assert!(again.contains("0 created, 0 changed, 4 unchanged, 0 refused"), "{again}");
}

#[test]
fn an_import_is_told_which_column_is_which_and_says_what_changes() {
    let server = Server::lab();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("theirs.csv");
    let path = file.to_str().unwrap();
    let write =
        |row: &str| std::fs::write(&file, format!("Login,E-mail,Team=\u{1b}[2J,PUID\n{row}\n")).unwrap();
    write("ann.demo.glance.net,ann@example.com,red,E1");
    let refused = run(&server, &["user", "import", path, "--dry-run"], 2);
    assert!(
        refused.contains("\"Login\"") && refused.contains("--map") && refused.contains("--ignore-column")
    );
    assert!(!refused.contains('\u{1b}'), "{refused:?}");
    let map = ["--map", "login=GlanceAddress", "--ignore-column", "Team=\u{1b}[2J"];
    let import = [["user", "import", path].as_slice(), &map].concat();
    let done = run(&server, &import, 0);
    assert!(
        done.contains("Column \u{201c}E-mail\u{201d} is read as Email.") && done.contains("is left out."),
        "{done}"
    );
    write("ann.demo.glance.net,lee@example.com,red,E1");
    let dry = run(&server, &[import.as_slice(), &["--dry-run"]].concat(), 0);
    let told = "line 2: ann.demo.glance.net: E-mail \"ann@example.com\" -> \"lee@example.com\"";
    assert!(dry.contains(told), "{dry}");
    let json = run(&server, &[["--json"].as_slice(), &import, &["--dry-run"]].concat(), 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let change = serde_json::json!({ "field": "email", "old": "ann@example.com", "new": "lee@example.com" });
    assert_eq!(json["rows"][0]["detail"]["changes"], serde_json::json!([change]), "{json}");
    assert_eq!(
        json["columns"][1],
        serde_json::json!({ "name": "E-mail", "column": "Email", "how": "alike" })
    );
    for wrong in [["--map", "Login"], ["--map", "Login=Colour"]] {
        run(&server, &[["user", "import", path].as_slice(), &wrong].concat(), 2);
    }
    let absent = run(&server, &["user", "import", path, "--ignore-column", "Nothing"], 2);
    assert!(absent.contains("has no column \"Nothing\""), "{absent}");
}

#[test]
fn the_template_is_written_and_can_be_imported() {
    let server = Server::lab();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("people.csv");
    let path = file.to_str().unwrap();
    run(&server, &["user", "template", path], 0);
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, "\u{feff}FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID\r\n");
    assert_eq!(run(&server, &["user", "template"], 0), written);
    run(&server, &["user", "template", path], 1);
    run(&server, &["user", "template", path, "--force"], 0);
    assert!(run(&server, &["user", "import", path, "--dry-run"], 0).contains("0 would be created"));
}

#[test]
fn a_seed_file_is_applied_at_each_start_and_takes_nothing_back() {
    let directory = tempfile::tempdir().unwrap();
    let seed = directory.path().join("seed.toml");
    std::fs::write(
        &seed,
        "[[groups]]\nnumber = 7\nname = \"Seven\"\napi_key = \"a key of seven\"\n\
         [[users]]\naddress = \"ann.seven\"\nmemberships = [{ group = 7, puid = \"E1\" }]\n",
    )
    .unwrap();
    let data = directory.path().join("data");
    let flags = ["--lab", "--plain-http", "--seed", seed.to_str().unwrap()];
    let server = Server::start_on(&data, &flags);
    run(&server, &["user", "suspend", "--group", "7", "--puid", "E1"], 0);
    server.stop();
    let server = Server::start_on(&data, &flags);
    assert!(run(&server, &["user", "list", "--group", "7"], 0).contains("suspended"));
    assert!(!run(&server, &["group", "list"], 0).contains("12345"), "a seed of one's own replaces the demo");
}
