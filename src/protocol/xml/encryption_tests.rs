//! Decryption: what is accepted, and that whatever fails behind the key looks alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::cipher::DataCipher;
use super::make::{encrypt_element, encrypted_data};
use super::private_key::KeyTransport;
use super::*;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use std::sync::LazyLock;

struct Recipient {
    public: PublicEncryptingKey,
    keys: [DecryptionKey; 1],
}

fn recipient() -> Recipient {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = private.as_der().unwrap();
    Recipient { public: private.public_key(), keys: [DecryptionKey::from_pkcs8_der(der.as_ref()).unwrap()] }
}

static OURS: LazyLock<Recipient> = LazyLock::new(recipient);
static THEIRS: LazyLock<Recipient> = LazyLock::new(recipient);

const PLAIN: &str = "<a:x ID=\"_1\">text</a:x>";
const OAEP_SHA1: &str =
    "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>";
const RSA15: &str = "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-1_5\"/>";
const OAEP_SHA256: &str = "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">\
    <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
    <xenc11:MGF xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\" \
    Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/></xenc:EncryptionMethod>";

fn wrap(recipient: &Recipient, algorithm: &'static OaepAlgorithm, session_key: &[u8]) -> Vec<u8> {
    let key = OaepPublicEncryptingKey::new(recipient.public.clone()).unwrap();
    let mut wrapped = vec![0; key.ciphertext_size()];
    key.encrypt(algorithm, session_key, &mut wrapped, None).unwrap().to_vec()
}

/// An `EncryptedData` to us, with this plaintext.
fn encrypted(cipher: DataCipher, plaintext: &[u8]) -> String {
    let session_key = vec![7; cipher.key_bytes()];
    let data = cipher.encrypt(&session_key, plaintext).unwrap();
    encrypted_data(cipher.uri(), OAEP_SHA1, &wrap(&OURS, &OAEP_SHA1_MGF1SHA1, &session_key), &data)
}

fn open_with(
    inside: &str,
    keys: &[DecryptionKey],
    policy: EncryptionPolicy,
) -> Result<String, DecryptReject> {
    let holder = format!("<e xmlns:a='u:a' xmlns='u:e'>{inside}</e>");
    let document = Document::parse(holder.as_bytes(), &Limits::ASSERTION).unwrap();
    decrypt_element(document.root(), keys, &policy).map(|decrypted| decrypted.document.root().to_xml())
}

fn open(inside: &str) -> Result<String, DecryptReject> {
    open_with(inside, &OURS.keys, EncryptionPolicy::default())
}

fn check(inside: &str, expected: DecryptReject) {
    assert_eq!(open(inside), Err(expected), "{inside}");
}

#[test]
fn every_cipher_decrypts_in_the_namespaces_around_it() {
    for (cipher, _) in DataCipher::NAMES.into_iter().filter(|(cipher, _)| *cipher != DataCipher::TripleDesCbc)
    {
        let opened = open(&encrypted(cipher, PLAIN.as_bytes()));
        assert_eq!(opened.as_deref(), Ok("<a:x xmlns:a=\"u:a\" ID=\"_1\">text</a:x>"), "{cipher:?}");
    }
    let inherited = open(&encrypted(DataCipher::Aes128Gcm, b"<x/>"));
    assert_eq!(inherited.as_deref(), Ok("<x xmlns=\"u:e\"></x>"));
}

#[test]
fn what_real_senders_put_around_the_element_is_taken() {
    for plaintext in [
        " \r\n<x/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><x/>",
        "<x/>\n",
        "\n<?xml version='1.0'?>\n<x/>",
    ] {
        assert!(open(&encrypted(DataCipher::Aes256Cbc, plaintext.as_bytes())).is_ok(), "{plaintext}");
    }
}

#[test]
fn what_is_not_one_element_looks_like_any_failure() {
    for plaintext in [
        "",
        "text",
        "<x/><y/>",
        "<x/>text",
        "<x>",
        "<!DOCTYPE x><x/>",
        "<!DOCTYPE x [<!ENTITY e 'y'>]><x>&e;</x>",
        "<?xml version='1.0' encoding='UTF-16'?><x/>",
        "<b:x/>",
        "\u{0}<x/>",
    ] {
        for cipher in [DataCipher::Aes128Gcm, DataCipher::Aes128Cbc] {
            check(&encrypted(cipher, plaintext.as_bytes()), DecryptReject::Failed);
        }
    }
}

