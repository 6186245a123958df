//! Signature wrapping: what was verified and what is read are two elements. Every way that is known.

use crate::forge::{Forge, MALLORY, Parts, SIGNER, Signer, assertion_of, signature_of};

/// An attack: its name, the code that must refuse it, and the document.
pub type Attack = (&'static str, &'static str, String);

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

pub fn attacks(forge: &Forge) -> Vec<Attack> {
    [permutations(forge), hiding_places(forge), carriers(forge)].concat()
}

/// XSW1 to XSW8 (Somorovsky et al. 2012), as they are commonly numbered.
fn permutations(forge: &Forge) -> Vec<Attack> {
    let (genuine, forged) = (Parts::genuine(), Parts::forged());
    let response = genuine.response_signed(forge);
    let response_signature = signature_of(&response);
    let bare_response = response.replace(response_signature, "");
    let document = genuine.assertion_signed(forge);
    let original = assertion_of(&document);
    let signature = signature_of(original);
    let bare = original.replace(signature, "");
    let evil = forged.assertion_with("", "");

    let around = |inside: &str| forged.response_with("_r1", "", "", inside);
    vec![
        (
            "xsw1-response-inside-the-signature",
            "assertion_misplaced",
            forged.response_with("_evil_r", &put_into(response_signature, &bare_response), "", &evil),
        ),
        (
            "xsw2-response-beside-the-signature",
            "unexpected_child",
            forged.response_with("_evil_r", &[&bare_response, response_signature].concat(), "", &evil),
        ),
        ("xsw3-forged-assertion-first", "several_assertions", around(&[&evil, original].concat())),
        (
            "xsw4-original-inside-the-forged-assertion",
            "assertion_misplaced",
            around(&forged.assertion_with("", original)),
        ),
        (
            "xsw5-signature-in-the-forged-assertion",
            "several_assertions",
            around(&[forged.assertion_with(signature, ""), bare.clone()].concat()),
        ),
        (
            "xsw6-original-inside-the-signature-of-the-forged-assertion",
            "assertion_misplaced",
            around(&forged.assertion_with(&put_into(signature, &bare), "")),
        ),
        (
            "xsw7-forged-assertion-in-the-extensions",
            "assertion_misplaced",
            genuine.response_with("_r1", "", &extensions(&evil), original),
        ),
        (
            "xsw8-original-in-an-object-of-the-signature",
            "assertion_misplaced",
            around(&forged.assertion_with(&put_into(signature, &object(&bare)), "")),
        ),
    ]
}

