//! Private keys: for decrypting what identity providers send us, and for signing.
//!
//! They have no `Debug` and no `Display`, and what we hold of their bytes is wiped. The work is done by
//! aws-lc-rs, which takes constant time, wherever it can; `raw_rsa` says where not and what that means.
//! Enter at [`DecryptionKey::from_pem`] and [`SigningKey::from_pem`].

use super::algorithms::{DigestAlgorithm, Scheme, SignatureAlgorithm};
use super::certificate::pem_or_base64;
use super::key_reject::KeyReject;
use super::raw_rsa::RawPrivateKey;
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    RsaKeyPair,
};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// How a session key is wrapped for the holder of an RSA key (XML Encryption 1.1 §5.5).
#[derive(Clone)]
pub(super) enum KeyTransport {
    /// RSA-OAEP with the digests of label and mask, and the label.
    Oaep { hash: &'static digest::Algorithm, mask: &'static digest::Algorithm, label: Vec<u8> },
    /// PKCS#1 v1.5: only where the policy allows it (Bleichenbacher 1998; Jager, Schinzel, Somorovsky 2012).
    Pkcs1,
}

/// An RSA private key that unwraps session keys.
pub struct DecryptionKey {
    /// Length of the modulus, which is that of each wrapped key.
    bytes: usize,
    pkcs8: Zeroizing<Vec<u8>>,
    /// For keys of 2,048 bits and more.
    constant_time: Option<(OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey)>,
    /// For shorter keys and unequal digests; made when first needed.
    raw: OnceLock<Option<RawPrivateKey>>,
}

impl DecryptionKey {
    /// Reads an RSA key, given as PEM: `PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    /// [`KeyReject`] when the text is no such key. Keys below 1,024 bits are refused.
    pub fn from_pem(text: &str) -> Result<DecryptionKey, KeyReject> {
        DecryptionKey::from_pkcs8_der(&rsa_pkcs8_from_pem(text)?)
    }

    /// Reads an RSA key, given as DER (`PrivateKeyInfo`, PKCS#8).
    ///
    /// # Errors
    /// [`KeyReject`] when the bytes are no such key.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<DecryptionKey, KeyReject> {
        let load = || PrivateDecryptingKey::from_pkcs8(der).ok();
        let constant_time = load()
            .and_then(|key| OaepPrivateDecryptingKey::new(key).ok())
            .zip(load().and_then(|key| Pkcs1PrivateDecryptingKey::new(key).ok()));
        let raw = OnceLock::new();
        let bytes = match &constant_time {
            Some((key, _)) => key.key_size_bytes(),
            None => {
                let key = RawPrivateKey::from_pkcs8(der).ok_or(KeyReject::Malformed)?;
                let bytes = key.bytes();
                raw.get_or_init(|| Some(key));
                bytes
            }
        };
        Ok(DecryptionKey { bytes, pkcs8: Zeroizing::new(der.to_vec()), constant_time, raw })
    }

    /// Gives the length that a key wrapped for this one has.
    pub(super) fn wrapped_bytes(&self) -> usize {
        self.bytes
    }

    /// Tells how long unwrapping takes, in tenths of a millisecond of a processor's time, as measured
    /// (docs/performance.md). The arithmetic of the `rsa` crate takes eight times as long as that of aws-lc-rs.
    pub(super) fn work(&self, transport: &KeyTransport) -> usize {
        let slow = self.constant_time.is_none()
            || matches!(transport, KeyTransport::Oaep { hash, mask, .. } if oaep_algorithm(hash, mask).is_none());
        let (fast, slow_times) = match self.bytes {
            0..=128 => (1, 5),
            129..=256 => (4, 8),
            257..=384 => (9, 8),
            385..=512 => (17, 8),
            _ => (120, 8),
        };
        if slow { fast * slow_times } else { fast }
    }

    /// Unwraps a session key of `length` bytes; nothing where the padding, or the length, is wrong.
    pub(super) fn unwrap(
        &self,
        transport: &KeyTransport,
        wrapped: &[u8],
        length: usize,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut output = Zeroizing::new(vec![0; self.bytes]);
        let session_key = match (transport, &self.constant_time) {
            (KeyTransport::Oaep { hash, mask, label }, constant_time) => {
                match oaep_algorithm(hash, mask).zip(constant_time.as_ref()) {
                    Some((algorithm, (key, _))) => {
                        let message = key.decrypt(algorithm, wrapped, &mut output, Some(label)).ok()?;
                        Zeroizing::new(message.to_vec())
                    }
                    None => self.raw()?.decrypt_oaep(wrapped, hash, mask, label)?,
                }
            }
            (KeyTransport::Pkcs1, Some((_, key))) => {
                Zeroizing::new(key.decrypt(wrapped, &mut output).ok()?.to_vec())
            }
            (KeyTransport::Pkcs1, None) => self.raw()?.decrypt_pkcs1(wrapped)?,
        };
        (session_key.len() == length).then_some(session_key)
    }

    /// The same key as if it were too short for aws-lc-rs.
    #[cfg(test)]
    pub(super) fn without_constant_time(&self) -> DecryptionKey {
        let raw = OnceLock::new();
        DecryptionKey { bytes: self.bytes, pkcs8: self.pkcs8.clone(), constant_time: None, raw }
    }

    fn raw(&self) -> Option<&RawPrivateKey> {
        self.raw.get_or_init(|| RawPrivateKey::from_pkcs8(&self.pkcs8)).as_ref()
    }
}

