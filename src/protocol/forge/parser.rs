//! Texts and documents that two parsers read in two ways, and values inside of a signature.

use super::parts::Parts;
use super::signer::{Forge, ForgeFail, cut, swap};
use super::{Recipe, recipe};

/// The genuine response about this name: XML text.
fn named(f: &Forge, name: &str) -> Result<Parts, ForgeFail> {
    let genuine = f.genuine();
    Ok(Parts { name_id: swap(&genuine.name_id, &f.name(), name)?, ..genuine })
}

fn document(f: &Forge) -> Result<String, ForgeFail> {
    f.genuine().assertion_signed(f)
}

/// The document with one more attribute in its root.
fn opened(f: &Forge, attribute: &str) -> Result<String, ForgeFail> {
    Ok(document(f)?.replacen("<samlp:Response ", &format!("<samlp:Response {attribute} "), 1))
}

/// The document with its name changed after signing.
fn tampered(f: &Forge) -> Result<String, ForgeFail> {
    swap(&document(f)?, &f.name(), &f.marker())
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "comment_in_nameid",
        "comment_in_nameid",
        "A comment cuts the signed name “alice@example.com.evil.example” after the first address.",
        "CVE-2017-11427 and its family",
        |f| {
            let long = format!("{}.evil.example", f.name());
            let cut = format!("{}<!-- -->.evil.example", f.name());
            swap(&named(f, &long)?.assertion_signed(f)?, &long, &cut)
        },
    ),
    recipe(
        "comment_in_nameid_when_signed",
        "comment_in_nameid",
        "As before; the comment was there when the assertion was signed.",
        "CVE-2017-11427 and its family",
        |f| named(f, &format!("{}<!---->.evil.example", f.name()))?.assertion_signed(f),
    ),
    recipe(
        "comment_at_the_end_of_the_nameid",
        "comment_in_nameid",
        "A comment follows the name.",
        "CVE-2017-11427 and its family",
        |f| named(f, &format!("{}<!-- -->", f.name()))?.assertion_signed(f),
    ),
    recipe(
        "pi_in_nameid",
        "signature_digest",
        "A part of the signed name is turned into a processing instruction.",
        "OneUptime#2988",
        |f| {
            let prefixed = named(f, &format!("not-an-{}", f.name()))?.assertion_signed(f)?;
            swap(&prefixed, "not-an-", "<?p not-an-?>")
        },
    ),
    recipe(
        "pi_in_nameid_when_signed",
        "comment_in_nameid",
        "A processing instruction stands in the name, in a signed response.",
        "OneUptime#2988",
        |f| named(f, &format!("<?p not-an-?>{}", f.name()))?.response_signed(f),
    ),
    recipe(
        "element_in_nameid",
        "comment_in_nameid",
        "An element stands inside of the name.",
        "SAML core 2.2.2",
        |f| named(f, &format!("{}<x/>.evil", f.name()))?.assertion_signed(f),
    ),
    recipe(
        "comment_in_an_attribute",
        "comment_in_attribute",
        "A comment stands in an attribute value.",
        "CVE-2017-11427 and its family",
        |f| {
            let genuine = f.genuine();
            let commented = "<saml:AttributeValue><!-- -->";
            let attributes = match genuine.attributes.is_empty() {
                false => genuine.attributes.replacen("<saml:AttributeValue>", commented, 1),
                true => format!(
                    "<saml:AttributeStatement><saml:Attribute Name=\"x\">{commented}x</saml:AttributeValue>\
                     </saml:Attribute></saml:AttributeStatement>"
                ),
            };
            Parts { attributes, ..genuine }.response_signed(f)
        },
    ),
    recipe(
        "comment_in_the_issuer",
        "assertion_issuer_mismatch",
        "A comment stands in the issuer of the assertion.",
        "CVE-2017-11427 and its family",
        |f| {
            let genuine = f.genuine();
            let (idp, mut cut) = (f.idp(), f.idp());
            let middle = cut.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
            cut.insert_str(middle, "<!-- -->");
            Parts { assertion_issuer: swap(&genuine.assertion_issuer, &idp, &cut)?, ..genuine }
                .assertion_signed(f)
        },
    ),
    recipe(
        "comment_in_the_audience",
        "wrong_audience",
        "A comment stands in the audience, behind the right name.",
        "CVE-2017-11427 and its family",
        |f| {
            let genuine = f.genuine();
            let (audience, longer) = (f.audience(), format!("{}<!-- -->.evil", f.audience()));
            Parts { conditions: swap(&genuine.conditions, &audience, &longer)?, ..genuine }
                .assertion_signed(f)
        },
    ),
    recipe(
        "doctype_differential",
        "xml_doctype",
        "A document type stands before the response: two parsers read what follows in two ways.",
        "CVE-2025-25291, CVE-2025-25292",
        |f| Ok(format!("<!DOCTYPE x>{}", document(f)?)),
    ),
    recipe(
        "xxe",
        "xml_doctype",
        "An external entity names a file of the service provider.",
        "CVE-2021-27736, CVE-2024-52806",
        |f| {
            let body = swap(&document(f)?, &f.name(), "&e;")?;
            Ok(format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{body}"))
        },
    ),
    recipe(
        "entity_bomb",
        "xml_doctype",
        "Entities multiply each other.",
        "XML 1.0 4.4; “billion laughs”",
        |f| {
            let body = swap(&document(f)?, &f.name(), "&b;")?;
            Ok(format!("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>{body}"))
        },
    ),
    recipe(
        "entity_in_id",
        "xml_doctype",
        "The ID of the assertion comes out of an entity.",
        "CVE-2025-23369",
        |f| {
            let id = f.id("_a1");
            let body = swap(&document(f)?, &format!("ID=\"{id}\""), "ID=\"&e;\"")?;
            Ok(format!("<!DOCTYPE x [<!ENTITY e \"{id}\">]>{body}"))
        },
    ),
    recipe(
        "undeclared_entity",
        "xml_unknown_entity",
        "The name is an entity that nobody declared.",
        "XML 1.0 4.1",
        |f| swap(&document(f)?, &f.name(), "&admin;"),
    ),
    recipe(
        "void_c14n",
        "xml_relative_namespace",
        "A relative namespace makes some libraries give an empty canonical form.",
        "CVE-2025-66568, CVE-2025-66475",
        |f| opened(f, "xmlns:v=\"1\""),
    ),
    recipe(
        "xml_prefix_rebound",
        "xml_reserved_prefix",
        "The prefix “xml” is bound to another namespace.",
        "Namespaces in XML 1.0 3",
        |f| opened(f, "xmlns:xml=\"urn:x\""),
    ),
    recipe(
        "xmlns_prefix_rebound",
        "xml_reserved_prefix",
        "The prefix “xmlns” is bound to a namespace.",
        "Namespaces in XML 1.0 3",
        |f| opened(f, "xmlns:xmlns=\"urn:x\""),
    ),
    recipe(
        "prefix_unbound",
        "xml_unbound_prefix",
        "A prefix is bound to nothing.",
        "Namespaces in XML 1.0 2.2",
        |f| opened(f, "xmlns:q=\"\""),
    ),
    recipe(
        "attribute_pollution",
        "xml_duplicate_attribute",
        "The assertion has two IDs.",
        "The Fragile Lock, 2025; jellyfin-plugin-sso#1003",
        |f| {
            let id = f.id("_a1");
            let twice = format!("ID=\"{id}\" ID=\"{}\"", f.id("_evil"));
            swap(&document(f)?, &format!("ID=\"{id}\""), &twice)
        },
    ),
    recipe(
        "same_attribute_by_two_prefixes",
        "xml_duplicate_attribute",
        "One attribute comes twice, by two prefixes of one namespace.",
        "Namespaces in XML 1.0 6.3",
        |f| opened(f, "xmlns:p=\"urn:p\" xmlns:q=\"urn:p\" p:a=\"1\" q:a=\"2\""),
    ),
    recipe("nul_byte", "xml_illegal_character", "A NUL byte stands in the name.", "XML 1.0 2.2", |f| {
        let (name, mut cut) = (f.name(), f.name());
        let middle = cut.char_indices().nth(5).map_or(0, |(at, _)| at);
        cut.insert(middle, '\0');
        swap(&document(f)?, &name, &cut)
    }),
    recipe(
        "sixteen_bit_text",
        "xml_illegal_character",
        "The document is written in UTF-16.",
        "XML 1.0 4.3.3",
        |f| Ok(document(f)?.chars().flat_map(|c| ['\0', c]).collect()),
    ),
    recipe(
        "foreign_encoding",
        "xml_foreign_encoding",
        "The document says that it is written in UTF-7.",
        "XML 1.0 4.3.3",
        |f| Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{}", document(f)?)),
    ),
    recipe(
        "namespace_confusion",
        "unsigned",
        "The signature stands in a namespace that looks like the right one.",
        "The Fragile Lock, 2025; jellyfin-plugin-sso#1003",
        |f| {
            let namespace = "http://www.w3.org/2000/09/xmldsig";
            swap(&document(f)?, &format!("{namespace}#\">"), &format!("{namespace}\">"))
        },
    ),
    recipe(
        "deep_nesting",
        "xml_too_deep",
        "Forty elements stand inside of each other.",
        "saml-rs needed 629 ms for one",
        |f| {
            let (open, close) = ("<x>".repeat(40), "</x>".repeat(40));
            let deep = format!("<samlp:Extensions>{open}{close}</samlp:Extensions><samlp:Status>");
            swap(&document(f)?, "<samlp:Status>", &deep)
        },
    ),
    recipe(
        "too_many_nodes",
        "xml_too_many_nodes",
        "Twenty thousand empty elements follow the statements.",
        "OWASP XML Security Cheat Sheet",
        |f| {
            let many = format!("{}</saml:Assertion>", "<x/>".repeat(20_000));
            swap(&document(f)?, "</saml:Assertion>", &many)
        },
    ),
    recipe(
        "comment_in_digest",
        "signature_value",
        "The name is changed, and a comment with another digest stands in the digest value.",
        "CVE-2025-29775",
        |f| swap(&tampered(f)?, "<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->"),
    ),
    recipe(
        "comment_in_the_signature_value",
        "signature_value",
        "A comment stands in the signature value.",
        "CVE-2025-29775",
        |f| swap(&document(f)?, "<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"),
    ),
    recipe(
        "element_in_the_digest_value",
        "signature_value",
        "An element stands in the digest value.",
        "XML Signature 4.4.3.6",
        |f| swap(&document(f)?, "</ds:DigestValue>", "<x/></ds:DigestValue>"),
    ),
    recipe(
        "two_digest_values",
        "signature_structure",
        "The name is changed, and a second digest value follows the first.",
        "XML Signature 4.4.3.6",
        |f| {
            let second = "</ds:DigestValue><ds:DigestValue>AAAA</ds:DigestValue>";
            swap(&tampered(f)?, "</ds:DigestValue>", second)
        },
    ),
    recipe(
        "two_signed_infos",
        "signature_structure",
        "The name is changed, and what is signed stands twice in the signature.",
        "CVE-2025-29774",
        |f| {
            let tampered = tampered(f)?;
            let info = cut(&tampered, "<ds:SignedInfo>", "</ds:SignedInfo>")?;
            Ok(tampered.replace(info, &info.repeat(2)))
        },
    ),
    recipe(
        "two_signature_methods",
        "signature_references",
        "The signature names its method twice.",
        "XML Signature 4.4",
        |f| {
            let document = document(f)?;
            let method = cut(&document, "<ds:SignatureMethod ", "/>")?;
            Ok(document.replace(method, &method.repeat(2)))
        },
    ),
    recipe(
        "two_signature_values",
        "signature_structure",
        "The signature has its value twice.",
        "XML Signature 4.2",
        |f| {
            let document = document(f)?;
            let value = cut(&document, "<ds:SignatureValue>", "</ds:SignatureValue>")?;
            Ok(document.replace(value, &value.repeat(2)))
        },
    ),
    recipe(
        "two_references",
        "signature_references",
        "The signature has its reference twice.",
        "SAML core 5.4.2; CVE-2026-33487",
        |f| {
            let document = document(f)?;
            let reference = cut(&document, "<ds:Reference ", "</ds:Reference>")?;
            Ok(document.replace(reference, &reference.repeat(2)))
        },
    ),
];
