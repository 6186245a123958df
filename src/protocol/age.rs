//! Files that only the holder of an age identity opens: the format `age-encryption.org/v1` with X25519 recipients
//! (<https://c2sp.org/age>). Public tools (`age`, `rage`) open what is sealed here: `age --decrypt -i IDENTITY FILE`.
//!
//! For keys of a few bytes: a file is one chunk, at most 64 KiB. The primitives are aws-lc's. The `age` package would bring
//! more than a hundred others along, among them second versions of the hashes that are here already.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::secret::{Secret, fill_random};

const VERSION: &str = "age-encryption.org/v1\n";
const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";
const STANZA: &str = "X25519";
const WRAP_INFO: &str = "age-encryption.org/v1/X25519";
const FILE_KEY_LEN: usize = 16;
const KEY_LEN: usize = 32;
const PAYLOAD_NONCE_LEN: usize = 16;
/// The tag of ChaCha20-Poly1305.
const TAG_LEN: usize = 16;
/// The longest chunk; what is sealed here is never longer.
const CHUNK: usize = 64 * 1024;
/// The nonce of the first chunk when it is the last one too: a counter of eleven bytes, then the mark of the last.
const ONLY_CHUNK: [u8; NONCE_LEN] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Unpadded standard base64 in its one canonical form.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, NO_PAD);

/// A public key, `age1…`, that files are sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient([u8; KEY_LEN]);

/// The private key that belongs to it, `AGE-SECRET-KEY-1…`.
pub struct Identity(Secret);

impl Recipient {
    /// Reads a recipient as `age-keygen` prints it.
    ///
    /// # Errors
    /// `Invalid` with code `bad_recipient`, also for a private key: it must not be kept where backups are made.
    pub fn parse(text: &str) -> Result<Recipient> {
        let wrong = |public: &str| Error::invalid("bad_recipient", "recipient", public);
        if text.trim().to_ascii_lowercase().starts_with(IDENTITY) {
            return Err(wrong(
                "This is the private key. Give the public one, which begins with age1, and keep this one away from here.",
            ));
        }
        bech32_key(text.trim(), RECIPIENT).map(|key| Recipient(*key)).ok_or_else(|| {
            wrong("An age recipient begins with age1 and has 62 characters, as age-keygen prints it.")
        })
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = Hrp::parse(RECIPIENT).map_err(|_| std::fmt::Error)?;
        f.write_str(&bech32::encode::<Bech32>(prefix, &self.0).map_err(|_| std::fmt::Error)?)
    }
}

impl Identity {
    /// Reads the file that `age-keygen` writes: one line with the private key, and lines that begin with `#`.
    ///
    /// # Errors
    /// `Invalid` with code `bad_identity`.
    pub fn parse(file: &str) -> Result<Identity> {
        let mut lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = lines.next().and_then(|line| bech32_key(line, IDENTITY));
        match (key, lines.next()) {
            (Some(key), None) => Ok(Identity(Secret::new(key.as_slice()))),
            _ => {
                let public =
                    "An age identity is one line that begins with AGE-SECRET-KEY-1, as age-keygen writes it.";
                Err(Error::invalid("bad_identity", "identity", public))
            }
        }
    }

    fn private_key(&self) -> Result<PrivateKey> {
        PrivateKey::from_private_key(&X25519, self.0.expose()).map_err(|_| refused_by_library())
    }

    /// The recipient that belongs to it.
    ///
    /// # Errors
    /// `Fault` when the cryptographic library refuses.
    pub fn recipient(&self) -> Result<Recipient> {
        public_half(&self.private_key()?).map(Recipient)
    }
}

/// Seals `plain`, at most 64 KiB, so that only the identity of `recipient` opens it.
///
/// # Errors
/// `Fault` when the machine has no randomness, or `plain` is too long.
pub fn seal(recipient: &Recipient, plain: &Secret) -> Result<Vec<u8>> {
    if plain.expose().len() > CHUNK {
        return Err(Error::fault("age_too_long", "more than one chunk"));
    }
    let (mut file_key, mut nonce) = (Zeroizing::new([0; FILE_KEY_LEN]), [0; PAYLOAD_NONCE_LEN]);
    fill_random(file_key.as_mut_slice())?;
    fill_random(&mut nonce)?;
    let ephemeral = PrivateKey::generate(&X25519).map_err(|_| refused_by_library())?;
    let share = public_half(&ephemeral)?;
    let wrap = wrap_key(&ephemeral, &recipient.0, &share, &recipient.0)?;
    let body = encrypted(&wrap, [0; NONCE_LEN], file_key.as_slice())?;
    let stanza = format!("-> {STANZA} {}\n{}\n", BASE64.encode(share), BASE64.encode(body));
    let header = format!("{VERSION}{stanza}---");
    let mac = hmac::sign(&header_key(file_key.as_slice())?, header.as_bytes());
    let mut sealed = format!("{header} {}\n", BASE64.encode(mac.as_ref())).into_bytes();
    sealed.extend_from_slice(&nonce);
    let payload = derived(file_key.as_slice(), &nonce, b"payload")?;
    sealed.extend_from_slice(&encrypted(&payload, ONLY_CHUNK, plain.expose())?);
    Ok(sealed)
}

