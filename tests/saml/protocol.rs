//! What the protocol itself forbids: wrong party, wrong time, wrong answer, missing parts.

use crate::forge::{ACS, ALICE, Forge, IDP, Parts, REQUEST, SP, audience, confirmation};
use crate::wrapping::Attack;

pub fn attacks(forge: &Forge) -> Vec<Attack> {
    [parties(forge), answers(forge), times(forge), parts(forge)].concat()
}

/// A genuine response with one place changed before it was signed.
fn spoilt(forge: &Forge, spoil: impl FnOnce(&mut Parts)) -> String {
    let mut parts = Parts::genuine();
    spoil(&mut parts);
    parts.both_signed(forge)
}

fn in_response(parts: &mut Parts, from: &str, to: &str) {
    assert!(parts.response_attributes.contains(from));
    parts.response_attributes = parts.response_attributes.replace(from, to);
}

fn in_confirmation(parts: &mut Parts, from: &str, to: &str) {
    assert!(parts.confirmations.contains(from));
    parts.confirmations = parts.confirmations.replace(from, to);
}

fn in_conditions(parts: &mut Parts, from: &str, to: &str) {
    assert!(parts.conditions.contains(from));
    parts.conditions = parts.conditions.replace(from, to);
}

fn parties(forge: &Forge) -> Vec<Attack> {
    let make = |spoil: fn(&mut Parts)| spoilt(forge, spoil);
    vec![
        ("wrong_audience", "wrong_audience", make(|p| in_conditions(p, SP, "https://other.example"))),
        (
            "audience-with-our-name-inside",
            "wrong_audience",
            make(|p| in_conditions(p, SP, &format!("{SP}.evil"))),
        ),
        ("audience-in-other-case", "wrong_audience", make(|p| in_conditions(p, SP, &SP.to_uppercase()))),
        ("second-audience-restriction-names-another", "wrong_audience", {
            make(|p| {
                in_conditions(p, "</saml:Conditions>", &format!("{}</saml:Conditions>", audience("urn:x")))
            })
        }),
        ("audience-restriction-without-audience", "wrong_audience", {
            make(|p| in_conditions(p, &audience(SP), "<saml:AudienceRestriction/>"))
        }),
        ("no-audience", "audience_missing", make(|p| in_conditions(p, &audience(SP), ""))),
        ("no-conditions", "audience_missing", make(|p| p.conditions.clear())),
        (
            "wrong_recipient",
            "wrong_recipient",
            make(|p| in_confirmation(p, ACS, "https://other.example/acs")),
        ),
        (
            "recipient-with-a-suffix",
            "wrong_recipient",
            make(|p| in_confirmation(p, ACS, &format!("{ACS}/x"))),
        ),
        (
            "no-recipient",
            "recipient_missing",
            make(|p| in_confirmation(p, &format!("Recipient=\"{ACS}\""), "")),
        ),
        (
            "wrong-destination",
            "wrong_destination",
            make(|p| in_response(p, ACS, "https://other.example/acs")),
        ),
        ("empty-destination", "wrong_destination", make(|p| in_response(p, ACS, ""))),
        ("no-destination-in-a-signed-response", "destination_missing", {
            make(|p| in_response(p, &format!("Destination=\"{ACS}\""), ""))
        }),
        ("other-identity-provider-in-the-response", "response_issuer_mismatch", {
            make(|p| p.response_issuer = p.response_issuer.replace(IDP, "https://other.example"))
        }),
        ("other-identity-provider-in-the-assertion", "assertion_issuer_mismatch", {
            make(|p| p.assertion_issuer = p.assertion_issuer.replace(IDP, "https://other.example"))
        }),
        ("no-issuer-in-a-signed-response", "response_issuer_missing", {
            let parts = Parts { response_issuer: "<saml:Issuer/>".into(), ..Parts::genuine() };
            let document = parts.response(&parts.assertion_with("", "")).replace("<saml:Issuer/>{", "{");
            forge.sign(&document, "_r1")
        }),
        ("no-issuer-in-the-assertion", "assertion_issuer_missing", { make(|p| p.assertion_issuer.clear()) }),
        ("issuer-that-is-no-entity", "assertion_issuer_mismatch", {
            make(|p| {
                p.assertion_issuer = p.assertion_issuer.replace("<saml:Issuer>", {
                    "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">"
                })
            })
        }),
        ("two-issuers-in-the-assertion", "assertion_issuer_mismatch", {
            make(|p| p.assertion_issuer = p.assertion_issuer.repeat(2))
        }),
        ("federation-token-without-confirmation-data", "recipient_missing", {
            make(|p| {
                p.confirmations = "<saml:SubjectConfirmation \
                                   Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/>"
                    .into();
            })
        }),
        (
            "holder-of-key-alone",
            "bearer_missing",
            make(|p| in_confirmation(p, "cm:bearer", "cm:holder-of-key")),
        ),
        ("no-confirmation", "bearer_missing", make(|p| p.confirmations.clear())),
    ]
}

