//! `sidelight explain`: checks a SAML response or metadata offline, and explains the result.
//!
//! What was typed is turned into what is meant here; the verdict is `protocol::saml`'s, the words are in
//! `report`. Nothing is stored and nobody is signed in. Exit status: 0 accepted, 1 rejected, 2 usage.

mod report;

use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use argh::{ArgsInfo, FromArgs};

use super::host::Host;
use super::terminal::colours;
use crate::clock::Timestamp;
use crate::protocol::saml::bindings::Encoding;
use crate::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use crate::protocol::saml::metadata::{self, IdentityProvider, Metadata, MetadataExpectations};
use crate::protocol::saml::verdict;
use crate::protocol::xml::{DecryptionKey, VerificationKey};

/// Files larger than this are not what this command is for, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// check a SAML response or metadata offline, and explain the result
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "explain",
    example = "{command_name} response.b64 --metadata idp.xml --audience glance.net/sp/1 --acs 'https://sso.example.com/account/GetLoginKey.aspx?sso=1&idpid=5'",
    error_code(0, "accepted"),
    error_code(1, "rejected"),
    error_code(2, "wrong usage")
)]
pub struct Explain {
    /// the file to check; /dev/stdin for standard input
    #[argh(positional)]
    file: String,
    /// what the file is: response (default) or metadata
    #[argh(option, default = "String::from(\"response\")")]
    kind: String,
    /// how the response is encoded: auto (default), xml, base64 or percent-base64
    #[argh(option, default = "String::from(\"auto\")")]
    encoding: String,
    /// a certificate of the identity provider (PEM); repeat for several. With --kind metadata: the pinned signer
    #[argh(option)]
    cert: Vec<String>,
    /// the identity provider's metadata: its certificates are trusted, its entity ID is the issuer
    #[argh(option)]
    metadata: Option<String>,
    /// entity ID of the identity provider
    #[argh(option)]
    issuer: Option<String>,
    /// our entity ID
    #[argh(option)]
    audience: Option<String>,
    /// URL of our assertion consumer service; repeat for several
    #[argh(option)]
    acs: Vec<String>,
    /// ID of the request that the response answers; without it, only an unsolicited response is accepted
    #[argh(option)]
    in_response_to: Vec<String>,
    /// the time to use for the checks (RFC 3339; default: now)
    #[argh(option)]
    now: Option<String>,
    /// how far the clocks may differ, in seconds (default 60)
    #[argh(option, default = "60")]
    skew: u32,
    /// a private key to decrypt with (PEM); repeat for several
    #[argh(option)]
    decrypt_key: Vec<String>,
    /// what to allow, separated by commas: sha1 (also allows RSA keys below 1,024 bits, which no group can allow),
    /// rsa15, 3des, no-audience
    #[argh(option)]
    allow: Vec<String>,
}

/// Wrong usage, in words.
struct Usage(String);

impl Explain {
    /// Runs the command.
    pub fn run(self, host: &Host) -> ExitCode {
        let judged = match self.kind.as_str() {
            "response" => self.response(host),
            "metadata" => self.upload(host),
            other => Err(Usage(format!("--kind is response or metadata, not {other}"))),
        };
        match judged {
            Ok((accepted, report)) => {
                // A closed pipe is not an error.
                let _ = io::stdout().lock().write_all(report.as_bytes());
                if accepted { ExitCode::SUCCESS } else { ExitCode::from(1) }
            }
            Err(Usage(message)) => host.wrong_usage(&format!("sidelight explain: {message}")),
        }
    }

    fn response(&self, host: &Host) -> Result<(bool, String), Usage> {
        let message = read(&self.file)?;
        let encoding = match self.encoding.as_str() {
            "auto" => Encoding::Auto,
            "xml" => Encoding::Xml,
            "base64" => Encoding::Base64,
            "percent-base64" => Encoding::PercentBase64,
            other => {
                return Err(Usage(format!("--encoding is auto, xml, base64 or percent-base64, not {other}")));
            }
        };
        let audience = self.audience()?;
        let trust = self.trust()?;
        let decryption_keys = self.decryption_keys()?;
        let expectations = Expectations {
            now: self.time()?,
            skew: i64::from(self.skew) * 1_000,
            idp_entity_id: &trust.issuer,
            audience,
            acs: &self.acs,
            in_response_to: InResponseTo {
                outstanding: &self.in_response_to,
                unsolicited_allowed: self.in_response_to.is_empty(),
            },
            verification_keys: &trust.keys,
            decryption_keys: &decryption_keys,
            policy: self.policy()?,
        };
        let explanation = verdict::explain(&message, encoding, &expectations);
        let report = match host.json {
            true => report::response_as_json(&explanation),
            false => report::response_as_text(&explanation, colours()),
        };
        Ok((explanation.verdict.is_ok(), report))
    }

    /// Our entity ID. An error names every option that is still missing.
    fn audience(&self) -> Result<&str, Usage> {
        let issuer_missing = self.issuer.is_none() && self.metadata.is_none();
        let missing: Vec<&str> = [
            (self.audience.is_none(), "--audience ID (our entity ID)"),
            (self.acs.is_empty(), "--acs URL (of our assertion consumer service)"),
            (issuer_missing, "--metadata FILE, or --issuer ID and --cert FILE (of the identity provider)"),
        ]
        .into_iter()
        .filter_map(|(missing, what)| missing.then_some(what))
        .collect();
        match (&self.audience, missing.as_slice()) {
            (Some(audience), []) => Ok(audience),
            _ => Err(Usage(format!(
                "more options are needed to check a response. Give\n  {}",
                missing.join("\n  ")
            ))),
        }
    }