/// Opens a file that was sealed to `identity`, here or by a public tool.
///
/// # Errors
/// `Denied` with code `identity_of_another` when it was sealed to others; `Invalid` with code `age_damaged` when it was
/// damaged, or is no such file.
pub fn open(identity: &Identity, sealed: &[u8]) -> Result<Secret> {
    let header = Header::read(sealed).ok_or_else(damaged)?;
    let own = identity.private_key()?;
    let recipient = public_half(&own)?;
    let file_key = header
        .stanzas
        .iter()
        .find_map(|(share, body)| {
            let wrap = wrap_key(&own, share, share, &recipient).ok()?;
            decrypted(&wrap, [0; NONCE_LEN], body).filter(|key| key.len() == FILE_KEY_LEN)
        })
        .ok_or_else(|| {
            let public = "The key file in the backup was sealed to another age recipient: this identity does not open it.";
            Error::new(Kind::Denied, "identity_of_another", public)
        })?;
    hmac::verify(&header_key(&file_key)?, header.authenticated, &header.mac).map_err(|_| damaged())?;
    let (nonce, chunk) = header.payload.split_at_checked(PAYLOAD_NONCE_LEN).ok_or_else(damaged)?;
    let payload = derived(&file_key, nonce, b"payload")?;
    decrypted(&payload, ONLY_CHUNK, chunk).map(|plain| Secret::new(plain.as_slice())).ok_or_else(damaged)
}

/// What stands before the payload.
struct Header<'f> {
    /// The bytes that the code at its end vouches for.
    authenticated: &'f [u8],
    mac: Vec<u8>,
    /// Share and body of each stanza of type X25519.
    stanzas: Vec<([u8; KEY_LEN], Vec<u8>)>,
    payload: &'f [u8],
}

impl Header<'_> {
    fn read(file: &[u8]) -> Option<Header<'_>> {
        let mut rest = file.strip_prefix(VERSION.as_bytes())?;
        let mut stanzas = Vec::new();
        loop {
            let line = next_line(&mut rest)?;
            if let Some(mac) = line.strip_prefix("--- ") {
                let end = file.len().checked_sub(rest.len() + 1 + mac.len() + 1)?;
                let authenticated = file.get(..end)?;
                return Some(Header { authenticated, mac: BASE64.decode(mac).ok()?, stanzas, payload: rest });
            }
            let arguments: Vec<&str> = line.strip_prefix("-> ")?.split(' ').collect();
            let mut body = String::new();
            // A body ends in a line of fewer than 64 characters.
            loop {
                let line = next_line(&mut rest)?;
                body.push_str(line);
                if line.len() < 64 {
                    break;
                }
            }
            if let [STANZA, share] = arguments.as_slice() {
                let share = BASE64.decode(share).ok()?.try_into().ok()?;
                stanzas.push((share, BASE64.decode(&body).ok()?));
            }
        }
    }
}

fn next_line<'f>(rest: &mut &'f [u8]) -> Option<&'f str> {
    let end = rest.iter().take(CHUNK).position(|byte| *byte == b'\n')?;
    let (line, after) = rest.split_at_checked(end)?;
    *rest = after.get(1..)?;
    std::str::from_utf8(line).ok()
}

/// The key of 32 bytes in a Bech32 text with this prefix, in either case.
fn bech32_key(text: &str, prefix: &str) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(checked.byte_iter().collect());
    let fits = checked.hrp().as_str().eq_ignore_ascii_case(prefix);
    <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok().filter(|_| fits).map(Zeroizing::new)
}

fn public_half(private: &PrivateKey) -> Result<[u8; KEY_LEN]> {
    let public = private.compute_public_key().map_err(|_| refused_by_library())?;
    public.as_ref().try_into().map_err(|_| refused_by_library())
}

/// The key under which the file key is wrapped: of what `own` and `peer` share, salted by both public keys. A share of which
/// nothing secret would come is refused by the library.
fn wrap_key(
    own: &PrivateKey,
    peer: &[u8; KEY_LEN],
    share: &[u8; KEY_LEN],
    recipient: &[u8; KEY_LEN],
) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    let salt = [share.as_slice(), recipient].concat();
    agreement::agree(own, UnparsedPublicKey::new(&X25519, peer), damaged(), |shared| {
        derived(shared, &salt, WRAP_INFO.as_bytes())
    })
}

fn header_key(file_key: &[u8]) -> Result<hmac::Key> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, derived(file_key, &[], b"header")?.as_slice()))
}

fn derived(secret: &[u8], salt: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(|_| refused_by_library())?;
    Ok(key)
}

fn cipher(key: &[u8; KEY_LEN]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| refused_by_library())?;
    Ok(LessSafeKey::new(key))
}

