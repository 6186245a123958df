//! Parsers and signatures: differentials, void canonical forms, key confusion, algorithms, references.

use crate::forge::{
    ALICE, ECDSA_SHA256, ENVELOPED, EXCLUSIVE, Forge, Key, MALLORY, Parts, RSA_SHA1, SHA1, SIGNER, Signer,
    cut, key_file, signature_of,
};
use crate::wrapping::Attack;

pub fn attacks(forge: &Forge) -> Vec<Attack> {
    [texts(forge), parsers(forge), values(forge), trust(forge), transforms(forge), references(forge)].concat()
}

fn named(name: &str) -> Parts {
    let genuine = Parts::genuine();
    Parts { name_id: genuine.name_id.replace(ALICE, name), ..genuine }
}

/// Markup that makes two readers read two names.
fn texts(forge: &Forge) -> Vec<Attack> {
    let suffixed = format!("{ALICE}.evil.example");
    let genuine = Parts::genuine();
    let long = named(&suffixed).assertion_signed(forge);
    let prefixed = named(&format!("not-an-{ALICE}")).assertion_signed(forge);
    let attribute = Parts {
        attributes: genuine
            .attributes
            .replace("<saml:AttributeValue>alice", "<saml:AttributeValue><!-- -->alice"),
        ..Parts::genuine()
    };
    vec![
        (
            "comment_in_nameid",
            "comment_in_nameid",
            long.replace(&suffixed, &format!("{ALICE}<!-- -->.evil.example")),
        ),
        ("comment-in-nameid-when-signed", "comment_in_nameid", {
            named(&format!("{ALICE}<!---->.evil.example")).assertion_signed(forge)
        }),
        (
            "comment-at-the-end-of-the-nameid",
            "comment_in_nameid",
            named(&format!("{ALICE}<!-- -->")).assertion_signed(forge),
        ),
        (
            "instruction-in-nameid-after-signing",
            "signature_digest",
            prefixed.replace("not-an-", "<?p not-an-?>"),
        ),
        ("instruction-in-nameid-when-signed", "comment_in_nameid", {
            named(&format!("<?p not-an-?>{ALICE}")).response_signed(forge)
        }),
        (
            "element-in-nameid",
            "comment_in_nameid",
            named(&format!("{ALICE}<x/>.evil")).assertion_signed(forge),
        ),
        ("comment-in-an-attribute", "comment_in_attribute", attribute.response_signed(forge)),
        ("comment-in-the-issuer", "assertion_issuer_mismatch", {
            let issuer = genuine.assertion_issuer.replace("/metadata", "/meta<!-- -->data");
            Parts { assertion_issuer: issuer, ..Parts::genuine() }.assertion_signed(forge)
        }),
        ("comment-in-the-audience", "wrong_audience", {
            let conditions = genuine
                .conditions
                .replace("sp.example.com/saml/metadata", "sp.example.com/saml/metadata<!-- -->.evil");
            Parts { conditions, ..Parts::genuine() }.assertion_signed(forge)
        }),
    ]
}

/// What a second parser would see otherwise.
fn parsers(forge: &Forge) -> Vec<Attack> {
    let document = Parts::genuine().assertion_signed(forge);
    let wide: String = document.chars().flat_map(|c| ['\0', c]).collect();
    let opened =
        |attribute: &str| document.replacen("<samlp:Response ", &format!("<samlp:Response {attribute} "), 1);
    vec![
        ("doctype", "xml_doctype", format!("<!DOCTYPE x>{document}")),
        (
            "doctype-external-entity",
            "xml_doctype",
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
                document.replace(ALICE, "&e;")
            ),
        ),
        (
            "doctype-entity-expansion",
            "xml_doctype",
            format!(
                "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>{}",
                document.replace(ALICE, "&b;")
            ),
        ),
        (
            "id-through-an-entity",
            "xml_doctype",
            format!("<!DOCTYPE x [<!ENTITY e \"_a1\">]>{}", document.replace("ID=\"_a1\"", "ID=\"&e;\"")),
        ),
        ("undeclared-entity", "xml_unknown_entity", document.replace(ALICE, "&admin;")),
        ("relative-namespace-voids-the-canonical-form", "xml_relative_namespace", opened("xmlns:v=\"1\"")),
        ("xml-prefix-rebound", "xml_reserved_prefix", opened("xmlns:xml=\"urn:x\"")),
        ("xmlns-prefix-rebound", "xml_reserved_prefix", opened("xmlns:xmlns=\"urn:x\"")),
        ("prefix-unbound", "xml_unbound_prefix", opened("xmlns:q=\"\"")),
        (
            "id-twice-on-one-element",
            "xml_duplicate_attribute",
            document.replace("ID=\"_a1\"", "ID=\"_a1\" ID=\"_evil\""),
        ),
        (
            "same-attribute-by-two-prefixes",
            "xml_duplicate_attribute",
            opened("xmlns:p=\"urn:p\" xmlns:q=\"urn:p\" p:a=\"1\" q:a=\"2\""),
        ),
        ("nul-byte", "xml_illegal_character", document.replace(ALICE, "alice\0@example.com")),
        ("sixteen-bit-text", "xml_illegal_character", wide),
        (
            "foreign-encoding-label",
            "xml_foreign_encoding",
            format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{document}"),
        ),
        (
            "look-alike-signature-namespace",
            "unsigned",
            document.replace("http://www.w3.org/2000/09/xmldsig#\">", "http://www.w3.org/2000/09/xmldsig\">"),
        ),
        ("too-deep", "xml_too_deep", {
            let (open, close) = ("<x>".repeat(40), "</x>".repeat(40));
            document.replace(
                "<samlp:Status>",
                &format!("<samlp:Extensions>{open}{close}</samlp:Extensions><samlp:Status>"),
            )
        }),
        ("too-many-nodes", "xml_too_many_nodes", {
            document.replace("</saml:Assertion>", &format!("{}</saml:Assertion>", "<x/>".repeat(20_000)))
        }),
    ]
}

