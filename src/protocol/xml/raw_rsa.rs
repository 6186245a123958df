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
use rsa::hazmat::{rsa_decrypt_and_check, rsa_encrypt};
use rsa::pkcs1;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use x509_cert::der::Decode;
use zeroize::Zeroizing;

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
        if number >= **self.key.n() {
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

/// A private key for what aws-lc-rs does not decrypt. The crate wipes it when it is dropped.
pub(super) struct RawPrivateKey(rsa::PrivateKey);

impl RawPrivateKey {
    /// Reads a `PrivateKeyInfo` (RFC 5958).
    pub fn from_pkcs8(der: &[u8]) -> Option<RawPrivateKey> {
        rsa::PrivateKey::from_pkcs8_der(der).ok().map(RawPrivateKey)
    }

    /// Gives the length of the modulus in bytes, which is that of each ciphertext.
    pub fn bytes(&self) -> usize {
        self.0.size()
    }

    /// Decrypts what was encrypted with OAEP (RFC 8017 §7.1.2); `label` is empty where there is none.
    pub fn decrypt_oaep(
        &self,
        ciphertext: &[u8],
        hash: &'static digest::Algorithm,
        mask: &'static digest::Algorithm,
        label: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut encoded = self.operate(ciphertext)?;
        let (first, rest) = encoded.split_first_mut()?;
        let (seed, block) = rest.split_at_mut_checked(hash.output_len())?;
        unmask(seed, block, mask);
        unmask(block, seed, mask);
        let (label_digest, padded) = block.split_at_checked(hash.output_len())?;
        // Every byte is looked at, whatever it is, and only one bit comes out: Manger's attack needs to know
        // which of the conditions failed.
        let mut good = first.ct_eq(&0) & label_digest.ct_eq(digest::digest(hash, label).as_ref());
        let mut message_starts = 0u32;
        let mut searching = Choice::from(1);
        for (index, byte) in (0u32..).zip(padded) {
            let delimiter = byte.ct_eq(&1);
            message_starts.conditional_assign(&(index + 1), searching & delimiter);
            good &= !searching | delimiter | byte.ct_eq(&0);
            searching &= !delimiter;
        }
        good &= !searching;
        if !bool::from(good) {
            return None;
        }
        padded.get(message_starts as usize..).map(|message| Zeroizing::new(message.to_vec()))
    }

    /// Decrypts a message of `length` bytes that was encrypted with PKCS#1 v1.5 (RFC 8017 §7.2.2).
    ///
    /// As the length is known, there is no search for the end of the padding that could take more or less
    /// time.
    pub fn decrypt_pkcs1(&self, ciphertext: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
        let encoded = self.operate(ciphertext)?;
        let padding = encoded.len().checked_sub(length + 3).filter(|&bytes| bytes >= 8)?;
        let (head, rest) = encoded.split_at_checked(2)?;
        let (padding, rest) = rest.split_at_checked(padding)?;
        let (delimiter, message) = rest.split_first()?;
        let mut good = head.ct_eq(&[0, 2]) & delimiter.ct_eq(&0);
        for byte in padding {
            good &= !byte.ct_eq(&0);
        }
        bool::from(good).then(|| Zeroizing::new(message.to_vec()))
    }

    /// The private-key operation (RFC 8017 §5.1.2), blinded and checked against faults.
    fn operate(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if ciphertext.len() != self.bytes() {
            return None;
        }
        let number = BoxedUint::from_be_slice(ciphertext, self.0.n_bits_precision()).ok()?;
        let result = rsa_decrypt_and_check(&self.0, Some(&mut Random), &number).ok()?;
        let bytes = Zeroizing::new(result.to_be_bytes().into_vec());
        let surplus = bytes.len().checked_sub(self.bytes())?;
        bytes.get(surplus..).map(|bytes| Zeroizing::new(bytes.to_vec()))
    }
}

/// Takes MGF1 of `seed` off `block` (RFC 8017 appendix B.2.1).
fn unmask(block: &mut [u8], seed: &[u8], hash: &'static digest::Algorithm) {
    for (counter, piece) in (0u32..).zip(block.chunks_mut(hash.output_len())) {
        let mut context = digest::Context::new(hash);
        context.update(seed);
        context.update(&counter.to_be_bytes());
        for (byte, mask) in piece.iter_mut().zip(context.finish().as_ref()) {
            *byte ^= mask;
        }
    }
}

/// The random generator of aws-lc-rs, for blinding.
struct Random;

impl rsa::rand_core::TryRng for Random {
    type Error = RandomFailed;

    fn try_next_u32(&mut self) -> Result<u32, RandomFailed> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomFailed> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RandomFailed> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| RandomFailed)
    }
}

impl rsa::rand_core::TryCryptoRng for Random {}

/// The operating system gave no random bytes.
#[derive(Debug)]
struct RandomFailed;

impl std::fmt::Display for RandomFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no random bytes")
    }
}

impl std::error::Error for RandomFailed {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

    use super::*;

    /// The sum of two numbers of equally many bytes; `None` when it has one more.
    fn sum(left: &[u8], right: &[u8]) -> Option<Vec<u8>> {
        let (mut sum, mut carry) = (Vec::new(), 0);
        for (a, b) in left.iter().zip(right).rev() {
            let byte = u16::from(*a) + u16::from(*b) + carry;
            sum.push(byte.to_le_bytes()[0]);
            carry = byte >> 8;
        }
        sum.reverse();
        (carry == 0).then_some(sum)
    }

    #[test]
    fn a_signature_that_is_not_smaller_than_the_modulus_is_refused() {
        // RFC 8017 §5.2.2: adding the modulus changes nothing in the arithmetic, and must not verify.
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let key = RawPublicKey::from_der(pair.public_key().as_ref()).unwrap();
        let parsed = pkcs1::RsaPublicKeyRef::from_der(pair.public_key().as_ref()).unwrap();
        let modulus = parsed.modulus.as_bytes();
        let mut other_forms = 0;
        for number in 0..64_u8 {
            let mut signature = vec![0; modulus.len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &[number], &mut signature).unwrap();
            assert!(key.verify_pkcs1(DigestAlgorithm::Sha256, &[number], &signature));
            if let Some(larger) = sum(&signature, modulus) {
                other_forms += 1;
                assert!(!key.verify_pkcs1(DigestAlgorithm::Sha256, &[number], &larger));
            }
        }
        assert_ne!(other_forms, 0, "no signature was small enough to have another form");
    }
}