#[test]
fn damage_anywhere_looks_like_any_failure() {
    for cipher in [DataCipher::Aes256Gcm, DataCipher::Aes256Cbc] {
        let session_key = vec![7; cipher.key_bytes()];
        let data = cipher.encrypt(&session_key, PLAIN.as_bytes()).unwrap();
        let wrapped = wrap(&OURS, &OAEP_SHA1_MGF1SHA1, &session_key);
        let mut damaged_key = wrapped.clone();
        damaged_key[100] ^= 1;
        let longer_key = wrap(&OURS, &OAEP_SHA1_MGF1SHA1, &[7; 33]);
        let foreign_key = wrap(&THEIRS, &OAEP_SHA1_MGF1SHA1, &session_key);
        let other_digest = wrap(&OURS, &OAEP_SHA256_MGF1SHA256, &session_key);
        let short_key = wrapped[1..].to_vec();
        for key in [
            damaged_key,
            longer_key,
            foreign_key,
            other_digest,
            short_key,
            vec![0; 256],
            vec![0xFF; 256],
            vec![],
        ] {
            check(&encrypted_data(cipher.uri(), OAEP_SHA1, &key, &data), DecryptReject::Failed);
        }
        let mut damaged_end = data.clone();
        *damaged_end.last_mut().unwrap() ^= 0x40;
        let mut damaged_start = data.clone();
        damaged_start[0] ^= 1;
        for data in [
            damaged_end,
            damaged_start,
            data[..data.len() - 1].to_vec(),
            data[..16].to_vec(),
            vec![],
            vec![0; 64],
        ] {
            check(&encrypted_data(cipher.uri(), OAEP_SHA1, &wrapped, &data), DecryptReject::Failed);
        }
    }
}

#[test]
fn a_shortened_tag_is_refused() {
    let cipher = DataCipher::Aes128Gcm;
    let data = cipher.encrypt(&[7; 16], PLAIN.as_bytes()).unwrap();
    let wrapped = wrap(&OURS, &OAEP_SHA1_MGF1SHA1, &[7; 16]);
    for removed in 1..=16 {
        let data = &data[..data.len() - removed];
        check(&encrypted_data(cipher.uri(), OAEP_SHA1, &wrapped, data), DecryptReject::Failed);
    }
}

#[test]
fn keys_stand_inside_or_beside_and_one_of_ours_opens() {
    let inside = encrypted(DataCipher::Aes128Gcm, PLAIN.as_bytes());
    let (begin, end) =
        (inside.find("<xenc:EncryptedKey>").unwrap(), inside.find("</xenc:EncryptedKey>").unwrap() + 20);
    let key = inside[begin..end].replace(
        "<xenc:EncryptedKey>",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">",
    );
    let retrieval = "<ds:RetrievalMethod Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\" URI=\"#k\"/>";
    let beside = format!("{}{retrieval}{}{key}", &inside[..begin], &inside[end..]);
    assert!(open(&beside).is_ok());
    // A key for another recipient in front, and a decryption key of the past behind.
    let foreign = encrypted_data("", OAEP_SHA1, &wrap(&THEIRS, &OAEP_SHA1_MGF1SHA1, &[7; 16]), b"");
    let foreign =
        &foreign[foreign.find("<xenc:EncryptedKey>").unwrap()..foreign.find("</ds:KeyInfo>").unwrap()];
    let several = format!("{}{foreign}{}", &inside[..begin], &inside[begin..]);
    assert!(open(&several).is_ok());
    let rotated = [recipient().keys, recipient().keys].into_iter().flatten();
    let keys: Vec<_> =
        rotated.chain(std::iter::once(DecryptionKey::from_pkcs8_der(&pkcs8()).unwrap())).collect();
    assert_eq!(open_with(&several, &keys, EncryptionPolicy::default()), Err(DecryptReject::Failed));
    let crowd = foreign.repeat(9);
    check(&format!("{}{crowd}{}", &inside[..begin], &inside[begin..]), DecryptReject::TooManyKeys);
}

