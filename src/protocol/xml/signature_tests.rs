//! Signatures: what is accepted, and every way that is known to make a verifier believe too much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::make::{SIGNATURE_PLACE, SigningOptions, sign_enveloped};
use super::*;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair};
use std::sync::LazyLock;

struct Pair {
    signing: SigningKey,
    verification: [VerificationKey; 1],
}

fn ecdsa_pair() -> Pair {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public = pair.public_key().as_der().unwrap();
    Pair {
        signing: SigningKey::from_pkcs8_der(pair.to_pkcs8v1().unwrap().as_ref()).unwrap(),
        verification: [VerificationKey::from_public_key_der(public.as_ref()).unwrap()],
    }
}

static TRUSTED: LazyLock<Pair> = LazyLock::new(ecdsa_pair);
static FOREIGN: LazyLock<Pair> = LazyLock::new(ecdsa_pair);
static RSA: LazyLock<Pair> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    Pair {
        signing: SigningKey::from_pkcs8_der(pair.as_der().unwrap().as_ref()).unwrap(),
        verification: [
            VerificationKey::from_public_key_der(pair.public_key().as_der().unwrap().as_ref()).unwrap()
        ],
    }
});

const PLAIN: &str = "<r xmlns='u:r' ID='_1' a='&lt;'><!--signature--><b ID='_2'>text<!-- c --></b></r>";

fn parse(xml: &str) -> Document {
    Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap_or_else(|reject| panic!("{reject}: {xml}"))
}

fn verify(xml: &str) -> Result<(), SignatureReject> {
    let document = parse(xml);
    let element = document.root();
    let verified = verify_enveloped(element, &TRUSTED.verification, &SignaturePolicy::default())?;
    assert_eq!(verified.element(), element);
    Ok(())
}

fn check(xml: &str, expected: SignatureReject) {
    assert_eq!(verify(xml), Err(expected), "{xml}");
}

fn signed() -> String {
    sign_enveloped(PLAIN, &TRUSTED.signing, &SigningOptions::suiting(&TRUSTED.signing)).unwrap()
}

/// A signature whose `SignedInfo` was changed before the trusted key signed it.
fn signed_with(change: impl Fn(String) -> String) -> String {
    let genuine = signed();
    let (begin, end) =
        (genuine.find("<ds:SignedInfo").unwrap(), genuine.find("</ds:SignedInfo>").unwrap() + 16);
    let changed = change(genuine[begin..end].to_owned());
    let octets = Canonicalization::EXCLUSIVE.octets(parse(&changed).root(), "");
    let value = TRUSTED.signing.sign_detached(SignatureAlgorithm::ECDSA_SHA256, &octets).unwrap();
    let (before, rest) = genuine[end..].split_once("<ds:SignatureValue>").unwrap();
    let (_, behind) = rest.split_once('<').unwrap();
    let value = encode_base64(&value);
    format!("{}{changed}{before}<ds:SignatureValue>{value}<{behind}", &genuine[..begin])
}

fn replaced(from: &'static str, to: &'static str) -> impl Fn(String) -> String {
    move |text| {
        assert!(text.contains(from), "{from} in {text}");
        text.replace(from, to)
    }
}

#[test]
fn a_genuine_signature_gives_its_element() {
    assert_eq!(verify(&signed()), Ok(()));
    assert_eq!(verify(&signed_with(|text| text)), Ok(()));
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for (pair, signature) in [
        (&RSA, SignatureAlgorithm::RSA_SHA256),
        (&RSA, SignatureAlgorithm::RSA_SHA384),
        (&RSA, SignatureAlgorithm::RSA_SHA512),
        (&RSA, SignatureAlgorithm::RSA_PSS_SHA256),
        (&RSA, SignatureAlgorithm::RSA_PSS_SHA384),
        (&RSA, SignatureAlgorithm::RSA_PSS_SHA512),
        (&TRUSTED, SignatureAlgorithm::ECDSA_SHA256),
    ] {
        for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
            let options = SigningOptions { signature, digest, certificate: Some(b"shown, not trusted") };
            let xml = sign_enveloped(PLAIN, &pair.signing, &options).unwrap();
            let document = parse(&xml);
            let verified =
                verify_enveloped(document.root(), &pair.verification, &SignaturePolicy::default()).unwrap();
            assert_eq!((verified.signature_algorithm(), verified.digest_algorithm()), (signature, digest));
        }
    }
}

