//! Signatures against the shared vectors: with the same canonical form, digests and keys that the profile
//! uses, in the general shapes that the profile refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use sidelight::protocol::xml::{
    Canonicalization, DSIG_NAMESPACE, DigestAlgorithm, Document, Element, Limits, Method, SignaturePolicy,
    SignatureReject, VerificationKey, decode_base64, verify_detached, verify_enveloped,
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

/// Algorithms outside the profile, and why.
fn outside_the_profile(case: &Value) -> Option<&'static str> {
    let names = case["digest_algs"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    for name in names {
        if DigestAlgorithm::from_uri(name).is_none() {
            return Some("a digest that no identity provider uses (SHA-224)");
        }
    }
    None
}

fn child<'d>(element: Element<'d>, local: &str) -> Result<Element<'d>, String> {
    element.child(DSIG_NAMESPACE, local).ok_or_else(|| format!("no {local}"))
}

/// Core validation (XML Signature §3.2), for any place of the signature.
fn verify(document: &Document, key: VerificationKey) -> Result<(), String> {
    let signature = document.root().descendants().find(|e| e.is(DSIG_NAMESPACE, "Signature")).unwrap();
    let signed_info = child(signature, "SignedInfo")?;
    let algorithm = |element: Element<'_>| element.attribute("Algorithm").unwrap().to_owned();
    let form = Canonicalization::from_uri(&algorithm(child(signed_info, "CanonicalizationMethod")?)).unwrap();
    let octets = form.octets(signed_info, "");
    let value = decode_base64(&child(signature, "SignatureValue")?.plain_text().unwrap()).unwrap();
    let method = algorithm(child(signed_info, "SignatureMethod")?);
    verify_detached(&octets, &method, &value, &[key], &SignaturePolicy { sha1: true, short_keys: true })
        .map_err(|reject| reject.code().to_owned())?;
    for reference in signed_info.children_named(DSIG_NAMESPACE, "Reference") {
        let mut form = Canonicalization { method: Method::Inclusive10, comments: false };
        let mut excluded = None;
        for transform in reference.descendants().filter(|e| e.is(DSIG_NAMESPACE, "Transform")) {
            match algorithm(transform).as_str() {
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature" => excluded = Some(signature),
                other => form = Canonicalization::from_uri(other).unwrap(),
            }
        }
        let uri = reference.attribute("URI").unwrap();
        let mut octets = Vec::new();
        match uri.strip_prefix('#') {
            Some(id) => {
                let found = document
                    .root()
                    .descendants()
                    .find(|e| ["Id", "ID", "id"].iter().any(|name| e.attribute(name) == Some(id)));
                form.write(found.unwrap(), excluded, "", &mut octets);
            }
            // Only the root element stands in these documents.
            None => form.write(document.root(), excluded, "", &mut octets),
        }
        let digest =
            DigestAlgorithm::from_uri(&algorithm(child(reference, "DigestMethod")?)).unwrap().digest(&octets);
        let expected = decode_base64(&child(reference, "DigestValue")?.plain_text().unwrap()).unwrap();
        if digest != expected {
            return Err("digest".to_owned());
        }
    }
    Ok(())
}

#[test]
fn signatures_verify_as_the_vectors_say() {
    let Some(folder) = vectors("xmldsig") else { return };
    let mut wrong = Vec::new();
    for case in json(folder.join("manifest.json"))["dsig"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if let Some(reason) = outside_the_profile(case) {
            println!("outside the profile: {id}: {reason}");
            continue;
        }
        let document = Document::parse(
            &std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap(),
            &Limits::ASSERTION,
        )
        .unwrap();
        // The HMAC vectors have no public key; they must fail with any.
        let key_file = case["key_file"].as_str().filter(|name| name.ends_with("pub.pem"));
        let key_file = key_file.unwrap_or("keys/f3511aea3b6d.pub.pem");
        let key =
            VerificationKey::from_public_key_pem(&std::fs::read_to_string(folder.join(key_file)).unwrap());
        let outcome = key.map_err(|reject| reject.code().to_owned()).and_then(|key| verify(&document, key));
        let expected = case["expect"] == "valid";
        if outcome.is_ok() != expected {
            wrong.push(format!("{id}: {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn genuine_responses_carry_signatures_that_verify() {
    let Some(folder) = vectors("saml") else { return };
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in json(folder.join("cases.json")).as_array().unwrap() {
        if case["kind"] != "response" || case["expect"] != "valid" {
            continue;
        }
        let file = std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap();
        let xml = match case["encoding"].as_str().unwrap() {
            "xml" => file,
            "base64" => decode_base64(std::str::from_utf8(&file).unwrap()).unwrap(),
            _ => continue,
        };
        let keys: Vec<_> = case["cert_files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| {
                let text = std::fs::read_to_string(folder.join(name.as_str().unwrap())).unwrap();
                VerificationKey::from_certificate_pem(&text).unwrap()
            })
            .collect();
        let document = Document::parse(&xml, &Limits::ASSERTION).unwrap();
        let root = document.root();
        let policy = {
            let legacy = case["policy"]["allow_sha1"] == true;
            SignaturePolicy { sha1: legacy, short_keys: legacy }
        };
        for (element, what) in [
            (Some(root), "response"),
            (root.child("urn:oasis:names:tc:SAML:2.0:assertion", "Assertion"), "assertion"),
        ] {
            let expected = case["signed"][what] == true;
            if let Some(element) = element {
                let outcome = verify_enveloped(element, &keys, &policy);
                count += usize::from(outcome.is_ok());
                let missing = matches!(outcome, Err(SignatureReject::Missing));
                if outcome.is_ok() != expected || (!expected && !missing) {
                    wrong.push(format!("{} {what}: {outcome:?}", case["id"]));
                }
            }
        }
    }
    println!("{count} signatures verified");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
