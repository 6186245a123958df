//! Genuine responses in the many shapes that real products give them; all must be accepted.

use sidelight::protocol::forge::{
    ECDSA_SHA256, RSA_SHA384, RSA_SHA512, SHA1, SIGNER, Signer, audience, confirmation,
};
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::identity::{AttributeValue, Identity, Signed};
use sidelight::protocol::saml::reject::SamlReject;
use sidelight::protocol::saml::verdict::verdict;

use crate::forge::{ACS, ALICE, Forge, IDP, Parts, REQUEST, SP, alices, key_file};

/// Responses that sign Alice in, by name.
pub fn responses(forge: &Forge) -> Vec<(&'static str, String)> {
    let genuine = alices;
    let changed = |change: &dyn Fn(&mut Parts)| {
        let mut parts = genuine();
        change(&mut parts);
        parts
    };
    let by = |signer: Signer| {
        forge.sign_as(&genuine().response_with("_r1", "", "", &genuine().assertion()), "_a1", signer)
    };
    let certificate: String =
        key_file("foreign.cert.pem").lines().filter(|line| !line.starts_with('-')).collect();
    let unrelated: &'static str = Box::leak(
        format!("<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>")
            .into_boxed_str(),
    );
    let bare_envelope = changed(&|p| {
        p.response_issuer.clear();
        p.response_attributes = p.response_attributes.replace(&format!("Destination=\"{ACS}\""), "");
    });
    vec![
        ("assertion-signed", genuine().assertion_signed(forge).unwrap()),
        ("response-signed", genuine().response_signed(forge).unwrap()),
        ("both-signed", genuine().both_signed(forge).unwrap()),
        ("rsa-sha384", by(Signer { algorithm: RSA_SHA384, ..SIGNER })),
        ("rsa-sha512", by(Signer { algorithm: RSA_SHA512, ..SIGNER })),
        (
            "ecdsa-sha256",
            by(Signer {
                key: sidelight::protocol::forge::ForgingKey::IdpElliptic,
                algorithm: ECDSA_SHA256,
                ..SIGNER
            }),
        ),
        ("unrelated-certificate-in-key-info", by(Signer { key_info: unrelated, ..SIGNER })),
        (
            "inclusive-canonical-form",
            by(Signer { canonicalization: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", ..SIGNER }),
        ),
        (
            "no-issuer-and-destination-around-a-signed-assertion",
            bare_envelope.assertion_signed(forge).unwrap(),
        ),
        ("no-attribute-statement", changed(&|p| p.attributes.clear()).assertion_signed(forge).unwrap()),
        ("pretty-printed-names", {
            let spaced = |text: &str, name: &str| text.replace(name, &format!("\n      {name}\n    "));
            changed(&|p| {
                p.name_id = spaced(&p.name_id, ALICE);
                p.assertion_issuer = spaced(&p.assertion_issuer, IDP);
                p.conditions = spaced(&p.conditions, SP);
            })
            .both_signed(forge)
            .unwrap()
        }),
        ("cdata-and-references-in-the-nameid", {
            changed(&|p| p.name_id = p.name_id.replace(ALICE, "<![CDATA[alice]]>&#64;example.com"))
                .assertion_signed(forge)
                .unwrap()
        }),
        ("mark-and-declaration-in-front", {
            format!(
                "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n{}\n",
                genuine().both_signed(forge).unwrap()
            )
        }),
        ("comments-and-instructions-around", {
            let document = genuine().assertion_signed(forge).unwrap();
            format!(
                "<!-- made by --><?style x?>{}",
                document.replace("<samlp:Status>", "<!-- ok --><samlp:Status>")
            )
        }),
        ("several-audiences", {
            changed(&|p| {
                p.conditions = p
                    .conditions
                    .replace("<saml:Audience>", "<saml:Audience>urn:x</saml:Audience><saml:Audience>");
            })
            .assertion_signed(forge)
            .unwrap()
        }),
        ("two-restrictions-that-both-name-us", {
            changed(&|p| {
                p.conditions =
                    p.conditions.replace("</saml:Conditions>", &format!("{}</saml:Conditions>", audience(SP)))
            })
            .assertion_signed(forge)
            .unwrap()
        }),
        ("one-time-use-and-proxy-restriction", {
            changed(&|p| {
                p.conditions = p.conditions.replace("</saml:Conditions>", {
                    "<saml:OneTimeUse/><saml:ProxyRestriction Count=\"0\"/></saml:Conditions>"
                });
            })
            .assertion_signed(forge)
            .unwrap()
        }),
        ("several-confirmations-of-which-one-fits", {
            changed(&|p| {
                let other =
                    confirmation("NotOnOrAfter=\"2026-02-01T12:05:00Z\" Recipient=\"https://other.example\"");
                let holder = other.replace("cm:bearer", "cm:holder-of-key");
                p.confirmations = [&holder, &other, &p.confirmations].map(String::as_str).concat();
            })
            .assertion_signed(forge)
            .unwrap()
        }),
        ("confirmation-with-a-beginning-and-an-address", {
            changed(&|p| {
                p.confirmations = p.confirmations.replace("NotOnOrAfter", {
                    "Address=\"192.0.2.7\" NotBefore=\"2026-02-01T11:59:55Z\" NotOnOrAfter"
                });
            })
            .assertion_signed(forge)
            .unwrap()
        }),
        ("confirmation-without-request-in-a-signed-response", {
            changed(&|p| {
                p.confirmations = p.confirmations.replace(&format!("InResponseTo=\"{REQUEST}\""), "")
            })
            .response_signed(forge)
            .unwrap()
        }),
        ("clock-ahead-and-behind-within-the-skew", {
            changed(&|p| {
                p.conditions = p.conditions.replace("2026-02-01T11:59:00Z", "2026-02-01T12:01:00Z");
                p.response_attributes = p.response_attributes.replace("11:59:55Z", "12:01:00.1234567Z");
            })
            .both_signed(forge)
            .unwrap()
        }),
        ("end-just-within-the-skew", {
            changed(&|p| {
                p.conditions = p.conditions.replace("NotBefore=\"2026-02-01T11:59:00Z\"", "");
                p.conditions = p.conditions.replace("2026-02-01T12:05:00Z", "2026-02-01T11:59:00.001Z");
            })
            .both_signed(forge)
            .unwrap()
        }),
        ("times-with-offsets-and-fractions", {
            changed(&|p| {
                p.conditions =
                    p.conditions.replace("2026-02-01T12:05:00Z", "2026-02-01T14:05:00.5000000+02:00");
            })
            .both_signed(forge)
            .unwrap()
        }),
        ("issuer-marked-as-an-entity", {
            changed(&|p| {
                p.assertion_issuer = p.assertion_issuer.replace("<saml:Issuer>", {
                    "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">"
                });
            })
            .assertion_signed(forge)
            .unwrap()
        }),
        ("seven-kilobytes", {
            let departments = (0..35).map(|n| {
                format!(
                    "<saml:AttributeValue>cn=department-{n},ou=groups,dc=example,dc=com</saml:AttributeValue>"
                )
            });
            let own = key_file("idp.cert.pem")
                .lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<Vec<_>>()
                .join("\n");
            let own = format!(
                "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{own}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            );
            let parts = changed(&|p| {
                p.attributes = p.attributes.replace(
                    "<saml:AttributeValue>staff</saml:AttributeValue>",
                    &departments.clone().collect::<String>(),
                );
            });
            let document = parts.response_with("_r1", "", "", &parts.assertion());
            forge.sign_as(&document, "_a1", Signer { key_info: Box::leak(own.into_boxed_str()), ..SIGNER })
        }),
        ("advice-with-an-assertion-of-its-own", {
            let advised = Parts { assertion_id: "_advised".into(), ..genuine() }.assertion_with("", "");
            let assertion =
                genuine().assertion_with("{sign:_a1}", &format!("<saml:Advice>{advised}</saml:Advice>"));
            forge.sign(&genuine().response_with("_r1", "", "", &assertion), "_a1")
        }),
    ]
}

#[test]
fn every_genuine_response_signs_alice_in() {
    let forge = Forge::shared();
    for (name, document) in responses(forge) {
        match verdict(document.as_bytes(), &forge.expectations()) {
            Ok(identity) => assert_eq!(identity.name_id.unwrap().value, ALICE, "{name}"),
            Err(reject) => panic!("{name}: {reject:?}"),
        }
    }
}

#[track_caller]
fn accept(parts: &Parts, change: impl FnOnce(&mut Expectations<'_>)) -> Identity {
    judge(parts, change).unwrap()
}

fn judge(parts: &Parts, change: impl FnOnce(&mut Expectations<'_>)) -> Result<Identity, SamlReject> {
    let forge = Forge::shared();
    let mut expectations = forge.expectations();
    change(&mut expectations);
    verdict(parts.both_signed(forge).unwrap().as_bytes(), &expectations)
}

#[test]
fn an_identity_says_who_how_and_by_which_key() {
    let identity = accept(&alices(), |_| {});
    assert_eq!(identity.issuer, IDP);
    assert_eq!(identity.assertion_id, "_a1");
    assert_eq!(identity.session_index.as_deref(), Some("_sess1"));
    assert_eq!(identity.in_response_to.as_deref(), Some(REQUEST));
    assert_eq!(identity.signed, Signed { response: true, assertion: true });
    assert_eq!(identity.key_index, 1);
    assert!(identity.algorithms.signature.ends_with("rsa-sha256"));
    assert!(identity.decryption_key.is_none());
    assert_eq!(identity.texts("groups").collect::<Vec<_>>(), ["users", "staff"]);
    assert_eq!(identity.texts("nothing").count(), 0);
    assert_eq!(identity.not_on_or_after, 1_769_947_500_000);
}

#[test]
fn an_assertion_is_remembered_until_the_last_of_its_confirmations_ends() {
    let mut parts = alices();
    let later = |text: &str| text.replace("12:05:00Z", "12:30:00Z");
    parts.confirmations = format!("{}{}", parts.confirmations, later(&parts.confirmations));
    parts.conditions = later(&parts.conditions);
    assert_eq!(accept(&parts, |_| {}).not_on_or_after, 1_769_949_000_000);
}

#[test]
fn attributes_keep_every_value_nil_and_element_content() {
    let mut parts = alices();
    parts.attributes = "<saml:AttributeStatement xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
        <saml:Attribute Name=\"a\" FriendlyName=\"A\"><saml:AttributeValue>1</saml:AttributeValue>\
        <saml:AttributeValue xsi:nil=\"true\"/><saml:AttributeValue/></saml:Attribute>\
        <saml:Attribute Name=\"none\"/></saml:AttributeStatement><saml:AttributeStatement>\
        <saml:Attribute Name=\"a\"><saml:AttributeValue> 2 </saml:AttributeValue></saml:Attribute>\
        <saml:Attribute Name=\"b\"><saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue>\
        </saml:Attribute></saml:AttributeStatement>"
        .into();
    let identity = accept(&parts, |_| {});
    let text = |text: &str| AttributeValue::Text(text.into());
    let names: Vec<_> = identity.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["a", "none", "b"]);
    assert_eq!(identity.attributes[0].friendly_name.as_deref(), Some("A"));
    assert_eq!(identity.attributes[0].values, [text("1"), AttributeValue::Nil, text(""), text(" 2 ")]);
    assert!(identity.attributes[1].values.is_empty());
    assert_eq!(identity.attributes[2].values, [AttributeValue::Element("x".into())]);
}

#[test]
fn attributes_alone_may_name_the_subject() {
    let identity = accept(&Parts { name_id: String::new(), ..alices() }, |_| {});
    assert_eq!(identity.name_id, None);
}

#[test]
fn an_unsolicited_response_is_taken_only_where_it_is_allowed() {
    let request = format!("InResponseTo=\"{REQUEST}\"");
    let genuine = alices();
    let unsolicited = Parts {
        response_attributes: genuine.response_attributes.replace(&request, ""),
        confirmations: genuine.confirmations.replace(&request, ""),
        ..genuine
    };
    let nothing = |allowed| InResponseTo { outstanding: &[], unsolicited_allowed: allowed };
    let judged = |parts, allowed| {
        judge(parts, |expect| expect.in_response_to = nothing(allowed)).map_err(|reject| reject.code.code())
    };
    assert_eq!(judged(&unsolicited, true).map(|identity| identity.in_response_to), Ok(None));
    assert_eq!(judged(&unsolicited, false).unwrap_err(), "unsolicited");
    assert_eq!(judged(&alices(), true).unwrap_err(), "in_response_to_unknown");
}

#[test]
fn without_a_trusted_key_nothing_is_accepted() {
    let reject = judge(&alices(), |expect| expect.verification_keys = &[]).unwrap_err();
    assert_eq!(reject.code.code(), "no_trust_anchor");
}

#[test]
fn an_assertion_in_the_clear_is_refused_where_encryption_is_demanded() {
    let reject = judge(&alices(), |expect| expect.policy.require_encryption = true).unwrap_err();
    assert_eq!(reject.code.code(), "encryption_required");
}

#[test]
fn a_missing_audience_passes_only_by_policy_and_a_wrong_one_never() {
    let genuine = alices();
    let without = Parts { conditions: genuine.conditions.replace(&audience(SP), ""), ..alices() };
    let other = Parts { conditions: genuine.conditions.replace(SP, "urn:other"), ..alices() };
    let lax = |expect: &mut Expectations<'_>| expect.policy.allow_no_audience = true;
    assert!(judge(&without, lax).is_ok());
    assert_eq!(judge(&other, lax).unwrap_err().code.code(), "wrong_audience");
    assert_eq!(judge(&without, |_| {}).unwrap_err().code.code(), "audience_missing");
}

#[test]
fn sha1_is_taken_only_by_policy() {
    let forge = Forge::shared();
    let genuine = alices();
    let legacy = Signer { digest: SHA1, ..SIGNER };
    let document = forge.sign_as(&genuine.response_with("_r1", "", "", &genuine.assertion()), "_a1", legacy);
    let mut expectations = forge.expectations();
    assert_eq!(verdict(document.as_bytes(), &expectations).unwrap_err().code.code(), "signature_sha1");
    expectations.policy = Policy { allow_sha1: true, ..Policy::default() };
    assert!(verdict(document.as_bytes(), &expectations).is_ok());
}

#[test]
fn a_session_end_is_handed_on() {
    let genuine = alices();
    let authn =
        genuine.authn.replace("SessionIndex", "SessionNotOnOrAfter=\"2026-02-01T20:00:00Z\" SessionIndex");
    let identity = accept(&Parts { authn, ..alices() }, |_| {});
    assert_eq!(identity.session_not_on_or_after, Some(1_769_976_000_000));
    assert_eq!(
        identity.authn_context.as_deref(),
        Some("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")
    );
}
