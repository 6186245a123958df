#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;

const NOW: i64 = 1_769_947_200_000;
const UNPINNED: MetadataExpectations<'static> =
    MetadataExpectations { now: NOW, signers: &[], allow_sha1: false };

/// A self-signed certificate in Base64.
fn certificate_text() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["idp.example.org".into()]).unwrap();
    base64::engine::general_purpose::STANDARD.encode(parameters.self_signed(&key).unwrap().der())
}

struct Role {
    attributes: String,
    keys: String,
    endpoints: String,
}

impl Role {
    fn usable() -> Self {
        Self {
            attributes: format!("protocolSupportEnumeration=\"{PROTOCOL}\""),
            keys: key(" use=\"signing\"", &certificate_text()),
            endpoints: endpoint("SingleSignOnService", BINDING_REDIRECT, "https://idp.example.org/sso"),
        }
    }

    fn entity(&self, attributes: &str) -> String {
        format!(
            "<md:EntityDescriptor xmlns:md=\"{METADATA}\" {attributes}><md:IDPSSODescriptor {}>{}{}\
             </md:IDPSSODescriptor></md:EntityDescriptor>",
            self.attributes, self.keys, self.endpoints
        )
    }
}

fn key(attribute: &str, certificate: &str) -> String {
    format!(
        "<md:KeyDescriptor{attribute}><ds:KeyInfo xmlns:ds=\"{DSIG}\"><ds:X509Data><ds:X509Certificate>\
         {certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
}

fn endpoint(kind: &str, binding: &str, location: &str) -> String {
    format!("<md:{kind} Binding=\"{binding}\" Location=\"{location}\"/>")
}

const ENTITY: &str = "entityID=\"https://idp.example.org/\"";

#[track_caller]
fn check(xml: &str, expected: Result<usize, MetadataReject>) -> Option<Metadata> {
    let metadata = read(xml.as_bytes(), &UNPINNED);
    assert_eq!(
        metadata.as_ref().map(|metadata| metadata.identity_providers.len()).map_err(|r| *r),
        expected,
        "{xml}"
    );
    metadata.ok()
}

#[test]
fn a_usable_role_is_read() {
    let metadata = check(&Role::usable().entity(ENTITY), Ok(1)).unwrap();
    let provider = &metadata.identity_providers[0];
    assert_eq!(provider.entity_id, "https://idp.example.org/");
    assert_eq!(provider.sso_location(BINDING_REDIRECT), Some("https://idp.example.org/sso"));
    assert_eq!(provider.signing_certificates.len(), 1);
    assert!(provider.encryption_certificates.is_empty());
    assert!(metadata.entity("https://idp.example.org/").is_some());
}

#[test]
fn a_key_without_a_use_signs_and_encrypts() {
    let mut role = Role::usable();
    role.keys = key("", &certificate_text());
    let provider = check(&role.entity(ENTITY), Ok(1)).unwrap().identity_providers.remove(0);
    assert_eq!(provider.signing_certificates, provider.encryption_certificates);
}

#[test]
fn a_key_for_encryption_alone_signs_nothing() {
    let mut role = Role::usable();
    role.keys = key(" use=\"encryption\"", &certificate_text());
    check(&role.entity(ENTITY), Err(MetadataReject::SigningCertificateMissing));
}

#[test]
fn certificates_are_read_with_line_breaks_and_pem_lines() {
    let text = certificate_text();
    let (first, rest) = text.split_at(64);
    let mut role = Role::usable();
    role.keys = [
        key(" use=\"signing\"", &format!("\n\t{first}\r\n  {rest}\n")),
        key(" use=\"signing\"", &format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----")),
        key(" use=\"signing\"", text.trim_end_matches('=')),
    ]
    .concat();
    let provider = check(&role.entity(ENTITY), Ok(1)).unwrap().identity_providers.remove(0);
    assert_eq!(provider.signing_certificates.len(), 1, "one certificate, written three times");
}

#[test]
fn a_certificate_encoded_twice_is_refused() {
    let twice = base64::engine::general_purpose::STANDARD
        .encode(format!("-----BEGIN CERTIFICATE-----\n{}", certificate_text()));
    let mut role = Role::usable();
    role.keys = key(" use=\"signing\"", &twice);
    check(&role.entity(ENTITY), Err(MetadataReject::SigningCertificateMalformed));
}

#[test]
fn an_aggregate_gives_each_identity_provider_and_says_what_it_left_out() {
    let mut unusable = Role::usable();
    unusable.endpoints = String::new();
    let aggregate = format!(
        "<md:EntitiesDescriptor xmlns:md=\"{METADATA}\"><md:EntitiesDescriptor>{}</md:EntitiesDescriptor>{}{}\
         <md:EntityDescriptor entityID=\"sp\"><md:SPSSODescriptor/></md:EntityDescriptor>\
         </md:EntitiesDescriptor>",
        Role::usable().entity("entityID=\"a\""),
        unusable.entity("entityID=\"b\""),
        Role::usable().entity("entityID=\"c\""),
    );
    let metadata = check(&aggregate, Ok(2)).unwrap();
    let ids: Vec<_> = metadata.identity_providers.iter().map(|p| p.entity_id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(metadata.unusable[0].entity_id, "b");
    assert_eq!(metadata.unusable[0].reason, MetadataReject::EndpointMissing);
}

#[test]
fn expired_metadata_is_refused_wherever_the_end_is_written() {
    let role = Role::usable();
    check(
        &role.entity(&format!("{ENTITY} validUntil=\"2026-02-01T12:00:00Z\"")),
        Err(MetadataReject::Expired),
    );
    check(&role.entity(&format!("{ENTITY} validUntil=\"2026-02-01T12:00:00.001Z\"")), Ok(1));
    check(&role.entity(&format!("{ENTITY} validUntil=\"soon\"")), Err(MetadataReject::TimeMalformed));
    let around = format!(
        "<md:EntitiesDescriptor xmlns:md=\"{METADATA}\" validUntil=\"2020-01-01T00:00:00Z\">{}\
         </md:EntitiesDescriptor>",
        role.entity(&format!("{ENTITY} validUntil=\"2030-01-01T00:00:00Z\""))
    );
    check(&around, Err(MetadataReject::Expired));
}

#[test]
fn addresses_that_a_browser_would_execute_are_refused() {
    for location in [
        "javascript:alert(1)",
        "JavaScript://idp.example.org/%0aalert(1)",
        " java&#9;script:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
    ] {
        let mut role = Role::usable();
        role.endpoints.push_str(&endpoint("SingleLogoutService", BINDING_POST, location));
        check(&role.entity(ENTITY), Err(MetadataReject::UnsafeLocation));
    }
}

#[test]
fn addresses_that_lead_nowhere_are_passed_over() {
    for location in [
        "",
        "//idp.example.org/sso",
        "/sso",
        "urn:example:sso",
        "https://",
        "https://user@idp.example.org/",
        "https://idp.example.org/&#10;Set-Cookie: a=b",
        "https://idp.example.org/\\evil",
    ] {
        let mut role = Role::usable();
        role.endpoints.push_str(&endpoint("SingleSignOnService", BINDING_POST, location));
        let provider = check(&role.entity(ENTITY), Ok(1)).unwrap().identity_providers.remove(0);
        assert_eq!(provider.sso.len(), 1, "{location}");
        role.endpoints = endpoint("SingleSignOnService", BINDING_POST, location);
        check(&role.entity(ENTITY), Err(MetadataReject::EndpointMissing));
    }
}

#[test]
fn what_is_no_identity_provider_is_refused() {
    let mut saml1 = Role::usable();
    saml1.attributes = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\"".into();
    check(&saml1.entity(ENTITY), Err(MetadataReject::NoIdentityProvider));
    check(&Role::usable().entity(""), Err(MetadataReject::EntityIdMissing));
    check("<a/>", Err(MetadataReject::NotMetadata));
    check("<a>", Err(MetadataReject::Xml(XmlRule::UnclosedElement)));
    let service = format!(
        "<md:EntityDescriptor xmlns:md=\"{METADATA}\" {ENTITY}><md:SPSSODescriptor/></md:EntityDescriptor>"
    );
    check(&service, Err(MetadataReject::NoIdentityProvider));
}

#[test]
fn a_script_is_known_by_its_scheme_through_spaces_and_control_characters() {
    for location in ["javascript:x", "java script:x", " JavaScript\u{1}:x", "\u{a0}data:x", "vb\tscript:x"] {
        assert!(is_executable(location), "{location:?}");
    }
    assert!(!is_executable("https://idp.example.org/?javascript:x"));
}

#[test]
fn a_web_address_has_a_host_and_nothing_that_breaks_out() {
    assert!(is_web_address("https://idp.example.org/sso?a=b#c") && is_web_address("HTTP://localhost"));
    for location in [
        "https://",
        "https:///x",
        "ftp://a/",
        "https://u@h/",
        "https://h/\u{1}",
        "https://h/ x",
        "https://h/<",
    ] {
        assert!(!is_web_address(location), "{location:?}");
    }
}

#[test]
fn of_two_ends_at_one_instant_the_inner_one_is_shown() {
    let role = Role {
        attributes: Role::usable().attributes + " validUntil=\"2030-01-01T00:00:00Z\"",
        ..Role::usable()
    };
    let document =
        role.entity("entityID=\"https://idp.example.org\" validUntil=\"2030-01-01T00:00:00.000Z\"");
    let read = read(document.as_bytes(), &UNPINNED).unwrap();
    let until = read.identity_providers[0].valid_until.as_ref().unwrap();
    assert_eq!(until.text, "2030-01-01T00:00:00Z");
}

#[test]
fn each_reject_names_its_clause() {
    assert_eq!(MetadataReject::Expired.clause(), "Metadata 2.3.2");
    assert_eq!(MetadataReject::Unsigned.clause(), "Metadata 3");
}
