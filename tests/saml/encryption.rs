//! Encrypted assertions, name identifiers and attributes; encryption is no signature.

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sidelight::protocol::check::CheckOutcome;
use sidelight::protocol::forge::{SIGNER, Signer};
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::identity::Signed;
use sidelight::protocol::saml::verdict::{explain, verdict};

use crate::forge::{ALICE, Forge, Parts, alices, cut, der, first_signature, key_file};

const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";

/// Encrypts this to our key, in an element of this name.
fn encrypted(name: &str, plaintext: &str, algorithm: &str) -> String {
    sidelight::protocol::forge::encrypted(Forge::shared(), name, plaintext, algorithm).unwrap()
}

fn wrap(key: &[u8]) -> String {
    let certificate = der(&key_file("sp.cert.pem"));
    let parsed = <x509_cert::Certificate as x509_cert::der::Decode>::from_der(&certificate).unwrap();
    let spki = x509_cert::der::Encode::to_der(parsed.tbs_certificate().subject_public_key_info()).unwrap();
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&spki).unwrap()).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    STANDARD.encode(public.encrypt(&OAEP_SHA1_MGF1SHA1, key, &mut wrapped, None).unwrap())
}

/// A signed assertion by itself.
fn signed_assertion(forge: &Forge, parts: &Parts) -> String {
    forge.sign(&parts.assertion(), &parts.assertion_id)
}

/// Responses with something encrypted that sign Alice in.
pub fn genuine(forge: &Forge) -> Vec<(&'static str, String)> {
    let parts = alices();
    let signed = signed_assertion(forge, &parts);
    let around = |inside: &str| parts.response_with("_r1", "", "", inside);
    let name_id = Parts { name_id: encrypted("EncryptedID", &parts.name_id, GCM), ..alices() };
    let attribute = cut(&parts.attributes, "<saml:Attribute Name=\"email\"", "</saml:Attribute>").to_owned();
    let attributes = Parts {
        attributes: parts.attributes.replace(&attribute, &encrypted("EncryptedAttribute", &attribute, CBC)),
        ..alices()
    };
    vec![
        ("encrypted-gcm", around(&encrypted("EncryptedAssertion", &signed, GCM))),
        ("encrypted-cbc", around(&encrypted("EncryptedAssertion", &signed, CBC))),
        ("encrypted-in-a-signed-response", {
            let inside = encrypted("EncryptedAssertion", &parts.assertion_with("", ""), GCM);
            forge.sign(&parts.response(&inside), "_r1")
        }),
        ("encrypted-and-both-signed", {
            forge.sign(&parts.response(&encrypted("EncryptedAssertion", &signed, CBC)), "_r1")
        }),
        ("encrypted-with-a-declaration-in-front", {
            around(&encrypted("EncryptedAssertion", &format!("\n <?xml version=\"1.0\"?>{signed}"), GCM))
        }),
        ("encrypted-after-it-was-signed-by-itself-in-inclusive-form", {
            let inclusive = Signer { canonicalization: INCLUSIVE, ..SIGNER };
            let alone = forge.sign_as(&parts.assertion(), &parts.assertion_id, inclusive);
            around(&encrypted("EncryptedAssertion", &alone, GCM))
        }),
        ("encrypted-nameid", name_id.assertion_signed(forge).unwrap()),
        ("encrypted-attribute", attributes.assertion_signed(forge).unwrap()),
    ]
}

#[test]
fn every_genuine_encrypted_response_signs_alice_in() {
    let forge = Forge::shared();
    for (name, document) in genuine(forge) {
        match verdict(document.as_bytes(), &forge.expectations()) {
            Ok(identity) => {
                assert_eq!(identity.name_id.unwrap().value, ALICE, "{name}");
                assert_eq!(identity.attributes.len(), 2, "{name}");
                assert_eq!(
                    identity.decryption_key.is_some(),
                    name.starts_with("encrypted-") && !name.contains("attribute") && !name.contains("nameid")
                );
            }
            Err(reject) => panic!("{name}: {reject:?}"),
        }
    }
}

#[test]
fn an_encrypted_assertion_inside_a_signed_response_is_covered_by_it() {
    let forge = Forge::shared();
    let (_, document) = genuine(forge).remove(2);
    let identity = verdict(document.as_bytes(), &forge.expectations()).unwrap();
    assert_eq!(identity.signed, Signed { response: true, assertion: false });
}

#[test]
fn without_our_key_nothing_is_decrypted() {
    let forge = Forge::shared();
    let (_, document) = genuine(forge).remove(0);
    let mut expectations = forge.expectations();
    expectations.decryption_keys = &[];
    let reject = verdict(document.as_bytes(), &expectations).unwrap_err();
    assert_eq!(reject.code.code(), "decryption_no_keys");
}

