//! Decrypting an element: XML Encryption 1.1 as SAML core §6 uses it.
//!
//! Encryption is no signature: anybody can encrypt to our public key. What comes out is a document of its own,
//! parsed by the same strict parser, and it is trusted as little as if it had come in plain.
//!
//! What may be told about a failure: the shape and the algorithms of the document, which the sender knows
//! anyway. What may not: whether a key was unwrapped, whether padding was right, whether the plaintext was
//! XML. An attacker who learns one of these, by an error or by the time it took, decrypts a captured assertion
//! with some thousand questions (Bleichenbacher 1998; Jager and Somorovsky 2011). Hence one reject for all of
//! them, and the same steps in every case: a key that cannot be unwrapped is replaced by a random one, and wrong
//! padding is parsed like right padding. What remains is the time that parsing takes, which depends on the
//! plaintext where the cipher is not authenticated (CBC); AES-GCM has no such remainder.
//!
//! Enter at [`decrypt_element`].

use super::base64::decode_base64;
use super::cipher::DataCipher;
use super::limits::Limits;
use super::private_key::{DecryptionKey, KeyTransport};
use super::signature::DSIG_NAMESPACE;
use super::tree::{Document, Element};
use aws_lc_rs::{digest, rand};
use std::fmt;
use zeroize::Zeroizing;

/// The namespace of XML Encryption 1.0.
pub const XENC_NAMESPACE: &str = "http://www.w3.org/2001/04/xmlenc#";
/// The namespace of what XML Encryption 1.1 added.
pub const XENC11_NAMESPACE: &str = "http://www.w3.org/2009/xmlenc11#";

/// How much work an encrypted element may cause, in tenths of a millisecond of a processor's time. A stranger can
/// send as many as they like. What is first tried is tried whatever it costs, so that a large key of ours works.
/// Enough for two pairs of ours of 3,072 bits with the slow arithmetic, or for five with the fast one three times
/// over.
const MOST_WORK: usize = 150;
/// Most wrapped keys: one a recipient. Genuine senders encrypt to one, some to two.
const MOST_WRAPPED_KEYS: usize = 8;

/// What a caller accepts beyond the strict minimum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncryptionPolicy {
    /// Key transport by RSA PKCS#1 v1.5.
    pub rsa15: bool,
    /// Triple DES.
    pub triple_des: bool,
}

/// Why nothing could be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecryptReject {
    /// We have no key to decrypt with.
    NoKeys,
    /// A child is missing or repeated, a value is not Base64 text, or data are elsewhere (`CipherReference`).
    Structure,
    /// Data encryption or key transport by an algorithm that we do not know.
    Algorithm,
    /// RSA PKCS#1 v1.5, which is not allowed here.
    Rsa15,
    /// Triple DES, which is not allowed here.
    TripleDes,
    /// More wrapped keys than a genuine sender would send.
    TooManyKeys,
    /// Everything else: a key that is not ours, changed ciphertext, a plaintext that is not one element.
    Failed,
}

impl DecryptReject {
    /// Every reject, in the order in which they are checked.
    pub const ALL: [DecryptReject; 7] = [
        DecryptReject::NoKeys,
        DecryptReject::Structure,
        DecryptReject::Algorithm,
        DecryptReject::Rsa15,
        DecryptReject::TripleDes,
        DecryptReject::TooManyKeys,
        DecryptReject::Failed,
    ];

    /// Gives the stable code, snake_case.
    pub const fn code(self) -> &'static str {
        match self {
            DecryptReject::NoKeys => "decryption_no_keys",
            DecryptReject::Structure => "decryption_structure",
            DecryptReject::Algorithm => "decryption_algorithm",
            DecryptReject::Rsa15 => "decryption_rsa15",
            DecryptReject::TripleDes => "decryption_3des",
            DecryptReject::TooManyKeys => "decryption_too_many_keys",
            DecryptReject::Failed => "decryption_failed",
        }
    }

    /// Says in one sentence what is wrong, for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            DecryptReject::NoKeys => "there is no key to decrypt with",
            DecryptReject::Structure => {
                "the encrypted element does not have the children that the standard gives it"
            }
            DecryptReject::Algorithm => "the encryption algorithm is not supported",
            DecryptReject::Rsa15 => "the key transport RSA 1.5 is not allowed here",
            DecryptReject::TripleDes => "Triple DES is not allowed here",
            DecryptReject::TooManyKeys => "the encrypted element has more keys than allowed",
            DecryptReject::Failed => "the element could not be decrypted",
        }
    }
}

impl fmt::Display for DecryptReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for DecryptReject {}