#[test]
fn the_key_that_made_the_signature_is_named() {
    let public = |pair: &EcdsaKeyPair| {
        VerificationKey::from_public_key_der(pair.public_key().as_der().unwrap().as_ref()).unwrap()
    };
    let pairs: Vec<_> =
        (0..3).map(|_| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()).collect();
    let keys: Vec<_> = pairs.iter().map(public).collect();
    let signing = SigningKey::from_pkcs8_der(pairs[2].to_pkcs8v1().unwrap().as_ref()).unwrap();
    let xml = sign_enveloped(PLAIN, &signing, &SigningOptions::suiting(&signing)).unwrap();
    let document = parse(&xml);
    let verified = verify_enveloped(document.root(), &keys, &SignaturePolicy::default()).unwrap();
    assert_eq!(verified.key_index(), 2);
}

#[test]
fn what_canonical_form_makes_equal_is_still_signed() {
    let xml = signed();
    for (from, to) in [
        ("<r xmlns='u:r' ID='_1' a='&lt;'>", "<r   a = \"&#60;\"\n ID=\"_1\" xmlns=\"u:r\">"),
        ("text", "<![CDATA[te]]>&#120;t"),
        ("<!-- c -->", ""),
        ("<!-- c -->", "<!-- another -->"),
        ("</ds:Reference>", "</ds:Reference\n>"),
    ] {
        assert!(xml.contains(from));
        assert_eq!(verify(&xml.replace(from, to)), Ok(()), "{to}");
    }
}

#[test]
fn any_other_change_is_refused() {
    let xml = signed();
    for (from, to, expected) in [
        ("text", "Text", SignatureReject::Digest),
        ("<b ", "<b c='' ", SignatureReject::Digest),
        ("</b>", "</b><c/>", SignatureReject::Digest),
        ("</b>", "</b> ", SignatureReject::Digest),
        ("text", "<?p?>text", SignatureReject::Digest),
        ("xmlns='u:r'", "xmlns='u:s'", SignatureReject::Digest),
        ("<ds:Transforms>", "<ds:Transforms> ", SignatureReject::Mismatch),
    ] {
        check(&xml.replace(from, to), expected);
    }
}

#[test]
fn a_missing_or_second_signature_is_refused() {
    let xml = signed();
    let begin = xml.find("<ds:Signature ").unwrap();
    let end = xml.find("</ds:Signature>").unwrap() + 15;
    let signature = &xml[begin..end];
    check(&xml.replace(signature, ""), SignatureReject::Missing);
    check(&xml.replace(signature, &signature.repeat(2)), SignatureReject::Several);
    check(&xml.replace(signature, &format!("<x>{signature}</x>")), SignatureReject::Missing);
    check(&xml.replace("xmldsig#\"", "xmldsig\""), SignatureReject::Missing);
}

#[test]
fn without_a_trusted_key_nothing_is_accepted() {
    let xml = signed();
    let document = parse(&xml);
    let policy = SignaturePolicy::default();
    assert_eq!(verify_enveloped(document.root(), &[], &policy), Err(SignatureReject::NoKeys));
    let foreign = verify_enveloped(document.root(), &FOREIGN.verification, &policy);
    assert_eq!(foreign, Err(SignatureReject::Mismatch));
    let other_kind = verify_enveloped(document.root(), &RSA.verification, &policy);
    assert_eq!(other_kind, Err(SignatureReject::KeyKind));
}

#[test]
fn keys_in_the_document_are_never_trusted() {
    let options =
        SigningOptions { certificate: Some(b"of the attacker"), ..SigningOptions::suiting(&FOREIGN.signing) };
    check(&sign_enveloped(PLAIN, &FOREIGN.signing, &options).unwrap(), SignatureReject::Mismatch);
    // A foreign KeyInfo on a good signature does no harm.
    let options =
        SigningOptions { certificate: Some(b"of somebody"), ..SigningOptions::suiting(&TRUSTED.signing) };
    assert_eq!(verify(&sign_enveloped(PLAIN, &TRUSTED.signing, &options).unwrap()), Ok(()));
}

