//! XML as SAML needs it: a tree, its canonical form, signatures, encryption.
//!
//! Bytes and keys in, values out. Knows nothing of SAML's own elements, of files, sockets or the time.
//! In reading order:
//!
//! 1. [`reject`]: every rule of well-formedness that a document can break.
//! 2. [`parse`]: bytes become a [`Document`] within [`Limits`], once; the text is never parsed again.
//! 3. [`tree`]: what can be asked of a [`Document`] and an [`Element`].
//! 4. [`canonical`]: the octets that are signed.
//! 5. [`algorithms`], [`key`], [`certificate`]: what they are signed with.
//! 6. [`signature`]: an element and a trusted key in, a verified element out.
//! 7. [`encryption`], [`private_key`]: an encrypted element and a key of ours in, a document out.
//! 8. [`writer`]: the one way to write a document.
//! 9. [`make`]: the other side, for the test identity provider and for tests.

mod algorithms;
mod base;
mod base64;
mod canonical;
#[cfg(test)]
mod canonical_tests;
mod certificate;
#[cfg(test)]
mod certificate_tests;
mod characters;
mod cipher;
mod encryption;
#[cfg(test)]
mod encryption_tests;
mod indented;
mod key;
mod key_reject;
mod limits;
pub mod make;
mod markup;
mod parse;
#[cfg(test)]
mod parse_tests;
mod private_key;
mod raw_rsa;
mod reject;
mod signature;
#[cfg(test)]
mod signature_tests;
mod tag;
mod tree;
mod writer;

pub use algorithms::{DigestAlgorithm, Scheme, SignatureAlgorithm};
pub use base64::{decode_base64, encode_base64};
pub use canonical::{Canonicalization, Method, Sink};
pub use certificate::{Certificate, pem};
pub use encryption::{
    DecryptReject, Decrypted, EncryptionPolicy, XENC_NAMESPACE, decrypt_element, decrypt_octets,
};
pub use indented::indented;
pub use key::VerificationKey;
pub use key_reject::{KeyReject, SMALLEST_RSA_BITS};
pub use limits::Limits;
pub use private_key::{DecryptionKey, SigningKey};
pub use reject::{XmlReject, XmlRule};
pub use signature::{
    DSIG_NAMESPACE, EXC_C14N_NAMESPACE, SignaturePolicy, SignatureReject, Verified, verify_detached,
    verify_enveloped,
};
pub use tree::{Attribute, Document, Element};
pub use writer::XmlWriter;

/// The namespace that the prefix `xml` is bound to, always (Namespaces in XML 1.0, §3).
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of `xmlns` itself; nothing may be bound to it (Namespaces in XML 1.0, §3).
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";
