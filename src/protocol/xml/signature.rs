//! Verifying an enveloped signature, in the narrow shape that SAML allows.
//!
//! XML Signature 1.1 §3.2 and §4, within SAML core §5.4. What is broken elsewhere is broken between "this
//! signature is good" and "this is what it covers", so both are one step here: the caller names the element
//! that is to be covered, and gets it back as [`Verified`], which nothing else can make. In that step:
//!
//! 1. The element has exactly one `ds:Signature` among its own children, and that has exactly the children
//!    that the schema gives it. Nothing is ever searched for deeper in the document.
//! 2. The one `Reference` points to the element itself, by an identifier that no other element bears.
//! 3. The transforms are enveloped-signature and at most one canonicalization; the algorithms are known,
//!    and good enough for the policy.
//! 4. One of the caller's keys made `SignatureValue` over `SignedInfo`. `KeyInfo` is not even read.
//! 5. `DigestValue` is the digest of the element without the signature.
//!
//! Enter at [`verify_enveloped`]; [`verify_detached`] is for bytes, as the redirect binding signs them.

use super::algorithms::{DigestAlgorithm, Digester, SignatureAlgorithm};
use super::base64::decode_base64;
use super::canonical::{Canonicalization, Method};
use super::key::{Mismatch, VerificationKey};
use super::reject::XmlReject;
use super::tree::Element;
use std::fmt;

/// The namespace of XML Signature.
pub const DSIG_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The namespace of `InclusiveNamespaces`, and the name of exclusive canonicalization.
pub const EXC_C14N_NAMESPACE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The name of the transform that takes the signature out of what is signed.
pub const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// What a caller accepts beyond the strict minimum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignaturePolicy {
    /// SHA-1 in digests and signatures.
    pub sha1: bool,
    /// RSA keys below 1,024 bits, which anybody can break: for looking at documents of old, never for signing in.
    pub short_keys: bool,
}

/// An element that a trusted key signed. Only verification makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'d> {
    element: Element<'d>,
    key_index: usize,
    signature_algorithm: SignatureAlgorithm,
    digest_algorithm: DigestAlgorithm,
}

impl<'d> Verified<'d> {
    /// Gives the signed element. All that it contains is signed, except the `ds:Signature` among its children.
    pub fn element(&self) -> Element<'d> {
        self.element
    }

    /// Tells which of the caller's keys made the signature.
    pub fn key_index(&self) -> usize {
        self.key_index
    }

    /// Gives the signature algorithm.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// Gives the digest algorithm of the reference.
    pub fn digest_algorithm(&self) -> DigestAlgorithm {
        self.digest_algorithm
    }
}

macro_rules! rejects {
    ($($(#[$doc:meta])* $variant:ident $code:literal $clause:literal $sentence:literal,)*) => {
        /// Why a signature does not make its element trusted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum SignatureReject { $($(#[$doc])* $variant,)* }

        impl SignatureReject {
            /// Every reject, in the order in which they are checked.
            pub const ALL: &'static [SignatureReject] = &[$(SignatureReject::$variant,)*];

            /// Gives the stable code, snake_case.
            pub const fn code(self) -> &'static str {
                match self { $(SignatureReject::$variant => $code,)* }
            }

            /// Gives the clause of the standard that demands the rule.
            pub const fn clause(self) -> &'static str {
                match self { $(SignatureReject::$variant => $clause,)* }
            }

            /// Says in one sentence what is wrong, for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(SignatureReject::$variant => $sentence,)* }
            }
        }
    };
}

