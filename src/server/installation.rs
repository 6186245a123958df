//! What only the program itself knows of how it was started: its certificate, and settings that contradict each other.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::certificate::CERTIFICATE_FILE;
use crate::clock::Timestamp;
use crate::config::{Config, origin_parts};
use crate::gate;
use crate::model::Mode;
use crate::model::doctor::{Installation, ServerCertificate};

/// What the configuration says, for the doctor. A certificate that cannot be read is none; the server does not start
/// with it.
pub fn installation(config: &Config) -> Installation {
    let certificate = (!config.plain_http).then(|| certificate(config)).flatten();
    Installation {
        certificate,
        public_origin: config.public_origin.clone(),
        contradictions: contradictions(config),
        ..Installation::default()
    }
}

/// For how long the server has run that wrote this file when it was ready.
pub fn uptime_by(file: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(file.metadata().ok()?.modified().ok()?).ok()
}

fn certificate(config: &Config) -> Option<ServerCertificate> {
    let own = || config.data.join(CERTIFICATE_FILE);
    let file: PathBuf = config.tls.as_ref().map_or_else(own, |(certificate, _)| certificate.clone());
    let ends = gate::end_of_pem(&std::fs::read_to_string(file).ok()?).ok()?;
    Some(ServerCertificate { ends_at: Timestamp::from_seconds(ends), is_own: config.tls.is_none() })
}

fn contradictions(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let mut says = |sentence: &str| found.push(sentence.to_owned());
    let production = config.mode == Mode::Production;
    let public_is_tls = config
        .public_origin
        .as_deref()
        .and_then(origin_parts)
        .is_some_and(|(scheme, loopback)| scheme == "https" && !loopback);
    if config.plain_http && public_is_tls && config.trusted_proxies.is_empty() {
        says(
            "plain_http with a public_url means a proxy, but trusted_proxies is empty: all requests seem to come from \
             one address, and the failures of one person count against all. Name the proxy.",
        );
    }
    if production && !config.trusted_proxies.is_empty() && config.public_origin.is_none() {
        says("trusted_proxies is set and public_url is not: name the address that people use.");
    }
    if config.metrics_listen.is_some_and(|address| !address.ip().is_loopback()) {
        says(
            "metrics_listen is no loopback address: whoever reaches it reads how busy the appliance is, without TLS. \
             Have a firewall name who may.",
        );
    }
    if config.plain_http && config.tls.is_some() {
        says("plain_http leaves tls_cert and tls_key unused: take one of them away.");
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// How many contradictions there are under these settings, in production.
    fn contradicting(settings: &[(&'static str, &str)]) -> usize {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("none.toml");
        std::fs::write(&file, "").unwrap();
        let flags = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        contradictions(&Config::read(&flags, Some(&file), |_| None).unwrap()).len()
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        const PLAIN: [(&str, &str); 2] = [("plain_http", "true"), ("listen", "127.0.0.1:0")];
        let plain = |more: &[(&'static str, &'static str)]| contradicting(&[&PLAIN, more].concat());
        const PUBLIC: (&str, &str) = ("public_url", "https://sso.example.com");
        const PROXY: (&str, &str) = ("trusted_proxies", "10.0.0.7");
        assert_eq!(plain(&[]), 0);
        assert_eq!((plain(&[PUBLIC]), plain(&[PUBLIC, PROXY]), plain(&[PROXY])), (1, 0, 1));
        assert_eq!(plain(&[("tls_cert", "c.pem"), ("tls_key", "k.pem")]), 1);
        assert_eq!(contradicting(&[("metrics_listen", "9464")]), 0);
        assert_eq!(contradicting(&[("metrics_listen", "10.0.0.7:9464")]), 1);
    }
}