/// Decrypts what `holder` (an `EncryptedAssertion`, `EncryptedID` or `EncryptedAttribute`) contains.
///
/// Keys may stand inside the `EncryptedData` or beside it (SAML core §6.1; errata E43). All `keys` are tried,
/// so that a key can be replaced without a day without sign-ins. The result is a document of its own, in which
/// the namespaces are in scope that were in scope in `holder`.
///
/// # Errors
/// [`DecryptReject`] when the shape or the algorithms cannot be used, and [`DecryptReject::Failed`] for
/// everything that depends on a key.
pub fn decrypt_element(
    holder: Element<'_>,
    keys: &[DecryptionKey],
    policy: &EncryptionPolicy,
) -> Result<Decrypted, DecryptReject> {
    let data = holder.only_child(XENC_NAMESPACE, "EncryptedData").ok().flatten();
    let data = data.ok_or(DecryptReject::Structure)?;
    let encrypted = Encrypted::read(data, Some(holder), policy)?;
    let bindings = holder.namespaces_in_scope();
    let (document, key_index) = encrypted.open(keys, |plaintext| {
        // Some senders put white space, or even an XML declaration, before the element.
        let plaintext = plaintext.trim_ascii_start();
        let document = Document::parse_within(plaintext, &Limits::ASSERTION, &bindings).ok()?;
        Some((document, plaintext.to_vec()))
    })?;
    let (document, plaintext) = document;
    Ok(Decrypted { document, key_index, plaintext })
}

/// Decrypts an `EncryptedData` whatever its plaintext is; the primitive behind [`decrypt_element`], without
/// its rules.
///
/// # Errors
/// As [`decrypt_element`].
pub fn decrypt_octets(
    data: Element<'_>,
    keys: &[DecryptionKey],
    policy: &EncryptionPolicy,
) -> Result<Vec<u8>, DecryptReject> {
    let opened = Encrypted::read(data, None, policy)?.open(keys, |plaintext| Some(plaintext.to_vec()));
    opened.map(|(octets, _)| octets)
}

/// An element that was encrypted.
#[derive(Debug)]
pub struct Decrypted {
    /// The element, in a document of its own.
    pub document: Document,
    /// Which of the keys that were given opened it.
    pub key_index: usize,
    plaintext: Vec<u8>,
}

impl Decrypted {
    /// The same element without the namespaces of what it stood in, if it does without: as a sender had it who
    /// signed it first and put it into the response afterwards.
    pub fn by_itself(&self) -> Option<Decrypted> {
        let document = Document::parse(&self.plaintext, &Limits::ASSERTION).ok()?;
        Some(Decrypted { document, key_index: self.key_index, plaintext: self.plaintext.clone() })
    }
}

/// What an `EncryptedData` says, before any key is used.
struct Encrypted {
    cipher: DataCipher,
    data: Vec<u8>,
    wrapped: Vec<WrappedKey>,
}

/// An `EncryptedKey`.
struct WrappedKey {
    transport: KeyTransport,
    octets: Vec<u8>,
}

impl Encrypted {
    fn read(
        data: Element<'_>,
        holder: Option<Element<'_>>,
        policy: &EncryptionPolicy,
    ) -> Result<Encrypted, DecryptReject> {
        // SAML core §2.3.4: where there is a type, it is that of an element.
        let content =
            data.attribute("Type").is_some_and(|kind| kind != "http://www.w3.org/2001/04/xmlenc#Element");
        if holder.is_some() && content {
            return Err(DecryptReject::Structure);
        }
        let method = only(data, XENC_NAMESPACE, "EncryptionMethod")?;
        let cipher = method.attribute("Algorithm").and_then(DataCipher::from_uri);
        let cipher = cipher.ok_or(DecryptReject::Algorithm)?;
        if cipher == DataCipher::TripleDesCbc && !policy.triple_des {
            return Err(DecryptReject::TripleDes);
        }
        let key_info = data.only_child(DSIG_NAMESPACE, "KeyInfo").map_err(|_| DecryptReject::Structure)?;
        let places = key_info.into_iter().chain(holder);
        let mut wrapped = Vec::new();
        let mut first_reject = None;
        for key in places.flat_map(|place| place.children_named(XENC_NAMESPACE, "EncryptedKey")) {
            if wrapped.len() == MOST_WRAPPED_KEYS {
                return Err(DecryptReject::TooManyKeys);
            }
            match WrappedKey::read(key, policy) {
                Ok(key) => wrapped.push(key),
                // Another recipient's key may be wrapped in a way that is not for us.
                Err(reject) => first_reject = first_reject.or(Some(reject)),
            }
        }
        if wrapped.is_empty() {
            return Err(first_reject.unwrap_or(DecryptReject::Structure));
        }
        Ok(Encrypted { cipher, data: cipher_value(data)?, wrapped })
    }

