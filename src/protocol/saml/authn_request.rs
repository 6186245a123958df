//! The request that sends a person to the identity provider (Core 3.4.1, Profiles 4.1.4.1).
//!
//! Values in, the document out; how it travels is in `bindings`. Enter at [`AuthnRequest::to_xml`] and
//! [`AuthnRequest::to_signed_xml`].

use super::names::{
    ASSERTION, BINDING_POST, CONTEXT_PASSWORD_PROTECTED_TRANSPORT, CONTEXT_UNSPECIFIED, CONTEXT_WINDOWS,
    FORMAT_EMAIL, FORMAT_PERSISTENT, FORMAT_TRANSIENT, FORMAT_UNSPECIFIED, PROTOCOL, VERSION,
};
use super::time::format_instant;
use crate::protocol::xml::SigningKey;
use crate::protocol::xml::XmlWriter;
use crate::protocol::xml::make::{MakeFail, SigningOptions, sign_enveloped};

/// A request to authenticate somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthnRequest<'a> {
    /// Unguessable, and an XML name: it starts with a letter or an underscore.
    pub id: &'a str,
    /// In milliseconds since 1970 UTC.
    pub issue_instant: i64,
    /// The identity provider's endpoint.
    pub destination: &'a str,
    /// Where the response shall be posted.
    pub acs: &'a str,
    /// Our entity ID.
    pub issuer: &'a str,
    pub name_id_policy: NameIdPolicy,
    pub context: RequestedContext,
    /// Ask that the person be authenticated anew.
    pub force_authn: bool,
}

/// Which kind of name identifier is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameIdPolicy {
    /// Leave it to the identity provider.
    None,
    #[default]
    Email,
    Unspecified,
    Persistent,
    Transient,
}

impl NameIdPolicy {
    /// The format's URI; `None` where nothing is asked for.
    pub fn format(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Email => Some(FORMAT_EMAIL),
            Self::Unspecified => Some(FORMAT_UNSPECIFIED),
            Self::Persistent => Some(FORMAT_PERSISTENT),
            Self::Transient => Some(FORMAT_TRANSIENT),
        }
    }
}

/// How the person shall be authenticated. Nothing by default: Entra refuses the request of the one who came
/// in by other means (AADSTS75011).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestedContext {
    #[default]
    None,
    PasswordProtectedTransport,
    WindowsIntegrated,
    Unspecified,
}

impl RequestedContext {
    /// The class's URI; `None` where nothing is asked for.
    pub fn class(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::PasswordProtectedTransport => Some(CONTEXT_PASSWORD_PROTECTED_TRANSPORT),
            Self::WindowsIntegrated => Some(CONTEXT_WINDOWS),
            Self::Unspecified => Some(CONTEXT_UNSPECIFIED),
        }
    }
}

impl AuthnRequest<'_> {
    /// Writes the document, not signed: for the redirect binding, which signs its query, and for identity
    /// providers that ask for no signature.
    pub fn to_xml(&self) -> String {
        self.write(false)
    }

    /// Writes the document, signed: for the POST binding. `certificate`, in DER, is shown in it.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn to_signed_xml(&self, key: &SigningKey, certificate: Option<&[u8]>) -> Result<String, MakeFail> {
        let options = SigningOptions { certificate, ..SigningOptions::suiting(key) };
        sign_enveloped(&self.write(true), key, &options)
    }

    fn write(&self, to_be_signed: bool) -> String {
        let mut xml = XmlWriter::new();
        xml.start("samlp:AuthnRequest")
            .attribute("xmlns:samlp", PROTOCOL)
            .attribute("xmlns:saml", ASSERTION)
            .attribute("ID", self.id)
            .attribute("Version", VERSION)
            .attribute("IssueInstant", &format_instant(self.issue_instant))
            .attribute("Destination", self.destination)
            .attribute("AssertionConsumerServiceURL", self.acs)
            .attribute("ProtocolBinding", BINDING_POST)
            .attribute_if("ForceAuthn", self.force_authn.then_some("true"))
            .element("saml:Issuer", self.issuer);
        if to_be_signed {
            xml.signature_place();
        }
        if let Some(format) = self.name_id_policy.format() {
            xml.start("samlp:NameIDPolicy")
                .attribute("Format", format)
                .attribute("AllowCreate", "true")
                .end();
        }
        if let Some(class) = self.context.class() {
            xml.start("samlp:RequestedAuthnContext")
                .attribute("Comparison", "exact")
                .element("saml:AuthnContextClassRef", class)
                .end();
        }
        xml.finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::protocol::xml::{Document, Limits, SignaturePolicy, VerificationKey, verify_enveloped};

    const REQUEST: AuthnRequest<'static> = AuthnRequest {
        id: "_r1",
        issue_instant: 1_769_947_200_000,
        destination: "https://idp.example.org/sso?a=1&b=2",
        acs: "https://sidelight.example/account/GetLoginKey.aspx?sso=1&idpid=5",
        issuer: "glance.net/sp/1",
        name_id_policy: NameIdPolicy::Email,
        context: RequestedContext::None,
        force_authn: false,
    };

    #[test]
    fn a_request_says_who_asks_and_where_the_answer_goes() {
        let xml = REQUEST.to_xml();
        let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
        let root = document.root();
        assert!(root.is(PROTOCOL, "AuthnRequest"));
        assert_eq!(root.attribute("ID"), Some("_r1"));
        assert_eq!(root.attribute("IssueInstant"), Some("2026-02-01T12:00:00Z"));
        assert_eq!(root.attribute("Destination"), Some(REQUEST.destination));
        assert_eq!(root.attribute("AssertionConsumerServiceURL"), Some(REQUEST.acs));
        assert_eq!(root.child(ASSERTION, "Issuer").unwrap().text(), "glance.net/sp/1");
        assert_eq!(root.child(PROTOCOL, "NameIDPolicy").unwrap().attribute("Format"), Some(FORMAT_EMAIL));
        assert_eq!(root.child(PROTOCOL, "RequestedAuthnContext"), None);
        assert_eq!(root.attribute("ForceAuthn"), None);
    }

    #[test]
    fn a_signed_request_verifies_with_our_key() {
        const KEY: &str = include_str!("../../../tests/fixtures/saml/keys/sp.key.pem");
        const CERTIFICATE: &str = include_str!("../../../tests/fixtures/saml/keys/sp.cert.pem");
        let key = SigningKey::from_pem(KEY).unwrap();
        let xml = REQUEST.to_signed_xml(&key, None).unwrap();
        let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
        let ours = [VerificationKey::from_certificate_pem(CERTIFICATE).unwrap()];
        let verified = verify_enveloped(document.root(), &ours, &SignaturePolicy::default()).unwrap();
        let names: Vec<_> = verified.element().children().map(|child| child.local_name()).collect();
        assert_eq!(names, ["Issuer", "Signature", "NameIDPolicy"]);
    }

    #[test]
    fn options_ask_for_more_or_for_less() {
        let request = AuthnRequest {
            name_id_policy: NameIdPolicy::None,
            context: RequestedContext::WindowsIntegrated,
            force_authn: true,
            ..REQUEST
        };
        let document = Document::parse(request.to_xml().as_bytes(), &Limits::ASSERTION).unwrap();
        let root = document.root();
        assert_eq!(root.child(PROTOCOL, "NameIDPolicy"), None);
        let context = root.child(PROTOCOL, "RequestedAuthnContext").unwrap();
        assert_eq!(context.children().next().unwrap().text(), CONTEXT_WINDOWS);
        assert_eq!(root.attribute("ForceAuthn"), Some("true"));
    }
}
