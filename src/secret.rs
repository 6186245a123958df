//! Secrets: the master key in its own file, the keys derived from it, and the seal on stored secrets.
//!
//! A [`Secret`] has no `Debug` and no `Display`, is wiped when dropped, and compares in constant time.
//! Secrets that must be readable again (API keys, private keys) are sealed with AES-256-GCM under a key
//! that never enters the database; the place where a sealed value belongs is bound into it, so that no
//! value can be moved to another row.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Kind, Result};

/// Bytes that must not be shown, wiped when dropped.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes bytes into keeping.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }

    /// Shows the bytes to code that needs them. The name is long so that a reviewer finds each use.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Shows the bytes as text; `None` when they are not UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Constant in time for values of one length.
impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

/// Length of the master key in bytes.
const MASTER_KEY_LEN: usize = 32;

/// What is derived from the master key, one key a purpose.
pub struct Keys {
    seal: LessSafeKey,
    /// Signs the tokens that Authorize hands out (HS256).
    pub token: hmac::Key,
    /// Signs what the console's forms carry against forgery.
    pub form: hmac::Key,
    /// Keys the fingerprints under which bearer secrets (console sessions, SCIM tokens) are stored.
    pub fingerprint: hmac::Key,
    /// Names the master key, such as `3F2A-91BC-07DE-55A1`: the first digits of the SHA-256 of its file, which people can
    /// compare with `sha256sum`. The key is random, so its hash tells nothing of it.
    pub name: String,
}