fn answers(forge: &Forge) -> Vec<Attack> {
    let make = |spoil: fn(&mut Parts)| spoilt(forge, spoil);
    let attribute = format!("InResponseTo=\"{REQUEST}\"");
    let assertion_alone = |spoil: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::genuine();
        spoil(&mut parts);
        parts.assertion_signed(forge)
    };
    vec![
        (
            "unsolicited",
            "unsolicited",
            make(|p| {
                in_response(p, &format!("InResponseTo=\"{REQUEST}\""), "");
                in_confirmation(p, &format!("InResponseTo=\"{REQUEST}\""), "");
            }),
        ),
        ("answers-an-unknown-request", "in_response_to_unknown", make(|p| in_response(p, REQUEST, "_other"))),
        ("confirmation-answers-another-request", "confirmation_in_response_to_mismatch", {
            make(|p| in_confirmation(p, REQUEST, "_another"))
        }),
        ("old-assertion-in-an-answer-that-is-not-signed", "confirmation_in_response_to_missing", {
            assertion_alone(&|p| in_confirmation(p, &attribute, ""))
        }),
        (
            "status-of-failure",
            "status_not_success",
            make(|p| p.status = p.status.replace("Success", "Requester")),
        ),
        ("status-of-success-below-a-failure", "status_not_success", {
            make(|p| {
                p.status = "<samlp:Status><samlp:StatusCode \
                            Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
                            Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:StatusCode></samlp:Status>"
                    .into();
            })
        }),
        ("two-statuses", "status_missing", make(|p| p.status = p.status.repeat(2))),
        ("no-status", "status_missing", make(|p| p.status.clear())),
    ]
}

fn times(forge: &Forge) -> Vec<Attack> {
    let make = |spoil: fn(&mut Parts)| spoilt(forge, spoil);
    const END: &str = "2026-02-01T12:05:00Z";
    vec![
        (
            "expired",
            "expired",
            make(|p| {
                in_conditions(p, "2026-02-01T11:59:00Z", "2026-02-01T10:00:00Z");
                in_conditions(p, END, "2026-02-01T11:00:00Z");
            }),
        ),
        (
            "expired-at-the-edge-of-the-skew",
            "expired",
            make(|p| {
                in_conditions(p, "2026-02-01T11:59:00Z", "2026-02-01T10:00:00Z");
                in_conditions(p, END, "2026-02-01T11:59:00Z");
            }),
        ),
        ("conditions-that-end-before-they-begin", "conditions_inverted", {
            make(|p| {
                in_conditions(p, "NotBefore=\"2026-02-01T11:59:00Z\"", "NotBefore=\"2026-02-01T12:06:00Z\"")
            })
        }),
        ("not_yet", "not_yet", {
            make(|p| {
                in_conditions(
                    p,
                    "NotBefore=\"2026-02-01T11:59:00Z\"",
                    "NotBefore=\"2026-02-01T12:01:00.001Z\"",
                )
            })
        }),
        ("confirmation-expired", "confirmation_expired", {
            make(|p| in_confirmation(p, END, "2026-02-01T11:59:00Z"))
        }),
        ("confirmation-not-yet", "confirmation_not_yet", {
            make(|p| {
                in_confirmation(p, "NotOnOrAfter", "NotBefore=\"2026-02-01T12:01:00.001Z\" NotOnOrAfter")
            })
        }),
        ("confirmation-without-end", "confirmation_unbounded", {
            make(|p| in_confirmation(p, &format!("NotOnOrAfter=\"{END}\""), ""))
        }),
        ("confirmation-end-malformed", "time_malformed", make(|p| in_confirmation(p, END, "tomorrow"))),
        ("conditions-end-malformed", "time_malformed", make(|p| in_conditions(p, END, "INVALID-DATE"))),
        (
            "conditions-end-without-seconds",
            "time_malformed",
            make(|p| in_conditions(p, END, "2026-02-01T12:05Z")),
        ),
        ("conditions-end-empty", "time_malformed", make(|p| in_conditions(p, END, ""))),
        ("conditions-begin-malformed", "time_malformed", {
            make(|p| in_conditions(p, "NotBefore=\"2026-02-01T11:59:00Z\"", "NotBefore=\"0\""))
        }),
        ("authentication-instant-malformed", "time_malformed", {
            make(|p| p.authn = p.authn.replace("2026-02-01T11:59:50Z", "now"))
        }),
        ("session-over", "session_expired", {
            make(|p| {
                p.authn = p
                    .authn
                    .replace("SessionIndex", "SessionNotOnOrAfter=\"2026-02-01T11:58:59Z\" SessionIndex")
            })
        }),
        ("issue-instant-malformed", "issue_instant_malformed", {
            make(|p| in_response(p, "2026-02-01T11:59:55Z", "yesterday"))
        }),
        ("no-issue-instant-in-the-assertion", "issue_instant_malformed", {
            make(|p| p.assertion_attributes = "Version=\"2.0\"".into())
        }),
    ]
}

