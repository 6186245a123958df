//! Keys, the occasion, and the hand that signs.
//!
//! Where a signature shall stand, a document has the mark `{sign:ID}`; [`Forge::sign`] replaces it.

use std::fmt;

use crate::protocol::saml::time::format_instant;
use crate::protocol::xml::{
    Canonicalization, DSIG_NAMESPACE, DigestAlgorithm, Document, Element, Limits, SignatureAlgorithm,
    SigningKey, XmlReject, XmlWriter, encode_base64,
};

pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
pub const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub const RSA_SHA1: &str = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub const RSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384";
pub const RSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
pub const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// Why a document could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForgeFail {
    /// The document to sign is not well-formed.
    Xml(XmlReject),
    /// This text is not there to be changed, or this element to be signed.
    Missing(String),
    /// The key cannot sign.
    Key,
    /// The occasion has no certificate to encrypt to, or one without an RSA key of 2,048 bits or more.
    Recipient,
}

impl fmt::Display for ForgeFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForgeFail::Xml(reject) => write!(f, "the document to sign is not well-formed: {reject}"),
            ForgeFail::Missing(what) => write!(f, "the genuine response has no {what} to change"),
            ForgeFail::Key => f.write_str("the forge has no key for this, or it cannot sign"),
            ForgeFail::Recipient => f.write_str("the service provider has no RSA key to encrypt to"),
        }
    }
}

impl std::error::Error for ForgeFail {}

/// The keys of an identity provider, and one that is not its own.
pub struct ForgeKeys {
    pub idp: SigningKey,
    /// A second one, on P-256.
    pub idp_elliptic: Option<SigningKey>,
    pub foreign: SigningKey,
    /// The certificate of the foreign key: DER.
    pub foreign_certificate: Vec<u8>,
    /// The public part of `idp`, as an attacker reads it from the certificate: `SubjectPublicKeyInfo`, DER.
    pub idp_public: Vec<u8>,
    /// The service provider's certificate: DER.
    pub recipient: Option<Vec<u8>>,
}

/// An attribute of the genuine assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccasionAttribute {
    pub name: String,
    pub values: Vec<String>,
}

/// Who answers whom, about whom, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// Milliseconds since 1970.
    pub now: i64,
    /// Entity ID of the identity provider.
    pub idp: String,
    /// Entity ID of the service provider.
    pub audience: String,
    /// Where the response is posted to.
    pub acs: String,
    /// The request that is answered; `None` for a sign-in that the identity provider begins.
    pub request: Option<String>,
    /// Who is really meant.
    pub name_id: String,
    /// The format of both names: a URI.
    pub name_id_format: String,
    pub attributes: Vec<OccasionAttribute>,
    /// Whom a forgery names.
    pub marker: String,
    /// Ends each ID in the document, so that no two responses share one. XML name characters.
    pub suffix: String,
}

/// Makes documents for one occasion.
pub struct Forge {
    pub keys: ForgeKeys,
    pub occasion: Occasion,
}

/// Whose key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgingKey {
    Idp,
    IdpElliptic,
    Foreign,
}

/// Who signs, and how. The URIs are written as they are, known or invented.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    pub key: ForgingKey,
    pub algorithm: &'a str,
    pub digest: &'a str,
    pub canonicalization: &'a str,
    /// Replaces `<ds:Transforms>…`; `None` for enveloped-signature and the canonicalization.
    pub transforms: Option<&'a str>,
    /// Replaces the URI of the reference; `None` for the ID of the element.
    pub uri: Option<&'a str>,
    pub key_info: &'a str,
}

/// What identity providers do by default.
pub const SIGNER: Signer<'static> = Signer {
    key: ForgingKey::Idp,
    algorithm: RSA_SHA256,
    digest: SHA256,
    canonicalization: EXCLUSIVE,
    transforms: None,
    uri: None,
    key_info: "",
};

impl Forge {
    /// The occasion's `now`, so many milliseconds later, as SAML writes it.
    pub fn instant(&self, later: i64) -> String {
        format_instant(self.occasion.now.saturating_add(later))
    }

    /// Replaces `{sign:ID}` by the signature of the usual signer.
    ///
    /// # Errors
    /// As [`Forge::sign_by`].
    pub fn sign(&self, document: &str, id: &str) -> Result<String, ForgeFail> {
        self.sign_as(document, id, &SIGNER)
    }

    /// Replaces `{sign:ID}` by a signature over the element of that ID.
    ///
    /// # Errors
    /// As [`Forge::sign_by`].
    pub fn sign_as(&self, document: &str, id: &str, signer: &Signer<'_>) -> Result<String, ForgeFail> {
        Self::sign_by(document, id, signer, |octets| self.raw(octets, signer))
    }