/// Each key encrypts one text, so that a constant nonce does not repeat.
fn encrypted(key: &[u8; KEY_LEN], nonce: [u8; NONCE_LEN], plain: &[u8]) -> Result<Vec<u8>> {
    let mut text = plain.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
        .map_err(|_| refused_by_library())?;
    Ok(text)
}

fn decrypted(key: &[u8; KEY_LEN], nonce: [u8; NONCE_LEN], text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > CHUNK + TAG_LEN {
        return None;
    }
    let mut plain = Zeroizing::new(text.to_vec());
    let length = cipher(key)
        .ok()?
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut plain)
        .ok()?
        .len();
    plain.truncate(length);
    Some(plain)
}

fn damaged() -> Error {
    Error::new(Kind::Invalid, "age_damaged", "The sealed key file is damaged, or is no age file.")
}

fn refused_by_library() -> Error {
    Error::fault("age", "the cryptographic library refused")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const OWN: &str =
        "# created: today\n\nAGE-SECRET-KEY-1H4T6W967PYHVXKGFAGU8QY9KNTEMM7MEGPGCUNKMQGJN3PWTV9NQ7FWRXD\n";
    const OWN_RECIPIENT: &str = "age1u738xznan70w34j8hxz47acsgyz22vn00q3xkt0svh28p82rf4lqwu4gr5";
    /// The bytes 0 to 31, sealed by rage 0.11 to that recipient; the second stanza is there to be passed over.
    const BY_RAGE: &str = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB2MFdUL085dmtpOVhEL2VMYUtLUklxc3hQckYwU0FCWGUwZlI2WHU0eXk0CmRJMGdFSjRXNUVlNENZdWxyT3B1Q2IrMzBIY1ZnODd2U1VqQmRxTUZHWjQKLT4gYng0Ni1ncmVhc2UgMTt4PTNlCkxGS29Yb0RxRW9vd3RzNE93ZzVLSmNMNGZVWWtlOGhPNy9zOUZ4UTZLWjBrbllkMVIrRHlkVXY3YmdFNWlzbWEKYi85a2ppRkUxaXlWYkt1R21sRVJHRTR3d3JzN1F2blk0SzQrYy84TXZnb0M5YUV3UTEyWHh3Ci0tLSBSNXZ0c1Y2WlRwdzkyVjJidUZia2ZnUEtCZnREZTRDeFlHUEc1SHJtK0dNCsAb/f3lugAuqE7hFMU8d/harP7lezq7pVyhndpwJMpZlxlY1X1izDuzcw6beh1zLK9TCzrV1bIF4PhDpkcMfn8=";

    fn by_rage() -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.decode(BY_RAGE).unwrap()
    }

    fn code<T>(outcome: Result<T>) -> Option<&'static str> {
        outcome.err().map(|error| error.code)
    }

    #[test]
    fn what_another_program_sealed_is_opened() {
        let plain = open(&Identity::parse(OWN).unwrap(), &by_rage()).unwrap();
        assert_eq!(plain.expose(), (0..32).collect::<Vec<u8>>());
    }

    #[test]
    fn an_identity_and_its_recipient_belong_together() {
        let recipient = Identity::parse(OWN).unwrap().recipient().unwrap();
        assert_eq!(recipient.to_string(), OWN_RECIPIENT);
        assert_eq!(Recipient::parse(OWN_RECIPIENT).unwrap(), recipient);
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_identity_alone() {
        let sealed = seal(&Recipient::parse(OWN_RECIPIENT).unwrap(), &Secret::new("key")).unwrap();
        assert_eq!(open(&Identity::parse(OWN).unwrap(), &sealed).unwrap().expose(), b"key");
        assert_eq!(code(open(&Identity(Secret::new([7; KEY_LEN])), &sealed)), Some("identity_of_another"));
    }

    #[test]
    fn a_sealed_file_with_any_byte_changed_or_cut_off_is_refused() {
        let identity = Identity::parse(OWN).unwrap();
        for sealed in [by_rage(), seal(&identity.recipient().unwrap(), &Secret::new("key")).unwrap()] {
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(open(&identity, &changed).is_err(), "{at}");
                assert!(open(&identity, &sealed[..at]).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn a_private_key_is_no_recipient_and_is_not_repeated() {
        let identity = OWN.lines().last().unwrap();
        let error = Recipient::parse(identity).unwrap_err();
        assert!(error.public.contains("private") && !error.public.contains("1H4T6W"), "{error}");
        for wrong in ["", "age1", "age1u738xznan70w34j8hxz47acsgyz22vn00q3xkt0svh28p82rf4lqwu4gr6"] {
            assert_eq!(code(Recipient::parse(wrong)), Some("bad_recipient"), "{wrong}");
        }
        for wrong in ["", OWN_RECIPIENT, &OWN.repeat(2)] {
            assert_eq!(code(Identity::parse(wrong)), Some("bad_identity"), "{wrong}");
        }
    }
}
