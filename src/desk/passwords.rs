//! Passwords: hashed and verified with Argon2id, few at a time.
//!
//! OWASP's parameters (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. Each run needs its
//! memory and a core, so no more run at once than there are cores; the others wait their turn.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::duty;
use crate::error::{Error, Result};
use crate::secret::{Secret, fill_random};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LEN: usize = 16;

/// Hashes a password with a salt of its own; the answer is in the PHC string format.
///
/// # Errors
/// `Fault` when the machine has no randomness or no memory.
pub fn hash(password: &Secret) -> Result<String> {
    let mut salt = [0u8; SALT_LEN];
    fill_random(&mut salt)?;
    let _turn = Turn::wait();
    let hashed: PasswordHash = hasher()?
        .hash_password_with_salt(password.expose(), &salt)
        .map_err(|e| Error::fault("password_hash", e.to_string()))?;
    Ok(hashed.to_string())
}

/// Whether `password` is the one that `hash` was made of; false also for a hash that cannot be read.
pub fn verify(password: &Secret, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let _turn = Turn::wait();
    hasher().is_ok_and(|hasher| hasher.verify_password(password.expose(), &parsed).is_ok())
}

/// Takes as long as [`verify`] and accepts nothing: for a user who does not exist or has no password, so
/// that the time of the answer does not tell.
pub fn verify_nothing(password: &Secret) {
    static DUMMY: OnceLock<Option<String>> = OnceLock::new();
    let dummy = DUMMY.get_or_init(|| hash(&Secret::new("nobody")).ok());
    if let Some(dummy) = dummy {
        let _ = verify(password, dummy);
    }
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|e| Error::fault("password_parameters", e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The right to run one hash; given back when dropped.
struct Turn;

static RUNNING: Mutex<usize> = Mutex::new(0);
static DONE: Condvar = Condvar::new();

impl Turn {
    fn wait() -> Turn {
        duty::relieve();
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(2, usize::from));
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running =
            DONE.wait_while(running, |running| *running >= cores).unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        DONE.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let hashed = hash(&Secret::new("correct horse")).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(&Secret::new("correct horse"), &hashed));
        assert!(!verify(&Secret::new("correct horsf"), &hashed));
        assert!(!verify(&Secret::new("correct horse"), "not a hash"));
        assert_ne!(hashed, hash(&Secret::new("correct horse")).unwrap());
    }

    #[test]
    fn more_callers_than_cores_all_get_their_turn() {
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| verify_nothing(&Secret::new("x")));
            }
        });
    }
}