rejects! {
    /// There is none where it must be; one elsewhere in the document does not count.
    Missing "signature_missing" "SAML core 5.4.1" "the element has no signature among its own children",
    /// Which of them counts would be a guess.
    Several "signature_several" "SAML core 5.4.1" "the element has several signatures",
    /// No trust anchor: nothing is accepted.
    NoKeys "signature_no_keys" "SAML core 5.4.5" "no trusted key is configured",
    /// A child is missing, repeated, out of order, or foreign (`ds:Object` carries wrapped elements).
    Structure "signature_structure" "XMLDSig 4" "the signature does not have the children that the standard gives it",
    /// CVE-2026-33487: a loop that keeps the last reference.
    References "signature_references" "SAML core 5.4.2" "SignedInfo does not have exactly one Reference",
    /// An empty, foreign or external URI, or one that points to another element.
    ReferenceUri "signature_reference_uri" "SAML core 5.4.2" "the reference does not point to the element that carries the signature",
    /// CVE-2016-5697 and its kin: the same identifier elsewhere.
    DuplicateId "signature_duplicate_id" "SAML core 1.3.4" "the identifier of the signed element occurs more than once",
    /// XSLT, XPath, Base64, too many, or none.
    Transforms "signature_transforms" "SAML core 5.4.4" "the transforms are not enveloped-signature and one canonicalization",
    /// Unknown or with parameters that we do not know.
    Canonicalization "signature_canonicalization" "SAML core 5.4.3" "the canonicalization of SignedInfo is not supported",
    /// Thousands of prefixes are looked up one by one.
    PrefixList "signature_prefix_list" "Exclusive C14N 3" "the PrefixList of InclusiveNamespaces names more than 256 prefixes",
    /// HMAC, MD5, invented.
    SignatureAlgorithm "signature_algorithm" "XMLDSig 6.4" "the signature algorithm is not supported",
    /// MD5, invented.
    DigestAlgorithm "signature_digest_algorithm" "XMLDSig 6.2" "the digest algorithm is not supported",
    /// Only where the group's settings allow it.
    Sha1 "signature_sha1" "XMLDSig 6.2.1" "the signature uses SHA-1, which is not allowed here",
    /// CVE-2025-29775: a comment splits the value; or the Base64 is not canonical.
    Value "signature_value" "XMLDSig 4.3" "DigestValue or SignatureValue is not plain Base64 text",
    /// RSA algorithm with an ECDSA key, or the other way round.
    KeyKind "signature_key_kind" "XMLDSig 6.4" "none of the trusted keys is of the kind that the signature algorithm needs",
    /// Fewer than 1,024 bits of RSA.
    WeakKey "signature_weak_key" "XMLDSig 6.4" "the trusted key is too short to be trusted",
    /// Another key, or a changed SignedInfo.
    Mismatch "signature_mismatch" "XMLDSig 3.2.2" "the signature was not made by a trusted key",
    /// A changed element.
    Digest "signature_digest" "XMLDSig 3.2.1" "the element was changed after it was signed",
}

impl fmt::Display for SignatureReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for SignatureReject {}

/// Verifies the signature that `element` carries, with one of `keys`.
///
/// # Errors
/// [`SignatureReject`] with the first rule that is broken, in the order of the list above.
pub fn verify_enveloped<'d>(
    element: Element<'d>,
    keys: &[VerificationKey],
    policy: &SignaturePolicy,
) -> Result<Verified<'d>, SignatureReject> {
    let mut signatures = element.children_named(DSIG_NAMESPACE, "Signature");
    let signature = signatures.next().ok_or(SignatureReject::Missing)?;
    if signatures.next().is_some() {
        return Err(SignatureReject::Several);
    }
    if keys.is_empty() {
        return Err(SignatureReject::NoKeys);
    }
    let statement = Statement::read(signature)?;
    statement.check_reference(element)?;
    statement.check_policy(policy)?;

    let mut octets = Vec::with_capacity(2048);
    statement.canonicalization.form.write(
        statement.signed_info,
        None,
        statement.canonicalization.prefix_list,
        &mut octets,
    );
    let key_index =
        matching_key(statement.signature_algorithm, &octets, &statement.signature_value, keys, policy)?;

    let mut digester = Digester::new(statement.digest_algorithm);
    // A bare-name reference takes the element without comments, whatever the transform is called
    // (XML Signature §4.4.3.3).
    let form = Canonicalization { comments: false, ..statement.transform.form };
    form.write(element, Some(signature), statement.transform.prefix_list, &mut digester);
    if digester.finish().as_ref() != statement.digest_value {
        return Err(SignatureReject::Digest);
    }
    Ok(Verified {
        element,
        key_index,
        signature_algorithm: statement.signature_algorithm,
        digest_algorithm: statement.digest_algorithm,
    })
}