#[test]
fn a_stranger_cannot_have_us_decrypt_by_the_thousand() {
    let forge = Forge::shared();
    let attribute = encrypted("EncryptedAttribute", "<saml:Attribute Name=\"x\"/>", GCM);
    let mut parts = alices();
    parts.attributes = format!("<saml:AttributeStatement>{}</saml:AttributeStatement>", attribute.repeat(17));
    let reject =
        verdict(parts.assertion_signed(forge).unwrap().as_bytes(), &forge.expectations()).unwrap_err();
    assert_eq!(reject.code.code(), "decryption_too_many_keys");

    let unsigned = parts.response_with("_r1", "", "", &parts.assertion_with("", ""));
    let explanation = explain(unsigned.as_bytes(), Encoding::Xml, &forge.expectations());
    assert_eq!(explanation.verdict.unwrap_err().code.code(), "unsigned");
    assert_eq!(
        explanation.checks[27].outcome,
        CheckOutcome::Failed,
        "nothing is decrypted for an explanation"
    );
}

#[test]
fn triple_des_signs_in_only_where_it_is_allowed() {
    use des::cipher::{BlockCipherEncrypt, KeyInit};
    let forge = Forge::shared();
    let parts = alices();
    let mut plaintext = signed_assertion(forge, &parts).into_bytes();
    let padding = 8 - plaintext.len() % 8;
    plaintext.extend(std::iter::repeat_n(u8::try_from(padding).unwrap(), padding));
    let (key, mut octets) = ([0x5a_u8; 24], vec![0x11_u8; 8]);
    let cipher = des::TdesEde3::new_from_slice(&key).unwrap();
    for block in plaintext.chunks(8) {
        let before = octets[octets.len() - 8..].to_vec();
        let mixed: [u8; 8] = std::array::from_fn(|at| block[at] ^ before[at]);
        let mut output = mixed.into();
        cipher.encrypt_block(&mut output);
        octets.extend(output.iter());
    }
    let aes = encrypted("EncryptedAssertion", "", CBC);
    let key_of_aes = cut(&aes, "<xenc:CipherValue>", "</xenc:CipherValue>").to_owned();
    let value = |octets: &str| format!("<xenc:CipherValue>{octets}</xenc:CipherValue>");
    let (head, _) = aes.rsplit_once("<xenc:CipherValue>").unwrap();
    let tail = "</xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>";
    let holder = format!("{head}{}{tail}", value(&STANDARD.encode(&octets)))
        .replace(&key_of_aes, &value(&wrap(&key)))
        .replace(CBC, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc");
    let document = parts.response_with("_r1", "", "", &holder);
    let mut expectations = forge.expectations();
    let reject = verdict(document.as_bytes(), &expectations).unwrap_err();
    assert_eq!(reject.code.code(), "decryption_3des");
    assert!(reject.repair().contains("“Take Triple DES encryption”"), "{}", reject.repair());
    expectations.policy.allow_triple_des = true;
    let identity = verdict(document.as_bytes(), &expectations).unwrap();
    assert_eq!(identity.name_id.unwrap().value, ALICE);
}

#[test]
fn nothing_is_decrypted_once_the_signature_around_it_has_failed() {
    let forge = Forge::shared();
    let parts = alices();
    let inside = encrypted("EncryptedAssertion", &signed_assertion(forge, &parts), GCM);
    let genuine = forge.sign(&parts.response(&inside), "_r1");
    let issued = "IssueInstant=\"2026-02-01T11:59:55Z\" Destination";
    let tampered = genuine.replace(issued, &issued.replace(":55Z", ":56Z"));
    let stray = genuine.replace("<samlp:Status>", &format!("<samlp:Status>{}", first_signature(&genuine)));
    for (document, code, decryption) in [
        (&genuine, None, CheckOutcome::Passed),
        (&tampered, Some("signature_digest"), CheckOutcome::Skipped),
        (&stray, Some("signature_misplaced"), CheckOutcome::Skipped),
    ] {
        let explanation = explain(document.as_bytes(), Encoding::Xml, &forge.expectations());
        assert_eq!(explanation.verdict.err().map(|reject| reject.code.code()), code);
        let check = explanation.checks.iter().find(|check| check.name == "Decryption").unwrap();
        assert_eq!(check.outcome, decryption, "{code:?}: {check:?}");
    }
}

#[test]
fn nothing_is_told_of_a_plaintext_that_no_signature_covers() {
    let forge = Forge::shared();
    let parts = alices();
    let holder = encrypted("EncryptedAssertion", &parts.assertion_with("", ""), CBC);
    let document = parts.response_with("_r1", "", "", &holder);
    let explanation = explain(document.as_bytes(), Encoding::Xml, &forge.expectations());
    assert_eq!(explanation.verdict.unwrap_err().code.code(), "unsigned");
    for check in &explanation.checks[14..] {
        assert_eq!(check.outcome, CheckOutcome::Skipped, "{check:?}");
    }
}
