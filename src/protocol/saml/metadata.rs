//! Reading an identity provider's metadata, as administrators really upload it (Metadata 2).
//!
//! Octets, a time and perhaps pinned signers in; the identity providers that can be used out. A role that
//! cannot be used is left out with its reason; where none can, the upload is refused. Without a pinned
//! signer the administrator vouches for the file. Enter at [`read`].

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::metadata_text::as_utf8;
use super::names::{BINDING_POST, BINDING_REDIRECT, DSIG, METADATA, PROTOCOL};
use super::read::trimmed_text;
use super::time::parse_instant;
use crate::protocol::xml::{
    Document, Element, Limits, SignaturePolicy, SignatureReject, VerificationKey, XmlRule, verify_enveloped,
};

/// Real files break and pad the Base64 of certificates in every way.
const CERTIFICATE_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What metadata is read against.
#[derive(Clone, Copy)]
pub struct MetadataExpectations<'a> {
    /// The time, in milliseconds since 1970 UTC.
    pub now: i64,
    /// Keys of which one must have signed the file; empty if the administrator vouches for it.
    pub signers: &'a [VerificationKey],
    /// Take SHA-1 in the file's signature.
    pub allow_sha1: bool,
}

/// What an upload holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// At least one, in document order.
    pub identity_providers: Vec<IdentityProvider>,
    /// Roles that cannot be used.
    pub unusable: Vec<Unusable>,
}

impl Metadata {
    /// The identity provider of this entity ID.
    pub fn entity(&self, entity_id: &str) -> Option<&IdentityProvider> {
        self.identity_providers.iter().find(|provider| provider.entity_id == entity_id)
    }
}

/// An identity-provider role that can be used (Metadata 2.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    pub entity_id: String,
    /// Where to send requests; at least one by redirect or POST.
    pub sso: Vec<Endpoint>,
    pub slo: Vec<Endpoint>,
    /// Certificates, in DER, of the keys that it signs with: those marked for signing or for no one use.
    pub signing_certificates: Vec<Vec<u8>>,
    /// Certificates, in DER, of the keys to encrypt to.
    pub encryption_certificates: Vec<Vec<u8>>,
    pub name_id_formats: Vec<String>,
    /// Whether it takes only signed requests.
    pub wants_signed_requests: bool,
    /// The earliest `validUntil` that bounds the role.
    pub valid_until: Option<ValidUntil>,
}

impl IdentityProvider {
    /// The first location of single sign-on by this binding.
    pub fn sso_location(&self, binding: &str) -> Option<&str> {
        self.sso
            .iter()
            .find(|endpoint| endpoint.binding == binding)
            .map(|endpoint| endpoint.location.as_str())
    }
}

/// An endpoint: how and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Endpoint {
    pub binding: String,
    pub location: String,
}

/// The end of a role's validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidUntil {
    /// In milliseconds since 1970 UTC.
    pub instant: i64,
    /// As the file writes it.
    pub text: String,
}

/// A role that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    pub entity_id: String,
    pub reason: MetadataReject,
}

/// Why metadata, or one role in it, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataReject {
    /// The document is refused before anybody looks at what it says.
    Xml(XmlRule),
    /// A signer is pinned, and its signature does not hold.
    Signature(SignatureReject),
    /// The root is neither `EntityDescriptor` nor `EntitiesDescriptor`.
    NotMetadata,
    /// A signer is pinned, and the root is not signed.
    Unsigned,
    /// Nothing in it is a SAML 2.0 identity provider.
    NoIdentityProvider,
    /// The entity has no ID.
    EntityIdMissing,
    /// `validUntil` is over.
    Expired,
    /// `validUntil` is no instant.
    TimeMalformed,
    /// No key to verify signatures with.
    SigningCertificateMissing,
    /// No certificate for signing can be read.
    SigningCertificateMalformed,
    /// No single sign-on endpoint by redirect or POST.
    EndpointMissing,
    /// An endpoint is at an address that a browser would execute.
    UnsafeLocation,
}