/// Verifies a signature over bytes (SAML bindings §3.4.4.1), and tells which key made it.
///
/// # Errors
/// [`SignatureReject`] when the algorithm is unknown or not allowed, or none of the keys made the signature.
pub fn verify_detached(
    bytes: &[u8],
    algorithm_uri: &str,
    signature: &[u8],
    keys: &[VerificationKey],
    policy: &SignaturePolicy,
) -> Result<usize, SignatureReject> {
    if keys.is_empty() {
        return Err(SignatureReject::NoKeys);
    }
    let algorithm = SignatureAlgorithm::from_uri(algorithm_uri).ok_or(SignatureReject::SignatureAlgorithm)?;
    if algorithm.digest == DigestAlgorithm::Sha1 && !policy.sha1 {
        return Err(SignatureReject::Sha1);
    }
    matching_key(algorithm, bytes, signature, keys, policy)
}

/// Finds the key that made the signature.
fn matching_key(
    algorithm: SignatureAlgorithm,
    octets: &[u8],
    signature: &[u8],
    keys: &[VerificationKey],
    policy: &SignaturePolicy,
) -> Result<usize, SignatureReject> {
    // The reject that comes closest to a signature by the right key.
    let mut closest = Mismatch::Kind;
    for (index, key) in keys.iter().enumerate() {
        match key.verify(algorithm, octets, signature, policy.short_keys) {
            Ok(()) => return Ok(index),
            Err(Mismatch::Signature) => closest = Mismatch::Signature,
            Err(Mismatch::Weak) if closest == Mismatch::Kind => closest = Mismatch::Weak,
            Err(_) => {}
        }
    }
    Err(match closest {
        Mismatch::Kind => SignatureReject::KeyKind,
        Mismatch::Weak => SignatureReject::WeakKey,
        Mismatch::Signature => SignatureReject::Mismatch,
    })
}

/// What a signature says of itself, before anything of it is believed.
struct Statement<'d> {
    signed_info: Element<'d>,
    canonicalization: NamedCanonicalization<'d>,
    signature_algorithm: SignatureAlgorithm,
    reference_uri: &'d str,
    transform: NamedCanonicalization<'d>,
    digest_algorithm: DigestAlgorithm,
    digest_value: Vec<u8>,
    signature_value: Vec<u8>,
}

/// A canonicalization with its parameter.
struct NamedCanonicalization<'d> {
    form: Canonicalization,
    prefix_list: &'d str,
}