#[test]
fn a_reference_to_anything_but_the_parent_is_refused() {
    use SignatureReject::{DuplicateId, ReferenceUri};
    for (uri, expected) in [
        ("", ReferenceUri),
        ("#", ReferenceUri),
        ("#_2", ReferenceUri),
        ("_1", ReferenceUri),
        ("#_1 ", ReferenceUri),
        ("#xpointer(id('_1'))", ReferenceUri),
        ("#xpointer(/)", ReferenceUri),
        ("http://evil.example/#_1", ReferenceUri),
        ("file:///etc/passwd", ReferenceUri),
    ] {
        check(&signed_with(|text| text.replace("#_1", uri)), expected);
    }
    check(&signed_with(replaced(" URI=\"#_1\"", "")), ReferenceUri);
    for (from, to, expected) in [
        ("ID='_1'", "ID='_3'", ReferenceUri),
        ("ID='_1'", "Id='_1'", ReferenceUri),
        ("ID='_1'", "xmlns:x='u:x' x:ID='_1'", ReferenceUri),
        ("ID='_2'", "ID='_1'", DuplicateId),
        ("ID='_2'", "Id='_1'", DuplicateId),
        ("ID='_2'", "id='_1'", DuplicateId),
        ("ID='_2'", "xml:id='_1'", DuplicateId),
        ("ID='_2'", "ID='&#x5F;1'", DuplicateId),
    ] {
        check(&signed().replace(from, to), expected);
    }
}