    /// Tries every wrapped key with every key of ours that has its size, until `accept` takes a plaintext;
    /// gives back with it which of our keys it was.
    fn open<T>(
        &self,
        keys: &[DecryptionKey],
        accept: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<(T, usize), DecryptReject> {
        if keys.is_empty() {
            return Err(DecryptReject::NoKeys);
        }
        let mut work = 0;
        for wrapped in &self.wrapped {
            let fitting = keys.iter().enumerate();
            for (index, key) in fitting.filter(|(_, key)| key.wrapped_bytes() == wrapped.octets.len()) {
                let next = key.work(&wrapped.transport) + self.cipher.work(self.data.len());
                if work > 0 && work + next > MOST_WORK {
                    return Err(DecryptReject::TooManyKeys);
                }
                work += next;
                if let Some(accepted) = self.attempt(wrapped, key, &accept) {
                    return Ok((accepted, index));
                }
            }
        }
        Err(DecryptReject::Failed)
    }

    /// Does the same work whether the key can be unwrapped or not, and whether the padding is right or not.
    fn attempt<T>(
        &self,
        wrapped: &WrappedKey,
        key: &DecryptionKey,
        accept: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let length = self.cipher.key_bytes();
        let mut substitute = Zeroizing::new(vec![0; length]);
        rand::fill(&mut substitute).ok()?;
        let unwrapped = key.unwrap(&wrapped.transport, &wrapped.octets, length);
        let genuine = unwrapped.is_some();
        let session_key = unwrapped.unwrap_or(substitute);
        let plaintext = self.cipher.decrypt(&session_key, &self.data);
        let good = genuine && plaintext.is_some();
        let accepted = accept(plaintext.as_deref().unwrap_or(&self.data));
        accepted.filter(|_| good)
    }
}

impl WrappedKey {
    fn read(key: Element<'_>, policy: &EncryptionPolicy) -> Result<WrappedKey, DecryptReject> {
        let method = only(key, XENC_NAMESPACE, "EncryptionMethod")?;
        let transport = match method.attribute("Algorithm") {
            Some("http://www.w3.org/2001/04/xmlenc#rsa-1_5") if !policy.rsa15 => {
                return Err(DecryptReject::Rsa15);
            }
            Some("http://www.w3.org/2001/04/xmlenc#rsa-1_5") => KeyTransport::Pkcs1,
            Some(
                "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
                | "http://www.w3.org/2009/xmlenc11#rsa-oaep",
            ) => read_oaep(method)?,
            _ => return Err(DecryptReject::Algorithm),
        };
        Ok(WrappedKey { transport, octets: cipher_value(key)? })
    }
}

/// Reads the parameters of RSA-OAEP (XML Encryption 1.1 §5.5.2).
///
/// The older name of the algorithm means MGF1 with SHA-1 whatever `DigestMethod` says; where a sender names a
/// mask with it nevertheless, the mask is used. Without parameters both digests are SHA-1.
fn read_oaep(method: Element<'_>) -> Result<KeyTransport, DecryptReject> {
    let parameter =
        |namespace, local| method.only_child(namespace, local).map_err(|_| DecryptReject::Structure);
    let algorithm = |element: Element<'_>, names: &[(&str, &'static digest::Algorithm)]| {
        let uri = element.attribute("Algorithm").ok_or(DecryptReject::Structure)?;
        let found = names.iter().find(|(name, _)| *name == uri);
        found.map(|(_, algorithm)| *algorithm).ok_or(DecryptReject::Algorithm)
    };
    let hash = match parameter(DSIG_NAMESPACE, "DigestMethod")? {
        Some(element) => algorithm(element, &OAEP_DIGESTS)?,
        None => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    };
    let mask = match parameter(XENC11_NAMESPACE, "MGF")? {
        Some(element) => algorithm(element, &OAEP_MASKS)?,
        None => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    };
    let label = match parameter(XENC_NAMESPACE, "OAEPparams")? {
        Some(element) => base64_text(element)?,
        None => Vec::new(),
    };
    Ok(KeyTransport::Oaep { hash, mask, label })
}

const OAEP_DIGESTS: [(&str, &digest::Algorithm); 5] = [
    ("http://www.w3.org/2000/09/xmldsig#sha1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
    ("http://www.w3.org/2001/04/xmldsig-more#sha224", &digest::SHA224),
    ("http://www.w3.org/2001/04/xmlenc#sha256", &digest::SHA256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", &digest::SHA384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", &digest::SHA512),
];

const OAEP_MASKS: [(&str, &digest::Algorithm); 5] = [
    ("http://www.w3.org/2009/xmlenc11#mgf1sha1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha224", &digest::SHA224),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha256", &digest::SHA256),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha384", &digest::SHA384),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha512", &digest::SHA512),
];

/// Reads `CipherData/CipherValue`; a `CipherReference` would make us fetch something.
fn cipher_value(element: Element<'_>) -> Result<Vec<u8>, DecryptReject> {
    let data = only(element, XENC_NAMESPACE, "CipherData")?;
    if data.children().count() != 1 {
        return Err(DecryptReject::Structure);
    }
    base64_text(only(data, XENC_NAMESPACE, "CipherValue")?)
}

fn base64_text(element: Element<'_>) -> Result<Vec<u8>, DecryptReject> {
    let text = element.plain_text().map_err(|_| DecryptReject::Structure)?;
    decode_base64(&text).ok_or(DecryptReject::Structure)
}

fn only<'d>(element: Element<'d>, namespace: &str, local: &str) -> Result<Element<'d>, DecryptReject> {
    element.only_child(namespace, local).ok().flatten().ok_or(DecryptReject::Structure)
}
