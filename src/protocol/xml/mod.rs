//! XML as SAML needs it: a tree, its canonical form, signatures, encryption.
//!
//! Bytes and keys in, values out. Knows nothing of SAML's own elements, of files, sockets or the time.
//! In reading order:
//!
//! 1. [`reject`]: every rule of well-formedness that a document can break.
//! 2. [`parse`]: bytes become a [`Document`], once; the text is never parsed again.
//! 3. [`tree`]: what can be asked of a [`Document`] and an [`Element`].
//! 4. [`canonical`]: the octets that are signed.

mod base;
mod canonical;
mod characters;
mod markup;
mod parse;
#[cfg(test)]
mod parse_tests;
mod reject;
mod tag;
mod tree;

pub use canonical::{Canonicalization, Method, Sink};
pub use parse::Limits;
pub use reject::{XmlReject, XmlRule};
pub use tree::{Attribute, Document, Element};

/// The namespace that the prefix `xml` is bound to, always (Namespaces in XML 1.0, §3).
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of `xmlns` itself; nothing may be bound to it (Namespaces in XML 1.0, §3).
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";
