//! Keys and algorithms that are not the identity provider's, transforms that take away what should be signed, references
//! that point elsewhere, and signatures that were changed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::signer::{
    ECDSA_SHA256, ENVELOPED, EXCLUSIVE, Forge, ForgeFail, ForgingKey, RSA_SHA1, RSA_SHA256, SHA1, SIGNER,
    Signer, cut, first_signature, swap,
};
use super::{Needs, Recipe, recipe};
use crate::protocol::xml::encode_base64;

const CONFUSION: &str = "McLean 2015, key confusion; CVE-2021-21239";
const TRANSFORMS: &str = "SAML core 5.4.4";
const REFERENCES: &str = "SAML core 5.4.2; CVE-2024-8698, CVE-2025-47949";
const HMAC_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";

/// The genuine response with a signed assertion, signed so.
fn signed(f: &Forge, signer: &Signer<'_>) -> Result<String, ForgeFail> {
    let genuine = f.genuine();
    f.sign_as(&genuine.unsigned_response(&genuine.assertion()), &genuine.assertion_id, signer)
}

fn by_algorithm(f: &Forge, algorithm: &str) -> Result<String, ForgeFail> {
    signed(f, &Signer { algorithm, ..SIGNER })
}

/// A forgery by a foreign key, which comes along.
fn by_foreign_key(f: &Forge, key_info: &str) -> Result<String, ForgeFail> {
    signed(f, &Signer { key: ForgingKey::Foreign, key_info, ..SIGNER })
}

fn transform(algorithm: &str, inside: &str) -> String {
    format!("<ds:Transform Algorithm=\"{algorithm}\">{inside}</ds:Transform>")
}

/// The genuine response, its signature made over these transforms.
fn transforms(f: &Forge, list: &[String]) -> Result<String, ForgeFail> {
    let list = format!("<ds:Transforms>{}</ds:Transforms>", list.concat());
    signed(f, &Signer { transforms: Some(&list), ..SIGNER })
}

fn enveloped() -> String {
    transform(ENVELOPED, "")
}

fn exclusive() -> String {
    transform(EXCLUSIVE, "")
}

fn reference(f: &Forge, uri: &str) -> Result<String, ForgeFail> {
    signed(f, &Signer { uri: Some(uri), ..SIGNER })
}

