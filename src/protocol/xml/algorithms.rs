//! The digest and signature algorithms that we know, and what they are called in documents.
//!
//! XML Signature 1.1 §6, RFC 6931 and RFC 9231. What is not here does not exist for us: HMAC (a service
//! provider shares no secret with an identity provider; CVE-2021-21239 keyed it with the public certificate),
//! MD5, DSA, RIPEMD and whatever a document may invent. Enter at [`SignatureAlgorithm`].

use super::canonical::Sink;
use aws_lc_rs::digest;
use std::fmt;

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// Broken for signatures; only where the policy allows it.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl DigestAlgorithm {
    const NAMES: [(DigestAlgorithm, &'static str); 4] = [
        (DigestAlgorithm::Sha1, "http://www.w3.org/2000/09/xmldsig#sha1"),
        (DigestAlgorithm::Sha256, "http://www.w3.org/2001/04/xmlenc#sha256"),
        (DigestAlgorithm::Sha384, "http://www.w3.org/2001/04/xmldsig-more#sha384"),
        (DigestAlgorithm::Sha512, "http://www.w3.org/2001/04/xmlenc#sha512"),
    ];

    /// Gives the algorithm that an `Algorithm` attribute names.
    pub fn from_uri(uri: &str) -> Option<DigestAlgorithm> {
        Self::NAMES.iter().find(|(_, name)| *name == uri).map(|(algorithm, _)| *algorithm)
    }

    /// Gives the name for an `Algorithm` attribute.
    pub fn uri(self) -> &'static str {
        Self::NAMES.iter().find(|(algorithm, _)| *algorithm == self).map_or("", |(_, name)| name)
    }

    /// Gives the digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.implementation(), bytes).as_ref().to_vec()
    }

    pub(super) fn implementation(self) -> &'static digest::Algorithm {
        match self {
            DigestAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            DigestAlgorithm::Sha256 => &digest::SHA256,
            DigestAlgorithm::Sha384 => &digest::SHA384,
            DigestAlgorithm::Sha512 => &digest::SHA512,
        }
    }
}

/// How a signature is made over the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1,
    /// RSASSA-PSS (RFC 8017 §8.1), with MGF1 over the same digest and a salt of the digest's length.
    RsaPss,
    /// ECDSA, the value being r and s one behind the other (XML Signature 1.1 §6.4.3).
    Ecdsa,
}

/// A signature algorithm: a scheme over a digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureAlgorithm {
    pub scheme: Scheme,
    pub digest: DigestAlgorithm,
}

macro_rules! signature_algorithms {
    ($($name:ident $scheme:ident $digest:ident $uri:literal,)*) => {
        impl SignatureAlgorithm {
            $(#[doc = concat!("`", $uri, "`.")]
            pub const $name: SignatureAlgorithm =
                SignatureAlgorithm { scheme: Scheme::$scheme, digest: DigestAlgorithm::$digest };)*
            const NAMES: &'static [(SignatureAlgorithm, &'static str)] =
                &[$((SignatureAlgorithm::$name, $uri),)*];
        }
    };
}

signature_algorithms! {
    RSA_SHA256 RsaPkcs1 Sha256 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    RSA_SHA384 RsaPkcs1 Sha384 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    RSA_SHA512 RsaPkcs1 Sha512 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    RSA_PSS_SHA256 RsaPss Sha256 "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    RSA_PSS_SHA384 RsaPss Sha384 "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
    RSA_PSS_SHA512 RsaPss Sha512 "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
    ECDSA_SHA256 Ecdsa Sha256 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    ECDSA_SHA384 Ecdsa Sha384 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    ECDSA_SHA512 Ecdsa Sha512 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    RSA_SHA1 RsaPkcs1 Sha1 "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    ECDSA_SHA1 Ecdsa Sha1 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
}

impl SignatureAlgorithm {
    /// Gives the algorithm that an `Algorithm` attribute, or the parameter `SigAlg`, names.
    pub fn from_uri(uri: &str) -> Option<SignatureAlgorithm> {
        Self::NAMES.iter().find(|(_, name)| *name == uri).map(|(algorithm, _)| *algorithm)
    }

    /// Gives the name for an `Algorithm` attribute.
    pub fn uri(self) -> &'static str {
        Self::NAMES.iter().find(|(algorithm, _)| *algorithm == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Debug for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri())
    }
}

/// A digest in the making, which takes canonical octets as they come.
///
/// Octets are gathered, because a digest takes a few thousand at once much faster than ten times ten.
pub(super) struct Digester {
    context: digest::Context,
    gathered: Vec<u8>,
}

/// Large enough to make the calls cheap, small enough to stay in the nearest cache.
const GATHERED: usize = 8 * 1024;

impl Digester {
    pub fn new(algorithm: DigestAlgorithm) -> Digester {
        let context = digest::Context::new(algorithm.implementation());
        Digester { context, gathered: Vec::with_capacity(GATHERED) }
    }

    pub fn finish(mut self) -> digest::Digest {
        self.context.update(&self.gathered);
        self.context.finish()
    }
}

impl Sink for Digester {
    fn write(&mut self, octets: &[u8]) {
        if self.gathered.len() + octets.len() > GATHERED {
            self.context.update(&self.gathered);
            self.gathered.clear();
        }
        if octets.len() > GATHERED {
            self.context.update(octets);
        } else {
            self.gathered.extend_from_slice(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_its_algorithm_and_back() {
        for (algorithm, name) in SignatureAlgorithm::NAMES {
            assert_eq!(SignatureAlgorithm::from_uri(name), Some(*algorithm));
            assert_eq!(algorithm.uri(), *name);
        }
        for (algorithm, name) in DigestAlgorithm::NAMES {
            assert_eq!(DigestAlgorithm::from_uri(name), Some(algorithm));
            assert_eq!(algorithm.uri(), name);
        }
    }

    #[test]
    fn unknown_algorithms_have_no_meaning() {
        for name in [
            "",
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
            "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256 ",
            "HTTP://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "urn:none",
        ] {
            assert_eq!(SignatureAlgorithm::from_uri(name), None, "{name}");
        }
        assert_eq!(DigestAlgorithm::from_uri("http://www.w3.org/2001/04/xmldsig-more#md5"), None);
    }

    #[test]
    fn a_digest_does_not_depend_on_how_the_octets_come() {
        let octets: Vec<u8> = (0..40_000u32).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
        for piece in [1, 7, 1000, GATHERED, GATHERED + 1, 40_000] {
            let mut digester = Digester::new(DigestAlgorithm::Sha256);
            octets.chunks(piece).for_each(|chunk| digester.write(chunk));
            assert_eq!(digester.finish().as_ref(), DigestAlgorithm::Sha256.digest(&octets));
        }
    }
}