#[test]
fn the_work_of_an_element_is_bounded_by_what_its_keys_cost() {
    // Unequal digests take the slow arithmetic: eight times the work of the fast one.
    const SLOW: &str = "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\">\
        <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/></xenc:EncryptionMethod>";
    let cipher = DataCipher::Aes256Gcm;
    let junk = |method: &str, wrapped: usize, data: usize| {
        let inside = encrypted_data(cipher.uri(), method, &[0x11; 256], &vec![7; data]);
        let (begin, end) =
            (inside.find("<xenc:EncryptedKey>").unwrap(), inside.find("</ds:KeyInfo>").unwrap());
        format!("{}{}{}", &inside[..begin], inside[begin..end].repeat(wrapped), &inside[end..])
    };
    for (method, wrapped, expected) in [
        (OAEP_SHA1, 8, DecryptReject::Failed),
        (OAEP_SHA1, 9, DecryptReject::TooManyKeys),
        (SLOW, 4, DecryptReject::Failed),
        (SLOW, 5, DecryptReject::TooManyKeys),
    ] {
        check(&junk(method, wrapped, 64), expected);
    }
    // Triple DES over much data counts as well; what is tried first is tried whatever it costs.
    let triple_des = |inside: &str, policy| {
        let inside = inside.replace(cipher.uri(), DataCipher::TripleDesCbc.uri());
        open_with(&inside, &OURS.keys, policy).unwrap_err()
    };
    let allowed = EncryptionPolicy { triple_des: true, ..EncryptionPolicy::default() };
    assert_eq!(triple_des(&junk(OAEP_SHA1, 1, 160_000), allowed), DecryptReject::Failed);
    assert_eq!(triple_des(&junk(OAEP_SHA1, 2, 160_000), allowed), DecryptReject::TooManyKeys);
    assert_eq!(triple_des(&junk(OAEP_SHA1, 2, 64), allowed), DecryptReject::Failed);
}

fn pkcs8() -> Vec<u8> {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = private.as_der().unwrap();
    der.as_ref().to_vec()
}

#[test]
fn oaep_takes_its_digests_from_the_document() {
    let cipher = DataCipher::Aes128Gcm;
    let data = cipher.encrypt(&[7; 16], PLAIN.as_bytes()).unwrap();
    let wrapped = wrap(&OURS, &OAEP_SHA256_MGF1SHA256, &[7; 16]);
    assert!(open(&encrypted_data(cipher.uri(), OAEP_SHA256, &wrapped, &data)).is_ok());
    for (method, expected) in [
        (OAEP_SHA256.replace("mgf1sha256", "mgf1sha1"), DecryptReject::Failed),
        (OAEP_SHA256.replace("#sha256", "#sha512"), DecryptReject::Failed),
        (OAEP_SHA256.replace("#sha256", "#md5"), DecryptReject::Algorithm),
        (OAEP_SHA256.replace("mgf1sha256", "mgf1md5"), DecryptReject::Algorithm),
        (OAEP_SHA256.replace("#rsa-oaep", "#rsa-oaep2"), DecryptReject::Algorithm),
        (
            OAEP_SHA256.replace("</xenc:", "<xenc:OAEPparams>YQ==</xenc:OAEPparams></xenc:"),
            DecryptReject::Failed,
        ),
        (
            OAEP_SHA256.replace("</xenc:", "<xenc:OAEPparams>!</xenc:OAEPparams></xenc:"),
            DecryptReject::Structure,
        ),
    ] {
        check(&encrypted_data(cipher.uri(), &method, &wrapped, &data), expected);
    }
}

#[test]
fn both_implementations_of_oaep_agree() {
    // What aws-lc-rs wraps, the arithmetic for unequal digests unwraps, and both refuse the same.
    let der = pkcs8();
    let raw = raw_rsa::RawPrivateKey::from_pkcs8(&der).unwrap();
    let private = PrivateDecryptingKey::from_pkcs8(&der).unwrap();
    let theirs =
        Recipient { public: private.public_key(), keys: [DecryptionKey::from_pkcs8_der(&der).unwrap()] };
    let wrapped = wrap(&theirs, &OAEP_SHA256_MGF1SHA256, b"sixteen bytes...");
    let sha256 = &aws_lc_rs::digest::SHA256;
    let unwrap = |wrapped: &[u8], label: &[u8]| raw.decrypt_oaep(wrapped, sha256, sha256, label);
    assert_eq!(unwrap(&wrapped, b"").unwrap().as_slice(), b"sixteen bytes...");
    assert!(unwrap(&wrapped, b"label").is_none());
    assert!(unwrap(&wrapped[1..], b"").is_none());
    assert!(unwrap(&[0; 256], b"").is_none());
    assert!(unwrap(&[0xFF; 256], b"").is_none());
    let key = Pkcs1PublicEncryptingKey::new(private.public_key()).unwrap();
    let mut wrapped = vec![0; 256];
    key.encrypt(b"sixteen bytes...", &mut wrapped).unwrap();
    assert_eq!(raw.decrypt_pkcs1(&wrapped).unwrap().as_slice(), b"sixteen bytes...");
    assert!(raw.decrypt_pkcs1(&wrapped[1..]).is_none());
    assert!(raw.decrypt_pkcs1(&[0xFF; 256]).is_none(), "not smaller than the modulus");
    wrapped[9] ^= 1;
    // Wrong padding gives another message, the same each time, and never an error.
    let first = raw.decrypt_pkcs1(&wrapped).unwrap();
    assert_ne!(first.as_slice(), b"sixteen bytes...");
    assert_eq!(raw.decrypt_pkcs1(&wrapped).unwrap(), first);
}

