//! A signed document with a piece replaced: where it still verifies, what it says is the same.
//!
//! The first four octets say where and how much, the others what. A document of the fuzzer's own making is
//! signed too, with a key that exists for tests only, so that the code behind the signature is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::protocol::xml::make::{SigningOptions, sign_enveloped};
use sidelight::protocol::xml::{
    Canonicalization, DSIG_NAMESPACE, Document, Element, Limits, SignaturePolicy, SigningKey, VerificationKey,
    verify_enveloped,
};
use std::sync::LazyLock;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_pem(include_str!("../../tests/fixtures/saml/keys/idp-ec.key.pem")).unwrap()
});
static TRUSTED: LazyLock<[VerificationKey; 1]> = LazyLock::new(|| {
    let pem = include_str!("../../tests/fixtures/saml/keys/idp-ec.cert.pem");
    [VerificationKey::from_certificate_pem(pem).unwrap()]
});

const PLAIN: &str = "<s:Response xmlns:s='urn:oasis:names:tc:SAML:2.0:protocol' ID='_1' xmlns:x='urn:x'>\
    <s:Issuer>https://idp.example.org</s:Issuer><!--signature--><x:Subject a='1' x:b='&lt;'>alice<!-- c -->\
    <x:Deep><x:Er xmlns='urn:d'>t&#13;e<![CDATA[<x>]]></x:Er></x:Deep></x:Subject></s:Response>";

static SIGNED: LazyLock<String> =
    LazyLock::new(|| sign_enveloped(PLAIN, &KEY, &SigningOptions::suiting(&KEY)).unwrap());

/// What the signature covers.
fn covered(element: Element<'_>) -> Vec<u8> {
    let signature = element.child(DSIG_NAMESPACE, "Signature");
    let mut octets = Vec::new();
    Canonicalization::EXCLUSIVE.write(element, signature, "", &mut octets);
    octets
}

static COVERED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let document = Document::parse(SIGNED.as_bytes(), &Limits::ASSERTION).unwrap();
    assert!(verify_enveloped(document.root(), &*TRUSTED, &SignaturePolicy::default()).is_ok());
    covered(document.root())
});

fuzz_target!(|octets: &[u8]| {
    let policy = SignaturePolicy { sha1: true, short_keys: true };
    if let Some(([a, b, c, d], piece)) = octets.split_first_chunk() {
        let genuine = SIGNED.as_bytes();
        let from = usize::from(u16::from_le_bytes([*a, *b])) % genuine.len();
        let to = (from + usize::from(u16::from_le_bytes([*c, *d])) % 64).min(genuine.len());
        let changed = [&genuine[..from], piece, &genuine[to..]].concat();
        if let Ok(document) = Document::parse(&changed, &Limits::ASSERTION) {
            for element in document.root().descendants() {
                if let Ok(verified) = verify_enveloped(element, &*TRUSTED, &policy) {
                    assert_eq!(covered(verified.element()), *COVERED);
                }
            }
        }
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let own = format!("<r ID='_1'><!--signature-->{text}</r>");
    if let Ok(signed) = sign_enveloped(&own, &KEY, &SigningOptions::suiting(&KEY)) {
        let Ok(document) = Document::parse(signed.as_bytes(), &Limits::ASSERTION) else { return };
        let _ = verify_enveloped(document.root(), &*TRUSTED, &policy);
    }
});
