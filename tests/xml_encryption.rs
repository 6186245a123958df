//! Decryption against the shared vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use sidelight::protocol::xml::{
    DecryptReject, DecryptionKey, Document, EncryptionPolicy, Limits, XENC_NAMESPACE, XmlRule, decode_base64,
    decrypt_element, decrypt_octets,
};
use std::path::{Path, PathBuf};

/// Where the shared vectors are; they are no part of the project.
fn vectors(kind: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(kind);
    if !folder.is_dir() {
        println!("skipped: there are no shared vectors beside this checkout");
        return None;
    }
    Some(folder)
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn vectors_decrypt_to_their_plaintext() {
    let Some(folder) = vectors("xmldsig") else { return };
    let mut wrong = Vec::new();
    for case in json(folder.join("manifest.json"))["enc"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if case["key_transport"].is_null() {
            println!("outside the profile: {id}: a key known to both sides by name");
            continue;
        }
        let file = std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap();
        let document = match Document::parse(&file, &Limits::METADATA) {
            Err(reject) if matches!(reject.rule, XmlRule::ForeignEncoding | XmlRule::Doctype) => {
                println!("outside the profile: {id}: {reject}");
                continue;
            }
            parsed => parsed.unwrap(),
        };
        let data = document.root().descendants().find(|e| e.is(XENC_NAMESPACE, "EncryptedData")).unwrap();
        let key = std::fs::read_to_string(folder.join(case["key_file"].as_str().unwrap())).unwrap();
        let keys = [DecryptionKey::from_pem(&key).unwrap()];
        let plaintext = std::fs::read(folder.join(case["expected_plaintext"].as_str().unwrap())).unwrap();
        let legacy = EncryptionPolicy { rsa15: true, triple_des: true };
        for (policy, expect) in [(legacy, "expect"), (EncryptionPolicy::default(), "expect_strict")] {
            let outcome = decrypt_octets(data, &keys, &policy);
            let as_expected = match case[expect].as_str().unwrap() {
                "decrypt" => outcome.as_ref() == Ok(&plaintext),
                _ => matches!(outcome, Err(DecryptReject::Rsa15 | DecryptReject::TripleDes)),
            };
            if !as_expected {
                wrong.push(format!("{id} {expect}: {:?}", outcome.map(|octets| octets.len())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn genuine_encrypted_assertions_are_decrypted() {
    const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    let Some(folder) = vectors("saml") else { return };
    let mut count = 0;
    for case in json(folder.join("cases.json")).as_array().unwrap() {
        if case["kind"] != "response" || case["encrypted"] != true || case["expect"] != "valid" {
            continue;
        }
        let file = std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap();
        let xml = match case["encoding"].as_str().unwrap() {
            "xml" => file,
            _ => decode_base64(std::str::from_utf8(&file).unwrap()).unwrap(),
        };
        let key = std::fs::read_to_string(folder.join(case["decrypt_key_file"].as_str().unwrap())).unwrap();
        let document = Document::parse(&xml, &Limits::ASSERTION).unwrap();
        let holder = document.root().child(ASSERTION, "EncryptedAssertion").unwrap();
        let keys = [DecryptionKey::from_pem(&key).unwrap()];
        let plain = decrypt_element(holder, &keys, &EncryptionPolicy { rsa15: true, triple_des: true })
            .unwrap_or_else(|reject| panic!("{}: {reject}", case["id"]));
        assert!(plain.document.root().is(ASSERTION, "Assertion"));
        count += 1;
    }
    println!("{count} assertions decrypted");
}
