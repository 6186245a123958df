//! Encryption is no signature: ciphertexts that anybody can make, and damaged ones.

use super::parts::Parts;
use super::signer::{Forge, ForgeFail, INCLUSIVE, SIGNER, Signer, cut, first_signature, swap};
use super::{Make, Needs, Recipe, recipe};
use crate::protocol::xml::make::{self, MakeFail};
use crate::protocol::xml::{decode_base64, encode_base64};

const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const VALUE: &str = "<xenc:CipherValue>";

/// A recipe that needs the service provider's key.
const fn encrypting(
    name: &'static str,
    reject: &'static str,
    sentence: &'static str,
    source: &'static str,
    make: Make,
) -> Recipe {
    recipe(name, reject, sentence, source, make).needing(Needs::EncryptionKey)
}

/// Encrypts this to the service provider, in a SAML element of this name. `cipher` is a URI.
///
/// # Errors
/// [`ForgeFail::Recipient`] when there is no key to encrypt to.
pub fn encrypted(f: &Forge, name: &str, plaintext: &str, cipher: &str) -> Result<String, ForgeFail> {
    let certificate = f.keys.recipient.as_ref().ok_or(ForgeFail::Recipient)?;
    let data =
        make::encrypt_octets(plaintext.as_bytes(), certificate, cipher).map_err(|fail| match fail {
            MakeFail::Recipient => ForgeFail::Recipient,
            _ => ForgeFail::Key,
        })?;
    Ok(format!("<saml:{name}>{data}</saml:{name}>"))
}

/// A signed assertion by itself.
fn signed_assertion(f: &Forge) -> Result<String, ForgeFail> {
    let parts = f.genuine();
    f.sign(&parts.assertion(), &parts.assertion_id)
}

/// One that was signed in inclusive canonical form.
fn signed_inclusively(f: &Forge) -> Result<String, ForgeFail> {
    let parts = f.genuine();
    let inclusive = Signer { canonicalization: INCLUSIVE, ..SIGNER };
    f.sign_as(&parts.assertion(), &parts.assertion_id, &inclusive)
}

fn around(f: &Forge, inside: &str) -> String {
    f.genuine().unsigned_response(inside)
}

/// A response with this, encrypted in place of an assertion.
fn assertion(f: &Forge, plaintext: &str) -> Result<String, ForgeFail> {
    Ok(around(f, &encrypted(f, "EncryptedAssertion", plaintext, GCM)?))
}

/// A genuine encrypted assertion whose ciphertext was changed.
fn damaged(f: &Forge, cipher: &str, damage: fn(&mut Vec<u8>)) -> Result<String, ForgeFail> {
    let document = around(f, &encrypted(f, "EncryptedAssertion", &signed_assertion(f)?, cipher)?);
    let value = ciphertext(&document)?;
    let octets = decode_base64(&value).ok_or_else(|| ForgeFail::Missing(VALUE.to_owned()));
    let mut octets = octets?;
    damage(&mut octets);
    Ok(document.replace(&value, &encode_base64(&octets)))
}

/// The last cipher value: that of the data, not of the key.
fn ciphertext(document: &str) -> Result<String, ForgeFail> {
    let behind = document.rsplit_once(VALUE).map(|(_, rest)| rest);
    let value = behind.and_then(|rest| rest.split_once('<')).map(|(value, _)| value.to_owned());
    value.ok_or_else(|| ForgeFail::Missing(VALUE.to_owned()))
}

fn flip_last(octets: &mut [u8]) {
    if let Some(last) = octets.last_mut() {
        *last ^= 1;
    }
}

/// The genuine parts with an encrypted name, which is this.
fn encrypted_name(f: &Forge, plaintext: &str) -> Result<String, ForgeFail> {
    Parts { name_id: encrypted(f, "EncryptedID", plaintext, GCM)?, ..f.genuine() }.assertion_signed(f)
}

