//! Metadata as administrators upload it, and as attackers would like it uploaded: files named for what
//! must come of them.

use std::fs;

use sidelight::clock::Timestamp;
use sidelight::protocol::saml::metadata::{Metadata, MetadataExpectations, MetadataReject, read};
use sidelight::protocol::xml::make::{SIGNATURE_PLACE, SigningOptions, sign_enveloped};
use sidelight::protocol::xml::{SigningKey, VerificationKey};

use crate::forge::{NOW, cut, fixtures, key_file};

fn judge(octets: &[u8], signers: &[VerificationKey]) -> Result<Metadata, MetadataReject> {
    read(octets, &MetadataExpectations { now: Timestamp::parse(NOW).unwrap().0, signers, allow_sha1: false })
}

#[test]
fn every_metadata_fixture_gives_what_its_name_says() {
    let mut count = 0;
    for entry in fs::read_dir(fixtures().join("metadata")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let expected = name.split_once('.').map_or("accepted", |(_, code)| code);
        let metadata = judge(&fs::read(&path).unwrap(), &[]);
        assert_eq!(metadata.map_or_else(MetadataReject::code, |_| "accepted"), expected, "{name}");
        count += 1;
    }
    assert!(count > 20, "{count} fixtures");
}

#[test]
fn keys_are_read_in_order_and_for_their_use() {
    let octets = fs::read(fixtures().join("metadata/several-keys-and-one-without-use.xml")).unwrap();
    let provider = judge(&octets, &[]).unwrap().identity_providers.remove(0);
    let certificate = |name| crate::forge::der(&key_file(name));
    assert_eq!(
        provider.signing_certificates,
        ["idp.cert.pem", "idp-ec.cert.pem", "foreign.cert.pem"].map(certificate)
    );
    assert_eq!(provider.encryption_certificates, [certificate("foreign.cert.pem")]);
}

#[test]
fn a_pinned_signer_must_have_signed_the_root_itself() {
    let pinned = [VerificationKey::from_certificate_pem(&key_file("idp.cert.pem")).unwrap()];
    let plain = fs::read_to_string(fixtures().join("metadata/plain.xml")).unwrap();
    let opened = |id: &str| {
        let placed = plain.replacen("<md:IDPSSO", &format!("{SIGNATURE_PLACE}<md:IDPSSO"), 1);
        placed.replacen("entityID", &format!("ID=\"{id}\" entityID"), 1)
    };
    let sign = |xml: &str, key: &str| {
        let key = SigningKey::from_pem(&key_file(key)).unwrap();
        sign_enveloped(xml, &key, &SigningOptions::suiting(&key)).unwrap()
    };
    let check = |xml: &str, expected: &str| {
        let code = judge(xml.as_bytes(), &pinned).map_or_else(MetadataReject::code, |_| "accepted");
        assert_eq!(code, expected, "{xml}");
    };
    let signed = sign(&opened("_m1"), "idp.key.pem");
    let signature = cut(&signed, "<ds:Signature ", "</ds:Signature>");
    check(&signed, "accepted");
    check(&plain, "metadata_unsigned");
    check(&sign(&opened("_m1"), "foreign.key.pem"), "signature_mismatch");
    check(&signed.replace("https://idp.example.org/sso", "https://evil.example/sso"), "signature_digest");
    let wrapper = "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">";
    check(&format!("{wrapper}{signed}</md:EntitiesDescriptor>"), "metadata_unsigned");
    let forged = plain.replace("https://idp.example.org/sso", "https://evil.example/sso");
    let parked = signed.replace(signature, "");
    let wrapped = forged.replacen(
        "<md:IDPSSO",
        &format!("{signature}<md:Extensions>{parked}</md:Extensions><md:IDPSSO"),
        1,
    );
    check(&wrapped, "signature_reference_uri");
}