impl MetadataReject {
    /// The stable code, snake_case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Xml(rule) => rule.code(),
            Self::Signature(reject) => reject.code(),
            Self::NotMetadata => "not_metadata",
            Self::Unsigned => "metadata_unsigned",
            Self::NoIdentityProvider => "no_identity_provider",
            Self::EntityIdMissing => "entity_id_missing",
            Self::Expired => "metadata_expired",
            Self::TimeMalformed => "time_malformed",
            Self::SigningCertificateMissing => "signing_certificate_missing",
            Self::SigningCertificateMalformed => "signing_certificate_malformed",
            Self::EndpointMissing => "sso_endpoint_missing",
            Self::UnsafeLocation => "location_unsafe",
        }
    }

    /// What is wrong, in one sentence for the administrator.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Xml(rule) => rule.sentence(),
            Self::Signature(_) => "The file's signature does not verify with the pinned certificate.",
            Self::NotMetadata => "The file is not SAML metadata.",
            Self::Unsigned => "The file is not signed, but a signer is pinned.",
            Self::NoIdentityProvider => {
                "The file describes no SAML 2.0 identity provider. Take the identity provider's, not a service \
                 provider's such as our own."
            }
            Self::EntityIdMissing => "The entity has no entity ID.",
            Self::Expired => "The file is no longer valid: download it anew.",
            Self::TimeMalformed => "The end of the file's validity is not a date.",
            Self::SigningCertificateMissing => "The identity provider lists no certificate to verify with.",
            Self::SigningCertificateMalformed => {
                "The identity provider's signing certificate cannot be read."
            }
            Self::EndpointMissing => "The identity provider offers no sign-on address by redirect or POST.",
            Self::UnsafeLocation => "An address of the identity provider is a script, not a web address.",
        }
    }

    /// The clause that demands it.
    pub fn clause(self) -> &'static str {
        match self {
            Self::Xml(_) => "XML 1.0",
            Self::Signature(reject) => reject.clause(),
            Self::Unsigned => "Metadata 3",
            Self::NotMetadata => "Metadata 2.3",
            Self::NoIdentityProvider => "Metadata 2.4.3",
            Self::EntityIdMissing | Self::Expired | Self::TimeMalformed => "Metadata 2.3.2",
            Self::SigningCertificateMissing | Self::SigningCertificateMalformed => "Metadata 2.4.1.1",
            Self::EndpointMissing => "Metadata 2.4.3",
            Self::UnsafeLocation => "Metadata 2.2.2",
        }
    }
}

/// Reads the octets of an upload.
///
/// # Errors
/// The reason why nothing in it can be used; where there are several, that of the first role.
pub fn read(octets: &[u8], expect: &MetadataExpectations<'_>) -> Result<Metadata, MetadataReject> {
    let document = Document::parse(&as_utf8(octets), &Limits::METADATA)
        .map_err(|reject| MetadataReject::Xml(reject.rule))?;
    let root = document.root();
    if !root.is(METADATA, "EntityDescriptor") && !root.is(METADATA, "EntitiesDescriptor") {
        return Err(MetadataReject::NotMetadata);
    }
    let root = verified_root(root, expect)?;

    let mut metadata = Metadata { identity_providers: Vec::new(), unusable: Vec::new() };
    let mut first_reason = None;
    for entity in entities(root) {
        let entity_id = entity.attribute("entityID").map(str::trim).unwrap_or_default();
        for role in entity.children_named(METADATA, "IDPSSODescriptor") {
            match identity_provider(entity_id, role, expect.now) {
                Ok(provider) => metadata.identity_providers.push(provider),
                Err(reason) => {
                    first_reason = first_reason.or(Some(reason));
                    metadata.unusable.push(Unusable { entity_id: entity_id.to_owned(), reason });
                }
            }
        }
    }
    match metadata.identity_providers.is_empty() {
        true => Err(first_reason.unwrap_or(MetadataReject::NoIdentityProvider)),
        false => Ok(metadata),
    }
}

/// The root, verified if a signer is pinned. Nothing but the root will do: a signed entity inside an
/// unsigned file could be any entity that the signer ever described.
fn verified_root<'d>(
    root: Element<'d>,
    expect: &MetadataExpectations<'_>,
) -> Result<Element<'d>, MetadataReject> {
    if expect.signers.is_empty() {
        return Ok(root);
    }
    if root.child(DSIG, "Signature").is_none() {
        return Err(MetadataReject::Unsigned);
    }
    let policy = SignaturePolicy { sha1: expect.allow_sha1, short_keys: false };
    let verified = verify_enveloped(root, expect.signers, &policy).map_err(MetadataReject::Signature)?;
    Ok(verified.element())
}

/// The entities of a file: the root itself, or those in it and in its nested groups.
fn entities(root: Element<'_>) -> Vec<Element<'_>> {
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(element) = waiting.pop() {
        if element.is(METADATA, "EntityDescriptor") {
            found.push(element);
        } else if element.is(METADATA, "EntitiesDescriptor") {
            let inside: Vec<_> = element.children().collect();
            waiting.extend(inside.into_iter().rev());
        }
    }
    found
}

fn identity_provider(
    entity_id: &str,
    role: Element<'_>,
    now: i64,
) -> Result<IdentityProvider, MetadataReject> {
    if entity_id.is_empty() {
        return Err(MetadataReject::EntityIdMissing);
    }
    let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
    if !protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL) {
        return Err(MetadataReject::NoIdentityProvider);
    }
    let valid_until = valid_until(role)?;
    if valid_until.as_ref().is_some_and(|until| until.instant <= now) {
        return Err(MetadataReject::Expired);
    }
    let sso = endpoints(role, "SingleSignOnService")?;
    if !sso.iter().any(|endpoint| [BINDING_REDIRECT, BINDING_POST].contains(&endpoint.binding.as_str())) {
        return Err(MetadataReject::EndpointMissing);
    }
    let signing = certificates(role, "signing");
    if signing.readable.is_empty() {
        return Err(match signing.unreadable {
            true => MetadataReject::SigningCertificateMalformed,
            false => MetadataReject::SigningCertificateMissing,
        });
    }
    let formats = role.children_named(METADATA, "NameIDFormat").filter_map(trimmed_text);
    Ok(IdentityProvider {
        entity_id: entity_id.to_owned(),
        sso,
        slo: endpoints(role, "SingleLogoutService")?,
        signing_certificates: signing.readable,
        encryption_certificates: certificates(role, "encryption").readable,
        name_id_formats: formats.filter(|text| !text.is_empty()).map(|text| text.into_owned()).collect(),
        wants_signed_requests: matches!(role.attribute("WantAuthnRequestsSigned"), Some("true" | "1")),
        valid_until,
    })
}

