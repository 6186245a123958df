//! RSA for what aws-lc-rs does not offer, on the arithmetic of the `rsa` crate.
//!
//! - Verification with keys shorter than 2,048 bits, which are still in the field.
//! - OAEP with different digests for the hash and for the mask: the older name of RSA-OAEP in XML Encryption
//!   means MGF1 with SHA-1, whatever the hash is.
//! - Decryption with keys shorter than 2,048 bits.
//!
//! Residual risk: the `rsa` crate's private-key operation is blinded, but its arithmetic is not proven to
//! take constant time (RUSTSEC-2023-0071, "Marvin"). An attacker who can time very many decryptions from
//! nearby might learn a session key. What runs on aws-lc-rs has no such doubt, and that is all that current
//! identity providers send by default.

use super::algorithms::DigestAlgorithm;
use aws_lc_rs::digest;
use rsa::BoxedUint;
use rsa::hazmat::rsa_encrypt;
use rsa::pkcs1;
use rsa::traits::PublicKeyParts;
use x509_cert::der::Decode;

/// A public key for the bare RSA operation (RFC 8017 §5.2.2).
pub(super) struct RawPublicKey {
    key: rsa::PublicKey,
    bits: u32,
}

impl RawPublicKey {
    /// Reads an `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub fn from_der(der: &[u8]) -> Option<RawPublicKey> {
        let parsed = pkcs1::RsaPublicKeyRef::from_der(der).ok()?;
        let n = BoxedUint::from_be_slice_vartime(parsed.modulus.as_bytes());
        let e = BoxedUint::from_be_slice_vartime(parsed.public_exponent.as_bytes());
        let bits = n.bit_width_vartime();
        let sizes = 1..=super::key::LARGEST_RSA_BITS as usize;
        let key = rsa::PublicKey::new_with_size_limits(n, e, sizes).ok()?;
        Some(RawPublicKey { key, bits })
    }

    /// Gives the size of the modulus.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Verifies a signature by making the only encoding that is right and comparing (RFC 8017 §8.2.2); nothing
    /// is parsed out of the signature, so nothing can hide in it.
    pub fn verify_pkcs1(&self, algorithm: DigestAlgorithm, octets: &[u8], signature: &[u8]) -> bool {
        let length = self.bits.div_ceil(8) as usize;
        if signature.len() != length {
            return false;
        }
        let Ok(number) = BoxedUint::from_be_slice(signature, self.key.n_bits_precision()) else {
            return false;
        };
        if &number >= self.key.n().as_ref() {
            return false;
        }
        let Ok(encoded) = rsa_encrypt(&self.key, &number) else { return false };
        let encoded = encoded.to_be_bytes();
        let (zeros, encoded) = encoded.split_at(encoded.len().saturating_sub(length));
        let expected = pkcs1_encoding(algorithm, octets, length);
        zeros.iter().all(|&b| b == 0) && expected.is_some_and(|expected| encoded == expected.as_slice())
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
fn pkcs1_encoding(algorithm: DigestAlgorithm, octets: &[u8], length: usize) -> Option<Vec<u8>> {
    let prefix: &[u8] = match algorithm {
        DigestAlgorithm::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
        DigestAlgorithm::Sha256 => {
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
        }
        DigestAlgorithm::Sha384 => {
            b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
        }
        DigestAlgorithm::Sha512 => {
            b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
        }
    };
    let digest = digest::digest(algorithm.implementation(), octets);
    // At least eight bytes of padding, and three that delimit it.
    let padding = length.checked_sub(prefix.len() + digest.as_ref().len() + 3).filter(|&bytes| bytes >= 8)?;
    let mut encoded = vec![0x00, 0x01];
    encoded.resize(2 + padding, 0xFF);
    encoded.push(0x00);
    encoded.extend_from_slice(prefix);
    encoded.extend_from_slice(digest.as_ref());
    Some(encoded)
}
