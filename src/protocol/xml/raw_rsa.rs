//! RSA for what aws-lc-rs does not offer, by the `rsa` crate.
//!
//! - Verification with keys shorter than 2,048 bits, which are still in the field.
//! - OAEP with different digests for the hash and for the mask: the older name of RSA-OAEP in XML Encryption
//!   means MGF1 with SHA-1, whatever the hash is.
//! - Decryption with keys shorter than 2,048 bits.
//!
//! Padding is the crate's too, but for OAEP: version 0.10 takes an encoding whose first octet is not zero, which
//! RFC 8017 §7.1.2 (step 3g) has refused. A test here fails when that is so no longer, and ours can go.
//!
//! Residual risk: the `rsa` crate's private-key operation is blinded, but its arithmetic is not proven to
//! take constant time (RUSTSEC-2023-0071, "Marvin"). An attacker who can time very many decryptions from
//! nearby might learn a session key. What runs on aws-lc-rs has no such doubt, and that is all that current
//! identity providers send by default.

use super::algorithms::DigestAlgorithm;
use aws_lc_rs::digest;
use rsa::hazmat::rsa_decrypt_and_check;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::{PaddingScheme, PublicKeyParts};
use rsa::{BoxedUint, Pkcs1v15Encrypt, Pkcs1v15Sign, pkcs1};
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
        let sizes = 1..=super::key_reject::LARGEST_RSA_BITS as usize;
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
        let digest = digest::digest(algorithm.implementation(), octets);
        let padding = Pkcs1v15Sign {
            hash_len: Some(digest.as_ref().len()),
            prefix: digest_info_prefix(algorithm).into(),
        };
        self.key.verify(padding, digest.as_ref(), signature).is_ok()
    }
}

/// What stands before the digest in a `DigestInfo` (RFC 8017 §9.2, note 1).
fn digest_info_prefix(algorithm: DigestAlgorithm) -> &'static [u8] {
    match algorithm {
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
    }
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

    /// Decrypts what was encrypted with PKCS#1 v1.5 (RFC 8017 §7.2.2).
    ///
    /// Where the padding is wrong there comes out a message that nobody can foresee, of any length
    /// (draft-irtf-cfrg-rsa-guidance §7.2), so that nobody learns of the padding. Anyone who calls must find out by the
    /// message itself.
    pub fn decrypt_pkcs1(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let message = Pkcs1v15Encrypt.decrypt(Some(&mut Random), &self.0, ciphertext);
        message.ok().map(Zeroizing::new)
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
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
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

    #[test]
    fn an_oaep_encoding_that_does_not_begin_with_zero_is_refused_by_us_and_not_by_the_crate() {
        use rsa::Oaep;
        use rsa::hazmat::rsa_encrypt;
        use rsa::sha2::Sha256;
        // The head of this file says why OAEP is ours. When the crate refuses as well, use its own.
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = aws_lc_rs::encoding::AsDer::as_der(&pair).unwrap();
        let key = RawPrivateKey::from_pkcs8(der.as_ref()).unwrap();
        let public = key.0.to_public_key();
        let wrapped = public.encrypt(&mut Random, Oaep::<Sha256>::new(), b"session key").unwrap();
        let ours = |wrapped: &[u8]| key.decrypt_oaep(wrapped, &digest::SHA256, &digest::SHA256, b"");
        assert_eq!(ours(&wrapped).unwrap().as_slice(), b"session key");
        let mut encoded = key.operate(&wrapped).unwrap();
        assert_eq!(encoded[0], 0);
        encoded[0] = 1;
        let number = BoxedUint::from_be_slice(&encoded, public.n_bits_precision()).unwrap();
        let odd = rsa_encrypt(&public, &number).unwrap().to_be_bytes();
        assert!(ours(&odd).is_none());
        assert!(key.0.decrypt(Oaep::<Sha256>::new(), &odd).is_ok());
    }
}
