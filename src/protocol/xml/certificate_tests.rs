//! Certificates that are odd in what does not concern their key, and texts that are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::base64::encode_base64;
use super::certificate::{Certificate, pem, public_key_of};
use super::key::VerificationKey;
use super::key_reject::KeyReject;

fn certificate(pair: &rcgen::KeyPair) -> Vec<u8> {
    let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "idp.example.org");
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2030, 1, 1);
    parameters.self_signed(pair).unwrap().der().to_vec()
}

#[test]
fn a_certificate_is_read_in_every_spelling() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let der = certificate(&pair);
    let base64 = encode_base64(&der);
    let lines = base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>();
    for text in [
        base64.clone(),
        format!("\n  {}\n  ", lines.join("\r\n\t")),
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")),
        format!("subject=x\n-----BEGIN CERTIFICATE-----{base64}-----END CERTIFICATE-----"),
    ] {
        let key = VerificationKey::from_certificate_pem(&text).unwrap();
        let certificate = key.certificate().unwrap();
        assert_eq!(certificate.der, der);
        assert_eq!(certificate.subject, "CN=idp.example.org");
        assert_eq!((certificate.not_before, certificate.not_after), (1_577_836_800, 1_893_456_000));
        assert_eq!(certificate.fingerprint().len(), 64);
        assert_eq!(key.description(), "ECDSA P-256");
    }
}

#[test]
fn an_odd_certificate_still_gives_its_key() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let der = certificate(&pair);
    // The year 2020 becomes something that is no time.
    let place = der.windows(6).position(|window| window == b"200101").unwrap();
    let mut odd = der.clone();
    odd[place..place + 6].copy_from_slice(b"209999");
    let key = VerificationKey::from_certificate_der(&odd).unwrap();
    assert_eq!(key.certificate().unwrap().not_after, i64::MAX);
    assert_eq!(public_key_of(&der), public_key_of(&odd));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let der = certificate(&pair);
    let reject = |der: &[u8]| VerificationKey::from_certificate_der(der).err();
    assert_eq!(reject(b""), Some(KeyReject::Malformed));
    assert_eq!(reject(&der[1..]), Some(KeyReject::Malformed));
    assert_eq!(reject(&[&der[..], b"\n"].concat()), Some(KeyReject::Malformed));
    for length in 0..der.len() {
        assert!(reject(&der[..length]).is_some());
    }
    let text = |text: &str| VerificationKey::from_certificate_pem(text).err();
    assert_eq!(text(""), Some(KeyReject::NotPem));
    assert_eq!(text("-----BEGIN CERTIFICATE-----\nAAAA"), Some(KeyReject::NotPem));
    assert_eq!(text("not Base64!"), Some(KeyReject::NotPem));
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    assert_eq!(reject(&certificate(&ed25519)), Some(KeyReject::UnsupportedKind));
}

#[test]
fn a_certificate_that_a_message_carries_is_shown_unless_it_is_none_or_too_long() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let der = certificate(&pair);
    let base64 = encode_base64(&der);
    let shown = Certificate::presented(&base64).unwrap();
    assert_eq!(shown.subject, "CN=idp.example.org");
    assert_eq!(Certificate::presented("AAAA"), None);
    assert_eq!(Certificate::presented(&(base64.clone() + &"\n".repeat(12 * 1024))), None);
    let text = pem(&der);
    assert!(
        text.starts_with("-----BEGIN CERTIFICATE-----\n") && text.ends_with("\n-----END CERTIFICATE-----\n")
    );
    assert_eq!(text.lines().filter(|line| !line.starts_with('-')).collect::<String>(), base64);
    assert!(text.lines().all(|line| line.len() <= 64));
}
