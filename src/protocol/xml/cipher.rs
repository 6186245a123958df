//! The ciphers that encrypt data under a session key: XML Encryption 1.1 §5.2.
//!
//! Octets in, octets out; how they stand in a document is the business of `encryption`.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    UnboundCipherKey,
};
use des::cipher::{BlockCipherDecrypt, KeyInit};

/// A block cipher in its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataCipher {
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    /// Triple DES: only where the policy allows it.
    TripleDesCbc,
}

impl DataCipher {
    pub const NAMES: [(DataCipher, &'static str); 7] = [
        (DataCipher::Aes128Gcm, "http://www.w3.org/2009/xmlenc11#aes128-gcm"),
        (DataCipher::Aes192Gcm, "http://www.w3.org/2009/xmlenc11#aes192-gcm"),
        (DataCipher::Aes256Gcm, "http://www.w3.org/2009/xmlenc11#aes256-gcm"),
        (DataCipher::Aes128Cbc, "http://www.w3.org/2001/04/xmlenc#aes128-cbc"),
        (DataCipher::Aes192Cbc, "http://www.w3.org/2001/04/xmlenc#aes192-cbc"),
        (DataCipher::Aes256Cbc, "http://www.w3.org/2001/04/xmlenc#aes256-cbc"),
        (DataCipher::TripleDesCbc, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"),
    ];

    /// Gives the cipher that an `Algorithm` attribute names.
    pub fn from_uri(uri: &str) -> Option<DataCipher> {
        Self::NAMES.iter().find(|(_, name)| *name == uri).map(|(cipher, _)| *cipher)
    }

    /// Gives the name for an `Algorithm` attribute.
    pub fn uri(self) -> &'static str {
        Self::NAMES.iter().find(|(cipher, _)| *cipher == self).map_or("", |(_, name)| name)
    }

    /// Gives the length of the session key in bytes.
    pub fn key_bytes(self) -> usize {
        match self {
            DataCipher::Aes128Gcm | DataCipher::Aes128Cbc => 16,
            DataCipher::Aes192Gcm | DataCipher::Aes192Cbc | DataCipher::TripleDesCbc => 24,
            DataCipher::Aes256Gcm | DataCipher::Aes256Cbc => 32,
        }
    }

    /// Tells how long decrypting this many octets takes at least, in tenths of a millisecond of a processor's time.
    pub fn work(self, octets: usize) -> usize {
        let octets_a_tenth = match self {
            DataCipher::TripleDesCbc => 2_000,
            _ => 50_000,
        };
        octets / octets_a_tenth
    }

    /// Decrypts `data`: initialization vector, ciphertext and, for GCM, a tag of 16 bytes.
    ///
    /// Gives nothing where the tag, or the padding, is wrong. The work is the same then.
    pub fn decrypt(self, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        match self {
            DataCipher::Aes128Gcm => gcm(&aead::AES_128_GCM, key, data),
            DataCipher::Aes192Gcm => gcm(&aead::AES_192_GCM, key, data),
            DataCipher::Aes256Gcm => gcm(&aead::AES_256_GCM, key, data),
            DataCipher::Aes128Cbc | DataCipher::Aes192Cbc | DataCipher::Aes256Cbc => {
                let algorithm = match self.key_bytes() {
                    16 => &AES_128,
                    24 => &AES_192,
                    _ => &AES_256,
                };
                let (vector, blocks) = data.split_first_chunk::<16>()?;
                let mut blocks = blocks.to_vec();
                let key = DecryptingKey::cbc(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
                key.decrypt(&mut blocks, DecryptionContext::Iv128(vector.into())).ok()?;
                without_padding(blocks, 16)
            }
            DataCipher::TripleDesCbc => without_padding(triple_des(key, data)?, 8),
        }
    }
}

impl DataCipher {
    /// Encrypts `octets` with a random initialization vector, as [`DataCipher::decrypt`] wants it.
    ///
    /// Gives nothing where the key has the wrong length, and for Triple DES, which we only ever read.
    pub fn encrypt(self, key: &[u8], octets: &[u8]) -> Option<Vec<u8>> {
        let (gcm, cbc) = match self {
            DataCipher::Aes128Gcm => (Some(&aead::AES_128_GCM), None),
            DataCipher::Aes192Gcm => (Some(&aead::AES_192_GCM), None),
            DataCipher::Aes256Gcm => (Some(&aead::AES_256_GCM), None),
            DataCipher::Aes128Cbc => (None, Some(&AES_128)),
            DataCipher::Aes192Cbc => (None, Some(&AES_192)),
            DataCipher::Aes256Cbc => (None, Some(&AES_256)),
            DataCipher::TripleDesCbc => return None,
        };
        let mut data = octets.to_vec();
        if let Some(algorithm) = gcm {
            let mut vector = [0; 12];
            aws_lc_rs::rand::fill(&mut vector).ok()?;
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
            let nonce = Nonce::assume_unique_for_key(vector);
            key.seal_in_place_append_tag(nonce, Aad::empty(), &mut data).ok()?;
            return Some([vector.as_slice(), &data].concat());
        }
        let count = 16 - data.len() % 16;
        data.resize(data.len() + count, u8::try_from(count).ok()?);
        let mut vector = [0; 16];
        aws_lc_rs::rand::fill(&mut vector).ok()?;
        let key = EncryptingKey::cbc(UnboundCipherKey::new(cbc?, key).ok()?).ok()?;
        key.less_safe_encrypt(&mut data, EncryptionContext::Iv128((&vector).into())).ok()?;
        Some([vector.as_slice(), &data].concat())
    }
}

/// Authenticated decryption (XML Encryption 1.1 §5.2.4): a vector of 12 bytes in front, a full tag behind.
fn gcm(algorithm: &'static aead::Algorithm, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let (vector, sealed) = data.split_first_chunk::<12>()?;
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let mut sealed = sealed.to_vec();
    // aws-lc-rs takes the last 16 bytes as the tag, and fails where there are fewer.
    let opened = key.open_in_place(Nonce::assume_unique_for_key(*vector), Aad::empty(), &mut sealed).ok()?;
    let length = opened.len();
    sealed.truncate(length);
    Some(sealed)
}

/// Takes the padding off (XML Encryption 1.1 §5.2): the last byte counts it, the others are arbitrary.
///
/// It is not that of PKCS#7, whose check would refuse what every conforming sender makes.
fn without_padding(mut octets: Vec<u8>, block: usize) -> Option<Vec<u8>> {
    let count = usize::from(*octets.last()?);
    let length = octets.len().checked_sub(count).filter(|_| (1..=block).contains(&count))?;
    octets.truncate(length);
    Some(octets)
}

fn triple_des(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let cipher = des::TdesEde3::new_from_slice(key).ok()?;
    let (vector, blocks) = data.split_first_chunk::<8>()?;
    let mut previous = *vector;
    let mut octets = Vec::with_capacity(blocks.len());
    let (blocks, rest) = blocks.as_chunks::<8>();
    for block in blocks {
        let mut output = (*block).into();
        cipher.decrypt_block(&mut output);
        octets.extend(output.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
        previous = *block;
    }
    rest.is_empty().then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_counted_and_not_compared() {
        for (octets, expected) in [
            (&[1, 2, 3, 4, 5, 6, 7, 1][..], Some(&[1, 2, 3, 4, 5, 6, 7][..])),
            (&[1, 2, 3, 4, 9, 9, 9, 4], Some(&[1, 2, 3, 4])),
            (&[9, 9, 9, 9, 9, 9, 9, 8], Some(&[])),
            (&[1, 2, 3, 4, 5, 6, 7, 0], None),
            (&[1, 2, 3, 4, 5, 6, 7, 9], None),
            (&[], None),
        ] {
            assert_eq!(without_padding(octets.to_vec(), 8).as_deref(), expected, "{octets:?}");
        }
    }

    #[test]
    fn data_of_the_wrong_length_is_refused() {
        for (cipher, _) in DataCipher::NAMES {
            let key = vec![7; cipher.key_bytes()];
            for length in [0, 1, 7, 8, 11, 12, 16, 17, 27, 31, 33] {
                assert_eq!(cipher.decrypt(&key, &vec![0; length]), None, "{cipher:?} {length}");
            }
            assert_eq!(cipher.decrypt(&vec![7; cipher.key_bytes() - 1], &[0; 32]), None, "{cipher:?}");
        }
    }
}