fn parts(forge: &Forge) -> Vec<Attack> {
    let make = |spoil: fn(&mut Parts)| spoilt(forge, spoil);
    let response = Parts::genuine();
    vec![
        ("version-of-the-response", "wrong_version", make(|p| in_response(p, "\"2.0\"", "\"1.1\""))),
        ("no-version", "wrong_version", make(|p| in_response(p, "Version=\"2.0\"", ""))),
        ("version-of-the-assertion", "assertion_wrong_version", {
            make(|p| p.assertion_attributes = p.assertion_attributes.replace("2.0", "1.1"))
        }),
        ("no-assertion", "assertion_missing", forge.sign(&response.response(""), "_r1")),
        ("a-request-instead-of-a-response", "not_a_response", {
            response.both_signed(forge).replace("samlp:Response", "samlp:AuthnRequest")
        }),
        ("two-subjects", "subject_missing", {
            let assertion = response.assertion();
            let subject = crate::forge::cut(&assertion, "<saml:Subject>", "</saml:Subject>").to_owned();
            let twice = assertion.replace(&subject, &subject.repeat(2));
            forge.sign(&response.response_with("_r1", "", "", &twice), "_a1")
        }),
        ("two-conditions", "conditions_repeated", make(|p| p.conditions = p.conditions.repeat(2))),
        ("unknown-condition", "condition_unknown", {
            make(|p| in_conditions(p, "</saml:Conditions>", "<saml:Condition/></saml:Conditions>"))
        }),
        ("no-authentication-statement", "authn_statement_missing", make(|p| p.authn.clear())),
        ("empty-nameid", "name_id_empty", make(|p| p.name_id = p.name_id.replace(ALICE, " \n"))),
        ("neither-nameid-nor-attributes", "name_id_missing", {
            make(|p| {
                p.name_id.clear();
                p.attributes.clear();
            })
        }),
        ("two-nameids", "name_id_repeated", make(|p| p.name_id = p.name_id.repeat(2))),
        ("attribute-without-a-name", "attribute_unnamed", {
            make(|p| p.attributes = p.attributes.replace("Name=\"email\"", ""))
        }),
        ("two-confirmation-data", "bearer_missing", {
            make(|p| {
                let data =
                    crate::forge::cut(&p.confirmations, "<saml:SubjectConfirmationData", "/>").to_owned();
                p.confirmations = p.confirmations.replace(&data, &data.repeat(2));
            })
        }),
        ("confirmation-method-of-another-name", "bearer_missing", {
            make(|p| p.confirmations = confirmation("").replace("cm:bearer", "cm:sender-vouches"))
        }),
    ]
}
