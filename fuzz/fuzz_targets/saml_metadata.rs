//! Metadata: whatever is uploaded, reading ends, and what can be used has a key and a web address.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::protocol::saml::metadata::{MetadataExpectations, read};

fuzz_target!(|octets: &[u8]| {
    let expectations = MetadataExpectations { now: 1_769_947_200_000, signers: &[], allow_sha1: false };
    let Ok(metadata) = read(octets, &expectations) else { return };
    for provider in metadata.identity_providers {
        assert!(!provider.entity_id.is_empty() && !provider.signing_certificates.is_empty());
        for endpoint in provider.sso.iter().chain(&provider.slo) {
            let location = endpoint.location.to_ascii_lowercase();
            assert!(location.starts_with("https://") || location.starts_with("http://"));
        }
    }
});
