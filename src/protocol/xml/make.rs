//! The other side: signing and encrypting elements. For the test identity provider of the lab, for signed
//! requests and metadata, and for tests; no verdict depends on it.
//!
//! The shapes are the ones that SAML asks for and most identity providers send: an enveloped signature with
//! exclusive canonicalization (SAML core §5.4), and an `EncryptedData` with the wrapped key inside.
//! Enter at [`sign_enveloped`] and [`encrypt_element`].

use super::algorithms::{DigestAlgorithm, Digester, SignatureAlgorithm};
use super::base64::encode_base64;
use super::canonical::Canonicalization;
use super::certificate::public_key_of;
use super::cipher::DataCipher;
use super::encryption::XENC_NAMESPACE;
use super::limits::Limits;
use super::private_key::SigningKey;
use super::reject::XmlReject;
use super::signature::{DSIG_NAMESPACE, ENVELOPED_SIGNATURE, EXC_C14N_NAMESPACE};
use super::tree::{Document, Element, NodeKind, Span};
pub use super::writer::SIGNATURE_PLACE;
use super::writer::XmlWriter;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use std::fmt;
use zeroize::Zeroizing;

/// Why something could not be signed or encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MakeFail {
    /// The document is not well-formed.
    Xml(XmlReject),
    /// There is no [`SIGNATURE_PLACE`] in an element with an `ID`.
    NoPlace,
    /// The algorithm does not suit the key.
    Algorithm,
    /// The certificate has no RSA key of 2,048 bits or more.
    Recipient,
    /// The cryptographic library failed.
    Cryptography,
}

impl fmt::Display for MakeFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MakeFail::Xml(reject) => reject.fmt(f),
            MakeFail::NoPlace => f.write_str("there is no place for a signature in an element with an ID"),
            MakeFail::Algorithm => f.write_str("the algorithm does not suit the key"),
            MakeFail::Recipient => f.write_str("the recipient has no RSA key of 2,048 bits or more"),
            MakeFail::Cryptography => f.write_str("the cryptographic library failed"),
        }
    }
}

impl std::error::Error for MakeFail {}

/// How an element is signed.
#[derive(Debug, Clone, Copy)]
pub struct SigningOptions<'o> {
    pub signature: SignatureAlgorithm,
    pub digest: DigestAlgorithm,
    /// DER of the certificate to show in `KeyInfo`; verifiers must not trust it.
    pub certificate: Option<&'o [u8]>,
}

impl SigningOptions<'_> {
    /// What identity providers do by default with such a key.
    pub fn suiting(key: &SigningKey) -> SigningOptions<'static> {
        SigningOptions { signature: key.algorithm(), digest: DigestAlgorithm::Sha256, certificate: None }
    }
}

/// Signs the element that has [`SIGNATURE_PLACE`] among its children, and puts the signature there.
///
/// Where there are several such places, the last in document order is filled; so a response that is to be
/// signed as well as the assertion in it is signed by calling twice. The rest of the text stays as it is.
///
/// # Errors
/// [`MakeFail`] when there is no such place, or the algorithm does not suit the key.
pub fn sign_enveloped(xml: &str, key: &SigningKey, options: &SigningOptions<'_>) -> Result<String, MakeFail> {
    let document = Document::parse(xml.as_bytes(), &Limits::METADATA).map_err(MakeFail::Xml)?;
    let (place, element) = last_place(&document).ok_or(MakeFail::NoPlace)?;
    let id = element.attribute("ID").ok_or(MakeFail::NoPlace)?;
    let mut digester = Digester::new(options.digest);
    // The place is a comment, and comments are not signed: it weighs nothing.
    Canonicalization::EXCLUSIVE.write(element, None, "", &mut digester);
    let digest = encode_base64(digester.finish().as_ref());
    let signed_info = signed_info(options, id, &digest);
    let value = key.sign_detached(options.signature, signed_info.as_bytes()).ok_or(MakeFail::Algorithm)?;
    let mut signature = XmlWriter::new();
    signature.start("ds:Signature").attribute("xmlns:ds", DSIG_NAMESPACE).markup(&signed_info);
    signature.element("ds:SignatureValue", &encode_base64(&value));
    if let Some(der) = options.certificate {
        signature.start("ds:KeyInfo").start("ds:X509Data");
        signature.element("ds:X509Certificate", &encode_base64(der)).end().end();
    }
    let signature = signature.finish();
    let begin = (place.start as usize).saturating_sub("<!--".len());
    let end = (place.end as usize).saturating_add("-->".len());
    let before = document.text.get(..begin).ok_or(MakeFail::NoPlace)?;
    let behind = document.text.get(end..document.source_length).ok_or(MakeFail::NoPlace)?;
    Ok([before, &signature, behind].concat())
}

