//! The forge of `sidelight::protocol::forge` with the test keys, at one instant, for one user.

use std::fs;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sidelight::clock::Timestamp;
use sidelight::protocol::forge::{self, ForgeKeys, Occasion, OccasionAttribute};
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::names::FORMAT_EMAIL;
use sidelight::protocol::xml::{DecryptionKey, SigningKey, VerificationKey};

pub use forge::Parts;

pub const NOW: &str = "2026-02-01T12:00:00Z";
pub const IDP: &str = "https://idp.example.org/metadata";
pub const SP: &str = "https://sp.example.com/saml/metadata";
pub const ACS: &str = "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345";
pub const REQUEST: &str = "_req-7f3a9c";
pub const ALICE: &str = "alice@example.com";
pub const MALLORY: &str = "mallory@evil.example";

/// Where the project keeps its fixtures.
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/saml")
}

/// A file of test keys.
pub fn key_file(name: &str) -> String {
    fs::read_to_string(fixtures().join("keys").join(name)).unwrap()
}

/// The DER inside a PEM.
pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

/// The forge, and what its responses are judged by.
pub struct Forge {
    forge: forge::Forge,
    pub verification_keys: Vec<VerificationKey>,
    pub decryption_keys: Vec<DecryptionKey>,
    acs: Vec<String>,
    requests: Vec<String>,
}

impl Deref for Forge {
    type Target = forge::Forge;

    fn deref(&self) -> &forge::Forge {
        &self.forge
    }
}

impl Forge {
    /// The one forge of this test run.
    pub fn shared() -> &'static Self {
        static FORGE: OnceLock<Forge> = OnceLock::new();
        FORGE.get_or_init(Self::new)
    }

    fn new() -> Self {
        Self {
            forge: new_forge(),
            verification_keys: vec![certificate("idp-ec.cert.pem"), certificate("idp.cert.pem")],
            decryption_keys: vec![DecryptionKey::from_pem(&key_file("sp.key.pem")).unwrap()],
            acs: vec!["https://sp.example.com/old/acs".to_owned(), ACS.to_owned()],
            requests: vec!["_another".to_owned(), REQUEST.to_owned()],
        }
    }

    /// A forge of its own, changed.
    pub fn with(change: impl FnOnce(&mut forge::Forge)) -> forge::Forge {
        let mut forge = new_forge();
        change(&mut forge);
        forge
    }

    /// What the genuine responses are judged against.
    pub fn expectations(&self) -> Expectations<'_> {
        Expectations {
            now: Timestamp::parse(NOW).unwrap().0,
            skew: 60_000,
            idp_entity_id: IDP,
            audience: SP,
            acs: &self.acs,
            in_response_to: InResponseTo { outstanding: &self.requests, unsolicited_allowed: false },
            verification_keys: &self.verification_keys,
            decryption_keys: &self.decryption_keys,
            policy: Policy::default(),
        }
    }

    /// As the forge signs, which succeeds with the test keys.
    pub fn sign(&self, document: &str, id: &str) -> String {
        self.forge.sign(document, id).unwrap()
    }

    /// As the forge signs, which succeeds with the test keys.
    pub fn sign_as(&self, document: &str, id: &str, signer: forge::Signer<'_>) -> String {
        self.forge.sign_as(document, id, &signer).unwrap()
    }
}

fn certificate(name: &str) -> VerificationKey {
    VerificationKey::from_certificate_pem(&key_file(name)).unwrap()
}

fn new_forge() -> forge::Forge {
    let key = |name| SigningKey::from_pem(&key_file(name)).unwrap();
    let keys = ForgeKeys {
        idp: key("idp.key.pem"),
        idp_elliptic: Some(key("idp-ec.key.pem")),
        foreign: key("foreign.key.pem"),
        foreign_certificate: der(&key_file("foreign.cert.pem")),
        idp_public: public_key("idp.cert.pem"),
        recipient: Some(der(&key_file("sp.cert.pem"))),
    };
    forge::Forge { keys, occasion: occasion() }
}

fn occasion() -> Occasion {
    let attribute = |name: &str, values: &[&str]| OccasionAttribute {
        name: name.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    Occasion {
        now: Timestamp::parse(NOW).unwrap().0,
        idp: IDP.to_owned(),
        audience: SP.to_owned(),
        acs: ACS.to_owned(),
        request: Some(REQUEST.to_owned()),
        name_id: ALICE.to_owned(),
        name_id_format: FORMAT_EMAIL.to_owned(),
        attributes: vec![attribute("email", &[ALICE]), attribute("groups", &["users", "staff"])],
        marker: MALLORY.to_owned(),
        suffix: String::new(),
    }
}

/// The public key in a certificate: `SubjectPublicKeyInfo`, DER.
fn public_key(name: &str) -> Vec<u8> {
    let certificate = der(&key_file(name));
    let parsed = <x509_cert::Certificate as x509_cert::der::Decode>::from_der(&certificate).unwrap();
    x509_cert::der::Encode::to_der(parsed.tbs_certificate().subject_public_key_info()).unwrap()
}

/// What stands in `text` from the first `from` to the next `to`, both included.
pub fn cut<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    forge::cut(text, from, to).unwrap()
}

/// The first signature in the text.
pub fn first_signature(text: &str) -> &str {
    forge::first_signature(text).unwrap()
}

/// The genuine response for Alice.
pub fn alices() -> Parts {
    Forge::shared().genuine()
}
