//! Encrypted assertions, name identifiers and attributes; encryption is no signature.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sidelight::protocol::check::CheckOutcome;
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::identity::Signed;
use sidelight::protocol::saml::verdict::{explain, verdict};

use crate::forge::{ALICE, Forge, Parts, SIGNER, Signer, cut, der, key_file, signature_of};
use crate::wrapping::Attack;

const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

/// Encrypts this to our key, in an element of this name.
fn encrypted(name: &str, plaintext: &str, algorithm: &str) -> String {
    let mut key = [0_u8; 32];
    rand::fill(&mut key).unwrap();
    let octets = match algorithm {
        CBC => cbc(&key, plaintext.as_bytes()),
        _ => gcm(&key, plaintext.as_bytes()),
    };
    let wrapped = wrap(&key);
    format!(
        "<saml:{name}><xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod Algorithm=\"{algorithm}\"/>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"{OAEP}\">\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"/></xenc:EncryptionMethod>\
         <xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>\
         </ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData></saml:{name}>",
        STANDARD.encode(octets)
    )
}

fn gcm(key: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    let mut nonce = [0_u8; 12];
    rand::fill(&mut nonce).unwrap();
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let mut sealed = plaintext.to_vec();
    sealing.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).unwrap();
    [nonce.as_slice(), &sealed].concat()
}

fn cbc(key: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
    let mut octets = plaintext.to_vec();
    let context = cipher.encrypt(&mut octets).unwrap();
    let DecryptionContext::Iv128(iv) = context else { panic!("CBC has a vector") };
    [iv.as_ref().as_slice(), &octets].concat()
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
    forge.sign(&parts.assertion(), parts.assertion_id)
}

/// Responses with something encrypted that sign Alice in.
pub fn genuine(forge: &Forge) -> Vec<(&'static str, String)> {
    let parts = Parts::genuine();
    let signed = signed_assertion(forge, &parts);
    let around = |inside: &str| parts.response_with("_r1", "", "", inside);
    let name_id = Parts { name_id: encrypted("EncryptedID", &parts.name_id, GCM), ..Parts::genuine() };
    let attribute = cut(&parts.attributes, "<saml:Attribute Name=\"email\"", "</saml:Attribute>").to_owned();
    let attributes = Parts {
        attributes: parts.attributes.replace(&attribute, &encrypted("EncryptedAttribute", &attribute, CBC)),
        ..Parts::genuine()
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
            let alone = forge.sign_as(&parts.assertion(), parts.assertion_id, inclusive);
            around(&encrypted("EncryptedAssertion", &alone, GCM))
        }),
        ("encrypted-nameid", name_id.assertion_signed(forge)),
        ("encrypted-attribute", attributes.assertion_signed(forge)),
    ]
}