#[test]
fn a_session_key_of_another_length_is_refused_by_both_implementations() {
    let der = pkcs8();
    let private = PrivateDecryptingKey::from_pkcs8(&der).unwrap();
    let key = Pkcs1PublicEncryptingKey::new(private.public_key()).unwrap();
    let mut wrapped = vec![0; 256];
    key.encrypt(b"sixteen bytes...", &mut wrapped).unwrap();
    let ours = DecryptionKey::from_pkcs8_der(&der).unwrap();
    for ours in [&ours, &ours.without_constant_time()] {
        let unwrap = |length| ours.unwrap(&KeyTransport::Pkcs1, &wrapped, length);
        assert_eq!(unwrap(16).unwrap().as_slice(), b"sixteen bytes...");
        for length in [0, 15, 17, 245, 253, 256, 1000] {
            assert!(unwrap(length).is_none(), "{length}");
        }
    }
}

#[test]
fn weak_algorithms_need_the_policy() {
    let cipher = DataCipher::Aes128Gcm;
    let key = Pkcs1PublicEncryptingKey::new(OURS.public.clone()).unwrap();
    let mut wrapped = vec![0; key.ciphertext_size()];
    key.encrypt(&[7; 16], &mut wrapped).unwrap();
    let data = cipher.encrypt(&[7; 16], PLAIN.as_bytes()).unwrap();
    let rsa15 = encrypted_data(cipher.uri(), RSA15, &wrapped, &data);
    check(&rsa15, DecryptReject::Rsa15);
    let allowed = EncryptionPolicy { rsa15: true, triple_des: false };
    assert!(open_with(&rsa15, &OURS.keys, allowed).is_ok());
    wrapped[9] ^= 1;
    let damaged = encrypted_data(cipher.uri(), RSA15, &wrapped, &data);
    assert_eq!(open_with(&damaged, &OURS.keys, allowed), Err(DecryptReject::Failed));

    let triple_des = encrypted(cipher, b"").replace(cipher.uri(), DataCipher::TripleDesCbc.uri());
    check(&triple_des, DecryptReject::TripleDes);
    let allowed = EncryptionPolicy { rsa15: false, triple_des: true };
    assert_eq!(open_with(&triple_des, &OURS.keys, allowed), Err(DecryptReject::Failed));
}

#[test]
fn another_shape_is_refused() {
    let genuine = encrypted(DataCipher::Aes128Gcm, PLAIN.as_bytes());
    assert!(open(&genuine).is_ok());
    for (from, to, expected) in [
        ("#Element", "#Content", DecryptReject::Structure),
        ("xenc:CipherValue", "xenc:CipherReference", DecryptReject::Structure),
        (
            "<xenc:CipherValue>",
            "<xenc:CipherReference URI=\"http://evil.example/\"/><xenc:CipherValue>",
            DecryptReject::Structure,
        ),
        ("<xenc:CipherValue>", "<xenc:CipherValue><!-- -->", DecryptReject::Structure),
        ("<xenc:CipherValue>", "<xenc:CipherValue>!", DecryptReject::Structure),
        ("<xenc:CipherData>", "<xenc:CipherData/><xenc:CipherData>", DecryptReject::Structure),
        ("xenc:EncryptedKey", "xenc:DerivedKey", DecryptReject::Structure),
        ("ds:KeyInfo", "ds:KeyInfoo", DecryptReject::Structure),
        ("aes128-gcm", "aes128-ctr", DecryptReject::Algorithm),
        ("aes128-gcm", "aes256-gcm", DecryptReject::Failed),
    ] {
        assert!(genuine.contains(from), "{from}");
        check(&genuine.replace(from, to), expected);
    }
    check("", DecryptReject::Structure);
    check(&genuine.repeat(2), DecryptReject::Structure);
    check(&format!("<x>{genuine}</x>"), DecryptReject::Structure);
    assert_eq!(open_with(&genuine, &[], EncryptionPolicy::default()), Err(DecryptReject::NoKeys));
}

#[test]
fn what_we_encrypt_for_a_certificate_its_holder_opens() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
    let inside = encrypt_element("<x/>", certificate.der()).unwrap();
    let keys = [DecryptionKey::from_pem(&pair.serialize_pem()).unwrap()];
    assert!(open_with(&inside, &keys, EncryptionPolicy::default()).is_ok());
}
