//! TLS for the front door: the server's settings from PEM, and a certificate of our own when there is none.
//!
//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446) by rustls on aws-lc-rs. No client certificates, no early data, and
//! session tickets under a key that lives in memory only. Knows nothing of sockets or files.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How long a self-signed certificate is valid: it is trusted by its fingerprint, and its expiry would stop
/// an installation that nobody looks after.
const SELF_SIGNED_LIFE: Duration = Duration::from_secs(3650 * 86_400);
/// Clients whose clock is slow still accept a fresh certificate.
const BACKDATED: Duration = Duration::from_secs(86_400);

/// A new certificate and its private key.
pub struct SelfSigned {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The private key, PKCS #8 in PEM.
    pub key_pem: zeroize::Zeroizing<String>,
    /// SHA-256 of the certificate's DER form.
    pub fingerprint: [u8; 32],
}

/// Why a certificate and key cannot be used.
#[derive(Debug)]
pub enum TlsError {
    /// The certificate file has no PEM certificate, or one that does not decode.
    Certificate(String),
    /// The key file has no PEM private key, or one that does not decode.
    Key(String),
    /// Key and certificate do not belong together, or their algorithm is not supported.
    Pair(String),
    /// No certificate could be made from these names.
    Make(String),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Certificate(why) => write!(f, "the TLS certificate cannot be read: {why}"),
            Self::Key(why) => write!(f, "the TLS private key cannot be read: {why}"),
            Self::Pair(why) => write!(f, "the TLS certificate and key cannot be used together: {why}"),
            Self::Make(why) => write!(f, "no self-signed certificate could be made: {why}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// Makes a self-signed ECDSA P-256 certificate for these DNS names and IP addresses.
///
/// # Errors
/// [`TlsError::Make`] when a name is not a DNS name or address.
pub fn self_signed(names: &[String]) -> Result<SelfSigned, TlsError> {
    let make = |error: rcgen::Error| TlsError::Make(error.to_string());
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(make)?;
    let mut params = rcgen::CertificateParams::new(names.to_vec()).map_err(make)?;
    let now = SystemTime::now();
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + SELF_SIGNED_LIFE).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Sidelight, self-signed");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    let certificate = params.self_signed(&key).map_err(make)?;
    Ok(SelfSigned {
        cert_pem: certificate.pem(),
        key_pem: key.serialize_pem().into(),
        fingerprint: fingerprint(certificate.der()),
    })
}

/// Computes SHA-256 of a certificate's DER form.
pub fn fingerprint(der: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(der).into()
}

/// Computes the fingerprint of the first certificate of a PEM file.
///
/// # Errors
/// [`TlsError::Certificate`] when there is none.
pub fn fingerprint_of_pem(cert_pem: &str) -> Result<[u8; 32], TlsError> {
    let certificate = CertificateDer::from_pem_slice(cert_pem.as_bytes())
        .map_err(|error| TlsError::Certificate(error.to_string()))?;
    Ok(fingerprint(&certificate))
}

/// Reads when the first certificate of a PEM file ends, in seconds since 1970.
///
/// # Errors
/// [`TlsError::Certificate`] when there is none, or it cannot be read.
pub fn end_of_pem(cert_pem: &str) -> Result<i64, TlsError> {
    use x509_cert::der::DecodePem;
    let first = cert_pem.find("-----BEGIN CERTIFICATE").and_then(|start| cert_pem.get(start..));
    let first = first.and_then(|text| text.split_inclusive("-----END CERTIFICATE-----").next());
    let unread = |why: String| TlsError::Certificate(why);
    let first = first.ok_or_else(|| unread("there is no certificate in it".into()))?;
    let certificate =
        x509_cert::Certificate::from_pem(first.as_bytes()).map_err(|error| unread(error.to_string()))?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
    Ok(i64::try_from(end).unwrap_or(i64::MAX / 1000))
}

/// Builds the TLS settings from a certificate chain (leaf first) and its private key, both PEM.
///
/// # Errors
/// [`TlsError::Certificate`], [`TlsError::Key`] or [`TlsError::Pair`], with what is wrong.
pub fn load_tls(cert_pem: &str, key_pem: &str) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(cert_pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(TlsError::Certificate("it holds no PEM certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
        .map_err(|error| TlsError::Key(error.to_string()))?;
    let pair = |error: rustls::Error| TlsError::Pair(error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(pair)?;
    // One ticket is enough for clients that reuse connections; the default of two only adds bytes.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_self_signed_certificate_loads_and_has_the_fingerprint_of_its_pem() {
        let made = self_signed(&["localhost".into(), "127.0.0.1".into(), "::1".into()]).unwrap();
        assert!(load_tls(&made.cert_pem, &made.key_pem).is_ok());
        assert_eq!(fingerprint_of_pem(&made.cert_pem).unwrap(), made.fingerprint);
    }

    #[test]
    fn the_end_of_the_first_certificate_is_read() {
        let made = self_signed(&["localhost".into()]).unwrap();
        let wanted = (SystemTime::now() + SELF_SIGNED_LIFE).duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let ends = end_of_pem(&format!("a comment\n{}{}", made.cert_pem, made.cert_pem)).unwrap();
        assert!((wanted.as_secs().cast_signed() - ends).abs() < 3_600);
        assert!(matches!(end_of_pem("none"), Err(TlsError::Certificate(_))));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let one = self_signed(&["localhost".into()]).unwrap();
        let other = self_signed(&["localhost".into()]).unwrap();
        assert!(matches!(load_tls(&one.cert_pem, &other.key_pem), Err(TlsError::Pair(_))));
    }

    #[test]
    fn files_without_pem_are_refused_by_name() {
        let made = self_signed(&["localhost".into()]).unwrap();
        assert!(matches!(load_tls("", &made.key_pem), Err(TlsError::Certificate(_))));
        assert!(matches!(load_tls(&made.cert_pem, "nonsense"), Err(TlsError::Key(_))));
    }
}
