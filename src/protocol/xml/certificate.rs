//! Certificates: where the key is in them, and what they say to people (RFC 5280).
//!
//! Bytes in, facts out. Nothing here trusts or distrusts anything: that is up to who pins the certificate.
//! Enter at [`public_key_of`] and [`Certificate::read`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::base64::decode_base64;
use super::key_reject::KeyReject;
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
    let whole =
        DerField::first(certificate).filter(|field| field.tag == SEQUENCE && field.behind.is_empty())?;
    let mut field =
        DerField::first(DerField::first(whole.content).filter(|field| field.tag == SEQUENCE)?.content)?;
    if field.tag == VERSION {
        field = DerField::first(field.behind)?;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        field = DerField::first(field.behind)?;
    }
    (field.tag == SEQUENCE).then_some(field.whole)
}

/// A field in DER (X.690 §8.1).
struct DerField<'d> {
    tag: u8,
    whole: &'d [u8],
    content: &'d [u8],
    behind: &'d [u8],
}

impl<'d> DerField<'d> {
    fn first(der: &'d [u8]) -> Option<DerField<'d>> {
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
        Some(DerField { tag, whole, content, behind })
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
