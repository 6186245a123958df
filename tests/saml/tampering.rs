//! Whatever octet of an accepted response is changed: if it is still accepted, the identity is the same.

use proptest::prelude::*;
use sidelight::protocol::saml::bindings::{Encoding, encode_post};
use sidelight::protocol::saml::verdict::{explain, judge_post, verdict};

use crate::forge::{Forge, alices};

#[test]
fn no_single_octet_changes_the_identity() {
    let forge = Forge::shared();
    let expectations = forge.expectations();
    for document in [alices().assertion_signed(forge).unwrap(), alices().response_signed(forge).unwrap()] {
        let original = verdict(document.as_bytes(), &expectations).unwrap();
        let mut changed = document.clone().into_bytes();
        for place in 0..changed.len() {
            let octet = changed[place];
            for other in [octet ^ 1, [b' ', b'<', b'"', b'&'][place % 4]] {
                changed[place] = other;
                if let Ok(identity) = verdict(&changed, &expectations) {
                    assert_eq!(identity, original, "octet {place} as {other}");
                }
            }
            changed[place] = octet;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_cut_and_paste_changes_the_identity(
        from in 0_usize..4_000, length in 0_usize..400, to in 0_usize..4_000, remove in any::<bool>(),
    ) {
        let forge = Forge::shared();
        let expectations = forge.expectations();
        let document = alices().both_signed(forge).unwrap();
        let original = verdict(document.as_bytes(), &expectations).unwrap();
        let octets = document.as_bytes();
        let (from, to) = (from.min(octets.len()), to.min(octets.len()));
        let piece = octets[from..(from + length).min(octets.len())].to_vec();
        let mut changed = octets.to_vec();
        if remove {
            changed.drain(from..from + piece.len());
        } else {
            changed.splice(to..to, piece);
        }
        if let Ok(identity) = verdict(&changed, &expectations) {
            prop_assert_eq!(identity, original);
        }
    }

    #[test]
    fn no_input_panics(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let forge = Forge::shared();
        let explanation = explain(&octets, Encoding::Auto, &forge.expectations());
        prop_assert!(explanation.verdict.is_err());
    }
}

#[test]
fn a_post_is_judged_like_its_document() {
    let forge = Forge::shared();
    let expectations = forge.expectations();
    let document = alices().both_signed(forge).unwrap();
    let value = encode_post(document.as_bytes());
    assert_eq!(judge_post(&value, &expectations).verdict, verdict(document.as_bytes(), &expectations));
    let reject = judge_post(&value.replacen('P', "-", 1), &expectations).verdict.unwrap_err();
    assert_eq!(reject.code.code(), "base64_invalid");
}

#[test]
fn an_explanation_lists_every_check_in_order() {
    let forge = Forge::shared();
    for octets in [&b""[..], b"<a/>", alices().both_signed(forge).unwrap().as_bytes()] {
        let explanation = explain(octets, Encoding::Xml, &forge.expectations());
        let numbers: Vec<u16> = explanation.checks.iter().map(|check| check.number).collect();
        assert_eq!(numbers, (1..=28).collect::<Vec<_>>());
    }
}
