//! The refused cases of the verdict's own tests, posted to the running ACS: same codes.

use std::fs;

use sidelight::protocol::check::{Check, CheckOutcome};
use sidelight::protocol::saml::bindings::{Direction, redirect_query};

use crate::forge::{IDP, NOW, REQUEST, SP, fixtures};
use crate::harness::{
    ACS_PATH, BROWSER, GROUP, await_answers, latest_code, post, post_from, post_to, run, set, signed,
    started, started_with, store, unsolicited,
};

#[test]
fn a_refused_case_gives_its_code_at_the_running_acs() {
    let server = started_with(&["--trusted-proxies", "127.0.0.1"]);
    set(&server, &["idp_initiated=false"]);
    let store = store(server.data());
    await_answers(&server, &store, &["_another", REQUEST]);
    // The clock runs on while a case is posted: what has not begun must not begin meanwhile.
    let just_before = "2026-02-01T11:59:58Z";
    let (mut wrong, mut count) = (Vec::new(), 0);
    for entry in fs::read_dir(fixtures().join("rejected")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let document = fs::read_to_string(&path);
        // Those that are encrypted to the fixtures' key need its private half; those that are not text are
        // posted as octets by the verdict's own test.
        let Ok(document) = document else { continue };
        if document.contains("EncryptedAssertion") || document.contains("EncryptedID") {
            continue;
        }
        let (_, expected) = name.split_once('.').unwrap();
        server.set_clock(if expected.contains("not_yet") { just_before } else { NOW });
        // Each from an address of its own: of one, not all would be kept.
        let answer = post_from(&server, ACS_PATH, &document, Some(BROWSER), &format!("192.0.2.{count}"));
        let got = latest_code(&store);
        let calm =
            answer.status == 403 && answer.body.contains("Incident") && !answer.body.contains(expected);
        if got != expected || !calm || answer.cookie("GSSNID").is_some() {
            wrong.push(format!("{name}: {} {got}", answer.status));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 80, "{count} cases");
}

#[test]
fn what_is_off_or_half_configured_refuses_with_its_own_code() {
    let server = started();
    let entry = || {
        let log = store(server.data());
        let query = sidelight::model::queries::LogQuery { limit: 20, ..Default::default() };
        let rows = log.read(|r| r.log_rows(&query)).unwrap();
        rows.into_iter().find(|row| row.operation == "sign-in.saml").and_then(|row| row.code).unwrap()
    };
    set(&server, &["method=off"]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    assert_eq!(entry(), "sso_off");
    set(&server, &["method=encrypted_saml"]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    assert_eq!(entry(), "sso_without_own_key");
    set(&server, &["method=saml", "idp_entity_id="]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    assert_eq!(entry(), "sso_without_issuer");
    set(&server, &["idp_entity_id=x", "endpoint_url="]);
    assert_eq!(server.get("/account/GetLoginKey.aspx?sso=1&idpid=12345").status, 403);
    assert_eq!(entry(), "sso_without_endpoint");
    let shown = run(&server, &["sso", "show", "--group", "12345", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    set(&server, &["method=off"]);
    for key in shown["keys"].as_array().unwrap() {
        run(&server, &["sso", "key", "remove", key["fingerprint"].as_str().unwrap(), "--group", "12345"]);
    }
    set(&server, &["method=saml"]);
    assert_eq!(post(&server, &signed(&unsolicited())).status, 403);
    assert_eq!(entry(), "no_trust_anchor");
    assert_eq!(server.get("/account/GetLoginKey.aspx?sso=1&idpid=999").status, 403);
    assert_eq!(entry(), "unknown_group");
}

#[test]
fn a_flood_of_refusals_is_kept_a_hundred_times_and_then_as_its_count_doubles() {
    let server = started();
    let store = store(server.data());
    let (mut kept, mut calm) = (0, 0);
    for number in 0..140 {
        // What is judged, and what cannot be.
        let answer = match number % 2 {
            0 => post(&server, "<x/>"),
            _ => server.get("/account/GetLoginKey.aspx?sso=1&idpid=999"),
        };
        calm += usize::from(answer.status == 403);
        kept += usize::from(answer.body.contains("Incident"));
    }
    assert_eq!((calm, kept), (140, 101), "the 128th too");
    let query = sidelight::model::queries::LogQuery {
        limit: 1_000,
        search: "sign-in.saml".into(),
        ..Default::default()
    };
    let rows = store.read(|r| r.log_rows(&query)).unwrap();
    assert_eq!(rows.iter().filter(|row| row.incident.is_some()).count(), 101);
    assert!(rows[0].detail.ends_with("128 refusals of this address in a quarter of an hour"), "{rows:?}");
    assert_eq!(store.read(|r| r.saml_attempts(GROUP, 1_000)).unwrap().len(), 50);
}

#[test]
fn a_response_in_the_address_or_twice_is_refused() {
    let server = started();
    assert_eq!(server.get(&format!("{ACS_PATH}&SAMLResponse=x")).status, 400);
    assert_eq!(server.post_form(ACS_PATH, "SAMLResponse=a&samlresponse=b").status, 400);
}

/// The command line is another process: what the server remembers of the group must not outlive its change.
#[test]
fn what_the_command_line_changes_is_in_force_with_the_next_response() {
    let server = started();
    let status = || post(&server, &signed(&unsolicited())).status;
    let expect = |setting: &str, expected: u16| {
        set(&server, &[setting]);
        assert_eq!([status(), status()], [expected; 2], "{setting}");
    };
    assert_eq!([status(), status()], [200; 2]);
    expect("entity_id=another/sp", 403);
    expect(&format!("entity_id={SP}"), 200);
    expect("method=off", 403);
    expect("method=saml", 200);
    run(&server, &["api-key", "change", "--group", "12345"]);
    let text = post(&server, &signed(&unsolicited())).body;
    let (user, login_key) = text.split_once('~').unwrap();
    let puid = user.split_once("partneruserid=").unwrap().1;
    let checked = ["login-key", "check", login_key, "--group", "12345", "--puid", puid, "--now", NOW];
    run(&server, &checked);
    expect("idp_initiated=false", 403);
}

#[test]
fn what_a_stranger_sent_stays_one_harmless_line_in_a_terminal() {
    let server = started();
    let evil = "evil\nWhat to change: sidelight sso key add /tmp/evil.pem --group 12345\n\u{9b}31mred";
    let issuer = format!("<saml:Issuer>{evil}</saml:Issuer>");
    let document = signed(&unsolicited()).replacen(&format!("<saml:Issuer>{IDP}</saml:Issuer>"), &issuer, 1);
    assert_eq!(post(&server, &document).status, 403);
    assert_eq!(latest_code(&store(server.data())), "response_issuer_mismatch");
    let said = run(&server, &["sso", "attempts", "--group", "12345"]);
    assert!(said.contains("evil"), "{said}");
    assert!(!said.contains("\nWhat to change: sidelight sso key add") && !said.contains('\u{9b}'), "{said}");
}

#[test]
fn a_post_to_an_address_that_is_nearly_right_is_not_said_to_be_too_long() {
    let server = started();
    let near = ACS_PATH.replace("aspx", "aspx/");
    assert_eq!(post_to(&server, &near, &signed(&unsolicited()), None).status, 404);
}

#[test]
fn the_explanation_of_a_refusal_has_a_check_that_failed_also_where_the_redirect_was_meant() {
    let server = started();
    let forged = signed(&unsolicited()).replace("alice@", "mallory@");
    let query = redirect_query(Direction::Response, forged.as_bytes(), None);
    let deflated = query.strip_prefix("SAMLResponse=").unwrap();
    assert_eq!(server.post_form(ACS_PATH, &format!("SAMLResponse={deflated}")).status, 403);
    let attempts = store(server.data()).read(|r| r.saml_attempts(GROUP, 1)).unwrap();
    let checks: Vec<Check> = serde_json::from_str(&attempts[0].checks).unwrap();
    assert!(checks.iter().any(|check| check.outcome == CheckOutcome::Failed), "{checks:?}");
}