impl<'d> Statement<'d> {
    /// Reads the signature, insisting on every child at its place (XML Signature §4.1).
    fn read(signature: Element<'d>) -> Result<Statement<'d>, SignatureReject> {
        let mut parts = signature.children();
        let signed_info = expect(parts.next(), "SignedInfo")?;
        let signature_value = expect(parts.next(), "SignatureValue")?;
        if let Some(key_info) = parts.next() {
            expect(Some(key_info), "KeyInfo")?;
        }
        nothing_more(parts.next())?;

        let mut parts = signed_info.children();
        let canonicalization = expect(parts.next(), "CanonicalizationMethod")?;
        let signature_method = expect(parts.next(), "SignatureMethod")?;
        let reference = expect(parts.next(), "Reference").map_err(|_| SignatureReject::References)?;
        match parts.next() {
            None => {}
            Some(more) if more.is(DSIG_NAMESPACE, "Reference") => return Err(SignatureReject::References),
            Some(_) => return Err(SignatureReject::Structure),
        }

        let mut parts = reference.children();
        let transforms = expect(parts.next(), "Transforms").map_err(|_| SignatureReject::Transforms)?;
        let digest_method = expect(parts.next(), "DigestMethod")?;
        let digest_value = expect(parts.next(), "DigestValue")?;
        nothing_more(parts.next())?;
        nothing_more(digest_method.children().next())?;

        // HMACOutputLength and the parameters of RSASSA-PSS would stand here (CVE-2009-0217).
        let signature_algorithm = match signature_method.children().next() {
            None => signature_method.attribute("Algorithm").and_then(SignatureAlgorithm::from_uri),
            Some(_) => None,
        };
        let digest_algorithm = digest_method.attribute("Algorithm").and_then(DigestAlgorithm::from_uri);
        let canonicalization =
            NamedCanonicalization::read(canonicalization).ok_or(SignatureReject::Canonicalization)?;
        let transform = read_transforms(transforms).ok_or(SignatureReject::Transforms)?;
        canonicalization.check_prefix_list()?;
        transform.check_prefix_list()?;
        Ok(Statement {
            signed_info,
            canonicalization,
            signature_algorithm: signature_algorithm.ok_or(SignatureReject::SignatureAlgorithm)?,
            reference_uri: reference.attribute("URI").unwrap_or_default(),
            transform,
            digest_algorithm: digest_algorithm.ok_or(SignatureReject::DigestAlgorithm)?,
            digest_value: value(digest_value)?,
            signature_value: value(signature_value)?,
        })
    }

    /// Insists that what is signed is `element`, and that no other element could be meant.
    fn check_reference(&self, element: Element<'d>) -> Result<(), SignatureReject> {
        let id = self.reference_uri.strip_prefix('#').filter(|id| !id.is_empty());
        let id = id.ok_or(SignatureReject::ReferenceUri)?;
        if element.attribute("ID") != Some(id) {
            return Err(SignatureReject::ReferenceUri);
        }
        let document = element.document;
        let bearers = document.identifiers.iter().filter(|(value, _)| document.str(*value) == id).count();
        if bearers == 1 { Ok(()) } else { Err(SignatureReject::DuplicateId) }
    }

    fn check_policy(&self, policy: &SignaturePolicy) -> Result<(), SignatureReject> {
        let sha1 = self.signature_algorithm.digest == DigestAlgorithm::Sha1
            || self.digest_algorithm == DigestAlgorithm::Sha1;
        if sha1 && !policy.sha1 { Err(SignatureReject::Sha1) } else { Ok(()) }
    }
}

impl<'d> NamedCanonicalization<'d> {
    /// Reads a `CanonicalizationMethod`, or a `Transform` that is one, with its `InclusiveNamespaces`.
    fn read(method: Element<'d>) -> Option<NamedCanonicalization<'d>> {
        let form = Canonicalization::from_uri(method.attribute("Algorithm")?)?;
        let mut parameters = method.children();
        let prefix_list = match parameters.next() {
            None => "",
            Some(inclusive)
                if form.method == Method::Exclusive
                    && inclusive.is(EXC_C14N_NAMESPACE, "InclusiveNamespaces")
                    && inclusive.children().next().is_none() =>
            {
                inclusive.attribute("PrefixList").unwrap_or_default()
            }
            Some(_) => return None,
        };
        parameters.next().is_none().then_some(NamedCanonicalization { form, prefix_list })
    }

    /// Insists that the list is one that a person or a product could have written.
    fn check_prefix_list(&self) -> Result<(), SignatureReject> {
        const MOST_PREFIXES: usize = 256;
        match self.prefix_list.split_ascii_whitespace().nth(MOST_PREFIXES) {
            None => Ok(()),
            Some(_) => Err(SignatureReject::PrefixList),
        }
    }
}

/// Reads the transforms: enveloped-signature, and behind it at most one canonicalization.
fn read_transforms<'d>(transforms: Element<'d>) -> Option<NamedCanonicalization<'d>> {
    let mut steps = transforms.children();
    let enveloped = steps.next().filter(|step| step.is(DSIG_NAMESPACE, "Transform"))?;
    if enveloped.attribute("Algorithm") != Some(ENVELOPED_SIGNATURE) || enveloped.children().next().is_some()
    {
        return None;
    }
    let canonicalization = match steps.next() {
        Some(step) if step.is(DSIG_NAMESPACE, "Transform") => NamedCanonicalization::read(step)?,
        Some(_) => return None,
        // XML Signature §4.4.3.2: without a canonicalization, it is Canonical XML 1.0.
        None => NamedCanonicalization {
            form: Canonicalization { method: Method::Inclusive10, comments: false },
            prefix_list: "",
        },
    };
    steps.next().is_none().then_some(canonicalization)
}

fn expect<'d>(element: Option<Element<'d>>, local: &str) -> Result<Element<'d>, SignatureReject> {
    element.filter(|element| element.is(DSIG_NAMESPACE, local)).ok_or(SignatureReject::Structure)
}

fn nothing_more(element: Option<Element<'_>>) -> Result<(), SignatureReject> {
    if element.is_none() { Ok(()) } else { Err(SignatureReject::Structure) }
}

/// Reads a value that a comment must not split.
fn value(element: Element<'_>) -> Result<Vec<u8>, SignatureReject> {
    let text = element.plain_text().map_err(|_: XmlReject| SignatureReject::Value)?;
    decode_base64(&text).filter(|octets| !octets.is_empty()).ok_or(SignatureReject::Value)
}
