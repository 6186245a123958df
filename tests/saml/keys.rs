//! Keys that are shorter than what is recommended today.

use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::expectations::Policy;
use sidelight::protocol::saml::verdict::{explain, verdict};
use sidelight::protocol::xml::VerificationKey;

use crate::forge::{ALICE, Forge, Key, Parts, SIGNER, Signer, key_file};

/// A response by this key, and that key alone to verify with.
fn by(key: Key, certificate: &str) -> (String, Vec<VerificationKey>) {
    let parts = Parts::genuine();
    let document = parts.response_with("_r1", "", "", &parts.assertion());
    let signed = Forge::shared().sign_as(&document, parts.assertion_id, Signer { key, ..SIGNER });
    (signed, vec![VerificationKey::from_certificate_pem(&key_file(certificate)).unwrap()])
}

#[test]
fn a_key_of_512_bits_verifies_nothing_whatever_is_allowed() {
    let (document, keys) = by(Key::Rsa512, "idp-rsa512.cert.pem");
    for allow_sha1 in [false, true] {
        let expectations = sidelight::protocol::saml::expectations::Expectations {
            verification_keys: &keys,
            policy: Policy { allow_sha1, ..Policy::default() },
            ..Forge::shared().expectations()
        };
        let reject = verdict(document.as_bytes(), &expectations).unwrap_err();
        assert_eq!(reject.code.code(), "signature_weak_key", "SHA-1 allowed: {allow_sha1}");
    }
}

#[test]
fn a_key_of_1024_bits_verifies_and_the_explanation_calls_it_weak() {
    let (document, keys) = by(Key::Rsa1024, "idp-rsa1024.cert.pem");
    let mut expectations = Forge::shared().expectations();
    expectations.verification_keys = &keys;
    let explanation = explain(document.as_bytes(), Encoding::Xml, &expectations);
    assert_eq!(explanation.verdict.unwrap().name_id.unwrap().value, ALICE);
    let check = explanation.checks.iter().find(|check| check.name == "Assertion signature").unwrap();
    assert!(check.got.contains("weak key: RSA 1024, below 2,048 bits"), "{check:?}");
    // A key of today is not.
    let genuine = Parts::genuine().assertion_signed(Forge::shared());
    let explanation = explain(genuine.as_bytes(), Encoding::Xml, &Forge::shared().expectations());
    assert!(explanation.checks.iter().all(|check| !check.got.contains("weak")));
}