pub const RECIPES: &[Recipe] = &[
    encrypting(
        "encrypted_unsigned",
        "unsigned",
        "A forged assertion without a signature is encrypted to the service provider's public key.",
        "CVE-2024-9487, CVE-2026-2092",
        |f| assertion(f, &f.forged().assertion_with("", "")),
    ),
    encrypting(
        "encrypted_with_an_object",
        "decryption_failed",
        "A forged assertion is encrypted, with the genuine one in an object of the signature.",
        "Somorovsky et al. 2012, with encryption",
        |f| {
            let signed = signed_assertion(f)?;
            let signature = first_signature(&signed)?.to_owned();
            let bare = signed.replace(&signature, "");
            let object = format!("<ds:Object>{bare}</ds:Object></ds:Signature>");
            assertion(f, &f.forged().assertion_with(&swap(&signature, "</ds:Signature>", &object)?, ""))
        },
    ),
    encrypting(
        "encrypted_wrapping",
        "signature_reference_uri",
        "A forged assertion is encrypted with the signature of the genuine one.",
        "SAML core 5.4.2",
        |f| {
            let signed = signed_assertion(f)?;
            assertion(f, &f.forged().assertion_with(first_signature(&signed)?, ""))
        },
    ),
    encrypting(
        "encrypted_tampered",
        "signature_digest",
        "A signed assertion is changed, and encrypted afterwards.",
        "SAML core 6",
        |f| assertion(f, &swap(&signed_assertion(f)?, &f.name(), &f.marker())?),
    ),
    encrypting(
        "encrypted_tampered_inclusive",
        "signature_mismatch",
        "An assertion that was signed in inclusive form is changed, and encrypted afterwards.",
        "Canonical XML 1.0; SAML core 5.4.3",
        |f| assertion(f, &swap(&signed_inclusively(f)?, &f.name(), &f.marker())?),
    ),
    encrypting(
        "encrypted_and_plain",
        "several_assertions",
        "A genuine encrypted assertion comes with a forged one in the clear.",
        "SAML profiles 4.1.4.3",
        |f| {
            let nested = encrypted(f, "EncryptedAssertion", &signed_assertion(f)?, GCM)?;
            Ok(around(f, &[nested, f.forged().assertion_with("", "")].concat()))
        },
    ),
    encrypting(
        "encrypted_doctype",
        "decryption_failed",
        "The plaintext begins with a document type.",
        "XML Encryption 1.1 §4.5",
        |f| assertion(f, &format!("<!DOCTYPE x>{}", signed_assertion(f)?)),
    ),
    encrypting(
        "encrypted_two_elements",
        "decryption_failed",
        "The plaintext is two assertions, of which the second is forged.",
        "XML Encryption 1.1 §4.5",
        |f| assertion(f, &[signed_assertion(f)?, f.forged().assertion_with("", "")].concat()),
    ),
    encrypting(
        "encrypted_response",
        "decryption_failed",
        "The plaintext is a response in place of an assertion.",
        "SAML core 2.3.4",
        |f| assertion(f, &f.genuine().assertion_signed(f)?),
    ),
    encrypting(
        "encrypted_twice",
        "decryption_failed",
        "The plaintext is an encrypted assertion.",
        "SAML core 2.3.4",
        |f| {
            let nested = encrypted(f, "EncryptedAssertion", &signed_assertion(f)?, GCM)?;
            let declared = "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">";
            assertion(f, &swap(&nested, "<saml:EncryptedAssertion>", declared)?)
        },
    ),
    encrypting("encrypted_text", "decryption_failed", "The plaintext is a word.", "SAML core 2.3.4", |f| {
        assertion(f, "alice")
    }),
    encrypting("encrypted_nothing", "decryption_failed", "The plaintext is empty.", "SAML core 2.3.4", |f| {
        assertion(f, "")
    }),
    encrypting(
        "gcm_tag",
        "decryption_failed",
        "One bit of the tag of an AES-GCM ciphertext is changed.",
        "NIST SP 800-38D 7.2",
        |f| damaged(f, GCM, |octets| flip_last(octets)),
    ),
    encrypting(
        "gcm_short_tag",
        "decryption_failed",
        "The tag of an AES-GCM ciphertext is cut by four bytes.",
        "XML Encryption 1.1 §5.2.4",
        |f| damaged(f, GCM, |octets| octets.truncate(octets.len().saturating_sub(4))),
    ),
    encrypting(
        "gcm_nothing",
        "decryption_failed",
        "An AES-GCM ciphertext is nothing but its vector.",
        "XML Encryption 1.1 §5.2.4",
        |f| damaged(f, GCM, |octets| octets.truncate(12)),
    ),
    encrypting(
        "cbc_padding",
        "decryption_failed",
        "The last bit of an AES-CBC ciphertext is changed, which spoils the padding.",
        "Jager and Somorovsky, How to Break XML Encryption, 2011",
        |f| damaged(f, CBC, |octets| flip_last(octets)),
    ),
    encrypting(
        "cbc_cut",
        "decryption_failed",
        "An AES-CBC ciphertext ends in the middle of a block.",
        "XML Encryption 1.1 §5.2.2",
        |f| damaged(f, CBC, |octets| octets.truncate(octets.len().saturating_sub(7))),
    ),
    encrypting(
        "cbc_nothing",
        "decryption_failed",
        "An AES-CBC ciphertext is nothing but its vector.",
        "XML Encryption 1.1 §5.2.2",
        |f| damaged(f, CBC, |octets| octets.truncate(16)),
    ),
    encrypting(
        "wrong_encryption_key",
        "decryption_failed",
        "The session key is wrapped for somebody else.",
        "XML Encryption 1.1 §5.5",
        |f| {
            let document = assertion(f, &signed_assertion(f)?)?;
            let key = cut(&document, VALUE, "</xenc:CipherValue>")?.to_owned();
            let other = format!("{VALUE}{}</xenc:CipherValue>", encode_base64(&[7; 256]));
            Ok(document.replacen(&key, &other, 1))
        },
    ),
    encrypting(
        "rsa15_key_transport",
        "decryption_rsa15",
        "The session key is said to be wrapped by RSA 1.5.",
        "Bleichenbacher 1998; Jager, Schinzel, Somorovsky 2012",
        |f| {
            let document = assertion(f, &signed_assertion(f)?)?;
            swap(&document, OAEP, "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
        },
    ),
    encrypting(
        "cipher_reference",
        "decryption_structure",
        "The ciphertext is to be fetched from a URL.",
        "XML Encryption 1.1 §3.3.1",
        |f| {
            let document = assertion(f, &signed_assertion(f)?)?;
            let value = format!("{VALUE}{}</xenc:CipherValue>", ciphertext(&document)?);
            swap(&document, &value, "<xenc:CipherReference URI=\"http://idp.example.org/assertion\"/>")
        },
    ),
    encrypting(
        "no_issuer_around_an_encrypted_assertion",
        "response_issuer_missing",
        "A response with an encrypted assertion does not say who issued it.",
        "SAML profiles 4.1.4.2",
        |f| {
            let nested = encrypted(f, "EncryptedAssertion", &signed_assertion(f)?, GCM)?;
            Ok(Parts { response_issuer: String::new(), ..f.genuine() }.unsigned_response(&nested))
        },
    ),
    encrypting(
        "encrypted_name_that_is_an_attribute",
        "decryption_failed",
        "The encrypted name is an attribute.",
        "SAML core 2.2.4",
        |f| encrypted_name(f, "<saml:Attribute Name=\"x\"/>"),
    ),
    encrypting(
        "encrypted_name_with_a_comment",
        "comment_in_nameid",
        "The encrypted name has a comment inside.",
        "CVE-2017-11427",
        |f| {
            let name = f.name();
            encrypted_name(f, &swap(&f.genuine().name_id, &name, &format!("{name}<!-- -->.evil"))?)
        },
    ),
];
