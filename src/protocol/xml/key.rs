//! Keys that verify signatures, and the certificates that they come in.
//!
//! A key is trusted because the caller hands it over, and for no other reason: not for a chain, a date or a
//! name (pinned keys decide; most genuine certificates in the field have expired), and never because a
//! document carries it. Certificates are read for the key and for what people want to see. Keys stay parsed,
//! which is most of what makes a verification fast. Enter at [`VerificationKey`].

use super::algorithms::{DigestAlgorithm, Scheme, SignatureAlgorithm};
use super::certificate::{Certificate, pem_or_base64, public_key_of};
use super::key_reject::{KeyReject, LARGEST_RSA_BITS, SMALLEST_READABLE_RSA_BITS, SMALLEST_RSA_BITS};
use super::raw_rsa::RawPublicKey;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use std::fmt;
use std::sync::OnceLock;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// The size below which a key is called weak.
const RECOMMENDED_RSA_BITS: u32 = 2048;

/// A public key that verifies signatures.
pub struct VerificationKey {
    material: Material,
    certificate: Option<Certificate>,
}

// A key is made once and lives as long as the connection; its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Material {
    Rsa {
        bits: u32,
        spki: Vec<u8>,
        /// The parsed key, once for each algorithm of [`RSA_ALGORITHMS`], made when first needed.
        parsed: [OnceLock<Option<ParsedPublicKey>>; RSA_ALGORITHMS.len()],
        /// For sizes that aws-lc-rs does not take.
        raw: RawPublicKey,
    },
    Ecdsa {
        curve: Curve,
        spki: Vec<u8>,
        parsed: [OnceLock<Option<ParsedPublicKey>>; DIGESTS.len()],
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Curve {
    P256,
    P384,
    P521,
}

/// Why a key did not verify a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// The algorithm is for keys of another kind.
    Kind,
    /// The key is too short for anybody to trust.
    Weak,
    /// The signature is not one of this key over these octets.
    Signature,
}

impl VerificationKey {
    /// Reads the key of a certificate, given as DER (RFC 5280).
    ///
    /// # Errors
    /// [`KeyReject`] when the bytes are no certificate, or its key is none that we use.
    pub fn from_certificate_der(der: &[u8]) -> Result<VerificationKey, KeyReject> {
        let spki = public_key_of(der).ok_or(KeyReject::Malformed)?;
        let certificate = Certificate::read(der);
        Ok(VerificationKey { material: Material::new(spki.to_vec())?, certificate: Some(certificate) })
    }

    /// Reads the key of a certificate, given as PEM (RFC 7468) or as bare Base64, as metadata has it.
    ///
    /// # Errors
    /// [`KeyReject`] when the text is none of both, or as [`VerificationKey::from_certificate_der`].
    pub fn from_certificate_pem(text: &str) -> Result<VerificationKey, KeyReject> {
        VerificationKey::from_certificate_der(&pem_or_base64(text, "CERTIFICATE")?)
    }

    /// Reads a bare public key, given as DER (`SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// [`KeyReject`] when the bytes are no key that we use.
    pub fn from_public_key_der(der: &[u8]) -> Result<VerificationKey, KeyReject> {
        Ok(VerificationKey { material: Material::new(der.to_vec())?, certificate: None })
    }

    /// Reads a bare public key, given as PEM (`PUBLIC KEY`).
    ///
    /// # Errors
    /// [`KeyReject`] when the text is no key that we use.
    pub fn from_public_key_pem(text: &str) -> Result<VerificationKey, KeyReject> {
        VerificationKey::from_public_key_der(&pem_or_base64(text, "PUBLIC KEY")?)
    }

    /// Gives the certificate that the key came in, if it came in one.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Says what kind of key it is, for people: `RSA 2048`, `ECDSA P-256`.
    pub fn description(&self) -> String {
        match &self.material {
            Material::Rsa { bits, .. } => format!("RSA {bits}"),
            Material::Ecdsa { curve: Curve::P256, .. } => "ECDSA P-256".to_owned(),
            Material::Ecdsa { curve: Curve::P384, .. } => "ECDSA P-384".to_owned(),
            Material::Ecdsa { curve: Curve::P521, .. } => "ECDSA P-521".to_owned(),
        }
    }

    /// Tells whether the key is shorter than what is recommended today (RSA of 2,048 bits).
    pub fn is_weak(&self) -> bool {
        matches!(self.material, Material::Rsa { bits, .. } if bits < RECOMMENDED_RSA_BITS)
    }

    /// Tells whether the key is so short that it signs nobody in (RSA below [`SMALLEST_RSA_BITS`]).
    pub fn is_too_short(&self) -> bool {
        matches!(self.material, Material::Rsa { bits, .. } if bits < SMALLEST_RSA_BITS)
    }

