//! Certificates: where the key is in them, and what they say to people (RFC 5280).
//!
//! Bytes in, facts out. Nothing here trusts or distrusts anything: that is up to who pins the certificate.
//! Enter at [`public_key_of`] and [`Certificate::read`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::base64::decode_base64;
use super::key::KeyReject;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode;

/// What a certificate says besides its key; for people, not for decisions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The certificate as it came.
    pub der: Vec<u8>,
    /// SHA-256 of the DER.
    pub sha256: [u8; 32],
    /// The subject (RFC 4514); empty where the certificate is too odd to say.
    pub subject: String,
    /// The issuer (RFC 4514); empty where the certificate is too odd to say.
    pub issuer: String,
    /// Begin of validity, seconds since 1970; 0 where the certificate is too odd to say.
    pub not_before: i64,
    /// End of validity, seconds since 1970; the latest there is where the certificate is too odd to say.
    pub not_after: i64,
}

impl Certificate {
    /// Reads what is for people. Certificates in the field break rules that do not concern the key; so a
    /// strict parser that gives up leaves these facts open, and the key stays usable.
    pub(super) fn read(der: &[u8]) -> Certificate {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref());
        let (subject, issuer) = (String::new(), String::new());
        let open =
            Certificate { der: der.to_vec(), sha256, subject, issuer, not_before: 0, not_after: i64::MAX };
        let Ok(parsed) = CertificateInner::<Raw>::from_der(der) else { return open };
        let tbs = parsed.tbs_certificate();
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        Certificate {
            subject: tbs.subject().to_string(),
            issuer: tbs.issuer().to_string(),
            not_before: seconds(tbs.validity().not_before),
            not_after: seconds(tbs.validity().not_after),
            ..open
        }
    }

    /// Reads a certificate that a message carries, to show it; `None` when it is none, or longer than any that is
    /// genuine.
    pub fn presented(base64: &str) -> Option<Certificate> {
        const LONGEST: usize = 12 * 1024;
        let der = Some(base64).filter(|text| text.len() <= LONGEST).and_then(decode_base64)?;
        public_key_of(&der).map(|_| Certificate::read(&der))
    }

    /// Gives the SHA-256 of the DER in lower-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.sha256.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Writes a certificate in PEM (RFC 7468).
pub fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Finds the `SubjectPublicKeyInfo` of a certificate by its place (RFC 5280 §4.1), whatever the other fields say.
pub(super) fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xA0;
    let whole = Field::first(certificate).filter(|field| field.tag == SEQUENCE && field.behind.is_empty())?;
    let mut field = Field::first(Field::first(whole.content).filter(|field| field.tag == SEQUENCE)?.content)?;
    if field.tag == VERSION {
        field = Field::first(field.behind)?;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        field = Field::first(field.behind)?;
    }
    (field.tag == SEQUENCE).then_some(field.whole)
}

/// A field in DER (X.690 §8.1).
struct Field<'d> {
    tag: u8,
    whole: &'d [u8],
    content: &'d [u8],
    behind: &'d [u8],
}

impl<'d> Field<'d> {
    fn first(der: &'d [u8]) -> Option<Field<'d>> {
        let (&tag, rest) = der.split_first()?;
        let (&short, rest) = rest.split_first()?;
        let (length, rest) = match short {
            0..=0x7F => (usize::from(short), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(short & 0x7F))?;
                (octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)), rest)
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        let (whole, _) = der.split_at_checked(der.len() - behind.len())?;
        Some(Field { tag, whole, content, behind })
    }
}

/// Decodes PEM with this label, or bare Base64 where there is no PEM.
pub(super) fn pem_or_base64(text: &str, label: &str) -> Result<Vec<u8>, KeyReject> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let body = match text.split_once(&begin) {
        Some((_, rest)) => rest.split_once(&end).ok_or(KeyReject::NotPem)?.0,
        None => text,
    };
    decode_base64(body).filter(|der| !der.is_empty()).ok_or(KeyReject::NotPem)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::super::{VerificationKey, encode_base64};
    use super::*;

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
        let lines =
            base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>();
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
}