pub fn attacks(forge: &Forge) -> Vec<Attack> {
    let (parts, forged) = (Parts::genuine(), Parts::forged());
    let signed = signed_assertion(forge, &parts);
    let around = |inside: &str| parts.response_with("_r1", "", "", inside);
    let assertion = |plaintext: &str| around(&encrypted("EncryptedAssertion", plaintext, GCM));
    let evil = forged.assertion_with("", "");
    let nested = encrypted("EncryptedAssertion", &signed, GCM);
    let data = |document: &str| {
        document.rsplit_once("<xenc:CipherValue>").unwrap().1.split_once('<').unwrap().0.to_owned()
    };
    let damaged = |algorithm: &str, damage: fn(&mut Vec<u8>)| {
        let document = around(&encrypted("EncryptedAssertion", &signed, algorithm));
        let value = data(&document);
        let mut octets = STANDARD.decode(&value).unwrap();
        damage(&mut octets);
        document.replace(&value, &STANDARD.encode(octets))
    };
    let signature = signature_of(&signed).to_owned();
    let bare = signed.replace(&signature, "");
    vec![
        ("forged-assertion-encrypted-to-our-public-key", "unsigned", assertion(&evil)),
        ("forged-assertion-encrypted-original-in-an-object", "decryption_failed", {
            let object = signature
                .replace("</ds:Signature>", &format!("<ds:Object>{bare}</ds:Object></ds:Signature>"));
            assertion(&forged.assertion_with(&object, ""))
        }),
        ("encrypted-wrapping-same-signature", "signature_reference_uri", {
            assertion(&forged.assertion_with(&signature, ""))
        }),
        ("encrypted-tampered", "signature_digest", assertion(&signed.replace(ALICE, "mallory@evil.example"))),
        ("encrypted-tampered-in-inclusive-form", "signature_mismatch", {
            let inclusive = Signer { canonicalization: INCLUSIVE, ..SIGNER };
            let alone = forge.sign_as(&parts.assertion(), parts.assertion_id, inclusive);
            assertion(&alone.replace(ALICE, "mallory@evil.example"))
        }),
        ("encrypted-and-plain-assertion", "several_assertions", {
            around(&[&nested, evil.as_str()].concat())
        }),
        ("encrypted-doctype", "decryption_failed", assertion(&format!("<!DOCTYPE x>{signed}"))),
        ("encrypted-two-elements", "decryption_failed", assertion(&[&signed, evil.as_str()].concat())),
        ("encrypted-response", "decryption_failed", assertion(&parts.assertion_signed(forge))),
        ("encrypted-twice", "decryption_failed", {
            assertion(&nested.replace("<saml:EncryptedAssertion>", {
                "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"
            }))
        }),
        ("encrypted-text", "decryption_failed", assertion("alice")),
        ("encrypted-nothing", "decryption_failed", assertion("")),
        ("gcm-tag-changed", "decryption_failed", damaged(GCM, |octets| *octets.last_mut().unwrap() ^= 1)),
        ("gcm-tag-cut", "decryption_failed", damaged(GCM, |octets| octets.truncate(octets.len() - 4))),
        ("gcm-short", "decryption_failed", damaged(GCM, |octets| octets.truncate(12))),
        ("cbc-padding-changed", "decryption_failed", damaged(CBC, |octets| *octets.last_mut().unwrap() ^= 1)),
        ("cbc-cut", "decryption_failed", damaged(CBC, |octets| octets.truncate(octets.len() - 7))),
        ("cbc-vector-alone", "decryption_failed", damaged(CBC, |octets| octets.truncate(16))),
        ("encrypted-key-changed", "decryption_failed", {
            let document = assertion(&signed);
            let key = cut(&document, "<xenc:CipherValue>", "</xenc:CipherValue>").to_owned();
            document
                .replace(&key, &format!("<xenc:CipherValue>{}</xenc:CipherValue>", STANDARD.encode([7; 256])))
        }),
        ("rsa15-key-transport", "decryption_rsa15", {
            assertion(&signed).replace(OAEP, "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
        }),
        ("cipher-reference", "decryption_structure", {
            let document = assertion(&signed);
            let value = format!("<xenc:CipherValue>{}</xenc:CipherValue>", data(&document));
            document.replace(&value, "<xenc:CipherReference URI=\"http://idp.example.org/assertion\"/>")
        }),
        ("no-issuer-around-an-encrypted-assertion", "response_issuer_missing", {
            Parts { response_issuer: String::new(), ..Parts::genuine() }.response_with("_r1", "", "", &nested)
        }),
        ("encrypted-nameid-that-is-an-attribute", "decryption_failed", {
            let attribute = "<saml:Attribute Name=\"x\"/>";
            Parts { name_id: encrypted("EncryptedID", attribute, GCM), ..Parts::genuine() }
                .assertion_signed(forge)
        }),
        ("encrypted-nameid-with-a-comment", "comment_in_nameid", {
            let name_id = parts.name_id.replace(ALICE, &format!("{ALICE}<!-- -->.evil"));
            Parts { name_id: encrypted("EncryptedID", &name_id, GCM), ..Parts::genuine() }
                .assertion_signed(forge)
        }),
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
    let mut parts = Parts::genuine();
    parts.attributes = format!("<saml:AttributeStatement>{}</saml:AttributeStatement>", attribute.repeat(17));
    let reject = verdict(parts.assertion_signed(forge).as_bytes(), &forge.expectations()).unwrap_err();
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
    let parts = Parts::genuine();
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
    let parts = Parts::genuine();
    let inside = encrypted("EncryptedAssertion", &signed_assertion(forge, &parts), GCM);
    let genuine = forge.sign(&parts.response(&inside), "_r1");
    let issued = "IssueInstant=\"2026-02-01T11:59:55Z\" Destination";
    let tampered = genuine.replace(issued, &issued.replace(":55Z", ":56Z"));
    let stray = genuine.replace("<samlp:Status>", &format!("<samlp:Status>{}", signature_of(&genuine)));
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
    let parts = Parts::genuine();
    let holder = encrypted("EncryptedAssertion", &parts.assertion_with("", ""), CBC);
    let document = parts.response_with("_r1", "", "", &holder);
    let explanation = explain(document.as_bytes(), Encoding::Xml, &forge.expectations());
    assert_eq!(explanation.verdict.unwrap_err().code.code(), "unsigned");
    for check in &explanation.checks[14..] {
        assert_eq!(check.outcome, CheckOutcome::Skipped, "{check:?}");
    }
}
