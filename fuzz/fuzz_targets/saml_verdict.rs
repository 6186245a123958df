//! The whole verdict, twice: on the document as it is, where nobody but Alice may ever come out, and on the
//! document signed anew with a test key, so that the fuzzer gets past the signature to the rules behind it.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::verdict::{explain, verdict};
use sidelight::protocol::xml::make::{SIGNATURE_PLACE, SigningOptions, sign_enveloped};
use sidelight::protocol::xml::{DecryptionKey, SigningKey, VerificationKey};

/// The keys of the fixtures, and a second signer that exists only here.
struct Keys {
    identity_provider: Vec<VerificationKey>,
    resigner: SigningKey,
    resigned: Vec<VerificationKey>,
    ours: Vec<DecryptionKey>,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let certificate = |pem| VerificationKey::from_certificate_pem(pem).expect("a test certificate");
        Keys {
            identity_provider: vec![
                certificate(include_str!("../../tests/fixtures/saml/keys/idp-ec.cert.pem")),
                certificate(include_str!("../../tests/fixtures/saml/keys/idp.cert.pem")),
            ],
            resigner: SigningKey::from_pem(include_str!("../../tests/fixtures/saml/keys/idp-ec.key.pem"))
                .expect("a test key"),
            resigned: vec![certificate(include_str!("../../tests/fixtures/saml/keys/idp-ec.cert.pem"))],
            ours: vec![
                DecryptionKey::from_pem(include_str!("../../tests/fixtures/saml/keys/sp.key.pem"))
                    .expect("a test key"),
            ],
        }
    })
}

fn judge(octets: &[u8], verification_keys: &[VerificationKey]) -> Option<Option<String>> {
    let acs = ["https://sp.example.com/account/GetLoginKey.aspx?idpid=12345".to_owned()];
    let requests = ["_req-7f3a9c".to_owned()];
    let expectations = Expectations {
        now: 1_769_947_200_000,
        skew: 60_000,
        idp_entity_id: "https://idp.example.org/metadata",
        audience: "https://sp.example.com/saml/metadata",
        acs: &acs,
        in_response_to: InResponseTo { outstanding: &requests, unsolicited_allowed: false },
        verification_keys,
        decryption_keys: &keys().ours,
        policy: Policy::default(),
    };
    let fast = verdict(octets, &expectations);
    let explained = explain(octets, Encoding::Xml, &expectations);
    assert_eq!(fast, explained.verdict);
    fast.ok().map(|identity| identity.name_id.map(|name| name.value))
}

/// Puts a place for a new signature where the first one stands.
fn with_place(document: &str) -> Option<String> {
    let start = document.find("<ds:Signature ")?;
    let length = document.get(start..)?.find("</ds:Signature>")? + "</ds:Signature>".len();
    let mut placed = document.to_owned();
    placed.replace_range(start..start + length, SIGNATURE_PLACE);
    Some(placed)
}

fuzz_target!(|octets: &[u8]| {
    if let Some(name) = judge(octets, &keys().identity_provider) {
        assert_eq!(name.as_deref(), Some("alice@example.com"));
    }
    let Some(placed) = std::str::from_utf8(octets).ok().and_then(with_place) else { return };
    let resigner = &keys().resigner;
    if let Ok(resigned) = sign_enveloped(&placed, resigner, &SigningOptions::suiting(resigner)) {
        judge(resigned.as_bytes(), &keys().resigned);
    }
});