    fn upload(&self, host: &Host) -> Result<(bool, String), Usage> {
        let (octets, now) = (read(&self.file)?, self.time()?);
        let signers = self.certificates()?;
        if !self.cert.is_empty() && signers.is_empty() {
            return Err(Usage("none of the pinned certificates can be read".into()));
        }
        let allow_sha1 = self.policy()?.allow_sha1;
        let read = metadata::read(&octets, &MetadataExpectations { now, signers: &signers, allow_sha1 });
        let report = match host.json {
            true => report::metadata_as_json(&read),
            false => report::metadata_as_text(&read, colours()),
        };
        Ok((read.is_ok(), report))
    }

    fn time(&self) -> Result<i64, Usage> {
        match &self.now {
            Some(text) => Timestamp::parse(text)
                .map(|instant| instant.0)
                .ok_or_else(|| Usage(format!("--now {text} is not RFC 3339"))),
            None => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Ok(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }

    fn policy(&self) -> Result<Policy, Usage> {
        let mut policy = Policy::default();
        for word in self.allow.iter().flat_map(|list| list.split(',')).map(str::trim) {
            match word {
                // Documents from the years of SHA-1 are often signed by keys of 512 bits, which no group takes.
                "sha1" => (policy.allow_sha1, policy.allow_short_keys) = (true, true),
                "rsa15" => policy.allow_rsa15 = true,
                "3des" => policy.allow_triple_des = true,
                "no-audience" => policy.allow_no_audience = true,
                "" => {}
                other => {
                    return Err(Usage(format!("--allow takes sha1, rsa15, 3des, no-audience; not {other}")));
                }
            }
        }
        Ok(policy)
    }

    /// The issuer, and the keys of `--cert` and `--metadata` together.
    fn trust(&self) -> Result<Trust, Usage> {
        let mut keys = self.certificates()?;
        let provider = self.identity_provider()?;
        if let Some(provider) = &provider {
            let usable = |der: &Vec<u8>| VerificationKey::from_certificate_der(der).ok();
            keys.extend(provider.signing_certificates.iter().filter_map(usable));
        }
        let named = self.issuer.clone().or(provider.map(|provider| provider.entity_id));
        let issuer = named.ok_or_else(|| Usage("give --issuer ID or --metadata FILE".into()))?;
        Ok(Trust { issuer, keys })
    }

    /// The identity provider that `--metadata` describes, and `--issuer` chooses where it describes several.
    fn identity_provider(&self) -> Result<Option<IdentityProvider>, Usage> {
        let Some(path) = &self.metadata else { return Ok(None) };
        let (octets, now) = (read(path)?, self.time()?);
        let expect = MetadataExpectations { now, signers: &[], allow_sha1: false };
        let Metadata { mut identity_providers, .. } = match metadata::read(&octets, &expect) {
            Ok(metadata) => metadata,
            Err(reject) => {
                eprintln!("sidelight explain: {path} adds no key. {}", reject.sentence());
                return Ok(None);
            }
        };
        if let Some(issuer) = &self.issuer {
            return Ok(identity_providers.into_iter().find(|provider| provider.entity_id == *issuer));
        }
        match identity_providers.len() {
            1 => Ok(identity_providers.pop()),
            count => {
                Err(Usage(format!("{path} describes {count} identity providers: choose with --issuer ID")))
            }
        }
    }

    /// The keys of `--cert`. A file that holds no certificate adds no key, so it cannot widen the trust.
    fn certificates(&self) -> Result<Vec<VerificationKey>, Usage> {
        let mut keys = Vec::new();
        for path in &self.cert {
            let octets = read_pem(path)?;
            let found = match std::str::from_utf8(&octets) {
                Ok(text) if text.contains("-----BEGIN") => {
                    pem_blocks(text).map(VerificationKey::from_certificate_pem).collect()
                }
                _ => vec![VerificationKey::from_certificate_der(&octets)],
            };
            for key in found {
                match key {
                    Ok(key) => keys.push(key),
                    Err(_) => eprintln!("sidelight explain: {path} holds a certificate that cannot be used"),
                }
            }
        }
        Ok(keys)
    }

    fn decryption_keys(&self) -> Result<Vec<DecryptionKey>, Usage> {
        let mut keys = Vec::new();
        for path in &self.decrypt_key {
            let octets = zeroize::Zeroizing::new(read_pem(path)?);
            let key = std::str::from_utf8(&octets).ok().and_then(|pem| DecryptionKey::from_pem(pem).ok());
            keys.push(key.ok_or_else(|| Usage(format!("{path} holds no private key that can decrypt")))?);
        }
        Ok(keys)
    }
}

struct Trust {
    issuer: String,
    keys: Vec<VerificationKey>,
}

/// The certificates in a PEM file, each with its BEGIN and END lines.
fn pem_blocks(text: &str) -> impl Iterator<Item = &str> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    text.match_indices(BEGIN).filter_map(|(start, _)| {
        let rest = text.get(start..)?;
        rest.get(..rest.find(END)? + END.len())
    })
}

fn read(path: &str) -> Result<Vec<u8>, Usage> {
    let mut octets = Vec::new();
    let result = fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut octets));
    result.map(|_| octets).map_err(|error| Usage(format!("cannot read {path}: {error}")))
}

/// Reads a PEM, given as a file or as itself.
fn read_pem(given: &str) -> Result<Vec<u8>, Usage> {
    if given.starts_with("-----BEGIN") { Ok(given.as_bytes().to_vec()) } else { read(given) }
}