/// The same idea, with the original parked wherever the schema has room for it.
fn hiding_places(forge: &Forge) -> Vec<Attack> {
    let (genuine, forged) = (Parts::genuine(), Parts::forged());
    let document = genuine.assertion_signed(forge);
    let original = assertion_of(&document);
    let signature = signature_of(original);
    let bare = original.replace(signature, "");
    let evil = forged.assertion_with("", "");
    let same_id = Parts { assertion_id: "_a1", ..Parts::forged() };
    let advice = |inside: &str| format!("<saml:Advice>{inside}</saml:Advice>");
    let around = |inside: &str| forged.response_with("_r1", "", "", inside);
    let with_status_detail = |inside: &str| Parts {
        status: genuine.status.replace(
            "</samlp:Status>",
            &format!("<samlp:StatusDetail>{inside}</samlp:StatusDetail></samlp:Status>"),
        ),
        ..Parts::forged()
    };
    let in_attribute = |inside: &str| Parts {
        attributes: forged.attributes.replace("alice@example.com", inside),
        ..Parts::forged()
    };
    vec![
        ("signed-original-in-advice", "unsigned", around(&forged.assertion_with("", &advice(original)))),
        (
            "original-in-advice-signature-outside",
            "signature_reference_uri",
            around(&forged.assertion_with(signature, &advice(&bare))),
        ),
        (
            "original-in-advice-same-id",
            "signature_duplicate_id",
            around(&same_id.assertion_with(signature, &advice(&bare))),
        ),
        (
            "same-id-copies",
            "several_assertions",
            around(&[same_id.assertion_with("", ""), original.to_owned()].concat()),
        ),
        (
            "original-in-status-detail",
            "assertion_misplaced",
            with_status_detail(original).response_with("_r1", "", "", &evil),
        ),
        (
            "original-in-an-attribute-value",
            "assertion_misplaced",
            around(&in_attribute(&bare).assertion_with(signature, "")),
        ),
        (
            "original-in-key-info",
            "assertion_misplaced",
            around(
                &forged.assertion_with(&put_into(signature, &format!("<ds:KeyInfo>{bare}</ds:KeyInfo>")), ""),
            ),
        ),
        (
            "original-in-a-nested-response",
            "assertion_misplaced",
            genuine.response_with(
                "_r0",
                "",
                &extensions(&genuine.response_with("_r1", "", "", original)),
                &evil,
            ),
        ),
        (
            "original-response-as-a-child",
            "unexpected_child",
            genuine.response_with("_r0", "", &genuine.response_with("_r1", "", "", original), &evil),
        ),
        (
            "signature-of-the-assertion-in-the-response",
            "signature_reference_uri",
            forge.sign(
                &genuine.response_with("_r1", "{sign:_a1}", "", &genuine.assertion_with("", "")),
                "_a1",
            ),
        ),
        (
            "signature-beside-the-assertion-in-extensions",
            "signature_misplaced",
            forged.response_with("_r1", "", &extensions(signature), &forged.assertion_with("", "")),
        ),
        (
            "signature-deep-in-the-assertion",
            "signature_misplaced",
            around(&in_attribute(signature).assertion_with("", "")),
        ),
        (
            "response-and-assertion-share-an-id",
            "signature_duplicate_id",
            genuine.response_with("_a1", "", "", original),
        ),
        ("two-assertions-original-first", "several_assertions", around(&[original, evil.as_str()].concat())),
        ("two-roots", "xml_outside_root", [document.as_str(), &around(&evil)].concat()),
        ("two-roots-forged-first", "xml_outside_root", [&around(&evil), document.as_str()].concat()),
        ("wrapped-in-another-root", "not_a_response", format!("<x>{document}{}</x>", around(&evil))),
        ("assertion-by-itself", "not_a_response", original.to_owned()),
        (
            "assertion-in-another-namespace",
            "unexpected_child",
            around(&[&evil.replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:x"), original].concat()),
        ),
    ]
}

/// Genuine signatures made over something else, put to use on a forged assertion.
fn carriers(forge: &Forge) -> Vec<Attack> {
    let forged = Parts::forged();
    let evil = forged.assertion_with("", "");
    let refused = Parts {
        status: forged.status.replace(SUCCESS, "urn:oasis:names:tc:SAML:2.0:status:Responder"),
        ..Parts::genuine()
    };
    let error = forge.sign(&refused.response(""), "_r1");
    let error_signature = signature_of(&error);
    let genuine = Parts::genuine().assertion_signed(forge);
    let digest = crate::forge::cut(&genuine, "<ds:DigestValue>", "</ds:DigestValue>");
    let logout = forge.sign(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_evil\" \
         Version=\"2.0\" IssueInstant=\"2026-02-01T11:59:55Z\">{sign:_evil}</samlp:LogoutRequest>",
        "_evil",
    );
    let metadata = forge.sign_as(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_evil\" \
         entityID=\"https://idp.example.org/metadata\">{sign:_evil}</md:EntityDescriptor>",
        "_evil",
        Signer { ..SIGNER },
    );
    let in_error = |inside: &str| error.replace(error_signature, inside);
    vec![
        ("forged-assertion-in-a-signed-error", "status_not_success", {
            error.replace("</samlp:Response>", &format!("{evil}</samlp:Response>"))
        }),
        (
            "forged-assertion-in-an-object-of-a-signed-error",
            "status_not_success",
            in_error(&put_into(error_signature, &object(&evil))),
        ),
        (
            "signed-error-turned-into-success",
            "signature_digest",
            error
                .replace("status:Responder", "status:Success")
                .replace("</samlp:Response>", &format!("{evil}</samlp:Response>")),
        ),
        ("object-in-the-signature-of-a-genuine-response", "assertion_misplaced", {
            let response = Parts::genuine().response_signed(forge);
            let signature = signature_of(&response);
            response.replace(signature, &put_into(signature, &object(&evil)))
        }),
        ("decoy-signature-repeats-the-signature-value", "signature_several", {
            let response = Parts::genuine().response_signed(forge);
            let signature = signature_of(&response);
            let decoy = put_into(signature, &object("<x/>"));
            response.replace(signature, &[&decoy, signature].concat())
        }),
        (
            "signature-of-a-logout-request",
            "signature_digest",
            forged.response_with("_r1", "", "", &forged.assertion_with(signature_of(&logout), "")),
        ),
        (
            "signature-of-metadata",
            "signature_digest",
            forged.response_with("_r1", "", "", &forged.assertion_with(signature_of(&metadata), "")),
        ),
        ("logout-request-with-a-signed-assertion", "not_a_response", {
            logout.replace(
                "</samlp:LogoutRequest>",
                &format!("{}</samlp:LogoutRequest>", assertion_of(&genuine)),
            )
        }),
        (
            "genuine-digest-elsewhere-in-the-document",
            "signature_digest",
            genuine.replace(crate::forge::ALICE, MALLORY).replace(
                "</samlp:Status>",
                &format!(
                    "<samlp:StatusDetail><x xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{digest}</x>\
                     </samlp:StatusDetail></samlp:Status>"
                ),
            ),
        ),
    ]
}

fn put_into(signature: &str, inside: &str) -> String {
    signature.replace("</ds:Signature>", &format!("{inside}</ds:Signature>"))
}

fn object(inside: &str) -> String {
    format!("<ds:Object>{inside}</ds:Object>")
}

fn extensions(inside: &str) -> String {
    format!("<samlp:Extensions>{inside}</samlp:Extensions>")
}