    /// Verifies `signature` over `octets`.
    pub(super) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        octets: &[u8],
        signature: &[u8],
        short_keys: bool,
    ) -> Result<(), Mismatch> {
        let verified = match (&self.material, algorithm.scheme) {
            (Material::Rsa { bits, .. }, Scheme::RsaPkcs1 | Scheme::RsaPss)
                if *bits < SMALLEST_RSA_BITS && !short_keys =>
            {
                return Err(Mismatch::Weak);
            }
            (Material::Rsa { bits, raw, .. }, Scheme::RsaPkcs1) if *bits < RECOMMENDED_RSA_BITS => {
                raw.verify_pkcs1(algorithm.digest, octets, signature)
            }
            (Material::Rsa { spki, parsed, .. }, Scheme::RsaPkcs1 | Scheme::RsaPss) => {
                let place = RSA_ALGORITHMS.iter().position(|(known, _)| *known == algorithm);
                let place = place.ok_or(Mismatch::Kind)?;
                let key = parsed.get(place).zip(RSA_ALGORITHMS.get(place)).and_then(
                    |(cell, (_, implementation))| {
                        cell.get_or_init(|| ParsedPublicKey::new(*implementation, spki).ok()).as_ref()
                    },
                );
                key.is_some_and(|key| key.verify_sig(octets, signature).is_ok())
            }
            (Material::Ecdsa { curve, spki, parsed }, Scheme::Ecdsa) => {
                let place = DIGESTS.iter().position(|digest| *digest == algorithm.digest);
                let implementation = curve.implementation(algorithm.digest).ok_or(Mismatch::Kind)?;
                let key = place.and_then(|place| parsed.get(place)).and_then(|cell| {
                    cell.get_or_init(|| ParsedPublicKey::new(implementation, spki).ok()).as_ref()
                });
                let der = curve.signature_der(signature).ok_or(Mismatch::Signature)?;
                key.is_some_and(|key| key.verify_sig(octets, &der).is_ok())
            }
            _ => return Err(Mismatch::Kind),
        };
        if verified { Ok(()) } else { Err(Mismatch::Signature) }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({})", self.description())
    }
}

impl Material {
    fn new(spki: Vec<u8>) -> Result<Material, KeyReject> {
        const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
        let parsed = SubjectPublicKeyInfoOwned::from_der(&spki).map_err(|_| KeyReject::Malformed)?;
        let bytes = parsed.subject_public_key.as_bytes().ok_or(KeyReject::Malformed)?;
        if parsed.algorithm.oid == RSA {
            let raw = RawPublicKey::from_der(bytes).ok_or(KeyReject::Malformed)?;
            let bits = raw.bits();
            if !(SMALLEST_READABLE_RSA_BITS..=LARGEST_RSA_BITS).contains(&bits) {
                return Err(KeyReject::UnsupportedSize);
            }
            return Ok(Material::Rsa { bits, spki, parsed: Default::default(), raw });
        }
        if parsed.algorithm.oid != EC {
            return Err(KeyReject::UnsupportedKind);
        }
        let parameters = parsed.algorithm.parameters.ok_or(KeyReject::Malformed)?;
        let named = parameters.decode_as::<ObjectIdentifier>().map_err(|_| KeyReject::UnsupportedKind)?;
        let curve = match named.to_string().as_str() {
            "1.2.840.10045.3.1.7" => Curve::P256,
            "1.3.132.0.34" => Curve::P384,
            "1.3.132.0.35" => Curve::P521,
            _ => return Err(KeyReject::UnsupportedKind),
        };
        let implementation = curve.implementation(DigestAlgorithm::Sha256);
        let implementation = implementation.ok_or(KeyReject::UnsupportedKind)?;
        ParsedPublicKey::new(implementation, &spki).map_err(|_| KeyReject::Malformed)?;
        Ok(Material::Ecdsa { curve, spki, parsed: Default::default() })
    }
}

const DIGESTS: [DigestAlgorithm; 4] =
    [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512];

/// What verifies RSA signatures with keys of 2,048 bits and more.
static RSA_ALGORITHMS: [(SignatureAlgorithm, &dyn VerificationAlgorithm); 7] = [
    (SignatureAlgorithm::RSA_SHA1, &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
    (SignatureAlgorithm::RSA_SHA256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (SignatureAlgorithm::RSA_SHA384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (SignatureAlgorithm::RSA_SHA512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (SignatureAlgorithm::RSA_PSS_SHA256, &signature::RSA_PSS_2048_8192_SHA256),
    (SignatureAlgorithm::RSA_PSS_SHA384, &signature::RSA_PSS_2048_8192_SHA384),
    (SignatureAlgorithm::RSA_PSS_SHA512, &signature::RSA_PSS_2048_8192_SHA512),
];

impl Curve {
    /// What verifies DER-encoded signatures over this curve; there is none for P-384 with SHA-1.
    fn implementation(self, digest: DigestAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        Some(match (self, digest) {
            (Curve::P256, Sha1) => &signature::ECDSA_P256_SHA1_ASN1,
            (Curve::P256, Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
            (Curve::P256, Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
            (Curve::P256, Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
            (Curve::P384, Sha1) => return None,
            (Curve::P384, Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
            (Curve::P384, Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
            (Curve::P384, Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
            (Curve::P521, Sha1) => &signature::ECDSA_P521_SHA1_ASN1,
            (Curve::P521, Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
            (Curve::P521, Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
            (Curve::P521, Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
        })
    }

    /// Turns r and s, one behind the other, into the DER that the library wants.
    ///
    /// Some signers write one zero byte too many before each half, or leave out leading zeros of both; the
    /// numbers are what counts. DER itself is not taken: it has no halves of this size.
    fn signature_der(self, value: &[u8]) -> Option<Vec<u8>> {
        let field_bytes = match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        };
        let half = value.len() / 2;
        if !value.len().is_multiple_of(2) || half > field_bytes + 1 {
            return None;
        }
        let (r, s) = value.split_at_checked(half)?;
        let mut body = Vec::with_capacity(value.len() + 6);
        for number in [r, s] {
            let zeros = number.iter().take_while(|&&b| b == 0).count();
            let number = number.get(zeros..).filter(|number| !number.is_empty())?;
            if number.len() > field_bytes {
                return None;
            }
            let sign = number.first().is_some_and(|&b| b >= 0x80);
            body.push(0x02);
            body.push(u8::try_from(number.len() + usize::from(sign)).ok()?);
            body.extend(sign.then_some(0));
            body.extend_from_slice(number);
        }
        let length = u8::try_from(body.len()).ok()?;
        let mut der = vec![0x30];
        der.extend((length >= 0x80).then_some(0x81));
        der.push(length);
        der.extend(body);
        Some(der)
    }
}