impl Keys {
    /// Reads the master key from `path`. At the first start, when `database` is not there either,
    /// the file is made (mode 0600), and before the database: so anyone who finds a database without it has lost it.
    ///
    /// # Errors
    /// `Fault` when the file cannot be made or read; `Denied` when it is missing beside a database, when others
    /// than its owner may read it, or when it has the wrong length: start refuses rather than repairs.
    pub fn open(path: &Path, database: &Path) -> Result<Keys> {
        let mut master = Zeroizing::new([0u8; MASTER_KEY_LEN]);
        match File::open(path) {
            Ok(file) => read_master(file, path, &mut master)?,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                if is_there(database) {
                    return Err(missing(path));
                }
                fill_random(master.as_mut_slice())?;
                write_master(path, &master).map_err(|e| unreadable(path, &e))?;
            }
            Err(e) => return Err(unreadable(path, &e)),
        }
        Keys::derive(&master)
    }

    /// Reads a master key that is kept outside of a data directory, by whatever mode its file has.
    ///
    /// # Errors
    /// `Fault` when it cannot be read; `Denied` with code `key_file_damaged` when it is no key file.
    pub fn read_kept(path: &Path) -> Result<(Keys, Secret)> {
        let mut master = Zeroizing::new([0u8; MASTER_KEY_LEN]);
        let file = File::open(path).map_err(|e| unreadable(path, &e))?;
        read_exactly(file, path, &mut master)?;
        Ok((Keys::derive(&master)?, Secret::new(master.as_slice())))
    }

    /// Derives the keys from what stands in a key file.
    ///
    /// # Errors
    /// `Denied` with code `key_file_damaged` when it does not have the length of a master key.
    pub fn of_master(master: &Secret) -> Result<Keys> {
        let wrong_length = || {
            let public = format!("The key file in the backup is not {MASTER_KEY_LEN} bytes long.");
            Error::new(Kind::Denied, "key_file_damaged", public)
        };
        Keys::derive(master.expose().try_into().map_err(|_| wrong_length())?)
    }

    /// Derives the keys from a master key of 32 bytes.
    ///
    /// # Errors
    /// `Fault` when the cryptographic library refuses, which it does not for keys of this length.
    pub fn derive(master: &[u8; MASTER_KEY_LEN]) -> Result<Keys> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, master);
        let derived = |purpose: &str| hmac::sign(&root, format!("sidelight/1/{purpose}").as_bytes());
        let mac = |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, derived(purpose).as_ref());
        let seal = UnboundKey::new(&AES_256_GCM, derived("seal").as_ref())
            .map_err(|_| Error::fault("seal_key", "AES-256-GCM refused the derived key"))?;
        Ok(Keys {
            name: spelled(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, master).as_ref()),
            seal: LessSafeKey::new(seal),
            token: mac("token"),
            form: mac("form"),
            fingerprint: mac("fingerprint"),
        })
    }

    /// Seals a secret for the place named by `place` (such as `group/12345/api-key`).
    ///
    /// The result is nonce (12 bytes), ciphertext, tag (16 bytes). Nonces are random: at 96 bits they are
    /// safe for far more seals than an appliance makes in its life.
    ///
    /// # Errors
    /// `Fault` when the machine has no randomness.
    pub fn seal(&self, place: &str, secret: &Secret) -> Result<Vec<u8>> {
        let mut nonce = [0u8; NONCE_LEN];
        fill_random(&mut nonce)?;
        let mut sealed = nonce.to_vec();
        let mut body = Zeroizing::new(secret.expose().to_vec());
        let tag = self
            .seal
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                body.as_mut_slice(),
            )
            .map_err(|_| Error::fault("seal", "sealing failed"))?;
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Keys::seal`] sealed for the same place.
    ///
    /// # Errors
    /// `Fault` with code `sealed_unreadable` when the value was damaged, moved, or sealed under another
    /// master key.
    pub fn open_sealed(&self, place: &str, sealed: &[u8]) -> Result<Secret> {
        let unreadable =
            || Error::fault("sealed_unreadable", format!("the sealed value of {place} does not open"));
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = self
            .seal
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place.as_bytes()), &mut body)
            .map_err(|_| unreadable())?;
        Ok(Secret::new(&*plain))
    }

    /// The fingerprint under which a bearer secret is stored and looked up; it cannot be turned back.
    pub fn fingerprint_of(&self, bearer: &[u8]) -> [u8; 32] {
        let mut out = [0u8; 32];
        out.iter_mut().zip(hmac::sign(&self.fingerprint, bearer).as_ref()).for_each(|(o, b)| *o = *b);
        out
    }
}

/// Fills `bytes` with randomness.
///
/// # Errors
/// `Fault` when the machine has none.
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    rand::fill(bytes).map_err(|_| Error::fault("randomness", "the machine gave no randomness"))
}

/// Makes a random token of `N` bytes, as unpadded base64url text.
///
/// # Errors
/// `Fault` when the machine has no randomness.
pub fn random_token<const N: usize>() -> Result<String> {
    let mut bytes = Zeroizing::new([0u8; N]);
    fill_random(bytes.as_mut_slice())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// Makes an incident code such as `K7Q2-9XMD`: 40 random bits in an alphabet without look-alikes.
///
/// # Errors
/// `Fault` when the machine has no randomness.
pub fn incident_code() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut bytes = [0u8; 8];
    fill_random(&mut bytes)?;
    let mut code = String::with_capacity(9);
    for (position, byte) in bytes.iter().enumerate() {
        if position == 4 {
            code.push('-');
        }
        if let Some(letter) = ALPHABET.get(usize::from(byte & 31)) {
            code.push(char::from(*letter));
        }
    }
    Ok(code)
}

/// Whether there is a database to which a key must belong. One that is empty or cannot be looked at counts.
fn is_there(database: &Path) -> bool {
    !std::fs::metadata(database).is_err_and(|e| e.kind() == ErrorKind::NotFound)
}

fn missing(path: &Path) -> Error {
    let public = format!(
        "The key file {} is not there, but the database beside it is. Restore it from the backup. Another key \
         would not open what is sealed in the database.",
        path.display()
    );
    Error::new(Kind::Denied, "key_file_missing", public)
}

/// The first eight bytes in hexadecimal digits, in groups of four.
fn spelled(bytes: &[u8]) -> String {
    let groups =
        bytes.chunks_exact(2).take(4).map(|two| two.iter().map(|b| format!("{b:02X}")).collect::<String>());
    groups.collect::<Vec<_>>().join("-")
}

/// Writes the key beside its place and moves it there, durably: a crash leaves the whole key, or none and no
/// database either, and the next start goes on from there.
fn write_master(path: &Path, master: &[u8; MASTER_KEY_LEN]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    match std::fs::remove_file(&beside) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(master)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// The incident code that somebody typed: in any case, with or without its hyphen and what was copied along.
pub fn typed_incident_code(text: &str) -> String {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.to_ascii_uppercase().split_at_checked(4) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters,
    }
}

fn read_master(file: File, path: &Path, master: &mut [u8; MASTER_KEY_LEN]) -> Result<()> {
    let mode = file.metadata().map_err(|e| unreadable(path, &e))?.mode();
    if mode & 0o077 != 0 {
        let public = format!(
            "The key file {} may be read by others (mode {:o}). Run chmod 600 on it.",
            path.display(),
            mode & 0o7777
        );
        return Err(Error::new(Kind::Denied, "key_file_readable_by_others", public));
    }
    read_exactly(file, path, master)
}

fn read_exactly(mut file: File, path: &Path, master: &mut [u8; MASTER_KEY_LEN]) -> Result<()> {
    let wrong_length = || {
        let public = format!(
            "The key file {} is not {MASTER_KEY_LEN} bytes long. Restore it from the backup.",
            path.display()
        );
        Error::new(Kind::Denied, "key_file_damaged", public)
    };
    file.read_exact(master).map_err(|_| wrong_length())?;
    match file.read(&mut [0u8; 1]) {
        Ok(0) => Ok(()),
        _ => Err(wrong_length()),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let public = format!("The key file {} cannot be opened: {error}.", path.display());
    Error::new(Kind::Fault, "key_file_unreadable", public)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_sealed_secret_opens_in_its_own_place_only() {
        let keys = Keys::derive(&[7; 32]).unwrap();
        let sealed = keys.seal("group/1/api-key", &Secret::new("mySecretApiKey")).unwrap();
        assert!(keys.open_sealed("group/1/api-key", &sealed).unwrap() == Secret::new("mySecretApiKey"));
        assert_eq!(keys.open_sealed("group/2/api-key", &sealed).err().unwrap().code, "sealed_unreadable");
        let mut damaged = sealed.clone();
        damaged[14] ^= 1;
        assert!(keys.open_sealed("group/1/api-key", &damaged).is_err());
        assert!(keys.open_sealed("group/1/api-key", &sealed[..5]).is_err());
        let other = Keys::derive(&[8; 32]).unwrap();
        assert!(other.open_sealed("group/1/api-key", &sealed).is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_refused_when_others_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, database) = (dir.path().join("sidelight.key"), dir.path().join("sidelight.db"));
        let made = Keys::open(&path, &database).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let sealed = made.seal("p", &Secret::new("s")).unwrap();
        assert!(Keys::open(&path, &database).unwrap().open_sealed("p", &sealed).is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Keys::open(&path, &database).err().unwrap().code, "key_file_readable_by_others");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, b"short").unwrap();
        assert_eq!(Keys::open(&path, &database).err().unwrap().code, "key_file_damaged");
    }

    #[test]
    fn beside_a_database_no_key_file_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let (path, database) = (dir.path().join("sidelight.key"), dir.path().join("sidelight.db"));
        for found in [&b"SQLite format 3"[..], b""] {
            std::fs::write(&database, found).unwrap();
            let error = Keys::open(&path, &database).err().unwrap();
            assert_eq!((error.kind, error.code), (Kind::Denied, "key_file_missing"));
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        }
        // What a start leaves that ended in the midst of the key.
        std::fs::remove_file(&database).unwrap();
        std::fs::write(dir.path().join("sidelight.key.new"), b"half").unwrap();
        assert!(Keys::open(&path, &database).is_ok());
        std::fs::write(&database, b"SQLite format 3").unwrap();
        assert!(Keys::open(&path, &database).is_ok());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn incident_codes_have_no_look_alikes() {
        let code = incident_code().unwrap();
        assert_eq!(code.len(), 9);
        let typed = code.to_ascii_lowercase().replace('-', "");
        assert_eq!(
            [typed_incident_code(&typed), typed_incident_code(&format!(" {code}."))],
            [code.clone(), code.clone()]
        );
        assert_eq!(typed_incident_code("K7"), "K7");
        assert!(code.bytes().all(|b| b == b'-' || b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ".contains(&b)));
    }
}
