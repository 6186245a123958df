//! The certificate that the server shows: files of one's own, or a self-signed pair that is made at the first start.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::write;
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::gate;

/// The self-signed certificate and its key, made at the first start without files of one's own.
pub const CERTIFICATE_FILE: &str = "tls-certificate.pem";
pub(super) const CERTIFICATE_KEY_FILE: &str = "tls-key.pem";

/// How long before its end a certificate is spoken of.
const SOON_SECONDS: i64 = 30 * 86_400;
/// Who may not read the key: everybody. A group may be the one that keeps the machine's certificates.
const EVERYBODY: u32 = 0o007;
/// The same of a key that is ours alone.
const OTHERS: u32 = 0o077;

/// A certificate with its key, ready to be shown.
pub(super) struct Certificate {
    pub settings: Arc<rustls::ServerConfig>,
    /// SHA-256, in hex with colons.
    pub fingerprint: String,
    file: PathBuf,
    pub ends: Timestamp,
}

impl Certificate {
    /// Reads files of one's own.
    ///
    /// # Errors
    /// `Denied` with code `tls_certificate` or `tls_key_readable_by_others`.
    pub fn given(certificate: &Path, key: &Path) -> Result<Certificate> {
        read(certificate, key, EVERYBODY)
    }

    /// Reads the self-signed pair in the data directory, made when it is not there.
    ///
    /// # Errors
    /// As [`Certificate::given`]; `Fault` when the files cannot be written.
    pub fn own(directory: &Path, public_origin: Option<&str>) -> Result<Certificate> {
        let (certificate, key) = made_once(directory, public_origin)?;
        read(&certificate, &key, OTHERS)
    }

    /// What is to be said of a certificate that ends soon, or has ended.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        warning(&self.file, self.ends, now)
    }
}

fn read(certificate: &Path, key: &Path, must_not_read: u32) -> Result<Certificate> {
    let text = |path: &Path| {
        std::fs::read_to_string(path).map_err(|e| bad_certificate(path, &format!("cannot be read: {e}")))
    };
    let (certificate_pem, key_pem) = (text(certificate)?, zeroize::Zeroizing::new(text(key)?));
    let mode = key.metadata().map_err(|e| bad_certificate(key, &format!("cannot be read: {e}")))?.mode();
    if mode & must_not_read != 0 {
        let public = format!(
            "The TLS key {} may be read by others (mode {:o}). Run chmod 600 on it.",
            key.display(),
            mode & 0o7777
        );
        return Err(Error::new(Kind::Denied, "tls_key_readable_by_others", public));
    }
    let settings = gate::load_tls(&certificate_pem, &key_pem)
        .map_err(|e| bad_certificate(certificate, &format!("cannot be used with its key: {e}")))?;
    let of_file = |e: gate::TlsError| bad_certificate(certificate, &e.to_string());
    let fingerprint = gate::fingerprint_of_pem(&certificate_pem).map_err(of_file)?;
    let ends = Timestamp::from_seconds(gate::end_of_pem(&certificate_pem).map_err(of_file)?);
    let hex: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(Certificate { settings, fingerprint: hex.join(":"), file: certificate.to_owned(), ends })
}

fn warning(file: &Path, ends: Timestamp, now: Timestamp) -> Option<String> {
    let left = ends.seconds() - now.seconds();
    let (file, date) = (file.display(), ends.to_string());
    let date = date.split('T').next().unwrap_or_default();
    match left {
        ..=0 => Some(format!(
            "The certificate {file} ended on {date} (UTC): browsers and clients refuse it. Put a new one in its place \
             and restart."
        )),
        1..=SOON_SECONDS => Some(format!(
            "The certificate {file} ends on {date} (UTC), in {} days. Put a new one in its place and restart.",
            left / 86_400
        )),
        _ => None,
    }
}

/// Makes the self-signed pair at the first start, for this machine and the host of `public_origin`; the key
/// first, so that a certificate never stands alone.
fn made_once(directory: &Path, public_origin: Option<&str>) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (directory.join(CERTIFICATE_FILE), directory.join(CERTIFICATE_KEY_FILE));
    if !certificate.exists() {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let public = public_origin.map(|origin| host_of(origin).to_owned());
        for host in public.into_iter().chain([own]) {
            if !host.is_empty() && !names.contains(&host) {
                names.push(host);
            }
        }
        let made = gate::self_signed(&names).map_err(|e| bad_certificate(&certificate, &e.to_string()))?;
        write(&key, made.key_pem.as_bytes(), 0o600)?;
        write(&certificate, made.cert_pem.as_bytes(), 0o644)?;
    }
    Ok((certificate, key))
}

/// The host of an origin such as `https://sso.example.com:8443`.
fn host_of(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn bad_certificate(path: &Path, why: &str) -> Error {
    Error::new(Kind::Denied, "tls_certificate", format!("The certificate {} {why}.", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_certificate_is_spoken_of_for_thirty_days_before_its_end_and_after_it() {
        let ends = Timestamp::parse("2027-03-01T12:00:00Z").unwrap();
        let said = |now: &str| warning(Path::new("x.pem"), ends, Timestamp::parse(now).unwrap());
        assert_eq!(said("2027-01-30T11:59:59Z"), None);
        let soon = said("2027-01-30T12:00:00Z").unwrap();
        assert!(soon.contains("x.pem ends on 2027-03-01 (UTC), in 30 days"), "{soon}");
        assert!(said("2027-03-01T11:59:59Z").unwrap().contains("in 0 days"));
        assert!(said("2027-03-01T12:00:00Z").unwrap().contains("ended on 2027-03-01"));
    }

    #[test]
    fn the_host_of_an_origin_has_no_scheme_port_or_brackets() {
        for (origin, host) in [
            ("https://sso.example.com", "sso.example.com"),
            ("https://sso.example.com:8443", "sso.example.com"),
            ("https://192.0.2.7:8443", "192.0.2.7"),
            ("https://[2001:db8::7]:8443", "2001:db8::7"),
        ] {
            assert_eq!(host_of(origin), host);
        }
    }
}
