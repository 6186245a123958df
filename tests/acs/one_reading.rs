//! What is read in one place is read alike in the others: wrapping, white space, keys, the endpoint's query.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sidelight::protocol::forge::{SIGNER, Signer};
use sidelight::protocol::saml::bindings::{Encoding, deflate};
use sidelight::protocol::saml::verdict::explain;

use crate::common::{Answer, Server};
use crate::forge::{ACS, Forge, der, fixtures, key_file};
use crate::harness::*;

/// Posts this value of `SAMLResponse`.
fn post_value(server: &Server, value: &str) -> Answer {
    let form = format!("SAMLResponse={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    server.send("POST", ACS_PATH, &headers, form.as_bytes())
}

#[test]
fn a_deflated_post_is_read_by_the_acs_and_by_the_explanation_alike() {
    let server = started();
    let genuine = signed(&about("alice@example.com", "_def1"));
    let forged = signed(&about("alice@example.com", "_def2")).replace("alice@", "mallory@");
    let mut expectations = Forge::shared().expectations();
    expectations.in_response_to.unsolicited_allowed = true;
    for (document, expected) in [(&genuine, 200), (&forged, 403)] {
        let value = STANDARD.encode(deflate(document.as_bytes()));
        let answer = post_value(&server, &value);
        assert_eq!(answer.status, expected, "{answer:?}");
        for encoding in [Encoding::Auto, Encoding::Base64] {
            let explained = explain(value.as_bytes(), encoding, &expectations);
            assert_eq!(explained.verdict.is_ok(), answer.status == 200, "{encoding:?}");
            if let Err(reject) = explained.verdict {
                assert_eq!(latest_code(&store(server.data())), reject.code.code());
            }
        }
    }
    // The bound on what it may inflate to holds at the ACS, too.
    let bomb = STANDARD.encode(deflate(&vec![b' '; 20_000_000]));
    assert_eq!(post_value(&server, &bomb).status, 403);
    assert_eq!(latest_code(&store(server.data())), "message_too_large");
}

#[test]
fn a_no_break_space_is_a_character_in_attribute_and_name_alike() {
    let server = started();
    let attribute = about("\u{a0}alice@example.com\u{a0}", "somebody");
    assert_eq!(post(&server, &signed(&attribute)).status, 403);
    assert_eq!(latest_code(&store(server.data())), "user_unknown");
    set(&server, &["identity_attribute="]);
    assert_eq!(post(&server, &signed(&about("x@example.com", "\u{a0}alice@example.com"))).status, 403);
    assert_eq!(latest_code(&store(server.data())), "user_unknown");
    assert_eq!(post(&server, &signed(&about("x@example.com", "\n alice@example.com\t"))).status, 200);
    set(&server, &["identity_attribute=email"]);
    assert_eq!(post(&server, &signed(&about("\n alice@example.com\t", "somebody"))).status, 200);
}

#[test]
fn an_rsa_key_below_1024_bits_is_not_added_and_one_that_was_pinned_stops_nobody() {
    let server = started();
    let file = |name: &str| fixtures().join("keys").join(name).to_str().unwrap().to_owned();
    set(&server, &["allow_sha1=true"]);
    let refused = server.command(&["sso", "key", "add", &file("idp-rsa512.cert.pem"), "--group", "12345"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("RSA 512") && said.contains("1024 bits"), "{said}");
    run(&server, &["sso", "key", "add", &file("idp-rsa1024.cert.pem"), "--group", "12345"]);
    let shown = run(&server, &["sso", "show", "--group", "12345"]);
    assert!(shown.contains("RSA 1024 is weak"), "{shown}");
    // Nor from metadata: the good key beside it is taken, and alone it is refused.
    let certificate = |name: &str| STANDARD.encode(der(&key_file(name)));
    let metadata = |certificates: &[String]| {
        let keys: String = certificates
            .iter()
            .map(|text| {
                format!(
                    "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}\
                     </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
                )
            })
            .collect();
        let file = server.data().join("idp.xml");
        let document = format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"{}\"><md:IDPSSODescriptor \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}<md:SingleSignOnService \
             Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
             Location=\"https://idp.example.org/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>",
            crate::forge::IDP
        );
        std::fs::write(&file, document).unwrap();
        server.command(&["sso", "metadata", file.to_str().unwrap(), "--group", "12345"])
    };
    let alone = metadata(&[certificate("idp-rsa512.cert.pem")]);
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(!alone.status.success() && said.contains("below 1,024 bits"), "{said}");
    let beside = metadata(&[certificate("idp-rsa512.cert.pem"), certificate("idp.cert.pem")]);
    let said = String::from_utf8_lossy(&beside.stdout).into_owned();
    assert!(beside.status.success() && said.contains("is left out"), "{said}");
    // As an earlier version let it be pinned.
    let short = der(&key_file("idp-rsa512.cert.pem"));
    let now = sidelight::clock::Timestamp::parse(crate::forge::NOW).unwrap();
    let pinned = store(server.data()).write(now, move |w| {
        let mut keys: Vec<(String, Vec<u8>)> =
            w.sso_keys(GROUP)?.into_iter().map(|key| (key.fingerprint, key.certificate)).collect();
        keys.insert(0, ("5".repeat(64), short));
        w.put_sso_keys(GROUP, &keys, w.now)
    });
    pinned.unwrap();
    assert_eq!(post(&server, &signed(&unsolicited())).status, 200);
    let shown = run(&server, &["sso", "show", "--group", "12345"]);
    assert!(shown.contains("RSA 512 can be broken by anybody, so it signs nobody in"), "{shown}");
}

#[test]
fn an_endpoint_whose_query_a_message_brings_itself_is_refused_and_never_doubled() {
    let server = started();
    let wanted = "endpoint_url=https://idp.example.org/sso?tenant=7&SAMLRequest=x&RelayState=";
    let refused = server.command(&["sso", "set", wanted, "--group", "12345"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("SAMLRequest"), "{said}");
    // As an earlier version let it be set.
    let now = sidelight::clock::Timestamp::parse(crate::forge::NOW).unwrap();
    let written = store(server.data()).write(now, move |w| {
        let mut configuration = w.sso_configuration(GROUP)?.unwrap();
        configuration.endpoint_url = wanted.strip_prefix("endpoint_url=").unwrap().to_owned();
        w.put_sso_configuration(&configuration)
    });
    written.unwrap();
    let answer = server.get("/account/GetLoginKey.aspx?sso=1&idpid=12345");
    let location = answer.header("Location").unwrap_or_else(|| panic!("{answer:?}"));
    assert!(location.starts_with("https://idp.example.org/sso?tenant=7&SAMLRequest="), "{location}");
    assert_eq!(location.matches("SAMLRequest=").count(), 1, "{location}");
    assert_eq!(location.matches("RelayState=").count(), 1, "{location}");
}

#[test]
fn where_no_key_verified_those_tried_and_the_one_that_came_are_kept_side_by_side() {
    let server = started();
    let keys_of_latest = || {
        let attempts = store(server.data()).read(|r| r.saml_attempts(GROUP, 1)).unwrap();
        attempts[0].keys.as_deref().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap())
    };
    let foreign = STANDARD.encode(der(&key_file("foreign.cert.pem")));
    let info = format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{foreign}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    );
    let by_foreign = |parts: &crate::forge::Parts, info: &str| {
        let document = parts.response_with("_r1", "", "", &parts.assertion());
        let signer = Signer { key: sidelight::protocol::forge::ForgingKey::Foreign, ..SIGNER };
        let signed = Forge::shared().sign_as(&document, &parts.assertion_id, signer);
        signed.replace("</ds:SignatureValue>", &format!("</ds:SignatureValue>{info}"))
    };
    assert_eq!(post(&server, &by_foreign(&unsolicited(), &info)).status, 403);
    assert_eq!(latest_code(&store(server.data())), "signature_mismatch");
    let keys = keys_of_latest().expect("the keys are kept");
    assert_eq!(keys["tried"].as_array().unwrap().len(), 2);
    assert!(keys["tried"][0]["certificate"].is_null(), "{keys}");
    assert_eq!((&keys["came"]["certificate"], &keys["issuer_is_ours"]), (&foreign.into(), &true.into()));
    assert_ne!(keys["came"]["fingerprint"], keys["tried"][0]["fingerprint"]);
    // On the command line, and on the page of a test.
    let incident =
        store(server.data()).read(|r| r.saml_attempts(GROUP, 1)).unwrap()[0].incident.clone().unwrap();
    let came = keys["came"]["fingerprint"].as_str().unwrap();
    let said = run(&server, &["sso", "attempts", &incident, "--group", "12345"]);
    assert!(said.contains("came in the message") && said.contains(came), "{said}");
    let said = run(&server, &["--json", "sso", "attempts", &incident, "--group", "12345"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["keys"]["came"]["fingerprint"], came);
    let mut tested = unsolicited();
    for text in [&mut tested.response_attributes, &mut tested.confirmations] {
        *text = text.replace(ACS, &format!("{ACS}&amp;test=11"));
    }
    let page = post_to(&server, &format!("{ACS_PATH}&test=11"), &by_foreign(&tested, &info), None);
    let grouped = came.get(..4).unwrap();
    assert!(page.body.contains("Came in the message") && page.body.contains(grouped), "{}", page.body);
    // Somebody else's message, one without a certificate, and one with what is none.
    let mut parts = unsolicited();
    parts.response_issuer = "<saml:Issuer>https://other.example</saml:Issuer>".to_owned();
    assert_eq!(post(&server, &by_foreign(&parts, &info)).status, 403);
    for info in [
        "".to_owned(),
        info.replace(">MII", ">AAA"),
        info.replace(">MII", &format!(">{}MII", "A".repeat(90_000))),
    ] {
        assert_eq!(post(&server, &by_foreign(&unsolicited(), &info)).status, 403);
        let keys = keys_of_latest().expect("the keys are kept");
        assert!(keys["came"].is_null() && keys["tried"].as_array().unwrap().len() == 2, "{keys}");
    }
    // A genuine key and a changed document: no key is to blame.
    assert_eq!(post(&server, &signed(&unsolicited()).replace("alice@", "mallory@")).status, 403);
    assert_eq!(keys_of_latest(), None);
}
