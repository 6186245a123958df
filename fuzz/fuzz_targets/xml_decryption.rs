//! Any plaintext, encrypted to our key, and any damage to an encrypted element.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::protocol::xml::make::encrypt_element;
use sidelight::protocol::xml::{
    DecryptReject, DecryptionKey, Document, EncryptionPolicy, Limits, VerificationKey, decrypt_element,
};
use std::sync::LazyLock;

static KEYS: LazyLock<[DecryptionKey; 1]> = LazyLock::new(|| {
    [DecryptionKey::from_pem(include_str!("../../tests/fixtures/saml/keys/sp.key.pem")).unwrap()]
});
static CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pem = include_str!("../../tests/fixtures/saml/keys/sp.cert.pem");
    VerificationKey::from_certificate_pem(pem).unwrap().certificate().unwrap().der.clone()
});
static ENCRYPTED: LazyLock<String> = LazyLock::new(|| encrypt_element("<x/>", &CERTIFICATE).unwrap());

const POLICY: EncryptionPolicy = EncryptionPolicy { rsa15: true, triple_des: true };

fn open(inside: &[u8]) -> Option<Result<Document, DecryptReject>> {
    let holder = [b"<e xmlns:p='urn:p'>", inside, b"</e>"].concat();
    let document = Document::parse(&holder, &Limits::ASSERTION).ok()?;
    Some(decrypt_element(document.root(), &*KEYS, &POLICY).map(|decrypted| decrypted.document))
}

fuzz_target!(|octets: &[u8]| {
    if let Some(([a, b, c, d], piece)) = octets.split_first_chunk() {
        let genuine = ENCRYPTED.as_bytes();
        let from = usize::from(u16::from_le_bytes([*a, *b])) % genuine.len();
        let to = (from + usize::from(u16::from_le_bytes([*c, *d])) % 64).min(genuine.len());
        let _ = open(&[&genuine[..from], piece, &genuine[to..]].concat());
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let inside = encrypt_element(text, &CERTIFICATE).unwrap();
    if let Some(Err(reject)) = open(inside.as_bytes()) {
        // Whatever is wrong with the plaintext, it looks alike.
        assert_eq!(reject, DecryptReject::Failed);
    }
});
