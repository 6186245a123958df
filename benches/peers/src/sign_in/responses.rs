//! The identity provider: genuine responses that nobody asked for, and three that must be refused.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sidelight::clock::Timestamp;

use crate::peer::{ACS_URL, ENTITY_ID, IDP, IDP_CERTIFICATE};
use crate::users;

const KEY: &str = include_str!("../../../../tests/fixtures/saml/keys/idp.key.pem");
const FOREIGN_KEY: &str = include_str!("../../../../tests/fixtures/saml/keys/foreign.key.pem");
/// Seconds for which a response is valid.
const LIFETIME: i64 = 1_800;
/// Groups that a response lists, as directories do: it makes a response as long as most are, 5 kB.
const GROUPS: usize = 20;

/// Who signs, and when.
pub struct IdentityProvider {
    key: RsaKeyPair,
    issued_at: Timestamp,
}

impl IdentityProvider {
    /// The one that all servers trust.
    pub fn trusted(now: Timestamp) -> Self {
        Self { key: key_pair(KEY), issued_at: now }
    }

    /// As [`Self::trusted`], with a key that nobody trusts.
    pub fn foreign(now: Timestamp) -> Self {
        Self { key: key_pair(FOREIGN_KEY), issued_at: now }
    }

    /// A response with this assertion ID, about the user of this number. RSA-2048-SHA256 over the assertion.
    ///
    /// The text is written in the form that exclusive canonicalization gives, so that it can be signed as it stands.
    pub fn response(&self, assertion_id: &str, number: usize) -> String {
        let (issued, until) = (self.issued_at, self.issued_at.plus_seconds(LIFETIME));
        let email = users::email(number);
        let groups: String = (0..GROUPS)
            .map(|n| {
                format!(
                    "<saml:AttributeValue>cn=department-{n},ou=groups,dc=example,dc=com</saml:AttributeValue>"
                )
            })
            .collect();
        let (issuer, audience) = (IDP, ENTITY_ID);
        let head = format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{assertion_id}\" \
             IssueInstant=\"{issued}\" Version=\"2.0\"><saml:Issuer>{issuer}</saml:Issuer>"
        );
        let rest = format!(
            "<saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">{email}\
             </saml:NameID><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData NotOnOrAfter=\"{until}\" Recipient=\"{ACS_URL}\">\
             </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>\
             <saml:Conditions NotBefore=\"{issued}\" NotOnOrAfter=\"{until}\"><saml:AudienceRestriction>\
             <saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
             <saml:AuthnStatement AuthnInstant=\"{issued}\" SessionIndex=\"{assertion_id}\"><saml:AuthnContext>\
             <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
             </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
             <saml:AttributeStatement><saml:Attribute Name=\"email\"><saml:AttributeValue>{email}\
             </saml:AttributeValue></saml:Attribute><saml:Attribute Name=\"groups\">{groups}</saml:Attribute>\
             </saml:AttributeStatement></saml:Assertion>"
        );
        let signature = self.signature(assertion_id, &format!("{head}{rest}"));
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_of{assertion_id}\" Version=\"2.0\" \
             IssueInstant=\"{issued}\" Destination=\"{ACS_URL}\"><saml:Issuer>{issuer}</saml:Issuer>\
             <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>\
             {head}{signature}{rest}</samlp:Response>"
        )
    }

    fn signature(&self, id: &str, assertion: &str) -> String {
        const NAMESPACE: &str = " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
        let digest = STANDARD.encode(digest(&SHA256, assertion.as_bytes()));
        let signed_info = |namespace: &str| {
            format!(
                "<ds:SignedInfo{namespace}>\
                 <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
                 </ds:CanonicalizationMethod>\
                 <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
                 </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
                 </ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">\
                 </ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
            )
        };
        let mut signature = vec![0; self.key.public_modulus_len()];
        let canonical = signed_info(NAMESPACE);
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), canonical.as_bytes(), &mut signature).unwrap();
        format!(
            "<ds:Signature{NAMESPACE}>{}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
            signed_info(""),
            STANDARD.encode(signature),
            base64_of(IDP_CERTIFICATE)
        )
    }
}

/// What a PEM has between its lines, in one line.
pub fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn key_pair(pem: &str) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&STANDARD.decode(base64_of(pem)).unwrap()).unwrap()
}
