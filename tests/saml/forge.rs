//! The identity provider that signs genuine responses, and the hand that takes them apart again.
//!
//! Documents are put together as text on purpose: an attacker is not bound to what a serialiser would
//! write. Where a signature shall stand, a document has the mark `{sign:ID}`; [`Forge::sign`] replaces it.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::time::parse_rfc3339;
use sidelight::protocol::xml::{
    Canonicalization, DecryptionKey, DigestAlgorithm, Document, Element, Limits, VerificationKey,
};

pub const NOW: &str = "2026-02-01T12:00:00Z";
pub const IDP: &str = "https://idp.example.org/metadata";
pub const SP: &str = "https://sp.example.com/saml/metadata";
pub const ACS: &str = "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345";
pub const REQUEST: &str = "_req-7f3a9c";
pub const ALICE: &str = "alice@example.com";
pub const MALLORY: &str = "mallory@evil.example";

pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub const RSA_SHA1: &str = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub const RSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384";
pub const RSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
pub const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

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

/// The keys of both sides, read once.
pub struct Forge {
    idp: RsaKeyPair,
    idp_ec: EcdsaKeyPair,
    foreign: RsaKeyPair,
    pub verification_keys: Vec<VerificationKey>,
    pub decryption_keys: Vec<DecryptionKey>,
    acs: Vec<String>,
    requests: Vec<String>,
}

/// Who signs, and how.
#[derive(Clone, Copy)]
pub struct Signer {
    pub key: Key,
    pub algorithm: &'static str,
    pub digest: &'static str,
    pub canonicalization: &'static str,
    /// Replaces `<ds:Transforms>…`; `None` for enveloped-signature and the canonicalization.
    pub transforms: Option<&'static str>,
    /// Replaces the URI of the reference; `None` for the ID of the element.
    pub uri: Option<&'static str>,
    pub key_info: &'static str,
}

/// Whose key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Idp,
    IdpEc,
    Foreign,
    /// Of 1,024 bits: weak, and pinned by some to this day.
    Rsa1024,
    /// Of 512 bits: broken.
    Rsa512,
}

pub const SIGNER: Signer = Signer {
    key: Key::Idp,
    algorithm: RSA_SHA256,
    digest: SHA256,
    canonicalization: EXCLUSIVE,
    transforms: None,
    uri: None,
    key_info: "",
};