pub const RECIPES: &[Recipe] = &[
    recipe(
        "unsigned",
        "unsigned",
        "Nothing is signed.",
        "SAML profiles 4.1.4.3; CVE-2026-28323, CVE-2020-12676; GÉANT noSignature",
        |f| {
            let genuine = f.genuine();
            Ok(genuine.unsigned_response(&genuine.assertion_with("", "")))
        },
    ),
    recipe(
        "signature_stripped",
        "unsigned",
        "Both signatures are cut out, and the name is changed.",
        "SAML profiles 4.1.4.3",
        |f| {
            let document = f.genuine().both_signed(f)?;
            let once = document.replacen(first_signature(&document)?, "", 1);
            let twice = once.replacen(first_signature(&once)?, "", 1);
            swap(&twice, &f.name(), &f.marker())
        },
    ),
    recipe(
        "foreign_key",
        "signature_mismatch",
        "The assertion is signed by a key that is not the identity provider's.",
        "GÉANT invalidSignature; spid-sp-test 04; CVE-2015-5372",
        |f| by_foreign_key(f, ""),
    ),
    recipe(
        "foreign_key_in_key_value",
        "signature_mismatch",
        "As before, and a key comes along in the signature.",
        "XML Signature 4.5.2",
        |f| {
            by_foreign_key(
                f,
                "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>\
                 <ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>",
            )
        },
    ),
    recipe(
        "foreign_key_in_keyinfo",
        "signature_mismatch",
        "As before, and the certificate of that key comes along in the signature.",
        "spid-sp-test 05",
        |f| {
            let certificate = encode_base64(&f.keys.foreign_certificate);
            let info = format!(
                "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            );
            by_foreign_key(f, &info)
        },
    ),
    recipe(
        "hmac_with_public_key",
        "signature_algorithm",
        "The signature is an HMAC, keyed with the identity provider's public key, which everybody knows.",
        CONFUSION,
        |f| {
            let genuine = f.genuine();
            let document = genuine.unsigned_response(&genuine.assertion());
            let signer = Signer { algorithm: HMAC_SHA256, ..SIGNER };
            Forge::sign_by(&document, &genuine.assertion_id, &signer, |octets| {
                let mut mac = Hmac::<Sha256>::new_from_slice(&f.keys.idp_public).ok()?;
                mac.update(octets);
                Some(mac.finalize().into_bytes().to_vec())
            })
        },
    ),
    recipe(
        "hmac_sha1",
        "signature_algorithm",
        "The signature says that it is an HMAC with SHA-1.",
        CONFUSION,
        |f| by_algorithm(f, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
    ),
    recipe(
        "rsa_md5",
        "signature_algorithm",
        "The signature says that it is RSA with MD5.",
        "RFC 6151",
        |f| by_algorithm(f, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
    ),
    recipe(
        "dsa_sha1",
        "signature_algorithm",
        "The signature says that it is DSA with SHA-1.",
        "FIPS 186-5",
        |f| by_algorithm(f, "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
    ),
    recipe(
        "invented_algorithm",
        "signature_algorithm",
        "The signature names an algorithm that does not exist.",
        "XML Signature 4.4.2",
        |f| by_algorithm(f, "urn:example:none"),
    ),
    recipe(
        "no_algorithm",
        "signature_algorithm",
        "The signature names no algorithm.",
        "XML Signature 4.4.2",
        |f| by_algorithm(f, ""),
    ),
    recipe(
        "sha1",
        "signature_sha1",
        "The signature is RSA with SHA-1, which is broken.",
        "Stevens et al. 2017; Leurent and Peyrin 2020",
        |f| by_algorithm(f, RSA_SHA1),
    ),
    recipe(
        "sha1_digest",
        "signature_sha1",
        "The digest is SHA-1, which is broken.",
        "Stevens et al. 2017",
        |f| signed(f, &Signer { digest: SHA1, ..SIGNER }),
    ),
    recipe(
        "invented_digest",
        "signature_digest_algorithm",
        "The reference names a digest that does not exist.",
        "XML Signature 4.4.3.5",
        |f| signed(f, &Signer { digest: "urn:example:crc", ..SIGNER }),
    ),
    recipe(
        "ecdsa_algorithm_with_an_rsa_signature",
        "signature_mismatch",
        "The signature says ECDSA, and is RSA.",
        "XML Signature 6.4",
        |f| by_algorithm(f, ECDSA_SHA256),
    ),
    recipe(
        "rsa_algorithm_with_an_ecdsa_signature",
        "signature_mismatch",
        "The signature says RSA, and is ECDSA.",
        "XML Signature 6.4",
        |f| signed(f, &Signer { key: ForgingKey::IdpElliptic, ..SIGNER }),
    )
    .needing(Needs::EllipticKey),
    recipe(
        "ecdsa_zero",
        "signature_mismatch",
        "Both numbers of an ECDSA signature are zero.",
        "CVE-2022-21449",
        |f| {
            let signer = Signer { key: ForgingKey::IdpElliptic, algorithm: ECDSA_SHA256, ..SIGNER };
            let document = signed(f, &signer)?;
            let value = cut(&document, "<ds:SignatureValue>", "</ds:SignatureValue>")?.to_owned();
            let zeros = format!("<ds:SignatureValue>{}</ds:SignatureValue>", encode_base64(&[0; 64]));
            Ok(document.replace(&value, &zeros))
        },
    )
    .needing(Needs::EllipticKey),
    recipe(
        "invented_canonicalization",
        "signature_canonicalization",
        "The signature names a canonical form that does not exist.",
        "XML Signature 4.4.1",
        |f| {
            let ordinary = format!(
                "<ds:Transforms><ds:Transform Algorithm=\"{ENVELOPED}\"/><ds:Transform Algorithm=\"{EXCLUSIVE}\"/>\
                 </ds:Transforms>"
            );
            let canonicalization = "urn:example:c14n";
            signed(f, &Signer { canonicalization, transforms: Some(&ordinary), ..SIGNER })
        },
    ),
    recipe(
        "hmac_truncated",
        "signature_algorithm",
        "The signature asks for only eight bits of an HMAC to be compared.",
        "CVE-2009-0217",
        |f| {
            let method = format!("<ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"");
            let length =
                format!("{method}><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>");
            swap(&signed(f, &SIGNER)?, &format!("{method}/>"), &length)
        },
    ),
    recipe(
        "tampered_nameid",
        "signature_digest",
        "The name is changed after the assertion was signed.",
        "XML Signature 3.2.1",
        |f| swap(&f.genuine().assertion_signed(f)?, &f.name(), &f.marker()),
    ),
    recipe(
        "digest_flipped",
        "signature_mismatch",
        "The name is changed, and the digest is made to fit; only the signature value is the old one.",
        "XML Signature 3.2.2",
        |f| {
            let genuine = f.genuine().assertion_signed(f)?;
            let name_id = swap(&f.genuine().name_id, &f.name(), &f.marker())?;
            let forged = super::Parts { name_id, ..f.genuine() }.assertion_signed(f)?;
            let old = cut(&genuine, "<ds:SignatureValue>", "</ds:SignatureValue>")?;
            let new = cut(&forged, "<ds:SignatureValue>", "</ds:SignatureValue>")?.to_owned();
            Ok(forged.replace(&new, old))
        },
    ),
    recipe(
        "tampered_signature_value",
        "signature_mismatch",
        "The signature value is changed.",
        "XML Signature 3.2.2",
        |f| swap(&f.genuine().assertion_signed(f)?, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
    ),
    recipe(
        "tampered_response",
        "signature_digest",
        "A signed response is changed; the signed assertion in it is whole.",
        "SAML profiles 4.1.4.3",
        |f| {
            let both = f.genuine().both_signed(f)?;
            Ok(both.replacen("<samlp:Status>", "<samlp:Status><!-- --> ", 1))
        },
    ),
    recipe(
        "tampered_assertion",
        "signature_digest",
        "The name is changed where response and assertion are signed.",
        "SAML profiles 4.1.4.3",
        |f| swap(&f.genuine().both_signed(f)?, &f.name(), &f.marker()),
    ),
    recipe(
        "inner_signature_broken",
        "signature_mismatch",
        "The response is signed around an assertion whose own signature is broken.",
        "SAML profiles 4.1.4.3",
        |f| {
            let genuine = f.genuine();
            let inner = genuine.assertion_signed(f)?;
            let broken = inner.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA");
            let mark = format!("</saml:Issuer>{{sign:{}}}", genuine.response_id);
            f.sign(&broken.replacen("</saml:Issuer>", &mark, 1), &genuine.response_id)
        },
    ),
    recipe(
        "xpath_transform",
        "signature_transforms",
        "A transform takes the name out of what is signed.",
        "SAML core 5.4.4; SAMLscope IIP-SSO01",
        |f| {
            let xpath = transform(
                "http://www.w3.org/TR/1999/REC-xpath-19991116",
                "<ds:XPath>not(ancestor-or-self::*[local-name()='NameID'])</ds:XPath>",
            );
            transforms(f, &[enveloped(), xpath, exclusive()])
        },
    ),
    recipe(
        "xpath_filter_transform",
        "signature_transforms",
        "A filter of the second XPath kind stands among the transforms.",
        TRANSFORMS,
        |f| {
            let filter = transform("http://www.w3.org/2002/06/xmldsig-filter2", "");
            transforms(f, &[enveloped(), filter, exclusive()])
        },
    ),
    recipe(
        "xslt_transform",
        "signature_transforms",
        "A style sheet stands among the transforms: a program that a stranger has the service provider run.",
        "SAML Raider; SAML core 5.4.4",
        |f| {
            let xslt = transform("http://www.w3.org/TR/1999/REC-xslt-19991116", "<x/>");
            transforms(f, &[enveloped(), xslt])
        },
    ),
    recipe(
        "base64_transform",
        "signature_transforms",
        "A transform reads the signed text as Base64.",
        TRANSFORMS,
        |f| {
            let base64 = transform("http://www.w3.org/2000/09/xmldsig#base64", "");
            transforms(f, &[enveloped(), base64])
        },
    ),
    recipe(
        "hundred_transforms",
        "signature_transforms",
        "The canonical form is asked for a hundred times.",
        TRANSFORMS,
        |f| transforms(f, &[enveloped(), exclusive().repeat(100)]),
    ),
    recipe("no_transforms", "signature_transforms", "The list of transforms is empty.", TRANSFORMS, |f| {
        transforms(f, &[])
    }),
    recipe(
        "transforms_reversed",
        "signature_transforms",
        "The transforms stand in the wrong order.",
        TRANSFORMS,
        |f| transforms(f, &[exclusive(), enveloped()]),
    ),
    recipe(
        "transform_without_enveloped",
        "signature_transforms",
        "The transform is missing that leaves the signature itself out.",
        TRANSFORMS,
        |f| transforms(f, &[exclusive()]),
    ),
    recipe(
        "enveloped_twice",
        "signature_transforms",
        "The transform that leaves the signature out stands there twice.",
        TRANSFORMS,
        |f| transforms(f, &[enveloped(), enveloped(), exclusive()]),
    ),
    recipe(
        "transform_with_content",
        "signature_transforms",
        "The transform for the canonical form has an unknown element inside.",
        TRANSFORMS,
        |f| transforms(f, &[enveloped(), transform(EXCLUSIVE, "<x/>")]),
    ),
    recipe(
        "reference_empty",
        "signature_reference_uri",
        "The reference is empty, which means the whole document.",
        REFERENCES,
        |f| reference(f, ""),
    ),
    recipe("reference_bare_hash", "signature_reference_uri", "The reference is “#”.", REFERENCES, |f| {
        reference(f, "#")
    }),
    recipe(
        "reference_elsewhere",
        "signature_reference_uri",
        "The signature of the assertion refers to the response.",
        REFERENCES,
        |f| reference(f, &format!("#{}", f.id("_r1"))),
    ),
    recipe(
        "reference_to_nothing",
        "signature_reference_uri",
        "The reference names an ID that nothing has.",
        REFERENCES,
        |f| reference(f, "#_nobody"),
    ),
    recipe(
        "reference_xpointer_root",
        "signature_reference_uri",
        "The reference is an XPointer to the root.",
        REFERENCES,
        |f| reference(f, "#xpointer(/)"),
    ),
    recipe(
        "reference_xpointer_id",
        "signature_reference_uri",
        "The reference is an XPointer to the assertion.",
        REFERENCES,
        |f| reference(f, &format!("#xpointer(id('{}'))", f.id("_a1"))),
    ),
    recipe(
        "reference_http",
        "signature_reference_uri",
        "The reference is a URL to be fetched.",
        REFERENCES,
        |f| reference(f, &format!("http://idp.example.org/assertion#{}", f.id("_a1"))),
    ),
    recipe(
        "reference_file",
        "signature_reference_uri",
        "The reference is a file of the service provider.",
        REFERENCES,
        |f| reference(f, "file:///etc/passwd"),
    ),
    recipe(
        "reference_without_hash",
        "signature_reference_uri",
        "The reference is the ID without “#”.",
        REFERENCES,
        |f| reference(f, &f.id("_a1")),
    ),
    recipe(
        "reference_escaped",
        "signature_reference_uri",
        "The reference is the ID in percent-encoding.",
        REFERENCES,
        |f| reference(f, &format!("#{}", f.id("_a1").replacen('_', "%5F", 1))),
    ),
    recipe(
        "reference_with_space",
        "signature_reference_uri",
        "A space stands before the ID in the reference.",
        REFERENCES,
        |f| reference(f, &format!("# {}", f.id("_a1"))),
    ),
];