    /// As [`Forge::sign_as`]; the value of the signature is what `value` makes of the canonical `SignedInfo`.
    ///
    /// # Errors
    /// [`ForgeFail`] when the mark is missing, the document is not well-formed, or `value` is `None`.
    pub fn sign_by(
        document: &str,
        id: &str,
        signer: &Signer<'_>,
        value: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<String, ForgeFail> {
        let mark = format!("{{sign:{id}}}");
        if document.matches(&mark).count() != 1 {
            return Err(ForgeFail::Missing(format!("one place for the signature of {id}")));
        }
        let bare = without_marks(&document.replace(&mark, ""));
        let octets = canonical(&bare, signer.canonicalization, |e| e.attribute("ID") == Some(id))?;
        let digest = encode_base64(&digest(signer.digest, &octets));
        let unsigned = without_marks(&document.replace(&mark, &signature(id, signer, &digest, "AA==")));
        let signed_info = canonical(&unsigned, signer.canonicalization, |e| {
            let reference = e.descendants().find(|inside| inside.local_name() == "DigestValue");
            e.local_name() == "SignedInfo" && reference.is_some_and(|value| value.text() == digest)
        })?;
        let value = value(&signed_info).ok_or(ForgeFail::Key)?;
        Ok(document.replace(&mark, &signature(id, signer, &digest, &encode_base64(&value))))
    }

    /// Signs with the named algorithm, or, where it does not suit the key, as the key does by default.
    fn raw(&self, octets: &[u8], signer: &Signer<'_>) -> Option<Vec<u8>> {
        let key = match signer.key {
            ForgingKey::Idp => &self.keys.idp,
            ForgingKey::IdpElliptic => self.keys.idp_elliptic.as_ref()?,
            ForgingKey::Foreign => &self.keys.foreign,
        };
        SignatureAlgorithm::from_uri(signer.algorithm)
            .and_then(|algorithm| key.sign_detached(algorithm, octets))
            .or_else(|| key.sign_detached(key.algorithm(), octets))
    }
}

fn signature(id: &str, signer: &Signer<'_>, digest: &str, value: &str) -> String {
    let canonicalization = signer.canonicalization;
    let default = format!(
        "<ds:Transforms><ds:Transform Algorithm=\"{ENVELOPED}\"/><ds:Transform Algorithm=\"{canonicalization}\"/>\
         </ds:Transforms>"
    );
    format!(
        "<ds:Signature xmlns:ds=\"{DSIG_NAMESPACE}\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{canonicalization}\"/><ds:SignatureMethod Algorithm=\"{}\"/>\
         <ds:Reference URI=\"{}\">{}<ds:DigestMethod Algorithm=\"{}\"/>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue>{}</ds:Signature>",
        signer.algorithm,
        signer.uri.map_or_else(|| format!("#{id}"), str::to_owned),
        signer.transforms.unwrap_or(&default),
        signer.digest,
        signer.key_info,
    )
}

/// The document without marks for signatures that are not made yet.
fn without_marks(document: &str) -> String {
    let mut pieces = document.split("{sign:");
    let mut bare = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        bare.push_str(piece.split_once('}').map_or("", |(_, rest)| rest));
    }
    bare
}

fn canonical(
    document: &str,
    algorithm: &str,
    wanted: impl Fn(Element<'_>) -> bool,
) -> Result<Vec<u8>, ForgeFail> {
    let document = Document::parse(document.as_bytes(), &Limits::METADATA).map_err(ForgeFail::Xml)?;
    let element = document.root().descendants().find(|element| wanted(*element));
    let element = element.ok_or_else(|| ForgeFail::Missing("element to sign".to_owned()))?;
    let form = Canonicalization::from_uri(algorithm).unwrap_or(Canonicalization::EXCLUSIVE);
    Ok(form.octets(element, ""))
}

fn digest(algorithm: &str, octets: &[u8]) -> Vec<u8> {
    DigestAlgorithm::from_uri(algorithm).unwrap_or(DigestAlgorithm::Sha256).digest(octets)
}

/// As text, or as the value of an attribute in double quotes.
pub(super) fn escaped(text: &str) -> String {
    let written = XmlWriter::new().element("x", text).finish();
    let inside = written.strip_prefix("<x>").and_then(|rest| rest.strip_suffix("</x>"));
    inside.unwrap_or_default().replace('"', "&quot;")
}

/// What stands in `text` from the first `from` to the next `to`, both included.
///
/// # Errors
/// [`ForgeFail::Missing`] when it does not stand there.
pub fn cut<'t>(text: &'t str, from: &str, to: &str) -> Result<&'t str, ForgeFail> {
    let missing = || ForgeFail::Missing(from.to_owned());
    let begin = text.find(from).ok_or_else(missing)?;
    let rest = text.get(begin..).ok_or_else(missing)?;
    let end = rest.find(to).and_then(|end| end.checked_add(to.len())).ok_or_else(missing)?;
    rest.get(..end).ok_or_else(missing)
}

/// Replaces `from`, which must be there.
pub(super) fn swap(text: &str, from: &str, to: &str) -> Result<String, ForgeFail> {
    if from.is_empty() || !text.contains(from) {
        return Err(ForgeFail::Missing(from.to_owned()));
    }
    Ok(text.replace(from, to))
}

/// The first signature in the text.
///
/// # Errors
/// [`ForgeFail::Missing`] when there is none.
pub fn first_signature(text: &str) -> Result<&str, ForgeFail> {
    cut(text, "<ds:Signature ", "</ds:Signature>")
}

/// The first assertion in the text.
///
/// # Errors
/// [`ForgeFail::Missing`] when there is none.
pub fn first_assertion(text: &str) -> Result<&str, ForgeFail> {
    cut(text, "<saml:Assertion ", "</saml:Assertion>")
}