/// Finds the last comment that marks a place, and the element that it stands in.
fn last_place(document: &Document) -> Option<(Span, Element<'_>)> {
    document.nodes.iter().rev().find_map(|node| match node.kind {
        NodeKind::Comment(text) if document.str(text) == "signature" => {
            Some((text, document.root().sibling(node.parent)?))
        }
        _ => None,
    })
}

/// Writes what is signed. No element is left empty, so that this is its own canonical form.
fn signed_info(options: &SigningOptions<'_>, id: &str, digest: &str) -> String {
    fn method<'w>(xml: &'w mut XmlWriter, name: &'static str, algorithm: &str) -> &'w mut XmlWriter {
        xml.start(name).attribute("Algorithm", algorithm).text("").end()
    }
    let mut xml = XmlWriter::new();
    xml.start("ds:SignedInfo").attribute("xmlns:ds", DSIG_NAMESPACE);
    method(&mut xml, "ds:CanonicalizationMethod", EXC_C14N_NAMESPACE);
    method(&mut xml, "ds:SignatureMethod", options.signature.uri());
    xml.start("ds:Reference").attribute("URI", &format!("#{id}")).start("ds:Transforms");
    method(&mut xml, "ds:Transform", ENVELOPED_SIGNATURE);
    method(&mut xml, "ds:Transform", EXC_C14N_NAMESPACE).end();
    method(&mut xml, "ds:DigestMethod", options.digest.uri()).element("ds:DigestValue", digest);
    xml.finish()
}

/// Encrypts `xml`, the text of one element, for the holder of a certificate (DER) with an RSA key.
///
/// Gives the `EncryptedData` that goes into an `EncryptedAssertion`: AES-256-GCM under a fresh key, which is
/// wrapped by RSA-OAEP with SHA-1, as XML Encryption has it by default and every recipient understands.
///
/// # Errors
/// [`MakeFail`] when the certificate has no such key.
pub fn encrypt_element(xml: &str, certificate_der: &[u8]) -> Result<String, MakeFail> {
    encrypt_octets(xml.as_bytes(), certificate_der, DataCipher::Aes256Gcm.uri())
}

/// As [`encrypt_element`], whatever the plaintext is, by the cipher that this URI names.
///
/// # Errors
/// [`MakeFail`] when the certificate has no such key, or there is no such cipher for new ciphertexts.
pub fn encrypt_octets(
    plaintext: &[u8],
    certificate_der: &[u8],
    cipher_uri: &str,
) -> Result<String, MakeFail> {
    let cipher = DataCipher::from_uri(cipher_uri).ok_or(MakeFail::Algorithm)?;
    let spki = public_key_of(certificate_der).ok_or(MakeFail::Recipient)?;
    let mut session_key = Zeroizing::new(vec![0; cipher.key_bytes()]);
    rand::fill(session_key.as_mut_slice()).map_err(|_| MakeFail::Cryptography)?;
    let data = cipher.encrypt(session_key.as_slice(), plaintext).ok_or(MakeFail::Cryptography)?;
    let recipient =
        PublicEncryptingKey::from_der(spki).and_then(|key| Ok(OaepPublicEncryptingKey::new(key)?));
    let recipient = recipient.map_err(|_| MakeFail::Recipient)?;
    let mut wrapped = vec![0; recipient.ciphertext_size()];
    let wrapped = recipient
        .encrypt(&OAEP_SHA1_MGF1SHA1, session_key.as_slice(), &mut wrapped, None)
        .map_err(|_| MakeFail::Cryptography)?;
    let mut method = XmlWriter::new();
    method.start("xenc:EncryptionMethod").attribute("Algorithm", RSA_OAEP);
    Ok(encrypted_data(cipher.uri(), &method.finish(), wrapped, &data))
}

/// RSA-OAEP with SHA-1 for both, as XML Encryption has it by default.
const RSA_OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

/// Puts an `EncryptedData` together, with the wrapped key inside; `key_method` is the element that says how the key
/// was wrapped.
pub(super) fn encrypted_data(cipher_uri: &str, key_method: &str, wrapped: &[u8], data: &[u8]) -> String {
    fn value(xml: &mut XmlWriter, octets: &[u8]) {
        xml.start("xenc:CipherData").element("xenc:CipherValue", &encode_base64(octets)).end();
    }
    let mut xml = XmlWriter::new();
    xml.start("xenc:EncryptedData")
        .attribute("xmlns:xenc", XENC_NAMESPACE)
        .attribute("Type", "http://www.w3.org/2001/04/xmlenc#Element");
    xml.start("xenc:EncryptionMethod").attribute("Algorithm", cipher_uri).end();
    xml.start("ds:KeyInfo")
        .attribute("xmlns:ds", DSIG_NAMESPACE)
        .start("xenc:EncryptedKey")
        .markup(key_method);
    value(&mut xml, wrapped);
    xml.end().end();
    value(&mut xml, data);
    xml.finish()
}