#[test]
fn transforms_other_than_the_two_are_refused() {
    const CANONICAL: &str =
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
    const ENVELOPED: &str =
        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>";
    let with = |transforms: String| {
        signed_with(|text| {
            let (before, rest) = text.split_once("<ds:Transforms>").unwrap();
            let (_, behind) = rest.split_once("</ds:Transforms>").unwrap();
            format!("{before}<ds:Transforms>{transforms}</ds:Transforms>{behind}")
        })
    };
    let other =
        |uri: &str, inside: &str| format!("<ds:Transform Algorithm=\"{uri}\">{inside}</ds:Transform>");
    let xpath = other("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>not(self::b)</ds:XPath>");
    for transforms in [
        String::new(),
        CANONICAL.to_owned(),
        format!("{CANONICAL}{ENVELOPED}"),
        format!("{ENVELOPED}{ENVELOPED}"),
        format!("{ENVELOPED}{CANONICAL}{CANONICAL}"),
        format!("{ENVELOPED}{xpath}"),
        format!("{xpath}{ENVELOPED}{CANONICAL}"),
        format!("{ENVELOPED}{}", other("http://www.w3.org/TR/1999/REC-xslt-19991116", "")),
        format!("{ENVELOPED}{}", other("http://www.w3.org/2000/09/xmldsig#base64", "")),
        format!("{ENVELOPED}{}", other("http://www.w3.org/2002/06/xmldsig-filter2", "")),
        format!("{ENVELOPED}{}", other("urn:unknown", "")),
        format!("{ENVELOPED}<ds:Transform></ds:Transform>"),
        format!("{ENVELOPED}<ds:Other></ds:Other>"),
        format!("{ENVELOPED}{}", other("http://www.w3.org/2001/10/xml-exc-c14n#", "<x></x>")),
        ENVELOPED.repeat(100),
        other("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "<x></x>"),
    ] {
        check(&with(transforms), SignatureReject::Transforms);
    }
    // A canonicalization with comments drops them all the same, because the reference is a bare name.
    let comments = other("http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "");
    assert_eq!(verify(&with(format!("{ENVELOPED}{comments}"))), Ok(()));
    // Without a canonicalization it is the inclusive one; here that gives the same octets.
    assert_eq!(verify(&with(ENVELOPED.to_owned())), Ok(()));
    let list =
        "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"a b\"/>";
    let listed = other("http://www.w3.org/2001/10/xml-exc-c14n#", list);
    assert_eq!(verify(&with(format!("{ENVELOPED}{listed}"))), Ok(()));
    for (prefixes, expected) in [(256, Ok(())), (257, Err(SignatureReject::PrefixList))] {
        let list = list.replace("a b", &"a ".repeat(prefixes));
        let listed = other("http://www.w3.org/2001/10/xml-exc-c14n#", &list);
        assert_eq!(verify(&with(format!("{ENVELOPED}{listed}"))), expected, "{prefixes}");
    }
}

#[test]
fn algorithms_that_we_do_not_know_are_refused() {
    use SignatureReject as R;
    const METHOD: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    for (to, expected) in [
        ("http://www.w3.org/2000/09/xmldsig#hmac-sha1", R::SignatureAlgorithm),
        ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", R::SignatureAlgorithm),
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", R::SignatureAlgorithm),
        ("urn:invented", R::SignatureAlgorithm),
        ("", R::SignatureAlgorithm),
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", R::KeyKind),
        ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", R::Mismatch),
        ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", R::Sha1),
    ] {
        check(&signed_with(|text| text.replace(METHOD, to)), expected);
    }
    for (from, to, expected) in [
        (
            "</ds:SignatureMethod>",
            "<ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
            R::SignatureAlgorithm,
        ),
        ("xmlenc#sha256", "xmldsig-more#md5", R::DigestAlgorithm),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1", R::Sha1),
        (
            "<ds:CanonicalizationMethod Algorithm=\"",
            "<ds:CanonicalizationMethod Algorithm=\"urn:",
            R::Canonicalization,
        ),
        ("</ds:CanonicalizationMethod>", "<x></x></ds:CanonicalizationMethod>", R::Canonicalization),
    ] {
        check(&signed_with(replaced(from, to)), expected);
    }
}

#[test]
fn a_signature_of_another_shape_is_refused() {
    use SignatureReject as R;
    let genuine = signed();
    let end = genuine.find("</ds:SignedInfo>").unwrap() + 16;
    let info = genuine[genuine.find("<ds:SignedInfo").unwrap()..end].to_owned();
    let forged = info.replace("DigestValue>", "DigestValue>AAAA");
    for (from, to, expected) in [
        // Two SignedInfo (CVE-2025-29774), either order.
        (info.clone(), format!("{forged}{info}"), R::Structure),
        (info.clone(), format!("{info}{forged}"), R::Structure),
        (
            "<ds:SignatureValue>".into(),
            "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:SignatureValue>".into(),
            R::Structure,
        ),
        ("</ds:Signature>".into(), "<ds:Object></ds:Object></ds:Signature>".into(), R::Structure),
        ("</ds:Signature>".into(), "<ds:KeyInfo/><ds:KeyInfo/></ds:Signature>".into(), R::Structure),
        ("</ds:Signature>".into(), "<x/></ds:Signature>".into(), R::Structure),
        ("<ds:SignedInfo".into(), "<ds:KeyInfo/><ds:SignedInfo".into(), R::Structure),
        // A comment in a value (CVE-2025-29775), and other markup.
        ("<ds:DigestValue>".into(), "<ds:DigestValue><!--AAAA-->".into(), R::Value),
        ("<ds:DigestValue>".into(), "<ds:DigestValue><?p?>".into(), R::Value),
        ("<ds:DigestValue>".into(), "<ds:DigestValue><x/>".into(), R::Value),
        ("<ds:DigestValue>".into(), "<ds:DigestValue>!".into(), R::Value),
        ("<ds:SignatureValue>".into(), "<ds:SignatureValue><!-- -->".into(), R::Value),
        ("</ds:SignatureValue>".into(), "AAAA</ds:SignatureValue>".into(), R::Value),
    ] {
        let from: String = from;
        assert!(genuine.contains(&from));
        check(&genuine.replace(&from, &to), expected);
    }
    for (from, to, expected) in [
        ("</ds:SignedInfo>", "<ds:Reference></ds:Reference></ds:SignedInfo>", R::References),
        ("</ds:SignedInfo>", "<x></x></ds:SignedInfo>", R::Structure),
        (
            "<ds:SignatureMethod",
            "<ds:SignatureMethod></ds:SignatureMethod><ds:SignatureMethod",
            R::References,
        ),
        ("<ds:DigestMethod", "<ds:DigestMethod></ds:DigestMethod><ds:DigestMethod", R::Structure),
        ("<ds:DigestValue>", "<ds:DigestValue>AAAA</ds:DigestValue><ds:DigestValue>", R::Structure),
    ] {
        check(&signed_with(replaced(from, to)), expected);
    }
}

#[test]
fn the_digest_of_nothing_does_not_verify() {
    // Void canonicalization (CVE-2025-66475): a relative namespace made the canonical form empty elsewhere.
    let empty = encode_base64(&DigestAlgorithm::Sha256.digest(b""));
    let xml = signed_with(|text| {
        let (before, rest) = text.split_once("<ds:DigestValue>").unwrap();
        let (_, behind) = rest.split_once('<').unwrap();
        format!("{before}<ds:DigestValue>{empty}<{behind}")
    });
    check(&xml, SignatureReject::Digest);
    let reject = Document::parse(xml.replace("u:r", "relative").as_bytes(), &Limits::ASSERTION).unwrap_err();
    assert_eq!(reject.rule, XmlRule::RelativeNamespace);
}

#[test]
fn ecdsa_values_at_the_edge_are_refused() {
    let bytes = b"SAMLResponse=x";
    let uri = SignatureAlgorithm::ECDSA_SHA256.uri();
    let value = TRUSTED.signing.sign_detached(SignatureAlgorithm::ECDSA_SHA256, bytes).unwrap();
    let verify =
        |value: &[u8]| verify_detached(bytes, uri, value, &TRUSTED.verification, &SignaturePolicy::default());
    assert_eq!(verify(&value), Ok(0));
    let (r, s) = value.split_at(32);
    assert_eq!(verify(&[&[0], r, &[0], s].concat()), Ok(0), "a zero byte in front of each half");
    let zeros = [0; 32];
    let ones = [0xFF; 32];
    let der = |first: &[u8]| [&[0x30, 0x44, 0x02, 0x20], first, &[0x02, 0x20], s].concat();
    for bad in [
        vec![],
        zeros.repeat(2),
        [&zeros, s].concat(),
        [r, &zeros].concat(),
        [ones, ones].concat(),
        [s, r].concat(),
        value[..63].to_vec(),
        [&value[..], &[0]].concat(),
        [&value[..], &[0, 0, 0, 0]].concat(),
        der(r),
    ] {
        assert_eq!(verify(&bad), Err(SignatureReject::Mismatch), "{bad:02x?}");
    }
}

#[test]
fn sha1_needs_the_policy() {
    let detached = |policy| {
        verify_detached(b"x", SignatureAlgorithm::RSA_SHA1.uri(), &[0; 256], &RSA.verification, &policy)
    };
    assert_eq!(detached(SignaturePolicy::default()), Err(SignatureReject::Sha1));
    assert_eq!(detached(SignaturePolicy { sha1: true, short_keys: false }), Err(SignatureReject::Mismatch));
    assert_eq!(RSA.signing.sign_detached(SignatureAlgorithm::RSA_SHA1, b"x"), None);
}

#[test]
fn the_last_place_is_signed_first() {
    let xml = format!("<r ID='_1'>{SIGNATURE_PLACE}<a ID='_2'>{SIGNATURE_PLACE}</a></r>");
    let options = SigningOptions::suiting(&TRUSTED.signing);
    let inner = sign_enveloped(&xml, &TRUSTED.signing, &options).unwrap();
    let both = sign_enveloped(&inner, &TRUSTED.signing, &options).unwrap();
    let document = parse(&both);
    for element in [document.root(), document.root().child("", "a").unwrap()] {
        assert!(verify_enveloped(element, &TRUSTED.verification, &SignaturePolicy::default()).is_ok());
    }
    assert!(sign_enveloped(&both, &TRUSTED.signing, &options).is_err());
}