/// The combinations of digests that aws-lc-rs has.
fn oaep_algorithm(
    hash: &'static digest::Algorithm,
    mask: &'static digest::Algorithm,
) -> Option<&'static OaepAlgorithm> {
    if hash != mask {
        return None;
    }
    [
        (&digest::SHA1_FOR_LEGACY_USE_ONLY, &OAEP_SHA1_MGF1SHA1),
        (&digest::SHA256, &OAEP_SHA256_MGF1SHA256),
        (&digest::SHA384, &OAEP_SHA384_MGF1SHA384),
        (&digest::SHA512, &OAEP_SHA512_MGF1SHA512),
    ]
    .into_iter()
    .find(|(known, _)| *known == hash)
    .map(|(_, algorithm)| algorithm)
}

/// A private key that signs.
pub struct SigningKey(SigningMaterial);

enum SigningMaterial {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl SigningKey {
    /// Reads a key, given as PEM: RSA of 2,048 bits or more (PKCS#8 or PKCS#1), or ECDSA over P-256 or P-384
    /// (PKCS#8).
    ///
    /// # Errors
    /// [`KeyReject`] when the text is no such key.
    pub fn from_pem(text: &str) -> Result<SigningKey, KeyReject> {
        SigningKey::from_pkcs8_der(&rsa_pkcs8_from_pem(text)?)
    }

    /// Reads a key, given as DER (`PrivateKeyInfo`, PKCS#8).
    ///
    /// # Errors
    /// [`KeyReject`] when the bytes are no key that we sign with.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<SigningKey, KeyReject> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            return Ok(SigningKey(SigningMaterial::Rsa(pair)));
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Ok(SigningKey(SigningMaterial::P256(pair)));
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der);
        pair.map(|pair| SigningKey(SigningMaterial::P384(pair))).map_err(|_| KeyReject::UnsupportedKind)
    }

    /// Gives the algorithm that suits the key, with the digest that identity providers use by default.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self.0 {
            SigningMaterial::Rsa(_) => SignatureAlgorithm::RSA_SHA256,
            SigningMaterial::P256(_) => SignatureAlgorithm::ECDSA_SHA256,
            SigningMaterial::P384(_) => SignatureAlgorithm::ECDSA_SHA384,
        }
    }

    /// Signs `bytes`, as the redirect binding does (SAML bindings §3.4.4.1).
    ///
    /// Gives nothing where the algorithm does not suit the key, and never signs with SHA-1.
    pub fn sign_detached(&self, algorithm: SignatureAlgorithm, bytes: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.0 {
            SigningMaterial::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm)?, &random, bytes, &mut signature).ok()?;
                Some(signature)
            }
            SigningMaterial::P256(pair) | SigningMaterial::P384(pair) => {
                let suits = algorithm == self.algorithm();
                suits.then(|| pair.sign(&random, bytes).ok().map(|value| value.as_ref().to_vec()))?
            }
        }
    }
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match (algorithm.scheme, algorithm.digest) {
        (Scheme::RsaPkcs1, DigestAlgorithm::Sha256) => &RSA_PKCS1_SHA256,
        (Scheme::RsaPkcs1, DigestAlgorithm::Sha384) => &RSA_PKCS1_SHA384,
        (Scheme::RsaPkcs1, DigestAlgorithm::Sha512) => &RSA_PKCS1_SHA512,
        (Scheme::RsaPss, DigestAlgorithm::Sha256) => &RSA_PSS_SHA256,
        (Scheme::RsaPss, DigestAlgorithm::Sha384) => &RSA_PSS_SHA384,
        (Scheme::RsaPss, DigestAlgorithm::Sha512) => &RSA_PSS_SHA512,
        _ => return None,
    })
}

/// Decodes a private key in PEM; one in PKCS#1 is put into PKCS#8.
fn rsa_pkcs8_from_pem(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyReject> {
    const PKCS1: &str = "RSA PRIVATE KEY";
    if !text.contains(PKCS1) {
        return pem_or_base64(text, "PRIVATE KEY").map(Zeroizing::new);
    }
    let der = Zeroizing::new(pem_or_base64(text, PKCS1)?);
    let key = rsa::PrivateKey::from_pkcs1_der(&der).map_err(|_| KeyReject::Malformed)?;
    let der = key.to_pkcs8_der().map_err(|_| KeyReject::Malformed)?;
    Ok(Zeroizing::new(der.as_bytes().to_vec()))
}
