//! Keys that are shorter than what is recommended today.

use sidelight::protocol::forge::SIGNER;
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::expectations::Policy;
use sidelight::protocol::saml::verdict::{explain, verdict};
use sidelight::protocol::xml::VerificationKey;

use crate::forge::{ALICE, Forge, alices, der, key_file};

/// A response by this key, and that key alone to verify with.
fn by(key: &str, certificate: &str) -> (String, Vec<VerificationKey>) {
    let parts = alices();
    let document = parts.response_with("_r1", "", "", &parts.assertion());
    let signed =
        sidelight::protocol::forge::Forge::sign_by(&document, &parts.assertion_id, &SIGNER, |octets| {
            Some(short_rsa(key, octets))
        });
    let signed = signed.unwrap();
    (signed, vec![VerificationKey::from_certificate_pem(&key_file(certificate)).unwrap()])
}

#[test]
fn a_key_of_512_bits_verifies_nothing_whatever_is_allowed() {
    let (document, keys) = by("idp-rsa512.key.pem", "idp-rsa512.cert.pem");
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
    let (document, keys) = by("idp-rsa1024.key.pem", "idp-rsa1024.cert.pem");
    let mut expectations = Forge::shared().expectations();
    expectations.verification_keys = &keys;
    let explanation = explain(document.as_bytes(), Encoding::Xml, &expectations);
    assert_eq!(explanation.verdict.unwrap().name_id.unwrap().value, ALICE);
    let check = explanation.checks.iter().find(|check| check.name == "Assertion signature").unwrap();
    assert!(check.got.contains("weak key: RSA 1024, below 2,048 bits"), "{check:?}");
    // A key of today is not.
    let genuine = alices().assertion_signed(Forge::shared()).unwrap();
    let explanation = explain(genuine.as_bytes(), Encoding::Xml, &Forge::shared().expectations());
    assert!(explanation.checks.iter().all(|check| !check.got.contains("weak")));
}

/// An RSA-SHA256 signature by a key that is too short for the usual library (RFC 8017 8.2.1).
fn short_rsa(file: &str, octets: &[u8]) -> Vec<u8> {
    use rsa::pkcs8::DecodePrivateKey;
    use rsa::traits::PublicKeyParts;
    const SHA256_INFO: [u8; 19] = [48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32];
    let key = rsa::PrivateKey::from_pkcs8_der(&der(&key_file(file))).unwrap();
    let info =
        [SHA256_INFO.as_slice(), &sidelight::protocol::xml::DigestAlgorithm::Sha256.digest(octets)].concat();
    let padding = vec![0xff; key.size() - info.len() - 3];
    let encoded = [&[0, 1][..], &padding, &[0], &info].concat();
    let number = rsa::BoxedUint::from_be_slice(&encoded, key.n_bits_precision()).unwrap();
    let octets =
        rsa::hazmat::rsa_decrypt_and_check(&key, None::<&mut NoRandom>, &number).unwrap().to_be_bytes();
    octets[octets.len() - key.size()..].to_vec()
}

/// Blinding is for keys that are secret.
struct NoRandom;

impl rsa::rand_core::TryRng for NoRandom {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("it is never asked")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("it is never asked")
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        unreachable!("it is never asked")
    }
}

impl rsa::rand_core::TryCryptoRng for NoRandom {}
