//! `sidelight explain` as a person or a script runs it: exit status, JSON, text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const GENUINE: &str = "accepted/both-signed.xml";

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/saml").join(name);
    path.to_str().unwrap().to_owned()
}

/// The words that judge a fixture as its makers meant it.
fn words(file: &str) -> Vec<String> {
    let certificate = fixture("keys/idp.cert.pem");
    [
        "explain",
        &fixture(file),
        "--cert",
        &fixture("keys/idp-ec.cert.pem"),
        "--cert",
        &certificate,
        "--issuer",
        "https://idp.example.org/metadata",
        "--audience",
        "https://sp.example.com/saml/metadata",
        "--acs",
        "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345",
        "--in-response-to",
        "_req-7f3a9c",
        "--now",
        "2026-02-01T12:00:00Z",
        "--skew",
        "60",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn run(words: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidelight")).args(words).output().unwrap()
}

fn run_with(file: &str, more: &[&str]) -> Output {
    run(&[words(file), more.iter().map(|word| (*word).to_owned()).collect()].concat())
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_genuine_response_is_accepted_with_status_0() {
    let output = run_with(GENUINE, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let json = parsed(&output);
    assert_eq!(json["verdict"], "accepted");
    assert_eq!(json["reject"], Value::Null);
    assert_eq!(
        json["name_id"],
        json!({
            "value": "alice@example.com",
            "format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        })
    );
    assert_eq!(json["attributes"], json!({"email": ["alice@example.com"], "groups": ["users", "staff"]}));
    assert_eq!(json["session_index"], "_sess1");
    assert_eq!(json["signed"], json!({"response": true, "assertion": true}));
    assert_eq!(json["algorithms"]["signature"], "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    let checks = json["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 28);
    assert_eq!(checks[23]["name"], "Audience");
    assert_eq!(checks[23]["outcome"], "passed");
    assert_eq!(checks[23]["number"], 24);
}

#[test]
fn a_wrong_audience_is_rejected_with_status_1_and_said_to_be_so() {
    let output = run_with("rejected/wrong_audience.wrong_audience.xml", &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json = parsed(&output);
    assert_eq!(json["verdict"], "rejected");
    assert_eq!(json["reject"]["code"], "wrong_audience");
    assert_eq!(json["reject"]["clause"], "Core 2.5.1.4; Profiles 4.1.4.2");
    assert_eq!(json["reject"]["expected"], "https://sp.example.com/saml/metadata");
    assert_eq!(json["reject"]["got"], "https://other.example");
    assert_eq!(json["name_id"], Value::Null);
    assert_eq!(json["checks"][23]["outcome"], "failed");
}

#[test]
fn text_says_what_came_what_was_expected_and_what_to_do() {
    let output = run_with("rejected/wrong_audience.wrong_audience.xml", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Rejected: wrong_audience\n  check        24, Audience\n"), "{text}");
    assert!(text.contains("  repair       Give the identity provider our entity ID exactly"), "{text}");
    assert!(text.contains(" 24  FAIL  Audience\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours without a terminal");
}

#[test]
fn text_cannot_steer_the_terminal() {
    let response = std::fs::read_to_string(fixture("accepted/assertion-signed.xml")).unwrap();
    let evil = response.replace(
        "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345\" InResponseTo",
        "&#x9;&#xA;Accepted\u{202e}\" InResponseTo",
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, evil).unwrap();
    let mut words = words(GENUINE);
    words[1] = file.path().to_str().unwrap().to_owned();
    let text = String::from_utf8(run(&words).stdout).unwrap();
    assert!(text.starts_with("Rejected: wrong_destination"), "{text}");
    assert!(!text.contains("\nAccepted") && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn without_a_trust_anchor_nothing_is_accepted() {
    let words: Vec<String> = {
        let all = words(GENUINE);
        [&all[..2], &all[6..], &["--json".to_owned()]].concat()
    };
    let output = run(&words);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(parsed(&output)["reject"]["code"], "no_trust_anchor");
}

#[test]
fn standard_input_and_base64_are_taken() {
    let mut words = words(GENUINE);
    words[1] = "/dev/stdin".to_owned();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let document = std::fs::read(fixture(GENUINE)).unwrap();
    let value = sidelight::protocol::saml::bindings::encode_post(&document);
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn decryption_keys_and_permissions_are_given_by_flags() {
    let key = fixture("keys/sp.key.pem");
    assert_eq!(run_with("accepted/encrypted-gcm.xml", &["--decrypt-key", &key]).status.code(), Some(0));
    assert_eq!(run_with("accepted/encrypted-gcm.xml", &[]).status.code(), Some(1));
    let without = "rejected/no_audience.audience_missing.xml";
    assert_eq!(run_with(without, &["--allow", "sha1,no-audience"]).status.code(), Some(0));
    assert_eq!(run_with(without, &["--allow", "sha1", "--allow", "rsa15,3des"]).status.code(), Some(1));
}

#[test]
fn wrong_usage_has_status_2() {
    for more in [
        &["--allow", "md5"][..],
        &["--encoding", "hex"],
        &["--kind", "request"],
        &["--now", "yesterday"],
        &["--cert", "/nowhere.pem"],
        &["--decrypt-key", &fixture("keys/idp.cert.pem")],
        &["--unheard-of"],
    ] {
        assert_eq!(run_with(GENUINE, more).status.code(), Some(2), "{more:?}");
    }
    let nameless = ["explain".to_owned(), fixture(GENUINE)];
    assert_eq!(run(&nameless).status.code(), Some(2));
}

#[test]
fn our_own_metadata_is_no_identity_providers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "<a/>").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let words = ["explain", "--kind", "metadata", &path, "--json"].map(str::to_owned);
    let output = run(&words);
    assert_eq!(output.status.code(), Some(1));
    let json = parsed(&output);
    assert_eq!(json["verdict"], "rejected");
    assert_eq!(json["reject"]["code"], "not_metadata");
    assert_eq!(json["entities"], json!([]));
}

#[test]
fn metadata_says_what_an_upload_would_set_and_is_a_trust_anchor() {
    let certificate: String = std::fs::read_to_string(fixture("keys/idp.cert.pem"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let metadata = format!(
        "\u{feff}<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         entityID=\"https://idp.example.org/metadata\" validUntil=\"2030-01-01T00:00:00Z\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor>\
         <KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{certificate}\
         </X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example.org/sso\"/>\
         </IDPSSODescriptor></EntityDescriptor>"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, metadata).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let upload = ["explain", "--kind", "metadata", &path, "--json", "--now", "2026-02-01T12:00:00Z"];
    let output = run(&upload.map(str::to_owned));
    assert_eq!(output.status.code(), Some(0));
    let entity = &parsed(&output)["entities"][0];
    assert_eq!(entity["entity_id"], "https://idp.example.org/metadata");
    assert_eq!(
        entity["sso"],
        json!([{
            "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            "location": "https://idp.example.org/sso",
        }])
    );
    assert_eq!(entity["signing_cert_sha256"], entity["encryption_cert_sha256"]);
    assert_eq!(entity["valid_until"], "2030-01-01T00:00:00Z");

    let all = words(GENUINE);
    let words = [&all[..2], &["--metadata".to_owned(), path.clone()], &all[8..]].concat();
    assert_eq!(run(&words).status.code(), Some(0));

    let pinned = ["explain", "--kind", "metadata", &path, "--cert", &fixture("keys/idp.cert.pem"), "--json"];
    assert_eq!(parsed(&run(&pinned.map(str::to_owned)))["reject"]["code"], "metadata_unsigned");
}
