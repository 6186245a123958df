//! Rules at the very value where they turn, and refusals to the word.

use sidelight::clock::Timestamp;
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::reject::SamlReject;
use sidelight::protocol::saml::verdict::{explain, verdict};

use crate::forge::{ACS, ALICE, Forge, NOW, Parts, REQUEST, alices};
use sidelight::protocol::forge::confirmation;

fn refused(change: impl FnOnce(&mut Parts)) -> SamlReject {
    let mut parts = alices();
    change(&mut parts);
    let document = parts.both_signed(Forge::shared()).unwrap();
    verdict(document.as_bytes(), &Forge::shared().expectations()).unwrap_err()
}

fn bearer(recipient: &str, end: &str, request: &str) -> String {
    confirmation(&format!("NotOnOrAfter=\"{end}\" Recipient=\"{recipient}\" InResponseTo=\"{request}\""))
}

const FUTURE: &str = "2026-02-01T12:05:00Z";

#[test]
fn of_several_confirmations_the_one_that_keeps_every_rule_is_taken() {
    let genuine = bearer(ACS, FUTURE, REQUEST);
    for other in [
        bearer("https://other.example/acs", FUTURE, REQUEST),
        bearer(ACS, "2026-02-01T11:00:00Z", REQUEST),
        bearer(ACS, FUTURE, "_another"),
    ] {
        let parts = Parts { confirmations: format!("{other}{genuine}"), ..alices() };
        let document = parts.both_signed(Forge::shared()).unwrap();
        let identity = verdict(document.as_bytes(), &Forge::shared().expectations()).unwrap();
        assert_eq!(identity.name_id.unwrap().value, ALICE, "{other}");
    }
}

#[test]
fn a_confirmation_answers_the_request_that_the_response_answers() {
    // Both requests are outstanding.
    let reject = refused(|parts| parts.confirmations = bearer(ACS, FUTURE, "_another"));
    assert_eq!(reject.code.code(), "confirmation_in_response_to_mismatch");
    assert_eq!((reject.expected.as_str(), reject.got.as_str()), (REQUEST, "_another"));
}

#[test]
fn a_session_that_ends_just_now_with_the_skew_is_over() {
    let skew = 60_000;
    let now = Timestamp::parse(NOW).unwrap().0;
    let ends = |at: &str| {
        let authn = alices().authn;
        let bound = format!(" SessionNotOnOrAfter=\"{at}\" SessionIndex=");
        let parts = Parts { authn: authn.replace(" SessionIndex=", &bound), ..alices() };
        let document = parts.both_signed(Forge::shared()).unwrap();
        verdict(document.as_bytes(), &Forge::shared().expectations())
            .map_err(|reject| reject.code.code().to_owned())
    };
    assert_eq!(Timestamp::parse("2026-02-01T11:59:00Z").map(|instant| instant.0), Some(now - skew));
    assert_eq!(ends("2026-02-01T11:59:00Z").unwrap_err(), "session_expired");
    assert!(ends("2026-02-01T11:59:00.001Z").is_ok());
}

#[test]
fn a_base_id_names_nobody() {
    let parts = Parts { name_id: "<saml:BaseID/>".into(), ..alices() };
    let document = parts.both_signed(Forge::shared()).unwrap();
    let identity = verdict(document.as_bytes(), &Forge::shared().expectations()).unwrap();
    assert_eq!(identity.name_id, None);
    assert_eq!(identity.texts("email").collect::<Vec<_>>(), ["alice@example.com"]);
}

#[test]
fn a_failed_status_is_told_with_both_codes_and_the_message() {
    let reject = refused(|parts| {
        parts.status = "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\">\
                        <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></samlp:StatusCode>\
                        <samlp:StatusMessage> Wrong password </samlp:StatusMessage></samlp:Status>"
            .into();
    });
    assert_eq!(reject.code.code(), "status_not_success");
    let expected = "urn:oasis:names:tc:SAML:2.0:status:Responder; urn:oasis:names:tc:SAML:2.0:status:AuthnFailed; \
                    Wrong password";
    assert_eq!(reject.got, expected);
}

#[test]
fn the_explanation_says_whose_signature_covers_the_assertion() {
    let forge = Forge::shared();
    for (document, expected) in [
        (alices().both_signed(forge).unwrap(), "the response's and its own"),
        (alices().response_signed(forge).unwrap(), "the response's"),
        (alices().assertion_signed(forge).unwrap(), "its own"),
    ] {
        let explanation = explain(document.as_bytes(), Encoding::Xml, &forge.expectations());
        let check = explanation.checks.iter().find(|check| check.name == "Signature coverage").unwrap();
        assert_eq!(check.got, expected);
    }
}

#[test]
fn a_value_that_is_long_is_shortened_in_the_checks() {
    let long = "x".repeat(5_000);
    let issuer = format!("<saml:Issuer>https://{long}.example</saml:Issuer>");
    let parts = Parts { assertion_issuer: issuer, ..alices() };
    let document = parts.both_signed(Forge::shared()).unwrap();
    let explanation = explain(document.as_bytes(), Encoding::Xml, &Forge::shared().expectations());
    let check = explanation.checks.iter().find(|check| check.name == "Assertion issuer").unwrap();
    assert!(check.got.starts_with("https://xxx") && check.got.len() < 1_000, "{}", check.got.len());
}