impl Forge {
    /// The one forge of this test run.
    pub fn shared() -> &'static Self {
        static FORGE: OnceLock<Forge> = OnceLock::new();
        FORGE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let certificate = |name| VerificationKey::from_certificate_pem(&key_file(name)).unwrap();
        Self {
            idp: RsaKeyPair::from_pkcs8(&der(&key_file("idp.key.pem"))).unwrap(),
            idp_ec: EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &der(&key_file("idp-ec.key.pem")),
            )
            .unwrap(),
            foreign: RsaKeyPair::from_pkcs8(&der(&key_file("foreign.key.pem"))).unwrap(),
            verification_keys: vec![certificate("idp-ec.cert.pem"), certificate("idp.cert.pem")],
            decryption_keys: vec![DecryptionKey::from_pem(&key_file("sp.key.pem")).unwrap()],
            acs: vec!["https://sp.example.com/old/acs".to_owned(), ACS.to_owned()],
            requests: vec!["_another".to_owned(), REQUEST.to_owned()],
        }
    }

    /// What the genuine responses are judged against.
    pub fn expectations(&self) -> Expectations<'_> {
        Expectations {
            now: parse_rfc3339(NOW).unwrap(),
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

    /// Replaces `{sign:ID}` by the signature of the usual signer.
    pub fn sign(&self, document: &str, id: &str) -> String {
        self.sign_as(document, id, SIGNER)
    }

    /// Replaces `{sign:ID}` by a signature over the element of that ID.
    pub fn sign_as(&self, document: &str, id: &str, signer: Signer) -> String {
        let mark = format!("{{sign:{id}}}");
        assert_eq!(document.matches(&mark).count(), 1, "one place for the signature of {id}");
        let bare = without_marks(&document.replace(&mark, ""));
        let digest = digest(
            signer.digest,
            &canonical(&bare, signer.canonicalization, |e| e.attribute("ID") == Some(id)),
        );
        let signature = |value: &str| {
            let default = format!(
                "<ds:Transforms><ds:Transform Algorithm=\"{ENVELOPED}\"/>\
                 <ds:Transform Algorithm=\"{}\"/></ds:Transforms>",
                signer.canonicalization
            );
            format!(
                "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
                 <ds:CanonicalizationMethod Algorithm=\"{}\"/><ds:SignatureMethod Algorithm=\"{}\"/>\
                 <ds:Reference URI=\"{}\">{}<ds:DigestMethod Algorithm=\"{}\"/>\
                 <ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>\
                 <ds:SignatureValue>{value}</ds:SignatureValue>{}</ds:Signature>",
                signer.canonicalization,
                signer.algorithm,
                signer.uri.map_or_else(|| format!("#{id}"), str::to_owned),
                signer.transforms.unwrap_or(&default),
                signer.digest,
                STANDARD.encode(&digest),
                signer.key_info,
            )
        };
        let unsigned = without_marks(&document.replace(&mark, &signature("AA==")));
        let signed_info = canonical(&unsigned, signer.canonicalization, |e| {
            let reference = e.descendants().find(|inside| inside.local_name() == "DigestValue");
            e.local_name() == "SignedInfo"
                && reference.is_some_and(|value| value.text() == STANDARD.encode(&digest))
        });
        document.replace(&mark, &signature(&STANDARD.encode(self.raw(&signed_info, signer))))
    }

    fn raw(&self, octets: &[u8], signer: Signer) -> Vec<u8> {
        let random = SystemRandom::new();
        if signer.key == Key::IdpEc {
            return self.idp_ec.sign(&random, octets).unwrap().as_ref().to_vec();
        }
        match signer.key {
            Key::Rsa1024 => return short_rsa("idp-rsa1024.key.pem", octets),
            Key::Rsa512 => return short_rsa("idp-rsa512.key.pem", octets),
            Key::Idp | Key::IdpEc | Key::Foreign => {}
        }
        let key = if signer.key == Key::Foreign { &self.foreign } else { &self.idp };
        let padding: &dyn aws_lc_rs::signature::RsaEncoding = match signer.algorithm {
            RSA_SHA384 => &RSA_PKCS1_SHA384,
            RSA_SHA512 => &RSA_PKCS1_SHA512,
            _ => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(padding, &random, octets, &mut signature).unwrap();
        signature
    }

    /// The public key of the identity provider, as an attacker reads it from the certificate.
    pub fn idp_public_key(&self) -> Vec<u8> {
        self.idp.public_key().as_ref().to_vec()
    }
}

/// An RSA-SHA256 signature by a key that is too short for the usual library (RFC 8017 8.2.1).
fn short_rsa(file: &str, octets: &[u8]) -> Vec<u8> {
    use rsa::pkcs8::DecodePrivateKey;
    use rsa::traits::PublicKeyParts;
    const SHA256_INFO: [u8; 19] = [48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32];
    let key = rsa::PrivateKey::from_pkcs8_der(&der(&key_file(file))).unwrap();
    let info = [SHA256_INFO.as_slice(), &digest(SHA256, octets)].concat();
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

/// The document without marks for signatures that are not made yet.
fn without_marks(document: &str) -> String {
    let mut bare = document.to_owned();
    while let Some(start) = bare.find("{sign:") {
        let end = bare[start..].find('}').unwrap() + start + 1;
        bare.replace_range(start..end, "");
    }
    bare
}

fn canonical(document: &str, algorithm: &str, wanted: impl Fn(Element<'_>) -> bool) -> Vec<u8> {
    let document = Document::parse(document.as_bytes(), &Limits::ASSERTION)
        .unwrap_or_else(|reject| panic!("{reject}: {document}"));
    let element =
        document.root().descendants().find(|element| wanted(*element)).expect("the element to sign");
    let form = Canonicalization::from_uri(algorithm).unwrap_or(Canonicalization::EXCLUSIVE);
    form.octets(element, "")
}

pub fn digest(algorithm: &str, octets: &[u8]) -> Vec<u8> {
    DigestAlgorithm::from_uri(algorithm).unwrap_or(DigestAlgorithm::Sha256).digest(octets)
}

/// A response in parts, each of which can be spoilt before it is signed.
#[derive(Clone)]
pub struct Parts {
    pub response_attributes: String,
    pub response_issuer: String,
    pub status: String,
    pub assertion_attributes: String,
    pub assertion_id: &'static str,
    pub assertion_issuer: String,
    pub name_id: String,
    pub confirmations: String,
    pub conditions: String,
    pub authn: String,
    pub attributes: String,
}

impl Parts {
    /// A genuine response for Alice.
    pub fn genuine() -> Self {
        Self {
            response_attributes: format!(
                "Version=\"2.0\" IssueInstant=\"2026-02-01T11:59:55Z\" Destination=\"{ACS}\" \
                 InResponseTo=\"{REQUEST}\""
            ),
            response_issuer: format!("<saml:Issuer>{IDP}</saml:Issuer>"),
            status: "<samlp:Status><samlp:StatusCode \
                     Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>"
                .into(),
            assertion_attributes: "Version=\"2.0\" IssueInstant=\"2026-02-01T11:59:55Z\"".into(),
            assertion_id: "_a1",
            assertion_issuer: format!("<saml:Issuer>{IDP}</saml:Issuer>"),
            name_id: format!(
                "<saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">{ALICE}\
                 </saml:NameID>"
            ),
            confirmations: confirmation(&format!(
                "NotOnOrAfter=\"2026-02-01T12:05:00Z\" Recipient=\"{ACS}\" InResponseTo=\"{REQUEST}\""
            )),
            conditions: format!(
                "<saml:Conditions NotBefore=\"2026-02-01T11:59:00Z\" NotOnOrAfter=\"2026-02-01T12:05:00Z\">\
                 {}</saml:Conditions>",
                audience(SP)
            ),
            authn: "<saml:AuthnStatement AuthnInstant=\"2026-02-01T11:59:50Z\" SessionIndex=\"_sess1\">\
                    <saml:AuthnContext><saml:AuthnContextClassRef>\
                    urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
                    </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
                .into(),
            attributes: "<saml:AttributeStatement><saml:Attribute Name=\"email\">\
                         <saml:AttributeValue>alice@example.com</saml:AttributeValue></saml:Attribute>\
                         <saml:Attribute Name=\"groups\"><saml:AttributeValue>users</saml:AttributeValue>\
                         <saml:AttributeValue>staff</saml:AttributeValue></saml:Attribute>\
                         </saml:AttributeStatement>"
                .into(),
        }
    }

    /// What Mallory would like to be believed.
    pub fn forged() -> Self {
        let genuine = Self::genuine();
        Self { assertion_id: "_evil", name_id: genuine.name_id.replace(ALICE, MALLORY), ..genuine }
    }

    /// The assertion, self-contained, with a mark for its signature behind the issuer.
    pub fn assertion(&self) -> String {
        self.assertion_with(&format!("{{sign:{}}}", self.assertion_id), "")
    }

    /// The assertion with this in place of its signature, and this at its end.
    pub fn assertion_with(&self, signature: &str, end: &str) -> String {
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{}\" {}>{}{signature}\
             <saml:Subject>{}{}</saml:Subject>{}{}{}{end}</saml:Assertion>",
            self.assertion_id,
            self.assertion_attributes,
            self.assertion_issuer,
            self.name_id,
            self.confirmations,
            self.conditions,
            self.authn,
            self.attributes,
        )
    }

    /// A response around this, with a mark for its signature.
    pub fn response(&self, assertions: &str) -> String {
        self.response_with("_r1", "{sign:_r1}", "", assertions)
    }

    /// A response of this ID, with this in place of its signature and of its extensions.
    pub fn response_with(&self, id: &str, signature: &str, extensions: &str, assertions: &str) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" {}>{}{signature}{extensions}{}\
             {assertions}</samlp:Response>",
            self.response_attributes, self.response_issuer, self.status,
        )
    }

    /// A response whose assertion is signed.
    pub fn assertion_signed(&self, forge: &Forge) -> String {
        let document = self.response_with("_r1", "", "", &self.assertion());
        forge.sign(&document, self.assertion_id)
    }

    /// A response that is signed itself.
    pub fn response_signed(&self, forge: &Forge) -> String {
        forge.sign(&self.response(&self.assertion_with("", "")), "_r1")
    }

    /// A response that is signed around a signed assertion.
    pub fn both_signed(&self, forge: &Forge) -> String {
        let inner = forge.sign(&self.response(&self.assertion()), self.assertion_id);
        forge.sign(&inner, "_r1")
    }
}

/// A bearer confirmation with these attributes of its data.
pub fn confirmation(data: &str) -> String {
    format!(
        "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData {data}/></saml:SubjectConfirmation>"
    )
}

/// An audience restriction.
pub fn audience(name: &str) -> String {
    format!("<saml:AudienceRestriction><saml:Audience>{name}</saml:Audience></saml:AudienceRestriction>")
}

/// What stands in `text` from the first `from` to the next `to`, both included.
pub fn cut<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).unwrap_or_else(|| panic!("{from} in {text}"));
    let end = text[start..].find(to).unwrap_or_else(|| panic!("{to} in {text}")) + start + to.len();
    &text[start..end]
}

/// The first signature in the text.
pub fn signature_of(text: &str) -> &str {
    cut(text, "<ds:Signature ", "</ds:Signature>")
}

/// The first assertion in the text.
pub fn assertion_of(text: &str) -> &str {
    cut(text, "<saml:Assertion ", "</saml:Assertion>")
}