/// The values inside a signature, read in two ways.
fn values(forge: &Forge) -> Vec<Attack> {
    let document = Parts::genuine().assertion_signed(forge);
    let tampered = document.replace(ALICE, MALLORY);
    let digest = cut(&document, "<ds:DigestValue>", "</ds:DigestValue>");
    let signed_info = cut(&document, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let method = cut(&document, "<ds:SignatureMethod ", "/>");
    let value = cut(&document, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let forged_digest = digest.replace("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->");
    vec![
        ("comment-in-the-digest-value", "signature_value", tampered.replace(digest, &forged_digest)),
        (
            "comment-in-the-signature-value",
            "signature_value",
            document.replace("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"),
        ),
        (
            "element-in-the-digest-value",
            "signature_value",
            document.replace("</ds:DigestValue>", "<x/></ds:DigestValue>"),
        ),
        (
            "two-digest-values",
            "signature_structure",
            tampered.replace(digest, &[digest, "<ds:DigestValue>AAAA</ds:DigestValue>"].concat()),
        ),
        (
            "two-signed-infos",
            "signature_structure",
            tampered.replace(signed_info, &[signed_info, signed_info].concat()),
        ),
        (
            "two-signature-methods",
            "signature_references",
            document.replace(method, &[method, method].concat()),
        ),
        ("two-signature-values", "signature_structure", document.replace(value, &[value, value].concat())),
        ("two-references", "signature_references", {
            let reference = cut(&document, "<ds:Reference ", "</ds:Reference>");
            document.replace(reference, &[reference, reference].concat())
        }),
        ("tampered-nameid", "signature_digest", tampered.clone()),
        (
            "tampered-signature-value",
            "signature_mismatch",
            document.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        ),
        ("tampered-response-around-a-signed-assertion", "signature_digest", {
            let both = Parts::genuine().both_signed(forge);
            both.replacen("<samlp:Status>", "<samlp:Status><!-- --> ", 1)
        }),
        ("tampered-assertion-in-a-response-that-is-not-signed-anew", "signature_digest", {
            Parts::genuine().both_signed(forge).replace(ALICE, MALLORY)
        }),
        ("inner-signature-broken-outer-whole", "signature_mismatch", {
            let inner = Parts::genuine().assertion_signed(forge);
            let broken = inner.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA");
            forge.sign(&broken.replacen("</saml:Issuer>", "</saml:Issuer>{sign:_r1}", 1), "_r1")
        }),
    ]
}

/// Keys and algorithms that are not the identity provider's.
fn trust(forge: &Forge) -> Vec<Attack> {
    let genuine = Parts::genuine();
    let signed =
        |signer| forge.sign_as(&genuine.response_with("_r1", "", "", &genuine.assertion()), "_a1", signer);
    let mine = "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>\
                <ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>";
    let certificate: String =
        key_file("foreign.cert.pem").lines().filter(|line| !line.starts_with('-')).collect();
    let certified: &'static str = Box::leak(
        format!("<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>")
            .into_boxed_str(),
    );
    let foreign = Signer { key: Key::Foreign, ..SIGNER };
    let algorithm = |algorithm| signed(Signer { algorithm, ..SIGNER });
    let zero = {
        let document = signed(Signer { key: Key::IdpEc, algorithm: ECDSA_SHA256, ..SIGNER });
        let value = cut(&document, "<ds:SignatureValue>", "</ds:SignatureValue>").to_owned();
        let zeros = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [0; 64]);
        document.replace(&value, &format!("<ds:SignatureValue>{zeros}</ds:SignatureValue>"))
    };
    vec![
        ("unsigned", "unsigned", genuine.response_with("_r1", "", "", &genuine.assertion_with("", ""))),
        ("signature-stripped", "unsigned", {
            let document = genuine.both_signed(forge);
            let once = document.replacen(signature_of(&document), "", 1);
            once.replacen(signature_of(&once), "", 1).replace(ALICE, MALLORY)
        }),
        ("foreign_key", "signature_mismatch", signed(foreign)),
        ("foreign-key-in-key-value", "signature_mismatch", signed(Signer { key_info: mine, ..foreign })),
        (
            "foreign-certificate-in-key-info",
            "signature_mismatch",
            signed(Signer { key_info: certified, ..foreign }),
        ),
        ("hmac-keyed-with-the-public-key", "signature_algorithm", {
            let _public = forge.idp_public_key();
            algorithm("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
        }),
        ("hmac-sha1", "signature_algorithm", algorithm("http://www.w3.org/2000/09/xmldsig#hmac-sha1")),
        ("rsa-md5", "signature_algorithm", algorithm("http://www.w3.org/2001/04/xmldsig-more#rsa-md5")),
        ("dsa-sha1", "signature_algorithm", algorithm("http://www.w3.org/2000/09/xmldsig#dsa-sha1")),
        ("invented-algorithm", "signature_algorithm", algorithm("urn:example:none")),
        ("no-algorithm", "signature_algorithm", algorithm("")),
        ("sha1-signature", "signature_sha1", algorithm(RSA_SHA1)),
        ("sha1-digest", "signature_sha1", signed(Signer { digest: SHA1, ..SIGNER })),
        (
            "invented-digest",
            "signature_digest_algorithm",
            signed(Signer { digest: "urn:example:crc", ..SIGNER }),
        ),
        ("ecdsa-algorithm-with-an-rsa-signature", "signature_mismatch", algorithm(ECDSA_SHA256)),
        (
            "rsa-algorithm-with-an-ecdsa-signature",
            "signature_mismatch",
            signed(Signer { key: Key::IdpEc, ..SIGNER }),
        ),
        ("ecdsa-of-zeros", "signature_mismatch", zero),
        (
            "invented-canonicalization",
            "signature_canonicalization",
            signed(Signer { canonicalization: "urn:example:c14n", transforms: Some(ORDINARY), ..SIGNER }),
        ),
        ("hmac-output-length", "signature_algorithm", {
            signed(SIGNER).replace(
                "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>",
                "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
                 <ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
            )
        }),
    ]
}

const ORDINARY: &str = "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
     <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>";

/// Transforms that take away what should be signed.
fn transforms(forge: &Forge) -> Vec<Attack> {
    let transform = |algorithm: &str, inside: &str| {
        format!("<ds:Transform Algorithm=\"{algorithm}\">{inside}</ds:Transform>")
    };
    let enveloped = transform(ENVELOPED, "");
    let exclusive = transform(EXCLUSIVE, "");
    let xpath = transform(
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "<ds:XPath>not(ancestor-or-self::*[local-name()='NameID'])</ds:XPath>",
    );
    let xslt = transform("http://www.w3.org/TR/1999/REC-xslt-19991116", "<x/>");
    let base64 = transform("http://www.w3.org/2000/09/xmldsig#base64", "");
    let filter = transform("http://www.w3.org/2002/06/xmldsig-filter2", "");
    [
        ("transform-xpath", [&*enveloped, &xpath, &exclusive].concat()),
        ("transform-xpath-filter", [&*enveloped, &filter, &exclusive].concat()),
        ("transform-xslt", [&*enveloped, &xslt].concat()),
        ("transform-base64", [&*enveloped, &base64].concat()),
        ("transform-a-hundred", [enveloped.clone(), exclusive.repeat(100)].concat()),
        ("transform-none", String::new()),
        ("transform-order-reversed", [&*exclusive, &enveloped].concat()),
        ("transform-without-enveloped", exclusive.clone()),
        ("transform-enveloped-twice", [&*enveloped, &enveloped, &exclusive].concat()),
        ("transform-with-a-stylesheet-inside", [enveloped.as_str(), &transform(EXCLUSIVE, "<x/>")].concat()),
    ]
    .into_iter()
    .map(|(name, list)| {
        let list: &'static str = Box::leak(format!("<ds:Transforms>{list}</ds:Transforms>").into_boxed_str());
        let genuine = Parts::genuine();
        let document = genuine.response_with("_r1", "", "", &genuine.assertion());
        (
            name,
            "signature_transforms",
            forge.sign_as(&document, "_a1", Signer { transforms: Some(list), ..SIGNER }),
        )
    })
    .collect()
}

/// References that point elsewhere, nowhere, or everywhere.
fn references(forge: &Forge) -> Vec<Attack> {
    [
        ("reference-empty", ""),
        ("reference-bare-hash", "#"),
        ("reference-to-the-response", "#_r1"),
        ("reference-to-nothing", "#_nobody"),
        ("reference-xpointer-root", "#xpointer(/)"),
        ("reference-xpointer-id", "#xpointer(id('_a1'))"),
        ("reference-http", "http://idp.example.org/assertion#_a1"),
        ("reference-file", "file:///etc/passwd"),
        ("reference-without-hash", "_a1"),
        ("reference-escaped", "#%5Fa1"),
        ("reference-with-space", "# _a1"),
    ]
    .into_iter()
    .map(|(name, uri)| {
        let genuine = Parts::genuine();
        let document = genuine.response_with("_r1", "", "", &genuine.assertion());
        (
            name,
            "signature_reference_uri",
            forge.sign_as(&document, "_a1", Signer { uri: Some(uri), ..SIGNER }),
        )
    })
    .collect()
}