/// The earliest end of validity of the role and everything around it.
fn valid_until(role: Element<'_>) -> Result<Option<ValidUntil>, MetadataReject> {
    let mut earliest: Option<ValidUntil> = None;
    let mut here = Some(role);
    while let Some(element) = here {
        if let Some(text) = element.attribute("validUntil") {
            let instant = parse_instant(text).ok_or(MetadataReject::TimeMalformed)?;
            if earliest.as_ref().is_none_or(|until| instant < until.instant) {
                earliest = Some(ValidUntil { instant, text: text.trim().to_owned() });
            }
        }
        here = element.parent();
    }
    Ok(earliest)
}

/// The endpoints of one kind. One that lacks its binding or a usable address is passed over; an address
/// that a browser would execute condemns the role.
fn endpoints(role: Element<'_>, kind: &str) -> Result<Vec<Endpoint>, MetadataReject> {
    let mut endpoints = Vec::new();
    for element in role.children_named(METADATA, kind) {
        let binding = element.attribute("Binding").map(str::trim).unwrap_or_default();
        let location = element.attribute("Location").map(str::trim).unwrap_or_default();
        let response_location = element.attribute("ResponseLocation").unwrap_or_default();
        if is_executable(location) || is_executable(response_location) {
            return Err(MetadataReject::UnsafeLocation);
        }
        if !binding.is_empty() && is_web_address(location) {
            endpoints.push(Endpoint { binding: binding.to_owned(), location: location.to_owned() });
        }
    }
    Ok(endpoints)
}

/// Whether a browser that is sent there would execute or open something instead of asking a server.
/// Browsers skip white space and control characters in front of and inside the scheme.
fn is_executable(location: &str) -> bool {
    const SCHEMES: [&str; 7] = ["javascript", "vbscript", "data", "file", "blob", "filesystem", "about"];
    let scheme = location.split(':').next().unwrap_or_default();
    let scheme: String = scheme.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    SCHEMES.iter().any(|executable| scheme.eq_ignore_ascii_case(executable))
}

/// Whether a location is an absolute http or https address with a host, and with nothing in it that could
/// break out of a header or an attribute.
fn is_web_address(location: &str) -> bool {
    let scheme_end = location.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = location.split_at_checked(scheme_end).unwrap_or_default();
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..host_end).unwrap_or_default();
    let known = scheme.eq_ignore_ascii_case("https://") || scheme.eq_ignore_ascii_case("http://");
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\');
    known && !host.is_empty() && !host.contains('@') && !location.contains(forbidden)
}

#[derive(Default)]
struct Certificates {
    readable: Vec<Vec<u8>>,
    unreadable: bool,
}

/// The certificates of the keys for this use; a key without a use is for both (Metadata 2.4.1.1).
fn certificates(role: Element<'_>, purpose: &str) -> Certificates {
    let mut certificates = Certificates::default();
    let keys = role.children_named(METADATA, "KeyDescriptor");
    let fitting = keys.filter(|key| key.attribute("use").is_none_or(|marked| marked.trim() == purpose));
    let written = fitting
        .flat_map(|key| key.children_named(DSIG, "KeyInfo"))
        .flat_map(|info| info.children_named(DSIG, "X509Data"))
        .flat_map(|data| data.children_named(DSIG, "X509Certificate"));
    for element in written {
        match certificate(element) {
            Some(der) if !certificates.readable.contains(&der) => certificates.readable.push(der),
            Some(_) => {}
            None => certificates.unreadable = true,
        }
    }
    certificates
}

/// The DER of one certificate, if it is one with a key that we can use. PEM lines around it are taken.
fn certificate(element: Element<'_>) -> Option<Vec<u8>> {
    let text = element.plain_text().ok()?;
    let text = text.replace("-----BEGIN CERTIFICATE-----", "").replace("-----END CERTIFICATE-----", "");
    let bare: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let der = CERTIFICATE_BASE64.decode(bare).ok()?;
    VerificationKey::from_certificate_der(&der).ok().map(|_| der)
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
